//! How far pixels are from the nearest of others: exact, without a distance for every pixel of the image.

use super::Pixel;
use crate::pixels::spacing::Spacing;

/// Above every distance within an image.
const FAR: u32 = u32::MAX / 2;

/// The squared distance of every pixel of `from` to the nearest of `to`, all in the box from `first` to `last`; `from` is
/// in order of rows, neither is empty. With [`Spacing::PIXELS`] all is exact: whole numbers below 2⁵³.
///
/// First the vertical distance of every pixel of the box to `to` in its own column, then for each of `from` the minimum
/// over the columns of its row: outwards until no column can be nearer, which is short where borders are close. Where a
/// row asks for many long searches, the lower envelope of its parabolas answers all of them in one pass (Meijster,
/// Roerdink and Hesselink 2000).
pub(super) fn nearest(from: &[Pixel], to: &[Pixel], first: Pixel, last: Pixel, spacing: Spacing) -> Vec<f64> {
    let width = (last.column - first.column + 1) as usize;
    let vertical = vertical_distances(to, first, last, width);
    let mut envelope = Envelope::default();
    let mut distances = Vec::with_capacity(from.len());
    for pixels in from.chunk_by(|a, b| a.row == b.row) {
        let at = (pixels[0].row - first.row) as usize * width;
        let row = &vertical[at..at + width];
        let mut budget = width;
        let mut ready = false;
        for pixel in pixels {
            let column = (pixel.column - first.column) as usize;
            if budget > 0 {
                distances.push(search(row, column, spacing, &mut budget));
                continue;
            }
            if !ready {
                envelope.build(row, spacing);
                ready = true;
            }
            distances.push(envelope.squared[column]);
        }
    }
    distances
}

/// For every pixel of the box the distance to the nearest of `to` in the same column; [`FAR`] or more where there is none.
fn vertical_distances(to: &[Pixel], first: Pixel, last: Pixel, width: usize) -> Vec<u32> {
    let height = (last.row - first.row + 1) as usize;
    let mut distances = vec![FAR; width * height];
    for pixel in to {
        distances[(pixel.row - first.row) as usize * width + (pixel.column - first.column) as usize] = 0;
    }
    let relax = |from: &[u32], to: &mut [u32]| {
        for (to, from) in to.iter_mut().zip(from) {
            *to = (*to).min(from + 1);
        }
    };
    for row in 1..height {
        let (above, below) = distances.split_at_mut(row * width);
        relax(&above[(row - 1) * width..], &mut below[..width]);
    }
    for row in (1..height).rev() {
        let (above, below) = distances.split_at_mut(row * width);
        relax(&below[..width], &mut above[(row - 1) * width..]);
    }
    distances
}

/// min over j of `(column − j)² + vertical[j]²`, each side times its spacing, outwards from `column`; takes its steps off the
/// budget.
fn search(vertical: &[u32], column: usize, spacing: Spacing, budget: &mut usize) -> f64 {
    let mut best = spacing.squared(vertical[column], 0);
    let reach = column.max(vertical.len() - 1 - column);
    let mut step = 1;
    while step <= reach {
        let along = spacing.squared(0, step as u32);
        if along >= best {
            break;
        }
        if step <= column {
            best = best.min(along + spacing.squared(vertical[column - step], 0));
        }
        if let Some(distance) = vertical.get(column + step) {
            best = best.min(along + spacing.squared(*distance, 0));
        }
        step += 1;
    }
    *budget = budget.saturating_sub(step);
    best
}

/// The lower envelope of one row's parabolas `(x − j)² + vertical[j]²`, each side times its spacing.
#[derive(Default)]
struct Envelope {
    /// Columns whose parabola is the lowest somewhere, and the first column where it is.
    parts: Vec<(usize, usize)>,
    /// The envelope in every column.
    squared: Vec<f64>,
}

impl Envelope {
    fn build(&mut self, vertical: &[u32], spacing: Spacing) {
        let width = vertical.len();
        let height = |j: usize| spacing.squared(vertical[j], 0);
        let value = |x: usize, j: usize| spacing.squared(vertical[j], x.abs_diff(j) as u32);
        let across = spacing.column * spacing.column;
        // The first column in which the parabola of j > i is below that of i; 0 or more, since i is not above j at 0.
        let meet = |i: usize, j: usize| {
            let (a, b) = (i as f64, j as f64);
            let last = (across * (b * b - a * a) + height(j) - height(i)) / (2.0 * across * (b - a));
            // Where the last column is beyond the row a conversion saturates.
            (last.floor() as usize).saturating_add(1)
        };
        self.parts.clear();
        for j in (0..width).filter(|j| vertical[*j] < FAR) {
            while let Some((i, start)) = self.parts.last() {
                if value(*start, *i) <= value(*start, j) {
                    break;
                }
                self.parts.pop();
            }
            match self.parts.last() {
                None => self.parts.push((j, 0)),
                Some((i, _)) => {
                    let start = meet(*i, j);
                    if start < width {
                        self.parts.push((j, start));
                    }
                }
            }
        }
        self.squared.resize(width, 0.0);
        let mut end = width;
        for (j, start) in self.parts.iter().rev() {
            for x in *start..end {
                self.squared[x] = value(x, *j);
            }
            end = (*start).min(end);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compute::rng::HostRng;

    #[test]
    fn the_envelope_agrees_with_the_search() {
        let mut rng = HostRng::new(6, 0);
        for share in [0.02, 0.3, 1.0] {
            for width in [1, 2, 17, 100] {
                let mut row: Vec<u32> =
                    (0..width).map(|_| if rng.uniform() < share { rng.below(60) as u32 } else { FAR + 7 }).collect();
                row[rng.below(width)] = 12;
                let mut envelope = Envelope::default();
                envelope.build(&row, Spacing::PIXELS);
                let searched: Vec<f64> =
                    (0..width).map(|x| search(&row, x, Spacing::PIXELS, &mut usize::MAX.clone())).collect();
                assert_eq!(envelope.squared, searched);
            }
        }
    }
}
