//! Tables and figures of the paper as studies, each twice: scaled down on generated images, and (`-own`, with `--data`) in
//! the paper's own setting on BUSI or one's own folder. The paper's numbers were measured on 416 training, 140 validation
//! and 140 test images of 348 patients, which are not public; three seeds.

mod folds;

use crate::data::segmentation::read;
use crate::engine::event::Payload;
use crate::engine::params::{Params, Value};
use crate::engine::state::RunState;
use crate::engine::study::{Measure, NO_NUMBERS, PRINTED, StudyRow, StudySpec, last, row};
use crate::engine::study_beside::{Beside, SideTable};
use crate::engine::study_cost::{Cost, Occasion};
use crate::engine::study_figure::{Figure, Gallery, Picture};
use crate::engine::sweep::{SweepSpec, sweep_of};
use crate::nn::segmentation::count::{Count, count};
use crate::pixels::mask::Mask;

use super::paper;
use super::params::{
    self, EARLY_STOPPING, IMAGE_SIZE, LEARNING_RATE, LEAST_EPOCHS, LOSS_EVERY, PLATEAU, PLATEAU_PATIENCE, STEPS,
    STOP_PATIENCE, VALIDATE_EVERY, WEIGHT_DECAY, net_spec,
};
use super::pipeline::Pipeline;
use super::predict::overlay::overlay;
use super::presets::paper_setting;

/// Every study of the lab.
pub static STUDIES: &[StudySpec] = &[
    TABLE_2,
    TABLE_2_OWN,
    TABLE_1,
    TABLE_1_OWN,
    LADDER,
    LADDER_OWN,
    FIGURE_2,
    FIGURE_2_OWN,
    SIZE_DICE,
    CALIPERS,
    folds::K_FOLD,
    folds::K_FOLD_10,
];

/// What a sweep measures.
pub static SWEEP: SweepSpec = SweepSpec {
    study: sweep_of(&[DICE, VALIDATION, HD95, UNDEFINED, PARAMETERS, GMAC, SECONDS], &COST),
    died: None,
    theory: None,
};

const DICE: Measure = Measure { title: "test Dice", unit: "", of: |run, _| last(run, "test/dice") };
const HD95: Measure = Measure { title: "test HD95 (medpy)", unit: "pixels or mm", of: |run, _| last(run, "test/hd95") };
const UNDEFINED: Measure =
    Measure { title: "test images without HD95", unit: "images", of: |run, _| last(run, "test/undefined") };
const VALIDATION: Measure =
    Measure { title: "validation Dice of the last step", unit: "", of: |run, _| last(run, "dice/final") };
const PARAMETERS: Measure = Measure { title: "parameters", unit: "", of: |run, _| Some(size(run)?.parameters as f64) };
const GMAC: Measure = Measure { title: "multiply-adds", unit: "GMAC an image", of: |run, _| Some(size(run)?.gmac()) };
const MEMORY: Measure =
    Measure { title: "convolution outputs", unit: "MiB an image", of: |run, _| Some(size(run)?.activation_mib()) };
/// Validation and evaluation of the run included.
const SECONDS: Measure = Measure {
    title: "time a step, with validation",
    unit: "ms",
    of: |run, _| (run.step > 0).then(|| 1000.0 * run.seconds / run.step as f64),
};

fn size(run: &RunState) -> Option<Count> {
    let params = &run.header.as_ref()?.params;
    let side = IMAGE_SIZE.of(params) as usize;
    Some(count(&net_spec(params), side, side).ok()?.total)
}

const PAPER: &str = "Paper: test set of 140 ultrasound images of tumours of several kinds (416 for training) at 256×256, width 64, \
                     three seeds; HD95 in pixels of 380×646 or 432×646 images";
const SCALED: &str = "Generated images of about 116×106 pixels at 64×64, width 8 and C scaled alike: the paper's @128 is @16 \
                      here, and its @4, @2 and @1 would need groups of less than one channel. Numbers of parameters and pixels are not the paper's; compare the order, and mind the spread. Three \
                      seeds gave a test Dice of .84 down to @8, .82 for @4 and @2, .77 for @1, with spreads of .01 to .04.";
const OWN: &str = "The paper's recipe and widths on your folder (`--data`): 256×256, Dice loss, Adam 1e-4, plateau, early \
                   stopping after 15 epochs, decay per network where the released weights tell it (else 1e-4). No network is \
                   pretrained. Dice is without smoothing, which learns nothing from images without lesion, and one part is \
                   kept: on BUSI leave its `normal` images out (`--set leave_out=normal`), and its 17 images with several lesions count against every \
                   network alike.";

const TABLE: &[Measure] = &[DICE, HD95, UNDEFINED, PARAMETERS, SECONDS];

/// The seven cumulative rungs. `ladder!(Adam's learning rate, steps of batch 8)`
macro_rules! ladder {
    ($rate:literal, $steps:literal) => {
        &[
            row("0: BCE, SGD, batch 2", &[], &[Some(0.855)]),
            row("1: + augmentation", &[("augment", "on")], &[Some(0.877)]),
            row("2: BCE to Dice loss", &[("augment", "on"), ("loss", "dice")], &[Some(0.891)]),
            row("3: SGD to Adam", &ladder!(@adam $rate), &[Some(0.911)]),
            row("4: + plateau", &ladder!(@adam $rate, ("plateau", "on")), &[Some(0.917)]),
            row(
                "5: batch 2 to 8",
                &ladder!(@adam $rate, ("plateau", "on"), ("batch_size", "8"), ("steps", $steps)),
                &[Some(0.928)],
            ),
            row(
                "6: decay 0 to 1e-4",
                &ladder!(
                    @adam $rate, ("plateau", "on"), ("batch_size", "8"), ("steps", $steps), ("weight_decay", "0.0001")
                ),
                &[Some(0.929)],
            ),
        ]
    };
    (@adam $rate:literal $(, $more:expr)*) => {
        [("augment", "on"), ("loss", "dice"), ("optimizer", "adam"), ("learning_rate", $rate), $($more),*]
    };
}

/// `row!("label", [key = value, ..], dice, std, hd95, std)`
macro_rules! row {
    ($label:literal, [$($key:literal = $value:literal),*], $dice:literal, $dice_std:literal, $hd:literal, $hd_std:literal) => {
        StudyRow {
            paper_std: &[Some($dice_std), Some($hd_std)],
            ..row($label, &[$(($key, $value)),*], &[Some($dice), Some($hd)])
        }
    };
}

const TABLE_2_ROWS: &[StudyRow] = &[
    row!("U-net", ["architecture" = "unet"], 0.929, 0.002, 13.92, 0.34),
    row!("Light U-net", ["architecture" = "light"], 0.927, 0.001, 14.16, 0.47),
    row!(
        "Lighter U-net @16 (the paper's @128)",
        ["architecture" = "lighter", "group" = "16"],
        0.928,
        0.001,
        13.93,
        0.50
    ),
    row!("Lighter U-net @8 (the paper's @64)", ["architecture" = "lighter", "group" = "8"], 0.926, 0.001, 14.21, 0.24),
    row!("Lighter U-net @4 (the paper's @32)", ["architecture" = "lighter", "group" = "4"], 0.926, 0.001, 14.51, 0.09),
    row!("Lighter U-net @2 (the paper's @16)", ["architecture" = "lighter", "group" = "2"], 0.922, 0.003, 15.18, 0.43),
    row!("Lighter U-net @1 (the paper's @8)", ["architecture" = "lighter", "group" = "1"], 0.921, 0.002, 15.14, 0.43),
];

const TABLE_2_OWN_ROWS: &[StudyRow] = &[
    row!("U-net", ["architecture" = "unet"], 0.929, 0.002, 13.92, 0.34),
    row!("Light U-net", ["architecture" = "light", "weight_decay" = "0.001"], 0.927, 0.001, 14.16, 0.47),
    row!("Lighter U-net @128", ["architecture" = "lighter", "group" = "128"], 0.928, 0.001, 13.93, 0.50),
    row!("Lighter U-net @64", ["architecture" = "lighter", "group" = "64"], 0.926, 0.001, 14.21, 0.24),
    row!("Lighter U-net @32", ["architecture" = "lighter", "group" = "32"], 0.926, 0.001, 14.51, 0.09),
    row!("Lighter U-net @16", ["architecture" = "lighter", "group" = "16"], 0.922, 0.003, 15.18, 0.43),
    row!("Lighter U-net @8", ["architecture" = "lighter", "group" = "8"], 0.921, 0.002, 15.14, 0.43),
    row!("Lighter U-net @4", ["architecture" = "lighter", "group" = "4"], 0.920, 0.003, 15.22, 0.58),
    row!("Lighter U-net @2", ["architecture" = "lighter", "group" = "2"], 0.920, 0.001, 15.52, 0.19),
    row!(
        "Lighter U-net @1",
        ["architecture" = "lighter", "group" = "1", "weight_decay" = "0.01"],
        0.917,
        0.001,
        15.98,
        0.23
    ),
];

const TABLE_1_ROWS: &[StudyRow] = &[
    row!("DeepLab v3+ (MobileNetV2)", ["architecture" = "deeplab-mobilenetv2"], 0.904, 0.003, 16.88, 0.47),
    row!("DeepLab v3+ (ResNet-101)", ["architecture" = "deeplab-resnet101"], 0.922, 0.003, 14.32, 0.63),
    row!("FCN-32s", ["architecture" = "fcn-32s"], 0.909, 0.005, 15.89, 0.81),
    row!("FCN-16s", ["architecture" = "fcn-16s"], 0.920, 0.003, 14.88, 0.42),
    row!("FCN-8s", ["architecture" = "fcn-8s"], 0.924, 0.001, 14.37, 0.16),
    row!("U-net", ["architecture" = "unet"], 0.929, 0.002, 13.92, 0.34),
];

/// The paper's table as it is, with our counts.
static COUNTS: Beside = Beside {
    keep: None,
    tables: &[SideTable {
        title: "Table 2 as printed, and our counts of its networks",
        about: "Trained parameters at width 64 and 3 channels. ✔: the same to the last digit. Dice and HD95 are the paper's, on its own \
                data; mean ± std of three seeds.",
        heads: &["network", "paper's parameters", "ours", "", "paper's Dice", "paper's HD95 [pixels]"],
        lines: |_| paper::table_2().iter().map(paper::Counted::cells).collect(),
    }],
};

const TABLE_2: StudySpec = StudySpec {
    id: "table-2",
    title: "Table 2, scaled down: U-net and its lighter variants",
    source: PAPER,
    about: SCALED,
    common: &[("learning_rate", "0.002"), ("steps", "450")],
    rows: TABLE_2_ROWS,
    measures: TABLE,
    seeded: true,
    reading: PRINTED,
    cost: &COST,
    figure: None,
    beside: Some(&COUNTS),
    own_data: &[],
};

const TABLE_2_OWN: StudySpec = StudySpec {
    id: "table-2-own",
    title: "Table 2 in the paper's setting",
    about: OWN,
    common: paper_setting!["weight_decay" = "0.0001"],
    rows: TABLE_2_OWN_ROWS,
    ..TABLE_2
};

const TABLE_1: StudySpec = StudySpec {
    id: "table-1",
    title: "Table 1, scaled down: other architectures",
    source: PAPER,
    about: "FCN and DeepLab have no width to scale: they are at full size here, on generated images at 64×64 and for 180 \
            steps only, none pretrained. The U-net has width 16. What is measured says how fast they learn, not how well \
            they end.",
    common: &[("learning_rate", "0.001"), ("steps", "180"), ("base", "16")],
    rows: TABLE_1_ROWS,
    measures: TABLE,
    seeded: true,
    reading: PRINTED,
    cost: &COST,
    figure: None,
    beside: None,
    own_data: &[],
};

const TABLE_1_OWN: StudySpec = StudySpec {
    id: "table-1-own",
    title: "Table 1 in the paper's setting",
    about: OWN,
    common: paper_setting!["weight_decay" = "0.0001"],
    ..TABLE_1
};

const LADDER: StudySpec = StudySpec {
    id: "ladder",
    title: "Section 4.2, scaled down: the ladder of hyper-parameters",
    source: "Paper: Dice of the U-net on its test set, mean of three seeds, one number a rung without its own spread",
    about: "Rungs are cumulative, 20 epochs each, so that batch 8 makes a quarter of the updates of batch 2. Adam's rate is \
            1e-3 instead of the paper's 1e-4 and the net has width 8. Three seeds gave .60, .48, .48 for the rungs with \
            SGD (spreads of .13 to .23), .85 with Adam, the same with the plateau, which was never reached, and .69 and .73 \
            with the fewer updates of batch 8: in a run this short only the step to Adam is the paper's.",
    common: &[("loss", "bce"), ("optimizer", "sgd"), ("learning_rate", "0.001"), ("batch_size", "2"), ("steps", "720")],
    rows: ladder!("0.001", "180"),
    measures: &[DICE, VALIDATION, HD95, UNDEFINED],
    seeded: true,
    reading: PRINTED,
    cost: &COST,
    figure: None,
    beside: None,
    own_data: &[],
};

const LADDER_OWN: StudySpec = StudySpec {
    id: "ladder-own",
    title: "Section 4.2 in the paper's setting",
    about: "The U-net of width 64 at 256×256 on your folder (`--data`), early stopping after 15 epochs. Batch 2 takes up to \
            41,600 steps a run.",
    common: &[
        ("source", "folder"),
        ("image_size", "256"),
        ("base", "64"),
        ("loss", "bce"),
        ("optimizer", "sgd"),
        ("learning_rate", "0.001"),
        ("batch_size", "2"),
        ("mask_border", "background"),
        ("early_stopping", "on"),
        ("steps", "41600"),
    ],
    rows: ladder!("0.0001", "10400"),
    ..LADDER
};

static OUTLINES: Figure = Figure {
    panels: &[],
    parallel: None,
    gallery: Some(Gallery {
        title: "True outline red, predicted outline green, after the last step",
        columns: 4,
        picture: outlined,
    }),
};

/// Image `column` of a run's wall with both outlines, as they were recorded last.
fn outlined(run: &RunState, column: usize) -> Option<Picture> {
    let newest = |what: &str| {
        let track = run.payloads.get(format!("wall/{what}/{column}").as_str())?;
        track.newest.as_ref().map(|(_, payload)| payload.clone())
    };
    let (image, truth, map) = (newest("image")?, newest("truth")?, newest("probability")?);
    let Payload::Image { width, height, rgba } = &*image else { return None };
    let (width, height) = (*width as usize, *height as usize);
    let Payload::Mask { width: columns, height: rows, labels } = &*truth else { return None };
    let truth = Mask::new(*rows as usize, *columns as usize, labels.iter().map(|label| *label > 0).collect()).ok()?;
    let Payload::Mask { width: side, labels: levels, .. } = &*map else { return None };
    let probabilities: Vec<f32> = levels.iter().map(|level| (f32::from(*level) + 0.5) / 256.0).collect();
    let pipeline = Pipeline::of(&run.header.as_ref()?.params);
    let mask = pipeline.mask(&probabilities, *side as usize, height, width);
    let rgb = rgba.chunks_exact(4).flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect();
    let picture = read::Picture { width, height, rgb, original: (width as u32, height as u32), factor: 1 };
    Some(Picture { width, height, rgb: overlay(&picture, &mask, Some(&truth)) })
}

const FIGURE_2: StudySpec = StudySpec {
    id: "figure-2",
    title: "Figure 2, scaled down: outlines by different networks",
    source: "Paper: two test images with measuring marks (lymphadenopathy, hepatic tumour) beside the outlines of four \
             networks; no number is printed",
    about: "All networks see the same split, with measuring marks on every lesion as in the paper's images. MobileNetV2 stands \
            in for the paper's ResNet-101. The U-nets take 270 steps, the much larger others 180 at a lower rate, none is \
            pretrained. The figure shows the first images of the validation set, of the first seed of each row; open a run of \
            the study's folder to see its whole wall.",
    common: &[("calipers", "all"), ("learning_rate", "0.002"), ("steps", "270")],
    rows: &[
        row("U-net", &[("architecture", "unet")], &[]),
        row("Lighter U-net @16 (the paper's @128)", &[("architecture", "lighter"), ("group", "16")], &[]),
        row("FCN-8s", &[("architecture", "fcn-8s"), ("learning_rate", "0.0005"), ("steps", "180")], &[]),
        row(
            "DeepLab v3+ (MobileNetV2)",
            &[("architecture", "deeplab-mobilenetv2"), ("learning_rate", "0.001"), ("steps", "180")],
            &[],
        ),
    ],
    measures: &[DICE, HD95, UNDEFINED],
    seeded: true,
    reading: NO_NUMBERS,
    cost: &COST,
    figure: Some(&OUTLINES),
    beside: None,
    own_data: &[],
};

const FIGURE_2_OWN: StudySpec = StudySpec {
    id: "figure-2-own",
    title: "Figure 2 in the paper's setting",
    about: OWN,
    common: paper_setting!["weight_decay" = "0.0001"],
    rows: &[
        row("U-net", &[("architecture", "unet")], &[]),
        row("Lighter U-net @128", &[("architecture", "lighter"), ("group", "128")], &[]),
        row("FCN-8s", &[("architecture", "fcn-8s")], &[]),
        row("DeepLab v3+ (ResNet-101)", &[("architecture", "deeplab-resnet101")], &[]),
    ],
    ..FIGURE_2
};

const SIZE_DICE: StudySpec = StudySpec {
    id: "size-dice",
    title: "Size against Dice",
    source: PAPER,
    about: "What a smaller network costs and saves: parameters, multiply-adds and memory of convolution outputs at the \
            network's input size, and the measured time. Small groups save \
            parameters and multiply-adds, not memory, since every grouped convolution is followed by another one.",
    common: &[("learning_rate", "0.002"), ("steps", "450")],
    rows: TABLE_2_ROWS,
    measures: &[DICE, HD95, PARAMETERS, GMAC, MEMORY, SECONDS],
    seeded: true,
    reading: PRINTED,
    cost: &COST,
    figure: None,
    beside: None,
    own_data: &[],
};

const CALIPERS: StudySpec = StudySpec {
    id: "calipers",
    title: "Do measuring marks leak?",
    source: "Paper: it warns that the sonographer's marks on its images add an expert's information; it does not measure how \
             much",
    about: "The same generated images with and without marks at the ends of each lesion's axes. What training with marks and \
            testing without loses is what the network read off the marks.",
    common: &[("learning_rate", "0.002"), ("steps", "450")],
    rows: &[
        row("no marks", &[("calipers", "none")], &[]),
        row("marks everywhere", &[("calipers", "all")], &[]),
        row("trained with, tested without", &[("calipers", "train")], &[]),
        row("trained without, tested with", &[("calipers", "test")], &[]),
    ],
    measures: &[DICE, HD95, UNDEFINED],
    seeded: true,
    reading: NO_NUMBERS,
    cost: &COST,
    figure: None,
    beside: None,
    own_data: &[],
};

/// What the time of a run depends on: a validation after each epoch, or so many steps, and at the end; one test.
static COST: Cost = Cost {
    free: &[
        STEPS.key(),
        LEARNING_RATE.key(),
        WEIGHT_DECAY.key(),
        PLATEAU.key(),
        PLATEAU_PATIENCE.key(),
        EARLY_STOPPING.key(),
        STOP_PATIENCE.key(),
        LEAST_EPOCHS.key(),
        params::CALIPERS.key(),
        params::FOLD.key(),
        VALIDATE_EVERY.key(),
        LOSS_EVERY.key(),
    ],
    trial: |_| vec![(VALIDATE_EVERY.key(), Value::Int(3)), (LOSS_EVERY.key(), Value::Int(1))],
    occasions: &[
        Occasion { name: "validations", key: "loss/validation", times: validations },
        Occasion { name: "the test", key: "test/loss", times: |_, _, _| 1.0 },
    ],
};

fn validations(params: &Params, trial: &RunState, steps: u64) -> f64 {
    let per_epoch = || {
        // Step and share of an epoch, as the trial says after its first validation.
        let (step, epoch) = trial.scalars.get("epoch")?.points().find(|(step, epoch)| *step > 0 && *epoch > 0.0)?;
        Some((step as f64 / epoch).round() as u64)
    };
    let every = match VALIDATE_EVERY.of(params) {
        0 => per_epoch().unwrap_or(steps),
        every => every as u64,
    };
    steps.div_ceil(every.max(1)) as f64
}
