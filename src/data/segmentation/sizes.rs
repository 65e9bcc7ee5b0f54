//! What DICOM and NIfTI files of a folder say of themselves: how many there are, volumes, and how large a pixel is.

use std::collections::BTreeSet;
use std::path::Path;

use super::counted;
use super::doctor::Exam;
use super::listing::Listing;
use crate::data::picture_file::volume;
use crate::pixels::spacing::Spacing;

/// One statement each; none where no image is such a file.
pub fn lines(listing: &Listing, exams: &[Option<Exam>]) -> Vec<String> {
    let is = |path: &Path, endings: &[&str]| {
        let of = path.extension().unwrap_or_default();
        endings.iter().any(|ending| of.eq_ignore_ascii_case(ending))
    };
    let mut lines = Vec::new();
    for (kind, endings) in [("DICOM", &["dcm", "dicom", "ima", ""][..]), ("NIfTI", &["nii", "gz"])] {
        let of_kind = || listing.pairs.iter().zip(exams).filter(|(pair, _)| is(&pair.image, endings));
        let count = of_kind().count();
        if count == 0 {
            continue;
        }
        let volumes: BTreeSet<_> = of_kind().filter_map(|(pair, _)| volume::of_slice(&pair.image)).collect();
        let known: Vec<Spacing> =
            of_kind().filter_map(|(_, exam)| exam.as_ref().and_then(|exam| exam.facts.spacing)).collect();
        let what = if volumes.is_empty() {
            counted(count, &format!("{kind} image"), &format!("{kind} images"))
        } else {
            let of = counted(volumes.len(), "volume or film", "volumes or films");
            format!(
                "{}, slices of {of} among them",
                counted(count, &format!("{kind} image"), &format!("{kind} images"))
            )
        };
        lines.push(format!("{what}; {}", told(&known, count)));
    }
    lines
}

/// How large pixels are, of `count` images.
fn told(known: &[Spacing], count: usize) -> String {
    let Some(first) = known.first() else { return "none says how large a pixel is".to_owned() };
    let size = if known.iter().all(|spacing| spacing == first) {
        format!("a pixel is {}", first.text())
    } else {
        let sides = known.iter().flat_map(|spacing| [spacing.row, spacing.column]);
        let (least, most) = sides.fold((f64::INFINITY, 0.0_f64), |(a, b), side| (a.min(side), b.max(side)));
        format!("pixels have sides of {least} to {most} mm")
    };
    if known.len() < count { format!("{size}, as {} of them say", known.len()) } else { format!("{size}, as they say") }
}
