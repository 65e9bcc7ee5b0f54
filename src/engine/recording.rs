//! Writes a run's events to its folder. [`super::replay`] reads them back.
//!
//! Bounds. Memory: the recorder holds two write buffers of [`BUFFER`] bytes and one step's events, more only while the
//! disk takes nothing (the worker then waits); the reader one buffer and one event. Disk: what the lab's keys record, at
//! their cadence in steps, plus at most 1 + [`checkpoint_file::KEEP_NEWEST`] checkpoints. Loss: a killed process loses
//! what was appended after the last [`Recorder::flush`]; a checkpoint first flushes and syncs, so that everything up to
//! its step is on disk before it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::command::Record;
use super::event::{Body, Event, RunHeader};
use super::experiment::Checkpoint;
use super::replay::{self, absolute, open_frames};
use super::run_folder::{self, DiskError, RunEnd};
use super::{checkpoint_file, clock, frames, header_file};
use crate::disk;

pub use super::replay::{Events, RunReader, replay, replay_from};

/// Size of each write and read buffer.
pub(super) const BUFFER: usize = 256 << 10;
pub(super) const EVENTS: &str = "events.bin";
pub(super) const METRICS: &str = "metrics.csv";
const METRICS_HEADER: &str = "step,seconds,key,value\n";
/// What a checkpoint notes of the recording that it belongs to: its id, and its length up to the checkpoint.
const ID: &str = "recording/id";
const BYTES: &str = "recording/bytes";

/// Records one run. Dropping it flushes what it can and frees the folder for another writer.
#[derive(Debug)]
pub struct Recorder {
    folder: PathBuf,
    events: Appended,
    /// Where the next frame starts.
    offset: u64,
    metrics: Appended,
    /// The frame being encoded; kept to spare an allocation for each event.
    frame: Vec<u8>,
    line: String,
    resumed: Option<Resumed>,
    /// Tells this recording from others: the checksum of its first event.
    id: Option<String>,
    /// How the run ended, until it is written.
    end: Option<RunEnd>,
    /// The disk did not take what was appended.
    stuck: bool,
    _lock: Option<File>,
}

/// What a resumed recording already holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Resumed {
    /// Step of the checkpoint; everything after it was cut off.
    pub step: u64,
    /// Seconds at the last event that was kept: the run's clock should go on from here.
    pub seconds: f64,
    /// Length of the recording that is kept.
    pub kept: u64,
    /// What was found damaged, in words for the user.
    pub warnings: Vec<String>,
}

/// A recording that was checked and not yet opened for writing: nothing on disk has changed so far (but for a new folder).
#[derive(Debug)]
pub struct Opening {
    folder: PathBuf,
    way: Way,
}

#[derive(Debug)]
enum Way {
    New(Box<Recorder>),
    Replace(Option<File>),
    Restart(Option<File>),
    Resume { lock: Option<File>, resumed: Resumed, header: Box<RunHeader> },
}

impl Opening {
    /// Where the run will be recorded, absolute.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What a resumed recording already holds; `None` for any other.
    pub fn resumed(&self) -> Option<&Resumed> {
        match &self.way {
            Way::Resume { resumed, .. } => Some(resumed),
            _ => None,
        }
    }

    /// Opens it for writing.
    pub fn open(self, header: &RunHeader) -> Result<Recorder, DiskError> {
        let folder = self.folder;
        match self.way {
            Way::New(recorder) => Ok(*recorder),
            Way::Replace(lock) => {
                run_folder::replace(&folder, lock, |fresh| fill(fresh, header))?;
                Recorder::reopen(&folder)
            }
            Way::Restart(lock) => {
                keep_earlier(&folder, Keep::Link)?;
                set_aside_after(&folder, None)?;
                // In this order: after a crash in between the next resumption still finds every change made by hand.
                header_file::write(&folder, header)?;
                run_folder::write_whole(&folder.join(EVENTS), &frames::header())?;
                run_folder::write_whole(&folder.join(METRICS), METRICS_HEADER.as_bytes())?;
                run_folder::write_end(&folder, None)?;
                run_folder::tidy_run(&folder);
                Recorder::open_locked(folder, lock, None)
            }
            Way::Resume { lock, resumed, header: kept } => {
                if !resumed.warnings.is_empty() {
                    keep_earlier(&folder, Keep::Copy)?;
                }
                let kept = RunHeader {
                    steps: header.steps,
                    device: header.device.clone(),
                    device_check: header.device_check.clone(),
                    resumed_at: Some(resumed.step),
                    ..*kept
                };
                Recorder::go_on(folder, lock, resumed, Some(&kept))
            }
        }
    }
}

impl Recorder {
    /// Checks the recording that `record` asks for; `None` for [`Record::No`]. Fills in `header.folder` and an empty
    /// `header.started`. [`Record::Resume`] needs `header.resumed_at`, the step of the checkpoint.
    pub fn prepare(record: &Record, header: &mut RunHeader) -> Result<Option<Opening>, DiskError> {
        if header.started.is_empty() {
            header.started = clock::utc_now();
        }
        let opening = match record {
            Record::No => return Ok(None),
            Record::New(root) => {
                let folder = run_folder::create_new(&absolute(root), header, |fresh| fill(fresh, header))?;
                let recorder = Self::reopen(&folder)?;
                Opening { folder, way: Way::New(Box::new(recorder)) }
            }
            Record::Replace(folder) => {
                let folder = absolute(folder);
                run_folder::recover(&folder)?;
                let exists = run_folder::check_replaceable(&folder)?;
                let lock = if exists { run_folder::lock(&folder)? } else { None };
                Opening { folder, way: Way::Replace(lock) }
            }
            Record::Restart(folder) => {
                let folder = absolute(folder);
                let lock = lock_to_write(&folder)?;
                header.started = replay::describe(&folder)?.header.started;
                Opening { folder, way: Way::Restart(lock) }
            }
            Record::Resume(folder) => {
                let folder = absolute(folder);
                let Some(step) = header.resumed_at else {
                    return Err(DiskError::bad(folder, "resuming needs the step of a checkpoint"));
                };
                let lock = lock_to_write(&folder)?;
                let resumed = resumable(&folder, step)?;
                // What defined the run stays as it was; what may differ now is noted.
                let kept = replay::describe(&folder)?.header;
                header.started.clone_from(&kept.started);
                Opening { folder, way: Way::Resume { lock, resumed, header: Box::new(kept) } }
            }
        };
        header.folder = opening.folder.to_string_lossy().into_owned();
        Ok(Some(opening))
    }

    /// [`Recorder::prepare`] and [`Opening::open`] in one.
    pub fn create(record: &Record, header: &mut RunHeader) -> Result<Option<Recorder>, DiskError> {
        Self::prepare(record, header)?.map(|opening| opening.open(header)).transpose()
    }

    /// Opens the recording of an earlier run and cuts it back to what it held when the checkpoint of `step` was written,
    /// so that the numbers of the resumed run equal an unbroken run's. `metrics.csv` is derived anew from the events.
    /// Checkpoints after `step` are set aside under another name.
    pub fn resume(folder: &Path, step: u64) -> Result<Recorder, DiskError> {
        let lock = lock_to_write(folder)?;
        let resumed = resumable(folder, step)?;
        Self::go_on(folder.to_owned(), lock, resumed, None)
    }

    fn go_on(
        folder: PathBuf,
        lock: Option<File>,
        resumed: Resumed,
        header: Option<&RunHeader>,
    ) -> Result<Recorder, DiskError> {
        let path = folder.join(EVENTS);
        let mut frames = open_frames(&path)?;
        let metrics_path = folder.join(METRICS);
        let io = |e| DiskError::io("write", &metrics_path, e);
        let (file, temporary) = disk::temporary(&metrics_path).map_err(io)?;
        let mut metrics = io::BufWriter::with_capacity(BUFFER, file);
        metrics.write_all(METRICS_HEADER.as_bytes()).map_err(io)?;
        let mut line = String::new();
        while let Some((offset, _, event)) = frames.read().map_err(|e| DiskError::io("read", &path, e))?
            && offset < resumed.kept
        {
            if metric_lines(&event, &mut line) {
                metrics.write_all(line.as_bytes()).map_err(io)?;
            }
        }
        metrics.flush().and_then(|()| disk::place_at(temporary, &metrics_path)).map_err(io)?;
        if let Some(header) = header {
            header_file::write(&folder, header)?;
        }
        let events = File::options().write(true).open(&path).map_err(|e| DiskError::io("write to", &path, e))?;
        events.set_len(resumed.kept).map_err(|e| DiskError::io("cut", &path, e))?;
        set_aside_after(&folder, Some(resumed.step))?;
        run_folder::write_end(&folder, None)?;
        run_folder::tidy_run(&folder);
        Self::open_locked(folder, lock, Some(resumed))
    }

    /// Goes on at the end of an intact recording, without cutting anything.
    pub fn reopen(folder: &Path) -> Result<Self, DiskError> {
        let lock = run_folder::lock(folder)?;
        Self::open_locked(folder.to_owned(), lock, None)
    }

    fn open_locked(folder: PathBuf, lock: Option<File>, resumed: Option<Resumed>) -> Result<Self, DiskError> {
        let (events, offset) = Appended::open(folder.join(EVENTS))?;
        let (metrics, _) = Appended::open(folder.join(METRICS))?;
        let id = id_of(&folder);
        let (frame, line) = (Vec::new(), String::new());
        Ok(Self { folder, events, offset, metrics, frame, line, resumed, id, end: None, stuck: false, _lock: lock })
    }

    /// The run folder, absolute.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What a resumed recording already held; `None` for a new one.
    pub fn resumed(&self) -> Option<&Resumed> {
        self.resumed.as_ref()
    }

    /// Whether the disk did not take what was appended. Nothing is lost yet: it waits in memory for the next
    /// [`Recorder::flush`].
    pub fn is_stuck(&self) -> bool {
        self.stuck
    }

    /// Appends one event. For a payload: the offset and the size of its frame, as [`Body::Recorded`] names them.
    ///
    /// A resumed recording keeps its first `Started` event, so another one is not written. [`Body::Recorded`] is never
    /// written: the payload's own frame stands for it. A disk that takes nothing is no error here, see
    /// [`Recorder::is_stuck`]; an event that cannot be encoded is one, and is left out.
    pub fn append(&mut self, event: &Event) -> Result<Option<(u64, u32)>, DiskError> {
        let encoded = match &event.body {
            Body::Started(_) if self.resumed.is_some() => return Ok(None),
            Body::Recorded { .. } => return Ok(None),
            // Without the folder: a run may be moved.
            Body::Started(header) => {
                let body = Body::Started(Box::new(RunHeader { folder: String::new(), ..(**header).clone() }));
                frames::encode(&Event { body, ..*event }, &mut self.frame)
            }
            _ => frames::encode(event, &mut self.frame),
        };
        encoded.map_err(|problem| DiskError::bad(self.folder.join(EVENTS), problem))?;
        if self.offset == frames::HEADER_BYTES {
            self.id = frames::checksum_of(&self.frame);
        }
        self.events.put(&self.frame);
        let place = (self.offset, self.frame.len() as u32);
        self.offset += self.frame.len() as u64;
        // A rare large event must not keep its memory for the rest of the run.
        self.frame.shrink_to(BUFFER);
        if metric_lines(event, &mut self.line) {
            self.metrics.put(self.line.as_bytes());
        }
        if let Body::Status(status) = &event.body {
            self.end = RunEnd::of(status, event.step, event.seconds);
        }
        if !self.stuck && (self.end.is_some() || self.events.is_full() || self.metrics.is_full()) {
            // Told by `is_stuck`.
            let _ = self.flush();
        }
        if let Body::DeviceChecked { text } = &event.body {
            let mut header = header_file::read(&self.folder)?;
            header.device_check.clone_from(text);
            header_file::write(&self.folder, &header)?;
        }
        Ok(matches!(event.body, Body::Payload { .. }).then_some(place))
    }

    /// Hands everything appended so far to the operating system: a killed process no longer loses it. After an error it
    /// is tried again by the next call, and nothing is missing then.
    pub fn flush(&mut self) -> Result<(), DiskError> {
        let written = self.events.write().and_then(|()| self.metrics.write()).and_then(|()| match &self.end {
            Some(end) => run_folder::write_end(&self.folder, Some(end)),
            None => Ok(()),
        });
        self.stuck = written.is_err();
        if !self.stuck {
            self.end = None;
        }
        written
    }

    /// Writes a checkpoint and returns its file name relative to the run folder. Every event up to its step must have
    /// been appended; they are flushed and synced first, so that a checkpoint never outruns the events.
    pub fn checkpoint(&mut self, checkpoint: &Checkpoint) -> Result<String, DiskError> {
        self.flush()?;
        self.events.file.sync_data().map_err(|e| DiskError::io("write to", self.folder.join(EVENTS), e))?;
        let id = self.id.clone().map(|id| (ID.to_owned(), id));
        let more = BTreeMap::from_iter(id.into_iter().chain([(BYTES.to_owned(), self.offset.to_string())]));
        checkpoint_file::write_with(&self.folder, checkpoint, &more)
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        let _ = self.flush();
    }
}

/// A file that is appended to. What it did not take waits in memory, and the next try goes on where the last one stopped.
#[derive(Debug)]
struct Appended {
    path: PathBuf,
    file: File,
    waiting: Vec<u8>,
    /// Bytes of `waiting` that are written.
    written: usize,
}

impl Appended {
    /// Opens an existing file; also gives its length.
    fn open(path: PathBuf) -> Result<(Self, u64), DiskError> {
        let open = || {
            disk::refuse_pipe(&path)?;
            let mut file = File::options().append(true).open(&path)?;
            let end = file.seek(SeekFrom::End(0))?;
            Ok((file, end))
        };
        let (file, end) = open().map_err(|e| DiskError::io("write to", &path, e))?;
        Ok((Self { path, file, waiting: Vec::new(), written: 0 }, end))
    }

    fn put(&mut self, bytes: &[u8]) {
        self.waiting.extend_from_slice(bytes);
    }

    fn is_full(&self) -> bool {
        self.waiting.len() >= BUFFER
    }

    fn write(&mut self) -> Result<(), DiskError> {
        while self.written < self.waiting.len() {
            match self.file.write(&self.waiting[self.written..]) {
                Ok(0) => return Err(DiskError::io("write to", &self.path, io::ErrorKind::WriteZero.into())),
                Ok(count) => self.written += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(DiskError::io("write to", &self.path, error)),
            }
        }
        self.waiting.clear();
        self.waiting.shrink_to(2 * BUFFER);
        self.written = 0;
        Ok(())
    }
}

/// Tells the recording in a folder from others: the checksum of its first event; `None` while it has none.
pub fn id_of(folder: &Path) -> Option<String> {
    use std::io::Read;
    let mut bytes = Vec::new();
    let file = disk::open(&folder.join(EVENTS)).ok()?;
    file.take(frames::HEADER_BYTES + 8).read_to_end(&mut bytes).ok()?;
    frames::checksum_of(bytes.get(frames::HEADER_BYTES as usize..)?)
}

/// Whether a checkpoint belongs to the recording with this id, and every event up to it is there where the events are
/// whole up to byte `whole` and up to step `reached`. The error says what is wrong.
pub fn belongs(checkpoint: &Checkpoint, id: Option<&str>, whole: u64, reached: u64) -> Result<(), String> {
    if let (Some(its), Some(id)) = (checkpoint.text.get(ID), id)
        && its != id
    {
        return Err("it belongs to another run".to_owned());
    }
    let is_whole = match kept_bytes(checkpoint) {
        Some(bytes) => bytes <= whole,
        // Written by a version that did not note it.
        None => checkpoint.step <= reached,
    };
    if is_whole {
        Ok(())
    } else {
        Err(format!("the recording is damaged or cut short before step {}", checkpoint.step))
    }
}

fn kept_bytes(checkpoint: &Checkpoint) -> Option<u64> {
    checkpoint.text.get(BYTES)?.parse().ok()
}

/// What a recording that goes on from the checkpoint of `step` keeps: what it held when the checkpoint was written. Reads
/// only.
pub fn resumable(folder: &Path, step: u64) -> Result<Resumed, DiskError> {
    let path = folder.join(EVENTS);
    let mut frames = open_frames(&path)?;
    let name = checkpoint_file::file_name(step);
    let noted = checkpoint_file::read(&folder.join(&name)).ok().as_ref().and_then(kept_bytes);
    let mut resumed = Resumed { step, seconds: 0.0, kept: frames::HEADER_BYTES, warnings: Vec::new() };
    let mut reached = 0;
    let mut broken = None;
    while let Some((offset, bytes, event)) = frames.read().map_err(|e| DiskError::io("read", &path, e))? {
        // The event that tells of the checkpoint comes right after it.
        let tells = matches!(&event.body, Body::Checkpoint { file } if *file == name);
        let is_kept = match noted {
            Some(noted) => offset < noted || (offset == noted && tells),
            None => event.step <= step,
        };
        if !is_kept {
            break;
        }
        reached = event.step;
        broken = frames.damage().map(|(_, problem)| problem.to_owned());
        resumed.kept = offset + u64::from(bytes);
        resumed.seconds = resumed.seconds.max(event.seconds);
    }
    let is_short = noted.map_or(reached < step, |noted| resumed.kept < noted);
    if is_short {
        broken = broken.or(frames.damage().map(|(_, problem)| problem.to_owned()));
        broken = broken.or(Some("the recording is cut short".to_owned()));
    }
    if let Some(problem) = broken {
        let reached = if is_short { format!("between step {reached} and") } else { "before".to_owned() };
        resumed.warnings.push(format!(
            "`{}`: {problem}; some numbers {reached} the checkpoint at step {step} are lost. The files as they were are \
             kept in {}",
            path.display(),
            folder.join(run_folder::EARLIER).display()
        ));
    }
    Ok(resumed)
}

/// Takes the lock of a run that is to be written, and refuses at once what could not be recorded.
fn lock_to_write(folder: &Path) -> Result<Option<File>, DiskError> {
    let lock = run_folder::lock(folder)?;
    for name in [EVENTS, METRICS] {
        let path = folder.join(name);
        let open = disk::refuse_pipe(&path).and_then(|()| File::options().append(true).open(&path));
        match open {
            // Derived from the events.
            Err(e) if name == METRICS && e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => return Err(DiskError::io("write to", path, e)),
            Ok(_) => {}
        }
    }
    probe(folder)?;
    Ok(lock)
}

/// Sets the checkpoints after `step` aside, or all of them.
fn set_aside_after(folder: &Path, step: Option<u64>) -> Result<(), DiskError> {
    let late = |at: &u64| step.is_none_or(|step| *at > step);
    checkpoint_file::list(folder)
        .iter()
        .filter(|(at, _)| late(at))
        .try_for_each(|(_, path)| checkpoint_file::set_aside(path))
}

/// How files are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keep {
    /// Under a second name, since new files will take the place of these.
    Link,
    /// As copies, since these will be written to.
    Copy,
}

/// Keeps what a run has recorded so far in a folder of its own within the run's: `earlier/1`, `earlier/2`, ..
fn keep_earlier(folder: &Path, how: Keep) -> Result<(), DiskError> {
    let all = folder.join(run_folder::EARLIER);
    fs::create_dir_all(&all).map_err(|e| DiskError::io("create the folder", &all, e))?;
    let mut number = 1;
    let kept = loop {
        let kept = all.join(number.to_string());
        match fs::create_dir(&kept) {
            Ok(()) => break kept,
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => number += 1,
            Err(e) => return Err(DiskError::io("create the folder", kept, e)),
        }
    };
    for name in [header_file::FILE, EVENTS, METRICS, "end.toml"] {
        let (from, to) = (folder.join(name), kept.join(name));
        if !from.is_file() {
            continue;
        }
        let linked = how == Keep::Link && fs::hard_link(&from, &to).is_ok();
        if !linked && let Err(e) = fs::copy(&from, &to) {
            let _ = fs::remove_dir_all(&kept);
            return Err(DiskError::io("copy", from, e));
        }
    }
    Ok(())
}

/// The files of a run that has recorded nothing yet.
fn fill(folder: &Path, header: &RunHeader) -> Result<(), DiskError> {
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        fs::write(&path, bytes).map_err(|e| DiskError::io("write", path, e))
    };
    write(EVENTS, &frames::header())?;
    write(METRICS, METRICS_HEADER.as_bytes())?;
    header_file::write(folder, header)
}

/// Fills `line` with the CSV lines of a scalars event; `false` for any other event. Numbers are written with as many
/// digits as give the same bits back.
fn metric_lines(event: &Event, line: &mut String) -> bool {
    use std::fmt::Write as _;
    let Body::Scalars(values) = &event.body else { return false };
    line.clear();
    for (key, value) in values {
        // Writing to a string cannot fail.
        let _ = write!(line, "{},{:?},", event.step, event.seconds);
        if key.contains([',', '"', '\n', '\r']) {
            let _ = write!(line, "\"{}\"", key.replace('"', "\"\""));
        } else {
            line.push_str(key);
        }
        let _ = writeln!(line, ",{value:?}");
    }
    true
}

/// A small write fails where a full or read-only disk would fail later; a folder is made if there is none.
pub fn probe(root: &Path) -> Result<(), DiskError> {
    fs::create_dir_all(root).map_err(|e| DiskError::io("create the folder", root, e))?;
    let write = || disk::temporary(&root.join("probe"))?.0.write_all(&[0; 4096]);
    write().map_err(|e| DiskError::io("write in", root, e))
}
