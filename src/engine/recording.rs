//! Writes a run's events to its folder. [`super::replay`] reads them back.
//!
//! Bounds. Memory: the recorder holds two write buffers of [`BUFFER`] bytes and one encoded event; the reader one
//! buffer and one event. Disk: what the lab's keys record, at their cadence in steps, plus at most
//! 1 + [`checkpoint_file::KEEP_NEWEST`] checkpoints. Loss: a killed process loses what was appended after the last
//! [`Recorder::flush`]; a checkpoint first flushes and syncs, so that everything up to its step is on disk before it.

use std::fs::{self, File};
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::command::Record;
use super::event::{Body, Event, RunHeader};
use super::experiment::Checkpoint;
use super::replay::{absolute, open_frames};
use super::run_folder::{self, DiskError, RunEnd};
use super::{checkpoint_file, clock, frames, header_file};

pub use super::replay::{Events, RunReader, replay, replay_from};

/// Size of each write and read buffer.
pub(super) const BUFFER: usize = 256 << 10;
pub(super) const EVENTS: &str = "events.bin";
const METRICS: &str = "metrics.csv";
const METRICS_HEADER: &str = "step,seconds,key,value\n";

/// Records one run. Dropping it flushes what it can and frees the folder for another writer.
#[derive(Debug)]
pub struct Recorder {
    folder: PathBuf,
    events: BufWriter<File>,
    /// Where the next frame starts.
    offset: u64,
    metrics: BufWriter<File>,
    /// The frame being encoded; kept to spare an allocation for each event.
    frame: Vec<u8>,
    line: String,
    resumed: Option<Resumed>,
    _lock: Option<File>,
}

/// What a resumed recording already holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Resumed {
    /// Step of the checkpoint; everything after it was cut off.
    pub step: u64,
    /// Seconds at the last event that was kept: the run's clock should go on from here.
    pub seconds: f64,
    /// What was found damaged, in words for the user.
    pub warnings: Vec<String>,
}

impl Recorder {
    /// Opens the recording that `record` asks for; `None` for [`Record::No`]. Fills in `header.folder` and an empty
    /// `header.started`. [`Record::Resume`] needs `header.resumed_at`, the step of the checkpoint.
    pub fn create(record: &Record, header: &mut RunHeader) -> Result<Option<Recorder>, DiskError> {
        if header.started.is_empty() {
            header.started = clock::utc_now();
        }
        let recorder = match record {
            Record::No => return Ok(None),
            Record::New(root) => {
                let folder = run_folder::create_new(&absolute(root), header)?;
                fill(&folder, header)?;
                Self::reopen(&folder)?
            }
            Record::Replace(folder) => {
                let folder = absolute(folder);
                run_folder::replace(&folder, |fresh| fill(fresh, header))?;
                Self::reopen(&folder)?
            }
            Record::Resume(folder) => {
                let Some(step) = header.resumed_at else {
                    return Err(DiskError::bad(folder, "resuming needs the step of a checkpoint"));
                };
                let recorder = Self::resume(&absolute(folder), step)?;
                // What defined the run stays as it was; what may differ now is noted.
                let mut kept = header_file::read(&recorder.folder)?;
                kept.steps = header.steps;
                kept.device.clone_from(&header.device);
                kept.device_check.clone_from(&header.device_check);
                kept.resumed_at = Some(step);
                header_file::write(&recorder.folder, &kept)?;
                header.started = kept.started;
                recorder
            }
        };
        header.folder = recorder.folder.to_string_lossy().into_owned();
        Ok(Some(recorder))
    }

    /// Opens the recording of an earlier run and cuts it back to the events at or before `step`, so that the numbers of
    /// the resumed run equal an unbroken run's. `metrics.csv` is derived anew from the events. Checkpoints after `step`
    /// belong to a future that is given up (or are damaged); they are set aside under another name.
    pub fn resume(folder: &Path, step: u64) -> Result<Recorder, DiskError> {
        let lock = run_folder::lock(folder)?;
        let path = folder.join(EVENTS);
        let (mut frames, _) = open_frames(&path)?;
        let mut resumed = Resumed { step, seconds: 0.0, warnings: Vec::new() };
        let mut cut = frames::HEADER_BYTES;
        let mut reached = 0;
        let metrics_path = folder.join(METRICS);
        let temporary = folder.join("metrics.csv.tmp");
        let io = |e| DiskError::io("write", &temporary, e);
        let mut metrics = BufWriter::with_capacity(BUFFER, File::create(&temporary).map_err(io)?);
        metrics.write_all(METRICS_HEADER.as_bytes()).map_err(io)?;
        let mut line = String::new();
        while let Some((_, _, event)) = frames.read().map_err(|e| DiskError::io("read", &path, e))? {
            reached = event.step;
            if event.step > step {
                break;
            }
            cut = frames.offset();
            resumed.seconds = resumed.seconds.max(event.seconds);
            if metric_lines(&event, &mut line) {
                metrics.write_all(line.as_bytes()).map_err(io)?;
            }
        }
        if let (Some(problem), true) = (frames.torn(), reached < step) {
            resumed.warnings.push(format!(
                "`{}`: {problem}; the numbers between step {reached} and the checkpoint at step {step} are lost",
                path.display()
            ));
        }
        metrics.flush().map_err(io)?;
        fs::rename(&temporary, &metrics_path).map_err(|e| DiskError::io("write", &metrics_path, e))?;
        let events = File::options().write(true).open(&path).map_err(|e| DiskError::io("write to", &path, e))?;
        events.set_len(cut).map_err(|e| DiskError::io("cut", &path, e))?;
        for (_, late) in checkpoint_file::list(folder).iter().filter(|(at, _)| *at > step) {
            let aside = late.with_extension("safetensors.aside");
            fs::rename(late, aside).map_err(|e| DiskError::io("set aside", late, e))?;
        }
        run_folder::write_end(folder, None)?;
        Self::open_locked(folder.to_owned(), lock, Some(resumed))
    }

    /// Goes on at the end of an intact recording, without cutting anything.
    pub fn reopen(folder: &Path) -> Result<Self, DiskError> {
        let lock = run_folder::lock(folder)?;
        Self::open_locked(folder.to_owned(), lock, None)
    }

    fn open_locked(folder: PathBuf, lock: Option<File>, resumed: Option<Resumed>) -> Result<Self, DiskError> {
        let append = |name: &str| {
            let path = folder.join(name);
            let open = || {
                let mut file = File::options().append(true).open(&path)?;
                let end = file.seek(SeekFrom::End(0))?;
                Ok((BufWriter::with_capacity(BUFFER, file), end))
            };
            open().map_err(|e| DiskError::io("write to", &path, e))
        };
        let (events, offset) = append(EVENTS)?;
        let (metrics, _) = append(METRICS)?;
        let (frame, line) = (Vec::new(), String::new());
        Ok(Self { folder, events, offset, metrics, frame, line, resumed, _lock: lock })
    }

    /// The run folder, absolute.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What a resumed recording already held; `None` for a new one.
    pub fn resumed(&self) -> Option<&Resumed> {
        self.resumed.as_ref()
    }

    /// Appends one event. For a payload: the offset and the size of its frame, as [`Body::Recorded`] names them.
    ///
    /// A resumed recording keeps its first `Started` event, so another one is not written. [`Body::Recorded`] is never
    /// written: the payload's own frame stands for it. After an error the recording is unusable; drop it.
    pub fn append(&mut self, event: &Event) -> Result<Option<(u64, u32)>, DiskError> {
        let path = || self.folder.join(EVENTS);
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
        encoded.map_err(|problem| DiskError::bad(path(), problem))?;
        self.events.write_all(&self.frame).map_err(|e| DiskError::io("write to", path(), e))?;
        let place = (self.offset, self.frame.len() as u32);
        self.offset += self.frame.len() as u64;
        // A rare large event must not keep its memory for the rest of the run.
        self.frame.shrink_to(BUFFER);
        if metric_lines(event, &mut self.line) {
            let written = self.metrics.write_all(self.line.as_bytes());
            written.map_err(|e| DiskError::io("write to", self.folder.join(METRICS), e))?;
        }
        match &event.body {
            Body::Status(status) => {
                if let Some(end) = RunEnd::of(status, event.step, event.seconds) {
                    self.flush()?;
                    run_folder::write_end(&self.folder, Some(&end))?;
                }
            }
            Body::DeviceChecked { text } => {
                let mut header = header_file::read(&self.folder)?;
                header.device_check.clone_from(text);
                header_file::write(&self.folder, &header)?;
            }
            _ => {}
        }
        Ok(matches!(event.body, Body::Payload { .. }).then_some(place))
    }

    /// Hands everything appended so far to the operating system: a killed process no longer loses it.
    pub fn flush(&mut self) -> Result<(), DiskError> {
        self.events.flush().map_err(|e| DiskError::io("write to", self.folder.join(EVENTS), e))?;
        self.metrics.flush().map_err(|e| DiskError::io("write to", self.folder.join(METRICS), e))
    }

    /// Writes a checkpoint and returns its file name relative to the run folder. Every event up to its step must have
    /// been appended; they are flushed and synced first, so that a checkpoint never outruns the events.
    pub fn checkpoint(&mut self, checkpoint: &Checkpoint) -> Result<String, DiskError> {
        self.flush()?;
        self.events.get_ref().sync_data().map_err(|e| DiskError::io("write to", self.folder.join(EVENTS), e))?;
        checkpoint_file::write(&self.folder, checkpoint)
    }
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

/// An empty write fails where a full or read-only disk would fail later; a folder is made if there is none.
pub fn probe(root: &Path) -> Result<(), DiskError> {
    fs::create_dir_all(root).map_err(|e| DiskError::io("create the folder", root, e))?;
    let path = root.join(format!(".probe-{}", std::process::id()));
    let result: io::Result<()> = fs::write(&path, b"x");
    let _ = fs::remove_file(&path);
    result.map_err(|e| DiskError::io("write in", root, e))
}
