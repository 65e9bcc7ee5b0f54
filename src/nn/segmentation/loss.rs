//! Losses of segmentation, from logits `[N, 1, H, W]` and truths of 0 and 1 in the same shape.

use burn::tensor::{Tensor, activation};

/// Minus a logit whose probability is as good as 0, and whose cross-entropy is.
const BESIDE: f64 = 40.0;

/// What is minimised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SegmentationLoss {
    /// Binary cross-entropy, the mean over all pixels.
    Bce,
    /// 1 − mean over pictures of 2 Σ p t / (Σ p + Σ t), as in the article's code: without smoothing, so that a picture
    /// without lesion costs exactly 1 and teaches nothing.
    Dice,
    /// The same with 1 added above and below, for data with pictures without lesion.
    SmoothDice,
    /// Cross-entropy plus the smoothed Dice loss.
    BceDice,
    /// 0.995 of the cross-entropy and 0.005 of the total variation of the probabilities, the third loss of the article's
    /// code.
    BceVariation,
}

impl SegmentationLoss {
    /// Every loss, for menus.
    pub const ALL: [Self; 5] = [Self::Bce, Self::Dice, Self::SmoothDice, Self::BceDice, Self::BceVariation];

    /// The same where pictures fill only the part of their squares in which `inside` (`[N, 1, H, W]`) is 1 and not 0: what is
    /// beside them costs nothing and teaches nothing. Means over pixels are over those of the pictures. `None`: all of it.
    pub fn within(self, logits: Tensor<4>, truth: Tensor<4>, inside: Option<Tensor<4>>) -> Tensor<1> {
        let Some(inside) = inside else { return self.of(logits, truth) };
        // Beside the pictures the probability is next to 0, whatever the network says, and so is the truth.
        let logits = logits * inside.clone() + (inside.clone() - 1.0) * BESIDE;
        let truth = truth * inside.clone();
        let share = inside.clone().mean();
        let bce = || bce_with_logits(logits.clone(), truth.clone()) / share.clone();
        let dice = |smooth| dice(activation::sigmoid(logits.clone()), truth.clone(), smooth);
        match self {
            Self::Bce => bce(),
            Self::Dice => dice(0.0),
            Self::SmoothDice => dice(1.0),
            Self::BceDice => bce() + dice(1.0),
            Self::BceVariation => {
                let variation = total_variation(activation::sigmoid(logits.clone()), Some(inside));
                bce() * 0.995 + variation * 0.005
            }
        }
    }

    /// The loss of a batch, `[1]`.
    pub fn of(self, logits: Tensor<4>, truth: Tensor<4>) -> Tensor<1> {
        match self {
            Self::Bce => bce_with_logits(logits, truth),
            Self::Dice => dice(activation::sigmoid(logits), truth, 0.0),
            Self::SmoothDice => dice(activation::sigmoid(logits), truth, 1.0),
            Self::BceDice => {
                bce_with_logits(logits.clone(), truth.clone()) + dice(activation::sigmoid(logits), truth, 1.0)
            }
            Self::BceVariation => {
                let variation = total_variation(activation::sigmoid(logits.clone()), None);
                bce_with_logits(logits, truth) * 0.995 + variation * 0.005
            }
        }
    }
}

/// Mean of `−(t ln σ(z) + (1 − t) ln(1 − σ(z)))` over all pixels, exact for large |z|.
pub fn bce_with_logits(logits: Tensor<4>, truth: Tensor<4>) -> Tensor<1> {
    // ln(1 − σ(z)) = ln σ(z) − z.
    let free = (-truth + 1.0) * logits.clone();
    (free - activation::log_sigmoid(logits)).mean()
}

/// `1 − mean_n (2 I + s) / (P + T + s)` with I = Σ p t, P = Σ p, T = Σ t over picture n and s the smoothing.
pub fn dice(probability: Tensor<4>, truth: Tensor<4>, smooth: f64) -> Tensor<1> {
    let [pictures, ..] = probability.dims();
    let sums = |x: Tensor<4>| x.flatten::<2>(1, 3).sum_dim(1).reshape([pictures]);
    let both = sums(probability.clone() * truth.clone()) * 2.0 + smooth;
    let all = sums(probability) + sums(truth) + smooth;
    -(both / all).mean() + 1.0
}

/// Mean over pictures of the root of the summed squared differences to the pixels above and on the left; where `inside` is
/// given, of pixels at which it is 1 as at both of these.
pub fn total_variation(probability: Tensor<4>, inside: Option<Tensor<4>>) -> Tensor<1> {
    let [pictures, _, height, width] = probability.dims();
    let part = |of: &Tensor<4>, rows: [usize; 2], columns: [usize; 2]| {
        of.clone().slice([0..pictures, 0..1, rows[0]..rows[1], columns[0]..columns[1]])
    };
    let three = |of: &Tensor<4>| {
        [
            part(of, [1, height], [1, width]),
            part(of, [0, height - 1], [1, width]),
            part(of, [1, height], [0, width - 1]),
        ]
    };
    let [here, over, beside] = three(&probability);
    let (mut above, mut left) = (here.clone() - over, here - beside);
    if let Some(inside) = inside {
        let [here, over, beside] = three(&inside);
        let all = here * over * beside;
        above = above * all.clone();
        left = left * all;
    }
    let squares = above.clone() * above + left.clone() * left;
    // A flat map has the slope 0, not 0/0.
    squares.flatten::<2>(1, 3).sum_dim(1).clamp_min(1e-12).sqrt().mean()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compute::device;
    use crate::compute::readback::Reader;
    use burn::tensor::TensorData;

    fn map(values: &[f32], side: usize) -> Tensor<4> {
        let pictures = values.len() / side / side;
        Tensor::from_data(TensorData::new(values.to_vec(), [pictures, 1, side, side]), &device::cpu().autodiff())
    }

    fn read(tensor: Tensor<1>) -> f32 {
        let mut reader = Reader::default();
        reader.add(tensor);
        reader.read().unwrap()[0][0]
    }

    /// The loss and its gradient with respect to the logits.
    fn slope(loss: SegmentationLoss, logits: &[f32], truth: &[f32], side: usize) -> (f32, Vec<f32>) {
        let z = map(logits, side).require_grad();
        let value = loss.of(z.clone(), map(truth, side));
        let gradients = value.clone().backward();
        let mut reader = Reader::default();
        reader.add(z.grad(&gradients).unwrap());
        (read(value), reader.read().unwrap().remove(0))
    }

    const LOGITS: [f32; 8] = [-2.0, 0.0, 1.5, 0.3, 3.0, -0.7, 0.2, -4.0];
    const TRUTH: [f32; 8] = [0.0, 1.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0];

    #[test]
    fn gradients_are_those_of_finite_differences() {
        for loss in SegmentationLoss::ALL {
            let (_, gradient) = slope(loss, &LOGITS, &TRUTH, 2);
            for i in 0..LOGITS.len() {
                let at = |step: f32| {
                    let mut logits = LOGITS;
                    logits[i] += step;
                    f64::from(slope(loss, &logits, &TRUTH, 2).0)
                };
                let numeric = (at(0.01) - at(-0.01)) / 0.02;
                assert!((numeric - f64::from(gradient[i])).abs() < 2e-4, "{loss:?} {i}: {numeric} {}", gradient[i]);
            }
        }
    }

    #[test]
    fn what_is_beside_a_picture_costs_nothing_and_teaches_nothing() {
        // A picture of 2×2 in a square of 4: of its own the loss is the same.
        let place =
            |i: usize| (i / 4 >= 1 && i / 4 < 3 && i % 4 >= 1 && i % 4 < 3).then(|| (i / 4 - 1) * 2 + i % 4 - 1);
        let square = |small: &[f32], beside: f32| -> Vec<f32> {
            (0..16).map(|i| place(i).map_or(beside, |at| small[at])).collect()
        };
        let inside = square(&[1.0; 4], 0.0);
        for loss in SegmentationLoss::ALL {
            let (alone, slope_alone) = slope(loss, &LOGITS[..4], &TRUTH[..4], 2);
            for beside in [-3.0, 0.0, 5.0] {
                let z = map(&square(&LOGITS[..4], beside), 4).require_grad();
                let truth = map(&square(&TRUTH[..4], 0.0), 4);
                let value = loss.within(z.clone(), truth, Some(map(&inside, 4)));
                let gradients = value.clone().backward();
                let mut reader = Reader::default();
                reader.add(z.grad(&gradients).unwrap());
                let found = reader.read().unwrap().remove(0);
                assert!((read(value) - alone).abs() < 1e-5, "{loss:?} beside {beside}");
                for (i, slope) in found.iter().enumerate() {
                    let expected = place(i).map_or(0.0, |at| slope_alone[at]);
                    assert!((slope - expected).abs() < 1e-5, "{loss:?} {i}: {slope} is not {expected}");
                }
            }
        }
    }

    #[test]
    fn a_picture_without_lesion_costs_1_and_teaches_nothing_without_smoothing() {
        let (loss, gradient) = slope(SegmentationLoss::Dice, &LOGITS[..4], &[0.0; 4], 2);
        assert_eq!(loss, 1.0);
        assert_eq!(gradient, [0.0; 4]);
        let (loss, gradient) = slope(SegmentationLoss::SmoothDice, &LOGITS[..4], &[0.0; 4], 2);
        assert!(loss < 1.0 && gradient.iter().all(|slope| *slope > 0.0));
    }

    #[test]
    fn cross_entropy_of_certain_mistakes_is_exact_and_finite() {
        let (loss, gradient) = slope(SegmentationLoss::Bce, &[200.0, -200.0, 200.0, -200.0], &[0.0, 1.0, 1.0, 0.0], 2);
        assert_eq!(loss, 100.0);
        assert!(gradient.iter().all(|slope| slope.is_finite()));
    }

    #[test]
    fn a_flat_map_has_no_variation_and_no_slope() {
        let (_, gradient) = slope(SegmentationLoss::BceVariation, &[0.0; 4], &[1.0; 4], 2);
        assert!(gradient.iter().all(|slope| slope.is_finite()));
        // One step of 1 down the middle of a 2×2 map: one squared difference of the lower right pixel.
        let variation = read(total_variation(map(&[0.0, 1.0, 0.0, 1.0], 2), None));
        assert!((variation - 1.0).abs() < 1e-6, "{variation}");
    }

    #[test]
    fn sums_of_losses_are_the_sums_of_their_parts() {
        let value = |loss: SegmentationLoss| f64::from(read(loss.of(map(&LOGITS, 2), map(&TRUTH, 2))));
        let [bce, dice] = [SegmentationLoss::Bce, SegmentationLoss::SmoothDice].map(value);
        let variation = f64::from(read(total_variation(activation::sigmoid(map(&LOGITS, 2)), None)));
        assert!((value(SegmentationLoss::BceDice) - (bce + dice)).abs() < 1e-6);
        assert!((value(SegmentationLoss::BceVariation) - (0.995 * bce + 0.005 * variation)).abs() < 1e-6);
    }
}
