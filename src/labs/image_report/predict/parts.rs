//! Whether a run was trained on an image: what is said of such a one says nothing about new ones.

use std::collections::HashMap;
use std::path::Path;

use crate::engine::event::{Body, Payload};
use crate::engine::recording::RunReader;

/// Which part of the run's data an image was in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    Train,
    Test,
    /// It was in none: the run has not seen it.
    None,
}

impl Part {
    pub const ALL: [Part; 3] = [Part::Train, Part::Test, Part::None];

    /// In files and on the command line.
    pub fn id(self) -> &'static str {
        match self {
            Part::Train => "train",
            Part::Test => "test",
            Part::None => "none",
        }
    }
}

/// The parts of a run's images by the hash of their pixels as the network sees them: they may have moved or have other names now.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Parts {
    of: HashMap<u32, Part>,
}

impl Parts {
    /// What a run has recorded at its beginning. The error says why it is not known.
    pub fn of_run(folder: &Path) -> Result<Self, String> {
        let unknown = |why: &str| format!("it is not known on which images the run was trained ({why})");
        let mut reader = RunReader::open(folder).map_err(|error| unknown(&error.to_string()))?;
        let found = {
            let mut events = reader.events().map_err(|error| unknown(&error.to_string()))?;
            events.find_map(|event| match event.body {
                Body::Recorded { key, offset, bytes } if &*key == "data/split" => Some((offset, bytes)),
                _ => None,
            })
        };
        let (offset, bytes) = found.ok_or_else(|| unknown("it has recorded no split"))?;
        let payload = reader.payload_at(offset, bytes).map_err(|error| unknown(&error.to_string()))?;
        let Payload::Text(lines) = &*payload else { return Err(unknown("its split cannot be read")) };
        Self::of_lines(lines).ok_or_else(|| unknown("its split cannot be read"))
    }

    /// Lines of name, part and hash.
    fn of_lines(lines: &str) -> Option<Self> {
        let mut parts = Self::default();
        for line in lines.lines() {
            let mut cells = line.rsplit('\t');
            let hash = u32::from_str_radix(cells.next()?, 16).ok()?;
            let id = cells.next()?;
            let part = Part::ALL.into_iter().find(|part| part.id() == id)?;
            let known = parts.of.entry(hash).or_insert(part);
            // The same image twice: what was trained on is not new.
            *known = (*known).min(part);
        }
        Some(parts)
    }

    /// Of an image as the network sees it.
    pub fn find(&self, image: &[u8]) -> Part {
        self.of.get(&crc32fast::hash(image)).copied().unwrap_or(Part::None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_known_by_its_pixels_and_trained_on_wins() {
        let hash = |image: &[u8]| format!("{:08x}", crc32fast::hash(image));
        let (one, two) = (hash(&[1, 2]), hash(&[3]));
        let lines = format!("a\ttest\t{one}\nb\ttest\t{two}\na, again\ttrain\t{one}");
        let parts = Parts::of_lines(&lines).unwrap();
        let found = [&[1, 2][..], &[3], &[4]].map(|image| parts.find(image));
        assert_eq!(found, [Part::Train, Part::Test, Part::None]);
        for bad in ["a\ttest", "a\ttrian\t00000000", "a\ttest\tno hash"] {
            assert_eq!(Parts::of_lines(bad), None, "{bad}");
        }
    }
}
