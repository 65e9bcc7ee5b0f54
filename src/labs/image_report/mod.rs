//! Whether a model of images and reports reads a report or counts its words (Zhong, Batmanghelich and Sun, "Enhancing Biomedical
//! Multi-modal Representation Learning with Multi-scale Pre-training and Perturbed Report Discrimination", 2024).

mod check;
pub mod embed;
mod evaluate;
mod experiment;
mod labelled;
mod nli;
pub mod params;
pub mod predict;
mod presets;
mod probe;
pub mod source;
mod studies;
pub mod texts;
pub mod trainer;
mod tries;
pub mod view;

use crate::engine::event::KeySpec;
use crate::engine::table::{payload, scalar, scalar_in};
use crate::kit::export::WeightsSpec;
use crate::kit::lab::LabSpec;

pub use experiment::build;

/// The lab's facts.
pub static SPEC: LabSpec = LabSpec {
    id: "image-report",
    title: "Image and report",
    claim: "Whether a model of images and reports reads the report or counts its words, and whether the image matters at all.",
    params: params::PARAMS,
    keys: KEYS,
    headline: &["structure/accuracy", "structure/wrong_image", "retrieval/report_of_image/r1", "grounding/pointing"],
    presets: presets::PRESETS,
    studies: studies::STUDIES,
    sweep: &studies::SWEEP,
    tries: tries::TRIES,
    guide: include_str!("guide.md"),
    build: experiment::build,
    resumed: None,
    steps: |params| params::STEPS.of(params) as u64,
    most_steps: |_| 1_000_000,
    needs_device: |_| true,
    device_check: Some(check::device_check),
    samples_per_step: |params| params::BATCH.of(params) as u64,
    check: source::check,
    playback: |_| None,
    checkpoint_every: |_, steps| (steps / 20).max(16),
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
///
/// Pairs on screen have numbers `*` from 0 on.
pub static KEYS: &[KeySpec] = &[
    scalar_in("epoch", "epochs begun and done", "epochs"),
    scalar_in("loss/total", "L_global + α L_local + β L_pert", "nats"),
    scalar_in("loss/global", "L_global, mean of both directions", "nats"),
    scalar_in("loss/report_of_image", "L_global from image to report", "nats"),
    scalar_in("loss/image_of_report", "L_global from report to image", "nats"),
    scalar_in("loss/local", "L_local", "nats"),
    scalar_in("loss/perturbed", "L_pert", "nats"),
    scalar("learning_rate", "learning rate of the schedule"),
    scalar("temperature/global", "τ of L_global"),
    scalar("temperature/perturbed", "τ of L_pert"),
    scalar("structure/accuracy", "share of test pairs whose report is above all its perturbations"),
    scalar("structure/wrong_image", "the same with another image"),
    scalar("structure/mean_image", "the same with the mean image"),
    scalar("structure/difference", "structure accuracy less that with another image"),
    scalar("structure/chance", "expected by chance, perturbations that change nothing left out"),
    scalar("structure/ties_right", "structure accuracy where ties count as right (authors' program)"),
    scalar("structure/unique", "structure accuracy on reports that stand nowhere in the training pairs"),
    scalar_in("rank/mean", "mean rank of the report among its perturbations, ties against it", "of 10"),
    scalar("rank/reciprocal", "mean reciprocal rank"),
    scalar("win/shuffle_all", "report above: all words shuffled"),
    scalar("win/swap_adjacent", "report above: adjacent words swapped"),
    scalar("win/reverse", "report above: reversed"),
    scalar("win/within_trigrams", "report above: shuffled within trigrams"),
    scalar("win/trigrams", "report above: trigrams shuffled"),
    scalar("win/nouns_adj", "report above: nouns and adjectives shuffled"),
    scalar("win/all_but_nouns_adj", "report above: all but nouns and adjectives shuffled"),
    scalar("win/nouns_verbs_adj", "report above: nouns, verbs and adjectives shuffled"),
    scalar("win/antonym", "report above: adjectives replaced by antonyms"),
    scalar("edit/laterality", "report above: left and right exchanged"),
    scalar("edit/zone", "report above: upper and lower exchanged"),
    scalar("edit/severity", "report above: severity changed"),
    scalar("edit/negation", "report above: negation changed"),
    scalar("edit_wrong/laterality", "with another image: left and right exchanged"),
    scalar("edit_wrong/zone", "with another image: upper and lower exchanged"),
    scalar("edit_wrong/severity", "with another image: severity changed"),
    scalar("edit_wrong/negation", "with another image: negation changed"),
    scalar("retrieval/report_of_image/r1", "image finds its report: first"),
    scalar("retrieval/report_of_image/r5", "image finds its report: among 5"),
    scalar("retrieval/report_of_image/r10", "image finds its report: among 10"),
    scalar("retrieval/report_of_image/median", "image finds its report: median rank"),
    scalar("retrieval/image_of_report/r1", "report finds its image: first"),
    scalar("retrieval/image_of_report/r5", "report finds its image: among 5"),
    scalar("retrieval/image_of_report/r10", "report finds its image: among 10"),
    scalar("retrieval/image_of_report/median", "report finds its image: median rank"),
    scalar("grounding/pointing", "finding words whose strongest region is in their box"),
    scalar("grounding/chance", "the same by chance: area of the boxes"),
    scalar("grounding/mass", "share of attention within the box"),
    scalar("grounding/contrast", "contrast to noise of attention in the box"),
    scalar("probe/auc", "mean AUC of findings from image vectors"),
    scalar("probe/balanced_accuracy", "mean balanced accuracy of findings from image vectors"),
    scalar("nli/accuracy", "accuracy of the fine-tuned text encoder on sentence pairs"),
    scalar("nli/majority", "accuracy of the commonest answer to sentence pairs"),
    payload("pair/image/*", "image of a pair"),
    payload("pair/words/*", "words of its report with class and box"),
    payload("ranking/scores/*", "cosines of report and perturbations with the image, another one and the mean"),
    payload("ranking/texts/*", "report and perturbations in words"),
    payload("attention/raw/*", "scores of words and regions"),
    payload("attention/weights/*", "attention of words to regions"),
    payload("similarity/matrix", "cosines of test images (rows) and reports (columns)"),
    payload("similarity/names", "test pairs and their reports"),
    payload("similarity/images", "small copies of the test images"),
    payload("structure/table", "win rates: image, another image, mean image"),
    payload("edits/table", "content edits: how many, with the image, with another"),
    payload("grounding/table", "finding words: how many, pointing, chance, mass, contrast"),
    scalar("probe/accuracy/*", "accuracy of a finding from image vectors"),
    scalar("probe/balanced/*", "balanced accuracy of a finding from image vectors"),
    scalar("probe/commoner/*", "accuracy of always saying the commoner answer"),
    payload("probe/table", "findings: prevalence, AUC, accuracies, F1"),
    payload("nli/table", "sentence pairs: what was answered to what"),
    payload("data/summary", "the pairs and their parts"),
    payload("data/split", "which pair is in which part"),
    payload("network", "the network and its parameters"),
];
