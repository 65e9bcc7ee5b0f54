//! Which mask belongs to which image where names and folders do not say it outright: folders whose names differ in what says
//! nothing, names that are equal but for what all of one sort share, masks beside the images under a name of no known kind.
//! What is decided here is always told.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::counted;
use super::names::{Role, place_words};
use super::walk::Found;
use crate::data::folder::natural_order;

/// So few pairs are needed before equal rests of names say anything.
const LEAST: usize = 2;
/// Additions that say who has drawn a mask.
const RATERS: [&str; 10] =
    ["ho", "manual", "expert", "observer", "rater", "reader", "annotator", "annotation", "doctor", "grader"];

/// Folders of masks that are not: where masks by hand lie beside a folder of plain `mask`, that is the field of view. Gives
/// the pictures without them.
pub fn without_fields_of_view(files: Vec<Found>, notes: &mut Vec<String>) -> Vec<Found> {
    let masks = || files.iter().filter(|file| file.role == Some(Role::Masks));
    let folder = |file: &Found| file.role_folder.clone().unwrap_or_default();
    let by_hand = |name: &str| place_words(name).iter().any(|word| word.starts_with("manual"));
    let drawn: BTreeSet<String> = masks().map(folder).filter(|name| by_hand(name)).collect();
    let plain: BTreeSet<String> = masks().map(folder).filter(|name| is_plain_mask(name)).collect();
    let (Some(drawn), false) = (drawn.first(), plain.is_empty()) else { return files };
    let is_field = |file: &Found| file.role == Some(Role::Masks) && plain.contains(&folder(file));
    let (fields, kept): (Vec<Found>, Vec<Found>) = files.into_iter().partition(is_field);
    let names: Vec<String> = plain.iter().map(|name| format!("`{name}`")).collect();
    notes.push(format!(
        "{} taken for the field of view, since `{drawn}` lies beside: {} left out",
        match &names[..] {
            [one] => format!("{one} is"),
            several => format!("{} are", several.join(", ")),
        },
        counted(fields.len(), "picture is", "pictures are")
    ));
    kept
}

fn is_plain_mask(name: &str) -> bool {
    matches!(&*name.to_lowercase(), "mask" | "masks" | "fov" | "fov_mask" | "fov_masks")
}

/// Gives folders of masks the place of the folder of images that their name means: `ISIC_2017_Training_Data` and
/// `ISIC_2017_Training_Part1_GroundTruth`. Only where neither has a partner of the same place, and no other folder could be
/// meant. Of folders of several people the first is taken.
pub fn join_places(files: &mut Vec<Found>, notes: &mut Vec<String>) {
    let places = |masks: bool| -> BTreeSet<String> {
        files.iter().filter(|file| (file.role == Some(Role::Masks)) == masks).map(|file| file.place.clone()).collect()
    };
    let (of_images, of_masks) = (places(false), places(true));
    let free_images: Vec<&String> = of_images.difference(&of_masks).collect();
    let free_masks: Vec<&String> = of_masks.difference(&of_images).collect();
    let words = |place: &str| -> BTreeSet<String> { place_words(place).into_iter().collect() };
    let meant = |a: &str, b: &str| {
        let (a, b) = (words(a), words(b));
        !a.is_empty() && !b.is_empty() && (a.is_subset(&b) || b.is_subset(&a))
    };
    let mut joined: HashMap<String, String> = HashMap::new();
    let mut left_out: BTreeSet<String> = BTreeSet::new();
    for image in &free_images {
        let mut fitting: Vec<&String> = free_masks.iter().copied().filter(|mask| meant(image, mask)).collect();
        fitting.sort_by(|a, b| natural_order(a, b));
        let Some((first, others)) = fitting.split_first() else { continue };
        // `1st_manual` and `2nd_manual`: two people have drawn the same.
        let kind =
            |place: &str| words(place).into_iter().filter(|word| !word.starts_with(|c: char| c.is_ascii_digit()));
        let same_kind = others.iter().all(|other| kind(other).eq(kind(first)));
        let meant_once = fitting.iter().all(|mask| free_images.iter().filter(|other| meant(other, mask)).count() == 1);
        if same_kind && meant_once {
            joined.insert((*first).clone(), (*image).clone());
            left_out.extend(others.iter().map(|other| (*other).clone()));
        }
    }
    let is_mask = |file: &Found| file.role == Some(Role::Masks);
    if !left_out.is_empty() {
        let (second, kept): (Vec<Found>, Vec<Found>) =
            std::mem::take(files).into_iter().partition(|file| is_mask(file) && left_out.contains(&file.place));
        *files = kept;
        let folders: BTreeSet<String> = second.iter().filter_map(|file| file.role_folder.clone()).collect();
        let names: Vec<String> = folders.iter().map(|name| format!("`{name}`")).collect();
        let count = counted(second.len(), "mask of other people is", "masks of other people are");
        notes.push(format!("{count} left out: those in {}", names.join(", ")));
    }
    for file in files.iter_mut().filter(|file| is_mask(file)) {
        if let Some(place) = joined.get(&file.place) {
            file.place.clone_from(place);
        }
    }
}

/// Pairs of an image and a mask of one place, from those that found no partner: `bus_0001-l` and `mask_0001-l` have the same
/// rest behind what all images and what all masks begin with, `case12_img_3` and `seg_12_3` the same numbers. Only where all
/// of the place's masks find one image each.
pub fn by_rest(files: &[Found], images: &[usize], masks: &[usize], notes: &mut Vec<String>) -> Vec<(usize, usize)> {
    let mut places: BTreeMap<&str, (Vec<usize>, Vec<usize>)> = BTreeMap::new();
    images.iter().for_each(|&i| places.entry(&files[i].place).or_default().0.push(i));
    for &mask in masks.iter().filter(|&&mask| files[mask].role == Some(Role::Masks)) {
        places.entry(&files[mask].place).or_default().1.push(mask);
    }
    let mut pairs = Vec::new();
    for (images, masks) in places.into_values() {
        if images.len() < LEAST || masks.len() < LEAST {
            continue;
        }
        let stems = |list: &[usize]| list.iter().map(|&i| files[i].stem.to_lowercase()).collect::<Vec<String>>();
        let (of_images, of_masks) = (stems(&images), stems(&masks));
        let rests = matched(&rests(&of_images), &rests(&of_masks));
        let (how, found) = match rests {
            Some(found) => ("what is left of their names without what all share", found),
            None => match matched(&numbers(&of_images), &numbers(&of_masks)) {
                Some(found) => ("the numbers in their names", found),
                None => continue,
            },
        };
        if let Some(&(image, mask)) = found.first() {
            let (image, mask) = (&files[images[image]].relative, &files[masks[mask]].relative);
            notes.push(format!("masks are told by {how}: `{mask}` for `{image}`"));
        }
        pairs.extend(found.into_iter().map(|(image, mask)| (images[image], masks[mask])));
    }
    pairs
}

/// Places of equal keys; `None` where a key is there twice, or a mask finds none.
fn matched(images: &[String], masks: &[String]) -> Option<Vec<(usize, usize)>> {
    let unique = |keys: &[String]| {
        keys.iter().all(|key| !key.is_empty()) && keys.iter().collect::<BTreeSet<_>>().len() == keys.len()
    };
    if !unique(images) || !unique(masks) {
        return None;
    }
    let places: HashMap<&String, usize> = images.iter().enumerate().map(|(i, key)| (key, i)).collect();
    masks.iter().enumerate().map(|(mask, key)| Some((*places.get(key)?, mask))).collect()
}

/// The names without what all begin and end with; a number is never cut.
fn rests(stems: &[String]) -> Vec<String> {
    let chars: Vec<Vec<char>> = stems.iter().map(|stem| stem.chars().collect()).collect();
    let shared = |at: &dyn Fn(&[char], usize) -> Option<char>| {
        let mut length = 0;
        while let Some(c) = at(&chars[0], length)
            && chars.iter().all(|stem| at(stem, length) == Some(c))
        {
            length += 1;
        }
        // Back to before a number that goes on.
        while length > 0 && at(&chars[0], length - 1).is_some_and(|c| c.is_ascii_digit()) {
            length -= 1;
        }
        length
    };
    let start = shared(&|stem, i| stem.get(i).copied());
    let end = shared(&|stem, i| stem.len().checked_sub(i + 1).and_then(|at| stem.get(at).copied()));
    let rest = |stem: &Vec<char>| -> String {
        stem.get(start..stem.len().saturating_sub(end)).map(|rest| rest.iter().collect()).unwrap_or_default()
    };
    chars.iter().map(rest).collect()
}

/// The numbers in each name, without leading zeros.
fn numbers(stems: &[String]) -> Vec<String> {
    let of = |stem: &String| -> String {
        let runs = stem.split(|c: char| !c.is_ascii_digit()).filter(|run| !run.is_empty());
        runs.map(|run| run.trim_start_matches('0'))
            .map(|run| if run.is_empty() { "0" } else { run })
            .collect::<Vec<_>>()
            .join(" ")
    };
    stems.iter().map(of).collect()
}

/// Masks beside the images, where nothing else says which they are: of the image's name with another extension, or with an
/// addition that every image has. Marks them as masks of their images and gives the addition; `looks_like_a_mask` has the
/// last word. `None`: nothing of the kind.
pub fn beside(
    files: &mut Vec<Found>,
    looks_like_a_mask: &dyn Fn(&Found) -> bool,
    notes: &mut Vec<String>,
) -> Option<String> {
    other_extension(files, looks_like_a_mask, notes).or_else(|| addition(files, looks_like_a_mask, notes))
}

/// `a.jpg` with `a.png`: of two formats the one that keeps every value holds the masks.
fn other_extension(
    files: &mut [Found],
    looks_like_a_mask: &dyn Fn(&Found) -> bool,
    notes: &mut Vec<String>,
) -> Option<String> {
    let extension = |file: &Found| match file.relative.rsplit_once('.').map(|(_, end)| end.to_lowercase()) {
        Some(end) if end == "jpeg" => "jpg".to_owned(),
        Some(end) if end == "tiff" => "tif".to_owned(),
        end => end.unwrap_or_default(),
    };
    let key =
        |file: &Found| file.relative.rsplit_once('.').map_or(file.relative.clone(), |(name, _)| name.to_lowercase());
    let mut names: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    files.iter().enumerate().for_each(|(i, file)| names.entry(key(file)).or_default().push(i));
    let twos: Vec<&Vec<usize>> = names.values().filter(|of_name| of_name.len() == 2).collect();
    if twos.len() < LEAST || names.values().any(|of_name| of_name.len() > 2) {
        return None;
    }
    let formats: BTreeSet<String> = twos.iter().flat_map(|two| two.iter().map(|&i| extension(&files[i]))).collect();
    let formats: Vec<String> = formats.into_iter().collect();
    let masks_are = match &formats[..] {
        [one, other] => ["png", "gif"].into_iter().find(|format| one == format || other == format)?,
        _ => return None,
    };
    let masks: Vec<usize> =
        twos.iter().flat_map(|two| two.iter().copied().find(|&i| extension(&files[i]) == masks_are)).collect();
    if masks.len() != twos.len() || !masks.iter().take(3).all(|&mask| looks_like_a_mask(&files[mask])) {
        return None;
    }
    notes.push(format!(
        "masks are told by their format: a {} beside an image of the same name",
        masks_are.to_uppercase()
    ));
    masks.iter().for_each(|&mask| files[mask].role = Some(Role::Masks));
    Some(String::new())
}

/// `Image_01L.jpg` with `Image_01L_1stHO.png`: an addition that every image has, and that says who has drawn the mask. Of
/// several people the first is taken.
fn addition(
    files: &mut Vec<Found>,
    looks_like_a_mask: &dyn Fn(&Found) -> bool,
    notes: &mut Vec<String>,
) -> Option<String> {
    let stems: HashMap<(String, String), usize> =
        files.iter().enumerate().map(|(i, file)| ((file.place.clone(), file.stem.to_lowercase()), i)).collect();
    let mut images_with: BTreeMap<String, Vec<(usize, usize)>> = BTreeMap::new();
    let mut images: BTreeSet<usize> = (0..files.len()).collect();
    for (i, file) in files.iter().enumerate() {
        let stem = file.stem.to_lowercase();
        let cuts = stem.char_indices().filter(|&(at, c)| at > 0 && "_- .".contains(c));
        for (at, _) in cuts {
            if says_rater(&stem[at..])
                && let Some(&image) = stems.get(&(file.place.clone(), stem[..at].to_owned()))
            {
                images_with.entry(stem[at..].to_owned()).or_default().push((image, i));
                images.remove(&i);
                break;
            }
        }
    }
    let of_all = images_with.iter().filter(|(_, pairs)| pairs.len() >= LEAST && 2 * pairs.len() > images.len());
    let mut additions: Vec<String> = of_all.map(|(addition, _)| addition.clone()).collect();
    additions.sort_by(|a, b| natural_order(a, b));
    let (first, others) = additions.split_first()?;
    let pairs = &images_with[first];
    if !pairs.iter().take(3).all(|&(_, mask)| looks_like_a_mask(&files[mask])) {
        return None;
    }
    for &(image, mask) in pairs {
        let stem = files[image].stem.clone();
        (files[mask].role, files[mask].stem) = (Some(Role::Masks), stem);
    }
    notes.push(format!("masks are told by the addition `{first}` to the image's name"));
    if !others.is_empty() {
        let names: Vec<String> = others.iter().map(|name| format!("`{name}`")).collect();
        notes.push(format!("masks of several people: those of `{first}` are taken, {} left out", names.join(", ")));
    }
    let unused: BTreeSet<usize> = images_with
        .iter()
        .filter(|(addition, _)| *addition != first)
        .flat_map(|(_, pairs)| pairs.iter().map(|&(_, mask)| mask))
        .collect();
    let mut number = 0;
    files.retain(|_| {
        number += 1;
        !unused.contains(&(number - 1))
    });
    Some(first.clone())
}

/// Whether an addition names somebody: `_1stHO`, `_manual1`, `_expert 2`.
fn says_rater(addition: &str) -> bool {
    let words = addition.split(|c: char| !c.is_alphabetic()).map(|word| {
        let ordinal = ["st", "nd", "rd", "th"].iter().find_map(|ordinal| word.strip_prefix(ordinal));
        // `1stHO` is cut behind its number.
        ordinal.unwrap_or(word)
    });
    let mut words = words.filter(|word| !word.is_empty());
    words.any(|word| RATERS.contains(&word))
}
