//! What of a mask's file is lesion. One rule everywhere: what is not zero, unless somebody says otherwise. What that means
//! for files with soft edges, class numbers or transparency is decided once for a whole data set, and told.

use std::collections::BTreeSet;

use super::read::Raw;
use super::seen::Seen;
use crate::data::picture_file::{Decoded, Palette};

/// Share of pixels of in-between values that lie between a darker and a brighter one from which on they are soft edges.
const SOFT_SHARE: f64 = 0.9;
/// Levels near black, and near white, from which on they are the noise of a packing with loss.
const NOISE_LEVELS: usize = 4;
/// Largest value of a JPEG from which on it can have noise of its own: below, one class has number 1 and the next 2.
const LEAST_LOSSY: f32 = 32.0;
/// Of what is not dark, the share of even areas in the middle of the range from which on they are no accident of packing.
const AREA_SHARE: f64 = 0.2;
/// The largest class number that a value of 255 beside it is not one of.
const LARGEST_CLASS: u16 = 63;
/// Difference of a colour channel that packing with loss makes.
pub(super) const LOSSY_COLOUR: i32 = 48;
/// The same of a value.
pub(super) const LOSSY_VALUE: u16 = 12;

/// A [`Lesion`] without its numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LesionKind {
    Any,
    Inverted,
    Alpha,
    Values,
    Colour,
}

/// What counts as lesion, as somebody chose it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Lesion {
    /// What is not zero.
    #[default]
    Any,
    /// What is zero.
    Inverted,
    /// What is not transparent, whatever its colour.
    Alpha,
    /// Numbers as the file holds them: grey values, a palette's numbers, 1 for the white of one bit (255 means it too).
    Values(Vec<u16>),
    /// Red, green, blue.
    Colour([u8; 3]),
}

impl Lesion {
    /// From what was chosen and, for values and a colour, what was typed.
    pub fn parse(kind: LesionKind, text: &str) -> Result<Self, String> {
        let colour = || {
            let digits = text.trim().trim_start_matches('#');
            let number = u32::from_str_radix(digits, 16).ok().filter(|_| digits.len() == 6)?;
            Some(Lesion::Colour([(number >> 16) as u8, (number >> 8) as u8, number as u8]))
        };
        match kind {
            LesionKind::Values => {
                let values: Result<Vec<u16>, _> =
                    text.split([',', ' ']).filter(|t| !t.is_empty()).map(str::parse).collect();
                values.ok().filter(|values| !values.is_empty()).map(Lesion::Values).ok_or_else(|| {
                    format!("`{text}` is no value of a mask; expected a whole number from 0 to 65535, or several with commas")
                })
            }
            LesionKind::Colour => {
                colour().ok_or_else(|| format!("`{text}` is no colour; expected red, green and blue as #ff0000"))
            }
            LesionKind::Alpha => Ok(Lesion::Alpha),
            LesionKind::Inverted => Ok(Lesion::Inverted),
            LesionKind::Any => Ok(Lesion::Any),
        }
    }
}

/// What is lesion in the masks of one data set.
#[derive(Debug, Clone, PartialEq)]
pub struct MaskRule {
    pub(super) lesion: Lesion,
    /// Colours say nothing, so that what is not transparent counts: alpha of at least half of this.
    pub(super) alpha: Option<u8>,
    /// Share of the full range above which a pixel of a JPEG is lesion.
    pub(super) lossy: f32,
    /// The same for files with soft edges, where there are such.
    pub(super) graded: Option<f32>,
    /// JPEGs, or files with soft edges, also have areas in the middle of the range: classes, which are joined.
    pub(super) joined: bool,
    /// 255 beside class numbers means "not judged".
    pub(super) void: bool,
    /// Black and white, read as everybody would: there is nothing to tell.
    pub(super) plain: bool,
    /// What was decided, one statement a line.
    pub lines: Vec<String>,
    /// Results depend on whether it is what was meant.
    pub doubtful: bool,
    /// Why no mask can have a lesion, if what was chosen is in none of them.
    pub nowhere: Option<Nowhere>,
}

/// What was chosen is in no mask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nowhere {
    /// The parameter that chose it.
    pub key: &'static str,
    /// What the masks have instead.
    pub problem: String,
}

impl Default for MaskRule {
    /// What is not zero is lesion; in a JPEG what is in the upper half.
    fn default() -> Self {
        Self {
            lesion: Lesion::Any,
            alpha: None,
            lossy: 0.5,
            graded: None,
            joined: false,
            void: false,
            plain: false,
            nowhere: None,
            lines: Vec::new(),
            doubtful: false,
        }
    }
}

/// A decoded mask as values.
pub struct Values<'a> {
    pub(super) raw: &'a Raw<'a>,
    pub(super) palette: Option<&'a Palette>,
    /// The number that is background: of a palette that of its one black in use, else 0.
    pub(super) ground: u16,
    pub(super) lossy: bool,
    /// A decoded value is this many times what the file holds in less than 8 bits.
    step: f32,
    /// White: 255, or what the bits of a 16-bit file hold.
    pub(super) full: f32,
    /// Alpha is not the same everywhere: what is transparent cannot be seen.
    pub(super) hides: bool,
}

impl<'a> Values<'a> {
    pub fn new(raw: &'a Raw<'a>, decoded: &'a Decoded) -> Self {
        let mut values = Self {
            raw,
            palette: decoded.palette.as_ref(),
            ground: 0,
            lossy: decoded.lossy,
            step: f32::from(decoded.palette.as_ref().map_or(decoded.step, |palette| palette.step)),
            full: if raw.bytes_per_channel == 2 { raw.white } else { 255.0 },
            hides: false,
        };
        let alphas = (0..raw.pixels()).map(|i| raw.alpha(i));
        let first = raw.alpha(0);
        values.hides = first.is_some() && alphas.clone().any(|alpha| alpha != first);
        if let Some(palette) = values.palette {
            let used: BTreeSet<u16> = (0..raw.pixels()).map(|i| values.held(i) as u16).collect();
            let blacks: Vec<u16> =
                used.into_iter().filter(|&i| palette.colours.get(usize::from(i)) == Some(&[0; 3])).collect();
            if let [black] = blacks[..] {
                values.ground = black;
            }
        }
        values
    }

    /// Whether the file knows black and white alone.
    pub(super) fn is_one_bit(&self) -> bool {
        self.palette.is_none() && self.step == 255.0
    }

    /// The number that the file holds: a palette's, else the brightest colour channel; 0 where nothing can be seen.
    pub(super) fn held(&self, i: usize) -> f32 {
        if self.is_hidden(i) {
            return 0.0;
        }
        let [r, g, b] = self.raw.stored(i);
        r.max(g).max(b) / self.step
    }

    /// How bright a pixel is, from 0 for the background to `full`; of a palette its number.
    pub(super) fn value(&self, i: usize) -> f32 {
        let held = self.held(i);
        match self.palette {
            Some(_) if held == f32::from(self.ground) => 0.0,
            // The black number is the background, whatever it is; number 0 is then a colour.
            Some(_) => held.max(1.0),
            None if self.raw.bytes_per_channel == 4 => held * self.raw.scale,
            None => held * self.step,
        }
    }

    pub(super) fn is_hidden(&self, i: usize) -> bool {
        self.hides && self.raw.alpha(i) == Some(0)
    }

    pub(super) fn colour(&self, i: usize) -> [u8; 3] {
        match self.palette {
            None => self.raw.pixel(i),
            Some(palette) => palette.colours.get(self.held(i) as usize).copied().unwrap_or_default(),
        }
    }

    /// Applies a rule to this file.
    ///
    /// # Errors
    /// The rule asks for what the file does not have.
    pub fn judge<'b>(&'b self, rule: &'b MaskRule) -> Result<Judge<'b>, String> {
        let graded = match rule.graded {
            Some(cut) if !self.lossy && self.palette.is_none() => {
                Seen::of(self, &Lesion::Any).may_be_graded().then_some(cut)
            }
            _ => None,
        };
        if rule.lesion == Lesion::Alpha && self.raw.alpha(0).is_none() {
            return Err("has no transparency to tell the lesion by; choose another way with `lesion`".to_owned());
        }
        Ok(Judge {
            values: self,
            rule,
            cut: if self.lossy { rule.lossy } else { graded.unwrap_or(0.0) } * self.full,
            by_alpha: rule.alpha.filter(|_| self.hides || self.raw.alpha(0).is_some_and(|alpha| alpha < 255)),
        })
    }
}

/// Tells lesion from background in one file.
pub struct Judge<'a> {
    values: &'a Values<'a>,
    rule: &'a MaskRule,
    cut: f32,
    by_alpha: Option<u8>,
}

impl Judge<'_> {
    /// Whether values are compared with a threshold.
    pub fn has_threshold(&self) -> bool {
        self.cut > 0.0 && self.by_alpha.is_none() && matches!(self.rule.lesion, Lesion::Any | Lesion::Inverted)
    }

    /// Whether a grey value is lesion for not being zero.
    pub fn takes_what_is_not_zero(&self) -> bool {
        self.cut == 0.0 && self.by_alpha.is_none() && self.rule.lesion == Lesion::Any
    }

    /// Whether pixel `i` of the file is lesion.
    pub fn is_lesion(&self, i: usize) -> bool {
        let value = || self.values.value(i);
        match &self.rule.lesion {
            Lesion::Alpha => self.is_opaque(i, self.rule.alpha.unwrap_or(255)),
            Lesion::Values(wanted) => wanted.iter().any(|&wanted| self.holds(i, wanted)),
            Lesion::Colour(wanted) => {
                let difference = if self.values.lossy { LOSSY_COLOUR } else { 0 };
                let colour = self.values.colour(i);
                !self.values.is_hidden(i)
                    && colour.iter().zip(wanted).all(|(&a, &b)| (i32::from(a) - i32::from(b)).abs() <= difference)
            }
            Lesion::Any => match self.by_alpha {
                Some(most) => self.is_opaque(i, most),
                None => value() > self.cut && !(self.rule.void && !self.values.lossy && value() == 255.0),
            },
            Lesion::Inverted => match self.by_alpha {
                Some(most) => !self.is_opaque(i, most),
                None => value() <= self.cut,
            },
        }
    }

    fn holds(&self, i: usize, wanted: u16) -> bool {
        let held = self.values.held(i);
        let difference = if self.values.lossy { f32::from(LOSSY_VALUE) } else { 0.0 };
        (held - f32::from(wanted)).abs() <= difference || (self.values.is_one_bit() && held == 1.0 && wanted == 255)
    }

    fn is_opaque(&self, i: usize, most: u8) -> bool {
        let alpha = self.values.raw.alpha(i).unwrap_or(255);
        alpha > 0 && 2 * u16::from(alpha) >= u16::from(most)
    }
}

impl MaskRule {
    /// Decides for a data set from all of its masks.
    pub fn of(lesion: Lesion, seen: &[Seen]) -> Self {
        let mut rule = Self { lesion, ..Self::default() };
        let lossy: Vec<&Seen> = seen.iter().filter(|seen| seen.lossy).collect();
        let bright: Vec<&Seen> = seen.iter().filter(|seen| seen.may_be_graded()).collect();
        if !lossy.is_empty() {
            let most = largest(&lossy);
            rule.lossy = if 255.0 * most < LEAST_LOSSY { 0.0 } else { rule.cut(&lossy, most) };
        }
        let count = |what: fn(&Seen) -> usize| bright.iter().map(|seen| what(seen)).sum::<usize>();
        let (between, soft) = (count(|seen| seen.between), count(|seen| seen.soft));
        let near = |from: u16, to: u16| {
            let level = |value: u16| bright.iter().any(|seen| seen.full == 255.0 && seen.levels.contains(&value));
            (from..to).filter(|&value| level(value)).count()
        };
        let noisy = near(1, 16) >= NOISE_LEVELS && near(240, 255) >= NOISE_LEVELS;
        if noisy || (between > 0 && soft as f64 >= SOFT_SHARE * between as f64) {
            rule.graded = Some(rule.cut(&bright, largest(&bright)));
        }
        let varying: Vec<&Seen> = seen.iter().filter(|seen| seen.hides).collect();
        if rule.lesion == Lesion::Alpha || (!varying.is_empty() && varying.iter().all(|seen| seen.one_colour)) {
            rule.alpha = seen.iter().filter(|seen| seen.has_alpha).map(|seen| seen.alpha).max();
        }
        let with_255: Vec<&Seen> = seen
            .iter()
            .filter(|seen| !seen.lossy && !seen.one_bit && seen.full == 255.0 && seen.values.contains(&255))
            .collect();
        let beside_classes = |seen: &&Seen| {
            let largest = if seen.palette { 254 } else { LARGEST_CLASS };
            seen.classes().next().is_some()
                && seen.classes().all(|class| class <= largest)
                && seen.of_255 < seen.of_others
        };
        rule.void = rule.lesion == Lesion::Any
            && rule.graded.is_none()
            && !with_255.is_empty()
            && with_255.iter().all(beside_classes);
        rule.tell(seen);
        rule
    }

    /// The middle between black and the largest value, as a share of the full range; where there are areas in the middle,
    /// which no edge is, below them.
    fn cut(&mut self, of: &[&Seen], most: f32) -> f32 {
        let areas = of.iter().map(|seen| seen.areas_between(most)).fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
        let has_areas = areas.0 as f64 >= AREA_SHARE * areas.1.max(1) as f64;
        self.joined |= has_areas;
        if has_areas { most / 4.0 } else { most / 2.0 }
    }
}

/// The largest value as a share of the full range.
fn largest(of: &[&Seen]) -> f32 {
    of.iter().map(|seen| seen.most / seen.full).fold(0.0, f32::max)
}
