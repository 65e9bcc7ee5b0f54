//! Folders of fundus photographs with their grades: which pictures are there, by which hospital, how they are read, and what of a
//! folder without grades is among them already.

pub mod grades;
mod join;
pub mod leak;
pub mod listing;
pub mod read;
pub mod table;
mod xls;

/// The known mistakes of Messidor (as public loaders apply them): corrected grades by base and name.
pub const CORRECTED: [(u8, &str, u8); 4] = [
    (11, "20051020_64007_0100_PP.tif", 3),
    (11, "20051020_63936_0100_PP.tif", 1),
    (13, "20060523_48477_0100_PP.tif", 3),
    (11, "20051020_63045_0100_PP.tif", 0),
];

/// Pictures of base 33 that are others of it once more; without them Messidor has 1187.
pub const DUPLICATES: [&str; 13] = [
    "20051202_55582_0400_PP.tif",
    "20051202_41076_0400_PP.tif",
    "20051202_48287_0400_PP.tif",
    "20051202_48586_0400_PP.tif",
    "20051202_55457_0400_PP.tif",
    "20051202_55626_0400_PP.tif",
    "20051202_54783_0400_PP.tif",
    "20051202_48575_0400_PP.tif",
    "20051202_55484_0400_PP.tif",
    "20051202_55562_0400_PP.tif",
    "20051202_54547_0400_PP.tif",
    "20051205_32966_0400_PP.tif",
    "20051205_32981_0400_PP.tif",
];

/// Names as far as a sentence holds them: the first few and how many more.
pub fn named<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    up_to(4, names)
}

/// The same of what has to be looked at one by one.
pub fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    up_to(20, names)
}

fn up_to<'a>(most: usize, names: impl IntoIterator<Item = &'a str>) -> String {
    let mut names = names.into_iter();
    let first: Vec<&str> = names.by_ref().take(most).collect();
    let more = names.count();
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    first.join(", ") + &more
}
