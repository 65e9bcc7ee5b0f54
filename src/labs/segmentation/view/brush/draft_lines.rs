//! The lines about drafts under the tools: what was brought back, what does not fit any more, which other images have one.

use std::path::PathBuf;

use eframe::egui::{Label, RichText, Ui};

use crate::data::segmentation::drafts::Fit;
use crate::plot::style::Style;
use crate::plot::tile;

use super::list::Entry;
use super::session::Session;

/// Other images with drafts that are named.
const NAMED: usize = 4;

/// What somebody wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The mask as it is saved, in place of the draft.
    Discard,
    /// The image without what was drawn on it, so that another one can be opened.
    GiveUp,
    /// The draft that does not fit, in place of the mask.
    UseOffer,
    RemoveOffer,
    /// Another image.
    Open(PathBuf),
}

/// Draws the lines; gives what was clicked.
pub fn show(ui: &mut Ui, session: Option<&Session>, entries: &[Entry], style: &Style, size: f32) -> Option<Answer> {
    let mut answer = None;
    if let Some(session) = session {
        brought(ui, session, style, size, &mut answer);
        offer(ui, session, style, size, &mut answer);
    }
    let open = session.map(|session| &session.image);
    let others: Vec<&Entry> = entries.iter().filter(|entry| entry.draft && Some(&entry.image) != open).collect();
    if !others.is_empty() {
        ui.horizontal_wrapped(|ui| {
            let count = match others.len() {
                1 => "a draft of another image of this folder:".to_owned(),
                count => format!("drafts of {count} other images of this folder:"),
            };
            ui.label(tile::weak(count, size, style));
            for entry in others.iter().take(NAMED) {
                let help = "Open it; what was drawn and not saved is brought back";
                if tile::button(ui, true, &format!("Draft of {}", entry.name), help, size) {
                    answer = Some(Answer::Open(entry.image.clone()));
                }
            }
            if others.len() > NAMED {
                let more = format!("and {} more, marked in the list", others.len() - NAMED);
                ui.label(tile::weak(more, size, style));
            }
        });
    }
    answer
}

fn brought(ui: &mut Ui, session: &Session, style: &Style, size: f32, answer: &mut Option<Answer>) {
    let Some(draft) = &session.brought else { return };
    ui.horizontal_wrapped(|ui| {
        let text = format!(
            "a draft made {} was brought back; Save keeps it, Discard goes back to the saved mask",
            draft.age()
        );
        ui.add(Label::new(RichText::new(text).size(size + 0.5).color(style.text)).wrap());
        if tile::button(ui, true, "Discard draft", "Back to the saved mask; Undo brings the draft back", size) {
            *answer = Some(Answer::Discard);
        }
    });
}

fn offer(ui: &mut Ui, session: &Session, style: &Style, size: f32, answer: &mut Option<Answer>) {
    let Some(draft) = session.offers.front() else { return };
    let other_size = draft.fit(&session.subject) == Fit::OtherSize;
    let text = if other_size {
        let ((width, height), (now_wide, now_high)) = (draft.size, session.picture.original);
        format!(
            "a draft made {} is of {width}×{height} pixels and the image has {now_wide}×{now_high} now: it cannot be used",
            draft.age()
        )
    } else {
        format!("a draft made {} does not go with the saved mask, which has changed since", draft.age())
    };
    ui.horizontal_wrapped(|ui| {
        ui.add(Label::new(RichText::new(text).size(size + 0.5).color(style.warning)).wrap());
        let help = "Show the draft in place of the mask; nothing is saved before Save, and Undo takes it back";
        if !other_size && tile::button(ui, true, "Use the draft", help, size) {
            *answer = Some(Answer::UseOffer);
        }
        if tile::button(ui, true, "Remove the draft", "The draft is lost; the mask stays as it is", size) {
            *answer = Some(Answer::RemoveOffer);
        }
    });
}
