//! The table of a sweep as it is shown, put into words once.

use std::sync::Arc;

use crate::engine::sweep_table::SweepTable;

/// The words of a table.
#[derive(Debug, Default)]
pub struct Lines {
    of: Option<Arc<SweepTable>>,
    /// What each measure is called above the map, by its place; those without a number are left out.
    pub titles: Vec<(usize, String)>,
    pub heads: Vec<String>,
    /// By cell.
    pub rows: Vec<Line>,
}

/// One cell of the sweep.
#[derive(Debug)]
pub struct Line {
    /// One for each axis.
    pub values: Vec<String>,
    /// How many seeds died; `None` where runs do not die.
    pub died: Option<String>,
    /// One for each measure that has a column; empty before the first run.
    pub measures: Vec<String>,
}

impl Lines {
    /// Turns to this table, unless it is the one so far.
    pub fn turn_to(&mut self, table: &Arc<SweepTable>) {
        if self.of.as_ref().is_some_and(|of| Arc::ptr_eq(of, table)) {
            return;
        }
        let measured: Vec<usize> = (0..table.measures.len()).filter(|k| table.is_measured(*k)).collect();
        // That a run died has a column of its own.
        let shown: Vec<usize> = measured.iter().copied().filter(|k| table.died != Some(*k)).collect();
        let with_unit = |k: &usize| match &table.measures[*k] {
            measure if measure.unit.is_empty() => measure.title.clone(),
            measure => format!("{} [{}]", measure.title, measure.unit),
        };
        let mut heads: Vec<String> = table.axes.iter().map(|axis| axis.title.clone()).collect();
        heads.extend(table.died.map(|_| "died".to_owned()));
        heads.extend(shown.iter().map(with_unit));
        let rows = table.cells.iter().map(|cell| Line {
            values: cell.values.clone(),
            died: table.died.map(|_| cell.died_text().unwrap_or_default()),
            measures: shown.iter().map(|k| cell.text(*k)).collect(),
        });
        let rows = rows.collect();
        let titles = measured.into_iter().map(|k| (k, table.title(k))).collect();
        *self = Self { of: Some(table.clone()), titles, heads, rows };
    }
}
