//! Pictures of a run for the figures of its studies.

use crate::engine::event::Payload;
use crate::engine::state::RunState;
use crate::engine::study_figure::Picture;
use crate::plot::colormap::ColorMap;

/// L_cl from which on every batch has the brightest colour of [`strip`].
const BRIGHT: f64 = 1.0;

/// Figure 3: a column an epoch, a cell a batch with the first one at the bottom; L_cl from 0 (dark) to 1 and more (bright),
/// unlabelled batches white, what no batch came to light grey.
pub fn strip(run: &RunState, _: usize) -> Option<Picture> {
    /// Pixels of a cell, and most epochs and batches that are drawn.
    const CELL: [usize; 2] = [12, 6];
    const MOST: f64 = 400.0;
    let table = run.tables.get("strip").filter(|table| table.columns == 4 && !table.data.is_empty())?;
    let batches: Vec<&[f64]> = table.data.chunks_exact(4).filter(|row| row[0] < MOST && row[1] < MOST).collect();
    let most = |column: usize| batches.iter().map(|row| row[column]).fold(0.0, f64::max) as usize + 1;
    let (width, height) = (most(0) * CELL[0], most(1) * CELL[1]);
    let mut rgb = vec![200; 3 * width * height];
    for row in &batches {
        let (left, top) = (row[0] as usize * CELL[0], height - (row[1] as usize + 1) * CELL[1]);
        let labelled = row[2] == 1.0;
        let color = if labelled { ColorMap::Viridis.rgb((row[3] / BRIGHT) as f32) } else { Some([255; 3]) };
        // A line between cells.
        for y in top + 1..top + CELL[1] {
            for x in left + 1..left + CELL[0] {
                let at = 3 * (y * width + x);
                rgb[at..at + 3].copy_from_slice(&color.unwrap_or([0; 3]));
            }
        }
    }
    Some(Picture { width, height, rgb })
}

/// Figure 4: originals and beside each its reconstruction, those with the highest grades first.
pub fn rebuilt(run: &RunState, column: usize) -> Option<Picture> {
    let newest = |key: &str| run.payloads.get(key)?.newest.as_ref().map(|(_, payload)| payload.clone());
    let names = newest("wall/names")?;
    let Payload::Text(names) = &*names else { return None };
    let grade = |line: &str| line.split('\t').nth(1).and_then(|grade| grade.parse::<u8>().ok());
    let mut order: Vec<(usize, Option<u8>)> = names.lines().map(grade).enumerate().collect();
    order.sort_by_key(|(_, grade)| std::cmp::Reverse(*grade));
    let what = if column.is_multiple_of(2) { "original" } else { "rebuilt" };
    let picture = newest(&format!("wall/{what}/{}", order.get(column / 2)?.0))?;
    let Payload::Image { width, height, rgba } = &*picture else { return None };
    let rgb = rgba.chunks_exact(4).flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect();
    Some(Picture { width: *width as usize, height: *height as usize, rgb })
}
