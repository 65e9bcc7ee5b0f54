//! Contour lines of a sampled field: marching squares with linear interpolation, joined into polylines.

use std::collections::HashMap;

/// A contour line. Coordinates are in samples: `[column, row]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Contour {
    /// Index into the levels asked for.
    pub level: usize,
    pub points: Vec<[f32; 2]>,
}

/// The contour lines of `values` (row-major, `width` columns) at each of `levels`.
///
/// Cells with a value that is not finite have no lines. An ambiguous cell (a saddle) is resolved by its mean.
pub fn contours(values: &[f32], width: usize, levels: &[f32]) -> Vec<Contour> {
    let height = values.len().checked_div(width).unwrap_or(0);
    if width < 2 || height < 2 {
        return Vec::new();
    }
    let mut lines = Vec::new();
    for (index, &level) in levels.iter().enumerate() {
        let segments = segments(values, width, height, level);
        lines.extend(join(&segments, values, width, level).into_iter().map(|points| Contour { level: index, points }));
    }
    lines
}

/// An edge of the grid, by its sample and direction: every crossing of a contour with the grid has one.
type Edge = u32;

fn horizontal(column: usize, row: usize, width: usize) -> Edge {
    (2 * (row * width + column)) as Edge
}

fn vertical(column: usize, row: usize, width: usize) -> Edge {
    (2 * (row * width + column) + 1) as Edge
}

/// Pairs of crossed edges, one pair or two a cell.
fn segments(values: &[f32], width: usize, height: usize, level: f32) -> Vec<[Edge; 2]> {
    let mut found = Vec::new();
    for row in 0..height - 1 {
        for column in 0..width - 1 {
            let at = row * width + column;
            let corners = [values[at], values[at + 1], values[at + width + 1], values[at + width]];
            if !corners.iter().all(|v| v.is_finite()) {
                continue;
            }
            let case = corners.iter().enumerate().fold(0, |case, (i, v)| case | usize::from(*v >= level) << i);
            if case == 0 || case == 15 {
                continue;
            }
            let top = horizontal(column, row, width);
            let right = vertical(column + 1, row, width);
            let bottom = horizontal(column, row + 1, width);
            let left = vertical(column, row, width);
            let centre_high = corners.iter().sum::<f32>() / 4.0 >= level;
            match case {
                1 | 14 => found.push([left, top]),
                2 | 13 => found.push([top, right]),
                3 | 12 => found.push([left, right]),
                4 | 11 => found.push([right, bottom]),
                6 | 9 => found.push([top, bottom]),
                7 | 8 => found.push([left, bottom]),
                // Corners 0 and 2 high, or 1 and 3: the mean says which two of them are connected.
                5 if centre_high => found.extend([[top, right], [left, bottom]]),
                5 => found.extend([[left, top], [right, bottom]]),
                10 if centre_high => found.extend([[left, top], [right, bottom]]),
                _ => found.extend([[top, right], [left, bottom]]),
            }
        }
    }
    found
}

/// Joins segments that share an edge crossing; open lines first, then closed ones.
fn join(segments: &[[Edge; 2]], values: &[f32], width: usize, level: f32) -> Vec<Vec<[f32; 2]>> {
    const NONE: u32 = u32::MAX;
    // At most two segments meet on an edge, because an edge has at most two cells.
    let mut at_edge: HashMap<Edge, [u32; 2]> = HashMap::with_capacity(segments.len());
    for (index, segment) in segments.iter().enumerate() {
        for edge in segment {
            let slot = at_edge.entry(*edge).or_insert([NONE; 2]);
            slot[usize::from(slot[0] != NONE)] = index as u32;
        }
    }
    let mut used = vec![false; segments.len()];
    let mut lines = Vec::new();
    let mut follow = |first: usize, start: Edge| {
        let (mut index, mut edge) = (first, start);
        let mut points = vec![crossing(start, values, width, level)];
        while !used[index] {
            used[index] = true;
            edge = if segments[index][0] == edge { segments[index][1] } else { segments[index][0] };
            points.push(crossing(edge, values, width, level));
            match at_edge[&edge].into_iter().find(|next| *next != NONE && !used[*next as usize]) {
                Some(next) => index = next as usize,
                None => break,
            }
        }
        if points.len() > 1 {
            lines.push(points);
        }
    };
    for (index, segment) in segments.iter().enumerate() {
        for edge in segment {
            if at_edge[edge][1] == NONE {
                follow(index, *edge);
            }
        }
    }
    for (index, segment) in segments.iter().enumerate() {
        follow(index, segment[0]);
    }
    lines
}

fn crossing(edge: Edge, values: &[f32], width: usize, level: f32) -> [f32; 2] {
    let at = edge as usize / 2;
    let (column, row) = (at % width, at / width);
    let along_row = edge.is_multiple_of(2);
    let (from, to) = (values[at], values[at + if along_row { 1 } else { width }]);
    let share = if to == from { 0.5 } else { ((level - from) / (to - from)).clamp(0.0, 1.0) };
    if along_row { [column as f32 + share, row as f32] } else { [column as f32, row as f32 + share] }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(width: usize, height: usize, f: impl Fn(f32, f32) -> f32) -> Vec<f32> {
        (0..width * height).map(|i| f((i % width) as f32, (i / width) as f32)).collect()
    }

    #[test]
    fn the_contour_of_a_cone_is_one_closed_circle_of_that_radius() {
        let values = sample(81, 61, |x, y| (x - 40.0).hypot(y - 30.0));
        let lines = contours(&values, 81, &[20.0]);
        assert_eq!(lines.len(), 1);
        let points = &lines[0].points;
        assert_eq!(points.first(), points.last(), "closed");
        for [x, y] in points {
            let radius = (x - 40.0).hypot(y - 30.0);
            assert!((radius - 20.0).abs() < 0.02, "{radius}");
        }
        assert!(points.len() > 100, "follows every cell: {}", points.len());
    }

    #[test]
    fn a_saddle_has_two_open_branches_on_either_side() {
        let values = sample(41, 41, |x, y| (x - 20.3).powi(2) - (y - 20.3).powi(2));
        for level in [-25.0, 25.0] {
            let lines = contours(&values, 41, &[level]);
            assert_eq!(lines.len(), 2, "level {level}");
            assert!(lines.iter().all(|line| line.points.first() != line.points.last()));
        }
    }

    #[test]
    fn cells_without_a_number_are_left_out() {
        let mut values = sample(20, 20, |x, _| x);
        values[10 * 20 + 9] = f32::NAN;
        let lines = contours(&values, 20, &[8.5]);
        assert_eq!(lines.len(), 2, "the line is broken where the value is missing");
        assert!(contours(&values, 20, &[100.0]).is_empty());
        assert!(contours(&[], 0, &[1.0]).is_empty());
        assert!(contours(&[1.0, 2.0], 2, &[1.5]).is_empty());
    }
}
