//! Reads a recorded run back: event by event, a single bulky value, or everything folded into a [`RunState`].

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::event::{Body, Event, Level, Payload, RunHeader, RunId};
use super::frames::{self, Frames};
use super::header_file;
use super::params::ParamSpec;
use super::recording::{BUFFER, EVENTS};
use super::run_folder::{self, DiskError};
use super::state::RunState;

pub(super) fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

pub(super) fn open_frames(path: &Path) -> Result<(Frames<BufReader<File>>, u64), DiskError> {
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
        let header = match header_file::read(&folder) {
            Ok(header) => header,
            // The first event holds it too.
            Err(error) => match open_frames(&path)?.0.read() {
                Ok(Some((_, _, Event { body: Body::Started(header), .. }))) => {
                    RunHeader { folder: folder.to_string_lossy().into_owned(), ..*header }
                }
                _ => return Err(error),
            },
        };
        open_frames(&path)?;
        Ok(Self { folder, header, run: RunId(0), torn: None, payloads })
    }

    /// Gives every parameter that the header lacks, or holds with a value that it cannot have, its default: a recording of
    /// another version, or one that was edited, can then be shown.
    pub fn complete(&mut self, specs: &[ParamSpec]) {
        for spec in specs {
            if self.header.params.get(spec.key).is_none_or(|value| spec.check(value).is_err()) {
                self.header.params.put(spec.key, spec.default.into());
            }
        }
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
        let (offset, bytes, mut event) = match self.frames.read() {
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
        let body = Body::Notice { level: Level::Warning, text };
        state.apply(&Event { run: reader.run, step: state.step, seconds: state.seconds, body });
    }
    Ok(state)
}
