//! What is said and asked before the window closes, or before another run takes the place of one that trains.

use eframe::egui::{self, Key, Modifiers, RichText};

use super::act::{Act, Choice};
use super::closing::{Closing, Ending, Next, Stage, has_not_trained, is_recorded, trained, unsaved};
use super::session::Session;
use super::state::State;
use super::theme;
use super::widgets::labelled_button;
use crate::engine::event::Status;
use crate::engine::state::MarkKind;
use crate::plot::number;

/// What is said and asked; the first choice is the one that loses nothing.
struct Question {
    title: &'static str,
    text: String,
    detail: String,
    choices: &'static [(&'static str, Choice)],
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

impl Closing {
    /// What is to be said now.
    fn question(&self, sessions: &[Session], time: f64) -> Option<Question> {
        let progress = trained(sessions).map_or_else(String::new, |session| {
            let steps = session.run.header.as_ref().map_or(0, |header| header.steps);
            format!("step {} of {}", number::grouped(session.run.step), number::grouped(steps))
        });
        match &self.stage {
            Stage::Staying | Stage::Leaving => None,
            Stage::Unsaved => Some(Question {
                title: "Close without saving?",
                text: not_saved(&unsaved(sessions)),
                detail: "A draft is kept and comes back with the next start.".to_owned(),
                choices: &[
                    ("Save and close", Choice::Save),
                    ("Close, keep as draft", Choice::Draft),
                    ("Cancel", Choice::Stay),
                ],
            }),
            Stage::Saving(since) => Some(Question {
                title: "Saving",
                text: format!("{} {}", not_saved(&unsaved(sessions)), waited(time - since)),
                detail: "The window closes once it is saved.".to_owned(),
                choices: &[("Cancel", Choice::Stay), ("Close, keep as draft", Choice::Draft)],
            }),
            Stage::Unrecorded => Some(Question {
                title: "Lose this run?",
                text: format!("This run is not recorded: closing loses it ({progress})."),
                detail: String::new(),
                choices: &[("Keep training", Choice::Stay), ("Close", Choice::GiveUp)],
            }),
            Stage::Replacing => self.next.as_ref().map(|next| question_before(next, sessions, &progress)),
            Stage::Ending(ending) => Some(self.question_of(ending, sessions, time)),
        }
    }

    fn question_of(&self, ending: &Ending, sessions: &[Session], time: f64) -> Question {
        let session = trained(sessions);
        if has_not_trained(sessions) {
            return Question {
                title: "Closing the window",
                text: format!("Ending the run… {}", waited(time - ending.since)),
                detail: "It has not trained yet: nothing is lost.".to_owned(),
                choices: &[("Close now", Choice::GiveUp)],
            };
        }
        let now = if self.next.is_some() { "Stop now" } else { "Close now" };
        let loss = session.map_or(format!("“{now}” loses nothing."), |session| loss(session, now));
        if let Some(problem) = ending.problem.as_ref().filter(|_| ending.answered && !ending.last) {
            return Question {
                title: "No checkpoint could be written",
                text: problem.clone(),
                detail: loss,
                choices: match &self.next {
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
        let waited = waited(time - ending.since);
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
        if let Some(next) = &self.next {
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

/// One run trains at a time: what is asked before another one ends it.
fn question_before(next: &Next, sessions: &[Session], progress: &str) -> Question {
    let lab = trained(sessions).map_or("A lab", |session| session.lab.spec.title);
    let detail = if is_recorded(sessions) == Some(false) {
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

/// Draws the question, if there is one, over everything else.
pub fn show(state: &mut State, ctx: &egui::Context, acts: &mut Vec<Act>) {
    let Some(question) = state.closing.question(&state.sessions, state.time) else { return };
    let style = &state.style;
    let fresh = std::mem::take(&mut state.closing.fresh);
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
                    let button = labelled_button(ui, None, label, safe, style);
                    if safe && fresh {
                        button.request_focus();
                    }
                    if button.clicked() {
                        chosen = Some(*choice);
                    }
                }
            });
        });
    acts.extend(chosen.map(Act::Answer));
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
