//! How good the features are: kNN, linear probe and a projection of test pictures, none of which train the network.

use std::sync::Arc;

use burn::tensor::{Device, Tensor, TensorData};

use crate::compute::readback::{ReadError, Reader};
use crate::compute::streams;
use crate::data::augment::recipes::Recipe;
use crate::data::images::{ImageData, ImageSet};
use crate::engine::emit::Emit;
use crate::engine::event::{Level, Payload};
use crate::engine::experiment::RunError;
use crate::metrics::collapse::{Accuracy, normalised_std};
use crate::metrics::knn::{KnnProtocol, Labelled, ProbeError, knn_accuracy};
use crate::metrics::linear_probe::{ProbeProtocol, linear_probe};
use crate::metrics::projection::Projection;

use super::network::{Branch, Shape};
use super::representation::{self, rows};

/// Pictures in one forward pass, and their numbers at most: those of 250 pictures of 128×128 in colour.
const PART: usize = 250;
const PART_NUMBERS: usize = PART * 3 * 128 * 128;
/// Points of the projection.
const SHOWN: usize = 1000;

/// Fixed pictures without augmentation.
#[derive(Debug)]
pub struct Judge {
    data: Arc<ImageData>,
    recipe: Recipe,
    train: Measured,
    test: Measured,
    classes: usize,
    shape: Shape,
    knn: KnnProtocol,
    probe: ProbeProtocol,
}

/// What the network makes of them, read from the device.
#[derive(Debug, Default)]
pub struct Outputs {
    /// Features `[n, f]` of training pictures.
    train: Vec<f32>,
    /// Features `[n, f]` of test pictures.
    test: Vec<f32>,
    /// Embeddings `[n, d]` of test pictures.
    embeddings: Vec<f32>,
}

/// Indices of pictures and their classes. They go to the device part by part: all at once large ones may need more than it has.
#[derive(Debug)]
struct Measured {
    indices: Vec<usize>,
    labels: Vec<usize>,
}

impl Judge {
    /// At most `train` and `test` pictures, chosen by `seed`.
    pub fn new(data: &Arc<ImageData>, recipe: Recipe, shape: Shape, (train, test): (usize, usize), seed: u64) -> Self {
        let measured = |set: &ImageSet, count: usize, stream: u64| {
            let mut indices: Vec<usize> = (0..set.len()).collect();
            streams::MEASURED.open(seed, stream).shuffle(&mut indices);
            indices.truncate(count);
            let labels = indices.iter().map(|&i| set.classes[i] as usize).collect();
            Measured { indices, labels }
        };
        let train = measured(&data.train, train, 0);
        let knn = if train.labels.len() >= 20_000 { KnnProtocol::CIFAR } else { KnnProtocol::SMALL };
        Self {
            train,
            test: measured(&data.test, test, 1),
            classes: data.train.class_names.len(),
            shape,
            knn,
            probe: ProbeProtocol::RIDGE,
            data: data.clone(),
            recipe,
        }
    }

    /// Both protocols in words.
    pub fn protocol(&self) -> String {
        format!(
            "{}\n{}\nfitted on {} training pictures, judged on {} test pictures, none augmented; features are the \
             encoder's {} outputs in evaluation mode",
            self.knn.describe(),
            self.probe.describe(),
            self.train.labels.len(),
            self.test.labels.len(),
            self.shape.features()
        )
    }

    /// Runs the network over the pictures.
    pub fn look(&self, branch: &Branch, device: &Device, out: &mut Emit<'_>) -> Result<Outputs, RunError> {
        let all = self.train.labels.len() + self.test.labels.len();
        let mut outputs = Outputs::default();
        let mut done = 0;
        let both = [(&self.test, &self.data.test, true), (&self.train, &self.data.train, false)];
        let parts = both.into_iter().flat_map(|(measured, set, is_test)| {
            measured.indices.chunks(part_of(set)).map(move |part| (part, set, is_test))
        });
        for (part, set, is_test) in parts {
            // Before the first step a deep network may take minutes here, and may be stopped.
            out.progress(done, all)?;
            done += part.len();
            let mut reader = Reader::default();
            let h = branch.encoder.infer(upload(set, part, self.recipe, device));
            if is_test {
                reader.add(branch.projector.infer(h.clone()));
            }
            reader.add(h);
            let mut read = reader.read()?;
            let features = read.pop().unwrap_or_default();
            if is_test { &mut outputs.test } else { &mut outputs.train }.extend(features);
            read.into_iter().for_each(|z| outputs.embeddings.extend(z));
        }
        Ok(outputs)
    }

    /// Emits kNN, probe, projection, and what the test pictures' features and embeddings are like without labels; returns what the
    /// features are worth. `projection`: that of the look before.
    pub fn judge(&self, of: &Outputs, projection: &mut Projection, out: &mut Emit<'_>) -> Result<Accuracy, RunError> {
        let (d, classes) = (self.shape.features(), self.classes);
        let fitted = Labelled { features: &of.train, labels: &self.train.labels, d, classes };
        let judged = Labelled { features: &of.test, labels: &self.test.labels, d, classes };
        let knn = knn_accuracy(&fitted, &judged, &self.knn).map_err(failed)?;
        let probe = linear_probe(&fitted, &judged, &self.probe, 0).map_err(failed)?;
        out.scalar("knn", knn);
        out.scalar("probe", probe);

        let embeddings = rows(self.shape.embedding(), &of.embeddings);
        out.scalar("normalised_std/test", normalised_std(&embeddings));
        representation::emit_test(&rows(d, &of.test), &embeddings, out);
        if out.wants("embedding") {
            self.project(&of.test, projection, out);
        }
        Ok(Accuracy { knn, probe })
    }

    /// The two widest directions of the test pictures' features.
    fn project(&self, features: &[f32], projection: &mut Projection, out: &mut Emit<'_>) {
        let d = self.shape.features();
        let shown = (features.len() / d).min(SHOWN);
        // Features that are not finite were reported by the probe.
        let Some(xy) = projection.look(&features[..shown * d], d) else { return };
        let classes = self.test.labels[..shown].iter().map(|&label| label as u32).collect();
        out.payload("embedding", Payload::Points { xy, classes });
    }

    /// The published linear evaluation at the end of a run: features of all pictures, each picture passed once.
    pub fn evaluate(
        &self,
        branch: &Branch,
        protocol: &ProbeProtocol,
        device: &Device,
        out: &mut Emit<'_>,
    ) -> Result<(), RunError> {
        let encoded = |set: &ImageSet| -> Result<(Vec<f32>, Vec<usize>), RunError> {
            let all: Vec<usize> = (0..set.len()).collect();
            let features = encode(set, &all, self.recipe, branch, false, device, |_| true)?.unwrap_or_default();
            Ok((features, set.classes.iter().map(|&class| class as usize).collect()))
        };
        let (train, train_labels) = encoded(&self.data.train)?;
        let (test, test_labels) = encoded(&self.data.test)?;
        let (d, classes) = (self.shape.features(), self.classes);
        let fitted = Labelled { features: &train, labels: &train_labels, d, classes };
        let judged = Labelled { features: &test, labels: &test_labels, d, classes };
        out.scalar("evaluation", linear_probe(&fitted, &judged, protocol, 0).map_err(failed)?);
        out.notice(Level::Info, format!("the evaluation at the end is a {}", protocol.describe()));
        Ok(())
    }
}

/// Features `[n, f]` of these pictures without augmentation, in evaluation mode; `embeddings`: the projector's outputs `[n, d]`
/// instead. `told` hears how many are done; its `false` stops, which gives `None`.
pub fn encode(
    set: &ImageSet,
    indices: &[usize],
    recipe: Recipe,
    branch: &Branch,
    embeddings: bool,
    device: &Device,
    told: impl Fn(usize) -> bool,
) -> Result<Option<Vec<f32>>, ReadError> {
    let mut values = Vec::new();
    let size = part_of(set);
    for (number, part) in indices.chunks(size).enumerate() {
        if !told(number * size) {
            return Ok(None);
        }
        let features = branch.encoder.infer(upload(set, part, recipe, device));
        let mut reader = Reader::default();
        reader.add(if embeddings { branch.projector.infer(features) } else { features });
        values.extend(reader.read()?.concat());
    }
    Ok(told(indices.len()).then_some(values))
}

/// Pictures of this set in one forward pass.
fn part_of(set: &ImageSet) -> usize {
    (PART_NUMBERS / set.image_bytes().max(1)).clamp(1, PART)
}

/// Pictures without augmentation, `[N, C, H, W]`.
fn upload(set: &ImageSet, indices: &[usize], recipe: Recipe, device: &Device) -> Tensor<4> {
    let numbers = set.image_bytes();
    let mut values = vec![0.0; indices.len() * numbers];
    for (out, &i) in values.chunks_exact_mut(numbers).zip(indices) {
        recipe.normalise(set.image(i), set.channels, out);
    }
    let shape = [indices.len(), set.channels, set.height, set.width];
    Tensor::from_data(TensorData::new(values, shape), device)
}

fn failed(error: ProbeError) -> RunError {
    RunError::Diverged(format!("the features cannot be judged: {error}; lower the learning rates and start again"))
}
