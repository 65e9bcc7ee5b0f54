//! Tables of images and parts: which column is which is told by what they hold and by their headings.

use super::super::counted;
use super::super::doctor::Severity;
use super::super::split::Part;
use super::collected::{Collected, Entry};
use super::names::{Called, Names};
use super::rows::Row;
use super::words::{
    flag, heads_folds, heads_names, heads_parts, is_heading, is_left_out, part_column, part_value, says_eval,
};
use super::{Fold, Refusal, TOLD};
use crate::data::folder::natural_order;

/// More values than this are no numbers of folds.
const MOST_FOLDS: usize = 100;
/// Lines in which a heading is looked for.
const HEAD: usize = 3;

/// The folds that a table gives; `source` names it.
pub fn folds(rows: &[Row], names: &Names, source: &str) -> Result<Vec<Fold>, Refusal> {
    if rows.is_empty() {
        return Err(Refusal::meant("it is empty; expected image,split and a row for every image"));
    }
    if let Some(found) = wide(rows, names, source) {
        return found.map(|fold| vec![fold]);
    }
    Table::of(rows, names)?.folds(names, source)
}

/// A column of names for every part.
fn wide(rows: &[Row], names: &Names, source: &str) -> Option<Result<Fold, Refusal>> {
    let parts_of = |row: &Row| -> Vec<(usize, Part)> {
        row.cells.iter().enumerate().filter_map(|(column, cell)| Some((column, part_column(cell)?))).collect()
    };
    let several = |row: &Row| {
        let mut parts: Vec<Part> = parts_of(row).into_iter().map(|(_, part)| part).collect();
        parts.dedup();
        parts.len() > 1
    };
    let head = rows.iter().take(HEAD).position(several)?;
    let columns = parts_of(&rows[head]);
    let cells =
        || rows[head + 1..].iter().flat_map(|row| columns.iter().map(move |&(column, part)| (row, column, part)));
    if cells().all(|(row, column, _)| flag(row.cell(column)).is_some()) {
        return None;
    }
    // A row of parts and no heading: what stands below it is parts again.
    let (below, said) =
        (cells().count(), cells().filter(|(row, column, _)| part_value(row.cell(*column)).is_some()).count());
    if 2 * said > below {
        return None;
    }
    let entries = cells().filter(|(row, column, _)| !row.cell(*column).is_empty());
    let entries = entries.map(|(row, column, part)| Entry { name: row.cell(column), line: Some(row.line), part });
    Some(
        Collected::of(entries, names)
            .fold(names, source, Vec::new())
            .map_err(|problem| Refusal { meant: true, problem }),
    )
}

/// A table with a column of names.
#[derive(Clone)]
struct Table<'a> {
    heading: Option<&'a Row>,
    body: Vec<&'a Row>,
    name: usize,
    columns: usize,
    problems: Vec<(Severity, String)>,
}

impl<'a> Table<'a> {
    fn of(rows: &'a [Row], names: &Names) -> Result<Self, Refusal> {
        let knows = |row: &Row| row.cells.iter().any(|cell| names.knows(cell));
        let leading = rows.iter().position(knows).unwrap_or(rows.len());
        let said = rows.iter().any(|row| row.cells.iter().any(|cell| part_value(cell).is_some()));
        let mut problems = Vec::new();
        // Above it there may be a title.
        let names_column = |row: &Row| row.cells.iter().any(|cell| is_heading(cell) && heads_names(cell) > 0);
        let any_column = |row: &Row| row.cells.len() > 1 && row.cells.iter().any(|cell| is_heading(cell));
        let above = &rows[..leading];
        let known = above.iter().rposition(names_column).or_else(|| above.iter().rposition(any_column));
        let head = known.or_else(|| {
            let first = rows.first().filter(|_| leading > 0)?;
            let plain = first.cells.iter().all(|cell| part_value(cell).is_none() && !cell.contains('.'));
            plain.then(|| {
                let text = format!("its line {} is taken for a heading: `{}`", first.line, first.cells.join(","));
                problems.push((Severity::Note, text));
                0
            })
        });
        let heading = head.map(|at| &rows[at]);
        let body: Vec<&Row> = rows[head.map_or(0, |at| at + 1)..].iter().collect();
        let columns = rows.iter().map(|row| row.cells.len()).max().unwrap_or(0);
        let title = |column: usize| heading.map_or("", |row| row.cell(column));
        let found = |column: usize| body.iter().filter(|row| names.knows(row.cell(column))).count();
        let exact = |column: usize| {
            let outright = |row: &&&Row| matches!(names.find(row.cell(column)), Called::One(_));
            body.iter().filter(outright).count()
        };
        let mut naming: Vec<(usize, usize, usize, usize)> = (0..columns)
            .map(|column| (heads_names(title(column)), exact(column), found(column), column))
            .filter(|&(_, _, found, _)| found > 0)
            .collect();
        naming.sort_by_key(|&(rank, exact, found, column)| (std::cmp::Reverse((rank, exact, found)), column));
        let Some(&(rank, exact, _, name)) = naming.first() else {
            if body.is_empty() {
                return Err(Refusal::meant("it has a heading and no rows; expected a row for every image"));
            }
            let (first, shown) = (body[0], names.shown.first().map_or("", String::as_str));
            let (line, cells) = (first.line, first.cells.join(","));
            return Err(Refusal {
                meant: said || known.is_some(),
                problem: format!(
                    "no column has names of this folder's images: line {line} is `{cells}`, images are named as `{shown}`"
                ),
            });
        };
        // Two columns that name images, and nothing that tells which is meant.
        for &(other_rank, other_exact, _, other) in &naming[1..] {
            let differ = |row: &&&Row| {
                let pair = |column: usize| match names.find(row.cell(column)) {
                    Called::One(pair) | Called::WithoutZeros(pair) => Some(pair),
                    _ => None,
                };
                pair(name).zip(pair(other)).is_some_and(|(one, two)| one != two)
            };
            if other_rank == rank
                && 2 * other_exact >= exact
                && let Some(row) = body.iter().find(differ)
            {
                let (one, two) = (row.cell(name), row.cell(other));
                return Err(Refusal::meant(&format!(
                    "two columns name images, and not the same ones (line {}: `{one}`, `{two}`): call the right one \
                     `image`",
                    row.line
                )));
            }
        }
        Ok(Table { heading, body, name, columns, problems })
    }

    fn title(&self, column: usize) -> &str {
        self.heading.map_or("", |row| row.cell(column))
    }

    /// `the column `split``, or by its number where it has no heading.
    fn called(&self, column: usize) -> String {
        match self.title(column) {
            "" => format!("column {}", column + 1),
            title => format!("the column `{title}`"),
        }
    }

    fn cells(&self, column: usize) -> impl Iterator<Item = (&'a Row, &'a str)> + '_ {
        self.body.iter().map(move |row| (*row, row.cell(column)))
    }

    fn entries(&self, column: usize, part: impl Fn(&str) -> Option<Part>) -> impl Iterator<Item = Entry<'a>> {
        let name = self.name;
        let cells: Vec<(&'a Row, &'a str)> = self.cells(column).collect();
        cells.into_iter().filter_map(move |(row, cell)| {
            Some(Entry { name: row.cell(name), line: Some(row.line), part: part(cell)? })
        })
    }

    fn folds(mut self, names: &Names, source: &str) -> Result<Vec<Fold>, Refusal> {
        let others: Vec<usize> = (0..self.columns).filter(|&column| column != self.name).collect();
        let numbered: Vec<(usize, String)> =
            others.iter().filter_map(|&column| Some((column, self.fold_of_parts(column)?))).collect();
        if numbered.len() > 1 {
            let fold = |(column, number)| {
                let fold = self.clone().by_words(column, names, source)?;
                Ok(Fold { name: Some(number), ..fold })
            };
            return numbered.into_iter().map(fold).collect();
        }
        if let Some(column) = self.part_column(&others)? {
            let ignored = others.iter().find(|&&other| heads_folds(self.title(other)));
            if let Some(&fold) = ignored {
                let (used, unused) = (self.called(column), self.called(fold));
                self.problems.push((Severity::Note, format!("{unused} is not used, since {used} names the parts")));
            }
            return self.by_words(column, names, source).map(|fold| vec![fold]);
        }
        if let Some(&column) = others.iter().find(|&&column| heads_folds(self.title(column))) {
            return self.by_folds(column, names, source);
        }
        let marked = |column: &&usize| {
            part_column(self.title(**column)).is_some() && self.cells(**column).all(|(_, cell)| flag(cell).is_some())
        };
        let flags: Vec<(usize, Part)> = others
            .iter()
            .filter(marked)
            .filter_map(|&column| Some((column, part_column(self.title(column))?)))
            .collect();
        if !flags.is_empty() {
            return self.by_flags(&flags, names, source).map(|fold| vec![fold]);
        }
        Err(self.without_parts(&others))
    }

    /// The number of the fold whose parts this column holds: `fold_0`, `split1`, ..
    fn fold_of_parts(&self, column: usize) -> Option<String> {
        let title = self.title(column).trim();
        let word = title.trim_end_matches(|c: char| c.is_ascii_digit());
        let number = &title[word.len()..];
        let word = word.trim_end_matches(['_', '-', ' ']);
        let good = self.cells(column).filter(|(_, cell)| part_value(cell).is_some()).count();
        let filled = self.cells(column).filter(|(_, cell)| !cell.is_empty()).count();
        let is_fold = !number.is_empty() && (heads_folds(word) || heads_parts(word)) && 2 * good > filled;
        is_fold.then(|| number.to_owned())
    }

    /// The column that holds parts in words, perhaps with some that are misspelt.
    fn part_column(&self, others: &[usize]) -> Result<Option<usize>, Refusal> {
        let count =
            |column: usize, fits: &dyn Fn(&str) -> bool| self.cells(column).filter(|(_, cell)| fits(cell)).count();
        let mut fitting: Vec<(bool, usize, usize)> = Vec::new();
        for &column in others.iter().filter(|&&column| !heads_folds(self.title(column))) {
            let (filled, good) =
                (count(column, &|cell| !cell.is_empty()), count(column, &|cell| part_value(cell).is_some()));
            let headed = heads_parts(self.title(column));
            if good > 0 && (headed || 2 * good >= filled) {
                fitting.push((headed, good, column));
            }
        }
        fitting.sort_by_key(|&(headed, good, column)| (std::cmp::Reverse((headed, good)), column));
        let Some(&(headed, _, column)) = fitting.first() else { return Ok(None) };
        for &(_, _, other) in fitting[1..].iter().filter(|(other, ..)| *other == headed) {
            let differ = |row: &&&Row| part_value(row.cell(column)) != part_value(row.cell(other));
            if let Some(row) = self.body.iter().find(differ) {
                return Err(Refusal::meant(&format!(
                    "{} and {} both name parts, and not the same ones (line {}: `{}`, `{}`): leave one of them out",
                    self.called(column),
                    self.called(other),
                    row.line,
                    row.cell(column),
                    row.cell(other)
                )));
            }
        }
        Ok(Some(column))
    }

    fn by_words(mut self, column: usize, names: &Names, source: &str) -> Result<Fold, Refusal> {
        let plain = |part: Part| self.cells(column).any(|(_, cell)| part_value(cell) == Some(part) && !says_eval(cell));
        let (validation, test) = (plain(Part::Validation), plain(Part::Test));
        let eval = match (validation, test) {
            (false, _) => Some(Part::Validation),
            (true, false) => Some(Part::Test),
            (true, true) => None,
        };
        let part = move |cell: &str| if says_eval(cell) { part_value(cell).and(eval) } else { part_value(cell) };
        let evaluated = self.cells(column).map(|(_, cell)| cell).find(|cell| part(cell).is_some() && says_eval(cell));
        if let (Some(cell), Some(part)) = (evaluated, eval) {
            self.problems.push((Severity::Note, format!("`{cell}` is taken for the {}", part.label())));
        }
        let mut wrong: Vec<(&str, usize)> = Vec::new();
        let (mut blank, mut left_out) = (Vec::new(), Vec::new());
        for (row, cell) in self.cells(column).filter(|(_, cell)| part(cell).is_none()) {
            match cell {
                "" => blank.push((row.cell(self.name), row.line)),
                cell if is_left_out(cell) => left_out.push((row.cell(self.name), row.line)),
                cell => wrong.push((cell, row.line)),
            }
        }
        match &wrong[..] {
            [] => {}
            &[(cell, line)] => self.problems.push((
                Severity::Error,
                format!("line {line}: `{cell}` is none of train, val, test, so that its image is in no part"),
            )),
            several => self.problems.push((
                Severity::Error,
                format!(
                    "{} rows hold none of train, val, test, so that their images are in no part: {}",
                    several.len(),
                    at_lines(several)
                ),
            )),
        }
        if !blank.is_empty() {
            let rows = counted(blank.len(), "row names", "rows name");
            self.problems.push((
                Severity::Warning,
                format!("{rows} no part, so that the image is in none: {}", at_lines(&blank)),
            ));
        }
        if !left_out.is_empty() {
            let images = counted(left_out.len(), "image is", "images are");
            self.problems
                .push((Severity::Note, format!("{images} left out of every part as it says: {}", at_lines(&left_out))));
        }
        let problems = std::mem::take(&mut self.problems);
        Collected::of(self.entries(column, part), names)
            .fold(names, source, problems)
            .map_err(|problem| Refusal { meant: true, problem })
    }

    /// Every fold is validated on once; what is for the test is so in every fold.
    fn by_folds(mut self, column: usize, names: &Names, source: &str) -> Result<Vec<Fold>, Refusal> {
        let called = self.called(column);
        let mut numbers: Vec<&str> = self
            .cells(column)
            .map(|(_, cell)| cell)
            .filter(|cell| !cell.is_empty() && part_value(cell).is_none())
            .collect();
        numbers.sort_by(|a, b| natural_order(a, b));
        numbers.dedup();
        // `2`, `2.0` and `fold_2`.
        let number = |cell: &str| match cell.starts_with(char::is_alphabetic) {
            true => cell.trim_start_matches(|c: char| !c.is_ascii_digit()).parse::<f64>(),
            false => cell.parse(),
        };
        let odd = numbers.iter().find(|cell| !number(cell).is_ok_and(|number| number >= 0.0 && number.fract() == 0.0));
        if let Some(odd) = odd {
            return Err(Refusal::meant(&format!(
                "{called} holds `{odd}`, which is no number of a fold from 0; write train, test or a number"
            )));
        }
        if numbers.len() < 2 || numbers.len() > MOST_FOLDS {
            let values = counted(numbers.len(), "number", "different numbers");
            return Err(Refusal::meant(&format!("{called} holds {values}; expected those of 2 to {MOST_FOLDS} folds")));
        }
        let blank: Vec<(&str, usize)> = self
            .cells(column)
            .filter(|(_, cell)| cell.is_empty())
            .map(|(row, _)| (row.cell(self.name), row.line))
            .collect();
        if !blank.is_empty() {
            let rows = counted(blank.len(), "row names", "rows name");
            self.problems.push((
                Severity::Warning,
                format!("{rows} no fold, so that the image is in no part: {}", at_lines(&blank)),
            ));
        }
        let fold = |number: &&str| {
            let part = |cell: &str| match cell {
                "" => None,
                cell if cell == *number => Some(Part::Validation),
                cell => Some(part_value(cell).unwrap_or(Part::Train)),
            };
            let fold = Collected::of(self.entries(column, part), names).fold(names, source, self.problems.clone());
            fold.map(|fold| Fold { name: Some((*number).to_owned()), ..fold })
        };
        let folds: Result<Vec<Fold>, String> = numbers.iter().map(fold).collect();
        folds.map_err(|problem| Refusal { meant: true, problem })
    }

    /// Columns such as `is_test` that mark rows; alone, one tells the two parts that it can.
    fn by_flags(mut self, flags: &[(usize, Part)], names: &Names, source: &str) -> Result<Fold, Refusal> {
        let mut entries = Vec::new();
        let (mut double, mut blank) = (Vec::new(), Vec::new());
        for &row in &self.body {
            let name = row.cell(self.name);
            let marked: Vec<Part> = flags
                .iter()
                .filter(|(column, _)| flag(row.cell(*column)) == Some(true))
                .map(|&(_, part)| part)
                .collect();
            let part = match (&marked[..], flags) {
                (&[part], _) => part,
                ([], &[(_, Part::Train)]) => Part::Test,
                ([], &[_]) => Part::Train,
                ([], _) => {
                    blank.push((name, row.line));
                    continue;
                }
                _ => {
                    double.push((name, row.line));
                    continue;
                }
            };
            entries.push(Entry { name, line: Some(row.line), part });
        }
        if let &[(column, part)] = flags {
            let other = if part == Part::Train { Part::Test } else { Part::Train };
            let text =
                format!("{} marks the {}; all others are for the {}", self.called(column), part.label(), other.label());
            self.problems.push((Severity::Note, text));
        }
        for (rows, what) in [(&double, "two parts"), (&blank, "no part")] {
            if !rows.is_empty() {
                let images = counted(rows.len(), "row is", "rows are");
                let text = format!("{images} marked for {what}, so that the image is in none: {}", at_lines(rows));
                self.problems.push((Severity::Error, text));
            }
        }
        Collected::of(entries.into_iter(), names)
            .fold(names, source, self.problems)
            .map_err(|problem| Refusal { meant: true, problem })
    }

    /// Why there are no parts.
    fn without_parts(&self, others: &[usize]) -> Refusal {
        const EXPECTED: &str = "write train, val or test";
        let headed = others.iter().copied().find(|&column| heads_parts(self.title(column)));
        let only = (others.len() == 1 && self.title(others[0]).is_empty()).then(|| others[0]);
        let Some(column) = headed.or(only) else {
            let titles: Vec<String> = (0..self.columns).map(|column| format!("`{}`", self.title(column))).collect();
            let columns = match self.heading {
                Some(_) => format!("; its columns are {}", titles.join(", ")),
                None => String::new(),
            };
            return Refusal::meant(&format!(
                "no column holds train, val, test or the numbers of folds; expected image,split{columns}"
            ));
        };
        let mut values: Vec<&str> = self.cells(column).map(|(_, cell)| cell).filter(|cell| !cell.is_empty()).collect();
        values.sort_by(|a, b| natural_order(a, b));
        values.dedup();
        let told: Vec<String> = values.iter().take(TOLD).map(|value| format!("`{value}`")).collect();
        let more = if values.len() > TOLD { ", .." } else { "" };
        let called = self.called(column);
        Refusal::meant(&match values.iter().all(|value| value.parse::<f64>().is_ok()) {
            _ if values.is_empty() => format!("{called} is empty; {EXPECTED}"),
            true => format!(
                "{called} holds the numbers {}{more}, which do not say which is for training and which for the test: \
                 {EXPECTED}",
                told.join(", ")
            ),
            false => format!("{called} holds {}{more}, and none of train, val, test: {EXPECTED}", told.join(", ")),
        })
    }
}

/// `` `a` (line 3), `b` (line 4), .. ``
fn at_lines(list: &[(&str, usize)]) -> String {
    let told: Vec<String> = list.iter().take(TOLD).map(|(text, line)| format!("`{text}` (line {line})")).collect();
    told.join(", ") + if list.len() > TOLD { ", .." } else { "" }
}

/// The heading of a column of parts, in a table that may be about anything. What this program writes has `part`.
pub fn column_of_parts(rows: &[Row], names: &Names) -> Option<String> {
    let table = Table::of(rows, names).ok()?;
    let says = |column: &usize| {
        let title = table.title(*column);
        heads_parts(title) && title != "part" && table.cells(*column).any(|(_, cell)| part_value(cell).is_some())
    };
    (0..table.columns).find(says).map(|column| table.title(column).to_owned())
}

/// The names in a list of images, with their lines. A heading is left out.
pub fn listed<'a>(rows: &'a [Row], names: &Names) -> Vec<(&'a str, usize)> {
    match Table::of(rows, names) {
        Ok(table) => {
            table.cells(table.name).map(|(row, cell)| (cell, row.line)).filter(|(cell, _)| !cell.is_empty()).collect()
        }
        Err(_) => {
            let heading = |row: &&Row| !row.cells.iter().any(|cell| is_heading(cell) && !cell.contains('.'));
            rows.iter().filter(heading).map(|row| (row.cell(0), row.line)).collect()
        }
    }
}
