//! What representations are like without labels: how many directions they use, how their variances fall, how near two views
//! lie, and how evenly pictures are spread over the sphere.

use super::collapse::unit_rows;
use crate::compute::linalg::{Matrix, covariance, singular_values, symmetric_eigenvalues};

/// ε of [`rank_me`].
pub const EPSILON: f64 = 1e-7;

/// RankMe (Garrido et al. 2023, eq. 1) of n x d representations, not centred: exp(−Σ p ln p) with p = σ/Σσ + ε over their
/// min(n, d) singular values σ. From 1 (one direction) to min(n, d) (all alike), but for some thousandths by ε. `None` where all
/// are zero or one is not finite.
///
/// Not [`effective_rank`](super::spectrum::effective_rank) of F, which weighs by the eigenvalues σ² and so sees fewer directions.
pub fn rank_me(representations: &Matrix) -> Option<f64> {
    let values = singular_values(representations).ok()?;
    let total: f64 = values.iter().sum();
    if total <= 0.0 {
        return None;
    }
    let shares = values.iter().map(|value| value / total + EPSILON);
    Some(shares.map(|p| -p * p.ln()).sum::<f64>().exp())
}

/// First rank that [`power_law`] fits.
pub const FIRST_RANK: usize = 4;
/// Last rank that [`power_law`] fits, where so many are among the first half.
pub const LAST_RANK: usize = 100;
/// Fewer ranks than this make no law.
const FEWEST_RANKS: usize = 8;
/// A variance below this share of the largest is rounding: features come in f32.
const ROUNDING_SHARE: f64 = 1e-12;

/// Eigenvalues of the covariance d x d of n x d features, descending. `None` where one is not finite.
pub fn covariance_spectrum(features: &Matrix) -> Option<Vec<f64>> {
    symmetric_eigenvalues(&covariance(features)).ok()
}

/// The law λ_j = scale · j^(−α) of descending eigenvalues.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PowerLaw {
    pub alpha: f64,
    /// λ_1, as the law has it.
    pub scale: f64,
    /// Last rank that was fitted; the first is [`FIRST_RANK`].
    pub last: usize,
}

impl PowerLaw {
    /// λ_j of a rank j from 1 on.
    pub fn at(&self, rank: usize) -> f64 {
        self.scale * (rank as f64).powf(-self.alpha)
    }
}

/// The law λ_j ∝ j^(−α) of descending eigenvalues, as the code of α-ReQ (Agrawal et al. 2022) and of Stringer et al. (2019) fits it: least
/// squares of ln λ_j on ln j, weighted with 1/j so that every octave counts alike, over the ranks j from [`FIRST_RANK`] to
/// [`LAST_RANK`]. Here also not beyond the first half of the eigenvalues, which few pictures estimate badly, nor into rounding.
/// `None` where fewer than 8 ranks are left.
pub fn power_law(eigenvalues: &[f64]) -> Option<PowerLaw> {
    let floor = ROUNDING_SHARE * eigenvalues.first()?.max(0.0);
    let last = LAST_RANK.min(eigenvalues.len() / 2);
    let points: Vec<[f64; 3]> = (FIRST_RANK..=last)
        .map(|rank| (rank as f64, eigenvalues[rank - 1]))
        .take_while(|(_, value)| *value > floor)
        .map(|(rank, value)| [1.0 / rank, rank.ln(), value.ln()])
        .collect();
    if points.len() < FEWEST_RANKS {
        return None;
    }
    let sum = |of: &dyn Fn(&[f64; 3]) -> f64| points.iter().map(of).sum::<f64>();
    let weight = sum(&|p| p[0]);
    let (x, y) = (sum(&|p| p[0] * p[1]) / weight, sum(&|p| p[0] * p[2]) / weight);
    let slope = sum(&|p| p[0] * (p[1] - x) * (p[2] - y)) / sum(&|p| p[0] * (p[1] - x).powi(2));
    let law = PowerLaw { alpha: -slope, scale: (y - slope * x).exp(), last: FIRST_RANK - 1 + points.len() };
    Some(law).filter(|law| law.alpha.is_finite() && law.scale.is_finite())
}

/// Alignment (Wang and Isola 2020, α = 2): the mean of ‖x − y‖² over pairs of rows of equal index, each first divided by its
/// length. 0 where both views are one, 2 where they are orthogonal, 4 where opposite. `None` without a pair or where a number is
/// not finite.
pub fn view_alignment(first: &Matrix, second: &Matrix) -> Option<f64> {
    assert_eq!((first.rows(), first.columns()), (second.rows(), second.columns()), "both views of the same pictures");
    let difference = unit_rows(first).minus(&unit_rows(second));
    Some(difference.frobenius().powi(2) / first.rows() as f64).filter(|mean| mean.is_finite())
}

/// t of [`uniformity`].
const SHARPNESS: f64 = 2.0;
/// Rows whose distances to all later ones are computed at once.
const BLOCK: usize = 128;

/// Uniformity (Wang and Isola 2020, t = 2): ln of the mean of exp(−t‖x − y‖²) over all pairs of different rows, each first divided by
/// its length. 0 where all are one; near −2t = −4 where they are spread evenly over a sphere of many dimensions. `None` for
/// fewer than two rows or where a number is not finite.
pub fn uniformity(rows: &Matrix) -> Option<f64> {
    let n = rows.rows();
    if n < 2 || !rows.is_finite() {
        return None;
    }
    let unit = unit_rows(rows);
    let part = |from: usize, to: usize| Matrix::from_fn(to - from, unit.columns(), |i, j| unit[(from + i, j)]);
    let squares: Vec<f64> = (0..n).map(|i| unit.row(i).iter().map(|v| v * v).sum()).collect();
    let mut sum = 0.0;
    for start in (0..n).step_by(BLOCK) {
        let products = part(start, n.min(start + BLOCK)).times_transposed(&part(start, n));
        for i in 0..products.rows() {
            let potential = |j: usize| {
                let distance = squares[start + i] + squares[start + j] - 2.0 * products[(i, j)];
                (-SHARPNESS * distance.max(0.0)).exp()
            };
            sum += (i + 1..products.columns()).map(potential).sum::<f64>();
        }
    }
    Some((sum / (n as f64 * (n - 1) as f64 / 2.0)).ln())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compute::rng::HostRng;

    fn noise(n: usize, d: usize) -> Matrix {
        let mut rng = HostRng::new(3, 0);
        Matrix::from_fn(n, d, |_, j| rng.normal() / (1 + j) as f64)
    }

    /// Rows in another order.
    fn permuted(a: &Matrix) -> Matrix {
        let n = a.rows();
        Matrix::from_fn(n, a.columns(), |i, j| a[((7 * i + 3) % n, j)])
    }

    /// The columns turned in planes: an orthogonal map.
    fn turned(a: &Matrix) -> Matrix {
        let (sin, cos) = 0.8f64.sin_cos();
        Matrix::from_fn(a.rows(), a.columns(), |i, j| match j % 2 {
            0 if j + 1 < a.columns() => cos * a[(i, j)] - sin * a[(i, j + 1)],
            0 => a[(i, j)],
            _ => sin * a[(i, j - 1)] + cos * a[(i, j)],
        })
    }

    fn alpha(values: &[f64]) -> Option<f64> {
        power_law(values).map(|law| law.alpha)
    }

    fn slope_of(features: &Matrix) -> Option<f64> {
        alpha(&covariance_spectrum(features)?)
    }

    fn close(a: Option<f64>, b: f64, tolerance: f64) {
        assert!((a.unwrap() - b).abs() < tolerance, "{a:?} against {b}");
    }

    #[test]
    fn rank_me_counts_directions() {
        for d in [1, 5, 64] {
            close(rank_me(&Matrix::identity(d)), d as f64, 1e-4 * d as f64);
            close(rank_me(&Matrix::from_fn(40, d, |i, j| (i + 1) as f64 * (j + 2) as f64)), 1.0, 1e-3);
        }
        // Orthogonal columns of lengths 3, 1 and 0: p = 3/4, 1/4, and ε for the third.
        let two = Matrix::from_fn(4, 3, |i, j| if i == j { [3.0, 1.0, 0.0][j] } else { 0.0 });
        let entropy = |p: f64| -(p + 1e-7) * (p + 1e-7).ln();
        close(rank_me(&two), (entropy(0.75) + entropy(0.25) + entropy(0.0)).exp(), 1e-12);
        assert_eq!(rank_me(&Matrix::zeros(5, 3)), None);
        assert_eq!(rank_me(&Matrix::from_fn(2, 2, |_, _| f64::NAN)), None);
        assert_eq!(rank_me(&Matrix::zeros(0, 3)), None);
    }

    #[test]
    fn order_scale_and_rotation_change_nothing() {
        let a = noise(60, 24);
        let b = turned(&noise(60, 24)).plus(&a.scaled(0.5));
        let (rank, slope, even) = (rank_me(&a).unwrap(), slope_of(&a).unwrap(), uniformity(&a).unwrap());
        let near = view_alignment(&a, &b).unwrap();
        let changes: [&dyn Fn(&Matrix) -> Matrix; 3] = [&permuted, &turned, &|a| a.scaled(1e-3)];
        for change in changes {
            close(rank_me(&change(&a)), rank, 1e-9 * rank);
            close(slope_of(&change(&a)), slope, 1e-9);
            close(uniformity(&change(&a)), even, 1e-12);
            close(view_alignment(&change(&a), &change(&b)), near, 1e-12);
        }
        // The lengths of single rows do not matter on the sphere.
        let longer = Matrix::from_fn(60, 24, |i, j| (i + 1) as f64 * a[(i, j)]);
        close(uniformity(&longer), even, 1e-12);
        close(view_alignment(&longer, &b), near, 1e-12);
    }

    #[test]
    fn a_power_law_gives_its_exponent() {
        for exponent in [0.0, 0.5, 1.0, 2.7] {
            let values: Vec<f64> = (1..=300).map(|j| 5.0 * f64::from(j).powf(-exponent)).collect();
            close(alpha(&values), exponent, 1e-12);
            let law = power_law(&values).unwrap();
            assert!((law.scale - 5.0).abs() < 1e-10 && law.last == LAST_RANK, "{law:?}");
            assert!((law.at(7) - values[6]).abs() < 1e-10);
            // What lies outside of the ranks that are fitted does not count.
            let mut bent = values.clone();
            bent[..FIRST_RANK - 1].iter_mut().for_each(|v| *v *= 50.0);
            bent[LAST_RANK..].iter_mut().for_each(|v| *v *= 1e-3);
            close(alpha(&bent), exponent, 1e-12);
            bent[LAST_RANK - 1] *= 0.5;
            assert!((alpha(&bent).unwrap() - exponent).abs() > 1e-4);
        }
        // 64 features are fitted from rank 4 to 32, fewer where the rest is rounding.
        let mut values: Vec<f64> = (1..=64).map(|j| if j <= 32 { f64::from(j).powi(-2) } else { 0.0 }).collect();
        close(alpha(&values), 2.0, 1e-12);
        values[14..].fill(1e-17);
        close(alpha(&values), 2.0, 1e-12);
        values[10..].fill(1e-17);
        assert_eq!(power_law(&values), None);
        assert_eq!(power_law(&[f64::NAN; 64]), None);
        assert_eq!(power_law(&[]), None);
    }

    #[test]
    fn the_slope_is_that_of_the_covariance() {
        // Orthogonal columns without mean: cosines of whole periods, with variances 1/2 · j^-1.5.
        let n = 256;
        let features = Matrix::from_fn(n, 40, |i, j| {
            let rank = (j + 1) as f64;
            7.0 + rank.powf(-0.75) * (std::f64::consts::TAU * rank * i as f64 / n as f64).cos()
        });
        close(slope_of(&features), 1.5, 1e-9);
        assert_eq!(slope_of(&Matrix::from_fn(5, 40, |_, j| j as f64)), None, "features that do not vary");
    }

    #[test]
    fn alignment_and_uniformity_are_known_at_their_bounds() {
        let unit = Matrix::identity(6);
        close(view_alignment(&unit, &unit.scaled(9.0)), 0.0, 1e-15);
        close(view_alignment(&unit, &unit.scaled(-0.1)), 4.0, 1e-15);
        let next = Matrix::from_fn(6, 6, |i, j| unit[(i, (j + 1) % 6)]);
        close(view_alignment(&unit, &next), 2.0, 1e-15);
        assert_eq!(view_alignment(&Matrix::zeros(0, 2), &Matrix::zeros(0, 2)), None);

        close(uniformity(&Matrix::from_fn(200, 3, |i, _| (i + 1) as f64)), 0.0, 1e-12);
        // Orthogonal: every squared distance is 2.
        close(uniformity(&Matrix::identity(300)), -4.0, 1e-12);
        // Two opposite points, twice each: four pairs at a squared distance of 4, two at 0.
        let two = Matrix::from_fn(4, 1, |i, _| if i < 2 { 1.0 } else { -3.0 });
        close(uniformity(&two), ((2.0 + 4.0 * (-8.0f64).exp()) / 6.0).ln(), 1e-12);
        assert_eq!(uniformity(&Matrix::identity(1)), None);
        assert_eq!(uniformity(&Matrix::from_fn(3, 2, |_, _| f64::INFINITY)), None);
    }

    #[test]
    fn uniformity_in_blocks_is_the_sum_over_all_pairs() {
        let rows = noise(2 * BLOCK + 37, 5);
        let unit = unit_rows(&rows);
        let (mut sum, mut pairs) = (0.0, 0.0);
        for i in 0..rows.rows() {
            for j in 0..i {
                let distance: f64 = unit.row(i).iter().zip(unit.row(j)).map(|(a, b)| (a - b).powi(2)).sum();
                sum += (-2.0 * distance).exp();
                pairs += 1.0;
            }
        }
        close(uniformity(&rows), f64::ln(sum / pairs), 1e-12);
    }
}
