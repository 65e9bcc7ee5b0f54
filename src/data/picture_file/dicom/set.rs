//! The attributes of a DICOM data set: those that pictures need, and where the pixels lie.

use crate::pixels::spacing::Spacing;

/// Sequences within sequences.
const DEEPEST: usize = 8;
/// Fragments of a packed picture.
const MOST_FRAGMENTS: usize = 1 << 20;
/// Bytes of an attribute that is kept, and how many are.
const LONGEST: usize = 1024;
const MOST_KEPT: usize = 4096;

/// Attributes by group and element.
pub mod tag {
    pub const SYNTAX: u32 = 0x0002_0010;
    pub const PATIENT: u32 = 0x0010_0020;
    pub const IMAGER_SPACING: u32 = 0x0018_1164;
    pub const NOMINAL_SPACING: u32 = 0x0018_2010;
    pub const REGIONS: u32 = 0x0018_6011;
    pub const REGION_UNIT_X: u32 = 0x0018_6024;
    pub const REGION_UNIT_Y: u32 = 0x0018_6026;
    pub const REGION_DELTA_X: u32 = 0x0018_602c;
    pub const REGION_DELTA_Y: u32 = 0x0018_602e;
    pub const SAMPLES: u32 = 0x0028_0002;
    pub const PHOTOMETRIC: u32 = 0x0028_0004;
    pub const PLANAR: u32 = 0x0028_0006;
    pub const FRAMES: u32 = 0x0028_0008;
    pub const ROWS: u32 = 0x0028_0010;
    pub const COLUMNS: u32 = 0x0028_0011;
    pub const SPACING: u32 = 0x0028_0030;
    pub const ALLOCATED: u32 = 0x0028_0100;
    pub const STORED: u32 = 0x0028_0101;
    pub const SIGNED: u32 = 0x0028_0103;
    pub const CENTER: u32 = 0x0028_1050;
    pub const WIDTH: u32 = 0x0028_1051;
    pub const INTERCEPT: u32 = 0x0028_1052;
    pub const SLOPE: u32 = 0x0028_1053;
    pub const WINDOW_KIND: u32 = 0x0028_1056;
    pub const ITEM: u32 = 0xfffe_e000;
    pub const ITEM_END: u32 = 0xfffe_e00d;
    pub const SEQUENCE_END: u32 = 0xfffe_e0dd;
    pub const PIXELS: u32 = 0x7fe0_0010;
    pub const KEPT: [u32; 24] = [
        PATIENT,
        IMAGER_SPACING,
        NOMINAL_SPACING,
        REGION_UNIT_X,
        REGION_UNIT_Y,
        REGION_DELTA_X,
        REGION_DELTA_Y,
        SAMPLES,
        PHOTOMETRIC,
        PLANAR,
        FRAMES,
        ROWS,
        COLUMNS,
        SPACING,
        ALLOCATED,
        STORED,
        SIGNED,
        CENTER,
        WIDTH,
        INTERCEPT,
        SLOPE,
        WINDOW_KIND,
        SYNTAX,
        PIXELS,
    ];
}

/// One attribute.
#[derive(Debug, Clone)]
pub struct Element {
    /// The sequence that it stands in; 0: in none.
    pub within: u32,
    /// Number of the item of that sequence.
    pub item: usize,
    pub tag: u32,
    pub value: Vec<u8>,
}

/// Where the pixels lie in the data set's bytes: one place as they are, or fragments.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Pixels {
    pub packed: bool,
    pub fragments: Vec<(usize, usize)>,
}

/// How attributes are written.
#[derive(Debug, Clone, Copy)]
pub struct Syntax {
    pub explicit: bool,
    pub big_endian: bool,
}

/// Why reading has ended.
pub enum Stop {
    /// The bytes end in the middle.
    Short,
    Problem(String),
}

/// What was read of a data set.
#[derive(Debug, Default)]
pub struct Set {
    pub elements: Vec<Element>,
    pub pixels: Option<Pixels>,
}

/// Goes through the bytes of a data set.
pub struct Cursor<'a> {
    pub bytes: &'a [u8],
    pub at: usize,
    pub syntax: Syntax,
}

impl Cursor<'_> {
    pub fn take(&mut self, count: usize) -> Result<&[u8], Stop> {
        let taken = self.at.checked_add(count).and_then(|end| self.bytes.get(self.at..end)).ok_or(Stop::Short)?;
        self.at += count;
        Ok(taken)
    }

    fn u16(&mut self) -> Result<u16, Stop> {
        let big_endian = self.syntax.big_endian;
        let bytes = self.take(2)?.first_chunk().copied().unwrap_or_default();
        Ok(if big_endian { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) })
    }

    fn u32(&mut self) -> Result<u32, Stop> {
        let big_endian = self.syntax.big_endian;
        let bytes = self.take(4)?.first_chunk().copied().unwrap_or_default();
        Ok(if big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
    }

    fn tag(&mut self) -> Result<u32, Stop> {
        Ok((u32::from(self.u16()?) << 16) | u32::from(self.u16()?))
    }

    /// Tag, whether it is a sequence, and length; `None`: undefined.
    pub fn header(&mut self) -> Result<(u32, bool, Option<usize>), Stop> {
        let tag = self.tag()?;
        let (sequence, length) = if tag >> 16 == 0xfffe || !self.syntax.explicit {
            (false, self.u32()?)
        } else {
            let kind: [u8; 2] = self.take(2)?.first_chunk().copied().unwrap_or_default();
            if !kind.iter().all(u8::is_ascii_uppercase) {
                return Err(Stop::Problem("is a damaged DICOM file: an attribute is of no known kind".to_owned()));
            }
            let long = [b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"];
            if long.contains(&&kind) {
                self.take(2)?;
                (&kind == b"SQ", self.u32()?)
            } else {
                (false, u32::from(self.u16()?))
            }
        };
        Ok((tag, sequence, (length != u32::MAX).then_some(length as usize)))
    }

    /// Reads attributes up to `end`, or to the end of an item of undefined length; stops behind the pixels. `whole`: what the
    /// pixels hold is wanted too.
    pub fn elements(
        &mut self,
        set: &mut Set,
        within: u32,
        item: usize,
        end: usize,
        depth: usize,
        whole: bool,
    ) -> Result<(), Stop> {
        if depth > DEEPEST {
            return Err(Stop::Problem("is a damaged DICOM file: its sequences are too deep".to_owned()));
        }
        while self.at < end {
            let (tag, sequence, length) = self.header()?;
            if tag == tag::ITEM_END {
                return Ok(());
            }
            if tag == tag::PIXELS && within == 0 {
                set.pixels = Some(if whole { self.pixels(length)? } else { Pixels::default() });
                return Ok(());
            }
            match length {
                // Of a small picture within the file.
                None if tag == tag::PIXELS => drop(self.pixels(None)?),
                None => self.items(set, tag, usize::MAX, depth, whole)?,
                Some(length) if sequence || tag == tag::REGIONS => {
                    let end = self.at.checked_add(length).ok_or(Stop::Short)?;
                    self.items(set, tag, end, depth, whole)?;
                }
                Some(length) => {
                    let value = self.take(length)?;
                    if tag::KEPT.contains(&tag) && value.len() <= LONGEST {
                        let value = value.to_vec();
                        if !set
                            .elements
                            .iter()
                            .any(|known| (known.within, known.tag) == (within, tag) && known.item == item)
                            && set.elements.len() < MOST_KEPT
                        {
                            set.elements.push(Element { within, item, tag, value });
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// The items of a sequence.
    fn items(&mut self, set: &mut Set, sequence: u32, end: usize, depth: usize, whole: bool) -> Result<(), Stop> {
        let mut number = 0;
        while self.at < end {
            let (tag, _, length) = self.header()?;
            match (tag, length) {
                (tag::SEQUENCE_END, _) => return Ok(()),
                (tag::ITEM, length) => {
                    let end =
                        length.map_or(Some(usize::MAX), |length| self.at.checked_add(length)).ok_or(Stop::Short)?;
                    self.elements(set, sequence, number, end, depth + 1, whole)?;
                    number += 1;
                }
                _ => return Err(Stop::Problem("is a damaged DICOM file: a sequence holds no items".to_owned())),
            }
        }
        Ok(())
    }

    fn pixels(&mut self, length: Option<usize>) -> Result<Pixels, Stop> {
        if let Some(length) = length {
            let start = self.at;
            self.take(length)?;
            return Ok(Pixels { packed: false, fragments: vec![(start, length)] });
        }
        let mut fragments = Vec::new();
        loop {
            let (tag, _, length) = self.header()?;
            let Some(length) = length.filter(|_| tag == tag::ITEM) else { break };
            let start = self.at;
            self.take(length)?;
            if fragments.len() == MOST_FRAGMENTS {
                return Err(Stop::Problem("is a damaged DICOM file: its picture is in too many pieces".to_owned()));
            }
            fragments.push((start, length));
        }
        Ok(Pixels { packed: true, fragments })
    }
}

impl Set {
    /// Of the first item where it stands in a sequence.
    fn find(&self, within: u32, tag: u32) -> Option<&Element> {
        self.elements.iter().find(|element| (element.within, element.tag) == (within, tag))
    }

    pub fn text(&self, tag: u32) -> Option<String> {
        let text = String::from_utf8_lossy(&self.find(0, tag)?.value).into_owned();
        let text = text.trim_matches(|c: char| c == '\0' || c.is_whitespace()).to_owned();
        (!text.is_empty()).then_some(text)
    }

    /// Numbers written as text with `\` between them.
    fn decimals(element: &Element) -> Vec<f64> {
        let text = String::from_utf8_lossy(&element.value);
        text.split('\\').filter_map(|number| number.trim_matches(['\0', ' ']).parse().ok()).collect()
    }

    pub fn decimal(&self, tag: u32) -> Option<f64> {
        Self::decimals(self.find(0, tag)?).first().copied().filter(|number| number.is_finite())
    }

    pub fn number(&self, tag: u32, big_endian: bool) -> Option<usize> {
        let bytes = *self.find(0, tag)?.value.first_chunk()?;
        Some(usize::from(if big_endian { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) }))
    }

    /// Row and column.
    fn pair(element: &Element) -> Option<Spacing> {
        match Self::decimals(element)[..] {
            [row, column, ..] => Spacing::new(row, column),
            _ => None,
        }
    }

    /// The size of a pixel: in the patient; of ultrasound by its regions, where all agree; at the detector.
    pub fn spacing(&self, big_endian: bool) -> Option<Spacing> {
        let first = |tag: u32| self.elements.iter().find(|element| element.tag == tag).and_then(Self::pair);
        first(tag::SPACING)
            .or_else(|| self.of_regions(big_endian))
            .or_else(|| first(tag::IMAGER_SPACING))
            .or_else(|| first(tag::NOMINAL_SPACING))
    }

    fn of_regions(&self, big_endian: bool) -> Option<Spacing> {
        const CENTIMETRES: u16 = 3;
        let items = self.elements.iter().filter(|element| element.within == tag::REGIONS).map(|element| element.item);
        let count = items.max()? + 1;
        let of = |item: usize, tag: u32| {
            let fits = |element: &&Element| (element.within, element.item, element.tag) == (tag::REGIONS, item, tag);
            self.elements.iter().find(fits).map(|element| &element.value)
        };
        let unit = |item: usize, tag: u32| {
            let bytes = *of(item, tag)?.first_chunk()?;
            Some(if big_endian { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) })
        };
        let side = |item: usize, tag: u32| {
            let bytes = *of(item, tag)?.first_chunk()?;
            // Centimetres, downwards or upwards.
            Some(10.0 * (if big_endian { f64::from_be_bytes(bytes) } else { f64::from_le_bytes(bytes) }).abs())
        };
        let mut found: Option<Spacing> = None;
        for item in 0..count {
            if [tag::REGION_UNIT_X, tag::REGION_UNIT_Y].iter().any(|tag| unit(item, *tag) != Some(CENTIMETRES)) {
                continue;
            }
            let spacing = Spacing::new(side(item, tag::REGION_DELTA_Y)?, side(item, tag::REGION_DELTA_X)?)?;
            if found.is_some_and(|known| known != spacing) {
                // Two scales in one picture.
                return None;
            }
            found = Some(spacing);
        }
        found
    }
}
