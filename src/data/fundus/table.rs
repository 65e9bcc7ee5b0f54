//! Tables of pictures with their grades: text files and old Excel workbooks, columns found by their names.

use std::path::{Path, PathBuf};

use super::super::DataError;
use super::super::table_file;
use super::xls;
use crate::disk;

/// Bytes of a text file.
const MOST_BYTES: u64 = 128 << 20;
/// Rows of a table, as many as a folder may hold pictures.
const MOST_ROWS: usize = 200_000;

/// What columns are called, as people have them, less everything but letters and digits.
const IMAGE: &[&str] = &["imagename", "image", "imageid", "idcode", "filename", "file", "name", "picture", "img", "id"];
const GRADE: &[&str] = &[
    "retinopathygrade",
    "adjudicateddrgrade",
    "drgrade",
    "grade",
    "diagnosis",
    "level",
    "retinopathy",
    "severity",
    "label",
];
const EDEMA: &[&str] = &["riskofmacularedema", "adjudicateddme", "edema", "dme"];

/// A picture of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// As it stands there, with or without an ending.
    pub image: String,
    /// Retinopathy, 0 to 4; `None`: its cell is empty.
    pub grade: Option<u8>,
    /// Risk of macular edema, 0 to 2.
    pub edema: Option<u8>,
}

/// A table that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    pub path: PathBuf,
    pub rows: Vec<Row>,
}

/// Whether a file may be a table, by its name.
pub fn is_table_name(name: &str) -> bool {
    let name = name.to_lowercase();
    [".csv", ".tsv", ".xls", ".xlsx"].iter().any(|ending| name.ends_with(ending))
}

/// Reads a table. The first row names the columns, which are found by their names in any order.
///
/// # Errors
/// Naming the file, and the row where there is one: no such file, no table, no column of images or grades, a grade that is none.
pub fn read(path: &Path) -> Result<Table, DataError> {
    let refused = |problem: String| DataError::file(path, problem);
    let cells = cells(path)?;
    let mut rows = cells.into_iter().enumerate().filter(|(_, row)| row.iter().any(|cell| !cell.is_empty()));
    let (_, header) =
        rows.next().ok_or_else(|| refused("is empty; expected columns of images and grades".to_owned()))?;
    let column = |names: &[&str]| table_file::column(&header, names);
    let (Some(image), Some(grade)) = (column(IMAGE), column(GRADE)) else {
        let found: Vec<String> =
            header.iter().filter(|cell| !cell.is_empty()).map(|cell| format!("`{cell}`")).collect();
        return Err(refused(format!(
            "has the columns {}; expected one of images (`Image name`, `image`, `id_code`, `file`) and one of grades \
             (`Retinopathy grade`, `grade`, `diagnosis`, `level`)",
            found.join(", ")
        )));
    };
    let edema = column(EDEMA);
    let mut table = Table { path: path.to_owned(), rows: Vec::new() };
    for (number, row) in rows {
        let cell = |column: usize| row.get(column).map_or("", |cell| cell.trim());
        let graded = |column: usize, most: u8, what: &str| match cell(column) {
            "" => Ok(None),
            text => text
                .parse::<f64>()
                .ok()
                .filter(|v| v.fract() == 0.0 && (0.0..=f64::from(most)).contains(v))
                .map_or_else(
                    || {
                        let row = number + 1;
                        Err(refused(format!("row {row}: {what} is `{text}`; expected a whole number from 0 to {most}")))
                    },
                    |value| Ok(Some(value as u8)),
                ),
        };
        if cell(image).is_empty() {
            continue;
        }
        if table.rows.len() == MOST_ROWS {
            return Err(refused(format!("has more than {MOST_ROWS} rows")));
        }
        let edema = edema.map_or(Ok(None), |column| graded(column, 2, "the risk of macular edema"))?;
        table.rows.push(Row { image: cell(image).to_owned(), grade: graded(grade, 4, "the grade")?, edema });
    }
    if table.rows.is_empty() {
        return Err(refused("has no rows below its column names".to_owned()));
    }
    Ok(table)
}

fn cells(path: &Path) -> Result<Vec<Vec<String>>, DataError> {
    let refused = |problem: String| DataError::file(path, problem);
    let name = path.to_string_lossy().to_lowercase();
    if name.ends_with(".xlsx") {
        return Err(refused("is a workbook of a kind that is not read; save its sheet as .csv".to_owned()));
    }
    let old = name.ends_with(".xls");
    let most = if old { xls::MOST_BYTES } else { MOST_BYTES };
    let bytes = disk::read(path, most).map_err(|error| match error.kind() {
        std::io::ErrorKind::FileTooLarge => {
            refused(format!("is large; at most {} MiB of a table are read", most >> 20))
        }
        _ => refused(format!("cannot be read: {error}")),
    })?;
    if old && !bytes.starts_with(b"\xd0\xcf\x11\xe0") && !bytes.starts_with(b"PK") {
        // Programs of hospitals save text under this name.
        return text_cells(&bytes).map_err(refused);
    }
    if old { xls::rows(&bytes).map_err(refused) } else { text_cells(&bytes).map_err(refused) }
}

/// Rows are told by their number in the file.
fn text_cells(bytes: &[u8]) -> Result<Vec<Vec<String>>, String> {
    let rows = table_file::rows(bytes, MOST_ROWS)?;
    let skipped = rows.first().map_or(0, |row| row.number - 1);
    let cells = rows.into_iter().map(|row| row.cells);
    Ok(std::iter::repeat_n(Vec::new(), skipped).chain(cells).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Result<Vec<Row>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        std::fs::write(&path, text).unwrap();
        read(&path).map(|table| table.rows).map_err(|error| error.to_string())
    }

    #[test]
    fn columns_are_found_by_their_names_in_any_order_and_with_any_separator() {
        let expected = vec![
            Row { image: "a.tif".to_owned(), grade: Some(2), edema: Some(1) },
            Row { image: "b".to_owned(), grade: None, edema: None },
        ];
        for text in [
            "Image name;Ophthalmologic department;Retinopathy grade;Risk of macular edema \na.tif;X;2;1\nb;Y;;\n",
            "sep=,\n,,\nadjudicated_dme,id_code,diagnosis,,\n1,a.tif,2.0,,\n,b,\n",
            "image\tlevel\tDME\r\na.tif\t2\t1\r\nb\r\n\t3\r\n",
        ] {
            assert_eq!(told(text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_table_of_grades_is_refused_by_file_and_row() {
        for (text, words) in [
            ("", &["t.csv", "is empty"][..]),
            ("image,age\na,3\n", &["`image`, `age`", "`Retinopathy grade`"]),
            ("image,grade\n", &["no rows"]),
            ("image,grade\na,1\nb,5\n", &["row 3", "`5`", "from 0 to 4"]),
            ("image,grade\na,1.5\n", &["`1.5`"]),
        ] {
            let error = told(text).unwrap_err();
            words.iter().for_each(|word| assert!(error.contains(word), "{error}"));
        }
        let error = read(Path::new("t.xlsx")).unwrap_err().to_string();
        assert!(error.contains("save its sheet as .csv"), "{error}");
    }
}
