//! What each picture of a run's data is for, and how it is known again: a good answer about a picture that was trained on says nothing
//! about new ones.

use std::collections::HashMap;
use std::path::Path;

use crate::data::fnv_1a;
use crate::engine::event::Payload;
use crate::kit::predict::first_payload;

use super::source::FundusData;

/// What a picture is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// To train on, with its grade.
    Train,
    /// To train on without one.
    Unlabelled,
    Validation,
    Test,
    /// Of the hospital that is in no training set.
    Unseen,
}

impl Role {
    pub const ALL: [Self; 5] = [Self::Train, Self::Unlabelled, Self::Validation, Self::Test, Self::Unseen];

    /// Its name in tables and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Unlabelled => "unlabelled",
            Self::Validation => "validation",
            Self::Test => "test",
            Self::Unseen => "unseen",
        }
    }

    /// In words of which a picture is the subject.
    pub fn told(self) -> &'static str {
        match self {
            Self::Train => "the run trained on it",
            Self::Unlabelled => "it is one of the run's pictures without grades",
            Self::Validation => "the run validated on it",
            Self::Test => "the run tested on it",
            Self::Unseen => "it is of the run's unseen hospital",
        }
    }
}

const COLUMNS: [&str; 3] = ["image", "part", "content"];

/// What a picture is known by, wherever its file lies: a hash of the pixels that a network is shown. `planes`: `[3, S, S]`.
fn content(planes: &[u8]) -> u64 {
    fnv_1a(planes)
}

/// Every picture of a run with what it is for.
pub fn table(data: &FundusData) -> Payload {
    let lists = [&data.labelled, &data.unlabelled, &data.validation, &data.test, &data.unseen];
    let row = |role: Role, i: usize| {
        let picture = &data.pictures[i];
        vec![picture.name.clone(), role.name().to_owned(), format!("{:016x}", content(&picture.planes))]
    };
    let rows = Role::ALL.into_iter().zip(lists).flat_map(|(role, of)| of.iter().map(move |&i| row(role, i)));
    Payload::Table { columns: COLUMNS.map(str::to_owned).to_vec(), rows: rows.collect() }
}

/// The pictures of a run, by their content: they may have moved or have other names now.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Parts {
    of: HashMap<u64, Role>,
    /// Pictures of each of [`Role::ALL`].
    counts: [usize; 5],
}

impl Parts {
    /// Those that a run has recorded at its beginning. The error says why they are not known.
    pub fn of_run(folder: &Path) -> Result<Self, String> {
        let table = first_payload(folder, "data/split")
            .and_then(|table| table.ok_or_else(|| "it was recorded by a version that did not note them".to_owned()));
        let parts =
            table.and_then(|table| Self::of_table(&table).ok_or_else(|| "their list cannot be read".to_owned()));
        parts.map_err(|why| format!("it is not known on which photographs the run was trained ({why})"))
    }

    fn of_table(table: &Payload) -> Option<Self> {
        let Payload::Table { columns, rows } = table else { return None };
        if *columns != COLUMNS {
            return None;
        }
        let mut parts = Self::default();
        for row in rows {
            let [_, part, content] = row.as_slice() else { return None };
            let role = Role::ALL.into_iter().find(|role| role.name() == part)?;
            parts.counts[role as usize] += 1;
            let known = parts.of.entry(u64::from_str_radix(content, 16).ok()?).or_insert(role);
            // The same picture twice: what was trained on is not new.
            *known = role.min(*known);
        }
        Some(parts)
    }

    /// What a picture was for, `[3, S, S]` as the network is shown it; `None`: it is none of the run's.
    pub fn find(&self, planes: &[u8]) -> Option<Role> {
        self.of.get(&content(planes)).copied()
    }

    /// `train 60, unlabelled 400, validation 60, test 200, unseen 60`
    pub fn describe(&self) -> String {
        let counts = Role::ALL.iter().zip(self.counts).filter(|(_, count)| *count > 0);
        counts.map(|(role, count)| format!("{} {count}", role.name())).collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::super::source::Picture;
    use super::*;

    #[test]
    fn a_picture_is_known_by_its_content_and_trained_on_wins() {
        let picture = |name: &str, level: u8| Picture {
            name: name.to_owned(),
            hospital: 0,
            grade: None,
            planes: vec![level; 12],
            lesions: Vec::new(),
        };
        let pictures = [picture("a", 1), picture("b", 2), picture("again", 1), picture("c", 3)];
        let data = FundusData {
            pictures: pictures.to_vec().into(),
            labelled: vec![2],
            unlabelled: vec![1],
            test: vec![0],
            unseen: vec![3],
            ..FundusData::default()
        };
        let parts = Parts::of_table(&table(&data)).unwrap();
        assert_eq!(parts.describe(), "train 1, unlabelled 1, test 1, unseen 1");
        let found = |level: u8, size: usize| parts.find(&vec![level; size]);
        assert_eq!(
            [1, 2, 3].map(|level| found(level, 12)),
            [Some(Role::Train), Some(Role::Unlabelled), Some(Role::Unseen)]
        );
        assert_eq!((found(9, 12), found(3, 27)), (None, None), "other pixels, another size");
        let other = Payload::Table { columns: vec!["image".to_owned()], rows: Vec::new() };
        assert_eq!(Parts::of_table(&other), None);
    }
}
