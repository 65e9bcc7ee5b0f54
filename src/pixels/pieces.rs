//! A picture that is larger than the square a network sees: where the squares lie on its plane, what each of them shows, and one
//! map from the maps of all. Training sees one square at a random place; a whole picture is judged through squares that overlap
//! by a quarter, weighted by a Gaussian of an eighth of their side (the sliding window of nnU-Net and MONAI).

use std::borrow::Cow;

use super::fit::Frame;

/// Share of a square that its neighbour shows too.
const OVERLAP: f64 = 0.25;
/// Standard deviation of the weights, in sides of a square.
const SIGMA: f64 = 0.125;
/// The least weight, so that what lies in one corner alone has one.
const LEAST: f64 = 1e-3;

/// The squares through which a whole picture is seen, row by row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pieces {
    /// Of the plane.
    plane: usize,
    /// Of a square.
    side: usize,
    /// Row and column of each square's first pixel.
    pub corners: Vec<[usize; 2]>,
}

/// The first and the last place of a square's first pixel along an axis on which the picture has `length` pixels from `start` on.
/// Where the picture is shorter than the square there is one.
fn places(start: usize, length: usize, plane: usize, side: usize) -> [usize; 2] {
    if length > side {
        return [start, start + length - side];
    }
    let centred = (start + length / 2).saturating_sub(side / 2).min(plane - side);
    [centred; 2]
}

/// Rows and columns at which a square's first pixel may lie: first and last of each.
pub fn room(frame: Frame, side: usize) -> [[usize; 2]; 2] {
    [places(frame.top, frame.size.height, frame.side, side), places(frame.left, frame.size.width, frame.side, side)]
}

/// Squares that would cover a picture side by side.
pub fn covering(frame: Frame, side: usize) -> usize {
    frame.size.height.div_ceil(side) * frame.size.width.div_ceil(side)
}

/// What a square shows of a plane; all of it where it is as large.
///
/// # Panics
/// Where the plane has not `plane`² values or the square lies beyond it.
pub fn cut<T: Copy>(values: &[T], plane: usize, side: usize, [row, column]: [usize; 2]) -> Cow<'_, [T]> {
    assert_eq!(values.len(), plane * plane, "a plane of {plane} by {plane}");
    if plane == side {
        return Cow::Borrowed(values);
    }
    (row..row + side).flat_map(|row| &values[row * plane + column..][..side]).copied().collect()
}

/// At which pixels of a square the picture lies.
pub fn held(frame: Frame, side: usize, [row, column]: [usize; 2]) -> Vec<bool> {
    let pixel = |i: usize| (row + i / side) * frame.side + column + i % side;
    (0..side * side).map(|i| frame.holds(pixel(i))).collect()
}

/// The same of every channel of `[C, P, P]`.
pub fn cut_channels(values: &[f32], plane: usize, side: usize, corner: [usize; 2]) -> Cow<'_, [f32]> {
    if plane == side {
        return Cow::Borrowed(values);
    }
    let channels = values.chunks_exact(plane * plane);
    channels.flat_map(|channel| cut(channel, plane, side, corner).into_owned()).collect()
}

impl Pieces {
    /// Through which squares of `side` a picture is seen.
    pub fn over(frame: Frame, side: usize) -> Self {
        let along = |[first, last]: [usize; 2]| -> Vec<usize> {
            let steps = ((last - first) as f64 / (side as f64 * (1.0 - OVERLAP))).ceil() as usize;
            (0..=steps).map(|i| first + (last - first) * i / steps.max(1)).collect()
        };
        let [rows, columns] = room(frame, side).map(along);
        let corners = rows.iter().flat_map(|&row| columns.iter().map(move |&column| [row, column])).collect();
        Self { plane: frame.side, side, corners }
    }

    /// Whether one square is all of the plane.
    pub fn is_one(&self) -> bool {
        self.corners.len() == 1 && self.plane == self.side
    }

    /// One map of the plane, `[P, P]`, from the maps of the squares, each `[S, S]`. What no square shows is 0.
    ///
    /// # Panics
    /// Where there are not as many maps as squares.
    pub fn merge(&self, maps: &[&[f32]]) -> Vec<f32> {
        assert_eq!(maps.len(), self.corners.len(), "a map for every square");
        if let ([one], true) = (maps, self.is_one()) {
            return one.to_vec();
        }
        let weights = self.weights();
        let mut sums = vec![[0.0_f32; 2]; self.plane * self.plane];
        for (&[row, column], map) in self.corners.iter().zip(maps) {
            for y in 0..self.side {
                let line = &mut sums[(row + y) * self.plane + column..][..self.side];
                for (x, sum) in line.iter_mut().enumerate() {
                    let weight = weights[y] * weights[x];
                    *sum = [sum[0] + weight * map[y * self.side + x], sum[1] + weight];
                }
            }
        }
        sums.into_iter().map(|[sum, weight]| if weight > 0.0 { sum / weight } else { 0.0 }).collect()
    }

    /// Along one axis of a square.
    fn weights(&self) -> Vec<f32> {
        let of = |i: usize| {
            let from_centre = (i as f64 + 0.5) / self.side as f64 - 0.5;
            (-0.5 * (from_centre / SIGMA).powi(2)).exp().max(LEAST) as f32
        };
        (0..self.side).map(of).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pixels::fit::Fit;
    use crate::pixels::resize::Size;

    fn frame(height: usize, width: usize, square: usize) -> Frame {
        Fit::Patches { percent: 100 }.on_plane(Size { height, width }, square)
    }

    #[test]
    fn squares_cover_the_picture_and_give_back_what_they_were_cut_from() {
        for (height, width) in [(16, 16), (40, 100), (100, 37), (17, 16), (9, 120), (5, 3)] {
            let frame = frame(height, width, 16);
            let values: Vec<f32> = (0..frame.side * frame.side).map(|i| ((i * 37) % 101) as f32).collect();
            let pieces = Pieces::over(frame, 16);
            let maps: Vec<Vec<f32>> =
                pieces.corners.iter().map(|&corner| cut(&values, frame.side, 16, corner).into_owned()).collect();
            let merged = pieces.merge(&maps.iter().map(|map| &map[..]).collect::<Vec<_>>());
            for i in (0..values.len()).filter(|&i| frame.holds(i)) {
                assert!((merged[i] - values[i]).abs() < 1e-3, "{height}x{width}, {i}: {} {}", merged[i], values[i]);
            }
        }
    }

    #[test]
    fn neighbours_overlap_and_the_middle_of_a_square_counts_most() {
        let pieces = Pieces::over(frame(16, 28, 16), 16);
        assert_eq!(pieces.corners, [[6, 0], [6, 12]]);
        let merged = pieces.merge(&[&[0.0; 256], &[1.0; 256]]);
        let row = &merged[14 * 28..15 * 28];
        assert!(row[..12].iter().all(|&value| value == 0.0) && row[16..].iter().all(|&value| value == 1.0), "{row:?}");
        assert!(row[12] < row[13] && row[13] < 0.5 && row[14] > 0.5 && row[14] < row[15], "{row:?}");
        assert_eq!(covering(frame(16, 28, 16), 16), 2);
        assert_eq!(room(frame(16, 28, 16), 16), [[6, 6], [0, 12]]);
    }

    #[test]
    fn a_picture_of_one_square_is_left_as_it_is() {
        let frame = Fit::Squash.on_plane(Size { height: 50, width: 90 }, 16);
        let pieces = Pieces::over(frame, 16);
        assert_eq!(pieces.corners, [[0, 0]]);
        let map: Vec<f32> = (0..256).map(|i| i as f32).collect();
        assert_eq!(pieces.merge(&[&map]), map);
    }
}
