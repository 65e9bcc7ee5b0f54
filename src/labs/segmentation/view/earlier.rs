//! Runs that came to their test before, as the catalogue of recorded runs and this window know them, for the plot of size
//! against Dice: a study's rows become its points, several seeds of one row one point with its spread.

use std::collections::HashSet;
use std::sync::Arc;

use crate::compute::stats::Summary;
use crate::engine::catalogue::Listing;
use crate::engine::event::RunHeader;
use crate::engine::params::Params;
use crate::engine::state::RunState;
use crate::labs::segmentation::params::{FROM_FOLDER, HAUSDORFF, IMAGE_SIZE, PARAMS, net_spec};
use crate::nn::segmentation::count::{Count, count};
use crate::nn::segmentation::spec::NetSpec;
use crate::pixels::mask::border::Hausdorff;

/// Runs that are kept; older ones are dropped.
const MOST: usize = 500;
/// Id of this lab.
const LAB: &str = "segmentation";

/// When a run started, its seed and its folder: what tells runs apart.
type Identity = (String, u64, String);

/// A finished run.
#[derive(Debug, Clone, PartialEq)]
struct Earlier {
    identity: Identity,
    params: Params,
    spec: NetSpec,
    /// S, and what the network costs at it.
    side: usize,
    size: Count,
    dice: f64,
    hd95: Option<f64>,
    /// Milliseconds a step, validation included.
    time: f64,
}

/// Finished runs, the oldest first.
#[derive(Debug, Default)]
pub struct EarlierRuns {
    /// What this window saw, recorded or not.
    seen: Vec<Earlier>,
    /// What the catalogue lists, and the listing that it was taken from.
    recorded: Vec<Earlier>,
    read: Option<Arc<Listing>>,
    /// What the user does not want to see any more.
    forgotten: HashSet<Identity>,
    /// The groups as they were made last, and beside which shown run.
    grouped: Option<(Option<Identity>, Arc<Vec<Group>>)>,
}

/// Runs that differ by their seed alone.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    pub spec: NetSpec,
    /// S.
    pub side: usize,
    pub size: Count,
    /// Of the test with the best weights.
    pub dice: Summary,
    pub hd95: Summary,
    /// HD95 is MONAI's.
    pub monai: bool,
    pub time: Summary,
    pub synthetic: bool,
}

fn identity(header: &RunHeader) -> Identity {
    (header.started.clone(), header.seed, header.folder.clone())
}

fn is_of((started, seed, folder): &Identity, header: &RunHeader) -> bool {
    (started, *seed, folder) == (&header.started, header.seed, &header.folder)
}

impl Earlier {
    /// A run of so many steps and seconds; `None`: it has not been tested, or is of another lab or version.
    /// `last`: the step and the value at the end of a key.
    fn of(header: &RunHeader, step: u64, seconds: f64, last: impl Fn(&str) -> Option<(u64, f64)>) -> Option<Self> {
        let (_, dice) = last("test/dice")?;
        if step == 0 || header.lab != LAB || PARAMS.iter().any(|spec| header.params.get(spec.key).is_none()) {
            return None;
        }
        let (spec, side) = (net_spec(&header.params), IMAGE_SIZE.of(&header.params) as usize);
        Some(Self {
            identity: identity(header),
            params: header.params.clone(),
            spec,
            side,
            size: count(&spec, side, side).ok()?.total,
            dice,
            // A test without any defined distance has none; an older one does not count for it.
            // Nor has one in mm, beside the paper's in pixels.
            hd95: last("test/hd95")
                .filter(|(at, _)| *at == step && last("pixel_area").is_none())
                .map(|(_, value)| value),
            time: 1000.0 * seconds / step as f64,
        })
    }
}

impl EarlierRuns {
    /// Takes a run that has been tested; each one once.
    pub fn remember(&mut self, run: &RunState) {
        let Some(header) = run.header.as_ref().filter(|_| run.last("test/dice").is_some()) else { return };
        // Asked in every frame: nothing is copied before it is known to be new.
        if self.seen.iter().any(|known| is_of(&known.identity, header) && known.params == header.params) {
            return;
        }
        let last = |key: &str| run.scalars.get(key).and_then(|history| history.last());
        let Some(new) = Earlier::of(header, run.step, run.seconds, last) else { return };
        if self.seen.len() == MOST {
            self.seen.remove(0);
        }
        self.seen.push(new);
        self.grouped = None;
    }

    /// Takes the recorded runs, also those that ended while another lab was in front or before this window was opened.
    pub fn read(&mut self, listing: &Arc<Listing>) {
        if self.read.as_ref().is_some_and(|known| Arc::ptr_eq(known, listing)) {
            return;
        }
        (self.read, self.grouped) = (Some(listing.clone()), None);
        let tested = listing.runs.iter().filter_map(|run| {
            let header = run.header.as_ref()?;
            Earlier::of(header, run.step, run.seconds?, |key| run.last(key))
        });
        self.recorded = tested.filter(|run| !self.forgotten.contains(&run.identity)).take(MOST).collect();
        self.recorded.reverse();
    }

    /// Forgets all of them.
    pub fn clear(&mut self) {
        self.forgotten.extend(self.all().map(|run| run.identity.clone()).collect::<Vec<_>>());
        self.seen.clear();
        self.recorded.clear();
        self.grouped = None;
    }

    pub fn is_empty(&self) -> bool {
        self.all().next().is_none()
    }

    /// Each run once.
    fn all(&self) -> impl Iterator<Item = &Earlier> {
        let is_seen = |run: &&Earlier| self.seen.iter().any(|seen| seen.identity == run.identity);
        self.recorded.iter().filter(move |run| !is_seen(run)).chain(&self.seen)
    }

    /// Runs of the same parameters together, but for a group that is the shown run alone. Made anew only when something has
    /// changed.
    pub fn groups(&mut self, shown: Option<&RunHeader>) -> Arc<Vec<Group>> {
        let shown = shown.map(identity);
        if let Some((beside, groups)) = &self.grouped
            && *beside == shown
        {
            return groups.clone();
        }
        let mut members: Vec<Vec<&Earlier>> = Vec::new();
        for run in self.all() {
            match members.iter_mut().find(|group| group[0].params == run.params) {
                Some(group) => group.push(run),
                None => members.push(vec![run]),
            }
        }
        let alone = |group: &&Vec<&Earlier>| group.len() == 1 && shown.as_ref() == Some(&group[0].identity);
        let groups = Arc::new(members.iter().filter(|group| !alone(group)).map(|group| Group::of(group)).collect());
        self.grouped = Some((shown, Arc::clone(&groups)));
        groups
    }
}

impl Group {
    /// Of at least one run, all with the same parameters.
    fn of(runs: &[&Earlier]) -> Self {
        let first = runs[0];
        Self {
            spec: first.spec,
            side: first.side,
            size: first.size,
            dice: Summary::of(runs.iter().map(|run| Some(run.dice))),
            hd95: Summary::of(runs.iter().map(|run| run.hd95)),
            monai: HAUSDORFF.of(&first.params) == Hausdorff::Directed95,
            time: Summary::of(runs.iter().map(|run| Some(run.time))),
            synthetic: !FROM_FOLDER.of(&first.params),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::event::{Body, Event, RunId};

    fn run(seed: u64, set: &[&str], dice: Option<f64>) -> RunState {
        let mut params = Params::defaults(PARAMS);
        set.iter().for_each(|text| params.set_text(PARAMS, text).unwrap());
        let header = RunHeader {
            lab: "segmentation".to_owned(),
            params,
            seed,
            steps: 100,
            started: "now".to_owned(),
            ..RunHeader::default()
        };
        let mut state = RunState::default();
        state.apply(&Event { run: RunId(1), step: 0, seconds: 0.0, body: Body::Started(Box::new(header)) });
        let scalars: Vec<_> = dice.into_iter().map(|dice| ("test/dice".into(), dice)).collect();
        state.apply(&Event { run: RunId(1), step: 100, seconds: 5.0, body: Body::Scalars(scalars) });
        state
    }

    #[test]
    fn seeds_of_one_row_are_one_point_and_every_run_counts_once() {
        let mut runs = EarlierRuns::default();
        runs.remember(&run(1, &[], None));
        assert!(runs.is_empty(), "a run that was not tested has nothing to show");
        for (seed, dice) in [(1, 0.8), (2, 0.9), (2, 0.9)] {
            runs.remember(&run(seed, &[], Some(dice)));
        }
        let light = run(1, &["architecture=light"], Some(0.7));
        runs.remember(&light);
        let groups = runs.groups(None);
        assert_eq!(groups.len(), 2);
        assert_eq!((groups[0].dice.count, groups[0].hd95.mean), (2, None));
        assert!((groups[0].dice.mean.unwrap() - 0.85).abs() < 1e-12 && groups[0].dice.std_sample.unwrap() > 0.07);
        assert_eq!(groups[0].time.mean, Some(50.0));
        assert_eq!(groups[1].size.parameters, count(&net_spec(&light.params), 64, 64).unwrap().total.parameters);
        assert_eq!(runs.groups(light.header.as_ref()).len(), 1, "the shown run has a point of its own");
        runs.clear();
        assert!(runs.groups(None).is_empty());
    }

    #[test]
    fn runs_that_nobody_watched_are_points_too_and_stay_forgotten() {
        use crate::engine::catalogue::{Recorded, Standing};
        let recorded = |seed: u64, dice: Option<f64>, lab: &str| {
            let mut header = run(seed, &[], None).header.unwrap();
            (header.lab, header.folder) = (lab.to_owned(), format!("/runs/{seed}"));
            Arc::new(Recorded {
                folder: header.folder.clone().into(),
                header: Some(header),
                standing: Standing::Finished,
                problem: String::new(),
                step: 100,
                seconds: Some(5.0),
                checkpoint: None,
                bytes: 0,
                last: dice.into_iter().map(|dice| ("test/dice".to_owned(), 100, dice)).collect(),
            })
        };
        let listing = |runs: Vec<Arc<Recorded>>| Arc::new(Listing { runs, ..Listing::default() });
        let all = || {
            vec![
                recorded(3, Some(0.9), LAB),
                recorded(2, None, LAB),
                recorded(1, Some(0.8), LAB),
                recorded(4, Some(0.1), "other"),
            ]
        };
        let mut runs = EarlierRuns::default();
        runs.read(&listing(all()));
        let groups = runs.groups(None);
        assert_eq!((groups.len(), groups[0].dice.count), (1, 2));
        assert_eq!(groups[0].time.mean, Some(50.0));
        // One of them is on the screen as well.
        let mut shown = run(3, &[], Some(0.9));
        shown.header.as_mut().unwrap().folder = "/runs/3".to_owned();
        runs.remember(&shown);
        assert_eq!(runs.groups(None)[0].dice.count, 2, "it counts once");
        runs.clear();
        runs.read(&listing(all()));
        assert!(runs.is_empty(), "a new look at the disk does not bring them back");
        runs.read(&listing(vec![recorded(5, Some(0.7), LAB)]));
        assert_eq!(runs.groups(None).len(), 1);
    }
}
