//! Tables and figures of the paper as studies, scaled down on generated pictures. The paper's numbers were measured on Messidor, 238
//! test pictures, whose intervals of 95 % are about ±5 points wide.

use crate::engine::params::{Params, Value};
use crate::engine::state::RunState;
use crate::engine::study::{Measure, NO_NUMBERS, PRINTED, StudyRow, StudySpec, last, row};
use crate::engine::study_cost::{Cost, Occasion};
use crate::engine::study_figure::{Figure, Gallery, Mark, Panel, Parallel};
use crate::engine::sweep::{SweepSpec, sweep_of};
use crate::engine::table::Int;

use super::active::by_labels;
use super::compare::{self, Reported};
use super::gallery;
use super::params::{
    DATA_SEED, DECAY, LABELLED_SHARE, LAMBDA, MOMENTUM, OPTIMIZER_KEY, PULL_EVERY, QUERY_EVERY, RATE, REBUILD_EVERY,
    SOURCE, STEPS, VALIDATE_EVERY, WRONG,
};

/// Every study of the lab.
pub static STUDIES: &[StudySpec] =
    &[TABLE_1, MINI_GRID, TABLE_2, FIGURE_3, FIGURE_4, FIGURE_5, FIGURE_6, BALANCE, ACTIVE];

/// With a folder of photographs its pictures are learned from, as far as a row needs no others.
const OWN: &[(&str, &str)] = &[(SOURCE.key(), "folder")];

/// Per cent, as the paper counts.
/// What a sweep measures.
pub static SWEEP: SweepSpec =
    SweepSpec { study: sweep_of(&[AUC, LAST, VALIDATION_AUC, VALIDATION, MSE], &COST), died: None, theory: None };

const BEST: Measure = Measure {
    title: "test accuracy, best of the run",
    unit: "%",
    of: |run, _| Some(100.0 * Reported::until(run, run.step)?.best.1),
};
const CHOSEN: Measure = Measure {
    title: "test accuracy where validation is best",
    unit: "%",
    of: |run, _| Some(100.0 * Reported::until(run, run.step)?.chosen?.1),
};
const LAST: Measure = Measure {
    title: "test accuracy, last",
    unit: "%",
    of: |run, _| Some(100.0 * Reported::until(run, run.step)?.last.1),
};
const VALIDATION: Measure = Measure {
    title: "validation accuracy, last",
    unit: "%",
    of: |run, _| Some(100.0 * last(run, "accuracy/validation")?),
};
const VALIDATION_AUC: Measure =
    Measure { title: "validation AUC, last", unit: "", of: |run, _| last(run, "auc/validation") };
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
    measures: &[BEST, CHOSEN, LAST, AUC, EARLY, UNSEEN],
    seeded: true,
    reading: PRINTED,
    cost: &COST,
    figure: Some(&ACCURACY),
    beside: Some(&compare::ROUTINES),
    own_data: OWN,
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
    beside: None,
    own_data: OWN,
};

const fn setting(label: &'static str, set: &'static [(&'static str, &'static str)]) -> StudyRow {
    row(label, set, &[])
}

/// The runs of a grid, axis by axis: `grid!(every learning rate; every momentum; every weight decay)`, each with and without
/// Nesterov's momentum.
macro_rules! grid {
    ($($rate:literal)*; $momenta:tt; $decays:tt) => { [$(grid!(@momenta $rate $momenta $decays)),*] };
    (@momenta $rate:literal [$($momentum:literal)*] $decays:tt) => {
        [$([grid!(@decays $rate $momentum "sgd" "" $decays), grid!(@decays $rate $momentum "nesterov" " Nesterov" $decays)]),*]
    };
    (@decays $rate:literal $momentum:literal $rule:literal $named:literal [$($decay:literal)*]) => {
        [$(setting(
            concat!("η ", $rate, ", μ ", $momentum, $named, ", decay ", $decay),
            &[("learning_rate", $rate), ("momentum", $momentum), ("optimizer", $rule), ("weight_decay", $decay)],
        )),*]
    };
}

/// Learning rate, momentum, rule, weight decay.
static GRID: [[[[StudyRow; 4]; 2]; 3]; 4] =
    grid!("0.002" "0.003" "0.004" "0.005"; ["0.1" "0.5" "0.9"]; ["1e-7" "1e-5" "0.01" "0.1"]);
static SMALL_GRID: [[[[StudyRow; 1]; 2]; 2]; 2] = grid!("0.002" "0.005"; ["0.1" "0.9"]; ["1e-5"]);

const TABLE_1: StudySpec = StudySpec {
    id: "table-1",
    title: "Table 1, scaled down: the grid search of 96 runs",
    source: "Paper: AERes18 on Messidor at 512 pixels; modal values of the runs by percentile rank of their accuracy",
    about: "The paper's grid on AECL1-mini with 60 labelled and 60 unlabelled generated pictures of 32 pixels, 500 updates a run, \
            λ = 3. Which setting is best depends on how long one trains: in runs this short the fastest win. 96 runs of one seed \
            each are what the paper has (--seeds 1, or one seed in the window). Interrupted, the search goes on where it was.",
    common: &[
        ("image_size", "32"),
        ("unlabelled_images", "60"),
        ("validation_images", "120"),
        ("test_images", "60"),
        ("unseen_images", "0"),
        ("lambda", "3"),
        ("optimizer", "sgd"),
        ("steps", "500"),
        ("validate_every", "250"),
        ("rebuild_every", "500"),
        ("gradients_every", "1000"),
    ],
    rows: GRID.as_flattened().as_flattened().as_flattened(),
    measures: &[VALIDATION, VALIDATION_AUC],
    seeded: true,
    reading: NO_NUMBERS,
    cost: &COST,
    figure: Some(&SETTINGS),
    beside: Some(&compare::GRID),
    own_data: OWN,
};

const MINI_GRID: StudySpec = StudySpec {
    id: "mini-grid",
    title: "Table 1 in eight runs",
    about: "The corners of the paper's grid at its weight decay of 1e-5: two learning rates, two momenta, with and without Nesterov's. \
            Eight runs fill table 1 with one or no run a row; it shows how the search works, not which setting is best.",
    rows: SMALL_GRID.as_flattened().as_flattened().as_flattened(),
    ..TABLE_1
};

static SETTINGS: Figure = Figure {
    parallel: Some(Parallel {
        title: "Settings and what they reach",
        keys: &[RATE.key(), MOMENTUM.key(), OPTIMIZER_KEY, DECAY.key()],
        measure: 0,
    }),
    ..Figure::EMPTY
};

const FIGURE_3: StudySpec = StudySpec {
    id: "figure-3",
    title: "Figure 3: which batches have labels, and what they cost",
    source: "Paper: AE-CL combined over 80 epochs, every tenth of some 180 batches; about 48 % of its cells are white",
    about: "A column an epoch, a cell a batch, drawn without replacement from both sets in one order. The share of white follows from \
            the sizes of the sets: here 34 of 39 batches an epoch. The paper's sets are not known from its figure. The tile Batches \
            shows the same of any run, to be pointed at.",
    common: &[("validate_every", "117"), ("rebuild_every", "936")],
    rows: &[setting("AE-CL combined", &[])],
    measures: &[
        Measure {
            title: "batches without labels",
            unit: "%",
            of: |run, _| {
                let table = run.tables.get("strip").filter(|table| table.columns == 4 && !table.data.is_empty())?;
                let without = table.data.chunks_exact(4).filter(|row| row[2] == 0.0).count();
                Some(400.0 * without as f64 / table.data.len() as f64)
            },
        },
        AUC,
    ],
    seeded: true,
    reading: NO_NUMBERS,
    cost: &COST,
    figure: Some(&STRIP),
    beside: None,
    own_data: OWN,
};

static STRIP: Figure = Figure {
    gallery: Some(Gallery {
        title: "Epochs to the right, batches upwards: L_cl from 0 (dark) to 1 (bright), white without labels",
        columns: 1,
        picture: gallery::strip,
    }),
    ..Figure::EMPTY
};

const FIGURE_4: StudySpec = StudySpec {
    id: "figure-4",
    title: "Figure 4: what is left of a picture",
    source: "Paper: one fundus photograph of 512 pixels rebuilt by AECL1 and by AERes18, whose code is 512 numbers (1536:1): colour and \
             illumination stay, vessels and lesions vanish; no number is printed",
    about: "Test pictures with the highest grades, beside each its reconstruction after the last step. AERes18 takes fewer updates of \
            smaller batches, since a step costs many times as much here. The tile “Original, reconstruction, error” shows this of any run, with lesions.",
    common: &[("validate_every", "468"), ("rebuild_every", "117"), ("validation_images", "0"), ("unseen_images", "0")],
    rows: &[
        setting("AECL1", &[("steps", "468")]),
        setting("AERes18", &[("network", "aeres18"), ("batch_size", "4"), ("steps", "117")]),
    ],
    measures: &[MSE, AUC],
    seeded: true,
    reading: NO_NUMBERS,
    cost: &COST,
    figure: Some(&REBUILT),
    beside: None,
    own_data: OWN,
};

static REBUILT: Figure = Figure {
    gallery: Some(Gallery {
        title: "Original and reconstruction, three test pictures",
        columns: 6,
        picture: gallery::rebuilt,
    }),
    ..Figure::EMPTY
};

/// Small enough for ResNet-18 on two cores.
const SMALL: &[(&str, &str)] = &[
    ("image_size", "32"),
    ("unlabelled_images", "120"),
    ("steps", "100"),
    ("phase_steps", "35"),
    ("validate_every", "10"),
    ("validation_images", "30"),
    ("test_images", "100"),
    ("rebuild_every", "100"),
    ("unseen_images", "0"),
];

const FIGURE_5: StudySpec = StudySpec {
    id: "figure-5",
    title: "Figure 5, scaled down: baselines from random weights",
    source: "Paper: test accuracy on Messidor over 150 epochs. Pretrained on ImageNet, which no network is here, it shows about 88 % \
             (InceptionV3), 87 % (ResNet-18) and 84 % (Res18), and InceptionV3 from random weights about 55 %",
    about: "Supervised only, 60 labelled generated pictures of 32 pixels, 20 epochs in batches of 12 (the paper: 48). The two networks \
            with ResNet-18 descend as in the paper; CL1 by Adam at 1e-3, since at the paper's 5e-6 nothing would move in runs this \
            short. InceptionV3 needs pictures of 128 pixels or more and is left to a run of one’s own (network=inceptionv3).",
    common: SMALL,
    rows: &[
        row(
            "ResNet-18",
            &[("routine", "supervised"), ("network", "resnet18"), ("optimizer", "nesterov"), ("weight_decay", "0.01")],
            &[Some(65.0)],
        ),
        row(
            "Res18",
            &[
                ("routine", "supervised"),
                ("network", "aeres18"),
                ("optimizer", "sgd"),
                ("learning_rate", "0.004"),
                ("weight_decay", "1e-5"),
            ],
            &[Some(62.0)],
        ),
        row("CL1", &[("routine", "supervised")], &[Some(70.0)]),
    ],
    measures: &[LAST, BEST, AUC],
    seeded: true,
    reading: "last values read off figures 5 and 6a, ±2 points.",
    cost: &COST,
    figure: Some(&BASELINES),
    beside: Some(&compare::NETWORKS),
    own_data: OWN,
};

static BASELINES: Figure = Figure {
    panels: &[Panel {
        marks: |row| {
            row.paper.first().copied().flatten().map(|percent| Mark::End(percent / 100.0)).into_iter().collect()
        },
        ..panel("Accuracy of test pictures at 0.5", "epoch", "share", by_epoch)
    }],
    ..Figure::EMPTY
};

/// AERes18 with the paper's descent and further values.
macro_rules! residual {
    [$($key:literal = $value:literal),*] => {
        &[("network", "aeres18"), ("optimizer", "sgd"), ("learning_rate", "0.004"), ("weight_decay", "1e-5"), $(($key, $value)),*]
    };
}

const FIGURE_6: StudySpec = StudySpec {
    id: "figure-6",
    title: "Figure 6, scaled down: two routines on two encoders",
    source: "Paper: test accuracy over 150 (a) and 130 (b) epochs on Messidor, its best values those of table 2. Its Res18 starts from \
             ImageNet's weights; AECL1's curve is of another test split than the others, by its plateaus",
    about: "The same updates for all, on generated pictures of 32 pixels and from random weights, so that levels do not compare with \
            the paper's. In the paper every variant of a ends between 65 and 75 %, AERes18 learns fastest in b, and the curves \
            start with plateaus of one answer for all.",
    common: SMALL,
    rows: &[
        row("a: CL1", &[("routine", "supervised")], &[Some(74.79)]),
        row("a: AE then CL1", &[("routine", "ae-then-cl")], &[Some(76.47)]),
        row("a: AECL1", &[], &[Some(73.53)]),
        row("b: Res18", residual!["routine" = "supervised"], &[Some(86.97)]),
        row("b: AE then Res18", residual!["routine" = "ae-then-cl"], &[Some(89.08)]),
        row("b: AERes18", residual![], &[Some(89.08)]),
    ],
    measures: &[BEST, CHOSEN, LAST, AUC],
    seeded: true,
    reading: PRINTED,
    cost: &COST,
    figure: Some(&ENCODERS),
    beside: Some(&compare::NETWORKS),
    own_data: OWN,
};

static ENCODERS: Figure = Figure {
    panels: &[
        Panel { shows: |row| row.label.starts_with("a: "), ..accuracy("a: AECL1, accuracy of test pictures at 0.5") },
        Panel { shows: |row| row.label.starts_with("b: "), ..accuracy("b: AERes18, accuracy of test pictures at 0.5") },
    ],
    ..Figure::EMPTY
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
    beside: None,
    own_data: OWN,
};

static BY_LABELS: Figure = Figure {
    panels: &[
        panel("AUC of test pictures", "labels", "area", auc_by_labels),
        panel("Accuracy of test pictures at 0.5", "labels", "share", |run| {
            by_labels(run, "", "accuracy/test", u64::MAX)
        }),
    ],
    ..Figure::EMPTY
};

static ACCURACY: Figure = Figure {
    panels: &[
        accuracy("Accuracy of test pictures at 0.5"),
        panel("AUC of test pictures", "step", "area", |run| series(run, "auc/test")),
    ],
    ..Figure::EMPTY
};

static LAMBDAS: Figure = Figure {
    panels: &[
        // Labelled batches are at other steps with every seed.
        Panel { log: true, band: false, ..panel("λ", "step", "weight of L_cl", |run| series(run, "lambda")) },
        panel("AUC of test pictures", "step", "area", |run| series(run, "auc/test")),
    ],
    ..Figure::EMPTY
};

const fn accuracy(title: &'static str) -> Panel {
    panel(title, "step", "share", |run| series(run, "accuracy/test"))
}

const fn panel(title: &'static str, x: &'static str, y: &'static str, curve: fn(&RunState) -> Vec<[f64; 2]>) -> Panel {
    Panel { title, x, y, log: false, window: None, band: true, shows: |_| true, curve, marks: |_| Vec::new() }
}

/// Accuracy of test pictures against the epoch.
fn by_epoch(run: &RunState) -> Vec<[f64; 2]> {
    let epoch = |step: f64| run.scalars.get("epoch").and_then(|epochs| epochs.at(step as u64)).map_or(0.0, |at| at.1);
    series(run, "accuracy/test").into_iter().map(|[step, share]| [epoch(step), share]).collect()
}

fn series(run: &RunState, key: &str) -> Vec<[f64; 2]> {
    let history = run.scalars.get(key);
    history.map_or(Vec::new(), |history| history.points().map(|(step, value)| [step as f64, value]).collect())
}

/// What the time of a run depends on.
static COST: Cost = Cost {
    free: &[
        STEPS.key(),
        RATE.key(),
        DECAY.key(),
        MOMENTUM.key(),
        OPTIMIZER_KEY,
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
