//! Every parameter of the lab: what the form shows, and what the code reads.

use crate::data::segmentation::lesion::LesionKind;
use crate::engine::params::ParamSpec;
use crate::engine::table::{Choice, Condition, Float, Int, Switch, Words, fixed, live};
use crate::nn::optim::Rule;
use crate::nn::segmentation::loss::SegmentationLoss;
use crate::nn::segmentation::spec::Architecture;
use crate::pixels::fit::Fit;
use crate::pixels::mask::border::Hausdorff;
use crate::pixels::mask::components::{Connectivity, Keep};

use super::{Calipers, GroupBy};

const NETWORK: &str = "Network";
const DATA: &str = "Data";
const TRAINING: &str = "Training";
const SCHEDULE: &str = "Schedule";
const EVALUATION: &str = "Evaluation";

const UNETS: Condition = ARCHITECTURE.is(&["unet", "light", "lighter", "unet-transposed"]);

/// The C of Lighter U-net is [`GROUP`].
pub static ARCHITECTURE: Choice<Architecture, 10> = fixed(NETWORK, "architecture", "network")
    .help(
        "Light: the second stage of every block is depthwise separable. Lighter: both stages are a 3×3 convolution in \
         groups of C channels and a 1×1 convolution. U-net (transposed convolutions) is the public PyTorch U-net, not the \
         article's.",
    )
    .choice(
        "unet",
        [
            ("unet", "U-net", Architecture::UNet),
            ("light", "Light U-net", Architecture::LightUNet),
            ("lighter", "Lighter U-net @C", Architecture::LighterUNet { group: 4 }),
            ("fcn-32s", "FCN-32s", Architecture::Fcn32s),
            ("fcn-16s", "FCN-16s", Architecture::Fcn16s),
            ("fcn-8s", "FCN-8s", Architecture::Fcn8s),
            ("deeplab-resnet101", "DeepLab v3+ (ResNet-101)", Architecture::DeepLabResNet101),
            ("deeplab-xception", "DeepLab v3+ (Xception)", Architecture::DeepLabXception),
            ("deeplab-mobilenetv2", "DeepLab v3+ (MobileNetV2)", Architecture::DeepLabMobileNetV2),
            ("unet-transposed", "U-net (transposed convolutions)", Architecture::TransposedUNet),
        ],
    );
pub static GROUP: Choice<usize, 8> = fixed(NETWORK, "group", "group size C")
    .help(
        "Channels per group of the 3×3 convolutions. With a narrower network scale C alike: @4 at width 8 stands for \
         the paper's @32 at width 64.",
    )
    .when(ARCHITECTURE.is(&["lighter"]))
    .choice(
        "4",
        [
            ("1", "1 (depthwise)", 1),
            ("2", "2", 2),
            ("4", "4", 4),
            ("8", "8", 8),
            ("16", "16", 16),
            ("32", "32", 32),
            ("64", "64", 64),
            ("128", "128", 128),
        ],
    );
pub static BASE: Int = fixed(NETWORK, "base", "width b")
    .help("Channels of the first level; the levels below have 2b, 4b, 8b and 8b. The paper's is 64.")
    .unit("channels")
    .when(UNETS)
    .int(8, [1, 128]);
pub static WEIGHTS: Words = fixed(NETWORK, "weights", "start from weights")
    .help(
        "A .safetensors file saved here, or a PyTorch state dict of the same network; empty: random weights of the \
         seed.",
    )
    .path();
pub static FROM_FOLDER: Choice<bool, 2> = fixed(DATA, "source", "images")
    .help(
        "Generated pictures look like breast ultrasound and are not. A folder: BUSI's layout, or any pairs of images \
         and masks by suffix or in parallel folders.",
    )
    .choice(
        "synthetic",
        [("synthetic", "generated ultrasound (synthetic)", false), ("folder", "a folder of images and masks", true)],
    );
pub static FOLDER: Words = fixed(DATA, "data", "folder")
    .help("The folder with images and masks; what was found is shown in the tile Data before it is used.")
    .when(FROM_FOLDER.is(&["folder"]))
    .folder();
pub static LESION: Choice<LesionKind, 5> = fixed(DATA, "lesion", "lesion in a mask")
    .help(
        "Of masks with soft edges (JPEG) the upper half of the range; of a palette the numbers count. What that means \
         for this folder is shown in the tile Data. Masks drawn here are white where lesion is, whatever this says.",
    )
    .when(FROM_FOLDER.is(&["folder"]))
    .choice(
        "any",
        [
            ("any", "what is not zero", LesionKind::Any),
            ("value", "one value, or several", LesionKind::Values),
            ("colour", "a colour", LesionKind::Colour),
            ("alpha", "what is not transparent", LesionKind::Alpha),
            ("inverted", "what is zero", LesionKind::Inverted),
        ],
    );
pub static LESION_VALUE: Words = fixed(DATA, "lesion_value", "value or colour")
    .help(
        "The number that the file holds, or several with commas (`1,2`): a grey value, of a palette (PNG) its index, \
         1 for the white of one bit (255 means it too), of colours the brightest of red, green and blue. Or a colour \
         as `#ff0000`.",
    )
    .when(LESION.is(&["value", "colour"]))
    .text("1");
pub static ANNOTATOR: Int = fixed(DATA, "annotator", "masks of person")
    .help(
        "Whose masks are taken where several people have drawn the same (`_1stHO` and `_2ndHO`, `1st_manual` and \
         `2nd_manual`), from 1.",
    )
    .when(FROM_FOLDER.is(&["folder"]))
    .int(1, [1, 20]);
pub static LEAVE_OUT: Words = fixed(DATA, "leave_out", "classes left out")
    .help("Names of classes as the tile Data shows them, with commas: `normal` leaves images without a lesion out of BUSI.")
    .when(FROM_FOLDER.is(&["folder"]))
    .text("");
pub static LABELS: Words = fixed(DATA, "labels", "labels of shapes")
    .help("Of labelme's files the labels whose shapes are lesion, with commas; empty: all. The tile Data lists them.")
    .when(FROM_FOLDER.is(&["folder"]))
    .text("");
pub static IMAGES_IN: Words = fixed(DATA, "images_in", "images are in")
    .help(
        "Where a folder is not understood: a folder below it, or a pattern such as `img/*.jpg`, where `*` is what an image and \
         its mask have in common. Empty: names and folders tell. The tile Data proposes it (Images and masks…).",
    )
    .when(FROM_FOLDER.is(&["folder"]))
    .text("");
pub static MASKS_IN: Words = fixed(DATA, "masks_in", "masks are in")
    .help("The same of the masks: `lab/*_seg.png`, or `ann/*.json` of labelme.")
    .when(FROM_FOLDER.is(&["folder"]))
    .text("");
pub static STRUCTURES: Words = fixed(DATA, "structures", "several structures")
    .help(
        "NAME=WHAT;NAME=WHAT: each has a mask, an output of the network and metrics of its own, and they may overlap. WHAT is \
         values of the masks (`disc=1,2;cup=2`), a colour (`#ff0000`), `label:LABEL` of labelme, or a folder or pattern of \
         masks (`disc=masks/disc/*`, with `images_in`). Images are those that have a mask of the first. Empty: one lesion.",
    )
    .when(FROM_FOLDER.is(&["folder"]))
    .text("");
pub static SYNTHETIC_IMAGES: Int = fixed(DATA, "synthetic_images", "generated images")
    .help("Training, validation and test images together.")
    .when(FROM_FOLDER.is(&["synthetic"]))
    .int(120, [10, 5000]);
pub static CALIPERS: Choice<Calipers, 4> = fixed(DATA, "calipers", "measuring marks on")
    .help(
        "Light-blue crosses at the ends of a lesion's axes tell a network where to look. Train with them and test \
         without to see how much it leaned on them.",
    )
    .when(FROM_FOLDER.is(&["synthetic"]))
    .choice(
        "none",
        [
            ("none", "no image", Calipers::None),
            ("all", "every image", Calipers::All),
            ("train", "training images only", Calipers::Train),
            ("test", "validation and test images only", Calipers::Test),
        ],
    );
pub static IMAGE_SIZE: Int = fixed(DATA, "image_size", "image size")
    .help(
        "Images and masks are resized to squares of this side for the network, or seen in patches of it (the paper: 256). \
         Metrics marked final are at the original size.",
    )
    .unit("pixels")
    .int(64, [16, 512]);
pub static FIT: Choice<Fit, 3> = fixed(DATA, "fit", "fit into the square")
    .help(
        "Squash: height and width are each made the square's, as in the paper. Letterbox: the shape is kept and what is left \
         beside the picture is black; it counts neither in the loss nor in any metric, and predictions come back by the same \
         frame. Patches, for large images: they are not made smaller (those of more than 4 million pixels as ever, to 1/2, 1/3, ..); \
         training sees squares at random places, one in three on a lesion, and a whole image is judged through squares that \
         overlap by a quarter.",
    )
    .choice(
        "squash",
        [
            ("squash", "squash", Fit::Squash),
            ("letterbox", "letterbox (keeps the shape)", Fit::Letterbox),
            ("patches", "patches (large images)", Fit::Patches { percent: 100 }),
        ],
    );
pub static PATCH_SCALE: Int = fixed(DATA, "patch_scale", "scale of patches")
    .help("Patches are cut from images at this share of their own size. Smaller: a patch shows more, and less of details.")
    .unit("%")
    .when(FIT.is(&["patches"]))
    .int(100, [5, 100]);
pub static CHANNELS: Choice<usize, 2> = fixed(DATA, "channels", "colour")
    .help("Channels that the network sees. The paper's parameter counts are for 3.")
    .choice("3", [("3", "RGB", 3), ("1", "grey", 1)]);
pub static TRAIN_SHARE: Float = fixed(DATA, "train_share", "share for training")
    .help("Share of the images, by whole groups; what neither training nor validation takes is for the test.")
    .float(0.6, [0.05, 0.95]);
pub static VALIDATION_SHARE: Float = fixed(DATA, "validation_share", "share for validation")
    .help("Share of the images on which the schedule, early stopping and the best weights are decided.")
    .float(0.2, [0.02, 0.9]);
pub static SPLIT_SEED: Int = fixed(DATA, "split_seed", "seed of the data")
    .help(
        "Decides the split (and the generated pictures), apart from the run's seed, so that runs with other seeds see \
         the same split.",
    )
    .int(7, [0, 1_000_000]);
pub static AS_GIVEN: Choice<bool, 2> = fixed(DATA, "split", "split")
    .help(
        "Folders named train, val and test, a split.csv (image,split), lists train.txt and test.txt, or nnU-Net's \
         splits_final.json are taken as they are. A validation that they lack comes out of training. A file of parts \
         that cannot be used stops the run, unless the split is at random.",
    )
    .when(FROM_FOLDER.is(&["folder"]))
    .choice("given", [("given", "as given, else at random", true), ("random", "at random, whatever is given", false)]);
pub static FOLDS: Int = fixed(DATA, "folds", "folds")
    .help(
        "Cross-validation: whole groups are dealt into so many folds that look alike. One of them is tested on, the others are \
         trained and validated on, by their shares. 0: none, the test has a share.",
    )
    .int(0, [0, 10]);
pub static FOLD: Int = fixed(DATA, "fold", "fold")
    .help(
        "Which of the folds is tested on, from 0, or which fold of a file that names several. The study `k-fold` trains one \
         network for each.",
    )
    .int(0, [0, 1000]);
pub static SPACING: Words = fixed(DATA, "spacing", "size of a pixel")
    .help(
        "Millimetres of a pixel as `0.2`, or of a row and a column as `0.2,0.3`; distances are then in mm and areas in mm². \
         Empty: what DICOM and NIfTI files say, if all images do. `pixels`: pixels, whatever they say.",
    )
    .unit("mm")
    .text("");
pub static GROUP_BY: Choice<GroupBy, 3> = fixed(DATA, "group_by", "groups by")
    .help("Images of one group (a patient) are never split. Near-duplicates always stay together.")
    .when(FROM_FOLDER.is(&["folder"]))
    .choice(
        "none",
        [
            ("none", "near-duplicates only", GroupBy::Nothing),
            ("folder", "folder", GroupBy::Folder),
            ("pattern", "pattern of the name", GroupBy::Pattern),
        ],
    );
pub static GROUP_PATTERN: Words = fixed(DATA, "group_pattern", "pattern")
    .help("`*` is anything and `{group}` the patient: `{group}_*` takes what stands before the first `_`.")
    .when(GROUP_BY.is(&["pattern"]))
    .text("{group}_*");
pub static CORRECTIONS: Int = live(DATA, "corrections", "masks corrected with the brush")
    .help("Counts the masks saved with the brush. A change makes the running training read corrected masks again.")
    .internal()
    .int(0, [0, 1_000_000]);
pub static JOINED: Words = live(DATA, "joined", "images labelled here")
    .help(
        "NAME;NAME: images whose only mask was drawn in the brush and that are trained on; `all`: every one that there is. \
         They are always training images: validation and test stay as they are. The brush adds each one that it saves, and \
         a running training takes it up from the next step on.",
    )
    .when(FROM_FOLDER.is(&["folder"]))
    .text("");
pub static LOSS: Choice<SegmentationLoss, 5> = live(TRAINING, "loss", "loss")
    .help(
        "Dice without smoothing gives no gradient for images without a lesion. The last one is the third loss of the \
         authors' code.",
    )
    .choice(
        "dice-smooth",
        [
            ("dice", "Dice (smooth 0, the authors' code)", SegmentationLoss::Dice),
            ("dice-smooth", "Dice (smooth 1)", SegmentationLoss::SmoothDice),
            ("bce", "BCE", SegmentationLoss::Bce),
            ("bce-dice", "BCE + Dice (smooth 1)", SegmentationLoss::BceDice),
            ("bce-tv", "0.995 BCE + 0.005 total variation", SegmentationLoss::BceVariation),
        ],
    );
pub static OPTIMIZER: Choice<Rule, 2> = fixed(TRAINING, "optimizer", "optimizer")
    .help("Adam with β = (0.9, 0.999), ε = 1e-8 and coupled L2, as PyTorch's.")
    .choice("adam", [("adam", "Adam", Rule::ADAM), ("sgd", "SGD without momentum", Rule::SGD)]);
pub static LEARNING_RATE: Float = live(TRAINING, "learning_rate", "learning rate")
    .help("The paper: Adam 1e-4 (SGD 1e-3). A change also restarts the plateau schedule from it.")
    .log(0.002, [0.0, 1.0]);
pub static WEIGHT_DECAY: Float = live(TRAINING, "weight_decay", "weight decay")
    .help(
        "Coupled L2 on every trained parameter, biases and normalisation included. The paper tunes it per network in \
         {1e-2, 1e-3, 1e-4, 1e-5, 0}.",
    )
    .log(0.0, [0.0, 1.0]);
pub static BATCH_SIZE: Int = fixed(TRAINING, "batch_size", "batch size")
    .help("Images of one training step. The last batch of an epoch may be smaller.")
    .unit("images")
    .int(8, [1, 256]);
pub static STEPS: Int = fixed(TRAINING, "steps", "training steps")
    .help(
        "One epoch is the number of training images divided by the batch size. Early stopping may end the run before.",
    )
    .unit("steps")
    .int(450, [1, 10_000_000]);
pub static AUGMENT: Switch = live(TRAINING, "augment", "augmentation")
    .help(
        "Flips with probability ½ each; with probability ½ one affine map (scale 0.8–1.2, shift ±20 %, ±45°, shear \
         ±16°) with a border drawn of five.",
    )
    .switch(false);
pub static CONSISTENT_BORDER: Choice<bool, 2> = live(TRAINING, "mask_border", "mask beyond the edge")
    .help(
        "The paper's code continues the image beyond its edge but not the mask: lesion is shown and labelled \
         background.",
    )
    .when(AUGMENT.is_on())
    .choice(
        "consistent",
        [("consistent", "as the image", true), ("background", "background (the paper's code)", false)],
    );
pub static OVERFIT: Choice<bool, 2> = fixed(TRAINING, "overfit", "train on")
    .help(
        "Overfit one image: a network, loss and optimizer that cannot learn one image by heart are broken. Validation \
         is on that same image.",
    )
    .choice("off", [("off", "the training set", false), ("one", "one image (sanity test)", true)]);
pub static OVERFIT_IMAGE: Int = fixed(TRAINING, "overfit_image", "which image")
    .help("Number of the image in the training set, from 0.")
    .when(OVERFIT.is(&["one"]))
    .int(0, [0, 1_000_000]);
pub static PLATEAU: Switch = live(SCHEDULE, "plateau", "halve the rate on a plateau")
    .help(
        "ReduceLROnPlateau as PyTorch has it: factor ½ once the validation loss has not fallen by 1e-4 (relative) for \
         more than the patience.",
    )
    .switch(false);
pub static PLATEAU_PATIENCE: Int = live(SCHEDULE, "plateau_patience", "patience of the plateau")
    .help("Bad epochs that are borne; the rate falls on the next one.")
    .unit("epochs")
    .when(PLATEAU.is_on())
    .int(5, [0, 1000]);
pub static EARLY_STOPPING: Switch = live(SCHEDULE, "early_stopping", "early stopping")
    .help(
        "Ends the run once the validation loss has not been lower for so many epochs. The best weights are kept in \
         any case, and the test is made with them.",
    )
    .switch(false);
pub static STOP_PATIENCE: Int = live(SCHEDULE, "stop_patience", "patience to stop")
    .help("The paper: 15.")
    .unit("epochs")
    .when(EARLY_STOPPING.is_on())
    .int(15, [1, 10_000]);
pub static LEAST_EPOCHS: Int = live(SCHEDULE, "least_epochs", "never before")
    .help("The authors' code trains at least 50 epochs; the paper does not say so.")
    .unit("epochs")
    .when(EARLY_STOPPING.is_on())
    .int(0, [0, 10_000]);
pub static VALIDATE_EVERY: Int = live(EVALUATION, "validate_every", "validate every")
    .help("0: after each epoch, as in the paper. The schedule counts validations as epochs.")
    .unit("steps")
    .int(0, [0, 100_000]);
pub static LOSS_EVERY: Int = live(EVALUATION, "loss_every", "training loss every")
    .help("Reading the loss waits for the device.")
    .unit("steps")
    .int(1, [1, 1000]);
pub static WALL_IMAGES: Int = fixed(EVALUATION, "wall_images", "images on the wall")
    .help("Validation images whose outlines are recorded at every validation, spread over the validation set.")
    .unit("images")
    .int(24, [1, 512]);
pub static UNCERTAINTY_SAMPLES: Int = live(EVALUATION, "uncertainty_samples", "dropout samples")
    .help("Passes with dropout on, whose spread per pixel is the uncertainty (Monte Carlo dropout). 0: none.")
    .unit("passes")
    .int(0, [0, 64]);
pub static THRESHOLD: Float = live(EVALUATION, "threshold", "threshold")
    .help("A pixel is lesion where its probability is greater, after resizing to the original size.")
    .float(0.5, [0.01, 0.99]);
/// What touches is said by [`CONNECTIVITY`].
pub static KEEP: Choice<Keep, 3> = live(EVALUATION, "keep", "keep")
    .help(
        "The authors' rule keeps the outer contour with the most points and fills it. Keep all parts where images \
         have several lesions.",
    )
    .choice(
        "area",
        [
            ("area", "the largest part by area", Keep::LargestArea(Connectivity::Eight)),
            ("contour", "the longest contour (authors' rule)", Keep::LongestContour),
            ("all", "all parts", Keep::All),
        ],
    );
pub static CONNECTIVITY: Choice<Connectivity, 2> = live(EVALUATION, "connectivity", "parts touch across")
    .help("Which pixels belong to one part.")
    .when(KEEP.is(&["area"]))
    .choice("8", [("8", "sides and corners (8)", Connectivity::Eight), ("4", "sides (4)", Connectivity::Four)]);
pub static FILL_HOLES: Switch =
    live(EVALUATION, "fill_holes", "fill holes").help("After the choice of parts.").switch(true);
pub static HAUSDORFF: Choice<Hausdorff, 2> = live(EVALUATION, "hd95", "HD95")
    .help(
        "95th percentile of the distances between the borders, pixels of the original image, or mm where a pixel has a \
         size. The two conventions differ.",
    )
    .choice(
        "medpy",
        [
            ("medpy", "both directions pooled (medpy, the paper's)", Hausdorff::Pooled95),
            ("monai", "larger of the two directions (MONAI)", Hausdorff::Directed95),
        ],
    );
pub static COUNT_THE_DIAGONAL: Choice<bool, 2> = live(EVALUATION, "undefined", "undefined distances")
    .help(
        "Where the prediction or the truth is empty there is no distance. A missed lesion then costs nothing, or the \
         image's diagonal.",
    )
    .choice("omit", [("omit", "left out and counted", false), ("diagonal", "count as the diagonal", true)]);

/// Every parameter, in the order of the form.
pub static PARAMS: &[ParamSpec] = &[
    ARCHITECTURE.row(),
    GROUP.row(),
    BASE.row(),
    WEIGHTS.row(),
    FROM_FOLDER.row(),
    FOLDER.row(),
    LESION.row(),
    LESION_VALUE.row(),
    ANNOTATOR.row(),
    LEAVE_OUT.row(),
    LABELS.row(),
    IMAGES_IN.row(),
    MASKS_IN.row(),
    STRUCTURES.row(),
    SYNTHETIC_IMAGES.row(),
    CALIPERS.row(),
    IMAGE_SIZE.row(),
    FIT.row(),
    PATCH_SCALE.row(),
    CHANNELS.row(),
    TRAIN_SHARE.row(),
    VALIDATION_SHARE.row(),
    SPLIT_SEED.row(),
    AS_GIVEN.row(),
    FOLDS.row(),
    FOLD.row(),
    SPACING.row(),
    GROUP_BY.row(),
    GROUP_PATTERN.row(),
    CORRECTIONS.row(),
    JOINED.row(),
    LOSS.row(),
    OPTIMIZER.row(),
    LEARNING_RATE.row(),
    WEIGHT_DECAY.row(),
    BATCH_SIZE.row(),
    STEPS.row(),
    AUGMENT.row(),
    CONSISTENT_BORDER.row(),
    OVERFIT.row(),
    OVERFIT_IMAGE.row(),
    PLATEAU.row(),
    PLATEAU_PATIENCE.row(),
    EARLY_STOPPING.row(),
    STOP_PATIENCE.row(),
    LEAST_EPOCHS.row(),
    VALIDATE_EVERY.row(),
    LOSS_EVERY.row(),
    WALL_IMAGES.row(),
    UNCERTAINTY_SAMPLES.row(),
    THRESHOLD.row(),
    KEEP.row(),
    CONNECTIVITY.row(),
    FILL_HOLES.row(),
    HAUSDORFF.row(),
    COUNT_THE_DIAGONAL.row(),
];
