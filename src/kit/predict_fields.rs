//! What a tile "Predict" asks for: weights, pictures, and a folder to save in. The same in every lab that predicts.

use std::path::{Path, PathBuf};

use eframe::egui::{Context, Ui};

use crate::plot::path_dialog::{PathDialog, Question, Wanted};
use crate::plot::style::Style;
use crate::plot::tile;

/// How a lab speaks of its weights and pictures.
#[derive(Debug)]
pub struct Words {
    /// In the empty field of the weights.
    pub weights: &'static str,
    /// Endings of files of weights.
    pub endings: &'static [(&'static str, &'static [&'static str])],
    /// Which weights of the shown run are used.
    pub of_run: &'static str,
    /// "picture", "pictures".
    pub pictures: [&'static str; 2],
    /// What a folder may hold besides.
    pub folder: &'static str,
}

/// What can be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    Weights,
    Folder,
    Files,
    To,
}

/// The fields.
#[derive(Debug)]
pub struct PredictFields {
    words: &'static Words,
    /// A file, or the folder of a run.
    pub weights: String,
    /// `weights` is the shown run and becomes the next one with it.
    pub follows_run: bool,
    /// A folder, or one file; of several files the first.
    pub data: String,
    /// Several files that were chosen; `data` names the first of them.
    files: Vec<PathBuf>,
    /// Folder for what is saved.
    pub to: String,
    dialog: PathDialog,
    /// What the dialog is about.
    asked: Option<Field>,
}

impl PredictFields {
    pub fn new(words: &'static Words) -> Self {
        let (weights, data, to) = Default::default();
        Self {
            words,
            weights,
            follows_run: true,
            data,
            files: Vec::new(),
            to,
            dialog: PathDialog::default(),
            asked: None,
        }
    }

    /// Takes what a dialog has chosen, and the shown run (its folder; empty: not recorded) unless other weights were chosen.
    pub fn take_in(&mut self, run: &str, idle: bool, egui: &Context, style: &Style) {
        if let Some(paths) = self.dialog.show(egui, style)
            && let Some(field) = self.asked.take()
            && let Some(first) = paths.first().map(|path| path.display().to_string())
        {
            match field {
                Field::Weights => self.choose_weights(&paths[0]),
                Field::Folder => (self.data, self.files) = (first, Vec::new()),
                Field::Files => (self.data, self.files) = (first, paths),
                Field::To => self.to = first,
            }
        }
        if self.follows_run && idle && self.weights != run {
            self.weights = run.to_owned();
        }
    }

    /// Takes these weights, whichever run is shown.
    pub fn choose_weights(&mut self, path: &Path) {
        (self.weights, self.follows_run) = (path.display().to_string(), false);
    }

    /// Whether weights and pictures are named.
    pub fn is_complete(&self) -> bool {
        !self.weights.trim().is_empty() && !self.data.trim().is_empty()
    }

    /// The files or the folder that are named.
    pub fn data(&self) -> Vec<PathBuf> {
        let first = PathBuf::from(self.data.trim());
        if self.files.len() > 1 && self.files[0] == first { self.files.clone() } else { vec![first] }
    }

    /// Lets the user choose; while a prediction runs only where to save.
    pub fn ask(&mut self, field: Field, idle: bool, egui: &Context) {
        if self.dialog.is_open() || !(idle || field == Field::To) {
            return;
        }
        let many = self.words.pictures[1];
        let question = match field {
            Field::Weights => Question { filters: self.words.endings, ..Question::new("Choose weights", Wanted::File) },
            Field::Folder => Question::new(format!("Choose the folder of {many}"), Wanted::Folder),
            Field::Files => Question::new(format!("Choose {many}"), Wanted::Files),
            Field::To => Question::new("Choose a folder to save in", Wanted::Folder),
        };
        self.dialog.ask(question, egui);
        self.asked = Some(field);
    }

    /// The rows of weights and pictures.
    pub fn show(&mut self, run: &str, idle: bool, ui: &mut Ui, size: f32, style: &Style) {
        let free = idle && !self.dialog.is_open();
        let (mut ask, mut follows) = (None, self.follows_run);
        let Words { weights: hint, of_run, pictures: [one, many], folder, .. } = *self.words;
        let changed = tile::field_row(ui, "Weights", hint, &mut self.weights, idle, size, style, |ui| {
            if tile::button(ui, free, "File…", "Choose a file of weights", size) {
                ask = Some(Field::Weights);
            }
            let help = if run.is_empty() {
                "The shown run is not recorded, so that it has no weights on disk"
            } else {
                of_run
            };
            follows |= tile::button(ui, idle && !run.is_empty() && !follows, "This run", help, size);
        });
        self.follows_run = follows && !changed;
        let hint = format!("a folder, or a {one}");
        tile::field_row(ui, "Pictures", &hint, &mut self.data, idle, size, style, |ui| {
            if tile::button(ui, free, "Files…", &format!("Choose {many}"), size) {
                ask = Some(Field::Files);
            }
            if tile::button(ui, free, "Folder…", &format!("Choose a folder of {many}{folder}"), size) {
                ask = Some(Field::Folder);
            }
        });
        if let Some(field) = ask {
            self.ask(field, idle, ui.ctx());
        }
    }

    /// The row of the folder to save in, with the lab's buttons before it.
    pub fn show_to(&mut self, ui: &mut Ui, size: f32, style: &Style, buttons: impl FnOnce(&mut Ui)) {
        let (free, mut ask) = (!self.dialog.is_open(), false);
        let hint = format!("a folder apart from the {}", self.words.pictures[1]);
        tile::field_row(ui, "Save in", &hint, &mut self.to, true, size, style, |ui| {
            buttons(ui);
            ask = tile::button(ui, free, "Choose…", "Choose a folder to save in", size);
        });
        if ask {
            self.ask(Field::To, true, ui.ctx());
        }
    }
}
