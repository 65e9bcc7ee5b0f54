//! Tables and figures of the paper as studies, scaled down on generated pictures. The paper's numbers were measured on Messidor, 238
//! test pictures, whose intervals of 95 % are about ±5 points wide.

use crate::engine::params::{Params, Value};
use crate::engine::state::RunState;
use crate::engine::study::{Measure, NO_NUMBERS, PRINTED, StudyRow, StudySpec, last, row};
use crate::engine::study_cost::{Cost, Occasion};
use crate::engine::study_figure::{Figure, Panel};
use crate::engine::table::Int;

use super::active::by_labels;
use super::params::{
    DATA_SEED, LABELLED_SHARE, LAMBDA, PULL_EVERY, QUERY_EVERY, REBUILD_EVERY, STEPS, VALIDATE_EVERY, WRONG,
};

/// Every study of the lab.
pub static STUDIES: &[StudySpec] = &[TABLE_2, BALANCE, ACTIVE];

/// Per cent, as the paper counts.
const BEST: Measure = Measure {
    title: "test accuracy, best of the run",
    unit: "%",
    of: |run, _| Some(100.0 * best(run, "accuracy/test")?.1),
};
const CHOSEN: Measure = Measure {
    title: "test accuracy where validation is best",
    unit: "%",
    of: |run, _| {
        let (step, _) = best(run, "accuracy/validation")?;
        Some(100.0 * run.scalars.get("accuracy/test")?.at(step)?.1)
    },
};
const AUC: Measure = Measure { title: "test AUC, last", unit: "", of: |run, _| last(run, "auc/test") };
const EARLY: Measure = Measure {
    title: "test AUC after a third of the steps",
    unit: "",
    of: |run, _| Some(run.scalars.get("auc/test")?.at(run.step / 3)?.1),
};
const UNSEEN: Measure =
    Measure { title: "AUC of the unseen hospital, last", unit: "", of: |run, _| last(run, "auc/unseen") };
const MSE: Measure = Measure { title: "MSE of test pictures, last", unit: "", of: |run, _| last(run, "mse/test") };
const LAST_LAMBDA: Measure = Measure { title: "λ, last", unit: "", of: |run, _| last(run, "lambda") };
const CONFLICT: Measure = Measure {
    title: "measurements in which the losses conflict",
    unit: "%",
    of: |run, _| {
        let cosines: Vec<f64> = run.scalars.get("gradient/cosine")?.points().map(|(_, cosine)| cosine).collect();
        let below = cosines.iter().filter(|cosine| **cosine < 0.0).count();
        (!cosines.is_empty()).then(|| 100.0 * below as f64 / cosines.len() as f64)
    },
};

/// Of a run that asks for labels: what its test AUC was last when it had so many.
const AT_24: Measure = Measure { title: "test AUC at 24 labels", unit: "", of: |run, _| auc_at(run, 24.0) };
const AT_48: Measure = Measure { title: "test AUC at 48 labels", unit: "", of: |run, _| auc_at(run, 48.0) };
const AT_72: Measure = Measure { title: "test AUC at 72 labels", unit: "", of: |run, _| auc_at(run, 72.0) };
const WHOLE: Measure = Measure {
    title: "test AUC, mean over 12 to 72 labels",
    unit: "",
    of: |run, _| {
        let points = auc_by_labels(run);
        let area: f64 = points.windows(2).map(|w| 0.5 * (w[0][1] + w[1][1]) * (w[1][0] - w[0][0])).sum();
        let width = points.last()?[0] - points.first()?[0];
        (width > 0.0).then(|| area / width)
    },
};

fn auc_by_labels(run: &RunState) -> Vec<[f64; 2]> {
    by_labels(run, "", "auc/test", u64::MAX)
}

fn auc_at(run: &RunState, labels: f64) -> Option<f64> {
    auc_by_labels(run).into_iter().find(|[count, _]| *count == labels).map(|[_, auc]| auc)
}

/// The first of the largest values of a measurement, and its step.
fn best(run: &RunState, key: &str) -> Option<(u64, f64)> {
    let points = run.scalars.get(key)?.points();
    points.filter(|(step, _)| *step > 0).reduce(|best, other| if other.1 > best.1 { other } else { best })
}

const TABLE_2: StudySpec = StudySpec {
    id: "table-2",
    title: "Table 2 and figure 6a, scaled down: do unlabelled pictures help?",
    source: "Paper: best accuracy over 150 epochs on the test set, AECL1 on Messidor (λ = 400, of a scale that it does not give)",
    about: "All routines take the same updates from the same labels and first weights within a seed. The paper's number is the best \
            accuracy on the test set itself; beside it stands the one that validation would have chosen, and the AUC, which needs no \
            threshold. Its gain of 1.68 points is 4 pictures of 238. In our three seeds of a sketch in PyTorch unlabelled data made \
            learning faster and did not raise the final AUC.",
    common: &[],
    rows: &[
        row("supervised only (CL1)", &[("routine", "supervised")], &[Some(74.79)]),
        row("AE then CL", &[("routine", "ae-then-cl")], &[Some(76.47)]),
        row("AE-CL combined", &[("routine", "combined")], &[Some(73.53)]),
        row("labelled also rebuilt", &[("routine", "labelled-also")], &[]),
    ],
    measures: &[BEST, CHOSEN, AUC, EARLY, UNSEEN],
    seeded: true,
    reading: PRINTED,
    cost: &COST,
    figure: Some(&ACCURACY),
};

const BALANCE: StudySpec = StudySpec {
    id: "balance",
    title: "How λ is chosen: fixed, eq. (4) as printed, and what it was meant to be",
    source: "Paper: section 6 proposes eq. (4) for future work",
    about: "As printed, eq. (4) divides by the last λ and jumps between two values for ever. Balanced without that division, λ goes to \
            the ratio of both gradients, which on numbers from 0 to 1 is far below 1: the reconstruction then counts more than with \
            λ = 0.3.",
    common: &[("gradients_every", "1")],
    rows: &[
        row("fixed, λ = 0.3", &[], &[]),
        row("eq. (4) as printed", &[("lambda_rule", "literal"), ("lambda", "0.1")], &[]),
        row("balanced", &[("lambda_rule", "balanced"), ("lambda", "0.1")], &[]),
        row("balanced, smoothed", &[("lambda_rule", "smoothed"), ("lambda", "0.1")], &[]),
        row("GradNorm", &[("lambda_rule", "gradnorm"), ("lambda", "0.1")], &[]),
    ],
    measures: &[AUC, MSE, LAST_LAMBDA, CONFLICT],
    seeded: true,
    reading: NO_NUMBERS,
    cost: &COST,
    figure: Some(&LAMBDAS),
};

const ACTIVE: StudySpec = StudySpec {
    id: "active-learning",
    title: "Active learning: is a label worth more where the network is unsure?",
    source: "Ours, on generated pictures; scores after Houlsby et al. 2011 (BALD) and Sener and Savarese 2018 (k-centre)",
    about: "Every run begins with the same 12 labels within a seed and asks an oracle for 12 more after every 80 \
            steps, up to 72; what differs is which. Optimizers forget at each round, weights stay. Half of the batches \
            are labelled. Random choice is what the others have to beat: differences between two scores below the \
            spread of seeds are none. Margin orders two classes as entropy does, so that both rows are one run; BALD's \
            dropout is in no training step.",
    common: &[
        ("labelled_share", "0.2"),
        ("loop_shorter", "on"),
        ("query_every", "80"),
        ("query_count", "12"),
        ("steps", "480"),
        ("validate_every", "40"),
        ("rebuild_every", "480"),
        ("gradients_every", "10000"),
        ("learning_rate", "0.002"),
    ],
    rows: &[
        row("random", &[("query", "random")], &[]),
        row("entropy", &[("query", "entropy")], &[]),
        row("margin", &[("query", "margin")], &[]),
        row("BALD", &[("query", "bald")], &[]),
        row("k-centre", &[("query", "k-centre")], &[]),
        row("reconstruction error", &[("query", "reconstruction")], &[]),
    ],
    measures: &[WHOLE, AT_24, AT_48, AT_72],
    seeded: true,
    reading: NO_NUMBERS,
    cost: &ASKING,
    figure: Some(&BY_LABELS),
};

static BY_LABELS: Figure = Figure {
    gallery: None,
    panels: &[
        Panel { x: "labels", ..against_step("AUC of test pictures", "area", false, auc_by_labels) },
        Panel {
            x: "labels",
            ..against_step("Accuracy of test pictures at 0.5", "share", false, |run| {
                by_labels(run, "", "accuracy/test", u64::MAX)
            })
        },
    ],
};

static ACCURACY: Figure = Figure {
    gallery: None,
    panels: &[
        against_step("Accuracy of test pictures at 0.5", "share", false, |run| series(run, "accuracy/test")),
        against_step("AUC of test pictures", "area", false, |run| series(run, "auc/test")),
    ],
};

static LAMBDAS: Figure = Figure {
    gallery: None,
    panels: &[
        against_step("λ", "weight of L_cl", true, |run| series(run, "lambda")),
        against_step("AUC of test pictures", "area", false, |run| series(run, "auc/test")),
    ],
};

const fn against_step(title: &'static str, y: &'static str, log: bool, curve: fn(&RunState) -> Vec<[f64; 2]>) -> Panel {
    let shows: fn(&StudyRow) -> bool = |_| true;
    Panel { title, x: "step", y, log, window: None, shows, curve, marks: |_| Vec::new() }
}

fn series(run: &RunState, key: &str) -> Vec<[f64; 2]> {
    let history = run.scalars.get(key);
    history.map_or(Vec::new(), |history| history.points().map(|(step, value)| [step as f64, value]).collect())
}

/// What the time of a run depends on.
static COST: Cost = Cost {
    free: &[
        STEPS.key(),
        LAMBDA.key(),
        LABELLED_SHARE.key(),
        DATA_SEED.key(),
        WRONG.key(),
        VALIDATE_EVERY.key(),
        REBUILD_EVERY.key(),
    ],
    trial: |_| {
        vec![
            (VALIDATE_EVERY.key(), Value::Int(4)),
            (REBUILD_EVERY.key(), Value::Int(1000)),
            (PULL_EVERY.key(), Value::Int(1)),
        ]
    },
    occasions: &[Occasion {
        name: "validations",
        key: "accuracy/test",
        times: |params, _, steps| every(params, &VALIDATE_EVERY, steps),
    }],
};

/// The same of runs that ask for labels.
static ASKING: Cost = Cost {
    free: COST.free,
    trial: |_| {
        vec![
            (VALIDATE_EVERY.key(), Value::Int(4)),
            (REBUILD_EVERY.key(), Value::Int(1000)),
            (QUERY_EVERY.key(), Value::Int(2)),
        ]
    },
    occasions: &[
        Occasion {
            name: "validations",
            key: "accuracy/test",
            times: |params, _, steps| every(params, &VALIDATE_EVERY, steps),
        },
        Occasion { name: "rounds", key: "pool", times: |params, _, steps| every(params, &QUERY_EVERY, steps) - 1.0 },
    ],
};

/// How often something happens that does so every so many steps, and at the last one.
fn every(params: &Params, every: &Int, steps: u64) -> f64 {
    steps.div_ceil(every.of(params).max(1) as u64) as f64
}
