//! The loss landscape of runs: the very training, in every lab that trains a network.

mod support;

use support::drive::Maker;

use learnscope::compute::device;
use learnscope::engine::checkpoint_file;
use learnscope::engine::event::{Change, RunHeader};
use learnscope::engine::experiment::BuildRequest;
use learnscope::engine::params::{Params, Value};
use learnscope::kit::lab::LabSpec;
use learnscope::kit::landscape::{PlaneKind, Wanted, Way, compute};
use learnscope::labs;
use learnscope::landscape::sharpness;
use learnscope::watch::Watch;

fn lab(id: &str) -> &'static LabSpec {
    labs::specs().find(|lab| lab.id == id).unwrap()
}

fn params(lab: &LabSpec, set: &[&str]) -> Params {
    let mut params = Params::defaults(lab.params);
    set.iter().for_each(|text| params.set_text(lab.params, text).unwrap());
    params
}

const SET: [&str; 13] = [
    "experiment=network",
    "hidden=4",
    "layers=1",
    "point_count=80",
    "batch_size=16",
    "learning_rate=0.05",
    "use_nag=off",
    "use_adagrad=off",
    "use_rmsprop=off",
    "use_adadelta=off",
    "use_momentum=off",
    "burn_adam=off",
    "network_steps=60",
];
const STEPS: u64 = 60;
const SEED: u64 = 7;

/// What to compute of a run of 60 steps whose learning rate changes after 30.
fn wanted(lab: &LabSpec) -> Wanted {
    let change = Change { step: 30, key: "learning_rate".to_owned(), value: Value::Float(0.2) };
    let header = RunHeader { params: params(lab, &SET), seed: SEED, steps: STEPS, ..RunHeader::default() };
    Wanted { side: 7, curvatures: 3, ..Wanted::of(&header, &[change], STEPS) }
}

#[test]
fn a_training_that_is_gone_through_again_comes_to_the_same_losses() {
    let lab = lab("optimizers");
    let mut run = Maker { build: lab.build, keys: lab.keys }.build(&params(lab, &SET), SEED, STEPS).begin();
    run.run_to(30);
    run.experiment.set("learning_rate", &Value::Float(0.2)).unwrap();
    run.run_to(STEPS);
    let wanted = wanted(lab);
    let found = compute(lab, &wanted, Watch::nobody()).unwrap();
    assert_eq!(found.paths.iter().map(|path| path.id.as_str()).collect::<Vec<_>>(), ["sgd", "adam"]);
    for path in &found.paths {
        assert_eq!((path.steps[0], *path.steps.last().unwrap()), (0, STEPS));
        let mut compared = 0;
        for (step, loss) in &run.scalars[&format!("loss/train/{}", path.id)] {
            let Ok(at) = path.steps.binary_search(step) else { continue };
            assert!((loss - path.losses[at]).abs() < 1e-5, "{} step {step}: {loss} {}", path.id, path.losses[at]);
            compared += 1;
        }
        assert!(compared > 5, "{compared}");
        // Where nothing is left out, both losses are one.
        for (place, (loss, beneath)) in path.places.iter().zip(path.losses.iter().zip(&path.beneath)) {
            assert!(place.residual > 1e-4 || (loss - beneath).abs() < 1e-4);
        }
        assert_eq!(path.curvature.len(), 3);
        assert!(path.curvature.iter().all(|(_, found)| found.largest[0] > 0.0 && found.largest[0] >= found.smallest));
    }
    // All begin at the same weights.
    assert_eq!(found.paths[0].places[0], found.paths[1].places[0]);
    assert!(found.held.unwrap() > 0.7, "{:?}", found.held);
    // Before the change of the rate, only the first part was gone through.
    let first = compute(lab, &Wanted { until: 30, ..wanted.clone() }, Watch::nobody()).unwrap();
    assert_eq!((first.paths[0].steps.last(), first.paths[0].rate), (Some(&30), Some(0.05)));
    assert_eq!(found.paths[0].rate, Some(0.2));
    // The same again gives the same.
    assert_eq!(compute(lab, &wanted, Watch::nobody()).unwrap(), found);
}

#[test]
fn random_planes_lie_around_the_chosen_networks_last_weights() {
    let lab = lab("optimizers");
    for plane in [PlaneKind::Filters, PlaneKind::Random] {
        let about = "adam".to_owned();
        let wanted = Wanted { side: 5, curvatures: 0, plane, about, ..wanted(lab) };
        let found = compute(lab, &wanted, Watch::nobody()).unwrap();
        let adam = &found.paths[found.about];
        assert_eq!(adam.id, "adam");
        let last = adam.places.last().unwrap();
        assert!(last.at[0].abs() < 1e-6 && last.at[1].abs() < 1e-6 && last.residual < 1e-5, "{last:?}");
        let middle = found.slice.value([0.0, 0.0]);
        assert!((middle - adam.losses.last().unwrap()).abs() < 1e-5, "{middle}");
        assert!(found.paths[0].places.last().unwrap().residual > 0.1, "SGD's weights lie elsewhere");
        assert!(adam.curvature.is_empty());
    }
}

#[test]
fn curvature_of_the_small_network_is_that_of_its_whole_hessian() {
    let lab = lab("optimizers");
    let (params, device) = (params(lab, &SET), device::cpu());
    let request = BuildRequest { params: &params, seed: SEED, steps: STEPS, device: &device };
    let mut experiment = (lab.build)(&request).unwrap();
    let mut network = experiment.networks().unwrap().remove(0);
    let (weights, count) = (network.weights.clone(), network.weights.len());
    let found = sharpness(&mut network, &weights, 2, Watch::nobody()).unwrap().unwrap();
    // Column by column, by differences of gradients.
    let step = 5e-3_f32;
    let mut columns = Vec::new();
    for i in 0..count {
        let mut moved = |by: f32| {
            let mut at = weights.clone();
            at[i] += by;
            network.gradient(&at).unwrap()
        };
        let (ahead, behind) = (moved(step), moved(-step));
        columns.push(ahead.iter().zip(&behind).map(|(a, b)| f64::from((a - b) / (2.0 * step))).collect::<Vec<_>>());
    }
    let hessian = learnscope::compute::linalg::Matrix::from_fn(count, count, |i, j| columns[j][i]);
    let exact = learnscope::compute::linalg::symmetric_eigenvalues(&hessian).unwrap();
    for k in 0..2 {
        assert!((found.largest[k] - exact[k]).abs() < 0.02 * exact[0], "{found:?} {:?}", &exact[..3]);
    }
}

/// The smallest run of each lab that trains a network.
const SMALL: [(&str, &[&str]); 5] = [
    ("optimizers", &["experiment=network", "hidden=3", "layers=1", "point_count=40", "batch_size=8"]),
    ("self-supervised", &["batch_size=8"]),
    ("segmentation", &["train_images=8", "validation_images=4", "test_images=4", "batch_size=2", "size=32"]),
    ("reconstruction", &["train_images=24", "unlabelled_images=24", "test_images=40"]),
    ("image-report", &["train_pairs=64", "test_pairs=16"]),
];

#[test]
fn every_lab_hands_over_its_networks_with_the_slope_of_their_loss() {
    let with_networks: Vec<&str> = labs::specs().map(|lab| lab.id).collect();
    assert_eq!(SMALL.map(|(id, _)| id).to_vec(), with_networks, "a new lab fills the hook and stands here");
    for (id, set) in SMALL {
        let lab = lab(id);
        let params = params(lab, &set.iter().copied().filter(|text| known(lab, text)).collect::<Vec<_>>());
        (lab.read)(&params, Watch::nobody()).unwrap();
        let device = device::cpu();
        let request = BuildRequest { params: &params, seed: 7, steps: 10, device: &device };
        let mut experiment = (lab.build)(&request).unwrap();
        let mut networks = experiment.networks().unwrap();
        assert!(!networks.is_empty(), "{id}");
        let network = &mut networks[0];
        let count: usize = network.blocks.iter().map(|block| block.len()).sum();
        assert_eq!(count, network.weights.len(), "{id}");
        assert!(!network.about.is_empty() && network.rate.is_some(), "{id}");
        // Along its own slope the loss falls by as much as the slope says.
        let weights = network.weights.clone();
        let slope = network.gradient(&weights).unwrap();
        let square: f64 = slope.iter().map(|g| f64::from(*g).powi(2)).sum();
        assert!(square > 0.0, "{id}");
        let by = 2e-3 / square.sqrt();
        let mut at = |by: f64| {
            let moved: Vec<f32> =
                weights.iter().zip(&slope).map(|(w, g)| (f64::from(*w) + by * f64::from(*g)) as f32).collect();
            network.loss(&moved).unwrap()
        };
        let measured = (at(by) - at(-by)) / (2.0 * by);
        assert!((measured - square).abs() < 0.1 * square, "{id}: {measured} {square}");
    }
}

fn known(lab: &LabSpec, text: &str) -> bool {
    let key = text.split('=').next().unwrap();
    lab.params.iter().any(|spec| spec.key == key)
}

#[test]
fn checkpoints_give_a_path_and_a_surface_is_refused() {
    let lab = lab("optimizers");
    let folder = tempfile::tempdir().unwrap();
    let mut run = Maker { build: lab.build, keys: lab.keys }.build(&params(lab, &SET), SEED, STEPS).begin();
    for step in [20, 30] {
        run.run_to(step);
        checkpoint_file::write(folder.path(), &run.experiment.checkpoint().unwrap()).unwrap();
    }
    let files: Vec<_> = checkpoint_file::list(folder.path()).into_iter().map(|(_, path)| path).collect();
    let wanted = Wanted { way: Way::Checkpoints(files), until: 30, curvatures: 1, ..wanted(lab) };
    let found = compute(lab, &wanted, Watch::nobody()).unwrap();
    let again = compute(lab, &Wanted { way: Way::Again, ..wanted.clone() }, Watch::nobody()).unwrap();
    for (a, b) in found.paths.iter().zip(&again.paths) {
        assert_eq!(a.steps, [0, 20, 30]);
        assert_eq!((a.steps.last(), a.losses.last()), (b.steps.last(), b.losses.last()), "{}", a.id);
    }
    let surface = Wanted { params: Params::defaults(lab.params), ..wanted };
    let why = compute(lab, &surface, Watch::nobody()).unwrap_err();
    assert!(why.contains("trains no network"), "{why}");
}
