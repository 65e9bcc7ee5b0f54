//! The real binary and the folders of runs: reading writes nothing, resuming loses nothing, and what was changed behind
//! the program's back is told.

mod support;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::Value as Json;
use tempfile::TempDir;

use support::program::{NETWORK, NETWORK_ON_CSV, fails, learnscope, metrics, only_run, run, stderr, succeeds};
use support::tree::tree;

/// What of a run is on disk, without the lock.
fn recorded(folder: &Path) -> Vec<(PathBuf, Option<Vec<u8>>)> {
    tree(folder).into_iter().filter(|(path, _)| !path.ends_with(".lock")).collect()
}

/// Points of two classes; `one` is the first coordinate.
fn points(one: &str) -> String {
    let rows = (1..60).map(|i| format!("{}.{i},{}.5,{}\n", i % 3, i % 5, ["a", "b"][i % 2]));
    format!("x,y,class\n{one},1.0,a\n{}", rows.collect::<String>())
}

#[test]
fn verbs_that_read_touch_nothing_of_anybody() {
    let home = tempfile::tempdir().unwrap();
    let place = home.path().join("place");
    for name in [".vim.old", "vim", ".ssh.old", "thesis", ".thesis.old", "unet", ".unet.old", ".gone.old"] {
        fs::create_dir_all(place.join(name)).unwrap();
    }
    for name in
        [".vim.old/vimrc", ".ssh.old/id", ".thesis.old/chapter", ".unet.old/best.pt", ".gone.old/x", ".bashrc.old"]
    {
        fs::write(place.join(name), "mine").unwrap();
    }
    fs::write(place.join("thesis/a.csv.tmp"), "mine").unwrap();
    fs::write(place.join("picture.png"), "no picture").unwrap();
    let before = tree(&place);
    assert!(succeeds(&home, "runs place").contains("no runs"));
    fails(&home, "export place/thesis --to a.csv", 2, &["not a recorded run"]);
    fails(&home, "export place/gone --to a.csv", 2, &["no run"]);
    fails(&home, "resume place/thesis", 2, &["not a recorded run"]);
    fails(&home, "resume place/gone", 2, &["no run"]);
    fails(&home, "predict segmentation --weights place/unet --data place --out o", 2, &["place/unet"]);
    fails(&home, "predict segmentation --weights place/gone --data place --out o", 2, &["place/gone"]);
    assert!(tree(&place) == before, "reading changed something");
}

#[test]
fn a_resumption_that_is_refused_leaves_the_run_as_it_was() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("points.csv"), points("1.5")).unwrap();
    succeeds(&home, &format!("run optimizers {NETWORK_ON_CSV} --data points.csv --steps 20"));
    let folder = only_run(&home);
    let shown = folder.display();
    fs::create_dir(folder.join("figures")).unwrap();
    fs::write(folder.join("figures/mine.png"), "mine").unwrap();
    let finished = recorded(&folder);
    // The data is away for the moment, with a checkpoint and without one.
    fs::rename(home.path().join("points.csv"), home.path().join("away.csv")).unwrap();
    fails(&home, &format!("resume {shown} --steps 40"), 2, &["points.csv"]);
    assert!(recorded(&folder) == finished);
    fs::remove_dir_all(folder.join("checkpoints")).unwrap();
    fs::remove_file(folder.join("end.toml")).unwrap();
    let interrupted = recorded(&folder);
    fails(&home, &format!("resume {shown}"), 2, &["points.csv"]);
    assert!(recorded(&folder) == interrupted);
    // One digit of it was changed: the first steps would be others.
    fs::write(home.path().join("points.csv"), points("1.6")).unwrap();
    fails(&home, &format!("resume {shown}"), 2, &["the data has changed", "start a new run"]);
    assert!(recorded(&folder) == interrupted);
    // It is back: the run starts again, and everything else in its folder stays.
    fs::rename(home.path().join("away.csv"), home.path().join("points.csv")).unwrap();
    let rows = metrics(&folder);
    succeeds(&home, &format!("resume {shown}"));
    assert_eq!(metrics(&folder), rows);
    assert_eq!(fs::read_to_string(folder.join("figures/mine.png")).unwrap(), "mine");
    assert_eq!(metrics(&folder.join("earlier/1")), rows, "what it had is kept");
}

#[test]
fn a_changed_description_never_changes_numbers_in_silence() {
    let home = tempfile::tempdir().unwrap();
    succeeds(&home, &format!("run optimizers {NETWORK} --steps 30"));
    let folder = only_run(&home);
    let path = folder.join("run.toml");
    let text = fs::read_to_string(&path).unwrap();
    let expected = metrics(&folder);
    fs::remove_file(folder.join("end.toml")).unwrap();
    // Every digit and every line, one at a time.
    let digits = text.char_indices().skip_while(|(at, _)| *at < text.find('\n').unwrap());
    let digits: Vec<usize> = digits.filter(|(_, c)| c.is_ascii_digit()).map(|(at, _)| at).step_by(7).collect();
    assert!(digits.len() > 10);
    for at in digits {
        let mut changed = text.clone().into_bytes();
        changed[at] = if changed[at] == b'3' { b'4' } else { b'3' };
        fs::write(&path, &changed).unwrap();
        let output = run(&home, &format!("resume {} --steps 60", folder.display()));
        assert_eq!(output.status.code(), Some(2), "byte {at}: {}", stderr(&output));
        assert!(stderr(&output).contains("run.toml"), "{}", stderr(&output));
    }
    for device in ["", "CPU", "llvmpipe", "gpu"] {
        fs::write(&path, text.replace("device = \"CPU (Flex)\"", &format!("device = \"{device}\""))).unwrap();
        fails(&home, &format!("resume {} --steps 60", folder.display()), 2, &["run.toml"]);
    }
    // Without the file the run's own description takes its place.
    fs::remove_file(&path).unwrap();
    fs::remove_dir_all(folder.join("checkpoints")).unwrap();
    succeeds(&home, &format!("resume {}", folder.display()));
    assert_eq!(metrics(&folder), expected);
    assert!(succeeds(&home, "runs").contains("30 of 30"));
}

#[test]
fn one_flipped_bit_of_the_events_costs_no_number() {
    let home = tempfile::tempdir().unwrap();
    let line = format!("run optimizers {NETWORK} --steps 600 --at 300:learning_rate=0.02");
    succeeds(&home, &line);
    let folder = only_run(&home);
    let expected = metrics(&folder);
    let events = folder.join("events.bin");
    let whole = fs::read(&events).unwrap();
    let files: Vec<_> = recorded(&folder);
    for part in [0.1, 0.6, 0.95] {
        // As it was killed just before its end.
        for (path, content) in &files {
            if let Some(content) = content {
                fs::write(path, content).unwrap();
            }
        }
        let _ = fs::remove_dir_all(folder.join("earlier"));
        fs::remove_file(folder.join("end.toml")).unwrap();
        fs::remove_file(folder.join("checkpoints/step-00000600.safetensors")).unwrap();
        let mut flipped = whole.clone();
        flipped[(whole.len() as f64 * part) as usize] ^= 4;
        fs::write(&events, &flipped).unwrap();
        let output = run(&home, &format!("resume {}", folder.display()));
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert!(stderr(&output).contains("events.bin"), "the damage is told: {}", stderr(&output));
        if part == 0.1 {
            // No checkpoint is older than this damage: the training goes on from the newest one, and at most one entry of
            // the recording is missing.
            assert!(stderr(&output).contains("kept in"), "{}", stderr(&output));
            assert!(metrics(&folder).len() + 40 >= expected.len(), "{} of {}", metrics(&folder).len(), expected.len());
            assert!(fs::read(folder.join("earlier/1/events.bin")).unwrap() == flipped);
        } else {
            assert_eq!(metrics(&folder), expected, "flipped at {part}");
        }
    }
}

#[test]
fn a_finished_run_that_was_killed_before_it_said_so_is_mended() {
    let home = tempfile::tempdir().unwrap();
    succeeds(&home, &format!("run optimizers {NETWORK} --steps 20"));
    let folder = only_run(&home);
    fs::remove_file(folder.join("end.toml")).unwrap();
    assert!(succeeds(&home, "runs").contains("interrupted"));
    assert!(succeeds(&home, &format!("resume {}", folder.display())).contains("has done all its 20 steps"));
    assert!(succeeds(&home, "runs").contains("finished"));
}

/// A long run that has told of its first step.
#[cfg(unix)]
fn long_run(home: &TempDir) -> (std::process::Child, PathBuf, BufReader<std::process::ChildStdout>) {
    let line = format!("run optimizers {NETWORK} --steps 1000000 --json");
    let mut child = learnscope(home, &line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut text = String::new();
    let mut folder = None;
    while !text.contains("\"running\"") {
        text.clear();
        assert!(lines.read_line(&mut text).unwrap() > 0, "it ended before it ran");
        let said: Json = serde_json::from_str(&text).unwrap();
        folder = folder.or(said["folder"].as_str().map(PathBuf::from));
    }
    (child, folder.unwrap(), lines)
}

#[cfg(unix)]
#[test]
fn every_signal_that_asks_for_an_end_gets_a_checkpoint() {
    // What these tests were started to ignore (under `nohup`, say) the program ignores too.
    for signal in learnscope::signals::that_end() {
        let home = tempfile::tempdir().unwrap();
        let (mut child, folder, lines) = long_run(&home);
        let sent =
            std::process::Command::new("kill").args([format!("-{signal}"), child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        drop(lines);
        assert_eq!(child.wait().unwrap().code(), Some(1), "{signal}");
        let end: toml::Table = toml::from_str(&fs::read_to_string(folder.join("end.toml")).unwrap()).unwrap();
        let step = end["step"].as_integer().unwrap();
        assert!(folder.join(format!("checkpoints/step-{step:08}.safetensors")).exists(), "{signal}: step {step}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_run_under_nohup_outlives_its_terminal() {
    let home = tempfile::tempdir().unwrap();
    let program = env!("CARGO_BIN_EXE_learnscope");
    let script = format!("trap '' HUP; exec {program} run optimizers {NETWORK} --steps 3000 --out runs");
    let mut child = std::process::Command::new("sh")
        .args(["-c", &script])
        .current_dir(home.path())
        .env("LEARNSCOPE_CACHE_DIR", home.path().join("cache"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    for _ in 0..20 {
        std::thread::sleep(std::time::Duration::from_millis(20));
        let _ = std::process::Command::new("kill").args(["-s", "HUP", &child.id().to_string()]).status();
    }
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_change_there_and_back_is_resumed_as_it_was() {
    let home = tempfile::tempdir().unwrap();
    let changes = "--at 5:learning_rate=0.03 --at 5:learning_rate=0.04 --at 5:learning_rate=0.03";
    succeeds(&home, &format!("run optimizers {NETWORK} --steps 40 {changes}"));
    let folder = only_run(&home);
    let expected = metrics(&folder);
    fs::remove_dir_all(folder.join("checkpoints")).unwrap();
    fs::remove_file(folder.join("end.toml")).unwrap();
    succeeds(&home, &format!("resume {}", folder.display()));
    assert_eq!(metrics(&folder), expected);
}
