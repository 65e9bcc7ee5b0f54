//! The view of a picture that a training step sees (section 4.5): turned by up to 15°, cut to 0.9 to 1, perhaps mirrored.

use crate::compute::rng::HostRng;
use crate::pixels::resize::Size;
use crate::pixels::warp::{Border, Map, warp};

/// How views are drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Views {
    /// Most degrees of a turn in either direction.
    pub degrees: f64,
    /// The smallest cut.
    pub least: f64,
    /// Whether cuts are shares of the area, as in the authors' other code, or of the side, as one may read the article.
    pub by_area: bool,
    /// Chance of a mirror image.
    pub mirrored: f64,
}

/// One view.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct View {
    pub degrees: f64,
    /// Side of the cut in sides of the picture.
    pub crop: f64,
    /// From the picture's middle to that of the cut, in pixels to the right and down.
    pub shift: [f64; 2],
    pub mirrored: bool,
}

impl Views {
    /// A view of pictures of this size.
    pub fn draw(&self, rng: &mut HostRng, size: Size) -> View {
        let degrees = rng.between(-self.degrees, self.degrees);
        let cut = rng.between(self.least, 1.0);
        let crop = if self.by_area { cut.sqrt() } else { cut };
        let mut free = |side: usize| (1.0 - crop) * side as f64 / 2.0 * rng.between(-1.0, 1.0);
        let shift = [free(size.width), free(size.height)];
        View { degrees, crop, shift, mirrored: rng.uniform() < self.mirrored }
    }
}

impl View {
    /// The picture as it is.
    pub const WHOLE: View = View { degrees: 0.0, crop: 1.0, shift: [0.0; 2], mirrored: false };

    /// From pixels of the view to places in the picture: mirrored about the middle, turned, scaled, shifted.
    pub fn back(&self, size: Size) -> Map {
        let (x, y) = ((size.width as f64 - 1.0) / 2.0, (size.height as f64 - 1.0) / 2.0);
        let (sin, cos) = self.degrees.to_radians().sin_cos();
        let sign = if self.mirrored { -1.0 } else { 1.0 };
        let turn = Map([self.crop * cos * sign, -self.crop * sin, 0.0, self.crop * sin * sign, self.crop * cos, 0.0]);
        Map([1.0, 0.0, x + self.shift[0], 0.0, 1.0, y + self.shift[1]])
            .after(turn)
            .after(Map([1.0, 0.0, -x, 0.0, 1.0, -y]))
    }

    /// `[C, H, W]` seen so, black beyond its edges.
    pub fn of(&self, picture: &[f32], size: Size) -> Vec<f32> {
        if *self == View::WHOLE {
            return picture.to_vec();
        }
        warp(picture, size, self.back(size), Border::Constant(0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compute::streams;

    const SIZE: Size = Size { height: 16, width: 16 };
    const VIEWS: Views = Views { degrees: 15.0, least: 0.9, by_area: true, mirrored: 0.5 };

    #[test]
    fn cuts_lie_within_the_picture_and_half_of_them_are_mirrored() {
        let mut rng = streams::ALONE.open(1, 0);
        let views: Vec<View> = (0..400).map(|_| VIEWS.draw(&mut rng, SIZE)).collect();
        assert!(views.iter().all(|view| (0.9_f64.sqrt()..=1.0).contains(&view.crop) && view.degrees.abs() <= 15.0));
        for view in &views {
            let reach = 8.0 * view.crop;
            assert!(view.shift.iter().all(|shift| shift.abs() + reach <= 8.0 + 1e-9));
        }
        let mirrored = views.iter().filter(|view| view.mirrored).count();
        assert!((160..240).contains(&mirrored), "{mirrored}");
    }

    #[test]
    fn a_mirror_image_is_exact_and_the_whole_is_itself() {
        let picture: Vec<f32> = (0..3 * 256).map(|i| (i as f32 * 0.1).sin()).collect();
        assert_eq!(View::WHOLE.of(&picture, SIZE), picture);
        let mirrored = View { mirrored: true, ..View::WHOLE }.of(&picture, SIZE);
        let apart =
            |(row, other): (&[f32], &[f32])| row.iter().zip(other.iter().rev()).all(|(a, b)| (a - b).abs() < 1e-6);
        assert!(picture.chunks_exact(16).zip(mirrored.chunks_exact(16)).all(apart));
    }
}
