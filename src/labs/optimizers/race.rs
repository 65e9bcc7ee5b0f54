//! A fair race: every optimizer with the learning rate that suits it best, and as many gradients as any other, from many
//! starts.
//!
//! * The **budget** is one of gradients and not of updates. An update that does not fit into it is not made, so that L-BFGS,
//!   whose line search looks at several gradients in one update, may leave a few of them unused; nobody has more.
//! * The **rate** of each rule with an η is found by one and the same search ([`tune`]), on starts and noise of its own;
//!   everything else is as the form has it.
//! * It is **judged** on other starts with other noise, the same ones for every rule. On each start, who ends lower is
//!   better; among those that are as low as numbers tell (f − f* within 10⁻¹² of what it was at a usual start) who was there
//!   first. Where f falls without end, who leaves the window first is better.

mod tune;
mod walk;

pub use tune::{HIGHEST, LOWEST, Tuned};

use std::cmp::Ordering;

use rayon::prelude::*;

use super::params;
use super::rules::{Hyper, OwnRates, Rule};
use super::surface_run;
use super::surfaces::{Chosen, Surface};
use super::theory::fan::{Fan, kept_steps, quantile};
use super::theory::noise::Noise;
use super::verdict::Verdict;
use crate::compute::streams::RACE_STARTS;
use crate::engine::params::{ParamError, Params};
use crate::watch::Watch;
use walk::{Aim, Course, Score};

/// Starts on which a rate is tuned.
pub const TUNING: usize = 16;
/// Starts on which a race is judged unless one asks for another number.
pub const STARTS: usize = 32;
/// Around a place, starts lie within this share of the window to each side.
pub const AROUND: f64 = 0.1;
/// Most places on the axis of gradients at which f is kept.
const KEPT: u64 = 200;
/// Repetitions of the noise that belong to the starts that tune, and to those that judge; the run itself is 0.
const NOISE: [u32; 2] = [1 << 20, 1 << 21];
/// Places that are tried for each start, where f is not a number everywhere.
const TRIES: usize = 100;

/// What is raced.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    pub surface: Chosen,
    pub rules: Vec<Rule>,
    /// η and its factors stand at their defaults: the race finds them.
    pub hyper: Hyper,
    pub noise: Noise,
    pub seed: u64,
    /// Gradients that each run may look at, 1 to 100 000.
    pub budget: u64,
    /// Starts on which it is judged, at least 1.
    pub starts: usize,
    /// Starts lie around this place, or in the whole window.
    pub around: Option<[f64; 2]>,
}

impl Request {
    /// The race of a form: its surface, optimizers, noise, and as many gradients as it has updates; `near`: around its start.
    pub fn of(params: &Params, seed: u64, starts: usize, near: bool) -> Result<Self, ParamError> {
        surface_run::check(params)?;
        let learning_rate = Hyper::DEFAULT.learning_rate;
        Ok(Self {
            surface: params::surface(params)?,
            rules: surface_run::enabled(params).collect(),
            hyper: Hyper { learning_rate, own_rates: OwnRates::SHARED, ..Hyper::of(params) },
            noise: surface_run::noise(params, seed),
            seed,
            budget: params::STEPS.of(params) as u64,
            starts,
            around: near.then(|| [params::START_X.of(params), params::START_Y.of(params)]),
        })
    }

    /// Places to start from, drawn from the seed; `which` says for what.
    fn places(&self, which: usize, count: usize) -> Result<Vec<[f64; 2]>, String> {
        let window = self.surface.domain;
        let mut rng = RACE_STARTS.open(self.seed, which as u64);
        let mut draw = |i: usize| {
            let [low, high] = window[i];
            match self.around {
                None => rng.between(low, high),
                Some(place) => place[i] + AROUND * (high - low) * rng.between(-1.0, 1.0),
            }
        };
        let places: Vec<[f64; 2]> = (0..TRIES * count)
            .map(|_| [draw(0), draw(1)])
            .filter(|at| self.surface.f(*at).is_finite() && self.surface.gradient(*at).iter().all(|v| v.is_finite()))
            .take(count)
            .collect();
        if places.len() == count {
            return Ok(places);
        }
        Err(format!(
            "f has a finite value and slope at only {} of {} places that were tried {}; {count} starts are needed",
            places.len(),
            TRIES * count,
            if self.around.is_some() { "around the start" } else { "in the window" },
        ))
    }
}

/// What f is measured from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Lowest {
    /// The lowest minimum that is known of the surface.
    Known(f64),
    /// None is known: the lowest f that anybody came by inside of the window.
    Found(f64),
    /// f falls without end.
    Endless,
}

/// A finished race.
#[derive(Debug, Clone, PartialEq)]
pub struct Race {
    pub lowest: Lowest,
    pub starts: Vec<[f64; 2]>,
    /// Numbers of gradients at which the standings' fans have f.
    pub kept: Vec<u64>,
    /// The best first.
    pub standings: Vec<Standing>,
}

/// How one optimizer did.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    pub rule: Rule,
    /// Its learning rate; `None`: it has none.
    pub tuned: Option<Tuned>,
    /// Median and mean over the starts of its rank, 1 the best; those that tie share the mean of their ranks.
    pub rank: f64,
    pub mean_rank: f64,
    /// Starts on which it was the best; one on which n tie counts 1/n.
    pub wins: f64,
    /// 25, 50 and 75 % quantile over the starts of f − f* at the end, ∞ where it diverged; NaN where f falls without end.
    pub gap: [f64; 3],
    /// Starts from which it arrived at a minimum and stays, or left the window downhill where f falls without end.
    pub arrived: usize,
    /// Median of the gradients that this took, of those that arrived.
    pub gradients: Option<f64>,
    /// By start.
    pub outcomes: Vec<Outcome>,
    /// f against the gradients, over the starts.
    pub fan: Fan,
}

/// How one run of a race ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outcome {
    /// f at the end; NaN where it diverged.
    pub f: f64,
    pub verdict: Option<Verdict>,
    /// Gradients until it arrived, see [`Standing::arrived`].
    pub arrived: Option<u64>,
    /// Rank among all on this start.
    pub rank: f64,
}

/// Runs the race. Blocks. The error says what is wrong with the request, or that it was cancelled.
pub fn run(request: &Request, watch: Watch<'_>) -> Result<Race, String> {
    let Request { surface, rules, budget, starts: count, .. } = request;
    if !(1..=100_000).contains(budget) || *count == 0 {
        return Err(format!("a race has 1 to 100000 gradients and a start; {budget} and {count} were asked for"));
    }
    if rules.is_empty() {
        return Err("no optimizer is on; turn on at least one".to_owned());
    }
    let (tuning, starts) = (request.places(0, TUNING)?, request.places(1, *count)?);
    let aim = Aim::of(surface, &tuning);
    let searched = rules.iter().filter(|rule| rule.has_learning_rate()).count();
    let done = watch.counter(1, searched * tune::RUNS * TUNING + rules.len() * count);
    let tuned = tune::search(request, &aim, &tuning, watch, &done)?;
    let kept = kept_steps(*budget, KEPT);
    let one = |index: usize| -> Option<Course> {
        if watch.cancelled() {
            return None;
        }
        let (lane, start) = (index / count, index % count);
        let hyper = tuned[lane].as_ref().map_or(request.hyper, |tuned| with_rate(&request.hyper, tuned.rate));
        let noise = request.noise.member(NOISE[1] + start as u32);
        let course = walk::judged(rules[lane], request, &hyper, &noise, starts[start], &aim, &kept);
        done(1);
        Some(course)
    };
    let courses: Vec<Course> =
        (0..rules.len() * count).into_par_iter().map(one).collect::<Option<_>>().ok_or(STOPPED)?;
    let lanes: Vec<&[Course]> = courses.chunks(*count).collect();
    let lowest = match aim {
        Aim::Leave => Lowest::Endless,
        Aim::Down { lowest: Some(known), .. } => Lowest::Known(known),
        Aim::Down { lowest: None, .. } => {
            Lowest::Found(courses.iter().map(|course| course.lowest).fold(f64::INFINITY, f64::min))
        }
    };
    let mut ranks = vec![vec![0.0; *count]; rules.len()];
    let mut wins = vec![0.0; rules.len()];
    for start in 0..*count {
        let scores: Vec<Score> = lanes.iter().map(|lane| lane[start].score).collect();
        for (lane, rank) in shared_ranks(&scores).into_iter().enumerate() {
            ranks[lane][start] = rank;
        }
        let best = scores.iter().copied().min_by(Score::order).filter(|best| !best.is_lost());
        let winners = |score: &Score| best.is_some_and(|best| best.order(score) == Ordering::Equal);
        let tied = scores.iter().filter(|score| winners(score)).count();
        (0..rules.len()).filter(|lane| winners(&scores[*lane])).for_each(|lane| wins[lane] += 1.0 / tied as f64);
    }
    let standing =
        |lane: usize| Standing::of(rules[lane], tuned[lane].clone(), lanes[lane], &ranks[lane], wins[lane], lowest);
    let mut standings: Vec<Standing> = (0..rules.len()).map(standing).collect();
    standings.sort_by(|a, b| a.rank.total_cmp(&b.rank).then(a.mean_rank.total_cmp(&b.mean_rank)));
    Ok(Race { lowest, starts, kept, standings })
}

/// What a race that is cancelled says.
const STOPPED: &str = "the race was stopped";

fn with_rate(hyper: &Hyper, learning_rate: f64) -> Hyper {
    Hyper { learning_rate, ..*hyper }
}

/// The ranks of scores, 1 the best; those that tie share the mean of their ranks.
fn shared_ranks(scores: &[Score]) -> Vec<f64> {
    let rank = |score: &Score| {
        let than = |wanted: Ordering| scores.iter().filter(|other| other.order(score) == wanted).count() as f64;
        than(Ordering::Less) + 0.5 * (than(Ordering::Equal) + 1.0)
    };
    scores.iter().map(rank).collect()
}

impl Standing {
    fn of(rule: Rule, tuned: Option<Tuned>, lane: &[Course], ranks: &[f64], wins: f64, lowest: Lowest) -> Self {
        let sorted = |values: &mut dyn Iterator<Item = f64>| {
            let mut values: Vec<f64> = values.collect();
            values.sort_unstable_by(f64::total_cmp);
            values
        };
        let gap = match lowest {
            Lowest::Endless => [f64::NAN; 3],
            Lowest::Known(base) | Lowest::Found(base) => {
                // Below a known minimum is only who left the window.
                let gap = |f: f64| if f.is_finite() { (f - base).max(0.0) } else { f64::INFINITY };
                let gaps = sorted(&mut lane.iter().map(|course| gap(course.f)));
                [0.25, 0.5, 0.75].map(|share| quantile(&gaps, share))
            }
        };
        let took = sorted(&mut lane.iter().filter_map(|course| course.arrived).map(|k| k as f64));
        let outcomes = lane.iter().zip(ranks).map(|(course, rank)| Outcome {
            f: course.f,
            verdict: course.verdict,
            arrived: course.arrived,
            rank: *rank,
        });
        let runs: Vec<Vec<f64>> = lane.iter().map(|course| course.kept.clone()).collect();
        Self {
            rule,
            tuned,
            rank: quantile(&sorted(&mut ranks.iter().copied()), 0.5),
            mean_rank: ranks.iter().sum::<f64>() / ranks.len() as f64,
            wins,
            gap,
            arrived: took.len(),
            gradients: (!took.is_empty()).then(|| quantile(&took, 0.5)),
            outcomes: outcomes.collect(),
            fan: Fan::of(&runs),
        }
    }
}

impl Race {
    /// The η to share and the factor of each rule that has one, so that each has the rate at which it was the best: the η
    /// given if the factors are within the form's range for it.
    pub fn rates(&self, eta: f64) -> (f64, Vec<(Rule, f64)>) {
        let tuned = || self.standings.iter().filter_map(|one| Some((one.rule, one.tuned.as_ref()?.rate)));
        let fits = |eta: f64| tuned().all(|(_, rate)| (1e-3..=1e3).contains(&(rate / eta)));
        // From its middle every rate that is searched can be reached.
        let eta = if fits(eta) { eta } else { (LOWEST * HIGHEST).sqrt() };
        (eta, tuned().map(|(rule, rate)| (rule, (rate / eta).clamp(1e-3, 1e3))).collect())
    }

    /// The table of standings, one line each, numbers with all their digits.
    pub fn csv(&self) -> String {
        let mut text = String::from(
            "place,optimizer,median_rank,mean_rank,wins,starts,arrived,median_gradients_to_arrive,gap_25,gap_50,gap_75,\
             learning_rate,rate_at_border\n",
        );
        for (place, one) in self.standings.iter().enumerate() {
            let option = |value: Option<f64>| value.map_or_else(String::new, |value| format!("{value:?}"));
            let [low, middle, high] = one.gap.map(|gap| option((!gap.is_nan()).then_some(gap)));
            let cells = [
                (place + 1).to_string(),
                one.rule.id().to_owned(),
                format!("{:?}", one.rank),
                format!("{:?}", one.mean_rank),
                format!("{:?}", one.wins),
                one.outcomes.len().to_string(),
                one.arrived.to_string(),
                option(one.gradients),
                low,
                middle,
                high,
                option(one.tuned.as_ref().map(|tuned| tuned.rate)),
                one.tuned.as_ref().map_or_else(String::new, |tuned| tuned.at_border.to_string()),
            ];
            text.push_str(&cells.join(","));
            text.push('\n');
        }
        text
    }
}

/// Whether f is lower at the border of the window than anywhere inside of it.
fn lowest_at_the_border(surface: &Surface) -> bool {
    const SIDE: usize = 33;
    let at = |i: usize, k: usize| {
        let [low, high] = surface.domain[i];
        low + (high - low) * k as f64 / (SIDE - 1) as f64
    };
    let lowest = |border: bool| {
        let cells = (0..SIDE * SIDE).map(|cell| [cell % SIDE, cell / SIDE]);
        let wanted = cells.filter(|cell| cell.iter().any(|k| *k == 0 || *k == SIDE - 1) == border);
        let values = wanted.map(|[x, y]| surface.f([at(0, x), at(1, y)])).filter(|f| !f.is_nan());
        values.fold(f64::INFINITY, f64::min)
    };
    lowest(true) < lowest(false)
}

#[cfg(test)]
mod tests;
