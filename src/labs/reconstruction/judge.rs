//! What a network makes of pictures that it does not learn from: probabilities, grades, codes, reconstructions.

use burn::tensor::{Device, Tensor, TensorData, activation};

use crate::compute::readback::Reader;
use crate::engine::experiment::RunError;
use crate::metrics::detection::{Counts, GradeTable, auc, calibration};
use crate::metrics::quality::{mean_squared_error, psnr, ssim_map};
use crate::nn::layers::conv::Pass;
use crate::nn::reconstruction::{Autoencoder, pooled};
use crate::pixels::mask::Mask;
use crate::pixels::mask::components::{Connectivity, Keep, PostProcess};
use crate::pixels::resize::Size;

use super::source::FundusData;

/// Pictures in one pass.
const AT_ONCE: usize = 50;
/// The largest mean |error| of red, green and blue on colour bars, of 1.
pub const MOST_ERROR: f32 = 0.3;
/// Brighter than this is within the field of view.
pub const DARK: u8 = 12;

/// What a network says of some pictures, in their order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Judged {
    /// Of retinopathy.
    pub probabilities: Vec<f64>,
    /// Most probable grade, where the network tells grades.
    pub grades: Option<Vec<usize>>,
    /// Pooled codes `[N, C]`.
    pub codes: Vec<f32>,
    /// Mean squared error of each reconstruction over all numbers; empty where nothing was rebuilt.
    pub errors: Vec<f64>,
}

impl Judged {
    /// Whether all are numbers.
    pub fn is_finite(&self) -> bool {
        self.probabilities.iter().chain(&self.errors).all(|value| value.is_finite())
    }
}

/// Runs a network over pictures without change; rebuilds them too where `rebuild` is set and there is a decoder.
pub fn judge(
    net: &Autoencoder,
    data: &FundusData,
    indices: &[usize],
    rebuild: bool,
    device: &Device,
) -> Result<Judged, RunError> {
    judge_each(net, data, indices, rebuild, device, None)
}

/// Is shown a reconstruction with its place among the pictures.
pub type Each<'a> = &'a mut dyn FnMut(usize, &[f32]);

/// The same; `each` is shown every reconstruction `[3, S, S]`, cut to [0, 1], with its place in `indices`.
pub fn judge_each(
    net: &Autoencoder,
    data: &FundusData,
    indices: &[usize],
    rebuild: bool,
    device: &Device,
    mut each: Option<Each<'_>>,
) -> Result<Judged, RunError> {
    let mut all = Judged::default();
    // Copies of handles, not of numbers.
    let mut net = net.clone();
    let mut pass = Pass { train: false, dropout: None };
    for part in indices.chunks(AT_ONCE) {
        let x = upload(data, part, device);
        let code = net.encode(x.clone(), &pass);
        let mut reader = Reader::default();
        reader.add(pooled(code.clone()));
        let answer = net.classify(code.clone(), &mut pass);
        reader.add(activation::sigmoid(answer.logit));
        let with_grades = answer.grades.is_some();
        if let Some(logits) = answer.grades {
            reader.add(logits);
        }
        if let Some(rebuilt) = rebuild.then(|| net.decode(code, &pass)).flatten() {
            let rebuilt = rebuilt.clamp(0.0, 1.0);
            let difference = rebuilt.clone() - x;
            let squares = (difference.clone() * difference).flatten::<2>(1, 3).mean_dim(1);
            reader.add(squares);
            if each.is_some() {
                reader.add(rebuilt);
            }
        }
        let mut read = reader.read()?.into_iter();
        let mut next = || read.next().unwrap_or_default();
        all.codes.extend(next());
        all.probabilities.extend(next().into_iter().map(f64::from));
        if with_grades {
            let logits = next();
            let grades = logits.chunks_exact(logits.len() / part.len()).map(most_probable);
            all.grades.get_or_insert_default().extend(grades);
        }
        let before = all.errors.len();
        all.errors.extend(next().into_iter().map(f64::from));
        if let Some(each) = &mut each {
            let rebuilt = next();
            rebuilt
                .chunks_exact(3 * data.size * data.size)
                .enumerate()
                .for_each(|(k, values)| each(before + k, values));
        }
    }
    Ok(all)
}

/// Of four logits the largest; of three questions "at least 1, 2, 3" how many are answered yes.
pub fn most_probable(logits: &[f32]) -> usize {
    if logits.len() == 3 {
        return logits.iter().filter(|logit| **logit >= 0.0).count();
    }
    (0..logits.len()).max_by(|a, b| logits[*a].total_cmp(&logits[*b])).unwrap_or(0)
}

/// Reconstructions `[3, S, S]` of pictures, cut to [0, 1]; `None` where there is no decoder.
pub fn rebuild(
    net: &Autoencoder,
    data: &FundusData,
    indices: &[usize],
    device: &Device,
) -> Result<Option<Vec<Vec<f32>>>, RunError> {
    let mut net = net.clone();
    let pass = Pass { train: false, dropout: None };
    let mut all = Vec::with_capacity(indices.len());
    for part in indices.chunks(AT_ONCE) {
        let code = net.encode(upload(data, part, device), &pass);
        let Some(rebuilt) = net.decode(code, &pass) else { return Ok(None) };
        let mut reader = Reader::default();
        reader.add(rebuilt.clamp(0.0, 1.0));
        let values = reader.read()?.concat();
        all.extend(values.chunks_exact(3 * data.size * data.size).map(<[f32]>::to_vec));
    }
    Ok(Some(all))
}

fn upload(data: &FundusData, indices: &[usize], device: &Device) -> Tensor<4> {
    let values: Vec<f32> = indices.iter().flat_map(|&i| data.pictures[i].values()).collect();
    Tensor::from_data(TensorData::new(values, [indices.len(), 3, data.size, data.size]), device)
}

/// The field of view of a picture `[3, S, S]`: the largest bright part without holes. The whole picture where nothing is bright.
pub fn field_of_view(planes: &[u8], size: usize) -> Mask {
    let pixels = size * size;
    let bright = Mask::from_fn(size, size, |row, column| {
        let at = row * size + column;
        (0..3).any(|channel| planes[channel * pixels + at] > DARK)
    });
    let post = PostProcess { keep: Keep::LargestArea(Connectivity::Four), fill_holes: true };
    let field = post.apply(&bright);
    if field.is_empty() { Mask::from_fn(size, size, |_, _| true) } else { field }
}

/// How near a reconstruction is to its original.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quality {
    /// Over the whole picture.
    pub mse: f64,
    /// Within the field of view, where black corners do not flatter it.
    pub mse_within: f64,
    /// Decibels, within the field of view.
    pub psnr_within: f64,
    /// Mean over channels of the structural similarity, of windows whose middle is within the field of view.
    pub ssim_within: f64,
}

/// Of an original in 256 levels and its reconstruction, `[3, S, S]` both.
pub fn quality(original: &[u8], rebuilt: &[f32], size: usize, field: &Mask) -> Quality {
    let pixels = size * size;
    let x: Vec<f64> = original.iter().map(|level| f64::from(*level) / 255.0).collect();
    let y: Vec<f64> = rebuilt.iter().map(|value| f64::from(*value)).collect();
    let within = |values: &[f64]| -> Vec<f64> {
        values.iter().enumerate().filter(|(i, _)| field.pixels()[i % pixels]).map(|(_, value)| *value).collect()
    };
    let mse_within = mean_squared_error(&within(&x), &within(&y));
    let square = Size { height: size, width: size };
    let similarity = |channel: usize| {
        let part = channel * pixels..(channel + 1) * pixels;
        ssim_map(&x[part.clone()], &y[part], square, 1.0).and_then(|map| map.mean_within(field))
    };
    let similar: Vec<f64> = (0..3).filter_map(similarity).collect();
    Quality {
        mse: mean_squared_error(&x, &y),
        mse_within,
        psnr_within: psnr(mse_within, 1.0),
        ssim_within: similar.iter().sum::<f64>() / similar.len().max(1) as f64,
    }
}

/// How well pictures are told apart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scores {
    /// At probability 0.5.
    pub counts: Counts,
    /// `None` where one class is missing.
    pub auc: Option<f64>,
    pub calibration: Option<f64>,
    /// Quadratic, of grades.
    pub kappa: Option<f64>,
}

/// Of pictures with known grades; those without are left out.
pub fn scores(judged: &Judged, data: &FundusData, indices: &[usize]) -> Scores {
    let known: Vec<usize> = (0..indices.len()).filter(|&k| data.pictures[indices[k]].grade.is_some()).collect();
    let probabilities: Vec<f64> = known.iter().map(|&k| judged.probabilities[k]).collect();
    let truth: Vec<bool> = known.iter().map(|&k| data.pictures[indices[k]].is_ill()).collect();
    let grade = |k: usize| data.pictures[indices[k]].grade.map_or(0, usize::from);
    let kappa = judged.grades.as_ref().and_then(|grades| {
        let truth: Vec<usize> = known.iter().map(|&k| grade(k)).collect();
        let given: Vec<usize> = known.iter().map(|&k| grades[k]).collect();
        GradeTable::of(&truth, &given, super::trainer::GRADES).quadratic_kappa()
    });
    Scores {
        counts: Counts::of(&probabilities, &truth, 0.5),
        auc: auc(&probabilities, &truth),
        calibration: calibration(&probabilities, &truth).map(|calibration| calibration.expected_error),
        kappa,
    }
}
