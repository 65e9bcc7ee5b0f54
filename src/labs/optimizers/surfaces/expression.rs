//! A function of x and y as somebody types it: `x^4 + 2x^3 + y^2 - 1`.
//!
//! A module of our own, because no crate has what is needed at once: messages that point at a column, implicit
//! multiplication (`2x(y+1)`), the signs in which mathematics is printed (`x²`, `−`, `·`, `√`, `sin² 3πx`), bounds on
//! length and depth for any input, exact second derivatives, and the same function as WGSL. exmex, the nearest, has
//! partial derivatives, but none of the others.
//!
//! Text becomes a program in postfix order. It is evaluated with its derivatives as a pair or triple of coefficients
//! (forward mode: every operation is the chain rule), so gradient and Hessian are exact to rounding.
//!
//! Where a function has no derivative: |u| and sign u have slope 0 at u = 0, min and max have the slope of their first
//! argument where both are equal, hypot has slope 0 at the origin, floor and sign are flat. In the chain rule 0 times
//! anything is 0, also at a kink: √(x² + y²) has gradient 0 at the origin. Where f is no finite number, its derivatives are NaN; derivatives are finite or NaN, never infinite.

mod jet;
mod parse;
mod print;
pub mod wgsl;

pub use parse::Problem;

/// The longest text that is read.
pub const MOST_CHARACTERS: usize = 2_000;
/// The deepest nesting of brackets, exponents and functions that is read.
pub const MOST_LEVELS: usize = 64;

/// A function f(x, y) that was read from text.
#[derive(Debug, Clone, PartialEq)]
pub struct Expression {
    /// Postfix: an operation takes its operands from the stack and leaves its result there.
    program: Vec<Op>,
    /// The most values on the stack at a time.
    stack: usize,
}

/// One operation of the program.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Op {
    Number(f64),
    X,
    Y,
    Negate,
    /// uᶜ with a constant c.
    Power(f64),
    Call(Function),
    Combine(Operator),
}

/// A function of one argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Function {
    Sin,
    Cos,
    Tan,
    Asin,
    Acos,
    Atan,
    Sinh,
    Cosh,
    Tanh,
    Exp,
    Ln,
    Log10,
    Log2,
    Sqrt,
    Cbrt,
    Abs,
    Sign,
    Floor,
}

/// Their names; the first of several is the one that is printed.
const FUNCTIONS: [(&str, Function); 19] = [
    ("sin", Function::Sin),
    ("cos", Function::Cos),
    ("tan", Function::Tan),
    ("asin", Function::Asin),
    ("acos", Function::Acos),
    ("atan", Function::Atan),
    ("sinh", Function::Sinh),
    ("cosh", Function::Cosh),
    ("tanh", Function::Tanh),
    ("exp", Function::Exp),
    ("ln", Function::Ln),
    ("log", Function::Ln),
    ("log10", Function::Log10),
    ("log2", Function::Log2),
    ("sqrt", Function::Sqrt),
    ("cbrt", Function::Cbrt),
    ("abs", Function::Abs),
    ("sign", Function::Sign),
    ("floor", Function::Floor),
];

/// An operation with two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
    Minimum,
    Maximum,
    Hypot,
    /// The angle of (second, first).
    Atan2,
}

/// Those that are written as functions.
const PAIRS: [(&str, Operator); 5] = [
    ("min", Operator::Minimum),
    ("max", Operator::Maximum),
    ("pow", Operator::Power),
    ("hypot", Operator::Hypot),
    ("atan2", Operator::Atan2),
];

/// Constants by name.
const CONSTANTS: [(&str, f64); 5] = [
    ("pi", std::f64::consts::PI),
    ("π", std::f64::consts::PI),
    ("e", std::f64::consts::E),
    ("tau", std::f64::consts::TAU),
    ("τ", std::f64::consts::TAU),
];

impl Expression {
    /// Reads a formula; the error points at the column where it cannot be understood.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        parse::parse(text)
    }

    /// An empty program, to be filled by [`Expression::push`].
    fn new() -> Self {
        Self { program: Vec::new(), stack: 0 }
    }

    /// Appends an operation; what has only constants is computed at once, unless that gives no finite number.
    fn push(&mut self, op: Op) {
        let program = &mut self.program;
        let folded = match (op, program.as_slice()) {
            (Op::Negate, [.., Op::Number(a)]) => Some((1, -a)),
            (Op::Power(c), [.., Op::Number(a)]) => Some((1, jet::power(*a, c)[0])),
            (Op::Call(function), [.., Op::Number(a)]) => Some((1, function.derivatives(*a)[0])),
            (Op::Combine(operator), [.., Op::Number(a), Op::Number(b)]) => {
                Some((2, operator.derivatives(*a, *b).value))
            }
            _ => None,
        };
        match (folded, op, program.last()) {
            (Some((operands, value)), ..) if value.is_finite() => {
                program.truncate(program.len() - operands);
                program.push(Op::Number(value));
            }
            (_, Op::Combine(Operator::Power), Some(&Op::Number(c))) => {
                program.pop();
                program.push(Op::Power(c));
            }
            _ => program.push(op),
        }
    }

    /// The program is complete.
    fn finish(mut self) -> Self {
        let mut height = 0usize;
        for op in &self.program {
            match op {
                Op::Number(_) | Op::X | Op::Y => height += 1,
                Op::Combine(_) => height -= 1,
                Op::Negate | Op::Power(_) | Op::Call(_) => {}
            }
            self.stack = self.stack.max(height);
        }
        self
    }

    /// What one evaluation costs, in additions.
    pub fn cost(&self) -> usize {
        let of = |op: &Op| match op {
            Op::Number(_) | Op::X | Op::Y | Op::Negate => 1,
            Op::Combine(Operator::Add | Operator::Subtract | Operator::Multiply) => 1,
            Op::Power(c) if *c == 2.0 || *c == 3.0 => 1,
            _ => 4,
        };
        self.program.iter().map(of).sum::<usize>().max(1)
    }
}

#[cfg(test)]
mod tests;
