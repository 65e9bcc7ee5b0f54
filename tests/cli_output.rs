//! The real binary where its output cannot be written, where its files are in the way, and where what it reads is not as it
//! was left: nothing ends long work, nothing of the user's is replaced, nothing steers the terminal.

mod support;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use learnscope::engine::header_file;
use learnscope::labs::LABS;
use serde_json::Value as Json;
use tempfile::TempDir;

use support::program::{ends, learnscope, metrics, only_run_in as only_run, run, stderr, stdout};

/// A command of the program through a shell, which may redirect, and does `$FIRST` before it.
#[cfg(unix)]
fn shell(home: &TempDir, line: &str) -> Command {
    let script = format!("eval \"${{FIRST:-:}}\"; exec {} {line}", env!("CARGO_BIN_EXE_learnscope"));
    let mut command = Command::new("sh");
    command.args(["-c", &script]).current_dir(home.path());
    command.env("LEARNSCOPE_CACHE_DIR", home.path().join("cache"));
    command
}

/// A pipe whose reader has gone away: what `| head -1` leaves.
fn closed() -> Stdio {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer.into()
}

/// A file on a disk without room.
#[cfg(target_os = "linux")]
fn full() -> Stdio {
    fs::File::options().write(true).open("/dev/full").unwrap().into()
}

type MakeStdio = fn() -> Stdio;

/// What takes no output.
const UNWRITABLE: &[(&str, MakeStdio)] = &[
    ("closed", closed),
    #[cfg(target_os = "linux")]
    ("full", full),
];

const NETWORK: &str = "run optimizers --preset moons --device cpu --set hidden=4 --set point_count=60 --set batch_size=16 \
                       --steps 300";
const TINY: &str = "run segmentation --steps 1 --device cpu --set synthetic_images=12 --set image_size=16 --set base=2 \
                    --set wall_images=1";
const RECONSTRUCTION: &str = "run reconstruction --device cpu --steps 1 --set image_size=32 --set width=1/4 --set train_images=6 \
                              --set unlabelled_images=6 --set validation_images=4 --set test_images=8 --set unseen_images=2";
const IMAGE_REPORT: &str = "run image-report --device cpu --steps 1 --set image_size=32 --set train_pairs=16 --set test_pairs=6 \
                            --set batch_size=8 --set width=32";
const SELF_SUPERVISED: &str = "run self-supervised --device cpu --steps 1 --set train_images=64 --set batch_size=16";

/// Two pictures to predict, and the run whose weights do it.
fn to_predict(home: &TempDir) -> String {
    ends(&run(home, &format!("{TINY} --out weights")), 0, &[]);
    fs::create_dir(home.path().join("in")).unwrap();
    for name in ["a", "b"] {
        let shade = |x: u32, y: u32| image::Luma([(40 + 3 * x + 2 * y) as u8]);
        image::GrayImage::from_fn(30, 20, shade).save(home.path().join(format!("in/{name}.png"))).unwrap();
    }
    format!("predict segmentation --device cpu --weights {} --data in", only_run(home, "weights").display())
}

#[test]
fn what_cannot_be_said_on_standard_error_ends_no_work() {
    let home = tempfile::tempdir().unwrap();
    let predict = to_predict(&home);
    for &(name, place) in UNWRITABLE {
        let does = |line: String| {
            let output = learnscope(&home, &line).stderr(place()).output().unwrap();
            assert_eq!(output.status.code(), Some(0), "{name}: {line}\n{}", stdout(&output));
            stdout(&output)
        };
        assert!(does(format!("{NETWORK} --out {name}")).contains("finished after 300 steps"));
        let folder = only_run(&home, name);
        assert!(does(format!("resume {} --steps 320", folder.display())).contains("finished after 320 steps"));
        does(format!("export {} --to {name}.csv", folder.display()));
        does(format!("study optimizers/momentum-nag --out {name}-studies"));
        assert!(does(format!("{predict} --out {name}-outlines")).contains("2 pictures predicted"));
        // A failure keeps its own exit code.
        let output = learnscope(&home, "run painting").stderr(place()).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
    }
}

#[test]
fn long_work_goes_on_when_nobody_reads_and_says_so_at_the_end() {
    let home = tempfile::tempdir().unwrap();
    let predict = to_predict(&home);
    ends(&run(&home, &format!("{NETWORK} --out unbroken")), 0, &[]);
    let unbroken = metrics(&only_run(&home, "unbroken"));
    for &(name, place) in UNWRITABLE {
        for json in ["", " --json"] {
            let out = format!("{name}{}", json.trim());
            let does = |line: String, kept: &str| {
                let output = learnscope(&home, &format!("{line}{json}")).stdout(place()).output().unwrap();
                ends(&output, 1, &["standard output could not be written (", "the results are recorded in ", kept]);
                assert_eq!(stderr(&output).matches("could not be written").count(), 1, "once: {}", stderr(&output));
            };
            does(format!("{NETWORK} --out {out}"), &out);
            let folder = only_run(&home, &out);
            assert_eq!(metrics(&folder), unbroken);
            assert!(fs::read_dir(folder.join("checkpoints")).unwrap().count() > 0);
            assert!(fs::read_to_string(folder.join("end.toml")).unwrap().contains("finished"));
            does(format!("resume {} --steps 320", folder.display()), &folder.display().to_string());
            assert!(fs::read_to_string(folder.join("end.toml")).unwrap().contains("step = 320"));
            does(format!("study optimizers/momentum-nag --out {out}-studies"), &format!("{out}-studies"));
            does(format!("{predict} --out {out}-outlines"), &format!("{out}-outlines"));
            assert!(home.path().join(format!("{out}-outlines/table.csv")).is_file());
        }
    }
    // Both gone, as after `2>&1 | head -1`; and what is not recorded is lost.
    let output =
        learnscope(&home, &format!("{NETWORK} --out both")).stdout(closed()).stderr(closed()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(metrics(&only_run(&home, "both")), unbroken);
    let output = learnscope(&home, &format!("{NETWORK} --no-record --json")).stdout(closed()).output().unwrap();
    ends(&output, 1, &["what it should have said is lost"]);
}

/// As a shell closes them: the program finds no standard streams at all.
#[cfg(unix)]
#[test]
fn a_run_without_standard_streams_is_recorded() {
    let home = tempfile::tempdir().unwrap();
    for (name, streams) in [("out", ">&-"), ("error", "2>&-"), ("both", ">&- 2>&-"), ("all", ">&- 2>&- <&-")] {
        let status = shell(&home, &format!("{NETWORK} --out {name} {streams}")).output().unwrap().status;
        assert_eq!(status.code(), Some(0), "{streams}");
        assert!(fs::read_to_string(only_run(&home, name).join("end.toml")).unwrap().contains("finished"), "{streams}");
    }
}

#[test]
fn a_list_whose_reader_has_seen_enough_is_no_failure() {
    let home = tempfile::tempdir().unwrap();
    ends(&run(&home, "run optimizers --steps 20"), 0, &[]);
    for line in ["labs", "params optimizers", "devices", "runs", "study", "labs --json", "runs --json", "--help"] {
        let output = learnscope(&home, line).stdout(closed()).output().unwrap();
        assert_eq!((output.status.code(), stderr(&output)), (Some(0), String::new()), "{line}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_list_that_a_full_disk_swallows_is_a_failure() {
    let home = tempfile::tempdir().unwrap();
    for line in ["labs", "params optimizers", "devices", "runs", "study", "labs --json"] {
        let output = learnscope(&home, line).stdout(full()).output().unwrap();
        ends(&output, 1, &["standard output could not be written (No space left"]);
    }
    for line in ["--help", "--version"] {
        assert_eq!(learnscope(&home, line).stdout(full()).output().unwrap().status.code(), Some(1), "{line}");
    }
}

/// `ulimit -f` ends a process by a signal unless it is told not to.
#[cfg(unix)]
#[test]
fn a_limit_on_the_size_of_files_is_an_error_of_the_write() {
    let home = tempfile::tempdir().unwrap();
    ends(&run(&home, NETWORK), 0, &[]);
    let folder = only_run(&home, "runs");
    let limited = |line: &str| {
        let mut command = shell(&home, line);
        // In blocks of 512 bytes, or of 1024 in some shells.
        command.env("FIRST", "ulimit -f 8").output().unwrap()
    };
    let output = limited(&format!("export {} --to a.csv", folder.display()));
    ends(&output, 2, &["a.csv", "File too large", "ulimit"]);
    assert!(!home.path().join("a.csv").exists());
    let output = limited(&format!("{NETWORK} --out limited"));
    ends(&output, 1, &["File too large"]);
}

#[test]
fn a_file_that_is_there_already_is_replaced_only_with_force() {
    let home = tempfile::tempdir().unwrap();
    ends(&run(&home, &format!("{TINY} --name it")), 0, &[]);
    let folder = only_run(&home, "runs");
    let export = format!("export {}", folder.display());
    let at = |name: &str| home.path().join(name);
    let kinds = ["--to x.csv", "--to x.json", "--figure wall --to x.png", "--weights --to x.safetensors"];
    for line in kinds {
        let file = at(line.rsplit(' ').next().unwrap());
        fs::write(&file, "mine").unwrap();
        let words = [&*format!("`{}` is already there; --force replaces it", file.file_name().unwrap().display())];
        ends(&run(&home, &format!("{export} {line}")), 2, &words);
        assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
    }
    // Before the work: even a figure that there is none of.
    ends(&run(&home, &format!("{export} --figure nothing --to x.csv")), 2, &["already there"]);
    for line in kinds.iter().filter(|line| !line.contains("png")) {
        ends(&run(&home, &format!("{export} {line} --force")), 0, &[]);
        assert_ne!(fs::read(at(line.rsplit(' ').next().unwrap())).unwrap(), b"mine");
    }
    // The same weights are the same bytes.
    ends(&run(&home, &format!("{export} --weights --to y.safetensors")), 0, &[]);
    assert!(fs::read(at("x.safetensors")).unwrap() == fs::read(at("y.safetensors")).unwrap());

    #[cfg(unix)]
    {
        fs::write(at("target"), "mine").unwrap();
        for target in ["target", "nowhere"] {
            let link = at("link.csv");
            std::os::unix::fs::symlink(at(target), &link).unwrap();
            ends(&run(&home, &format!("{export} --to link.csv")), 2, &["`link.csv` is already there"]);
            ends(&run(&home, &format!("{export} --to link.csv --force")), 0, &[]);
            assert!(fs::symlink_metadata(&link).unwrap().is_file(), "the link is replaced, not followed");
            fs::remove_file(link).unwrap();
        }
        assert_eq!(fs::read_to_string(at("target")).unwrap(), "mine");
        assert!(!at("nowhere").exists());
    }
}

#[test]
fn the_files_of_a_recorded_run_are_never_written_over() {
    let home = tempfile::tempdir().unwrap();
    ends(&run(&home, &format!("{NETWORK} --name it")), 0, &[]);
    let folder = only_run(&home, "runs");
    let before = fs::read(folder.join("metrics.csv")).unwrap();
    let shown = folder.display();
    let own = format!("{shown}/metrics.csv");
    for force in ["", " --force"] {
        ends(&run(&home, &format!("export {shown} --to {own}{force}")), 2, &["belongs to a recorded run", &own]);
        let checkpoint = format!("{shown}/checkpoints/step-1.csv");
        ends(&run(&home, &format!("export {shown} --to {checkpoint}{force}")), 2, &["belongs to a recorded run"]);
        assert!(!Path::new(&checkpoint).exists());
    }
    assert!(fs::read(folder.join("metrics.csv")).unwrap() == before);
    // What is nobody's may lie beside them.
    ends(&run(&home, &format!("export {shown} --to {shown}/numbers.csv")), 0, &[]);
    ends(&run(&home, "export it --to x.csv"), 2, &["there is no run"]);
}

#[test]
fn sample_data_replaces_nothing_unasked() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let put = |name: &str| {
        let file = data.join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, "mine").unwrap();
    };
    for name in ["manifest.csv", "points/moons.csv", "points/own.csv", "ultrasound/smooth (1).png"] {
        put(name);
    }
    let files = || {
        let mut files = Vec::new();
        let mut folders = vec![data.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
                if entry.is_dir() { folders.push(entry) } else { files.push(entry) }
            }
        }
        files
    };
    let mine = files();
    let output = run(&home, "sample-data data --points 20");
    ends(&output, 2, &["points/moons.csv`", "are already there; --force replaces them"]);
    assert_eq!(files(), mine, "nothing is written");
    ends(&run(&home, "sample-data data --points 20 --force"), 0, &[]);
    assert!(files().len() > 300);
    assert_eq!(fs::read_to_string(data.join("points/own.csv")).unwrap(), "mine", "other files stay");
    for name in ["manifest.csv", "points/moons.csv", "ultrasound/smooth (1).png"] {
        assert_ne!(fs::read(data.join(name)).unwrap(), b"mine");
    }
    let one = home.path().join("one");
    fs::create_dir(&one).unwrap();
    fs::write(one.join("manifest.csv"), "mine").unwrap();
    let words = ["manifest.csv` is already there; --force replaces it"];
    ends(&run(&home, "sample-data one --points 20"), 2, &words);
}

#[cfg(unix)]
#[test]
fn a_picture_of_the_window_replaces_nothing() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("shot.png"), "mine").unwrap();
    // Refused before a window is opened; there is no display of this name.
    let output = learnscope(&home, "--screenshot shot.png").env("DISPLAY", ":7777").output().unwrap();
    ends(&output, 2, &["`shot.png` is already there"]);
    assert_eq!(fs::read_to_string(home.path().join("shot.png")).unwrap(), "mine");
}

#[test]
fn nothing_out_of_a_run_folder_steers_the_terminal() {
    let home = tempfile::tempdir().unwrap();
    ends(&run(&home, &format!("{NETWORK} --name plain")), 0, &[]);
    let folder = home.path().join("runs/wild\u{202e}\u{9b}1m");
    fs::rename(only_run(&home, "runs"), &folder).unwrap();
    // As such a run would have been recorded: the first event would say the same.
    let mut header = header_file::read(&folder).unwrap();
    header.name = "\u{1b}]0;owned\u{7} \u{9b}31m \u{202e}name".to_owned();
    header.device = format!("CPU (Flex)\u{1b}[2J\n{}", "x".repeat(500));
    header_file::write(&folder, &header).unwrap();
    fs::File::options().write(true).open(folder.join("events.bin")).unwrap().set_len(12).unwrap();
    fs::remove_file(folder.join("end.toml")).unwrap();
    let shown = "runs/wild\u{202e}\u{9b}1m";
    let mut everything = String::new();
    for line in [
        "runs".to_owned(),
        "runs --json".to_owned(),
        format!("export {shown} --to a.csv"),
        format!("export {shown} --figure bounary --to a.png"),
        format!("export {shown} --to {shown}/a\u{9b}.xlsx"),
        format!("resume {shown} --steps 310"),
        format!("resume {shown}\u{1b} --steps 320"),
        format!("resume {shown} --steps 330 --json"),
    ] {
        let output = run(&home, &line);
        let said = stdout(&output) + &stderr(&output);
        let steers =
            |c: char| c.is_control() && c != '\n' || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        assert!(!said.contains(steers), "{line}: {said:?}");
        everything += &said;
    }
    assert!(everything.contains(r"wild\u{202e}\u{9b}1m"), "spelt out: {everything}");
    let listed = ends(&run(&home, "runs"), 0, &[]);
    assert_eq!(listed.lines().count(), 2, "a line for each run: {listed}");
    assert!(listed.lines().all(|line| line.chars().count() < 250), "{listed}");
    let json: Json = serde_json::from_str(&ends(&run(&home, "runs --json"), 0, &[])).unwrap();
    assert_eq!(json["name"], "\u{1b}]0;owned\u{7} \u{9b}31m \u{202e}name", "machines read what is there");
}

#[test]
fn what_cannot_be_read_is_listed_with_the_reason_in_one_line() {
    let home = tempfile::tempdir().unwrap();
    for name in ["a", "b", "c"] {
        ends(&run(&home, &format!("run optimizers --steps 20 --name {name}")), 0, &[]);
    }
    let named = |end: &str| {
        let mut runs = fs::read_dir(home.path().join("runs")).unwrap().map(|entry| entry.unwrap().path());
        runs.find(|path| path.to_string_lossy().ends_with(end)).unwrap()
    };
    fs::write(named("-a").join("run.toml"), "format = 1\nlab = \"x\ny\"\n").unwrap();
    fs::remove_file(named("-b").join("run.toml")).unwrap();
    // Nor do their events say what they are.
    for end in ["-a", "-b"] {
        fs::File::options().write(true).open(named(end).join("events.bin")).unwrap().set_len(20).unwrap();
    }
    let listed = ends(&run(&home, "runs"), 0, &[]);
    assert_eq!(listed.lines().count(), 4, "{listed}");
    for (end, reason) in [("-optimizers-a", "not a readable run description"), ("-optimizers-b", "run.toml")] {
        let line = listed.lines().find(|line| line.contains(end)).unwrap();
        assert!(line.contains("unreadable") && line.contains(reason), "{listed}");
    }
    let heading = listed.lines().next().unwrap();
    assert!(heading.chars().count() < 120, "a reason makes no column wide: {listed}");
}

/// Every view of every lab and preset that has views of its own.
#[test]
fn every_view_of_a_run_killed_at_once_is_a_picture_or_a_message() {
    let home = tempfile::tempdir().unwrap();
    let required = std::env::var_os("LEARNSCOPE_REQUIRE_ADAPTER").is_some_and(|value| value == "1");
    let runs = ["run optimizers --steps 1", NETWORK, SELF_SUPERVISED, TINY, RECONSTRUCTION, IMAGE_REPORT];
    let mut seen: Vec<&str> = Vec::new();
    for (i, line) in runs.iter().enumerate() {
        let root = format!("runs-{i}");
        ends(&run(&home, &format!("{line} --out {root}")), 0, &[]);
        let folder = only_run(&home, &root);
        let reader = learnscope::labs::open_run(&folder).unwrap();
        let lab = learnscope::labs::find_with_views(&reader.header().lab).unwrap();
        let tiles = (lab.view)().shown(&reader.header().params).into_iter().map(|tile| tile.id).collect::<Vec<_>>();
        seen.extend(&tiles);
        let events = fs::read(folder.join("events.bin")).unwrap();
        let first = 12 + 8 + u32::from_le_bytes(events[12..16].try_into().unwrap()) as usize;
        // Nothing was flushed; only what the run is; that and the next few words.
        for (cut, length) in [("empty", 12), ("header", first), ("torn", events.len().min(first + 99))] {
            fs::write(folder.join("events.bin"), &events[..length]).unwrap();
            for tile in &tiles {
                let line =
                    format!("export {} --figure {tile} --size 320x200 --to {i}-{tile}-{cut}.png", folder.display());
                let output = run(&home, &line);
                let message = stderr(&output);
                assert!(!message.contains("panicked"), "{line}: {message}");
                let drawn = output.status.code() == Some(0);
                assert!(drawn || !required && message.contains("graphics adapter"), "{line}: {message}");
                assert_eq!(drawn, home.path().join(format!("{i}-{tile}-{cut}.png")).is_file(), "{line}");
            }
            ends(&run(&home, &format!("export {} --to {i}-{cut}.csv", folder.display())), 0, &[]);
        }
    }
    for lab in LABS {
        for preset in lab.spec.presets {
            let params = lab.spec.preset(preset.id).unwrap().unwrap();
            let tiles = (lab.view)().shown(&params);
            assert!(tiles.iter().all(|tile| seen.contains(&tile.id)), "{}: {tiles:?} against {seen:?}", preset.id);
        }
    }
}

#[test]
fn nothing_is_said_where_nothing_is_wrong() {
    let home = tempfile::tempdir().unwrap();
    let quiet = |line: &str| {
        let mut command = learnscope(&home, line);
        for variable in ["XDG_RUNTIME_DIR", "DISPLAY", "WAYLAND_DISPLAY"] {
            command.env_remove(variable);
        }
        let output = command.output().unwrap();
        assert_eq!(stderr(&output), "", "{line}");
    };
    quiet("devices");
    quiet("labs");
    ends(&run(&home, "run optimizers --steps 20"), 0, &[]);
    let adapter = stdout(&run(&home, "devices --json")).lines().count() > 1;
    if !adapter {
        println!("skipped: no graphics adapter to draw a picture with");
        return;
    }
    quiet(&format!("export {} --figure field --size 320x200 --to a.png", only_run(&home, "runs").display()));
}
