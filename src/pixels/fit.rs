//! How a picture of any shape comes into a square, and how maps of the square come back onto it.

use std::borrow::Cow;

use super::resize::{Resampling, Size, resize};

/// What becomes of a picture's shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Fit {
    /// Height and width are each made the square's.
    #[default]
    Squash,
    /// The shape is kept: the longer side is made the square's, and what is left beside it, half on either side, is empty.
    Letterbox,
    /// The shape is kept, and the network sees a picture through squares: its longer side is made `percent` of what it is, and no
    /// less than a square's. See [`super::pieces`].
    Patches { percent: u8 },
}

/// Where a picture lies in a square.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    /// Of the square.
    pub side: usize,
    pub top: usize,
    pub left: usize,
    /// Of the picture in the square; at least 1 by 1.
    pub size: Size,
}

impl Fit {
    /// The side of the plane on which a picture lies, of which the network sees squares of `square` at a time.
    pub fn plane(self, picture: Size, square: usize) -> usize {
        let longest = picture.height.max(picture.width);
        match self {
            Self::Squash | Self::Letterbox => square,
            Self::Patches { percent } => square.max((longest * usize::from(percent) + 50) / 100),
        }
    }

    /// Where a picture lies on its plane.
    pub fn on_plane(self, picture: Size, square: usize) -> Frame {
        self.frame(picture, self.plane(picture, square))
    }

    /// Where a picture of this size lies in a square of `side`, which may be its plane at any scale.
    pub fn frame(self, picture: Size, side: usize) -> Frame {
        let longest = picture.height.max(picture.width).max(1);
        let kept = |length: usize| ((2 * length * side + longest) / (2 * longest)).clamp(1, side.max(1));
        let size = match self {
            Self::Squash => Size { height: side, width: side },
            Self::Letterbox | Self::Patches { .. } => Size { height: kept(picture.height), width: kept(picture.width) },
        };
        Frame { side, top: (side - size.height) / 2, left: (side - size.width) / 2, size }
    }
}

impl Frame {
    /// Whether the picture fills the square.
    pub fn is_whole(self) -> bool {
        self.size.height == self.side && self.size.width == self.side
    }

    /// Whether the picture lies at pixel `i` of the square.
    pub fn holds(self, i: usize) -> bool {
        let (row, column) = (i / self.side, i % self.side);
        (self.top..self.top + self.size.height).contains(&row)
            && (self.left..self.left + self.size.width).contains(&column)
    }

    /// Lays a plane of the size [`Self::size`] into the square, with `empty` around it.
    pub fn put<T: Copy>(self, plane: Vec<T>, empty: T) -> Vec<T> {
        if self.is_whole() {
            return plane;
        }
        let mut square = vec![empty; self.side * self.side];
        for (row, values) in plane.chunks_exact(self.size.width).enumerate() {
            square[(self.top + row) * self.side + self.left..][..values.len()].copy_from_slice(values);
        }
        square
    }

    /// The part of a plane of the square in which the picture lies, of the size [`Self::size`].
    ///
    /// # Panics
    /// Where there are not `side`² values.
    pub fn cut(self, square: &[f32]) -> Cow<'_, [f32]> {
        assert_eq!(square.len(), self.side * self.side, "a plane of the square");
        if self.is_whole() {
            return Cow::Borrowed(square);
        }
        let rows = square.chunks_exact(self.side).skip(self.top).take(self.size.height);
        Cow::Owned(rows.flat_map(|row| &row[self.left..self.left + self.size.width]).copied().collect())
    }

    /// The same part stretched over the whole square, to be laid over the picture.
    pub fn stretched(self, square: &[f32]) -> Vec<f32> {
        let all = Size { height: self.side, width: self.side };
        resize(&self.cut(square), self.size, all, Resampling::Bilinear)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letterbox_keeps_the_shape_and_comes_back_exactly() {
        let frame = Fit::Letterbox.frame(Size { height: 300, width: 600 }, 8);
        assert_eq!((frame.top, frame.left, frame.size), (2, 0, Size { height: 4, width: 8 }));
        let plane: Vec<f32> = (0..32).map(|i| i as f32).collect();
        let square = frame.put(plane.clone(), -1.0);
        assert_eq!(square.len(), 64);
        assert!((0..64).all(|i| frame.holds(i) == (square[i] >= 0.0)));
        assert_eq!(&*frame.cut(&square), plane);
        let tall = Fit::Letterbox.frame(Size { height: 1000, width: 1 }, 16);
        assert_eq!((tall.left, tall.size), (7, Size { height: 16, width: 1 }));
        let odd = Fit::Letterbox.frame(Size { height: 7, width: 10 }, 9);
        assert_eq!((odd.top, odd.size.height), (1, 6), "6.3 rows, the odd one left below");
    }

    #[test]
    fn a_plane_is_as_large_as_the_picture_and_no_smaller_than_a_square() {
        let (half, size) = (Fit::Patches { percent: 50 }, Size { height: 300, width: 600 });
        let frame = half.on_plane(size, 64);
        assert_eq!((frame.side, frame.top, frame.size), (300, 75, Size { height: 150, width: 300 }));
        let small = half.on_plane(Size { height: 30, width: 60 }, 64);
        assert_eq!((small.side, small.size), (64, Size { height: 32, width: 64 }));
        assert_eq!(Fit::Letterbox.plane(size, 64), 64);
    }

    #[test]
    fn squashing_fills_the_square_and_copies_nothing() {
        let frame = Fit::Squash.frame(Size { height: 300, width: 600 }, 4);
        assert!(frame.is_whole() && (0..16).all(|i| frame.holds(i)));
        let square = vec![0.5; 16];
        assert!(matches!(frame.cut(&square), Cow::Borrowed(_)));
        assert_eq!(frame.stretched(&square), square);
        assert_eq!(Fit::Letterbox.frame(Size { height: 9, width: 9 }, 4), frame, "a square is one either way");
    }
}
