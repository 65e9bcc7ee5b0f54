//! The optimizers lab: trajectories of many optimizers on a surface, every internal of every step, and the same
//! optimizers on a small real network.

pub mod difference;
pub mod maps;
pub mod network;
pub mod params;
pub mod race;
pub mod rules;
mod starts;
pub mod studies;
pub mod surface_run;
pub mod surfaces;
pub mod theory;
mod tries;
pub mod verdict;
pub mod view;

use crate::engine::event::{KeyKind, KeySpec};
use crate::engine::experiment::{BuildRequest, Experiment, RunError};
use crate::engine::params::{ParamError, Params};
use crate::engine::table::{payload, scalar, scalar_in, shown};

use crate::kit::lab::{LabSpec, Preset};
use crate::labs::optimizers::params::{BATCH_SIZE, NETWORK_STEPS, ON_NETWORK, STEPS};

/// The lab's facts.
pub static SPEC: LabSpec = LabSpec {
    id: "optimizers",
    title: "Optimizers",
    claim: "Trajectories of many optimizers on a surface and on a small network, with every internal of every step.",
    params: params::PARAMS,
    keys: KEYS,
    headline: &["accuracy/test/*", "loss/test/*"],
    presets: PRESETS,
    studies: studies::STUDIES,
    sweep: &studies::SWEEP,
    tries: tries::TRIES,
    guide: include_str!("guide.md"),
    build,
    resumed: None,
    steps,
    most_steps,
    needs_device: on_network,
    device_check: Some(network::device_check),
    samples_per_step,
    check,
    playback,
    checkpoint_every,
    data,
    read: |params, _| data(params).map(drop),
    predict: None,
    weights: None,
    features: None,
    doctor: None,
    compare: None,
    unit: |_, key| key.unit,
    moments: verdict::moments,
    brings: starts::brings,
};

/// Columns of the table `path/<optimizer>`; row k is the state after k updates. `a` and `b` are the optimizer's one or
/// two state vectors, see [`rules::Rule::state_names`]; 0 where it has none.
pub const PATH_COLUMNS: &[&str] = &["x", "y", "f", "gradient_norm", "dx", "dy", "a_x", "a_y", "b_x", "b_y"];

/// Columns of the table `memory/<optimizer>`: the whole state after 0, 64, 128, … updates, of a rule that remembers more
/// than its path shows.
pub const MEMORY_COLUMNS: &[&str] = rules::State::COLUMNS;

/// Everything that the lab emits.
pub static KEYS: &[KeySpec] = &[
    KeySpec { key: "path/*", title: "trajectory", unit: "", kind: KeyKind::Rows(PATH_COLUMNS), every: 1 },
    KeySpec { key: "memory/*", title: "whole state", unit: "", kind: KeyKind::Rows(MEMORY_COLUMNS), every: 64 },
    scalar("f/*", "f(x, y)"),
    scalar("x/*", "x"),
    scalar("y/*", "y"),
    scalar("gradient_norm/*", "‖∇f‖"),
    scalar("step_length/*", "‖Δθ‖"),
    KeySpec { every: 5, ..scalar_in("loss/train/*", "training loss", "nats") },
    KeySpec { every: 20, ..scalar_in("loss/test/*", "test loss", "nats") },
    KeySpec { every: 20, ..scalar("accuracy/train/*", "training accuracy") },
    KeySpec { every: 20, ..scalar("accuracy/test/*", "test accuracy") },
    KeySpec { every: 20, ..payload("boundary/*", "decision boundary") },
    KeySpec { every: 20, ..payload("weights/*", "weights and biases") },
    shown("points/*", "points"),
];

static PRESETS: &[Preset] = &[
    Preset {
        id: "saddle",
        title: "Down a saddle",
        help: "Seven optimizers start almost on the symmetry line of x² − y².",
        set: &[],
    },
    Preset {
        id: "momentum-nag",
        title: "Momentum against NAG",
        help: "The article's quartic: the look-ahead gradient overshoots less.",
        set: &[
            ("surface", "article_quartic"),
            ("start_x", "1"),
            ("start_y", "-0.5"),
            ("momentum", "0.95"),
            ("steps", "200"),
            ("use_sgd", "off"),
            ("use_adagrad", "off"),
            ("use_rmsprop", "off"),
            ("use_adadelta", "off"),
            ("use_adam", "off"),
        ],
    },
    Preset {
        id: "ravine",
        title: "Ravine: where does SGD diverge?",
        help: "An ill-conditioned quadratic: SGD diverges as soon as η exceeds 2/b = 0.02.",
        set: &[
            ("surface", "ill_conditioned_quadratic"),
            ("start_x", "-1.8"),
            ("start_y", "0.4"),
            ("learning_rate", "0.019"),
            ("steps", "200"),
            ("use_nag", "off"),
            ("use_adadelta", "off"),
        ],
    },
    Preset {
        id: "adams-family",
        title: "Adam’s family",
        help: "Adam and six relatives from one start to one minimum: what does each change?",
        set: &[
            ("surface", "himmelblau"),
            ("start_x", "0"),
            ("start_y", "0"),
            ("learning_rate", "0.05"),
            ("steps", "250"),
            ("use_sgd", "off"),
            ("use_momentum", "off"),
            ("use_nag", "off"),
            ("use_adagrad", "off"),
            ("use_rmsprop", "off"),
            ("use_adadelta", "off"),
            ("use_adamw", "on"),
            ("use_amsgrad", "on"),
            ("use_nadam", "on"),
            ("use_radam", "on"),
            ("use_adamax", "on"),
            ("use_adan", "on"),
        ],
    },
    Preset {
        id: "curvature",
        title: "Curvature against slopes",
        help: "Rosenbrock’s valley: L-BFGS learns its curve in 30 updates; slopes alone take thousands.",
        set: &[
            ("surface", "rosenbrock"),
            ("start_x", "-1.2"),
            ("start_y", "1"),
            ("learning_rate", "0.0005"),
            ("steps", "400"),
            ("use_sgd", "off"),
            ("use_adagrad", "off"),
            ("use_rmsprop", "off"),
            ("use_adadelta", "off"),
            ("use_lbfgs", "on"),
            ("use_lbfgs_fixed", "on"),
        ],
    },
    Preset {
        id: "moons",
        title: "A network on two moons",
        help: "The same optimizers on a small network, from the same initial weights.",
        set: &[("experiment", "network")],
    },
    Preset {
        id: "spirals",
        title: "A network on spirals",
        help: "A harder point set: which optimizers get there at all?",
        set: &[("experiment", "network"), ("points", "spirals"), ("noise", "0.05"), ("network_steps", "3000")],
    },
];

/// Whether these parameters ask for the network.
pub fn on_network(params: &Params) -> bool {
    ON_NETWORK.of(params)
}

fn steps(params: &Params) -> u64 {
    (if on_network(params) { &NETWORK_STEPS } else { &STEPS }).of(params) as u64
}

/// The most that the form offers. A surface run keeps every state of every optimizer.
fn most_steps(params: &Params) -> u64 {
    if on_network(params) { 1_000_000 } else { 100_000 }
}

fn samples_per_step(params: &Params) -> u64 {
    if on_network(params) { BATCH_SIZE.of(params) as u64 } else { 0 }
}

fn build(request: &BuildRequest<'_>) -> Result<Box<dyn Experiment>, RunError> {
    if on_network(request.params) { network::build(request) } else { surface_run::build(request) }
}

fn check(params: &Params) -> Result<(), ParamError> {
    if on_network(params) { network::check(params) } else { surface_run::check(params) }
}

/// A surface run is computed at once and played at 60 updates a second; a network is watched while it trains.
fn playback(params: &Params) -> Option<f64> {
    (!on_network(params)).then_some(60.0)
}

fn checkpoint_every(params: &Params, steps: u64) -> u64 {
    // A surface run of 10⁵ steps takes milliseconds; ten checkpoints are plenty for either.
    if on_network(params) { 250 } else { (steps / 10).max(5_000) }
}

fn data(params: &Params) -> Result<String, ParamError> {
    if on_network(params) { network::data(params) } else { Ok(String::new()) }
}
