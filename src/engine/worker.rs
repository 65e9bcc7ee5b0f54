//! The one worker thread: it owns every tensor, takes commands and gives events. The only training loop of the program.

use std::any::Any;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use burn::tensor::Device;
use crossbeam::channel::{Receiver, RecvTimeoutError, Sender, TrySendError, bounded};

use super::command::{Command, Record, RunRequest};
use super::emit::Emit;
use super::event::{Change, Event, Level, RunHeader, Status};
use super::experiment::{BuildRequest, Checkpoint, Experiment, RunError};
use super::lane::{Lane, Outlets, Wait};
use super::mailbox::{Letter, Mailbox};
use super::measuring::{Measuring, Reported};
use super::pace::Pace;
use super::params::{self, ParamError, Params, Value};
use super::twin::{self, Twin};
use super::{checkpoint_file, clock, device_check};
use crate::compute::device::{DeviceChoice, Opened};
use crate::compute::{self, device};
use crate::watch::Watch;

/// Commands that may wait for the worker; more is a mistake of the sender.
const COMMANDS: usize = 256;
/// After a checkpoint that could not be written the next one is tried so soon.
const SAVE_AGAIN: Duration = Duration::from_secs(3);
/// After a step that took so long, a fiftieth of its time is waited for what it put off.
const LONG_STEP: Duration = Duration::from_secs(1);
/// Batches of events that may wait for the consumer. The worker waits for room OR a command when it is full.
const BATCHES: usize = 1_024;

/// The handle that a window, a command line or a test holds.
#[derive(Debug)]
pub struct Engine {
    commands: Sender<Command>,
    events: Receiver<Vec<Event>>,
    mailbox: Arc<Mailbox>,
    thread: Option<JoinHandle<()>>,
}

/// Called by the worker after it published something, at most every 16 ms: "look again".
pub type Wake = Arc<dyn Fn() + Send + Sync>;

impl Engine {
    /// Starts the worker thread. `watched`: somebody looks at the screen; a headless consumer says `false` and gets
    /// only what is recorded.
    pub fn start(watched: bool, wake: Wake) -> std::io::Result<Self> {
        let (commands, inbox) = bounded(COMMANDS);
        let (outbox, events) = bounded(BATCHES);
        let mailbox = Arc::new(Mailbox::default());
        let outlets = Outlets { inbox, outbox, mailbox: mailbox.clone(), wake, watched };
        let thread = std::thread::Builder::new()
            .name("training".to_owned())
            // Deep networks recurse in autodiff.
            .stack_size(16 << 20)
            .spawn(move || serve(&outlets))?;
        Ok(Self { commands, events, mailbox, thread: Some(thread) })
    }

    /// Hands a command over without waiting. `false`: the worker has not taken the last 256 ones, or is gone.
    pub fn send(&self, command: Command) -> bool {
        match self.commands.try_send(command) {
            Ok(()) => true,
            Err(TrySendError::Full(command)) => {
                tracing::error!("the worker's queue is full; dropped {command:?}");
                false
            }
            Err(TrySendError::Disconnected(_)) => false,
        }
    }

    /// The next batch of events, if one is there.
    pub fn try_recv(&self) -> Option<Vec<Event>> {
        self.events.try_recv().ok()
    }

    /// Everything that arrived, at most for so long; `true`: there may be more.
    pub fn drain(&self, limit: Duration, mut apply: impl FnMut(&Event)) -> bool {
        let start = Instant::now();
        while let Some(batch) = self.try_recv() {
            batch.iter().for_each(&mut apply);
            if start.elapsed() > limit {
                return true;
            }
        }
        false
    }

    /// Waits for the next batch of events; empty when the time is over.
    pub fn recv(&self, timeout: Duration) -> Vec<Event> {
        match self.events.recv_timeout(timeout) {
            Ok(batch) => batch,
            Err(RecvTimeoutError::Timeout) => Vec::new(),
            Err(RecvTimeoutError::Disconnected) => {
                std::thread::sleep(timeout);
                Vec::new()
            }
        }
    }

    /// The newest bulky values since the last call.
    pub fn letters(&self) -> Vec<Letter> {
        self.mailbox.take_all()
    }

    /// Asks the worker to end after the step that it is in, with a checkpoint where the run is recorded. `false`: it
    /// could not be asked now. Until it has ended, somebody takes its events in.
    pub fn ask_end(&self) -> bool {
        self.send(Command::Shutdown)
    }

    /// Whether the worker has ended: all that it had to save is on disk.
    pub fn has_ended(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Asks the worker to end and waits for it, at most for so long; whether it has ended. For any thread, at any time:
    /// [`Engine::shutdown`] is for the one who owns it.
    pub fn end(&self, patience: Duration) -> bool {
        let start = Instant::now();
        let mut asked = self.ask_end();
        while !self.has_ended() && start.elapsed() < patience {
            // Room for what the worker still has to say.
            while self.try_recv().is_some() {}
            std::thread::sleep(Duration::from_millis(5));
            asked = asked || self.ask_end();
        }
        self.has_ended()
    }

    /// Asks the worker to end and waits for it, at most for so long: a worker in a long kernel must not hang the
    /// window. The run's recording is complete up to its last flush in either case.
    pub fn shutdown(mut self, deadline: Duration) {
        self.send(Command::Shutdown);
        let Some(thread) = self.thread.take() else { return };
        let start = Instant::now();
        while !thread.is_finished() && start.elapsed() < deadline {
            // Room for what the worker still has to say.
            while self.try_recv().is_some() {}
            std::thread::sleep(Duration::from_millis(5));
        }
        if thread.is_finished() {
            // A panic of the worker was reported as a failed run.
            thread.join().ok();
        }
    }
}

/// What came after a run.
enum Next {
    Idle,
    Start(Box<RunRequest>),
    Shutdown,
}

impl Next {
    /// The command that asked for it.
    fn asked(self) -> Option<Command> {
        match self {
            Next::Idle => None,
            Next::Start(request) => Some(Command::Start(request)),
            Next::Shutdown => Some(Command::Shutdown),
        }
    }
}

fn serve(outlets: &Outlets) {
    let _threads = compute::own_threads();
    let mut next = Next::Idle;
    loop {
        next = match next {
            Next::Shutdown => return,
            Next::Start(request) => run(newest(request, &outlets.inbox), outlets),
            Next::Idle => match outlets.inbox.recv() {
                Ok(Command::Start(request)) => Next::Start(request),
                Ok(Command::Shutdown) | Err(_) => Next::Shutdown,
                // Late commands of a run that is over.
                Ok(_) => Next::Idle,
            },
        };
    }
}

/// While a slider moves, starts arrive faster than runs end: only the newest counts. What was asked of it meanwhile becomes
/// part of it, up to the first thing that only a run can do; from there on it is handed to the run.
fn newest(mut request: Box<RunRequest>, inbox: &Receiver<Command>) -> (Box<RunRequest>, VecDeque<Command>) {
    let mut waiting = VecDeque::new();
    while let Ok(command) = inbox.try_recv() {
        match command {
            Command::Start(newer) => {
                request = newer;
                waiting.clear();
            }
            Command::Set { key, value } if waiting.is_empty() => request.params.put(&key, value),
            Command::Pause if waiting.is_empty() => request.start_paused = true,
            Command::Resume if waiting.is_empty() => request.start_paused = false,
            command => waiting.push_back(command),
        }
    }
    (request, waiting)
}

/// One run from its first event to its last, panics included.
fn run((request, waiting): (Box<RunRequest>, VecDeque<Command>), outlets: &Outlets) -> Next {
    let mut lane = Lane::new(request.id, outlets, waiting);
    // The experiment is built, used and dropped inside, also when it panics: its tensors die on this thread.
    let ended = catch_unwind(AssertUnwindSafe(|| attend(&request, &mut lane)));
    let (status, next) = match ended {
        Ok(Ok((status, next))) => (status, next),
        // What was asked for is among what was not heard.
        Ok(Err(RunError::Stopped)) => (Status::Stopped, Next::Idle),
        Ok(Err(error)) => (Status::Failed(error.to_string()), Next::Idle),
        Err(panic) => {
            let text = format!(
                "the {} experiment broke off: {}. Its recording and checkpoints are kept; start again, or choose the \
                 CPU if a graphics device was in use",
                request.lab,
                panic_text(&*panic)
            );
            (Status::Failed(text), Next::Idle)
        }
    };
    let unheard = lane.end(status);
    unheard.into_iter().fold(next, |next, command| match (next, command) {
        (Next::Shutdown, _) | (_, Command::Shutdown) => Next::Shutdown,
        (_, Command::Start(request)) => Next::Start(request),
        (next, _) => next,
    })
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "unknown panic".to_owned())
}

/// Opens the device, reads the data, builds the experiment and trains it.
fn attend(request: &RunRequest, lane: &mut Lane<'_>) -> Result<(Status, Next), RunError> {
    if matches!(request.device, Some(DeviceChoice::Automatic | DeviceChoice::Gpu(_))) {
        // Its driver may take its time.
        lane.announce(|| known_of(request));
    }
    let opened = request.device.as_ref().map(device::open).transpose();
    let resumed = request.resume_from.as_deref().map(checkpoint_file::read).transpose();
    let resumed_at = resumed.as_ref().ok().and_then(Option::as_ref).map(|checkpoint| checkpoint.step);
    let read = read_data(request, resumed_at.unwrap_or(0), lane)?;
    let header = RunHeader {
        device: match &opened {
            Ok(Some(opened)) => opened.name.clone(),
            Ok(None) => device::HOST_NAME.to_owned(),
            Err(_) => "none".to_owned(),
        },
        // A data set that cannot be read is reported below.
        data: read.as_ref().ok().and_then(|()| (request.data)(&request.params).ok()).unwrap_or_default(),
        folder: String::new(),
        resumed_at,
        ..known_of(request)
    };
    lane.begin(&request.record, request.specs, header)?;
    lane.status(0, Status::Building);
    read?;
    (request.check)(&request.params)?;
    let opened = opened.map_err(|error| RunError::Device(error.to_string()))?;
    let resumed = resumed.map_err(|error| RunError::Checkpoint(error.to_string()))?;
    if let Some(opened) = &opened {
        check_device(request, opened, lane)?;
    }

    let step = resumed_at.unwrap_or(0);
    let (past, ahead): (Vec<&Change>, Vec<&Change>) = request.changes.iter().partition(|change| change.step < step);
    let mut params = request.params.clone();
    // The twin's are in the checkpoint.
    let past = past.into_iter().filter(|change| twin::of_twin(&change.key).is_none());
    past.for_each(|change| params.put(&change.key, change.value.clone()));

    let cpu = device::cpu();
    let device = opened.as_ref().map_or(&cpu, |opened| &opened.device);
    let on_gpu = opened.as_ref().is_some_and(|opened| opened.is_gpu);
    let mut trained = Trained::new(request, params, (device, on_gpu), resumed.as_ref())?;
    lane.open()?;
    if resumed.is_none() {
        trained.begin(lane)?;
    }
    train(&mut trained, step, ahead, lane)
}

/// What is known of a run before its device is open and its data are read.
fn known_of(request: &RunRequest) -> RunHeader {
    RunHeader {
        lab: request.lab.to_owned(),
        name: request.name.clone(),
        params: request.params.clone(),
        changes: request.changes.clone(),
        seed: request.seed,
        steps: request.steps,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started: clock::utc_now(),
        folder: match &request.record {
            Record::Resume(folder) | Record::Restart(folder) => folder.display().to_string(),
            Record::New(_) | Record::Replace(_) | Record::No => String::new(),
        },
        ..RunHeader::default()
    }
}

/// Reads the data set into memory on a thread beside, so that the worker hears what is asked and tells how far it is. What
/// ends the run is not kept waiting for a file that is just being read.
fn read_data(request: &RunRequest, step: u64, lane: &mut Lane<'_>) -> Result<Result<(), ParamError>, RunError> {
    #[derive(Default)]
    struct Shared {
        cancel: AtomicBool,
        done: AtomicUsize,
        all: AtomicUsize,
    }
    let shared = Arc::new(Shared::default());
    let (sender, finished) = bounded(1);
    let (read, params, of_thread) = (request.read, request.params.clone(), shared.clone());
    let work = move || {
        let progress = |done, all| {
            // Threads report in no particular order.
            of_thread.done.fetch_max(done, Ordering::Relaxed);
            of_thread.all.store(all, Ordering::Relaxed);
        };
        let watch = Watch { progress: &progress, cancel: &of_thread.cancel };
        // Nobody waits any more where the run was ended.
        let _ = sender.send(catch_unwind(AssertUnwindSafe(|| read(&params, watch))));
    };
    if std::thread::Builder::new().name("reading data".to_owned()).spawn(work).is_err() {
        return Ok((request.read)(&request.params, Watch::nobody()));
    }
    let mut wait = Wait::new();
    loop {
        match lane.wait_for(&finished) {
            Some(Ok(Ok(read))) => return Ok(read),
            Some(Ok(Err(panic))) => resume_unwind(panic),
            Some(Err(_)) => return Err(RunError::Data("the thread that reads the data has ended early".to_owned())),
            None if wait.is_long() => {}
            None => continue,
        }
        lane.announce(|| known_of(request));
        let (done, all) = (shared.done.load(Ordering::Relaxed), shared.all.load(Ordering::Relaxed));
        if !lane.goes_on(step, Status::Reading { done, all }, &mut wait) {
            shared.cancel.store(true, Ordering::Relaxed);
            return Err(RunError::Stopped);
        }
    }
}

/// Compares a GPU with the CPU before the lab's first run there.
fn check_device(request: &RunRequest, opened: &Opened, lane: &mut Lane<'_>) -> Result<(), RunError> {
    let Some(run) = request.device_check.filter(|_| opened.is_gpu) else { return Ok(()) };
    lane.status(0, Status::CheckingDevice);
    let found = device_check::check(request.lab, opened, run)?;
    if !found.agrees() {
        lane.notice(0, Level::Warning, found.text(&opened.name));
    }
    lane.device_checked(found.text(&opened.name));
    Ok(())
}

/// Trains from `step` on until the run has ended or something else is asked for. `ahead`: the changes to come.
fn train(
    trained: &mut Trained<'_>,
    mut step: u64,
    mut ahead: Vec<&Change>,
    lane: &mut Lane<'_>,
) -> Result<(Status, Next), RunError> {
    let request = trained.request;
    ahead.sort_by_key(|change| change.step);
    let mut ahead = ahead.into_iter().peekable();

    let mut pace = Pace::new(lane.watched(), Instant::now());
    let mut paused = request.start_paused;
    let mut until_pause = u64::MAX;
    let mut warm = !trained.on_gpu;
    let mut next_save = Instant::now() + request.checkpoint_time;
    lane.status(step, if paused { Status::Paused } else { Status::Running });

    let (status, next) = loop {
        while let Some(change) = ahead.next_if(|change| change.step <= step) {
            trained.tell_all(lane)?;
            trained.set(lane, step, &change.key, &change.value);
        }
        if lane.is_stuck()
            && let Err(problem) = lane.wait_for_disk(if paused { Status::Paused } else { Status::Running })
        {
            // Tried all the same: there may be room for it elsewhere, or by now.
            trained.save(lane, step)?;
            return Err(problem);
        }
        if step >= request.steps || trained.experiment.is_over() {
            break (Status::Finished, Next::Idle);
        }
        if !lane.is_asked(paused) {
            if !warm {
                lane.status(step, Status::WarmingUp);
            }
            let started = Instant::now();
            let served = pace.is_due(started);
            step += 1;
            trained.step(lane, step, served)?;
            let now = Instant::now();
            if warm {
                pace.stepped(now - started, served, now);
            } else {
                warm = true;
                trained.tell_all(lane)?;
                lane.status(step, Status::Running);
            }
            let due = request.checkpoint_every > 0 && step.is_multiple_of(request.checkpoint_every);
            if (due || now >= next_save) && step < request.steps {
                let saved = trained.save(lane, step)?;
                next_save = Instant::now() + if saved { request.checkpoint_time } else { SAVE_AGAIN };
            }
            until_pause = until_pause.saturating_sub(1);
            if until_pause == 0 {
                (paused, until_pause) = (true, u64::MAX);
                trained.tell_all(lane)?;
                lane.status(step, Status::Paused);
            }
            continue;
        }
        // Where this ends the run the command is for whoever comes after it.
        trained.tell_all(lane)?;
        match lane.command().unwrap_or(Command::Stop) {
            Command::Pause if !paused => {
                paused = true;
                lane.status(step, Status::Paused);
            }
            Command::Resume if paused => {
                (paused, until_pause) = (false, u64::MAX);
                lane.status(step, Status::Running);
            }
            Command::Step(count) if count > 0 => {
                (paused, until_pause) = (false, count);
                lane.status(step, Status::Running);
            }
            Command::Set { key, value } => trained.set(lane, step, &key, &value),
            Command::Checkpoint => {
                trained.save(lane, step)?;
            }
            Command::Start(next) => break (Status::Stopped, Next::Start(next)),
            Command::Stop => break (Status::Stopped, Next::Idle),
            Command::Shutdown => break (Status::Stopped, Next::Shutdown),
            Command::Pause | Command::Resume | Command::Step(_) => {}
        }
    };
    if let Err(error) = end(trained, lane, step, &status) {
        if let Some(command) = next.asked() {
            lane.put_back(command);
        }
        return Err(error);
    }
    Ok((status, next))
}

/// Tells and saves what is left at the end of a training.
fn end(trained: &mut Trained<'_>, lane: &mut Lane<'_>, step: u64, status: &Status) -> Result<(), RunError> {
    trained.tell_all(lane)?;
    if lane.is_recording() && !trained.save(lane, step)? {
        if *status == Status::Finished {
            lane.wait_for_disk(Status::Running)?;
        }
        std::thread::sleep(SAVE_AGAIN);
        if !trained.save(lane, step)? {
            let text =
                format!("the state at step {step} is not saved: the run can go on only from an earlier checkpoint");
            lane.notice(step, Level::Error, text);
        }
    }
    if *status == Status::Stopped {
        // Behind the checkpoint: a run that goes on from it has not stopped.
        trained.stopped(lane, step);
    }
    Ok(())
}

/// What a run trains: its experiment and, after a fork, the twin.
struct Trained<'a> {
    request: &'a RunRequest,
    device: &'a Device,
    params: Params,
    on_gpu: bool,
    experiment: Box<dyn Experiment>,
    twin: Option<Twin>,
    measuring: Measuring,
}

impl<'a> Trained<'a> {
    /// Built from the parameters; in the state of a checkpoint where there is one.
    fn new(
        request: &'a RunRequest,
        params: Params,
        (device, on_gpu): (&'a Device, bool),
        resumed: Option<&Checkpoint>,
    ) -> Result<Self, RunError> {
        let build = BuildRequest { params: &params, seed: request.seed, steps: request.steps, device };
        let mut experiment = (request.build)(&build)?;
        let mut twin = None;
        if let Some(checkpoint) = resumed {
            experiment.restore(checkpoint)?;
            twin = Twin::restore(checkpoint, request.specs, request.build, &build)?;
        }
        Ok(Self { request, device, on_gpu, params, experiment, twin, measuring: Measuring::default() })
    }

    /// Reports the state before the first step, which may be stopped on the way.
    fn begin(&mut self, lane: &mut Lane<'_>) -> Result<(), RunError> {
        let watched = lane.watched();
        let mut wait = Wait::new();
        let mut heard = |done, all| lane.goes_on(0, Status::Judging { done, all }, &mut wait);
        let mut out = Emit::new(self.request.keys, 0, self.request.steps, watched).watched(&mut heard);
        self.experiment.begin(&mut out)?;
        let emission = out.finish();
        lane.publish(0, emission);
        lane.settle();
        Ok(())
    }

    /// The update that completes `step` steps, of the run and then of its twin. A twin that fails ends; the run goes on.
    fn step(&mut self, lane: &mut Lane<'_>, step: u64, served: bool) -> Result<(), RunError> {
        let started = Instant::now();
        let emit = || Emit::putting_off(self.request.keys, step, self.request.steps, served);
        let mut out = emit();
        let stepped = catch_unwind(AssertUnwindSafe(|| self.experiment.step(&mut out)));
        if !matches!(stepped, Ok(Ok(()))) {
            // What was measured before is told, and may have failed before.
            self.tell_all(lane)?;
            return stepped.unwrap_or_else(|panic| resume_unwind(panic));
        }
        self.measuring.put(out, false);
        if let Some(twin) = &mut self.twin {
            let mut out = emit();
            match catch_unwind(AssertUnwindSafe(|| twin.experiment.step(&mut out))) {
                Ok(Ok(())) => {
                    self.measuring.put(out, true);
                    if twin.experiment.is_over() {
                        self.tell_all(lane)?;
                        if self.twin.take().is_some() {
                            let text = "the twin's training has ended, the run itself goes on";
                            lane.notice(step, Level::Info, text.to_owned());
                        }
                    }
                }
                Ok(Err(error)) => {
                    self.tell_all(lane)?;
                    self.twin_failed(lane, step, &error);
                }
                Err(panic) => {
                    self.tell_all(lane)?;
                    resume_unwind(panic);
                }
            }
        }
        // After a long step its own numbers are worth a moment.
        let took = started.elapsed();
        self.tell(lane, Some(if took >= LONG_STEP { took / 50 } else { Duration::ZERO }))
    }

    /// Waits for all that steps put off, and tells it: before anything else than a step happens.
    fn tell_all(&mut self, lane: &mut Lane<'_>) -> Result<(), RunError> {
        self.tell(lane, None)
    }

    /// Tells in order what steps reported, as far as all of it is there after so long; `None`: once it is.
    fn tell(&mut self, lane: &mut Lane<'_>, patience: Option<Duration>) -> Result<(), RunError> {
        let until = patience.map(|patience| Instant::now() + patience);
        while let Some(Reported { step, by_twin, emission }) = self.measuring.next(until) {
            match emission {
                // What it had still to say after it failed.
                Ok(_) if by_twin && self.twin.is_none() => {}
                Ok(emission) if by_twin => lane.publish(step, twin::renamed(emission)),
                Ok(emission) => lane.publish(step, emission),
                Err(error) if by_twin => self.twin_failed(lane, step, &error),
                Err(error) => return Err(error),
            }
        }
        lane.settle();
        Ok(())
    }

    fn twin_failed(&mut self, lane: &mut Lane<'_>, step: u64, error: &RunError) {
        if self.twin.take().is_some() {
            lane.notice(step, Level::Warning, format!("the twin has ended, the run itself goes on: {error}"));
        }
    }

    /// The last word of a run that was stopped, and of its twin.
    fn stopped(&mut self, lane: &mut Lane<'_>, step: u64) {
        let mut out = Emit::new(self.request.keys, step, self.request.steps, false);
        self.experiment.stopped(&mut out);
        lane.publish(step, out.finish());
        if let Some(twin) = &mut self.twin {
            let mut out = Emit::new(self.request.keys, step, self.request.steps, false);
            twin.experiment.stopped(&mut out);
            lane.publish(step, twin::renamed(out.finish()));
        }
        lane.settle();
    }

    /// Changes a live parameter of the run or of its twin, or tells the user why not; a refused value changes nothing.
    /// The first change of the twin's forks.
    fn set(&mut self, lane: &mut Lane<'_>, step: u64, key: &str, value: &Value) {
        match self.try_set(step, key, value) {
            Ok(Some(from)) => lane.changed(step, key, from, value.clone()),
            Ok(None) => {}
            Err(error) => lane.notice(step, Level::Warning, error.to_string()),
        }
    }

    /// The value before the change; `None` where the twin had it already.
    fn try_set(&mut self, step: u64, key: &str, value: &Value) -> Result<Option<Value>, RunError> {
        let plain = twin::plain(key);
        let spec = params::find(self.request.specs, plain)?;
        spec.check(value)?;
        if !spec.live {
            return Err(ParamError::NotLive { key: plain.to_owned() }.into());
        }
        let (experiment, params) = if twin::of_twin(key).is_none() {
            (&mut self.experiment, &mut self.params)
        } else {
            let known = self.twin.as_ref().and_then(|twin| twin.params.get(plain));
            if known == Some(value) {
                return Ok(None);
            }
            let twin = match self.twin.take() {
                Some(twin) => twin,
                None => self.fork(step, plain, value)?,
            };
            let twin = self.twin.insert(twin);
            (&mut twin.experiment, &mut twin.params)
        };
        experiment.set(plain, value)?;
        let from = params.get(plain).cloned().unwrap_or_else(|| value.clone());
        params.put(plain, value.clone());
        Ok(Some(from))
    }

    /// A twin that takes this value; a refused one makes none.
    fn fork(&mut self, step: u64, key: &str, value: &Value) -> Result<Twin, RunError> {
        let (request, device) = (self.request, self.device);
        let build = BuildRequest { params: &self.params, seed: request.seed, steps: request.steps, device };
        let mut twin = Twin::fork(self.experiment.as_mut(), step, request.build, &build)?;
        twin.experiment.set(key, value)?;
        Ok(twin)
    }

    /// Writes a checkpoint where the run is recorded; says whether it is on disk.
    fn save(&mut self, lane: &mut Lane<'_>, step: u64) -> Result<bool, RunError> {
        if !lane.is_recording() {
            return Ok(false);
        }
        self.tell_all(lane)?;
        let mut checkpoint = self.experiment.checkpoint()?;
        checkpoint.step = step;
        if let Some(twin) = &mut self.twin {
            twin.save(&mut checkpoint)?;
        }
        Ok(lane.checkpoint(&checkpoint))
    }
}
