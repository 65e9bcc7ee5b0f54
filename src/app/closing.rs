//! The ways out of the window and out of a run that trains: what is asked before the window closes, or before another run
//! takes its place, and what is waited for. A run that trains is given the time for its checkpoint, what a view has not
//! saved is asked about, and the window stays alive meanwhile.

use eframe::egui::{self, Key, Modifiers, RichText, ViewportCommand};

use super::session::{Session, Start};
use super::widgets::labelled_button;
use super::{App, theme};
use crate::engine::command::{Command, RunRequest};
use crate::engine::event::{Body, Event, Level, Status};
use crate::engine::state::{MarkKind, RunState};
use crate::plot::number;

/// Where the way out stands.
#[derive(Debug, Default)]
pub struct Closing {
    stage: Stage,
    /// The question is new: its first button gets the keyboard.
    fresh: bool,
    /// The user would rather lose the run than wait for it.
    gives_up: bool,
    /// What the training is to end for; `None`: the window closes.
    next: Option<Next>,
}

/// What ends the training that goes on, since there is one worker and each lab shows one run.
#[derive(Debug)]
pub enum Next {
    /// A lab's run with its form's values; the button says so of a run of this lab.
    Restart(usize),
    /// The same, asked for by something else than that button.
    Start(usize, Start),
    /// A lab goes on with a recorded run.
    GoOn(usize, Box<RunRequest>),
    /// A lab shows a recorded run.
    Open(usize, Box<RunState>),
}

impl Next {
    /// The choice that lets it happen.
    fn choices(&self) -> &'static [(&'static str, Choice)] {
        match self {
            Next::Restart(_) | Next::Start(..) => &[("Cancel", Choice::Stay), ("Stop it and start", Choice::Stop)],
            Next::GoOn(..) => &[("Cancel", Choice::Stay), ("Stop it and go on", Choice::Stop)],
            Next::Open(..) => &[("Cancel", Choice::Stay), ("Stop it and open", Choice::Stop)],
        }
    }

    /// What happens then.
    fn what(&self) -> &'static str {
        match self {
            Next::Restart(_) | Next::Start(..) => "the new run starts",
            Next::GoOn(..) => "the recorded run goes on",
            Next::Open(..) => "the recorded run is shown",
        }
    }
}

#[derive(Debug, Default)]
enum Stage {
    #[default]
    Staying,
    /// A view has something that is not saved: the user is asked.
    Unsaved,
    /// It is being saved, since this time.
    Saving(f64),
    /// The run that trains is not recorded: the user is asked.
    Unrecorded,
    /// Something else would end the run that trains: the user is asked.
    Replacing,
    Ending(Ending),
    Leaving,
}

/// A run that is given the time for a checkpoint: the worker does its step, writes one and pauses, so that the user can
/// still stay. Then the worker is told to end.
#[derive(Debug, Default)]
struct Ending {
    since: f64,
    /// The run was paused before, and stays so if the user stays.
    paused: bool,
    /// The worker has come to what it was asked for.
    answered: bool,
    saved: bool,
    /// What it warned of last.
    problem: Option<String>,
    /// The run has ended, perhaps because it failed.
    over: bool,
    failed: bool,
    /// It was asked a second time: what it is asked while it starts a run may be lost.
    again: bool,
    /// The worker was told to end: there is no way back.
    last: bool,
}

/// What the user can say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Choice {
    Stay,
    Save,
    /// Leave what is not saved as the draft that it is.
    Draft,
    /// End the training for what comes next.
    Stop,
    TryAgain,
    GiveUp,
}

/// What is said and asked; the first choice is the one that loses nothing.
struct Question {
    title: &'static str,
    text: String,
    detail: String,
    choices: &'static [(&'static str, Choice)],
}

impl Closing {
    /// Something is being asked: nothing else takes keys.
    pub fn asks(&self) -> bool {
        !matches!(self.stage, Stage::Staying | Stage::Leaving)
    }

    /// No further run may start.
    pub fn is_ending(&self) -> bool {
        matches!(self.stage, Stage::Ending(_) | Stage::Leaving)
    }

    pub fn is_leaving(&self) -> bool {
        matches!(self.stage, Stage::Leaving)
    }

    pub fn gives_up(&self) -> bool {
        self.gives_up
    }

    /// Takes in what the worker says meanwhile.
    pub fn hear(&mut self, event: &Event) {
        let Stage::Ending(ending) = &mut self.stage else { return };
        match &event.body {
            Body::Checkpoint { .. } => ending.saved = true,
            Body::Notice { level: Level::Warning | Level::Error, text } => ending.problem = Some(text.clone()),
            Body::Status(Status::Paused) => ending.answered = true,
            Body::Status(status) if status.is_over() => {
                ending.over = true;
                ending.failed = matches!(status, Status::Failed(_));
            }
            _ => {}
        }
    }

    fn ask(&mut self, stage: Stage) {
        self.stage = stage;
        self.fresh = true;
    }
}

impl App {
    /// The user wants to close the window.
    pub(super) fn leave(&mut self) {
        // Whoever closes the window no longer wants what the training would end for.
        if self.closing.next.take().is_some() && matches!(self.closing.stage, Stage::Replacing) {
            self.closing.stage = Stage::Staying;
        }
        if !matches!(self.closing.stage, Stage::Staying) {
            return;
        }
        self.palette.open = false;
        if self.unsaved().is_empty() {
            self.leave_run();
        } else {
            self.closing.ask(Stage::Unsaved);
        }
    }

    /// Closes without a question, but not without a run's checkpoint.
    pub(super) fn leave_unasked(&mut self) {
        self.closing.next = None;
        if self.closing.is_leaving() || matches!(&self.closing.stage, Stage::Ending(ending) if ending.last) {
            return;
        }
        if self.trained().is_some() && !self.backend.has_ended() {
            self.closing.ask(Stage::Ending(Ending { since: self.time, last: true, ..Ending::default() }));
        } else {
            self.closing.stage = Stage::Leaving;
        }
    }

    /// What the views have not saved, in words.
    fn unsaved(&self) -> Vec<String> {
        self.sessions.iter().filter_map(|session| session.view.unsaved()).collect()
    }

    /// The lab whose run trains, or is about to.
    pub(super) fn trained(&self) -> Option<&Session> {
        self.sessions.iter().find(|session| session.training() || session.awaits_training())
    }

    /// A run is on its way that has nothing to lose yet.
    fn has_not_trained(&self) -> bool {
        self.trained().is_some_and(|session| !session.awaits_training() && session.has_not_trained())
    }

    /// Does something that may end the training, and asks first where it does.
    pub(super) fn wish(&mut self, next: Next) {
        if self.closing.asks() || self.closing.is_leaving() {
            return;
        }
        if self.ends_training(&next) {
            self.palette.open = false;
            self.closing.next = Some(next);
            self.closing.ask(Stage::Replacing);
        } else {
            self.do_next(next);
        }
    }

    /// Whether it would end a training that nobody said should end.
    pub(super) fn ends_training(&self, next: &Next) -> bool {
        let Some(trained) = self.trained() else { return false };
        let of_lab = |lab: usize| self.sessions.get(lab).is_some_and(|session| std::ptr::eq(session, trained));
        match next {
            Next::Restart(lab) => !of_lab(*lab),
            Next::Open(lab, _) => of_lab(*lab),
            Next::Start(..) | Next::GoOn(..) => true,
        }
    }

    fn do_next(&mut self, next: Next) {
        match next {
            Next::Restart(lab) => self.start(lab, Start::Explicit),
            Next::Start(lab, why) => self.start(lab, why),
            Next::GoOn(lab, request) => self.start_again(lab, request),
            Next::Open(lab, run) => self.show_recorded(lab, *run),
        }
    }

    /// Ends the training for what comes next, with its checkpoint where it is recorded.
    fn stop_for_next(&mut self) {
        match self.is_recorded() {
            Some(true) if !self.backend.has_ended() => self.ask_checkpoint(false),
            _ => self.stop_now(),
        }
    }

    /// Tells the worker to stop; it still tries to write a checkpoint.
    fn stop_now(&mut self) {
        self.backend.send(Command::Stop);
        self.closing.ask(Stage::Ending(Ending { since: self.time, last: true, ..Ending::default() }));
    }

    /// Whether the run that trains is recorded; `None`: nothing trains.
    fn is_recorded(&self) -> Option<bool> {
        self.trained().map(|session| {
            // Of a run that has not begun nothing is known, but that it was to be recorded.
            session.awaits_training() || session.run.header.as_ref().is_some_and(|header| !header.folder.is_empty())
        })
    }

    /// Closes as far as the run is concerned.
    fn leave_run(&mut self) {
        match self.is_recorded() {
            Some(_) if self.backend.has_ended() => self.closing.stage = Stage::Leaving,
            Some(_) if self.has_not_trained() => {
                self.closing.ask(Stage::Ending(Ending { since: self.time, last: true, ..Ending::default() }));
            }
            Some(true) => self.ask_checkpoint(false),
            Some(false) => self.closing.ask(Stage::Unrecorded),
            None => self.closing.stage = Stage::Leaving,
        }
    }

    /// Asks the worker for a checkpoint and a pause, which it gives after the step that it is in.
    fn ask_checkpoint(&mut self, again: bool) {
        let paused = self.trained().is_some_and(|session| session.run.status == Some(Status::Paused));
        self.backend.send(Command::Checkpoint);
        if paused {
            // Only a run that goes on answers that it pauses.
            self.backend.send(Command::Resume);
        }
        self.backend.send(Command::Pause);
        let (since, paused) = match &self.closing.stage {
            Stage::Ending(ending) => (ending.since, ending.paused),
            _ => (self.time, paused),
        };
        self.closing.ask(Stage::Ending(Ending { since, paused, again, ..Ending::default() }));
    }

    /// Goes one step further towards the end, where that is wanted and possible; holds the window until then.
    pub(super) fn advance_closing(&mut self, ctx: &egui::Context) {
        if self.backend.end_asked() {
            self.leave_unasked();
        }
        let close_requested = ctx.input(|input| input.viewport().close_requested());
        if close_requested {
            self.leave();
        }
        let saved = self.unsaved().is_empty();
        match &self.closing.stage {
            // It has ended meanwhile: what it showed is still there.
            Stage::Unrecorded if self.trained().is_none() => self.closing.stage = Stage::Staying,
            // Nothing is ended by it any more.
            Stage::Replacing if self.trained().is_none() => self.go_over(),
            Stage::Saving(_) if saved => self.leave_run(),
            Stage::Ending(_) => self.advance_ending(),
            _ => {}
        }
        if self.closing.is_leaving() {
            if !close_requested {
                ctx.send_viewport_cmd(ViewportCommand::Close);
            }
        } else if self.closing.asks() {
            if close_requested {
                ctx.send_viewport_cmd(ViewportCommand::CancelClose);
            }
            if self.closing.fresh && ctx.input(|input| input.viewport().minimized == Some(true)) {
                ctx.send_viewport_cmd(ViewportCommand::Minimized(false));
            }
            // The seconds go on, and the worker's end is not an event.
            ctx.request_repaint_after(std::time::Duration::from_millis(50));
        }
    }

    fn advance_ending(&mut self) {
        let over = self.trained().is_none() || self.backend.has_ended();
        let nothing_to_lose = self.has_not_trained();
        let Stage::Ending(ending) = &mut self.closing.stage else { return };
        if self.closing.next.is_some() && ending.failed {
            // Its banner says what happened.
            (self.closing.stage, self.closing.next) = (Stage::Staying, None);
        } else if self.closing.next.is_some() && (over || ending.last) {
            if over {
                self.go_over();
            }
        } else if self.closing.next.is_some() && ending.saved && ending.answered {
            self.stop_now();
        } else if self.backend.has_ended() {
            self.closing.stage = Stage::Leaving;
        } else if ending.failed && !ending.last {
            // Its banner says what happened.
            self.closing.stage = Stage::Staying;
        } else if ending.last || ending.over || nothing_to_lose || ending.saved && ending.answered {
            ending.last = true;
            self.backend.ask_end();
        } else if ending.answered && ending.problem.is_none() {
            if ending.again {
                ending.problem = Some("the run is not being recorded".to_owned());
                self.closing.fresh = true;
            } else {
                self.ask_checkpoint(true);
            }
        }
    }

    /// The training has ended: does what it ended for.
    fn go_over(&mut self) {
        self.closing.stage = Stage::Staying;
        if let Some(next) = self.closing.next.take() {
            self.do_next(next);
        }
    }

    fn choose(&mut self, choice: Choice) {
        match choice {
            Choice::Stay => {
                if matches!(&self.closing.stage, Stage::Ending(ending) if !ending.paused && !ending.last) {
                    self.backend.send(Command::Resume);
                }
                (self.closing.stage, self.closing.next) = (Stage::Staying, None);
            }
            Choice::Stop => self.stop_for_next(),
            Choice::GiveUp if self.closing.next.is_some() => self.stop_now(),
            Choice::Save => {
                let views = self.sessions.iter_mut().map(|session| &mut session.view);
                views.filter(|view| view.unsaved().is_some()).for_each(|view| view.save_unsaved());
                self.closing.ask(Stage::Saving(self.time));
            }
            Choice::Draft => self.leave_run(),
            Choice::TryAgain => self.ask_checkpoint(false),
            Choice::GiveUp => {
                self.closing.gives_up = true;
                self.closing.stage = Stage::Leaving;
            }
        }
    }

    /// What is to be said now.
    fn question(&self) -> Option<Question> {
        let progress = self.trained().map_or_else(String::new, |session| {
            let steps = session.run.header.as_ref().map_or(0, |header| header.steps);
            format!("step {} of {}", number::grouped(session.run.step), number::grouped(steps))
        });
        match &self.closing.stage {
            Stage::Staying | Stage::Leaving => None,
            Stage::Unsaved => Some(Question {
                title: "Close without saving?",
                text: not_saved(&self.unsaved()),
                detail: "A draft is kept and comes back with the next start.".to_owned(),
                choices: &[
                    ("Save and close", Choice::Save),
                    ("Close, keep as draft", Choice::Draft),
                    ("Cancel", Choice::Stay),
                ],
            }),
            Stage::Saving(since) => Some(Question {
                title: "Saving",
                text: format!("{} {}", not_saved(&self.unsaved()), waited(self.time - since)),
                detail: "The window closes once it is saved.".to_owned(),
                choices: &[("Cancel", Choice::Stay), ("Close, keep as draft", Choice::Draft)],
            }),
            Stage::Unrecorded => Some(Question {
                title: "Lose this run?",
                text: format!("This run is not recorded: closing loses it ({progress})."),
                detail: String::new(),
                choices: &[("Keep training", Choice::Stay), ("Close", Choice::GiveUp)],
            }),
            Stage::Replacing => self.closing.next.as_ref().map(|next| self.question_before(next, &progress)),
            Stage::Ending(ending) => Some(self.question_of(ending)),
        }
    }

    /// One run trains at a time: what is asked before another one ends it.
    fn question_before(&self, next: &Next, progress: &str) -> Question {
        let lab = self.trained().map_or("A lab", |session| session.lab.spec.title);
        let detail = if self.is_recorded() == Some(false) {
            format!("One run trains at a time. This one is not recorded: stopping loses it. Then {}.", next.what())
        } else {
            format!(
                "One run trains at a time. This one writes a checkpoint first, and “Go on” in the list of runs continues it \
                 later. Then {}.",
                next.what()
            )
        };
        Question {
            title: "Stop the training?",
            text: format!("“{lab}” is training: {progress}."),
            detail,
            choices: next.choices(),
        }
    }

    fn question_of(&self, ending: &Ending) -> Question {
        let session = self.trained();
        if self.has_not_trained() {
            return Question {
                title: "Closing the window",
                text: format!("Ending the run… {}", waited(self.time - ending.since)),
                detail: "It has not trained yet: nothing is lost.".to_owned(),
                choices: &[("Close now", Choice::GiveUp)],
            };
        }
        let now = if self.closing.next.is_some() { "Stop now" } else { "Close now" };
        let loss = session.map_or(format!("“{now}” loses nothing."), |session| loss(session, now));
        if let Some(problem) = ending.problem.as_ref().filter(|_| ending.answered && !ending.last) {
            return Question {
                title: "No checkpoint could be written",
                text: problem.clone(),
                detail: loss,
                choices: match &self.closing.next {
                    None => &[
                        ("Try again", Choice::TryAgain),
                        ("Keep training", Choice::Stay),
                        ("Close now", Choice::GiveUp),
                    ],
                    Some(_) => &[
                        ("Try again", Choice::TryAgain),
                        ("Keep training", Choice::Stay),
                        ("Stop now", Choice::GiveUp),
                    ],
                },
            };
        }
        let waited = waited(self.time - ending.since);
        let step = session.map_or(0, |session| session.run.step);
        let text = match session.and_then(|session| session.run.status.as_ref()) {
            Some(Status::Running | Status::WarmingUp) => {
                format!("Finishing step {} and saving a checkpoint… {waited}", number::grouped(step + 1))
            }
            Some(Status::Building | Status::CheckingDevice) => {
                format!("Waiting for the model to be built, to save its first checkpoint… {waited}")
            }
            Some(Status::Waiting) => format!("Waiting until the disk has room for a checkpoint… {waited}"),
            _ => format!("Saving a checkpoint of step {}… {waited}", number::grouped(step)),
        };
        let took = session.and_then(|session| session.step_seconds).filter(|seconds| *seconds >= 1.0);
        let took =
            took.map_or_else(String::new, |seconds| format!("A step took {} lately. ", number::duration(seconds)));
        if let Some(next) = &self.closing.next {
            return Question {
                title: "Stopping the run",
                text,
                detail: format!("{took}Then {}.", next.what()),
                choices: if ending.last {
                    &[("Do not wait", Choice::Stay)]
                } else {
                    &[("Keep training", Choice::Stay)]
                },
            };
        }
        Question {
            title: "Closing the window",
            text,
            detail: format!(
                "{took}Then the window closes; “Go on” in the list of runs, or “learnscope resume”, continues the run. {loss}"
            ),
            choices: if ending.last {
                &[("Close now", Choice::GiveUp)]
            } else {
                &[("Keep training", Choice::Stay), ("Close now", Choice::GiveUp)]
            },
        }
    }
}

/// Draws the question, if there is one, over everything else.
pub fn show(app: &mut App, ctx: &egui::Context) {
    let Some(question) = app.question() else { return };
    let style = app.style.clone();
    let fresh = std::mem::take(&mut app.closing.fresh);
    let stays = question.choices.iter().any(|(_, choice)| *choice == Choice::Stay);
    let escape = ctx.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Escape));
    let mut chosen = (escape && stays).then_some(Choice::Stay);
    let width = 440.0_f32.min(ctx.content_rect().width() - 48.0).max(120.0);
    egui::Modal::new(egui::Id::unique("closing"))
        .frame(egui::Frame::window(&ctx.global_style()).inner_margin(16))
        .backdrop_color(egui::Color32::from_black_alpha(70))
        .show(ctx, |ui| {
            ui.set_width(width);
            ui.spacing_mut().item_spacing.y = 8.0;
            ui.label(theme::strong(question.title).size(15.0));
            ui.add(egui::Label::new(&question.text).wrap());
            if !question.detail.is_empty() {
                ui.add(egui::Label::new(RichText::new(&question.detail).color(style.text_weak)).wrap());
            }
            ui.add_space(4.0);
            ui.horizontal_wrapped(|ui| {
                for (index, (label, choice)) in question.choices.iter().enumerate() {
                    let safe = index == 0 && *choice != Choice::GiveUp;
                    let button = labelled_button(ui, None, label, safe, &style);
                    if safe && fresh {
                        button.request_focus();
                    }
                    if button.clicked() {
                        chosen = Some(*choice);
                    }
                }
            });
        });
    if let Some(choice) = chosen {
        app.choose(choice);
    }
}

/// What ending at once, by the button `now`, would lose.
fn loss(session: &Session, now: &str) -> String {
    let mut marks = session.run.marks.iter().rev();
    match marks.find(|mark| mark.kind == MarkKind::Checkpoint) {
        Some(mark) => format!("“{now}” loses what came after step {}.", number::grouped(mark.step)),
        None => format!("“{now}” loses the run: it has no checkpoint yet."),
    }
}

fn not_saved(what: &[String]) -> String {
    let sentence = |what: &String| {
        let mut chars = what.chars();
        let first: String = chars.next().map(char::to_uppercase).into_iter().flatten().collect();
        format!("{first}{} is not saved.", chars.as_str())
    };
    what.iter().map(sentence).collect::<Vec<_>>().join(" ")
}

fn waited(seconds: f64) -> String {
    format!("{:.0} s", seconds.max(0.0).floor())
}
