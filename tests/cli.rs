//! The real binary: what it says, how it ends, and that a killed run goes on to the same numbers.

mod support;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value as Json;
use tempfile::TempDir;

use support::program::{
    NETWORK, NETWORK_ON_CSV, fails, learnscope, metrics, only_run, only_run_in, run, stderr, stdout, succeeds,
};

/// Every line of a command's output as JSON.
#[track_caller]
fn json_lines(text: &str) -> Vec<Json> {
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

#[test]
fn the_lists_name_everything_there_is() {
    let home = tempfile::tempdir().unwrap();
    let labs = succeeds(&home, "labs");
    assert!(labs.contains("optimizers") && labs.contains("--preset moons"), "{labs}");
    assert!(labs.contains("optimizers/saddle-race"), "{labs}");
    let params = succeeds(&home, "params optimizers");
    assert!(params.contains("learning_rate=0.01") && params.contains("can change while a run goes on"), "{params}");
    let devices = succeeds(&home, "devices");
    assert!(devices.contains("cpu") && devices.contains("automatic choice"), "{devices}");
    let studies = succeeds(&home, "study");
    assert!(studies.contains("optimizers/learning-rates"), "{studies}");
    assert!(succeeds(&home, "--version").contains(env!("CARGO_PKG_VERSION")));
    assert!(succeeds(&home, "--help").contains("Exit codes"));
    fs::create_dir(home.path().join("runs")).unwrap();
    assert!(succeeds(&home, "runs").contains("no runs"));
}

#[test]
fn every_list_speaks_json() {
    let home = tempfile::tempdir().unwrap();
    assert_eq!(json_lines(&succeeds(&home, "labs --json"))[0]["lab"], "optimizers");
    let params = json_lines(&succeeds(&home, "params optimizers --json"));
    assert!(params.iter().any(|line| line["key"] == "learning_rate" && line["live"] == true), "{params:?}");
    let devices = json_lines(&succeeds(&home, "--json devices"));
    assert_eq!(devices.iter().filter(|line| line["automatic"] == true).count(), 1, "{devices:?}");
    assert!(json_lines(&succeeds(&home, "study --json")).iter().any(|line| line["study"] == "optimizers/saddle-race"));
}

#[test]
fn a_scene_that_cannot_be_read_is_refused_before_a_window_opens() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("old.learnscope-scene"), "version = 9\nlab = \"optimizers\"\n").unwrap();
    for (scene, words) in [
        ("LS1-AAAA", &["`--scene`", "the code is damaged or not whole"][..]),
        ("LS7-AAAA", &["`--scene`", "a newer version of Learnscope wrote this scene"]),
        ("nowhere.learnscope-scene", &["`--scene`", "nowhere.learnscope-scene"]),
        ("old.learnscope-scene", &["old.learnscope-scene", "format 9"]),
    ] {
        fails(&home, &format!("--scene {scene}"), 2, words);
    }
}

#[test]
fn bad_usage_is_named_and_the_nearest_name_offered() {
    let home = tempfile::tempdir().unwrap();
    for (line, words) in [
        ("frobnicate", &["frobnicate"][..]),
        ("rum optimizers --preset saddle", &["there is no command `rum`", "did you mean `run`"]),
        ("rums", &["`rums`", "neither a command nor a recorded run", "did you mean `learnscope run"]),
        ("run", &["LAB"]),
        ("run optimizer", &["`optimizer`", "did you mean `optimizers`"]),
        ("run painting", &["`painting`", "known are optimizers"]),
        ("params optimisers", &["did you mean `optimizers`"]),
        ("run optimizers --preset mons", &["`mons`", "did you mean `moons`"]),
        ("run optimizers --set learning_rte=1", &["`learning_rte`", "did you mean `learning_rate`"]),
        ("run optimizers --set surface=vulcano", &["`surface`", "vulcano", "rosenbrock"]),
        ("run optimizers --set surface=own --set function=x^2+z", &["`function`", "column 5", "only x and y"]),
        ("run optimizers --set surface=own --set function=sine(x)", &["column 1", "did you mean `sin`"]),
        ("run optimizers --set function=x^2", &["it needs `surface` to be own"]),
        ("run optimizers --set learning_rate=99", &["`learning_rate`", "0.000001 to 10"]),
        ("run optimizers --set learning_rate=-1", &["`learning_rate`", "0.000001 to 10"]),
        ("run optimizers --set learning_rate=NaN", &["`learning_rate`", "NaN"]),
        ("run optimizers --set steps=1.5", &["`steps`", "1.5", "whole number"]),
        ("run optimizers --set use_adam=maybe", &["`use_adam`", "on or off"]),
        ("run optimizers --set learning_rate", &["key=value"]),
        ("run optimizers --steps 0", &["at least one step"]),
        ("run optimizers --steps -3", &["-3"]),
        ("run optimizers --steps many", &["many"]),
        ("run optimizers --seed x", &["'x'"]),
        ("run optimizers --at 5:surface=booth", &["`surface`", "cannot change"]),
        ("run optimizers --at learning_rate=1", &["STEP:KEY=VALUE"]),
        ("run optimizers --at 5:learning_rate=99", &["`learning_rate`", "0.000001 to 10"]),
        ("run optimizers --device tpu", &["`tpu`", "auto, cpu, gpu"]),
        ("run optimizers --device gpu:Voodoo2", &["adapter"]),
        ("run optimizers --data nowhere.csv", &["nowhere.csv", "no such file"]),
        ("study optimizers/saddle-rac", &["`saddle-rac`", "did you mean `saddle-race`"]),
        ("study optimizers", &["is a lab", "optimizers/saddle-race"]),
        ("study optimizers/saddle-race --seeds 0", &["0"]),
        ("resume nothing", &["`nothing`", "learnscope runs"]),
        ("export nothing --to a.csv", &["`nothing`"]),
        ("runs nowhere", &["nowhere", "check the path"]),
    ] {
        fails(&home, line, 2, words);
    }
    let output = run(&home, "run optimizer --json");
    let error = &json_lines(&stdout(&output))[0];
    assert_eq!((&error["event"], &error["code"]), (&Json::from("error"), &Json::from(2)));
    assert!(!home.path().join("runs").exists(), "bad usage leaves nothing behind");
}

#[test]
fn help_is_a_command_and_a_run_of_that_name_is_opened_by_its_path() {
    let home = tempfile::tempdir().unwrap();
    for (asked, flag) in [("help", "--help"), ("help run", "run --help"), ("help predict", "predict --help")] {
        assert_eq!(succeeds(&home, asked), succeeds(&home, flag), "{asked}");
    }
    fails(&home, "help rum", 2, &["rum"]);
    fails(&home, "hlp run", 2, &["there is no command `hlp`", "did you mean `help`"]);
    succeeds(&home, "run optimizers --preset saddle --steps 20");
    fs::rename(only_run(&home), home.path().join("runs/help")).unwrap();
    let mut window = learnscope(&home, "runs/help");
    window.env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY").env_remove("WAYLAND_SOCKET");
    let said = stderr(&window.output().unwrap());
    assert!(said.contains("there is no display"), "{said}");
}

#[test]
fn a_recorded_run_is_named_alone_and_anything_else_refused_before_a_window_opens() {
    let home = tempfile::tempdir().unwrap();
    succeeds(&home, "run optimizers --preset saddle --steps 20");
    let run = only_run(&home);
    let name = run.file_name().unwrap().to_str().unwrap();
    for typed in [run.to_str().unwrap(), name, &format!("runs/{name}")] {
        // It is found, and only the display is missing.
        let mut window = learnscope(&home, typed);
        window.env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY").env_remove("WAYLAND_SOCKET");
        let said = stderr(&window.output().unwrap());
        assert!(said.contains("there is no display"), "{said}");
    }
    fs::create_dir(home.path().join("notes")).unwrap();
    fs::write(home.path().join("file"), "x").unwrap();
    let events = run.join("events.bin");
    for (typed, words) in [
        ("notes", &["`notes` is not a recorded run", "no run.toml"][..]),
        ("file", &["`file` is not a recorded run"]),
        ("runs/nothing", &["there is no run `runs/nothing`"]),
        ("saddle", &["there is no run `saddle`", "did you mean"]),
        (events.to_str().unwrap(), &["is not a recorded run"]),
    ] {
        fails(&home, typed, 2, words);
    }
    fails(&home, &format!("{name} labs"), 2, &["without a command"]);
    // A run of a lab that this version does not have.
    let text = fs::read_to_string(run.join("run.toml")).unwrap().replace("\"optimizers\"", "\"painting\"");
    let other = home.path().join("runs/other");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("run.toml"), text.lines().skip(1).collect::<Vec<_>>().join("\n")).unwrap();
    fs::write(other.join("events.bin"), &fs::read(&events).unwrap()[..12]).unwrap();
    fails(&home, "runs/other", 2, &["there is no lab `painting`"]);
}

#[test]
fn without_a_display_the_headless_verbs_are_named() {
    let home = tempfile::tempdir().unwrap();
    let mut command = learnscope(&home, "");
    for variable in ["DISPLAY", "WAYLAND_DISPLAY", "WAYLAND_SOCKET"] {
        command.env_remove(variable);
    }
    if cfg!(any(windows, target_os = "macos")) {
        println!("skipped: this system always has a display");
        return;
    }
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let message = stderr(&output);
    assert!(message.contains("display") && message.contains("learnscope run LAB"), "{message}");
}

#[test]
fn a_surface_run_is_recorded_listed_and_exported() {
    let home = tempfile::tempdir().unwrap();
    let text = succeeds(&home, "run optimizers --set surface=booth --steps 300 --seed 5 --name mine");
    assert!(text.contains("finished after 300 steps") && text.contains("adam"), "{text}");
    let folder = only_run(&home);
    let name = folder.file_name().unwrap().to_str().unwrap();
    assert!(name.ends_with("-optimizers-mine"), "{name}");
    let listed = succeeds(&home, "runs");
    assert!(listed.contains(name) && listed.contains("finished") && listed.contains("300 of 300"), "{listed}");
    assert_eq!(json_lines(&succeeds(&home, "runs --json"))[0]["seed"], 5);

    // By name alone, too.
    succeeds(&home, &format!("export {name} --to all.csv"));
    let exported = fs::read_to_string(home.path().join("all.csv")).unwrap();
    assert_eq!(exported.lines().count(), metrics(&folder).len() + 1);
    succeeds(&home, &format!("export {name} --figure path/* --to paths.csv"));
    let mut paths = csv::Reader::from_path(home.path().join("paths.csv")).unwrap();
    assert_eq!(paths.headers().unwrap().iter().take(4).collect::<Vec<_>>(), ["key", "row", "x", "y"]);
    assert_eq!(paths.records().count(), 7 * 301, "seven optimizers, and the start");
    succeeds(&home, &format!("export {name} --figure f/adam --to f.json"));
    let json: Json = serde_json::from_slice(&fs::read(home.path().join("f.json")).unwrap()).unwrap();
    assert_eq!((&json["lab"], &json["rows"][0][2]), (&Json::from("optimizers"), &Json::from("f/adam")));

    fails(&home, &format!("export {name} --figure f/adm --to f.csv"), 2, &["`f/adm`", "did you mean `f/adam`"]);
    fails(&home, &format!("export {name} --to f.xlsx"), 2, &["f.xlsx", ".csv, .json, .npy or .png"]);
    fails(&home, &format!("export {name} --to none/f.csv"), 2, &["none", "check the path"]);
    fails(&home, &format!("resume {name} --steps 200"), 2, &["already at step 300"]);
    assert!(succeeds(&home, &format!("resume {name}")).contains("all its 300 steps"));
}

#[test]
fn a_run_speaks_json_lines() {
    let home = tempfile::tempdir().unwrap();
    let lines = json_lines(&succeeds(&home, "run optimizers --steps 50 --at 20:learning_rate=0.5 --no-record --json"));
    assert_eq!(lines[0]["event"], "started");
    assert!(lines.iter().any(|line| line["event"] == "changed" && line["step"] == 20), "{lines:?}");
    let last = lines.last().unwrap();
    assert_eq!((&last["event"], &last["step"]), (&Json::from("finished"), &Json::from(50)));
    assert!(last["scalars"]["f/adam"].is_f64(), "{last}");
    assert!(!home.path().join("runs").exists());
}

#[test]
fn a_folder_that_cannot_be_written_is_refused_before_the_work() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("taken"), "x").unwrap();
    fails(&home, "run optimizers --out taken/runs", 2, &["taken", "another path"]);
    fails(&home, "study optimizers/saddle-race --out taken", 2, &["taken", "another path"]);
    assert_eq!(fs::read_to_string(home.path().join("taken")).unwrap(), "x");
}

#[test]
fn the_same_network_run_twice_gives_the_same_numbers() {
    let home = tempfile::tempdir().unwrap();
    let line = format!("run optimizers {NETWORK} --steps 40 --seed 3");
    succeeds(&home, &format!("{line} --out a"));
    succeeds(&home, &format!("{line} --out b"));
    let numbers = |out: &str| {
        let folder = fs::read_dir(home.path().join(out)).unwrap().next().unwrap().unwrap().path();
        metrics(&folder)
    };
    assert_eq!(numbers("a"), numbers("b"));
}

/// Starts a recorded run, waits until it tells of its first checkpoint, and kills it. `None`: it had ended before.
fn killed_after_a_checkpoint(home: &TempDir, line: &str) -> Option<PathBuf> {
    let mut child: Child =
        learnscope(home, &format!("{line} --json")).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut folder = None;
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line: Json = serde_json::from_str(&line.unwrap()).unwrap();
        match line["event"].as_str() {
            Some("started") => folder = line["folder"].as_str().map(PathBuf::from),
            Some("checkpoint") => break,
            other => assert!(other != Some("finished"), "no checkpoint before the end"),
        }
    }
    // SIGKILL on Unix: no handler, no flush, no last word.
    child.kill().unwrap();
    child.wait().unwrap();
    folder.filter(|folder| !folder.join("end.toml").exists())
}

#[test]
fn killed_network_run_resumes_to_the_same_numbers() {
    let home = tempfile::tempdir().unwrap();
    // The changes stand before and after the first checkpoint, at step 250.
    let line = format!(
        "run optimizers {NETWORK} --steps 700 --seed 11 --at 100:learning_rate=0.05 --at 600:learning_rate=0.002"
    );
    succeeds(&home, &format!("{line} --out unbroken"));
    let unbroken = fs::read_dir(home.path().join("unbroken")).unwrap().next().unwrap().unwrap().path();

    let folder = killed_after_a_checkpoint(&home, &line).expect("700 steps ended while the first 250 were told");
    assert!(succeeds(&home, "runs").contains("interrupted"));
    assert!(metrics(&folder).last().is_none_or(|row| row.0 < 700));
    let resumed = succeeds(&home, &format!("resume {}", folder.display()));
    assert!(resumed.contains("finished after 700 steps"), "{resumed}");
    assert_eq!(metrics(&folder), metrics(&unbroken));
    // The last pictures, too.
    let picture = |run: &Path, to: &str| {
        succeeds(&home, &format!("export {} --figure boundary/adam --to {to}", run.display()));
        fs::read(home.path().join(to)).unwrap()
    };
    assert!(picture(&folder, "a.csv") == picture(&unbroken, "b.csv"));
    assert!(succeeds(&home, "runs").contains("700 of 700"));
}

#[test]
fn killed_surface_run_resumes_to_the_same_numbers() {
    let home = tempfile::tempdir().unwrap();
    let line = "run optimizers --set surface=rosenbrock --set learning_rate=0.0005 --steps 100000";
    succeeds(&home, &format!("{line} --out unbroken"));
    let unbroken = fs::read_dir(home.path().join("unbroken")).unwrap().next().unwrap().unwrap().path();
    // 10⁵ steps take a fraction of a second: on a busy machine the kill may come too late.
    let folder = (0..20)
        .find_map(|_| killed_after_a_checkpoint(&home, line))
        .expect("in 20 attempts the run always ended before it could be killed");
    succeeds(&home, &format!("resume {}", folder.display()));
    assert_eq!(metrics(&folder), metrics(&unbroken));
    let paths = |run: &Path, to: &str| {
        succeeds(&home, &format!("export {} --figure path/* --to {to}", run.display()));
        let text = fs::read_to_string(home.path().join(to)).unwrap();
        // Blocks of rows may interleave differently between the optimizers; each one's own rows are in order.
        let mut lines: Vec<&str> = text.lines().collect();
        lines.sort_by_key(|line| line.split(',').next().map(str::to_owned));
        lines.join("\n")
    };
    assert!(paths(&folder, "a.csv") == paths(&unbroken, "b.csv"), "the paths differ");
}

#[test]
fn a_run_killed_before_its_first_checkpoint_starts_again_in_its_folder() {
    let home = tempfile::tempdir().unwrap();
    succeeds(&home, &format!("run optimizers {NETWORK} --steps 60 --out unbroken"));
    let unbroken = fs::read_dir(home.path().join("unbroken")).unwrap().next().unwrap().unwrap().path();
    succeeds(&home, &format!("run optimizers {NETWORK} --steps 60"));
    let folder = only_run(&home);
    fs::remove_dir_all(folder.join("checkpoints")).unwrap();
    fs::remove_file(folder.join("end.toml")).unwrap();
    let output = run(&home, &format!("resume {}", folder.display()));
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stderr(&output).contains("the run has no checkpoint: it starts"), "{}", stderr(&output));
    assert_eq!(metrics(&only_run(&home)), metrics(&unbroken));
}

#[test]
fn damaged_files_are_named_and_what_is_whole_is_used() {
    let home = tempfile::tempdir().unwrap();
    succeeds(&home, &format!("run optimizers {NETWORK} --steps 600"));
    let folder = only_run(&home);
    let shown = folder.display();
    let expected = metrics(&folder);
    let checkpoint = |step: u64| folder.join(format!("checkpoints/step-{step:08}.safetensors"));

    // A torn recording: exported up to the tear, with a warning.
    let events = folder.join("events.bin");
    let whole = fs::read(&events).unwrap();
    fs::write(&events, &whole[..whole.len() - whole.len() / 4]).unwrap();
    let output = run(&home, &format!("export {shown} --to torn.csv"));
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stderr(&output).contains("events.bin"), "{}", stderr(&output));
    assert!(fs::read_to_string(home.path().join("torn.csv")).unwrap().lines().count() > 10);

    // The newest checkpoint is cut short, so that the run goes on from the one before.
    fs::remove_file(checkpoint(600)).unwrap();
    let bytes = fs::read(checkpoint(500)).unwrap();
    fs::write(checkpoint(500), &bytes[..bytes.len() / 2]).unwrap();
    let output = run(&home, &format!("resume {shown}"));
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let message = stderr(&output);
    assert!(message.contains("step-00000500.safetensors") && message.contains("from step 250"), "{message}");
    assert_eq!(metrics(&folder), expected);

    // Nothing usable is left.
    for entry in fs::read_dir(folder.join("checkpoints")).unwrap() {
        fs::write(entry.unwrap().path(), "not a checkpoint").unwrap();
    }
    fails(&home, &format!("resume {shown} --steps 700"), 2, &["no usable checkpoint", "start the run anew"]);
    // A file of somebody else in the place of the recording.
    fs::write(&events, "GIF89a, and more bytes than a header has").unwrap();
    fails(&home, &format!("export {shown} --to a.csv"), 2, &["events.bin", "not a learnscope recording"]);
    // No run at all.
    fs::create_dir(home.path().join("holiday")).unwrap();
    fails(&home, "resume holiday", 2, &["holiday", "not a recorded run"]);
    // A description that was changed by hand.
    let header = folder.join("run.toml");
    let text = fs::read_to_string(&header).unwrap();
    fs::write(&events, whole).unwrap();
    fs::remove_dir_all(folder.join("checkpoints")).unwrap();
    fs::write(&header, text.replace("learning_rate = ", "lerning_rate = ")).unwrap();
    fails(&home, &format!("resume {shown}"), 2, &["run.toml", "changed", "`lerning_rate`", "`learning_rate`"]);
}

#[test]
fn one_run_is_resumed_by_one_process_at_a_time() {
    let home = tempfile::tempdir().unwrap();
    succeeds(&home, &format!("run optimizers {NETWORK} --steps 20"));
    let folder = only_run(&home);
    let _writer = learnscope::engine::recording::Recorder::reopen(&folder).unwrap();
    fails(&home, &format!("resume {} --steps 40", folder.display()), 2, &["another learnscope is recording"]);
}

#[cfg(unix)]
#[test]
fn ctrl_c_stops_with_a_checkpoint_and_names_the_way_on() {
    let home = tempfile::tempdir().unwrap();
    let mut child = learnscope(&home, &format!("run optimizers {NETWORK} --steps 1000000 --json"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut events = lines.map(|line| serde_json::from_str::<Json>(&line.unwrap()).unwrap());
    events.find(|line| line["status"] == "running").expect("it never ran");
    let interrupted = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(interrupted.success());
    let last: Vec<Json> = events.collect();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(stderr(&output).contains("go on with `learnscope resume"), "{}", stderr(&output));
    let stopped = last.iter().find(|line| line["event"] == "stopped").unwrap();
    let step = stopped["step"].as_u64().unwrap();
    let folder = only_run(&home);
    assert!(folder.join(format!("checkpoints/step-{step:08}.safetensors")).exists(), "{last:?}");
    assert!(succeeds(&home, "runs").contains("stopped"));
    succeeds(&home, &format!("resume {} --steps {}", folder.display(), step + 10));
}

#[test]
fn a_pipe_gets_a_line_every_two_seconds_and_no_bar() {
    let home = tempfile::tempdir().unwrap();
    let started = Instant::now();
    let mut child = learnscope(&home, &format!("run optimizers {NETWORK} --steps 1000000 --no-record"))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    let first = lines.find(|line| line.starts_with("step ")).expect("no line of progress");
    let waited = started.elapsed();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(first.contains("of 1000000") && first.contains("steps/s") && first.contains("left"), "{first}");
    assert!(!first.contains('\u{1b}') && !first.contains('\r'), "{first:?}");
    assert!(waited > Duration::from_millis(1_500), "{waited:?}");
}

#[test]
fn a_study_measures_saves_and_keeps_what_it_has() {
    let home = tempfile::tempdir().unwrap();
    let text = succeeds(&home, "study optimizers/momentum-nag");
    assert!(text.contains("paper") && text.contains("ours") && text.contains("NAG"), "{text}");
    assert!(text.contains("deterministic"), "{text}");
    let folder = home.path().join("studies/optimizers-momentum-nag");
    let samples: Json = serde_json::from_slice(&fs::read(folder.join("samples.json")).unwrap()).unwrap();
    assert_eq!(samples.as_array().unwrap().len(), 2, "one run a row");
    assert!(
        fs::read_to_string(folder.join("table.csv")).unwrap().starts_with("row,measure,unit,paper,paper_std,ours_mean")
    );
    assert_eq!(fs::read_to_string(folder.join("table.txt")).unwrap(), text.split("\nsaved in").next().unwrap());

    // One row is lost, as if the study had been stopped: only that one is measured again.
    let one = Json::Array(vec![samples[0].clone()]);
    fs::write(folder.join("samples.json"), one.to_string()).unwrap();
    let lines = json_lines(&succeeds(&home, "study optimizers/momentum-nag --json"));
    assert_eq!(lines[0]["kept"], 1, "{:?}", lines[0]);
    assert_eq!(lines.iter().filter(|line| line["event"] == "measured").count(), 1);
    let lines = json_lines(&succeeds(&home, "study momentum-nag --again --json"));
    assert_eq!(lines.iter().filter(|line| line["event"] == "measured").count(), 2);

    fs::write(folder.join("samples.json"), "{").unwrap();
    fails(&home, "study momentum-nag", 2, &["samples.json", "--again"]);
    succeeds(&home, "study momentum-nag --again");
}

#[test]
fn sample_data_is_read_back_as_it_was_generated() {
    let home = tempfile::tempdir().unwrap();
    succeeds(&home, "sample-data data --points 60 --noise 0.1 --seed 4");
    let manifest = fs::read_to_string(home.path().join("data/manifest.csv")).unwrap();
    assert!(manifest.contains("points/moons.csv") && manifest.contains("seed 4"), "{manifest}");
    assert!(manifest.contains("ultrasound/manifest.csv"), "{manifest}");
    let ultrasound = fs::read_to_string(home.path().join("data/ultrasound/manifest.csv")).unwrap();
    assert!(ultrasound.contains("smooth (1)_mask.png") && ultrasound.contains("synthetic"), "{ultrasound}");
    assert_eq!(fs::read_dir(home.path().join("data/ultrasound")).unwrap().count(), ultrasound.lines().count() + 1);
    // The same points from a file or from the generator give the same numbers (the seed of the run is the points').
    let common = "run optimizers --device cpu --preset moons --set batch_size=16 --set hidden=4 --steps 30 --seed 4";
    succeeds(&home, &format!("{common} --set point_count=60 --set noise=0.1 --out generated"));
    succeeds(&home, &format!("{common} --data data/points/moons.csv --out read"));
    let recorded = |out: &str| fs::read_dir(home.path().join(out)).unwrap().next().unwrap().unwrap().path();
    assert_eq!(metrics(&recorded("generated")), metrics(&recorded("read")));
    let header = fs::read_to_string(recorded("read").join("run.toml")).unwrap();
    assert!(header.contains("moons.csv") && header.contains("points = \"csv\""), "{header}");

    fails(&home, "sample-data data --noise 7", 2, &["`7`", "0 to 1"]);
    fs::write(home.path().join("taken"), "").unwrap();
    fails(&home, "sample-data taken", 2, &["taken"]);
    fs::write(home.path().join("bad.csv"), "x,y\n1,2\n").unwrap();
    fails(&home, "run optimizers --preset moons --data bad.csv", 2, &["bad.csv"]);
}

#[test]
fn any_view_of_a_recorded_run_becomes_a_picture() {
    let home = tempfile::tempdir().unwrap();
    succeeds(&home, "run optimizers --steps 50");
    let folder = only_run(&home);
    let shown = folder.display();
    fails(
        &home,
        &format!("export {shown} --figure feild --to f.png"),
        2,
        &["`--figure feild`", "Did you mean `field`"],
    );
    let words = ["x1000", "each side"];
    fails(&home, &format!("export {shown} --figure field --size x1000 --to f.png"), 2, &words);

    let required = std::env::var_os("LEARNSCOPE_REQUIRE_ADAPTER").is_some_and(|value| value == "1");
    let devices = json_lines(&succeeds(&home, "devices --json"));
    if devices.len() == 1 && !required {
        println!("skipped: no graphics adapter to draw a picture with");
        return;
    }
    succeeds(&home, &format!("export {shown} --figure field --size 480x320 --theme dark --step 20 --to f.png"));
    let picture = image::open(home.path().join("f.png")).unwrap().to_rgba8();
    assert_eq!(picture.dimensions(), (480, 320));
    let first = picture.get_pixel(0, 0);
    assert!(first.0[..3].iter().all(|channel| *channel < 80), "a dark background: {first:?}");
    assert!(picture.pixels().any(|pixel| pixel != first), "something is drawn");
}

#[test]
fn any_figure_is_exported_as_it_was_at_a_past_step_and_says_which() {
    let home = tempfile::tempdir().unwrap();
    let json = |run: &str, more: &str| -> (Json, String) {
        let said = succeeds(&home, &format!("export {run} {more} --to a.json --force"));
        (serde_json::from_slice(&fs::read(home.path().join("a.json")).unwrap()).unwrap(), said)
    };
    succeeds(&home, &format!("run optimizers {NETWORK} --steps 30 --seed 3 --out net"));
    let net = fs::read_dir(home.path().join("net")).unwrap().next().unwrap().unwrap().path();
    let net = net.to_str().unwrap();
    // A picture: the newest one at or before the step.
    let (end, said) = json(net, "--figure boundary/adam");
    assert!(end["step"] == 30 && said.contains("(step 30)"), "{said}");
    let (start, _) = json(net, "--figure boundary/adam --step 0");
    assert_eq!(start["step"], 0);
    let steps: Vec<u64> = (0..=30)
        .map(|step| json(net, &format!("--figure boundary/adam --step {step}")).0["step"].as_u64().unwrap())
        .collect();
    assert!(steps.iter().zip(0..).all(|(at, asked)| *at <= asked) && steps.is_sorted(), "{steps:?}");
    let between = (0..=30).find(|&step| steps[step] < step as u64).expect("not recorded at every step");
    let (before, said) = json(net, &format!("--figure boundary/adam --step {between}"));
    assert!(said.contains(&format!("step {}, the newest at or before {between}", steps[between])), "{said}");
    assert_eq!(before["rows"], json(net, &format!("--figure boundary/adam --step {}", steps[between])).0["rows"]);
    assert_ne!(before["rows"], end["rows"]);
    // What has no other step says so; what has none so far, or none so late, is refused.
    let (_, said) = json(net, "--figure points/classes --step 30");
    assert!(said.contains("recorded once, at step 0"), "{said}");
    fails(&home, &format!("export {net} --figure boundary/adam --step 31 --to b.csv"), 2, &["recorded up to step 30"]);
    fails(&home, &format!("export {net} --figure metrics --step 31 --to b.csv"), 2, &["recorded up to step 30"]);
    fails(&home, &format!("export {net} --figure boundary/* --to b.csv"), 2, &["boundary/adam", "export one of them"]);

    // Numbers: of each key the newest; of a table the row.
    succeeds(&home, "run optimizers --set surface=booth --steps 40 --seed 5");
    let run = only_run(&home);
    let run = run.to_str().unwrap();
    let (f, _) = json(run, "--figure f/adam --step 20");
    assert_eq!((f["rows"].as_array().unwrap().len(), &f["rows"][0][0]), (1, &Json::from(20)));
    let (all, _) = json(run, "--figure metrics --step 20");
    let keys: std::collections::HashSet<String> =
        all["rows"].as_array().unwrap().iter().map(|row| row[2].to_string()).collect();
    assert_eq!(keys.len(), all["rows"].as_array().unwrap().len());
    let (path, _) = json(run, "--figure path/* --step 20");
    let rows = path["rows"].as_array().unwrap();
    assert!(rows.len() == 7 && rows.iter().all(|row| row[1] == 20), "{rows:?}");
    succeeds(&home, &format!("export {run} --figure path/adam --step 20 --to p.csv"));
    assert_eq!(fs::read_to_string(home.path().join("p.csv")).unwrap().lines().count(), 2);
}

#[test]
fn a_resumed_run_takes_changes_and_the_new_place_of_its_data() {
    let home = tempfile::tempdir().unwrap();
    let rows = |first: f64| -> String {
        (0..60).map(|i| format!("{},{},{}\n", first + f64::from(i) / 10.0, f64::from(i % 7), i % 2)).collect()
    };
    fs::write(home.path().join("points.csv"), rows(0.0)).unwrap();
    succeeds(
        &home,
        &format!(
            "run optimizers {NETWORK_ON_CSV} --data points.csv --steps 40 --seed 3 --out unbroken --at 30:learning_rate=0.01"
        ),
    );
    succeeds(&home, &format!("run optimizers {NETWORK_ON_CSV} --data points.csv --steps 20 --seed 3"));
    let folder = only_run(&home);
    let run = folder.to_str().unwrap();
    // The folder is elsewhere now, and there are others.
    fs::create_dir(home.path().join("moved")).unwrap();
    fs::rename(home.path().join("points.csv"), home.path().join("moved/p.csv")).unwrap();
    fs::write(home.path().join("other.csv"), rows(0.5)).unwrap();
    fails(&home, &format!("resume {run} --steps 40"), 2, &["points.csv", "not there any more", "--data"]);
    fails(&home, &format!("resume {run} --steps 40 --data other.csv"), 2, &["other data", "CRC-32"]);
    let moved = format!("resume {run} --steps 40 --data moved/p.csv");
    fails(&home, &format!("{moved} --at 5:learning_rate=0.01"), 2, &["5:learning_rate", "already at step 20"]);
    fails(&home, &format!("{moved} --at 40:learning_rate=0.01"), 2, &["never happens", "40 steps"]);
    fails(&home, &format!("{moved} --at 30:hidden=5"), 2, &["hidden"]);
    let text = succeeds(&home, &format!("{moved} --at 30:learning_rate=0.01"));
    assert!(text.contains("finished after 40 steps"), "{text}");
    let unbroken = fs::read_dir(home.path().join("unbroken")).unwrap().next().unwrap().unwrap().path();
    assert_eq!(metrics(&folder), metrics(&unbroken));
}

#[test]
fn a_run_goes_on_from_its_checkpoint_without_the_file_of_its_first_weights() {
    for (lab, small) in [
        (
            "segmentation",
            "--set synthetic_images=12 --set image_size=32 --set base=4 --set batch_size=6 --set wall_images=2",
        ),
        (
            "reconstruction",
            "--set image_size=32 --set width=1/4 --set train_images=6 --set unlabelled_images=6 \
             --set validation_images=4 --set test_images=8 --set unseen_images=2",
        ),
        ("self-supervised", "--set train_images=64 --set batch_size=16 --set probe_train=60 --set probe_test=40"),
    ] {
        let home = tempfile::tempdir().unwrap();
        let run = |rest: &str| format!("run {lab} --device cpu --seed 3 {small} {rest}");
        succeeds(&home, &run("--steps 2 --out first"));
        let first = only_run_in(&home, "first").display().to_string();
        succeeds(&home, &format!("export {first} --weights --to net.safetensors"));
        let from = if lab == "self-supervised" { "--set init=file" } else { "" };
        let second = run(&format!("{from} --set weights=net.safetensors"));
        succeeds(&home, &format!("{second} --steps 5 --out unbroken"));
        succeeds(&home, &format!("{second} --steps 3"));
        fs::remove_file(home.path().join("net.safetensors")).unwrap();
        let begun = learnscope(&home, &format!("{second} --steps 3 --out other")).output().unwrap();
        assert!(!begun.status.success() && stderr(&begun).contains("net.safetensors"), "{lab}: {}", stderr(&begun));
        let folder = only_run(&home);
        succeeds(&home, &format!("resume {} --steps 5", folder.display()));
        let after = |folder: &Path| metrics(folder).into_iter().filter(|row| row.0 > 3).collect::<Vec<_>>();
        let unbroken = after(&only_run_in(&home, "unbroken"));
        assert!(!unbroken.is_empty());
        assert_eq!(after(&folder), unbroken, "{lab}");
        // Without a checkpoint it begins again, and needs it.
        fs::remove_dir_all(folder.join("checkpoints")).unwrap();
        fails(&home, &format!("resume {} --steps 6", folder.display()), 2, &["net.safetensors", "not there any more"]);
    }
}

#[test]
fn what_would_silently_do_nothing_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let refused = |line: &str, words: &str| {
        let output = learnscope(&home, line).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{line}: {text}");
        assert!(text.contains(words), "{line}: {text}");
    };
    refused("run optimizers --at 99999:learning_rate=0.1", "never happens: the run ends after 420 steps");
    refused("--runs elsewhere runs", "are for the window");
    let runs = learnscope(&home, "runs").output().unwrap();
    assert!(runs.status.success() && String::from_utf8_lossy(&runs.stdout).contains("no runs in `runs`"));
    let done = learnscope(&home, "run optimizers --steps 20 --name here").output().unwrap();
    assert!(done.status.success());
    let folder = std::fs::read_dir(home.path().join("runs")).unwrap().next().unwrap().unwrap().path();
    let run = folder.display();
    refused(&format!("export {run} --figure boundary --to a.png"), "not a view of this run");
    refused(&format!("export {run} --figure field --step 999 --to a.png"), "recorded up to step 20");
    std::fs::write(folder.join("run.toml"), "").unwrap();
    refused(&format!("resume {run} --steps 60"), "run.toml");
}

#[test]
fn what_would_fail_or_do_nothing_on_the_way_is_refused_before_anything_runs() {
    let home = tempfile::tempdir().unwrap();
    let run = "run self-supervised --device cpu --steps 5 --set train_images=64 --set batch_size=16";
    fails(&home, &format!("{run} --at 2:direct_epsilon=.5"), 2, &["direct_epsilon", "predictor_rule"]);
    fails(&home, &format!("{run} --at 2:twin/init=glorot"), 2, &["`init`", "restart"]);
    let two = "--set predictor_layers=two --at 2:twin/predictor_rule=directpred";
    fails(&home, &format!("{run} {two}"), 2, &["predictor_layers=one"]);
    // Studies: data that would not be read, and data that is missing.
    fs::create_dir(home.path().join("data")).unwrap();
    fails(&home, "study self-supervised/table-1 --data data", 2, &["generated data", "table-1-cifar10"]);
    fails(&home, "study self-supervised/table-1-cifar10", 2, &["--data"]);
    fails(&home, "study self-supervised/table-1-cifar10 --data data", 2, &["holds no CIFAR-10", "test_batch.bin"]);
}

#[test]
fn a_forked_run_is_recorded_and_resumed_with_its_twin() {
    let home = tempfile::tempdir().unwrap();
    let run = "run self-supervised --device cpu --set train_images=64 --set batch_size=16 --set probe_train=40 --set \
               probe_test=20 --set loss_every=1 --at 3:twin/symmetry=on";
    succeeds(&home, &format!("{run} --steps 12 --out unbroken"));
    succeeds(&home, &format!("{run} --steps 6 --out broken"));
    let recorded = |out: &str| fs::read_dir(home.path().join(out)).unwrap().next().unwrap().unwrap().path();
    let broken = recorded("broken");
    succeeds(&home, &format!("resume {} --steps 12", broken.display()));
    let twin = |folder: &Path| {
        let text = fs::read_to_string(folder.join("metrics.csv")).unwrap();
        let of_twin = |line: &&str| line.contains("twin/loss/cosine");
        // Without the clock.
        let cells = |line: &str| {
            let cells: Vec<&str> = line.split(',').collect();
            format!("{} {} {}", cells[0], cells[2], cells[3])
        };
        text.lines().filter(of_twin).map(cells).collect::<Vec<_>>()
    };
    let whole = twin(&recorded("unbroken"));
    assert_eq!((whole.len(), twin(&broken)), (9, whole), "steps 4 to 12");
}

#[test]
fn a_recording_without_some_parameters_is_shown_with_their_defaults() {
    let home = tempfile::tempdir().unwrap();
    let tiny = "--set synthetic_images=12 --set image_size=16 --set base=2 --set wall_images=1";
    succeeds(&home, &format!("run segmentation --steps 1 --device cpu --out runs {tiny}"));
    let folder = fs::read_dir(home.path().join("runs")).unwrap().next().unwrap().unwrap().path();
    let text = fs::read_to_string(folder.join("run.toml")).unwrap();
    let lacking: Vec<&str> =
        text.lines().filter(|line| !line.starts_with("connectivity") && !line.starts_with("hd95")).collect();
    assert!(lacking.len() + 2 == text.lines().count(), "{text}");
    fs::write(folder.join("run.toml"), lacking.join("\n")).unwrap();
    let mut reader = learnscope::labs::open_run(&folder).unwrap();
    let state = learnscope::engine::recording::replay_from(&mut reader).unwrap();
    assert_eq!(state.params.text("connectivity"), "8");
    assert_eq!(state.header.unwrap().params.text("hd95"), "medpy");
}

/// A folder of pairs, each image with a mask; two images are one picture with two masks.
fn pairs_that_contradict(home: &TempDir) {
    let folder = home.path().join("pairs");
    fs::create_dir(&folder).unwrap();
    let picture = |seed: u32| {
        image::GrayImage::from_fn(48, 40, |x, y| {
            let mixed =
                (x / 3).wrapping_mul(2_654_435_761) ^ (y / 3).wrapping_mul(40_503) ^ seed.wrapping_mul(97_531_711);
            image::Luma([(mixed.wrapping_mul(2_246_822_519) >> 24) as u8])
        })
    };
    let mask =
        |left: u32| image::GrayImage::from_fn(48, 40, |x, y| image::Luma([255 * u8::from(x / 12 == left && y > 9)]));
    for i in 0..12 {
        picture(i).save(folder.join(format!("a{i:02}.png"))).unwrap();
        // Eight are empty.
        mask(if i < 4 { i % 3 } else { 9 }).save(folder.join(format!("a{i:02}_mask.png"))).unwrap();
    }
    picture(0).save(folder.join("b.png")).unwrap();
    mask(2).save(folder.join("b_mask.png")).unwrap();
}

#[test]
fn the_doctor_tells_what_is_odd_and_ends_with_1_where_that_is_an_error() {
    let home = tempfile::tempdir().unwrap();
    pairs_that_contradict(&home);
    let output = run(&home, "doctor pairs --out all.csv");
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let text = stdout(&output);
    for words in [
        "13 pairs of an image and its lesions",
        "split at random by whole groups",
        "in groups of several",
        "data doctor: 1 error, ",
        "error: same picture, other mask: 1 time (at most one mask is right",
        "a00.png: is pixel for pixel the same as b.png, but their masks agree with Dice 0.00 only",
        "note: no lesion: 8 times",
        "all of it: all.csv",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(!text.contains("a05.png: its mask has no lesion"), "many equal notes are one line: {text}");
    assert!(stderr(&output).contains("the data doctor found 1 error"), "{}", stderr(&output));
    let table = fs::read_to_string(home.path().join("all.csv")).unwrap();
    assert!(table.starts_with("severity,check,file,other,problem,advice") && table.matches("no lesion").count() >= 8);
    fails(&home, "doctor pairs --out all.csv", 2, &["all.csv` is already there", "--force"]);
    fails(&home, "doctor pairs --out all.txt", 2, &[".csv"]);
    let lines = json_lines(&stdout(&run(&home, "doctor pairs --json")));
    let kind = |line: &&Json| line["event"] == "kind" && line["check"] == "no lesion";
    assert_eq!(lines.iter().find(kind).unwrap()["count"], 8, "{lines:?}");
    assert_eq!(lines.iter().filter(|line| line["event"] == "finding").count(), table.lines().count() - 1);
    assert_eq!(lines.iter().filter(|line| line["event"] == "part").count(), 4);
    // Without the contradiction there is no error.
    for file in ["b.png", "b_mask.png"] {
        fs::remove_file(home.path().join("pairs").join(file)).unwrap();
    }
    let text = succeeds(&home, "doctor pairs");
    assert!(text.contains("data doctor: 0 errors, ") && text.contains("the whole list: --out FILE.csv"), "{text}");
    fails(&home, "doctor nowhere", 2, &["`nowhere` does not exist"]);
    fails(&home, "doctor pairs --set group_by=pattern --set group_pattern=x", 2, &["group_pattern", "{group}"]);
    fs::create_dir(home.path().join("empty")).unwrap();
    fails(&home, "doctor empty", 2, &["holds no pictures"]);
}

#[test]
fn a_run_without_a_window_says_what_the_doctor_knows() {
    let home = tempfile::tempdir().unwrap();
    pairs_that_contradict(&home);
    let line = "run segmentation --data pairs --device cpu --steps 1 --set base=2 --set image_size=16";
    let output = run(&home, line);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = stderr(&output);
    for words in [
        "13 pairs of an image and its lesions",
        "split: ",
        "data doctor: 1 error, ",
        "same picture, other mask: 1 time",
        "is pixel for pixel the same as b.png",
        "--figure data/doctor --to FILE.csv",
        "the data doctor found 1 error in the folder",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    // Notes are counted, and not told one by one.
    let lines: Vec<&str> = text.lines().collect();
    let told = lines.windows(2).filter(|pair| pair[0].starts_with("  note: "));
    assert_eq!(told.filter(|pair| pair[1].starts_with("    ")).count(), 0, "{text}");
    assert!(text.contains("  note: near-duplicates: 1 time"), "{text}");
    // A folder that no run can have is bad input, and leaves nothing behind.
    fs::create_dir(home.path().join("alone")).unwrap();
    fs::copy(home.path().join("pairs/a00.png"), home.path().join("alone/a.png")).unwrap();
    let alone = line.replace("--data pairs", "--data alone");
    fails(&home, &alone, 2, &["holds 1 image but no pair"]);
    fails(&home, &format!("{line} --set group_by=pattern --set group_pattern=x"), 2, &["group_pattern"]);
    let run_folder = only_run(&home);
    let parts = format!("export {} --figure data/parts --to parts.csv", run_folder.display());
    succeeds(&home, &parts);
    let parts = fs::read_to_string(home.path().join("parts.csv")).unwrap();
    assert!(parts.starts_with("part,images,groups") && parts.contains("\nvalidation,"), "{parts}");
    let lines = json_lines(&stdout(&run(&home, &format!("{line} --json"))));
    assert!(lines.iter().any(|line| line["event"] == "kind" && line["severity"] == "error"), "{lines:?}");
}

#[test]
fn every_figure_is_saved_as_what_is_said_of_it() {
    let home = tempfile::tempdir().unwrap();
    let small = "--device cpu --set train_images=64 --set batch_size=16 --set probe_train=40 --set probe_test=20";
    for line in [
        "run segmentation --device cpu --steps 2 --set synthetic_images=20 --set base=2 --set image_size=32".to_owned(),
        format!("run self-supervised --steps 2 {small}"),
        "run optimizers --steps 5".to_owned(),
        format!("run optimizers {NETWORK} --steps 3"),
    ] {
        succeeds(&home, &format!("{line} --out runs --name one"));
        let folder = only_run(&home);
        let shown = folder.display().to_string();
        // (exit code, what was said)
        let export = |figure: &str, format: &str| {
            let line = format!("export {shown} --figure {figure} --to figure.{format} --force");
            let output = learnscope(&home, &line).output().unwrap();
            (output.status.code(), stderr(&output))
        };
        let (_, list) = export("no-such-figure-at-all", "csv");
        let figures = list.split_once("it has ").unwrap_or_else(|| panic!("{list}")).1;
        let figures: Vec<&str> = figures.trim().split(", ").collect();
        assert!(figures.len() > 3, "{list}");
        for figure in figures {
            let mut works = 0;
            for (format, other) in [("csv", "png"), ("json", "png"), ("png", "csv")] {
                let (code, said) = export(figure, format);
                if code == Some(0) {
                    works += 1;
                    continue;
                }
                assert!(code == Some(2) && said.contains("save it as ."), "{figure} as {format}: {said}");
                assert!(said.contains(&format!(".{other}")), "{figure} as {format}: {said}");
                assert_eq!(export(figure, other), (Some(0), String::new()), "{figure} as {format}: {said}");
            }
            assert!(works > 0, "{figure}");
        }
        let (code, said) = export("metrics", "xlsx");
        assert!(code == Some(2) && said.contains(".csv, .json, .npy or .png"), "{said}");
        let (code, said) = export("metrics", "svg");
        assert!(code == Some(2) && said.contains("save it as .csv or .json"), "{said}");
        let (_, views) = export("no-such-figure-at-all", "png");
        let (_, views) = views.split_once("Its views: ").unwrap_or_else(|| panic!("{views}"));
        for view in views.trim().split(", ") {
            let (code, said) = export(view, "csv");
            assert!(code == Some(0) || said.contains("is a view, not numbers; save it as .png"), "{view}: {said}");
        }
        fs::remove_dir_all(home.path().join("runs")).unwrap();
    }
}
