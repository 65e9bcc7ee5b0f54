//! One augmenter for every lab: what may be done to a picture and all that belongs to it (mask, points, boxes), with which
//! probability and how strongly.
//!
//! A [`Recipe`](recipes::Recipe) or another list of [`Group`]s is plain data; drawing from it gives a [`View`], plain data
//! again, which is applied to the picture and to its companions. A view depends on its generator alone, so that a batch is a
//! pure function of the seed and the step. Pictures are `[C, H, W]` in [0, 1]; places are in pixels, x to the right, y
//! downwards, the centre of the first pixel at 0. A view has the size of its picture.

use std::borrow::Cow;
use std::fmt;

use crate::compute::rng::HostRng;
use crate::pixels::resize::Size;
use crate::pixels::warp::{Affine, Border, Map, warp, warp_mask};

pub mod pixels;
pub mod recipes;

use pixels::Axis;

/// What may be done to a picture, and how strongly; ranges are `[low, high)`.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// A part of the picture becomes as large as the whole: at least `least` of its area, as wide as high within 3:4 and 4:3.
    Crop {
        least: f64,
        how: Crop,
    },
    /// A turn of ±`rotate` degrees, then a part of the picture's own shape at any place becomes as large as the whole: at least
    /// `least` of its area, or of its side. Pixels are interpolated once; beyond the edge it is black.
    TurnedCrop {
        rotate: f64,
        least: f64,
        by_area: bool,
    },
    FlipHorizontal,
    FlipVertical,
    /// Scales along x and y of `scale`, shifts of ±`translate` of the size, a turn of ±`rotate` and a shear of ±`shear`
    /// degrees; what lies beyond the edge is one of `borders`.
    Affine {
        scale: [f64; 2],
        translate: f64,
        rotate: f64,
        shear: f64,
        borders: &'static [Border],
    },
    /// Light and dark exchanged.
    Invert,
    /// Multiplied by a factor.
    Brightness {
        factor: [f64; 2],
        clamp: bool,
    },
    /// Away from its mean grey, or towards it.
    Contrast {
        factor: [f64; 2],
        clamp: bool,
    },
    /// Of a colour picture: away from its own grey, or towards it; clamped.
    Saturation {
        factor: [f64; 2],
    },
    /// Of a colour picture: in turns.
    Hue {
        shift: [f64; 2],
    },
    /// Red, green and blue of a colour picture made equal.
    Grey,
    /// Normal noise of this standard deviation.
    Noise {
        std: f64,
    },
    /// Blurred by a Gaussian whose standard deviation, in pixels, is in this range.
    Blur {
        sigma: [f64; 2],
    },
    /// What is brighter than a half is inverted.
    Solarise,
}

/// How a part is chosen and made large.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Crop {
    /// At any real place, each pixel between the two nearest.
    Anywhere,
    /// Whole pixels as torchvision chooses them, ten tries, then the largest central part of an allowed ratio; a triangular
    /// filter, widened where pixels get fewer.
    Tries,
    /// Whole pixels, sides that are too long cut to the picture's; Keys' cubic.
    Clipped,
}

/// Steps that are drawn together: first whether each happens, then how strongly, whether it happens or not, then the order.
/// So as many numbers are drawn whatever the dice say. What is certain throws no dice.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// Probability that any of them happens.
    pub chance: f64,
    /// With the probability of each.
    pub steps: Vec<(f64, Step)>,
    /// In random order; else as they stand here.
    pub shuffled: bool,
}

/// What was drawn.
#[derive(Debug, Clone, PartialEq)]
pub enum Operation {
    /// Left, top, width and height in pixels, of the edges: the whole picture is `[0, 0, W, H]`.
    Crop([f32; 4], Crop),
    FlipHorizontal,
    FlipVertical,
    Affine(Affine, Border),
    Invert,
    Brightness {
        factor: f32,
        clamp: bool,
    },
    Contrast {
        factor: f32,
        clamp: bool,
    },
    Saturation(f32),
    Hue(f32),
    Grey,
    /// Standard deviation, and the generator that the noise comes from.
    Noise(f64, Box<HostRng>),
    /// Standard deviation in pixels.
    Blur(f32),
    Solarise,
}

/// One way of seeing a picture.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct View {
    /// In the order of application; none: the picture as it is.
    pub operations: Vec<Operation>,
}

/// What a mask shows beyond its edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum MaskBorder {
    /// The same continuation as the image: lesion that is seen is labelled.
    #[default]
    AsImage,
    /// Always background, as in the paper's code: lesion that an image shows beyond its edge is labelled background.
    Background,
}

impl Group {
    /// A single step.
    pub fn one(chance: f64, step: Step) -> Self {
        Self { chance, steps: vec![(1.0, step)], shuffled: false }
    }

    fn draw(&self, size: Size, rng: &mut HostRng, view: &mut View) {
        let happens = |chance: f64, rng: &mut HostRng| chance >= 1.0 || rng.uniform() < chance;
        let any = happens(self.chance, rng);
        let chosen: Vec<bool> = self.steps.iter().map(|(chance, _)| happens(*chance, rng)).collect();
        let drawn =
            self.steps.iter().zip(chosen).map(|((_, step), chosen)| Some(step.draw(size, rng)).filter(|_| chosen));
        let mut drawn: Vec<Option<Operation>> = drawn.collect();
        if self.shuffled {
            rng.shuffle(&mut drawn);
        }
        if any {
            view.operations.extend(drawn.into_iter().flatten());
        }
    }
}

impl Step {
    /// Whether it makes sense of a colour picture alone.
    pub fn needs_colour(&self) -> bool {
        matches!(self, Step::Saturation { .. } | Step::Hue { .. } | Step::Grey)
    }

    fn draw(&self, size: Size, rng: &mut HostRng) -> Operation {
        let within = |[low, high]: [f64; 2], rng: &mut HostRng| rng.between(low, high) as f32;
        match *self {
            Step::Crop { least, how } => Operation::Crop(how.draw(least, size, rng), how),
            Step::TurnedCrop { rotate, least, by_area } => {
                let rotate = rng.between(-rotate, rotate);
                let cut = rng.between(least, 1.0);
                let crop = if by_area { cut.sqrt() } else { cut };
                let mut free = |side: usize| (1.0 - crop) * side as f64 / 2.0 * rng.between(-1.0, 1.0);
                let shift = [free(size.width), free(size.height)];
                Operation::Affine(turned_crop(rotate, crop, shift, size), Border::Constant(0.0))
            }
            Step::FlipHorizontal => Operation::FlipHorizontal,
            Step::FlipVertical => Operation::FlipVertical,
            Step::Affine { scale: [low, high], translate, rotate, shear, borders } => {
                let affine = Affine {
                    scale: [(); 2].map(|()| rng.between(low, high)),
                    translate: [(); 2].map(|()| rng.between(-translate, translate)),
                    rotate: rng.between(-rotate, rotate),
                    shear: rng.between(-shear, shear),
                    flip: [false; 2],
                };
                Operation::Affine(affine, borders[rng.below(borders.len())])
            }
            Step::Invert => Operation::Invert,
            Step::Brightness { factor, clamp } => Operation::Brightness { factor: within(factor, rng), clamp },
            Step::Contrast { factor, clamp } => Operation::Contrast { factor: within(factor, rng), clamp },
            Step::Saturation { factor } => Operation::Saturation(within(factor, rng)),
            Step::Hue { shift } => Operation::Hue(within(shift, rng)),
            Step::Grey => Operation::Grey,
            Step::Noise { std } => Operation::Noise(std, Box::new(rng.clone())),
            Step::Blur { sigma } => Operation::Blur(within(sigma, rng)),
            Step::Solarise => Operation::Solarise,
        }
    }
}

/// What shows a cut of the picture as large as the whole: its middle `shift` pixels to the right and down of the picture's, its
/// side `crop` of the picture's, turned by `rotate` degrees.
pub fn turned_crop(rotate: f64, crop: f64, shift: [f64; 2], size: Size) -> Affine {
    let (sin, cos) = rotate.to_radians().sin_cos();
    // The middle of the cut comes to the middle of the view.
    let [x, y] = [-(cos * shift[0] + sin * shift[1]) / crop, -(cos * shift[1] - sin * shift[0]) / crop];
    Affine {
        scale: [1.0 / crop; 2],
        translate: [x / size.width as f64, y / size.height as f64],
        rotate: -rotate,
        ..Affine::IDENTITY
    }
}

impl Crop {
    fn draw(self, least: f64, size: Size, rng: &mut HostRng) -> [f32; 4] {
        let area_and_ratio =
            |rng: &mut HostRng| (rng.between(least, 1.0), rng.between((0.75_f64).ln(), (4.0_f64 / 3.0).ln()).exp());
        let Size { height, width } = size;
        let whole = (height * width) as f64;
        match self {
            Crop::Anywhere => {
                let (area, ratio) = area_and_ratio(rng);
                let (w, h) = ((area * ratio).sqrt().min(1.0), (area / ratio).sqrt().min(1.0));
                let (x, y) = (rng.uniform() * (1.0 - w), rng.uniform() * (1.0 - h));
                let (width, height) = (width as f64, height as f64);
                [x * width, y * height, w * width, h * height].map(|v| v as f32)
            }
            Crop::Tries => {
                for _ in 0..10 {
                    let (area, ratio) = area_and_ratio(rng);
                    let w = (whole * area * ratio).sqrt().round() as usize;
                    let h = (whole * area / ratio).sqrt().round() as usize;
                    if (1..=width).contains(&w) && (1..=height).contains(&h) {
                        let (top, left) = (rng.below(height - h + 1), rng.below(width - w + 1));
                        return [left, top, w, h].map(|v| v as f32);
                    }
                }
                let ratio = width as f64 / height as f64;
                let (w, h) = if ratio < 0.75 {
                    (width, (width as f64 / 0.75).round() as usize)
                } else if ratio > 4.0 / 3.0 {
                    ((height as f64 * 4.0 / 3.0).round() as usize, height)
                } else {
                    (width, height)
                };
                [(width - w) / 2, (height - h) / 2, w, h].map(|v| v as f32)
            }
            Crop::Clipped => {
                let (area, ratio) = area_and_ratio(rng);
                let w = ((whole * area * ratio).sqrt().round() as usize).clamp(1, width);
                let h = ((whole * area / ratio).sqrt().round() as usize).clamp(1, height);
                [rng.below(width - w + 1), rng.below(height - h + 1), w, h].map(|v| v as f32)
            }
        }
    }

    /// Along one direction, `length` pixels from `start` on become `count`.
    fn axis(self, start: f32, length: f32, count: usize) -> Axis {
        match self {
            Crop::Anywhere => Axis::linear(start, length, count, count),
            Crop::Tries => Axis::triangle(start as usize, length as usize, count),
            Crop::Clipped => Axis::cubic(start as usize, length as usize, count),
        }
    }
}

impl Operation {
    /// From places in the picture to places in the result; `None` where everything stays in its place.
    fn map(&self, size: Size) -> Option<Map> {
        let flip = |flip: [bool; 2]| Affine { flip, ..Affine::IDENTITY }.map(size);
        match self {
            Operation::Crop(part, _) => {
                let [left, top, w, h] = part.map(f64::from);
                let (x, y) = (size.width as f64 / w, size.height as f64 / h);
                Some(Map([x, 0.0, (0.5 - left) * x - 0.5, 0.0, y, (0.5 - top) * y - 0.5]))
            }
            Operation::FlipHorizontal => Some(flip([true, false])),
            Operation::FlipVertical => Some(flip([false, true])),
            Operation::Affine(affine, _) => Some(affine.map(size)),
            _ => None,
        }
    }

    /// Whether it is one of those that are joined to one map, so that pixels are interpolated once.
    fn joins(&self) -> bool {
        matches!(self, Operation::FlipHorizontal | Operation::FlipVertical | Operation::Affine(..))
    }

    /// Changes colours.
    fn recolour(&self, image: &mut [f32], size: Size) {
        let channels = image.len() / size.pixels();
        match self {
            Operation::Invert => image.iter_mut().for_each(|x| *x = 1.0 - *x),
            Operation::Brightness { factor, clamp } => pixels::brightness(image, *factor, *clamp),
            Operation::Contrast { factor, clamp } => pixels::contrast(image, channels, *factor, *clamp),
            Operation::Saturation(factor) => pixels::saturation(image, *factor),
            Operation::Hue(shift) => pixels::hue(image, *shift),
            Operation::Grey => pixels::grey(image),
            Operation::Noise(std, from) => pixels::add_noise(image, *std, &mut from.as_ref().clone()),
            Operation::Blur(sigma) => pixels::blur(image, size.width, size.height, *sigma),
            Operation::Solarise => pixels::solarise(image),
            _ => {}
        }
    }
}

/// What a crop, or flips and affine maps that follow each other, do to places.
struct Moved {
    /// From places in the picture to places in the result.
    map: Map,
    /// Whether left and right, and whether above and below are exchanged.
    flips: [bool; 2],
    /// What is seen beyond the edge; `None` of flips alone, which move pixels and interpolate none.
    border: Option<Border>,
}

impl Moved {
    /// `None` where everything stays in its place.
    fn of(stage: &[Operation], size: Size) -> Option<Self> {
        let mut moved = Moved { map: Map::IDENTITY, flips: [false; 2], border: None };
        for operation in stage {
            moved.map = operation.map(size)?.after(moved.map);
            match operation {
                Operation::FlipHorizontal => moved.flips[0] ^= true,
                Operation::FlipVertical => moved.flips[1] ^= true,
                Operation::Affine(_, border) => moved.border = Some(*border),
                // Nothing outside of it is seen.
                _ => moved.border = Some(Border::Edge),
            }
        }
        Some(moved)
    }

    fn mirror<T>(&self, values: &mut [T], size: Size) {
        let [horizontal, vertical] = self.flips;
        if vertical {
            // Upside down is half a turn, mirrored.
            values.chunks_exact_mut(size.pixels()).for_each(<[T]>::reverse);
        }
        if horizontal != vertical {
            pixels::flip(values, size.width);
        }
    }
}

impl View {
    /// Draws a view of a picture of this size.
    pub fn draw(groups: &[Group], size: Size, rng: &mut HostRng) -> Self {
        let mut view = View::default();
        groups.iter().for_each(|group| group.draw(size, rng, &mut view));
        view
    }

    /// The operations one after the other, those that join in one piece.
    fn stages(&self) -> impl Iterator<Item = &[Operation]> {
        self.operations.chunk_by(|a, b| a.joins() && b.joins())
    }

    /// The view of a picture `[C, H, W]`. Numbers may leave [0, 1] where an operation does not clamp.
    ///
    /// # Panics
    /// Where the picture is not of this size, or an operation needs three channels and it has not.
    pub fn image(&self, image: &[f32], size: Size) -> Vec<f32> {
        let mut image = Cow::Borrowed(image);
        for stage in self.stages() {
            match &stage[0] {
                Operation::Crop([left, top, w, h], how) => {
                    let axes = [how.axis(*top, *h, size.height), how.axis(*left, *w, size.width)];
                    let mut out = vec![0.0; image.len()];
                    let channels = image.len() / size.pixels();
                    pixels::resample(&image, channels, size.width, &axes[0], &axes[1], &mut out);
                    image = Cow::Owned(out);
                }
                first if first.joins() => {
                    let Some(moved) = Moved::of(stage, size) else { continue };
                    match (moved.border, moved.map.inverse()) {
                        (None, _) => moved.mirror(image.to_mut(), size),
                        (Some(border), Some(back)) => image = Cow::Owned(warp(&image, size, back, border)),
                        // A map that flattens the picture is never drawn.
                        (Some(_), None) => {}
                    }
                }
                colour => colour.recolour(image.to_mut(), size),
            }
        }
        image.into_owned()
    }

    /// The view of a mask `[H, W]`: the nearest pixels.
    ///
    /// # Panics
    /// Where the mask is not of this size.
    pub fn mask(&self, mask: &[bool], size: Size, beyond: MaskBorder) -> Vec<bool> {
        let mut mask = Cow::Borrowed(mask);
        for stage in self.stages() {
            let Some(moved) = Moved::of(stage, size) else { continue };
            let border = match moved.border {
                Some(_) if beyond == MaskBorder::Background && stage[0].joins() => Border::Constant(0.0),
                Some(border) => border,
                None => {
                    moved.mirror(mask.to_mut(), size);
                    continue;
                }
            };
            if let Some(back) = moved.map.inverse() {
                mask = Cow::Owned(warp_mask(&mask, size, back, border));
            }
        }
        mask.into_owned()
    }

    /// Where points `[x, y]` are in the view; `None` for those that it does not show.
    pub fn points(&self, points: &[[f64; 2]], size: Size) -> Vec<Option<[f64; 2]>> {
        let edges = edges(size);
        let stages: Vec<Map> = self.stages().filter_map(|stage| Some(Moved::of(stage, size)?.map)).collect();
        let shown = |point: &[f64; 2]| {
            stages.iter().try_fold(*point, |[x, y], map| {
                let (x, y) = map.apply(x, y);
                ((-0.5..=edges[0]).contains(&x) && (-0.5..=edges[1]).contains(&y)).then_some([x, y])
            })
        };
        points.iter().map(shown).collect()
    }

    /// Where boxes `[left, top, right, bottom]` are in the view: upright boxes around what the boxes have become, clipped to
    /// the view. A box is given by its edges: one around the first pixel alone is `[-0.5, -0.5, 0.5, 0.5]`. `None` for those
    /// of which nothing is left, or less than the share `least` of the area. Copies of the picture beyond its edge are not
    /// marked.
    pub fn boxes(&self, boxes: &[[f64; 4]], size: Size, least: f64) -> Vec<Option<[f64; 4]>> {
        let edges = edges(size);
        let stages: Vec<Map> = self.stages().filter_map(|stage| Some(Moved::of(stage, size)?.map)).collect();
        let area = |[left, top, right, bottom]: [f64; 4]| (right - left) * (bottom - top);
        let shown = |of: &[f64; 4]| {
            let (mut seen, mut share) = (*of, 1.0);
            for map in &stages {
                let [left, top, right, bottom] = seen;
                let corners =
                    [(left, top), (right, top), (left, bottom), (right, bottom)].map(|(x, y)| map.apply(x, y));
                let (x, y) = (corners.map(|corner| corner.0), corners.map(|corner| corner.1));
                let low = |values: [f64; 4]| values.into_iter().fold(f64::INFINITY, f64::min);
                let high = |values: [f64; 4]| values.into_iter().fold(f64::NEG_INFINITY, f64::max);
                let whole = [low(x), low(y), high(x), high(y)];
                seen = std::array::from_fn(|side| whole[side].clamp(-0.5, edges[side % 2]));
                share *= area(seen) / area(whole);
            }
            (area(seen) > 0.0 && share >= least).then_some(seen)
        };
        boxes.iter().map(shown).collect()
    }
}

/// The right and the lower edge of a picture.
fn edges(size: Size) -> [f64; 2] {
    [size.width as f64 - 0.5, size.height as f64 - 0.5]
}

impl fmt::Display for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.operations.is_empty() {
            return f.write_str("as it is");
        }
        for (i, operation) in self.operations.iter().enumerate() {
            f.write_str(if i == 0 { "" } else { ", " })?;
            match operation {
                Operation::Crop([left, top, w, h], _) => write!(f, "crop {w:.0} × {h:.0} at {left:.0}, {top:.0}")?,
                Operation::FlipHorizontal => f.write_str("flipped left–right")?,
                Operation::FlipVertical => f.write_str("flipped upside down")?,
                Operation::Affine(affine, border) => write!(
                    f,
                    "scale {:.2} × {:.2}, shift {:+.0} % × {:+.0} %, turn {:+.0}°, shear {:+.0}°, border {}",
                    affine.scale[0],
                    affine.scale[1],
                    100.0 * affine.translate[0],
                    100.0 * affine.translate[1],
                    affine.rotate,
                    affine.shear,
                    border.name()
                )?,
                Operation::Invert => f.write_str("inverted")?,
                Operation::Brightness { factor, .. } => write!(f, "brightness × {factor:.2}")?,
                Operation::Contrast { factor, .. } => write!(f, "contrast × {factor:.2}")?,
                Operation::Saturation(factor) => write!(f, "saturation × {factor:.2}")?,
                Operation::Hue(shift) => write!(f, "hue {:+.0}°", 360.0 * shift)?,
                Operation::Grey => f.write_str("grey")?,
                Operation::Noise(std, _) => write!(f, "noise {std}")?,
                Operation::Blur(sigma) => write!(f, "blurred by {sigma:.2} pixels")?,
                Operation::Solarise => f.write_str("solarised")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
