//! The self-supervised lab: BYOL, SimSiam and DirectPred, their eigenspaces and their collapse.

pub mod alarm;
pub mod batches;
mod check;
pub mod direct_pred;
mod eigen;
mod experiment;
pub mod inspect;
mod judge;
pub mod network;
pub mod params;
mod presets;
mod representation;
pub mod saved;
mod source;
mod studies;
pub mod tau;
pub mod theory;
pub mod trainer;
mod tries;
pub mod view;
pub mod weights;

use crate::engine::event::KeySpec;
use crate::engine::params::Params;
use crate::engine::table::{payload, scalar, scalar_in};

use crate::kit::export::WeightsSpec;
use crate::kit::lab::{LabSpec, Resumed};
use crate::labs::self_supervised::params::{BATCH_SIZE, ENCODER, STEPS};

pub use experiment::build;

/// The lab's facts.
pub static SPEC: LabSpec = LabSpec {
    id: "self-supervised",
    title: "Self-supervised",
    claim: "Whether the predictor turns symmetric, its eigenspace aligns with the features, and the network collapses.",
    params: params::PARAMS,
    keys: KEYS,
    headline: &["evaluation", "probe", "knn", "effective_rank"],
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
        data: source::data_resumed,
    }),
    steps: |params| STEPS.of(params) as u64,
    most_steps: |_| 10_000_000,
    needs_device: |_| true,
    device_check: Some(check::device_check),
    samples_per_step: |params| BATCH_SIZE.of(params) as u64,
    check: source::check,
    playback: |_| None,
    checkpoint_every,
    data: source::data,
    read: source::read_ahead,
    predict: None,
    weights: Some(WeightsSpec { packed: saved::packed_weights, with_target: Some(saved::packed_with_target) }),
    features: Some(saved::features),
    doctor: None,
    compare: None,
    unit: |_, key| key.unit,
    moments: |_| Vec::new(),
    brings: params::brings,
};

/// Some twenty checkpoints a run; a ResNet-18 with momentum and target takes 130 MB each.
fn checkpoint_every(params: &Params, steps: u64) -> u64 {
    if ENCODER.of(params).is_large() { 1950 } else { (steps / 20).max(50) }
}

/// Everything that the lab emits. How often is decided by the parameters `loss_every`, `analysis_every` and
/// `probe_every`, so that every emission is a recorded one.
pub static KEYS: &[KeySpec] = &[
    scalar("loss/cosine", "−cos(p1, t2) − cos(p2, t1), without scale and L2"),
    scalar("loss/l2", "L2 part (η/2) Σ w²"),
    scalar("loss/total", "loss with scale and L2 (AdamW: without L2)"),
    scalar("tau", "τ of the target's moving average"),
    scalar("rate_factor", "factor of the learning rates, by schedule and warm-up"),
    scalar("asymmetry", "asymmetry ‖Wp − Wpᵀ‖ / ‖Wp‖ (Frobenius)"),
    scalar("asymmetry/entrywise_l1", "asymmetry in the entrywise L1 norm (the paper's figures)"),
    scalar("alignment/weighted", "alignment, weighted by √λ of F"),
    scalar("alignment/weighted_by_eigenvalue", "alignment, weighted by λ of F"),
    scalar("alignment/mean", "alignment, mean over all modes"),
    scalar("alignment/mean_top8", "alignment, mean over the top 8 modes"),
    scalar("alignment/aligned_modes", "modes aligned above 0.95"),
    scalar("commutator", "‖F Wp − Wp F‖ / (‖F‖ ‖Wp‖)"),
    scalar("sqrt_fit/scale", "c of p ≈ c √s"),
    scalar("sqrt_fit/residual", "residual of p ≈ c √s"),
    scalar("effective_rank", "effective rank of this batch's embeddings"),
    scalar("effective_rank/centred", "effective rank of this batch's embeddings without their mean"),
    scalar("normalised_std", "normalised std of this batch's embeddings (1 healthy, 0 constant)"),
    scalar("normalised_std/test", "normalised std of test embeddings"),
    scalar("mean_energy", "share of the mean in the energy of this batch's embeddings, ‖m‖² / E‖z‖²"),
    scalar("collapse", "verdict of one check: 0 healthy, 1 along one direction, 2 complete collapse"),
    scalar("views/alignment", "alignment of Wang and Isola: mean ‖z1 − z2‖² of two views on the unit sphere, 0 to 4"),
    scalar("views/uniformity", "uniformity of Wang and Isola of each view: ln of the mean of exp(−2‖x − y‖²), 0 to −4"),
    scalar("views/alignment/features", "alignment of two views' features, of weights that are analysed"),
    scalar("views/uniformity/features", "uniformity of views' features, of weights that are analysed"),
    scalar("uniformity/test", "uniformity of test embeddings"),
    scalar_in("rank_me/features", "RankMe of test features", "directions"),
    scalar_in("rank_me/embeddings", "RankMe of test embeddings", "directions"),
    scalar("spectral_slope", "exponent α of λ_j ∝ j^(−α), eigenvalues of the test features' covariance"),
    scalar("gradient/encoder", "‖gradient‖ of the encoder, of the loss with scale, without L2"),
    scalar("gradient/projector", "‖gradient‖ of the projector, of the loss with scale, without L2"),
    scalar("gradient/predictor", "‖gradient‖ of the predictor, of the loss with scale, without L2"),
    scalar("knn", "kNN accuracy"),
    scalar("probe", "linear probe accuracy"),
    scalar("evaluation", "accuracy of the linear evaluation at the end"),
    payload("eigenvalues/F", "eigenvalues of F"),
    payload("eigenvalues/Wp", "eigenvalues of Wp (real parts)"),
    payload("alignment/per-eigenvector", "cos of v and Wp v for each eigenvector of F"),
    payload("spectrum/features", "eigenvalues of the covariance of the test features"),
    payload("spectrum/embeddings", "eigenvalues of the covariance of the test embeddings"),
    payload("p_against_s", "p against s"),
    payload("theory/modes", "measured modes: s and p in the order of F"),
    payload("matrix/F", "F"),
    payload("matrix/Wp", "Wp"),
    payload("embedding", "test features along their two widest directions"),
    payload("views/sample", "pictures and their two views"),
    payload("views/draws", "what the views were made with"),
    payload("protocol", "how features are judged"),
    payload("classes", "class names"),
];
