//! 60/20/20 by hospital (section 4.6): one test set for all runs, and a validation set that every seed draws anew.

use crate::compute::streams;

/// Shares of test and validation.
const TEST: f64 = 0.2;
const VALIDATION: f64 = 0.2;
/// The seed of the test set of every run, that of the authors' later public code.
pub const TEST_SEED: u64 = 27_204;

/// What a labelled picture is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    Train,
    Validation,
    Test,
}

/// Pictures of each hospital (or other stratum) in each part: `⌈0.2 n⌉` to test, and of the rest
/// `0.2 n` rounded to validate, each shared out by largest remainder, of which equal ones go to the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sizes {
    pub test: Vec<usize>,
    pub validation: Vec<usize>,
    pub train: Vec<usize>,
}

pub fn sizes(strata: &[usize]) -> Sizes {
    let all: usize = strata.iter().sum();
    let test = shared(strata, (TEST * all as f64 - 1e-9).ceil() as usize);
    let rest: Vec<usize> = strata.iter().zip(&test).map(|(n, test)| n - test).collect();
    let wanted = (VALIDATION * all as f64).round() as usize;
    let validation = shared(&rest, wanted.min(rest.iter().sum()));
    let train = rest.iter().zip(&validation).map(|(n, validation)| n - validation).collect();
    Sizes { test, validation, train }
}

/// `count` in proportion to `strata`, by largest remainder.
fn shared(strata: &[usize], count: usize) -> Vec<usize> {
    let all: usize = strata.iter().sum();
    let exact = |n: usize| count as f64 * n as f64 / all.max(1) as f64;
    let mut parts: Vec<usize> = strata.iter().map(|n| exact(*n) as usize).collect();
    let mut order: Vec<usize> = (0..strata.len()).collect();
    // A stable sort: the first of equal remainders.
    order.sort_by(|a, b| {
        let remainder = |i: usize| exact(strata[i]).fract();
        remainder(*b).total_cmp(&remainder(*a))
    });
    let missing = count - parts.iter().sum::<usize>().min(count);
    order.into_iter().cycle().take(if all == 0 { 0 } else { missing }).for_each(|i| parts[i] += 1);
    parts
}

/// The part of each picture. `stratum[i]`: the hospital of picture i. The test set depends on `test_seed` alone, so that runs
/// compare; of the others, `seed` draws those to validate.
pub fn parts(stratum: &[usize], test_seed: u64, seed: u64) -> Vec<Part> {
    let strata = stratum.iter().max().map_or(0, |last| last + 1);
    let members: Vec<Vec<usize>> =
        (0..strata).map(|s| (0..stratum.len()).filter(|&i| stratum[i] == s).collect()).collect();
    let sizes = sizes(&members.iter().map(Vec::len).collect::<Vec<_>>());
    let mut parts = vec![Part::Train; stratum.len()];
    for (s, mut members) in members.into_iter().enumerate() {
        streams::FUNDUS_TEST.open(test_seed, s as u64).shuffle(&mut members);
        let mut others = members.split_off(sizes.test[s]);
        members.into_iter().for_each(|i| parts[i] = Part::Test);
        others.sort_unstable();
        streams::FUNDUS_VALIDATION.open(seed, s as u64).shuffle(&mut others);
        others[..sizes.validation[s]].iter().for_each(|&i| parts[i] = Part::Validation);
    }
    parts
}

/// The same where the data set has a test part of its own: of the others a fifth validates, drawn by `seed`.
pub fn without_test(stratum: &[usize], seed: u64) -> Vec<Part> {
    let strata = stratum.iter().max().map_or(0, |last| last + 1);
    let members: Vec<Vec<usize>> =
        (0..strata).map(|s| (0..stratum.len()).filter(|&i| stratum[i] == s).collect()).collect();
    let counts: Vec<usize> = members.iter().map(Vec::len).collect();
    let validation = shared(&counts, (VALIDATION * stratum.len() as f64).round() as usize);
    let mut parts = vec![Part::Train; stratum.len()];
    for (s, mut members) in members.into_iter().enumerate() {
        streams::FUNDUS_VALIDATION.open(seed, s as u64).shuffle(&mut members);
        members[..validation[s]].iter().for_each(|&i| parts[i] = Part::Validation);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_test_set_is_the_same_for_every_seed_and_the_others_are_not() {
        let stratum: Vec<usize> = (0..300).map(|i| i % 3).collect();
        let of = |seed: u64, part: Part| -> Vec<usize> {
            let parts = parts(&stratum, TEST_SEED, seed);
            (0..300).filter(|&i| parts[i] == part).collect()
        };
        assert_eq!(of(1, Part::Test), of(2, Part::Test));
        assert_ne!(of(1, Part::Validation), of(2, Part::Validation));
        assert_eq!([Part::Train, Part::Validation, Part::Test].map(|part| of(1, part).len()), [180, 60, 60]);
        let hospitals =
            |part: Part| (0..3).map(|h| of(5, part).iter().filter(|i| *i % 3 == h).count()).collect::<Vec<_>>();
        assert_eq!(hospitals(Part::Validation), [20, 20, 20]);
        assert_ne!(parts(&stratum, 1, 1), parts(&stratum, TEST_SEED, 1));
    }

    #[test]
    fn few_pictures_are_shared_out_without_a_panic() {
        for counts in [vec![], vec![0, 0], vec![1], vec![1, 1, 1], vec![0, 2, 1]] {
            let all: usize = counts.iter().sum();
            let Sizes { test, validation, train } = sizes(&counts);
            assert_eq!([test, validation, train].concat().iter().sum::<usize>(), all, "{counts:?}");
            let stratum: Vec<usize> = counts.iter().enumerate().flat_map(|(s, n)| vec![s; *n]).collect();
            assert_eq!(parts(&stratum, 1, 1).len(), all);
            let validated = without_test(&stratum, 1).iter().filter(|part| **part == Part::Validation).count();
            assert_eq!(validated, (0.2 * all as f64).round() as usize, "{counts:?}");
        }
    }
}
