//! What is minimised: how far reconstructions `[N, C, H, W]` are from their originals, and cross-entropies of diagnoses.
//! Every loss is a `[1]` that is smaller for a better answer.

use burn::tensor::{Tensor, TensorData, activation};

/// Windows and constants of structural similarity: those of [`ssim_map`](crate::metrics::quality::ssim_map), for numbers in
/// [0, 1].
const WINDOW: usize = 11;
const SIGMA: f64 = 1.5;
const C1: f64 = 1e-4;
const C2: f64 = 9e-4;
/// Weights of the three scales of [`Reconstruction::MsSsim`], the finest first, before they are scaled to add up to 1.
const SCALES: [f64; 3] = [0.0448, 0.2856, 0.3001];
/// What keeps the root of [`Reconstruction::Charbonnier`] smooth at 0 (ε²).
const SMOOTH: f64 = 1e-6;
/// Levels of soft histograms.
const LEVELS: usize = 16;
/// Side in pixels of the patches of which soft histograms are made.
const PATCH: usize = 16;
/// Share of the squared error beside losses of histograms, which know no places.
const PIXEL_TERM: f64 = 1.0;

/// A reconstruction loss L_ae.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reconstruction {
    /// Mean over all numbers of (x − x̂)².
    Mse,
    /// Mean of |x − x̂|.
    L1,
    /// Mean of √((x − x̂)² + ε²) − ε, ε 0.001: L1 without its kink.
    Charbonnier,
    /// 1 − mean structural similarity (Wang et al., 2004).
    Ssim,
    /// 1 − structural similarity over three scales (Wang et al., 2003).
    MsSsim,
    /// 0.84 of that and 0.16 of L1 (Zhao et al., 2015, the article's reference 18, without its Gaussian weights on L1).
    Mix,
    /// Mean of |difference of neighbours in x − that in x̂|, across and down: edges alone, plus the squared error so that colours
    /// are not free.
    Gradient,
    /// Squared error, where a picture differs much from its blurred self weighed up to ten times: small lesions and vessels.
    Detail,
    /// Kullback–Leibler divergence between soft histograms of patches, plus the squared error (the article's future work,
    /// section 6).
    Divergence,
    /// Mutual information of soft histograms of patches, negative, plus the squared error (the same).
    MutualInformation,
}

impl Reconstruction {
    /// The loss of a batch, `[1]`. Pictures of SSIM need at least 11 pixels a side, of MS-SSIM 44.
    pub fn of(self, rebuilt: Tensor<4>, original: Tensor<4>) -> Tensor<1> {
        match self {
            Self::Mse => mse(rebuilt, original),
            Self::L1 => (rebuilt - original).abs().mean(),
            Self::Charbonnier => {
                let difference = rebuilt - original;
                (difference.clone() * difference + SMOOTH).sqrt().mean() - SMOOTH.sqrt()
            }
            Self::Ssim => -ssim(rebuilt, original) + 1.0,
            Self::MsSsim => -ms_ssim(rebuilt, original) + 1.0,
            Self::Mix => {
                let l1 = (rebuilt.clone() - original.clone()).abs().mean();
                (-ms_ssim(rebuilt, original) + 1.0) * 0.84 + l1 * 0.16
            }
            Self::Gradient => mse(rebuilt.clone(), original.clone()) + slopes(rebuilt - original),
            Self::Detail => {
                let weight = detail(original.clone());
                let difference = rebuilt - original;
                (difference.clone() * difference * weight).mean()
            }
            Self::Divergence => {
                let pixels = mse(rebuilt.clone(), original.clone()) * PIXEL_TERM;
                divergence(rebuilt, original) + pixels
            }
            Self::MutualInformation => {
                let pixels = mse(rebuilt.clone(), original.clone()) * PIXEL_TERM;
                -mutual_information(rebuilt, original) + pixels
            }
        }
    }

    /// Smallest side of a picture that it can be computed of.
    pub fn least_side(self) -> usize {
        match self {
            Self::Ssim => WINDOW,
            Self::MsSsim | Self::Mix => WINDOW << (SCALES.len() - 1),
            Self::Divergence | Self::MutualInformation => PATCH,
            _ => 2,
        }
    }
}

fn mse(a: Tensor<4>, b: Tensor<4>) -> Tensor<1> {
    let difference = a - b;
    (difference.clone() * difference).mean()
}

/// Mean structural similarity, of each channel.
pub fn ssim(a: Tensor<4>, b: Tensor<4>) -> Tensor<1> {
    similarity(a, b).0.mean()
}

/// Maps `[N·C, H', W']` of structural similarity, and of contrast and structure alone.
fn similarity(a: Tensor<4>, b: Tensor<4>) -> (Tensor<3>, Tensor<3>) {
    let [pictures, channels, height, width] = a.dims();
    let planes = |x: Tensor<4>| x.reshape([pictures * channels, height, width]);
    let (a, b) = (planes(a), planes(b));
    let [rows, columns] = [height, width].map(|side| windows(side, &a));
    // Weighted means over every window within the picture.
    let weighted = |x: Tensor<3>| rows.clone().swap_dims(1, 2).matmul(x).matmul(columns.clone());
    let (ma, mb) = (weighted(a.clone()), weighted(b.clone()));
    let (maa, mbb, mab) = (ma.clone() * ma.clone(), mb.clone() * mb.clone(), ma * mb);
    let variance = weighted(a.clone() * a.clone() + b.clone() * b.clone()) - maa.clone() - mbb.clone();
    let covariance = weighted(a * b) - mab.clone();
    let structure = (covariance * 2.0 + C2) / (variance + C2);
    ((mab * 2.0 + C1) / (maa + mbb + C1) * structure.clone(), structure)
}

/// `[1, side, side − 10]`: column i holds the weights of the window that begins at i.
fn windows(side: usize, like: &Tensor<3>) -> Tensor<3> {
    let places = side + 1 - WINDOW;
    let weights: Vec<f64> =
        (0..WINDOW).map(|i| (-(i as f64 - (WINDOW / 2) as f64).powi(2) / (2.0 * SIGMA * SIGMA)).exp()).collect();
    let sum: f64 = weights.iter().sum();
    let mut values = vec![0.0_f32; side * places];
    for place in 0..places {
        for (i, weight) in weights.iter().enumerate() {
            values[(place + i) * places + place] = (weight / sum) as f32;
        }
    }
    let made = Tensor::from_data(TensorData::new(values, [1, side, places]), &like.device());
    if like.is_autodiff() { made.autodiff() } else { made }
}

/// Structural similarity over three scales; see [`ms_ssim`](crate::metrics::quality::ms_ssim).
pub fn ms_ssim(mut a: Tensor<4>, mut b: Tensor<4>) -> Tensor<1> {
    let sum: f64 = SCALES.iter().sum();
    let mut product: Option<Tensor<1>> = None;
    for (i, weight) in SCALES.iter().enumerate() {
        let (all, structure) = similarity(a.clone(), b.clone());
        let last = i + 1 == SCALES.len();
        let value = if last { all } else { structure }.mean();
        // A power of 0 has no slope.
        let value = value.clamp_min(1e-4).powf_scalar(weight / sum);
        product = Some(match product {
            Some(product) => product * value,
            None => value,
        });
        if !last {
            (a, b) = (halved(a), halved(b));
        }
    }
    product.unwrap_or_else(|| unreachable!("there are scales"))
}

/// Means of 2×2 pixels; an odd last row or column is left out.
fn halved(x: Tensor<4>) -> Tensor<4> {
    let [pictures, channels, height, width] = x.dims();
    let (high, wide) = (height / 2, width / 2);
    let x = x.slice([0..pictures, 0..channels, 0..2 * high, 0..2 * wide]);
    let x = x.reshape([pictures * channels * high, 2, wide, 2]).mean_dim(3).mean_dim(1);
    x.reshape([pictures, channels, high, wide])
}

/// Mean of the absolute differences of neighbours, across and down.
fn slopes(x: Tensor<4>) -> Tensor<1> {
    let [pictures, channels, height, width] = x.dims();
    let part = |rows: std::ops::Range<usize>, columns: std::ops::Range<usize>| {
        x.clone().slice([0..pictures, 0..channels, rows, columns])
    };
    let down = part(1..height, 0..width) - part(0..height - 1, 0..width);
    let across = part(0..height, 1..width) - part(0..height, 0..width - 1);
    down.abs().mean() + across.abs().mean()
}

/// Weights from 1 to 10 of mean 1 over each picture: how far a pixel is from the mean of those around it, `[N, C, H, W]`, without
/// gradients.
fn detail(original: Tensor<4>) -> Tensor<4> {
    let [pictures, channels, height, width] = original.dims();
    let planes = original.inner().reshape([pictures * channels, height, width]);
    let [rows, columns] = [height, width].map(|side| means(side, &planes));
    let blurred = rows.matmul(planes.clone()).matmul(columns.swap_dims(1, 2));
    let contrast = (planes - blurred).abs();
    let raw = (contrast * 60.0 + 1.0).clamp_max(10.0);
    let flat = raw.reshape([pictures, channels * height * width]);
    let mean = flat.clone().mean_dim(1);
    (flat / mean).reshape([pictures, channels, height, width]).autodiff()
}

/// `[1, side, side]`: row i holds the weights of the pixels around i, up to 4 away, as far as they are within.
fn means(side: usize, like: &Tensor<3>) -> Tensor<3> {
    const REACH: usize = 4;
    let mut values = vec![0.0_f32; side * side];
    for i in 0..side {
        let range = i.saturating_sub(REACH)..(i + REACH + 1).min(side);
        let share = 1.0 / range.len() as f32;
        range.for_each(|j| values[i * side + j] = share);
    }
    Tensor::from_data(TensorData::new(values, [1, side, side]), &like.device())
}

/// `[P, n, LEVELS]`: how much each pixel of each patch belongs to each level, linear between the two levels next to it.
fn memberships(x: Tensor<4>) -> Tensor<3> {
    let [pictures, channels, height, width] = x.dims();
    let (high, wide) = (height / PATCH, width / PATCH);
    let x = x.slice([0..pictures, 0..channels, 0..high * PATCH, 0..wide * PATCH]);
    let x = x.reshape([pictures * channels * high, PATCH, wide, PATCH]).swap_dims(1, 2);
    let x = x.reshape([pictures * channels * high * wide, PATCH * PATCH, 1]);
    let levels: Vec<f32> = (0..LEVELS).map(|level| (level as f32 + 0.5) / LEVELS as f32).collect();
    let levels = Tensor::<3>::from_data(TensorData::new(levels, [1, 1, LEVELS]), &x.device());
    let levels = if x.is_autodiff() { levels.autodiff() } else { levels };
    // Beyond the outer levels everything belongs to them.
    let x = x.clamp(0.5 / LEVELS as f64, 1.0 - 0.5 / LEVELS as f64);
    (-((x - levels).abs() * LEVELS as f64) + 1.0).clamp_min(0.0)
}

/// Mean over patches of KL(histogram of the original ‖ histogram of the reconstruction) in nats.
fn divergence(rebuilt: Tensor<4>, original: Tensor<4>) -> Tensor<1> {
    let share = |x: Tensor<4>| memberships(x).mean_dim(1) + 1e-4;
    let (p, q) = (share(original), share(rebuilt));
    let terms = p.clone() * (p.log() - q.log());
    terms.sum_dim(2).mean()
}

/// Mean over patches of the mutual information of original and reconstruction in nats.
fn mutual_information(rebuilt: Tensor<4>, original: Tensor<4>) -> Tensor<1> {
    let (a, b) = (memberships(original), memberships(rebuilt));
    let count = (PATCH * PATCH) as f64;
    let joint = a.clone().swap_dims(1, 2).matmul(b.clone()) / count;
    let apart = a.mean_dim(1).swap_dims(1, 2).matmul(b.mean_dim(1));
    let terms = joint.clone() * ((joint + 1e-6).log() - (apart + 1e-6).log());
    terms.sum_dim(2).sum_dim(1).mean()
}

/// Binary cross-entropy from logits `[N]`, the article's eq. (2) with the minus sign that it lacks:
/// `(1/n) Σ α y softplus(−z) + (1 − y) softplus(z)`. `truth`: `[N]`, 0 (healthy) to 1 (ill).
pub fn cross_entropy(logit: Tensor<1>, truth: Tensor<1>, alpha: f64) -> Tensor<1> {
    let free = activation::log_sigmoid(-logit.clone());
    let ill = activation::log_sigmoid(logit);
    -(truth.clone() * ill * alpha + (-truth + 1.0) * free).mean()
}

/// Cross-entropy of grades: logits `[N, K]`, `truth` `[N, K]` with a 1 in the right place.
pub fn softmax_cross_entropy(logits: Tensor<2>, truth: Tensor<2>) -> Tensor<1> {
    -(truth * activation::log_softmax(logits, 1)).sum_dim(1).mean()
}

/// Mean over the questions "at least 1, 2, 3" of their binary cross-entropies: logits `[N, 3]`, `truth` `[N, 3]` of 0 and 1.
pub fn ordinal_cross_entropy(logits: Tensor<2>, truth: Tensor<2>) -> Tensor<1> {
    let count: usize = logits.dims().iter().product();
    cross_entropy(logits.reshape([count]), truth.reshape([count]), 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compute::device;
    use crate::compute::readback::Reader;
    use crate::metrics::quality;
    use crate::pixels::resize::Size;

    const ALL: [Reconstruction; 10] = [
        Reconstruction::Mse,
        Reconstruction::L1,
        Reconstruction::Charbonnier,
        Reconstruction::Ssim,
        Reconstruction::MsSsim,
        Reconstruction::Mix,
        Reconstruction::Gradient,
        Reconstruction::Detail,
        Reconstruction::Divergence,
        Reconstruction::MutualInformation,
    ];
    const SIDE: usize = 48;

    fn values(shift: f32) -> Vec<f32> {
        let at = |i: usize| {
            let (row, column) = ((i / SIDE % SIDE) as f32, (i % SIDE) as f32);
            0.5 + 0.3 * (0.21 * row).sin() * (0.17 * column).cos() + 0.1 * (0.9 * row + 0.7 * column + shift).sin()
        };
        (0..3 * SIDE * SIDE).map(at).collect()
    }

    fn tensor(values: &[f32]) -> Tensor<4> {
        Tensor::from_data(TensorData::new(values.to_vec(), [1, 3, SIDE, SIDE]), &device::cpu().autodiff())
    }

    fn read(tensor: Tensor<1>) -> f64 {
        let mut reader = Reader::default();
        reader.add(tensor);
        f64::from(reader.read().unwrap()[0][0])
    }

    #[test]
    fn the_original_itself_is_the_best_reconstruction() {
        let x = values(0.0);
        for loss in ALL {
            let perfect = read(loss.of(tensor(&x), tensor(&x)));
            for other in [values(0.4), values(2.0), vec![0.5; x.len()]] {
                assert!(perfect < read(loss.of(tensor(&other), tensor(&x))), "{loss:?}");
            }
            if loss != Reconstruction::MutualInformation {
                assert!(perfect.abs() < 1e-5, "{loss:?}: {perfect}");
            }
        }
    }

    #[test]
    fn gradients_are_those_of_finite_differences() {
        let (x, y) = (values(0.0), values(0.7));
        // A direction in which no number passes a kink.
        let direction: Vec<f32> = (0..x.len()).map(|i| (i as f32 * 0.013).cos()).collect();
        for loss in ALL {
            let rebuilt = tensor(&y).require_grad();
            let gradients = loss.of(rebuilt.clone(), tensor(&x)).backward();
            let mut reader = Reader::default();
            reader.add(rebuilt.grad(&gradients).unwrap());
            let gradient = reader.read().unwrap().remove(0);
            let slope: f64 = gradient.iter().zip(&direction).map(|(g, d)| f64::from(g * d)).sum();
            let at = |step: f32| {
                let moved: Vec<f32> = y.iter().zip(&direction).map(|(y, d)| y + step * d).collect();
                read(loss.of(tensor(&moved), tensor(&x)))
            };
            let numeric = (at(2e-3) - at(-2e-3)) / 4e-3;
            assert!((slope - numeric).abs() < 0.02 * numeric.abs() + 2e-3, "{loss:?}: {slope} {numeric}");
        }
    }

    #[test]
    fn similarity_is_what_is_shown_on_screen() {
        let (x, y) = (values(0.0), values(0.9));
        let size = Size { height: SIDE, width: SIDE };
        let plane = |values: &[f32]| -> Vec<f64> { values[..size.pixels()].iter().map(|v| f64::from(*v)).collect() };
        let shown = quality::ssim_map(&plane(&x), &plane(&y), size, 1.0).unwrap().mean();
        assert!((read(ssim(tensor(&x), tensor(&y))) - shown).abs() < 1e-5);
        let shown = quality::ms_ssim(&plane(&x), &plane(&y), size, 1.0, &quality::SCALES).unwrap();
        assert!((read(ms_ssim(tensor(&x), tensor(&y))) - shown).abs() < 1e-5);
    }

    #[test]
    fn grades_cost_the_least_where_they_are_right() {
        let device = device::cpu();
        let of = |values: &[f32], columns: usize| {
            Tensor::<2>::from_data(TensorData::new(values.to_vec(), [values.len() / columns, columns]), &device)
        };
        let right = softmax_cross_entropy(of(&[0.0, 5.0, 0.0, 0.0], 4), of(&[0.0, 1.0, 0.0, 0.0], 4));
        let wrong = softmax_cross_entropy(of(&[5.0, 0.0, 0.0, 0.0], 4), of(&[0.0, 1.0, 0.0, 0.0], 4));
        assert!(read(right) < 0.05 && read(wrong) > 4.0);
        let ordinal = |logits: &[f32]| read(ordinal_cross_entropy(of(logits, 3), of(&[1.0, 1.0, 0.0], 3)));
        assert!(ordinal(&[6.0, 6.0, -6.0]) < 0.01 && ordinal(&[6.0, -6.0, -6.0]) < ordinal(&[-6.0, -6.0, -6.0]));
    }
}
