//! Draws the optimizers lab.

pub mod arrows;
pub mod controls;
pub mod curves;
pub mod export;
pub mod field;
pub mod guide;
pub mod marks;
pub mod microscope;
pub mod network;
pub mod paths;
pub mod surface3d;
pub mod table;
pub mod trails;

use eframe::egui;

use crate::engine::params::Params;
use crate::kit::view::{Arrangement, LabView, Node, TileSpec, ViewCtx};
use crate::plot::curve::CurveState;
use crate::plot::style::{Category, Style};

use super::on_network;
use super::rules::Rule;
use curves::Quantity;
use paths::Path;

/// View state of the lab: what is selected, zoomed and switched on. All that is trained is in the run's state.
#[derive(Debug)]
pub struct OptimizersView {
    /// The optimizer that the microscope and the guide follow.
    pub selected: Rule,
    field: field::FieldTile,
    curves: [CurveState; Quantity::ALL.len()],
    curve_options: curves::Options,
    microscope: microscope::MicroscopeTile,
    guide: guide::GuideState,
    surface3d: surface3d::State,
    network: network::NetworkState,
}

impl Default for OptimizersView {
    fn default() -> Self {
        Self {
            selected: Rule::Adam,
            field: Default::default(),
            curves: Default::default(),
            curve_options: Default::default(),
            microscope: Default::default(),
            guide: Default::default(),
            surface3d: Default::default(),
            network: Default::default(),
        }
    }
}

static TILES: [TileSpec; 13] = [
    TileSpec {
        id: "field",
        title: "f(x, y) from above",
        help: "Contours of the function and every optimizer's path: bold up to the timeline's step, faint beyond. \
               Click or drag to move the start. Scroll to zoom, drag with the right button (or with Shift) to pan.",
    },
    TileSpec { id: "surface3d", title: "Surface", help: surface3d::HELP },
    TileSpec {
        id: "table",
        title: "State at the step",
        help: "Position, value, slope, last move and internal state of every optimizer at the timeline's step. Click a \
               row to follow that optimizer.",
    },
    TileSpec {
        id: "curves-f",
        title: "f",
        help: "The function's value against the step. Click or drag to move the timeline.",
    },
    TileSpec {
        id: "curves-gradient", title: "‖∇f‖", help: "Steepness at each optimizer's position against the step."
    },
    TileSpec { id: "curves-step", title: "‖Δθ‖", help: "Length of each move against the step." },
    TileSpec { id: "curves-x", title: "x", help: "First coordinate against the step." },
    TileSpec {
        id: "curves-y",
        title: "y",
        help: "Second coordinate against the step. The logarithm of |y| shows the escape from a symmetry line.",
    },
    TileSpec {
        id: "microscope",
        title: "Step microscope",
        help: "One update of the selected optimizer, split into its named parts: the equation, the numbers in it, and \
               the arrows.",
    },
    network::TILES[0],
    network::TILES[1],
    network::TILES[2],
    network::TILES[3],
];

const SURFACE: Arrangement = Arrangement {
    id: "surface",
    root: Node::Column(&[
        (0.59, Node::Row(&[(0.64, Node::Tile("field")), (0.36, Node::Tile("surface3d"))])),
        (
            0.41,
            Node::Row(&[
                (0.58, Node::Tile("table")),
                (
                    0.42,
                    Node::Tabs(&[
                        Node::Tile("curves-y"),
                        Node::Tile("microscope"),
                        Node::Tile("curves-f"),
                        Node::Tile("curves-gradient"),
                        Node::Tile("curves-step"),
                        Node::Tile("curves-x"),
                    ]),
                ),
            ]),
        ),
    ]),
};

const NETWORK: Arrangement = Arrangement {
    id: "network",
    root: Node::Column(&[
        (0.6, Node::Tile("boundary")),
        (
            0.4,
            Node::Row(&[
                (0.34, Node::Tile("loss")),
                (0.33, Node::Tile("accuracy")),
                (0.33, Node::Tile("network-table")),
            ]),
        ),
    ]),
};

/// Fresh view state of the lab.
pub fn new() -> Box<dyn LabView> {
    Box::<OptimizersView>::default()
}

impl LabView for OptimizersView {
    fn tiles(&self) -> &'static [TileSpec] {
        &TILES
    }

    fn arrangement(&self, params: &Params) -> Arrangement {
        if on_network(params) { NETWORK } else { SURFACE }
    }

    fn tile(&mut self, tile: &str, ui: &mut egui::Ui, ctx: &mut ViewCtx<'_>) {
        if !ui.max_rect().is_positive() {
            return;
        }
        if network::TILES.iter().any(|spec| spec.id == tile) {
            return network::tile(&mut self.network, tile, ui, ctx);
        }
        self.follow_the_run(ctx);
        match tile {
            "field" => field::ui(&mut self.field, &mut self.selected, ui, ctx),
            "surface3d" => {
                self.surface3d.pointed_at = self.field.pointed_at;
                self.surface3d.arrows = self.moves(ctx);
                surface3d::ui(&mut self.surface3d, ui, ctx);
            }
            "table" => table::ui(&mut self.selected, ui, ctx),
            "microscope" => microscope::ui(&mut self.microscope, &mut self.selected, ui, ctx),
            _ => {
                if let Some(quantity) = Quantity::ALL.into_iter().find(|quantity| quantity.tile() == tile) {
                    let state = &mut self.curves[quantity as usize];
                    curves::ui(quantity, state, &mut self.curve_options, &mut self.selected, ui, ctx);
                }
            }
        }
    }

    fn guide(&mut self, ui: &mut egui::Ui, ctx: &mut ViewCtx<'_>) {
        if on_network(ctx.params) {
            return network::guide(&mut self.network, ui, ctx);
        }
        self.follow_the_run(ctx);
        guide::ui(&mut self.guide, self.selected, ui, ctx);
    }

    fn swatch(&self, key: &str, style: &Style) -> Option<Category> {
        super::network::roster::ROSTER.iter().position(|entry| entry.switch == key).map(|index| style.category(index))
    }

    fn sub_steps(&self, ctx: &ViewCtx<'_>) -> usize {
        if on_network(ctx.params) { 0 } else { microscope::parts(self.selected, ctx) }
    }

    fn commands(&self) -> Vec<(String, String)> {
        let mut commands: Vec<(String, String)> = Rule::ALL
            .into_iter()
            .map(|rule| (format!("select-{}", rule.id()), format!("Select optimizer: {}", rule.title())))
            .collect();
        let named = [
            ("field-log", "Field: logarithmic colours on or off"),
            ("field-arrows", "Field: gradient arrows on or off"),
            ("field-equal", "Field: equal units on or off"),
            ("field-fit", "Field: show the whole surface"),
            ("curves-log-f", "Curves: logarithmic f on or off"),
            ("curves-log-y", "Curves: log |y| on or off"),
            ("curves-fit", "Curves: show the whole run"),
            ("part-next", "Microscope: next part of the update"),
            ("part-previous", "Microscope: previous part of the update"),
            ("export-paths-csv", "Export trajectories as CSV"),
            ("export-paths-json", "Export trajectories as JSON"),
        ];
        commands.extend(named.into_iter().chain(surface3d::COMMANDS.iter().copied()).map(owned));
        commands
    }

    fn command(&mut self, id: &str, ctx: &mut ViewCtx<'_>) {
        if let Some(rule) = Rule::ALL.into_iter().find(|rule| id.strip_prefix("select-") == Some(rule.id())) {
            self.selected = rule;
            return;
        }
        match id {
            "field-log" => self.field.toggle_log(paths::surface(ctx)),
            "field-arrows" => self.field.arrows = !self.field.arrows,
            "field-equal" => self.field.equal_units = !self.field.equal_units,
            "field-fit" => self.field.fit(),
            "curves-log-f" => self.curve_options.log_f = !self.curve_options.log_f,
            "curves-log-y" => self.curve_options.toggle_log_y(paths::surface(ctx)),
            "curves-fit" => self.curves.iter_mut().for_each(CurveState::fit),
            "part-next" => microscope::forward(self.selected, ctx),
            "part-previous" => microscope::back(self.selected, ctx),
            "export-paths-csv" => export::csv(ctx),
            "export-paths-json" => export::json(ctx),
            other => {
                self.surface3d.command(other);
            }
        }
    }
}

fn owned((id, title): (&str, &str)) -> (String, String) {
    (id.to_owned(), title.to_owned())
}

impl OptimizersView {
    /// The shown parts of the selected optimizer's update that are moves in the plane (a slope has another unit).
    fn moves(&self, ctx: &ViewCtx<'_>) -> Vec<surface3d::Arrow> {
        let all = Path::all(ctx.run);
        let path = all.iter().find(|path| path.rule == self.selected).filter(|_| ctx.cursor.sub > 0);
        let Some(trace) = path.and_then(|path| arrows::trace(path, paths::surface(ctx), ctx)) else {
            return Vec::new();
        };
        let shown = trace.parts.iter().take(ctx.cursor.sub).filter(|part| !arrows::is_slope(part));
        shown
            .filter_map(|part| {
                let (from, to) = part.arrow?;
                Some(surface3d::Arrow { from, to, color: arrows::color(part, self.selected, ctx.style) })
            })
            .collect()
    }

    /// The selection is always one of the optimizers that take part.
    fn follow_the_run(&mut self, ctx: &ViewCtx<'_>) {
        let present = Path::all(ctx.run);
        if let (false, Some(last)) = (present.iter().any(|path| path.rule == self.selected), present.last()) {
            self.selected = last.rule;
        }
    }
}
