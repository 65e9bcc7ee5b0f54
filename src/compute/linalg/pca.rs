//! Principal components: the projection in which a cloud of points is widest.

use super::{LinalgError, Matrix, symmetric_eigen};

/// The leading principal axes of a cloud of n points in d dimensions.
#[derive(Debug, Clone, PartialEq)]
pub struct Pca {
    /// The mean point, d numbers.
    pub mean: Vec<f64>,
    /// k x d: row j is the unit axis of the j-th largest variance.
    pub axes: Matrix,
    /// Variance along each axis (divided by n), descending, k numbers.
    pub variances: Vec<f64>,
}

/// The covariance d x d of the rows of `points` (n x d), divided by n.
pub fn covariance(points: &Matrix) -> Matrix {
    let mean = points.column_means();
    let centred = Matrix::from_fn(points.rows(), points.columns(), |i, j| points[(i, j)] - mean[j]);
    centred.transposed_times(&centred).scaled(1.0 / points.rows().max(1) as f64)
}

/// The k leading principal axes of the rows of `points` (n x d). An axis points to where its largest component is
/// positive, so that equal clouds give equal pictures. k is cut to d.
///
/// # Errors
/// No point, or a number that is not finite.
pub fn pca(points: &Matrix, k: usize) -> Result<Pca, LinalgError> {
    let (n, d) = (points.rows(), points.columns());
    if n == 0 {
        return Err(LinalgError::Shape { what: "principal components", left: 0, right: 1 });
    }
    let mean = points.column_means();
    let eigen = symmetric_eigen(&covariance(points))?;
    let k = k.min(d);
    let signs: Vec<f64> = (0..k)
        .map(|j| {
            let largest =
                (0..d).map(|i| eigen.vectors[(i, j)]).fold(0.0, |m: f64, v| if v.abs() > m.abs() { v } else { m });
            if largest < 0.0 { -1.0 } else { 1.0 }
        })
        .collect();
    Ok(Pca {
        mean,
        axes: Matrix::from_fn(k, d, |j, i| signs[j] * eigen.vectors[(i, j)]),
        variances: eigen.values[..k].iter().map(|v| v.max(0.0)).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stretched_cloud_shows_its_long_axis_first() {
        let points = Matrix::from_fn(200, 3, |i, j| {
            let t = i as f64 * 0.61;
            [5.0 + 4.0 * t.sin(), 0.5 * (1.7 * t).cos(), 0.05 * (2.9 * t).sin()][j]
        });
        let found = pca(&points, 2).unwrap();
        let centred = Matrix::from_fn(200, 3, |i, j| points[(i, j)] - found.mean[j]);
        let total = centred.frobenius().powi(2) / 200.0;
        assert!(found.axes[(0, 0)] > 0.99 && found.variances.iter().sum::<f64>() > 0.99 * total);
        let flat = centred.times_transposed(&found.axes);
        assert!(flat.column_means().iter().all(|mean| mean.abs() < 1e-12));
        let variance = (0..200).map(|i| flat[(i, 0)].powi(2)).sum::<f64>() / 200.0;
        assert!((variance - found.variances[0]).abs() < 1e-9 * variance);
    }
}
