use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::super::listing::{CORRECTIONS, Layout, Listing, scan};
use super::super::testing::{place, save_image, save_mask};
use super::super::{DataError, Watch};

const SIZE: (u32, u32) = (24, 16);
const LESION: [u32; 4] = [4, 4, 10, 9];

fn image(folder: &Path, name: &str) {
    save_image(folder, name, SIZE, name.len() as u32);
}

fn mask(folder: &Path, name: &str) {
    save_mask(folder, name, SIZE, LESION);
}

fn listed(folder: &Path) -> Listing {
    scan(folder, None, Watch::nobody()).unwrap()
}

/// `image: mask, mask` of every pair.
fn pairs(listing: &Listing) -> Vec<String> {
    let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    let masks = |masks: &[std::path::PathBuf]| masks.iter().map(|path| name(path)).collect::<Vec<_>>().join(", ");
    listing.pairs.iter().map(|pair| format!("{}: {}", name(&pair.image), masks(&pair.masks))).collect()
}

#[test]
fn busi_in_one_folder() {
    let folder = tempfile::tempdir().unwrap();
    for i in [10, 2, 1] {
        image(folder.path(), &format!("benign ({i}).png"));
        mask(folder.path(), &format!("benign ({i})_mask.png"));
    }
    mask(folder.path(), "benign (2)_mask_2.png");
    mask(folder.path(), "benign (2)_mask_1.png");
    mask(folder.path(), "benign (2)_mask_10.png");
    image(folder.path(), "malignant (1).PNG");
    mask(folder.path(), "malignant (1)_mask.PNG");
    std::fs::write(folder.path().join("notes.txt"), "x").unwrap();
    let listing = listed(folder.path());
    assert_eq!(listing.layout, Layout::Busi { split: false });
    assert_eq!(
        pairs(&listing),
        [
            "benign (1).png: benign (1)_mask.png",
            "benign (2).png: benign (2)_mask.png, benign (2)_mask_1.png, benign (2)_mask_2.png, benign (2)_mask_10.png",
            "benign (10).png: benign (10)_mask.png",
            "malignant (1).PNG: malignant (1)_mask.PNG",
        ]
    );
    assert_eq!(listing.classes(), [("benign".to_owned(), 3), ("malignant".to_owned(), 1)]);
    assert_eq!((listing.pairs[0].size, listing.other_files), (SIZE, 1));
    let text = listing.describe().join("\n");
    for words in
        ["BUSI", "4 pairs", "7 masks", "1 image has several", "benign 3, malignant 1", "24 pixels wide and 16 high"]
    {
        assert!(text.contains(words), "{words}: {text}");
    }
}

#[test]
fn busi_split_into_images_and_masks_and_opened_at_any_level() {
    let folder = tempfile::tempdir().unwrap();
    for class in ["benign", "normal"] {
        for i in 1..=2 {
            image(folder.path(), &format!("data/{class}/images/{class} ({i}).png"));
            mask(folder.path(), &format!("data/{class}/mask/{class} ({i})_mask.png"));
        }
    }
    mask(folder.path(), "data/benign/mask/benign (2)_mask_1.png");
    for (level, count) in [("", 4), ("data", 4), ("data/benign", 2), ("data/benign/images", 2), ("data/normal/mask", 2)]
    {
        let listing = listed(&folder.path().join(level));
        assert_eq!(listing.pairs.len(), count, "{level}");
        assert_eq!(listing.layout, Layout::Busi { split: true }, "{level}");
        assert!(listing.unpaired_images.is_empty() && listing.unpaired_masks.is_empty(), "{level}");
    }
    let listing = listed(&folder.path().join("data/benign/images"));
    assert!(listing.root.ends_with("data/benign"), "{:?}", listing.root);
    assert_eq!(listing.pairs[1].masks.len(), 2);
}

#[test]
fn masks_by_suffix_of_any_kind() {
    for (image_name, mask_name) in [
        ("a.jpg", "a_mask.png"),
        ("a.png", "a-mask.png"),
        ("a.bmp", "a_seg.tif"),
        ("a.tiff", "A_Label.BMP"),
        ("a_image.png", "a_gt.png"),
        ("IMG_12.png", "IMG_12_segmentation.png"),
        ("12.png", "12mask.png"),
        ("12.png", "mask_12.png"),
        ("a_0000.png", "a_seg.png"),
        ("a.JPEG", "a_ground_truth.png"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        image(folder.path(), image_name);
        mask(folder.path(), mask_name);
        let listing = listed(folder.path());
        assert_eq!(pairs(&listing), [format!("{image_name}: {mask_name}")]);
        assert!(matches!(listing.layout, Layout::Affix { .. }), "{:?}", listing.layout);
        assert_eq!(listing.pairs[0].class, None);
    }
}

#[test]
fn masks_in_parallel_folders_of_any_kind() {
    for (image_name, mask_name) in [
        ("images/1.png", "masks/1.png"),
        ("imgs/1.jpg", "labels/1.png"),
        ("train_images/1.png", "train_masks/1.png"),
        ("train/images/1.png", "train/masks/1.png"),
        ("images/train/1.png", "masks/train/1.png"),
        ("1.png", "masks/1.png"),
        ("imagesTr/case_0000.png", "labelsTr/case.png"),
        ("images/mask_1.png", "masks/mask_1.png"),
        ("Original/x.png", "Ground_Truth/x.png"),
        ("images/benign/only here.png", "masks/only here.png"),
        ("case 7/images/case 7.png", "case 7/masks/def.png"),
        ("images/a_1.png", "masks/a_1_mask.png"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        image(folder.path(), image_name);
        mask(folder.path(), mask_name);
        let listing = listed(folder.path());
        assert_eq!(listing.pairs.len(), 1, "{image_name} with {mask_name}: {listing:?}");
        assert!(listing.pairs[0].image.ends_with(image_name) && listing.pairs[0].masks[0].ends_with(mask_name));
    }
    let folder = tempfile::tempdir().unwrap();
    image(folder.path(), "imgs/1.png");
    mask(folder.path(), "labels/1.png");
    let layout = listed(folder.path()).layout;
    assert_eq!(layout, Layout::Parallel { images: "imgs".to_owned(), masks: "labels".to_owned() });
    assert!(layout.describe().contains("`imgs`") && layout.describe().contains("`labels`"));
}

#[test]
fn masks_never_cross_from_one_subset_into_another() {
    let folder = tempfile::tempdir().unwrap();
    image(folder.path(), "test/images/1.png");
    image(folder.path(), "train/images/2.png");
    mask(folder.path(), "train/masks/1.png");
    mask(folder.path(), "train/masks/2.png");
    let listing = listed(folder.path());
    assert_eq!(pairs(&listing), ["2.png: 2.png"]);
    assert_eq!((listing.unpaired_images.len(), listing.unpaired_masks.len()), (1, 1));
}

#[test]
fn what_has_no_partner_is_listed_not_used() {
    let folder = tempfile::tempdir().unwrap();
    image(folder.path(), "benign (1).png");
    mask(folder.path(), "benign (1)_mask.png");
    image(folder.path(), "benign (2).png");
    mask(folder.path(), "benign (3)_mask.png");
    // The same name twice: no mask says which it belongs to.
    image(folder.path(), "benign (1).jpg");
    let listing = listed(folder.path());
    assert_eq!(listing.pairs.len(), 1);
    assert!(listing.unpaired_images[0].ends_with("benign (2).png") && listing.unpaired_images.len() == 1);
    assert!(listing.unpaired_masks[0].ends_with("benign (3)_mask.png") && listing.unpaired_masks.len() == 1);
    assert_eq!(listing.problems.len(), 1);
    assert!(listing.problems[0].problem.contains("same name"), "{:?}", listing.problems);
    let text = listing.describe().join("\n");
    assert!(text.contains("1 image without a mask") && text.contains("1 mask without an image"), "{text}");
}

#[test]
fn damaged_files_are_problems_and_the_rest_is_used() {
    let folder = tempfile::tempdir().unwrap();
    for i in 1..=4 {
        image(folder.path(), &format!("{i}.png"));
        mask(folder.path(), &format!("{i}_mask.png"));
    }
    std::fs::write(place(folder.path(), "1.png"), b"").unwrap();
    std::fs::write(place(folder.path(), "2.png"), b"not a picture at all").unwrap();
    let bytes = std::fs::read(folder.path().join("3_mask.png")).unwrap();
    std::fs::write(folder.path().join("3_mask.png"), &bytes[..20]).unwrap();
    let listing = listed(folder.path());
    assert_eq!(pairs(&listing), ["4.png: 4_mask.png"]);
    let text: Vec<&str> = listing.problems.iter().map(|problem| problem.problem.as_str()).collect();
    assert!(text.iter().any(|text| text.contains("empty file")), "{text:?}");
    assert!(text.iter().any(|text| text.contains("holds text, no picture")), "{text:?}");
    assert!(text.iter().any(|text| text.contains("cut short")), "{text:?}");
    assert!(text.iter().any(|text| text.contains("a mask of it cannot be read")), "{text:?}");
}

#[test]
fn folders_without_anything_to_use_say_what_was_expected() {
    let folder = tempfile::tempdir().unwrap();
    let message = |path: &Path| scan(path, None, Watch::nobody()).unwrap_err().to_string();
    assert!(message(folder.path()).contains("holds no pictures"), "{}", message(folder.path()));
    std::fs::write(folder.path().join("a.txt"), "x").unwrap();
    assert!(message(folder.path()).contains("in its 1 file;"));
    assert!(message(&folder.path().join("nowhere")).contains("does not exist"));
    assert!(message(&folder.path().join("a.txt")).contains("is not a folder"));
    image(folder.path(), "1.png");
    let listing = listed(folder.path());
    assert_eq!((listing.pairs.len(), listing.unpaired_images.len()), (0, 1));
    let message = listing.require_pairs().unwrap_err().to_string();
    assert!(message.contains("`_mask`") && message.contains("`images` and `masks`"), "{message}");
}

#[test]
fn corrected_masks_stand_in_for_the_originals() {
    let folder = tempfile::tempdir().unwrap();
    for i in 1..=3 {
        image(folder.path(), &format!("a/images/{i}.png"));
    }
    mask(folder.path(), "a/masks/1.png");
    mask(folder.path(), "a/masks/2.jpg");
    mask(folder.path(), &format!("{CORRECTIONS}/a/masks/2.png"));
    mask(folder.path(), &format!("{CORRECTIONS}/a/masks/3.png"));
    mask(folder.path(), &format!("{CORRECTIONS}/a/masks/4.png"));
    let listing = listed(folder.path());
    let used: Vec<bool> = listing.pairs.iter().map(|pair| pair.corrected.is_some()).collect();
    assert_eq!(used, [false, true]);
    assert_eq!(listing.pairs[1].masks_in_use(), [folder.path().join(CORRECTIONS).join("a/masks/2.png")]);
    // The third one has no mask of the data set: it was labelled here, and is no part of the data set.
    assert!(listing.drawn.len() == 1 && listing.drawn[0].pair.masks.is_empty());
    assert!(listing.describe().join("\n").contains("1 corrected or drawn mask is"));
    assert!(listing.problems[0].problem.contains("of no image"), "{:?}", listing.problems);

    // From elsewhere, where the data set cannot be written to.
    let elsewhere = tempfile::tempdir().unwrap();
    mask(elsewhere.path(), "a/masks/1.png");
    let listing = scan(folder.path(), Some(elsewhere.path()), Watch::nobody()).unwrap();
    assert!(listing.pairs[0].corrected.as_ref().unwrap().starts_with(elsewhere.path()));
}

#[test]
fn listing_is_watched_and_stopped() {
    let folder = tempfile::tempdir().unwrap();
    image(folder.path(), "1.png");
    mask(folder.path(), "1_mask.png");
    let calls = AtomicUsize::new(0);
    let watch = Watch { progress: &|_, total| calls.store(total, Ordering::Relaxed), cancel: &AtomicBool::new(false) };
    scan(folder.path(), None, watch).unwrap();
    assert_eq!(calls.load(Ordering::Relaxed), 2);
    let watch = Watch { progress: &|_, _| {}, cancel: &AtomicBool::new(true) };
    assert_eq!(scan(folder.path(), None, watch), Err(DataError::Cancelled));
}

#[cfg(unix)]
#[test]
fn every_folder_is_listed_once_whatever_links_lead_to_it() {
    use std::os::unix::fs::symlink;
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    image(folder.path(), "a/1.png");
    mask(folder.path(), "a/1_mask.png");
    // Each of ten links in each of two folders, to eight deep: a hundred million folders if one went on.
    std::fs::create_dir(at("b")).unwrap();
    for i in 0..10 {
        symlink(folder.path(), at(&format!("a/up{i}"))).unwrap();
        symlink(at("a"), at(&format!("b/a{i}"))).unwrap();
        symlink(at("b"), at(&format!("a/b{i}"))).unwrap();
    }
    let names = |folder: &Path| listed(folder).pairs.into_iter().map(|pair| pair.name).collect::<Vec<_>>();
    assert_eq!(names(folder.path()), ["a/1"], "by its own way, whatever links lead there");
    // A folder that lies elsewhere is found by its first link; the chosen folder may be a link itself.
    let elsewhere = tempfile::tempdir().unwrap();
    symlink(at("a"), elsewhere.path().join("z")).unwrap();
    symlink(at("a"), elsewhere.path().join("y")).unwrap();
    assert_eq!(names(elsewhere.path()), ["y/1"]);
    assert_eq!(names(&elsewhere.path().join("z")), ["1"]);
    // A link to a folder that holds the chosen one leads nowhere.
    image(folder.path(), "beside/2.png");
    mask(folder.path(), "beside/2_mask.png");
    assert_eq!(names(&at("a")), ["1"]);
}

/// An image of many colours, as photographs have.
fn photograph(folder: &Path, name: &str, seed: u32) {
    save_image(folder, name, (48, 40), seed);
}

#[test]
fn folders_of_a_challenge_as_unpacked() {
    for (images, masks, suffix) in [
        ("ISIC2018_Task1-2_Training_Input", "ISIC2018_Task1_Training_GroundTruth", "_segmentation"),
        ("ISIC-2017_Training_Data", "ISIC-2017_Training_Part1_GroundTruth", "_segmentation"),
        ("ISBI2016_ISIC_Part1_Training_Data", "ISBI2016_ISIC_Part1_Training_GroundTruth", "_Segmentation"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        for i in 0..4 {
            image(folder.path(), &format!("{images}/ISIC_{i:07}.jpg"));
            image(folder.path(), &format!("{images}/ISIC_{i:07}_superpixels.png"));
            mask(folder.path(), &format!("{masks}/ISIC_{i:07}{suffix}.png"));
        }
        let listing = listed(folder.path());
        assert_eq!(listing.pairs.len(), 4, "{images}: {listing:?}");
        assert!(pairs(&listing)[1].starts_with("ISIC_0000001.jpg: ISIC_0000001_"), "{:?}", pairs(&listing));
        // Both parts side by side.
        let (images, masks) = (images.replace("Training", "Validation"), masks.replace("Training", "Validation"));
        for i in 2..5 {
            image(folder.path(), &format!("{images}/ISIC_{i:07}.jpg"));
            mask(folder.path(), &format!("{masks}/ISIC_{i:07}{suffix}.png"));
        }
        let listing = listed(folder.path());
        assert_eq!((listing.pairs.len(), listing.given.is_some()), (7, true), "{images}");
    }
}

#[test]
fn names_that_share_a_rest_or_their_numbers_are_pairs() {
    for (image_names, mask_names) in [
        (
            ["Images/bus_0001-l.png", "Images/bus_0001-r.png", "Images/bus_0002-l.png"],
            ["Masks/mask_0001-l.png", "Masks/mask_0001-r.png", "Masks/mask_0002-l.png"],
        ),
        (["img/US 1.png", "img/US 2.png", "img/US 10.png"], ["label/T1.png", "label/T2.png", "label/T10.png"]),
        (
            ["images/case12_img_3.png", "images/case12_img_4.png", "images/case7_img_3.png"],
            ["masks/seg_12_3.png", "masks/seg_12_4.png", "masks/seg_07_3.png"],
        ),
        (
            ["images/a_0001_orig.png", "images/b_0002_orig.png", "images/c_0003_orig.png"],
            ["gt/1_truth.png", "gt/2_truth.png", "gt/3_truth.png"],
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        image_names.iter().for_each(|name| image(folder.path(), name));
        mask_names.iter().for_each(|name| mask(folder.path(), name));
        let listing = listed(folder.path());
        assert_eq!(listing.pairs.len(), 3, "{image_names:?}: {listing:?}");
        for pair in &listing.pairs {
            let at = image_names.iter().position(|name| pair.image.ends_with(name)).unwrap();
            assert!(pair.masks.len() == 1 && pair.masks[0].ends_with(mask_names[at]), "{pair:?}");
        }
        assert!(
            listing
                .describe()
                .join(
                    "
"
                )
                .contains("masks are told by"),
            "{:?}",
            listing.describe()
        );
    }
    // Where it is not clear, nothing is guessed.
    let folder = tempfile::tempdir().unwrap();
    for (image_name, mask_name) in [("left_1", "x1"), ("right_1", "y1"), ("left_2", "x2")] {
        image(folder.path(), &format!("images/{image_name}.png"));
        mask(folder.path(), &format!("masks/{mask_name}.png"));
    }
    assert_eq!(listed(folder.path()).pairs.len(), 0);
}

#[test]
fn of_several_people_the_first_is_taken_and_said() {
    // In one folder, beside the images.
    let folder = tempfile::tempdir().unwrap();
    for (i, eye) in ["01L", "01R", "02L"].into_iter().enumerate() {
        photograph(folder.path(), &format!("Image_{eye}.jpg"), i as u32);
        mask(folder.path(), &format!("Image_{eye}_1stHO.png"));
        mask(folder.path(), &format!("Image_{eye}_2ndHO.png"));
    }
    let listing = listed(folder.path());
    assert_eq!(pairs(&listing)[0], "Image_01L.jpg: Image_01L_1stHO.png");
    assert_eq!((listing.pairs.len(), listing.unpaired_images.len(), listing.unpaired_masks.len()), (3, 0, 0));
    let text = listing.describe().join(
        "
",
    );
    assert!(text.contains("`_1stho` are taken, `_2ndho` left out"), "{text}");
    // In folders of their own, with the field of view in a third one.
    let folder = tempfile::tempdir().unwrap();
    for part in ["training", "test"] {
        for i in 1..=3 {
            image(folder.path(), &format!("{part}/images/{i:02}_{part}.tif"));
            mask(folder.path(), &format!("{part}/1st_manual/{i:02}_manual1.png"));
            mask(folder.path(), &format!("{part}/mask/{i:02}_{part}_mask.png"));
            if part == "test" {
                mask(folder.path(), &format!("{part}/2nd_manual/{i:02}_manual2.png"));
            }
        }
    }
    let listing = listed(folder.path());
    assert_eq!((listing.pairs.len(), listing.unpaired_masks.len()), (6, 0), "{listing:?}");
    assert!(listing.pairs.iter().all(|pair| pair.masks[0].to_string_lossy().contains("1st_manual")), "{listing:?}");
    let text = listing.describe().join(
        "
",
    );
    assert!(
        text.contains("`mask` is taken for the field of view") && text.contains("6 pictures are left out"),
        "{text}"
    );
    assert!(text.contains("3 masks of other people are left out: those in `2nd_manual`"), "{text}");
    assert!(listing.given.is_some());
}

#[test]
fn masks_of_the_images_names_in_another_format_are_told_by_their_few_colours() {
    let folder = tempfile::tempdir().unwrap();
    for i in 0..4 {
        photograph(folder.path(), &format!("whale{i}.jpg"), i);
        mask(folder.path(), &format!("whale{i}.png"));
        std::fs::write(folder.path().join(format!("whale{i}.json")), "{}").unwrap();
    }
    photograph(folder.path(), "whale9.jpg", 9);
    let listing = listed(folder.path());
    assert_eq!(pairs(&listing)[1], "whale1.jpg: whale1.png");
    assert_eq!((listing.pairs.len(), listing.unpaired_images.len(), listing.problems.len()), (4, 1, 0));
    assert!(listing.layout.describe().contains("another format"), "{:?}", listing.layout);
    // The same pictures saved twice are no masks.
    let folder = tempfile::tempdir().unwrap();
    for i in 0..4 {
        photograph(folder.path(), &format!("a{i}.jpg"), i);
        photograph(folder.path(), &format!("a{i}.png"), i);
    }
    let listing = listed(folder.path());
    assert_eq!((listing.pairs.len(), listing.problems.len()), (0, 4), "{listing:?}");
}

#[cfg(unix)]
#[test]
fn a_pipe_named_as_a_picture_is_a_problem_and_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    image(folder.path(), "1.png");
    mask(folder.path(), "1_mask.png");
    let pipe = folder.path().join("2.png");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let listing = listed(folder.path());
    assert_eq!((listing.pairs.len(), listing.problems.len()), (1, 1));
    assert!(listing.problems[0].path == pipe && listing.problems[0].problem.contains("not a file"), "{listing:?}");
}
