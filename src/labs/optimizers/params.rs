//! Every parameter of the lab: what the form, `--set`, the run folder and the help page show, and what the code reads.

use crate::data::points::Generator;
use crate::engine::params::{ParamError, ParamSpec, Params};
use crate::engine::table::{Choice, Condition, Float, Int, Switch, Words, fixed, live};
use crate::nn::mlp::Activation;

use super::surfaces::{self, Chosen, Source};

const EXPERIMENT: &str = "Experiment";
const SURFACE_RUN: &str = "Surface";
const OPTIMIZERS: &str = "Optimizers";
const BURN: &str = "Burn’s own optimizers";
const RATES: &str = "Hyper-parameters";
const GRADIENTS: &str = "Noise on the gradients";
const DATA: &str = "Data";
const NETWORK: &str = "Network";

const SURFACES: Condition = ON_NETWORK.is(&["surface"]);
const NETWORKS: Condition = ON_NETWORK.is(&["network"]);

pub static ON_NETWORK: Choice<bool, 2> = fixed(EXPERIMENT, "experiment", "experiment")
    .help("What is optimized: two numbers on an analytic surface, or the weights of a small network that Burn trains.")
    .choice("surface", [("surface", "a surface", false), ("network", "a network", true)]);
pub static SURFACE: Choice<Source, 20> = fixed(SURFACE_RUN, "surface", "function f(x, y)")
    .help("The function to be minimized, or one that you type. Gradient and Hessian are exact.")
    .when(SURFACES)
    .choice("saddle", surfaces::entries());
pub static FUNCTION: Words = fixed(SURFACE_RUN, "function", "f(x, y) =")
    .help(
        "Your own function of x and y, e.g. x^4 + 2x^3 + y^2 - 1. Powers are x^2, x**2 or x²; 2x and x(y+1) are products, \
         1/2x is (1/2)·x. sin, cos, tan, asin, acos, atan, atan2, sinh, cosh, tanh, exp, ln, log (natural), log10, log2, \
         sqrt, cbrt, abs, sign, floor, min, max, pow, hypot; pi, e, tau. Decimals have a point.",
    )
    .when(SURFACE.is(&["own"]))
    .text("x^4 + 2x^3 + y^2 - 1");
pub static CENTRE_X: Float = fixed(SURFACE_RUN, "centre_x", "window centre x")
    .help("Middle of the window in which your function is drawn and its minima are looked for.")
    .when(SURFACE.is(&["own"]))
    .float(0.0, [-100.0, 100.0]);
pub static CENTRE_Y: Float = fixed(SURFACE_RUN, "centre_y", "window centre y")
    .help("Middle of the window in which your function is drawn and its minima are looked for.")
    .when(SURFACE.is(&["own"]))
    .float(0.0, [-100.0, 100.0]);
pub static REACH: Float = fixed(SURFACE_RUN, "reach", "window reach")
    .help("How far the window goes from its centre to each side, in x and in y.")
    .when(SURFACE.is(&["own"]))
    .log(2.5, [0.001, 100.0]);
pub static START_X: Float = fixed(SURFACE_RUN, "start_x", "start x")
    .help("Start of every path. Click or drag in the field to move it.")
    .when(SURFACES)
    .float(0.5, [-100.0, 100.0]);
pub static START_Y: Float = fixed(SURFACE_RUN, "start_y", "start y")
    .help("Start of every path. Exactly 0 on the saddle is the symmetry line, which no optimizer ever leaves.")
    .when(SURFACES)
    .float(0.0001, [-100.0, 100.0]);
pub static STEPS: Int = fixed(SURFACE_RUN, "steps", "updates")
    .help("Number of updates of every optimizer.")
    .unit("steps")
    .when(SURFACES)
    .int(420, [1, 100_000]);
pub static USE_SGD: Switch = fixed(OPTIMIZERS, "use_sgd", "SGD").help("v = −η g; θ ← θ + v").switch(true);
pub static USE_MOMENTUM: Switch =
    fixed(OPTIMIZERS, "use_momentum", "Momentum").help("v = μ v − η g; θ ← θ + v").switch(true);
pub static USE_NAG: Switch = fixed(OPTIMIZERS, "use_nag", "NAG")
    .help("Nesterov: like Momentum, with the gradient at the look-ahead point θ + μ v.")
    .switch(true);
pub static USE_ADAGRAD: Switch =
    fixed(OPTIMIZERS, "use_adagrad", "AdaGrad").help("G += g²; θ ← θ − η g / (√G + ε)").switch(true);
pub static USE_RMSPROP: Switch =
    fixed(OPTIMIZERS, "use_rmsprop", "RMSProp").help("s = β s + (1−β) g²; θ ← θ − η g / (√s + ε)").switch(true);
pub static USE_ADADELTA: Switch = fixed(OPTIMIZERS, "use_adadelta", "AdaDelta")
    .help("No learning rate: the ratio of two running averages sets the step.")
    .switch(true);
pub static USE_ADAM: Switch = fixed(OPTIMIZERS, "use_adam", "Adam")
    .help("Bias-corrected first and second moment; θ ← θ − η m̂ / (√v̂ + ε)")
    .switch(true);
pub static BURN_SGD: Switch =
    fixed(BURN, "burn_sgd", "Burn SGD").help("Burn’s Sgd without momentum.").when(NETWORKS).switch(false);
pub static BURN_MOMENTUM: Switch = fixed(BURN, "burn_momentum", "Burn SGD, momentum")
    .help("Burn’s Sgd with momentum μ and dampening 0 (Burn’s own default is 0.1).")
    .when(NETWORKS)
    .switch(false);
pub static BURN_ADAGRAD: Switch = fixed(BURN, "burn_adagrad", "Burn AdaGrad")
    .help("Burn’s AdaGrad at its own defaults (ε = 1e-5).")
    .when(NETWORKS)
    .switch(false);
pub static BURN_RMSPROP: Switch = fixed(BURN, "burn_rmsprop", "Burn RMSProp")
    .help("Burn’s RmsProp at its own defaults (α = 0.99, momentum 0.9, ε = 1e-5).")
    .when(NETWORKS)
    .switch(false);
pub static BURN_ADAM: Switch = fixed(BURN, "burn_adam", "Burn Adam")
    .help("Burn’s Adam with β₁, β₂ of the form and its own ε = 1e-5.")
    .when(NETWORKS)
    .switch(true);
pub static BURN_ADAMW: Switch = fixed(BURN, "burn_adamw", "Burn AdamW")
    .help("Burn’s AdamW with its own weight decay of 1e-4.")
    .when(NETWORKS)
    .switch(false);
pub static BURN_LION: Switch = fixed(BURN, "burn_lion", "Burn Lion")
    .help("Burn’s Lion: the sign of a momentum; every weight moves by ±η.")
    .when(NETWORKS)
    .switch(false);
pub static LEARNING_RATE: Float = live(RATES, "learning_rate", "learning rate η")
    .help("Step size of every optimizer but AdaDelta, which has none.")
    .log(0.01, [1e-6, 10.0]);
pub static MOMENTUM: Float = live(RATES, "momentum", "momentum μ")
    .help("Momentum and NAG: the share of the last velocity that is kept.")
    .float(0.9, [0.0, 0.9999]);
pub static RMSPROP_BETA: Float = live(RATES, "rmsprop_beta", "RMSProp β")
    .help("Decay of RMSProp’s running average of squared gradients.")
    .float(0.9, [0.0, 0.9999]);
pub static ADADELTA_RHO: Float = live(RATES, "adadelta_rho", "AdaDelta ρ")
    .help("Decay of AdaDelta’s two running averages.")
    .float(0.9, [0.0, 0.9999]);
pub static ADAM_BETA1: Float =
    live(RATES, "adam_beta1", "Adam β₁").help("Decay of Adam’s first moment.").float(0.9, [0.0, 0.9999]);
pub static ADAM_BETA2: Float =
    live(RATES, "adam_beta2", "Adam β₂").help("Decay of Adam’s second moment.").float(0.999, [0.0, 0.99999]);
pub static EPSILON: Float = live(RATES, "epsilon", "ε")
    .help("Keeps divisions finite. Outside the root, as the article’s code has it; inside the root in AdaDelta.")
    .log(1e-8, [1e-16, 1.0]);
pub static GRADIENT_NOISE: Float = fixed(GRADIENTS, "gradient_noise", "noise σ")
    .help(
        "0: exact gradients. Gaussian: the standard deviation of the noise that is added to each component of every \
         gradient, in units of the gradient. Mini-batches: how far the samples’ surfaces are shifted, in units of x \
         and y. Every optimizer sees the same noise at the same step; the seed says which.",
    )
    .when(SURFACES)
    .float(0.0, [0.0, 1000.0]);
pub static MINI_BATCHES: Choice<bool, 2> = fixed(GRADIENTS, "noise_kind", "noise of")
    .help(
        "Gaussian numbers: the same everywhere. Mini-batches: f is the mean over 32 samples, each a shifted copy of it; \
         a step sees some of them, and its noise is large where the surface is curved.",
    )
    .when(SURFACES)
    .choice("gaussian", [("gaussian", "Gaussian numbers", false), ("minibatch", "mini-batches", true)]);
pub static NOISE_BATCH: Int = fixed(GRADIENTS, "noise_batch", "samples in a batch")
    .help("Of 32 samples; with all 32 the gradient is exact.")
    .unit("samples")
    .when(MINI_BATCHES.is(&["minibatch"]))
    .int(8, [1, 32]);
pub static POINTS: Choice<Option<Generator>, 6> = fixed(DATA, "points", "point set")
    .help("Two-dimensional points with two or more classes, generated from the seed, or read from your own file.")
    .when(NETWORKS)
    .choice(
        "moons",
        [
            ("moons", "two moons", Some(Generator::Moons)),
            ("circles", "circles", Some(Generator::Circles)),
            ("spirals", "spirals", Some(Generator::Spirals)),
            ("xor", "xor", Some(Generator::Xor)),
            ("gaussians", "gaussians", Some(Generator::Gaussians)),
            ("csv", "CSV file", None),
        ],
    );
pub static CSV: Words = fixed(DATA, "csv", "CSV file")
    .help(
        "A text file with two number columns and one class column, separated by commas, semicolons or tabs; a header \
         line is allowed. Excel's decimal commas, `sep=` line and Unicode text are understood; 1 and 1.0 are one \
         class.",
    )
    .when(POINTS.is(&["csv"]))
    .path();
pub static POINT_COUNT: Int = fixed(DATA, "point_count", "points")
    .help("Number of generated points, train and test together.")
    .unit("points")
    .when(NETWORKS)
    .int(400, [20, 20_000]);
pub static NOISE: Float = fixed(DATA, "noise", "noise")
    .help("Gaussian noise that is added to every generated coordinate.")
    .unit("standard deviations")
    .when(NETWORKS)
    .float(0.15, [0.0, 1.0]);
pub static TEST_FRACTION: Float = fixed(DATA, "test_fraction", "test set")
    .help("Share of the points that is held out of training and only measured.")
    .unit("fraction")
    .when(NETWORKS)
    .float(0.3, [0.05, 0.9]);
pub static HIDDEN: Int = fixed(NETWORK, "hidden", "hidden units")
    .help("Width of each hidden layer.")
    .unit("units")
    .when(NETWORKS)
    .int(16, [1, 256]);
pub static LAYERS: Int = fixed(NETWORK, "layers", "hidden layers")
    .help("Number of hidden layers.")
    .unit("layers")
    .when(NETWORKS)
    .int(2, [1, 6]);
pub static ACTIVATION: Choice<Activation, 2> = fixed(NETWORK, "activation", "activation")
    .help("Non-linearity after each hidden layer.")
    .when(NETWORKS)
    .choice("tanh", [("tanh", "tanh", Activation::Tanh), ("relu", "ReLU", Activation::Relu)]);
pub static BATCH_SIZE: Int = fixed(NETWORK, "batch_size", "batch size")
    .help(
        "Training points in one step; the last, smaller batch of an epoch is dropped. The default shrinks to a small \
         CSV file of one's own.",
    )
    .unit("points")
    .when(NETWORKS)
    .int(64, [1, 20_000]);
pub static NETWORK_STEPS: Int = fixed(NETWORK, "network_steps", "training steps")
    .help("Number of updates; an epoch is the training points over the batch size.")
    .unit("steps")
    .when(NETWORKS)
    .int(1000, [1, 1_000_000]);

/// Every parameter, in the order of the form.
pub static PARAMS: &[ParamSpec] = &[
    ON_NETWORK.row(),
    SURFACE.row(),
    FUNCTION.row(),
    CENTRE_X.row(),
    CENTRE_Y.row(),
    REACH.row(),
    START_X.row(),
    START_Y.row(),
    STEPS.row(),
    USE_SGD.row(),
    USE_MOMENTUM.row(),
    USE_NAG.row(),
    USE_ADAGRAD.row(),
    USE_RMSPROP.row(),
    USE_ADADELTA.row(),
    USE_ADAM.row(),
    BURN_SGD.row(),
    BURN_MOMENTUM.row(),
    BURN_ADAGRAD.row(),
    BURN_RMSPROP.row(),
    BURN_ADAM.row(),
    BURN_ADAMW.row(),
    BURN_LION.row(),
    LEARNING_RATE.row(),
    MOMENTUM.row(),
    RMSPROP_BETA.row(),
    ADADELTA_RHO.row(),
    ADAM_BETA1.row(),
    ADAM_BETA2.row(),
    EPSILON.row(),
    GRADIENT_NOISE.row(),
    MINI_BATCHES.row(),
    NOISE_BATCH.row(),
    POINTS.row(),
    CSV.row(),
    POINT_COUNT.row(),
    NOISE.row(),
    TEST_FRACTION.row(),
    HIDDEN.row(),
    LAYERS.row(),
    ACTIVATION.row(),
    BATCH_SIZE.row(),
    NETWORK_STEPS.row(),
];

/// The surface that these parameters choose; an error points at the column of a typed function.
pub fn surface(params: &Params) -> Result<Chosen, ParamError> {
    match SURFACE.of(params) {
        Source::Catalogue(surface) => Ok(Chosen::Catalogue(surface)),
        Source::Own => {
            let reach = REACH.of(params);
            let domain = [CENTRE_X.of(params), CENTRE_Y.of(params)].map(|centre| [centre - reach, centre + reach]);
            Chosen::own(FUNCTION.of(params), domain).map_err(|problem| ParamError::invalid(FUNCTION.key(), problem))
        }
    }
}
