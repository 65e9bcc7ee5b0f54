//! DICOM files: what of their header pictures need, and their frames (`pixels`).
//!
//! Read here and not by a library: the one there is (dicom-rs) allocates whatever a header claims, and changes features of
//! crates below Burn. Only a few attributes are kept; nothing that a length claims is allocated before it is there.

mod pixels;

pub use pixels::For;

use std::borrow::Cow;
use std::io::Read;
use std::path::Path;

use flate2::read::DeflateDecoder;

use crate::disk;
use crate::pixels::spacing::Spacing;

use super::{CUT_SHORT, MOST_WHOLE};

/// Bytes from the front that hold the header of nearly every file.
const FRONT: u64 = 1 << 18;
/// Sequences within sequences.
const DEEPEST: usize = 8;
/// Bytes that a deflated data set may unpack to.
const MOST_UNPACKED: u64 = 512 << 20;
/// Fragments of a packed picture.
const MOST_FRAGMENTS: usize = 1 << 20;

/// Attributes by group and element.
mod tag {
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

/// How the pixels are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Packing {
    /// As they are, in frames one behind the other.
    None,
    RunLength,
    Jpeg,
}

/// How values become shades.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum WindowKind {
    Linear,
    LinearExact,
    Sigmoid,
}

/// What a viewer shows as black to white.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Window {
    center: f64,
    width: f64,
    kind: WindowKind,
}

/// What the numbers of a pixel mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Colours {
    /// `inverted`: 0 is white.
    Grey {
        inverted: bool,
    },
    Rgb,
    /// Luma and two colour differences, for every pixel; `halved`: the differences for every second one of a row.
    Ybr {
        halved: bool,
    },
}

/// A file whose header was read.
#[derive(Debug, Clone)]
pub struct Dicom {
    pub width: usize,
    pub height: usize,
    pub frames: usize,
    colours: Colours,
    /// One plane of colour after the other.
    planes: bool,
    /// Bits of a value in the file, and those of them that are used.
    allocated: usize,
    stored: usize,
    signed: bool,
    slope: f64,
    intercept: f64,
    window: Option<Window>,
    packing: Packing,
    big_endian: bool,
    /// The size of a pixel.
    pub spacing: Option<Spacing>,
    pub patient: Option<String>,
}

/// One attribute.
#[derive(Debug, Clone)]
struct Element {
    /// The sequence that it stands in; 0: in none.
    within: u32,
    /// Number of the item of that sequence.
    item: usize,
    tag: u32,
    value: Vec<u8>,
}

/// Where the pixels lie in the data set's bytes: one place as they are, or fragments.
#[derive(Debug, Clone, Default, PartialEq)]
struct Pixels {
    packed: bool,
    fragments: Vec<(usize, usize)>,
}

/// How attributes are written.
#[derive(Debug, Clone, Copy)]
struct Syntax {
    explicit: bool,
    big_endian: bool,
}

/// Why reading has ended.
enum Stop {
    /// The bytes end in the middle.
    Short,
    Problem(String),
}

/// What was read of a data set.
#[derive(Debug, Default)]
struct Set {
    elements: Vec<Element>,
    pixels: Option<Pixels>,
}

/// Goes through the bytes of a data set.
struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
    syntax: Syntax,
}

impl Cursor<'_> {
    fn take(&mut self, count: usize) -> Result<&[u8], Stop> {
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
    fn header(&mut self) -> Result<(u32, bool, Option<usize>), Stop> {
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
    fn elements(
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
                    if tag::KEPT.contains(&tag) && value.len() <= 1024 {
                        let value = value.to_vec();
                        if !set
                            .elements
                            .iter()
                            .any(|known| (known.within, known.tag) == (within, tag) && known.item == item)
                            && set.elements.len() < 4096
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

    fn text(&self, tag: u32) -> Option<String> {
        let text = String::from_utf8_lossy(&self.find(0, tag)?.value).into_owned();
        let text = text.trim_matches(|c: char| c == '\0' || c.is_whitespace()).to_owned();
        (!text.is_empty()).then_some(text)
    }

    /// Numbers written as text with `\` between them.
    fn decimals(element: &Element) -> Vec<f64> {
        let text = String::from_utf8_lossy(&element.value);
        text.split('\\').filter_map(|number| number.trim_matches(['\0', ' ']).parse().ok()).collect()
    }

    fn decimal(&self, tag: u32) -> Option<f64> {
        Self::decimals(self.find(0, tag)?).first().copied().filter(|number| number.is_finite())
    }

    fn number(&self, tag: u32, big_endian: bool) -> Option<usize> {
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
    fn spacing(&self, big_endian: bool) -> Option<Spacing> {
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

impl Dicom {
    /// Reads the header.
    pub fn open(path: &Path) -> Result<Self, String> {
        let mut file = disk::open(path).map_err(|error| format!("cannot be opened: {error}"))?;
        let mut front = Vec::new();
        file.by_ref().take(FRONT).read_to_end(&mut front).map_err(|error| format!("cannot be read: {error}"))?;
        let header = |bytes: &[u8]| Self::read(bytes, false).map(|(dicom, ..)| dicom);
        match header(&front) {
            // A long header, or one that is deflated.
            Err(Stop::Short) if front.len() as u64 == FRONT => header(&whole(path)?).map_err(told),
            read => read.map_err(told),
        }
    }

    /// The header, the bytes of the data set, and where the pixels are in them. `whole`: they are wanted.
    fn read(bytes: &[u8], whole: bool) -> Result<(Self, Cow<'_, [u8]>, Pixels), Stop> {
        if bytes.get(128..132) != Some(b"DICM") {
            return Err(Stop::Problem("is no DICOM file, or one without its first 132 bytes".to_owned()));
        }
        let plain = Syntax { explicit: true, big_endian: false };
        let mut meta = Cursor { bytes, at: 132, syntax: plain };
        let mut set = Set::default();
        let start = loop {
            let start = meta.at;
            let (tag, _, length) = meta.header()?;
            if tag >> 16 != 0x0002 {
                break start;
            }
            let value = meta.take(length.ok_or(Stop::Short)?)?.to_vec();
            if tag == tag::SYNTAX {
                set.elements.push(Element { within: 0, item: 0, tag, value });
            }
        };
        let uid = set.text(tag::SYNTAX).unwrap_or_default();
        let syntax = Syntax { explicit: uid != "1.2.840.10008.1.2", big_endian: uid == "1.2.840.10008.1.2.2" };
        let mut data = Cow::Borrowed(&bytes[start..]);
        if uid == "1.2.840.10008.1.2.1.99" {
            let mut unpacked = Vec::new();
            let read = DeflateDecoder::new(&bytes[start..]).take(MOST_UNPACKED + 1).read_to_end(&mut unpacked);
            if read.is_err() && whole {
                return Err(Stop::Short);
            }
            if unpacked.len() as u64 > MOST_UNPACKED {
                return Err(Stop::Problem(format!("unpacks to more than {} MiB", MOST_UNPACKED >> 20)));
            }
            data = Cow::Owned(unpacked);
        }
        let mut cursor = Cursor { bytes: &data, at: 0, syntax };
        let end = data.len();
        cursor.elements(&mut set, 0, 0, end, 0, whole)?;
        let Some(pixels) = set.pixels.take() else {
            return Err(Stop::Problem("is a DICOM file without a picture (a report, or a structure set)".to_owned()));
        };
        let dicom = Self::of(&set, &uid, syntax.big_endian).map_err(Stop::Problem)?;
        Ok((dicom, data, pixels))
    }

    fn of(set: &Set, uid: &str, big_endian: bool) -> Result<Self, String> {
        let packing = packing(uid)?;
        let number = |tag: u32| set.number(tag, big_endian);
        let (Some(height), Some(width)) = (number(tag::ROWS), number(tag::COLUMNS)) else {
            return Err("is a damaged DICOM file: it does not say how large its picture is".to_owned());
        };
        let samples = number(tag::SAMPLES).unwrap_or(1);
        let photometric = set.text(tag::PHOTOMETRIC).unwrap_or_default();
        let colours = match (samples, photometric.as_str()) {
            (1, "MONOCHROME1") => Colours::Grey { inverted: true },
            (1, "MONOCHROME2" | "") => Colours::Grey { inverted: false },
            (3, "RGB") => Colours::Rgb,
            // What unpacks a JPEG makes red, green and blue of it.
            (3, _) if packing == Packing::Jpeg => Colours::Rgb,
            (3, "YBR_FULL") => Colours::Ybr { halved: false },
            (3, "YBR_FULL_422") => Colours::Ybr { halved: true },
            _ => {
                return Err(format!(
                    "has colours of a kind that is not read ({photometric}, {samples} values a pixel); save it as grey or RGB"
                ));
            }
        };
        let allocated = number(tag::ALLOCATED).unwrap_or(8);
        let stored = number(tag::STORED).unwrap_or(allocated);
        let fits = [1, 8, 16, 32].contains(&allocated) && (1..=allocated).contains(&stored);
        if !fits || (samples == 3 && allocated != 8) || (packing != Packing::None && ![8, 16].contains(&allocated)) {
            return Err(format!("has {stored} of {allocated} bits for {samples} values a pixel, which is not read"));
        }
        let frames = set.decimal(tag::FRAMES).map_or(1, |frames| frames.clamp(1.0, 65_535.0) as usize);
        let kind = match set.text(tag::WINDOW_KIND).as_deref() {
            Some("LINEAR_EXACT") => WindowKind::LinearExact,
            Some("SIGMOID") => WindowKind::Sigmoid,
            _ => WindowKind::Linear,
        };
        let window = match (set.decimal(tag::CENTER), set.decimal(tag::WIDTH)) {
            (Some(center), Some(width)) if width >= 1.0 || (width > 0.0 && kind != WindowKind::Linear) => {
                Some(Window { center, width, kind })
            }
            _ => None,
        };
        let slope = set.decimal(tag::SLOPE).filter(|slope| *slope != 0.0).unwrap_or(1.0);
        Ok(Self {
            width,
            height,
            frames,
            colours,
            planes: number(tag::PLANAR) == Some(1),
            allocated,
            stored,
            signed: number(tag::SIGNED) == Some(1),
            slope,
            intercept: set.decimal(tag::INTERCEPT).unwrap_or(0.0),
            window,
            packing,
            big_endian,
            spacing: set.spacing(big_endian),
            patient: set.text(tag::PATIENT),
        })
    }
}

fn packing(uid: &str) -> Result<Packing, String> {
    let name = match uid {
        "1.2.840.10008.1.2" | "1.2.840.10008.1.2.1" | "1.2.840.10008.1.2.2" | "1.2.840.10008.1.2.1.99" => {
            return Ok(Packing::None);
        }
        "1.2.840.10008.1.2.5" => return Ok(Packing::RunLength),
        "1.2.840.10008.1.2.4.50" | "1.2.840.10008.1.2.4.51" => return Ok(Packing::Jpeg),
        "1.2.840.10008.1.2.4.57" | "1.2.840.10008.1.2.4.70" => "lossless JPEG",
        "1.2.840.10008.1.2.4.80" | "1.2.840.10008.1.2.4.81" => "JPEG-LS",
        "1.2.840.10008.1.2.4.90" | "1.2.840.10008.1.2.4.91" => "JPEG 2000",
        uid if uid.starts_with("1.2.840.10008.1.2.4.10") => "a film (MPEG)",
        uid => uid,
    };
    Err(format!(
        "is a DICOM file packed as {name}, which is not read; unpack it (`gdcmconv --raw` or `dcmdjpeg`) or export it as PNG"
    ))
}

/// A file in memory.
fn whole(path: &Path) -> Result<Vec<u8>, String> {
    let mut file = disk::open(path).map_err(|error| format!("cannot be opened: {error}"))?;
    let length = file.metadata().map_or(0, |about| about.len());
    super::whole(&mut file, length, "DICOM").inspect(|_| debug_assert!(length <= MOST_WHOLE))
}

fn told(stop: Stop) -> String {
    match stop {
        Stop::Short => CUT_SHORT.to_owned(),
        Stop::Problem(problem) => problem,
    }
}
