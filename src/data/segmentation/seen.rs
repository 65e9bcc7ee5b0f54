//! What one file of a mask, or one page of it, looks like: what [`MaskRule`] decides from.

use std::collections::BTreeSet;

use super::lesion::{Lesion, MaskRule, Values};

/// More levels than class numbers have.
const MANY_LEVELS: usize = 16;
/// Colours that are kept; one more says that there are more.
pub(super) const MOST_COLOURS: usize = 8;
/// Difference of two channels, of 255, from which on a JPEG is coloured.
const COLOURED: u8 = 96;
/// Difference to a neighbour, of 255, up to which an area is even.
const EVEN: f32 = 12.0;

/// What one file, or page, looks like.
#[derive(Debug, Clone)]
pub struct Seen {
    pub(super) lossy: bool,
    pub(super) palette: bool,
    /// Black and white alone.
    pub(super) one_bit: bool,
    /// White: 255, or what the bits of a 16-bit file hold.
    pub(super) full: f32,
    /// The smallest and the largest brightness.
    pub(super) least: f32,
    pub(super) most: f32,
    /// Distinct whole numbers that the file holds, without that of the background.
    pub(super) values: BTreeSet<u16>,
    /// It holds others than whole numbers.
    pub(super) fractions: bool,
    /// The number that is background.
    pub(super) ground: u16,
    /// Distinct brightnesses.
    pub(super) levels: BTreeSet<u16>,
    /// Pixels of values that are neither near black nor near white, and those of them in soft edges.
    pub(super) between: usize,
    pub(super) soft: usize,
    /// Pixels by brightness in 256 steps of the full range, and those of them in even areas that are neither near black nor
    /// near white; empty where no threshold can be needed.
    all: Vec<u32>,
    even: Vec<u32>,
    /// Pixels of 255, and of all else that is not zero.
    pub(super) of_255: usize,
    pub(super) of_others: usize,
    /// Not every colour is a grey.
    pub(super) coloured: bool,
    /// Distinct colours that are not background, at most [`MOST_COLOURS`] and one; none of a JPEG.
    pub(super) colours: BTreeSet<[u8; 3]>,
    /// Alpha is not the same everywhere, and what can be seen is of one colour.
    pub(super) hides: bool,
    pub(super) one_colour: bool,
    /// Largest alpha.
    pub(super) alpha: u8,
    pub(super) has_alpha: bool,
    /// A pixel has the value or colour that was chosen.
    pub(super) chosen: bool,
}

impl Seen {
    /// Looks at a file; `lesion`: what was chosen.
    pub fn of(values: &Values<'_>, lesion: &Lesion) -> Self {
        let raw = values.raw;
        let alpha = (0..raw.pixels()).filter_map(|i| raw.alpha(i)).max();
        let mut seen = Self {
            lossy: values.lossy,
            palette: values.palette.is_some(),
            one_bit: values.is_one_bit(),
            full: values.full,
            least: f32::INFINITY,
            most: 0.0,
            values: BTreeSet::new(),
            fractions: false,
            ground: values.ground,
            levels: BTreeSet::new(),
            between: 0,
            soft: 0,
            all: Vec::new(),
            even: Vec::new(),
            of_255: 0,
            of_others: 0,
            coloured: false,
            colours: BTreeSet::new(),
            hides: values.hides,
            one_colour: false,
            alpha: alpha.unwrap_or(255),
            has_alpha: alpha.is_some(),
            chosen: false,
        };
        seen.look_at_numbers(values);
        seen.look_at_colours(values);
        if matches!(lesion, Lesion::Values(_) | Lesion::Colour(_)) {
            let rule = MaskRule { lesion: lesion.clone(), ..MaskRule::default() };
            seen.chosen = values.judge(&rule).is_ok_and(|judge| (0..raw.pixels()).any(|i| judge.is_lesion(i)));
        }
        seen
    }

    fn look_at_numbers(&mut self, values: &Values<'_>) {
        let (width, height) = (values.raw.size.0 as usize, values.raw.size.1 as usize);
        let (mut levels, mut numbers) = (vec![false; 1 << 16], vec![false; 1 << 16]);
        let (mut all, mut even) = (vec![0_u32; 256], vec![0_u32; 256]);
        let step = 255.0 / self.full;
        let (low, high) = (16.0 / step, 240.0 / step);
        for i in 0..values.raw.pixels() {
            let (value, held) = (values.value(i), values.held(i));
            (self.least, self.most) = (self.least.min(value), self.most.max(value));
            let level = value.ceil() as u16;
            if !std::mem::replace(&mut levels[usize::from(level)], true) {
                self.levels.insert(level);
            }
            self.fractions |= held.fract() != 0.0;
            let number = held as u16;
            if held.fract() == 0.0
                && number != self.ground
                && !std::mem::replace(&mut numbers[usize::from(number)], true)
            {
                self.values.insert(number);
            }
            self.of_255 += usize::from(level == 255);
            self.of_others += usize::from(level != 255 && level != 0);
            let bin = (value * step) as usize;
            all[bin.min(255)] += 1;
            if (low..high).contains(&value) {
                self.between += 1;
                let (x, y) = (i % width, i / width);
                let (mut darker, mut brighter, mut difference) = (false, false, 0.0_f32);
                for row in y.saturating_sub(1)..(y + 2).min(height) {
                    for column in x.saturating_sub(1)..(x + 2).min(width) {
                        let other = values.value(row * width + column);
                        darker |= other < value;
                        brighter |= other > value;
                        difference = difference.max((other - value).abs());
                    }
                }
                self.soft += usize::from(darker && brighter);
                even[bin.min(255)] += u32::from(difference * step <= EVEN);
            }
        }
        if self.lossy || self.may_be_graded() {
            (self.all, self.even) = (all, even);
        }
    }

    fn look_at_colours(&mut self, values: &Values<'_>) {
        let raw = values.raw;
        let visible = || (0..raw.pixels()).filter(|&i| !values.is_hidden(i));
        if self.hides {
            let mut colours = visible().map(|i| raw.stored(i));
            let first = colours.next();
            self.one_colour = colours.all(|colour| Some(colour) == first);
        }
        if self.lossy {
            let coloured = visible().filter(|&i| {
                let [r, g, b] = values.colour(i);
                r.max(g).max(b) - r.min(g).min(b) > COLOURED
            });
            self.coloured = 100 * coloured.count() > raw.pixels();
            return;
        }
        let mut last = None;
        for i in visible().filter(|&i| values.value(i) > 0.0) {
            let colour = values.colour(i);
            if last.replace(colour) == Some(colour) {
                continue;
            }
            self.coloured |= colour.iter().any(|&channel| channel != colour[0]);
            if self.colours.len() <= MOST_COLOURS {
                self.colours.insert(colour);
            }
        }
    }

    /// Bright, or of many levels: dark ones of few are class numbers.
    pub(super) fn may_be_graded(&self) -> bool {
        !self.lossy && !self.palette && (2.0 * self.most >= self.full || self.levels.len() > MANY_LEVELS)
    }

    pub(super) fn classes(&self) -> impl Iterator<Item = u16> + '_ {
        self.values.iter().copied().filter(|&value| value != 255)
    }

    /// Pixels of even areas in the middle between black and `most` (a share of the full range), and all that are not dark.
    pub(super) fn areas_between(&self, most: f32) -> (u64, u64) {
        let at = |part: f32| ((part * most * 256.0) as usize).min(256);
        let sum = |of: &[u32]| of.iter().map(|&count| u64::from(count)).sum::<u64>();
        let even = self.even.get(at(0.25)..at(0.75)).map_or(0, sum);
        (even, self.all.get(at(0.25)..).map_or(0, sum))
    }
}
