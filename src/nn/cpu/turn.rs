//! Maps turned so that the channels of a place lie side by side ("channels last"), and back.

use super::maths::wide;

/// Side of the squares that are turned in registers, and channels that are read beside each other.
const SIDE: usize = 8;
type Line = [f32; SIDE];

/// Turns some rows of some channels: `x` `[channels, height, width]` to `map` `[rows, columns, channels]`. The map begins `above` rows
/// above the first row of x (negative: below it) and `beside` columns beside it; what has no pixel keeps its zeros.
pub fn channels_last(
    map: &mut [f32],
    x: &[f32],
    channels: usize,
    [height, width]: [usize; 2],
    columns: usize,
    above: isize,
    beside: usize,
) {
    // Rows of the map that have pixels, and these pixels: one run of every channel.
    let rows = (map.len() / (columns * channels)) as isize;
    let (first, last) = (above.max(0), rows.min(height as isize + above));
    if first >= last {
        return;
    }
    let pixels = (first - above) as usize * width..(last - above) as usize * width;
    let start = first as usize * columns + beside;
    wide(
        #[inline(always)]
        || {
            // Some channels at a time: what is read of each lies in one run.
            for group in (0..channels).step_by(SIDE) {
                let x = &x[group * height * width..];
                if channels - group < SIDE {
                    for (row, from) in pixels.clone().step_by(width).enumerate() {
                        for channel in 0..channels - group {
                            let to = &mut map[(start + row * columns) * channels + group + channel..];
                            let from = &x[channel * height * width + from..][..width];
                            to.iter_mut().step_by(channels).zip(from).for_each(|(to, number)| *to = *number);
                        }
                    }
                    continue;
                }
                let (mut to, mut column) = (start * channels + group, 0);
                let mut next = || {
                    let here = to;
                    (column, to) = (column + 1, to + channels);
                    if column == width {
                        (column, to) = (0, to + (columns - width) * channels);
                    }
                    here
                };
                let whole = pixels.len() / SIDE * SIDE;
                for at in (pixels.start..pixels.start + whole).step_by(SIDE) {
                    for line in &turned(&square(&x[at..], height * width)) {
                        map[next()..][..SIDE].copy_from_slice(line);
                    }
                }
                for at in pixels.start + whole..pixels.end {
                    for (to, number) in map[next()..][..SIDE].iter_mut().zip(x[at..].iter().step_by(height * width)) {
                        *to = *number;
                    }
                }
            }
        },
    );
}

/// Eight rows that begin `pitch` apart.
#[inline(always)]
fn square(from: &[f32], pitch: usize) -> [Line; SIDE] {
    let mut square = [[0.0; SIDE]; SIDE];
    for (i, line) in square.iter_mut().enumerate() {
        line.copy_from_slice(&from[i * pitch..][..SIDE]);
    }
    square
}

/// `to[j, i] = from[i, j]`: `rows` rows of `columns` numbers that begin `pitch` apart, to `columns` rows that begin `to_pitch` apart.
pub fn transpose(from: &[f32], pitch: usize, to: &mut [f32], to_pitch: usize, rows: usize, columns: usize) {
    wide(
        #[inline(always)]
        || {
            let [high, broad] = [rows, columns].map(|side| side / SIDE * SIDE);
            for top in (0..high).step_by(SIDE) {
                for left in (0..broad).step_by(SIDE) {
                    for (j, line) in turned(&square(&from[top * pitch + left..], pitch)).iter().enumerate() {
                        to[(left + j) * to_pitch + top..][..SIDE].copy_from_slice(line);
                    }
                }
            }
            for j in 0..columns {
                for i in if j < broad { high } else { 0 }..rows {
                    to[j * to_pitch + i] = from[i * pitch + j];
                }
            }
        },
    );
}

/// Rows become columns, in steps that are one shuffle of the processor each.
#[inline(always)]
fn turned(rows: &[Line; SIDE]) -> [Line; SIDE] {
    #[inline(always)]
    fn low(a: &Line, b: &Line) -> Line {
        [a[0], b[0], a[1], b[1], a[4], b[4], a[5], b[5]]
    }
    #[inline(always)]
    fn high(a: &Line, b: &Line) -> Line {
        [a[2], b[2], a[3], b[3], a[6], b[6], a[7], b[7]]
    }
    #[inline(always)]
    fn low_pairs(a: &Line, b: &Line) -> Line {
        [a[0], a[1], b[0], b[1], a[4], a[5], b[4], b[5]]
    }
    #[inline(always)]
    fn high_pairs(a: &Line, b: &Line) -> Line {
        [a[2], a[3], b[2], b[3], a[6], a[7], b[6], b[7]]
    }
    #[inline(always)]
    fn left(a: &Line, b: &Line) -> Line {
        [a[0], a[1], a[2], a[3], b[0], b[1], b[2], b[3]]
    }
    #[inline(always)]
    fn right(a: &Line, b: &Line) -> Line {
        [a[4], a[5], a[6], a[7], b[4], b[5], b[6], b[7]]
    }
    /// Numbers 0 to 3 of four rows in the left halves, 4 to 7 in the right ones.
    #[inline(always)]
    fn four(a: &Line, b: &Line, c: &Line, d: &Line) -> [Line; 4] {
        let (ab, cd, ba, dc) = (low(a, b), low(c, d), high(a, b), high(c, d));
        [low_pairs(&ab, &cd), high_pairs(&ab, &cd), low_pairs(&ba, &dc), high_pairs(&ba, &dc)]
    }
    let [a, b, c, d, e, f, g, h] = rows;
    let (up, down) = (four(a, b, c, d), four(e, f, g, h));
    [
        left(&up[0], &down[0]),
        left(&up[1], &down[1]),
        left(&up[2], &down[2]),
        left(&up[3], &down[3]),
        right(&up[0], &down[0]),
        right(&up[1], &down[1]),
        right(&up[2], &down[2]),
        right(&up[3], &down[3]),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_lies_where_it_belongs() {
        for (count, columns) in [(8, 8), (1, 1), (16, 24), (13, 9), (7, 40), (20, 3)] {
            let from: Vec<f32> = (0..count * (columns + 2)).map(|i| i as f32).collect();
            let mut to = vec![-1.0; columns * (count + 1)];
            transpose(&from, columns + 2, &mut to, count + 1, count, columns);
            for (j, row) in to.chunks_exact(count + 1).enumerate() {
                for (i, number) in row[..count].iter().enumerate() {
                    assert_eq!(*number, (i * (columns + 2) + j) as f32, "{count}x{columns}: {i}, {j}");
                }
                assert_eq!(row[count], -1.0, "nothing beside it is written");
            }
        }
    }

    #[test]
    fn rows_above_below_and_columns_beside_keep_their_zeros() {
        let (channels, height, width, columns) = (11, 5, 6, 9);
        let x: Vec<f32> = (1..=channels * height * width).map(|i| i as f32).collect();
        for above in [-2, 0, 1] {
            let mut map = vec![0.0; 8 * columns * channels];
            channels_last(&mut map, &x, channels, [height, width], columns, above, 2);
            for (i, number) in map.iter().enumerate() {
                let (row, column, channel) = (i / channels / columns, i / channels % columns, i % channels);
                let (row, column) = (row as isize - above, column as isize - 2);
                let inside = (0..height as isize).contains(&row) && (0..width as isize).contains(&column);
                let at = (channel * height) as isize + row;
                let expected = if inside { x[(at * width as isize + column) as usize] } else { 0.0 };
                assert_eq!(*number, expected, "{above}: {row}, {column}, {channel}");
            }
        }
    }
}
