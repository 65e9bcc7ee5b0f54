//! The result of a sweep: for every combination of values the median and the range over seeds, and how many of them died.

use serde::Serialize;

use super::study_beside::aligned;
use super::study_table::{Summary, digits};
use super::sweep::Sweep;

/// A sweep's table, cell by cell, the last axis fastest.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SweepTable {
    pub lab: String,
    pub axes: Vec<Head>,
    pub measures: Vec<Head>,
    /// The measure that says whether a run died, by its place.
    #[serde(skip)]
    pub died: Option<usize>,
    pub cells: Vec<Cell>,
}

/// A parameter or a measure, in words.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Head {
    /// In files; of a measure its title.
    pub key: String,
    pub title: String,
    pub unit: String,
}

/// One combination of values.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cell {
    /// One for each axis, as typed.
    pub values: Vec<String>,
    pub runs: Vec<SeedRun>,
    /// One for each measure, over the seeds.
    pub measures: Vec<Summary>,
    /// Seeds that died, of those that are measured; `None` where the lab's runs do not die.
    pub died: Option<[usize; 2]>,
}

/// One seed of a cell.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SeedRun {
    pub seed: u64,
    /// One for each measure; `None`: it never happened.
    pub values: Vec<Option<f64>>,
    /// Why there are no values.
    pub failed: Option<String>,
}

/// Seed, values and failure of every run of a cell, after the cell's values.
type CellRuns = (Vec<String>, Vec<(u64, Vec<Option<f64>>, Option<String>)>);

impl SweepTable {
    pub(super) fn of(lab: &str, sweep: &Sweep, cells: Vec<CellRuns>) -> Self {
        let (measures, died) = (sweep.spec.study.measures, sweep.spec.died);
        let axis = |axis: &super::sweep::Axis| Head {
            key: axis.spec.key.to_owned(),
            title: axis.spec.label.to_owned(),
            unit: axis.spec.unit.to_owned(),
        };
        let measure = |measure: &super::study::Measure| Head {
            key: measure.title.to_owned(),
            title: measure.title.to_owned(),
            unit: measure.unit.to_owned(),
        };
        let cell = |(values, runs): CellRuns| {
            let runs: Vec<SeedRun> =
                runs.into_iter().map(|(seed, values, failed)| SeedRun { seed, values, failed }).collect();
            let of = |k: usize| {
                let made = runs.iter().filter(|run| run.failed.is_none());
                Summary::of(made.map(move |run| run.values.get(k).copied().flatten()))
            };
            let summaries: Vec<Summary> = (0..measures.len()).map(of).collect();
            let died = died.map(|k| {
                let known: Vec<f64> = runs.iter().filter_map(|run| run.values.get(k).copied().flatten()).collect();
                [known.iter().filter(|value| **value > 0.5).count(), known.len()]
            });
            Cell { values, runs, measures: summaries, died }
        };
        Self {
            lab: lab.to_owned(),
            axes: sweep.axes.iter().map(axis).collect(),
            measures: measures.iter().map(measure).collect(),
            died,
            cells: cells.into_iter().map(cell).collect(),
        }
    }

    /// The number that stands for a cell: of what dies the share, of all else the median. `None` before its first run.
    pub fn value(&self, cell: usize, measure: usize) -> Option<f64> {
        let summary = self.cells.get(cell)?.measures.get(measure)?;
        if self.died == Some(measure) { summary.mean } else { summary.median }
    }

    /// Whether a run has this number; all count before the first run.
    pub fn is_measured(&self, measure: usize) -> bool {
        let has = |cell: &Cell| cell.measures.get(measure).is_some_and(|summary| summary.n > 0);
        self.cells.iter().any(has) || self.cells.iter().all(|cell| cell.runs.is_empty())
    }

    /// What [`SweepTable::value`] is, with its unit.
    pub fn title(&self, measure: usize) -> String {
        let Some(head) = self.measures.get(measure) else { return String::new() };
        match (self.died == Some(measure), head.unit.as_str()) {
            (true, _) => "share of seeds that died".to_owned(),
            (_, "") => format!("{}, median of the seeds", head.title),
            (_, unit) => format!("{} [{unit}], median of the seeds", head.title),
        }
    }

    /// A cell in words: its values, every measure over the seeds, and each seed's number of one measure.
    pub fn spoken(&self, cell: usize, measure: usize) -> String {
        let Some(of) = self.cells.get(cell) else { return String::new() };
        let values = self.axes.iter().zip(&of.values).map(|(axis, value)| format!("{} = {value}", axis.key));
        let mut lines = vec![values.collect::<Vec<_>>().join(", ")];
        if of.runs.is_empty() {
            lines.push("not measured yet".to_owned());
        }
        lines.extend(of.died_text());
        for (k, (head, summary)) in self.measures.iter().zip(&of.measures).enumerate() {
            let text = summary.text(false);
            if self.died != Some(k) && !text.is_empty() {
                lines.push(format!("{} {text}", named(head)));
            }
        }
        for run in &of.runs {
            let value = run.values.get(measure).copied().flatten();
            let said = match (&run.failed, value) {
                (Some(problem), _) => format!("failed: {problem}"),
                (None, Some(value)) => format!("{} {}", self.measures[measure].title, digits(value)),
                (None, None) => format!("{} never", self.measures[measure].title),
            };
            lines.push(format!("seed {}: {said}", run.seed));
        }
        lines.join("\n")
    }

    /// One line a cell: its values, the seeds that are measured, failed and died, and of each measure median, lowest, highest and
    /// mean. Every number with as many digits as give the same bits back.
    pub fn csv(&self) -> String {
        let number = |value: Option<f64>| value.map_or(String::new(), |value| format!("{value:?}"));
        let mut heads: Vec<String> = self.axes.iter().map(|axis| axis.key.clone()).collect();
        heads.extend(["seeds", "failed"].map(str::to_owned));
        if self.died.is_some() {
            heads.push("died".to_owned());
        }
        for measure in &self.measures {
            heads.extend(["median", "lowest", "highest", "mean"].map(|what| format!("{}, {what}", named(measure))));
        }
        let mut writer = csv::Writer::from_writer(Vec::new());
        // Writing to memory cannot fail.
        let _ = writer.write_record(&heads);
        for cell in &self.cells {
            let failed = cell.runs.iter().filter(|run| run.failed.is_some()).count();
            let mut line = cell.values.clone();
            line.extend([(cell.runs.len() - failed).to_string(), failed.to_string()]);
            line.extend(cell.died.map(|[died, _]| died.to_string()));
            for Summary { median, lowest, highest, mean, .. } in &cell.measures {
                line.extend([median, lowest, highest, mean].map(|value| number(*value)));
            }
            let _ = writer.write_record(&line);
        }
        writer.into_inner().ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default()
    }

    /// The table to read.
    pub fn text(&self) -> String {
        let fate = self.died.is_some();
        let mut lines = vec![self.axes.iter().map(|axis| axis.key.clone()).collect::<Vec<_>>()];
        if fate {
            lines[0].push("died".to_owned());
        }
        let shown = || self.measures.iter().enumerate().filter(|(k, _)| self.died != Some(*k) && self.is_measured(*k));
        lines[0].extend(shown().map(|(_, measure)| named(measure)));
        for cell in &self.cells {
            let mut line = cell.values.clone();
            if fate {
                line.push(cell.died_text().unwrap_or_default());
            }
            line.extend(shown().map(|(k, _)| cell.text(k)));
            lines.push(line);
        }
        let names: Vec<String> = self.axes.iter().map(|axis| axis.key.clone()).collect();
        format!(
            "Sweep of {} ({})\nMedian [lowest, highest] of the seeds.\n\n{}",
            names.join(" × "),
            self.lab,
            aligned(&lines)
        )
    }
}

impl Cell {
    /// `2 of 5 seeds died`; `None` where none is measured, or runs do not die.
    pub fn died_text(&self) -> Option<String> {
        let [died, of] = self.died.filter(|[_, of]| *of > 0)?;
        Some(format!("{died} of {of} {} died", if of == 1 { "seed" } else { "seeds" }))
    }

    /// A measure over the seeds, or why there is none.
    pub fn text(&self, measure: usize) -> String {
        let summary = self.measures.get(measure).copied().unwrap_or_default();
        match self.runs.iter().find_map(|run| run.failed.as_ref()) {
            Some(problem) if summary.n == 0 => format!("failed: {problem}"),
            _ => summary.short(),
        }
    }
}

/// `kNN [%]`.
fn named(head: &Head) -> String {
    match head.unit.as_str() {
        "" => head.title.clone(),
        unit => format!("{} [{unit}]", head.title),
    }
}
