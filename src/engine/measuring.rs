//! What steps put off ([`Emit::later`](super::emit::Emit::later)) is done on a thread beside the next ones; everything is handed out
//! in the order of the steps.

use std::any::Any;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Instant;

use crossbeam::channel::{Receiver, Sender, unbounded};

use super::emit::{Emission, Emit, Later};
use super::experiment::RunError;

/// Steps of the run whose work may be on its way while another one is made. What they have read from the device stays in memory.
const MOST_WAITING: usize = 1;
/// Of a thread that measures, as the training's.
const STACK: usize = 16 << 20;

/// What a work reported, or why not; a panic is the training's.
type Done = Result<Result<Emission, RunError>, Box<dyn Any + Send>>;

/// The steps of one run that are not told yet.
#[derive(Debug, Default)]
pub(super) struct Measuring {
    steps: VecDeque<Waiting>,
    thread: Option<Thread>,
}

#[derive(Debug)]
struct Thread {
    works: Sender<Later>,
    done: Receiver<Done>,
}

#[derive(Debug)]
struct Waiting {
    reported: Reported,
    /// The rest of it is on its way.
    incomplete: bool,
}

/// What a step reported.
#[derive(Debug)]
pub(super) struct Reported {
    pub step: u64,
    pub by_twin: bool,
    /// All of it, or why it could not be measured.
    pub emission: Result<Emission, RunError>,
}

impl Measuring {
    /// Takes what a step reported at once, and what it put off.
    pub fn put(&mut self, mut out: Emit<'_>, by_twin: bool) {
        let (step, later) = (out.step(), out.put_off());
        let mut reported = Reported { step, by_twin, emission: Ok(out.finish()) };
        let kept = later.map(|later| self.hand_over(later));
        let incomplete = matches!(kept, Some(None));
        // Without a thread it is done here.
        if let Some(later) = kept.flatten() {
            reported.complete(later.run());
        }
        self.steps.push_back(Waiting { reported, incomplete });
    }

    /// The next step in order, if all of it is there by then; `None`: once it is. So it is too where too much waits.
    pub fn next(&mut self, until: Option<Instant>) -> Option<Reported> {
        let is_waiting = |step: &Waiting| step.incomplete && !step.reported.by_twin;
        if let Some(thread) = self.thread.as_ref().filter(|_| self.steps.front().is_some_and(|first| first.incomplete))
        {
            let too_many = self.steps.iter().filter(|step| is_waiting(step)).count() > MOST_WAITING;
            let done = match until.filter(|_| !too_many) {
                None => thread.done.recv().expect("the thread measures as long as it is handed work"),
                Some(until) => thread.done.recv_deadline(until).ok()?,
            };
            let later = done.unwrap_or_else(|panic| resume_unwind(panic));
            self.steps.front_mut()?.reported.complete(later);
        }
        self.steps.pop_front().map(|waiting| waiting.reported)
    }

    /// Gives it back where there is no thread for it.
    fn hand_over(&mut self, later: Later) -> Option<Later> {
        if self.thread.is_none() {
            self.thread = start();
        }
        match &self.thread {
            Some(thread) => thread.works.send(later).err().map(|refused| refused.0),
            None => Some(later),
        }
    }
}

impl Reported {
    fn complete(&mut self, later: Result<Emission, RunError>) {
        match (&mut self.emission, later) {
            (Ok(emission), Ok(later)) => emission.append(later),
            (_, Err(error)) => self.emission = Err(error),
            (Err(_), Ok(_)) => {}
        }
    }
}

/// It ends when nobody hands it work any more.
fn start() -> Option<Thread> {
    let (works, inbox) = unbounded::<Later>();
    let (outbox, done) = unbounded();
    // The training has all of them meanwhile.
    let threads = (rayon::current_num_threads() / 2).max(1);
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .stack_size(STACK)
        .thread_name(|_| "measuring".to_owned())
        .build()
        .inspect_err(|error| tracing::warn!("no thread to measure with beside the training: {error}"))
        .ok()?;
    pool.spawn(move || {
        for later in inbox {
            let found = catch_unwind(AssertUnwindSafe(|| later.run()));
            if outbox.send(found).is_err() {
                return;
            }
        }
    });
    Some(Thread { works, done })
}
