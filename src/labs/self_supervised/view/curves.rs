//! The tiles that draw measurements against the step: eigenspaces and spread, loss, kNN and probe.

use eframe::egui::{Rect, RichText, Ui, UiBuilder, pos2};

use crate::kit::curves::{About, Axis, CurvesTile, LOG, Layer, Panel, axis};
use crate::kit::empty;
use crate::kit::view::ViewCtx;
use crate::labs::self_supervised::network::Shape;
use crate::metrics::collapse::{LOW_STD, low_rank};
use crate::plot::curve::Mark;
use crate::plot::{number, tile};

use super::SelfSupervisedView;
use super::eigenspaces::paper_curve;
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
    show: |view, ui, ctx| measures(&mut view.measures, &mut view.with_paper, ui, ctx),
    commands: &[TileCommand {
        id: "measures-paper",
        title: "Alignment, spread, rank: the paper's behind, on or off",
        run: |view, _, _| view.with_paper = !view.with_paper,
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
    show: |view, ui, ctx| {
        let about = About {
            text: "−2: both views predicted, or dead".to_owned(),
            twin: series::twin_name(ctx.run),
            ..About::default()
        };
        view.loss.lists(&about, "after the first step", &[(COSINE, &[COSINE_LOSS]), (DECAY, &[L2])], ui, ctx);
    },
    commands: &[],
};

const COSINE: Axis = Axis {
    short: "cosine",
    include: &[-2.0, 0.0],
    levels: &[(-2.0, "")],
    ..axis("cosine loss against the step", "Cosine loss, without L2", "−cos(p₁, t₂) − cos(p₂, t₁)")
};
const DECAY: Axis =
    Axis { short: "L2", scale: LOG, ..axis("L2 part of the loss against the step", "L2 part", "½ η Σ w²") };
const SHARES: Axis = Axis {
    short: "shares",
    include: &[0.0, 1.0],
    ..axis("alignment, spread, energy in the mean and commutator against the step", "Eigenspaces and spread", "share")
};
const RANKS: Axis = Axis {
    short: "rank",
    scale: LOG,
    include: &[1.0, 10.0],
    ..axis("effective rank against the step", "Effective rank", "directions")
};
const SCORES: Axis = Axis {
    include: &[0.0, 1.0],
    ..axis("kNN and linear probe accuracy against the step", "kNN and probe", "accuracy on test pictures")
};

/// Alignment, commutator, spread and effective rank.
fn measures(state: &mut CurvesTile, with_paper: &mut bool, ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
    if !ctx.run.scalars.contains_key(RANK.key) {
        return empty::measured(ui, ctx, "when the eigenspaces are analysed for the first time");
    }
    let (size, style, params) = (tile::font_size(ctx.presenting), ctx.style, params_of(ctx));
    let low = |quantity: &Quantity, name: &str, value: f64| {
        let color = style.category(quantity.color).color.gamma_multiply(0.8);
        Mark::level(value, color, format!("{name} {}", number::compact(value)))
    };
    let mut shares = Panel::new(SHARES, &[ALIGNMENT, SPREAD, MEAN_ENERGY, COMMUTATOR], ctx);
    shares.marks.push(low(&SPREAD, "low std", LOW_STD));
    let mut ranks = Panel::new(RANKS, &[RANK, RANK_CENTRED], ctx);
    ranks.marks.push(low(&RANK, "low", low_rank(Shape::of(&params, 1).embedding())));
    if let Some(run) = paper::alike(&params).filter(|_| *with_paper) {
        if !run.alignment_top8.is_empty() {
            // The paper's mean is over the 8 largest, so ours is laid beside it.
            shares.add("", &ALIGNMENT_TOP8, ctx);
            shares.push(Layer::Behind, "", paper_curve(run, run.alignment_top8, ctx));
        }
        ranks.push(Layer::Behind, "", paper_curve(run, run.effective_rank, ctx));
    }
    let about = About {
        text: "alignment does not tell collapse: rank and spread do".to_owned(),
        twin: series::twin_name(ctx.run),
        ..About::default()
    };
    state.show(&about, vec![shares, ranks], ui, ctx, |ui, _| {
        let help = "Lay effective rank and top-8 alignment of the paper's run behind (CIFAR-10, ResNet-18, d = 128, 100 epochs, \
                    stretched over this run's steps)";
        if tile::toggle(ui, *with_paper, "paper", help, size) {
            *with_paper = !*with_paper;
        }
    });
}

/// kNN and linear probe beside the untrained network's.
fn probe(state: &mut CurvesTile, ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
    let first = |key: &str| ctx.run.scalars.get(key).and_then(|history| history.points().next());
    if first(KNN.key).is_none() && first(PROBE.key).is_none() {
        return empty::measured(ui, ctx, "before training and then every so many steps (parameter `probe_every`)");
    }
    let now = |quantity: &Quantity| series::value(ctx, quantity.key).map_or_else(|| "—".to_owned(), number::short);
    let text = format!("kNN {}, probe {}", now(&KNN), now(&PROBE));
    let mut panel = Panel::new(SCORES, &[KNN, PROBE], ctx);
    for quantity in [KNN, PROBE] {
        // Only what was measured before the first step is a baseline.
        if let Some((0, value)) = first(quantity.key) {
            let color = ctx.style.category(quantity.color).color;
            panel.marks.push(Mark::level(value, color, format!("untrained {}", number::short(value))));
        }
    }
    if let Some(classes) = series::text(ctx, "classes").map(|text| text.lines().count()).filter(|n| *n > 1) {
        let value = 1.0 / classes as f64;
        let color = ctx.style.text_weak.gamma_multiply(0.8);
        panel.marks.push(Mark::level(value, color, format!("guessing {}", number::short(value))));
    }
    let protocol = series::text(ctx, "protocol").unwrap_or_default();
    let above = print_protocol(&protocol, ui, ctx);
    let about = About { text, twin: series::twin_name(ctx.run), ..About::default() };
    ui.scope_builder(UiBuilder::new().max_rect(above), |ui| state.show(&about, vec![panel], ui, ctx, |_, _| ()));
}

/// Prints how features are judged at the foot of `rest`, or as much of it as there is room for (all of it in its
/// tooltip); returns the room of the tile above.
fn print_protocol(protocol: &str, ui: &mut Ui, ctx: &ViewCtx<'_>) -> Rect {
    let (size, tile) = (tile::font_size(ctx.presenting), ui.available_rect_before_wrap());
    let (_, rest) = tile::split(ui, size);
    if protocol.is_empty() || rest.height() < 12.0 * size || rest.width() < 12.0 * size {
        return tile;
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
    Rect::from_min_max(tile.min, pos2(tile.right(), foot.top()))
}
