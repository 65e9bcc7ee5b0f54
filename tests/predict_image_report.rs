//! The image-report lab's prediction by the real binary: pairs of all kinds in, tables and maps out; weights out of a run; and what is
//! said where that cannot be. And its tiles Predict and Play, by label.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use eframe::egui::accesskit::Role;
use eframe::egui::vec2;
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use image::GrayImage;
use learnscope::data::synth::chest::{self, Kind};
use learnscope::engine::event::{Payload, RunHeader};
use learnscope::engine::state::RunState;
use learnscope::plot::style::Style;
use tempfile::TempDir;

use support::made_run::MadeRun;
use support::program::{ends, fails, learnscope, only_run_in, run, succeeds, with_args};
use support::scene::{Scene, label, wait_for, wait_until};

const NOTE: &str = "Learnscope is no medical device";
/// Pixels of a side of the network's images.
const SIZE: usize = 32;

/// Trains a tiny network for four steps; the folder of its run.
fn trained(home: &TempDir, out: &str, more: &str) -> PathBuf {
    let line = format!(
        "run image-report --device cpu --steps 4 --out {out} --set image_size={SIZE} --set width=32 --set train_pairs=32 --set \
         test_pairs=8 --set batch_size=8 --set evaluate_pairs=8 --set evaluate_every=4 --set show_every=4 --set probe=off \
         --set vocabulary=120 {more}"
    );
    succeeds(home, &line);
    only_run_in(home, out)
}

/// Writes a generated study as a picture; gives its report.
fn draw(path: &Path, seed: u64, number: u64, size: usize) -> String {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let study = chest::study(seed, number, size);
    GrayImage::from_raw(size as u32, size as u32, study.image).unwrap().save(path).unwrap();
    study.report
}

/// Pairs of every kind, and some that cannot be used.
fn mixed(home: &TempDir) {
    let place = |name: &str| home.path().join("in").join(name);
    let mut rows = vec!["image,text".to_owned()];
    // A pair to train on and one to test on, as the run drew them, and new ones.
    for (name, seed, number, size) in
        [("trained", 1, 0, SIZE), ("tested", 1, 1 << 32, SIZE), ("new", 99, 5, 150), ("more/new", 99, 6, 64)]
    {
        let report = draw(&place(&format!("{name}.png")), seed, number, size);
        rows.push(format!("{name}.png,\"{report}\""));
    }
    GrayImage::from_fn(90, 40, |x, y| image::Luma([(x * 2 + y) as u8])).save(place("wide.jpg")).unwrap();
    rows.push("wide.jpg,\"Œdème pulmonaire: petit épanchement à gauche / droite\"".to_owned());
    draw(&place("short.png"), 99, 7, 64);
    rows.push("short.png,Normal.".to_owned());
    draw(&place("empty.png"), 99, 8, 64);
    rows.push("empty.png,\" . \"".to_owned());
    draw(&place("unnamed.png"), 99, 9, 64);
    fs::write(place("torn.png"), "no picture").unwrap();
    rows.push("torn.png,\"There is no pleural effusion.\"".to_owned());
    fs::write(place("pairs.csv"), rows.join("\n")).unwrap();
}

/// Rows of a table by the names of its columns.
fn table(path: &Path) -> Vec<BTreeMap<String, String>> {
    let mut csv = csv::Reader::from_path(path).unwrap();
    csv.deserialize().map(|row| row.unwrap()).collect()
}

fn by_image(path: &Path) -> BTreeMap<String, BTreeMap<String, String>> {
    table(path).into_iter().map(|row| (row["image"].clone(), row)).collect()
}

#[test]
fn pairs_give_ranks_with_controls_and_maps_and_exported_weights_give_them_again() {
    let home = tempfile::tempdir().unwrap();
    let folder = trained(&home, "runs", "");
    let weights = folder.display();
    mixed(&home);
    let output = run(&home, &format!("predict image-report --device cpu --weights {weights} --data in --out out"));
    let text = ends(&output, 0, &[NOTE, "checkpoint of step 4", "warning: torn", "warning: empty", "warning: unnamed"]);
    assert!(text.contains("6 pairs judged") && text.contains("3 pairs could not be used"), "{text}");
    assert!(text.contains("with another image") && text.contains(NOTE), "{text}");

    let rows = by_image(&home.path().join("out/predictions.csv"));
    assert_eq!(rows.len(), 9, "{:?}", rows.keys());
    let texts = table(&home.path().join("out/rankings.csv"));
    let words = table(&home.path().join("out/words.csv"));
    for (name, row) in &rows {
        assert!(row["notice"].contains(NOTE));
        let of_image = |row: &&BTreeMap<String, String>| row["image"] == *name;
        let texts: Vec<_> = texts.iter().filter(of_image).collect();
        if ["torn", "empty", "unnamed"].contains(&name.as_str()) {
            assert!(row["similarity"].is_empty() && !row["problem"].is_empty() && texts.is_empty(), "{row:?}");
            continue;
        }
        let number = |row: &BTreeMap<String, String>, key: &str| -> f64 { row[key].parse().unwrap() };
        // The rank is that of the texts that count, ties against the report.
        for (cosine, rank, correct) in [
            ("cosine", "rank", "correct"),
            ("cosine_wrong_image", "wrong_rank", "wrong_correct"),
            ("cosine_mean_image", "mean_rank", "mean_correct"),
        ] {
            let report = number(texts[0], cosine);
            assert_eq!(texts[0]["kind"], "report");
            let counted: Vec<_> = texts[1..10].iter().filter(|text| text["degenerate"] == "no").collect();
            let before = counted.iter().filter(|text| number(text, cosine) >= report).count();
            assert_eq!(number(row, rank), 1.0 + before as f64, "{row:?}");
            assert_eq!(row[correct], if before == 0 { "yes" } else { "no" });
            assert_eq!(number(row, "counted"), 1.0 + counted.len() as f64);
        }
        for text in &texts[10..] {
            let edit = text["kind"].strip_prefix("edit_").unwrap();
            let above = number(texts[0], "cosine") > number(text, "cosine");
            assert_eq!(row[edit], if above { "above" } else { "not above" });
        }
        assert!(!row["wrong_image"].is_empty() && row["wrong_image"] != *name);
        let words: Vec<_> = words.iter().filter(of_image).collect();
        assert_eq!(words.len(), row["words"].parse::<usize>().unwrap());
        assert!(words.iter().all(|word| (0.0..=1.0).contains(&number(word, "x")) && number(word, "attention") > 0.0));
    }
    let parts = ["trained", "tested", "new"].map(|name| rows[name]["part"].as_str());
    assert_eq!(parts, ["train", "test", "none"]);
    assert!(rows["short"]["laterality"].is_empty() && rows["short"]["words"] == "1");
    // Of `normal` the only perturbation is its antonym.
    assert_eq!(rows["short"]["counted"], "2");
    // The square is the middle of a wide picture.
    let x: Vec<f64> = words.iter().filter(|row| row["image"] == "wide").map(|row| row["x"].parse().unwrap()).collect();
    assert!(x.iter().all(|x| (25.0 / 90.0..65.0 / 90.0).contains(x)), "{x:?}");
    let nouns: Vec<_> = words.iter().filter(|row| row["image"] == "more/new" && row["class"] == "noun").collect();
    let map = |row: &BTreeMap<String, String>| {
        home.path().join(format!("out/more/new-{:02}-{}.png", row["index"].parse::<usize>().unwrap(), row["word"]))
    };
    assert_eq!(nouns.iter().filter(|row| map(row).exists()).count(), nouns.len().min(6));
    let there = nouns.iter().find(|row| map(row).exists()).unwrap();
    assert_eq!(image::image_dimensions(map(there)).unwrap(), (256, 256));

    // The weights as a file tell the same, but not what they were trained on.
    succeeds(&home, &format!("export {weights} --weights --to net.safetensors"));
    succeeds(&home, "predict image-report --device cpu --weights net.safetensors --data in/pairs.csv --out again");
    let again = by_image(&home.path().join("again/predictions.csv"));
    assert_eq!(again.len(), 7, "a table's folder is not searched for other images: {:?}", again.keys());
    let same = ["similarity", "rank", "mean_similarity", "nearest"];
    for (name, row) in &again {
        assert!(row["part"].is_empty());
        same.iter().for_each(|key| assert_eq!(row[*key], rows[name][*key], "{key} of {name}"));
    }

    // Only what the run has not seen.
    let line =
        format!("predict image-report --device cpu --weights {weights} --data in --out parts --part test --part none");
    succeeds(&home, &line);
    let left = by_image(&home.path().join("parts/predictions.csv"));
    assert!(!left.contains_key("trained") && left.contains_key("tested") && left.contains_key("new"));
}

#[test]
fn one_image_takes_a_typed_report_and_bad_input_is_told() {
    let home = tempfile::tempdir().unwrap();
    let weights = trained(&home, "runs", "--set variant=gloria --set attention=sharp").display().to_string();
    draw(&home.path().join("in/one.png"), 99, 1, 64);
    draw(&home.path().join("in/two.png"), 99, 2, 64);
    fs::write(home.path().join("in/notes.txt"), "not looked at").unwrap();
    let predict = |data: &str, out: &str, text: &str, more: &[&str]| {
        let text = format!("text={text}");
        let mut args =
            vec!["predict", "image-report", "--device", "cpu", "--weights", &weights, "--data", data, "--out", out];
        args.extend(["--set", &text]);
        args.extend(more);
        with_args(&home, &args).output().unwrap()
    };
    let report = "There is a small left pleural effusion. No pneumothorax.";
    ends(&predict("in/one.png", "one", report, &["--set", "maps=off"]), 0, &["one image alone", "no other one"]);
    let rows = by_image(&home.path().join("one/predictions.csv"));
    let row = &rows["one"];
    assert!(!row["rank"].is_empty() && row["wrong_rank"].is_empty() && row["mean_similarity"].is_empty(), "{row:?}");
    assert!(["above", "not above"].contains(&row["laterality"].as_str()), "{row:?}");
    let files = |out: &str| fs::read_dir(home.path().join(out)).unwrap().count();
    assert_eq!(files("one"), 3, "three tables and no maps");
    ends(&predict("in", "both", report, &["--set", "most_words=1"]), 0, &["2 images with the typed report"]);
    assert_eq!(by_image(&home.path().join("both/predictions.csv")).len(), 2);
    assert_eq!(files("both"), 5, "a map each");
    ends(&predict("in", "words", " . ", &[]), 2, &["the typed report has no words"]);
    let long = "a".repeat(4000);
    ends(&predict("in/one.png", "long", &long, &[]), 0, &[]);

    succeeds(&home, &format!("export {weights} --weights --to net.safetensors"));
    fs::write(home.path().join("text.safetensors"), "weights of nothing").unwrap();
    // A vocabulary of another size.
    let bytes = fs::read(home.path().join("net.safetensors")).unwrap();
    let at = bytes.windows(5).position(|part| part == b"[UNK]").unwrap();
    let mut damaged = bytes.clone();
    damaged[at..at + 5].copy_from_slice(b"[ANK]");
    fs::write(home.path().join("unknown.safetensors"), damaged).unwrap();
    fs::create_dir(home.path().join("empty")).unwrap();
    succeeds(
        &home,
        "run reconstruction --device cpu --steps 1 --out other --set image_size=32 --set train_images=10 --set unlabelled_images=4 \
         --set validation_images=4 --set test_images=8 --set unseen_images=0 --set batch_size=4",
    );
    let other = only_run_in(&home, "other").display().to_string();
    let of = |weights: &str, data: &str, out: &str| {
        format!("predict image-report --device cpu --weights {weights} --data {data} --out {out}")
    };
    for (line, words) in [
        (of("none.pt", "in", "out"), &["none.pt", "there are no weights"][..]),
        (of("in", "in", "out"), &["of no recorded run"]),
        (of(&other, "in", "out"), &["is a run of the lab `reconstruction`", "image-report"]),
        (of("text.safetensors", "in", "out"), &["text.safetensors", "damaged"]),
        (of("unknown.safetensors", "in", "out"), &["unknown.safetensors", "vocabulary", "[UNK]"]),
        (of(&weights, "none", "out"), &["none", "there is no file or folder"]),
        (of(&weights, "empty", "out"), &["empty", "holds no files"]),
        (of(&weights, "in", "out"), &["no reports that are understood", "pairs.csv"]),
        (of(&weights, "in/one.png", "out"), &["an image without a report", "--set text="]),
        (of(&weights, "in/one.png", "in") + " --set text=normal --force", &["among the images"]),
        (of(&weights, "in", "out") + " --set most_words=0", &["`most_words`", "1 to 200"]),
        (of(&weights, "in", "out") + " --set beta=2", &["unknown parameter `beta`"]),
        (of(&weights, "in", "out") + " --part unseen", &["--part unseen", "train, test, none"]),
        (of("net.safetensors", "in", "out") + " --set text=normal --part test", &["`--part`", "it is not known"]),
    ] {
        fails(&home, &line, 2, words);
        assert!(!home.path().join("out/predictions.csv").exists(), "{line}");
    }
    let help = succeeds(&home, "predict image-report --help");
    ["text=", "maps=on", "most_words=6", "section=findings"]
        .iter()
        .for_each(|word| assert!(help.contains(word), "{word}"));
    let output = learnscope(&home, "predict image-report --help").output().unwrap();
    assert!(output.status.success());
}

/// A run as the window shows it whose recording lies in this folder.
fn shown(folder: &Path) -> RunState {
    let header =
        RunHeader { lab: "image-report".to_owned(), folder: folder.display().to_string(), ..RunHeader::default() };
    RunState { header: Some(header), ..RunState::default() }
}

#[track_caller]
fn click(harness: &mut Harness<'_, Scene>, name: &str) {
    harness.get_by_role_and_label(Role::Button, name).click();
    harness.run_steps(3);
}

#[track_caller]
fn write_into(harness: &mut Harness<'_, Scene>, (role, field): (Role, &str), text: &str) {
    harness.get_by_role_and_label(role, field).focus();
    harness.run_steps(1);
    harness.get_by_role_and_label(role, field).type_text(text);
    harness.run_steps(2);
}

#[test]
fn the_tile_predicts_on_a_thread_lists_and_saves() {
    let home = tempfile::tempdir().unwrap();
    let folder = trained(&home, "runs", "");
    mixed(&home);
    let scene = Scene { style: Style::light(), ..Scene::of("image-report", shown(&folder), "predict") };
    let mut harness = scene.harness(vec2(1000.0, 560.0));
    label(&harness, NOTE);
    write_into(&mut harness, (Role::TextInput, "Pictures"), &home.path().join("in").to_string_lossy());
    click(&mut harness, "Predict");
    wait_for(&mut harness, "torn: ");
    wait_until(&mut harness, "report above all perturbations", |harness| {
        harness.query_all_by_label_contains("report above all perturbations: ").next().is_some()
    });
    assert!(label(&harness, "report above all perturbations: ").contains("with another image"));
    harness.run_steps(2);
    harness.query_all_by_label_contains("tested: image: ").next().unwrap().click();
    harness.run_steps(3);
    harness.get_by_role_and_label(Role::Image, "image of tested");
    harness.query_all_by_label_contains("the report: image ").next().expect("the report among its perturbations");
    harness.query_all_by_label_contains("Reverse Sentence: ").next().expect("a perturbation");
    harness.state_mut().command("predict-next");
    harness.run_steps(3);

    let to = home.path().join("to");
    write_into(&mut harness, (Role::TextInput, "Save in"), &to.to_string_lossy());
    click(&mut harness, "Save all");
    wait_for(&mut harness, "saved in");
    assert_eq!(by_image(&to.join("predictions/predictions.csv")).len(), 9);
    for size in [vec2(260.0, 180.0), vec2(420.0, 300.0), vec2(900.0, 480.0)] {
        Scene::of("image-report", RunState::default(), "predict").stays_within(size);
    }
}

#[test]
fn the_network_answers_while_one_plays() {
    let home = tempfile::tempdir().unwrap();
    let folder = trained(&home, "runs", "");
    let mut run = MadeRun::starts(shown(&folder).header.unwrap());
    let reports = "test 1\tthe heart is large\ntest 2\tthe lungs are clear\ntest 3\t";
    run.payload(0, "similarity/names", Payload::Text(reports.to_owned()));
    let mut harness = Scene::of("image-report", run.ends(0), "play").harness(vec2(1000.0, 600.0));
    label(&harness, NOTE);
    wait_for(&mut harness, "weights of step 4");
    wait_for(&mut harness, "as the figure says: ");
    wait_for(&mut harness, "among 2 reports of test pairs: rank ");
    let figure = |harness: &Harness<'_, Scene>| label(harness, "figure with ");
    let rows = |harness: &Harness<'_, Scene>| harness.query_all_by_label_contains("the report: image ").count();
    assert_eq!(rows(&harness), 1);

    // The report at first is the figure's own; another one has another cosine.
    let compared = |harness: &Harness<'_, Scene>| label(harness, "as the figure says: ");
    let own = |text: &str| -> (String, String) {
        let number = |start: &str| text.split(start).nth(1).unwrap()[..5].to_owned();
        (number("as the figure says: "), number("(yours: "))
    };
    let (truth, yours) = own(&compared(&harness));
    assert_eq!(truth, yours);
    write_into(&mut harness, (Role::MultilineTextInput, "Report"), " œdème zzz");
    wait_until(&mut harness, "another cosine", |harness| {
        let (truth, yours) = own(&compared(harness));
        truth != yours
    });
    harness.query_all_by_label("œdème").next().expect("words are shown as they are read");
    click(&mut harness, "Undo");
    wait_until(&mut harness, "the old cosine", |harness| {
        let (truth, yours) = own(&compared(harness));
        truth == yours
    });

    // Findings come and go, and the answer follows.
    let before = figure(&harness);
    harness.state_mut().command(&format!("play-{}", Kind::Cardiomegaly.id()));
    harness.run_steps(3);
    assert_ne!(figure(&harness), before);
    let cosine = compared(&harness);
    wait_until(&mut harness, "the answer to another figure", |harness| compared(harness) != cosine);
    harness.state_mut().command("play-undo");
    harness.run_steps(3);
    assert_eq!(figure(&harness), before);
    harness.state_mut().command("play-next");
    harness.run_steps(3);
    assert_ne!(figure(&harness), before);
    harness.state_mut().command("play-previous");
    harness.run_steps(3);
    assert_eq!(figure(&harness), before);

    // Without words the figure's report still stands there.
    harness.get_by_role_and_label(Role::MultilineTextInput, "Report").focus();
    harness.run_steps(1);
    harness.key_press_modifiers(eframe::egui::Modifiers::COMMAND, eframe::egui::Key::A);
    harness.key_press(eframe::egui::Key::Delete);
    harness.run_steps(2);
    wait_for(&mut harness, "The report has no words");
    click(&mut harness, "As the figure says");
    wait_for(&mut harness, "(yours: ");
}

#[test]
fn findings_are_dragged_and_stay_in_the_lungs() {
    let mut harness = Scene::of("image-report", RunState::default(), "play").harness(vec2(1000.0, 600.0));
    label(&harness, "No weights yet");
    // A study with a nodule or an opacity alone on its side.
    for _ in 0..40 {
        let said = label(&harness, "figure with ");
        let movable = ["nodule", "opacity"].iter().filter(|kind| said.contains(**kind)).count() == 1;
        if movable && !["cardiomegaly", "effusion", "pneumothorax"].iter().any(|kind| said.contains(kind)) {
            break;
        }
        harness.state_mut().command("play-next");
        harness.run_steps(2);
    }
    let before = label(&harness, "figure with ");
    harness.state_mut().command("play-side");
    harness.run_steps(2);
    let moved = label(&harness, "figure with ");
    let swapped = before.replace("left", "LEFT").replace("right", "left").replace("LEFT", "right");
    assert_eq!(moved, swapped);
    let rect = harness.query_all_by_role(Role::Image).next().unwrap().rect();
    let at = |x: f32, y: f32| rect.min + vec2(x, y) * rect.size();
    // From wherever it lies: its zone tells its height.
    let y = if moved.contains("upper") {
        0.30
    } else if moved.contains("middle") {
        0.48
    } else {
        0.64
    };
    let x = if moved.contains("left") { 0.69 } else { 0.31 };
    harness.drag_at(at(x, y));
    harness.run_steps(2);
    harness.hover_at(at(1.0 - x, 0.3));
    harness.run_steps(2);
    harness.drop_at(at(1.0 - x, 0.3));
    harness.run_steps(3);
    let dragged = label(&harness, "figure with ");
    assert!(dragged.contains("upper") && dragged != moved, "{moved} became {dragged}");
    harness.state_mut().command("play-undo");
    harness.run_steps(2);
    assert_eq!(label(&harness, "figure with "), moved, "a drag is one change");
    for size in [vec2(260.0, 180.0), vec2(420.0, 300.0), vec2(900.0, 480.0)] {
        Scene::of("image-report", RunState::default(), "play").stays_within(size);
    }
}
