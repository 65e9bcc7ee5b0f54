//! The pages of a TIFF file, of which decoders show the first alone.

use std::collections::HashSet;
use std::io::{self, Read, Seek, SeekFrom};

/// Pages of one file that are followed.
const MOST_PAGES: usize = 4096;
/// Entries of a page that are looked at.
const MOST_ENTRIES: u64 = 65_536;

/// A page that is a picture of its own, no thumbnail and no transparency of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// Where its description lies.
    at: u64,
    /// Where the file's first description lies.
    first: u64,
    /// The file uses 8-byte places.
    big: bool,
    little: bool,
    /// The orientation tag, 1 where there is none.
    pub orientation: u8,
    pub storage: Storage,
}

/// How the numbers of a page are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Storage {
    /// Of the first channel.
    bits: u64,
    compression: u64,
    photometric: u64,
    channels: u64,
    sample_format: u64,
    /// Written by Python's tifffile.
    by_tifffile: bool,
}

impl Default for Storage {
    /// What the standard takes where a tag is missing; grey values where it takes nothing.
    fn default() -> Self {
        Self { bits: 1, compression: 1, photometric: 1, channels: 1, sample_format: 1, by_tifffile: false }
    }
}

/// 0 is white.
const WHITE_IS_ZERO: u64 = 0;

impl Storage {
    /// Why its decoder cannot read it, in words for people.
    pub fn refusal(&self) -> Option<String> {
        let refused = |what: String, advice: &str| Some(format!("is a TIFF {what}, which is not read; {advice}"));
        let packed = match self.compression {
            1 | 4 | 5 | 7 | 8 | 32_773 | 32_946 => None,
            2 | 3 => Some("CCITT Group 3"),
            6 => Some("JPEG of the old kind"),
            33_003 | 33_005 | 34_712 => Some("JPEG 2000"),
            34_925 => Some("LZMA"),
            50_000 => Some("Zstandard"),
            34_927 | 50_001 => Some("WebP"),
            50_002 | 52_546 => Some("JPEG XL"),
            _ => Some("a rare compression"),
        };
        if let Some(packed) = packed {
            return refused(format!("packed with {packed}"), "save it without compression, or with LZW or Deflate");
        }
        let colours = match self.photometric {
            0..=2 | 5 => None,
            3 => Some("of a palette (indexed colours)"),
            6 => Some("of YCbCr colours, as JPEG has them"),
            8..=10 => Some("of Lab colours"),
            _ => Some("of colours of a rare kind"),
        };
        if let Some(colours) = colours {
            return refused(colours.to_owned(), "save it as grey values or RGB, or as PNG");
        }
        let bits = self.bits;
        let grey = self.photometric < 2;
        let numbers = match (self.sample_format, bits) {
            (1, 8 | 16) => None,
            (1, 1) if grey => None,
            (3, 32) if self.photometric == 2 => None,
            (1, _) => Some(format!("of {bits}-bit whole numbers")),
            (2, _) => Some(format!("of {bits}-bit whole numbers with a sign")),
            (3, _) => Some(format!("of {bits}-bit floating-point values")),
            _ => Some("of complex numbers, or of numbers of an unknown kind".to_owned()),
        };
        if let Some(numbers) = numbers {
            return refused(numbers, "save it as 8- or 16-bit whole numbers without a sign");
        }
        match self.channels {
            2 if grey => refused(
                "of grey values with transparency or a second channel".to_owned(),
                "save the grey values alone, or as PNG",
            ),
            3.. if grey => refused(
                format!("of {} channels of grey values", self.channels),
                "save one channel as a file of its own, or three as RGB",
            ),
            _ => None,
        }
    }

    /// Whether its numbers are taken as they are stored although 0 is white: of 16 bits, since white is another number only
    /// where it is known how many of the bits are in use; and truth values of a mask (`is_mask`) that tifffile wrote, which
    /// stores what is true as 1 and calls it black.
    pub fn is_wanted_as_stored(&self, is_mask: bool) -> bool {
        self.photometric == WHITE_IS_ZERO && (self.bits == 16 || is_mask && self.bits == 1 && self.by_tifffile)
    }
}

/// Lists the pages; empty where not even the first can be followed, which its decoder will explain.
///
/// # Errors
/// The list breaks off: pages are missing.
pub fn pages(file: &mut (impl Read + Seek)) -> Result<Vec<Page>, String> {
    let Ok((little, big, first)) = header(file) else { return Ok(Vec::new()) };
    let mut reader = Numbers { file, little, big };
    let (mut found, mut seen): (Vec<(Page, bool)>, _) = (Vec::new(), HashSet::new());
    let mut at = first;
    while at != 0 {
        if !seen.insert(at) || seen.len() > MOST_PAGES {
            return Err(format!("is damaged: its list of pages has no end, or more than {MOST_PAGES}"));
        }
        let Ok((page, reduced, next)) = description(&mut reader, at, first) else {
            if found.is_empty() {
                return Ok(Vec::new());
            }
            return Err(format!(
                "is damaged or cut short: page {} of it cannot be found; fetch it again or remove it",
                found.len() + 1
            ));
        };
        found.push((page, reduced));
        at = next;
    }
    let whole: Vec<Page> = found.iter().filter(|(_, reduced)| !reduced).map(|(page, _)| *page).collect();
    Ok(if whole.is_empty() { found.first().map(|(page, _)| *page).into_iter().collect() } else { whole })
}

fn header(file: &mut (impl Read + Seek)) -> io::Result<(bool, bool, u64)> {
    let mut head = [0; 16];
    file.seek(SeekFrom::Start(0))?;
    file.read_exact(&mut head[..8])?;
    let little = head[0] == b'I';
    let big = head[2..4].contains(&43);
    if !big {
        return Ok((little, big, number(&head[4..8], little)));
    }
    file.read_exact(&mut head[8..])?;
    Ok((little, big, number(&head[8..16], little)))
}

fn number(bytes: &[u8], little: bool) -> u64 {
    let join = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
    if little { bytes.iter().rev().fold(0, join) } else { bytes.iter().fold(0, join) }
}

struct Numbers<'a, R> {
    file: &'a mut R,
    little: bool,
    big: bool,
}

impl<R: Read + Seek> Numbers<'_, R> {
    fn take(&mut self, bytes: usize) -> io::Result<u64> {
        let mut buffer = [0; 8];
        self.file.read_exact(&mut buffer[..bytes])?;
        Ok(number(&buffer[..bytes], self.little))
    }
}

/// A page, whether it is a smaller copy or a transparency of another one, and where the next is described.
fn description<R: Read + Seek>(reader: &mut Numbers<'_, R>, at: u64, first: u64) -> io::Result<(Page, bool, u64)> {
    reader.file.seek(SeekFrom::Start(at))?;
    let place = if reader.big { 8 } else { 4 };
    let entries = reader.take(if reader.big { 8 } else { 2 })?;
    if entries > MOST_ENTRIES {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let (mut orientation, mut reduced) = (1, false);
    let mut entries_of_storage = Vec::new();
    for _ in 0..entries {
        let (tag, kind) = (reader.take(2)?, reader.take(2)?);
        let count = reader.take(place)?;
        let mut field = [0; 8];
        reader.file.read_exact(&mut field[..place])?;
        // A short number lies in the first two bytes of its field.
        let value = number(&field[..if kind == 3 { 2 } else { 4 }], reader.little);
        match tag {
            254 => reduced |= value & 0b101 != 0,
            255 => reduced |= value == 2,
            274 => orientation = value.min(255) as u8,
            258 | 259 | 262 | 277 | 305 | 339 => entries_of_storage.push((tag, kind, count, field)),
            _ => {}
        }
    }
    let next = reader.take(place)?;
    let mut storage = Storage::default();
    for (tag, kind, count, field) in entries_of_storage {
        // What does not fit into its field lies where that says.
        let bytes = match kind {
            3 => 2,
            4 => 4,
            16 => 8,
            _ => 1,
        };
        let mut first = field;
        if count.saturating_mul(bytes as u64) > place as u64 {
            let there = number(&field[..place], reader.little);
            reader.file.seek(SeekFrom::Start(there))?;
            let bytes = if tag == 305 { first.len() } else { bytes };
            reader.file.read_exact(&mut first[..bytes])?;
        }
        let value = number(&first[..bytes], reader.little);
        match tag {
            258 => storage.bits = value,
            259 => storage.compression = value,
            262 => storage.photometric = value,
            277 => storage.channels = value,
            339 => storage.sample_format = value,
            _ => storage.by_tifffile = first == *b"tifffile",
        }
    }
    let page = Page { at, first, big: reader.big, little: reader.little, orientation, storage };
    Ok((page, reduced, next))
}

/// A file that begins with another page: its head names that one as the first.
pub struct FromPage<R> {
    file: R,
    head: Vec<u8>,
    at: u64,
}

impl<R: Read + Seek> FromPage<R> {
    pub fn new(mut file: R, page: &Page) -> io::Result<Self> {
        let mut head = Vec::new();
        if page.at != page.first {
            head = vec![0; if page.big { 16 } else { 8 }];
            file.seek(SeekFrom::Start(0))?;
            file.read_exact(&mut head)?;
            let place = if page.big { 8 } else { 4 };
            for (i, byte) in head[place..].iter_mut().enumerate() {
                let shift = 8 * if page.little { i } else { place - 1 - i };
                *byte = (page.at >> shift) as u8;
            }
        }
        file.seek(SeekFrom::Start(0))?;
        Ok(Self { file, head, at: 0 })
    }
}

impl<R: Read + Seek> Read for FromPage<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = match self.head.get(self.at as usize..).filter(|rest| !rest.is_empty()) {
            Some(mut rest) => rest.read(buffer)?,
            None => {
                self.file.seek(SeekFrom::Start(self.at))?;
                self.file.read(buffer)?
            }
        };
        self.at += count as u64;
        Ok(count)
    }
}

impl<R: Read + Seek> Seek for FromPage<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.at = match to {
            SeekFrom::Start(at) => at,
            SeekFrom::End(_) => self.file.seek(to)?,
            SeekFrom::Current(by) => self.at.checked_add_signed(by).ok_or(io::ErrorKind::InvalidInput)?,
        };
        Ok(self.at)
    }
}
