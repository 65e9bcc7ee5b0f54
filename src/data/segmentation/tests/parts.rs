//! Parts that a data set names itself, and what is said of parts.

use std::path::Path;

use super::super::Watch;
use super::super::doctor::{Check, Exam, Severity, duplicates, examine_pair};
use super::super::groups::GroupRule;
use super::super::listing::{Listing, scan};
use super::super::plan::{Seen, SplitChoice, SplitPlan, plan};
use super::super::read::{Reader, Rules};
use super::super::split::Part;
use super::super::testing::{place, save_image, save_mask};

const SIZE: (u32, u32) = (24, 16);

/// A pair in parallel folders below `folder`.
pub fn pair(root: &Path, folder: &str, name: &str, seed: u32) {
    let root = root.join(folder);
    save_image(&root, &format!("images/{name}.png"), SIZE, seed);
    save_mask(&root, &format!("masks/{name}.png"), SIZE, [4, 4, 5 + seed % 9, 10]);
}

fn listed(root: &Path) -> Listing {
    scan(root, None, Watch::nobody()).unwrap()
}

pub fn planned(listing: &Listing, choice: &SplitChoice) -> SplitPlan {
    let reader = Reader::default();
    let read =
        reader.all(&listing.pairs, Watch::nobody(), |i, sample| examine_pair(&reader, &listing.pairs[i], &sample));
    let mut exams: Vec<Option<Exam>> = vec![None; listing.pairs.len()];
    read.items.into_iter().for_each(|(i, exam)| exams[i] = Some(exam));
    let duplicates = duplicates(&exams);
    let rules = Rules::default();
    plan(Seen { listing, exams: &exams, rules: &rules, unread: &read.problems, duplicates: &duplicates }, choice)
}

/// `name of the image: part` of every pair, in order.
fn parts(listing: &Listing, plan: &SplitPlan) -> Vec<(String, Option<Part>)> {
    listing.pairs.iter().enumerate().map(|(i, pair)| (pair.name.clone(), plan.split.part(i))).collect()
}

fn all_in(listing: &Listing, plan: &SplitPlan, words: &str, part: Part) -> bool {
    let of_words: Vec<_> = parts(listing, plan).into_iter().filter(|(name, _)| name.contains(words)).collect();
    !of_words.is_empty() && of_words.iter().all(|(_, of)| *of == Some(part))
}

#[test]
fn folders_named_as_parts_are_parts_at_any_level_in_any_case() {
    for [train, val, test] in [
        ["train", "val", "test"],
        ["Training", "valid", "Test"],
        ["data/TRAIN", "data/Validation", "data/testing"],
        ["TrainDataset", "ValDataset", "TestDataset"],
        ["set_train", "set_dev", "set_test"],
    ] {
        let folder = tempfile::tempdir().unwrap();
        for i in 0..12 {
            let part = [train, train, train, val, test][i % 5];
            pair(folder.path(), part, &format!("s{i}"), i as u32);
        }
        let listing = listed(folder.path());
        assert_eq!(listing.pairs.len(), 12, "{train}: {listing:?}");
        let plan = planned(&listing, &SplitChoice::default());
        for (words, part) in [(train, Part::Train), (val, Part::Validation), (test, Part::Test)] {
            assert!(all_in(&listing, &plan, words, part), "{train}: {:?}", parts(&listing, &plan));
        }
        let text = plan.lines.join("\n");
        assert!(text.contains("split as given by the folders"), "{text}");
        assert!(
            listing.pairs.iter().all(|pair| pair.class.as_deref().is_none_or(|class| ["set", "data"].contains(&class))),
            "{listing:?}"
        );
        // On request they are mixed.
        let mixed = planned(&listing, &SplitChoice { as_given: false, ..SplitChoice::default() });
        assert!(!all_in(&listing, &mixed, train, Part::Train), "{train}");
        assert!(mixed.lines.join("\n").contains("the parts that are given by"), "{:?}", mixed.lines);
    }
}

#[test]
fn parts_lie_within_folders_of_images_or_beside_classes_and_are_no_classes() {
    let folder = tempfile::tempdir().unwrap();
    for (i, (class, part)) in [("benign", "train"), ("malignant", "train"), ("benign", "val"), ("malignant", "test")]
        .into_iter()
        .cycle()
        .take(16)
        .enumerate()
    {
        save_image(folder.path(), &format!("images/{part}/{class}/{i}.png"), SIZE, i as u32);
        save_mask(folder.path(), &format!("masks/{part}/{class}/{i}.png"), SIZE, [4, 4, 9, 9]);
    }
    let listing = listed(folder.path());
    let mut classes = listing.classes();
    classes.sort();
    assert_eq!(classes, [("benign".to_owned(), 8), ("malignant".to_owned(), 8)]);
    let plan = planned(&listing, &SplitChoice::default());
    assert_eq!((plan.split.train.len(), plan.split.validation.len(), plan.split.test.len()), (8, 4, 4));
    // Each part has one class but for training: said in the doctor's list.
    let unlike: Vec<&str> =
        plan.findings.iter().filter(|f| f.check == Check::UnlikeParts).map(|f| f.problem.as_str()).collect();
    assert!(unlike.contains(&"validation has no image of `malignant`"), "{unlike:?}");
    assert!(unlike.contains(&"test has no image of `benign`"), "{unlike:?}");
}

#[test]
fn a_missing_validation_comes_out_of_training_and_the_test_stays() {
    let folder = tempfile::tempdir().unwrap();
    for i in 0..20 {
        // nnU-Net's names.
        let (part, number) = if i < 16 { ("Tr", i) } else { ("Ts", i) };
        save_image(folder.path(), &format!("images{part}/case_{number:03}_0000.png"), SIZE, i);
        save_mask(folder.path(), &format!("labels{part}/case_{number:03}.png"), SIZE, [4, 4, 9, 9]);
    }
    let listing = listed(folder.path());
    assert_eq!(listing.pairs.len(), 20);
    let plan = planned(&listing, &SplitChoice::default());
    assert_eq!((plan.split.train.len(), plan.split.validation.len()), (12, 4));
    assert_eq!(plan.split.test, [16, 17, 18, 19]);
    assert!(plan.lines.iter().any(|line| line.contains("no validation is given: 4 images are taken out of training")));
}

#[test]
fn folders_that_say_nothing_of_a_split_are_classes_as_ever() {
    for (folders, told) in
        [(["control", "test"], true), (["train", "train/more"], true), (["a", "training_test"], false)]
    {
        let folder = tempfile::tempdir().unwrap();
        for i in 0..12 {
            pair(folder.path(), folders[i % 2], &format!("s{i}"), i as u32);
        }
        let listing = listed(folder.path());
        assert_eq!(listing.given, None, "{folders:?}");
        let plan = planned(&listing, &SplitChoice::default());
        assert!(!plan.split.train.is_empty() && !plan.split.validation.is_empty() && !plan.split.test.is_empty());
        assert_eq!(!listing.notes.is_empty(), told, "{folders:?}: {:?}", listing.notes);
    }
    // A test set beside the images is one.
    let folder = tempfile::tempdir().unwrap();
    for i in 0..12 {
        pair(folder.path(), if i < 9 { "" } else { "test" }, &format!("s{i}"), i);
    }
    let listing = listed(folder.path());
    let plan = planned(&listing, &SplitChoice::default());
    assert!(all_in(&listing, &plan, "test/", Part::Test) && plan.split.test.len() == 3, "{:?}", parts(&listing, &plan));
}

/// Twelve pairs `s0` to `s11` with a file beside them.
fn with_file(name: &str, text: &str) -> (tempfile::TempDir, Listing) {
    let folder = tempfile::tempdir().unwrap();
    for i in 0..12 {
        pair(folder.path(), "", &format!("s{i}"), i);
    }
    std::fs::write(place(folder.path(), name), text).unwrap();
    let listing = listed(folder.path());
    (folder, listing)
}

#[test]
fn a_table_of_names_and_parts_is_taken_as_it_is() {
    let row = |i: usize, sep: &str, extension: &str| {
        let part = ["train", "val", "Test"][if i < 8 { 0 } else { (i - 8) / 2 + 1 }];
        format!("s{i}{extension}{sep}{part}\n")
    };
    let rows = |sep: &str, extension: &str| (0..12).map(|i| row(i, sep, extension)).collect::<String>();
    let swapped: String = (0..12)
        .map(|i| format!("{i},{},images/s{i}.png\r\n", row(i, ",", "").trim().rsplit(',').next().unwrap()))
        .collect();
    for (name, text) in [
        ("split.csv", format!("image,split\n{}", rows(",", ".png"))),
        ("splits.tsv", format!("file\tset\n{}", rows("\t", ""))),
        ("dataset_split.csv", format!("\u{feff}sep=;\nname;part\n{}", rows(";", ".jpg"))),
        ("split.txt", rows(" ", "")),
        ("meta/split.csv", format!("id,subset,path\r\n{swapped}")),
    ] {
        let (_folder, listing) = with_file(name, &text);
        let plan = planned(&listing, &SplitChoice::default());
        assert_eq!(plan.split.train, (0..8).collect::<Vec<_>>(), "{name}: {:?}", listing.notes);
        assert_eq!((&plan.split.validation[..], &plan.split.test[..]), (&[8, 9][..], &[10, 11][..]), "{name}");
        let file = name.rsplit('/').next().unwrap();
        assert!(plan.lines.join("\n").contains(&format!("split as given by `{file}`")), "{:?}", plan.lines);
        assert!(plan.findings.iter().all(|finding| finding.check != Check::GivenParts), "{:?}", plan.findings);
    }
}

#[test]
fn what_a_table_leaves_open_is_told() {
    let (_folder, listing) =
        with_file("split.csv", "image,split\ns0,train\ns1,train\ns2,val\ns2,train\ns77,test\ns3,test\n");
    let plan = planned(&listing, &SplitChoice::default());
    assert_eq!(
        (&plan.split.train[..], &plan.split.validation[..], &plan.split.test[..]),
        (&[0, 1][..], &[2][..], &[3][..])
    );
    let told: Vec<&str> =
        plan.findings.iter().filter(|f| f.check == Check::GivenParts).map(|f| f.problem.as_str()).collect();
    for words in ["1 image that no pair has: `s77`", "1 image is in two parts", "8 images are not named in `split.csv`"]
    {
        assert!(told.iter().any(|text| text.contains(words)), "{words}: {told:?}");
    }
    let (_folder, listing) = with_file("split.csv", "nothing,of\nthe,kind\n");
    assert_eq!(listing.given, None);
    assert!(
        listing.describe().join("\n").contains("`split.csv` is not used: no column has names"),
        "{:?}",
        listing.notes
    );
    // A split that was meant and cannot be used is no small thing.
    let accused = |choice: &SplitChoice| {
        let findings = planned(&listing, choice).findings;
        findings.iter().any(|f| f.severity == Severity::Error && f.problem.starts_with("is not used: no column"))
    };
    assert!(accused(&SplitChoice::default()));
    assert!(!accused(&SplitChoice { as_given: false, ..SplitChoice::default() }), "that is what was chosen");
}

#[test]
fn a_part_without_images_to_train_or_validate_on_is_an_error() {
    let all: String = (0..12).map(|i| format!("s{i}.png,test\n")).collect();
    let (_folder, listing) = with_file("split.csv", &format!("image,split\n{all}"));
    let findings = planned(&listing, &SplitChoice::default()).findings;
    let told = |words: &str| findings.iter().any(|f| f.severity == Severity::Error && f.problem.contains(words));
    assert!(told("no image is left for training by") && told("no image is left for validation by"), "{findings:?}");
}

#[test]
fn folds_are_counted_and_chosen() {
    let list = |numbers: std::ops::Range<usize>| numbers.map(|i| format!("\"s{i}\"")).collect::<Vec<_>>().join(", ");
    let fold = |low: usize, high: usize| {
        let train = [list(0..low), list(high..12)].into_iter().filter(|list| !list.is_empty()).collect::<Vec<_>>();
        format!("{{\"train\": [{}], \"val\": [{}]}}", train.join(", "), list(low..high))
    };
    let json = format!("[{}, {}, {}]", fold(0, 4), fold(4, 8), fold(8, 12));
    let csv = format!("image,fold\n{}", (0..12).map(|i| format!("s{i}.png,{}\n", i / 4)).collect::<String>());
    for (name, text) in [("splits_final.json", &json), ("folds.csv", &csv)] {
        let (_folder, listing) = with_file(name, text);
        for number in 0..3 {
            let choice = SplitChoice { fold: number, ..SplitChoice::default() };
            let plan = planned(&listing, &choice);
            assert_eq!(plan.split.validation, (4 * number..4 * number + 4).collect::<Vec<_>>(), "{name}");
            assert_eq!((plan.split.train.len(), plan.split.test.len()), (8, 0), "{name}");
            let text = plan.lines.join("\n");
            assert!(
                text.contains(&format!("`{name}`, fold {number} of 3")) && text.contains("no test is given"),
                "{text}"
            );
        }
        let (key, problem) = SplitChoice { fold: 3, ..SplitChoice::default() }.check(&listing).unwrap_err();
        assert!(key == "fold" && problem.contains("3 folds; choose one from 0 to 2"), "{problem}");
    }
    let one = format!("{{\"train\": [{}], \"val\": [{}], \"test\": [{}]}}", list(0..8), list(8..10), list(10..12));
    let (_folder, listing) = with_file("split.json", &one);
    assert_eq!(planned(&listing, &SplitChoice::default()).split.test, [10, 11]);
}

#[test]
fn lists_of_names_are_parts() {
    let (folder, _) = with_file("train.txt", &(0..8).map(|i| format!("images/s{i}.png\n")).collect::<String>());
    std::fs::write(folder.path().join("val.txt"), "s8\ns9\n").unwrap();
    std::fs::write(folder.path().join("test.txt"), "s10\r\ns11\r\n").unwrap();
    let listing = listed(folder.path());
    let plan = planned(&listing, &SplitChoice::default());
    assert_eq!(
        (plan.split.train.len(), &plan.split.validation[..], &plan.split.test[..]),
        (8, &[8, 9][..], &[10, 11][..])
    );
}

#[test]
fn a_patient_on_both_sides_of_fixed_parts_is_an_error_with_names() {
    for rule in [GroupRule::Pattern("{group}_*".to_owned()), GroupRule::Folder] {
        let folder = tempfile::tempdir().unwrap();
        for i in 0..12_u32 {
            let (patient, part) = (i / 3, if i < 7 { "train" } else { "test" });
            pair(folder.path(), &format!("{part}/p{patient}"), &format!("p{patient}_{i}"), i);
        }
        let listing = listed(folder.path());
        let plan = planned(&listing, &SplitChoice { rule: rule.clone(), ..SplitChoice::default() });
        let torn: Vec<_> = plan.findings.iter().filter(|f| f.check == Check::GroupAcrossParts).collect();
        assert_eq!(torn.len(), 1, "{rule:?}: {:?}", plan.findings);
        assert_eq!(torn[0].severity, Severity::Error);
        for words in ["p2", "p2_6", "p2_7", "test"] {
            assert!(torn[0].problem.contains(words), "{}", torn[0].problem);
        }
        // At random they keep together.
        let plan = planned(&listing, &SplitChoice { rule, as_given: false, ..SplitChoice::default() });
        assert!(plan.findings.iter().all(|f| f.check != Check::GroupAcrossParts));
    }
}

#[test]
fn groups_by_class_folder_are_told_to_leave_parts_without_a_class() {
    let folder = tempfile::tempdir().unwrap();
    for i in 0..18 {
        pair(folder.path(), ["benign", "malignant", "normal"][i % 3], &format!("s{i}"), i as u32);
    }
    let listing = listed(folder.path());
    let plan = planned(&listing, &SplitChoice { rule: GroupRule::Folder, ..SplitChoice::default() });
    let warned =
        plan.findings.iter().filter(|f| f.check == Check::UnlikeParts && f.problem.contains("has no image of"));
    assert!(warned.count() >= 3, "{:?}", plan.findings);
    let by_image = planned(&listing, &SplitChoice::default());
    assert!(by_image.findings.iter().all(|f| f.check != Check::UnlikeParts), "{:?}", by_image.findings);
}

#[test]
fn a_corrected_mask_leaves_every_image_in_its_part() {
    let folder = tempfile::tempdir().unwrap();
    for i in 0..20 {
        pair(folder.path(), "a", &format!("s{i}"), i);
    }
    let before = planned(&listed(folder.path()), &SplitChoice::default()).split;
    for i in 0..10 {
        save_mask(folder.path(), &format!("learnscope-masks/a/masks/s{i}.png"), SIZE, [0, 0, 20, 14]);
    }
    let listing = listed(folder.path());
    assert_eq!(listing.pairs.iter().filter(|pair| pair.corrected.is_some()).count(), 10);
    assert_eq!(planned(&listing, &SplitChoice::default()).split, before);
}

#[test]
fn names_that_look_like_patients_are_offered_as_groups() {
    let of_names = |names: &[&str], rule: GroupRule| {
        let folder = tempfile::tempdir().unwrap();
        names.iter().enumerate().for_each(|(i, name)| pair(folder.path(), "", name, i as u32));
        let plan = planned(&listed(folder.path()), &SplitChoice { rule, ..SplitChoice::default() });
        plan.findings.into_iter().find(|f| f.check == Check::MaybePatients).map(|f| f.advice)
    };
    let slices = ["p00_0", "p00_1", "p01_0", "p01_1", "p02_0", "p02_1"];
    assert_eq!(of_names(&slices, GroupRule::None).unwrap(), "set group_by=pattern and group_pattern={group}_*");
    let sides = ["bus_0001-l", "bus_0001-r", "bus_0002-l", "bus_0002-s"];
    assert!(of_names(&sides, GroupRule::None).unwrap().ends_with("{group}-*"));
    assert_eq!(of_names(&slices, GroupRule::Pattern("{group}_*".to_owned())), None);
    for names in
        [["img_1", "img_2", "img_3", "img_4"], ["a1_x", "a2_x", "a3_x", "a4_x"], ["one", "two", "three", "four"]]
    {
        assert_eq!(of_names(&names, GroupRule::None), None, "{names:?}");
    }
}

#[test]
fn folds_of_a_folder_keep_groups_together_and_test_every_image_once() {
    let folder = tempfile::tempdir().unwrap();
    for i in 0..30_u32 {
        // Ten patients of three images each.
        pair(folder.path(), ["benign", "malignant"][i as usize / 15], &format!("p{:02}_{}", i / 3, i % 3), i);
    }
    let listing = listed(folder.path());
    let rule = GroupRule::Pattern("{group}_*".to_owned());
    let mut tested = Vec::new();
    for fold in 0..5 {
        let choice = SplitChoice { rule: rule.clone(), folds: 5, fold, seed: 3, ..SplitChoice::default() };
        choice.check(&listing).unwrap();
        let plan = planned(&listing, &choice);
        assert_eq!(plan.split.test.len(), 6, "two patients");
        assert!(!plan.split.train.is_empty() && !plan.split.validation.is_empty());
        for part in Part::ALL {
            for &pair in plan.split.pairs(part) {
                let of_patient = (0..30).filter(|&other| plan.groups[other] == plan.groups[pair]);
                assert!(
                    of_patient.clone().count() == 3 && of_patient.clone().all(|o| plan.split.part(o) == Some(part))
                );
            }
        }
        let text = plan.lines.join("\n");
        assert!(text.contains(&format!("cross-validation: fold {fold} of 5 (0 to 4) is tested on")), "{text}");
        tested.extend(plan.split.test);
    }
    tested.sort_unstable();
    assert_eq!(tested, (0..30).collect::<Vec<_>>());
    let (key, problem) = SplitChoice { folds: 5, fold: 5, ..SplitChoice::default() }.check(&listing).unwrap_err();
    assert_eq!(key, "fold");
    assert!(problem.contains("choose one from 0 to 4"), "{problem}");
}

#[test]
fn folds_and_parts_that_are_given_do_not_go_together() {
    let folder = tempfile::tempdir().unwrap();
    for i in 0..12_u32 {
        pair(folder.path(), ["train", "val", "test"][i as usize % 3], &format!("s{i}"), i);
    }
    let listing = listed(folder.path());
    let both = SplitChoice { folds: 3, ..SplitChoice::default() };
    let (key, problem) = both.check(&listing).unwrap_err();
    assert_eq!(key, "folds");
    assert!(problem.contains("set `split` to random"), "{problem}");
    let random = SplitChoice { as_given: false, ..both };
    random.check(&listing).unwrap();
    assert_eq!(planned(&listing, &random).split.test.len(), 4);
}
