//! What the guide proposes to try.

use crate::kit::lab::Try;

use super::params::{SOURCE, Source, VARIANTS, Variant};

pub static TRIES: &[Try] = &[
    Try {
        text: "The baseline: pairs against pairs alone. Which perturbations does it tell from the report, and which not?",
        when: |params| VARIANTS.of(params) != Variant::ConVirt,
        set: &[("variant", "convirt")],
    },
    Try {
        text: "With its perturbations as negatives: accuracy goes up. How much of it is left with another image?",
        when: |params| VARIANTS.of(params) != Variant::WithoutLocal,
        set: &[("variant", "without-local")],
    },
    Try {
        text: "A text encoder without convolution: order can hardly be seen, whatever the loss.",
        when: |_| true,
        set: &[("convolution", "off")],
    },
    Try {
        text: "Sharp attention at α = 1: does `cardiomegaly` point at the heart? And `nodule` at the nodule?",
        when: |params| matches!(VARIANTS.of(params), Variant::Gloria | Variant::Ours),
        set: &[("variant", "ours"), ("attention", "sharp"), ("alpha", "1")],
    },
    Try {
        text: "β = 1: the report is told from its perturbations at once. Look at negation among the content edits.",
        when: |params| VARIANTS.of(params) != Variant::ConVirt,
        set: &[("beta", "1")],
    },
    Try {
        text: "Reports as files: the small set in Open-I's layout.",
        when: |params| SOURCE.of(params) != Source::Sample,
        set: &[("source", "sample"), ("batch_size", "16")],
    },
];
