//! Has a self-supervised network collapsed? Completely (all features alike) or to one direction (all along a line).

use serde::{Deserialize, Serialize};

use super::spectrum::effective_rank;
use crate::compute::linalg::{LinalgError, Matrix, symmetric_eigenvalues};

/// Guards the division of a feature vector by its length.
const LENGTH_FLOOR: f64 = 1e-12;

/// A correlation matrix with a trace below this share of the uncentred one is rounding, and has no rank.
const ROUNDING_SHARE: f64 = 1e-12;

/// What a batch of features (n x d, before any normalisation) tells about collapse.
#[derive(Debug, Clone, PartialEq)]
pub struct FeatureStatistics {
    /// Standard deviation (divided by n − 1) over the batch of every channel of z/‖z‖, averaged over the channels, times
    /// √d: 1 for features spread over the sphere, 0 for a constant.
    pub normalised_std: f64,
    /// Effective rank of F = (1/n) Σ z zᵀ; `None` where F is zero.
    pub effective_rank: Option<f64>,
    /// Effective rank of F − m mᵀ with the mean m; `None` where the features do not vary.
    pub effective_rank_centred: Option<f64>,
    /// ‖m‖² / tr F, the share of the energy in the mean, 0 to 1; 0 where F is zero.
    pub mean_energy: f64,
    /// Eigenvalues of F, descending.
    pub eigenvalues: Vec<f64>,
}

/// Measures a batch of n features of d channels.
///
/// # Errors
/// A number that is not finite.
pub fn feature_statistics(z: &Matrix) -> Result<FeatureStatistics, LinalgError> {
    let n = z.rows().max(1) as f64;
    let f = z.transposed_times(z).scaled(1.0 / n);
    let mean = z.column_means();
    let eigenvalues = symmetric_eigenvalues(&f)?;
    let ranks = correlation_ranks(&f, &mean, &eigenvalues)?;
    Ok(FeatureStatistics { normalised_std: normalised_std(z), eigenvalues, ..ranks })
}

/// Everything but the standard deviation and the eigenvalues.
fn correlation_ranks(f: &Matrix, mean: &[f64], eigenvalues: &[f64]) -> Result<FeatureStatistics, LinalgError> {
    let trace = f.trace();
    let energy: f64 = mean.iter().map(|m| m * m).sum();
    let centred = Matrix::from_fn(f.rows(), f.columns(), |i, j| f[(i, j)] - mean[i] * mean[j]);
    Ok(FeatureStatistics {
        normalised_std: 0.0,
        effective_rank: effective_rank(eigenvalues, 0.0),
        effective_rank_centred: effective_rank(&symmetric_eigenvalues(&centred)?, ROUNDING_SHARE * trace),
        mean_energy: if trace > 0.0 { energy / trace } else { 0.0 },
        eigenvalues: Vec::new(),
    })
}

/// The mean over channels of the standard deviation (n − 1) of z/‖z‖, times √d; see [`FeatureStatistics`]. 0 for fewer
/// than two rows.
pub fn normalised_std(z: &Matrix) -> f64 {
    let (n, d) = (z.rows(), z.columns());
    if n < 2 || d == 0 {
        return 0.0;
    }
    let unit = unit_rows(z);
    let mean = unit.column_means();
    let mut squares = vec![0.0; d];
    for i in 0..n {
        for ((square, v), mean) in squares.iter_mut().zip(unit.row(i)).zip(&mean) {
            *square += (v - mean) * (v - mean);
        }
    }
    squares.iter().map(|square| (square / (n - 1) as f64).sqrt()).sum::<f64>() / (d as f64).sqrt()
}

/// Every row divided by its length; a row of zeros stays one.
pub fn unit_rows(z: &Matrix) -> Matrix {
    let length = |i: usize| z.row(i).iter().map(|v| v * v).sum::<f64>().sqrt().max(LENGTH_FLOOR);
    let lengths: Vec<f64> = (0..z.rows()).map(length).collect();
    Matrix::from_fn(z.rows(), z.columns(), |i, j| z[(i, j)] / lengths[i])
}

/// Whether a network has collapsed, by one measurement.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Verdict {
    #[default]
    Healthy,
    /// The features vary, but along one direction.
    OneDirection,
    /// All inputs have nearly the same features.
    Complete,
}

impl Verdict {
    /// The verdict that a recorded number stands for: 0, 1 or 2.
    pub fn of(number: f64) -> Self {
        match number {
            v if v >= 1.5 => Verdict::Complete,
            v if v >= 0.5 => Verdict::OneDirection,
            _ => Verdict::Healthy,
        }
    }
}

/// Below this share of the largest possible entropy, ln d, the features lie along one direction: an effective rank (not
/// centred) of 1.20 where d = 64, 1.24 where d = 128. Dead runs reach 1.00 to 1.10; the lowest that healthy ones end with
/// is about 1.5.
const LOW_ENTROPY: f64 = 0.0438;

/// An effective rank below this is near 1, for features of d channels.
pub fn low_rank(d: usize) -> f64 {
    (d.max(2) as f64).powf(LOW_ENTROPY)
}

/// A normalised standard deviation of a training batch below this is near 0. Dead runs read .0003 to .05; healthy ones,
/// some of which begin with some 200 steps along one direction, stay above .08.
pub const LOW_STD: f64 = 0.06;

/// Below this all embeddings are one, whatever directions the rest of rounding takes.
pub const NO_STD: f64 = 0.02;

/// The verdict from the effective rank (not centred) and the normalised standard deviation of a training batch of d
/// channels. The alignment is not asked, because it is near 1 in a collapsed run too. A rank of `None` (all embeddings are
/// zero) is complete collapse; a number that is not finite is no evidence.
pub fn verdict(effective_rank: Option<f64>, normalised_std: f64, d: usize) -> Verdict {
    match effective_rank {
        None => Verdict::Complete,
        Some(_) if normalised_std < NO_STD => Verdict::Complete,
        Some(rank) if rank < low_rank(d) && normalised_std < LOW_STD => Verdict::Complete,
        Some(rank) if rank < low_rank(d) && normalised_std >= LOW_STD => Verdict::OneDirection,
        Some(_) => Verdict::Healthy,
    }
}

/// An eigenvalue below this share of the largest carries nothing.
const UNUSED_SHARE: f64 = 1e-6;

/// Directions that carry nothing, of descending eigenvalues of F. Jing et al. (2021) and Hua et al. (2021) call it
/// dimensional collapse where there are some; healthy networks have them too.
pub fn unused_directions(eigenvalues: &[f64]) -> usize {
    let largest = eigenvalues.first().copied().unwrap_or(0.0);
    eigenvalues.iter().filter(|value| **value < UNUSED_SHARE * largest).count()
}

/// What frozen features are worth, each from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Accuracy {
    pub knn: f64,
    pub probe: f64,
}

impl Accuracy {
    /// Of what untrained features are worth, the share below which features have clearly become bad. Dead runs end at .2 to
    /// .8 of it, healthy ones above 1; in the valley that healthy ones pass through it is .65 to .9, or .4 before a late
    /// escape.
    const FAR: f64 = 0.6;

    /// Both are worth less than before the training.
    pub fn is_below(self, untrained: Self) -> bool {
        self.knn < untrained.knn && self.probe < untrained.probe
    }

    /// Both are worth far less.
    pub fn is_far_below(self, untrained: Self) -> bool {
        self.knn < Self::FAR * untrained.knn && self.probe < Self::FAR * untrained.probe
    }

    /// Neither is worth less.
    pub fn is_kept(self, untrained: Self) -> bool {
        self.knn >= untrained.knn && self.probe >= untrained.probe
    }
}

/// Turns verdicts into alarms. Bad verdicts of both kinds count together: steps of bad ones are added up, steps of healthy
/// ones taken away again, so that what wavers is not forgotten and clearing takes as long as raising. In shares of the run,
/// not in measurements, so that it does not matter how often one measures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Alarm {
    /// What was last announced, and in which step; `None` while nothing has been.
    pub standing: Verdict,
    pub announced: Option<u64>,
    /// The verdict of the newest check, and its step.
    pub newest: Verdict,
    pub checked: u64,
    /// Checks so far.
    pub all_checks: u32,
    /// Steps of bad verdicts of any kind less those of healthy ones, from 0 to what raises the alarm.
    pub bad_steps: u64,
    /// The same of complete collapse alone.
    complete_steps: u64,
    /// The same as `bad_steps`, up to [`Alarm::AT_END`] of the run: what the end is judged by.
    late_steps: u64,
    /// Since when `bad_steps` is above 0; checks since then, and the bad ones among them.
    pub since: u64,
    pub checks: u32,
    pub bad_checks: u32,
    /// What the features were worth before the training, and are now.
    pub untrained: Option<Accuracy>,
    pub accuracy: Option<Accuracy>,
}

/// What an alarm announces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Announcement {
    /// The network has collapsed, or its collapse is now of another kind.
    Raised(Verdict),
    /// It is healthy again.
    Cleared,
    /// The run is over: how the network ends. The last word, whatever was said before.
    Ended(Verdict),
}

impl Alarm {
    /// Share of the run for which features along one direction are watched before they are called collapsed. Healthy runs
    /// pass through it while the random part of the weights decays: most leave it after .2 of the run, the latest seen after
    /// .56, with features that were as bad as a dead network's till then.
    pub const PATIENCE: f64 = 2.0 / 3.0;

    /// Share of the run after which a spread near 0 is a complete collapse.
    pub const PATIENCE_COMPLETE: f64 = 0.05;

    /// The last share of the run, whose majority is the state at the end.
    const AT_END: f64 = 0.05;

    /// Notes what the features are worth; the first time, before the training, is what later ones are compared with.
    pub fn judged(&mut self, accuracy: Accuracy) {
        self.untrained.get_or_insert(accuracy);
        self.accuracy = Some(accuracy);
    }

    /// What the features are worth now and were worth before the training, once both are known.
    pub fn evidence(&self) -> Option<(Accuracy, Accuracy)> {
        self.accuracy.zip(self.untrained)
    }

    /// Steps that raise the alarm in a run of `steps`: steps of bad verdicts, or of complete collapse alone.
    pub fn patience(verdict: Verdict, steps: u64) -> u64 {
        share(if verdict == Verdict::Complete { Self::PATIENCE_COMPLETE } else { Self::PATIENCE }, steps)
    }

    /// Whether the features are worth no less than untrained ones: then a rank near 1 is not called a collapse.
    pub fn is_useful(&self) -> bool {
        self.evidence().is_some_and(|(now, untrained)| now.is_kept(untrained))
    }

    /// Whether the network looks collapsed and the alarm still waits.
    pub fn is_watching(&self) -> bool {
        self.standing == Verdict::Healthy && self.newest != Verdict::Healthy
    }

    /// Takes the verdict at `step` of a run of `steps`; it stands for the steps since the check before.
    pub fn observe(&mut self, verdict: Verdict, step: u64, steps: u64) -> Option<Announcement> {
        let passed = step.saturating_sub(self.checked);
        let before = self.newest;
        (self.newest, self.checked) = (verdict, step);
        self.all_checks = self.all_checks.saturating_add(1);
        let bad = verdict != Verdict::Healthy;
        if bad && self.bad_steps == 0 {
            (self.since, self.checks, self.bad_checks) = (step, 0, 0);
        }
        self.checks = self.checks.saturating_add(1);
        self.bad_checks = self.bad_checks.saturating_add(u32::from(bad));
        let most = [Self::PATIENCE, Self::PATIENCE_COMPLETE, Self::AT_END].map(|part| share(part, steps));
        count(&mut self.bad_steps, bad, passed, most[0]);
        count(&mut self.complete_steps, verdict == Verdict::Complete, passed, most[1]);
        count(&mut self.late_steps, bad, passed, most[2]);
        if step >= steps {
            let before = self.standing;
            self.standing = match () {
                () if 2 * self.late_steps <= most[2] => Verdict::Healthy,
                () if 2 * self.complete_steps > most[1] => Verdict::Complete,
                () if self.is_useful() => Verdict::Healthy,
                () => Verdict::OneDirection,
            };
            if self.standing != before {
                self.announced = Some(step);
            }
            return Some(Announcement::Ended(self.standing));
        }
        let now = match () {
            () if self.bad_steps == 0 => Verdict::Healthy,
            // One noisy batch is no alarm.
            () if !bad || before == Verdict::Healthy => self.standing,
            () if self.complete_steps == most[1] => Verdict::Complete,
            () if self.standing == Verdict::Complete && self.complete_steps > 0 => Verdict::Complete,
            () if self.bad_steps == most[0] && !self.is_useful() => Verdict::OneDirection,
            () => self.standing,
        };
        if now == self.standing {
            return None;
        }
        (self.standing, self.announced) = (now, Some(step));
        Some(if now == Verdict::Healthy { Announcement::Cleared } else { Announcement::Raised(now) })
    }
}

/// Steps of a share of a run, at least one.
fn share(part: f64, steps: u64) -> u64 {
    ((part * steps as f64).ceil() as u64).max(1)
}

/// Adds steps to a count or takes them away, from 0 to `most`.
fn count(counted: &mut u64, add: bool, steps: u64, most: u64) {
    *counted = if add { counted.saturating_add(steps).min(most) } else { counted.saturating_sub(steps) };
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Effective rank and normalised deviation of runs on generated shapes, as measured elsewhere.
    #[test]
    fn dead_networks_are_told_from_healthy_ones() {
        let verdict = |rank: f64, std: f64| verdict(Some(rank), std, 64);
        for (rank, std) in [(1.0001, 0.005), (1.007, 0.0003), (1.02, 0.008), (1.03, 0.05)] {
            assert_eq!(verdict(rank, std), Verdict::Complete);
        }
        let healthy = [(8.9, 0.10), (1.7, 0.41), (2.6, 0.68), (2.0, 0.44), (1.7, 0.29), (2.6, 0.61), (7.8, 0.88)];
        for (rank, std) in healthy {
            assert_eq!(verdict(rank, std), Verdict::Healthy);
        }
        // Kept from dying by the decay of the predictor alone, but along one direction.
        for (rank, std) in [(1.08, 0.20), (1.04, 0.12)] {
            assert_eq!(verdict(rank, std), Verdict::OneDirection);
        }
        // What is left of dead embeddings may point anywhere.
        assert_eq!(verdict(3.0, 0.001), Verdict::Complete);
        assert_eq!(verdict(1.0, f64::NAN), Verdict::Healthy);
        assert_eq!(super::verdict(None, 0.0, 64), Verdict::Complete);
    }

    #[test]
    fn what_is_a_low_rank_depends_on_the_width() {
        assert!((low_rank(64) - 1.2).abs() < 1e-3 && (1.23..1.25).contains(&low_rank(128)));
        assert_eq!(verdict(Some(1.22), 0.3, 64), Verdict::Healthy);
        assert_eq!(verdict(Some(1.22), 0.3, 128), Verdict::OneDirection);
        assert!(low_rank(0) > 1.0 && low_rank(0) < 2.0);
    }

    #[test]
    fn constant_features_are_a_complete_collapse() {
        let z = Matrix::from_fn(32, 4, |_, j| j as f64 + 1.0);
        let statistics = feature_statistics(&z).unwrap();
        assert_eq!(verdict(statistics.effective_rank, statistics.normalised_std, 4), Verdict::Complete);
        assert_eq!(statistics.effective_rank_centred, None);
        assert!((statistics.mean_energy - 1.0).abs() < 1e-12);
    }

    #[test]
    fn features_along_one_line_are_a_collapse_to_one_direction() {
        let z = Matrix::from_fn(32, 4, |i, j| (i as f64 - 15.2) * (j as f64 + 1.0));
        let statistics = feature_statistics(&z).unwrap();
        assert_eq!(verdict(statistics.effective_rank, statistics.normalised_std, 4), Verdict::OneDirection);
    }

    use Announcement::{Cleared, Ended, Raised};
    use Verdict::{Complete, Healthy, OneDirection};

    /// What an alarm announces in a run of 700 steps that is checked every so many.
    fn announced(every: u64, verdict: &dyn Fn(u64) -> Verdict) -> Vec<(u64, Announcement)> {
        let mut alarm = Alarm::default();
        let steps = (1..=700).filter(|step| step % every == 0);
        steps.filter_map(|step| Some((step, alarm.observe(verdict(step), step, 700)?))).collect()
    }

    #[test]
    fn an_alarm_waits_for_a_verdict_to_stand_sounds_once_and_says_how_the_run_ends() {
        // How often one measures decides by a measurement or two when it sounds, never whether.
        for every in [1, 10, 50, 100] {
            let found = announced(every, &|step| if step > 300 { Complete } else { Healthy });
            let expected = matches!(found[..], [(322..=500, Raised(Complete)), (700, Ended(Complete))]);
            assert!(expected, "every {every}: {found:?}");
            let found = announced(every, &|step| if (30..450).contains(&step) { OneDirection } else { Healthy });
            assert_eq!(found, [(700, Ended(Healthy))], "every {every}");
            let found = announced(every, &|step| if step > 30 { OneDirection } else { Healthy });
            let expected = matches!(found[..], [(490..=500, Raised(OneDirection)), (700, Ended(OneDirection))]);
            assert!(expected, "every {every}: {found:?}");
            // Too late to wait: it is said at the end.
            let found = announced(every, &|step| if step > 500 { OneDirection } else { Healthy });
            assert_eq!(found, [(700, Ended(OneDirection))], "every {every}");
        }
        // One noisy batch, even the last one.
        for noisy in [300, 700] {
            let found = announced(10, &|step| if step == noisy { Complete } else { Healthy });
            assert_eq!(found, [(700, Ended(Healthy))]);
        }
        // A single check is all there is to go by.
        assert_eq!(Alarm::default().observe(Complete, 5, 5), Some(Ended(Complete)));
    }

    #[test]
    fn bad_verdicts_of_both_kinds_count_together_and_clearing_takes_as_long_as_raising() {
        let kinds = [OneDirection, OneDirection, Complete, OneDirection];
        let found = announced(10, &|step| kinds[(step / 10 % 4) as usize]);
        assert!(matches!(found[..], [(460..=480, Raised(_)), (700, Ended(_))]), "{found:?}");
        // Four healthy checks amidst bad ones, as in a network that wavers about the limit, take nothing back.
        let found = announced(10, &|step| if (550..590).contains(&step) { Healthy } else { OneDirection });
        assert!(matches!(found[..], [(460..=480, Raised(OneDirection)), (700, Ended(OneDirection))]), "{found:?}");
        // Dead for 60 steps, alive for as many.
        let found = announced(10, &|step| if (101..=160).contains(&step) { Complete } else { Healthy });
        assert!(
            matches!(found[..], [(135..=150, Raised(Complete)), (220, Cleared), (700, Ended(Healthy))]),
            "{found:?}"
        );
    }

    /// Runs of 700 steps on generated shapes as they were recorded: rank, std, kNN and probe, and how they ended.
    #[test]
    fn recorded_runs_are_called_what_they_are_and_nothing_takes_it_back() {
        let recorded = include_str!("../../tests/collapse/runs.csv");
        let announced = |run: &str| {
            let (mut alarm, mut said) = (Alarm::default(), Vec::new());
            for line in recorded.lines().filter(|line| line.starts_with(&format!("{run},"))) {
                let cells: Vec<Option<f64>> = line.split(',').skip(1).map(|cell| cell.parse().ok()).collect();
                let [Some(step), rank, std, knn, probe] = cells[..] else { panic!("{line}") };
                if let (Some(knn), Some(probe)) = (knn, probe) {
                    alarm.judged(Accuracy { knn, probe });
                }
                let said_now = std.and_then(|std| alarm.observe(verdict(rank, std, 64), step as u64, 700));
                said.extend(said_now.map(|said_now| (step as u64, said_now)));
            }
            said
        };
        for (run, expected) in [
            ("BYOL", vec![(700, Ended(Healthy))]),
            // Ends at rank 1.01 with kNN .28, untrained .71, after four checks at a rank of 1.23 to 1.25.
            ("BYOL made symmetric SimSiam at 103", vec![(480, Raised(OneDirection)), (700, Ended(OneDirection))]),
            // Dead by every measure for 390 steps, and alive at the end.
            ("late escape", vec![(700, Ended(Healthy))]),
            ("wavering", vec![(700, Ended(Healthy))]),
            ("SimSiam", vec![(330, Raised(Complete)), (700, Ended(Complete))]),
            ("symmetric SimSiam", vec![(480, Raised(OneDirection)), (700, Ended(OneDirection))]),
            ("one layer with Table 3", vec![(500, Raised(OneDirection)), (700, Ended(OneDirection))]),
            // Along one line for 650 steps; the last word is the end's.
            ("last moment escape", vec![(480, Raised(OneDirection)), (700, Ended(Healthy))]),
        ] {
            assert_eq!(announced(run), expected, "{run}");
        }
    }

    #[test]
    fn features_worth_no_less_than_untrained_ones_are_not_called_collapsed_and_bad_ones_are_no_reason_alone() {
        let announced = |now: Accuracy, verdict: Verdict| {
            let mut alarm = Alarm::default();
            alarm.judged(Accuracy { knn: 0.71, probe: 0.72 });
            alarm.judged(now);
            (10..=700).step_by(10).filter_map(|step| alarm.observe(verdict, step, 700)).collect::<Vec<_>>()
        };
        let [bad, mixed, good] = [(0.28, 0.42), (0.75, 0.60), (0.84, 0.90)].map(|(knn, probe)| Accuracy { knn, probe });
        assert_eq!(announced(bad, OneDirection), [Raised(OneDirection), Ended(OneDirection)]);
        assert_eq!(announced(mixed, OneDirection), [Raised(OneDirection), Ended(OneDirection)]);
        assert_eq!(announced(good, OneDirection), [Ended(Healthy)]);
        assert_eq!(announced(good, Complete), [Raised(Complete), Ended(Complete)]);
        assert_eq!(announced(bad, Healthy), [Ended(Healthy)]);
    }
}
