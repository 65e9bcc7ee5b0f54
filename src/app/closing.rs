//! The ways out of the window and out of a run that trains: what is asked before the window closes, or before another run
//! takes its place, and what is waited for. A run that trains is given the time for its checkpoint, what a view has not
//! saved is asked about, and the window stays alive meanwhile. What is said then is in [`super::closing_question`].

use eframe::egui::{self, ViewportCommand};

use super::act::Choice;
use super::backend::Backend;
use super::session::{Session, Start};
use crate::engine::command::{Command, RunRequest};
use crate::engine::event::{Body, Event, Level, Status};
use crate::engine::state::RunState;

/// Where the way out stands.
#[derive(Debug, Default)]
pub struct Closing {
    pub(super) stage: Stage,
    /// The question is new: its first button gets the keyboard.
    pub(super) fresh: bool,
    /// The user would rather lose the run than wait for it.
    gives_up: bool,
    /// What the training is to end for; `None`: the window closes.
    pub(super) next: Option<Next>,
}

/// What the way out deals with.
pub struct Lent<'a> {
    pub sessions: &'a mut [Session],
    pub backend: &'a mut dyn Backend,
    /// The window's time.
    pub time: f64,
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

#[derive(Debug, Default)]
pub(super) enum Stage {
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
pub(super) struct Ending {
    pub(super) since: f64,
    /// The run was paused before, and stays so if the user stays.
    paused: bool,
    /// The worker has come to what it was asked for.
    pub(super) answered: bool,
    saved: bool,
    /// What it warned of last.
    pub(super) problem: Option<String>,
    /// The run has ended, perhaps because it failed.
    over: bool,
    failed: bool,
    /// It was asked a second time: what it is asked while it starts a run may be lost.
    again: bool,
    /// The worker was told to end: there is no way back.
    pub(super) last: bool,
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

    fn end(&mut self, time: f64) {
        self.ask(Stage::Ending(Ending { since: time, last: true, ..Ending::default() }));
    }

    /// The user wants to close the window.
    pub fn leave(&mut self, lent: &mut Lent<'_>) {
        // Whoever closes the window no longer wants what the training would end for.
        if self.next.take().is_some() && matches!(self.stage, Stage::Replacing) {
            self.stage = Stage::Staying;
        }
        if !matches!(self.stage, Stage::Staying) {
            return;
        }
        if unsaved(lent.sessions).is_empty() {
            self.leave_run(lent);
        } else {
            self.ask(Stage::Unsaved);
        }
    }

    /// Closes without a question, but not without a run's checkpoint.
    pub fn leave_unasked(&mut self, lent: &mut Lent<'_>) {
        self.next = None;
        if self.is_leaving() || matches!(&self.stage, Stage::Ending(ending) if ending.last) {
            return;
        }
        if trained(lent.sessions).is_some() && !lent.backend.has_ended() {
            self.end(lent.time);
        } else {
            self.stage = Stage::Leaving;
        }
    }

    /// Hands back what is to be done now; what would end the training is asked about first.
    pub fn wish(&mut self, next: Next, sessions: &[Session]) -> Option<Next> {
        if self.asks() || self.is_leaving() {
            return None;
        }
        if next.ends_training(sessions) {
            self.next = Some(next);
            self.ask(Stage::Replacing);
            return None;
        }
        Some(next)
    }

    /// Ends the training for what comes next, with its checkpoint where it is recorded.
    fn stop_for_next(&mut self, lent: &mut Lent<'_>) {
        match is_recorded(lent.sessions) {
            Some(true) if !lent.backend.has_ended() => self.ask_checkpoint(false, lent),
            _ => self.stop_now(lent),
        }
    }

    /// Tells the worker to stop; it still tries to write a checkpoint.
    fn stop_now(&mut self, lent: &mut Lent<'_>) {
        lent.backend.send(Command::Stop);
        self.end(lent.time);
    }

    /// Closes as far as the run is concerned.
    fn leave_run(&mut self, lent: &mut Lent<'_>) {
        match is_recorded(lent.sessions) {
            Some(_) if lent.backend.has_ended() => self.stage = Stage::Leaving,
            Some(_) if has_not_trained(lent.sessions) => self.end(lent.time),
            Some(true) => self.ask_checkpoint(false, lent),
            Some(false) => self.ask(Stage::Unrecorded),
            None => self.stage = Stage::Leaving,
        }
    }

    /// Asks the worker for a checkpoint and a pause, which it gives after the step that it is in.
    fn ask_checkpoint(&mut self, again: bool, lent: &mut Lent<'_>) {
        let paused = trained(lent.sessions).is_some_and(|session| session.run.status == Some(Status::Paused));
        lent.backend.send(Command::Checkpoint);
        if paused {
            // Only a run that goes on answers that it pauses.
            lent.backend.send(Command::Resume);
        }
        lent.backend.send(Command::Pause);
        let (since, paused) = match &self.stage {
            Stage::Ending(ending) => (ending.since, ending.paused),
            _ => (lent.time, paused),
        };
        self.ask(Stage::Ending(Ending { since, paused, again, ..Ending::default() }));
    }

    /// Goes one step further towards the end, where that is wanted and possible; holds the window until then. Hands back
    /// what the training has ended for.
    pub fn advance(&mut self, ctx: &egui::Context, lent: &mut Lent<'_>) -> Option<Next> {
        if lent.backend.end_asked() {
            self.leave_unasked(lent);
        }
        let close_requested = ctx.input(|input| input.viewport().close_requested());
        if close_requested {
            self.leave(lent);
        }
        let mut next = None;
        match &self.stage {
            // It has ended meanwhile: what it showed is still there.
            Stage::Unrecorded if trained(lent.sessions).is_none() => self.stage = Stage::Staying,
            // Nothing is ended by it any more.
            Stage::Replacing if trained(lent.sessions).is_none() => next = self.go_over(),
            Stage::Saving(_) if unsaved(lent.sessions).is_empty() => self.leave_run(lent),
            Stage::Ending(_) => next = self.advance_ending(lent),
            _ => {}
        }
        if self.is_leaving() {
            if !close_requested {
                ctx.send_viewport_cmd(ViewportCommand::Close);
            }
        } else if self.asks() {
            if close_requested {
                ctx.send_viewport_cmd(ViewportCommand::CancelClose);
            }
            if self.fresh && ctx.input(|input| input.viewport().minimized == Some(true)) {
                ctx.send_viewport_cmd(ViewportCommand::Minimized(false));
            }
            // The seconds go on, and the worker's end is not an event.
            ctx.request_repaint_after(std::time::Duration::from_millis(50));
        }
        next
    }

    fn advance_ending(&mut self, lent: &mut Lent<'_>) -> Option<Next> {
        let over = trained(lent.sessions).is_none() || lent.backend.has_ended();
        let nothing_to_lose = has_not_trained(lent.sessions);
        let Stage::Ending(ending) = &mut self.stage else { return None };
        if self.next.is_some() && ending.failed {
            // Its banner says what happened.
            (self.stage, self.next) = (Stage::Staying, None);
        } else if self.next.is_some() && (over || ending.last) {
            if over {
                return self.go_over();
            }
        } else if self.next.is_some() && ending.saved && ending.answered {
            self.stop_now(lent);
        } else if lent.backend.has_ended() {
            self.stage = Stage::Leaving;
        } else if ending.failed && !ending.last {
            // Its banner says what happened.
            self.stage = Stage::Staying;
        } else if ending.last || ending.over || nothing_to_lose || ending.saved && ending.answered {
            ending.last = true;
            lent.backend.ask_end();
        } else if ending.answered && ending.problem.is_none() {
            if ending.again {
                ending.problem = Some("the run is not being recorded".to_owned());
                self.fresh = true;
            } else {
                self.ask_checkpoint(true, lent);
            }
        }
        None
    }

    /// The training has ended: what it ended for comes.
    fn go_over(&mut self) -> Option<Next> {
        self.stage = Stage::Staying;
        self.next.take()
    }

    /// Takes the user's answer.
    pub fn choose(&mut self, choice: Choice, lent: &mut Lent<'_>) {
        match choice {
            Choice::Stay => {
                if matches!(&self.stage, Stage::Ending(ending) if !ending.paused && !ending.last) {
                    lent.backend.send(Command::Resume);
                }
                (self.stage, self.next) = (Stage::Staying, None);
            }
            Choice::Stop => self.stop_for_next(lent),
            Choice::GiveUp if self.next.is_some() => self.stop_now(lent),
            Choice::Save => {
                let views = lent.sessions.iter_mut().map(|session| &mut session.view);
                views.filter(|view| view.unsaved().is_some()).for_each(|view| view.save_unsaved());
                self.ask(Stage::Saving(lent.time));
            }
            Choice::Draft => self.leave_run(lent),
            Choice::TryAgain => self.ask_checkpoint(false, lent),
            Choice::GiveUp => {
                self.gives_up = true;
                self.stage = Stage::Leaving;
            }
        }
    }
}

impl Next {
    /// Whether it would end a training that nobody said should end.
    fn ends_training(&self, sessions: &[Session]) -> bool {
        let Some(trained) = trained(sessions) else { return false };
        let of_lab = |lab: usize| sessions.get(lab).is_some_and(|session| std::ptr::eq(session, trained));
        match self {
            Next::Restart(lab) => !of_lab(*lab),
            Next::Open(lab, _) => of_lab(*lab),
            Next::Start(..) | Next::GoOn(..) => true,
        }
    }
}

/// What the views have not saved, in words.
pub(super) fn unsaved(sessions: &[Session]) -> Vec<String> {
    sessions.iter().filter_map(|session| session.view.unsaved()).collect()
}

/// The lab whose run trains, or is about to.
pub fn trained(sessions: &[Session]) -> Option<&Session> {
    sessions.iter().find(|session| session.training() || session.awaits_training())
}

/// A run is on its way that has nothing to lose yet.
pub(super) fn has_not_trained(sessions: &[Session]) -> bool {
    trained(sessions).is_some_and(|session| !session.awaits_training() && session.has_not_trained())
}

/// Whether the run that trains is recorded; `None`: nothing trains.
pub(super) fn is_recorded(sessions: &[Session]) -> Option<bool> {
    trained(sessions).map(|session| {
        // Of a run that has not begun nothing is known, but that it was to be recorded.
        session.awaits_training() || session.run.header.as_ref().is_some_and(|header| !header.folder.is_empty())
    })
}
