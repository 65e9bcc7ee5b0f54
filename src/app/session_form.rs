//! The form of a lab in the window: edits, each of which can be taken back, and what is put into it as a whole.

use std::path::Path;

use super::runs;
use super::session::Session;
use super::undo::{Screen, Snapshot};
use crate::engine::event::Change;
use crate::engine::params::{ParamKind, ParamSpec, Params, Value, find};
use crate::kit::{fields, lab};

impl Session {
    /// Edits one value; `true`: there is something to take effect. A refused value becomes an error beside its field.
    pub fn edit(&mut self, key: &str, value: Value, settled: bool) -> bool {
        let spec = self.lab.spec;
        let checked = find(spec.params, key).and_then(|spec| spec.check(&value).map(|()| spec));
        let parameter = match checked {
            Ok(parameter) => parameter,
            Err(error) => {
                self.errors.insert(key.to_owned(), error.to_string());
                return false;
            }
        };
        self.errors.remove(key);
        if self.effective().get(key) == Some(&value) && !(settled && self.history.editing.is_some()) {
            return false;
        }
        if self.history.editing.is_none() {
            self.history.editing = Some(self.before());
        }
        if self.from_cursor && parameter.live && self.playback_rate().is_some() && self.play.cursor.step > 0 {
            self.change_at_cursor(key, value);
        } else {
            // The value was checked just now.
            if let Ok(true) = lab::choose(spec, &mut self.params, key, value) {
                // Another scene: it is seen from its beginning.
                (self.play.touched, self.play.follow) = (false, false);
            }
        }
        if settled {
            self.settle();
        }
        true
    }

    fn change_at_cursor(&mut self, key: &str, value: Value) {
        let step = self.play.cursor.step;
        match self.changes.iter_mut().find(|change| change.step == step && change.key == key) {
            Some(change) => change.value = value,
            None => {
                self.changes.push(Change { step, key: key.to_owned(), value });
                self.changes.sort_by_key(|change| change.step);
            }
        }
    }

    /// Puts these values into the form, without changes along the run, as one undo step.
    pub fn load(&mut self, params: Params) {
        self.edit_all(|session| {
            session.params = params;
            session.changes.clear();
        });
        self.errors.clear();
    }

    /// The path parameter that data go to. A folder goes to the first parameter for folders, a file to one for files; of
    /// those to a shown one, else to the first.
    pub fn data_parameter(&self, file: bool) -> Option<&'static str> {
        let paths = || self.lab.spec.params.iter().filter(|spec| spec.kind.is_path());
        let fitting = || paths().filter(|spec| (spec.kind == ParamKind::Folder) != file);
        let shown = |spec: &&ParamSpec| self.params.shows(spec);
        let found = fitting().find(shown).or_else(|| fitting().next());
        found.or_else(|| paths().find(shown)).or_else(|| paths().next()).map(|spec| spec.key)
    }

    /// Puts a path into the form and makes the choices under which the form shows it; the keys of what was edited.
    pub fn use_path(&mut self, key: &str, path: &Path) -> Vec<String> {
        let specs = self.lab.spec.params;
        let mut wanted = vec![(key.to_owned(), Value::Text(path.to_string_lossy().into_owned()))];
        // `csv` is shown only while `points` is `csv`, which is shown only while `experiment` is `network`.
        let mut at = key.to_owned();
        while let Some((parent, values)) = specs.iter().find(|spec| spec.key == at).and_then(|spec| spec.only_if) {
            let now = self.params.get(parent);
            let fits = matches!(now, Some(Value::Text(v)) if values.contains(&v.as_str()));
            if let (false, Some(value), Some(Value::Text(_))) = (fits, values.first(), now) {
                wanted.push((parent.to_owned(), Value::Text((*value).to_owned())));
            }
            at = parent.to_owned();
            if wanted.len() > specs.len() {
                break;
            }
        }
        self.edit_all(|session| {
            for (key, value) in &wanted {
                // A choice that the list does not have cannot come from the list itself.
                let _ = session.params.set(specs, key, value.clone());
            }
        });
        wanted.into_iter().map(|(key, _)| key).collect()
    }

    /// Runs `edit` as one undo step.
    pub fn edit_all(&mut self, edit: impl FnOnce(&mut Self)) {
        self.settle();
        self.history.editing = Some(self.before());
        edit(self);
        self.settle();
    }

    /// Closes the current undo step.
    pub fn settle(&mut self) {
        if let Some(before) = self.history.editing.take()
            && before != self.snapshot()
        {
            self.history.push(before);
            self.name = runs::name_of(self.lab, &self.params);
        }
    }

    /// Looks at the screen after a frame or an act: what the user changed there is an undo step, see
    /// [`History::look`](super::undo::History::look).
    pub fn look(&mut self, by_hand: bool, held: bool) {
        let mut history = std::mem::take(&mut self.history);
        if let Some(before) = history.look(by_hand, held, || self.screen()) {
            history.keep(self.with_screen(before));
            self.scene_view = None;
        }
        self.history = history;
    }

    /// Takes the last step back, or does it again (`redo`); `None`: there is none, `Some(true)`: the form is another.
    pub fn step_back(&mut self, redo: bool) -> Option<bool> {
        if !redo {
            self.settle();
        }
        let to = self.history.step(redo)?;
        let now = self.snapshot();
        let form = now.differs_in_form(&to);
        self.history.stepped(redo, now);
        self.restore(to, form);
        Some(form)
    }

    fn snapshot(&mut self) -> Snapshot {
        let screen = self.screen();
        self.with_screen(screen)
    }

    /// The lab before an edit of its form that the user makes now: what else the same gesture changed belongs to it.
    fn before(&mut self) -> Snapshot {
        let screen = self.history.seen.clone().unwrap_or_else(|| self.screen());
        self.with_screen(screen)
    }

    fn with_screen(&self, screen: Screen) -> Snapshot {
        Snapshot { params: self.params.clone(), changes: self.changes.clone(), seed: self.seed, screen }
    }

    fn screen(&mut self) -> Screen {
        let layout = self.layouts.text(&self.view.arrangement(&self.params));
        Screen { layout, maximised: self.layouts.maximised, view: fields::taken(self.view.as_mut()) }
    }

    fn restore(&mut self, snapshot: Snapshot, form: bool) {
        let Screen { layout, maximised, view } = snapshot.screen;
        if form {
            (self.params, self.changes, self.seed) = (snapshot.params, snapshot.changes, snapshot.seed);
            self.errors.clear();
            self.name = runs::name_of(self.lab, &self.params);
        }
        let arrangement = self.view.arrangement(&self.params);
        if self.layouts.text(&arrangement) != layout {
            // It is a text of this lab's own tiles.
            self.layouts.set_text(&arrangement, &layout);
        }
        self.layouts.maximised = maximised;
        fields::put(self.view.as_mut(), &view);
        // A view may turn from what the old run does not have.
        self.scene_view = form.then_some(view);
    }

    /// Puts the values of a run into the form, as one undo step. What the lab's list does not know is left out.
    pub fn fill_form(&mut self, values: &Params, changes: &[Change], seed: u64, name: &str) {
        let specs = self.lab.spec.params;
        let mut params = Params::defaults(specs);
        for (key, value) in values.iter() {
            let _ = params.set(specs, key, value.clone());
        }
        self.edit_all(|session| {
            session.params = params;
            session.changes = changes.to_vec();
            session.seed = seed;
        });
        self.errors.clear();
        self.name = name.to_owned();
    }
}
