//! What the window remembers: one small TOML file in the platform's configuration folder. A broken file is set aside,
//! an unwritable folder is reported once; neither ever stops the program.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::theme::ThemeChoice;
pub use crate::disk::{STATE_FOLDER_VARIABLE as CONFIG_DIR_VARIABLE, state_folder as default_folder};
use crate::engine::params::Value;

/// Entries kept in the list of recently opened data.
pub const RECENT_CAP: usize = 10;

const FILE: &str = "settings.toml";
const BROKEN: &str = "settings.broken.toml";

/// Everything that outlives the window. Unknown fields are ignored and missing ones take their defaults, so that an
/// older and a newer version can share a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Version of the file's meaning; a newer one is still read as far as it is understood.
    pub version: u32,
    pub theme: ThemeChoice,
    /// Id of the lab that was open.
    pub lab: String,
    /// As [`crate::compute::device::DeviceChoice`] writes itself.
    pub device: String,
    /// Playback speed, 1 = the lab's own rate.
    pub speed: f64,
    /// Width and height of the window in points.
    pub window: Option<[f32; 2]>,
    pub form_open: bool,
    pub guide_open: bool,
    pub form_width: f32,
    pub guide_width: f32,
    /// Recently opened data files and folders, newest first.
    pub recent: Vec<PathBuf>,
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
            lab: String::new(),
            device: "auto".to_owned(),
            speed: 1.0,
            window: None,
            form_open: true,
            guide_open: true,
            form_width: 272.0,
            guide_width: 304.0,
            recent: Vec::new(),
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
        self.form_width = clamp(self.form_width, 200.0, 600.0);
        self.guide_width = clamp(self.guide_width, 200.0, 800.0);
        self.window = self.window.map(|[w, h]| [clamp(w, 640.0, 16_384.0), clamp(h, 480.0, 16_384.0)]);
        self.recent.truncate(RECENT_CAP);
        self
    }
}

/// The settings file, written by a thread of its own so that no frame waits for a disk.
#[derive(Debug)]
pub struct Store {
    folder: Option<PathBuf>,
    saved: Settings,
    writer: Option<(mpsc::Sender<String>, thread::JoinHandle<()>)>,
    problems: mpsc::Receiver<String>,
}

/// The settings as they are on disk, or the defaults; nothing is reported or set aside.
pub fn peek(folder: Option<&Path>) -> Settings {
    let text = folder.and_then(|folder| fs::read_to_string(folder.join(FILE)).ok());
    text.and_then(|text| toml::from_str::<Settings>(&text).ok()).unwrap_or_default().sane()
}

impl Store {
    /// Reads the settings in `folder` (`None`: remembers nothing). The texts are problems worth a notice.
    pub fn open(folder: Option<PathBuf>) -> (Self, Settings, Vec<String>) {
        let mut problems = Vec::new();
        let settings = folder.as_deref().map_or_else(Settings::default, |folder| load(folder, &mut problems));
        let (report, reports) = mpsc::channel();
        let writer = folder.clone().and_then(|folder| {
            let (sender, receiver) = mpsc::channel::<String>();
            let thread = thread::Builder::new().name("settings".to_owned()).spawn(move || {
                let mut told = false;
                while let Ok(mut text) = receiver.recv() {
                    // Only the newest matters.
                    while let Ok(newer) = receiver.try_recv() {
                        text = newer;
                    }
                    if let Err(error) = write(&folder, &text)
                        && !std::mem::replace(&mut told, true)
                    {
                        let _ = report.send(format!(
                            "settings cannot be saved in {}: {error}. What you change now is forgotten at exit; set \
                             {CONFIG_DIR_VARIABLE} to a folder that can be written.",
                            folder.display()
                        ));
                    }
                }
            });
            thread.ok().map(|thread| (sender, thread))
        });
        (Self { folder, saved: settings.clone(), writer, problems: reports }, settings, problems)
    }

    /// Where the file is, if anything is remembered at all.
    pub fn path(&self) -> Option<PathBuf> {
        self.folder.as_ref().map(|folder| folder.join(FILE))
    }

    /// Hands `settings` to the writer if they differ from what was written last. Returns at once.
    pub fn save(&mut self, settings: &Settings) {
        if *settings == self.saved {
            return;
        }
        self.saved = settings.clone();
        if let (Some((writer, _)), Ok(text)) = (&self.writer, toml::to_string_pretty(settings)) {
            let _ = writer.send(text);
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
            let until = std::time::Instant::now() + deadline;
            while !thread.is_finished() && std::time::Instant::now() < until {
                thread::sleep(Duration::from_millis(5));
            }
        }
    }
}

fn load(folder: &Path, problems: &mut Vec<String>) -> Settings {
    let path = folder.join(FILE);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Settings::default(),
        // Not UTF-8, a folder in its place, no permission: set aside what can be, start fresh.
        Err(error) => {
            problems.push(set_aside(folder, &error.to_string()));
            return Settings::default();
        }
    };
    match toml::from_str::<Settings>(&text) {
        Ok(settings) => settings.sane(),
        Err(error) => {
            let first = error.message().lines().next().unwrap_or_default().to_owned();
            problems.push(set_aside(folder, &first));
            Settings::default()
        }
    }
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

/// Temporary file, then rename: a crash leaves the old file or the new one, never half of one.
fn write(folder: &Path, text: &str) -> std::io::Result<()> {
    fs::create_dir_all(folder)?;
    crate::disk::write_synced(&folder.join(FILE), text.as_bytes())
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
        fs::write(folder.path().join(FILE), "speed = 1e9\nform_width = nan\nwindow = [1.0, 1.0]").unwrap();
        let (_, settings, problems) = Store::open(Some(folder.path().to_owned()));
        assert!(problems.is_empty(), "{problems:?}");
        assert_eq!((settings.speed, settings.form_width, settings.window), (100.0, 200.0, Some([640.0, 480.0])));
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
}
