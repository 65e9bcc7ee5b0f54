//! Ends that come from outside: the system's log-out, `kill`, Ctrl-C in the terminal, a display that is gone. None of them
//! asks, and none may cost training: the worker finishes its step and writes a checkpoint first, whether frames are drawn
//! or not. A second signal ends the program at once.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use signal_hook::{flag, low_level};

use super::backend::Wake;
use crate::engine::worker::Engine;
use crate::signals;

/// How often the signals are looked at.
const TICK: Duration = Duration::from_millis(100);
/// Time that the window has to close by itself once the worker has ended.
const GRACE: Duration = Duration::from_secs(6);

/// The signal that asked for the end, 0: none.
static ASKED: LazyLock<Arc<AtomicUsize>> = LazyLock::new(Arc::default);

/// The signal that asked the program to end, if one did.
pub fn asked() -> Option<i32> {
    i32::try_from(ASKED.load(Ordering::Acquire)).ok().filter(|signal| *signal != 0)
}

/// Listens for signals, and for the exit that a library takes by itself. On any of them the worker gets to the end of its
/// step and its checkpoint; `wake` asks the window for the frame in which it closes.
pub fn guard(engine: &Arc<Engine>, wake: Wake) -> io::Result<()> {
    at_exit(engine);
    let again = Arc::new(AtomicBool::new(false));
    for signal in signals::that_end() {
        // In this order: the first signal finds the flag still down and raises it.
        flag::register_conditional_shutdown(signal, 128 + signal, again.clone())?;
        flag::register_usize(signal, ASKED.clone(), signal as usize)?;
        flag::register(signal, again.clone())?;
    }
    let engine = engine.clone();
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        let signal = loop {
            match asked() {
                Some(signal) => break signal,
                None => thread::sleep(TICK),
            }
        };
        wake();
        engine.end(Duration::MAX);
        wake();
        thread::sleep(GRACE);
        // No frames come any more: all that had to be saved is.
        low_level::exit(128 + signal);
    })?;
    Ok(())
}

/// Lets the program end without waiting for the worker.
pub fn let_go() {
    take_engine();
}

/// The worker that an exit waits for.
static AT_EXIT: Mutex<Option<Arc<Engine>>> = Mutex::new(None);

fn take_engine() -> Option<Arc<Engine>> {
    AT_EXIT.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// Xlib calls `exit` from within when the display is gone, as it is at a log-out: nothing is unwound or dropped then, and
/// only this is heard of it.
#[cfg(unix)]
#[allow(unsafe_code, reason = "the C library alone tells of this end")]
fn at_exit(engine: &Arc<Engine>) {
    unsafe extern "C" {
        fn atexit(callback: extern "C" fn()) -> i32;
    }
    extern "C" fn save() {
        if let Some(engine) = take_engine() {
            engine.end(Duration::MAX);
        }
    }
    let first = AT_EXIT.lock().unwrap_or_else(PoisonError::into_inner).replace(engine.clone()).is_none();
    if first {
        // SAFETY: the function is the C library's and the callback lives as long as the program. Should the list of
        // callbacks be full, an exit does not wait.
        unsafe { atexit(save) };
    }
}

#[cfg(not(unix))]
fn at_exit(_engine: &Arc<Engine>) {}
