//! What a lab offers that can look over a folder of one's own without a run.

use std::sync::atomic::AtomicBool;

use crate::engine::params::{ParamError, Params};

/// A lab's look at the data that parameters name. It may take long: never call it on a thread that draws.
#[derive(Debug)]
pub struct DoctorSpec {
    /// Refuses at once data that no run can have; reads names and sizes only.
    pub accept: fn(&Params) -> Result<(), ParamError>,
    /// Reads all of it.
    pub examine: ExamineFn,
    /// What the run with these parameters knows of its data already; `None`: its data is no folder.
    pub of_run: fn(&Params) -> Option<DoctorReport>,
}

/// The data, a flag that stops it once it is set, and who is told how many files of how many are done.
pub type ExamineFn = fn(&Params, &AtomicBool, &(dyn Fn(usize, usize) + Sync)) -> Result<DoctorReport, ParamError>;

/// Rows of text under headings.
pub type Table = (Vec<String>, Vec<Vec<String>>);

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DoctorReport {
    /// What is there and how it is split, one statement each.
    pub about: Vec<String>,
    /// Each part of the split beside the whole.
    pub parts: Table,
    /// Worst first.
    pub kinds: Vec<Kind>,
    /// Every finding.
    pub findings: Table,
    /// `2 errors, 1 warning, 0 notes`.
    pub summary: String,
    pub errors: usize,
}

/// Findings of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kind {
    /// `error`, `warning` or `note`.
    pub severity: &'static str,
    /// What is the matter, in a few words.
    pub label: &'static str,
    pub count: usize,
    /// The first of them, a sentence each, and what to do about them.
    pub first: Vec<String>,
    pub advice: String,
}
