//! Public data sets as they are unpacked, made small, and read as a run reads them.

use std::path::Path;

use gif::{Encoder, Frame};

use super::params::PARAMS;
use super::source::{SegmentationData, load};
use crate::data::segmentation::Watch;
use crate::engine::params::Params;

const SIZE: (u16, u16) = (40, 32);

fn place(folder: &Path, name: &str) -> std::path::PathBuf {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    path
}

/// An image of many colours, of any format that its name says; `seed` is in all of it.
fn photograph(folder: &Path, name: &str, seed: usize) {
    let value = |x: u32, y: u32| {
        let mixed =
            (x / 3).wrapping_mul(2_654_435_761) ^ (y / 3).wrapping_mul(40_503) ^ (seed as u32).wrapping_mul(97_531_711);
        let grey = (mixed.wrapping_mul(2_246_822_519) >> 24) as u8;
        image::Rgb([grey, grey / 2, 255 - grey])
    };
    image::RgbImage::from_fn(u32::from(SIZE.0), u32::from(SIZE.1), value).save(place(folder, name)).unwrap();
}

/// A mask with a rectangle of lesion from the left edge, of `area` pixels in rows of 8.
fn mask(folder: &Path, name: &str, area: u16) {
    let lesion = |x: u16, y: u16| x < 8 && y < area / 8;
    let path = place(folder, name);
    if name.ends_with(".gif") {
        let numbers = (0..SIZE.1).flat_map(|y| (0..SIZE.0).map(move |x| u8::from(!lesion(x, y)))).collect::<Vec<u8>>();
        let mut bytes = Vec::new();
        // White is number 0.
        let mut encoder = Encoder::new(&mut bytes, SIZE.0, SIZE.1, &[255, 255, 255, 0, 0, 0]).unwrap();
        encoder.write_frame(&Frame::from_indexed_pixels(SIZE.0, SIZE.1, numbers, None)).unwrap();
        drop(encoder);
        std::fs::write(path, bytes).unwrap();
    } else {
        let value = |x, y| image::Luma([255 * u8::from(lesion(x as u16, y as u16))]);
        image::GrayImage::from_fn(u32::from(SIZE.0), u32::from(SIZE.1), value).save(path).unwrap();
    }
}

fn params(folder: &Path, more: &[&str]) -> Params {
    let mut params = Params::defaults(PARAMS);
    let data = format!("data={}", folder.display());
    for text in ["source=folder", &data, "image_size=16", "split=random"].iter().chain(more) {
        params.set_text(PARAMS, text).unwrap();
    }
    params
}

fn read(folder: &Path, more: &[&str]) -> std::sync::Arc<SegmentationData> {
    load(&params(folder, more), Watch::nobody()).unwrap()
}

fn refused(folder: &Path, more: &[&str]) -> String {
    load(&params(folder, more), Watch::nobody()).unwrap_err().to_string()
}

/// Lesion pixels of every image, in the order of their names.
fn areas(data: &SegmentationData) -> Vec<(String, usize)> {
    let stem = |name: &str| name.rsplit('/').next().unwrap_or(name).to_owned();
    let mut areas: Vec<_> = data.items.iter().map(|item| (stem(&item.name), item.truth.area())).collect();
    areas.sort();
    areas
}

/// Each image has the mask with its own area, `8 · (i + 1) + more`.
fn each_has_its_own(data: &SegmentationData, count: usize, more: usize) {
    let areas = areas(data);
    let expected: Vec<usize> = (0..count).map(|i| 8 * (i + 1) + more).collect();
    let found: Vec<usize> = areas.iter().map(|(_, area)| *area).collect();
    assert_eq!(found, expected, "{areas:?} {:#?}", data.summary);
}

fn area(i: usize) -> u16 {
    8 * (i as u16 + 1)
}

fn says(data: &SegmentationData, words: &str) {
    assert!(data.summary.iter().any(|line| line.contains(words)), "{words}: {:#?}", data.summary);
}

#[test]
fn drive_with_its_gifs_and_two_observers_at_any_level() {
    let folder = tempfile::tempdir().unwrap();
    for i in 0..4 {
        for (part, first) in [("training", 21), ("test", 1)] {
            let number = first + i;
            photograph(folder.path(), &format!("{part}/images/{number:02}_{part}.tif"), number);
            mask(folder.path(), &format!("{part}/1st_manual/{number:02}_manual1.gif"), area(i));
            // The field of view is large.
            mask(folder.path(), &format!("{part}/mask/{number:02}_{part}_mask.gif"), 200);
            if part == "test" {
                mask(folder.path(), &format!("{part}/2nd_manual/{number:02}_manual2.gif"), area(i) + 8);
            }
        }
    }
    for (part, people) in [("training", 1), ("test", 2)] {
        let data = read(&folder.path().join(part), &[]);
        each_has_its_own(&data, 4, 0);
        says(&data, "`mask` is taken for the field of view, since `1st_manual` lies beside: 4 pictures are left out");
        match people {
            1 => assert!(refused(&folder.path().join(part), &["annotator=2"]).contains("masks of several people")),
            _ => {
                says(&data, "4 masks of other people are left out: those in `2nd_manual`");
                let second = read(&folder.path().join(part), &["annotator=2"]);
                each_has_its_own(&second, 4, 8);
                says(&second, "those in `1st_manual`");
                let problem = refused(&folder.path().join(part), &["annotator=3"]);
                assert!(problem.contains("`annotator`") && problem.contains("from 1 to 2"), "{problem}");
            }
        }
    }
    // The whole of it: who has not drawn all of them is taken where there is something.
    let both = |more: &[&str]| areas(&read(folder.path(), more)).iter().map(|(_, area)| area).sum::<usize>();
    assert_eq!((both(&[]), both(&["annotator=2"])), (2 * 80, 2 * 80 + 4 * 8));
    // Folders called otherwise, for the same.
    let folder = tempfile::tempdir().unwrap();
    for i in 0..4 {
        photograph(folder.path(), &format!("images/{:02}_dr.jpg", i + 1), i);
        mask(folder.path(), &format!("manual1/{:02}_dr.tif", i + 1), area(i));
        mask(folder.path(), &format!("FOV/{:02}_dr.png", i + 1), 200);
    }
    let data = read(folder.path(), &[]);
    each_has_its_own(&data, 4, 0);
    says(&data, "`FOV` is taken for the field of view");
}

#[test]
fn chase_with_two_observers_beside_the_images_or_in_a_folder() {
    for masks in ["", "masks/"] {
        let folder = tempfile::tempdir().unwrap();
        let images = if masks.is_empty() { "" } else { "images/" };
        for i in 0..6 {
            let name = format!("Image_{:02}{}", i / 2 + 1, ["L", "R"][i % 2]);
            photograph(folder.path(), &format!("{images}{name}.jpg"), i);
            mask(folder.path(), &format!("{masks}{name}_1stHO.png"), area(i));
            mask(folder.path(), &format!("{masks}{name}_2ndHO.png"), area(i) + 16);
        }
        let data = read(folder.path(), &[]);
        each_has_its_own(&data, 6, 0);
        says(&data, "masks of several people: those of `_1stho` are taken, `_2ndho` left out");
        let second = read(folder.path(), &["annotator=2"]);
        each_has_its_own(&second, 6, 16);
        says(&second, "those of `_2ndho` are taken, `_1stho` left out");
        assert!(refused(folder.path(), &["annotator=3"]).contains("choose one from 1 to 2"));
    }
    // Folders of the people within one of masks.
    let folder = tempfile::tempdir().unwrap();
    for i in 0..4 {
        photograph(folder.path(), &format!("images/{i}.png"), i);
        mask(folder.path(), &format!("masks/expert1/{i}.png"), area(i));
        mask(folder.path(), &format!("masks/expert2/{i}.png"), area(i) + 8);
    }
    each_has_its_own(&read(folder.path(), &[]), 4, 0);
    each_has_its_own(&read(folder.path(), &["annotator=2"]), 4, 8);
}

#[test]
fn isic_with_superpixels_and_licences_and_bus_bra() {
    let folder = tempfile::tempdir().unwrap();
    let (images, masks) = ("ISIC2018_Task1-2_Training_Input", "ISIC2018_Task1_Training_GroundTruth");
    for i in 0..5 {
        photograph(folder.path(), &format!("{images}/ISIC_{i:07}.jpg"), i);
        photograph(folder.path(), &format!("{images}/ISIC_{i:07}_superpixels.png"), i + 50);
        mask(folder.path(), &format!("{masks}/ISIC_{i:07}_segmentation.png"), area(i));
    }
    for name in [images, masks] {
        std::fs::write(folder.path().join(name).join("LICENSE.txt"), "CC-0").unwrap();
    }
    let data = read(folder.path(), &[]);
    each_has_its_own(&data, 5, 0);
    says(&data, "5 pictures are left out: named as an image with `_superpixels` added");
    says(&data, "2 other files are not looked at");
    assert!(!data.summary.iter().any(|line| line.contains("without a mask")), "{:#?}", data.summary);

    let folder = tempfile::tempdir().unwrap();
    for i in 0..6 {
        let case = format!("{:04}-{}", i / 2 + 1, ["l", "r"][i % 2]);
        photograph(folder.path(), &format!("Images/bus_{case}.png"), i);
        mask(folder.path(), &format!("Masks/mask_{case}.png"), area(i));
    }
    std::fs::write(folder.path().join("bus_data.csv"), "ID,Case\nbus_0001-l,1\n").unwrap();
    let data = read(folder.path(), &[]);
    each_has_its_own(&data, 6, 0);
    says(&data, "images in `Images`, masks of other names in `Masks`");
    says(&data, "`Masks/mask_0001-l.png` for `Images/bus_0001-l.png`");
}

#[test]
fn masks_beside_the_images_by_addition_or_by_format() {
    for (image_name, mask_name, rule) in [
        ("a{}.jpg", "a{}.png", "a mask is named as its image, in another format"),
        ("a{}.jpg", "a{}.gif", "a GIF beside an image of the same name"),
        ("a{}.jpg", "a{}.bmp", "a BMP beside an image of the same name"),
        ("a{}.png", "a{}_mask.gif", "a mask is named as its image with `_mask` added"),
        ("a{}.jpg", "mask_a{}.png", "a mask is named `mask_` before the image's name"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        for i in 0..4 {
            photograph(folder.path(), &image_name.replace("{}", &i.to_string()), i);
            mask(folder.path(), &mask_name.replace("{}", &i.to_string()), area(i));
        }
        let data = read(folder.path(), &[]);
        each_has_its_own(&data, 4, 0);
        says(&data, rule);
    }
}

#[test]
fn what_a_computer_leaves_behind_and_what_is_damaged_is_left_out_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let apple = [b"\0\x05\x16\x07\0\x02\0\0Mac OS X        ".as_slice(), &[0; 400]].concat();
    for i in 0..5 {
        photograph(folder.path(), &format!("images/{i}.png"), i);
        mask(folder.path(), &format!("masks/{i}.gif"), area(i));
        std::fs::write(folder.path().join(format!("images/._{i}.png")), &apple).unwrap();
        std::fs::write(folder.path().join(format!("masks/._{i}.gif")), &apple).unwrap();
        std::fs::write(place(folder.path(), &format!("__MACOSX/images/._{i}.png")), &apple).unwrap();
    }
    for name in [".DS_Store", "images/.DS_Store", "images/Thumbs.db", "masks/desktop.ini"] {
        std::fs::write(folder.path().join(name), "Bud1").unwrap();
    }
    let mut data = read(folder.path(), &[]);
    each_has_its_own(&data, 5, 0);
    says(&data, "10 hidden files with the name of a picture");
    says(&data, "2 other files are not looked at");
    for (name, at) in [("images/4.png", 2), ("masks/3.gif", 3)] {
        let bytes = std::fs::read(folder.path().join(name)).unwrap();
        std::fs::write(folder.path().join(name), &bytes[..bytes.len() * at / 4]).unwrap();
    }
    data = read(folder.path(), &[]);
    assert_eq!(areas(&data).iter().map(|(name, _)| &**name).collect::<Vec<_>>(), ["0", "1", "2"]);
    for name in ["4.png", "3.gif"] {
        let found = data.findings.iter().find(|finding| finding.file.ends_with(name));
        assert!(found.is_some_and(|finding| finding.problem.contains("damaged")), "{name}: {:#?}", data.findings);
    }
}

#[test]
fn classes_are_left_out_by_their_names() {
    for (image_name, mask_name) in
        [("{class}/images/{i}.png", "{class}/masks/{i}.png"), ("{class} ({i}).png", "{class} ({i})_mask.png")]
    {
        let folder = tempfile::tempdir().unwrap();
        for (n, class) in ["benign", "malignant", "normal"].into_iter().enumerate() {
            for i in 0..4 {
                let named = |name: &str| name.replace("{class}", class).replace("{i}", &i.to_string());
                photograph(folder.path(), &named(image_name), 10 * n + i);
                mask(folder.path(), &named(mask_name), if class == "normal" { 0 } else { area(i) });
            }
        }
        assert_eq!(read(folder.path(), &[]).items.len(), 12);
        let data = read(folder.path(), &["leave_out=Normal"]);
        assert!(data.items.len() == 8 && data.items.iter().all(|item| item.truth.area() > 0), "{:#?}", data.summary);
        says(&data, "classes: benign 4, malignant 4");
        says(&data, "classes left out, as chosen: normal 4");
        assert_eq!(read(folder.path(), &["leave_out=normal, malignant"]).items.len(), 4);
        let problem = refused(folder.path(), &["leave_out=normal,cyst"]);
        assert!(
            problem.contains("`leave_out`")
                && problem.contains("`cyst` is no class of this folder: there are `benign`, `malignant`, `normal`"),
            "{problem}"
        );
        assert!(refused(folder.path(), &["leave_out=normal,benign,malignant"]).contains("leaves no image"));
    }
    let folder = tempfile::tempdir().unwrap();
    for i in 0..4 {
        photograph(folder.path(), &format!("{i}.png"), i);
        mask(folder.path(), &format!("{i}_mask.png"), area(i));
    }
    assert!(refused(folder.path(), &["leave_out=normal"]).contains("its images have no classes"));
}
