//! The table of all pictures and what sums it up: as CSV, as text and as JSON.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use super::super::pipeline::Pipeline;
use super::Measures;
use super::inputs::counted;
use crate::compute::stats::{Estimate, INTERVALS, mean};
use crate::data::segmentation::split::Part;
use crate::engine::export::{Sheet, number};
use crate::pixels::spacing::Unit;
use crate::plot::number::short;

/// One picture of the table.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Without extension, with `/`.
    pub name: String,
    /// The file as it was given.
    pub file: String,
    /// Of the data set that the weights were trained on; `None`: of none, as far as is known.
    pub part: Option<Part>,
    /// The group within that data set, whose pictures are not independent; `None`: it is not known, or there is none.
    pub group: Option<usize>,
    /// Empty where it is not known.
    pub class: String,
    /// `None` where it could not be used.
    pub measures: Option<Measures>,
    /// Why it could not be used, or what is odd about it; else empty.
    pub problem: String,
    /// What kinds of oddities `problem` speaks of, to be counted.
    pub kinds: Vec<&'static str>,
}

/// The columns of `table.csv`. Areas and distances are in pixels of the file; `assd` is pooled, see
/// [`assd_in_words`](crate::pixels::mask::border::assd_in_words); `part` is that of the data set which the weights were
/// trained on.
pub const COLUMNS: [&str; 17] = [
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
    "part",
    "class",
];

/// Further columns where a pixel has a size; `hd95`, `hd` and `assd` are then called `hd95_mm` and so on.
const COLUMNS_MM: [&str; 4] = ["area_mm2", "true_area_mm2", "row_mm", "column_mm"];

/// The heads of the table.
fn columns(unit: Unit) -> Vec<String> {
    if unit == Unit::Pixels {
        return COLUMNS.map(str::to_owned).to_vec();
    }
    let head = |name: &&str| {
        if ["hd95", "hd", "assd"].contains(name) { format!("{name}_mm") } else { (*name).to_owned() }
    };
    COLUMNS.iter().chain(&COLUMNS_MM).map(head).collect()
}

/// What the distances of these rows are in.
fn unit_of<'a>(rows: impl IntoIterator<Item = &'a Row>) -> Unit {
    Unit::of(rows.into_iter().find_map(|row| row.measures.as_ref()?.spacing))
}

impl Row {
    /// A picture of which nothing is known yet.
    pub fn new(name: impl Into<String>, file: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            file: file.into(),
            part: None,
            group: None,
            class: String::new(),
            measures: None,
            problem: String::new(),
            kinds: Vec::new(),
        }
    }

    /// Adds to what is odd about it; nothing where there is nothing to say.
    pub fn note(&mut self, kind: &'static str, problem: &str) {
        if problem.is_empty() {
            return;
        }
        if !self.problem.is_empty() {
            self.problem += "; ";
        }
        self.problem += problem;
        if !self.kinds.contains(&kind) {
            self.kinds.push(kind);
        }
    }

    /// In the order of the columns; what is unknown or undefined is empty.
    fn cells(&self, unit: Unit) -> Vec<Json> {
        let optional = |value: Option<f64>| value.map_or(json!(""), number);
        let measures = self.measures.as_ref();
        let of = |get: &dyn Fn(&Measures) -> Json| measures.map_or(json!(""), get);
        let score = measures.and_then(|measures| measures.score.as_ref());
        let mut cells = vec![
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
            json!(self.part.map_or("", Part::name)),
            json!(self.class),
        ];
        if unit == Unit::Millimetres {
            cells.extend([
                optional(measures.and_then(Measures::square_millimetres)),
                optional(score.filter(|s| s.spacing.is_some()).map(|s| s.areas()[0])),
                optional(measures.and_then(|m| Some(m.spacing?.row))),
                optional(measures.and_then(|m| Some(m.spacing?.column))),
            ]);
        }
        cells
    }

    /// One object by the names of the columns; what is unknown or undefined is null.
    pub fn json(&self) -> Json {
        let null = |cell: Json| if cell == json!("") { Json::Null } else { cell };
        let unit = unit_of([self]);
        columns(unit).into_iter().zip(self.cells(unit)).map(|(name, cell)| (name, null(cell))).collect()
    }
}

/// `table.csv`.
pub fn csv(rows: &[Row]) -> Result<Vec<u8>, String> {
    let unit = unit_of(rows);
    let heads = columns(unit);
    let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
    let sheet = Sheet { rows: rows.iter().map(|row| row.cells(unit)).collect(), ..Sheet::new(&heads) };
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
    /// Of `scored`, pictures that the network was trained on.
    pub trained: usize,
    /// What distances are in.
    pub unit: Unit,
}

fn estimate_json(estimate: &Estimate) -> Json {
    json!({
        "count": estimate.count, "groups": estimate.groups, "mean": estimate.mean, "interval_95": estimate.interval,
    })
}

/// Means over the scored pictures of one part of the data set, or one class.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// `None`: of all parts.
    pub part: Option<String>,
    /// `None`: of all classes.
    pub class: Option<String>,
    pub scored: usize,
    pub dice: Estimate,
    pub iou: Estimate,
    pub hd95: Estimate,
    pub hd: Estimate,
    pub assd: Estimate,
    /// What distances are in.
    pub unit: Unit,
}

/// All scored pictures, then part by part and class by class, as far as there are several.
pub fn groups(rows: &[Row]) -> Vec<Group> {
    let unit = unit_of(rows);
    let part = |row: &Row| row.part.map_or("none", Part::name);
    // Pictures without a group are alone, with numbers behind all groups.
    let first_alone = rows.iter().filter_map(|row| row.group).max().map_or(0, |last| last + 1);
    let group_of = |(i, row): (usize, &Row)| row.group.unwrap_or(first_alone + i);
    let scored: Vec<(&Row, usize, super::Score)> = rows
        .iter()
        .enumerate()
        .filter_map(|(i, row)| Some((row, group_of((i, row)), row.measures.as_ref()?.score?)))
        .collect();
    let group = |of_part: Option<&str>, of_class: Option<&str>| {
        let scores: Vec<(usize, &super::Score)> = scored
            .iter()
            .filter(|(row, ..)| of_part.is_none_or(|of| of == part(row)) && of_class.is_none_or(|of| of == row.class))
            .map(|(_, group, score)| (*group, score))
            .collect();
        let mean = |get: &dyn Fn(&super::Score) -> Option<f64>| {
            Estimate::of(scores.iter().map(|(group, score)| (get(score), *group)))
        };
        (!scores.is_empty()).then(|| Group {
            part: of_part.map(str::to_owned),
            class: of_class.map(str::to_owned),
            scored: scores.len(),
            dice: mean(&|s| Some(s.dice)),
            iou: mean(&|s| s.iou),
            hd95: mean(&|s| s.hd95),
            hd: mean(&|s| s.hd),
            assd: mean(&|s| s.assd),
            unit,
        })
    };
    let classes: BTreeSet<&str> = scored.iter().map(|(row, ..)| row.class.as_str()).collect();
    let classes: Vec<Option<&str>> = match classes.len() {
        0 | 1 => vec![None],
        _ => std::iter::once(None).chain(classes.into_iter().map(Some)).collect(),
    };
    let known = scored.iter().any(|(row, ..)| row.part.is_some());
    let parts = Part::ALL.iter().map(|part| Some(part.name())).chain([Some("none")]);
    let parts: Vec<Option<&str>> = std::iter::once(None).chain(parts.filter(|_| known)).collect();
    parts
        .into_iter()
        .flat_map(|part| classes.iter().map(move |class| (part, *class)))
        .filter_map(|(p, c)| group(p, c))
        .collect()
}

/// One statement a line: the groups and how sure their means are.
pub fn group_lines(groups: &[Group]) -> Vec<String> {
    // Of a single picture there is nothing more to say.
    if groups.first().is_none_or(|all| all.scored < 2) {
        return Vec::new();
    }
    let name = |group: &Group| {
        let part = match group.part.as_deref() {
            None => "all",
            Some("none") => "of no part",
            Some(part) => part,
        };
        match group.class.as_deref() {
            None => part.to_owned(),
            Some("") => format!("{part}, no class"),
            Some(class) => format!("{part}, {class}"),
        }
    };
    let width = groups.iter().map(|group| name(group).chars().count()).max().unwrap_or(0);
    let mut lines = vec![format!("means over images [{INTERVALS}]")];
    lines.extend(groups.iter().map(|group| {
        format!(
            "  {:width$}  {:>4} scored  Dice {}  IoU {}  HD95 {} {}",
            name(group),
            group.scored,
            group.dice.text(short),
            group.iou.text(short),
            group.hd95.text(short),
            group.unit.word()
        )
    }));
    lines
}

/// The same numbers by name.
pub fn groups_json(groups: &[Group]) -> Json {
    let one = |group: &Group| {
        json!({
            "part": group.part, "class": group.class, "scored": group.scored, "dice": estimate_json(&group.dice),
            "iou": estimate_json(&group.iou), "hd95": estimate_json(&group.hd95), "hd": estimate_json(&group.hd),
            "assd": estimate_json(&group.assd),
        })
    };
    groups.iter().map(one).collect()
}

/// One statement a line: what is odd about the pictures, counted, with the first of each kind.
pub fn problem_lines(rows: &[Row]) -> Vec<String> {
    const NAMED: usize = 3;
    let mut kinds: Vec<(&str, Vec<&str>)> = Vec::new();
    for row in rows {
        for &kind in &row.kinds {
            match kinds.iter_mut().find(|(known, _)| *known == kind) {
                Some((_, names)) => names.push(&row.name),
                None => kinds.push((kind, vec![&row.name])),
            }
        }
    }
    let line = |(kind, names): &(&str, Vec<&str>)| {
        let mut text = format!(
            "{kind}: {} ({}",
            counted(names.len(), "picture", "pictures"),
            names[..names.len().min(NAMED)].join(", ")
        );
        if names.len() > NAMED {
            text += &format!(" and {} more", names.len() - NAMED);
        }
        text + "); the column `problem` of the table tells"
    };
    kinds.iter().map(line).collect()
}

/// What the user should know before trusting the mean; empty where there is nothing.
pub fn warnings(summary: &Summary) -> Vec<String> {
    let missed = summary.scored - summary.both_empty;
    let nothing = (missed > 0 && summary.without_lesion == summary.predicted).then(|| {
        format!(
            "warning: these weights outline nothing in any picture, though {} a lesion: are they trained, and for such pictures?",
            counted(missed, "true mask holds", "true masks hold")
        )
    });
    nothing.into_iter().chain(trained_warning(summary)).collect()
}

fn trained_warning(summary: &Summary) -> Option<String> {
    (summary.trained > 0).then(|| {
        format!(
            "warning: the network was trained on {} of the {}, so that the mean over all of them is too good for new pictures: \
             look at the part `test` (`--part test`)",
            summary.trained,
            counted(summary.scored, "picture that was scored", "pictures that were scored")
        )
    })
}

impl Summary {
    pub fn of<'a>(rows: impl IntoIterator<Item = &'a Row> + Clone) -> Self {
        let measures = || rows.clone().into_iter().filter_map(|row| row.measures.as_ref());
        let scores: Vec<_> = measures().filter_map(|measures| measures.score).collect();
        let trained =
            |row: &&Row| row.part == Some(Part::Train) && row.measures.as_ref().is_some_and(|m| m.score.is_some());
        let mean =
            |get: &dyn Fn(&super::Score) -> Option<f64>| mean(&scores.iter().filter_map(get).collect::<Vec<f64>>());
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
            trained: rows.clone().into_iter().filter(trained).count(),
            unit: unit_of(rows),
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
        let unit = self.unit.word();
        if self.scored > 0 {
            lines.push(format!(
                "against {}: Dice {}, IoU {}, HD95 {} {unit}, HD {} {unit}, ASSD (pooled) {} {unit} (means of images)",
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
            "scored_of_train": self.trained,
            "convention": pipeline.describe(self.unit), "unit": self.unit.word(),
        })
    }
}
