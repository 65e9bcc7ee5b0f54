//! A comparison in words and numbers, for the command line.

use std::path::PathBuf;

use serde_json::{Value as Json, json};

use super::super::scores::Measure;
use super::{Comparison, Line, Results, check_units, compare};
use crate::compute::stats::INTERVALS;
use crate::data::segmentation::counted;
use crate::data::segmentation::split::Part;
use crate::engine::event::Payload;
use crate::engine::export::number;
use crate::kit::compare::{CompareReport, CompareSpec, Fields, Question};
use crate::kit::predict::first_payload;
use crate::plot::number::short;

/// The lab's functions for the command line.
pub static COMPARE: CompareSpec = CompareSpec {
    parts: &["test", "validation"],
    measures: || Measure::ALL.map(Measure::key).to_vec(),
    compare: report,
    pictures: PICTURES,
    in_common,
    beside,
};

/// The tile that shows pictures of several runs beside each other, and the field of the view that names the others.
pub const PICTURES: &str = "methods";
pub const OTHERS: &str = "others";
/// Runs that stand beside one.
pub const MOST_OTHERS: usize = 6;

/// What p-values of two runs are about.
pub const CAUTION: &str = "p-values are of these two trained networks on these images; what another seed would have made of \
                           either method is not in them";

/// What the tests are.
pub const TESTS: &str = "Wilcoxon: signed-rank test of the images, two-sided, zeros left out; exact for 25 or fewer differing images \
                         without ties, else normal with tie correction. Sign flip: permutation test of the mean difference, whole \
                         groups flipped";

fn in_common(runs: &[PathBuf]) -> Result<Vec<String>, String> {
    if runs.len() > MOST_OTHERS + 1 {
        return Err(format!(
            "{} runs are too many for a picture: at most {} stand side by side",
            runs.len(),
            MOST_OTHERS + 1
        ));
    }
    let names = |run: &PathBuf| match first_payload(run, "wall/names")?.as_deref() {
        Some(Payload::Text(names)) => Ok(names.lines().map(str::to_owned).collect::<Vec<_>>()),
        _ => Err(format!("`{}` has recorded no images on its wall", run.display())),
    };
    let mut common: Option<Vec<String>> = None;
    for run in runs {
        let own = names(run)?;
        common = Some(match common {
            None => own,
            Some(known) => known.into_iter().filter(|name| own.contains(name)).collect(),
        });
    }
    common.filter(|names| !names.is_empty()).ok_or_else(|| {
        "no validation image is on the walls of all these runs: they have other images, or other parts of them"
            .to_owned()
    })
}

fn beside(others: &[PathBuf], images: &[String]) -> Fields {
    let folders: Vec<String> = others.iter().map(|folder| folder.display().to_string()).collect();
    let mut fields = vec![(OTHERS.to_owned(), folders.join("\n"))];
    if !images.is_empty() {
        fields.push((format!("{PICTURES}.images"), images.join("\n")));
    }
    fields
}

fn report(question: &Question<'_>) -> Result<CompareReport, String> {
    let part = Part::ALL.into_iter().find(|part| part.name() == question.part && *part != Part::Train);
    let part = part.ok_or_else(|| format!("there is no part `{}`; there are test and validation", question.part))?;
    let measure = Measure::ALL.into_iter().find(|measure| measure.key() == question.measure);
    let measure = measure.ok_or_else(|| format!("`{}` is no measure of this lab", question.measure))?;
    let [(first, _), (second, _)] = [Results::of_folder(question.runs[0])?, Results::of_folder(question.runs[1])?];
    for (results, folder) in [(&first, question.runs[0]), (&second, question.runs[1])] {
        if results.rows(part).is_empty() {
            let why = match part {
                Part::Test => "the test is made at the end of a run, and needs test images",
                _ => "it ended before its first validation",
            };
            return Err(format!("`{}` has no results of single {} images: {why}", folder.display(), part.label()));
        }
    }
    check_units(&first, &second, measure)?;
    let found = compare(&first, &second, part, measure);
    if found.pairs.is_empty() {
        let left_out = found.left_out();
        return Err(format!("the two runs have no {} image in common ({left_out})", part.label()));
    }
    Ok(told(&first, &second, part, measure, &found))
}

fn told(first: &Results, second: &Results, part: Part, measure: Measure, found: &Comparison) -> CompareReport {
    let groups = found.lines[0].first.groups;
    let unit = if measure.rises() { String::new() } else { format!(" in {}", first.unit.word()) };
    let about = vec![
        format!("A: {}", first.name),
        format!("B: {}", second.name),
        format!(
            "{}{unit} of {} that both have judged, in {}",
            measure.column(),
            counted(
                found.lines[0].first.count,
                &format!("{} image", part.label()),
                &format!("{} images", part.label())
            ),
            counted(groups, "independent group", "independent groups")
        ),
        INTERVALS.to_owned(),
        TESTS.to_owned(),
        CAUTION.to_owned(),
    ];
    let table = (HEADS.map(str::to_owned).to_vec(), found.lines.iter().map(cells).collect());
    let sample = |pair: &super::Pair| {
        let value = |value: Option<f64>| value.map_or(json!(""), number);
        let [a, b] = pair.values.map(value);
        vec![json!(pair.image), json!(pair.class), json!(pair.group), a, b, value(pair.difference())]
    };
    let columns = ["image", "class", "group", "a", "b", "difference"].map(str::to_owned).to_vec();
    CompareReport {
        about,
        warnings: warnings(first, second, found),
        table,
        samples: (columns, found.pairs.iter().map(sample).collect()),
        results: found.lines.iter().map(|line| json(line, measure)).collect(),
    }
}

/// What the user should know before believing a comparison.
pub fn warnings(first: &Results, second: &Results, found: &Comparison) -> Vec<String> {
    let mut list = Vec::new();
    let left_out = found.left_out();
    if !left_out.is_empty() {
        list.push(format!("the parts of the two runs differ; left out: {left_out}"));
    }
    if found.by_name {
        list.push("an older recording does not say what its images hold: they are matched by their names".to_owned());
    }
    if first.convention != second.convention && !first.convention.is_empty() && !second.convention.is_empty() {
        list.push(format!("they are measured differently: A: {}; B: {}", first.convention, second.convention));
    }
    let groups = found.lines.first().map_or(0, |all| all.first.groups);
    if groups < 10 {
        list.push(format!(
            "{} are few: intervals are too narrow",
            counted(groups, "independent group", "independent groups")
        ));
    }
    list
}

/// Headings of [`cells`].
pub const HEADS: [&str; 8] =
    ["class", "images", "undefined", "A [95 %]", "B [95 %]", "B − A [95 %]", "Wilcoxon p", "sign flip p"];

/// A p-value in words.
pub fn p_value(p: f64) -> String {
    if p < 0.001 { "< 0.001".to_owned() } else { format!("{p:.3}") }
}

/// A line in words.
pub fn cells(line: &Line) -> Vec<String> {
    let difference = line.paired.map_or_else(String::new, |paired| {
        let interval = paired.interval.map_or_else(String::new, |[a, b]| format!(" [{}, {}]", short(a), short(b)));
        short(paired.mean) + &interval
    });
    let wilcoxon = line.paired.and_then(|paired| paired.wilcoxon);
    let class = match line.class.as_deref() {
        None => "all",
        Some("") => "no class",
        Some(class) => class,
    };
    vec![
        class.to_owned(),
        line.first.count.to_string(),
        line.undefined.to_string(),
        line.first.text(short),
        line.second.text(short),
        difference,
        wilcoxon.map_or_else(|| "none differs".to_owned(), |test| p_value(test.p)),
        line.paired.map_or_else(String::new, |paired| p_value(paired.sign_flip)),
    ]
}

fn json(line: &Line, measure: Measure) -> Json {
    let wilcoxon = line.paired.and_then(|paired| paired.wilcoxon);
    json!({
        "class": line.class, "measure": measure.key(), "images": line.first.count, "groups": line.first.groups,
        "undefined": line.undefined, "a": line.first.mean, "a_interval_95": line.first.interval, "b": line.second.mean,
        "b_interval_95": line.second.interval, "difference": line.paired.map(|paired| paired.mean),
        "difference_interval_95": line.paired.and_then(|paired| paired.interval),
        "wilcoxon_statistic": wilcoxon.map(|test| test.statistic), "wilcoxon_p": wilcoxon.map(|test| test.p),
        "wilcoxon_exact": wilcoxon.map(|test| test.exact), "sign_flip_p": line.paired.map(|paired| paired.sign_flip),
    })
}
