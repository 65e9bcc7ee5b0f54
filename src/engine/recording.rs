//! Writes a run's events to its folder, and reads them back.
//!
//! Bounds. Memory: the recorder holds two write buffers of [`BUFFER`] bytes and one encoded event; the reader one
//! buffer and one event. Disk: what the lab's keys record, at their cadence in steps, plus at most
//! 1 + [`checkpoint_file::KEEP_NEWEST`] checkpoints. Loss: a killed process loses what was appended after the last
//! [`Recorder::flush`]; a checkpoint first flushes and syncs, so that everything up to its step is on disk before it.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::command::Record;
use super::event::{Body, Event, Payload, RunHeader, RunId};
use super::experiment::Checkpoint;
use super::frames::{self, Frames};
use super::run_folder::{self, DiskError, RunEnd};
use super::state::RunState;
use super::{checkpoint_file, clock};

/// Size of each write and read buffer.
const BUFFER: usize = 256 << 10;
const EVENTS: &str = "events.bin";
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
                let mut kept = run_folder::read_header(&recorder.folder)?;
                kept.steps = header.steps;
                kept.device.clone_from(&header.device);
                kept.device_check.clone_from(&header.device_check);
                kept.resumed_at = Some(step);
                run_folder::write_header(&recorder.folder, &kept)?;
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
        while let Some((_, _, event)) = frames.next().map_err(|e| DiskError::io("read", &path, e))? {
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
                let mut header = run_folder::read_header(&self.folder)?;
                header.device_check.clone_from(text);
                run_folder::write_header(&self.folder, &header)?;
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
    run_folder::write_header(folder, header)
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

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

fn open_frames(path: &Path) -> Result<(Frames<BufReader<File>>, u64), DiskError> {
    let open = || {
        let mut file = File::open(path)?;
        let size = file.metadata()?.len();
        let mut header = Vec::new();
        Read::by_ref(&mut file).take(frames::HEADER_BYTES).read_to_end(&mut header)?;
        Ok((file, size, header))
    };
    let (file, size, header) = open().map_err(|e| DiskError::io("read", path, e))?;
    frames::check_header(&header).map_err(|problem| DiskError::bad(path, problem))?;
    Ok((Frames::new(BufReader::with_capacity(BUFFER, file), size), size))
}

/// Reads a recorded run, also one that is still being written: what was flushed when it was opened.
#[derive(Debug)]
pub struct RunReader {
    folder: PathBuf,
    header: RunHeader,
    run: RunId,
    torn: Option<String>,
    payloads: File,
}

impl RunReader {
    /// Opens a run folder. Needs `run.toml` and `events.bin`; the error says which is missing or damaged.
    pub fn open(folder: &Path) -> Result<RunReader, DiskError> {
        let folder = absolute(folder);
        run_folder::recover(&folder)?;
        if !folder.is_dir() {
            return Err(DiskError::bad(folder, "there is no such run; `learnscope runs DIR` lists the recorded ones"));
        }
        if !run_folder::is_run(&folder) {
            return Err(DiskError::bad(folder, "not a recorded run: it has no run.toml and no events.bin"));
        }
        let path = folder.join(EVENTS);
        let payloads = File::open(&path).map_err(|e| DiskError::io("read", &path, e))?;
        let header = match run_folder::read_header(&folder) {
            Ok(header) => header,
            // The first event holds it too.
            Err(error) => match open_frames(&path)?.0.next() {
                Ok(Some((_, _, Event { body: Body::Started(header), .. }))) => {
                    RunHeader { folder: folder.to_string_lossy().into_owned(), ..*header }
                }
                _ => return Err(error),
            },
        };
        open_frames(&path)?;
        Ok(Self { folder, header, run: RunId(0), torn: None, payloads })
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub fn header(&self) -> &RunHeader {
        &self.header
    }

    /// The id that all events are given; a run that was resumed was written under several.
    pub fn set_run(&mut self, run: RunId) {
        self.run = run;
    }

    /// Every event from the first on. Payloads come as [`Body::Recorded`]; fetch them with [`RunReader::payload_at`].
    /// Ends at a damaged frame, see [`RunReader::damage`]; an error of the system counts as one.
    pub fn events(&mut self) -> Result<Events<'_>, DiskError> {
        let (frames, _) = open_frames(&self.folder.join(EVENTS))?;
        self.torn = None;
        Ok(Events { frames, reader: self })
    }

    /// Reads the payload that [`Body::Recorded`] names.
    pub fn payload_at(&mut self, offset: u64, bytes: u32) -> Result<Arc<Payload>, DiskError> {
        let path = || self.folder.join(EVENTS);
        let mut frame = Vec::new();
        let mut read = || {
            self.payloads.seek(SeekFrom::Start(offset))?;
            // `take` instead of a buffer of that size: a wrong number must not ask for memory.
            Read::by_ref(&mut self.payloads).take(u64::from(bytes)).read_to_end(&mut frame)
        };
        read().map_err(|e| DiskError::io("read", path(), e))?;
        match frames::decode(&frame) {
            Ok(Event { body: Body::Payload { payload, .. }, .. }) => Ok(payload),
            Ok(_) => Err(DiskError::bad(path(), format!("byte {offset} does not start a bulky value"))),
            Err(problem) => Err(DiskError::bad(path(), format!("{problem} at byte {offset}"))),
        }
    }

    /// Whether the last pass over the events met a torn or damaged frame.
    pub fn truncated(&self) -> bool {
        self.torn.is_some()
    }

    /// What the last pass over the events found damaged, in words for the user.
    pub fn damage(&self) -> Option<String> {
        let problem = self.torn.as_ref()?;
        Some(format!("`{}`: {problem}; what follows is not shown", self.folder.join(EVENTS).display()))
    }
}

/// Iterator over a recording's events, see [`RunReader::events`].
#[derive(Debug)]
pub struct Events<'a> {
    frames: Frames<BufReader<File>>,
    reader: &'a mut RunReader,
}

impl Iterator for Events<'_> {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        let (offset, bytes, mut event) = match self.frames.next() {
            Ok(Some(found)) => found,
            Ok(None) => {
                self.reader.torn = self.frames.torn().map(str::to_owned);
                return None;
            }
            Err(error) => {
                self.reader.torn = Some(format!("cannot read on after byte {}: {error}", self.frames.offset()));
                return None;
            }
        };
        event.run = self.reader.run;
        match event.body {
            Body::Payload { key, .. } => event.body = Body::Recorded { key, offset, bytes },
            // A moved folder, and what a later resumption changed.
            Body::Started(_) => event.body = Body::Started(Box::new(self.reader.header.clone())),
            _ => {}
        }
        Some(event)
    }
}

/// Everything that a recording holds, as it was shown last: all events folded in, with the newest value of each bulky
/// key. A torn tail is noted as a warning.
pub fn replay(folder: &Path) -> Result<RunState, DiskError> {
    replay_from(&mut RunReader::open(folder)?)
}

/// [`replay`] of a reader that the caller keeps for fetching past payloads.
pub fn replay_from(reader: &mut RunReader) -> Result<RunState, DiskError> {
    let mut state = RunState::default();
    for event in reader.events()? {
        state.apply(&event);
    }
    if state.header.is_none() {
        // Killed before the first flush: the header is in `run.toml`, and nothing was recorded.
        let body = Body::Started(Box::new(reader.header.clone()));
        state.apply(&Event { run: reader.run, step: 0, seconds: 0.0, body });
    }
    for track in state.payloads.values_mut() {
        if let Some(&(step, offset, bytes)) = track.recorded.last() {
            track.newest = Some((step, reader.payload_at(offset, bytes)?));
        }
    }
    if let Some(text) = reader.damage() {
        let body = Body::Notice { level: super::event::Level::Warning, text };
        state.apply(&Event { run: reader.run, step: state.step, seconds: state.seconds, body });
    }
    Ok(state)
}

/// An empty write fails where a full or read-only disk would fail later; a folder is made if there is none.
pub fn probe(root: &Path) -> Result<(), DiskError> {
    fs::create_dir_all(root).map_err(|e| DiskError::io("create the folder", root, e))?;
    let path = root.join(format!(".probe-{}", std::process::id()));
    let result: io::Result<()> = fs::write(&path, b"x");
    let _ = fs::remove_file(&path);
    result.map_err(|e| DiskError::io("write in", root, e))
}
