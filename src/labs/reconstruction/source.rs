//! The pictures of a run: which are labelled, which are not, which are for testing.

use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;

use crate::compute::streams;
use crate::data::picture_file::White;
use crate::data::synth::fundus::{self, Fundus, FundusSpec, Hospital, Lesion};
use crate::engine::params::{ParamError, Params};
use crate::kit::kept;
use crate::nn::weights;
use crate::watch::Watch;

use super::params::{
    DATA_SEED, GIVEN, HOSPITALS, LABELLED, LESION_SCALE, SIZE, SOURCE, Source, TEST, UNLABELLED, UNSEEN, VALIDATION,
    WEIGHTS, WRONG, check_combination,
};
use super::{active, photographs};

/// A picture at the network's size.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    pub name: String,
    /// Index into [`FundusData::hospitals`].
    pub hospital: usize,
    /// Retinopathy as labelled, 0 to 3; kept of unlabelled generated pictures too, where active learning asks an oracle.
    pub grade: Option<u8>,
    /// `[3, S, S]`.
    pub planes: Vec<u8>,
    /// Lesions whose places are known.
    pub lesions: Vec<Lesion>,
}

impl Picture {
    /// `[3, S, S]` in [0, 1].
    pub fn values(&self) -> Vec<f32> {
        self.planes.iter().map(|level| f32::from(*level) / 255.0).collect()
    }

    pub fn is_ill(&self) -> bool {
        self.grade.is_some_and(|grade| grade > 0)
    }
}

/// The pictures of a run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FundusData {
    /// S.
    pub size: usize,
    pub hospitals: Vec<String>,
    /// Shared between runs, which divide photographs anew.
    pub pictures: Arc<Vec<Picture>>,
    /// Indices into [`FundusData::pictures`].
    pub labelled: Vec<usize>,
    pub unlabelled: Vec<usize>,
    pub validation: Vec<usize>,
    pub test: Vec<usize>,
    /// Of a hospital that is in no training set.
    pub unseen: Vec<usize>,
    /// In words, for the tile Data.
    pub summary: Vec<String>,
    /// Read from files, and divided by the run's seed; see [`FundusData::for_run`].
    pub photographs: bool,
    /// What was found in the folders and done with it, and what was left out.
    pub report: Vec<String>,
    pub warnings: Vec<String>,
    /// What is white in photographs of more than 8 bits, as far as that is known; see [`White`].
    pub white: White,
    /// With the content's hash, for the run's header; empty where parameters and seed define the pictures.
    pub description: String,
}

/// What generated pictures depend on.
#[derive(Debug, Clone, PartialEq)]
struct Identity {
    size: usize,
    counts: [usize; 5],
    hospitals: &'static [Hospital],
    lesion_scale: f64,
    wrong: f64,
    seed: u64,
}

/// Numbers of the first picture of each part, so that more of one part changes no other.
const PART: u64 = 1 << 32;

/// The pictures that these parameters ask for; those of folders are not divided yet, see [`FundusData::for_run`].
pub fn load(params: &Params, watch: Watch<'_>) -> Result<Arc<FundusData>, ParamError> {
    if SOURCE.of(params) != Source::Generated {
        let identity = photographs::Identity::of(params)?;
        return kept::DATA.get(&identity, watch, |watch| photographs::load(&identity, watch));
    }
    let count = |n: i64| n as usize;
    let identity = Identity {
        size: SIZE.of(params),
        counts: [&LABELLED, &UNLABELLED, &VALIDATION, &TEST, &UNSEEN].map(|number| count(number.of(params))),
        hospitals: HOSPITALS.of(params),
        lesion_scale: LESION_SCALE.of(params),
        wrong: WRONG.of(params),
        seed: DATA_SEED.of(params) as u64,
    };
    kept::DATA.get(&identity, watch, |watch| generate(&identity, watch))
}

fn generate(identity: &Identity, watch: Watch<'_>) -> Result<FundusData, ParamError> {
    let Identity { size, counts, hospitals, lesion_scale, wrong, seed } = identity;
    let all: usize = counts.iter().sum();
    let done = std::sync::atomic::AtomicUsize::new(0);
    let mut wanted = Vec::with_capacity(all);
    for (part, count) in counts.iter().enumerate() {
        wanted.extend((0..*count as u64).map(|i| (part, part as u64 * PART + i)));
    }
    let draw = |&(part, number): &(usize, u64)| {
        if watch.cancelled() {
            return None;
        }
        let of: &[Hospital] = if part == 4 { &[Hospital::D] } else { hospitals };
        let (hospital, grade) = fundus::drawn(*seed, number, of);
        let spec = FundusSpec { size: *size, grade, hospital, lesion_scale: *lesion_scale };
        let fundus = fundus::picture(*seed, number, &spec);
        (watch.progress)(done.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1, all);
        Some(picture(fundus, part, number - part as u64 * PART, number, *wrong, *seed))
    };
    let pictures: Option<Vec<Picture>> = wanted.par_iter().map(draw).collect();
    let pictures = pictures.ok_or_else(|| ParamError::Invalid {
        key: DATA_SEED.key().to_owned(),
        problem: "the pictures are not all there: stopped while they were generated".to_owned(),
    })?;
    let mut first = 0;
    let [labelled, unlabelled, validation, test, unseen] = counts.map(|count| {
        first += count;
        (first - count..first).collect::<Vec<usize>>()
    });
    let names = Hospital::ALL.map(|hospital| hospital.name().to_owned()).into();
    let mut data = FundusData {
        size: *size,
        hospitals: names,
        pictures: Arc::new(pictures),
        labelled,
        unlabelled,
        validation,
        test,
        unseen,
        ..FundusData::default()
    };
    data.summary = data.summarised();
    Ok(data)
}

fn picture(fundus: Fundus, part: usize, i: u64, number: u64, wrong: f64, seed: u64) -> Picture {
    const PARTS: [&str; 5] = ["labelled", "unlabelled", "validation", "test", "unseen"];
    let plane = |channel: usize| fundus.rgb.iter().skip(channel).step_by(3).copied();
    let planes = (0..3).flat_map(plane).collect();
    let mut grade = fundus.grade;
    // A wrong label is one of the pictures to train on: what is measured stays true.
    if part == 0 && streams::WRONG_LABELS.open(seed, number).uniform() < wrong {
        grade = if grade == 0 { 2 } else { 0 };
    }
    Picture {
        name: format!("{} {}{}", PARTS[part], fundus.hospital.name(), i + 1),
        hospital: fundus.hospital as usize,
        grade: Some(grade),
        planes,
        lesions: fundus.lesions,
    }
}

impl FundusData {
    /// The pictures and their parts in words.
    pub fn summarised(&self) -> Vec<String> {
        let part = |name: &str, indices: &[usize]| {
            let ill = indices.iter().filter(|&&i| self.pictures[i].is_ill()).count();
            format!("{name}: {} pictures, {ill} with retinopathy", indices.len())
        };
        let mut lines = vec![
            part("labelled", &self.labelled),
            format!("unlabelled: {} pictures", self.unlabelled.len()),
            part("validation", &self.validation),
            part("test", &self.test),
        ];
        if let Some(&first) = self.unseen.first() {
            let name = &self.hospitals[self.pictures[first].hospital];
            let name = if self.photographs { name.clone() } else { format!("hospital {name}") };
            lines.push(part(&format!("unseen {name}"), &self.unseen));
        }
        if self.photographs {
            let warnings = self.warnings.iter().map(|warning| format!("! {warning}"));
            lines.extend(self.report.iter().cloned().chain(warnings));
        } else {
            lines.insert(0, "generated fundus pictures; they show no patient".to_owned());
        }
        lines
    }

    /// The labelled pictures whose labels are used at this share: the first ones of an order of the seed, each hospital and
    /// health in proportion, at least two.
    pub fn with_labels(&self, share: f64, seed: u64) -> Vec<usize> {
        let wanted = ((share * self.labelled.len() as f64).round() as usize).clamp(2, self.labelled.len().max(2));
        let mut order = self.labelled.clone();
        streams::LABELLED_SHARE.open(seed, 0).shuffle(&mut order);
        // Strata take turns, so that a few are of all kinds.
        let stratum = |i: usize| (self.pictures[i].hospital, self.pictures[i].is_ill());
        let mut seen = std::collections::HashMap::new();
        let mut ranked: Vec<(usize, usize)> = order
            .into_iter()
            .map(|i| {
                let rank = seen.entry(stratum(i)).or_insert(0_usize);
                *rank += 1;
                (*rank, i)
            })
            .collect();
        ranked.sort_by_key(|(rank, _)| *rank);
        let mut chosen: Vec<usize> = ranked.into_iter().take(wanted).map(|(_, i)| i).collect();
        chosen.sort_unstable();
        chosen
    }

    /// Pictures of the wall: of the test set two of each grade, the first ones.
    pub fn wall(&self) -> Vec<usize> {
        let of = |grade: u8| self.test.iter().copied().filter(move |&i| self.pictures[i].grade == Some(grade)).take(2);
        let mut wall: Vec<usize> = (0..4).flat_map(of).collect();
        let ill = self.unseen.iter().copied().find(|&i| self.pictures[i].is_ill());
        wall.extend(ill.or(self.unseen.first().copied()));
        wall
    }

    /// Hash of names, labels and pixels.
    pub fn checksum(&self) -> u32 {
        let mut hash = crc32fast::Hasher::new();
        for picture in self.pictures.iter() {
            hash.update(picture.name.as_bytes());
            hash.update(&[picture.grade.unwrap_or(255)]);
            hash.update(&picture.planes);
        }
        hash.finalize()
    }
}

/// See [`LabSpec::check`](crate::kit::lab::LabSpec::check).
pub fn check(params: &Params) -> Result<(), ParamError> {
    check_combination(params)?;
    check_weights(Path::new(WEIGHTS.of(params)))?;
    check_resumed(params)
}

/// The same of a run whose weights come from a checkpoint, so that the file of the first ones may be gone.
pub fn check_resumed(params: &Params) -> Result<(), ParamError> {
    check_combination(params)?;
    let data = load_photographs(params)?;
    if !GIVEN.of(params).is_empty() {
        active::given(GIVEN.of(params), &*load(params, Watch::nobody())?)?;
    }
    data.map_or(Ok(()), |data| photographs::check(params, &data))
}

/// Whether the file of weights that a run starts from can be opened, where there is one.
fn check_weights(path: &Path) -> Result<(), ParamError> {
    let invalid = |problem: String| ParamError::invalid(WEIGHTS.key(), problem);
    if path.as_os_str().is_empty() {
        return Ok(());
    }
    if path.is_dir() {
        return Err(invalid(format!(
            "`{0}` is a folder; of a recorded run export them first: learnscope export {0} --weights --to net.safetensors",
            path.display()
        )));
    }
    weights::Opened::open(path).map(|_| ()).map_err(|error| invalid(error.to_string()))
}

/// See [`LabSpec::data`](crate::kit::lab::LabSpec::data): generated pictures are defined by parameters and seed; those of a folder
/// and the weights that a run starts from are not.
pub fn describe(params: &Params) -> Result<String, ParamError> {
    let mut parts: Vec<String> = of_photographs(params)?.into_iter().collect();
    let weights = Path::new(WEIGHTS.of(params));
    if !weights.as_os_str().is_empty() {
        let checksum = weights::checksum(weights).map_err(|error| ParamError::invalid(WEIGHTS.key(), error))?;
        parts.push(format!("weights {}, CRC-32 {checksum:08x}", weights.display()));
    }
    Ok(parts.join("; "))
}

/// The same of a run that goes on from a checkpoint: without its first weights where their file is gone.
pub fn describe_resumed(params: &Params) -> Result<String, ParamError> {
    describe(params).or_else(|_| Ok(of_photographs(params)?.unwrap_or_default()))
}

fn of_photographs(params: &Params) -> Result<Option<String>, ParamError> {
    Ok(load_photographs(params)?.map(|data| data.description.clone()))
}

/// Those of a folder; `None`: pictures are generated, which tells nothing that the parameters do not.
fn load_photographs(params: &Params) -> Result<Option<Arc<FundusData>>, ParamError> {
    if SOURCE.of(params) == Source::Generated { Ok(None) } else { load(params, Watch::nobody()).map(Some) }
}

/// See [`LabSpec::read`](crate::kit::lab::LabSpec::read).
pub fn read(params: &Params, watch: Watch<'_>) -> Result<(), ParamError> {
    check_combination(params)?;
    load(params, watch).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::labs::reconstruction::params::PARAMS;

    fn params(set: &[&str]) -> Params {
        let mut params = Params::defaults(PARAMS);
        let small =
            ["image_size=32", "unlabelled_images=6", "validation_images=4", "test_images=30", "unseen_images=3"];
        small.iter().chain(set).for_each(|value| params.set_text(PARAMS, value).unwrap());
        params
    }

    #[test]
    fn more_of_one_part_changes_no_other() {
        let few = load(&params(&[]), Watch::nobody()).unwrap();
        let many = load(&params(&["train_images=90", "unlabelled_images=9"]), Watch::nobody()).unwrap();
        let names = |data: &FundusData, indices: &[usize]| -> Vec<Picture> {
            indices.iter().map(|&i| data.pictures[i].clone()).collect()
        };
        assert_eq!(names(&few, &few.test), names(&many, &many.test));
        assert_eq!(names(&few, &few.labelled), names(&many, &many.labelled[..60]));
        assert!(few.unseen.iter().all(|&i| few.pictures[i].hospital == 3));
        assert_eq!(few.wall().len(), 9);
    }

    #[test]
    fn a_share_of_the_labels_has_both_kinds_and_grows_by_addition() {
        let data = load(&params(&[]), Watch::nobody()).unwrap();
        let few = data.with_labels(0.1, 3);
        assert_eq!(few.len(), 6);
        assert_eq!(few.iter().filter(|&&i| data.pictures[i].is_ill()).count(), 3);
        let more = data.with_labels(0.3, 3);
        assert!(few.iter().all(|i| more.contains(i)));
        assert_eq!(data.with_labels(1.0, 3), data.labelled);
        assert_eq!(data.with_labels(0.02, 3).len(), 2);
        assert_ne!(data.with_labels(0.1, 4), few);
    }

    #[test]
    fn wrong_labels_are_among_those_to_train_on_alone() {
        let right = load(&params(&[]), Watch::nobody()).unwrap();
        let wrong = load(&params(&["wrong_labels=0.3"]), Watch::nobody()).unwrap();
        let differ = |indices: &[usize]| {
            indices.iter().filter(|&&i| right.pictures[i].is_ill() != wrong.pictures[i].is_ill()).count()
        };
        assert!((8..32).contains(&differ(&right.labelled)), "{}", differ(&right.labelled));
        assert_eq!(differ(&right.test) + differ(&right.validation), 0);
    }
}
