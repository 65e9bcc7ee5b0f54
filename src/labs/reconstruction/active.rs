//! Active learning in a run: which pictures train with which labels, which of the others are asked for, and what a person
//! answered.

use std::collections::{BTreeMap, HashMap, HashSet};

use burn::tensor::{Device, Tensor, TensorData, activation};
use serde::{Deserialize, Serialize};

use crate::compute::readback::Reader;
use crate::compute::streams;
use crate::engine::experiment::RunError;
use crate::engine::params::ParamError;
use crate::engine::state::RunState;
use crate::nn::layers::conv::Pass;
use crate::nn::reconstruction::Autoencoder;

use super::judge::judge;
use super::params::GIVEN;
use super::query::{Query, k_centre, largest, scores};
use super::source::FundusData;
use super::trainer::GRADES;

/// Passes with dropout of BALD.
const PASSES: u64 = 10;

/// What active learning carries from step to step. Pictures are indices into [`FundusData::pictures`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Active {
    /// Answered by the oracle, in the order of answers.
    pub answered: Vec<usize>,
    /// Asked for in the newest round, by hand.
    pub waiting: Vec<usize>,
    /// Rounds so far.
    pub rounds: u64,
    /// It was said that there is nothing left to ask for.
    pub empty_told: bool,
}

/// Which pictures train with a label, and which of the others there are.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Labels {
    /// With a label, each once: those of the beginning, then those of the oracle, then those given by hand.
    pub labelled: Vec<usize>,
    /// Without one, to be rebuilt.
    pub unlabelled: Vec<usize>,
    /// What may be asked for: the same, and pictures whose label is hidden.
    pub pool: Vec<usize>,
    /// Grades that were given by hand; they count before those of the data.
    given: BTreeMap<usize, u8>,
}

impl Labels {
    /// `first`: the labelled pictures of the beginning. `given`: pictures with the grades that a person gave them.
    pub fn of(data: &FundusData, first: &[usize], answered: &[usize], given: &[(usize, u8)]) -> Self {
        let mut known = HashSet::new();
        let all = first.iter().chain(answered).copied().chain(given.iter().map(|(i, _)| *i));
        let labelled: Vec<usize> = all.filter(|i| known.insert(*i)).collect();
        let without = |of: &[usize]| of.iter().copied().filter(|i| !known.contains(i)).collect::<Vec<usize>>();
        let unlabelled = without(&data.unlabelled);
        let pool = [unlabelled.clone(), without(&data.labelled)].concat();
        Self { labelled, unlabelled, pool, given: given.iter().copied().collect() }
    }

    /// The label that a picture trains with.
    pub fn grade(&self, data: &FundusData, i: usize) -> u8 {
        self.given.get(&i).copied().or(data.pictures[i].grade).unwrap_or(0)
    }
}

/// The parts of `NAME=GRADE;NAME=GRADE`; an empty text has none.
///
/// # Errors
/// What is not of this form, or a grade beyond 0 to 3, in words.
pub fn entries(text: &str) -> Result<Vec<(&str, u8)>, String> {
    text.split(';').map(str::trim).filter(|entry| !entry.is_empty()).map(entry).collect()
}

fn entry(entry: &str) -> Result<(&str, u8), String> {
    let form = || format!("`{entry}` is not of the form NAME=GRADE; entries are parted by semicolons");
    let (name, grade) = entry.rsplit_once('=').ok_or_else(form)?;
    let (name, grade) = (name.trim(), grade.trim());
    let known = grade.parse().ok().filter(|grade: &u8| usize::from(*grade) < GRADES);
    Ok((name, known.ok_or_else(|| format!("`{grade}` of {name} is not a grade, 0 to 3"))?))
}

/// The pictures that a person labelled, each once.
///
/// # Errors
/// What [`entries`] refuses, names that no picture to train on has, or two have, and a name with two grades.
pub fn given(text: &str, data: &FundusData) -> Result<Vec<(usize, u8)>, ParamError> {
    let invalid = |problem: String| ParamError::invalid(GIVEN.key(), problem);
    let entries = entries(text).map_err(invalid)?;
    if entries.is_empty() {
        return Ok(Vec::new());
    }
    // A name that two pictures have is neither's.
    let mut by_name: HashMap<&str, Option<usize>> = HashMap::new();
    for &i in data.labelled.iter().chain(&data.unlabelled) {
        by_name.entry(data.pictures[i].name.as_str()).and_modify(|known| *known = None).or_insert(Some(i));
    }
    let mut given: Vec<(usize, u8)> = Vec::new();
    for (name, grade) in entries {
        let i = match by_name.get(name) {
            Some(Some(i)) => *i,
            Some(None) => {
                return Err(invalid(format!("two pictures to train on are called `{name}`; rename the file of one")));
            }
            None => return Err(invalid(not_to_train_on(name, data))),
        };
        match given.iter().find(|(known, _)| *known == i) {
            Some((_, known)) if *known != grade => {
                return Err(invalid(format!(
                    "`{name}` has two grades, {known} and {grade}; leave the one that is right"
                )));
            }
            Some(_) => {}
            None => given.push((i, grade)),
        }
    }
    Ok(given)
}

/// Why a name is that of no picture to train on.
fn not_to_train_on(name: &str, data: &FundusData) -> String {
    let measured = [
        ("validation picture", "chosen by", &data.validation),
        ("test picture", "tested on", &data.test),
        ("picture of the unseen hospital", "tested on", &data.unseen),
    ];
    let is_named = |i: &usize| data.pictures[*i].name == name;
    match measured.into_iter().find(|(.., of)| of.iter().any(is_named)) {
        Some((what, use_of, _)) => format!(
            "`{name}` is a {what}: it is {use_of} and never trained on, so that its label cannot be given; take it out of the list"
        ),
        None => format!(
            "there is no picture `{name}` to train on; a list that was made for other data is emptied with {}=",
            GIVEN.key()
        ),
    }
}

/// Who asks: the network and the run that it is of.
#[derive(Debug)]
pub struct Asking<'a> {
    pub net: &'a Autoencoder,
    pub data: &'a FundusData,
    pub labels: &'a Labels,
    /// Pictures without a label that may be asked for; at least one.
    pub pool: &'a [usize],
    pub seed: u64,
    /// Completed steps.
    pub step: u64,
    pub device: &'a Device,
}

impl Asking<'_> {
    /// The `k` pictures of the pool that this score tells most to have labelled, each with its score (see
    /// [`Query::score`]).
    pub fn ask(&self, query: Query, k: usize) -> Result<Vec<(usize, f64)>, RunError> {
        let pool = self.pool;
        let of_best = |scores: Vec<f64>| largest(&scores, k).into_iter().map(|at| (pool[at], scores[at])).collect();
        if query == Query::Random {
            let rng = &mut streams::QUERY_RANDOM.open(self.seed, self.step);
            return Ok(of_best(pool.iter().map(|_| rng.uniform()).collect()));
        }
        let judged = judge(self.net, self.data, pool, query == Query::Reconstruction, self.device)?;
        let alone = judged.probabilities.iter().map(|p| scores(&[*p]));
        Ok(match query {
            Query::Entropy => of_best(alone.map(|scores| scores.entropy).collect()),
            Query::Margin => {
                let mut found: Vec<(usize, f64)> = of_best(alone.map(|scores| -scores.margin).collect());
                found.iter_mut().for_each(|(_, margin)| *margin = -*margin);
                found
            }
            Query::Bald => of_best(self.bald(judged.codes)?),
            Query::KCentre => {
                let features = judged.codes.len() / pool.len().max(1);
                let known = judge(self.net, self.data, &self.labels.labelled, false, self.device)?.codes;
                let found = k_centre(&judged.codes, &known, features.max(1), k);
                found.into_iter().map(|(at, distance)| (pool[at], distance)).collect()
            }
            Query::Reconstruction => of_best(judged.errors),
            Query::Random => Vec::new(),
        })
    }

    /// Mutual information of answer and weights for each picture, from passes that drop a fifth of its pooled code.
    fn bald(&self, codes: Vec<f32>) -> Result<Vec<f64>, RunError> {
        let pictures = self.pool.len();
        let shape = [pictures, codes.len() / pictures.max(1)];
        let codes = Tensor::<2>::from_data(TensorData::new(codes, shape), self.device);
        let mut reader = Reader::default();
        for number in 0..PASSES {
            let rng = &mut streams::QUERY_DROPOUT.open(self.seed, self.step * PASSES + number);
            let mut pass = Pass { train: false, dropout: Some(rng) };
            reader.add(activation::sigmoid(self.net.classifier.forward(codes.clone(), &mut pass).logit));
        }
        let read = reader.read()?;
        let of = |i: usize| scores(&read.iter().map(|answers| f64::from(answers[i])).collect::<Vec<f64>>()).bald;
        Ok((0..pictures).map(of).collect())
    }
}

/// A measurement against the number of labels: for each number the last value while it was that, up to a step. `prefix`: empty,
/// or the twin's.
pub fn by_labels(run: &RunState, prefix: &str, key: &str, until: u64) -> Vec<[f64; 2]> {
    let of = |key: &str| run.scalars.get(format!("{prefix}{key}").as_str());
    let (Some(labels), Some(values)) = (of("labels"), of(key)) else { return Vec::new() };
    let mut points: Vec<[f64; 2]> = Vec::new();
    for (step, value) in values.points().take_while(|(step, _)| *step <= until) {
        let Some((_, count)) = labels.at(step) else { continue };
        match points.iter_mut().find(|point| point[0] == count) {
            Some(point) => point[1] = value,
            None => points.push([count, value]),
        }
    }
    points.sort_by(|a, b| a[0].total_cmp(&b[0]));
    points
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::params::Params;
    use crate::labs::reconstruction::params::PARAMS;
    use crate::labs::reconstruction::source::load;
    use crate::watch::Watch;

    fn data() -> std::sync::Arc<FundusData> {
        let mut params = Params::defaults(PARAMS);
        for set in ["image_size=32", "train_images=6", "unlabelled_images=5", "validation_images=2", "test_images=8"] {
            params.set_text(PARAMS, set).unwrap();
        }
        load(&params, Watch::nobody()).unwrap()
    }

    #[test]
    fn each_picture_is_in_one_place() {
        let data = data();
        let (first, hidden) = data.labelled.split_at(2);
        let (a, b) = (data.unlabelled[0], data.unlabelled[3]);
        // Asked for twice, and labelled by the oracle, by hand and from the beginning.
        let labels = Labels::of(&data, first, &[a, hidden[1], a], &[(b, 3), (a, 1), (first[0], 2)]);
        assert_eq!(labels.labelled, [first[0], first[1], a, hidden[1], b]);
        assert_eq!(labels.unlabelled, [data.unlabelled[1], data.unlabelled[2], data.unlabelled[4]]);
        let mut all = [labels.labelled.clone(), labels.pool.clone()].concat();
        all.sort_unstable();
        assert_eq!(all, [data.labelled.clone(), data.unlabelled.clone()].concat());
        assert_eq!([a, b, first[0]].map(|i| labels.grade(&data, i)), [1, 3, 2], "given by hand");
        assert_eq!(Some(labels.grade(&data, hidden[1])), data.pictures[hidden[1]].grade);
        let none = Labels::of(&data, &data.labelled, &[], &[]);
        assert_eq!(
            (&none.labelled, &none.unlabelled, &none.pool),
            (&data.labelled, &data.unlabelled, &data.unlabelled)
        );
    }

    #[test]
    fn what_a_person_gave_is_read_or_refused_by_name() {
        let data = data();
        let name = |i: usize| data.pictures[data.unlabelled[i]].name.clone();
        let text = format!(" {}=1; {} = 0;;{}=1 ", name(0), name(1), name(0));
        assert_eq!(given(&text, &data).unwrap(), [(data.unlabelled[0], 1), (data.unlabelled[1], 0)]);
        assert!(given(" ; ", &data).unwrap().is_empty());
        let [test, validation] = [data.test[0], data.validation[0]].map(|i| data.pictures[i].name.clone());
        for (text, words) in [
            (format!("{}=4", name(0)), format!("`4` of {} is not a grade, 0 to 3", name(0))),
            (format!("{}=-1", name(0)), "`-1` of".to_owned()),
            (name(0), "is not of the form NAME=GRADE".to_owned()),
            ("nobody=1".to_owned(), "no picture `nobody`".to_owned()),
            (format!("{0}=1;{0}=2", name(0)), format!("`{}` has two grades, 1 and 2", name(0))),
            (format!("{test}=1"), format!("`{test}` is a test picture: it is tested on and never trained on")),
            (format!("{validation}=1"), format!("`{validation}` is a validation picture: it is chosen by")),
        ] {
            let message = given(&text, &data).unwrap_err().to_string();
            assert!(message.contains(&words) && message.contains("`given_labels`"), "{message}");
        }
        let mut namesakes = (*data).clone();
        std::sync::Arc::make_mut(&mut namesakes.pictures)[data.labelled[0]].name = name(0);
        let message = given(&format!("{}=1", name(0)), &namesakes).unwrap_err().to_string();
        assert!(message.contains(&format!("two pictures to train on are called `{}`", name(0))), "{message}");
    }
}
