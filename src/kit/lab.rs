//! What a lab is to whoever runs it: its static facts, and the one way to ask for a run. Nothing here draws.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::compare::CompareSpec;
use super::doctor::DoctorSpec;
use super::export::{FeaturesFn, WeightsSpec};
use super::predict::PredictSpec;
use crate::compute::device::DeviceChoice;
use crate::engine::command::{Record, RunRequest};
use crate::engine::event::{Change, KeySpec, RunId};
use crate::engine::experiment::{BuildFn, DeviceCheckFn};
use crate::engine::params::{self, ParamError, ParamSpec, Params, Value};
use crate::engine::state::RunState;
use crate::engine::study::StudySpec;
use crate::engine::sweep::SweepSpec;
use crate::engine::twin;
use crate::watch::Watch;

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
    /// The keys (or families, `accuracy/test/*`) whose last values stand in a list of runs, the most telling first.
    pub headline: &'static [&'static str],
    pub presets: &'static [Preset],
    pub studies: &'static [StudySpec],
    /// What is measured when parameters are swept.
    pub sweep: &'static SweepSpec,
    /// What the guide proposes, in the order of its buttons.
    pub tries: &'static [Try],
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
    /// How a run is made that goes on from a checkpoint, where that needs less than one that begins; `None`: it needs
    /// the same.
    pub resumed: Option<Resumed>,
    /// Checks across parameters and files before a run starts (each value's own range is already checked).
    pub check: CheckFn,
    /// `Some(steps per second)`: a run with these parameters is computed at once, and the timeline then plays it at
    /// this rate. `None`: the timeline follows the training.
    pub playback: fn(&Params) -> Option<f64>,
    /// Steps between automatic checkpoints of a run of so many steps.
    pub checkpoint_every: fn(&Params, u64) -> u64,
    /// The data set of a run in words with its content hash; empty for data that the seed defines.
    pub data: DataFn,
    /// Reads the data set of a run into [`kept`](super::kept), where `check`, `data` and `build` find it: the one of them that
    /// may take long, so that it says how far it is and stops when it is asked to.
    pub read: fn(&Params, Watch<'_>) -> Result<(), ParamError>,
    /// How trained weights are applied to one's own files; `None`: this lab's networks are for watching.
    pub predict: Option<&'static PredictSpec>,
    /// How a run's weights become a file; `None`: it has none.
    pub weights: Option<WeightsSpec>,
    /// What its network makes of its pictures; `None`: nothing that is saved.
    pub features: Option<FeaturesFn>,
    /// How a folder of one's own is looked over; `None`: this lab reads none of that kind.
    pub doctor: Option<&'static DoctorSpec>,
    /// How two recorded runs are compared sample by sample; `None`: they are not.
    pub compare: Option<&'static CompareSpec>,
    /// What a number of this key is in, in this run; empty: in nothing.
    pub unit: fn(&RunState, &KeySpec) -> &'static str,
    /// What became of a run so far, for its summary and its timeline.
    pub moments: fn(&RunState) -> Vec<Moment>,
    /// What choosing this value of this parameter brings along: `key`, `value` as typed; see [`choose`].
    pub brings: fn(&str, &str) -> &'static [Brought],
}

/// What a run needs less where all its weights come from a checkpoint: the file that it began with.
#[derive(Debug, Clone, Copy)]
pub struct Resumed {
    /// The parameter that names that file.
    pub weights: &'static str,
    /// As [`LabSpec::build`], [`LabSpec::check`] and [`LabSpec::data`], for parameters whose file may be gone.
    pub build: BuildFn,
    pub check: CheckFn,
    pub data: DataFn,
}

/// Checks what a run needs; see [`LabSpec::check`].
pub type CheckFn = fn(&Params) -> Result<(), ParamError>;
/// The data set in words; see [`LabSpec::data`].
pub type DataFn = fn(&Params) -> Result<String, ParamError>;

/// Something that became of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Moment {
    /// When, where it has a time.
    pub step: Option<u64>,
    /// Its colour: an index of `Style::category`.
    pub category: usize,
    /// A sentence without a point: `Adam: arrived, stays since step 57`.
    pub text: String,
}

/// A value that comes with another one: `key`, `value` as typed.
pub type Brought = (&'static str, &'static str);

/// Sets a parameter, and what choosing that value brings for others, as far as nobody has set these: they are at their defaults, or at what
/// the value before brought. Whether any of them changed.
///
/// # Errors
/// See [`Params::set`].
pub fn choose(spec: &LabSpec, params: &mut Params, key: &str, value: Value) -> Result<bool, ParamError> {
    let before = params.get(key).map(ToString::to_string).unwrap_or_default();
    let after = value.to_string();
    params.set(spec.params, key, value)?;
    if before == after {
        return Ok(false);
    }
    let left = (spec.brings)(key, &before);
    let mut changed = false;
    for (other, text) in (spec.brings)(key, &after) {
        let known = params::find(spec.params, other)?;
        let brought = left.iter().find(|(key, _)| key == other).and_then(|(_, text)| known.parse(text).ok());
        let now = params.get(other);
        if now == brought.as_ref() || now == Some(&known.default.into()) {
            params.set(spec.params, other, known.parse(text)?)?;
            changed = true;
        }
    }
    Ok(changed)
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

/// Something to try: a button of the guide.
#[derive(Debug, Clone, Copy)]
pub struct Try {
    /// What to try and what to watch.
    pub text: &'static str,
    /// Whether it is proposed with these values of the form.
    pub when: fn(&Params) -> bool,
    /// `key`, `value` as typed; all others stay.
    pub set: &'static [(&'static str, &'static str)],
}

impl Try {
    /// The values that it sets; none of them if one cannot be set.
    pub fn values(&self, specs: &[ParamSpec]) -> Result<Vec<(&'static str, Value)>, ParamError> {
        self.set.iter().map(|(key, text)| Ok((*key, params::find(specs, key)?.parse(text)?))).collect()
    }
}

impl LabSpec {
    /// How a run is built, checked and its data named: one that begins, or one that goes on from a checkpoint.
    pub fn made(&self, resumed: bool) -> (BuildFn, CheckFn, DataFn) {
        match self.resumed.filter(|_| resumed) {
            Some(Resumed { build, check, data, .. }) => (build, check, data),
            None => (self.build, self.check, self.data),
        }
    }

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
pub fn request(spec: &LabSpec, params: &Params, options: RunOptions) -> Result<Box<RunRequest>, ParamError> {
    static NEXT: AtomicU64 = AtomicU64::new(1);
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
    let (build, check, data) = spec.made(options.resume_from.is_some());
    Ok(Box::new(RunRequest {
        id: RunId(NEXT.fetch_add(1, Ordering::Relaxed)),
        lab: spec.id,
        name: options.name,
        build,
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
        check,
        data,
        read: spec.read,
        params,
    }))
}
