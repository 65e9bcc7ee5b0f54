//! The loss landscape of a run: its training gone through again (or its checkpoints), its weights on one slice, the curvature
//! along the way. The same for the window and for `learnscope landscape`.

use std::path::PathBuf;
use std::sync::Arc;

use super::lab::LabSpec;
use crate::compute::device;
use crate::engine::checkpoint_file;
use crate::engine::emit::Emit;
use crate::engine::event::{Change, RunHeader};
use crate::engine::experiment::{BuildRequest, Experiment, RunError};
use crate::engine::params::Params;
use crate::engine::state::RunState;
use crate::engine::twin;
use crate::landscape::{Network, Plane, Projected, Sharpness, Slice, sharpness, slice};
use crate::watch::Watch;

/// Which plane is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PlaneKind {
    /// That in which the paths are widest.
    #[default]
    Paths,
    /// Two random directions around one network's last weights, each filter of them as long as the network's own.
    Filters,
    /// Two random directions around one network's last weights, each as long as the weights.
    Random,
}

impl PlaneKind {
    pub const ALL: [Self; 3] = [Self::Paths, Self::Filters, Self::Random];

    /// Name on the command line and in files.
    pub fn id(self) -> &'static str {
        match self {
            Self::Paths => "paths",
            Self::Filters => "filters",
            Self::Random => "random",
        }
    }

    /// What it is, for people.
    pub fn about(self) -> &'static str {
        match self {
            Self::Paths => "the plane in which all paths together are widest (their two principal directions)",
            Self::Filters => {
                "two random directions around the chosen network's last weights, each filter as long as the network's own \
                 (Li et al., 2018)"
            }
            Self::Random => {
                "two random directions around the chosen network's last weights, each as long as the weights"
            }
        }
    }
}

/// Which weights are gone through.
#[derive(Debug, Clone, PartialEq)]
pub enum Way {
    /// Every step of the training, from its first weights on.
    Again,
    /// The first weights and those of these checkpoints.
    Checkpoints(Vec<PathBuf>),
}

/// What is to be computed.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    /// The values with which the run began.
    pub params: Params,
    /// What was changed on the way, in order of steps.
    pub changes: Vec<Change>,
    pub seed: u64,
    /// Steps of the whole run, and of its part that is looked at.
    pub steps: u64,
    pub until: u64,
    pub way: Way,
    pub plane: PlaneKind,
    /// Which network the plane lies around and whose loss is shown; the first where there is no such one.
    pub about: String,
    /// Samples of a side of the slice.
    pub side: usize,
    /// Half of the window's width around one network, in lengths of the directions.
    pub reach: f64,
    /// Places of each path at which the curvature is measured; 0: not at all.
    pub curvatures: usize,
    /// Of random directions.
    pub directions: u64,
}

impl Wanted {
    /// For a run with this header of which so many steps are done.
    pub fn of(header: &RunHeader, changes: &[Change], until: u64) -> Self {
        Self {
            params: header.params.clone(),
            changes: changes.iter().filter(|change| twin::plain(&change.key) == change.key).cloned().collect(),
            seed: header.seed,
            steps: header.steps,
            until: until.min(header.steps),
            way: Way::Again,
            plane: PlaneKind::Paths,
            about: String::new(),
            side: SIDE,
            reach: 1.0,
            curvatures: CURVATURES,
            directions: 0,
        }
    }
}

/// Whether a training is so short that it is gone through again where its checkpoints would do.
pub fn is_short(run: &RunState) -> bool {
    run.seconds < 60.0
}

/// Samples of a side of a slice unless asked otherwise.
pub const SIDE: usize = 41;
/// Places of a path at which the curvature is measured unless asked otherwise.
pub const CURVATURES: usize = 9;
/// Eigenvalues that are measured.
pub const EIGENVALUES: usize = 3;
/// Points of a path at most.
const POINTS: usize = 120;
/// Weights that are kept at most, of all paths together (32 bits each).
const KEPT: usize = 100_000_000;
/// Points from which the plane of the paths is found.
const PLANE_POINTS: usize = 400;

/// One network's path on the slice.
#[derive(Debug, Clone, PartialEq)]
pub struct PathOn {
    pub id: String,
    pub title: String,
    /// Learning rate at the end.
    pub rate: Option<f64>,
    /// Steps of its points.
    pub steps: Vec<u64>,
    /// Where they lie on the plane, and how far beside it they are.
    pub places: Vec<Projected>,
    /// The loss at each point, and beneath it on the plane; NaN: none.
    pub losses: Vec<f64>,
    pub beneath: Vec<f64>,
    /// Curvature at some of its steps.
    pub curvature: Vec<(u64, Sharpness)>,
}

/// A slice, the paths on it, and the curvature along them.
#[derive(Debug, Clone, PartialEq)]
pub struct Landscape {
    pub slice: Arc<Slice>,
    /// Index of the network whose loss it is.
    pub about: usize,
    pub paths: Vec<PathOn>,
    /// Share of the paths' variance that the plane of the paths holds.
    pub held: Option<f64>,
    /// Trained weights of one network.
    pub parameters: usize,
    /// What the loss is taken of, in words.
    pub of: &'static str,
}

/// A path in the space of weights.
struct Raw {
    steps: Vec<u64>,
    weights: Vec<Vec<f32>>,
}

/// Computes a landscape, on the CPU. The error says what is missing; cancelling is an error too.
pub fn compute(lab: &LabSpec, wanted: &Wanted, watch: Watch<'_>) -> Result<Landscape, String> {
    let text = |error: RunError| error.to_string();
    let (mut experiment, networks) = untrained(lab, wanted, watch)?;
    let (count, parameters) = (networks.len(), networks[0].weights.len());
    let points = (KEPT / (count * parameters).max(1)).clamp(3, POINTS);
    let work = Work::of(wanted, count, points);
    let mut paths: Vec<Raw> =
        networks.into_iter().map(|first| Raw { steps: vec![0], weights: vec![first.weights] }).collect();
    go_through(experiment.as_mut(), lab, wanted, points, &mut paths, &work, watch)?;
    let mut networks = experiment.networks().map_err(text)?;
    paths.iter_mut().for_each(Raw::end_where_it_diverged);

    let about = networks.iter().position(|network| network.id == wanted.about).unwrap_or(0);
    let (plane, held) = plane(wanted, &paths, &networks[about], about)?;
    let places: Vec<Vec<Projected>> =
        paths.iter().map(|path| path.weights.iter().map(|weights| plane.project(weights)).collect()).collect();
    let window = match wanted.plane {
        PlaneKind::Paths => crate::landscape::slice::window(places.iter().flatten().map(|place| place.at), 1e-3),
        _ => [[-wanted.reach, wanted.reach]; 2],
    };
    let watched = work.part(watch, work.training);
    let found = slice(&mut networks[about], &plane, window, [wanted.side; 2], watched.watch())
        .map_err(|error| error.to_string())?
        .ok_or(CANCELLED)?;
    drop(watched);

    let mut done = work.training + work.slice;
    let mut on = Vec::with_capacity(count);
    for ((path, places), network) in paths.iter().zip(places).zip(&mut networks) {
        let mut losses = [Vec::new(), Vec::new()];
        for (weights, place) in path.weights.iter().zip(&places) {
            if watch.cancelled() {
                return Err(CANCELLED.to_owned());
            }
            for (to, at) in losses.iter_mut().zip([weights.clone(), plane.weights(place.at)]) {
                to.push(network.loss(&at).map_err(|error| error.to_string())?);
            }
        }
        done += 2 * points;
        (watch.progress)(done, work.all);
        let mut curvature = Vec::new();
        for at in picked(path.steps.len(), wanted.curvatures) {
            let found = sharpness(network, &path.weights[at], EIGENVALUES, watch.quiet());
            curvature.extend(found.map_err(|error| error.to_string())?.map(|found| (path.steps[at], found)));
            if watch.cancelled() {
                return Err(CANCELLED.to_owned());
            }
            done += CURVATURE_WORK;
            (watch.progress)(done, work.all);
        }
        let [losses, beneath] = losses;
        on.push(PathOn {
            id: network.id.clone(),
            title: network.title.clone(),
            rate: network.rate,
            steps: path.steps.clone(),
            places,
            losses,
            beneath,
            curvature,
        });
    }
    Ok(Landscape { slice: Arc::new(found), about, paths: on, held, parameters, of: networks[about].about })
}

/// What is said of work that was cancelled.
const CANCELLED: &str = "cancelled";
/// Evaluations of one curvature, roughly.
const CURVATURE_WORK: usize = 3 * 24;

/// How much there is to do, in evaluations of a loss.
struct Work {
    training: usize,
    slice: usize,
    all: usize,
}

impl Work {
    fn of(wanted: &Wanted, networks: usize, points: usize) -> Self {
        let training = match &wanted.way {
            Way::Again => 3 * networks * wanted.until as usize,
            Way::Checkpoints(files) => files.len(),
        };
        let slice = wanted.side * wanted.side;
        let all = training + slice + networks * (2 * points + CURVATURE_WORK * wanted.curvatures);
        Self { training, slice, all }
    }

    /// The watch of the part that begins after so much.
    fn part<'a>(&self, watch: Watch<'a>, before: usize) -> Part<'a> {
        let all = self.all;
        Part { progress: Box::new(move |done, _| (watch.progress)(before + done, all)), watch }
    }
}

struct Part<'a> {
    progress: Box<dyn Fn(usize, usize) + Sync + 'a>,
    watch: Watch<'a>,
}

impl Part<'_> {
    fn watch(&self) -> Watch<'_> {
        Watch { progress: &*self.progress, cancel: self.watch.cancel }
    }
}

/// The experiment before its first step, and its networks.
fn untrained(lab: &LabSpec, wanted: &Wanted, watch: Watch<'_>) -> Result<(Box<dyn Experiment>, Vec<Network>), String> {
    (lab.read)(&wanted.params, watch.quiet()).map_err(|error| error.to_string())?;
    let device = device::cpu();
    let request = BuildRequest { params: &wanted.params, seed: wanted.seed, steps: wanted.steps, device: &device };
    let mut experiment = (lab.build)(&request).map_err(|error| error.to_string())?;
    let networks = experiment.networks().map_err(|error| error.to_string())?;
    if networks.is_empty() || networks[0].weights.is_empty() {
        return Err("this run trains no network, so there is no loss landscape; choose a run that does".to_owned());
    }
    Ok((experiment, networks))
}

/// Goes the way of the weights, and leaves the experiment at its end.
fn go_through(
    experiment: &mut dyn Experiment,
    lab: &LabSpec,
    wanted: &Wanted,
    points: usize,
    paths: &mut [Raw],
    work: &Work,
    watch: Watch<'_>,
) -> Result<(), String> {
    let text = |error: RunError| error.to_string();
    let mut keep = |experiment: &mut dyn Experiment, step: u64| -> Result<(), String> {
        for (path, network) in paths.iter_mut().zip(experiment.networks().map_err(text)?) {
            path.steps.push(step);
            path.weights.push(network.weights);
        }
        Ok(())
    };
    if let Way::Checkpoints(files) = &wanted.way {
        for file in files {
            if watch.cancelled() {
                return Err(CANCELLED.to_owned());
            }
            let checkpoint = checkpoint_file::read(file).map_err(|error| error.to_string())?;
            experiment.restore(&checkpoint).map_err(text)?;
            keep(experiment, checkpoint.step)?;
        }
        return Ok(());
    }
    experiment.begin(&mut Emit::unheard(lab.keys, 0, wanted.steps)).map_err(text)?;
    let kept = kept_steps(wanted.until, points);
    let mut changes = wanted.changes.iter().peekable();
    for step in 0..wanted.until {
        if watch.cancelled() {
            return Err(CANCELLED.to_owned());
        }
        while let Some(change) = changes.next_if(|change| change.step <= step) {
            experiment.set(&change.key, &change.value).map_err(|error| error.to_string())?;
        }
        experiment.step(&mut Emit::unheard(lab.keys, step + 1, wanted.steps)).map_err(text)?;
        if kept.binary_search(&(step + 1)).is_ok() {
            keep(experiment, step + 1)?;
        }
        (watch.progress)(work.training * (step + 1) as usize / wanted.until as usize, work.all);
    }
    Ok(())
}

/// The steps of a path's points: denser at the beginning, where weights move most.
fn kept_steps(until: u64, points: usize) -> Vec<u64> {
    let mut steps: Vec<u64> = (1..points)
        .map(|i| (until as f64 * (i as f64 / (points - 1) as f64).powf(1.5)).ceil() as u64)
        .filter(|step| *step > 0)
        .collect();
    steps.dedup();
    steps
}

/// `count` of `all` indices, evenly, the first and the last among them.
fn picked(all: usize, count: usize) -> Vec<usize> {
    let count = count.min(all);
    let mut picked: Vec<usize> = match count {
        0 => Vec::new(),
        1 => vec![all - 1],
        _ => (0..count).map(|i| (i * (all - 1) + (count - 1) / 2) / (count - 1)).collect(),
    };
    picked.dedup();
    picked
}

impl Raw {
    /// Weights that are no numbers have no place on any plane.
    fn end_where_it_diverged(&mut self) {
        let finite = self.weights.iter().take_while(|weights| weights.iter().all(|w| w.is_finite())).count();
        self.weights.truncate(finite.max(1));
        self.steps.truncate(finite.max(1));
    }
}

/// The plane that is wanted, and what it holds of the paths where it is theirs.
fn plane(wanted: &Wanted, paths: &[Raw], network: &Network, about: usize) -> Result<(Plane, Option<f64>), String> {
    let last = || paths[about].weights.last().map_or(&[][..], Vec::as_slice);
    Ok(match wanted.plane {
        PlaneKind::Filters => (Plane::filters(last(), &network.blocks, wanted.directions), None),
        PlaneKind::Random => (Plane::random(last(), wanted.directions), None),
        PlaneKind::Paths => {
            let each = (PLANE_POINTS / paths.len()).max(2);
            let points: Vec<&[f32]> = paths
                .iter()
                .flat_map(|path| picked(path.weights.len(), each).into_iter().map(|at| path.weights[at].as_slice()))
                .collect();
            let (plane, held) = Plane::of_paths(&points).map_err(|error| error.to_string())?;
            (plane, Some(held))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kept_steps_begin_densely_and_end_at_the_end() {
        assert_eq!(kept_steps(5, 120), [1, 2, 3, 4, 5]);
        let steps = kept_steps(3000, 120);
        assert_eq!((steps[0], *steps.last().unwrap()), (3, 3000));
        assert!(steps.len() < 120 && steps[1] - steps[0] < 10 && steps.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(kept_steps(0, 120).is_empty());
    }

    #[test]
    fn picked_points_hold_both_ends() {
        assert_eq!(picked(10, 3), [0, 5, 9]);
        assert_eq!((picked(2, 9), picked(1, 9), picked(5, 1)), (vec![0, 1], vec![0], vec![4]));
        assert!(picked(7, 0).is_empty() && picked(0, 3).is_empty());
    }
}
