//! A toy experiment and a bench that runs it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use learnscope::engine::command::{Record, RunRequest};
use learnscope::engine::emit::Emit;
use learnscope::engine::event::{Event, KeyKind, KeySpec, Level, Payload, RunId, Status};
use learnscope::engine::experiment::{BuildRequest, Checkpoint, Experiment, RunError};
use learnscope::engine::params::{DefaultValue, ParamError, ParamKind, ParamSpec, Params, Value};
use learnscope::engine::state::RunState;
use learnscope::engine::worker::Engine;
use learnscope::watch::Watch;

pub const PARAMS: &[ParamSpec] = &[float("rate", true), float("fixed", false)];

const fn float(key: &'static str, live: bool) -> ParamSpec {
    ParamSpec {
        key,
        label: key,
        unit: "",
        group: "",
        kind: ParamKind::Float { min: 0.0, max: 10.0, log: false },
        default: DefaultValue::Float(1.0),
        help: "",
        live,
        only_if: None,
        folded: false,
        used_by: &[],
    }
}

pub const KEYS: &[KeySpec] = &[
    KeySpec { key: "sum", title: "sum", unit: "", kind: KeyKind::Scalar, every: 1 },
    KeySpec { key: "late", title: "late", unit: "", kind: KeyKind::Scalar, every: 10 },
    KeySpec { key: "picture", title: "picture", unit: "", kind: KeyKind::Payload, every: 10 },
];

/// Adds its rate to a sum at every step; panics at step 50 when `fixed` is 5, fails there when it is 6; cannot be built when
/// it is 8; takes 5 ms a step when it is 9. Its data take four seconds to be read when it is 7, and it is judged for three
/// before its first step when it is 4.
///
/// When it is 2.5 or 3.5, `late` is the sum of every tenth step, put off: of 3.5 until the next step has begun; of 2.5 for some
/// milliseconds, failing at step 50 at a rate of 2 and panicking there at a rate of 3; at a rate of 4 the step after it panics. At
/// a rate of 5 steps take 20 ms, and the measurement of step 10 fails after 200 ms. Checkpoints and last words have what was
/// measured.
pub struct Adder {
    sum: f64,
    rate: f64,
    fixed: f64,
    begun: Arc<AtomicU64>,
    measured: Arc<Mutex<f64>>,
}

/// Pieces of data that are read, and that the untrained network is judged on.
pub const READ: usize = 780;
pub const JUDGED: usize = 156;

fn read(params: &Params, watch: Watch<'_>) -> Result<(), ParamError> {
    for done in 0..if params.float("fixed") == 7.0 { READ } else { 0 } {
        if watch.cancelled() {
            return Err(ParamError::Invalid { key: "fixed".to_owned(), problem: "stopped".to_owned() });
        }
        std::thread::sleep(Duration::from_millis(5));
        (watch.progress)(done + 1, READ);
    }
    Ok(())
}

fn build(request: &BuildRequest<'_>) -> Result<Box<dyn Experiment>, RunError> {
    if request.params.float("fixed") == 8.0 {
        return Err(RunError::Data("the toy's data is not there".to_owned()));
    }
    let [rate, fixed] = ["rate", "fixed"].map(|key| request.params.float(key));
    Ok(Box::new(Adder { sum: 0.0, rate, fixed, begun: Arc::default(), measured: Arc::default() }))
}

impl Adder {
    fn put_off(&self, out: &mut Emit<'_>) -> Result<(), RunError> {
        let (sum, rate, waits) = (self.sum, self.rate, self.fixed == 3.5);
        let (begun, measured) = (self.begun.clone(), self.measured.clone());
        out.later(move |out| {
            let since = Instant::now();
            while waits && !out.is_last() && begun.load(Ordering::SeqCst) <= out.step() {
                if since.elapsed() > Duration::from_secs(20) {
                    return Err(RunError::Data("the next step did not begin".to_owned()));
                }
                std::thread::sleep(Duration::from_millis(1));
            }
            std::thread::sleep(Duration::from_millis(if rate == 5.0 { 200 } else { 5 }));
            assert!(waits || rate != 3.0 || out.step() != 50, "toy measurement panics on purpose");
            if !waits && (rate == 2.0 && out.step() == 50 || rate == 5.0) {
                return Err(RunError::Diverged("the sum cannot be measured; lower the rate".to_owned()));
            }
            out.scalar("late", sum);
            *measured.lock().unwrap() = sum;
            Ok(())
        })
    }
}

impl Experiment for Adder {
    fn begin(&mut self, out: &mut Emit<'_>) -> Result<(), RunError> {
        for done in 0..if self.fixed == 4.0 { JUDGED } else { 0 } {
            std::thread::sleep(Duration::from_millis(20));
            out.progress(done + 1, JUDGED)?;
        }
        out.scalar("sum", self.sum);
        Ok(())
    }

    fn step(&mut self, out: &mut Emit<'_>) -> Result<(), RunError> {
        self.begun.store(out.step(), Ordering::SeqCst);
        assert!(self.fixed != 5.0 || out.step() != 50, "toy experiment panics on purpose");
        assert!([self.fixed, self.rate] != [2.5, 4.0] || out.step() != 51, "toy experiment panics on purpose");
        if self.fixed == 6.0 && out.step() == 50 {
            return Err(RunError::Diverged("the sum is not a number; lower the rate".to_owned()));
        }
        let slow = match [self.fixed, self.rate] {
            [9.0, _] => 5,
            [2.5, 5.0] => 20,
            _ => 0,
        };
        std::thread::sleep(Duration::from_millis(slow));
        self.sum += self.rate;
        if self.rate == 7.0 && self.sum > 12.0 {
            return Err(RunError::Diverged(format!("a sum of {} is too much for the toy", self.sum)));
        }
        out.scalar("sum", self.sum);
        out.payload("picture", Payload::Series(vec![self.sum]));
        if (self.fixed == 2.5 || self.fixed == 3.5) && out.wants("late") {
            self.put_off(out)?;
        }
        Ok(())
    }

    fn stopped(&mut self, out: &mut Emit<'_>) {
        let measured = *self.measured.lock().unwrap();
        let measured = if measured > 0.0 { format!(", {measured} measured") } else { String::new() };
        out.notice(Level::Info, format!("stopped with a sum of {}{measured}", self.sum));
    }

    fn set(&mut self, key: &str, value: &Value) -> Result<(), ParamError> {
        if let ("rate", Value::Float(rate)) = (key, value) {
            self.rate = *rate;
        }
        Ok(())
    }

    fn checkpoint(&mut self) -> Result<Checkpoint, RunError> {
        let mut checkpoint = Checkpoint::default();
        checkpoint.put_f64("sum", vec![self.sum]);
        checkpoint.put_f64("measured", vec![*self.measured.lock().unwrap()]);
        Ok(checkpoint)
    }

    fn restore(&mut self, checkpoint: &Checkpoint) -> Result<(), RunError> {
        self.sum = checkpoint.get_f64("sum", 1)?[0];
        Ok(())
    }
}

pub fn toy(id: u64, steps: u64, fixed: f64) -> Box<RunRequest> {
    let mut params = Params::defaults(PARAMS);
    params.set(PARAMS, "fixed", Value::Float(fixed)).unwrap();
    Box::new(RunRequest {
        id: RunId(id),
        lab: "toy",
        name: "toy".to_owned(),
        build,
        specs: PARAMS,
        keys: KEYS,
        params,
        changes: Vec::new(),
        seed: 1,
        steps,
        device: None,
        device_check: None,
        record: Record::No,
        checkpoint_every: 0,
        checkpoint_time: Duration::from_secs(60),
        start_paused: false,
        resume_from: None,
        check: |_| Ok(()),
        data: |_| Ok(String::new()),
        read,
    })
}

pub struct Bench {
    pub engine: Engine,
    pub state: RunState,
    pub events: Vec<Event>,
}

impl Bench {
    pub fn new() -> Self {
        Self { engine: Engine::start(true, Arc::new(|| ())).unwrap(), state: RunState::default(), events: Vec::new() }
    }

    /// Takes events until `done`, or fails after a minute.
    pub fn until(&mut self, done: impl Fn(&RunState) -> bool) {
        let start = Instant::now();
        while !done(&self.state) {
            assert!(start.elapsed() < Duration::from_secs(60), "still {:?} at {}", self.state.status, self.state.step);
            for event in self.engine.recv(Duration::from_millis(20)) {
                self.state.apply(&event);
                self.events.push(event);
            }
        }
    }

    pub fn status(&mut self, status: Status) {
        self.until(|state| state.status.as_ref() == Some(&status));
    }
}
