//! Figures that leave the program: SVG, PNG and GIF of recorded runs and of scenes, through the real binary, and that none of
//! them has a button.

mod support;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;

use eframe::egui::accesskit::Role;
use eframe::egui::vec2;
use egui_kittest::Harness;
use egui_kittest::kittest::NodeT;
use learnscope::app::figure::Recorded;
use learnscope::app::scene::{Changed, PinnedRuns, Scene};
use learnscope::app::theme;
use learnscope::engine::recording::replay_from;
use learnscope::kit::view::{Cursor, ViewCtx};
use learnscope::labs;
use learnscope::plot::medium::{self, Medium};
use learnscope::plot::style::Style;
use tempfile::TempDir;

use support::program::{NETWORK, ends, fails, only_run, only_run_in, run, stderr, succeeds, with_args};

/// A scene of the optimizers lab: a start in the saddle, the momentum under the microscope in the middle of an update.
fn scene() -> Scene {
    let text = |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    Scene {
        lab: "optimizers".to_owned(),
        seed: 7,
        step: 40,
        sub: 2,
        speed: 1.0,
        params: text(&[
            ("surface", "booth"),
            ("start_x", "-4"),
            ("start_y", "6.5"),
            ("learning_rate", "0.02"),
            ("steps", "90"),
        ]),
        view: text(&[("selected", "momentum")]),
        changes: vec![Changed { step: 60, key: "learning_rate".to_owned(), value: "0.05".to_owned() }],
        ..Scene::default()
    }
}

/// Whether pictures can be drawn here; if not, why the rest of a test is skipped.
fn can_draw(home: &TempDir) -> bool {
    let adapters = succeeds(home, "devices --json").lines().count() > 1;
    let required = std::env::var_os("LEARNSCOPE_REQUIRE_ADAPTER").is_some_and(|value| value == "1");
    if !adapters && !required {
        println!("skipped: no graphics adapter to draw a picture with");
    }
    adapters || required
}

/// The texts of an SVG file, held against what every one must be.
fn texts(file: &Path) -> Vec<String> {
    let text = fs::read_to_string(file).unwrap();
    let options = roxmltree::ParsingOptions { nodes_limit: u32::MAX, ..Default::default() };
    let document = roxmltree::Document::parse_with_options(&text, options).unwrap();
    for node in document.descendants() {
        for attribute in node.attributes().filter(|attribute| attribute.name() != "href") {
            let value = attribute.value();
            assert!(!value.contains("NaN") && !value.contains("inf"), "{}: {value}", attribute.name());
        }
    }
    document
        .descendants()
        .filter(|node| node.has_tag_name("text"))
        .filter_map(|node| Some(node.text()?.to_owned()))
        .collect()
}

#[test]
fn a_tile_of_a_recorded_run_is_lines_and_text_in_svg() {
    let home = tempfile::tempdir().unwrap();
    succeeds(&home, "run optimizers --set surface=booth --steps 60 --seed 5");
    let run = only_run(&home).display().to_string();
    let file = home.path().join("f.svg");
    let export = format!("export {run} --tile curves-f --step 30 --out f.svg");
    let said = succeeds(&home, &export);
    assert!(said.contains("saved f.svg (step 30)"), "{said}");
    let found = texts(&file);
    for wanted in ["f", "step", "Adam", "Momentum", "0", "60"] {
        assert!(found.iter().any(|text| text == wanted), "`{wanted}` is not in {found:?}");
    }
    let svg = fs::read(&file).unwrap();
    assert!(svg.len() < 400_000, "{} bytes", svg.len());
    fails(&home, &export, 2, &["already there"]);
    succeeds(&home, &format!("{export} --force"));
    assert_eq!(fs::read(&file).unwrap(), svg, "the same bytes");
    succeeds(&home, &format!("export {run} --tile curves-f --step 31 --out g.svg"));
    assert_ne!(fs::read(home.path().join("g.svg")).unwrap(), svg, "another step");
    // Numbers as they stand in the table.
    succeeds(&home, &format!("export {run} --tile table --out t.svg"));
    let table = texts(&home.path().join("t.svg"));
    assert!(table.iter().filter(|text| text.parse::<f64>().is_ok()).count() > 20, "{table:?}");
    fails(&home, &format!("export {run} --out x.svg"), 2, &["say which view with --tile", "curves-f"]);
    fails(&home, &format!("export {run} --tile curvs-f --out x.svg"), 2, &["Did you mean `curves-f`"]);
    fails(&home, &format!("export {run} --tile f/adam --out x.svg"), 2, &["`f/adam` is numbers", ".csv"]);
}

#[test]
fn every_tile_of_the_optimizers_lab_is_an_svg() {
    let home = tempfile::tempdir().unwrap();
    succeeds(&home, "run optimizers --steps 40");
    let run = only_run(&home);
    let lab = labs::find_with_views("optimizers").unwrap();
    let params = labs::open_run(&run).unwrap().header().params.clone();
    for tile in (lab.view)().shown(&params) {
        let id = tile.id;
        succeeds(&home, &format!("export {} --tile {id} --out {id}.svg", run.display()));
        let found = texts(&home.path().join(format!("{id}.svg")));
        assert!(found.iter().any(|text| text == tile.title), "{id}: {found:?}");
    }
}

#[test]
fn a_scene_is_drawn_without_a_window_to_the_same_bytes_each_time() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("s.learnscope-scene"), scene().file()).unwrap();
    let code = scene().code();
    let export = |from: &str, more: &str, to: &str| {
        ends(&run(&home, &format!("export --scene {from} {more} --out {to}")), 0, &[]);
        fs::read(home.path().join(to)).unwrap()
    };
    let from_file = export("s.learnscope-scene", "--tile microscope", "a.svg");
    assert_eq!(export(&code, "--tile microscope", "b.svg"), from_file);
    let found = texts(&home.path().join("a.svg"));
    // The step, the part of the update and the selection of the scene.
    assert!(found.iter().any(|text| text.contains("update 40 → 41") && text.contains("part 2 of")), "{found:?}");
    assert!(found.iter().any(|text| text == "Momentum"), "{found:?}");
    let at_start = export(&code, "--tile microscope --step 0", "c.svg");
    assert_ne!(at_start, from_file);
    // Without a tile: the first of its layout, or the one that fills the middle.
    let first = export(&code, "", "d.svg");
    assert_eq!(export(&code, "--tile field", "e.svg"), first);
    let maximised = Scene { maximised: "table".to_owned(), ..scene() }.code();
    assert_eq!(export(&maximised, "", "f.svg"), export(&code, "--tile table", "g.svg"));
    // A recorded run, as the scene shows it.
    let set: String = scene().params.iter().map(|(key, value)| format!(" --set {key}={value}")).collect();
    succeeds(&home, &format!("run optimizers{set} --seed 7 --at 60:learning_rate=0.05"));
    let recorded = only_run(&home);
    let of_run = export("s.learnscope-scene", &format!("--tile microscope {}", recorded.display()), "h.svg");
    assert!(of_run == from_file, "a recorded run is drawn as its scene is");
    if can_draw(&home) {
        let picture = export(&code, "--tile field --size 640x400", "a.png");
        assert_eq!(export(&code, "--tile field --size 640x400", "b.png"), picture);
        assert_eq!(image::open(home.path().join("a.png")).unwrap().to_rgba8().dimensions(), (640, 400));
        let surface = export(&code, "--tile surface3d", "s.svg");
        assert_eq!(export(&code, "--tile surface3d", "t.svg"), surface);
        assert!(String::from_utf8(surface).unwrap().contains("data:image/png"), "the surface is a picture");
    }
}

#[test]
fn a_scene_that_cannot_be_drawn_says_why_and_what_to_do() {
    let home = tempfile::tempdir().unwrap();
    let refused = |scene: &Scene, more: &str, words: &[&str]| {
        fs::write(home.path().join("s"), scene.file()).unwrap();
        fails(&home, &format!("export --scene s {more}"), 2, words);
    };
    let trained = Scene { params: BTreeMap::from([("experiment".to_owned(), "network".to_owned())]), ..scene() };
    let words = ["holds no weights", "learnscope run optimizers --seed 7 --set experiment=network", "--scene"];
    refused(&trained, "--out a.svg", &words);
    refused(&Scene { lab: "segmentation".to_owned(), ..scene() }, "--out a.png", &["holds no weights"]);
    refused(&Scene { lab: "painting".to_owned(), ..scene() }, "--out a.png", &["`painting`", "does not have"]);
    refused(&scene(), "--out a.csv", &["how a figure looks", ".svg"]);
    refused(&scene(), "--out a.xyz", &["a.xyz", ".svg"]);
    refused(&scene(), "--tile feild --out a.svg", &["Did you mean `field`"]);
    refused(&scene(), "--step 91 --out a.svg", &["goes up to step 90"]);
    fails(&home, "export --scene nowhere --out a.svg", 2, &["`--scene`", "nowhere"]);
    fails(&home, "export --out a.svg", 2, &["RUN"]);
    succeeds(&home, &format!("run optimizers {NETWORK} --steps 3"));
    let run = only_run(&home).display().to_string();
    refused(
        &Scene { lab: "segmentation".to_owned(), ..scene() },
        &format!("{run} --out a.svg"),
        &["lab `segmentation`"],
    );
    refused(&scene(), &format!("{run} --figure metrics --out a.csv"), &["how a figure looks"]);
    let odd = Scene { params: BTreeMap::from([("surfice".to_owned(), "booth".to_owned())]), ..scene() };
    let output =
        with_args(&home, &["export", "--scene", &odd.code(), "--tile", "table", "--out", "o.svg"]).output().unwrap();
    ends(&output, 0, &[]);
    assert!(stderr(&output).contains("left out") && stderr(&output).contains("surfice"), "{}", stderr(&output));
}

#[test]
fn the_pinned_runs_of_a_scene_lie_behind_its_curves() {
    let home = tempfile::tempdir().unwrap();
    let record = |rate: &str| {
        let name = format!("rate-{rate}");
        succeeds(
            &home,
            &format!("run optimizers --set surface=booth --set learning_rate={rate} --steps 60 --out {name}"),
        );
        only_run_in(&home, &name).display().to_string()
    };
    let runs = vec![record("0.02"), record("0.03"), home.path().join("gone").display().to_string()];
    let pinned = PinnedRuns { runs: runs.clone(), by: String::new() };
    fs::write(home.path().join("s"), Scene { pinned, ..scene() }.file()).unwrap();
    let said = run(&home, "export --scene s --tile curves-f --out f.svg");
    ends(&said, 0, &[]);
    assert!(stderr(&said).contains("left out") && stderr(&said).contains("gone"), "{}", stderr(&said));
    let listed = |file: &str| {
        let found = texts(&home.path().join(file));
        ["0.02", "0.03"].map(|rate| found.iter().any(|text| text.ends_with(&format!(" {rate}"))))
    };
    assert_eq!(listed("f.svg"), [true, true], "the legend has both");
    // One of them alone is not behind itself.
    ends(&run(&home, &format!("export {} --scene s --tile curves-f --out g.svg", runs[0])), 0, &[]);
    assert_eq!(listed("g.svg"), [false, true]);
    ends(&run(&home, &format!("export {} --tile curves-f --out h.svg", runs[0])), 0, &[]);
    assert_eq!(listed("h.svg"), [false, false]);
}

/// The frames of a GIF as whole pictures, with how long each is shown.
fn frames(file: &Path) -> Vec<(Vec<u8>, u16)> {
    let mut options = gif::DecodeOptions::new();
    options.set_color_output(gif::ColorOutput::RGBA);
    let mut decoder = options.read_info(fs::File::open(file).unwrap()).unwrap();
    let width = usize::from(decoder.width());
    let mut screen = vec![0; 4 * width * usize::from(decoder.height())];
    let mut frames = Vec::new();
    while let Some(frame) = decoder.read_next_frame().unwrap() {
        let (left, wide) = (usize::from(frame.left), usize::from(frame.width));
        for (y, row) in frame.buffer.chunks(4 * wide).enumerate() {
            let from = 4 * ((usize::from(frame.top) + y) * width + left);
            screen[from..from + row.len()].copy_from_slice(row);
        }
        frames.push((screen.clone(), frame.delay));
    }
    frames
}

#[test]
fn a_run_is_animated_from_its_first_to_its_last_step() {
    let home = tempfile::tempdir().unwrap();
    let code = scene().code();
    let gif = |more: &str| format!("export --scene {code} --tile field {more} --size 320x200 --out a.gif");
    // What no animation can be is refused before anything is drawn.
    for (more, words) in [
        ("--from 90", &["`--from 90`", "before 90"][..]),
        ("--until 91", &["`--until 91`", "is 90"]),
        ("--from 5 --until 5", &["after 5"]),
        ("--frames 1", &["from 2 to 91"]),
        ("--frames 92", &["there are 91 steps"]),
        ("--seconds 0", &["`--seconds 0`", "50 frames a second"]),
        ("--seconds -1", &["`--seconds -1`"]),
        ("--step 5", &["--from and --until"]),
    ] {
        fails(&home, &gif(more), 2, words);
    }
    fails(&home, &format!("export --scene {code} --tile field --size 9000x200 --out a.gif"), 2, &["2048"]);
    fails(&home, &format!("export --scene {code} --from 3 --out a.svg"), 2, &["`--from`", ".gif"]);
    assert!(!home.path().join("a.gif").exists());
    if !can_draw(&home) {
        return;
    }
    let said = succeeds(&home, &gif("--from 10 --until 40 --frames 7 --seconds 1.4"));
    assert!(said.contains("7 frames, step 10 to 40"), "{said}");
    let bytes = fs::read(home.path().join("a.gif")).unwrap();
    let shown = frames(&home.path().join("a.gif"));
    assert_eq!(shown.iter().map(|(_, delay)| *delay).collect::<Vec<_>>(), [20, 20, 20, 20, 20, 20, 220]);
    for (i, (picture, _)) in shown.iter().enumerate() {
        assert!(shown[..i].iter().all(|(other, _)| other != picture), "frame {i} is another one's");
    }
    succeeds(&home, &format!("{} --force", gif("--from 10 --until 40 --frames 7 --seconds 1.4")));
    assert_eq!(fs::read(home.path().join("a.gif")).unwrap(), bytes, "the same bytes");
    assert_eq!(
        fs::read_dir(home.path())
            .unwrap()
            .filter(|entry| { entry.as_ref().unwrap().file_name().to_string_lossy().contains("tmp") })
            .count(),
        0,
        "nothing is left over"
    );
    // Of a training run what was recorded is seen.
    succeeds(&home, &format!("run optimizers {NETWORK} --steps 40"));
    let run = only_run(&home).display().to_string();
    succeeds(&home, &format!("export {run} --tile boundary --frames 3 --size 320x200 --out n.gif"));
    assert_eq!(frames(&home.path().join("n.gif")).len(), 3);
}

/// What the figure of a tile of a recorded run is made of: the names of widgets that are there to be used.
fn controls(folder: &Path) -> BTreeSet<String> {
    let mut reader = labs::open_run(folder).unwrap();
    let run = replay_from(&mut reader).unwrap();
    let lab = labs::find_with_views(&reader.header().lab).unwrap();
    let reader = RefCell::new(reader);
    let style = Style::light();
    let mut found = BTreeSet::new();
    for tile in (lab.view)().shown(&run.params) {
        let read = |offset, bytes| reader.borrow_mut().payload_at(offset, bytes).ok();
        let past = Recorded::new(&run, Arc::default(), Box::new(read));
        let mut view = (lab.view)();
        let mut harness = Harness::builder().with_size(vec2(800.0, 500.0)).build_ui(|ui| {
            if medium::of(ui.ctx()) == Medium::Window {
                medium::set(ui.ctx(), Medium::Pixels);
                theme::install_fonts(ui.ctx());
                return;
            }
            let mut ctx = ViewCtx {
                run: &run,
                params: &run.params,
                cursor: Cursor { step: run.step, sub: 0 },
                style: &style,
                wgpu: None,
                past: &past,
                presenting: false,
                actions: &mut Vec::new(),
            };
            view.tile(tile.id, ui, &mut ctx);
        });
        harness.run_steps(4);
        for node in harness.root().children_recursive() {
            let node = node.accesskit_node();
            let name = || node.label().or_else(|| node.value()).unwrap_or_default();
            let control = matches!(
                node.role(),
                Role::Button
                    | Role::CheckBox
                    | Role::ComboBox
                    | Role::Slider
                    | Role::SpinButton
                    | Role::TextInput
                    | Role::MultilineTextInput
                    | Role::MenuItem
            );
            // Words, rows, pictures and legends can be clicked in the window: their names say what they are or show.
            let name = name();
            let content =
                name.contains([',', ':', '(']) || name.starts_with("highlight ") || name.starts_with("sort by ");
            if control && !content {
                found.insert(format!("{}: {:?} {}", tile.id, node.role(), name));
            }
        }
    }
    found
}

#[test]
fn figures_have_no_controls() {
    let home = tempfile::tempdir().unwrap();
    let cpu = "--device cpu --steps 2";
    let mut found = BTreeSet::new();
    for (i, line) in [
        "run optimizers --steps 40".to_owned(),
        format!("run optimizers {NETWORK} --steps 3"),
        format!("run self-supervised {cpu} --set train_images=64 --set batch_size=16"),
        format!("run segmentation {cpu} --set synthetic_images=12 --set image_size=16 --set base=2 --set wall_images=2"),
        format!(
            "run reconstruction {cpu} --set image_size=32 --set width=1/4 --set train_images=6 --set unlabelled_images=6 \
             --set validation_images=4 --set test_images=8 --set unseen_images=2"
        ),
        format!(
            "run image-report {cpu} --set image_size=32 --set train_pairs=16 --set test_pairs=6 --set batch_size=8 --set width=32"
        ),
    ]
    .iter()
    .enumerate()
    {
        let root = format!("runs-{i}");
        succeeds(&home, &format!("{line} --out {root}"));
        found.extend(controls(&only_run_in(&home, &root)));
    }
    assert!(found.is_empty(), "{found:#?}");
}
