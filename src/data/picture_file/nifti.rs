//! NIfTI-1 and NIfTI-2 files (`.nii`, `.nii.gz`), a slice at a time.
//!
//! Read here and not by a library: the header is a table of fixed places, and what is there unpacks a whole volume to get at
//! one slice, within no limit. Pictures are slices along the last axis as they are stored: the second axis downwards, the
//! first one to the right, turned by no matrix. Values are `slope · stored + intercept` where the header gives them.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use flate2::read::MultiGzDecoder;

use crate::disk;
use crate::pixels::spacing::Spacing;

use super::CUT_SHORT;
use super::kept::{Kept, Stamp, stamp};

/// Bytes of a packed volume once it is unpacked, and of all that are kept to take further slices from.
const MOST_UNPACKED: u64 = 512 << 20;
const MOST_KEPT: u64 = 1 << 30;
/// Header of NIfTI-2, the longer one.
const HEADER: usize = 540;
/// Slices, and values of each, that tell the range of a volume.
const LOOKED_AT: usize = 64;
const VALUES: usize = 1 << 14;
/// Shares of the values of a volume that black and white are at, where the header does not say.
const RANGE: [f64; 2] = [0.005, 0.995];

/// How a value is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stored {
    U8,
    I8,
    U16,
    I16,
    U32,
    I32,
    U64,
    I64,
    F32,
    F64,
    Rgb,
}

/// A file whose header was read.
#[derive(Debug, Clone)]
pub struct Nifti {
    path: PathBuf,
    pub width: usize,
    pub height: usize,
    pub slices: usize,
    stored: Stored,
    big_endian: bool,
    /// Where the values begin.
    offset: u64,
    slope: f64,
    intercept: f64,
    /// What the header calls black and white.
    window: Option<[f64; 2]>,
    /// The size of a pixel.
    pub spacing: Option<Spacing>,
    packed: bool,
}

impl Stored {
    fn of(code: i16) -> Option<Self> {
        Some(match code {
            2 => Self::U8,
            4 => Self::I16,
            8 => Self::I32,
            16 => Self::F32,
            64 => Self::F64,
            128 => Self::Rgb,
            256 => Self::I8,
            512 => Self::U16,
            768 => Self::U32,
            1024 => Self::I64,
            1280 => Self::U64,
            _ => return None,
        })
    }

    fn bytes(self) -> usize {
        match self {
            Self::U8 | Self::I8 => 1,
            Self::U16 | Self::I16 => 2,
            Self::Rgb => 3,
            Self::U32 | Self::I32 | Self::F32 => 4,
            Self::U64 | Self::I64 | Self::F64 => 8,
        }
    }
}

/// Numbers of a header in its byte order.
struct Fields<'a> {
    bytes: &'a [u8],
    big_endian: bool,
}

impl Fields<'_> {
    fn at<const N: usize>(&self, place: usize) -> [u8; N] {
        let mut bytes = self.bytes.get(place..).and_then(|rest| rest.first_chunk::<N>()).copied().unwrap_or([0; N]);
        if self.big_endian {
            bytes.reverse();
        }
        bytes
    }

    fn i16(&self, place: usize) -> i16 {
        i16::from_le_bytes(self.at(place))
    }

    fn i32(&self, place: usize) -> i32 {
        i32::from_le_bytes(self.at(place))
    }

    fn i64(&self, place: usize) -> i64 {
        i64::from_le_bytes(self.at(place))
    }

    fn f32(&self, place: usize) -> f64 {
        f64::from(f32::from_le_bytes(self.at(place)))
    }

    fn f64(&self, place: usize) -> f64 {
        f64::from_le_bytes(self.at(place))
    }
}

impl Nifti {
    /// Reads the header. What is no volume of pictures is refused with words.
    pub fn open(path: &Path) -> Result<Self, String> {
        let mut file = disk::open(path).map_err(|error| format!("cannot be opened: {error}"))?;
        let length = file.metadata().map_or(0, |about| about.len());
        let mut first = [0; 2];
        let packed = file.read_exact(&mut first).is_ok() && first == [0x1f, 0x8b];
        file.rewind().map_err(cannot)?;
        let mut head = Vec::new();
        let taken = HEADER as u64;
        let read = if packed {
            MultiGzDecoder::new(file).take(taken).read_to_end(&mut head)
        } else {
            file.take(taken).read_to_end(&mut head)
        };
        read.map_err(|_| CUT_SHORT.to_owned())?;
        let volume = Self::of_header(path, &head, packed)?;
        let all = volume.offset.saturating_add(volume.slice_bytes() as u64 * volume.slices as u64);
        if packed && all > MOST_UNPACKED {
            return Err(format!(
                "unpacks to {} MiB; at most {} MiB of a packed volume are read: unpack it (gunzip), then it is read slice \
                 by slice",
                all >> 20,
                MOST_UNPACKED >> 20
            ));
        }
        if !packed && all > length {
            return Err(CUT_SHORT.to_owned());
        }
        Ok(volume)
    }

    fn of_header(path: &Path, head: &[u8], packed: bool) -> Result<Self, String> {
        let size = |big_endian| Fields { bytes: head, big_endian }.i32(0);
        let (version, big_endian) = match (size(false), size(true)) {
            (348, _) => (1, false),
            (_, 348) => (1, true),
            (540, _) => (2, false),
            (_, 540) => (2, true),
            _ => return Err("does not begin like a NIfTI file: it is damaged or of another kind".to_owned()),
        };
        let fields = Fields { bytes: head, big_endian };
        let magic = head.get(if version == 1 { 344.. } else { 4.. }).and_then(|rest| rest.get(..3)).unwrap_or_default();
        if magic == b"ni1" || magic == b"ni2" {
            return Err("is a NIfTI header whose values lie in another file; save both as one .nii file".to_owned());
        }
        if magic != b"n+1" && magic != b"n+2" {
            return Err("is no NIfTI file, or a damaged one; save it as .nii".to_owned());
        }
        let dim = |axis: usize| {
            if version == 1 { i64::from(fields.i16(40 + 2 * axis)) } else { fields.i64(16 + 8 * axis) }
        };
        let axes = dim(0);
        let side = |axis: usize| if axis as i64 <= axes { dim(axis) } else { 1 };
        let sides: Vec<i64> = (1..=7).map(side).collect();
        let fits = |side: &i64| (1..=i64::from(u16::MAX)).contains(side);
        if !(2..=7).contains(&axes) || !sides.iter().all(fits) {
            return Err("has a damaged header: its sizes are impossible".to_owned());
        }
        if let Some(more) = sides[3..].iter().find(|&&side| side > 1) {
            return Err(format!(
                "holds {more} volumes or components along a fourth axis; save the one that is meant as a volume of its own"
            ));
        }
        let code = fields.i16(if version == 1 { 70 } else { 12 });
        let stored = Stored::of(code).ok_or_else(|| {
            format!(
                "holds values of a kind that is not read (NIfTI data type {code}); save it as whole or real numbers"
            )
        })?;
        let real = |one: usize, two: usize| if version == 1 { fields.f32(one) } else { fields.f64(two) };
        let offset = if version == 1 { fields.f32(108) as u64 } else { fields.i64(168).max(0) as u64 };
        let (slope, intercept) = (real(112, 176), real(116, 184));
        let scaled = slope.is_finite() && slope != 0.0 && intercept.is_finite();
        let window = [real(128, 200), real(124, 192)];
        let units = if version == 1 { i32::from(head.get(123).copied().unwrap_or(0)) } else { fields.i32(500) };
        // Without a unit millimetres are meant, as everywhere in the field.
        let unit = match units & 7 {
            1 => 1000.0,
            3 => 0.001,
            _ => 1.0,
        };
        let side = |axis: usize| real(76 + 4 * axis, 104 + 8 * axis).abs() * unit;
        Ok(Self {
            path: path.to_owned(),
            width: sides[0] as usize,
            height: sides[1] as usize,
            slices: sides[2] as usize,
            stored,
            big_endian,
            offset: offset.max(if version == 1 { 348 } else { 540 }),
            slope: if scaled { slope } else { 1.0 },
            intercept: if scaled { intercept } else { 0.0 },
            window: Some(window).filter(|[low, high]| low.is_finite() && high.is_finite() && low < high),
            spacing: Spacing::new(rounded(side(2)), rounded(side(1))),
            packed,
        })
    }

    /// Whether its values are colours.
    pub fn is_colour(&self) -> bool {
        self.stored == Stored::Rgb
    }

    /// Whether its values are whole numbers of one byte, taken as they are.
    pub fn is_bytes(&self) -> bool {
        self.stored == Stored::U8 && (self.slope, self.intercept) == (1.0, 0.0)
    }

    fn slice_bytes(&self) -> usize {
        self.width * self.height * self.stored.bytes()
    }

    /// The stored bytes of a slice.
    pub fn slice(&self, index: usize) -> Result<Vec<u8>, String> {
        if index >= self.slices {
            return Err(format!("has no slice {index}: there are {}, counted from 0", self.slices));
        }
        let (count, start) = (self.slice_bytes(), self.slice_bytes() * index);
        if self.packed {
            let all = unpacked(self)?;
            return Ok(all[start..start + count].to_vec());
        }
        let mut file = disk::open(&self.path).map_err(|error| format!("cannot be opened: {error}"))?;
        file.seek(SeekFrom::Start(self.offset + start as u64)).map_err(cannot)?;
        exactly(&mut file, count)
    }

    /// The values of a slice, which are no colours.
    pub fn values(&self, index: usize) -> Result<Vec<f64>, String> {
        Ok(self.read(&self.slice(index)?))
    }

    fn read(&self, bytes: &[u8]) -> Vec<f64> {
        let big_endian = self.big_endian;
        let value = |bytes: &[u8]| {
            let fields = Fields { bytes, big_endian };
            let stored = match self.stored {
                Stored::U8 | Stored::Rgb => f64::from(bytes[0]),
                Stored::I8 => f64::from(bytes[0].cast_signed()),
                Stored::U16 => f64::from(u16::from_le_bytes(fields.at(0))),
                Stored::I16 => f64::from(fields.i16(0)),
                Stored::U32 => f64::from(u32::from_le_bytes(fields.at(0))),
                Stored::I32 => f64::from(fields.i32(0)),
                Stored::U64 => u64::from_le_bytes(fields.at(0)) as f64,
                Stored::I64 => fields.i64(0) as f64,
                Stored::F32 => fields.f32(0),
                Stored::F64 => fields.f64(0),
            };
            self.slope * stored + self.intercept
        };
        bytes.chunks_exact(self.stored.bytes()).map(value).collect()
    }

    /// The values that are black and white in every slice: what the header says, else those that half a percent of the
    /// volume's values are below and above.
    pub fn range(&self) -> Result<[f64; 2], String> {
        if let Some(window) = self.window {
            return Ok(window);
        }
        let key = stamp(&self.path);
        let known =
            RANGES.lock().unwrap_or_else(PoisonError::into_inner).iter().find(|(of, _)| *of == key).map(|(_, r)| *r);
        if let Some(range) = known {
            return Ok(range);
        }
        let mut values = Vec::new();
        let slices = self.slices.min(LOOKED_AT);
        for i in 0..slices {
            let all = self.values((2 * i + 1) * self.slices / (2 * slices))?;
            let step = all.len().div_ceil(VALUES).max(1);
            values.extend(all.into_iter().step_by(step).filter(|value| value.is_finite()));
        }
        values.sort_unstable_by(f64::total_cmp);
        let at = |share: f64| {
            let place = (share * values.len().saturating_sub(1) as f64).round() as usize;
            values.get(place).copied().unwrap_or(0.0)
        };
        let [mut low, mut high] = RANGE.map(at);
        if low >= high {
            (low, high) = (at(0.0), at(1.0));
        }
        let mut ranges = RANGES.lock().unwrap_or_else(PoisonError::into_inner);
        if ranges.len() >= 4096 {
            ranges.clear();
        }
        ranges.push((key, [low, high]));
        Ok([low, high])
    }
}

/// Of an f32 header `0.3` is meant where 0.300000012 stands.
fn rounded(side: f64) -> f64 {
    (side * 1e6).round() / 1e6
}

fn cannot(error: std::io::Error) -> String {
    format!("cannot be read: {error}")
}

/// So many bytes, no more in memory than come.
fn exactly(from: &mut impl Read, count: usize) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    from.take(count as u64).read_to_end(&mut bytes).map_err(|_| CUT_SHORT.to_owned())?;
    if bytes.len() < count { Err(CUT_SHORT.to_owned()) } else { Ok(bytes) }
}

/// Unpacked volumes.
static VOLUMES: Kept<Vec<u8>> = Kept::new(MOST_KEPT);
/// What is black and white in volumes.
static RANGES: Mutex<Vec<(Stamp, [f64; 2])>> = Mutex::new(Vec::new());

/// The values of a packed volume, unpacked once for all of its slices.
fn unpacked(volume: &Nifti) -> Result<Arc<Vec<u8>>, String> {
    VOLUMES.get(&stamp(&volume.path), |bytes| bytes.len() as u64, || unpack(volume))
}

fn unpack(volume: &Nifti) -> Result<Vec<u8>, String> {
    let file = File::open(&volume.path).map_err(|error| format!("cannot be opened: {error}"))?;
    let mut packed = MultiGzDecoder::new(std::io::BufReader::new(file));
    let before = std::io::copy(&mut (&mut packed).take(volume.offset), &mut std::io::sink());
    if before.ok() != Some(volume.offset) {
        return Err(CUT_SHORT.to_owned());
    }
    let bytes = exactly(&mut packed, volume.slice_bytes() * volume.slices)?;
    // At the end of a packed file stands a checksum.
    if packed.read(&mut [0]).is_err() {
        return Err(CUT_SHORT.to_owned());
    }
    Ok(bytes)
}
