//! Collects pairs: what is empty, there twice or not wanted is left out, and told once for all.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::super::folder::unique_names;
use super::super::fundus::named;
use super::super::segmentation::counted;
use super::super::{DataError, Problem};
use super::{Choice, Labels, Layout, Listing, Pair, Part, View};

/// Pairs and what is to be said of them.
pub struct Gather {
    root: PathBuf,
    layout: Layout,
    choice: Choice,
    pairs: Vec<Pair>,
    pub problems: Vec<Problem>,
    pub notes: Vec<String>,
    pub labels: Option<Labels>,
    by_image: HashMap<PathBuf, usize>,
    /// Names of what was left out or is in doubt.
    empty: Vec<String>,
    lateral: usize,
    without_view: usize,
    again: Vec<String>,
    against: Vec<String>,
    ambiguous: Vec<String>,
}

/// Whether a text says anything: a letter or a digit.
pub fn says_something(text: &str) -> bool {
    text.chars().any(char::is_alphanumeric)
}

impl Gather {
    pub fn new(root: &Path, layout: Layout, choice: Choice) -> Self {
        Self {
            root: root.to_owned(),
            layout,
            choice,
            pairs: Vec::new(),
            problems: Vec::new(),
            notes: Vec::new(),
            labels: None,
            by_image: HashMap::new(),
            empty: Vec::new(),
            lateral: 0,
            without_view: 0,
            again: Vec::new(),
            against: Vec::new(),
            ambiguous: Vec::new(),
        }
    }

    /// Says of a file that something of it is left out.
    pub fn problem(&mut self, path: &Path, problem: impl Into<String>) {
        self.problems.push(Problem { path: path.to_owned(), problem: problem.into() });
    }

    /// A report that says nothing; `name`: of the file or the row.
    pub fn empty(&mut self, name: String) {
        self.empty.push(name);
    }

    /// Several files have the name of a picture, and one of them was taken.
    pub fn ambiguous(&mut self, name: &str) {
        self.ambiguous.push(name.to_owned());
    }

    /// Takes a pair, unless it is left out. The first row of a picture counts; where a later one gives it another part, it is not
    /// trained on.
    pub fn add(&mut self, pair: Pair) -> bool {
        if self.choice.frontal_only && pair.view == Some(View::Lateral) {
            self.lateral += 1;
            return false;
        }
        if self.layout != Layout::CheXpert && !says_something(&pair.report) {
            self.empty.push(pair.id);
            return false;
        }
        if let Some(&before) = self.by_image.get(&pair.image) {
            let first = &mut self.pairs[before];
            let same = (&first.report, first.split, &first.study) == (&pair.report, pair.split, &pair.study);
            if same { &mut self.again } else { &mut self.against }.push(pair.id);
            if first.split != pair.split {
                // The part that is further from training, and not training in any case.
                first.split = first.split.max(pair.split).max(Some(Part::Validation));
            }
            return false;
        }
        self.without_view += usize::from(self.choice.frontal_only && pair.view.is_none());
        self.by_image.insert(pair.image.clone(), self.pairs.len());
        self.pairs.push(pair);
        true
    }

    fn tell(&mut self) {
        let (one, several) = match self.layout {
            Layout::OpenI | Layout::OpenITables => {
                let section = self.choice.section.name();
                (format!("report without {section} left out"), format!("reports without {section} left out"))
            }
            _ => ("row without a report left out".to_owned(), "rows without a report left out".to_owned()),
        };
        let mut told = Vec::new();
        let mut tell = |names: &[String], one: &str, several: &str| {
            if !names.is_empty() {
                let list = named(names.iter().map(String::as_str));
                told.push(format!("{}: {list}", counted(names.len(), one, several)));
            }
        };
        tell(&self.empty, &one, &several);
        tell(&self.again, "picture named again and left out", "pictures named again and left out");
        tell(
            &self.against,
            "picture named again with another report, study or part; the first counts, and where parts differ it is not trained on",
            "pictures named again with another report, study or part; the first counts, and where parts differ they are not trained on",
        );
        tell(
            &self.ambiguous,
            "picture's name is that of several files; one of them is taken",
            "pictures' names are those of several files each; one of them is taken",
        );
        self.notes.extend(told);
        if self.lateral > 0 {
            self.notes.push(format!("{} left out", counted(self.lateral, "lateral picture", "lateral pictures")));
        }
        if self.without_view > 0 {
            let count = counted(self.without_view, "picture stays", "pictures stay");
            self.notes.push(format!("{count} of which it is not known whether it is frontal"));
        }
    }

    /// What was collected.
    ///
    /// # Errors
    /// Nothing was.
    pub fn finish(mut self) -> Result<Listing, DataError> {
        self.tell();
        if self.pairs.is_empty() {
            let problems = self.problems.iter().map(|p| format!("{}: {}", p.path.display(), p.problem));
            let why: Vec<String> = self.notes.iter().cloned().chain(problems).take(4).collect();
            let problem =
                format!("is {}, and no picture with a report can be used: {}", self.layout.title(), why.join("; "));
            return Err(DataError::file(self.root, problem));
        }
        let names = unique_names(self.pairs.iter().map(|pair| pair.image.as_path()), &self.root);
        for (pair, name) in self.pairs.iter_mut().zip(names) {
            if pair.study.is_empty() {
                pair.study.clone_from(&name);
            }
            pair.id = name;
        }
        let mut studies: Vec<&str> = self.pairs.iter().map(|pair| pair.study.as_str()).collect();
        studies.sort_unstable();
        studies.dedup();
        let of = match self.layout {
            Layout::CheXpert => counted(studies.len(), "patient", "patients"),
            _ => counted(studies.len(), "study", "studies"),
        };
        let found = counted(self.pairs.len(), "picture", "pictures");
        let first = format!("{}: {}, {found} of {of}", self.root.display(), self.layout.title());
        self.notes.insert(0, first);
        Ok(Listing {
            root: self.root,
            layout: self.layout,
            pairs: self.pairs,
            problems: self.problems,
            notes: self.notes,
            boxes: Vec::new(),
            labels: self.labels,
            statements: Vec::new(),
        })
    }
}
