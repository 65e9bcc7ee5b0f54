//! The parameters of the lab: what the form shows, and what the code reads.

use crate::data::augment::{Group, Step};
use crate::data::fundus::read::Fit;
use crate::data::synth::fundus::Hospital;
use crate::engine::params::{ParamError, ParamSpec, Params};
use crate::engine::table::{Choice, Condition, Float, Int, Switch, Words, fixed, live};
use crate::nn::optim::Rule;
use crate::nn::reconstruction::loss::Reconstruction;
use crate::nn::reconstruction::spec::{Family, Head, Layout, NetSpec};

use super::query::Query;
use super::{active, balance};

/// In which order networks are trained on what (section 4.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Routine {
    /// Encoder and classifier on labelled pictures: the baseline.
    Supervised,
    /// First encoder and decoder on unlabelled pictures, then encoder and classifier on labelled ones.
    AeThenCl,
    /// Batches of both kinds in turn: unlabelled ones are rebuilt, labelled ones rebuilt and told apart.
    Combined,
    /// The ablation of that without unlabelled pictures.
    LabelledAlso,
}

/// How training goes on when labels were added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restart {
    /// With the weights, and optimizers that remember nothing.
    Warm,
    /// From the first weights of the seed.
    Cold,
}

/// Which network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Network {
    Aecl1,
    AeRes18,
    ResNet18,
    InceptionV3,
}

/// Where pictures come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    Generated,
    /// One's own.
    Folder,
    /// The small generated set in Messidor's layout, read as a folder of one's own is.
    Sample,
}

/// The optimizers that may be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Descent {
    Adam,
    AdamW,
    Sgd,
    Nesterov,
}

const NETWORK: &str = "Network";
const ROUTINE: &str = "Routine";
const ACTIVE: &str = "Active learning";
const LOSS: &str = "Losses";
const DATA: &str = "Data";
const TRAINING: &str = "Training";
const VIEWS: &str = "Augmentation";
const EVALUATION: &str = "Evaluation";

static FAMILY: Choice<Network, 4> = fixed(NETWORK, "network", "network")
    .help(
        "AECL1: convolutions mirrored by transposed ones. AERes18: ResNet-18 as encoder. ResNet-18 and InceptionV3 \
         alone are baselines that rebuild nothing; InceptionV3 is for pictures of 128 pixels or more. All start from random weights of \
         the seed, or from those of a file (parameter `weights`).",
    )
    .choice("aecl1", [
        ("aecl1", "AECL1", Network::Aecl1),
        ("aeres18", "AERes18", Network::AeRes18),
        ("resnet18", "ResNet-18 (baseline)", Network::ResNet18),
        ("inceptionv3", "InceptionV3 (baseline)", Network::InceptionV3),
    ]);
static LAYOUT: Choice<Layout, 3> = fixed(NETWORK, "layout", "layers")
    .help(
        "Mini: as many layers as halve the picture to 2×2, with few channels. The article's: 8 + 8 layers, at 512 pixels with \
         the channels of its figure 2, which can be read in two ways.",
    )
    .when(FAMILY.is(&["aecl1"]))
    .choice("mini", [
        ("mini", "mini", Layout::Mini),
        ("paper", "8 + 8 (figure 2)", Layout::Paper),
        ("64-first", "8 + 8 (64 first)", Layout::SixtyFourFirst),
    ]);
static WIDTH: Choice<f64, 4> = fixed(NETWORK, "width", "channels")
    .help("Times the channels of every layer.")
    .when(FAMILY.is(&["aecl1"]))
    .choice("1", [("1", "all", 1.0), ("1/2", "a half", 0.5), ("1/4", "a quarter", 0.25), ("1/8", "an eighth", 0.125)]);
static TIED: Switch = fixed(NETWORK, "tied", "tied weights")
    .help("The decoder's kernels are the encoder's (3×3): half as many parameters, which both parts train.")
    .when(FAMILY.is(&["aecl1"]))
    .switch(false);
static SIGMOID: Choice<bool, 2> = fixed(NETWORK, "output", "output of the decoder")
    .help("Linear outputs are cut to 0..1 for the eye alone; a sigmoid cannot leave 0..1.")
    .when(FAMILY.is(&["aecl1", "aeres18"]))
    .choice("linear", [("linear", "linear", false), ("sigmoid", "sigmoid", true)]);
static HEAD: Choice<Head, 3> = fixed(NETWORK, "head", "classifier")
    .help(
        "Ill or healthy alone; or grades 0 to 3 as well: as four classes, or as the questions whether it is at least 1, 2, 3, \
         whose answers cannot contradict each other.",
    )
    .when(FAMILY.is(&["aecl1", "aeres18"]))
    .choice("binary", [
        ("binary", "ill or healthy", Head::Binary),
        ("softmax", "and grades", Head::Softmax),
        ("ordinal", "and ordered grades", Head::Ordinal),
    ]);
static LEAKY: Switch = fixed(NETWORK, "leaky", "LeakyReLU in the classifier")
    .help(
        "Its four ReLU units can all die, after which every picture gets the same answer for good; leaky ones cannot.",
    )
    .when(FAMILY.is(&["aecl1", "aeres18"]))
    .switch(false);
pub static SIZE: Choice<usize, 5> = fixed(NETWORK, "image_size", "picture size")
    .help("Height and width to which pictures are scaled. The article's is 512.")
    .unit("pixels")
    .choice("64", [("32", "32", 32), ("64", "64", 64), ("128", "128", 128), ("256", "256", 256), ("512", "512", 512)]);

pub static WEIGHTS: Words = fixed(NETWORK, "weights", "start from weights")
    .help(
        "A .safetensors file of `learnscope export --weights`, or a PyTorch state dict, such as torchvision's resnet18-*.pth for the \
         encoder of AERes18 and ResNet-18, or its inception_v3-*.pth for InceptionV3. Tensors are taken by name and shape; what fits nowhere is listed in the run's notices and \
         network card and starts from random weights of the seed. Up to 128 pixels the stem here is 3×3 and torchvision's 7×7 one is \
         left out. Pictures are shown as numbers from 0 to 1, without ImageNet's means and deviations, as in the authors' code. \
         Empty: random weights.",
    )
    .path();

pub static ROUTINES: Choice<Routine, 4> = live(ROUTINE, "routine", "routine")
    .help(
        "Supervised: labelled pictures alone. AE then CL: first rebuild unlabelled ones, then learn from labelled ones. \
         Combined: batches of both kinds in turn, in proportion to their numbers. The last rebuilds labelled pictures too, but has \
         no others: whether the second task helps without further data. A change begins a new epoch.",
    )
    .choice("combined", [
        ("supervised", "supervised only", Routine::Supervised),
        ("ae-then-cl", "AE then CL", Routine::AeThenCl),
        ("combined", "AE-CL combined", Routine::Combined),
        ("labelled-also", "labelled also rebuilt", Routine::LabelledAlso),
    ]);
const TWO_PHASES: Condition = ROUTINES.is(&["ae-then-cl"]);
const BALANCED: Condition = ROUTINES.is(&["combined", "labelled-also"]);
pub static PHASE_STEPS: Int = fixed(ROUTINE, "phase_steps", "first phase")
    .unit("steps")
    .help("Steps in which unlabelled pictures are rebuilt before labelled ones are learned from. 374 are 11 epochs of 400 pictures.")
    .when(TWO_PHASES)
    .int(374, [0, 1_000_000]);
pub static SWITCH_NOW: Switch = live(ROUTINE, "second_phase", "second phase now")
    .help("Ends the first phase with this step.")
    .when(TWO_PHASES)
    .switch(false);
static FREEZE: Int = live(ROUTINE, "freeze_steps", "freeze the encoder for")
    .help("Steps at the beginning of the second phase in which the classifier alone learns: what the code is worth as it is.")
    .unit("steps")
    .when(TWO_PHASES)
    .int(0, [0, 1_000_000]);
pub static LOOPED: Switch = fixed(ROUTINE, "loop_shorter", "repeat the smaller set")
    .help("The smaller of both sets is drawn from again until the larger one is through; otherwise each picture comes once an epoch.")
    .when(ROUTINES.is(&["combined"]))
    .switch(false);
pub static LABELLED_SHARE: Float = live(ROUTINE, "labelled_share", "labelled share")
    .help("Share of the training pictures whose labels are used, of each hospital alike; the labels of the others are hidden. A change begins a new epoch.")
    .float(1.0, [0.02, 1.0]);

pub static QUERY: Choice<Option<Query>, 7> = live(ACTIVE, "query", "ask for labels by")
    .help(
        "Every so many steps the pictures without a label (unlabelled ones, and labelled ones whose label a labelled share below \
         1 hides, which train nothing until then) are scored, and the labels of the best ones are asked for. Entropy: the answer is \
         least certain. Margin: smallest distance of ill and healthy; with two classes the same order. BALD: ten passes with \
         dropout 0.2 before the classifier disagree most. k-centre: farthest in code space from what is labelled. \
         Reconstruction error: worst rebuilt. Random is what they have to beat.",
    )
    .choice("off", [
        ("off", "nothing (off)", None),
        ("random", "random", Some(Query::Random)),
        ("entropy", "entropy", Some(Query::Entropy)),
        ("margin", "margin", Some(Query::Margin)),
        ("bald", "BALD", Some(Query::Bald)),
        ("k-centre", "k-centre", Some(Query::KCentre)),
        ("reconstruction", "reconstruction error", Some(Query::Reconstruction)),
    ]);
const ASKING: Condition = QUERY.is(&["random", "entropy", "margin", "bald", "k-centre", "reconstruction"]);
pub static QUERY_EVERY: Int = live(ACTIVE, "query_every", "ask every")
    .unit("steps")
    .help("Steps between two rounds of questions. In the first phase of AE then CL nothing is asked for.")
    .when(ASKING)
    .int(156, [1, 1_000_000]);
pub static QUERY_COUNT: Int = live(ACTIVE, "query_count", "ask for")
    .unit("pictures")
    .help("Pictures of a round; fewer where fewer are left.")
    .when(ASKING)
    .int(10, [1, 100]);
pub static ORACLE: Switch = live(ACTIVE, "oracle", "an oracle answers")
    .help(
        "Pictures whose grade is known, as that of generated ones is, answer at once. Off: you answer in the tile Label next, and \
         training goes on meanwhile.",
    )
    .when(ASKING)
    .switch(true);
pub static GIVEN: Words = live(ACTIVE, "given_labels", "labels by hand")
    .help(
        "NAME=GRADE;NAME=GRADE: grades 0 to 3 of pictures to train on, as the tile Label next gives them. They count before \
         grades of the data. Names are those of these data: empty it when you choose others.",
    )
    .text("");
pub static RESTART: Choice<Restart, 2> = live(ACTIVE, "restart", "then train on from")
    .help(
        "Where labels were added by oracle or hand. Warm: from the weights of now, with optimizers that remember nothing. \
         Cold: from the first weights of the seed, AE then CL with its first phase.",
    )
    .choice("warm", [("warm", "these weights (warm)", Restart::Warm), ("cold", "first weights (cold)", Restart::Cold)]);

static RECONSTRUCTION: Choice<Reconstruction, 10> = live(LOSS, "reconstruction", "reconstruction loss L_ae")
    .help(
        "The article's is the mean squared error. KL divergence and mutual information of patches' histograms are its future \
         work; they know no places, so that the squared error is added to them and to the edges.",
    )
    .choice("mse", [
        ("mse", "MSE", Reconstruction::Mse),
        ("l1", "L1", Reconstruction::L1),
        ("charbonnier", "Charbonnier", Reconstruction::Charbonnier),
        ("ssim", "1 − SSIM", Reconstruction::Ssim),
        ("ms-ssim", "1 − MS-SSIM", Reconstruction::MsSsim),
        ("mix", "0.84 (1 − MS-SSIM) + 0.16 L1", Reconstruction::Mix),
        ("gradient", "MSE + edges", Reconstruction::Gradient),
        ("detail", "MSE weighted by detail", Reconstruction::Detail),
        ("kl", "MSE + KL of histograms", Reconstruction::Divergence),
        ("mutual-information", "MSE − mutual information", Reconstruction::MutualInformation),
    ]);
static ALPHA: Float = live(LOSS, "alpha", "weight of the ill α")
    .help("Times the cross-entropy of pictures with retinopathy (eq. 2). The article's is 1.")
    .log(1.0, [0.1, 10.0]);
static GRADE_WEIGHT: Float = live(LOSS, "grade_weight", "weight of grades λ₂")
    .help("Times the loss of grades, within L_cl.")
    .when(HEAD.is(&["softmax", "ordinal"]))
    .log(0.5, [0.01, 10.0]);
pub static LAMBDA: Float = live(ROUTINE, "lambda", "λ")
    .help(
        "L = L_ae + λ L_cl (eq. 3). What a value means depends on the scale of L_ae: here the mean squared error of numbers from \
         0 to 1. The article's 400 and 3 are of a scale that it does not give. Where λ adapts, this is its first value, and \
         setting it sets λ anew.",
    )
    .when(BALANCED)
    .log(0.3, [1e-3, 1e4]);
static LAMBDA_RULE: Choice<balance::Rule, 5> = live(ROUTINE, "lambda_rule", "λ is")
    .help(
        "Fixed, as in the article; or adapted from the gradients of both losses at the encoder. Eq. (4) as printed jumps between \
         two values for ever; balanced makes both pull equally; smoothed goes there by a tenth; GradNorm keeps both losses at the \
         same pace.",
    )
    .when(BALANCED)
    .choice("fixed", [
        ("fixed", "fixed", balance::Rule::Fixed),
        ("literal", "eq. (4) as printed", balance::Rule::Literal),
        ("balanced", "balanced", balance::Rule::Balanced),
        ("smoothed", "balanced, smoothed", balance::Rule::Average),
        ("gradnorm", "GradNorm", balance::Rule::GradNorm),
    ]);
static PULL: Float = live(ROUTINE, "pull", "pull ρ")
    .help("How strongly the classification shall pull the encoder beside the reconstruction: λ goes to ρ ‖g_ae‖ / ‖g_cl‖.")
    .when(LAMBDA_RULE.is(&["balanced", "smoothed"]))
    .log(1.0, [0.01, 100.0]);
static PACE: Float = live(ROUTINE, "gradnorm_alpha", "GradNorm's α")
    .help("How strongly a loss that falls more slowly is favoured.")
    .when(LAMBDA_RULE.is(&["gradnorm"]))
    .float(1.5, [0.0, 3.0]);

pub static SOURCE: Choice<Source, 3> = fixed(DATA, "source", "pictures")
    .help(
        "Generated pictures look like photographs of the retina and are not. A folder: Messidor's layout, IDRiD's, or pictures with a \
         table. The sample is 36 generated pictures in Messidor's layout, with mistakes as the real one has them.",
    )
    .choice("generated", [
        ("generated", "generated fundus pictures", Source::Generated),
        ("folder", "a folder of photographs", Source::Folder),
        ("sample", "sample in Messidor's layout", Source::Sample),
    ]);
const GENERATED: Condition = SOURCE.is(&["generated"]);
const OWN: Condition = SOURCE.is(&["folder"]);
const READ: Condition = SOURCE.is(&["folder", "sample"]);
pub static FOLDER: Words = fixed(DATA, "data", "graded photographs")
    .help(
        "A folder with grades: Messidor (Base11 to Base34, each with its Annotation .csv or .xls), IDRiD, or pictures with one .csv \
         that has a column of images and one of grades 0 to 4. A fifth is tested on, of each hospital alike.",
    )
    .when(OWN)
    .folder();
pub static UNLABELLED_FOLDER: Words = fixed(DATA, "unlabelled", "photographs without grades")
    .help(
        "Any folder of pictures. What is among the graded ones too is left out and listed, in whatever format and mirrored too, so that \
         no test picture is trained on.",
    )
    .when(OWN)
    .folder();
pub static ERRATA: Switch = fixed(DATA, "errata", "mend Messidor's mistakes")
    .help("Corrects its 4 grades that are known to be wrong and leaves out its 13 duplicates; the tile Data says which were there.")
    .when(READ)
    .switch(true);
pub static FIT: Choice<Fit, 2> = fixed(DATA, "fit", "made square by")
    .help("The article stretches photographs, which are wider than high, so that round things get tall.")
    .when(READ)
    .choice(
        "stretch",
        [("stretch", "stretching", Fit::Stretch), ("field-of-view", "cutting to the field of view", Fit::FieldOfView)],
    );
pub static HOLD_OUT: Choice<Option<usize>, 4> = fixed(DATA, "hold_out", "unseen hospital")
    .help("One hospital of the folder is in no training set: its pictures show what the network makes of a camera that it has not seen.")
    .when(READ)
    .choice("none", [
        ("none", "none", None),
        ("1", "the first", Some(0)),
        ("2", "the second", Some(1)),
        ("3", "the third", Some(2)),
    ]);
pub static TRAIN_ON_ALL: Switch = fixed(DATA, "train_on_validation", "train on validation pictures too")
    .help("As for the article's test accuracies. Nothing is left to choose by, so that you should have chosen before.")
    .when(READ)
    .switch(false);
pub static LABELLED: Int = fixed(DATA, "train_images", "labelled pictures")
    .unit("pictures")
    .help("To train on, with their grades.")
    .when(GENERATED)
    .int(60, [2, 20_000]);
pub static UNLABELLED: Int = fixed(DATA, "unlabelled_images", "unlabelled pictures")
    .unit("pictures")
    .help("To train on, without grades.")
    .when(GENERATED)
    .int(400, [0, 100_000]);
pub static VALIDATION: Int = fixed(DATA, "validation_images", "validation pictures")
    .unit("pictures")
    .help("To choose by; never trained on.")
    .when(GENERATED)
    .int(60, [0, 20_000]);
pub static TEST: Int = fixed(DATA, "test_images", "test pictures")
    .unit("pictures")
    .help("The same for every seed of the run.")
    .when(GENERATED)
    .int(200, [2, 20_000]);
pub static UNSEEN: Int = fixed(DATA, "unseen_images", "of the unseen hospital")
    .unit("pictures")
    .help("Test pictures of a fourth hospital, whose camera is in no training set.")
    .when(GENERATED)
    .int(60, [0, 20_000]);
pub static HOSPITALS: Choice<&'static [Hospital], 4> = fixed(DATA, "hospitals", "hospitals")
    .help("Whose cameras the pictures to train on are from.")
    .when(GENERATED)
    .choice(
        "abc",
        [
            ("abc", "A, B and C", &[Hospital::A, Hospital::B, Hospital::C]),
            ("a", "A alone", &[Hospital::A]),
            ("b", "B alone", &[Hospital::B]),
            ("c", "C alone", &[Hospital::C]),
        ],
    );
pub static LESION_SCALE: Float = fixed(DATA, "lesion_scale", "lesion size")
    .help("Times the size of the recipe's lesions. Real microaneurysms would be far below one pixel here.")
    .when(GENERATED)
    .log(1.3, [0.5, 4.0]);
pub static WRONG: Float = fixed(DATA, "wrong_labels", "wrong labels")
    .help("Share of the labelled pictures to train on that are given the wrong one of ill and healthy.")
    .when(GENERATED)
    .float(0.0, [0.0, 0.5]);
pub static DATA_SEED: Int = fixed(DATA, "data_seed", "data seed")
    .help("Of the generated pictures; the run's own seed is of weights, order and views.")
    .when(GENERATED)
    .int(7, [0, 1_000_000]);

pub static BATCH: Int = fixed(TRAINING, "batch_size", "batch")
    .unit("pictures")
    .help("Each batch is wholly labelled or wholly unlabelled.")
    .int(12, [2, 512]);
static OPTIMIZER: Choice<Descent, 4> = fixed(TRAINING, "optimizer", "optimizer")
    .help("Encoder, decoder and classifier have one each, so that a batch without labels does not move the classifier.")
    .choice(
        "adam",
        [
            ("adam", "Adam", Descent::Adam),
            ("adamw", "AdamW", Descent::AdamW),
            ("sgd", "SGD with momentum", Descent::Sgd),
            ("nesterov", "SGD with Nesterov's momentum", Descent::Nesterov),
        ],
    );
pub static RATE: Float =
    live(TRAINING, "learning_rate", "learning rate").help("Of all three optimizers.").log(1e-3, [1e-7, 1.0]);
pub static DECAY: Float = live(TRAINING, "weight_decay", "weight decay")
    .help("Pulls weights to zero: as L2 within the gradient, with AdamW apart from it.")
    .log(0.0, [0.0, 1.0]);
pub static MOMENTUM: Float = fixed(TRAINING, "momentum", "momentum")
    .help("μ of SGD.")
    .when(OPTIMIZER.is(&["sgd", "nesterov"]))
    .float(0.9, [0.0, 0.999]);
static BETA1: Float = fixed(TRAINING, "beta1", "β₁")
    .help("Memory of Adam's first moment.")
    .when(OPTIMIZER.is(&["adam", "adamw"]))
    .float(0.9, [0.0, 0.999]);
static EPSILON: Float = fixed(TRAINING, "epsilon", "ε")
    .help("What Adam adds to the root.")
    .when(OPTIMIZER.is(&["adam", "adamw"]))
    .log(1e-8, [1e-10, 1.0]);
pub static STEPS: Int = fixed(TRAINING, "steps", "steps")
    .unit("updates")
    .help(
        "Updates, the same number for every routine, so that they compare: with fewer batches an epoch there are more epochs. \
         936 are 24 epochs of 60 labelled and 400 unlabelled pictures in batches of 12.",
    )
    .int(936, [1, 1_000_000]);

static AUGMENT: Switch = live(VIEWS, "augment", "augment")
    .help("Every step sees each picture turned, cut and perhaps mirrored.")
    .switch(true);
static DEGREES: Float = live(VIEWS, "rotate", "turn by up to")
    .unit("degrees")
    .help("In either direction (section 4.5).")
    .when(AUGMENT.is_on())
    .float(15.0, [0.0, 180.0]);
static LEAST: Float =
    live(VIEWS, "crop", "smallest cut").help("Of 1, the whole.").when(AUGMENT.is_on()).float(0.9, [0.3, 1.0]);
static BY_AREA: Choice<bool, 2> = live(VIEWS, "crop_means", "cut of")
    .help("\"Scaling in [0.9, 1]\" may mean either; the authors' other code cuts the area.")
    .when(AUGMENT.is_on())
    .choice("area", [("area", "the area", true), ("length", "the side", false)]);
static MIRRORED: Float = live(VIEWS, "flip", "mirrored")
    .help("Share of pictures that are mirrored.")
    .when(AUGMENT.is_on())
    .float(0.5, [0.0, 1.0]);

pub static VALIDATE_EVERY: Int = live(EVALUATION, "validate_every", "validate every")
    .unit("steps")
    .help("Steps between measurements on validation and test pictures. They never choose weights.")
    .int(39, [1, 1_000_000]);
pub static REBUILD_EVERY: Int = live(EVALUATION, "rebuild_every", "rebuild every")
    .unit("steps")
    .help("Steps between pictures of the wall: originals beside what the network makes of them.")
    .int(13, [1, 1_000_000]);
pub static PULL_EVERY: Int = live(EVALUATION, "gradients_every", "measure gradients every")
    .unit("labelled batches")
    .help("Labelled batches between measurements of both losses' gradients at the encoder; λ adapts at these.")
    .when(BALANCED)
    .int(5, [1, 10_000]);

pub static EXPLAIN_EVERY: Int = live(EVALUATION, "explain_every", "occlusion maps every")
    .unit("steps")
    .help(
        "Steps between maps of what covering a place of the wall's pictures does to the answer, which takes 256 passes a \
         picture; 0: never. The end of a longer run has them too.",
    )
    .int(468, [0, 1_000_000]);
pub static BETWEEN_FIRST: Int = live(EVALUATION, "between_first", "decode from picture")
    .unit("number")
    .help("Of the map of codes, the first is 0: where the decoded line between two codes begins. Dragging from one point to another in the tile Codes sets it.")
    .int(0, [0, 40_000]);
pub static BETWEEN_SECOND: Int = live(EVALUATION, "between_second", "decode to picture")
    .unit("number")
    .help("Where that line ends.")
    .int(1, [0, 40_000]);

/// Every parameter, in the order of the form.
pub static PARAMS: &[ParamSpec] = &[
    ROUTINES.row(),
    LAMBDA.row(),
    LAMBDA_RULE.row(),
    PULL.row(),
    PACE.row(),
    LABELLED_SHARE.row(),
    PHASE_STEPS.row(),
    SWITCH_NOW.row(),
    FREEZE.row(),
    LOOPED.row(),
    FAMILY.row(),
    LAYOUT.row(),
    WIDTH.row(),
    TIED.row(),
    SIGMOID.row(),
    HEAD.row(),
    LEAKY.row(),
    SIZE.row(),
    WEIGHTS.row(),
    RECONSTRUCTION.row(),
    ALPHA.row(),
    GRADE_WEIGHT.row(),
    SOURCE.row(),
    FOLDER.row(),
    UNLABELLED_FOLDER.row(),
    ERRATA.row(),
    FIT.row(),
    HOLD_OUT.row(),
    TRAIN_ON_ALL.row(),
    LABELLED.row(),
    UNLABELLED.row(),
    VALIDATION.row(),
    TEST.row(),
    UNSEEN.row(),
    HOSPITALS.row(),
    LESION_SCALE.row(),
    WRONG.row(),
    DATA_SEED.row(),
    QUERY.row(),
    QUERY_EVERY.row(),
    QUERY_COUNT.row(),
    ORACLE.row(),
    GIVEN.row(),
    RESTART.row(),
    BATCH.row(),
    OPTIMIZER.row(),
    RATE.row(),
    DECAY.row(),
    MOMENTUM.row(),
    BETA1.row(),
    EPSILON.row(),
    STEPS.row(),
    AUGMENT.row(),
    DEGREES.row(),
    LEAST.row(),
    BY_AREA.row(),
    MIRRORED.row(),
    VALIDATE_EVERY.row(),
    REBUILD_EVERY.row(),
    PULL_EVERY.row(),
    EXPLAIN_EVERY.row(),
    BETWEEN_FIRST.row(),
    BETWEEN_SECOND.row(),
];

/// The values that a running experiment accepts.
#[derive(Debug, Clone, PartialEq)]
pub struct Hyper {
    pub reconstruction: Reconstruction,
    pub alpha: f64,
    pub grade_weight: f64,
    pub rule: balance::Rule,
    /// ρ.
    pub pull: f64,
    /// GradNorm's α.
    pub pace: f64,
    pub learning_rate: f64,
    pub weight_decay: f64,
    pub freeze: u64,
    /// How a training step sees its pictures; empty: as they are.
    pub views: Vec<Group>,
    /// Steps between measurements.
    pub validate_every: u64,
    pub rebuild_every: u64,
    /// Labelled batches between measurements.
    pub pull_every: u64,
    pub explain_every: u64,
    /// Points of the map of codes between which is decoded.
    pub between: [usize; 2],
}

impl Hyper {
    pub fn of(params: &Params) -> Self {
        // Section 4.5: turned by up to 15°, cut to 0.9 to 1, perhaps mirrored.
        let turned =
            Step::TurnedCrop { rotate: DEGREES.of(params), least: LEAST.of(params), by_area: BY_AREA.of(params) };
        let views = vec![Group::one(1.0, turned), Group::one(MIRRORED.of(params), Step::FlipHorizontal)];
        Self {
            reconstruction: RECONSTRUCTION.of(params),
            alpha: ALPHA.of(params),
            grade_weight: GRADE_WEIGHT.of(params),
            rule: LAMBDA_RULE.of(params),
            pull: PULL.of(params),
            pace: PACE.of(params),
            learning_rate: RATE.of(params),
            weight_decay: DECAY.of(params),
            freeze: FREEZE.of(params) as u64,
            views: if AUGMENT.of(params) { views } else { Vec::new() },
            validate_every: VALIDATE_EVERY.of(params) as u64,
            rebuild_every: REBUILD_EVERY.of(params) as u64,
            pull_every: PULL_EVERY.of(params) as u64,
            explain_every: EXPLAIN_EVERY.of(params) as u64,
            between: [BETWEEN_FIRST.of(params) as usize, BETWEEN_SECOND.of(params) as usize],
        }
    }
}

/// The network that these parameters ask for.
pub fn net_spec(params: &Params) -> NetSpec {
    let family = match FAMILY.of(params) {
        Network::Aecl1 => Family::Aecl1 { layout: LAYOUT.of(params), tied: TIED.of(params) },
        Network::AeRes18 => Family::AeRes18,
        Network::ResNet18 => Family::ResNet18,
        Network::InceptionV3 => Family::InceptionV3,
    };
    let width = if matches!(family, Family::Aecl1 { .. }) { WIDTH.of(params) } else { 1.0 };
    NetSpec {
        family,
        size: SIZE.of(params),
        width,
        sigmoid: SIGMOID.of(params),
        head: HEAD.of(params),
        leaky: LEAKY.of(params),
    }
}

/// Key of the choice of the update rule.
pub const OPTIMIZER_KEY: &str = OPTIMIZER.key();

/// The update rule of all three optimizers.
pub fn rule(params: &Params) -> Rule {
    let momentum = MOMENTUM.of(params);
    let adam = |decoupled| Rule::Adam { betas: (BETA1.of(params), 0.999), epsilon: EPSILON.of(params), decoupled };
    match OPTIMIZER.of(params) {
        Descent::Adam => adam(false),
        Descent::AdamW => adam(true),
        Descent::Sgd => Rule::Sgd { momentum, nesterov: false },
        Descent::Nesterov => Rule::Sgd { momentum, nesterov: true },
    }
}

/// Values that belong together: a combination that no run can have. Reads no files.
pub fn check_combination(params: &Params) -> Result<(), ParamError> {
    let invalid = |key: &str, problem: String| Err(ParamError::invalid(key, problem));
    let spec = net_spec(params);
    if let Err(error) = spec.check() {
        return invalid(SIZE.key(), error.to_string());
    }
    let routine = ROUTINES.of(params);
    if !spec.family.reconstructs() && routine != Routine::Supervised {
        return invalid(
            ROUTINES.key(),
            format!(
                "{} has no decoder and can only be trained supervised; choose routine=supervised, or network=aeres18",
                spec.family.name()
            ),
        );
    }
    let (empty, key, how) = match SOURCE.of(params) {
        Source::Generated => (UNLABELLED.of(params) == 0, UNLABELLED.key(), "give it some"),
        Source::Folder => {
            let none = UNLABELLED_FOLDER.of(params).is_empty();
            (none, UNLABELLED_FOLDER.key(), "choose a folder of them (`--set unlabelled=DIR`)")
        }
        Source::Sample => (false, "", ""),
    };
    if SOURCE.of(params) == Source::Folder && FOLDER.of(params).is_empty() {
        return invalid(FOLDER.key(), "choose the folder with graded photographs (`--data DIR`)".to_owned());
    }
    if matches!(routine, Routine::AeThenCl | Routine::Combined) && empty {
        return invalid(
            key,
            format!(
                "this routine learns from unlabelled pictures, and there are none; {how}, or choose routine=labelled-also"
            ),
        );
    }
    if routine == Routine::Supervised && QUERY.of(params) == Some(Query::Reconstruction) {
        return invalid(
            QUERY.key(),
            "a supervised run learns to rebuild nothing, so that errors of reconstruction say nothing; choose another score or routine"
                .to_owned(),
        );
    }
    active::entries(GIVEN.of(params)).map_err(|problem| ParamError::invalid(GIVEN.key(), problem))?;
    let loss = RECONSTRUCTION.of(params);
    if spec.size < loss.least_side() {
        return invalid(
            RECONSTRUCTION.key(),
            format!("it needs pictures of at least {} pixels, and these have {}", loss.least_side(), spec.size),
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_the_combined_routine_on_a_mini_network() {
        let params = Params::defaults(PARAMS);
        check_combination(&params).unwrap();
        assert_eq!(ROUTINES.of(&params), Routine::Combined);
        let spec = net_spec(&params);
        assert_eq!((spec.family, spec.size), (Family::Aecl1 { layout: Layout::Mini, tied: false }, 64));
        assert_eq!(rule(&params), Rule::ADAM);
    }

    #[test]
    fn what_does_not_go_together_is_refused_by_name() {
        for (set, words) in [
            (&["network=resnet18"][..], "`routine`"),
            (&["network=inceptionv3", "routine=supervised"], "`image_size`"),
            (&["unlabelled_images=0"], "`unlabelled_images`"),
            (&["routine=supervised", "query=reconstruction"], "`query`"),
            (&["given_labels=unlabelled A1=7"], "`given_labels`"),
            (&["image_size=32", "reconstruction=ms-ssim"], "`reconstruction`"),
            (&["source=folder"], "`data`"),
            (&["source=folder", "data=x"], "`unlabelled`"),
        ] {
            let mut params = Params::defaults(PARAMS);
            set.iter().for_each(|value| params.set_text(PARAMS, value).unwrap());
            let message = check_combination(&params).unwrap_err().to_string();
            assert!(message.contains(words), "{message}");
        }
    }
}
