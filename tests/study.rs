//! The results of a study: nothing measured is dropped, and a sample is used only where it answers what is asked.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use learnscope::engine::command::{Command, Record, RunRequest};
use learnscope::engine::event::{Body, Event, Payload, RunHeader, RunId, Status};
use learnscope::engine::params::{ChoiceItem, DefaultValue, ParamError, ParamKind, ParamSpec, Params, Value};
use learnscope::engine::run_folder;
use learnscope::engine::state::RunState;
use learnscope::engine::study::{Measure, PRINTED, StudyRow, StudyRun, StudySpec};
use learnscope::engine::study_cost::{Cost, EVEN, Occasion, TRIAL};
use learnscope::engine::study_figure::{self, Figure, Gallery, Mark, Panel, Picture};
use learnscope::engine::study_runner::{Facts, Job, Runner, Taken};
use learnscope::labs::{self, LABS};
use serde_json::Value as Json;

use support::made_run::{MadeRun, header};
use support::toy::{self, Bench, toy};

const fn param(key: &'static str, kind: ParamKind, default: DefaultValue) -> ParamSpec {
    let (unit, group, help) = ("", "", "");
    ParamSpec {
        key,
        label: key,
        unit,
        group,
        kind,
        default,
        help,
        live: false,
        only_if: None,
        folded: false,
        used_by: &[],
    }
}

static PARAMS: &[ParamSpec] = &[
    param(
        "source",
        ParamKind::Choice(&[ChoiceItem { id: "made", label: "" }, ChoiceItem { id: "file", label: "" }]),
        DefaultValue::Choice("made"),
    ),
    ParamSpec { only_if: Some(("source", &["file"])), ..param("data", ParamKind::Path, DefaultValue::Path("")) },
];

/// The measured number is the run's seconds.
const SECONDS: &[Measure] = &[Measure { title: "seconds", unit: "s", of: |run, _| Some(run.seconds) }];
const HASTE: &[Measure] = &[Measure { title: "runs per second", unit: "1/s", of: |run, _| Some(1.0 / run.seconds) }];

const fn study_of(rows: &'static [StudyRow]) -> StudySpec {
    let (reading, cost) = (PRINTED, &EVEN);
    StudySpec {
        id: "toy",
        title: "",
        source: "",
        about: "",
        common: &[],
        rows,
        measures: SECONDS,
        seeded: true,
        reading,
        cost,
        figure: None,
        beside: None,
        own_data: &[],
    }
}

static MADE: StudySpec = study_of(&[StudyRow { label: "row", set: &[], paper: &[], paper_std: &[] }]);
static READ: StudySpec = study_of(&[StudyRow { label: "row", set: &[("source", "file")], paper: &[], paper_std: &[] }]);

fn describe(params: &Params) -> Result<String, ParamError> {
    if params.get("source").is_none_or(|source| source.to_string() == "made") {
        return Ok(String::new());
    }
    let path = params.text("data");
    let bytes =
        fs::read(path).map_err(|error| ParamError::Invalid { key: "data".to_owned(), problem: error.to_string() })?;
    Ok(format!("{path}: {} bytes, CRC-32 {:08x}", bytes.len(), crc32fast::hash(&bytes)))
}

fn study(spec: &'static StudySpec, seeds: u64, first: u64, data: &Path) -> StudyRun {
    let given = [("data".to_owned(), Value::Text(data.to_str().unwrap().to_owned()))];
    StudyRun::new("lab", PARAMS, spec, seeds, first, &given).unwrap()
}

/// A study opened in its folder, and how many runs it need not make.
fn opened(folder: &Path, spec: &'static StudySpec, seeds: u64, first: u64, data: &Path) -> (StudyRun, usize) {
    let mut study = study(spec, seeds, first, data);
    study.keep(folder, describe, false).unwrap();
    let kept = study.progress().0;
    (study, kept)
}

fn ended(params: &Params, status: Status, value: f64) -> RunState {
    let (version, data) = (env!("CARGO_PKG_VERSION").to_owned(), describe(params).unwrap_or_default());
    let header = RunHeader { name: "toy".to_owned(), seed: 7, version, data, ..header("lab", params, 1) };
    RunState { status: Some(status), header: Some(header), seconds: value, ..RunState::default() }
}

/// Makes the runs that are left; their values are the seeds.
fn measure(study: &mut StudyRun, folder: &Path) {
    while let Some(task) = study.next().cloned() {
        assert!(study.record(&ended(&task.params, Status::Finished, task.seed as f64)));
        study.save(folder).unwrap();
    }
}

fn stored(folder: &Path) -> Vec<Json> {
    serde_json::from_slice(&fs::read(folder.join("samples.json")).unwrap()).unwrap()
}

#[test]
fn fewer_seeds_other_seeds_and_a_left_path_drop_nothing_that_was_measured() {
    let home = tempfile::tempdir().unwrap();
    let (folder, nowhere) = (home.path().join("study"), Path::new(""));
    let (mut first, _) = opened(&folder, &MADE, 3, 7, nowhere);
    measure(&mut first, &folder);
    for (seeds, from, data, kept) in
        [(1, 7, "", 1), (2, 20, "", 0), (3, 7, "left/in/the/form", 3), (5, 7, "", 3), (2, 20, "other", 2)]
    {
        let (mut study, found) = opened(&folder, &MADE, seeds, from, Path::new(data));
        assert_eq!(found, kept, "{seeds} seeds from {from} with `{data}`");
        measure(&mut study, &folder);
        study.save(&folder).unwrap();
        let csv = fs::read_to_string(folder.join("table.csv")).unwrap();
        assert!(csv.contains(&format!(",{seeds},0,")), "the table shows what was asked last: {csv}");
    }
    assert_eq!(stored(&folder).len(), 7, "seeds 7 to 11, 20 and 21, each once");
}

#[test]
fn a_moved_data_set_keeps_its_samples_and_a_changed_one_does_not() {
    let home = tempfile::tempdir().unwrap();
    let (folder, a, b) = (home.path().join("study"), home.path().join("a; CRC-32.csv"), home.path().join("b.csv"));
    fs::write(&a, "1,2").unwrap();
    let (mut study, _) = opened(&folder, &READ, 2, 7, &a);
    measure(&mut study, &folder);
    fs::rename(&a, &b).unwrap();
    assert_eq!(opened(&folder, &READ, 2, 7, &b).1, 2, "the same points elsewhere");
    fs::write(&b, "1,3").unwrap();
    let (mut study, found) = opened(&folder, &READ, 2, 7, &b);
    assert_eq!(found, 0, "other points under the same name");
    let notes = self::study(&READ, 2, 7, &b).keep(&folder, describe, false).unwrap();
    assert_eq!(notes, ["2 runs measured on other data are kept and not used"]);
    measure(&mut study, &folder);
    fs::write(&b, "1,2").unwrap();
    assert_eq!(opened(&folder, &READ, 2, 7, &b).1, 2, "the old points again");
    fs::remove_file(&b).unwrap();
    assert_eq!(opened(&folder, &READ, 2, 7, &b).1, 0);
    assert_eq!(stored(&folder).len(), 4);
}

#[test]
fn samples_of_another_version_are_kept_told_of_and_not_used() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    let (mut study, _) = opened(folder, &MADE, 3, 7, Path::new(""));
    measure(&mut study, folder);
    let mut samples = stored(folder);
    for sample in &mut samples {
        sample["version"] = "0.0.9".into();
        // As versions before this one wrote them.
        sample.as_object_mut().unwrap().remove("measured");
    }
    fs::write(folder.join("samples.json"), serde_json::to_vec(&samples).unwrap()).unwrap();
    let mut study = self::study(&MADE, 3, 7, Path::new(""));
    let notes = study.keep(folder, describe, false).unwrap();
    assert_eq!(notes, ["3 runs measured by version 0.0.9 are kept and not used"]);
    assert_eq!(study.progress(), (0, 3));
    measure(&mut study, folder);
    assert_eq!(stored(folder).len(), 6);
    assert!(stored(folder).iter().any(|sample| sample["version"] == "0.0.9"));
}

#[test]
fn measuring_anew_keeps_the_old_samples_and_a_failure_replaces_none() {
    let home = tempfile::tempdir().unwrap();
    let (folder, nowhere) = (home.path(), Path::new(""));
    let (mut study, _) = opened(folder, &MADE, 1, 7, nowhere);
    let failed = ended(&study.task(0).unwrap().params, Status::Failed("no memory".into()), 0.0);
    let finished = |value| RunState { seconds: value, status: Some(Status::Finished), ..failed.clone() };
    assert!(study.record(&failed));
    study.save(folder).unwrap();
    let (mut study, found) = opened(folder, &MADE, 1, 7, nowhere);
    assert_eq!(found, 0, "a failed run is made again");
    study.record(&finished(1.5));
    study.save(folder).unwrap();
    assert_eq!(stored(folder).len(), 1, "the failure gave way");

    let mut again = self::study(&MADE, 1, 7, nowhere);
    again.keep(folder, describe, true).unwrap();
    assert!(again.next().is_some());
    again.record(&failed);
    again.save(folder).unwrap();
    let row = &again.table().rows[0];
    assert_eq!((row.ours.mean, row.problem.as_deref()), (Some(1.5), Some("no memory")));
    assert_eq!(stored(folder).len(), 1);

    let mut again = self::study(&MADE, 1, 7, nowhere);
    again.keep(folder, describe, true).unwrap();
    again.record(&finished(2.5));
    again.save(folder).unwrap();
    again.save(folder).unwrap();
    assert_eq!(stored(folder).len(), 2, "both, and no duplicate");
    assert_eq!(opened(folder, &MADE, 1, 7, nowhere).0.table().rows[0].ours.mean, Some(2.5), "the newest is picked");
}

#[test]
fn numbers_of_another_measure_are_not_used() {
    let home = tempfile::tempdir().unwrap();
    let (folder, nowhere) = (home.path(), Path::new(""));
    let (mut study, _) = opened(folder, &MADE, 1, 7, nowhere);
    measure(&mut study, folder);
    static HASTY: StudySpec = StudySpec { measures: HASTE, ..MADE };
    let (mut hasty, found) = opened(folder, &HASTY, 1, 7, nowhere);
    assert_eq!(found, 0);
    measure(&mut hasty, folder);
    assert_eq!(stored(folder).len(), 2);
    assert_eq!(opened(folder, &MADE, 1, 7, nowhere).0.table().rows[0].ours.mean, Some(7.0));
}

#[test]
fn what_only_a_newer_version_knows_stays_in_the_file() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    let (mut study, _) = opened(folder, &MADE, 1, 7, Path::new(""));
    measure(&mut study, folder);
    let mut samples = stored(folder);
    samples[0]["power"] = serde_json::json!({ "watts": 0.1 });
    samples.push(serde_json::json!({ "kind": "of tomorrow" }));
    fs::write(folder.join("samples.json"), serde_json::to_vec(&samples).unwrap()).unwrap();
    let mut study = self::study(&MADE, 2, 7, Path::new(""));
    let notes = study.keep(folder, describe, false).unwrap();
    assert!(notes[0].contains("1 entry that this version does not understand"), "{notes:?}");
    assert_eq!(study.progress(), (1, 2));
    measure(&mut study, folder);
    assert_eq!(stored(folder).len(), 3);
    assert_eq!(stored(folder)[..2], samples);
}

#[test]
fn a_run_that_was_changed_on_the_way_is_no_sample() {
    let mut study = study(&MADE, 1, 7, Path::new(""));
    let mut run = ended(&study.task(0).unwrap().params, Status::Finished, 1.0);
    run.changes.push(learnscope::engine::event::Change {
        step: 1,
        key: "source".into(),
        value: Value::Text("file".into()),
    });
    assert!(!study.record(&run));
    assert_eq!(study.progress(), (0, 1));
}

#[test]
fn a_broken_file_is_set_aside_and_never_overwritten() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    for number in 1..3 {
        let broken = format!("{{ {number}");
        fs::write(folder.join("samples.json"), &broken).unwrap();
        let mut study = study(&MADE, 1, 7, Path::new(""));
        let refused = study.keep(folder, describe, false).unwrap_err().to_string();
        assert!(refused.contains("samples.json") && refused.contains("--again"), "{refused}");
        study.keep(folder, describe, true).unwrap();
        let task = study.next().unwrap().clone();
        study.record(&ended(&task.params, Status::Finished, 1.0));
        let notice = study.save(folder).unwrap().unwrap();
        let aside = format!("samples.broken-{number}.json");
        assert!(notice.contains(&aside), "{notice}");
        assert_eq!(fs::read_to_string(folder.join(aside)).unwrap(), broken);
        assert_eq!(stored(folder).len(), 1);
    }
}

#[test]
fn several_writers_at_once_lose_nothing_of_each_other() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    std::thread::scope(|scope| {
        for writer in 0..8 {
            scope.spawn(move || measure(&mut study(&MADE, 5, 100 * writer, Path::new("")), folder));
        }
    });
    assert_eq!(stored(folder).len(), 40);
}

#[test]
fn a_recording_is_shared_by_no_two_processes_and_no_two_data_sets() {
    let home = tempfile::tempdir().unwrap();
    let (folder, data) = (home.path().join("study"), home.path().join("a.csv"));
    fs::write(&data, "1").unwrap();
    let (study, _) = opened(&folder, &READ, 1, 7, &data);
    let task = study.task(0).unwrap();
    let run = |place: &learnscope::engine::study::Place| match &place.record {
        Record::Replace(run) => run.clone(),
        other => panic!("{other:?}"),
    };
    let first = study.place(&folder, task, 10);
    let second = study.place(&folder, task, 10);
    let name = run(&first);
    assert_ne!(name, run(&second), "the first is still in use");
    drop((first, second));
    assert_eq!(run(&study.place(&folder, task, 10)), name, "the same run has the same folder");
    // Somebody resumes the recording by hand, or has put something else there.
    fs::create_dir(&name).unwrap();
    let lock = run_folder::lock(&name).unwrap();
    assert_ne!(run(&study.place(&folder, task, 10)), name);
    drop(lock);
    fs::write(name.join("notes.txt"), "mine").unwrap();
    assert_ne!(run(&study.place(&folder, task, 10)), name);
    fs::remove_dir_all(&name).unwrap();
    fs::write(&data, "2").unwrap();
    let (other, _) = opened(&folder, &READ, 1, 7, &data);
    assert_ne!(run(&other.place(&folder, other.task(0).unwrap(), 10)), name, "other points, another recording");
}

#[test]
fn a_new_measurement_never_takes_the_place_of_a_finished_or_a_long_recording() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("study");
    let (study, _) = opened(&folder, &MADE, 1, 7, Path::new(""));
    let task = study.task(0).unwrap();
    let place = |steps| match study.place(&folder, task, steps).record {
        Record::Replace(run) => run,
        other => panic!("{other:?}"),
    };
    let record = |run: PathBuf, steps, end: &Status| {
        let mut bench = Bench::new();
        let fixed = if end == &Status::Finished { 1.0 } else { 9.0 };
        bench
            .engine
            .send(Command::Start(Box::new(RunRequest { record: Record::Replace(run), ..*toy(1, steps, fixed) })));
        if end == &Status::Stopped {
            bench.until(|state| state.step > 3);
            bench.engine.send(Command::Stop);
        }
        bench.status(end.clone());
        bench.engine.shutdown(Duration::from_secs(10));
    };
    let first = place(1_000);
    record(first.clone(), 1_000, &Status::Finished);
    let second = place(1_000);
    assert_ne!(first, second, "a finished run stays");
    record(second.clone(), 1_000, &Status::Stopped);
    assert_eq!(place(1_000), second, "a short one that was interrupted is made again");
    record(second.clone(), 5_000, &Status::Stopped);
    assert_ne!(place(1_000), second, "a long one that this study cannot go on with stays");
}

#[test]
fn measured_numbers_are_read_back_to_the_last_bit() {
    let home = tempfile::tempdir().unwrap();
    let mut state = 7_u64;
    let mut random = || {
        // SplitMix64.
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    };
    let edges = [0.1, 0.224_210_281_063_941_86, f64::MIN_POSITIVE, f64::from_bits(1), f64::MAX, -0.0, 1e23];
    let mut values: Vec<f64> = edges.to_vec();
    while values.len() < 4_000 {
        let bits = random();
        // Every other one is subnormal.
        let value = f64::from_bits(if values.len().is_multiple_of(2) { bits } else { bits & !(0x7FF << 52) });
        values.extend(Some(value).filter(|value| value.is_finite()));
    }
    let seeds = values.len() as u64;
    let (mut study, _) = opened(home.path(), &MADE, seeds, 0, Path::new(""));
    let params = study.task(0).unwrap().params.clone();
    for value in &values {
        study.record(&ended(&params, Status::Finished, *value));
    }
    study.save(home.path()).unwrap();
    let (read, found) = opened(home.path(), &MADE, seeds, 0, Path::new(""));
    assert_eq!(found, values.len());
    let bits = |values: &mut dyn Iterator<Item = f64>| values.map(f64::to_bits).collect::<Vec<_>>();
    assert_eq!(bits(&mut read.samples(0).map(|sample| sample.values[0].unwrap())), bits(&mut values.iter().copied()));
    assert_eq!(read.table().csv(), study.table().csv());
}

// ---------------------------------------------------------------------------------------------------------------
// The runner.

const FACTS: Facts = Facts { steps: |_| 100, trains: |_| true, describe: |_| Ok(String::new()) };

const fn rate(label: &'static str, set: &'static [(&'static str, &'static str)]) -> StudyRow {
    StudyRow { label, set, paper: &[Some(4.0)], paper_std: &[] }
}

/// A step costs `fixed` seconds; the rate costs nothing. A check comes every ten steps.
static TIMED: StudySpec = StudySpec {
    cost: &Cost {
        free: &["rate"],
        trial: |_| Vec::new(),
        occasions: &[Occasion { name: "checks", key: "check", times: |_, _, steps| (steps / 10) as f64 }],
    },
    ..study_of(&[
        rate("slow", &[("rate", "1"), ("fixed", "1")]),
        rate("fast", &[("rate", "2"), ("fixed", "1")]),
        rate("large", &[("rate", "2"), ("fixed", "2")]),
    ])
};

fn runner(spec: &'static StudySpec, seeds: u64) -> Runner {
    Runner::new(StudyRun::new("lab", toy::PARAMS, spec, seeds, 7, &[]).unwrap(), FACTS)
}

/// What a worker says of a job whose steps take `fixed` seconds, and checks, at steps 3 and 5 of a trial, three more.
fn scripted(runner: &mut Runner, job: &Job) -> RunState {
    let mut state = ended(&job.params, Status::Finished, 0.0);
    state.status = None;
    let mut say = |step, seconds, body| {
        let event = Event { run: RunId(1), step, seconds, body };
        runner.hear(&event);
        state.step = step;
        state.seconds = seconds;
        if let Body::Status(status) = event.body {
            state.status = Some(status);
        }
    };
    let steps = job.steps.unwrap_or(100);
    say(0, 50.0, Body::Status(Status::Building));
    say(0, 52.0, Body::Status(Status::Running));
    let mut seconds = 52.0;
    for step in 1..=steps {
        let checks = if steps == TRIAL { step == 3 || step == 5 } else { step % 10 == 0 };
        seconds += job.params.float("fixed") + if checks { 3.0 } else { 0.0 } + if step == 1 { 20.0 } else { 0.0 };
        let keys = if checks { &["loss", "check"][..] } else { &["loss"] };
        say(step, seconds, Body::Scalars(keys.iter().map(|key| ((*key).into(), 0.0)).collect()));
    }
    say(steps, seconds, Body::Status(Status::Finished));
    state
}

#[test]
fn each_kind_of_row_is_timed_once_and_its_evaluations_apart() {
    let mut runner = runner(&TIMED, 2);
    let mut timed = Vec::new();
    while let Some(job) = runner.next_trial() {
        assert_eq!((job.steps, &job.record), (Some(TRIAL), &Record::No));
        timed.push(runner.label().to_owned());
        let state = scripted(&mut runner, &job);
        assert_eq!(runner.take(&state), Taken::Timed);
    }
    assert_eq!(timed, ["slow", "large"]);
    let found = runner.estimate().unwrap();
    // 2 s to the first step, 100 steps, 10 checks.
    let [small, large] = [2.0 + 100.0 + 30.0, 2.0 + 200.0 + 30.0];
    let all = 2.0 * (2.0 * small + large);
    assert!((found.seconds - all).abs() < 1e-9 && (found.occasions - 180.0).abs() < 1e-9, "{found:?}");
    assert_eq!((found.runs, found.steps), (6, 600));

    // A row that takes twice as long corrects what is said of the rest.
    let task = runner.next_task().unwrap().clone();
    let job = runner.begin(&task, None);
    assert_eq!((job.steps, job.seed), (None, 7));
    let mut state = scripted(&mut runner, &job);
    state.seconds = 2.0 * small;
    assert_eq!(runner.take(&state), Taken::Measured);
    assert!((runner.seconds_left().unwrap() - 2.0 * (all - small)).abs() < 1e-9);
    assert_eq!(runner.next_trial().map(|job| job.name), None, "nothing is timed twice");
}

#[test]
fn a_stopped_trial_or_row_counts_as_not_made() {
    let mut runner = runner(&TIMED, 1);
    let job = runner.next_trial().unwrap();
    let mut state = scripted(&mut runner, &job);
    state.status = Some(Status::Stopped);
    assert_eq!(runner.take(&state), Taken::Stopped);
    assert_eq!(runner.estimate(), None);
    let task = runner.next_task().unwrap().clone();
    runner.begin(&task, None);
    assert_eq!(runner.take(&state), Taken::Stopped);
    assert_eq!(runner.next_task(), Some(&task));
}

/// Makes a run of the toy for a job; `stop_at`: it is stopped there.
fn made(runner: &mut Runner, job: &Job, steps: u64, stop_at: Option<u64>) -> RunState {
    let mut bench = Bench::new();
    let (record, resume_from) = (job.record.clone(), job.resume_from.clone());
    let request = RunRequest {
        lab: "lab",
        params: job.params.clone(),
        seed: job.seed,
        record,
        resume_from,
        ..*toy(1, job.steps.unwrap_or(steps), 0.0)
    };
    bench.engine.send(Command::Start(Box::new(request)));
    if let Some(step) = stop_at {
        bench.until(|state| state.step > step);
        bench.engine.send(Command::Stop);
    }
    bench.until(|state| state.status.as_ref().is_some_and(Status::is_over));
    bench.events.iter().for_each(|event| runner.hear(event));
    bench.engine.shutdown(Duration::from_secs(10));
    bench.state
}

#[test]
fn a_row_goes_on_inside_a_long_run() {
    static LONG: StudySpec = study_of(&[rate("long", &[("fixed", "9")])]);
    const FACTS: Facts = Facts { steps: |_| 2_000, ..self::FACTS };
    let home = tempfile::tempdir().unwrap();
    let open = || Runner::new(StudyRun::new("lab", toy::PARAMS, &LONG, 1, 7, &[]).unwrap(), FACTS);
    let mut first = open();
    let task = first.next_task().unwrap().clone();
    let place = Runner::place(&first.run, &FACTS, home.path(), &task);
    let job = first.begin(&task, place);
    assert!(job.resume_from.is_none());
    let Record::Replace(run) = &job.record else { panic!("{:?}", job.record) };
    assert!(run.starts_with(home.path().join("runs")), "in the study's folder");
    let state = made(&mut first, &job, 2_000, Some(20));
    assert_eq!(first.take(&state), Taken::Stopped);
    drop(first);

    let mut again = open();
    let place = Runner::place(&again.run, &FACTS, home.path(), &task);
    let job = again.begin(&task, place);
    assert!(job.resume_from.is_some() && matches!(job.record, Record::Resume(_)), "{job:?}");
}

#[test]
fn a_figure_is_drawn_from_the_recordings_of_its_rows() {
    static FIGURE: Figure = Figure {
        gallery: None,
        parallel: None,
        panels: &[Panel {
            title: "sums",
            x: "step",
            y: "sum",
            log: false,
            window: None,
            band: false,
            shows: |row| row.label != "large",
            curve: |run| run.scalars["sum"].points().map(|(step, sum)| [step as f64, sum]).collect(),
            marks: |row| row.paper[0].map(Mark::End).into_iter().collect(),
        }],
    };
    static DRAWN: StudySpec = StudySpec { figure: Some(&FIGURE), ..TIMED };
    let home = tempfile::tempdir().unwrap();
    let mut runner = runner(&DRAWN, 1);
    while let Some(task) = runner.next_task().cloned() {
        let place = Runner::place(&runner.run, &FACTS, home.path(), &task);
        let job = runner.begin(&task, place);
        let state = made(&mut runner, &job, 100, None);
        assert_eq!(runner.take(&state), Taken::Measured);
    }
    let drawing = study_figure::draw(&runner.run, home.path());
    let found: Vec<(usize, usize, f64)> =
        drawing.curves.iter().map(|c| (c.row, c.points.len(), c.points.last().unwrap()[1])).collect();
    assert_eq!(found, [(0, 101, 100.0), (1, 101, 200.0)]);
    let csv = String::from_utf8(study_figure::csv(&runner.run, &drawing).unwrap()).unwrap();
    assert!(
        csv.contains("sums,fast,\"paper, at the end\",,,4.0") && csv.contains("sums,fast,ours,7,100.0,200.0"),
        "{csv}"
    );
    fs::remove_dir_all(home.path().join("runs")).unwrap();
    assert_eq!(study_figure::draw(&runner.run, home.path()).missing, 3);
}

#[test]
fn a_figure_of_pictures_has_those_of_the_first_seed_of_each_row() {
    static FIGURE: Figure = Figure {
        panels: &[],
        parallel: None,
        gallery: Some(Gallery {
            title: "sums as grey",
            columns: 2,
            // The second one was never recorded.
            picture: |run, column| {
                let grey = run.last("sum")? as u8;
                (column == 0).then(|| Picture { width: 1, height: 1, rgb: vec![grey; 3] })
            },
        }),
    };
    static DRAWN: StudySpec = StudySpec { figure: Some(&FIGURE), ..TIMED };
    let home = tempfile::tempdir().unwrap();
    let mut runner = runner(&DRAWN, 2);
    while let Some(task) = runner.next_task().cloned() {
        let place = Runner::place(&runner.run, &FACTS, home.path(), &task);
        let job = runner.begin(&task, place);
        let state = made(&mut runner, &job, 100, None);
        assert_eq!(runner.take(&state), Taken::Measured);
    }
    let drawing = study_figure::draw(&runner.run, home.path());
    let found: Vec<(usize, usize, u8)> =
        drawing.pictures.iter().map(|shown| (shown.row, shown.column, shown.picture.rgb[0])).collect();
    assert_eq!(found, [(0, 0, 100), (1, 0, 200), (2, 0, 200)], "one of each row");
    let refused = study_figure::csv(&runner.run, &drawing).unwrap_err();
    assert!(refused.contains("has no numbers"), "{refused}");
}

#[test]
fn figure_2_shows_both_outlines_of_the_recorded_wall() {
    let spec = labs::find("segmentation").unwrap();
    let study = spec.studies.iter().find(|study| study.id == "figure-2").unwrap();
    let gallery = study.figure.unwrap().gallery.unwrap();
    let mut run = MadeRun::starts(header("segmentation", &Params::defaults(spec.params), 10));
    let (width, height) = (32, 24);
    run.payload(10, "wall/image/0", Payload::Image { width, height, rgba: vec![90; 4 * 32 * 24] });
    let truth = (0..32 * 24).map(|i| u8::from(i / 32 > 4 && i / 32 < 20 && i % 32 > 4 && i % 32 < 16)).collect();
    run.payload(10, "wall/truth/0", Payload::Mask { width, height, labels: truth });
    // The right half is likely at the network's size.
    let levels = (0..16 * 16).map(|i| if i % 16 > 8 { 250 } else { 3 }).collect();
    run.payload(10, "wall/probability/0", Payload::Mask { width: 16, height: 16, labels: levels });
    let state = run.ends(10);
    let picture = (gallery.picture)(&state, 0).unwrap();
    assert_eq!((picture.width, picture.height), (32, 24));
    let has = |colour: [u8; 3]| picture.rgb.chunks_exact(3).any(|pixel| pixel == colour);
    assert!(has([255, 50, 50]) && has([0, 230, 90]) && has([90; 3]));
    assert!((gallery.picture)(&state, 1).is_none(), "it was not recorded");
}

#[test]
fn every_study_can_be_timed_and_says_how_the_papers_numbers_are_known() {
    for lab in LABS {
        let spec = lab.spec;
        for study in spec.studies {
            let name = format!("{}/{}", spec.id, study.id);
            for key in study.cost.free {
                assert!(spec.params.iter().any(|param| param.key == *key), "{name}: no parameter `{key}`");
            }
            for occasion in study.cost.occasions {
                assert!(spec.keys.iter().any(|key| key.matches(occasion.key)), "{name}: no key `{}`", occasion.key);
            }
            let run = StudyRun::new(spec.id, spec.params, study, 1, 7, &[]).unwrap();
            for row in 0..study.rows.len() {
                let mut params = run.task(row).unwrap().params.clone();
                for (key, value) in (study.cost.trial)(&params.clone()) {
                    params.set(spec.params, key, value).unwrap_or_else(|error| panic!("{name}: {error}"));
                }
            }
            let numbers = study.rows.iter().any(|row| row.paper.iter().any(Option::is_some));
            assert_eq!(study.reading != learnscope::engine::study::NO_NUMBERS, numbers, "{name}: {}", study.reading);
        }
    }
}
