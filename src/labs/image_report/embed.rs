//! What a network makes of images and texts, as plain numbers.

use burn::tensor::Device;

use crate::compute::readback::Reader;
use crate::engine::experiment::RunError;
use crate::nn::image_text::local::Local;
use crate::nn::image_text::model::ImageText;
use crate::nn::layers::conv::Pass;

use super::texts::Texts;
use super::trainer::upload;

/// Images and texts of one forward pass.
const IMAGES: usize = 64;
const TEXTS: usize = 320;

/// Vectors of unit length.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Vectors {
    d: usize,
    values: Vec<f32>,
}

impl Vectors {
    /// How many they are.
    pub fn count(&self) -> usize {
        self.values.len() / self.d.max(1)
    }

    /// The `i`-th vector; empty where there is none.
    pub fn row(&self, i: usize) -> &[f32] {
        self.values.get(i * self.d..(i + 1) * self.d).unwrap_or_default()
    }

    /// All of them, row by row, and the length of a row.
    pub fn rows(&self) -> (&[f32], usize) {
        (&self.values, self.d)
    }

    /// Their mean as a vector of unit length: of no image in particular.
    pub fn mean(&self) -> Vec<f32> {
        let mut sum = vec![0.0_f64; self.d];
        for row in self.values.chunks_exact(self.d.max(1)) {
            sum.iter_mut().zip(row).for_each(|(sum, value)| *sum += f64::from(*value));
        }
        let length = sum.iter().map(|value| value * value).sum::<f64>().sqrt().max(1e-12);
        sum.iter().map(|value| (value / length) as f32).collect()
    }

    pub fn is_finite(&self) -> bool {
        self.values.iter().all(|value| value.is_finite())
    }
}

/// Cosine of two vectors of unit length.
pub fn cosine(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}

/// What the words of one report look at in one image.
#[derive(Debug, Clone, PartialEq)]
pub struct Looks {
    /// Words, regions; regions row by row of the image.
    pub shape: [usize; 2],
    /// Rows and columns of regions.
    pub grid: [usize; 2],
    /// `[W, R]`: scores.
    pub raw: Vec<f32>,
    /// `[W, R]`: attention; each row sums to 1.
    pub weights: Vec<f32>,
}

/// A network as it is applied, not trained.
#[derive(Debug, Clone, Copy)]
pub struct Embedder<'a> {
    pub net: &'a ImageText,
    pub texts: &'a Texts,
    pub device: &'a Device,
}

impl Embedder<'_> {
    /// Vectors of images `[S, S]` in [0, 1].
    pub fn images(&self, images: &[Vec<f32>], size: usize) -> Result<Vectors, RunError> {
        // A copy of handles, not of numbers.
        let mut net = self.net.clone();
        let mut found = Vectors::default();
        for chunk in images.chunks(IMAGES) {
            let seen = net.pictures(upload(chunk.concat(), size, self.device), &PASS).global;
            found.d = seen.dims()[1];
            let mut reader = Reader::default();
            reader.add(seen);
            found.values.extend(reader.read()?.concat());
        }
        Ok(found)
    }

    /// Vectors of texts, none without words.
    pub fn texts(&self, texts: &[&[String]]) -> Result<Vectors, RunError> {
        let mut found = Vectors::default();
        for chunk in texts.chunks(TEXTS) {
            let batch = self.texts.batch(chunk.iter().copied(), 0)?;
            let read = self.net.texts(&batch.tensors(self.device)).global;
            found.d = read.dims()[1];
            let mut reader = Reader::default();
            reader.add(read);
            found.values.extend(reader.read()?.concat());
        }
        Ok(found)
    }

    /// What each report looks at in its image.
    pub fn looks(
        &self,
        images: &[Vec<f32>],
        size: usize,
        reports: &[&[String]],
        local: &Local,
    ) -> Result<Vec<Looks>, RunError> {
        let mut net = self.net.clone();
        let mut found = Vec::with_capacity(reports.len());
        for (images, reports) in images.chunks(IMAGES).zip(reports.chunks(IMAGES)) {
            let seen = net.pictures(upload(images.concat(), size, self.device), &PASS);
            let batch = self.texts.batch(reports.iter().copied(), reports.len())?;
            let Some(words) = net.texts(&batch.tensors(self.device)).words else { continue };
            let [_, regions, d] = seen.regions.dims();
            let mut reader = Reader::default();
            for (i, length) in batch.words.iter().enumerate() {
                let regions = seen.regions.clone().slice_dim(0, i..i + 1).reshape([regions, d]);
                let words = words.clone().slice_dim(0, i..i + 1).slice_dim(1, 0..*length).reshape([*length, d]);
                let attention = local.attention(regions, words);
                reader.add(attention.scores);
                reader.add(attention.weights);
            }
            let mut read = reader.read()?.into_iter();
            for length in &batch.words {
                let (Some(raw), Some(weights)) = (read.next(), read.next()) else { break };
                found.push(Looks { shape: [*length, regions], grid: seen.grid, raw, weights });
            }
        }
        Ok(found)
    }
}

const PASS: Pass<'static> = Pass { train: false, dropout: None };
