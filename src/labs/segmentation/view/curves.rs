//! The tile with loss, Dice and border distances against the step.

use eframe::egui::{Color32, Ui};

use crate::kit::curves::{About, Axis, CurvesTile, Note, Panel, axis};
use crate::kit::empty;
use crate::kit::fields::Fields;
use crate::kit::series as common;
use crate::kit::view::ViewCtx;
use crate::labs::segmentation::paper::paper_row;
use crate::labs::segmentation::params::{self, ARCHITECTURE, PARAMS, net_spec};
use crate::plot::curve::Mark;
use crate::plot::{number, tile};

use super::SegmentationView;
use super::series::{
    self, ASSD, DICE, HD, HD95, Moment, MomentKind, PLAIN_DICE, TRAIN, VALIDATION, distance_convention,
};
use crate::kit::tiles::{Tile, TileCommand, TileSpec};

/// The tile.
pub static TILE: Tile<SegmentationView> = Tile {
    spec: TileSpec {
        id: "curves",
        title: "Loss, Dice, HD95",
        help: "Training and validation loss, Dice and HD95 against the step. Click or drag to move the timeline, \
               scroll to zoom.",
        area: "against the step",
        follows_cursor: true,
    },
    show: |view, ui, ctx| view.curves.show(ui, ctx),
    commands: &[
        TileCommand { id: "curves-fit", title: "Curves: show the whole run", run: |view, _, _| view.curves.tile.fit() },
        TileCommand {
            id: "curves-paper",
            title: "Curves: the paper's Dice on or off",
            run: |view, _, _| view.curves.with_paper = !view.curves.with_paper,
        },
        TileCommand {
            id: "curves-hd",
            title: "Curves: Hausdorff distance on or off",
            run: |view, _, _| view.curves.with_hd = !view.curves.with_hd,
        },
        TileCommand {
            id: "curves-assd",
            title: "Curves: ASSD on or off",
            run: |view, _, _| view.curves.with_assd = !view.curves.with_assd,
        },
    ],
};

/// View state of the tile.
#[derive(Debug, Default)]
pub struct Curves {
    tile: CurvesTile,
    with_hd: bool,
    with_assd: bool,
    with_paper: bool,
}

const LOSS: Axis = Axis { include: &[0.0], ..axis("loss against the step", "Loss", "loss") };
const OVERLAP: Axis = Axis { include: &[0.0, 1.0], ..axis("Dice against the step", "Dice", "Dice, mean over images") };
const DISTANCE: Axis =
    Axis { include: &[0.0], ..axis("border distances against the step", "HD95", "pixels of the original") };

impl Curves {
    /// What of it belongs to a scene.
    pub fn fields(&mut self, fields: &mut Fields) {
        self.tile.fields(fields);
        fields.value("hd", &mut self.with_hd, false);
        fields.value("assd", &mut self.with_assd, false);
        fields.value("paper", &mut self.with_paper, false);
    }

    /// Draws the tile.
    fn show(&mut self, ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
        if !ctx.run.scalars.contains_key(TRAIN.key) && !ctx.run.scalars.contains_key(VALIDATION.key) {
            return empty::measured(ui, ctx, "after the first batches");
        }
        let size = tile::font_size(ctx.presenting);
        let moments = series::moments(ctx.run, ctx.cursor.step);
        let mut panels = vec![loss(&moments, ctx), self.dice(ctx), self.distances(ctx)];
        for panel in &mut panels {
            panel.marks.extend(moments.iter().map(|at| Mark::step(at.step, color(at, ctx), at.short())));
        }
        let about = About { text: standing(ctx), in_headings: true, ..About::default() };
        let Self { tile, with_hd, with_assd, with_paper } = self;
        tile.show(&about, panels, ui, ctx, |ui, alone| {
            if alone.is_none_or(|shown| shown == 1) {
                let help = "Lay the paper's test Dice of this network behind (416 training images, 256×256, mean of 3 \
                            seeds; its data are not public)";
                if tile::toggle(ui, *with_paper, "paper", help, size) {
                    *with_paper = !*with_paper;
                }
            }
            if alone.is_none_or(|shown| shown == 2) {
                for (on, quantity) in [(with_assd, ASSD), (with_hd, HD)] {
                    if tile::toggle(ui, *on, quantity.name, quantity.help, size) {
                        *on = !*on;
                    }
                }
            }
        });
    }

    fn dice<'a>(&self, ctx: &ViewCtx<'a>) -> Panel<'a> {
        let mut panel = Panel::new(OVERLAP, &[PLAIN_DICE, DICE], ctx);
        if let Some((row, dice)) = paper_dice(ctx).filter(|_| self.with_paper) {
            panel.marks.push(Mark::level(dice, ctx.style.text_weak, format!("paper’s {row} {dice:.3}")));
        }
        panel
    }

    fn distances<'a>(&self, ctx: &ViewCtx<'a>) -> Panel<'a> {
        let mut shown = vec![HD95];
        shown.extend(self.with_hd.then_some(HD));
        shown.extend(self.with_assd.then_some(ASSD));
        let title = if shown.len() > 1 { "Distances" } else { DISTANCE.title };
        let mut panel = Panel::new(Axis { title, unit: series::unit(ctx).of_original(), ..DISTANCE }, &shown, ctx);
        let convention = distance_convention(ctx);
        for entry in &mut panel.entries {
            entry.help = format!("{}{}{convention}", entry.help, if entry.help.is_empty() { "" } else { ". " });
        }
        let Some(count) = common::value(ctx, "undefined/final") else { return panel };
        let of = series::images(ctx, "validation/images");
        let of = if of > 0 { format!("/{of}") } else { String::new() };
        let (diagonal, undefined) = if series::counts_the_diagonal(ctx) {
            // Where both masks are empty there is no distance either way.
            let both = common::value(ctx, "both_empty/final").unwrap_or(0.0);
            (Some(count - both), Some(both).filter(|both| *both > 0.0))
        } else {
            (None, Some(count))
        };
        for (name, count) in [("counted as the diagonal", diagonal), ("undefined", undefined)] {
            let Some(count) = count else { continue };
            let color = if count > 0.0 { ctx.style.warning } else { ctx.style.text_weak };
            panel.notes.push(Note { name, value: format!("{count:.0}{of}"), color, help: convention.clone() });
        }
        panel
    }
}

fn loss<'a>(moments: &[Moment], ctx: &ViewCtx<'a>) -> Panel<'a> {
    let mut panel = Panel::new(LOSS, &[TRAIN, VALIDATION], ctx);
    if let Some(name) = loss_name(ctx) {
        panel.unit = format!("loss: {name}");
    }
    for best in moments.iter().filter(|moment| moment.kind == MomentKind::Best) {
        let loss = ctx.run.scalars.get(VALIDATION.key).and_then(|history| history.at(best.step));
        let color = color(best, ctx);
        let mark = |(step, loss)| Mark { x: Some(step as f64), y: Some(loss), color, text: String::new() };
        panel.marks.extend(loss.map(mark));
    }
    panel
}

/// Of a moment's mark.
fn color(moment: &Moment, ctx: &ViewCtx<'_>) -> Color32 {
    match moment.kind {
        MomentKind::Best => ctx.style.good,
        MomentKind::Plateau { .. } => ctx.style.text_weak,
        MomentKind::Stopped => ctx.style.error,
    }
}

/// Which loss is drawn, in the words of the form.
fn loss_name(ctx: &ViewCtx<'_>) -> Option<&'static str> {
    params::LOSS.item(&common::params_at(ctx, PARAMS)).map(|loss| loss.label)
}

/// The paper's name and test Dice of the network of this run.
fn paper_dice(ctx: &ViewCtx<'_>) -> Option<(String, f64)> {
    let params = common::params_at(ctx, PARAMS);
    ARCHITECTURE.get(&params)?;
    let architecture = net_spec(&params).architecture;
    paper_row(architecture).map(|row| (architecture.name(), row.dice.0))
}

/// Where the training stands at the cursor: epoch, rate, best weights.
fn standing(ctx: &ViewCtx<'_>) -> String {
    let value = |key: &str| common::value(ctx, key);
    let mut parts = Vec::new();
    if let Some(epoch) = value("epoch") {
        parts.push(format!("epoch {epoch:.1}"));
    }
    if let Some(rate) = value("learning_rate") {
        parts.push(format!("rate {}", number::exact(rate)));
    }
    if let Some(step) = value("best/step") {
        let since = value("patience").unwrap_or(0.0);
        let since = if since > 0.0 {
            format!(", {} ago", number::counted(since.round() as u64, "epoch", "epochs"))
        } else {
            String::new()
        };
        parts.push(format!("best {}{since}", number::grouped(step as u64)));
    }
    parts.join(" · ")
}
