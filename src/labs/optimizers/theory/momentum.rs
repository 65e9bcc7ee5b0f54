//! Gradient descent with and without momentum on a quadratic, direction by direction.
//!
//! Along an eigenvector with curvature λ, the distance z from the centre follows a recurrence of two terms,
//!
//! z₍ₖ₊₁₎ = t zₖ − d z₍ₖ₋₁₎, with z₁ = (1 − ηλ) z₀ because there is no velocity at first.
//!
//! | | t | d |
//! |---|---|---|
//! | heavy ball, v ← μ v − η g(θ) | 1 + μ − ηλ | μ |
//! | Nesterov, v ← μ v − η g(θ + μ v) | (1 + μ)(1 − ηλ) | μ (1 − ηλ) |
//!
//! Its behaviour is that of the roots of r² − t r + d: the larger of their sizes is the factor by which z shrinks in the
//! long run (the spectral radius of the iteration matrix [[t, −d], [1, 0]]). Gradient descent is the heavy ball with μ = 0.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::curvature::{Eigen, Shape};

/// Which momentum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Method {
    #[default]
    HeavyBall,
    Nesterov,
}

/// How a direction behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Regime {
    /// It shrinks without changing sign in the long run.
    Monotone,
    /// It shrinks and changes sign again and again.
    Oscillating,
    /// It does not shrink.
    Diverging,
}

impl Regime {
    /// Name in sentences.
    pub fn title(self) -> &'static str {
        match self {
            Regime::Monotone => "monotone",
            Regime::Oscillating => "oscillating",
            Regime::Diverging => "diverging",
        }
    }
}

/// The recurrence of one direction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Recurrence {
    pub t: f64,
    pub d: f64,
    /// 1 − ηλ: the first step, which has no velocity yet.
    first: f64,
}

impl Recurrence {
    /// Of curvature λ with learning rate η and momentum μ.
    pub fn new(method: Method, lambda: f64, eta: f64, mu: f64) -> Self {
        let kept = 1.0 - eta * lambda;
        match method {
            Method::HeavyBall => Self { t: mu + kept, d: mu, first: kept },
            Method::Nesterov => Self { t: (1.0 + mu) * kept, d: mu * kept, first: kept },
        }
    }

    /// The roots of r² − t r + d as complex numbers (real part, imaginary part), the larger one first.
    pub fn roots(&self) -> [[f64; 2]; 2] {
        let (half, discriminant) = (0.5 * self.t, 0.25 * self.t * self.t - self.d);
        if discriminant < 0.0 {
            let imaginary = (-discriminant).sqrt();
            return [[half, imaginary], [half, -imaginary]];
        }
        // The smaller root by the product of both, which is d: the difference would lose its digits.
        let large = if half >= 0.0 { half + discriminant.sqrt() } else { half - discriminant.sqrt() };
        let small = if large == 0.0 { 0.0 } else { self.d / large };
        [[large, 0.0], [small, 0.0]]
    }

    /// The spectral radius max |r|: the factor of each step in the long run.
    pub fn radius(&self) -> f64 {
        let [[real, imaginary], _] = self.roots();
        real.hypot(imaginary)
    }

    /// What the roots say. On the unit circle itself nothing shrinks.
    pub fn regime(&self) -> Regime {
        let [[real, imaginary], _] = self.roots();
        match () {
            () if real.hypot(imaginary) >= 1.0 => Regime::Diverging,
            () if imaginary != 0.0 || real < 0.0 => Regime::Oscillating,
            () => Regime::Monotone,
        }
    }

    /// The variance of z in the long run, when every gradient has independent noise of standard deviation σ, which moves z
    /// by ησξ in each step: that of an autoregression of two terms, η²σ² (1 + d)/((1 − d)((1 + d)² − t²)). Infinite where
    /// nothing shrinks.
    pub fn stationary_variance(&self, eta: f64, sigma: f64) -> f64 {
        if self.regime() == Regime::Diverging {
            return f64::INFINITY;
        }
        let Self { t, d, .. } = *self;
        (eta * sigma).powi(2) * (1.0 + d) / ((1.0 - d) * ((1.0 + d).powi(2) - t * t))
    }

    /// pₖ with zₖ = pₖ z₀, from rest: the residual polynomial pₖ(λ) of k steps. 1 for k = 0.
    pub fn residual(&self, k: u64) -> f64 {
        self.after(k, 1.0, self.first)
    }

    /// zₖ from z₀ and z₁, in closed form: zₖ = z₁ U₍ₖ₋₁₎ − d z₀ U₍ₖ₋₂₎ with Uₙ = (r₁ⁿ⁺¹ − r₂ⁿ⁺¹)/(r₁ − r₂).
    pub fn after(&self, k: u64, z0: f64, z1: f64) -> f64 {
        match k {
            0 => z0,
            1 => z1,
            _ => z1 * self.kernel(k - 1) - self.d * z0 * self.kernel(k - 2),
        }
    }

    /// Uₙ, without the difference that vanishes where the two roots meet.
    fn kernel(&self, n: u64) -> f64 {
        let count = n as f64 + 1.0;
        let [[large, imaginary], [small, _]] = self.roots();
        if imaginary != 0.0 {
            // |r| to the power n, times sin((n + 1)φ)/sin φ.
            let (radius, angle) = (large.hypot(imaginary), imaginary.atan2(large));
            return radius.powf(n as f64) * (count * angle).sin() / angle.sin();
        }
        if large == 0.0 {
            return if n == 0 { 1.0 } else { 0.0 };
        }
        // r₁ⁿ (1 + q + … + qⁿ) with q = r₂/r₁ and |q| ≤ 1.
        let ratio = small / large;
        let sum = if ratio > 0.5 {
            // (qⁿ⁺¹ − 1)/(q − 1), both as differences from 1.
            let step = ratio.ln();
            if step == 0.0 { count } else { (count * step).exp_m1() / step.exp_m1() }
        } else {
            (1.0 - ratio.powf(count)) / (1.0 - ratio)
        };
        let sign = if large < 0.0 && n % 2 == 1 { -1.0 } else { 1.0 };
        sign * large.abs().powf(n as f64) * sum
    }
}

/// The component of a direction from rest, with laws that change on the way.
#[derive(Debug, Clone, PartialEq)]
pub struct Walk {
    /// From which step on which law holds, with z there and one step later.
    parts: Vec<(u64, Recurrence, [f64; 2])>,
}

impl Walk {
    /// Starts at z₀ without velocity.
    pub fn new(z0: f64, law: Recurrence) -> Self {
        Self { parts: vec![(0, law, [z0, law.first * z0])] }
    }

    /// Another law from the update after `step` completed ones on; steps in order. The velocity is kept.
    pub fn change(&mut self, step: u64, law: Recurrence) {
        if self.parts.last().is_some_and(|(_, known, _)| *known == law) {
            return;
        }
        let next = if step == 0 { law.first * self.at(0) } else { law.t * self.at(step) - law.d * self.at(step - 1) };
        let part = (step, law, [self.at(step), next]);
        // Of two changes at one step the later one holds.
        self.parts.retain(|(from, ..)| *from < step);
        self.parts.push(part);
    }

    /// zₖ.
    pub fn at(&self, k: u64) -> f64 {
        let part = self.parts.iter().rev().find(|(from, ..)| *from <= k);
        part.map_or(0.0, |(from, law, [z0, z1])| law.after(k - from, *z0, *z1))
    }

    /// The same for equal walks.
    pub fn identity(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        for (from, law, z) in &self.parts {
            from.hash(&mut hasher);
            [law.t, law.d, z[0], z[1]].into_iter().for_each(|v| v.to_bits().hash(&mut hasher));
        }
        hasher.finish()
    }
}

/// Both directions of a surface at once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rates {
    /// Of λ₁ and of λ₂.
    pub directions: [Recurrence; 2],
}

impl Rates {
    pub fn new(method: Method, eigen: &Eigen, eta: f64, mu: f64) -> Self {
        Self { directions: eigen.values.map(|lambda| Recurrence::new(method, lambda, eta, mu)) }
    }

    /// The factor of each step in the long run: the larger of the two spectral radii.
    pub fn rate(&self) -> f64 {
        let [a, b] = self.directions.map(|direction| direction.radius());
        a.max(b)
    }

    /// How far above the lowest value f lies in the long run, on average over the noise: ½ Σ λ Var z. Infinite where a
    /// direction does not shrink.
    pub fn noise_floor(&self, eigen: &Eigen, eta: f64, sigma: f64) -> f64 {
        let of = |i: usize| 0.5 * eigen.values[i] * self.directions[i].stationary_variance(eta, sigma);
        of(0) + of(1)
    }

    /// The worse of the two.
    pub fn regime(&self) -> Regime {
        let [a, b] = self.directions.map(|direction| direction.regime());
        a.max(b)
    }
}

/// The learning rate from which on curvature λ diverges: (2 + 2μ)/λ for the heavy ball (2/λ with μ = 0), and
/// (2 + 2μ)/((1 + 2μ) λ) for Nesterov. `None` where λ is not positive: flat directions never move, and ones that curve
/// downwards are left at any learning rate.
pub fn stability_limit(method: Method, lambda: f64, mu: f64) -> Option<f64> {
    let top = 2.0 + 2.0 * mu;
    let limit = match method {
        Method::HeavyBall => top / lambda,
        Method::Nesterov => top / ((1.0 + 2.0 * mu) * lambda),
    };
    (lambda > 0.0 && limit.is_finite()).then_some(limit)
}

/// The largest learning rate at which curvature λ > 0 still shrinks without changing sign: both roots real and positive.
/// (1 − √μ)²/λ for the heavy ball, ((1 − μ)/(1 + μ))²/λ for Nesterov; at it the two roots meet (critical damping).
pub fn monotone_limit(method: Method, lambda: f64, mu: f64) -> Option<f64> {
    let share = match method {
        Method::HeavyBall => (1.0 - mu.sqrt()).powi(2),
        Method::Nesterov => ((1.0 - mu) / (1.0 + mu)).powi(2),
    };
    (lambda > 0.0).then_some(share / lambda)
}

/// Hyper-parameters with their rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tuned {
    pub eta: f64,
    pub mu: f64,
    pub rate: f64,
}

/// The fastest η and μ on a bowl, with κ = λ₁/λ₂; `None` elsewhere.
///
/// Heavy ball (Polyak): η = (2/(√λ₁ + √λ₂))², μ = ((√κ − 1)/(√κ + 1))², rate √μ. Nesterov: η = 4/(3λ₁ + λ₂),
/// μ = (√(3κ + 1) − 2)/(√(3κ + 1) + 2), rate 1 − 2/√(3κ + 1) (Lessard, Recht and Packard, 2016).
pub fn optimum(method: Method, eigen: &Eigen) -> Option<Tuned> {
    let [most, least] = eigen.values;
    if eigen.shape() != Shape::Bowl {
        return None;
    }
    let tuned = match method {
        Method::HeavyBall => {
            let (a, b) = (most.sqrt(), least.sqrt());
            let rate = (a - b) / (a + b);
            Tuned { eta: (2.0 / (a + b)).powi(2), mu: rate * rate, rate }
        }
        Method::Nesterov => {
            let root = (3.0 * most / least + 1.0).sqrt();
            Tuned { eta: 4.0 / (3.0 * most + least), mu: (root - 2.0) / (root + 2.0), rate: 1.0 - 2.0 / root }
        }
    };
    Some(tuned)
}

/// The fastest η of gradient descent on a bowl: 2/(λ₁ + λ₂), rate (κ − 1)/(κ + 1).
pub fn optimum_without_momentum(eigen: &Eigen) -> Option<Tuned> {
    let [most, least] = eigen.values;
    let tuned = Tuned { eta: 2.0 / (most + least), mu: 0.0, rate: (most - least) / (most + least) };
    (eigen.shape() == Shape::Bowl).then_some(tuned)
}

/// Steps that gain one decimal digit at this rate: 1/(−log₁₀ ρ); infinite where nothing shrinks.
pub fn steps_per_digit(rate: f64) -> f64 {
    if rate < 1.0 { -1.0 / rate.log10() } else { f64::INFINITY }
}

#[cfg(test)]
mod tests {
    use super::*;

    const METHODS: [Method; 2] = [Method::HeavyBall, Method::Nesterov];

    fn bowl(most: f64, least: f64) -> Eigen {
        Eigen::of([[least, 0.0], [0.0, most]]).unwrap()
    }

    /// The method itself on λ z²/2, as the rules execute it.
    fn walk(method: Method, lambda: f64, eta: f64, mu: f64, k: u64) -> f64 {
        let (mut z, mut v) = (1.0, 0.0);
        for _ in 0..k {
            let at = if method == Method::Nesterov { z + mu * v } else { z };
            v = mu * v - eta * lambda * at;
            z += v;
        }
        z
    }

    #[test]
    fn the_spectral_radius_is_the_growth_of_powers_of_the_iteration_matrix() {
        for method in METHODS {
            for eta in [0.001, 0.01, 0.019, 0.0331, 0.05, 0.2] {
                for mu in [0.0, 0.3, 0.669, 0.9, 0.99] {
                    for lambda in [-2.0, 0.0, 1.0, 100.0] {
                        let recurrence = Recurrence::new(method, lambda, eta, mu);
                        // 2^12 steps by repeated squaring, with the size kept apart so that nothing overflows.
                        let (mut matrix, mut log) = ([[recurrence.t, -recurrence.d], [1.0, 0.0]], 0.0);
                        for _ in 0..20 {
                            let [[a, b], [c, d]]: [[f64; 2]; 2] = matrix;
                            matrix = [[a * a + b * c, a * b + b * d], [c * a + d * c, c * b + d * d]];
                            let size = matrix.as_flattened().iter().fold(0.0_f64, |most, v| most.max(v.abs()));
                            log = 2.0 * log + size.ln();
                            matrix = matrix.map(|row| row.map(|v| v / size));
                        }
                        let measured = (log / f64::from(1 << 20)).exp();
                        let radius = recurrence.radius();
                        let slack = 1e-4 * radius + 1e-12;
                        assert!(
                            (measured - radius).abs() < slack,
                            "{method:?} {eta} {mu} {lambda}: {measured} {radius}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn the_closed_form_is_the_method_itself() {
        for method in METHODS {
            for (lambda, eta, mu) in [
                (100.0, 0.019, 0.9),
                (1.0, 0.019, 0.9),
                (1.0, 0.5, 0.0),
                (1.0, 1.7, 0.0),
                (1.0, 1.0, 0.0),
                (100.0, 0.0331, 0.669),
                (1.0, 0.01, 0.25),
                // The two roots meet: (1 − √μ)² = ηλ.
                (1.0, 0.25, 0.25),
                (1.0, 0.25 + 1e-12, 0.25),
                (1.0, 0.25 - 1e-12, 0.25),
                (-2.0, 0.01, 0.9),
                (0.0, 0.3, 0.8),
                (3.0, 0.9, 0.5),
            ] {
                let recurrence = Recurrence::new(method, lambda, eta, mu);
                for k in [0, 1, 2, 3, 7, 50, 51, 200] {
                    let (found, wanted) = (recurrence.residual(k), walk(method, lambda, eta, mu, k));
                    // Where roots meet, rounding of the roots costs digits; the envelope says how large z has been.
                    let slack = 1e-7 * recurrence.radius().powf(k as f64) * (1.0 + k as f64) + 1e-12 * wanted.abs();
                    assert!((found - wanted).abs() <= slack, "{method:?} {lambda} {eta} {mu} {k}: {found} {wanted}");
                }
            }
        }
    }

    #[test]
    fn changes_on_the_way_keep_the_velocity() {
        for method in METHODS {
            let law = |eta: f64, mu: f64| Recurrence::new(method, 3.0, eta, mu);
            let mut theory = Walk::new(1.0, law(0.1, 0.9));
            theory.change(0, law(0.2, 0.9));
            theory.change(7, law(0.02, 0.5));
            theory.change(12, law(0.02, 0.5));
            theory.change(20, law(0.05, 0.95));
            let (mut z, mut v) = (1.0, 0.0);
            for k in 0..60 {
                assert!((theory.at(k) - z).abs() < 1e-12, "{method:?} {k}: {} {z}", theory.at(k));
                let (eta, mu) = if k < 7 {
                    (0.2, 0.9)
                } else if k < 20 {
                    (0.02, 0.5)
                } else {
                    (0.05, 0.95)
                };
                let at = if method == Method::Nesterov { z + mu * v } else { z };
                v = mu * v - eta * 3.0 * at;
                z += v;
            }
        }
    }

    #[test]
    fn without_momentum_the_noise_floor_is_the_known_one() {
        // SGD: Var z = ησ²/(λ(2 − ηλ)).
        let (eta, sigma, lambda) = (0.1, 3.0, 4.0);
        let found = Recurrence::new(Method::HeavyBall, lambda, eta, 0.0).stationary_variance(eta, sigma);
        assert!((found - eta * sigma * sigma / (lambda * (2.0 - eta * lambda))).abs() < 1e-12, "{found}");
        let flat = Recurrence::new(Method::HeavyBall, 0.0, eta, 0.0);
        assert_eq!(flat.stationary_variance(eta, sigma), f64::INFINITY, "a flat direction wanders away");
    }

    #[test]
    fn stability_ends_where_the_limit_says_and_monotony_too() {
        for method in METHODS {
            for mu in [0.0, 0.2, 0.5, 0.9, 0.99] {
                for lambda in [0.04, 1.0, 100.0] {
                    let regime = |eta: f64| Recurrence::new(method, lambda, eta, mu).regime();
                    let limit = stability_limit(method, lambda, mu).unwrap();
                    assert_ne!(regime(limit * (1.0 - 1e-9)), Regime::Diverging, "{method:?} {mu} {lambda}");
                    assert_eq!(regime(limit * (1.0 + 1e-9)), Regime::Diverging);
                    let monotone = monotone_limit(method, lambda, mu).unwrap();
                    assert_eq!(regime(monotone * (1.0 - 1e-9)), Regime::Monotone, "{method:?} {mu} {lambda}");
                    assert_eq!(regime(monotone * (1.0 + 1e-6)), Regime::Oscillating, "{method:?} {mu} {lambda}");
                }
            }
        }
        assert_eq!(stability_limit(Method::HeavyBall, 100.0, 0.0), Some(0.02));
        assert_eq!(stability_limit(Method::HeavyBall, -2.0, 0.5), None);
        assert_eq!(stability_limit(Method::HeavyBall, 0.0, 0.5), None);
    }

    #[test]
    fn the_optimum_is_the_lowest_of_a_fine_grid() {
        for method in METHODS {
            for (most, least) in [(100.0, 1.0), (1.0, 0.04), (18.0, 2.0)] {
                let eigen = bowl(most, least);
                let best = optimum(method, &eigen).unwrap();
                let at = Rates::new(method, &eigen, best.eta, best.mu).rate();
                assert!((at - best.rate).abs() < 1e-6, "{method:?} κ {}: {at} {}", most / least, best.rate);
                let mut lowest = f64::INFINITY;
                for i in 0..600 {
                    for j in 0..600 {
                        let eta = 4.0 / most * f64::from(i + 1) / 600.0;
                        lowest = lowest.min(Rates::new(method, &eigen, eta, f64::from(j) / 600.0).rate());
                    }
                }
                assert!(lowest >= best.rate - 1e-9, "{method:?}: {lowest} below {}", best.rate);
                assert!(lowest < best.rate + 0.02, "{method:?}: the grid only finds {lowest}, not {}", best.rate);
                let plain = optimum_without_momentum(&eigen).unwrap();
                let rate = |eta: f64| Rates::new(method, &eigen, eta, 0.0).rate();
                assert!((rate(plain.eta) - plain.rate).abs() < 1e-12);
                assert!((0..2000).all(|i| rate(2.0 / most * f64::from(i + 1) / 2000.0) >= plain.rate - 1e-12));
            }
        }
        assert_eq!(optimum(Method::HeavyBall, &Eigen::of([[2.0, 0.0], [0.0, -2.0]]).unwrap()), None);
    }

    #[test]
    fn a_rate_is_told_in_steps_for_each_digit() {
        assert!((steps_per_digit(0.1) - 1.0).abs() < 1e-12);
        assert!((steps_per_digit(0.99) - 229.1).abs() < 0.1);
        assert_eq!(steps_per_digit(1.0), f64::INFINITY);
        assert_eq!(steps_per_digit(0.0), 0.0);
    }
}
