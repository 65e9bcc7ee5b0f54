//! The linear probe: one linear layer on frozen features. Three protocols, because the published ones differ and the
//! number means little without its protocol.

use super::knn::{Labelled, ProbeError, accuracy};
use crate::compute::linalg::{Matrix, ridge_regression};
use crate::compute::streams;

/// How the linear layer is fitted and which accuracy counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ProbeProtocol {
    /// The replication: softmax cross-entropy, Adam (ε 10⁻⁷), learning rate 5·10⁻² → 5·10⁻⁴ by polynomial decay of power
    /// 2 over epochs·⌊n/128⌋ steps, batch 128, features as they are, accuracy of the last epoch. 100 epochs in the paper,
    /// 50 as its code's default.
    Replication { epochs: usize },
    /// The code of the original paper: features standardised, Adam 3·10⁻⁴ with coupled weight decay 10⁻³, batch 128, and the
    /// BEST test accuracy over the epochs (50), which is optimistic.
    Luckmatters { epochs: usize },
    /// Ours, for measuring often while a network trains: ridge regression on standardised features to one-hot targets, in
    /// closed form. The ridge is relative to the number of features n.
    Ridge { ridge: f64 },
}

impl ProbeProtocol {
    pub const REPLICATION: ProbeProtocol = ProbeProtocol::Replication { epochs: 100 };
    pub const LUCKMATTERS: ProbeProtocol = ProbeProtocol::Luckmatters { epochs: 50 };
    pub const RIDGE: ProbeProtocol = ProbeProtocol::Ridge { ridge: 1e-3 };

    /// The protocol in words, to be printed beside the number.
    pub fn describe(&self) -> String {
        match self {
            ProbeProtocol::Replication { epochs } => format!(
                "linear probe: softmax, Adam, learning rate 0.05 → 0.0005 (power 2), batch {BATCH}, {epochs} epochs, \
                 features not standardised, accuracy of the last epoch"
            ),
            ProbeProtocol::Luckmatters { epochs } => format!(
                "linear probe: softmax, Adam 0.0003, weight decay 0.001, batch {BATCH}, {epochs} epochs, features \
                 standardised, best test accuracy over the epochs (optimistic)"
            ),
            ProbeProtocol::Ridge { ridge } => {
                format!("linear probe: ridge regression to one-hot targets, ridge {ridge}·n, features standardised")
            }
        }
    }
}

const BATCH: usize = 128;
const BETA: [f64; 2] = [0.9, 0.999];

/// Test accuracy, 0 to 1, of a linear layer fitted to `train` by the protocol. The seed orders the batches and draws the
/// initial weights; the ridge needs none.
///
/// # Errors
/// See [`ProbeError`].
pub fn linear_probe(
    train: &Labelled<'_>,
    test: &Labelled<'_>,
    protocol: &ProbeProtocol,
    seed: u64,
) -> Result<f64, ProbeError> {
    train.check("train")?;
    test.check("test")?;
    if train.d != test.d {
        return Err(ProbeError::Shape { numbers: test.features.len(), labels: test.len(), d: train.d });
    }
    let standardised = !matches!(protocol, ProbeProtocol::Replication { .. });
    let (mean, scale) = if standardised { moments(train) } else { (vec![0.0; train.d], vec![1.0; train.d]) };
    // Column d is the bias' constant 1.
    let inputs = |of: &Labelled<'_>| {
        Matrix::from_fn(of.len(), of.d + 1, |i, j| {
            if j == of.d { 1.0 } else { (f64::from(of.row(i)[j]) - mean[j]) * scale[j] }
        })
    };
    let (x, x_test) = (inputs(train), inputs(test));
    match *protocol {
        ProbeProtocol::Ridge { ridge } => {
            let targets = Matrix::from_fn(train.len(), train.classes, |i, c| f64::from(train.labels[i] == c));
            let weights =
                ridge_regression(&x, &targets, ridge * train.len() as f64).map_err(|_| ProbeError::NoSolution)?;
            Ok(accuracy(&argmax(&x_test.times(&weights)), test.labels))
        }
        ProbeProtocol::Replication { epochs } => {
            let steps = epochs * (train.len() / BATCH).max(1);
            let optimizer = Adam {
                learning_rate: &|step| (5e-2 - 5e-4) * (1.0 - (step as f64 / steps as f64).min(1.0)).powi(2) + 5e-4,
                weight_decay: 0.0,
                epsilon: 1e-7,
            };
            let limit = (6.0 / (train.d + train.classes) as f64).sqrt();
            let initial = Initial { weights: limit, bias: 0.0 };
            let history = softmax_regression(&x, train, &x_test, test, epochs, &optimizer, initial, seed);
            Ok(history.last().copied().unwrap_or(0.0))
        }
        ProbeProtocol::Luckmatters { epochs } => {
            let optimizer = Adam { learning_rate: &|_| 3e-4, weight_decay: 1e-3, epsilon: 1e-8 };
            let limit = 1.0 / (train.d as f64).sqrt();
            let initial = Initial { weights: limit, bias: limit };
            let history = softmax_regression(&x, train, &x_test, test, epochs, &optimizer, initial, seed);
            Ok(history.into_iter().fold(0.0, f64::max))
        }
    }
}

struct Adam<'a> {
    learning_rate: &'a dyn Fn(usize) -> f64,
    /// Coupled: added to the gradient.
    weight_decay: f64,
    epsilon: f64,
}

/// Initial weights and biases are uniform in ± these.
struct Initial {
    weights: f64,
    bias: f64,
}

/// Test accuracy after every epoch.
#[expect(clippy::too_many_arguments, reason = "one caller, and every argument is a different thing")]
fn softmax_regression(
    x: &Matrix,
    train: &Labelled<'_>,
    x_test: &Matrix,
    test: &Labelled<'_>,
    epochs: usize,
    adam: &Adam<'_>,
    initial: Initial,
    seed: u64,
) -> Vec<f64> {
    let (n, inputs, classes) = (x.rows(), x.columns(), train.classes);
    let mut generator = streams::ALONE.open(seed, 0);
    let mut weights = Matrix::from_fn(inputs, classes, |i, _| {
        let limit = if i + 1 == inputs { initial.bias } else { initial.weights };
        generator.between(-1.0, 1.0) * limit
    });
    let (mut first, mut second) = (vec![0.0; inputs * classes], vec![0.0; inputs * classes]);
    let mut order: Vec<usize> = (0..n).collect();
    let batch = BATCH.min(n);
    let mut step = 0;
    let mut history = Vec::with_capacity(epochs);
    for _ in 0..epochs {
        generator.shuffle(&mut order);
        // The last, smaller batch is left out.
        for chunk in order.chunks_exact(batch) {
            let rows = Matrix::from_fn(batch, inputs, |i, j| x[(chunk[i], j)]);
            let mut error = rows.times(&weights);
            softmax(&mut error);
            for (i, row) in chunk.iter().enumerate() {
                error[(i, train.labels[*row])] -= 1.0;
            }
            let gradient = rows.transposed_times(&error).scaled(1.0 / batch as f64);
            let rate = (adam.learning_rate)(step);
            step += 1;
            let power = i32::try_from(step).unwrap_or(i32::MAX);
            let correction = (1.0 - BETA[1].powi(power)).sqrt() / (1.0 - BETA[0].powi(power));
            let moments = first.iter_mut().zip(&mut second);
            for ((w, g), (m, v)) in weights.as_mut_slice().iter_mut().zip(gradient.as_slice()).zip(moments) {
                let g = g + adam.weight_decay * *w;
                *m += (1.0 - BETA[0]) * (g - *m);
                *v += (1.0 - BETA[1]) * (g * g - *v);
                *w -= rate * correction * *m / (v.sqrt() + adam.epsilon);
            }
        }
        history.push(accuracy(&argmax(&x_test.times(&weights)), test.labels));
    }
    history
}

/// Every row to probabilities.
fn softmax(logits: &mut Matrix) {
    let classes = logits.columns();
    for row in logits.as_mut_slice().chunks_mut(classes) {
        let largest = row.iter().fold(f64::NEG_INFINITY, |m, v| m.max(*v));
        row.iter_mut().for_each(|v| *v = (*v - largest).exp());
        let total: f64 = row.iter().sum();
        row.iter_mut().for_each(|v| *v /= total);
    }
}

/// The column of the largest entry of every row, the first where several are.
fn argmax(scores: &Matrix) -> Vec<usize> {
    (0..scores.rows())
        .map(|i| {
            let row = scores.row(i);
            (0..row.len()).fold(0, |best, c| if row[c] > row[best] { c } else { best })
        })
        .collect()
}

/// Mean and reciprocal standard deviation of every channel; a constant channel is only centred.
fn moments(of: &Labelled<'_>) -> (Vec<f64>, Vec<f64>) {
    let n = of.len() as f64;
    let (mut mean, mut square) = (vec![0.0; of.d], vec![0.0; of.d]);
    for i in 0..of.len() {
        for (mean, v) in mean.iter_mut().zip(of.row(i)) {
            *mean += f64::from(*v) / n;
        }
    }
    for i in 0..of.len() {
        for ((square, v), mean) in square.iter_mut().zip(of.row(i)).zip(&mean) {
            *square += (f64::from(*v) - mean).powi(2) / n;
        }
    }
    let scale = square.iter().map(|v| if *v > 1e-24 { 1.0 / v.sqrt() } else { 1.0 }).collect();
    (mean, scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three classes around three corners, with a deterministic wobble.
    fn corners(n: usize, wobble: f32) -> (Vec<f32>, Vec<usize>) {
        let labels: Vec<usize> = (0..n).map(|i| i % 3).collect();
        let features = (0..n)
            .flat_map(|i| {
                let t = i as f32;
                let corner = [[1.0, 0.0, 5.0], [0.0, 1.0, 5.0], [-1.0, -1.0, 5.0]][i % 3];
                corner.map(|c| c + wobble * (t * 12.9898 + c).sin())
            })
            .collect();
        (features, labels)
    }

    #[test]
    fn every_protocol_separates_what_is_separable() {
        let (features, labels) = corners(600, 0.2);
        let (test_features, test_labels) = corners(90, 0.2);
        let train = Labelled { features: &features, labels: &labels, d: 3, classes: 3 };
        let test = Labelled { features: &test_features, labels: &test_labels, d: 3, classes: 3 };
        for protocol in [
            ProbeProtocol::Replication { epochs: 20 },
            ProbeProtocol::Luckmatters { epochs: 200 },
            ProbeProtocol::RIDGE,
        ] {
            let accuracy = linear_probe(&train, &test, &protocol, 3).unwrap();
            assert!(accuracy > 0.95, "{}: {accuracy}", protocol.describe());
            assert_eq!(linear_probe(&train, &test, &protocol, 3).unwrap(), accuracy, "one seed, one number");
        }
    }

    #[test]
    fn constant_features_are_at_chance() {
        let labels: Vec<usize> = (0..300).map(|i| i % 3).collect();
        let train = Labelled { features: &[0.7; 600], labels: &labels, d: 2, classes: 3 };
        let accuracy = linear_probe(&train, &train, &ProbeProtocol::RIDGE, 0).unwrap();
        assert!((accuracy - 1.0 / 3.0).abs() < 1e-9);
    }
}
