//! What the guide proposes to try on a surface.

use crate::engine::params::Params;
use crate::kit::lab::Try;

/// These values, with all of the article's optimizers on.
macro_rules! all_seven {
    ($($set:expr),* $(,)?) => {
        &[
            $($set,)*
            ("use_sgd", "on"),
            ("use_momentum", "on"),
            ("use_nag", "on"),
            ("use_adagrad", "on"),
            ("use_rmsprop", "on"),
            ("use_adadelta", "on"),
            ("use_adam", "on"),
        ]
    };
}

pub static TRIES: &[Try] = &[
    Try {
        text: "η = 0.1: who overtakes AdaDelta, which has no η?",
        when: |params| on(params, "saddle"),
        set: &[("learning_rate", "0.1")],
    },
    Try {
        text: "Start at y = 1e-10, as the article's figure does.",
        when: |params| on(params, "saddle"),
        set: &[("start_y", "1e-10"), ("steps", "500")],
    },
    Try {
        text: "Start at y = 0 exactly: nobody ever leaves the line.",
        when: |params| on(params, "saddle"),
        set: &[("start_y", "0")],
    },
    Try {
        text: "Three ways down instead of two: the monkey saddle.",
        when: |params| on(params, "saddle"),
        set: &[("surface", "monkey_saddle")],
    },
    Try {
        text: "μ = 0.95 from (1, −0.5): how far does Momentum overshoot, and NAG?",
        when: |params| on(params, "article_quartic"),
        set: &[("start_x", "1"), ("start_y", "-0.5"), ("momentum", "0.95"), ("steps", "200")],
    },
    Try {
        text: "μ = 0.5 instead: does it oscillate less or more?",
        when: |params| on(params, "article_quartic"),
        set: &[("momentum", "0.5")],
    },
    Try {
        text: "The vanishing gradient: from (1, −0.8), who passes the shelf at (0, 0)?",
        when: |params| on(params, "article_quartic"),
        set: all_seven!(("start_x", "1"), ("start_y", "-0.8"), ("momentum", "0.95"), ("steps", "400")),
    },
    Try {
        text: "η = 0.0201, just above 2/b: SGD diverges.",
        when: |params| on(params, "ill_conditioned_quadratic"),
        set: &[("learning_rate", "0.0201")],
    },
    Try {
        text: "η = 0.0199, just below: SGD crawls to the minimum.",
        when: |params| on(params, "ill_conditioned_quadratic"),
        set: &[("learning_rate", "0.0199")],
    },
    Try {
        text: "η = 0.0331 with μ = 0.669: the best pair for Momentum in this ravine.",
        when: |params| on(params, "ill_conditioned_quadratic"),
        set: &[("learning_rate", "0.0331"), ("momentum", "0.669")],
    },
    Try {
        text: "η = 0.1: who still arrives?",
        when: |params| on_another(params, "saddle"),
        set: &[("learning_rate", "0.1")],
    },
    Try {
        text: "A ravine: find the η at which SGD diverges.",
        when: |params| params.is("experiment", "surface"),
        set: &[
            ("surface", "ill_conditioned_quadratic"),
            ("start_x", "-1.8"),
            ("start_y", "0.4"),
            ("learning_rate", "0.019"),
            ("steps", "200"),
        ],
    },
    Try {
        text: "A function of your own: two valleys and a pass, x⁴ + y⁴ − 4xy.",
        when: |params| on(params, "saddle") || on(params, "article_quartic"),
        set: &[("surface", "own"), ("function", "x^4 + y^4 - 4x y"), ("start_x", "-0.5"), ("start_y", "1.5")],
    },
    Try {
        text: "A kink: at the bottom of |x| + y² the slope never fades. Who settles?",
        when: |params| on(params, "own"),
        set: &[("function", "abs(x) + y^2"), ("start_x", "1.5"), ("start_y", "1")],
    },
    Try {
        text: "Back to the saddle.",
        when: |params| on_another(params, "saddle"),
        set: all_seven!(
            ("surface", "saddle"),
            ("start_x", "0.5"),
            ("start_y", "1e-4"),
            ("learning_rate", "0.01"),
            ("momentum", "0.9"),
            ("steps", "420"),
            ("gradient_noise", "0"),
        ),
    },
];

fn on(params: &Params, surface: &str) -> bool {
    params.is("experiment", "surface") && params.is("surface", surface)
}

fn on_another(params: &Params, surface: &str) -> bool {
    params.is("experiment", "surface") && !params.is("surface", surface)
}
