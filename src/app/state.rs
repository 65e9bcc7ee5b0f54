//! What every part of the window draws from. It is changed by acts, by what the worker says and by time alone.

use std::path::PathBuf;

use eframe::egui_wgpu::RenderState;

use super::act::Act;
use super::backend::{Backend, DeviceEntry, Wake};
use super::closing::{Closing, Lent};
use super::layouts::Layouts;
use super::notices::Notices;
use super::session::{Session, Start};
use super::settings::Settings;
use crate::compute::device::DeviceChoice;
use crate::engine::event::{Level, RunId};
use crate::engine::params::ParamSpec;
use crate::kit::view::{LabView, ViewCtx};
use crate::plot::background::Task;
use crate::plot::style::Style;

/// The labs, the worker, and what the user chose for the whole window.
pub struct State {
    pub sessions: Vec<Session>,
    /// Index of the lab in front.
    pub active: usize,
    pub backend: Box<dyn Backend>,
    pub closing: Closing,
    pub notices: Notices,
    pub settings: Settings,
    pub style: Style,
    /// The device of the next training run.
    pub device: DeviceChoice,
    pub devices: Option<Vec<DeviceEntry>>,
    /// They are being looked for.
    pub device_answer: Option<Task<Vec<DeviceEntry>>>,
    /// Id of the lab of a scene that was opened, and its pinned runs: they take the place of those of that lab.
    pub scene_pins: Option<(String, Vec<PathBuf>)>,
    /// Where runs are recorded.
    pub runs_dir: PathBuf,
    /// This session's own name, part of the names of its recordings.
    pub stamp: String,
    /// The run that was asked for last.
    pub last_run: Option<RunId>,
    /// The window's time in seconds.
    pub time: f64,
    pub wake: Wake,
}

impl State {
    /// The lab in front.
    pub fn front(&self) -> Option<&Session> {
        self.sessions.get(self.active)
    }

    pub fn front_mut(&mut self) -> Option<&mut Session> {
        self.sessions.get_mut(self.active)
    }

    /// The index of a lab by its id.
    pub fn lab(&self, id: &str) -> Option<usize> {
        self.sessions.iter().position(|session| session.lab.spec.id == id)
    }

    /// The title of a lab by its id; the id where this version does not have it.
    pub fn title<'a>(&self, id: &'a str) -> &'a str {
        self.lab(id).map_or(id, |lab| self.sessions[lab].lab.spec.title)
    }

    /// A parameter of the lab in front.
    pub fn parameter(&self, key: &str) -> Option<&'static ParamSpec> {
        self.front()?.lab.spec.params.iter().find(|spec| spec.key == key)
    }

    /// A run trains.
    pub fn is_training(&self) -> bool {
        self.sessions.iter().any(Session::training)
    }

    pub fn notice(&mut self, level: Level, text: impl Into<String>) {
        self.notices.push(self.time, level, text);
    }

    /// Brings a lab to the front.
    pub fn open_lab(&mut self, index: usize) {
        if index < self.sessions.len() && index != self.active {
            self.active = index;
            self.settings.lab = self.sessions[index].lab.spec.id.to_owned();
            self.first_run();
        }
    }

    /// A first start is never an empty screen: what is computed at once is computed.
    pub fn first_run(&mut self) {
        let busy = self.is_training();
        let Some(session) = self.front_mut() else { return };
        if session.run.header.is_none() && !session.is_waiting() && session.playback_rate().is_some() && !busy {
            session.pending = Some(Start::Settled);
            self.flush_restarts();
        }
    }

    /// Calls `f` with the front lab's view and what it draws from; what the view asks for goes to `acts`.
    pub fn with_view<R>(
        &mut self,
        wgpu: Option<&RenderState>,
        presenting: bool,
        acts: &mut Vec<Act>,
        f: impl FnOnce(&mut dyn LabView, &mut Layouts, &mut ViewCtx<'_>) -> R,
    ) -> Option<R> {
        let session = self.sessions.get_mut(self.active)?;
        let params = session.effective();
        let past = session.past.view(&session.run);
        let mut actions = Vec::new();
        let mut ctx = ViewCtx {
            run: &session.run,
            params: &params,
            cursor: session.cursor(),
            style: &self.style,
            wgpu,
            past: &past,
            presenting,
            actions: &mut actions,
        };
        let result = f(session.view.as_mut(), &mut session.layouts, &mut ctx);
        acts.extend(actions.into_iter().map(Act::from));
        Some(result)
    }

    /// The way out, and what it deals with.
    pub fn way_out(&mut self) -> (&mut Closing, Lent<'_>) {
        (&mut self.closing, Lent { sessions: &mut self.sessions, backend: self.backend.as_mut(), time: self.time })
    }
}
