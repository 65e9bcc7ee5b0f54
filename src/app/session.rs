//! One lab in the window: its form, its run as received so far, its place in time. Pure state; the shell carries out
//! what it asks for.

use std::collections::{BTreeMap, VecDeque};
use std::mem::discriminant;
use std::path::Path;

use super::backend::PastStore;
use super::layouts::Layouts;
use super::playback::Playback;
use super::settings::LabSettings;
use super::undo::History;
use crate::engine::event::{Body, Change, Event, RunId, Status};
use crate::engine::mailbox::Letter;
use crate::engine::params::{ParamSpec, Params};
use crate::engine::state::RunState;
use crate::kit::fields;
use crate::kit::lab::Moment;
use crate::kit::tiles::TileSpec;
use crate::kit::view::{Cursor, Lab, LabView, ViewCtx};
use crate::plot::style::Style;

/// Seconds after which a recomputed run is shown although it is not complete, and a slider may restart it again.
const PATIENCE: f64 = 0.1;

/// Why a run is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Start {
    /// A value is being dragged: computed, not recorded.
    Preview,
    /// A value was settled, or the window opened: recorded in the folder that follows the form.
    Settled,
    /// The user asked for it: a recording of its own.
    Explicit,
}

/// A run that was asked for and is not shown yet.
#[derive(Debug)]
struct Incoming {
    id: RunId,
    state: RunState,
    asked: f64,
    /// It is computed at once: shown when complete, so that paths do not flicker while a slider moves.
    whole: bool,
}

/// One lab in the window.
pub struct Session {
    pub lab: &'static Lab,
    pub view: Box<dyn LabView>,
    /// The form's values at step 0.
    pub params: Params,
    /// Values that change at later steps ("from the cursor on").
    pub changes: Vec<Change>,
    /// Edits of live parameters become [`Session::changes`] at the cursor.
    pub from_cursor: bool,
    pub seed: u64,
    /// Refused values by parameter key.
    pub errors: BTreeMap<String, String>,
    /// The run that is shown.
    pub run: RunState,
    incoming: Option<Incoming>,
    /// A restart that waits for the last one to be computed.
    pub pending: Option<Start>,
    pub play: Playback,
    pub past: PastStore,
    pub layouts: Layouts,
    /// What the run is recorded as, in words.
    pub name: String,
    /// Window time at which the status last changed to another kind.
    pub status_since: f64,
    /// The failure banner of this run was closed.
    pub failure_seen: bool,
    /// What became of the run so far, and of which run at which step that was looked at.
    moments: (Option<(RunId, u64)>, Vec<Moment>),
    speed_samples: VecDeque<(f64, u64)>,
    /// Seconds that a step of the shown run took lately.
    pub step_seconds: Option<f64>,
    /// The newest step, and when it was reached by the run's own clock; `None` after a pause.
    reached: Option<(u64, f64)>,
    /// What the view is to show of a scene once its run is there.
    pub(super) scene_view: Option<BTreeMap<String, String>>,
    pub(super) history: History,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("lab", &self.lab.spec.id).field("play", &self.play).finish_non_exhaustive()
    }
}

impl Session {
    /// The lab with its remembered values; what no longer fits the lab's list falls back to its default.
    pub fn new(lab: &'static Lab, remembered: &LabSettings, past: PastStore) -> Self {
        let spec = lab.spec;
        let mut params = Params::defaults(spec.params);
        for (key, value) in &remembered.params {
            let _ = params.set(spec.params, key, value.clone());
        }
        let view = (lab.view)();
        let layouts = Layouts::new(view.tiles(), &remembered.layouts);
        Self {
            lab,
            view,
            name: super::runs::name_of(lab, &params),
            params,
            changes: Vec::new(),
            from_cursor: false,
            seed: remembered.seed.unwrap_or(crate::kit::lab::DEFAULT_SEED),
            errors: BTreeMap::new(),
            run: RunState::default(),
            incoming: None,
            pending: None,
            play: Playback::default(),
            past,
            layouts,
            status_since: 0.0,
            failure_seen: false,
            moments: (None, Vec::new()),
            speed_samples: VecDeque::new(),
            step_seconds: None,
            reached: None,
            scene_view: None,
            history: History::default(),
        }
    }

    /// What is worth remembering.
    pub fn remembered(&self) -> LabSettings {
        let differs = |spec: &&ParamSpec| self.params.get(spec.key) != Some(&spec.default.into());
        let value = |spec: &ParamSpec| Some((spec.key.to_owned(), self.params.get(spec.key)?.clone()));
        LabSettings {
            seed: Some(self.seed),
            params: self.lab.spec.params.iter().filter(differs).filter_map(value).collect(),
            layouts: self.layouts.remembered(),
        }
    }

    /// Steps a second at which a run with the form's values is played; `None`: it trains and is followed.
    pub fn playback_rate(&self) -> Option<f64> {
        (self.lab.spec.playback)(&self.params)
    }

    /// The rate at which the SHOWN run is played. A finished training run is replayed in about ten seconds.
    pub fn replay_rate(&self) -> f64 {
        self.run_rate().unwrap_or_else(|| (self.run.step as f64 / 10.0).max(10.0))
    }

    /// The shown run trains right now (a surface run that is being computed does not count).
    pub fn training(&self) -> bool {
        self.run.is_live() && self.run_rate().is_none()
    }

    /// The lab's playback rate for the shown run; a run without a complete parameter set counts as training.
    pub fn run_rate(&self) -> Option<f64> {
        let spec = self.lab.spec;
        let complete = spec.params.iter().all(|parameter| self.run.params.get(parameter.key).is_some());
        complete.then(|| (spec.playback)(&self.run.params)).flatten()
    }

    /// The values in force at the cursor: the form's, with the later changes that have happened by then.
    pub fn effective(&self) -> Params {
        self.effective_at(self.play.cursor.step)
    }

    fn effective_at(&self, step: u64) -> Params {
        let mut params = self.params.clone();
        for change in self.changes.iter().filter(|change| change.step <= step) {
            let _ = params.set(self.lab.spec.params, &change.key, change.value.clone());
        }
        params
    }

    /// The place that is shown: ahead of a run that is still being computed, its newest step.
    pub fn cursor(&self) -> Cursor {
        self.shown_at(self.play.cursor)
    }

    fn shown_at(&self, cursor: Cursor) -> Cursor {
        let newest = Cursor { step: self.run.step, sub: 0 };
        if cursor.step > newest.step { newest } else { cursor }
    }

    /// Number of parts of the update at the cursor.
    pub fn sub_steps(&self, style: &Style) -> usize {
        self.sub_steps_at(self.play.cursor, style)
    }

    /// Whether the first update of the run can be split into parts.
    pub fn has_parts(&self, style: &Style) -> bool {
        self.sub_steps_at(Cursor::default(), style) > 0
    }

    fn sub_steps_at(&self, cursor: Cursor, style: &Style) -> usize {
        let (params, past) = (self.effective_at(cursor.step), self.past.view(&self.run));
        self.view.sub_steps(&ViewCtx {
            run: &self.run,
            params: &params,
            cursor: self.shown_at(cursor),
            style,
            wgpu: None,
            past: &past,
            presenting: false,
            actions: &mut Vec::new(),
        })
    }

    /// Moves the cursor by one part of an update.
    pub fn sub_step(&mut self, forward: bool, style: &Style) {
        let mut cursor = self.play.cursor;
        if !forward && cursor.sub == 0 && cursor.step > 0 {
            // Stepping back into the update before, which may have another number of parts.
            cursor = Cursor { step: cursor.step - 1, sub: 0 };
        }
        let parts = self.sub_steps_at(cursor, style);
        self.play.sub_step(forward, parts, self.run.step);
    }

    /// Tiles of the present arrangement with whether they are shown, in reading order.
    pub fn tiles(&self) -> Vec<(&'static TileSpec, bool)> {
        self.layouts.shown(&self.view.arrangement(&self.params))
    }

    /// Tiles that are shown, in reading order.
    pub fn shown_tiles(&self) -> Vec<&'static str> {
        self.tiles().into_iter().filter(|(_, shown)| *shown).map(|(tile, _)| tile.id).collect()
    }

    /// Parameters whose form value differs from the shown run's and needs a restart to take effect.
    pub fn stale(&self) -> Vec<&'static str> {
        let Some(header) = &self.run.header else { return Vec::new() };
        let differs = |spec: &&ParamSpec| {
            // A live value is on its way to a live run; a value that was changed on the way is not stale.
            let on_its_way = spec.live && self.run.is_live();
            let running = if spec.live { &self.run.params } else { &header.params };
            !on_its_way && self.params.shows(spec) && self.params.get(spec.key) != running.get(spec.key)
        };
        self.lab.spec.params.iter().filter(differs).map(|spec| spec.label).collect()
    }

    /// Whether another restart may be sent: the last one has been computed, or took too long.
    pub fn may_restart(&self, time: f64) -> bool {
        self.incoming.as_ref().is_none_or(|incoming| time - incoming.asked > PATIENCE)
    }

    /// A run was asked for.
    pub fn expect(&mut self, id: RunId, whole: bool, time: f64) {
        self.incoming = Some(Incoming { id, state: RunState::default(), asked: time, whole });
        self.pending = None;
    }

    /// Places the cursor for a run that was asked for because of `why`.
    pub fn place_cursor(&mut self, why: Start, whole: bool) {
        match why {
            _ if !whole => self.play.follow_live(),
            Start::Explicit => self.play.from_start(),
            // Whoever scrubbed, paused or watches the end wants to see what changes there.
            _ if self.play.touched || self.play.follow => {}
            Start::Settled => self.play.from_start(),
            Start::Preview => {}
        }
    }

    /// Looks at what became of the run, where it has gone on since.
    pub fn judge(&mut self) {
        let now = self.run.id.map(|id| (id, self.run.step));
        if self.moments.0 != now {
            self.moments = (now, (self.lab.spec.moments)(&self.run));
        }
    }

    /// What became of the run, as of the last [`Session::judge`].
    pub fn moments(&self) -> &[Moment] {
        &self.moments.1
    }

    /// Whether an event or letter of this run belongs here.
    pub fn owns(&self, id: RunId) -> bool {
        self.run.id == Some(id) || self.incoming.as_ref().is_some_and(|incoming| incoming.id == id)
    }

    pub fn apply(&mut self, event: &Event, time: f64) {
        let before = self.run.status.clone();
        match &mut self.incoming {
            Some(incoming) if incoming.id == event.run => incoming.state.apply(event),
            _ if self.run.id == Some(event.run) => {
                self.run.apply(event);
                if let Body::Started(header) = &event.body {
                    // It was announced, before it had a folder.
                    self.past.open(&header.folder);
                }
                self.time_step(event);
            }
            _ => return,
        }
        self.show_incoming(time);
        // How far something is changes all the time; since when it goes on does not.
        if self.run.status.as_ref().map(discriminant) != before.as_ref().map(discriminant) {
            self.status_since = time;
        }
    }

    pub fn deliver(&mut self, letter: &Letter) {
        match &mut self.incoming {
            Some(incoming) if incoming.id == letter.run => incoming.state.deliver(letter),
            _ => self.run.deliver(letter),
        }
    }

    /// Shows the run that was asked for as soon as there is something to see of it.
    pub fn show_incoming(&mut self, time: f64) {
        let ready = self.incoming.as_ref().is_some_and(|incoming| {
            let started = incoming.state.header.is_some();
            let complete = !incoming.state.is_live();
            started && (!incoming.whole || complete || time - incoming.asked > PATIENCE)
        });
        if ready && let Some(incoming) = self.incoming.take() {
            self.show(incoming.state, time);
        }
    }

    fn show(&mut self, run: RunState, time: f64) {
        self.run = run;
        if let Some(shown) = self.scene_view.take() {
            fields::put(self.view.as_mut(), &shown);
        }
        self.status_since = time;
        self.failure_seen = false;
        self.speed_samples.clear();
        (self.step_seconds, self.reached) = (None, None);
        let folder = self.run.header.as_ref().map_or("", |header| header.folder.as_str());
        self.past.open(folder);
    }

    /// Where the shown run is recorded; `None`: it is not.
    pub fn folder(&self) -> Option<&Path> {
        let folder = self.run.header.as_ref()?.folder.as_str();
        (!folder.is_empty()).then_some(Path::new(folder))
    }

    /// Shows a recorded run in the place of the run so far, and puts its values into the form.
    pub fn show_recorded(&mut self, run: RunState, time: f64) {
        (self.incoming, self.pending) = (None, None);
        if let Some(header) = &run.header {
            // What is computed at once is computed again with the changes along it; a training run stands as it ended.
            let whole = (self.lab.spec.playback)(&header.params).is_some();
            let (values, changes) =
                if whole { (&header.params, header.changes.as_slice()) } else { (&run.params, &[][..]) };
            self.fill_form(values, changes, header.seed, &header.name);
            if whole {
                self.play.from_start();
            } else {
                self.play.follow_live();
            }
        }
        self.show(run, time);
    }

    /// Measures how long a step takes.
    fn time_step(&mut self, event: &Event) {
        if matches!(event.body, Body::Status(_)) {
            self.reached = None;
        }
        match self.reached {
            Some((step, seconds)) if event.step > step => {
                self.step_seconds = Some((event.seconds - seconds) / (event.step - step) as f64);
            }
            Some(_) => return,
            None => {}
        }
        self.reached = Some((event.step, event.seconds));
    }

    /// The shown run is on its way and has not trained: nothing is lost when it ends.
    pub fn has_not_trained(&self) -> bool {
        self.run.is_live() && (self.run.announced || matches!(self.run.status, Some(Status::Judging { .. })))
    }

    /// A run that trains was asked for and has not begun.
    pub fn awaits_training(&self) -> bool {
        self.incoming.as_ref().is_some_and(|incoming| !incoming.whole)
    }

    /// A run is on its way and not shown yet.
    pub fn is_waiting(&self) -> bool {
        self.incoming.is_some()
    }

    /// Steps that the shown run will have in the end.
    pub fn planned_steps(&self) -> u64 {
        self.run.header.as_ref().map_or(self.run.step, |header| header.steps.max(self.run.step))
    }

    /// Notes the progress for [`Session::steps_per_second`].
    pub fn sample_speed(&mut self, time: f64) {
        if self.run.status != Some(Status::Running) {
            self.speed_samples.clear();
            return;
        }
        if self.speed_samples.back().is_none_or(|(then, _)| time - then > 0.1) {
            self.speed_samples.push_back((time, self.run.step));
        }
        while self.speed_samples.len() > 2 && self.speed_samples.front().is_some_and(|(then, _)| time - then > 3.0) {
            self.speed_samples.pop_front();
        }
    }

    /// Measured over the last seconds; `None` while too little is known.
    pub fn steps_per_second(&self) -> Option<f64> {
        let ((t0, s0), (t1, s1)) = (*self.speed_samples.front()?, *self.speed_samples.back()?);
        (t1 - t0 > 0.5 && s1 > s0).then(|| (s1 - s0) as f64 / (t1 - t0))
    }
}
