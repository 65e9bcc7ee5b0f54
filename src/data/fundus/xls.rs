//! Old Excel workbooks (`.xls`, BIFF8): the cells of the first sheet that has any, within bounds whatever a file claims.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Bytes of a workbook. A sheet of 100 pictures has 20 KiB.
pub const MOST_BYTES: u64 = 16 << 20;
/// Columns that are read; the tables of pictures have four.
const COLUMNS: u16 = 32;

const SAVE: &str = "open it in a spreadsheet and save the sheet as .csv";

/// Record numbers of BIFF8.
const BOF: u16 = 0x0809;
const END: u16 = 0x000a;
const CONTINUE: u16 = 0x003c;
const FILEPASS: u16 = 0x002f;
const SHEET: u16 = 0x0085;
const STRINGS: u16 = 0x00fc;
const FORMULA: u16 = 0x0006;
const LABEL: u16 = 0x0204;
const SHARED_LABEL: u16 = 0x00fd;
const NUMBER: u16 = 0x0203;
const RK: u16 = 0x027e;
const MANY_RK: u16 = 0x00bd;

type Cells = BTreeMap<u16, BTreeMap<u16, String>>;

/// The rows that have cells, each as wide as its last one; empty cells are empty texts. Whole numbers have no decimal point.
pub fn rows(bytes: &[u8]) -> Result<Vec<Vec<String>>, String> {
    let damaged = || format!("is a damaged Excel workbook, or none; {SAVE}");
    // The container's reader is not ours: what a hostile file makes it do is that file's problem alone.
    let stream = catch_unwind(AssertUnwindSafe(|| workbook(bytes))).ok().flatten().ok_or_else(damaged)?;
    let records = records(&stream);
    match records.first() {
        Some(Record { id: BOF, data, .. }) if number16(data, 0) == Some(0x0600) => {}
        Some(Record { id: BOF, .. }) => return Err(format!("is of Excel 95 or older; {SAVE}")),
        _ => return Err(damaged()),
    }
    if records.iter().any(|record| record.id == FILEPASS) {
        return Err(format!("is protected by a password; {SAVE}"));
    }
    let strings = shared_strings(&records);
    let starts: Vec<usize> = records
        .iter()
        .filter(|record| record.id == SHEET && record.data.get(5) == Some(&0))
        .filter_map(|record| Some(u32::from_le_bytes(*record.data.first_chunk()?) as usize))
        .collect();
    for start in starts {
        let cells = sheet(&records, start, &strings);
        if !cells.is_empty() {
            let row = |cells: BTreeMap<u16, String>| {
                let width = cells.keys().last().map_or(0, |last| usize::from(*last) + 1);
                let mut row = vec![String::new(); width];
                cells.into_iter().for_each(|(column, text)| row[usize::from(column)] = text);
                row
            };
            return Ok(cells.into_values().map(row).collect());
        }
    }
    Err(format!("is an Excel workbook without a filled sheet; {SAVE}"))
}

/// The stream of the workbook within its container.
fn workbook(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut file = cfb::CompoundFile::open(Cursor::new(bytes)).ok()?;
    let name = ["/Workbook", "/Book"].into_iter().find(|name| file.is_stream(name))?;
    let mut stream = Vec::new();
    file.open_stream(name).ok()?.take(MOST_BYTES).read_to_end(&mut stream).ok()?;
    Some(stream)
}

/// A record: where it begins in the stream, its number and its bytes.
struct Record<'a> {
    at: usize,
    id: u16,
    data: &'a [u8],
}

/// As many as are whole.
fn records(stream: &[u8]) -> Vec<Record<'_>> {
    let (mut all, mut at) = (Vec::new(), 0);
    while let (Some(id), Some(length)) = (number16(stream, at), number16(stream, at + 2)) {
        let Some(data) = stream.get(at + 4..at + 4 + usize::from(length)) else { break };
        all.push(Record { at, id, data });
        at += 4 + data.len();
    }
    all
}

fn number16(data: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*data.get(at..)?.first_chunk()?))
}

fn float(data: &[u8], at: usize) -> Option<f64> {
    Some(f64::from_le_bytes(*data.get(at..)?.first_chunk()?))
}

/// A number that is packed in 32 bits: 30 of a whole number or the highest 30 of a float, perhaps times 100.
fn packed(data: &[u8], at: usize) -> Option<f64> {
    let bits = u32::from_le_bytes(*data.get(at..)?.first_chunk()?);
    let value =
        if bits & 2 != 0 { f64::from(bits.cast_signed() >> 2) } else { f64::from_bits(u64::from(bits & !3) << 32) };
    Some(if bits & 1 != 0 { value / 100.0 } else { value })
}

fn text(value: f64) -> Option<String> {
    value.is_finite().then(|| value.to_string())
}

/// The cells of the sheet whose records begin at byte `start`.
fn sheet(records: &[Record<'_>], start: usize, strings: &[String]) -> Cells {
    let mut cells = Cells::new();
    let first = records.partition_point(|record| record.at < start);
    let (mut depth, mut put) = (0_usize, |row: u16, column: u16, text: Option<String>| {
        if let Some(text) = text.filter(|text| !text.is_empty() && column < COLUMNS) {
            cells.entry(row).or_default().insert(column, text);
        }
    });
    for Record { id, data, .. } in &records[first..] {
        // A chart within a sheet has records of its own.
        match *id {
            BOF => depth += 1,
            END if depth <= 1 => break,
            END => depth -= 1,
            _ => {}
        }
        let (Some(row), Some(column)) = (number16(data, 0), number16(data, 2)) else { continue };
        if depth != 1 {
            continue;
        }
        match *id {
            SHARED_LABEL => {
                let index = data.get(6..).and_then(|rest| rest.first_chunk()).map(|bytes| u32::from_le_bytes(*bytes));
                put(row, column, index.and_then(|index| strings.get(index as usize).cloned()));
            }
            LABEL => put(row, column, data.get(6..).and_then(|rest| Pieces::new(vec![rest]).string())),
            NUMBER => put(row, column, float(data, 6).and_then(text)),
            // A result that is no number is marked by its last two bytes.
            FORMULA if number16(data, 12) != Some(0xffff) => put(row, column, float(data, 6).and_then(text)),
            RK => put(row, column, packed(data, 6).and_then(text)),
            MANY_RK => {
                for k in 0..(data.len().saturating_sub(6) / 6) as u16 {
                    put(row, column.saturating_add(k), packed(data, 6 + 6 * usize::from(k)).and_then(text));
                }
            }
            _ => {}
        }
    }
    cells
}

/// The texts that cells share, as far as they are whole.
fn shared_strings(records: &[Record<'_>]) -> Vec<String> {
    let Some(at) = records.iter().position(|record| record.id == STRINGS) else { return Vec::new() };
    let more = records[at + 1..].iter().take_while(|record| record.id == CONTINUE).map(|record| record.data);
    let mut pieces = Pieces::new([records[at].data].into_iter().chain(more).collect());
    if pieces.skip(8).is_none() {
        return Vec::new();
    }
    std::iter::from_fn(|| pieces.string()).collect()
}

/// Bytes in several records. A text that goes on in the next one says there anew how wide its letters are.
struct Pieces<'a> {
    pieces: Vec<&'a [u8]>,
    piece: usize,
    at: usize,
}

impl<'a> Pieces<'a> {
    fn new(pieces: Vec<&'a [u8]>) -> Self {
        Self { pieces, piece: 0, at: 0 }
    }

    fn byte(&mut self) -> Option<u8> {
        while self.at >= self.pieces.get(self.piece)?.len() {
            (self.piece, self.at) = (self.piece + 1, 0);
        }
        self.at += 1;
        Some(self.pieces[self.piece][self.at - 1])
    }

    fn skip(&mut self, count: usize) -> Option<()> {
        (0..count).try_for_each(|_| self.byte().map(drop))
    }

    fn number(&mut self) -> Option<u16> {
        Some(u16::from_le_bytes([self.byte()?, self.byte()?]))
    }

    /// A text with its length before it, and what formats it behind it.
    fn string(&mut self) -> Option<String> {
        let count = self.number()?;
        let flags = self.byte()?;
        let runs = if flags & 8 != 0 { usize::from(self.number()?) } else { 0 };
        let beside = if flags & 4 != 0 { [self.number()?, self.number()?] } else { [0; 2] };
        let mut wide = flags & 1 != 0;
        let mut units = Vec::new();
        for _ in 0..count {
            if self.at >= self.pieces.get(self.piece)?.len() {
                wide = self.byte()? & 1 != 0;
            }
            units.push(if wide { self.number()? } else { u16::from(self.byte()?) });
        }
        self.skip(4 * runs + usize::from(beside[0]) + (usize::from(beside[1]) << 16))?;
        Some(String::from_utf16_lossy(&units))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Written by xlwt: texts, one of which goes on in a further record, and numbers of all kinds.
    const SAMPLE: &[u8] = include_bytes!("../../../tests/data/annotation.xls");

    #[test]
    fn a_workbook_is_read_cell_by_cell() {
        let rows = rows(SAMPLE).unwrap();
        assert_eq!(rows[0][..3], ["Image name", "Ophthalmologic department", "Retinopathy grade"]);
        let first = ["20051020_43808_0100_PP.tif", "Service Ophtalmologie Lariboisière", "3", "1", "-7"];
        assert_eq!(rows[1], first);
        let long = "α".repeat(3000) + &"b".repeat(2000);
        let notes: Vec<&str> = rows[2..].iter().map(|row| row[4].as_str()).collect();
        assert_eq!(notes, ["1.5", &long, "4000000000", "0.01"]);
        assert_eq!((rows[3][1].as_str(), rows.len()), ("", 6));
    }

    #[test]
    fn damaged_workbooks_are_refused_without_a_panic() {
        for cut in [0, 100, 512, 1024] {
            assert!(rows(&SAMPLE[..cut]).is_err(), "{cut}");
        }
        assert!(rows(b"Image name,Retinopathy grade\n").unwrap_err().contains("save the sheet as .csv"));
        // One byte after another is wrong; the reader gives what is left or says so.
        for at in (0..SAMPLE.len()).step_by(37) {
            let mut bytes = SAMPLE.to_vec();
            bytes[at] ^= 0xff;
            let _ = rows(&bytes);
        }
        // Texts that claim more than there is.
        let claims: &[u8] = &[0xff, 0xff, 0x0c, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1];
        assert_eq!(Pieces::new(vec![claims]).string(), None);
    }
}
