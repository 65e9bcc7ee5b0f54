//! What the guide proposes to try.

use crate::kit::lab::Try;

use super::params::{QUERY, ROUTINES, Routine};

pub static TRIES: &[Try] = &[
    Try {
        text: "The baseline: the same updates on labelled pictures alone. Is its AUC really lower at the end?",
        when: |params| ROUTINES.of(params) != Routine::Supervised,
        set: &[("routine", "supervised")],
    },
    Try {
        text: "Both tasks in turn: does the AUC rise earlier than without unlabelled pictures?",
        when: |params| ROUTINES.of(params) != Routine::Combined,
        set: &[("routine", "combined")],
    },
    Try {
        text: "First rebuild, then classify: watch the reconstructions get worse in the second phase.",
        when: |params| ROUTINES.of(params) != Routine::AeThenCl,
        set: &[("routine", "ae-then-cl")],
    },
    Try {
        text: "Eq. (4) as printed: λ jumps between two values for ever.",
        when: |params| matches!(ROUTINES.of(params), Routine::Combined | Routine::LabelledAlso),
        set: &[("lambda_rule", "literal"), ("gradients_every", "1"), ("lambda", "0.1")],
    },
    Try {
        text: "λ that follows both gradients: where does it settle, and what does the AUC do?",
        when: |params| matches!(ROUTINES.of(params), Routine::Combined | Routine::LabelledAlso),
        set: &[("lambda_rule", "smoothed"), ("gradients_every", "1"), ("lambda", "0.1")],
    },
    Try {
        text: "A third of the labels: here unlabelled pictures have more to give.",
        when: |_| true,
        set: &[("labelled_share", "0.33")],
    },
    Try {
        text: "Begin with 12 labels and ask for those that tell most: is each worth more than one at random?",
        when: |params| QUERY.of(params).is_none() && ROUTINES.of(params) == Routine::Combined,
        set: &[("labelled_share", "0.2"), ("loop_shorter", "on"), ("query", "entropy"), ("query_every", "78")],
    },
    Try {
        text: "Weigh small details: do microaneurysms survive the reconstruction?",
        when: |params| ROUTINES.of(params) != Routine::Supervised,
        set: &[("reconstruction", "detail")],
    },
];
