//! The tensors of a file: their names and shapes first, their numbers one at a time when somebody wants them. What is
//! asked of the memory follows what the file holds, not what it claims.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use burn::store::pytorch_reader::{DType as TorchType, PytorchReader, Tensor as TorchTensor};
use burn::tensor::{DType, TensorData};
use safetensors::tensor::{Dtype, Metadata};

use super::pytorch;

/// Bytes of a safetensors header: some 40 000 tensors, a hundred times those of the largest network here.
const MOST_HEADER: u64 = 4 << 20;

/// A tensor in a file.
#[derive(Debug)]
pub struct Stored {
    pub shape: Vec<usize>,
    dtype: DType,
    place: Place,
}

/// Where the numbers are.
#[derive(Debug)]
enum Place {
    /// So many bytes from the beginning of a safetensors file.
    At(u64),
    Torch(TorchTensor),
}

/// What a file holds.
pub struct Contents {
    pub tensors: BTreeMap<String, Stored>,
    /// The texts of a safetensors header.
    pub texts: BTreeMap<String, String>,
}

impl Stored {
    /// Bytes of the numbers; `None`: more than can be counted.
    pub fn bytes(&self) -> Option<u64> {
        self.shape.iter().try_fold(self.dtype.size() as u64, |bytes, &side| bytes.checked_mul(side as u64))
    }

    /// Reads the numbers; `file`: the one that this tensor is of.
    pub fn numbers(&self, file: &File) -> Result<Vec<f32>, String> {
        let bytes = match &self.place {
            Place::Torch(tensor) => tensor.read().map_err(|error| error.to_string())?,
            Place::At(start) => {
                let mut bytes = vec![0; self.bytes().unwrap_or(u64::MAX) as usize];
                let mut file = file;
                let read = file.seek(SeekFrom::Start(*start)).and_then(|_| file.read_exact(&mut bytes));
                read.map_err(|error| format!("has changed while it was read ({error})"))?;
                bytes
            }
        };
        Ok(TensorData::from_bytes_vec(bytes, self.shape.clone(), self.dtype).iter::<f32>().collect())
    }
}

/// Reads names and shapes: of safetensors, or of a state dict, checkpoint or whole model of PyTorch. The content decides,
/// not the name.
pub fn contents(path: &Path, mut file: &File, length: u64) -> Result<Contents, String> {
    let mut start = Vec::new();
    let read = file.take(9).read_to_end(&mut start);
    read.map_err(|error| format!("cannot be read ({error})"))?;
    if start.starts_with(b"PK") || start.starts_with(&[0x80]) && start.get(8) != Some(&b'{') {
        pytorch::check(file, length).map_err(|problem| format!("not a PyTorch file that can be read: {problem}"))?;
        return of_torch(path);
    }
    if start.starts_with(b"version ") {
        return Err("a pointer of Git LFS in the place of the file: fetch the file itself (`git lfs pull`)".to_owned());
    }
    if start.first() == Some(&b'<') {
        return Err("a page of HTML or XML in the place of the file: download the file itself".to_owned());
    }
    let damaged = |why: String| format!("neither safetensors nor a PyTorch file, or damaged or cut short ({why})");
    let header = match start.first_chunk::<8>() {
        Some(header) => u64::from_le_bytes(*header),
        None => return Err(damaged(format!("it has {length} bytes"))),
    };
    if header > length.saturating_sub(8) {
        return Err(damaged("its header is longer than the file".to_owned()));
    }
    if header > MOST_HEADER {
        return Err(format!("has a header of {} MiB; at most {} MiB are read", header >> 20, MOST_HEADER >> 20));
    }
    let mut json = vec![0; header as usize];
    let read = file.seek(SeekFrom::Start(8)).and_then(|_| file.read_exact(&mut json));
    read.map_err(|error| damaged(error.to_string()))?;
    let metadata: Metadata = serde_json::from_slice(&json).map_err(|error| damaged(error.to_string()))?;
    let data = 8 + header;
    if data + metadata.data_len() as u64 != length {
        return Err(damaged(format!("its header speaks of {} bytes of numbers", metadata.data_len())));
    }
    let mut tensors = BTreeMap::new();
    for (name, info) in metadata.tensors() {
        let dtype = match info.dtype {
            Dtype::F64 => DType::F64,
            Dtype::F32 => DType::F32,
            Dtype::F16 => DType::F16,
            Dtype::BF16 => DType::BF16,
            _ if name.ends_with("num_batches_tracked") => continue,
            other => {
                let name = super::shown(&name);
                return Err(format!("tensor `{name}` has the type {other:?}, which is no type of weights"));
            }
        };
        let place = Place::At(data + info.data_offsets.0 as u64);
        tensors.insert(name, Stored { shape: info.shape.clone(), dtype, place });
    }
    let texts = metadata.metadata().clone().unwrap_or_default().into_iter().collect();
    Ok(Contents { tensors, texts })
}

fn of_torch(path: &Path) -> Result<Contents, String> {
    let reader = PytorchReader::new(path).map_err(|error| format!("not a PyTorch file that can be read ({error})"))?;
    let mut tensors = BTreeMap::new();
    for (name, tensor) in reader.into_tensors() {
        let dtype = match tensor.dtype() {
            TorchType::F64 => DType::F64,
            TorchType::F32 => DType::F32,
            TorchType::F16 => DType::F16,
            TorchType::BF16 => DType::BF16,
            // Counters and the like; a weight among them will be missing.
            _ => continue,
        };
        tensors.insert(name, Stored { shape: tensor.shape().to_vec(), dtype, place: Place::Torch(tensor) });
    }
    Ok(Contents { tensors, texts: BTreeMap::new() })
}
