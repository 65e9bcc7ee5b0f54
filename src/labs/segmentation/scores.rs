//! The table of single images as numbers: sorted, filtered, counted into bins.

use crate::compute::stats::{Summary, median};
use crate::engine::state::RunState;
use crate::pixels::spacing::Unit;

/// What distances of a run are in: only one that knows the size of a pixel records it.
pub fn unit(run: &RunState) -> Unit {
    if run.scalars.contains_key("pixel_area") { Unit::Millimetres } else { Unit::Pixels }
}

/// A measured column of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    Dice,
    PlainDice,
    Iou,
    Hd95,
    Hd,
    Assd,
}

impl Measure {
    pub const ALL: [Self; 6] = [Self::Dice, Self::PlainDice, Self::Iou, Self::Hd95, Self::Hd, Self::Assd];

    /// The column's name in the recorded table.
    pub fn column(self) -> &'static str {
        match self {
            Self::Dice => "Dice",
            Self::PlainDice => "Dice at network size",
            Self::Iou => "IoU",
            Self::Hd95 => "HD95",
            Self::Hd => "HD",
            Self::Assd => "ASSD pooled",
        }
    }

    /// As it is typed.
    pub fn key(self) -> &'static str {
        match self {
            Self::Dice => "dice",
            Self::PlainDice => "dice-at-network-size",
            Self::Iou => "iou",
            Self::Hd95 => "hd95",
            Self::Hd => "hd",
            Self::Assd => "assd",
        }
    }

    /// For a narrow heading.
    pub fn short(self) -> &'static str {
        match self {
            Self::PlainDice => "at S×S",
            Self::Assd => "ASSD",
            other => other.column(),
        }
    }

    /// Whether a larger value is better.
    pub fn rises(self) -> bool {
        matches!(self, Self::Dice | Self::PlainDice | Self::Iou)
    }

    /// What the column holds, for tooltips.
    pub fn help(self) -> &'static str {
        match self {
            Self::Dice => "2 TP / (2 TP + FP + FN) at the original size after post-processing; both masks empty: 1",
            Self::PlainDice => "Dice at the network's size, probability > 0.5, nothing post-processed",
            Self::Iou => "TP / (TP + FP + FN) at the original size; undefined where both masks are empty",
            Self::Hd95 => {
                "95th percentile of the distances between the borders in pixels of the original image, or mm where a pixel has a size"
            }
            Self::Hd => "Hausdorff distance: the largest distance between the borders, in pixels or mm",
            Self::Assd => {
                "mean distance between the borders over the border pixels of both masks pooled (medpy 0.5, MONAI's symmetric), in pixels or mm"
            }
        }
    }

    /// The column's name where distances are in millimetres.
    fn column_mm(self) -> String {
        if self.rises() { self.column().to_owned() } else { format!("{} mm", self.column()) }
    }

    /// The column's name with its unit, if it has one.
    pub fn with_unit(self, unit: Unit) -> String {
        if unit == Unit::Millimetres { self.column_mm() } else { self.column().to_owned() }
    }

    /// For a narrow heading, with the unit where it is not pixels.
    pub fn heading(self, unit: Unit) -> String {
        if self.rises() || unit == Unit::Pixels { self.short().to_owned() } else { format!("{} mm", self.short()) }
    }

    /// A value as text, of the same width for every image; the em dash where it is undefined.
    pub fn text(self, value: Option<f64>, unit: Unit) -> String {
        match value {
            Some(value) if self.rises() => format!("{value:.3}"),
            Some(value) if unit == Unit::Millimetres => format!("{value:.2}"),
            Some(value) => format!("{value:.1}"),
            None => "—".to_owned(),
        }
    }
}

/// One image.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    pub image: String,
    pub class: String,
    /// In the order of [`Measure::ALL`].
    values: [Option<f64>; 6],
    /// Of the truth and of the prediction, as recorded: pixels or mm².
    pub areas: String,
    /// What its distances are in.
    pub unit: Unit,
}

impl Row {
    pub fn value(&self, measure: Measure) -> Option<f64> {
        self.values[Measure::ALL.iter().position(|other| *other == measure)?]
    }

    /// Whether the truth and the prediction are empty; what is not known is not.
    pub fn empty(&self) -> [bool; 2] {
        let mut pixels = self.areas.split('/').map(|part| part.trim().parse() == Ok(0.0_f64));
        [pixels.next().unwrap_or(false), pixels.next().unwrap_or(false)]
    }
}

/// Reads the recorded table; columns are found by name, and what is no number is undefined.
pub fn read(columns: &[String], rows: &[Vec<String>]) -> Vec<Row> {
    let place = |name: &str| columns.iter().position(|column| column == name);
    let Some(image) = place("image") else { return Vec::new() };
    let millimetres = Measure::ALL.iter().any(|measure| !measure.rises() && place(&measure.column_mm()).is_some());
    let unit = if millimetres { Unit::Millimetres } else { Unit::Pixels };
    let (class, areas) = (place("class"), place("area / predicted").or(place("area / predicted mm²")));
    let measures = Measure::ALL.map(|measure| place(&measure.with_unit(unit)));
    let text = |row: &[String], at: Option<usize>| at.and_then(|at| row.get(at)).cloned().unwrap_or_default();
    rows.iter()
        .map(|row| Row {
            image: text(row, Some(image)),
            class: text(row, class),
            values: measures.map(|at| text(row, at).parse().ok().filter(|value: &f64| value.is_finite())),
            areas: text(row, areas),
            unit,
        })
        .collect()
}

/// Names of the classes, each once, in the order of the alphabet.
pub fn classes(rows: &[Row]) -> Vec<String> {
    let mut names: Vec<String> = rows.iter().map(|row| row.class.clone()).filter(|class| !class.is_empty()).collect();
    names.sort();
    names.dedup();
    names
}

/// Indices of the rows of a class (`None`: of all), worst first, or best first with `reversed`. Undefined values stand at
/// the end either way; ties keep the order of the table.
pub fn ranked(rows: &[Row], by: Measure, reversed: bool, class: Option<&str>) -> Vec<usize> {
    let mut order: Vec<usize> = (0..rows.len()).filter(|&i| class.is_none_or(|class| rows[i].class == class)).collect();
    let ascending = by.rises() != reversed;
    order.sort_by(|&a, &b| match (rows[a].value(by), rows[b].value(by)) {
        (Some(a), Some(b)) if ascending => a.total_cmp(&b),
        (Some(a), Some(b)) => b.total_cmp(&a),
        (a, b) => b.is_some().cmp(&a.is_some()),
    });
    order
}

/// How the values of some images lie.
#[derive(Debug, Clone, PartialEq)]
pub struct Distribution {
    /// Images in `bins` equal parts of [0, 1]; 1 itself belongs to the last.
    pub bins: Vec<usize>,
    pub summary: Summary,
    pub median: Option<f64>,
}

/// Counts values in [0, 1] into bins. Undefined ones are in the summary's count and in no bin.
pub fn distribution(values: impl Iterator<Item = Option<f64>> + Clone, bins: usize) -> Distribution {
    let bins = bins.max(1);
    let mut counts = vec![0; bins];
    let mut defined: Vec<f64> = values.clone().flatten().filter(|value| value.is_finite()).collect();
    for value in &defined {
        counts[bin_of(*value, bins)] += 1;
    }
    defined.sort_by(f64::total_cmp);
    Distribution { bins: counts, summary: Summary::of(values), median: median(&defined) }
}

/// The bin that a value in [0, 1] belongs to.
pub fn bin_of(value: f64, bins: usize) -> usize {
    // A hair above the border: 0.3 belongs to the bin that starts at 0.3.
    (((value * bins as f64) + 1e-9).floor().max(0.0) as usize).min(bins - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Vec<Row> {
        let columns = ["image", "class", "Dice at network size", "Dice", "IoU", "HD95", "area / predicted"];
        let rows = [
            ["a", "benign", "0.8", "0.90", "0.8", "4.00", "10 / 12"],
            ["b", "malignant", "0.1", "0.00", "0", "", "10 / 0"],
            ["c", "benign", "0.7", "0.75", "0.6", "9.50", "10 / 14"],
            ["d", "normal", "1.0", "1.0000", "", "", "0 / 0"],
        ];
        let owned = |cells: &[&str]| cells.iter().map(|cell| (*cell).to_owned()).collect::<Vec<String>>();
        read(&owned(&columns), &rows.iter().map(|row| owned(row)).collect::<Vec<_>>())
    }

    fn names(rows: &[Row], order: &[usize]) -> String {
        order.iter().map(|&i| rows[i].image.as_str()).collect()
    }

    #[test]
    fn the_worst_image_is_first_and_undefined_ones_are_last() {
        let rows = table();
        assert_eq!(names(&rows, &ranked(&rows, Measure::Dice, false, None)), "bcad");
        assert_eq!(names(&rows, &ranked(&rows, Measure::Dice, true, None)), "dacb");
        assert_eq!(names(&rows, &ranked(&rows, Measure::Hd95, false, None)), "cabd", "a large distance is bad");
        assert_eq!(names(&rows, &ranked(&rows, Measure::Hd95, true, None)), "acbd");
        assert_eq!(names(&rows, &ranked(&rows, Measure::Dice, false, Some("benign"))), "ca");
        assert_eq!(names(&rows, &ranked(&rows, Measure::Assd, false, None)), "abcd", "a missing column is undefined");
        assert_eq!(classes(&rows), ["benign", "malignant", "normal"]);
    }

    #[test]
    fn undefined_values_are_told_and_have_no_width_of_their_own() {
        let rows = table();
        assert_eq!(rows[1].value(Measure::Hd95), None);
        assert_eq!([0, 1, 3].map(|i| rows[i].empty()), [[false, false], [false, true], [true, true]]);
        assert_eq!(Measure::Hd95.text(rows[1].value(Measure::Hd95), rows[1].unit), "—");
        assert_eq!(Measure::Dice.text(rows[0].value(Measure::Dice), rows[0].unit), "0.900");
        assert!(read(&["name".to_owned()], &[vec!["x".to_owned()]]).is_empty(), "no column of images, no rows");
        assert_eq!(read(&["image".to_owned(), "Dice".to_owned()], &[vec![]])[0].value(Measure::Dice), None);
    }

    #[test]
    fn a_table_in_millimetres_is_known_by_its_heads() {
        let columns = ["image", "Dice", "HD95 mm", "area / predicted mm²"].map(str::to_owned);
        let rows = read(&columns, &[["a", "0.9", "1.25", "0.00 / 3.10"].map(str::to_owned).to_vec()]);
        assert_eq!((rows[0].unit, rows[0].value(Measure::Hd95)), (Unit::Millimetres, Some(1.25)));
        assert_eq!((rows[0].empty(), Measure::Hd95.heading(rows[0].unit)), ([true, false], "HD95 mm".to_owned()));
        assert_eq!(Measure::Hd95.text(rows[0].value(Measure::Hd95), rows[0].unit), "1.25");
        assert_eq!(table()[0].unit, Unit::Pixels);
    }

    #[test]
    fn a_histogram_counts_every_defined_value_once() {
        let values = [Some(0.0), Some(0.3), Some(0.95), Some(1.0), None, Some(f64::NAN)];
        let found = distribution(values.into_iter(), 10);
        assert_eq!(found.bins, [1, 0, 0, 1, 0, 0, 0, 0, 0, 2]);
        assert_eq!((found.summary.count, found.summary.undefined), (4, 2));
        assert_eq!(found.median, Some((0.3 + 0.95) / 2.0));
        assert_eq!(distribution([Some(0.2), Some(0.9), Some(0.4)].into_iter(), 4).median, Some(0.4));
        let none = distribution(std::iter::empty(), 0);
        assert_eq!((none.bins.len(), none.median), (1, None));
        assert_eq!([0.1, 0.2, 0.3, 0.7, 1.0, -0.1].map(|v| bin_of(v, 10)), [1, 2, 3, 7, 9, 0]);
    }
}
