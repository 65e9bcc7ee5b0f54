//! The result of a study: a table "paper | ours: median, range, mean ± std over n seeds | data". The paper's numbers are always labelled
//! as the paper's; ours say over how many runs they are taken.

use serde::Serialize;

use super::study_beside::{Filled, aligned};
use crate::compute::stats;

/// A study's table in long form: one line for each row and measure.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StudyTable {
    /// `lab/study`
    pub study: String,
    pub title: String,
    /// Where the paper's numbers come from, and the data that they were measured on.
    pub source: String,
    /// How the paper's numbers are known: printed there, read off a figure.
    pub reading: String,
    pub about: String,
    /// No seed changes the result: one run is all there is.
    pub deterministic: bool,
    pub rows: Vec<TableRow>,
    /// Its further tables.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub beside: Vec<Filled>,
}

/// One measure of one row.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TableRow {
    pub row: String,
    pub measure: String,
    pub unit: String,
    /// As printed in, or read from, the paper.
    pub paper: Option<f64>,
    /// The paper's standard deviation, where it gives one (it does not say which ddof).
    pub paper_std: Option<f64>,
    pub ours: Summary,
    /// Why a run of this row failed.
    pub problem: Option<String>,
    /// What ours was measured on.
    pub data: String,
}

/// Several runs of the same row.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Summary {
    /// Mean of the runs in which it happened.
    pub mean: Option<f64>,
    /// Standard deviation with n − 1 in the denominator (ddof = 1); `None` for fewer than two values.
    pub std: Option<f64>,
    /// Median, lowest and highest value of the runs in which it happened.
    pub median: Option<f64>,
    pub lowest: Option<f64>,
    pub highest: Option<f64>,
    /// Runs in which it happened.
    pub n: usize,
    /// Runs in which it never happened.
    pub never: usize,
}

impl Summary {
    /// `None`: it never happened in that run.
    pub fn of(values: impl Iterator<Item = Option<f64>>) -> Self {
        let all: Vec<Option<f64>> = values.collect();
        let mut found: Vec<f64> = all.iter().flatten().copied().collect();
        found.sort_by(f64::total_cmp);
        let n = found.len();
        Self {
            mean: stats::mean(&found),
            std: stats::standard_deviation(&found, 1),
            median: stats::median(&found),
            lowest: found.first().copied(),
            highest: found.last().copied(),
            n,
            never: all.len() - n,
        }
    }

    /// Median and range alone: `1.23 [1.2, 1.31]`, `never`, `1.2, never in 1 of 3`; empty before the first run.
    pub fn short(&self) -> String {
        let all = self.n + self.never;
        let mut text = match (self.median, self.lowest, self.highest) {
            (Some(median), Some(lowest), Some(highest)) if lowest < highest => {
                format!("{} [{}, {}]", digits(median), digits(lowest), digits(highest))
            }
            (Some(median), ..) => digits(median),
            _ if all > 0 => return "never".to_owned(),
            _ => return String::new(),
        };
        if self.never > 0 {
            text += &format!(", never in {} of {all}", self.never);
        }
        text
    }

    /// `1.23 [1.2, 1.31], mean 1.247 ± 0.05686 (n = 3)`, `never`, `1.2, never in 1 of 3`; empty before the first run.
    pub fn text(&self, deterministic: bool) -> String {
        let all = self.n + self.never;
        let Some(mean) = self.mean else { return if all > 0 { "never".to_owned() } else { String::new() } };
        let mut text = match (self.median, self.lowest, self.highest, self.std) {
            // Equal values have no spread to tell of.
            (Some(median), Some(lowest), Some(highest), Some(std)) if lowest < highest => {
                let [median, lowest, highest, mean, std] = [median, lowest, highest, mean, std].map(digits);
                format!("{median} [{lowest}, {highest}], mean {mean} ± {std}")
            }
            _ => digits(mean),
        };
        if !deterministic {
            text += &format!(" (n = {})", self.n);
        }
        if self.never > 0 {
            text += &format!(", never in {} of {all}", self.never);
        }
        text
    }
}

impl TableRow {
    /// The measure with its unit: `loss`, `y reaches 4 at [iterations]`.
    pub fn title(&self) -> String {
        match self.unit.as_str() {
            "" => self.measure.clone(),
            unit => format!("{} [{unit}]", self.measure),
        }
    }

    /// The paper's number, with its standard deviation where it gives one; `—` where it gives none.
    pub fn paper_text(&self) -> String {
        match (self.paper, self.paper_std) {
            (Some(mean), Some(std)) => format!("{} ± {}", digits(mean), digits(std)),
            (Some(mean), None) => digits(mean),
            _ => "—".to_owned(),
        }
    }

    /// Our number as [`Summary::text`], or why there is none.
    pub fn ours_text(&self, deterministic: bool) -> String {
        match &self.problem {
            Some(problem) if self.ours.n == 0 => format!("failed: {problem}"),
            _ => self.ours.text(deterministic),
        }
    }
}

impl StudyTable {
    /// How ours was measured, in a sentence.
    pub fn how(&self) -> &'static str {
        if self.deterministic {
            "Ours is one run of each row: it is deterministic, no seed changes it."
        } else {
            "Ours is the median [lowest, highest] and the mean ± the standard deviation (n − 1 in the denominator) over n \
             seeds."
        }
    }

    /// The largest number of a measure, the paper's or ours; 0 where there is none.
    pub fn largest(&self, measure: &str) -> f64 {
        let rows = self.rows.iter().filter(|row| row.measure == measure);
        rows.flat_map(|row| [row.paper, row.ours.highest]).flatten().fold(0.0, f64::max)
    }

    /// Comma-separated, every number with as many digits as give the same bits back.
    pub fn csv(&self) -> String {
        let number = |value: Option<f64>| value.map_or(String::new(), |value| format!("{value:?}"));
        let mut writer = csv::Writer::from_writer(Vec::new());
        let heading = [
            "row",
            "measure",
            "unit",
            "paper",
            "paper_std",
            "ours_mean",
            "ours_std_ddof1",
            "ours_median",
            "ours_lowest",
            "ours_highest",
            "n",
            "never",
            "data",
            "problem",
        ];
        // Writing to memory cannot fail.
        let _ = writer.write_record(heading);
        for row in &self.rows {
            let (n, never) = (row.ours.n.to_string(), row.ours.never.to_string());
            let (paper, mean, std) = (number(row.paper), number(row.ours.mean), number(row.ours.std));
            let [median, lowest, highest] = [row.ours.median, row.ours.lowest, row.ours.highest].map(number);
            let problem = row.problem.as_deref().unwrap_or_default();
            let _ = writer.write_record([
                &row.row,
                &row.measure,
                &row.unit,
                &paper,
                &number(row.paper_std),
                &mean,
                &std,
                &median,
                &lowest,
                &highest,
                &n,
                &never,
                &row.data,
                problem,
            ]);
        }
        writer.into_inner().ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default()
    }

    /// The table to read, with its sources and how it was measured.
    pub fn text(&self) -> String {
        let mut lines = vec![["row", "measure", "paper", "ours", "data"].map(str::to_owned).to_vec()];
        let mut last = "";
        for row in &self.rows {
            let label = if row.row == last { String::new() } else { row.row.clone() };
            last = &row.row;
            let data = if label.is_empty() { String::new() } else { row.data.clone() };
            lines.push(vec![label, row.title(), row.paper_text(), row.ours_text(self.deterministic), data]);
        }
        let mut text = format!(
            "{} ({})\n{}\n{}\nPaper: {} {}\n\n",
            self.title,
            self.study,
            self.source,
            self.about,
            self.reading,
            self.how()
        );
        text += &aligned(&lines);
        for table in &self.beside {
            text += &format!("\n{}", table.text());
        }
        text
    }
}

/// Four significant figures without trailing zeros: `243.7`, `-0.002`, `1.3e-7`.
pub(super) fn digits(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return value.to_string();
    }
    let scientific = format!("{value:.3e}");
    // What `{:e}` writes can be read back.
    let rounded: f64 = scientific.parse().unwrap_or(value);
    if (1e-3..1e5).contains(&rounded.abs()) {
        return rounded.to_string();
    }
    format!("{rounded:e}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(values: &[Option<f64>]) -> Summary {
        Summary::of(values.iter().copied())
    }

    #[test]
    fn the_spread_is_that_of_a_sample() {
        let found = summary(&[Some(1.0), Some(2.0), Some(3.0), Some(6.0)]);
        assert_eq!((found.mean, found.n, found.never), (Some(3.0), 4, 0));
        assert!((found.std.unwrap() - (14.0f64 / 3.0).sqrt()).abs() < 1e-15);
        assert_eq!(found.text(false), "2.5 [1, 6], mean 3 ± 2.16 (n = 4)");
        assert_eq!(summary(&[Some(0.25)]).text(true), "0.25");
        assert_eq!(summary(&[Some(0.25)]).text(false), "0.25 (n = 1)");
        assert_eq!(summary(&[None, None]).text(false), "never");
        assert_eq!(
            summary(&[Some(1.0), None, Some(2.0)]).text(false),
            "1.5 [1, 2], mean 1.5 ± 0.7071 (n = 2), never in 1 of 3"
        );
        assert_eq!(summary(&[Some(2.0), Some(2.0)]).text(false), "2 (n = 2)");
        let odd = summary(&[Some(3.0), Some(-1.0), Some(2.0)]);
        assert_eq!((odd.median, odd.lowest, odd.highest), (Some(2.0), Some(-1.0), Some(3.0)));
        assert_eq!(summary(&[]).text(false), "");
    }

    #[test]
    fn numbers_keep_four_figures() {
        for (value, text) in [
            (243.70001, "243.7"),
            (-0.00206, "-0.00206"),
            (1.3e-7, "1.3e-7"),
            (99_999.9, "1e5"),
            (0.0, "0"),
            (1264.0, "1264"),
        ] {
            assert_eq!(digits(value), text);
        }
    }

    #[test]
    fn the_table_labels_the_papers_numbers_and_says_how_ours_were_measured() {
        let row = |paper, values: &[Option<f64>]| TableRow {
            row: "Adam, \"fast\"".into(),
            measure: "y reaches 4 at".into(),
            unit: "iterations".into(),
            paper,
            paper_std: None,
            ours: summary(values),
            problem: None,
            data: "generated".into(),
        };
        let table = StudyTable {
            study: "lab/study".into(),
            title: "Title".into(),
            source: "Paper, Figure 3".into(),
            reading: "read off the figure.".into(),
            about: "About".into(),
            deterministic: false,
            beside: Vec::new(),
            rows: vec![row(Some(257.4), &[Some(0.1 + 0.2), Some(0.1)]), row(None, &[None])],
        };
        let text = table.text();
        assert!(text.contains("Paper, Figure 3") && text.contains("n − 1"), "{text}");
        assert!(text.contains("257.4  0.2 [0.1, 0.3], mean 0.2 ± 0.1414 (n = 2)"), "{text}");
        let csv = table.csv();
        assert!(csv.contains("\"Adam, \"\"fast\"\"\",y reaches 4 at,iterations,257.4,,0.2,"), "{csv}");
    }
}
