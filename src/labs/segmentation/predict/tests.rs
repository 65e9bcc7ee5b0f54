use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use tempfile::TempDir;

use super::super::params::PARAMS;
use super::super::pipeline::Pipeline;
use super::inputs::{find, of_files};
use super::report::{Summary, warnings};
use super::weights_source::{DEFAULT_IMAGE_SIZE, WeightsSource, packed_weights};
use super::*;
use crate::compute::device::cpu;
use crate::compute::rng::HostRng;
use crate::data::segmentation::Watch;
use crate::data::segmentation::listing::scan;
use crate::engine::checkpoint_file;
use crate::engine::event::RunHeader;
use crate::engine::experiment::Checkpoint;
use crate::engine::header_file;
use crate::engine::params::Params;
use crate::kit::predict::{PredictError, PredictEvent, PredictRequest};
use crate::nn::parameters::slots;
use crate::nn::segmentation::spec::Architecture;
use crate::nn::segmentation::weights::{save, save_trained_at};
use crate::pixels::fit::Fit;
use crate::pixels::resize::{Resampling, Size, resize};

const SPEC: NetSpec =
    NetSpec { architecture: Architecture::LighterUNet { group: 2 }, channels: 3, base: 2, outputs: 1 };

fn tiny_net(seed: u64) -> SegmentationNet {
    SegmentationNet::new(&SPEC, HostRng::new(seed, 0), &cpu()).unwrap()
}

fn picture(width: usize, height: usize, value: impl Fn(usize, usize) -> u8) -> Picture {
    let rgb = (0..width * height).flat_map(|i| [value(i % width, i / width); 3]).collect();
    Picture { width, height, rgb, original: (width as u32, height as u32), factor: 1 }
}

fn place(folder: &Path, name: &str) -> PathBuf {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    path
}

fn image(folder: &Path, name: &str, (width, height): (u32, u32)) -> PathBuf {
    let path = place(folder, name);
    image::GrayImage::from_fn(width, height, |x, y| image::Luma([(x * 7 + y * 3) as u8])).save(&path).unwrap();
    path
}

fn mask_file(folder: &Path, name: &str, (width, height): (u32, u32)) {
    let lesion = |x: u32, y: u32| 255 * u8::from(x < width / 2 && y < height / 2);
    image::GrayImage::from_fn(width, height, |x, y| image::Luma([lesion(x, y)])).save(place(folder, name)).unwrap();
}

fn names(folder: &Path) -> Vec<String> {
    find(folder, Watch::nobody()).unwrap().items.into_iter().map(|item| item.name).collect()
}

#[test]
fn a_network_sees_what_it_was_trained_on() {
    let dark = prepare(&picture(8, 6, |x, _| u8::from(x > 3)), 3, 16, Fit::Squash);
    assert_eq!(dark.len(), 3 * 16 * 16);
    assert_eq!(dark.iter().copied().fold(0.0, f32::max), 1.0, "zeros and ones are not divided");
    let bright = prepare(&picture(8, 6, |x, _| if x > 3 { 255 } else { 51 }), 1, 16, Fit::Squash);
    assert_eq!(bright.len(), 16 * 16);
    assert_eq!((bright[0], bright[255]), (0.2, 1.0));
    let mut coloured = picture(16, 16, |_, _| 0);
    coloured.rgb.chunks_exact_mut(3).for_each(|rgb| rgb.copy_from_slice(&[30, 60, 255]));
    assert!(prepare(&coloured, 1, 16, Fit::Squash).iter().all(|&grey| (grey - 115.0 / 255.0).abs() < 1e-6));
    let planes = prepare(&coloured, 3, 16, Fit::Squash);
    assert_eq!((planes[0], planes[256], planes[512]), (30.0 / 255.0, 60.0 / 255.0, 1.0));
}

#[test]
fn any_folder_of_pictures_is_taken_and_masks_are_not_pictures() {
    let folder = tempfile::tempdir().unwrap();
    image(folder.path(), "plain/10.png", (30, 20));
    image(folder.path(), "plain/2.png", (30, 20));
    image(folder.path(), "plain/deep/a.png", (30, 20));
    image(folder.path(), "plain/deep/A.jpg", (30, 20));
    fs::write(folder.path().join("plain/notes.txt"), "x").unwrap();
    assert_eq!(names(&folder.path().join("plain")), ["2", "10", "deep/A_jpg", "deep/a_png"]);

    image(folder.path(), "busi/benign/benign (1).png", (30, 20));
    mask_file(folder.path(), "busi/benign/benign (1)_mask.png", (30, 20));
    mask_file(folder.path(), "busi/benign/benign (1)_mask_1.png", (30, 20));
    image(folder.path(), "busi/benign/benign (2).png", (30, 20));
    mask_file(folder.path(), "busi/benign/benign (9)_mask.png", (30, 20));
    let found = find(&folder.path().join("busi"), Watch::nobody()).unwrap();
    assert_eq!(
        found.items.iter().map(|i| (&*i.name, i.pair.is_some())).collect::<Vec<_>>(),
        [("benign/benign (1)", true), ("benign/benign (2)", false)]
    );
    assert!(found.lines.iter().any(|line| line.contains("1 mask without an image")), "{:?}", found.lines);

    // Images and masks side by side; the folder of images alone was chosen.
    image(folder.path(), "split/images/a.png", (30, 20));
    mask_file(folder.path(), "split/masks/a.png", (30, 20));
    let found = find(&folder.path().join("split/images"), Watch::nobody()).unwrap();
    assert!(found.items.len() == 1 && found.items[0].pair.is_some(), "{found:?}");
    let message = find(&folder.path().join("split/masks"), Watch::nobody()).unwrap_err().to_string();
    assert!(message.contains("masks") && message.contains("images"), "{message}");

    image(folder.path(), "alone/masks/b.png", (30, 20));
    let message = find(&folder.path().join("alone"), Watch::nobody()).unwrap_err().to_string();
    assert!(message.contains("holds masks alone"), "{message}");

    // By their names alone these could be masks, but they are masks of nothing.
    image(folder.path(), "lesions/lesion (1).png", (30, 20));
    image(folder.path(), "lesions/lesion (2).png", (30, 20));
    assert_eq!(names(&folder.path().join("lesions")), ["lesion (1)", "lesion (2)"]);
}

#[test]
fn what_cannot_be_read_is_listed_and_what_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    image(folder.path(), "a.png", (30, 20));
    fs::write(folder.path().join("b.png"), b"no picture").unwrap();
    image(folder.path(), "c.png", (30, 20));
    fs::write(folder.path().join("c_mask.png"), b"").unwrap();
    let found = find(folder.path(), Watch::nobody()).unwrap();
    let listed: Vec<(&str, bool)> = found.items.iter().map(|item| (item.name.as_str(), item.broken)).collect();
    assert_eq!(listed, [("a", false), ("b", true), ("c", false), ("c_mask", true)]);
    assert!(found.items[2].note.as_ref().unwrap().contains("mask"), "{:?}", found.items[2]);

    let empty = tempfile::tempdir().unwrap();
    let message = find(empty.path(), Watch::nobody()).unwrap_err().to_string();
    assert!(message.contains("holds no pictures"), "{message}");
    for name in ["x.webp", "y.webp", "z.npy"] {
        fs::write(empty.path().join(name), b"").unwrap();
    }
    let message = find(empty.path(), Watch::nobody()).unwrap_err().to_string();
    assert!(message.contains("2 WebP files are not read: save them as PNG; 1 NumPy file"), "{message}");
    fs::create_dir(empty.path().join("masks")).unwrap();
    image(empty.path(), "masks/x.png", (30, 20));
    let message = find(empty.path(), Watch::nobody()).unwrap_err().to_string();
    assert!(message.contains("holds masks alone") && message.contains("2 WebP files"), "{message}");
    let listing = scan(empty.path(), None, Watch::nobody()).unwrap();
    let message = listing.require_pairs().unwrap_err().to_string();
    assert!(message.contains("no pair of an image and its mask") && message.contains("2 WebP files"), "{message}");
    fs::remove_dir_all(empty.path().join("masks")).unwrap();
    fs::write(empty.path().join("x.png"), b"").unwrap();
    let message = find(empty.path(), Watch::nobody()).unwrap_err().to_string();
    assert!(message.contains("x.png") && message.contains("empty file"), "{message}");
    let message = find(Path::new("no/where"), Watch::nobody()).unwrap_err().to_string();
    assert!(message.contains("no/where") && message.contains("no such"), "{message}");
    let twice = [folder.path().join("a.png"), folder.path().join("a.png"), folder.path().join("sub/a.png")];
    let named: Vec<String> = of_files(&twice).items.into_iter().map(|item| item.name).collect();
    assert_eq!(named, ["a_png", "a_png_2"]);
}

#[test]
fn a_prediction_is_measured_in_pixels_of_the_file() {
    let size = 16;
    let probabilities: Vec<f32> =
        (0..size * size).map(|i| if i % size < 8 && i / size < 8 { 0.9 } else { 0.1 }).collect();
    let pipeline = Pipeline::default();
    let own = picture(64, 32, |_, _| 0);
    let truth = pipeline.mask(&probabilities, size, 32, 64);
    let area = truth.area();
    assert!(area > 500 && area <= 16 * 32, "a quarter of the picture, its corner rounded: {area}");
    let shifted = Mask::from_fn(32, 64, |y, x| x >= 4 && truth.at(y, x - 4));
    let prediction = measure(&probabilities, &own, Some(truth), None, &pipeline);
    let measures = &prediction.measures;
    assert_eq!((measures.width, measures.height, measures.area, measures.parts), (64, 32, area, 1));
    assert_eq!(measures.share, area as f64 / 2048.0);
    assert_eq!(measures.score.unwrap().dice, 1.0);
    // The mean over the lesion of what resizing gives.
    let to = Size { height: 32, width: 64 };
    let resized = resize(&probabilities, Size { height: size, width: size }, to, Resampling::Bilinear);
    let inside = resized.iter().zip(prediction.mask.pixels()).filter(|(_, lesion)| **lesion);
    let mean = inside.map(|(p, _)| f64::from(*p)).sum::<f64>() / measures.area as f64;
    assert!((measures.confidence.unwrap() - mean).abs() < 1e-6);

    // The same picture, read at half its size: its last column and row stand for one pixel of the file only.
    let huge = Picture { original: (127, 63), factor: 2, ..own };
    let missed = measure(&probabilities, &huge, Some(Mask::empty(32, 64)), None, &pipeline);
    assert_eq!((missed.measures.width, missed.measures.height, missed.measures.area), (127, 63, 4 * area));
    let score = missed.measures.score.unwrap();
    assert_eq!((score.dice, score.hd95, score.predicted), (0.0, None, 4 * area));
    let all = measure(&vec![0.9; size * size], &huge, None, None, &pipeline);
    assert_eq!((all.measures.area, all.measures.share), (127 * 63, 1.0));
    let score = measure(&probabilities, &huge, Some(shifted), None, &pipeline).measures.score.unwrap();
    assert_eq!(score.hd, Some(8.0), "four pixels here are eight of the file");
    let nothing = measure(&vec![0.1; size * size], &huge, None, None, &pipeline).measures;
    assert_eq!((nothing.area, nothing.parts, nothing.confidence), (0, 0, None));
}

/// A run folder with the checkpoint of a network under these prefixes.
fn run_folder(lab: &str, nets: &[(&str, u64)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut params = Params::defaults(PARAMS);
    for assignment in ["architecture=lighter", "group=2", "base=2", "channels=3", "image_size=32", "threshold=0.4"] {
        params.set_text(PARAMS, assignment).unwrap();
    }
    let text = String::new;
    let header = RunHeader {
        lab: lab.to_owned(),
        name: text(),
        params,
        seed: 1,
        steps: 500,
        device: text(),
        device_check: text(),
        version: text(),
        data: text(),
        started: text(),
        folder: text(),
        ..RunHeader::default()
    };
    header_file::write(folder.path(), &header).unwrap();
    let mut checkpoint = Checkpoint { step: 250, ..Checkpoint::default() };
    for (prefix, seed) in nets {
        for slot in slots(&tiny_net(*seed)) {
            let mut reader = Reader::default();
            reader.add(slot.value);
            checkpoint.put_f32(format!("{prefix}/{}", slot.path), slot.shape, reader.read().unwrap().remove(0));
        }
    }
    checkpoint_file::write(folder.path(), &checkpoint).unwrap();
    folder
}

fn probabilities(source: &WeightsSource) -> Vec<f32> {
    let net = source.build(&cpu()).unwrap();
    let predictor = Predictor::new(net, source.spec, source.image_size, cpu()).unwrap();
    predictor.probabilities(&picture(40, 30, |x, y| (x * 5 + y) as u8), Fit::Squash).unwrap()
}

#[test]
fn the_best_weights_of_a_run_are_those_that_a_file_of_them_holds() {
    let run = run_folder("segmentation", &[("net", 1), ("best", 2)]);
    let source = WeightsSource::open(run.path(), None).unwrap();
    assert_eq!((source.spec, source.image_size, source.pipeline().threshold), (SPEC, 32, 0.4));
    assert!(source.describe()[0].contains("best weights, checkpoint of step 250"), "{:?}", source.describe());
    let path = run.path().join("best.safetensors");
    save_trained_at(&tiny_net(2), &SPEC, Some(32), &path).unwrap();
    let file = WeightsSource::open(&path, None).unwrap();
    assert_eq!((file.spec, file.image_size, file.image_size_from), (SPEC, 32, "as it was trained"));
    assert_eq!(probabilities(&source), probabilities(&file));

    let exported = run.path().join("exported.safetensors");
    fs::write(&exported, packed_weights(run.path()).unwrap().file).unwrap();
    let exported = WeightsSource::open(&exported, None).unwrap();
    assert_eq!((exported.image_size, probabilities(&exported)), (32, probabilities(&file)));

    let checkpoint = checkpoint_file::list(run.path()).remove(0).1;
    assert_eq!(probabilities(&WeightsSource::open(&checkpoint, None).unwrap()), probabilities(&source));
    let fresh = run_folder("segmentation", &[("net", 2)]);
    let fresh = WeightsSource::open(fresh.path(), None).unwrap();
    assert!(fresh.warnings[0].contains("not validated"), "{:?}", fresh.warnings);
    assert_eq!(probabilities(&fresh), probabilities(&source));
}

#[test]
fn weights_that_cannot_be_used_are_named_with_the_reason() {
    let refused = |path: &Path, size: Option<usize>, words: &[&str]| {
        let message = match WeightsSource::open(path, size) {
            Err(PredictError::Input(message)) => message,
            other => panic!("{other:?}"),
        };
        words.iter().for_each(|word| assert!(message.contains(word), "no `{word}` in: {message}"));
    };
    let folder = tempfile::tempdir().unwrap();
    refused(folder.path(), None, &["no recorded run"]);
    refused(&folder.path().join("none.pt"), None, &["none.pt", "there are no weights"]);
    let run = run_folder("optimizers", &[]);
    refused(run.path(), None, &["a run of the lab `optimizers`"]);
    let run = run_folder("segmentation", &[("net", 1)]);
    refused(run.path(), Some(4), &["4 pixels", "16 to 2048"]);
    fs::remove_dir_all(run.path().join("checkpoints")).unwrap();
    refused(run.path(), None, &["has no checkpoint"]);
    let path = folder.path().join("text.safetensors");
    fs::write(&path, "hello").unwrap();
    refused(&path, None, &["text.safetensors", "damaged"]);

    // Without a note of the size, the article's; another one on request.
    let path = folder.path().join("net.safetensors");
    save(&tiny_net(1), &SPEC, &path).unwrap();
    let plain = WeightsSource::open(&path, None).unwrap();
    assert_eq!(plain.image_size, DEFAULT_IMAGE_SIZE);
    assert!(plain.describe().iter().any(|line| line.contains("does not say")), "{:?}", plain.describe());
    let asked = WeightsSource::open(&path, Some(48)).unwrap();
    assert!(asked.image_size == 48 && asked.warnings.is_empty());
    save_trained_at(&tiny_net(1), &SPEC, Some(32), &path).unwrap();
    assert!(WeightsSource::open(&path, Some(48)).unwrap().warnings[0].contains("32×32"));
}

/// A file of `tiny_net`'s weights whose last number, or whose last variance, is another one.
fn with_value(folder: &Path, tensor: &str, value: f32) -> std::path::PathBuf {
    let path = folder.join("spoilt.safetensors");
    save_trained_at(&tiny_net(1), &SPEC, Some(32), &path).unwrap();
    let mut bytes = fs::read(&path).unwrap();
    let header = u64::from_le_bytes(*bytes.first_chunk().unwrap()) as usize;
    let tensors: serde_json::Value = serde_json::from_slice(&bytes[8..8 + header]).unwrap();
    let end = 8 + header + tensors[tensor]["data_offsets"][1].as_u64().unwrap() as usize;
    bytes[end - 4..end].copy_from_slice(&value.to_le_bytes());
    fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn weights_that_are_no_numbers_are_refused_by_the_name_of_the_tensor() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |tensor: &str, value: f32| {
        let path = with_value(folder.path(), tensor, value);
        let message = WeightsSource::open(&path, None).unwrap().build(&cpu()).unwrap_err().to_string();
        let named = message.contains("spoilt.safetensors") && message.contains(&format!("`{tensor}`"));
        assert!(named && message.contains("1 of its"), "{message}");
        // A run that starts from them says the same.
        let file = crate::nn::segmentation::weights::WeightsFile::open(&path).unwrap();
        assert_eq!(file.load(&SPEC, &cpu()).unwrap_err().to_string(), message);
    };
    let names: Vec<String> =
        crate::nn::segmentation::weights::names(&SPEC).into_iter().map(|named| named.name).collect();
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        refused(&names[0], value);
        refused(names.last().unwrap(), value);
    }
    if let Some(variance) = names.iter().find(|name| name.ends_with("running_var")) {
        refused(variance, -0.5);
    }

    // The checkpoint of a run that has diverged.
    let run = run_folder("segmentation", &[("net", 1)]);
    let mut checkpoint = checkpoint_file::latest_good(run.path()).unwrap().unwrap().checkpoint;
    let slot = slots(&tiny_net(1)).remove(0);
    let mut values = checkpoint.get_f32(&format!("net/{}", slot.path), &slot.shape).unwrap().to_vec();
    values[0] = f32::NAN;
    checkpoint.put_f32(format!("net/{}", slot.path), slot.shape, values);
    checkpoint.step = 300;
    checkpoint_file::write(run.path(), &checkpoint).unwrap();
    let message = WeightsSource::open(run.path(), None).unwrap().build(&cpu()).unwrap_err().to_string();
    assert!(message.contains(&format!("`net/{}`", slot.path)) && message.contains("NaN"), "{message}");
}

#[test]
fn an_output_that_is_no_number_is_told_and_gives_no_mask() {
    let folder = tempfile::tempdir().unwrap();
    // Every weight is finite, but the sums are not.
    let weights = folder.path().join("huge.safetensors");
    let net = crate::nn::parameters::map(tiny_net(1), |_, role, old| match role {
        crate::nn::parameters::Role::Weight => old * 1e30,
        _ => old,
    });
    save_trained_at(&net, &SPEC, Some(32), &weights).unwrap();
    for i in 0..2 {
        image(folder.path(), &format!("in/{i}.png"), (30, 20));
    }
    let request = PredictRequest {
        weights,
        data: folder.path().join("in"),
        out: folder.path().join("out"),
        device: crate::compute::device::DeviceChoice::Cpu,
        ..PredictRequest::default()
    };
    let mut problems = Vec::new();
    let result = job::predict(&request, &AtomicBool::new(false), &mut |event| {
        if let PredictEvent::File { problem, .. } = event {
            problems.extend(problem);
        }
    });
    assert!(matches!(&result, Err(PredictError::Work(_))), "{result:?}");
    assert!(problems.len() == 2 && problems[0].contains("no number in"), "{problems:?}");
    assert!(!request.out.join("masks/0.png").exists());
}

#[test]
fn work_that_is_stopped_keeps_and_tells_what_is_done() {
    let folder = tempfile::tempdir().unwrap();
    for i in 0..4 {
        image(folder.path(), &format!("in/{i}.png"), (30, 20));
    }
    let weights = folder.path().join("net.safetensors");
    save_trained_at(&tiny_net(1), &SPEC, Some(32), &weights).unwrap();
    let request = PredictRequest {
        weights,
        data: folder.path().join("in"),
        out: folder.path().join("out"),
        device: crate::compute::device::DeviceChoice::Cpu,
        ..PredictRequest::default()
    };
    let cancel = AtomicBool::new(false);
    let result = job::predict(&request, &cancel, &mut |event| {
        if let PredictEvent::File { done: 2, .. } = event {
            cancel.store(true, std::sync::atomic::Ordering::Relaxed);
        }
    });
    let Err(PredictError::Work(message)) = result else { panic!("{result:?}") };
    assert!(message.contains("2 of 4") && message.contains("--force"), "{message}");
    assert!(request.out.join("masks/1.png").is_file() && !request.out.join("masks/2.png").exists());
    let table = fs::read_to_string(request.out.join("table.csv")).unwrap();
    assert_eq!(table.lines().count(), 3, "{table}");
}

#[test]
fn a_device_that_breaks_off_is_an_error() {
    let failed: Result<(), String> = crate::kit::predict::guarded(|| -> Result<(), String> { panic!("out of memory") });
    let message = failed.unwrap_err();
    assert!(message.contains("out of memory") && message.contains("CPU"), "{message}");
}

#[test]
fn weights_that_outline_nothing_are_warned_of_where_there_are_lesions() {
    let told = |without_lesion, both_empty| {
        let summary = Summary { predicted: 3, without_lesion, scored: 3, both_empty, ..Summary::of(&[]) };
        warnings(&summary).concat()
    };
    assert!(told(3, 1).contains("2 true masks hold a lesion"), "{}", told(3, 1));
    assert_eq!((told(2, 1), told(3, 3)), (String::new(), String::new()));
}

#[test]
fn maps_of_probabilities_and_the_masks_of_the_person_that_was_chosen() {
    let folder = tempfile::tempdir().unwrap();
    let weights = folder.path().join("net.safetensors");
    save_trained_at(&tiny_net(1), &SPEC, Some(32), &weights).unwrap();
    for i in 0..3 {
        image(folder.path(), &format!("in/images/{i}.png"), (30, 20));
        mask_file(folder.path(), &format!("in/masks/expert1/{i}.png"), (30, 20));
        // The second has drawn nothing.
        image::GrayImage::new(30, 20).save(place(folder.path(), &format!("in/masks/expert2/{i}.png"))).unwrap();
    }
    let predict = |out: &str, set: &[&str]| {
        let request = PredictRequest {
            weights: weights.clone(),
            data: folder.path().join("in"),
            out: folder.path().join(out),
            set: set.iter().map(|text| (*text).to_owned()).collect(),
            device: crate::compute::device::DeviceChoice::Cpu,
            ..PredictRequest::default()
        };
        let mut rows = Vec::new();
        let result = job::predict(&request, &AtomicBool::new(false), &mut |event| {
            if let PredictEvent::File { row, .. } = event {
                rows.push(row["true_area"].as_u64());
            }
        });
        result.map(|()| rows)
    };
    assert_eq!(predict("one", &["probabilities=both"]).unwrap(), [Some(150); 3]);
    let map = image::open(folder.path().join("one/probabilities/images/1.png")).unwrap();
    assert_eq!((map.color(), map.width(), map.height()), (image::ColorType::L16, 30, 20));
    let array = fs::read(folder.path().join("one/probabilities/images/1.npy")).unwrap();
    assert!(array.starts_with(b"\x93NUMPY") && array.len() == 128 + 4 * 600, "{}", array.len());
    let value = |i: usize| f32::from_le_bytes(array[128 + 4 * i..132 + 4 * i].try_into().unwrap());
    for (i, pixel) in map.to_luma16().pixels().enumerate() {
        assert!((f32::from(pixel.0[0]) / 65_535.0 - value(i)).abs() < 1e-4, "{i}");
    }
    let summary = fs::read_to_string(folder.path().join("one/summary.txt")).unwrap();
    assert!(summary.contains("probability = value / 65535"), "{summary}");
    assert_eq!(predict("two", &["annotator=2"]).unwrap(), [Some(0); 3]);
    assert!(!folder.path().join("two/probabilities").exists());
    let message = predict("three", &["annotator=3"]).unwrap_err().to_string();
    assert!(message.contains("`annotator`") && message.contains("from 1 to 2"), "{message}");
    assert_eq!(predict("four", &["images_in=images", "masks_in=masks/expert2"]).unwrap(), [Some(0); 3]);
    let message = predict("five", &["architecture=unet"]).unwrap_err().to_string();
    assert!(message.contains("U-net"), "{message}");
}
