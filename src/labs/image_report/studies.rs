//! Tables of the paper as studies, scaled down on generated pairs. The paper's numbers were measured on Open-I, CheXpert, MedNLI and
//! RadNLI with encoders that were trained before; see the guide for what is odd about them.

use crate::engine::params::{Params, Value};
use crate::engine::state::RunState;
use crate::engine::study::{Measure, NO_NUMBERS, PRINTED, StudyRow, StudySpec, last, row};
use crate::engine::study_cost::{Cost, Occasion};
use crate::engine::study_figure::{Figure, Panel};
use crate::engine::sweep::{SweepSpec, sweep_of};
use crate::engine::table::Int;

use super::params::{BETA, DATA_SEED, EVALUATE_EVERY, GLORIA_WEIGHT, RATE, SHOW_EVERY, STEPS, TAU};

/// Every study of the lab.
pub static STUDIES: &[StudySpec] = &[TABLE_4, TABLE_1, TABLE_2, TABLE_3, ORDER, GROUNDING];

/// A share of a run in per cent.
macro_rules! percent {
    ($title:literal, $key:literal) => {
        Measure { title: $title, unit: "%", of: |run, _| Some(100.0 * last(run, $key)?) }
    };
}

const TABLE_4: StudySpec = StudySpec {
    id: "table-4",
    title: "Table IV, scaled down: the report among its nine perturbations",
    source: "Paper: zero-shot structure accuracy on 469 pairs of Open-I; chance is 10 %",
    about: "Four variants from the same first weights within a seed. Beside the accuracy stand its controls: the same texts with another \
            image and with the mean image. What is left there is fluency of the text, which training on the same nine families of \
            perturbations teaches; the difference is what the image gives. The paper's numbers may hold no image at all: every \
            version of its evaluation script before December 2025 compared texts with themselves and counted ties as right, which alone scores \
            some 24 to 30 %.",
    common: COMMON,
    own_data: &[("source", "folder")],
    rows: &[
        row("ConVIRT-style", &[("variant", "convirt")], &[Some(43.10)]),
        row("GLoRIA-style", &[("variant", "gloria")], &[Some(44.30)]),
        row("ours without local", &[("variant", "without-local")], &[Some(46.30)]),
        row("ours", &[("variant", "ours")], &[Some(49.00)]),
    ],
    measures: &[
        percent!("structure accuracy", "structure/accuracy"),
        percent!("with another image", "structure/wrong_image"),
        percent!("with the mean image", "structure/mean_image"),
        percent!("difference to another image", "structure/difference"),
        percent!("image finds its report first", "retrieval/report_of_image/r1"),
        percent!("left and right told", "edit/laterality"),
        percent!("left and right told, another image", "edit_wrong/laterality"),
        percent!("negation told", "edit/negation"),
    ],
    seeded: true,
    reading: PRINTED,
    cost: &COST,
    figure: Some(&STRUCTURE),
    beside: None,
};

const COMMON: &[(&str, &str)] = &[("show_every", "1000"), ("evaluate_every", "64"), ("probe", "off")];

const TABLE_1: StudySpec = StudySpec {
    id: "table-1",
    title: "Table I: which of the nine perturbations are told from the report",
    source: "Paper: table I lists the perturbations with an example each",
    about: "How often a report is above each of its perturbations. A model that counts words is at 50 % on the first eight, which keep \
            them, and far above on antonyms, which do not: one number hides this.",
    rows: VARIANTS,
    measures: &[
        percent!("shuffle all", "win/shuffle_all"),
        percent!("swap adjacent", "win/swap_adjacent"),
        percent!("reverse", "win/reverse"),
        percent!("within trigrams", "win/within_trigrams"),
        percent!("trigrams", "win/trigrams"),
        percent!("nouns and adjectives", "win/nouns_adj"),
        percent!("all but nouns and adjectives", "win/all_but_nouns_adj"),
        percent!("nouns, verbs and adjectives", "win/nouns_verbs_adj"),
        percent!("antonyms", "win/antonym"),
    ],
    reading: NO_NUMBERS,
    figure: None,
    ..TABLE_4
};

const VARIANTS: &[StudyRow] = &[
    row("ConVIRT-style", &[("variant", "convirt")], &[]),
    row("GLoRIA-style", &[("variant", "gloria")], &[]),
    row("ours without local", &[("variant", "without-local")], &[]),
    row("ours", &[("variant", "ours")], &[]),
];

/// What the probe says of effusions, in per cent; CheXpert calls them `Pleural Effusion`.
fn effusion(run: &RunState, what: &str) -> Option<f64> {
    let found = run.scalars.keys().find(|key| {
        key.strip_prefix("probe/").and_then(|key| key.strip_prefix(what)).is_some_and(|name| name.ends_with("effusion"))
    })?;
    Some(100.0 * last(run, found)?)
}

const TABLE_2: StudySpec = StudySpec {
    id: "table-2",
    title: "Table II, scaled down: findings from image vectors",
    source: "Paper: accuracy of CheXpert after fine-tuning; pleural effusion. Its 93.40 % of consolidation is what a constant answer gets",
    about: "A logistic regression for each finding on image vectors, judged on test images. Accuracy on a finding that few have says little: \
            beside it stand what the commoner answer alone would get, the balanced accuracy and the AUC.",
    common: &[("show_every", "1000"), ("evaluate_every", "1000"), ("probe", "on")],
    rows: &[
        row("ConVIRT-style", &[("variant", "convirt")], &[Some(43.60)]),
        row("GLoRIA-style", &[("variant", "gloria")], &[Some(28.89)]),
        row("ours without local", &[("variant", "without-local")], &[Some(77.80)]),
        row("ours", &[("variant", "ours")], &[Some(51.80)]),
    ],
    measures: &[
        Measure { title: "accuracy, effusion", unit: "%", of: |run, _| effusion(run, "accuracy/") },
        Measure { title: "commoner answer, effusion", unit: "%", of: |run, _| effusion(run, "commoner/") },
        Measure { title: "balanced accuracy, effusion", unit: "%", of: |run, _| effusion(run, "balanced/") },
        percent!("balanced accuracy, mean of all findings", "probe/balanced_accuracy"),
        Measure { title: "AUC, mean of all findings", unit: "", of: |run, _| last(run, "probe/auc") },
    ],
    figure: None,
    ..TABLE_4
};

const TABLE_3: StudySpec = StudySpec {
    id: "table-3",
    title: "Table III, scaled down: does one sentence follow from another?",
    source: "Paper: accuracy on RadNLI (480 pairs) after fine-tuning; on MedNLI 86.80, 86.64, 87.62 and 85.79 %, ours being the worst there",
    about: "The text encoder of each variant is fine-tuned on generated pairs of sentences, and judged on others. The article's differences \
            on RadNLI are below 2.3 points, and one standard error of 480 pairs is about 2.1.",
    common: &[("show_every", "1000"), ("evaluate_every", "1000"), ("probe", "off"), ("nli_epochs", "5")],
    rows: &[
        row("ConVIRT-style", &[("variant", "convirt")], &[Some(68.50)]),
        row("GLoRIA-style", &[("variant", "gloria")], &[Some(68.33)]),
        row("ours without local", &[("variant", "without-local")], &[Some(66.67)]),
        row("ours", &[("variant", "ours")], &[Some(68.96)]),
    ],
    measures: &[percent!("accuracy", "nli/accuracy"), percent!("commonest answer", "nli/majority")],
    figure: None,
    ..TABLE_4
};

const ORDER: StudySpec = StudySpec {
    id: "order",
    title: "Can the text encoder see order at all?",
    source: "No table of the paper: its encoder was trained before",
    about: "With and without a convolution over three words before the transformer, with and without perturbations as negatives. An encoder \
            that hardly sees order cannot tell shuffles apart, whatever the loss.",
    rows: &[
        row("convolution, ConVIRT-style", &[("variant", "convirt")], &[]),
        row("convolution, ours without local", &[("variant", "without-local")], &[]),
        row("positions alone, ConVIRT-style", &[("variant", "convirt"), ("convolution", "off")], &[]),
        row("positions alone, ours without local", &[("variant", "without-local"), ("convolution", "off")], &[]),
        row("positions alone, β = 1", &[("variant", "without-local"), ("convolution", "off"), ("beta", "1")], &[]),
    ],
    reading: NO_NUMBERS,
    ..TABLE_4
};

const GROUNDING: StudySpec = StudySpec {
    id: "grounding",
    title: "Do words look at their findings?",
    source: "No table of the paper: it shows no attention",
    about: "The pointing game over the finding words of test reports: is the strongest region in the finding's box, made wider by half a \
            region? By chance it is as often as boxes are large. It is unstable at this scale: look at the spread over seeds.",
    common: COMMON,
    rows: &[
        row("no local loss", &[("variant", "without-local")], &[]),
        row("GLoRIA's attention, weight 1", &[("variant", "gloria")], &[]),
        row("sharp attention, weight 1", &[("variant", "gloria"), ("attention", "sharp")], &[]),
        row("ours, GLoRIA's attention", &[("variant", "ours")], &[]),
        row("ours, sharp attention, α = 1", &[("variant", "ours"), ("attention", "sharp"), ("alpha", "1")], &[]),
    ],
    measures: &[
        percent!("points at the finding", "grounding/pointing"),
        percent!("by chance", "grounding/chance"),
        percent!("attention within the box", "grounding/mass"),
        Measure { title: "contrast to noise", unit: "", of: |run, _| last(run, "grounding/contrast") },
    ],
    reading: NO_NUMBERS,
    figure: None,
    ..TABLE_4
};

static STRUCTURE: Figure = Figure {
    panels: &[
        panel("Report above all its perturbations", |run| series(run, "structure/accuracy")),
        panel("The same with another image", |run| series(run, "structure/wrong_image")),
        panel("Difference: what the image gives", |run| series(run, "structure/difference")),
    ],
    ..Figure::EMPTY
};

const fn panel(title: &'static str, curve: fn(&RunState) -> Vec<[f64; 2]>) -> Panel {
    Panel {
        title,
        x: "step",
        y: "share",
        log: false,
        window: None,
        band: true,
        shows: |_| true,
        curve,
        marks: |_| Vec::new(),
    }
}

fn series(run: &RunState, key: &str) -> Vec<[f64; 2]> {
    let history = run.scalars.get(key);
    history.map_or(Vec::new(), |history| history.points().map(|(step, value)| [step as f64, value]).collect())
}

/// What a sweep measures.
pub static SWEEP: SweepSpec = SweepSpec {
    study: sweep_of(
        &[
            percent!("structure accuracy", "structure/accuracy"),
            percent!("with another image", "structure/wrong_image"),
            percent!("difference to another image", "structure/difference"),
            percent!("report of the image first", "retrieval/report_of_image/r1"),
            percent!("points at the finding", "grounding/pointing"),
        ],
        &COST,
    ),
    died: None,
    theory: None,
};

/// What the time of a run depends on.
static COST: Cost = Cost {
    free: &[
        STEPS.key(),
        RATE.key(),
        TAU.key(),
        BETA.key(),
        GLORIA_WEIGHT.key(),
        DATA_SEED.key(),
        EVALUATE_EVERY.key(),
        SHOW_EVERY.key(),
    ],
    trial: |_| vec![(EVALUATE_EVERY.key(), Value::Int(4)), (SHOW_EVERY.key(), Value::Int(1000))],
    occasions: &[Occasion {
        name: "evaluations",
        key: "structure/accuracy",
        times: |params, _, steps| every(params, &EVALUATE_EVERY, steps),
    }],
};

/// How often something happens that does so every so many steps, and at the last one.
fn every(params: &Params, every: &Int, steps: u64) -> f64 {
    steps.div_ceil(every.of(params).max(1) as u64) as f64
}
