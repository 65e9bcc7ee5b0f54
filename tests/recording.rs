//! The recording on disk: what is written is what is read, whatever happens to the files in between.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use learnscope::engine::checkpoint_file;
use learnscope::engine::command::Record;
use learnscope::engine::event::{Body, Change, Event, Level, Payload, RunHeader, RunId, Status};
use learnscope::engine::experiment::{Array, ArrayValues, Checkpoint};
use learnscope::engine::header_file;
use learnscope::engine::params::{DefaultValue, ParamKind, ParamSpec, Params, Value};
use learnscope::engine::recording::{Recorder, RunReader, replay};
use learnscope::engine::run_folder::{self, list_runs};
use learnscope::engine::state::RunState;

const RUN: RunId = RunId(7);
const SPEC: ParamSpec = ParamSpec {
    key: "learning_rate",
    label: "η",
    unit: "",
    group: "",
    kind: ParamKind::Float { min: 0.0, max: 10.0, log: false },
    default: DefaultValue::Float(0.1),
    help: "",
    live: true,
    only_if: None,
};
const SPECS: &[ParamSpec] = &[
    SPEC,
    ParamSpec {
        key: "steps",
        kind: ParamKind::Int { min: -5, max: i64::MAX },
        default: DefaultValue::Int(i64::MAX),
        ..SPEC
    },
    ParamSpec { key: "use_adam", kind: ParamKind::Switch, default: DefaultValue::Switch(true), ..SPEC },
    ParamSpec { key: "csv", kind: ParamKind::Path, default: DefaultValue::Path("a \"b\"\\c\nd.csv"), ..SPEC },
];

fn header() -> RunHeader {
    RunHeader {
        lab: "optimizers".into(),
        name: "Down a saddle".into(),
        params: Params::defaults(SPECS),
        changes: vec![Change { step: 3, key: "learning_rate".into(), value: Value::Float(1.0) }],
        seed: u64::MAX,
        steps: 10,
        device: "CPU (Flex)".into(),
        version: "0.1.0".into(),
        started: "2026-11-21T04:29:56Z".into(),
        ..RunHeader::default()
    }
}

fn event(step: u64, body: Body) -> Event {
    Event { run: RUN, step, seconds: 0.1 * step as f64, body }
}

/// What step `k` of the made-up run reports: every kind of event, with numbers that are hard to write.
fn events_of(step: u64) -> Vec<Event> {
    let hard = [f64::MIN_POSITIVE / 3.0, 0.1 + 0.2, f64::NAN, f64::INFINITY, -0.0, 1e300, 1.0 / 3.0];
    let value = hard[step as usize % hard.len()];
    let matrix = Payload::Matrix { rows: 1, cols: 2, values: vec![step as f32, f32::NEG_INFINITY] };
    let mut events = vec![
        event(step, Body::Scalars(vec![("f/adam".into(), value), ("x, \"y\"".into(), step as f64)])),
        event(step, Body::Rows { key: "path/adam".into(), columns: 2, data: vec![step as f64, value].into() }),
        event(step, Body::Payload { key: "boundary/adam".into(), payload: Arc::new(matrix) }),
    ];
    if step == 3 {
        let (from, to) = (Value::Float(0.1), Value::Float(1.0));
        events.push(event(step, Body::Changed { key: "learning_rate".into(), from, to }));
    }
    if step == 5 {
        events.push(event(step, Body::Notice { level: Level::Warning, text: "loss rises".into() }));
    }
    events
}

fn checkpoint_at(step: u64) -> Checkpoint {
    let mut checkpoint = Checkpoint { step, ..Checkpoint::default() };
    checkpoint.put_f64("position", vec![step as f64]);
    checkpoint
}

/// Records the made-up run of `steps` steps, folding every event into a state as a live consumer does.
fn record(record: &Record, steps: u64, checkpoint_every: u64) -> (PathBuf, RunState) {
    let mut header = header();
    let mut recorder = Recorder::create(record, &mut header).unwrap().unwrap();
    let mut state = RunState::default();
    let mut write = |recorder: &mut Recorder, event: Event| {
        let place = recorder.append(&event).unwrap();
        assert_eq!(place.is_some(), matches!(event.body, Body::Payload { .. }));
        state.apply(&event);
        if let (Some((offset, bytes)), Body::Payload { key, .. }) = (place, &event.body) {
            let recorded = Event { body: Body::Recorded { key: key.clone(), offset, bytes }, ..event };
            assert_eq!(recorder.append(&recorded).unwrap(), None);
            state.apply(&recorded);
        }
    };
    write(&mut recorder, event(0, Body::Started(Box::new(header))));
    write(&mut recorder, event(0, Body::Status(Status::Running)));
    for step in 0..=steps {
        for event in events_of(step) {
            write(&mut recorder, event);
        }
        if step > 0 && step.is_multiple_of(checkpoint_every) {
            let file = recorder.checkpoint(&checkpoint_at(step)).unwrap();
            write(&mut recorder, event(step, Body::Checkpoint { file }));
        }
    }
    write(&mut recorder, event(steps, Body::Status(Status::Finished)));
    (recorder.folder().to_owned(), state)
}

/// Text of a state in which NaN equals NaN and the run's id is left out.
fn shown(state: &RunState) -> String {
    format!("{:#?}", RunState { id: None, ..state.clone() })
}

fn new(root: &tempfile::TempDir) -> Record {
    Record::New(root.path().to_owned())
}

#[test]
fn a_replayed_run_equals_the_live_one() {
    let root = tempfile::tempdir().unwrap();
    let (folder, live) = record(&new(&root), 10, 4);
    assert_eq!(folder.file_name().unwrap(), "20261121-042956-optimizers-down-a-saddle");
    assert_eq!(shown(&replay(&folder).unwrap()), shown(&live));
    let mut reader = RunReader::open(&folder).unwrap();
    assert_eq!(reader.header().params, Params::defaults(SPECS));
    assert_eq!(reader.header().seed, u64::MAX);
    assert_eq!(reader.header().changes, header().changes);
    // Any recorded moment can be fetched, in any order.
    for step in [9, 0, 4] {
        let (at, offset, bytes) = live.payloads["boundary/adam"].recorded_at(step).unwrap();
        let expected = Payload::Matrix { rows: 1, cols: 2, values: vec![step as f32, f32::NEG_INFINITY] };
        assert_eq!((at, &*reader.payload_at(offset, bytes).unwrap()), (step, &expected));
        assert!(reader.payload_at(offset + 1, bytes).is_err());
        assert!(reader.payload_at(offset, u32::MAX).is_err());
    }
    assert!(!reader.truncated());
}

#[test]
fn the_metrics_file_gives_the_same_bits_back() {
    let root = tempfile::tempdir().unwrap();
    let (folder, _) = record(&new(&root), 10, 100);
    let mut csv = csv::Reader::from_path(folder.join("metrics.csv")).unwrap();
    assert_eq!(csv.headers().unwrap(), vec!["step", "seconds", "key", "value"]);
    let rows: Vec<(u64, f64, String, f64)> = csv.deserialize().map(Result::unwrap).collect();
    let mut expected = Vec::new();
    for event in (0..=10).flat_map(events_of) {
        if let Body::Scalars(values) = event.body {
            expected.extend(values.into_iter().map(|(key, value)| (event.step, event.seconds, key.to_string(), value)));
        }
    }
    assert_eq!(rows.len(), expected.len());
    for (row, wanted) in rows.iter().zip(&expected) {
        assert_eq!((row.0, row.1.to_bits(), &row.2), (wanted.0, wanted.1.to_bits(), &wanted.2));
        assert!(row.3.to_bits() == wanted.3.to_bits() || row.3.is_nan() && wanted.3.is_nan());
    }
}

#[test]
fn a_recording_torn_at_any_byte_of_its_last_frame_is_read_up_to_the_frame_before() {
    let root = tempfile::tempdir().unwrap();
    let (folder, live) = record(&new(&root), 3, 100);
    let path = folder.join("events.bin");
    let whole = fs::read(&path).unwrap();
    let all: Vec<Event> = RunReader::open(&folder).unwrap().events().unwrap().collect();
    // The last frame is the newest payload's: what comes after it is cut off.
    let (_, offset, bytes) = *live.payloads["boundary/adam"].recorded.last().unwrap();
    let is_last = |e: &Event| matches!(e.body, Body::Recorded { offset: o, .. } if o == offset);
    let before = all.iter().position(is_last).unwrap();
    for length in offset..offset + u64::from(bytes) {
        fs::write(&path, &whole[..length as usize]).unwrap();
        let mut reader = RunReader::open(&folder).unwrap();
        assert_eq!(reader.events().unwrap().count(), before, "cut at {length}");
        assert_eq!(reader.truncated(), length > offset, "cut at {length}");
        let state = replay(&folder).unwrap();
        assert_eq!(state.step, 3);
        assert_eq!(state.notices.len(), usize::from(length > offset), "the torn tail is said");
    }
}

#[test]
fn a_flipped_bit_is_found_wherever_it_is() {
    let root = tempfile::tempdir().unwrap();
    let (folder, _) = record(&new(&root), 1, 100);
    let path = folder.join("events.bin");
    let whole = fs::read(&path).unwrap();
    let count = RunReader::open(&folder).unwrap().events().unwrap().count();
    for at in 0..whole.len() {
        let mut flipped = whole.clone();
        flipped[at] ^= 1 << (at % 8);
        fs::write(&path, &flipped).unwrap();
        if at < 12 {
            let message = RunReader::open(&folder).unwrap_err().to_string();
            assert!(message.contains("events.bin"), "{message}");
            continue;
        }
        let mut reader = RunReader::open(&folder).unwrap();
        assert!(reader.events().unwrap().count() < count, "byte {at}");
        let damage = reader.damage().unwrap();
        assert!(damage.contains("events.bin") && damage.contains("at byte"), "{damage}");
    }
}

#[test]
fn a_wrong_length_asks_for_no_memory() {
    let root = tempfile::tempdir().unwrap();
    let (folder, _) = record(&new(&root), 1, 100);
    let path = folder.join("events.bin");
    let mut bytes = fs::read(&path).unwrap();
    bytes[12..16].copy_from_slice(&u32::MAX.to_le_bytes());
    fs::write(&path, bytes).unwrap();
    let state = replay(&folder).unwrap();
    assert_eq!(state.header.unwrap().lab, "optimizers", "the header is in run.toml too");
}

#[test]
fn resuming_cuts_exactly_after_the_checkpoint() {
    let root = tempfile::tempdir().unwrap();
    let (unbroken, live) = record(&new(&root), 10, 4);
    let expected_metrics = fs::read(unbroken.join("metrics.csv")).unwrap();
    for torn in [0, 1, 9, 60] {
        // Two steps past the checkpoint at 4, then killed with a torn tail and a metrics file that lags behind.
        let (folder, _) = record(&new(&root), 6, 4);
        let path = folder.join("events.bin");
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..bytes.len() - torn]).unwrap();
        fs::write(folder.join("metrics.csv"), "step,sec").unwrap();
        let found = checkpoint_file::latest_good(&folder).unwrap().unwrap();
        assert_eq!((found.checkpoint.step, found.warnings.len()), (4, 0));

        let mut header = RunHeader { resumed_at: Some(4), device: "another".into(), ..header() };
        let mut recorder = Recorder::create(&Record::Resume(folder.clone()), &mut header).unwrap().unwrap();
        assert_eq!(recorder.resumed().unwrap().seconds, 0.4);
        assert!(recorder.resumed().unwrap().warnings.is_empty());
        assert_eq!(RunReader::open(&folder).unwrap().events().unwrap().map(|e| e.step).max(), Some(4));
        assert_eq!(run_folder::read_end(&folder), None);
        // Another process gives the run another id.
        let other = |e: Event| Event { run: RunId(99), ..e };
        recorder.append(&other(event(4, Body::Started(Box::new(header))))).unwrap();
        for step in 5..=10 {
            for event in events_of(step) {
                recorder.append(&other(event)).unwrap();
            }
            if step == 8 {
                let file = recorder.checkpoint(&checkpoint_at(8)).unwrap();
                recorder.append(&other(event(8, Body::Checkpoint { file }))).unwrap();
            }
        }
        recorder.append(&other(event(10, Body::Status(Status::Finished)))).unwrap();
        drop(recorder);

        assert_eq!(fs::read(folder.join("metrics.csv")).unwrap(), expected_metrics);
        let mut state = replay(&folder).unwrap();
        let header = state.header.take().unwrap();
        assert_eq!((header.resumed_at, header.device.as_str()), (Some(4), "another"));
        assert_eq!(header.params, Params::defaults(SPECS));
        let mut expected = live.clone();
        expected.header = None;
        assert_eq!(shown(&state), shown(&expected));
    }
}

#[test]
fn resuming_past_a_damaged_stretch_says_which_numbers_are_lost() {
    let root = tempfile::tempdir().unwrap();
    let (folder, live) = record(&new(&root), 10, 8);
    let (_, offset, _) = live.payloads["boundary/adam"].recorded_at(6).unwrap();
    let path = folder.join("events.bin");
    let mut bytes = fs::read(&path).unwrap();
    bytes[offset as usize + 20] ^= 1;
    fs::write(&path, bytes).unwrap();
    let recorder = Recorder::resume(&folder, 8).unwrap();
    let warnings = &recorder.resumed().unwrap().warnings;
    assert!(warnings[0].contains("between step 6 and the checkpoint at step 8"), "{warnings:?}");
}

#[test]
fn resuming_at_an_earlier_checkpoint_sets_the_later_ones_aside() {
    let root = tempfile::tempdir().unwrap();
    let (folder, _) = record(&new(&root), 9, 3);
    drop(Recorder::resume(&folder, 3).unwrap());
    assert_eq!(checkpoint_file::list(&folder).iter().map(|(step, _)| *step).collect::<Vec<_>>(), [3]);
    assert!(folder.join("checkpoints/step-00000009.safetensors.aside").exists());
}

#[test]
fn checkpoints_keep_every_bit() {
    let root = tempfile::tempdir().unwrap();
    let mut checkpoint = Checkpoint { step: 1_234, ..Checkpoint::default() };
    let odd32 = [f32::from_bits(0x7fc0_1234), f32::from_bits(0xff80_0001), f32::INFINITY, -0.0, 1e-45, 0.1];
    let odd64 = [f64::from_bits(0x7ff8_dead_beef_0001), f64::NEG_INFINITY, -0.0, 5e-324, 0.1];
    checkpoint.put_f32("weights/a b", vec![2, 3], odd32.to_vec());
    checkpoint.put_f64("moments", odd64.to_vec());
    checkpoint.put_f64("empty", Vec::new());
    let counter = Array { shape: vec![2], values: ArrayValues::U64(vec![u64::MAX, 0]) };
    checkpoint.tensors.insert("counter".into(), counter);
    checkpoint.tensors.insert("mask".into(), Array { shape: vec![1, 3], values: ArrayValues::U8(vec![0, 255, 7]) });
    checkpoint.text.insert("generator".into(), "{\"state\": \"é\\n\"}".into());
    let name = checkpoint_file::write(root.path(), &checkpoint).unwrap();
    assert_eq!(name, "checkpoints/step-00001234.safetensors");
    let read = checkpoint_file::read(&root.path().join(&name)).unwrap();
    assert_eq!((read.step, &read.text), (1_234, &checkpoint.text));
    assert_eq!(read.tensors.keys().collect::<Vec<_>>(), checkpoint.tensors.keys().collect::<Vec<_>>());
    let bits32 = |values: &[f32]| values.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
    let bits64 = |values: &[f64]| values.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits32(read.get_f32("weights/a b", &[2, 3]).unwrap()), bits32(&odd32));
    assert_eq!(bits64(read.get_f64("moments", 5).unwrap()), bits64(&odd64));
    assert_eq!(read.tensors["counter"], checkpoint.tensors["counter"]);
    assert_eq!(read.tensors["mask"], checkpoint.tensors["mask"]);
    assert!(read.get_f64("empty", 0).is_ok());
    // The same checkpoint is the same file.
    let first = fs::read(root.path().join(&name)).unwrap();
    checkpoint_file::write(root.path(), &checkpoint).unwrap();
    assert_eq!(fs::read(root.path().join(&name)).unwrap(), first);
}

#[test]
fn a_damaged_checkpoint_is_refused_and_the_one_before_it_is_used() {
    let root = tempfile::tempdir().unwrap();
    for step in [10, 20, 30] {
        checkpoint_file::write(root.path(), &checkpoint_at(step)).unwrap();
    }
    let newest = root.path().join(checkpoint_file::file_name(30));
    let whole = fs::read(&newest).unwrap();
    let refused = |bytes: &[u8]| {
        fs::write(&newest, bytes).unwrap();
        let message = checkpoint_file::read(&newest).expect_err("a damaged file was accepted").to_string();
        assert!(message.contains("step-00000030.safetensors"), "{message}");
        message
    };
    for length in 0..whole.len() {
        refused(&whole[..length]);
    }
    for at in (0..whole.len()).filter(|at| whole[*at] != b' ') {
        let mut flipped = whole.clone();
        flipped[at] ^= 1;
        refused(&flipped);
    }
    assert!(refused(b"\x02\0\0\0\0\0\0\0{}").contains("not a learnscope checkpoint"));
    assert!(refused(b"step,seconds").contains("damaged or cut short"));
    let found = checkpoint_file::latest_good(root.path()).unwrap().unwrap();
    assert_eq!((found.checkpoint.step, found.warnings.len()), (20, 1));
    assert!(found.warnings[0].contains("step-00000030"), "{:?}", found.warnings);

    for step in [10, 20] {
        fs::write(root.path().join(checkpoint_file::file_name(step)), "x").unwrap();
    }
    let message = checkpoint_file::latest_good(root.path()).unwrap_err().to_string();
    assert!(message.contains("no usable checkpoint"), "{message}");
    assert!(checkpoint_file::latest_good(&root.path().join("none")).unwrap().is_none());
}

#[test]
fn the_first_and_the_newest_checkpoints_are_kept() {
    let root = tempfile::tempdir().unwrap();
    for step in 1..=6 {
        checkpoint_file::write(root.path(), &checkpoint_at(step * 100)).unwrap();
    }
    let steps: Vec<u64> = checkpoint_file::list(root.path()).iter().map(|(step, _)| *step).collect();
    assert_eq!(steps, [100, 400, 500, 600]);
}

#[test]
fn a_checkpoint_is_never_ahead_of_the_events() {
    let root = tempfile::tempdir().unwrap();
    let mut header = header();
    let mut recorder = Recorder::create(&new(&root), &mut header).unwrap().unwrap();
    recorder.append(&event(0, Body::Started(Box::new(header)))).unwrap();
    for event in events_of(1) {
        recorder.append(&event).unwrap();
    }
    recorder.checkpoint(&checkpoint_at(1)).unwrap();
    // Read while the recorder is alive and nothing else was flushed.
    assert_eq!(RunReader::open(recorder.folder()).unwrap().events().unwrap().count(), 4);
}

#[test]
fn a_folder_that_cannot_be_written_is_named_with_the_reason() {
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("taken");
    fs::write(&file, "").unwrap();
    for record in [Record::New(file.join("runs")), Record::Replace(file.join("run"))] {
        let message = Recorder::create(&record, &mut header()).unwrap_err().to_string();
        assert!(message.contains("taken") && message.contains("another path"), "{message}");
    }
    let message = Recorder::resume(&root.path().join("missing"), 3).unwrap_err().to_string();
    assert!(message.contains("missing") && message.contains("check the path"), "{message}");
}

#[test]
fn two_writers_are_kept_apart_and_equal_names_too() {
    let root = tempfile::tempdir().unwrap();
    let first = Recorder::create(&new(&root), &mut header()).unwrap().unwrap();
    let second = Recorder::create(&new(&root), &mut header()).unwrap().unwrap();
    assert_eq!(second.folder(), root.path().join("20261121-042956-optimizers-down-a-saddle-2"));
    let message = Recorder::resume(first.folder(), 0).unwrap_err().to_string();
    assert!(message.contains("another learnscope is recording"), "{message}");
    assert_eq!(list_runs(root.path()).unwrap().iter().map(|run| run.state()).collect::<Vec<_>>(), ["running"; 2]);
}

#[test]
fn replacing_keeps_the_old_run_until_the_new_one_stands() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("window");
    let replace = Record::Replace(folder.clone());
    record(&replace, 3, 100);

    // While another process writes to it, it is left alone.
    let writer = Recorder::resume(&folder, 3).unwrap();
    let message = Recorder::create(&replace, &mut header()).unwrap_err().to_string();
    assert!(message.contains("another learnscope"), "{message}");
    drop(writer);
    // The place of the fresh folder is taken by something that is no folder.
    fs::write(root.path().join(".window.new"), "x").unwrap();
    assert!(Recorder::create(&replace, &mut header()).is_err());
    fs::remove_file(root.path().join(".window.new")).unwrap();
    assert_eq!(replay(&folder).unwrap().step, 3);

    // A crash between the two renames: the old run is brought back.
    fs::rename(&folder, root.path().join(".window.old")).unwrap();
    assert_eq!(list_runs(root.path()).unwrap().len(), 1);
    assert_eq!(replay(&folder).unwrap().step, 3);
    // A crash after them: the new run stays, and what is left over goes with the next replacement.
    fs::create_dir(root.path().join(".window.old")).unwrap();
    fs::create_dir(root.path().join(".window.new")).unwrap();
    record(&replace, 2, 100);
    assert_eq!(replay(&folder).unwrap().step, 2);
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);

    // A folder of somebody else is never removed.
    let foreign = root.path().join("thesis");
    fs::create_dir(&foreign).unwrap();
    fs::write(foreign.join("thesis.tex"), "x").unwrap();
    let message = Recorder::create(&Record::Replace(foreign.clone()), &mut header()).unwrap_err().to_string();
    assert!(message.contains("not a recorded run"), "{message}");
    assert!(foreign.join("thesis.tex").exists());
}

#[test]
fn the_list_tells_how_each_run_ended() {
    let root = tempfile::tempdir().unwrap();
    let (finished, _) = record(&new(&root), 6, 2);
    let (killed, _) = record(&new(&root), 6, 2);
    fs::remove_file(killed.join("end.toml")).unwrap();
    let (broken, _) = record(&new(&root), 1, 2);
    fs::write(broken.join("run.toml"), "seed = ").unwrap();
    fs::create_dir(root.path().join("holiday pictures")).unwrap();
    let runs = list_runs(root.path()).unwrap();
    let state = |folder: &Path| runs.iter().find(|run| run.folder == folder).unwrap().state().to_owned();
    assert_eq!(runs.len(), 3);
    assert_eq!(state(&finished), "finished");
    assert_eq!(state(&killed), "interrupted");
    assert_eq!(state(&broken), "unreadable");
    let run = runs.iter().find(|run| run.folder == finished).unwrap();
    assert_eq!((run.end.as_ref().unwrap().step, run.checkpoints.as_slice()), (6, [2, 4, 6].as_slice()));
    // A broken description does not hide what was recorded.
    assert_eq!(replay(&broken).unwrap().header.unwrap().name, "Down a saddle");
    assert!(list_runs(&root.path().join("none")).unwrap_err().to_string().contains("check the path"));
}

#[test]
fn a_header_of_a_newer_program_is_refused_by_name() {
    let root = tempfile::tempdir().unwrap();
    let (folder, _) = record(&new(&root), 1, 2);
    let path = folder.join("run.toml");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains("learning_rate = 0.1\n") && text.contains("use_adam = true\n"), "{text}");
    fs::write(&path, text.replace("format = 1", "format = 2")).unwrap();
    let message = header_file::read(&folder).unwrap_err().to_string();
    assert!(message.contains("run.toml") && message.contains("newer"), "{message}");
}

#[test]
fn a_run_killed_before_anything_was_flushed_can_still_be_opened() {
    let root = tempfile::tempdir().unwrap();
    let mut header = header();
    let recorder = Recorder::create(&new(&root), &mut header).unwrap().unwrap();
    let state = replay(recorder.folder()).unwrap();
    assert_eq!(state.header.unwrap(), header);
    assert!(state.notices.is_empty());
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_named_with_the_reason() {
    let root = tempfile::tempdir().unwrap();
    let folder = Recorder::create(&new(&root), &mut header()).unwrap().unwrap().folder().to_owned();
    // Every write to this device fails as on a full disk.
    let metrics = folder.join("metrics.csv");
    fs::remove_file(&metrics).unwrap();
    std::os::unix::fs::symlink("/dev/full", &metrics).unwrap();
    let mut recorder = Recorder::reopen(&folder).unwrap();
    for event in events_of(1) {
        recorder.append(&event).unwrap();
    }
    let message = recorder.flush().unwrap_err().to_string();
    assert!(message.contains("metrics.csv") && message.contains("No space left"), "{message}");
    assert!(message.contains("free some space"), "{message}");
}
