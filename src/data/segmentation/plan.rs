//! From what a folder holds to the parts that are trained, validated and tested on, with all that should be said of them.
//! The lab, the window and the command line ask here, so that they agree.

use std::path::Path;

use super::doctor::{self, Check, Exam, Finding, Severity, diagnose};
use super::given::{Fold, Given};
use super::groups::{GroupRule, Groups, groups};
use super::listing::{Listing, Pair};
use super::read::Rules;
use super::split::{Dealing, ImageFacts, Part, PartTable, Split, compare, deal, strata};
use super::{Problem, counted, grouping, sizes};

/// More folders than this are patients or cases, not classes.
const MOST_CLASSES: usize = 32;

/// What somebody has chosen about the split.
#[derive(Debug, Clone, PartialEq)]
pub struct SplitChoice {
    /// How images belong together, near-duplicates aside.
    pub rule: GroupRule,
    /// Of training, validation and test, where nothing is given.
    pub shares: [f64; 3],
    pub seed: u64,
    /// Parts that the data set names are taken as they are.
    pub as_given: bool,
    /// Folds of a cross-validation at random, see [`Dealing`]; below 2: none.
    pub folds: usize,
    /// Which of them is tested on, or which fold of several given ones, from 0.
    pub fold: usize,
}

impl Default for SplitChoice {
    fn default() -> Self {
        Self { rule: GroupRule::None, shares: [0.6, 0.2, 0.2], seed: 0, as_given: true, folds: 0, fold: 0 }
    }
}

impl SplitChoice {
    /// How parts are made at random, where none are given.
    pub fn dealing(&self) -> Dealing {
        Dealing { shares: self.shares, seed: self.seed, folds: self.folds, fold: self.fold }
    }

    /// Whether it can be used with this folder: else the parameter that is wrong, and why.
    pub fn check(&self, listing: &Listing) -> Result<(), (&'static str, String)> {
        self.rule.check().map_err(|problem| ("group_pattern", problem))?;
        self.dealing().check().map_err(|problem| ("fold", problem))?;
        match &listing.given {
            Some(given) if self.as_given && self.folds > 1 => Err((
                "folds",
                format!(
                    "the parts are given by {}: set `split` to random to make folds of all images, or `folds` to 0 to take them",
                    given.source
                ),
            )),
            Some(given) if self.as_given && self.fold >= given.folds.len() => {
                let count = counted(given.folds.len(), "fold", "folds");
                let problem = match given.folds.len() {
                    1 => format!("the parts by {} are one fold; choose 0", given.source),
                    more => format!("the parts by {} are of {count}; choose one from 0 to {}", given.source, more - 1),
                };
                Err(("fold", problem))
            }
            _ => Ok(()),
        }
    }

    /// Whether a run may be split so. A file that should have given the parts and cannot be used is not passed over: a split
    /// at random would train on its test images. Else the parameter that is wrong, and why.
    pub fn check_files(&self, listing: &Listing) -> Result<(), (&'static str, String)> {
        match listing.unusable_splits.first().filter(|_| self.as_given && listing.given.is_none()) {
            Some(Problem { path, problem }) => {
                let file = path.strip_prefix(&listing.root).unwrap_or(path).display();
                let problem = format!(
                    "`{file}` should name the parts and cannot be used: {problem}; mend it, or set `split` to random"
                );
                Err(("split", problem))
            }
            None => Ok(()),
        }
    }
}

/// What was looked at: a listing, and what reading its pairs has shown.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    pub listing: &'a Listing,
    /// By number of the pair; `None`: not read.
    pub exams: &'a [Option<Exam>],
    /// How the images and masks were read.
    pub rules: &'a Rules,
    /// Problems of reading.
    pub unread: &'a [Problem],
    /// Numbers of pairs, see [`doctor::duplicates`].
    pub duplicates: &'a [(usize, usize)],
}

/// The parts, and what there is to say.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SplitPlan {
    /// Numbers of the listing's pairs; what could not be read is in no part.
    pub split: Split,
    /// By number of the pair: its group, whose images are never in two parts that are made here; `usize::MAX` of one that could not
    /// be read.
    pub groups: Vec<usize>,
    /// Groups, and how the split was made: one statement a line.
    pub lines: Vec<String>,
    /// Where the parts are named, in words, if they are as given.
    pub given: Option<String>,
    pub table: PartTable,
    /// All that the doctor has found, worst first.
    pub findings: Vec<Finding>,
}

/// Splits what could be read. What [`SplitChoice::check`] refuses is left out of account.
pub fn plan(seen: Seen<'_>, choice: &SplitChoice) -> SplitPlan {
    let Seen { listing, exams, rules, unread, duplicates } = seen;
    let rule = if choice.rule.check().is_ok() { &choice.rule } else { &GroupRule::None };
    let readable: Vec<usize> = (0..exams.len()).filter(|&pair| exams[pair].is_some()).collect();
    let as_given_is_meant = choice.as_given && choice.folds < 2;
    let given = listing.given.as_ref().filter(|given| as_given_is_meant && choice.fold < given.folds.len());
    let all = grouped(listing, exams, &readable, rule, duplicates);
    let facts = facts(listing, exams);
    let mut lines = sizes::lines(listing, exams);
    lines.push(all.description.clone());
    let split = match given {
        Some(given) => as_given(given, &readable, &facts, &all, choice, &mut lines),
        None => {
            let by =
                if classes(listing) && listing.classes().len() > 1 { "class and lesion size" } else { "lesion size" };
            let split = random(&readable, &facts, &all, &choice.dealing());
            let wanted = |part: Part, share: f64| share > 0.0 || (part == Part::Test && choice.folds > 1);
            let filled =
                Part::ALL.iter().zip(choice.shares).all(|(&part, s)| !wanted(part, s) || !split.pairs(part).is_empty());
            let how = match counted(all.count, "group", "groups") {
                _ if filled => format!("alike in {by}"),
                groups => format!("{groups} cannot fill every part"),
            };
            if choice.folds > 1 {
                lines.push(format!(
                    "cross-validation: fold {} of {} (0 to {}) is tested on, the others are trained and validated on",
                    choice.fold,
                    choice.folds,
                    choice.folds - 1
                ));
            }
            lines.push(format!("split at random by whole groups (seed {}), {how}", choice.seed));
            if let Some(given) = &listing.given {
                lines.push(format!("the parts that are given by {} are not used", given.source));
            }
            split
        }
    };
    // Only pairs that were read have a group.
    let mut of = vec![usize::MAX; exams.len()];
    readable.iter().zip(&all.of).for_each(|(&pair, &group)| of[pair] = group);
    let table = compare(&facts, &of, &split);
    let mut findings = diagnose(listing, exams, unread, duplicates, Some(&split));
    if let Some(given) = given {
        findings.extend(across(listing, rule, &split));
        let file = given.file.as_deref().unwrap_or(&listing.root);
        let advice = "look at the names, or set `split` to random";
        let problems = given.folds[choice.fold].problems.iter();
        findings.extend(
            problems.map(|(severity, text)| doctor::finding(*severity, Check::GivenParts, file, text.clone(), advice)),
        );
    }
    findings.extend(rules.findings(&listing.root));
    findings.extend(without_parts(listing, choice, given, &split));
    let doubts = grouping::doubts(listing, rule);
    // A rule that keeps nothing together does not answer the question.
    if *rule == GroupRule::None || doubts.iter().any(|doubt| doubt.severity == Severity::Error) {
        findings.extend(maybe_patients(listing));
    }
    findings.extend(doubts);
    let advice = match given {
        Some(_) => "the parts are as they were given; keep it in mind when you compare their scores",
        None => "try another seed of the data, or other groups: whole classes in one group cannot be spread",
    };
    let warnings = table.warnings().into_iter();
    findings.extend(
        warnings.map(|text| doctor::finding(Severity::Warning, Check::UnlikeParts, &listing.root, text, advice)),
    );
    doctor::sort(&mut findings);
    SplitPlan { split, groups: of, lines, given: given.map(|given| given.source.clone()), table, findings }
}

/// Files that should have given the parts, and parts without which there is no training.
fn without_parts(listing: &Listing, choice: &SplitChoice, given: Option<&Given>, split: &Split) -> Vec<Finding> {
    let error = |file: &Path, problem: String, advice| {
        doctor::finding(Severity::Error, Check::GivenParts, file, problem, advice)
    };
    let mut list = Vec::new();
    if choice.as_given && given.is_none() {
        let advice = "no run begins before the file is mended, or `split` set to random: the parts above are at random";
        let told = |file: &Problem| error(&file.path, format!("is not used: {}", file.problem), advice);
        list.extend(listing.unusable_splits.iter().map(told));
    }
    if listing.pairs.is_empty() {
        let advice = "put masks beside the images, named as they are with `_mask` added, or into a folder `masks`";
        list.push(error(&listing.root, "no image has a mask".to_owned(), advice));
        return list;
    }
    let file = given.and_then(|given| given.file.as_deref()).unwrap_or(&listing.root);
    for (images, part) in [(&split.train, Part::Train), (&split.validation, Part::Validation)] {
        if images.is_empty() {
            let by = given.map_or_else(String::new, |given| format!(" by {}", given.source));
            let advice = match given {
                Some(_) => {
                    "a run needs images to train on and to validate on: name other parts, or set `split` to random"
                }
                None => "a run needs images to train on and to validate on: more images, other groups or shares",
            };
            list.push(error(file, format!("no image is left for {}{by}", part.label()), advice));
        }
    }
    if given.is_none() && (choice.shares[2] > 0.0 || choice.folds > 1) && split.test.is_empty() {
        let advice = "there are too few groups for three parts: more images, or other groups";
        let problem = "no image is left for the test".to_owned();
        list.push(doctor::finding(Severity::Warning, Check::GivenParts, &listing.root, problem, advice));
    }
    list
}

/// What a split looks at, by number of the pair.
fn facts(listing: &Listing, exams: &[Option<Exam>]) -> Vec<ImageFacts> {
    let classes = classes(listing);
    let of = |(pair, exam): (&Pair, &Option<Exam>)| ImageFacts {
        class: pair.class.clone().filter(|_| classes),
        share: exam.as_ref().map_or(0.0, |exam| exam.own_share),
    };
    listing.pairs.iter().zip(exams).map(of).collect()
}

/// Whether the folder's classes are few and have several images: a folder for every patient is no class.
pub fn classes(listing: &Listing) -> bool {
    let classes = listing.classes().len();
    (1..=MOST_CLASSES).contains(&classes) && 2 * classes <= listing.pairs.len()
}

/// Groups of these pairs, by their place in `readable`.
fn grouped(
    listing: &Listing,
    exams: &[Option<Exam>],
    readable: &[usize],
    rule: &GroupRule,
    duplicates: &[(usize, usize)],
) -> Groups {
    let place = |pair: usize| readable.binary_search(&pair).ok();
    let usable: Vec<Pair> = readable.iter().map(|&pair| listing.pairs[pair].clone()).collect();
    let similar: Vec<(usize, usize)> = duplicates.iter().filter_map(|&(a, b)| Some((place(a)?, place(b)?))).collect();
    let patients: Vec<Option<&str>> =
        readable.iter().map(|&pair| exams.get(pair)?.as_ref()?.patient.as_deref()).collect();
    groups(&usable, rule, &similar, &patients)
}

/// `groups`: of the pairs `readable`.
fn random(readable: &[usize], facts: &[ImageFacts], groups: &Groups, dealing: &Dealing) -> Split {
    let facts: Vec<ImageFacts> = readable.iter().map(|&pair| facts[pair].clone()).collect();
    let split = deal(groups, &strata(&facts, groups), dealing);
    let listed = |part| split.pairs(part).iter().map(|&at| readable[at]).collect();
    Split { train: listed(Part::Train), validation: listed(Part::Validation), test: listed(Part::Test) }
}

/// The parts as they are named. Where none is named for the validation, it comes out of training by the same rule.
fn as_given(
    given: &Given,
    readable: &[usize],
    facts: &[ImageFacts],
    all: &Groups,
    choice: &SplitChoice,
    lines: &mut Vec<String>,
) -> Split {
    let Fold { name, parts, .. } = &given.folds[choice.fold];
    let of =
        |part: Part| -> Vec<usize> { readable.iter().copied().filter(|&pair| parts[pair] == Some(part)).collect() };
    let named = |part: Part| parts.contains(&Some(part));
    let fold = match given.folds.len() {
        1 => String::new(),
        folds => {
            let there = name.as_ref().map_or_else(String::new, |name| format!(", there called `{name}`"));
            format!(", fold {} of {folds} (0 to {}){there}", choice.fold, folds - 1)
        }
    };
    lines.push(format!("split as given by {}{fold}", given.source));
    let mut split = Split { train: of(Part::Train), validation: of(Part::Validation), test: of(Part::Test) };
    if split.validation.is_empty() {
        // Groups keep together within training; whatever of them lies in the test stays there.
        let of: Vec<usize> =
            split.train.iter().filter_map(|pair| Some(all.of[readable.binary_search(pair).ok()?])).collect();
        let groups = Groups::renumbered(&of);
        let [train, validation, _] = choice.shares;
        let (seed, carved) = (choice.seed, split.train.clone());
        let dealing = Dealing { shares: [train, validation, 0.0], folds: 0, ..choice.dealing() };
        let made = random(&carved, facts, &groups, &dealing);
        (split.train, split.validation) = (made.train, made.validation);
        if !split.validation.is_empty() {
            lines.push(format!(
                "no validation is given: {} taken out of training, at random by whole groups (seed {seed})",
                counted(split.validation.len(), "image is", "images are")
            ));
        }
    }
    if split.test.is_empty() && !named(Part::Test) {
        lines.push("no test is given, and none is made".to_owned());
    }
    for part in Part::ALL.into_iter().filter(|&part| named(part) && split.pairs(part).is_empty()) {
        lines.push(format!("no image that is given for {} can be read", part.label()));
    }
    split
}

/// Names such as `p07_2`: what stands before the last number may be a patient, of whom there are several images.
fn maybe_patients(listing: &Listing) -> Option<Finding> {
    let mut images: std::collections::BTreeMap<(char, &str), usize> = std::collections::BTreeMap::new();
    let mut fitting = 0;
    for pair in &listing.pairs {
        let stem = pair.name.rsplit('/').next().unwrap_or(&pair.name);
        let Some((at, sign)) = stem.char_indices().rfind(|(_, c)| matches!(c, '_' | '-')) else { continue };
        let (head, tail) = (&stem[..at], &stem[at + 1..]);
        let numbered = |text: &str| text.bytes().any(|b| b.is_ascii_digit());
        if numbered(head) && !tail.is_empty() && tail.len() <= 4 && tail.bytes().all(|b| b.is_ascii_alphanumeric()) {
            *images.entry((sign, head)).or_default() += 1;
            fitting += 1;
        }
    }
    let several = images.values().filter(|&&count| count > 1).count();
    let (&(sign, head), _) = images.iter().find(|(_, count)| **count > 1)?;
    if 10 * fitting < 9 * listing.pairs.len() || images.len() < 2 || 2 * several < images.len() {
        return None;
    }
    let problem = format!(
        "the names begin with {} of which {several} have several images, such as `{head}`: if these are patients, images of \
         one are in several parts",
        counted(images.len(), "number or name,", "numbers or names,")
    );
    // The shortest head that fits is taken, and a sign within it would cut it.
    let pattern =
        if head.contains(sign) { "a pattern such as {group}_*".to_owned() } else { format!("{{group}}{sign}*") };
    let advice = format!("set group_by=pattern and group_pattern={pattern}");
    Some(doctor::finding(Severity::Warning, Check::MaybePatients, &listing.root, problem, &advice))
}

/// Groups that fixed parts tear.
fn across(listing: &Listing, rule: &GroupRule, split: &Split) -> Vec<Finding> {
    let mut first_of: std::collections::BTreeMap<String, (usize, Part)> = std::collections::BTreeMap::new();
    let mut torn: std::collections::BTreeMap<String, (usize, usize, Part, Part)> = std::collections::BTreeMap::new();
    for (i, pair) in listing.pairs.iter().enumerate() {
        let (Some(group), Some(part)) = (rule.group(&pair.name), split.part(i)) else { continue };
        let &mut (first, known) = first_of.entry(group.clone()).or_insert((i, part));
        if known != part {
            torn.entry(group).or_insert((first, i, known, part));
        }
    }
    let told = |(group, (first, second, one, other)): (String, (usize, usize, Part, Part))| {
        let image = |pair: usize| &listing.pairs[pair];
        let problem = format!(
            "group `{group}` is in {} ({}) and in {} ({})",
            one.label(),
            image(first).name,
            other.label(),
            image(second).name
        );
        let advice = "scores on images of a patient that was trained on are too good: set split=random with this grouping (parts \
             that are given come before groups), or move the images";
        Finding {
            other: Some(image(second).image.clone()),
            ..doctor::finding(Severity::Error, Check::GroupAcrossParts, &image(first).image, problem, advice)
        }
    };
    torn.into_iter().map(told).collect()
}
