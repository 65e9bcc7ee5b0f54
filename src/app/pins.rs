//! Pinned runs: their numbers are read by a thread, read again where a recording has grown, and every tile of curves draws them behind
//! the current run. Which runs are pinned is remembered in the settings.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use eframe::egui;

use super::scene::Scene;
use super::state::State;
use crate::engine::event::Level;
use crate::engine::numbers::{self, Numbers, Stand};
use crate::kit::pinned::{MOST, Pinned};
use crate::plot::background::{Task, repaint};
use crate::plot::number;
use crate::plot::style::Style;

/// What a thread found of a run.
type Reading = Task<Result<Numbers, String>>;

/// Shortest time between two looks at whether recordings have grown, in seconds.
const PACE: f64 = 2.0;
/// How many times as long as a reading took nothing is read again.
const REST: f64 = 10.0;

/// The numbers that are read, and the one run that is being read.
#[derive(Default)]
pub struct Pins {
    known: BTreeMap<PathBuf, Arc<Numbers>>,
    /// The run, since when, and the thread.
    reading: Option<(PathBuf, f64, Reading)>,
    /// How far the recordings are that were read.
    looking: Option<Task<Vec<PathBuf>>>,
    /// Runs that have grown since they were read.
    grown: Vec<PathBuf>,
    /// When they are looked at again.
    next_look: f64,
    /// What the labs were told last: the runs, what colours them, and the look.
    told: Option<(Vec<Arc<Numbers>>, String, Style)>,
}

/// Pins a run, or no longer. A notice says why not.
pub fn pin(folder: &Path, on: bool, state: &mut State) {
    let folder = &absolute(folder);
    let pinned = &mut state.settings.pinned;
    if !on {
        pinned.retain(|other| other != folder);
    } else if !pinned.iter().any(|other| other == folder) {
        if pinned.len() >= MOST {
            let text = format!("{MOST} runs are pinned, and no more can be: unpin one first");
            return state.notice(Level::Warning, text);
        }
        pinned.push(folder.to_owned());
    }
}

/// Pins the runs of a study as far as there is room. A notice says how many are left out.
pub fn pin_all(runs: &[PathBuf], state: &mut State) {
    let left = add(&mut state.settings.pinned, runs);
    if left > 0 {
        let text = format!(
            "{left} of its {} recorded runs are not pinned: no more than {MOST} runs can be; unpin others first",
            runs.len()
        );
        state.notice(Level::Warning, text);
    }
}

/// Adds runs as far as there is room; how many are left out.
fn add(pinned: &mut Vec<PathBuf>, runs: &[PathBuf]) -> usize {
    let fresh: Vec<PathBuf> = runs.iter().map(|run| absolute(run)).filter(|run| !pinned.contains(run)).collect();
    let room = MOST.saturating_sub(pinned.len());
    let left = fresh.len().saturating_sub(room);
    pinned.extend(fresh.into_iter().take(room));
    left
}

/// Pins the runs of a scene; those of its lab that it does not have go once it is known which these are. A run that is not there is
/// told and left out when it is read.
pub fn show_scene(scene: &Scene, state: &mut State) {
    let wanted: Vec<PathBuf> = scene.pinned.runs.iter().map(|run| absolute(Path::new(run))).take(MOST).collect();
    let left = scene.pinned.runs.len() - wanted.len();
    let pinned = &mut state.settings.pinned;
    let others = std::mem::take(pinned).into_iter().filter(|run| !wanted.contains(run));
    *pinned = wanted.iter().cloned().chain(others).collect();
    if !wanted.is_empty() {
        state.settings.pinned_by.clone_from(&scene.pinned.by);
    }
    if left > 0 {
        let text = format!("{left} pinned runs of the scene are left out: no more than {MOST} can be pinned");
        state.notice(Level::Warning, text);
    }
    state.scene_pins = Some((scene.lab.clone(), wanted));
}

/// A path that is found again from any folder.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

impl Pins {
    /// Reads what is pinned and not known, and tells the labs what has changed.
    pub fn advance(&mut self, state: &mut State, ctx: &egui::Context) {
        if state.settings.pinned.is_empty() && self.told.is_none() {
            state.scene_pins = None;
            return;
        }
        self.known.retain(|folder, _| state.settings.pinned.contains(folder));
        self.grown.retain(|folder| state.settings.pinned.contains(folder));
        if let Some((folder, since, task)) = &self.reading
            && let Some(found) = task.poll()
        {
            let (folder, took) = (folder.clone(), state.time - since);
            self.reading = None;
            self.next_look = state.time + PACE.max(REST * took);
            match found.and_then(|found| found) {
                Ok(numbers) => {
                    if numbers.left_out > 0 && !self.known.contains_key(&folder) {
                        let more = number::counted(numbers.left_out as u64, "number", "numbers");
                        let (run, most) = (folder.display(), numbers::MOST_CURVES);
                        let text = format!("{more} of {run} cannot be drawn: of a pinned run the first {most} are");
                        state.notice(Level::Info, text);
                    }
                    self.known.insert(folder, Arc::new(numbers));
                }
                Err(problem) => {
                    state.settings.pinned.retain(|other| *other != folder);
                    let text = format!("a pinned run cannot be read and is not pinned any more: {problem}");
                    state.notice(Level::Warning, text);
                }
            }
        }
        self.follow_scene(state);
        self.look(state.time, ctx);
        let pinned = &state.settings.pinned;
        let unread = pinned.iter().find(|folder| !self.known.contains_key(*folder));
        let unread = unread.or_else(|| pinned.iter().find(|folder| self.grown.contains(folder)));
        if let Some(folder) = unread.filter(|_| self.reading.is_none()).cloned() {
            self.grown.retain(|other| *other != folder);
            let labs: Vec<_> =
                state.sessions.iter().map(|session| (session.lab.spec.id, session.lab.spec.params)).collect();
            let specs = move |id: &str| labs.iter().find(|(lab, _)| *lab == id).map(|(_, specs)| *specs);
            let of = folder.clone();
            let task = Task::begin("pinned run", repaint(ctx), move |_| numbers::read(&of, specs));
            self.reading = Some((folder, state.time, task));
        }
        self.tell(state);
    }

    /// Unpins, once all are read, the runs of a scene's lab that the scene does not have.
    fn follow_scene(&mut self, state: &mut State) {
        if state.scene_pins.is_none() || state.settings.pinned.iter().any(|run| !self.known.contains_key(run)) {
            return;
        }
        let Some((lab, wanted)) = state.scene_pins.take() else { return };
        let of_lab = |run: &PathBuf| self.known.get(run).is_some_and(|known| known.header.lab == lab);
        let before = state.settings.pinned.len();
        state.settings.pinned.retain(|run| wanted.contains(run) || !of_lab(run));
        let gone = before - state.settings.pinned.len();
        let left = state.settings.pinned.len().saturating_sub(MOST);
        state.settings.pinned.truncate(MOST);
        if gone + left > 0 {
            let runs = number::counted((gone + left) as u64, "run is", "runs are");
            state.notice(Level::Info, format!("{runs} not pinned any more, as in the scene"));
        }
    }

    /// Looks now and then which recordings have grown, on a thread; asks for a frame where one is being recorded.
    fn look(&mut self, time: f64, ctx: &egui::Context) {
        if let Some(grown) = self.looking.as_ref().and_then(Task::poll) {
            self.looking = None;
            self.grown = grown.unwrap_or_default();
            self.next_look = time + PACE;
        }
        if self.looking.is_some() || self.reading.is_some() || !self.grown.is_empty() || self.known.is_empty() {
            return;
        }
        if time >= self.next_look {
            let known: Vec<_> = self.known.iter().map(|(folder, run)| (folder.clone(), run.stand)).collect();
            // What is gone keeps the numbers that were read.
            let has_grown = |(folder, stand): &(PathBuf, Stand)| Stand::of(folder).is_some_and(|now| now != *stand);
            let find = move || known.into_iter().filter(has_grown).map(|(folder, _)| folder).collect();
            self.looking = Some(Task::begin("look at pinned runs", repaint(ctx), move |_| find()));
        } else if self.known.values().any(|run| run.stand.grows) {
            ctx.request_repaint_after(Duration::from_secs_f64(self.next_look - time));
        }
    }

    /// Whether all that is pinned is read.
    pub fn is_settled(&self) -> bool {
        self.reading.is_none()
    }

    /// Gives each lab its runs, where they, their colours or the look have changed.
    fn tell(&mut self, state: &mut State) {
        let read = || state.settings.pinned.iter().filter_map(|folder| self.known.get(folder));
        let by = &state.settings.pinned_by;
        if let Some((runs, of, look)) = &self.told
            && (of, look) == (by, &state.style)
            && runs.len() == read().count()
            && runs.iter().zip(read()).all(|(told, run)| Arc::ptr_eq(told, run))
        {
            return;
        }
        let (read, by): (Vec<Arc<Numbers>>, String) = (read().cloned().collect(), by.clone());
        for session in &mut state.sessions {
            let lab = session.lab.spec;
            let runs = read.iter().filter(|run| run.header.lab == lab.id);
            let pinned = Pinned::of(lab.params, runs.cloned().collect(), &by, &state.style);
            session.past.set_pinned(Arc::new(pinned));
        }
        self.told = Some((read, by, state.style.clone()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_a_study_are_pinned_as_far_as_there_is_room() {
        let runs: Vec<PathBuf> = (0..MOST + 4).map(|run| PathBuf::from(format!("/runs/{run}"))).collect();
        let mut pinned = vec![PathBuf::from("/runs/other"), runs[0].clone()];
        assert_eq!(add(&mut pinned, &runs), 5, "one was pinned before, and another run takes a place");
        assert_eq!((pinned.len(), &pinned[2], &pinned[MOST - 1]), (MOST, &runs[1], &runs[MOST - 2]));
        assert_eq!(add(&mut pinned, &runs[..3]), 0, "these are pinned");
    }
}
