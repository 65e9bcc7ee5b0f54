//! Pairs of statements with their relation, as MedNLI and RadNLI have them.

use std::collections::BTreeMap;
use std::path::Path;

use super::super::segmentation::counted;
use super::super::segmentation::names::folder_part;
use super::super::{DataError, Problem};
use super::Part;
use super::lines::{self, Lines, Shape};

/// How the second statement stands to the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Label {
    /// It follows.
    Entailment,
    /// It may be so or not.
    Neutral,
    /// It cannot be.
    Contradiction,
}

impl Label {
    pub const ALL: [Label; 3] = [Label::Entailment, Label::Neutral, Label::Contradiction];

    /// As it stands in files.
    pub fn name(self) -> &'static str {
        match self {
            Label::Entailment => "entailment",
            Label::Neutral => "neutral",
            Label::Contradiction => "contradiction",
        }
    }
}

/// A pair of statements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inference {
    /// As its file says, else `file:line`.
    pub id: String,
    pub premise: String,
    pub hypothesis: String,
    pub label: Label,
    /// That of the file's name: `mli_train_v1.jsonl`, `radnli_dev_v1.jsonl`.
    pub split: Option<Part>,
}

/// What was read of one or more files.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Statements {
    pub items: Vec<Inference>,
    pub problems: Vec<Problem>,
    pub notes: Vec<String>,
}

/// Reads one file.
///
/// # Errors
/// It cannot be read, or has no pair of statements with a known relation.
pub fn read(path: &Path) -> Result<Statements, DataError> {
    let lines = lines::read(path)?;
    let mut statements = Statements::default();
    if lines.shape == Shape::Statements {
        add(&mut statements, &lines);
    }
    if statements.items.is_empty() {
        let told = statements.notes.first().map_or_else(String::new, |note| format!(": {note}"));
        let problem = format!(
            "has no pair of statements that can be used{told}; expected in each line an object with sentence1, sentence2 and \
             gold_label (entailment, neutral or contradiction)"
        );
        return Err(DataError::file(path, problem));
    }
    Ok(statements)
}

/// Adds those of one file. What has another label, such as `-` where people did not agree, is left out and counted.
pub(super) fn add(statements: &mut Statements, file: &Lines) {
    let name = file.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let split = folder_part(&name).0;
    let (mut unknown, mut incomplete): (BTreeMap<String, usize>, Vec<usize>) = (BTreeMap::new(), Vec::new());
    statements.problems.extend(file.problem.clone());
    let before = statements.items.len();
    for line in &file.lines {
        let text = |name: &str| line.text(&[name]);
        let (Some(premise), Some(hypothesis)) = (text("sentence1"), text("sentence2")) else {
            incomplete.push(line.number);
            continue;
        };
        let label = line.text(&["goldlabel", "label"]).unwrap_or_default();
        match Label::ALL.into_iter().find(|known| label.eq_ignore_ascii_case(known.name())) {
            Some(label) => {
                let id = line.text(&["pairid", "id"]).unwrap_or_else(|| format!("{name}:{}", line.number));
                statements.items.push(Inference { id, premise, hypothesis, label, split });
            }
            None => *unknown.entry(label).or_default() += 1,
        }
    }
    let found = counted(statements.items.len() - before, "pair of statements", "pairs of statements");
    let part = split.map_or_else(String::new, |part| format!(", for {}", part.label()));
    statements.notes.push(format!("{name}: {found}{part}"));
    for (label, count) in unknown {
        let pairs = counted(count, "pair has", "pairs have");
        statements.notes.push(format!("{name}: {pairs} the label `{label}`, left out"));
    }
    if let Some(first) = incomplete.first() {
        let count = counted(incomplete.len(), "line lacks", "lines lack");
        let problem = format!("{count} sentence1 or sentence2, the first is line {first}; left out");
        statements.problems.push(Problem { path: file.path.clone(), problem });
    }
}
