//! The program evaluated with its derivatives.

use super::{Expression, Function, Op, Operator};

/// Value, first and second derivatives of a function of two operands a and b.
#[derive(Debug, Clone, Copy)]
pub(super) struct Partial {
    pub value: f64,
    /// By a, by b.
    pub first: [f64; 2],
    /// By aa, ab, bb.
    pub second: [f64; 3],
}

impl Function {
    /// Value, first and second derivative.
    #[inline(always)]
    pub(super) fn derivatives(self, a: f64) -> [f64; 3] {
        use std::f64::consts::{LN_2, LN_10};
        let logarithm = |value: f64, ln: f64| [value, 1.0 / (a * ln), -1.0 / (a * a * ln)];
        match self {
            Function::Sin => {
                let (sin, cos) = a.sin_cos();
                [sin, cos, -sin]
            }
            Function::Cos => {
                let (sin, cos) = a.sin_cos();
                [cos, -sin, -cos]
            }
            Function::Tan => {
                let tan = a.tan();
                let slope = 1.0 + tan * tan;
                [tan, slope, 2.0 * tan * slope]
            }
            Function::Asin | Function::Acos => {
                let square = 1.0 - a * a;
                let slope = 1.0 / square.sqrt();
                let curvature = a * slope / square;
                if self == Function::Asin { [a.asin(), slope, curvature] } else { [a.acos(), -slope, -curvature] }
            }
            Function::Atan => {
                let slope = 1.0 / (1.0 + a * a);
                [a.atan(), slope, -2.0 * a * slope * slope]
            }
            Function::Sinh => [a.sinh(), a.cosh(), a.sinh()],
            Function::Cosh => [a.cosh(), a.sinh(), a.cosh()],
            Function::Tanh => {
                let tanh = a.tanh();
                let slope = 1.0 - tanh * tanh;
                [tanh, slope, -2.0 * tanh * slope]
            }
            Function::Exp => [a.exp(); 3],
            Function::Ln => logarithm(a.ln(), 1.0),
            Function::Log10 => logarithm(a.log10(), LN_10),
            Function::Log2 => logarithm(a.log2(), LN_2),
            Function::Sqrt => {
                let root = a.sqrt();
                [root, 0.5 / root, -0.25 / (root * a)]
            }
            Function::Cbrt => {
                let root = a.cbrt();
                let slope = 1.0 / (3.0 * root * root);
                [root, slope, -2.0 / 3.0 * slope / a]
            }
            Function::Abs => [a.abs(), sign(a), 0.0],
            Function::Sign => [sign(a), 0.0, 0.0],
            Function::Floor => [a.floor(), 0.0, 0.0],
        }
    }
}

impl Operator {
    #[inline(always)]
    pub(super) fn derivatives(self, a: f64, b: f64) -> Partial {
        let linear = |value, first| Partial { value, first, second: [0.0; 3] };
        match self {
            Operator::Add => linear(a + b, [1.0, 1.0]),
            Operator::Subtract => linear(a - b, [1.0, -1.0]),
            Operator::Multiply => Partial { value: a * b, first: [b, a], second: [0.0, 1.0, 0.0] },
            Operator::Divide => {
                let (value, one) = (a / b, 1.0 / b);
                Partial { value, first: [one, -value * one], second: [0.0, -one * one, 2.0 * value * one * one] }
            }
            Operator::Power => {
                let [value, by_base, by_base_twice] = power(a, b);
                let ln = a.ln();
                // 0ᵇ is flat in b for b > 0.
                let [once, twice] = if value == 0.0 { [0.0; 2] } else { [value * ln, value * ln * ln] };
                let mixed = a.powf(b - 1.0) * (1.0 + b * ln);
                Partial { value, first: [by_base, once], second: [by_base_twice, mixed, twice] }
            }
            Operator::Minimum | Operator::Maximum => {
                let first = if self == Operator::Minimum { a <= b } else { a >= b };
                match (a.is_nan() || b.is_nan(), first) {
                    (true, _) => linear(f64::NAN, [f64::NAN; 2]),
                    (_, true) => linear(a, [1.0, 0.0]),
                    (_, false) => linear(b, [0.0, 1.0]),
                }
            }
            Operator::Hypot => {
                let value = a.hypot(b);
                if value == 0.0 {
                    return linear(0.0, [0.0; 2]);
                }
                let [p, q] = [a / value, b / value];
                Partial { value, first: [p, q], second: [q * q / value, -p * q / value, p * p / value] }
            }
            Operator::Atan2 => {
                // By a with b as the abscissa; the squares are divided one after the other, so that they do not overflow.
                let length = a.hypot(b);
                if length.is_infinite() {
                    return linear(a.atan2(b), [0.0; 2]);
                }
                let [p, q] = [a / length / length, b / length / length];
                Partial { value: a.atan2(b), first: [q, -p], second: [-2.0 * p * q, p * p - q * q, 2.0 * p * q] }
            }
        }
    }
}

/// 1, −1, or 0 at 0; NaN of NaN.
fn sign(a: f64) -> f64 {
    if a == 0.0 { 0.0 } else { a.signum() }
}

/// aᶜ with its first two derivatives by a.
#[inline(always)]
pub(super) fn power(a: f64, c: f64) -> [f64; 3] {
    if a.is_nan() || c.is_nan() {
        // Also NaN⁰ and 1 to the power NaN, which the standard has as 1.
        return [f64::NAN; 3];
    }
    if c == 2.0 {
        return [a * a, 2.0 * a, 2.0];
    }
    if c == 3.0 {
        return [a * a * a, 3.0 * a * a, 6.0 * a];
    }
    // Small whole exponents by multiplication: faster, and exact where the result is.
    let raise = |c: f64| if c.fract() == 0.0 && c.abs() <= 64.0 { a.powi(c as i32) } else { a.powf(c) };
    let first = if c == 0.0 { 0.0 } else { c * raise(c - 1.0) };
    let second = if c == 0.0 || c == 1.0 { 0.0 } else { c * (c - 1.0) * raise(c - 2.0) };
    [raise(c), first, second]
}

/// A derivative times a slope; 0 contributes nothing, also where the other does not exist.
#[inline(always)]
fn times(derivative: f64, slope: f64) -> f64 {
    if slope == 0.0 || derivative == 0.0 { 0.0 } else { derivative * slope }
}

/// Value, gradient (x, y) and second derivatives (xx, xy, yy).
#[derive(Debug, Clone, Copy)]
struct Second {
    value: f64,
    gradient: [f64; 2],
    hessian: [f64; 3],
}

/// The pairs of variables of [`Second::hessian`].
const PAIRS: [[usize; 2]; 3] = [[0, 0], [0, 1], [1, 1]];

impl Second {
    const ZERO: Self = Self::constant(0.0);

    const fn constant(value: f64) -> Self {
        Self { value, gradient: [0.0; 2], hessian: [0.0; 3] }
    }

    fn through(self, [value, first, second]: [f64; 3]) -> Self {
        let g = self.gradient;
        let bend = |n: usize| times(times(second, g[PAIRS[n][0]]), g[PAIRS[n][1]]) + times(first, self.hessian[n]);
        Self { value, gradient: g.map(|slope| times(first, slope)), hessian: [bend(0), bend(1), bend(2)] }
    }

    fn with(self, other: Self, Partial { value, first, second }: Partial) -> Self {
        let (a, b) = (self.gradient, other.gradient);
        let bend = |n: usize| {
            let [i, j] = PAIRS[n];
            times(first[0], self.hessian[n])
                + times(first[1], other.hessian[n])
                + times(second[0], a[i] * a[j])
                + times(second[1], a[i] * b[j] + a[j] * b[i])
                + times(second[2], b[i] * b[j])
        };
        let slope = |i: usize| times(first[0], a[i]) + times(first[1], b[i]);
        Self { value, gradient: [slope(0), slope(1)], hessian: [bend(0), bend(1), bend(2)] }
    }
}

/// Values and gradients of `L` points at once.
#[derive(Debug, Clone, Copy)]
pub struct Slopes<const L: usize> {
    pub value: [f64; L],
    pub by_x: [f64; L],
    pub by_y: [f64; L],
}

impl<const L: usize> Slopes<L> {
    const ZERO: Self = Self { value: [0.0; L], by_x: [0.0; L], by_y: [0.0; L] };

    #[inline(always)]
    fn through(&mut self, derivatives: impl Fn(f64) -> [f64; 3]) {
        for lane in 0..L {
            let [value, slope, _] = derivatives(self.value[lane]);
            self.value[lane] = value;
            self.by_x[lane] = times(slope, self.by_x[lane]);
            self.by_y[lane] = times(slope, self.by_y[lane]);
        }
    }

    #[inline(always)]
    fn with(&mut self, other: &Self, derivatives: impl Fn(f64, f64) -> Partial) {
        for lane in 0..L {
            let Partial { value, first, .. } = derivatives(self.value[lane], other.value[lane]);
            self.value[lane] = value;
            self.by_x[lane] = times(first[0], self.by_x[lane]) + times(first[1], other.by_x[lane]);
            self.by_y[lane] = times(first[0], self.by_y[lane]) + times(first[1], other.by_y[lane]);
        }
    }
}

/// The stack that the deepest program needs: each level holds at most a sum, a product, a base and an argument.
const DEEPEST: usize = 5 * (super::MOST_LEVELS + 1);

impl Expression {
    /// f(x, y).
    pub fn value(&self, p: [f64; 2]) -> f64 {
        self.slopes([p[0]], [p[1]]).value[0]
    }

    /// The gradient; NaN where f is no finite number or a derivative does not exist.
    pub fn gradient(&self, p: [f64; 2]) -> [f64; 2] {
        let Slopes { value, by_x, by_y } = self.slopes([p[0]], [p[1]]);
        [by_x[0], by_y[0]].map(|slope| if value[0].is_finite() && slope.is_finite() { slope } else { f64::NAN })
    }

    /// The second derivatives; NaN where f is no finite number or a derivative does not exist.
    pub fn hessian(&self, p: [f64; 2]) -> [[f64; 2]; 2] {
        let Second { value, hessian, .. } = match self.stack {
            0..=8 => self.second::<8>(p),
            9..=32 => self.second::<32>(p),
            _ => self.second::<DEEPEST>(p),
        };
        let [xx, xy, yy] = hessian.map(|h| if value.is_finite() && h.is_finite() { h } else { f64::NAN });
        [[xx, xy], [xy, yy]]
    }

    fn second<const N: usize>(&self, [x, y]: [f64; 2]) -> Second {
        let mut stack = [Second::ZERO; N];
        let mut top = 0;
        for op in &self.program {
            match *op {
                Op::Number(_) | Op::X | Op::Y => {
                    stack[top] = match *op {
                        Op::X => Second { gradient: [1.0, 0.0], ..Second::constant(x) },
                        Op::Y => Second { gradient: [0.0, 1.0], ..Second::constant(y) },
                        Op::Number(value) => Second::constant(value),
                        _ => Second::ZERO,
                    };
                    top += 1;
                }
                Op::Negate => stack[top - 1] = stack[top - 1].through([-stack[top - 1].value, -1.0, 0.0]),
                Op::Power(c) => stack[top - 1] = stack[top - 1].through(power(stack[top - 1].value, c)),
                Op::Call(function) => {
                    stack[top - 1] = stack[top - 1].through(function.derivatives(stack[top - 1].value));
                }
                Op::Combine(operator) => {
                    top -= 1;
                    let (a, b) = (stack[top - 1], stack[top]);
                    stack[top - 1] = a.with(b, operator.derivatives(a.value, b.value));
                }
            }
        }
        stack[0]
    }

    /// Values and gradients of `L` points, without the rule for what is not finite.
    pub fn slopes<const L: usize>(&self, x: [f64; L], y: [f64; L]) -> Slopes<L> {
        match self.stack {
            0..=8 => self.first::<L, 8>(x, y),
            9..=32 => self.first::<L, 32>(x, y),
            _ => self.first::<L, DEEPEST>(x, y),
        }
    }

    fn first<const L: usize, const N: usize>(&self, x: [f64; L], y: [f64; L]) -> Slopes<L> {
        let mut stack = [Slopes::<L>::ZERO; N];
        let mut top = 0;
        for op in &self.program {
            match *op {
                Op::Number(value) => (stack[top], top) = (Slopes { value: [value; L], ..Slopes::ZERO }, top + 1),
                Op::X => (stack[top], top) = (Slopes { value: x, by_x: [1.0; L], by_y: [0.0; L] }, top + 1),
                Op::Y => (stack[top], top) = (Slopes { value: y, by_x: [0.0; L], by_y: [1.0; L] }, top + 1),
                Op::Negate => stack[top - 1].through(|a| [-a, -1.0, 0.0]),
                Op::Power(2.0) => stack[top - 1].through(|a| [a * a, 2.0 * a, 2.0]),
                Op::Power(c) => stack[top - 1].through(|a| power(a, c)),
                Op::Call(function) => stack[top - 1].through(|a| function.derivatives(a)),
                Op::Combine(operator) => {
                    top -= 1;
                    let (below, above) = stack.split_at_mut(top);
                    let (a, b) = (&mut below[top - 1], &above[0]);
                    match operator {
                        // The common ones by name, so that each becomes a loop without branches.
                        Operator::Add => a.with(b, |a, b| Operator::Add.derivatives(a, b)),
                        Operator::Subtract => a.with(b, |a, b| Operator::Subtract.derivatives(a, b)),
                        Operator::Multiply => a.with(b, |a, b| Operator::Multiply.derivatives(a, b)),
                        other => a.with(b, |a, b| other.derivatives(a, b)),
                    }
                }
            }
        }
        stack[0]
    }
}
