//! Folders that names and folders do not explain: patterns, guesses that are told, and shapes of labelme.

use std::path::Path;

use super::super::choice::FolderChoice;
use super::super::listing::{CORRECTIONS, Layout, Listing, scan, scan_chosen, suggested};
use super::super::mapping::Mapping;
use super::super::read::Reader;
use super::super::save::{corrected_path, drawn_path, save_corrected};
use super::super::{DataError, Watch};
use crate::pixels::mask::Mask;

/// An image of many colours.
fn image(folder: &Path, name: &str, seed: u32) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let value = |x: u32, y: u32| {
        let mixed = (x + 1).wrapping_mul(2_654_435_761) ^ (y + 7).wrapping_mul(40_503) ^ seed.wrapping_mul(97_531_711);
        image::Luma([(mixed.wrapping_mul(2_246_822_519) >> 24) as u8])
    };
    image::GrayImage::from_fn(40, 30, value).save(path).unwrap();
}

/// A mask with `area` pixels of lesion, in rows of 10.
fn mask(folder: &Path, name: &str, area: u32) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let value = |x, y| image::Luma([255 * u8::from(x < 10 && y < area / 10)]);
    image::GrayImage::from_fn(40, 30, value).save(path).unwrap();
}

/// A file of labelme with one rectangle for each label, so many rows of 10 pixels.
fn shapes(folder: &Path, name: &str, labels: &[(&str, u32)]) {
    let shape = |(label, rows): &(&str, u32)| {
        format!(r#"{{"label": "{label}", "points": [[0, 0], [10, {rows}]], "shape_type": "rectangle"}}"#)
    };
    let shapes: Vec<String> = labels.iter().map(shape).collect();
    let text =
        format!(r#"{{"version": "5.2", "shapes": [{}], "imageHeight": 30, "imageWidth": 40}}"#, shapes.join(", "));
    std::fs::write(folder.join(name), text).unwrap();
}

fn with(folder: &Path, images: &str, masks: &str) -> Result<Listing, DataError> {
    let mapping = Mapping::parse(images, masks).unwrap();
    scan_chosen(folder, None, &FolderChoice::new(1, "").with("", mapping), Watch::nobody())
}

/// Lesion pixels of every pair, in their order.
fn areas(listing: &Listing) -> Vec<usize> {
    let reader = Reader::default();
    listing.pairs.iter().map(|pair| reader.pair(pair).unwrap().mask.area()).collect()
}

fn says(listing: &Listing, words: &str) {
    assert!(listing.describe().iter().any(|line| line.contains(words)), "{words}: {:#?}", listing.describe());
}

#[test]
fn two_folders_of_unknown_names_are_told_apart_where_there_is_no_doubt() {
    let folder = tempfile::tempdir().unwrap();
    for i in 0..4 {
        image(folder.path(), &format!("A/us_{i}.png"), i);
        mask(folder.path(), &format!("B/r{i}x.png"), 10 * (i + 1));
    }
    let listing = scan(folder.path(), None, Watch::nobody()).unwrap();
    assert_eq!(areas(&listing), [10, 20, 30, 40]);
    says(&listing, "images are `A/us_*`, masks `B/r*x`");
    says(&listing, "say otherwise with images_in and masks_in");
    assert!(listing.pairs.iter().all(|pair| pair.class.is_none()));
    // One mask more or less, and somebody has to say it.
    std::fs::remove_file(folder.path().join("B/r3x.png")).unwrap();
    let listing = scan(folder.path(), None, Watch::nobody()).unwrap();
    let message = listing.require_pairs().unwrap_err().to_string();
    assert!(message.contains("images_in and masks_in"), "{message}");
    let guess = suggested(folder.path(), Watch::nobody()).unwrap().unwrap();
    assert_eq!((guess.images.text(), guess.masks.text()), ("A/us_*", "B/r*x"));
    let listing = with(folder.path(), guess.images.text(), guess.masks.text()).unwrap();
    assert_eq!((areas(&listing), listing.unpaired_images.len()), (vec![10, 20, 30], 1));
}

#[test]
fn folders_of_pictures_alone_stay_without_masks() {
    let folder = tempfile::tempdir().unwrap();
    for i in 0..3 {
        image(folder.path(), &format!("cat/{i}.png"), i);
        image(folder.path(), &format!("dog/{i}.png"), i + 10);
    }
    let listing = scan(folder.path(), None, Watch::nobody()).unwrap();
    assert_eq!((listing.pairs.len(), &listing.layout), (0, &Layout::Drawn));
}

#[test]
fn patterns_say_what_pairs_and_corrected_masks_belong_to_it() {
    let folder = tempfile::tempdir().unwrap();
    for i in 0..4 {
        image(folder.path(), &format!("p{}/scan_{i}.png", i / 2), i);
        mask(folder.path(), &format!("out/p{}/{i}.lab.png", i / 2), 10 * (i + 1));
        image(folder.path(), &format!("preview/{i}.png"), i + 20);
    }
    image(folder.path(), "p1/scan_9.png", 9);
    let listing = with(folder.path(), "p*", "out/p*.lab").unwrap();
    assert!(listing.pairs.is_empty(), "`scan_` is in the way");
    let message = listing.require_pairs().unwrap_err().to_string();
    assert!(message.contains("images_in `p*` fits") && message.contains("the same in place of `*`"), "{message}");
    // One star, and what varies may hold a folder.
    for i in 0..4 {
        let from = folder.path().join(format!("out/p{}/{i}.lab.png", i / 2));
        std::fs::rename(from, folder.path().join(format!("out/p{}/scan_{i}.lab.png", i / 2))).unwrap();
    }
    let listing = with(folder.path(), "p*.png", "out/p*.lab.png").unwrap();
    assert_eq!((areas(&listing), listing.unpaired_images.len()), (vec![10, 20, 30, 40], 5));
    let pair = &listing.pairs[1];
    let path = save_corrected(&listing, pair, &Mask::from_fn(30, 40, |row, _| row < 1)).unwrap();
    assert_eq!(path, folder.path().join(CORRECTIONS).join("out/p0/scan_1.lab.png"));
    let again = with(folder.path(), "p*.png", "out/p*.lab.png").unwrap();
    assert_eq!((areas(&again), again.problems.len()), (vec![10, 40, 30, 40], 0));
    // And a mask that is drawn where there is none.
    let lone = listing.unpaired_images.iter().find(|path| path.ends_with("scan_9.png")).unwrap();
    std::fs::create_dir_all(folder.path().join(CORRECTIONS).join("p1")).unwrap();
    std::fs::copy(&path, drawn_path(&listing, lone)).unwrap();
    let drawn = with(folder.path(), "p*.png", "out/p*.lab.png").unwrap();
    assert_eq!((drawn.pairs.len(), drawn.drawn.len()), (4, 1));
    let missing = scan_chosen(&folder.path().join("p1"), None, &FolderChoice::default(), Watch::nobody()).unwrap();
    assert!(missing.pairs.is_empty(), "without patterns it is what it was");
}

#[test]
fn shapes_of_labelme_stand_in_where_there_is_no_mask() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for i in 0..4 {
        image(root, &format!("{i}.jpg"), i);
    }
    shapes(root, "0.json", &[("cyst", 1)]);
    shapes(root, "1.json", &[("cyst", 2), ("tumour", 5)]);
    shapes(root, "2.json", &[]);
    std::fs::write(root.join("3.json"), r#"{"age": 40}"#).unwrap();
    std::fs::write(root.join("about.json"), "{}").unwrap();
    let listing = scan(root, None, Watch::nobody()).unwrap();
    assert_eq!((areas(&listing), listing.unpaired_images.len()), (vec![10, 50, 0], 1));
    says(&listing, "labels: cyst 2, tumour 1");
    says(&listing, "choose some with labels=A,B");
    says(&listing, "2 JSON files are not used");
    assert_eq!(listing.layout, Layout::Affix { affix: String::new(), prefix: false });
    let choice = |labels: &str| FolderChoice::new(1, "").with(labels, None);
    let cysts = scan_chosen(root, None, &choice("CYST"), Watch::nobody()).unwrap();
    assert_eq!(areas(&cysts), [10, 20, 0]);
    assert_eq!(choice("cyst").check(&cysts), Ok(()));
    let (key, problem) = choice("lesion").check(&cysts).unwrap_err();
    assert!(key == "labels" && problem.contains("`lesion`: there are `cyst`, `tumour`"), "{problem}");
    // A correction of it is a picture, and stands in for it.
    let path = save_corrected(&listing, &listing.pairs[0], &Mask::from_fn(30, 40, |row, _| row < 3)).unwrap();
    assert_eq!(path, corrected_path(&listing, &listing.pairs[0]));
    assert_eq!(areas(&scan(root, None, Watch::nobody()).unwrap()), [120, 50, 0]);
    // A damaged one is told by its name.
    std::fs::write(root.join("2.json"), r#"{"shapes": [{"label""#).unwrap();
    let damaged = scan(root, None, Watch::nobody()).unwrap();
    let problem = damaged.problems.iter().find(|problem| problem.path.ends_with("2.json")).unwrap();
    assert!(problem.problem.contains("no file of labelme that can be read"), "{}", problem.problem);
    // Masks beside them count, and files of other folders.
    let mixed = tempfile::tempdir().unwrap();
    for i in 0..3 {
        image(mixed.path(), &format!("images/{i}.png"), i);
        std::fs::create_dir_all(mixed.path().join("json")).unwrap();
        shapes(&mixed.path().join("json"), &format!("{i}.json"), &[("a", 2)]);
    }
    mask(mixed.path(), "masks/0.png", 100);
    let listing = scan(mixed.path(), None, Watch::nobody()).unwrap();
    assert_eq!(areas(&listing), [100, 20, 20]);
    let listing = with(mixed.path(), "images", "json/*.json").unwrap();
    assert_eq!(areas(&listing), [20, 20, 20]);
}

#[test]
fn a_correction_of_one_persons_mask_is_no_problem_where_anothers_is_shown() {
    for second in ["_2ndHO", ""] {
        let folder = tempfile::tempdir().unwrap();
        for i in 0..3 {
            let names = match second {
                "" => [format!("images/{i}.png"), format!("masks/expert1/{i}.png"), format!("masks/expert2/{i}.png")],
                _ => [format!("im{i}.png"), format!("im{i}_1stHO.png"), format!("im{i}_2ndHO.png")],
            };
            image(folder.path(), &names[0], i);
            mask(folder.path(), &names[1], 10);
            mask(folder.path(), &names[2], 20);
        }
        let of = |person| scan_chosen(folder.path(), None, &FolderChoice::new(person, ""), Watch::nobody()).unwrap();
        let listing = of(2);
        assert_eq!(areas(&listing), [20, 20, 20]);
        save_corrected(&listing, &listing.pairs[1], &Mask::from_fn(30, 40, |row, _| row < 1)).unwrap();
        assert_eq!(areas(&of(2)), [20, 40, 20]);
        let first = of(1);
        assert_eq!((areas(&first), first.problems.len()), (vec![10, 10, 10], 0), "{:?}", first.problems);
        says(&first, "1 corrected mask stands in for masks of another person");
    }
}
