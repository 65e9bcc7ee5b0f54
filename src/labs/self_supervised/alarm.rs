//! The collapse alarm in words, and replayed from what a run recorded.

use crate::engine::event::Level;
use crate::engine::state::{History, RunState};
use crate::engine::twin::TWIN;
use crate::metrics::collapse::{Accuracy, Alarm, Announcement, Verdict};
use crate::plot::number::{grouped, short};

/// What a check measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Check {
    pub verdict: Verdict,
    /// Effective rank of the batch; `None` where all embeddings are zero.
    pub rank: Option<f64>,
    pub std: f64,
    /// Channels of the embeddings, and those of their directions that carry nothing.
    pub d: usize,
    pub unused: usize,
}

/// An announcement as a notice.
pub fn notice(said: Announcement, alarm: &Alarm, check: &Check) -> (Level, String) {
    let worthless = alarm.evidence().is_some_and(|(now, untrained)| now.is_far_below(untrained));
    let (level, what) = match said {
        Announcement::Raised(Verdict::Complete) => (
            Level::Warning,
            "complete collapse: every picture has nearly the same embedding. The loss does not tell; restart with another \
             configuration",
        ),
        Announcement::Raised(_) => (
            Level::Warning,
            "collapse to one direction: for most of the run the embeddings have differed along one line only",
        ),
        Announcement::Cleared => (Level::Info, "no collapse any more: the embeddings vary in several directions again"),
        Announcement::Ended(Verdict::Complete) => {
            (Level::Warning, "the run ends in complete collapse: every picture has nearly the same embedding")
        }
        Announcement::Ended(Verdict::OneDirection) => {
            (Level::Warning, "the run ends collapsed to one direction: the embeddings differ along one line only")
        }
        Announcement::Ended(Verdict::Healthy) if worthless => {
            (Level::Warning, "the run ends without collapse, but its features are worth far less than untrained ones")
        }
        Announcement::Ended(Verdict::Healthy) if alarm.newest != Verdict::Healthy => (
            Level::Warning,
            "the run ends with a rank near 1, not called a collapse: it is so since shortly before the end only, or the \
             features are worth no less than untrained ones",
        ),
        Announcement::Ended(Verdict::Healthy) => (Level::Info, "the run ends without collapse"),
    };
    let rank = check.rank.map_or_else(|| "—".to_owned(), short);
    let mut numbers = format!("effective rank {rank} of {}, normalised std {}", check.d, short(check.std));
    if let Some(evidence) = evidence(alarm) {
        numbers.push_str(&format!("; {evidence}"));
    }
    if said == Announcement::Ended(Verdict::Healthy) && check.unused > 0 {
        numbers.push_str(&format!("; {}", unused(check.unused, check.d)));
    }
    (level, format!("{what} ({numbers})"))
}

/// The last word of a run that is stopped at `step` of `steps`: how it stands, which is not how it would have ended. `check`:
/// the newest one, where it is known.
pub fn stopped(alarm: &Alarm, check: Option<&Check>, step: u64, steps: u64) -> (Level, String) {
    let (level, what) = match (alarm.standing, alarm.newest) {
        (Verdict::Healthy, Verdict::Healthy) => (Level::Info, "without collapse so far"),
        (Verdict::Healthy, Verdict::Complete) => (Level::Warning, "with nearly the same embedding for every picture"),
        (Verdict::Healthy, Verdict::OneDirection) => {
            (Level::Warning, "with embeddings that differ along one line only, not called a collapse so far")
        }
        (_, Verdict::Healthy) => {
            (Level::Warning, "after a collapse: healthy in the newest check, not for long enough to call it over")
        }
        (Verdict::Complete, _) => (Level::Warning, "in complete collapse: every picture has nearly the same embedding"),
        (Verdict::OneDirection, _) => {
            (Level::Warning, "collapsed to one direction: the embeddings differ along one line only")
        }
    };
    let measured = check.map(|check| {
        let rank = check.rank.map_or_else(|| "—".to_owned(), short);
        format!("effective rank {rank} of {}, normalised std {}", check.d, short(check.std))
    });
    let numbers: Vec<String> = measured.into_iter().chain(evidence(alarm)).collect();
    let numbers = if numbers.is_empty() { String::new() } else { format!(" ({})", numbers.join("; ")) };
    let text = format!("the run is stopped at step {} of {} {what}{numbers}.", grouped(step), grouped(steps));
    (level, text + &waiting(alarm, steps))
}

/// What kNN and probe say beside rank and spread; `None` before both are known.
pub fn evidence(alarm: &Alarm) -> Option<String> {
    let (now, untrained) = alarm.evidence()?;
    let than = match () {
        () if now.is_far_below(untrained) => "far below",
        () if now.is_below(untrained) => "below",
        () if now.is_kept(untrained) => "not below",
        () => "one of them below",
    };
    let [knn, probe, knn_before, probe_before] =
        [now.knn, now.probe, untrained.knn, untrained.probe].map(|share| format!("{share:.2}"));
    Some(format!("kNN {knn} and probe {probe}, {than} the untrained network's {knn_before} and {probe_before}"))
}

/// Directions that carry nothing, in the literature's word, which is not this alarm's.
pub fn unused(count: usize, d: usize) -> String {
    format!(
        "{count} of {d} directions carry nothing, which Jing et al. and Hua et al. call dimensional collapse; healthy runs \
         have that too"
    )
}

/// What the alarm has seen and not yet announced; empty where that is nothing.
pub fn waiting(alarm: &Alarm, steps: u64) -> String {
    let Alarm { standing, newest, bad_steps, bad_checks, checks, since, .. } = *alarm;
    let (bad_steps, since) = (grouped(bad_steps), grouped(since));
    match (standing, newest) {
        (Verdict::Healthy, Verdict::Healthy) if alarm.all_checks < 3 => " Too early to tell.".to_owned(),
        (Verdict::Healthy, Verdict::Healthy) => String::new(),
        (Verdict::Healthy, bad) => {
            let patience = grouped(Alarm::patience(bad, steps));
            let of = match bad {
                Verdict::Complete => format!("called a collapse after {patience} with the spread near 0"),
                _ if alarm.is_useful() => "not called a collapse while the features are worth that much".to_owned(),
                _ => format!("called a collapse after {patience}; healthy runs pass through this"),
            };
            format!(" Low in {bad_checks} of {checks} checks since step {since}, for {bad_steps} steps; {of}.")
        }
        (_, Verdict::Healthy) if alarm.checked < steps => {
            format!(" Healthy now: all-clear after {bad_steps} more such steps.")
        }
        _ => String::new(),
    }
}

/// The alarm as it stood at `step`, of the run or of its twin, which begins with its parent's history. `None` where nothing
/// was checked by then.
pub fn replay(run: &RunState, twin: bool, step: u64) -> Option<Alarm> {
    let steps = run.header.as_ref()?.steps;
    let checks = points(run, "collapse", twin, step);
    let (knn, probe) = (points(run, "knn", twin, step), points(run, "probe", twin, step));
    let mut judged = knn.into_iter().zip(probe).peekable();
    let mut alarm = Alarm::default();
    for (at, value) in checks {
        while let Some(((_, knn), (_, probe))) = judged.next_if(|((judged, _), _)| *judged <= at) {
            alarm.judged(Accuracy { knn, probe });
        }
        alarm.observe(Verdict::of(value), at, steps);
    }
    (alarm.all_checks > 0).then_some(alarm)
}

/// The recorded numbers of a key up to `step`; of the twin, its parent's before it was forked.
fn points(run: &RunState, key: &str, twin: bool, step: u64) -> Vec<(u64, f64)> {
    let of = |key: &str| run.scalars.get(key).into_iter().flat_map(History::points);
    let own = format!("{TWIN}{key}");
    let first = if twin { of(&own).next().map_or(u64::MAX, |(first, _)| first) } else { u64::MAX };
    let shared = of(key).take_while(|(at, _)| *at < first);
    let rest = of(&own).filter(|_| twin);
    shared.chain(rest).take_while(|(at, _)| *at <= step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNTRAINED: Accuracy = Accuracy { knn: 0.71, probe: 0.72 };

    fn ended(rank: f64, std: f64, now: Accuracy, unused: usize) -> (Level, String) {
        let mut alarm = Alarm::default();
        [UNTRAINED, now].into_iter().for_each(|accuracy| alarm.judged(accuracy));
        let verdict = crate::metrics::collapse::verdict(Some(rank), std, 64);
        let said = (1..=20).filter_map(|step| alarm.observe(verdict, step, 20)).last().unwrap();
        notice(said, &alarm, &Check { verdict, rank: Some(rank), std, d: 64, unused })
    }

    #[test]
    fn the_last_word_tells_rank_1_from_unused_directions_and_cries_no_wolf() {
        let (level, text) = ended(3.21, 0.714, Accuracy { knn: 0.91, probe: 0.93 }, 60);
        assert_eq!(level, Level::Info);
        assert!(text.starts_with("the run ends without collapse (effective rank 3.21 of 64"), "{text}");
        assert!(
            text.contains("60 of 64 directions carry nothing") && text.contains("healthy runs have that too"),
            "{text}"
        );
        let (level, text) = ended(1.01, 0.077, Accuracy { knn: 0.28, probe: 0.42 }, 60);
        assert_eq!(level, Level::Warning);
        assert!(text.starts_with("the run ends collapsed to one direction"), "{text}");
        assert!(text.contains("kNN 0.28 and probe 0.42, far below the untrained network's 0.71 and 0.72"), "{text}");
        assert!(!text.contains("carry nothing"), "{text}");
        let (level, text) = ended(1.0, 0.01, UNTRAINED, 63);
        assert!(level == Level::Warning && text.contains("complete collapse"), "{text}");
    }

    #[test]
    fn a_stopped_run_says_how_it_stands_and_not_how_it_would_have_ended() {
        let stopped_after = |verdicts: &[Verdict]| {
            let mut alarm = Alarm::default();
            // Features that are worth less than the untrained ones.
            [UNTRAINED, Accuracy { knn: 0.2, probe: 0.3 }].into_iter().for_each(|accuracy| alarm.judged(accuracy));
            for (step, verdict) in (1..).zip(verdicts) {
                alarm.observe(*verdict, step, 100);
            }
            let check = Check { verdict: Verdict::Healthy, rank: Some(1.5), std: 0.3, d: 64, unused: 0 };
            stopped(&alarm, Some(&check), verdicts.len() as u64, 100)
        };
        use Verdict::{Complete, Healthy, OneDirection};
        for (verdicts, level, words) in [
            (
                vec![Healthy; 20],
                Level::Info,
                "stopped at step 20 of 100 without collapse so far (effective rank 1.50 of 64",
            ),
            (vec![OneDirection; 20], Level::Warning, "not called a collapse so far"),
            (vec![OneDirection; 90], Level::Warning, "stopped at step 90 of 100 collapsed to one direction"),
            (vec![Complete; 20], Level::Warning, "in complete collapse"),
            ([vec![Complete; 20], vec![Healthy; 2]].concat(), Level::Warning, "not for long enough"),
        ] {
            let (found, text) = stopped_after(&verdicts);
            assert!(found == level && text.contains(words), "{text}");
        }
        assert!(stopped_after(&[OneDirection; 20]).1.contains("called a collapse after 67"), "what it waits for");
    }

    #[test]
    fn what_is_not_collapsed_and_not_good_is_said_too() {
        let (level, text) = ended(1.9, 0.5, Accuracy { knn: 0.20, probe: 0.30 }, 0);
        assert!(
            level == Level::Warning && text.contains("without collapse, but its features are worth far less"),
            "{text}"
        );
        let (level, text) = ended(1.1, 0.5, Accuracy { knn: 0.80, probe: 0.90 }, 0);
        assert!(level == Level::Warning && text.contains("rank near 1, not called a collapse"), "{text}");
    }
}
