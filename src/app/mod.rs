//! The window: one shell for all labs. Draws from [`RunState`](crate::engine::state::RunState), sends
//! [`Command`](crate::engine::command::Command)s, trains nothing. Nothing here waits: not for the worker, a file, a
//! dialog or a device.

pub mod actions;
pub mod backend;
mod bars;
mod capture;
mod closing;
mod commands;
mod control;
pub mod figure;
mod files;
mod fork;
mod form;
mod form_row;
pub mod guard;
mod guide;
mod help;
pub mod layouts;
mod markdown;
mod metrics;
mod notices;
mod palette;
pub mod playback;
mod presenter;
mod reopen;
mod run_list;
pub mod runs;
pub mod session;
pub mod settings;
mod shell;
mod status_line;
mod study;
pub mod study_figure;
mod study_view;
pub mod theme;
pub mod tiles;
mod timeline;
mod widgets;
pub mod window;
pub mod wiring;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use eframe::egui;

use self::backend::{Backend, DeviceEntry, DeviceLister, Fetch, PastStore};
use self::notices::Notices;
use self::session::{Session, Start};
use self::settings::{Settings, Store};
use crate::compute::device::DeviceChoice;
use crate::engine::event::{Body, Level, RunId, Status};
use crate::engine::params::Params;
use crate::kit::view::{Lab, ViewAction};
use crate::plot::background::Task;
use crate::plot::style::Style;

pub use window::{WindowOptions, run_window};

/// Longest time that closing waits for a worker that trains nothing.
const PATIENCE: Duration = Duration::from_secs(5);
/// Longest time that closing waits for each of the files that are being written.
const FAREWELL: Duration = Duration::from_secs(2);

/// Asks for a frame from any thread.
pub type Wake = Arc<dyn Fn() + Send + Sync>;

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
}

/// The window's state.
pub struct App {
    backend: Box<dyn Backend>,
    sessions: Vec<Session>,
    active: usize,
    settings: Settings,
    store: Store,
    notices: Notices,
    style: Style,
    /// Look and type scale that egui draws with now.
    applied: Option<(Style, f32)>,
    device: DeviceChoice,
    devices: Option<Vec<DeviceEntry>>,
    device_answer: Option<Task<Vec<DeviceEntry>>>,
    palette: palette::Palette,
    presenter: Option<presenter::Presenter>,
    help_open: bool,
    metrics: metrics::Metrics,
    fork: fork::Fork,
    study: Option<study::Study>,
    reopen: reopen::Reopen,
    run_list: run_list::RunList,
    files: files::Files,
    wake: Wake,
    capture: capture::Capture,
    frames: status_line::FrameClock,
    runs_dir: PathBuf,
    /// This session's own name, part of the names of its recordings.
    stamp: String,
    /// The run that was asked for last.
    last_run: Option<RunId>,
    /// The part of the window that gets the keyboard in the next frame.
    focus: Option<shell::Region>,
    /// The part that got it last.
    focused: Option<shell::Region>,
    /// Counts resets of the panels' sizes.
    panels: u32,
    time: f64,
    closing: closing::Closing,
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App").field("active", &self.active).field("device", &self.device).finish_non_exhaustive()
    }
}

impl App {
    /// The window with its first lab already running, where that lab computes its runs at once.
    pub fn new(ctx: &egui::Context, parts: Parts) -> Self {
        theme::install_fonts(ctx);
        let wake: Wake = {
            let ctx = ctx.clone();
            Arc::new(move || ctx.request_repaint())
        };
        let (store, mut settings, problems) = Store::open(parts.config_dir);
        let mut notices = Notices::default();
        problems.into_iter().for_each(|problem| notices.push(0.0, Level::Warning, problem, None));
        let device = parts.open.device.unwrap_or_else(|| settings.device.parse().unwrap_or_default());
        let reopen = reopen::Reopen::new(&parts.runs_dir, &parts.labs, wake.clone());
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
            backend: parts.backend,
            sessions,
            active,
            store,
            notices,
            style: settings.theme.style(None),
            applied: None,
            device,
            devices: None,
            device_answer,
            palette: palette::Palette::default(),
            presenter: None,
            help_open: false,
            metrics: metrics::Metrics::default(),
            fork: fork::Fork::default(),
            study: None,
            reopen,
            run_list: run_list::RunList::default(),
            files: files::Files::new(wake.clone()),
            capture: capture::Capture::new(wake.clone()),
            wake,
            frames: status_line::FrameClock::default(),
            runs_dir: parts.runs_dir,
            stamp: runs::session(),
            last_run: None,
            focus: None,
            focused: None,
            panels: 0,
            time: 0.0,
            closing: closing::Closing::default(),
            settings,
        };
        if let Some(session) = app.sessions.get_mut(active) {
            if let Some(params) = parts.open.params {
                session.params = params;
            }
            session.seed = parts.open.seed.unwrap_or(session.seed);
            session.name = runs::name_of(session.lab, &session.params);
        }
        app.store.begin(&app.remembered());
        match parts.open.run {
            Some(run) => app.open_recorded(run),
            None => app.first_run(),
        }
        app
    }

    /// The lab in front.
    fn session(&mut self) -> Option<&mut Session> {
        self.sessions.get_mut(self.active)
    }

    /// A first start is never an empty screen: what is computed at once is computed.
    fn first_run(&mut self) {
        let busy = self.sessions.iter().any(Session::training);
        let Some(session) = self.session() else { return };
        if session.run.header.is_none() && !session.is_waiting() && session.playback_rate().is_some() && !busy {
            session.pending = Some(Start::Settled);
            self.flush_restarts();
        }
    }

    /// Brings a lab to the front.
    fn open_lab(&mut self, index: usize) {
        if index < self.sessions.len() && index != self.active {
            self.active = index;
            self.settings.lab = self.sessions[index].lab.spec.id.to_owned();
            self.first_run();
        }
    }

    fn notice(&mut self, level: Level, text: impl Into<String>) {
        self.notices.push(self.time, level, text, None);
    }

    /// Carries out what a view asked for.
    fn carry_out(&mut self, actions: Vec<ViewAction>) {
        for action in actions {
            match action {
                ViewAction::SetParam { key, value, settled } => self.edit(&key, value, settled),
                ViewAction::Seek(cursor) => {
                    if let Some(session) = self.session() {
                        session.play.seek(cursor, session.run.step);
                    }
                }
                ViewAction::Notice(level, text) => self.notice(level, text),
                ViewAction::SaveText { name, text } => self.files.save_text(&name, text),
                ViewAction::ChooseFile { key } => self.choose_path(&key),
                ViewAction::ShowTile(tile) => self.bring_tile(tile),
            }
        }
    }

    /// Takes in what the worker and the helper threads have finished.
    fn receive(&mut self, ctx: &egui::Context) {
        let (events, letters) = self.backend.drain();
        if !events.is_empty() || self.backend.has_more() {
            ctx.request_repaint();
        }
        let mut changed = false;
        for event in &events {
            self.tell_study(event);
            let Some(session) = self.sessions.iter_mut().find(|session| session.owns(event.run)) else { continue };
            session.apply(event, self.time);
            self.closing.hear(event);
            changed |= match &event.body {
                Body::Started(header) => !header.folder.is_empty(),
                Body::Status(status) => status.is_over(),
                _ => false,
            };
            match &event.body {
                Body::Notice { level, text } => self.notices.push(self.time, *level, text.clone(), Some(event.step)),
                // A run that is computed at once writes one whenever a slider moves.
                Body::Checkpoint { file } if session.run_rate().is_none() => {
                    self.notices.note(self.time, Level::Info, format!("checkpoint written: {file}"), Some(event.step));
                }
                Body::Status(Status::Failed(text)) => {
                    // A refused combination of values or a file that cannot be read is shown beside its field, too.
                    if let Some(key) = blamed(text, session.lab) {
                        session.errors.insert(key.to_owned(), text.clone());
                    }
                    self.notices.push(self.time, Level::Error, format!("the run failed: {text}"), Some(event.step));
                }
                _ => {}
            }
        }
        if changed {
            self.recordings_changed();
        }
        for letter in &letters {
            if let Some(session) = self.sessions.iter_mut().find(|session| session.owns(letter.run)) {
                session.deliver(letter);
                ctx.request_repaint();
            }
        }
        if let Some(answer) = self.device_answer.as_ref().and_then(Task::poll) {
            self.device_answer = None;
            match answer {
                Ok(list) => self.devices = Some(list),
                Err(problem) => self.notice(Level::Warning, format!("the devices are not listed: {problem}")),
            }
        }
        for index in 0..self.sessions.len() {
            let session = &mut self.sessions[index];
            session.show_incoming(self.time);
            session.sample_speed(self.time);
            if let Some(problem) = session.past.poll() {
                self.notice(Level::Warning, problem);
            }
        }
        if let Some(problem) = self.store.problem() {
            self.notice(Level::Warning, problem);
        }
        self.receive_files();
        for (level, text) in self.capture.finished() {
            self.notice(level, text);
        }
    }

    /// Moves the cursor with time and asks for the next frame where something moves.
    fn advance(&mut self, ctx: &egui::Context) {
        // The time that has passed, not egui's smoothed one: playback keeps its rate on a slow display.
        let seconds = f64::from(ctx.input(|input| input.unstable_dt));
        let Some(session) = self.sessions.get_mut(self.active) else { return };
        let (rate, end) = (session.replay_rate(), session.run.step);
        let over = session.run.status.as_ref().is_some_and(Status::is_over);
        let planned = if over { end } else { session.planned_steps() };
        let moving = session.play.advance(seconds, rate, end, planned);
        if moving && over && session.play.cursor.step >= end {
            session.play.pin_at_end();
        } else if moving && (end > 0 || session.run.is_live()) {
            ctx.request_repaint();
        }
        if session.pending.is_some() || session.is_waiting() {
            ctx.request_repaint_after(Duration::from_millis(16));
        } else if session.training() && session.run.status != Some(Status::Paused) {
            // Seconds of warming up and the measured speed go on counting without events.
            ctx.request_repaint_after(Duration::from_millis(500));
        }
    }

    /// What is worth remembering now.
    fn remembered(&self) -> Settings {
        let mut settings = self.settings.clone();
        settings.device = self.device.to_string();
        if let Some(session) = self.sessions.get(self.active) {
            settings.speed = session.play.speed;
        }
        for session in &self.sessions {
            settings.labs.insert(session.lab.spec.id.to_owned(), session.remembered());
        }
        settings
    }

    /// Hands every change to the writer in the frame in which it is made: there may not be another for a long time.
    fn save_settings(&mut self, ctx: &egui::Context) {
        let talk = self.presenter.is_some() || ctx.input(|i| i.viewport().fullscreen == Some(true));
        if let Some(rect) = ctx.input(|i| i.viewport().inner_rect).filter(|rect| !talk && rect.width() > 1.0) {
            self.settings.window = Some([rect.width().round(), rect.height().round()]);
        }
        self.store.save(&self.remembered());
    }

    fn apply_theme(&mut self, ctx: &egui::Context) {
        self.style = self.settings.theme.style(ctx.system_theme());
        let scale = if self.presenter.is_some() { presenter::TYPE_SCALE } else { 1.0 };
        let wanted = (self.style.clone(), scale);
        if self.applied.as_ref() != Some(&wanted) {
            theme::apply(ctx, &self.style, scale);
            self.applied = Some(wanted);
        }
    }
}

impl eframe::App for App {
    fn logic(&mut self, ctx: &egui::Context, _frame: &mut eframe::Frame) {
        self.time = ctx.input(|input| input.time);
        self.apply_theme(ctx);
        self.receive(ctx);
        let dropped = ctx.input(|input| input.raw.dropped_files.iter().map(|file| file.path().to_owned()).collect());
        self.receive_dropped(dropped);
        self.advance_recorded(ctx);
        self.flush_restarts();
        self.advance(ctx);
        self.advance_study();
        self.advance_closing(ctx);
    }

    fn ui(&mut self, ui: &mut egui::Ui, frame: &mut eframe::Frame) {
        self.frames.tick(ui.ctx(), frame);
        actions::run_shortcuts(self, ui.ctx());
        shell::show(self, ui, frame);
        self.flush_restarts();
        self.take_wanted(ui.ctx());
        self.save_settings(ui.ctx());
    }

    fn on_exit(&mut self) {
        self.store.save(&self.remembered());
        // A display that is gone closes the window without a question; a run has its time all the same.
        let patience = match (self.closing.gives_up(), self.sessions.iter().any(Session::training)) {
            (true, _) => Duration::ZERO,
            (false, true) => Duration::MAX,
            (false, false) => PATIENCE,
        };
        self.backend.shutdown(patience);
        self.close_study(FAREWELL);
        self.store.close(FAREWELL);
    }

    fn clear_color(&self, _visuals: &egui::Visuals) -> [f32; 4] {
        self.style.plot_background.to_normalized_gamma_f32()
    }

    fn persist_egui_memory(&self) -> bool {
        false
    }
}

/// The parameter that a message of the form "parameter `key` .." is about.
fn blamed(text: &str, lab: &'static Lab) -> Option<&'static str> {
    let key = text.strip_prefix("parameter `")?.split('`').next()?;
    lab.spec.params.iter().map(|spec| spec.key).find(|known| *known == key)
}
