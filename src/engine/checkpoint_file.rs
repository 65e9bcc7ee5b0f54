//! Checkpoints on disk: one safetensors file each, `checkpoints/step-00000250.safetensors`.
//!
//! Tensors keep their bits. Step, small text state and a checksum of everything are one JSON text in the file's metadata
//! (safetensors itself has no checksum). A file is written whole, synced and renamed, so that it is there
//! completely or not at all. Kept are the newest [`KEEP_NEWEST`] and the first one of a run.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};

use super::experiment::{Array, ArrayValues, Checkpoint};
use super::run_folder::{DiskError, write_synced};
use crate::disk;

/// Newest checkpoints that are kept besides the first; an older one stands in when the newest is damaged.
pub const KEEP_NEWEST: usize = 3;
/// Folder of the checkpoints within the run folder.
pub const FOLDER: &str = "checkpoints";
const SUFFIX: &str = ".safetensors";
const FORMAT: u32 = 1;
const METADATA_KEY: &str = "learnscope";

#[derive(Serialize, Deserialize)]
struct Metadata {
    format: u32,
    step: u64,
    crc32: u32,
    text: BTreeMap<String, String>,
}

/// File name of the checkpoint after `step` steps, relative to the run folder.
pub fn file_name(step: u64) -> String {
    format!("{FOLDER}/step-{step:08}.safetensors")
}

/// Writes a checkpoint into the run folder and removes those that the policy does not keep. Returns the file's name
/// relative to the run folder.
pub fn write(folder: &Path, checkpoint: &Checkpoint) -> Result<String, DiskError> {
    write_with(folder, checkpoint, &BTreeMap::new())
}

/// [`write()`] with more small state in text.
pub(super) fn write_with(
    folder: &Path,
    checkpoint: &Checkpoint,
    more: &BTreeMap<String, String>,
) -> Result<String, DiskError> {
    let name = file_name(checkpoint.step);
    let path = folder.join(&name);
    let parent = folder.join(FOLDER);
    // Not the run folder: where that is gone, a checkpoint alone would be no run.
    match fs::create_dir(&parent) {
        Err(e) if !parent.is_dir() => return Err(DiskError::io("create the folder", &parent, e)),
        _ => {}
    }
    let bytes = encode(checkpoint, more).map_err(|problem| DiskError::bad(&path, problem))?;
    write_synced(&path, &bytes)?;
    // The rename itself must survive a power failure too; where a folder cannot be synced, nothing is lost but that.
    let _ = fs::File::open(&parent).and_then(|folder| folder.sync_all());
    for entry in fs::read_dir(&parent).into_iter().flatten().flatten() {
        // The run has passed what was set aside when it was resumed.
        if set_aside_step(&entry.path()).is_some_and(|step| step <= checkpoint.step) {
            let _ = fs::remove_file(entry.path());
        }
    }
    let all = list(folder);
    for (step, path) in all.iter().skip(1).take(all.len().saturating_sub(1 + KEEP_NEWEST)) {
        if *step != checkpoint.step {
            let _ = fs::remove_file(path);
        }
    }
    Ok(name)
}

/// Reads a checkpoint; the error says what is wrong with the file.
pub fn read(path: &Path) -> Result<Checkpoint, DiskError> {
    let bytes = disk::read(path, u64::MAX).map_err(|e| DiskError::io("read the checkpoint", path, e))?;
    decode(&bytes).map_err(|problem| DiskError::bad(path, problem))
}

/// The checkpoints of a run folder in order of steps. Only names are looked at.
pub fn list(folder: &Path) -> Vec<(u64, PathBuf)> {
    let Ok(entries) = fs::read_dir(folder.join(FOLDER)) else { return Vec::new() };
    let mut found: Vec<(u64, PathBuf)> = entries
        .flatten()
        .filter_map(|entry| {
            let path = entry.path();
            Some((step_of(&path, SUFFIX)?, path))
        })
        .collect();
    found.sort();
    found
}

fn step_of(path: &Path, suffix: &str) -> Option<u64> {
    path.file_name()?.to_str()?.strip_prefix("step-")?.strip_suffix(suffix)?.parse().ok()
}

fn set_aside_step(path: &Path) -> Option<u64> {
    step_of(path, ".safetensors.aside")
}

/// Whether a file in the folder of checkpoints is the recorder's.
pub(super) fn is_ours(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let suffixes = [SUFFIX, ".safetensors.aside", ".safetensors.tmp"];
    suffixes.iter().any(|suffix| step_of(path, suffix).is_some()) || disk::is_temporary(&name)
}

/// Sets a checkpoint aside under another name.
pub(super) fn set_aside(path: &Path) -> Result<(), DiskError> {
    fs::rename(path, path.with_extension("safetensors.aside")).map_err(|e| DiskError::io("set aside", path, e))
}

/// The newest checkpoint that can be read.
#[derive(Debug)]
pub struct Found {
    pub path: PathBuf,
    pub checkpoint: Checkpoint,
    /// One message for each newer one that is damaged.
    pub warnings: Vec<String>,
}

/// The newest readable checkpoint; `Ok(None)`: the run has none. An error if there are some and all are damaged.
pub fn latest_good(folder: &Path) -> Result<Option<Found>, DiskError> {
    newest(folder, |_| Ok(()))
}

/// The newest readable checkpoint that `fits`; its error says why one does not.
pub fn newest(folder: &Path, fits: impl Fn(&Checkpoint) -> Result<(), String>) -> Result<Option<Found>, DiskError> {
    let mut warnings: Vec<String> = Vec::new();
    for (_, path) in list(folder).into_iter().rev() {
        let found = read(&path).and_then(|checkpoint| match fits(&checkpoint) {
            Ok(()) => Ok(checkpoint),
            Err(problem) => Err(DiskError::bad(&path, problem)),
        });
        match found {
            Ok(checkpoint) => return Ok(Some(Found { path, checkpoint, warnings })),
            Err(error) => warnings.push(format!("{error}; the checkpoint before it is used")),
        }
    }
    match warnings.first() {
        None => Ok(None),
        Some(first) => {
            let first = first.trim_end_matches("; the checkpoint before it is used");
            let all = if warnings.len() == 1 {
                "and there is no other".into()
            } else {
                format!("and so are all {}", warnings.len())
            };
            Err(DiskError::bad(
                folder.join(FOLDER),
                format!("no usable checkpoint ({first}, {all}); start the run anew"),
            ))
        }
    }
}

fn encode(checkpoint: &Checkpoint, more: &BTreeMap<String, String>) -> Result<Vec<u8>, String> {
    let text: BTreeMap<String, String> =
        checkpoint.text.iter().chain(more).map(|(k, v)| (k.clone(), v.clone())).collect();
    let bytes: Vec<(Dtype, Vec<u8>)> = checkpoint.tensors.values().map(|array| little_endian(&array.values)).collect();
    let mut sum = Sum::new(checkpoint.step, &text);
    for ((name, array), (dtype, data)) in checkpoint.tensors.iter().zip(&bytes) {
        sum.tensor(name, *dtype, &array.shape, data);
    }
    let metadata = Metadata { format: FORMAT, step: checkpoint.step, crc32: sum.0.finalize(), text };
    let metadata = serde_json::to_string(&metadata).map_err(|e| e.to_string())?;
    let views = checkpoint
        .tensors
        .iter()
        .zip(&bytes)
        .map(|((name, array), (dtype, data))| {
            let view =
                TensorView::new(*dtype, array.shape.clone(), data).map_err(|e| format!("tensor `{name}`: {e}"))?;
            Ok((name, view))
        })
        .collect::<Result<Vec<_>, String>>()?;
    safetensors::serialize(views, Some(HashMap::from([(METADATA_KEY.to_owned(), metadata)]))).map_err(|e| e.to_string())
}

fn decode(bytes: &[u8]) -> Result<Checkpoint, String> {
    let damaged = |e: safetensors::SafeTensorError| format!("the checkpoint is damaged or cut short ({e})");
    let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(damaged)?;
    let tensors = SafeTensors::deserialize(bytes).map_err(damaged)?;
    let metadata = metadata.metadata().as_ref().and_then(|entries| entries.get(METADATA_KEY));
    let Some(metadata) = metadata else {
        return Err("a safetensors file, but not a learnscope checkpoint".to_owned());
    };
    let metadata: Metadata =
        serde_json::from_str(metadata).map_err(|e| format!("the checkpoint's description is damaged ({e})"))?;
    if metadata.format != FORMAT {
        let (found, hint) = (metadata.format, if metadata.format > FORMAT { "; update it" } else { "" });
        return Err(format!("checkpoint format {found}; this program reads format {FORMAT}{hint}"));
    }
    let mut sum = Sum::new(metadata.step, &metadata.text);
    let mut checkpoint = Checkpoint { step: metadata.step, text: metadata.text, ..Checkpoint::default() };
    let views: BTreeMap<&str, TensorView<'_>> = tensors.iter().collect();
    for (name, view) in views {
        sum.tensor(name, view.dtype(), view.shape(), view.data());
        let values = from_little_endian(view.dtype(), view.data())
            .ok_or_else(|| format!("tensor `{name}` has the unexpected type {:?}", view.dtype()))?;
        checkpoint.tensors.insert(name.to_owned(), Array { shape: view.shape().to_vec(), values });
    }
    if sum.0.finalize() != metadata.crc32 {
        return Err("the checkpoint is damaged: its content does not match its checksum".to_owned());
    }
    Ok(checkpoint)
}

/// CRC-32 over all that a checkpoint holds, tensors in order of their names.
struct Sum(crc32fast::Hasher);

impl Sum {
    fn new(step: u64, text: &BTreeMap<String, String>) -> Self {
        let mut sum = Self(crc32fast::Hasher::new());
        sum.0.update(&step.to_le_bytes());
        for (key, value) in text {
            sum.bytes(key.as_bytes());
            sum.bytes(value.as_bytes());
        }
        sum
    }

    fn tensor(&mut self, name: &str, dtype: Dtype, shape: &[usize], data: &[u8]) {
        self.bytes(name.as_bytes());
        self.bytes(format!("{dtype:?} {shape:?}").as_bytes());
        self.bytes(data);
    }

    /// With the length, so that `ab`, `c` differs from `a`, `bc`.
    fn bytes(&mut self, bytes: &[u8]) {
        self.0.update(&(bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
    }
}

fn little_endian(values: &ArrayValues) -> (Dtype, Vec<u8>) {
    match values {
        ArrayValues::F32(v) => (Dtype::F32, v.iter().flat_map(|x| x.to_le_bytes()).collect()),
        ArrayValues::F64(v) => (Dtype::F64, v.iter().flat_map(|x| x.to_le_bytes()).collect()),
        ArrayValues::U64(v) => (Dtype::U64, v.iter().flat_map(|x| x.to_le_bytes()).collect()),
        ArrayValues::U8(v) => (Dtype::U8, v.clone()),
    }
}

fn from_little_endian(dtype: Dtype, data: &[u8]) -> Option<ArrayValues> {
    fn words<const N: usize, T>(data: &[u8], read: fn([u8; N]) -> T) -> Vec<T> {
        data.as_chunks::<N>().0.iter().copied().map(read).collect()
    }
    Some(match dtype {
        Dtype::F32 => ArrayValues::F32(words(data, f32::from_le_bytes)),
        Dtype::F64 => ArrayValues::F64(words(data, f64::from_le_bytes)),
        Dtype::U64 => ArrayValues::U64(words(data, u64::from_le_bytes)),
        Dtype::U8 => ArrayValues::U8(data.to_vec()),
        _ => return None,
    })
}
