//! `events.bin`: a header of 12 bytes, then one frame an event.
//!
//! ```text
//! header: "LSCOPE\x1a\n"  u32 format version
//! frame:  u32 length of the body   u32 CRC-32 of length and body   body: the Event in postcard's encoding
//! ```
//!
//! All integers are little-endian. Nothing is ever rewritten, so a crash can only tear the last frame. A reader that meets
//! a frame that is incomplete or does not match its checksum says so and goes on at the next good one. The file grows by what the lab's keys record
//! ([`super::event::KeySpec::every`]); reading needs memory for one frame at a time.

use std::io::{self, Read, Seek, SeekFrom};

use super::event::Event;

pub const MAGIC: &[u8; 8] = b"LSCOPE\x1a\n";
pub const VERSION: u32 = 1;
/// Bytes before the first frame.
pub const HEADER_BYTES: u64 = 12;
/// Bytes of a frame before its body.
const PREFIX: usize = 8;

/// The file's first bytes.
pub fn header() -> [u8; HEADER_BYTES as usize] {
    let mut bytes = [0; HEADER_BYTES as usize];
    bytes[..8].copy_from_slice(MAGIC);
    bytes[8..].copy_from_slice(&VERSION.to_le_bytes());
    bytes
}

/// Checks the file's first bytes; the error says what is wrong with them.
pub fn check_header(bytes: &[u8]) -> Result<(), String> {
    if bytes.len() < HEADER_BYTES as usize || &bytes[..8] != MAGIC {
        return Err("this is not a learnscope recording".to_owned());
    }
    match u32::from_le_bytes([bytes[8], bytes[9], bytes[10], bytes[11]]) {
        VERSION => Ok(()),
        newer if newer > VERSION => {
            Err(format!("recorded in format {newer}; this program reads up to {VERSION}, update it"))
        }
        other => Err(format!("recorded in the unknown format {other}")),
    }
}

/// Encodes one event as a frame into `frame`, whose old content is dropped.
pub fn encode(event: &Event, frame: &mut Vec<u8>) -> Result<(), String> {
    frame.clear();
    frame.extend_from_slice(&[0; PREFIX]);
    *frame = postcard::to_extend(event, std::mem::take(frame)).map_err(|e| e.to_string())?;
    let length = u32::try_from(frame.len() - PREFIX).map_err(|_| "one event is larger than 4 GiB".to_owned())?;
    frame[..4].copy_from_slice(&length.to_le_bytes());
    let crc = checksum(length, &frame[PREFIX..]);
    frame[4..PREFIX].copy_from_slice(&crc.to_le_bytes());
    Ok(())
}

/// The checksum that a frame bears, as text; `None` for too few bytes.
pub fn checksum_of(frame: &[u8]) -> Option<String> {
    let bytes = frame.get(4..PREFIX)?;
    Some(format!("{:08x}", u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])))
}

/// Decodes one whole frame.
pub fn decode(frame: &[u8]) -> Result<Event, String> {
    let word = |at: usize| frame.get(at..at + 4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]));
    let (Some(length), Some(crc)) = (word(0), word(4)) else { return Err("a frame is incomplete".to_owned()) };
    let body = &frame[PREFIX..];
    if body.len() != length as usize {
        return Err("a frame is incomplete".to_owned());
    }
    if checksum(length, body) != crc {
        return Err("a frame does not match its checksum".to_owned());
    }
    postcard::from_bytes(body).map_err(|e| format!("a frame does not hold an event: {e}"))
}

/// The length is part of the sum, so that a flipped bit in it is found too.
fn checksum(length: u32, body: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&length.to_le_bytes());
    hasher.update(body);
    hasher.finalize()
}

/// Bytes behind a damaged frame in which the next good one is looked for.
const SEARCH: u64 = 64 << 20;

/// Reads frames one after another.
#[derive(Debug)]
pub struct Frames<R> {
    source: R,
    /// Where the next frame starts.
    offset: u64,
    /// Size of the file when it was opened.
    end: u64,
    frame: Vec<u8>,
    /// The first damage: where it starts, and what it is.
    damage: Option<(u64, String)>,
    /// Where the newest damage starts.
    newest_damage: u64,
}

impl<R: Read + Seek> Frames<R> {
    /// `source` stands behind the file's header; `end`: size of the whole file.
    pub fn new(source: R, end: u64) -> Self {
        Self { source, offset: HEADER_BYTES, end, frame: Vec::new(), damage: None, newest_damage: 0 }
    }

    /// The next good event with the offset and the size of its frame; `None` at the end. Damaged frames are left out, see
    /// [`Frames::damage`].
    pub fn read(&mut self) -> io::Result<Option<(u64, u32, Event)>> {
        while self.offset < self.end {
            match self.read_here()? {
                Ok(event) => {
                    let offset = self.offset;
                    self.offset += self.frame.len() as u64;
                    return Ok(Some((offset, self.frame.len() as u32, event)));
                }
                Err(problem) => {
                    let from = self.offset;
                    self.damage.get_or_insert_with(|| (from, format!("{problem} at byte {from}")));
                    self.newest_damage = from;
                    self.offset = self.next_good(from)?.unwrap_or(self.end);
                    self.source.seek(SeekFrom::Start(self.offset))?;
                }
            }
        }
        Ok(None)
    }

    /// The frame at `offset`, where the source stands.
    fn read_here(&mut self) -> io::Result<Result<Event, String>> {
        let left = self.end - self.offset;
        self.frame.clear();
        if left >= PREFIX as u64 {
            self.frame.resize(PREFIX, 0);
            self.source.read_exact(&mut self.frame)?;
            let length = u32::from_le_bytes([self.frame[0], self.frame[1], self.frame[2], self.frame[3]]);
            // A wrong length must not ask for memory that the file does not fill.
            if u64::from(length) <= left - PREFIX as u64 {
                self.frame.resize(PREFIX + length as usize, 0);
                self.source.read_exact(&mut self.frame[PREFIX..])?;
            }
        }
        Ok(decode(&self.frame))
    }

    /// Where the first good frame behind `from` starts: that of the damaged frame's own length, else the first place that
    /// looks like a frame and matches its checksum.
    fn next_good(&mut self, from: u64) -> io::Result<Option<u64>> {
        let mut bytes = Vec::new();
        self.source.seek(SeekFrom::Start(from))?;
        Read::by_ref(&mut self.source).take(SEARCH.min(self.end - from)).read_to_end(&mut bytes)?;
        let is_good = |at: usize| {
            let frame = bytes.get(at..).filter(|frame| frame.len() > PREFIX)?;
            let length = u32::from_le_bytes([frame[0], frame[1], frame[2], frame[3]]) as usize;
            let frame = frame.get(..PREFIX.checked_add(length)?)?;
            // Quickly decided for nearly every wrong place; only then is the sum over the whole frame taken.
            let (_, _, seconds) = postcard::take_from_bytes::<(u64, u64, f64)>(&frame[PREFIX..]).ok()?.0;
            ((0.0..1e10).contains(&seconds) && decode(frame).is_ok()).then_some(from + at as u64)
        };
        let own = bytes.first_chunk::<4>().map(|length| PREFIX + u32::from_le_bytes(*length) as usize);
        Ok(own.and_then(is_good).or_else(|| (1..bytes.len()).find_map(is_good)))
    }

    /// End of the last good frame; where the next one is looked for.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Whether anything but the first frame, which holds no measurement, was damaged so far.
    pub fn has_hole(&self) -> bool {
        self.newest_damage > HEADER_BYTES
    }

    /// The first damage, if there was any: the byte at which it starts, and what it is, in words.
    pub fn damage(&self) -> Option<(u64, &str)> {
        self.damage.as_ref().map(|(at, problem)| (*at, problem.as_str()))
    }
}
