//! The learning rate of each rule: a logarithmic grid, then a finer one around the best.

use rayon::prelude::*;

use super::walk::{Aim, Score, score};
use super::{NOISE, Request, STOPPED, with_rate};
use crate::labs::optimizers::rules::Rule;
use crate::watch::Watch;

/// The rates that are searched.
pub const LOWEST: f64 = 1e-5;
pub const HIGHEST: f64 = 10.0;
/// Rates of the grid, four for each power of ten.
const GRID: i32 = 25;
/// Finer rates between two of them.
const FINE: i32 = 4;
/// Rates that are tried for each rule.
pub const RUNS: usize = GRID as usize + 2 * (FINE as usize - 1);

/// A rate that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Tuned {
    pub rate: f64,
    /// It is the lowest or the highest that was searched: a better one may lie beyond.
    pub at_border: bool,
    /// It diverges from half of the starts or more at every rate.
    pub lost: bool,
    /// What was tried, by rate: the median over the starts of f at the end, or of the gradients until it left the window
    /// where f falls without end (NaN where it did not); ∞ where it diverged.
    pub tried: Vec<[f64; 2]>,
}

/// A rate that was tried, in quarters of the grid's steps, with the scores of all starts, the best first.
struct Tried {
    place: i32,
    scores: Vec<Score>,
}

impl Tried {
    fn middle(&self) -> Score {
        self.scores[self.scores.len() / 2]
    }

    fn lost(&self) -> usize {
        self.scores.iter().filter(|score| score.is_lost()).count()
    }
}

/// In three figures, so that what is shown is what was tried.
fn rate(place: i32) -> f64 {
    let rate = 10f64.powf(LOWEST.log10() + f64::from(place) / f64::from(4 * FINE));
    format!("{rate:.2e}").parse().unwrap_or(rate)
}

/// The rate of each rule of the request; `None` where it has none. `done` is called with each number of finished runs.
pub fn search(
    request: &Request,
    aim: &Aim,
    starts: &[[f64; 2]],
    watch: Watch<'_>,
    done: &(impl Fn(usize) + Sync),
) -> Result<Vec<Option<Tuned>>, String> {
    let one = |(rule, place): &(Rule, i32)| -> Option<Tried> {
        let hyper = with_rate(&request.hyper, rate(*place));
        let mut scores = Vec::with_capacity(starts.len());
        for (i, start) in starts.iter().enumerate() {
            if watch.cancelled() {
                return None;
            }
            let noise = request.noise.member(NOISE[0] + i as u32);
            scores.push(score(*rule, request, &hyper, &noise, *start, aim));
        }
        done(starts.len());
        scores.sort_unstable_by(Score::order);
        Some(Tried { place: *place, scores })
    };
    let all = |tasks: &[(Rule, i32)]| -> Result<Vec<Tried>, String> {
        tasks.par_iter().map(&one).collect::<Option<_>>().ok_or_else(|| STOPPED.to_owned())
    };
    let rules: Vec<Rule> = request.rules.iter().copied().filter(|rule| rule.has_learning_rate()).collect();
    let grid: Vec<(Rule, i32)> = rules.iter().flat_map(|rule| (0..GRID).map(|i| (*rule, i * FINE))).collect();
    let mut coarse = all(&grid)?.into_iter();
    let mut tried: Vec<Vec<Tried>> = rules.iter().map(|_| coarse.by_ref().take(GRID as usize).collect()).collect();
    let ends = 0..=(GRID - 1) * FINE;
    let around = |(rule, tried): (&Rule, &Vec<Tried>)| {
        let (rule, best) = (*rule, best(tried));
        (1 - FINE..FINE).filter(|step| *step != 0).map(move |step| (rule, best + step))
    };
    let finer: Vec<(Rule, i32)> =
        rules.iter().zip(&tried).flat_map(around).filter(|(_, place)| ends.contains(place)).collect();
    for (found, (rule, _)) in all(&finer)?.into_iter().zip(&finer) {
        if let Some(lane) = rules.iter().position(|known| known == rule) {
            tried[lane].push(found);
        }
    }
    let mut found = tried.into_iter().map(|tried| Tuned::of(tried, aim, *ends.end()));
    let tuned = request.rules.iter().map(|rule| if rule.has_learning_rate() { found.next() } else { None });
    Ok(tuned.collect())
}

/// Where the best of them is: of those with the lowest median that with the fewest lost runs, then the lowest rate.
fn best(tried: &[Tried]) -> i32 {
    let order = |a: &&Tried, b: &&Tried| {
        a.middle().order(&b.middle()).then(a.lost().cmp(&b.lost())).then(a.place.cmp(&b.place))
    };
    tried.iter().min_by(order).map_or(0, |tried| tried.place)
}

impl Tuned {
    fn of(mut tried: Vec<Tried>, aim: &Aim, last: i32) -> Self {
        let best = best(&tried);
        tried.sort_by_key(|tried| tried.place);
        let value = |score: Score| match aim {
            Aim::Leave if score.0 == 0.0 => score.1,
            Aim::Leave if !score.is_lost() => f64::NAN,
            _ => score.0,
        };
        Self {
            rate: rate(best),
            at_border: best == 0 || best == last,
            lost: tried.iter().all(|tried| tried.middle().is_lost()),
            tried: tried.iter().map(|tried| [rate(tried.place), value(tried.middle())]).collect(),
        }
    }
}
