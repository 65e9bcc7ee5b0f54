//! What of a recorded run's networks can be saved as files: their weights, and what they make of the pictures.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::predict::PredictError;
use crate::compute::device::DeviceChoice;
use crate::engine::checkpoint_file;
use crate::engine::export::Sheet;
use crate::engine::npy::{self, Numbers};
use crate::watch::Watch;

/// Weights ready to be written.
#[derive(Debug)]
pub struct PackedWeights {
    /// A whole safetensors file.
    pub file: Vec<u8>,
    /// What they are, one statement a line.
    pub lines: Vec<String>,
    /// Steps after which the run had them; `None`: they are not a run's.
    pub step: Option<u64>,
}

/// The weights of a recorded run, or of one of its checkpoints, as one file. It may take long: never call it on a thread that draws.
pub type WeightsFn = fn(&Path) -> Result<PackedWeights, PredictError>;

/// How a lab gives its weights.
#[derive(Debug, Clone, Copy)]
pub struct WeightsSpec {
    pub packed: WeightsFn,
    /// With the target network beside; `None`: the lab has none.
    pub with_target: Option<WeightsFn>,
}

/// Which pictures of a run's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Train,
    Test,
}

impl Part {
    /// `train`, `test`.
    pub fn name(self) -> &'static str {
        match self {
            Part::Train => "train",
            Part::Test => "test",
        }
    }
}

/// Which features are asked for.
#[derive(Debug, Clone)]
pub struct FeaturesRequest {
    /// Folder of a recorded run, or a checkpoint of one.
    pub run: PathBuf,
    pub part: Part,
    /// The projector's outputs z instead of the encoder's h.
    pub embeddings: bool,
    /// Another folder of pictures than the run's.
    pub data: Option<PathBuf>,
    pub device: DeviceChoice,
}

/// What a network makes of pictures.
#[derive(Debug)]
pub struct Features {
    /// `[n, f]`, a picture a row, in the order of the data set.
    pub values: Vec<f32>,
    /// n
    pub labels: Vec<u32>,
    pub class_names: Vec<String>,
    /// What they are, one statement a line.
    pub lines: Vec<String>,
    /// Steps after which the run had the weights.
    pub step: u64,
}

/// Reads the pictures and passes each through the network once, without augmentation and in evaluation mode. `Ok(None)`: it was
/// stopped. Opens the device, and drops every tensor before it returns.
pub type FeaturesFn = fn(&FeaturesRequest, Watch<'_>) -> Result<Option<Features>, PredictError>;

impl Features {
    /// f
    pub fn columns(&self) -> usize {
        self.values.len() / self.labels.len().max(1)
    }

    /// An NPY file of `[n, f]` numbers, and one of the n labels.
    pub fn npy(&self) -> [Vec<u8>; 2] {
        let labels: Vec<i64> = self.labels.iter().map(|&label| i64::from(label)).collect();
        let (n, f) = (self.labels.len(), self.columns());
        [npy::packed(&[n, f], Numbers::F32(&self.values)), npy::packed(&[n], Numbers::I64(&labels))]
    }

    /// A CSV file: picture, label, class, and the numbers, with as many digits as give the same bits back.
    pub fn csv(&self) -> Result<Vec<u8>, String> {
        let f = self.columns();
        let names = (0..f).map(|j| format!("feature_{j}"));
        let columns = ["picture", "label", "class"].map(str::to_owned).into_iter().chain(names);
        let row = |(i, (label, values)): (usize, (&u32, &[f32]))| {
            let class = self.class_names.get(*label as usize).map_or("", String::as_str);
            // f32 as text is shorter than its f64.
            let numbers = values.iter().map(|value| json!(value.to_string()));
            [json!(i), json!(label), json!(class)].into_iter().chain(numbers).collect()
        };
        let rows = self.labels.iter().zip(self.values.chunks(f.max(1))).enumerate().map(row).collect();
        Sheet { columns: columns.collect(), rows }.csv(&json!({}))
    }
}

/// The file of labels beside an NPY file of features: `h.labels.npy` beside `h.npy`.
pub fn labels_file(features: &Path) -> PathBuf {
    features.with_extension("labels.npy")
}

/// The checkpoint of a run after so many steps; the error names those that there are.
pub fn checkpoint_at(run: &Path, step: u64) -> Result<PathBuf, PredictError> {
    let all = checkpoint_file::list(run);
    if let Some((_, path)) = all.iter().find(|(at, _)| *at == step) {
        return Ok(path.clone());
    }
    let steps: Vec<String> = all.iter().map(|(at, _)| at.to_string()).collect();
    Err(PredictError::Input(match &steps[..] {
        [] => format!("the run `{}` has no checkpoint yet", run.display()),
        _ => format!(
            "the run `{}` has no checkpoint of step {step}; it has those of {}",
            run.display(),
            steps.join(", ")
        ),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_keep_their_bits_in_both_files() {
        let values = vec![0.1_f32, -1.0e-20, f32::MAX, 3.0];
        let names = vec!["cat".to_owned(), "dog, large".to_owned()];
        let features =
            Features { values: values.clone(), labels: vec![1, 0], class_names: names, lines: Vec::new(), step: 7 };
        let text = String::from_utf8(features.csv().unwrap()).unwrap();
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        assert_eq!(reader.headers().unwrap(), vec!["picture", "label", "class", "feature_0", "feature_1"]);
        let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        assert_eq!((&rows[0][1], &rows[0][2], &rows[1][2]), ("1", "dog, large", "cat"));
        let read: Vec<f32> = rows.iter().flat_map(|row| [&row[3], &row[4]].map(|v| v.parse().unwrap())).collect();
        assert_eq!(read, values);
        let [numbers, labels] = features.npy();
        assert_eq!(numbers[numbers.len() - 16..], values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>());
        assert_eq!(labels[labels.len() - 16..], [1_i64, 0].map(i64::to_le_bytes).concat());
        assert_eq!(labels_file(Path::new("a/h.npy")), Path::new("a/h.labels.npy"));
    }
}
