//! Sweeps and pinned runs in the window, by label.

mod support;

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use eframe::App as _;
use eframe::egui::{self, Key, Modifiers, Role, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;

use learnscope::app::scene::{PinnedRuns, Scene};
use learnscope::app::sweep_figure::SweepFigure;
use learnscope::app::theme;
use learnscope::engine::command::Record;
use learnscope::engine::event::{Body, RunHeader, RunId, Status};
use learnscope::engine::params::Params;
use learnscope::engine::recording::Recorder;
use learnscope::engine::sweep::Axis;
use learnscope::kit;
use learnscope::labs;
use learnscope::plot::style::Style;

use support::window::{PARAMS, Scripted, command, event, header_of, press, until_shown, window_with_runs};

#[test]
fn a_sweep_is_asked_for_measured_and_shown_cell_by_cell() {
    let folder = tempfile::tempdir().unwrap();
    let backend = Scripted::computing();
    let mut harness = window_with_runs(&backend, &folder.path().join("runs"), None);
    let form = backend.last_start();
    command(&mut harness, "sweep…: train");
    // A quarter to four times the form's value, by factors.
    assert!(harness.query_by_label_contains("5 combinations, 15 runs").is_some());
    backend.taken();
    harness.get_by_label("Estimate and ask").click();
    harness.run_steps(3);
    until_shown(&mut harness, "15 of 15 runs are measured");
    let starts = backend.starts();
    let mut rates: Vec<f64> = starts.iter().map(|request| request.params.float("rate")).collect();
    assert_eq!((rates.len(), starts[0].seed, starts[1].seed), (15, 7, 8));
    rates.dedup();
    assert_eq!(rates, [2.5e-5, 5e-5, 1e-4, 2e-4, 4e-4]);
    let middle = "rate = 0.0001, last loss, median of the seeds: 0.00100";
    assert!(harness.query_by_label(middle).is_some(), "the cell says its number");
    // The form is the user's: what it showed is what it starts.
    backend.taken();
    command(&mut harness, "start or restart");
    assert_eq!(backend.last_start().params, form.params);

    // A cell without a recording puts its values into the form, in one undo step.
    harness.get_by_label("rate = 0.0004, last loss, median of the seeds: 0.00400").click();
    let start = Instant::now();
    while backend.last_start().params.float("rate") != 4e-4 {
        assert!(start.elapsed().as_secs() < 20, "the cell was not run");
        harness.run_steps(1);
    }
    press(&mut harness, Modifiers::COMMAND, Key::Z);
    harness.run_steps(20);
    assert_eq!(backend.last_start().params, form.params, "and back");
    harness.into_state().on_exit();
    let csv = std::fs::read_to_string(folder.path().join("studies/toy-sweep/table.csv")).unwrap();
    assert!(csv.starts_with("rate,seeds,failed,\"last loss, median\"") && csv.contains("0.0001,3,0,0.001,"), "{csv}");
}

#[test]
fn a_sweep_that_is_on_its_way_is_not_begun_anew() {
    let folder = tempfile::tempdir().unwrap();
    // This worker answers nothing: the first run of the sweep stays under way.
    let backend = Scripted::default();
    let mut harness = window_with_runs(&backend, &folder.path().join("runs"), None);
    backend.taken();
    let mut ask = |text: &str| {
        harness.state_mut().send_script(text).unwrap();
        for _ in 0..30 {
            harness.run_steps(1);
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        harness.query_all_by_label_contains("this sweep is on its way").count()
    };
    ask("sweep.over 3 7 rate=0.1,0.2");
    assert_eq!(backend.starts().len(), 1, "its first run");
    assert_eq!(ask("sweep.over 3 7 rate=0.1,0.2"), 0);
    assert_eq!(backend.starts().len(), 1, "the same sweep goes on");
    assert!(ask("sweep.over 5 7 rate=0.1,0.2") > 0, "other seeds have to wait, which is said");
    assert_eq!(backend.starts().len(), 1);
    // Another one takes its place.
    ask("sweep.over 3 7 rate=0.1,0.3");
    assert!(harness.query_by_label_contains("0 of 6 runs are measured").is_some());
}

#[test]
fn what_cannot_be_swept_is_said_in_the_dialog() {
    let folder = tempfile::tempdir().unwrap();
    let backend = Scripted::computing();
    let mut harness = window_with_runs(&backend, &folder.path().join("runs"), None);
    command(&mut harness, "sweep…: train");
    let field = harness.get_by_role_and_label(Role::TextInput, "Values of the first parameter");
    field.focus();
    harness.run_steps(2);
    harness.get_by_role_and_label(Role::TextInput, "Values of the first parameter").type_text("x");
    harness.run_steps(2);
    assert!(harness.query_by_label_contains("parameter `rate`").is_some());
    backend.taken();
    harness.get_by_label("Estimate and ask").click();
    harness.run_steps(3);
    assert!(backend.starts().is_empty(), "nothing is started");
    harness.get_by_label("Cancel").click();
    harness.run_steps(3);
    assert!(harness.query_by_label("Estimate and ask").is_none());
}

#[test]
fn the_map_of_two_parameters_has_the_theory_beside_it() {
    let lab = labs::find("self-supervised").unwrap();
    let over = ["rate_predictor=0.05,0.15,2", "decay_encoder=0.001,0.02"];
    let axes = over.map(|text| Axis::parse(lab.params, text).unwrap()).to_vec();
    let study = kit::study::sweep(lab, &Params::defaults(lab.params), axes, 2, 7).unwrap();
    let table = Arc::new(study.sweep_table().unwrap());
    let (mut figure, style, mut ready) = (SweepFigure::default(), Style::light(), false);
    let mut harness = Harness::builder().with_size(vec2(900.0, 400.0)).build_ui(move |ui| {
        // The fonts act from the next frame on.
        if !std::mem::replace(&mut ready, true) {
            return theme::install_fonts(ui.ctx());
        }
        egui::Frame::new().show(ui, |ui| {
            let rect = ui.available_rect_before_wrap();
            figure.show(ui, rect, (&study, &table), "", &style, 11.0);
        });
    });
    let share = |harness: &Harness<'_>, rate: &str| {
        let start =
            format!("rate_predictor = {rate}, decay_encoder = 0.001, Theory: share of starts (p, s) that collapse: ");
        let label = support::scene::label(harness, &start);
        label.strip_prefix(&*start).and_then(|share| share.parse::<f64>().ok())
    };
    let start = Instant::now();
    while share(&harness, "2.0").is_none() {
        assert!(start.elapsed().as_secs() < 60, "the theory never came");
        harness.run_steps(1);
    }
    let [low, middle, high] = ["0.05", "0.15", "2.0"].map(|rate| share(&harness, rate).unwrap());
    assert!(low > middle && middle > high && high > 0.0, "a larger rate of the predictor shrinks the basin");
    let ours = "rate_predictor = 0.05, decay_encoder = 0.02, share of seeds that died: none yet";
    assert!(harness.query_by_label(ours).is_some());
}

/// Begins to record a run of the toy lab.
fn recorder(runs: &Path, name: &str, rate: f64) -> (std::path::PathBuf, Recorder) {
    let mut params = Params::defaults(PARAMS);
    params.set_text(PARAMS, &format!("rate={rate}")).unwrap();
    let mut header =
        RunHeader { lab: "toy".into(), name: name.into(), params, steps: 2, seed: 7, ..RunHeader::default() };
    let folder = runs.join(name);
    let mut recorder = Recorder::create(&Record::Replace(folder.clone()), &mut header).unwrap().unwrap();
    recorder.append(&event(RunId(1), 0, Body::Started(Box::new(header)))).unwrap();
    (folder, recorder)
}

/// Records a finished run of the toy lab.
fn record(runs: &Path, name: &str, rate: f64) -> std::path::PathBuf {
    let (folder, mut recorder) = recorder(runs, name, rate);
    for step in 1..=2 {
        let loss = Body::Scalars(vec![("loss".into(), rate * step as f64)]);
        recorder.append(&event(RunId(1), step, loss)).unwrap();
    }
    recorder.append(&event(RunId(1), 2, Body::Status(Status::Finished))).unwrap();
    folder
}

#[test]
fn a_pinned_run_that_is_still_recorded_grows_in_the_window() {
    let folder = tempfile::tempdir().unwrap();
    let runs = folder.path().join("runs");
    let (growing, mut recorder) = recorder(&runs, "growing", 0.25);
    let backend = Scripted::computing();
    let mut harness = window_with_runs(&backend, &runs, None);
    harness.state_mut().send_script(&format!("runs.pin {}", growing.display())).unwrap();
    command(&mut harness, "runs side by side");
    until_shown(&mut harness, "growing");
    for (step, loss, text) in [(1, 0.0625, "0.0625"), (2, 0.03125, "0.0312")] {
        assert!(harness.query_all_by_label(text).next().is_none());
        recorder.append(&event(RunId(1), step, Body::Scalars(vec![("loss".into(), loss)]))).unwrap();
        recorder.flush().unwrap();
        until_shown(&mut harness, text);
    }
}

#[test]
fn a_run_that_is_shown_and_pinned_has_one_row() {
    let folder = tempfile::tempdir().unwrap();
    let runs = folder.path().join("runs");
    let run = record(&runs, "mine", 0.25);
    let mut harness = window_with_runs(&Scripted::computing(), &runs, None);
    harness.state_mut().send_script(&format!("runs.pin {}", run.display())).unwrap();
    command(&mut harness, "runs side by side");
    until_shown(&mut harness, "mine");
    assert_eq!(harness.query_all_by_label("mine").count(), 1, "beside another run");
    harness.state_mut().send_script(&format!("runs.open {}", run.display())).unwrap();
    until_shown(&mut harness, "mine (shown)");
    assert_eq!(harness.query_all_by_label("mine").count(), 0);
    harness.get_by_label("unpin").click();
    harness.run_steps(5);
    assert!(harness.query_by_label("unpin").is_none() && harness.query_by_label("mine (shown)").is_some());
}

#[test]
fn a_scene_brings_its_pinned_runs() {
    let folder = tempfile::tempdir().unwrap();
    let runs = folder.path().join("runs");
    let [slow, fast] = [("slow", 0.25), ("fast", 0.5)].map(|(name, rate)| record(&runs, name, rate));
    let mut harness = window_with_runs(&Scripted::computing(), &runs, None);
    harness.state_mut().send_script(&format!("runs.pin {}", fast.display())).unwrap();
    command(&mut harness, "runs side by side");
    until_shown(&mut harness, "fast");
    let text = |path: &Path| path.display().to_string();
    let pinned = PinnedRuns { runs: vec![text(&slow), text(&runs.join("gone"))], by: "rate".to_owned() };
    let scene = Scene { lab: "toy".to_owned(), speed: 1.0, pinned, ..Scene::default() };
    harness.state_mut().send_script(&format!("scene.show {}", scene.code())).unwrap();
    until_shown(&mut harness, "gone");
    until_shown(&mut harness, "1 run is not pinned any more, as in the scene");
    assert_eq!(harness.query_all_by_label("slow").count(), 1);
    assert_eq!(harness.query_all_by_label("fast").count(), 0);
    // And a scene that is taken has them.
    harness.state_mut().send_script("scene.copy").unwrap();
    let copied = (0..5).find_map(|_| {
        harness.step();
        harness.output().platform_output.commands.iter().find_map(|command| match command {
            egui::OutputCommand::CopyText(code) => Some(code.clone()),
            _ => None,
        })
    });
    let taken = Scene::from_code(&copied.unwrap()).unwrap();
    assert_eq!(taken.pinned, PinnedRuns { runs: vec![text(&slow)], by: "rate".to_owned() });
}

#[test]
fn a_file_of_weights_is_named_by_the_step_of_its_weights() {
    let folder = tempfile::tempdir().unwrap();
    let (runs, run) = (folder.path().join("runs"), folder.path().join("runs/mine"));
    let backend = Scripted::default();
    let mut harness = window_with_runs(&backend, &runs, None);
    command(&mut harness, "preset trained");
    let request = backend.last_start();
    let header = RunHeader { folder: run.display().to_string(), ..header_of(&request) };
    backend.say([
        event(request.id, 0, Body::Started(Box::new(header))),
        event(request.id, 10, Body::Status(Status::Running)),
    ]);
    harness.run_steps(3);
    harness.state_mut().send_script("export.weights").unwrap();
    until_shown(&mut harness, "saved");
    let names = std::fs::read_dir(run.join("figures")).unwrap().flatten();
    let names: Vec<String> = names.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    // The toy's weights are those after five steps; the cursor is at the tenth.
    assert!(names.len() == 1 && names[0].contains("-weights-step5-"), "{names:?}");
}

#[test]
fn a_pinned_run_stands_beside_the_shown_one_and_is_remembered() {
    let folder = tempfile::tempdir().unwrap();
    let (runs, config) = (folder.path().join("runs"), folder.path().join("config"));
    std::fs::create_dir_all(&runs).unwrap();
    record(&runs, "slow", 0.25);
    let fast = record(&runs, "fast", 0.5);
    let backend = Scripted::computing();
    let mut harness = window_with_runs(&backend, &runs, Some(&config));
    for name in ["slow", "fast"] {
        press(&mut harness, Modifiers::COMMAND, Key::R);
        until_shown(&mut harness, &format!("Toy {name}"));
        harness.get_by_label_contains(&format!("Toy {name}")).click();
        harness.run_steps(3);
        harness.get_by_label("Pin").click();
        harness.run_steps(3);
        assert!(harness.query_by_label("Unpin").is_some());
        press(&mut harness, Modifiers::COMMAND, Key::R);
    }
    command(&mut harness, "runs side by side");
    // rate 0.5 twice 0.5 at its last step; and the run that is shown.
    for text in ["slow", "fast", "0.25", "1.00", "Coloured by"] {
        until_shown(&mut harness, text);
    }
    harness.into_state().on_exit();
    std::fs::remove_dir_all(&fast).unwrap();

    // Another window remembers both, and tells that one is gone.
    let mut harness = window_with_runs(&backend, &runs, Some(&config));
    until_shown(&mut harness, "is not pinned any more");
    command(&mut harness, "runs side by side");
    until_shown(&mut harness, "slow");
    assert!(harness.query_all_by_label("fast").next().is_none());
    harness.get_by_label("unpin").click();
    harness.run_steps(5);
    until_shown(&mut harness, "No run of this lab is pinned");
    harness.into_state().on_exit();
}
