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

/// x³, rounded once. `x * x * x` and `powi` round twice, and where a path is chaotic the last bit matters.
fn cube(x: f64) -> f64 {
    x.powf(3.0)
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
        [4.0 * cube(x) + 6.0 * x * x, 2.0 * y]
    }
    pub fn hessian([x, _]: Point) -> Matrix {
        symmetric(12.0 * x * x + 12.0 * x, 0.0, 2.0)
    }
}

pub mod beale {
    use super::*;

    /// The three residuals, whose squares are summed.
    fn residuals([x, y]: Point) -> [f64; 3] {
        [1.5 - x + x * y, 2.25 - x + x * y * y, 2.625 - x + x * cube(y)]
    }

    pub fn f(p: Point) -> f64 {
        residuals(p).iter().map(|t| t * t).sum()
    }
    pub fn gradient(p: Point) -> Point {
        let ([x, y], [a, b, c]) = (p, residuals(p));
        [
            2.0 * (a * (y - 1.0) + b * (y * y - 1.0) + c * (cube(y) - 1.0)),
            2.0 * (a * x + 2.0 * b * x * y + 3.0 * c * x * y * y),
        ]
    }
    pub fn hessian(p: Point) -> Matrix {
        let ([x, y], [a, b, c]) = (p, residuals(p));
        // First derivatives of the residuals by x and by y.
        let (by_x, by_y) = ([y - 1.0, y * y - 1.0, cube(y) - 1.0], [x, 2.0 * x * y, 3.0 * x * y * y]);
        let dot = |u: [f64; 3], v: [f64; 3]| u[0] * v[0] + u[1] * v[1] + u[2] * v[2];
        symmetric(
            2.0 * dot(by_x, by_x),
            2.0 * (dot(by_x, by_y) + a + 2.0 * b * y + 3.0 * c * y * y),
            2.0 * (dot(by_y, by_y) + 2.0 * b * x + 6.0 * c * x * y),
        )
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
        [4.0 * x - 4.2 * cube(x) + x.powf(5.0) + y, x + 2.0 * y]
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
        [8.0 * x - 8.4 * cube(x) + 2.0 * x.powf(5.0) + y, x + 16.0 * cube(y) - 8.0 * y]
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
        p.map(|x| 2.0 * cube(x) - 16.0 * x + 2.5)
    }
    pub fn hessian(p: Point) -> Matrix {
        let [xx, yy] = p.map(|x| 6.0 * x * x - 16.0);
        symmetric(xx, 0.0, yy)
    }
}

/// A product A B: A depends on x + y alone, B on 2x − 3y alone, which shortens the second derivatives.
pub mod goldstein_price {
    use super::*;

    /// A = 1 + s² p with s = x + y + 1, and its first and second derivative by x, which are also those by y.
    fn first([x, y]: Point) -> [f64; 3] {
        let s = x + y + 1.0;
        let p = 19.0 - 14.0 * x + 3.0 * x * x - 14.0 * y + 6.0 * x * y + 3.0 * y * y;
        let dp = -14.0 + 6.0 * x + 6.0 * y;
        [1.0 + s * s * p, 2.0 * s * p + s * s * dp, 2.0 * p + 4.0 * s * dp + 6.0 * s * s]
    }

    /// B = 30 + d² q with d = 2x − 3y, its derivatives by x and by y, and its second derivative by d.
    fn second([x, y]: Point) -> [f64; 4] {
        let d = 2.0 * x - 3.0 * y;
        let q = 18.0 - 32.0 * x + 12.0 * x * x + 48.0 * y - 36.0 * x * y + 27.0 * y * y;
        let by_x = 4.0 * d * q + d * d * (-32.0 + 24.0 * x - 36.0 * y);
        let by_y = -6.0 * d * q + d * d * (48.0 - 36.0 * x + 54.0 * y);
        [30.0 + d * d * q, by_x, by_y, 2.0 * q + 4.0 * d * (6.0 * d - 16.0) + 6.0 * d * d]
    }

    pub fn f(p: Point) -> f64 {
        first(p)[0] * second(p)[0]
    }
    pub fn gradient(p: Point) -> Point {
        let ([a, da, _], [b, b_x, b_y, _]) = (first(p), second(p));
        [da * b + a * b_x, da * b + a * b_y]
    }
    pub fn hessian(p: Point) -> Matrix {
        let ([a, da, dda], [b, b_x, b_y, ddb]) = (first(p), second(p));
        symmetric(
            dda * b + 2.0 * da * b_x + 4.0 * a * ddb,
            dda * b + da * (b_x + b_y) - 6.0 * a * ddb,
            dda * b + 2.0 * da * b_y + 9.0 * a * ddb,
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
        [0.02 * cube(x) - 0.2 * x, 4.0 * y]
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
    pub fn gradient([x, y]: Point) -> Point {
        let hill = (-x * x - (y + 1.0) * (y + 1.0)).exp();
        let middle = (-x * x - y * y).exp();
        let pit = (-(x + 1.0) * (x + 1.0) - y * y).exp();
        let (u, q) = (1.0 - x, x / 5.0 - cube(x) - y.powf(5.0));
        [
            -6.0 * u * hill - 6.0 * x * (u * u) * hill - 10.0 * ((0.2 - 3.0 * x * x) * middle)
                + 20.0 * x * q * middle
                + 2.0 / 3.0 * (x + 1.0) * pit,
            -6.0 * (u * u) * (y + 1.0) * hill
                + 50.0 * y.powf(4.0) * middle
                + 20.0 * y * q * middle
                + 2.0 / 3.0 * y * pit,
        ]
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
