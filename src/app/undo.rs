//! What can be taken back in a lab: its form, how its tiles lie, and what is selected, switched and zoomed in its views.
//! Pure state; [`Session`](super::session::Session) fills it and puts it back.

use std::collections::BTreeMap;

use crate::engine::event::Change;
use crate::engine::params::Params;
use crate::kit::fields::is_gradual;

/// Undo steps kept.
const CAP: usize = 200;

/// What is on the screen of a lab beside its form.
#[derive(Debug, Clone, PartialEq)]
pub struct Screen {
    /// See [`Layouts::text`](super::layouts::Layouts::text).
    pub layout: String,
    /// The tile that fills the middle.
    pub maximised: Option<&'static str>,
    /// See [`LabView::fields`](crate::kit::view::LabView::fields).
    pub view: BTreeMap<String, String>,
}

/// A lab at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    pub params: Params,
    pub changes: Vec<Change>,
    pub seed: u64,
    pub screen: Screen,
}

/// The steps of a lab, and what goes on.
#[derive(Debug, Default)]
pub struct History {
    undo: Vec<Snapshot>,
    redo: Vec<Snapshot>,
    /// The lab before the edit of its form that goes on.
    pub editing: Option<Snapshot>,
    /// The screen as it was when it was looked at last; `None`: it was put there by a step.
    pub seen: Option<Screen>,
    /// The user did something since then.
    touched: bool,
    /// Fields that the last step changed little by little: more of the same is the same step.
    gradual: Vec<String>,
}

impl Snapshot {
    /// Whether the forms differ, not only the screens.
    pub fn differs_in_form(&self, other: &Self) -> bool {
        (&self.params, &self.changes, self.seed) != (&other.params, &other.changes, other.seed)
    }
}

impl History {
    /// An edit of the form is done; `before`: the lab before it.
    pub fn push(&mut self, before: Snapshot) {
        self.keep(before);
        self.redo.clear();
        self.gradual.clear();
        self.seen = None;
    }

    /// Keeps a step.
    pub fn keep(&mut self, before: Snapshot) {
        if self.undo.len() == CAP {
            self.undo.remove(0);
        }
        self.undo.push(before);
    }

    /// Looks at the screen after a frame or an act. What changed on it is a step if the user did something meanwhile
    /// (`by_hand`); what a run that comes or ends changes is none. While a button is `held`, the step goes on. Gives the
    /// screen before a step that is to be kept.
    pub fn look(&mut self, by_hand: bool, held: bool, now: impl FnOnce() -> Screen) -> Option<Screen> {
        self.touched |= by_hand;
        if held || self.editing.is_some() {
            return None;
        }
        let by_hand = std::mem::take(&mut self.touched);
        let now = now();
        let before = self.seen.take().filter(|before| by_hand && *before != now);
        let changed = before.as_ref().map(|before| gradual(before, &now));
        self.seen = Some(now);
        let changed = changed?;
        self.redo.clear();
        if !changed.is_empty() && changed == self.gradual {
            return None;
        }
        self.gradual = changed;
        before
    }

    /// The lab before the last step, or after the last one that was taken back (`redo`), if there is one.
    pub fn step(&mut self, redo: bool) -> Option<Snapshot> {
        (self.seen, self.touched) = (None, false);
        self.gradual.clear();
        if redo { self.redo.pop() } else { self.undo.pop() }
    }

    /// Keeps the way back from [`History::step`].
    pub fn stepped(&mut self, redo: bool, from: Snapshot) {
        if redo { self.undo.push(from) } else { self.redo.push(from) }
    }
}

/// The fields that differ, if nothing else does and all of them change little by little.
fn gradual(before: &Screen, now: &Screen) -> Vec<String> {
    if (&before.layout, before.maximised) != (&now.layout, now.maximised) {
        return Vec::new();
    }
    let names = before.view.keys().chain(now.view.keys());
    let mut changed: Vec<String> =
        names.filter(|name| before.view.get(*name) != now.view.get(*name)).cloned().collect();
    changed.sort();
    changed.dedup();
    if changed.iter().all(|name| is_gradual(name)) { changed } else { Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(view: &[(&str, &str)]) -> Screen {
        let view = view.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        Screen { layout: String::new(), maximised: None, view }
    }

    #[test]
    fn drags_of_a_camera_are_one_step_and_what_no_hand_did_is_none() {
        let mut history = History::default();
        let mut look = |by_hand, held, view: &[(&str, &str)]| history.look(by_hand, held, || at(view));
        assert_eq!(look(true, false, &[("selected", "adam")]), None, "the first look knows of no change");
        assert_eq!(look(false, false, &[("selected", "sgd")]), None, "a run changed it");
        assert_eq!(look(true, true, &[("selected", "sgd"), ("camera", "1")]), None, "the button is held");
        let before = look(false, false, &[("selected", "sgd"), ("camera", "2")]);
        assert_eq!(before, Some(at(&[("selected", "sgd")])), "as it was before the button");
        assert_eq!(look(true, false, &[("selected", "sgd"), ("camera", "3")]), None, "more of the same");
        let before = look(true, false, &[("selected", "adam"), ("camera", "3")]);
        assert_eq!(before, Some(at(&[("selected", "sgd"), ("camera", "3")])));
        let before = look(true, false, &[("selected", "adam"), ("camera", "4")]);
        assert_eq!(
            before,
            Some(at(&[("selected", "adam"), ("camera", "3")])),
            "after something else a step of its own"
        );
    }

    #[test]
    fn steps_go_back_and_forth_and_a_new_one_ends_the_way_forth() {
        let mut history = History::default();
        let lab = |seed| Snapshot { params: Params::default(), changes: Vec::new(), seed, screen: at(&[]) };
        history.push(lab(1));
        history.push(lab(2));
        assert_eq!(history.step(false), Some(lab(2)));
        history.stepped(false, lab(3));
        assert_eq!(history.step(true), Some(lab(3)));
        history.stepped(true, lab(2));
        assert_eq!(history.step(false), Some(lab(2)));
        history.stepped(false, lab(3));
        history.look(true, false, || at(&[]));
        history.look(true, false, || at(&[("on", "true")]));
        assert_eq!(history.step(true), None, "the screen was changed");
        (0..2 * CAP as u64).for_each(|seed| history.keep(lab(seed)));
        assert_eq!((0..2 * CAP).take_while(|_| history.step(false).is_some()).count(), CAP);
    }
}
