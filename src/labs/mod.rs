//! The labs: what a lab is, and the registry. A sixth lab is one folder here plus one line in [`LABS`]; nothing else
//! names a lab.

pub mod doctor;
pub mod optimizers;
pub mod predict;
pub mod prose;
pub mod segmentation;
pub mod self_supervised;
pub mod series;
pub mod study;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use eframe::egui;
use eframe::egui_wgpu::RenderState;

use crate::compute::device::DeviceChoice;
use crate::engine::command::{Record, RunRequest};
use crate::engine::event::{Change, KeySpec, Level, Payload, RunId};
use crate::engine::experiment::{BuildFn, DeviceCheckFn};
use crate::engine::params::{self, ParamError, ParamSpec, Params, Value};
use crate::engine::recording::RunReader;
use crate::engine::run_folder::DiskError;
use crate::engine::state::RunState;
use crate::engine::study::StudySpec;
use crate::engine::twin;
use crate::plot::style::{Category, Style};

/// Every lab, in the order of its tab and of its number key.
pub static LABS: &[&dyn Lab] =
    &[&optimizers::OptimizersLab, &self_supervised::SelfSupervisedLab, &segmentation::SegmentationLab];

/// The lab with this id.
pub fn find(id: &str) -> Option<&'static dyn Lab> {
    LABS.iter().copied().find(|lab| lab.spec().id == id)
}

/// How a run is to be started, apart from its parameters.
#[derive(Debug, Clone)]
pub struct RunOptions {
    pub name: String,
    pub seed: u64,
    /// `None`: as many as the lab takes with these parameters.
    pub steps: Option<u64>,
    pub device: DeviceChoice,
    pub skip_device_check: bool,
    pub record: Record,
    pub changes: Vec<Change>,
    pub start_paused: bool,
    pub resume_from: Option<PathBuf>,
}

impl Default for RunOptions {
    fn default() -> Self {
        Self {
            name: String::new(),
            seed: DEFAULT_SEED,
            steps: None,
            device: DeviceChoice::Automatic,
            skip_device_check: false,
            record: Record::No,
            changes: Vec::new(),
            start_paused: false,
            resume_from: None,
        }
    }
}

/// Longest time between two automatic checkpoints: what a power failure may cost.
const CHECKPOINT_TIME: Duration = Duration::from_secs(60);

/// The seed of a fresh form and of a command line without `--seed`.
pub const DEFAULT_SEED: u64 = 7;

/// A request for a run of `lab`: the one way to start one, for the window, the command line and the tests. Each
/// parameter's own range and every scheduled change are checked here; files and combinations by the worker.
pub fn request(lab: &dyn Lab, params: &Params, options: RunOptions) -> Result<Box<RunRequest>, ParamError> {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let spec = lab.spec();
    let params = Params::checked(spec.params, params.iter().map(|(key, value)| (key.to_owned(), value.clone())))?;
    for change in &options.changes {
        let known = params::find(spec.params, twin::plain(&change.key))?;
        known.check(&change.value)?;
        if !known.live {
            return Err(ParamError::NotLive { key: known.key.to_owned() });
        }
    }
    let steps = options.steps.unwrap_or_else(|| (spec.steps)(&params));
    let most = (spec.most_steps)(&params);
    if steps > most {
        return Err(ParamError::OutOfRange {
            key: "steps".to_owned(),
            value: steps.to_string(),
            expected: format!("at most {most} steps in a run of {}", spec.id),
        });
    }
    Ok(Box::new(RunRequest {
        id: RunId(NEXT.fetch_add(1, Ordering::Relaxed)),
        lab: spec.id,
        name: options.name,
        build: spec.build,
        specs: spec.params,
        keys: spec.keys,
        seed: options.seed,
        steps,
        device: (spec.needs_device)(&params).then_some(options.device),
        device_check: spec.device_check.filter(|_| !options.skip_device_check),
        record: options.record,
        changes: options.changes,
        checkpoint_every: (spec.checkpoint_every)(&params, steps),
        checkpoint_time: CHECKPOINT_TIME,
        start_paused: options.start_paused,
        resume_from: options.resume_from,
        check: spec.check,
        data: spec.data,
        params,
    }))
}

/// Opens a recorded run to be shown; parameters that it lacks take the lab's defaults.
pub fn open_run(folder: &Path) -> Result<RunReader, DiskError> {
    let mut reader = RunReader::open(folder)?;
    if let Some(lab) = find(&reader.header().lab) {
        reader.complete(lab.spec().params);
    }
    Ok(reader)
}

/// A lab: static facts, and a maker of its views.
pub trait Lab: Sync {
    fn spec(&self) -> &'static LabSpec;
    /// Fresh view state (what is selected, zoomed, folded). Training state is in [`RunState`].
    fn view(&self) -> Box<dyn LabView>;
    /// How trained weights are applied to one's own files; `None`: this lab's networks are for watching.
    fn predict(&self) -> Option<&'static predict::PredictSpec> {
        None
    }
    /// How a folder of one's own is looked over; `None`: this lab reads none of that kind.
    fn doctor(&self) -> Option<&'static doctor::DoctorSpec> {
        None
    }
}

/// The static facts of a lab.
#[derive(Debug)]
pub struct LabSpec {
    /// Name on the command line and in files.
    pub id: &'static str,
    /// Name on its tab.
    pub title: &'static str,
    /// One sentence: what one sees here.
    pub claim: &'static str,
    pub params: &'static [ParamSpec],
    pub keys: &'static [KeySpec],
    pub presets: &'static [Preset],
    pub studies: &'static [StudySpec],
    /// Text of the guide panel, Markdown of the kind that `plot::text::markdown` draws.
    pub guide: &'static str,
    pub build: BuildFn,
    /// Number of steps that a run with these parameters takes unless asked otherwise.
    pub steps: fn(&Params) -> u64,
    /// Most steps that a run may take: what keeps its memory bounded.
    pub most_steps: fn(&Params) -> u64,
    /// Whether a run with these parameters computes on a Burn device (or is host arithmetic).
    pub needs_device: fn(&Params) -> bool,
    /// Compares a device with the CPU on the lab's tiny network.
    pub device_check: Option<DeviceCheckFn>,
    /// Samples (data points, images) of one training step; 0 where a step has none.
    pub samples_per_step: fn(&Params) -> u64,
    /// Checks across parameters and files before a run starts (each value's own range is already checked).
    pub check: fn(&Params) -> Result<(), ParamError>,
    /// `Some(steps per second)`: a run with these parameters is computed at once, and the timeline then plays it at
    /// this rate. `None`: the timeline follows the training.
    pub playback: fn(&Params) -> Option<f64>,
    /// Steps between automatic checkpoints of a run of so many steps.
    pub checkpoint_every: fn(&Params, u64) -> u64,
    /// The data set of a run in words with its content hash; empty for data that the seed defines.
    pub data: fn(&Params) -> Result<String, ParamError>,
}

/// A named set of parameter values; all others take their defaults.
#[derive(Debug, Clone, Copy)]
pub struct Preset {
    pub id: &'static str,
    pub title: &'static str,
    pub help: &'static str,
    /// `key`, `value` as typed.
    pub set: &'static [(&'static str, &'static str)],
}

impl LabSpec {
    /// The preset that has exactly these values.
    pub fn preset_of(&self, params: &Params) -> Option<&'static str> {
        let same = |id: &str| self.preset(id).is_some_and(|preset| preset.is_ok_and(|values| values == *params));
        self.presets.iter().map(|preset| preset.id).find(|id| same(id))
    }

    /// The parameters of a preset.
    pub fn preset(&self, id: &str) -> Option<Result<Params, ParamError>> {
        let preset = self.presets.iter().find(|preset| preset.id == id)?;
        let mut params = Params::defaults(self.params);
        Some(
            preset
                .set
                .iter()
                .try_for_each(|(key, value)| params.set_text(self.params, &format!("{key}={value}")))
                .map(|()| params),
        )
    }
}

/// Draws one lab from a [`RunState`]. Holds no channel, so a test can draw it from a hand-written state.
pub trait LabView {
    /// Every tile of the lab, in reading order.
    fn tiles(&self) -> &'static [TileSpec];
    /// Which tiles are shown with these parameters, and how they lie by default.
    fn arrangement(&self, params: &Params) -> Arrangement;
    /// Draws the content of one tile into the whole of `ui`.
    fn tile(&mut self, tile: &str, ui: &mut egui::Ui, ctx: &mut ViewCtx<'_>);
    /// Draws the guide's live part: the equations with the current numbers in them, the paper's values.
    fn guide(&mut self, ui: &mut egui::Ui, ctx: &mut ViewCtx<'_>);
    /// The colour and dash of what a parameter switches on, drawn beside it in the form.
    fn swatch(&self, _key: &str, _style: &Style) -> Option<Category> {
        None
    }
    /// Number of named parts into which the update at the cursor can be split; 0: none.
    fn sub_steps(&self, _ctx: &ViewCtx<'_>) -> usize {
        0
    }
    /// Actions of this lab for the command palette: a stable id and a title.
    fn commands(&self) -> Vec<(String, String)> {
        Vec::new()
    }
    /// Runs one of [`LabView::commands`].
    fn command(&mut self, _id: &str, _ctx: &mut ViewCtx<'_>) {}
    /// What the user made here that is not saved yet, in words, e.g. `the corrected mask of a.png`: the window asks before
    /// it closes.
    fn unsaved(&self) -> Option<String> {
        None
    }
    /// Begins to save that; [`LabView::unsaved`] is `None` again once it is on disk. What goes wrong is told by the view.
    fn save_unsaved(&mut self) {}
    /// Whether a tile shows something else at another step of the run.
    fn follows_cursor(&self, _tile: &str) -> bool {
        true
    }
    /// Whether the view wants this key for itself now, for example while the mouse is over a canvas; the shell's own
    /// shortcut then rests.
    fn takes_key(&self, _modifiers: egui::Modifiers, _key: egui::Key) -> bool {
        false
    }
}

/// One tile of a lab.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TileSpec {
    /// Stable id, also the name of the figure for export.
    pub id: &'static str,
    pub title: &'static str,
    /// What it shows and how to use it, for the tooltip of its title.
    pub help: &'static str,
}

/// A default layout of tiles.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Arrangement {
    /// Under this name the user's own layout is remembered.
    pub id: &'static str,
    pub root: Node,
}

/// A node of a layout. Shares are relative sizes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Node {
    Tile(&'static str),
    /// Side by side.
    Row(&'static [(f32, Node)]),
    /// One above the other.
    Column(&'static [(f32, Node)]),
    /// One at a time.
    Tabs(&'static [Node]),
}

impl Node {
    /// The tiles of this part of the layout, in reading order.
    pub fn tiles(&self) -> Vec<&'static str> {
        match self {
            Node::Tile(tile) => vec![tile],
            Node::Row(parts) | Node::Column(parts) => parts.iter().flat_map(|(_, part)| part.tiles()).collect(),
            Node::Tabs(parts) => parts.iter().flat_map(Node::tiles).collect(),
        }
    }
}

/// The shared place in time: every view shows the run at this step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cursor {
    pub step: u64,
    /// How many of the parts of the update from `step` to `step + 1` are shown (0: none).
    pub sub: usize,
}

/// What a view draws from, and where it puts what the user did.
pub struct ViewCtx<'a> {
    pub run: &'a RunState,
    /// The form's values; ahead of the run's while a restart is pending.
    pub params: &'a Params,
    pub cursor: Cursor,
    pub style: &'a Style,
    /// The window's wgpu, where it has one.
    pub wgpu: Option<&'a RenderState>,
    /// Recorded bulky values by key, for a cursor in the past.
    pub past: &'a dyn PastPayloads,
    /// The tile fills the screen of a talk: larger type, fewer controls.
    pub presenting: bool,
    /// What the user did; the shell carries it out.
    pub actions: &'a mut Vec<ViewAction>,
}

/// Fetches what was recorded. Never waits: `None` while it is being read.
pub trait PastPayloads {
    fn payload(&self, key: &str, step: u64) -> Option<(u64, Arc<Payload>)>;
}

/// Past payloads of a run that has none.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoPast;

impl PastPayloads for NoPast {
    fn payload(&self, _key: &str, _step: u64) -> Option<(u64, Arc<Payload>)> {
        None
    }
}

impl ViewCtx<'_> {
    /// The bulky value that was shown at the cursor: the newest one at the live edge, a recorded one in the past.
    pub fn payload(&self, key: &str) -> Option<(u64, Arc<Payload>)> {
        let newest = self.run.payloads.get(key)?.newest.clone();
        match newest {
            Some((step, payload)) if step <= self.cursor.step => Some((step, payload)),
            newest => self.past.payload(key, self.cursor.step).or(newest.filter(|_| self.run.step <= self.cursor.step)),
        }
    }

    /// Asks for a new value of a parameter.
    pub fn set(&mut self, key: &str, value: Value, settled: bool) {
        self.actions.push(ViewAction::SetParam { key: key.to_owned(), value, settled });
    }
}

/// Something that the user did in a view.
#[derive(Debug, Clone, PartialEq)]
pub enum ViewAction {
    /// Change a parameter. `settled: false` while the mouse still drags: the run is computed but not recorded.
    SetParam {
        key: String,
        value: Value,
        settled: bool,
    },
    /// Move the shared cursor.
    Seek(Cursor),
    Notice(Level, String),
    /// Save this text as a file; the shell asks where. `name` is the suggested file name.
    SaveText {
        name: String,
        text: String,
    },
    /// Let the user choose a file, or a folder, for this path parameter.
    ChooseFile {
        key: String,
    },
    /// Bring this tile to the front.
    ShowTile(&'static str),
}
