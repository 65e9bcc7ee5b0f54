//! What names say: which folder holds images or masks, and which file is the mask of which image.

use super::split::Part;
use crate::data::picture_file::volume;

const IMAGE_WORDS: [&str; 15] = [
    "images",
    "image",
    "imgs",
    "img",
    "originals",
    "original",
    "raw",
    "inputs",
    "input",
    "imagestr",
    "imagests",
    "frames",
    "pictures",
    "jpegimages",
    "photos",
];
const MASK_WORDS: [&str; 28] = [
    "masks",
    "mask",
    "msk",
    "labels",
    "label",
    "seg",
    "segs",
    "segm",
    "segmentation",
    "segmentations",
    "segmentationclass",
    "gt",
    "gts",
    "groundtruth",
    "groundtruths",
    "annotation",
    "annotations",
    "anno",
    "targets",
    "target",
    "labelstr",
    "labelsts",
    "lesion",
    "lesions",
    "roi",
    "rois",
    "manual",
    "manuals",
];

/// What the parts of a split are called.
const PART_WORDS: [(Part, &[&str]); 3] = [
    (Part::Train, &["train", "training", "trains", "trainset", "trainval"]),
    (
        Part::Validation,
        &["val", "valid", "validation", "validate", "vali", "dev", "development", "valset", "eval", "evaluation"],
    ),
    (Part::Test, &["test", "testing", "tests", "testset", "holdout", "heldout"]),
];

/// The part that a word names.
pub fn part_word(word: &str) -> Option<Part> {
    let word = word.trim().to_lowercase();
    PART_WORDS.iter().find(|(_, words)| words.contains(&&*word)).map(|(part, _)| *part)
}

/// The words of a folder's name, in lower case: `TrainDataset`, `val2017` and `imagesTr` are of two each.
pub(super) fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = vec![String::new()];
    let mut before = ' ';
    for c in name.chars() {
        let begins = before.is_lowercase() && c.is_uppercase() || before.is_alphabetic() && c.is_ascii_digit();
        if SEPARATORS.contains(&c) || c == '(' || c == ')' || begins {
            words.push(String::new());
        }
        if c.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(c.to_lowercase());
        }
        before = c;
    }
    words.retain(|word| !word.is_empty());
    words
}

/// The part of a split that a folder's name says, with the rest of the name without it: `train`, `Training_images`,
/// `TrainDataset`, `imagesTr`. A name that says two (`train_test_split`) says none.
pub fn folder_part(name: &str) -> (Option<Part>, String) {
    let words = words(name);
    let short = |word: &str, at: usize| match word {
        // Only behind a word for what the folder holds.
        "tr" if at > 0 && is_role(&words[at - 1]) => Some(Part::Train),
        "ts" if at > 0 && is_role(&words[at - 1]) => Some(Part::Test),
        "tr" | "ts" => None,
        word => part_word(word),
    };
    let said: Vec<Option<Part>> = words.iter().enumerate().map(|(at, word)| short(word, at)).collect();
    let mut parts: Vec<Part> = said.iter().flatten().copied().collect();
    parts.dedup();
    let &[part] = &parts[..] else { return (None, name.to_lowercase()) };
    let rest: Vec<&str> = words.iter().zip(&said).filter(|(_, said)| said.is_none()).map(|(word, _)| &**word).collect();
    (Some(part), rest.join("_"))
}

/// What pictures are called that are only numbered.
const NUMBERED_WORDS: [&str; 14] = [
    "picture",
    "photo",
    "scan",
    "scans",
    "slice",
    "frame",
    "case",
    "patient",
    "sample",
    "file",
    "untitled",
    "screenshot",
    "copy",
    "busi",
];

/// Words of a folder's name that say nothing of its images.
const FILLERS: [&str; 8] = ["data", "dataset", "datasets", "set", "sets", "split", "splits", "part"];

/// The words of a place, folder by folder, without those that say nothing.
pub fn place_words(place: &str) -> Vec<String> {
    place.split('/').flat_map(words).filter(|word| !FILLERS.contains(&&**word)).collect()
}

/// A name without numbers and without what says nothing: `isic_2017_data` and `isic_2017_part_1` are one.
pub fn loose(name: &str) -> String {
    let kept =
        words(name).into_iter().filter(|word| !FILLERS.contains(&&**word) && !word.bytes().all(|b| b.is_ascii_digit()));
    kept.collect::<Vec<_>>().join("_")
}

fn is_role(word: &str) -> bool {
    IMAGE_WORDS.contains(&word) || MASK_WORDS.contains(&word)
}

/// What a folder of a data set holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Images,
    Masks,
}

/// The role that a folder's name gives it, with the rest of the name: `train_masks` holds the masks of `train`.
pub fn folder_role(name: &str) -> (Option<Role>, String) {
    let name = name.to_lowercase().replace("ground_truth", "groundtruth").replace("ground-truth", "groundtruth");
    let name = name.replace("ground truth", "groundtruth");
    let (mut images, mut masks, mut rest) = (false, false, Vec::new());
    for token in name.split(['_', '-', '.', ' ']).filter(|token| !token.is_empty()) {
        match () {
            () if IMAGE_WORDS.contains(&token) => images = true,
            // A folder named so may well be a class.
            () if MASK_WORDS.contains(&token) && !token.starts_with("lesion") => masks = true,
            () => match token.strip_prefix("manual") {
                // `manual1` and `manual2` are of two people.
                Some(number) if number.bytes().all(|b| b.is_ascii_digit()) => {
                    masks = true;
                    rest.push(number);
                }
                _ => rest.push(token),
            },
        }
    }
    match (images, masks) {
        (true, false) => (Some(Role::Images), rest.join("_")),
        (false, true) => (Some(Role::Masks), rest.join("_")),
        _ => (None, name),
    }
}

/// What makes a file's name that of a mask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaskName {
    /// The image's name without extension, in lower case.
    pub base: String,
    /// What was added, without number: `_mask`, `-seg`, `mask_`.
    pub affix: String,
    /// Number of a further mask of the same image.
    pub number: Option<u32>,
    /// Whether the addition stands before the image's name.
    pub prefix: bool,
}

/// Reads a mask's name (without extension): `scan 7_mask`, `scan 7_mask_1`, `scan7-seg`, `mask_scan7`.
pub fn mask_name(stem: &str) -> Option<MaskName> {
    let (stem, slice) = volume::split(stem);
    let stem = stem.to_lowercase().replace("ground_truth", "groundtruth");
    let name = suffixed(&stem).or_else(|| prefixed(&stem))?;
    Some(MaskName { base: name.base + slice, ..name })
}

const SEPARATORS: [char; 4] = ['_', '-', '.', ' '];

fn suffixed(stem: &str) -> Option<MaskName> {
    let word_end = stem.trim_end_matches(|c: char| c.is_ascii_digit());
    let (head, number) = if word_end.len() < stem.len() {
        (word_end.trim_end_matches(SEPARATORS), stem[word_end.len()..].parse().ok())
    } else {
        (stem, None)
    };
    let word = MASK_WORDS.iter().filter(|word| head.ends_with(*word)).max_by_key(|word| word.len())?;
    let before = &head[..head.len() - word.len()];
    let base = before.trim_end_matches(SEPARATORS);
    // Without a separator (`7mask`) only a digit may stand before the word: `unmask` is no mask of `un`.
    let separated = base.len() < before.len() || before.ends_with(|c: char| c.is_ascii_digit());
    (separated && !base.is_empty()).then(|| MaskName {
        base: base.to_owned(),
        affix: head[base.len()..].to_owned(),
        number,
        prefix: false,
    })
}

fn prefixed(stem: &str) -> Option<MaskName> {
    let word_end = stem.find(SEPARATORS)?;
    let base = stem[word_end..].trim_start_matches(SEPARATORS);
    (MASK_WORDS.contains(&&stem[..word_end]) && !base.is_empty()).then(|| MaskName {
        base: base.to_owned(),
        affix: stem[..stem.len() - base.len()].to_owned(),
        number: None,
        prefix: true,
    })
}

/// An image's name without what only says that it is one: `7_image` and `img-7` become `7`, `case_0000` (the first
/// channel, in nnU-Net's names) becomes `case`.
pub fn image_base(stem: &str) -> String {
    let (stem, slice) = volume::split(stem);
    let stem = stem.to_lowercase();
    let mut base = stem.as_str();
    if let Some(cut) = base.strip_suffix("_0000") {
        base = cut;
    }
    // `21_training` is image 21 of the training set.
    let says_nothing = |word: &str| IMAGE_WORDS.contains(&word) || part_word(word).is_some();
    if let Some(at) = base.rfind(SEPARATORS).filter(|&at| says_nothing(&base[at + 1..])) {
        base = base[..at].trim_end_matches(SEPARATORS);
    } else if let Some(at) = base.find(SEPARATORS).filter(|&at| IMAGE_WORDS.contains(&&base[..at])) {
        base = base[at..].trim_start_matches(SEPARATORS);
    }
    (if base.is_empty() { &stem } else { base }).to_owned() + slice
}

/// The class in a name of the BUSI layout: `benign` of `benign (12)`.
pub fn busi_class(stem: &str) -> Option<&str> {
    let (class, number) = volume::split(stem).0.strip_suffix(')')?.rsplit_once(" (")?;
    let digits = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    // `image (3)` and `scan7 (2)` are numbered by a file manager.
    let class = class.trim();
    let says_nothing = |word: &String| NUMBERED_WORDS.contains(&&**word) || IMAGE_WORDS.contains(&&**word);
    let words = words(class);
    let named =
        !words.is_empty() && !words.iter().all(|word| says_nothing(word) || word.bytes().all(|b| b.is_ascii_digit()));
    (digits && named).then_some(class)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_are_known_by_their_names() {
        let base = |stem: &str| mask_name(stem).map(|name| (name.base, name.affix, name.number));
        let some = |base: &str, affix: &str, number| Some((base.to_owned(), affix.to_owned(), number));
        assert_eq!(base("benign (1)_mask"), some("benign (1)", "_mask", None));
        assert_eq!(base("benign (100)_mask_1"), some("benign (100)", "_mask", Some(1)));
        assert_eq!(base("Scan-7-Mask"), some("scan-7", "-mask", None));
        assert_eq!(base("a_seg"), some("a", "_seg", None));
        assert_eq!(base("A_seg z=12"), some("a z=12", "_seg", None));
        assert_eq!(base("a_label2"), some("a", "_label", Some(2)));
        assert_eq!(base("a.segmentation"), some("a", ".segmentation", None));
        assert_eq!(base("a_ground_truth"), some("a", "_groundtruth", None));
        assert_eq!(base("007mask"), some("007", "mask", None));
        assert_eq!(base("mask_12"), some("12", "mask_", None));
        for not_a_mask in ["unmask", "mask", "_mask", "12", "a_1", "masked_12", "benign (1)", "label"] {
            assert_eq!(base(not_a_mask), None, "{not_a_mask}");
        }
    }

    #[test]
    fn folders_have_roles() {
        let role = |name: &str| (folder_role(name).0, folder_role(name).1);
        assert_eq!(role("Images"), (Some(Role::Images), String::new()));
        assert_eq!(role("mask"), (Some(Role::Masks), String::new()));
        assert_eq!(role("train_masks"), (Some(Role::Masks), "train".to_owned()));
        assert_eq!(role("ground_truth"), (Some(Role::Masks), String::new()));
        assert_eq!(role("labelsTr"), (Some(Role::Masks), String::new()));
        assert_eq!(role("manual2"), (Some(Role::Masks), "2".to_owned()));
        assert_eq!(role("lesion"), (None, "lesion".to_owned()));
        assert_eq!(role("benign"), (None, "benign".to_owned()));
        assert_eq!(role("images_and_masks"), (None, "images_and_masks".to_owned()));
    }

    #[test]
    fn images_may_say_that_they_are_images() {
        for (stem, base) in [
            ("7_image", "7"),
            ("IMG-7", "7"),
            ("case_0000", "case"),
            ("case_0000 z=7", "case z=7"),
            ("image", "image"),
            ("a_1", "a_1"),
        ] {
            assert_eq!(image_base(stem), base);
        }
        assert_eq!(busi_class("benign (12)"), Some("benign"));
        assert_eq!(busi_class("very odd (3)"), Some("very odd"));
        for other in ["benign", "benign (x)", " (3)", "benign ()", "a (1)_mask"] {
            assert_eq!(busi_class(other), None, "{other}");
        }
    }
}
