//! Functions of single numbers in a form that the compiler does several of at once.

/// Runs with the widest vectors that the processor has. What is to profit has to be inlined into `f`; results are the same, since
/// sums are made in the same lanes.
#[inline(always)]
pub fn wide<R>(f: impl FnOnce() -> R) -> R {
    pulp::Arch::new().dispatch(f)
}

/// e^x within some 2·10⁻⁷ of its size; below −87 as at −87, above 88 as at 88.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    /// 1.5·2²³: what is added to it is rounded to a whole number, which stands in the last bits.
    const ROUND: f32 = 12_582_912.0;
    let x = x.clamp(-87.0, 88.0);
    let t = x * std::f32::consts::LOG2_E + ROUND;
    let n = t - ROUND;
    // ln 2 in two parts, of which the first times a small whole number is exact.
    let r = x - n * 0.693_359_4 - n * -2.121_944_4e-4;
    let p = 1.0 + r * (1.0 + r * (0.5 + r * (1.0 / 6.0 + r * (1.0 / 24.0 + r * (1.0 / 120.0 + r * (1.0 / 720.0))))));
    let power = t.to_bits().wrapping_sub(ROUND.to_bits()).wrapping_add(127) << 23;
    p * f32::from_bits(power)
}

/// Φ(x), the normal distribution's, within 10⁻⁷, and its density times √(2π), e^(−x²/2) (Abramowitz and Stegun, 7.1.26).
#[inline(always)]
pub fn normal(x: f32) -> (f32, f32) {
    let z = x.abs() * std::f32::consts::FRAC_1_SQRT_2;
    let bell = exp(-0.5 * x * x);
    let t = 1.0 / (1.0 + 0.327_591_1 * z);
    let p = t * (0.254_829_6 + t * (-0.284_496_75 + t * (1.421_413_7 + t * (-1.453_152 + t * 1.061_405_4))));
    let tail = 0.5 * p * bell;
    (if x < 0.0 { tail } else { 1.0 - tail }, bell)
}

/// Σ a b in sixteen lanes, always in the same order.
#[inline(always)]
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0.0_f32; 16];
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<16>(), b.as_chunks::<16>());
    for (a, b) in a.iter().zip(b) {
        for ((lane, a), b) in lanes.iter_mut().zip(a).zip(b) {
            *lane += a * b;
        }
    }
    lanes.iter().sum::<f32>() + a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum::<f32>()
}

/// Σ a in sixteen lanes, always in the same order.
#[inline(always)]
pub fn sum(a: &[f32]) -> f32 {
    let mut lanes = [0.0_f32; 16];
    let (chunks, rest) = a.as_chunks::<16>();
    for chunk in chunks {
        lanes.iter_mut().zip(chunk).for_each(|(lane, a)| *lane += a);
    }
    lanes.iter().sum::<f32>() + rest.iter().sum::<f32>()
}

/// The largest number, −∞ of none; what is no number does not count.
#[inline(always)]
fn largest(a: &[f32]) -> f32 {
    let mut lanes = [f32::NEG_INFINITY; 16];
    let (chunks, rest) = a.as_chunks::<16>();
    for chunk in chunks {
        lanes.iter_mut().zip(chunk).for_each(|(lane, a)| *lane = if a > lane { *a } else { *lane });
    }
    lanes.iter().chain(rest).copied().fold(f32::NEG_INFINITY, f32::max)
}

/// Softmax of a row in place.
#[inline(always)]
pub fn softmax(row: &mut [f32]) {
    let most = largest(row);
    row.iter_mut().for_each(|value| *value = exp(*value - most));
    let scale = 1.0 / sum(row);
    row.iter_mut().for_each(|value| *value *= scale);
}

/// The gradient before a softmax along every row in place of that behind it, times a factor; `p` is what the softmax gave.
pub fn softmax_backward(grad: &mut [f32], p: &[f32], columns: usize, factor: f32) {
    wide(
        #[inline(always)]
        || {
            for (grad, p) in grad.chunks_exact_mut(columns).zip(p.chunks_exact(columns)) {
                let mean = dot(grad, p);
                grad.iter_mut().zip(p).for_each(|(grad, p)| *grad = factor * p * (*grad - mean));
            }
        },
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn approximations_are_as_good_as_they_say() {
        for i in -8_700..=8_800 {
            let x = i as f32 * 0.01;
            let exact = f64::from(x).exp();
            assert!((f64::from(exp(x)) / exact - 1.0).abs() < 3e-7, "e^{x}");
        }
        assert!(exp(-1e9) < 1e-37 && exp(f32::NAN).is_nan() && exp(1e9).is_finite());
        // Φ at 0, 1, −2 and 5.
        for (x, phi) in [(0.0, 0.5), (1.0, 0.841_344_746), (-2.0, 0.022_750_132), (5.0, 0.999_999_713)] {
            assert!((f64::from(normal(x).0) - phi).abs() < 1.5e-7, "{x}");
        }
    }
}
