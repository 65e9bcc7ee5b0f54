//! What the guide proposes to try on a surface, and of a network.

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
    Try {
        text: "Spirals with the sines of x₁ and x₂: how much earlier do the arms part?",
        when: |params| on_network(params) && !params.is("feature_sin_x1", "on"),
        set: &[
            ("feature_sin_x1", "on"),
            ("feature_sin_x2", "on"),
            ("points", "spirals"),
            ("noise", "0.05"),
            ("network_steps", "1000"),
        ],
    },
    Try {
        text: "The same spirals seen by x₁ and x₂ alone.",
        when: |params| on_network(params) && params.is("feature_sin_x1", "on"),
        set: &[("feature_sin_x1", "off"), ("feature_sin_x2", "off")],
    },
    Try {
        text: "Circles with a single hidden unit: hopeless from x₁ and x₂, easy from their squares.",
        when: |params| on_network(params) && !params.is("feature_x1_squared", "on"),
        set: &[
            ("feature_x1_squared", "on"),
            ("feature_x2_squared", "on"),
            ("feature_x1", "off"),
            ("feature_x2", "off"),
            ("points", "circles"),
            ("hidden", "1"),
            ("layers", "1"),
        ],
    },
    Try {
        text: "Thirty training points, much noise, no regularisation: watch islands grow and the test loss rise.",
        when: |params| on_network(params) && (!params.is("point_count", "60") || !params.is("regularisation", "none")),
        set: SMALL_AND_NOISY,
    },
    Try {
        text: "The same with L2, λ = 0.03: do the islands stay away?",
        when: |params| on_network(params) && params.is("point_count", "60") && params.is("regularisation", "none"),
        set: &[("regularisation_rate", "0.03"), ("regularisation", "l2")],
    },
    Try {
        text: "The same with L1, λ = 0.01: which lines of Inside go out?",
        when: |params| on_network(params) && params.is("point_count", "60") && params.is("regularisation", "l2"),
        set: &[("regularisation_rate", "0.01"), ("regularisation", "l1")],
    },
    Try {
        text: "Back to two moons.",
        when: |params| on_network(params) && (!params.is("points", "moons") || params.is("point_count", "60")),
        set: &[
            ("point_count", "400"),
            ("points", "moons"),
            ("noise", "0.15"),
            ("test_fraction", "0.3"),
            ("feature_x1", "on"),
            ("feature_x2", "on"),
            ("feature_x1_squared", "off"),
            ("feature_x2_squared", "off"),
            ("feature_x1_x2", "off"),
            ("feature_sin_x1", "off"),
            ("feature_sin_x2", "off"),
            ("hidden", "16"),
            ("layers", "2"),
            ("regularisation", "none"),
            ("batch_size", "64"),
            ("network_steps", "1000"),
        ],
    },
];

/// Two moons of which thirty points train.
const SMALL_AND_NOISY: &[(&str, &str)] = &[
    ("batch_size", "15"),
    ("points", "moons"),
    ("noise", "0.35"),
    ("test_fraction", "0.5"),
    ("point_count", "60"),
    ("regularisation", "none"),
    ("network_steps", "2000"),
];

fn on_network(params: &Params) -> bool {
    params.is("experiment", "network")
}

fn on(params: &Params, surface: &str) -> bool {
    params.is("experiment", "surface") && params.is("surface", surface)
}

fn on_another(params: &Params, surface: &str) -> bool {
    params.is("experiment", "surface") && !params.is("surface", surface)
}
