//! The form of a lab in the window: edits, each of which can be taken back, and what is put into it as a whole.

use std::path::Path;

use super::runs;
use super::session::{Session, Snapshot};
use crate::engine::event::Change;
use crate::engine::params::{ParamKind, ParamSpec, Params, Value, find};
use crate::kit::lab;

/// Undo steps kept.
const UNDO_CAP: usize = 200;

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
        if self.effective().get(key) == Some(&value) && !(settled && self.editing.is_some()) {
            return false;
        }
        if self.editing.is_none() {
            self.editing = Some(self.snapshot());
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
        self.editing = Some(self.snapshot());
        edit(self);
        self.settle();
    }

    /// The same, for an edit that also lays the tiles anew: undo lays them back.
    pub fn edit_all_with_layout(&mut self, edit: impl FnOnce(&mut Self)) {
        self.settle();
        let layout = Some(self.layout_text());
        let before = Snapshot { layout, ..self.snapshot() };
        self.editing = Some(before);
        edit(self);
        self.settle();
    }

    fn layout_text(&mut self) -> String {
        self.layouts.text(&self.view.arrangement(&self.params))
    }

    /// Closes the current undo step.
    pub fn settle(&mut self) {
        if let Some(before) = self.editing.take()
            && before != self.snapshot()
        {
            if self.undo.len() == UNDO_CAP {
                self.undo.remove(0);
            }
            self.undo.push(before);
            self.redo.clear();
            self.name = runs::name_of(self.lab, &self.params);
        }
    }

    /// Takes the last edit back; `false`: there is none.
    pub fn undo(&mut self) -> bool {
        self.settle();
        let Some(before) = self.undo.pop() else { return false };
        let now = self.restore(before);
        self.redo.push(now);
        true
    }

    /// Does the last edit that was taken back again; `false`: there is none.
    pub fn redo(&mut self) -> bool {
        let Some(after) = self.redo.pop() else { return false };
        let now = self.restore(after);
        self.undo.push(now);
        true
    }

    fn snapshot(&self) -> Snapshot {
        Snapshot { params: self.params.clone(), changes: self.changes.clone(), seed: self.seed, layout: None }
    }

    fn restore(&mut self, snapshot: Snapshot) -> Snapshot {
        let layout = snapshot.layout.is_some().then(|| self.layout_text());
        let now = Snapshot { layout, ..self.snapshot() };
        (self.params, self.changes, self.seed) = (snapshot.params, snapshot.changes, snapshot.seed);
        if let Some(layout) = snapshot.layout {
            let arrangement = self.view.arrangement(&self.params);
            // It is a text of this lab's own tiles.
            self.layouts.set_text(&arrangement, &layout);
        }
        self.errors.clear();
        self.name = runs::name_of(self.lab, &self.params);
        now
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
