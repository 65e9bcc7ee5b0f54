//! Whether two methods that were measured on the same images differ: the mean of the differences with its interval, Wilcoxon's
//! signed-rank test, and a test by flipping signs.

use crate::compute::stats::{interval_95_by_groups, mean, sums_by_group};
use crate::compute::streams;

/// Differences for which Wilcoxon's distribution is counted out, where none are equal; of more the normal one is near enough.
const MOST_EXACT: usize = 25;
/// Groups of which every choice of signs is tried; of more, [`FLIPS`] are drawn.
const MOST_ENUMERATED: usize = 14;
/// Draws of the test by flipping signs.
const FLIPS: usize = 9_999;

/// What the differences of pairs say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Paired {
    /// Pairs, and independent groups of them.
    pub count: usize,
    pub groups: usize,
    /// Mean difference, second less first.
    pub mean: f64,
    /// Its 95 % interval, see [`interval_95_by_groups`].
    pub interval: Option<[f64; 2]>,
    /// `None` where no pair differs.
    pub wilcoxon: Option<Wilcoxon>,
    /// Two-sided p-value, see [`sign_flip`].
    pub sign_flip: f64,
}

impl Paired {
    /// `groups`: any number for each difference; those of one group are not independent. `None` without any difference.
    pub fn of(differences: &[f64], groups: &[usize]) -> Option<Self> {
        Some(Self {
            count: differences.len(),
            groups: sums_by_group(differences, groups).len(),
            mean: mean(differences)?,
            interval: interval_95_by_groups(differences, groups),
            wilcoxon: wilcoxon(differences),
            sign_flip: sign_flip(differences, groups),
        })
    }
}

/// Wilcoxon's signed-rank test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wilcoxon {
    /// Differences that are not 0; zeros are left out, as by Wilcoxon (1945).
    pub count: usize,
    /// The smaller of the two sums of ranks.
    pub statistic: f64,
    /// Two-sided.
    pub p: f64,
    /// Counted out; else by the normal distribution with its correction for ties, without one for continuity.
    pub exact: bool,
}

/// Tests whether differences lie symmetrically around 0; each counts as independent. `None` where all are 0.
pub fn wilcoxon(differences: &[f64]) -> Option<Wilcoxon> {
    let mut ordered: Vec<f64> = differences.iter().copied().filter(|difference| *difference != 0.0).collect();
    let n = ordered.len();
    if n == 0 {
        return None;
    }
    ordered.sort_by(|a, b| a.abs().total_cmp(&b.abs()));
    let (mut positive, mut ties) = (0.0, 0.0);
    let mut from = 0;
    while from < n {
        let equal = ordered[from..].iter().take_while(|value| value.abs() == ordered[from].abs()).count();
        // Equal ones share the mean of their ranks.
        let rank = from as f64 + (equal as f64 + 1.0) / 2.0;
        positive += rank * ordered[from..from + equal].iter().filter(|value| **value > 0.0).count() as f64;
        ties += (equal as f64).powi(3) - equal as f64;
        from += equal;
    }
    let all = (n * (n + 1)) as f64 / 2.0;
    let statistic = positive.min(all - positive);
    let exact = n <= MOST_EXACT && ties == 0.0;
    let p = if exact {
        (2.0 * share_of_sums(n, statistic as usize)).min(1.0)
    } else {
        let variance = (n * (n + 1) * (2 * n + 1)) as f64 / 24.0 - ties / 48.0;
        let z = (statistic - all / 2.0) / variance.sqrt();
        erfc(z.abs() / std::f64::consts::SQRT_2)
    };
    Some(Wilcoxon { count: n, statistic, p, exact })
}

/// Share of the 2ⁿ choices among the ranks 1 to n whose sum is `most` or less.
fn share_of_sums(n: usize, most: usize) -> f64 {
    let mut ways = vec![0.0; n * (n + 1) / 2 + 1];
    ways[0] = 1.0;
    for rank in 1..=n {
        for sum in (rank..ways.len()).rev() {
            ways[sum] += ways[sum - rank];
        }
    }
    ways[..=most].iter().sum::<f64>() / 2.0_f64.powi(n as i32)
}

/// Two-sided p-value of the mean of differences: how often it is as far from 0 where the sign of every group is left to chance,
/// all ways of a few groups, else of [`FLIPS`] drawn ways and the one that was seen. 1 without any difference.
pub fn sign_flip(differences: &[f64], groups: &[usize]) -> f64 {
    let sums: Vec<f64> = sums_by_group(differences, groups).into_iter().map(|(sum, _)| sum).collect();
    // Rounding must not part what is equal.
    let seen = sums.iter().sum::<f64>().abs() * (1.0 - 1e-12) - 1e-15;
    if sums.len() <= MOST_ENUMERATED {
        let ways = 1_u32 << sums.len();
        let sum_of = |way: u32| -> f64 {
            sums.iter().enumerate().map(|(i, sum)| if way >> i & 1 == 1 { -sum } else { *sum }).sum()
        };
        let far = (0..ways).filter(|&way| sum_of(way).abs() >= seen).count();
        return far as f64 / f64::from(ways);
    }
    let mut rng = streams::ALONE.open(0, 1);
    let mut bits = (0, 0);
    let mut draw = || -> f64 {
        sums.iter()
            .map(|sum| {
                if bits.1 == 0 {
                    bits = (rng.bits(), 64);
                }
                let flip = bits.0 & 1 == 1;
                bits = (bits.0 >> 1, bits.1 - 1);
                if flip { -sum } else { *sum }
            })
            .sum()
    };
    let far = (0..FLIPS).filter(|_| draw().abs() >= seen).count();
    (far + 1) as f64 / (FLIPS + 1) as f64
}

/// The complementary error function for x ≥ 0: by its power series near 0, beyond by its continued fraction.
fn erfc(x: f64) -> f64 {
    let two_over_root_pi = std::f64::consts::FRAC_2_SQRT_PI;
    if x < 2.0 {
        let (mut term, mut sum, mut n) = (x, x, 0.0);
        while f64::abs(term) > 1e-18 * f64::abs(sum) {
            n += 1.0;
            term *= -x * x / n;
            sum += term / (2.0 * n + 1.0);
        }
        return 1.0 - two_over_root_pi * sum;
    }
    // x + (1/2)/(x + 1/(x + (3/2)/(x + ..))), from the inside.
    let fraction = (1..=60).rev().fold(x, |inner, k| x + f64::from(k) / 2.0 / inner);
    (-x * x).exp() * two_over_root_pi / 2.0 / fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: [f64; 12] = [0.021, -0.013, 0.034, 0.055, -0.002, 0.008, 0.041, -0.027, 0.062, 0.015, 0.003, -0.006];

    fn alone(differences: &[f64]) -> Vec<usize> {
        (0..differences.len()).collect()
    }

    #[test]
    fn the_signed_ranks_are_those_of_scipy() {
        // scipy 1.17.1, `wilcoxon(d, zero_method="wilcox", correction=False)`.
        let near = |differences: &[f64], count: usize, statistic: f64, p: f64, exact: bool| {
            let found = wilcoxon(differences).unwrap();
            assert_eq!((found.count, found.statistic, found.exact), (count, statistic, exact));
            assert!((found.p - p).abs() < 1e-12, "{found:?} {p}");
        };
        near(&SMALL, 12, 17.0, 0.092_285_156_25, true);
        near(&[0.5, 1.5, 2.5, 3.5, -4.5], 5, 5.0, 0.625, true);
        let tied = [
            0.0, 0.02, 0.02, -0.02, 0.05, 0.01, -0.01, 0.04, 0.04, 0.03, 0.0, -0.05, 0.06, 0.02, 0.07, -0.03, 0.01,
            0.05, 0.04, 0.02,
        ];
        near(&tied, 18, 32.5, 0.020_490_047_229_914_397, false);
        let many: Vec<f64> = (0..60).map(|i| f64::from(i * 37 % 101 - 45) / 100.0 + f64::from(i % 7) * 1e-4).collect();
        near(&many, 60, 757.0, 0.244_775_433_707_604_57, false);
        assert_eq!((wilcoxon(&[]), wilcoxon(&[0.0, 0.0])), (None, None));
        assert_eq!(wilcoxon(&[0.3]).unwrap().p, 1.0);
    }

    #[test]
    fn flipped_signs_count_out_few_groups_and_draw_many() {
        // numpy, all 2¹² signs.
        assert!((sign_flip(&SMALL, &alone(&SMALL)) - 0.074_218_75).abs() < 1e-12);
        assert_eq!((sign_flip(&[], &[]), sign_flip(&[0.0, 0.0], &[0, 1])), (1.0, 1.0));
        // Four images of one patient are one sign.
        assert_eq!(sign_flip(&[0.1, 0.2, 0.1, 0.2], &[5; 4]), 1.0);
        assert_eq!(sign_flip(&[0.1, 0.2, 0.1, 0.2], &[1, 2, 3, 4]), 0.125);
        let drawn: Vec<f64> = SMALL.iter().chain(&[0.011, -0.004, 0.019]).copied().collect();
        let exact = {
            let far = |way: &u32| {
                let sum: f64 = drawn.iter().enumerate().map(|(i, d)| if way >> i & 1 == 1 { -d } else { *d }).sum();
                sum.abs() >= drawn.iter().sum::<f64>().abs() - 1e-12
            };
            (0..1_u32 << 15).filter(far).count() as f64 / f64::from(1_u32 << 15)
        };
        let found = sign_flip(&drawn, &alone(&drawn));
        assert!((found - exact).abs() < 4.0 * (exact / FLIPS as f64).sqrt(), "{found} {exact}");
    }

    #[test]
    fn the_error_function_has_its_published_values() {
        for (x, value) in [
            (0.0, 1.0),
            (0.1, 0.887_537_083_981_715_2),
            (1.0, 0.157_299_207_050_285_13),
            (1.5, 0.033_894_853_524_689_274),
            (2.0, 0.004_677_734_981_047_265),
            (3.0, 2.209_049_699_858_543_8e-5),
            (5.0, 1.537_459_794_428_035_1e-12),
        ] {
            assert!((erfc(x) - value).abs() <= 1e-13 + 1e-9 * value, "{x}: {} {value}", erfc(x));
        }
    }

    #[test]
    fn pairs_are_summed_up_with_their_groups() {
        let groups: Vec<usize> = (0..12).map(|i| i / 2).collect();
        let found = Paired::of(&SMALL, &groups).unwrap();
        assert_eq!((found.count, found.groups), (12, 6));
        assert!((found.mean - 0.015_916_666_666_666_666).abs() < 1e-15);
        let [low, high] = found.interval.unwrap();
        assert!(low < found.mean && found.mean < high);
        assert_eq!(Paired::of(&[], &[]), None);
    }
}
