//! One run of a race, and what is seen of it.

use std::cmp::Ordering;

use super::Request;
use crate::labs::optimizers::PATH_COLUMNS;
use crate::labs::optimizers::rules::{Hyper, Rule, State};
use crate::labs::optimizers::surfaces::Surface;
use crate::labs::optimizers::theory::noise::Noise;
use crate::labs::optimizers::verdict::{Verdict, verdict};

/// As low as numbers tell: this share of f − f* at a usual start.
const RESOLVED: f64 = 1e-12;

/// What a race is about.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Aim {
    /// To be low. `lowest`: the lowest known minimum. Whoever is below `resolved` is as low as one can be.
    Down { lowest: Option<f64>, resolved: f64 },
    /// Out of the window, downhill: f falls without end.
    Leave,
}

impl Aim {
    /// That of a surface, with these as usual starts.
    pub fn of(surface: &Surface, starts: &[[f64; 2]]) -> Self {
        let values = surface.minima().map(|minimum| minimum.value);
        let Some(lowest) = values.min_by(f64::total_cmp) else {
            let endless = surface.expression().is_none() || super::lowest_at_the_border(surface);
            return if endless { Aim::Leave } else { Aim::Down { lowest: None, resolved: f64::NEG_INFINITY } };
        };
        let mut gaps: Vec<f64> = starts.iter().map(|start| surface.f(*start) - lowest).collect();
        gaps.sort_unstable_by(f64::total_cmp);
        let usual = gaps.get(gaps.len() / 2).copied().unwrap_or(0.0).max(0.0);
        Aim::Down { lowest: Some(lowest), resolved: lowest + RESOLVED * usual }
    }
}

/// How good a run was: the lower the better, first by the one and then by the other number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score(pub f64, pub f64);

impl Score {
    /// It diverged.
    pub const LOST: Self = Self(f64::INFINITY, 0.0);

    pub fn order(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0).then(self.1.total_cmp(&other.1))
    }

    pub fn is_lost(&self) -> bool {
        self.0 == f64::INFINITY
    }
}

/// Looks on and keeps the score.
struct Judge<'a> {
    aim: &'a Aim,
    surface: &'a Surface,
    first: f64,
    f: f64,
    /// Gradients after which it was where it should be, and stayed.
    since: Option<u64>,
}

impl<'a> Judge<'a> {
    fn new(aim: &'a Aim, surface: &'a Surface) -> Self {
        Self { aim, surface, first: f64::NAN, f: f64::NAN, since: None }
    }

    fn see(&mut self, state: &State, f: f64) {
        if state.k == 0 {
            self.first = f;
        }
        self.f = f;
        let there = match self.aim {
            Aim::Down { resolved, .. } => f <= *resolved,
            Aim::Leave => {
                // Who went down without end may have no numbers left at the end.
                let beyond = f == f64::NEG_INFINITY || (!f.is_finite() && self.since.is_some());
                beyond || (f < self.first && !inside(self.surface, state.theta))
            }
        };
        match (there, self.since) {
            (true, None) => self.since = Some(state.evaluations),
            (false, Some(_)) => self.since = None,
            _ => {}
        }
    }

    fn score(&self, budget: u64) -> Score {
        match (self.aim, self.since) {
            (Aim::Leave, Some(since)) => Score(0.0, since as f64),
            (_, _) if !self.f.is_finite() => Score::LOST,
            (Aim::Leave, None) => Score(1.0, self.f),
            (Aim::Down { resolved, .. }, since) => {
                Score(self.f.max(*resolved), since.map_or(budget as f64, |since| since as f64))
            }
        }
    }
}

fn inside(surface: &Surface, place: [f64; 2]) -> bool {
    (0..2).all(|i| (surface.domain[i][0]..=surface.domain[i][1]).contains(&place[i]))
}

/// Walks from the start for as long as the gradients of an update fit into the budget and its numbers are finite. `see` is
/// told the state and f after 0, 1, .. updates.
pub fn walk(
    rule: Rule,
    request: &Request,
    hyper: &Hyper,
    noise: &Noise,
    start: [f64; 2],
    mut see: impl FnMut(&State, f64),
) {
    let surface = &*request.surface;
    let mut state = State::new(start);
    see(&state, surface.f(start));
    loop {
        rule.noisy_step(&mut state, surface, hyper, noise);
        if state.evaluations > request.budget {
            return;
        }
        let f = surface.f(state.theta);
        see(&state, f);
        if !(f.is_finite() && state.theta.iter().all(|v| v.is_finite())) {
            return;
        }
    }
}

/// The score of a run.
pub fn score(rule: Rule, request: &Request, hyper: &Hyper, noise: &Noise, start: [f64; 2], aim: &Aim) -> Score {
    let mut judge = Judge::new(aim, &request.surface);
    walk(rule, request, hyper, noise, start, |state, f| judge.see(state, f));
    judge.score(request.budget)
}

/// A run that is judged.
#[derive(Debug, Clone, PartialEq)]
pub struct Course {
    pub score: Score,
    /// At the end.
    pub f: f64,
    /// The lowest f inside of the window.
    pub lowest: f64,
    pub verdict: Option<Verdict>,
    /// Gradients until it was at a minimum and stayed, or out of the window where f falls without end.
    pub arrived: Option<u64>,
    /// f after each of the kept numbers of gradients; NaN where it had diverged before.
    pub kept: Vec<f64>,
}

/// The run from a start.
pub fn judged(
    rule: Rule,
    request: &Request,
    hyper: &Hyper,
    noise: &Noise,
    start: [f64; 2],
    aim: &Aim,
    kept: &[u64],
) -> Course {
    const COLUMNS: usize = PATH_COLUMNS.len();
    let surface = &*request.surface;
    let mut judge = Judge::new(aim, surface);
    let (mut rows, mut spent) = (Vec::new(), Vec::new());
    let mut lowest = f64::INFINITY;
    walk(rule, request, hyper, noise, start, |state, f| {
        judge.see(state, f);
        let mut row = [0.0; COLUMNS];
        [row[0], row[1], row[2]] = [state.theta[0], state.theta[1], f];
        rows.extend(row);
        spent.push(state.evaluations);
        if inside(surface, state.theta) {
            lowest = lowest.min(f);
        }
    });
    let verdict = verdict(&rows, surface);
    let arrived = match (aim, verdict) {
        (Aim::Leave, _) => judge.since,
        (Aim::Down { .. }, Some(Verdict::Arrived { since, .. })) => spent.get(since).copied(),
        _ => None,
    };
    // What holds until the next update is done.
    let after = |gradients: &u64| {
        let row = spent.partition_point(|spent| spent <= gradients).saturating_sub(1);
        let over = row + 1 == spent.len() && !judge.f.is_finite();
        let f = rows[row * COLUMNS + 2];
        if over && *gradients > spent[row] { f64::NAN } else { f }
    };
    Course {
        score: judge.score(request.budget),
        f: judge.f,
        lowest,
        verdict,
        arrived,
        kept: kept.iter().map(after).collect(),
    }
}
