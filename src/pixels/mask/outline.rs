//! Outlines of a mask as closed lines to draw, and the border as the authors' code counts it.

use super::Mask;

/// How an outline goes around pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum OutlineStyle {
    /// Along the sides of pixels; only corners are points.
    #[default]
    Edges,
    /// Through the middles of the sides, so that corners are cut off.
    Midpoints,
}

/// One closed outline.
#[derive(Debug, Clone, PartialEq)]
pub struct Outline {
    /// x to the right and y downwards in pixels, from the image's top left corner: a pixel covers [column, column + 1].
    /// The first point is not repeated at the end. The lesion lies to the right of the way.
    pub points: Vec<[f32; 2]>,
    /// Whether it goes around a hole.
    pub hole: bool,
}

/// All outlines of a mask; pixels that touch at a corner are inside of one outline.
pub fn outlines(mask: &Mask, style: OutlineStyle) -> Vec<Outline> {
    let mut canvas = Canvas::new(mask);
    let stride = canvas.stride;
    let mut found = Vec::new();
    for row in 1..=mask.height() {
        let line = row * stride..(row + 1) * stride;
        let mut at = line.start;
        while let Some(skipped) = {
            let (this, up) = (&canvas.lesion[at..line.end], &canvas.lesion[at - stride..line.end - stride]);
            this.iter().zip(up).position(|(here, up)| here & !up)
        } {
            at += skipped;
            // Every outline has an upper side of a pixel.
            if !canvas.done[at] {
                found.push(canvas.follow(at, style));
            }
            at += 1;
        }
    }
    found
}

/// A mask with background around it, so that no neighbour has to be asked whether it exists.
struct Canvas {
    /// Row by row with one more on every side.
    lesion: Vec<bool>,
    /// Whether the upper side of each pixel is part of an outline that is done.
    done: Vec<bool>,
    /// Pixels of a row.
    stride: usize,
}

/// Directions on the corners of pixels: right, down, left, up.
const STEPS: [[f32; 2]; 4] = [[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]];

impl Canvas {
    fn new(mask: &Mask) -> Self {
        let stride = mask.width() + 2;
        let mut lesion = vec![false; stride * (mask.height() + 2)];
        for row in 0..mask.height() {
            lesion[(row + 1) * stride + 1..][..mask.width()].copy_from_slice(mask.row(row));
        }
        Self { done: vec![false; lesion.len()], lesion, stride }
    }

    /// Goes once around, beginning with the upper side of a pixel. A corner has the index of the pixel below and right
    /// of it.
    fn follow(&mut self, start: usize, style: OutlineStyle) -> Outline {
        let stride = self.stride;
        let mut at = start;
        let mut direction = 0;
        let mut place = [(start % stride - 1) as f32, (start / stride - 1) as f32];
        let mut points = Vec::new();
        // Twice the enclosed area.
        let mut area = 0.0;
        // The first side comes after a turn: the one before it in the same line would have been met earlier.
        let mut turned = true;
        loop {
            let step = STEPS[direction];
            match style {
                OutlineStyle::Midpoints => points.push([place[0] + 0.5 * step[0], place[1] + 0.5 * step[1]]),
                OutlineStyle::Edges if turned => points.push(place),
                OutlineStyle::Edges => {}
            }
            area += f64::from(place[0]) * f64::from(step[1]) - f64::from(place[1]) * f64::from(step[0]);
            place = [place[0] + step[0], place[1] + step[1]];
            // The new corner, and the pixels left and right ahead of it.
            let (left, right);
            (at, left, right) = match direction {
                0 => {
                    self.done[at] = true;
                    (at + 1, at + 1 - stride, at + 1)
                }
                1 => (at + stride, at + stride, at + stride - 1),
                2 => (at - 1, at - 2, at - 2 - stride),
                _ => (at - stride, at - stride - 1 - stride, at - stride - stride),
            };
            let turn = match (self.lesion[left], self.lesion[right]) {
                (true, _) => 3,
                (false, true) => 0,
                (false, false) => 1,
            };
            turned = turn != 0;
            direction = (direction + turn) % 4;
            if at == start && direction == 0 {
                return Outline { points, hole: area < 0.0 };
            }
        }
    }
}

/// The eight neighbours of a pixel (down, right), counter-clockwise as seen, from the one to the left on.
const AROUND: [[isize; 2]; 8] = [[0, -1], [1, -1], [1, 0], [1, 1], [0, 1], [-1, 1], [-1, 0], [-1, -1]];

/// Number of points of the outer border of the part whose first pixel, row by row, is this one: following from pixel to
/// pixel across sides and corners (Suzuki and Abe 1985), a pixel counts as often as the way passes it.
pub(super) fn border_length(mask: &Mask, row: usize, column: usize) -> usize {
    let neighbour = |[row, column]: [isize; 2], k: usize| [row + AROUND[k % 8][0], column + AROUND[k % 8][1]];
    let lesion = |[row, column]: [isize; 2]| match (usize::try_from(row), usize::try_from(column)) {
        (Ok(row), Ok(column)) => mask.at(row, column),
        _ => false,
    };
    let start = [row as isize, column as isize];
    // Clockwise from the pixel to the left, which is background.
    let Some(before) = (1..8).map(|k| 8 - k).find(|k| lesion(neighbour(start, *k))) else {
        return 1;
    };
    let last = neighbour(start, before);
    let (mut at, mut from, mut length) = (start, before, 0);
    loop {
        length += 1;
        // Counter-clockwise from the pixel that the way came from, which is looked at last: it is lesion.
        let to = (from + 1..=from + 8).find(|k| lesion(neighbour(at, *k))).unwrap_or(from) % 8;
        let next = neighbour(at, to);
        if next == start && at == last {
            return length;
        }
        at = next;
        from = (to + 4) % 8;
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::drawn;
    use super::*;
    use crate::compute::rng::HostRng;

    #[test]
    fn one_pixel_is_a_square() {
        let mask = drawn(&["...", ".#.", "..."]);
        let square = outlines(&mask, OutlineStyle::Edges);
        assert_eq!(square.len(), 1);
        assert_eq!(square[0].points, [[1.0, 1.0], [2.0, 1.0], [2.0, 2.0], [1.0, 2.0]]);
        let diamond = outlines(&mask, OutlineStyle::Midpoints);
        assert_eq!(diamond[0].points, [[1.5, 1.0], [2.0, 1.5], [1.5, 2.0], [1.0, 1.5]]);
        assert!(!square[0].hole && !diamond[0].hole);
    }

    #[test]
    fn full_and_empty_images_have_one_outline_and_none() {
        let full = outlines(&Mask::from_fn(3, 5, |_, _| true), OutlineStyle::Edges);
        assert_eq!(full[0].points, [[0.0, 0.0], [5.0, 0.0], [5.0, 3.0], [0.0, 3.0]]);
        for mask in [Mask::empty(3, 4), Mask::default()] {
            assert!(outlines(&mask, OutlineStyle::Edges).is_empty());
        }
        let line = outlines(&drawn(&["##.#"]), OutlineStyle::Edges);
        assert_eq!(line.iter().map(|outline| outline.points.len()).collect::<Vec<_>>(), [4, 4]);
    }

    #[test]
    fn holes_are_marked_and_corners_join() {
        let ring = outlines(&drawn(&["###", "#.#", "###"]), OutlineStyle::Edges);
        assert_eq!(ring.iter().map(|outline| outline.hole).collect::<Vec<_>>(), [false, true]);
        assert_eq!(outlines(&drawn(&["#.", ".#"]), OutlineStyle::Edges).len(), 1);
    }

    #[test]
    fn outlines_enclose_as_many_pixels_as_there_are() {
        let mut rng = HostRng::new(2, 0);
        for (height, width) in [(1, 20), (20, 1), (15, 22)] {
            for share in [0.1, 0.5, 0.8] {
                let mask = Mask::from_fn(height, width, |_, _| rng.uniform() < share);
                let mut area = 0.0;
                for outline in outlines(&mask, OutlineStyle::Edges) {
                    let points = &outline.points;
                    let turns = points.iter().zip(points.iter().cycle().skip(1));
                    let twice: f32 = turns.map(|(a, b)| a[0] * b[1] - b[0] * a[1]).sum();
                    assert_eq!(outline.hole, twice < 0.0);
                    area += twice / 2.0;
                    // Every point is a corner.
                    for i in 0..points.len() {
                        let [a, b, c] = [0, 1, 2].map(|k| points[(i + k) % points.len()]);
                        assert!((a[0] == b[0]) != (b[0] == c[0]), "{points:?}");
                    }
                }
                assert_eq!(area, mask.area() as f32);
                let sides: usize = outlines(&mask, OutlineStyle::Midpoints).iter().map(|o| o.points.len()).sum();
                let on = |row: isize, column: isize| row >= 0 && column >= 0 && mask.at(row as usize, column as usize);
                let mut expected = 0;
                for row in 0..height as isize {
                    for column in 0..width as isize {
                        let around = [(row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)];
                        if on(row, column) {
                            expected += around.iter().filter(|(row, column)| !on(*row, *column)).count();
                        }
                    }
                }
                assert_eq!(sides, expected);
            }
        }
    }

    #[test]
    fn a_border_passes_a_thin_line_twice() {
        assert_eq!(border_length(&drawn(&["#"]), 0, 0), 1);
        assert_eq!(border_length(&drawn(&["##"]), 0, 0), 2);
        assert_eq!(border_length(&drawn(&["#####"]), 0, 0), 8);
        assert_eq!(border_length(&drawn(&["##", "##"]), 0, 0), 4);
        assert_eq!(border_length(&drawn(&["#..", ".#.", "..#"]), 0, 0), 4);
        // A cross: its centre is met from four sides, and its arms are cut off diagonally.
        assert_eq!(border_length(&drawn(&[".#.", "###", ".#."]), 0, 1), 4);
    }
}
