//! Every parameter of the lab: what the form shows, and what the code reads.

use crate::data::augment::recipes::RecipeKind;
use crate::engine::params::ParamSpec;
use crate::engine::table::{Choice, Condition, Float, Int, Switch, Words, fixed, live};
use crate::metrics::linear_probe::ProbeProtocol;
use crate::nn::optim::DecayScope;
use crate::nn::parameters::Init;

use super::super::direct_pred::Mode;
use super::super::network::{EncoderKind, Layers};
use super::descent::{OPTIMIZER, PREDICTOR_CONSTANT, RATE_DROP, RATE_SCHEDULE, TRUST, WARM_UP};
use super::heads::{
    EMBEDDING_WIDTH, HIDDEN_WIDTH, OUTPUT_NORM, PREDICTOR_HIDDEN, PREDICTOR_NORM, PROJECTOR_LAYERS, PROJECTOR_NORM,
};
use super::views::{
    BLUR_CHANCE, FLIP_CHANCE, GREY_CHANCE, INVERT_CHANCE, JITTER_CHANCE, JITTER_STRENGTH, NOISE, SOLARISE_CHANCE,
};
use super::{NormalisedBy, PredictorRule, Source};

const METHOD: &str = "Method";
const DIRECT_PRED: &str = "DirectPred";
const CORRELATION: &str = "Correlation F";
pub(super) const RATES: &str = "Learning rates and decay";
const NETWORK: &str = "Network";
const DATA: &str = "Data";
const RUN: &str = "Run";

const DIRECT: Condition = PREDICTOR_RULE.is(&["directpred", "directcopy"]);
const WITH_PREDICTOR: Condition = PREDICTOR_LAYERS.is(&["one", "two"]);

pub static PREDICTOR_RULE: Choice<PredictorRule, 4> = live(METHOD, "predictor_rule", "predictor by")
    .help(
        "Gradient descent: BYOL, SimSiam, the SGD baseline. DirectPred sets Wp from the eigenvalues of F, DirectCopy \
         from F itself. Fixed: it stays as it is, from the start the random one (SimSiam's Table 1: the loss does not fall, no \
         collapse, but 1.5 % on ImageNet).",
    )
    .choice(
        "gradient",
        [
            ("gradient", "gradient descent", PredictorRule::Gradient),
            ("directpred", "DirectPred", PredictorRule::DirectPred),
            ("directcopy", "DirectCopy", PredictorRule::DirectCopy),
            ("fixed", "nothing: fixed as it is", PredictorRule::Fixed),
        ],
    );
pub static PREDICTOR_LAYERS: Choice<Layers, 3> = fixed(METHOD, "predictor_layers", "predictor layers")
    .help(
        "One matrix Wp; or linear, batch normalisation, ReLU, linear, shown through its linear product W2 W1; or none, the \
         identity: p = z, Wp = I. SimSiam without one collapses (Chen and He 2021, Table 1), as the gradient is then that \
         without stop-gradient, halved.",
    )
    .choice(
        "one",
        [
            ("one", "one matrix", Layers::One),
            ("two", "two layers", Layers::Two),
            ("none", "none (identity): p = z", Layers::None),
        ],
    );
pub static FITTED_MAP: Choice<bool, 2> = live(METHOD, "predictor_map", "Wp of two layers")
    .help(
        "What is shown as Wp. The product leaves out bias, normalisation and ReLU; the fit is the linear map that \
         comes closest to the predictor's outputs on this batch.",
    )
    .when(PREDICTOR_LAYERS.is(&["two"]))
    .choice("product", [("product", "W2 W1 (the paper's)", false), ("fitted", "fitted to its outputs", true)]);
pub static SYMMETRY: Switch = live(METHOD, "symmetry", "symmetry regularisation")
    .help(
        "After each update: one layer W ← (W + Wᵀ)/2; two layers are tied, W1 ← (W1 + W2ᵀ)/2 and W2 ← W1ᵀ, which \
         forces W2 W1 to be symmetric without negative eigenvalues.",
    )
    .switch(false);
pub static EMA: Choice<bool, 2> = live(METHOD, "target", "target network")
    .help("Where the target's weights come from.")
    .choice("ema", [("ema", "moving average (BYOL)", true), ("online", "the online network (SimSiam)", false)]);
pub static STOP_GRADIENT: Switch = live(METHOD, "stop_gradient", "stop-gradient")
    .help(
        "On: the target's answers are constants. Off, with the online network as target: the gradient flows into both sides of the \
         loss. SimSiam collapses at once without it (Chen and He 2021, Figure 2): the loss reaches its minimum, −2 here, and all \
         embeddings are one. A moving average has no weights to train, so with one it cannot be off.",
    )
    .switch(true);
pub static TAU: Float = live(METHOD, "tau", "average τ")
    .help("θ_target ← θ_target + (1 − τ)(θ − θ_target) after each update. The paper uses 0.996.")
    .when(EMA.is(&["ema"]))
    .float(0.95, [0.0, 1.0]);
pub static TAU_COSINE: Choice<bool, 2> = live(METHOD, "tau_schedule", "schedule of τ")
    .help("Cosine: τ_k = 1 − (1 − τ)(cos(πk/K) + 1)/2, as in the BYOL paper.")
    .when(EMA.is(&["ema"]))
    .choice("fixed", [("fixed", "fixed", false), ("cosine", "cosine to 1", true)]);
pub static INDEPENDENT_TARGET: Choice<bool, 2> = fixed(METHOD, "target_init", "target starts as")
    .help("The replication copies the online weights; the original authors' code leaves the target's own random ones.")
    .choice("copy", [("copy", "a copy", false), ("independent", "another random network", true)]);
pub static LOSS_SCALE: Choice<f64, 3> = live(METHOD, "loss_scale", "loss scale")
    .help("Factor of −cos(p1, t2) − cos(p2, t1). It acts like a factor of the learning rate.")
    .choice("1", [("0.5", "½ (SimSiam)", 0.5), ("1", "1 (the paper)", 1.0), ("2", "2 (original authors' code)", 2.0)]);
pub static DIRECT_MODE: Choice<Mode, 3> = live(DIRECT_PRED, "direct_mode", "eigenvalues")
    .help(
        "The paper's equation 5 and the two codes differ; a global factor is lost in the cosine loss, the ratio of ε \
         is not.",
    )
    .when(PREDICTOR_RULE.is(&["directpred"]))
    .choice(
        "normalised",
        [
            ("normalised", "√(λ/λmax) + ε (both codes)", Mode::Normalised),
            ("eq5", "√λ + ε λmax (equation 5)", Mode::Eq5),
            ("replication", "the replication's, with its clip", Mode::Replication),
        ],
    );
pub static DIRECT_EVERY: Int = live(DIRECT_PRED, "direct_every", "set Wp every")
    .help("In between, gradient descent moves Wp. DirectPred₅ is 5.")
    .unit("steps")
    .when(DIRECT)
    .int(1, [1, 1000]);
pub static DIRECT_EPSILON: Float = live(DIRECT_PRED, "direct_epsilon", "ε")
    .help("Lifts all eigenvalues of Wp. DirectPred 0.1, DirectCopy 0.3.")
    .when(DIRECT)
    .log(0.1, [0.0, 2.0]);
pub static F_MEMORY: Float = live(CORRELATION, "f_memory", "memory ρ")
    .help(
        "F ← ρ F + (1 − ρ) C with the correlation C of this batch's projector outputs; it starts as the first \
         batch's.",
    )
    .float(0.3, [0.0, 0.999]);
pub static F_CENTRED: Switch = live(CORRELATION, "f_centred", "without the mean")
    .help("F − m mᵀ with the running mean m. Without it the top eigenvector is mostly the mean.")
    .switch(false);
pub static F_CROSS_VIEW: Choice<bool, 2> = live(CORRELATION, "f_product", "product")
    .help("Equation 7 prints Z1 Z2ᵀ; the code averages Z1 Z1ᵀ and Z2 Z2ᵀ. Across views is made symmetric.")
    .choice("within", [("within", "within a view (the code)", false), ("cross", "across views (equation 7)", true)]);
pub static RATE_ENCODER: Float = live(RATES, "rate_encoder", "α, encoder")
    .help("Learning rate of the encoder. The paper uses 0.03.")
    .log(0.15, [0.0, 10.0]);
pub static RATE_PROJECTOR: Float = live(RATES, "rate_projector", "α, projector")
    .help("Learning rate of the projector. The paper: the encoder's.")
    .log(0.15, [0.0, 10.0]);
pub static RATE_PREDICTOR: Float = live(RATES, "rate_predictor", "α_pred, predictor")
    .help("Learning rate of the predictor; in the theory a larger one shrinks the basin of collapse.")
    .when(WITH_PREDICTOR)
    .log(0.15, [0.0, 10.0]);
pub static DECAY_ENCODER: Float = live(RATES, "decay_encoder", "η, encoder")
    .help("Weight decay of the encoder, as coupled L2: g ← g + η w. The paper uses 0.0004.")
    .log(0.005, [0.0, 1.0]);
pub static DECAY_PROJECTOR: Float = live(RATES, "decay_projector", "η, projector")
    .help(
        "Weight decay of the projector. The replication's configuration behind Table 3 zeroes the encoder's decay and \
         keeps this one.",
    )
    .log(0.005, [0.0, 1.0]);
pub static DECAY_PREDICTOR: Float = live(RATES, "decay_predictor", "η_pred, predictor")
    .help("Weight decay of the predictor. It removes what is antisymmetric in Wp.")
    .when(WITH_PREDICTOR)
    .log(0.005, [0.0, 1.0]);
pub static MOMENTUM: Float = live(RATES, "momentum", "momentum μ")
    .help("v ← μ v + g; w ← w − α v.")
    .when(OPTIMIZER.is(&["sgd", "lars"]))
    .float(0.9, [0.0, 0.999]);
pub static DECAY_SCOPE: Choice<DecayScope, 3> = live(RATES, "decay_scope", "what decays")
    .help(
        "Which parameters the decay pulls to zero. It decides much: with decay on biases and normalisation too, plain \
         SimSiam at the default rates collapses for most seeds.",
    )
    .choice(
        "weights",
        [
            ("weights", "weights", DecayScope::Weights),
            ("weights_norms", "weights and normalisation (replication)", DecayScope::WeightsAndNorms),
            ("all", "everything (original authors' code)", DecayScope::All),
        ],
    );
pub static ENCODER: Choice<EncoderKind, 4> = fixed(NETWORK, "network", "encoder")
    .help(
        "Small: 64 features, projector 64-128-64. ResNet-18: 512 features, projector 512-512-128; with a quarter of its \
         channels 128 features, projector 128-256-64. See Heads. The stem for 32×32 is 3×3 without max-pooling; torchvision's, made for \
         ImageNet, is 7×7 of stride 2 and a max-pooling, and wants pictures of 32 pixels or more.",
    )
    .choice(
        "small",
        [
            ("small", "three convolutions", EncoderKind::Small),
            ("resnet18_quarter", "ResNet-18, a quarter as wide", EncoderKind::ResNet18Quarter),
            ("resnet18", "ResNet-18 for 32×32", EncoderKind::ResNet18),
            ("resnet18_imagenet", "ResNet-18 as torchvision's (7×7 stem, max-pool)", EncoderKind::ResNet18ImageNet),
        ],
    );
pub static INIT: Choice<Init, 3> = fixed(NETWORK, "init", "initial weights")
    .help("How weights are drawn before the first step, or from which file they are. What a file lacks is drawn as in PyTorch.")
    .choice(
        "torch",
        [
            ("torch", "PyTorch's layers' default", Init::Torch),
            ("glorot", "Glorot (Keras' default)", Init::Glorot),
            ("file", "from a file", Init::Torch),
        ],
    );
pub static WEIGHTS: Words = fixed(NETWORK, "weights", "file of weights")
    .help(
        "A .safetensors file of `learnscope export RUN --weights`, or a PyTorch state dict of a ResNet-18 (torchvision's, lightly's, solo-learn's: \
         .pt, .pth, .safetensors). Tensors are taken by name and shape; what fits nowhere is listed in the notices and starts from random weights \
         of the seed. So does a stem of another kind: torchvision's own 7×7 one needs network=resnet18_imagenet, a 3×3 one network=resnet18. \
         With 0 steps the weights are analysed and not trained.",
    )
    .when(INIT.is(&["file"]))
    .path();
pub static SOURCE: Choice<Source, 3> = fixed(DATA, "source", "pictures")
    .help("What the network sees. Classes are used to judge the features only, never to train.")
    .choice(
        "shapes",
        [
            ("shapes", "generated shapes", Source::Shapes),
            ("cifar10", "CIFAR-10", Source::Cifar10),
            ("folder", "folder of class folders", Source::Folder),
        ],
    );
pub static FOLDER: Words =
    fixed(DATA, "data", "folder").help("Where the pictures are.").when(SOURCE.is(&["cifar10", "folder"])).folder();
pub static IMAGE_SIZE: Int = fixed(DATA, "image_size", "image size")
    .help("Pictures of a folder are cropped to their central square and resized to this. Networks for ImageNet are used to 224.")
    .unit("pixels")
    .when(SOURCE.is(&["folder"]))
    .int(32, [8, 256]);
pub static TRAIN_IMAGES: Int = fixed(DATA, "train_images", "training pictures")
    .help("How many shapes are generated to train on; 1000 more are tested on.")
    .when(SOURCE.is(&["shapes"]))
    .int(4000, [16, 100_000]);
pub static DATA_SEED: Int = fixed(DATA, "data_seed", "data seed")
    .help(
        "Defines the generated shapes, the split of a folder and which pictures are measured. The run's own seed \
         defines weights, batches and views.",
    )
    .int(1, [0, 1_000_000]);
pub static BATCH_SIZE: Int = fixed(DATA, "batch_size", "batch size")
    .help("Pictures per step, two views each. The last, incomplete batch of an epoch is dropped.")
    .int(128, [2, 4096]);
pub static VIEWS: Choice<Option<RecipeKind>, 4> =
    fixed(DATA, "views", "views").help("How two views are made of one picture.").choice(
        "auto",
        [
            ("auto", "as the pictures need", None),
            ("shapes", "for shapes: crop, flip, inversion, contrast, noise", Some(RecipeKind::Shapes)),
            ("torchvision", "for colour, original authors' code", Some(RecipeKind::Torchvision)),
            ("replication", "for colour, replication's code", Some(RecipeKind::Replication)),
        ],
    );
pub static CROP_MIN: Float = fixed(DATA, "crop_min", "smallest crop")
    .help("Smallest share of the area that a crop keeps; 0: the recipe's own (shapes 0.4, colour 0.08).")
    .float(0.0, [0.0, 1.0]);
pub static MOMENTS: Choice<NormalisedBy, 3> = fixed(DATA, "moments", "normalised by")
    .help(
        "Mean and standard deviation that each channel is freed from, in views and in what is measured. The recipe's: CIFAR-10's for \
         colour. Networks of torchvision expect ImageNet's, 0.485, 0.456, 0.406 and 0.229, 0.224, 0.225. The pictures' own are those of \
         all pixels of the training pictures; a channel that does not vary is only centred.",
    )
    .when(SOURCE.is(&["cifar10", "folder"]))
    .choice(
        "recipe",
        [
            ("recipe", "as the views' recipe", NormalisedBy::Recipe),
            ("imagenet", "ImageNet's moments", NormalisedBy::ImageNet),
            ("data", "the training pictures' own", NormalisedBy::Data),
        ],
    );
pub static STEPS: Int = fixed(RUN, "steps", "steps")
    .help("Number of updates. The paper's 100 epochs of CIFAR-10 are 39,000. 0: the network is judged as it is.")
    .unit("steps")
    .int(700, [0, 10_000_000]);
pub static LOSS_EVERY: Int = live(RUN, "loss_every", "loss every")
    .help("How often the loss is read from the device.")
    .unit("steps")
    .int(5, [1, 10_000]);
pub static ANALYSIS_EVERY: Int = live(RUN, "analysis_every", "eigenspaces every")
    .help("How often Wp and F are analysed, in f64 on the CPU.")
    .unit("steps")
    .int(10, [1, 100_000]);
pub static PROBE_EVERY: Int = live(RUN, "probe_every", "kNN and probe every")
    .help("How often the features of test pictures are judged with their classes.")
    .unit("steps")
    .int(50, [1, 1_000_000]);
pub static EVALUATION: Choice<Option<ProbeProtocol>, 3> = fixed(RUN, "evaluation", "evaluation at the end")
    .help(
        "A linear layer trained on the features of all training pictures, judged on all test pictures. The protocols \
         differ; each is printed with its number.",
    )
    .choice(
        "none",
        [
            ("none", "none", None),
            ("replication", "the paper's linear evaluation", Some(ProbeProtocol::REPLICATION)),
            ("luckmatters", "the original authors'", Some(ProbeProtocol::LUCKMATTERS)),
        ],
    );
pub static PROBE_TRAIN: Int = fixed(RUN, "probe_train", "pictures to fit on")
    .help("Training pictures, without augmentation, that kNN and linear probe use.")
    .int(2000, [10, 100_000]);
pub static PROBE_TEST: Int = fixed(RUN, "probe_test", "pictures to judge by")
    .help("Test pictures whose classes are guessed.")
    .int(1000, [10, 100_000]);

/// Every parameter, in the order of the form.
pub static PARAMS: &[ParamSpec] = &[
    PREDICTOR_RULE.row(),
    PREDICTOR_LAYERS.row(),
    FITTED_MAP.row(),
    SYMMETRY.row(),
    EMA.row(),
    STOP_GRADIENT.row(),
    TAU.row(),
    TAU_COSINE.row(),
    INDEPENDENT_TARGET.row(),
    LOSS_SCALE.row(),
    DIRECT_MODE.row(),
    DIRECT_EVERY.row(),
    DIRECT_EPSILON.row(),
    F_MEMORY.row(),
    F_CENTRED.row(),
    F_CROSS_VIEW.row(),
    OPTIMIZER.row(),
    RATE_ENCODER.row(),
    RATE_PROJECTOR.row(),
    RATE_PREDICTOR.row(),
    DECAY_ENCODER.row(),
    DECAY_PROJECTOR.row(),
    DECAY_PREDICTOR.row(),
    MOMENTUM.row(),
    DECAY_SCOPE.row(),
    TRUST.row(),
    RATE_SCHEDULE.row(),
    RATE_DROP.row(),
    WARM_UP.row(),
    PREDICTOR_CONSTANT.row(),
    ENCODER.row(),
    INIT.row(),
    PROJECTOR_LAYERS.row(),
    HIDDEN_WIDTH.row(),
    EMBEDDING_WIDTH.row(),
    PROJECTOR_NORM.row(),
    OUTPUT_NORM.row(),
    PREDICTOR_HIDDEN.row(),
    PREDICTOR_NORM.row(),
    WEIGHTS.row(),
    SOURCE.row(),
    FOLDER.row(),
    IMAGE_SIZE.row(),
    TRAIN_IMAGES.row(),
    DATA_SEED.row(),
    BATCH_SIZE.row(),
    VIEWS.row(),
    CROP_MIN.row(),
    MOMENTS.row(),
    JITTER_STRENGTH.row(),
    JITTER_CHANCE.row(),
    FLIP_CHANCE.row(),
    GREY_CHANCE.row(),
    INVERT_CHANCE.row(),
    NOISE.row(),
    BLUR_CHANCE.row(),
    SOLARISE_CHANCE.row(),
    STEPS.row(),
    LOSS_EVERY.row(),
    ANALYSIS_EVERY.row(),
    PROBE_EVERY.row(),
    EVALUATION.row(),
    PROBE_TRAIN.row(),
    PROBE_TEST.row(),
];
