//! Which file a row of a table names, and what several rows say of one picture. What is in doubt stays in doubt.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::super::picture_file::EXTENSIONS;
use super::table::{Row, Said};

/// A picture's file and its name below the folder.
pub(super) type File = (PathBuf, String);

/// The name of a file without its folders and its ending, small.
pub(super) fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().to_lowercase()
}

/// A name of a table without folders; without its ending, if that is a picture's.
pub(super) fn row_stem(image: &str) -> String {
    let name = image.rsplit(['/', '\\']).next().unwrap_or(image).to_lowercase();
    match name.rsplit_once('.') {
        Some((stem, ending)) if EXTENSIONS.contains(&ending) => stem.to_owned(),
        _ => name,
    }
}

/// Which of the pictures of one name a row may mean: those in the folder that it tells, and of these those with its ending.
fn meant(image: &str, same: &[usize], files: &[File]) -> Vec<usize> {
    let image = image.to_lowercase().replace('\\', "/");
    let told: Vec<&str> = image.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    let Some((name, folders)) = told.split_last().filter(|_| same.len() > 1) else { return same.to_vec() };
    let is_inside = |i: &usize| {
        let above = files[*i].0.iter().rev().skip(1).map(|part| part.to_string_lossy().to_lowercase());
        above.zip(folders.iter().rev()).all(|(part, told)| part == *told)
    };
    let is_called =
        |i: &usize| files[*i].0.file_name().is_some_and(|own| own.to_string_lossy().to_lowercase() == *name);
    let inside: Vec<usize> = same.iter().copied().filter(is_inside).collect();
    let exact: Vec<usize> = inside.iter().copied().filter(is_called).collect();
    [exact, inside].into_iter().find(|fitting| !fitting.is_empty()).unwrap_or_else(|| same.to_vec())
}

/// What a table says of the files of its group.
#[derive(Debug, Default)]
pub(super) struct Joined<'a> {
    /// Files in the order of their first rows, with all of their rows.
    pub rows: Vec<(usize, Vec<&'a Row>)>,
    /// Names without a picture.
    pub absent: Vec<&'a str>,
    /// Names that fit several, and these.
    pub ambiguous: Vec<String>,
    /// Those several.
    pub doubted: HashSet<usize>,
}

impl<'a> Joined<'a> {
    pub fn of(rows: &'a [Row], files: &[File]) -> Self {
        let mut by_name: HashMap<String, Vec<usize>> = HashMap::new();
        for (i, (file, _)) in files.iter().enumerate() {
            by_name.entry(stem(file)).or_default().push(i);
        }
        let mut joined = Self::default();
        let mut places: HashMap<usize, usize> = HashMap::new();
        for row in rows {
            let same = by_name.get(&row_stem(&row.image)).map_or(&[][..], Vec::as_slice);
            match meant(&row.image, same, files)[..] {
                [] => joined.absent.push(&row.image),
                [one] => {
                    let place = *places.entry(one).or_insert(joined.rows.len());
                    if place == joined.rows.len() {
                        joined.rows.push((one, Vec::new()));
                    }
                    joined.rows[place].1.push(row);
                }
                ref several => {
                    let names: Vec<&str> = several.iter().map(|&i| files[i].1.as_str()).collect();
                    joined.ambiguous.push(format!("row {}: {} is {}", row.line, row.image, names.join(" or ")));
                    joined.doubted.extend(several);
                }
            }
        }
        // A row that names one of them by its folder does not say whose the others are.
        joined.rows.retain(|(file, _)| !joined.doubted.contains(file));
        joined
    }
}

/// What the rows of one picture say of it together; `None`: they contradict each other, or one is not understood.
pub(super) fn agreed(rows: &[&Row]) -> Option<Said> {
    let mut told = rows.iter().map(|row| &row.grade).filter(|said| **said != Said::Nothing);
    let Some(first) = told.next() else { return Some(Said::Nothing) };
    (matches!(first, Said::Grade(_)) && told.all(|said| said == first)).then(|| first.clone())
}

/// `row 3: 0, row 7: 2`
pub(super) fn each_grade(rows: &[&Row]) -> String {
    let told = |row: &&Row| {
        let grade = match &row.grade {
            Said::Nothing => "no grade".to_owned(),
            Said::Grade(grade) => grade.to_string(),
            Said::Unclear(text) => format!("`{text}`"),
        };
        format!("row {}: {grade}", row.line)
    };
    rows.iter().map(told).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_same_with_and_without_ending() {
        for name in ["IDRiD_001", "idrid_001.JPG", "a/b/IDRiD_001.tif", r"C:\x\IDRiD_001"] {
            assert_eq!(row_stem(name), "idrid_001", "{name}");
        }
        assert_eq!(row_stem("v1.2"), "v1.2");
    }

    #[test]
    fn a_name_of_several_files_is_one_of_them_only_where_the_table_says_which() {
        let files: Vec<File> = ["left/a.png", "right/a.png", "right/a.tif", "b.png"]
            .map(|name| (Path::new("/data").join(name), name.to_owned()))
            .into();
        let same = [0, 1, 2];
        for (image, expected) in [
            ("a", &[0, 1, 2][..]),
            ("a.tif", &[2]),
            ("a.png", &[0, 1]),
            ("left/a", &[0]),
            ("LEFT\\A.png", &[0]),
            ("right/a", &[1, 2]),
            ("./right/a.tif", &[2]),
            ("photos/a.tif", &[0, 1, 2]),
        ] {
            assert_eq!(meant(image, &same, &files), expected, "{image}");
        }
        assert_eq!(meant("elsewhere/b.bmp", &[3], &files), [3]);
    }

    #[test]
    fn rows_of_one_picture_agree_or_are_in_doubt() {
        let row = |grade: Said| Row { line: 2, image: "a".to_owned(), grade, edema: None };
        let (two, three, none) = (row(Said::Grade(2)), row(Said::Grade(3)), row(Said::Nothing));
        let unclear = row(Said::Unclear("bad".to_owned()));
        assert_eq!(agreed(&[&two, &none, &two]), Some(Said::Grade(2)));
        assert_eq!(agreed(&[&none, &none]), Some(Said::Nothing));
        assert_eq!([agreed(&[&two, &three]), agreed(&[&two, &unclear]), agreed(&[&unclear])], [None, None, None]);
        assert_eq!(each_grade(&[&two, &none, &unclear]), "row 2: 2, row 2: no grade, row 2: `bad`");
    }
}
