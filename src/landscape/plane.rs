//! Planes in the space of weights, and what lies beside them.

use super::network::Block;
use crate::compute::linalg::{LinalgError, Matrix, symmetric_eigen};
use crate::compute::streams;
use crate::nn::parameters::Role;

/// The weights `origin + a u + b v`.
#[derive(Debug, Clone, PartialEq)]
pub struct Plane {
    /// `[P]`
    pub origin: Vec<f32>,
    /// Two directions `[P]`, not necessarily of length one nor at right angles.
    pub directions: [Vec<f32>; 2],
}

/// Where a point lies on a plane: the nearest place of it, and how far that is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Projected {
    /// (a, b)
    pub at: [f64; 2],
    /// Distance of the point from the plane, in units of the weights: what a picture of the plane leaves out.
    pub residual: f64,
}

impl Plane {
    /// The weights at (a, b), `[P]`.
    pub fn weights(&self, [a, b]: [f64; 2]) -> Vec<f32> {
        let [u, v] = &self.directions;
        let at = |i: usize| f64::from(self.origin[i]) + a * f64::from(u[i]) + b * f64::from(v[i]);
        (0..self.origin.len()).map(|i| at(i) as f32).collect()
    }

    /// The place of the plane that is nearest to `point` `[P]` (least squares), and the distance to it.
    pub fn project(&self, point: &[f32]) -> Projected {
        let [u, v] = &self.directions;
        let (mut uu, mut uv, mut vv, mut du, mut dv) = (0.0, 0.0, 0.0, 0.0, 0.0);
        let each = || {
            u.iter()
                .zip(v)
                .zip(self.origin.iter().zip(point))
                .map(|((u, v), (o, p))| (f64::from(*u), f64::from(*v), f64::from(*p) - f64::from(*o)))
        };
        for (u, v, d) in each() {
            uu += u * u;
            uv += u * v;
            vv += v * v;
            du += d * u;
            dv += d * v;
        }
        let determinant = uu * vv - uv * uv;
        // Directions that are one, or nothing, span a line or a point.
        let at = if determinant > 1e-12 * uu * vv {
            [(vv * du - uv * dv) / determinant, (uu * dv - uv * du) / determinant]
        } else if uu > 0.0 {
            [du / uu, 0.0]
        } else {
            [0.0; 2]
        };
        let residual = each().map(|(u, v, d)| (d - at[0] * u - at[1] * v).powi(2)).sum::<f64>().sqrt();
        Projected { at, residual }
    }

    /// Two random directions around `origin` that stay the same for one seed, each as long as the origin is from zero.
    pub fn random(origin: &[f32], seed: u64) -> Self {
        let length = norm(origin).max(f64::MIN_POSITIVE);
        let directions = [0, 1].map(|which| {
            let direction = gaussian(origin.len(), seed, which);
            let factor = length / norm(&direction).max(f64::MIN_POSITIVE);
            direction.iter().map(|x| (f64::from(*x) * factor) as f32).collect()
        });
        Self { origin: origin.to_vec(), directions }
    }

    /// Two random directions whose every filter is as long as the origin's own (Li et al., 2018, section 4: filter
    /// normalisation), so that networks of other scales can be compared. Biases and normalisations stay.
    pub fn filters(origin: &[f32], blocks: &[Block], seed: u64) -> Self {
        let directions = [0, 1].map(|which| {
            let mut direction = gaussian(origin.len(), seed, which);
            let mut start = 0;
            for block in blocks {
                let range = start..start + block.len();
                start = range.end;
                let part = &mut direction[range.clone()];
                if block.role != Role::Weight {
                    part.fill(0.0);
                    continue;
                }
                let mut lengths = vec![[0.0_f64; 2]; block.filters()];
                for (at, (d, w)) in part.iter().zip(&origin[range]).enumerate() {
                    let [of_direction, of_origin] = &mut lengths[block.filter(at)];
                    *of_direction += f64::from(*d).powi(2);
                    *of_origin += f64::from(*w).powi(2);
                }
                for (at, d) in part.iter_mut().enumerate() {
                    let [of_direction, of_origin] = lengths[block.filter(at)];
                    *d = (f64::from(*d) * (of_origin / of_direction.max(f64::MIN_POSITIVE)).sqrt()) as f32;
                }
            }
            direction
        });
        Self { origin: origin.to_vec(), directions }
    }

    /// The plane in which paths are widest: the two leading principal directions of all their points (each `[P]`), of
    /// length one and at right angles, around their mean; and the share of the points' variance that it holds.
    ///
    /// # Errors
    /// No point, or weights that are not finite.
    pub fn of_paths(points: &[&[f32]]) -> Result<(Self, f64), LinalgError> {
        let Some(first) = points.first() else {
            return Err(LinalgError::Shape { what: "a plane of paths", left: 0, right: 1 });
        };
        let n = points.len();
        let mean: Vec<f64> =
            (0..first.len()).map(|i| points.iter().map(|point| f64::from(point[i])).sum::<f64>() / n as f64).collect();
        // There are far fewer points than weights, so the small matrix of their products is decomposed.
        let centred = |j: usize| points[j].iter().zip(&mean).map(|(x, mean)| f64::from(*x) - mean);
        let mut products = Matrix::zeros(n, n);
        for i in 0..n {
            for j in 0..=i {
                let product: f64 = centred(i).zip(centred(j)).map(|(a, b)| a * b).sum();
                (products[(i, j)], products[(j, i)]) = (product, product);
            }
        }
        let eigen = symmetric_eigen(&products)?;
        let all: f64 = eigen.values.iter().map(|value| value.max(0.0)).sum();
        let value = |k: usize| eigen.values.get(k).copied().unwrap_or(0.0).max(0.0);
        let directions = [0, 1].map(|k| {
            let mut direction = vec![0.0; first.len()];
            if value(k) <= 1e-12 * all {
                return direction.into_iter().map(|x: f64| x as f32).collect();
            }
            for j in 0..n {
                let share = eigen.vectors[(j, k)] / value(k).sqrt();
                direction.iter_mut().zip(centred(j)).for_each(|(sum, x)| *sum += share * x);
            }
            let largest = direction.iter().fold(0.0, |m: f64, x| if x.abs() > m.abs() { *x } else { m });
            direction.iter().map(|x| (x * largest.signum()) as f32).collect::<Vec<f32>>()
        });
        let held = if all > 0.0 { (value(0) + value(1)) / all } else { 1.0 };
        Ok((Self { origin: mean.iter().map(|x| *x as f32).collect(), directions }, held))
    }
}

/// Standard normal numbers `[count]` of one seed: of the first or second direction.
fn gaussian(count: usize, seed: u64, which: u64) -> Vec<f32> {
    let mut rng = streams::ALONE.open(seed, 2 + which);
    (0..count).map(|_| rng.normal() as f32).collect()
}

/// Euclidean length.
pub fn norm(x: &[f32]) -> f64 {
    x.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers without a pattern.
    fn numbers(count: usize, salt: u64) -> Vec<f32> {
        let mut rng = streams::ALONE.open(salt, 1);
        (0..count).map(|_| rng.between(-1.0, 1.0) as f32).collect()
    }

    fn distance(a: &[f32], b: &[f32]) -> f64 {
        a.iter().zip(b).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum::<f64>().sqrt()
    }

    #[test]
    fn the_residual_is_the_distance_to_the_nearest_weights_of_the_plane() {
        let plane = Plane { origin: numbers(300, 1), directions: [numbers(300, 2), numbers(300, 3)] };
        for salt in 4..20 {
            let point = numbers(300, salt);
            let found = plane.project(&point);
            let true_distance = distance(&plane.weights(found.at), &point);
            assert!((found.residual - true_distance).abs() < 1e-6 * true_distance, "{found:?} {true_distance}");
            for [da, db] in [[0.01, 0.0], [-0.01, 0.0], [0.0, 0.01], [0.0, -0.01]] {
                let near = distance(&plane.weights([found.at[0] + da, found.at[1] + db]), &point);
                assert!(near > true_distance, "{near} {true_distance}");
            }
        }
        let on_it = plane.project(&plane.weights([0.3, -1.7]));
        assert!((on_it.at[0] - 0.3).abs() < 1e-6 && (on_it.at[1] + 1.7).abs() < 1e-6 && on_it.residual < 1e-5);
    }

    #[test]
    fn directions_that_are_one_or_none_still_have_a_nearest_place() {
        let u = numbers(50, 1);
        let line = Plane { origin: vec![0.0; 50], directions: [u.clone(), u] };
        let point = numbers(50, 2);
        let found = line.project(&point);
        assert!((found.residual - distance(&line.weights(found.at), &point)).abs() < 1e-6);
        let nothing = Plane { origin: vec![0.0; 50], directions: [vec![0.0; 50], vec![0.0; 50]] };
        assert!((nothing.project(&point).residual - norm(&point)).abs() < 1e-9);
    }

    #[test]
    fn every_filter_of_a_normalised_direction_is_as_long_as_the_networks_own() {
        let blocks = [
            Block { name: "weight".to_owned(), role: Role::Weight, shape: vec![5, 3] },
            Block { name: "bias".to_owned(), role: Role::Bias, shape: vec![3] },
            Block { name: "conv".to_owned(), role: Role::Weight, shape: vec![4, 2, 3, 3] },
        ];
        let origin = numbers(15 + 3 + 72, 7);
        let plane = Plane::filters(&origin, &blocks, 3);
        assert_ne!(plane.directions[0], plane.directions[1]);
        for direction in &plane.directions {
            assert!(direction[15..18].iter().all(|x| *x == 0.0), "biases stay");
            for (block, start) in [(&blocks[0], 0), (&blocks[2], 18)] {
                for filter in 0..block.filters() {
                    let of = |x: &[f32]| {
                        let own = (0..block.len()).filter(|at| block.filter(*at) == filter);
                        norm(&own.map(|at| x[start + at]).collect::<Vec<_>>())
                    };
                    assert!((of(direction) - of(&origin)).abs() < 1e-5, "{filter} of {}", block.name);
                }
            }
        }
        assert_eq!(plane, Plane::filters(&origin, &blocks, 3), "the same for one seed");
        assert_ne!(plane, Plane::filters(&origin, &blocks, 4));
        let random = Plane::random(&origin, 3);
        assert!((norm(&random.directions[0]) - norm(&origin)).abs() < 1e-4);
    }

    #[test]
    fn the_plane_of_paths_holds_paths_that_are_flat() {
        let (o, u, v) = (numbers(200, 1), numbers(200, 2), numbers(200, 3));
        let flat = Plane { origin: o, directions: [u, v] };
        let points: Vec<Vec<f32>> =
            (0..30).map(|i| flat.weights([f64::from(i) * 0.1, (f64::from(i) * 0.3).sin()])).collect();
        let of: Vec<&[f32]> = points.iter().map(Vec::as_slice).collect();
        let (plane, held) = Plane::of_paths(&of).unwrap();
        assert!(held > 1.0 - 1e-6, "{held}");
        assert!((norm(&plane.directions[0]) - 1.0).abs() < 1e-5 && (norm(&plane.directions[1]) - 1.0).abs() < 1e-5);
        for point in &points {
            assert!(plane.project(point).residual < 1e-4);
        }
        // A third direction is told as what it is: left out.
        let mut bent = points.clone();
        bent[29].iter_mut().zip(numbers(200, 9)).for_each(|(x, d)| *x += d);
        let of: Vec<&[f32]> = bent.iter().map(Vec::as_slice).collect();
        let (plane, held) = Plane::of_paths(&of).unwrap();
        assert!(held < 0.999, "{held}");
        let lost: f64 = of.iter().map(|point| plane.project(point).residual.powi(2)).sum();
        let mean: Vec<f32> = plane.origin.clone();
        let all: f64 = of.iter().map(|point| distance(point, &mean).powi(2)).sum();
        assert!((lost / all - (1.0 - held)).abs() < 1e-4, "{lost} of {all}, held {held}");
        let (point, held) = Plane::of_paths(&[&points[0]]).unwrap();
        assert!(held == 1.0 && point.project(&points[0]).residual < 1e-6);
        assert!(Plane::of_paths(&[]).is_err());
        assert!(Plane::of_paths(&[&[f32::NAN, 0.0], &[1.0, 2.0]]).is_err());
    }
}
