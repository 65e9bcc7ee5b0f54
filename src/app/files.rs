//! File dialogs and dropped files. Every dialog and every write has a thread of its own; answers come by channel.

use std::path::PathBuf;
use std::sync::mpsc;
use std::thread;

use super::{App, Wake, runs};
use crate::engine::event::{KeyKind, KeySpec, Level};
use crate::engine::params::Params;
use crate::engine::state::RunState;

/// What a dialog thread reports.
#[derive(Debug)]
enum Answer {
    Chosen { lab: usize, key: String, path: PathBuf },
    Said(Level, String),
}

/// The dialogs in progress.
pub struct Files {
    answers: (mpsc::Sender<Answer>, mpsc::Receiver<Answer>),
    wake: Wake,
}

impl Files {
    pub fn new(wake: Wake) -> Self {
        Self { answers: mpsc::channel(), wake }
    }

    /// Lets the user choose a file for a path parameter.
    pub fn choose(&self, lab: usize, key: &str) {
        let key = key.to_owned();
        self.spawn(move || {
            let path = rfd::FileDialog::new().set_title(format!("Choose a file: {key}")).pick_file()?;
            Some(Answer::Chosen { lab, key, path })
        });
    }

    /// Lets the user choose where to save a text.
    pub fn save_text(&self, name: &str, text: String) {
        self.save_with(name, move || text);
    }

    /// The same, with a text that takes a while to make.
    fn save_with(&self, name: &str, text: impl FnOnce() -> String + Send + 'static) {
        let name = name.to_owned();
        self.spawn(move || {
            let path = rfd::FileDialog::new().set_title("Save as").set_file_name(name).save_file()?;
            let said = match std::fs::write(&path, text()) {
                Ok(()) => (Level::Info, format!("saved {}", path.display())),
                Err(error) => (Level::Error, format!("{} cannot be written: {error}", path.display())),
            };
            Some(Answer::Said(said.0, said.1))
        });
    }

    fn spawn(&self, work: impl FnOnce() -> Option<Answer> + Send + 'static) {
        let (sender, wake) = (self.answers.0.clone(), self.wake.clone());
        let spawned = thread::Builder::new().name("file dialog".to_owned()).spawn(move || {
            if let Some(answer) = work() {
                let _ = sender.send(answer);
            }
            wake();
        });
        if let Err(error) = spawned {
            let _ = self.answers.0.send(Answer::Said(Level::Error, format!("no dialog can be opened: {error}")));
        }
    }
}

impl App {
    /// Takes in what the dialogs have finished.
    pub(super) fn receive_files(&mut self) {
        while let Ok(answer) = self.files.answers.1.try_recv() {
            match answer {
                Answer::Chosen { lab, key, path } => self.use_path(lab, &key, &path),
                Answer::Said(level, text) => self.notice(level, text),
            }
        }
    }

    /// Takes in files and folders that were dropped on the window.
    pub(super) fn receive_dropped(&mut self, paths: Vec<PathBuf>) {
        for path in paths {
            match self.data_parameter() {
                Some(key) => self.use_path(self.active, key, &path),
                None => self.notice(Level::Info, format!("this lab opens no data; {} was not used", path.display())),
            }
        }
    }

    /// Saves the front lab's metrics where the user says.
    pub(super) fn export_metrics(&mut self, json: bool) {
        let Some(session) = self.sessions.get(self.active) else { return };
        if session.run.header.is_none() {
            self.notice(Level::Info, "there is nothing to export yet: start a run first");
            return;
        }
        let spec = session.lab.spec();
        let name = runs::file_name(&format!("{}-{}.{}", spec.id, session.name, if json { "json" } else { "csv" }));
        // Copied as it is now; the text is made on the dialog's thread.
        let (run, keys) = (numbers_of(&session.run), spec.keys);
        self.files.save_with(&name, move || if json { to_json(&run, keys) } else { to_csv(&run, keys) });
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

fn columns(keys: &[KeySpec], key: &str, count: usize) -> Vec<String> {
    match KeySpec::find(keys, key).map(|spec| spec.kind) {
        Some(KeyKind::Rows(names)) if names.len() == count => names.iter().map(|name| (*name).to_owned()).collect(),
        _ => (0..count).map(|i| format!("column {i}")).collect(),
    }
}

/// Long form: `step,key,value`; row k of a table is step k.
fn to_csv(run: &RunState, keys: &[KeySpec]) -> String {
    use std::fmt::Write as _;
    let mut out = String::from("step,key,value\n");
    for (key, history) in &run.scalars {
        for (step, value) in history.points() {
            let _ = writeln!(out, "{step},{key},{value}");
        }
    }
    for (key, table) in &run.tables {
        let names = columns(keys, key, table.columns);
        for (step, row) in table.data.chunks(table.columns.max(1)).enumerate() {
            for (name, value) in names.iter().zip(row) {
                let _ = writeln!(out, "{step},{key}/{name},{value}");
            }
        }
    }
    out
}

fn to_json(run: &RunState, keys: &[KeySpec]) -> String {
    let params = |params: &Params| {
        params
            .iter()
            .map(|(key, value)| (key.to_owned(), serde_json::json!(value.to_string())))
            .collect::<serde_json::Map<_, _>>()
    };
    let scalars: serde_json::Map<_, _> = run
        .scalars
        .iter()
        .map(|(key, history)| (key.to_string(), serde_json::json!(history.points().collect::<Vec<_>>())))
        .collect();
    let tables: serde_json::Map<_, _> = run
        .tables
        .iter()
        .map(|(key, table)| {
            let rows: Vec<&[f64]> = table.data.chunks(table.columns.max(1)).collect();
            (key.to_string(), serde_json::json!({ "columns": columns(keys, key, table.columns), "rows": rows }))
        })
        .collect();
    let header = run.header.as_ref();
    serde_json::json!({
        "lab": header.map(|header| &header.lab),
        "name": header.map(|header| &header.name),
        "seed": header.map(|header| header.seed),
        "version": header.map(|header| &header.version),
        "changes": header.map(|header| &header.changes),
        "params": params(&run.params),
        "scalars": scalars,
        "tables": tables,
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::event::{Body, Event, RunId};
    use crate::engine::state::Rows;

    const KEYS: &[KeySpec] =
        &[KeySpec { key: "path/*", title: "", unit: "", kind: KeyKind::Rows(&["x", "y"]), every: 1 }];

    #[test]
    fn metrics_keep_every_digit() {
        let mut run = RunState { id: Some(RunId(1)), ..RunState::default() };
        let value = 0.1 + 0.2;
        run.apply(&Event { run: RunId(1), step: 3, seconds: 0.0, body: Body::Scalars(vec![("loss".into(), value)]) });
        run.tables.insert("path/adam".into(), Rows { columns: 2, data: vec![1.0, 2.0, f64::NAN, 4.0] });
        let csv = to_csv(&run, KEYS);
        assert!(csv.contains("3,loss,0.30000000000000004\n"), "{csv}");
        assert!(csv.contains("1,path/adam/y,4\n") && csv.contains("1,path/adam/x,NaN\n"), "{csv}");
        let json: serde_json::Value = serde_json::from_str(&to_json(&run, KEYS)).unwrap();
        assert_eq!(json["scalars"]["loss"][0][1].as_f64(), Some(value));
        assert_eq!(json["tables"]["path/adam"]["columns"][1], "y");
        assert!(json["tables"]["path/adam"]["rows"][1][0].is_null(), "NaN is null");
    }
}
