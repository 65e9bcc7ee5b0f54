//! Named settings of the form.

use crate::kit::lab::Preset;

/// Every preset, the first one first.
pub static PRESETS: &[Preset] = &[
    Preset {
        id: "combined",
        title: "AE-CL combined",
        help: "Unlabelled pictures are rebuilt, labelled ones rebuilt and told apart, batch by batch. The default.",
        set: &[],
    },
    Preset {
        id: "supervised",
        title: "Supervised only",
        help: "The baseline: the same updates on labelled pictures alone.",
        set: &[("routine", "supervised")],
    },
    Preset {
        id: "ae-then-cl",
        title: "AE then CL",
        help: "First unlabelled pictures are rebuilt, then labelled ones are learned from.",
        set: &[("routine", "ae-then-cl")],
    },
    Preset {
        id: "oscillation",
        title: "Eq. (4) as printed",
        help: "λ by the article's equation for an adaptive λ: it jumps between two values and never settles.",
        set: &[("lambda_rule", "literal"), ("gradients_every", "1"), ("lambda", "0.1")],
    },
    Preset {
        id: "balanced",
        title: "Balanced λ",
        help: "λ follows the ratio of both gradients: both losses pull the encoder equally.",
        set: &[("lambda_rule", "smoothed"), ("gradients_every", "1"), ("lambda", "0.1")],
    },
    Preset {
        id: "tied",
        title: "Tied weights",
        help: "The decoder uses the encoder's kernels: half as many parameters.",
        set: &[("tied", "on")],
    },
    Preset {
        id: "few-labels",
        title: "A third of the labels",
        help: "20 labelled pictures and 400 unlabelled ones.",
        set: &[("labelled_share", "0.33")],
    },
    Preset {
        id: "active-learning",
        title: "Active learning",
        help: "12 labels to begin with; every 78 steps an oracle answers for the 10 pictures of which the answer is least certain.",
        set: &[("labelled_share", "0.2"), ("loop_shorter", "on"), ("query", "entropy"), ("query_every", "78")],
    },
    Preset {
        id: "grades",
        title: "Ordered grades",
        help: "The classifier answers the grade 0 to 3 as well, as three questions.",
        set: &[("head", "ordinal")],
    },
    Preset {
        id: "sample-fundus",
        title: "Sample in Messidor's layout",
        help: "36 graded and 18 ungraded generated pictures as files, read as Messidor is: with its errata and its duplicates found.",
        set: &[("source", "sample"), ("steps", "400"), ("validate_every", "20")],
    },
];
