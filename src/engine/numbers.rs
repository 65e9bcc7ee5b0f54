//! The numbers of a recorded run alone, thinned to what a screen can show: for curves behind another run's, and tables of many runs.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::event::RunHeader;
use super::params::ParamSpec;
use super::recording::{METRICS, RunReader};
use super::run_folder::{self, DiskError};
use super::twin::TWIN;
use crate::disk;

/// Most points that are kept of a curve; of more, the lowest and the highest of each stretch.
pub const MOST_POINTS: usize = 2_048;
/// Most curves of a run; of more, the first in the file.
pub const MOST_CURVES: usize = 256;
/// Longest line that is a line of numbers.
const LONGEST: u64 = 64 << 10;

/// A curve: step and value, in order of steps.
pub type Points = Arc<[[f64; 2]]>;

/// What is known of a recorded run without its pictures.
#[derive(Debug, Clone)]
pub struct Numbers {
    pub folder: PathBuf,
    /// With a value of every parameter of its lab.
    pub header: RunHeader,
    /// By key, but for a twin's.
    pub curves: BTreeMap<String, Points>,
    /// The last value of each.
    pub last: BTreeMap<String, f64>,
    /// Numbers of which nothing is kept, because the run has more than [`MOST_CURVES`].
    pub left_out: usize,
    pub stand: Stand,
}

/// How far a recording was when it was read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stand {
    /// Length of its file of numbers.
    pub bytes: u64,
    /// It was still being recorded.
    pub grows: bool,
}

impl Stand {
    /// How far the recording in a run folder is now: it asks for a file's length and looks for the lock. `None`: there is no file of
    /// numbers.
    pub fn of(folder: &Path) -> Option<Self> {
        let grows = run_folder::is_locked(folder);
        let bytes = fs::metadata(folder.join(METRICS)).ok()?.len();
        Some(Self { bytes, grows })
    }
}

/// Reads a run folder. `specs`: the parameters of a lab by its id; `None`: there is no such lab.
///
/// # Errors
/// It cannot be read, or is of an unknown lab.
pub fn read(folder: &Path, specs: impl Fn(&str) -> Option<&'static [ParamSpec]>) -> Result<Numbers, String> {
    // What comes while it is read is read the next time.
    let stand = Stand::of(folder).unwrap_or_default();
    let mut reader = RunReader::open(folder).map_err(|error| error.to_string())?;
    let lab = reader.header().lab.clone();
    let specs =
        specs(&lab).ok_or_else(|| format!("`{}` is a run of the lab `{lab}`, which is not here", folder.display()))?;
    reader.complete(specs);
    let header = reader.header().clone();
    let path = folder.join(METRICS);
    let file = disk::open(&path).map_err(|error| DiskError::io("read", &path, error).to_string())?;
    let found = curves(BufReader::new(file)).map_err(|error| DiskError::io("read", &path, error).to_string())?;
    let Found { curves, left_out } = found;
    let left_out = left_out.len();
    let last = curves.iter().filter_map(|(key, curve)| Some((key.clone(), curve.last()?[1]))).collect();
    let curves = curves.into_iter().map(|(key, curve)| (key, curve.finish().into())).collect();
    Ok(Numbers { folder: folder.to_owned(), header, curves, last, left_out, stand })
}

/// The curves of a file, and the keys of those for which there was no room.
#[derive(Debug, Default)]
struct Found {
    curves: BTreeMap<String, Thinned>,
    left_out: BTreeSet<String>,
}

/// The curves of a file `step,seconds,key,value`. What is no such line is left out: a torn end, or damage.
fn curves(mut file: impl BufRead) -> std::io::Result<Found> {
    let mut found = Found::default();
    let mut line = Vec::new();
    loop {
        line.clear();
        if file.by_ref().take(LONGEST).read_until(b'\n', &mut line)? == 0 {
            return Ok(found);
        }
        let Some((key, point)) = std::str::from_utf8(&line).ok().and_then(point) else { continue };
        if let Some(curve) = found.curves.get_mut(key) {
            curve.push(point);
        } else if key.starts_with(TWIN) || found.left_out.contains(key) {
            continue;
        } else if found.curves.len() < MOST_CURVES {
            found.curves.entry(key.to_owned()).or_default().push(point);
        } else {
            found.left_out.insert(key.to_owned());
        }
    }
}

fn point(line: &str) -> Option<(&str, [f64; 2])> {
    let mut parts = line.strip_suffix('\n')?.splitn(3, ',');
    let step: u64 = parts.next()?.parse().ok()?;
    let _seconds: f64 = parts.next()?.parse().ok()?;
    let (key, value) = parts.next()?.rsplit_once(',')?;
    let value: f64 = value.trim_end().parse().ok()?;
    value.is_finite().then_some((key, [step as f64, value]))
}

/// Points of which at most twice [`MOST_POINTS`] are kept.
#[derive(Debug, Default)]
struct Thinned {
    points: Vec<[f64; 2]>,
}

impl Thinned {
    fn push(&mut self, point: [f64; 2]) {
        // A curve goes forward.
        if self.points.last().is_some_and(|last| last[0] >= point[0]) {
            return;
        }
        self.points.push(point);
        if self.points.len() >= 2 * MOST_POINTS {
            self.halve();
        }
    }

    fn last(&self) -> Option<[f64; 2]> {
        self.points.last().copied()
    }

    /// Of each four points the lowest and the highest, in their order; the newest stays.
    fn halve(&mut self) {
        let last = self.last();
        let extremes = |four: &[[f64; 2]]| {
            let by = |a: &&[f64; 2], b: &&[f64; 2]| a[1].total_cmp(&b[1]);
            let ends = four.iter().min_by(by).zip(four.iter().max_by(by));
            let mut kept: Vec<[f64; 2]> = ends.map_or_else(Vec::new, |(low, high)| vec![*low, *high]);
            kept.sort_by(|a, b| a[0].total_cmp(&b[0]));
            kept.dedup();
            kept
        };
        self.points = self.points.chunks(4).flat_map(extremes).collect();
        if let Some(last) = last.filter(|last| self.points.last() != Some(last)) {
            self.points.push(last);
        }
    }

    fn finish(mut self) -> Vec<[f64; 2]> {
        while self.points.len() > MOST_POINTS {
            self.halve();
        }
        self.points
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_line_by_line_and_thinned_without_losing_a_spike() {
        let mut text = "step,seconds,key,value\n".to_owned();
        for step in 0..50_000u32 {
            let value = if step == 31_234 { 99.0 } else { f64::from(step % 7) };
            text += &format!("{step},0.5,loss/a,{value:?}\n");
        }
        text += "50000,1,loss/a,NaN\n3,0.1,twin/loss/a,4.0\nnonsense\n49999,1,other,2.5\n50001,1,loss/a,1";
        let found = curves(text.as_bytes()).unwrap().curves;
        assert_eq!(found.keys().collect::<Vec<_>>(), ["loss/a", "other"], "neither the twin's nor what is torn");
        let found: BTreeMap<String, Vec<[f64; 2]>> =
            found.into_iter().map(|(key, curve)| (key, curve.finish())).collect();
        let loss = &found["loss/a"];
        assert!(loss.len() <= MOST_POINTS && loss.len() > MOST_POINTS / 4, "{}", loss.len());
        assert!(loss.contains(&[31_234.0, 99.0]), "the spike");
        assert_eq!((loss.last(), &*found["other"]), (Some(&[49_999.0, 5.0]), &[[49_999.0, 2.5]][..]));
        assert!(loss.windows(2).all(|pair| pair[0][0] < pair[1][0]));
    }

    #[test]
    fn curves_for_which_there_is_no_room_are_counted() {
        let line = |key: usize| format!("1,0.5,key/{key:03},1.0\n");
        let text: String = (0..MOST_CURVES + 3).chain(0..MOST_CURVES + 3).map(line).collect();
        let found = curves(text.as_bytes()).unwrap();
        assert_eq!((found.curves.len(), found.left_out.len()), (MOST_CURVES, 3));
    }

    #[test]
    fn what_is_no_run_is_said() {
        let root = tempfile::tempdir().unwrap();
        let gone = root.path().join("gone");
        assert!(read(&gone, |_| None).unwrap_err().contains("gone"));
    }
}
