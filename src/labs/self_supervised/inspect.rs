//! The augmentation inspector's data: some pictures of a batch beside their views, and what was drawn for them.

use crate::data::augment::recipes::Recipe;
use crate::data::augment::{Operation, View};
use crate::data::images::ImageSet;
use crate::engine::emit::Emit;
use crate::engine::event::Payload;

use super::batches::Batch;
use super::trainer::VIEWS;

/// Pictures shown.
pub const SHOWN: usize = 8;

/// Columns of the table `views/draws`; crop and blur in pixels of the picture, factors empty where none was applied. Row
/// `2b + v` is view v of the b-th picture shown.
pub const COLUMNS: [&str; 16] = [
    "picture",
    "class",
    "view",
    "left",
    "top",
    "width",
    "height",
    "flip",
    "invert",
    "brightness",
    "contrast",
    "saturation",
    "hue",
    "grey",
    "blur",
    "solarise",
];

/// Emits `views/sample`, a sheet of columns (one a picture) and three rows (the picture, its first and second view), and
/// `views/draws`.
pub fn emit(set: &ImageSet, batch: &Batch, recipe: Recipe, out: &mut Emit<'_>) {
    if !out.wants("views/sample") {
        return;
    }
    let shown = batch.indices.len().min(SHOWN);
    let (width, height) = (set.width * shown, set.height * (1 + VIEWS));
    let mut rgba = vec![255; 4 * width * height];
    let numbers = set.image_bytes();
    let plane = set.width * set.height;
    let mut paint = |column: usize, row: usize, value: &dyn Fn(usize, usize) -> u8| {
        for y in 0..set.height {
            for x in 0..set.width {
                let at = 4 * ((row * set.height + y) * width + column * set.width + x);
                for channel in 0..3 {
                    rgba[at + channel] = value(channel.min(set.channels - 1), y * set.width + x);
                }
            }
        }
    };
    for column in 0..shown {
        let image = set.image(batch.indices[column]);
        paint(column, 0, &|channel, at| image[channel * plane + at]);
        for view in 0..VIEWS {
            let values = &batch.values[(column * VIEWS + view) * numbers..][..numbers];
            paint(column, 1 + view, &|channel, at| {
                let (mean, std) = recipe.moments(channel);
                ((values[channel * plane + at] * std + mean).clamp(0.0, 1.0) * 255.0).round() as u8
            });
        }
    }
    out.payload("views/sample", Payload::Image { width: width as u32, height: height as u32, rgba });

    let rows = (0..shown * VIEWS).map(|row| {
        let (column, view) = (row / VIEWS, row % VIEWS);
        let index = batch.indices[column];
        let class = &set.class_names[set.classes[index] as usize];
        table_row(index, class, view, &batch.views[column][view])
    });
    out.payload("views/draws", Payload::Table { columns: COLUMNS.map(str::to_owned).to_vec(), rows: rows.collect() });
}

fn table_row(index: usize, class: &str, view: usize, drawn: &View) -> Vec<String> {
    let mut row = vec![String::new(); COLUMNS.len()];
    [row[0], row[1], row[2]] = [index.to_string(), class.to_owned(), (view + 1).to_string()];
    for switch in ["flip", "invert", "grey", "solarise"] {
        put(&mut row, switch, "no".to_owned());
    }
    for operation in &drawn.operations {
        let (column, text) = match operation {
            Operation::Crop(part, _) => {
                let sides = ["left", "top", "width", "height"];
                sides.iter().zip(part).for_each(|(side, v)| put(&mut row, side, format!("{v:.2}")));
                continue;
            }
            Operation::FlipHorizontal => ("flip", "yes".to_owned()),
            Operation::Invert => ("invert", "yes".to_owned()),
            Operation::Grey => ("grey", "yes".to_owned()),
            Operation::Brightness { factor, .. } => ("brightness", format!("{factor:.3}")),
            Operation::Contrast { factor, .. } => ("contrast", format!("{factor:.3}")),
            Operation::Saturation(factor) => ("saturation", format!("{factor:.3}")),
            Operation::Solarise => ("solarise", "yes".to_owned()),
            Operation::Blur(sigma) => ("blur", format!("{sigma:.3}")),
            Operation::Hue(shift) => ("hue", format!("{shift:.3}")),
            Operation::FlipVertical | Operation::Affine(..) | Operation::Noise(..) => continue,
        };
        put(&mut row, column, text);
    }
    row
}

fn put(row: &mut [String], column: &str, text: String) {
    if let Some(at) = COLUMNS.iter().position(|known| *known == column) {
        row[at] = text;
    }
}
