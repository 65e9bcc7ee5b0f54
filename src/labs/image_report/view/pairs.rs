//! What a run says of the pairs on screen, read from its payloads. What is not whole or of another kind is left out.

use std::collections::HashSet;
use std::sync::Arc;

use crate::engine::event::Payload;
use crate::kit::series;
use crate::kit::view::ViewCtx;
use crate::text::perturb::Perturbation;
use crate::text::tags::Tag;

/// A word of a report.
#[derive(Debug, Clone, PartialEq)]
pub struct Word {
    pub text: String,
    pub class: Tag,
    /// Where the finding that it names lies: `[x0, y0, x1, y1]` in shares of the image; `None` where it is not known.
    pub place: Option<[f32; 4]>,
}

/// A test pair on screen.
#[derive(Debug, Clone, PartialEq)]
pub struct Pair {
    pub name: String,
    pub study: String,
    pub words: Vec<Word>,
}

/// A report or one of its perturbations.
#[derive(Debug, Clone, PartialEq)]
pub struct Text {
    /// `report`, or the perturbation's name in files.
    pub id: String,
    /// It changes nothing, and counts for nothing.
    pub degenerate: bool,
    pub words: Vec<String>,
    /// Where each word stood in the report.
    pub from: Vec<usize>,
    /// Cosines with the image, another image, and the mean image.
    pub cosines: [f32; 3],
}

/// What became of a word of a perturbation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The report has the same word at this place.
    Stands,
    /// It stood so many words away.
    Moved(usize),
    /// An antonym took its place, and the two cannot both be true of an image.
    Contradicts,
    /// An antonym took its place that nobody would write.
    Odd,
}

/// The report (first) and its perturbations in the order of Table I, as they were ranked at one step.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranked {
    pub step: u64,
    pub texts: Vec<Text>,
}

/// Scores of every word (rows) and every region (columns, row by row from the top left).
#[derive(Debug, Clone)]
pub struct Scores {
    pub step: u64,
    pub words: usize,
    /// Regions of a side.
    pub side: usize,
    payload: Arc<Payload>,
}

/// Goes on by so many pairs, round.
pub fn step(selected: &mut usize, by: isize, count: usize) {
    *selected = (*selected as isize + by).rem_euclid(count.max(1) as isize) as usize;
}

/// How many pairs are on screen.
pub fn count(ctx: &ViewCtx<'_>) -> usize {
    (0..).take_while(|k| ctx.run.payloads.contains_key(&*format!("pair/words/{k}"))).count()
}

/// The pair of this number.
pub fn pair(ctx: &ViewCtx<'_>, k: usize) -> Option<Pair> {
    read_pair(&series::text(ctx, &format!("pair/words/{k}"))?)
}

fn read_pair(text: &str) -> Option<Pair> {
    let mut lines = text.lines();
    let (name, study) = lines.next()?.split_once('\t')?;
    let words = lines.map(|line| {
        let mut cells = line.split('\t');
        let text = cells.next()?.to_owned();
        let class = class_of(cells.next()?)?;
        Some(Word { text, class, place: read_box(cells.next().unwrap_or("-")) })
    });
    let words = words.collect::<Option<Vec<Word>>>()?;
    (!words.is_empty()).then(|| Pair { name: name.to_owned(), study: study.to_owned(), words })
}

fn read_box(text: &str) -> Option<[f32; 4]> {
    let corners: Vec<f32> = text.split(',').map(|corner| corner.parse().ok()).collect::<Option<_>>()?;
    let [x0, y0, x1, y1]: [f32; 4] = corners.try_into().ok()?;
    (0.0 <= x0 && x0 < x1 && x1 <= 1.0 && 0.0 <= y0 && y0 < y1 && y1 <= 1.0).then_some([x0, y0, x1, y1])
}

/// The class with this letter.
fn class_of(letter: &str) -> Option<Tag> {
    Tag::ALL.into_iter().find(|tag| letter.eq_ignore_ascii_case(tag.letter().encode_utf8(&mut [0; 4])))
}

/// The name of a class within a sentence.
pub fn class_name(class: Tag) -> String {
    class.title().to_lowercase()
}

/// How a report and its perturbations were ranked; the keys have this prefix.
pub fn ranked(ctx: &ViewCtx<'_>, prefix: &str, k: usize) -> Option<Ranked> {
    let (step, payload) = ctx.payload(&format!("{prefix}ranking/scores/{k}"))?;
    let Payload::Matrix { cols: 3, values, .. } = &*payload else { return None };
    // A twin tells its texts only where they become others than the run's.
    let text = |prefix: &str| series::text(ctx, &format!("{prefix}ranking/texts/{k}"));
    let texts = read_texts(&text(prefix).or_else(|| text(""))?, values)?;
    Some(Ranked { step, texts })
}

fn read_texts(text: &str, cosines: &[f32]) -> Option<Vec<Text>> {
    let rows = cosines.chunks_exact(3);
    let texts: Vec<Text> = text
        .lines()
        .zip(rows)
        .map(|(line, row)| {
            let mut cells = line.split('\t');
            let (id, degenerate) = (cells.next()?.to_owned(), cells.next()? == "1");
            let words: Vec<String> = cells.next()?.split(' ').map(str::to_owned).collect();
            let from: Vec<usize> = cells.next()?.split(',').map(|at| at.parse().ok()).collect::<Option<_>>()?;
            let cosines = <[f32; 3]>::try_from(row).ok()?;
            let whole = words.len() == from.len() && from.iter().all(|at| *at < words.len());
            whole.then_some(Text { id, degenerate, words, from, cosines })
        })
        .collect::<Option<_>>()?;
    let same = |first: &Text| texts.iter().all(|text| text.words.len() == first.words.len());
    let whole = texts.len() == text.lines().count() && texts.first().is_some_and(same);
    whole.then_some(texts)
}

impl Ranked {
    /// Places in `texts` by cosine with the image, the largest first. Of equals, perturbations stand before the report,
    /// since ties count against it, and those that change nothing behind it.
    pub fn by_cosine(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.texts.len()).collect();
        let place = |i: usize| match i {
            0 => 1,
            i if self.texts[i].degenerate => 2,
            _ => 0,
        };
        order.sort_by(|a, b| self.cosine(*b).total_cmp(&self.cosine(*a)).then(place(*a).cmp(&place(*b))));
        order
    }

    /// The cosine with the image; what is not a number stands behind all others.
    fn cosine(&self, i: usize) -> f32 {
        let cosine = self.texts[i].cosines[0];
        if cosine.is_nan() { f32::NEG_INFINITY } else { cosine }
    }

    /// The report's place among so many; ties count against it, and perturbations that change nothing do not count.
    /// `None` where its cosine is not a number.
    pub fn rank(&self) -> Option<(usize, usize)> {
        let own = self.texts.first()?.cosines[0];
        let rivals = || self.texts.iter().skip(1).filter(|text| !text.degenerate);
        let above = rivals().filter(|text| text.cosines[0] >= own).count();
        (!own.is_nan()).then(|| (above + 1, rivals().count() + 1))
    }

    /// The rank in words.
    pub fn rank_in_words(&self) -> String {
        let nothing = self.texts.iter().filter(|text| text.degenerate).count();
        let nothing = match nothing {
            0 => String::new(),
            1 => " (1 changes nothing)".to_owned(),
            more => format!(" ({more} change nothing)"),
        };
        match self.rank() {
            Some((rank, of)) => format!("rank {rank} of {of}{nothing}"),
            None => "no rank: the cosine is not a number".to_owned(),
        }
    }

    /// What became of each word of a text; `contradicts`: whether two words cannot both be true.
    pub fn changes(&self, i: usize, contradicts: impl Fn(&str, &str) -> bool) -> Vec<Change> {
        let (Some(report), Some(text)) = (self.texts.first(), self.texts.get(i)) else { return Vec::new() };
        let change = |at: usize| {
            let (word, from) = (&text.words[at], text.from[at]);
            if report.words.get(at) == Some(word) {
                return Change::Stands;
            }
            match report.words.get(from) {
                Some(stood) if stood == word => Change::Moved(from.abs_diff(at)),
                Some(stood) if contradicts(stood, word) => Change::Contradicts,
                _ => Change::Odd,
            }
        };
        (0..text.words.len()).map(change).collect()
    }
}

/// What a text is called in Table I.
pub fn text_name(id: &str) -> &str {
    match Perturbation::ALL.into_iter().find(|known| known.id() == id) {
        Some(known) => known.title(),
        None if id == "report" => "Report",
        None => id,
    }
}

/// The same where there is little room.
pub fn short_name(id: &str) -> &str {
    match id {
        "report" => "report",
        "shuffle_all" => "all words",
        "swap_adjacent" => "swap adjacent",
        "reverse" => "reverse",
        "within_trigrams" => "within trigrams",
        "trigrams" => "trigrams",
        "nouns_adj" => "nouns, adj.",
        "all_but_nouns_adj" => "not nouns, adj.",
        "nouns_verbs_adj" => "noun, verb, adj.",
        "antonym" => "antonyms",
        other => other,
    }
}

/// Scores of a pair: `attention/raw` or `attention/weights` behind the prefix.
pub fn scores(ctx: &ViewCtx<'_>, prefix: &str, what: &str, k: usize) -> Option<Scores> {
    let (step, payload) = ctx.payload(&format!("{prefix}attention/{what}/{k}"))?;
    let Payload::Matrix { rows, cols, values } = &*payload else { return None };
    let (words, regions) = (*rows as usize, *cols as usize);
    let side = regions.isqrt();
    let whole = words > 0 && side > 0 && side * side == regions && words.checked_mul(regions) == Some(values.len());
    whole.then(|| Scores { step, words, side, payload: payload.clone() })
}

impl Scores {
    /// Number of regions.
    pub fn regions(&self) -> usize {
        self.side * self.side
    }

    /// All of them, word by word.
    pub fn all(&self) -> &[f32] {
        if let Payload::Matrix { values, .. } = &*self.payload { values } else { &[] }
    }

    /// Those of a word, region by region; none of a word that has no scores.
    pub fn of_word(&self, word: usize) -> &[f32] {
        let start = word.saturating_mul(self.regions());
        self.all().get(start..start.saturating_add(self.regions())).unwrap_or_default()
    }
}

/// How much of values over regions lies within a box: each region counts by the share of it that is covered.
pub fn within(values: &[f32], side: usize, [x0, y0, x1, y1]: [f32; 4]) -> f32 {
    let covered = |k: usize, low: f32, high: f32| {
        let (low, high) = (low * side as f32, high * side as f32);
        (high.min(k as f32 + 1.0) - low.max(k as f32)).max(0.0)
    };
    let share = |i: usize| covered(i % side.max(1), x0, x1) * covered(i / side.max(1), y0, y1);
    values.iter().enumerate().map(|(i, value)| value * share(i)).sum()
}

/// The least and the largest of values that are numbers.
pub fn range(values: &[f32]) -> Option<[f32; 2]> {
    let finite = || values.iter().copied().filter(|value| value.is_finite());
    Some([finite().reduce(f32::min)?, finite().reduce(f32::max)?])
}

/// The parameter `tags` with another class for a word, or (`None`) with what the tagger says. Other entries stay.
pub fn with_class(tags: &str, word: &str, class: Option<Tag>) -> String {
    let is_other = |entry: &&str| {
        let known = entry.split('=').next().unwrap_or_default().trim();
        !entry.trim().is_empty() && !known.eq_ignore_ascii_case(word)
    };
    let mut entries: Vec<String> = tags.split(';').filter(is_other).map(|entry| entry.trim().to_owned()).collect();
    entries.extend(class.map(|class| format!("{word}={}", class.id())));
    entries.join(";")
}

/// Words that have a class by hand.
pub fn by_hand(tags: &str) -> HashSet<String> {
    tags.split(';').filter_map(|entry| Some(entry.split_once('=')?.0.trim().to_lowercase())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXTS: &str = "report\t0\tno left opacity seen\t0,1,2,3\n\
                         reverse\t0\tseen opacity left no\t3,2,1,0\n\
                         nouns_adj\t1\tno left opacity seen\t0,1,2,3\n\
                         antonym\t0\tno right opacity seen\t0,1,2,3";

    fn ranked(first: [f32; 4]) -> Ranked {
        let cosines: Vec<f32> = first.iter().flat_map(|cosine| [*cosine, 0.1, 0.2]).collect();
        Ranked { step: 0, texts: read_texts(TEXTS, &cosines).unwrap() }
    }

    #[test]
    fn ties_count_against_the_report_and_what_changes_nothing_does_not_count() {
        let tie = ranked([0.5, 0.5, 0.5, 0.4]);
        assert_eq!((tie.rank(), tie.by_cosine()), (Some((2, 3)), vec![1, 0, 2, 3]));
        assert_eq!(tie.rank_in_words(), "rank 2 of 3 (1 changes nothing)");
        assert_eq!(ranked([0.5, 0.4, 0.9, 0.4]).rank(), Some((1, 3)));
        let none = ranked([f32::NAN, 0.1, 0.2, f32::NAN]);
        assert_eq!((none.rank(), none.by_cosine()), (None, vec![2, 1, 3, 0]));
    }

    #[test]
    fn words_are_moved_replaced_or_stand_where_they_stood() {
        let ranked = ranked([0.5; 4]);
        let contradicts = |a: &str, b: &str| (a, b) == ("left", "right");
        assert_eq!(ranked.changes(1, contradicts), [3, 1, 1, 3].map(Change::Moved));
        assert_eq!(ranked.changes(2, contradicts), [Change::Stands; 4]);
        assert_eq!(ranked.changes(3, contradicts)[1], Change::Contradicts);
        assert_eq!(ranked.changes(3, |_, _| false)[1], Change::Odd);
        assert_eq!(ranked.changes(9, contradicts), []);
    }

    #[test]
    fn what_is_not_whole_is_left_out() {
        assert_eq!(read_texts(TEXTS, &[0.0; 9]), None, "a line without cosines");
        for broken in
            ["", "report\t0\ta b\t0", "report\t0\ta b\t0,2", "report\t0\ta b\t0,x", "report\t0\ta\t0\nx\t0\ta b\t0,1"]
        {
            assert_eq!(read_texts(broken, &[0.0; 6]), None, "{broken}");
        }
        let pair = read_pair("p1\ts1\nleft\ta\t-\nopacity\tn\t0.1,0.2,0.4,0.5").unwrap();
        assert_eq!(pair.words[1].place, Some([0.1, 0.2, 0.4, 0.5]));
        assert_eq!((pair.words[0].class, pair.words[0].place), (Tag::Adjective, None));
        for broken in ["", "p1", "p1\ts1", "p1\ts1\nleft", "p1\ts1\nleft\tx\t-"] {
            assert_eq!(read_pair(broken), None, "{broken}");
        }
        for broken in ["0.5,0.2,0.4,0.5", "0,0,1", "0,0,1,nan", "0,0,2,1", "a,b,c,d"] {
            assert_eq!(read_box(broken), None, "{broken}");
        }
    }

    #[test]
    fn regions_count_by_what_the_box_covers_of_them() {
        let even = [0.25; 4];
        assert!((within(&even, 2, [0.0, 0.0, 1.0, 1.0]) - 1.0).abs() < 1e-6);
        assert!((within(&even, 2, [0.25, 0.0, 0.75, 0.5]) - 0.25).abs() < 1e-6);
        assert!((within(&[1.0, 0.0, 0.0, 0.0], 2, [0.25, 0.25, 1.0, 1.0]) - 0.25).abs() < 1e-6);
    }

    #[test]
    fn a_class_by_hand_leaves_the_others_as_they_were() {
        assert_eq!(with_class("", "left", Some(Tag::Noun)), "left=noun");
        assert_eq!(with_class("Left=verb; mid=adj;", "left", Some(Tag::Adjective)), "mid=adj;left=adj");
        assert_eq!(with_class("left=verb;mid=adj", "left", None), "mid=adj");
        assert_eq!(by_hand("Left=verb;mid"), HashSet::from(["left".to_owned()]));
    }
}
