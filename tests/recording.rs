//! The recording on disk: what is written is what is read, whatever happens to the files in between.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use learnscope::engine::checkpoint_file;
use learnscope::engine::command::Record;
use learnscope::engine::event::{Body, Change, Event, Level, Payload, RunHeader, RunId, Status};
use learnscope::engine::experiment::{Array, ArrayValues, Checkpoint};
use learnscope::engine::header_file;
use learnscope::engine::params::{DefaultValue, ParamKind, ParamSpec, Params, Value};
use learnscope::engine::recording::{self, Recorder, RunReader, replay};
use learnscope::engine::run_folder::{self, list_runs};
use learnscope::engine::state::RunState;

use support::tree::tree;

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
    folded: false,
    used_by: &[],
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
    assert_eq!(reader.damaged_at(), None);
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
        assert_eq!(reader.damaged_at().is_some(), length > offset, "cut at {length}");
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
        // What run.toml says stands in for a damaged first event; of any other, at least that one is missing.
        let left = reader.events().unwrap().count();
        let first_frame = 12 + 8 + u32::from_le_bytes(whole[12..16].try_into().unwrap()) as usize;
        assert!(left < count || (at < first_frame && left == count), "byte {at}");
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
fn one_damaged_frame_hides_no_other() {
    let root = tempfile::tempdir().unwrap();
    let (folder, live) = record(&new(&root), 10, 8);
    let (_, offset, bytes) = live.payloads["boundary/adam"].recorded_at(6).unwrap();
    let path = folder.join("events.bin");
    let whole = fs::read(&path).unwrap();
    // A bit of its content, of its length (so that its end is not known), of its checksum; all of it overwritten.
    for at in [20, 0, 2, 3, 5] {
        let mut bytes = whole.clone();
        bytes[offset as usize + at] ^= 1;
        fs::write(&path, bytes).unwrap();
        let state = replay(&folder).unwrap();
        assert_eq!(state.step, 10, "byte {at} of the frame");
        assert_eq!(state.scalars["f/adam"].points().len(), 11);
        let steps: Vec<u64> = state.payloads["boundary/adam"].recorded.iter().map(|(step, ..)| *step).collect();
        assert_eq!(steps, [0, 1, 2, 3, 4, 5, 7, 8, 9, 10]);
        // The place of later rows in their table is not known.
        assert_eq!(state.tables["path/adam"].len(), 7);
        assert!(state.notices.iter().any(|(_, _, text)| text.contains("is not shown")), "{:?}", state.notices);
    }
    let mut bytes_of_zeros = whole.clone();
    bytes_of_zeros[offset as usize..(offset + u64::from(bytes)) as usize].fill(0);
    fs::write(&path, bytes_of_zeros).unwrap();
    assert_eq!(replay(&folder).unwrap().step, 10);
}

#[test]
fn resuming_past_a_damaged_stretch_says_so_and_keeps_the_files_as_they_were() {
    let root = tempfile::tempdir().unwrap();
    let (folder, live) = record(&new(&root), 10, 8);
    let (_, offset, _) = live.payloads["boundary/adam"].recorded_at(6).unwrap();
    let path = folder.join("events.bin");
    let mut bytes = fs::read(&path).unwrap();
    bytes[offset as usize + 20] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let metrics = fs::read(folder.join("metrics.csv")).unwrap();
    let mut header = RunHeader { resumed_at: Some(8), ..header() };
    let recorder = Recorder::create(&Record::Resume(folder.clone()), &mut header).unwrap().unwrap();
    let warnings = &recorder.resumed().unwrap().warnings;
    assert!(warnings[0].contains("before the checkpoint at step 8") && warnings[0].contains("earlier"), "{warnings:?}");
    assert!(fs::read(folder.join("earlier/1/events.bin")).unwrap() == bytes);
    assert!(fs::read(folder.join("earlier/1/metrics.csv")).unwrap() == metrics);
    assert_eq!(replay(&folder.join("earlier/1")).unwrap().step, 10, "it is a run that can be shown");
}

#[test]
fn a_checkpoint_behind_the_damage_or_of_another_run_does_not_fit() {
    let root = tempfile::tempdir().unwrap();
    let (folder, live) = record(&new(&root), 10, 4);
    let id = recording::id_of(&folder).unwrap();
    let at = |step: u64| checkpoint_file::read(&folder.join(checkpoint_file::file_name(step))).unwrap();
    let (_, damaged, _) = live.payloads["boundary/adam"].recorded_at(6).unwrap();
    let fits = |step: u64, id: &str, whole: u64| recording::belongs(&at(step), Some(id), whole, 99);
    assert_eq!(fits(4, &id, damaged), Ok(()));
    assert!(fits(8, &id, damaged).unwrap_err().contains("before step 8"));
    assert_eq!(fits(8, &id, u64::MAX), Ok(()));
    assert!(fits(4, "0badcafe", u64::MAX).unwrap_err().contains("another run"));
}

#[test]
fn files_of_two_runs_do_not_pass_for_one() {
    let root = tempfile::tempdir().unwrap();
    let (folder, _) = record(&new(&root), 3, 2);
    let mut other = RunHeader { seed: 8, ..header() };
    let mut recorder = Recorder::create(&new(&root), &mut other).unwrap().unwrap();
    recorder.append(&event(0, Body::Started(Box::new(other)))).unwrap();
    recorder.flush().unwrap();
    fs::copy(recorder.folder().join("events.bin"), folder.join("events.bin")).unwrap();
    let message = RunReader::open(&folder).unwrap_err().to_string();
    assert!(message.contains("two runs") && message.contains("`seed`"), "{message}");
}

#[test]
fn a_changed_description_is_shown_as_recorded_and_not_continued() {
    let root = tempfile::tempdir().unwrap();
    let (folder, _) = record(&new(&root), 3, 2);
    let path = folder.join("run.toml");
    let text = fs::read_to_string(&path).unwrap();
    for (from, to) in [("learning_rate = 0.1", "learning_rate = 0.2"), ("CPU (Flex)", ""), ("steps = 10", "steps = 99")]
    {
        assert!(text.contains(from));
        fs::write(&path, text.replacen(from, to, 1)).unwrap();
        let reader = RunReader::open(&folder).unwrap();
        assert_eq!((reader.header().params.float("learning_rate"), reader.header().steps), (0.1, 10));
        assert_eq!(reader.header().device, "CPU (Flex)");
        assert!(reader.refusal().unwrap().contains("run.toml"), "{from}");
        assert!(reader.damage().unwrap().contains("was changed after it was written"));
        // Without it the run's own description takes its place.
        fs::remove_file(&path).unwrap();
        let reader = RunReader::open(&folder).unwrap();
        assert_eq!((reader.header().steps, reader.refusal()), (10, None));
    }
    // A file of a version that noted no checksum is held against the recording too.
    let without: String = text.lines().skip(1).map(|line| format!("{line}\n")).collect();
    fs::write(&path, &without).unwrap();
    assert_eq!(RunReader::open(&folder).unwrap().refusal(), None);
    fs::write(&path, without.replacen("learning_rate = 0.1", "learning_rate = 0.2", 1)).unwrap();
    assert!(RunReader::open(&folder).unwrap().refusal().unwrap().contains("`learning_rate`"));
}

#[test]
fn a_run_that_starts_again_keeps_what_it_had_and_what_is_not_its_own() {
    let root = tempfile::tempdir().unwrap();
    let (folder, _) = record(&new(&root), 6, 100);
    fs::create_dir(folder.join("figures")).unwrap();
    fs::write(folder.join("figures/f.png"), "f").unwrap();
    fs::write(folder.join("notes.txt"), "n").unwrap();
    let before = fs::read(folder.join("events.bin")).unwrap();
    let end = run_folder::read_end(&folder);
    let restart = Record::Restart(folder.clone());
    // Prepared and given up: nothing has changed.
    let mut again = header();
    drop(Recorder::prepare(&restart, &mut again).unwrap().unwrap());
    assert!(fs::read(folder.join("events.bin")).unwrap() == before);
    assert_eq!((run_folder::read_end(&folder), &again.started), (end, &header().started));
    record(&restart, 2, 100);
    assert_eq!(replay(&folder).unwrap().step, 2);
    assert_eq!(replay(&folder.join("earlier/1")).unwrap().step, 6);
    record(&restart, 3, 100);
    assert_eq!(replay(&folder.join("earlier/2")).unwrap().step, 2);
    assert_eq!(fs::read_to_string(folder.join("figures/f.png")).unwrap(), "f");
    assert_eq!(fs::read_to_string(folder.join("notes.txt")).unwrap(), "n");
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
    // The old run's place is taken by something else.
    let old = root.path().join(".window.learnscope-old");
    fs::write(&old, "x").unwrap();
    assert!(Recorder::create(&replace, &mut header()).unwrap_err().to_string().contains("in the way"));
    fs::remove_file(&old).unwrap();
    assert_eq!(replay(&folder).unwrap().step, 3);

    // A crash between the two renames: whoever writes brings the old run back, who reads does not.
    fs::write(folder.join(".learnscope-replaced"), "").unwrap();
    fs::rename(&folder, &old).unwrap();
    assert_eq!(list_runs(root.path()).unwrap().len(), 0);
    run_folder::recover(&folder).unwrap();
    assert_eq!(replay(&folder).unwrap().step, 3);
    // A crash after them: the new run stays, what is left over goes with the next replacement, and pictures move over.
    record(&Record::Replace(old.clone()), 3, 100);
    fs::write(old.join(".learnscope-replaced"), "").unwrap();
    fs::write(old.join("picture.png"), "p").unwrap();
    fs::write(folder.join("notes.txt"), "n").unwrap();
    record(&replace, 2, 100);
    assert_eq!(replay(&folder).unwrap().step, 2);
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
    assert_eq!(fs::read_to_string(folder.join("picture.png")).unwrap(), "p");
    assert_eq!(fs::read_to_string(folder.join("notes.txt")).unwrap(), "n");

    // A folder of somebody else is never removed.
    let foreign = root.path().join("thesis");
    fs::create_dir(&foreign).unwrap();
    fs::write(foreign.join("thesis.tex"), "x").unwrap();
    let message = Recorder::create(&Record::Replace(foreign.clone()), &mut header()).unwrap_err().to_string();
    assert!(message.contains("not a recorded run"), "{message}");
    assert!(foreign.join("thesis.tex").exists());
}

#[test]
fn names_that_look_like_ours_are_not_ours() {
    let root = tempfile::tempdir().unwrap();
    let (folder, _) = record(&new(&root), 3, 2);
    let beside = |name: &str| root.path().join(name);
    let own = folder.file_name().unwrap().to_string_lossy().into_owned();
    for name in [".vim.old", "vim", ".ssh.old", &format!(".{own}.old"), &format!(".{own}.learnscope-old")] {
        fs::create_dir(beside(name)).unwrap();
        fs::write(beside(name).join("mine"), "x").unwrap();
    }
    fs::write(beside(".bashrc.old"), "x").unwrap();
    // A run of the user's own under such a name bears no marker.
    record(&Record::Replace(beside(".saved.learnscope-old")), 2, 100);
    for name in ["run.toml.tmp", "metrics.csv.tmp.tmp"] {
        fs::write(folder.join(name), "x").unwrap();
    }
    let before = tree(root.path());
    list_runs(root.path()).unwrap();
    RunReader::open(&folder).unwrap().events().unwrap().count();
    assert!(replay(&beside("ssh")).is_err());
    assert_eq!(tree(root.path()), before, "reading writes nothing");
    // And who writes touches nothing of it either.
    record(&Record::Restart(folder.clone()), 2, 100);
    record(&new(&root), 1, 100);
    run_folder::recover(&beside("saved")).unwrap();
    assert!(
        Recorder::create(&Record::Replace(folder.clone()), &mut header()).is_err(),
        "a foreign folder is in the way"
    );
    for (path, content) in before.iter().filter(|(path, _)| !path.starts_with(&folder)) {
        assert_eq!(fs::read(path).ok(), *content, "{}", path.display());
    }
    assert!(!folder.join("run.toml.tmp").exists(), "left over by an older version");
    assert!(folder.join("metrics.csv.tmp.tmp").exists());
}

#[test]
fn what_killed_writers_left_goes_with_the_next_new_run() {
    let root = tempfile::tempdir().unwrap();
    let (kept, _) = record(&new(&root), 1, 100);
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(3_600);
    let age = |path: &Path| fs::File::open(path).unwrap().set_modified(old).unwrap();
    let stub = root.path().join("20261121-000000-toy-x");
    fs::create_dir(&stub).unwrap();
    fs::copy(kept.join("events.bin"), stub.join("events.bin")).unwrap();
    fs::File::options().write(true).open(stub.join("events.bin")).unwrap().set_len(12).unwrap();
    let stub_with_notes = root.path().join("20261121-000001-toy-x");
    fs::create_dir(&stub_with_notes).unwrap();
    fs::copy(stub.join("events.bin"), stub_with_notes.join("events.bin")).unwrap();
    fs::write(stub_with_notes.join("notes.txt"), "x").unwrap();
    let filling = root.path().join(".learnscope-abcdefghijkl.new");
    fs::create_dir(&filling).unwrap();
    fs::write(filling.join("metrics.csv"), "").unwrap();
    let file = root.path().join(".learnscope-abcdefghijkl.tmp");
    fs::write(&file, "").unwrap();
    let young = root.path().join(".learnscope-mnopqrstuvwx.tmp");
    fs::write(&young, "").unwrap();
    for path in [&stub, &stub_with_notes, &filling, &file, &kept] {
        age(path);
    }
    record(&new(&root), 1, 100);
    for gone in [&stub, &filling, &file] {
        assert!(!gone.exists(), "{}", gone.display());
    }
    for stays in [&stub_with_notes.join("notes.txt"), &young, &kept.join("events.bin")] {
        assert!(stays.exists(), "{}", stays.display());
    }
}

#[cfg(unix)]
#[test]
fn a_pipe_in_the_place_of_a_file_is_refused_and_not_waited_for() {
    let root = tempfile::tempdir().unwrap();
    for name in ["run.toml", "events.bin", "metrics.csv", "end.toml", ".lock", "checkpoints/step-00000002.safetensors"]
    {
        let (folder, _) = record(&new(&root), 3, 2);
        let path = folder.join(name);
        fs::remove_file(&path).unwrap();
        let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
        assert!(made.success());
        // None of these hangs; what they say depends on the file.
        list_runs(root.path()).unwrap();
        let _ = replay(&folder);
        let _ = checkpoint_file::latest_good(&folder);
        let mut header = RunHeader { resumed_at: Some(2), ..header() };
        let _ = Recorder::create(&Record::Resume(folder.clone()), &mut header);
        let _ = Recorder::create(&Record::Restart(folder.clone()), &mut header);
        let _ = Recorder::create(&Record::Replace(folder.clone()), &mut header);
        fs::remove_dir_all(&folder).unwrap();
    }
}

#[test]
fn the_list_tells_how_each_run_ended() {
    let root = tempfile::tempdir().unwrap();
    let (finished, _) = record(&new(&root), 6, 2);
    let (killed, _) = record(&new(&root), 6, 2);
    fs::remove_file(killed.join("end.toml")).unwrap();
    let (broken, _) = record(&new(&root), 1, 2);
    fs::write(broken.join("run.toml"), "seed = ").unwrap();
    let (lost, _) = record(&new(&root), 1, 2);
    fs::write(lost.join("run.toml"), "seed = ").unwrap();
    fs::write(lost.join("events.bin"), "x").unwrap();
    fs::create_dir(root.path().join("holiday pictures")).unwrap();
    let runs = list_runs(root.path()).unwrap();
    let state = |folder: &Path| runs.iter().find(|run| run.folder == folder).unwrap().state().to_owned();
    assert_eq!(runs.len(), 4);
    assert_eq!(state(&finished), "finished");
    assert_eq!(state(&killed), "interrupted");
    assert_eq!(state(&broken), "finished", "its first event describes it too");
    assert_eq!(state(&lost), "unreadable");
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

/// A frame by hand, or of another version: no run makes such a change.
#[test]
fn a_change_that_no_parameter_can_have_is_left_out_and_told() {
    let root = tempfile::tempdir().unwrap();
    let mut head = header();
    head.changes.push(Change { step: 4, key: "learning_rate".into(), value: Value::Switch(true) });
    let mut recorder = Recorder::create(&new(&root), &mut head).unwrap().unwrap();
    let folder = recorder.folder().to_owned();
    let change =
        |step: u64, key: &str, to: Value| event(step, Body::Changed { key: key.into(), from: Value::Float(0.1), to });
    recorder.append(&event(0, Body::Started(Box::new(head)))).unwrap();
    for event in [
        change(1, "learning_rate", Value::Float(0.5)),
        change(2, "learning_rate", Value::Text("fast".into())),
        change(2, "twin/learning_rate", Value::Int(1)),
        change(2, "learning_rate", Value::Float(99.0)),
        change(2, "no_such_thing", Value::Float(0.0)),
        event(3, Body::Scalars(vec![("f/adam".into(), 1.0)])),
    ] {
        recorder.append(&event).unwrap();
    }
    drop(recorder);
    let mut reader = RunReader::open(&folder).unwrap();
    reader.complete(SPECS);
    let state = recording::replay_from(&mut reader).unwrap();
    assert_eq!(state.params.float("learning_rate"), 0.5);
    assert_eq!((state.changes.len(), state.twin.is_some(), state.step), (1, false, 3));
    assert_eq!(reader.header().changes.len(), 1, "what was planned too");
    let (_, level, text) = state.notices.last().unwrap();
    assert!(*level == Level::Warning && text.contains("a change at step 2 is left out"), "{text}");
    assert!(text.contains("`learning_rate`: `fast` is not a number"), "{text}");
}
