//! A small generated set as files in Open-I's layout, with its oddities: studies of two pictures, reports without findings, reports
//! that stand word for word in several studies.

use std::fmt::Write as _;

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder, ImageError};
use rayon::prelude::*;

use super::chest::{Figure, Finding, Kind, Study};
use super::ultrasound_folder::{SampleFile, with_manifest};
use crate::compute::streams;

/// The seed of the set that is shipped.
pub const SEED: u64 = 7;
/// Studies of the set.
pub const COUNT: u64 = 160;
/// Side of a picture in pixels.
pub const SIZE: usize = 64;
/// Folders of reports and of pictures.
pub const REPORTS: &str = "ecgen-radiology";
pub const PICTURES: &str = "NLMCXR_png";
/// The file of boxes.
pub const BOXES: &str = "boxes.jsonl";
/// The number of the first study, apart from those that a lab generates, and of second pictures.
const FIRST: u64 = 9 << 32;
const SECOND: u64 = 10 << 32;

/// Whether a study has a second frontal picture: one in eight.
pub fn has_second(number: u64) -> bool {
    number % 8 == 5
}

/// Whether the findings of a report are empty: one in twenty.
pub fn is_empty(number: u64) -> bool {
    number % 20 == 13
}

/// The study whose report this one has word for word: one in twenty-five has the one three before.
pub fn same_as(number: u64) -> Option<u64> {
    (number % 25 == 24).then(|| number - 3)
}

/// Every file of the set with its path below the folder, then the manifest (file, bytes, CRC-32, how it was made) and `README.txt`.
/// The same bytes for the same seed.
///
/// # Errors
/// A picture cannot be packed.
pub fn files(seed: u64) -> Result<Vec<SampleFile>, ImageError> {
    let studies: Vec<(Vec<SampleFile>, String)> =
        (1..=COUNT).into_par_iter().map(|number| of_study(seed, number)).collect::<Result<_, _>>()?;
    let boxes: String = studies.iter().map(|(_, lines)| lines.as_str()).collect();
    let mut files: Vec<SampleFile> = studies.into_iter().flat_map(|(files, _)| files).collect();
    let made = "synthetic: places of the findings, from 0 to 1".to_owned();
    files.push(SampleFile { name: BOXES.to_owned(), bytes: boxes.into_bytes(), made });
    Ok(with_manifest(files, readme(seed)))
}

/// Study `number` from 1 on, without its pictures' noise.
fn figure(seed: u64, number: u64) -> Figure {
    let own = Figure::by_chance(&mut streams::CHEST.open(seed, FIRST + number));
    match same_as(number) {
        Some(other) => {
            let other = Figure::by_chance(&mut streams::CHEST.open(seed, FIRST + other));
            Figure { findings: other.findings, wording: other.wording, ..own }
        }
        None => own,
    }
}

/// Report and pictures of a study, and its lines of the file of boxes.
fn of_study(seed: u64, number: u64) -> Result<(Vec<SampleFile>, String), ImageError> {
    let first = figure(seed, number);
    let mut figures = vec![(1, "frontal", first.clone())];
    if has_second(number) {
        let again = Figure::by_chance(&mut streams::CHEST.open(seed, SECOND + number));
        figures.push((2, "second frontal", Figure { findings: first.findings, wording: first.wording, ..again }));
    }
    let (mut files, mut lines, mut shown) = (Vec::new(), String::new(), Vec::new());
    let mut report = None;
    for (place, view, figure) in figures {
        let study = Study::of(figure, SIZE);
        let image = format!("CXR{number}_IM-{number:04}-{place}001");
        for mention in &study.mentions {
            let [x0, y0, x1, y1] = mention.bounds;
            // Writing to a string cannot fail.
            let _ = writeln!(
                lines,
                r#"{{"image": "{image}.png", "phrase": "{}", "x0": {x0:.4}, "y0": {y0:.4}, "x1": {x1:.4}, "y1": {y1:.4}}}"#,
                mention.phrase
            );
        }
        files.push(SampleFile {
            name: format!("{PICTURES}/{image}.png"),
            bytes: pack(&study.image)?,
            made: format!("synthetic: seed {seed}, study {number}, {view}: {}", listed(&study.findings)),
        });
        shown.push((image, view));
        report.get_or_insert(study);
    }
    if let Some(study) = report {
        let mut made = format!("synthetic: seed {seed}, report of study {number}");
        if is_empty(number) {
            made += ", findings empty";
            // What nobody wrote about has no place either.
            lines.clear();
        }
        if let Some(other) = same_as(number) {
            let _ = write!(made, ", word for word that of study {other}");
        }
        let bytes = xml(number, &study, &shown).into_bytes();
        files.insert(0, SampleFile { name: format!("{REPORTS}/{number}.xml"), bytes, made });
    }
    Ok((files, lines))
}

/// Findings in a few words.
fn listed(findings: &[Finding]) -> String {
    if findings.is_empty() {
        return "no finding".to_owned();
    }
    findings.iter().map(|finding| heading(finding, " ")).collect::<Vec<_>>().join("; ")
}

/// As in MeSH headings: the finding, then where and how much.
fn heading(finding: &Finding, between: &str) -> String {
    let zone = finding.zone.map(|zone| format!("{} lobe", zone.word()));
    let side = finding.side.map(|side| side.word().to_owned());
    let words = [Some(finding.kind.title().to_owned()), side, zone, Some(finding.severity.word().to_owned())];
    words.into_iter().flatten().collect::<Vec<_>>().join(between)
}

/// A report as Open-I's files have it.
fn xml(number: u64, study: &Study, shown: &[(String, &str)]) -> String {
    let findings = if is_empty(number) { "" } else { study.report.as_str() };
    let impression = match &study.findings[..] {
        [] => "No acute cardiopulmonary findings.".to_owned(),
        found => {
            let title = |(i, finding): (usize, &Finding)| format!("{}. {}.", i + 1, finding.kind.title());
            found.iter().enumerate().map(title).collect::<Vec<_>>().join(" ")
        }
    };
    let mut major: String =
        study.findings.iter().map(|finding| format!("    <major>{}</major>\n", heading(finding, "/"))).collect();
    if major.is_empty() {
        "    <major>normal</major>\n".clone_into(&mut major);
    }
    let found = Kind::ALL.iter().zip(study.labels).filter(|(_, there)| *there);
    let automatic: String =
        found.map(|(kind, _)| format!("    <automatic>{}</automatic>\n", kind.title().to_lowercase())).collect();
    let images: String = shown
        .iter()
        .map(|(image, view)| {
            format!(
                "  <parentImage id=\"{image}\">\n    <figureId>F1</figureId>\n    <caption>Synthetic chest, {view}</caption>\n    \
                 <panel type=\"single\">\n      <url>{PICTURES}/{image}.png</url>\n    </panel>\n  </parentImage>\n"
            )
        })
        .collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<eCitation>\n  <meta type=\"rr\"/>\n  <uId id=\"CXR{number}\"/>\n  \
         <title>Synthetic study, no radiograph</title>\n  <MedlineCitation Owner=\"learnscope\" Status=\"supplied\">\n    <Article>\n      \
         <Abstract>\n        <AbstractText Label=\"COMPARISON\">None.</AbstractText>\n        \
         <AbstractText Label=\"INDICATION\">Generated.</AbstractText>\n        \
         <AbstractText Label=\"FINDINGS\">{findings}</AbstractText>\n        \
         <AbstractText Label=\"IMPRESSION\">{impression}</AbstractText>\n      </Abstract>\n    </Article>\n  </MedlineCitation>\n  \
         <MeSH>\n{major}{automatic}  </MeSH>\n{images}</eCitation>\n"
    )
}

fn pack(grey: &[u8]) -> Result<Vec<u8>, ImageError> {
    let mut bytes = Vec::new();
    let packer = PngEncoder::new_with_quality(&mut bytes, CompressionType::Best, FilterType::Adaptive);
    packer.write_image(grey, SIZE as u32, SIZE as u32, ExtendedColorType::L8)?;
    Ok(bytes)
}

fn readme(seed: u64) -> String {
    format!(
        "SYNTHETIC schematic chests with reports, generated by learnscope (seed {seed}). They are not radiographs, show no patient and\n\
         are not for medical use.\n\n\
         Layout as in Open-I: {REPORTS}/N.xml with the report, {PICTURES}/CXRN_IM-NNNN-V001.png with its pictures. All pictures\n\
         are frontal; one study in eight has a second frontal one (V = 2) of the same findings. The findings of one report\n\
         in twenty are empty. One report in twenty-five is word for word that of the study three before. {BOXES} says where\n\
         in a picture each finding is: x0, y0, x1, y1 from 0 to 1. The patient's right is at the left of the picture.\n\
         How each file was made, its size and its CRC-32 are in manifest.csv; `learnscope sample-data DIR` writes the same files\n\
         again.\n"
    )
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::super::ultrasound_folder::MANIFEST;
    use super::*;

    fn shipped() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("sample_data/chest")
    }

    #[test]
    fn the_shipped_set_is_what_the_generator_makes() {
        let (mut total, made) = (0, files(SEED).unwrap());
        for file in &made {
            let path = shipped().join(&file.name);
            let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            total += bytes.len();
            if path.extension().is_some_and(|extension| extension == "png") {
                // Pixels rather than bytes, and one level of rounding, as for the other sets.
                let [ours, theirs] =
                    [&file.bytes, &bytes].map(|bytes| image::load_from_memory(bytes).unwrap().to_luma8());
                let apart = ours.as_raw().iter().zip(theirs.as_raw()).map(|(a, b)| a.abs_diff(*b)).max();
                assert!(apart <= Some(1), "{}: {apart:?}", file.name);
            } else if file.name != MANIFEST && file.name != BOXES {
                assert_eq!(String::from_utf8_lossy(&file.bytes), String::from_utf8_lossy(&bytes), "{}", file.name);
            }
        }
        assert!(total < 1_000_000, "{total} bytes");
        let on_disk = |folder: &str| std::fs::read_dir(shipped().join(folder)).unwrap().count();
        assert_eq!(on_disk(REPORTS) + on_disk(PICTURES) + 3, made.len());
    }

    #[test]
    fn the_manifest_names_every_file_with_its_hash() {
        let manifest = std::fs::read_to_string(shipped().join(MANIFEST)).unwrap();
        for line in manifest.lines().skip(1) {
            let mut cells = line.splitn(4, ',');
            let (name, size, crc) = (cells.next().unwrap(), cells.next().unwrap(), cells.next().unwrap());
            let bytes = std::fs::read(shipped().join(name)).unwrap();
            let found = (bytes.len().to_string(), format!("{:08x}", crc32fast::hash(&bytes)));
            assert_eq!(found, (size.into(), crc.into()), "{name}");
            assert!(cells.next().unwrap().contains("synthetic"));
        }
        assert_eq!(manifest.lines().count(), files(SEED).unwrap().len() - 1);
    }
}
