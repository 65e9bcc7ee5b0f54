//! DICOM and NIfTI files as pictures: what of them is opened, and what they say beside their pixels.

use std::io::Read;
use std::path::Path;

use image::{ColorType, ImageFormat};

use super::dicom::{Dicom, For};
use super::nifti::Nifti;
use super::raster::{Fill, Raster};
use super::volume::place;
use super::{Opened, Wanted, kinds};
use crate::disk;
use crate::pixels::spacing::Spacing;

use image::metadata::Orientation;

/// What a file says beside its pixels; nothing where its kind says nothing, or it cannot be read.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct About {
    /// The size of a pixel.
    pub spacing: Option<Spacing>,
    /// The patient, as a DICOM file says.
    pub patient: Option<String>,
}

/// The kinds of files that are opened here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Dicom,
    Nifti,
}

/// Reads a header where the name promises one that says something.
pub fn about(path: &Path) -> About {
    let bare = path.file_name().is_some_and(|name| kinds::is_bare_name(&name.to_string_lossy()));
    if !kinds::is_volume_name(path) && !bare {
        return About::default();
    }
    let (file, _) = place(path);
    if is_nifti_name(&file) {
        return About { spacing: Nifti::open(&file).ok().and_then(|volume| volume.spacing), patient: None };
    }
    let dicom = Dicom::open(&file).ok();
    dicom.map_or_else(About::default, |dicom| About { spacing: dicom.spacing, patient: dicom.patient })
}

/// Whether a file begins as DICOM files do, whatever its name.
pub fn is_dicom(path: &Path) -> bool {
    let mut head = [0; 132];
    disk::open(path).is_ok_and(|mut file| file.read_exact(&mut head).is_ok()) && head.ends_with(b"DICM")
}

/// How many pictures a file holds, by its header.
pub fn slices(path: &Path) -> Result<usize, String> {
    if is_nifti_name(path) {
        return Nifti::open(path).map(|volume| volume.slices);
    }
    Dicom::open(path).map(|dicom| dicom.frames)
}

fn is_nifti_name(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    name.ends_with(".nii") || name.ends_with(".nii.gz")
}

/// Opens a slice of a file, or the one picture that it holds.
pub fn open(file: &Path, slice: Option<usize>, kind: Kind, wanted: Wanted) -> Result<Opened, String> {
    let one = |count: usize, of: &str| match slice {
        None if count > 1 => Err(format!(
            "holds {count} {of}, and a picture is one: name one of them, as `NAME z=0.{}`, or choose its folder",
            if kind == Kind::Nifti { "nii" } else { "dcm" }
        )),
        _ => Ok(slice.unwrap_or(0)),
    };
    let path = file.to_owned();
    let numbers = matches!(wanted, Wanted::Mask { .. });
    match kind {
        Kind::Dicom => {
            let dicom = Dicom::open(file)?;
            let index = one(dicom.frames, "frames")?;
            let wanted = if numbers { For::Numbers } else { For::Sight };
            let size = (dicom.width as u32, dicom.height as u32);
            let (color, lossy) = (dicom.color(wanted), dicom.is_lossy());
            let fill = Box::new(move |to: &mut [u8]| dicom.frame(&path, index, wanted, to));
            Ok(opened(Raster { size, color, fill }, lossy))
        }
        Kind::Nifti => {
            let volume = Nifti::open(file)?;
            let index = one(volume.slices, "slices")?;
            let size = (volume.width as u32, volume.height as u32);
            let (color, fill): (ColorType, Fill) = if volume.is_colour() {
                (ColorType::Rgb8, Box::new(move |to| copied(&volume.slice(index)?, to)))
            } else if volume.is_bytes() {
                (ColorType::L8, Box::new(move |to| copied(&volume.slice(index)?, to)))
            } else if numbers {
                // Labels; those above 255 need two bytes.
                let values = volume.values(index)?;
                if let Some(odd) = values.iter().find(|value| !(0.0..=65_535.0).contains(*value)) {
                    return Err(format!("holds {odd}, which is no number of a label: expected 0 to 65535"));
                }
                if values.iter().all(|value| *value <= 255.0) {
                    (ColorType::L8, Box::new(move |to| copied(&bytes_of(&values), to)))
                } else {
                    let words = move |to: &mut [u8]| {
                        let words: Vec<u8> =
                            values.iter().flat_map(|value| (value.round() as u16).to_ne_bytes()).collect();
                        copied(&words, to)
                    };
                    (ColorType::L16, Box::new(words))
                }
            } else {
                let shades = move |to: &mut [u8]| {
                    let [low, high] = volume.range()?;
                    let shade = |value: &f64| 255.0 * (value - low) / (high - low).max(f64::MIN_POSITIVE);
                    // A value that is no number is black.
                    let shades: Vec<f64> = volume.values(index)?.iter().map(shade).collect();
                    copied(&bytes_of(&shades), to)
                };
                (ColorType::L8, Box::new(shades))
            };
            Ok(opened(Raster { size, color, fill }, false))
        }
    }
}

fn bytes_of(values: &[f64]) -> Vec<u8> {
    // A conversion saturates.
    values.iter().map(|value| value.round() as u8).collect()
}

fn copied(from: &[u8], to: &mut [u8]) -> Result<(), String> {
    if from.len() != to.len() {
        return Err("has changed while it was read; read it again".to_owned());
    }
    to.copy_from_slice(from);
    Ok(())
}

fn opened(raster: Raster, lossy: bool) -> Opened {
    Opened {
        decoder: Box::new(raster),
        orientation: Orientation::NoTransforms,
        // For what is said of problems, and that its values may be soft.
        format: if lossy { ImageFormat::Jpeg } else { ImageFormat::Png },
        pages: 1,
        probe: None,
        palette: None,
        stored: false,
        step: 1,
    }
}
