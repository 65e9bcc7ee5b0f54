//! Scenes and undo with the real labs: whatever a view names comes back exactly, the screen goes back with the form, and a scene
//! opens from the command line's argument and from a dropped file.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use eframe::egui::{Event, Key, Modifiers, MouseWheelSource, MouseWheelUnit, OutputCommand, TouchPhase, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use learnscope::app::scene::{SUFFIX, Scene};
use learnscope::app::{App, Open, Parts};
use learnscope::kit::fields;
use learnscope::labs::{self, LABS};

use support::window::{Dropped, Scripted, TOY, parts, press, window_of};

/// A value of every field of every lab's view that a fresh view does not have. `*` stands for several names.
const FIELDS: &[(&str, &[(&str, &str)])] = &[
    (
        "optimizers",
        &[
            ("selected", "rmsprop"),
            ("camera", "-1.5 0.7 2 0.1 -0.2 0"),
            ("heights", "logarithmic"),
            ("field.zoom", "-0.5 0.5 -1 1"),
            ("field.arrows", "true"),
            ("field.equal", "true"),
            ("field.log", "saddle true"),
            ("maps.sweep", "true"),
            ("curvature.zoom", "0.125"),
            ("fan.count", "2"),
            ("fan.bands", "true"),
            ("fan.linear", "true"),
            ("phase.method", "nesterov"),
            ("modes.panel", "1"),
            ("network.selected", "adam"),
            ("network.enlarged", "sgd"),
            ("sets", "test"),
            ("inside.plain", "true"),
            ("race.shown", "1"),
            ("race.count", "1"),
            ("race.near", "true"),
            ("race.bands", "true"),
        ],
    ),
    (
        "self-supervised",
        &[
            ("eigenspaces.paper", "true"),
            ("eigenspaces.entrywise", "true"),
            ("matrices.enlarged", "2"),
            ("matrices.twin", "true"),
            ("sqrt.log", "false"),
            ("paper", "true"),
            ("embedding.class", "3"),
            ("embedding.twin", "true"),
            ("theory.equal", "false"),
            ("theory.eta", "0.2"),
            ("theory.eta_p", "0.1"),
            ("theory.alpha_p", "10"),
            ("theory.sigma2", "0.5"),
            ("theory.ratio", "0.75"),
            ("theory.portrait.start", "0.25 -0.5"),
            ("theory.portrait.scaled", "true"),
            ("theory.portrait.modes", "false"),
            ("theory.simulator.features", "5"),
            ("theory.simulator.duration", "40"),
            ("theory.simulator.cosine", "true"),
            ("theory.simulator.rate", "0.125"),
            ("theory.simulator.momentum", "0.5"),
            ("theory.simulator.scale", "2"),
            ("theory.simulator.beta", "2"),
            ("theory.simulator.symmetrise", "true"),
            ("theory.simulator.seed", "99"),
        ],
    ),
    (
        "segmentation",
        &[
            ("selected", "3"),
            ("others", "/runs/a\n/runs/b, two"),
            ("mode", "errors"),
            ("opacity", "0.75"),
            ("ghost", "the first validation"),
            ("lens", "0.25 0.75 4"),
            ("threshold", "0.25"),
            ("keep", "longest"),
            ("fill", "false"),
            ("hd95", "directed"),
            ("penalty", "true"),
            ("wall.hidden", "2\n5"),
            ("wall.all", "true"),
            ("wall.width", "200"),
            ("inspector.pair", "HD"),
            ("curves.hd", "true"),
            ("curves.assd", "true"),
            ("curves.paper", "true"),
            ("ranking.test", "true"),
            ("ranking.by", "HD95"),
            ("ranking.reversed", "true"),
            ("ranking.class", "malignant"),
            ("ranking.histogram", "true"),
            ("ranking.selected", "a (1).png"),
            ("compare.validation", "true"),
            ("compare.measure", "hd95"),
            ("compare.which", "1"),
            ("compare.selected", "a (2).png"),
            ("methods.rows", "6"),
            ("methods.images", "a (1).png\nb"),
            ("network.compare", "true"),
            ("size.cost", "memory"),
            ("size.distance", "true"),
            ("size.without_run", "true"),
            ("augmentation.trying", "true"),
            ("data.recorded", "false"),
        ],
    ),
    (
        "reconstruction",
        &[
            ("triptych.hidden", "1"),
            ("triptych.all", "true"),
            ("triptych.width", "160"),
            ("triptych.lens", "0.5 0.5 2"),
            ("triptych.selected", "2"),
            ("triptych.hide_lesions", "true"),
            ("triptych.similarity", "true"),
            ("strip.twin", "true"),
            ("diagnosis.validation", "true"),
            ("diagnosis.threshold", "0.25"),
            ("latent.class", "1"),
            ("latent.hospitals", "true"),
            ("latent.twin", "true"),
            ("latent.pictured", "true"),
            ("latent.selected", "7"),
            ("looks.lens", "0.25 0.25 8"),
            ("looks.hide_first", "true"),
            ("looks.hide_second", "true"),
            ("looks.hide_lesions", "true"),
            ("looks.opacity", "0.25"),
            ("looks.twin", "true"),
            ("survival.against_step", "true"),
            ("label.hidden", "0"),
            ("label.all", "true"),
            ("label.width", "120"),
            ("label.lens", "0.5 0.25 4"),
            ("label.selected", "1"),
        ],
    ),
    (
        "image-report",
        &[
            ("selected", "2"),
            ("ranking.by_table", "true"),
            ("ranking.hide_ticks", "true"),
            ("ranking.zoomed", "true"),
            ("ranking.open", "twin 4"),
            ("words.lens", "0.5 0.5 2"),
            ("words.reading", "sharp"),
            ("words.kept", "2 5"),
            ("words.opacity", "0.25"),
            ("words.grid", "true"),
            ("words.classes", "true"),
            ("words.twin", "true"),
            ("similarity.kept", "1 3"),
            ("similarity.stretched", "true"),
            ("similarity.twin", "true"),
            ("evaluations.twin", "true"),
        ],
    ),
];

/// The same for tiles that several labs have: curves and landscapes.
const SHARED: &[(&str, &str)] = &[
    ("log", "false"),
    ("panel", "1"),
    ("highlighted", "Adam"),
    ("hidden", "SGD\ntwin"),
    ("plane", "random"),
    ("directions", "1"),
    ("linear", "true"),
    ("again", "true"),
];

#[test]
fn every_field_of_every_view_comes_back_and_a_fresh_view_needs_no_words() {
    for lab in LABS {
        let id = lab.spec.id;
        let mut view = (lab.view)();
        assert!(fields::taken(view.as_mut()).is_empty(), "{id}: a fresh view");
        let known = FIELDS.iter().find(|(lab, _)| *lab == id).map_or(&[][..], |(_, fields)| fields);
        let names: BTreeSet<String> = fields::names(view.as_mut()).into_iter().collect();
        let value = |name: &str| {
            let last = name.rsplit('.').next().unwrap_or(name);
            let known = known.iter().find(|(field, _)| *field == name);
            let curve = SHARED.iter().find(|(field, _)| *field == last);
            let text = known.or(curve).map(|(_, text)| (*text).to_owned());
            text.or_else(|| last.starts_with("zoom").then(|| "-1 1.5 0 20".to_owned()))
        };
        let texts: BTreeMap<String, String> = names
            .iter()
            .map(|name| (name.clone(), value(name).unwrap_or_else(|| panic!("{id}: no value for `{name}`"))))
            .collect();
        assert!(known.iter().all(|(name, _)| names.contains(*name)), "{id}: a field is gone");
        fields::put(view.as_mut(), &texts);
        assert_eq!(fields::taken(view.as_mut()), texts, "{id}");
        let mut again = (lab.view)();
        fields::put(again.as_mut(), &texts);
        assert_eq!(fields::taken(again.as_mut()), texts, "{id}");
        fields::put(again.as_mut(), &BTreeMap::new());
        assert!(fields::taken(again.as_mut()).is_empty(), "{id}: fresh again");
        let odd = names.iter().map(|name| (name.clone(), "ß -7 nan".to_owned())).collect();
        fields::put(again.as_mut(), &odd);
        let left: Vec<_> = fields::taken(again.as_mut()).into_keys().filter(|name| !takes_any_word(name)).collect();
        assert!(left.is_empty(), "{id}: {left:?}");
    }
}

/// Fields of names, which may be any.
fn takes_any_word(name: &str) -> bool {
    ["hidden", "highlighted", "class", "selected", "others", "images"].iter().any(|word| name.ends_with(word))
}

/// Sends a script and draws what it did.
fn script(harness: &mut Harness<'static, App>, text: &str) {
    harness.state_mut().send_script(text).unwrap();
    harness.run_steps(3);
}

/// The scene that is on the screen.
fn scene(harness: &mut Harness<'static, App>) -> Scene {
    harness.state_mut().send_script("scene.copy").unwrap();
    for _ in 0..3 {
        harness.step();
        let copied = harness.output().platform_output.commands.iter().find_map(|command| match command {
            OutputCommand::CopyText(code) => Some(code.clone()),
            _ => None,
        });
        if let Some(code) = copied {
            return Scene::from_code(&code).unwrap();
        }
    }
    panic!("nothing was copied");
}

fn optimizers(backend: &Scripted) -> Harness<'static, App> {
    window_of(vec![&LABS[0]], backend, None, vec2(1440.0, 900.0))
}

fn undo(harness: &mut Harness<'static, App>) {
    press(harness, Modifiers::COMMAND, Key::Z);
}

#[test]
fn the_layout_and_the_view_go_back_and_forth_like_the_form() {
    let backend = Scripted::computing();
    let mut harness = optimizers(&backend);
    let first = scene(&mut harness);
    assert!(first.layout.is_empty() && first.view.is_empty(), "{first:?}");
    let steps = [
        "lab.do select-sgd",
        "tiles.hide table",
        "form.set learning_rate=0.05",
        "tiles.maximise field",
        "lab.do field-arrows",
        "tiles.restore",
        "tiles.bring curves-f",
        "tiles.reset",
    ];
    let mut scenes = vec![first];
    for step in steps {
        script(&mut harness, step);
        let now = scene(&mut harness);
        assert_ne!(Some(&now), scenes.last(), "{step}");
        scenes.push(now);
    }
    let last = scenes.len() - 1;
    for at in (0..last).rev() {
        undo(&mut harness);
        assert_eq!(screen(scene(&mut harness)), screen(scenes[at].clone()), "before `{}`", steps[at]);
    }
    undo(&mut harness);
    assert_eq!(screen(scene(&mut harness)), screen(scenes[0].clone()), "there is nothing before the first step");
    for at in 1..=last {
        press(&mut harness, Modifiers::COMMAND.plus(Modifiers::SHIFT), Key::Z);
        assert_eq!(screen(scene(&mut harness)), screen(scenes[at].clone()), "after `{}`", steps[at - 1]);
    }
}

/// A scene without its place in time, which undo leaves where it is.
fn screen(scene: Scene) -> Scene {
    Scene { step: 0, sub: 0, follow: false, ..scene }
}

#[test]
fn turns_of_a_camera_are_one_step_and_a_step_of_the_screen_computes_nothing() {
    let backend = Scripted::computing();
    let mut harness = optimizers(&backend);
    script(&mut harness, "lab.do select-sgd\nlab.do surface3d/zoom_in\nlab.do surface3d/zoom_in\nlab.do surface3d/top");
    backend.taken();
    let turned = scene(&mut harness);
    assert!(turned.view.contains_key("camera"), "{turned:?}");
    undo(&mut harness);
    let before = scene(&mut harness);
    assert_eq!(before.view.keys().collect::<Vec<_>>(), ["selected"], "three turns, one step");
    undo(&mut harness);
    assert!(scene(&mut harness).view.is_empty());
    assert!(backend.taken().is_empty(), "the run stays");
}

#[test]
fn a_zoom_by_the_wheel_is_taken_back() {
    let backend = Scripted::computing();
    let mut harness = optimizers(&backend);
    let field = harness.get_by_label_contains("from above, start").rect().center();
    harness.hover_at(field);
    harness.step();
    for _ in 0..3 {
        harness.event(Event::MouseWheel {
            unit: MouseWheelUnit::Point,
            delta: vec2(0.0, 60.0),
            phase: TouchPhase::Move,
            source: MouseWheelSource::Unknown,
            modifiers: Modifiers::NONE,
        });
        // The wheel's turn is smoothed over some frames.
        harness.run_steps(30);
    }
    assert!(scene(&mut harness).view.contains_key("field.zoom"));
    undo(&mut harness);
    assert!(scene(&mut harness).view.is_empty(), "one gesture, one step");
}

#[test]
fn a_scene_opens_exactly_as_it_was() {
    let backend = Scripted::computing();
    let mut harness = optimizers(&backend);
    script(
        &mut harness,
        "form.set surface=himmelblau\nlab.do select-momentum\nlab.do field-arrows\nlab.do surface3d/zoom_in\n\
         tiles.bring curves-f\ntiles.hide table\ntime.seek 61\nview.guide",
    );
    let before = scene(&mut harness);
    let mut other = window_of(vec![&TOY, &LABS[0]], &backend, None, vec2(1440.0, 900.0));
    script(&mut other, &format!("scene.show {}", before.code()));
    other.run_steps(5);
    assert_eq!(scene(&mut other), before);
    // What every student's scene comes to: a surface, a rate, a selection, one switch, one tile in front.
    let mut harness = optimizers(&backend);
    script(
        &mut harness,
        "form.set surface=ill_conditioned_quadratic\nform.set learning_rate=0.019\nform.set momentum=0.74\n\
         lab.do select-momentum\nlab.do field-arrows\nlab.do surface3d/zoom_in\ntiles.bring curves-f\ntime.seek 61",
    );
    let typical = scene(&mut harness);
    assert!(typical.code().len() < 300, "{} signs: {typical:?}", typical.code().len());
}

/// A window that the command line opened with `--scene`.
fn opened_with(typed: &str, backend: &Scripted) -> Harness<'static, App> {
    let scene = Scene::from_typed(typed).unwrap();
    let open = Open { scene: Some(scene), ..Open::default() };
    let parts = Parts { open, ..parts(vec![&TOY, &LABS[0]], Box::new(backend.clone()), None) };
    let mut harness = Harness::builder()
        .with_size(vec2(1440.0, 900.0))
        .with_step_dt(1.0 / 60.0)
        .build_eframe(|cc| App::new(&cc.egui_ctx, parts));
    harness.run_steps(5);
    harness
}

fn some_scene() -> Scene {
    let pairs = |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    Scene {
        lab: "optimizers".to_owned(),
        seed: 11,
        step: 40,
        speed: 1.0,
        maximised: "field".to_owned(),
        form: true,
        guide: true,
        params: pairs(&[("surface", "himmelblau"), ("learning_rate", "0.02")]),
        view: pairs(&[("selected", "sgd"), ("field.zoom", "-1 1 -2 2")]),
        ..Scene::default()
    }
}

#[test]
fn the_command_line_opens_a_scene_by_its_file_and_by_its_code() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(format!("mine.{SUFFIX}"));
    std::fs::write(&file, some_scene().file()).unwrap();
    for typed in [some_scene().code(), file.display().to_string()] {
        let backend = Scripted::computing();
        let mut harness = opened_with(&typed, &backend);
        assert_eq!(scene(&mut harness), some_scene(), "{typed}");
        assert_eq!(backend.last_start().seed, 11);
        // What was there before is one step back.
        undo(&mut harness);
        assert_eq!(scene(&mut harness).maximised, "");
    }
}

#[test]
fn a_dropped_scene_opens_and_a_broken_one_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let drop_in = |name: &str, text: &str, harness: &mut Harness<'static, App>| {
        let path = folder.path().join(format!("{name}.{}", SUFFIX.to_uppercase()));
        std::fs::write(&path, text).unwrap();
        harness.input_mut().dropped_files.push(Arc::new(Dropped(path)));
        for _ in 0..400 {
            harness.step();
            std::thread::sleep(std::time::Duration::from_millis(5));
            let said = |words: &str| harness.query_all_by_label_contains(words).next().is_some();
            if said("a scene of") || said("no scene was opened") {
                return;
            }
        }
        panic!("{name}: nothing came of it");
    };
    let backend = Scripted::computing();
    let mut harness = window_of(vec![&TOY, &LABS[0]], &backend, None, vec2(1440.0, 900.0));
    drop_in("broken", "version = 1\nlab = 3", &mut harness);
    assert!(harness.query_all_by_label_contains("broken").next().is_some(), "the file is named");
    let mut harness = window_of(vec![&TOY, &LABS[0]], &backend, None, vec2(1440.0, 900.0));
    drop_in("whole", &some_scene().file(), &mut harness);
    harness.run_steps(5);
    assert_eq!(scene(&mut harness), some_scene());
}

#[test]
fn a_scene_of_a_network_waits_for_its_training_and_keeps_what_is_selected() {
    assert!(labs::find_with_views("self-supervised").is_some());
    let backend = Scripted::default();
    let mut harness = window_of(LABS.iter().collect(), &backend, None, vec2(1440.0, 900.0));
    let view = BTreeMap::from([("matrices.enlarged".to_owned(), "1".to_owned())]);
    let wanted = Scene { lab: "self-supervised".to_owned(), seed: 7, speed: 1.0, view, ..Scene::default() };
    script(&mut harness, &format!("scene.show {}", wanted.code()));
    let shown = scene(&mut harness);
    assert_eq!((shown.lab.as_str(), &shown.view), ("self-supervised", &wanted.view));
    assert!(backend.starts().iter().all(|request| request.lab == "optimizers"), "nothing trains unasked");
    undo(&mut harness);
    assert!(scene(&mut harness).view.is_empty());
}
