//! DICOM files: what of their header pictures need, and their frames (`pixels`).
//!
//! Read here and not by a library: the one there is (dicom-rs) allocates whatever a header claims, and changes features of
//! crates below Burn. Only a few attributes are kept; nothing that a length claims is allocated before it is there.

mod pixels;
mod set;

pub use pixels::For;

use std::borrow::Cow;
use std::io::Read;
use std::path::Path;

use flate2::read::DeflateDecoder;

use crate::disk;
use crate::pixels::spacing::Spacing;

use self::set::{Cursor, Element, Pixels, Set, Stop, Syntax, tag};
use super::kept::Kept;
use super::{CUT_SHORT, MOST_WHOLE};

/// Bytes from the front that hold the header of nearly every file.
const FRONT: u64 = 1 << 18;
/// Bytes that a deflated data set may unpack to.
const MOST_UNPACKED: u64 = 512 << 20;
/// Bytes of all films that are kept to take further frames from.
const MOST_KEPT: u64 = 1 << 30;

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
            // Behind the group 0002, which is plain, anything may follow.
            if bytes.get(meta.at..meta.at + 2) != Some(&[2, 0]) {
                break meta.at;
            }
            let (tag, _, length) = meta.header()?;
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

/// A file that was read whole.
struct Film {
    dicom: Dicom,
    data: Vec<u8>,
    pixels: Pixels,
}

/// Files of several frames.
static FILMS: Kept<Film> = Kept::new(MOST_KEPT);

impl Film {
    fn read(path: &Path) -> Result<Self, String> {
        let mut bytes = whole(path)?;
        let (dicom, data, pixels) = Dicom::read(&bytes, true).map_err(told)?;
        let start = bytes.len() - data.len().min(bytes.len());
        let data = match data {
            Cow::Owned(data) => data,
            Cow::Borrowed(_) => bytes.split_off(start),
        };
        Ok(Self { dicom, data, pixels })
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
