//! What a lab offers whose trained weights can be applied to one's own files, without a run.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use burn::module::Module;
use burn::tensor::Device;
use serde_json::Value as Json;
use thiserror::Error;

use crate::compute::device::DeviceChoice;
use crate::engine::checkpoint_file;
use crate::engine::event::{Body, Payload, RunHeader};
use crate::engine::experiment::{Checkpoint, RunError};
use crate::engine::header_file;
use crate::engine::params::{ParamSpec, Params};
use crate::engine::recording::{self, RunReader};
use crate::engine::run_folder::{self, DiskError, write_whole};
use crate::nn::parameters;
use crate::nn::weights::unusable;

use super::state::Load;

/// A lab's functions for files. They may take long: never call them on a thread that draws.
#[derive(Debug)]
pub struct PredictSpec {
    /// The lab's parameters that tell how a prediction is made, and settings of its own in the group `Prediction`. What is not set is as in the run that the weights are of; for
    /// a file of weights it is the default.
    pub settings: fn() -> Vec<ParamSpec>,
    /// Applies weights to files and saves what came of it. Opens the device, and drops every tensor before it returns.
    pub predict: PredictFn,
    /// The tensors of the network that the lab's parameters ask for, in the order of its file: made from what builds the
    /// network.
    pub tensors: fn(&Params) -> Result<Vec<TensorName>, PredictError>,
}

/// A tensor of a network as a file of weights has to call it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorName {
    pub name: String,
    /// Another name that is taken too; empty: none.
    pub also: String,
    /// As PyTorch has it.
    pub shape: Vec<usize>,
    /// A file may do without all of these: they are 0 then.
    pub spare: bool,
}

/// What is asked for, a flag that stops it once it is set, and who is told on the way.
pub type PredictFn = fn(&PredictRequest, &AtomicBool, &mut dyn FnMut(PredictEvent)) -> Result<(), PredictError>;

/// What is to be predicted.
#[derive(Debug, Clone, Default)]
pub struct PredictRequest {
    /// A file of weights, or the folder of a recorded run.
    pub weights: PathBuf,
    /// A file, or a folder that is searched.
    pub data: PathBuf,
    /// Folder for the results.
    pub out: PathBuf,
    /// `key=value` of [`PredictSpec::settings`].
    pub set: Vec<String>,
    pub device: DeviceChoice,
    /// Only pictures of these parts of the data set that the weights were trained on (`train`, `validation`, `test`, `none`:
    /// of no part); empty: all.
    pub parts: Vec<String>,
    /// Whether files in `out` may be replaced.
    pub force: bool,
}

/// What is told on the way, in this order: begun, any number of files, done.
#[derive(Debug, Clone, PartialEq)]
pub enum PredictEvent {
    /// So many files will be looked at; what is used, in words and for machines.
    Begun { total: usize, lines: Vec<String>, about: Json },
    /// One more file is done, or could not be used (`problem`).
    File { done: usize, total: usize, name: String, problem: Option<String>, row: Json },
    /// The results are saved; what they are, in words and for machines.
    Done { lines: Vec<String>, about: Json },
}

/// Why there is no prediction, or not all of it. The message names the file and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PredictError {
    /// What was asked for cannot be done; nothing was saved.
    #[error("{0}")]
    Input(String),
    /// It failed or was stopped on the way.
    #[error("{0}")]
    Work(String),
}

impl PredictError {
    pub fn input(message: impl ToString) -> Self {
        PredictError::Input(message.to_string())
    }

    pub fn work(message: impl ToString) -> Self {
        PredictError::Work(message.to_string())
    }
}

/// The newest whole checkpoint of a recorded run, or the one that was chosen, with the parameters that held at it.
#[derive(Debug)]
pub struct RunWeights {
    pub folder: PathBuf,
    /// The folder's name.
    pub name: String,
    pub checkpoint: Checkpoint,
    pub params: Params,
    /// What the user should know before trusting them.
    pub warnings: Vec<String>,
}

/// Reads the run of this lab, or the checkpoint of one, that `path` names. `None`: it is a file of another kind.
///
/// # Errors
/// Nothing is there, a folder of no run, a run of another lab or without a checkpoint, a damaged one.
pub fn run_weights(path: &Path, lab: &str, specs: &[ParamSpec]) -> Result<Option<RunWeights>, PredictError> {
    if path.is_dir() {
        if !run_folder::is_run(path) {
            return Err(PredictError::Input(format!(
                "`{}` is a folder, but of no recorded run; choose a run folder or a file of weights",
                path.display()
            )));
        }
        let header = header(path, lab)?;
        let found = checkpoint_file::latest_good(path).map_err(PredictError::input)?.ok_or_else(|| {
            PredictError::Input(format!(
                "the run `{}` has no checkpoint yet; let it train on, or write one with the Checkpoint action",
                path.display()
            ))
        })?;
        return of_checkpoint(path, &header, found.checkpoint, found.warnings, specs).map(Some);
    }
    if let Some(folder) = run_of_checkpoint(path) {
        let header = header(&folder, lab)?;
        let checkpoint = checkpoint_file::read(path).map_err(PredictError::input)?;
        return of_checkpoint(&folder, &header, checkpoint, Vec::new(), specs).map(Some);
    }
    if path.exists() {
        return Ok(None);
    }
    Err(PredictError::Input(format!(
        "there are no weights `{}`: expected a file of safetensors or PyTorch, or the folder of a recorded run",
        path.display()
    )))
}

/// The run folder that this file is a checkpoint of.
fn run_of_checkpoint(path: &Path) -> Option<PathBuf> {
    let folder = path.parent()?;
    let run = folder.parent()?;
    (folder.file_name()? == checkpoint_file::FOLDER && run_folder::is_run(run)).then(|| run.to_owned())
}

fn header(folder: &Path, lab: &str) -> Result<RunHeader, PredictError> {
    let header = header_file::read(folder).map_err(PredictError::input)?;
    if header.lab != lab {
        return Err(PredictError::Input(format!(
            "`{}` is a run of the lab `{}`; expected one of `{lab}`",
            folder.display(),
            header.lab
        )));
    }
    Ok(header)
}

fn of_checkpoint(
    folder: &Path,
    header: &RunHeader,
    checkpoint: Checkpoint,
    warnings: Vec<String>,
    specs: &[ParamSpec],
) -> Result<RunWeights, PredictError> {
    let bad = |error: &dyn std::fmt::Display| PredictError::Input(format!("`{}`: {error}", folder.display()));
    let values = header.params.iter().map(|(key, value)| (key.to_owned(), value.clone()));
    let mut params = Params::checked(specs, values).map_err(|error| bad(&error))?;
    for change in header.changes.iter().filter(|change| change.step <= checkpoint.step) {
        // Changes of a twin are not the run's; a change that is refused was refused in the run.
        let _ = params.set(specs, &change.key, change.value.clone());
    }
    let name = folder.file_name().map_or_else(|| folder.display().to_string(), |n| n.to_string_lossy().into_owned());
    Ok(RunWeights { folder: folder.to_owned(), name, checkpoint, params, warnings })
}

/// The first payload that a run has recorded under a key, such as what it says of its data at its beginning; `None`: there is none.
/// The error says why the recording cannot be read.
pub fn first_payload(folder: &Path, key: &str) -> Result<Option<Arc<Payload>>, String> {
    recorded_payload(folder, key, |places| places.next())
}

/// The same of the last one.
pub fn newest_payload(folder: &Path, key: &str) -> Result<Option<Arc<Payload>>, String> {
    recorded_payload(folder, key, |places| places.last())
}

/// The payload of a key that `choose` takes of their places: offset and bytes, in their order.
fn recorded_payload(
    folder: &Path,
    key: &str,
    choose: impl FnOnce(&mut dyn Iterator<Item = (u64, u32)>) -> Option<(u64, u32)>,
) -> Result<Option<Arc<Payload>>, String> {
    let mut reader = RunReader::open(folder).map_err(|error| error.to_string())?;
    let found = {
        let events = reader.events().map_err(|error| error.to_string())?;
        choose(&mut events.filter_map(|event| match event.body {
            Body::Recorded { key: of, offset, bytes } if &*of == key => Some((offset, bytes)),
            _ => None,
        }))
    };
    let read = found.map(|(offset, bytes)| reader.payload_at(offset, bytes).map_err(|error| error.to_string()));
    read.transpose()
}

/// A module of a checkpoint, of the shape of `like`; `from`: whose checkpoint it is, for messages.
///
/// # Errors
/// It is not in the checkpoint, or a value is not a finite number.
pub fn module_of<M: Module>(
    from: &Path,
    checkpoint: &Checkpoint,
    name: &str,
    like: &M,
    device: &Device,
) -> Result<M, PredictError> {
    let refused = |error| PredictError::Input(format!("{}: {error}", from.display()));
    for slot in parameters::slots(like) {
        let name = format!("{name}/{}", slot.path);
        let values = checkpoint.get_f32(&name, &slot.shape).map_err(refused)?;
        if let Some(problem) = unusable(&slot.path, values) {
            return Err(refused(RunError::Checkpoint(format!("tensor `{name}` {problem}"))));
        }
    }
    Load { from: checkpoint, device: device.clone() }.module(name, like).map_err(refused)
}

/// Refuses a folder for results that is or lies within a recorded run, even with `--force`: what is there is what it recorded.
pub fn outside_runs(out: &Path) -> Result<(), PredictError> {
    let place = real(out);
    let Some(run) = place.ancestors().find(|folder| run_folder::is_run(folder)) else { return Ok(()) };
    let name = run.file_name().unwrap_or_default().to_string_lossy();
    Err(PredictError::Input(format!(
        "the results in `{}` would lie in the recorded run `{}`; choose a folder outside of it, such as `{}`",
        out.display(),
        run.display(),
        run.with_file_name(format!("{name}-predictions")).display()
    )))
}

/// Refuses a folder for results that is a recorded run's (see [`outside_runs`]), has other files in it, or cannot be written to.
pub fn check_empty(out: &Path, force: bool) -> Result<(), PredictError> {
    outside_runs(out)?;
    let taken = fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_some());
    if taken && !force {
        return Err(PredictError::Input(format!(
            "`{}` is not empty; choose a new folder, or replace what has the same names with --force",
            out.display()
        )));
    }
    recording::probe(out).map_err(PredictError::input)
}

/// The path without links, as far as it exists.
pub fn real(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    path.ancestors()
        .find_map(|ancestor| {
            let real = ancestor.canonicalize().ok()?;
            Some(real.join(path.strip_prefix(ancestor).ok()?))
        })
        .unwrap_or(path)
}

/// A device that fails may panic; that ends the work, not the program.
pub fn guarded<T, E: std::fmt::Display>(work: impl FnOnce() -> Result<T, E>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => result.map_err(|error| error.to_string()),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no reason given");
            Err(format!("the network broke off: {text}; choose a smaller image size, or the CPU (`--device cpu`)"))
        }
    }
}

/// Whether the next picture could not be saved either.
pub fn ends_all(error: &DiskError) -> bool {
    use std::io::ErrorKind::{QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    matches!(error, DiskError::Io { source, .. } if matches!(source.kind(), StorageFull | QuotaExceeded | ReadOnlyFilesystem))
}

/// Writes a PNG whole; its folder is made where it is not there.
pub fn save_png(path: &Path, encode: impl FnOnce() -> Result<Vec<u8>, image::ImageError>) -> Result<(), DiskError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(|error| DiskError::io("create the folder", folder, error))?;
    let bytes = encode().map_err(|error| DiskError::bad(path, format!("cannot be packed as PNG: {error}")))?;
    write_whole(path, &bytes)
}

/// Work on a thread of its own for the window, which tells `T` on the way; it stops when this is dropped. Networks are made, used and
/// dropped there; only plain data comes back.
#[derive(Debug)]
pub struct Job<T> {
    told: Receiver<T>,
    cancel: Arc<AtomicBool>,
}

impl<T> Drop for Job<T> {
    fn drop(&mut self) {
        self.stop();
    }
}

impl<T> Job<T> {
    /// `wake` is called whenever there is something to take; `ended` makes of the work's end what is told last.
    pub fn start(
        name: &str,
        wake: impl Fn() + Send + 'static,
        ended: fn(Result<String, String>) -> T,
        work: impl FnOnce(&dyn Fn(T), &AtomicBool) -> Result<String, String> + Send + 'static,
    ) -> Self
    where
        T: Send + 'static,
    {
        let (sender, told) = channel();
        let cancel = Arc::new(AtomicBool::new(false));
        let (asked, failed): (_, Sender<T>) = (cancel.clone(), sender.clone());
        let work = move || {
            let say = |told: T| {
                // Nobody misses it where the window is gone.
                let _ = sender.send(told);
                wake();
            };
            let end = guarded(|| work(&say, &asked));
            say(ended(end));
        };
        if let Err(error) = thread::Builder::new().name(name.to_owned()).spawn(work) {
            let _ = failed.send(ended(Err(format!("no thread can be started: {error}"))));
        }
        Self { told, cancel }
    }

    /// What was said since; never waits.
    pub fn poll(&self) -> impl Iterator<Item = T> + '_ {
        self.told.try_iter()
    }

    /// Asks it to stop; what is done stays.
    pub fn stop(&self) {
        self.cancel.store(true, Ordering::Relaxed);
    }

    /// Whether it was asked to stop.
    pub fn is_stopping(&self) -> bool {
        self.cancel.load(Ordering::Relaxed)
    }
}
