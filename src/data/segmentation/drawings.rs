//! Files that stand in for masks or replace them: shapes of labelme beside an image, and masks that were corrected here.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use rayon::prelude::*;

use super::listing::Listing;
use super::matching::Matched;
use super::names::Role;
use super::walk::Found;
use super::{Watch, counted};
use crate::data::labelme::{Drawing, NoDrawing, is_name, same};

/// These files as masks, read once for whoever asks for their sizes and labels.
pub fn as_masks(drawings: Vec<Found>, watch: Watch<'_>) -> Vec<Found> {
    let read = |file: Found| {
        let drawing = (!watch.cancelled()).then(|| Arc::new(Drawing::open(&file.path)));
        Found { role: Some(Role::Masks), drawing, ..file }
    };
    drawings.into_par_iter().map(read).collect()
}

/// The files of labelme that belong to these images, as masks: of the same name in the same place, else the only one of that
/// name anywhere.
pub fn of_images(drawings: &[Found], images: &[&Found]) -> Vec<Found> {
    let stem = |file: &Found| file.stem.to_lowercase();
    let mut by_name: HashMap<String, Vec<&Found>> = HashMap::new();
    drawings.iter().for_each(|file| by_name.entry(stem(file)).or_default().push(file));
    let mut counts: HashMap<String, usize> = HashMap::new();
    images.iter().for_each(|image| *counts.entry(stem(image)).or_insert(0) += 1);
    let belongs = |image: &&Found| {
        let of_name = by_name.get(&stem(image))?;
        let here = of_name.iter().find(|file| file.place == image.place);
        let alone = || of_name.first().filter(|_| of_name.len() == 1 && counts.get(&stem(image)) == Some(&1));
        let file = here.or_else(alone)?;
        // What says nothing of shapes is of something else; what is damaged is told when its size is asked for.
        let drawing = match Drawing::look(&file.path) {
            Err(NoDrawing::Other) => return None,
            Err(NoDrawing::Problem(problem)) => Err(problem),
            Ok(drawing) => Ok(drawing),
        };
        let (place, drawing) = (image.place.clone(), Some(Arc::new(drawing)));
        Some(Found { role: Some(Role::Masks), place, drawing, ..(*file).clone() })
    };
    images.par_iter().filter_map(belongs).collect()
}

/// Says what labels there are, and which JSON files are not used. `pictures`: with those that are, as masks.
pub fn tell(listing: &mut Listing, pictures: &[Found], drawings: &[Found], chosen: &[String]) {
    let pairs = listing.pairs.iter().chain(&listing.left_out);
    let used: Vec<&PathBuf> = pairs.flat_map(|pair| &pair.masks).filter(|mask| is_name(mask)).collect();
    if used.is_empty() {
        return;
    }
    let drawn = |file: &Found| Some((file.path.clone(), file.drawing.clone()?));
    let drawn: HashMap<PathBuf, Arc<Result<Drawing, String>>> = pictures.iter().filter_map(drawn).collect();
    let good = used.iter().filter_map(|path| drawn.get(*path)?.as_ref().as_ref().ok());
    let mut all: BTreeMap<String, usize> = BTreeMap::new();
    good.flat_map(Drawing::labels).for_each(|(label, count)| *all.entry(label).or_insert(0) += count);
    let told: Vec<String> = all.iter().take(30).map(|(label, count)| format!("{label} {count}")).collect();
    let images = counted(used.len(), "image is", "images are");
    listing.notes.push(format!("the lesions of {images} shapes of labelme; labels: {}", told.join(", ")));
    let left: Vec<&String> = all.keys().filter(|label| !chosen.iter().any(|name| same(name, label))).collect();
    match (chosen.is_empty(), left.len()) {
        (true, 0 | 1) => {}
        (true, _) => listing.notes.push("shapes of all labels are lesion; choose some with labels=A,B".to_owned()),
        (false, _) => listing.notes.push(format!("lesion are, as chosen, shapes of the label {}", chosen.join(", "))),
    }
    listing.labels = all;
    let paths: HashSet<&PathBuf> = used.into_iter().collect();
    let unused = drawings.iter().filter(|file| !paths.contains(&file.path)).count();
    if unused > 0 {
        let files = counted(unused, "JSON file is", "JSON files are");
        listing.notes.push(format!("{files} not used: of no image that is without a mask, or not of labelme"));
    }
}

/// Corrected masks of masks that are there and not used, since another person's were chosen, are no problem.
pub fn not_of_others(matched: &mut Matched, drawn: &[Found], known: &HashSet<String>, notes: &mut Vec<String>) {
    let plain =
        |file: &Found| file.relative.rsplit_once('.').map_or(file.relative.as_str(), |(name, _)| name).to_lowercase();
    let of_others: HashSet<&PathBuf> =
        drawn.iter().filter(|file| known.contains(&plain(file))).map(|file| &file.path).collect();
    let before = matched.problems.len();
    matched.problems.retain(|problem| !of_others.contains(&problem.path));
    let count = before - matched.problems.len();
    if count > 0 {
        let masks = counted(count, "corrected mask stands", "corrected masks stand");
        notes.push(format!("{masks} in for masks of another person, and are used where that one is chosen"));
    }
}

#[cfg(test)]
mod tests {
    use super::super::walk::walk;
    use super::*;

    #[test]
    fn a_drawing_is_read_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name);
        image::GrayImage::new(6, 5).save(file("a.png")).unwrap();
        let shape = r#"{"label": "cyst", "points": [[1, 1], [4, 1], [4, 4]], "shape_type": "polygon"}"#;
        let text = format!(r#"{{"shapes": [{shape}], "imageHeight": 5, "imageWidth": 6}}"#);
        for (name, text) in [("a.json", text.as_str()), ("b.json", r#"{"age": 40}"#)] {
            std::fs::write(file(name), text).unwrap();
        }
        let files = walk(folder.path(), std::path::Path::new(""), &|_| true, Watch::nobody()).unwrap();
        let shapes = of_images(&files.drawings, &[&files.pictures[0]]);
        let chosen = as_masks(files.drawings.clone(), Watch::nobody());
        // Nobody needs the files any more.
        ["a.json", "b.json"].iter().for_each(|name| std::fs::remove_file(file(name)).unwrap());
        for found in [&shapes[0], &chosen[0]] {
            assert_eq!(found.size(), Ok((6, 5)));
            let drawing = found.drawing.as_deref().unwrap().as_ref().unwrap();
            assert_eq!(drawing.labels(), BTreeMap::from([("cyst".to_owned(), 1)]));
        }
        assert_eq!((shapes.len(), chosen.len()), (1, 2));
        assert!(chosen[1].size().unwrap_err().starts_with("is no file of labelme"));
    }
}
