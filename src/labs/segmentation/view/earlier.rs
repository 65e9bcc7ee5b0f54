//! Runs that came to their test while this window was open, for the plot of size against Dice: a study's rows become its
//! points, several seeds of one row one point with its spread.

use crate::engine::event::RunHeader;
use crate::engine::params::Params;
use crate::engine::state::RunState;
use crate::labs::segmentation::params::{PARAMS, net_spec};
use crate::metrics::summary::Summary;
use crate::nn::segmentation::count::{Count, count};
use crate::nn::segmentation::spec::NetSpec;

/// Runs that are kept; older ones are dropped.
const MOST: usize = 500;

/// A finished run.
#[derive(Debug, Clone, PartialEq)]
struct Earlier {
    /// When it started, its seed and its folder: what tells runs apart.
    identity: (String, u64, String),
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

/// Finished runs in the order in which they were seen.
#[derive(Debug, Default)]
pub struct EarlierRuns(Vec<Earlier>);

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

fn identity(header: &RunHeader) -> (String, u64, String) {
    (header.started.clone(), header.seed, header.folder.clone())
}

fn is_of((started, seed, folder): &(String, u64, String), header: &RunHeader) -> bool {
    (started, *seed, folder) == (&header.started, header.seed, &header.folder)
}

impl EarlierRuns {
    /// Takes a run that has been tested; each one once.
    pub fn remember(&mut self, run: &RunState) {
        let (Some(header), Some(dice)) = (&run.header, run.last("test/dice")) else { return };
        if run.step == 0 || PARAMS.iter().any(|spec| header.params.get(spec.key).is_none()) {
            return;
        }
        // Asked in every frame: nothing is copied before it is known to be new.
        if self.0.iter().any(|known| is_of(&known.identity, header) && known.params == header.params) {
            return;
        }
        let (spec, side) = (net_spec(&header.params), header.params.int("image_size") as usize);
        let Ok(size) = count(&spec, side, side) else { return };
        if self.0.len() == MOST {
            self.0.remove(0);
        }
        // A test without any defined distance has none; an older one does not count for it.
        let hd95 = run.scalars.get("test/hd95").and_then(|history| history.last());
        self.0.push(Earlier {
            identity: identity(header),
            params: header.params.clone(),
            spec,
            side,
            size: size.total,
            dice,
            hd95: hd95.filter(|(step, _)| *step == run.step).map(|(_, value)| value),
            time: 1000.0 * run.seconds / run.step as f64,
        });
    }

    /// Forgets all of them.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Runs of the same parameters together, but for a group that is the shown run alone.
    pub fn groups(&self, shown: Option<&RunHeader>) -> Vec<Group> {
        let mut first: Vec<&Earlier> = Vec::new();
        for run in &self.0 {
            if !first.iter().any(|known| known.params == run.params) {
                first.push(run);
            }
        }
        let group = |first: &Earlier| {
            let runs = || self.0.iter().filter(|run| run.params == first.params);
            Group {
                spec: first.spec,
                side: first.side,
                size: first.size,
                dice: Summary::of(runs().map(|run| Some(run.dice))),
                hd95: Summary::of(runs().map(|run| run.hd95)),
                monai: first.params.text("hd95") == "monai",
                time: Summary::of(runs().map(|run| Some(run.time))),
                synthetic: first.params.text("source") == "synthetic",
            }
        };
        let alone = |first: &Earlier| {
            shown.is_some_and(|header| is_of(&first.identity, header))
                && self.0.iter().filter(|run| run.params == first.params).count() == 1
        };
        first.into_iter().filter(|first| !alone(first)).map(group).collect()
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
}
