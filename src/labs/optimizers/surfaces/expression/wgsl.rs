//! The program as a WGSL function in f32: value and gradient, by the same chain rule as on the processor.

use std::fmt::Write;

use super::{Expression, Function, Op, Operator};

/// What [`Expression::wgsl`] calls; put it once before the functions.
///
/// Shaders may treat NaN and infinity as they like, so what has no value here is `NOWHERE`, a number that no finite sum
/// brings back.
pub const HELPERS: &str = "\
const NOWHERE: f32 = 3.0e38;
fn times(derivative: f32, slope: f32) -> f32 { return select(derivative * slope, 0.0, slope == 0.0 || derivative == 0.0); }
fn whole_power(base: f32, exponent: i32) -> f32 {
    var result = 1.0;
    var square = base;
    for (var left = abs(exponent); left > 0; left = left / 2) {
        if (left % 2 == 1) { result = result * square; }
        square = square * square;
    }
    if (exponent < 0) { return 1.0 / result; }
    return result;
}
fn real_power(base: f32, exponent: f32) -> f32 {
    if (base > 0.0) { return pow(base, exponent); }
    if (base == 0.0) { return select(NOWHERE, select(0.0, 1.0, exponent == 0.0), exponent >= 0.0); }
    if (exponent == floor(exponent)) {
        let size = pow(-base, exponent);
        return select(size, -size, floor(exponent * 0.5) * 2.0 != exponent);
    }
    return NOWHERE;
}
fn logarithm(a: f32) -> f32 { if (a > 0.0) { return log(a); } return NOWHERE; }
fn square_root(a: f32) -> f32 { if (a >= 0.0) { return sqrt(a); } return NOWHERE; }
fn cube_root(a: f32) -> f32 { if (a == 0.0) { return 0.0; } return sign(a) * pow(abs(a), 1.0 / 3.0); }
fn arc(a: f32, value: f32) -> f32 { if (abs(a) <= 1.0) { return value; } return NOWHERE; }
fn tangent_h(a: f32) -> f32 { return tanh(clamp(a, -16.0, 16.0)); }
fn angle(a: f32, b: f32) -> f32 { if (a == 0.0 && b == 0.0) { return 0.0; } return atan2(a, b); }
";

/// A value on the stack: its names and which slopes it has.
#[derive(Debug, Clone)]
struct Entry {
    value: String,
    constant: bool,
    slopes: [Option<String>; 2],
}

/// A constant in f32; what is too large becomes the largest, what is too small 0.
fn literal(value: f64) -> String {
    let value = value.clamp(-3.0e38, 3.0e38) as f32;
    let value = if value.is_subnormal() { 0.0 } else { value };
    // Two signs in a row would be another operator.
    if value.is_sign_negative() { format!("({value:?}f)") } else { format!("{value:?}f") }
}

impl Expression {
    /// A function `name(p: vec2<f32>) -> vec3<f32>` that gives f, ∂f/∂x and ∂f/∂y; it needs [`HELPERS`].
    pub fn wgsl(&self, name: &str) -> String {
        let mut body = String::new();
        let mut stack: Vec<Entry> = Vec::new();
        for (index, op) in self.program.iter().enumerate() {
            let mut pop = || stack.pop().unwrap_or_else(|| constant(literal(0.0)));
            let entry = match *op {
                Op::Number(value) => variable(&mut body, index, &literal(value)),
                Op::X => Entry { value: "p.x".to_owned(), constant: false, slopes: [Some("1.0f".to_owned()), None] },
                Op::Y => Entry { value: "p.y".to_owned(), constant: false, slopes: [None, Some("1.0f".to_owned())] },
                Op::Negate => {
                    let a = pop();
                    line(&mut body, index, &format!("-{}", a.value), [(a, literal(-1.0)), none()])
                }
                Op::Power(c) => {
                    let a = pop();
                    let [value, slope] = power(&a.value, c);
                    line(&mut body, index, &value, [(a, slope), none()])
                }
                Op::Call(function) => {
                    let a = pop();
                    let value = function.wgsl(&a.value);
                    let slope = function.wgsl_slope(&a.value, &format!("v{index}"));
                    line(&mut body, index, &value, [(a, slope), none()])
                }
                Op::Combine(operator) => {
                    let (b, a) = (pop(), pop());
                    let (value, slopes) = operator.wgsl(&a.value, &b.value, &format!("v{index}"));
                    let [by_a, by_b] = slopes;
                    line(&mut body, index, &value, [(a, by_a), (b, by_b)])
                }
            };
            stack.push(entry);
        }
        let Entry { value, slopes, .. } = stack.pop().unwrap_or_else(|| constant(literal(0.0)));
        let [x, y] = slopes.map(|slope| slope.unwrap_or_else(|| literal(0.0)));
        format!("fn {name}(p: vec2<f32>) -> vec3<f32> {{\n{body}    return vec3<f32>({value}, {x}, {y});\n}}\n")
    }
}

fn constant(value: String) -> Entry {
    Entry { value, constant: true, slopes: [None, None] }
}

/// A constant as a variable, for WGSL refuses what overflows between constants.
fn variable(body: &mut String, index: usize, value: &str) -> Entry {
    // Writing into a string cannot fail.
    let _ = writeln!(body, "    var v{index} = {value};");
    constant(format!("v{index}"))
}

/// No second operand.
fn none() -> (Entry, String) {
    (constant(String::new()), String::new())
}

/// Writes the value of an operation and its slopes: the sum over its operands of derivative times slope.
fn line(body: &mut String, index: usize, value: &str, operands: [(Entry, String); 2]) -> Entry {
    // Constants that were not computed when the formula was read have no finite result.
    if operands.iter().all(|(operand, _)| operand.constant) {
        return variable(body, index, "NOWHERE");
    }
    // Writing into a string cannot fail.
    let _ = writeln!(body, "    let v{index} = {value};");
    let slopes = [(0, 'x'), (1, 'y')].map(|(axis, letter)| {
        let parts = operands.iter().filter_map(|(operand, derivative)| {
            let slope = operand.slopes[axis].as_ref()?;
            Some(if slope == "1.0f" { format!("({derivative})") } else { format!("times({derivative}, {slope})") })
        });
        let sum = parts.collect::<Vec<_>>().join(" + ");
        if sum.is_empty() {
            return None;
        }
        let name = format!("v{index}_{letter}");
        let _ = writeln!(body, "    let {name} = {sum};");
        Some(name)
    });
    Entry { value: format!("v{index}"), constant: false, slopes }
}

/// aᶜ and its derivative.
fn power(a: &str, c: f64) -> [String; 2] {
    let raise = |c: f64| match c {
        0.0 => "1.0f".to_owned(),
        1.0 => a.to_owned(),
        2.0 => format!("({a} * {a})"),
        3.0 => format!("({a} * {a} * {a})"),
        4.0 => format!("(({a} * {a}) * ({a} * {a}))"),
        _ if c.fract() == 0.0 && c.abs() <= 64.0 => format!("whole_power({a}, {c}i)"),
        _ => format!("real_power({a}, {})", literal(c)),
    };
    [raise(c), if c == 0.0 { literal(0.0) } else { format!("{} * {}", literal(c), raise(c - 1.0)) }]
}

impl Function {
    fn wgsl(self, a: &str) -> String {
        match self {
            Function::Sin => format!("sin({a})"),
            Function::Cos => format!("cos({a})"),
            Function::Tan => format!("tan({a})"),
            Function::Asin => format!("arc({a}, asin(clamp({a}, -1.0, 1.0)))"),
            Function::Acos => format!("arc({a}, acos(clamp({a}, -1.0, 1.0)))"),
            Function::Atan => format!("atan({a})"),
            Function::Sinh => format!("sinh({a})"),
            Function::Cosh => format!("cosh({a})"),
            Function::Tanh => format!("tangent_h({a})"),
            Function::Exp => format!("exp({a})"),
            Function::Ln => format!("logarithm({a})"),
            Function::Log10 => format!("logarithm({a}) * {}", literal(std::f64::consts::LOG10_E)),
            Function::Log2 => format!("logarithm({a}) * {}", literal(std::f64::consts::LOG2_E)),
            Function::Sqrt => format!("square_root({a})"),
            Function::Cbrt => format!("cube_root({a})"),
            Function::Abs => format!("abs({a})"),
            Function::Sign => format!("sign({a})"),
            Function::Floor => format!("floor({a})"),
        }
    }

    /// The derivative at `a`, where the function has the value `v`.
    fn wgsl_slope(self, a: &str, v: &str) -> String {
        match self {
            Function::Sin => format!("cos({a})"),
            Function::Cos => format!("-sin({a})"),
            Function::Tan => format!("1.0 + {v} * {v}"),
            Function::Asin => format!("1.0 / square_root(1.0 - {a} * {a})"),
            Function::Acos => format!("-1.0 / square_root(1.0 - {a} * {a})"),
            Function::Atan => format!("1.0 / (1.0 + {a} * {a})"),
            Function::Sinh => format!("cosh({a})"),
            Function::Cosh => format!("sinh({a})"),
            Function::Tanh => format!("1.0 - {v} * {v}"),
            Function::Exp => v.to_owned(),
            Function::Ln => format!("1.0 / {a}"),
            Function::Log10 => format!("{} / {a}", literal(std::f64::consts::LOG10_E)),
            Function::Log2 => format!("{} / {a}", literal(std::f64::consts::LOG2_E)),
            Function::Sqrt => format!("0.5 / {v}"),
            Function::Cbrt => format!("1.0 / (3.0 * {v} * {v})"),
            Function::Abs => format!("sign({a})"),
            Function::Sign | Function::Floor => literal(0.0),
        }
    }
}

impl Operator {
    /// The value and the derivatives by both operands; `v` is the value's name.
    fn wgsl(self, a: &str, b: &str, v: &str) -> (String, [String; 2]) {
        let one = || literal(1.0);
        let choose = |function: &str, sign: &str| {
            (
                format!("{function}({a}, {b})"),
                [format!("select(0.0, 1.0, {a} {sign} {b})"), format!("select(1.0, 0.0, {a} {sign} {b})")],
            )
        };
        match self {
            Operator::Add => (format!("{a} + {b}"), [one(), one()]),
            Operator::Subtract => (format!("{a} - {b}"), [one(), literal(-1.0)]),
            Operator::Multiply => (format!("{a} * {b}"), [b.to_owned(), a.to_owned()]),
            Operator::Divide => (format!("{a} / {b}"), [format!("1.0 / {b}"), format!("-{v} / {b}")]),
            Operator::Power => (
                format!("real_power({a}, {b})"),
                [format!("{b} * real_power({a}, {b} - 1.0)"), format!("times(logarithm({a}), {v})")],
            ),
            Operator::Minimum => choose("min", "<="),
            Operator::Maximum => choose("max", ">="),
            Operator::Hypot => {
                let slope = |side: &str| format!("select({side} / {v}, 0.0, {v} == 0.0)");
                (format!("length(vec2<f32>({a}, {b}))"), [slope(a), slope(b)])
            }
            Operator::Atan2 => {
                let square = format!("({a} * {a} + {b} * {b})");
                (format!("angle({a}, {b})"), [format!("{b} / {square}"), format!("-{a} / {square}")])
            }
        }
    }
}
