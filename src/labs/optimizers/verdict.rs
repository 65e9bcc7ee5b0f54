//! One verdict on each optimizer's path, the same in table, guide and notices: has it arrived, and does it stay?

use super::PATH_COLUMNS;
use super::rules::Rule;
use super::surfaces::{CriticalKind, Surface};
use crate::engine::state::RunState;
use crate::kit::lab::Moment;
use crate::plot::number;

/// What became of an optimizer so far.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Verdict {
    /// Within [`NEAR`] of a minimum from a step on until now.
    Arrived { at: [f64; 2], since: usize },
    /// It goes round a minimum, or to and fro over it, never farther than [`WIDE`], and comes no nearer.
    Circles { at: [f64; 2], since: usize },
    /// It was near a minimum and is no more.
    PassedThrough { at: [f64; 2], first: usize, last: usize },
    /// f is above where it began, and its peaks rise.
    Growing { f: f64, lowest_at: usize },
    /// Out of the window, downhill.
    Left { since: usize, bottomless: bool },
    /// It rests where the slope vanishes and there is no minimum.
    Stuck { on: &'static str },
    /// Still under way; the share of the way from the start to the minimum that is nearest now which is left.
    Slow { left: Option<f64> },
    /// Its numbers are no longer finite.
    Overflow { at: usize },
}

/// A hundredth of the window along each axis.
pub const NEAR: f64 = 0.01;
/// A twentieth of it.
const WIDE: f64 = 0.05;
/// Rows over which a path is looked at to say that it goes in circles.
const ROUNDS: usize = 20;
/// A share of the window: who moved less in the last tenth of its steps rests.
const RESTS: f64 = 1e-4;

/// The verdict on a path, its rows of [`PATH_COLUMNS`] as they are recorded; `None` without a row.
pub fn verdict(rows: &[f64], surface: &Surface) -> Option<Verdict> {
    let width = PATH_COLUMNS.len();
    let count = rows.len() / width;
    let place = |k: usize| [rows[k * width], rows[k * width + 1]];
    let f = |k: usize| rows[k * width + 2];
    let finite = |k: &usize| place(*k).iter().all(|v| v.is_finite()) && f(*k).is_finite();
    let whole = (0..count).take_while(finite).count();
    // Where f falls without end, so does a path: its numbers end, and nothing went wrong.
    let bottomless = surface.minima().next().is_none() && surface.expression().is_none();
    if whole < count && !(bottomless && whole > 0 && f(whole - 1) < f(0)) {
        return Some(Verdict::Overflow { at: whole });
    }
    let count = whole;
    let last = count.checked_sub(1)?;
    let size = surface.domain.map(|[low, high]| high - low);
    // The larger of both distances, in windows.
    let apart = |p: [f64; 2], q: [f64; 2]| ((p[0] - q[0]).abs() / size[0]).max((p[1] - q[1]).abs() / size[1]);
    // The first of the rows up to the last that all hold.
    let since = |holds: &dyn Fn(usize) -> bool| (0..count).rev().take_while(|&k| holds(k)).last();
    let minima: Vec<[f64; 2]> = surface.minima().map(|minimum| minimum.position).collect();
    let by_distance = |a: &[f64; 2], b: &[f64; 2]| apart(*a, place(last)).total_cmp(&apart(*b, place(last)));
    let nearest = minima.iter().copied().min_by(by_distance);
    if let Some(at) = nearest {
        if let Some(since) = since(&|k| apart(place(k), at) < NEAR) {
            return Some(Verdict::Arrived { at, since });
        }
        if let Some(since) = since(&|k| apart(place(k), at) < WIDE)
            && last - since >= ROUNDS
        {
            let farthest = |from: usize, to: usize| (from..to).map(|k| apart(place(k), at)).fold(0.0, f64::max);
            let (before, now) = (farthest(count - ROUNDS, count - ROUNDS / 2), farthest(count - ROUNDS / 2, count));
            if now > 0.7 * before {
                return Some(Verdict::Circles { at, since });
            }
        }
    }
    let highest = |from: usize, to: usize| (from..to).map(f).fold(f64::NEG_INFINITY, f64::max);
    let lowest_at = (0..count).fold(0, |best, k| if f(k) < f(best) { k } else { best });
    let quarter = count / 4;
    if quarter > 0 && f(last) > f(0) && highest(count - quarter, count) > highest(count - 2 * quarter, count - quarter)
    {
        return Some(Verdict::Growing { f: f(last), lowest_at });
    }
    let outside = |k: usize| place(k).iter().zip(surface.domain).any(|(v, [low, high])| *v < low || *v > high);
    if let Some(since) = since(&outside)
        && since > 0
        && f(last) < f(0)
    {
        return Some(Verdict::Left { since, bottomless });
    }
    for at in minima {
        let near = |k: &usize| apart(place(*k), at) < NEAR;
        if let (Some(first), Some(end)) = ((0..count).find(near), (0..count).rev().find(near)) {
            return Some(Verdict::PassedThrough { at, first, last: end });
        }
    }
    let tenth = (count / 10).max(1);
    if count > ROUNDS && (count - tenth..count).all(|k| apart(place(k), place(last)) < RESTS) {
        let flat = |critical: &&super::surfaces::Critical| apart(critical.position, place(last)) < NEAR;
        let on = match surface.critical().iter().find(flat).map(|critical| critical.kind) {
            Some(CriticalKind::Saddle) => "on a saddle point",
            Some(CriticalKind::Degenerate) => "on a shelf",
            Some(CriticalKind::Maximum) => "on a maximum",
            _ => "its steps have become tiny",
        };
        return Some(Verdict::Stuck { on });
    }
    let left = nearest.map(|at| apart(place(last), at) / apart(place(0), at).max(f64::MIN_POSITIVE));
    Some(Verdict::Slow { left: left.filter(|left| *left <= 1.0) })
}

/// What became of every optimizer of a run on a surface.
pub fn moments(run: &RunState) -> Vec<Moment> {
    // The network's run has none; a function that cannot be read has no run.
    let Ok(surface) = super::params::surface(&run.params) else { return Vec::new() };
    let which = surface.minima().count() > 1;
    let of = |rule: Rule| {
        let rows = run.tables.get(rule.path_key()).filter(|rows| rows.columns == PATH_COLUMNS.len())?;
        let verdict = verdict(&rows.data, &surface)?;
        let text = format!("{}: {}", rule.title(), verdict.in_words(which));
        Some(Moment { step: verdict.step(), category: rule.index(), text })
    };
    Rule::ALL.into_iter().filter_map(of).collect()
}

impl Verdict {
    /// The step at which it came to be so, where there is one.
    pub fn step(&self) -> Option<u64> {
        match *self {
            Verdict::Arrived { since, .. } | Verdict::Circles { since, .. } | Verdict::Left { since, .. } => {
                Some(since)
            }
            Verdict::PassedThrough { first: at, .. }
            | Verdict::Growing { lowest_at: at, .. }
            | Verdict::Overflow { at } => Some(at),
            Verdict::Stuck { .. } | Verdict::Slow { .. } => None,
        }
        .map(|step| step as u64)
    }

    /// In a word or two.
    pub fn short(&self) -> &'static str {
        match self {
            Verdict::Arrived { .. } => "arrived",
            Verdict::Circles { .. } => "circles",
            Verdict::PassedThrough { .. } => "flew through",
            Verdict::Growing { .. } => "growing",
            Verdict::Left { .. } => "left",
            Verdict::Stuck { .. } => "stuck",
            Verdict::Slow { .. } => "under way",
            Verdict::Overflow { .. } => "overflow",
        }
    }

    /// With its numbers; where a surface has several minima (`which`) also at which of them.
    pub fn in_words(&self, which: bool) -> String {
        let step = |k: usize| number::grouped(k as u64);
        let place = |at: &[f64; 2]| {
            if which { format!(" at ({}, {})", number::short(at[0]), number::short(at[1])) } else { String::new() }
        };
        match self {
            Verdict::Arrived { at, since } => format!("arrived{}, stays since step {}", place(at), step(*since)),
            Verdict::Circles { at, since } => {
                format!("circles round the minimum{} since step {}", place(at), step(*since))
            }
            Verdict::PassedThrough { at, first, last } if first == last => {
                format!("flew through the minimum{} at step {}", place(at), step(*first))
            }
            Verdict::PassedThrough { at, first, last } => {
                format!("flew through the minimum{}, steps {} to {}", place(at), step(*first), step(*last))
            }
            Verdict::Growing { f, lowest_at } => {
                format!("growing: f = {} and rising, lowest at step {}", number::short(*f), step(*lowest_at))
            }
            Verdict::Left { since, bottomless: true } => {
                format!("down without end, out of the window since step {}", step(*since))
            }
            Verdict::Left { since, bottomless: false } => format!("out of the window since step {}", step(*since)),
            Verdict::Stuck { on } => format!("stuck: {on}"),
            Verdict::Slow { left: Some(left) } => {
                let percent = 100.0 * left;
                let percent = if percent < 1.0 { "below 1".to_owned() } else { format!("{percent:.0}") };
                format!("under way: {percent} % of the distance left")
            }
            Verdict::Slow { left: None } => "under way".to_owned(),
            Verdict::Overflow { at } => format!("overflow at step {}", step(*at)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::params::Params;
    use crate::labs::optimizers::params::PARAMS;
    use crate::labs::optimizers::{surface_run, surfaces};

    /// Verdicts of the article's rules with these parameters.
    fn judged(set: &[&str], steps: u64) -> impl Fn(Rule) -> Verdict + use<> {
        let mut params = Params::defaults(PARAMS);
        set.iter().for_each(|text| params.set_text(PARAMS, text).unwrap());
        let paths = surface_run::paths(&params, &[], steps).unwrap();
        let surface = super::super::params::surface(&params).unwrap();
        move |rule| verdict(&paths.iter().find(|(of, _)| *of == rule).unwrap().1, &surface).unwrap()
    }

    const RAVINE: [&str; 3] = ["surface=ill_conditioned_quadratic", "start_x=-1.8", "start_y=0.4"];

    #[test]
    fn just_above_the_limit_sgd_grows_and_momentum_arrives_when_it_stays() {
        let of = judged(&[RAVINE[0], RAVINE[1], RAVINE[2], "learning_rate=0.0201"], 200);
        assert!(matches!(of(Rule::Sgd), Verdict::Growing { .. }), "{:?}", of(Rule::Sgd));
        // It flies through at step 14, and stays from 74 on.
        assert_eq!(of(Rule::Momentum), Verdict::Arrived { at: [0.0, 0.0], since: 74 });
        let of = judged(&[RAVINE[0], RAVINE[1], RAVINE[2], "learning_rate=0.03"], 200);
        assert!(matches!(of(Rule::Sgd), Verdict::Growing { f, .. } if f > 1e100), "{:?}", of(Rule::Sgd));
        assert_eq!(of(Rule::Momentum), Verdict::Arrived { at: [0.0, 0.0], since: 81 });
        assert!(matches!(of(Rule::RmsProp), Verdict::Circles { .. }), "{:?}", of(Rule::RmsProp));
    }

    #[test]
    fn on_the_quartic_arriving_means_staying() {
        let of = judged(&["surface=article_quartic", "start_x=1", "start_y=-0.5", "momentum=0.95"], 200);
        for (rule, first) in [(Rule::Momentum, 59), (Rule::Nag, 35)] {
            let Verdict::Arrived { since, .. } = of(rule) else { panic!("{rule:?}: {:?}", of(rule)) };
            assert!(since > first, "{rule:?} is near at step {first} and flies on: {since}");
        }
    }

    #[test]
    fn a_saddle_is_left_downhill_and_without_end() {
        let of = judged(&[], 3_300);
        assert!(matches!(of(Rule::Sgd), Verdict::Left { bottomless: true, .. }), "{:?}", of(Rule::Sgd));
        let of = judged(&["start_y=0"], 2_000);
        assert_eq!(of(Rule::Momentum), Verdict::Stuck { on: "on a saddle point" });
        let of = judged(&[], 6_000);
        assert!(matches!(of(Rule::Nag), Verdict::Left { bottomless: true, .. }), "{:?}", of(Rule::Nag));
    }

    #[test]
    fn made_paths_are_judged_as_they_were_made() {
        let surface = surfaces::by_id("booth").unwrap();
        let row = |[x, y]: [f64; 2]| [x, y, surface.f([x, y]), 0., 0., 0., 0., 0., 0., 0.];
        let of = |path: &[[f64; 2]]| {
            let rows: Vec<f64> = path.iter().flat_map(|p| row(*p)).collect();
            verdict(&rows, surface)
        };
        assert_eq!(of(&[]), None);
        let there = [1.0, 3.0];
        assert_eq!(of(&[[5.0, 5.0], there, there]), Some(Verdict::Arrived { at: there, since: 1 }));
        let flown = [[5.0, 5.0], there, [0.9, 3.0], [-4.0, 3.0]];
        assert_eq!(of(&flown), Some(Verdict::PassedThrough { at: there, first: 1, last: 2 }));
        assert_eq!(of(&[[5.0, 5.0], [3.0, 4.0]]), Some(Verdict::Slow { left: Some(0.5) }));
        assert_eq!(of(&[[5.0, 5.0], [f64::NAN, 4.0]]), Some(Verdict::Overflow { at: 1 }));
        let round: Vec<[f64; 2]> = (0..60).map(|k| [1.0 + 0.5 * f64::from(k).cos(), 3.0]).collect();
        assert!(matches!(of(&round), Some(Verdict::Circles { since: 0, .. })), "{:?}", of(&round));
    }
}
