//! Which part of a run's data set a picture belonged to: a score of pictures that were trained on says nothing about new
//! ones.

use std::collections::HashMap;
use std::path::Path;

use super::super::source::{SPLIT_COLUMNS, content};
use crate::data::segmentation::read::Picture;
use crate::data::segmentation::split::Part;
use crate::engine::event::Payload;
use crate::kit::predict::newest_payload;

/// What a run knows of a picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Known {
    pub part: Part,
    pub class: String,
    /// Pictures of one group are not independent; `None`: an older version did not note it.
    pub group: Option<usize>,
}

/// The split of a run, by the content of its pictures: they may have moved or have other names now.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Parts {
    of: HashMap<u64, Known>,
    /// Pictures of each of [`Part::ALL`].
    counts: [usize; 3],
}

impl Parts {
    /// The split of a run, with what has joined its training since it began. The error says why it is not known.
    pub fn of_run(folder: &Path) -> Result<Self, String> {
        let unknown = |why: &str| format!("it is not known on which pictures the run was trained ({why})");
        let payload = newest_payload(folder, "data/split").map_err(|error| unknown(&error))?;
        let payload = payload.ok_or_else(|| unknown("it was recorded by a version that did not note its split"))?;
        Self::of_table(&payload).ok_or_else(|| unknown("its split cannot be read"))
    }

    fn of_table(table: &Payload) -> Option<Self> {
        let Payload::Table { columns, rows } = table else { return None };
        // Without the group: recorded by an older version.
        if *columns != SPLIT_COLUMNS && *columns != SPLIT_COLUMNS[..4] {
            return None;
        }
        let mut parts = Parts::default();
        for row in rows {
            let [_, part, class, content, group @ ..] = row.as_slice() else { return None };
            let part = Part::ALL.into_iter().find(|known| known.name() == part)?;
            parts.counts[part as usize] += 1;
            let group = group.first().and_then(|group| group.parse().ok());
            let known = Known { part, class: class.clone(), group };
            let found = parts.of.entry(u64::from_str_radix(content, 16).ok()?).or_insert(known);
            // The same picture twice: what was trained on is not new.
            found.part = found.part.min(part);
        }
        Some(parts)
    }

    /// What is known of a picture as the network was shown it; `None`: it is none of the run's.
    pub fn find(&self, picture: &Picture) -> Option<&Known> {
        self.of.get(&content(picture))
    }

    /// `train 30, validation 10, test 10`
    pub fn describe(&self) -> String {
        let counts = Part::ALL.iter().zip(self.counts).map(|(part, count)| format!("{} {count}", part.name()));
        counts.collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_known_by_its_content_and_trained_on_wins() {
        let picture = |value: u8, width: usize| Picture {
            width,
            height: 12 / width,
            rgb: vec![value; 36],
            original: (width as u32, 12 / width as u32),
            factor: 1,
        };
        let row = |name: &str, part: &str, value: u8| {
            [name, part, "benign", &format!("{:016x}", content(&picture(value, 4))), "4"].map(str::to_owned).to_vec()
        };
        let table = Payload::Table {
            columns: SPLIT_COLUMNS.map(str::to_owned).to_vec(),
            rows: vec![row("a", "test", 1), row("b", "train", 2), row("twice", "train", 1), row("c", "validation", 3)],
        };
        let parts = Parts::of_table(&table).unwrap();
        assert_eq!(parts.describe(), "train 2, validation 1, test 1");
        let found = |value: u8, width: usize| parts.find(&picture(value, width)).map(|known| known.part);
        assert_eq!(found(1, 4), Some(Part::Train));
        assert_eq!(found(3, 4), Some(Part::Validation));
        assert_eq!((found(9, 4), found(3, 3)), (None, None), "other pixels, another shape");
        assert_eq!(parts.find(&picture(3, 4)).unwrap().group, Some(4));
        let Payload::Table { mut columns, mut rows } = table else { unreachable!() };
        columns.pop();
        rows.iter_mut().for_each(|row| drop(row.pop()));
        let older = Parts::of_table(&Payload::Table { columns, rows }).unwrap();
        assert_eq!(older.find(&picture(3, 4)).unwrap().group, None, "an older version did not note it");
        let other = Payload::Table { columns: vec!["image".to_owned()], rows: Vec::new() };
        assert_eq!(Parts::of_table(&other), None);
    }
}
