//! Masks as labelme writes them: polygons, rectangles and circles with labels, in a JSON file beside the image.
//!
//! Coordinates are in pixels from the upper left corner of the image, x right, y down; a pixel is within a shape if its
//! centre is, and of shapes that cross themselves what is inside an odd number of times.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use serde::Deserialize;
use serde_json::Value as Json;

use crate::disk;

/// Bytes of a file: labelme may write the image into it.
const MOST_BYTES: u64 = 128 << 20;
/// Places where an edge crosses a row of pixels, all shapes together.
const MOST_CROSSINGS: u64 = 50_000_000;
/// Corners that stand for a circle.
const CIRCLE: usize = 128;

/// A file whose shapes were read.
#[derive(Debug, Clone, PartialEq)]
pub struct Drawing {
    /// Width and height of the image that it was drawn on.
    pub size: (u32, u32),
    shapes: Vec<Shape>,
}

#[derive(Debug, Clone, PartialEq)]
struct Shape {
    label: String,
    kind: String,
    points: Vec<[f64; 2]>,
}

/// What stands in a file, as far as it is used.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    shapes: Vec<WrittenShape>,
    image_height: Option<u32>,
    image_width: Option<u32>,
}

#[derive(Deserialize)]
struct WrittenShape {
    label: Json,
    shape_type: Option<String>,
    points: Vec<[f64; 2]>,
}

/// Why a JSON file is not a drawing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoDrawing {
    /// It is about something else.
    Other,
    /// It cannot be used, in words that stand behind its path.
    Problem(String),
}

/// Whether a file may be one of labelme's, by its name.
pub fn is_name(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"))
}

impl Drawing {
    /// Reads a file; the error stands behind its path.
    pub fn open(path: &Path) -> Result<Self, String> {
        Self::look(path).map_err(|why| match why {
            NoDrawing::Other => {
                "is no file of labelme: expected a JSON object with `shapes`, `imageHeight` and `imageWidth`".to_owned()
            }
            NoDrawing::Problem(problem) => problem,
        })
    }

    /// The same for a file that may be about something else.
    pub fn look(path: &Path) -> Result<Self, NoDrawing> {
        let problem = |text: String| NoDrawing::Problem(text);
        let file = disk::open(path).map_err(|error| problem(format!("cannot be opened: {error}")))?;
        let length = file.metadata().map_or(0, |meta| meta.len());
        if length > MOST_BYTES {
            let (mib, most) = (length >> 20, MOST_BYTES >> 20);
            return Err(problem(format!("has {mib} MiB; at most {most} MiB of a JSON file are read")));
        }
        let written: Written = serde_json::from_reader(BufReader::new(file.take(MOST_BYTES))).map_err(|error| {
            if error.is_data() && !mentions_shapes(path) {
                return NoDrawing::Other;
            }
            problem(format!("is no file of labelme that can be read ({error}); save it anew"))
        })?;
        let (Some(width), Some(height)) = (written.image_width, written.image_height) else {
            return Err(problem("does not say `imageHeight` and `imageWidth`; save it anew with labelme".to_owned()));
        };
        if width == 0 || height == 0 {
            return Err(problem("says that its image has no pixels".to_owned()));
        }
        let shapes: Vec<Shape> = written.shapes.into_iter().map(WrittenShape::read).collect();
        if shapes.iter().flat_map(|shape| shape.points.as_flattened()).any(|value| value.abs() > 1e7) {
            return Err(problem("has corners far beyond any picture".to_owned()));
        }
        Ok(Self { size: (width, height), shapes })
    }

    /// The labels with the number of their shapes.
    pub fn labels(&self) -> BTreeMap<String, usize> {
        let mut labels = BTreeMap::new();
        self.shapes.iter().for_each(|shape| *labels.entry(shape.label.clone()).or_insert(0) += 1);
        labels
    }

    /// `[H, W]`: 255 within a shape of one of these labels (in any case; none: of any label), else 0.
    ///
    /// # Errors
    /// A shape of a kind that has no inside.
    pub fn mask(&self, labels: &[String]) -> Result<Vec<u8>, String> {
        let [width, height] = [self.size.0 as usize, self.size.1 as usize];
        let mut mask = vec![0; width * height];
        let mut crossings = 0;
        for (number, shape) in self.shapes.iter().enumerate() {
            if !labels.is_empty() && !labels.iter().any(|label| same(label, &shape.label)) {
                continue;
            }
            let corners = shape.corners().map_err(|problem| format!("its shape {} {problem}", number + 1))?;
            crossings += fill(&mut mask, [width, height], &corners, MOST_CROSSINGS - crossings)
                .ok_or("has shapes with too many corners; simplify them")?;
        }
        Ok(mask)
    }
}

/// Labels are compared in any case.
pub fn same(a: &str, b: &str) -> bool {
    a.to_lowercase() == b.to_lowercase()
}

/// Whether a file that is no drawing means to be one.
fn mentions_shapes(path: &Path) -> bool {
    let Ok(file) = File::open(path) else { return false };
    let json: Result<BTreeMap<String, serde::de::IgnoredAny>, _> =
        serde_json::from_reader(BufReader::new(file.take(MOST_BYTES)));
    json.is_ok_and(|json| json.contains_key("shapes"))
}

impl WrittenShape {
    fn read(self) -> Shape {
        let label = match self.label {
            Json::String(label) => label,
            other => other.to_string(),
        };
        Shape { label, kind: self.shape_type.unwrap_or_else(|| "polygon".to_owned()), points: self.points }
    }
}

impl Shape {
    /// The polygon that it is.
    fn corners(&self) -> Result<Vec<[f64; 2]>, String> {
        match (&*self.kind, &self.points[..]) {
            ("polygon", [_, _, _, ..]) | ("rectangle", [_, _, _, _]) => Ok(self.points.clone()),
            ("rectangle", &[[left, top], [right, bottom]]) => {
                Ok(vec![[left, top], [right, top], [right, bottom], [left, bottom]])
            }
            ("circle", &[[x, y], [rim_x, rim_y]]) => {
                let radius = (rim_x - x).hypot(rim_y - y);
                // Of the circle's area, so that a small one does not lose its rim.
                let turn = std::f64::consts::TAU / CIRCLE as f64;
                let radius = radius * (turn / turn.sin()).sqrt();
                let corner = |i: usize| [x + radius * (turn * i as f64).cos(), y + radius * (turn * i as f64).sin()];
                Ok((0..CIRCLE).map(corner).collect())
            }
            ("polygon" | "rectangle" | "circle", points) => {
                Err(format!("is a {} of {} points", self.kind, points.len()))
            }
            (kind, _) => Err(format!(
                "is of the type `{kind}`, which has no inside here; expected polygon, rectangle or circle, or choose other \
                 labels"
            )),
        }
    }
}

/// Fills a polygon; gives how often its edges cross rows of pixels, `None` where that is more than `most`.
fn fill(mask: &mut [u8], [width, height]: [usize; 2], corners: &[[f64; 2]], most: u64) -> Option<u64> {
    // The row of the first centre at or below y.
    let row = |y: f64| (y - 0.5).ceil().clamp(0.0, height as f64) as usize;
    let edges = || corners.iter().zip(corners.iter().cycle().skip(1));
    let rows = |a: &[f64; 2], b: &[f64; 2]| row(a[1].min(b[1]))..row(a[1].max(b[1]));
    let count: u64 = edges().map(|(a, b)| rows(a, b).len() as u64).sum();
    if count > most {
        return None;
    }
    let mut crossings: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    for (a, b) in edges() {
        for y in rows(a, b) {
            let at = (y as f64 + 0.5 - a[1]) / (b[1] - a[1]);
            crossings.entry(y).or_default().push(a[0] + at * (b[0] - a[0]));
        }
    }
    let column = |x: f64| (x - 0.5).ceil().clamp(0.0, width as f64) as usize;
    for (y, mut of_row) in crossings {
        of_row.sort_by(f64::total_cmp);
        for inside in of_row.as_chunks::<2>().0 {
            let (left, right) = (column(inside[0]), column(inside[1]));
            mask[y * width + left..y * width + right].fill(255);
        }
    }
    Some(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(text: &str) -> Result<Drawing, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        std::fs::write(&path, text).unwrap();
        Drawing::open(&path)
    }

    fn file(shapes: &str) -> String {
        format!(
            r#"{{"version": "5.2", "flags": {{}}, "shapes": [{shapes}], "imagePath": "a.jpg", "imageData": "AAAA",
                "imageHeight": 20, "imageWidth": 30}}"#
        )
    }

    fn area(mask: &[u8]) -> usize {
        mask.iter().filter(|value| **value == 255).count()
    }

    #[test]
    fn shapes_are_filled_where_centres_of_pixels_lie_within() {
        let shapes = r#"{"label": "cyst", "points": [[2, 1], [12, 1], [12, 5], [2, 5]], "shape_type": "polygon"},
            {"label": "tumour", "points": [[29, 19], [20, 10]], "shape_type": "rectangle"},
            {"label": 3, "points": [[10, 12], [14, 12]], "shape_type": "circle"}"#;
        let drawing = look(&file(shapes)).unwrap();
        assert_eq!(drawing.size, (30, 20));
        let labels: Vec<(String, usize)> = drawing.labels().into_iter().collect();
        assert_eq!(labels, [("3".to_owned(), 1), ("cyst".to_owned(), 1), ("tumour".to_owned(), 1)]);
        let of = |label: &str| drawing.mask(&[label.to_owned()]).unwrap();
        let cyst = of("Cyst");
        assert_eq!(area(&cyst), 40);
        let at = |x: usize, y: usize| cyst[y * 30 + x];
        assert_eq!([at(2, 1), at(11, 4), at(12, 4), at(11, 5), at(1, 1)], [255, 255, 0, 0, 0]);
        assert_eq!(area(&of("tumour")), 81);
        let circle = area(&of("3"));
        assert!((48..=54).contains(&circle), "{circle} of 50.3");
        assert_eq!(area(&drawing.mask(&[]).unwrap()), 40 + 81 + circle);
        assert_eq!(area(&of("other")), 0);
    }

    #[test]
    fn a_polygon_may_leave_the_picture_and_cross_itself() {
        let drawn = |points: &str| {
            let shape = format!(r#"{{"label": "a", "points": {points}, "shape_type": "polygon"}}"#);
            look(&file(&shape)).unwrap().mask(&[]).unwrap()
        };
        assert_eq!(area(&drawn("[[-50, -50], [80, -50], [80, 80], [-50, 80]]")), 600);
        assert_eq!(area(&drawn("[[100, 100], [110, 100], [110, 110]]")), 0);
        // Twice around is outside.
        assert_eq!(area(&drawn("[[0, 0], [10, 0], [10, 10], [0, 10], [0, 0], [10, 0], [10, 10], [0, 10]]")), 0);
    }

    #[test]
    fn wrong_files_are_told() {
        let problem = |text: &str| look(text).unwrap_err();
        assert!(problem(r#"{"age": 40}"#).starts_with("is no file of labelme: expected"), "{}", problem("{}"));
        assert!(problem("[1, 2]").starts_with("is no file of labelme: expected"), "{}", problem("[1, 2]"));
        assert!(problem(r#"{"shapes": [{"label": "a"#).contains("EOF"));
        assert!(problem(r#"{"shapes": []}"#).contains("imageHeight"));
        let of = |shape: &str| look(&file(shape)).and_then(|drawing| drawing.mask(&[]));
        let line = r#"{"label": "a", "points": [[1, 1], [2, 2]], "shape_type": "line"}"#;
        assert!(of(line).unwrap_err().starts_with("its shape 1 is of the type `line`"));
        let two = r#"{"label": "a", "points": [[1, 1], [2, 2]], "shape_type": "polygon"}"#;
        assert_eq!(of(two).unwrap_err(), "its shape 1 is a polygon of 2 points");
        let far = r#"{"label": "a", "points": [[1, 1], [2, 2], [1e300, 3]], "shape_type": "polygon"}"#;
        assert!(of(far).unwrap_err().contains("far beyond"));
        let three = r#"{"label": "a", "points": [[1, 1, 3]], "shape_type": "polygon"}"#;
        assert!(problem(&file(three)).contains("is no file of labelme that can be read"), "{}", problem(&file(three)));
    }
}
