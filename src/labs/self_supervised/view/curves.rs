//! The tiles that draw measurements against the step: eigenspaces and spread, loss, kNN and probe.

use eframe::egui::{Rect, RichText, Ui, UiBuilder, pos2, vec2};

use crate::kit::empty;
use crate::kit::view::ViewCtx;
use crate::labs::self_supervised::network::EncoderKind;
use crate::metrics::collapse::{LOW_STD, low_rank};
use crate::plot::axes::Titles;
use crate::plot::scale::Scale;
use crate::plot::trace::{Level, Spec, TraceState, panel_heading};
use crate::plot::{legend, number, tile};

use super::SelfSupervisedView;
use super::eigenspaces::paper_trace;
use super::series::{
    self, ALIGNMENT, ALIGNMENT_TOP8, COMMUTATOR, COSINE_LOSS, KNN, L2, MEAN_ENERGY, PROBE, Quantity, RANK,
    RANK_CENTRED, SPREAD,
};
use super::{paper, params_of};
use crate::kit::tiles::{Tile, TileCommand, TileSpec};

/// The tile.
pub static MEASURES_TILE: Tile<SelfSupervisedView> = Tile {
    spec: TileSpec {
        id: "measures",
        title: "Alignment, spread, rank",
        help: "Weighted alignment, commutator, normalised std, share of the mean, and effective rank against the \
               step. Click or drag to move the timeline, scroll to zoom.",
        area: "against the step",
        follows_cursor: true,
    },
    show: |view, ui, ctx| measures(&mut view.measures, ui, ctx),
    commands: &[TileCommand {
        id: "measures-paper",
        title: "Alignment, spread, rank: the paper's behind, on or off",
        run: |view, _, _| view.measures.with_paper = !view.measures.with_paper,
    }],
};

/// The tile.
pub static PROBE_TILE: Tile<SelfSupervisedView> = Tile {
    spec: TileSpec {
        id: "probe",
        title: "kNN and probe",
        help: "How well frozen features of test pictures tell the classes, beside the untrained network's. How they \
               are judged is printed below.",
        area: "scores",
        follows_cursor: true,
    },
    show: |view, ui, ctx| probe(&mut view.probe, ui, ctx),
    commands: &[],
};

/// The tile.
pub static LOSS_TILE: Tile<SelfSupervisedView> = Tile {
    spec: TileSpec {
        id: "loss",
        title: "Loss",
        help: "The cosine loss without L2, and the L2 part. A loss near −2 is no proof of learning: a collapsed \
               network reaches it too.",
        area: "scores",
        follows_cursor: true,
    },
    show: |view, ui, ctx| loss(&mut view.loss, ui, ctx),
    commands: &[],
};

/// View state of one tile: two panels at most.
#[derive(Debug, Default)]
pub struct Curves {
    panels: [TraceState; 2],
    /// Index in the legend.
    highlighted: Option<usize>,
    with_paper: bool,
}

impl Curves {
    /// Shows the whole run again.
    pub fn fit(&mut self) {
        self.panels.iter_mut().for_each(TraceState::fit);
    }

    fn is_zoomed(&self) -> bool {
        self.panels.iter().any(TraceState::is_zoomed)
    }

    fn fit_button(&mut self, ui: &mut Ui, size: f32) {
        if tile::button(ui, self.is_zoomed(), "fit", "Show the whole run (double-click does the same)", size) {
            self.fit();
        }
    }
}

/// What differs between panels.
struct Panel<'a> {
    name: &'a str,
    title: &'a str,
    scale: Scale,
    include: &'a [f64],
    levels: &'a [Level],
}

fn draw(
    state: &mut TraceState,
    panel: &Panel<'_>,
    quantities: &[Quantity],
    highlighted: Option<usize>,
    place: Rect,
    ui: &Ui,
    ctx: &mut ViewCtx<'_>,
) {
    let traces = series::traces(ctx, quantities, highlighted);
    draw_traces(state, panel, traces, place, ui, ctx);
}

fn draw_traces<'a>(
    state: &mut TraceState,
    panel: &Panel<'_>,
    traces: Vec<crate::plot::trace::Trace<'a>>,
    place: Rect,
    ui: &Ui,
    ctx: &mut ViewCtx<'a>,
) {
    let spec = Spec {
        name: panel.name,
        titles: Titles { x: "step", y: panel.title },
        scale: panel.scale,
        steps: series::steps(ctx),
        cursor: ctx.cursor.step,
        include: panel.include,
        levels: panel.levels,
        marks: &series::marks(ctx),
        font_size: tile::font_size(ctx.presenting),
    };
    let asked = state.show(ui, place, &spec, &traces, ctx.style);
    series::seek(ctx, asked);
}

/// Draws the legend at the foot of `rest` and returns the room above it.
fn with_legend(
    highlighted: &mut Option<usize>,
    quantities: &[Quantity],
    rest: Rect,
    ui: &Ui,
    ctx: &ViewCtx<'_>,
) -> Rect {
    let size = tile::font_size(ctx.presenting);
    let twin = series::twin_name(ctx.run);
    let entries = series::legend(ctx, quantities, *highlighted, &twin);
    let mut height = legend::height(ui, &entries, rest.width(), size);
    if height > 0.34 * rest.height() {
        height = 0.0;
    }
    let outer = Rect::from_min_max(rest.min, rest.max - vec2(0.0, height));
    if height > 0.0 {
        let place = Rect::from_min_max(pos2(rest.left(), outer.bottom()), rest.max);
        if let Some(index) = legend::show(ui, place, &entries, ctx.style, size).filter(|i| *i < quantities.len()) {
            *highlighted = if *highlighted == Some(index) { None } else { Some(index) };
        }
    }
    outer
}

/// Alignment, commutator, spread and effective rank.
pub fn measures(state: &mut Curves, ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
    if !ctx.run.scalars.contains_key(RANK.key) {
        return empty::measured(ui, ctx, "when the eigenspaces are analysed for the first time");
    }
    let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
    let (bar, rest) = tile::split(ui, size);
    let about = "alignment does not tell collapse: rank and spread do";
    tile::bar(ui, bar, tile::weak(about, size, style), |ui| {
        state.fit_button(ui, size);
        let help = "Lay effective rank and top-8 alignment of the paper's run behind (CIFAR-10, ResNet-18, d = 128, 100 epochs, \
                    stretched over this run's steps)";
        if tile::toggle(ui, state.with_paper, "paper", help, size) {
            state.with_paper = !state.with_paper;
        }
    });
    const SHARES: [Quantity; 4] = [ALIGNMENT, SPREAD, MEAN_ENERGY, COMMUTATOR];
    const RANKS: [Quantity; 2] = [RANK, RANK_CENTRED];
    const ALL: [Quantity; 6] = [ALIGNMENT, SPREAD, MEAN_ENERGY, COMMUTATOR, RANK, RANK_CENTRED];
    let outer = with_legend(&mut state.highlighted, &ALL, rest, ui, ctx);
    let places = tile::panels(outer, 2, 1.4, 1.2 * size);
    let painter = ui.painter_at(outer.expand(2.0));
    let [shares, ranks] = &mut state.panels;

    let below = panel_heading(&painter, places[0], "Eigenspaces and spread", size, style);
    let levels = [Level {
        value: LOW_STD,
        text: format!("low std {}", number::compact(LOW_STD)),
        color: style.category(SPREAD.color).color.gamma_multiply(0.8),
    }];
    let panel = Panel {
        name: "alignment, spread, energy in the mean and commutator against the step",
        title: "share",
        scale: Scale::Linear,
        include: &[0.0, 1.0],
        levels: &levels,
    };
    let mut traces = series::traces(ctx, &SHARES, state.highlighted.filter(|i| *i < 4));
    if let Some(run) = paper::alike(&params_of(ctx)).filter(|run| state.with_paper && !run.alignment_top8.is_empty()) {
        // The paper's mean is over the 8 largest, so ours is laid beside it.
        traces.extend(series::traces(ctx, &[ALIGNMENT_TOP8], None));
        traces.insert(0, paper_trace(run, run.alignment_top8, series::steps(ctx), ctx));
    }
    draw_traces(shares, &panel, traces, below, ui, ctx);

    let below = panel_heading(&painter, places[1], "Effective rank", size, style);
    let low = low_rank(EncoderKind::of(&params_of(ctx)).embedding());
    let levels = [Level {
        value: low,
        text: format!("low {}", number::compact(low)),
        color: style.category(RANK.color).color.gamma_multiply(0.8),
    }];
    let panel = Panel {
        name: "effective rank against the step",
        title: "directions (log)",
        scale: Scale::Log { base: 0.0 },
        include: &[1.0, 10.0],
        levels: &levels,
    };
    let mut traces = series::traces(ctx, &RANKS, state.highlighted.and_then(|i| i.checked_sub(4)));
    if let Some(run) = paper::alike(&params_of(ctx)).filter(|_| state.with_paper) {
        traces.insert(0, paper_trace(run, run.effective_rank, series::steps(ctx), ctx));
    }
    draw_traces(ranks, &panel, traces, below, ui, ctx);
}

/// The loss without L2, and L2.
pub fn loss(state: &mut Curves, ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
    if !ctx.run.scalars.contains_key(COSINE_LOSS.key) {
        return empty::measured(ui, ctx, "after the first step");
    }
    let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
    let (bar, rest) = tile::split(ui, size);
    tile::bar(ui, bar, tile::weak("−2: both views predicted, or dead", size, style), |ui| {
        state.fit_button(ui, size);
    });
    const BOTH: [Quantity; 2] = [COSINE_LOSS, L2];
    let outer = with_legend(&mut state.highlighted, &BOTH, rest, ui, ctx);
    let levels = [Level { value: -2.0, text: String::new(), color: style.text_weak.gamma_multiply(0.8) }];
    let (cosine, l2) = (state.highlighted.filter(|i| *i == 0), state.highlighted.and_then(|i| i.checked_sub(1)));
    let [first, second] = &mut state.panels;
    if outer.width() < 30.0 * size && outer.height() < 26.0 * size {
        let panel = Panel {
            name: "cosine loss and L2 against the step",
            title: "loss",
            scale: Scale::Linear,
            include: &[-2.0, 0.0],
            levels: &levels,
        };
        return draw(first, &panel, &BOTH, state.highlighted, outer, ui, ctx);
    }
    let places = tile::panels(outer, 2, 1.4, 1.2 * size);
    let painter = ui.painter_at(outer.expand(2.0));
    let below = panel_heading(&painter, places[0], "Cosine loss, without L2", size, style);
    let panel = Panel {
        name: "cosine loss against the step",
        title: "−cos(p₁, t₂) − cos(p₂, t₁)",
        scale: Scale::Linear,
        include: &[-2.0, 0.0],
        levels: &levels,
    };
    draw(first, &panel, &[COSINE_LOSS], cosine, below, ui, ctx);
    let below = panel_heading(&painter, places[1], "L2 part", size, style);
    let panel = Panel {
        name: "L2 part of the loss against the step",
        title: "½ η Σ w² (log)",
        scale: Scale::Log { base: 0.0 },
        include: &[],
        levels: &[],
    };
    draw(second, &panel, &[L2], l2, below, ui, ctx);
}

/// kNN and linear probe beside the untrained network's.
pub fn probe(state: &mut Curves, ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
    let first = |key: &str| ctx.run.scalars.get(key).and_then(|history| history.points().next());
    if first(KNN.key).is_none() && first(PROBE.key).is_none() {
        return empty::measured(ui, ctx, "before training and then every so many steps (parameter `probe_every`)");
    }
    let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
    let (bar, rest) = tile::split(ui, size);
    let now = |quantity: &Quantity| series::value(ctx, quantity.key).map_or_else(|| "—".to_owned(), number::short);
    let about = format!("kNN {}, probe {}", now(&KNN), now(&PROBE));
    tile::bar(ui, bar, tile::weak(about, size, style), |ui| state.fit_button(ui, size));

    let mut levels = Vec::new();
    for quantity in [KNN, PROBE] {
        // Only what was measured before the first step is a baseline.
        if let Some((0, value)) = first(quantity.key) {
            let color = style.category(quantity.color).color;
            levels.push(Level { value, text: format!("untrained {}", number::short(value)), color });
        }
    }
    if let Some(classes) = series::text(ctx, "classes").map(|text| text.lines().count()).filter(|n| *n > 1) {
        let value = 1.0 / classes as f64;
        let color = style.text_weak.gamma_multiply(0.8);
        levels.push(Level { value, text: format!("guessing {}", number::short(value)), color });
    }
    let protocol = series::text(ctx, "protocol").unwrap_or_default();
    let plot = print_protocol(&protocol, rest, size, ui, ctx);
    const BOTH: [Quantity; 2] = [KNN, PROBE];
    let outer = with_legend(&mut state.highlighted, &BOTH, plot, ui, ctx);
    let panel = Panel {
        name: "kNN and linear probe accuracy against the step",
        title: "accuracy on test pictures",
        scale: Scale::Linear,
        include: &[0.0, 1.0],
        levels: &levels,
    };
    draw(&mut state.panels[0], &panel, &BOTH, state.highlighted, outer, ui, ctx);
}

/// Prints how features are judged at the foot of `rest`, or as much of it as there is room for (all of it in its
/// tooltip); returns the room above.
fn print_protocol(protocol: &str, rest: Rect, size: f32, ui: &mut Ui, ctx: &ViewCtx<'_>) -> Rect {
    if protocol.is_empty() || rest.height() < 12.0 * size || rest.width() < 12.0 * size {
        return rest;
    }
    let text = RichText::new(protocol).size(size).color(ctx.style.text_weak);
    let font = eframe::egui::FontId::proportional(size);
    let galley = ui.painter().layout(protocol.to_owned(), font, ctx.style.text_weak, rest.width());
    let whole = galley.size().y + 2.0;
    let height = if whole < 0.3 * rest.height() { whole } else { 1.5 * size };
    let foot = Rect::from_min_max(pos2(rest.left(), rest.bottom() - height), rest.max);
    ui.scope_builder(UiBuilder::new().max_rect(foot), |ui| {
        ui.shrink_clip_rect(foot);
        let label = eframe::egui::Label::new(text).selectable(false);
        if height == whole {
            ui.add(label.wrap()).on_hover_text(protocol);
        } else {
            let short = protocol.replace('\n', "; ");
            let text = RichText::new(short).size(size).color(ctx.style.text_weak);
            ui.add(eframe::egui::Label::new(text).truncate().selectable(false)).on_hover_text(protocol);
        }
    });
    Rect::from_min_max(rest.min, pos2(rest.right(), foot.top() - 2.0))
}
