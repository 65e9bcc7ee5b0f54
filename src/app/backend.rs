//! What the window needs from the outside, as seams that a test can fill: the worker, the reader of recorded values,
//! the list of devices.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use crate::engine::catalogue::Listing;
use crate::engine::command::Command;
use crate::engine::event::{Event, Payload};
use crate::engine::mailbox::Letter;
use crate::engine::state::RunState;
use crate::kit::pinned::Pinned;
use crate::kit::view::PastPayloads;

/// Asks for a frame from any thread.
pub type Wake = Arc<dyn Fn() + Send + Sync>;

/// The worker as the window sees it. Neither call may wait.
pub trait Backend {
    /// Hands a command over.
    fn send(&mut self, command: Command);
    /// What has arrived since the last call, as much as fits in about 10 ms.
    fn drain(&mut self) -> (Vec<Event>, Vec<Letter>);
    /// More events are waiting than the last [`Backend::drain`] gave.
    fn has_more(&self) -> bool {
        false
    }
    /// Asks the worker to end after the step that it is in, with a checkpoint. [`Backend::drain`] goes on until it has.
    fn ask_end(&mut self) {}
    /// The worker has ended: whatever it had to save is on disk.
    fn has_ended(&self) -> bool {
        true
    }
    /// Somebody outside asked the program to end: the system's log-out, `kill`, Ctrl-C in the terminal.
    fn end_asked(&self) -> bool {
        false
    }
    /// Ends the worker; called once, at exit. Waits for it at most for so long, the window is gone by then.
    fn shutdown(&mut self, _patience: Duration) {}
}

/// No worker at all: everything is silence.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoBackend;

impl Backend for NoBackend {
    fn send(&mut self, _command: Command) {}

    fn drain(&mut self) -> (Vec<Event>, Vec<Letter>) {
        (Vec::new(), Vec::new())
    }
}

/// Reads one recorded value: run folder, offset in its events file, length in bytes. Called on a reader thread.
pub type Fetch = Arc<dyn Fn(&Path, u64, u32) -> Result<Payload, String> + Send + Sync>;

/// A training device that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceEntry {
    /// Adapter name as the driver reports it.
    pub name: String,
    /// `Vulkan`, `Metal`, ..
    pub backend: String,
    /// `discrete GPU`, `integrated GPU`, `CPU` ..
    pub kind: String,
    /// A rasteriser in software, not a GPU.
    pub software: bool,
}

/// Lists the devices; slow (it probes drivers), so it runs on a thread of its own.
pub type DeviceLister = Box<dyn FnOnce() -> Vec<DeviceEntry> + Send>;

/// Times that a failed read is tried, and how long apart.
const ATTEMPTS: u32 = 4;
const PAUSE: Duration = Duration::from_millis(250);
/// Bytes of past payloads that are kept in memory.
const PAST_BUDGET: usize = 128 << 20;

type Place = (u64, u32);
type Answer = (PathBuf, Place, Result<Payload, String>);

/// Recorded values of one run folder: a cache with a byte budget in front of a reader thread.
pub struct PastStore {
    folder: PathBuf,
    /// The recorded runs of every lab, for the views.
    runs: Arc<Listing>,
    /// Those of this lab that are drawn behind its run.
    pinned: Arc<Pinned>,
    state: RefCell<PastState>,
    requests: Option<mpsc::Sender<(PathBuf, Place)>>,
    answers: mpsc::Receiver<Answer>,
}

#[derive(Default)]
struct PastState {
    /// With the time of the last use.
    values: HashMap<Place, (u64, Arc<Payload>)>,
    /// Reads that failed, how often and when: what a live run wrote may not be on disk yet.
    failed: HashMap<Place, (u32, Instant)>,
    /// What is being read: for which key and step, and when it was asked for.
    waiting: HashMap<Place, (String, u64, u64)>,
    bytes: usize,
    clock: u64,
    /// What was shown last for a key, when that was asked for, its step and value: scrubbing does not flicker while the next value is
    /// read, and where the cursor is faster than the disk, what has arrived follows it.
    shown: HashMap<String, (u64, u64, Arc<Payload>)>,
    problem: Option<String>,
}

impl std::fmt::Debug for PastStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PastStore").field("folder", &self.folder).finish_non_exhaustive()
    }
}

impl PastStore {
    /// `wake` asks for a frame when a value has arrived.
    pub fn new(fetch: Fetch, wake: Wake) -> Self {
        let (requests, todo) = mpsc::channel::<(PathBuf, Place)>();
        let (done, answers) = mpsc::channel();
        let thread = thread::Builder::new().name("replay reader".to_owned()).spawn(move || {
            while let Ok((folder, place)) = todo.recv() {
                let result = fetch(&folder, place.0, place.1);
                if done.send((folder, place, result)).is_err() {
                    return;
                }
                wake();
            }
        });
        let requests = thread.ok().map(|_| requests);
        Self {
            folder: PathBuf::new(),
            runs: Arc::default(),
            pinned: Arc::default(),
            state: RefCell::default(),
            requests,
            answers,
        }
    }

    /// Turns to the recording of another run and forgets the last one.
    pub fn open(&mut self, folder: &str) {
        self.folder = PathBuf::from(folder);
        *self.state.borrow_mut() = PastState::default();
    }

    /// Tells which runs are recorded.
    pub fn set_runs(&mut self, runs: &Arc<Listing>) {
        self.runs = runs.clone();
    }

    /// Tells which runs are pinned.
    pub fn set_pinned(&mut self, pinned: Arc<Pinned>) {
        self.pinned = pinned;
    }

    /// Takes in what the reader has finished. The text is a problem worth a notice, once per run.
    pub fn poll(&mut self) -> Option<String> {
        let state = self.state.get_mut();
        while let Ok((folder, place, result)) = self.answers.try_recv() {
            if folder != self.folder {
                continue;
            }
            let asked = state.waiting.remove(&place);
            state.clock += 1;
            match result {
                Ok(payload) => {
                    state.bytes += payload.bytes();
                    let payload = Arc::new(payload);
                    if let Some((key, step, when)) = asked
                        && state.shown.get(&key).is_none_or(|(shown, ..)| *shown < when)
                    {
                        state.shown.insert(key, (when, step, payload.clone()));
                    }
                    state.values.insert(place, (state.clock, payload));
                }
                Err(error) => {
                    let (count, when) = state.failed.entry(place).or_insert((0, Instant::now()));
                    (*count, *when) = (*count + 1, Instant::now());
                    if *count == ATTEMPTS {
                        state.problem = Some(format!("a recorded value could not be read back: {error}"));
                    }
                }
            }
        }
        while state.bytes > PAST_BUDGET {
            let Some(oldest) = state.values.iter().min_by_key(|(_, (used, _))| *used).map(|(place, _)| *place) else {
                break;
            };
            if let Some((_, payload)) = state.values.remove(&oldest) {
                state.bytes -= payload.bytes();
            }
        }
        state.problem.take()
    }

    /// The store as the views see it, resolving steps with the run's index.
    pub fn view<'a>(&'a self, run: &'a RunState) -> PastView<'a> {
        PastView { store: self, run }
    }

    fn get(&self, key: &str, step: u64, place: Place) -> Option<(u64, Arc<Payload>)> {
        let mut state = self.state.borrow_mut();
        state.clock += 1;
        let clock = state.clock;
        if let Some((used, payload)) = state.values.get_mut(&place) {
            *used = clock;
            let found = (step, payload.clone());
            state.shown.insert(key.to_owned(), (clock, step, found.1.clone()));
            return Some(found);
        }
        let failed = state.failed.get(&place);
        let may_ask = failed.is_none_or(|(count, when)| *count < ATTEMPTS && when.elapsed() > PAUSE);
        if !self.folder.as_os_str().is_empty()
            && may_ask
            && let Some(requests) = &self.requests
            && state.waiting.len() < 32
            && !state.waiting.contains_key(&place)
        {
            state.waiting.insert(place, (key.to_owned(), step, clock));
            let _ = requests.send((self.folder.clone(), place));
        }
        state.shown.get(key).map(|(_, step, payload)| (*step, payload.clone()))
    }
}

/// [`PastPayloads`] of one run.
#[derive(Debug, Clone, Copy)]
pub struct PastView<'a> {
    store: &'a PastStore,
    run: &'a RunState,
}

impl PastPayloads for PastView<'_> {
    fn payload(&self, key: &str, step: u64) -> Option<(u64, Arc<Payload>)> {
        let (recorded, offset, bytes) = self.run.payloads.get(key)?.recorded_at(step)?;
        self.store.get(key, recorded, (offset, bytes))
    }

    fn runs(&self) -> Arc<Listing> {
        self.store.runs.clone()
    }

    fn pinned(&self) -> Arc<Pinned> {
        self.store.pinned.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::event::{Body, RunHeader, RunId};

    fn recorded_run() -> RunState {
        let mut run = RunState::default();
        let header = RunHeader { steps: 10, folder: "run".to_owned(), ..RunHeader::default() };
        let event = |step, body| Event { run: RunId(1), step, seconds: 0.0, body };
        run.apply(&event(0, Body::Started(Box::new(header))));
        for step in [0, 5] {
            run.apply(&event(step, Body::Recorded { key: "picture".into(), offset: step * 100, bytes: 7 }));
        }
        run
    }

    #[test]
    fn a_past_value_is_asked_for_once_and_shown_when_read() {
        let fetch: Fetch =
            Arc::new(|folder, offset, bytes| Ok(Payload::Text(format!("{} {offset} {bytes}", folder.display()))));
        let mut store = PastStore::new(fetch, Arc::new(|| {}));
        let run = recorded_run();
        store.open("run");
        let until = Instant::now() + Duration::from_secs(10);
        while store.view(&run).payload("picture", 7).is_none() && Instant::now() < until {
            store.poll();
            thread::sleep(Duration::from_millis(1));
        }
        let (step, payload) = store.view(&run).payload("picture", 7).expect("read within ten seconds");
        assert_eq!((step, &*payload), (5, &Payload::Text("run 500 7".to_owned())));
        assert_eq!(
            store.view(&run).payload("picture", 3).map(|(s, _)| s),
            Some(5),
            "the last one until the next is read"
        );
        assert_eq!(store.view(&run).payload("other", 3), None);
    }

    #[test]
    fn a_cursor_that_is_faster_than_the_disk_is_followed() {
        let fetch: Fetch = Arc::new(|_, offset, _| Ok(Payload::Text(offset.to_string())));
        let mut store = PastStore::new(fetch, Arc::new(|| {}));
        let mut run = recorded_run();
        for step in 6..200 {
            let body = Body::Recorded { key: "picture".into(), offset: step * 100, bytes: 7 };
            run.apply(&Event { run: RunId(1), step, seconds: 0.0, body });
        }
        store.open("run");
        // Another place in every frame: none is there when it is asked for.
        let mut last = None;
        for step in 6..200 {
            let shown = store.view(&run).payload("picture", step).map(|(step, _)| step);
            assert!(shown < Some(step), "{shown:?} at {step}");
            assert!(shown >= last, "{shown:?} after {last:?}");
            last = shown;
            thread::sleep(Duration::from_millis(1));
            store.poll();
        }
        assert!(last > Some(150), "{last:?}");
    }

    #[test]
    fn a_value_that_cannot_be_read_is_reported() {
        let mut store = PastStore::new(Arc::new(|_, _, _| Err(String::new())), Arc::new(|| {}));
        let run = recorded_run();
        store.open("run");
        assert_eq!(store.view(&run).payload("picture", 7), None);
        let until = Instant::now() + Duration::from_secs(10);
        let mut problem = None;
        while problem.is_none() && Instant::now() < until {
            store.view(&run).payload("picture", 7);
            problem = store.poll();
            thread::sleep(Duration::from_millis(1));
        }
        assert!(problem.unwrap().contains("could not be read back"));
        assert_eq!(store.view(&run).payload("picture", 7), None);
    }
}
