//! The window without a GPU and without a worker: what is drawn from which state, and what is asked of the worker.

mod support;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use eframe::App as _;
use eframe::egui::{self, FontFamily, FontId, Key, Modifiers, Role, ViewportCommand, ViewportEvent, ViewportId, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};

use learnscope::app::act::{Act, Choice, FigureFile, StudyFile};
use learnscope::app::actions::TABLE;
use learnscope::app::backend::DeviceEntry;
use learnscope::app::scene::{Changed, Scene};
use learnscope::app::script::script as read_script;
use learnscope::app::theme::{self, ThemeChoice};
use learnscope::app::{App, Open, Parts};
use learnscope::compute::device::DeviceChoice;
use learnscope::engine::command::{Record, RunRequest};
use learnscope::engine::event::{Body, Change, Event, KeyKind, KeySpec, Level, RunHeader, RunId, Status};
use learnscope::engine::experiment::Checkpoint;
use learnscope::engine::params::{ParamKind, Params, Value};
use learnscope::engine::recording::Recorder;
use learnscope::engine::state::RunState;
use learnscope::kit::tiles::{Arrangement, TileSpec};
use learnscope::kit::view::{Cursor, Lab, LabView, NoPast, ViewCtx};
use learnscope::labs::LABS;
use learnscope::plot::style::Style;

use support::scene::label;
use support::window::{
    Dropped, SPEC, Scripted, TOY, ToyView, command, event, header_of, parts, press, toy, training, until_shown,
    whole_run, window_of, window_with_runs,
};

#[test]
fn every_lab_draws_in_every_theme_empty_running_and_without_room() {
    for theme in ["dark", "light", "high contrast", "system"] {
        for size in [vec2(1280.0, 800.0), vec2(0.0, 0.0), vec2(300.0, 200.0)] {
            for lab in LABS {
                for running in [false, true] {
                    let backend = Scripted::default();
                    let mut harness = window_of(LABS.iter().collect(), &backend, None, size);
                    command(&mut harness, &format!("theme: {theme}"));
                    command(&mut harness, &format!("lab: {}", lab.spec.title));
                    if running {
                        let request = learnscope::kit::lab::request(
                            lab.spec,
                            &Params::defaults(lab.spec.params),
                            learnscope::kit::lab::RunOptions::default(),
                        );
                        let first = backend.starts().pop();
                        let mut request = request.expect("defaults are valid");
                        request.id = first.map_or(request.id, |first| first.id);
                        backend.say(running_state(&request, lab.spec.keys));
                    }
                    harness.run_steps(5);
                }
            }
        }
    }
}

/// Five steps of whatever the lab declares.
fn running_state(request: &RunRequest, keys: &[KeySpec]) -> Vec<Event> {
    let run = request.id;
    let mut events = vec![event(run, 0, Body::Started(Box::new(header_of(request))))];
    events.push(event(run, 0, Body::Status(Status::Running)));
    for spec in keys {
        // Names that wildcards of labs take; a lab ignores the ones it does not know.
        for name in ["adam", "sgd", "train"] {
            let key: Arc<str> = spec.key.replace('*', name).into();
            match spec.kind {
                KeyKind::Scalar => events.extend(
                    (0..=5).map(|step| event(run, step, Body::Scalars(vec![(key.clone(), 1.0 / (step + 1) as f64)]))),
                ),
                KeyKind::Rows(columns) => {
                    let data: Vec<f64> = (0..6 * columns.len()).map(|i| 0.01 * i as f64).collect();
                    events.push(event(run, 5, Body::Rows { key, columns: columns.len() as u32, data: data.into() }));
                }
                KeyKind::Payload => {}
            }
        }
    }
    events.push(event(run, 5, Body::Notice { level: Level::Warning, text: "a warning".to_owned() }));
    events
}

#[test]
fn the_first_start_computes_a_run_at_once_and_plays_it() {
    let backend = Scripted::computing();
    let mut harness = toy(&backend);
    let request = backend.last_start();
    assert_eq!((request.lab, request.steps, request.seed), ("toy", 420, learnscope::kit::lab::DEFAULT_SEED));
    assert!(
        matches!(&request.record, Record::Replace(folder) if folder.ends_with(folder.file_name().unwrap()) && folder.to_string_lossy().ends_with("-toy-live"))
    );
    harness.run_steps(60);
    let at = label(&harness, "first content at");
    let step: u64 = at.split_whitespace().nth(3).and_then(|step| step.parse().ok()).expect("a step");
    assert!((40..=80).contains(&step), "a second of playing at 60 steps a second is at {step}");
    assert!(harness.query_by_label_contains("loss Some(0.001)").is_some(), "the guide draws from the run");
}

#[test]
fn a_view_has_the_keys_that_it_takes_before_the_shell() {
    let backend = Scripted::computing();
    let mut harness = toy(&backend);
    harness.key_down(Key::OpenBracket);
    harness.step();
    harness.get_by_label("first sees OpenBracket");
    // The shell's own: play faster.
    harness.key_down(Key::CloseBracket);
    harness.step();
    assert!(harness.query_by_label("first sees CloseBracket").is_none());
}

#[test]
fn an_edit_recomputes_and_undo_takes_it_back() {
    let backend = Scripted::computing();
    let mut harness = toy(&backend);
    harness.get_by_role_and_label(Role::SpinButton, "rate η").set_value_accesskit(0.5);
    harness.run_steps(3);
    assert_eq!(backend.last_start().params.float("rate"), 0.5);
    press(&mut harness, Modifiers::COMMAND, Key::Z);
    assert_eq!(backend.last_start().params.float("rate"), 1e-4);
    press(&mut harness, Modifiers::COMMAND | Modifiers::SHIFT, Key::Z);
    assert_eq!(backend.last_start().params.float("rate"), 0.5);
    harness.get_by_label("Reset rate η to 1e-4").click();
    harness.run_steps(3);
    assert_eq!(backend.last_start().params.float("rate"), 1e-4);
    harness.get_by_role_and_label(Role::CheckBox, "use it").click();
    harness.run_steps(3);
    assert_eq!(backend.last_start().params.get("use_it"), Some(&Value::Switch(false)));
}

#[test]
fn a_small_number_is_shown_with_its_digits() {
    let backend = Scripted::computing();
    let harness = toy(&backend);
    let field = harness.get_by_role_and_label(Role::SpinButton, "rate η");
    assert_eq!(field.value().as_deref(), Some("1e-4"));
}

#[test]
fn a_refused_value_is_explained_beside_its_field() {
    let backend = Scripted::computing();
    let mut harness = toy(&backend);
    let before = backend.starts().len();
    harness.get_by_role_and_label(Role::SpinButton, "rate η").set_value_accesskit(99.0);
    harness.run_steps(3);
    let shown = label(&harness, "parameter `rate` is 99");
    assert!(shown.contains("0.000001 to 10"), "{shown}");
    assert_eq!(backend.starts().len(), before, "nothing was started");
}

#[test]
fn training_takes_live_values_and_asks_for_a_restart_otherwise() {
    let backend = Scripted::default();
    let (mut harness, _) = training(&backend);
    harness.get_by_role_and_label(Role::SpinButton, "rate η").set_value_accesskit(0.25);
    harness.run_steps(3);
    assert_eq!(backend.taken(), ["Set { key: \"rate\", value: Float(0.25) }"]);
    harness.get_by_role_and_label(Role::SpinButton, "steps").set_value_accesskit(50.0);
    harness.run_steps(3);
    assert!(backend.taken().is_empty(), "nothing restarts training by itself");
    assert!(harness.query_by_label_contains("restart to apply: steps").is_some());
    harness.get_by_label("Restart").click();
    harness.run_steps(3);
    let request = backend.last_start();
    assert_eq!((request.steps, request.params.float("rate")), (50, 0.25));
    assert_eq!(request.record, Record::New(PathBuf::from("runs")));
    assert!(request.device.is_some());
}

#[test]
fn space_pauses_training_and_plays_what_is_finished() {
    let backend = Scripted::default();
    let (mut harness, run) = training(&backend);
    press(&mut harness, Modifiers::NONE, Key::Space);
    assert_eq!(backend.taken(), ["Pause"]);
    backend.say([event(run, 12, Body::Status(Status::Paused))]);
    harness.run_steps(2);
    press(&mut harness, Modifiers::NONE, Key::Space);
    press(&mut harness, Modifiers::NONE, Key::N);
    press(&mut harness, Modifiers::COMMAND, Key::Period);
    assert_eq!(backend.taken(), ["Resume", "Step(1)", "Stop"]);
    backend.say([event(run, 420, Body::Status(Status::Finished))]);
    harness.run_steps(3);
    assert!(harness.query_by_label("first content at 420 of 0.5").is_some(), "the cursor follows the live edge");
    press(&mut harness, Modifiers::NONE, Key::Home);
    assert!(harness.query_by_label("first content at 0 of 0.5").is_some());
    press(&mut harness, Modifiers::NONE, Key::Space);
    harness.run_steps(30);
    assert!(harness.query_by_label("first content at 0 of 0.5").is_none(), "it plays");
    assert!(backend.taken().is_empty(), "playing back asks nothing of the worker");
}

#[test]
fn the_timeline_moves_by_keys_and_sub_steps() {
    let backend = Scripted::computing();
    let mut harness = toy(&backend);
    let at = |harness: &Harness<'static, App>, step: u64| {
        harness.query_by_label(&format!("first content at {step} of 0.0001")).is_some()
    };
    press(&mut harness, Modifiers::NONE, Key::End);
    assert!(at(&harness, 420));
    press(&mut harness, Modifiers::NONE, Key::ArrowLeft);
    assert!(at(&harness, 419));
    press(&mut harness, Modifiers::SHIFT, Key::ArrowLeft);
    assert!(at(&harness, 409));
    press(&mut harness, Modifiers::NONE, Key::Period);
    assert!(at(&harness, 409) && harness.query_by_label("part 1 / 3").is_some());
    press(&mut harness, Modifiers::NONE, Key::Comma);
    press(&mut harness, Modifiers::NONE, Key::Comma);
    assert!(at(&harness, 408) && harness.query_by_label("part 3 / 3").is_some());
    let starts = backend.starts().len();
    harness.get_by_role_and_label(Role::SpinButton, "rate η").set_value_accesskit(0.5);
    harness.run_steps(10);
    assert_eq!(backend.starts().len(), starts + 1);
    assert!(harness.query_by_label("first content at 408 of 0.5").is_some(), "a scrubbed cursor stays where it is");
    harness.get_by_role_and_label(Role::Slider, "Timeline").click();
    harness.run_steps(3);
    let middle = label(&harness, "first content at");
    assert!(middle.contains("at 210 of"), "a click in the middle of the bar: {middle}");
}

#[test]
fn edits_from_the_cursor_on_change_only_what_comes_after() {
    let backend = Scripted::computing();
    let mut harness = toy(&backend);
    press(&mut harness, Modifiers::NONE, Key::End);
    press(&mut harness, Modifiers::SHIFT, Key::ArrowLeft);
    command(&mut harness, "from the cursor");
    harness.get_by_role_and_label(Role::SpinButton, "rate η").set_value_accesskit(0.5);
    harness.run_steps(3);
    let request = backend.last_start();
    assert_eq!(request.params.float("rate"), 1e-4);
    assert_eq!(request.changes, [Change { step: 410, key: "rate".to_owned(), value: Value::Float(0.5) }]);
    harness.get_by_label("Remove the change at step 410").click();
    harness.run_steps(3);
    assert!(backend.last_start().changes.is_empty());
}

#[test]
fn every_tile_of_every_lab_lies_somewhere_and_all_its_commands_work_without_a_run() {
    let egui = egui::Context::default();
    for lab in LABS {
        let mut view = (lab.view)();
        let params = Params::defaults(lab.spec.params);
        let presets = lab.spec.presets.iter().map(|preset| lab.spec.preset(preset.id).unwrap().unwrap());
        let shown: Vec<&str> = presets.flat_map(|params| view.shown(&params)).map(|tile| tile.id).collect();
        for tile in view.tiles() {
            assert!(shown.contains(&tile.id), "{}/{} is never shown", lab.spec.id, tile.id);
        }
        let commands = view.commands();
        assert!(!commands.is_empty(), "{}", lab.spec.id);
        for (i, (id, title)) in commands.iter().enumerate() {
            let twice = commands[..i].iter().any(|(other, text)| other == id || text == title);
            assert!(!twice, "{}: two commands are called {id} or {title}", lab.spec.id);
            let (run, style, mut actions) = (RunState::default(), Style::dark(), Vec::new());
            let mut ctx = ViewCtx {
                run: &run,
                params: &params,
                cursor: Cursor::default(),
                style: &style,
                wgpu: None,
                past: &NoPast,
                presenting: false,
                actions: &mut actions,
            };
            // Dialogs would open real ones.
            if !title.contains("choose") {
                view.command(id, &mut ctx, &egui);
            }
        }
    }
}

#[test]
fn the_palette_reaches_presets_tiles_and_commands() {
    let backend = Scripted::computing();
    let mut harness = toy(&backend);
    command(&mut harness, "preset trained");
    assert_eq!(backend.last_start().params.text("mode"), "train");
    command(&mut harness, "stop the run");
    assert_eq!(backend.taken().last().map(String::as_str), Some("Stop"));
    command(&mut harness, "hide tile: second");
    assert!(harness.query_by_label_contains("second content").is_none());
    command(&mut harness, "show tile: second");
    assert!(harness.query_by_label_contains("second content").is_some());
    command(&mut harness, "maximise tile: second");
    assert!(harness.query_by_label_contains("first content").is_none());
    press(&mut harness, Modifiers::NONE, Key::Escape);
    assert!(harness.query_by_label_contains("first content").is_some());
    press(&mut harness, Modifiers::COMMAND, Key::P);
    press(&mut harness, Modifiers::NONE, Key::Escape);
    assert!(harness.query_by_label("Command").is_none(), "escape closes the palette");
    command(&mut harness, "step 33");
    assert!(harness.query_by_label("first content at 33 of 0.5").is_some(), "any step can be named");
    command(&mut harness, "ten times the rate");
    assert!(harness.query_by_label_contains("second content at 33 of 5").is_some(), "what a tile can do is found");
    press(&mut harness, Modifiers::NONE, Key::F1);
    assert!(harness.query_by_label("Undo the last change").is_some(), "the shortcuts are listed");
}

/// Sends a script and draws what it did.
fn script(harness: &mut Harness<'static, App>, text: &str) {
    harness.state_mut().send_script(text).unwrap();
    harness.run_steps(3);
}

#[test]
fn a_script_drives_the_window() {
    let backend = Scripted::computing();
    let mut harness = window_of(vec![&TOY, &LABS[1]], &backend, None, vec2(1440.0, 1000.0));
    script(&mut harness, "# A value, and a place in time.\nform.set rate=0.05\n\n  form.set steps=50\ntime.seek 40\n");
    assert!(harness.query_by_label("first content at 40 of 0.05").is_some());
    assert_eq!(backend.last_start().params.int("steps"), 50);
    script(&mut harness, "form.undo");
    assert_eq!(backend.last_start().params.int("steps"), 420);
    script(&mut harness, "form.set use_it=off\nform.set rate=5");
    assert_eq!(backend.last_start().params.float("rate"), 5.0, "a whole number is one, too");
    script(&mut harness, "form.set rate=50");
    assert!(harness.query_by_label_contains("parameter `rate` is 50").is_some(), "a refused value is explained");
    script(&mut harness, "tiles.maximise second");
    assert!(harness.query_by_label_contains("first content").is_none());
    script(&mut harness, "tiles.restore\nlab.do toy-faster\nform.set rate=0.5\nlab.do toy-faster");
    assert!(harness.query_by_label("first content at 40 of 5").is_some(), "what a tile can do, in its turn");
    script(&mut harness, "tiles.hide first\ntiles.maximise nothing");
    assert!(harness.query_by_label_contains("there is no tile `nothing`").is_some());
    assert!(harness.query_by_label_contains("first content").is_none());
    script(&mut harness, "tiles.show first\nwindow.palette");
    assert!(harness.query_by_label("Command").is_some());
    script(&mut harness, "window.palette\nlab self-supervised");
    assert!(harness.query_by_label("Command").is_none());
    assert!(harness.query_by_label_contains("first content").is_none(), "another lab is in front");
    backend.taken();
    script(&mut harness, "lab toy\nform.seed 7\nrun.start\nrun.stop\nanswer.give-up");
    assert_eq!(backend.last_start().seed, 7);
    assert_eq!(backend.taken().last().map(String::as_str), Some("Stop"));
    assert!(!closes_itself(&mut harness), "nobody asked");
    script(&mut harness, "window.quit");
    assert!(closes_itself(&mut harness));
}

#[test]
fn a_scene_opens_as_it_was_in_one_step_of_undo() {
    let backend = Scripted::computing();
    let mut harness = toy(&backend);
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    let scene = Scene {
        lab: "toy".to_owned(),
        seed: 7,
        step: 440,
        speed: 2.0,
        layout: "h(first,-second)".to_owned(),
        form: true,
        guide: true,
        params: [pair("rate", "0.05"), pair("steps", "500"), pair("rat", "1"), pair("mode", "fly")].into(),
        changes: vec![Changed { step: 30, key: "rate".to_owned(), value: "0.5".to_owned() }],
        ..Scene::default()
    };
    script(&mut harness, &format!("scene.show {}", scene.code()));
    let request = backend.last_start();
    assert_eq!((request.seed, request.params.int("steps"), request.changes.len()), (7, 500, 1));
    assert!(harness.query_by_label("first content at 440 of 0.5").is_some(), "past the end of the run before");
    assert!(harness.query_by_label_contains("second content").is_none());
    assert!(harness.query_by_label_contains("unknown parameter `rat`").is_some(), "what is left out is told");
    script(&mut harness, "scene.copy");
    assert!(harness.query_by_label_contains("the scene was copied as a code").is_some());
    script(&mut harness, "form.undo");
    assert_eq!(backend.last_start().params.int("steps"), 420);
    assert!(harness.query_by_label_contains("second content").is_some(), "the tiles lie as before");
    script(&mut harness, "form.redo");
    assert_eq!(backend.last_start().params.int("steps"), 500);
    assert!(harness.query_by_label_contains("second content").is_none());
    script(&mut harness, "scene.show LS1-AAAA");
    assert!(harness.query_by_label_contains("the code is damaged").is_some());
    command(&mut harness, "open scene from code");
    harness.get_by_label("Open the scene").click();
    harness.run_steps(2);
    assert!(harness.query_by_label_contains("begins with LS1-").is_some(), "it says what a code looks like");
    harness.get_by_label("Cancel").click();
    harness.run_steps(2);
    assert!(harness.query_by_label("Code of a scene").is_none());
}

#[test]
fn whatever_can_be_done_is_a_line_of_text_and_back() {
    let text = |text: &str| text.to_owned();
    let odd = ["on", "-1", "inf", "", " a b ", "\"", "a\nb", "größer=1", "#", "\\"];
    let mut acts: Vec<Act> = TABLE.iter().map(|row| row.act.clone()).collect();
    for odd in odd {
        let value = Value::Text(text(odd));
        acts.extend([
            Act::Set { key: text("file"), value: value.clone(), settled: true },
            Act::Twin(text("rate"), value),
            Act::Preset(text(odd)),
            Act::Refuse(text("rate"), text(odd)),
            Act::UsePath { lab: text("toy"), key: text("file"), path: PathBuf::from(odd) },
            Act::SaveText { name: text(odd), text: text(odd) },
        ]);
    }
    for value in [Value::Float(0.1), Value::Float(5.0), Value::Float(1e-300), Value::Int(-5), Value::Switch(true)] {
        acts.push(Act::Set { key: text("rate"), value, settled: false });
    }
    acts.extend([
        Act::Lab(text("toy")),
        Act::LabCommand(text("toy-faster")),
        Act::Device(DeviceChoice::Gpu(text("A card, by name"))),
        Act::CloseFailure,
        Act::Move(-17),
        Act::Seek(40),
        Act::Place(Cursor { step: 3, sub: 2 }),
        Act::Speed(0.1),
        Act::Seed { seed: u64::MAX, settled: false },
        Act::RemoveChange(1),
        Act::Browse(text("file")),
        Act::ShowTile(text("wall")),
        Act::HideTile(text("wall")),
        Act::BringTile(text("wall")),
        Act::Maximise(text("wall")),
        Act::Present(Some(text("wall"))),
        Act::PresentNext(-1),
        Act::PresentBlack,
        Act::Study(text("rates")),
        Act::StudySeeds(3, 40),
        Act::StudyLoad(1),
        Act::StudySave(StudyFile::Picture),
        Act::OpenRun(PathBuf::from("runs/a b")),
        Act::GoOn(PathBuf::from("/runs/a")),
        Act::DeleteRun(PathBuf::from("/runs/a")),
        Act::Figure(Some(text("wall"))),
        Act::SaveFigure(FigureFile::Gif, Some(text("wall"))),
        Act::ShowScene(text("LS1-AAAA")),
        Act::Say(Level::Warning, text("two\nlines")),
        Act::Answer(Choice::TryAgain),
    ]);
    acts.extend(ThemeChoice::ALL.map(Act::Theme));
    let lines: Vec<String> = acts.iter().map(Act::to_string).collect();
    for (act, line) in acts.iter().zip(&lines) {
        assert_eq!(line.parse().as_ref(), Ok(act), "{line}");
    }
    assert_eq!(read_script(&lines.join("\n")).as_ref(), Ok(&acts), "a script of all of them");
    for (line, said) in [
        ("time.sped 2", "line 2: `time.sped` is nothing that can be done in the window; did you mean `time.speed`?"),
        ("time.seek soon", "line 2: `time.seek soon`: `time.seek` takes something else after its name"),
        ("run.play 3", "`run.play` takes something else"),
        ("form.set rate", "`form.set` takes something else"),
        ("lab \"toy", "the quotes in `\"toy` do not close"),
    ] {
        let refused = read_script(&format!("# A line before.\n{line}")).unwrap_err();
        assert!(refused.contains(said), "{line}: {refused}");
    }
}

#[test]
fn a_talk_shows_one_tile_and_obeys_a_clicker() {
    let backend = Scripted::computing();
    let mut harness = toy(&backend);
    press(&mut harness, Modifiers::NONE, Key::F5);
    assert!(harness.query_by_label_contains("first content").is_some());
    assert!(harness.query_by_label_contains("second content").is_none());
    assert!(harness.query_by_label("Restart").is_none(), "no chrome");
    press(&mut harness, Modifiers::NONE, Key::PageDown);
    assert!(harness.query_by_label_contains("second content").is_some());
    press(&mut harness, Modifiers::NONE, Key::B);
    assert!(harness.query_by_label_contains("second content").is_none(), "a black screen");
    press(&mut harness, Modifiers::NONE, Key::B);
    press(&mut harness, Modifiers::NONE, Key::PageUp);
    assert!(harness.query_by_label_contains("first content").is_some());
    press(&mut harness, Modifiers::NONE, Key::Escape);
    assert!(harness.query_by_label("Restart").is_some());
}

#[test]
fn a_failed_run_says_what_to_do() {
    let backend = Scripted::default();
    let (mut harness, run) = training(&backend);
    let text = "parameter `file`: `x.csv` does not exist".to_owned();
    backend.say([event(run, 11, Body::Status(Status::Failed(text.clone())))]);
    harness.run_steps(3);
    assert!(harness.query_by_label("The run failed").is_some());
    assert!(harness.query_all_by_label(&text).count() >= 2, "in the banner and beside the field");
    harness.get_by_label("Restart after failure").click();
    harness.run_steps(3);
    assert_eq!(backend.taken(), ["start toy"]);
}

#[test]
fn warming_up_is_said_with_its_seconds() {
    let backend = Scripted::default();
    let (mut harness, run) = training(&backend);
    backend.say([event(run, 10, Body::Status(Status::WarmingUp))]);
    harness.run_steps(70);
    assert!(harness.query_by_label_contains("Warming up: compiling kernels (1 s)").is_some());
}

#[test]
fn a_run_whose_data_are_read_is_shown_with_how_far_it_is_and_can_be_stopped() {
    let backend = Scripted::default();
    let mut harness = toy(&backend);
    command(&mut harness, "preset trained");
    let request = backend.last_start();
    let run = request.id;
    let header = header_of(&request);
    let on_the_way = RunHeader { folder: String::new(), device: String::new(), ..header.clone() };
    let reading = |done| event(run, 0, Body::Status(Status::Reading { done, all: 780 }));
    backend.say([event(run, 0, Body::Announced(Box::new(on_the_way))), reading(1)]);
    harness.run_steps(130);
    backend.taken();
    backend.say([reading(390)]);
    harness.run_steps(2);
    let text = label(&harness, "Reading 390 of 780");
    assert!(text.contains("left"), "after two seconds there is an estimate: {text}");
    let node = harness.get_by_label_contains(" · reading 390 of 780");
    assert!(node.value().is_some_and(|text| text.starts_with("step")), "the run bar says it too");
    assert!(harness.query_by_label_contains("not recorded").is_none(), "nothing is known of that yet");
    harness.get_by_label("Stop").click();
    harness.run_steps(2);
    assert_eq!(backend.taken(), ["Stop"]);
    backend.say([event(run, 0, Body::Started(Box::new(header.clone())))]);
    backend.say([event(run, 0, Body::Status(Status::Judging { done: 24, all: 156 }))]);
    harness.run_steps(2);
    assert!(harness.query_by_label_contains("Judging the untrained network: 24 of 156").is_some());
}

#[test]
fn closing_does_not_wait_for_data_that_are_read_nor_for_an_untrained_network() {
    for judged in [false, true] {
        let backend = Scripted::default();
        let mut harness = toy(&backend);
        backend.0.borrow_mut().alive = true;
        command(&mut harness, "preset trained");
        let request = backend.last_start();
        let (run, header) = (request.id, Box::new(header_of(&request)));
        backend.say(if judged {
            [event(run, 0, Body::Started(header)), event(run, 0, Body::Status(Status::Judging { done: 24, all: 156 }))]
        } else {
            [
                event(run, 0, Body::Announced(header)),
                event(run, 0, Body::Status(Status::Reading { done: 372, all: 780 })),
            ]
        });
        harness.run_steps(3);
        backend.taken();
        press(&mut harness, Modifiers::COMMAND, Key::Q);
        harness.run_steps(2);
        assert!(asked_end(&backend) && backend.taken().is_empty(), "no checkpoint is asked for");
        assert!(harness.query_by_label_contains("nothing is lost").is_some());
        backend.0.borrow_mut().alive = false;
        assert!(closes_itself(&mut harness));
    }
}

#[test]
fn a_study_runs_its_rows_and_stands_beside_the_paper() {
    let folder = tempfile::tempdir().unwrap();
    let backend = Scripted::computing();
    let mut harness = window_with_runs(&backend, &folder.path().join("runs"), None);
    backend.taken();
    command(&mut harness, "study: two rates");
    until_shown(&mut harness, "2 of 2 runs are measured");
    let rates: Vec<f64> = backend.starts().iter().map(|request| request.params.float("rate")).collect();
    assert_eq!(rates, [0.1, 0.2]);
    for text in ["1", "2", "1.5", "—"] {
        assert!(harness.query_by_label(text).is_some(), "{text}");
    }
    harness.into_state().on_exit();
    let study = folder.path().join("studies").join("toy-rates");
    let csv = std::fs::read_to_string(study.join("table.csv")).unwrap();
    assert!(csv.contains("slow,last loss,,1.5,,1.0,"), "{csv}");

    // Another window finds what was measured, and measures it again only when it is asked to.
    let mut harness = window_with_runs(&backend, &folder.path().join("runs"), None);
    backend.taken();
    command(&mut harness, "study: two rates");
    until_shown(&mut harness, "2 of 2 runs are measured, 2 of them before");
    assert!(backend.starts().is_empty());
    harness.get_by_label("slow").click();
    harness.run_steps(3);
    assert_eq!(backend.last_start().params.float("rate"), 0.1, "a row shows its run");
    backend.taken();
    harness.get_by_label("Measure anew").click();
    harness.run_steps(3);
    until_shown(&mut harness, "2 of 2 runs are measured");
    assert_eq!(backend.starts().len(), 2);
    harness.into_state().on_exit();
}

#[test]
fn a_stopped_study_keeps_what_is_measured_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let backend = Scripted::default();
    let mut harness = window_with_runs(&backend, &folder.path().join("runs"), None);
    backend.taken();
    command(&mut harness, "study: two rates");
    until_shown(&mut harness, "0 of 2 runs are measured");
    backend.say(whole_run(&backend.last_start()));
    until_shown(&mut harness, "1 of 2 runs are measured");
    harness.get_by_label("Stop the study").click();
    harness.run_steps(3);
    assert_eq!(backend.taken(), ["start toy", "start toy", "Stop"]);
    assert!(harness.query_by_label("1").is_some(), "the measured row stays");
    harness.get_by_label("Go on").click();
    harness.run_steps(3);
    assert_eq!(backend.last_start().params.float("rate"), 0.2, "only what is missing is measured");
    harness.into_state().on_exit();
}

/// Answers what the study times, up to its question.
fn time_rows(harness: &mut Harness<'static, App>, backend: &Scripted) {
    until_shown(harness, "timing a few steps of each kind of row");
    let mut answered = RunId(0);
    let start = Instant::now();
    while harness.query_by_label("Start the study").is_none() {
        assert!(start.elapsed().as_secs() < 20, "no question");
        let request = backend.last_start();
        if request.id != answered && request.name.contains("trial") {
            assert_eq!(request.record, Record::No);
            answered = request.id;
            backend.say(whole_run(&request));
        }
        harness.run_steps(1);
    }
}

#[test]
fn a_long_study_asks_first_goes_on_inside_a_run_and_leaves_the_form_alone() {
    let folder = tempfile::tempdir().unwrap();
    let backend = Scripted::default();
    let runs = folder.path().join("runs");
    let mut harness = window_with_runs(&backend, &runs, None);
    let form = backend.last_start();
    backend.taken();
    command(&mut harness, "study: a long one");
    time_rows(&mut harness, &backend);
    let asked = label(&harness, "3 runs, 15000 steps: about");
    assert!(asked.contains("on CPU"), "{asked}");
    harness.get_by_label("Start the study").click();
    until_shown(&mut harness, "0 of 3 runs are measured; about");
    until(&mut harness, |_| !backend.last_start().name.contains("trial"));
    let first = backend.last_start();
    let Record::Replace(run) = first.record.clone() else { panic!("{:?}", first.record) };
    assert!(run.starts_with(folder.path().join("studies").join("toy-long").join("runs")), "{}", run.display());
    assert_eq!((first.params.float("rate"), first.seed, &first.resume_from), (0.3, 7, &None));

    // The form shows what it showed: nothing to take back, and its own values to start.
    backend.taken();
    press(&mut harness, Modifiers::COMMAND, Key::Z);
    assert!(backend.taken().is_empty(), "nothing to undo");
    harness.get_by_label("Stop the study").click();
    harness.run_steps(3);
    assert_eq!(backend.taken(), ["Stop"]);
    command(&mut harness, "start");
    let own = backend.last_start();
    assert_eq!((&own.params, own.seed, &own.name), (&form.params, form.seed, &form.name));
    harness.into_state().on_exit();

    // The worker of that window came to step 2,500 and wrote a checkpoint.
    let mut header = header_of(&first);
    header.version = env!("CARGO_PKG_VERSION").to_owned();
    let mut recorder = Recorder::create(&first.record, &mut header).unwrap().unwrap();
    recorder.append(&event(first.id, 0, Body::Started(Box::new(header)))).unwrap();
    recorder.append(&event(first.id, 2_500, Body::Scalars(vec![("loss".into(), 1.0)]))).unwrap();
    recorder.checkpoint(&Checkpoint { step: 2_500, ..Checkpoint::default() }).unwrap();
    drop(recorder);
    let mut harness = window_with_runs(&backend, &runs, None);
    backend.taken();
    command(&mut harness, "study: a long one");
    time_rows(&mut harness, &backend);
    harness.get_by_label("Start the study").click();
    until_shown(&mut harness, "0 of 3 runs are measured; about");
    until(&mut harness, |_| !backend.last_start().name.contains("trial"));
    let again = backend.last_start();
    assert_eq!(again.record, Record::Resume(run));
    assert!(again.resume_from.is_some_and(|file| file.to_string_lossy().contains("2500")));
    harness.into_state().on_exit();
}

#[test]
fn seeds_of_a_study_are_chosen_in_the_window() {
    let folder = tempfile::tempdir().unwrap();
    let backend = Scripted::default();
    let mut harness = window_with_runs(&backend, &folder.path().join("runs"), None);
    command(&mut harness, "study: a long one");
    time_rows(&mut harness, &backend);
    assert!(harness.query_by_label_contains("3 runs, 15000 steps").is_some());
    for (field, value) in [("Seeds of each row", 2.0), ("from", 40.0)] {
        harness.get_by_role_and_label(Role::SpinButton, field).set_value_accesskit(value);
        harness.run_steps(3);
        // The store is read again for these seeds.
        until_shown(&mut harness, "0 of 2 runs are measured");
    }
    until_shown(&mut harness, "0 of 2 runs are measured");
    harness.get_by_label("Go on").click();
    until(&mut harness, |_| !backend.last_start().name.contains("trial"));
    assert_eq!(backend.last_start().seed, 40);
    harness.into_state().on_exit();
}

#[test]
fn a_dropped_file_becomes_the_data() {
    let backend = Scripted::computing();
    let folder = tempfile::tempdir().unwrap();
    let mut harness = window_with_runs(&backend, folder.path(), None);
    harness.input_mut().dropped_files.push(Arc::new(Dropped(PathBuf::from("/data/points.csv"))));
    until(&mut harness, |_| backend.last_start().params.text("file") == "/data/points.csv");
    // A run folder is shown instead, and so is a file of it.
    let run = recorded(folder.path(), "dropped", 10, Some(Status::Stopped), 0.125);
    for path in [run.clone(), run.join("events.bin")] {
        command(&mut harness, "reset every parameter");
        harness.input_mut().dropped_files.push(Arc::new(Dropped(path)));
        until_shown(&mut harness, "loss Some(0.125)");
    }
    assert_eq!(backend.last_start().params.text("file"), "", "it did not become the data");
}

/// Draws frames until something is so.
fn until(harness: &mut Harness<'static, App>, is: impl Fn(&Harness<'static, App>) -> bool) {
    let start = Instant::now();
    while !is(harness) {
        assert!(start.elapsed().as_secs() < 20, "it never became so");
        harness.run_steps(1);
        std::thread::sleep(Duration::from_millis(1));
    }
    harness.run_steps(2);
}

/// Records a training run of the toy, 100 steps of which `step` are done.
fn recorded(runs: &Path, name: &str, step: u64, end: Option<Status>, loss: f64) -> PathBuf {
    let mut params = Params::defaults(SPEC.params);
    params.set_text(SPEC.params, "mode=train").unwrap();
    let mut header = RunHeader {
        lab: "toy".to_owned(),
        name: name.to_owned(),
        params,
        steps: 100,
        seed: 5,
        device: "CPU (Flex)".to_owned(),
        ..RunHeader::default()
    };
    let mut recorder = Recorder::create(&Record::New(runs.to_owned()), &mut header).unwrap().unwrap();
    let run = RunId(1);
    recorder.append(&event(run, 0, Body::Started(Box::new(header)))).unwrap();
    recorder.append(&event(run, 0, Body::Status(Status::Running))).unwrap();
    recorder.append(&event(run, step, Body::Scalars(vec![("loss".into(), loss)]))).unwrap();
    recorder.checkpoint(&Checkpoint { step, ..Checkpoint::default() }).unwrap();
    if let Some(status) = end {
        recorder.append(&event(run, step, Body::Status(status))).unwrap();
    }
    recorder.folder().to_owned()
}

/// Opens the list of runs and chooses the one that is spoken of so.
fn choose_run(harness: &mut Harness<'static, App>, spoken: &str) {
    press(harness, Modifiers::COMMAND, Key::R);
    until_shown(harness, spoken);
    harness.get_by_label_contains(spoken).click();
    harness.run_steps(3);
}

/// The figures of a run, by their endings.
fn figures(run: &Path, suffix: &str) -> Vec<PathBuf> {
    let files = std::fs::read_dir(run.join("figures")).into_iter().flatten();
    let files = files.map(|entry| entry.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|found| found == suffix)).collect()
}

#[test]
fn a_tile_is_saved_as_svg_and_as_an_animation_that_can_be_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let run = recorded(folder.path(), "first", 90, Some(Status::Stopped), 0.25);
    let mut harness = window_with_runs(&Scripted::computing(), folder.path(), None);
    script(&mut harness, &format!("runs.open {}", run.display()));
    until_shown(&mut harness, "loss Some(0.25)");
    script(&mut harness, "export.svg first");
    until_shown(&mut harness, ".svg");
    let saved = figures(&run, "svg");
    let text = std::fs::read_to_string(&saved[0]).unwrap();
    assert!(text.starts_with("<svg ") && text.contains("First tile") && text.contains("first content"), "{text}");
    let name = saved[0].file_name().unwrap().to_string_lossy().into_owned();
    assert!(name.contains("first-step90"), "named as the picture would be: {name}");
    script(&mut harness, "export.svg nothing");
    until_shown(&mut harness, "no tile `nothing`");

    script(&mut harness, "export.gif first\nexport.gif second");
    until_shown(&mut harness, "an animation is being saved");
    if harness.query_by_label("Stop the animation").is_some() {
        harness.get_by_label("Stop the animation").click();
        until(&mut harness, |harness| harness.query_by_label("Stop the animation").is_none());
    }
    assert!(figures(&run, "gif").is_empty() && figures(&run, "tmp").is_empty());
    harness.into_state().on_exit();
}

#[test]
fn recorded_runs_are_listed_and_shown_again() {
    let folder = tempfile::tempdir().unwrap();
    recorded(folder.path(), "first", 10, Some(Status::Stopped), 0.25);
    recorded(folder.path(), "second", 100, Some(Status::Finished), 0.5);
    recorded(folder.path(), "third", 30, None, 0.75);
    let backend = Scripted::computing();
    let mut harness = window_with_runs(&backend, folder.path(), None);
    press(&mut harness, Modifiers::COMMAND, Key::R);
    for spoken in ["Toy first, stopped, 10 of 100 steps", "Toy second, finished, 100 steps", "Toy third, cut short"] {
        until_shown(&mut harness, spoken);
    }
    harness.event(egui::Event::Text("cut short".to_owned()));
    harness.run_steps(3);
    assert!(harness.query_by_label_contains("Toy first,").is_none(), "filtered");
    harness.get_by_label_contains("Toy third").click();
    harness.run_steps(3);
    backend.taken();
    harness.get_by_label("Open").click();
    until_shown(&mut harness, "loss Some(0.75)");
    assert!(harness.query_by_label_contains("“Go on” in the list of runs").is_some(), "it ends without a word");
    assert!(backend.taken().is_empty(), "nothing is asked of the worker");
    assert!(
        harness.query_by_label("Runs").is_some_and(|button| button.accesskit_node().role() == Role::Button),
        "the list is closed"
    );
    // By the keyboard alone.
    choose_run(&mut harness, "Toy third");
    harness.get_by_role_and_label(Role::TextInput, "Filter of the runs").focus();
    harness.run_steps(2);
    harness.key_press_modifiers(Modifiers::COMMAND, Key::A);
    harness.event(egui::Event::Text("second".to_owned()));
    harness.run_steps(3);
    harness.get_by_label_contains("Toy second").focus();
    harness.run_steps(3);
    press(&mut harness, Modifiers::NONE, Key::Enter);
    until_shown(&mut harness, "loss Some(0.5)");
}

#[test]
fn a_stopped_run_goes_on_from_the_list_and_a_finished_one_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let run = recorded(folder.path(), "halted", 10, Some(Status::Stopped), 0.25);
    recorded(folder.path(), "done", 100, Some(Status::Finished), 0.5);
    let backend = Scripted::computing();
    let mut harness = window_with_runs(&backend, folder.path(), None);
    choose_run(&mut harness, "Toy done");
    assert!(harness.get_by_label("Go on").accesskit_node().is_disabled());
    harness.get_by_label_contains("Toy halted").click();
    harness.run_steps(3);
    backend.taken();
    harness.get_by_label("Go on").click();
    until(&mut harness, |_| !backend.starts().is_empty());
    let request = backend.last_start();
    assert_eq!((request.record, request.steps, request.seed), (Record::Resume(run.clone()), 100, 5));
    assert_eq!(request.resume_from, Some(run.join("checkpoints/step-00000010.safetensors")));
    assert_eq!(request.params.text("mode"), "train");
    // One that cannot be gone on with is refused with a sentence.
    std::fs::write(run.join("checkpoints/step-00000010.safetensors"), "x").unwrap();
    choose_run(&mut harness, "Toy halted");
    harness.get_by_label("Go on").click();
    until_shown(&mut harness, "no usable checkpoint");
    assert_eq!(backend.starts().len(), 1);
}

#[test]
fn a_run_is_deleted_after_a_question_and_only_with_nothing_else_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let run = recorded(folder.path(), "mine", 10, Some(Status::Stopped), 0.25);
    std::fs::write(run.join("notes.txt"), "dear diary").unwrap();
    let backend = Scripted::computing();
    let mut harness = window_with_runs(&backend, folder.path(), None);
    let delete = |harness: &mut Harness<'static, App>, answer: &str| {
        harness.get_by_label("Delete…").click();
        harness.run_steps(3);
        harness.get_by_label(answer).click();
        harness.run_steps(3);
    };
    choose_run(&mut harness, "Toy mine");
    delete(&mut harness, "Keep it");
    assert!(run.join("events.bin").exists());
    delete(&mut harness, "Delete the run");
    until_shown(&mut harness, "it also holds `notes.txt`");
    assert!(run.join("events.bin").exists());
    std::fs::remove_file(run.join("notes.txt")).unwrap();
    delete(&mut harness, "Delete the run");
    until(&mut harness, |_| !run.exists());
    until_shown(&mut harness, "No run is recorded");
}

#[test]
fn a_start_in_another_lab_ends_no_training_without_asking() {
    let backend = Scripted::default();
    backend.0.borrow_mut().alive = true;
    let labs: Vec<&'static Lab> = vec![&TOY, &LABS[1]];
    let mut harness = window_of(labs, &backend, None, vec2(1440.0, 1000.0));
    command(&mut harness, "preset trained");
    let request = backend.last_start();
    let header = RunHeader { folder: "runs/a".to_owned(), ..header_of(&request) };
    backend.say([
        event(request.id, 0, Body::Started(Box::new(header))),
        event(request.id, 10, Body::Status(Status::Running)),
    ]);
    harness.run_steps(3);
    backend.taken();
    press(&mut harness, Modifiers::NONE, Key::Num2);
    press(&mut harness, Modifiers::COMMAND, Key::Enter);
    assert!(harness.query_by_label_contains("“Toy” is training: step 10 of 420").is_some());
    press(&mut harness, Modifiers::NONE, Key::Enter);
    assert!(backend.taken().is_empty(), "the keyboard is on what loses nothing");
    press(&mut harness, Modifiers::COMMAND, Key::Enter);
    harness.get_by_label("Stop it and start").click();
    harness.run_steps(3);
    assert_eq!(backend.taken(), ["Checkpoint", "Pause"]);
    backend.say([checkpoint(request.id, 11), event(request.id, 11, Body::Status(Status::Paused))]);
    harness.run_steps(3);
    assert_eq!(backend.taken(), ["Stop"]);
    backend.say([event(request.id, 11, Body::Status(Status::Stopped))]);
    harness.run_steps(3);
    assert_eq!(backend.taken(), ["start self-supervised"]);
    assert!(harness.query_by_label("Stopping the run").is_none());
}

#[test]
fn a_training_whose_checkpoint_fails_is_kept_unless_it_is_said_otherwise() {
    let backend = Scripted::default();
    backend.0.borrow_mut().alive = true;
    let (mut harness, run) = training(&backend);
    // A preset is a run of its own, too.
    command(&mut harness, "preset trained");
    harness.get_by_label("Stop it and start").click();
    harness.run_steps(3);
    assert_eq!(backend.taken(), ["Checkpoint", "Pause"]);
    let text = "the disk is full".to_owned();
    backend.say([
        event(run, 11, Body::Notice { level: Level::Warning, text }),
        event(run, 11, Body::Status(Status::Paused)),
    ]);
    harness.run_steps(3);
    harness.get_by_label("Keep training").click();
    harness.run_steps(3);
    assert_eq!(backend.taken(), ["Resume"]);
    // The button of the run itself says what it does.
    press(&mut harness, Modifiers::COMMAND, Key::Enter);
    assert_eq!(backend.taken(), ["start toy"]);
}

#[test]
fn a_recorded_run_takes_the_place_of_a_training_only_when_told() {
    let folder = tempfile::tempdir().unwrap();
    let run = recorded(folder.path(), "halted", 10, Some(Status::Stopped), 0.25);
    let backend = Scripted::default();
    backend.0.borrow_mut().alive = true;
    let mut harness = window_with_runs(&backend, folder.path(), None);
    command(&mut harness, "preset trained");
    let id = backend.last_start().id;
    let start = |harness: &mut Harness<'static, App>| {
        backend.say([
            event(id, 0, Body::Started(Box::new(header_of(&backend.last_start())))),
            event(id, 10, Body::Status(Status::Running)),
        ]);
        harness.run_steps(3);
    };
    start(&mut harness);
    let before = backend.starts().len();
    for (action, stop) in [("Go on", "Stop it and go on"), ("Open", "Stop it and open")] {
        choose_run(&mut harness, "Toy halted");
        harness.get_by_label(action).click();
        until_shown(&mut harness, "Stop the training?");
        harness.get_by_label(stop);
        press(&mut harness, Modifiers::NONE, Key::Escape);
        assert_eq!(backend.starts().len(), before, "{action}");
    }
    assert!(harness.query_by_label("loss Some(0.25)").is_none());
    choose_run(&mut harness, "Toy halted");
    harness.get_by_label("Open").click();
    until_shown(&mut harness, "Stop the training?");
    // It finishes by itself meanwhile: nothing is lost any more.
    backend.say([event(id, 420, Body::Status(Status::Finished))]);
    until_shown(&mut harness, "loss Some(0.25)");
    assert!(run.exists());
}

#[test]
fn a_window_opens_on_the_run_that_was_named() {
    let folder = tempfile::tempdir().unwrap();
    let run = recorded(folder.path(), "named", 10, Some(Status::Stopped), 0.375);
    let backend = Scripted::computing();
    let open = Open { run: Some(run), ..Open::default() };
    let parts = Parts {
        runs_dir: folder.path().to_owned(),
        open,
        ..parts(vec![&LABS[0], &TOY], Box::new(backend.clone()), None)
    };
    let size = vec2(1440.0, 1000.0);
    let mut harness =
        Harness::builder().with_size(size).with_step_dt(1.0 / 60.0).build_eframe(|cc| App::new(&cc.egui_ctx, parts));
    until_shown(&mut harness, "loss Some(0.375)");
    assert!(backend.taken().is_empty(), "nothing is computed in its place");
}

#[test]
fn a_number_typed_with_commas_is_what_was_meant_or_refused_with_a_word() {
    let backend = Scripted::computing();
    let mut harness = toy(&backend);
    let mut typed = |label: &str, text: &str| {
        harness.get_by_role_and_label(Role::SpinButton, label).click();
        harness.run_steps(2);
        // The field shows its number as text now, all of it selected.
        harness.key_press_modifiers(Modifiers::COMMAND, Key::A);
        harness.event(egui::Event::Text(text.to_owned()));
        harness.run_steps(2);
        harness.key_press(Key::Enter);
        harness.run_steps(3);
        harness.query_by_label_contains(&format!("`{text}`")).is_some()
    };
    assert!(!typed("steps", "10,000"));
    assert_eq!(backend.last_start().params.int("steps"), 10_000);
    assert!(typed("steps", "1.000"), "it could be one or a thousand");
    assert_eq!(backend.last_start().params.int("steps"), 10_000);
    assert!(!typed("rate η", "0,05"));
    assert_eq!(backend.last_start().params.float("rate"), 0.05);
    assert!(typed("rate η", "1,000"));
    assert_eq!(backend.last_start().params.float("rate"), 0.05);
}

#[test]
fn what_is_typed_stays_with_its_lab_when_a_click_opens_another() {
    let backend = Scripted::computing();
    let mut harness = window_of(vec![&TOY, &LABS[0]], &backend, None, vec2(1440.0, 1000.0));
    harness.get_by_role_and_label(Role::SpinButton, "steps").click();
    harness.run_steps(2);
    harness.key_press_modifiers(Modifiers::COMMAND, Key::A);
    harness.event(egui::Event::Text("77".to_owned()));
    harness.run_steps(2);
    harness.get_by_role_and_label(Role::Tab, LABS[0].spec.title).click();
    harness.run_steps(5);
    let other = backend.last_start();
    assert_eq!(other.lab, LABS[0].spec.id);
    assert_eq!(other.params, Params::defaults(LABS[0].spec.params));
    assert!(harness.query_by_label_contains("unknown parameter").is_none());
}

#[test]
fn a_typed_path_is_remembered_if_it_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("points.csv");
    std::fs::write(&data, "1").unwrap();
    let backend = Scripted::computing();
    let mut harness = window_of(vec![&TOY], &backend, Some(folder.path()), vec2(1440.0, 1000.0));
    for path in [folder.path().join("none.csv"), data] {
        let field = harness.get_by_role_and_label(Role::TextInput, "file");
        field.focus();
        harness.run_steps(2);
        harness.key_press_modifiers(Modifiers::COMMAND, Key::A);
        harness.event(egui::Event::Text(path.display().to_string()));
        harness.run_steps(2);
        harness.key_press(Key::Enter);
        harness.run_steps(3);
    }
    let start = Instant::now();
    let settings = folder.path().join("settings.toml");
    while !std::fs::read_to_string(&settings).is_ok_and(|text| text.contains("points.csv\"]")) {
        assert!(start.elapsed().as_secs() < 10, "{:?}", std::fs::read_to_string(&settings));
        harness.run_steps(2);
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn settings_come_back_and_foreign_ones_are_set_aside() {
    let folder = tempfile::tempdir().unwrap();
    let backend = Scripted::computing();
    let mut harness = window_of(vec![&TOY], &backend, Some(folder.path()), vec2(1440.0, 1000.0));
    harness.get_by_role_and_label(Role::SpinButton, "rate η").set_value_accesskit(0.5);
    command(&mut harness, "theme: light");
    command(&mut harness, "hide tile: second");
    harness.run_steps(70);
    harness.into_state().on_exit();

    let harness = window_of(vec![&TOY], &backend, Some(folder.path()), vec2(1440.0, 1000.0));
    assert!(harness.query_by_label_contains("second content").is_none(), "the layout");
    assert_eq!(backend.last_start().params.float("rate"), 0.5);
    assert!(!harness.ctx.global_style().visuals.dark_mode, "the theme");
    harness.into_state().on_exit();

    std::fs::write(folder.path().join("settings.toml"), "<html>").unwrap();
    let harness = window_of(vec![&TOY], &backend, Some(folder.path()), vec2(1440.0, 1000.0));
    assert!(harness.query_all_by_label_contains("settings.broken.toml").next().is_some(), "a notice says so");
    assert_eq!(backend.last_start().params.float("rate"), 1e-4);
}

#[test]
fn a_change_is_saved_without_another_frame_and_at_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("settings.toml");
    let saved = |text: &str| std::fs::read_to_string(&file).is_ok_and(|settings| settings.contains(text));
    let backend = Scripted::computing();
    let mut harness = window_of(vec![&TOY], &backend, Some(folder.path()), vec2(1440.0, 1000.0));
    press(&mut harness, Modifiers::COMMAND, Key::P);
    harness.get_by_label("Command").type_text("hide tile: second");
    harness.run_steps(2);
    harness.key_press(Key::Enter);
    harness.step();
    let start = Instant::now();
    while !saved("labs.toy.layouts") {
        assert!(start.elapsed().as_secs() < 10, "no frame came, and the hidden tile was never saved");
        std::thread::sleep(Duration::from_millis(5));
    }
    harness.key_press_modifiers(Modifiers::COMMAND | Modifiers::SHIFT, Key::T);
    harness.step();
    harness.into_state().on_exit();
    assert!(saved("theme = \"light\""), "changed in the last frame");
}

#[test]
fn what_another_window_changed_stays() {
    let folder = tempfile::tempdir().unwrap();
    let backend = Scripted::computing();
    let open = || window_of(vec![&TOY], &backend, Some(folder.path()), vec2(1440.0, 1000.0));
    let (mut first, mut second) = (open(), open());
    command(&mut first, "theme: light");
    first.get_by_role_and_label(Role::SpinButton, "rate η").set_value_accesskit(0.5);
    first.run_steps(3);
    first.into_state().on_exit();
    press(&mut second, Modifiers::COMMAND, Key::B);
    second.into_state().on_exit();
    let third = open();
    assert!(!third.ctx.global_style().visuals.dark_mode, "the first window's theme");
    assert_eq!(backend.last_start().params.float("rate"), 0.5, "the first window's value");
    assert!(third.query_by_role_and_label(Role::SpinButton, "rate η").is_none(), "the second window hid the form");
}

#[test]
fn a_layout_that_contains_itself_opens_as_the_default() {
    let folder = tempfile::tempdir().unwrap();
    let layout = r#"{"id":1,"root":13,"tiles":{"next_tile_id":14,"tiles":{"12":{"Pane":"first"},"13":{"Container":{"Linear":{"children":[13,12],"dir":"Horizontal","shares":{"shares":{}}}}}},"invisible":[]},"height":null,"width":null}"#;
    std::fs::write(folder.path().join("settings.toml"), format!("[labs.toy.layouts]\nboth = '{layout}'\n")).unwrap();
    let backend = Scripted::computing();
    let harness = window_of(vec![&TOY], &backend, Some(folder.path()), vec2(1440.0, 1000.0));
    assert!(harness.query_by_label_contains("first content").is_some());
    assert!(harness.query_by_label_contains("second content").is_some());
}

// ---------------------------------------------------------------------------------------------------------------
// Closing.

/// Presses the window manager's close button; `true`: the window closes.
fn close(harness: &mut Harness<'static, App>) -> bool {
    let root = harness.input_mut().viewports.get_mut(&ViewportId::ROOT).expect("the window");
    root.events.push(ViewportEvent::Close);
    harness.step();
    let closes = !commands(harness).contains(&ViewportCommand::CancelClose);
    // A dialog is measured before it is drawn.
    harness.run_steps(2);
    closes
}

fn closes_itself(harness: &mut Harness<'static, App>) -> bool {
    harness.step();
    commands(harness).contains(&ViewportCommand::Close)
}

fn commands(harness: &Harness<'static, App>) -> Vec<ViewportCommand> {
    harness.output().viewport_output[&ViewportId::ROOT].commands.clone()
}

/// A run that trains, and a worker that does not end before it is told to.
fn closing(backend: &Scripted) -> (Harness<'static, App>, RunId) {
    let (harness, run) = training(backend);
    backend.0.borrow_mut().alive = true;
    (harness, run)
}

fn checkpoint(run: RunId, step: u64) -> Event {
    event(run, step, Body::Checkpoint { file: format!("checkpoints/step-{step:08}.safetensors") })
}

fn asked_end(backend: &Scripted) -> bool {
    backend.0.borrow().end
}

#[test]
fn a_window_that_has_nothing_to_lose_closes_at_once() {
    let backend = Scripted::computing();
    backend.0.borrow_mut().alive = true;
    assert!(close(&mut toy(&backend)));
    let mut harness = toy(&backend);
    press(&mut harness, Modifiers::COMMAND, Key::Q);
    assert!(closes_itself(&mut harness) && close(&mut harness));
    // The same with a run that is over.
    let (mut harness, run) = closing(&backend);
    backend.say([event(run, 100, Body::Status(Status::Finished))]);
    harness.run_steps(2);
    assert!(close(&mut harness));
}

#[test]
fn closing_waits_for_the_step_and_its_checkpoint() {
    let backend = Scripted::default();
    let (mut harness, run) = closing(&backend);
    assert!(!close(&mut harness), "the window stays");
    assert_eq!(backend.taken(), ["Checkpoint", "Pause"]);
    harness.run_steps(70);
    assert!(harness.query_by_label("Finishing step 11 and saving a checkpoint… 1 s").is_some());
    assert!(!close(&mut harness), "nor does it close at the second time");
    press(&mut harness, Modifiers::COMMAND, Key::Q);
    press(&mut harness, Modifiers::COMMAND, Key::Period);
    assert!(backend.taken().is_empty() && !asked_end(&backend), "no shortcut reaches the run");
    backend.say([checkpoint(run, 11), event(run, 11, Body::Status(Status::Paused))]);
    harness.run_steps(3);
    assert!(asked_end(&backend) && !closes_itself(&mut harness));
    assert!(harness.query_by_label("Keep training").is_none(), "there is no way back");
    backend.0.borrow_mut().alive = false;
    assert!(closes_itself(&mut harness) && close(&mut harness));
    harness.into_state().on_exit();
    assert_ne!(backend.0.borrow().patience, Some(Duration::ZERO));
}

#[test]
fn escape_and_enter_keep_training() {
    let backend = Scripted::default();
    let (mut harness, run) = closing(&backend);
    for key in [Key::Escape, Key::Enter] {
        press(&mut harness, Modifiers::COMMAND, Key::Q);
        press(&mut harness, Modifiers::NONE, key);
        assert_eq!(backend.taken(), ["Checkpoint", "Pause", "Resume"], "{key:?}");
        assert!(harness.query_by_label_contains("Finishing step").is_none());
    }
    // The worker's answers come later.
    for step in [11, 12] {
        backend.say([checkpoint(run, step), event(run, step, Body::Status(Status::Paused))]);
        backend.say([event(run, step, Body::Status(Status::Running))]);
    }
    harness.run_steps(3);
    assert!(!asked_end(&backend) && !closes_itself(&mut harness));
    press(&mut harness, Modifiers::NONE, Key::Space);
    assert_eq!(backend.taken(), ["Pause"], "the keys are the window's again");
}

#[test]
fn a_paused_run_is_saved_and_stays_paused() {
    let backend = Scripted::default();
    let (mut harness, run) = closing(&backend);
    backend.say([event(run, 10, Body::Status(Status::Paused))]);
    harness.run_steps(2);
    press(&mut harness, Modifiers::COMMAND, Key::Q);
    assert_eq!(backend.taken(), ["Checkpoint", "Resume", "Pause"], "only a run that goes on answers");
    press(&mut harness, Modifiers::NONE, Key::Escape);
    assert!(backend.taken().is_empty());
}

#[test]
fn closing_now_says_what_it_loses() {
    let backend = Scripted::default();
    let (mut harness, run) = closing(&backend);
    press(&mut harness, Modifiers::COMMAND, Key::Q);
    assert!(harness.query_by_label_contains("loses the run: it has no checkpoint yet").is_some());
    press(&mut harness, Modifiers::NONE, Key::Escape);
    backend.say([checkpoint(run, 8), event(run, 9, Body::Status(Status::Running))]);
    backend.say([event(run, 10, Body::Scalars(vec![("loss".into(), 1.0)]))]);
    backend.say([Event { seconds: 42.09, ..event(run, 11, Body::Scalars(vec![("loss".into(), 1.0)])) }]);
    harness.run_steps(2);
    press(&mut harness, Modifiers::COMMAND, Key::Q);
    let text = label(&harness, "loses what came after step 8");
    assert!(text.contains("A step took 42 s lately"), "{text}");
    harness.get_by_label("Close now").click();
    harness.run_steps(2);
    assert!(closes_itself(&mut harness));
    harness.into_state().on_exit();
    assert_eq!(backend.0.borrow().patience, Some(Duration::ZERO));
}

#[test]
fn a_checkpoint_that_fails_holds_the_window() {
    let backend = Scripted::default();
    let (mut harness, run) = closing(&backend);
    press(&mut harness, Modifiers::COMMAND, Key::Q);
    let text = "no checkpoint was written: the disk is full".to_owned();
    backend.say([event(run, 11, Body::Notice { level: Level::Warning, text: text.clone() })]);
    backend.say([event(run, 11, Body::Status(Status::Paused))]);
    harness.run_steps(3);
    assert!(!asked_end(&backend) && harness.query_by_label("No checkpoint could be written").is_some());
    assert!(harness.query_all_by_label(&text).next().is_some());
    backend.taken();
    harness.get_by_label("Try again").click();
    harness.run_steps(3);
    assert_eq!(backend.taken(), ["Checkpoint", "Resume", "Pause"]);
    backend.say([checkpoint(run, 11), event(run, 11, Body::Status(Status::Paused))]);
    harness.run_steps(3);
    assert!(asked_end(&backend));
}

#[test]
fn a_question_that_the_worker_missed_is_asked_again() {
    let backend = Scripted::default();
    let (mut harness, run) = closing(&backend);
    press(&mut harness, Modifiers::COMMAND, Key::Q);
    backend.taken();
    backend.say([event(run, 11, Body::Status(Status::Paused))]);
    harness.run_steps(3);
    assert_eq!(backend.taken(), ["Checkpoint", "Resume", "Pause"]);
    backend.say([event(run, 11, Body::Status(Status::Paused))]);
    harness.run_steps(3);
    assert!(harness.query_by_label("the run is not being recorded").is_some());
    press(&mut harness, Modifiers::NONE, Key::Escape);
    assert_eq!(backend.taken(), ["Resume"]);
}

#[test]
fn a_run_that_fails_meanwhile_keeps_the_window_open() {
    let backend = Scripted::default();
    let (mut harness, run) = closing(&backend);
    press(&mut harness, Modifiers::COMMAND, Key::Q);
    backend.say([event(run, 11, Body::Status(Status::Failed("out of memory".to_owned())))]);
    harness.run_steps(3);
    assert!(harness.query_by_label("The run failed").is_some());
    assert!(!closes_itself(&mut harness) && close(&mut harness));
}

#[test]
fn a_run_that_is_not_recorded_is_not_lost_by_a_key() {
    let backend = Scripted::default();
    let (mut harness, _) = training(&backend);
    command(&mut harness, "start or restart");
    let request = backend.last_start();
    let header = RunHeader { folder: String::new(), ..header_of(&request) };
    backend.say([event(request.id, 0, Body::Started(Box::new(header)))]);
    backend.say([event(request.id, 10, Body::Status(Status::Running))]);
    harness.run_steps(3);
    backend.0.borrow_mut().alive = true;
    backend.taken();
    for key in [Key::Enter, Key::Escape] {
        assert!(!close(&mut harness));
        assert!(harness.query_by_label_contains("not recorded: closing loses it (step 10 of 420)").is_some());
        press(&mut harness, Modifiers::NONE, key);
        assert!(harness.query_by_label_contains("closing loses it").is_none());
    }
    assert!(!asked_end(&backend) && backend.taken().is_empty());
    assert!(!close(&mut harness));
    harness.get_by_label("Close").click();
    harness.run_steps(2);
    assert!(closes_itself(&mut harness));
}

#[test]
fn a_signal_closes_without_a_question_and_not_without_the_checkpoint() {
    let backend = Scripted::default();
    let (mut harness, run) = closing(&backend);
    backend.0.borrow_mut().signal = true;
    harness.run_steps(3);
    assert!(asked_end(&backend) && harness.query_by_label("Keep training").is_none());
    press(&mut harness, Modifiers::NONE, Key::Escape);
    press(&mut harness, Modifiers::NONE, Key::Enter);
    assert!(!closes_itself(&mut harness));
    backend.say([checkpoint(run, 11), event(run, 11, Body::Status(Status::Stopped))]);
    backend.0.borrow_mut().alive = false;
    harness.step();
    assert!(closes_itself(&mut harness));
}

/// The toy lab with something to draw that may be unsaved.
static DRAWING: Lab = Lab { spec: &SPEC, view: || Box::new(DrawingView) };

#[derive(Clone, Copy, PartialEq)]
enum Drawn {
    Saved,
    Unsaved,
    Saving,
}

thread_local! {
    static DRAWN: std::cell::Cell<Drawn> = const { std::cell::Cell::new(Drawn::Saved) };
}

struct DrawingView;

impl LabView for DrawingView {
    fn tiles(&self) -> Vec<&'static TileSpec> {
        ToyView.tiles()
    }

    fn arrangement(&self, params: &Params) -> Arrangement {
        ToyView.arrangement(params)
    }

    fn tile(&mut self, tile: &str, ui: &mut egui::Ui, ctx: &mut ViewCtx<'_>) {
        ToyView.tile(tile, ui, ctx);
    }

    fn commands(&self) -> Vec<(&'static str, &'static str)> {
        ToyView.commands()
    }

    fn command(&mut self, id: &str, ctx: &mut ViewCtx<'_>, egui: &egui::Context) {
        ToyView.command(id, ctx, egui);
    }

    fn guide(&mut self, _ui: &mut egui::Ui, _ctx: &mut ViewCtx<'_>) {}

    fn unsaved(&self) -> Option<String> {
        (DRAWN.get() != Drawn::Saved).then(|| "the corrected mask of a.png".to_owned())
    }

    fn save_unsaved(&mut self) {
        DRAWN.set(Drawn::Saving);
    }
}

#[test]
fn what_is_not_saved_is_asked_about() {
    let backend = Scripted::computing();
    let mut harness = window_of(vec![&DRAWING], &backend, None, vec2(1440.0, 1000.0));
    assert!(close(&mut harness), "nothing is unsaved");
    DRAWN.set(Drawn::Unsaved);
    let mut harness = window_of(vec![&DRAWING], &backend, None, vec2(1440.0, 1000.0));
    press(&mut harness, Modifiers::COMMAND, Key::Q);
    assert!(harness.query_by_label("The corrected mask of a.png is not saved.").is_some());
    press(&mut harness, Modifiers::NONE, Key::Escape);
    assert!(!closes_itself(&mut harness), "escape stays");

    assert!(!close(&mut harness));
    harness.get_by_label("Save and close").click();
    harness.run_steps(3);
    assert!(DRAWN.get() == Drawn::Saving && !closes_itself(&mut harness), "it waits for the disk");
    DRAWN.set(Drawn::Saved);
    assert!(closes_itself(&mut harness));

    DRAWN.set(Drawn::Unsaved);
    let mut harness = window_of(vec![&DRAWING], &backend, None, vec2(1440.0, 1000.0));
    assert!(!close(&mut harness));
    harness.get_by_label("Close, keep as draft").click();
    harness.run_steps(2);
    assert!(DRAWN.get() == Drawn::Unsaved && closes_itself(&mut harness));
}

#[test]
fn the_drawing_is_asked_about_first_and_then_the_run() {
    DRAWN.set(Drawn::Unsaved);
    let backend = Scripted::default();
    let mut harness = window_of(vec![&DRAWING], &backend, None, vec2(1440.0, 1000.0));
    command(&mut harness, "preset trained");
    let request = backend.last_start();
    backend.say([event(request.id, 0, Body::Started(Box::new(header_of(&request))))]);
    backend.say([event(request.id, 10, Body::Status(Status::Running))]);
    harness.run_steps(3);
    backend.taken();
    backend.0.borrow_mut().alive = true;
    assert!(!close(&mut harness));
    press(&mut harness, Modifiers::NONE, Key::Enter);
    assert!(DRAWN.get() == Drawn::Saving, "enter saves");
    assert!(backend.taken().is_empty());
    DRAWN.set(Drawn::Saved);
    harness.run_steps(3);
    assert_eq!(backend.taken(), ["Checkpoint", "Pause"]);
    assert!(harness.query_by_label_contains("Finishing step 11").is_some());
}

#[test]
fn devices_are_listed_when_they_have_been_found() {
    let backend = Scripted::default();
    let (sender, receiver) = std::sync::mpsc::channel::<()>();
    let mut parts = parts(vec![&TOY], Box::new(backend.clone()), None);
    parts.devices = Some(Box::new(move || {
        let _ = receiver.recv();
        vec![DeviceEntry { name: "Radeon 780M".into(), backend: "Vulkan".into(), kind: "GPU".into(), software: false }]
    }));
    let mut harness =
        Harness::builder().with_size(vec2(1280.0, 800.0)).build_eframe(|cc| App::new(&cc.egui_ctx, parts));
    harness.run_steps(2);
    assert!(harness.query_by_label("Device: looking for devices…").is_some());
    sender.send(()).unwrap();
    let found = (0..1000).any(|_| {
        std::thread::sleep(Duration::from_millis(2));
        harness.step();
        harness.query_by_label("Device: GPU · Radeon 780M · Vulkan").is_some()
    });
    assert!(found);
    command(&mut harness, "device: radeon");
    command(&mut harness, "preset trained");
    assert_eq!(backend.last_start().device.map(|device| device.to_string()).as_deref(), Some("gpu:Radeon 780M"));
}

#[test]
fn every_sign_in_the_labs_texts_has_a_glyph() {
    let ctx = egui::Context::default();
    theme::install_fonts(&ctx);
    let mut texts: Vec<String> = vec!["λ∇‖₂μηβ√←∂ρεθΔ²⁻▶⏸⏹⏭⏮⟲×−·≈≤≥∞→↑↓αγσ…–—’“”●m̂v̂½ᵏⁿ".to_owned()];
    for lab in LABS {
        let spec = lab.spec;
        texts.extend([spec.title, spec.claim, spec.guide].map(str::to_owned));
        texts.extend(spec.params.iter().flat_map(|p| [p.label, p.unit, p.group, p.help]).map(str::to_owned));
        texts.extend(spec.presets.iter().flat_map(|p| [p.title, p.help]).map(str::to_owned));
        texts.extend(spec.studies.iter().flat_map(|s| [s.title, s.source, s.about]).map(str::to_owned));
        texts.extend(spec.studies.iter().flat_map(|s| s.rows).map(|row| row.label.to_owned()));
        texts.extend(spec.keys.iter().flat_map(|k| [k.title, k.unit]).map(str::to_owned));
        texts.extend((lab.view)().tiles().iter().flat_map(|t| [t.title, t.help]).map(str::to_owned));
        for param in spec.params {
            if let ParamKind::Choice(items) = param.kind {
                texts.extend(items.iter().map(|item| item.label.to_owned()));
            }
        }
    }
    ctx.begin_pass(egui::RawInput::default());
    let mut missing = std::collections::BTreeSet::new();
    for family in [FontFamily::Proportional, FontFamily::Monospace, theme::strong_family()] {
        let font = FontId::new(13.0, family);
        for c in texts.iter().flat_map(|text| text.chars()).filter(|c| !c.is_control()) {
            if !ctx.fonts_mut(|fonts| fonts.has_glyph(&font, c)) {
                missing.insert(format!("{c} U+{:04X} in {:?}", c as u32, font.family));
            }
        }
    }
    ctx.end_pass().drop_without_applying_deltas();
    assert!(missing.is_empty(), "{missing:?}");
}
