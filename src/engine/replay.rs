//! Reads a recorded run back: event by event, a single bulky value, or everything folded into a [`RunState`].

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::event::{Body, Event, Level, Payload, RunHeader, RunId};
use super::frames::{self, Frames};
use super::header_file::{self, Seal};
use super::params::{self, ParamError, ParamSpec, Value};
use super::recording::{BUFFER, EVENTS};
use super::run_folder::{self, DiskError};
use super::state::RunState;
use super::twin;
use crate::disk;

pub(super) fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

pub(super) fn open_frames(path: &Path) -> Result<Frames<BufReader<File>>, DiskError> {
    let open = || {
        let mut file = disk::open(path)?;
        let size = file.metadata()?.len();
        let mut header = Vec::new();
        Read::by_ref(&mut file).take(frames::HEADER_BYTES).read_to_end(&mut header)?;
        Ok((file, size, header))
    };
    let (file, size, header) = open().map_err(|e| DiskError::io("read", path, e))?;
    frames::check_header(&header).map_err(|problem| DiskError::bad(path, problem))?;
    Ok(Frames::new(BufReader::with_capacity(BUFFER, file), size))
}

/// The description of a run, wherever a good one is left.
#[derive(Debug)]
pub(super) struct Known {
    pub header: RunHeader,
    /// Why `run.toml` is not what is shown, in words for the user.
    pub warning: Option<String>,
    /// `run.toml` was changed or belongs to another run: what is recorded may be shown, but not continued.
    pub refusal: Option<String>,
}

/// Reads `run.toml` and the description in the first event, which has a checksum of its own, and holds them against each
/// other: files of two runs, or one that was changed later, must not pass for a run.
pub(super) fn describe(folder: &Path) -> Result<Known, DiskError> {
    let path = folder.join(header_file::FILE);
    let events = folder.join(EVENTS);
    let described = header_file::describe(folder);
    let first = open_frames(&events).and_then(|mut frames| match frames.read() {
        Ok(Some((frames::HEADER_BYTES, _, Event { body: Body::Started(header), .. }))) => {
            Ok(Some(RunHeader { folder: folder.to_string_lossy().into_owned(), ..*header }))
        }
        Ok(_) => Ok(None),
        Err(error) => Err(DiskError::io("read", &events, error)),
    });
    let recorded = match (first, &described) {
        (Ok(recorded), _) => recorded,
        (Err(_), Ok(_)) => None,
        (Err(error), Err(_)) => return Err(error),
    };
    let (described, recorded) = match (described, recorded) {
        (Ok(described), Some(recorded)) => (described, recorded),
        (Ok(described), None) => {
            let refusal = (described.seal == Seal::Broken).then(|| {
                format!("`{}` does not match its checksum: it was changed or is damaged; put it back", path.display())
            });
            return Ok(Known { header: described.header, warning: refusal.clone(), refusal });
        }
        (Err(error), Some(recorded)) => {
            let warning = format!("{error}; what {EVENTS} says of the run is used");
            let refusal = path.exists().then(|| {
                format!("{error}. Put the file back, or remove it, and what {EVENTS} says of the run takes its place")
            });
            return Ok(Known { header: recorded, warning: Some(warning), refusal });
        }
        (Err(error), None) => return Err(error),
    };
    let whole = described.seal == Seal::Broken;
    let differences = header_file::differences(&described.header, &recorded, whole).join(", ");
    if described.seal == Seal::Whole && !differences.is_empty() {
        return Err(DiskError::bad(
            folder,
            format!("its {EVENTS} and its run.toml belong to two runs: {differences}. Put back the right one"),
        ));
    }
    if described.seal == Seal::Broken || !differences.is_empty() {
        let what = if differences.is_empty() { String::new() } else { format!(": {differences}") };
        let warning = format!(
            "`{}` was changed after it was written{what}. What was recorded is used; put the file back, or remove it, and \
             what {EVENTS} says of the run takes its place",
            path.display()
        );
        return Ok(Known { header: recorded, warning: Some(warning.clone()), refusal: Some(warning) });
    }
    Ok(Known { header: described.header, warning: None, refusal: None })
}

/// Reads a recorded run, also one that is still being written: what was flushed when it was opened.
#[derive(Debug)]
pub struct RunReader {
    folder: PathBuf,
    header: RunHeader,
    run: RunId,
    warning: Option<String>,
    refusal: Option<String>,
    damage: Option<(u64, String)>,
    /// What the parameters may be, where the lab is known; what cannot be is left out and told.
    specs: Option<&'static [ParamSpec]>,
    impossible: Option<String>,
    payloads: File,
}

/// Whether a parameter of the run or of its twin can have a value.
fn can_be(specs: &[ParamSpec], key: &str, value: &Value) -> Result<(), ParamError> {
    params::find(specs, twin::plain(key))?.check(value)
}

impl RunReader {
    /// Opens a run folder. Needs `run.toml` and `events.bin`; the error says which is missing or damaged.
    pub fn open(folder: &Path) -> Result<RunReader, DiskError> {
        let folder = absolute(folder);
        if !folder.is_dir() {
            return Err(DiskError::bad(folder, "there is no such run; `learnscope runs DIR` lists the recorded ones"));
        }
        if !run_folder::is_run(&folder) {
            return Err(DiskError::bad(folder, "not a recorded run: it has no run.toml and no events.bin"));
        }
        let Known { header, warning, refusal } = describe(&folder)?;
        let path = folder.join(EVENTS);
        open_frames(&path)?;
        let payloads = disk::open(&path).map_err(|e| DiskError::io("read", &path, e))?;
        Ok(Self {
            folder,
            header,
            run: RunId(0),
            warning,
            refusal,
            damage: None,
            specs: None,
            impossible: None,
            payloads,
        })
    }

    /// Why the run can be shown but not continued: its description was changed.
    pub fn refusal(&self) -> Option<&str> {
        self.refusal.as_deref()
    }

    /// Gives every parameter that the header lacks, or holds with a value that it cannot have, its default: a recording of
    /// another version, or one that was edited, can then be shown. Changes to what a parameter cannot be are left out.
    pub fn complete(&mut self, specs: &'static [ParamSpec]) {
        self.specs = Some(specs);
        self.header.changes.retain(|change| can_be(specs, &change.key, &change.value).is_ok());
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

    /// Every event, a `Started` one first. Payloads come as [`Body::Recorded`]; fetch them with [`RunReader::payload_at`].
    /// Damaged ones are left out, see [`RunReader::damage`], and with them every later row of a table, whose place in it
    /// can no longer be told; an error of the system ends the events and counts as damage.
    pub fn events(&mut self) -> Result<Events<'_>, DiskError> {
        let frames = open_frames(&self.folder.join(EVENTS))?;
        (self.damage, self.impossible) = (None, None);
        Ok(Events { frames, first: true, last: 0, next: None, reader: self })
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

    /// Where the first damage starts that the last pass over the events found.
    pub fn damaged_at(&self) -> Option<u64> {
        self.damage.as_ref().map(|(at, _)| *at)
    }

    /// Why `run.toml` is not what is shown.
    pub fn warning(&self) -> Option<&str> {
        self.warning.as_deref()
    }

    /// What opening and the last pass over the events found damaged, in words for the user.
    pub fn damage(&self) -> Option<String> {
        let events = self.damage.as_ref().map(|(_, problem)| {
            format!("`{}`: {problem}; what is damaged is not shown", self.folder.join(EVENTS).display())
        });
        let found: Vec<String> = self.warning.iter().chain(&self.impossible).cloned().chain(events).collect();
        (!found.is_empty()).then(|| found.join(". "))
    }
}

/// Iterator over a recording's events, see [`RunReader::events`].
#[derive(Debug)]
pub struct Events<'a> {
    frames: Frames<BufReader<File>>,
    /// Nothing was given yet.
    first: bool,
    /// Where the last event's frame starts.
    last: u64,
    /// The event behind the first one.
    next: Option<Event>,
    reader: &'a mut RunReader,
}

impl Events<'_> {
    /// Where the frame of the last event starts.
    pub fn offset(&self) -> u64 {
        self.last
    }

    fn read(&mut self) -> Option<Event> {
        loop {
            let found = self.frames.read();
            self.reader.damage = self.frames.damage().map(|(at, problem)| (at, problem.to_owned()));
            let (offset, bytes, mut event) = match found {
                Ok(found) => found?,
                Err(error) => {
                    let at = self.frames.offset();
                    let problem = format!("cannot read on after byte {at}: {error}");
                    self.reader.damage.get_or_insert((at, problem));
                    return None;
                }
            };
            self.last = offset;
            event.run = self.reader.run;
            match event.body {
                Body::Payload { key, .. } => event.body = Body::Recorded { key, offset, bytes },
                // A moved folder, and what a later resumption changed.
                Body::Started(_) => event.body = Body::Started(Box::new(self.reader.header.clone())),
                Body::Rows { .. } if self.frames.has_hole() => continue,
                Body::Changed { ref key, ref to, .. } => {
                    let refused = self.reader.specs.and_then(|specs| can_be(specs, key, to).err());
                    if let Some(error) = refused {
                        let events = self.reader.folder.join(EVENTS);
                        let text = format!(
                            "`{}`: a change at step {} is left out, as no run can have made it: {error}",
                            events.display(),
                            event.step
                        );
                        self.reader.impossible.get_or_insert(text);
                        continue;
                    }
                }
                _ => {}
            }
            return Some(event);
        }
    }
}

impl Iterator for Events<'_> {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        if std::mem::take(&mut self.first) {
            // Killed before the first flush, or damaged at its very beginning: the description is in `run.toml` too.
            let first = self.read();
            if first.as_ref().is_some_and(|event| matches!(event.body, Body::Started(_))) {
                return first;
            }
            self.next = first;
            let body = Body::Started(Box::new(self.reader.header.clone()));
            return Some(Event { run: self.reader.run, step: 0, seconds: 0.0, body });
        }
        self.next.take().or_else(|| self.read())
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
