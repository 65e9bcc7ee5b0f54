//! The worker's side of the channels: numbers its events, records them, batches them, and never gets trapped by a
//! consumer that does not listen.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam::channel::{Receiver, RecvError, Sender, TryRecvError, TrySendError, never};

use super::command::{Command, Record};
use super::emit::Emission;
use super::event::{Body, Event, Level, RunHeader, RunId, Status};
use super::experiment::{Checkpoint, RunError};
use super::mailbox::{Letter, Mailbox};
use super::params::{ParamSpec, Value};
use super::recording::{Opening, Recorder, RunReader};
use super::run_folder::DiskError;
use super::worker::Wake;

/// Longest time that a measured event waits for its batch to leave; also the shortest between two wake-ups.
const BATCH_TIME: Duration = Duration::from_millis(16);
/// Most events in a batch.
const BATCH_SIZE: usize = 1_024;
/// Events that pile up here while the consumer does not drain the channel (a minimised window), before the worker
/// waits for it. About 50 MB.
const BACKLOG: usize = 262_144;
/// Longest time that a recorded event waits in memory while steps are fast.
const FLUSH_TIME: Duration = Duration::from_millis(200);
/// After a step that took so long nothing waits: handing a few events over costs some ten microseconds, and the next step
/// may take any time.
const SLOW_STEP: Duration = Duration::from_millis(2);
/// How often a disk that took nothing is tried again.
const RETRY_TIME: Duration = Duration::from_millis(250);
/// How long a run that nobody watches waits for a disk that takes nothing; one in the window waits for its user.
const DISK_PATIENCE: Duration = Duration::from_secs(30);
/// Time between two words on how far something is, and before the first.
const PROGRESS_TIME: Duration = Duration::from_millis(100);
/// How long the end of a run waits for such a disk when something else is asked for.
const LAST_PATIENCE: Duration = Duration::from_secs(2);

/// What the worker was started with.
pub(super) struct Outlets {
    pub inbox: Receiver<Command>,
    pub outbox: Sender<Vec<Event>>,
    pub mailbox: Arc<Mailbox>,
    pub wake: Wake,
    pub watched: bool,
}

/// Something that may take long, and when it was last told of.
pub(super) struct Wait {
    since: Instant,
    told: Instant,
}

impl Wait {
    pub fn new() -> Self {
        let now = Instant::now();
        Self { since: now, told: now }
    }

    /// Whether somebody who looks on wants to know what goes on.
    pub fn is_long(&self) -> bool {
        self.since.elapsed() >= PROGRESS_TIME
    }
}

/// The channels of one run.
pub(super) struct Lane<'a> {
    run: RunId,
    outlets: &'a Outlets,
    recorder: Option<Recorder>,
    /// A recording that is opened once everything is built, and what happened until then.
    opening: Option<(Opening, RunHeader)>,
    early: Vec<Event>,
    started: Instant,
    batch: Vec<Event>,
    sent: Instant,
    flushed: Instant,
    settled: Instant,
    step: u64,
    /// Commands that arrived before the run or while the worker could not carry them out.
    waiting: VecDeque<Command>,
    /// Its first event is out: whoever looks on knows of the run.
    known: bool,
    /// The run's last event is in the batch: it must be delivered.
    over: bool,
}

impl<'a> Lane<'a> {
    pub fn new(run: RunId, outlets: &'a Outlets, waiting: VecDeque<Command>) -> Self {
        let now = Instant::now();
        Self {
            run,
            outlets,
            recorder: None,
            opening: None,
            early: Vec::new(),
            started: now,
            batch: Vec::new(),
            sent: now,
            flushed: now,
            settled: now,
            step: 0,
            waiting,
            known: false,
            over: false,
        }
    }

    pub fn watched(&self) -> bool {
        self.outlets.watched
    }

    pub fn is_recording(&self) -> bool {
        self.recorder.is_some()
    }

    /// Tells of a run whose data are still to be read, if nothing was told of it so far.
    pub fn announce(&mut self, header: impl FnOnce() -> RunHeader) {
        if !std::mem::replace(&mut self.known, true) {
            self.emit(0, Body::Announced(Box::new(header())));
            self.status(0, Status::Building);
        }
    }

    /// Waits for `done`, at most [`PROGRESS_TIME`] or until a command comes; what comes after one that ends the run is left
    /// to what follows it.
    pub fn wait_for<T>(&mut self, done: &Receiver<T>) -> Option<Result<T, RecvError>> {
        let inbox = if self.ends_soon() { &never() } else { &self.outlets.inbox };
        crossbeam::select! {
            recv(done) -> found => return Some(found),
            recv(inbox) -> command => self.waiting.push_back(command.unwrap_or(Command::Shutdown)),
            default(PROGRESS_TIME) => {}
        }
        None
    }

    /// Tells how far something is that takes long, and takes in what is asked meanwhile; `false`: something that ends the run.
    /// What is done at once is neither told nor stopped.
    pub fn goes_on(&mut self, step: u64, status: Status, wait: &mut Wait) -> bool {
        while !self.ends_soon() {
            match self.outlets.inbox.try_recv() {
                Ok(command) => self.waiting.push_back(command),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => self.waiting.push_back(Command::Shutdown),
            }
        }
        if wait.told.elapsed() >= PROGRESS_TIME {
            wait.told = Instant::now();
            self.status(step, status);
        }
        !(wait.is_long() && self.ends_soon())
    }

    /// Checks the recording and sends the run's first recorded event. What exists already is opened for writing only by
    /// [`Lane::open`], when everything is built: until then nothing of it changes. A new recording that cannot be made
    /// does not keep a run in the window from going on, and its user is told; any other run ends at once.
    pub fn begin(
        &mut self,
        record: &Record,
        specs: &'static [ParamSpec],
        mut header: RunHeader,
    ) -> Result<(), RunError> {
        self.known = true;
        let opening = Recorder::prepare(record, &mut header);
        let resumed = opening.as_ref().ok().and_then(|opening| opening.as_ref()?.resumed().cloned());
        // A resumed run's clock goes on where its recording ended.
        let before = resumed.as_ref().map_or(0.0, |resumed| resumed.seconds);
        let before = Duration::try_from_secs_f64(before).unwrap_or_default();
        self.started = self.started.checked_sub(before).unwrap_or(self.started);
        let step = header.resumed_at.unwrap_or(0);
        let opening = opening.map(|opening| {
            self.opening = opening.map(|opening| (opening, header.clone()));
            self.early.clear();
        });
        let is_new = matches!(record, Record::New(_));
        let opened = if is_new && opening.is_ok() { self.open() } else { Ok(()) };
        self.emit(step, Body::Started(Box::new(header)));
        if let (Record::Resume(folder), Some(resumed)) = (record, &resumed) {
            self.retell(folder, specs, resumed.kept);
        }
        for warning in resumed.map(|resumed| resumed.warnings).unwrap_or_default() {
            self.notice(step, Level::Warning, warning);
        }
        opened?;
        match opening {
            Ok(()) => Ok(()),
            Err(problem) => self.unrecorded(step, &problem, matches!(record, Record::Resume(_) | Record::Restart(_))),
        }
    }

    /// Opens the recording for writing, now that everything is built.
    pub fn open(&mut self) -> Result<(), RunError> {
        let Some((opening, header)) = self.opening.take() else { return Ok(()) };
        let goes_on = opening.resumed().is_some();
        match opening.open(&header) {
            Ok(recorder) => {
                self.recorder = Some(recorder);
                for event in std::mem::take(&mut self.early) {
                    self.record(&event);
                }
                Ok(())
            }
            Err(problem) => self.unrecorded(self.step, &problem, goes_on),
        }
    }

    /// A run that cannot be recorded: refused where nobody watches, or where it goes on from a recording.
    fn unrecorded(&mut self, step: u64, problem: &DiskError, goes_on: bool) -> Result<(), RunError> {
        self.early.clear();
        if goes_on || !self.outlets.watched {
            return Err(RunError::Recording(problem.to_string()));
        }
        self.notice(step, Level::Error, format!("{problem}. The run goes on without being recorded"));
        Ok(())
    }

    /// Sends what the resumed run recorded before, so that every consumer has its whole history.
    fn retell(&mut self, folder: &Path, specs: &'static [ParamSpec], kept: u64) {
        // What cannot be read was reported when the recording was opened.
        let Ok(mut reader) = RunReader::open(folder) else { return };
        reader.complete(specs);
        let Ok(mut events) = reader.events() else { return };
        while let Some(event) = events.next() {
            if events.offset() >= kept {
                break;
            }
            if !matches!(event.body, Body::Started(_) | Body::Status(_)) {
                self.push(Event { run: self.run, ..event });
            }
        }
    }

    pub fn status(&mut self, step: u64, status: Status) {
        self.emit(step, Body::Status(status));
        self.secure();
        self.flush();
    }

    pub fn notice(&mut self, step: u64, level: Level, text: String) {
        self.emit(step, Body::Notice { level, text });
    }

    /// Tells of a change made by hand; it is on disk before anything else happens.
    pub fn changed(&mut self, step: u64, key: &str, from: Value, to: Value) {
        self.emit(step, Body::Changed { key: key.to_owned(), from, to });
        self.secure();
    }

    pub fn device_checked(&mut self, text: String) {
        self.emit(0, Body::DeviceChecked { text });
    }

    /// Takes what a step reported; [`Lane::settle`] hands it on.
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
    }

    /// Hands what was published to disk and consumer: after a slow step at once, after fast ones from time to time.
    pub fn settle(&mut self) {
        if self.flushed.elapsed() >= FLUSH_TIME || self.settled.elapsed() >= SLOW_STEP {
            self.secure();
        }
        self.settled = Instant::now();
        if self.sent.elapsed() >= BATCH_TIME {
            self.flush();
        }
    }

    /// Writes a checkpoint; a failure is told and does not end the run. Says whether it is on disk.
    pub fn checkpoint(&mut self, checkpoint: &Checkpoint) -> bool {
        let Some(recorder) = &mut self.recorder else { return false };
        match recorder.checkpoint(checkpoint) {
            Ok(file) => {
                self.emit(checkpoint.step, Body::Checkpoint { file });
                self.secure();
                true
            }
            Err(error) => {
                let text = format!("no checkpoint was written: {error}; it is tried again");
                self.notice(checkpoint.step, Level::Warning, text);
                false
            }
        }
    }

    /// Hands what is recorded to the system, so that a killed process no longer loses it.
    fn secure(&mut self) {
        self.flushed = Instant::now();
        if let Some(recorder) = &mut self.recorder {
            // A disk that takes nothing is waited for between two steps.
            let _ = recorder.flush();
        }
    }

    /// Whether the disk took everything so far.
    pub fn is_stuck(&self) -> bool {
        self.recorder.as_ref().is_some_and(Recorder::is_stuck)
    }

    /// Waits until the disk takes what was recorded, so that nothing is ever missing; a command that ends the run ends the
    /// waiting too. An error where nobody watches and there is no room for long. `then`: what the run does after it.
    pub fn wait_for_disk(&mut self, then: Status) -> Result<(), RunError> {
        let since = Instant::now();
        let mut told = false;
        while let Some(problem) = self.recorder.as_mut().and_then(|recorder| recorder.flush().err()) {
            if !std::mem::replace(&mut told, true) {
                let text =
                    format!("{problem}. Training waits until it can go on being recorded; nothing is lost so far");
                self.notice(self.step, Level::Warning, text);
                self.status(self.step, Status::Waiting);
            }
            if !self.outlets.watched && since.elapsed() >= DISK_PATIENCE {
                return Err(RunError::Recording(format!(
                    "{problem}. Nothing was recorded for {} s",
                    DISK_PATIENCE.as_secs()
                )));
            }
            if self.ends_soon() {
                return Ok(());
            }
            if let Ok(command) = self.outlets.inbox.recv_timeout(RETRY_TIME) {
                self.waiting.push_back(command);
            }
        }
        if told {
            self.notice(
                self.step,
                Level::Info,
                "the disk takes the recording again; nothing of it is missing".to_owned(),
            );
            self.status(self.step, then);
        }
        Ok(())
    }

    /// Whether a command waits that ends the run.
    fn ends_soon(&self) -> bool {
        self.waiting.iter().any(|command| matches!(command, Command::Stop | Command::Shutdown | Command::Start(_)))
    }

    /// Whether a command is there: waits for one if `wait`, and counts a consumer that went away as a shutdown.
    pub fn is_asked(&mut self, wait: bool) -> bool {
        if !self.waiting.is_empty() {
            return true;
        }
        if wait {
            self.secure();
            self.flush();
            self.put_back(self.outlets.inbox.recv().unwrap_or(Command::Shutdown));
            return true;
        }
        match self.outlets.inbox.try_recv() {
            Ok(command) => self.put_back(command),
            Err(TryRecvError::Empty) => {}
            Err(TryRecvError::Disconnected) => self.put_back(Command::Shutdown),
        }
        !self.waiting.is_empty()
    }

    /// The next command that is there.
    pub fn command(&mut self) -> Option<Command> {
        self.waiting.pop_front()
    }

    /// What is still to be carried out comes first again.
    pub fn put_back(&mut self, command: Command) {
        self.waiting.push_front(command);
    }

    /// Sends the run's last event; hands back commands that are still to be carried out.
    pub fn end(mut self, status: Status) -> VecDeque<Command> {
        let step = self.step;
        self.over = true;
        // Failed before its recording was opened: what it would have gone on from stays as it is.
        self.opening = None;
        self.emit(step, Body::Status(status));
        let since = Instant::now();
        while let Some(problem) = self.recorder.as_mut().and_then(|recorder| recorder.flush().err()) {
            if since.elapsed() >= LAST_PATIENCE {
                let text = format!("{problem}. The end of the run is not recorded");
                let notice = self.event(step, Body::Notice { level: Level::Error, text });
                // Before the last event: nobody listens after it.
                self.batch.insert(self.batch.len() - 1, notice);
                break;
            }
            std::thread::sleep(RETRY_TIME);
        }
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

    /// Writes an event to the recording. One that cannot be written is told, loudly.
    fn record(&mut self, event: &Event) -> Option<(u64, u32)> {
        if matches!(&event.body, Body::Status(status) if status.is_passing()) {
            return None;
        }
        if self.opening.is_some() {
            self.early.push(event.clone());
            return None;
        }
        let problem = match self.recorder.as_mut()?.append(event) {
            Ok(place) => return place,
            Err(error) => error.to_string(),
        };
        let text = format!("{problem}. One entry of the recording is missing");
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
