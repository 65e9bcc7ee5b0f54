//! A study in the window: the rows of a table or figure of a paper are run one after the other in the lab in front, and
//! measured into the table "paper | ours" (the same [`StudyRun`] as on the command line).

use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use eframe::egui::{self, RichText, Ui, vec2};

use super::closing::Next;
use super::session::Start;
use super::widgets::{Icon, labelled_button};
use super::{App, Wake, runs, theme};
use crate::engine::command::Command;
use crate::engine::event::{Level, RunId};
use crate::engine::params::{ParamError, ParamSpec, Params, Value};
use crate::engine::recording;
use crate::engine::study::{STUDIES, StudyRun, StudySpec, StudyTask};
use crate::engine::study_table::{StudyTable, TableRow};
use crate::kit::lab::DEFAULT_SEED;
use crate::plot::number;
use crate::plot::style::Style;

/// Runs of each row where the seed changes the result.
const SEEDS: u64 = 3;

/// Steps of a study from which it starts only when it is told to.
const LONG_STUDY: u64 = 50_000;

/// What a study is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// What was measured before is being read.
    Opening,
    /// This run is being made.
    Measuring(RunId),
    /// All is measured, or somebody stopped it.
    Resting,
}

/// A study in the window.
#[derive(Debug)]
pub struct Study {
    /// Index of the lab.
    lab: usize,
    run: StudyRun,
    /// The table of `run`.
    table: StudyTable,
    /// Runs that were measured by an earlier study.
    kept: usize,
    phase: Phase,
    folder: PathBuf,
    disk: Disk,
    open: bool,
}

/// What the user asked for in the study's window.
enum Wish {
    Stop,
    GoOn,
    Again,
    /// Show the run of this row.
    Load(usize),
    SaveText,
    SaveCsv,
    Copy,
}

impl App {
    /// Opens a study of the front lab and measures what was not measured before.
    pub(super) fn begin_study(&mut self, spec: &'static StudySpec) {
        let lab = self.active;
        match &mut self.study {
            Some(study) if study.lab == lab && study.run.spec.id == spec.id && study.phase != Phase::Resting => {
                study.open = true;
            }
            _ => self.open_study(lab, spec, false),
        }
    }

    /// `again`: measures every row anew.
    fn open_study(&mut self, lab: usize, spec: &'static StudySpec, again: bool) {
        let Some(session) = self.sessions.get(lab) else { return };
        let lab_spec = session.lab.spec;
        // Where one's own data lie is not the study's to say: the form does.
        let paths = lab_spec.params.iter().filter(|parameter| parameter.kind.is_path());
        let given: Vec<(String, Value)> = paths
            .filter_map(|parameter| Some((parameter.key.to_owned(), session.params.get(parameter.key)?.clone())))
            .collect();
        let run = match StudyRun::new(lab_spec.id, lab_spec.params, spec, SEEDS, DEFAULT_SEED, &given) {
            Ok(run) => run,
            Err(error) => return self.notice(Level::Error, format!("study `{}`: {error}", spec.id)),
        };
        if let Some(missing) = run.next().and_then(|task| missing_path(lab_spec.params, task)) {
            let text = format!(
                "“{}” needs data of your own: show `{}` in the form, choose it there, and start the study again",
                spec.title, missing.label
            );
            return self.notice(Level::Warning, text);
        }
        let folder = run.folder(&self.runs_dir.parent().unwrap_or(Path::new("")).join(STUDIES));
        let before = self.study.take().map(|study| study.disk.thread);
        match Disk::open(run.clone(), folder.clone(), (lab_spec.data, again), before, self.wake.clone()) {
            Ok(disk) => {
                let (table, phase) = (run.table(), Phase::Opening);
                self.study = Some(Study { lab, run, table, kept: 0, phase, folder, disk, open: true });
            }
            Err(error) => self.notice(Level::Error, format!("study `{}`: no thread can be started: {error}", spec.id)),
        }
    }

    /// Puts a row's values into the form.
    fn load_task(&mut self, lab: usize, task: StudyTask) {
        self.active = lab;
        let Some(session) = self.sessions.get_mut(lab) else { return };
        session.edit_all(|session| {
            session.params = task.params;
            session.seed = task.seed;
            session.changes.clear();
        });
        session.errors.clear();
        session.name = runs::file_name(&task.name);
    }

    /// Starts the study's next run; rests if there is none, or if it does not start.
    pub(super) fn next_of_study(&mut self) {
        let Some(study) = &mut self.study else { return };
        study.phase = Phase::Resting;
        let Some(task) = study.run.next().cloned() else { return };
        let lab = study.lab;
        if self.ends_training(&Next::Study) {
            return self.wish(Next::Study);
        }
        self.load_task(lab, task);
        self.last_run = None;
        self.start(lab, Start::Explicit);
        // If it did not start, a notice says why.
        if let (Some(id), Some(study)) = (self.last_run, &mut self.study) {
            study.phase = Phase::Measuring(id);
        }
    }

    /// Measures the run that has ended, if one has, and starts the next.
    pub(super) fn advance_study(&mut self) {
        let Some(study) = &mut self.study else { return };
        let mut go_on = false;
        let mut problems = Vec::new();
        while let Ok(answer) = study.disk.answers.try_recv() {
            match answer {
                Answer::Opened(run) => {
                    study.kept = run.progress().0;
                    study.table = run.table();
                    study.run = *run;
                    let steps = self.sessions.get(study.lab).map(|session| session.lab.spec.steps);
                    let now = Now { steps, ..Now::default() };
                    go_on = study.phase == Phase::Opening && now.steps_left(&study.run) < LONG_STUDY;
                    if study.phase == Phase::Opening {
                        study.phase = Phase::Resting;
                    }
                }
                Answer::Refused(problem) => {
                    study.phase = Phase::Resting;
                    problems.push((Level::Error, format!("the study did not start: {problem}")));
                }
                Answer::Told(text) => problems.push((Level::Warning, text)),
                Answer::NotSaved(problem) => {
                    problems.push((Level::Warning, format!("the study is not saved: {problem}")));
                }
            }
        }
        if let Phase::Measuring(id) = study.phase {
            let run = self.sessions.get(study.lab).map(|session| &session.run);
            if self.last_run != Some(id) {
                study.phase = Phase::Resting;
                problems.push((Level::Info, "the study was interrupted by another run".to_owned()));
            } else if let Some(run) = run.filter(|run| run.id == Some(id) && !run.is_live()) {
                if study.run.record(run) {
                    study.table = study.run.table();
                    study.disk.save(&study.run);
                    go_on = true;
                } else {
                    // It was stopped: it counts as not made.
                    study.phase = Phase::Resting;
                }
            }
        }
        for (level, problem) in problems {
            self.notice(level, problem);
        }
        if go_on {
            self.next_of_study();
        }
    }

    /// Lets the disk have the last rows, at most for so long.
    pub(super) fn close_study(&mut self, deadline: Duration) {
        if let Some(study) = self.study.take() {
            study.disk.close(deadline);
        }
    }

    fn fulfil(&mut self, ctx: &egui::Context, wish: Wish) {
        let Some(study) = &mut self.study else { return };
        let name = runs::file_name(study.run.spec.id);
        match wish {
            Wish::Stop => {
                if let Phase::Measuring(_) = study.phase {
                    self.backend.send(Command::Stop);
                }
                study.phase = Phase::Resting;
            }
            Wish::GoOn if study.disk.thread.is_finished() => {
                // The folder was refused; perhaps it can be used now.
                let (lab, spec) = (study.lab, study.run.spec);
                self.open_study(lab, spec, false);
            }
            Wish::GoOn => self.next_of_study(),
            Wish::Again => {
                let (lab, spec) = (study.lab, study.run.spec);
                self.open_study(lab, spec, true);
            }
            Wish::Load(row) => {
                let lab = study.lab;
                if let Some(task) = study.run.task(row).cloned() {
                    self.load_task(lab, task);
                    self.wish(Next::Start(lab, Start::Settled));
                }
            }
            Wish::SaveText => self.files.save_text(&format!("{name}.txt"), study.table.text()),
            Wish::SaveCsv => self.files.save_text(&format!("{name}.csv"), study.table.csv()),
            Wish::Copy => {
                ctx.copy_text(study.table.text());
                self.notice(Level::Info, "the table was copied");
            }
        }
    }
}

/// A path that the study's own choices ask for and that nobody has chosen.
fn missing_path(specs: &'static [ParamSpec], task: &StudyTask) -> Option<&'static ParamSpec> {
    specs.iter().find(|parameter| {
        parameter.kind.is_path()
            && parameter.only_if.is_some()
            && task.params.shows(parameter)
            && task.params.get(parameter.key) == Some(&Value::Text(String::new()))
    })
}

/// Draws the study's window, if it is open.
pub fn show(app: &mut App, ctx: &egui::Context) {
    let session = app.study.as_ref().and_then(|study| app.sessions.get(study.lab));
    let now = session.map_or(Now::default(), |session| Now {
        step: session.run.step,
        steps_per_second: session.steps_per_second(),
        steps: Some(session.lab.spec.steps),
    });
    let Some(study) = app.study.as_mut().filter(|study| study.open) else { return };
    let style = app.style.clone();
    let mut open = true;
    let mut wish = None;
    egui::Window::new(format!("Study: {}", study.run.spec.title))
        .id(egui::Id::unique("study"))
        .open(&mut open)
        .collapsible(true)
        .title_frame(theme::window_title(&style))
        .default_size(vec2(720.0, 400.0))
        .default_pos(ctx.content_rect().center() - vec2(360.0, 250.0))
        .show(ctx, |ui| {
            ui.label(RichText::new(study.run.spec.source).weak());
            ui.label(study.run.spec.about);
            ui.add_space(8.0);
            progress(study, &now, ui, &style);
            ui.add_space(8.0);
            // Of the screen, not of the window: what depends on the window's height would make it grow.
            let room = (ctx.content_rect().height() * 0.5).max(60.0);
            egui::ScrollArea::both().auto_shrink([false, true]).max_height(room).show(ui, |ui| {
                table(study, ui, &style, &mut wish);
            });
            ui.add_space(8.0);
            ui.label(RichText::new(format!("Paper: as printed there. {}", study.table.how())).weak());
            ui.add_space(4.0);
            ui.horizontal_wrapped(|ui| buttons(study, ui, &style, &mut wish));
        });
    study.open = open;
    if let Some(wish) = wish {
        app.fulfil(ctx, wish);
    }
}

/// Where the study's run is.
#[derive(Default)]
struct Now {
    step: u64,
    steps_per_second: Option<f64>,
    /// Steps of a run with these parameters.
    steps: Option<fn(&Params) -> u64>,
}

impl Now {
    /// Steps of all runs that are left.
    fn steps_left(&self, study: &StudyRun) -> u64 {
        self.steps.map_or(0, |steps| study.remaining().map(|task| steps(&task.params)).sum())
    }
}

/// How far it is, and how long the rest takes.
fn progress(study: &Study, now: &Now, ui: &mut Ui, style: &Style) {
    let (done, all) = study.run.progress();
    let mut text = match study.phase {
        Phase::Opening => "reading what was measured before".to_owned(),
        _ => format!("{done} of {all} runs are measured"),
    };
    if study.kept > 0 {
        text += &format!(", {} of them before", study.kept);
    }
    let steps_left = now.steps_left(&study.run);
    match study.phase {
        Phase::Measuring(_) => {
            // By the runs that were measured; before that by the speed of the first one.
            let by_speed = || Some(steps_left.saturating_sub(now.step) as f64 / now.steps_per_second?);
            if let Some(left) = study.run.seconds_left().or_else(by_speed) {
                text += &format!("; about {} left", number::duration(left));
            }
        }
        Phase::Resting if steps_left >= LONG_STUDY => {
            text += &format!(
                "; {} steps are left. A few seconds after “Go on” you see how long they take; “Stop” ends it",
                number::grouped(steps_left)
            );
        }
        _ => {}
    }
    let share = done as f32 / all.max(1) as f32;
    ui.add(egui::ProgressBar::new(share).desired_height(6.0).fill(style.accent));
    ui.label(RichText::new(text).weak()).on_hover_text(format!("kept in {}", study.folder.display()));
}

fn table(study: &Study, ui: &mut Ui, style: &Style, wish: &mut Option<Wish>) {
    let now = match study.phase {
        Phase::Measuring(_) => study.run.next().map(|task| task.row),
        _ => None,
    };
    let measures = study.run.spec.measures.len().max(1);
    egui::Grid::new("study table").striped(true).spacing(vec2(16.0, 6.0)).show(ui, |ui| {
        for head in ["run", "measure", "paper", "ours", "paper | ours", "data"] {
            ui.label(theme::strong(head));
        }
        ui.end_row();
        for (at, row) in study.table.rows.iter().enumerate() {
            // One line for each measure; the first of a row names it.
            let (index, first) = (at / measures, at % measures == 0);
            if !first {
                ui.label("");
            } else if ui.link(&row.row).on_hover_text("Show this run").clicked() && study.phase == Phase::Resting {
                *wish = Some(Wish::Load(index));
            }
            ui.label(row.title());
            ui.label(RichText::new(row.paper_text()).monospace().color(style.text_weak));
            let measured = row.ours_text(study.table.deterministic);
            let ours = match (measured.is_empty(), now == Some(index)) {
                (true, true) => RichText::new("running").weak(),
                (true, false) => RichText::new("…").weak(),
                _ if row.problem.is_some() => RichText::new(measured).color(style.error),
                _ => RichText::new(measured).monospace(),
            };
            ui.label(ours);
            let largest = study.table.largest(&row.measure);
            bars(row, largest, ui, style);
            ui.label(RichText::new(if first { row.data.as_str() } else { "" }).weak());
            ui.end_row();
        }
    });
}

/// The paper's number as a hollow bar above ours as a filled one, with our lowest and highest as a line; the longest bar of
/// a measure fills the width.
fn bars(row: &TableRow, largest: f64, ui: &mut Ui, style: &Style) {
    let (rect, _) = ui.allocate_exact_size(vec2(110.0, 16.0), egui::Sense::hover());
    if largest <= 0.0 || !ui.is_rect_visible(rect) {
        return;
    }
    let painter = ui.painter_at(rect);
    let x = |value: f64| rect.left() + 1.0 + (value.max(0.0) / largest) as f32 * (rect.width() - 2.0);
    let bar = |top: f32, value: f64| {
        egui::Rect::from_min_max(egui::pos2(x(0.0), rect.top() + top), egui::pos2(x(value), rect.top() + top + 6.0))
    };
    if let Some(paper) = row.paper {
        painter.rect_stroke(bar(1.0, paper), 1.0, egui::Stroke::new(1.0, style.text_weak), egui::StrokeKind::Inside);
    }
    if let Some(mean) = row.ours.mean {
        painter.rect_filled(bar(9.0, mean), 1.0, style.accent);
        if let (Some(low), Some(high)) = (row.ours.lowest, row.ours.highest) {
            let y = rect.top() + 12.0;
            let ends = [egui::pos2(x(low), y), egui::pos2(x(high), y)];
            painter.line_segment(ends, egui::Stroke::new(1.5, style.text));
        }
    }
}

fn buttons(study: &Study, ui: &mut Ui, style: &Style, wish: &mut Option<Wish>) {
    let mut button = |icon, label, accent, asks| {
        if labelled_button(ui, icon, label, accent, style).clicked() {
            *wish = Some(asks);
        }
    };
    if study.phase != Phase::Resting {
        button(Some(Icon::Stop), "Stop the study", false, Wish::Stop);
    } else if study.run.next().is_some() {
        button(Some(Icon::Play), "Go on", true, Wish::GoOn);
    }
    if study.phase == Phase::Resting {
        button(Some(Icon::Restart), "Measure anew", false, Wish::Again);
    }
    button(None, "Copy the table", false, Wish::Copy);
    button(None, "Save as text", false, Wish::SaveText);
    button(None, "Save as CSV", false, Wish::SaveCsv);
}

/// The disk side of a study: a thread of its own, so that no frame waits for a file.
#[derive(Debug)]
struct Disk {
    jobs: mpsc::Sender<StudyRun>,
    answers: mpsc::Receiver<Answer>,
    thread: JoinHandle<()>,
}

/// Says in words what a run's data set is.
type Describe = fn(&Params) -> Result<String, ParamError>;

/// What the disk says.
#[derive(Debug)]
enum Answer {
    /// The study with what was measured before.
    Opened(Box<StudyRun>),
    Refused(String),
    /// What the user should know of the stored results.
    Told(String),
    NotSaved(String),
}

impl Disk {
    /// Reads what is in the folder, to be used unless `again`, then saves whatever it is given. `describe`: the data set of
    /// a run in words. `before`: the thread of the last study, which must not write later than this one.
    fn open(
        mut study: StudyRun,
        folder: PathBuf,
        (describe, again): (Describe, bool),
        before: Option<JoinHandle<()>>,
        wake: Wake,
    ) -> io::Result<Self> {
        let (jobs, todo) = mpsc::channel::<StudyRun>();
        let (sender, answers) = mpsc::channel();
        let thread = thread::Builder::new().name("study".to_owned()).spawn(move || {
            if let Some(before) = before {
                // Had it panicked, there would be nothing to wait for.
                before.join().ok();
            }
            let say = |answer| {
                sender.send(answer).ok();
                wake();
            };
            match recording::probe(&folder).and_then(|()| study.keep(&folder, describe, again)) {
                Ok(notes) => {
                    say(Answer::Opened(Box::new(study)));
                    notes.into_iter().for_each(|note| say(Answer::Told(note)));
                }
                Err(error) => return say(Answer::Refused(error.to_string())),
            }
            let mut complained = false;
            while let Ok(mut newest) = todo.recv() {
                while let Ok(newer) = todo.try_recv() {
                    newest = newer;
                }
                let saved = newest.save(&folder);
                match &saved {
                    Ok(Some(notice)) => say(Answer::Told(notice.clone())),
                    Err(error) if !complained => say(Answer::NotSaved(error.to_string())),
                    _ => {}
                }
                complained = saved.is_err();
            }
        })?;
        Ok(Self { jobs, answers, thread })
    }

    fn save(&self, study: &StudyRun) {
        // A thread that refused the folder is gone, and said so.
        self.jobs.send(study.clone()).ok();
    }

    fn close(self, deadline: Duration) {
        drop(self.jobs);
        let until = Instant::now() + deadline;
        while !self.thread.is_finished() && Instant::now() < until {
            thread::sleep(Duration::from_millis(5));
        }
    }
}
