use std::path::Path;

use super::super::Watch;
use super::super::doctor::{Check, Exam, Finding, Severity, diagnose, duplicates, examine, kinds, summary};
use super::super::groups::{GroupRule, groups};
use super::super::listing::{CORRECTIONS, Listing, scan};
use super::super::read::{ReadLimits, Reader};
use super::super::split::{Split, split};
use super::super::testing::{save_image, save_mask};
use crate::data::synth::ultrasound::{UltrasoundSpec, picture};

const SIZE: (u32, u32) = (40, 30);
const LESION: [u32; 4] = [5, 5, 15, 15];

fn looked_over(folder: &Path, limits: ReadLimits) -> (Listing, Vec<Option<Exam>>, Vec<Finding>) {
    let listing = scan(folder, None, Watch::nobody()).unwrap();
    let read = Reader::new(limits).all(&listing.pairs, Watch::nobody(), |_, sample| examine(&sample));
    let mut exams: Vec<Option<Exam>> = vec![None; listing.pairs.len()];
    read.items.into_iter().for_each(|(i, exam)| exams[i] = Some(exam));
    let findings = diagnose(&listing, &exams, &read.problems, &duplicates(&exams), None);
    (listing, exams, findings)
}

/// The findings of one pair of files.
fn findings(prepare: impl Fn(&Path)) -> Vec<(Severity, Check, String)> {
    let folder = tempfile::tempdir().unwrap();
    save_image(folder.path(), "a.png", SIZE, 1);
    prepare(folder.path());
    let limits = ReadLimits { most_pixels: 5000, ..ReadLimits::default() };
    let (_, _, list) = looked_over(folder.path(), limits);
    assert!(list.iter().all(|finding| !finding.advice.is_empty() && finding.file.starts_with(folder.path())));
    list.into_iter().map(|finding| (finding.severity, finding.check, finding.problem)).collect()
}

fn one(prepare: impl Fn(&Path)) -> (Severity, Check, String) {
    let mut list = findings(prepare);
    assert_eq!(list.len(), 1, "{list:?}");
    list.remove(0)
}

fn grey_mask(folder: &Path, value: impl Fn(u32, u32) -> u8) {
    let mask = image::GrayImage::from_fn(SIZE.0, SIZE.1, |x, y| image::Luma([value(x, y)]));
    mask.save(folder.join("a_mask.png")).unwrap();
}

#[test]
fn a_sound_pair_has_no_findings() {
    assert_eq!(findings(|folder| save_mask(folder, "a_mask.png", SIZE, LESION)), []);
    assert_eq!(summary(&[]), "nothing found");
}

#[test]
fn masks_of_another_size_or_shape() {
    let (severity, check, text) = one(|folder| save_mask(folder, "a_mask.png", (80, 60), LESION));
    assert_eq!((severity, check), (Severity::Warning, Check::SizeMismatch));
    assert!(text.contains("80×60") && text.contains("40×30"), "{text}");
    let (severity, check, _) = one(|folder| save_mask(folder, "a_mask.png", (60, 60), LESION));
    assert_eq!((severity, check), (Severity::Error, Check::SizeMismatch));
}

#[test]
fn empty_several_and_scattered_masks() {
    let (severity, check, _) = one(|folder| save_mask(folder, "a_mask.png", SIZE, [0; 4]));
    assert_eq!((severity, check), (Severity::Note, Check::EmptyMask));
    let list = findings(|folder| {
        save_mask(folder, "a_mask.png", SIZE, LESION);
        save_mask(folder, "a_mask_1.png", SIZE, [20, 20, 22, 23]);
    });
    assert_eq!(list.iter().map(|finding| finding.1).collect::<Vec<_>>(), [Check::SeveralMasks, Check::SeveralRegions]);
    assert!(list[0].2.contains("2 masks") && list[1].2.contains("2 separate regions, the smallest of 6"), "{list:?}");
}

#[test]
fn masks_that_are_not_binary_or_too_large() {
    assert_eq!(findings(|folder| grey_mask(folder, |x, y| 2 * u8::from(x < 9 && y < 9))), []);
    let (severity, _, text) =
        one(|folder| grey_mask(folder, |x, y| if x < 9 && y < 9 { 255 - (x + y) as u8 * 12 } else { 0 }));
    assert!(severity == Severity::Warning && text.contains('%'), "{text}");
    let (severity, _, _) =
        one(|folder| grey_mask(folder, |x, y| if x == 9 && y < 9 { 200 } else { u8::from(x < 9 && y < 9) * 255 }));
    assert_eq!(severity, Severity::Note);
    let (severity, _, text) = one(|folder| grey_mask(folder, |x, y| u8::from(x < 9 && y < 9)));
    assert!(severity == Severity::Note && text.contains("0 and 1"), "{text}");
    let (severity, check, text) = one(|folder| save_mask(folder, "a_mask.png", SIZE, [0, 0, 40, 20]));
    assert_eq!((severity, check), (Severity::Warning, Check::LargeMask));
    assert!(text.contains("67 %"), "{text}");
    let (severity, check, _) = one(|folder| save_mask(folder, "a_mask.png", SIZE, [0, 0, 40, 30]));
    assert_eq!((severity, check), (Severity::Error, Check::LargeMask));
}

#[test]
fn unpaired_unreadable_flat_and_huge_files() {
    let with_mask = |folder: &Path| save_mask(folder, "a_mask.png", SIZE, LESION);
    let (severity, check, _) = one(|folder| {
        with_mask(folder);
        save_image(folder, "b.png", SIZE, 2);
    });
    assert_eq!((severity, check), (Severity::Warning, Check::UnpairedImage));
    let (_, check, _) = one(|folder| {
        with_mask(folder);
        save_mask(folder, "b_mask.png", SIZE, LESION);
    });
    assert_eq!(check, Check::UnpairedMask);
    // It may be the partner of a file that has none; here none is missing.
    let (severity, check, text) = one(|folder| {
        with_mask(folder);
        std::fs::write(folder.join("b.webp"), "RIFF").unwrap();
    });
    assert_eq!((severity, check), (Severity::Warning, Check::ForeignFiles));
    assert!(text.contains("1 WebP file is not read (b.webp)"), "{text}");
    let (severity, check, text) = one(|folder| {
        with_mask(folder);
        std::fs::write(folder.join("b.png"), "no picture").unwrap();
    });
    assert_eq!((severity, check), (Severity::Error, Check::Unreadable));
    assert!(text.contains("holds text, no picture"), "{text}");
    // Damaged behind its header.
    let (severity, check, _) = one(|folder| {
        with_mask(folder);
        let bytes = std::fs::read(folder.join("a.png")).unwrap();
        std::fs::write(folder.join("a.png"), &bytes[..bytes.len() / 2]).unwrap();
    });
    assert_eq!((severity, check), (Severity::Error, Check::Unreadable));
    let (_, check, _) = one(|folder| {
        with_mask(folder);
        image::GrayImage::new(SIZE.0, SIZE.1).save(folder.join("a.png")).unwrap();
    });
    assert_eq!(check, Check::FlatImage);
    let (_, check, text) = one(|folder| {
        save_image(folder, "a.png", (120, 90), 1);
        save_mask(folder, "a_mask.png", (120, 90), LESION);
    });
    assert!(check == Check::MadeSmaller && text.contains("1/2"), "{text}");
    let (_, check, _) = one(|folder| {
        with_mask(folder);
        save_mask(folder, &format!("{CORRECTIONS}/a_mask.png"), SIZE, LESION);
    });
    assert_eq!(check, Check::Corrected);
}

#[test]
fn measuring_marks() {
    let (severity, check, text) = one(|folder| {
        let marked = picture(2, 2, &UltrasoundSpec { height: 64, width: 64, calipers: true, ..Default::default() });
        image::RgbImage::from_raw(64, 64, marked.rgb).unwrap().save(folder.join("a.png")).unwrap();
        save_mask(folder, "a_mask.png", (64, 64), LESION);
    });
    assert_eq!((severity, check), (Severity::Warning, Check::Calipers));
    assert!(text.contains("coloured crosses"), "{text}");
}

#[test]
fn near_duplicates_are_an_error_across_the_split_alone() {
    let folder = tempfile::tempdir().unwrap();
    for i in 0..6 {
        save_image(folder.path(), &format!("{i}.png"), SIZE, if i == 5 { 2 } else { i });
        save_mask(folder.path(), &format!("{i}_mask.png"), SIZE, LESION);
    }
    let (listing, exams, list) = looked_over(folder.path(), ReadLimits::default());
    assert_eq!(duplicates(&exams), [(2, 5)]);
    assert_eq!(list.len(), 1);
    assert_eq!((list[0].severity, list[0].check), (Severity::Note, Check::NearDuplicate));
    let by_image = Split { train: vec![0, 1, 2], validation: vec![3], test: vec![4, 5] };
    let list = diagnose(&listing, &exams, &[], &[(2, 5)], Some(&by_image));
    assert_eq!((list[0].severity, list[0].check), (Severity::Error, Check::AcrossSplit));
    assert!(list[0].problem.contains("5.png") && list[0].problem.contains("in training and the other in test"));
    assert_eq!(summary(&list), "1 error, 0 warnings, 0 notes");
    for seed in 0..10 {
        let by_group = split(&groups(&listing.pairs, &GroupRule::None, &[(2, 5)], &[]), &[], [0.5, 0.25, 0.25], seed);
        let list = diagnose(&listing, &exams, &[], &[(2, 5)], Some(&by_group));
        assert_eq!(list[0].severity, Severity::Note, "seed {seed}");
    }
}

#[test]
fn one_picture_with_two_masks_or_two_classes_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    for (name, seed, lesion) in [
        ("benign (1)", 1, LESION),
        // Nearly the same mask.
        ("benign (2)", 1, [5, 5, 16, 15]),
        // Elsewhere.
        ("benign (3)", 1, [25, 15, 38, 28]),
        // The same picture under another class, and without a lesion.
        ("normal (1)", 1, [0; 4]),
        ("normal (2)", 2, [0; 4]),
        ("malignant (1)", 3, LESION),
        ("malignant (2)", 4, LESION),
    ] {
        save_image(folder.path(), &format!("{name}.png"), SIZE, seed);
        save_mask(folder.path(), &format!("{name}_mask.png"), SIZE, lesion);
    }
    // The same but for a few pixels.
    let mut picture = image::open(folder.path().join("malignant (1).png")).unwrap().to_luma8();
    picture.put_pixel(0, 0, image::Luma([picture.get_pixel(0, 0).0[0] ^ 1]));
    picture.save(folder.path().join("malignant (3).png")).unwrap();
    save_mask(folder.path(), "malignant (3)_mask.png", SIZE, [5, 5, 14, 9]);
    let (_, _, list) = looked_over(folder.path(), ReadLimits::default());
    let errors: Vec<String> = list
        .iter()
        .filter(|finding| finding.severity == Severity::Error)
        .map(|finding| {
            let name = |path: &Path| path.file_stem().unwrap().to_string_lossy().into_owned();
            let kind = if finding.check == Check::OtherMask { "mask" } else { "class" };
            let same = if finding.problem.contains("pixel for pixel the same as") { " same" } else { "" };
            let dice = finding.problem.split_once("Dice ").map_or("", |(_, rest)| &rest[..4]);
            format!("{kind} {}, {}{same} {dice}", name(&finding.file), name(finding.other.as_deref().unwrap()))
                .trim_end()
                .to_owned()
        })
        .collect();
    assert_eq!(
        errors,
        [
            "mask benign (1), benign (3) same 0.00",
            "mask benign (1), normal (1) same 0.00",
            "mask benign (2), benign (3) same 0.00",
            "mask benign (2), normal (1) same 0.00",
            "mask benign (3), normal (1) same 0.00",
            "class benign (1), normal (1) same",
            "class benign (2), normal (1) same",
            "class benign (3), normal (1) same",
        ],
        "{list:#?}"
    );
    assert_eq!(kinds(&list)[..2], [(Severity::Error, Check::OtherMask, 5), (Severity::Error, Check::OtherClass, 3)]);
    // A folder for every patient is no class.
    let folder = tempfile::tempdir().unwrap();
    for patient in ["p1", "p2", "p3"] {
        save_image(folder.path(), &format!("{patient}/a.png"), SIZE, 1);
        save_mask(folder.path(), &format!("{patient}/a_mask.png"), SIZE, LESION);
    }
    let (_, _, list) = looked_over(folder.path(), ReadLimits::default());
    assert!(list.iter().all(|finding| finding.check == Check::NearDuplicate), "{list:?}");
}

#[test]
fn the_worst_comes_first() {
    let list = findings(|folder| {
        save_mask(folder, "a_mask.png", (60, 60), [0; 4]);
        save_image(folder, "b.png", SIZE, 2);
        std::fs::write(folder.join("c.png"), "").unwrap();
    });
    let order: Vec<Severity> = list.iter().map(|finding| finding.0).collect();
    assert_eq!(order, [Severity::Error, Severity::Error, Severity::Warning, Severity::Note]);
}
