//! Folders of fundus photographs as people have them: layouts, tables that do not fit, damaged files, pictures without grades that
//! are graded ones once more.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use image::{DynamicImage, RgbImage};
use learnscope::data::synth::fundus::LesionKind;
use learnscope::data::synth::fundus_folder::{SEED, UNLABELLED, files};
use learnscope::engine::event::{Level, Payload};
use learnscope::engine::params::Params;
use learnscope::labs::reconstruction::params::PARAMS;
use learnscope::labs::reconstruction::source::{self, FundusData};
use learnscope::labs::reconstruction::{self, KEYS};
use learnscope::watch::Watch;
use support::drive::Maker;
use support::program::{ends, only_run, run, succeeds};
use tempfile::TempDir;

const LAB: Maker = Maker { build: reconstruction::build, keys: KEYS };

/// The sample set: `messidor` with its bases, and `pool` without grades.
struct Folders(TempDir);

impl Folders {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        for file in files(SEED).unwrap() {
            let within = Path::new(&file.name);
            let path = match within.strip_prefix(UNLABELLED) {
                Ok(name) => home.path().join("pool").join(name),
                Err(_) => home.path().join("messidor").join(within),
            };
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, file.bytes).unwrap();
        }
        Self(home)
    }

    fn at(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    /// Files of a folder, sorted.
    fn pictures(&self, folder: &str) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.at(folder)).unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|end| end != "csv")).collect();
        files.sort();
        files
    }

    fn params(&self, set: &[&str]) -> Params {
        let mut params = Params::defaults(PARAMS);
        let (graded, pool) =
            (format!("data={}", self.at("messidor").display()), format!("unlabelled={}", self.at("pool").display()));
        let small = ["source=folder", &graded, &pool, "image_size=32", "width=1/4", "batch_size=8"];
        small.iter().chain(set).for_each(|text| params.set_text(PARAMS, text).unwrap());
        params
    }

    /// As a run of seed 1 has them.
    fn load(&self, set: &[&str]) -> Arc<FundusData> {
        let params = self.params(set);
        source::check(&params).unwrap();
        source::load(&params, Watch::nobody()).unwrap().for_run(&params, 1)
    }

    #[track_caller]
    fn refused(&self, set: &[&str], words: &[&str]) {
        let error = source::check(&self.params(set)).unwrap_err().to_string();
        words.iter().for_each(|word| assert!(error.contains(word), "no `{word}` in: {error}"));
    }
}

fn names(data: &FundusData, indices: &[usize]) -> Vec<String> {
    indices.iter().map(|&i| data.pictures[i].name.clone()).collect()
}

#[track_caller]
fn tells(data: &FundusData, words: &str) {
    let told = data.summary.join("\n");
    assert!(told.contains(words), "no `{words}` in: {told}");
}

#[test]
fn messidors_layout_is_trained_on_with_its_errata_and_without_its_leaks() {
    let folders = Folders::new();
    let params = folders.params(&["routine=combined"]);
    let mut drive = LAB.build(&params, 1, 4).begin();
    drive.run_to(4);
    let Payload::Text(told) = &drive.payloads[&("data/summary".to_owned(), 0)] else { panic!() };
    for words in [
        "labelled: 21 pictures",
        "validation: 7 pictures",
        "test: 8 pictures",
        "unlabelled: 18 pictures",
        "errata: 4 grades corrected, 4 duplicates removed; 40 → 36 pictures",
        "2 of 20 ungraded pictures are graded ones too and left out: IM0019.png = Base11/",
        "(the same pixels)",
        "(its mirror image)",
    ] {
        assert!(told.contains(words), "no `{words}` in: {told}");
    }
    assert!(drive.notices.iter().all(|(level, _)| *level == Level::Info), "{:?}", drive.notices);

    // One test set, a validation set for every seed, all hospitals in each.
    let data = source::load(&params, Watch::nobody()).unwrap();
    let [one, two] = [1, 2].map(|seed| data.clone().for_run(&params, seed));
    assert_eq!(one.test, two.test);
    assert_ne!(one.validation, two.validation);
    for part in [&one.labelled, &one.validation, &one.test] {
        assert!((0..3).all(|h| part.iter().any(|&i| one.pictures[i].hospital == h)));
    }
    let told = |words: &str| drive.notices.iter().any(|(_, text)| text.contains(words));
    assert!(told("grades corrected") && told("left out"), "{:?}", drive.notices);
    // Nobody knows the grades of photographs that have none: an oracle says so once and asks for nothing.
    let asked = folders.params(&["query=entropy", "query_every=1", "query_count=2"]);
    let mut asking = LAB.build(&asked, 1, 4).begin();
    asking.run_to(4);
    let cannot = asking.notices.iter().filter(|(_, text)| text.contains("has a grade for the oracle to tell")).count();
    assert_eq!((cannot, asking.scalars.contains_key("pool")), (1, false), "{:?}", asking.notices);
    // What is changed on disk is another data set: a checkpoint belongs to the one before.
    let checkpoint = drive.experiment.checkpoint().unwrap();
    let before = source::describe(&params).unwrap();
    let table = folders.at("messidor/Annotation_Base13.csv");
    let text = fs::read_to_string(&table).unwrap();
    let last = text.trim_end().rsplit_once('\n').unwrap().1;
    let cells: Vec<&str> = last.split(',').collect();
    let other = format!("{},{},{},{}", cells[0], cells[1], (cells[2].parse::<u8>().unwrap() + 1) % 4, cells[3]);
    fs::write(&table, text.replace(last, &other) + "\n").unwrap();
    assert_ne!(source::describe(&params).unwrap(), before);
    let error = LAB.build(&params, 1, 4).experiment.restore(&checkpoint).unwrap_err().to_string();
    assert!(error.contains("belongs to another run"), "{error}");
}

#[test]
fn errata_fit_held_out_hospital_and_validation_follow_their_parameters() {
    let folders = Folders::new();
    let raw = folders.load(&["errata=off"]);
    tells(&raw, "errata not applied: 4 grades and 4 duplicates");
    tells(&raw, "! 4 graded pictures are there twice and may be trained on and tested on: Base33/");
    assert_eq!(raw.labelled.len() + raw.validation.len() + raw.test.len(), 40);
    let cut = folders.load(&["fit=field-of-view"]);
    assert_ne!(cut.pictures[0].planes, raw.pictures[0].planes);
    let held = folders.load(&["hold_out=2"]);
    tells(&held, "unseen department 2: 12 pictures");
    assert!(held.unseen.iter().all(|&i| held.pictures[i].hospital == 1));
    assert!(
        [&held.labelled, &held.validation, &held.test]
            .iter()
            .all(|p| p.iter().all(|&i| held.pictures[i].hospital != 1))
    );
    let all = folders.load(&["train_on_validation=on"]);
    assert_eq!((all.labelled.len(), all.validation.len(), all.test.len()), (28, 0, 8));
}

#[test]
fn damaged_pictures_are_left_out_and_listed_and_odd_ones_are_read() {
    let folders = Folders::new();
    let graded = folders.pictures("messidor/Base22");
    // A TIFF that ends in the middle, and one of other bytes.
    let bytes = fs::read(&graded[0]).unwrap();
    fs::write(&graded[0], &bytes[..bytes.len() / 2]).unwrap();
    let cut = graded[0].file_name().unwrap().to_string_lossy().into_owned();
    fs::write(&graded[1], b"II*\0 and nothing else of a TIFF file").unwrap();
    // 16 bits of colour, grey, and CMYK as a printer's program saves it.
    let deep = image::open(&graded[2]).unwrap().to_rgb16();
    deep.save(&graded[2]).unwrap();
    image::open(&graded[3]).unwrap().to_luma8().save(&graded[3]).unwrap();
    let jpeg = folders.pictures("pool")[0].with_extension("jpg");
    let mut packed = std::io::Cursor::new(Vec::new());
    image::open(&folders.pictures("pool")[0]).unwrap().write_to(&mut packed, image::ImageFormat::Jpeg).unwrap();
    fs::write(&jpeg, &packed.get_ref()[..packed.get_ref().len() / 2]).unwrap();
    fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/cmyk.jpg"), folders.at("pool/cmyk.jpg")).unwrap();

    let plain = Folders::new().load(&[]);
    let data = folders.load(&[]);
    tells(&data, "! 2 of 36 graded pictures cannot be read and are left out: ");
    tells(&data, &cut);
    tells(&data, "! 1 of 22 ungraded pictures cannot be read and is left out: ");
    // CMYK is a graded picture of base 11 once more.
    tells(&data, "3 of 22 ungraded pictures");
    tells(&data, "cmyk.jpg = Base11/");
    let of = |data: &FundusData, path: &Path| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        data.pictures.iter().find(|picture| picture.name.ends_with(&name)).unwrap().planes.clone()
    };
    assert_eq!(of(&data, &graded[2]), of(&plain, &graded[2]));
    let grey = of(&data, &graded[3]);
    assert!(grey[..1024] == grey[1024..2048] && grey[..1024] == grey[2048..]);
    let drive = LAB.build(&folders.params(&[]), 1, 1).begin();
    let warned =
        |words: &str| drive.notices.iter().any(|(level, text)| *level == Level::Warning && text.contains(words));
    assert!(warned("data: 2 of 36 graded") && warned("data: 1 of 22 ungraded"), "{:?}", drive.notices);

    // On the command line the same.
    let line = format!(
        "run reconstruction --data {} --set unlabelled={} --set image_size=32 --steps 2 --device cpu",
        folders.at("messidor").display(),
        folders.at("pool").display()
    );
    ends(&run(&folders.0, &line), 0, &["2 of 36 graded pictures cannot be read", &cut]);
    let told = fs::read_to_string(only_run(&folders.0).join("run.toml")).unwrap();
    assert!(told.contains("(Messidor): 34 graded pictures, 18 without grades"), "{told}");
}

#[test]
fn tables_that_do_not_fit_are_refused_or_told() {
    // A picture without a row, a row without a picture.
    let folders = Folders::new();
    fs::copy(&folders.pictures("pool")[0], folders.at("messidor/Base21/extra.png")).unwrap();
    fs::remove_file(&folders.pictures("messidor/Base13")[2]).unwrap();
    let data = folders.load(&[]);
    tells(&data, "! Base21: 1 picture has no row in");
    tells(&data, "left out: Base21/extra.png");
    tells(&data, "! Base13: 1 row of");
    // The table of another base, as text and as a workbook.
    let table = folders.at("messidor/Annotation_Base11.csv");
    fs::copy(folders.at("messidor/Annotation_Base13.csv"), &table).unwrap();
    folders.refused(
        &[],
        &["Annotation_Base11.csv", "names none of the pictures in", "Base11", "20060523_48477_0100_PP.tif"],
    );
    fs::remove_file(&table).unwrap();
    let workbook = folders.at("messidor/Annotation Base11.xls");
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/annotation.xls");
    fs::copy(&shipped, &workbook).unwrap();
    folders.refused(&[], &["Annotation Base11.xls", "names none of the pictures in", "20051020_43808_0100_PP.tif"]);
    // It fits as soon as the pictures are those that it names.
    let names = ["43808", "43832", "43882", "43906", "44261"];
    for (path, name) in folders.pictures("messidor/Base11").iter().zip(names) {
        fs::rename(path, path.with_file_name(format!("20051020_{name}_0100_PP.tif"))).unwrap();
    }
    let data = folders.load(&[]);
    let graded = data.pictures.iter().find(|picture| picture.name == "Base11/20051020_43808_0100_PP.tif").unwrap();
    assert_eq!(graded.grade, Some(3));
    fs::write(&workbook, b"\xd0\xcf\x11\xe0 cut short").unwrap();
    folders.refused(&[], &["Annotation Base11.xls", "save the sheet as .csv"]);
    fs::remove_file(&workbook).unwrap();
    tells(&folders.load(&[]), "! Base11: no table of grades (Annotation_Base11.csv or .xls): 6 pictures are left out");
    folders.refused(&[&format!("data={}", folders.at("none").display())], &["none", "does not exist"]);
    folders.refused(&[&format!("data={}", folders.at("pool").display())], &["pool", "no table of their grades"]);
}

#[test]
fn what_a_table_leaves_in_doubt_is_not_trained_on() {
    let folders = Folders::new();
    let pool = folders.pictures("pool");
    let files = ["left/a", "right/a", "b", "c", "d", "e", "f", "g", "h", "left/i", "right/i"];
    for (picture, name) in pool.iter().zip(files) {
        let path = folders.at(&format!("plain/{name}.png"));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::copy(picture, path).unwrap();
    }
    let write = |text: &str| fs::write(folders.at("plain/grades.csv"), text).unwrap();
    write(
        "file;severity;grade\na;0;2\nb;0;0\nb.png;0;no DR\nc;0;1\nc;0;3\n\nd;0;mild\ne;0;R2\nf;0;3 (severe)\ng;0;Grade 0\n\
         h;0;ungradable\nleft/i;0;0\nright\\i.png;0;4\n",
    );
    let data = format!("data={}", folders.at("plain").display());
    let alone = [data.as_str(), "unlabelled=", "routine=labelled-also"];
    let found = folders.load(&alone);
    let mut graded: Vec<(String, Option<u8>)> =
        found.pictures.iter().map(|picture| (picture.name.clone(), picture.grade)).collect();
    graded.sort();
    let expected = [("b", 0), ("d", 1), ("e", 2), ("f", 3), ("g", 0), ("left/i", 0), ("right/i", 3)];
    assert_eq!(graded, expected.map(|(name, grade)| (format!("{name}.png"), Some(grade))));
    for words in [
        "! 1 row of ",
        "fits several pictures, which are left out: row 2: a is left/a.png or right/a.png",
        "! 1 picture has contradicting grades in ",
        "and is left out: c.png (row 5: 1, row 6: 3)",
        "! 1 picture has several rows of one grade in ",
        "grades.csv: b.png",
        "has a grade that is not understood and is left out: row 12: h, `ungradable`",
    ] {
        tells(&found, words);
    }
    // What counts is asked for where it cannot be told.
    write("file,severity,label\nb,0,1\nc,1,0\n");
    folders.refused(&alone, &["grades.csv", "`severity`, `label`", "rename all but the one that counts"]);
    write("file,grade\nb,good\nc,bad\n");
    folders.refused(&alone, &["no grade that is understood", "row 2: b, `good`", "`mild`"]);
    write("file,grade\na,0\ni,1\n");
    folders.refused(&alone, &["names no picture for certain", "row 2: a is left/a.png or right/a.png", "folders"]);
}

#[test]
fn one_class_few_pictures_and_empty_pools_are_told_or_work() {
    let folders = Folders::new();
    fs::create_dir(folders.at("plain")).unwrap();
    let write = |rows: &[(&str, u8)]| {
        let mut text = "id_code,diagnosis\n".to_owned();
        for (i, (name, grade)) in rows.iter().enumerate() {
            fs::copy(&folders.pictures("pool")[i], folders.at(&format!("plain/{name}.png"))).unwrap();
            text += &format!("{name},{grade}\n");
        }
        fs::write(folders.at("plain/train.csv"), text).unwrap();
    };
    let data = format!("data={}", folders.at("plain").display());
    let alone = [data.as_str(), "unlabelled=", "routine=supervised"];
    write(&[("a", 2), ("b", 1), ("c", 3), ("d", 1), ("e", 2)]);
    folders.refused(&alone, &["`data`", "all 5 graded pictures are ill"]);
    write(&[("a", 0), ("b", 0), ("c", 0), ("d", 0), ("e", 0)]);
    folders.refused(&alone, &["all 5 graded pictures are healthy"]);
    // Fewer than a batch are a batch; grade 4 is taken as 3.
    write(&[("a", 0), ("b", 4), ("c", 0), ("d", 2), ("e", 1)]);
    let few = folders.load(&alone);
    assert_eq!((few.labelled.len(), few.validation.len(), few.test.len()), (3, 1, 1));
    tells(&few, "1 picture of grade 4 is taken as grade 3");
    LAB.build(&folders.params(&alone), 1, 2).begin().run_to(2);
    // The same pictures lie in the pool: what is left of it is learned from.
    let both = folders.load(&[&data]);
    assert_eq!(both.unlabelled.len(), 15);
    tells(&both, "5 of 20 ungraded pictures are graded ones too");
    fs::write(folders.at("plain/train.csv"), "id_code,age\na,3\n").unwrap();
    folders.refused(&alone, &["train.csv", "`id_code`, `age`", "`diagnosis`"]);
    write(&[("a", 0), ("b", 1)]);
    folders.refused(&alone, &["leave 1 to train on and 1 to test on"]);
    folders.refused(&[&data, "unlabelled="], &["`unlabelled`", "choose routine=labelled-also"]);
    fs::create_dir(folders.at("empty")).unwrap();
    let empty = format!("unlabelled={}", folders.at("empty").display());
    folders.refused(&[&empty], &["`unlabelled`", "empty", "holds no pictures"]);
    let one = ["hold_out=1", &data, "unlabelled=", "routine=supervised"];
    folders.refused(&one, &["`hold_out`", "1 hospital (all)", "hold_out=none"]);
    fs::remove_dir_all(folders.at("messidor/Base13")).unwrap();
    fs::remove_dir_all(folders.at("messidor/Base11")).unwrap();
    folders.refused(&["hold_out=3"], &["`hold_out`", "2 hospitals (1: department 2, 2: department 3)", "number 3"]);
}

#[test]
fn a_pool_that_is_or_holds_the_graded_folder_leaks_nothing() {
    let folders = Folders::new();
    let at = |path: &str| format!("unlabelled={}", folders.at(path).display());
    // The errata's duplicates are other files of pictures that are graded.
    folders.refused(&[&at("messidor")], &["`unlabelled`", "messidor", "not among the graded ones of"]);
    folders.refused(&[&at("messidor/Base21")], &["Base21", "not among the graded ones of"]);
    let above = folders.load(&[&at(".")]);
    tells(&above, "the folder of ungraded pictures holds that of the graded ones");
    assert_eq!(above.unlabelled.len(), 18);
    fs::rename(folders.at("pool"), folders.at("messidor/more")).unwrap();
    let within = folders.load(&[&at("messidor/more")]);
    tells(&within, "the folder of ungraded pictures lies in that of the graded ones");
    assert_eq!(within.unlabelled.len(), 18);
}

#[test]
fn copies_in_another_format_and_size_are_found_by_their_look() {
    let folders = Folders::new();
    let mut copies = Vec::new();
    for (i, path) in folders.pictures("messidor/Base31").iter().take(4).enumerate() {
        let image = image::open(path).unwrap();
        let image = if i % 2 == 0 { image } else { DynamicImage::ImageRgb8(image.fliph().to_rgb8()) };
        let larger: RgbImage = image.resize(96, 96, image::imageops::FilterType::Triangle).to_rgb8();
        let mut bytes = std::io::Cursor::new(Vec::new());
        image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, 60).encode_image(&larger).unwrap();
        fs::write(folders.at(&format!("pool/copy{i}.jpg")), bytes.into_inner()).unwrap();
        copies.push(path.file_name().unwrap().to_string_lossy().into_owned());
    }
    let data = folders.load(&[]);
    tells(&data, "6 of 24 ungraded pictures");
    for (i, name) in copies.iter().enumerate() {
        let how = if i % 2 == 0 { "looks the same" } else { "its mirror image" };
        tells(&data, &format!("copy{i}.jpg = Base31/{name} ({how})"));
    }
    assert!(names(&data, &data.unlabelled).iter().all(|name| !name.starts_with("copy")));
}

#[test]
fn idrid_keeps_its_test_part_and_shows_its_lesions() {
    let folders = Folders::new();
    let graded = "idrid/B. Disease Grading";
    let pool = folders.pictures("pool");
    for (part, long, of) in [("a. Training Set", "Training", 0..8), ("b. Testing Set", "Testing", 8..12)] {
        let folder = folders.at(&format!("{graded}/1. Original Images/{part}"));
        fs::create_dir_all(&folder).unwrap();
        let mut table = "Image name,Retinopathy grade,Risk of macular edema ,,,\n".to_owned();
        for i in of {
            image::open(&pool[i]).unwrap().save(folder.join(format!("IDRiD_{i:03}.png"))).unwrap();
            table += &format!("IDRiD_{i:03},{},0,,,\n", i % 5);
        }
        fs::create_dir_all(folders.at(&format!("{graded}/2. Groundtruths"))).unwrap();
        let name = format!("{}. IDRiD_Disease Grading_{long} Labels.csv", &part[..1]);
        fs::write(folders.at(&format!("{graded}/2. Groundtruths/{name}")), table).unwrap();
    }
    let segmented = folders.at("idrid/A. Segmentation/1. Original Images/b. Testing Set");
    fs::create_dir_all(&segmented).unwrap();
    fs::copy(&pool[9], segmented.join("IDRiD_55.png")).unwrap();
    let masks = folders.at("idrid/A. Segmentation/2. All Segmentation Groundtruths/b. Testing Set/2. Haemorrhages");
    fs::create_dir_all(&masks).unwrap();
    let mut mask = image::GrayImage::new(64, 64);
    (30..34).for_each(|x| mask.put_pixel(x, 20, image::Luma([255])));
    mask.save(masks.join("IDRiD_55_HE.tif")).unwrap();
    let data =
        folders.load(&[&format!("data={}", folders.at("idrid").display()), "unlabelled=", "routine=labelled-also"]);
    assert_eq!((data.labelled.len(), data.validation.len()), (6, 2));
    assert!(names(&data, &data.test).iter().all(|name| name.contains("Testing Set")), "{:?}", names(&data, &data.test));
    tells(&data, "IDRiD's layout, 12 pictures");
    tells(&data, "known lesions: 1 of 1 pictures with masks are among the graded ones");
    let seen = data.test.iter().map(|&i| &data.pictures[i]).find(|picture| picture.name.contains("009")).unwrap();
    assert_eq!((seen.lesions.len(), seen.lesions[0].kind), (1, LesionKind::Haemorrhage));
    assert_eq!(seen.lesions[0].centre, [0.5, 20.5 / 64.0]);
    assert_eq!(seen.grade, Some(3));
}

#[test]
fn the_sample_set_trains_by_its_preset_and_the_generator_writes_it() {
    let home = tempfile::tempdir().unwrap();
    succeeds(&home, "run reconstruction --preset sample-fundus --set image_size=32 --steps 2 --device cpu");
    let told = fs::read_to_string(only_run(&home).join("run.toml")).unwrap();
    assert!(told.contains("(Messidor): 36 graded pictures, 18 without grades"), "{told}");
    succeeds(&home, "sample-data made --points 20");
    for file in files(SEED).unwrap() {
        assert_eq!(fs::read(home.path().join("made/fundus").join(&file.name)).unwrap(), file.bytes, "{}", file.name);
    }
}
