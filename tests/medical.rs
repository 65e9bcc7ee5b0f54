//! DICOM and NIfTI folders as people have them, through their importers: the pixels that pydicom and nibabel give, sizes of
//! pixels, slices of volumes, patients; damaged files. The files are made by `tests/medical/make.py`.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use image::DynamicImage;
use learnscope::data::picture_file::{Memory, about, size_of};
use learnscope::data::segmentation::Watch;
use learnscope::data::segmentation::listing::scan;
use learnscope::engine::params::Params;
use learnscope::labs::segmentation::params::PARAMS;
use learnscope::labs::segmentation::source::{SegmentationData, load};
use learnscope::pixels::spacing::{Spacing, Unit};
use serde_json::Value as Json;

use support::program::{ends, stdout, with_args};

fn made(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/medical").join(name)
}

fn pixels(path: &Path) -> Result<DynamicImage, String> {
    Memory::new(1 << 20).decode(path, |decoded| decoded.image)
}

#[test]
fn every_kind_of_storage_gives_the_pixels_that_pydicom_and_nibabel_give() {
    let expected: BTreeMap<String, Json> = serde_json::from_slice(&fs::read(made("expected.json")).unwrap()).unwrap();
    assert!(expected.len() > 12, "{}", expected.len());
    for (name, expected) in &expected {
        let image = pixels(&made(name)).unwrap_or_else(|problem| panic!("{name} {problem}"));
        let list = |key: &str| -> Option<Vec<i64>> {
            Some(expected.get(key)?.as_array()?.iter().map(|value| value.as_i64().unwrap()).collect())
        };
        let (ours, theirs): (Vec<i64>, Vec<i64>) = match (&image, list("grey"), list("rgb"), list("numbers")) {
            (DynamicImage::ImageLuma8(ours), Some(theirs), ..) => (ours.iter().map(|v| (*v).into()).collect(), theirs),
            (DynamicImage::ImageRgb8(ours), _, Some(theirs), _) => (ours.iter().map(|v| (*v).into()).collect(), theirs),
            (DynamicImage::ImageLuma16(ours), .., Some(theirs)) => (ours.iter().map(|v| (*v).into()).collect(), theirs),
            (other, ..) => panic!("{name} is read as {:?}", other.color()),
        };
        assert_eq!(ours.len(), theirs.len(), "{name}");
        // A shade may be rounded the other way; the JPEG has lost something.
        let most = expected.get("tolerance").and_then(Json::as_i64).unwrap_or(1);
        let worst = ours.iter().zip(&theirs).map(|(a, b)| (a - b).abs()).max().unwrap();
        assert!(worst <= most, "{name}: {worst} apart");
        let differ = ours.iter().zip(&theirs).filter(|(a, b)| a != b).count();
        assert!(most > 1 || 50 * differ < ours.len(), "{name}: {differ} of {} differ", ours.len());
    }
}

#[test]
fn files_say_how_large_a_pixel_is_in_millimetres_row_and_column() {
    for (name, row, column) in [
        ("kinds/ct_explicit.dcm", 0.7, 0.5),
        ("kinds/ct_big.dcm", 0.7, 0.5),
        ("kinds/ct_deflated.dcm", 0.7, 0.5),
        ("kinds/xray.dcm", 0.14, 0.14),
        // 0.015 cm downwards and 0.012 cm to the right, from the ultrasound region.
        ("kinds/ultrasound.dcm", 0.15, 0.12),
        ("kinds/mri z=2.nii", 0.6, 0.4),
        ("kinds/bytes.nii", 0.3, 0.3),
        ("kinds/two.nii", 0.3, 0.3),
        // 250 and 500 µm along x and y.
        ("micro/c0.nii", 0.5, 0.25),
        ("film/images/clip z=3.dcm", 0.1, 0.1),
    ] {
        let Spacing { row: height, column: width } = about(&made(name)).spacing.unwrap_or_else(|| panic!("{name}"));
        assert!((height - row).abs() < 1e-9 && (width - column).abs() < 1e-9, "{name}: {height} × {width}");
    }
    assert_eq!(about(&made("kinds/rgb.dcm")).spacing, None);
    assert_eq!(about(&made("ultrasound/images/case3.dcm")).patient.as_deref(), Some("P1"));
}

fn loaded(folder: &str, more: &[&str]) -> (Arc<SegmentationData>, Vec<String>) {
    let mut params = Params::defaults(PARAMS);
    let data = format!("data={}", made(folder).display());
    let shares = ["train_share=0.5", "validation_share=0.25"];
    for text in [&["source=folder", &data, "image_size=16"], &shares[..], more].concat() {
        params.set_text(PARAMS, text).unwrap();
    }
    let data = load(&params, Watch::nobody()).unwrap_or_else(|error| panic!("{folder}: {error}"));
    let names = data.items.iter().map(|item| item.name.clone()).collect();
    (data, names)
}

#[test]
fn folders_as_people_have_them_are_opened() {
    for (folder, images, first, spacing, more) in [
        ("ultrasound", 8, "images/case0", Some((0.2, 0.3)), &[][..]),
        ("ct", 4, "a0", None, &[]),
        ("nnunet", 12, "imagesTr/case_0_0000 z=0", Some((0.8, 0.5)), &[]),
        ("micro", 4, "c0", Some((0.5, 0.25)), &[]),
    ] {
        let listing = scan(&made(folder), None, Watch::nobody()).unwrap();
        assert_eq!(listing.pairs.len(), images, "{folder}: {:?}", listing.describe());
        assert!(listing.problems.is_empty() && listing.unpaired_masks.is_empty(), "{folder}: {:?}", listing.problems);
        let (data, names) = loaded(folder, more);
        assert_eq!((data.items.len(), names[0].as_str()), (images, first), "{folder}");
        assert!(data.items.iter().all(|item| (20..200).contains(&item.truth.area())), "{folder}");
        let found = data.spacing(0).map(|spacing| (spacing.row, spacing.column));
        if let Some(expected) = spacing {
            assert_eq!((found, data.unit()), (Some(expected), Unit::Millimetres), "{folder}: {:?}", data.summary);
            assert!(data.summary.iter().any(|line| line.contains("distances are in mm")), "{:?}", data.summary);
        } else {
            let all = data.spacings.iter().all(|spacing| (spacing.row, spacing.column) == (0.7, 0.7));
            assert!(all && data.in_millimetres(), "{folder}: {:?}", data.summary);
        }
        let (pixels, _) = loaded(folder, &["spacing=pixels"]);
        assert_eq!(pixels.unit(), Unit::Pixels, "{folder}");
        let (typed, _) = loaded(folder, &["spacing=0.25,1"]);
        assert_eq!(typed.spacing(images - 1), Some(Spacing { row: 0.25, column: 1.0 }), "{folder}");
    }
}

#[test]
fn files_without_an_ending_are_known_by_their_first_bytes() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("images")).unwrap();
    fs::create_dir_all(folder.path().join("masks")).unwrap();
    for k in 0..3 {
        fs::copy(made(&format!("ct/a{k}.dcm")), folder.path().join(format!("images/IM00000{k}"))).unwrap();
        fs::copy(made(&format!("ct/a{k}_mask.dcm")), folder.path().join(format!("masks/IM00000{k}"))).unwrap();
    }
    fs::write(folder.path().join("LICENSE"), "text").unwrap();
    let listing = scan(folder.path(), None, Watch::nobody()).unwrap();
    assert_eq!((listing.pairs.len(), listing.other_files), (3, 1), "{:?}", listing.describe());
    assert!(about(&listing.pairs[0].image).spacing.is_some());
}

#[test]
fn patients_and_volumes_are_never_split() {
    let part = |data: &SegmentationData, at: usize| data.parts[at];
    let (volumes, names) = loaded("nnunet", &[]);
    for (at, name) in names.iter().enumerate() {
        let first = names.iter().position(|other| other.split(" z=").next() == name.split(" z=").next()).unwrap();
        assert_eq!(part(&volumes, at), part(&volumes, first), "{name}");
    }
    assert!(volumes.summary.iter().any(|line| line.contains("4 volumes, whose slices stay together")));
    let (patients, names) = loaded("ultrasound", &[]);
    assert_eq!(names.len(), 8);
    assert!((0..4).all(|patient| part(&patients, 2 * patient) == part(&patients, 2 * patient + 1)));
    assert!(patients.summary.iter().any(|line| line.contains("4 patients as files say")), "{:?}", patients.summary);
    // All of one name, as files have it whose patients were made unknown: that cannot be meant.
    let (unknown, _) = loaded("ct", &[]);
    assert!(!unknown.train.is_empty() && !unknown.validation.is_empty());
    // One film alone has nothing to be validated on.
    let mut params = Params::defaults(PARAMS);
    for text in ["source=folder", &format!("data={}", made("film").display())] {
        params.set_text(PARAMS, text).unwrap();
    }
    let problem = load(&params, Watch::nobody()).unwrap_err().to_string();
    assert!(problem.contains("each needs at least one"), "{problem}");
    let listing = scan(&made("film"), None, Watch::nobody()).unwrap();
    assert_eq!(listing.pairs.len(), 4, "each frame with the slice of its mask: {:?}", listing.describe());
}

#[test]
fn damaged_files_are_refused_with_words() {
    let folder = tempfile::tempdir().unwrap();
    for name in [
        "kinds/ct_explicit.dcm",
        "kinds/ct_rle.dcm",
        "kinds/ct_deflated.dcm",
        "kinds/jpeg.dcm",
        "kinds/bytes.nii",
        "kinds/mri.nii.gz",
        "film/images/clip.dcm",
    ] {
        let bytes = fs::read(made(name)).unwrap();
        let file = Path::new(name).file_name().unwrap();
        let (path, slice) = match file.to_str().unwrap() {
            "mri.nii.gz" => (folder.path().join(file), folder.path().join("mri z=2.nii")),
            "clip.dcm" => (folder.path().join(file), folder.path().join("clip z=3.dcm")),
            _ => (folder.path().join(file), folder.path().join(file)),
        };
        for length in (0..bytes.len()).step_by(bytes.len() / 40) {
            fs::write(&path, &bytes[..length]).unwrap();
            let read = pixels(&slice).map(|image| image.color());
            let problem = read.expect_err(&format!("{name}, {length} of {} bytes", bytes.len()));
            assert!(problem.len() > 20 && !problem.contains("gave up"), "{name} of {length} bytes: {problem}");
        }
        // Every byte in turn is something else: read or refused, but never a panic.
        let heads = bytes.len().min(900);
        for at in (0..heads).step_by(7) {
            let mut odd = bytes.clone();
            odd[at] ^= 0xff;
            fs::write(&path, &odd).unwrap();
            let told = pixels(&slice).err().unwrap_or_default();
            assert!(!told.contains("gave up"), "{name}, byte {at}: {told}");
        }
        fs::remove_file(&path).unwrap();
    }
}

#[test]
fn what_is_not_read_is_refused_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    };
    let dicom = fs::read(made("kinds/jpeg.dcm")).unwrap();
    let at = dicom.windows(22).position(|part| part == b"1.2.840.10008.1.2.4.50").unwrap();
    let with = |uid: &[u8]| [&dicom[..at], uid, &dicom[at + 22..]].concat();
    let problem = size_of(&put("a.dcm", &with(b"1.2.840.10008.1.2.4.90"))).unwrap_err();
    assert!(problem.contains("packed as JPEG 2000") && problem.contains("gdcmconv"), "{problem}");
    let problem = pixels(&made("film/images/clip.dcm")).unwrap_err();
    assert!(problem.contains("holds 4 frames") && problem.contains("z=0"), "{problem}");
    let problem = pixels(&made("kinds/mri.nii.gz")).unwrap_err();
    assert!(problem.contains("holds 3 slices"), "{problem}");
    let problem = pixels(&made("kinds/mri z=3.nii")).unwrap_err();
    assert!(problem.contains("has no slice 3: there are 3"), "{problem}");
    // A few bytes that claim a volume of terabytes.
    let mut bomb = fs::read(made("kinds/bytes.nii")).unwrap();
    bomb[40..42].copy_from_slice(&3_i16.to_le_bytes());
    for axis in 1..4 {
        bomb[40 + 2 * axis..42 + 2 * axis].copy_from_slice(&i16::MAX.to_le_bytes());
    }
    let problem = size_of(&put("bomb.nii", &bomb)).unwrap_err();
    assert!(problem.contains("cut short"), "{problem}");
}

#[test]
fn a_run_and_a_prediction_are_measured_in_millimetres() {
    let home = tempfile::tempdir().unwrap();
    let data = made("nnunet").display().to_string();
    let set = ["image_size=16", "base=2", "steps=1", "batch_size=2", "train_share=0.5", "validation_share=0.25"];
    let mut line = vec!["run", "segmentation", "--device", "cpu", "--out", "runs", "--data", &data];
    line.extend(["--set", "source=folder"]);
    set.iter().for_each(|value| line.extend(["--set", *value]));
    let output = with_args(&home, &line).output().unwrap();
    let text = ends(&output, 0, &[]) + &support::program::stderr(&output);
    assert!(text.contains("a pixel is 0.8 × 0.5 mm (as the files say)"), "{text}");
    assert!(text.contains("(medpy, the paper's), mm"), "{text}");
    let run = fs::read_dir(home.path().join("runs")).unwrap().flatten().next().unwrap().path().display().to_string();
    let line = ["predict", "segmentation", "--device", "cpu", "--weights", &run, "--data", &data, "--out", "out"];
    let output = with_args(&home, &line).output().unwrap();
    ends(&output, 0, &[]);
    assert!(stdout(&output).contains(" mm, HD "), "{}", stdout(&output));
    let mut csv = csv::Reader::from_path(home.path().join("out/table.csv")).unwrap();
    let rows: Vec<BTreeMap<String, String>> = csv.deserialize().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 12);
    for row in &rows {
        let number = |key: &str| row[key].parse::<f64>().unwrap();
        assert_eq!((number("row_mm"), number("column_mm")), (0.8, 0.5));
        assert!((number("area_mm2") - 0.4 * number("area")).abs() < 1e-9, "{row:?}");
        assert!((number("true_area_mm2") - 0.4 * number("true_area")).abs() < 1e-9, "{row:?}");
        assert!(row.contains_key("hd95_mm") && !row.contains_key("hd95"), "{row:?}");
        assert!(home.path().join(format!("out/masks/{}.png", row["image"])).is_file());
    }
    // The same in pixels has the columns as ever.
    let line = [&line[..8], &["--out", "px", "--set", "spacing=pixels"]].concat();
    ends(&with_args(&home, &line).output().unwrap(), 0, &[]);
    let mut csv = csv::Reader::from_path(home.path().join("px/table.csv")).unwrap();
    assert!(csv.headers().unwrap().iter().any(|head| head == "hd95"));
    assert_eq!(csv.headers().unwrap().len(), 17);
}
