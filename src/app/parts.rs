//! What the window is made of: its state, its parts with what they keep for themselves, and the acts that wait.

use std::path::PathBuf;
use std::sync::Arc;

use eframe::egui;

use super::act::{Act, Focus};
use super::backend::{Backend, DeviceLister, Fetch, PastStore, Wake};
use super::capture::Capture;
use super::closing::Closing;
use super::exports::Exports;
use super::files::Files;
use super::fold::Folds;
use super::fork::Fork;
use super::metrics::Metrics;
use super::notices::Notices;
use super::palette::Palette;
use super::pins::Pins;
use super::presenter::Presenter;
use super::reopen::Reopen;
use super::run_list::RunList;
use super::scene::Scene;
use super::scene_window::Paste;
use super::session::Session;
use super::settings::{Settings, Store};
use super::side_by_side::SideBySide;
use super::state::State;
use super::status_line::FrameClock;
use super::study::Study;
use super::sweep_form::SweepForm;
use super::{runs, theme};
use crate::compute::device::DeviceChoice;
use crate::engine::event::Level;
use crate::engine::params::Params;
use crate::kit::view::Lab;
use crate::plot::background::Task;
use crate::plot::style::Style;

/// What the window is made of; a test fills it with scripted parts.
pub struct Parts {
    pub labs: Vec<&'static Lab>,
    pub backend: Box<dyn Backend>,
    pub fetch: Fetch,
    /// `None`: only automatic and CPU can be chosen.
    pub devices: Option<DeviceLister>,
    /// Where settings live; `None`: nothing is remembered.
    pub config_dir: Option<PathBuf>,
    /// Where runs are recorded.
    pub runs_dir: PathBuf,
    /// What the command line asked for.
    pub open: Open,
}

/// What the window shows first; empty fields leave it to the settings.
#[derive(Debug, Clone, Default)]
pub struct Open {
    pub lab: Option<String>,
    pub params: Option<Params>,
    pub seed: Option<u64>,
    pub device: Option<DeviceChoice>,
    /// The folder of a recorded run to show.
    pub run: Option<PathBuf>,
    /// A scene to show.
    pub scene: Option<Scene>,
}

/// The window.
pub struct App {
    pub(super) state: State,
    /// What was sent and is not carried out yet.
    pub(super) acts: Vec<Act>,
    pub(super) store: Store,
    /// Look and type scale that egui draws with now.
    pub(super) applied: Option<(Style, f32)>,
    pub(super) palette: Palette,
    pub(super) paste: Paste,
    pub(super) presenter: Option<Presenter>,
    pub(super) help_open: bool,
    pub(super) metrics: Metrics,
    pub(super) fork: Fork,
    pub(super) study: Option<Study>,
    pub(super) sweep_form: SweepForm,
    pub(super) pins: Pins,
    pub(super) side_by_side: SideBySide,
    pub(super) reopen: Reopen,
    pub(super) run_list: RunList,
    pub(super) files: Files,
    pub(super) capture: Capture,
    pub(super) exports: Exports,
    pub(super) frames: FrameClock,
    pub(super) focus: Focus,
    pub(super) folds: Folds,
    /// Counts resets of the panels' sizes.
    pub(super) panels: u32,
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App").field("active", &self.state.active).field("acts", &self.acts).finish_non_exhaustive()
    }
}

impl App {
    /// The window with its first lab already running, where that lab computes its runs at once.
    pub fn new(ctx: &egui::Context, parts: Parts) -> Self {
        theme::install_fonts(ctx);
        // Its keys are acts of ours, and what they choose is remembered.
        ctx.options_mut(|options| options.zoom_with_keyboard = false);
        let wake: Wake = {
            let ctx = ctx.clone();
            Arc::new(move || ctx.request_repaint())
        };
        let (store, mut settings, problems) = Store::open(parts.config_dir);
        let mut notices = Notices::default();
        problems.into_iter().for_each(|problem| notices.push(0.0, Level::Warning, problem));
        let device = parts.open.device.unwrap_or_else(|| settings.device.parse().unwrap_or_default());
        let reopen = Reopen::new(&parts.runs_dir, &parts.labs, wake.clone());
        let sessions: Vec<Session> = parts
            .labs
            .iter()
            .map(|lab| {
                let remembered = settings.labs.get(lab.spec.id).cloned().unwrap_or_default();
                let past = PastStore::new(parts.fetch.clone(), wake.clone());
                let mut session = Session::new(lab, &remembered, past);
                session.play.speed = settings.speed;
                session
            })
            .collect();
        if let Some(lab) = parts.open.lab {
            settings.lab = lab;
        }
        let active = sessions.iter().position(|session| session.lab.spec.id == settings.lab).unwrap_or(0);
        let device_answer = parts.devices.map(|lister| {
            let wake = wake.clone();
            Task::begin("device list", move || wake(), move |_| lister())
        });
        let mut app = Self {
            acts: Vec::new(),
            store,
            applied: None,
            palette: Palette::default(),
            paste: Paste::default(),
            presenter: None,
            help_open: false,
            metrics: Metrics::default(),
            fork: Fork::default(),
            study: None,
            sweep_form: SweepForm::default(),
            pins: Pins::default(),
            side_by_side: SideBySide::default(),
            reopen,
            run_list: RunList::default(),
            files: Files::new(wake.clone()),
            capture: Capture::new(wake.clone()),
            exports: Exports::new(parts.fetch.clone(), wake.clone()),
            frames: FrameClock::default(),
            focus: Focus::default(),
            folds: Folds::default(),
            panels: 0,
            state: State {
                sessions,
                active,
                backend: parts.backend,
                closing: Closing::default(),
                notices,
                style: settings.theme.style(None),
                settings,
                device,
                devices: None,
                device_answer,
                scene_pins: None,
                runs_dir: parts.runs_dir,
                stamp: runs::session(),
                last_run: None,
                time: 0.0,
                wake,
            },
        };
        if let Some(session) = app.state.front_mut() {
            if let Some(params) = parts.open.params {
                session.params = params;
            }
            session.seed = parts.open.seed.unwrap_or(session.seed);
            session.name = runs::name_of(session.lab, &session.params);
        }
        app.store.begin(&app.remembered());
        if let Some(scene) = parts.open.scene {
            app.state.show_scene(&scene);
        }
        match parts.open.run {
            Some(run) => app.send(Act::OpenRun(run)),
            None => app.state.first_run(),
        }
        app
    }

    /// Sends an act: it is carried out with the next frame, before that is drawn.
    pub fn send(&mut self, act: Act) {
        self.acts.push(act);
    }

    /// What is worth remembering now.
    pub(super) fn remembered(&self) -> Settings {
        let mut settings = self.state.settings.clone();
        settings.device = self.state.device.to_string();
        if let Some(session) = self.state.front() {
            settings.speed = session.play.speed;
        }
        for session in &self.state.sessions {
            settings.labs.insert(session.lab.spec.id.to_owned(), session.remembered());
        }
        settings
    }
}
