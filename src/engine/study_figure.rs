//! The figure of an article as a study draws it: curves of its rows from their recordings, and the article's readings as
//! marks. Plain data; `plot::curve` draws it.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use super::export::{Sheet, number};
use super::replay;
use super::state::RunState;
use super::study::{StudyRow, StudyRun};
use serde_json::json;

/// A figure of several panels.
#[derive(Debug, Clone, Copy)]
pub struct Figure {
    pub panels: &'static [Panel],
    /// Pictures of every row, where the article shows some.
    pub gallery: Option<Gallery>,
    /// Every row as a line across its parameters.
    pub parallel: Option<Parallel>,
}

impl Figure {
    /// A figure without anything in it yet.
    pub const EMPTY: Self = Self { panels: &[], gallery: None, parallel: None };
}

/// Parallel coordinates: an axis for each parameter that the rows set, then one of a measure, which gives the colour. They are
/// drawn from what is measured and need no recording.
#[derive(Debug, Clone, Copy)]
pub struct Parallel {
    pub title: &'static str,
    /// Keys of the parameters.
    pub keys: &'static [&'static str],
    /// Index of the measure.
    pub measure: usize,
}

/// Pictures that runs have made: a line for each row, a column for each picture.
#[derive(Clone, Copy)]
pub struct Gallery {
    /// What they are, and what is drawn in them.
    pub title: &'static str,
    pub columns: usize,
    /// Picture `column` of a run; `None` where it was not recorded.
    pub picture: fn(&RunState, usize) -> Option<Picture>,
}

impl fmt::Debug for Gallery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gallery").field("title", &self.title).finish_non_exhaustive()
    }
}

/// Three bytes a pixel, row by row.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    pub width: usize,
    pub height: usize,
    pub rgb: Vec<u8>,
}

/// A picture of one run in the gallery.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    /// Index of the study's row.
    pub row: usize,
    pub seed: u64,
    pub column: usize,
    pub picture: Arc<Picture>,
}

/// One plot.
#[derive(Clone, Copy)]
pub struct Panel {
    pub title: &'static str,
    /// Titles of the axes, with units.
    pub x: &'static str,
    pub y: &'static str,
    /// The y axis is logarithmic.
    pub log: bool,
    /// What is shown of the plane, where the article shows a part of it: `[x, y]`, each from and to.
    pub window: Option<[[f64; 2]; 2]>,
    /// Several seeds of a row are drawn as their mean within the band from the lowest to the highest, at every x that all of them
    /// have.
    pub band: bool,
    /// Which rows are drawn.
    pub shows: fn(&StudyRow) -> bool,
    /// The curve of a run, points (x, y) in order of steps.
    pub curve: fn(&RunState) -> Vec<[f64; 2]>,
    /// What the article's own curve of a row was read to be.
    pub marks: fn(&StudyRow) -> Vec<Mark>,
}

impl fmt::Debug for Panel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Panel").field("title", &self.title).finish_non_exhaustive()
    }
}

/// A reading of the article.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Mark {
    Point(f64, f64),
    /// Only x is known, e.g. the leftmost position.
    X(f64),
    /// Only y is known.
    Y(f64),
    /// y where the curve begins.
    Start(f64),
    /// y where the curve ends.
    End(f64),
}

/// The curve of one run in one panel.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// Index in [`Figure::panels`].
    pub panel: usize,
    /// Index of the study's row.
    pub row: usize,
    pub seed: u64,
    pub points: Vec<[f64; 2]>,
}

/// Several seeds of a row in one panel.
#[derive(Debug, Clone, PartialEq)]
pub struct Band {
    /// As in [`Curve`].
    pub panel: usize,
    pub row: usize,
    pub seeds: usize,
    /// x, lowest, mean and highest.
    pub points: Vec<[f64; 4]>,
}

/// What of a figure is there to draw.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Drawing {
    pub curves: Vec<Curve>,
    /// Where a panel asks for them and a row has several seeds; these curves are not drawn themselves.
    pub bands: Vec<Band>,
    /// Of the first seed of each row.
    pub pictures: Vec<Shown>,
    /// Measured runs without a recording: an older version measured them, or their folder is gone.
    pub missing: usize,
}

impl Drawing {
    pub fn is_empty(&self) -> bool {
        self.curves.is_empty() && self.pictures.is_empty()
    }

    /// Finds the bands of its curves.
    pub fn find_bands(&mut self, study: &StudyRun) {
        self.bands.clear();
        let panels = study.spec.figure.map_or(&[][..], |figure| figure.panels);
        for panel in (0..panels.len()).filter(|panel| panels[*panel].band) {
            for row in 0..study.spec.rows.len() {
                let of_row: Vec<&Curve> = self.curves.iter().filter(|c| (c.panel, c.row) == (panel, row)).collect();
                if let Some(points) = spread(&of_row) {
                    self.bands.push(Band { panel, row, seeds: of_row.len(), points });
                }
            }
        }
    }
}

/// Most points of a curve; a longer one is drawn with every second, third, .. of its points.
const POINTS: usize = 4_000;

/// The curves of all measured runs, from their recordings in the study's `folder`. Takes a while.
pub fn draw(study: &StudyRun, folder: &Path) -> Drawing {
    let mut drawing = Drawing::default();
    let Some(figure) = study.spec.figure.filter(|figure| !figure.panels.is_empty() || figure.gallery.is_some()) else {
        return drawing;
    };
    for (task, run) in study.recordings(folder) {
        let row = &study.spec.rows[task.row];
        let Some(state) = run.and_then(|run| replay::replay(&run).ok()) else {
            drawing.missing += 1;
            continue;
        };
        for (panel, spec) in figure.panels.iter().enumerate().filter(|(_, spec)| (spec.shows)(row)) {
            let all = (spec.curve)(&state);
            let every = all.len() / POINTS + 1;
            // The last point always, since marks stand there.
            let last = all.last().copied().filter(|_| (all.len() - 1) % every != 0);
            let points = all.iter().step_by(every).copied().chain(last).collect();
            drawing.curves.push(Curve { panel, row: task.row, seed: task.seed, points });
        }
        let (row, seed) = (task.row, task.seed);
        let first = !drawing.pictures.iter().any(|shown| shown.row == row);
        if let Some(gallery) = figure.gallery.filter(|_| first) {
            let made = (0..gallery.columns).filter_map(|column| Some((column, (gallery.picture)(&state, column)?)));
            drawing.pictures.extend(made.map(|(column, picture)| Shown {
                row,
                seed,
                column,
                picture: Arc::new(picture),
            }));
        }
    }
    drawing.find_bands(study);
    drawing
}

/// Lowest, mean and highest of several curves at every x that all of them have. `None` for fewer than two curves, and where they
/// have no x in common.
fn spread(curves: &[&Curve]) -> Option<Vec<[f64; 4]>> {
    let (first, others) = curves.split_first()?;
    let at = |curve: &Curve, x: f64| {
        let found = curve.points.binary_search_by(|point| point[0].total_cmp(&x)).ok()?;
        Some(curve.points[found][1])
    };
    let of = |&[x, y]: &[f64; 2]| {
        let values: Vec<f64> =
            std::iter::once(Some(y)).chain(others.iter().map(|other| at(other, x))).collect::<Option<_>>()?;
        let (low, high) = values.iter().fold((y, y), |(low, high), value| (low.min(*value), high.max(*value)));
        Some([x, low, values.iter().sum::<f64>() / values.len() as f64, high])
    };
    let points: Vec<[f64; 4]> = first.points.iter().filter_map(of).collect();
    (!others.is_empty() && !points.is_empty()).then_some(points)
}

/// The numbers of a figure in long form: ours, and the article's readings. One without curves has none.
pub fn csv(study: &StudyRun, drawing: &Drawing) -> Result<Vec<u8>, String> {
    if study.spec.figure.is_some_and(|figure| figure.panels.is_empty()) {
        return Err(format!(
            "the figure of `{}` has no curves and has no numbers of its own; save it as .png",
            study.spec.id
        ));
    }
    let mut sheet = Sheet::new(&["panel", "row", "whose", "seed", "x", "y"]);
    for (index, panel) in study.spec.figure.iter().flat_map(|figure| figure.panels).enumerate() {
        for row in study.spec.rows.iter().filter(|row| (panel.shows)(row)) {
            for mark in (panel.marks)(row) {
                let (what, [x, y]) = match mark {
                    Mark::Point(x, y) => ("paper", [number(x), number(y)]),
                    Mark::X(x) => ("paper", [number(x), json!("")]),
                    Mark::Y(y) => ("paper", [json!(""), number(y)]),
                    Mark::Start(y) => ("paper, at the start", [json!(""), number(y)]),
                    Mark::End(y) => ("paper, at the end", [json!(""), number(y)]),
                };
                sheet.rows.push(vec![json!(panel.title), json!(row.label), json!(what), json!(""), x, y]);
            }
        }
        for curve in drawing.curves.iter().filter(|curve| curve.panel == index) {
            let label = study.spec.rows[curve.row].label;
            sheet.rows.extend(curve.points.iter().map(|[x, y]| {
                vec![json!(panel.title), json!(label), json!("ours"), json!(curve.seed), number(*x), number(*y)]
            }));
        }
    }
    sheet.csv(&json!({ "study": study.spec.id, "source": study.spec.source, "paper": study.spec.reading }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_band_is_where_all_seeds_were_measured() {
        let curve = |seed, points: &[[f64; 2]]| Curve { panel: 0, row: 0, seed, points: points.to_vec() };
        let (a, b) = (curve(1, &[[0.0, 1.0], [2.0, 3.0], [4.0, 9.0]]), curve(2, &[[0.0, 2.0], [4.0, 5.0], [6.0, 0.0]]));
        assert_eq!(spread(&[&a, &b]), Some(vec![[0.0, 1.0, 1.5, 2.0], [4.0, 5.0, 7.0, 9.0]]));
        assert_eq!((spread(&[&a]), spread(&[])), (None, None));
        assert_eq!(spread(&[&a, &curve(3, &[[1.0, 1.0]])]), None, "no x in common");
    }
}
