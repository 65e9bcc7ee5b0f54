//! Runs against each other: which of two is right more often, what choosing by the test set is worth, and which settings the
//! better runs of a grid share.

use crate::engine::event::Payload;
use crate::engine::params::Params;
use crate::engine::state::RunState;
use crate::engine::study_beside::{Beside, Measured, SideTable};
use crate::metrics::detection::{mcnemar_exact, wilson_95};
use crate::nn::optim::Rule;

use super::params::{Hyper, rule};
use super::ranks;

/// Step and value of a measurement.
type Point = (u64, f64);

/// Three ways to report the test accuracy of one run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reported {
    /// The best of the run: chosen on the test set itself, as in the article.
    pub best: Point,
    /// Where the accuracy of validation pictures is best for the first time; `None` without such pictures.
    pub chosen: Option<Point>,
    pub last: Point,
}

impl Reported {
    /// Of measurements up to a step; `None` where there are none after the first step.
    pub fn until(run: &RunState, step: u64) -> Option<Self> {
        let best = best(run, "accuracy/test", step)?;
        let test = run.scalars.get("accuracy/test")?;
        let chosen = self::best(run, "accuracy/validation", step).and_then(|(at, _)| test.at(at));
        Some(Self { best, chosen, last: test.at(step)? })
    }
}

/// The first of the largest values of a measurement up to a step. Before training nothing is chosen.
fn best(run: &RunState, key: &str, until: u64) -> Option<Point> {
    let points = run.scalars.get(key)?.points();
    points
        .filter(|(step, _)| (1..=until).contains(step))
        .reduce(|best, other| if other.1 > best.1 { other } else { best })
}

/// What a run said of its test pictures last: a hash of their list, and for each with a grade whether it was called rightly, 1,
/// or wrongly, 0 (ill from probability 0.5 on). Empty where that was not recorded.
pub fn calls(run: &RunState) -> String {
    let newest = |key: &str| run.payloads.get(key)?.newest.as_ref().map(|(_, payload)| payload.clone());
    let (Some(scores), Some(names)) = (newest("scores/test"), newest("names/test")) else { return String::new() };
    let (Payload::Matrix { cols: 3, values, .. }, Payload::Text(names)) = (&*scores, &*names) else {
        return String::new();
    };
    let ill = |line: &str| Some(line.split('\t').nth(1)?.parse::<u8>().ok()? > 0);
    let right = |(row, line): (&[f32], &str)| Some(if (row[0] >= 0.5) == ill(line)? { '1' } else { '0' });
    let right: String = values.chunks_exact(3).zip(names.lines()).filter_map(right).collect();
    format!("{:08x} {right}", crc32fast::hash(names.as_bytes()))
}

/// On how many pictures two runs are right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pairing {
    pub both: usize,
    pub only_a: usize,
    pub only_b: usize,
    pub neither: usize,
}

impl Pairing {
    /// Of what [`calls`] kept of two runs; `None` where they were asked of other pictures, or nothing was kept.
    pub fn of(a: &str, b: &str) -> Option<Self> {
        let ((list_a, a), (list_b, b)) = (a.split_once(' ')?, b.split_once(' ')?);
        if list_a != list_b || a.len() != b.len() || a.is_empty() {
            return None;
        }
        let mut found = Self::default();
        for pair in a.bytes().zip(b.bytes()) {
            *match pair {
                (b'1', b'1') => &mut found.both,
                (b'1', _) => &mut found.only_a,
                (_, b'1') => &mut found.only_b,
                _ => &mut found.neither,
            } += 1;
        }
        Some(found)
    }

    fn cells(&self) -> [String; 5] {
        let Self { both, only_a, only_b, neither } = *self;
        [both + only_a + only_b + neither, both, only_a, only_b, neither].map(|count| count.to_string())
    }
}

/// The tables below a comparison of routines.
pub static ROUTINES: Beside = Beside { keep: Some(calls), tables: &[HONESTY, PAIRS] };
/// The table below a comparison of networks.
pub static NETWORKS: Beside = Beside { keep: Some(calls), tables: &[PAIRS] };
/// The tables below a grid search.
pub static GRID: Beside = Beside { keep: None, tables: &[SHARED, PRINTED] };

const HONESTY: SideTable = SideTable {
    title: "What the choice of the step is worth, in pictures",
    about: "Test pictures that are called rightly: at the best step for the test set itself, which is how the article reports, at the \
            step that validation pictures choose, and at the last step. The gain is over the first row with the same seed. Wilson's \
            95 % interval of the accuracy at the chosen step, and whether it overlaps the first row's: overlapping ones do not rule \
            a difference out, see McNemar's test for that.",
    heads: &[
        "run",
        "seed",
        "best on test",
        "validation chooses",
        "last",
        "gain of the best",
        "gain of the chosen",
        "95 %",
        "with the first",
    ],
    lines: honesty,
};

const PAIRS: SideTable = SideTable {
    title: "McNemar's exact test between any two, after the last step",
    about: "Test pictures of which both runs, just one of them, or neither is right, and how likely counts so unequal are if both \
            are right equally often (two-sided). The pictures are the same for every seed, so that the sums over seeds are of \
            dependent counts and have no p. Of twenty such tests one falls below 0.05 by chance.",
    heads: &["a", "b", "seed", "pictures", "both", "only a", "only b", "neither", "p"],
    lines: pairs,
};

const SHARED: SideTable = SideTable {
    title: "Table 1, ours: which settings the better runs share",
    about: "Rows by percentile rank of the first measure (the share of runs that are worse, and half of those that are equal), each \
            the most frequent values of its runs; several where they are equally frequent. It fills while the search goes on.",
    heads: &["rank", "runs", "learning rate", "momentum", "Nesterov", "weight decay"],
    lines: shared,
};

const PRINTED: SideTable = SideTable {
    title: "Table 1 as the paper prints it",
    about: "AERes18 on Messidor, 96 runs each for AE then CL (cl) and AE-CL combined (c). The weight decay 1.0 of the combined \
            routine is not in the paper's grid, and Nesterov is written as 0.0 and 1.0: that column has probably slipped.",
    heads: &[
        "rank",
        "rate cl",
        "momentum cl",
        "Nesterov cl",
        "decay cl",
        "rate c",
        "momentum c",
        "Nesterov c",
        "decay c",
    ],
    lines: printed,
};

/// Labels of the rows that have runs, in their order.
fn labels(runs: &[Measured<'_>]) -> Vec<&'static str> {
    let mut labels: Vec<&str> = runs.iter().map(|run| run.label).collect();
    labels.dedup();
    labels
}

fn pairs(runs: &[Measured<'_>]) -> Vec<Vec<String>> {
    let labels = labels(runs);
    // Of a figure of several panels only what stands in the same one: "a: CL1".
    let panel = |label: &'static str| label.split_once(": ").map(|(panel, _)| panel);
    let mut lines = Vec::new();
    for (at, a) in labels.iter().enumerate() {
        for b in labels[at + 1..].iter().filter(|b| panel(b) == panel(a)) {
            let (mut sum, mut seeds) = (Pairing::default(), 0);
            for run in runs.iter().filter(|run| run.label == *a) {
                let other = runs.iter().find(|other| other.label == *b && other.sample.seed == run.sample.seed);
                let kept = other.and_then(|other| Some((run.sample.kept.as_ref()?, other.sample.kept.as_ref()?)));
                let Some(found) = kept.and_then(|(a, b)| Pairing::of(a, b)) else { continue };
                sum = Pairing {
                    both: sum.both + found.both,
                    only_a: sum.only_a + found.only_a,
                    only_b: sum.only_b + found.only_b,
                    neither: sum.neither + found.neither,
                };
                seeds += 1;
                let head = [(*a).to_owned(), (*b).to_owned(), run.sample.seed.to_string()];
                let p = mcnemar_exact(found.only_a, found.only_b);
                let p = if p < 0.0005 { "< 0.001".to_owned() } else { format!("{p:.3}") };
                lines.push(head.into_iter().chain(found.cells()).chain([p]).collect());
            }
            if seeds > 1 {
                let head = [(*a).to_owned(), (*b).to_owned(), format!("all {seeds}")];
                lines.push(head.into_iter().chain(sum.cells()).chain(["—".to_owned()]).collect());
            }
        }
    }
    lines
}

/// How many test pictures a run was asked of, and how many of them were right at the best, the chosen and the last step.
fn right(run: &Measured<'_>) -> Option<(usize, [Option<usize>; 3])> {
    let count = run.sample.kept.as_ref()?.split_once(' ')?.1.len();
    let of = |at: usize| {
        let percent = run.sample.values.get(at).copied().flatten()?;
        Some((percent / 100.0 * count as f64).round() as usize)
    };
    Some((count, [of(0), of(1), of(2)]))
}

/// The first three measures are the percentages of [`Reported`].
fn honesty(runs: &[Measured<'_>]) -> Vec<Vec<String>> {
    let none = || "—".to_owned();
    let labels = labels(runs);
    let Some(first) = labels.first() else { return Vec::new() };
    let mut lines = Vec::new();
    for label in &labels {
        let mut gains = Vec::new();
        let mut pictures = 0;
        for run in runs.iter().filter(|run| run.label == *label) {
            let Some((count, found)) = right(run) else { continue };
            pictures = count;
            let of = |right: Option<usize>| right.map_or_else(none, |right| format!("{right} of {count}"));
            let base = runs.iter().find(|other| other.label == *first && other.sample.seed == run.sample.seed);
            let base = base.filter(|_| label != first).and_then(right).filter(|(other, _)| *other == count);
            let gain = |at: usize| Some(found[at]? as i64 - base?.1[at]? as i64);
            let told = |gain: Option<i64>| gain.map_or_else(none, |gain| format!("{gain:+} of {count}"));
            let interval = |right: Option<usize>| wilson_95(right?, count);
            let own = interval(found[1]);
            let overlap = own.zip(base.and_then(|(_, base)| interval(base[1])));
            lines.push(vec![
                (*label).to_owned(),
                run.sample.seed.to_string(),
                of(found[0]),
                of(found[1]),
                of(found[2]),
                told(gain(0)),
                told(gain(1)),
                own.map_or_else(none, |[low, high]| format!("{low:.3}–{high:.3}")),
                overlap.map_or_else(none, |([low, high], [from, to])| {
                    if low <= to && from <= high { "overlaps" } else { "is apart" }.to_owned()
                }),
            ]);
            gains.extend(gain(0).zip(gain(1)));
        }
        if gains.len() > 1 {
            let mean = |of: fn(&(i64, i64)) -> i64| {
                format!("{:+.1} of {pictures}", gains.iter().map(of).sum::<i64>() as f64 / gains.len() as f64)
            };
            let mut line = vec![(*label).to_owned(), format!("mean of {}", gains.len()), none(), none(), none()];
            line.extend([mean(|gain| gain.0), mean(|gain| gain.1), none(), none()]);
            lines.push(line);
        }
    }
    lines
}

/// The settings of a run in the columns of table 1.
fn settings(params: &Params) -> Vec<f64> {
    let hyper = Hyper::of(params);
    let (momentum, nesterov) = match rule(params) {
        Rule::Sgd { momentum, nesterov } => (momentum, nesterov),
        Rule::Adam { betas, .. } => (betas.0, false),
        Rule::Lars { momentum, .. } => (momentum, false),
    };
    vec![hyper.learning_rate, momentum, f64::from(u8::from(nesterov)), hyper.weight_decay]
}

fn shared(runs: &[Measured<'_>]) -> Vec<Vec<String>> {
    let scored =
        |run: &Measured<'_>| Some((settings(&run.sample.params), run.sample.values.first().copied().flatten()?));
    let (settings, scores): (Vec<Vec<f64>>, Vec<f64>) = runs.iter().filter_map(scored).unzip();
    let of = |row: ranks::Row| {
        let top = row.from + ranks::WIDTH;
        let modes = row.modes.iter().map(|modes| match modes.as_slice() {
            [] => "—".to_owned(),
            modes => modes.iter().map(|value| format!("{value:?}")).collect::<Vec<_>>().join(", "),
        });
        [format!("{:.2}–{top:.2}", row.from), row.runs.len().to_string()].into_iter().chain(modes).collect()
    };
    if scores.is_empty() { Vec::new() } else { ranks::table(&settings, &scores).into_iter().map(of).collect() }
}

fn printed(_: &[Measured<'_>]) -> Vec<Vec<String>> {
    const TABLE: [[&str; 9]; 5] = [
        ["0.75", "5e-3", "0.9", "0.0, 1.0", "1e-5", "5e-3", "0.9", "0.0", "1.0"],
        ["0.80", "5e-3", "0.9", "0.0", "1e-5", "5e-3", "0.9", "0.0", "1.0"],
        ["0.85", "5e-3", "0.9", "0.0", "1e-5", "5e-3", "0.9", "1.0", "1.0"],
        ["0.90", "4e-3, 5e-3", "0.9", "0.0", "1e-5", "5e-3", "0.9", "0.0", "1.0"],
        ["0.95", "4e-3", "0.5, 0.9", "0.0", "1e-5", "4e-3", "0.9", "1.0", "1.0"],
    ];
    TABLE.iter().map(|line| line.iter().map(|cell| (*cell).to_owned()).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_runs_are_compared_on_the_same_pictures_alone() {
        let pairing = Pairing::of("0a 11010", "0a 10011").unwrap();
        assert_eq!(pairing, Pairing { both: 2, only_a: 1, only_b: 1, neither: 1 });
        for (a, b) in [("0a 11", "0b 11"), ("0a 11", "0a 111"), ("", "0a 1"), ("0a ", "0a ")] {
            assert_eq!(Pairing::of(a, b), None, "`{a}` and `{b}`");
        }
    }
}
