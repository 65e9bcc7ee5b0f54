//! Tables of pictures with their grades: text files and old Excel workbooks, columns found by their names.

use std::path::{Path, PathBuf};

use super::super::DataError;
use super::super::table_file::{self, plain};
use super::{grades, listed, xls};
use crate::disk;

/// Bytes of a text file.
const MOST_BYTES: u64 = 128 << 20;
/// Rows of a table, as many as a folder may hold pictures.
const MOST_ROWS: usize = 200_000;
/// The highest risk of macular edema.
const WORST_EDEMA: u8 = 2;

/// What columns are called, as people have them, less everything but letters and digits.
const IMAGE: &[&str] = &["imagename", "image", "imageid", "idcode", "filename", "file", "name", "picture", "img", "id"];
/// Names that a column of grades has in the data sets that people have.
const GRADE: &[&str] = &["retinopathygrade", "adjudicateddrgrade", "grade", "diagnosis", "level"];
/// Names that it may have where none of those is there.
const MAYBE_GRADE: &[&str] = &["drgrade", "retinopathy", "severity", "label"];
const EDEMA: &[&str] = &["riskofmacularedema", "adjudicateddme", "edema", "dme"];

/// What a row says of its picture's grade.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Said {
    /// Its cell is empty.
    Nothing,
    /// Retinopathy, 0 to 4.
    Grade(u8),
    /// What is no grade, or in doubt.
    Unclear(String),
}

impl Said {
    /// The grade, where there is one.
    pub fn grade(&self) -> Option<u8> {
        match self {
            Self::Grade(grade) => Some(*grade),
            Self::Nothing | Self::Unclear(_) => None,
        }
    }
}

/// A picture of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Of the file, or of the sheet; the first is 1.
    pub line: usize,
    /// As it stands there, with or without an ending.
    pub image: String,
    pub grade: Said,
    /// Risk of macular edema, 0 to 2; `None`: it is not told, or not as such a number.
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

/// Reads a table. The first row names the columns, which are found by their names in any order; what grades may look like says
/// [`grades::grade`].
///
/// # Errors
/// Naming the file: no such file, no table, no column of images or grades, several that may be the grade, not one grade that is
/// understood.
pub fn read(path: &Path) -> Result<Table, DataError> {
    let refused = |problem: String| DataError::file(path, problem);
    let mut rows = cells(path)?.into_iter().filter(|(_, row)| row.iter().any(|cell| !cell.is_empty()));
    let (_, header) =
        rows.next().ok_or_else(|| refused("is empty; expected columns of images and grades".to_owned()))?;
    let column = |names: &[&str]| table_file::column(&header, names);
    let (Some(image), Some(grade)) = (column(IMAGE), grade_column(&header).map_err(refused)?) else {
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
    for (line, row) in rows {
        let cell = |column: usize| row.get(column).map_or("", |cell| cell.trim());
        if cell(image).is_empty() {
            continue;
        }
        if table.rows.len() == MOST_ROWS {
            return Err(refused(format!("has more than {MOST_ROWS} rows")));
        }
        let said = match cell(grade) {
            "" => Said::Nothing,
            text => grades::grade(text).map_or_else(|| Said::Unclear(text.to_owned()), Said::Grade),
        };
        let edema = edema.and_then(|column| grades::grade(cell(column))).filter(|risk| *risk <= WORST_EDEMA);
        table.rows.push(Row { line, image: cell(image).to_owned(), grade: said, edema });
    }
    if table.rows.is_empty() {
        return Err(refused("has no rows below its column names".to_owned()));
    }
    let unclear = unclear(&table.rows);
    if !unclear.is_empty() && table.rows.iter().all(|row| row.grade.grade().is_none()) {
        return Err(refused(format!(
            "has no grade that is understood ({}); expected numbers from 0 to 4, or words such as `no DR`, `mild`, `moderate`, \
             `severe`, `proliferative`, `R2`, `Grade 1`, `3 (severe)`",
            listed(unclear.iter().map(String::as_str))
        )));
    }
    Ok(table)
}

/// The rows whose grade is not understood: `row 5: a.png, `ungradable``.
pub fn unclear(rows: &[Row]) -> Vec<String> {
    let told = |row: &Row| match &row.grade {
        Said::Unclear(text) => Some(format!("row {}: {}, `{text}`", row.line, row.image)),
        Said::Nothing | Said::Grade(_) => None,
    };
    rows.iter().filter_map(told).collect()
}

/// The column of grades, where there is one.
///
/// # Errors
/// Several may be it.
fn grade_column(header: &[String]) -> Result<Option<usize>, String> {
    for names in [GRADE, MAYBE_GRADE] {
        let found: Vec<usize> = (0..header.len()).filter(|&i| names.contains(&&*plain(&header[i]))).collect();
        match found[..] {
            [] => {}
            [one] => return Ok(Some(one)),
            [.., last] => {
                let called: Vec<String> = found.iter().map(|&i| format!("`{}`", header[i])).collect();
                return Err(format!(
                    "has {} columns that may be the grade: {}; rename all but the one that counts, for example `{}` to `other {}`",
                    found.len(),
                    called.join(", "),
                    header[last],
                    header[last]
                ));
            }
        }
    }
    Ok(None)
}

/// Rows with their numbers.
fn cells(path: &Path) -> Result<Vec<(usize, Vec<String>)>, DataError> {
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
    if !old {
        return text_cells(&bytes).map_err(refused);
    }
    let rows = xls::rows(&bytes).map_err(refused)?;
    Ok(rows.into_iter().enumerate().map(|(row, cells)| (row + 1, cells)).collect())
}

/// Rows with the lines where they begin.
fn text_cells(bytes: &[u8]) -> Result<Vec<(usize, Vec<String>)>, String> {
    let rows = table_file::rows(bytes, MOST_ROWS)?;
    Ok(rows.into_iter().map(|row| (row.number, row.cells)).collect())
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
            Row { line: 0, image: "a.tif".to_owned(), grade: Said::Grade(2), edema: Some(1) },
            Row { line: 0, image: "b".to_owned(), grade: Said::Nothing, edema: None },
        ];
        for text in [
            "Image name;Ophthalmologic department;Retinopathy grade;Risk of macular edema \na.tif;X;2;1\nb;Y;;\n",
            "sep=,\n,,\nadjudicated_dme,id_code,diagnosis,,\n1,a.tif,2.0,,\n,b,\n",
            "image\tlevel\tDME\r\na.tif\t2\t1\r\nb\r\n\t3\r\n",
        ] {
            let found: Vec<Row> = told(text).unwrap().into_iter().map(|row| Row { line: 0, ..row }).collect();
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn rows_that_are_not_understood_are_told_with_their_line() {
        let text = "sep=;\n\nimage;severity;grade\na;0;mild\n\n\nb;0;ungradable\nc;0;\"3\n(severe)\"\nd;0;\ne;0;7\n";
        let rows = told(text).unwrap();
        // The usual name is meant, whatever others there are.
        let found: Vec<(usize, Option<u8>)> = rows.iter().map(|row| (row.line, row.grade.grade())).collect();
        assert_eq!(found, [(4, Some(1)), (7, None), (8, Some(3)), (10, None), (11, None)]);
        assert_eq!(unclear(&rows), ["row 7: b, `ungradable`", "row 11: e, `7`"]);
    }

    #[test]
    fn what_is_no_table_of_grades_is_refused_by_file_and_row() {
        for (text, words) in [
            ("", &["t.csv", "is empty"][..]),
            ("image,age\na,3\n", &["`image`, `age`", "`Retinopathy grade`"]),
            ("image,grade\n", &["no rows"]),
            ("image,grade\na,\nb,5\n", &["row 3: b, `5`", "from 0 to 4", "`3 (severe)`"]),
            ("image,grade\na,1.5\n", &["`1.5`"]),
            ("image,diagnosis,level\na,1,1\n", &["2 columns", "`diagnosis`, `level`", "rename", "`other level`"]),
            ("image,Grade,grade \na,1,1\n", &["`Grade`, `grade`"]),
            ("image,label,severity\na,1,1\n", &["`label`, `severity`"]),
        ] {
            let error = told(text).unwrap_err();
            words.iter().for_each(|word| assert!(error.contains(word), "{error}"));
        }
        let error = read(Path::new("t.xlsx")).unwrap_err().to_string();
        assert!(error.contains("save its sheet as .csv"), "{error}");
    }
}
