//! The one place where acts are carried out: each goes to the part that owns what it changes.

use eframe::egui::{self, OpenUrl, ViewportCommand};

use super::act::{Act, FigureFile, NetworkFile};
use super::actions::device_title;
use super::closing::Next;
use super::fold::Folds;
use super::layouts::Layouts;
use super::parts::App;
use super::playback::SPEEDS;
use super::presenter::Presenter;
use super::run_list::file_url;
use super::scene::{SUFFIX, Scene};
use super::session::Session;
use super::settings::Settings;
use super::theme::ThemeChoice;
use super::{capture, pins, scale, script, study};
use crate::engine::command::Command;
use crate::engine::event::Level;
use crate::engine::params::{ParamKind, ParamSpec, Value};
use crate::engine::twin::twin_key;
use crate::kit::export::Part;
use crate::kit::tiles::Arrangement;

impl App {
    /// Sends the acts of a script, see [`script::script`].
    pub fn send_script(&mut self, text: &str) -> Result<(), String> {
        script::script(text).map(|acts| self.acts.extend(acts))
    }

    /// Carries out what was sent, and what a view asks for meanwhile.
    pub(super) fn carry_out(&mut self, ctx: &egui::Context) {
        while !self.acts.is_empty() {
            // What was drawn already shows it with the next frame.
            ctx.request_repaint();
            for act in std::mem::take(&mut self.acts) {
                let changes_the_screen = act.changes_the_screen();
                self.update(act, ctx);
                if let (true, Some(session)) = (changes_the_screen, self.state.front_mut()) {
                    session.look(true, false);
                }
            }
        }
        self.palette.open &= !self.state.closing.asks();
    }

    fn update(&mut self, act: Act, ctx: &egui::Context) {
        let state = &mut self.state;
        match act {
            Act::Lab(id) => match state.lab(&id) {
                Some(lab) => state.open_lab(lab),
                None => state.unknown("lab", &id),
            },
            Act::LabCommand(id) => {
                state.with_view(None, false, &mut self.acts, |view, _, view_ctx| view.command(&id, view_ctx, ctx));
            }

            Act::Play => state.play_pause(),
            Act::Start => state.wish(Next::Restart(state.active)),
            Act::Step => state.single_step(),
            Act::Stop => state.backend.send(Command::Stop),
            Act::Checkpoint => state.backend.send(Command::Checkpoint),
            Act::Twin(key, value) => {
                let value = fitted(state.parameter(&key), value);
                state.backend.send(Command::Set { key: twin_key(&key), value });
            }
            Act::Device(choice) if choice != state.device => {
                let name = device_title(&choice);
                state.device = choice;
                state.notice(Level::Info, format!("the next training run uses: {name}"));
            }
            Act::Device(_) => {}
            Act::Preset(id) => state.preset(&id),
            Act::CloseFailure => self.front(|session, _| session.failure_seen = true),

            Act::Move(steps) => self.front(|session, end| session.play.step_by(steps, end)),
            Act::Part { forward } => {
                let style = state.style.clone();
                self.front(|session, _| session.sub_step(forward, &style));
            }
            Act::Seek(step) => self.front(|session, end| session.play.seek_step(step, end)),
            Act::Place(cursor) => self.front(|session, end| session.play.seek(cursor, end)),
            Act::Mark { forward } => self.front(|session, end| {
                session.play.seek_mark(forward, session.run.marks.iter().map(|mark| mark.step), end);
            }),
            Act::Follow => self.front(|session, _| {
                (session.play.follow, session.play.playing) = (!session.play.follow, false);
            }),
            Act::ChangeSpeed { faster } => self.front(|session, _| session.play.change_speed(faster)),
            Act::Speed(speed) => {
                let (slowest, fastest) = SPEEDS;
                self.front(|session, _| session.play.speed = speed.clamp(slowest, fastest));
            }

            Act::Refuse(key, text) => {
                if let Some(session) = state.front_mut() {
                    session.errors.insert(key, text);
                }
            }
            Act::Set { key, value, settled } => {
                let spec = state.parameter(&key);
                let value = fitted(spec, value);
                if let (true, Some(spec), Value::Text(path)) = (settled, spec, &value)
                    && spec.kind.is_path()
                    && !path.trim().is_empty()
                {
                    self.files.remember_typed(path);
                }
                state.edit(&key, value, settled);
            }
            Act::Seed { seed, settled } => {
                if let Some(session) = state.front_mut() {
                    session.edit_all(|session| session.seed = seed);
                    state.after_edit(&[], settled);
                }
            }
            Act::Undo | Act::Redo => {
                let redo = act == Act::Redo;
                if state.front_mut().and_then(|session| session.step_back(redo)) == Some(true) {
                    state.after_all_edits();
                }
            }
            Act::Defaults => state.reset_form(),
            Act::FromCursor => self.front(|session, _| session.from_cursor ^= true),
            Act::RemoveChange(index) => {
                if let Some(session) = state.front_mut().filter(|session| index < session.changes.len()) {
                    session.edit_all(|session| drop(session.changes.remove(index)));
                    state.after_edit(&[], true);
                }
            }
            Act::OpenData => match state.front().map(|session| (session, session.data_parameter(false))) {
                Some((session, Some(key))) => self.files.choose(session, key),
                _ => state.notice(Level::Info, "this lab opens no data with the present choices"),
            },
            Act::Browse(key) => {
                if let Some(session) = state.front() {
                    self.files.choose(session, &key);
                }
            }
            Act::UsePath { lab, key, path } => match state.lab(&lab) {
                Some(lab) => state.use_path(lab, &key, &path),
                None => state.unknown("lab", &lab),
            },

            Act::ShowTile(id) => self.tile(&id, |layouts, lie, tile| layouts.set_shown(lie, tile, true)),
            Act::HideTile(id) => self.tile(&id, |layouts, lie, tile| layouts.set_shown(lie, tile, false)),
            Act::BringTile(id) => self.tile(&id, |layouts, lie, tile| {
                layouts.set_shown(lie, tile, true);
                layouts.bring(lie, tile);
            }),
            Act::Maximise(id) => self.tile(&id, Layouts::maximise),
            Act::MaximiseNext => self.front(|session, _| {
                session.layouts.maximise_next(&session.view.arrangement(&session.params));
            }),
            Act::RestoreTiles => self.front(|session, _| session.layouts.maximised = None),
            Act::ResetLayout => self.front(|session, _| {
                session.layouts.reset(&session.view.arrangement(&session.params));
            }),
            Act::ResetAllLayouts => {
                state.sessions.iter_mut().for_each(|session| session.layouts.reset_all());
                let Settings { form_width, guide_width, form_open, guide_open, .. } = Settings::default();
                let settings = &mut state.settings;
                (settings.form_width, settings.guide_width) = (form_width, guide_width);
                (settings.form_open, settings.guide_open) = (form_open, guide_open);
                self.folds = Folds::default();
                self.panels += 1;
            }

            Act::Form => self.folds.form.toggle(&mut state.settings.form_open),
            Act::Guide => self.folds.guide.toggle(&mut state.settings.guide_open),
            Act::Present(tile) => self.present(tile.as_deref(), ctx),
            Act::PresentNext(by) => {
                if let (Some(presenter), Some(session)) = (&mut self.presenter, state.front()) {
                    presenter.next(session, by);
                }
            }
            Act::PresentBlack => self.presenter.iter_mut().for_each(Presenter::blank),
            Act::Focus(region) => self.focus.give(region),
            Act::FocusNext => self.focus.next(),

            Act::Study(id) => {
                let studies = state.front().map_or(&[][..], |session| session.lab.spec.studies);
                match studies.iter().find(|study| study.id == id) {
                    Some(spec) => study::begin(&mut self.study, spec, state),
                    None => state.unknown("study", &id),
                }
            }
            Act::Sweep => self.sweep_form.open ^= true,
            Act::SweepOver { over, seeds, first } => study::sweep(&mut self.study, &over, (seeds, first), state),
            Act::SweepCell(cell) => {
                if let Some(study) = &mut self.study {
                    study.show_cell(cell, state);
                }
            }
            Act::StudyGoOn => study::go_on(&mut self.study, state),
            Act::StudyAgain => study::again(&mut self.study, state),
            Act::StudySeeds(count, first) => study::turn_to_seeds(&mut self.study, (count, first), state),
            Act::StudyStop | Act::StudyLeave | Act::StudyLoad(_) | Act::StudySave(_) | Act::StudyCopy => {
                let Some(study) = &mut self.study else { return };
                match act {
                    Act::StudyStop => study.stop(state),
                    Act::StudyLoad(row) => study.load(row, state),
                    Act::StudySave(what) => study.save(what, state, &mut self.files),
                    Act::StudyCopy => study.copy(state, ctx),
                    _ => study.leave(),
                }
            }

            Act::Pin { folder, on } => pins::pin(&folder, on, state),
            Act::PinnedBy(key) => state.settings.pinned_by = key,
            Act::PinStudy => {
                if let Some(study) = &mut self.study {
                    study.pin_runs();
                }
            }
            Act::SideBySide => self.side_by_side.open ^= true,
            Act::OpenRun(folder) => {
                self.run_list.open = false;
                self.reopen.open(folder, state);
            }
            Act::GoOn(folder) => {
                self.run_list.open = false;
                self.reopen.go_on(folder, state);
            }
            Act::ShowFolder(folder) => ctx.open_url(OpenUrl::new_tab(file_url(&folder))),
            Act::CopyPath(folder) => {
                ctx.copy_text(folder.display().to_string());
                state.notice(Level::Info, "the path was copied");
            }
            Act::DeleteRun(folder) => {
                pins::pin(&folder, false, state);
                self.reopen.delete(folder, state);
            }

            Act::CopyScene => {
                if let Some(scene) = state.scene() {
                    let code = scene.code();
                    let signs = code.len();
                    ctx.copy_text(code);
                    state.notice(Level::Info, format!("the scene was copied as a code of {signs} signs"));
                }
            }
            Act::SaveScene => {
                if let Some(scene) = state.scene() {
                    self.files.save_text(&format!("{}.{SUFFIX}", scene.lab), scene.file());
                }
            }
            Act::ChooseScene => self.files.choose_scene(),
            Act::PasteScene => self.paste.open = true,
            Act::ShowScene(code) => match Scene::from_code(&code) {
                Ok(scene) => state.show_scene(&scene),
                Err(problem) => state.notice(Level::Error, format!("no scene was opened: {problem}")),
            },

            Act::Screenshot => {
                let lab = state.front().map_or("window", |session| session.lab.spec.id);
                self.capture.screenshot(lab, &state.runs_dir);
            }
            Act::Figure(tile) => self.figure(tile),
            Act::SaveFigure(format, tile) => self.save_figure(format, tile),
            Act::SaveNetwork(file) => self.save_network(file),
            Act::StopFigures => self.exports.stop(),
            Act::MetricsCsv | Act::MetricsJson => {
                let json = act == Act::MetricsJson;
                if let Some(Err(why)) = state.front().map(|session| self.files.export_metrics(session, json)) {
                    state.notice(Level::Info, why);
                }
            }
            Act::SaveText { name, text } => self.files.save_text(&name, text),

            Act::Palette => self.palette.toggle(),
            Act::Fork => self.fork.open ^= true,
            Act::Metrics => self.metrics.open ^= true,
            Act::Runs => {
                self.run_list.toggle();
                self.reopen.catalogue.refresh();
            }
            Act::Help => self.help_open ^= true,
            Act::Notices => state.notices.open ^= true,
            Act::Dismiss => state.notices.dismiss(),
            Act::Say(level, text) => state.notice(level, text),
            Act::Theme(theme) => state.settings.theme = theme,
            Act::NextTheme => {
                let at = ThemeChoice::ALL.iter().position(|theme| *theme == state.settings.theme).unwrap_or(0);
                state.settings.theme = ThemeChoice::ALL[(at + 1) % ThemeChoice::ALL.len()];
            }
            Act::Resize { larger } => {
                let scale = scale::next(ctx.zoom_factor(), larger);
                state.settings.scale = Some(scale);
                state.notice(Level::Info, format!("size {:.0} %", 100.0 * scale));
            }
            Act::SizeByWidth => {
                state.settings.scale = None;
                state.notice(Level::Info, "size by the window's width");
            }
            Act::Fullscreen => {
                let on = ctx.input(|input| input.viewport().fullscreen.unwrap_or(false));
                ctx.send_viewport_cmd(ViewportCommand::Fullscreen(!on));
            }
            Act::Quit => {
                let (closing, mut lent) = state.way_out();
                closing.leave(&mut lent);
            }
            // A script may answer what nobody asks.
            Act::Answer(_) if !state.closing.asks() => {}
            Act::Answer(choice) => {
                let (closing, mut lent) = state.way_out();
                closing.choose(choice, &mut lent);
            }
        }
    }

    /// Moves something in the lab in front; the number is the newest step of its run.
    fn front(&mut self, change: impl FnOnce(&mut Session, u64)) {
        if let Some(session) = self.state.front_mut() {
            let end = session.run.step;
            change(session, end);
        }
    }

    /// Changes how a tile of the lab in front lies.
    fn tile(&mut self, id: &str, change: impl FnOnce(&mut Layouts, &Arrangement, &'static str)) {
        let Some(session) = self.state.front_mut() else { return };
        let arrangement = session.view.arrangement(&session.params);
        match session.layouts.find(id) {
            Some(tile) => change(&mut session.layouts, &arrangement, tile.id),
            None => self.state.unknown("tile", id),
        }
    }

    /// Begins a talk, or ends the one that goes on.
    fn present(&mut self, tile: Option<&str>, ctx: &egui::Context) {
        if let Some(ended) = self.presenter.take() {
            return ended.end(ctx);
        }
        let session = self.state.front();
        let tile = tile.and_then(|id| session?.layouts.find(id)).map(|tile| tile.id);
        self.presenter = session.and_then(|session| Presenter::begin(session, tile, ctx));
        if self.presenter.is_none() {
            self.state.notice(Level::Info, "this lab shows no tile that could be presented");
        }
    }

    /// The tile that was named; `None`: the one of the talk, the maximised, else the first one.
    fn meant(&self, tile: Option<String>) -> Option<String> {
        let front = || {
            let presented = self.presenter.as_ref().map(|presenter| presenter.tile());
            let maximised = self.state.front()?.layouts.maximised;
            presented.or(maximised).or(self.capture.tiles.first().map(|(tile, _)| *tile))
        };
        tile.or_else(|| front().map(str::to_owned))
    }

    /// Saves weights or features of the run that is shown.
    fn save_network(&mut self, what: NetworkFile) {
        let (runs, device) = (self.state.runs_dir.clone(), self.state.device.clone());
        let Some(session) = self.state.front() else { return };
        let name = match what {
            NetworkFile::Weights => "weights",
            NetworkFile::Features { part: Part::Test, .. } => "features-test",
            NetworkFile::Features { part: Part::Train, .. } => "features-train",
        };
        let (beside, cursor) = (capture::Beside::of(session, &runs), session.play.cursor.step);
        // Which weights these are, is known once they are read.
        let file = move |step: Option<u64>| beside.file(name, step.unwrap_or(cursor), what.suffix());
        if let Err(why) = self.exports.begin_network(what, session, device, file) {
            self.state.notice(Level::Info, why);
        }
    }

    /// Saves a tile that is drawn anew.
    fn save_figure(&mut self, format: FigureFile, tile: Option<String>) {
        let tile = self.meant(tile);
        let (style, runs) = (self.state.style.clone(), self.state.runs_dir.clone());
        let Some(session) = self.state.front_mut() else { return };
        let begun = match tile {
            Some(tile) => {
                let file = capture::figure_file(&tile, session, &runs, format.suffix());
                self.exports.begin(format, &tile, session, &style, file)
            }
            None => Err("there is no figure to save".to_owned()),
        };
        if let Err(why) = begun {
            self.state.notice(Level::Info, why);
        }
    }

    /// Exports a tile as a picture.
    fn figure(&mut self, tile: Option<String>) {
        let tile = self.meant(tile);
        let Some(session) = self.state.front() else { return };
        let taken = match tile {
            Some(tile) => self.capture.figure(&tile, session, self.presenter.is_some(), &self.state.runs_dir),
            None => Err("there is no figure to export"),
        };
        if let Err(why) = taken {
            self.state.notice(Level::Info, why);
        }
    }
}

/// A value as its parameter takes it: a script writes a whole number without a point, and a text without quotes.
fn fitted(spec: Option<&ParamSpec>, value: Value) -> Value {
    match (spec.map(|spec| spec.kind), value) {
        (Some(ParamKind::Float { .. }), Value::Int(whole)) => Value::Float(whole as f64),
        (Some(ParamKind::Choice(_) | ParamKind::Path | ParamKind::Folder | ParamKind::Text), value) => {
            Value::Text(value.to_string())
        }
        (_, value) => value,
    }
}
