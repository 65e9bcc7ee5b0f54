//! The table of all pictures and what sums it up: as CSV, as text and as JSON.

use serde_json::{Value as Json, json};

use super::super::pipeline::Pipeline;
use super::Measures;
use super::inputs::counted;
use crate::engine::export::{Sheet, number};
use crate::plot::number::short;

/// One picture of the table.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Without extension, with `/`.
    pub name: String,
    /// The file as it was given.
    pub file: String,
    /// `None` where it could not be used.
    pub measures: Option<Measures>,
    /// Why it could not be used, or what is odd about it; else empty.
    pub problem: String,
}

/// The columns of `table.csv`.
pub const COLUMNS: [&str; 15] = [
    "image",
    "file",
    "width",
    "height",
    "area",
    "share",
    "parts",
    "mean_probability",
    "dice",
    "iou",
    "hd95",
    "hd",
    "assd",
    "true_area",
    "problem",
];

impl Row {
    /// In the order of [`COLUMNS`]; what is unknown or undefined is empty.
    pub fn cells(&self) -> Vec<Json> {
        let optional = |value: Option<f64>| value.map_or(json!(""), number);
        let measures = self.measures.as_ref();
        let of = |get: &dyn Fn(&Measures) -> Json| measures.map_or(json!(""), get);
        let score = measures.and_then(|measures| measures.score.as_ref());
        vec![
            json!(self.name),
            json!(self.file),
            of(&|m| json!(m.width)),
            of(&|m| json!(m.height)),
            of(&|m| json!(m.area)),
            of(&|m| number(m.share)),
            of(&|m| json!(m.parts)),
            optional(measures.and_then(|m| m.confidence)),
            optional(score.map(|s| s.dice)),
            optional(score.and_then(|s| s.iou)),
            optional(score.and_then(|s| s.hd95)),
            optional(score.and_then(|s| s.hd)),
            optional(score.and_then(|s| s.assd)),
            score.map_or(json!(""), |s| json!(s.area)),
            json!(self.problem),
        ]
    }

    /// One object by the names of [`COLUMNS`]; what is unknown or undefined is null.
    pub fn json(&self) -> Json {
        let null = |cell: Json| if cell == json!("") { Json::Null } else { cell };
        COLUMNS.iter().zip(self.cells()).map(|(name, cell)| ((*name).to_owned(), null(cell))).collect()
    }
}

/// `table.csv`.
pub fn csv(rows: &[Row]) -> Result<Vec<u8>, String> {
    let sheet = Sheet { rows: rows.iter().map(Row::cells).collect(), ..Sheet::new(&COLUMNS) };
    sheet.csv(&Json::Null)
}

/// What all rows have in common.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    pub predicted: usize,
    /// Files that could not be used.
    pub failed: usize,
    /// Pictures without any lesion.
    pub without_lesion: usize,
    /// Pictures with a true mask.
    pub scored: usize,
    /// Means over `scored`; distances over those that have one. `None` where there are none.
    pub dice: Option<f64>,
    pub iou: Option<f64>,
    pub hd95: Option<f64>,
    pub hd: Option<f64>,
    pub assd: Option<f64>,
    /// Pictures whose distances are undefined, since the predicted or the true mask is empty.
    pub undefined: usize,
    /// Those of them whose distances count as the image's diagonal.
    pub diagonal: usize,
    /// Pictures without lesion that were predicted so: Dice 1.
    pub both_empty: usize,
}

impl Summary {
    pub fn of<'a>(rows: impl IntoIterator<Item = &'a Row> + Clone) -> Self {
        let measures = || rows.clone().into_iter().filter_map(|row| row.measures.as_ref());
        let scores: Vec<_> = measures().filter_map(|measures| measures.score).collect();
        let mean = |get: &dyn Fn(&super::Score) -> Option<f64>| {
            let values: Vec<f64> = scores.iter().filter_map(get).collect();
            (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
        };
        let undefined = |s: &super::Score| s.area == 0 || s.predicted == 0;
        Self {
            predicted: measures().count(),
            failed: rows.clone().into_iter().filter(|row| row.measures.is_none()).count(),
            without_lesion: measures().filter(|measures| measures.area == 0).count(),
            scored: scores.len(),
            dice: mean(&|s| Some(s.dice)),
            iou: mean(&|s| s.iou),
            hd95: mean(&|s| s.hd95),
            hd: mean(&|s| s.hd),
            assd: mean(&|s| s.assd),
            undefined: scores.iter().filter(|s| undefined(s)).count(),
            diagonal: scores.iter().filter(|s| undefined(s) && s.hd95.is_some()).count(),
            both_empty: scores.iter().filter(|s| s.both_empty).count(),
        }
    }

    /// One statement a line.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!(
            "{} predicted, {} of them without lesion",
            counted(self.predicted, "picture", "pictures"),
            self.without_lesion
        )];
        if self.failed > 0 {
            lines.push(format!("{} could not be used: see the table", counted(self.failed, "file", "files")));
        }
        let text = |value: Option<f64>| value.map_or("undefined".to_owned(), short);
        if self.scored > 0 {
            lines.push(format!(
                "against {}: Dice {}, IoU {}, HD95 {} pixels, HD {} pixels, ASSD (pooled) {} pixels (means of images)",
                counted(self.scored, "true mask", "true masks"),
                text(self.dice),
                text(self.iou),
                text(self.hd95),
                text(self.hd),
                text(self.assd)
            ));
            lines.push(format!(
                "distances undefined for {}, since a mask is empty{}; both empty (Dice 1): {}",
                counted(self.undefined, "image", "images"),
                if self.diagonal > 0 { format!(": {} counted as the diagonal", self.diagonal) } else { String::new() },
                self.both_empty
            ));
        }
        lines
    }

    /// The same numbers by name.
    pub fn json(&self, pipeline: &Pipeline) -> Json {
        let optional = |value: Option<f64>| value.map_or(Json::Null, number);
        json!({
            "predicted": self.predicted, "failed": self.failed, "without_lesion": self.without_lesion,
            "scored": self.scored, "dice": optional(self.dice), "iou": optional(self.iou),
            "hd95": optional(self.hd95), "hd": optional(self.hd), "assd": optional(self.assd),
            "undefined": self.undefined, "diagonal": self.diagonal, "both_empty": self.both_empty,
            "convention": pipeline.describe(),
        })
    }
}
