//! Every parameter of the lab: what the form, `--set`, the run folder and the help page show, and what the code reads.

use crate::data::points::Generator;
use crate::engine::params::{ParamError, ParamSpec, Params};
use crate::engine::table::{Choice, Condition, Float, Int, Switch, Words, fixed, live};
use crate::nn::mlp::Activation;

use super::network::penalty::Norm;
use super::rules::{Convention, Course};
use super::surfaces::{self, Chosen, Source};

const EXPERIMENT: &str = "Experiment";
const SURFACE_RUN: &str = "Surface";
const OPTIMIZERS: &str = "Optimizers";
const ADAMS: &str = "Adam’s family";
const OTHERS: &str = "More optimizers";
const BURN: &str = "Burn’s own optimizers";
const RATES: &str = "Hyper-parameters";
const OWN_RATES: &str = "A rate for each optimizer";
const GRADIENTS: &str = "Noise on the gradients";
const CONVENTIONS: &str = "Conventions";
const SCHEDULES: &str = "Schedules";
const DATA: &str = "Data";
const FEATURES: &str = "Features";
const NETWORK: &str = "Network";

const SURFACES: Condition = ON_NETWORK.is(&["surface"]);
const NETWORKS: Condition = ON_NETWORK.is(&["network"]);
const GENERATED: Condition = POINTS.is(&["moons", "circles", "spirals", "xor", "gaussians"]);

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
pub static USE_ADAMW: Switch = fixed(ADAMS, "use_adamw", "AdamW")
    .help("Adam with a weight decay of its own: θ ← θ − η λ θ − η m̂ / (√v̂ + ε)")
    .when(SURFACES)
    .switch(false);
pub static USE_AMSGRAD: Switch = fixed(ADAMS, "use_amsgrad", "AMSGrad")
    .help("Adam that divides by the largest v so far and so never lengthens its steps again.")
    .when(SURFACES)
    .switch(false);
pub static USE_NADAM: Switch = fixed(ADAMS, "use_nadam", "NAdam")
    .help("Adam with Nesterov’s look-ahead: the new gradient counts at once.")
    .when(SURFACES)
    .switch(false);
pub static USE_RADAM: Switch = fixed(ADAMS, "use_radam", "RAdam")
    .help("Adam that is plain momentum until v is an average of enough gradients, and then comes in gradually.")
    .when(SURFACES)
    .switch(false);
pub static USE_ADAMAX: Switch = fixed(ADAMS, "use_adamax", "Adamax")
    .help("Adam with the largest decayed slope in place of the root: u = max(β₂ u, |g| + ε); θ ← θ − η m̂ / u")
    .when(SURFACES)
    .switch(false);
pub static USE_ADAN: Switch = fixed(ADAMS, "use_adan", "Adan")
    .help("Averages of the gradient, of its change, and of the square of both: Nesterov’s idea in Adam’s form.")
    .when(SURFACES)
    .switch(false);
pub static USE_HEAVY_BALL: Switch = fixed(OTHERS, "use_heavy_ball", "Heavy ball")
    .help("PyTorch’s SGD with momentum and dampening: B ← μ B + (1−τ) g; θ ← θ − η B")
    .when(SURFACES)
    .switch(false);
pub static USE_RMSPROP_MOMENTUM: Switch = fixed(OTHERS, "use_rmsprop_momentum", "RMSProp μ")
    .help("RMSProp with momentum μ, as Burn’s RmsProp is by default: B ← μ B + g / (√s + ε); θ ← θ − η B")
    .when(SURFACES)
    .switch(false);
pub static USE_RMSPROP_CENTERED: Switch = fixed(OTHERS, "use_rmsprop_centered", "RMSProp σ")
    .help("Centered RMSProp divides by the gradients’ standard deviation: θ ← θ − η g / (√(s − ḡ²) + ε)")
    .when(SURFACES)
    .switch(false);
pub static USE_RPROP: Switch = fixed(OTHERS, "use_rprop", "Rprop")
    .help("Only signs count: each axis has a step size that grows while its slope keeps its sign. It begins at η.")
    .when(SURFACES)
    .switch(false);
pub static USE_LION: Switch = fixed(OTHERS, "use_lion", "Lion")
    .help("The sign of a momentum: each axis moves by exactly η. θ ← θ − η sign(β₁ m + (1−β₁) g)")
    .when(SURFACES)
    .switch(false);
pub static USE_ASGD: Switch = fixed(OTHERS, "use_asgd", "ASGD")
    .help("Averaged SGD: its rate falls slowly, and the mean θ̄ of the later path is its result. The path shows θ.")
    .when(SURFACES)
    .switch(false);
pub static USE_LBFGS: Switch = fixed(OTHERS, "use_lbfgs", "L-BFGS")
    .help(
        "Quasi-Newton: the curvature from the last steps, and a line search for the strong Wolfe conditions. One update \
         may look at several gradients; PyTorch’s form.",
    )
    .when(SURFACES)
    .switch(false);
pub static USE_LBFGS_FIXED: Switch = fixed(OTHERS, "use_lbfgs_fixed", "L-BFGS fix")
    .help("L-BFGS without a line search: a fixed share of the quasi-Newton step, PyTorch’s default.")
    .when(SURFACES)
    .switch(false);
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
/// Who uses the hyper-parameters that several optimizers share.
const WITH_MOMENTUM: &[&str] =
    &[USE_MOMENTUM.key(), USE_NAG.key(), USE_HEAVY_BALL.key(), USE_RMSPROP_MOMENTUM.key(), BURN_MOMENTUM.key()];
const RMSPROPS: &[&str] = &[USE_RMSPROP.key(), USE_RMSPROP_MOMENTUM.key(), USE_RMSPROP_CENTERED.key()];
const ADAM_AND_KIN: &[&str] = &[
    USE_ADAM.key(),
    USE_ADAMW.key(),
    USE_AMSGRAD.key(),
    USE_NADAM.key(),
    USE_RADAM.key(),
    USE_ADAMAX.key(),
    BURN_ADAM.key(),
    BURN_ADAMW.key(),
];
const WITH_EPSILON: &[&str] = &[
    USE_ADAGRAD.key(),
    USE_RMSPROP.key(),
    USE_RMSPROP_MOMENTUM.key(),
    USE_RMSPROP_CENTERED.key(),
    USE_ADADELTA.key(),
    USE_ADAM.key(),
    USE_ADAMW.key(),
    USE_AMSGRAD.key(),
    USE_NADAM.key(),
    USE_RADAM.key(),
    USE_ADAMAX.key(),
    USE_ADAN.key(),
];

pub static LEARNING_RATE: Float = live(RATES, "learning_rate", "learning rate η")
    .help("Step size of every optimizer but AdaDelta and L-BFGS, which have none; times its own factor, where it has one.")
    .log(0.01, [1e-6, 10.0]);
pub static MOMENTUM: Float = live(RATES, "momentum", "momentum μ")
    .while_on(WITH_MOMENTUM)
    .help("Momentum, NAG and others with momentum: the share of the last velocity that is kept.")
    .float(0.9, [0.0, 0.9999]);
pub static RMSPROP_BETA: Float = live(RATES, "rmsprop_beta", "RMSProp β")
    .while_on(RMSPROPS)
    .help("Decay of RMSProp’s running average of squared gradients.")
    .float(0.9, [0.0, 0.9999]);
pub static ADADELTA_RHO: Float = live(RATES, "adadelta_rho", "AdaDelta ρ")
    .help("Decay of AdaDelta’s two running averages.")
    .when(USE_ADADELTA.is_on())
    .float(0.9, [0.0, 0.9999]);
pub static ADAM_BETA1: Float = live(RATES, "adam_beta1", "Adam β₁")
    .while_on(ADAM_AND_KIN)
    .help("Decay of the first moment of Adam and its kin.")
    .float(0.9, [0.0, 0.9999]);
pub static ADAM_BETA2: Float = live(RATES, "adam_beta2", "Adam β₂")
    .while_on(ADAM_AND_KIN)
    .help("Decay of the second moment of Adam and its kin.")
    .float(0.999, [0.0, 0.99999]);
pub static EPSILON: Float = live(RATES, "epsilon", "ε")
    .while_on(WITH_EPSILON)
    .help("Keeps divisions finite. Outside the root, as the article’s code has it; inside the root in AdaDelta.")
    .log(1e-8, [1e-16, 1.0]);

/// Factors on η, each of one optimizer alone: key, name, the switch of the optimizer.
macro_rules! own_rates {
    ($($name:ident = $key:literal, $title:literal, $switch:ident;)*) => {
        $(pub static $name: Float = live(OWN_RATES, $key, concat!($title, " η factor"))
            .help(concat!(
                "The learning rate of ", $title, " is this factor times η. 1: the η that all share. The tile Race finds \
                 the factor at which each is at its best.",
            ))
            .unit("times η")
            .when($switch.is_on())
            .folded()
            .log(1.0, [1e-3, 1e3]);)*
    };
}

own_rates! {
    RATE_SGD = "rate_sgd", "SGD", USE_SGD;
    RATE_MOMENTUM = "rate_momentum", "Momentum", USE_MOMENTUM;
    RATE_NAG = "rate_nag", "NAG", USE_NAG;
    RATE_ADAGRAD = "rate_adagrad", "AdaGrad", USE_ADAGRAD;
    RATE_RMSPROP = "rate_rmsprop", "RMSProp", USE_RMSPROP;
    RATE_ADAM = "rate_adam", "Adam", USE_ADAM;
    RATE_ADAMW = "rate_adamw", "AdamW", USE_ADAMW;
    RATE_AMSGRAD = "rate_amsgrad", "AMSGrad", USE_AMSGRAD;
    RATE_NADAM = "rate_nadam", "NAdam", USE_NADAM;
    RATE_RADAM = "rate_radam", "RAdam", USE_RADAM;
    RATE_ADAMAX = "rate_adamax", "Adamax", USE_ADAMAX;
    RATE_ADAN = "rate_adan", "Adan", USE_ADAN;
    RATE_HEAVY_BALL = "rate_heavy_ball", "Heavy ball", USE_HEAVY_BALL;
    RATE_RMSPROP_MOMENTUM = "rate_rmsprop_momentum", "RMSProp μ", USE_RMSPROP_MOMENTUM;
    RATE_RMSPROP_CENTERED = "rate_rmsprop_centered", "RMSProp σ", USE_RMSPROP_CENTERED;
    RATE_RPROP = "rate_rprop", "Rprop", USE_RPROP;
    RATE_LION = "rate_lion", "Lion", USE_LION;
    RATE_ASGD = "rate_asgd", "ASGD", USE_ASGD;
    RATE_BURN_SGD = "rate_burn_sgd", "Burn SGD", BURN_SGD;
    RATE_BURN_MOMENTUM = "rate_burn_momentum", "Burn SGD, momentum", BURN_MOMENTUM;
    RATE_BURN_ADAGRAD = "rate_burn_adagrad", "Burn AdaGrad", BURN_ADAGRAD;
    RATE_BURN_RMSPROP = "rate_burn_rmsprop", "Burn RMSProp", BURN_RMSPROP;
    RATE_BURN_ADAM = "rate_burn_adam", "Burn Adam", BURN_ADAM;
    RATE_BURN_ADAMW = "rate_burn_adamw", "Burn AdamW", BURN_ADAMW;
    RATE_BURN_LION = "rate_burn_lion", "Burn Lion", BURN_LION;
}

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
pub static WEIGHT_DECAY: Float = live(RATES, "weight_decay", "AdamW λ")
    .help("Pull towards the origin; PyTorch’s default is 0.01, Burn’s 0.0001.")
    .when(USE_ADAMW.is_on())
    .float(0.01, [0.0, 1.0]);
pub static DAMPENING: Float = live(RATES, "dampening", "heavy ball τ")
    .help("Share of every later gradient that is left out; PyTorch’s default is 0, Burn’s 0.1.")
    .when(USE_HEAVY_BALL.is_on())
    .float(0.1, [0.0, 1.0]);
pub static NADAM_DECAY: Float = live(RATES, "nadam_decay", "NAdam ψ")
    .help("How fast the momentum’s weight grows from half of β₁ towards β₁.")
    .when(USE_NADAM.is_on())
    .float(0.004, [0.0, 1.0]);
pub static ADAN_BETA1: Float = live(RATES, "adan_beta1", "Adan β₁")
    .help("Decay of the mean gradient. Some write 1 − β for it.")
    .when(USE_ADAN.is_on())
    .float(0.98, [0.0, 0.9999]);
pub static ADAN_BETA2: Float = live(RATES, "adan_beta2", "Adan β₂")
    .help("Decay of the mean change of the gradient, and the weight of that change.")
    .when(USE_ADAN.is_on())
    .float(0.92, [0.0, 0.9999]);
pub static ADAN_BETA3: Float = live(RATES, "adan_beta3", "Adan β₃")
    .help("Decay of the mean square.")
    .when(USE_ADAN.is_on())
    .float(0.99, [0.0, 0.99999]);
pub static LION_BETA1: Float = live(RATES, "lion_beta1", "Lion β₁")
    .help("Share of the average in the direction whose sign is taken.")
    .when(USE_LION.is_on())
    .float(0.9, [0.0, 0.9999]);
pub static LION_BETA2: Float = live(RATES, "lion_beta2", "Lion β₂")
    .help("Decay of the average that is kept.")
    .when(USE_LION.is_on())
    .float(0.99, [0.0, 0.9999]);
pub static RPROP_SLOWER: Float = live(RATES, "rprop_slower", "Rprop η⁻")
    .help("What a step size is multiplied by where the slope has turned round.")
    .when(USE_RPROP.is_on())
    .float(0.5, [0.01, 0.99]);
pub static RPROP_FASTER: Float = live(RATES, "rprop_faster", "Rprop η⁺")
    .help("What a step size is multiplied by where the slope has kept its sign.")
    .when(USE_RPROP.is_on())
    .float(1.2, [1.01, 3.0]);
pub static RPROP_SMALLEST: Float = live(RATES, "rprop_smallest", "Rprop smallest step")
    .help("No step size falls below it.")
    .when(USE_RPROP.is_on())
    .log(1e-6, [1e-12, 1.0]);
pub static RPROP_LARGEST: Float = live(RATES, "rprop_largest", "Rprop largest step")
    .help("No step size grows beyond it.")
    .when(USE_RPROP.is_on())
    .log(50.0, [1e-3, 100.0]);
pub static ASGD_LAMBDA: Float = live(RATES, "asgd_lambda", "ASGD λ")
    .help("Pull towards the origin, and how fast the rate falls.")
    .when(USE_ASGD.is_on())
    .float(1e-4, [0.0, 1.0]);
pub static ASGD_ALPHA: Float = live(RATES, "asgd_alpha", "ASGD α")
    .help("Power with which the rate falls.")
    .when(USE_ASGD.is_on())
    .float(0.75, [0.0, 2.0]);
pub static ASGD_FROM: Float = live(RATES, "asgd_from", "ASGD t₀")
    .help("Update from which on the path is averaged; PyTorch’s default is a million.")
    .unit("updates")
    .when(USE_ASGD.is_on())
    .log(100.0, [1.0, 1e6]);
pub static ADAGRAD_DECAY: Float = live(RATES, "adagrad_decay", "AdaGrad rate decay")
    .help("PyTorch’s lr_decay: η / (1 + k · decay) after k updates. The article has none.")
    .when(USE_ADAGRAD.is_on())
    .float(0.0, [0.0, 1.0]);
pub static ADAGRAD_START: Float = live(RATES, "adagrad_start", "AdaGrad G at first")
    .help("PyTorch’s initial_accumulator_value: what G begins with. The article’s is 0.")
    .when(USE_ADAGRAD.is_on())
    .float(0.0, [0.0, 100.0]);
pub static ADADELTA_RATE: Float = live(RATES, "adadelta_rate", "AdaDelta lr")
    .help("PyTorch’s factor on AdaDelta’s step; 1 is the article’s AdaDelta.")
    .when(USE_ADADELTA.is_on())
    .log(1.0, [1e-3, 10.0]);
pub static LBFGS_RATE: Float = live(RATES, "lbfgs_rate", "L-BFGS first look")
    .help(
        "Share of the quasi-Newton step that the line search tries first. The last 10 steps’ curvature is remembered.",
    )
    .when(USE_LBFGS.is_on())
    .log(1.0, [1e-3, 10.0]);
pub static LBFGS_FIXED_RATE: Float = live(RATES, "lbfgs_fixed_rate", "L-BFGS fix step")
    .help("Share of the quasi-Newton step that is taken. The last 10 steps’ curvature is remembered.")
    .when(USE_LBFGS_FIXED.is_on())
    .log(1.0, [1e-3, 10.0]);
pub static LBFGS_TRIES: Int = fixed(RATES, "lbfgs_tries", "L-BFGS line search")
    .help(
        "Looks along the direction at most, after the first. PyTorch’s own form takes what max_eval leaves: with \
         max_iter = 1 that is 0.",
    )
    .unit("looks")
    .when(USE_LBFGS.is_on())
    .int(25, [0, 25]);
pub static CONVENTION: Choice<Convention, 3> = fixed(CONVENTIONS, "convention", "defaults of")
    .help(
        "Whose default values hold: the article’s (this form’s), PyTorch’s or Burn’s. It sets ε, β, dampening and weight \
         decay of each optimizer where the form still has its default; what you set by hand stays. η is always the form’s.",
    )
    .when(SURFACES)
    .choice(
        "article",
        [
            ("article", "the article", Convention::Article),
            ("pytorch", "PyTorch", Convention::PyTorch),
            ("burn", "Burn", Convention::Burn),
        ],
    );
pub static EPSILON_INSIDE: Choice<bool, 2> = fixed(CONVENTIONS, "epsilon_place", "ε stands")
    .help(
        "Outside of the root, as all code has it: √v + ε. Inside, as the article’s formulas have it: √(v + ε). AdaDelta \
         has it inside always.",
    )
    .when(SURFACES)
    .choice("outside", [("outside", "outside of the root", false), ("inside", "inside the root", true)]);
pub static BIAS_CORRECTION: Switch = fixed(CONVENTIONS, "bias_correction", "bias correction")
    .help(
        "Adam and its kin: averages that begin at 0 are divided by their weight. Off: the first steps are other ones.",
    )
    .when(SURFACES)
    .switch(true);
pub static SCHEDULE: Choice<Course, 5> = fixed(SCHEDULES, "schedule", "course of η")
    .help("How η changes along the run; a live change of η is multiplied by it as well.")
    .when(SURFACES)
    .choice(
        "constant",
        [
            ("constant", "constant", Course::Constant),
            ("step", "in steps", Course::Step),
            ("exponential", "exponential", Course::Exponential),
            ("cosine", "cosine", Course::Cosine),
            ("warmup", "warm-up, then cosine", Course::WarmupCosine),
        ],
    );
pub static SCHEDULE_EVERY: Int = fixed(SCHEDULES, "schedule_every", "every")
    .help("Updates between two steps of η.")
    .unit("updates")
    .when(SCHEDULE.is(&["step"]))
    .int(100, [1, 100_000]);
pub static SCHEDULE_FACTOR: Float = fixed(SCHEDULES, "schedule_factor", "times")
    .help("What η is multiplied by at each of these steps.")
    .when(SCHEDULE.is(&["step"]))
    .float(0.5, [0.01, 1.0]);
pub static SCHEDULE_END: Float = fixed(SCHEDULES, "schedule_end", "η at the end")
    .help("Share of η that the last update has.")
    .unit("of η")
    .when(SCHEDULE.is(&["exponential", "cosine", "warmup"]))
    .float(0.01, [0.0, 1.0]);
pub static SCHEDULE_WARMUP: Int = fixed(SCHEDULES, "schedule_warmup", "warm-up")
    .help("Updates in which η rises in a straight line.")
    .unit("updates")
    .when(SCHEDULE.is(&["warmup"]))
    .int(50, [1, 100_000]);
pub static MOMENTUM_RISES: Choice<bool, 2> = fixed(SCHEDULES, "momentum_schedule", "course of μ")
    .help("Whether μ is annealed: from a first value in a straight line to μ at the last update.")
    .when(SURFACES)
    .choice("constant", [("constant", "constant", false), ("linear", "annealed", true)]);
pub static MOMENTUM_START: Float = fixed(SCHEDULES, "momentum_start", "μ at first")
    .help("μ of the first update.")
    .when(MOMENTUM_RISES.is(&["linear"]))
    .float(0.5, [0.0, 0.9999]);
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
    .when(GENERATED)
    .int(400, [20, 20_000]);
pub static NOISE: Float = fixed(DATA, "noise", "noise")
    .help("Gaussian noise that is added to every generated coordinate.")
    .unit("standard deviations")
    .when(GENERATED)
    .float(0.15, [0.0, 1.0]);
pub static TEST_FRACTION: Float = fixed(DATA, "test_fraction", "test set")
    .help("Share of the points that is held out of training and only measured.")
    .unit("fraction")
    .when(NETWORKS)
    .float(0.3, [0.05, 0.9]);
pub static FEATURE_X1: Switch = fixed(FEATURES, "feature_x1", "x₁")
    .help("x as the network sees it: less the training points’ mean, over their standard deviation.")
    .when(NETWORKS)
    .switch(true);
pub static FEATURE_X2: Switch = fixed(FEATURES, "feature_x2", "x₂")
    .help("y as the network sees it: less the training points’ mean, over their standard deviation.")
    .when(NETWORKS)
    .switch(true);
pub static FEATURE_X1_SQUARED: Switch = fixed(FEATURES, "feature_x1_squared", "x₁²")
    .help("Square of x₁, which is in standard deviations.")
    .when(NETWORKS)
    .switch(false);
pub static FEATURE_X2_SQUARED: Switch = fixed(FEATURES, "feature_x2_squared", "x₂²")
    .help("Square of x₂, which is in standard deviations.")
    .when(NETWORKS)
    .switch(false);
pub static FEATURE_X1_X2: Switch = fixed(FEATURES, "feature_x1_x2", "x₁x₂")
    .help("Product of x₁ and x₂, which are in standard deviations.")
    .when(NETWORKS)
    .switch(false);
pub static FEATURE_SIN_X1: Switch = fixed(FEATURES, "feature_sin_x1", "sin 2x₁")
    .help(
        "Sine of twice x₁, which is in standard deviations: over the spirals it swings as often as sin x₁ does in the \
         TensorFlow Playground, whose plane is wider.",
    )
    .when(NETWORKS)
    .switch(false);
pub static FEATURE_SIN_X2: Switch = fixed(FEATURES, "feature_sin_x2", "sin 2x₂")
    .help(
        "Sine of twice x₂, which is in standard deviations: over the spirals it swings as often as sin x₂ does in the \
         TensorFlow Playground, whose plane is wider.",
    )
    .when(NETWORKS)
    .switch(false);
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
pub static REGULARISATION: Choice<Option<Norm>, 3> = fixed(NETWORK, "regularisation", "regularisation")
    .help(
        "What is added to the loss that every optimizer trains: λ Σ |w| (L1) or ½ λ Σ w² (L2), over all weights and no \
         biases. The losses that are shown are those of the data alone.",
    )
    .when(NETWORKS)
    .choice("none", [("none", "none", None), ("l1", "L1", Some(Norm::L1)), ("l2", "L2", Some(Norm::L2))]);
pub static REGULARISATION_RATE: Float = live(NETWORK, "regularisation_rate", "regularisation λ")
    .help("How much the size of the weights counts beside the loss of the data, which is shown without it.")
    .when(REGULARISATION.is(&["l1", "l2"]))
    .log(0.003, [1e-6, 10.0]);
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
    POINTS.row(),
    CSV.row(),
    POINT_COUNT.row(),
    NOISE.row(),
    TEST_FRACTION.row(),
    FEATURE_X1.row(),
    FEATURE_X2.row(),
    FEATURE_X1_SQUARED.row(),
    FEATURE_X2_SQUARED.row(),
    FEATURE_X1_X2.row(),
    FEATURE_SIN_X1.row(),
    FEATURE_SIN_X2.row(),
    HIDDEN.row(),
    LAYERS.row(),
    ACTIVATION.row(),
    REGULARISATION.row(),
    REGULARISATION_RATE.row(),
    BATCH_SIZE.row(),
    NETWORK_STEPS.row(),
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
    ADAGRAD_DECAY.row(),
    ADAGRAD_START.row(),
    ADADELTA_RATE.row(),
    WEIGHT_DECAY.row(),
    NADAM_DECAY.row(),
    ADAN_BETA1.row(),
    ADAN_BETA2.row(),
    ADAN_BETA3.row(),
    DAMPENING.row(),
    RPROP_SLOWER.row(),
    RPROP_FASTER.row(),
    RPROP_SMALLEST.row(),
    RPROP_LARGEST.row(),
    LION_BETA1.row(),
    LION_BETA2.row(),
    ASGD_LAMBDA.row(),
    ASGD_ALPHA.row(),
    ASGD_FROM.row(),
    LBFGS_RATE.row(),
    LBFGS_FIXED_RATE.row(),
    LBFGS_TRIES.row(),
    RATE_SGD.row(),
    RATE_MOMENTUM.row(),
    RATE_NAG.row(),
    RATE_ADAGRAD.row(),
    RATE_RMSPROP.row(),
    RATE_ADAM.row(),
    RATE_ADAMW.row(),
    RATE_AMSGRAD.row(),
    RATE_NADAM.row(),
    RATE_RADAM.row(),
    RATE_ADAMAX.row(),
    RATE_ADAN.row(),
    RATE_HEAVY_BALL.row(),
    RATE_RMSPROP_MOMENTUM.row(),
    RATE_RMSPROP_CENTERED.row(),
    RATE_RPROP.row(),
    RATE_LION.row(),
    RATE_ASGD.row(),
    RATE_BURN_SGD.row(),
    RATE_BURN_MOMENTUM.row(),
    RATE_BURN_ADAGRAD.row(),
    RATE_BURN_RMSPROP.row(),
    RATE_BURN_ADAM.row(),
    RATE_BURN_ADAMW.row(),
    RATE_BURN_LION.row(),
    USE_ADAMW.row(),
    USE_AMSGRAD.row(),
    USE_NADAM.row(),
    USE_RADAM.row(),
    USE_ADAMAX.row(),
    USE_ADAN.row(),
    USE_HEAVY_BALL.row(),
    USE_RMSPROP_MOMENTUM.row(),
    USE_RMSPROP_CENTERED.row(),
    USE_RPROP.row(),
    USE_LION.row(),
    USE_ASGD.row(),
    USE_LBFGS.row(),
    USE_LBFGS_FIXED.row(),
    GRADIENT_NOISE.row(),
    MINI_BATCHES.row(),
    NOISE_BATCH.row(),
    CONVENTION.row(),
    EPSILON_INSIDE.row(),
    BIAS_CORRECTION.row(),
    SCHEDULE.row(),
    SCHEDULE_EVERY.row(),
    SCHEDULE_FACTOR.row(),
    SCHEDULE_END.row(),
    SCHEDULE_WARMUP.row(),
    MOMENTUM_RISES.row(),
    MOMENTUM_START.row(),
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
