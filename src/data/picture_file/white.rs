//! What is white in pictures of more than 8 bits. A file does not say: most devices store 10, 12 or 14 bits in 16.

use image::DynamicImage;

use super::Decoded;

/// Values that are taken for white, ascending: the depths of devices. Of floating-point numbers 1 is another one.
const DEPTHS: [f32; 5] = [255.0, 1023.0, 4095.0, 16_383.0, 65_535.0];
/// The same of floating-point images below 255, whose numbers may be of any unit; those that are nearly black even at 1 go on
/// downwards by factors of four.
const SMALL_DEPTHS: [f32; 4] = [1.0, 3.0, 15.0, 63.0];
/// Two whites that are further apart than this factor are two devices' (adjacent depths are 4 apart).
const APART: f32 = 8.0;
/// A depth that fewer than one picture in so many has is an exception.
const RARE: usize = 20;
/// Fewer than one picture in so many of a clearly smaller depth, and a single one, are dark pictures of the larger one.
const FEW: usize = 4;
/// Below this share of white, nearly all of a picture is black to the eye; above that one, white.
const NEARLY_BLACK: f32 = 0.1;
const NEARLY_WHITE: f32 = 0.98;
/// Pixels of a floating-point picture that are looked at.
const MOST_LOOKED_AT: usize = 1 << 20;
/// Shares of pixels whose values are known, see [`Levels`].
const SHARES: [f64; 4] = [0.001, 0.1, 0.9, 0.999];

/// How bright a picture of more than 8 bits is: of each pixel the largest colour channel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Levels {
    /// Of floating-point numbers.
    float: bool,
    /// 0 is white.
    white_is_zero: bool,
    /// 0.1 %, 10 %, 90 % and 99.9 % of the pixels are at most so bright.
    at: [f32; 4],
    /// The largest value of all.
    most: f32,
}

/// How a picture looks at its white.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exposure {
    Fine,
    /// All but a thousandth of its pixels are below a tenth of white.
    NearlyBlack,
    /// All but a tenth of its pixels are white.
    NearlyWhite,
}

impl Levels {
    /// `None`: the picture has 8 bits.
    pub fn of(decoded: &Decoded) -> Option<Self> {
        let image = &decoded.image;
        let channels = usize::from(image.color().channel_count());
        let colours = if channels > 2 { 3 } else { 1 };
        let (at, most, float) = match image {
            DynamicImage::ImageLuma16(_)
            | DynamicImage::ImageLumaA16(_)
            | DynamicImage::ImageRgb16(_)
            | DynamicImage::ImageRgba16(_) => {
                let mut counts = vec![0_u32; 1 << 16];
                for pixel in image.as_bytes().as_chunks::<2>().0.chunks_exact(channels) {
                    let value = pixel[..colours].iter().map(|&bytes| u16::from_ne_bytes(bytes)).max().unwrap_or(0);
                    counts[usize::from(value)] += 1;
                }
                let most = counts.iter().rposition(|&count| count > 0).unwrap_or(0);
                (SHARES.map(|share| quantile(&counts, share)), most as f32, false)
            }
            DynamicImage::ImageRgb32F(_) | DynamicImage::ImageRgba32F(_) => {
                let pixels = image.as_bytes().as_chunks::<4>().0.chunks_exact(channels);
                let step = pixels.len().div_ceil(MOST_LOOKED_AT).max(1);
                let value = |pixel: &[[u8; 4]]| {
                    let finite = pixel[..colours].iter().map(|&bytes| f32::from_ne_bytes(bytes));
                    finite.filter(|value| value.is_finite()).fold(0.0, f32::max)
                };
                let mut values: Vec<f32> = pixels.step_by(step).map(value).collect();
                values.sort_unstable_by(f32::total_cmp);
                let at = |share: f64| values.get(rank(values.len(), share)).copied().unwrap_or(0.0);
                (SHARES.map(at), values.last().copied().unwrap_or(0.0), true)
            }
            _ => return None,
        };
        Some(Self { float, white_is_zero: decoded.white_is_zero, at, most })
    }

    /// The white that its largest value implies: of a mask every pixel counts.
    pub fn full(&self) -> f32 {
        depth(self.most, self.float)
    }

    /// The white that it has alone, as an image.
    fn depth(&self) -> f32 {
        let value = self.at[3];
        match SMALL_DEPTHS.into_iter().find(|&depth| self.float && value <= depth) {
            Some(mut depth) => {
                if value > 0.0 && value < NEARLY_BLACK {
                    while depth / 4.0 >= value {
                        depth /= 4.0;
                    }
                }
                depth
            }
            None => depth(value, self.float),
        }
    }

    /// How it looks where `white` is white.
    pub fn exposure(&self, white: f32) -> Exposure {
        let [lowest, low, high, highest] = self.at.map(|value| (value / white).min(1.0));
        let (low, highest) = if self.white_is_zero { (1.0 - high, 1.0 - lowest) } else { (low, highest) };
        if highest < NEARLY_BLACK {
            Exposure::NearlyBlack
        } else if low >= NEARLY_WHITE {
            Exposure::NearlyWhite
        } else {
            Exposure::Fine
        }
    }
}

/// Place of the value that a share of sorted values is at most.
fn rank(count: usize, share: f64) -> usize {
    ((share * count as f64).ceil() as usize).clamp(1, count.max(1)) - 1
}

/// The value that a share of the pixels is at most; `counts`: pixels of each value.
fn quantile(counts: &[u32], share: f64) -> f32 {
    let rank = rank(counts.iter().map(|&count| count as usize).sum(), share);
    let mut below = 0;
    let found = counts.iter().position(|&count| {
        below += count as usize;
        below > rank
    });
    found.unwrap_or(0) as f32
}

/// The smallest depth that holds a value; a floating-point value beyond all of them is its own.
fn depth(value: f32, float: bool) -> f32 {
    let one = float.then_some(1.0);
    one.into_iter().chain(DEPTHS).find(|&depth| value <= depth).unwrap_or(value)
}

/// What is white, decided once for a set of pictures and kept with what was trained on them, so that the same file looks the
/// same in any company.
///
/// The depth of a device (8, 10, 12, 14 or 16 bits) is taken, not the brightest pixel and not each picture's own range: in
/// microscopy and radiology a value means something (a dose, a concentration), so a dark picture of a set has to stay dark
/// beside a bright one. Depths are those that hold 99.9 % of a picture's pixels: hot pixels, dust and burnt-in marks are
/// fewer. Most often all pictures have one white. Where a set holds clearly different depths (by more than a factor of 8,
/// with a quarter of the pictures or more in the smaller one), each picture has the first white that holds it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct White {
    /// Of 16-bit pictures, ascending; empty: there are none.
    pub deep: Vec<f32>,
    /// Of floating-point pictures.
    pub float: Vec<f32>,
}

impl White {
    /// That of a set.
    pub fn of(pictures: &[Levels]) -> Self {
        let of_kind =
            |float: bool| whites(pictures.iter().filter(|levels| levels.float == float).map(Levels::depth).collect());
        Self { deep: of_kind(false), float: of_kind(true) }
    }

    /// Both kinds are decided by `self` where it knows them, else by `other`.
    pub fn or(self, other: Self) -> Self {
        Self {
            deep: if self.deep.is_empty() { other.deep } else { self.deep },
            float: if self.float.is_empty() { other.float } else { self.float },
        }
    }

    /// The white of a picture.
    pub fn at(&self, levels: &Levels) -> f32 {
        let known = if levels.float { &self.float } else { &self.deep };
        let fits = known.iter().copied().find(|&white| levels.at[3] <= white);
        fits.or(known.last().copied()).unwrap_or_else(|| levels.depth())
    }

    /// What was decided, one statement a line.
    pub fn lines(&self) -> Vec<String> {
        let line = |(kind, whites): (&str, &Vec<f32>)| match whites.as_slice() {
            [] => None,
            [white] => Some(format!("images of {kind} are shown with white at {white}")),
            several => Some(format!(
                "images of {kind} are of clearly different depths: white is at {}, for each the first of them that holds \
                 99.9 % of its pixels",
                several.iter().map(f32::to_string).collect::<Vec<_>>().join(" or ")
            )),
        };
        [("16 bits", &self.deep), ("floating-point numbers", &self.float)].into_iter().filter_map(line).collect()
    }

    /// Neither kind is known.
    pub fn is_empty(&self) -> bool {
        self.deep.is_empty() && self.float.is_empty()
    }

    /// `4095,65535;1` for checkpoints and files of weights.
    pub fn to_text(&self) -> String {
        let join = |whites: &[f32]| whites.iter().map(f32::to_string).collect::<Vec<_>>().join(",");
        format!("{};{}", join(&self.deep), join(&self.float))
    }

    /// Reads [`Self::to_text`]; `None`: it is something else.
    pub fn parse(text: &str) -> Option<Self> {
        let list = |text: &str| -> Option<Vec<f32>> {
            let numbers = text.split(',').filter(|part| !part.is_empty());
            let whites: Vec<f32> = numbers.map(|part| part.parse().ok()).collect::<Option<_>>()?;
            let good = whites.iter().all(|white| white.is_finite() && *white > 0.0) && whites.is_sorted();
            good.then_some(whites)
        };
        let (deep, float) = text.split_once(';')?;
        Some(Self { deep: list(deep)?, float: list(float)? })
    }
}

/// The whites of a set, of the depths of its pictures.
fn whites(mut depths: Vec<f32>) -> Vec<f32> {
    depths.sort_unstable_by(f32::total_cmp);
    let all = depths.len();
    // Depths with their pictures, ascending.
    let of_depth: Vec<(f32, usize)> = depths.chunk_by(|a, b| a == b).map(|same| (same[0], same.len())).collect();
    let is_rare = |pictures: usize| pictures * RARE < all;
    let mut whites = Vec::new();
    let mut below = 0;
    for (i, &(white, pictures)) in of_depth.iter().enumerate() {
        below += pictures;
        let next = of_depth[i + 1..].iter().find(|(_, pictures)| !is_rare(*pictures));
        let ends = next.is_none_or(|(next, _)| next / white > APART && below > 1 && below * FEW >= all);
        if ends && (!is_rare(pictures) || i + 1 == of_depth.len()) {
            whites.push(white);
            below = 0;
        }
    }
    whites
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pictures: &[(f32, usize)]) -> Vec<f32> {
        whites(pictures.iter().flat_map(|&(depth, count)| vec![depth; count]).collect())
    }

    #[test]
    fn a_set_has_one_white_unless_its_depths_are_clearly_different() {
        assert!(of(&[]).is_empty());
        assert_eq!(of(&[(4095.0, 9)]), [4095.0]);
        // Dark pictures of one device, few or many.
        assert_eq!(of(&[(255.0, 1), (4095.0, 9)]), [4095.0]);
        assert_eq!(of(&[(1023.0, 1), (65_535.0, 1)]), [65_535.0]);
        assert_eq!(of(&[(255.0, 2), (1023.0, 5), (4095.0, 9)]), [4095.0]);
        assert_eq!(of(&[(255.0, 40), (1023.0, 40), (4095.0, 40), (16_383.0, 40)]), [16_383.0]);
        // Two devices, or one exception that is far too bright.
        assert_eq!(of(&[(4095.0, 9), (65_535.0, 9)]), [4095.0, 65_535.0]);
        assert_eq!(of(&[(4095.0, 99), (65_535.0, 1)]), [4095.0, 65_535.0]);
        assert_eq!(of(&[(1023.0, 40), (4095.0, 59), (16_383.0, 1), (65_535.0, 40)]), [4095.0, 65_535.0]);
        assert_eq!(of(&[(1.0, 5), (255.0, 5)]), [1.0, 255.0]);
    }

    #[test]
    fn small_numbers_have_a_white_of_their_own_as_images_and_not_as_masks() {
        for (value, white, full) in [
            (0.0, 1.0, 1.0),
            (0.003, 1.0 / 256.0, 1.0),
            (0.2, 1.0, 1.0),
            (1.0, 1.0, 1.0),
            (4.1, 15.0, 255.0),
            (64.0, 255.0, 255.0),
        ] {
            let levels = Levels { float: true, white_is_zero: false, at: [0.0, 0.0, value, value], most: value };
            let found = (White::of(&[levels]).at(&levels), White::default().at(&levels), levels.full());
            assert_eq!(found, (white, white, full), "{value}");
            assert_eq!(Levels { float: false, ..levels }.depth(), 255.0);
        }
    }

    #[test]
    fn one_exception_beside_many_of_the_next_depth_does_not_darken_them() {
        assert_eq!(of(&[(4095.0, 99), (16_383.0, 1)]), [4095.0, 16_383.0]);
    }

    #[test]
    fn white_is_read_back_as_it_was_written() {
        for white in [
            White::default(),
            White { deep: vec![4095.0, 65_535.0], float: Vec::new() },
            White { deep: vec![4095.0], float: vec![1.0, 0.1 + 1e6] },
        ] {
            assert_eq!(White::parse(&white.to_text()), Some(white));
        }
        for text in ["", "4095", "a;", "-1;", "inf;", "4095,255;"] {
            assert_eq!(White::parse(text), None, "{text}");
        }
    }
}
