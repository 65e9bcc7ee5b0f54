//! The parameters of the lab: what the form shows, and what the code reads.

use crate::data::reports::Section;
use crate::engine::params::{ParamError, ParamSpec, Params};
use crate::engine::table::{Choice, Condition, Float, Int, Switch, Words, fixed, live};
use crate::nn::image_text::local::{Aggregate, Both, Local};
use crate::nn::image_text::spec::{
    Backbone, BertSpec, ImageSpec, Order, ScaleSpec, SmallTextSpec, Spec, TextSpec, WordPath,
};
use crate::nn::optim::Rule;
use crate::nn::optim::schedule::Course;
use crate::text::antonyms::Antonyms;
use crate::text::tags::{Tag, Tagger};

use super::texts::FirstMark;

/// Which terms the loss has (section III-B, and section IV-C for the baselines).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Variant {
    /// L_global alone.
    ConVirt,
    /// L_global and L_local.
    Gloria,
    /// L_global and L_pert.
    WithoutLocal,
    /// All three.
    Ours,
}

/// How the local loss attends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LocalMode {
    Gloria,
    Literal,
    Sharp,
}

/// Where pairs come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    Generated,
    /// One's own.
    Folder,
    /// The small generated set in Open-I's layout, read as a folder of one's own is.
    Sample,
}

/// The optimizers that may be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Descent {
    Adam,
    AdamW,
    Sgd,
}

const LOSS: &str = "Loss";
const LOCAL: &str = "Local loss";
const TEXT: &str = "Reports";
const NETWORK: &str = "Network";
const DATA: &str = "Data";
const TRAINING: &str = "Training";
const EVALUATION: &str = "Evaluation";

pub static VARIANTS: Choice<Variant, 4> = live(LOSS, "variant", "terms of the loss")
    .help(
        "L = L_global + α L_local + β L_pert. ConVIRT-style: pairs against pairs alone. GLoRIA-style: and words against regions. \
         Ours: and the report against its nine perturbations. Terms that are not there cost nothing.",
    )
    .choice("ours", [
        ("convirt", "ConVIRT-style: global", Variant::ConVirt),
        ("gloria", "GLoRIA-style: global + local", Variant::Gloria),
        ("without-local", "ours without local: global + perturbed", Variant::WithoutLocal),
        ("ours", "ours: all three", Variant::Ours),
    ]);
const HAS_LOCAL: Condition = VARIANTS.is(&["gloria", "ours"]);
const HAS_PERTURBED: Condition = VARIANTS.is(&["without-local", "ours"]);
static ALPHA: Float = live(LOSS, "alpha", "weight α of L_local")
    .help("The article's is 0.1.")
    .when(VARIANTS.is(&["ours"]))
    .log(0.1, [1e-3, 10.0]);
pub static GLORIA_WEIGHT: Float = live(LOSS, "gloria_weight", "weight of L_local")
    .help("GLoRIA weighs its global and its local loss alike.")
    .when(VARIANTS.is(&["gloria"]))
    .log(1.0, [1e-3, 10.0]);
pub static BETA: Float =
    live(LOSS, "beta", "weight β of L_pert").help("The article's is 0.1.").when(HAS_PERTURBED).log(0.1, [1e-3, 10.0]);
static LEARNED: Choice<bool, 2> = fixed(LOSS, "temperature", "temperatures")
    .help(
        "Fixed, as the article says; or learned from there on, one for each loss, as the authors' program does (1/τ at most 100).",
    )
    .choice("fixed", [("fixed", "fixed", false), ("learned", "learned", true)]);
pub static TAU: Float = live(LOSS, "tau", "τ of L_global")
    .help("Cosines are divided by it. The article's is 0.07. Where temperatures are learned, setting it begins anew from there.")
    .log(0.07, [0.01, 1.0]);
static TAU_PERTURBED: Float = live(LOSS, "tau_perturbed", "τ of L_pert")
    .help("The article says 0.07; the file of weights that its table IV was computed with is named after 0.01.")
    .when(HAS_PERTURBED)
    .log(0.07, [0.01, 1.0]);
static KEEP_DEGENERATE: Switch = live(LOSS, "keep_degenerate", "count perturbations that change nothing")
    .help(
        "A report of one word is its own reversal. Such a perturbation says nothing and is left out; the authors' program leaves it \
         in, which puts a floor of ln(1 + their number) under the loss.",
    )
    .when(HAS_PERTURBED)
    .switch(false);

static MODE: Choice<LocalMode, 3> = live(LOCAL, "attention", "attention")
    .help(
        "GLoRIA's (and the authors' program): softmax over words, then over regions at temperature 4, which is soft by construction: \
         no region can weigh more than 54.6 times another. As printed in the article: softmax over regions alone. Sharp: cosines \
         of plain word embeddings and regions over 0.1, which can point.",
    )
    .when(HAS_LOCAL)
    .choice("gloria", [
        ("gloria", "GLoRIA's", LocalMode::Gloria),
        ("printed", "as printed", LocalMode::Literal),
        ("sharp", "sharp", LocalMode::Sharp),
    ]);
static AGGREGATE: Choice<Aggregate, 2> = live(LOCAL, "aggregate", "words are")
    .help("Summed within the logarithm, which favours long reports by ln of their length; or averaged, which does not.")
    .when(HAS_LOCAL)
    .choice("sum", [("sum", "summed", Aggregate::Sum), ("mean", "averaged", Aggregate::Mean)]);
static DIRECTIONS: Choice<Both, 3> = live(LOCAL, "directions", "both directions are")
    .help(
        "Averaged; added, as GLoRIA does; or one and a half of the other, as the authors' program computes by a slip of precedence \
         (`a + b / 2`).",
    )
    .when(HAS_LOCAL)
    .choice("mean", [
        ("mean", "averaged", Both::Half),
        ("sum", "added (GLoRIA)", Both::Sum),
        ("slip", "a + b/2 (authors' program)", Both::AuthorsSlip),
    ]);

static TEMP1: Float = live(LOCAL, "temp1", "temp1")
    .help("Scores of a word are multiplied by it before the softmax over regions. 0: as the attention has it: GLoRIA 4, as printed 1, sharp 10.")
    .when(HAS_LOCAL)
    .float(0.0, [0.0, 100.0]);
static TEMP2: Float = live(LOCAL, "temp2", "temp2")
    .help("Cosines of words and what they look at are multiplied by it before they are summed up. 0: as the attention has it: GLoRIA and sharp 5, as printed 1.")
    .when(HAS_LOCAL)
    .float(0.0, [0.0, 100.0]);
static TEMP3: Float = live(LOCAL, "temp3", "temp3")
    .help("Matching scores of pairs are multiplied by it before the cross-entropies. 0: as the attention has it: GLoRIA and sharp 10, as printed 1/τ.")
    .when(HAS_LOCAL)
    .float(0.0, [0.0, 100.0]);
static FIRST_MARK: Switch = live(LOCAL, "cls_word", "[CLS] is a word")
    .help(
        "GLoRIA counts the mark at the beginning, which has seen the whole report, as word 0 of the local loss. Maps of words show \
         the words alone.",
    )
    .when(HAS_LOCAL)
    .switch(false);

pub static MAX_WORDS: Int = fixed(TEXT, "max_words", "words of a report")
    .unit("words")
    .help("A longer report is cut, before it is perturbed, so that a perturbation has the same words.")
    .int(50, [4, 200]);
static REDRAW: Choice<bool, 2> = live(TEXT, "perturbed", "perturbations are drawn")
    .help("Anew in every epoch; or once, as the authors' program does.")
    .when(HAS_PERTURBED)
    .choice("anew", [("anew", "anew in every epoch", true), ("once", "once", false)]);
pub static TAGS: Words = live(TEXT, "tags", "word classes by hand")
    .help(
        "WORD=CLASS;WORD=CLASS with noun, adj (adjective), verb or other: overrides the tagger for perturbations that go by word class. \
         Click a word in the tile Ranking to change its class.",
    )
    .text("");
static ANTONYMS: Words = live(TEXT, "antonyms", "antonyms by hand")
    .help("WORD=ANTONYM;WORD=ANTONYM, in addition to the table; WORD=- takes the antonym of a word away.")
    .text("");
pub static VOCABULARY: Int = fixed(TEXT, "vocabulary", "vocabulary")
    .unit("pieces")
    .help("Most word pieces that WordPiece learns from the reports to train on; some 400 do for the generated reports, 2000 to 4000 for real ones.")
    .int(400, [64, 30_000]);
pub static SECTION: Choice<Section, 3> = fixed(TEXT, "section", "section")
    .help("Of a report in Open-I's layout. The article uses the findings.")
    .when(READ)
    .choice(
        "findings",
        [
            ("findings", "findings", Section::Findings),
            ("impression", "impression", Section::Impression),
            ("both", "findings and impression", Section::Both),
        ],
    );
pub static DROP_MARKS: Switch = fixed(TEXT, "drop_xxxx", "drop XXXX")
    .help("Open-I has XXXX where something was removed to protect patients. It is a noun, or left out.")
    .when(READ)
    .switch(false);

static IMAGE: Choice<Backbone, 3> = fixed(NETWORK, "image_encoder", "image encoder")
    .help(
        "Small: four convolutions, with two channels that say where a region is; trains live on a CPU. ResNet-18 and ResNet-50 are \
         for 224 pixels; ResNet-50 for weights of a file.",
    )
    .choice("small", [
        ("small", "small", Backbone::Small),
        ("resnet18", "ResNet-18", Backbone::ResNet18),
        ("resnet50", "ResNet-50", Backbone::ResNet50),
    ]);
pub static SIZE: Choice<usize, 4> = fixed(NETWORK, "image_size", "picture size")
    .help("The shorter side is scaled to it, and the middle is cut out. The article's is 224.")
    .unit("pixels")
    .choice("64", [("32", "32", 32), ("64", "64", 64), ("128", "128", 128), ("224", "224", 224)]);
static TEXT_ENCODER: Choice<bool, 2> = fixed(NETWORK, "text_encoder", "text encoder")
    .help(
        "Small: a convolution over three pieces and one or two transformer layers. BERT-base is for weights of a file.",
    )
    .choice("small", [("small", "small", false), ("bert", "BERT-base", true)]);
const SMALL_TEXT: Condition = TEXT_ENCODER.is(&["small"]);
static ORDER: Switch = fixed(NETWORK, "convolution", "convolution over words")
    .help("Off: order reaches the text encoder through position embeddings alone, and it hardly learns to see it.")
    .when(SMALL_TEXT)
    .switch(true);
static LAYERS: Int =
    fixed(NETWORK, "layers", "transformer layers").help("Pre-norm, 4 heads.").when(SMALL_TEXT).int(1, [1, 4]);
static WIDTH: Choice<usize, 4> = fixed(NETWORK, "width", "embedding width d")
    .help("Numbers of an image, a report, a region and a word. The article's is 128.")
    .choice("48", [("32", "32", 32), ("48", "48", 48), ("96", "96", 96), ("128", "128", 128)]);
pub static IMAGE_WEIGHTS: Words = fixed(NETWORK, "image_weights", "image weights")
    .help("A .safetensors or PyTorch file with torchvision's names, for ResNet-18 or ResNet-50. What fits nowhere is listed.")
    .when(IMAGE.is(&["resnet18", "resnet50"]))
    .path();
pub static TEXT_WEIGHTS: Words = fixed(NETWORK, "text_weights", "text weights")
    .help("A .safetensors or PyTorch file with BERT's names, as CXR-BERT has them; vocab.txt or tokenizer.json lies beside it.")
    .when(TEXT_ENCODER.is(&["bert"]))
    .path();

pub static SOURCE: Choice<Source, 3> = fixed(DATA, "source", "pairs")
    .help(
        "Generated pictures are schemes of a chest with templated reports, not radiographs. A folder: Open-I (XML or CSV), or \
         pairs.csv. The sample is a small generated set in Open-I's layout.",
    )
    .choice("generated", [
        ("generated", "generated chests", Source::Generated),
        ("folder", "a folder of images and reports", Source::Folder),
        ("sample", "sample in Open-I's layout", Source::Sample),
    ]);
const GENERATED: Condition = SOURCE.is(&["generated"]);
const READ: Condition = SOURCE.is(&["folder", "sample"]);
pub static FOLDER: Words = fixed(DATA, "data", "images and reports")
    .help(
        "Open-I: ecgen-radiology/*.xml beside PNG files, or indiana_reports.csv with indiana_projections.csv; or pairs.csv (or .jsonl) \
         with columns image, text and, where known, split, study, view. Studies are kept together.",
    )
    .when(SOURCE.is(&["folder"]))
    .folder();
pub static FRONTAL: Switch = fixed(DATA, "frontal_only", "frontal views only")
    .help("Where the data say which view an image is. Off, as in the article: frontal and lateral images both enter.")
    .when(READ)
    .switch(false);
pub static TEST_SHARE: Float = fixed(DATA, "test_share", "share to test on")
    .help("Of the studies, where the data have no parts of their own. The article tests on 469 of 6,469 pairs.")
    .when(READ)
    .float(0.2, [0.02, 0.5]);
pub static TRAIN: Int = fixed(DATA, "train_pairs", "pairs to train on")
    .unit("pairs")
    .help("Generated chests with their reports.")
    .when(GENERATED)
    .int(1024, [2, 50_000]);
pub static TEST: Int = fixed(DATA, "test_pairs", "pairs to test on")
    .unit("pairs")
    .help("Never trained on.")
    .when(GENERATED)
    .int(256, [2, 10_000]);
pub static DATA_SEED: Int = fixed(DATA, "data_seed", "seed of the data")
    .help("Runs of different seeds see the same generated pairs unless this differs.")
    .when(GENERATED)
    .int(1, [0, 1_000_000]);

pub static BATCH: Int = fixed(TRAINING, "batch_size", "batch")
    .unit("pairs")
    .help("Each pair is told from all others of its batch. The article's is 64. What is left over at the end of an epoch is dropped.")
    .int(32, [2, 512]);
static OPTIMIZER: Choice<Descent, 3> = fixed(TRAINING, "optimizer", "optimizer")
    .help("The article's SGD (rate 0.0015, momentum 0.9, weight decay 0.0005) is for networks trained before; from random weights it hardly moves.")
    .choice("adam", [
        ("adam", "Adam", Descent::Adam),
        ("adamw", "AdamW", Descent::AdamW),
        ("sgd", "SGD with momentum", Descent::Sgd),
    ]);
pub static RATE: Float =
    live(TRAINING, "learning_rate", "learning rate").help("At the beginning; see the schedule.").log(2e-3, [1e-7, 1.0]);
static SCHEDULE: Choice<bool, 2> = live(TRAINING, "schedule", "schedule of the rate")
    .help("Half a cosine down to 2 % of the rate at the last step, or constant.")
    .choice("cosine", [("cosine", "cosine", true), ("constant", "constant", false)]);
static DECAY: Float = live(TRAINING, "weight_decay", "weight decay")
    .help("Pulls weights to zero: as L2 within the gradient, with AdamW apart from it. The article's is 0.0005.")
    .log(0.0, [0.0, 1.0]);
static MOMENTUM: Float =
    fixed(TRAINING, "momentum", "momentum").help("μ of SGD.").when(OPTIMIZER.is(&["sgd"])).float(0.9, [0.0, 0.999]);
pub static STEPS: Int = fixed(TRAINING, "steps", "steps")
    .unit("updates")
    .help("320 are 10 epochs of 1,024 pairs in batches of 32. The article trains for 150 epochs.")
    .int(320, [1, 1_000_000]);

pub static EVALUATE_EVERY: Int = live(EVALUATION, "evaluate_every", "evaluate every")
    .unit("steps")
    .help("Ranking, controls, retrieval and grounding on test pairs.")
    .int(32, [1, 1_000_000]);
pub static EVALUATE: Int = fixed(EVALUATION, "evaluate_pairs", "on so many test pairs")
    .unit("pairs")
    .help("Of the test pairs, the first so many; at the last step all.")
    .int(128, [2, 10_000]);
pub static SHOW_EVERY: Int = live(EVALUATION, "show_every", "look every")
    .unit("steps")
    .help("Rankings, attention and similarities of the pairs on screen.")
    .int(4, [1, 1_000_000]);
static PROBE: Switch = live(EVALUATION, "probe", "probe the image encoder")
    .help("At the last step: for each finding a logistic regression on image vectors of the training pairs, judged on the test pairs.")
    .switch(true);
pub static PROBE_FOLDER: Words = fixed(EVALUATION, "probe_data", "labels for the probe")
    .help(
        "A folder of images with a table of findings, as CheXpert has them (train.csv, valid.csv): the probe is fitted and judged there \
         (table II). Empty: on this run's own pairs, as far as they have labels.",
    )
    .when(PROBE.is_on())
    .folder();
static NLI: Int = live(EVALUATION, "nli_epochs", "fine-tune on sentence pairs for")
    .unit("epochs")
    .help(
        "At the last step a copy of the text encoder learns whether one sentence follows from another, contradicts it, or neither \
         (table III); 0: not. Pairs are generated, or of the files below.",
    )
    .int(0, [0, 50]);
pub static NLI_TRAIN: Words = fixed(EVALUATION, "nli_train", "sentence pairs to train on")
    .help("A .jsonl file as MedNLI and RadNLI have them (sentence1, sentence2, gold_label). Empty: generated pairs.")
    .path();
pub static NLI_TEST: Words =
    fixed(EVALUATION, "nli_test", "sentence pairs to test on").help("A .jsonl file of the same kind.").path();

/// Every parameter, in the order of the form.
pub static PARAMS: &[ParamSpec] = &[
    VARIANTS.row(),
    ALPHA.row(),
    GLORIA_WEIGHT.row(),
    BETA.row(),
    LEARNED.row(),
    TAU.row(),
    TAU_PERTURBED.row(),
    KEEP_DEGENERATE.row(),
    MODE.row(),
    AGGREGATE.row(),
    DIRECTIONS.row(),
    TEMP1.row(),
    TEMP2.row(),
    TEMP3.row(),
    FIRST_MARK.row(),
    SOURCE.row(),
    FOLDER.row(),
    FRONTAL.row(),
    TEST_SHARE.row(),
    TRAIN.row(),
    TEST.row(),
    DATA_SEED.row(),
    MAX_WORDS.row(),
    REDRAW.row(),
    TAGS.row(),
    ANTONYMS.row(),
    VOCABULARY.row(),
    SECTION.row(),
    DROP_MARKS.row(),
    IMAGE.row(),
    SIZE.row(),
    TEXT_ENCODER.row(),
    ORDER.row(),
    LAYERS.row(),
    WIDTH.row(),
    IMAGE_WEIGHTS.row(),
    TEXT_WEIGHTS.row(),
    BATCH.row(),
    OPTIMIZER.row(),
    RATE.row(),
    SCHEDULE.row(),
    DECAY.row(),
    MOMENTUM.row(),
    STEPS.row(),
    EVALUATE_EVERY.row(),
    EVALUATE.row(),
    SHOW_EVERY.row(),
    PROBE.row(),
    PROBE_FOLDER.row(),
    NLI.row(),
    NLI_TRAIN.row(),
    NLI_TEST.row(),
];

/// What live parameters change in a step.
#[derive(Debug, Clone, PartialEq)]
pub struct Hyper {
    /// Weights of L_global, L_local and L_pert; a term of weight 0 is not computed.
    pub weights: [f64; 3],
    pub local: Local,
    pub first_mark: FirstMark,
    pub tau: f64,
    pub tau_perturbed: f64,
    /// Perturbations that change nothing are negatives too.
    pub keep_degenerate: bool,
    /// Perturbations are drawn anew in every epoch.
    pub redraw: bool,
    pub learning_rate: f64,
    pub course: Course,
    pub decay: f64,
    pub evaluate_every: u64,
    pub show_every: u64,
    pub probe: bool,
    pub nli_epochs: u64,
}

impl Hyper {
    /// `steps`: of the whole run, where the schedule ends.
    pub fn of(params: &Params, steps: u64) -> Self {
        let weights = match VARIANTS.of(params) {
            Variant::ConVirt => [1.0, 0.0, 0.0],
            Variant::Gloria => [1.0, GLORIA_WEIGHT.of(params), 0.0],
            Variant::WithoutLocal => [1.0, 0.0, BETA.of(params)],
            Variant::Ours => [1.0, ALPHA.of(params), BETA.of(params)],
        };
        let mode = match MODE.of(params) {
            LocalMode::Gloria => Local::gloria(),
            LocalMode::Literal => Local::seed(TAU.of(params)),
            LocalMode::Sharp => Local::sharp(),
        };
        let or = |own: &Float, of_mode: f64| Some(own.of(params)).filter(|own| *own > 0.0).unwrap_or(of_mode);
        let local = Local {
            temp1: or(&TEMP1, mode.temp1),
            temp2: or(&TEMP2, mode.temp2),
            temp3: or(&TEMP3, mode.temp3),
            aggregate: AGGREGATE.of(params),
            both: DIRECTIONS.of(params),
            ..mode
        };
        let course = if SCHEDULE.of(params) { Course::Cosine { steps, least: 0.02 } } else { Course::Constant };
        Self {
            weights,
            local,
            first_mark: if FIRST_MARK.of(params) { FirstMark::IsAWord } else { FirstMark::IsNone },
            tau: TAU.of(params),
            tau_perturbed: TAU_PERTURBED.of(params),
            keep_degenerate: KEEP_DEGENERATE.of(params),
            redraw: REDRAW.of(params),
            learning_rate: RATE.of(params),
            course,
            decay: DECAY.of(params),
            evaluate_every: EVALUATE_EVERY.of(params) as u64,
            show_every: SHOW_EVERY.of(params) as u64,
            probe: PROBE.of(params),
            nli_epochs: NLI.of(params) as u64,
        }
    }
}

/// The update rule.
pub fn rule(params: &Params) -> Rule {
    match OPTIMIZER.of(params) {
        Descent::Adam => Rule::ADAM,
        Descent::AdamW => Rule::Adam { betas: (0.9, 0.999), epsilon: 1e-8, decoupled: true },
        Descent::Sgd => Rule::Sgd { momentum: MOMENTUM.of(params), nesterov: false },
    }
}

/// `WORD=VALUE` of a list that is separated by semicolons.
fn entries<'a>(key: &str, text: &'a str, value: &str) -> Result<Vec<(&'a str, &'a str)>, ParamError> {
    let mut found: Vec<(&str, &str)> = Vec::new();
    for entry in text.split(';').map(str::trim).filter(|entry| !entry.is_empty()) {
        let halves = entry.split_once('=').map(|(word, value)| (word.trim(), value.trim()));
        let Some((word, of)) = halves.filter(|(word, of)| !word.is_empty() && !of.is_empty()) else {
            return Err(ParamError::invalid(
                key,
                format!("`{entry}` is not WORD={value}; entries are separated by `;`"),
            ));
        };
        if let Some((_, other)) = found.iter().find(|(known, _)| *known == word) {
            return Err(ParamError::invalid(
                key,
                format!("`{word}` is there twice, as `{other}` and as `{of}`; leave one"),
            ));
        }
        found.push((word, of));
    }
    Ok(found)
}

/// The tagger with word classes by hand.
pub fn tagger(params: &Params) -> Result<Tagger, ParamError> {
    let mut tagger = Tagger::new();
    for (word, class) in entries(TAGS.key(), TAGS.of(params), "CLASS")? {
        let named = |tag: &Tag| tag.title().eq_ignore_ascii_case(class);
        let Some(tag) = Tag::from_id(class).or_else(|| Tag::ALL.into_iter().find(named)) else {
            let known = Tag::ALL.map(Tag::id).join(", ");
            return Err(ParamError::invalid(
                TAGS.key(),
                format!("`{class}` of `{word}` is no word class; expected one of {known}"),
            ));
        };
        tagger.set(word, tag);
    }
    Ok(tagger)
}

/// The table of antonyms with what was added by hand.
pub fn antonyms(params: &Params) -> Result<Antonyms, ParamError> {
    let mut antonyms = Antonyms::new();
    for (word, antonym) in entries(ANTONYMS.key(), ANTONYMS.of(params), "ANTONYM")? {
        antonyms.set(word, Some(antonym).filter(|antonym| *antonym != "-"));
    }
    Ok(antonyms)
}

/// Whether the text encoder starts from a file.
pub fn has_text_weights(params: &Params) -> bool {
    TEXT_ENCODER.of(params) && !TEXT_WEIGHTS.of(params).is_empty()
}

/// Most pieces of a report, with both special ones: a word has two on average at most, and BERT sees no more than 512. Batches are
/// padded to multiples of four.
pub fn max_tokens(params: &Params) -> usize {
    (2 * MAX_WORDS.of(params) as usize + 2).next_multiple_of(4).min(512)
}

/// Values that belong together: a combination that no run can have. Reads no files.
pub fn check_combination(params: &Params) -> Result<(), ParamError> {
    tagger(params)?;
    antonyms(params)?;
    if SOURCE.of(params) == Source::Folder && FOLDER.of(params).is_empty() {
        return Err(ParamError::invalid(FOLDER.key(), "choose the folder with images and reports (`--data DIR`)"));
    }
    if NLI_TRAIN.of(params).is_empty() != NLI_TEST.of(params).is_empty() {
        let key = if NLI_TRAIN.of(params).is_empty() { NLI_TRAIN.key() } else { NLI_TEST.key() };
        return Err(ParamError::invalid(
            key,
            "sentence pairs to train on and to test on belong together: give both files, or none",
        ));
    }
    Ok(())
}

/// Words by their plain embeddings where attention is sharp: contextual ones know the whole report, so that any region serves.
pub fn word_path(params: &Params) -> WordPath {
    if MODE.of(params) == LocalMode::Sharp { WordPath::Plain } else { WordPath::Contextual }
}

/// The network that these parameters ask for, with a vocabulary of so many pieces.
pub fn net_spec(params: &Params, pieces: usize) -> Spec {
    let backbone = IMAGE.of(params);
    let width = WIDTH.of(params);
    let text = if TEXT_ENCODER.of(params) {
        TextSpec::Bert(BertSpec::base(pieces))
    } else {
        TextSpec::Small(SmallTextSpec {
            positions: max_tokens(params),
            width,
            layers: LAYERS.of(params) as usize,
            feed_forward: if width > 64 { 2 * width } else { 128 },
            order: if ORDER.of(params) { Order::Convolution } else { Order::Positions },
            words: word_path(params),
            ..SmallTextSpec::new(pieces)
        })
    };
    Spec {
        image: ImageSpec { backbone, channels: if backbone == Backbone::ResNet50 { 3 } else { 1 } },
        text,
        width,
        scale: ScaleSpec {
            global: TAU.of(params),
            perturbation: TAU_PERTURBED.of(params),
            learned: LEARNED.of(params),
        },
    }
}
