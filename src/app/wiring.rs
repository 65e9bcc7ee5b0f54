//! What the real window is made of: the worker, the reader of recordings, the list of devices.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::backend::{Backend, DeviceEntry, Wake};
use super::guard;
use super::parts::Open;
use super::window::WindowOptions;
use crate::compute::device;
use crate::engine::command::Command;
use crate::engine::event::Event;
use crate::engine::mailbox::Letter;
use crate::engine::worker::Engine;
use crate::labs::{self, LABS};

/// Longest time that a frame spends on taking in events.
const DRAIN: Duration = Duration::from_millis(10);

/// The worker behind the window. Dropped by a window that breaks off, it still waits for the run's checkpoint.
struct Worker {
    /// `None`: it was shut down, or given up.
    engine: Option<Arc<Engine>>,
    more: bool,
    asked: bool,
}

impl Worker {
    fn new(engine: Arc<Engine>) -> Self {
        Self { engine: Some(engine), more: false, asked: false }
    }
}

impl Backend for Worker {
    fn send(&mut self, command: Command) {
        if let Some(engine) = &self.engine {
            engine.send(command);
        }
    }

    fn drain(&mut self) -> (Vec<Event>, Vec<Letter>) {
        let Some(engine) = &self.engine else { return (Vec::new(), Vec::new()) };
        let mut events = Vec::new();
        self.more = engine.drain(DRAIN, |event| events.push(event.clone()));
        (events, engine.letters())
    }

    fn has_more(&self) -> bool {
        self.more
    }

    fn ask_end(&mut self) {
        if let Some(engine) = &self.engine {
            self.asked = self.asked || engine.ask_end();
        }
    }

    fn has_ended(&self) -> bool {
        self.engine.as_ref().is_none_or(|engine| engine.has_ended())
    }

    fn end_asked(&self) -> bool {
        guard::asked().is_some()
    }

    fn shutdown(&mut self, patience: Duration) {
        if let Some(engine) = self.engine.take() {
            engine.end(patience);
            guard::let_go();
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.shutdown(Duration::MAX);
    }
}

/// Everything that [`super::window::run_window`] needs, with runs recorded under `runs`.
pub fn window_options(runs: PathBuf, open: Open) -> std::io::Result<WindowOptions> {
    // The thread is started here, so that its failure is an error and not a dead window.
    let waker: Arc<std::sync::OnceLock<Wake>> = Arc::default();
    let wake: Wake = {
        let waker = waker.clone();
        Arc::new(move || {
            if let Some(wake) = waker.get() {
                wake();
            }
        })
    };
    let engine = Arc::new(Engine::start(true, wake.clone())?);
    if let Err(error) = guard::guard(&engine, wake) {
        tracing::error!("signals are not heard: {error}");
    }
    Ok(WindowOptions {
        labs: LABS.iter().collect(),
        backend: Box::new(move |wake| {
            waker.set(wake).ok();
            Box::new(Worker::new(engine))
        }),
        fetch: Arc::new(|folder, offset, bytes| {
            let mut reader = labs::open_run(folder).map_err(|error| error.to_string())?;
            let payload = reader.payload_at(offset, bytes).map_err(|error| error.to_string())?;
            Ok(Arc::unwrap_or_clone(payload))
        }),
        devices: Some(Box::new(|| {
            let entry = |adapter: &device::Adapter| DeviceEntry {
                name: adapter.name.clone(),
                backend: adapter.backend.to_owned(),
                kind: if adapter.software { "software" } else { "GPU" }.to_owned(),
                software: adapter.software,
            };
            device::adapters().iter().map(entry).collect()
        })),
        runs_dir: runs,
        config_dir: None,
        open,
        screenshot: None,
        size: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compute::device::DeviceChoice;
    use crate::engine::command::Record;
    use crate::engine::run_folder;
    use crate::kit::lab::RunOptions;
    use std::path::Path;
    use std::time::Instant;

    /// A worker that trains a network, a few steps into its run.
    fn training(runs: &Path) -> Worker {
        let lab = labs::find("optimizers").unwrap();
        let params = lab.preset("moons").unwrap().unwrap();
        let options = RunOptions {
            steps: Some(100_000),
            device: DeviceChoice::Cpu,
            record: Record::New(runs.to_owned()),
            ..RunOptions::default()
        };
        let mut worker = Worker::new(Arc::new(Engine::start(true, Arc::new(|| ())).unwrap()));
        worker.send(Command::Start(crate::kit::lab::request(lab, &params, options).unwrap()));
        let start = Instant::now();
        while !worker.drain().0.iter().any(|event| event.step > 3) {
            assert!(start.elapsed() < Duration::from_secs(60), "the run never began");
            std::thread::sleep(Duration::from_millis(1));
        }
        worker
    }

    fn assert_saved(runs: &Path) {
        let runs = run_folder::list_runs(runs).unwrap();
        let end = runs[0].end.as_ref().expect("the run's end is noted");
        assert_eq!((end.status.as_str(), runs[0].checkpoints.last()), ("stopped", Some(&end.step)));
    }

    #[test]
    fn a_window_that_breaks_off_leaves_a_checkpoint() {
        let runs = tempfile::tempdir().unwrap();
        let worker = training(runs.path());
        let broken = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || {
            let _worker = worker;
            panic!("a frame panics on purpose");
        }));
        assert!(broken.is_err());
        assert_saved(runs.path());
    }

    #[test]
    fn a_worker_that_is_asked_ends_by_itself_with_a_checkpoint() {
        let runs = tempfile::tempdir().unwrap();
        let mut worker = training(runs.path());
        assert!(!worker.has_ended());
        worker.ask_end();
        let start = Instant::now();
        while !worker.has_ended() {
            assert!(start.elapsed() < Duration::from_secs(60), "it never ended");
            worker.drain();
            std::thread::sleep(Duration::from_millis(1));
        }
        assert_saved(runs.path());
    }

    #[test]
    fn a_worker_that_nobody_listens_to_ends_with_a_checkpoint() {
        let runs = tempfile::tempdir().unwrap();
        let worker = training(runs.path());
        // As without frames: its events pile up.
        std::thread::sleep(Duration::from_millis(300));
        assert!(worker.engine.as_ref().unwrap().end(Duration::from_secs(60)));
        assert_saved(runs.path());
    }
}
