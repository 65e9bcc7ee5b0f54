//! Host linear algebra in f64: eigenvalues, singular values, principal components, least squares (faer underneath).
//!
//! Everything here runs on the calling thread alone and gives the same bits for the same input on one machine.

mod matrix;
mod pca;

pub use matrix::Matrix;
pub use pca::{Pca, covariance, pca};

use faer::linalg::matmul::matmul;
use faer::prelude::Solve;
use faer::{Accum, MatMut, MatRef, Par, Side};

/// Why a decomposition has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LinalgError {
    #[error("the {rows} x {columns} matrix is not square")]
    NotSquare { rows: usize, columns: usize },
    #[error("the matrix holds a number that is not finite")]
    NotFinite,
    #[error("the eigenvalue iteration did not converge")]
    NoConvergence,
    #[error("the matrix is singular")]
    Singular,
    #[error("{what}: {left} rows against {right}")]
    Shape { what: &'static str, left: usize, right: usize },
}

/// A symmetric matrix A = V diag(λ) Vᵀ, λ descending.
#[derive(Debug, Clone, PartialEq)]
pub struct SymmetricEigen {
    /// λ, descending, d numbers.
    pub values: Vec<f64>,
    /// V, d x d: column j is the unit eigenvector of `values[j]`. Its sign is arbitrary, and within (nearly) equal
    /// eigenvalues its direction is too.
    pub vectors: Matrix,
}

impl SymmetricEigen {
    /// V diag(`values`) Vᵀ, d x d: a function of the decomposed matrix.
    pub fn with_values(&self, values: &[f64]) -> Matrix {
        let scaled = Matrix::from_fn(self.vectors.rows(), values.len(), |i, j| self.vectors[(i, j)] * values[j]);
        let product = scaled.times_transposed(&self.vectors);
        // Exactly symmetric, whatever the rounding of the product.
        product.symmetrised()
    }
}

/// Decomposes the symmetric part (A + Aᵀ)/2 of a d x d matrix.
///
/// # Errors
/// A matrix that is not square, or a number that is not finite.
pub fn symmetric_eigen(a: &Matrix) -> Result<SymmetricEigen, LinalgError> {
    check_square(a)?;
    let d = a.rows();
    if d == 0 {
        return Ok(SymmetricEigen { values: Vec::new(), vectors: Matrix::zeros(0, 0) });
    }
    let symmetric = a.symmetrised();
    let eigen = symmetric.view().self_adjoint_eigen(Side::Lower).map_err(|_| LinalgError::NoConvergence)?;
    let (values, vectors) = (eigen.S().column_vector(), eigen.U());
    // faer lists them ascending.
    Ok(SymmetricEigen {
        values: (0..d).rev().map(|j| values[j]).collect(),
        vectors: Matrix::from_fn(d, d, |i, j| vectors[(i, d - 1 - j)]),
    })
}

/// The eigenvalues of the symmetric part of a d x d matrix, descending.
///
/// # Errors
/// A matrix that is not square, or a number that is not finite.
pub fn symmetric_eigenvalues(a: &Matrix) -> Result<Vec<f64>, LinalgError> {
    check_square(a)?;
    if a.rows() == 0 {
        return Ok(Vec::new());
    }
    let mut values =
        a.symmetrised().view().self_adjoint_eigenvalues(Side::Lower).map_err(|_| LinalgError::NoConvergence)?;
    values.reverse();
    Ok(values)
}

/// The singular values of an m x n matrix, descending: min(m, n) numbers.
///
/// # Errors
/// A number that is not finite.
pub fn singular_values(a: &Matrix) -> Result<Vec<f64>, LinalgError> {
    check_finite(a)?;
    if a.rows() == 0 || a.columns() == 0 {
        return Ok(Vec::new());
    }
    a.view().singular_values().map_err(|_| LinalgError::NoConvergence)
}

/// A complex number: an eigenvalue of a general matrix.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Complex {
    pub re: f64,
    pub im: f64,
}

/// The eigenvalues of a general d x d matrix, by descending real part (then by descending imaginary part).
///
/// # Errors
/// A matrix that is not square, or a number that is not finite.
pub fn eigenvalues(a: &Matrix) -> Result<Vec<Complex>, LinalgError> {
    check_square(a)?;
    if a.rows() == 0 {
        return Ok(Vec::new());
    }
    // Several times faster, and without imaginary parts from rounding.
    if a.is_symmetric() {
        return Ok(symmetric_eigenvalues(a)?.into_iter().map(|re| Complex { re, im: 0.0 }).collect());
    }
    let values = a.view().eigenvalues().map_err(|_| LinalgError::NoConvergence)?;
    let mut values: Vec<Complex> = values.into_iter().map(|v| Complex { re: v.re, im: v.im }).collect();
    values.sort_by(|a, b| b.re.total_cmp(&a.re).then(b.im.total_cmp(&a.im)));
    Ok(values)
}

/// Solves (AᵀA + ridge·I) X = AᵀB: the n x k map X with A X ≈ B, for A m x n and B m x k.
///
/// # Errors
/// Unequal numbers of rows, a number that is not finite, or a singular system (use a ridge above zero).
pub fn ridge_regression(a: &Matrix, b: &Matrix, ridge: f64) -> Result<Matrix, LinalgError> {
    if a.rows() != b.rows() {
        return Err(LinalgError::Shape { what: "least squares", left: a.rows(), right: b.rows() });
    }
    check_finite(a)?;
    check_finite(b)?;
    let mut gram = a.transposed_times(a);
    for i in 0..gram.rows() {
        gram[(i, i)] += ridge;
    }
    let right = a.transposed_times(b);
    let factor = gram.view().llt(Side::Lower).map_err(|_| LinalgError::Singular)?;
    let solution = factor.solve(right.view());
    let solution = Matrix::from_fn(right.rows(), right.columns(), |i, j| solution[(i, j)]);
    if solution.is_finite() { Ok(solution) } else { Err(LinalgError::Singular) }
}

/// A Bᵀ in f32 for row-major A (m x `inner`) and B (n x `inner`): m x n, row-major. For similarities of many features,
/// where f64 would only cost time.
pub fn times_transposed_f32(a: &[f32], b: &[f32], inner: usize) -> Vec<f32> {
    let whole = |rows: &[f32]| inner > 0 && rows.len().is_multiple_of(inner);
    assert!(whole(a) && whole(b), "rows of {inner} numbers");
    let (m, n) = (a.len() / inner, b.len() / inner);
    let mut product = vec![0.0; m * n];
    let target = MatMut::from_row_major_slice_mut(&mut product, m, n);
    let (a, b) = (MatRef::from_row_major_slice(a, m, inner), MatRef::from_row_major_slice(b, n, inner));
    matmul(target, Accum::Replace, a, b.transpose(), 1.0, Par::Seq);
    product
}

fn check_square(a: &Matrix) -> Result<(), LinalgError> {
    if a.rows() != a.columns() {
        return Err(LinalgError::NotSquare { rows: a.rows(), columns: a.columns() });
    }
    check_finite(a)
}

fn check_finite(a: &Matrix) -> Result<(), LinalgError> {
    // The solvers would not end, or would answer with noise.
    if a.is_finite() { Ok(()) } else { Err(LinalgError::NotFinite) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(d: usize) -> Matrix {
        Matrix::from_fn(d, d, |i, j| ((i * 7 + j * 3) as f64 * 0.37).sin() + if i == j { 2.0 } else { 0.0 })
    }

    #[test]
    fn symmetric_eigen_rebuilds_the_symmetric_part() {
        let a = example(24);
        let eigen = symmetric_eigen(&a).unwrap();
        assert!(eigen.values.windows(2).all(|pair| pair[0] >= pair[1]));
        let difference = eigen.with_values(&eigen.values).minus(&a.symmetrised());
        assert!(difference.frobenius() < 1e-12 * a.frobenius());
        let only_values = symmetric_eigenvalues(&a).unwrap();
        assert!(only_values.iter().zip(&eigen.values).all(|(a, b)| (a - b).abs() < 1e-12));
    }

    #[test]
    fn squared_singular_values_are_the_eigenvalues_of_the_gram_matrix() {
        for a in [Matrix::from_fn(30, 6, |i, j| ((i * j) as f64 * 0.7).cos()), example(6)] {
            for a in [a.transposed(), a] {
                let values = singular_values(&a).unwrap();
                let gram = if a.rows() < a.columns() { a.times_transposed(&a) } else { a.transposed_times(&a) };
                let expected = symmetric_eigenvalues(&gram).unwrap();
                assert_eq!(values.len(), 6);
                assert!(values.iter().zip(&expected).all(|(s, l)| (s * s - l).abs() < 1e-10 * expected[0]));
            }
        }
        assert_eq!(singular_values(&Matrix::zeros(0, 3)), Ok(Vec::new()));
        assert_eq!(singular_values(&Matrix::from_fn(2, 2, |_, _| f64::INFINITY)), Err(LinalgError::NotFinite));
    }

    #[test]
    fn eigenvalues_of_a_rotation_are_a_conjugate_pair() {
        let (sin, cos) = 0.3f64.sin_cos();
        let values = eigenvalues(&Matrix::from_fn(2, 2, |i, j| [[cos, -sin], [sin, cos]][i][j])).unwrap();
        assert!(values.iter().all(|v| (v.re - cos).abs() < 1e-14));
        assert!((values[0].im - sin).abs() < 1e-14 && (values[1].im + sin).abs() < 1e-14);
    }

    #[test]
    fn least_squares_finds_the_map_that_made_the_data() {
        let a = Matrix::from_fn(40, 3, |i, j| ((i * (j + 2)) as f64 * 0.7).cos());
        let map = Matrix::from_fn(3, 2, |i, j| i as f64 - 2.0 * j as f64);
        let found = ridge_regression(&a, &a.times(&map), 0.0).unwrap();
        assert!(found.minus(&map).frobenius() < 1e-10);
    }

    #[test]
    fn numbers_that_are_not_finite_are_refused() {
        let mut a = example(4);
        a[(2, 1)] = f64::NAN;
        assert_eq!(symmetric_eigen(&a), Err(LinalgError::NotFinite));
        assert_eq!(eigenvalues(&a), Err(LinalgError::NotFinite));
        assert!(matches!(eigenvalues(&Matrix::zeros(2, 3)), Err(LinalgError::NotSquare { .. })));
    }
}
