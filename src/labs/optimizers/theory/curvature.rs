//! The second derivatives at a place: eigenvalues, eigenvectors, the local quadratic model.
//!
//! Around θ₀ a surface is f(θ) ≈ f₀ + gᵀd + ½ dᵀH d with d = θ − θ₀. Along an eigenvector of H with eigenvalue λ it is a
//! parabola of curvature λ.

use std::f64::consts::FRAC_PI_2;

/// A symmetric matrix of second derivatives.
pub type Hessian = [[f64; 2]; 2];

/// Eigenvalues, the larger first, and unit eigenvectors of a symmetric matrix.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Eigen {
    /// λ₁ ≥ λ₂.
    pub values: [f64; 2],
    /// The direction of each, of length 1, at right angles; a direction's sign means nothing.
    pub vectors: [[f64; 2]; 2],
}

/// What the signs of the curvatures make of a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Both curve upwards.
    Bowl,
    /// One upwards, one downwards.
    Saddle,
    /// Both downwards.
    Dome,
    /// One upwards, one flat.
    Trough,
    /// One downwards, one flat.
    Ridge,
    /// No curvature at all.
    Flat,
}

impl Shape {
    /// Name in sentences.
    pub fn title(self) -> &'static str {
        match self {
            Shape::Bowl => "bowl",
            Shape::Saddle => "saddle",
            Shape::Dome => "dome",
            Shape::Trough => "trough",
            Shape::Ridge => "ridge",
            Shape::Flat => "flat",
        }
    }
}

impl Eigen {
    /// Of the symmetric matrix [[a, b], [b, d]]; its two off-diagonal entries are averaged. `None` where one is not finite.
    ///
    /// With h = (a − d)/2 and r = √(h² + b²) the eigenvalues are (a + d)/2 ± r. The one of smaller size is
    /// (a d − b²) divided by the other: the difference would lose its digits where the matrix is ill-conditioned.
    pub fn of(hessian: Hessian) -> Option<Self> {
        let scale = hessian.as_flattened().iter().fold(0.0_f64, |most, v| most.max(v.abs()));
        if !hessian.as_flattened().iter().all(|v| v.is_finite()) {
            return None;
        }
        if scale == 0.0 {
            return Some(Self { values: [0.0; 2], vectors: [[1.0, 0.0], [0.0, 1.0]] });
        }
        // In units of the largest entry nothing overflows.
        let [[a, b], [c, d]] = hessian.map(|row| row.map(|v| v / scale));
        let b = 0.5 * (b + c);
        if b == 0.0 {
            let axes = [[1.0, 0.0], [0.0, 1.0]];
            let (values, vectors) = if a >= d { ([a, d], axes) } else { ([d, a], [axes[1], axes[0]]) };
            return Some(Self { values: values.map(|v| v * scale), vectors });
        }
        let (mean, half) = (0.5 * (a + d), 0.5 * (a - d));
        let radius = half.hypot(b);
        let large = if mean >= 0.0 { mean + radius } else { mean - radius };
        let small = difference_of_products(a, d, b, b) / large;
        let values = if large >= small { [large, small] } else { [small, large] };
        // Of the two rows of H − λ the longer one says the direction without cancellation.
        let first = if half >= 0.0 { [half + radius, b] } else { [b, radius - half] };
        let length = first[0].hypot(first[1]);
        let [x, y] = first.map(|v| v / length);
        Some(Self { values: values.map(|v| v * scale), vectors: [[x, y], [-y, x]] })
    }

    /// Σ λᵢ vᵢ vᵢᵀ: the matrix again.
    pub fn matrix(&self) -> Hessian {
        let [first, second] = self.vectors;
        let entry = |i: usize, j: usize| self.values[0] * first[i] * first[j] + self.values[1] * second[i] * second[j];
        [[entry(0, 0), entry(0, 1)], [entry(1, 0), entry(1, 1)]]
    }

    /// The components of a vector along the eigenvectors.
    pub fn components(&self, vector: [f64; 2]) -> [f64; 2] {
        self.vectors.map(|v| v[0] * vector[0] + v[1] * vector[1])
    }

    /// The angle of each eigenvector against the x axis, in degrees above −90 and up to 90.
    pub fn angles(&self) -> [f64; 2] {
        self.vectors.map(|[x, y]| {
            let angle = y.atan2(x);
            let half_turn = if angle > FRAC_PI_2 {
                angle - 2.0 * FRAC_PI_2
            } else if angle <= -FRAC_PI_2 {
                angle + 2.0 * FRAC_PI_2
            } else {
                angle
            };
            half_turn.to_degrees()
        })
    }

    /// An eigenvalue that is 0 but for rounding counts as flat.
    pub fn shape(&self) -> Shape {
        let most = self.values[0].abs().max(self.values[1].abs());
        let sign = |v: f64| if v.abs() <= 1e-14 * most { 0 } else { v.signum() as i32 };
        match (sign(self.values[0]), sign(self.values[1])) {
            _ if most == 0.0 => Shape::Flat,
            (1, 1) => Shape::Bowl,
            (1, -1) => Shape::Saddle,
            (1, _) => Shape::Trough,
            (-1, -1) => Shape::Dome,
            _ => Shape::Ridge,
        }
    }

    /// The condition number |λ|ₘₐₓ / |λ|ₘᵢₙ: how much more one direction is curved than the other, whatever the signs.
    /// Infinite where one direction is flat, `None` where both are.
    pub fn condition(&self) -> Option<f64> {
        let [a, b] = self.values.map(f64::abs);
        match self.shape() {
            Shape::Flat => None,
            Shape::Trough | Shape::Ridge => Some(f64::INFINITY),
            Shape::Bowl | Shape::Saddle | Shape::Dome => Some(a.max(b) / a.min(b)),
        }
    }
}

/// a b − c d with one rounding (Kahan): the second product's error is added again.
fn difference_of_products(a: f64, b: f64, c: f64, d: f64) -> f64 {
    let second = c * d;
    let lost = (-c).mul_add(d, second);
    a.mul_add(b, -second) + lost
}

/// The second-order model of a surface around a place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quadratic {
    /// Where it is expanded.
    pub at: [f64; 2],
    /// f there.
    pub value: f64,
    pub gradient: [f64; 2],
    pub hessian: Hessian,
}

impl Quadratic {
    /// The model's value at p: f₀ + gᵀd + ½ dᵀH d with d = p − θ₀.
    pub fn f(&self, p: [f64; 2]) -> f64 {
        let d = [p[0] - self.at[0], p[1] - self.at[1]];
        let [[a, b], [c, e]] = self.hessian;
        let slope = self.gradient[0] * d[0] + self.gradient[1] * d[1];
        self.value + slope + 0.5 * (a * d[0] * d[0] + (b + c) * d[0] * d[1] + e * d[1] * d[1])
    }

    /// Where the model's gradient is zero: θ₀ − H⁻¹ g, the place that Newton's method would jump to. `None` where a
    /// direction has no curvature.
    pub fn stationary(&self) -> Option<[f64; 2]> {
        let eigen = Eigen::of(self.hessian)?;
        if !matches!(eigen.shape(), Shape::Bowl | Shape::Saddle | Shape::Dome) {
            return None;
        }
        let slopes = eigen.components(self.gradient);
        let jump = [slopes[0] / eigen.values[0], slopes[1] / eigen.values[1]];
        let [v, w] = eigen.vectors;
        let place = [0, 1].map(|i| self.at[i] - (jump[0] * v[i] + jump[1] * w[i]));
        place.iter().all(|v| v.is_finite()).then_some(place)
    }
}

/// Shares of a window at which the Hessian is compared; in no simple ratio, so that no period falls between them.
const PROBES: [[f64; 2]; 7] =
    [[0.0, 0.0], [0.131, 0.717], [0.293, 0.171], [0.507, 0.461], [0.683, 0.937], [0.877, 0.319], [1.0, 0.589]];

/// The surface as one quadratic, where its Hessian is the same all over `window` (x from `window[0][0]` to `window[0][1]`,
/// y alike); `None` elsewhere.
pub fn as_quadratic(
    window: [[f64; 2]; 2],
    f: impl Fn([f64; 2]) -> f64,
    gradient: impl Fn([f64; 2]) -> [f64; 2],
    hessian: impl Fn([f64; 2]) -> Hessian,
) -> Option<Quadratic> {
    let place = |share: [f64; 2]| [0, 1].map(|i| window[i][0] + share[i] * (window[i][1] - window[i][0]));
    let at = place(PROBES[3]);
    let wanted = hessian(at);
    let scale = wanted.as_flattened().iter().fold(0.0_f64, |most, v| most.max(v.abs()));
    let alike = |other: Hessian| {
        let pairs = other.as_flattened().iter().zip(wanted.as_flattened());
        pairs.into_iter().all(|(a, b)| (a - b).abs() <= 1e-12 * scale)
    };
    if !(scale > 0.0 && PROBES.into_iter().all(|share| alike(hessian(place(share))))) {
        return None;
    }
    let quadratic = Quadratic { at, value: f(at), gradient: gradient(at), hessian: wanted };
    // Around its stationary point the numbers have no rounding of the expansion in them.
    match quadratic.stationary() {
        Some(centre) => Some(Quadratic { at: centre, value: f(centre), gradient: [0.0; 2], hessian: wanted }),
        None => Some(quadratic),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Simple pseudo-random numbers in (−1, 1).
    fn random(seed: &mut u64) -> f64 {
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*seed >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }

    #[test]
    fn eigenpairs_rebuild_the_matrix() {
        let mut seed = 1;
        for round in 0..20_000 {
            let stretch = 10f64.powi(round % 17 - 8);
            let (a, b, d) = (random(&mut seed), random(&mut seed) * stretch, random(&mut seed));
            let hessian = [[a, b], [b, d]];
            let eigen = Eigen::of(hessian).unwrap();
            let scale = a.abs().max(b.abs()).max(d.abs());
            for (found, wanted) in eigen.matrix().as_flattened().iter().zip(hessian.as_flattened()) {
                assert!((found - wanted).abs() <= 4e-15 * scale, "{hessian:?}: {eigen:?}");
            }
            let [v, w] = eigen.vectors;
            assert!((v[0].hypot(v[1]) - 1.0).abs() < 1e-15 && (v[0] * w[0] + v[1] * w[1]).abs() < 1e-16);
            assert!(eigen.values[0] >= eigen.values[1]);
        }
    }

    #[test]
    fn a_small_eigenvalue_keeps_its_digits() {
        // Eigenvalues 1 and ε, turned by an angle: the determinant is ε exactly but for rounding of the entries.
        for (hessian, small) in [
            ([[1.0, 1.0], [1.0, 1.0 + 1e-10]], 5e-11),
            ([[1e8, 1.0], [1.0, 2e-8]], 1e-8),
            ([[-1e8, 1.0], [1.0, -2e-8]], -1e-8),
        ] {
            let eigen = Eigen::of(hessian).unwrap();
            let found = if small > 0.0 { eigen.values[1] } else { eigen.values[0] };
            assert!((found / small - 1.0).abs() < 1e-5, "{hessian:?}: {found}");
        }
        let huge = Eigen::of([[1e300, 1e300], [1e300, 1e300]]).unwrap();
        assert_eq!(huge.values, [2e300, 0.0]);
        assert_eq!(Eigen::of([[f64::NAN, 0.0], [0.0, 1.0]]), None);
        assert_eq!(Eigen::of([[f64::INFINITY, 0.0], [0.0, 1.0]]), None);
    }

    #[test]
    fn signs_of_the_curvatures_name_the_place() {
        for (diagonal, shape, condition) in [
            ([1.0, 100.0], Shape::Bowl, Some(100.0)),
            ([2.0, -2.0], Shape::Saddle, Some(1.0)),
            ([-1.0, -4.0], Shape::Dome, Some(4.0)),
            ([0.0, 2.0], Shape::Trough, Some(f64::INFINITY)),
            ([0.0, -2.0], Shape::Ridge, Some(f64::INFINITY)),
            ([0.0, 0.0], Shape::Flat, None),
        ] {
            let eigen = Eigen::of([[diagonal[0], 0.0], [0.0, diagonal[1]]]).unwrap();
            assert_eq!((eigen.shape(), eigen.condition()), (shape, condition), "{diagonal:?}");
        }
        let turned = Eigen::of([[2.0, 1.0], [1.0, 2.0]]).unwrap();
        assert_eq!(turned.values, [3.0, 1.0]);
        assert!((turned.angles()[0] - 45.0).abs() < 1e-12 && (turned.angles()[1].abs() - 45.0).abs() < 1e-12);
    }

    #[test]
    fn a_quadratic_is_known_by_its_hessian_and_finds_its_centre() {
        let window = [[-10.0, 10.0], [-10.0, 10.0]];
        let booth = as_quadratic(
            window,
            |[x, y]| (x + 2.0 * y - 7.0).powi(2) + (2.0 * x + y - 5.0).powi(2),
            |[x, y]| [10.0 * x + 8.0 * y - 34.0, 8.0 * x + 10.0 * y - 38.0],
            |_| [[10.0, 8.0], [8.0, 10.0]],
        )
        .unwrap();
        assert!((booth.at[0] - 1.0).abs() < 1e-13 && (booth.at[1] - 3.0).abs() < 1e-13, "{booth:?}");
        assert!((booth.f([4.0, -1.0]) - 29.0).abs() < 1e-10, "{}", booth.f([4.0, -1.0]));
        let quartic = as_quadratic(
            window,
            |[x, _]| x.powi(4),
            |[x, _]| [4.0 * x.powi(3), 0.0],
            |[x, _]| [[12.0 * x * x, 0.0], [0.0, 0.0]],
        );
        assert_eq!(quartic, None);
        let plane = as_quadratic(window, |[x, _]| x, |_| [1.0, 0.0], |_| [[0.0; 2]; 2]);
        assert_eq!(plane, None, "a plane has no curvature to speak of");
    }
}
