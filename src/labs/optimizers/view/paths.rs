//! The recorded paths as the views read them, and what is measured on them.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::engine::params::Params;
use crate::engine::state::{Rows, RunState};
use crate::kit::view::ViewCtx;
use crate::labs::optimizers::params::{GRADIENT_NOISE, SURFACE, surface as chosen_surface};
use crate::labs::optimizers::rules::{Hyper, Rule, State};
use crate::labs::optimizers::surface_run;
use crate::labs::optimizers::surfaces::{self, Chosen, Surface};
use crate::labs::optimizers::theory::noise::Noise;
use crate::labs::optimizers::verdict::{Verdict, verdict};

/// The recorded path of one rule; row k is the state after k updates.
#[derive(Debug, Clone, Copy)]
pub struct Path<'a> {
    pub rule: Rule,
    rows: &'a Rows,
    /// The same for as long as the path only grows.
    pub identity: u64,
}

/// Columns of a row, see [`crate::labs::optimizers::PATH_COLUMNS`].
const WIDTH: usize = 10;

impl<'a> Path<'a> {
    /// The paths of a run in the order of [`Rule::ALL`].
    pub fn all(run: &'a RunState) -> Vec<Path<'a>> {
        Rule::ALL.into_iter().filter_map(|rule| Self::of(run, rule)).collect()
    }

    /// The path of one rule, if it takes part and has begun.
    pub fn of(run: &'a RunState, rule: Rule) -> Option<Path<'a>> {
        let rows = run.tables.get(rule.path_key())?;
        if rows.columns != WIDTH || rows.is_empty() {
            return None;
        }
        let mut hasher = DefaultHasher::new();
        (run.id.map(|id| id.0), rule).hash(&mut hasher);
        // The start as well: a test or a recomputed path may keep the run's id.
        rows.data[..2].iter().for_each(|v| v.to_bits().hash(&mut hasher));
        Some(Path { rule, rows, identity: hasher.finish() })
    }

    /// Number of rows: updates done plus one.
    pub fn row_count(&self) -> usize {
        self.rows.len()
    }

    fn at(&self, k: usize, column: usize) -> f64 {
        self.rows.data[k * WIDTH + column]
    }

    /// θ after k updates.
    pub fn position(&self, k: usize) -> [f64; 2] {
        [self.at(k, 0), self.at(k, 1)]
    }

    pub fn f(&self, k: usize) -> f64 {
        self.at(k, 2)
    }

    /// ‖∇f(θ)‖ after k updates.
    pub fn gradient_norm(&self, k: usize) -> f64 {
        self.at(k, 3)
    }

    /// The move that led to row k; zero in row 0.
    pub fn step(&self, k: usize) -> [f64; 2] {
        [self.at(k, 4), self.at(k, 5)]
    }

    pub fn step_length(&self, k: usize) -> f64 {
        let [dx, dy] = self.step(k);
        dx.hypot(dy)
    }

    /// The rule's state vectors after k updates, zero where it has none.
    pub fn vectors(&self, k: usize) -> [[f64; 2]; 2] {
        [[self.at(k, 6), self.at(k, 7)], [self.at(k, 8), self.at(k, 9)]]
    }

    /// What the row tells of the state after k updates: everything, unless the rule [`Rule::remembers_more`].
    pub fn state(&self, k: usize) -> State {
        let [a, b] = self.vectors(k);
        State::recorded(self.position(k), a, b, k as u64)
    }

    /// All that the rule needs to do update k → k + 1.
    pub fn whole_state(&self, k: usize, surface: &Surface, ctx: &ViewCtx<'_>) -> State {
        let noise = noise(ctx);
        let memory = ctx.run.tables.get(self.rule.memory_key()).filter(|rows| rows.columns == State::PACKED);
        let memory = memory.map_or(&[][..], |rows| &rows.data);
        let mut hyper_at = hypers(ctx);
        surface_run::state_at(self.rule, k as u64, &self.rows.data, memory, |state| {
            self.rule.noisy_step(state, surface, &hyper_at(state.k), &noise);
        })
    }

    /// The rows as they are recorded.
    pub fn rows(&self) -> &'a [f64] {
        &self.rows.data
    }

    /// Whether row k holds numbers.
    pub fn is_finite(&self, k: usize) -> bool {
        self.position(k).iter().all(|v| v.is_finite()) && self.f(k).is_finite()
    }

    /// What became of it so far, in words.
    pub fn judged(&self, surface: &Surface) -> String {
        let which = surface.minima().count() > 1;
        verdict(&self.rows.data, surface).map_or_else(String::new, |verdict| verdict.in_words(which))
    }

    /// The row shown at a step: the last one where the path is shorter.
    pub fn row_at(&self, step: u64) -> usize {
        usize::try_from(step).unwrap_or(usize::MAX).min(self.row_count() - 1)
    }
}

/// Number of updates that the run was asked for, or has done.
pub fn steps(run: &RunState) -> u64 {
    run.header.as_ref().map_or(0, |header| header.steps).max(run.step)
}

/// The parameters of what is shown: the run's, or the form's while there is no run.
pub fn params<'a>(ctx: &ViewCtx<'a>) -> &'a Params {
    if SURFACE.get(&ctx.run.params).is_some() { &ctx.run.params } else { ctx.params }
}

/// The surface that is shown.
pub fn surface(ctx: &ViewCtx<'_>) -> Chosen {
    // A run has a function that could be read; the form's may be half typed.
    let chosen = [params(ctx), ctx.params].into_iter().filter(|params| SURFACE.get(params).is_some());
    chosen.filter_map(|params| chosen_surface(params).ok()).next().unwrap_or(Chosen::Catalogue(&surfaces::ALL[0]))
}

/// The hyper-parameters that held for the update from `step` to `step + 1`.
pub fn hyper_at(ctx: &ViewCtx<'_>, step: u64) -> Hyper {
    hypers(ctx)(step)
}

/// The same for one update after the other.
fn hypers(ctx: &ViewCtx<'_>) -> impl FnMut(u64) -> Hyper {
    let start = ctx.run.header.as_ref().map_or_else(|| params(ctx), |header| &header.params);
    let mut hyper = Hyper::of(start);
    let mut changes = ctx.run.changes.iter().peekable();
    move |step| {
        while let Some(change) = changes.next_if(|change| change.step <= step) {
            // Other parameters have no effect on the paths.
            let _ = hyper.set(&change.key, &change.value);
        }
        hyper
    }
}

/// The noise on the gradients of the run that is shown.
pub fn noise(ctx: &ViewCtx<'_>) -> Noise {
    let header = ctx.run.header.as_ref().filter(|header| GRADIENT_NOISE.get(&header.params).is_some());
    header.map_or(Noise::OFF, |header| surface_run::noise(&header.params, header.seed))
}

/// The verdict on each path, judged anew when it has grown.
#[derive(Debug, Clone, Default)]
pub struct Verdicts([Judged; Rule::ALL.len()]);

#[derive(Debug, Clone, Copy, Default)]
struct Judged {
    identity: (u64, u64, usize),
    verdict: Option<Verdict>,
}

impl Verdicts {
    pub fn of(&mut self, path: &Path<'_>, surface: &Surface) -> Option<Verdict> {
        let identity = (path.identity, surface.identity(), path.row_count());
        let judged = &mut self.0[path.rule.index()];
        if judged.identity != identity {
            *judged = Judged { identity, verdict: verdict(&path.rows.data, surface) };
        }
        judged.verdict
    }
}
