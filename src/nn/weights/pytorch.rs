//! What is looked at before a PyTorch file is given to its reader, which builds every object that the file describes: a
//! few kilobytes can describe gigabytes of them.
//!
//! A file is either a zip archive with a pickle `data.pkl` in it, which PyTorch never packs; or pickles one after the
//! other.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};

/// Bytes of all pickles together; the numbers of the tensors are not in them.
const MOST_PICKLE: u64 = 64 << 20;
/// Instructions of all pickles together, each of which may make one object. A checkpoint takes some 35 a tensor.
const MOST_INSTRUCTIONS: u64 = 1_000_000;
/// Bytes of the names of all tensors together.
const MOST_NAMES: u64 = 64 << 20;
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
        let pickle = name.ends_with(b"data.pkl");
        // What is packed among the others, as the code of a scripted model, is not read.
        if u16_at(rest, 10) != 0 && (pickle || name.windows(5).any(|part| part == b"data/")) {
            return Err(
                "its numbers are packed, which PyTorch does not do; load it in PyTorch and save it again".to_owned()
            );
        }
        if pickle {
            let (bytes, at) = (u64::from(u32_at(rest, 24)), u64::from(u32_at(rest, 42)));
            let local = bytes_at(file, at, 30)?;
            let at = at + 30 + u64::from(u16_at(&local, 26)) + u64::from(u16_at(&local, 28));
            // No more is fetched than may be walked through.
            let pickle = bytes_at(file, at, bytes.min(budget.bytes + 1))?;
            walk(&mut &pickle[..], &mut budget)?;
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

/// What a value of a pickle comes to in names of tensors: the reader makes each of all the keys above it, so that a long
/// key above many tensors takes far more than its file.
#[derive(Debug, Clone, Copy, Default)]
struct Value {
    /// Bytes of a text.
    text: u64,
    /// Tensors in it, at most.
    tensors: u64,
    /// Bytes of their names from here on.
    names: u64,
    memo: Option<u32>,
}

impl Value {
    /// A list, or with `keyed` a dictionary of keys and values in turn.
    fn holding(items: &[Value], keyed: bool) -> Self {
        const NUMBER: u64 = 20;
        let mut all = Value::default();
        for (i, item) in items.iter().enumerate().filter(|(i, _)| !keyed || i % 2 == 1) {
            // Two values may be a key and its value too.
            let key = if keyed || items.len() == 2 { items[i.saturating_sub(1)].text } else { 0 };
            let named = item.tensors.saturating_mul(key.max(NUMBER));
            all.add(Value { names: item.names.saturating_add(named), ..*item });
        }
        all
    }

    fn add(&mut self, other: Value) {
        self.tensors = self.tensors.saturating_add(other.tensors);
        self.names = self.names.saturating_add(other.names);
    }
}

/// The stack, the marks in it and the memory of a pickle.
#[derive(Default)]
struct Machine {
    stack: Vec<Value>,
    marks: Vec<usize>,
    memo: HashMap<u32, Value>,
}

impl Machine {
    fn pop(&mut self) -> Result<Value, String> {
        self.stack.pop().ok_or_else(|| CUT_SHORT.to_owned())
    }

    fn top(&mut self) -> Result<&mut Value, String> {
        self.stack.last_mut().ok_or_else(|| CUT_SHORT.to_owned())
    }

    /// The values above the last mark.
    fn marked(&mut self) -> Result<Vec<Value>, String> {
        let mark = self.marks.pop().filter(|&mark| mark <= self.stack.len());
        Ok(self.stack.split_off(mark.ok_or(CUT_SHORT)?))
    }

    fn last(&mut self, count: usize) -> Result<Vec<Value>, String> {
        let from = self.stack.len().checked_sub(count).ok_or(CUT_SHORT)?;
        Ok(self.stack.split_off(from))
    }

    fn remember(&mut self, place: u32) -> Result<(), String> {
        let top = self.top()?;
        top.memo = Some(place);
        let top = *top;
        self.memo.insert(place, top);
        Ok(())
    }

    /// `argument`: the length of a text, or a place in the memory.
    fn step(&mut self, instruction: u8, argument: u64) -> Result<(), String> {
        match instruction {
            0x80 | 0x95 => {}
            b'V' | b'X' | b'U' | b'T' | 0x8c | 0x8d => {
                self.stack.push(Value { text: argument, ..Value::default() });
            }
            b'N' | b'I' | b'L' | b'F' | b'J' | b'K' | b'M' | b'G' | b'B' | b'C' | b'c' | b'P' | b')' | b']' | b'}'
            | 0x88 | 0x89 | 0x8a | 0x8b | 0x8e | 0x8f | 0x96 => self.stack.push(Value::default()),
            b'(' => self.marks.push(self.stack.len()),
            b'0' if self.marks.last() == Some(&self.stack.len()) => drop(self.marks.pop()),
            b'0' => drop(self.pop()?),
            b'1' => drop(self.marked()?),
            b'2' => {
                let top = *self.top()?;
                self.stack.push(top);
            }
            b't' | b'l' | b'd' | 0x91 => {
                let items = self.marked()?;
                self.stack.push(Value::holding(&items, instruction == b'd'));
            }
            0x85..=0x87 => {
                let items = self.last(usize::from(instruction) - 0x84)?;
                self.stack.push(Value::holding(&items, false));
            }
            b'a' | b's' => {
                let items = self.last(if instruction == b'a' { 1 } else { 2 })?;
                self.top()?.add(Value::holding(&items, instruction == b's'));
            }
            b'e' | b'u' | 0x90 => {
                let items = self.marked()?;
                self.top()?.add(Value::holding(&items, instruction == b'u'));
            }
            // A call, which may make one tensor.
            b'R' => {
                let [_, with] = self.last(2)?[..] else { return Err(CUT_SHORT.to_owned()) };
                self.stack.push(Value { tensors: with.tensors.max(1), names: with.names, ..Value::default() });
            }
            b'b' => {
                let state = self.pop()?;
                let built = self.top()?;
                built.add(state);
                let built = *built;
                if let Some(place) = built.memo {
                    self.memo.insert(place, built);
                }
            }
            b'Q' | 0x81 | 0x92 | 0x93 => {
                let count = match instruction {
                    b'Q' => 1,
                    0x92 => 3,
                    _ => 2,
                };
                self.last(count)?;
                self.stack.push(Value::default());
            }
            b'h' | b'j' | b'g' => {
                let place = u32::try_from(argument).ok();
                let known = place.and_then(|place| self.memo.get(&place)).copied();
                self.stack.push(known.ok_or(CUT_SHORT)?);
            }
            b'q' | b'r' | b'p' => self.remember(u32::try_from(argument).map_err(|_| CUT_SHORT)?)?,
            0x94 => self.remember(self.memo.len() as u32)?,
            other => return Err(format!("it has an instruction {other:#04x}, which PyTorch does not write")),
        }
        Ok(())
    }
}

/// Goes through the instructions of a pickle up to its end, and builds nothing but sums.
fn walk(reader: &mut impl BufRead, budget: &mut Budget) -> Result<(), String> {
    let mut machine = Machine::default();
    loop {
        budget.instructions = budget
            .instructions
            .checked_sub(1)
            .ok_or_else(|| format!("it describes more than {MOST_INSTRUCTIONS} objects; save the state dict alone"))?;
        let [instruction] = number(reader, budget)?;
        // What follows the instruction, and the bytes of it that are of no interest.
        let (argument, skipped) = match instruction {
            b'.' => break,
            b'g' | b'p' => {
                let text = line(reader, budget)?;
                let place = std::str::from_utf8(&text).ok().and_then(|text| text.trim().parse().ok());
                (place.ok_or(CUT_SHORT)?, 0)
            }
            b'I' | b'L' | b'F' | b'V' | b'P' => (line(reader, budget)?.len() as u64, 0),
            b'c' => {
                line(reader, budget)?;
                line(reader, budget)?;
                (0, 0)
            }
            b'h' | b'q' => (u64::from(number::<1>(reader, budget)?[0]), 0),
            b'j' | b'r' => (u64::from(u32::from_le_bytes(number(reader, budget)?)), 0),
            b'K' | 0x80 => (0, 1),
            b'M' => (0, 2),
            b'J' => (0, 4),
            b'G' | 0x95 => (0, 8),
            b'U' | b'C' | 0x8a | 0x8c => {
                let length = u64::from(number::<1>(reader, budget)?[0]);
                (length, length)
            }
            b'T' | b'X' | b'B' | 0x8b => {
                let length = u64::from(u32::from_le_bytes(number(reader, budget)?));
                (length, length)
            }
            0x8d | 0x8e | 0x96 => {
                let length = u64::from_le_bytes(number(reader, budget)?);
                (length, length)
            }
            _ => (0, 0),
        };
        budget.spend(skipped)?;
        if io::copy(&mut reader.by_ref().take(skipped), &mut io::sink()).map_err(unreadable)? < skipped {
            return Err(CUT_SHORT.to_owned());
        }
        machine.step(instruction, argument)?;
    }
    if machine.pop()?.names > MOST_NAMES {
        return Err(format!("the names of its tensors take more than {} MiB", MOST_NAMES >> 20));
    }
    Ok(())
}

const CUT_SHORT: &str = "it is damaged or cut short";

fn number<const N: usize>(reader: &mut impl BufRead, budget: &mut Budget) -> Result<[u8; N], String> {
    budget.spend(N as u64)?;
    let mut bytes = [0; N];
    reader.read_exact(&mut bytes).map_err(|_| CUT_SHORT)?;
    Ok(bytes)
}

/// The rest of a line.
fn line(reader: &mut impl BufRead, budget: &mut Budget) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    reader.by_ref().take(budget.bytes).read_until(b'\n', &mut bytes).map_err(unreadable)?;
    budget.spend(bytes.len() as u64)?;
    Ok(bytes)
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

fn unreadable(error: io::Error) -> String {
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
