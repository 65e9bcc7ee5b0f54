//! Table 1: which settings the better runs of a grid search share.

/// Width of a row in percentile rank.
pub const WIDTH: f64 = 0.05;
/// The rows of table 1: each from here to [`WIDTH`] above, the last one to the top.
pub const ROWS: [f64; 5] = [0.75, 0.80, 0.85, 0.90, 0.95];

/// Share of runs that are worse, and half of those that are as good, itself included.
pub fn percentile_ranks(accuracies: &[f64]) -> Vec<f64> {
    let rank = |a: &f64| {
        let less = accuracies.iter().filter(|b| *b < a).count() as f64;
        let equal = accuracies.iter().filter(|b| *b == a).count() as f64;
        (less + 0.5 * equal) / accuracies.len() as f64
    };
    accuracies.iter().map(rank).collect()
}

/// A row: its runs, and for each setting its most frequent values, ascending; several where they are equally frequent.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    pub from: f64,
    pub runs: Vec<usize>,
    pub modes: Vec<Vec<f64>>,
}

/// `settings[i]`: the values of run i, as many for each run.
pub fn table(settings: &[Vec<f64>], accuracies: &[f64]) -> Vec<Row> {
    let ranks = percentile_ranks(accuracies);
    let columns = settings.first().map_or(0, Vec::len);
    // A rank is a multiple of 1/2n; a border is hit exactly or not at all.
    const EPSILON: f64 = 1e-9;
    let row = |(i, from): (usize, &f64)| {
        let last = i + 1 == ROWS.len();
        let within = |rank: f64| rank >= from - EPSILON && (last || rank < from + WIDTH - EPSILON);
        let runs: Vec<usize> = (0..ranks.len()).filter(|&run| within(ranks[run])).collect();
        let modes = (0..columns).map(|c| modes(runs.iter().map(|&run| settings[run][c]))).collect();
        Row { from: *from, runs, modes }
    };
    ROWS.iter().enumerate().map(row).collect()
}

fn modes(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut counts: Vec<(f64, usize)> = Vec::new();
    for value in values {
        match counts.iter_mut().find(|(known, _)| *known == value) {
            Some((_, count)) => *count += 1,
            None => counts.push((value, 1)),
        }
    }
    let most = counts.iter().map(|(_, count)| *count).max().unwrap_or(0);
    let mut modes: Vec<f64> = counts.into_iter().filter(|(_, count)| *count == most).map(|(value, _)| value).collect();
    modes.sort_unstable_by(f64::total_cmp);
    modes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grid_that_has_hardly_begun_has_empty_rows() {
        let table = table(&[vec![0.1, 0.2]], &[0.8]);
        assert_eq!(table.len(), 5);
        assert!(table.iter().all(|row| row.runs.is_empty() && row.modes.concat().is_empty()));
        assert_eq!(table[0].modes.len(), 2);
        assert!(super::table(&[], &[]).iter().all(|row| row.modes.is_empty()));
    }
}
