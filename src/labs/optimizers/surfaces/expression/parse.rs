//! From text to a program, with messages that point at a column.

use std::fmt;

use super::{CONSTANTS, Expression, FUNCTIONS, Function, MOST_CHARACTERS, MOST_LEVELS, Op, Operator, PAIRS};
use crate::engine::params::nearest;

/// Why a text is no function of x and y.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where, in characters from 1.
    pub column: usize,
    /// What is wrong and what was expected.
    pub text: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "column {}: {}", self.column, self.text)
    }
}

impl std::error::Error for Problem {}

fn problem<T>(column: usize, text: impl Into<String>) -> Result<T, Problem> {
    Err(Problem { column, text: text.into() })
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Token {
    Number(f64),
    X,
    Y,
    Constant(f64),
    Function(&'static str, Function),
    Pair(&'static str, Operator),
    /// A raised number: x².
    Raised(f64),
    Plus,
    Minus,
    Times,
    Over,
    Power,
    Open(char),
    Close(char),
    Comma,
}

impl Token {
    /// Whether it can begin a factor that follows another without a sign.
    fn begins_factor(self) -> bool {
        use Token::{Constant, Function, Number, Open, Pair, X, Y};
        matches!(self, Number(_) | X | Y | Constant(_) | Function(..) | Pair(..) | Open(_))
    }
}

pub(super) fn parse(text: &str) -> Result<Expression, Problem> {
    let characters = text.chars().count();
    if characters > MOST_CHARACTERS {
        return problem(
            MOST_CHARACTERS + 1,
            format!("the formula has {characters} characters; at most {MOST_CHARACTERS} are read"),
        );
    }
    let tokens = Reader { characters: text.chars().collect(), at: 0, tokens: Vec::new() }.read()?;
    let end = text.trim_end().chars().count() + 1;
    let mut parser = Parser { tokens, at: 0, level: 0, end, out: Expression::new() };
    if parser.tokens.is_empty() {
        return problem(1, "a formula in x and y is expected, e.g. x^2 + 3y^2");
    }
    parser.sum()?;
    match parser.peek() {
        None => Ok(parser.out.finish()),
        Some(Token::Close(bracket)) => problem(parser.column(), format!("`{bracket}` closes no bracket")),
        Some(Token::Comma) => problem(
            parser.column(),
            "a comma separates the arguments of min, max, pow, hypot and atan2; decimals are written with a point",
        ),
        Some(_) => problem(parser.column(), "a sign is expected here, e.g. + or *"),
    }
}

/// Text to tokens.
struct Reader {
    characters: Vec<char>,
    at: usize,
    /// Each with its column.
    tokens: Vec<(Token, usize)>,
}

impl Reader {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.characters.get(self.at + ahead).copied()
    }

    fn read(mut self) -> Result<Vec<(Token, usize)>, Problem> {
        while let Some(c) = self.peek(0) {
            let column = self.at + 1;
            let single = match c {
                '+' => Some(Token::Plus),
                '-' | '−' | '–' => Some(Token::Minus),
                '*' if self.peek(1) == Some('*') => {
                    self.at += 1;
                    Some(Token::Power)
                }
                '*' | '·' | '×' | '⋅' | '∙' => Some(Token::Times),
                '/' | '÷' | '∕' => Some(Token::Over),
                '^' => Some(Token::Power),
                '(' | '[' | '{' => Some(Token::Open(c)),
                ')' | ']' | '}' => Some(Token::Close(c)),
                ',' | ';' => Some(Token::Comma),
                '√' => Some(Token::Function("√", Function::Sqrt)),
                '½' => Some(Token::Number(0.5)),
                '⅓' => Some(Token::Number(1.0 / 3.0)),
                '⅔' => Some(Token::Number(2.0 / 3.0)),
                '¼' => Some(Token::Number(0.25)),
                '¾' => Some(Token::Number(0.75)),
                _ => None,
            };
            if let Some(token) = single {
                self.tokens.push((token, column));
                self.at += 1;
            } else if c.is_whitespace() {
                self.at += 1;
            } else if c.is_ascii_digit() || c == '.' {
                self.number()?;
            } else if raised(c).is_some() {
                self.raised()?;
            } else if c.is_alphabetic() {
                self.names()?;
            } else if c == '=' {
                return problem(column, "`=` is no part of a formula; write what stands to the right of it");
            } else if c == '|' {
                return problem(column, "write abs(…) for |…|");
            } else {
                return problem(column, format!("`{}` means nothing in a formula", c.escape_debug()));
            }
        }
        Ok(self.tokens)
    }

    fn number(&mut self) -> Result<(), Problem> {
        let start = self.at;
        let digits = |reader: &mut Self| {
            while reader.peek(0).is_some_and(|c| c.is_ascii_digit()) {
                reader.at += 1;
            }
        };
        digits(self);
        if self.peek(0) == Some('.') {
            self.at += 1;
            digits(self);
        }
        // 2e-3 is a number; 2e and 2exp(x) are products.
        if matches!(self.peek(0), Some('e' | 'E')) {
            let sign = usize::from(matches!(self.peek(1), Some('+' | '-' | '−')));
            if self.peek(1 + sign).is_some_and(|c| c.is_ascii_digit()) {
                self.at += 1 + sign;
                digits(self);
            }
        }
        let text: String = self.characters[start..self.at].iter().map(|c| if *c == '−' { '-' } else { *c }).collect();
        match text.parse::<f64>() {
            Ok(value) if value.is_finite() => self.tokens.push((Token::Number(value), start + 1)),
            Ok(_) => return problem(start + 1, format!("{text} is too large a number")),
            Err(_) => return problem(start + 1, format!("`{text}` is no number")),
        }
        if self.peek(0) == Some('.') {
            return problem(self.at + 1, "a number has one decimal point");
        }
        Ok(())
    }

    fn raised(&mut self) -> Result<(), Problem> {
        let start = self.at;
        let mut text = String::new();
        while let Some(c) = self.peek(0).and_then(raised) {
            text.push(c);
            self.at += 1;
        }
        match text.parse::<f64>() {
            Ok(value) => self.tokens.push((Token::Raised(value), start + 1)),
            Err(_) => return problem(start + 1, "a raised whole number is expected, e.g. x²"),
        }
        Ok(())
    }

    /// A run of letters is a name, or several that stand together: `xy`, `xsin`.
    fn names(&mut self) -> Result<(), Problem> {
        let start = self.at;
        let letters =
            self.characters[start..].iter().take_while(|c| c.is_alphabetic() && raised(**c).is_none()).count();
        let mut split: Vec<(Token, usize)> = Vec::new();
        while self.at < start + letters {
            let Some((token, length)) = self.name(start + letters) else {
                return self.unknown(start, letters);
            };
            // `sine` is a name that we have not, and no sin(e).
            let applied = matches!(split.last(), Some((Token::Function(..) | Token::Pair(..), _)));
            if applied && matches!(token, Token::Constant(std::f64::consts::E)) {
                return self.unknown(start, letters);
            }
            split.push((token, self.at + 1));
            self.at += length;
        }
        if self.peek(0).is_some_and(|c| c.is_ascii_digit() || c == '_') {
            let before: String = self.characters[start..self.at].iter().collect();
            let behind = split.last().is_some_and(|(token, _)| matches!(token, Token::Function(..) | Token::Pair(..)));
            if !behind {
                let text = format!("a number cannot stand behind `{before}`; write `{before}^2` or `2{before}`");
                return problem(self.at + 1, text);
            }
        }
        self.tokens.append(&mut split);
        Ok(())
    }

    /// The longest name that begins here, and its length in characters; letters end before `end`.
    fn name(&self, end: usize) -> Option<(Token, usize)> {
        let known = FUNCTIONS.iter().map(|(name, function)| (*name, Token::Function(name, *function)));
        let known = known.chain(PAIRS.iter().map(|(name, operator)| (*name, Token::Pair(name, *operator))));
        let known = known.chain(CONSTANTS.iter().map(|(name, value)| (*name, Token::Constant(*value))));
        let known = known.chain([("x", Token::X), ("y", Token::Y)]);
        let fits = |name: &str| {
            let letters = name.chars().filter(|c| c.is_alphabetic()).count();
            self.at + letters <= end
                && name.chars().enumerate().all(|(i, c)| self.peek(i).is_some_and(|here| here.to_lowercase().eq([c])))
        };
        known
            .filter(|(name, _)| fits(name))
            .map(|(name, token)| (token, name.chars().count()))
            .max_by_key(|found| found.1)
    }

    fn unknown(&self, start: usize, letters: usize) -> Result<(), Problem> {
        let mut length = letters;
        while self.characters.get(start + length).is_some_and(|c| c.is_alphanumeric() || *c == '_') {
            length += 1;
        }
        let name: String = self.characters[start..start + length.min(40)].iter().collect();
        let names = FUNCTIONS.iter().map(|f| f.0).chain(PAIRS.iter().map(|p| p.0)).chain(CONSTANTS.iter().map(|c| c.0));
        // Before what is wrong: whatever could be read.
        let column = if letters > 1 { start + 1 } else { self.at + 1 };
        match nearest(&name.to_lowercase(), names) {
            Some(near) if name.chars().count() > 1 => {
                problem(column, format!("unknown name `{name}`; did you mean `{near}`?"))
            }
            _ => problem(column, format!("unknown name `{name}`; only x and y are variables")),
        }
    }
}

/// A raised digit or sign as an ordinary one.
fn raised(c: char) -> Option<char> {
    Some(match c {
        '⁰' => '0',
        '¹' => '1',
        '²' => '2',
        '³' => '3',
        '⁴'..='⁹' => char::from_digit(c as u32 - '⁰' as u32, 10)?,
        '⁻' => '-',
        '⁺' => '+',
        _ => return None,
    })
}

/// Tokens to a program, by recursive descent of bounded depth.
struct Parser {
    tokens: Vec<(Token, usize)>,
    at: usize,
    level: usize,
    /// The column behind the text.
    end: usize,
    out: Expression,
}

impl Parser {
    fn peek(&self) -> Option<Token> {
        self.tokens.get(self.at).map(|(token, _)| *token)
    }

    fn column(&self) -> usize {
        self.tokens.get(self.at).map_or(self.end, |(_, column)| *column)
    }

    /// Takes the next token if it is this one.
    fn takes(&mut self, token: Token) -> bool {
        let taken = self.peek() == Some(token);
        self.at += usize::from(taken);
        taken
    }

    /// Reads what is one level deeper.
    fn deeper(&mut self, read: impl FnOnce(&mut Self) -> Result<(), Problem>) -> Result<(), Problem> {
        if self.level == MOST_LEVELS {
            return problem(
                self.column(),
                format!("brackets and powers are nested more than {MOST_LEVELS} levels deep"),
            );
        }
        self.level += 1;
        read(self)?;
        self.level -= 1;
        Ok(())
    }

    fn combine(&mut self, operator: Operator) {
        self.out.push(Op::Combine(operator));
    }

    fn sum(&mut self) -> Result<(), Problem> {
        self.product()?;
        loop {
            let operator = match self.peek() {
                Some(Token::Plus) => Operator::Add,
                Some(Token::Minus) => Operator::Subtract,
                _ => return Ok(()),
            };
            self.at += 1;
            self.product()?;
            self.combine(operator);
        }
    }

    /// Factors with or without a sign between them, from left to right: 1/2x is (1/2)·x.
    fn product(&mut self) -> Result<(), Problem> {
        self.signed()?;
        loop {
            match self.peek() {
                Some(Token::Times) => {
                    self.at += 1;
                    self.signed()?;
                    self.combine(Operator::Multiply);
                }
                Some(Token::Over) => {
                    self.at += 1;
                    self.signed()?;
                    self.combine(Operator::Divide);
                }
                Some(Token::Number(_)) => {
                    return problem(self.column(), "a number cannot follow without a sign; write * or ^ before it");
                }
                Some(token) if token.begins_factor() => {
                    self.power()?;
                    self.combine(Operator::Multiply);
                }
                _ => return Ok(()),
            }
        }
    }

    /// Any signs, which bind less than a power: −x² is −(x²).
    fn signed(&mut self) -> Result<(), Problem> {
        let mut negative = false;
        while let Some(token @ (Token::Plus | Token::Minus)) = self.peek() {
            negative ^= token == Token::Minus;
            self.at += 1;
        }
        self.power()?;
        if negative {
            self.out.push(Op::Negate);
        }
        Ok(())
    }

    /// Powers from right to left: x^2^3 is x^(2^3); x²³ is x to the 23rd.
    fn power(&mut self) -> Result<(), Problem> {
        self.primary()?;
        while let Some(Token::Raised(exponent)) = self.peek() {
            self.at += 1;
            self.out.push(Op::Number(exponent));
            self.combine(Operator::Power);
        }
        if self.takes(Token::Power) {
            self.deeper(Self::signed)?;
            self.combine(Operator::Power);
        }
        Ok(())
    }

    fn primary(&mut self) -> Result<(), Problem> {
        let column = self.column();
        let Some(token) = self.peek() else {
            return problem(column, "the formula ends here; a number, x, y, a function or `(` is expected");
        };
        self.at += 1;
        match token {
            Token::Number(value) | Token::Constant(value) => self.out.push(Op::Number(value)),
            Token::X => self.out.push(Op::X),
            Token::Y => self.out.push(Op::Y),
            Token::Open(bracket) => {
                self.deeper(Self::sum)?;
                self.close(bracket, column)?;
            }
            Token::Function(name, function) => self.deeper(|parser| parser.apply(name, function))?,
            Token::Pair(name, operator) => self.deeper(|parser| parser.pair(name, operator, column))?,
            _ => return problem(column, "a number, x, y, a function or `(` is expected here"),
        }
        Ok(())
    }

    /// The bracket that closes the one at `opened`.
    fn close(&mut self, bracket: char, opened: usize) -> Result<(), Problem> {
        let wanted = match bracket {
            '[' => ']',
            '{' => '}',
            _ => ')',
        };
        if self.takes(Token::Close(wanted)) {
            return Ok(());
        }
        let column = self.column();
        match self.peek() {
            Some(Token::Comma) => problem(
                column,
                "a comma separates the arguments of min, max, pow, hypot and atan2; decimals are written with a point",
            ),
            _ => problem(column, format!("`{wanted}` is missing: the `{bracket}` at column {opened} is not closed")),
        }
    }

    /// What a function of one argument is applied to: brackets, or all that follows without a sign (`cos 2πx`). A power may
    /// stand before it: `sin² x`.
    fn apply(&mut self, name: &str, function: Function) -> Result<(), Problem> {
        let column = self.column();
        let mut exponent = None;
        if let Some(Token::Raised(raised)) = self.peek() {
            (exponent, self.at) = (Some(raised), self.at + 1);
        } else if self.takes(Token::Power) {
            let Some(Token::Number(number)) = self.peek() else {
                return problem(self.column(), format!("a number is expected; write ({name}(…))^(…) for other powers"));
            };
            (exponent, self.at) = (Some(number), self.at + 1);
        }
        if exponent.is_some_and(|exponent| exponent < 0.0) {
            return problem(column, format!("write 1/{name}(…), or a{name}(…) for the inverse function"));
        }
        match self.peek() {
            Some(Token::Open(bracket)) => {
                let opened = self.column();
                self.at += 1;
                self.sum()?;
                if self.peek() == Some(Token::Comma) {
                    return problem(
                        self.column(),
                        format!("{name} has one argument; decimals are written with a point"),
                    );
                }
                self.close(bracket, opened)?;
            }
            _ if function == Function::Sqrt && name == "√" => self.primary()?,
            Some(_) => {
                self.signed()?;
                while let Some(Token::X | Token::Y | Token::Constant(_)) = self.peek() {
                    self.power()?;
                    self.combine(Operator::Multiply);
                }
                if let Some(Token::Open(_)) = self.peek() {
                    return problem(self.column(), format!("what {name} applies to is unclear; write {name}(…)"));
                }
            }
            None => return problem(self.column(), format!("{name} has no argument; write {name}(…)")),
        }
        self.out.push(Op::Call(function));
        if let Some(exponent) = exponent {
            self.out.push(Op::Number(exponent));
            self.combine(Operator::Power);
        }
        Ok(())
    }

    /// Two arguments in brackets; min and max take more.
    fn pair(&mut self, name: &str, operator: Operator, named: usize) -> Result<(), Problem> {
        let opened = self.column();
        let Some(Token::Open(bracket)) = self.peek() else {
            return problem(opened, format!("`(` is expected behind {name}: {name}(x, y)"));
        };
        self.at += 1;
        self.sum()?;
        let mut arguments = 1;
        while self.peek() == Some(Token::Comma) {
            if arguments == 2 && !matches!(operator, Operator::Minimum | Operator::Maximum) {
                return problem(self.column(), format!("{name} has two arguments; decimals are written with a point"));
            }
            self.at += 1;
            self.sum()?;
            self.combine(operator);
            arguments += 1;
        }
        self.close(bracket, opened)?;
        if arguments == 1 {
            return problem(named, format!("{name} has two arguments: {name}(x, y)"));
        }
        Ok(())
    }
}
