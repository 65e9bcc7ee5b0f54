//! The tiles that draw measurements against the step: losses, scores, retrieval.

use eframe::egui::Ui;

use crate::engine::twin::TWIN;
use crate::kit::curves::{About, Axis, CurvesTile, LOG, Panel, axis};
use crate::kit::empty;
use crate::kit::series::{self, Quantity, quantity};
use crate::kit::tiles::{Tile, TileCommand, TileSpec};
use crate::kit::view::ViewCtx;
use crate::labs::image_report::params::{BATCH, PARAMS};
use crate::plot::curve::Mark;
use crate::plot::style::Dash;

use super::ImageReportView;
use super::structure::COLORS;

/// A loss of every batch.
const fn loss(key: &'static str, name: &'static str, color: usize, dash: Dash, help: &'static str) -> Quantity {
    Quantity { noisy: true, ..quantity(key, name, color, dash, help) }
}

const TOTAL: Quantity =
    loss("loss/total", "total", 0, Dash::Solid, "L_global + α L_local + β L_pert, with the weights of the variant");
const GLOBAL: Quantity =
    loss("loss/global", "L_global", 7, Dash::Solid, "Pairs against pairs, the mean of both directions");
const REPORT_OF_IMAGE: Quantity =
    loss("loss/report_of_image", "image → report", 4, Dash::Dotted, "L_global where an image finds its report");
const IMAGE_OF_REPORT: Quantity =
    loss("loss/image_of_report", "report → image", 3, Dash::DashDot, "L_global where a report finds its image");
const LOCAL: Quantity = loss("loss/local", "L_local", 3, Dash::Solid, "Words against regions");
const PERTURBED: Quantity = loss("loss/perturbed", "L_pert", 6, Dash::Solid, "The report against its perturbations");
const TEMPERATURES: [Quantity; 2] = [
    quantity("temperature/global", "τ", 7, Dash::Solid, "Cosines of L_global are divided by it"),
    quantity("temperature/perturbed", "τ of L_pert", 6, Dash::Dashed, "Cosines of L_pert are divided by it"),
];
const STRUCTURE: [Quantity; 5] = [
    quantity(
        "structure/accuracy",
        "structure accuracy",
        COLORS[0],
        Dash::Solid,
        "Share of test pairs whose report is above all its perturbations; ties count as wrong",
    ),
    quantity("structure/wrong_image", "another image", COLORS[1], Dash::Dashed, "The same texts with another image"),
    quantity(
        "structure/mean_image",
        "mean image",
        COLORS[2],
        Dash::DashDot,
        "The same texts with the mean image vector",
    ),
    quantity(
        "structure/difference",
        "difference",
        1,
        Dash::Solid,
        "Accuracy less that with another image: what the image is worth",
    ),
    quantity(
        "structure/chance",
        "chance",
        0,
        Dash::Dotted,
        "Expected by chance; 0.1 where all nine perturbations differ",
    ),
];
const RANK: [Quantity; 1] =
    [quantity("rank/mean", "mean rank", COLORS[0], Dash::Solid, "Of the report among its perturbations, 1 is best")];
const EDITS: [Quantity; 4] = [
    quantity("edit/laterality", "left and right", 4, Dash::Solid, "Report above the one with left and right exchanged"),
    quantity("edit/zone", "upper and lower", 3, Dash::Dashed, "Report above the one with upper and lower exchanged"),
    quantity("edit/severity", "severity", 5, Dash::Dotted, "Report above the one with another severity"),
    quantity("edit/negation", "negation", 6, Dash::DashDot, "Report above the one with another negation"),
];
const GROUNDING: [Quantity; 3] = [
    quantity("grounding/pointing", "pointing", 7, Dash::Solid, "Finding words whose strongest region is in their box"),
    quantity("grounding/chance", "pointing by chance", 0, Dash::Dotted, "Share of the image that the boxes take"),
    quantity(
        "grounding/mass",
        "mass in the box",
        5,
        Dash::DashDot,
        "Share of a finding word's attention within its box",
    ),
];
const REPORTS: [Quantity; 3] = [
    quantity("retrieval/report_of_image/r1", "R@1", 7, Dash::Solid, "Its report, or one of the same words, is first"),
    quantity("retrieval/report_of_image/r5", "R@5", 4, Dash::Dashed, "It is among the first 5"),
    quantity("retrieval/report_of_image/r10", "R@10", 3, Dash::Dotted, "It is among the first 10"),
];
const IMAGES: [Quantity; 3] = [
    quantity(
        "retrieval/image_of_report/r1",
        "R@1",
        7,
        Dash::Solid,
        "Its image, or one of a report of the same words, is first",
    ),
    quantity("retrieval/image_of_report/r5", "R@5", 4, Dash::Dashed, "It is among the first 5"),
    quantity("retrieval/image_of_report/r10", "R@10", 3, Dash::Dotted, "It is among the first 10"),
];
const MEDIANS: [Quantity; 2] = [
    quantity("retrieval/report_of_image/median", "image → report", 4, Dash::Dotted, "Median rank of an image's report"),
    quantity("retrieval/image_of_report/median", "report → image", 3, Dash::DashDot, "Median rank of a report's image"),
];

const MATCHING: Axis =
    Axis { include: &[0.0], short: "global", ..axis("global loss against the step", "Total and global", "nats") };
const WORDS: Axis = Axis { include: &[0.0], short: "local", ..axis("local loss against the step", "Local", "nats") };
const PERTURBATIONS: Axis = Axis {
    include: &[0.0, 2.4],
    short: "perturbed",
    levels: &[(std::f64::consts::LN_10, "ln 10: guessing")],
    ..axis("perturbation loss against the step", "Perturbed", "nats")
};
const TAU: Axis = Axis {
    scale: LOG,
    switch: "log",
    short: "τ",
    ..axis("temperatures against the step", "Temperatures", "temperature")
};
const ACCURACY: Axis = Axis {
    include: &[0.0, 1.0],
    short: "structure",
    ..axis("structure accuracy against the step", "Structure accuracy", "share of test pairs")
};
const MEAN_RANK: Axis = Axis {
    include: &[1.0, 10.0],
    levels: &[(5.5, "guessing")],
    short: "rank",
    ..axis("mean rank of the report against the step", "Mean rank", "rank of 10")
};
const CONTENT: Axis = Axis {
    include: &[0.0, 1.0],
    levels: &[(0.5, "guessing")],
    short: "edits",
    ..axis("content edits against the step", "Content edits", "share above")
};
const POINTING: Axis =
    Axis { include: &[0.0, 1.0], short: "pointing", ..axis("grounding against the step", "Grounding", "share") };
const TO_REPORT: Axis = Axis {
    include: &[0.0, 1.0],
    short: "to report",
    ..axis("retrieval of reports against the step", "Image → report", "share of images")
};
const TO_IMAGE: Axis = Axis {
    include: &[0.0, 1.0],
    short: "to image",
    ..axis("retrieval of images against the step", "Report → image", "share of reports")
};
const MEDIAN_RANK: Axis = Axis {
    include: &[1.0],
    scale: LOG,
    switch: "log",
    short: "median",
    ..axis("median ranks against the step", "Median rank", "rank among test pairs")
};

const EVALUATED: &str = "on test pairs, before training and then every so many steps (parameter `evaluate_every`)";

/// The tile.
pub static LOSSES_TILE: Tile<ImageReportView> = Tile {
    spec: TileSpec {
        id: "losses",
        title: "Losses",
        help: "The terms of the loss on every batch, without their weights, and the temperatures that cosines are divided by. A term that \
               the variant does not have is not computed, and not drawn.",
        area: "against the step",
        follows_cursor: true,
    },
    show: |view, ui, ctx| {
        let lists: &[(Axis, &[Quantity])] = &[
            (MATCHING, &[TOTAL, GLOBAL, REPORT_OF_IMAGE, IMAGE_OF_REPORT]),
            (WORDS, &[LOCAL]),
            (PERTURBATIONS, &[PERTURBED]),
            (TAU, &TEMPERATURES),
        ];
        draw(&mut view.losses, "L = L_global + α L_local + β L_pert", "in every step", lists, ui, ctx);
    },
    commands: &[TileCommand {
        id: "losses-fit",
        title: "Losses: show the whole run",
        run: |view, _, _| view.losses.fit(),
    }],
};

/// The tile.
pub static SCORES_TILE: Tile<ImageReportView> = Tile {
    spec: TileSpec {
        id: "scores",
        title: "Structure and controls",
        help: "How often the report is above all its perturbations, with the image and without it; the difference is what the image is worth. \
               Beside it content edits, which only the image can tell, and whether finding words point at their place.",
        area: "against the step",
        follows_cursor: true,
    },
    show: |view, ui, ctx| {
        let lists: &[(Axis, &[Quantity])] =
            &[(ACCURACY, &STRUCTURE), (MEAN_RANK, &RANK), (CONTENT, &EDITS), (POINTING, &GROUNDING)];
        draw(&mut view.scores, "the report among its perturbations", EVALUATED, lists, ui, ctx);
    },
    commands: &[TileCommand {
        id: "scores-fit",
        title: "Structure and controls: show the whole run",
        run: |view, _, _| view.scores.fit(),
    }],
};

/// The tile.
pub static RETRIEVAL_TILE: Tile<ImageReportView> = Tile {
    spec: TileSpec {
        id: "retrieval",
        title: "Retrieval",
        help: "Whether an image finds its report among those of all test pairs that are evaluated, and the other way round. Reports of the \
               same words count as found. Generated studies often share a report's meaning, so that R@1 cannot reach 1.",
        area: "against the step",
        follows_cursor: true,
    },
    show: |view, ui, ctx| {
        let lists: &[(Axis, &[Quantity])] = &[(TO_REPORT, &REPORTS), (TO_IMAGE, &IMAGES), (MEDIAN_RANK, &MEDIANS)];
        draw(&mut view.retrieval, "who finds whom", EVALUATED, lists, ui, ctx);
    },
    commands: &[TileCommand {
        id: "retrieval-fit",
        title: "Retrieval: show the whole run",
        run: |view, _, _| view.retrieval.fit(),
    }],
};

/// Draws the panels of which something was measured, by the run or its twin; `when`: when they are.
fn draw(
    tile: &mut CurvesTile,
    text: &str,
    when: &str,
    lists: &[(Axis, &[Quantity])],
    ui: &mut Ui,
    ctx: &mut ViewCtx<'_>,
) {
    let scalars = &ctx.run.scalars;
    let measured = |quantity: &Quantity| {
        scalars.contains_key(quantity.key) || scalars.contains_key(format!("{TWIN}{}", quantity.key).as_str())
    };
    let of = |quantities: &[Quantity]| quantities.iter().filter(|one| measured(one)).copied().collect::<Vec<_>>();
    let shown = lists.iter().map(|(axis, quantities)| (axis, of(quantities))).filter(|(_, shown)| !shown.is_empty());
    let mut panels: Vec<Panel<'_>> = shown.map(|(axis, quantities)| Panel::new(*axis, &quantities, ctx)).collect();
    if panels.is_empty() {
        return empty::measured(ui, ctx, when);
    }
    // How much L_global costs who guesses depends on the batch.
    let batch = BATCH.of(&series::params_at(ctx, PARAMS)).max(1) as f64;
    let guessing = Mark::level(batch.ln(), ctx.style.text_weak.gamma_multiply(0.8), format!("ln {batch}: guessing"));
    panels.iter_mut().filter(|panel| panel.axis.name == MATCHING.name).for_each(|panel| {
        panel.marks.push(guessing.clone());
    });
    let about = About { text: text.to_owned(), twin: series::twin_name(ctx.run, PARAMS), ..About::default() };
    tile.show(&about, panels, ui, ctx, |_, _| ());
}
