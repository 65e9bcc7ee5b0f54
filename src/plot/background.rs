//! Work apart from the frame, which never waits for it: a thread that brings one thing ([`Task`]), the answer to the newest
//! of many requests ([`Latest`], and [`Long`] where it may take seconds), and one for each of many places ([`Many`]).

use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread;
use std::time::{Duration, Instant};

use eframe::egui::Context;

use super::medium::{self, UnderWay};
use crate::watch::Watch;

/// Work on a thread of its own that brings one thing. It is asked to stop when this is dropped.
pub struct Task<T> {
    answer: Receiver<Result<T, String>>,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    cancel: AtomicBool,
    done: AtomicUsize,
    all: AtomicUsize,
}

/// Asks for a frame. A figure waits until this is dropped.
pub fn repaint(ctx: &Context) -> impl Fn() + Send + 'static {
    let (ctx, under_way) = (ctx.clone(), medium::under_way(ctx));
    move || {
        ctx.request_repaint();
        // Held until the thread that has it ends.
        let _ = &under_way;
    }
}

/// Calls it when the thread ends, also in a panic.
struct AtTheEnd<F: Fn()>(F);

impl<F: Fn()> Drop for AtTheEnd<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

impl<T: Send + 'static> Task<T> {
    /// Begins work on a thread that is called `name`; `wake` is called at its end, however it ends. Work that takes long asks
    /// its watch whether it is still wanted.
    pub fn begin(
        name: &str,
        wake: impl Fn() + Send + 'static,
        work: impl FnOnce(Watch<'_>) -> T + Send + 'static,
    ) -> Self {
        let (sender, answer) = channel();
        let shared = Arc::<Shared>::default();
        let (to_thread, of_thread) = (sender.clone(), shared.clone());
        let spawned = thread::Builder::new().name(name.to_owned()).spawn(move || {
            // Dropped after the sender: whoever is woken finds the answer, or that none will come.
            let _woken = AtTheEnd(wake);
            let sender = to_thread;
            let progress = |done, all| {
                // Threads report in no particular order.
                of_thread.done.fetch_max(done, Ordering::Relaxed);
                of_thread.all.store(all, Ordering::Relaxed);
            };
            // The window may be gone by then; nobody misses the answer.
            let _ = sender.send(Ok(work(Watch { progress: &progress, cancel: &of_thread.cancel })));
        });
        if let Err(error) = spawned {
            let _ = sender.send(Err(format!("no thread can be started: {error}")));
        }
        Self { answer, shared }
    }

    /// What it brought, once; `None`: nothing yet. The error says why nothing will come.
    pub fn poll(&self) -> Option<Result<T, String>> {
        match self.answer.try_recv() {
            Ok(answer) => Some(answer),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => Some(Err("the work ended early; try again".to_owned())),
        }
    }
}

impl<T> Task<T> {
    /// How much is done, and how much there is in all; 0: not known yet.
    pub fn progress(&self) -> (usize, usize) {
        (self.shared.done.load(Ordering::Relaxed), self.shared.all.load(Ordering::Relaxed))
    }

    /// Asks it to stop; what is done is still brought.
    pub fn stop(&self) {
        self.shared.cancel.store(true, Ordering::Relaxed);
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.stop();
    }
}

impl<T> fmt::Debug for Task<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task").field("progress", &self.progress()).finish()
    }
}

/// Computes for the newest request only: while a slider moves, what is shown follows as fast as it can be computed.
pub struct Latest<K, V> {
    done: Option<(K, V)>,
    job: Option<(K, Task<V>)>,
    /// The request that came to nothing, which is not tried again, and why.
    failed: Option<(K, String)>,
}

impl<K, V> Default for Latest<K, V> {
    fn default() -> Self {
        Self { done: None, job: None, failed: None }
    }
}

impl<K: fmt::Debug, V> fmt::Debug for Latest<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let done = self.done.as_ref().map(|(key, _)| key);
        f.debug_struct("Latest").field("done", &done).field("busy", &self.job.is_some()).finish()
    }
}

impl<K: Clone + PartialEq + Send + 'static, V: Send + 'static> Latest<K, V> {
    /// Takes in what is finished, starts computing `wanted` on a thread called `name` if it is another request and nothing
    /// is under way, and returns the newest result (which may belong to an older request; see [`Latest::is_current`]).
    pub fn update(
        &mut self,
        name: &str,
        ctx: &Context,
        wanted: &K,
        compute: impl FnOnce(&K) -> V + Send + 'static,
    ) -> Option<&V> {
        self.receive();
        if self.job.is_none() && !self.is_current(wanted) && self.problem(wanted).is_none() {
            let key = wanted.clone();
            self.job = Some((wanted.clone(), Task::begin(name, repaint(ctx), move |_| compute(&key))));
        }
        self.newest()
    }

    /// Takes in what is finished; `true`: there is a new result.
    pub fn receive(&mut self) -> bool {
        let Some(answer) = self.job.as_ref().and_then(|(_, task)| task.poll()) else { return false };
        let Some((key, _)) = self.job.take() else { return false };
        match answer {
            Ok(value) => {
                (self.done, self.failed) = (Some((key, value)), None);
                true
            }
            Err(problem) => {
                tracing::warn!("{problem}");
                self.failed = Some((key, problem));
                false
            }
        }
    }

    /// The newest result.
    pub fn newest(&self) -> Option<&V> {
        self.done.as_ref().map(|(_, value)| value)
    }

    /// Whether the newest result belongs to this request.
    pub fn is_current(&self, wanted: &K) -> bool {
        self.done.as_ref().is_some_and(|(key, _)| key == wanted)
    }

    /// Whether something is being computed.
    pub fn is_busy(&self) -> bool {
        self.job.is_some()
    }

    /// Why this request comes to nothing.
    pub fn problem(&self, wanted: &K) -> Option<&str> {
        self.failed.as_ref().filter(|(key, _)| key == wanted).map(|(_, problem)| problem.as_str())
    }
}

/// Like [`Latest`] for work of seconds: it tells how far it is, can be cancelled, and gives way to another request.
pub struct Long<K, V> {
    done: Option<(K, V)>,
    job: Option<Begun<K, V>>,
    /// The request that is not computed: why.
    stopped: Option<(K, String)>,
}

/// What is under way, and since when.
type Begun<K, V> = (K, Task<Result<V, String>>, Instant);

/// Work that takes longer is told how far it is, and gives way to another request.
const PATIENCE: Duration = Duration::from_millis(300);

impl<K, V> Default for Long<K, V> {
    fn default() -> Self {
        Self { done: None, job: None, stopped: None }
    }
}

impl<K: fmt::Debug, V> fmt::Debug for Long<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let done = self.done.as_ref().map(|(key, _)| key);
        f.debug_struct("Long").field("done", &done).field("busy", &self.job.is_some()).finish()
    }
}

impl<K: Clone + PartialEq + Send + 'static, V: Send + 'static> Long<K, V> {
    /// With what was computed elsewhere.
    pub fn of(key: K, value: V) -> Self {
        Self { done: Some((key, value)), ..Self::default() }
    }

    /// Takes in what is finished and begins `wanted` on a thread called `name` unless it is known, stopped or under way. Whether there is
    /// a new result. Never waits.
    pub fn follow(
        &mut self,
        name: &str,
        ctx: &Context,
        wanted: &K,
        compute: impl FnOnce(&K, Watch<'_>) -> Result<V, String> + Send + 'static,
    ) -> bool {
        let answer = self.job.as_ref().and_then(|(_, task, _)| task.poll());
        let finished = answer.and_then(|answer| Some((self.job.take()?.0, answer.unwrap_or_else(Err))));
        let new = match finished {
            Some((key, Ok(value))) => {
                self.done = Some((key, value));
                true
            }
            Some((key, Err(why))) => {
                self.stopped = Some((key, why));
                false
            }
            None => false,
        };
        self.job.take_if(|(key, _, since)| *key != *wanted && since.elapsed() > PATIENCE);
        let known = self.done.as_ref().is_some_and(|(key, _)| key == wanted);
        if self.job.is_none() && !known && self.stopped(wanted).is_none() {
            let key = wanted.clone();
            let task = Task::begin(name, repaint(ctx), move |watch| compute(&key, watch));
            self.job = Some((wanted.clone(), task, Instant::now()));
        }
        if self.job.is_some() {
            // How far it is, is seen by those who wait.
            ctx.request_repaint_after(PATIENCE);
        }
        new
    }

    /// The newest result with its request.
    pub fn newest(&self) -> Option<&(K, V)> {
        self.done.as_ref()
    }

    /// How much is done of how much, where that takes long enough to be told.
    pub fn progress(&self) -> Option<(usize, usize)> {
        self.job.as_ref().filter(|(_, _, since)| since.elapsed() > PATIENCE).map(|(_, task, _)| task.progress())
    }

    /// Why this request is not computed.
    pub fn stopped(&self, wanted: &K) -> Option<&str> {
        self.stopped.as_ref().filter(|(key, _)| key == wanted).map(|(_, why)| why.as_str())
    }

    /// Stops the work, until [`Long::again`].
    pub fn cancel(&mut self) {
        if let Some((key, ..)) = self.job.take() {
            self.stopped = Some((key, "It was cancelled.".to_owned()));
        }
    }

    /// Tries once more what was stopped.
    pub fn again(&mut self) {
        self.stopped = None;
    }
}

/// Results for many places, made on one thread in the order in which places were last served, so that all get their turn
/// while a slider moves. A place shows its last result until the next one is there.
pub struct Many<K, V, T> {
    places: BTreeMap<K, Place<V, T>>,
    /// `None`: no thread yet. It ends when this is dropped.
    thread: Option<Workshop<K, V, T>>,
    in_flight: usize,
    /// Counts what was handed out.
    served: u64,
}

type Work<T> = Box<dyn FnOnce() -> T + Send>;
type Job<K, V, T> = (K, V, Work<T>, UnderWay);
/// Where work goes, and where results come from; `None` where the work panicked.
type Workshop<K, V, T> = (Sender<Job<K, V, T>>, Receiver<(K, V, Option<T>)>);

struct Place<V, T> {
    done: Option<(V, Arc<T>)>,
    wanted: Option<(V, Work<T>)>,
    busy: bool,
    /// The version that came to nothing, which is not tried again.
    failed: Option<V>,
    /// When it was last served.
    served: u64,
}

impl<V, T> Default for Place<V, T> {
    fn default() -> Self {
        Self { done: None, wanted: None, busy: false, failed: None, served: 0 }
    }
}

impl<K, V, T> Default for Many<K, V, T> {
    fn default() -> Self {
        Self { places: BTreeMap::new(), thread: None, in_flight: 0, served: 0 }
    }
}

impl<K: fmt::Debug, V, T> fmt::Debug for Many<K, V, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Many").field("places", &self.places.keys()).field("in_flight", &self.in_flight).finish()
    }
}

impl<K: Copy + Ord + Send + 'static, V: Copy + PartialEq + Send + 'static, T: Send + 'static> Many<K, V, T> {
    /// Works that are handed out at the same time.
    const IN_FLIGHT: usize = 4;

    /// Takes in what is finished and hands out what waits; `name` is the thread's.
    pub fn follow(&mut self, name: &str, ctx: &Context) {
        while let Some(Ok((key, version, made))) = self.thread.as_ref().map(|(_, done)| done.try_recv()) {
            self.in_flight = self.in_flight.saturating_sub(1);
            if let Some(place) = self.places.get_mut(&key) {
                place.busy = false;
                // It may have been asked for again while it was being made.
                place.wanted.take_if(|(wanted, _)| *wanted == version);
                match made {
                    Some(made) => place.done = Some((version, Arc::new(made))),
                    None => place.failed = Some(version),
                }
            }
        }
        while self.in_flight < Self::IN_FLIGHT {
            let waiting = self.places.iter_mut().filter(|(_, place)| place.wanted.is_some() && !place.busy);
            let Some((key, place)) = waiting.min_by_key(|(_, place)| place.served) else { return };
            let Some((version, work)) = place.wanted.take() else { return };
            let (jobs, _) = self.thread.get_or_insert_with(|| workshop(name, ctx));
            if jobs.send((*key, version, work, medium::under_way(ctx))).is_err() {
                // The thread could not be started: what is shown stays as it is.
                return;
            }
            self.served += 1;
            (place.served, place.busy) = (self.served, true);
            self.in_flight += 1;
        }
    }

    /// Asks for this version of a place; [`Many::newest`] has it some frames later.
    pub fn want(&mut self, key: K, version: V, work: impl FnOnce() -> T + Send + 'static) {
        let place = self.places.entry(key).or_default();
        let current = place.done.as_ref().is_some_and(|(done, _)| *done == version);
        place.wanted = (!current && place.failed != Some(version)).then(|| (version, Box::new(work) as Work<T>));
    }

    /// The newest result of a place, which may be of a version just left.
    pub fn newest(&self, key: K) -> Option<&Arc<T>> {
        self.places.get(&key)?.done.as_ref().map(|(_, made)| made)
    }

    /// Forgets a place. What is being made for it comes to nothing.
    pub fn forget(&mut self, key: K) {
        self.places.remove(&key);
    }

    /// Whether everything that was asked for is there.
    pub fn is_settled(&self) -> bool {
        self.in_flight == 0 && self.places.values().all(|place| place.wanted.is_none() && !place.busy)
    }
}

/// Starts the thread of a [`Many`].
fn workshop<K: Send + 'static, V: Send + 'static, T: Send + 'static>(name: &str, ctx: &Context) -> Workshop<K, V, T> {
    let (jobs, todo) = channel::<Job<K, V, T>>();
    let (done, results) = channel();
    let ctx = ctx.clone();
    let work = move || {
        while let Ok((key, version, work, _under_way)) = todo.recv() {
            // A panic has been reported by its hook; the other places still get theirs.
            let made = catch_unwind(AssertUnwindSafe(work)).ok();
            if done.send((key, version, made)).is_err() {
                return;
            }
            ctx.request_repaint();
        }
    };
    if let Err(error) = thread::Builder::new().name(name.to_owned()).spawn(work) {
        tracing::warn!("no thread can be started: {error}");
    }
    (jobs, results)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Polls until there is an answer.
    fn wait<T>(mut poll: impl FnMut() -> Option<T>) -> T {
        let start = Instant::now();
        loop {
            if let Some(found) = poll() {
                return found;
            }
            assert!(start.elapsed() < Duration::from_secs(20));
            thread::sleep(Duration::from_millis(1));
        }
    }

    #[test]
    fn long_work_is_cancelled_and_tried_again_and_gives_way() {
        let ctx = Context::default();
        let mut squares: Long<u64, u64> = Long::default();
        let square = |n: &u64, _: Watch<'_>| Ok(n * n);
        wait(|| squares.follow("square", &ctx, &3, square).then_some(()));
        assert_eq!(squares.newest(), Some(&(3, 9)));
        // This ends only when nobody wants it any more.
        let endless = |_: &u64, watch: Watch<'_>| {
            while !watch.cancelled() {
                thread::sleep(Duration::from_millis(1));
            }
            Err("stopped".to_owned())
        };
        assert!(!squares.follow("endless", &ctx, &4, endless));
        squares.cancel();
        assert_eq!((squares.stopped(&4), squares.stopped(&5)), (Some("It was cancelled."), None));
        assert!(!squares.follow("square", &ctx, &4, square), "it stays cancelled");
        squares.again();
        assert!(!squares.follow("endless", &ctx, &4, endless));
        wait(|| squares.progress());
        wait(|| squares.follow("square", &ctx, &5, square).then_some(()));
        assert_eq!(squares.newest(), Some(&(5, 25)));
        wait(|| {
            squares.follow("refused", &ctx, &6, |_, _| Err("no".to_owned()));
            squares.stopped(&6).map(str::to_owned)
        });
        assert_eq!(squares.newest(), Some(&(5, 25)), "what was there stays");
    }

    #[test]
    fn the_newest_request_is_answered_in_the_end() {
        let ctx = Context::default();
        let mut squares: Latest<u64, u64> = Latest::default();
        let square = |key: &u64| key * key;
        assert_eq!(squares.update("square", &ctx, &3, square), None, "the first frame does not wait");
        wait(|| {
            squares.update("square", &ctx, &7, square);
            squares.is_current(&7).then_some(())
        });
        assert_eq!(squares.update("square", &ctx, &7, square), Some(&49));
        assert!(!squares.is_busy());
    }

    #[test]
    fn work_that_panics_is_told_and_not_tried_again() {
        let ctx = Context::default();
        let mut latest: Latest<u64, u64> = Latest::default();
        let odd = |key: &u64| {
            assert!(!key.is_multiple_of(2), "panics on purpose");
            *key
        };
        latest.update("odd", &ctx, &1, odd);
        wait(|| latest.receive().then_some(()));
        let problem = wait(|| {
            latest.update("odd", &ctx, &2, odd);
            latest.problem(&2).map(str::to_owned)
        });
        assert!(problem.contains("try again"), "{problem}");
        assert_eq!(latest.update("odd", &ctx, &2, odd), Some(&1), "the last result stays");
        assert!(!latest.is_busy(), "it is not computed again in every frame");
        wait(|| latest.update("odd", &ctx, &3, odd).filter(|value| **value == 3).copied());
    }

    #[test]
    fn every_place_gets_its_newest_version_once() {
        let ctx = Context::default();
        let mut many: Many<usize, u64, u64> = Many::default();
        let made = Arc::new(AtomicUsize::new(0));
        let ask = |many: &mut Many<usize, u64, u64>, version: u64| {
            wait(|| {
                many.follow("many", &ctx);
                for place in 0..12 {
                    let made = made.clone();
                    many.want(place, version, move || {
                        made.fetch_add(1, Ordering::Relaxed);
                        assert!(!(place == 5 && version == 7), "panics on purpose");
                        version * place as u64
                    });
                }
                many.is_settled().then_some(())
            });
            made.swap(0, Ordering::Relaxed)
        };
        assert_eq!(many.newest(3), None, "the first frame does not wait");
        assert_eq!(ask(&mut many, 2), 12);
        assert_eq!(ask(&mut many, 2), 0, "nothing changed, nothing is made");
        assert_eq!((0..12).map(|place| **many.newest(place).unwrap()).sum::<u64>(), 2 * 66);
        assert_eq!(ask(&mut many, 7), 12, "one that panics is not tried again");
        assert_eq!([4, 5, 6].map(|place| **many.newest(place).unwrap()), [28, 10, 42], "and its last result stays");
        many.forget(4);
        assert_eq!(many.newest(4), None);
    }

    #[test]
    fn a_task_has_a_name_tells_how_far_it_is_and_stops_when_it_is_dropped() {
        let (sender, heard) = channel();
        let task = Task::begin(
            "named work",
            || {},
            move |watch| {
                (watch.progress)(3, 8);
                sender.send(thread::current().name().map(str::to_owned)).unwrap();
                while !watch.cancelled() {
                    thread::sleep(Duration::from_millis(1));
                }
                sender.send(None).unwrap();
            },
        );
        assert_eq!(heard.recv().unwrap().as_deref(), Some("named work"));
        assert_eq!(task.progress(), (3, 8));
        assert!(task.poll().is_none());
        drop(task);
        assert_eq!(heard.recv_timeout(Duration::from_secs(20)).unwrap(), None);
    }

    #[test]
    fn whoever_waits_is_woken_whatever_becomes_of_the_work() {
        for panics in [false, true] {
            let (sender, woken) = channel();
            let wake = move || {
                let _ = sender.send(());
            };
            let task = Task::begin("work", wake, move |_| assert!(!panics, "panics on purpose"));
            woken.recv_timeout(Duration::from_secs(20)).unwrap();
            assert_eq!(task.poll().map(|answer| answer.is_err()), Some(panics), "the answer is there by then");
        }
    }
}
