//! One's own points from a text file: two number columns and one class column.

use std::borrow::Cow;
use std::path::Path;

use thiserror::Error;

use super::points::{PointSet, origin_of};
use crate::disk;

/// Fewest points that can be split into something to train on and something to test on.
pub const MIN_POINTS: usize = 10;
/// Most points that are read.
pub const MAX_POINTS: usize = 1_000_000;
/// Most bytes that are read.
pub const MAX_BYTES: u64 = 128 << 20;
/// Most bytes of a line.
pub const MAX_LINE: usize = 1 << 16;
/// Most classes: as many as can be told apart in a picture.
pub const MAX_CLASSES: usize = 10;

/// Largest number, of either sign: the sum of squares of a million of them, by which they are standardised, is still a
/// number in 64 bits, and the difference of two in 32.
pub const LARGEST: f64 = 1e38;

/// The three columns, in the only order that is read.
const COLUMNS: [&str; 3] = ["x", "y", "class"];

/// Why a file was refused. Every message names the file, and the line and column where there is one.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum CsvError {
    #[error("{file}: {problem}")]
    File { file: String, problem: String },
    #[error("{file}, line {line}: {problem}")]
    Line { file: String, line: u64, problem: String },
}

/// What was read, and what identifies the file.
#[derive(Debug, Clone, PartialEq)]
pub struct CsvPoints {
    pub points: PointSet,
    /// CRC-32 of the file's bytes.
    pub crc32: u32,
    pub bytes: u64,
    /// What the user should know of how it was read.
    pub notes: Vec<String>,
}

/// Reads a file: `,`, `;` or tab between columns (found from the first line, or named by Excel's `sep=;`), an optional
/// header line, lines that start with `#` skipped, two number columns x and y and a class column of numbers or names. A
/// decimal comma is understood where columns are separated by something else, or in quotes. `1` and `1.0` are one class.
/// Classes are ordered by number where all are numbers, else by name. Text in UTF-8, UTF-16 with its mark, or Windows-1252.
pub fn read(path: &Path) -> Result<CsvPoints, CsvError> {
    let file = path.display().to_string();
    let whole = |problem: String| CsvError::File { file: file.clone(), problem };
    if path.as_os_str().is_empty() {
        return Err(CsvError::File { file: "no file".to_owned(), problem: "choose a CSV file of points".to_owned() });
    }
    let bytes = disk::read(path, MAX_BYTES).map_err(|error| whole(cannot_open(path, &error)))?;
    parse(&file, &bytes)
}

fn cannot_open(path: &Path, error: &std::io::Error) -> String {
    match error.kind() {
        _ if path.is_dir() => "is a folder; expected a CSV file".to_owned(),
        std::io::ErrorKind::FileTooLarge => format!("is large; at most {} MiB are read", MAX_BYTES >> 20),
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        std::io::ErrorKind::PermissionDenied => "may not be read (permission denied)".to_owned(),
        _ => format!("cannot be read: {error}"),
    }
}

/// Reads the text of a file called `file` in messages.
pub fn parse(file: &str, bytes: &[u8]) -> Result<CsvPoints, CsvError> {
    let whole = |problem: String| CsvError::File { file: file.to_owned(), problem };
    let (text, western) = decoded(bytes).map_err(&whole)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let at = |line: u64, problem: String| CsvError::Line { file: file.to_owned(), line, problem };
    if let Some(long) = text.lines().position(|line| line.len() > MAX_LINE && !line.starts_with('#')) {
        let problem = format!("has more than {MAX_LINE} characters; expected exactly 3 columns: x, y, class");
        return Err(at(long as u64 + 1, problem));
    }
    let (named, rows, skipped) = separator_line(text);
    let at = |line: u64, problem: String| at(line + skipped, problem);
    let first = rows.lines().find(|line| !line.trim().is_empty() && !line.starts_with('#'));
    let Some(first) = first else {
        return Err(whole("is empty; expected the columns x, y, class".to_owned()));
    };
    let delimiter = named.unwrap_or_else(|| delimiter(first));
    let reader = || {
        csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .comment(Some(b'#'))
            .trim(csv::Trim::All)
            .delimiter(delimiter)
            .from_reader(rows.as_bytes())
    };
    // Between commas a decimal comma stands in quotes, where it could part thousands too.
    let decimal_comma = delimiter != b',' || reader().records().flatten().any(|record| has_decimal_comma(&record));

    let mut columns: [Vec<f64>; 2] = Default::default();
    let mut labels: Vec<String> = Vec::new();
    let mut class_of_label = std::collections::HashMap::<String, u32>::new();
    let mut classes = Vec::new();
    for (row, record) in reader().records().enumerate() {
        let record = record.map_err(|error| whole(format!("is not a table: {error}")))?;
        let line = record.position().map_or(0, csv::Position::line);
        if record.len() != COLUMNS.len() {
            return Err(at(line, wrong_columns(record.len(), delimiter)));
        }
        let cells = [0, 1].map(|column| number(&record[column], decimal_comma));
        if row == 0 && cells.iter().any(Option::is_none) && !looks_like_data(&record, decimal_comma) {
            continue; // The header.
        }
        if classes.len() == MAX_POINTS {
            return Err(whole(format!("has more than {MAX_POINTS} rows; take a sample of it")));
        }
        for (column, cell) in cells.into_iter().enumerate() {
            let named = format!("column {} ({})", column + 1, COLUMNS[column]);
            let typed = &record[column];
            match cell {
                Some(value) if value.abs() <= LARGEST => columns[column].push(value),
                Some(value) if value.is_finite() => {
                    let problem = format!("expected a number from -{LARGEST:e} to {LARGEST:e}; give its logarithm");
                    return Err(at(line, format!("{named} is `{typed}`; {problem}")));
                }
                Some(_) => return Err(at(line, format!("{named} is `{typed}`; expected a finite number"))),
                None if typed.contains(',') => {
                    let problem = match delimiter {
                        b',' => "expected a number; where columns are separated by `,`, write a decimal point",
                        _ => "expected a number; write it without signs that part thousands",
                    };
                    return Err(at(line, format!("{named} is `{typed}`; {problem}")));
                }
                None => return Err(at(line, format!("{named} is `{typed}`; expected a number"))),
            }
        }
        if record[2].is_empty() {
            return Err(at(line, "column 3 (class) is empty; expected a number or a name".to_owned()));
        }
        let label = class_name(&record[2], decimal_comma);
        let class = match class_of_label.get(&label) {
            Some(&class) => class,
            None if labels.len() == MAX_CLASSES => {
                return Err(at(
                    line,
                    format!(
                        "more than {MAX_CLASSES} different classes (`{label}` is one more); is column 3 the class?"
                    ),
                ));
            }
            None => {
                let class = labels.len() as u32;
                labels.push(label.clone());
                class_of_label.insert(label, class);
                class
            }
        };
        classes.push(class);
    }
    if classes.len() < MIN_POINTS {
        return Err(whole(format!(
            "has {} point{}; at least {MIN_POINTS} are needed",
            classes.len(),
            if classes.len() == 1 { "" } else { "s" }
        )));
    }
    if labels.len() < 2 {
        return Err(whole(format!("has only the class `{}`; at least 2 classes are needed", labels[0])));
    }
    let order = class_order(&labels);
    let mut rank = vec![0_u32; labels.len()];
    for (new, &old) in order.iter().enumerate() {
        rank[old] = new as u32;
    }
    let origin = [0, 1].map(|axis| origin_of(&columns[axis]));
    let xy = (0..classes.len()).map(|i| [0, 1].map(|axis| (columns[axis][i] - origin[axis]) as f32)).collect();
    let points = PointSet {
        xy,
        origin,
        classes: classes.into_iter().map(|class| rank[class as usize]).collect(),
        class_names: order.iter().map(|&old| labels[old].clone()).collect(),
    };
    let mut notes = Vec::new();
    if western {
        notes.push(
            "the file is not UTF-8 and was read as Windows-1252 (Western European); if names of classes look wrong, save it as \
             \"CSV UTF-8\""
                .to_owned(),
        );
    }
    notes.extend(lone_classes(&points));
    for axis in 0..2 {
        notes.extend(merged(&columns[axis], points.xy.iter().map(|p| p[axis]), COLUMNS[axis]));
    }
    Ok(CsvPoints { points, crc32: crc32fast::hash(bytes), bytes: bytes.len() as u64, notes })
}

/// Names classes of a single point, which no split can both train and test on.
fn lone_classes(points: &PointSet) -> Option<String> {
    let count = |class: usize| points.classes.iter().filter(|&&of| of as usize == class).count();
    let lone = points.class_names.iter().enumerate().filter(|(class, _)| count(*class) == 1);
    let names: Vec<String> = lone.map(|(_, name)| format!("`{name}`")).collect();
    let (class, has, it) = if names.len() == 1 { ("class", "has", "it") } else { ("classes", "have", "each") };
    (!names.is_empty()).then(|| {
        format!(
            "{class} {} {has} a single point: {it} is trained on or tested on, not both; look for mistyped names",
            names.join(", ")
        )
    })
}

/// Says where numbers are still the same ones in f32, which the network computes with, after the origin was taken off.
fn merged(values: &[f64], rounded: impl Iterator<Item = f32>, name: &str) -> Option<String> {
    let distinct = |mut bits: Vec<u64>| {
        bits.sort_unstable();
        bits.dedup();
        bits.len()
    };
    let before = distinct(values.iter().map(|value| value.to_bits()).collect());
    let after = distinct(rounded.map(|value| u64::from(value.to_bits())).collect());
    // A few of very many values with many digits always meet.
    (10 * after < 9 * before).then(|| {
        format!(
            "column {name}: of {before} different values only {after} differ in 32 bits, beside the largest ones; the network \
             cannot tell the others apart: look for outliers, or give their logarithm"
        )
    })
}

/// Whether one byte of nearly every two is 0, always the same one, as of western letters and digits in UTF-16.
fn is_utf16(bytes: &[u8]) -> bool {
    let pairs = bytes.as_chunks::<2>().0;
    let zeros = |half: usize| pairs.iter().filter(|pair| pair[half] == 0).count();
    let (first, second) = (zeros(0), zeros(1));
    first.min(second) == 0 && 2 * first.max(second) > pairs.len()
}

/// The text of a file, and whether its letters were guessed: UTF-8; UTF-16 with its mark, as Excel's "Unicode text"; or
/// Windows-1252, which Excel writes as "CSV" in western Europe.
pub(crate) fn decoded(bytes: &[u8]) -> Result<(Cow<'_, str>, bool), String> {
    let utf16 = |rest: &[u8], unit: fn([u8; 2]) -> u16| {
        let (units, left) = rest.as_chunks::<2>();
        let text = String::from_utf16(&units.iter().map(|pair| unit(*pair)).collect::<Vec<u16>>());
        match text {
            Ok(text) if left.is_empty() => Ok((Cow::Owned(text), false)),
            _ => Err("is damaged UTF-16 text, or cut short; save it as \"CSV UTF-8\"".to_owned()),
        }
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => return utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => return utf16(rest, u16::from_be_bytes),
        _ if is_utf16(bytes) => {
            return Err(
                "is UTF-16 text without the mark at its beginning that says so; save it as \"CSV UTF-8\"".to_owned()
            );
        }
        _ if bytes.contains(&0) => {
            return Err("is no text that can be read (it has bytes of 0); save it as \"CSV UTF-8\"".to_owned());
        }
        _ => {}
    }
    Ok(match std::str::from_utf8(bytes) {
        Ok(text) => (Cow::Borrowed(text), false),
        Err(_) => (Cow::Owned(bytes.iter().map(|&byte| western(byte)).collect()), true),
    })
}

/// A character of Windows-1252.
fn western(byte: u8) -> char {
    const FROM_128: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}', '‘',
        '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
    ];
    match byte {
        0x80..=0x9f => FROM_128[usize::from(byte - 0x80)],
        _ => char::from(byte),
    }
}

/// Excel's first line `sep=;`: what it names, the text after it, and how many lines that leaves out.
pub(crate) fn separator_line(text: &str) -> (Option<u8>, &str, u64) {
    let mut rest = text;
    for (number, line) in text.split_inclusive('\n').enumerate() {
        rest = &rest[line.len()..];
        let bare = line.trim_matches(['\r', '\n', ' ', '"']);
        if bare.is_empty() {
            continue;
        }
        let named = bare.get(..4).filter(|start| start.eq_ignore_ascii_case("sep=")).map(|_| &bare.as_bytes()[4..]);
        return match named {
            // A tab is trimmed nowhere above, and a bare `sep=` names nothing.
            Some(&[separator]) if separator.is_ascii() && !separator.is_ascii_alphanumeric() => {
                (Some(separator), rest, number as u64 + 1)
            }
            _ => (None, text, 0),
        };
    }
    (None, text, 0)
}

/// Tab or `;` where the line has at least two of them, else `,`.
fn delimiter(line: &str) -> u8 {
    let count = |c: char| line.matches(c).count();
    if count('\t') >= 2 {
        b'\t'
    } else if count(';') >= 2 {
        b';'
    } else {
        b','
    }
}

/// Whether a coordinate has a comma that cannot part thousands: `0,4676`, not `1,234`.
fn has_decimal_comma(record: &csv::StringRecord) -> bool {
    record.iter().take(2).any(|cell| {
        let Some((whole, fraction)) = cell.split_once(',') else { return false };
        let digits = whole.trim_start_matches(['-', '+']);
        let thousands = fraction.len() == 3 && (1..=3).contains(&digits.len()) && !digits.starts_with('0');
        number(cell, true).is_some() && !thousands
    })
}

/// A class as it is told from others: `1`, `1.0` and `1e0` are one. Whole numbers keep all their digits.
fn class_name(cell: &str, decimal_comma: bool) -> String {
    let digits = cell.strip_prefix('+').unwrap_or(cell);
    if !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit()) {
        let short = digits.trim_start_matches('0');
        return if short.is_empty() { "0".to_owned() } else { short.to_owned() };
    }
    match number(cell, decimal_comma).filter(|value| value.is_finite()) {
        // Without the sign of −0.
        Some(value) => (value + 0.0).to_string(),
        None => cell.to_owned(),
    }
}

fn wrong_columns(found: usize, delimiter: u8) -> String {
    let separator = match delimiter {
        b'\t' => "a tab",
        other => &format!("`{}`", char::from(other)),
    };
    let columns = if found == 1 { "column" } else { "columns" };
    format!("{found} {columns} separated by {separator}; expected exactly 3: x, y, class")
}

/// A number as typed, `NaN` and `inf` included (refused later, with their own message).
fn number(cell: &str, decimal_comma: bool) -> Option<f64> {
    let parsed = cell.parse().ok();
    if parsed.is_none() && decimal_comma && cell.matches(',').count() == 1 && !cell.contains('.') {
        return cell.replace(',', ".").parse().ok();
    }
    parsed
}

/// A first line with one number and one mistyped number is data with an error, not a header.
fn looks_like_data(record: &csv::StringRecord, decimal_comma: bool) -> bool {
    record.iter().take(2).any(|cell| number(cell, decimal_comma).is_some())
}

/// Indices of the labels, in order of number where all are numbers, else of name.
fn class_order(labels: &[String]) -> Vec<usize> {
    let numbers: Option<Vec<f64>> = labels.iter().map(|label| label.parse().ok()).collect();
    let mut order: Vec<usize> = (0..labels.len()).collect();
    match numbers {
        Some(numbers) => order.sort_by(|&a, &b| numbers[a].total_cmp(&numbers[b])),
        None => order.sort_by(|&a, &b| labels[a].cmp(&labels[b])),
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(n: usize, row: impl Fn(usize) -> String) -> String {
        (0..n).map(|i| row(i) + "\n").collect()
    }

    #[test]
    fn delimiters_headers_comments_and_decimal_commas_are_understood() {
        let plain = rows(12, |i| format!("{i}.5,-{i},{}", i % 2));
        let read = |text: &[u8]| parse("a.csv", text).unwrap().points;
        let expected = read(plain.as_bytes());
        assert_eq!((expected.xy[3], expected.classes[3]), ([3.5, -3.0], 1));
        for other in [
            format!("x,y,class\n{plain}"),
            format!("\u{feff}# made by hand\r\nx, y, label\r\n{}", plain.replace('\n', "\r\n")),
            plain.replace(',', ";"),
            plain.replace(',', "\t"),
            plain.replace(',', ";").replace('.', ","),
            plain.replace(',', " , "),
            format!("{plain}\n\n"),
            format!("sep=,\n{plain}"),
            format!("\u{feff}\"sep=;\"\r\nx;y;class\r\n{}", plain.replace(',', ";").replace('.', ",")),
            format!("\nSEP=|\n{}", plain.replace(',', "|")),
            format!("sep=\t\n{}", plain.replace(',', "\t")),
            rows(12, |i| format!("\"{i},5\",\"-{i}\",\"{}\"", i % 2)),
        ] {
            assert_eq!(read(other.as_bytes()), expected, "{other:?}");
            let units: Vec<u16> = other.trim_start_matches('\u{feff}').encode_utf16().collect();
            let little: Vec<u8> = [0xfeff].iter().chain(&units).flat_map(|unit| unit.to_le_bytes()).collect();
            let big: Vec<u8> = [0xfeff].iter().chain(&units).flat_map(|unit| unit.to_be_bytes()).collect();
            assert!(read(&little) == expected && read(&big) == expected, "{other:?}");
        }
    }

    #[test]
    fn one_number_is_one_class_however_it_is_written() {
        let text =
            rows(12, |i| format!("{i},0,{}", ["1", "1.0", " 1 ", "1e0", "+1", "01", "2", "2.00", "-0.0", "0"][i % 10]));
        let read = parse("a.csv", text.as_bytes()).unwrap().points;
        assert_eq!(
            (read.class_names, &read.classes[..10]),
            (["0", "1", "2"].map(str::to_owned).to_vec(), &[1, 1, 1, 1, 1, 1, 2, 2, 0, 0][..])
        );
        // Numbers of samples are longer than f64 tells apart; names stay names.
        let long = rows(12, |i| format!("{i},0,{}", ["9007199254740993", "9007199254740992", "1a", "1A"][i % 4]));
        assert_eq!(parse("a.csv", long.as_bytes()).unwrap().points.class_names.len(), 4);
        let comma = rows(12, |i| format!("{i};0;{}", ["1,0", "1", "1,5"][i % 3]));
        assert_eq!(parse("a.csv", comma.as_bytes()).unwrap().points.class_names, ["1", "1.5"]);
    }

    #[test]
    fn large_offsets_keep_every_difference() {
        let at = |offset: f64| {
            let text = rows(40, |i| format!("{},{},{}", offset + 0.25 * i as f64, 5 * i, i % 2));
            parse("a.csv", text.as_bytes()).unwrap()
        };
        let (near, far) = (at(0.0), at(1.7e9));
        assert_eq!((near.points.origin, far.points.origin), ([0.0; 2], [1_700_000_005.0, 0.0]));
        for (a, b) in near.points.xy.iter().zip(&far.points.xy) {
            assert_eq!((f64::from(a[0]), a[1]), (f64::from(b[0]) + 5.0, b[1]));
        }
        assert!(near.notes.is_empty() && far.notes.is_empty());
        // Beside one huge value nothing else can be told apart.
        let text = rows(40, |i| format!("{},0,{}", if i == 7 { 1e30 } else { 1e9 + i as f64 }, i % 2));
        let notes = parse("a.csv", text.as_bytes()).unwrap().notes;
        assert!(notes.len() == 1 && notes[0].contains("column x: of 40 different values only"), "{notes:?}");
    }

    #[test]
    fn a_table_in_another_alphabet_is_read_or_refused_with_what_to_do() {
        let western = rows(12, |i| format!("{i},0,{}", ["R\u{f6}ntgen", "k\u{f6}rnig"][i % 2]));
        let bytes: Vec<u8> = western.chars().map(|c| c as u8).collect();
        let read = parse("a.csv", &bytes).unwrap();
        assert_eq!(read.points.class_names, ["Röntgen", "körnig"]);
        assert!(read.notes[0].contains("Windows-1252") && read.notes[0].contains("CSV UTF-8"), "{:?}", read.notes);
        for bytes in [&b"1\0,\x002\0,\0a\0"[..], b"\xff\xfe1", b"\xff\xfe\x00\xd8\x00\x00"] {
            let message = parse("a.csv", bytes).unwrap_err().to_string();
            assert!(message.contains("CSV UTF-8"), "{message}");
        }
        for unit in [u16::to_le_bytes, u16::to_be_bytes] {
            let bytes: Vec<u8> = rows(12, |i| format!("{i};0;Größe {}", i % 2)).encode_utf16().flat_map(unit).collect();
            let message = parse("a.csv", &bytes).unwrap_err().to_string();
            assert!(message.contains("is UTF-16 text without the mark"), "{message}");
        }
        let thousands = rows(12, |i| format!("\"1,23{}\",0,{}", i % 10, i % 2));
        let message = parse("a.csv", thousands.as_bytes()).unwrap_err().to_string();
        assert!(message.contains("line 1: column 1 (x) is `1,230`") && message.contains("decimal point"), "{message}");
        let counted = parse("a.csv", format!("sep=;\n{}1;2\n", rows(12, |i| format!("{i};0;{}", i % 2))).as_bytes());
        assert!(counted.unwrap_err().to_string().contains("line 14: 2 columns separated by `;`"));
    }

    #[test]
    fn a_class_of_a_single_point_is_named() {
        let notes = |text: String| parse("a.csv", text.as_bytes()).unwrap().notes;
        let good = rows(12, |i| format!("{i},0,{}", i % 2));
        assert!(notes(good.clone()).is_empty());
        let one = notes(format!("{good}3,3,O\n"));
        assert!(one.len() == 1 && one[0].starts_with("class `O` has a single point"), "{one:?}");
        let two = notes(format!("{good}3,3,O\n4,4,l\n"));
        assert!(two.len() == 1 && two[0].starts_with("classes `O`, `l` have a single point"), "{two:?}");
    }

    #[test]
    fn the_largest_numbers_are_still_numbers_when_they_are_standardised() {
        let text = rows(40, |i| format!("{},{},{}", if i % 3 == 0 { 1e38 } else { -1e38 }, i, i % 2));
        let points = parse("a.csv", text.as_bytes()).unwrap().points;
        let standard = crate::data::points::Standardisation::of(&points.xy);
        assert!(points.xy.iter().all(|p| standard.apply(*p).iter().all(|value| value.is_finite())), "{standard:?}");
    }

    #[test]
    fn classes_are_ordered_by_number_or_by_name() {
        let named = rows(12, |i| format!("{i},0,{}", ["rose", "lily", "aster"][i % 3]));
        assert_eq!(parse("a.csv", named.as_bytes()).unwrap().points.class_names, ["aster", "lily", "rose"]);
        let numbered = rows(12, |i| format!("{i},0,{}", [10, 9, 2][i % 3]));
        let set = parse("a.csv", numbered.as_bytes()).unwrap().points;
        assert_eq!(set.class_names, ["2", "9", "10"]);
        assert_eq!(set.classes[..3], [2, 1, 0]);
    }

    #[test]
    fn every_refusal_names_the_file_and_the_place() {
        let good = rows(12, |i| format!("{i},0,{}", i % 2));
        let cases: Vec<(String, &str)> = vec![
            (String::new(), "a.csv: is empty"),
            ("\n \n".to_owned(), "a.csv: is empty"),
            ("x,y,class\n".to_owned(), "a.csv: has 0 points; at least 10"),
            (rows(9, |i| format!("{i},0,{}", i % 2)), "a.csv: has 9 points; at least 10"),
            (rows(12, |i| format!("{i},0,a")), "has only the class `a`; at least 2"),
            (rows(12, |i| format!("{i},0,{i}")), "line 11: more than 10 different classes (`10` is one more)"),
            (format!("{good}1,NaN,0\n"), "a.csv, line 13: column 2 (y) is `NaN`; expected a finite number"),
            (format!("{good}inf,1,0\n"), "a.csv, line 13: column 1 (x) is `inf`; expected a finite number"),
            (format!("{good}1e300,1,0\n"), "column 1 (x) is `1e300`; expected a number from -1e38 to 1e38"),
            (format!("{good}0,-1.1e38,0\n"), "column 2 (y) is `-1.1e38`; expected a number from -1e38 to 1e38"),
            (format!("{good}1e999,1,0\n"), "column 1 (x) is `1e999`; expected a finite number"),
            (format!("{good}1,two,0\n"), "a.csv, line 13: column 2 (y) is `two`; expected a number"),
            (format!("1,two,0\n{good}"), "a.csv, line 1: column 2 (y) is `two`; expected a number"),
            (format!("{good}1,2,\n"), "line 13: column 3 (class) is empty"),
            (format!("{good}1,2\n"), "line 13: 2 columns separated by `,`; expected exactly 3: x, y, class"),
            (rows(12, |i| format!("{i},0,1,2,{i}")), "line 1: 5 columns separated by `,`; expected exactly 3"),
            (rows(12, |i| format!("{i} 0 1")), "line 1: 1 column separated by `,`"),
        ];
        for (text, expected) in cases {
            let message = parse("a.csv", text.as_bytes()).unwrap_err().to_string();
            assert!(message.contains(expected), "{message:?} should contain {expected:?}");
        }
    }

    #[test]
    fn a_line_without_end_and_what_is_no_file_are_refused() {
        let good = rows(12, |i| format!("{i},0,{}", i % 2));
        let message = parse("a.csv", format!("{good}{}", ",".repeat(1 << 20)).as_bytes()).unwrap_err().to_string();
        assert!(message.contains("a.csv, line 13: has more than 65536 characters"), "{message}");
        assert!(parse("a.csv", format!("#{}\n{good}", "-".repeat(1 << 20)).as_bytes()).is_ok());

        let folder = tempfile::tempdir().unwrap();
        let message = read(folder.path()).unwrap_err().to_string();
        assert!(message.contains("is a folder; expected a CSV file"), "{message}");
        let large = folder.path().join("large.csv");
        std::fs::File::create(&large).unwrap().set_len(MAX_BYTES + 1).unwrap();
        let message = read(&large).unwrap_err().to_string();
        assert!(message.contains("large.csv: is large; at most 128 MiB"), "{message}");
        #[cfg(unix)]
        {
            // Reading it would wait for ever.
            let pipe = folder.path().join("pipe.csv");
            assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
            let message = read(&pipe).unwrap_err().to_string();
            assert!(message.contains("pipe.csv") && message.contains("not a file"), "{message}");
        }
    }

    #[test]
    fn a_file_with_too_many_rows_is_refused() {
        let text = "1,2,a\n1,3,b\n".repeat(MAX_POINTS / 2 + 1);
        let message = parse("big.csv", text.as_bytes()).unwrap_err().to_string();
        assert_eq!(message, "big.csv: has more than 1000000 rows; take a sample of it");
    }
}
