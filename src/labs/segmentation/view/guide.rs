//! The guide's live part: where the training stands, the equations with the current numbers, the paper's values.

use eframe::egui::{CollapsingHeader, Grid, Label, RichText, ScrollArea, TextStyle, Ui, vec2};

use crate::engine::params::Params;
use crate::kit::prose::{self, equation, heading, line};
use crate::kit::series as common;
use crate::kit::view::ViewCtx;
use crate::labs::segmentation::SPEC;
use crate::labs::segmentation::paper::paper_row;
use crate::labs::segmentation::params::{
    ARCHITECTURE, CALIPERS, COUNT_THE_DIAGONAL, Calipers, FROM_FOLDER, HAUSDORFF, Hyper, IMAGE_SIZE, LOSS, OPTIMIZER,
    OVERFIT, PARAMS, THRESHOLD, net_spec,
};
use crate::nn::segmentation::count::{count, larger_than_unet};
use crate::nn::segmentation::loss::SegmentationLoss;
use crate::nn::segmentation::weights::names;
use crate::pixels::spacing::Unit;
use crate::plot::{medium, number, tile};

use super::series::{self, ASSD, DICE, HD, HD95, PLAIN_DICE, VALIDATION};
use crate::nn::optim::Rule;
use crate::pixels::mask::border::Hausdorff;

/// Draws the guide.
pub fn show(ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
    ui.spacing_mut().item_spacing = vec2(6.0, 5.0);
    let params = common::params_at(ctx, PARAMS);
    if ARCHITECTURE.get(&params).is_none() {
        return;
    }
    if ctx.run.header.is_some() {
        standing(ui, ctx);
    }
    equations(&params, ui, ctx);
    measured(&params, ui, ctx);
    notes(&params, ui, ctx);
    prose::tries(ui, ctx, &SPEC);
    tensors(&params, ui, ctx);
}

/// What the tensors of this network are called in a file of weights.
fn tensors(params: &Params, ui: &mut Ui, ctx: &ViewCtx<'_>) {
    let size = tile::font_size(ctx.presenting);
    let spec = net_spec(params);
    if medium::is_figure(ui.ctx()) || spec.check().is_err() {
        return;
    }
    let title = RichText::new("Names of tensors in a file of weights").size(size + 0.5);
    CollapsingHeader::new(title).id_salt("tensors").show(ui, |ui| {
        let text = "As PyTorch has them; a file may have one prefix before all of them. Those with * stand before a batch \
                    normalisation, and a file may lack all of them. Also: learnscope weights segmentation --architecture A";
        ui.add(Label::new(tile::weak(text, size, ctx.style)).wrap());
        let names = names(&spec);
        let row = ui.text_style_height(&TextStyle::Body).max(1.4 * size);
        ScrollArea::both().id_salt("tensor names").max_height(22.0 * size).show_rows(ui, row, names.len(), |ui, rows| {
            for named in &names[rows] {
                let shape: Vec<String> = named.shape.iter().map(ToString::to_string).collect();
                let mark = if named.spare { "*" } else { "" };
                let also = named.alias.as_ref().map_or_else(String::new, |alias| format!("  or {alias}"));
                let text = format!("{}{mark}  {}{also}", named.name, shape.join("×"));
                ui.add(Label::new(tile::mono(text, size, ctx.style)).extend());
            }
        });
    });
}

fn shown(ctx: &ViewCtx<'_>, key: &str) -> String {
    common::value(ctx, key).map_or_else(|| "—".to_owned(), number::short)
}

/// A border distance; a dash where it was undefined for every image.
fn distance(ctx: &ViewCtx<'_>, key: &str) -> String {
    series::distance_at(ctx, key).map_or_else(|| "—".to_owned(), number::short)
}

/// One line: step, epoch, rate, best weights.
fn standing(ui: &mut Ui, ctx: &ViewCtx<'_>) {
    let value = |key: &str| common::value(ctx, key);
    let size = tile::font_size(ctx.presenting);
    let mut text = format!("Step {}", number::grouped(ctx.cursor.step));
    if let Some(epoch) = value("epoch") {
        text.push_str(&format!(", epoch {epoch:.1}"));
    }
    ui.label(RichText::new(text).size(size + 2.5).color(ctx.style.text));
    if let (Some(loss), Some(step)) = (value("best/loss"), value("best/step")) {
        let since = value("patience").unwrap_or(0.0);
        let since = if since > 0.0 {
            format!(", {} ago", number::counted(since.round() as u64, "epoch", "epochs"))
        } else {
            String::new()
        };
        let loss = number::short(loss);
        line(ui, ctx, format!("Lowest validation loss {loss} at step {}{since}.", number::grouped(step as u64)));
    }
    if ctx.cursor.step == ctx.run.step && series::stopped_early(ctx.run) {
        line(ui, ctx, "Early stopping has ended this run; the test is made with the best weights.");
    }
}

fn equations(params: &Params, ui: &mut Ui, ctx: &ViewCtx<'_>) {
    heading(ui, ctx, &format!("Equations at step {}", number::grouped(ctx.cursor.step)));
    let hyper = Hyper::of(params);
    let law = match hyper.loss {
        SegmentationLoss::Bce => "L = −mean[t ln p + (1−t) ln(1−p)]",
        SegmentationLoss::Dice => "L = 1 − mean[2 Σpt / (Σp + Σt)]",
        SegmentationLoss::SmoothDice => "L = 1 − mean[(2 Σpt + 1) / (Σp + Σt + 1)]",
        SegmentationLoss::BceDice => "L = BCE + 1 − mean[(2 Σpt + 1) / (Σp + Σt + 1)]",
        SegmentationLoss::BceVariation => "L = 0.995 BCE + 0.005 mean‖∇p‖",
    };
    let values = format!("training {}, validation {}", shown(ctx, "loss/train"), shown(ctx, VALIDATION.key));
    equation(ui, ctx, law, &values);
    let rate = common::value(ctx, "learning_rate").unwrap_or(hyper.learning_rate);
    let (rate, decay) = (number::exact(rate), number::exact(hyper.weight_decay));
    if OPTIMIZER.of(params) == Rule::ADAM {
        let text = format!("α = {rate}, λ = {decay}, ε = 1e-8");
        equation(ui, ctx, "g ← ∇L + λ θ,  θ ← θ − α m̂ / (√v̂ + ε)", &text);
    } else {
        equation(ui, ctx, "θ ← θ − α (∇L + λ θ)", format!("α = {rate}, λ = {decay}"));
    }
    if hyper.plateau || hyper.early_stopping {
        // The plateau counts for itself: it starts anew whenever it lowers the rate.
        let now = |key: &str| common::value(ctx, key).map_or(String::new(), |bad| format!(" (now {bad:.0})"));
        let mut parts = vec!["epochs without a lower validation loss".to_owned()];
        if hyper.plateau {
            parts.push(format!("α is halved after more than {}{}", hyper.plateau_patience, now("bad_epochs")));
        }
        if hyper.early_stopping {
            parts.push(format!("stop at {}{}", hyper.stop_patience, now("patience")));
        }
        equation(ui, ctx, "schedule", parts.join("; "));
    }
    let threshold = number::exact(THRESHOLD.of(params));
    let images = series::images(ctx, "validation/images");
    let of =
        if images > 0 { format!("mean of {}, ", number::counted(images, "image", "images")) } else { String::new() };
    let value = format!("= {}   ({of}p > {threshold})", shown(ctx, DICE.key));
    equation(ui, ctx, "Dice = 2 TP / (2 TP + FP + FN)", &value);
    let law = if HAUSDORFF.of(params) == Hausdorff::Directed95 {
        "HD95 = max(P95 d(P→T), P95 d(T→P))"
    } else {
        "HD95 = P95 of d(P→T) and d(T→P) pooled"
    };
    let count = |key: &str| common::value(ctx, key).map_or(0, |count| count as usize);
    let diagonal = COUNT_THE_DIAGONAL.of(params);
    let undefined = match series::undefined_in_words(count("undefined/final"), count("both_empty/final"), diagonal) {
        words if words.is_empty() => words,
        words => format!(", {words}"),
    };
    equation(ui, ctx, law, format!("= {} {}{undefined}", distance(ctx, HD95.key), series::unit(ctx).short()));
}

/// This run's numbers beside the paper's.
fn measured(params: &Params, ui: &mut Ui, ctx: &ViewCtx<'_>) {
    let spec = net_spec(params);
    let paper = paper_row(spec.architecture);
    let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
    heading(ui, ctx, "This run and the paper’s");
    let tested = common::value(ctx, "test/dice").is_some();
    let table = Grid::new("measured").num_columns(4).min_row_height(1.5 * size);
    table.spacing(vec2(8.0, 2.0)).show(ui, |ui| {
        let set = if tested { "test" } else { "" };
        for text in ["", "valid.", set, "paper’s test"] {
            ui.label(tile::weak(text, size, style));
        }
        ui.end_row();
        let of_paper = |pair: Option<(f64, f64)>, digits: usize| {
            pair.map_or_else(String::new, |(mean, std)| format!("{mean:.digits$} ± {std:.digits$}"))
        };
        let rows = [
            (PLAIN_DICE, "Dice, S×S", "", String::new()),
            (DICE, "Dice", "test/dice", of_paper(paper.map(|row| row.dice), 3)),
            (HD95, "HD95", "test/hd95", of_paper(paper.map(|row| row.hd95), 2)),
            (HD, "HD", "test/hd", String::new()),
            (ASSD, "ASSD", "test/assd", String::new()),
        ];
        for (quantity, name, test, paper) in rows {
            ui.label(tile::weak(name, size + 0.5, style)).on_hover_text(quantity.help);
            let value = if [PLAIN_DICE.key, DICE.key].contains(&quantity.key) { shown } else { distance };
            ui.label(tile::mono(format!("{:>6}", value(ctx, quantity.key)), size + 0.5, style));
            let test = if tested && !test.is_empty() { value(ctx, test) } else { String::new() };
            ui.label(tile::mono(format!("{test:>6}"), size + 0.5, style));
            ui.label(tile::mono(paper, size, style).color(style.text_weak));
            ui.end_row();
        }
    });
    let data = if FROM_FOLDER.of(params) { "your images" } else { "generated images" };
    let side = IMAGE_SIZE.of(params);
    let width = if spec.architecture.stages().is_some() { format!(", width {}", spec.base) } else { String::new() };
    let images = series::images(ctx, "validation/images");
    let of = if images > 0 {
        format!("{}, ", number::counted(images, "validation image", "validation images"))
    } else {
        String::new()
    };
    let seed = ctx.run.header.as_ref().map_or(String::new(), |header| format!(", seed {}", header.seed));
    let text = format!(
        "Distances in {}. Here: {}{width}, {side}×{side}, {of}{data}{seed}. The paper’s: width 64, 256×256, 140 test images that are not public, \
         mean ± std of 3 seeds. To be compared in pattern, not in size.",
        match series::unit(ctx) {
            Unit::Pixels => "pixels",
            Unit::Millimetres => "mm here, the paper’s in pixels",
        },
        spec.architecture.name()
    );
    ui.add(Label::new(tile::weak(text, size, style)).wrap());
    if let Ok(counted) = count(&spec, side as usize, side as usize) {
        let total = counted.total;
        let text = format!(
            "{} parameters, {} GMAC and {} MiB of convolution outputs an image.",
            number::grouped(total.parameters),
            number::short(total.gmac()),
            number::short(total.activation_mib())
        );
        line(ui, ctx, text);
    }
}

/// What has to be known about this configuration.
fn notes(params: &Params, ui: &mut Ui, ctx: &ViewCtx<'_>) {
    let spec = net_spec(params);
    let mut found: Vec<String> = Vec::new();
    if larger_than_unet(&spec).is_some() {
        found.push("Grouping makes this network larger than the plain U-net: scale C as the width.".to_owned());
    }
    if LOSS.of(params) == SegmentationLoss::Dice {
        let text = "Dice without smoothing: images without a lesion have no gradient. With such images take smooth 1.";
        found.push(text.to_owned());
    }
    if OVERFIT.of(params) {
        let text = "Sanity test on one image, which is also validated on: a Dice near 1 says that training works, and \
                    nothing about other images.";
        found.push(text.to_owned());
    }
    if !FROM_FOLDER.of(params) {
        let text = match CALIPERS.of(params) {
            Calipers::Train => {
                "Trained with measuring marks, validated without: a low Dice says how much it leaned on them."
            }
            Calipers::Test => "Trained without measuring marks, validated with them.",
            Calipers::None | Calipers::All => "",
        };
        found.extend((!text.is_empty()).then(|| text.to_owned()));
    }
    if let (Some(count), true) = (common::value(ctx, "both_empty/final").filter(|n| *n > 0.0), ctx.run.header.is_some())
    {
        found.push(format!("{count:.0} validation images without lesion are predicted so: each counts as Dice 1."));
    }
    if found.is_empty() {
        return;
    }
    heading(ui, ctx, "Mind");
    for text in found {
        line(ui, ctx, text);
    }
}
