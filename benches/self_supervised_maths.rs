//! Times of the self-supervised lab's mathematics: the eigen-analysis that runs beside the training, and the theory
//! panel that every slider recomputes. `cargo bench --bench self_supervised_maths`

use std::hint::black_box;
use std::time::Instant;

use learnscope::compute::linalg::Matrix;
use learnscope::labs::self_supervised::direct_pred::DirectPred;
use learnscope::labs::self_supervised::theory::basin::{Bounds, PredictorDecay, basin_map};
use learnscope::labs::self_supervised::theory::matrix::{Data, MatrixDynamics, Start, Target, simulate};
use learnscope::labs::self_supervised::theory::modes::ModeDynamics;
use learnscope::labs::self_supervised::theory::portrait::{path_from, phase_portrait};
use learnscope::metrics::alignment::eigenspaces;
use learnscope::metrics::collapse::feature_statistics;
use learnscope::metrics::knn::{KnnProtocol, Labelled, knn_accuracy};
use learnscope::metrics::linear_probe::{ProbeProtocol, linear_probe};

/// Prints the fastest (on a busy machine the one that counts) and the median of `rounds` calls.
fn time<T>(what: &str, rounds: usize, mut call: impl FnMut() -> T) {
    let mut times: Vec<f64> = (0..rounds)
        .map(|_| {
            let start = Instant::now();
            black_box(call());
            start.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    times.sort_by(f64::total_cmp);
    println!("{what:<62} fastest {:>9.3} ms, median {:>9.3} ms", times[0], times[rounds / 2]);
}

/// Numbers without structure, the same in every run.
fn noise(rows: usize, columns: usize, salt: f64) -> Matrix {
    Matrix::from_fn(rows, columns, |i, j| ((i * 131 + j * 17) as f64 * 0.618 + salt).sin() * 43_758.5 % 1.0)
}

fn main() {
    for d in [64, 128] {
        let (z, wp) = (noise(256, d, 0.1), noise(d, d, 0.3));
        let f = z.transposed_times(&z).scaled(1.0 / 256.0);
        time(&format!("eigen-analysis of F and Wp, {d} x {d}"), 40, || eigenspaces(&f, &wp));
        time(&format!("DirectPred, {d} x {d}"), 40, || DirectPred::default().predictor(&f));
        time(&format!("measures of collapse, batch 128, d = {d}"), 40, || feature_statistics(&z));
    }

    let (train, test) = (noise(4000, 64, 0.4).to_f32(), noise(1000, 64, 0.5).to_f32());
    let (train_labels, test_labels): (Vec<usize>, Vec<usize>) =
        ((0..4000).map(|i| i % 10).collect(), (0..1000).map(|i| i % 10).collect());
    let train = Labelled { features: &train, labels: &train_labels, d: 64, classes: 10 };
    let test = Labelled { features: &test, labels: &test_labels, d: 64, classes: 10 };
    time("kNN, 4000 known, 1000 asked, d = 64", 10, || knn_accuracy(&train, &test, &KnnProtocol::SMALL));
    time("linear probe by ridge, the same", 10, || linear_probe(&train, &test, &ProbeProtocol::RIDGE, 0));
    let protocol = ProbeProtocol::REPLICATION;
    time("linear probe of the replication, 100 epochs, the same", 3, || linear_probe(&train, &test, &protocol, 0));

    let modes = ModeDynamics::default();
    let bounds = Bounds::of(&modes);
    time("phase portrait, whole", 200, || phase_portrait(black_box(&modes), &bounds));
    time("path from a clicked start", 200, || path_from(black_box(&modes), [0.1, 0.2], 400.0));
    let etas: Vec<f64> = (1..=48).map(|i| 0.005 * f64::from(i)).collect();
    let rates: Vec<f64> = (0..32).map(|i| 0.1 * 1.2f64.powi(i)).collect();
    time("basin map, 48 x 32", 40, || basin_map(&modes, &etas, &rates, PredictorDecay::Equal, &bounds));

    for d in [3, 8, 16] {
        let dynamics = MatrixDynamics {
            eta: 0.05,
            eta_p: 0.05,
            alpha_p: 2.0,
            target: Target::Following { beta: 0.4 },
            symmetrise: false,
            data: Data::Isotropic { sigma2: 0.1 },
        };
        let start = Start { features: d, inputs: d, ..Start::default() }.state();
        time(&format!("matrix simulator, d = {d}, time 40, 800 steps, 81 snapshots"), 20, || {
            simulate(&dynamics, &start, 0.05, 40.0, 81)
        });
    }
}
