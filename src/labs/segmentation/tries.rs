//! What the guide proposes to try.

use crate::kit::lab::Try;

use super::params::has_dropout;

pub static TRIES: &[Try] = &[
    Try {
        text: "Can it learn one image by heart? A network, loss or optimizer that cannot is broken.",
        when: |params| params.is("overfit", "off"),
        set: &[("overfit", "one"), ("steps", "120"), ("validate_every", "5")],
    },
    Try {
        text: "Measuring marks on the training images only: how much of the Dice was leaning on them?",
        when: |params| params.is("source", "synthetic") && !params.is("calipers", "train"),
        set: &[("calipers", "train")],
    },
    Try {
        text: "3×3 convolutions in groups of 4: compare the number of parameters, above, and the Dice.",
        when: |params| params.is("architecture", "unet"),
        set: &[("architecture", "lighter"), ("group", "4")],
    },
    Try {
        text: "Threshold 0.9, from the next validation on: does the Dice or the HD95 suffer more?",
        when: |params| !params.is("threshold", "0.9"),
        set: &[("threshold", "0.9")],
    },
    Try {
        text: "Eight passes with dropout on at every validation: is the network unsure where it is wrong? Show the \
               images' uncertainty.",
        when: |params| has_dropout(params) && params.is("uncertainty_samples", "0"),
        set: &[("uncertainty_samples", "8")],
    },
    Try {
        text: "Augmentation in a short run: does it help or hurt?",
        when: |params| params.is("augment", "off"),
        set: &[("augment", "on")],
    },
    Try {
        text: "Augmentation as in the paper's code: lesion beyond the edge is labelled background. Find one in the tile \
               Augmentation.",
        when: |params| !params.is("augment", "on") || !params.is("mask_border", "background"),
        set: &[("augment", "on"), ("mask_border", "background")],
    },
    Try {
        text: "SGD at 1e-3 instead of Adam, a rung of the paper's ladder: how far does it come in a minute?",
        when: |params| params.is("optimizer", "adam"),
        set: &[("optimizer", "sgd"), ("learning_rate", "0.001")],
    },
    Try {
        text: "Adam at the paper's rate of 1e-4: is a minute enough for it?",
        when: |params| !params.is("learning_rate", "0.0001"),
        set: &[("optimizer", "adam"), ("learning_rate", "0.0001")],
    },
    Try {
        text: "Back to the tiny U-net in a minute.",
        when: |params| TINY.iter().any(|(key, value)| !params.is(key, value)),
        set: TINY,
    },
];

/// Everything above as it is by default.
const TINY: &[(&str, &str)] = &[
    ("architecture", "unet"),
    ("source", "synthetic"),
    ("calipers", "none"),
    ("optimizer", "adam"),
    ("learning_rate", "0.002"),
    ("augment", "off"),
    ("mask_border", "consistent"),
    ("overfit", "off"),
    ("steps", "450"),
    ("validate_every", "0"),
    ("uncertainty_samples", "0"),
    ("threshold", "0.5"),
];
