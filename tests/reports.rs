//! Folders of pictures with reports as people have them: every layout, tables of many programs, damaged files, reports that say
//! nothing, parts that contradict each other.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use image::{GrayImage, ImageBuffer, Luma};
use learnscope::data::DataError;
use learnscope::data::reports::audit::audit;
use learnscope::data::reports::nli::{self, Label};
use learnscope::data::reports::parts::split;
use learnscope::data::reports::read::{Crop, read};
use learnscope::data::reports::{Choice, Layout, Listing, Part, Section, View, list};
use learnscope::data::synth::chest::{Kind, normalised};
use learnscope::data::synth::chest_folder::{COUNT, has_second, is_empty, same_as};
use learnscope::watch::Watch;
use tempfile::TempDir;

struct Home(TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn put(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.at(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    /// Small grey pictures.
    fn pictures(&self, names: &[&str]) {
        for name in names {
            let path = self.at(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            GrayImage::from_pixel(6, 5, Luma([90])).save_with_format(path, image::ImageFormat::Png).unwrap();
        }
    }

    #[track_caller]
    fn list(&self, name: &str) -> Listing {
        self.choose(name, Choice::default())
    }

    #[track_caller]
    fn choose(&self, name: &str, choice: Choice) -> Listing {
        list(&self.at(name), choice, Watch::nobody()).unwrap_or_else(|error| panic!("{error}"))
    }

    #[track_caller]
    fn refused(&self, name: &str, words: &[&str]) {
        let error = list(&self.at(name), Choice::default(), Watch::nobody()).unwrap_err().to_string();
        words.iter().for_each(|word| assert!(error.contains(word), "no `{word}` in: {error}"));
    }
}

#[track_caller]
fn tells(listing: &Listing, words: &[&str]) {
    let problems = listing.problems.iter().map(|p| format!("{}: {}", p.path.display(), p.problem));
    let told = listing.notes.iter().cloned().chain(problems).collect::<Vec<_>>().join("\n");
    words.iter().for_each(|word| assert!(told.contains(word), "no `{word}` in:\n{told}"));
}

fn names(listing: &Listing) -> Vec<&str> {
    listing.pairs.iter().map(|pair| pair.id.as_str()).collect()
}

fn xml(id: &str, findings: &str, impression: &str, images: &[&str]) -> String {
    let images: String = images
        .iter()
        .map(|image| format!("<parentImage id=\"{image}\"><caption>Xray Chest PA and Lateral</caption></parentImage>"))
        .collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<eCitation><uId id=\"{id}\"/><MedlineCitation><Article><Abstract>\n\
         <AbstractText Label=\"INDICATION\">cough</AbstractText>{findings}\n<AbstractText Label=\"IMPRESSION\">{impression}</AbstractText>\n\
         </Abstract></Article></MedlineCitation>{images}</eCitation>"
    )
}

fn findings(text: &str) -> String {
    format!("<AbstractText Label=\"FINDINGS\">{text}</AbstractText>")
}

#[test]
fn reports_of_open_i_are_joined_with_their_pictures_and_what_is_wrong_is_told() {
    let home = Home::new();
    let long = "word ".repeat(500);
    for (name, text) in [
        (
            "1.xml",
            xml(
                "CXR1",
                &findings("The lungs\n  are <b>clear</b>. Größe: normal."),
                "Fine.",
                &["CXR1_1_IM-0001-3001", "CXR1_1_IM-0001-4001"],
            ),
        ),
        ("2.xml", xml("CXR2", &findings(""), "Only this.", &["CXR2_IM-0002-1001"])),
        ("3.xml", xml("CXR3", "", "Nothing above.", &["CXR3_IM-0003-1001"])),
        ("4.xml", xml("CXR4", &findings("Clear."), "", &["CXR4_IM-0004-1001", "CXR4_IM-0004-2001"])),
        ("5.xml", xml("CXR5", &findings(&long), "", &["CXR5_IM-0005-1001"])),
        ("6.xml", xml("CXR6", &findings("... -- !"), "", &["CXR6_IM-0006-1001"])),
        ("7.xml", xml("CXR7", &findings("No picture is named."), "", &[])),
        ("8.xml", "<eCitation>\n  <uId id=\"CXR8\">\n</eCitation>".to_owned()),
        ("9.xml", "<annotation><object/></annotation>".to_owned()),
        ("10.xml", xml("CXR1", &findings("Another text."), "", &["CXR5_IM-0005-1001"])),
        ("11.xml", String::new()),
    ] {
        home.put(&format!("ecgen-radiology/{name}"), text);
    }
    // Marks of encodings, and line breaks of another system.
    let utf16: Vec<u8> =
        format!("\u{feff}{}", xml("CXR12", &findings("Ähnlich klar.\r\n"), "", &["CXR12_IM-0012-1001"]))
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
    home.put("ecgen-radiology/12.xml", utf16);
    home.put(
        "ecgen-radiology/13.xml",
        format!("\u{feff}{}", xml("CXR13", &findings("Mark."), "", &["cxr13_im-0013-1001.PNG"])),
    );
    let shown = [
        "1_1_IM-0001-3001",
        "1_1_IM-0001-4001",
        "2_IM-0002-1001",
        "3_IM-0003-1001",
        "4_IM-0004-1001",
        "5_IM-0005-1001",
        "6_IM-0006-1001",
        "12_IM-0012-1001",
        "13_IM-0013-1001",
    ];
    let pictures: Vec<String> = shown.iter().map(|name| format!("NLMCXR_png/CXR{name}.png")).collect();
    home.pictures(&pictures.iter().map(String::as_str).collect::<Vec<_>>());
    home.pictures(&["more/CXR4_IM-0004-1001.png"]);

    let listing = home.list("");
    assert_eq!(listing.layout, Layout::OpenI);
    let report = |study: &str| &listing.pairs.iter().find(|pair| pair.study == study).unwrap().report;
    assert_eq!(report("CXR1"), "The lungs are clear . Größe: normal.");
    assert_eq!(
        (report("CXR4").as_str(), report("CXR12").as_str(), report("CXR13").as_str()),
        ("Clear.", "Ähnlich klar.", "Mark.")
    );
    assert_eq!(report("CXR5").split(' ').count(), 500);
    let of_one = listing.pairs.iter().filter(|pair| pair.study == "CXR1");
    assert_eq!(of_one.map(|pair| pair.view).collect::<Vec<_>>(), [None, None], "captions say both");
    assert_eq!(listing.pairs.len(), 6);
    tells(
        &listing,
        &[
            "6 pictures of 5 studies",
            "3 reports without findings left out: 2.xml, 3.xml, 6.xml",
            "4.xml: names the picture `CXR4_IM-0004-2001`, which is not in the folder; left out",
            "8.xml: line 3, column 1: is not well-formed XML",
            "1 XML file of another kind left out: 9.xml (`annotation`)",
            "10.xml: is another report of the id `CXR1`",
            "11.xml: ",
            "1 report names no picture: 7.xml",
            "1 picture's name is that of several files; one of them is taken: CXR4_IM-0004-1001",
        ],
    );
    let both = home.choose("", Choice { section: Section::Both, ..Choice::default() });
    assert_eq!(both.pairs.len(), 8);
    assert!(both.pairs[0].report.ends_with("normal. Fine."), "{}", both.pairs[0].report);
    let impressions = home.choose("", Choice { section: Section::Impression, ..Choice::default() });
    tells(&impressions, &["6 reports without impression left out: 4.xml"]);
    // Reports alone, and one of them.
    home.refused(
        "ecgen-radiology",
        &["no picture with a report can be used", "CXR1_1_IM-0001-3001", "not in the folder"],
    );
    home.refused("ecgen-radiology/1.xml", &["is one report; open the folder"]);
}

#[test]
fn reports_and_pictures_flat_in_one_folder_are_the_same() {
    let home = Home::new();
    home.put("all/1.xml", xml("CXR1", &findings("Clear."), "", &["CXR1_IM-0001-1001"]));
    home.pictures(&["all/CXR1_IM-0001-1001.png"]);
    assert_eq!(names(&home.list("all")), ["CXR1_IM-0001-1001"]);
}

#[test]
fn open_is_tables_are_joined_by_number() {
    let home = Home::new();
    home.put(
        "indiana_reports.csv",
        "uid,MeSH,Problems,image,indication,comparison,findings,impression\n\
         1,normal,normal,Xray,cough,,\"Clear, both.\nTwo lines.\",Fine.\n2,normal,normal,Xray,,,,Only this.\n\
         3,normal,normal,Xray,,,Third.,\n3,normal,normal,Xray,,,Other third.,\n",
    );
    home.put(
        "indiana_projections.csv",
        "uid,filename,projection\n1,1_IM-0001-4001.dcm.png,Frontal\n1,1_IM-0001-3001.dcm.png,Lateral\n\
         2,2_IM-0652-1001.dcm.png,Frontal\n3,3_IM-1384-1001.dcm.png,Frontal\n3,3_IM-1384-1001.dcm.png,Frontal\n\
         4,1_IM-0001-4001.dcm.png,Frontal\n3,absent.dcm.png,Frontal\n",
    );
    home.pictures(&[
        "images/images_normalized/1_IM-0001-4001.dcm.png",
        "images/images_normalized/1_IM-0001-3001.dcm.png",
        "images/images_normalized/2_IM-0652-1001.dcm.png",
        "images/images_normalized/3_IM-1384-1001.dcm.png",
    ]);
    let listing = home.list("");
    assert_eq!(listing.layout, Layout::OpenITables);
    let seen: Vec<_> =
        listing.pairs.iter().map(|pair| (pair.study.as_str(), pair.view, pair.report.as_str())).collect();
    let (frontal, lateral) = (Some(View::Frontal), Some(View::Lateral));
    let text = "Clear, both.\nTwo lines.";
    assert_eq!(seen, [("1", frontal, text), ("1", lateral, text), ("3", frontal, "Third.")]);
    tells(
        &listing,
        &[
            "row 6: is another report of uid `3`",
            "1 report without findings left out: 2_IM-0652-1001",
            "picture `absent.dcm.png` is not in the folder",
            "1 picture has no report",
            "1 picture named again and left out",
        ],
    );
    let frontal = home.choose("indiana_reports.csv", Choice { frontal_only: true, section: Section::Both });
    assert_eq!(frontal.pairs.len(), 3);
    tells(&frontal, &["1 lateral picture left out"]);
    fs::remove_file(home.at("indiana_projections.csv")).unwrap();
    home.refused("", &["indiana_reports.csv", "put indiana_projections.csv"]);
}

#[test]
fn chexpert_is_listed_by_its_tables_with_its_labels() {
    let home = Home::new();
    let heading = "Path,Sex,Age,Frontal/Lateral,AP/PA,No Finding,Cardiomegaly,Pleural Effusion";
    let of =
        |patient: u32, view: &str| format!("CheXpert-v1.0-small/train/patient{patient:05}/study1/view1_{view}.jpg");
    let rows = [
        format!("{},Female,68,Frontal,AP,1.0,,", of(1, "frontal")),
        format!("{},Female,68,Lateral,,,0.0,-1.0", of(1, "lateral")),
        format!("{},Male,50,Frontal,PA,,1.0,2.0", of(2, "frontal")),
        format!("{},Male,50,Frontal,PA,,1.0,", of(3, "frontal")),
    ];
    home.put("data/train.csv", format!("{heading}\r\n{}\r\n", rows.join("\r\n")));
    let valid = "CheXpert-v1.0-small/valid/patient64541/study1/view1_frontal.jpg";
    home.put("data/valid.csv", format!("\u{feff}Path,Sex,Age,Frontal/Lateral,AP/PA,Cardiomegaly,No Finding,Pleural Effusion\n{valid},Male,1,Frontal,AP,1.0,0.0,1.0\n"));
    let under = |path: &str| path.replace("CheXpert-v1.0-small", "data");
    home.pictures(&[&under(&of(1, "frontal")), &under(&of(1, "lateral")), &under(&of(2, "frontal")), &under(valid)]);
    for folder in ["data", ""] {
        let listing = home.list(folder);
        assert_eq!(listing.layout, Layout::CheXpert);
        let labels = listing.labels.as_ref().unwrap();
        assert_eq!(labels.names, ["No Finding", "Cardiomegaly", "Pleural Effusion"]);
        assert_eq!(
            labels.rows,
            [vec![Some(1), None, None], vec![None, Some(0), Some(-1)], vec![Some(0), Some(1), Some(1)]]
        );
        let parts: Vec<_> = listing.pairs.iter().map(|pair| (pair.study.as_str(), pair.split)).collect();
        let train = Some(Part::Train);
        assert_eq!(parts, [("patient00001", train), ("patient00001", train), ("patient64541", Some(Part::Validation))]);
        tells(
            &listing,
            &["row 4: a label is `2.0`", "1 of 4 pictures are not there, the first in row 5", "no reports"],
        );
    }
    assert_eq!(home.choose("data", Choice { frontal_only: true, ..Choice::default() }).labels.unwrap().rows.len(), 2);
    assert_eq!(home.list("data/train.csv").pairs.len(), 2);
}

#[test]
fn tables_of_pairs_are_read_whatever_wrote_them() {
    let text = "Datei;FINDINGS;Split;Study ID;View\r\n".replace("Datei", "File");
    let rows = "a.png;\"Klar; größer.\";train;s1;PA\r\nsub\\b.png;One;VAL;s1;lateral\r\nc;Third;test;s2;\r\n";
    let western: Vec<u8> = format!("{text}{rows}").chars().map(|c| c as u8).collect();
    let utf16: Vec<u8> = format!("\u{feff}{text}{rows}").encode_utf16().flat_map(u16::to_be_bytes).collect();
    let commas = "image,caption,set,study,projection\na.png,\"Klar; größer.\",training,s1,Frontal\nsub/b.png,One,valid,s1,Lateral\nc.png,Third,testing,s2,\n";
    let lines = "{\"Image\": \"a.png\", \"report\": \"Klar; größer.\", \"split\": \"train\", \"study\": \"s1\", \"view\": \"AP\"}\r\n\r\n\
                 {\"image\": \"sub/b.png\", \"report\": \"One\", \"split\": \"dev\", \"study\": \"s1\", \"view\": \"lateral\"}\r\n\
                 {\"image\": \"c.png\", \"report\": \"Third\", \"split\": \"test\", \"study\": \"s2\"}";
    for (name, bytes) in [
        ("pairs.csv", western.as_slice()),
        ("reports.csv", &utf16),
        ("anything.tsv", commas.replace(',', "\t").as_bytes()),
        ("pairs.csv", commas.as_bytes()),
        ("pairs.jsonl", lines.as_bytes()),
    ] {
        let home = Home::new();
        home.pictures(&["a.png", "sub/b.png", "c.png"]);
        home.put(name, bytes);
        for opened in ["", name] {
            let listing = home.list(opened);
            let seen: Vec<_> = listing
                .pairs
                .iter()
                .map(|p| (p.id.as_str(), p.report.as_str(), p.split, p.study.as_str(), p.view))
                .collect();
            let expected = [
                ("a", "Klar; größer.", Some(Part::Train), "s1", Some(View::Frontal)),
                ("sub/b", "One", Some(Part::Validation), "s1", Some(View::Lateral)),
                ("c", "Third", Some(Part::Test), "s2", None),
            ];
            assert_eq!((listing.layout, seen.as_slice()), (Layout::Pairs, &expected[..]), "{name}");
        }
    }
}

#[test]
fn rows_that_contradict_or_repeat_each_other_are_told_and_doubt_is_not_trained_on() {
    let home = Home::new();
    home.pictures(&["a.png", "b.png", "c.png", "d.png", "e.png"]);
    home.put(
        "pairs.csv",
        "image,text,split,study\na.png,Clear.,train,1\na.png,Clear.,train,1\nb.png,One.,train,2\nb.png,One.,test,2\n\
         c.png,First.,train,3\nc.png,Second.,train,3\nd.png,?!,train,4\nd.png,,train,4\ne.png,E.,somewhere,5\nx.png,X.,train,6\n,Y.,train,7\n\
         e.png,E.,exclude,5\n",
    );
    home.put("other.csv", "image,text\na.png,Other.\n");
    let listing = home.list("");
    let seen: Vec<_> = listing.pairs.iter().map(|pair| (pair.id.as_str(), pair.report.as_str(), pair.split)).collect();
    let (train, test) = (Some(Part::Train), Some(Part::Test));
    // Both reports of c.png are in doubt: the first counts, beside training it is told.
    assert_eq!(seen, [("a", "Clear.", train), ("b", "One.", test), ("c", "First.", train)]);
    tells(
        &listing,
        &[
            "1 picture named again and left out: a.png",
            "2 pictures named again with another report, study or part",
            "2 rows without a report left out: d.png, d.png",
            "row 10: the part is `somewhere`; expected train, validation or test",
            "row 11: the picture `x.png` is not in the folder",
            "row 12: names no picture",
            "1 row left out, as ",
            "not used: ",
        ],
    );
}

#[test]
fn a_picture_of_the_same_name_in_another_folder_is_not_taken_for_a_missing_one() {
    let home = Home::new();
    home.pictures(&["train/1.png", "train/2.png", "test/1.png"]);
    home.put(
        "pairs.csv",
        "image,text\ntrain/1,One.\ntest/1,Other.\ntest/2,Missing.\nC:\\elsewhere\\2.jpg,Two.\n1.png,Which.\n",
    );
    let listing = home.list("");
    let seen: Vec<_> = listing.pairs.iter().map(|pair| (pair.id.as_str(), pair.report.as_str())).collect();
    assert_eq!(seen, [("train/1", "One."), ("test/1", "Other."), ("train/2", "Two.")]);
    tells(&listing, &["row 4: the picture `test/2` is not in the folder", "name is that of several files"]);
}

#[test]
fn boxes_are_found_beside_pairs_in_each_of_their_forms() {
    let home = Home::new();
    home.pictures(&["img/a.png", "img/b.png"]);
    home.put("pairs.csv", "image,text\nimg/a.png,Small effusion.\nimg/b.png,Clear.\n");
    home.put("boxes.jsonl", "{\"image\": \"a.png\", \"phrase\": \"effusion\", \"x0\": 0.1, \"y0\": 0.2, \"x1\": 0.5, \"y1\": 1.01}\nno json\n{\"image\": \"a.png\", \"phrase\": \"x\", \"x0\": 0.9, \"y0\": 0.2, \"x1\": 0.5, \"y1\": 0.4}\n");
    home.put(
        "MS_CXR_Local_Alignment_v1.0.0.csv",
        "category_name,label_text,path,dicom_id,x,y,w,h,image_width,image_height\n\
         Pleural Effusion,left effusion,files/p1/s1/b.jpg,b,10,20,30,40,100,200\nEdema,edema,files/p2/s2/zz.jpg,zz,1,2,3,4,100,200\n",
    );
    home.put(
        "MS_CXR.json",
        r#"{"info": {}, "images": [{"id": 7, "file_name": "b.jpg", "width": 50, "height": 50}], "annotations":
            [{"id": 1, "image_id": 7, "bbox": [5, 5, 10, 20], "label_text": ["right base"], "category_id": 2}], "categories": []}"#,
    );
    let listing = home.list("");
    let seen: Vec<_> = listing
        .boxes
        .iter()
        .map(|b| (b.image.file_name().unwrap().to_str().unwrap(), b.phrase.as_str(), b.bounds))
        .collect();
    let expected = [
        ("b.png", "left effusion", [0.1, 0.1, 0.4, 0.3]),
        ("a.png", "effusion", [0.1, 0.2, 0.5, 1.0]),
        ("b.png", "right base", [0.1, 0.1, 0.3, 0.5]),
    ];
    assert_eq!(seen, expected);
    tells(
        &listing,
        &[
            "3 boxes of phrases; 1 box is of pictures that are not used",
            "line 3: is no box",
            "1 line is no JSON object, the first is line 2",
        ],
    );
}

#[test]
fn statements_are_read_with_their_parts_and_unknown_labels_counted() {
    let home = Home::new();
    let line = |id: u32, label: &str| {
        format!(
            "{{\"pairID\": \"p{id}\", \"sentence1\": \"Clear lungs.\", \"sentence2\": \"No opacity.\", \"gold_label\": \"{label}\", \"sentence1_parse\": \"(ROOT)\"}}\n"
        )
    };
    home.put(
        "mli_train_v1.jsonl",
        [line(1, "entailment"), line(2, "-"), line(3, "contradiction"), line(4, "-")].concat(),
    );
    home.put("radnli_test_v1.jsonl", "{\"pair_id\": \"r1\", \"sentence1\": \"A.\", \"sentence2\": \"B.\", \"label\": \"neutral\"}\n{\"sentence1\": \"A.\"}\n");
    let listing = home.list("");
    assert_eq!((listing.layout, listing.pairs.len()), (Layout::Statements, 0));
    let seen: Vec<_> = listing.statements.iter().map(|s| (s.id.as_str(), s.label, s.split)).collect();
    let (train, test) = (Some(Part::Train), Some(Part::Test));
    assert_eq!(
        seen,
        [("p1", Label::Entailment, train), ("p3", Label::Contradiction, train), ("r1", Label::Neutral, test)]
    );
    tells(
        &listing,
        &["2 pairs have the label `-`, left out", "1 line lacks sentence1 or sentence2, the first is line 2"],
    );
    assert_eq!(nli::read(&home.at("mli_train_v1.jsonl")).unwrap().items.len(), 2);
    assert_eq!(home.list("radnli_test_v1.jsonl").statements.len(), 1);
    home.put("bad/x.jsonl", line(1, "-"));
    let error = nli::read(&home.at("bad/x.jsonl")).unwrap_err().to_string();
    assert!(error.contains("gold_label (entailment, neutral or contradiction)"), "{error}");
}

#[test]
fn a_folder_without_reports_is_refused_with_what_is_understood() {
    let home = Home::new();
    fs::create_dir(home.at("empty")).unwrap();
    home.refused("empty", &["holds no files", "ecgen-radiology", "CheXpert", "pairs.csv", "sentence1"]);
    home.pictures(&["pictures/a.png"]);
    home.put("pictures/table.csv", "image,age\na.png,3\n");
    home.refused("pictures", &["holds 1 pictures and 1 other files, and no reports", "pairs.csv"]);
    home.refused("pictures/table.csv", &["table.csv", "has no reports that are understood"]);
    home.refused("pictures/a.png", &["is a file of another kind"]);
    home.refused("nowhere", &["does not exist"]);
    home.put("bytes/pairs.csv", b"image,text\n\0\0");
    home.refused("bytes", &["pairs.csv: is no text that can be read"]);
}

#[test]
fn pictures_of_any_depth_are_read_and_damaged_ones_left_out() {
    let home = Home::new();
    // Wide: the middle square is bright, the rest black.
    let wide = GrayImage::from_fn(40, 20, |x, _| Luma([if (10..30).contains(&x) { 200 } else { 0 }]));
    wide.save(home.at("wide.png")).unwrap();
    let deep: ImageBuffer<Luma<u16>, Vec<u16>> = ImageBuffer::from_pixel(16, 16, Luma([2048]));
    // White is decided for the set: another picture goes up to 12 bits.
    deep.save(home.at("deep.png")).unwrap();
    let bright: ImageBuffer<Luma<u16>, Vec<u16>> = ImageBuffer::from_pixel(16, 16, Luma([4095]));
    bright.save(home.at("bright.png")).unwrap();
    home.put("broken.png", &fs::read(home.at("wide.png")).unwrap()[..60]);
    home.put("text.png", "no picture");
    // A header that claims 60000×60000 pixels.
    let mut huge = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\xea\x60\0\0\xea\x60\x08\x06\0\0\0".to_vec();
    let crc = crc32fast::hash(&huge[12..29]);
    huge.extend(crc.to_be_bytes());
    huge.extend(b"\0\0\0\0IDAT");
    home.put("huge.png", huge);
    home.put("pairs.csv", "image,text\nwide.png,a\ndeep.png,b\nbright.png,c\nbroken.png,d\ntext.png,e\nhuge.png,f\n");
    let listing = home.list("");
    assert_eq!(listing.pairs.len(), 6);
    let images = read(&listing.pairs, 8, Crop::Centre, Watch::nobody()).unwrap();
    assert_eq!((images.kept.as_slice(), images.pixels.len()), (&[0, 1, 2][..], 3 * 64));
    assert!(images.image(0).iter().all(|level| *level == 200), "{:?}", images.image(0));
    assert!(images.image(1).iter().all(|level| level.abs_diff(128) <= 1), "{:?}", images.image(1));
    assert!(images.image(2).iter().all(|level| *level == 255));
    assert_eq!(images.frames[0].0, [0.25, 0.0, 0.5, 1.0]);
    assert_eq!(images.frames[0].place([0.25, 0.5, 0.5, 0.75]), Some([0.0, 0.5, 0.5, 0.75]));
    assert_eq!(images.frames[0].place([0.0, 0.0, 0.2, 1.0]), None);
    let told: Vec<String> =
        images.problems.iter().map(|p| p.path.file_name().unwrap().to_string_lossy().into_owned()).collect();
    assert_eq!(told, ["broken.png", "text.png", "huge.png"]);
    assert!(images.lines.iter().any(|line| line.contains("4095")), "{:?}", images.lines);
    let paper = read(&listing.pairs[..1], 8, Crop::Paper, Watch::nobody()).unwrap();
    assert_eq!(paper.frames[0].0, [11.0 / 40.0, 1.0 / 20.0, 17.0 / 40.0, 17.0 / 20.0]);
    let stopped = Watch { progress: &|_, _| {}, cancel: &AtomicBool::new(true) };
    assert_eq!(read(&listing.pairs, 8, Crop::Centre, stopped).unwrap_err(), DataError::Cancelled);
    assert_eq!(list(&home.at(""), Choice::default(), stopped).unwrap_err(), DataError::Cancelled);
}

#[test]
fn studies_stay_whole_and_parts_follow_seed_and_shares() {
    let listing = shipped();
    let shares = [0.7, 0.1, 0.2];
    let parts = split(&listing.pairs, 1, shares, true);
    let again = split(&listing.pairs, 1, shares, true);
    assert_eq!(parts, again);
    assert_ne!(parts.of, split(&listing.pairs, 2, shares, true).of);
    let audit = audit(&listing.pairs, &parts.of);
    assert!(audit.torn.is_empty() && parts.of.iter().all(Option::is_some));
    let n = listing.pairs.len() as f64;
    for (part, share) in Part::ALL.into_iter().zip(shares) {
        let has = parts.pairs(part).len() as f64 / n;
        assert!((has - share).abs() < 0.02, "{part:?} has {has}");
    }
    // Few studies fill the parts that are wanted, training first.
    for (count, filled) in [(1, [1, 0, 0]), (2, [1, 1, 0]), (3, [1, 1, 1])] {
        let few = split(&listing.pairs[..count], 0, shares, true);
        let mut has = Part::ALL.map(|part| few.pairs(part).len());
        has.sort_unstable_by(|a, b| b.cmp(a));
        assert_eq!((has, few.pairs(Part::Train).len()), (filled, 1));
    }
}

#[test]
fn parts_that_are_given_are_kept_and_what_is_in_doubt_is_not_trained_on() {
    let home = Home::new();
    let all: Vec<String> = (0..30).map(|i| format!("{i}.png")).collect();
    home.pictures(&all.iter().map(String::as_str).collect::<Vec<_>>());
    let part = |i: usize| match i {
        5 => "test",
        6 => "",
        25.. => "test",
        _ => "train",
    };
    let rows: String = (0..30).map(|i| format!("{i}.png,Report {i}.,{},s{}\n", part(i), i / 2)).collect();
    home.put("pairs.csv", format!("image,text,split,study\n{rows}"));
    let listing = home.list("");
    let parts = split(&listing.pairs, 0, [0.8, 0.2, 0.0], true);
    assert!(parts.given);
    let of = |study: &str| -> Vec<Option<Part>> {
        listing.pairs.iter().zip(&parts.of).filter(|(pair, _)| pair.study == study).map(|(_, part)| *part).collect()
    };
    // Study s2 is 4 (train) and 5 (test); s3 is 6 (no part) and 7 (train); s12 is 24 (train) and 25 (test).
    assert_eq!((of("s2"), of("s12")), (vec![Some(Part::Test); 2], vec![Some(Part::Test); 2]));
    assert_eq!(of("s3")[0], None);
    let told = parts.lines.join("\n");
    for words in [
        "2 studies are given to training and to another part, and not trained on: s2, s12",
        "1 picture is given no part",
        "taken out of training by whole studies",
    ] {
        assert!(told.contains(words), "no `{words}` in {told}");
    }
    assert!(!parts.pairs(Part::Validation).is_empty() && parts.pairs(Part::Test).len() == 8);
    assert!(audit(&listing.pairs, &parts.of).torn.is_empty());
    let anew = split(&listing.pairs, 0, [0.5, 0.25, 0.25], false);
    assert!(!anew.given && anew.lines.join("\n").contains("are not used") && anew.of.iter().all(Option::is_some));
    let given: Vec<Option<Part>> = listing.pairs.iter().map(|pair| pair.split).collect();
    let told = audit(&listing.pairs, &given).lines().join("\n");
    assert!(told.contains("2 studies have pictures in several parts: s12, s2"), "{told}");
}

fn shipped() -> Listing {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample_data/chest");
    list(&folder, Choice::default(), Watch::nobody()).unwrap()
}

#[test]
fn the_shipped_set_opens_through_the_importer_and_the_audit_finds_its_duplicates() {
    let listing = shipped();
    assert_eq!(listing.layout, Layout::OpenI);
    let pictures: u64 = (1..=COUNT).filter(|n| !is_empty(*n)).map(|n| 1 + u64::from(has_second(n))).sum();
    assert_eq!(listing.pairs.len() as u64, pictures);
    assert!(listing.problems.is_empty(), "{:?}", listing.problems);
    tells(&listing, &["8 reports without findings left out: 13.xml"]);
    assert!(listing.pairs.iter().all(|pair| pair.view == Some(View::Frontal) && pair.split.is_none()));
    // Every box is of a word of its report.
    assert!(listing.boxes.len() > 100);
    for one in &listing.boxes {
        let pair = listing.pairs.iter().find(|pair| pair.image == one.image).unwrap();
        assert!(Kind::ALL.iter().any(|kind| kind.id() == one.phrase));
        assert!(normalised(&pair.report).contains(&one.phrase), "{} in {}", one.phrase, pair.report);
    }
    let parts = split(&listing.pairs, 7, [0.7, 0.1, 0.2], true);
    let audit = audit(&listing.pairs, &parts.of);
    for number in (1..=COUNT).filter(|n| same_as(*n).is_some()) {
        let studies = [number, same_as(number).unwrap()].map(|n| format!("CXR{n}"));
        let has = |same: &Vec<usize>, study: &String| same.iter().any(|&i| listing.pairs[i].study == *study);
        assert!(audit.alike.iter().any(|same| studies.iter().all(|study| has(same, study))), "{studies:?}");
    }
    assert!(
        audit.torn.is_empty() && audit.held_out == parts.pairs(Part::Test).len() + parts.pairs(Part::Validation).len()
    );
    assert!(audit.lines()[0].contains("word for word in several studies"), "{:?}", audit.lines());
    let images = read(&listing.pairs, 64, Crop::Centre, Watch::nobody()).unwrap();
    assert_eq!(images.kept.len(), listing.pairs.len());
    let one = image::open(&listing.pairs[3].image).unwrap().to_luma8();
    assert_eq!(images.image(3), one.as_raw().as_slice());
}
