//! A study is one table or figure of a paper: rows (run requests), the paper's numbers, and how ours are measured.

use super::state::RunState;

/// One table or figure of a paper.
#[derive(Debug, Clone, Copy)]
pub struct StudySpec {
    /// Name on the command line, after the lab's: `optimizers/saddle-race`.
    pub id: &'static str,
    pub title: &'static str,
    /// Which figure or table of which paper, and on what data the paper's numbers were measured.
    pub source: &'static str,
    /// What the study asks, and what is seen. Honest where our numbers differ.
    pub about: &'static str,
    /// Preset-like values shared by all rows: `key`, `value` as typed.
    pub common: &'static [(&'static str, &'static str)],
    pub rows: &'static [StudyRow],
    /// What is measured of each row's run.
    pub measures: &'static [Measure],
    /// Whether another seed gives another result (else one run per row is enough).
    pub seeded: bool,
}

/// One run of a study.
#[derive(Debug, Clone, Copy)]
pub struct StudyRow {
    pub label: &'static str,
    pub set: &'static [(&'static str, &'static str)],
    /// The paper's number for each measure, where it gives one.
    pub paper: &'static [Option<f64>],
}

/// One measured number.
#[derive(Debug, Clone, Copy)]
pub struct Measure {
    pub title: &'static str,
    pub unit: &'static str,
    /// `None`: it never happened in this run (e.g. never reached y = 4).
    pub of: fn(&RunState, &StudyRow) -> Option<f64>,
}
