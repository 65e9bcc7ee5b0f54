//! What the window remembers: one small TOML file in the platform's configuration folder. A broken file is set aside,
//! an unwritable folder is reported once; neither ever stops the program. Several windows share the file: each writes
//! only what was changed in it.

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use toml::{Table, Value as Toml};

use super::scale;
use super::theme::ThemeChoice;
use crate::disk;
pub use crate::disk::{STATE_FOLDER_VARIABLE as CONFIG_DIR_VARIABLE, state_folder as default_folder};
use crate::engine::params::Value;
use crate::kit::pinned;

/// Entries kept in the list of recently opened data.
pub const RECENT_CAP: usize = 10;

const FILE: &str = "settings.toml";
const BROKEN: &str = "settings.broken.toml";
/// Held by the window that writes the file now.
const LOCK: &str = "settings.lock";
/// Bytes of the largest file that is read.
const LARGEST: u64 = 4 << 20;
/// Shortest time between two writes: of what is being dragged, only the newest place is written.
const PACE: Duration = Duration::from_millis(200);
/// Longest time that one window waits for another's write.
const TURN: Duration = Duration::from_secs(1);
/// Time that the last write is given at the end.
const FAREWELL: Duration = Duration::from_secs(2);

/// Everything that outlives the window. Unknown fields are ignored and missing ones take their defaults, so that an
/// older and a newer version can share a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Version of the file's meaning; a newer one is still read as far as it is understood.
    pub version: u32,
    pub theme: ThemeChoice,
    /// How large everything is drawn, see [`super::scale`]; `None`: by the window's width.
    pub scale: Option<f32>,
    /// Id of the lab that was open.
    pub lab: String,
    /// As [`crate::compute::device::DeviceChoice`] writes itself.
    pub device: String,
    /// Playback speed, 1 = the lab's own rate.
    pub speed: f64,
    /// Width and height of the window in points at a scale of 1.
    pub window: Option<[f32; 2]>,
    pub form_open: bool,
    pub guide_open: bool,
    pub form_width: f32,
    pub guide_width: f32,
    /// Recently opened data files and folders, newest first.
    pub recent: Vec<PathBuf>,
    /// Run folders whose curves are drawn behind the current run's.
    pub pinned: Vec<PathBuf>,
    /// Key of the parameter by which these are coloured; empty: the first in which they differ.
    pub pinned_by: String,
    pub labs: BTreeMap<String, LabSettings>,
}

/// What is remembered of one lab.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LabSettings {
    pub seed: Option<u64>,
    /// Parameters that differ from their defaults.
    pub params: BTreeMap<String, Value>,
    /// The user's own layouts by arrangement, as JSON of `egui_tiles::Tree`.
    pub layouts: BTreeMap<String, String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            version: 1,
            theme: ThemeChoice::default(),
            scale: None,
            lab: String::new(),
            device: "auto".to_owned(),
            speed: 1.0,
            window: None,
            form_open: true,
            guide_open: true,
            form_width: 272.0,
            guide_width: 304.0,
            recent: Vec::new(),
            pinned: Vec::new(),
            pinned_by: String::new(),
            labs: BTreeMap::new(),
        }
    }
}

impl Settings {
    /// Puts a path at the head of the recent list.
    pub fn remember(&mut self, path: &Path) {
        self.recent.retain(|other| other != path);
        self.recent.insert(0, path.to_owned());
        self.recent.truncate(RECENT_CAP);
    }

    /// Puts values that a hand-edited file may have pushed out of range back into it.
    fn sane(mut self) -> Self {
        let clamp = |v: f32, low: f32, high: f32| if v.is_finite() { v.clamp(low, high) } else { low };
        self.speed = if self.speed.is_finite() { self.speed.clamp(0.1, 100.0) } else { 1.0 };
        self.scale = self.scale.map(|scale| clamp(scale, scale::LIMITS.0, scale::LIMITS.1));
        self.form_width = clamp(self.form_width, 200.0, 600.0);
        self.guide_width = clamp(self.guide_width, 200.0, 800.0);
        self.window = self.window.map(|[w, h]| [clamp(w, 640.0, 16_384.0), clamp(h, 360.0, 16_384.0)]);
        self.recent.truncate(RECENT_CAP);
        self.pinned.truncate(pinned::MOST);
        for run in &mut self.pinned {
            // It is found again from any folder.
            if let Ok(absolute) = std::path::absolute(&*run) {
                *run = absolute;
            }
        }
        self
    }
}

/// What was changed: the settings before and now.
type Change = (Settings, Settings);

/// The settings file, written by a thread of its own so that no frame waits for a disk.
#[derive(Debug)]
pub struct Store {
    folder: Option<PathBuf>,
    /// What the writer knows of.
    saved: Settings,
    writer: Option<(mpsc::Sender<Change>, thread::JoinHandle<()>)>,
    problems: mpsc::Receiver<String>,
}

/// The settings as they are on disk, or the defaults; nothing is reported or set aside.
pub fn peek(folder: Option<&Path>) -> Settings {
    let text = folder.and_then(|folder| disk::read_text(&folder.join(FILE), LARGEST).ok());
    text.and_then(|text| toml::from_str::<Settings>(&text).ok()).unwrap_or_default().sane()
}

impl Store {
    /// Reads the settings in `folder` (`None`: remembers nothing). The texts are problems worth a notice.
    pub fn open(folder: Option<PathBuf>) -> (Self, Settings, Vec<String>) {
        let mut problems = Vec::new();
        let settings = match folder.as_deref().map(read) {
            Some(Ok(Some((settings, _)))) => settings.sane(),
            Some(Err(problem)) => {
                problems.push(problem);
                Settings::default()
            }
            Some(Ok(None)) | None => Settings::default(),
        };
        let (report, reports) = mpsc::channel();
        let writer = folder.clone().and_then(|folder| {
            let (sender, receiver) = mpsc::channel();
            let writer = thread::Builder::new().name("settings".to_owned());
            let thread = writer.spawn(move || write_changes(&receiver, &folder, &report));
            thread.ok().map(|thread| (sender, thread))
        });
        (Self { folder, saved: settings.clone(), writer, problems: reports }, settings, problems)
    }

    /// Where the file is, if anything is remembered at all.
    pub fn path(&self) -> Option<PathBuf> {
        self.folder.as_ref().map(|folder| folder.join(FILE))
    }

    /// Takes `settings` as what the file says: what a window makes of it at its start is not a change of the user's.
    pub fn begin(&mut self, settings: &Settings) {
        self.saved = settings.clone();
    }

    /// Hands `settings` to the writer if they differ from what it knows. Returns at once.
    pub fn save(&mut self, settings: &Settings) {
        if *settings == self.saved {
            return;
        }
        let before = std::mem::replace(&mut self.saved, settings.clone());
        if let Some((writer, _)) = &self.writer {
            let _ = writer.send((before, settings.clone()));
        }
    }

    /// A problem of the writer, once.
    pub fn problem(&self) -> Option<String> {
        self.problems.try_recv().ok()
    }

    /// Waits until everything is written, at most `deadline`.
    pub fn close(&mut self, deadline: Duration) {
        if let Some((writer, thread)) = self.writer.take() {
            drop(writer);
            let until = Instant::now() + deadline;
            while !thread.is_finished() && Instant::now() < until {
                thread::sleep(Duration::from_millis(5));
            }
        }
    }
}

impl Drop for Store {
    /// Also a window that breaks off has its last changes written.
    fn drop(&mut self) {
        self.close(FAREWELL);
    }
}

/// Writes what it is told of until the window is gone. A change that could not be written is tried with the next one.
fn write_changes(changes: &mpsc::Receiver<Change>, folder: &Path, report: &mpsc::Sender<String>) {
    let mut told = false;
    let mut unwritten: Option<Settings> = None;
    let mut next = Instant::now();
    while let Ok((before, mut now)) = changes.recv() {
        while let Ok((_, newer)) = changes.recv_timeout(next.saturating_duration_since(Instant::now())) {
            now = newer;
        }
        next = Instant::now() + PACE;
        let before = unwritten.take().unwrap_or(before);
        match write(folder, &before, &now) {
            Ok(None) => {}
            Ok(Some(problem)) => drop(report.send(problem)),
            Err(error) => {
                unwritten = Some(before);
                if !std::mem::replace(&mut told, true) {
                    let _ = report.send(format!(
                        "settings cannot be saved in {}: {error}. What you change now is forgotten at exit; set \
                         {CONFIG_DIR_VARIABLE} to a folder that can be written.",
                        folder.display()
                    ));
                }
            }
        }
    }
}

/// The file as settings and as it stands; `None`: there is none. What cannot be read is set aside, and the error says so.
fn read(folder: &Path) -> Result<Option<(Settings, Table)>, String> {
    let text = match disk::read_text(&folder.join(FILE), LARGEST) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        // Not UTF-8, a folder or a pipe in its place, no permission: set aside what can be, start fresh.
        Err(error) => return Err(set_aside(folder, &error.to_string())),
    };
    let parsed = toml::from_str::<Settings>(&text).and_then(|settings| Ok((settings, text.parse::<Table>()?)));
    parsed.map(Some).map_err(|error| set_aside(folder, error.message().lines().next().unwrap_or_default()))
}

/// Moves an unreadable file out of the way and says so.
fn set_aside(folder: &Path, why: &str) -> String {
    let (from, to) = (folder.join(FILE), folder.join(BROKEN));
    match fs::rename(&from, &to) {
        Ok(()) => {
            format!("the settings could not be read ({why}); they were set aside as {} and start fresh", to.display())
        }
        Err(error) => format!("the settings in {} could not be read ({why}) nor set aside ({error})", from.display()),
    }
}

/// Puts what has changed from `before` to `now` into the file, which another window may have written since; the text is
/// a problem that did not keep it from that. Temporary file, then rename: a crash leaves the old file or the new one.
fn write(folder: &Path, before: &Settings, now: &Settings) -> io::Result<Option<String>> {
    fs::create_dir_all(folder)?;
    let _turn = turn(folder);
    let table = |settings: &Settings| Table::try_from(settings).map_err(io::Error::other);
    let (file, problem) = match read(folder) {
        Ok(file) => (file.map(|(_, table)| table), None),
        Err(problem) => (None, Some(problem)),
    };
    let merged = match file {
        Some(mut file) => {
            merge(&mut file, &table(before)?, &table(now)?, NESTED);
            file
        }
        None => table(now)?,
    };
    let text = toml::to_string_pretty(&merged).map_err(io::Error::other)?;
    disk::write_synced(&folder.join(FILE), text.as_bytes())?;
    Ok(problem)
}

/// The right to write, for as long as it lives. Without it (another window hangs, a file system without locks) the file
/// is written all the same, as whole as ever.
fn turn(folder: &Path) -> Option<File> {
    let file = File::options().create(true).truncate(false).write(true).open(folder.join(LOCK)).ok()?;
    let until = Instant::now() + TURN;
    loop {
        match file.try_lock() {
            Ok(()) => return Some(file),
            Err(TryLockError::WouldBlock) if Instant::now() < until => thread::sleep(Duration::from_millis(10)),
            Err(_) => return None,
        }
    }
}

/// Tables within tables that are merged field by field: `labs`, a lab, its `params` and `layouts`.
const NESTED: usize = 3;

/// Puts into `file` what has changed from `before` to `now`; all else in it stays.
fn merge(file: &mut Table, before: &Table, now: &Table, nested: usize) {
    for key in before.keys().filter(|key| !now.contains_key(*key)) {
        file.remove(key);
    }
    for (key, value) in now {
        let known = before.get(key);
        if known == Some(value) {
            continue;
        }
        match (value, file.get_mut(key)) {
            (Toml::Table(now), Some(Toml::Table(file))) if nested > 0 => {
                let none = Table::new();
                merge(file, known.and_then(Toml::as_table).unwrap_or(&none), now, nested - 1);
            }
            (Toml::Array(now), Some(Toml::Array(file))) if nested == NESTED && key == "recent" => {
                merge_recent(file, known.and_then(Toml::as_array).map_or(&[], Vec::as_slice), now);
            }
            _ => drop(file.insert(key.clone(), value.clone())),
        }
    }
}

/// What was opened since `before` goes to the head of the file's list.
fn merge_recent(file: &mut Vec<Toml>, before: &[Toml], now: &[Toml]) {
    let opened = (0..now.len()).find(|count| {
        let (opened, rest) = now.split_at(*count);
        let old: Vec<&Toml> = before.iter().filter(|path| !opened.contains(path)).take(rest.len()).collect();
        rest.iter().eq(old)
    });
    let opened = &now[..opened.unwrap_or(now.len())];
    file.retain(|path| !opened.contains(path));
    file.splice(0..0, opened.iter().cloned());
    file.truncate(RECENT_CAP);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_survive_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let (mut store, mut settings, problems) = Store::open(Some(folder.path().to_owned()));
        assert!(problems.is_empty());
        assert_eq!(settings, Settings::default());
        settings.theme = ThemeChoice::HighContrast;
        settings.speed = 2.5;
        settings.window = Some([1000.0, 700.0]);
        settings.remember(Path::new("data.csv"));
        let lab = settings.labs.entry("optimizers".to_owned()).or_default();
        lab.params.insert("learning_rate".to_owned(), Value::Float(0.03));
        lab.params.insert("surface".to_owned(), Value::Text("beale".to_owned()));
        lab.layouts.insert("surface".to_owned(), "{}".to_owned());
        store.save(&settings);
        store.close(Duration::from_secs(5));
        let (_, again, problems) = Store::open(Some(folder.path().to_owned()));
        assert!(problems.is_empty(), "{problems:?}");
        assert_eq!(again, settings);
    }

    #[test]
    fn a_foreign_file_is_set_aside() {
        for foreign in [&b"not = [toml"[..], b"theme = 7", b"\xff\xfe\x00binary"] {
            let folder = tempfile::tempdir().unwrap();
            fs::write(folder.path().join(FILE), foreign).unwrap();
            let (_, settings, problems) = Store::open(Some(folder.path().to_owned()));
            assert_eq!(settings, Settings::default());
            assert!(problems[0].contains(BROKEN), "{problems:?}");
            assert_eq!(fs::read(folder.path().join(BROKEN)).unwrap(), foreign, "nothing is lost");
            assert!(!folder.path().join(FILE).exists());
        }
    }

    #[test]
    fn values_out_of_range_are_put_back() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE), "speed = 1e9\nform_width = nan\nwindow = [1.0, 1.0]\nscale = 90.0")
            .unwrap();
        let (_, settings, problems) = Store::open(Some(folder.path().to_owned()));
        assert!(problems.is_empty(), "{problems:?}");
        assert_eq!((settings.speed, settings.form_width, settings.window), (100.0, 200.0, Some([640.0, 360.0])));
        assert_eq!(settings.scale, Some(2.0));
    }

    #[test]
    fn an_unwritable_folder_is_reported_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("in the way");
        fs::write(&file, "").unwrap();
        let (mut store, mut settings, _) = Store::open(Some(file));
        for speed in [2.0, 3.0, 4.0] {
            settings.speed = speed;
            store.save(&settings);
        }
        store.close(Duration::from_secs(5));
        let message = store.problem().expect("a problem");
        assert!(message.contains("cannot be saved") && message.contains(CONFIG_DIR_VARIABLE), "{message}");
        assert_eq!(store.problem(), None);
    }

    #[test]
    fn two_windows_keep_each_others_changes() {
        let folder = tempfile::tempdir().unwrap();
        let open = || {
            let (store, settings, problems) = Store::open(Some(folder.path().to_owned()));
            assert!(problems.is_empty(), "{problems:?}");
            (store, settings)
        };
        let float = |v: f64| Value::Float(v);
        let ((mut first, mut a), (mut second, mut b)) = (open(), open());
        fn lab(settings: &mut Settings) -> &mut LabSettings {
            settings.labs.entry("optimizers".to_owned()).or_default()
        }
        // What a window fills in at its start is not a change.
        lab(&mut b).seed = Some(7);
        second.begin(&b);

        a.theme = ThemeChoice::Light;
        a.remember(Path::new("a.csv"));
        (lab(&mut a).seed, lab(&mut a).params) = (Some(9), [("rate".to_owned(), float(0.1))].into());
        lab(&mut a).layouts.insert("surface".to_owned(), "{}".to_owned());
        first.save(&a);
        first.close(FAREWELL);

        b.form_open = false;
        b.remember(Path::new("b.csv"));
        lab(&mut b).params.insert("batch".to_owned(), Value::Int(4));
        lab(&mut b).layouts.insert("network".to_owned(), "[]".to_owned());
        b.labs.entry("segmentation".to_owned()).or_default().seed = Some(3);
        second.save(&b);
        second.close(FAREWELL);

        let (_, both) = open();
        assert_eq!((both.theme, both.form_open), (ThemeChoice::Light, false));
        assert_eq!(both.recent, [PathBuf::from("b.csv"), PathBuf::from("a.csv")], "newest first");
        let merged = &both.labs["optimizers"];
        assert_eq!(merged.seed, Some(9));
        assert_eq!(merged.params, [("batch".to_owned(), Value::Int(4)), ("rate".to_owned(), float(0.1))].into());
        assert_eq!(merged.layouts.len(), 2);
        assert_eq!(both.labs["segmentation"].seed, Some(3));
    }

    #[test]
    fn a_value_that_was_put_back_is_taken_out_of_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let (mut store, mut settings, _) = Store::open(Some(folder.path().to_owned()));
        let lab = settings.labs.entry("optimizers".to_owned()).or_default();
        lab.params = [("a".to_owned(), Value::Int(1)), ("b".to_owned(), Value::Int(2))].into();
        store.save(&settings);
        settings.labs.get_mut("optimizers").unwrap().params.remove("a");
        store.save(&settings);
        store.close(FAREWELL);
        let (_, again, _) = Store::open(Some(folder.path().to_owned()));
        assert_eq!(again.labs["optimizers"].params, [("b".to_owned(), Value::Int(2))].into());
    }

    #[test]
    fn many_windows_at_once_lose_nothing() {
        let folder = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for window in 0..6 {
                let folder = folder.path();
                scope.spawn(move || {
                    let (mut store, mut settings, _) = Store::open(Some(folder.to_owned()));
                    for change in 0..3 {
                        let lab = settings.labs.entry(format!("lab{window}")).or_default();
                        lab.params.insert(format!("p{change}"), Value::Int(change));
                        store.save(&settings);
                        std::thread::sleep(Duration::from_millis(20));
                    }
                    store.close(Duration::from_secs(10));
                });
            }
        });
        let (_, all, problems) = Store::open(Some(folder.path().to_owned()));
        assert!(problems.is_empty(), "{problems:?}");
        assert_eq!(all.labs.values().map(|lab| lab.params.len()).collect::<Vec<_>>(), [3; 6]);
    }

    #[test]
    fn what_a_newer_version_wrote_stays_in_the_file() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE), "version = 2\nnovelty = [1, 2]\n[labs.optimizers]\nmood = \"calm\"\n")
            .unwrap();
        let (mut store, mut settings, _) = Store::open(Some(folder.path().to_owned()));
        settings.theme = ThemeChoice::Light;
        store.save(&settings);
        store.close(FAREWELL);
        let file: Table = fs::read_to_string(folder.path().join(FILE)).unwrap().parse().unwrap();
        assert_eq!(file["version"].as_integer(), Some(2));
        assert_eq!((file["novelty"].as_array().map(Vec::len), file["theme"].as_str()), (Some(2), Some("light")));
        assert_eq!(file["labs"]["optimizers"]["mood"].as_str(), Some("calm"));
    }

    #[test]
    fn a_file_that_breaks_while_the_window_is_open_is_set_aside() {
        let folder = tempfile::tempdir().unwrap();
        let (mut store, mut settings, _) = Store::open(Some(folder.path().to_owned()));
        fs::write(folder.path().join(FILE), "half a line").unwrap();
        settings.theme = ThemeChoice::Light;
        store.save(&settings);
        store.close(FAREWELL);
        assert!(store.problem().unwrap().contains(BROKEN));
        assert_eq!(fs::read(folder.path().join(BROKEN)).unwrap(), b"half a line");
        assert_eq!(Store::open(Some(folder.path().to_owned())).1.theme, ThemeChoice::Light);
    }

    #[test]
    fn a_file_without_bounds_is_set_aside_unread() {
        let folder = tempfile::tempdir().unwrap();
        File::create(folder.path().join(FILE)).unwrap().set_len(LARGEST + 1).unwrap();
        assert_eq!(peek(Some(folder.path())), Settings::default());
        let (_, settings, problems) = Store::open(Some(folder.path().to_owned()));
        assert_eq!(settings, Settings::default());
        assert!(problems[0].contains(BROKEN), "{problems:?}");
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_in_the_place_of_the_file_keeps_nobody_waiting() {
        let folder = tempfile::tempdir().unwrap();
        let made = std::process::Command::new("mkfifo").arg(folder.path().join(FILE)).status();
        if !made.is_ok_and(|made| made.success()) {
            return;
        }
        assert_eq!(peek(Some(folder.path())), Settings::default());
        let (mut store, mut settings, problems) = Store::open(Some(folder.path().to_owned()));
        assert!(problems[0].contains("it is not a file"), "{problems:?}");
        settings.theme = ThemeChoice::Light;
        store.save(&settings);
        store.close(FAREWELL);
        assert_eq!(Store::open(Some(folder.path().to_owned())).1.theme, ThemeChoice::Light);
    }
}
