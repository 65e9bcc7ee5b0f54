//! The surfaces' values, gradients and Hessians, written out analytically.

use std::f64::consts::{E, PI};

/// A point (x, y).
type Point = [f64; 2];
/// A symmetric 2×2 matrix, rows first.
type Matrix = [[f64; 2]; 2];

/// The symmetric matrix of second derivatives.
fn symmetric(xx: f64, xy: f64, yy: f64) -> Matrix {
    [[xx, xy], [xy, yy]]
}

pub mod saddle {
    use super::*;

    pub fn f([x, y]: Point) -> f64 {
        x * x - y * y
    }
    pub fn gradient([x, y]: Point) -> Point {
        [2.0 * x, -2.0 * y]
    }
    pub fn hessian(_: Point) -> Matrix {
        symmetric(2.0, 0.0, -2.0)
    }
}

pub mod article_quartic {
    use super::*;

    pub fn f([x, y]: Point) -> f64 {
        x.powi(4) + 2.0 * x.powi(3) + y * y - 1.0
    }
    pub fn gradient([x, y]: Point) -> Point {
        [4.0 * x.powi(3) + 6.0 * x * x, 2.0 * y]
    }
    pub fn hessian([x, _]: Point) -> Matrix {
        symmetric(12.0 * x * x + 12.0 * x, 0.0, 2.0)
    }
}

pub mod beale {
    use super::*;

    /// The sum of three squared residuals `t = c − x + x yⁱ`, i = 1, 2, 3.
    const C: [f64; 3] = [1.5, 2.25, 2.625];

    /// Residual i (from 1) with its derivatives t, t_x, t_y, t_xy, t_yy.
    fn residual(i: i32, [x, y]: Point) -> [f64; 5] {
        let n = f64::from(i);
        let t_yy = if i == 1 { 0.0 } else { n * (n - 1.0) * x * y.powi(i - 2) };
        let t_xy = n * y.powi(i - 1);
        [C[i as usize - 1] - x + x * y.powi(i), y.powi(i) - 1.0, x * t_xy, t_xy, t_yy]
    }

    pub fn f(p: Point) -> f64 {
        (1..=3).map(|i| residual(i, p)[0].powi(2)).sum()
    }
    pub fn gradient(p: Point) -> Point {
        let mut sum = [0.0; 2];
        for i in 1..=3 {
            let [t, t_x, t_y, ..] = residual(i, p);
            sum[0] += 2.0 * t * t_x;
            sum[1] += 2.0 * t * t_y;
        }
        sum
    }
    pub fn hessian(p: Point) -> Matrix {
        let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
        for i in 1..=3 {
            let [t, t_x, t_y, t_xy, t_yy] = residual(i, p);
            xx += 2.0 * t_x * t_x;
            xy += 2.0 * (t_x * t_y + t * t_xy);
            yy += 2.0 * (t_y * t_y + t * t_yy);
        }
        symmetric(xx, xy, yy)
    }
}

pub mod rosenbrock {
    use super::*;

    pub fn f([x, y]: Point) -> f64 {
        (1.0 - x).powi(2) + 100.0 * (y - x * x).powi(2)
    }
    pub fn gradient([x, y]: Point) -> Point {
        let valley = y - x * x;
        [-2.0 * (1.0 - x) - 400.0 * x * valley, 200.0 * valley]
    }
    pub fn hessian([x, y]: Point) -> Matrix {
        symmetric(2.0 - 400.0 * (y - x * x) + 800.0 * x * x, -400.0 * x, 200.0)
    }
}

pub mod himmelblau {
    use super::*;

    fn residuals([x, y]: Point) -> [f64; 2] {
        [x * x + y - 11.0, x + y * y - 7.0]
    }

    pub fn f(p: Point) -> f64 {
        let [a, b] = residuals(p);
        a * a + b * b
    }
    pub fn gradient(p: Point) -> Point {
        let [a, b] = residuals(p);
        [4.0 * p[0] * a + 2.0 * b, 2.0 * a + 4.0 * p[1] * b]
    }
    pub fn hessian(p: Point) -> Matrix {
        let [x, y] = p;
        let [a, b] = residuals(p);
        symmetric(4.0 * a + 8.0 * x * x + 2.0, 4.0 * (x + y), 4.0 * b + 8.0 * y * y + 2.0)
    }
}

pub mod booth {
    use super::*;

    pub fn f([x, y]: Point) -> f64 {
        (x + 2.0 * y - 7.0).powi(2) + (2.0 * x + y - 5.0).powi(2)
    }
    pub fn gradient([x, y]: Point) -> Point {
        let (a, b) = (x + 2.0 * y - 7.0, 2.0 * x + y - 5.0);
        [2.0 * a + 4.0 * b, 4.0 * a + 2.0 * b]
    }
    pub fn hessian(_: Point) -> Matrix {
        symmetric(10.0, 8.0, 10.0)
    }
}

pub mod matyas {
    use super::*;

    pub fn f([x, y]: Point) -> f64 {
        0.26 * (x * x + y * y) - 0.48 * x * y
    }
    pub fn gradient([x, y]: Point) -> Point {
        [0.52 * x - 0.48 * y, 0.52 * y - 0.48 * x]
    }
    pub fn hessian(_: Point) -> Matrix {
        symmetric(0.52, -0.48, 0.52)
    }
}

pub mod rastrigin {
    use super::*;

    pub fn f(p: Point) -> f64 {
        20.0 + p.iter().map(|x| x * x - 10.0 * (2.0 * PI * x).cos()).sum::<f64>()
    }
    pub fn gradient(p: Point) -> Point {
        p.map(|x| 2.0 * x + 20.0 * PI * (2.0 * PI * x).sin())
    }
    pub fn hessian(p: Point) -> Matrix {
        let [xx, yy] = p.map(|x| 2.0 + 40.0 * PI * PI * (2.0 * PI * x).cos());
        symmetric(xx, 0.0, yy)
    }
}

/// A cone in the middle of cosine bumps. At the cone's tip, (0, 0), the radial part has no derivative; it counts as 0
/// there.
pub mod ackley {
    use super::*;

    fn radius([x, y]: Point) -> f64 {
        ((x * x + y * y) / 2.0).sqrt()
    }

    fn bumps([x, y]: Point) -> f64 {
        (((2.0 * PI * x).cos() + (2.0 * PI * y).cos()) / 2.0).exp()
    }

    pub fn f(p: Point) -> f64 {
        -20.0 * (-0.2 * radius(p)).exp() - bumps(p) + E + 20.0
    }
    pub fn gradient(p: Point) -> Point {
        let (r, b) = (radius(p), bumps(p));
        let slope = if r == 0.0 { 0.0 } else { 4.0 * (-0.2 * r).exp() / (2.0 * r) };
        p.map(|x| slope * x + PI * (2.0 * PI * x).sin() * b)
    }
    pub fn hessian(p: Point) -> Matrix {
        let (r, b) = (radius(p), bumps(p));
        let [sx, sy] = p.map(|x| PI * (2.0 * PI * x).sin());
        let [cx, cy] = p.map(|x| 2.0 * PI * PI * (2.0 * PI * x).cos());
        let (mut xx, mut xy, mut yy) = ((cx - sx * sx) * b, -sx * sy * b, (cy - sy * sy) * b);
        if r > 0.0 {
            // Of R(r) = −20 exp(−r/5): R′ and R″ with r_x = x/(2r).
            let (first, second) = (4.0 * (-0.2 * r).exp(), -0.8 * (-0.2 * r).exp());
            let [rx, ry] = p.map(|x| x / (2.0 * r));
            xx += second * rx * rx + first * (0.5 - rx * rx) / r;
            xy += second * rx * ry - first * rx * ry / r;
            yy += second * ry * ry + first * (0.5 - ry * ry) / r;
        }
        symmetric(xx, xy, yy)
    }
}

pub mod three_hump_camel {
    use super::*;

    pub fn f([x, y]: Point) -> f64 {
        2.0 * x * x - 1.05 * x.powi(4) + x.powi(6) / 6.0 + x * y + y * y
    }
    pub fn gradient([x, y]: Point) -> Point {
        [4.0 * x - 4.2 * x.powi(3) + x.powi(5) + y, x + 2.0 * y]
    }
    pub fn hessian([x, _]: Point) -> Matrix {
        symmetric(4.0 - 12.6 * x * x + 5.0 * x.powi(4), 1.0, 2.0)
    }
}

pub mod six_hump_camel {
    use super::*;

    pub fn f([x, y]: Point) -> f64 {
        (4.0 - 2.1 * x * x + x.powi(4) / 3.0) * x * x + x * y + (4.0 * y * y - 4.0) * y * y
    }
    pub fn gradient([x, y]: Point) -> Point {
        [8.0 * x - 8.4 * x.powi(3) + 2.0 * x.powi(5) + y, x - 8.0 * y + 16.0 * y.powi(3)]
    }
    pub fn hessian([x, y]: Point) -> Matrix {
        symmetric(8.0 - 25.2 * x * x + 10.0 * x.powi(4), 1.0, -8.0 + 48.0 * y * y)
    }
}

pub mod styblinski_tang {
    use super::*;

    pub fn f(p: Point) -> f64 {
        0.5 * p.iter().map(|x| x.powi(4) - 16.0 * x * x + 5.0 * x).sum::<f64>()
    }
    pub fn gradient(p: Point) -> Point {
        p.map(|x| 2.0 * x.powi(3) - 16.0 * x + 2.5)
    }
    pub fn hessian(p: Point) -> Matrix {
        let [xx, yy] = p.map(|x| 6.0 * x * x - 16.0);
        symmetric(xx, 0.0, yy)
    }
}

/// A product A(s) B(u) with s = x + y and u = 2x − 3y: the textbook's two long brackets are polynomials in s and u.
pub mod goldstein_price {
    use super::*;

    /// A, A′, A″ of A(s) = 1 + (s+1)² (19 − 14 s + 3 s²).
    fn a(s: f64) -> [f64; 3] {
        let (t, q, dq) = (s + 1.0, 19.0 - 14.0 * s + 3.0 * s * s, 6.0 * s - 14.0);
        [1.0 + t * t * q, 2.0 * t * q + t * t * dq, 2.0 * q + 4.0 * t * dq + 6.0 * t * t]
    }

    /// B, B′, B″ of B(u) = 30 + u² (18 − 16 u + 3 u²).
    fn b(u: f64) -> [f64; 3] {
        let (q, dq) = (18.0 - 16.0 * u + 3.0 * u * u, 6.0 * u - 16.0);
        [30.0 + u * u * q, 2.0 * u * q + u * u * dq, 2.0 * q + 4.0 * u * dq + 6.0 * u * u]
    }

    pub fn f([x, y]: Point) -> f64 {
        a(x + y)[0] * b(2.0 * x - 3.0 * y)[0]
    }
    pub fn gradient([x, y]: Point) -> Point {
        let ([a, da, _], [b, db, _]) = (a(x + y), b(2.0 * x - 3.0 * y));
        [da * b + 2.0 * a * db, da * b - 3.0 * a * db]
    }
    pub fn hessian([x, y]: Point) -> Matrix {
        let ([a, da, dda], [b, db, ddb]) = (a(x + y), b(2.0 * x - 3.0 * y));
        symmetric(
            dda * b + 4.0 * da * db + 4.0 * a * ddb,
            dda * b - da * db - 6.0 * a * ddb,
            dda * b - 6.0 * da * db + 9.0 * a * ddb,
        )
    }
}

pub mod levy13 {
    use super::*;

    pub fn f([x, y]: Point) -> f64 {
        let squared_sine = |angle: f64| angle.sin().powi(2);
        squared_sine(3.0 * PI * x)
            + (x - 1.0).powi(2) * (1.0 + squared_sine(3.0 * PI * y))
            + (y - 1.0).powi(2) * (1.0 + squared_sine(2.0 * PI * y))
    }
    pub fn gradient([x, y]: Point) -> Point {
        let (u, v) = (x - 1.0, y - 1.0);
        [
            3.0 * PI * (6.0 * PI * x).sin() + 2.0 * u * (1.0 + (3.0 * PI * y).sin().powi(2)),
            u * u * 3.0 * PI * (6.0 * PI * y).sin()
                + 2.0 * v * (1.0 + (2.0 * PI * y).sin().powi(2))
                + v * v * 2.0 * PI * (4.0 * PI * y).sin(),
        ]
    }
    pub fn hessian([x, y]: Point) -> Matrix {
        let (u, v) = (x - 1.0, y - 1.0);
        symmetric(
            18.0 * PI * PI * (6.0 * PI * x).cos() + 2.0 * (1.0 + (3.0 * PI * y).sin().powi(2)),
            6.0 * PI * u * (6.0 * PI * y).sin(),
            18.0 * PI * PI * u * u * (6.0 * PI * y).cos()
                + 2.0 * (1.0 + (2.0 * PI * y).sin().powi(2))
                + 8.0 * PI * v * (4.0 * PI * y).sin()
                + 8.0 * PI * PI * v * v * (4.0 * PI * y).cos(),
        )
    }
}

pub mod monkey_saddle {
    use super::*;

    pub fn f([x, y]: Point) -> f64 {
        x.powi(3) - 3.0 * x * y * y
    }
    pub fn gradient([x, y]: Point) -> Point {
        [3.0 * x * x - 3.0 * y * y, -6.0 * x * y]
    }
    pub fn hessian([x, y]: Point) -> Matrix {
        symmetric(6.0 * x, -6.0 * y, -6.0 * x)
    }
}

pub mod ill_conditioned_quadratic {
    use super::*;

    pub fn f([x, y]: Point) -> f64 {
        (x * x + 100.0 * y * y) / 2.0
    }
    pub fn gradient([x, y]: Point) -> Point {
        [x, 100.0 * y]
    }
    pub fn hessian(_: Point) -> Matrix {
        symmetric(1.0, 0.0, 100.0)
    }
}

pub mod long_valley {
    use super::*;

    pub fn f([x, y]: Point) -> f64 {
        0.005 * x.powi(4) - 0.1 * x * x + 2.0 * y * y
    }
    pub fn gradient([x, y]: Point) -> Point {
        [0.02 * x.powi(3) - 0.2 * x, 4.0 * y]
    }
    pub fn hessian([x, _]: Point) -> Matrix {
        symmetric(0.06 * x * x - 0.2, 0.0, 4.0)
    }
}

/// A polynomial times a Gaussian: P(x, y) exp(−w ((x−c_x)² + (y−c_y)²)).
struct Bump {
    /// P, P_x, P_y, P_xx, P_xy, P_yy at the point.
    p: [f64; 6],
    width: f64,
    centre: Point,
}

impl Bump {
    /// The Gaussian and its exponent's first derivatives.
    fn gaussian(&self, [x, y]: Point) -> (f64, f64, f64) {
        let (u, v) = (x - self.centre[0], y - self.centre[1]);
        ((-self.width * (u * u + v * v)).exp(), -2.0 * self.width * u, -2.0 * self.width * v)
    }

    fn f(&self, at: Point) -> f64 {
        self.p[0] * self.gaussian(at).0
    }

    fn gradient(&self, at: Point) -> Point {
        let (e, qx, qy) = self.gaussian(at);
        let [p, px, py, ..] = self.p;
        [(px + p * qx) * e, (py + p * qy) * e]
    }

    /// Second derivatives xx, xy, yy.
    fn second(&self, at: Point) -> [f64; 3] {
        let (e, qx, qy) = self.gaussian(at);
        let [p, px, py, pxx, pxy, pyy] = self.p;
        let q = -2.0 * self.width;
        [
            (pxx + 2.0 * px * qx + p * (q + qx * qx)) * e,
            (pxy + px * qy + py * qx + p * qx * qy) * e,
            (pyy + 2.0 * py * qy + p * (q + qy * qy)) * e,
        ]
    }
}

pub mod peaks {
    use super::*;

    fn bumps([x, y]: Point) -> [Bump; 3] {
        let u = 1.0 - x;
        [
            Bump { p: [3.0 * u * u, -6.0 * u, 0.0, 6.0, 0.0, 0.0], width: 1.0, centre: [0.0, -1.0] },
            Bump {
                p: [
                    -2.0 * x + 10.0 * x.powi(3) + 10.0 * y.powi(5),
                    -2.0 + 30.0 * x * x,
                    50.0 * y.powi(4),
                    60.0 * x,
                    0.0,
                    200.0 * y.powi(3),
                ],
                width: 1.0,
                centre: [0.0, 0.0],
            },
            Bump { p: [-1.0 / 3.0, 0.0, 0.0, 0.0, 0.0, 0.0], width: 1.0, centre: [-1.0, 0.0] },
        ]
    }

    pub fn f(p: Point) -> f64 {
        bumps(p).iter().map(|bump| bump.f(p)).sum()
    }
    pub fn gradient(p: Point) -> Point {
        sum(bumps(p).map(|bump| bump.gradient(p)))
    }
    pub fn hessian(p: Point) -> Matrix {
        let [xx, xy, yy] = sum(bumps(p).map(|bump| bump.second(p)));
        symmetric(xx, xy, yy)
    }
}

pub mod plateau_wells {
    use super::*;

    const WELLS: [Bump; 2] = [
        Bump { p: [-1.0, 0.0, 0.0, 0.0, 0.0, 0.0], width: 1.0, centre: [2.0, 0.0] },
        Bump { p: [-0.6, 0.0, 0.0, 0.0, 0.0, 0.0], width: 2.0, centre: [-2.0, 1.0] },
    ];

    pub fn f(p: Point) -> f64 {
        1.0 + WELLS.iter().map(|well| well.f(p)).sum::<f64>() + 0.001 * (p[0] * p[0] + p[1] * p[1])
    }
    pub fn gradient(p: Point) -> Point {
        sum([WELLS[0].gradient(p), WELLS[1].gradient(p), p.map(|x| 0.002 * x)])
    }
    pub fn hessian(p: Point) -> Matrix {
        let [xx, xy, yy] = sum([WELLS[0].second(p), WELLS[1].second(p), [0.002, 0.0, 0.002]]);
        symmetric(xx, xy, yy)
    }
}

/// The sum of vectors.
fn sum<const N: usize>(vectors: impl IntoIterator<Item = [f64; N]>) -> [f64; N] {
    vectors.into_iter().fold([0.0; N], |total, v| std::array::from_fn(|i| total[i] + v[i]))
}
