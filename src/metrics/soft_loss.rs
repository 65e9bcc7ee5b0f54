//! Losses between probabilities and masks in f64 on the host, with their gradients: the reference that the training code
//! is compared with.
//!
//! p are probabilities in [0, 1], t the truth (0 or 1), N images of equal size one after the other.

use thiserror::Error;

/// What the authors' third loss gives the cross-entropy; the rest is for the variation.
pub const SMOOTH_LOSS_WEIGHT: f64 = 0.995;

/// A loss and its gradient in p.
#[derive(Debug, Clone, PartialEq)]
pub struct SoftLoss {
    pub value: f64,
    /// dL/dp, as many numbers as p.
    pub gradient: Vec<f64>,
}

/// Why a loss cannot be computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SoftLossError {
    #[error("{probabilities} probabilities and {truth} of the truth are not {images} images of one size")]
    Shape { probabilities: usize, truth: usize, images: usize },
}

/// The Dice loss 1 − mean over images of (2 Σpt + smooth) / (Σp + Σt + smooth). The authors' code has `smooth` = 0: an
/// image without lesion then costs exactly 1 and has no gradient, even where p vanishes too.
///
/// # Errors
/// Numbers that are not `images` images of one size, or none.
pub fn dice_loss(p: &[f64], t: &[f64], images: usize, smooth: f64) -> Result<SoftLoss, SoftLossError> {
    let size = check(p, t, images)?;
    let share = 1.0 / images as f64;
    let mut loss = SoftLoss { value: 1.0, gradient: Vec::with_capacity(p.len()) };
    for (p, t) in p.chunks_exact(size).zip(t.chunks_exact(size)) {
        let overlap = 2.0 * p.iter().zip(t).map(|(p, t)| p * t).sum::<f64>() + smooth;
        let total = p.iter().sum::<f64>() + t.iter().sum::<f64>() + smooth;
        if total <= 0.0 {
            loss.gradient.resize(loss.gradient.len() + size, 0.0);
            continue;
        }
        loss.value -= share * overlap / total;
        loss.gradient.extend(t.iter().map(|t| -share * (2.0 * t * total - overlap) / (total * total)));
    }
    Ok(loss)
}

/// The binary cross-entropy, mean over all pixels of −t ln p − (1 − t) ln(1 − p), with logarithms cut at −100 and the
/// gradient's p(1 − p) at 10⁻¹², as PyTorch does.
///
/// # Errors
/// As [`dice_loss`].
pub fn binary_cross_entropy(p: &[f64], t: &[f64]) -> Result<SoftLoss, SoftLossError> {
    check(p, t, 1)?;
    let share = 1.0 / p.len() as f64;
    let log = |x: f64| x.ln().max(-100.0);
    let value = p.iter().zip(t).map(|(p, t)| -t * log(*p) - (1.0 - t) * log(1.0 - p)).sum::<f64>() * share;
    let gradient = p.iter().zip(t).map(|(p, t)| share * (p - t) / (p * (1.0 - p)).max(1e-12)).collect();
    Ok(SoftLoss { value, gradient })
}

/// The authors' total variation of images `[N, height, width]`: the mean over images of √Σ(pᵧₓ − pᵧ₋₁ₓ)² + (pᵧₓ − pᵧₓ₋₁)²,
/// summed over all pixels but the first row and column. One root for a whole image, so it is the length of the gradient
/// rather than the usual variation. The gradient of a constant image is 0.
///
/// # Errors
/// As [`dice_loss`], also where `p` is not N·height·width numbers.
pub fn total_variation(p: &[f64], images: usize, height: usize, width: usize) -> Result<SoftLoss, SoftLossError> {
    let size = height * width;
    if check(p, p, images)? != size {
        return Err(SoftLossError::Shape { probabilities: p.len(), truth: size, images });
    }
    let share = 1.0 / images as f64;
    let mut loss = SoftLoss { value: 0.0, gradient: vec![0.0; p.len()] };
    for (p, gradient) in p.chunks_exact(size).zip(loss.gradient.chunks_exact_mut(size)) {
        let mut sum = 0.0;
        for row in 1..height {
            for column in 1..width {
                let at = row * width + column;
                for before in [at - width, at - 1] {
                    let difference = p[at] - p[before];
                    sum += difference * difference;
                    gradient[at] += difference;
                    gradient[before] -= difference;
                }
            }
        }
        let length = sum.sqrt();
        loss.value += share * length;
        // The difference's factor 2 and the root's 1/2 cancel.
        let scale = if length > 0.0 { share / length } else { 0.0 };
        gradient.iter_mut().for_each(|g| *g *= scale);
    }
    Ok(loss)
}

/// The authors' third loss: 0.995 cross-entropy + 0.005 [`total_variation`].
///
/// # Errors
/// As [`total_variation`].
pub fn smooth_loss(
    p: &[f64],
    t: &[f64],
    images: usize,
    height: usize,
    width: usize,
) -> Result<SoftLoss, SoftLossError> {
    let entropy = binary_cross_entropy(p, t)?;
    let variation = total_variation(p, images, height, width)?;
    let blend = |a: f64, b: f64| SMOOTH_LOSS_WEIGHT * a + (1.0 - SMOOTH_LOSS_WEIGHT) * b;
    let gradient = entropy.gradient.iter().zip(&variation.gradient).map(|(a, b)| blend(*a, *b)).collect();
    Ok(SoftLoss { value: blend(entropy.value, variation.value), gradient })
}

/// Pixels of one image.
fn check(p: &[f64], t: &[f64], images: usize) -> Result<usize, SoftLossError> {
    if images == 0 || p.is_empty() || p.len() != t.len() || !p.len().is_multiple_of(images) {
        return Err(SoftLossError::Shape { probabilities: p.len(), truth: t.len(), images });
    }
    Ok(p.len() / images)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compute::rng::HostRng;

    fn example() -> (Vec<f64>, Vec<f64>) {
        let mut rng = HostRng::new(4, 0);
        let p = (0..24).map(|_| rng.between(0.05, 0.95)).collect();
        (p, (0..24).map(|_| f64::from(rng.uniform() < 0.4)).collect())
    }

    #[test]
    fn gradients_are_those_of_differences() {
        let (p, t) = example();
        type Loss<'a> = &'a dyn Fn(&[f64]) -> SoftLoss;
        let losses: [Loss; 5] = [
            &|p| dice_loss(p, &t, 2, 0.0).unwrap(),
            &|p| dice_loss(p, &t, 2, 1.0).unwrap(),
            &|p| binary_cross_entropy(p, &t).unwrap(),
            &|p| total_variation(p, 2, 3, 4).unwrap(),
            &|p| smooth_loss(p, &t, 2, 3, 4).unwrap(),
        ];
        for (which, loss) in losses.iter().enumerate() {
            let gradient = loss(&p).gradient;
            for i in 0..p.len() {
                let moved = |by: f64| {
                    let mut p = p.clone();
                    p[i] += by;
                    loss(&p).value
                };
                let difference = (moved(1e-6) - moved(-1e-6)) / 2e-6;
                assert!((gradient[i] - difference).abs() < 1e-7, "loss {which}, {i}: {} {difference}", gradient[i]);
            }
        }
    }

    #[test]
    fn an_image_without_lesion_teaches_nothing_unless_the_loss_is_smoothed() {
        let (p, t) = ([0.3, 0.8], [0.0, 0.0]);
        assert_eq!(dice_loss(&p, &t, 1, 0.0).unwrap(), SoftLoss { value: 1.0, gradient: vec![0.0; 2] });
        assert!(dice_loss(&p, &t, 1, 1.0).unwrap().gradient.iter().all(|g| *g > 0.0));
        let vanished = dice_loss(&[0.0; 2], &t, 1, 0.0).unwrap();
        assert_eq!(vanished, SoftLoss { value: 1.0, gradient: vec![0.0; 2] });
    }

    #[test]
    fn certain_mistakes_cost_100_and_stay_finite() {
        let loss = binary_cross_entropy(&[0.0, 1.0], &[1.0, 0.0]).unwrap();
        assert_eq!(loss.value, 100.0);
        assert!(loss.gradient.iter().all(|g| g.is_finite()));
        assert_eq!(binary_cross_entropy(&[0.0, 1.0], &[0.0, 1.0]).unwrap().value, 0.0);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        assert!(dice_loss(&[0.1; 5], &[0.0; 5], 2, 0.0).is_err());
        assert!(dice_loss(&[0.1; 4], &[0.0; 5], 1, 0.0).is_err());
        assert!(binary_cross_entropy(&[], &[]).is_err());
        assert!(total_variation(&[0.1; 6], 1, 2, 4).is_err());
        assert_eq!(total_variation(&[0.4; 6], 1, 1, 6).unwrap().gradient, [0.0; 6]);
    }
}
