//! Features seen along their two widest directions, which keep their sense from one look to the next.

use crate::compute::linalg::{Matrix, pca};

/// The plane of the last look.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Projection {
    /// `[2, d]`; empty before the first look.
    axes: Vec<f64>,
}

impl Projection {
    /// Rows of `d` features along their two principal components, each turned to face that of the look before. `None` where they
    /// have none, because they are not finite or fewer than two.
    pub fn look(&mut self, features: &[f32], d: usize) -> Option<Vec<[f32; 2]>> {
        let points = Matrix::from_fn(features.len() / d, d, |i, j| f64::from(features[i * d + j]));
        let found = pca(&points, 2).ok()?;
        let mut axes = found.axes.as_slice().to_vec();
        if self.axes.len() == axes.len() {
            for (axis, before) in axes.chunks_exact_mut(d).zip(self.axes.chunks_exact(d)) {
                if axis.iter().zip(before).map(|(a, b)| a * b).sum::<f64>() < 0.0 {
                    axis.iter_mut().for_each(|v| *v = -*v);
                }
            }
        }
        let along = |i: usize, axis: usize| -> f32 {
            let axis = &axes[axis * d..(axis + 1) * d];
            (0..d).map(|j| axis[j] * (points[(i, j)] - found.mean[j])).sum::<f64>() as f32
        };
        let xy = (0..points.rows()).map(|i| [along(i, 0), along(i, 1)]).collect();
        self.axes = axes;
        Some(xy)
    }

    /// For a checkpoint.
    pub fn axes(&self) -> &[f64] {
        &self.axes
    }

    /// Puts back what [`Projection::axes`] gave.
    pub fn set_axes(&mut self, axes: Vec<f64>) {
        self.axes = axes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plane_does_not_turn_over_between_two_looks() {
        let cloud = |noise: f32| -> Vec<f32> {
            (0..40).flat_map(|i| [i as f32, (i as f32 * 1.7).sin() * 5.0, noise * (i as f32).cos()]).collect()
        };
        let mut projection = Projection::default();
        let first = projection.look(&cloud(0.1), 3).unwrap();
        for noise in [0.2, 0.5, 0.3] {
            let next = projection.look(&cloud(noise), 3).unwrap();
            assert!(first.iter().zip(&next).all(|(a, b)| (a[0] - b[0]).abs() < 1.0 && (a[1] - b[1]).abs() < 1.0));
        }
        assert_eq!(projection.look(&[f32::NAN; 6], 3), None);
    }
}
