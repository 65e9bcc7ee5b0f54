//! What the guide proposes to try.

use crate::engine::params::Params;
use crate::kit::lab::Try;

use super::network::Layers;
use super::params::{PREDICTOR_LAYERS, PREDICTOR_RULE, PredictorRule, STOP_GRADIENT};

/// There is a predictor that can be made symmetric.
fn has_predictor(params: &Params) -> bool {
    PREDICTOR_LAYERS.of(params) != Layers::None
}

/// It is not kept fixed.
fn moves(params: &Params) -> bool {
    has_predictor(params) && PREDICTOR_RULE.of(params) != PredictorRule::Fixed
}

pub static TRIES: &[Try] = &[
    Try {
        text: "Kill it: SimSiam with a symmetric predictor. Watch rank and spread, not alignment.",
        when: has_predictor,
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
        when: |params| moves(params) && STOP_GRADIENT.of(params),
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
        when: moves,
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
        text: "Stop-gradient off: both sides of the loss are pulled, and all embeddings become one at once. The loss is perfect.",
        when: |_| true,
        set: &[("target", "online"), ("stop_gradient", "off")],
    },
    Try {
        text: "No predictor at all: stop-gradient alone does not help.",
        when: |_| true,
        set: &[("predictor_layers", "none"), ("predictor_rule", "gradient"), ("symmetry", "off")],
    },
    Try {
        text: "Back to BYOL in a minute.",
        when: |_| true,
        set: &[
            ("predictor_layers", "one"),
            ("predictor_rule", "gradient"),
            ("target", "ema"),
            ("stop_gradient", "on"),
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
