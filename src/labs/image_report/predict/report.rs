//! What was found as tables: a row a pair, a row a text, a row a word.

use std::path::Path;

use serde_json::{Value as Json, json};

use crate::engine::export::{Sheet, number};
use crate::engine::run_folder::{DiskError, write_whole};
use crate::text::edits::Edit;

use super::NOTE;
use super::inputs::{Item, Square};
use super::judge::{Judged, cosine_of};
use super::parts::Part;

/// What was found of one pair. Plain data.
#[derive(Debug, Clone)]
pub struct Found {
    pub name: String,
    /// The image as it was given.
    pub file: String,
    pub words: Vec<String>,
    /// `None` where it could not be used.
    pub judged: Option<Judged>,
    /// The name of the other image.
    pub other: Option<String>,
    /// Which part of the run's data it was in; `None`: not known.
    pub part: Option<Part>,
    /// Why it could not be used, or what is odd about it; else empty.
    pub problem: String,
    /// Pixels of a side of the square.
    pub size: usize,
    /// `None` where the image could not be read.
    pub square: Option<Square>,
}

/// The columns of `predictions.csv`.
const COLUMNS: [&str; 23] = [
    "image",
    "file",
    "words",
    "similarity",
    "rank",
    "counted",
    "correct",
    "wrong_image",
    "wrong_similarity",
    "wrong_rank",
    "wrong_correct",
    "mean_similarity",
    "mean_rank",
    "mean_correct",
    "nearest",
    "nearest_similarity",
    "laterality",
    "zone",
    "severity",
    "negation",
    "part",
    "problem",
    "notice",
];

fn optional(value: Option<f64>) -> Json {
    value.map_or(json!(""), number)
}

impl Found {
    /// A pair of which nothing is known yet.
    pub fn new(item: &Item, size: usize) -> Self {
        let cut = if item.cut > 0 { format!("{} words of its report had no room", item.cut) } else { String::new() };
        Self {
            name: item.name.clone(),
            file: item.path.display().to_string(),
            words: item.words.clone(),
            judged: None,
            other: None,
            part: None,
            problem: if item.problem.is_empty() { cut } else { item.problem.clone() },
            size,
            square: item.square.clone(),
        }
    }

    fn cells(&self) -> Vec<Json> {
        let judged = self.judged.as_ref();
        let place = |column: usize| judged.and_then(|judged| judged.place(column));
        let similarity = |column: usize| optional(judged.and_then(|judged| judged.similarity(column)));
        let rank = |column: usize| place(column).map_or(json!(""), |place| json!(place.rank));
        let correct =
            |column: usize| json!(place(column).map_or("", |place| if place.rank == 1 { "yes" } else { "no" }));
        let nearest = judged.and_then(Judged::nearest);
        let mut cells = vec![
            json!(self.name),
            json!(self.file),
            json!(self.words.len()),
            similarity(0),
            rank(0),
            place(0).map_or(json!(""), |place| json!(place.of)),
            correct(0),
            json!(self.other.as_deref().unwrap_or_default()),
            similarity(1),
            rank(1),
            correct(1),
            similarity(2),
            rank(2),
            correct(2),
            json!(nearest.map_or("", |(kind, _)| kind.id())),
            optional(nearest.map(|(_, cosine)| cosine)),
        ];
        cells.extend(Edit::ALL.map(|edit| json!(self.edited(edit))));
        cells.extend([json!(self.part.map_or("", Part::id)), json!(self.problem), json!(NOTE)]);
        cells
    }

    /// Whether the report is above this edit of it; empty where it has none.
    fn edited(&self, edit: Edit) -> &'static str {
        let above = self.judged.as_ref().and_then(|judged| {
            let edited = judged.edits.iter().find(|edited| edited.edit == edit)?;
            judged.above(edited, 0)
        });
        above.map_or("", |above| if above { "above" } else { "not above" })
    }

    /// One object by the names of the columns; what is unknown is null.
    pub fn json(&self) -> Json {
        let null = |cell: Json| if cell == json!("") { Json::Null } else { cell };
        COLUMNS.iter().zip(self.cells()).map(|(name, cell)| ((*name).to_owned(), null(cell))).collect()
    }

    /// The rows of its texts.
    fn texts(&self) -> Vec<Vec<Json>> {
        let Some(judged) = &self.judged else { return Vec::new() };
        let row = |kind: &str, words: &[String], cosines: &[Option<f64>; 3], degenerate: bool| {
            let [own, other, mean] = [0, 1, 2].map(|column| optional(cosine_of(cosines, column)));
            let degenerate = if degenerate { "yes" } else { "no" };
            vec![json!(self.name), json!(kind), json!(words.join(" ")), own, other, mean, json!(degenerate)]
        };
        let report = judged.candidates.first().map(|report| row("report", &report.words, &report.cosines, false));
        let perturbed = judged.perturbed().map(|(kind, of)| row(kind.id(), &of.words, &of.cosines, of.degenerate));
        let edits = judged.edits.iter().map(|of| row(&format!("edit_{}", of.edit.id()), &of.words, &of.cosines, false));
        report.into_iter().chain(perturbed).chain(edits).collect()
    }

    /// The rows of its words.
    fn words(&self) -> Vec<Vec<Json>> {
        let (Some(judged), Some(square)) = (&self.judged, &self.square) else { return Vec::new() };
        let [left, top, width, height] = square.frame.0.map(f64::from);
        let row = |(i, (word, tag)): (usize, (&String, &crate::text::tags::Tag))| {
            let spot = judged.spot(i)?;
            let [x, y] = [left + width * spot.at[0], top + height * spot.at[1]];
            let mut cells = vec![json!(self.name), json!(i + 1), json!(word), json!(tag.id())];
            cells.extend([x, y, spot.share].map(number));
            Some(cells)
        };
        judged.words().iter().zip(&judged.tags).enumerate().filter_map(row).collect()
    }
}

/// Writes `predictions.csv` with a row a pair, `rankings.csv` with a row a text and `words.csv` with a row a word below `out`.
/// Places are in widths and heights of the whole picture.
pub fn save_tables(out: &Path, found: &[Found]) -> Result<(), DiskError> {
    let texts = ["image", "kind", "text", "cosine", "cosine_wrong_image", "cosine_mean_image", "degenerate"];
    let words = ["image", "index", "word", "class", "x", "y", "attention"];
    save(&out.join("predictions.csv"), &COLUMNS, found.iter().map(Found::cells).collect())?;
    save(&out.join("rankings.csv"), &texts, found.iter().flat_map(Found::texts).collect())?;
    save(&out.join("words.csv"), &words, found.iter().flat_map(Found::words).collect())
}

fn save(path: &Path, columns: &[&str], rows: Vec<Vec<Json>>) -> Result<(), DiskError> {
    let sheet = Sheet { rows, ..Sheet::new(columns) };
    let bytes = sheet.csv(&Json::Null).map_err(|error| DiskError::bad(path, error))?;
    write_whole(path, &bytes)
}
