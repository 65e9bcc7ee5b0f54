//! A dense f64 matrix as plain data, so that it can cross a channel and be drawn.

use std::ops::{Index, IndexMut};

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};

/// A dense matrix, row-major: entry (i, j) is `as_slice()[i * columns + j]`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Matrix {
    rows: usize,
    columns: usize,
    data: Vec<f64>,
}

/// Products with fewer multiplications than this are computed by plain loops: a blocked product costs more to set up.
const SMALL_PRODUCT: usize = 400;

impl Matrix {
    /// rows x columns zeros.
    pub fn zeros(rows: usize, columns: usize) -> Self {
        Self { rows, columns, data: vec![0.0; rows * columns] }
    }

    /// The d x d identity.
    pub fn identity(d: usize) -> Self {
        Self::from_fn(d, d, |i, j| if i == j { 1.0 } else { 0.0 })
    }

    /// The matrix of `entry(row, column)`.
    pub fn from_fn(rows: usize, columns: usize, mut entry: impl FnMut(usize, usize) -> f64) -> Self {
        let mut data = Vec::with_capacity(rows * columns);
        for i in 0..rows {
            for j in 0..columns {
                data.push(entry(i, j));
            }
        }
        Self { rows, columns, data }
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    pub fn columns(&self) -> usize {
        self.columns
    }

    /// All entries, row by row.
    pub fn as_slice(&self) -> &[f64] {
        &self.data
    }

    /// All entries, row by row.
    pub fn as_mut_slice(&mut self) -> &mut [f64] {
        &mut self.data
    }

    /// All entries in f32, row by row: for upload to a device.
    pub fn to_f32(&self) -> Vec<f32> {
        self.data.iter().map(|v| *v as f32).collect()
    }

    /// Row i, `columns` numbers.
    pub fn row(&self, i: usize) -> &[f64] {
        &self.data[i * self.columns..(i + 1) * self.columns]
    }

    /// The diagonal.
    pub fn diagonal(&self) -> Vec<f64> {
        (0..self.rows.min(self.columns)).map(|i| self[(i, i)]).collect()
    }

    pub fn trace(&self) -> f64 {
        self.diagonal().iter().sum()
    }

    /// The Frobenius norm √Σ a².
    pub fn frobenius(&self) -> f64 {
        self.data.iter().map(|v| v * v).sum::<f64>().sqrt()
    }

    /// The entrywise L1 norm Σ |a|.
    pub fn entrywise_l1(&self) -> f64 {
        self.data.iter().map(|v| v.abs()).sum()
    }

    pub fn is_finite(&self) -> bool {
        self.data.iter().all(|v| v.is_finite())
    }

    /// Whether A = Aᵀ exactly, bit by bit.
    pub fn is_symmetric(&self) -> bool {
        self.rows == self.columns && (0..self.rows).all(|i| (0..i).all(|j| self[(i, j)] == self[(j, i)]))
    }

    /// Aᵀ.
    pub fn transposed(&self) -> Self {
        Self::from_fn(self.columns, self.rows, |i, j| self[(j, i)])
    }

    /// (A + Aᵀ)/2 of a square matrix.
    pub fn symmetrised(&self) -> Self {
        assert_eq!(self.rows, self.columns, "only a square matrix has a symmetric part");
        Self::from_fn(self.rows, self.columns, |i, j| 0.5 * (self[(i, j)] + self[(j, i)]))
    }

    /// A·factor.
    pub fn scaled(&self, factor: f64) -> Self {
        Self { data: self.data.iter().map(|v| v * factor).collect(), ..*self }
    }

    /// A + B of equal shapes.
    pub fn plus(&self, other: &Self) -> Self {
        self.combine(other, |a, b| a + b)
    }

    /// A − B of equal shapes.
    pub fn minus(&self, other: &Self) -> Self {
        self.combine(other, |a, b| a - b)
    }

    fn combine(&self, other: &Self, f: impl Fn(f64, f64) -> f64) -> Self {
        assert_eq!((self.rows, self.columns), (other.rows, other.columns), "matrices of different shapes");
        Self { data: self.data.iter().zip(&other.data).map(|(a, b)| f(*a, *b)).collect(), ..*self }
    }

    /// A B for (m x k) and (k x n).
    pub fn times(&self, other: &Self) -> Self {
        assert_eq!(self.columns, other.rows, "inner sizes of a product");
        let mut product = Self::zeros(self.rows, other.columns);
        if self.rows * self.columns * other.columns < SMALL_PRODUCT {
            for i in 0..self.rows {
                let target = &mut product.data[i * other.columns..(i + 1) * other.columns];
                for (k, a) in self.row(i).iter().enumerate() {
                    for (target, b) in target.iter_mut().zip(other.row(k)) {
                        *target += a * b;
                    }
                }
            }
        } else {
            multiply(&mut product, self.view(), other.view());
        }
        product
    }

    /// Aᵀ B for (k x m) and (k x n).
    pub fn transposed_times(&self, other: &Self) -> Self {
        assert_eq!(self.rows, other.rows, "inner sizes of a product");
        if self.rows * self.columns * other.columns < SMALL_PRODUCT {
            return self.transposed().times(other);
        }
        let mut product = Self::zeros(self.columns, other.columns);
        multiply(&mut product, self.view().transpose(), other.view());
        product
    }

    /// A Bᵀ for (m x k) and (n x k).
    pub fn times_transposed(&self, other: &Self) -> Self {
        assert_eq!(self.columns, other.columns, "inner sizes of a product");
        if self.rows * self.columns * other.rows < SMALL_PRODUCT {
            return self.times(&other.transposed());
        }
        let mut product = Self::zeros(self.rows, other.rows);
        multiply(&mut product, self.view(), other.view().transpose());
        product
    }

    /// The mean of every column: the mean row of a data matrix.
    pub fn column_means(&self) -> Vec<f64> {
        let mut means = vec![0.0; self.columns];
        for i in 0..self.rows {
            for (mean, v) in means.iter_mut().zip(self.row(i)) {
                *mean += v;
            }
        }
        let n = self.rows.max(1) as f64;
        means.iter().map(|sum| sum / n).collect()
    }

    pub(super) fn view(&self) -> MatRef<'_, f64> {
        MatRef::from_row_major_slice(&self.data, self.rows, self.columns)
    }
}

fn multiply(product: &mut Matrix, a: MatRef<'_, f64>, b: MatRef<'_, f64>) {
    let (rows, columns) = (product.rows, product.columns);
    let target = MatMut::from_row_major_slice_mut(&mut product.data, rows, columns);
    matmul(target, Accum::Replace, a, b, 1.0, Par::Seq);
}

impl Index<(usize, usize)> for Matrix {
    type Output = f64;

    fn index(&self, (i, j): (usize, usize)) -> &f64 {
        debug_assert!(j < self.columns);
        &self.data[i * self.columns + j]
    }
}

impl IndexMut<(usize, usize)> for Matrix {
    fn index_mut(&mut self, (i, j): (usize, usize)) -> &mut f64 {
        debug_assert!(j < self.columns);
        &mut self.data[i * self.columns + j]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_product_agrees_with_its_definition() {
        for (m, k, n) in [(3, 4, 2), (20, 30, 25)] {
            let a = Matrix::from_fn(m, k, |i, j| (i as f64 - 0.3 * j as f64).sin());
            let b = Matrix::from_fn(k, n, |i, j| (i as f64 * 0.7 + j as f64).cos());
            let expected = Matrix::from_fn(m, n, |i, j| (0..k).map(|l| a[(i, l)] * b[(l, j)]).sum());
            for product in [a.times(&b), a.transposed().transposed_times(&b), a.times_transposed(&b.transposed())] {
                assert!(product.minus(&expected).frobenius() < 1e-12);
            }
        }
    }
}
