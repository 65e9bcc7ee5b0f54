//! What is looked at before a PyTorch file is given to its reader, which builds every object that the file describes: a
//! few kilobytes can describe gigabytes of them.
//!
//! A file is either a zip archive with a pickle `data.pkl` in it, which PyTorch never packs; or pickles one after the
//! other.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};

/// Bytes of all pickles together; the numbers of the tensors are not in them.
const MOST_PICKLE: u64 = 64 << 20;
/// Instructions of all pickles together, each of which may make one object. A checkpoint takes some 35 a tensor.
const MOST_INSTRUCTIONS: u64 = 1_000_000;
/// Bytes of an archive's directory.
const MOST_DIRECTORY: u64 = 16 << 20;

/// The number that files before PyTorch 1.6 begin with; five pickles follow each other in them.
const MAGIC: [u8; 10] = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];

/// Refuses what cannot be a file of PyTorch, or describes more than its reader should build. Leaves the place in the file
/// anywhere.
pub fn check(file: &File, length: u64) -> Result<(), String> {
    let start = bytes_at(file, 0, length.min(512))?;
    if start.starts_with(b"PK") {
        return check_archive(file, length);
    }
    if start.get(257..262) == Some(b"ustar") {
        return Err("it is a TAR archive; load it in PyTorch and save it again".to_owned());
    }
    let old = start[..start.len().min(64)].windows(MAGIC.len()).any(|bytes| bytes == MAGIC);
    let mut budget = Budget { bytes: MOST_PICKLE, instructions: MOST_INSTRUCTIONS };
    let mut reader = file;
    reader.seek(SeekFrom::Start(0)).map_err(unreadable)?;
    let mut reader = BufReader::new(reader);
    (0..if old { 5 } else { 1 }).try_for_each(|_| walk(&mut reader, &mut budget))
}

/// Reads the directory of a zip archive and walks through its pickle.
fn check_archive(file: &File, length: u64) -> Result<(), String> {
    let damaged = || "the archive is damaged or cut short".to_owned();
    // The end record is the last 22 bytes, or stands before a comment of up to 65 535 bytes.
    let tail_at = length.saturating_sub(22 + 65_535);
    let tail = bytes_at(file, tail_at, length - tail_at)?;
    let ends = |&at: &usize| {
        tail[at..].starts_with(b"PK\x05\x06") && at + 22 + usize::from(u16_at(&tail, at + 20)) == tail.len()
    };
    let end = (0..=tail.len().checked_sub(22).ok_or_else(damaged)?).rev().find(ends).ok_or_else(damaged)?;
    let (mut size, mut start) = (u64::from(u32_at(&tail, end + 12)), u64::from(u32_at(&tail, end + 16)));
    // An archive of 4 GiB and more has a larger record too.
    let larger = size == u64::from(u32::MAX) || start == u64::from(u32::MAX) || u16_at(&tail, end + 10) == u16::MAX;
    if larger && end >= 20 && tail[end - 20..].starts_with(b"PK\x06\x07") {
        let record = bytes_at(file, u64_at(&tail, end - 12), 56)?;
        if !record.starts_with(b"PK\x06\x06") {
            return Err(damaged());
        }
        (size, start) = (u64_at(&record, 40), u64_at(&record, 48));
    }
    if size > MOST_DIRECTORY {
        return Err(format!("its directory takes {} MiB; at most {} are read", size >> 20, MOST_DIRECTORY >> 20));
    }
    let directory = bytes_at(file, start, size)?;
    let mut budget = Budget { bytes: MOST_PICKLE, instructions: MOST_INSTRUCTIONS };
    let mut rest = &directory[..];
    while rest.len() >= 46 && rest.starts_with(b"PK\x01\x02") {
        let lengths = [28, 30, 32].map(|at| usize::from(u16_at(rest, at)));
        let name = rest.get(46..46 + lengths[0]).ok_or_else(damaged)?;
        if u16_at(rest, 10) != 0 {
            return Err(
                "its entries are packed, which PyTorch does not do; load it in PyTorch and save it again".to_owned()
            );
        }
        if name.ends_with(b"data.pkl") {
            let (bytes, at) = (u64::from(u32_at(rest, 24)), u64::from(u32_at(rest, 42)));
            if bytes > budget.bytes {
                budget.spend(bytes)?;
            }
            let local = bytes_at(file, at, 30)?;
            let at = at + 30 + u64::from(u16_at(&local, 26)) + u64::from(u16_at(&local, 28));
            walk(&mut &bytes_at(file, at, bytes)?[..], &mut budget)?;
        }
        rest = rest.get(46 + lengths.iter().sum::<usize>()..).ok_or_else(damaged)?;
    }
    if rest.is_empty() { Ok(()) } else { Err(damaged()) }
}

/// What may still come.
struct Budget {
    bytes: u64,
    instructions: u64,
}

impl Budget {
    fn spend(&mut self, bytes: u64) -> Result<(), String> {
        self.bytes = self.bytes.checked_sub(bytes).ok_or_else(|| {
            format!("what it says of its tensors takes more than {} MiB; save the state dict alone", MOST_PICKLE >> 20)
        })?;
        Ok(())
    }
}

/// Goes through the instructions of a pickle up to its end without doing what they say.
fn walk(reader: &mut impl BufRead, budget: &mut Budget) -> Result<(), String> {
    loop {
        budget.instructions = budget
            .instructions
            .checked_sub(1)
            .ok_or_else(|| format!("it describes more than {MOST_INSTRUCTIONS} objects; save the state dict alone"))?;
        let [instruction] = number(reader, budget)?;
        let counted = match instruction {
            b'.' => return Ok(()),
            b'I' | b'L' | b'F' | b'V' | b'g' | b'p' | b'P' => {
                line(reader, budget)?;
                continue;
            }
            b'c' | b'i' => {
                line(reader, budget)?;
                line(reader, budget)?;
                continue;
            }
            b'K' | b'h' | b'q' | 0x80 | 0x82 => 1,
            b'M' | 0x83 => 2,
            b'J' | b'j' | b'r' | 0x84 => 4,
            b'G' | 0x95 => 8,
            b'U' | b'C' | 0x8a | 0x8c => u64::from(number::<1>(reader, budget)?[0]),
            b'T' | b'X' | b'B' | 0x8b => u64::from(u32::from_le_bytes(number(reader, budget)?)),
            0x8d | 0x8e | 0x96 => u64::from_le_bytes(number(reader, budget)?),
            _ => 0,
        };
        budget.spend(counted)?;
        let skipped = std::io::copy(&mut reader.by_ref().take(counted), &mut std::io::sink()).map_err(unreadable)?;
        if skipped < counted {
            return Err(CUT_SHORT.to_owned());
        }
    }
}

const CUT_SHORT: &str = "it is damaged or cut short";

fn number<const N: usize>(reader: &mut impl BufRead, budget: &mut Budget) -> Result<[u8; N], String> {
    budget.spend(N as u64)?;
    let mut bytes = [0; N];
    reader.read_exact(&mut bytes).map_err(|_| CUT_SHORT)?;
    Ok(bytes)
}

/// Skips the rest of a line.
fn line(reader: &mut impl BufRead, budget: &mut Budget) -> Result<(), String> {
    let mut bytes = Vec::new();
    reader.by_ref().take(budget.bytes).read_until(b'\n', &mut bytes).map_err(unreadable)?;
    budget.spend(bytes.len() as u64)
}

fn bytes_at(mut file: &File, at: u64, count: u64) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let read = file.seek(SeekFrom::Start(at)).and_then(|_| file.take(count).read_to_end(&mut bytes));
    match read {
        Ok(read) if read as u64 == count => Ok(bytes),
        Ok(_) => Err(CUT_SHORT.to_owned()),
        Err(error) => Err(unreadable(error)),
    }
}

fn unreadable(error: std::io::Error) -> String {
    format!("it cannot be read ({error})")
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(array_at(bytes, at))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(array_at(bytes, at))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(array_at(bytes, at))
}

/// Zeros where there are none.
fn array_at<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes.get(at..at + N).and_then(|bytes| bytes.try_into().ok()).unwrap_or([0; N])
}
