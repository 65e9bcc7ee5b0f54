//! Every parameter of the lab, in the order of the form.

use crate::engine::params::{DefaultValue, ParamKind, ParamSpec};
use crate::engine::table::{choice, fixed, spec, unit, when};

const fn whole(min: i64, max: i64) -> ParamKind {
    ParamKind::Int { min, max }
}

const NETWORK: &str = "Network";
const DATA: &str = "Data";
const TRAINING: &str = "Training";
const SCHEDULE: &str = "Schedule";
const EVALUATION: &str = "Evaluation";
const UNETS: &[&str] = &["unet", "light", "lighter"];

/// Every parameter, in the order of the form.
pub static PARAMS: &[ParamSpec] = &[
    fixed(spec(
        NETWORK,
        "architecture",
        "network",
        ParamKind::Choice(&[
            choice("unet", "U-net"),
            choice("light", "Light U-net"),
            choice("lighter", "Lighter U-net @C"),
            choice("fcn-32s", "FCN-32s"),
            choice("fcn-16s", "FCN-16s"),
            choice("fcn-8s", "FCN-8s"),
            choice("deeplab-resnet101", "DeepLab v3+ (ResNet-101)"),
            choice("deeplab-xception", "DeepLab v3+ (Xception)"),
            choice("deeplab-mobilenetv2", "DeepLab v3+ (MobileNetV2)"),
        ]),
        DefaultValue::Choice("unet"),
        "Light: the second stage of every block is depthwise separable. Lighter: both stages are a 3×3 convolution in \
         groups of C channels and a 1×1 convolution.",
    )),
    fixed(when(
        spec(
            NETWORK,
            "group",
            "group size C",
            ParamKind::Choice(&[
                choice("1", "1 (depthwise)"),
                choice("2", "2"),
                choice("4", "4"),
                choice("8", "8"),
                choice("16", "16"),
                choice("32", "32"),
                choice("64", "64"),
                choice("128", "128"),
            ]),
            DefaultValue::Choice("4"),
            "Channels per group of the 3×3 convolutions. With a narrower network scale C alike: @4 at width 8 stands for \
             the paper's @32 at width 64.",
        ),
        "architecture",
        &["lighter"],
    )),
    fixed(when(
        unit(
            spec(
                NETWORK,
                "base",
                "width b",
                whole(1, 128),
                DefaultValue::Int(8),
                "Channels of the first level; the levels below have 2b, 4b, 8b and 8b. The paper's is 64.",
            ),
            "channels",
        ),
        "architecture",
        UNETS,
    )),
    fixed(spec(
        NETWORK,
        "weights",
        "start from weights",
        ParamKind::Path,
        DefaultValue::Path(""),
        "A .safetensors file saved here, or a PyTorch state dict of the same network; empty: random weights of the seed.",
    )),
    fixed(spec(
        DATA,
        "source",
        "images",
        ParamKind::Choice(&[
            choice("synthetic", "generated ultrasound (synthetic)"),
            choice("folder", "a folder of images and masks"),
        ]),
        DefaultValue::Choice("synthetic"),
        "Generated pictures look like breast ultrasound and are not. A folder: BUSI's layout, or any pairs of images and \
         masks by suffix or in parallel folders.",
    )),
    fixed(when(
        spec(
            DATA,
            "data",
            "folder",
            ParamKind::Folder,
            DefaultValue::Path(""),
            "The folder with images and masks; what was found is shown in the tile Data before it is used.",
        ),
        "source",
        &["folder"],
    )),
    fixed(when(
        spec(
            DATA,
            "lesion",
            "lesion in a mask",
            ParamKind::Choice(&[
                choice("any", "what is not zero"),
                choice("value", "one value, or several"),
                choice("colour", "a colour"),
                choice("alpha", "what is not transparent"),
                choice("inverted", "what is zero"),
            ]),
            DefaultValue::Choice("any"),
            "Of masks with soft edges (JPEG) the upper half of the range; of a palette the numbers count. What that means for \
             this folder is shown in the tile Data. Masks drawn here are white where lesion is, whatever this says.",
        ),
        "source",
        &["folder"],
    )),
    fixed(when(
        spec(
            DATA,
            "lesion_value",
            "value or colour",
            ParamKind::Text,
            DefaultValue::Text("1"),
            "The number that the file holds, or several with commas (`1,2`): a grey value, of a palette (PNG) its index, 1 for \
             the white of one bit (255 means it too), of colours the brightest of red, green and blue. Or a colour as \
             `#ff0000`.",
        ),
        "lesion",
        &["value", "colour"],
    )),
    fixed(when(
        spec(
            DATA,
            "synthetic_images",
            "generated images",
            whole(10, 5000),
            DefaultValue::Int(120),
            "Training, validation and test images together.",
        ),
        "source",
        &["synthetic"],
    )),
    fixed(when(
        spec(
            DATA,
            "calipers",
            "measuring marks on",
            ParamKind::Choice(&[
                choice("none", "no image"),
                choice("all", "every image"),
                choice("train", "training images only"),
                choice("test", "validation and test images only"),
            ]),
            DefaultValue::Choice("none"),
            "Light-blue crosses at the ends of a lesion's axes tell a network where to look. Train with them and test \
             without to see how much it leaned on them.",
        ),
        "source",
        &["synthetic"],
    )),
    fixed(unit(
        spec(
            DATA,
            "image_size",
            "image size",
            whole(16, 512),
            DefaultValue::Int(64),
            "Images and masks are resized to squares of this side for the network (the paper: 256). Metrics marked final \
             are at the original size.",
        ),
        "pixels",
    )),
    fixed(spec(
        DATA,
        "channels",
        "colour",
        ParamKind::Choice(&[choice("3", "RGB"), choice("1", "grey")]),
        DefaultValue::Choice("3"),
        "Channels that the network sees. The paper's parameter counts are for 3.",
    )),
    fixed(spec(
        DATA,
        "train_share",
        "share for training",
        ParamKind::Float { min: 0.05, max: 0.95, log: false },
        DefaultValue::Float(0.6),
        "Share of the images, by whole groups; what neither training nor validation takes is for the test.",
    )),
    fixed(spec(
        DATA,
        "validation_share",
        "share for validation",
        ParamKind::Float { min: 0.02, max: 0.9, log: false },
        DefaultValue::Float(0.2),
        "Share of the images on which the schedule, early stopping and the best weights are decided.",
    )),
    fixed(spec(
        DATA,
        "split_seed",
        "seed of the data",
        whole(0, 1_000_000),
        DefaultValue::Int(7),
        "Decides the split (and the generated pictures), apart from the run's seed, so that runs with other seeds see \
         the same split.",
    )),
    fixed(when(
        spec(
            DATA,
            "split",
            "split",
            ParamKind::Choice(&[
                choice("given", "as given, else at random"),
                choice("random", "at random, whatever is given"),
            ]),
            DefaultValue::Choice("given"),
            "Folders named train, val and test, a split.csv (image,split), lists train.txt and test.txt, or nnU-Net's \
             splits_final.json are taken as they are. A validation that they lack comes out of training. A file of parts \
             that cannot be used stops the run, unless the split is at random.",
        ),
        "source",
        &["folder"],
    )),
    fixed(when(
        spec(
            DATA,
            "fold",
            "fold",
            whole(0, 1000),
            DefaultValue::Int(0),
            "Which fold of a file that names several, from 0.",
        ),
        "source",
        &["folder"],
    )),
    fixed(when(
        spec(
            DATA,
            "group_by",
            "groups by",
            ParamKind::Choice(&[
                choice("none", "near-duplicates only"),
                choice("folder", "folder"),
                choice("pattern", "pattern of the name"),
            ]),
            DefaultValue::Choice("none"),
            "Images of one group (a patient) are never split. Near-duplicates always stay together.",
        ),
        "source",
        &["folder"],
    )),
    fixed(when(
        spec(
            DATA,
            "group_pattern",
            "pattern",
            ParamKind::Text,
            DefaultValue::Text("{group}_*"),
            "`*` is anything and `{group}` the patient: `{group}_*` takes what stands before the first `_`.",
        ),
        "group_by",
        &["pattern"],
    )),
    spec(
        DATA,
        "corrections",
        "corrected masks, version",
        whole(0, 1_000_000),
        DefaultValue::Int(0),
        "Counts the masks saved with the brush. A change makes the running training read corrected masks again.",
    ),
    spec(
        TRAINING,
        "loss",
        "loss",
        ParamKind::Choice(&[
            choice("dice", "Dice (smooth 0, the authors' code)"),
            choice("dice-smooth", "Dice (smooth 1)"),
            choice("bce", "BCE"),
            choice("bce-dice", "BCE + Dice (smooth 1)"),
            choice("bce-tv", "0.995 BCE + 0.005 total variation"),
        ]),
        DefaultValue::Choice("dice-smooth"),
        "Dice without smoothing gives no gradient for images without a lesion. The last one is the third loss of the \
         authors' code.",
    ),
    fixed(spec(
        TRAINING,
        "optimizer",
        "optimizer",
        ParamKind::Choice(&[choice("adam", "Adam"), choice("sgd", "SGD without momentum")]),
        DefaultValue::Choice("adam"),
        "Adam with β = (0.9, 0.999), ε = 1e-8 and coupled L2, as PyTorch's.",
    )),
    spec(
        TRAINING,
        "learning_rate",
        "learning rate",
        ParamKind::Float { min: 0.0, max: 1.0, log: true },
        DefaultValue::Float(0.002),
        "The paper: Adam 1e-4 (SGD 1e-3). A change also restarts the plateau schedule from it.",
    ),
    spec(
        TRAINING,
        "weight_decay",
        "weight decay",
        ParamKind::Float { min: 0.0, max: 1.0, log: true },
        DefaultValue::Float(0.0),
        "Coupled L2 on every trained parameter, biases and normalisation included. The paper tunes it per network in \
         {1e-2, 1e-3, 1e-4, 1e-5, 0}.",
    ),
    fixed(unit(
        spec(
            TRAINING,
            "batch_size",
            "batch size",
            whole(1, 256),
            DefaultValue::Int(8),
            "Images of one training step. The last batch of an epoch may be smaller.",
        ),
        "images",
    )),
    fixed(unit(
        spec(
            TRAINING,
            "steps",
            "training steps",
            whole(1, 10_000_000),
            DefaultValue::Int(450),
            "One epoch is the number of training images divided by the batch size. Early stopping may end the run before.",
        ),
        "steps",
    )),
    spec(
        TRAINING,
        "augment",
        "augmentation",
        ParamKind::Switch,
        DefaultValue::Switch(false),
        "Flips with probability ½ each; with probability ½ one affine map (scale 0.8–1.2, shift ±20 %, ±45°, shear ±16°) \
         with a border drawn of five.",
    ),
    when(
        spec(
            TRAINING,
            "mask_border",
            "mask beyond the edge",
            ParamKind::Choice(&[
                choice("consistent", "as the image"),
                choice("background", "background (the paper's code)"),
            ]),
            DefaultValue::Choice("consistent"),
            "The paper's code continues the image beyond its edge but not the mask: lesion is shown and labelled \
             background.",
        ),
        "augment",
        &["on"],
    ),
    fixed(spec(
        TRAINING,
        "overfit",
        "train on",
        ParamKind::Choice(&[choice("off", "the training set"), choice("one", "one image (sanity test)")]),
        DefaultValue::Choice("off"),
        "Overfit one image: a network, loss and optimizer that cannot learn one image by heart are broken. Validation is \
         on that same image.",
    )),
    fixed(when(
        spec(
            TRAINING,
            "overfit_image",
            "which image",
            whole(0, 1_000_000),
            DefaultValue::Int(0),
            "Number of the image in the training set, from 0.",
        ),
        "overfit",
        &["one"],
    )),
    spec(
        SCHEDULE,
        "plateau",
        "halve the rate on a plateau",
        ParamKind::Switch,
        DefaultValue::Switch(false),
        "ReduceLROnPlateau as PyTorch has it: factor ½ once the validation loss has not fallen by 1e-4 (relative) for \
         more than the patience.",
    ),
    when(
        unit(
            spec(
                SCHEDULE,
                "plateau_patience",
                "patience of the plateau",
                whole(0, 1000),
                DefaultValue::Int(5),
                "Bad epochs that are borne; the rate falls on the next one.",
            ),
            "epochs",
        ),
        "plateau",
        &["on"],
    ),
    spec(
        SCHEDULE,
        "early_stopping",
        "early stopping",
        ParamKind::Switch,
        DefaultValue::Switch(false),
        "Ends the run once the validation loss has not been lower for so many epochs. The best weights are kept in any \
         case, and the test is made with them.",
    ),
    when(
        unit(
            spec(
                SCHEDULE,
                "stop_patience",
                "patience to stop",
                whole(1, 10_000),
                DefaultValue::Int(15),
                "The paper: 15.",
            ),
            "epochs",
        ),
        "early_stopping",
        &["on"],
    ),
    when(
        unit(
            spec(
                SCHEDULE,
                "least_epochs",
                "never before",
                whole(0, 10_000),
                DefaultValue::Int(0),
                "The authors' code trains at least 50 epochs; the paper does not say so.",
            ),
            "epochs",
        ),
        "early_stopping",
        &["on"],
    ),
    unit(
        spec(
            EVALUATION,
            "validate_every",
            "validate every",
            whole(0, 100_000),
            DefaultValue::Int(0),
            "0: after each epoch, as in the paper. The schedule counts validations as epochs.",
        ),
        "steps",
    ),
    unit(
        spec(
            EVALUATION,
            "loss_every",
            "training loss every",
            whole(1, 1000),
            DefaultValue::Int(1),
            "Reading the loss waits for the device.",
        ),
        "steps",
    ),
    fixed(unit(
        spec(
            EVALUATION,
            "wall_images",
            "images on the wall",
            whole(1, 512),
            DefaultValue::Int(24),
            "Validation images whose outlines are recorded at every validation, spread over the validation set.",
        ),
        "images",
    )),
    unit(
        spec(
            EVALUATION,
            "uncertainty_samples",
            "dropout samples",
            whole(0, 64),
            DefaultValue::Int(0),
            "Passes with dropout on, whose spread per pixel is the uncertainty (Monte Carlo dropout). 0: none.",
        ),
        "passes",
    ),
    spec(
        EVALUATION,
        "threshold",
        "threshold",
        ParamKind::Float { min: 0.01, max: 0.99, log: false },
        DefaultValue::Float(0.5),
        "A pixel is lesion where its probability is greater, after resizing to the original size.",
    ),
    spec(
        EVALUATION,
        "keep",
        "keep",
        ParamKind::Choice(&[
            choice("area", "the largest part by area"),
            choice("contour", "the longest contour (authors' rule)"),
            choice("all", "all parts"),
        ]),
        DefaultValue::Choice("area"),
        "The authors' rule keeps the outer contour with the most points and fills it. Keep all parts where images have \
         several lesions.",
    ),
    when(
        spec(
            EVALUATION,
            "connectivity",
            "parts touch across",
            ParamKind::Choice(&[choice("8", "sides and corners (8)"), choice("4", "sides (4)")]),
            DefaultValue::Choice("8"),
            "Which pixels belong to one part.",
        ),
        "keep",
        &["area"],
    ),
    spec(
        EVALUATION,
        "fill_holes",
        "fill holes",
        ParamKind::Switch,
        DefaultValue::Switch(true),
        "After the choice of parts.",
    ),
    spec(
        EVALUATION,
        "hd95",
        "HD95",
        ParamKind::Choice(&[
            choice("medpy", "both directions pooled (medpy, the paper's)"),
            choice("monai", "larger of the two directions (MONAI)"),
        ]),
        DefaultValue::Choice("medpy"),
        "95th percentile of the distances between the borders, pixels of the original image. The two conventions differ.",
    ),
    spec(
        EVALUATION,
        "undefined",
        "undefined distances",
        ParamKind::Choice(&[choice("omit", "left out and counted"), choice("diagonal", "count as the diagonal")]),
        DefaultValue::Choice("omit"),
        "Where the prediction or the truth is empty there is no distance. A missed lesion then costs nothing, or the \
         image's diagonal.",
    ),
];
