//! Which mask belongs to which image where names and folders do not say it outright: folders whose names differ in what says
//! nothing, names that are equal but for what all of one sort share, masks beside the images under a name of no known kind.
//! What is decided here is always told.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::counted;
use super::names::{Role, place_words, words};
use super::walk::Found;
use crate::data::folder::natural_order;

/// So few pairs are needed before equal rests of names say anything.
const LEAST: usize = 2;
/// Additions that say who has drawn a mask.
const RATERS: [&str; 10] =
    ["ho", "manual", "expert", "observer", "rater", "reader", "annotator", "annotation", "doctor", "grader"];

/// Words of additions to an image's name that make it the name of something else than an image or a mask.
const COMPANIONS: [&str; 12] = [
    "superpixel",
    "superpixels",
    "overlay",
    "overlays",
    "preview",
    "thumbnail",
    "thumb",
    "heatmap",
    "colormap",
    "visualization",
    "visualisation",
    "fov",
];

/// Pictures beside images that are neither images nor masks: `ISIC_0000000_superpixels.png` beside `ISIC_0000000.jpg`. Gives
/// the pictures without them.
pub fn without_companions(files: Vec<Found>, notes: &mut Vec<String>) -> Vec<Found> {
    let folder = |file: &Found| file.relative.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
    let stems: BTreeSet<(String, String)> = files.iter().map(|file| (folder(file), file.stem.to_lowercase())).collect();
    let addition = |file: &Found| -> Option<String> {
        let stem = file.stem.to_lowercase();
        let at = stem.rfind(['_', '-', '.', ' '])?;
        let (base, addition) = stem.split_at(at);
        let says = addition.get(1..).is_some_and(|word| COMPANIONS.contains(&word));
        (says && stems.contains(&(folder(file), base.to_owned()))).then(|| addition.to_owned())
    };
    let (companions, kept): (Vec<Found>, Vec<Found>) = files.iter().cloned().partition(|file| addition(file).is_some());
    if !companions.is_empty() {
        let additions: BTreeSet<String> = companions.iter().filter_map(addition).collect();
        let additions: Vec<String> = additions.iter().map(|addition| format!("`{addition}`")).collect();
        let pictures = counted(companions.len(), "picture is", "pictures are");
        notes.push(format!("{pictures} left out: named as an image with {} added", additions.join(", ")));
    }
    kept
}

/// Folders of masks that are not: where masks by hand lie beside a folder of plain `mask`, that is the field of view, and so
/// is a folder `fov` anywhere. Gives the pictures without them.
pub fn without_fields_of_view(files: Vec<Found>, notes: &mut Vec<String>) -> Vec<Found> {
    let masks = || files.iter().filter(|file| file.role == Some(Role::Masks));
    let folder = |file: &Found| file.role_folder.clone().unwrap_or_default();
    let by_hand = |name: &str| place_words(name).iter().any(|word| word.starts_with("manual"));
    let drawn: BTreeSet<String> = masks().map(folder).filter(|name| by_hand(name)).collect();
    let innermost = |file: &Found| file.relative.rsplit('/').nth(1).unwrap_or_default().to_owned();
    let is_field = |file: &Found| {
        let plain = matches!(&*folder(file).to_lowercase(), "mask" | "masks");
        says_field(&innermost(file)) || file.role == Some(Role::Masks) && plain && !drawn.is_empty()
    };
    let (fields, kept): (Vec<Found>, Vec<Found>) = files.iter().cloned().partition(is_field);
    if fields.is_empty() {
        return kept;
    }
    let names: BTreeSet<String> = fields.iter().map(innermost).collect();
    let since = match drawn.first() {
        Some(drawn) => format!(", since `{drawn}` lies beside"),
        None => String::new(),
    };
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    notes.push(format!(
        "{} taken for the field of view{since}: {} left out",
        match &names[..] {
            [one] => format!("{one} is"),
            several => format!("{} are", several.join(", ")),
        },
        counted(fields.len(), "picture is", "pictures are")
    ));
    kept
}

/// Whether a folder's name says that it holds fields of view: `fov`, `FOV_masks`.
fn says_field(name: &str) -> bool {
    words(name).iter().any(|word| word == "fov")
}

/// Gives folders of masks the place of the folder of images that their name means: `ISIC_2017_Training_Data` and
/// `ISIC_2017_Training_Part1_GroundTruth`. Only where neither has a partner of the same place, and no other folder could be
/// meant; or of a folder of masks with an addition, beside the images: `images` and `1st_manual`, `masks/expert1`. Of folders of
/// several people that of `annotator` is taken, from 1, or the first where there is none. Gives the number of people.
pub fn join_places(files: &mut Vec<Found>, annotator: usize, notes: &mut Vec<String>) -> usize {
    let places = |masks: bool| -> BTreeSet<String> {
        files.iter().filter(|file| (file.role == Some(Role::Masks)) == masks).map(|file| file.place.clone()).collect()
    };
    let (of_images, of_masks) = (places(false), places(true));
    let free_images: Vec<&String> = of_images.difference(&of_masks).collect();
    let free_masks: Vec<&String> = of_masks.difference(&of_images).collect();
    // What a place has beside its folder's role: the `1st` of `1st_manual`.
    let of_role = |place: &str, end: &str| {
        let mut folders = files.iter().filter(|file| file.place == place).filter_map(|file| file.role_folder.as_ref());
        folders.any(|folder| folder.to_lowercase().contains(end))
    };
    let added = |image: &str, mask: &str| {
        let (before, end) = mask.rsplit_once('/').unwrap_or(("", mask));
        before == image && (says_rater(end) || of_role(mask, end))
    };
    let words = |place: &str| -> BTreeSet<String> { place_words(place).into_iter().collect() };
    let meant = |image: &str, mask: &str| {
        let (a, b) = (words(image), words(mask));
        !a.is_empty() && !b.is_empty() && (a.is_subset(&b) || b.is_subset(&a)) || added(image, mask)
    };
    let mut people = 0;
    let mut joined: HashMap<String, String> = HashMap::new();
    let mut left_out: BTreeSet<String> = BTreeSet::new();
    for image in &free_images {
        let mut fitting: Vec<&String> = free_masks.iter().copied().filter(|mask| meant(image, mask)).collect();
        fitting.sort_by(|a, b| natural_order(a, b));
        if fitting.is_empty() {
            continue;
        }
        let number = fitting.len();
        let taken = fitting.remove(if annotator <= number { annotator - 1 } else { 0 });
        let others = fitting.clone();
        fitting.push(taken);
        // `1st_manual` and `2nd_manual`: two people have drawn the same.
        let kind =
            |place: &str| words(place).into_iter().filter(|word| !word.starts_with(|c: char| c.is_ascii_digit()));
        let same_kind = others.iter().all(|other| kind(other).eq(kind(taken)));
        let meant_once = fitting.iter().all(|mask| free_images.iter().filter(|other| meant(other, mask)).count() == 1);
        if same_kind && meant_once {
            people = people.max(number);
            joined.insert(taken.clone(), (*image).clone());
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
    people
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
    let (start, end) = shared(stems);
    let rest = |stem: &String| -> String {
        let stem: Vec<char> = stem.chars().collect();
        stem.get(start..stem.len().saturating_sub(end)).map(|rest| rest.iter().collect()).unwrap_or_default()
    };
    stems.iter().map(rest).collect()
}

/// How many signs all of these begin with, and end with; a number is never cut.
pub fn shared(stems: &[String]) -> (usize, usize) {
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
    (start, end)
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
/// addition that every image has. Marks them as masks of their images and gives the addition and the number of people;
/// `looks_like_a_mask` has the last word. `annotator`: see [`join_places`]. `None`: nothing of the kind.
pub fn beside(
    files: &mut Vec<Found>,
    looks_like_a_mask: &dyn Fn(&Found) -> bool,
    annotator: usize,
    notes: &mut Vec<String>,
) -> Option<(String, usize)> {
    match other_extension(files, looks_like_a_mask, notes) {
        Some(addition) => Some((addition, 1)),
        None => addition(files, looks_like_a_mask, annotator, notes),
    }
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
    if formats.len() != 2 {
        return None;
    }
    // A format that keeps every value, and that all of them have.
    let of_format = |format: &str| -> Option<Vec<usize>> {
        let of_two = |two: &&Vec<usize>| two.iter().copied().find(|&i| extension(&files[i]) == format);
        let masks: Vec<usize> = twos.iter().map(of_two).collect::<Option<_>>()?;
        masks.iter().take(3).all(|&mask| looks_like_a_mask(&files[mask])).then_some(masks)
    };
    let possible = ["png", "gif", "bmp", "tif"].into_iter().filter(|format| formats.iter().any(|of| of == format));
    let (masks_are, masks) = possible.into_iter().find_map(|format| Some((format, of_format(format)?)))?;
    notes.push(format!(
        "masks are told by their format: a {} beside an image of the same name",
        masks_are.to_uppercase()
    ));
    masks.iter().for_each(|&mask| files[mask].role = Some(Role::Masks));
    Some(String::new())
}

/// `Image_01L.jpg` with `Image_01L_1stHO.png`: an addition that every image has, and that says who has drawn the mask. Of
/// several people one is taken.
fn addition(
    files: &mut Vec<Found>,
    looks_like_a_mask: &dyn Fn(&Found) -> bool,
    annotator: usize,
    notes: &mut Vec<String>,
) -> Option<(String, usize)> {
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
    let people = additions.len();
    if additions.is_empty() {
        return None;
    }
    let taken = additions.remove(if annotator <= people { annotator - 1 } else { 0 });
    let pairs = &images_with[&taken];
    if !pairs.iter().take(3).all(|&(_, mask)| looks_like_a_mask(&files[mask])) {
        return None;
    }
    for &(image, mask) in pairs {
        let stem = files[image].stem.clone();
        (files[mask].role, files[mask].stem) = (Some(Role::Masks), stem);
    }
    notes.push(format!("masks are told by the addition `{taken}` to the image's name"));
    if !additions.is_empty() {
        let names: Vec<String> = additions.iter().map(|name| format!("`{name}`")).collect();
        notes.push(format!("masks of several people: those of `{taken}` are taken, {} left out", names.join(", ")));
    }
    let unused: BTreeSet<usize> = images_with
        .iter()
        .filter(|(addition, _)| **addition != taken)
        .flat_map(|(_, pairs)| pairs.iter().map(|&(_, mask)| mask))
        .collect();
    let mut number = 0;
    files.retain(|_| {
        number += 1;
        !unused.contains(&(number - 1))
    });
    Some((taken, people))
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
