//! What the window asks of the worker: starting, restarting after edits, pausing, stepping.

use super::App;
use super::closing::Next;
use super::runs;
use super::session::{Session, Start};
use crate::engine::command::{Command, Record};
use crate::engine::event::{Level, Status};
use crate::engine::params::{ParamError, Value};
use crate::kit::lab::{self, RunOptions};

impl App {
    /// Starts a run of a lab with its form's values. Whatever the worker runs now ends: [`App::wish`] asks before.
    pub(super) fn start(&mut self, index: usize, why: Start) {
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
                session.place_cursor(why, whole);
                session.expect(request.id, whole, self.time);
                self.last_run = Some(request.id);
                self.backend.send(Command::Start(request));
            }
            Err(error) => {
                let key = error_key(&error).unwrap_or_default().to_owned();
                session.errors.insert(key, error.to_string());
                self.notice(Level::Error, format!("the run did not start: {error}"));
            }
        }
    }

    /// Sends restarts that edits asked for, no faster than they are computed.
    pub(super) fn flush_restarts(&mut self) {
        for index in 0..self.sessions.len() {
            let Some(why) = self.sessions[index].pending else { continue };
            if self.trained().is_some() {
                // What follows the form never ends a training.
                self.sessions[index].pending = None;
            } else if self.sessions[index].may_restart(self.time) {
                self.start(index, why);
            }
        }
    }

    /// Takes in an edit of the front lab's form or view.
    pub(super) fn edit(&mut self, key: &str, value: Value, settled: bool) {
        let Some(session) = self.sessions.get_mut(self.active) else { return };
        if session.edit(key, value, settled) {
            self.after_edit(&[key], settled);
        }
    }

    /// Lets changed values take effect: a run that is computed at once is recomputed; a training run gets its live
    /// parameters; anything else waits for the restart that the user asks for.
    pub(super) fn after_edit(&mut self, keys: &[&str], settled: bool) {
        let training = self.sessions.iter().any(Session::training);
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

    /// Undo or redo of the front lab's form.
    pub(super) fn undo(&mut self, redo: bool) {
        let Some(session) = self.sessions.get_mut(self.active) else { return };
        let done = if redo { session.redo() } else { session.undo() };
        if done {
            let keys: Vec<&str> = session.lab.spec.params.iter().map(|spec| spec.key).collect();
            self.after_edit(&keys, true);
        }
    }

    /// Loads a preset and starts it.
    pub(super) fn preset(&mut self, id: &str) {
        let Some(session) = self.sessions.get_mut(self.active) else { return };
        match session.lab.spec.preset(id) {
            Some(Ok(params)) => {
                session.edit_all(|session| {
                    session.params = params;
                    session.changes.clear();
                });
                session.errors.clear();
                session.name = id.to_owned();
                session.play.from_start();
                let why = if session.playback_rate().is_some() { Start::Settled } else { Start::Explicit };
                self.wish(Next::Start(self.active, why));
            }
            Some(Err(error)) => self.notice(Level::Error, format!("preset `{id}`: {error}")),
            None => {}
        }
    }

    /// The one play/pause: the training's while it trains, the timeline's otherwise.
    pub(super) fn play_pause(&mut self) {
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
    pub(super) fn single_step(&mut self) {
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
