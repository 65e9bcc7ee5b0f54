//! The engine's promises, with a toy experiment and then with every registered lab: start, pause, step, change a live
//! parameter, stop, bad parameter, panic, a consumer that does not listen, resume.

mod support;

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use learnscope::compute::device::DeviceChoice;
use learnscope::engine::command::{Command, Record, RunRequest};
use learnscope::engine::event::{Body, Change, Event, RunId, Status};
use learnscope::engine::params::{ParamSpec, Params, Value};
use learnscope::engine::state::RunState;
use learnscope::engine::worker::Engine;
use learnscope::kit::lab::{self, RunOptions};
use learnscope::kit::view::Lab;
use learnscope::labs::LABS;

use support::toy::{self, Bench, toy};

#[test]
fn a_run_goes_from_start_to_finish() {
    let mut bench = Bench::new();
    bench.engine.send(Command::Start(toy(1, 100, 0.0)));
    bench.status(Status::Finished);
    assert_eq!(bench.state.step, 100);
    assert_eq!(bench.state.last("sum"), Some(100.0));
    assert_eq!(bench.state.scalars["sum"].points().len(), 101);
    assert!(matches!(bench.events[0].body, Body::Started(_)), "the header comes first");
}

#[test]
fn pause_step_and_resume_change_no_number() {
    let mut bench = Bench::new();
    let mut request = toy(1, 1_000, 0.0);
    request.start_paused = true;
    bench.engine.send(Command::Start(request));
    bench.status(Status::Paused);
    assert_eq!(bench.state.step, 0);
    bench.engine.send(Command::Step(3));
    bench.until(|state| state.step == 3 && state.status == Some(Status::Paused));
    bench.engine.send(Command::Resume);
    bench.status(Status::Finished);
    assert_eq!(bench.state.last("sum"), Some(1_000.0));
}

#[test]
fn what_is_asked_behind_a_start_reaches_the_run() {
    let root = tempfile::tempdir().unwrap();
    let mut bench = Bench::new();
    bench.engine.send(Command::Start(toy(1, 1_000_000, 9.0)));
    bench.status(Status::Running);
    let record = Record::New(root.path().to_owned());
    bench.engine.send(Command::Start(Box::new(RunRequest { record, ..*toy(2, 1_000_000, 9.0) })));
    for command in [Command::Step(3), Command::Checkpoint, Command::Stop] {
        bench.engine.send(command);
    }
    bench.until(|state| state.id == Some(RunId(2)) && state.status == Some(Status::Stopped));
    assert!(bench.state.step <= 3);
    assert!(bench.events.iter().any(|event| matches!(event.body, Body::Checkpoint { .. })));
}

#[test]
fn a_live_change_is_applied_marked_and_a_bad_one_refused_by_name() {
    let mut bench = Bench::new();
    let mut request = toy(1, 20, 0.0);
    request.start_paused = true;
    bench.engine.send(Command::Start(request));
    bench.status(Status::Paused);
    bench.engine.send(Command::Step(10));
    bench.until(|state| state.step == 10 && state.status == Some(Status::Paused));
    bench.engine.send(Command::Set { key: "rate".to_owned(), value: Value::Float(2.0) });
    for (key, value) in [("rate", Value::Float(f64::NAN)), ("fixed", Value::Float(2.0)), ("nothing", Value::Int(1))] {
        bench.engine.send(Command::Set { key: key.to_owned(), value });
    }
    bench.engine.send(Command::Resume);
    bench.status(Status::Finished);
    assert_eq!(bench.state.last("sum"), Some(30.0));
    assert_eq!(bench.state.params.float("rate"), 2.0);
    let marks: Vec<&str> = bench.state.marks.iter().map(|mark| mark.text.as_str()).collect();
    assert_eq!(marks[0], "rate changed from 1.0 to 2.0");
    assert!(marks[1].contains("`rate`") && marks[1].contains("0 to 10"), "{}", marks[1]);
    assert!(marks[2].contains("`fixed` cannot change"), "{}", marks[2]);
    assert!(marks[3].contains("unknown parameter `nothing`"), "{}", marks[3]);
}

#[test]
fn a_scheduled_change_equals_one_by_hand() {
    let mut bench = Bench::new();
    let mut request = toy(1, 20, 0.0);
    request.changes = vec![Change { step: 10, key: "rate".to_owned(), value: Value::Float(2.0) }];
    bench.engine.send(Command::Start(request));
    bench.status(Status::Finished);
    assert_eq!(bench.state.last("sum"), Some(30.0));
    assert_eq!(bench.state.marks[0].step, 10);
}

#[test]
fn a_fork_trains_a_twin_from_the_same_state() {
    let mut bench = Bench::new();
    let request = RunRequest { start_paused: true, ..*toy(1, 20, 0.0) };
    bench.engine.send(Command::Start(Box::new(request)));
    bench.status(Status::Paused);
    bench.engine.send(Command::Step(10));
    bench.until(|state| state.step == 10 && state.status == Some(Status::Paused));
    let set = |key: &str, value: f64| Command::Set { key: key.to_owned(), value: Value::Float(value) };
    bench.engine.send(set("twin/fixed", 3.0));
    bench.engine.send(set("twin/rate", 99.0));
    bench.until(|state| state.notices.len() == 2);
    assert_eq!(bench.state.twin, None, "a refused value forks nothing");
    assert!(
        bench.state.notices[0].2.contains("`fixed` cannot change while a run goes on"),
        "{:?}",
        bench.state.notices
    );
    assert!(bench.state.notices[1].2.contains("`rate`"), "{:?}", bench.state.notices);
    bench.engine.send(set("twin/rate", 3.0));
    bench.engine.send(Command::Step(5));
    bench.until(|state| state.step == 15 && state.status == Some(Status::Paused));
    // From here on the run's own rate is another; the twin keeps its own.
    bench.engine.send(set("rate", 2.0));
    bench.engine.send(Command::Resume);
    bench.status(Status::Finished);
    assert_eq!((bench.state.last("sum"), bench.state.last("twin/sum")), (Some(25.0), Some(40.0)));
    assert_eq!(bench.state.scalars["twin/sum"].points().next(), Some((11, 13.0)), "the twin begins where it forked");
    assert_eq!(bench.state.twin.as_ref().map(|twin| twin.float("rate")), Some(3.0));
    assert_eq!(bench.state.params.float("rate"), 2.0);
    assert_eq!(bench.state.marks[2].text, "forked: the twin goes on with rate 3.0 instead of 1.0");
}

#[test]
fn a_twin_that_fails_ends_alone() {
    let mut bench = Bench::new();
    let mut request = toy(1, 20, 0.0);
    request.changes = vec![Change { step: 4, key: "twin/rate".to_owned(), value: Value::Float(7.0) }];
    bench.engine.send(Command::Start(request));
    bench.status(Status::Finished);
    assert_eq!((bench.state.last("sum"), bench.state.last("twin/sum")), (Some(20.0), Some(4.0 + 7.0)));
    let told: Vec<_> = bench.state.notices.iter().map(|(step, _, text)| (*step, text.as_str())).collect();
    assert_eq!(told, [(6, "the twin has ended, the run itself goes on: a sum of 18 is too much for the toy")]);
}

#[test]
fn the_worker_survives_a_panicking_and_a_failing_experiment() {
    let mut bench = Bench::new();
    for (id, fixed, words) in [(1, 5.0, "panics on purpose"), (2, 6.0, "lower the rate")] {
        bench.engine.send(Command::Start(toy(id, 100, fixed)));
        bench.until(|state| state.id == Some(RunId(id)) && !state.is_live());
        let Some(Status::Failed(text)) = &bench.state.status else { panic!("{:?}", bench.state.status) };
        assert!(text.contains(words), "{text}");
        assert_eq!(bench.state.step, 49, "what happened before is kept");
    }
    bench.engine.send(Command::Start(toy(3, 10, 0.0)));
    bench.until(|state| state.id == Some(RunId(3)) && state.status == Some(Status::Finished));
}

fn late(bench: &Bench, key: &str) -> Vec<(u64, f64)> {
    bench.state.scalars.get(key).map_or(Vec::new(), |history| history.points().collect())
}

#[test]
fn what_a_step_puts_off_is_done_while_the_next_one_runs_and_told_in_its_place() {
    let mut bench = Bench::new();
    bench.engine.send(Command::Start(toy(1, 40, 3.5)));
    bench.status(Status::Finished);
    assert_eq!(late(&bench, "late"), [(10, 10.0), (20, 20.0), (30, 30.0), (40, 40.0)]);
    assert_eq!(bench.state.scalars["sum"].points().len(), 41);
    assert!(bench.events.is_sorted_by_key(|event| event.step), "each step has its place");
    let of_one = bench.events.iter().filter(|event| event.step == 20 && matches!(event.body, Body::Scalars(_)));
    assert_eq!(of_one.count(), 1, "the numbers of a step stay together");
}

/// Where in the events the tenth step's measurement is, and the first event like this.
fn places(bench: &Bench, like: impl Fn(&Body) -> bool) -> (usize, usize) {
    let late = |body: &Body| matches!(body, Body::Scalars(all) if all.iter().any(|(key, _)| &**key == "late"));
    let place = |like: &dyn Fn(&Body) -> bool| bench.events.iter().position(|event| like(&event.body)).unwrap();
    (place(&late), place(&like))
}

#[test]
fn what_is_put_off_is_told_before_anything_else_happens() {
    let root = tempfile::tempdir().unwrap();
    let mut bench = Bench::new();
    let (record, start_paused) = (Record::New(root.path().to_owned()), true);
    bench.engine.send(Command::Start(Box::new(RunRequest { record, start_paused, ..*toy(1, 100, 2.5) })));
    bench.status(Status::Paused);
    bench.engine.send(Command::Step(10));
    bench.until(|state| state.step == 10 && state.status == Some(Status::Paused));
    assert_eq!(late(&bench, "late"), [(10, 10.0)]);
    // Thirty steps take no time, their measurements do.
    bench.engine.send(Command::Step(30));
    bench.until(|state| state.step == 40 && state.status == Some(Status::Paused));
    bench.engine.send(Command::Stop);
    bench.status(Status::Stopped);
    assert_eq!(late(&bench, "late").last(), Some(&(40, 40.0)));
    let told = &bench.state.notices.last().unwrap().2;
    assert_eq!(told, "stopped with a sum of 40, 40 measured");
}

#[test]
fn a_change_and_a_checkpoint_wait_for_what_is_put_off() {
    for key in ["rate", "twin/rate"] {
        let mut bench = Bench::new();
        let changes = vec![Change { step: 10, key: key.to_owned(), value: Value::Float(6.0) }];
        bench.engine.send(Command::Start(Box::new(RunRequest { changes, ..*toy(1, 20, 2.5) })));
        bench.status(Status::Finished);
        let (measured, changed) = places(&bench, |body| matches!(body, Body::Changed { .. }));
        assert!(measured < changed, "{key}");
    }
    let root = tempfile::tempdir().unwrap();
    let mut bench = Bench::new();
    let record = Record::New(root.path().to_owned());
    bench.engine.send(Command::Start(Box::new(RunRequest { record, checkpoint_every: 10, ..*toy(1, 15, 2.5) })));
    bench.status(Status::Finished);
    let (measured, saved) = places(&bench, |body| matches!(body, Body::Checkpoint { .. }));
    assert!(measured < saved);
    let Body::Checkpoint { file } = &bench.events[saved].body else { unreachable!() };
    let folder = PathBuf::from(&bench.state.header.as_ref().unwrap().folder);
    let checkpoint = learnscope::engine::checkpoint_file::read(&folder.join(file)).unwrap();
    assert_eq!((checkpoint.step, checkpoint.get_f64("measured", 1).unwrap()), (10, &[10.0][..]));
}

#[test]
fn a_command_is_heard_though_the_measurement_fails_that_it_waits_for() {
    let mut bench = Bench::new();
    let start = |bench: &mut Bench, id: u64| {
        let mut request = toy(id, 1_000, 2.5);
        request.params.set(toy::PARAMS, "rate", Value::Float(5.0)).unwrap();
        bench.engine.send(Command::Start(request));
        bench.until(|state| state.id == Some(RunId(id)) && state.step == 9);
        // The tenth step is over, its measurement is not.
        std::thread::sleep(Duration::from_millis(60));
    };
    start(&mut bench, 1);
    bench.engine.send(Command::Start(toy(2, 10, 0.0)));
    bench.until(|state| state.id == Some(RunId(2)) && state.status == Some(Status::Finished));
    let failed = |event: &Event| matches!(event.body, Body::Status(Status::Failed(_))) && event.run == RunId(1);
    assert!(bench.events.iter().any(failed));
    start(&mut bench, 3);
    assert!(bench.engine.end(Duration::from_secs(20)), "the worker was asked to end");
}

#[test]
fn a_measurement_that_fails_ends_the_run_at_its_step() {
    let mut bench = Bench::new();
    // Where the next step panics nothing of this one is lost.
    let cases = [(2.0, "cannot be measured", 49), (3.0, "measurement panics", 49), (4.0, "experiment panics", 50)];
    for (id, (rate, words, last)) in (1..).zip(cases) {
        let mut request = toy(id, 1_000, 2.5);
        request.params.set(toy::PARAMS, "rate", Value::Float(rate)).unwrap();
        bench.engine.send(Command::Start(request));
        bench.until(|state| state.id == Some(RunId(id)) && !state.is_live());
        let Some(Status::Failed(text)) = &bench.state.status else { panic!("{:?}", bench.state.status) };
        assert!(text.contains(words), "{text}");
        assert_eq!(bench.state.step, last, "what happened before is kept, what came after it is not told");
        let measured = last / 10 * 10;
        assert_eq!(late(&bench, "late").last(), Some(&(measured, measured as f64 * rate)));
    }
}

#[test]
fn a_twin_whose_measurement_fails_ends_alone() {
    let mut bench = Bench::new();
    let mut request = toy(1, 100, 2.5);
    request.changes = vec![Change { step: 4, key: "twin/rate".to_owned(), value: Value::Float(2.0) }];
    bench.engine.send(Command::Start(request));
    bench.status(Status::Finished);
    assert_eq!((late(&bench, "late").len(), late(&bench, "twin/late").last()), (10, Some(&(40, 76.0))));
    assert_eq!(bench.state.scalars["twin/sum"].points().last(), Some((49, 94.0)));
    let told: Vec<_> = bench.state.notices.iter().map(|(step, _, text)| (*step, text.as_str())).collect();
    assert_eq!(told, [(50, "the twin has ended, the run itself goes on: the sum cannot be measured; lower the rate")]);
}

#[test]
fn late_events_of_a_stopped_run_are_dropped() {
    let mut bench = Bench::new();
    bench.engine.send(Command::Start(toy(1, u64::MAX, 0.0)));
    bench.until(|state| state.step > 0);
    bench.engine.send(Command::Start(toy(2, 5, 0.0)));
    bench.until(|state| state.id == Some(RunId(2)) && state.status == Some(Status::Finished));
    assert_eq!(bench.state.step, 5);
    bench.state.apply(&Event { run: RunId(1), step: 999, seconds: 0.0, body: Body::Status(Status::Running) });
    assert_eq!((bench.state.step, bench.state.status.clone()), (5, Some(Status::Finished)));
}

#[test]
fn a_run_that_is_stopped_has_a_last_word_which_a_resumed_one_has_not_said() {
    let root = tempfile::tempdir().unwrap();
    let record = Record::New(root.path().to_owned());
    let mut bench = Bench::new();
    bench.engine.send(Command::Start(Box::new(RunRequest { record, ..*toy(1, 1_000, 9.0) })));
    bench.until(|state| state.step >= 3);
    bench.engine.send(Command::Stop);
    bench.status(Status::Stopped);
    let said = |bench: &Bench| bench.state.notices.iter().filter(|(.., text)| text.contains("stopped with")).count();
    let (step, _, text) = bench.state.notices.last().unwrap().clone();
    assert_eq!((step, text), (bench.state.step, format!("stopped with a sum of {}", bench.state.step)));
    let folder = PathBuf::from(&bench.state.header.as_ref().unwrap().folder);
    let checkpoint = fs::read_dir(folder.join("checkpoints")).unwrap().next().unwrap().unwrap().path();
    let request = RunRequest { record: Record::Resume(folder), resume_from: Some(checkpoint), ..*toy(2, 20, 0.0) };
    let steps = bench.state.step + 3;
    bench.engine.send(Command::Start(Box::new(RunRequest { steps, ..request })));
    bench.until(|state| state.id == Some(RunId(2)) && state.status == Some(Status::Finished));
    assert_eq!(said(&bench), 0, "{:?}", bench.state.notices);
}

#[test]
fn a_consumer_that_does_not_listen_cannot_trap_the_worker() {
    let mut bench = Bench::new();
    bench.engine.send(Command::Start(toy(1, u64::MAX, 0.0)));
    // Far more events than the channel holds, and nobody drains it.
    std::thread::sleep(Duration::from_secs(3));
    let asked = Instant::now();
    bench.engine.send(Command::Stop);
    bench.status(Status::Stopped);
    assert!(asked.elapsed() < Duration::from_secs(20));
    bench.engine.shutdown(Duration::from_secs(10));
}

#[test]
fn pictures_in_between_are_lossy_and_numbers_are_not() {
    let mut bench = Bench::new();
    bench.engine.send(Command::Start(toy(1, 20_000, 0.0)));
    bench.status(Status::Finished);
    assert_eq!(bench.state.scalars["sum"].points().len(), 20_001);
    let letters = bench.engine.letters();
    assert_eq!(letters.len(), 1, "one slot a key");
    assert_eq!(letters[0].step, 20_000, "the newest");
}

#[test]
fn the_consumer_is_woken() {
    let woken = Arc::new(AtomicBool::new(false));
    let flag = woken.clone();
    let engine = Engine::start(true, Arc::new(move || flag.store(true, Ordering::Relaxed))).unwrap();
    engine.send(Command::Start(toy(1, 10, 0.0)));
    let start = Instant::now();
    while !woken.load(Ordering::Relaxed) {
        assert!(start.elapsed() < Duration::from_secs(10));
        std::thread::sleep(Duration::from_millis(1));
    }
    engine.shutdown(Duration::from_secs(10));
}

#[test]
fn while_data_are_read_the_run_is_shown_and_stop_is_heard() {
    let root = tempfile::tempdir().unwrap();
    let mut bench = Bench::new();
    let record = Record::New(root.path().to_owned());
    let started = Instant::now();
    bench.engine.send(Command::Start(Box::new(RunRequest { record, ..*toy(1, 100, 7.0) })));
    bench.until(|state| state.header.is_some());
    assert!(started.elapsed() < Duration::from_secs(2));
    assert_eq!((bench.state.announced, bench.state.header.as_ref().unwrap().name.as_str()), (true, "toy"));
    let far = |state: &RunState| state.status.as_ref().and_then(Status::how_far).unwrap_or_default();
    bench.until(|state| matches!(state.status, Some(Status::Reading { done: 1.., all: toy::READ })));
    assert!(far(&bench.state).starts_with("reading ") && far(&bench.state).ends_with(" of 780"));
    let asked = Instant::now();
    bench.engine.send(Command::Stop);
    bench.status(Status::Stopped);
    assert!(asked.elapsed() < Duration::from_secs(2), "it does not wait for the data");
    assert!(std::fs::read_dir(root.path()).unwrap().next().is_none(), "nothing is on disk before the data stand");
}

#[test]
fn another_start_wins_over_data_that_are_being_read() {
    let mut bench = Bench::new();
    bench.engine.send(Command::Start(toy(1, 100, 7.0)));
    bench.until(|state| matches!(state.status, Some(Status::Reading { .. })));
    let asked = Instant::now();
    bench.engine.send(Command::Start(Box::new(RunRequest { start_paused: true, ..*toy(2, 1_000, 0.0) })));
    bench.engine.send(Command::Set { key: "rate".to_owned(), value: Value::Float(2.0) });
    bench.engine.send(Command::Step(3));
    bench.until(|state| state.id == Some(RunId(2)) && state.step == 3 && state.status == Some(Status::Paused));
    assert!(asked.elapsed() < Duration::from_secs(2));
    assert_eq!(bench.state.last("sum"), Some(6.0), "what was asked behind it reached it");
    let ended = |event: &Event| event.run == RunId(1) && event.body == Body::Status(Status::Stopped);
    assert!(bench.events.iter().any(ended));
    // A window that closes is heard as well.
    bench.engine.send(Command::Start(toy(3, 100, 7.0)));
    bench.until(|state| matches!(state.status, Some(Status::Reading { .. })));
    assert!(bench.engine.end(Duration::from_secs(2)));
}

#[test]
fn an_untrained_network_is_judged_within_earshot() {
    use learnscope::engine::run_folder;

    let root = tempfile::tempdir().unwrap();
    let mut bench = Bench::new();
    let record = Record::New(root.path().to_owned());
    bench.engine.send(Command::Start(Box::new(RunRequest { record, ..*toy(1, 100, 4.0) })));
    bench.until(|state| matches!(state.status, Some(Status::Judging { done: 1.., all: toy::JUDGED })));
    let asked = Instant::now();
    bench.engine.send(Command::Stop);
    bench.status(Status::Stopped);
    assert!(asked.elapsed() < Duration::from_secs(2));
    assert_eq!(bench.state.step, 0);
    let folder = bench.state.header.as_ref().unwrap().folder.clone();
    assert_eq!(run_folder::summary(folder.as_ref()).state(), "stopped");
}

#[test]
fn how_far_a_run_was_is_told_and_not_recorded() {
    use learnscope::engine::recording::RunReader;

    let root = tempfile::tempdir().unwrap();
    let recorded = |fixed| {
        let mut bench = Bench::new();
        let record = Record::New(root.path().to_owned());
        bench.engine.send(Command::Start(Box::new(RunRequest { record, ..*toy(1, 30, fixed) })));
        bench.status(Status::Finished);
        let folder = bench.state.header.as_ref().unwrap().folder.clone();
        let mut reader = RunReader::open(folder.as_ref()).unwrap();
        // The header has the parameters, which differ, and a place in the file follows from it.
        let told = |event: Event| match event.body {
            Body::Started(_) => (event.step, "started".to_owned()),
            Body::Recorded { key, .. } => (event.step, format!("recorded {key}")),
            body => (event.step, format!("{body:?}")),
        };
        reader.events().unwrap().map(told).collect::<Vec<_>>()
    };
    let at_once = recorded(0.0);
    assert_eq!(recorded(7.0), at_once, "its data took long");
    assert_eq!(recorded(4.0), at_once, "judging took long");
}

// ---- every registered lab ----------------------------------------------------------------------------------------

/// A lab's parameter sets worth running: the defaults and every preset.
/// Values that make a step cheap, for every lab that has such a parameter.
const SMALL: &[&str] = &[
    "batch_size=16",
    "train_images=96",
    "probe_train=60",
    "probe_test=20",
    "probe_every=10",
    "analysis_every=5",
    "synthetic_images=20",
    "image_size=32",
    "image_size=16",
    "unlabelled_images=32",
    "validation_images=4",
    "test_images=12",
    "unseen_images=2",
    "width=1/4",
    "validate_every=10",
    "rebuild_every=10",
    "gradients_every=2",
    "phase_steps=12",
    "base=4",
    "group=4",
    "wall_images=2",
    "train_pairs=48",
    "test_pairs=12",
    "evaluate_every=10",
    "show_every=10",
    "width=32",
];

/// Every lab with its defaults and with every preset, made cheap. A preset that asks for a data set of one's own is left
/// to the tests of its lab.
fn cases() -> Vec<(&'static Lab, &'static str, Params)> {
    let mut cases = Vec::new();
    for lab in LABS {
        let spec = lab.spec;
        let presets = spec.presets.iter().map(|preset| (preset.id, spec.preset(preset.id).unwrap().unwrap()));
        for (case, mut params) in std::iter::once(("defaults", Params::defaults(spec.params))).chain(presets) {
            for small in SMALL {
                // A lab without this parameter refuses it.
                let _ = params.set_text(spec.params, small);
            }
            let asks_for_data =
                |param: &&ParamSpec| param.kind.is_path() && params.shows(param) && params.text(param.key).is_empty();
            match spec.params.iter().find(asks_for_data) {
                Some(param) => println!("{}/{case} is left out: `{}` is the user's own", spec.id, param.key),
                None => cases.push((lab, case, params)),
            }
        }
    }
    cases
}

fn options(steps: u64, record: Record) -> RunOptions {
    RunOptions { steps: Some(steps), device: DeviceChoice::Cpu, record, ..RunOptions::default() }
}

/// The numbers of a run, without the clock.
fn numbers(events: &[Event]) -> Vec<String> {
    events
        .iter()
        .filter(|event| matches!(event.body, Body::Scalars(_) | Body::Rows { .. } | Body::Payload { .. }))
        .map(|event| format!("{} {:?}", event.step, event.body))
        .collect()
}

#[test]
fn every_lab_gives_the_same_numbers_twice_on_the_cpu() {
    for (lab, case, params) in cases() {
        let run = || {
            // Nobody watches: payloads come as events.
            let mut bench = Bench {
                engine: Engine::start(false, Arc::new(|| ())).unwrap(),
                state: RunState::default(),
                events: Vec::new(),
            };
            let request = lab::request(lab.spec, &params, options(40, Record::No)).unwrap();
            bench.engine.send(Command::Start(request));
            bench.until(|state| state.status.is_some() && !state.is_live());
            assert_eq!(bench.state.status, Some(Status::Finished), "{}/{case}", lab.spec.id);
            numbers(&bench.events)
        };
        let (first, second) = (run(), run());
        assert!(first.len() > 2, "{}/{case} reports next to nothing", lab.spec.id);
        assert_eq!(first, second, "{}/{case}", lab.spec.id);
    }
}

#[test]
fn seeking_to_a_step_shows_what_a_run_to_that_step_ends_with() {
    // A multiple of every cadence, so that both runs measure at it.
    const STEP: u64 = 20;
    for (lab, case, params) in cases() {
        let run = |steps| {
            let mut bench = Bench::new();
            bench.engine.send(Command::Start(lab::request(lab.spec, &params, options(steps, Record::No)).unwrap()));
            bench.until(|state| state.status.is_some() && !state.is_live());
            bench.state
        };
        let (long, short) = (run(2 * STEP), run(STEP));
        for (key, history) in &short.scalars {
            let sought = long.scalars[key].at(STEP).unwrap();
            assert_eq!(
                format!("{sought:?}"),
                format!("{:?}", history.last().unwrap()),
                "{}/{case}: {key}",
                lab.spec.id
            );
        }
        for (key, table) in &short.tables {
            for row in 0..table.len() {
                let bits = |row: &[f64]| row.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
                let (sought, ended) = (long.tables[key].row(row).unwrap(), table.row(row).unwrap());
                assert_eq!(bits(sought), bits(ended), "{}/{case}: {key}, row {row}", lab.spec.id);
            }
        }
        assert!(!short.scalars.is_empty(), "{}/{case} measures nothing", lab.spec.id);
    }
}

#[test]
fn every_lab_resumes_to_the_same_numbers() {
    use learnscope::engine::recording::RunReader;

    let root = tempfile::tempdir().unwrap();
    for (lab, case, params) in cases() {
        let go = |steps: u64, record: Record, resume_from: Option<std::path::PathBuf>| {
            let mut bench = Bench::new();
            let mut request = lab::request(lab.spec, &params, options(steps, record)).unwrap();
            request.checkpoint_every = 15;
            // A twin is kept and goes on too.
            if let Some(live) = lab.spec.params.iter().find(|param| param.live && params.shows(param)) {
                let value = params.get(live.key).unwrap().clone();
                let change = Change { step: 20, key: format!("twin/{}", live.key), value };
                request.changes = (resume_from.is_none()).then_some(change).into_iter().collect();
            }
            request.resume_from = resume_from;
            bench.engine.send(Command::Start(request));
            bench.until(|state| state.status.is_some() && !state.is_live());
            assert_eq!(bench.state.status, Some(Status::Finished), "{}/{case}", lab.spec.id);
            let folder = bench.state.header.as_ref().unwrap().folder.clone();
            bench.engine.shutdown(Duration::from_secs(10));
            (folder, format!("{:?} {:?}", bench.state.scalars, bench.state.tables))
        };
        let recorded = |folder: &str| {
            let mut state = RunState::default();
            for event in RunReader::open(std::path::Path::new(folder)).unwrap().events().unwrap() {
                state.apply(&event);
            }
            // Text, so that NaN equals NaN.
            format!("{:?} {:?}", state.scalars, state.tables)
        };
        let (unbroken, live) = go(60, Record::New(root.path().join("unbroken")), None);
        // Broken off after 40 of 60 steps: the newest checkpoint but the final one is that of step 30.
        let (broken, _) = go(40, Record::New(root.path().join("broken")), None);
        let checkpoint = std::path::Path::new(&broken).join("checkpoints/step-00000030.safetensors");
        assert!(checkpoint.exists(), "{}/{case}: {}", lab.spec.id, checkpoint.display());
        let (_, resumed) = go(60, Record::Resume(broken.clone().into()), Some(checkpoint));
        assert!(live == resumed, "{}/{case}: a resumed run tells its whole history", lab.spec.id);
        assert!(recorded(&unbroken) == recorded(&broken), "{}/{case}", lab.spec.id);
    }
}

#[test]
fn a_twin_with_the_same_values_repeats_every_number_of_its_run() {
    for (lab, case, params) in cases() {
        let spec = lab.spec;
        let Some(live) = spec.params.iter().find(|param| param.live && params.shows(param)) else { continue };
        let value = params.get(live.key).unwrap().clone();
        let mut bench = Bench::new();
        let mut request = lab::request(lab.spec, &params, options(36, Record::No)).unwrap();
        request.changes = vec![Change { step: 7, key: format!("twin/{}", live.key), value }];
        bench.engine.send(Command::Start(request));
        bench.until(|state| state.status.is_some() && !state.is_live());
        assert_eq!(bench.state.status, Some(Status::Finished), "{}/{case}", spec.id);
        let mut compared = 0;
        for (key, history) in &bench.state.scalars {
            let Some(twin) = bench.state.scalars.get(format!("twin/{key}").as_str()) else { continue };
            let own: Vec<_> = history.points().filter(|(step, _)| *step > 7).map(|(s, v)| (s, v.to_bits())).collect();
            let its: Vec<_> = twin.points().map(|(s, v)| (s, v.to_bits())).collect();
            assert_eq!(own, its, "{}/{case}: {key}", spec.id);
            compared += its.len();
        }
        assert!(compared > 10, "{}/{case}: {compared} numbers compared", spec.id);
    }
}

#[test]
fn every_lab_takes_every_live_parameter_while_it_runs() {
    for (lab, case, params) in cases() {
        let spec = lab.spec;
        let mut bench = Bench::new();
        let mut request = lab::request(lab.spec, &params, options(30, Record::No)).unwrap();
        request.start_paused = true;
        bench.engine.send(Command::Start(request));
        bench.status(Status::Paused);
        for param in spec.params.iter().filter(|param| param.live && params.shows(param)) {
            let value = params.get(param.key).unwrap().clone();
            bench.engine.send(Command::Set { key: param.key.to_owned(), value });
        }
        bench.engine.send(Command::Resume);
        bench.until(|state| state.status.is_some() && !state.is_live());
        assert_eq!(bench.state.status, Some(Status::Finished), "{}/{case}", spec.id);
        // Other warnings are the lab's own: thirty steps are few.
        let refuses = |text: &str| text.starts_with("parameter `") || text.starts_with("unknown parameter");
        let refused: Vec<_> = bench.state.notices.iter().filter(|(_, _, text)| refuses(text)).collect();
        assert!(refused.is_empty(), "{}/{case}: {refused:?}", spec.id);
    }
}
