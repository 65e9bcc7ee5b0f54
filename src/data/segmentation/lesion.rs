//! What of a mask's file is lesion. One rule everywhere: what is not zero, unless somebody says otherwise. What that means
//! for files with soft edges, class numbers or transparency is decided once for a whole data set, and told.

use std::collections::BTreeSet;
use std::path::Path;

use super::counted;
use super::doctor::{Check, Finding, Severity};
use super::read::Raw;
use crate::data::picture_file::{Decoded, Palette};

/// Share of pixels of in-between values that lie between a darker and a brighter one from which on they are soft edges.
const SOFT_SHARE: f64 = 0.9;
/// Levels near black, and near white, from which on they are the noise of a packing with loss.
const NOISE_LEVELS: usize = 4;
/// More levels than class numbers have.
const MANY_LEVELS: usize = 16;
/// Largest value of a JPEG from which on it can have noise of its own: below, one class has number 1 and the next 2.
const LEAST_LOSSY: f32 = 32.0;
/// The largest class number that a value of 255 beside it is not one of.
const LARGEST_CLASS: u16 = 63;
/// Values that are listed.
const MOST_LISTED: usize = 32;
/// Difference of a colour channel, or of a value, that packing with loss makes.
const LOSSY_DIFFERENCE: i32 = 48;

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
    /// Grey values, or numbers of a palette, as they are stored.
    Values(Vec<u16>),
    /// Red, green, blue.
    Colour([u8; 3]),
}

impl Lesion {
    /// From the parameter's choice and, for `value` and `colour`, what was typed.
    pub fn parse(choice: &str, text: &str) -> Result<Self, String> {
        let colour = || {
            let digits = text.trim().trim_start_matches('#');
            let number = u32::from_str_radix(digits, 16).ok().filter(|_| digits.len() == 6)?;
            Some(Lesion::Colour([(number >> 16) as u8, (number >> 8) as u8, number as u8]))
        };
        match choice {
            "value" => {
                let values: Result<Vec<u16>, _> =
                    text.split([',', ' ']).filter(|t| !t.is_empty()).map(str::parse).collect();
                values.ok().filter(|values| !values.is_empty()).map(Lesion::Values).ok_or_else(|| {
                    format!("`{text}` is no value of a mask; expected a whole number from 0 to 65535, or several with commas")
                })
            }
            "colour" => {
                colour().ok_or_else(|| format!("`{text}` is no colour; expected red, green and blue as #ff0000"))
            }
            "alpha" => Ok(Lesion::Alpha),
            "inverted" => Ok(Lesion::Inverted),
            _ => Ok(Lesion::Any),
        }
    }
}

/// What is lesion in the masks of one data set.
#[derive(Debug, Clone, PartialEq)]
pub struct MaskRule {
    lesion: Lesion,
    /// Colours say nothing, so that what is not transparent counts: alpha of at least half of this.
    alpha: Option<u8>,
    /// Share of the full range above which a pixel of a JPEG is lesion.
    lossy: f32,
    /// The same for files with soft edges, where there are such.
    graded: Option<f32>,
    /// 255 beside class numbers means "not judged".
    void: bool,
    /// What was decided, one statement a line.
    pub lines: Vec<String>,
    /// Results depend on whether it is what was meant.
    pub doubtful: bool,
    /// Why no mask can have a lesion, if what was chosen is in none of them.
    pub nowhere: Option<String>,
}

impl Default for MaskRule {
    /// What is not zero is lesion; in a JPEG what is in the upper half.
    fn default() -> Self {
        Self {
            lesion: Lesion::Any,
            alpha: None,
            lossy: 0.5,
            graded: None,
            void: false,
            nowhere: None,
            lines: Vec::new(),
            doubtful: false,
        }
    }
}

/// What one file, or page, looks like.
#[derive(Debug, Clone)]
pub struct Seen {
    lossy: bool,
    palette: bool,
    /// White: 255, or what the bits of a 16-bit file hold.
    full: f32,
    most: f32,
    /// Distinct values.
    values: BTreeSet<u16>,
    /// Pixels of values that are neither near black nor near white, and those of them in soft edges.
    between: usize,
    soft: usize,
    /// Pixels of 255, and of all else that is not zero.
    of_255: usize,
    of_others: usize,
    transparent: Transparency,
    /// Largest alpha.
    alpha: u8,
    has_alpha: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Transparency {
    /// No alpha, or the same everywhere.
    Same,
    /// What can be seen is of one colour.
    OneColour,
    /// What can be seen has several.
    Colours,
}

/// A decoded mask as values.
pub struct Values<'a> {
    raw: &'a Raw<'a>,
    palette: Option<&'a Palette>,
    /// The palette's one black that is in use, where that is the background.
    black: Option<u16>,
    lossy: bool,
    full: f32,
    /// Alpha is not the same everywhere: what is transparent cannot be seen.
    hides: bool,
}

impl<'a> Values<'a> {
    pub fn new(raw: &'a Raw<'a>, decoded: &'a Decoded) -> Self {
        let mut values = Self {
            raw,
            palette: decoded.palette.as_ref(),
            black: None,
            lossy: decoded.lossy,
            full: if raw.bytes_per_channel == 2 { raw.white } else { 255.0 },
            hides: false,
        };
        let alphas = (0..raw.pixels()).map(|i| raw.alpha(i));
        let first = raw.alpha(0);
        values.hides = first.is_some() && alphas.clone().any(|alpha| alpha != first);
        if let Some(palette) = values.palette {
            let used: BTreeSet<u16> = (0..raw.pixels()).map(|i| values.value(i) as u16).collect();
            let blacks: Vec<u16> =
                used.into_iter().filter(|&i| palette.colours.get(usize::from(i)) == Some(&[0; 3])).collect();
            if let [black] = blacks[..] {
                values.black = Some(black);
            }
        }
        values
    }

    /// The value of a pixel: a palette's number, else the brightest colour channel as stored; 0 where nothing can be seen.
    fn value(&self, i: usize) -> f32 {
        if let Some(palette) = self.palette {
            let number = self.raw.stored(i)[0] / f32::from(palette.step);
            return match self.black {
                // The black entry is the background, whatever its number; number 0 is then a colour.
                Some(black) if black > 0 && number == f32::from(black) => 0.0,
                Some(black) if black > 0 && number == 0.0 => 256.0,
                _ => number,
            };
        }
        if self.hides && self.raw.alpha(i) == Some(0) {
            return 0.0;
        }
        let [r, g, b] = self.raw.stored(i);
        let value = r.max(g).max(b);
        if self.raw.bytes_per_channel == 4 { value * self.raw.scale } else { value }
    }

    fn colour(&self, i: usize) -> [u8; 3] {
        match self.palette {
            None => self.raw.pixel(i),
            Some(palette) => {
                let number = self.raw.stored(i)[0] as usize / usize::from(palette.step);
                palette.colours.get(number).copied().unwrap_or_default()
            }
        }
    }

    /// Looks at the file for [`MaskRule::of`].
    pub fn seen(&self) -> Seen {
        let raw = self.raw;
        let (width, height) = (raw.size.0 as usize, raw.size.1 as usize);
        let (mut known, mut values) = (vec![false; 1 << 16], BTreeSet::new());
        let (mut most, mut between, mut soft, mut of_255, mut of_others) = (0.0_f32, 0, 0, 0, 0);
        let (low, high) = (16.0 / 255.0 * self.full, 240.0 / 255.0 * self.full);
        for i in 0..raw.pixels() {
            let value = self.value(i);
            most = most.max(value);
            let level = value.ceil() as u16;
            if !std::mem::replace(&mut known[usize::from(level)], true) {
                values.insert(level);
            }
            of_255 += usize::from(level == 255);
            of_others += usize::from(level != 255 && level != 0);
            if (low..high).contains(&value) {
                between += 1;
                let (x, y) = (i % width, i / width);
                let (mut darker, mut brighter) = (false, false);
                for row in y.saturating_sub(1)..(y + 2).min(height) {
                    for column in x.saturating_sub(1)..(x + 2).min(width) {
                        let other = self.value(row * width + column);
                        darker |= other < value;
                        brighter |= other > value;
                    }
                }
                soft += usize::from(darker && brighter);
            }
        }
        let mut transparent = Transparency::Same;
        if self.hides {
            let mut colours = (0..raw.pixels()).filter(|&i| raw.alpha(i) != Some(0)).map(|i| raw.stored(i));
            let first = colours.next();
            let one = colours.all(|colour| Some(colour) == first);
            transparent = if one { Transparency::OneColour } else { Transparency::Colours };
        }
        let alpha = (0..raw.pixels()).filter_map(|i| raw.alpha(i)).max();
        Seen {
            lossy: self.lossy,
            palette: self.palette.is_some(),
            full: self.full,
            most,
            values,
            between,
            soft,
            of_255,
            of_others,
            transparent,
            alpha: alpha.unwrap_or(255),
            has_alpha: alpha.is_some(),
        }
    }

    /// Applies a rule to this file.
    ///
    /// # Errors
    /// The rule asks for what the file does not have.
    pub fn judge<'b>(&'b self, rule: &'b MaskRule) -> Result<Judge<'b>, String> {
        let graded = match rule.graded {
            Some(cut) if !self.lossy && self.palette.is_none() => {
                let seen = self.seen();
                seen.may_be_graded().then_some(cut)
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
    /// Whether values are compared with the middle of the range.
    pub fn has_threshold(&self) -> bool {
        self.cut > 0.0 && matches!(self.rule.lesion, Lesion::Any | Lesion::Inverted)
    }

    /// Whether pixel `i` of the file is lesion.
    pub fn is_lesion(&self, i: usize) -> bool {
        let value = || self.values.value(i);
        match &self.rule.lesion {
            Lesion::Alpha => self.is_opaque(i, self.rule.alpha.unwrap_or(255)),
            Lesion::Values(wanted) => {
                let difference = if self.values.lossy { LOSSY_DIFFERENCE as f32 / 4.0 } else { 0.0 };
                wanted.iter().any(|&wanted| (value() - f32::from(wanted)).abs() <= difference)
            }
            Lesion::Colour(wanted) => {
                let difference = if self.values.lossy { LOSSY_DIFFERENCE } else { 0 };
                let colour = self.values.colour(i);
                let hidden = self.values.hides && self.values.raw.alpha(i) == Some(0);
                !hidden && colour.iter().zip(wanted).all(|(&a, &b)| (i32::from(a) - i32::from(b)).abs() <= difference)
            }
            rule => {
                let any = match self.by_alpha {
                    Some(most) => self.is_opaque(i, most),
                    None => value() > self.cut && !(self.rule.void && !self.values.lossy && value() == 255.0),
                };
                any == (*rule == Lesion::Any)
            }
        }
    }

    fn is_opaque(&self, i: usize, most: u8) -> bool {
        let alpha = self.values.raw.alpha(i).unwrap_or(255);
        alpha > 0 && 2 * u16::from(alpha) >= u16::from(most)
    }
}

impl Seen {
    /// Bright, or of many levels: dark ones of few are class numbers.
    fn may_be_graded(&self) -> bool {
        !self.lossy && !self.palette && (2.0 * self.most >= self.full || self.values.len() > MANY_LEVELS)
    }

    fn classes(&self) -> impl Iterator<Item = u16> + '_ {
        self.values.iter().copied().filter(|&value| value != 0 && value != 255)
    }
}

impl MaskRule {
    /// Decides for a data set from all of its masks.
    pub fn of(lesion: Lesion, seen: &[Seen]) -> Self {
        let mut rule = Self { lesion, ..Self::default() };
        let lossy: Vec<&Seen> = seen.iter().filter(|seen| seen.lossy).collect();
        let bright: Vec<&Seen> = seen.iter().filter(|seen| seen.may_be_graded()).collect();
        let share = |of: &[&Seen]| of.iter().map(|seen| seen.most / seen.full).fold(0.0, f32::max);
        if !lossy.is_empty() {
            let most = share(&lossy);
            rule.lossy = if 255.0 * most < LEAST_LOSSY { 0.0 } else { most / 2.0 };
        }
        let count = |what: fn(&Seen) -> usize| bright.iter().map(|seen| what(seen)).sum::<usize>();
        let (between, soft) = (count(|seen| seen.between), count(|seen| seen.soft));
        let near = |from: u16, to: u16| {
            let level = |value: u16| bright.iter().any(|seen| seen.full == 255.0 && seen.values.contains(&value));
            (from..to).filter(|&value| level(value)).count()
        };
        let noisy = near(1, 16) >= NOISE_LEVELS && near(240, 255) >= NOISE_LEVELS;
        if noisy || (between > 0 && soft as f64 >= SOFT_SHARE * between as f64) {
            rule.graded = Some(share(&bright) / 2.0);
        }
        let varying: Vec<&Seen> = seen.iter().filter(|seen| seen.transparent != Transparency::Same).collect();
        let one_colour = varying.iter().all(|seen| seen.transparent == Transparency::OneColour);
        if rule.lesion == Lesion::Alpha || (!varying.is_empty() && one_colour) {
            rule.alpha = seen.iter().filter(|seen| seen.has_alpha).map(|seen| seen.alpha).max();
        }
        let with_255: Vec<&Seen> =
            seen.iter().filter(|seen| !seen.lossy && seen.full == 255.0 && seen.values.contains(&255)).collect();
        let beside_classes = |seen: &&Seen| {
            let largest = if seen.palette { 254 } else { LARGEST_CLASS };
            seen.classes().next().is_some()
                && seen.classes().all(|class| class <= largest)
                && seen.of_255 < seen.of_others
        };
        rule.void = rule.graded.is_none() && !with_255.is_empty() && with_255.iter().all(beside_classes);
        rule.tell(seen, &lossy, &bright);
        rule
    }

    /// Puts it in words.
    fn tell(&mut self, seen: &[Seen], lossy: &[&Seen], bright: &[&Seen]) {
        let line = match &self.lesion {
            Lesion::Any => None,
            Lesion::Inverted => Some("lesion is what is zero in a mask, as chosen".to_owned()),
            Lesion::Alpha => Some("lesion is what is not transparent in a mask, as chosen".to_owned()),
            Lesion::Values(values) => {
                Some(format!("lesion is what has the value {} in a mask, as chosen", joined(values)))
            }
            Lesion::Colour([r, g, b]) => {
                Some(format!("lesion is what has the colour #{r:02x}{g:02x}{b:02x} in a mask, as chosen"))
            }
        };
        let chosen = line.is_some();
        self.lines.extend(line);
        let mut found = BTreeSet::new();
        let exact = |seen: &&Seen| !(seen.lossy || self.graded.is_some() && seen.may_be_graded());
        seen.iter().filter(exact).for_each(|seen| found.extend(&seen.values));
        found.remove(&0);
        let listed = match found.len() {
            0 => "none but zero".to_owned(),
            1..=MOST_LISTED => joined(&found.iter().copied().collect::<Vec<_>>()),
            more => format!("{more}, from {} to {}", found.first().unwrap_or(&0), found.last().unwrap_or(&0)),
        };
        if chosen && !matches!(self.lesion, Lesion::Inverted) {
            self.lines.push(format!("values in the masks that are not zero: {listed}"));
            if let Lesion::Values(wanted) = &self.lesion
                && !seen.is_empty()
                && seen.iter().all(|seen| !seen.lossy && wanted.iter().all(|value| !seen.values.contains(value)))
            {
                let wanted = joined(wanted);
                self.nowhere = Some(format!("no mask holds the value {wanted}; values that are not zero: {listed}"));
            }
            return;
        }
        if self.alpha.is_some() {
            self.doubtful |= !chosen;
            self.lines.push(
                "lesion is what is not transparent in a mask: its colour is the same wherever it can be seen"
                    .to_owned(),
            );
        } else {
            let labels: Vec<u16> = found.iter().copied().filter(|&value| value != 255 || self.void).collect();
            let white = found.contains(&255) && !self.void;
            let numbers = labels.iter().filter(|&&value| !(self.void && value == 255)).count();
            // Several classes, or numbers in some files and white in others.
            self.doubtful |= self.void || numbers > 1 || (numbers == 1 && white);
            if !found.is_empty() && !chosen {
                let palettes = if seen.iter().any(|seen| seen.palette) { ", of a palette its numbers" } else { "" };
                self.lines.push(format!("lesion is what is not zero in a mask (values there: {listed}{palettes})"));
            }
            if numbers > 1 && !chosen {
                self.lines.push(
                    "they may be numbers of classes, which are joined; choose lesion=value to take some of them"
                        .to_owned(),
                );
            }
            if self.void {
                self.lines.push(
                    "255 beside class numbers is taken for \"not judged\" and counts as background; choose lesion=value \
                     (lesion_value=255) if it is lesion"
                        .to_owned(),
                );
            }
        }
        let above = |cut: f32, of: &[&Seen]| {
            let full = of.iter().map(|seen| seen.full).fold(0.0, f32::max);
            format!("above {:.0} of {full:.0}", (cut * full).floor())
        };
        if !lossy.is_empty() && self.lossy > 0.0 {
            self.lines.push(format!(
                "{}: JPEG blurs edges, so lesion is what is {}",
                counted(lossy.len(), "mask is a JPEG", "masks are JPEGs"),
                above(self.lossy, lossy)
            ));
        }
        if let Some(cut) = self.graded {
            self.lines.push(format!("the masks have soft edges: lesion is what is {}", above(cut, bright)));
        }
    }

    /// For the data doctor: what was decided, where it is not the plain case of black and white.
    pub fn findings(&self, folder: &Path) -> Vec<Finding> {
        let plain = self.lines.len() <= 1 && !self.doubtful && self.lesion == Lesion::Any;
        if self.lines.is_empty() || (plain && self.lines.iter().all(|line| line.contains("(values there: 255)"))) {
            return Vec::new();
        }
        let advice = if self.lesion == Lesion::Any {
            "look at an outline; `lesion` tells it otherwise (a value, a colour, alpha, inverted)"
        } else {
            "look at an outline, whether it is what you mean"
        };
        let nowhere = self.nowhere.iter().map(|problem| Finding {
            severity: Severity::Error,
            check: Check::MaskValues,
            file: folder.to_owned(),
            other: None,
            problem: problem.clone(),
            advice: "choose one of these with `lesion_value`".to_owned(),
        });
        let decided = Finding {
            severity: if self.doubtful { Severity::Warning } else { Severity::Note },
            check: Check::MaskValues,
            file: folder.to_owned(),
            other: None,
            problem: self.lines.join("; "),
            advice: advice.to_owned(),
        };
        nowhere.chain([decided]).collect()
    }
}

fn joined(values: &[u16]) -> String {
    values.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
