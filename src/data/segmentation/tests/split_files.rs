//! Files of parts as people write them: what is understood, what is said of the rest, and that what is in doubt is not
//! trained on.

use std::path::Path;

use super::super::Watch;
use super::super::doctor::Severity;
use super::super::listing::{Listing, scan};
use super::super::plan::{SplitChoice, SplitPlan};
use super::super::split::Part;
use super::super::testing::{place, save_image, save_mask};
use super::parts::planned;

const SIZE: (u32, u32) = (24, 16);

/// Pairs of these names (with folders) below `images` and `masks`, and a file beside them.
fn folder(names: &[&str], file: &str, bytes: &[u8]) -> (tempfile::TempDir, Listing) {
    let folder = tempfile::tempdir().unwrap();
    for (i, name) in names.iter().enumerate() {
        save(folder.path(), name, i as u32);
    }
    std::fs::write(place(folder.path(), file), bytes).unwrap();
    let listing = scan(folder.path(), None, Watch::nobody()).unwrap();
    (folder, listing)
}

/// `benign/7` lies in `benign/images` and `benign/masks`.
fn save(root: &Path, name: &str, seed: u32) {
    let (place, name) = name.rsplit_once('/').map_or((root.to_owned(), name), |(place, name)| (root.join(place), name));
    save_image(&place, &format!("images/{name}.png"), SIZE, seed);
    save_mask(&place, &format!("masks/{name}.png"), SIZE, [4, 4, 5 + seed % 9, 10]);
}

const TWELVE: [&str; 12] = ["s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11"];

/// The parts as a letter for every pair, `-` for none, and all findings as `severity: problem`.
fn read(names: &[&str], file: &str, bytes: impl AsRef<[u8]>) -> (String, Vec<String>) {
    let (_folder, listing) = folder(names, file, bytes.as_ref());
    judged(&listing, &SplitChoice::default())
}

fn judged(listing: &Listing, choice: &SplitChoice) -> (String, Vec<String>) {
    let plan = planned(listing, choice);
    let findings = plan.findings.iter().map(|finding| format!("{}: {}", finding.severity.word(), finding.problem));
    (letters(listing, &plan), findings.collect())
}

fn letters(listing: &Listing, plan: &SplitPlan) -> String {
    let letter = |pair| plan.split.part(pair).map_or('-', |part| ['t', 'v', 'e'][part as usize]);
    if listing.given.is_none() { "random".to_owned() } else { (0..listing.pairs.len()).map(letter).collect() }
}

/// Part of the twelve: eight, two and two.
fn part(i: usize) -> &'static str {
    ["train", "val", "test"][if i < 8 { 0 } else { (i - 8) / 2 + 1 }]
}

const AS_WANTED: &str = "ttttttttvvee";

fn rows(row: impl Fn(usize, &str) -> String) -> String {
    (0..12).map(|i| row(i, part(i)) + "\n").collect()
}

#[track_caller]
fn told(findings: &[String], words: &str) {
    assert!(findings.iter().any(|text| text.contains(words)), "{words}: {findings:#?}");
}

#[test]
fn a_misspelt_part_is_named_with_its_line_and_its_image_is_in_no_part() {
    let typo = |wrong: &[usize]| {
        let row = |i: usize, part: &str| format!("s{i}.png,{}", if wrong.contains(&i) { "trian" } else { part });
        format!("image,split\n{}", rows(row))
    };
    let (parts, findings) = read(&TWELVE, "split.csv", typo(&[10]));
    assert_eq!(parts, "ttttttttvv-e");
    told(&findings, "error: line 12: `trian` is none of train, val, test, so that its image is in no part");
    let (parts, findings) = read(&TWELVE, "split.csv", typo(&[0, 1, 10]));
    assert_eq!(parts, "--ttttttvv-e");
    told(
        &findings,
        "error: 3 rows hold none of train, val, test, so that their images are in no part: `trian` (line 2)",
    );
    // Without a heading, and in the first row.
    let plain = typo(&[0]).replace("image,split\n", "");
    let (parts, findings) = read(&TWELVE, "split.csv", plain);
    assert_eq!(parts, "-tttttttvvee");
    told(&findings, "line 1: `trian`");
}

#[test]
fn files_are_read_as_people_and_spreadsheets_write_them() {
    let plain = format!("image,split\n{}", rows(|i, part| format!("s{i}.png,{part}")));
    let utf16 = |text: &str, swap: bool| -> Vec<u8> {
        let units = format!("\u{feff}{text}").encode_utf16().collect::<Vec<u16>>();
        units.into_iter().flat_map(|unit| if swap { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
    };
    let tabs = plain.replace(',', "\t").replace('\n', "\r\n");
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("UTF-16", utf16(&tabs, false)),
        ("UTF-16, other order", utf16(&tabs, true)),
        ("BOM", format!("\u{feff}{plain}").into()),
        ("comment", format!("# made by hand, with care\n\n{plain}# end\n").into()),
        ("title", format!("My split;of the data;\n{}", plain.replace(',', ";")).into()),
        ("sep", format!("sep=;\r\n{}", plain.replace(',', ";")).into()),
        ("quoted sep", format!("\"sep=;\"\n{}", plain.replace(',', ";")).into()),
        ("upper case", plain.to_uppercase().into()),
        ("empty lines", plain.replace('\n', "\n\n\n").into()),
        ("empty columns", plain.replace('\n', ",,,\n").into()),
        ("old Mac", plain.replace('\n', "\r").into()),
        ("quotes", rows(|i, part| format!("\"s{i}.png\" , '{part}'")).into()),
        ("whole lines quoted", rows(|i, part| format!("\"s{i}.png,{part}\"")).into()),
        ("bars", plain.replace(',', " | ").into()),
        ("spaces", rows(|i, part| format!("s{i}.png    {part}")).into()),
        ("other way round", rows(|i, part| format!("{part} s{i}")).into()),
        ("foreign heading", format!("Bild;Teil\n{}", rows(|i, part| format!("s{i}.png;{part}"))).into()),
        ("Windows-1252", [b"image;split;\xfcber\n".to_vec(), rows(|i, p| format!("s{i};{p};x")).into()].concat()),
        ("paths of masks", rows(|i, part| format!("masks/s{i}.png,{part}")).into()),
        ("paths of Windows", rows(|i, part| format!("D:\\data\\images\\s{i}.PNG,{part}")).into()),
        ("dots before", rows(|i, part| format!("./images/s{i}.png,{part}")).into()),
        ("dots above", rows(|i, part| format!("../data/s{i},{part}")).into()),
        (
            "other words",
            rows(|i, part| {
                format!(
                    "s{i},{}",
                    part.replace("train", "Training set").replace("val", "DEV").replace("test", "hold-out test")
                )
            })
            .replace("hold-out test", "Testing")
            .into(),
        ),
        ("evaluation", rows(|i, part| format!("s{i},{}", part.replace("val", "eval"))).into()),
        ("final evaluation", rows(|i, part| format!("s{i},{}", part.replace("test", "eval"))).into()),
        ("a column for each", wide().into()),
        (
            "marks",
            format!(
                "name,train,val,test\n{}",
                rows(|i, p| format!("s{i},{},{},{}", p == "train", p == "val", p == "test"))
            )
            .into(),
        ),
        (
            "name by name",
            format!("{{{}}}", rows(|i, part| format!("\"s{i}.png\": \"{part}\",")).trim_end().trim_end_matches(','))
                .into(),
        ),
    ];
    for (what, bytes) in cases {
        let name = if what == "name by name" { "split.json" } else { "split.csv" };
        let (parts, findings) = read(&TWELVE, name, bytes);
        assert_eq!(parts, AS_WANTED, "{what}: {findings:#?}");
        let odd = findings.iter().filter(|text| !text.starts_with("note"));
        assert_eq!(odd.count(), 0, "{what}: {findings:#?}");
    }
    let names: Vec<String> = (0..12).map(|i| format!("benign ({i})")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    for row in [
        |i: usize, part: &str| format!("benign ({i}).png {part}"),
        |i: usize, part: &str| format!("{part} benign ({i})"),
    ] {
        assert_eq!(read(&names, "split.txt", rows(row)).0, AS_WANTED);
    }
}

/// As programs write it that have a column of names for every part.
fn wide() -> String {
    let cell = |i: usize, below: usize| if i < below { format!("s{i}") } else { String::new() };
    let row =
        |i: usize| format!("{i},{},{},{}\n", cell(i, 8), cell(i + 8, if i < 2 { 10 } else { 0 }), cell(i + 10, 12));
    ",train,val,test\n".to_owned() + &(0..8).map(row).collect::<String>()
}

#[test]
fn a_name_is_found_by_its_folders_however_they_are_written() {
    let names = ["benign/0", "benign/1", "benign/2", "malignant/0", "malignant/1", "malignant/2"];
    let expected = "tvevet";
    let part = |class: &str, i: usize| match (class, i) {
        ("benign", i) => ["train", "val", "test"][i],
        (_, i) => ["val", "test", "train"][i],
    };
    let ways: [fn(&str, usize) -> String; 8] = [
        |class, i| format!("{class}/images/{i}.png"),
        |class, i| format!("images/{class}/{i}.png"),
        |class, i| format!("{class}/{i}.png"),
        |class, i| format!("{class}/{i}"),
        |class, i| format!(".\\{class}\\images\\{i}.png"),
        |class, i| format!("/home/somebody/data/{class}/masks/{i}.png"),
        |class, i| format!("{}/00{i}.jpg", class.to_uppercase()),
        |class, i| format!("../x/{class}_images/{i}.png"),
    ];
    for way in ways {
        let row = |class, i| format!("{},{}\n", way(class, i), part(class, i));
        let text: String =
            ["benign", "malignant"].iter().flat_map(|class| (0..3).map(move |i| row(class, i))).collect();
        let (parts, findings) = read(&names, "split.csv", &text);
        assert_eq!(parts, expected, "{text}{findings:#?}");
    }
    // The same in folders of the other order.
    let folder = tempfile::tempdir().unwrap();
    for (i, name) in names.iter().enumerate() {
        save_image(folder.path(), &format!("images/{name}.png"), SIZE, i as u32);
        save_mask(folder.path(), &format!("masks/{name}.png"), SIZE, [4, 4, 5 + i as u32, 10]);
    }
    let row = |class: &str, i| format!("{class}/{i}.png,{}\n", part(class, i));
    let text: String = (0..3).map(|i| row("benign", i) + &row("malignant", i)).collect();
    std::fs::write(folder.path().join("split.csv"), text).unwrap();
    let listing = scan(folder.path(), None, Watch::nobody()).unwrap();
    assert_eq!(judged(&listing, &SplitChoice::default()).0, expected);
}

#[test]
fn a_bare_name_of_several_images_is_in_no_part_and_told_with_what_to_write() {
    let names = ["benign/0", "benign/1", "benign/2", "malignant/0", "malignant/3"];
    let (parts, findings) = read(&names, "split.csv", "image,split\n0.png,test\n1.png,train\n2.png,val\n3.png,train\n");
    assert_eq!(parts, "-tv-t");
    told(
        &findings,
        "error: 1 name fits several images and counts for none: `0.png` (line 2) may be `benign/images/0` and `malignant/images/0`; write the folder too",
    );
    let (_folder, listing) = folder(&["a/0", "b/0"], "split.csv", b"image,split\n0,train\n0,test\n");
    let (key, problem) = SplitChoice::default().check_files(&listing).unwrap_err();
    assert!(key == "split" && problem.contains("its names fit several images each: `0` (line 2)"), "{problem}");
}

#[test]
fn zeros_that_a_spreadsheet_ate_are_put_back_where_one_image_fits() {
    let names = ["000", "001", "002", "007", "010", "011"];
    for ending in ["", ".png", ".0"] {
        let row = |(n, part): (&str, &str)| format!("{n}{ending},{part}\n");
        let text: String =
            [("0", "train"), ("1", "train"), ("2", "val"), ("7", "test"), ("10", "test"), ("11", "train")]
                .map(row)
                .concat();
        let (parts, findings) = read(&names, "split.csv", format!("image,split\n{text}"));
        assert_eq!(parts, "ttveet", "{ending}");
        told(&findings, "note: 6 names are taken for the image of the same number");
    }
    // 7 could be both of these.
    let (parts, findings) = read(&["007", "0007", "1", "2"], "split.csv", "image,split\n7,test\n1,train\n2,val\n");
    assert_eq!(parts, "tv--");
    told(&findings, "may be `images/0007` and `images/007`");
    // A column of row numbers is not one of names.
    let text = "id,image,split\n2,000.png,train\n1,001.png,val\n0,002.png,test\n";
    assert_eq!(read(&["000", "001", "002"], "split.csv", text).0, "tve");
    let (_folder, listing) = folder(&["0", "1", "2"], "split.csv", b"2,0,train\n1,1,val\n0,2,test\n");
    let (_, problem) = SplitChoice::default().check_files(&listing).unwrap_err();
    assert!(problem.contains("two columns name images, and not the same ones (line 1: `2`, `0`)"), "{problem}");
}

#[test]
fn rows_and_images_without_the_other_are_told_with_their_names() {
    let text = "image,split\ns0,train\ns1,train\ns2,val\nq1.png,test\ns3,test\ns4,\ns5,excluded\nalone,test\n";
    let (folder, _) = folder(&TWELVE, "split.csv", text.as_bytes());
    save_image(folder.path(), "images/alone.png", SIZE, 77);
    let listing = scan(folder.path(), None, Watch::nobody()).unwrap();
    let (parts, findings) = judged(&listing, &SplitChoice::default());
    assert_eq!(parts, "ttve--------");
    for words in [
        "warning: `split.csv` names 1 image that no pair has: `q1.png` (line 5)",
        "warning: 8 images are not named in `split.csv` for a part and left out of every one: `images/s4`, `images/s5`",
        "warning: 1 row names no part, so that the image is in none: `s4` (line 7)",
        "note: 1 image is left out of every part as it says: `s5` (line 8)",
        "note: `split.csv` names 1 image without a mask, or that cannot be read: `alone` (line 9)",
    ] {
        told(&findings, words);
    }
}

#[test]
fn an_image_of_two_parts_is_not_trained_on() {
    let twice = format!("{}s0,test\ns10,train\n", rows(|i, part| format!("s{i},{part}")));
    let (parts, findings) = read(&TWELVE, "split.csv", twice);
    assert_eq!(parts, "etttttttvvee");
    told(
        &findings,
        "error: 2 images are in two parts of `split.csv`, and the one further from training counts: `s0` (line 13) in train and test",
    );
}

#[test]
fn a_file_of_parts_that_cannot_be_used_stops_a_run_with_the_reason() {
    let rows_of = |value: fn(usize) -> String| (0..12).map(|i| format!("s{i},{}\n", value(i))).collect::<String>();
    for (name, text, words) in [
        ("split.csv", String::new(), "it is empty"),
        ("split.csv", "image,split\n".to_owned(), "no rows"),
        (
            "split.csv",
            format!("image,split\n{}", rows_of(|i| (i % 3).to_string())),
            "the column `split` holds the numbers `0`, `1`, `2`, which do not say",
        ),
        ("split.csv", rows_of(|i| (i % 3).to_string()), "column 2 holds the numbers `0`, `1`, `2`"),
        (
            "split.csv",
            format!("image,phase\n{}", rows_of(|i| format!("p{}", i % 2))),
            "the column `phase` holds `p0`, `p1`, and none of train, val, test",
        ),
        (
            "split.csv",
            format!("image,label\n{}", rows_of(|i| format!("{}.5", i % 2))),
            "its columns are `image`, `label`",
        ),
        (
            "split.csv",
            format!("image,split\n{}", rows_of(|_| "train".to_owned()).replace('s', "q")),
            "no column has names of this folder's images: line 2 is `q0,train`, images are named as `images/s0`",
        ),
        ("folds.csv", format!("image,fold\n{}", rows_of(|_| "0".to_owned())), "the column `fold` holds 1 number"),
        (
            "folds.csv",
            format!("image,fold\n{}", rows_of(|i| (i as i64 - 1).to_string())),
            "the column `fold` holds `-1`",
        ),
        (
            "split.csv",
            format!("image,set,split\n{}", rows_of(|i| if i < 6 { "train,train" } else { "test,train" }.to_owned())),
            "both name parts, and not the same ones (line 8: ",
        ),
        ("split.xlsx", "PK".to_owned(), "files of this kind (xlsx) are not read"),
        ("train_fold0.txt", "s0\n".to_owned(), "lists of the parts of single folds are not read"),
    ] {
        let (_folder, listing) = folder(&TWELVE, name, text.as_bytes());
        let (key, problem) = SplitChoice::default().check_files(&listing).expect_err(words);
        assert!(key == "split" && problem.contains(words) && problem.contains(name), "{words}: {problem}");
        assert!(problem.contains("set `split` to random"), "{problem}");
        told(&judged(&listing, &SplitChoice::default()).1, words);
        let random = SplitChoice { as_given: false, ..SplitChoice::default() };
        assert_eq!(random.check_files(&listing), Ok(()));
    }
    // What only sounds like it stops nothing, and is told.
    let (_folder, listing) = folder(&TWELVE, "split_readme.txt", b"We made the split\nwith great care.\n");
    assert_eq!(SplitChoice::default().check_files(&listing), Ok(()));
    assert!(
        listing.notes.join("\n").contains("`split_readme.txt` is not used: no column has names"),
        "{:?}",
        listing.notes
    );
}

#[test]
fn what_is_wrong_with_a_file_of_folds_is_said() {
    let names = |numbers: std::ops::Range<usize>, name: fn(usize) -> String| {
        numbers.map(|i| format!("\"{}\"", name(i))).collect::<Vec<_>>().join(", ")
    };
    let plain = |numbers| names(numbers, |i| format!("s{i}"));
    let ok = format!("{{\"train\": [{}], \"val\": [{}]}}", plain(0..9), plain(9..12));
    for (text, words) in [
        ("".to_owned(), "it is empty"),
        ("[{\"train\": [\"s0\"".to_owned(), "it cannot be read as JSON: EOF while parsing a list at line 1 column 16"),
        ("[".repeat(100_000), "cannot be read as JSON"),
        ("[]".to_owned(), "its list of folds is empty"),
        ("{}".to_owned(), "it holds nothing"),
        ("null".to_owned(), "it holds null"),
        ("7".to_owned(), "it holds a number"),
        (format!("[{ok}, 7]"), "fold 1: it is a number"),
        (format!("[{ok}, [{}]]", plain(0..3)), "fold 1: it is a list"),
        (format!("[{ok}, {{\"x\": [], \"y\": 1}}]"), "fold 1: it has `x`, `y`, and none of train, val, test"),
        ("[{\"train\": \"s0\", \"val\": []}]".to_owned(), "`train` is a text"),
        ("[{\"train\": 0.7, \"val\": 0.3}]".to_owned(), "`train` is a number"),
        ("[{\"train\": [], \"val\": []}]".to_owned(), "it names no image"),
        (
            "[{\"train\": [\"q1\"], \"val\": [\"q2\"]}]".to_owned(),
            "none of its 2 names is an image of this folder, such as `q1`; images here are named as `images/s0`",
        ),
        (format!("[{{\"train\": [{}], \"val\": [0]}}]", names(0..9, |i| format!("{i}"))), "none of its 10 names"),
    ] {
        let (_folder, listing) = folder(&TWELVE, "splits_final.json", text.as_bytes());
        let (_, problem) = SplitChoice::default().check_files(&listing).expect_err(words);
        assert!(problem.contains(words), "{words}: {problem}");
    }
    let good = "tttttttttvvv";
    for (text, parts, words) in [
        (ok.clone(), good, ""),
        (format!("{{\"fold_1\": {ok}, \"fold_2\": {ok}}}"), good, ""),
        (
            format!(
                "[{{\"train\": [{}], \"val\": [{}]}}]",
                names(0..9, |i| format!("s{i}_0000.nii.gz")),
                names(9..12, |i| format!("s{i}.png"))
            ),
            good,
            "",
        ),
        (
            format!("[{{\"train\": [{}], \"val\": [{}]}}]", plain(0..10), plain(9..12)),
            good,
            "error: 1 image is in two parts of `splits_final.json`, and the one further from training counts: `s9` in train and val",
        ),
        (
            format!("[{{\"train\": [{}, {{}}, null, \"q\"], \"val\": [{}]}}]", plain(0..9), plain(9..12)),
            good,
            "error: `train` holds 2 of 12 that are no names: `{}`",
        ),
        (
            format!("[{{\"train\": [{}, \"q\"], \"val\": [{}]}}]", plain(0..9), plain(9..12)),
            good,
            "warning: `splits_final.json` names 1 image that no pair has: `q`",
        ),
        (
            format!("[{{\"train\": [{}], \"val\": [{}], \"tset\": [{}]}}]", plain(0..8), plain(8..10), plain(10..12)),
            "ttttttttvv--",
            "error: `tset` is none of train, val, test",
        ),
    ] {
        let (read, findings) = read(&TWELVE, "splits_final.json", &text);
        assert_eq!(read, parts, "{text}: {findings:#?}");
        told(&[findings, vec![String::new()]].concat(), words);
    }
}

#[test]
fn folds_are_found_in_tables_and_folders_and_called_as_there() {
    let text = format!(
        "ID,Pathology,kFold,other\n{}",
        (0..12).map(|i| format!("s{i},benign,{},\n", 1 + i % 3)).collect::<String>()
    );
    let (_folder, listing) = folder(&TWELVE, "3-fold-cv.csv", text.as_bytes());
    let plan = planned(&listing, &SplitChoice { fold: 1, ..SplitChoice::default() });
    assert_eq!(letters(&listing, &plan), "tvttvttvttvt");
    assert!(plan.lines.join("\n").contains("fold 1 of 3 (0 to 2), there called `2`"), "{:?}", plan.lines);
    // What is for the test is so in every fold.
    let text = format!(
        "image,fold\n{}",
        (0..12)
            .map(|i| format!("s{i},{}\n", if i > 9 { "test".to_owned() } else { (i % 5).to_string() }))
            .collect::<String>()
    );
    assert_eq!(read(&TWELVE, "folds.csv", text).0, "vttttvttttee");
    // Folders of folds are no classes.
    let names: Vec<String> = (0..12).map(|i| format!("fold{}/s{i}", i / 4)).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let (_folder, listing) = folder(&names, "x/notes.md", b"");
    assert_eq!(judged(&listing, &SplitChoice::default()).0, "vvvvtttttttt");
    assert_eq!(listing.classes(), []);
}

#[test]
fn a_table_and_columns_that_mark_parts() {
    let text = |head: &str, marked: fn(usize) -> bool| {
        format!(
            "image,label,{head}\n{}",
            (0..12).map(|i| format!("s{i},{},{}\n", i % 2, u8::from(marked(i)))).collect::<String>()
        )
    };
    let (parts, findings) = read(&TWELVE, "split.csv", text("is_test", |i| i > 8));
    assert_eq!((&parts[9..], parts.contains('t')), ("eee", true));
    told(&findings, "note: the column `is_test` marks the test; all others are for the training");
    let (parts, _) = read(&TWELVE, "split.csv", text("is_train", |i| i < 8));
    assert_eq!(&parts[8..], "eeee");
}

#[test]
fn one_list_alone_and_the_three_lists_of_pascal_voc() {
    let list = |numbers: std::ops::Range<usize>| numbers.map(|i| format!("s{i}\n")).collect::<String>();
    let (parts, findings) = read(&TWELVE, "test.txt", list(9..12));
    assert_eq!((&parts[9..], parts.matches('e').count()), ("eee", 3), "the test is not trained on");
    told(
        &findings,
        "warning: there is no list of the training beside `test.txt`: the 9 images that it does not name are trained on",
    );
    let (parts, _) = read(&["a/0", "a/1", "a/2", "b/0", "b/2", "b/3"], "test.txt", "0\n3\n");
    assert_eq!((parts.chars().next(), &parts[3..4], &parts[5..]), (Some('-'), "-", "e"), "{parts}: maybe of the test");
    let (parts, _) = read(&TWELVE, "train_list.csv", format!("image,label\n{}", list(0..9).replace('\n', ",0\n")));
    assert_eq!(&parts[9..], "---");
    let (folder, _) = folder(&TWELVE, "ImageSets/Main/trainval.txt", list(0..12).as_bytes());
    std::fs::write(folder.path().join("ImageSets/Main/train.txt"), list(0..8)).unwrap();
    std::fs::write(folder.path().join("ImageSets/Main/val.txt"), list(8..12)).unwrap();
    let listing = scan(folder.path(), None, Watch::nobody()).unwrap();
    let (parts, findings) = judged(&listing, &SplitChoice::default());
    assert_eq!(parts, "ttttttttvvvv");
    assert!(findings.iter().all(|text| text.starts_with("note")), "{findings:#?}");
}

#[test]
fn images_beside_a_training_folder_are_not_trained_on() {
    for (names, expected) in [
        // In the order of their names.
        (["extra/e", "extra/f", "train/a", "train/b", "train/c", "val/d"], "--tttv"),
        (["eval/e", "eval/f", "train/a", "train/b", "train/c", "train/d"], "vvtttt"),
        (["a", "b", "train/a", "train/b", "train/c", "val/d"], "--tttv"),
        (["a", "b", "c", "d", "test/a", "test/b"], "tttvee"),
    ] {
        let (_folder, listing) = folder(&names, "x/notes.md", b"");
        let (parts, findings) = judged(&listing, &SplitChoice::default());
        // A validation that is not given is any of training.
        assert!(parts == expected || (parts.ends_with("ee") && expected.ends_with("ee")), "{names:?}: {parts}");
        if expected.contains('-') {
            told(&findings, "warning: 2 images lie outside of the folders `train` and `val`");
        }
    }
}

#[test]
fn two_sources_that_disagree_are_told() {
    let (folder, _) = folder(&TWELVE, "split.csv", rows(|i, part| format!("s{i},{part}")).as_bytes());
    let lists =
        ["train", "val"].map(|part| format!("\"{part}\": [\"s0\", \"s{}\"]", if part == "val" { 1 } else { 9 }));
    std::fs::write(folder.path().join("splits_final.json"), format!("[{{{}}}]", lists.join(", "))).unwrap();
    let listing = scan(folder.path(), None, Watch::nobody()).unwrap();
    let (parts, findings) = judged(&listing, &SplitChoice::default());
    assert_eq!(parts, AS_WANTED);
    told(&findings, "by `splits_final.json` 3 images are in another part than by `split.csv`");
    assert!(
        listing
            .notes
            .join("\n")
            .contains("the parts by `splits_final.json` are not used, since `split.csv` comes first")
    );
}

#[test]
fn names_that_say_parts_are_told_and_not_taken() {
    let names = ["train_1", "train_2", "train_3", "val_1", "test_1", "test_2"];
    let (_folder, listing) = folder(&names, "x/notes.md", b"");
    assert_eq!(listing.given, None);
    assert!(
        listing.describe().join("\n").contains("the names of the images say train, validation, test, but"),
        "{:?}",
        listing.notes
    );
}

#[test]
fn a_table_of_another_name_with_a_column_of_parts_is_told() {
    let text = format!("image,label,split\n{}", rows(|i, part| format!("s{i},0,{part}")));
    let (_folder, listing) = folder(&TWELVE, "labels.csv", text.as_bytes());
    assert_eq!(listing.given, None);
    assert!(
        listing.notes.join("\n").contains("`labels.csv` has a column `split` with parts, which is not used"),
        "{listing:?}"
    );
    for other in [text.replace("split", "part"), text.replace(",split", ",sex")] {
        assert_eq!(folder(&TWELVE, "labels.csv", other.as_bytes()).1.notes, [""; 0]);
    }
}

#[test]
fn a_folder_that_all_lie_in_and_numbered_names_are_no_classes() {
    let of = |names: &[&str]| folder(names, "x/notes.md", b"").1.classes();
    assert_eq!(of(&["v1/train/a", "v1/train/b", "v1/val/c"]), []);
    assert_eq!(of(&["image (1)", "image (2)", "image (3)"]), []);
    assert_eq!(of(&["scan7 (1)", "scan7 (2)"]), []);
    assert_eq!(of(&["benign (1)", "benign (2)"]), [("benign".to_owned(), 2)]);
    assert_eq!(of(&["a/1", "b/1"]).len(), 2);
}

#[test]
fn parts_without_images_name_what_gives_them() {
    let (_folder, listing) = folder(&TWELVE, "split.csv", rows(|i, _| format!("s{i},test")).as_bytes());
    let plan = planned(&listing, &SplitChoice::default());
    let empty = plan.findings.iter().find(|finding| finding.problem.contains("no image is left for training")).unwrap();
    assert!(empty.severity == Severity::Error && empty.file.ends_with("split.csv"), "{empty:?}");
    assert_eq!(plan.split.pairs(Part::Test).len(), 12);
    assert!(!plan.lines.join("\n").contains("0 images are"), "{:?}", plan.lines);
}

#[test]
fn a_column_of_parts_for_every_fold_is_a_fold() {
    let other = |part: &str| match part {
        "val" => "test",
        "test" => "val",
        _ => "train",
    };
    for heads in ["fold_0,fold_1", "split1,split2"] {
        let text =
            format!("image,{heads}\n{}", rows(|i, part| format!("s{i}.png,{part},{}", other(part).to_uppercase())));
        let (_folder, listing) = folder(&TWELVE, "split.csv", text.as_bytes());
        assert_eq!(judged(&listing, &SplitChoice::default()).0, AS_WANTED, "{heads}");
        let second = SplitChoice { fold: 1, ..SplitChoice::default() };
        assert_eq!(judged(&listing, &second).0, "tttttttteevv", "{heads}");
    }
}
