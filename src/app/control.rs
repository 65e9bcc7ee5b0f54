//! What the window asks of the worker: starting, restarting after edits, pausing, stepping.

use super::closing::{Next, trained};
use super::runs;
use super::session::Start;
use super::state::State;
use crate::engine::command::{Command, Record, RunRequest};
use crate::engine::event::{Level, Status};
use crate::engine::params::{ParamError, Params, Value};
use crate::engine::state::RunState;
use crate::kit::lab::{self, RunOptions};

impl State {
    /// Starts a run of a lab with its form's values. Whatever the worker runs now ends: [`State::wish`] asks before.
    pub fn start(&mut self, index: usize, why: Start) {
        if self.closing.is_ending() {
            return;
        }
        let Some(session) = self.sessions.get_mut(index) else { return };
        session.pending = None;
        let whole = session.playback_rate().is_some();
        let options = RunOptions {
            name: session.name.clone(),
            seed: session.seed,
            device: self.device.clone(),
            record: match why {
                Start::Preview => Record::No,
                Start::Settled => Record::Replace(runs::live_folder(&self.runs_dir, &self.stamp, session.lab.spec.id)),
                Start::Explicit => Record::New(self.runs_dir.clone()),
            },
            changes: if whole { session.changes.clone() } else { Vec::new() },
            ..RunOptions::default()
        };
        match lab::request(session.lab.spec, &session.params, options) {
            Ok(request) => {
                session.errors.clear();
                self.launch(index, request, Some(why));
            }
            Err(error) => {
                let key = error_key(&error).unwrap_or_default().to_owned();
                session.errors.insert(key, error.to_string());
                // While something is typed it is wrong most of the time; the form says so.
                if why != Start::Preview {
                    self.notice(Level::Error, format!("the run did not start: {error}"));
                }
            }
        }
    }

    /// Sends a run of a lab to the worker, and shows it (`why`: where its cursor begins) as soon as something of it is there.
    pub fn launch(&mut self, index: usize, request: Box<RunRequest>, why: Option<Start>) {
        if let (Some(session), Some(why)) = (self.sessions.get_mut(index), why) {
            let whole = (session.lab.spec.playback)(&request.params).is_some();
            session.place_cursor(why, whole);
            session.expect(request.id, whole, self.time);
        }
        self.last_run = Some(request.id);
        self.backend.send(Command::Start(request));
    }

    /// Does something that may end the training, and asks first where it does.
    pub fn wish(&mut self, next: Next) {
        if let Some(next) = self.closing.wish(next, &self.sessions) {
            self.carry_on(next);
        }
    }

    /// Does what nothing stands against any more.
    pub fn carry_on(&mut self, next: Next) {
        match next {
            Next::Restart(lab) => self.start(lab, Start::Explicit),
            Next::Start(lab, why) => self.start(lab, why),
            Next::GoOn(lab, request) => self.go_on(lab, request),
            Next::Open(lab, run) => self.show_recorded(lab, *run),
        }
    }

    /// Shows a recorded run in its lab, and brings that to the front.
    fn show_recorded(&mut self, lab: usize, run: RunState) {
        let Some(session) = self.sessions.get_mut(lab) else { return };
        session.show_recorded(run, self.time);
        // A study that measures in this lab has lost its run.
        self.last_run = None;
        self.open_lab(lab);
    }

    /// Goes on with a recorded run in its lab, and brings that to the front.
    fn go_on(&mut self, lab: usize, request: Box<RunRequest>) {
        let Some(session) = self.sessions.get_mut(lab) else { return };
        let whole = (session.lab.spec.playback)(&request.params).is_some();
        let changes = if whole { request.changes.as_slice() } else { &[][..] };
        session.fill_form(&request.params, changes, request.seed, &request.name);
        self.launch(lab, request, Some(Start::Explicit));
        self.open_lab(lab);
    }

    /// Sends restarts that edits asked for, no faster than they are computed.
    pub fn flush_restarts(&mut self) {
        for index in 0..self.sessions.len() {
            let Some(why) = self.sessions[index].pending else { continue };
            if trained(&self.sessions).is_some() {
                // What follows the form never ends a training.
                self.sessions[index].pending = None;
            } else if self.sessions[index].may_restart(self.time) {
                self.start(index, why);
            }
        }
    }

    /// Takes in an edit of the front lab's form or view.
    pub fn edit(&mut self, key: &str, value: Value, settled: bool) {
        let Some(session) = self.sessions.get_mut(self.active) else { return };
        if session.edit(key, value, settled) {
            self.after_edit(&[key], settled);
        }
    }

    /// Lets changed values take effect: a run that is computed at once is recomputed; a training run gets its live
    /// parameters; anything else waits for the restart that the user asks for.
    pub fn after_edit(&mut self, keys: &[&str], settled: bool) {
        let training = self.is_training();
        let Some(session) = self.sessions.get_mut(self.active) else { return };
        if session.playback_rate().is_some() {
            if !training {
                let why = if settled { Start::Settled } else { Start::Preview };
                session.pending = session.pending.max(Some(why));
                self.flush_restarts();
            }
            return;
        }
        if !settled || !session.training() {
            return;
        }
        let specs = session.lab.spec.params;
        let sets: Vec<Command> = specs
            .iter()
            .filter(|spec| {
                spec.live
                    && keys.contains(&spec.key)
                    && session.params.get(spec.key) != session.run.params.get(spec.key)
            })
            .filter_map(|spec| {
                Some(Command::Set { key: spec.key.to_owned(), value: session.params.get(spec.key)?.clone() })
            })
            .collect();
        sets.into_iter().for_each(|set| self.backend.send(set));
    }

    /// The same, where any value may have changed.
    pub fn after_all_edits(&mut self) {
        let Some(session) = self.front() else { return };
        let keys: Vec<&str> = session.lab.spec.params.iter().map(|spec| spec.key).collect();
        self.after_edit(&keys, true);
    }

    /// Every parameter of the front lab to its default, as one undo step.
    pub fn reset_form(&mut self) {
        let Some(session) = self.front_mut() else { return };
        session.load(Params::defaults(session.lab.spec.params));
        self.after_all_edits();
    }

    /// Puts a chosen path into the form of a lab, and makes the choices under which the form shows it.
    pub fn use_path(&mut self, lab: usize, key: &str, path: &std::path::Path) {
        self.settings.remember(path);
        self.active = lab;
        let Some(session) = self.front_mut() else { return };
        let edited = session.use_path(key, path);
        let keys: Vec<&str> = edited.iter().map(String::as_str).collect();
        self.after_edit(&keys, true);
        self.notice(Level::Info, format!("data: {}", path.display()));
    }

    /// Loads a preset and starts it.
    pub fn preset(&mut self, id: &str) {
        let Some(session) = self.sessions.get_mut(self.active) else { return };
        match session.lab.spec.preset(id) {
            Some(Ok(params)) => {
                session.load(params);
                session.name = id.to_owned();
                session.play.from_start();
                let why = if session.playback_rate().is_some() { Start::Settled } else { Start::Explicit };
                self.wish(Next::Start(self.active, why));
            }
            Some(Err(error)) => self.notice(Level::Error, format!("preset `{id}`: {error}")),
            None => self.unknown("preset", id),
        }
    }

    /// Says that a script named what is not there.
    pub fn unknown(&mut self, what: &str, id: &str) {
        self.notice(Level::Warning, format!("there is no {what} `{id}`"));
    }

    /// The one play/pause: the training's while it trains, the timeline's otherwise.
    pub fn play_pause(&mut self) {
        let Some(session) = self.sessions.get_mut(self.active) else { return };
        let end = session.run.step;
        if session.training() {
            let paused = session.run.status == Some(Status::Paused);
            if paused {
                session.play.follow = true;
            }
            self.backend.send(if paused { Command::Resume } else { Command::Pause });
        } else if session.run.header.is_none() {
            if !session.is_waiting() {
                self.wish(Next::Restart(self.active));
            }
        } else if session.play.playing {
            session.play.pause();
        } else {
            session.play.play(end);
        }
    }

    /// One step: of the training while it trains, of the timeline otherwise.
    pub fn single_step(&mut self) {
        let Some(session) = self.sessions.get_mut(self.active) else { return };
        if session.training() {
            session.play.follow_live();
            self.backend.send(Command::Step(1));
        } else {
            session.play.step_by(1, session.run.step);
        }
    }
}

/// The parameter that an error is about.
fn error_key(error: &ParamError) -> Option<&str> {
    match error {
        ParamError::Unknown { key, .. }
        | ParamError::Malformed { key, .. }
        | ParamError::OutOfRange { key, .. }
        | ParamError::NotLive { key }
        | ParamError::Invalid { key, .. } => Some(key),
        ParamError::NotKeyValue(_) => None,
    }
}
