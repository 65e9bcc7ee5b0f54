//! Tables as text files, whichever program wrote them: `,`, `;` or tab between cells, UTF-8, UTF-16 or Windows-1252.

use super::csv_points::{decoded, separator_line};

/// A row of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The line of the file where it begins, from 1 on.
    pub number: usize,
    pub cells: Vec<String>,
}

impl Row {
    /// A cell without spaces around it; empty where the row is shorter.
    pub fn cell(&self, column: usize) -> &str {
        self.cells.get(column).map_or("", |cell| cell.trim())
    }
}

/// Letters and digits alone, small: columns are compared by it.
pub fn plain(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The column that has one of these names, which are [`plain`]; the first name that there is counts.
pub fn column(header: &[String], names: &[&str]) -> Option<usize> {
    names.iter().find_map(|name| header.iter().position(|cell| plain(cell) == *name))
}

/// The rows of a table, its heading among them. Cells are parted by what Excel's line `sep=;` names, or by what the first line has most
/// of: `,`, `;` or tab.
///
/// # Errors
/// No text, no table, more than so many rows below the heading; in words that stand behind the file's name.
pub fn rows(bytes: &[u8], most_rows: usize) -> Result<Vec<Row>, String> {
    let (text, _) = decoded(bytes)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let (named, rest, skipped) = separator_line(text);
    let first = rest.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let most = [b'\t', b';', b','].into_iter().max_by_key(|c| first.bytes().filter(|byte| byte == c).count());
    let delimiter = named.or(most).unwrap_or(b',');
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .delimiter(delimiter)
        .from_reader(rest.as_bytes());
    // Blank lines count, and so do those within a cell in quotes.
    let (mut at, mut line) = (0, 1 + skipped as usize);
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| format!("is not a table: {error}"))?;
        if rows.len() > most_rows {
            return Err(format!("has more than {most_rows} rows"));
        }
        let before = record.position().map_or(at, |position| position.byte() as usize);
        let start = rest.len() - rest.get(before..).map_or(0, |rest| rest.trim_start_matches(['\r', '\n']).len());
        line += rest.get(at..start).map_or(0, |passed| passed.matches('\n').count());
        at = start;
        rows.push(Row { number: line, cells: record.iter().map(str::to_owned).collect() });
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_found_whatever_parts_them() {
        let expected = [vec!["a", "b"], vec!["1,5", "two\nlines"], vec!["x"]];
        for text in [
            "a;b\r\n1,5;\"two\nlines\"\r\n\r\nx",
            "sep=;\n a ; b\n1,5;\"two\nlines\"\nx\n",
            "a,b\n\"1,5\",\"two\nlines\"\nx",
        ] {
            let rows = rows(text.as_bytes(), 2).unwrap();
            assert_eq!(rows.iter().map(|row| row.cells.clone()).collect::<Vec<_>>(), expected, "{text}");
            assert_eq!(rows[2].number, if text.starts_with("a,b") { 4 } else { 5 });
            assert_eq!((rows[1].cell(0), rows[2].cell(1)), ("1,5", ""));
        }
        assert_eq!(rows(b"a\nb\nc\n", 1).unwrap_err(), "has more than 1 rows");
    }
}
