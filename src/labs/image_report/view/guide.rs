//! The guide of the lab with the current numbers, and the tile with the data and the network.

use eframe::egui::{Label, RichText, ScrollArea, Ui, UiBuilder};

use crate::engine::params::Params;
use crate::kit::tiles::{Tile, TileCommand, TileSpec};
use crate::kit::view::{ViewAction, ViewCtx};
use crate::kit::{empty, prose, series};
use crate::labs::image_report::SPEC;
use crate::labs::image_report::params::{BATCH, FOLDER, Hyper, PARAMS, SOURCE, Source, VARIANTS, Variant};
use crate::nn::image_text::local::Aggregate;
use crate::plot::{number, tile};

use super::ImageReportView;

/// The tile.
pub static DATA_TILE: Tile<ImageReportView> = Tile {
    spec: TileSpec {
        id: "data",
        title: "Data and network",
        help: "Which pairs of image and report the run learns from and is judged by, and what its network is. Choose a folder of your own \
               with the button.",
        area: "data",
        follows_cursor: false,
    },
    show: |_, ui, ctx| data(ui, ctx),
    commands: &[
        TileCommand {
            id: "data-choose",
            title: "Data: choose the folder of images and reports",
            run: |_, ctx, _| choose(ctx),
        },
        TileCommand {
            id: "data-sample",
            title: "Data: take the sample in Open-I's layout",
            run: |_, ctx, _| take(ctx, Source::Sample),
        },
        TileCommand {
            id: "data-generated",
            title: "Data: take generated chests",
            run: |_, ctx, _| take(ctx, Source::Generated),
        },
    ],
};

const NO_RADIOGRAPHS: &str = "Generated schemes of a chest, not radiographs: no patient, no medical evidence.";

fn take(ctx: &mut ViewCtx<'_>, wanted: Source) {
    if let Some(source) = SOURCE.value(|source| *source == wanted) {
        ctx.set(SOURCE.key(), source, true);
    }
}

/// Asks for a folder; the form is set to folders, whatever it was set to.
fn choose(ctx: &mut ViewCtx<'_>) {
    take(ctx, Source::Folder);
    ctx.actions.push(ViewAction::ChooseFile { key: FOLDER.key().to_owned() });
}

/// Whether the pairs are made by the program.
fn generated(params: &Params) -> bool {
    SOURCE.of(params) != Source::Folder
}

fn data(ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
    let (Some(data), Some(network)) = (series::text(ctx, "data/summary"), series::text(ctx, "network")) else {
        return empty::measured(ui, ctx, "when the run begins");
    };
    let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
    let (bar, rest) = tile::split(ui, size);
    tile::bar(ui, bar, tile::weak("what the run learns from", size, style), |ui| {
        let help = "Choose a folder: Open-I (XML beside PNG, or indiana_reports.csv), or pairs.csv";
        if tile::button(ui, true, "choose a folder", help, size) {
            choose(ctx);
        }
    });
    let generated = generated(&series::params_at(ctx, PARAMS));
    ui.scope_builder(UiBuilder::new().max_rect(rest), |ui| {
        ui.shrink_clip_rect(rest);
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            if generated {
                let text = RichText::new(NO_RADIOGRAPHS).size(size + 1.0).color(style.warning);
                ui.add(Label::new(text).wrap());
            }
            for (title, text) in [("Data", data), ("Network", network)] {
                ui.add_space(0.4 * size);
                ui.label(tile::weak(title.to_uppercase(), size, style));
                for line in text.lines() {
                    ui.add(Label::new(RichText::new(line).size(size + 1.0).color(style.text)).wrap());
                }
            }
        });
    });
}

/// Draws the guide.
pub fn ui(ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
    let params = series::params_at(ctx, PARAMS);
    prose::heading(ui, ctx, "What you see");
    prose::line(
        ui,
        ctx,
        "An image and its report go into one space, where the cosine says how well they fit. Does the model read the report, or does it \
         count words? Nine perturbations of each report tell; and the same with another image tells whether the image matters at all.",
    );
    if generated(&params) {
        let size = tile::font_size(ctx.presenting) + 1.5;
        ui.add(Label::new(RichText::new(NO_RADIOGRAPHS).size(size).color(ctx.style.warning)).wrap());
    }
    prose::line(ui, ctx, now(VARIANTS.of(&params)));
    losses(&params, ui, ctx);
    measured(ui, ctx);
    prose::tries(ui, ctx, &SPEC);
}

fn now(variant: Variant) -> &'static str {
    match variant {
        Variant::ConVirt => {
            "Now: pairs against pairs alone, as ConVIRT does. No perturbation is ever seen in training: what the model makes of \
                             them comes by itself."
        }
        Variant::Gloria => "Now: pairs against pairs, and words against regions, as GLoRIA does.",
        Variant::WithoutLocal => "Now: pairs against pairs, and each report against its perturbations.",
        Variant::Ours => "Now: all three terms, as in the article.",
    }
}

/// The value of a scalar at the cursor.
fn value(ctx: &ViewCtx<'_>, key: &str) -> String {
    series::value(ctx, key).map_or_else(|| "—".to_owned(), number::short)
}

/// The equations as they are computed, and their numbers. As printed, the article's lack a direction, a mean, and a cosine.
fn losses(params: &Params, ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
    let hyper = Hyper::of(params, series::steps(ctx));
    let [_, alpha, beta] = hyper.weights;
    let batch = BATCH.of(params).max(1);
    let get = |key: &str| value(ctx, key);
    // Learned temperatures are measured, fixed ones are the form's.
    let tau = |key: &str, fixed: f64| number::short(series::value(ctx, key).unwrap_or(fixed));
    let matching = format!(
        "{} = ½ ({} + {}); guessing: ln {batch} = {}",
        get("loss/global"),
        get("loss/report_of_image"),
        get("loss/image_of_report"),
        number::short((batch as f64).ln())
    );
    let matching_tau = format!("τ = {}", tau("temperature/global", hyper.tau));
    let perturbed = format!(
        "{}; guessing: ln 10 = 2.30; τ = {}",
        get("loss/perturbed"),
        tau("temperature/perturbed", hyper.tau_perturbed)
    );
    let (local, total) = (get("loss/local"), get("loss/total"));
    prose::heading(ui, ctx, "Loss (section III-B)");
    prose::line(ui, ctx, "u and v are vectors of unit length of an image and of a report.");
    prose::equation(ui, ctx, "L_image→report = mean_i [ln Σ_t exp(u_i·v_t/τ) − u_i·v_i/τ]", matching_tau);
    prose::equation(ui, ctx, "L_global = ½ (L_image→report + L_report→image)", matching);
    if alpha > 0.0 {
        prose::line(ui, ctx, attention(&hyper));
        prose::equation(ui, ctx, "a_kr = softmax over regions r of word k's scores", "");
        prose::equation(ui, ctx, "c_k = Σ_r a_kr x_r,  m_k = cos(c_k, w_k)", "");
        // A mean, in place of a sum, gives long reports no bonus.
        let matched = match hyper.local.aggregate {
            Aggregate::Sum => "S = ln Σ_k exp(temp2 m_k);  L_local = L_global of temp3 S",
            Aggregate::Mean => "S = ln mean_k exp(temp2 m_k);  L_local = L_global of temp3 S",
        };
        let number = number::compact;
        let temperatures = format!("; temp2 = {}, temp3 = {}", number(hyper.local.temp2), number(hyper.local.temp3));
        prose::equation(ui, ctx, matched, local + &temperatures);
    }
    if beta > 0.0 {
        prose::line(
            ui,
            ctx,
            "q_k are the perturbations of the report; the sum is over those that change something, not over the batch.",
        );
        prose::equation(ui, ctx, "L_pert = mean [ln(exp(u·v/τ) + Σ_k exp(u·q_k/τ)) − u·v/τ]", perturbed);
    }
    let weights = format!("{total}, with α = {}, β = {}", number::compact(alpha), number::compact(beta));
    prose::equation(ui, ctx, "L = L_global + α L_local + β L_pert", weights);
}

/// What the attention can do.
fn attention(hyper: &Hyper) -> String {
    let temp1 = hyper.local.temp1;
    let shown = number::compact(temp1);
    match (hyper.local.words_softmax, hyper.local.cosine) {
        (true, _) => format!(
            "Attention is GLoRIA's: scores become shares of the words first, then go at temp1 = {shown} into the softmax over \
             regions. No region can weigh more than e^{shown} = {} times another{}, and words that have seen the whole report may look \
             anywhere.",
            number::compact(temp1.exp()),
            if temp1 <= 5.0 { ": it is soft by construction" } else { "" }
        ),
        (false, false) if temp1 == 1.0 => {
            "Attention is as printed in the article: a softmax over regions of the scores themselves.".to_owned()
        }
        (false, false) => format!("Attention is a softmax over regions of the scores times temp1 = {shown}."),
        (false, true) => format!(
            "Attention is sharp: cosines of plain word embeddings and regions, times temp1 = {shown}. A word has not seen the rest of \
             its report, and has to find its own region."
        ),
    }
}

fn measured(ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
    let get = |key: &str| value(ctx, key);
    let structure = format!("{}; by chance {}", get("structure/accuracy"), get("structure/chance"));
    let others = format!("{}; mean image {}", get("structure/wrong_image"), get("structure/mean_image"));
    let difference = get("structure/difference");
    let retrieval = format!("{} and {}", get("retrieval/report_of_image/r1"), get("retrieval/image_of_report/r1"));
    let pointing = format!("{}; by chance {}", get("grounding/pointing"), get("grounding/chance"));
    prose::heading(ui, ctx, "Measured here");
    prose::equation(ui, ctx, "structure accuracy: report above all perturbations", structure);
    prose::equation(ui, ctx, "the same with another image", others);
    prose::equation(ui, ctx, "what the image is worth: the difference", difference);
    prose::equation(ui, ctx, "R@1, image → report and report → image", retrieval);
    prose::equation(ui, ctx, "finding words that point into their box", pointing);
    prose::line(
        ui,
        ctx,
        "The perturbations of training are of the same nine kinds as those of the test: with L_pert the measure is the task that was \
         trained. What is left with another image was learned of texts, not of images.",
    );
}
