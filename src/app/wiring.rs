//! What the real window is made of: the worker, the reader of recordings, the list of devices.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::backend::{Backend, DeviceEntry};
use super::window::WindowOptions;
use super::{Open, Wake};
use crate::compute::device;
use crate::engine::command::Command;
use crate::engine::event::Event;
use crate::engine::mailbox::Letter;
use crate::engine::worker::Engine;
use crate::labs::{self, LABS};

/// Longest time that a frame spends on taking in events.
const DRAIN: Duration = Duration::from_millis(10);
/// Longest time that closing the window waits for the worker.
const PATIENCE: Duration = Duration::from_secs(5);

/// The worker behind the window.
struct Worker {
    engine: Option<Engine>,
    more: bool,
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

    fn shutdown(&mut self) {
        if let Some(engine) = self.engine.take() {
            engine.shutdown(PATIENCE);
        }
    }
}

/// Everything that [`super::window::run_window`] needs, with runs recorded under `runs`.
pub fn window_options(runs: PathBuf, open: Open) -> std::io::Result<WindowOptions> {
    // The thread is started here, so that its failure is an error and not a dead window.
    let waker: Arc<std::sync::OnceLock<Wake>> = Arc::default();
    let engine = {
        let waker = waker.clone();
        Engine::start(
            true,
            Arc::new(move || {
                if let Some(wake) = waker.get() {
                    wake();
                }
            }),
        )?
    };
    Ok(WindowOptions {
        labs: LABS.to_vec(),
        backend: Box::new(move |wake| {
            waker.set(wake).ok();
            Box::new(Worker { engine: Some(engine), more: false })
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
