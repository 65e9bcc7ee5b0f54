//! The segmentation lab's training, on the CPU: it learns, stops, keeps its best weights, takes corrected masks, reads
//! folders with every oddity.

mod support;

use std::fs;
use std::path::Path;

use learnscope::engine::event::{Level, Payload};
use learnscope::engine::experiment::RunError;
use learnscope::engine::params::{Params, Value};
use learnscope::labs::segmentation::params::PARAMS;
use learnscope::labs::segmentation::{self, KEYS, SPEC};
use support::drive::{Drive, Maker};

const LAB: Maker = Maker { build: segmentation::build, keys: KEYS };

fn params(set: &[&str]) -> Params {
    let mut params = Params::defaults(PARAMS);
    let tiny = ["synthetic_images=30", "image_size=32", "base=4", "wall_images=3", "batch_size=6"];
    for text in tiny.iter().chain(set) {
        params.set_text(PARAMS, text).unwrap();
    }
    params
}

fn points<'a>(run: &'a Drive, key: &str) -> &'a [(u64, f64)] {
    run.scalars.get(key).map_or(&[], Vec::as_slice)
}

/// Runs until it is over, as the engine does.
fn run_out(run: &mut Drive, steps: u64) {
    while run.done < steps && !run.experiment.is_over() {
        run.step().unwrap();
    }
}

#[test]
fn a_tiny_unet_learns_and_reports_what_it_declares() {
    let params = params(&["learning_rate=0.005", "uncertainty_samples=3", "plateau=on", "plateau_patience=50"]);
    let mut run = LAB.build(&params, 1, 90).begin();
    run.run_to(90);
    let (first, last) = (run.at("loss/validation", 0), run.at("best/loss", 90));
    assert!(first > 0.6 && last < 0.5, "validation loss {first} -> {last}");
    assert!(run.at("test/dice", 90) > run.at("dice/final", 0) + 0.2, "{}", run.at("test/dice", 90));
    // Without the size of a pixel nothing is said of it.
    for spec in KEYS.iter().filter(|spec| !["pixel_area", "wall/spacing"].contains(&spec.key)) {
        let key = spec.key.replace('*', "0");
        let emitted = run.scalars.contains_key(&key) || run.payloads.keys().any(|(known, _)| *known == key);
        assert!(emitted, "{} is declared and never emitted", spec.key);
    }
    // 18 training images in batches of 6: an epoch has 3 steps.
    assert_eq!(run.at("epoch", 90), 30.0);
    assert_eq!(points(&run, "loss/validation").len(), 31);
    let best = points(&run, "loss/validation")[1..].iter().copied().min_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
    assert_eq!((run.at("best/step", 90), run.at("best/loss", 90)), (best.0 as f64, best.1));
    let Payload::Mask { width, labels, .. } = &run.payloads[&("wall/probability/0".to_owned(), 90)] else { panic!() };
    assert_eq!((*width, labels.len()), (32, 32 * 32));
    let Payload::Table { columns, rows } = &run.payloads[&("test/images".to_owned(), 90)] else { panic!() };
    assert_eq!((columns.len(), rows.len()), (9, 6));
    let Payload::Image { width, height, .. } = &run.payloads[&("wall/image/0".to_owned(), 0)] else { panic!() };
    let Payload::Mask { width: w, height: h, .. } = &run.payloads[&("wall/truth/0".to_owned(), 0)] else { panic!() };
    assert_eq!((width, height), (w, h), "the truth is at the picture's own size");
    assert!(*width > 90);
}

#[test]
fn one_image_can_be_learnt_by_heart_with_every_loss_that_teaches() {
    for loss in ["dice", "dice-smooth", "bce-dice", "bce"] {
        let loss = format!("loss={loss}");
        let params = params(&["overfit=one", "overfit_image=1", "learning_rate=0.02", "validate_every=10", &loss]);
        let mut run = LAB.build(&params, 1, 80).begin();
        run.run_to(80);
        let best = points(&run, "dice/validation").iter().map(|point| point.1).fold(0.0, f64::max);
        assert!(best > 0.9, "{loss}: Dice {best}");
    }
    let error = LAB.try_build(&params(&["overfit=one", "overfit_image=99"]), 1, 1).err().unwrap().to_string();
    assert!(error.contains("overfit_image") && error.contains("from 0 to 17"), "{error}");
}

#[test]
fn early_stopping_ends_the_run_and_the_plateau_halves_the_rate() {
    // A rate of 0 never improves: the first epoch is the best.
    let still = [
        "learning_rate=0",
        "early_stopping=on",
        "stop_patience=9",
        "plateau=on",
        "plateau_patience=5",
        "weight_decay=0",
    ];
    let params = params(&still);
    let mut run = LAB.build(&params, 1, 300).begin();
    run_out(&mut run, 300);
    // Statistics of normalisation move even so: the lowest loss may be a later one, but it ends.
    assert!(run.done < 300 && run.experiment.is_over(), "{}", run.done);
    assert!(run.notices.iter().any(|(level, text)| *level == Level::Info && text.contains("early stopping")));
    assert_eq!(points(&run, "patience").last().unwrap().1, 9.0);
    assert!(run.scalars.contains_key("test/dice"), "a run that ends early is tested, too");

    let mut params = params.clone();
    params.set_text(PARAMS, "learning_rate=0.5").unwrap();
    let mut run = LAB.build(&params, 1, 300).begin();
    run_out(&mut run, 300);
    let rates: Vec<f64> = points(&run, "learning_rate").iter().map(|point| point.1).collect();
    assert!(rates.contains(&0.25), "{rates:?}");
    // A finished run that is resumed stays finished.
    let saved = run.experiment.checkpoint().unwrap();
    assert!(LAB.restored(&params, 1, 300, &saved).experiment.is_over());
}

#[test]
fn every_optimizer_resumes_with_schedule_and_best_weights() {
    let kinds: [&[&str]; 3] = [
        &["augment=on", "plateau=on", "plateau_patience=0", "learning_rate=0.05", "weight_decay=0.001"],
        &["optimizer=sgd", "loss=bce", "mask_border=background", "augment=on"],
        &["architecture=lighter", "group=2", "validate_every=2", "uncertainty_samples=2", "loss=bce-tv"],
    ];
    for kind in kinds {
        let params = params(kind);
        let mut whole = LAB.build(&params, 3, 14).begin();
        whole.run_to(8);
        let checkpoint = whole.experiment.checkpoint().unwrap();
        whole.run_to(14);
        let mut rest = LAB.restored(&params, 3, 14, &checkpoint);
        rest.run_to(14);
        assert_eq!(whole.after(8), rest.after(8), "{kind:?}");
        assert_eq!(whole.experiment.checkpoint().unwrap(), rest.experiment.checkpoint().unwrap(), "{kind:?}");
    }
    let params = params(&[]);
    let saved = LAB.build(&params, 3, 4).experiment.checkpoint().unwrap();
    let mut other = params.clone();
    other.set_text(PARAMS, "base=8").unwrap();
    let message = LAB.build(&other, 3, 4).experiment.restore(&saved).unwrap_err().to_string();
    assert!(message.contains("another run"), "{message}");
}

#[test]
fn a_rate_that_runs_away_is_told() {
    let params = params(&["optimizer=sgd", "learning_rate=1", "weight_decay=1", "loss=bce", "base=2"]);
    let mut run = LAB.build(&params, 1, 4000).begin();
    let error = loop {
        // With so much decay the weights vanish; whatever happens, no number may turn into nonsense silently.
        match run.step() {
            Err(error) => break Some(error),
            Ok(()) if run.done == 60 => break None,
            Ok(()) => {}
        }
    };
    match error {
        Some(RunError::Diverged(text)) => assert!(text.contains("learning rate"), "{text}"),
        Some(other) => panic!("{other}"),
        None => assert!(points(&run, "loss/train").iter().all(|point| point.1.is_finite())),
    }
}

/// The shipped set in a folder of its own.
fn sample_set(folder: &Path, count: usize) {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample_data/ultrasound");
    for class in ["smooth", "irregular", "normal"] {
        for i in 1..=count {
            for file in
                [format!("{class} ({i}).png"), format!("{class} ({i})_mask.png"), format!("{class} ({i})_mask_1.png")]
            {
                // A second mask is there for some.
                let _ = fs::copy(source.join(&file), folder.join(&file));
            }
        }
    }
}

#[test]
fn a_corrected_mask_is_used_by_the_running_training() {
    let folder = tempfile::tempdir().unwrap();
    sample_set(folder.path(), 6);
    let path = format!("data={}", folder.path().display());
    let params = params(&["source=folder", &path, "batch_size=4", "wall_images=2"]);
    let mut run = LAB.build(&params, 1, 40).begin();
    run.run_to(3);
    let mut plain = LAB.build(&params, 1, 40).begin();
    plain.run_to(3);
    assert_eq!(run.at("loss/train", 3), plain.at("loss/train", 3));
    // Every lesion vanishes: all masks are black now.
    let masks: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    let corrections = folder.path().join("learnscope-masks");
    fs::create_dir(&corrections).unwrap();
    for mask in masks.iter().filter(|path| path.to_string_lossy().ends_with("_mask.png")) {
        let (width, height) = image::image_dimensions(mask).unwrap();
        image::GrayImage::new(width, height).save(corrections.join(mask.file_name().unwrap())).unwrap();
    }
    run.experiment.set("corrections", &Value::Int(1)).unwrap();
    run.step().unwrap();
    plain.step().unwrap();
    assert_ne!(run.at("loss/train", 4), plain.at("loss/train", 4));
    assert!(run.notices.iter().any(|(_, text)| text.contains("corrected masks are used from step 4 on")));
    let Payload::Mask { labels, .. } = &run.payloads[&("wall/truth/0".to_owned(), 4)] else { panic!() };
    assert!(labels.iter().all(|&label| label == 0), "the wall shows the new truth");
    run.run_to(12);
    let Payload::Table { rows, .. } = &run.payloads[&("validation/images".to_owned(), 12)] else { panic!() };
    assert!(
        rows.iter().all(|row| row.last().unwrap().starts_with("0 /")),
        "validation judges by the new masks: {rows:?}"
    );
}

#[test]
fn a_folder_with_every_oddity_trains_and_says_what_it_left_out() {
    let folder = tempfile::tempdir().unwrap();
    sample_set(folder.path(), 5);
    let put = |name: &str| folder.path().join(name);
    fs::write(put("smooth (90).png"), b"no picture").unwrap();
    fs::copy(put("smooth (1)_mask.png"), put("smooth (90)_mask.png")).unwrap();
    // 16 bits, grey, a mask of another size; an image without a mask; a mask without an image.
    let deep = image::ImageBuffer::from_fn(80, 60, |x, y| image::Luma([(x * 500 + y * 100) as u16]));
    deep.save(put("smooth (91).png")).unwrap();
    image::GrayImage::from_fn(40, 30, |x, _| image::Luma([if x < 15 { 255 } else { 0 }]))
        .save(put("smooth (91)_mask.png"))
        .unwrap();
    fs::copy(put("smooth (1).png"), put("smooth (92).png")).unwrap();
    fs::copy(put("smooth (2)_mask.png"), put("smooth (93)_mask.png")).unwrap();
    let path = format!("data={}", folder.path().display());
    let mut run = LAB.build(&params(&["source=folder", &path]), 1, 3).begin();
    run.run_to(3);
    let Payload::Text(summary) = &run.payloads[&("data/summary".to_owned(), 0)] else { panic!() };
    assert!(summary.contains("BUSI layout") && summary.contains("split:"), "{summary}");
    let Payload::Table { rows, .. } = &run.payloads[&("data/doctor".to_owned(), 0)] else { panic!() };
    let found = |file: &str, check: &str| rows.iter().any(|row| row[2].ends_with(file) && row[1] == check);
    assert!(found("smooth (90).png", "cannot be used"), "{rows:?}");
    assert!(found("smooth (92).png", "image without mask"), "{rows:?}");
    assert!(found("smooth (93)_mask.png", "mask without image"), "{rows:?}");
    assert!(rows.iter().any(|row| row[1] == "mask of another size"), "{rows:?}");
    let described = (SPEC.data)(&params(&["source=folder", &path])).unwrap();
    assert!(described.contains("CRC-32"), "{described}");
}

#[test]
fn folders_that_cannot_be_used_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |path: &Path, set: &[&str]| {
        let data = format!("data={}", path.display());
        let set: Vec<&str> = ["source=folder", data.as_str()].into_iter().chain(set.iter().copied()).collect();
        LAB.try_build(&params(&set), 1, 1).err().expect("must be refused").to_string()
    };
    let missing = refused(&folder.path().join("nowhere"), &[]);
    assert!(missing.contains("nowhere") && missing.contains("does not exist"), "{missing}");
    let empty = refused(folder.path(), &[]);
    assert!(empty.contains("holds no pictures"), "{empty}");
    sample_set(folder.path(), 1);
    for class in ["irregular", "normal"] {
        fs::remove_file(folder.path().join(format!("{class} (1).png"))).unwrap();
        fs::remove_file(folder.path().join(format!("{class} (1)_mask.png"))).unwrap();
    }
    let few = refused(folder.path(), &[]);
    assert!(few.contains("train_share") && few.contains("each needs at least one"), "{few}");
    let pattern = refused(folder.path(), &["group_by=pattern", "group_pattern=oops"]);
    assert!(pattern.contains("group_pattern"), "{pattern}");
    let error = LAB.try_build(&params(&["weights=/nowhere/w.safetensors"]), 1, 1).err().unwrap().to_string();
    assert!(error.contains("/nowhere/w.safetensors"), "{error}");
    // What is at fault is named: the file of parts, or the groups.
    sample_set(folder.path(), 4);
    let grouped = refused(folder.path(), &["group_by=folder"]);
    assert!(grouped.contains("`group_by`") && grouped.contains("each needs at least one"), "{grouped}");
    fs::write(folder.path().join("split.csv"), "smooth (1),test\nsmooth (2),test\n").unwrap();
    let empty = refused(folder.path(), &[]);
    assert!(
        empty.contains("`split`") && empty.contains("by `split.csv`, ") && !empty.contains("train_share"),
        "{empty}"
    );
    fs::write(folder.path().join("split.csv"), "image,split\nsmooth (1),0\nsmooth (2),1\n").unwrap();
    let numbers = refused(folder.path(), &[]);
    assert!(numbers.contains("`split.csv` should name the parts and cannot be used: the column `split`"), "{numbers}");
    let random = params(&["source=folder", &format!("data={}", folder.path().display()), "split=random"]);
    assert!(LAB.try_build(&random, 1, 1).is_ok());
}

#[test]
fn weights_of_a_file_are_where_training_starts() {
    use learnscope::compute::rng::HostRng;
    use learnscope::labs::segmentation::params::net_spec;
    use learnscope::nn::segmentation::SegmentationNet;
    use learnscope::nn::segmentation::weights;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w.safetensors");
    let base = params(&[]);
    let spec = net_spec(&base);
    let net = SegmentationNet::new(&spec, HostRng::new(42, 0), &burn::tensor::Device::flex()).unwrap();
    weights::save(&net, &spec, &path).unwrap();
    let given = params(&[&format!("weights={}", path.display())]);
    let (a, b) = (LAB.build(&given, 1, 3).begin(), LAB.build(&given, 2, 3).begin());
    assert_eq!(a.at("loss/validation", 0), b.at("loss/validation", 0), "the seed does not choose the weights");
    assert_ne!(a.at("loss/validation", 0), LAB.build(&base, 1, 3).begin().at("loss/validation", 0));
    let other = params(&[&format!("weights={}", path.display()), "base=8"]);
    let message = LAB.try_build(&other, 1, 3).err().unwrap().to_string();
    assert!(message.contains("weights"), "{message}");
}

#[test]
fn another_loss_starts_the_comparison_anew() {
    let params = params(&["loss=bce", "learning_rate=0.005", "plateau=on", "early_stopping=on"]);
    let mut run = LAB.build(&params, 1, 60).begin();
    run.run_to(30);
    assert!(run.at("best/loss", 30) < 0.6);
    // Losses of another kind, all of them higher.
    run.experiment.set("loss", &Value::Text("bce-dice".to_owned())).unwrap();
    run.run_to(33);
    assert_eq!(run.at("best/step", 33), 33.0, "the first epoch with the new loss is the best one so far");
    assert_eq!(run.at("patience", 33), 0.0);
    assert_eq!(run.at("learning_rate", 33), 0.005, "the rate stays");
    assert!(run.notices.iter().any(|(_, text)| text.contains("another loss")));
}

#[test]
fn a_run_that_is_made_longer_is_the_longer_run() {
    // 3 steps an epoch: the short run ends within one.
    let params = params(&["plateau=on", "plateau_patience=0", "learning_rate=0.02"]);
    let mut whole = LAB.build(&params, 3, 15).begin();
    whole.run_to(15);
    let mut short = LAB.build(&params, 3, 7).begin();
    short.run_to(7);
    assert!(short.scalars.contains_key("test/dice"));
    let mut longer = LAB.restored(&params, 3, 15, &short.experiment.checkpoint().unwrap());
    longer.run_to(15);
    assert_eq!(whole.after(7), longer.after(7));
}

#[test]
fn data_that_changed_since_the_checkpoint_is_refused_unless_masks_were_corrected() {
    let folder = tempfile::tempdir().unwrap();
    sample_set(folder.path(), 6);
    let path = format!("data={}", folder.path().display());
    let params = params(&["source=folder", &path]);
    let mut run = LAB.build(&params, 1, 8).begin();
    run.run_to(3);
    let saved = run.experiment.checkpoint().unwrap();
    let mut same = LAB.restored(&params, 1, 8, &saved);
    same.run_to(4);
    assert!(same.notices.is_empty(), "{:?}", same.notices);
    fs::copy(folder.path().join("smooth (1)_mask.png"), folder.path().join("smooth (2)_mask.png")).unwrap();
    let message = LAB.build(&params, 1, 8).experiment.restore(&saved).unwrap_err().to_string();
    assert!(message.contains("have changed, or are read otherwise"), "{message}");
    // Read otherwise: the same files with another lesion.
    let mut inverted = params.clone();
    inverted.set_text(PARAMS, "lesion=inverted").unwrap();
    LAB.build(&inverted, 1, 8).experiment.restore(&saved).unwrap_err();
    fs::create_dir(folder.path().join("learnscope-masks")).unwrap();
    let corrected = folder.path().join("learnscope-masks/smooth (2)_mask.png");
    fs::copy(folder.path().join("smooth (1)_mask.png"), corrected).unwrap();
    let mut other = LAB.restored(&params, 1, 8, &saved);
    other.run_to(4);
    assert!(other.notices.iter().any(|(level, text)| *level == Level::Warning && text.contains("have changed")));
}

#[test]
fn what_does_not_fit_data_or_network_is_said() {
    let run = LAB.build(&params(&["loss=dice", "synthetic_images=60"]), 1, 3).begin();
    assert!(run.notices.iter().any(|(_, text)| text.contains("no gradient") && text.contains("dice-smooth")));
    // 18 training images in batches of 17 leave one.
    let deeplab = params(&["architecture=deeplab-mobilenetv2", "batch_size=17"]);
    let error = LAB.try_build(&deeplab, 1, 1).err().unwrap().to_string();
    assert!(error.contains("batch_size") && error.contains("last batch of one"), "{error}");
    let error = LAB.try_build(&params(&["synthetic_images=5000", "image_size=512"]), 1, 1).err().unwrap().to_string();
    assert!(error.contains("image_size") && error.contains("GiB"), "{error}");
    let mut fcn = LAB.build(&params(&["architecture=fcn-8s", "uncertainty_samples=2", "synthetic_images=10"]), 1, 1);
    fcn = fcn.begin();
    assert!(!fcn.payloads.keys().any(|(key, _)| key.starts_with("wall/uncertainty")), "FCN has no dropout layer");
}

#[test]
fn a_checkpoint_goes_on_with_its_own_parts_and_one_without_them_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    sample_set(folder.path(), 6);
    let path = format!("data={}", folder.path().display());
    let params = params(&["source=folder", &path]);
    let mut whole = LAB.build(&params, 1, 8).begin();
    whole.run_to(3);
    let saved = whole.experiment.checkpoint().unwrap();
    whole.run_to(8);
    // Meanwhile somebody names parts: a new run is split otherwise, this one goes on as it began.
    let rows: String =
        (1..=6).map(|i| format!("smooth ({i}),test\nirregular ({i}),train\nnormal ({i}),val\n")).collect();
    fs::write(folder.path().join("split.csv"), rows).unwrap();
    let other = LAB.build(&params, 1, 8).begin();
    assert!(other.payloads.iter().any(|((key, _), payload)| {
        key == "data/summary"
            && matches!(payload, Payload::Text(text) if text.contains("split as given by `split.csv`"))
    }));
    let mut resumed = LAB.restored(&params, 1, 8, &saved);
    resumed.run_to(8);
    assert_eq!(whole.after(3), resumed.after(3));
    // The last word is of the test set; nothing is to be told of the data.
    assert!(resumed.notices.iter().all(|(_, text)| text.starts_with("test set")), "{:?}", resumed.notices);
    // As an older version wrote it.
    let mut old = saved.clone();
    old.text.remove("parts");
    let mut refused = LAB.try_build(&params, 1, 8).unwrap();
    let message = refused.experiment.restore(&old).unwrap_err().to_string();
    assert!(message.contains("older version split folders by another rule"), "{message}");
    // An image has gone.
    fs::remove_file(folder.path().join("smooth (3).png")).unwrap();
    let mut refused = LAB.try_build(&params, 1, 8).unwrap();
    let message = refused.experiment.restore(&saved).unwrap_err().to_string();
    assert!(message.contains("belongs to other images"), "{message}");
}

#[test]
fn what_the_header_says_of_a_folder_tells_its_parts() {
    let folder = tempfile::tempdir().unwrap();
    sample_set(folder.path(), 4);
    let path = format!("data={}", folder.path().display());
    let described = |set: &[&str]| {
        let set: Vec<&str> = ["source=folder", &path].into_iter().chain(set.iter().copied()).collect();
        (SPEC.data)(&params(&set)).unwrap()
    };
    let first = described(&[]);
    assert!(first.contains("parts CRC-32"), "{first}");
    assert_eq!(described(&["split=random"]), first, "nothing is given");
    assert_ne!(described(&["split_seed=8"]), first);
    fs::write(folder.path().join("split.csv"), "smooth (1),train\nsmooth (2),val\nsmooth (3),test\n").unwrap();
    assert_ne!(described(&[]), first);
    assert_eq!(described(&["split=random"]), first);
}
