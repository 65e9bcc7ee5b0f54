//! Prediction by the real binary: a folder of all kinds of files in, masks, overlays and a table out; and what is said
//! where that cannot be.

mod support;

use std::fs;
use std::path::Path;
use std::process::Output;

use learnscope::compute::device::cpu;
use learnscope::compute::rng::HostRng;
use learnscope::nn::segmentation::SegmentationNet;
use learnscope::nn::segmentation::spec::{Architecture, NetSpec};
use learnscope::nn::segmentation::weights::save_trained_at;
use serde_json::Value as Json;
use tempfile::TempDir;

use support::program::{ends, with_args};

const SPEC: NetSpec = NetSpec { architecture: Architecture::UNet, channels: 3, base: 2, outputs: 1 };

/// Runs a command in a folder of its own.
fn run(home: &TempDir, line: &[&str]) -> Output {
    with_args(home, line).output().unwrap()
}

fn predict(home: &TempDir, more: &str) -> Output {
    let line: Vec<&str> = ["predict", "segmentation", "--device", "cpu"].into_iter().chain(more.split(' ')).collect();
    run(home, &line)
}

#[track_caller]
fn succeeds(output: &Output) -> String {
    ends(output, 0, &[])
}

#[track_caller]
fn fails(output: &Output, code: i32, words: &[&str]) {
    ends(output, code, words);
}

/// A home with the weights of a tiny network trained at 32×32.
fn home() -> TempDir {
    let home = tempfile::tempdir().unwrap();
    let net = SegmentationNet::new(&SPEC, HostRng::new(5, 0), &cpu()).unwrap();
    save_trained_at(&net, &SPEC, Some(32), &home.path().join("net.safetensors")).unwrap();
    home
}

fn place(home: &TempDir, name: &str) -> std::path::PathBuf {
    let path = home.path().join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    path
}

fn shade(x: u32, y: u32) -> u8 {
    (40 + 90 * u32::from((x / 9 + y / 7).is_multiple_of(2)) + x % 50) as u8
}

/// Pictures of every kind, with one true mask and one file that is none.
fn mixed(home: &TempDir) {
    image::RgbImage::from_fn(50, 40, |x, y| image::Rgb([shade(x, y), shade(y, x), 90]))
        .save(place(home, "in/case (2).png"))
        .unwrap();
    image::GrayImage::from_fn(50, 40, |x, y| image::Luma([255 * u8::from(x > 10 && x < 30 && y > 8 && y < 30)]))
        .save(place(home, "in/case (2)_mask.png"))
        .unwrap();
    image::GrayImage::from_fn(64, 48, |x, y| image::Luma([shade(x, y)])).save(place(home, "in/sub/grey.png")).unwrap();
    image::ImageBuffer::from_fn(33, 70, |x, y| image::Luma([u16::from(shade(x, y)) * 257]))
        .save(place(home, "in/deep16.png"))
        .unwrap();
    image::RgbaImage::from_fn(41, 41, |x, y| image::Rgba([shade(x, y), 3, 5, 100]))
        .save(place(home, "in/alpha.png"))
        .unwrap();
    image::RgbImage::from_fn(48, 64, |x, y| image::Rgb([shade(x, y); 3])).save(place(home, "in/photo.JPG")).unwrap();
    let whole = fs::read(home.path().join("in/case (2).png")).unwrap();
    fs::write(place(home, "in/torn.png"), &whole[..whole.len() / 2]).unwrap();
    fs::write(place(home, "in/text.png"), "no picture at all").unwrap();
    fs::write(place(home, "in/readme.txt"), "not looked at").unwrap();
}

fn table(path: &Path) -> Vec<std::collections::BTreeMap<String, String>> {
    let mut csv = csv::Reader::from_path(path).unwrap();
    csv.deserialize().map(|row| row.unwrap()).collect()
}

#[test]
fn a_mixed_folder_gives_masks_overlays_and_a_row_for_every_file() {
    let home = home();
    mixed(&home);
    let text = succeeds(&predict(&home, "--weights net.safetensors --data in --out out"));
    assert!(text.contains("5 pictures predicted") && text.contains("2 files could not be used"), "{text}");
    assert!(text.contains("against 1 true mask: Dice"), "{text}");

    let rows = table(&home.path().join("out/table.csv"));
    let names: Vec<&str> = rows.iter().map(|row| row["image"].as_str()).collect();
    assert_eq!(names, ["alpha", "case (2)", "deep16", "photo", "sub/grey", "text", "torn"]);
    for row in &rows {
        let (mask, overlay) = (format!("out/masks/{}.png", row["image"]), format!("out/overlays/{}.png", row["image"]));
        if !row["problem"].is_empty() {
            let expected = if row["image"] == "text" { "holds text" } else { "damaged" };
            assert!(["text", "torn"].contains(&&*row["image"]) && row["problem"].contains(expected), "{row:?}");
            assert!(row["area"].is_empty() && !home.path().join(mask).exists());
            continue;
        }
        let size =
            image::image_dimensions(row["file"].replace("in/", &format!("{}/in/", home.path().display()))).unwrap();
        let mask = image::open(home.path().join(mask)).unwrap().into_luma8();
        assert_eq!((mask.dimensions(), image::image_dimensions(home.path().join(overlay)).unwrap()), (size, size));
        assert!(mask.pixels().all(|pixel| pixel.0 == [0] || pixel.0 == [255]));
        let area = mask.pixels().filter(|pixel| pixel.0 == [255]).count();
        assert_eq!(row["area"], area.to_string(), "{row:?}");
        assert_eq!(row["dice"].is_empty(), row["image"] != "case (2)", "{row:?}");
    }
    let summary: Json = serde_json::from_slice(&fs::read(home.path().join("out/summary.json")).unwrap()).unwrap();
    assert_eq!((&summary["network"], &summary["image_size"]), (&"unet".into(), &32.into()));
    assert!(summary["convention"].as_str().unwrap().contains("probability > 0.5"), "{summary}");
    assert!(summary["results"]["scored"] == 1 && summary["version"] == env!("CARGO_PKG_VERSION"), "{summary}");
    let text = fs::read_to_string(home.path().join("out/summary.txt")).unwrap();
    assert!(text.contains("U-net") && text.contains("HD95"), "{text}");
    assert!(fs::read_dir(home.path().join("in")).unwrap().count() == 9, "nothing was written among the pictures");
}

#[test]
fn machines_get_one_object_a_line_and_the_same_masks_again() {
    let home = home();
    mixed(&home);
    let text = succeeds(&predict(&home, "--weights net.safetensors --data in --out a --json"));
    let lines: Vec<Json> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&lines[0]["event"], &lines[0]["total"]), (&"started".into(), &7.into()));
    assert_eq!(lines.iter().filter(|line| line["event"] == "image").count(), 7);
    assert!(lines.iter().any(|line| line["image"] == "torn" && line["area"].is_null()));
    let last = lines.last().unwrap();
    assert!(last["event"] == "finished" && last["predicted"] == 5 && last["failed"] == 2, "{last}");
    succeeds(&predict(&home, "--weights net.safetensors --data in --out b"));
    for name in ["masks/photo.png", "overlays/sub/grey.png", "table.csv"] {
        let [a, b] = ["a", "b"].map(|out| fs::read(home.path().join(out).join(name)).unwrap());
        assert!(a == b, "{name}");
    }
}

#[test]
fn options_tell_how_masks_are_made() {
    let home = home();
    mixed(&home);
    let area = |options: &str| {
        let line = format!("--weights net.safetensors --data in/photo.JPG --out out --force {options}");
        succeeds(&predict(&home, line.trim()));
        let rows = table(&home.path().join("out/table.csv"));
        assert_eq!((rows.len(), rows[0]["image"].as_str()), (1, "photo"));
        rows[0]["area"].parse::<usize>().unwrap()
    };
    let (low, high) = (area("--set threshold=0.01 --set keep=all"), area("--set threshold=0.99 --set keep=all"));
    assert_eq!((low, high), (48 * 64, 0), "a network that was not trained is sure of nothing");
    area("--set threshold=0.01 --set keep=all");
    let mean: f64 = table(&home.path().join("out/table.csv"))[0]["mean_probability"].parse().unwrap();
    // Around the mean probability the picture falls into parts.
    let fewer = (-8..8).any(|k| {
        let threshold = mean + 0.002 * f64::from(k);
        let all = area(&format!("--set threshold={threshold} --set keep=all --set fill_holes=off"));
        let one =
            area(&format!("--set threshold={threshold} --set keep=area --set connectivity=4 --set fill_holes=off"));
        assert!(one <= all && (one > 0) == (all > 0), "{threshold}: {one} of {all}");
        one < all
    });
    assert!(fewer);
    let text = fs::read_to_string(home.path().join("out/summary.txt")).unwrap();
    assert!(text.contains("4-connected, holes kept"), "{text}");
    area("--set image_size=64");
    let text = fs::read_to_string(home.path().join("out/summary.txt")).unwrap();
    assert!(text.contains("64×64 pixels (as asked for)") && text.contains("trained on pictures of 32×32"), "{text}");
}

#[test]
fn settings_are_listed_checked_and_their_flags_of_old_explained() {
    let home = home();
    mixed(&home);
    let help = succeeds(&run(&home, &["predict", "segmentation", "--help"]));
    for listed in ["threshold=0.5", "a number from 0.01 to 0.99", "one of area, contour, all", "with keep=area"] {
        assert!(help.contains(listed), "{listed}: {help}");
    }
    let line = "--weights none.pt --data in --out out";
    for (more, words) in [
        ("--set treshold=0.4", &["unknown parameter `treshold`", "did you mean `threshold`?"][..]),
        (
            "--set learning_rate=1",
            &["unknown parameter `learning_rate`", "known are fit, patch_scale, threshold, keep"],
        ),
        ("--set threshold", &["`threshold` is not of the form key=value"]),
        ("--threshold 0.4", &["there is no flag `--threshold`", "--set threshold=0.4"]),
        ("--threshold=0.4", &["--set threshold=0.4"]),
        ("--no-fill", &["there is no flag `--no-fill`", "--set fill_holes=off"]),
        ("--image-size 64", &["--set image_size=64"]),
        ("--lesion", &["--set lesion=VALUE"]),
        ("--nonsense 1", &["unexpected argument '--nonsense'"]),
    ] {
        fails(&predict(&home, &format!("{line} {more}")), 2, words);
    }
    let typed = run(&home, &["run", "segmentation", "--learning-rate", "0.1"]);
    fails(&typed, 2, &["there is no flag `--learning-rate`", "--set learning_rate=0.1"]);
}

#[test]
fn the_names_of_tensors_are_listed_and_maps_of_probabilities_written() {
    let home = home();
    let listed =
        succeeds(&run(&home, &["weights", "segmentation", "--architecture", "unet-transposed", "--set", "base=64"]));
    for line in [
        "inc.double_conv.0.weight",
        "u3.weight",
        "up1.up.weight",
        "1024×512×2×2",
        "1×64×1×1",
        "a file may lack all of these",
    ] {
        assert!(listed.contains(line), "{line}: {listed}");
    }
    let listed = succeeds(&run(&home, &["weights", "reconstruction"]));
    assert!(listed.contains("encoder."), "{listed}");
    fails(&run(&home, &["weights", "optimizers"]), 2, &["segmentation"]);
    mixed(&home);
    let more = "--weights net.safetensors --data in --out out --probabilities both --architecture unet";
    succeeds(&predict(&home, more));
    let maps = fs::read_dir(home.path().join("out/probabilities")).unwrap().count();
    assert!(maps > 1, "{maps}");
    fails(&predict(&home, "--weights net.safetensors --data in --out o --architecture light"), 2, &["Light U-net"]);
    fails(&predict(&home, "--weights net.safetensors --data in --out o --set images_in=a"), 2, &["masks_in"]);
}

#[test]
fn options_tell_how_distances_are_taken() {
    let home = home();
    mixed(&home);
    let measured = |options: &str| {
        succeeds(&predict(&home, format!("--weights net.safetensors --data in --out out --force {options}").trim()));
        let rows = table(&home.path().join("out/table.csv"));
        let row = rows.iter().find(|row| row["image"] == "case (2)").unwrap();
        (row["hd95"].clone(), fs::read_to_string(home.path().join("out/summary.txt")).unwrap())
    };
    let (medpy, text) = measured("--set threshold=0.01");
    assert!(text.contains("pooled (medpy, the paper's)") && text.contains("undefined for 0 images"), "{text}");
    let (monai, text) = measured("--set threshold=0.01 --set hd95=monai");
    assert!(text.contains("percentiles (MONAI)") && !text.contains("HD95: 95th percentile of both"), "{text}");
    let [medpy, monai] = [medpy, monai].map(|value| value.parse::<f64>().unwrap());
    assert!(medpy < monai, "the prediction is the whole picture, far from the lesion at its corners: {medpy}, {monai}");

    // Nothing is predicted, and the lesion is missed.
    let (none, text) = measured("--set threshold=0.99 --set undefined=omit");
    assert!(none.is_empty() && text.contains("undefined for 1 image, since a mask is empty; both"), "{none} {text}");
    let (diagonal, text) = measured("--set threshold=0.99 --set undefined=diagonal");
    assert!((diagonal.parse::<f64>().unwrap() - 50.0_f64.hypot(40.0)).abs() < 1e-6, "{diagonal}");
    assert!(text.contains("undefined for 1 image, since a mask is empty: 1 counted as the diagonal"), "{text}");
}

#[test]
fn what_cannot_be_done_is_refused_before_anything_is_saved() {
    let home = home();
    mixed(&home);
    fs::create_dir(home.path().join("empty")).unwrap();
    fs::write(home.path().join("text.safetensors"), "weights of nothing").unwrap();
    fs::create_dir(home.path().join("full")).unwrap();
    fs::write(home.path().join("full/mine.txt"), "keep me").unwrap();
    fs::write(home.path().join("file"), "x").unwrap();
    fs::create_dir_all(home.path().join("runs/one")).unwrap();
    fs::write(home.path().join("runs/one/run.toml"), "").unwrap();
    let other = safetensors::serialize(
        [("encoder.weight", safetensors::tensor::TensorView::new(safetensors::Dtype::F32, vec![1], &[0; 4]).unwrap())],
        None,
    );
    fs::write(home.path().join("other.safetensors"), other.unwrap()).unwrap();
    for (line, words) in [
        ("--weights none.pt --data in --out out", &["none.pt", "there are no weights"][..]),
        ("--weights in --data in --out out", &["of no recorded run"]),
        ("--weights text.safetensors --data in --out out", &["text.safetensors", "damaged"]),
        ("--weights other.safetensors --data in --out out", &["no network that is known", "encoder.weight"]),
        ("--weights net.safetensors --data none --out out", &["none", "no such file or folder"]),
        ("--weights net.safetensors --data empty --out out", &["empty", "holds no pictures"]),
        ("--weights net.safetensors --data in --out full", &["full", "not empty", "--force"]),
        ("--weights net.safetensors --data in --out in/out", &["in/out", "taken for true ones"]),
        ("--weights net.safetensors --data in --out . --force", &["among the pictures"]),
        (
            "--weights net.safetensors --data in --out runs/one --force",
            &["recorded run", "runs/one`", "choose a folder outside of it, such as", "runs/one-predictions"],
        ),
        ("--weights net.safetensors --data in --out runs/one/a/b", &["runs/one/a/b", "recorded run", "runs/one`"]),
        ("--weights net.safetensors --data in --out file/out", &["file", "something else has that name"]),
        ("--weights net.safetensors --data in --out out --set threshold=2", &["`threshold`", "0.01 to 0.99"]),
        ("--weights net.safetensors --data in --out out --set keep=most", &["`keep`", "area, contour, all"]),
        ("--weights net.safetensors --data in --out out --set hd95=mine", &["`hd95`", "medpy, monai"]),
        ("--weights net.safetensors --data in --out out --set undefined=zero", &["`undefined`", "omit, diagonal"]),
        (
            "--weights net.safetensors --data in --out out --set image_size=8",
            &["`image_size` is 8", "16 to 2048 pixels"],
        ),
    ] {
        fails(&predict(&home, line), 2, words);
        assert!(!home.path().join("out").exists(), "{line}");
    }
    assert_eq!(fs::read_dir(home.path().join("runs/one")).unwrap().count(), 1, "nothing was written into the run");
    let line = ["predict", "segmentation", "--weights", "net.safetensors", "--data", "in", "--out", "out"];
    fails(&run(&home, &[&line[..], &["--device", "tpu"]].concat()), 2, &["`tpu`"]);
    fails(
        &run(&home, &["predict", "optimizers", "--weights", "w", "--data", "in", "--out", "out"]),
        2,
        &["`optimizers`", "segmentation"],
    );
    fails(
        &run(&home, &["predict", "segmentatio", "--weights", "w", "--data", "in", "--out", "out"]),
        2,
        &["did you mean"],
    );
    assert_eq!(fs::read_to_string(home.path().join("full/mine.txt")).unwrap(), "keep me");
    assert!(!home.path().join("in/out").exists());
    // Nothing but files that are no pictures.
    fs::write(place(&home, "bad/a.png"), "x").unwrap();
    fails(&predict(&home, "--weights net.safetensors --data bad --out out"), 2, &["a.png", "holds text"]);
}

#[test]
fn reading_weights_leaves_what_lies_beside_them() {
    let home = home();
    mixed(&home);
    fs::create_dir(home.path().join("thesis")).unwrap();
    fs::write(place(&home, ".thesis.old/best.pt"), "mine").unwrap();
    fs::write(place(&home, ".thesis.new/best.pt"), "mine").unwrap();
    fails(&predict(&home, "--weights thesis --data in --out out"), 2, &["thesis", "of no recorded run"]);
    for name in [".thesis.old/best.pt", ".thesis.new/best.pt"] {
        assert_eq!(fs::read_to_string(home.path().join(name)).unwrap(), "mine");
    }
    // Nor is a folder brought back under another name.
    fs::remove_dir(home.path().join("thesis")).unwrap();
    fails(&predict(&home, "--weights thesis --data in --out out"), 2, &["thesis", "there are no weights"]);
    assert!(home.path().join(".thesis.old").is_dir() && !home.path().join("thesis").exists());
}

#[test]
fn a_picture_that_cannot_be_saved_is_a_row_and_the_rest_goes_on() {
    let home = home();
    mixed(&home);
    fs::create_dir(home.path().join("out")).unwrap();
    // A file where a folder should be.
    fs::create_dir_all(home.path().join("out/overlays")).unwrap();
    fs::write(home.path().join("out/overlays/sub"), "in the way").unwrap();
    let output = predict(&home, "--weights net.safetensors --data in --out out --force");
    fails(&output, 1, &["sub/grey", "1 picture of 7 could not be saved"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("not saved: 1 picture (sub/grey)"), "{said}");
    let rows = table(&home.path().join("out/table.csv"));
    assert_eq!(rows.len(), 7);
    let row = rows.iter().find(|row| row["image"] == "sub/grey").unwrap();
    assert!(row["problem"].contains("overlays/sub") && !row["area"].is_empty(), "{row:?}");
    assert!(home.path().join("out/masks/photo.png").is_file() && home.path().join("out/summary.json").is_file());
    let left: Vec<_> = fs::read_dir(home.path().join("out/masks")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().ends_with(".tmp")), "{left:?}");
}

#[test]
fn names_as_long_as_the_file_system_takes_are_written() {
    let home = home();
    // 255, 254 and 252 bytes with `.png`; two of one name but for the suffix get longer ones, which do not fit.
    let names = ["a".repeat(251), "é".repeat(125), "b".repeat(248), "c".repeat(251)];
    for name in &names {
        image::RgbImage::from_fn(30, 24, |x, y| image::Rgb([shade(x, y); 3]))
            .save(place(&home, &format!("in/{name}.png")))
            .unwrap();
    }
    let twin = home.path().join(format!("in/{}.bmp", names[3]));
    image::RgbImage::from_fn(30, 24, |x, y| image::Rgb([shade(x, y); 3])).save(twin).unwrap();
    let output = predict(&home, "--weights net.safetensors --data in --out out");
    fails(&output, 1, &["2 pictures of 5 could not be saved"]);
    for name in &names[..3] {
        assert!(home.path().join(format!("out/masks/{name}.png")).is_file(), "{} bytes", name.len() + 4);
        assert!(home.path().join(format!("out/overlays/{name}.png")).is_file());
    }
    let rows = table(&home.path().join("out/table.csv"));
    assert_eq!(rows.len(), 5);
    assert_eq!(rows.iter().filter(|row| row["problem"].contains("shorter")).count(), 2, "{rows:?}");
}

/// Twenty pictures with a bright disc each, and their masks, in two classes.
fn discs(home: &TempDir, folder: &str) {
    for i in 0..20 {
        let class = ["benign", "malignant"][i as usize % 2];
        let inside = |x: u32, y: u32| (x as i32 - 12 - i).pow(2) + (y as i32 - 20).pow(2) < 60;
        image::RgbImage::from_fn(48, 40, |x, y| {
            image::Rgb([if inside(x, y) { 230 } else { (x * 3 + y * 2 + 5 * i as u32) as u8 % 90 }; 3])
        })
        .save(place(home, &format!("{folder}/{class}/{class} ({i}).png")))
        .unwrap();
        image::GrayImage::from_fn(48, 40, |x, y| image::Luma([255 * u8::from(inside(x, y))]))
            .save(place(home, &format!("{folder}/{class}/{class} ({i})_mask.png")))
            .unwrap();
    }
}

#[test]
fn pictures_that_were_trained_on_are_told_apart_wherever_they_lie() {
    let home = home();
    discs(&home, "in");
    let line = "run segmentation --device cpu --steps 6 --data in --set base=2 --set image_size=32 --set channels=3 \
                --set validate_every=3 --set loss_every=3 --set batch_size=4";
    succeeds(&run(&home, &line.split_whitespace().collect::<Vec<_>>()));
    let folder = fs::read_dir(home.path().join("runs")).unwrap().next().unwrap().unwrap().path();
    let weights = folder.to_str().unwrap();
    let recorded = |figure: &str| {
        let to = home.path().join("recorded.csv");
        let line = ["export", weights, "--figure", figure, "--to", to.to_str().unwrap(), "--force"];
        succeeds(&run(&home, &line));
        table(&to)
    };
    let split: std::collections::HashMap<String, String> =
        recorded("data/split").into_iter().map(|row| (row["image"].clone(), row["part"].clone())).collect();
    assert_eq!(split.len(), 20);
    for (figure, part) in [("validation/images", "validation"), ("test/images", "test")] {
        let names: Vec<String> = recorded(figure).into_iter().map(|row| row["image"].clone()).collect();
        assert!(!names.is_empty() && names.iter().all(|name| split[name] == part), "{figure}: {names:?}");
    }

    let said = succeeds(&predict(&home, &format!("--weights {weights} --data in --out out")));
    let trained = split.values().filter(|part| *part == "train").count();
    assert!(said.contains(&format!("warning: the network was trained on {trained} of the 20 pictures")), "{said}");
    assert!(
        said.contains("95 % interval") && said.contains("test, benign") && said.contains("all, malignant"),
        "{said}"
    );
    for row in table(&home.path().join("out/table.csv")) {
        assert_eq!(row["part"], split[&row["image"]], "{row:?}");
        assert!(row["image"].starts_with(&row["class"]), "{row:?}");
    }
    let summary: Json = serde_json::from_slice(&fs::read(home.path().join("out/summary.json")).unwrap()).unwrap();
    let groups = summary["results"]["groups"].as_array().unwrap();
    let test = groups.iter().find(|group| group["part"] == "test" && group["class"].is_null()).unwrap();
    let [low, high] = [0, 1].map(|at| test["dice"]["interval_95"][at].as_f64().unwrap());
    let mean = test["dice"]["mean"].as_f64().unwrap();
    assert!(low <= mean && mean <= high, "{test}");

    // Copies under other names, and a new picture.
    for (i, name) in split.keys().enumerate() {
        fs::copy(home.path().join(format!("in/{name}.png")), place(&home, &format!("elsewhere/{i}.png"))).unwrap();
    }
    image::RgbImage::from_fn(48, 40, |x, y| image::Rgb([shade(x, y); 3]))
        .save(place(&home, "elsewhere/new.png"))
        .unwrap();
    let said = succeeds(&predict(&home, &format!("--weights {weights} --data elsewhere --out out2 --part test,none")));
    let rows = table(&home.path().join("out2/table.csv"));
    let tested = split.values().filter(|part| *part == "test").count();
    assert_eq!(rows.len(), tested + 1, "{said}");
    assert!(rows.iter().all(|row| (row["part"] == "test") != (row["image"] == "new")), "{rows:?}");
    assert!(said.contains(&format!("{} pictures of other parts left out", 20 - tested)), "{said}");

    // Nothing is known of a file's weights, and nothing of other pictures.
    let refused = predict(&home, "--weights net.safetensors --data in --out out3 --part test");
    fails(&refused, 2, &["--part", "the folder of the run does"]);
    mixed(&home);
    fs::rename(home.path().join("in/sub"), home.path().join("other")).unwrap();
    let said = succeeds(&predict(&home, &format!("--weights {weights} --data other --out out4")));
    assert!(said.contains("to the network they are new"), "{said}");
    assert!(table(&home.path().join("out4/table.csv")).iter().all(|row| row["part"].is_empty()));
}

#[test]
fn a_lone_deep_picture_is_read_as_in_training() {
    let home = home();
    // Twelve bits in sixteen, with a hot pixel; the last one is dark.
    for i in 0..10 {
        let most = if i == 9 { 200 } else { 4000 };
        let disc = |x: u32, y: u32| (x as i32 - 12 - i).pow(2) + (y as i32 - 20).pow(2) < 60;
        let value =
            |x, y| if (i, x, y) == (0, 0, 0) { 65_535 } else { (if disc(x, y) { most } else { most / 4 }) as u16 };
        image::ImageBuffer::from_fn(48, 40, |x, y| image::Luma([value(x, y)]))
            .save(place(&home, &format!("in/{i}.png")))
            .unwrap();
        image::GrayImage::from_fn(48, 40, |x, y| image::Luma([255 * u8::from(disc(x, y))]))
            .save(place(&home, &format!("in/{i}_mask.png")))
            .unwrap();
    }
    let line = "run segmentation --device cpu --steps 4 --data in --set base=2 --set image_size=32 --set validate_every=2 \
                --set loss_every=2 --set batch_size=2";
    let said = run(&home, &line.split_whitespace().collect::<Vec<_>>());
    let told = format!("{}{}", String::from_utf8_lossy(&said.stdout), String::from_utf8_lossy(&said.stderr));
    succeeds(&said);
    assert!(told.contains("1 image is nearly black at that white (9.png)"), "{told}");
    let folder = fs::read_dir(home.path().join("runs")).unwrap().next().unwrap().unwrap().path();
    let weights = folder.to_str().unwrap();
    succeeds(&run(&home, &["export", weights, "--weights", "--to", "best.safetensors"]));
    fs::copy(home.path().join("in/9.png"), place(&home, "alone/9.png")).unwrap();
    let most = |out: &str| {
        let overlay = image::open(home.path().join(out).join("overlays/9.png")).unwrap().to_rgb8();
        // Outlines have a colour.
        overlay.pixels().filter(|pixel| pixel.0[1] == pixel.0[2]).map(|pixel| pixel.0[2]).max()
    };
    for (of, out) in [(weights, "of-run"), ("best.safetensors", "of-file")] {
        let output = predict(&home, &format!("--weights {of} --data alone --out {out}"));
        succeeds(&output);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains("white at 4095, as in training") && said.contains("nearly black"), "{said}");
        assert_eq!(most(out), Some(12), "200 of 4095");
    }
    succeeds(&predict(&home, "--weights net.safetensors --data alone --out of-nothing"));
    assert_eq!(most("of-nothing"), Some(200), "nothing is known of it");
}

#[test]
fn what_is_odd_about_a_mask_is_told_in_the_table_and_in_the_summary() {
    let home = home();
    let picture = image::RgbImage::from_fn(60, 40, |x, y| image::Rgb([shade(x, y); 3]));
    let mask = |width: u32, height: u32, from: u32| {
        image::GrayImage::from_fn(width, height, |x, _| image::Luma([255 * u8::from(x > from)]))
    };
    for (name, mask) in [("good", mask(60, 40, 40)), ("turned", mask(40, 60, 30)), ("most", mask(60, 40, 3))] {
        picture.save(place(&home, &format!("in/{name}.png"))).unwrap();
        mask.save(place(&home, &format!("in/{name}_mask.png"))).unwrap();
    }
    let said = succeeds(&predict(&home, "--weights net.safetensors --data in --out out"));
    assert!(said.contains("mask of another size: 1 picture (turned)"), "{said}");
    assert!(said.contains("very large mask: 1 picture (most)"), "{said}");
    for row in table(&home.path().join("out/table.csv")) {
        let expected = match &*row["image"] {
            "turned" => "its mask turned_mask.png is 40×60 pixels, its image 60×40",
            "most" => "covers 93 %",
            _ => "",
        };
        assert!(row["problem"].contains(expected) && row["problem"].is_empty() == expected.is_empty(), "{row:?}");
    }
}

#[test]
fn a_run_predicts_with_its_best_weights_and_exports_them() {
    let home = home();
    mixed(&home);
    let line = "run segmentation --device cpu --steps 6 --name tiny --set base=2 --set image_size=32 \
                --set synthetic_images=20 --set validate_every=3 --set loss_every=3";
    let line: Vec<&str> = line.split_whitespace().collect();
    succeeds(&run(&home, &line));
    let folder = fs::read_dir(home.path().join("runs")).unwrap().next().unwrap().unwrap().path();
    let folder = folder.strip_prefix(home.path()).unwrap().to_str().unwrap().to_owned();
    let folder = if Path::new(&folder).is_absolute() { folder } else { format!("./{folder}") };
    succeeds(&predict(&home, &format!("--weights {folder} --data in --out of-run")));
    let summary = fs::read_to_string(home.path().join("of-run/summary.txt")).unwrap();
    assert!(summary.contains("best weights") && summary.contains("32×32 pixels (as it was trained)"), "{summary}");

    let said = succeeds(&run(&home, &["export", &folder, "--weights", "--to", "best.safetensors"]));
    assert!(said.contains("saved best.safetensors"), "{said}");
    succeeds(&predict(&home, "--weights best.safetensors --data in --out of-file"));
    for name in ["masks/photo.png", "table.csv"] {
        let (a, b) = (home.path().join("of-run").join(name), home.path().join("of-file").join(name));
        assert!(fs::read(a).unwrap() == fs::read(b).unwrap(), "{name}");
    }
    fails(&run(&home, &["export", &folder, "--weights", "--to", "best.csv"]), 2, &[".safetensors"]);
    fails(&run(&home, &["export", &folder, "--to", "best.safetensors"]), 2, &["--weights"]);
}

/// Eight pairs whose masks hold the value 2 where lesion is.
fn numbered(home: &TempDir) {
    for i in 0..4 {
        image::GrayImage::from_fn(50, 40, |x, y| image::Luma([shade(x + i, y)]))
            .save(place(home, &format!("in/{i}.png")))
            .unwrap();
        image::GrayImage::from_fn(50, 40, |x, y| image::Luma([2 * u8::from(x > 10 && x < 30 && y > 8 && y < 30)]))
            .save(place(home, &format!("in/{i}_mask.png")))
            .unwrap();
    }
}

#[test]
fn a_true_mask_that_cannot_be_used_is_warned_of_and_counted() {
    let home = home();
    numbered(&home);
    let whole = fs::read(home.path().join("in/1_mask.png")).unwrap();
    fs::write(home.path().join("in/1_mask.png"), &whole[..whole.len() - 30]).unwrap();
    fs::write(home.path().join("in/2_mask.png"), "no picture at all").unwrap();
    let output = predict(&home, "--weights net.safetensors --data in --out out");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let text = succeeds(&output);
    for name in ["1", "2"] {
        let warned =
            said.lines().any(|line| line.starts_with(&format!("warning: {name}: no ")) && line.contains("mask"));
        assert!(warned, "{name}: {said}");
    }
    assert!(text.contains("against 2 true masks"), "{text}");
    assert!(text.contains("no score, since the true mask cannot be used: 2 pictures (1, 2)"), "{text}");
    let summary: Json = serde_json::from_slice(&fs::read(home.path().join("out/summary.json")).unwrap()).unwrap();
    assert_eq!(summary["results"]["no_score"], 2);
}

#[test]
fn a_value_without_effect_is_refused() {
    let home = home();
    numbered(&home);
    let line = "--weights net.safetensors --data in --out out";
    let nothing = ["`lesion_value=2` would change nothing", "`lesion` to be value or colour"];
    fails(&predict(&home, &format!("{line} --set lesion=any --set lesion_value=2")), 2, &nothing);
    fails(&predict(&home, &format!("{line} --set lesion_value=2")), 2, &nothing);
    fails(
        &predict(&home, &format!("{line} --set keep=all --set connectivity=4")),
        2,
        &["`connectivity=4` would change nothing", "`keep` to be area"],
    );
    assert!(!home.path().join("out").exists(), "nothing is made for what cannot be asked");
    fails(&predict(&home, &format!("{line} --set lesion=alpha")), 2, &["`lesion`", "no mask has transparency"]);
    fails(
        &predict(&home, &format!("{line} --set lesion=colour --set lesion_value=#ff0000")),
        2,
        &["`lesion_value`", "#ff0000", "#020202"],
    );
    succeeds(&predict(&home, &format!("{line} --set lesion=value --set lesion_value=2")));
    for set in ["lesion_value=2", "lesion=value"] {
        // Without a folder nothing is read with it.
        let line: Vec<&str> = ["run", "segmentation", "--set", set, "--steps", "1"].to_vec();
        fails(&run(&home, &line), 2, &[set, "would change nothing"]);
    }
    for verb in [&["run", "segmentation", "--steps", "1", "--data", "in"][..], &["doctor", "in"]] {
        let line: Vec<&str> = verb.iter().copied().chain(["--set", "lesion_value=2"]).collect();
        fails(&run(&home, &line), 2, &nothing);
    }
}
