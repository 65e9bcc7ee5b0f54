//! The catalogue of recorded runs: what each run folder holds, how it ended and its last numbers, for the list of runs and
//! for any lab that asks. A thread reads; whoever asks gets what is known by now.
//!
//! Bounds: at most [`MOST`] folders, the newest names first; of each one the description, the first event, the end and the
//! last [`TAIL`] bytes of its numbers. A run that has ended is read again only when one of its files has changed.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::SystemTime;

use super::checkpoint_file;
use super::event::RunHeader;
use super::recording::METRICS;
use super::run_folder::{self, DiskError};
use super::study::RUNS;
use crate::disk;

/// Runs that are listed; of more, the newest by name.
pub const MOST: usize = 5_000;
/// Bytes at the end of `metrics.csv` in which the last numbers are looked for.
const TAIL: u64 = 256 << 10;

/// How a recorded run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// A process writes to it now.
    Recording,
    /// All steps are done.
    Finished,
    /// Stopped by the user.
    Stopped,
    /// Ended by an error.
    Failed,
    /// Its process ended without a word: killed, or a power failure.
    CutShort,
    /// It cannot be read.
    Damaged,
}

impl Standing {
    /// In words.
    pub fn word(self) -> &'static str {
        match self {
            Standing::Recording => "recording now",
            Standing::Finished => "finished",
            Standing::Stopped => "stopped",
            Standing::Failed => "failed",
            Standing::CutShort => "cut short",
            Standing::Damaged => "damaged",
        }
    }
}

/// What is known of one run folder.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// Absolute.
    pub folder: PathBuf,
    /// `None`: it cannot be read, see `problem`.
    pub header: Option<RunHeader>,
    pub standing: Standing,
    /// Why it failed, or what is damaged; else empty.
    pub problem: String,
    /// Completed steps as far as they are known.
    pub step: u64,
    /// Seconds since its start, where they are known.
    pub seconds: Option<f64>,
    /// Step of the newest checkpoint.
    pub checkpoint: Option<u64>,
    /// Size of the recording without checkpoints.
    pub bytes: u64,
    /// The last values of the lab's headline numbers: key, step, value; in the order of the lab's list.
    pub last: Vec<(String, u64, f64)>,
}

impl Recorded {
    /// The last value of a headline number, and the step at which it was measured.
    pub fn last(&self, key: &str) -> Option<(u64, f64)> {
        self.last.iter().find(|(known, ..)| known == key).map(|(_, step, value)| (*step, *value))
    }

    /// Whether it can be gone on with, as far as the catalogue can tell: it ended before its last step, or its last words
    /// are missing.
    pub fn may_go_on(&self) -> bool {
        matches!(self.standing, Standing::Stopped | Standing::CutShort | Standing::Failed)
    }
}

/// The recorded runs as they were read last, newest first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Listing {
    pub runs: Vec<Arc<Recorded>>,
    /// Older runs that are not listed.
    pub left_out: usize,
    /// Why the folder of runs cannot be listed.
    pub problem: Option<String>,
}

/// The keys whose last values are worth a place in a list of runs, by lab id. A key that ends in `/*` stands for its
/// family.
pub type Headline = Box<dyn Fn(&str) -> &'static [&'static str] + Send>;

/// The recorded runs under a folder, kept by a thread. Nothing here waits for the disk.
#[derive(Debug)]
pub struct Catalogue {
    asks: Option<mpsc::SyncSender<()>>,
    answers: mpsc::Receiver<Listing>,
    newest: Arc<Listing>,
    is_read: bool,
}

impl Catalogue {
    /// Begins to read the runs that lie directly under `runs`, and those of the studies beside it. `wake` is called when
    /// something new is known.
    pub fn start(runs: &Path, headline: Headline, wake: impl Fn() + Send + 'static) -> Self {
        let (asks, todo) = mpsc::sync_channel(1);
        let (sender, answers) = mpsc::channel();
        let runs = std::path::absolute(runs).unwrap_or_else(|_| runs.to_owned());
        let thread = thread::Builder::new().name("catalogue".to_owned()).spawn(move || {
            let mut known = HashMap::new();
            let mut said = None;
            while todo.recv().is_ok() {
                let listing = read(&runs, &headline, &mut known);
                if said.as_ref() == Some(&listing) {
                    continue;
                }
                said = Some(listing.clone());
                if sender.send(listing).is_err() {
                    return;
                }
                wake();
            }
        });
        let catalogue = Self { asks: thread.ok().map(|_| asks), answers, newest: Arc::default(), is_read: false };
        catalogue.refresh();
        catalogue
    }

    /// Asks for a new look at the disk. Asking twice is asking once.
    pub fn refresh(&self) {
        if let Some(asks) = &self.asks {
            // Full: it is about to look anyway.
            let _ = asks.try_send(());
        }
    }

    /// Takes in what was read since the last call; says whether that was anything.
    pub fn poll(&mut self) -> bool {
        let newest = self.answers.try_iter().last();
        let is_new = newest.is_some();
        if let Some(newest) = newest {
            (self.newest, self.is_read) = (Arc::new(newest), true);
        }
        is_new
    }

    /// What is known by now.
    pub fn listing(&self) -> &Arc<Listing> {
        &self.newest
    }

    /// Whether the disk has been looked at.
    pub fn is_read(&self) -> bool {
        self.is_read
    }
}

/// When and how large the files of a run were: another stamp, and it is read again.
type Stamp = [Option<(u64, SystemTime)>; 5];

fn stamp(folder: &Path) -> Stamp {
    ["run.toml", "events.bin", METRICS, "end.toml", checkpoint_file::FOLDER].map(|name| {
        let meta = fs::metadata(folder.join(name)).ok()?;
        Some((meta.len(), meta.modified().ok()?))
    })
}

/// Looks at every run once. `known`: what was read before, by folder.
fn read(runs: &Path, headline: &Headline, known: &mut HashMap<PathBuf, (Stamp, Arc<Recorded>)>) -> Listing {
    let mut listing = Listing::default();
    let mut folders = match list(runs) {
        Ok(folders) => folders,
        // Before the first run there is none.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(error) => {
            listing.problem = Some(DiskError::io("list", runs, error).to_string());
            Vec::new()
        }
    };
    let studies = runs.parent().map(|parent| parent.join(super::study::STUDIES));
    let studies = studies.and_then(|studies| list(&studies).ok()).unwrap_or_default();
    folders.extend(studies.into_iter().filter_map(|study| list(&study.join(RUNS)).ok()).flatten());
    folders.retain(|folder| run_folder::is_run(folder));
    // Names of this program begin with the time.
    folders.sort_by(|a, b| b.file_name().cmp(&a.file_name()));
    listing.left_out = folders.len().saturating_sub(MOST);
    folders.truncate(MOST);
    let mut read = HashMap::with_capacity(folders.len());
    for folder in folders {
        let now = stamp(&folder);
        let before = known.remove(&folder).filter(|(then, run)| {
            // Whether somebody writes is not to be seen from the files.
            *then == now && !matches!(run.standing, Standing::Recording | Standing::CutShort)
        });
        let run = before.map_or_else(|| Arc::new(look(&folder, headline)), |(_, run)| run);
        listing.runs.push(run.clone());
        read.insert(folder, (now, run));
    }
    *known = read;
    let started = |run: &Arc<Recorded>| run.header.as_ref().map(|header| header.started.clone()).unwrap_or_default();
    listing.runs.sort_by(|a, b| started(b).cmp(&started(a)).then_with(|| b.folder.cmp(&a.folder)));
    listing
}

/// What is in a folder and not hidden.
fn list(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder)?.flatten();
    let visible = entries.filter(|entry| !entry.file_name().to_string_lossy().starts_with('.'));
    Ok(visible.map(|entry| entry.path()).collect())
}

/// One run, read without its events.
pub fn look(folder: &Path, headline: &dyn Fn(&str) -> &'static [&'static str]) -> Recorded {
    let summary = run_folder::summary(folder);
    let (header, damage) = match summary.header {
        Ok(header) => (Some(header), String::new()),
        Err(error) => (None, error.to_string()),
    };
    let keys = header.as_ref().map_or(&[][..], |header| headline(&header.lab));
    let tail = Tail::read(&folder.join(METRICS), keys);
    let end = summary.end.as_ref();
    let standing = match end.map(|end| end.status.as_str()) {
        _ if header.is_none() => Standing::Damaged,
        Some("finished") => Standing::Finished,
        Some("stopped") => Standing::Stopped,
        Some("failed") => Standing::Failed,
        _ if summary.running => Standing::Recording,
        _ => Standing::CutShort,
    };
    let checkpoint = summary.checkpoints.last().copied();
    Recorded {
        folder: summary.folder,
        standing,
        problem: if damage.is_empty() { end.map_or(String::new(), |end| end.message.clone()) } else { damage },
        step: end.map_or_else(|| tail.step.max(checkpoint.unwrap_or(0)), |end| end.step),
        seconds: end.map(|end| end.seconds).or(tail.seconds),
        checkpoint,
        bytes: summary.bytes,
        last: tail.last,
        header,
    }
}

/// The end of a run's numbers.
#[derive(Debug, Default)]
struct Tail {
    step: u64,
    seconds: Option<f64>,
    last: Vec<(String, u64, f64)>,
}

impl Tail {
    /// What cannot be read is not known.
    fn read(path: &Path, keys: &[&str]) -> Self {
        let mut tail = Tail::default();
        let Ok(text) = end_of(path) else { return tail };
        let text = String::from_utf8_lossy(&text);
        let mut found: BTreeMap<&str, (u64, f64)> = BTreeMap::new();
        // The first line is the rest of one, or the titles; the last may be torn.
        for line in text.split_inclusive('\n').skip(1).filter_map(|line| line.strip_suffix('\n')) {
            let mut parts = line.splitn(3, ',');
            let step = parts.next().and_then(|step| step.parse().ok());
            let seconds: Option<f64> = parts.next().and_then(|seconds| seconds.parse().ok());
            let (Some(step), Some(seconds), Some(rest)) = (step, seconds, parts.next()) else { continue };
            let Some((key, value)) = rest.rsplit_once(',') else { continue };
            let Ok(value) = value.parse() else { continue };
            (tail.step, tail.seconds) = (step, Some(seconds));
            found.insert(key, (step, value));
        }
        for wanted in keys {
            let matches = |key: &str| wanted.strip_suffix('*').map_or(key == *wanted, |family| key.starts_with(family));
            let of_key = found.iter().filter(|(key, _)| matches(key));
            tail.last.extend(of_key.map(|(key, (step, value))| ((*key).to_owned(), *step, *value)));
        }
        tail
    }
}

/// The last [`TAIL`] bytes of a file.
fn end_of(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut file = disk::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
    let mut bytes = Vec::new();
    file.take(TAIL).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::command::Record;
    use crate::engine::event::{Body, Event, RunId, Status};
    use crate::engine::experiment::Checkpoint;
    use crate::engine::recording::Recorder;

    const KEYS: &[&str] = &["dice", "loss/*"];

    fn headline() -> Headline {
        Box::new(|lab| if lab == "toy" { KEYS } else { &[] })
    }

    fn event(step: u64, body: Body) -> Event {
        Event { run: RunId(1), step, seconds: step as f64, body }
    }

    /// A run of 10 steps that has done `step` of them.
    fn record(root: &Path, name: &str, step: u64, end: Option<Status>) -> Recorder {
        let mut header = RunHeader { lab: "toy".into(), name: name.into(), steps: 10, seed: 7, ..RunHeader::default() };
        let mut recorder = Recorder::create(&Record::New(root.to_owned()), &mut header).unwrap().unwrap();
        recorder.append(&event(0, Body::Started(Box::new(header)))).unwrap();
        for step in 1..=step {
            let loss = 1.0 / step as f64;
            let values = vec![("loss/a".into(), loss), ("loss/b".into(), f64::NAN), ("other".into(), 3.0)];
            recorder.append(&event(step, Body::Scalars(values))).unwrap();
        }
        recorder.append(&event(step, Body::Scalars(vec![("dice".into(), 0.5)]))).unwrap();
        recorder.checkpoint(&Checkpoint { step, ..Checkpoint::default() }).unwrap();
        if let Some(status) = end {
            recorder.append(&event(step, Body::Status(status))).unwrap();
        }
        recorder.flush().unwrap();
        recorder
    }

    fn listed(root: &Path) -> Listing {
        read(root, &headline(), &mut HashMap::new())
    }

    fn by_name<'a>(listing: &'a Listing, part: &str) -> &'a Recorded {
        let found = listing.runs.iter().find(|run| run.folder.to_string_lossy().contains(part));
        found.unwrap_or_else(|| panic!("no `{part}` in {listing:#?}"))
    }

    #[test]
    fn every_standing_is_told_from_the_folder_alone() {
        let all = tempfile::tempdir().unwrap();
        let root = &all.path().join("runs");
        drop(record(root, "done", 10, Some(Status::Finished)));
        drop(record(root, "halted", 4, Some(Status::Stopped)));
        drop(record(root, "broken", 5, Some(Status::Failed("no memory".into()))));
        drop(record(root, "killed", 6, None));
        let live = record(root, "live", 3, None);
        let listing = listed(root);
        let told: Vec<_> = ["done", "halted", "broken", "killed", "live"]
            .map(|name| by_name(&listing, name))
            .map(|run| (run.standing, run.step, run.checkpoint, run.may_go_on()))
            .to_vec();
        assert_eq!(told[0], (Standing::Finished, 10, Some(10), false));
        assert_eq!(told[1], (Standing::Stopped, 4, Some(4), true));
        assert_eq!(told[2], (Standing::Failed, 5, Some(5), true));
        assert_eq!(told[3], (Standing::CutShort, 6, Some(6), true));
        assert_eq!(told[4], (Standing::Recording, 3, Some(3), false));
        assert_eq!(by_name(&listing, "broken").problem, "no memory");
        drop(live);
        // A process that another test starts just now may hold the lock for a moment, too.
        let start = std::time::Instant::now();
        while by_name(&listed(root), "live").standing != Standing::CutShort {
            assert!(start.elapsed().as_secs() < 20, "its process is gone");
        }
    }

    #[test]
    fn headline_numbers_are_the_last_whole_ones() {
        let all = tempfile::tempdir().unwrap();
        let folder = record(all.path(), "a", 4, None).folder().to_owned();
        let run = look(&folder, &headline());
        let keys: Vec<&str> = run.last.iter().map(|(key, ..)| key.as_str()).collect();
        assert_eq!(keys, ["dice", "loss/a", "loss/b"], "in the order of the lab's list, and nothing else");
        assert_eq!((run.last("dice"), run.last("loss/a")), (Some((4, 0.5)), Some((4, 0.25))));
        assert!(run.last("loss/b").unwrap().1.is_nan());
        // A kill tears the last line; a long file is read from its end only.
        let path = folder.join(METRICS);
        let mut text = fs::read_to_string(&path).unwrap();
        let long: String = (5..20_000).map(|step| format!("{step},{step}.0,loss/a,0.125\n")).collect();
        text += &long;
        text += "20000,20000.0,dice,0.9";
        fs::write(&path, &text).unwrap();
        let run = look(&folder, &headline());
        assert_eq!((run.last("loss/a"), run.last("dice")), (Some((19_999, 0.125)), None));
        assert_eq!((run.step, run.seconds), (19_999, Some(19_999.0)));
    }

    #[test]
    fn damaged_foreign_and_newer_folders_neither_hide_nor_break_the_others() {
        let all = tempfile::tempdir().unwrap();
        let root = &all.path().join("runs");
        assert_eq!(listed(root), Listing::default(), "no folder is no problem");
        let good = record(root, "good", 10, Some(Status::Finished)).folder().to_owned();
        let copy = |name: &str| {
            let to = root.join(name);
            fs::create_dir(&to).unwrap();
            for file in ["run.toml", "events.bin", METRICS, "end.toml"] {
                fs::copy(good.join(file), to.join(file)).unwrap();
            }
            to
        };
        fs::write(copy("torn").join("events.bin"), "LSC").unwrap();
        fs::remove_file(root.join("torn/run.toml")).unwrap();
        let newer = copy("newer");
        fs::remove_file(newer.join("events.bin")).unwrap();
        fs::write(newer.join("run.toml"), "format = 999\nlab = \"toy\"").unwrap();
        fs::create_dir(root.join("notes")).unwrap();
        fs::write(root.join("a file"), "mine").unwrap();
        fs::create_dir_all(root.join(".hidden")).unwrap();
        let odd = copy("no-numbers");
        fs::remove_file(odd.join(METRICS)).unwrap();
        fs::create_dir(odd.join(METRICS)).unwrap();
        let listing = listed(root);
        assert_eq!(listing.runs.len(), 4, "{listing:#?}");
        for name in ["torn", "newer"] {
            let run = by_name(&listing, name);
            assert_eq!((run.standing, run.header.is_none()), (Standing::Damaged, true), "{name}");
            assert!(run.problem.contains(name), "{}", run.problem);
        }
        let run = by_name(&listing, "no-numbers");
        assert_eq!((run.standing, run.last.len()), (Standing::Finished, 0));
        assert_eq!(by_name(&listing, "good").standing, Standing::Finished);
        fs::remove_dir_all(root).unwrap();
        fs::write(root, "a file").unwrap();
        assert!(listed(root).problem.unwrap().contains("list"), "a file in its place is said");
    }

    #[cfg(unix)]
    #[test]
    fn links_and_pipes_are_not_waited_for() {
        use std::os::unix::fs::symlink;
        let all = tempfile::tempdir().unwrap();
        let root = &all.path().join("runs");
        let good = record(root, "good", 10, Some(Status::Finished)).folder().to_owned();
        symlink(&good, root.join("link")).unwrap();
        symlink(root.join("loop"), root.join("loop")).unwrap();
        symlink(root, root.join("self")).unwrap();
        let pipe = root.join("pipe");
        fs::create_dir(&pipe).unwrap();
        fs::copy(good.join("run.toml"), pipe.join("run.toml")).unwrap();
        for name in ["events.bin", METRICS, ".lock", "end.toml"] {
            let made = std::process::Command::new("mkfifo").arg(pipe.join(name)).status();
            assert!(made.is_ok_and(|status| status.success()));
        }
        let listing = listed(root);
        assert_eq!(listing.runs.len(), 3, "{listing:#?}");
        assert_eq!(by_name(&listing, "link").standing, Standing::Finished);
        assert_eq!(by_name(&listing, "pipe").standing, Standing::CutShort);
    }

    #[test]
    fn runs_of_studies_are_listed_too() {
        let all = tempfile::tempdir().unwrap();
        drop(record(&all.path().join("runs"), "own", 10, Some(Status::Finished)));
        drop(record(&all.path().join("studies/toy-rates/runs"), "row", 10, Some(Status::Finished)));
        assert_eq!(listed(&all.path().join("runs")).runs.len(), 2);
    }

    #[test]
    fn an_ended_run_is_read_again_only_when_it_changed() {
        let all = tempfile::tempdir().unwrap();
        let root = all.path();
        let folder = record(root, "done", 10, Some(Status::Finished)).folder().to_owned();
        let mut known = HashMap::new();
        read(root, &headline(), &mut known);
        known.values_mut().for_each(|(_, run)| Arc::make_mut(run).bytes = 1);
        assert_eq!(read(root, &headline(), &mut known).runs[0].bytes, 1, "what is known is kept");
        fs::write(folder.join("end.toml"), "status = \"stopped\"\nstep = 3\nseconds = 1.0\n").unwrap();
        let run = read(root, &headline(), &mut known).runs.remove(0);
        assert_eq!((run.standing, run.step), (Standing::Stopped, 3));
        assert!(run.bytes > 1);
    }

    #[test]
    fn whoever_asks_gets_what_is_new() {
        let all = tempfile::tempdir().unwrap();
        let mut catalogue = Catalogue::start(all.path(), headline(), || ());
        let mut until = |count: usize| {
            let start = std::time::Instant::now();
            while !catalogue.is_read() || catalogue.listing().runs.len() != count {
                assert!(start.elapsed().as_secs() < 20, "{:?}", catalogue.listing());
                catalogue.refresh();
                catalogue.poll();
                thread::sleep(std::time::Duration::from_millis(1));
            }
        };
        until(0);
        drop(record(all.path(), "done", 10, Some(Status::Finished)));
        until(1);
    }
}
