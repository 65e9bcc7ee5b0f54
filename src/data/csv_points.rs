//! One's own points from a text file: two number columns and one class column.

use std::path::Path;

use thiserror::Error;

use super::points::PointSet;
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
}

/// Reads a file: `,`, `;` or tab between columns (found from the first line), an optional header line, lines that start
/// with `#` skipped, two number columns x and y and a class column of numbers or names. Where columns are separated by
/// `;` or tab, a decimal comma is understood. Classes are ordered by number where all are numbers, else by name.
pub fn read(path: &Path) -> Result<CsvPoints, CsvError> {
    let file = path.display().to_string();
    let whole = |problem: String| CsvError::File { file: file.clone(), problem };
    if path.as_os_str().is_empty() {
        return Err(CsvError::File { file: "no file".to_owned(), problem: "choose a CSV file of points".to_owned() });
    }
    let bytes = disk::read(path, MAX_BYTES).map_err(|error| whole(cannot_open(path, &error)))?;
    let points = parse(&file, &bytes)?;
    Ok(CsvPoints { points, crc32: crc32fast::hash(&bytes), bytes: bytes.len() as u64 })
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
pub fn parse(file: &str, bytes: &[u8]) -> Result<PointSet, CsvError> {
    let whole = |problem: String| CsvError::File { file: file.to_owned(), problem };
    let at = |line: u64, problem: String| CsvError::Line { file: file.to_owned(), line, problem };
    let text = std::str::from_utf8(bytes)
        .map_err(|error| whole(format!("is not UTF-8 text (byte {})", error.valid_up_to())))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if let Some(long) = text.lines().position(|line| line.len() > MAX_LINE && !line.starts_with('#')) {
        let problem = format!("has more than {MAX_LINE} characters; expected exactly 3 columns: x, y, class");
        return Err(at(long as u64 + 1, problem));
    }
    let first = text.lines().find(|line| !line.trim().is_empty() && !line.starts_with('#'));
    let Some(first) = first else {
        return Err(whole("is empty; expected the columns x, y, class".to_owned()));
    };
    let delimiter = delimiter(first);
    let decimal_comma = delimiter != b',';

    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .comment(Some(b'#'))
        .trim(csv::Trim::All)
        .delimiter(delimiter)
        .from_reader(text.as_bytes());
    let mut xy = Vec::new();
    let mut labels: Vec<String> = Vec::new();
    let mut class_of_label = std::collections::HashMap::<String, u32>::new();
    let mut classes = Vec::new();
    for (row, record) in reader.records().enumerate() {
        let record = record.map_err(|error| whole(format!("is not a table: {error}")))?;
        let line = record.position().map_or(0, csv::Position::line);
        if record.len() != COLUMNS.len() {
            return Err(at(line, wrong_columns(record.len(), delimiter)));
        }
        let cells = [0, 1].map(|column| number(&record[column], decimal_comma));
        if row == 0 && cells.iter().any(Option::is_none) && !looks_like_data(&record, decimal_comma) {
            continue; // The header.
        }
        if xy.len() == MAX_POINTS {
            return Err(whole(format!("has more than {MAX_POINTS} rows; take a sample of it")));
        }
        let mut point = [0.0_f32; 2];
        for (column, cell) in cells.into_iter().enumerate() {
            let named = format!("column {} ({})", column + 1, COLUMNS[column]);
            point[column] = match cell {
                Some(value) if (value as f32).is_finite() => value as f32,
                Some(_) => {
                    return Err(at(line, format!("{named} is `{}`; expected a finite number", &record[column])));
                }
                None => return Err(at(line, format!("{named} is `{}`; expected a number", &record[column]))),
            };
        }
        let label = &record[2];
        if label.is_empty() {
            return Err(at(line, "column 3 (class) is empty; expected a number or a name".to_owned()));
        }
        let class = match class_of_label.get(label) {
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
                labels.push(label.to_owned());
                class_of_label.insert(label.to_owned(), class);
                class
            }
        };
        xy.push(point);
        classes.push(class);
    }
    if xy.len() < MIN_POINTS {
        return Err(whole(format!("has {} points; at least {MIN_POINTS} are needed", xy.len())));
    }
    if labels.len() < 2 {
        return Err(whole(format!("has only the class `{}`; at least 2 classes are needed", labels[0])));
    }
    let order = class_order(&labels);
    let mut rank = vec![0_u32; labels.len()];
    for (new, &old) in order.iter().enumerate() {
        rank[old] = new as u32;
    }
    Ok(PointSet {
        xy,
        classes: classes.into_iter().map(|class| rank[class as usize]).collect(),
        class_names: order.iter().map(|&old| labels[old].clone()).collect(),
    })
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

fn wrong_columns(found: usize, delimiter: u8) -> String {
    let separator = match delimiter {
        b'\t' => "a tab",
        b';' => "`;`",
        _ => "`,`",
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
        let expected = parse("a.csv", plain.as_bytes()).unwrap();
        assert_eq!((expected.xy[3], expected.classes[3]), ([3.5, -3.0], 1));
        for other in [
            format!("x,y,class\n{plain}"),
            format!("\u{feff}# made by hand\r\nx, y, label\r\n{}", plain.replace('\n', "\r\n")),
            plain.replace(',', ";"),
            plain.replace(',', "\t"),
            plain.replace(',', ";").replace('.', ","),
            plain.replace(',', " , "),
            format!("{plain}\n\n"),
        ] {
            assert_eq!(parse("a.csv", other.as_bytes()).unwrap(), expected, "{other:?}");
        }
    }

    #[test]
    fn classes_are_ordered_by_number_or_by_name() {
        let named = rows(12, |i| format!("{i},0,{}", ["rose", "lily", "aster"][i % 3]));
        assert_eq!(parse("a.csv", named.as_bytes()).unwrap().class_names, ["aster", "lily", "rose"]);
        let numbered = rows(12, |i| format!("{i},0,{}", [10, 9, 2][i % 3]));
        let set = parse("a.csv", numbered.as_bytes()).unwrap();
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
            (format!("{good}1e300,1,0\n"), "column 1 (x) is `1e300`; expected a finite number"),
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
        let message = parse("a.csv", b"1,2,\xff\n").unwrap_err().to_string();
        assert!(message.contains("not UTF-8 text (byte 4)"), "{message}");
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
