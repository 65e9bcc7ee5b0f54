//! The segmentation lab: outlines of lesions that tighten while U-nets train.

mod batches;
mod check;
pub mod compare;
mod doctor;
mod experiment;
pub mod joined;
pub mod judge;
pub mod paper;
pub mod params;
pub mod pipeline;
pub mod predict;
mod presets;
pub mod reading;
pub mod scores;
pub mod source;
pub mod structures;
mod studies;
pub mod trainer;
mod tries;
#[cfg(test)]
mod unpacked;
pub mod view;

use crate::engine::event::KeySpec;
use crate::engine::params::Params;
use crate::engine::table::{payload, scalar, scalar_in, shown};

use crate::kit::export::WeightsSpec;
use crate::kit::lab::{LabSpec, Resumed};
use crate::labs::segmentation::params::{BATCH_SIZE, STEPS};

pub use experiment::build;

/// The lab's facts.
pub static SPEC: LabSpec = LabSpec {
    id: "segmentation",
    title: "Segmentation",
    claim: "How the predicted outline closes in on the true one, image by image, and what a lighter U-net costs.",
    params: params::PARAMS,
    keys: KEYS,
    headline: &["test/dice", "test/hd95", "dice/final", "hd95/final"],
    presets: presets::PRESETS,
    studies: studies::STUDIES,
    sweep: &studies::SWEEP,
    tries: tries::TRIES,
    guide: include_str!("guide.md"),
    build: experiment::build,
    resumed: Some(Resumed {
        weights: params::WEIGHTS.key(),
        build: experiment::build_resumed,
        check: params::check_combination,
        data: source::data_resumed,
    }),
    steps: |params| STEPS.of(params) as u64,
    most_steps: |_| 10_000_000,
    needs_device: |_| true,
    device_check: Some(check::device_check),
    samples_per_step: |params| BATCH_SIZE.of(params) as u64,
    check: params::check_combination,
    playback: |_| None,
    checkpoint_every,
    data: source::data,
    read: source::read_ahead,
    predict: Some(&predict::PREDICT),
    weights: Some(WeightsSpec { packed: predict::weights_source::packed_weights, with_target: None }),
    features: None,
    doctor: Some(&doctor::DOCTOR),
    compare: Some(&compare::report::COMPARE),
    unit: |run, key| if key.unit == UNIT { scores::unit(run).word() } else { key.unit },
    moments: |_| Vec::new(),
    brings: |_, _| &[],
};

/// Some ten checkpoints a run: a full U-net with moments and best weights takes 280 MB each.
fn checkpoint_every(_: &Params, steps: u64) -> u64 {
    (steps / 10).max(50)
}

/// Of distances; a run says which, see [`scores::unit`].
const UNIT: &str = "pixels, or mm where a pixel has a size";

/// Everything that the lab emits. How often is decided by the parameters `loss_every` and `validate_every`, so that every
/// emission is a recorded one.
pub static KEYS: &[KeySpec] = &[
    scalar("loss/train", "training loss of this batch"),
    scalar("loss/validation", "validation loss"),
    scalar("dice/validation", "validation Dice at the network's size, > 0.5, nothing post-processed"),
    scalar("dice/final", "validation Dice, post-processed, at the original size"),
    scalar("iou/final", "validation IoU, post-processed, at the original size"),
    scalar_in("hd95/final", "validation HD95 (parameter `hd95` says which)", UNIT),
    scalar_in("hd/final", "validation Hausdorff distance", UNIT),
    scalar_in("assd/final", "validation average symmetric surface distance, both borders pooled", UNIT),
    scalar_in("undefined/final", "validation images whose distances are undefined", "images"),
    scalar_in("both_empty/final", "validation images without lesion, predicted so (Dice 1)", "images"),
    scalar("learning_rate", "learning rate"),
    scalar("epoch", "epochs"),
    scalar_in("patience", "epochs since the lowest validation loss", "epochs"),
    scalar_in("bad_epochs", "epochs in a row that were no better, as the plateau counts them", "epochs"),
    scalar("best/loss", "lowest validation loss"),
    scalar_in("best/step", "step of the best weights", "steps"),
    scalar("test/loss", "test loss of the best weights"),
    scalar("test/dice", "test Dice of the best weights"),
    scalar("test/iou", "test IoU of the best weights"),
    scalar_in("test/hd95", "test HD95 of the best weights (parameter `hd95` says which)", UNIT),
    scalar_in("test/hd", "test Hausdorff distance of the best weights", UNIT),
    scalar_in("test/assd", "test average symmetric surface distance of the best weights, both borders pooled", UNIT),
    scalar_in("test/undefined", "test images whose distances are undefined", "images"),
    scalar_in("test/both_empty", "test images without lesion, predicted so (Dice 1)", "images"),
    payload("wall/names", "names of the images on the wall"),
    scalar_in("pixel_area", "mean area of a pixel of the images, where distances are in mm", "mm²"),
    payload("wall/spacing", "millimetres of a pixel, row and column, of the images on the wall"),
    payload("wall/image/*", "image on the wall"),
    payload("wall/truth/*", "true mask"),
    payload("wall/probability/*", "probability of lesion"),
    payload("wall/uncertainty/*", "standard deviation over dropout samples"),
    payload("validation/images", "validation images one by one"),
    payload("validation/means", "means over the validation images at the end, and class by class, with 95 % intervals"),
    payload("test/images", "test images one by one"),
    payload("test/means", "means over the test images, and class by class, with 95 % intervals"),
    shown("batch/original/*", "training image"),
    shown("batch/image/*", "its view in this batch"),
    shown("batch/truth/*", "mask of the view"),
    shown("batch/views", "what the views were made with"),
    payload("data/summary", "the data set and its split"),
    payload("data/parts", "each part of the split beside the whole"),
    payload("data/doctor", "what is odd about the data"),
    payload("data/split", "which image is in which part, and its content"),
];
