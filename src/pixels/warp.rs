//! Affine maps of the plane, and images and masks seen through them.
//!
//! x is to the right, y downwards, both in pixels with the centre of the first pixel at 0; a positive angle turns +x
//! towards +y.

use super::resize::{Sample, Size};

/// An affine map (x, y) → (a x + b y + c, d x + e y + f) as [a, b, c, d, e, f]: the upper two rows of its 3x3 matrix.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Map(pub [f64; 6]);

impl Map {
    pub const IDENTITY: Map = Map([1.0, 0.0, 0.0, 0.0, 1.0, 0.0]);

    /// This map after `first`: the product of the matrices.
    pub fn after(self, first: Map) -> Map {
        let ([a, b, c, d, e, f], [g, h, i, j, k, l]) = (self.0, first.0);
        Map([a * g + b * j, a * h + b * k, a * i + b * l + c, d * g + e * j, d * h + e * k, d * i + e * l + f])
    }

    /// The map back; `None` where this one flattens the plane.
    pub fn inverse(self) -> Option<Map> {
        let [a, b, c, d, e, f] = self.0;
        let determinant = a * e - b * d;
        if determinant == 0.0 || !determinant.is_finite() {
            return None;
        }
        let (p, q, r, s) = (e / determinant, -b / determinant, -d / determinant, a / determinant);
        Some(Map([p, q, -(p * c + q * f), r, s, -(r * c + s * f)]))
    }

    /// Where (x, y) goes.
    pub fn apply(self, x: f64, y: f64) -> (f64, f64) {
        let [a, b, c, d, e, f] = self.0;
        (a * x + b * y + c, d * x + e * y + f)
    }
}

/// Flip, rotation, scale and shear about the centre of the image, in this order, then a shift.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Affine {
    /// Along x and y.
    pub scale: [f64; 2],
    /// To the right and down, as shares of width and height.
    pub translate: [f64; 2],
    /// Degrees.
    pub rotate: f64,
    /// Degrees; x grows by tan(shear) · y.
    pub shear: f64,
    /// Whether left and right, and whether above and below are exchanged.
    pub flip: [bool; 2],
}

impl Affine {
    pub const IDENTITY: Affine =
        Affine { scale: [1.0; 2], translate: [0.0; 2], rotate: 0.0, shear: 0.0, flip: [false; 2] };

    /// From places in the source to places in the result:
    /// Translate · T(c) · Shear · Scale · Rotate · Flip · T(−c) with c = ((W − 1)/2, (H − 1)/2).
    pub fn map(&self, size: Size) -> Map {
        let (width, height) = (size.width as f64, size.height as f64);
        let (x, y) = ((width - 1.0) / 2.0, (height - 1.0) / 2.0);
        let shift = |x: f64, y: f64| Map([1.0, 0.0, x, 0.0, 1.0, y]);
        let diagonal = |x: f64, y: f64| Map([x, 0.0, 0.0, 0.0, y, 0.0]);
        let (sin, cos) = self.rotate.to_radians().sin_cos();
        let sign = |flip: bool| if flip { -1.0 } else { 1.0 };
        shift(self.translate[0] * width, self.translate[1] * height)
            .after(shift(x, y))
            .after(Map([1.0, self.shear.to_radians().tan(), 0.0, 0.0, 1.0, 0.0]))
            .after(diagonal(self.scale[0], self.scale[1]))
            .after(Map([cos, -sin, 0.0, sin, cos, 0.0]))
            .after(diagonal(sign(self.flip[0]), sign(self.flip[1])))
            .after(shift(-x, -y))
    }
}

/// What lies beyond the edge of an image, by example of the line abcd.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Border {
    /// One value everywhere.
    Constant(f64),
    /// `aaa|abcd|ddd`
    Edge,
    /// `cba|abcd|dcb`
    Symmetric,
    /// `dcb|abcd|cba`
    Reflect,
    /// `bcd|abcd|abc`
    Wrap,
}

impl Border {
    /// In a word.
    pub fn name(self) -> &'static str {
        match self {
            Border::Constant(_) => "constant",
            Border::Edge => "edge",
            Border::Symmetric => "symmetric",
            Border::Reflect => "reflect",
            Border::Wrap => "wrap",
        }
    }

    /// The pixel of a line of `count` that stands at place `i`; `None` where it is the constant.
    fn index(self, i: i64, count: usize) -> Option<usize> {
        let n = count as i64;
        if (0..n).contains(&i) {
            return Some(i as usize);
        }
        let index = match self {
            Border::Constant(_) => return None,
            Border::Edge => i.clamp(0, n - 1),
            Border::Symmetric => {
                let j = i.rem_euclid(2 * n);
                j.min(2 * n - 1 - j)
            }
            Border::Reflect if n == 1 => 0,
            Border::Reflect => {
                let j = i.rem_euclid(2 * n - 2);
                j.min(2 * n - 2 - j)
            }
            Border::Wrap => i.rem_euclid(n),
        };
        Some(index as usize)
    }

    fn constant(self) -> f64 {
        if let Border::Constant(value) = self { value } else { 0.0 }
    }
}

/// Planes `[C, H, W]` seen through a map, bilinear between pixel centres. `back` leads from places in the result to
/// places in the source: [`Map::inverse`] of what is to happen to the image. Next to the edge a constant border takes
/// part in the interpolation.
///
/// # Panics
/// Where `values` are not whole planes of this size.
pub fn warp<T: Sample>(values: &[T], size: Size, back: Map, border: Border) -> Vec<T> {
    let (plane, width) = (size.pixels(), size.width);
    if plane == 0 {
        return Vec::new();
    }
    let constant = border.constant();
    let mut out: Vec<T> = vec![T::from_f64(constant); values.len()];
    let inside = |i: f64, count: usize| i >= 0.0 && i + 1.0 < count as f64;
    for (at, (x, y)) in places(size, back) {
        let (left, top) = (x.floor(), y.floor());
        let (t, s) = (x - left, y - top);
        let put = |corner: [f64; 4], out: &mut T| {
            let [a, b, c, d] = corner;
            *out = T::from_f64((1.0 - s) * ((1.0 - t) * a + t * b) + s * ((1.0 - t) * c + t * d));
        };
        if inside(left, width) && inside(top, size.height) {
            let first = top as usize * width + left as usize;
            for (source, out) in values.chunks_exact(plane).zip(out.chunks_exact_mut(plane)) {
                let (above, below) = (&source[first..first + 2], &source[first + width..first + width + 2]);
                put([above[0], above[1], below[0], below[1]].map(T::to_f64), &mut out[at]);
            }
            continue;
        }
        let (left, top) = (left as i64, top as i64);
        let columns = [border.index(left, width), border.index(left.saturating_add(1), width)];
        let rows = [border.index(top, size.height), border.index(top.saturating_add(1), size.height)];
        let index = |row: Option<usize>, column: Option<usize>| Some(row? * width + column?);
        let corners = [
            index(rows[0], columns[0]),
            index(rows[0], columns[1]),
            index(rows[1], columns[0]),
            index(rows[1], columns[1]),
        ];
        if corners == [None; 4] {
            continue;
        }
        for (source, out) in values.chunks_exact(plane).zip(out.chunks_exact_mut(plane)) {
            put(corners.map(|corner| corner.map_or(constant, |i| source[i].to_f64())), &mut out[at]);
        }
    }
    out
}

/// A mask seen through a map: the nearest pixel. A constant border is lesion where it is greater than one half.
///
/// # Panics
/// Where there are fewer pixels than the size says.
pub fn warp_mask(pixels: &[bool], size: Size, back: Map, border: Border) -> Vec<bool> {
    let mut out = vec![false; size.pixels()];
    for (at, (x, y)) in places(size, back) {
        let row = border.index((y + 0.5).floor() as i64, size.height);
        let column = border.index((x + 0.5).floor() as i64, size.width);
        out[at] = match (row, column) {
            (Some(row), Some(column)) => pixels[row * size.width + column],
            _ => border.constant() > 0.5,
        };
    }
    out
}

/// Every pixel of the result with its place in the source.
fn places(size: Size, back: Map) -> impl Iterator<Item = (usize, (f64, f64))> {
    (0..size.height).flat_map(move |row| {
        (0..size.width).map(move |column| (row * size.width + column, back.apply(column as f64, row as f64)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const BORDERS: [Border; 5] =
        [Border::Constant(0.0), Border::Edge, Border::Symmetric, Border::Reflect, Border::Wrap];

    fn size(height: usize, width: usize) -> Size {
        Size { height, width }
    }

    fn shift(x: f64, y: f64) -> Map {
        Map([1.0, 0.0, x, 0.0, 1.0, y])
    }

    #[test]
    fn borders_go_on_as_their_examples() {
        let line = [1.0, 2.0, 3.0, 4.0];
        let expected = [
            [9.0, 9.0, 9.0, 1.0, 2.0, 3.0, 4.0, 9.0, 9.0, 9.0],
            [1.0, 1.0, 1.0, 1.0, 2.0, 3.0, 4.0, 4.0, 4.0, 4.0],
            [3.0, 2.0, 1.0, 1.0, 2.0, 3.0, 4.0, 4.0, 3.0, 2.0],
            [4.0, 3.0, 2.0, 1.0, 2.0, 3.0, 4.0, 3.0, 2.0, 1.0],
            [2.0, 3.0, 4.0, 1.0, 2.0, 3.0, 4.0, 1.0, 2.0, 3.0],
        ];
        for (border, expected) in BORDERS.into_iter().zip(expected) {
            let border = if border == Border::Constant(0.0) { Border::Constant(9.0) } else { border };
            for (i, expected) in expected.into_iter().enumerate() {
                let value = border.index(i as i64 - 3, 4).map_or(border.constant(), |j| line[j]);
                assert_eq!(value, expected, "{border:?} at {i}");
            }
            // One pixel, and far away.
            for i in [-1000, -2, -1, 1, 2, 999] {
                assert_eq!(border.index(i, 1), (border != Border::Constant(9.0)).then_some(0));
                assert!(border.index(i, 4).is_none_or(|j| j < 4));
            }
        }
    }

    #[test]
    fn a_map_and_its_inverse_cancel() {
        let affine =
            Affine { scale: [0.8, 1.2], translate: [0.1, -0.2], rotate: 30.0, shear: -10.0, flip: [true, false] };
        let map = affine.map(size(30, 40));
        let back = map.inverse().unwrap().after(map);
        assert!(back.0.iter().zip(Map::IDENTITY.0).all(|(a, b)| (a - b).abs() < 1e-12));
        assert_eq!(Affine { scale: [0.0, 1.0], ..Affine::IDENTITY }.map(size(3, 3)).inverse(), None);
    }

    #[test]
    fn flips_move_pixels_and_invent_nothing() {
        let image: Vec<f32> = (0..12).map(|i| i as f32).collect();
        let mask: Vec<bool> = (0..12).map(|i| i % 5 == 0).collect();
        for border in BORDERS {
            let back = |flip| Affine { flip, ..Affine::IDENTITY }.map(size(3, 4)).inverse().unwrap();
            let mirrored = warp(&image, size(3, 4), back([true, false]), border);
            assert_eq!(mirrored, [3.0, 2.0, 1.0, 0.0, 7.0, 6.0, 5.0, 4.0, 11.0, 10.0, 9.0, 8.0]);
            let turned = warp_mask(&mask, size(3, 4), back([true, true]), border);
            assert!(turned.iter().eq(mask.iter().rev()));
        }
    }

    #[test]
    fn a_shift_shows_the_border() {
        let image = [1.0_f32, 2.0, 3.0, 10.0, 20.0, 30.0];
        let moved = |border| warp(&image, size(1, 3), shift(-1.5, 0.0), border);
        assert_eq!(moved(Border::Constant(0.0)), [0.0, 0.5, 1.5, 0.0, 5.0, 15.0]);
        assert_eq!(moved(Border::Edge), [1.0, 1.0, 1.5, 10.0, 10.0, 15.0]);
        let mask = warp_mask(&[true, false, false], size(1, 3), shift(-2.0, 0.0), Border::Constant(0.0));
        assert_eq!(mask, [false, false, true]);
        assert_eq!(warp_mask(&[true], size(1, 1), shift(5.0, -3.0), Border::Reflect), [true]);
        assert_eq!(warp(&[1.0_f32], size(1, 1), shift(1e300, -1e300), Border::Constant(0.25)), [0.25]);
        assert_eq!(warp(&[1.0_f32], size(1, 1), shift(1e300, -1e300), Border::Wrap), [1.0]);
        assert!(warp::<f32>(&[], size(0, 4), Map::IDENTITY, Border::Edge).is_empty());
    }

    #[test]
    fn positive_angles_turn_x_towards_y() {
        let map = Affine { rotate: 90.0, ..Affine::IDENTITY }.map(size(3, 3));
        let (x, y) = map.apply(2.0, 1.0);
        assert!((x - 1.0).abs() < 1e-12 && (y - 2.0).abs() < 1e-12, "{x} {y}");
    }
}
