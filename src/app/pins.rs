//! Pinned runs: their numbers are read by a thread, and every tile of curves draws them behind the current run. Which runs are pinned is
//! remembered in the settings.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use eframe::egui;

use super::state::State;
use crate::engine::event::Level;
use crate::engine::numbers::{self, Numbers};
use crate::kit::pinned::{MOST, Pinned};
use crate::plot::background::{Task, repaint};
use crate::plot::style::Style;

/// What a thread found of a run.
type Reading = Task<Result<Numbers, String>>;

/// The numbers that are read, and the one run that is being read.
#[derive(Default)]
pub struct Pins {
    known: BTreeMap<PathBuf, Arc<Numbers>>,
    reading: Option<(PathBuf, Reading)>,
    /// What the labs were told last: the runs, what colours them, and the look.
    told: Option<(Vec<PathBuf>, String, Style)>,
}

/// Pins a run, or no longer. A notice says why not.
pub fn pin(folder: &Path, on: bool, state: &mut State) {
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

impl Pins {
    /// Reads what is pinned and not known, and tells the labs what has changed.
    pub fn advance(&mut self, state: &mut State, ctx: &egui::Context) {
        if state.settings.pinned.is_empty() && self.told.is_none() {
            return;
        }
        self.known.retain(|folder, _| state.settings.pinned.contains(folder));
        if let Some((folder, task)) = &self.reading
            && let Some(found) = task.poll()
        {
            let folder = folder.clone();
            self.reading = None;
            match found.and_then(|found| found) {
                Ok(numbers) => {
                    self.known.insert(folder, Arc::new(numbers));
                }
                Err(problem) => {
                    state.settings.pinned.retain(|other| *other != folder);
                    let text = format!("a pinned run cannot be read and is not pinned any more: {problem}");
                    state.notice(Level::Warning, text);
                }
            }
        }
        let unread = state.settings.pinned.iter().find(|folder| !self.known.contains_key(*folder));
        if let Some(folder) = unread.filter(|_| self.reading.is_none()).cloned() {
            let labs: Vec<_> =
                state.sessions.iter().map(|session| (session.lab.spec.id, session.lab.spec.params)).collect();
            let specs = move |id: &str| labs.iter().find(|(lab, _)| *lab == id).map(|(_, specs)| *specs);
            let of = folder.clone();
            let task = Task::begin("pinned run", repaint(ctx), move |_| numbers::read(&of, specs));
            self.reading = Some((folder, task));
        }
        self.tell(state);
    }

    /// Whether all that is pinned is read.
    pub fn is_settled(&self) -> bool {
        self.reading.is_none()
    }

    /// Gives each lab its runs, where they, their colours or the look have changed.
    fn tell(&mut self, state: &mut State) {
        let read: Vec<PathBuf> =
            state.settings.pinned.iter().filter(|folder| self.known.contains_key(*folder)).cloned().collect();
        let by = state.settings.pinned_by.clone();
        let same = self.told.as_ref().is_some_and(|(runs, of, look)| (runs, of, look) == (&read, &by, &state.style));
        if same {
            return;
        }
        for session in &mut state.sessions {
            let lab = session.lab.spec;
            let runs = read.iter().filter_map(|folder| self.known.get(folder)).filter(|run| run.header.lab == lab.id);
            let pinned = Pinned::of(lab.params, runs.cloned().collect(), &by, &state.style);
            session.past.set_pinned(Arc::new(pinned));
        }
        self.told = Some((read, by, state.style.clone()));
    }
}
