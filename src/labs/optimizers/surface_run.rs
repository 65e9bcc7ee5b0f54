//! The experiment on an analytic surface: every chosen rule walks from the same start, one update a step.

use std::collections::BTreeMap;

use super::PATH_COLUMNS;
use super::rules::{Hyper, Rule, State, number};
use super::surfaces::{Chosen, Surface};
use super::theory::noise::Noise;
use crate::engine::emit::Emit;
use crate::engine::event::{Change, Level};
use crate::engine::experiment::{BuildRequest, Checkpoint, Experiment, RunError};
use crate::engine::params::{ParamError, Params, Value};
use crate::labs::optimizers::params::{self, GRADIENT_NOISE, MINI_BATCHES, NOISE_BATCH, START_X, START_Y};

/// Rows of a path travel in blocks: one event for so many steps and each rule.
const BLOCK_STEPS: u64 = 256;
/// Scalars (f, x, y, ‖∇f‖, ‖Δθ‖) are emitted about so many times in a run; the paths hold every step.
const SCALAR_SAMPLES: u64 = 1_000;
/// The whole state of a rule that remembers more than its path shows is recorded every so many steps: from there the
/// updates up to any other step are done again.
const MEMORY_STEPS: u64 = 64;
/// Numbers in one row of a path.
const COLUMNS: usize = PATH_COLUMNS.len();

pub fn build(request: &BuildRequest<'_>) -> Result<Box<dyn Experiment>, RunError> {
    let noise = noise(request.params, request.seed);
    Ok(Box::new(SurfaceRun { noise, ..SurfaceRun::new(request.params, request.steps)? }))
}

/// Refuses a run without a rule, or without a function that can be read.
pub fn check(params: &Params) -> Result<(), ParamError> {
    params::surface(params)?;
    if enabled(params).next().is_some() {
        return Ok(());
    }
    let switches = Rule::ALL.map(|rule| rule.switch().key());
    Err(ParamError::invalid(
        switches[0],
        format!("no optimizer is on; turn on at least one of {}", switches.join(", ")),
    ))
}

/// The paths of all rules that are on, each `steps + 1` rows of [`PATH_COLUMNS`], row-major: what a run emits, without
/// the engine. Row k does not depend on `steps`. A change applies just before the update after `step` completed ones;
/// changes of keys that are not hyper-parameters are skipped. The gradients are exact, whatever noise the parameters ask
/// for: that is [`noisy_paths`].
pub fn paths(params: &Params, changes: &[Change], steps: u64) -> Result<Vec<(Rule, Vec<f64>)>, ParamError> {
    noisy_paths(params, changes, steps, &Noise::OFF)
}

/// [`paths`] with this noise on the gradients.
pub fn noisy_paths(
    params: &Params,
    changes: &[Change],
    steps: u64,
    noise: &Noise,
) -> Result<Vec<(Rule, Vec<f64>)>, ParamError> {
    check(params)?;
    let walk = |rule| {
        let mut data = Vec::with_capacity((steps as usize + 1) * COLUMNS);
        walk(rule, params, changes, steps, noise, |_, walker| {
            data.extend(walker.row());
            true
        });
        (rule, data)
    };
    Ok(enabled(params).map(walk).collect())
}

/// f of one rule's path after each of `kept` numbers of updates, in order; `None` where `go_on` has said no. The rule need
/// not be on.
pub fn values(
    rule: Rule,
    params: &Params,
    changes: &[Change],
    kept: &[u64],
    noise: &Noise,
    go_on: impl Fn() -> bool,
) -> Option<Vec<f64>> {
    let (mut next, mut found) = (kept.iter().copied().peekable(), Vec::with_capacity(kept.len()));
    walk(rule, params, changes, kept.last().copied().unwrap_or(0), noise, |done, walker| {
        if next.next_if_eq(&done).is_some() {
            found.push(walker.f);
        }
        !done.is_multiple_of(BLOCK_STEPS) || go_on()
    });
    (found.len() == kept.len()).then_some(found)
}

/// One rule from the start on. `see` is told what it is after 0, 1, .. updates, and says whether to go on.
fn walk(
    rule: Rule,
    params: &Params,
    changes: &[Change],
    steps: u64,
    noise: &Noise,
    mut see: impl FnMut(u64, &Walker) -> bool,
) {
    // Parameters of which there is no surface are refused before.
    let Ok(surface) = params::surface(params) else { return };
    let mut hyper = Hyper::of(params);
    let mut walker = Walker::new(rule, &surface, start(params));
    let mut wanted = see(0, &walker);
    for done in 0..steps {
        if !wanted {
            return;
        }
        for change in changes.iter().filter(|change| change.step == done) {
            // Other parameters have no effect on the paths.
            let _ = hyper.set(&change.key, &change.value);
        }
        walker.step(&surface, &hyper, noise);
        wanted = see(done + 1, &walker);
    }
}

/// The whole state of a rule after `k` updates of a recorded run: what its path tells where that is everything, else the
/// last recorded whole state, with the updates since done again by `step`. `path` and `memory` are the rows of the run's
/// tables [`Rule::path_key`] and [`Rule::memory_key`], the latter as far as there are any.
pub fn state_at(rule: Rule, k: u64, path: &[f64], memory: &[f64], mut step: impl FnMut(&mut State)) -> State {
    let row = |k: u64| {
        let row = path.get(k as usize * COLUMNS..(k as usize + 1) * COLUMNS).map(exact);
        let [x, y, _, _, _, _, ax, ay, bx, by] = row.unwrap_or([f64::NAN; COLUMNS]);
        State::recorded([x, y], [ax, ay], [bx, by], k)
    };
    if !rule.remembers_more() {
        return row(k);
    }
    // Rows of a diverged rule are missing, and so are the last ones of a recording that is being written.
    let rows = memory.as_chunks::<{ State::PACKED }>().0;
    let last = rows.get((k / MEMORY_STEPS) as usize).or(rows.last()).map(State::unpack);
    let mut state = last.filter(|state| state.k <= k).unwrap_or_else(|| row(0));
    while state.k < k {
        step(&mut state);
    }
    state
}

/// The rules that take part.
pub fn enabled(params: &Params) -> impl Iterator<Item = Rule> {
    Rule::ALL.into_iter().filter(|rule| rule.switch().of(params))
}

/// The noise on the gradients of a run with these parameters and this seed.
pub fn noise(params: &Params, seed: u64) -> Noise {
    let deviation = GRADIENT_NOISE.of(params);
    if MINI_BATCHES.of(params) {
        Noise::mini_batch(deviation, NOISE_BATCH.of(params) as usize, seed)
    } else {
        Noise::gaussian(deviation, seed)
    }
}

fn start(params: &Params) -> [f64; 2] {
    [START_X.of(params), START_Y.of(params)]
}

/// One rule on its way, with what its row shows.
#[derive(Debug, Clone, PartialEq)]
struct Walker {
    rule: Rule,
    state: State,
    /// f and ∇f at θ.
    f: f64,
    gradient: [f64; 2],
    /// The last move; zero before the first update.
    moved: [f64; 2],
    /// The first row in which x, y or f was not finite. The rule stands still from then on and its rows are NaN.
    diverged_at: Option<u64>,
}

impl Walker {
    fn new(rule: Rule, surface: &Surface, start: [f64; 2]) -> Self {
        Self {
            rule,
            state: State::new(start),
            f: surface.f(start),
            gradient: surface.gradient(start),
            moved: [0.0; 2],
            diverged_at: None,
        }
    }

    /// One update.
    fn step(&mut self, surface: &Surface, hyper: &Hyper, noise: &Noise) {
        if self.diverged_at.is_some() {
            // The row of the divergence shows what happened; nothing after it means anything.
            self.state.k += 1;
            self.state.theta = [f64::NAN; 2];
            (self.state.a, self.state.b) = ([f64::NAN; 2], [f64::NAN; 2]);
            (self.f, self.gradient, self.moved) = (f64::NAN, [f64::NAN; 2], [f64::NAN; 2]);
            return;
        }
        let from = self.state.theta;
        let (at, k) = (self.rule.gradient_point(&self.state, hyper), self.state.k);
        let exact = if self.rule.gradient_is_at_theta() { self.gradient } else { surface.gradient(at) };
        let noisy = |exact: [f64; 2], at: [f64; 2]| noise.on(exact, at, k, |p| surface.gradient(p));
        let see = |p: [f64; 2]| (surface.f(p), noisy(surface.gradient(p), p));
        self.rule.step_with(&mut self.state, noisy(exact, at), &see, hyper);
        let to = self.state.theta;
        self.moved = [to[0] - from[0], to[1] - from[1]];
        self.f = surface.f(to);
        self.gradient = surface.gradient(to);
        if !(to[0].is_finite() && to[1].is_finite() && self.f.is_finite()) {
            self.diverged_at = Some(self.state.k);
        }
    }

    /// The row of [`PATH_COLUMNS`].
    fn row(&self) -> [f64; COLUMNS] {
        let State { theta: [x, y], a, b, .. } = self.state;
        let [dx, dy] = self.moved;
        [x, y, self.f, norm(self.gradient), dx, dy, a[0], a[1], b[0], b[1]]
    }

    /// What of the walker is not its state, for a checkpoint.
    fn pack(&self) -> [f64; PACKED] {
        let ([gx, gy], [dx, dy]) = (self.gradient, self.moved);
        // Step counts stay far below 2^53, so they are exact as f64; −1 stands for "not diverged".
        [gx, gy, dx, dy, self.f, self.diverged_at.map_or(-1.0, |step| step as f64)]
    }

    /// The inverse of [`Walker::pack`].
    fn unpack(rule: Rule, state: State, packed: [f64; PACKED]) -> Self {
        let [gx, gy, dx, dy, f, diverged] = packed;
        let diverged_at = (diverged >= 0.0).then_some(diverged as u64);
        Self { rule, state, f, gradient: [gx, gy], moved: [dx, dy], diverged_at }
    }

    /// State and rest of a checkpoint from before there were rules with more than two state vectors.
    fn unpack_article(rule: Rule, packed: [f64; 13]) -> Self {
        let [x, y, ax, ay, bx, by, gx, gy, dx, dy, f, k, diverged] = packed;
        let state = State::recorded([x, y], [ax, ay], [bx, by], k as u64);
        Self::unpack(rule, state, [gx, gy, dx, dy, f, diverged])
    }
}

/// Numbers of a packed [`Walker`] beside its state.
const PACKED: usize = 6;

fn norm(v: [f64; 2]) -> f64 {
    v[0].hypot(v[1])
}

/// Keys of one rule's streams.
#[derive(Debug)]
struct Keys {
    path: &'static str,
    /// Of a rule that remembers more than its path shows.
    memory: Option<&'static str>,
    scalars: [String; 5],
}

/// The experiment.
#[derive(Debug)]
struct SurfaceRun {
    surface: Chosen,
    hyper: Hyper,
    noise: Noise,
    steps: u64,
    walkers: Vec<Walker>,
    keys: Vec<Keys>,
    /// Rows of each walker that are not yet emitted. A checkpoint carries them: on resume the recording ends at the last
    /// emitted block, and these rows continue it.
    pending: Vec<Vec<f64>>,
}

impl SurfaceRun {
    /// With exact gradients.
    fn new(params: &Params, steps: u64) -> Result<Self, ParamError> {
        check(params)?;
        let surface = params::surface(params)?;
        let walkers: Vec<Walker> = enabled(params).map(|rule| Walker::new(rule, &surface, start(params))).collect();
        let keys = walkers.iter().map(|walker| {
            let id = walker.rule.id();
            Keys {
                path: walker.rule.path_key(),
                memory: walker.rule.remembers_more().then(|| walker.rule.memory_key()),
                scalars: ["f", "x", "y", "gradient_norm", "step_length"].map(|name| format!("{name}/{id}")),
            }
        });
        Ok(Self {
            surface,
            hyper: Hyper::of(params),
            noise: Noise::OFF,
            steps,
            keys: keys.collect(),
            pending: vec![Vec::new(); walkers.len()],
            walkers,
        })
    }

    fn emit_rows(&mut self, out: &mut Emit<'_>) {
        for (keys, pending) in self.keys.iter().zip(&mut self.pending) {
            if !pending.is_empty() {
                out.rows(keys.path, std::mem::take(pending));
            }
        }
    }

    /// The whole state of rules whose path does not tell it.
    fn emit_memory(&self, out: &mut Emit<'_>) {
        for (keys, walker) in self.keys.iter().zip(&self.walkers) {
            if let (Some(key), None) = (keys.memory, walker.diverged_at) {
                out.rows(key, walker.state.pack().to_vec());
            }
        }
    }

    fn emit_scalars(&self, out: &mut Emit<'_>) {
        for (keys, walker) in self.keys.iter().zip(&self.walkers) {
            let [x, y] = walker.state.theta;
            let values = [walker.f, x, y, norm(walker.gradient), norm(walker.moved)];
            for (key, value) in keys.scalars.iter().zip(values) {
                out.scalar(key, value);
            }
        }
    }
}

impl Experiment for SurfaceRun {
    fn begin(&mut self, out: &mut Emit<'_>) -> Result<(), RunError> {
        for (walker, pending) in self.walkers.iter().zip(&mut self.pending) {
            pending.extend(walker.row());
        }
        self.emit_rows(out);
        self.emit_memory(out);
        self.emit_scalars(out);
        Ok(())
    }

    fn step(&mut self, out: &mut Emit<'_>) -> Result<(), RunError> {
        for (walker, pending) in self.walkers.iter_mut().zip(&mut self.pending) {
            let last_f = walker.f;
            let had_diverged = walker.diverged_at.is_some();
            walker.step(&self.surface, &self.hyper, &self.noise);
            pending.extend(walker.row());
            if !had_diverged && walker.diverged_at.is_some() {
                out.notice(Level::Warning, divergence(walker, &self.surface, last_f));
            }
        }
        let step = out.step();
        let sampled = step.is_multiple_of(self.steps.div_ceil(SCALAR_SAMPLES).max(1));
        if step.is_multiple_of(BLOCK_STEPS) || out.is_last() {
            self.emit_rows(out);
        }
        if step.is_multiple_of(MEMORY_STEPS) {
            self.emit_memory(out);
        }
        if sampled || out.is_last() {
            self.emit_scalars(out);
        }
        Ok(())
    }

    fn set(&mut self, key: &str, value: &Value) -> Result<(), ParamError> {
        self.hyper.set(key, value)
    }

    fn checkpoint(&mut self) -> Result<Checkpoint, RunError> {
        let mut checkpoint = Checkpoint {
            step: self.walkers[0].state.k,
            text: BTreeMap::from([
                ("surface".to_owned(), self.surface.id.to_owned()),
                ("formula".to_owned(), self.surface.formula().to_owned()),
            ]),
            ..Checkpoint::default()
        };
        self.hyper.save(&mut checkpoint);
        for (walker, pending) in self.walkers.iter().zip(&self.pending) {
            let id = walker.rule.id();
            checkpoint.put_f64(format!("memory/{id}"), walker.state.pack().to_vec());
            checkpoint.put_f64(format!("walker/{id}"), walker.pack().to_vec());
            checkpoint.put_f64(format!("pending/{id}"), pending.clone());
        }
        Ok(checkpoint)
    }

    fn restore(&mut self, checkpoint: &Checkpoint) -> Result<(), RunError> {
        let surface = checkpoint.get_text("surface")?;
        if surface != self.surface.id {
            return Err(RunError::Checkpoint(format!(
                "it was written on the surface `{surface}`; this run is on `{}`",
                self.surface.id
            )));
        }
        // Checkpoints of the catalogue's surfaces from before there were others have no formula.
        if let (Some(_), Ok(formula)) = (self.surface.expression(), checkpoint.get_text("formula"))
            && formula != self.surface.formula()
        {
            return Err(RunError::Checkpoint(format!(
                "it was written on f = {formula}; this run is on f = {}",
                self.surface.formula()
            )));
        }
        // Everything is read before anything is changed, so that a bad checkpoint leaves the experiment as it was.
        let hyper = Hyper::restored(checkpoint, self.hyper.choices)?;
        let unsent = (checkpoint.step % BLOCK_STEPS) as usize;
        let mut walkers = Vec::new();
        let mut pending = Vec::new();
        for rule in self.walkers.iter().map(|walker| walker.rule) {
            let id = rule.id();
            walkers.push(walker(rule, checkpoint)?);
            let name = format!("pending/{id}");
            // The last step of a run flushes whatever its number, so then nothing is pending.
            let rows = checkpoint.get_f64(&name, unsent * COLUMNS).or_else(|_| checkpoint.get_f64(&name, 0))?;
            pending.push(rows.to_vec());
        }
        (self.hyper, self.walkers, self.pending) = (hyper, walkers, pending);
        Ok(())
    }
}

fn walker(rule: Rule, checkpoint: &Checkpoint) -> Result<Walker, RunError> {
    let id = rule.id();
    if let Ok(all) = checkpoint.get_f64(&format!("state/{id}"), 13) {
        return Ok(Walker::unpack_article(rule, exact(all)));
    }
    let state = State::unpack(&exact(checkpoint.get_f64(&format!("memory/{id}"), State::PACKED)?));
    Ok(Walker::unpack(rule, state, exact(checkpoint.get_f64(&format!("walker/{id}"), PACKED)?)))
}

/// A slice whose length was checked, as an array.
fn exact<const N: usize>(values: &[f64]) -> [f64; N] {
    std::array::from_fn(|i| values[i])
}

fn divergence(walker: &Walker, surface: &Surface, last_f: f64) -> String {
    let endless = surface.minima().next().is_none() && surface.expression().is_none();
    let advice = match walker.rule {
        _ if endless && last_f < 0.0 => "f falls without end on this surface, whatever the rate",
        _ if !last_f.is_finite() => "f has no finite value there: start elsewhere",
        Rule::AdaDelta => "start elsewhere or lower ε",
        Rule::Lbfgs | Rule::LbfgsFixed => "start elsewhere or lower the L-BFGS step",
        _ => "lower the learning rate η",
    };
    format!(
        "{} diverged at step {} (f was {} one step before): {advice}",
        walker.rule.title(),
        walker.state.k,
        number(last_f)
    )
}

#[cfg(test)]
mod tests;
