//! The program as text that is read back as the same program.

use std::fmt;

use super::{Expression, FUNCTIONS, Function, Op, Operator, PAIRS};

impl Function {
    pub(super) fn name(self) -> &'static str {
        FUNCTIONS.iter().find(|(_, function)| *function == self).map_or("", |(name, _)| name)
    }
}

/// How tightly a piece of text holds together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Tie {
    Sum,
    Product,
    Sign,
    Power,
    Whole,
}

/// `text`, in brackets where it holds together less than `wanted`.
fn held((text, tie): (String, Tie), wanted: Tie) -> String {
    if tie < wanted { format!("({text})") } else { text }
}

fn number(value: f64) -> String {
    let size = value.abs();
    let text = if size == 0.0 || (1e-5..1e15).contains(&size) { format!("{size}") } else { format!("{size:e}") };
    if value.is_sign_negative() { format!("(-{text})") } else { text }
}

/// How the formula was read, every product and bracket spelled out.
impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut stack: Vec<(String, Tie)> = Vec::new();
        for op in &self.program {
            let mut pop = || stack.pop().unwrap_or((String::new(), Tie::Whole));
            let piece = match *op {
                Op::Number(value) => (number(value), Tie::Whole),
                Op::X => ("x".to_owned(), Tie::Whole),
                Op::Y => ("y".to_owned(), Tie::Whole),
                Op::Negate => (format!("-{}", held(pop(), Tie::Power)), Tie::Sign),
                Op::Power(c) => (format!("{}^{}", held(pop(), Tie::Whole), number(c)), Tie::Power),
                Op::Call(function) => (format!("{}({})", function.name(), pop().0), Tie::Whole),
                Op::Combine(operator) => {
                    let (b, a) = (pop(), pop());
                    match operator {
                        Operator::Add => (format!("{} + {}", a.0, held(b, Tie::Product)), Tie::Sum),
                        Operator::Subtract => (format!("{} - {}", a.0, held(b, Tie::Product)), Tie::Sum),
                        Operator::Multiply => {
                            (format!("{}*{}", held(a, Tie::Product), held(b, Tie::Sign)), Tie::Product)
                        }
                        Operator::Divide => (format!("{}/{}", held(a, Tie::Product), held(b, Tie::Sign)), Tie::Product),
                        Operator::Power => (format!("{}^{}", held(a, Tie::Whole), held(b, Tie::Sign)), Tie::Power),
                        _ => {
                            let name = PAIRS.iter().find(|(_, known)| *known == operator).map_or("", |(name, _)| name);
                            (format!("{name}({}, {})", a.0, b.0), Tie::Whole)
                        }
                    }
                }
            };
            stack.push(piece);
        }
        f.write_str(stack.last().map_or("", |(text, _)| text))
    }
}
