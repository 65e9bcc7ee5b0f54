//! Places of phrases in pictures: our lines, MS-CXR's table, and its COCO-like JSON.

use std::collections::HashMap;
use std::path::Path;

use serde::Deserialize;

use super::super::Problem;
use super::super::segmentation::counted;
use super::lines::Lines;
use super::pictures::stem;
use super::tables::{self, IMAGE, PHRASE, Table};
use super::{Pair, PhraseBox};

/// How far a box may reach over the edge of its picture; such ones are cut off there.
const OVER: f64 = 0.02;

/// Boxes of the pictures of some pairs.
pub struct Boxes<'a> {
    by_stem: HashMap<String, &'a Path>,
    pub boxes: Vec<PhraseBox>,
    pub problems: Vec<Problem>,
    /// Boxes of pictures that are not among the pairs.
    unknown: usize,
}

/// Where a phrase is, in widths and heights: corners.
type Corners = [f64; 4];

impl<'a> Boxes<'a> {
    pub fn of(pairs: &'a [Pair]) -> Self {
        let named = |pair: &'a Pair| {
            let name = pair.image.file_name().unwrap_or_default().to_string_lossy();
            (stem(&name), pair.image.as_path())
        };
        Self { by_stem: pairs.iter().map(named).collect(), boxes: Vec::new(), problems: Vec::new(), unknown: 0 }
    }

    /// `place`: for messages, such as `row 3`; `names`: of the picture, any of which may be the file's.
    fn add(&mut self, file: &Path, place: &str, names: &[&str], phrase: &str, corners: Option<Corners>) {
        let Some(image) = names.iter().find_map(|name| self.by_stem.get(&stem(name))) else {
            self.unknown += 1;
            return;
        };
        let fits = |[x0, y0, x1, y1]: &Corners| {
            [x0, y0, x1, y1].iter().all(|edge| (-OVER..=1.0 + OVER).contains(*edge)) && x0 < x1 && y0 < y1
        };
        match corners.filter(fits) {
            Some(corners) if !phrase.is_empty() => {
                let bounds = corners.map(|edge| edge.clamp(0.0, 1.0) as f32);
                self.boxes.push(PhraseBox { image: image.to_path_buf(), phrase: phrase.to_owned(), bounds });
            }
            _ => {
                let problem = format!("{place}: is no box of a phrase within its picture; left out");
                self.problems.push(Problem { path: file.to_owned(), problem });
            }
        }
    }

    /// Our columns, or MS-CXR's, which are in pixels.
    pub fn add_table(&mut self, table: &Table) {
        let column = |names: &[&str]| table.column(names).unwrap_or(usize::MAX);
        let names = ["path", "dicomid"].map(|name| column(&[name]));
        let (image, phrase) = (column(IMAGE), column(PHRASE));
        for row in &table.rows {
            let number = |name: &str| row.cell(column(&[name])).replace(',', ".").parse::<f64>().ok();
            let all = |names: [&str; 4]| {
                let [a, b, c, d] = names.map(number);
                Some([a?, b?, c?, d?])
            };
            let in_pixels = || in_widths(all(["x", "y", "w", "h"])?, number("imagewidth")?, number("imageheight")?);
            let corners = all(["x0", "y0", "x1", "y1"]).or_else(in_pixels);
            let names = [row.cell(names[0]), row.cell(names[1]), row.cell(image)];
            self.add(&table.path, &format!("row {}", row.number), &names, row.cell(phrase), corners);
        }
    }

    pub fn add_lines(&mut self, lines: &Lines) {
        self.problems.extend(lines.problem.clone());
        for line in &lines.lines {
            let number = |name: &str| line.number(name);
            let corners = || Some([number("x0")?, number("y0")?, number("x1")?, number("y1")?]);
            let image = line.text(IMAGE).unwrap_or_default();
            let phrase = line.text(PHRASE).unwrap_or_default();
            self.add(&lines.path, &format!("line {}", line.number), &[&image], &phrase, corners());
        }
    }

    /// A JSON file, if it is of this kind; others are passed over.
    pub fn add_json(&mut self, path: &Path) {
        let Some(coco) = tables::bytes(path).ok().and_then(|bytes| serde_json::from_slice::<Coco>(&bytes).ok()) else {
            return;
        };
        let images: HashMap<String, &CocoImage> =
            coco.images.iter().map(|image| (image.id.to_string(), image)).collect();
        for (i, annotation) in coco.annotations.iter().enumerate() {
            let Some(image) = images.get(&annotation.image_id.to_string()) else {
                self.unknown += 1;
                continue;
            };
            let corners = in_widths(annotation.bbox, image.width, image.height);
            let names = [image.file_name.as_str(), image.path.as_str(), image.dicom_id.as_str()];
            self.add(path, &format!("annotation {}", i + 1), &names, annotation.label_text.text(), corners);
        }
    }

    /// Boxes, problems, and a statement.
    pub fn finish(self) -> (Vec<PhraseBox>, Vec<Problem>, Option<String>) {
        let told = (!self.boxes.is_empty() || self.unknown > 0).then(|| {
            let found = counted(self.boxes.len(), "box of a phrase", "boxes of phrases");
            let beside = match self.unknown {
                0 => String::new(),
                count => format!("; {} of pictures that are not used", counted(count, "box is", "boxes are")),
            };
            format!("{found}{beside}")
        });
        (self.boxes, self.problems, told)
    }
}

/// Corners of a box of pixels: left, top, width, height.
fn in_widths([x, y, w, h]: [f64; 4], width: f64, height: f64) -> Option<Corners> {
    (width > 0.0 && height > 0.0).then(|| [x / width, y / height, (x + w) / width, (y + h) / height])
}

/// What of a COCO-like file is read.
#[derive(Deserialize)]
struct Coco {
    images: Vec<CocoImage>,
    annotations: Vec<CocoBox>,
}

#[derive(Deserialize)]
struct CocoImage {
    id: serde_json::Value,
    #[serde(default)]
    file_name: String,
    #[serde(default)]
    path: String,
    #[serde(default)]
    dicom_id: String,
    width: f64,
    height: f64,
}

#[derive(Deserialize)]
struct CocoBox {
    image_id: serde_json::Value,
    bbox: [f64; 4],
    #[serde(default)]
    label_text: Phrase,
}

/// One phrase, or a list of which the first counts.
#[derive(Deserialize)]
#[serde(untagged)]
enum Phrase {
    One(String),
    Several(Vec<String>),
}

impl Default for Phrase {
    fn default() -> Self {
        Phrase::One(String::new())
    }
}

impl Phrase {
    fn text(&self) -> &str {
        match self {
            Phrase::One(text) => text.trim(),
            Phrase::Several(texts) => texts.first().map_or("", |text| text.trim()),
        }
    }
}
