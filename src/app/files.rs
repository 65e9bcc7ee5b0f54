//! Files that the user chooses, saves and drops. Dialogs, lookups and writes have threads of their own.

use std::path::PathBuf;

use eframe::egui;
use serde_json::{Value as Json, json};

use super::act::Act;
use super::backend::Wake;
use super::runs;
use super::scene::{SUFFIX, Scene};
use super::session::Session;
use crate::engine::event::{KeySpec, Level};
use crate::engine::export::{Sheet, column_names, number};
use crate::engine::params::ParamKind;
use crate::engine::run_folder::write_whole;
use crate::engine::state::RunState;
use crate::plot::background::Task;
use crate::plot::path_dialog::{PathDialog, Question, Wanted};
use crate::plot::style::Style;

/// What a thread reports.
#[derive(Debug)]
pub enum Answer {
    /// A path that was typed into the form is there.
    Exists(PathBuf),
    Scene(Box<Scene>),
    Said(Level, String),
}

/// Makes the content of a file.
type Make = Box<dyn FnOnce() -> Result<Vec<u8>, String> + Send>;

/// What a chosen path is for.
enum Purpose {
    /// The path parameter of a lab.
    Parameter {
        lab: &'static str,
        key: String,
    },
    Save(Make),
    Scene,
}

/// The dialog in progress, and what threads report.
pub struct Files {
    tasks: Vec<Task<Option<Answer>>>,
    wake: Wake,
    /// What is to be asked with the next frame.
    next: Option<(Question, Purpose)>,
    dialog: PathDialog,
    purpose: Option<Purpose>,
}

impl Files {
    pub fn new(wake: Wake) -> Self {
        Self { tasks: Vec::new(), wake, next: None, dialog: PathDialog::default(), purpose: None }
    }

    /// A path is being typed.
    pub fn asks(&self) -> bool {
        self.dialog.is_typed()
    }

    /// Lets the user choose a file, or a folder, for a path parameter.
    pub fn choose(&mut self, session: &Session, key: &str) {
        let (lab, specs) = (session.lab.spec.id, session.lab.spec.params);
        let folder = specs.iter().any(|spec| spec.key == key && spec.kind == ParamKind::Folder);
        let (what, wanted) = if folder { ("folder", Wanted::Folder) } else { ("file", Wanted::File) };
        let question = Question::new(format!("Choose a {what}: {key}"), wanted);
        self.next = Some((question, Purpose::Parameter { lab, key: key.to_owned() }));
    }

    /// Lets the user choose a scene's file.
    pub fn choose_scene(&mut self) {
        let mut question = Question::new("Open a scene", Wanted::File);
        question.filters = &[("Scenes of Learnscope", &[SUFFIX])];
        self.next = Some((question, Purpose::Scene));
    }

    /// Reads a scene's file; [`Files::finished`] gives it.
    pub fn open_scene(&mut self, path: PathBuf) {
        self.begin("scene", move || {
            Some(match Scene::open(&path) {
                Ok(scene) => Answer::Scene(Box::new(scene)),
                Err(problem) => Answer::Said(Level::Error, format!("no scene was opened: {problem}")),
            })
        });
    }

    /// Lets the user choose where to save a text.
    pub fn save_text(&mut self, name: &str, text: String) {
        self.save_with(name, move || Ok(text.into_bytes()));
    }

    /// The same, with a text that takes a while to make.
    pub fn save_with(&mut self, name: &str, text: impl FnOnce() -> Result<Vec<u8>, String> + Send + 'static) {
        let question = Question::new("Save as", Wanted::Save(name.to_owned()));
        self.next = Some((question, Purpose::Save(Box::new(text))));
    }

    /// Remembers a typed path if it is there.
    pub fn remember_typed(&mut self, path: &str) {
        let path = PathBuf::from(path.trim());
        self.begin("typed path", move || path.exists().then_some(Answer::Exists(path)));
    }

    fn write(&mut self, path: PathBuf, make: Make) {
        self.begin("save file", move || {
            let written = make().and_then(|bytes| write_whole(&path, &bytes).map_err(|error| error.to_string()));
            Some(match written {
                Ok(()) => Answer::Said(Level::Info, format!("saved {}", path.display())),
                Err(error) => Answer::Said(Level::Error, format!("{} was not saved: {error}", path.display())),
            })
        });
    }

    fn begin(&mut self, name: &str, work: impl FnOnce() -> Option<Answer> + Send + 'static) {
        let wake = self.wake.clone();
        self.tasks.push(Task::begin(name, move || wake(), move |_| work()));
    }

    /// What threads have finished.
    pub fn finished(&mut self) -> Vec<Answer> {
        let mut answers = Vec::new();
        self.tasks.retain(|task| match task.poll() {
            None => true,
            Some(Ok(answer)) => {
                answers.extend(answer);
                false
            }
            Some(Err(problem)) => {
                answers.push(Answer::Said(Level::Error, problem));
                false
            }
        });
        answers
    }
}

impl Files {
    /// Asks and draws the question, where the system's dialog does not.
    pub fn show(&mut self, ctx: &egui::Context, style: &Style, acts: &mut Vec<Act>) {
        if let Some((question, purpose)) = self.next.take() {
            self.dialog.ask(question, ctx);
            self.purpose = Some(purpose);
        }
        let Some(paths) = self.dialog.show(ctx, style) else { return };
        let (Some(purpose), Some(path)) = (self.purpose.take(), paths.into_iter().next()) else { return };
        match purpose {
            Purpose::Parameter { lab, key } => acts.push(Act::UsePath { lab: lab.to_owned(), key, path }),
            Purpose::Save(make) => self.write(path, make),
            Purpose::Scene => self.open_scene(path),
        }
    }

    /// Saves the metrics of a lab's run where the user says. The error says why there is nothing to save.
    pub fn export_metrics(&mut self, session: &Session, json: bool) -> Result<(), &'static str> {
        if session.run.header.is_none() {
            return Err("there is nothing to export yet: start a run first");
        }
        let spec = session.lab.spec;
        let name = runs::file_name(&format!("{}-{}.{}", spec.id, session.name, if json { "json" } else { "csv" }));
        // Copied as it is now; the text is made on the dialog's thread.
        let (run, keys) = (numbers_of(&session.run), spec.keys);
        let encode = if json { Sheet::json } else { Sheet::csv };
        self.save_with(&name, move || encode(&sheet_of(&run, keys), &about(&run)));
        Ok(())
    }
}

/// The run without its pictures and messages.
fn numbers_of(run: &RunState) -> RunState {
    RunState {
        id: run.id,
        header: run.header.clone(),
        step: run.step,
        params: run.params.clone(),
        scalars: run.scalars.clone(),
        tables: run.tables.clone(),
        ..RunState::default()
    }
}

/// Long form: step, key, value; row k of a table is step k, its key is followed by the column's name.
fn sheet_of(run: &RunState, keys: &[KeySpec]) -> Sheet {
    let mut sheet = Sheet::new(&["step", "key", "value"]);
    for (key, history) in &run.scalars {
        sheet.rows.extend(history.points().map(|(step, value)| vec![json!(step), json!(**key), number(value)]));
    }
    for (key, table) in &run.tables {
        let names = column_names(keys, key, table.columns);
        for (step, row) in table.data.chunks(table.columns.max(1)).enumerate() {
            let cells = names.iter().zip(row);
            sheet.rows.extend(cells.map(|(name, v)| vec![json!(step), json!(format!("{key}/{name}")), number(*v)]));
        }
    }
    sheet
}

/// Which run the numbers are of.
fn about(run: &RunState) -> Json {
    let header = run.header.as_ref();
    let params: serde_json::Map<_, _> =
        run.params.iter().map(|(key, value)| (key.to_owned(), json!(value.to_string()))).collect();
    json!({
        "lab": header.map(|header| &header.lab),
        "name": header.map(|header| &header.name),
        "seed": header.map(|header| header.seed),
        "version": header.map(|header| &header.version),
        "changes": header.map(|header| &header.changes),
        "params": params,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::event::{Body, Event, KeyKind, RunId};
    use crate::engine::state::Rows;

    const KEYS: &[KeySpec] =
        &[KeySpec { key: "path/*", title: "", unit: "", kind: KeyKind::Rows(&["x", "y"]), every: 1 }];

    #[test]
    fn metrics_keep_every_digit() {
        let mut run = RunState { id: Some(RunId(1)), ..RunState::default() };
        let value = 0.1 + 0.2;
        run.apply(&Event { run: RunId(1), step: 3, seconds: 0.0, body: Body::Scalars(vec![("loss".into(), value)]) });
        run.tables.insert("path/adam".into(), Rows { columns: 2, data: vec![1.0, 2.0, f64::NAN, 4.0] });
        let sheet = sheet_of(&run, KEYS);
        let csv = String::from_utf8(sheet.csv(&about(&run)).unwrap()).unwrap();
        assert!(csv.contains("3,loss,0.30000000000000004\n"), "{csv}");
        assert!(csv.contains("1,path/adam/y,4.0\n") && csv.contains("1,path/adam/x,NaN\n"), "{csv}");
        let json: Json = serde_json::from_slice(&sheet.json(&about(&run)).unwrap()).unwrap();
        assert_eq!(json["columns"][2], "value");
        assert_eq!(json["rows"][0][2].as_f64(), Some(value));
        assert_eq!(json["rows"][3], json!([1, "path/adam/x", "NaN"]), "JSON has no NaN");
    }
}
