//! The tile of a loss landscape: one slice through the loss of a network, every path on it, and beside it what the slice
//! cannot show: how far each path is from it, and how curved the loss is along the way. The same in every lab.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use eframe::egui::accesskit::Role;
use eframe::egui::{Color32, Context, Painter, Pos2, Rect, Response, Sense, Stroke, Ui, WidgetInfo, pos2};

use super::empty;
use super::fields::Fields;
use super::lab::LabSpec;
use super::landscape::{self, Landscape, PathOn, PlaneKind, Wanted, Way};
use super::tiles::{Tile, TileCommand, TileSpec};
use super::view::{Cursor, ViewAction, ViewCtx};
use crate::engine::checkpoint_file;
use crate::engine::state::MarkKind;
use crate::plot::axes::{Axes, Bounds, Titles, is_panning, navigate};
use crate::plot::background::Long;
use crate::plot::colormap::ColorMap;
use crate::plot::curve::{Curve, CurveState, Mark, Plot, label};
use crate::plot::field::{FieldState, Request, ScaleChoice};
use crate::plot::legend::{self, Entry};
use crate::plot::scale::Scale;
use crate::plot::stroke::{LineMesh, Pen, Stop};
use crate::plot::style::{Category, Style};
use crate::plot::tile::{self, panel_heading};
use crate::plot::{color_bar, number};
use crate::watch::Watch;

/// View state of the tile.
#[derive(Debug, Default)]
pub struct LandscapeTile {
    /// What was asked for; `None`: nothing yet.
    asked: Option<Wanted>,
    found: Long<Wanted, Landscape>,
    plane: PlaneKind,
    directions: u64,
    /// Logarithmic colours, where somebody chose; else where losses span decades.
    log: Option<bool>,
    /// The training is gone through again where checkpoints would do.
    again: bool,
    listed: Option<Listed>,
    field: FieldState,
    zoomed: Option<Bounds>,
    /// Counts what was computed: tells fields and curves apart.
    version: u64,
    lines: Option<Lines>,
    residuals: CurveState,
    curvatures: CurveState,
}

/// The checkpoints of a folder.
#[derive(Debug)]
struct Listed {
    folder: String,
    /// How many the run had told of when the folder was looked at.
    told: usize,
    found: Vec<(u64, PathBuf)>,
}

/// Paths as triangles (until the cursor, and after it), and what they depend on.
#[derive(Debug)]
struct Lines {
    axes: Axes,
    categories: Vec<Category>,
    version: u64,
    meshes: Vec<[LineMesh; 2]>,
}

/// A lab's views with this tile among them.
pub trait WithLandscape: Sized + 'static {
    /// The lab's facts.
    const LAB: &'static LabSpec;
    /// The tile's own state.
    fn landscape(&mut self) -> &mut LandscapeTile;
    /// The network that is selected, by its id; empty for none.
    fn selected(&self) -> &'static str {
        ""
    }
    /// Colour and dash of a network, by its id.
    fn network(_id: &str, style: &Style) -> Category {
        style.category(0)
    }
}

/// The tile, in this area of the lab's layout.
pub const fn landscape_tile<V: WithLandscape>(area: &'static str) -> Tile<V> {
    let spec = TileSpec {
        id: "landscape",
        title: "Loss landscape",
        help: "The training loss on a plane through the space of weights, and the path of the weights (of every optimizer, where \
               several are trained) projected on that same plane. No plane holds the paths: beside it stands how far each one is \
               from it, and how curved the loss is along the way, against 2/η. Press compute.",
        area,
        follows_cursor: true,
    };
    let commands = const {
        &[
            command(
                "landscape-compute",
                "Loss landscape: compute up to the timeline's step",
                |view: &mut V, ctx, _| {
                    let shown = Shown::of(view);
                    view.landscape().compute(&shown, ctx);
                },
            ),
            command("landscape-cancel", "Loss landscape: cancel the computation", |view: &mut V, _, _| {
                view.landscape().cancel()
            }),
            command("landscape-plane", "Loss landscape: another kind of plane", |view: &mut V, _, _| {
                view.landscape().next_plane()
            }),
            command("landscape-directions", "Loss landscape: other random directions", |view: &mut V, _, _| {
                view.landscape().other_directions();
            }),
            command("landscape-log", "Loss landscape: logarithmic colours on or off", |view: &mut V, _, _| {
                view.landscape().toggle_log();
            }),
            command("landscape-fit", "Loss landscape: show all of it", |view: &mut V, _, _| view.landscape().fit()),
        ]
    };
    Tile { spec, show, commands }
}

const fn command<V>(
    id: &'static str,
    title: &'static str,
    run: fn(&mut V, &mut ViewCtx<'_>, &Context),
) -> TileCommand<V> {
    TileCommand { id, title, run }
}

fn show<V: WithLandscape>(view: &mut V, ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
    let shown = Shown::of(view);
    view.landscape().show(&shown, ui, ctx);
}

/// How many times the lowest loss the highest is where colours are logarithmic unasked.
const DECADES: f64 = 5.0;

/// How a lab shows it.
pub struct Shown {
    pub lab: &'static LabSpec,
    pub network: fn(&str, &Style) -> Category,
    /// By its id; empty for none.
    pub selected: &'static str,
}

impl Shown {
    fn of<V: WithLandscape>(view: &V) -> Self {
        Self { lab: V::LAB, network: V::network, selected: view.selected() }
    }
}

impl LandscapeTile {
    /// Shows what was computed elsewhere.
    pub fn of(wanted: Wanted, found: Landscape) -> Self {
        Self { plane: wanted.plane, found: Long::of(wanted, found), version: 1, ..Self::default() }
    }

    /// What of it belongs to a scene.
    pub fn fields(&mut self, fields: &mut Fields) {
        let planes = PlaneKind::ALL.map(|kind| (kind.id(), kind));
        fields.choice("plane", &mut self.plane, &planes);
        fields.value("directions", &mut self.directions, 0);
        fields.optional("log", &mut self.log);
        fields.value("again", &mut self.again, false);
        fields.zoom("zoom", &mut self.zoomed);
    }

    /// Another plane; what was computed is computed for it.
    pub fn next_plane(&mut self) {
        let at = PlaneKind::ALL.iter().position(|kind| *kind == self.plane).unwrap_or(0);
        self.set_plane(PlaneKind::ALL[(at + 1) % PlaneKind::ALL.len()]);
    }

    fn set_plane(&mut self, plane: PlaneKind) {
        self.plane = plane;
        if let Some(asked) = &mut self.asked {
            asked.plane = plane;
        }
        self.zoomed = None;
    }

    /// Two other random directions.
    pub fn other_directions(&mut self) {
        self.directions += 1;
        if let Some(asked) = &mut self.asked {
            asked.directions = self.directions;
        }
    }

    fn is_log(&self) -> bool {
        let spans = |found: &Landscape| found.slice.range().is_none_or(|[low, high]| low > 0.0 && high > DECADES * low);
        self.log.unwrap_or_else(|| self.found.newest().is_none_or(|(_, found)| spans(found)))
    }

    /// Logarithmic colours on or off.
    pub fn toggle_log(&mut self) {
        self.log = Some(!self.is_log());
    }

    /// Shows all of it again.
    pub fn fit(&mut self) {
        self.zoomed = None;
        self.residuals.fit();
        self.curvatures.fit();
    }

    /// Stops the computation.
    pub fn cancel(&mut self) {
        self.found.cancel();
    }

    /// Asks for the landscape of the run as it is at the cursor's step.
    pub fn compute(&mut self, shown: &Shown, ctx: &ViewCtx<'_>) {
        self.asked = self.wanted(shown, ctx);
        self.found.again();
    }

    /// What the tile would compute now.
    fn wanted(&mut self, shown: &Shown, ctx: &ViewCtx<'_>) -> Option<Wanted> {
        let checkpoints = match landscape::is_short(ctx.run) || self.again {
            true => Vec::new(),
            false => self.checkpoints(ctx),
        };
        let header = ctx.run.header.as_ref()?;
        Some(Wanted {
            plane: self.plane,
            about: shown.selected.to_owned(),
            directions: self.directions,
            way: if checkpoints.is_empty() { Way::Again } else { Way::Checkpoints(checkpoints) },
            ..Wanted::of(header, &ctx.run.changes, ctx.run.step.min(ctx.cursor.step))
        })
    }

    /// The run's checkpoints up to the cursor; the folder is looked at when the run has told of another one.
    fn checkpoints(&mut self, ctx: &ViewCtx<'_>) -> Vec<PathBuf> {
        let folder = ctx.run.header.as_ref().map_or("", |header| header.folder.as_str());
        let told = ctx.run.marks.iter().filter(|mark| mark.kind == MarkKind::Checkpoint).count();
        if !self.listed.as_ref().is_some_and(|listed| listed.folder == folder && listed.told == told) {
            let found = if folder.is_empty() { Vec::new() } else { checkpoint_file::list(Path::new(folder)) };
            self.listed = Some(Listed { folder: folder.to_owned(), told, found });
        }
        let all = self.listed.iter().flat_map(|listed| &listed.found);
        all.filter(|(step, _)| *step <= ctx.cursor.step).map(|(_, path)| path.clone()).collect()
    }

    /// Draws the tile.
    pub fn show(&mut self, shown: &Shown, ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
        if ctx.run.header.is_none() {
            return empty::measured(ui, ctx, "on request, once a run has begun");
        }
        if let Some(asked) = self.asked.clone() {
            let lab = shown.lab;
            let compute = move |wanted: &Wanted, watch: Watch<'_>| landscape::compute(lab, wanted, watch);
            if self.found.follow("landscape", ui.ctx(), &asked, compute) {
                self.version += 1;
                self.zoomed = None;
                self.lines = None;
            }
        }
        let size = tile::font_size(ctx.presenting);
        let (bar, rest) = tile::split(ui, size);
        self.bar(shown, bar, ui, ctx, size);
        if self.found.newest().is_none() {
            let is_short = landscape::is_short(ctx.run);
            let way = if is_short {
                "the training is gone through again on the CPU up to the timeline’s step, with every optimizer’s weights."
            } else {
                "the run’s checkpoints are read, or its training is gone through again, on the CPU."
            };
            let hint = format!("Press compute: {way} The training itself goes on meanwhile.");
            ui.scope_builder(eframe::egui::UiBuilder::new().max_rect(rest), |ui| {
                empty::message(ui, ctx, "The loss around the weights", &hint);
            });
            return;
        }
        self.draw(shown, rest, ui, ctx, size);
    }

    fn draw(&mut self, shown: &Shown, mut rest: Rect, ui: &mut Ui, ctx: &mut ViewCtx<'_>, size: f32) {
        if let Some((_, found)) = self.found.newest().filter(|(_, found)| found.paths.len() > 1) {
            let entries: Vec<Entry<'_>> = found
                .paths
                .iter()
                .map(|path| Entry {
                    name: path.title.as_str(),
                    category: (shown.network)(&path.id, ctx.style),
                    selected: path.id == shown.selected,
                    help: path.title.clone(),
                })
                .collect();
            let height = legend::height(ui, &entries, rest.width(), size);
            if height < 0.2 * rest.height() {
                let (above, below) = rest.split_top_bottom_at_y(rest.bottom() - height);
                legend::show(ui, below, &entries, ctx.style, size);
                rest = above;
            }
        }
        let (main, side) = divided(rest, size);
        self.slice(shown, main, ui, ctx, size);
        if let Some(places) = side {
            self.curves(shown, places, ui, ctx, size);
        }
    }

    fn bar(&mut self, shown: &Shown, bar: Rect, ui: &mut Ui, ctx: &mut ViewCtx<'_>, size: f32) {
        let progress = self.found.progress();
        let stopped = self.asked.as_ref().and_then(|asked| self.found.stopped(asked)).map(str::to_owned);
        let text = match (progress, &stopped, self.found.newest()) {
            (Some((done, all)), ..) if all > 0 => format!("computing: {} %", 100 * done.min(all) / all),
            (Some(_), ..) => "computing …".to_owned(),
            (None, Some(why), _) => why.clone(),
            (None, None, Some((wanted, found))) => summary(wanted, found),
            (None, None, None) => String::new(),
        };
        tile::bar(ui, bar, tile::weak(text, size, ctx.style), |ui| {
            if progress.is_some() {
                if tile::button(ui, true, "cancel", "Stop the computation", size) {
                    self.cancel();
                }
            } else {
                let now = self.wanted(shown, ctx);
                let newest = self.found.newest().map(|(wanted, _)| wanted);
                let is_new = newest.is_none() || stopped.is_some() || now.as_ref() != newest;
                let help = "Compute the landscape of the run up to the timeline’s step, on the CPU";
                if tile::button(ui, is_new, "compute", help, size) {
                    self.compute(shown, ctx);
                }
            }
            if tile::toggle(ui, self.is_log(), "log", "Logarithmic colours", size) {
                self.toggle_log();
            }
            if !landscape::is_short(ctx.run) {
                let help = "Go through the whole training again, for the path between the checkpoints; takes as long as it took";
                if tile::toggle(ui, self.again, "again", help, size) {
                    self.again = !self.again;
                }
            }
            if self.plane != PlaneKind::Paths && tile::button(ui, true, "others", "Two other random directions", size) {
                self.other_directions();
            }
            for kind in PlaneKind::ALL.into_iter().rev() {
                let help = format!("The slice: {}", kind.about());
                if tile::toggle(ui, self.plane == kind, kind.id(), &help, size) {
                    self.set_plane(kind);
                }
            }
        });
    }

    /// The slice and the paths on it.
    fn slice(&mut self, shown: &Shown, outer: Rect, ui: &mut Ui, ctx: &mut ViewCtx<'_>, size: f32) {
        let Some((wanted, found)) = self.found.newest() else { return };
        if outer.width() < 6.0 * size || outer.height() < 6.0 * size {
            return;
        }
        let style = ctx.style;
        let [x, y] = found.slice.window;
        let bounds = self.zoomed.unwrap_or(Bounds::new(x, y));
        let bar_width = if outer.width() > 26.0 * size { color_bar::width(size) } else { 0.0 };
        let axes = Axes::new(outer, bounds, [Scale::Linear; 2], size, bar_width);
        let response = ui.interact(axes.rect, ui.scope_id().with("landscape"), Sense::click_and_drag());
        let spoken = format!("loss landscape: {}", summary(wanted, found));
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &spoken));
        if let Some(bounds) = navigate(ui, &response, &axes, [true, true]) {
            self.zoomed = Some(bounds);
        }
        if response.double_clicked() {
            self.zoomed = None;
        }
        let pixels = axes.rect.size() * ui.pixels_per_point();
        let slice = found.slice.clone();
        let lowest = slice.range().map(|[low, _]| low);
        let request = Request {
            id: self.version,
            f: Arc::new(move |x, y| slice.value([x, y])),
            // Losses of classification and regression end at 0.
            lowest: lowest.map(|lowest| if lowest > 0.0 { 0.0 } else { lowest }),
            bounds: axes.bounds,
            size: [pixels.x.round().max(1.0) as usize, pixels.y.round().max(1.0) as usize],
            scale: if self.is_log() { ScaleChoice::Log } else { ScaleChoice::Linear },
            map: ColorMap::field(style),
        };
        self.field.update(ui, request);
        let painter = ui.painter_at(outer.expand(2.0));
        let inside = ui.painter_at(axes.rect);
        inside.rect_filled(axes.rect, 0.0, style.plot_background);
        self.field.draw(&inside, &axes, style, true);
        let categories: Vec<Category> = found.paths.iter().map(|path| (shown.network)(&path.id, style)).collect();
        let is_drawn =
            |lines: &Lines| lines.axes == axes && lines.categories == categories && lines.version == self.version;
        if !self.lines.as_ref().is_some_and(is_drawn) {
            let meshes = found.paths.iter().zip(&categories);
            let meshes =
                meshes.map(|(path, category)| meshes_of(path, *category, &axes, &inside, size, style)).collect();
            let (axes, categories) = (axes.clone(), categories.clone());
            self.lines = Some(Lines { axes, categories, version: self.version, meshes });
        }
        let order = |on_top: &str| {
            let top = found.paths.iter().position(|path| path.id == on_top);
            (0..found.paths.len()).filter(move |i| Some(*i) != top).chain(top)
        };
        if let Some(Lines { meshes, .. }) = &mut self.lines {
            for index in order(shown.selected) {
                let [past, future] = &mut meshes[index];
                future.draw_after(&inside, ctx.cursor.step);
                past.draw_until(&inside, ctx.cursor.step);
            }
        }
        for index in order(shown.selected) {
            let (path, category) = (&found.paths[index], categories[index]);
            if let Some((_, at)) = place(path, ctx.cursor.step, &axes) {
                let radius = if path.id == shown.selected { 0.5 } else { 0.4 } * size;
                inside.circle(at, radius, category.color, Stroke::new(1.2, Color32::WHITE));
            }
        }
        if let Some(start) = found.paths.first().and_then(|path| path.places.first()) {
            inside.circle_stroke(axes.at(start.at[0], start.at[1]), 0.6 * size, Stroke::new(1.6, style.text));
        }
        inside.rect_stroke(axes.rect, 0.0, (1.0, style.rule), eframe::egui::StrokeKind::Inside);
        let [x, y] = axis_titles(wanted.plane);
        axes.draw_labels(&painter, style, &Titles { x, y });
        if let (true, Some(picture)) = (bar_width > 0.0, self.field.picture()) {
            color_bar::draw(&painter, &axes, picture, style, size, "loss");
        }
        hover(found, &axes, &response, &inside, ui, ctx, size);
    }

    /// What the slice leaves out, against the step.
    fn curves(&mut self, shown: &Shown, places: [Rect; 2], ui: &mut Ui, ctx: &mut ViewCtx<'_>, size: f32) {
        let Some((wanted, found)) = self.found.newest() else { return };
        let limit = found.paths[found.about].rate.filter(|rate| *rate > 0.0).map(|rate| 2.0 / rate);
        let include: Vec<f64> = limit.into_iter().collect();
        let mark = |limit: &f64| Mark::level(*limit, ctx.style.warning, format!("2/η = {}", number::short(*limit)));
        let marks: Vec<Mark> = include.iter().map(mark).collect();
        let residuals = |path: &PathOn| {
            path.steps.iter().zip(&path.places).map(|(step, at)| [*step as f64, at.residual]).collect::<Vec<_>>()
        };
        let curvatures = |path: &PathOn| {
            path.curvature.iter().map(|(step, found)| [*step as f64, found.largest[0]]).collect::<Vec<_>>()
        };
        type Points<'a> = &'a dyn Fn(&PathOn) -> Vec<[f64; 2]>;
        type Beside<'a> = (&'a Words, &'a mut CurveState, Scale, Points<'a>, &'a [f64], &'a [Mark]);
        let beside: [Beside<'_>; 2] = [
            (&DISTANCE, &mut self.residuals, Scale::Linear, &residuals, &[], &[]),
            (&CURVATURE, &mut self.curvatures, Scale::Log { base: 0.0 }, &curvatures, &include, &marks),
        ];
        let mut asked = None;
        for (place, (words, state, scale, points, include, marks)) in places.into_iter().zip(beside) {
            let curves: Vec<Curve<'_>> = found
                .paths
                .iter()
                .enumerate()
                .map(|(index, path)| {
                    let points = points(path);
                    Curve {
                        name: path.title.as_str().into(),
                        category: (shown.network)(&path.id, ctx.style),
                        width: if path.id == shown.selected { 1.3 } else { 1.0 },
                        identity: self.version * 1000 + index as u64,
                        len: points.len(),
                        point: Box::new(move |i| points[i]),
                        held: None,
                    }
                })
                .collect();
            let plot = Plot {
                name: words.name,
                titles: Titles { x: "step", y: words.unit },
                scale,
                window: [Some([0.0, wanted.until.max(1) as f64]), None],
                cursor: Some(ctx.cursor.step),
                include,
                limits: None,
                marks,
                fills: &[],
                font_size: size,
            };
            let rest = panel_heading(ui.painter(), place, words.title, size, ctx.style);
            let heading = place.with_max_y(rest.top());
            ui.interact(heading, ui.scope_id().with(words.title), Sense::hover()).on_hover_text(words.help);
            asked = state.show(ui, rest, &plot, &curves, ctx.style).or(asked);
        }
        if let Some(step) = asked {
            ctx.actions.push(ViewAction::Seek(Cursor { step: step.min(ctx.run.step), sub: 0 }));
        }
    }
}

/// What is said of a plot beside the slice.
struct Words {
    name: &'static str,
    title: &'static str,
    unit: &'static str,
    help: &'static str,
}

const DISTANCE: Words = Words {
    name: "distance from the slice",
    title: "Distance from the slice",
    unit: "‖θ − slice‖",
    help: "How far each path’s weights are from the slice (Euclidean distance of all weights): where it is large beside the \
           slice’s own width, the contours beneath the path are not those that the optimizer met.",
};
const CURVATURE: Words = Words {
    name: "largest curvature",
    title: "Largest curvature",
    unit: "λ₁ of the Hessian",
    help: "The largest eigenvalue of the Hessian of the loss at the path’s own weights (Lanczos’ method, products with the \
           Hessian from differences of gradients), and where plain gradient descent stops being stable: 2/η. With momentum the \
           limit is 2(1 + μ)/η; of Adam and its kin that of the rescaled Hessian.",
};

/// The picture, and the two plots beside it or below it where there is room.
fn divided(rest: Rect, size: f32) -> (Rect, Option<[Rect; 2]>) {
    let gap = size;
    if rest.width() > 1.45 * rest.height() && rest.width() > 44.0 * size && rest.height() > 16.0 * size {
        let at = rest.left() + 0.62 * rest.width();
        let right = Rect::from_min_max(pos2(at + gap, rest.top()), rest.max);
        let middle = right.center().y;
        let halves = [right.with_max_y(middle - 0.3 * size), right.with_min_y(middle + 0.3 * size)];
        (rest.with_max_x(at), Some(halves))
    } else if rest.height() > 30.0 * size && rest.width() > 30.0 * size {
        let at = rest.bottom() - 0.34 * rest.height();
        let low = Rect::from_min_max(pos2(rest.left(), at + 0.5 * gap), rest.max);
        let middle = low.center().x;
        (rest.with_max_y(at), Some([low.with_max_x(middle - 0.5 * gap), low.with_min_x(middle + 0.5 * gap)]))
    } else {
        (rest, None)
    }
}

/// What one sees, in a line.
fn summary(wanted: &Wanted, found: &Landscape) -> String {
    let about = &found.paths[found.about];
    let of = if found.paths.len() > 1 && wanted.plane != PlaneKind::Paths {
        format!(" around {}", about.title)
    } else {
        String::new()
    };
    let what = match wanted.plane {
        PlaneKind::Paths => {
            format!("{:.0} % of the paths’ variance lies in this plane", 100.0 * found.held.unwrap_or(0.0))
        }
        PlaneKind::Filters => format!("filter-normalised directions{of}"),
        PlaneKind::Random => format!("random directions{of}"),
    };
    let way = match &wanted.way {
        Way::Again => String::new(),
        Way::Checkpoints(files) => format!(", {}", number::counted(files.len() as u64, "checkpoint", "checkpoints")),
    };
    format!(
        "up to step {}{way}: {what}; {}, {} weights",
        number::grouped(wanted.until),
        found.of,
        number::grouped(found.parameters as u64)
    )
}

fn axis_titles(plane: PlaneKind) -> [&'static str; 2] {
    match plane {
        PlaneKind::Paths => ["first principal direction, units of weight", "second direction"],
        PlaneKind::Filters => ["first direction, lengths of each filter", "second direction"],
        PlaneKind::Random => ["first direction, lengths of all weights", "second direction"],
    }
}

/// A path as triangles: until the cursor, and after it.
fn meshes_of(
    path: &PathOn,
    category: Category,
    axes: &Axes,
    painter: &Painter,
    size: f32,
    style: &Style,
) -> [LineMesh; 2] {
    let stops: Vec<Stop> =
        path.places.iter().zip(&path.steps).map(|(place, step)| (axes.at(place.at[0], place.at[1]), *step)).collect();
    let pen = |width: f32, strength: f32| Pen {
        width: width * size / 11.0,
        color: category.color.gamma_multiply(strength),
        dash: category.dash,
        feather: 1.0 / painter.pixels_per_point(),
    };
    let strength = if style.high_contrast { 0.7 } else { 0.4 };
    [LineMesh::new([stops.as_slice()], pen(2.2, 1.0)), LineMesh::new([stops.as_slice()], pen(1.2, strength))]
}

/// The newest point of a path that is not after a step: its index, and where it is.
fn place(path: &PathOn, step: u64, axes: &Axes) -> Option<(usize, Pos2)> {
    let index = path.steps.partition_point(|at| *at <= step).checked_sub(1)?;
    let [x, y] = path.places.get(index)?.at;
    Some((index, axes.at(x, y)))
}

/// Names the point of a path under the mouse, or the loss of the slice there.
fn hover(found: &Landscape, axes: &Axes, response: &Response, inside: &Painter, ui: &Ui, ctx: &ViewCtx<'_>, size: f32) {
    let pointer = response.hover_pos().filter(|pos| axes.rect.contains(*pos) && !is_panning(ui, response));
    let Some(pointer) = pointer else { return };
    let near = found
        .paths
        .iter()
        .flat_map(|path| path.places.iter().enumerate().map(move |(index, place)| (path, index, place)))
        .map(|(path, index, place)| (axes.at(place.at[0], place.at[1]), path, index, place))
        .min_by(|a, b| a.0.distance_sq(pointer).total_cmp(&b.0.distance_sq(pointer)))
        .filter(|(at, ..)| at.distance(pointer) < size);
    let Some((at, path, index, place)) = near else {
        let [x, y] = axes.from_screen(pointer);
        let loss = found.slice.value([x, y]);
        label(inside, axes.rect, pointer, &format!("loss {} on the slice", number::short(loss)), size, ctx.style);
        return;
    };
    inside.circle_stroke(at, 0.5 * size, Stroke::new(1.5, ctx.style.text));
    let number = |value: f64| number::short(value);
    let text = format!(
        "{}  step {}  loss {}, on the slice {}; {} beside it",
        path.title,
        number::grouped(path.steps[index]),
        number(path.losses[index]),
        number(path.beneath[index]),
        number(place.residual)
    );
    label(inside, axes.rect, at, &text, size, ctx.style);
}
