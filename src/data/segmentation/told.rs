//! What was decided about the masks of a data set, in words.

use std::collections::BTreeSet;
use std::path::Path;

use super::counted;
use super::doctor::{Check, Finding, Severity};
use super::lesion::{LOSSY_COLOUR, LOSSY_VALUE, Lesion, MaskRule, Nowhere};
use super::seen::{MOST_COLOURS, Seen};

/// Values that are listed.
const MOST_LISTED: usize = 32;

impl MaskRule {
    /// Puts it in words.
    pub(super) fn tell(&mut self, seen: &[Seen]) {
        match self.lesion.clone() {
            Lesion::Any => self.tell_any(seen),
            Lesion::Inverted => self.tell_inverted(seen),
            Lesion::Alpha => self.tell_alpha(seen),
            Lesion::Values(wanted) => self.tell_values(&wanted, seen),
            Lesion::Colour(wanted) => self.tell_colour(wanted, seen),
        }
    }

    fn say(&mut self, line: impl Into<String>) {
        self.lines.push(line.into());
    }

    /// How a file is read where all that is not background counts, or where it does not.
    fn way(&self, seen: &Seen) -> Way {
        match () {
            () if self.alpha.is_some() && (seen.hides || seen.alpha < 255) => Way::Alpha,
            () if seen.lossy && self.lossy > 0.0 => Way::Lossy,
            () if self.graded.is_some() && seen.may_be_graded() => Way::Graded,
            () => Way::Exact,
        }
    }

    fn of_way<'a>(&self, way: Way, seen: &'a [Seen]) -> Vec<&'a Seen> {
        seen.iter().filter(|seen| self.way(seen) == way).collect()
    }

    fn tell_any(&mut self, seen: &[Seen]) {
        let exact = self.of_way(Way::Exact, seen);
        let (coloured, grey): (Vec<&Seen>, Vec<&Seen>) = exact.iter().partition(|seen| seen.coloured && !seen.palette);
        let numbers = Numbers::of(&grey);
        let colours: BTreeSet<[u8; 3]> = coloured.iter().flat_map(|seen| seen.colours.iter().copied()).collect();
        let labels = numbers.values.len() - usize::from(self.void && numbers.values.contains(&255));
        self.plain = exact.len() == seen.len() && numbers.are_white() && colours.is_empty();
        self.doubtful |= self.void || labels > 1 || colours.len() > 1;
        self.tell_of_alpha(seen, "what is not transparent");
        let turned = exact.iter().filter(|seen| seen.ground > 0).count();
        let ground = if turned > 0 { "background" } else { "zero" };
        let found = match (numbers.is_empty(), colours.is_empty()) {
            (true, true) => None,
            (false, true) => Some(format!("what is not {ground} in a mask (values there: {})", numbers.listed())),
            (true, false) => Some(format!("what is not black in a mask (colours there: {})", hexes(&colours))),
            (false, false) => Some(format!(
                "what is not {ground}, or black, in a mask (values there: {}; colours there: {})",
                numbers.listed(),
                hexes(&colours)
            )),
        };
        match found {
            Some(found) => self.say(format!("lesion is {found}")),
            None if exact.len() == seen.len() && !seen.is_empty() => {
                self.doubtful = true;
                self.say("no mask holds anything but zero: none of them has a lesion");
            }
            None => {}
        }
        if turned > 0 {
            let masks = counted(turned, "mask", "masks");
            self.say(format!("in {masks} with a palette black is background, though its number is not 0"));
        }
        if labels > 1 {
            self.say("they may be numbers of classes, which are joined; choose lesion=value to take some of them");
        }
        if colours.len() > MOST_COLOURS {
            self.say(
                "so many colours are those of pictures, maybe with the lesion drawn in; choose lesion=colour to take one",
            );
        } else if colours.len() > 1 {
            self.say("several colours may be several classes, which are joined; choose lesion=colour to take one");
        }
        if self.void {
            self.say(
                "255 beside class numbers is taken for \"not judged\" and counts as background; choose lesion=value \
                 (lesion_value=255) if it is lesion",
            );
        }
        self.tell_of_thresholds(seen, "above");
    }

    fn tell_inverted(&mut self, seen: &[Seen]) {
        self.tell_of_alpha(seen, "as chosen, what is transparent");
        let exact = self.of_way(Way::Exact, seen);
        if !exact.is_empty() || seen.is_empty() {
            let ground = if exact.iter().any(|seen| seen.ground > 0) { "background" } else { "zero" };
            self.say(format!("{}lesion is what is {ground} in a mask, as chosen", among(exact.len(), seen.len())));
        }
        self.tell_of_thresholds(seen, "not above");
        let dark = |seen: &Seen| match self.way(seen) {
            Way::Alpha => true,
            Way::Lossy => seen.least <= self.lossy * seen.full,
            Way::Graded => seen.least <= self.graded.unwrap_or_default() * seen.full,
            Way::Exact => seen.least == 0.0,
        };
        if !seen.is_empty() && !seen.iter().any(dark) {
            let problem = "no mask has a pixel that is zero, so that none would have a lesion".to_owned();
            self.nowhere = Some(Nowhere { key: "lesion", problem });
        }
    }

    fn tell_alpha(&mut self, seen: &[Seen]) {
        let with = seen.iter().filter(|seen| seen.has_alpha).count();
        let least = self.alpha.filter(|_| with > 0).map_or_else(String::new, |most| {
            format!(" (alpha of at least {} of 255)", u16::from(most).div_ceil(2).max(1))
        });
        self.say(format!("lesion is what is not transparent in a mask, as chosen{least}"));
        if !seen.is_empty() && with == 0 {
            let problem = "no mask has transparency to tell the lesion by".to_owned();
            self.nowhere = Some(Nowhere { key: "lesion", problem });
        }
    }

    fn tell_values(&mut self, wanted: &[u16], seen: &[Seen]) {
        let all: Vec<&Seen> = seen.iter().collect();
        let (wanted_in_words, listed) = (joined(wanted.iter()), Numbers::of(&all).listed());
        self.say(format!("lesion is what has the value {wanted_in_words} in a mask, as chosen"));
        if seen.is_empty() {
            return;
        }
        self.say(format!("values in the masks that are not background: {listed}"));
        if seen.iter().any(|seen| seen.lossy) {
            self.doubtful = true;
            self.say(format!(
                "of JPEGs, whose values are not exact, what is at most {LOSSY_VALUE} away; what lies between two values counts \
                 as background: save masks as PNG, or choose lesion=any"
            ));
        }
        let black = seen.iter().filter(|seen| seen.palette && wanted.contains(&seen.ground)).count();
        if black > 0 {
            self.doubtful = true;
            let masks = counted(black, "mask", "masks");
            self.say(format!("in {masks} with a palette a chosen number is black there, or has no colour"));
        }
        if seen.iter().all(|seen| !seen.chosen) {
            let problem =
                format!("no mask holds the value {wanted_in_words}; values that are not background: {listed}");
            self.nowhere = Some(Nowhere { key: "lesion_value", problem });
        }
    }

    fn tell_colour(&mut self, wanted: [u8; 3], seen: &[Seen]) {
        let colours: BTreeSet<[u8; 3]> = seen.iter().flat_map(|seen| seen.colours.iter().copied()).collect();
        self.say(format!("lesion is what has the colour {} in a mask, as chosen", hex(&wanted)));
        if seen.is_empty() {
            return;
        }
        let lossy = seen.iter().any(|seen| seen.lossy);
        let listed = match (colours.is_empty(), lossy) {
            (true, true) => "those of JPEGs, which are not exact".to_owned(),
            (true, false) => "none but black".to_owned(),
            (false, _) => hexes(&colours),
        };
        self.say(format!("colours in the masks that are not background: {listed}"));
        if lossy {
            self.say(format!(
                "of JPEGs, whose colours are not exact, what is at most {LOSSY_COLOUR} away in red, green and blue"
            ));
        }
        if seen.iter().all(|seen| !seen.chosen) {
            let problem = format!("no mask has the colour {}; colours that are not background: {listed}", hex(&wanted));
            self.nowhere = Some(Nowhere { key: "lesion_value", problem });
        }
    }

    fn tell_of_alpha(&mut self, seen: &[Seen], what: &str) {
        let by_alpha = self.of_way(Way::Alpha, seen).len();
        if by_alpha > 0 {
            self.doubtful |= self.lesion == Lesion::Any;
            let among = among(by_alpha, seen.len());
            self.say(format!("{among}lesion is {what} in a mask: its colour is the same wherever it can be seen"));
        }
    }

    /// `side`: `above`, or `not above`.
    fn tell_of_thresholds(&mut self, seen: &[Seen], side: &str) {
        let cut = |share: f32, of: &[&Seen]| {
            let full = of.iter().map(|seen| seen.full).fold(0.0, f32::max);
            format!("{side} {:.0} of {full:.0}", (share * full).floor())
        };
        let chosen = if self.lesion == Lesion::Inverted { ", as chosen" } else { "" };
        let lossy = self.of_way(Way::Lossy, seen);
        if !lossy.is_empty() {
            self.say(format!(
                "{}: JPEG blurs edges, so lesion is what is {}{chosen}",
                counted(lossy.len(), "mask is a JPEG", "masks are JPEGs"),
                cut(self.lossy, &lossy)
            ));
        }
        let graded = self.of_way(Way::Graded, seen);
        if let (Some(share), false) = (self.graded, graded.is_empty()) {
            let soft = graded.iter().filter(|seen| seen.between > 0 || seen.levels.len() > 2).count();
            let masks = counted(soft, "mask has", "masks have");
            self.say(format!("{masks} soft edges: lesion is what is {}{chosen}", cut(share, &graded)));
        }
        if self.joined && self.lesion == Lesion::Any {
            self.doubtful = true;
            self.say(
                "areas in the middle of the range may be classes, which are joined; choose lesion=value to take some",
            );
        }
        let coloured = lossy.iter().filter(|seen| seen.coloured).count();
        if coloured > 0 && self.lesion == Lesion::Any {
            self.doubtful = true;
            let masks = counted(coloured, "JPEG is", "JPEGs are");
            self.say(format!(
                "{masks} coloured: several colours may be several classes, which are joined; choose lesion=colour to take one"
            ));
        }
    }

    /// For the data doctor: what was decided, where it is not the plain case of black and white.
    pub fn findings(&self, folder: &Path) -> Vec<Finding> {
        if self.lines.is_empty() || self.plain {
            return Vec::new();
        }
        let advice = if self.lesion == Lesion::Any {
            "look at an outline; `lesion` tells it otherwise (a value, a colour, alpha, inverted)"
        } else {
            "look at an outline, whether it is what you mean"
        };
        let nowhere = self.nowhere.iter().map(|nowhere| Finding {
            severity: Severity::Error,
            check: Check::MaskValues,
            file: folder.to_owned(),
            other: None,
            problem: nowhere.problem.clone(),
            advice: format!("choose what is there with `{}`", nowhere.key),
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

/// How lesion and background are told apart in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Alpha,
    Lossy,
    Graded,
    /// Zero, or not.
    Exact,
}

/// The numbers that files hold.
struct Numbers {
    values: BTreeSet<u16>,
    palettes: bool,
    one_bit: bool,
    fractions: bool,
}

impl Numbers {
    fn of(seen: &[&Seen]) -> Self {
        let values = |one_bit: bool| -> BTreeSet<u16> {
            let of = seen.iter().filter(|seen| seen.one_bit == one_bit);
            of.flat_map(|seen| seen.values.iter().copied()).collect()
        };
        let (mut all, white) = (values(false), values(true));
        // White of one bit and white of eight are one.
        let one_bit = !white.is_empty() && !all.iter().eq([&255]);
        if one_bit {
            all.extend(white);
        }
        Self {
            values: all,
            palettes: seen.iter().any(|seen| seen.palette),
            one_bit,
            fractions: seen.iter().any(|seen| seen.fractions),
        }
    }

    fn is_empty(&self) -> bool {
        self.values.is_empty() && !self.fractions
    }

    /// There is one value that is not background, and it is white.
    fn are_white(&self) -> bool {
        let white = if self.one_bit { 1 } else { 255 };
        self.values.iter().eq([&white]) && !self.fractions && !self.palettes
    }

    /// In words.
    fn listed(&self) -> String {
        let mut listed = match self.values.len() {
            0 => "none but zero".to_owned(),
            1..=MOST_LISTED => joined(self.values.iter()),
            more => {
                format!("{more}, from {} to {}", self.values.first().unwrap_or(&0), self.values.last().unwrap_or(&0))
            }
        };
        if self.fractions {
            listed = if self.values.is_empty() { "fractions".to_owned() } else { listed + " and fractions" };
        }
        if self.palettes {
            listed += ", of a palette its numbers";
        }
        if self.one_bit {
            listed += ", 1 being the white of one bit";
        }
        listed
    }
}

/// Nothing where it is so in all of them.
fn among(count: usize, all: usize) -> String {
    if count == all { String::new() } else { format!("in {} ", counted(count, "mask", "masks")) }
}

fn joined<'a>(values: impl Iterator<Item = &'a u16>) -> String {
    values.map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn hex([r, g, b]: &[u8; 3]) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

fn hexes(colours: &BTreeSet<[u8; 3]>) -> String {
    let shown: Vec<String> = colours.iter().take(MOST_COLOURS).map(hex).collect();
    let more = if colours.len() > MOST_COLOURS { " and more" } else { "" };
    shown.join(", ") + more
}
