//! Weights in files: safetensors out; safetensors and PyTorch files in, by name.
//!
//! Of a file from anywhere names and shapes are read first; numbers only of tensors that are wanted, and no more of them than the
//! file has bytes for.

pub mod fit;
mod pytorch;
mod stored;

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use safetensors::tensor::{Dtype, TensorView};
use thiserror::Error;

use crate::disk;
pub use stored::Stored;

/// A file that was not written or not read.
#[derive(Debug, Error)]
pub enum FileError {
    #[error("cannot {action} {}: {source}", path.display())]
    Io { action: &'static str, path: PathBuf, source: std::io::Error },
    #[error("{}: {problem}", path.display())]
    Format { path: PathBuf, problem: String },
    #[error("{}: tensor `{tensor}` {problem}", path.display())]
    Values { path: PathBuf, tensor: String, problem: String },
    #[error("the weights cannot be packed as safetensors: {0}")]
    Pack(String),
}

/// What does not fit, by name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mismatch {
    /// Tensors that the network needs.
    pub missing: Vec<String>,
    /// Tensors that the network has no place for.
    pub unexpected: Vec<String>,
    /// Name, the network's shape, the file's shape.
    pub shapes: Vec<(String, Vec<usize>, Vec<usize>)>,
}

impl Mismatch {
    /// Everything fits.
    pub fn is_empty(&self) -> bool {
        self.missing.is_empty() && self.unexpected.is_empty() && self.shapes.is_empty()
    }
}

impl std::fmt::Display for Mismatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut parts = Vec::new();
        let mut names = |what: &str, names: Vec<String>| {
            if !names.is_empty() {
                parts.push(format!("{} {what}: {}", names.len(), first_names(&names)));
            }
        };
        names("missing", self.missing.clone());
        names("unexpected", self.unexpected.clone());
        let shapes = self.shapes.iter().map(|(name, ours, file)| format!("{name} is {file:?}, not {ours:?}")).collect();
        names("of another shape", shapes);
        f.write_str(&parts.join("; "))
    }
}

/// The first names of a list, and how many more there are.
pub fn first_names(names: &[String]) -> String {
    const SHOWN: usize = 4;
    let first: Vec<String> = names.iter().take(SHOWN).map(|name| shown(name)).collect();
    let more = match names.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    first.join(", ") + &more
}

/// A name out of a file for a message: not too long, and without what would steer a terminal.
pub fn shown(name: &str) -> String {
    const LONGEST: usize = 80;
    let mut text: String = name.chars().take(LONGEST).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if name.chars().nth(LONGEST).is_some() {
        text.push('…');
    }
    text
}

/// Why these numbers cannot be a network's tensor of that name: its outputs would be no numbers. `None`: they can.
pub fn unusable(name: &str, numbers: &[f32]) -> Option<String> {
    const WHAT: &str = "the training that made them has run away; take weights from before that";
    let bad = numbers.iter().filter(|number| !number.is_finite()).count();
    if bad > 0 {
        let few = if bad == 1 { "is no number" } else { "are no numbers" };
        return Some(format!("is damaged: {bad} of its {} values {few} (NaN or infinity): {WHAT}", numbers.len()));
    }
    let below = numbers.iter().filter(|number| **number < 0.0).count();
    (name.ends_with("running_var") && below > 0).then(|| {
        let are = if below == 1 { "is" } else { "are" };
        format!("is damaged: {below} of its {} variances {are} below 0: {WHAT}", numbers.len())
    })
}

/// A tensor to be written.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    pub name: String,
    pub shape: Vec<usize>,
    /// Row-major.
    pub numbers: Vec<f32>,
}

/// A safetensors file of these tensors: the same bytes for the same numbers. `texts`: what stands beside them in its header.
pub fn packed(tensors: &[Written], texts: HashMap<String, String>) -> Result<Vec<u8>, FileError> {
    let bytes: Vec<Vec<u8>> =
        tensors.iter().map(|tensor| tensor.numbers.iter().flat_map(|value| value.to_le_bytes()).collect()).collect();
    let pack = |error: safetensors::SafeTensorError| FileError::Pack(error.to_string());
    let views = tensors
        .iter()
        .zip(&bytes)
        .map(|(tensor, bytes)| Ok((&tensor.name, TensorView::new(Dtype::F32, tensor.shape.clone(), bytes)?)))
        .collect::<Result<Vec<_>, safetensors::SafeTensorError>>()
        .map_err(pack)?;
    let mut texts = texts;
    texts.insert("format".to_owned(), "pt".to_owned());
    let file = safetensors::serialize(views, Some(texts)).map_err(pack)?;
    in_order(&file).ok_or_else(|| FileError::Pack("its header cannot be read back".to_owned()))
}

/// The same file with the entries of its header in order: the library writes the metadata as a hash map happens to hold
/// them.
fn in_order(file: &[u8]) -> Option<Vec<u8>> {
    let (length, rest) = file.split_first_chunk()?;
    let (header, numbers) = rest.split_at_checked(u64::from_le_bytes(*length) as usize)?;
    let header: BTreeMap<String, BTreeMap<String, serde_json::Value>> = serde_json::from_slice(header).ok()?;
    let mut header = serde_json::to_vec(&header).ok()?;
    // The numbers start at a multiple of eight bytes.
    header.resize(header.len().next_multiple_of(8), b' ');
    Some([&(header.len() as u64).to_le_bytes()[..], &header, numbers].concat())
}

/// CRC-32 of a file's bytes, by which a run says what it started from.
pub fn checksum(path: &Path) -> Result<u32, FileError> {
    let io = |source| FileError::Io { action: "read", path: path.to_owned(), source };
    let mut file = BufReader::with_capacity(1 << 18, disk::open(path).map_err(io)?);
    let mut hasher = crc32fast::Hasher::new();
    loop {
        let bytes = file.fill_buf().map_err(io)?;
        if bytes.is_empty() {
            return Ok(hasher.finalize());
        }
        hasher.update(bytes);
        let read = bytes.len();
        file.consume(read);
    }
}

/// A file's tensors, not yet matched with a network and not yet read.
#[derive(Debug)]
pub struct Opened {
    pub path: PathBuf,
    pub tensors: BTreeMap<String, Stored>,
    /// The texts of a safetensors header.
    pub texts: BTreeMap<String, String>,
    file: File,
    /// Bytes of the file.
    length: u64,
}

impl Opened {
    /// Reads names and shapes of safetensors, or of a state dict, checkpoint or whole model of PyTorch: the content
    /// decides, not the name.
    pub fn open(path: &Path) -> Result<Self, FileError> {
        let io = |source| FileError::Io { action: "read", path: path.to_owned(), source };
        let file = disk::open(path).map_err(io)?;
        let length = file.metadata().map_err(io)?.len();
        let contents = stored::contents(path, &file, length)
            .map_err(|problem| FileError::Format { path: path.to_owned(), problem })?;
        Ok(Self { path: path.to_owned(), tensors: contents.tensors, texts: contents.texts, file, length })
    }

    /// The numbers of these tensors of the file, in this order.
    ///
    /// # Errors
    /// Also where a value is not a finite number: see [`unusable`].
    pub fn numbers(&self, tensors: &[&Stored]) -> Result<Vec<Vec<f32>>, FileError> {
        let format = |problem: String| FileError::Format { path: self.path.clone(), problem };
        let claimed = tensors.iter().try_fold(0_u64, |sum, tensor| sum.checked_add(tensor.bytes()?));
        if claimed.is_none_or(|claimed| claimed > self.length) {
            return Err(format(format!(
                "its tensors claim more numbers than its {} bytes can hold: they repeat a few (`expand`); save them \
                 with .contiguous()",
                self.length
            )));
        }
        let numbers: Vec<Vec<f32>> =
            tensors.iter().map(|tensor| tensor.numbers(&self.file)).collect::<Result<_, _>>().map_err(format)?;
        for (tensor, numbers) in tensors.iter().zip(&numbers) {
            let name = self.name_of(tensor);
            if let Some(problem) = unusable(name, numbers) {
                return Err(FileError::Values { path: self.path.clone(), tensor: shown(name), problem });
            }
        }
        Ok(numbers)
    }

    /// The first names, for a message.
    pub fn first(&self) -> String {
        first_names(&self.tensors.keys().cloned().collect::<Vec<_>>())
    }

    /// What the file calls one of its tensors.
    fn name_of(&self, tensor: &Stored) -> &str {
        self.tensors.iter().find(|(_, other)| std::ptr::eq(*other, tensor)).map_or("", |(name, _)| name)
    }
}
