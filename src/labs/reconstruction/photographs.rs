//! Photographs of a folder as the pictures of a run: graded ones, and ungraded ones that are not among them.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use rayon::prelude::*;

use crate::compute::cache_folder;
use crate::data::folder::{Rules, stamp, walk};
use crate::data::fundus::leak::Mark;
use crate::data::fundus::listing::{Layout, Listing, list};
use crate::data::fundus::named;
use crate::data::fundus::read::{self, Fit, Read};
use crate::data::segmentation::counted;
use crate::data::synth::fundus::Lesion;
use crate::data::synth::fundus_folder::{self, SEED, UNLABELLED};
use crate::data::synth::ultrasound_folder::MANIFEST;
use crate::data::{DataError, Problem};
use crate::disk;
use crate::engine::params::{ParamError, Params};
use crate::watch::Watch;

use super::params::{ERRATA, FIT, FOLDER, HOLD_OUT, SIZE, SOURCE, Source, TRAIN_ON_ALL, UNLABELLED_FOLDER};
use super::source::{FundusData, Picture};
use super::split::{Part, TEST_SEED, parts, without_test};

/// Memory that pictures at the network's size may take.
const MOST_BYTES: usize = 4 << 30;
/// Folders within folders that are looked into for changes.
const DEEPEST: usize = 8;
/// The worst grade of the lab's classifier; IDRiD and others have one more.
const WORST: u8 = 3;

/// Number, bytes and newest change of a folder's files.
type Stamp = (u64, u64, Option<SystemTime>);

/// What pictures of folders depend on; while it stays, they are kept in memory from run to run.
#[derive(Debug, Clone, PartialEq)]
pub struct Identity {
    graded: PathBuf,
    /// Empty: none.
    ungraded: PathBuf,
    errata: bool,
    fit: Fit,
    size: usize,
    stamps: [Stamp; 2],
}

impl Identity {
    /// Of the folders that these parameters name; the sample's files are written where they are not there yet.
    pub fn of(params: &Params) -> Result<Self, ParamError> {
        let (graded, ungraded) = if SOURCE.of(params) == Source::Sample {
            let folder = sample().map_err(|problem| ParamError::invalid(SOURCE.key(), problem))?;
            let ungraded = folder.join(UNLABELLED);
            (folder, ungraded)
        } else {
            (PathBuf::from(FOLDER.of(params)), PathBuf::from(UNLABELLED_FOLDER.of(params)))
        };
        let stamps = [&graded, &ungraded].map(|folder| stamp(folder, DEEPEST));
        Ok(Self { graded, ungraded, errata: ERRATA.of(params), fit: FIT.of(params), size: SIZE.of(params), stamps })
    }
}

/// The sample set's folder, in the user's cache; files that are missing or of another length are written anew, once in the life of
/// the program unless the folder is gone.
fn sample() -> Result<PathBuf, String> {
    static WRITTEN: OnceLock<PathBuf> = OnceLock::new();
    if let Some(folder) = WRITTEN.get().filter(|folder| folder.join(MANIFEST).is_file()) {
        return Ok(folder.clone());
    }
    let folder = cache_folder().unwrap_or_else(std::env::temp_dir).join("sample-fundus");
    let said = |error: &dyn std::fmt::Display| format!("the sample cannot be written to {}: {error}", folder.display());
    for file in fundus_folder::files(SEED).map_err(|error| said(&error))? {
        let path = folder.join(&file.name);
        if !path.metadata().is_ok_and(|meta| meta.is_file() && meta.len() == file.bytes.len() as u64) {
            std::fs::create_dir_all(path.parent().unwrap_or(&folder)).map_err(|error| said(&error))?;
            disk::write_whole(&path, &file.bytes).map_err(|error| said(&error))?;
        }
    }
    Ok(WRITTEN.get_or_init(|| folder).clone())
}

/// Graded photographs as [`FundusData::labelled`] (and `test`, where the data set has a test part of its own), not yet divided;
/// ungraded ones that are none of them as [`FundusData::unlabelled`].
pub fn load(identity: &Identity, watch: Watch<'_>) -> Result<FundusData, ParamError> {
    let of_graded = |error: DataError| ParamError::invalid(FOLDER.key(), error);
    let of_ungraded = |error: DataError| ParamError::invalid(UNLABELLED_FOLDER.key(), error);
    let Identity { graded, ungraded, fit, size, .. } = identity;
    let mut listing = list(graded, identity.errata, watch.quiet()).map_err(of_graded)?;
    let mut warnings = std::mem::take(&mut listing.warnings);
    let bare: Vec<&str> = listing.pictures.iter().filter(|p| p.grade.is_none()).map(|p| p.name.as_str()).collect();
    if !bare.is_empty() {
        let are = counted(bare.len(), "picture has no grade and is", "pictures have no grade and are");
        warnings.push(format!("{are} left out: {}", named(bare)));
    }
    listing.pictures.retain(|picture| picture.grade.is_some());
    let pool =
        if ungraded.as_os_str().is_empty() { Vec::new() } else { files(ungraded, watch).map_err(of_ungraded)? };
    let (few, many) = (listing.pictures.len(), pool.len());
    let all = few + many;
    if all.saturating_mul(3 * size * size) > MOST_BYTES {
        return Err(ParamError::invalid(
            SIZE.key(),
            format!("{all} pictures of {size} pixels take more than {} GiB; choose a smaller size", MOST_BYTES >> 30),
        ));
    }
    let paths: Vec<PathBuf> = listing.pictures.iter().map(|picture| picture.path.clone()).collect();
    let first = |done: usize, _: usize| (watch.progress)(done, all);
    let read = read::all(&paths, *size, *fit, Watch { progress: &first, ..watch }).map_err(of_graded)?;
    if let (true, Some(Problem { path, problem })) = (read.pictures.iter().all(Option::is_none), read.problems.first())
    {
        let problem = format!("none of its {few} graded pictures can be read; {}: {problem}", path.display());
        return Err(of_graded(DataError::file(graded, problem)));
    }
    let rest = |done: usize, _: usize| (watch.progress)(few + done, all);
    let more = read::all(&pool, *size, *fit, Watch { progress: &rest, ..watch }).map_err(of_ungraded)?;
    warnings.extend(damaged(&read.problems, few, "graded"));
    warnings.extend(damaged(&more.problems, many, "ungraded"));
    let mut report = std::mem::take(&mut listing.report);
    report.extend(read.lines.into_iter().chain(more.lines));

    let known: Vec<(usize, Read)> =
        read.pictures.into_iter().enumerate().filter_map(|(i, read)| Some((i, read?))).collect();
    let marks: Vec<(&str, &Mark)> =
        known.iter().map(|(i, read)| (listing.pictures[*i].name.as_str(), &read.mark)).collect();
    warnings.extend(twice(&marks));
    let (left, leaks) = guard(&pool, more.pictures, &marks, &paths);
    report.extend(relation(ungraded, graded));
    if !leaks.is_empty() {
        let are = if leaks.len() == 1 { "is" } else { "are" };
        report.push(format!(
            "{} of {many} ungraded pictures {are} graded ones too and left out: {}",
            leaks.len(),
            leaks.join("; ")
        ));
    }
    if many > 0 && left.is_empty() {
        let problem = format!(
            "holds no picture that can be read and is not among the graded ones of {}; choose another folder, or none",
            graded.display()
        );
        return Err(of_ungraded(DataError::file(ungraded, problem)));
    }
    let lesions = lesions(&listing, &known, (*size, *fit), watch, &mut report, &mut warnings).map_err(of_graded)?;

    let worse = listing.pictures.iter().filter(|picture| picture.grade > Some(WORST)).count();
    if worse > 0 {
        report.push(format!(
            "{} of grade 4 {} taken as grade {WORST}",
            counted(worse, "picture", "pictures"),
            if worse == 1 { "is" } else { "are" }
        ));
    }
    let mut data = FundusData {
        size: *size,
        hospitals: listing.hospitals.clone(),
        warnings,
        photographs: true,
        white: read.white.or(more.white),
        ..FundusData::default()
    };
    data.hospitals.push("ungraded".to_owned());
    let mut pictures = Vec::with_capacity(known.len() + left.len());
    for ((i, read), lesions) in known.into_iter().zip(lesions) {
        let of = &listing.pictures[i];
        if of.test { &mut data.test } else { &mut data.labelled }.push(pictures.len());
        let grade = of.grade.map(|grade| grade.min(WORST));
        pictures.push(Picture { name: shown(&of.name), hospital: of.hospital, grade, planes: read.planes, lesions });
    }
    for (path, planes) in left {
        data.unlabelled.push(pictures.len());
        let name = shown(&path.strip_prefix(ungraded).unwrap_or(&path).to_string_lossy());
        pictures.push(Picture { name, hospital: listing.hospitals.len(), grade: None, planes, lesions: Vec::new() });
    }
    data.pictures = Arc::new(pictures);
    data.description = describe(graded, ungraded, listing.layout, &data);
    data.report = report;
    Ok(data)
}

fn describe(graded: &Path, ungraded: &Path, layout: Layout, data: &FundusData) -> String {
    let layout = match layout {
        Layout::Messidor => "Messidor",
        Layout::Idrid => "IDRiD",
        Layout::Table => "table",
    };
    let count = counted(data.labelled.len() + data.test.len(), "graded picture", "graded pictures");
    let more = if data.unlabelled.is_empty() {
        String::new()
    } else {
        format!(", {} without grades of {}", data.unlabelled.len(), ungraded.display())
    };
    let (folder, size, sum) = (graded.display(), data.size, data.checksum());
    format!("{folder} ({layout}): {count}{more}, at {size} pixels, CRC-32 {sum:08x}")
}

/// A name without what would end a line or a cell.
fn shown(name: &str) -> String {
    name.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Pictures of a folder and those in it.
fn files(folder: &Path, watch: Watch<'_>) -> Result<Vec<PathBuf>, DataError> {
    let tree = walk(folder, &Rules::default(), watch.quiet())?;
    let files: Vec<PathBuf> = tree.folders.iter().flat_map(|folder| folder.pictures.clone()).collect();
    if files.is_empty() {
        let foreign: String = tree.folders.iter().map(|folder| folder.foreign.told()).collect();
        return Err(DataError::file(folder, format!("holds no pictures{foreign}; choose another folder, or none")));
    }
    Ok(files)
}

fn damaged(problems: &[Problem], all: usize, what: &str) -> Option<String> {
    let names: Vec<String> = problems.iter().map(|p| format!("{}: {}", p.path.display(), p.problem)).collect();
    let are = if names.len() == 1 { "is" } else { "are" };
    (!names.is_empty()).then(|| {
        let names = named(names.iter().map(String::as_str));
        format!("{} of {all} {what} pictures cannot be read and {are} left out: {names}", problems.len())
    })
}

/// Graded pictures that are there twice, beyond those that the errata know.
fn twice(marks: &[(&str, &Mark)]) -> Option<String> {
    let mut first: HashMap<(usize, u64), &str> = HashMap::new();
    let mut pairs = Vec::new();
    for (name, mark) in marks {
        let before = mark.content().into_iter().enumerate().find_map(|known| first.get(&known).copied());
        pairs.extend(before.map(|before| format!("{name} = {before}")));
        mark.content().into_iter().enumerate().for_each(|known| {
            first.entry(known).or_insert(name);
        });
    }
    let are = counted(pairs.len(), "graded picture is", "graded pictures are");
    (!pairs.is_empty()).then(|| {
        let pairs = named(pairs.iter().map(String::as_str));
        format!("{are} there twice and may be trained on and tested on: {pairs}")
    })
}

/// Ungraded pictures that are none of the graded ones, and of the others what they are.
fn guard(
    pool: &[PathBuf],
    read: Vec<Option<Read>>,
    marks: &[(&str, &Mark)],
    graded: &[PathBuf],
) -> (Vec<(PathBuf, Vec<u8>)>, Vec<String>) {
    let places: HashSet<PathBuf> = graded.iter().filter_map(|path| path.canonicalize().ok()).collect();
    let known = |path: &Path, read: &Read| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.canonicalize().is_ok_and(|place| places.contains(&place)) {
            return Some(format!("{name} (the same file)"));
        }
        let same = marks.iter().find_map(|(graded, mark)| Some((graded, read.mark.same(mark)?)));
        same.map(|(graded, same)| format!("{name} = {graded} ({})", same.told()))
    };
    let judged: Vec<Option<String>> =
        pool.par_iter().zip(&read).map(|(path, read)| read.as_ref().and_then(|read| known(path, read))).collect();
    let (mut left, mut leaks) = (Vec::new(), Vec::new());
    for ((path, read), leak) in pool.iter().zip(read).zip(judged) {
        match (leak, read) {
            (Some(leak), _) => leaks.push(shown(&leak)),
            (None, Some(read)) => left.push((path.clone(), read.planes)),
            (None, None) => {}
        }
    }
    (left, leaks)
}

/// Whether one folder is or holds the other.
fn relation(ungraded: &Path, graded: &Path) -> Option<String> {
    let (of, to) = (ungraded.canonicalize().ok()?, graded.canonicalize().ok()?);
    let how = if of == to {
        "is"
    } else if to.starts_with(&of) {
        "holds"
    } else if of.starts_with(&to) {
        "lies in"
    } else {
        return None;
    };
    Some(format!("the folder of ungraded pictures {how} that of the graded ones"))
}

/// The lesions of each graded picture whose content is that of one with masks.
fn lesions(
    listing: &Listing,
    known: &[(usize, Read)],
    (size, fit): (usize, Fit),
    watch: Watch<'_>,
    report: &mut Vec<String>,
    warnings: &mut Vec<String>,
) -> Result<Vec<Vec<Lesion>>, DataError> {
    let mut lesions = vec![Vec::new(); known.len()];
    if listing.drawn.is_empty() {
        return Ok(lesions);
    }
    let paths: Vec<PathBuf> = listing.drawn.iter().map(|drawn| drawn.path.clone()).collect();
    let read = read::all(&paths, size, fit, watch.quiet())?;
    let mut problems = read.problems;
    let mut found = 0;
    for (drawn, read) in listing.drawn.iter().zip(&read.pictures) {
        let Some(read) = read else { continue };
        if let Some(at) = known.iter().position(|(_, graded)| graded.mark.same(&read.mark).is_some()) {
            let (of, bad) = read::lesions(&drawn.masks, read.frame);
            (lesions[at], found) = (of, found + 1);
            problems.extend(bad);
        }
    }
    report.push(format!("known lesions: {found} of {} pictures with masks are among the graded ones", paths.len()));
    warnings.extend(damaged(&problems, problems.len(), "masks or segmented"));
    Ok(lesions)
}

impl FundusData {
    /// The data of a run with this seed: photographs are divided by hospital into training, validation and test pictures, of which
    /// the last are the same for every seed. Generated pictures are divided already.
    pub fn for_run(self: Arc<Self>, params: &Params, seed: u64) -> Arc<Self> {
        if !self.photographs {
            return self;
        }
        let held = |i: &usize| Some(self.pictures[*i].hospital) == HOLD_OUT.of(params);
        let (unseen, divided): (Vec<usize>, Vec<usize>) = self.labelled.iter().copied().partition(held);
        let stratum: Vec<usize> = divided.iter().map(|&i| self.pictures[i].hospital).collect();
        let given = !self.test.is_empty();
        let parts = if given { without_test(&stratum, seed) } else { parts(&stratum, TEST_SEED, seed) };
        let of = |part: Part| -> Vec<usize> {
            divided.iter().zip(&parts).filter(|(_, of)| **of == part).map(|(&i, _)| i).collect()
        };
        let (mut labelled, mut validation) = (of(Part::Train), of(Part::Validation));
        if TRAIN_ON_ALL.of(params) {
            labelled.append(&mut validation);
            labelled.sort_unstable();
        }
        let mut data = FundusData {
            labelled,
            validation,
            test: if given { self.test.clone() } else { of(Part::Test) },
            unseen,
            ..(*self).clone()
        };
        data.summary = data.summarised();
        Arc::new(data)
    }
}

/// Why a hospital cannot be held out; `held`: its place among them.
fn unheld(held: usize, hospitals: &[String]) -> Option<String> {
    if let [only] = hospitals {
        return Some(format!(
            "the pictures are of 1 hospital ({only}): without it there is nothing to train on; choose hold_out=none"
        ));
    }
    let named = |(i, name): (usize, &String)| format!("{}: {name}", i + 1);
    let there: Vec<String> = hospitals.iter().enumerate().map(named).collect();
    (held >= hospitals.len()).then(|| {
        format!(
            "the pictures are of {} hospitals ({}): there is no number {}; choose one of these, or hold_out=none",
            hospitals.len(),
            there.join(", "),
            held + 1
        )
    })
}

/// Whether photographs can be trained and tested on.
pub fn check(params: &Params, data: &Arc<FundusData>) -> Result<(), ParamError> {
    let invalid = |key: &str, problem: String| Err(ParamError::invalid(key, problem));
    let graded = [&data.labelled[..], &data.test[..]].concat();
    let ill = graded.iter().filter(|&&i| data.pictures[i].is_ill()).count();
    if ill == 0 || ill == graded.len() {
        let kind = if ill == 0 { "healthy (grade 0)" } else { "ill (above grade 0)" };
        return invalid(
            FOLDER.key(),
            format!(
                "all {} graded pictures are {kind}, so that there is nothing to tell apart; give pictures of both kinds",
                graded.len()
            ),
        );
    }
    // The last one is no hospital but what has no grades.
    let hospitals = data.hospitals.get(..data.hospitals.len().saturating_sub(1)).unwrap_or_default();
    if let Some(problem) = HOLD_OUT.of(params).and_then(|held| unheld(held, hospitals)) {
        return invalid(HOLD_OUT.key(), problem);
    }
    let divided = data.clone().for_run(params, 0);
    if divided.labelled.len() < 2 || divided.test.is_empty() {
        let problem = format!(
            "{} leave {} to train on and {} to test on; expected at least 2 and 1",
            counted(graded.len(), "graded picture", "graded pictures"),
            divided.labelled.len(),
            divided.test.len()
        );
        return invalid(FOLDER.key(), problem);
    }
    Ok(())
}
