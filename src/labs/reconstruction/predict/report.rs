//! The table of all photographs as CSV, and their maps as PNG.

use std::io::Cursor;
use std::path::Path;

use image::ImageEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use serde_json::{Value as Json, json};

use super::super::judge::MOST_ERROR;
use super::super::parts::Role;
use super::{Maps, NOTE};
use crate::engine::export::{Sheet, number};
use crate::engine::run_folder::{DiskError, write_whole};
use crate::kit::predict::save_png;
use crate::plot::colormap::ColorMap;

/// One photograph of the table.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    pub name: String,
    /// The file as it was given.
    pub file: String,
    /// `None` where it could not be used.
    pub measures: Option<Measures>,
    /// Largest |drop| of the occlusion map, logits.
    pub most_occlusion: Option<f32>,
    /// What of the run's data it is; `None`: none of it, or that is not known.
    pub part: Option<Role>,
    /// Why it could not be used, or what is odd about it; else empty.
    pub problem: String,
}

/// The numbers of one prediction.
#[derive(Debug, Clone, PartialEq)]
pub struct Measures {
    /// Of retinopathy, 0 to 1.
    pub probability: f64,
    /// 0 to 3, where the network tells grades.
    pub grade: Option<usize>,
    /// MSE, PSNR in dB and SSIM of the reconstruction within the field of view.
    pub quality: Option<[f64; 3]>,
}

/// The columns of `predictions.csv`.
const COLUMNS: [&str; 12] = [
    "image",
    "file",
    "probability",
    "answer",
    "grade",
    "mse",
    "psnr",
    "ssim",
    "occlusion_most_logits",
    "part",
    "problem",
    "notice",
];

impl Row {
    /// A photograph of which nothing is known yet.
    pub fn new(name: &str, file: &str) -> Self {
        let (name, file) = (name.to_owned(), file.to_owned());
        Self { name, file, measures: None, most_occlusion: None, part: None, problem: String::new() }
    }

    /// The answer at a threshold; empty where there is none.
    pub fn answer(&self, threshold: f64) -> &'static str {
        match &self.measures {
            None => "",
            Some(measures) if measures.probability >= threshold => "retinopathy",
            Some(_) => "no retinopathy",
        }
    }

    fn cells(&self, threshold: f64) -> Vec<Json> {
        let optional = |value: Option<f64>| value.map_or(json!(""), number);
        let measures = self.measures.as_ref();
        let quality = |k: usize| optional(measures.and_then(|m| m.quality).map(|quality| quality[k]));
        vec![
            json!(self.name),
            json!(self.file),
            optional(measures.map(|m| m.probability)),
            json!(self.answer(threshold)),
            measures.and_then(|m| m.grade).map_or(json!(""), |grade| json!(grade)),
            quality(0),
            quality(1),
            quality(2),
            optional(self.most_occlusion.map(f64::from)),
            json!(self.part.map_or("", Role::name)),
            json!(self.problem),
            json!(NOTE),
        ]
    }

    /// One object by the names of the columns; what is unknown is null.
    pub fn json(&self, threshold: f64) -> Json {
        let null = |cell: Json| if cell == json!("") { Json::Null } else { cell };
        COLUMNS.iter().zip(self.cells(threshold)).map(|(name, cell)| ((*name).to_owned(), null(cell))).collect()
    }
}

/// Writes `predictions.csv`.
pub fn save_table(path: &Path, rows: &[Row], threshold: f64) -> Result<(), DiskError> {
    let cells = rows.iter().map(|row| row.cells(threshold)).collect();
    let sheet = Sheet { rows: cells, ..Sheet::new(&COLUMNS) };
    let bytes = sheet.csv(&Json::Null).map_err(|error| DiskError::bad(path, error))?;
    write_whole(path, &bytes)
}

/// Which pictures are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    pub reconstructions: bool,
    pub errors: bool,
    pub occlusions: bool,
}

/// Writes `NAME-reconstruction.png`, `NAME-error.png` and `NAME-occlusion.png` below `out`, S×S pixels each, as far as they are
/// wanted and there.
pub fn save_maps(out: &Path, name: &str, maps: &Maps, wanted: Wanted) -> Result<(), DiskError> {
    let save = |what: &str, rgb: &dyn Fn() -> Vec<u8>| {
        save_png(&out.join(format!("{name}-{what}.png")), || png(&rgb(), maps.size))
    };
    if let Some(rebuilt) = maps.rebuilt.as_ref().filter(|_| wanted.reconstructions) {
        save("reconstruction", &|| rebuilt.clone())?;
    }
    if let Some(error) = maps.error.as_ref().filter(|_| wanted.errors) {
        save("error", &|| colours(ColorMap::Viridis, error.iter().map(|error| error / MOST_ERROR)))?;
    }
    if let (Some(drops), Some(most), true) = (&maps.occlusion, maps.most_occlusion(), wanted.occlusions) {
        save("occlusion", &|| colours(ColorMap::DivergingLight, drops.iter().map(|drop| signed(*drop, most))))?;
    }
    Ok(())
}

/// A drop as a place in a diverging map, ±`most` at its ends.
pub fn signed(drop: f32, most: f32) -> f32 {
    0.5 + 0.5 * drop / most.max(f32::MIN_POSITIVE)
}

fn colours(map: ColorMap, places: impl Iterator<Item = f32>) -> Vec<u8> {
    places.flat_map(|place| map.rgb(place).unwrap_or_default()).collect()
}

fn png(rgb: &[u8], size: usize) -> Result<Vec<u8>, image::ImageError> {
    let mut bytes = Cursor::new(Vec::new());
    let encoder = PngEncoder::new_with_quality(&mut bytes, CompressionType::Fast, FilterType::Adaptive);
    encoder.write_image(rgb, size as u32, size as u32, image::ExtendedColorType::Rgb8)?;
    Ok(bytes.into_inner())
}
