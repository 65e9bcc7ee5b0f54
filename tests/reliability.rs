//! Nothing is lost: what the engine promises of a run's recording when something goes wrong.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use learnscope::engine::command::{Command, Record, RunRequest};
use learnscope::engine::event::{Body, Level, Status};
use learnscope::engine::params::{Params, Value};
use learnscope::engine::recording::{RunReader, replay};
use learnscope::engine::run_folder;
use learnscope::engine::worker::Engine;
use learnscope::engine::{checkpoint_file, recording};

use support::toy::{Bench, PARAMS, toy};

fn set(key: &str, value: f64) -> Command {
    Command::Set { key: key.to_owned(), value: Value::Float(value) }
}

/// Runs the toy to its end; gives its folder.
fn recorded(request: RunRequest) -> PathBuf {
    let mut bench = Bench::new();
    bench.engine.send(Command::Start(Box::new(request)));
    bench.until(|state| state.status.as_ref().is_some_and(Status::is_over));
    let folder = bench.state.header.as_ref().unwrap().folder.clone();
    bench.engine.shutdown(Duration::from_secs(10));
    folder.into()
}

/// Every file of a folder with its content.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut all: Vec<(PathBuf, Vec<u8>)> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .flat_map(|path| if path.is_dir() { files(&path) } else { vec![(path.clone(), fs::read(&path).unwrap())] })
        .filter(|(path, _)| !path.ends_with(".lock"))
        .collect();
    all.sort();
    all
}

#[test]
fn a_change_by_hand_is_on_disk_before_the_pause_is_waited_through() {
    let root = tempfile::tempdir().unwrap();
    let mut bench = Bench::new();
    let record = Record::New(root.path().to_owned());
    bench.engine.send(Command::Start(Box::new(RunRequest { record, start_paused: true, ..*toy(1, 100, 0.0) })));
    bench.status(Status::Paused);
    let folder = PathBuf::from(bench.state.header.as_ref().unwrap().folder.clone());
    for rate in [3.0, 4.0, 3.0] {
        bench.engine.send(set("rate", rate));
    }
    bench.until(|state| state.marks.len() == 3);
    // What a kill would leave: the file as it is now, while the worker waits.
    let on_disk: Vec<f64> = replay(&folder)
        .unwrap()
        .changes
        .iter()
        .map(|change| change.value.clone())
        .map(|value| {
            let Value::Float(value) = value else { panic!("{value:?}") };
            value
        })
        .collect();
    assert_eq!(on_disk, [3.0, 4.0, 3.0]);
}

#[test]
fn checkpoints_follow_the_clock_too() {
    let root = tempfile::tempdir().unwrap();
    let record = Record::New(root.path().to_owned());
    let request = RunRequest { record, checkpoint_time: Duration::from_millis(40), ..*toy(1, 60, 9.0) };
    let mut bench = Bench::new();
    bench.engine.send(Command::Start(Box::new(request)));
    bench.status(Status::Finished);
    let written = bench.events.iter().filter(|event| matches!(event.body, Body::Checkpoint { .. })).count();
    // 60 steps of at least 5 ms; one more at the end.
    assert!((3..=60).contains(&written), "{written}");
}

#[test]
fn a_run_that_cannot_be_built_changes_nothing_of_its_recording() {
    let root = tempfile::tempdir().unwrap();
    let folder =
        recorded(RunRequest { record: Record::New(root.path().to_owned()), checkpoint_every: 10, ..*toy(1, 20, 9.0) });
    let before = files(&folder);
    let checkpoint = folder.join(checkpoint_file::file_name(10));
    for (record, resume_from) in [
        (Record::Resume(folder.clone()), Some(checkpoint)),
        (Record::Restart(folder.clone()), None),
        (Record::Replace(folder.clone()), None),
    ] {
        let refused = recorded(RunRequest { record, resume_from, ..*toy(2, 40, 8.0) });
        assert_eq!(refused, folder);
        assert!(files(&folder) == before, "a refused run touched its recording");
        assert_eq!(run_folder::summary(&folder).state(), "finished");
    }
}

#[test]
fn what_cannot_be_recorded_is_refused_before_it_trains() {
    let root = tempfile::tempdir().unwrap();
    let folder =
        recorded(RunRequest { record: Record::New(root.path().to_owned()), checkpoint_every: 10, ..*toy(1, 20, 9.0) });
    let checkpoint = folder.join(checkpoint_file::file_name(10));
    let writer = recording::Recorder::reopen(&folder).unwrap();
    let mut bench = Bench::new();
    let request =
        RunRequest { record: Record::Resume(folder.clone()), resume_from: Some(checkpoint), ..*toy(2, 1_000_000, 9.0) };
    bench.engine.send(Command::Start(Box::new(request)));
    bench.until(|state| state.status.as_ref().is_some_and(Status::is_over));
    let Some(Status::Failed(problem)) = &bench.state.status else { panic!("{:?}", bench.state.status) };
    assert!(problem.contains("another learnscope is recording"), "{problem}");
    drop(writer);
    // Nobody watches: a new run that cannot be recorded is refused, too.
    let file = root.path().join("taken");
    fs::write(&file, "").unwrap();
    let mut bench = Bench::new();
    bench.engine = Engine::start(false, Arc::new(|| ())).unwrap();
    bench.engine.send(Command::Start(Box::new(RunRequest {
        record: Record::New(file.join("runs")),
        ..*toy(3, 1_000_000, 9.0)
    })));
    bench.until(|state| state.status.as_ref().is_some_and(Status::is_over));
    assert!(matches!(&bench.state.status, Some(Status::Failed(problem)) if problem.contains("taken")));
}

#[test]
fn a_run_broken_off_anywhere_goes_on_to_the_same_numbers() {
    let root = tempfile::tempdir().unwrap();
    let new = |name: &str| Record::New(root.path().join(name));
    let whole = recorded(RunRequest { record: new("whole"), checkpoint_every: 10, ..*toy(1, 50, 0.0) });
    let numbers = |folder: &Path| format!("{:?}", replay(folder).unwrap().scalars["sum"].points().collect::<Vec<_>>());
    let broken = recorded(RunRequest { record: new("broken"), checkpoint_every: 10, ..*toy(2, 30, 0.0) });
    // Cut at every frame behind the checkpoint of step 20: whatever is left of it, the run goes on to the same.
    let events = fs::read(broken.join("events.bin")).unwrap();
    let mut offsets = Vec::new();
    let mut reader = RunReader::open(&broken).unwrap();
    let mut iterator = reader.events().unwrap();
    while iterator.next().is_some() {
        offsets.push(iterator.offset());
    }
    let checkpoint = broken.join(checkpoint_file::file_name(20));
    let saved = fs::read(&checkpoint).unwrap();
    let first = recording::resumable(&broken, 20).unwrap().kept;
    for cut in offsets.into_iter().filter(|offset| *offset >= first).flat_map(|offset| [offset, offset + 5]) {
        fs::write(broken.join("events.bin"), &events[..cut as usize]).unwrap();
        fs::write(&checkpoint, &saved).unwrap();
        let request = RunRequest {
            record: Record::Resume(broken.clone()),
            resume_from: Some(checkpoint.clone()),
            checkpoint_every: 10,
            ..*toy(3, 50, 0.0)
        };
        recorded(request);
        assert_eq!(numbers(&broken), numbers(&whole), "cut at {cut}");
    }
}

#[test]
fn a_new_run_whose_experiment_is_refused_is_recorded_as_failed() {
    let root = tempfile::tempdir().unwrap();
    let folder = recorded(RunRequest { record: Record::New(root.path().to_owned()), ..*toy(1, 20, 8.0) });
    assert_eq!(run_folder::summary(&folder).state(), "failed");
    assert!(run_folder::read_end(&folder).unwrap().message.contains("the toy's data"));
}

/// A small disk of memory; `None` where it cannot be mounted.
#[cfg(target_os = "linux")]
struct SmallDisk(tempfile::TempDir);

#[cfg(target_os = "linux")]
impl SmallDisk {
    fn mount(kilobytes: u32) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let size = format!("size={kilobytes}k");
        let mounted = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "none"])
            .arg(folder.path())
            .stderr(std::process::Stdio::null())
            .status();
        if mounted.is_ok_and(|status| status.success()) {
            return Some(Self(folder));
        }
        println!("skipped: a small disk cannot be mounted here (it needs root)");
        None
    }

    /// Fills it to the last byte; dropping the file's path with [`SmallDisk::empty`] makes room again.
    fn fill(&self) {
        use std::io::Write;
        let mut file = fs::File::create(self.0.path().join("full")).unwrap();
        while file.write_all(&[1; 4096]).is_ok() {}
        while file.write_all(&[1]).is_ok() {}
    }

    fn empty(&self) {
        fs::remove_file(self.0.path().join("full")).unwrap();
    }
}

#[cfg(target_os = "linux")]
impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_is_full_for_a_while_costs_nothing() {
    let Some(disk) = SmallDisk::mount(4096) else { return };
    for watched in [true, false] {
        let record = Record::New(disk.0.path().join("runs"));
        let mut bench = Bench::new();
        bench.engine = Engine::start(watched, Arc::new(|| ())).unwrap();
        let request = RunRequest { record, checkpoint_every: 50, ..*toy(1, 400, 9.0) };
        bench.engine.send(Command::Start(Box::new(request)));
        bench.until(|state| state.step >= 60);
        disk.fill();
        bench.status(Status::Waiting);
        let step = bench.state.step;
        std::thread::sleep(Duration::from_millis(2_500));
        disk.empty();
        bench.status(Status::Running);
        assert!(bench.state.step <= step + 1, "it trained on while nothing could be recorded");
        bench.status(Status::Finished);
        let folder = PathBuf::from(bench.state.header.as_ref().unwrap().folder.clone());
        bench.engine.shutdown(Duration::from_secs(10));
        let replayed = replay(&folder).unwrap();
        assert_eq!(replayed.scalars["sum"].points().len(), 401, "every number is recorded");
        assert!(RunReader::open(&folder).unwrap().events().unwrap().count() > 440);
        assert_eq!(run_folder::summary(&folder).state(), "finished");
        assert!(run_folder::summary(&folder).checkpoints.contains(&400));
        let errors: Vec<_> = bench.state.notices.iter().filter(|(_, level, _)| *level == Level::Error).collect();
        assert!(errors.is_empty(), "{errors:?}");
        fs::remove_dir_all(disk.0.path().join("runs")).unwrap();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_does_not_keep_a_run_from_being_stopped() {
    let Some(disk) = SmallDisk::mount(1024) else { return };
    let record = Record::New(disk.0.path().join("runs"));
    let mut bench = Bench::new();
    bench.engine.send(Command::Start(Box::new(RunRequest { record, checkpoint_every: 20, ..*toy(1, 100_000, 9.0) })));
    bench.until(|state| state.step >= 30);
    disk.fill();
    bench.status(Status::Waiting);
    let asked = Instant::now();
    bench.engine.send(Command::Stop);
    bench.status(Status::Stopped);
    assert!(asked.elapsed() < Duration::from_secs(20));
    let folder = PathBuf::from(bench.state.header.as_ref().unwrap().folder.clone());
    disk.empty();
    drop(bench);
    assert!(replay(&folder).unwrap().step >= 20);
    assert_eq!(checkpoint_file::latest_good(&folder).unwrap().unwrap().checkpoint.step % 20, 0);
    assert_eq!(Params::defaults(PARAMS).float("rate"), 1.0);
}
