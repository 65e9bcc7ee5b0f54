//! Open-I's reports: an XML file each, with its sections and the names of its pictures.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use roxmltree::{Document, Node, ParsingOptions};

use super::super::csv_points::decoded;
use super::super::folder::natural_order;
use super::super::fundus::named;
use super::super::segmentation::counted;
use super::super::{DataError, Problem};
use super::gather::{Gather, says_something};
use super::pictures::Pictures;
use super::{Choice, Layout, Listing, Pair, View};
use crate::disk;
use crate::watch::Watch;

/// Bytes of a report; Open-I's have some 5000.
const MOST_BYTES: u64 = 4 << 20;
/// Elements and texts of a report.
const MOST_NODES: u32 = 100_000;

/// A report as its file has it.
struct Report {
    id: String,
    findings: String,
    impression: String,
    /// Names of pictures, and what their captions say of the view.
    images: Vec<(String, Option<View>)>,
}

/// What an XML file turned out to be.
enum Read {
    Report(Report),
    /// It is about something else; the name of its outermost element.
    Foreign(String),
}

/// Reads the reports, in the order in which people count, and finds their pictures.
///
/// # Errors
/// Stopped, or no report with a picture.
pub fn list(
    root: &Path,
    files: &[PathBuf],
    pictures: &Pictures,
    choice: Choice,
    watch: Watch<'_>,
) -> Result<Listing, DataError> {
    let mut files = files.to_vec();
    files.sort_by(|a, b| natural_order(&a.to_string_lossy(), &b.to_string_lossy()));
    let count = watch.counter(1, files.len());
    let one = |path: &PathBuf| {
        if watch.cancelled() {
            return Err(DataError::Cancelled);
        }
        let read = read(path);
        count(1);
        Ok(read)
    };
    let read: Vec<Result<Read, String>> = files.par_iter().map(one).collect::<Result<_, _>>()?;
    let mut gather = Gather::new(root, Layout::OpenI, choice);
    let (mut foreign, mut without, mut again) = (Vec::new(), Vec::new(), Vec::new());
    let mut texts: HashMap<String, String> = HashMap::new();
    for (path, read) in files.iter().zip(read) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let report = match read {
            Ok(Read::Report(report)) => report,
            Ok(Read::Foreign(element)) => {
                foreign.push(format!("{name} (`{element}`)"));
                continue;
            }
            Err(problem) => {
                gather.problems.push(Problem { path: path.clone(), problem });
                continue;
            }
        };
        let study = if report.id.is_empty() { super::pictures::stem(&name) } else { report.id.clone() };
        let text = choice.section.of(&report.findings, &report.impression);
        if let Some(before) = texts.get(&study) {
            if *before == text {
                again.push(name);
            } else {
                gather.problem(path, format!("is another report of the id `{study}` than a file before it; left out"));
            }
            continue;
        }
        texts.insert(study.clone(), text.clone());
        if !says_something(&text) {
            gather.empty(name);
            continue;
        }
        if report.images.is_empty() {
            without.push(name);
            continue;
        }
        for (image, view) in report.images {
            let Some(found) = pictures.find(&image, path.parent().unwrap_or(root)) else {
                gather.problem(path, format!("names the picture `{image}`, which is not in the folder; left out"));
                continue;
            };
            if found.others > 0 {
                gather.ambiguous(&image);
            }
            let pair =
                Pair { id: image, image: found.path, report: text.clone(), study: study.clone(), split: None, view };
            gather.add(pair);
        }
    }
    for (names, one, several) in [
        (foreign, "XML file of another kind left out", "XML files of another kind left out"),
        (without, "report names no picture", "reports name no picture"),
        (again, "report is there twice", "reports are there twice"),
    ] {
        if !names.is_empty() {
            let list = named(names.iter().map(String::as_str));
            gather.notes.push(format!("{}: {list}", counted(names.len(), one, several)));
        }
    }
    gather.finish()
}

/// In words that stand behind the file's name.
fn read(path: &Path) -> Result<Read, String> {
    let bytes = disk::read(path, MOST_BYTES).map_err(|error| match error.kind() {
        std::io::ErrorKind::FileTooLarge => format!("is large; at most {} MiB of a report are read", MOST_BYTES >> 20),
        _ => format!("cannot be read: {error}"),
    })?;
    let Ok((text, _)) = decoded(&bytes) else {
        return Err("is no text that can be read; expected XML in UTF-8, or UTF-16 with its mark".to_owned());
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let options = ParsingOptions { nodes_limit: MOST_NODES, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text, options).map_err(|error| match error {
        roxmltree::Error::DtdDetected => "has a document type of its own (DTD), which is not read".to_owned(),
        roxmltree::Error::NodesLimitReached => format!("has more than {MOST_NODES} elements; it is no report"),
        error => {
            let at = error.pos();
            format!("line {}, column {}: is not well-formed XML; left out: mend it or fetch it again", at.row, at.col)
        }
    })?;
    let root = document.root_element();
    if root.tag_name().name() != "eCitation" {
        return Ok(Read::Foreign(root.tag_name().name().to_owned()));
    }
    let all = |name: &'static str| root.descendants().filter(move |node| node.tag_name().name() == name);
    // By their labels: a missing section shifts the others.
    let section = |label: &str| {
        let of = all("AbstractText").filter(|node| {
            node.attributes()
                .any(|a| a.name().eq_ignore_ascii_case("Label") && a.value().trim().eq_ignore_ascii_case(label))
        });
        of.map(content).filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" ")
    };
    let id = all("uId").find_map(|node| node.attribute("id")).unwrap_or_default().trim().to_owned();
    let image = |node: Node<'_, '_>| {
        let name = node.attribute("id").map(str::trim).filter(|name| !name.is_empty())?;
        let caption = node.descendants().find(|child| child.tag_name().name() == "caption").map(content);
        Some((name.to_owned(), caption.and_then(|caption| view(&caption))))
    };
    Ok(Read::Report(Report {
        id,
        findings: section("FINDINGS"),
        impression: section("IMPRESSION"),
        images: all("parentImage").filter_map(image).collect(),
    }))
}

/// All text within an element, spaces and line breaks as one space.
fn content(node: Node<'_, '_>) -> String {
    let text: Vec<&str> = node.descendants().filter(Node::is_text).filter_map(|node| node.text()).collect();
    text.join(" ").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The view that words name, if they name one alone: captions such as `PA and Lateral` stand under both.
pub fn view(text: &str) -> Option<View> {
    let text = text.to_lowercase();
    let has = |wanted: &[&str]| text.split(|c: char| !c.is_alphanumeric()).any(|word| wanted.contains(&word));
    match (has(&["frontal", "pa", "ap", "posteroanterior", "anteroposterior"]), has(&["lateral", "lat", "ll"])) {
        (true, false) => Some(View::Frontal),
        (false, true) => Some(View::Lateral),
        _ => None,
    }
}
