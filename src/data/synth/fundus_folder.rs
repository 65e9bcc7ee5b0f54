//! A small generated fundus set as files in Messidor's layout, with its known mistakes: grades that its errata correct, pictures
//! that are there twice, and among the ungraded ones two that are graded ones once more.

use std::io::Cursor;

use image::{ExtendedColorType, ImageError, ImageFormat};
use rayon::prelude::*;

use super::fundus::{Fundus, FundusSpec, Hospital, LesionKind, drawn, picture};
use super::ultrasound_folder::{SampleFile, with_manifest};
use crate::data::fundus::{CORRECTED, DUPLICATES};

/// The seed of the set that is shipped.
pub const SEED: u64 = 7;
/// Where the ungraded pictures are.
pub const UNLABELLED: &str = "unlabelled";
/// Side in pixels; the lab's default.
const SIZE: usize = 64;
const LESION_SCALE: f64 = 1.3;
/// Bases, and pictures of each.
const BASES: [u8; 6] = [11, 13, 21, 22, 31, 33];
const OF_A_BASE: u64 = 6;
/// Pictures of base 33 that are there twice.
const TWICE: usize = 4;
const UNGRADED: u64 = 18;
/// The first numbers of graded and ungraded pictures, apart from those that the lab generates.
const GRADED_FROM: u64 = 9 << 32;
const UNGRADED_FROM: u64 = 10 << 32;

/// A graded picture.
struct Plan {
    base: u8,
    name: String,
    number: u64,
    /// As its table says; the picture has the one that the errata correct it to.
    written: u8,
    spec: FundusSpec,
}

/// Graded pictures in the order of their tables.
fn plans(seed: u64) -> Vec<Plan> {
    let mut plans = Vec::new();
    for (k, base) in BASES.into_iter().enumerate() {
        let hospital = Hospital::ALL[usize::from(base / 10) - 1];
        let mut corrected = CORRECTED.iter().filter(|(number, ..)| *number == base);
        for i in 0..OF_A_BASE {
            let number = GRADED_FROM + k as u64 * OF_A_BASE + i;
            let (name, grade, written) = match corrected.next() {
                Some((_, name, grade)) => ((*name).to_owned(), *grade, if *grade == 0 { 1 } else { grade - 1 }),
                None => {
                    let grade = drawn(seed, number, &[hospital]).1;
                    (
                        format!("200510{}_{}_0{}00_PP.tif", 20 + k, 70_000 + 37 * (number % 1000), base / 10),
                        grade,
                        grade,
                    )
                }
            };
            let spec = FundusSpec { size: SIZE, grade, hospital, lesion_scale: LESION_SCALE };
            plans.push(Plan { base, name, number, written, spec });
        }
    }
    plans
}

/// Every file of the set with its path below the folder, then the manifest (file, bytes, CRC-32, how it was made) and `README.txt`.
/// The same bytes for the same seed.
pub fn files(seed: u64) -> Result<Vec<SampleFile>, ImageError> {
    let plans = plans(seed);
    let pictures: Vec<Fundus> = plans.par_iter().map(|plan| picture(seed, plan.number, &plan.spec)).collect();
    let mut files = Vec::new();
    let mut tables: Vec<(u8, Vec<[String; 3]>)> = BASES.map(|base| (base, Vec::new())).into();
    let mut add =
        |base: u8, name: &str, written: u8, fundus: &Fundus, made: String| -> Result<SampleFile, ImageError> {
            let edema = fundus.lesions.iter().any(|lesion| lesion.kind == LesionKind::HardExudate);
            if let Some((_, rows)) = tables.iter_mut().find(|(of, _)| *of == base) {
                rows.push([name.to_owned(), written.to_string(), u8::from(edema).to_string()]);
            }
            Ok(SampleFile { name: format!("Base{base}/{name}"), bytes: pack(&fundus.rgb, ImageFormat::Tiff)?, made })
        };
    for (plan, fundus) in plans.iter().zip(&pictures) {
        let Plan { base, name, number, written, spec } = plan;
        let wrong = if *written == spec.grade { String::new() } else { format!(", its table says {written}") };
        let hospital = spec.hospital.name();
        let made = format!("synthetic: seed {seed} picture {number}, hospital {hospital}, grade {}{wrong}", spec.grade);
        files.push(add(*base, name, *written, fundus, made)?);
    }
    let last = plans.iter().zip(&pictures).filter(|(plan, _)| plan.base == 33);
    for ((plan, fundus), name) in last.zip(DUPLICATES).take(TWICE) {
        files.push(add(33, name, plan.written, fundus, format!("synthetic: {} once more", plan.name))?);
    }
    for (base, rows) in tables {
        // As people have them: beside the folders or in them, with either separator.
        let (name, separator) = match base / 10 {
            1 => (format!("Annotation_Base{base}.csv"), ","),
            2 => (format!("Base{base}/Annotation Base{base}.csv"), ";"),
            _ => (format!("Base{base}/Annotation_Base{base}.csv"), ","),
        };
        let header = ["Image name", "Ophthalmologic department", "Retinopathy grade", "Risk of macular edema "];
        let mut text = header.join(separator) + "\n";
        for [image, grade, edema] in rows {
            text += &[&image, &format!("generated {}", base / 10), &grade, &edema].map(String::as_str).join(separator);
            text.push('\n');
        }
        files.push(SampleFile {
            name,
            bytes: text.into_bytes(),
            made: format!("synthetic: annotations of base {base}"),
        });
    }
    files.extend(ungraded(seed, [&pictures[0], &pictures[13]])?);
    Ok(with_manifest(files, readme(seed)))
}

/// Pictures without a table. The last two are graded ones once more: one as it is, the other mirrored.
fn ungraded(seed: u64, graded: [&Fundus; 2]) -> Result<Vec<SampleFile>, ImageError> {
    let hospitals = [Hospital::A, Hospital::B, Hospital::C];
    let of = |number: u64| {
        let (hospital, grade) = drawn(seed, number, &hospitals);
        let spec = FundusSpec { size: SIZE, grade, hospital, lesion_scale: LESION_SCALE };
        (
            picture(seed, number, &spec).rgb,
            format!("synthetic: seed {seed} picture {number}, hospital {}", hospital.name()),
        )
    };
    let mut pictures: Vec<(Vec<u8>, String)> = (0..UNGRADED).into_par_iter().map(|i| of(UNGRADED_FROM + i)).collect();
    pictures.push((graded[0].rgb.clone(), "synthetic: a graded picture once more".to_owned()));
    let mirrored = graded[1].rgb.chunks_exact(3 * SIZE).flat_map(|row| row.chunks_exact(3).rev().flatten().copied());
    pictures.push((mirrored.collect(), "synthetic: a graded picture mirrored".to_owned()));
    let file = |(i, (rgb, made)): (usize, (Vec<u8>, String))| {
        let name = format!("{UNLABELLED}/IM{:04}.png", i + 1);
        Ok(SampleFile { name, bytes: pack(&rgb, ImageFormat::Png)?, made })
    };
    pictures.into_iter().enumerate().map(file).collect()
}

fn readme(seed: u64) -> String {
    format!(
        "SYNTHETIC fundus pictures, generated by learnscope (seed {seed}). They show no patient; not for medical use.\n\n\
         Layout as in Messidor: the folders Base11 to Base33 with a table of grades each, of which the first digit is the\n\
         department; real names of its errata, so that an importer can show that it mends them: four grades in the tables are\n\
         not those that the pictures were drawn with, and four pictures of Base33 are there twice. The risk of macular edema\n\
         is 1 where hard exudates were drawn. unlabelled/ has no grades; its last two pictures are graded ones once more.\n\
         How each file was made, its size and its CRC-32 are in manifest.csv; `learnscope sample-data DIR` writes the same files.\n"
    )
}

fn pack(rgb: &[u8], format: ImageFormat) -> Result<Vec<u8>, ImageError> {
    let mut bytes = Cursor::new(Vec::new());
    image::write_buffer_with_format(&mut bytes, rgb, SIZE as u32, SIZE as u32, ExtendedColorType::Rgb8, format)?;
    Ok(bytes.into_inner())
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::*;
    use crate::data::fundus::listing::{Layout, list};
    use crate::data::synth::ultrasound_folder::MANIFEST;
    use crate::watch::Watch;

    fn shipped() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("sample_data/fundus")
    }

    #[test]
    fn the_shipped_set_is_what_the_generator_makes_and_its_manifest_names_every_file() {
        let made = files(SEED).unwrap();
        assert_eq!(made, files(SEED).unwrap());
        let manifest = std::fs::read_to_string(shipped().join(MANIFEST)).unwrap();
        let mut total = 0;
        for SampleFile { name, bytes, .. } in &made {
            let path = shipped().join(name);
            let there = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            total += there.len();
            if let Ok(ours) = image::load_from_memory(bytes) {
                // One level is left to the mathematical functions of another platform.
                let theirs = image::load_from_memory(&there).unwrap();
                let pairs = ours.as_bytes().iter().zip(theirs.as_bytes());
                assert!(pairs.map(|(a, b)| a.abs_diff(*b)).max() <= Some(1), "{name}");
            }
            let line = format!("{name},{},{:08x},", there.len(), crc32fast::hash(&there));
            assert!(name == MANIFEST || name == "README.txt" || manifest.contains(&line), "{line}");
        }
        assert_eq!(manifest.lines().count(), 1 + made.len() - 2);
        assert!(total < 720_000, "{total} bytes");
    }

    #[test]
    fn the_shipped_set_opens_as_messidor_with_its_errata() {
        let listing = list(&shipped(), true, Watch::nobody()).unwrap();
        assert_eq!(listing.layout, Layout::Messidor);
        assert_eq!(listing.hospitals, ["department 1", "department 2", "department 3"]);
        assert_eq!(listing.pictures.len(), 36);
        assert!(listing.warnings.is_empty(), "{:?}", listing.warnings);
        let told = listing.report.join("\n");
        assert!(told.contains("errata: 4 grades corrected, 4 duplicates removed; 40 → 36 pictures"), "{told}");
        assert!(told.contains("20051020_63045_0100_PP.tif 1→0"), "{told}");
        for plan in plans(SEED) {
            let name = format!("Base{}/{}", plan.base, plan.name);
            let listed = listing.pictures.iter().find(|picture| picture.name == name).unwrap();
            assert_eq!(listed.grade, Some(plan.spec.grade), "{name}");
        }
        let raw = list(&shipped(), false, Watch::nobody()).unwrap();
        assert_eq!(raw.pictures.len(), 40);
        assert!(raw.report.join("\n").contains("errata not applied: 4 grades and 4 duplicates"), "{:?}", raw.report);
    }
}
