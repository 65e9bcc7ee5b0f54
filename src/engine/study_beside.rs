//! What a study tells beside its table "paper | ours": tables of all its finished runs, such as comparisons of two of them, or
//! what the better ones share.

use std::fmt;

use serde::Serialize;

use super::state::RunState;
use super::study_store::Sample;

/// The further tables of a study.
#[derive(Debug, Clone, Copy)]
pub struct Beside {
    /// What they need of a finished run that is no measure, some kilobytes at most, to be stored with its numbers. The run
    /// has its newest pictures and lists.
    pub keep: Option<fn(&RunState) -> String>,
    pub tables: &'static [SideTable],
}

/// One further table.
#[derive(Clone, Copy)]
pub struct SideTable {
    pub title: &'static str,
    /// How to read it, and what it does not say.
    pub about: &'static str,
    pub heads: &'static [&'static str],
    /// Its lines, of the runs that are measured so far, in order of rows and seeds; as many cells each as there are heads.
    pub lines: fn(&[Measured<'_>]) -> Vec<Vec<String>>,
}

impl fmt::Debug for SideTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SideTable").field("title", &self.title).finish_non_exhaustive()
    }
}

/// A finished run of a study.
#[derive(Debug, Clone, Copy)]
pub struct Measured<'a> {
    /// Label of its row.
    pub label: &'static str,
    pub sample: &'a Sample,
}

/// A further table, filled.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Filled {
    pub title: &'static str,
    pub about: &'static str,
    pub heads: &'static [&'static str],
    pub lines: Vec<Vec<String>>,
}

impl Beside {
    /// Its tables of these runs; those without a line are left out.
    pub fn fill(&self, runs: &[Measured<'_>]) -> Vec<Filled> {
        let of = |table: &SideTable| {
            let SideTable { title, about, heads, lines } = *table;
            Filled { title, about, heads, lines: lines(runs) }
        };
        self.tables.iter().map(of).filter(|table| !table.lines.is_empty()).collect()
    }
}

impl Filled {
    /// The table to read.
    pub fn text(&self) -> String {
        let heads = self.heads.iter().map(|head| (*head).to_owned()).collect();
        let lines: Vec<Vec<String>> = std::iter::once(heads).chain(self.lines.iter().cloned()).collect();
        format!("{}\n{}\n\n{}", self.title, self.about, aligned(&lines))
    }
}

/// Cells in columns, a line each.
pub(super) fn aligned(lines: &[Vec<String>]) -> String {
    let columns = lines.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| lines.iter().filter_map(|line| line.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let mut text = String::new();
    for line in lines {
        let cells: Vec<String> = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        text += cells.join("  ").trim_end();
        text.push('\n');
    }
    text
}
