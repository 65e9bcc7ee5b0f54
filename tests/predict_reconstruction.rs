//! The reconstruction lab's prediction by the real binary: photographs of all kinds in, a table and maps out; weights out of a run and
//! into another; and what is said where that cannot be.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use eframe::egui::accesskit::Role;
use eframe::egui::vec2;
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use image::{DynamicImage, GrayImage, Rgb, RgbImage};
use learnscope::compute::device::cpu;
use learnscope::engine::state::RunState;
use learnscope::nn::reconstruction::Autoencoder;
use learnscope::nn::reconstruction::spec::{Family, Head, Layout, NetSpec};
use learnscope::nn::reconstruction::weights::{Trained, packed};
use learnscope::plot::style::Style;
use serde_json::Value as Json;
use tempfile::TempDir;

use support::program::{ends, fails, metrics, only_run_in, run, succeeds};
use support::scene::Scene;

const NOTE: &str = "Learnscope is no medical device";
/// 24×16 pixels of cyan, magenta, yellow and black.
const CMYK: &[u8] = include_bytes!("data/cmyk.jpg");

/// Trains a tiny network for twelve steps; the folder of its run.
fn trained(home: &TempDir, out: &str, more: &str) -> PathBuf {
    let line = format!(
        "run reconstruction --device cpu --steps 12 --out {out} --set image_size=32 --set train_images=10 --set \
         unlabelled_images=12 --set validation_images=4 --set test_images=8 --set unseen_images=0 --set batch_size=4 --set \
         validate_every=12 --set rebuild_every=12 {more}"
    );
    succeeds(home, &line);
    only_run_in(home, out)
}

fn shade(x: u32, y: u32) -> u8 {
    (30 + 200 * u32::from((x / 9 + y / 7).is_multiple_of(3)) + (x * y) % 25) as u8
}

fn colour(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| Rgb([shade(x, y), shade(y, x) / 2, 20]))
}

/// Inserts the EXIF note that the picture is to be turned.
fn with_orientation(jpeg: &[u8], orientation: u8) -> Vec<u8> {
    let tiff = [&b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0"[..], &[orientation, 0, 0, 0], &[0; 4]].concat();
    let length = (2 + 6 + tiff.len()) as u16;
    [&jpeg[..2], &[0xff, 0xe1], &length.to_be_bytes(), b"Exif\0\0", &tiff, &jpeg[2..]].concat()
}

/// Photographs of every kind, and files that are none.
fn mixed(home: &TempDir) {
    let place = |name: &str| {
        let path = home.path().join("in").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        path
    };
    colour(70, 50).save(place("eye (2).png")).unwrap();
    colour(70, 50).save(place("eye (10).tif")).unwrap();
    colour(500, 330).save(place("wide.png")).unwrap();
    let grey = GrayImage::from_fn(64, 48, |x, y| image::Luma([shade(x, y)]));
    grey.save(place("grey.png")).unwrap();
    DynamicImage::from(grey.clone()).to_rgb8().save(place("grey in colour.png")).unwrap();
    let deep = image::ImageBuffer::from_fn(64, 48, |x, y| {
        // Some white, so that it is known where white is.
        image::Luma([if x < 8 && y < 8 { 65_535 } else { u16::from(shade(x, y)) * 257 }])
    });
    deep.save(place("deep16.png")).unwrap();
    let shallow = GrayImage::from_fn(64, 48, |x, y| image::Luma([if x < 8 && y < 8 { 255 } else { shade(x, y) }]));
    shallow.save(place("shallow8.png")).unwrap();
    // A JPEG on its side, and what it shows upright.
    colour(48, 64).save(place("photo.JPG")).unwrap();
    let jpeg = fs::read(place("photo.JPG")).unwrap();
    let upright = image::load_from_memory(&jpeg).unwrap().rotate90();
    fs::write(place("turned.jpg"), with_orientation(&jpeg, 6)).unwrap();
    upright.to_rgb8().save(place("upright.png")).unwrap();
    fs::write(place("left/cmyk.jpg"), CMYK).unwrap();
    colour(30, 30).save(place("same.png")).unwrap();
    colour(31, 30).save(place("SAME.jpg")).unwrap();
    let whole = fs::read(place("eye (2).png")).unwrap();
    fs::write(place("torn.png"), &whole[..whole.len() / 2]).unwrap();
    fs::write(place("text.png"), "no picture at all").unwrap();
    fs::write(place("notes.txt"), "not looked at").unwrap();
}

fn table(path: &Path) -> BTreeMap<String, BTreeMap<String, String>> {
    let mut csv = csv::Reader::from_path(path).unwrap();
    let rows = csv.deserialize().map(|row| row.unwrap());
    rows.map(|row: BTreeMap<String, String>| (row["image"].clone(), row)).collect()
}

#[test]
fn photographs_of_every_kind_give_maps_and_a_row_and_the_exported_weights_give_them_again() {
    let home = tempfile::tempdir().unwrap();
    let folder = trained(&home, "runs", "--set head=ordinal");
    let weights = folder.display();
    mixed(&home);
    let output = run(&home, &format!("predict reconstruction --device cpu --weights {weights} --data in --out out"));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let text = ends(&output, 0, &[NOTE, "checkpoint of step 12", "AECL1 (mini) with ordered grades at 32 pixels"]);
    assert!(text.contains("13 pictures predicted") && text.contains("2 files could not be used"), "{text}");
    assert!(text.contains(NOTE) && said.contains("torn"), "{text} {said}");

    let rows = table(&home.path().join("out/predictions.csv"));
    assert_eq!(rows.len(), 15, "{:?}", rows.keys());
    let header = fs::read_to_string(home.path().join("out/predictions.csv")).unwrap();
    assert!(
        header
            .starts_with("image,file,probability,answer,grade,mse,psnr,ssim,occlusion_most_logits,part,problem,notice")
    );
    for (name, row) in &rows {
        assert!(row["notice"].contains(NOTE));
        let maps =
            ["reconstruction", "error", "occlusion"].map(|map| home.path().join(format!("out/{name}-{map}.png")));
        if ["torn", "text"].contains(&name.as_str()) {
            assert!(row["probability"].is_empty() && !row["problem"].is_empty(), "{row:?}");
            assert!(maps.iter().all(|map| !map.exists()));
            continue;
        }
        let number = |key: &str| row[key].parse::<f64>().unwrap_or_else(|_| panic!("{key} of {row:?}"));
        let probability = number("probability");
        assert!((0.0..=1.0).contains(&probability), "{row:?}");
        assert_eq!(row["answer"], if probability >= 0.5 { "retinopathy" } else { "no retinopathy" });
        assert!(
            number("grade") <= 3.0 && number("mse") > 0.0 && number("psnr") > 0.0 && number("ssim") <= 1.0,
            "{row:?}"
        );
        assert!((number("psnr") + 10.0 * number("mse").log10()).abs() < 1e-9, "{row:?}");
        for map in maps {
            assert_eq!(image::image_dimensions(&map).unwrap(), (32, 32), "{}", map.display());
        }
    }
    let names = ["same_png", "SAME_jpg", "left/cmyk", "eye (2)", "wide"];
    names.into_iter().for_each(|name| assert!(rows.contains_key(name), "{name}: {:?}", rows.keys()));
    // The same picture in another kind of file gets the same answer; another picture another one.
    let probability = |name: &str| rows[name]["probability"].parse::<f64>().unwrap();
    for (one, other) in
        [("eye (2)", "eye (10)"), ("grey", "grey in colour"), ("turned", "upright"), ("deep16", "shallow8")]
    {
        assert_eq!(probability(one), probability(other), "{one}, {other}");
    }
    assert_ne!(probability("turned"), probability("photo"));
    assert_ne!(probability("grey"), probability("eye (2)"));
    // The error map is black where the reconstruction is the original, and it is not everywhere the same.
    let error = image::open(home.path().join("out/eye (2)-error.png")).unwrap().to_rgb8();
    assert!(error.pixels().any(|pixel| pixel != error.get_pixel(0, 0)));
    assert_eq!(fs::read_dir(home.path().join("in")).unwrap().count(), 16, "nothing was written among the photographs");

    // The weights as a file tell the same.
    succeeds(&home, &format!("export {weights} --weights --to net.safetensors"));
    let line = "predict reconstruction --device cpu --weights net.safetensors --data in --out again --json";
    let lines: Vec<Json> = succeeds(&home, line).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&lines[0]["event"], &lines[0]["total"]), (&"started".into(), &15.into()));
    assert!(lines[0]["notice"].as_str().unwrap().contains(NOTE));
    assert_eq!(lines.iter().filter(|line| line["event"] == "image").count(), 15);
    assert!(lines.last().unwrap()["predicted"] == 13 && lines.last().unwrap()["failed"] == 2);
    for name in ["predictions.csv", "wide-reconstruction.png", "left/cmyk-occlusion.png", "grey-error.png"] {
        let [one, other] = ["out", "again"].map(|out| fs::read(home.path().join(out).join(name)).unwrap());
        assert!(one == other, "{name}");
    }
}

#[test]
fn settings_decide_about_the_answer_and_what_is_written() {
    let home = tempfile::tempdir().unwrap();
    let weights = trained(&home, "runs", "").display().to_string();
    fs::create_dir(home.path().join("in")).unwrap();
    colour(40, 40).save(home.path().join("in/eye.png")).unwrap();
    let predict =
        |more: &str| format!("predict reconstruction --device cpu --weights {weights} --data in/eye.png {more}");
    let answer = |out: &str, more: &str| {
        succeeds(&home, &predict(&format!("--out {out} {more}")));
        table(&home.path().join(out).join("predictions.csv"))["eye"]["answer"].clone()
    };
    let written = |out: &str| -> Vec<String> {
        let files = fs::read_dir(home.path().join(out)).unwrap();
        let mut names: Vec<String> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    assert_eq!(answer("low", "--set threshold=0.01 --set occlusions=off"), "retinopathy");
    assert_eq!(written("low"), ["eye-error.png", "eye-reconstruction.png", "predictions.csv"]);
    assert_eq!(answer("high", "--set threshold=0.99 --set reconstructions=off --set errors=off"), "no retinopathy");
    assert_eq!(written("high"), ["eye-occlusion.png", "predictions.csv"]);
    let help = succeeds(&home, "predict reconstruction --help");
    for listed in ["threshold=0.5", "occlusions=on", "reconstructions=on", "errors=on"] {
        assert!(help.contains(listed), "{listed}: {help}");
    }
    // What lies there is replaced only when asked.
    fs::write(home.path().join("low/mine.txt"), "keep me").unwrap();
    fails(&home, &predict("--out low"), 2, &["low", "not empty", "--force"]);
    succeeds(&home, &predict("--out low --force"));
    assert_eq!(fs::read_to_string(home.path().join("low/mine.txt")).unwrap(), "keep me");
    assert!(home.path().join("low/eye-occlusion.png").exists());
    // Nothing is done where it cannot be done.
    fs::write(home.path().join("text.safetensors"), "weights of nothing").unwrap();
    fs::create_dir(home.path().join("empty")).unwrap();
    fs::create_dir(home.path().join("bad")).unwrap();
    fs::write(home.path().join("bad/a.png"), "x").unwrap();
    let of = |weights: &str, data: &str, out: &str| {
        format!("predict reconstruction --device cpu --weights {weights} --data {data} --out {out}")
    };
    for (line, words) in [
        (of("none.pt", "in", "out"), &["none.pt", "there are no weights"][..]),
        (of("in", "in", "out"), &["of no recorded run"]),
        (of("text.safetensors", "in", "out"), &["text.safetensors", "damaged"]),
        (of(&weights, "none", "out"), &["none", "there is no file or folder"]),
        (of(&weights, "empty", "out"), &["empty", "holds no pictures"]),
        (of(&weights, "in", "in/out"), &["in/out", "among the photographs"]),
        (of(&weights, "in", ".") + " --force", &["among the photographs"]),
        (of(&weights, "in", "out") + " --set threshold=2", &["`threshold`", "0.01 to 0.99"]),
        (of(&weights, "in", "out") + " --set lambda=2", &["unknown parameter `lambda`"]),
        (of(&weights, "in", &format!("{weights}/out")), &["recorded run", &weights, "choose a folder outside of it"]),
        (of(&weights, "in", &weights) + " --force", &["recorded run", &weights, "-predictions"]),
        (of(&weights, "in", "out") + " --part trained", &["trained", "unlabelled"]),
    ] {
        fails(&home, &line, 2, words);
        assert!(!home.path().join("out").exists(), "{line}");
    }
    fails(&home, &of(&weights, "bad", "out"), 1, &["a: ", "not one of the files could be used"]);
}

#[test]
fn photographs_that_the_run_trained_on_are_known_again_wherever_they_lie() {
    let home = tempfile::tempdir().unwrap();
    succeeds(&home, "run reconstruction --preset sample-fundus --set image_size=32 --steps 2 --device cpu");
    let weights = only_run_in(&home, "runs").display().to_string();
    succeeds(&home, "sample-data made --points 20");
    // All under one folder and other names, one as a PNG, and one that is new.
    fs::rename(home.path().join("made/fundus"), home.path().join("in")).unwrap();
    let one = fs::read_dir(home.path().join("in/Base21")).unwrap().map(|entry| entry.unwrap().path());
    let one = one.filter(|path| path.extension().is_some_and(|end| end == "tif")).min().unwrap();
    image::open(&one).unwrap().save(home.path().join("in/renamed.png")).unwrap();
    fs::remove_file(&one).unwrap();
    colour(64, 64).save(home.path().join("in/new.png")).unwrap();
    let predict = |out: &str, more: &str| {
        format!(
            "predict reconstruction --device cpu --weights {weights} --data in --out {out} --set occlusions=off {more}"
        )
    };
    let text = ends(&run(&home, &predict("out", "")), 0, &["parts: train 21, unlabelled 18, validation 7, test 8"]);
    assert!(text.contains("known again of the run's data (column `part`): train "), "{text}");
    let rows = table(&home.path().join("out/predictions.csv"));
    let count = |part: &str| rows.values().filter(|row| row["part"] == part).count();
    // Some of the pool are graded ones once more, and some graded ones are there twice.
    assert!(count("train") >= 21 && count("validation") >= 7 && count("test") >= 8 && count("unlabelled") == 18);
    assert_eq!(rows["new"]["part"], "");
    assert!(["train", "validation", "test"].contains(&&*rows["renamed"]["part"]), "{:?}", rows["renamed"]);
    // Parts choose, and of a file of weights nothing is known.
    let text = succeeds(&home, &predict("tested", "--part test,none"));
    assert!(text.contains("of other parts left out (`--part test,none`)"), "{text}");
    let chosen = table(&home.path().join("tested/predictions.csv"));
    let expected: Vec<&String> =
        rows.iter().filter(|(_, row)| ["test", ""].contains(&&*row["part"])).map(|(name, _)| name).collect();
    assert_eq!(chosen.keys().collect::<Vec<_>>(), expected);
    fails(&home, &predict("none", "--part unseen"), 1, &["no picture is of the part unseen"]);
    succeeds(&home, &format!("export {weights} --weights --to net.safetensors"));
    let line =
        "predict reconstruction --device cpu --weights net.safetensors --data in --out more --set occlusions=off";
    fails(&home, &format!("{line} --part test"), 2, &["`--part`", "the folder of the run does"]);

    // The tile says the same.
    let mut harness = Scene::of("reconstruction", RunState::default(), "predict").harness(vec2(900.0, 480.0));
    write_into(&mut harness, "Weights", Path::new(&weights));
    write_into(&mut harness, "Pictures", &home.path().join("in/renamed.png"));
    click(&mut harness, "Predict");
    until(&mut harness, &format!("({})", rows["renamed"]["part"]));
}

#[test]
fn a_dark_photograph_of_12_bits_is_shown_as_in_training_in_any_company() {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir_all(home.path().join("graded")).unwrap();
    let mut list = "image,grade\n".to_owned();
    for i in 0..10_u32 {
        // One does not use half of the 10 bits, the others all of 12.
        let most = if i == 0 { 400 } else { 4095 };
        let pixel = |x: u32, y: u32| image::Luma([(u32::from(shade(x + 3 * i, y)) * most / 255) as u16]);
        let deep = image::ImageBuffer::<image::Luma<u16>, Vec<u16>>::from_fn(40, 40, pixel);
        deep.save(home.path().join(format!("graded/eye{i}.png"))).unwrap();
        list += &format!("eye{i},{}\n", i % 3);
    }
    fs::write(home.path().join("graded/grades.csv"), list).unwrap();
    let line = "run reconstruction --device cpu --steps 3 --data graded --set routine=labelled-also --set image_size=32 --set batch_size=4";
    succeeds(&home, line);
    let weights = only_run_in(&home, "runs").display().to_string();
    fs::create_dir(home.path().join("alone")).unwrap();
    fs::copy(home.path().join("graded/eye0.png"), home.path().join("alone/dark.png")).unwrap();
    let row = |weights: &str, data: &str, out: &str, name: &str| {
        let line = format!(
            "predict reconstruction --device cpu --weights {weights} --data {data} --out {out} --set occlusions=off"
        );
        ends(&run(&home, &line), 0, &["white at 4095, as in training"]);
        table(&home.path().join(out).join("predictions.csv"))[name].clone()
    };
    let among = row(&weights, "graded", "among", "eye0");
    let alone = row(&weights, "alone", "alone-out", "dark");
    assert_eq!((&alone["probability"], &alone["mse"]), (&among["probability"], &among["mse"]));
    assert!(!alone["part"].is_empty() && alone["part"] == among["part"], "{alone:?}");
    succeeds(&home, &format!("export {weights} --weights --to net.safetensors"));
    let exported = row("net.safetensors", "alone", "exported", "dark");
    assert_eq!(exported["probability"], among["probability"]);
}

#[test]
fn a_baseline_rebuilds_nothing_and_says_so() {
    let home = tempfile::tempdir().unwrap();
    let weights = trained(&home, "runs", "--set routine=supervised").display().to_string();
    fs::create_dir(home.path().join("in")).unwrap();
    colour(40, 40).save(home.path().join("in/eye.png")).unwrap();
    let line = format!("predict reconstruction --device cpu --weights {weights} --data in --out out");
    ends(&run(&home, &line), 0, &["no reconstructions: the run was supervised"]);
    let row = &table(&home.path().join("out/predictions.csv"))["eye"];
    assert!(row["mse"].is_empty() && row["grade"].is_empty() && !row["probability"].is_empty(), "{row:?}");
    assert!(!home.path().join("out/eye-reconstruction.png").exists());
    assert!(home.path().join("out/eye-occlusion.png").exists());
    succeeds(&home, &format!("export {weights} --weights --to net.safetensors"));
    let line = "predict reconstruction --device cpu --weights net.safetensors --data in --out again";
    ends(&run(&home, line), 0, &["no reconstructions"]);

    let other = trained(&home, "baseline", "--set routine=supervised --set network=resnet18");
    let line = format!("predict reconstruction --device cpu --weights {} --data in --out resnet", other.display());
    let more = " --set occlusions=off";
    ends(&run(&home, &(line + more)), 0, &["ResNet-18 has no decoder", "ResNet-18 at 32 pixels"]);
}

#[test]
fn a_run_starts_from_the_weights_of_a_file_and_lists_what_did_not_fit() {
    let home = tempfile::tempdir().unwrap();
    let first = trained(&home, "runs", "").display().to_string();
    succeeds(&home, &format!("export {first} --weights --to net.safetensors"));
    // The next run begins where the first one ended.
    let same = trained(&home, "same", "--set weights=net.safetensors");
    let errors = |folder: &Path| -> Vec<String> {
        metrics(folder).into_iter().filter(|(_, key, _)| key == "mse/test").map(|(_, _, value)| value).collect()
    };
    assert_eq!(errors(&same).first(), errors(Path::new(&first)).last());
    let network = |folder: &Path| {
        succeeds(&home, &format!("export {} --figure network --to network.csv --force", folder.display()));
        fs::read_to_string(home.path().join("network.csv")).unwrap()
    };
    assert!(network(&same).contains("tensors started from net.safetensors"));
    // Of another classifier what fits is taken, and the rest told.
    let other = trained(&home, "other", "--set weights=net.safetensors --set head=ordinal");
    let card = network(&other);
    assert!(card.contains("the file has none (1): classifier.gaps"), "{card}");
    let folder = other.display();
    let notices = fs::read(other.join("events.bin")).unwrap();
    assert!(String::from_utf8_lossy(&notices).contains("1 start from random numbers: classifier.gaps"), "{folder}");
    let line = "run reconstruction --device cpu --steps 1 --set image_size=32 --set unlabelled_images=4";
    fs::write(home.path().join("text.safetensors"), "weights of nothing").unwrap();
    for (more, words) in [
        ("--set weights=none.safetensors", &["`weights`", "none.safetensors"][..]),
        ("--set weights=same", &["`weights`", "is a folder", "learnscope export same --weights"]),
        ("--set given_labels=nobody=2", &["`given_labels`", "no picture `nobody`"]),
        ("--set weights=text.safetensors", &["`weights`", "text.safetensors", "damaged"]),
        (
            "--set weights=net.safetensors --set network=aeres18",
            &["net.safetensors", "AERes18", "classifier.logit.bias", "encoder.conv1.weight"],
        ),
    ] {
        let output = run(&home, &format!("{line} {more}"));
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        // Weights of another network are known only once one is built.
        assert_eq!(output.status.code(), Some(if more.contains("aeres18") { 1 } else { 2 }), "{more}: {message}");
        words.iter().for_each(|word| assert!(message.contains(word), "no `{word}` in {message}"));
    }
}

/// A folder with the weights of a network, three photographs and a file that is none.
fn for_the_tile() -> TempDir {
    let home = tempfile::tempdir().unwrap();
    let family = Family::Aecl1 { layout: Layout::Mini, tied: false };
    let spec = NetSpec { family, size: 32, width: 0.5, sigmoid: false, head: Head::Softmax, leaky: true };
    let net = Autoencoder::new(&spec, 3, &cpu()).unwrap();
    fs::write(
        home.path().join("net.safetensors"),
        packed(&net, &spec, Trained { rebuilds: true, cut: false }, None).unwrap(),
    )
    .unwrap();
    fs::create_dir(home.path().join("in")).unwrap();
    for (i, name) in ["eye1.png", "eye2.jpg", "eye10.tif"].into_iter().enumerate() {
        colour(60, 40 + 9 * i as u32).save(home.path().join("in").join(name)).unwrap();
    }
    fs::write(home.path().join("in/torn.png"), "no picture").unwrap();
    home
}

/// Draws until a widget says this.
#[track_caller]
fn until(harness: &mut Harness<'_, Scene>, text: &str) {
    let since = Instant::now();
    while harness.query_all_by_label_contains(text).next().is_none() {
        assert!(since.elapsed() < Duration::from_secs(60), "nothing says `{text}`");
        std::thread::sleep(Duration::from_millis(5));
        harness.run_steps(1);
    }
    harness.run_steps(2);
}

#[track_caller]
fn click(harness: &mut Harness<'_, Scene>, name: &str) {
    harness.get_by_role_and_label(Role::Button, name).click();
    harness.run_steps(3);
}

#[track_caller]
fn write_into(harness: &mut Harness<'_, Scene>, field: &str, text: &Path) {
    harness.get_by_role_and_label(Role::TextInput, field).focus();
    harness.run_steps(1);
    harness.get_by_role_and_label(Role::TextInput, field).type_text(&text.to_string_lossy());
    harness.run_steps(2);
}

#[test]
fn the_tile_predicts_on_a_thread_lists_and_saves() {
    let home = for_the_tile();
    for style in [Style::dark(), Style::light()] {
        let scene = Scene { style, ..Scene::of("reconstruction", RunState::default(), "predict") };
        let mut harness = scene.harness(vec2(900.0, 480.0));
        harness.get_by_label_contains("Learnscope is no medical device");
        harness.get_by_label_contains("No weights yet");
        write_into(&mut harness, "Weights", &home.path().join("net.safetensors"));
        write_into(&mut harness, "Pictures", &home.path().join("in"));
        click(&mut harness, "Predict");
        until(&mut harness, "torn: ");
        until(&mut harness, "eye10: probability");
        harness.get_by_label_contains("Learnscope is no medical device");
        harness.get_by_label_contains("AECL1 (mini");

        // The answer follows the threshold, without another prediction.
        harness.get_by_role_and_label(Role::Slider, "threshold").set_value_accesskit(0.99);
        harness.run_steps(3);
        assert!(harness.query_all_by_label_contains(", no retinopathy, grade").next().is_some());
        harness.get_by_role_and_label(Role::Slider, "threshold").set_value_accesskit(0.01);
        harness.run_steps(3);
        assert!(harness.query_all_by_label_contains(", no retinopathy, grade").next().is_none());

        // A line of the list brings its photograph.
        for panel in ["original of eye1", "reconstruction of eye1", "|error|, 0 to 0.3 of eye1"] {
            harness.get_by_role_and_label(Role::Image, panel);
        }
        harness.get_by_label_contains("eye2: probability").click();
        harness.run_steps(3);
        harness.get_by_role_and_label(Role::Image, "original of eye2");
        harness.get_by_label("occlusion").click();
        harness.run_steps(3);

        let to = home.path().join(format!("to {}", harness.state().style.dark));
        write_into(&mut harness, "Save in", &to);
        click(&mut harness, "Save all");
        until(&mut harness, "saved in");
        let rows = table(&to.join("predictions/predictions.csv"));
        assert_eq!(rows.len(), 4);
        assert_eq!(rows["eye1"]["answer"], "retinopathy", "at the slider's threshold");
        assert!(to.join("predictions/eye10-error.png").exists() && to.join("predictions/eye2-occlusion.png").exists());
    }
}

#[test]
fn the_tile_says_what_is_wrong_and_stays_within_its_border() {
    let home = for_the_tile();
    let mut harness = Scene::of("reconstruction", RunState::default(), "predict").harness(vec2(900.0, 480.0));
    write_into(&mut harness, "Weights", &home.path().join("in"));
    write_into(&mut harness, "Pictures", &home.path().join("in"));
    click(&mut harness, "Predict");
    until(&mut harness, "of no recorded run");
    for size in [vec2(260.0, 180.0), vec2(420.0, 300.0), vec2(900.0, 480.0)] {
        Scene::of("reconstruction", RunState::default(), "predict").stays_within(size);
    }
}
