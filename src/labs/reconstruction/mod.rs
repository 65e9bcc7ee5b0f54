//! Rebuilding pictures and telling the ill from the healthy by one code: whether pictures without labels help (Arora, Gaudio and
//! Satpathy, "Semi-supervised learning for Diabetic Retinopathy", 2019).

pub mod active;
pub mod balance;
pub mod between;
mod check;
pub mod compare;
mod experiment;
pub mod explain;
mod gallery;
pub mod judge;
pub mod looks;
pub mod params;
pub mod parts;
mod photographs;
pub mod predict;
mod presets;
pub mod query;
pub mod ranks;
pub mod sampler;
pub mod source;
pub mod split;
mod studies;
pub mod survival;
pub mod trainer;
mod tries;
pub mod view;

use crate::engine::event::{KeyKind, KeySpec};
use crate::engine::table::{payload, scalar, scalar_in};
use crate::kit::export::WeightsSpec;
use crate::kit::lab::{LabSpec, Resumed};

pub use experiment::build;

/// The lab's facts.
pub static SPEC: LabSpec = LabSpec {
    id: "reconstruction",
    title: "Reconstruction",
    claim: "What an autoencoder keeps of a picture, and whether pictures without labels help to tell the ill from the healthy.",
    params: params::PARAMS,
    keys: KEYS,
    headline: &["auc/test", "accuracy/test", "mse/test"],
    presets: presets::PRESETS,
    studies: studies::STUDIES,
    sweep: &studies::SWEEP,
    tries: tries::TRIES,
    guide: include_str!("guide.md"),
    build: experiment::build,
    resumed: Some(Resumed {
        weights: params::WEIGHTS.key(),
        build: experiment::build_resumed,
        check: source::check_resumed,
        data: source::describe_resumed,
    }),
    steps: |params| params::STEPS.of(params) as u64,
    most_steps: |_| 1_000_000,
    needs_device: |_| true,
    device_check: Some(check::device_check),
    samples_per_step: |params| params::BATCH.of(params) as u64,
    check: source::check,
    playback: |_| None,
    checkpoint_every: |_, steps| (steps / 20).max(20),
    data: source::describe,
    read: source::read,
    predict: Some(&predict::PREDICT),
    weights: Some(WeightsSpec { packed: predict::weights_source::packed_weights, with_target: None }),
    features: None,
    doctor: None,
    compare: None,
    unit: |_, key| key.unit,
    moments: |_| Vec::new(),
    brings: |_, _| &[],
};

/// Everything that the lab emits. How often is decided by parameters, so that every emission is a recorded one.
pub static KEYS: &[KeySpec] = &[
    scalar_in("epoch", "epochs begun and done", "epochs"),
    scalar("loss/reconstruction", "L_ae of the batch"),
    scalar("loss/classification", "L_cl of the batch, without λ"),
    scalar("loss/grades", "loss of grades, part of L_cl"),
    scalar("loss/total", "L_ae + λ L_cl"),
    scalar("lambda", "λ"),
    scalar("gradient/reconstruction", "‖g_ae‖ at the encoder"),
    scalar("gradient/classification", "‖g_cl‖ at the encoder, without λ"),
    scalar("gradient/ratio", "‖g_ae‖ / ‖g_cl‖"),
    scalar("gradient/cosine", "cosine of both gradients (below 0 they conflict)"),
    scalar_in("dead_units", "units of the classifier that are 0 for the whole batch", "of 4"),
    scalar("accuracy/validation", "accuracy at probability 0.5, validation pictures"),
    scalar("accuracy/test", "accuracy at probability 0.5, test pictures"),
    scalar("accuracy/unseen", "accuracy at probability 0.5, pictures of the unseen hospital"),
    scalar("auc/validation", "area under the ROC curve, validation pictures"),
    scalar("auc/test", "area under the ROC curve, test pictures"),
    scalar("auc/unseen", "area under the ROC curve, pictures of the unseen hospital"),
    scalar("calibration/validation", "expected calibration error, validation pictures"),
    scalar("calibration/test", "expected calibration error, test pictures"),
    scalar("calibration/unseen", "expected calibration error, pictures of the unseen hospital"),
    scalar("kappa/validation", "quadratic kappa of grades, validation pictures"),
    scalar("kappa/test", "quadratic kappa of grades, test pictures"),
    scalar("kappa/unseen", "quadratic kappa of grades, pictures of the unseen hospital"),
    scalar("mse/validation", "mean squared error of reconstructions, validation pictures"),
    scalar("mse/test", "mean squared error of reconstructions, test pictures"),
    scalar("mse/unseen", "mean squared error of reconstructions, pictures of the unseen hospital"),
    scalar("hospital_probe", "accuracy of telling hospitals from codes"),
    scalar_in("labels", "labelled pictures that the step learned from, where labels are asked for", "pictures"),
    scalar_in("pool", "pictures without a label that a round of questions chose from", "pictures"),
    KeySpec {
        key: "strip",
        title: "batches: epoch, place, labelled or not, L_cl",
        unit: "",
        kind: KeyKind::Rows(&["epoch", "place", "labelled", "loss"]),
        every: 1,
    },
    payload("scores/*", "probability, grade and error of each picture"),
    payload("names/*", "pictures with grade and hospital"),
    payload("wall/names", "pictures on the wall with grade and hospital"),
    payload("wall/original/*", "original"),
    payload("wall/rebuilt/*", "reconstruction"),
    payload("wall/lesions/*", "lesions by kind"),
    payload("wall/quality", "MSE, MSE, PSNR and SSIM within the field of view"),
    payload("latent/points", "codes along their two widest directions"),
    payload("latent/codes", "pooled codes"),
    payload("latent/thumbnails", "small copies of the pictures whose codes are shown"),
    payload("interpolation/strip", "decoded steps from one code to another"),
    payload("interpolation/pair", "between which pictures"),
    scalar("explain/occlusion/pointing", "share of occlusion maps that point at a lesion"),
    scalar_in(
        "explain/occlusion/ratio",
        "share of occlusion maps that is in lesions, over the lesions' area",
        "× chance",
    ),
    scalar("explain/occlusion/auc", "area under the ROC curve of pixels in lesions, occlusion maps"),
    scalar("explain/occlusion/chance", "share of the field within reach of a lesion: the pointing game by chance"),
    scalar("explain/cam/pointing", "share of Grad-CAM maps that point at a lesion"),
    scalar_in("explain/cam/ratio", "share of Grad-CAM maps that is in lesions, over the lesions' area", "× chance"),
    scalar("explain/cam/auc", "area under the ROC curve of pixels in lesions, Grad-CAM"),
    scalar("explain/cam/chance", "share of the field within reach of a lesion: the pointing game by chance"),
    payload("explain/occlusion/map/*", "what covering a place takes of the logit"),
    payload("explain/occlusion/agreement", "pointing, ratio, AUC and chance of each picture's occlusion map"),
    payload("explain/cam/map/*", "Grad-CAM"),
    payload("explain/cam/agreement", "pointing, ratio, AUC and chance of each picture's Grad-CAM"),
    scalar("lesions/microaneurysms", "contrast of microaneurysms that is left in reconstructions"),
    scalar("lesions/haemorrhages", "contrast of haemorrhages that is left in reconstructions"),
    scalar("lesions/hard_exudates", "contrast of hard exudates that is left in reconstructions"),
    scalar("lesions/cotton_wool_spots", "contrast of cotton-wool spots that is left in reconstructions"),
    payload("lesions/survival", "kind, size class, number and share left of lesions"),
    payload(
        "query/asked",
        "round, how it chose, pool, score and unit; pictures asked for with grade, hospital and score",
    ),
    payload("query/picture/*", "picture asked for"),
    payload("data/summary", "the pictures and their parts"),
    payload("data/split", "which picture is for what, and its content"),
    payload("network", "the network and its cost"),
];
