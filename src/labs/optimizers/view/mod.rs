//! Draws the optimizers lab.

pub mod arrows;
pub mod controls;
pub mod curves;
pub mod export;
pub mod field;
pub mod guide;
pub mod maps;
pub mod marks;
pub mod microscope;
pub mod network;
pub mod paths;
pub mod race;
pub mod schedule;
pub mod surface3d;
pub mod table;
pub mod theory;
pub mod trails;

use eframe::egui;

use crate::engine::params::Params;
use crate::engine::twin::TWIN;
use crate::kit::curves::CurvesTile;
use crate::kit::fields::Fields;
use crate::kit::landscape::{Landscape, Wanted};
use crate::kit::landscape_tile::LandscapeTile;
use crate::kit::tiles::{self, Arrangement, Node, TileSpec, Tiles};
use crate::kit::view::{LabView, ViewCtx};
use crate::plot::style::{Category, Dash, Style};

use super::on_network;
use super::rules::Rule;
use curves::Quantity;
use paths::Path;

/// View state of the lab: what is selected, zoomed and switched on. All that is trained is in the run's state.
#[derive(Debug)]
pub struct OptimizersView {
    /// The optimizer that the microscope and the guide follow.
    pub selected: Rule,
    verdicts: paths::Verdicts,
    field: field::FieldTile,
    maps: maps::MapsTile,
    race: race::RaceTile,
    curves: [CurvesTile; Quantity::ALL.len()],
    microscope: microscope::MicroscopeTile,
    guide: guide::GuideState,
    surface3d: surface3d::State,
    theory: theory::TheoryState,
    schedule: schedule::ScheduleTile,
    network: network::NetworkState,
}

impl Default for OptimizersView {
    fn default() -> Self {
        Self {
            selected: Rule::Adam,
            verdicts: Default::default(),
            field: Default::default(),
            maps: Default::default(),
            race: Default::default(),
            curves: Default::default(),
            microscope: Default::default(),
            guide: Default::default(),
            surface3d: Default::default(),
            theory: Default::default(),
            schedule: Default::default(),
            network: Default::default(),
        }
    }
}

static TILES: Tiles<OptimizersView> = &[
    &field::TILE,
    &surface3d::TILE,
    &theory::curvature::TILE,
    &theory::phase::TILE,
    &maps::TILE,
    &table::TILE,
    &theory::modes::TILE,
    &curves::Y,
    &microscope::TILE,
    &curves::F,
    &curves::GRADIENT,
    &curves::STEP,
    &curves::X,
    &theory::fan::TILE,
    &race::TILE,
    &schedule::TILE,
    &network::boundary::TILE,
    &network::landscape::TILE,
    &network::inside::TILE,
    &network::curves::LOSS,
    &network::curves::ACCURACY,
    &network::results::TILE,
];

const SURFACE: Arrangement = Arrangement {
    id: "surface",
    root: Node::Column(&[
        (
            0.59,
            Node::Row(&[
                (0.62, Node::Area("plane")),
                (0.38, Node::Column(&[(0.5, Node::Area("space")), (0.5, Node::Area("update"))])),
            ]),
        ),
        (0.41, Node::Row(&[(0.58, Node::Area("state")), (0.42, Node::Area("against the step"))])),
    ]),
};

const NETWORK: Arrangement = Arrangement {
    id: "network",
    root: Node::Column(&[
        (0.6, Node::Area("boundary")),
        (0.4, Node::Row(&[(0.34, Node::Area("loss")), (0.33, Node::Area("accuracy")), (0.33, Node::Area("results"))])),
    ]),
};

/// Fresh view state of the lab.
pub fn new() -> Box<dyn LabView> {
    Box::<OptimizersView>::default()
}

impl LabView for OptimizersView {
    fn tiles(&self) -> Vec<&'static TileSpec> {
        tiles::specs(TILES)
    }

    fn arrangement(&self, params: &Params) -> Arrangement {
        if on_network(params) { NETWORK } else { SURFACE }
    }

    fn tile(&mut self, tile: &str, ui: &mut egui::Ui, ctx: &mut ViewCtx<'_>) {
        self.follow_the_run(ctx);
        tiles::show(TILES, self, tile, ui, ctx);
    }

    fn guide(&mut self, ui: &mut egui::Ui, ctx: &mut ViewCtx<'_>) {
        if on_network(ctx.params) {
            return network::guide(&mut self.network, ui, ctx);
        }
        self.follow_the_run(ctx);
        guide::ui(&mut self.guide, &mut self.verdicts, self.selected, ui, ctx);
    }

    fn fields(&mut self, fields: &mut Fields) {
        let rule = |id: &str| Rule::ALL.into_iter().find(|rule| rule.id() == id);
        fields.text("selected", &mut self.selected, Rule::Adam, |rule| rule.id().to_owned(), rule);
        self.surface3d.fields(fields);
        fields.of("field", |fields| self.field.fields(fields));
        fields.of("maps", |fields| self.maps.fields(fields));
        for (quantity, tile) in Quantity::ALL.iter().zip(&mut self.curves) {
            fields.of(quantity.word(), |fields| tile.fields(fields));
        }
        self.theory.fields(fields);
        fields.of("race", |fields| self.race.fields(fields));
        self.network.fields(fields);
    }

    fn swatch(&self, key: &str, style: &Style) -> Option<Category> {
        let rule = Rule::ALL.into_iter().find(|rule| rule.switch().key() == key).map(Rule::index);
        let owner = |rule: &Rule| rule.own_rate().is_some_and(|rate| rate.key() == key);
        let rule = rule.or_else(|| Rule::ALL.into_iter().find(owner).map(Rule::index));
        let key = key.strip_prefix("rate_").unwrap_or(key);
        let burn = || super::network::roster::ROSTER.iter().position(|entry| entry.switch == key);
        rule.or_else(burn).map(|index| style.category(index))
    }

    fn category(&self, key: &str, style: &Style) -> Option<Category> {
        let id = key.rsplit('/').next()?;
        let rule = Rule::ALL.into_iter().find(|rule| rule.id() == id).map(Rule::index);
        let burn = || super::network::roster::ROSTER.iter().position(|entry| entry.id == id);
        let own = style.category(rule.or_else(burn)?);
        // As in the lab's tiles, a twin's curve has the colour in another dash.
        Some(if key.starts_with(TWIN) { Category { dash: Dash::Dashed, ..own } } else { own })
    }

    fn sub_steps(&self, ctx: &ViewCtx<'_>) -> usize {
        if on_network(ctx.params) { 0 } else { microscope::parts(self.selected, ctx) }
    }

    fn show_landscape(&mut self, wanted: Wanted, found: Landscape) -> bool {
        self.network.landscape = LandscapeTile::of(wanted, found);
        true
    }

    fn commands(&self) -> Vec<(&'static str, &'static str)> {
        let select = table::SELECT.iter().map(|(id, title)| (id.as_str(), title.as_str()));
        tiles::commands(TILES).into_iter().chain(select).collect()
    }

    fn command(&mut self, id: &str, ctx: &mut ViewCtx<'_>, egui: &egui::Context) {
        match table::SELECT.iter().position(|(command, _)| command == id) {
            Some(index) => self.selected = Rule::ALL[index],
            None => tiles::run(TILES, self, id, ctx, egui),
        }
    }
}

impl OptimizersView {
    /// The shown parts of the selected optimizer's update that are moves in the plane (a slope has another unit).
    fn moves(&self, ctx: &ViewCtx<'_>) -> Vec<surface3d::Arrow> {
        let all = Path::all(ctx.run);
        let path = all.iter().find(|path| path.rule == self.selected).filter(|_| ctx.cursor.sub > 0);
        let Some(trace) = path.and_then(|path| arrows::trace(path, &paths::surface(ctx), ctx)) else {
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
