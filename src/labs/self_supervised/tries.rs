//! What the guide proposes to try.

use crate::kit::lab::Try;

pub static TRIES: &[Try] = &[
    Try {
        text: "Kill it: SimSiam with a symmetric predictor. Watch rank and spread, not alignment.",
        when: |_| true,
        set: &[
            ("predictor_rule", "gradient"),
            ("target", "online"),
            ("symmetry", "on"),
            ("rate_encoder", "0.15"),
            ("rate_projector", "0.15"),
            ("rate_predictor", "0.15"),
            ("decay_encoder", "0.005"),
            ("decay_projector", "0.005"),
            ("decay_predictor", "0.005"),
        ],
    },
    Try {
        text: "The same symmetric predictor, but with a moving average: does it live?",
        when: |_| true,
        set: &[("target", "ema"), ("symmetry", "on")],
    },
    Try { text: "No symmetry at all: does Wp turn symmetric by itself?", when: |_| true, set: &[("symmetry", "off")] },
    Try {
        text: "Almost no decay on the predictor: the asymmetry has nothing that removes it.",
        when: |_| true,
        set: &[("decay_predictor", "0.0004")],
    },
    Try {
        text: "Table 3's recipe: a tenfold predictor rate and decay on the predictor only. With two layers it rescues; does \
               it with one?",
        when: |_| true,
        set: &[
            ("rate_encoder", "0.05"),
            ("rate_projector", "0.05"),
            ("rate_predictor", "0.5"),
            ("decay_encoder", "0"),
            ("decay_projector", "0"),
            ("decay_predictor", "0.005"),
        ],
    },
    Try {
        text: "A larger rate of the predictor shrinks the basin of collapse. Does the symmetric one live now? Try seeds.",
        when: |_| true,
        set: &[
            ("target", "online"),
            ("symmetry", "on"),
            ("rate_encoder", "0.12"),
            ("rate_projector", "0.12"),
            ("rate_predictor", "0.3"),
            ("decay_encoder", "0.005"),
            ("decay_projector", "0.005"),
            ("decay_predictor", "0.005"),
        ],
    },
    Try {
        text: "DirectPred: set Wp from the eigenvalues of F, at every step.",
        when: |_| true,
        set: &[("predictor_layers", "one"), ("predictor_rule", "directpred")],
    },
    Try {
        text: "F without its mean: what does the top eigenvector mean then?",
        when: |_| true,
        set: &[("f_centred", "on")],
    },
    Try {
        text: "Back to BYOL in a minute.",
        when: |_| true,
        set: &[
            ("predictor_rule", "gradient"),
            ("target", "ema"),
            ("tau", "0.95"),
            ("symmetry", "off"),
            ("f_centred", "off"),
            ("rate_encoder", "0.15"),
            ("rate_projector", "0.15"),
            ("rate_predictor", "0.15"),
            ("decay_encoder", "0.005"),
            ("decay_projector", "0.005"),
            ("decay_predictor", "0.005"),
        ],
    },
];
