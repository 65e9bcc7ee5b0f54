//! Numbers of a golden file as the tensors that train, and back.

use burn::module::{Module, Param};
use burn::tensor::{Tensor, TensorData};
use learnscope::compute::device;
use learnscope::compute::linalg::Matrix;
use learnscope::compute::readback::Reader;

/// What f32 can promise of sums of some dozen numbers near 1.
pub const F32: super::Tolerance = super::Tolerance { relative: 1e-6, absolute: 1e-6 };

/// A module of one vector.
#[derive(Module, Debug)]
pub struct Weights {
    pub weight: Param<Tensor<1>>,
}

impl Weights {
    pub fn new(values: &[f64]) -> Self {
        Self { weight: Param::from_tensor(tensor(values, [values.len()])) }
    }

    pub fn values(&self) -> Vec<f64> {
        read(self.weight.val())
    }
}

pub fn tensor<const D: usize>(values: &[f64], shape: [usize; D]) -> Tensor<D> {
    let values: Vec<f32> = values.iter().map(|value| *value as f32).collect();
    Tensor::from_data(TensorData::new(values, shape), &device::cpu())
}

/// The rows of both views in turn, `[2B, d]`: row `2b + v` is view v of picture b.
pub fn interleaved(first: &Matrix, second: &Matrix) -> Result<Tensor<2>, String> {
    let (rows, d) = (first.rows(), first.columns());
    if (second.rows(), second.columns()) != (rows, d) {
        return Err("views of different shapes".to_owned());
    }
    let values: Vec<f64> = (0..rows).flat_map(|row| [first.row(row), second.row(row)].concat()).collect();
    Ok(tensor(&values, [2 * rows, d]))
}

/// The rows of view `v` of `[2B, d]` numbers, flat.
pub fn view(values: &[f64], d: usize, v: usize) -> Vec<f64> {
    values.chunks_exact(d).skip(v).step_by(2).flatten().copied().collect()
}

pub fn read<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    let mut reader = Reader::default();
    reader.add(tensor);
    reader.read().expect("the CPU can be read").remove(0).into_iter().map(f64::from).collect()
}

pub fn as_matrix<const D: usize>(tensor: Tensor<D>, rows: usize, columns: usize) -> Matrix {
    let values = read(tensor);
    Matrix::from_fn(rows, columns, |i, j| values[i * columns + j])
}
