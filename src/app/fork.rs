//! Forking a run that trains (Ctrl+K): a twin goes on from the same state with one value changed, beside the run.

use eframe::egui::{self, RichText, ScrollArea, pos2, vec2};

use super::act::Act;
use super::form_row::Row;
use super::session::Session;
use super::theme;
use crate::engine::params::{ParamSpec, Value};
use crate::plot::number;
use crate::plot::style::Style;

/// State of the window.
#[derive(Debug, Default)]
pub struct Fork {
    pub open: bool,
    /// The value that a slider shows while it is dragged; only where it is let go it forks.
    dragged: Option<(String, Value)>,
}

/// Why the lab's run cannot be forked now; `None`: it can.
fn refusal(session: &Session) -> Option<&'static str> {
    let live = || session.lab.spec.params.iter().any(|spec| spec.live);
    if session.playback_rate().is_some() {
        Some("this run is computed at once: change a value “from the cursor on” in the form instead")
    } else if !live() {
        Some("this lab has no parameter that can change while a run goes on")
    } else if !session.training() {
        Some("only a run that trains can be forked: start one")
    } else {
        None
    }
}

pub fn show(fork: &mut Fork, session: &Session, style: &Style, ctx: &egui::Context, acts: &mut Vec<Act>) {
    if !fork.open {
        return;
    }
    let refused = refusal(session);
    let run = &session.run;
    let mut edits = Vec::new();
    let mut open = true;
    egui::Window::new("Fork into twins")
        .id(egui::Id::unique("Fork into twins"))
        .open(&mut open)
        .title_frame(theme::window_title(style))
        // Beside the form, below the run bar.
        .default_pos(pos2(300.0, 110.0))
        .default_size(vec2(420.0, 460.0))
        .min_size(vec2(340.0, 220.0))
        .show(ctx, |ui| {
            let differs = |spec: &ParamSpec| {
                run.twin.as_ref().is_some_and(|twin| twin.get(spec.key) != run.params.get(spec.key))
            };
            match (&run.twin, refused) {
                (None, Some(why)) => {
                    ui.label(RichText::new(why).color(style.warning));
                    return;
                }
                (None, None) => ui.label(format!(
                    "Change one value here. From step {} on a twin trains beside this run, from the same weights, momentum \
                     and random numbers, with that value; the run itself stays as it is. A step then takes about twice as \
                     long. To change several values before the next step, pause first.",
                    number::grouped(run.step)
                )),
                (Some(_), _) => ui.label(
                    RichText::new("The twin's values. What differs from the run is marked; its curves are dashed.")
                        .color(style.text_weak),
                ),
            };
            ui.add_space(8.0);
            let values = run.twin.as_ref().unwrap_or(&run.params);
            ScrollArea::vertical().auto_shrink([false; 2]).show(ui, |ui| {
                ui.add_enabled_ui(refused.is_none(), |ui| {
                    let mut group = "";
                    let shown = |spec: &&ParamSpec| spec.live && values.shows_in_form(session.lab.spec.params, spec);
                    for spec in session.lab.spec.params.iter().filter(shown) {
                        if spec.group != group {
                            ui.add_space(if group.is_empty() { 0.0 } else { 8.0 });
                            group = spec.group;
                            ui.label(theme::group_heading(group, style));
                        }
                        let dragged = fork.dragged.as_ref().filter(|(key, _)| *key == spec.key);
                        let held = dragged.map(|(_, value)| value);
                        let Some(value) = held.or_else(|| values.get(spec.key)) else { continue };
                        if differs(spec) {
                            let own = run.params.get(spec.key).map(|value| spec.shown(value)).unwrap_or_default();
                            ui.label(RichText::new(format!("the run has {own}:")).color(style.live).size(11.0));
                        }
                        let row =
                            Row { spec, value, style, swatch: None, error: None, recent: &[], focus: false };
                        ui.push_id(("twin", spec.key), |ui| row.show(ui, &mut edits));
                    }
                });
            });
        });
    fork.open = open;
    for edit in edits {
        match edit {
            Act::Set { key, value, settled: true } => {
                fork.dragged = None;
                acts.push(Act::Twin(key, value));
            }
            Act::Set { key, value, settled: false } => fork.dragged = Some((key, value)),
            _ => {}
        }
    }
}
