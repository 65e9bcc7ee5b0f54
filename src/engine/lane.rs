//! The worker's side of the channels: numbers its events, records them, batches them, and never gets trapped by a
//! consumer that does not listen.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam::channel::{Receiver, Sender, TryRecvError, TrySendError};

use super::command::{Command, Record};
use super::emit::Emission;
use super::event::{Body, Event, Level, RunHeader, RunId, Status};
use super::experiment::Checkpoint;
use super::mailbox::{Letter, Mailbox};
use super::params::Value;
use super::recording::{Recorder, RunReader};
use super::worker::Wake;

/// Longest time that a measured event waits for its batch to leave; also the shortest between two wake-ups.
const BATCH_TIME: Duration = Duration::from_millis(16);
/// Most events in a batch.
const BATCH_SIZE: usize = 1_024;
/// Events that pile up here while the consumer does not drain the channel (a minimised window), before the worker
/// waits for it. About 50 MB.
const BACKLOG: usize = 262_144;
/// Longest time that a recorded event waits in memory.
const FLUSH_TIME: Duration = Duration::from_millis(200);

/// What the worker was started with.
pub(super) struct Outlets {
    pub inbox: Receiver<Command>,
    pub outbox: Sender<Vec<Event>>,
    pub mailbox: Arc<Mailbox>,
    pub wake: Wake,
    pub watched: bool,
}

/// The channels of one run.
pub(super) struct Lane<'a> {
    run: RunId,
    outlets: &'a Outlets,
    recorder: Option<Recorder>,
    started: Instant,
    batch: Vec<Event>,
    sent: Instant,
    flushed: Instant,
    step: u64,
    /// Commands that arrived while the worker waited for room.
    waiting: VecDeque<Command>,
    /// The run's last event is in the batch: it must be delivered.
    over: bool,
}

impl<'a> Lane<'a> {
    pub fn new(run: RunId, outlets: &'a Outlets) -> Self {
        let now = Instant::now();
        Self {
            run,
            outlets,
            recorder: None,
            started: now,
            batch: Vec::new(),
            sent: now,
            flushed: now,
            step: 0,
            waiting: VecDeque::new(),
            over: false,
        }
    }

    pub fn watched(&self) -> bool {
        self.outlets.watched
    }

    pub fn is_recording(&self) -> bool {
        self.recorder.is_some()
    }

    /// Opens the recording and sends the run's first event. A recording that cannot be opened does not keep the run
    /// from going on; the user is told.
    pub fn begin(&mut self, record: &Record, mut header: RunHeader) {
        let problem = match Recorder::create(record, &mut header) {
            Ok(recorder) => {
                self.recorder = recorder;
                None
            }
            Err(error) => Some(error.to_string()),
        };
        let resumed = self.recorder.as_ref().and_then(Recorder::resumed).cloned();
        // A resumed run's clock goes on where its recording ended.
        let before = resumed.as_ref().map_or(0.0, |resumed| resumed.seconds);
        let before = Duration::try_from_secs_f64(before).unwrap_or_default();
        self.started = self.started.checked_sub(before).unwrap_or(self.started);
        let step = header.resumed_at.unwrap_or(0);
        self.emit(step, Body::Started(Box::new(header)));
        if let Record::Resume(folder) = record {
            self.retell(folder);
        }
        for warning in resumed.map(|resumed| resumed.warnings).unwrap_or_default() {
            self.notice(step, Level::Warning, warning);
        }
        if let Some(problem) = problem {
            self.notice(step, Level::Error, format!("{problem}. The run goes on without being recorded"));
        }
    }

    /// Sends what the resumed run recorded before, so that every consumer has its whole history.
    fn retell(&mut self, folder: &Path) {
        // What cannot be read was reported when the recording was opened.
        let Ok(mut reader) = RunReader::open(folder) else { return };
        let Ok(events) = reader.events() else { return };
        for event in events {
            if !matches!(event.body, Body::Started(_) | Body::Status(_)) {
                self.push(Event { run: self.run, ..event });
            }
        }
    }

    pub fn status(&mut self, step: u64, status: Status) {
        self.emit(step, Body::Status(status));
        self.flush();
    }

    pub fn notice(&mut self, step: u64, level: Level, text: String) {
        self.emit(step, Body::Notice { level, text });
    }

    pub fn changed(&mut self, step: u64, key: &str, from: Value, to: Value) {
        self.emit(step, Body::Changed { key: key.to_owned(), from, to });
    }

    pub fn device_checked(&mut self, text: String) {
        self.emit(0, Body::DeviceChecked { text });
    }

    /// Sends what a step reported.
    pub fn publish(&mut self, step: u64, emission: Emission) {
        self.step = step;
        for body in emission.bodies {
            self.emit(step, body);
        }
        for emitted in emission.payloads {
            if self.outlets.watched {
                self.outlets.mailbox.put(Letter {
                    run: self.run,
                    step,
                    key: emitted.key.clone(),
                    payload: emitted.payload.clone(),
                });
            }
            if emitted.record {
                let event = self.event(step, Body::Payload { key: emitted.key.clone(), payload: emitted.payload });
                if let Some((offset, bytes)) = self.record(&event) {
                    self.push(Event { body: Body::Recorded { key: emitted.key, offset, bytes }, ..event });
                } else if !self.outlets.watched {
                    // A headless consumer without a recording still gets what would be on disk.
                    self.push(event);
                }
            }
        }
        if self.sent.elapsed() >= BATCH_TIME {
            self.flush();
        }
    }

    /// Writes a checkpoint; a failure is told and does not end the run.
    pub fn checkpoint(&mut self, checkpoint: &Checkpoint) {
        let Some(recorder) = &mut self.recorder else { return };
        match recorder.checkpoint(checkpoint) {
            Ok(file) => self.emit(checkpoint.step, Body::Checkpoint { file }),
            Err(error) => self.notice(checkpoint.step, Level::Error, format!("no checkpoint was written: {error}")),
        }
    }

    /// The next command: waits for one if `wait`, and counts a consumer that went away as a shutdown.
    pub fn command(&mut self, wait: bool) -> Option<Command> {
        if let Some(command) = self.waiting.pop_front() {
            return Some(command);
        }
        if wait {
            self.flush();
            return Some(self.outlets.inbox.recv().unwrap_or(Command::Shutdown));
        }
        match self.outlets.inbox.try_recv() {
            Ok(command) => Some(command),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => Some(Command::Shutdown),
        }
    }

    /// Sends the run's last event; hands back commands that are still to be carried out.
    pub fn end(mut self, status: Status) -> VecDeque<Command> {
        let step = self.step;
        self.over = true;
        self.emit(step, Body::Status(status));
        self.flush();
        self.waiting
    }

    fn event(&self, step: u64, body: Body) -> Event {
        Event { run: self.run, step, seconds: self.started.elapsed().as_secs_f64(), body }
    }

    fn emit(&mut self, step: u64, body: Body) {
        self.step = self.step.max(step);
        let event = self.event(step, body);
        self.record(&event);
        self.push(event);
    }

    /// Writes an event to the recording. A recording that fails is given up, loudly; the run goes on.
    fn record(&mut self, event: &Event) -> Option<(u64, u32)> {
        let problem = match self.recorder.as_mut()?.append(event) {
            Ok(place) => return place,
            Err(error) => error.to_string(),
        };
        self.recorder = None;
        let text = format!("{problem}. Recording has stopped; the run goes on without it");
        let notice = self.event(event.step, Body::Notice { level: Level::Error, text });
        self.push(notice);
        None
    }

    fn push(&mut self, event: Event) {
        self.batch.push(event);
        if self.batch.len().is_multiple_of(BATCH_SIZE) {
            self.flush();
        }
    }

    /// Sends the batch. While the consumer has no room, commands are still taken in, so that Stop always arrives.
    fn flush(&mut self) {
        if self.flushed.elapsed() >= FLUSH_TIME || self.batch.iter().any(|event| matches!(event.body, Body::Status(_)))
        {
            self.flushed = Instant::now();
            let problem = self.recorder.as_mut().and_then(|recorder| recorder.flush().err());
            if let Some(problem) = problem {
                self.recorder = None;
                let text = format!("{problem}. Recording has stopped; the run goes on without it");
                let notice = self.event(self.step, Body::Notice { level: Level::Error, text });
                self.batch.push(notice);
            }
        }
        self.sent = Instant::now();
        while !self.batch.is_empty() {
            match self.outlets.outbox.try_send(std::mem::take(&mut self.batch)) {
                // A consumer that is gone is noticed where commands are taken.
                Ok(()) | Err(TrySendError::Disconnected(_)) => {}
                Err(TrySendError::Full(batch)) => {
                    self.batch = batch;
                    (self.outlets.wake)();
                    if self.batch.len() < BACKLOG && !self.over {
                        return;
                    }
                    // Wait for room OR a command, so that Stop always arrives.
                    if let Ok(command) = self.outlets.inbox.recv_timeout(Duration::from_millis(5)) {
                        self.waiting.push_back(command);
                    }
                    if self.waiting.iter().any(|command| matches!(command, Command::Shutdown)) {
                        return;
                    }
                }
            }
        }
        (self.outlets.wake)();
    }
}
