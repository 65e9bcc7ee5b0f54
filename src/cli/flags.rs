//! The command line as it is typed. What it means is in the modules beside this one.

use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::engine::study::STUDIES;
use crate::plot::style::Style;

/// A desktop visual lab for watching models learn. Without a command it opens the window.
#[derive(Debug, Parser)]
#[command(name = "learnscope", version, about)]
#[command(after_help = "Exit codes: 0 done, 1 the work failed or was stopped, 2 bad usage or bad input.")]
pub struct Flags {
    #[command(subcommand)]
    pub verb: Option<Verb>,
    #[command(flatten)]
    pub window: WindowFlags,
    /// Machine-readable output: one JSON object a line on standard output
    #[arg(long, global = true)]
    pub json: bool,
}

impl Flags {
    /// Whether the command only lists something: its output is all there is to it.
    pub fn only_lists(&self) -> bool {
        match &self.verb {
            Some(Verb::Labs | Verb::Params { .. } | Verb::Devices | Verb::Runs { .. }) => true,
            Some(Verb::Study(study)) => study.study.is_none(),
            _ => false,
        }
    }
}

/// Flags of the window.
#[derive(Debug, Args)]
pub struct WindowFlags {
    /// Open the window on this recorded run: its folder, or its name under `runs`
    #[arg(value_name = "RUN")]
    pub run: Option<PathBuf>,
    /// Open the window on this scene: its file, or its code
    #[arg(long, value_name = "FILE|CODE", conflicts_with = "run")]
    pub scene: Option<String>,
    /// Folder that holds the run folders
    #[arg(long, value_name = "DIR", default_value = "runs")]
    pub runs: PathBuf,
    /// Size of the window in points
    #[arg(long, value_name = "WxH", value_parser = size)]
    pub window_size: Option<(u32, u32)>,
    /// Take a picture of the window into this new PNG file, then close it
    #[arg(long, value_name = "FILE")]
    pub screenshot: Option<PathBuf>,
    /// Seconds after which the picture is taken
    #[arg(long, value_name = "SECONDS", default_value_t = 5.0, requires = "screenshot")]
    pub screenshot_after: f32,
}

impl WindowFlags {
    /// Whether any of them was typed.
    pub fn is_given(&self) -> bool {
        self.run.is_some()
            || self.scene.is_some()
            || self.runs != Path::new("runs")
            || self.window_size.is_some()
            || self.screenshot.is_some()
    }
}

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// The labs with their presets and studies
    Labs,
    /// The parameters of a lab: range, default, meaning
    Params { lab: String },
    /// The devices that training can run on
    Devices,
    /// Run a lab without the window
    Run(RunFlags),
    /// Go on with an interrupted run from its newest checkpoint (`learnscope RUN` shows it in the window)
    Resume(ResumeFlags),
    /// Measure a table or figure of a paper; without a name: list the studies
    Study(StudyFlags),
    /// Train with every combination of the values of one or two parameters, each with several seeds
    Sweep(SweepFlags),
    /// Save a figure of a recorded run or a scene as PNG, SVG or GIF, or a run's numbers (CSV, JSON) or weights (safetensors)
    Export(ExportFlags),
    /// The loss around the weights of a recorded run: a slice, every path on it, and the curvature along the way
    Landscape(LandscapeFlags),
    /// Apply trained weights to one's own pictures
    Predict(PredictFlags),
    /// Compare recorded runs image by image: intervals, paired tests, and a picture of their outlines side by side
    Compare(CompareFlags),
    /// What the tensors of a network are called in a file of weights, with their shapes
    Weights(WeightsFlags),
    /// Look over a folder of images and masks before anything is trained on it
    Doctor(DoctorFlags),
    /// Write the generated data sets as files in the layouts that the labs read
    SampleData(SampleDataFlags),
    /// The recorded runs
    Runs {
        /// Folder that holds the run folders
        #[arg(default_value = "runs")]
        folder: PathBuf,
    },
}

#[derive(Debug, Args)]
pub struct RunFlags {
    /// Lab, see `learnscope labs`
    pub lab: String,
    /// Start from a named set of values
    #[arg(long, value_name = "P")]
    pub preset: Option<String>,
    /// Set a parameter (repeatable), see `learnscope params LAB`
    #[arg(long, value_name = "KEY=VALUE", allow_hyphen_values = true)]
    pub set: Vec<String>,
    /// Change a live parameter after so many steps (repeatable). With a key `twin/KEY` the run is forked there: a twin
    /// goes on from the same state with that value, beside the run
    #[arg(long, value_name = "STEP:KEY=VALUE", allow_hyphen_values = true)]
    pub at: Vec<String>,
    /// Seed of everything random
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Training steps; default: the lab's own
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub steps: Option<u64>,
    /// auto, cpu, gpu or gpu:NAME, see `learnscope devices`
    #[arg(long, value_name = "D", default_value = "auto")]
    pub device: String,
    /// File or folder with the data
    #[arg(long, value_name = "PATH")]
    pub data: Option<PathBuf>,
    /// Folder under which the run gets its own
    #[arg(long, value_name = "DIR", default_value = "runs")]
    pub out: PathBuf,
    /// Name of the run; default: the preset's
    #[arg(long)]
    pub name: Option<String>,
    /// Write nothing to disk
    #[arg(long)]
    pub no_record: bool,
    /// Do not compare a GPU with the CPU before its first use
    #[arg(long)]
    pub skip_device_check: bool,
}

#[derive(Debug, Args)]
pub struct ResumeFlags {
    /// Run folder, or its name under `runs`
    pub run: PathBuf,
    /// New total number of steps
    #[arg(long, value_name = "N")]
    pub steps: Option<u64>,
    /// Change a live parameter after so many steps, from the checkpoint on (repeatable)
    #[arg(long, value_name = "STEP:KEY=VALUE", allow_hyphen_values = true)]
    pub at: Vec<String>,
    /// Where the run's data lie now, if they were moved; their content must be the same
    #[arg(long, value_name = "PATH")]
    pub data: Option<PathBuf>,
    /// Device; default: the one that the run was recorded on
    #[arg(long, value_name = "D")]
    pub device: Option<String>,
    /// Do not compare a GPU with the CPU before its first use
    #[arg(long)]
    pub skip_device_check: bool,
}

/// What studies and sweeps have alike: many runs, measured one after the other.
#[derive(Debug, Args)]
pub struct SeriesFlags {
    /// Runs of each row or combination, with different seeds; a study that no seed changes runs once
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=1000))]
    pub seeds: u64,
    /// First seed
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Device
    #[arg(long, value_name = "D", default_value = "auto")]
    pub device: String,
    /// File or folder with the data, where some are read
    #[arg(long, value_name = "PATH")]
    pub data: Option<PathBuf>,
    /// Set a parameter of every run (repeatable), such as a second folder beside `--data`; what rows differ in stays theirs
    #[arg(long, value_name = "KEY=VALUE", allow_hyphen_values = true)]
    pub set: Vec<String>,
    /// Folder under which a study, or a lab's sweeps, get theirs; what is measured there is kept
    #[arg(long, value_name = "DIR", default_value = STUDIES)]
    pub out: PathBuf,
    /// Measure everything anew
    #[arg(long)]
    pub again: bool,
    /// Only say how many runs it is and how long it would take on this machine, from a few timed steps of each kind of row
    #[arg(long)]
    pub estimate: bool,
    /// Do not compare a GPU with the CPU before its first use
    #[arg(long)]
    pub skip_device_check: bool,
}

#[derive(Debug, Args)]
pub struct StudyFlags {
    /// LAB/STUDY
    pub study: Option<String>,
    #[command(flatten)]
    pub series: SeriesFlags,
    /// Draw the article's figure of what is measured, with the paper's readings as marks: .png or .csv
    #[arg(long, value_name = "FILE", conflicts_with = "estimate")]
    pub figure: Option<PathBuf>,
    /// Replace a file that is there already
    #[arg(long, requires = "figure")]
    pub force: bool,
}

#[derive(Debug, Args)]
#[command(after_help = SWEEPS)]
pub struct SweepFlags {
    /// Lab, see `learnscope labs`
    pub lab: String,
    /// A parameter and its values (once or twice): KEY=A..B:N for N values from A to B, KEY=A,B,C for a list, KEY=* for every choice
    #[arg(long, value_name = "KEY=VALUES", required = true, allow_hyphen_values = true)]
    pub over: Vec<String>,
    #[command(flatten)]
    pub series: SeriesFlags,
    /// Start from a named set of values
    #[arg(long, value_name = "P")]
    pub preset: Option<String>,
    /// Training steps of every run; default: the lab's own
    #[arg(long, value_name = "N")]
    pub steps: Option<u64>,
    /// Save the result: .csv is the table, .json all of it, .png and .svg the map
    #[arg(long, value_name = "FILE", conflicts_with = "estimate")]
    pub to: Option<PathBuf>,
    /// Measure that the map shows, by its title or the beginning of it; default: the lab's first
    #[arg(long, value_name = "M", requires = "to")]
    pub measure: Option<String>,
    /// Replace a file that is there already
    #[arg(long, requires = "to")]
    pub force: bool,
}

const SWEEPS: &str = "\
Ranges of logarithmic parameters are spaced by factors, all others evenly; whole numbers are rounded. An interrupted sweep goes on where it
was, and a larger one takes over what a smaller one has measured.
  learnscope sweep self-supervised --over rate_predictor=0.05..2:7 --over decay_encoder=0.001..0.02:5 --seeds 5
  learnscope sweep segmentation --over model=* --steps 300 --to models.csv";

#[derive(Debug, Args)]
#[command(after_help = EXPORTS)]
pub struct ExportFlags {
    /// Run folder, or its name under `runs`
    #[arg(required_unless_present = "scene")]
    pub run: Option<PathBuf>,
    /// Draw this scene, by its file or code: its run is computed at once, and shown as the scene says. Together with RUN: the recorded run
    /// as the scene shows it
    #[arg(long, value_name = "FILE|CODE")]
    pub scene: Option<String>,
    /// `metrics` (the default), a key such as `path/adam`, a family such as `path/*`; for figures the name of a tile (default of a scene:
    /// its first one)
    #[arg(long, value_name = "F", visible_alias = "tile")]
    pub figure: Option<String>,
    /// Save the weights instead, as .safetensors (segmentation: the best by validation; else the newest checkpoint's, or that of --step)
    #[arg(long, conflicts_with_all = ["figure", "scene", "size", "theme", "features", "all"])]
    pub weights: bool,
    /// Weights of self-supervised: the target network too, with `target.` before its names
    #[arg(long, requires = "weights")]
    pub with_target: bool,
    /// Save what the network makes of the run's pictures instead, as .npy (labels beside it in .labels.npy) or .csv: of the newest
    /// checkpoint, or that of --step
    #[arg(long, conflicts_with_all = ["figure", "scene", "size", "theme", "all"])]
    pub features: bool,
    /// Features: of which pictures; default: test
    #[arg(long, value_enum, requires = "features")]
    pub part: Option<Pictures>,
    /// Features: the projector's outputs z instead of the encoder's h
    #[arg(long, requires = "features")]
    pub embeddings: bool,
    /// Features: of the pictures in this folder instead of the run's
    #[arg(long, value_name = "DIR", requires = "features")]
    pub data: Option<PathBuf>,
    /// Features: auto (the default), cpu, gpu or gpu:NAME, see `learnscope devices`
    #[arg(long, value_name = "D", requires = "features")]
    pub device: Option<String>,
    /// A spectrum, a matrix or the like at every recorded step instead of one; .npy: steps beside it in .steps.npy
    #[arg(long, conflicts_with_all = ["step", "scene"])]
    pub all: bool,
    /// Where to save; the suffix tells the format: .csv, .json or .npy, and of figures .png, .svg or .gif
    #[arg(long, value_name = "FILE", visible_alias = "out")]
    pub to: PathBuf,
    /// Replace a file that is there already
    #[arg(long)]
    pub force: bool,
    /// The moment to show, or the numbers of that step: the newest recorded at or before it; default: the end (of a scene: its own), and
    /// all steps of scalars and tables
    #[arg(long, value_name = "N")]
    pub step: Option<u64>,
    /// Figures: width and height in pixels; default: 1600x1000, of a GIF 800x500
    #[arg(long, value_name = "WxH", value_parser = size)]
    pub size: Option<(u32, u32)>,
    /// Figures: colours
    #[arg(long, value_enum, default_value_t = Theme::Light)]
    pub theme: Theme,
    #[command(flatten)]
    pub animation: AnimationFlags,
}

/// Which pictures of a run's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Pictures {
    Train,
    Test,
}

const EXPORTS: &str = "\
Figures have no buttons. An SVG has its text as text, and pictures within it as PNG. A GIF goes from the first to the last step, and holds that.
  learnscope export RUN --tile field --out field.svg
  learnscope export --scene my.learnscope-scene --tile surface3d --out surface.png
  learnscope export RUN --tile field --out field.gif --from 0 --until 100 --frames 50 --seconds 5
Of networks:
  learnscope export RUN --weights --to net.safetensors
  learnscope export RUN --features --part train --to h.npy
  learnscope export RUN --figure matrix/Wp --all --to wp.npy";

/// Flags of a GIF alone.
#[derive(Debug, Args)]
pub struct AnimationFlags {
    /// GIF: the first step; default: 0
    #[arg(long, value_name = "STEP")]
    pub from: Option<u64>,
    /// GIF: the last step, which is shown for 2 s; default: the newest
    #[arg(long, value_name = "STEP")]
    pub until: Option<u64>,
    /// GIF: how many frames; default: one a step, 120 at most
    #[arg(long, value_name = "N")]
    pub frames: Option<u64>,
    /// GIF: how long it takes up to the last step; default: 12 frames a second
    #[arg(long, value_name = "S", allow_negative_numbers = true)]
    pub seconds: Option<f64>,
}

#[derive(Debug, Args)]
pub struct LandscapeFlags {
    /// Run folder, or its name under `runs`
    pub run: PathBuf,
    /// The plane that is looked at: paths (in which all paths are widest), filters (random, every filter as long as the
    /// network's own) or random
    #[arg(long, value_name = "P", default_value = "paths", value_parser = ["paths", "filters", "random"])]
    pub plane: String,
    /// The network around which a random plane lies, such as `adam`; default: the first
    #[arg(long, value_name = "ID", default_value = "")]
    pub network: String,
    /// Go through the whole training again instead of reading the run's checkpoints, as trainings of less than a minute and
    /// runs without checkpoints always are
    #[arg(long)]
    pub again: bool,
    /// Look at the run up to this step; default: its end
    #[arg(long, value_name = "N")]
    pub step: Option<u64>,
    /// Samples of a side of the slice
    #[arg(long, value_name = "N", default_value_t = 41, value_parser = clap::value_parser!(u32).range(2..=401))]
    pub side: u32,
    /// Half of a random plane's width, in lengths of its directions
    #[arg(long, value_name = "R", default_value_t = 1.0, value_parser = reach)]
    pub reach: f64,
    /// Places of each path at which the largest curvatures are measured; 0: none
    #[arg(long, value_name = "N", default_value_t = 9, value_parser = clap::value_parser!(u32).range(0..=120))]
    pub curvatures: u32,
    /// Seed of random directions
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub directions: u64,
    /// Save it: .png draws it, .csv holds the slice, .json all of it
    #[arg(long, value_name = "FILE")]
    pub to: Option<PathBuf>,
    /// Replace a file that is there already
    #[arg(long, requires = "to")]
    pub force: bool,
    /// PNG: width and height in pixels
    #[arg(long, value_name = "WxH", default_value = "1600x1000", value_parser = size)]
    pub size: (u32, u32),
    /// PNG: colours
    #[arg(long, value_enum, default_value_t = Theme::Light)]
    pub theme: Theme,
}

#[derive(Debug, Args)]
#[command(after_help = super::predict::settings_help())]
pub struct PredictFlags {
    /// Lab whose networks are used
    pub lab: String,
    /// Weights: a file of safetensors or PyTorch, or the folder of a recorded run (segmentation: its best ones; reconstruction: its newest)
    #[arg(long, value_name = "W")]
    pub weights: PathBuf,
    /// A picture, or a folder of pictures; masks in it are not predicted but compared with
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
    /// Folder for masks, overlays, table and summary; made if there is none
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Segmentation: which network a file of weights is of, where its tensors do not tell; the same as --set architecture=A
    #[arg(long, value_name = "A")]
    pub architecture: Option<String>,
    /// Segmentation: save every picture's probabilities, as a PNG of 16 bits or for NumPy; the same as --set probabilities=F
    #[arg(long, value_name = "F", value_parser = ["png", "npy", "both"])]
    pub probabilities: Option<String>,
    /// Set how a prediction is made (repeatable); the lab's settings are listed below
    #[arg(long, value_name = "KEY=VALUE", allow_hyphen_values = true)]
    pub set: Vec<String>,
    /// Only pictures of these parts of the data set that the run was trained on (repeatable): train, validation, test, or
    /// none (new pictures); reconstruction: unlabelled and unseen too
    #[arg(long, value_name = "P", value_delimiter = ',',
        value_parser = ["train", "unlabelled", "validation", "test", "unseen", "none"])]
    pub part: Vec<String>,
    /// auto, cpu, gpu or gpu:NAME, see `learnscope devices`
    #[arg(long, value_name = "D", default_value = "auto")]
    pub device: String,
    /// Replace results of the same names in a folder that is not empty
    #[arg(long)]
    pub force: bool,
}

#[derive(Debug, Args)]
pub struct CompareFlags {
    /// Run folders, or their names under `runs`: every later one is compared with the first
    #[arg(required = true, num_args = 2.., value_name = "RUN")]
    pub runs: Vec<PathBuf>,
    /// On the images that both have judged in this part: segmentation: test or validation; default: test
    #[arg(long, value_name = "P")]
    pub part: Option<String>,
    /// What is compared: segmentation: dice, iou, hd95, hd, assd, dice-at-network-size; default: dice
    #[arg(long, value_name = "M")]
    pub measure: Option<String>,
    /// Save every image with both values and their difference: .csv or .json
    #[arg(long, value_name = "FILE")]
    pub to: Option<PathBuf>,
    /// Save a picture of images, truth and the outlines of all runs side by side: .png or .svg
    #[arg(long, value_name = "FILE")]
    pub figure: Option<PathBuf>,
    /// Figure: only images of these names (repeatable), as the wall calls them; default: the first four that all runs show
    #[arg(long, value_name = "NAME", requires = "figure")]
    pub image: Vec<String>,
    /// Replace files that are there already
    #[arg(long)]
    pub force: bool,
    /// Figure: width and height in pixels
    #[arg(long, value_name = "WxH", default_value = "1600x1000", value_parser = size)]
    pub size: (u32, u32),
    /// Figure: colours
    #[arg(long, value_enum, default_value_t = Theme::Light)]
    pub theme: Theme,
}

#[derive(Debug, Args)]
pub struct WeightsFlags {
    /// Lab whose network it is
    pub lab: String,
    /// Segmentation: the network, see `learnscope params segmentation`; the same as --set architecture=A
    #[arg(long, value_name = "A")]
    pub architecture: Option<String>,
    /// Set a parameter that decides about the network, such as base=64 (repeatable), see `learnscope params LAB`
    #[arg(long, value_name = "KEY=VALUE", allow_hyphen_values = true)]
    pub set: Vec<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "Exit codes: 0 no errors, 1 the doctor found errors or was stopped, 2 bad usage or bad input.")]
pub struct DoctorFlags {
    /// Folder with images and masks
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// Set a parameter of the segmentation lab, such as group_by or split (repeatable), see `learnscope params segmentation`
    #[arg(long, value_name = "KEY=VALUE", allow_hyphen_values = true)]
    pub set: Vec<String>,
    /// Save every finding as a table
    #[arg(long, value_name = "FILE.csv")]
    pub out: Option<PathBuf>,
    /// Replace a file that is there already
    #[arg(long)]
    pub force: bool,
}

#[derive(Debug, Args)]
pub struct SampleDataFlags {
    /// Folder to write to
    pub folder: PathBuf,
    /// Replace files of the same names that are there already
    #[arg(long)]
    pub force: bool,
    /// Points of each set
    #[arg(long, value_name = "N", default_value_t = 400, value_parser = clap::value_parser!(u32).range(20..=1_000_000))]
    pub points: u32,
    /// Standard deviation of the noise on every coordinate
    #[arg(long, value_name = "S", default_value_t = 0.15, value_parser = noise)]
    pub noise: f64,
    /// Seed
    #[arg(long, value_name = "N", default_value_t = crate::kit::lab::DEFAULT_SEED)]
    pub seed: u64,
}

fn reach(text: &str) -> Result<f64, String> {
    let reach = text.parse().ok().filter(|reach| (1e-6..=1e6).contains(reach));
    reach.ok_or_else(|| format!("`{text}` is not a number from 1e-6 to 1e6"))
}

fn noise(text: &str) -> Result<f64, String> {
    let noise = text.parse().ok().filter(|noise| (0.0..=1.0).contains(noise));
    noise.ok_or_else(|| format!("`{text}` is not a number from 0 to 1"))
}

/// The window's looks, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Theme {
    Light,
    Dark,
    HighContrast,
}

impl Theme {
    /// What the window looks like then.
    pub fn style(self) -> Style {
        match self {
            Theme::Light => Style::light(),
            Theme::Dark => Style::dark(),
            Theme::HighContrast => Style::high_contrast(),
        }
    }
}

fn size(text: &str) -> Result<(u32, u32), String> {
    let side = |text: &str| text.parse().ok().filter(|side| (16..=16_384).contains(side));
    let sides = text.split_once('x').and_then(|(width, height)| Some((side(width)?, side(height)?)));
    sides.ok_or_else(|| format!("`{text}` is not a size such as 1600x1000, each side from 16 to 16384"))
}
