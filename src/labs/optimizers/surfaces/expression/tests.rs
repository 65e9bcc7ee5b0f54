use std::time::Instant;

use super::*;

/// A small generator of numbers in [0, 1), the same on every machine.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }

    fn below(&mut self, n: usize) -> usize {
        (self.roll() * n as f64) as usize
    }
}

/// A random program; `depth` bounds its nesting.
fn random(dice: &mut Dice, depth: usize, out: &mut Expression) {
    if depth == 0 || dice.roll() < 0.1 {
        let leaf = match dice.below(5) {
            0 => Op::Number((dice.roll() * 60.0 - 30.0).round() / 10.0),
            1 | 2 => Op::X,
            _ => Op::Y,
        };
        return out.push(leaf);
    }
    match dice.below(10) {
        0 => {
            random(dice, depth - 1, out);
            out.push(Op::Negate);
        }
        1 => {
            random(dice, depth - 1, out);
            out.push(Op::Number([2.0, 3.0, 4.0, -1.0, 0.5, 1.5, 5.0][dice.below(7)]));
            out.push(Op::Combine(Operator::Power));
        }
        2 | 3 => {
            random(dice, depth - 1, out);
            out.push(Op::Call(FUNCTIONS[dice.below(FUNCTIONS.len())].1));
        }
        _ => {
            random(dice, depth - 1, out);
            random(dice, depth - 1, out);
            use Operator::*;
            let operators = [Add, Subtract, Multiply, Divide, Power, Minimum, Maximum, Hypot, Atan2, Add, Multiply];
            out.push(Op::Combine(operators[dice.below(operators.len())]));
        }
    }
}

pub(super) fn random_expression(seed: u64) -> Expression {
    let mut dice = Dice(seed);
    dice.roll();
    let mut out = Expression::new();
    random(&mut dice, 5, &mut out);
    out.finish()
}

fn parse(text: &str) -> Expression {
    Expression::parse(text).unwrap_or_else(|problem| panic!("{text}: {problem}"))
}

fn at(text: &str, p: [f64; 2]) -> f64 {
    parse(text).value(p)
}

/// A fourth-order central difference of `of` at p along one axis, and how far those with other steps are from it.
fn difference(of: impl Fn([f64; 2]) -> f64, p: [f64; 2], axis: usize) -> (f64, f64) {
    let by = |h: f64| {
        let at = |steps: f64| {
            let mut q = p;
            q[axis] += steps * h;
            of(q)
        };
        (8.0 * (at(1.0) - at(-1.0)) - (at(2.0) - at(-2.0))) / (12.0 * h)
    };
    let (coarse, fine, finer) = (by(2e-3), by(1e-3), by(1.7e-4));
    (fine, (coarse - fine).abs().max((finer - fine).abs()))
}

impl Expression {
    /// The value that the last operation left.
    fn top(&self, [x, y]: [f64; 2]) -> f64 {
        let mut stack: Vec<f64> = Vec::new();
        for op in &self.program {
            let value = match *op {
                Op::Number(value) => value,
                Op::X => x,
                Op::Y => y,
                Op::Negate => -stack.pop().unwrap(),
                Op::Power(c) => jet::power(stack.pop().unwrap(), c)[0],
                Op::Call(function) => function.derivatives(stack.pop().unwrap())[0],
                Op::Combine(operator) => {
                    let b = stack.pop().unwrap();
                    operator.derivatives(stack.pop().unwrap(), b).value
                }
            };
            stack.push(value);
        }
        stack.pop().unwrap()
    }
}

/// Whether no part of the formula is infinite or NaN at p.
fn finite_throughout(f: &Expression, p: [f64; 2]) -> bool {
    (1..=f.program.len()).all(|length| {
        let part = Expression { program: f.program[..length].to_vec(), stack: f.stack };
        part.top(p).is_finite()
    })
}

#[test]
fn derivatives_of_a_thousand_random_formulas_agree_with_differences() {
    let (mut formulas, mut compared, mut seed) = (0, 0, 0);
    while formulas < 1_000 {
        seed += 1;
        let f = random_expression(seed);
        let mut dice = Dice(seed ^ 0x5eed);
        let mut here = 0;
        for _ in 0..6 {
            let p = [dice.roll() * 4.0 - 2.0, dice.roll() * 4.0 - 2.0];
            if !finite_throughout(&f, p) {
                continue;
            }
            let (gradient, hessian) = (f.gradient(p), f.hessian(p));
            for i in 0..2 {
                let (found, doubt) = difference(|q| f.value(q), p, i);
                // Near a kink, a pole or a jump the two differences disagree: then they say nothing.
                let trusted = |found: f64, doubt: f64| found.is_finite() && doubt <= 1e-7 * (1.0 + found.abs());
                if trusted(found, doubt) && f.value(p).abs() < 1e4 {
                    let error = (found - gradient[i]).abs();
                    assert!(
                        error <= 1e-5 * (1.0 + found.abs()),
                        "∂{i} of {f} at {p:?}: {} against {found}",
                        gradient[i]
                    );
                    here += 1;
                }
                for (j, &exact) in hessian[i].iter().enumerate() {
                    let (found, doubt) = difference(|q| f.gradient(q)[i], p, j);
                    if trusted(found, doubt) && gradient[i].abs() < 1e4 {
                        let error = (found - exact).abs();
                        assert!(
                            error <= 1e-5 * (1.0 + found.abs()),
                            "∂{i}{j} of {f} at {p:?}: {exact} against {found}"
                        );
                        here += 1;
                    }
                }
            }
        }
        if here > 0 && f.program.len() > 2 {
            formulas += 1;
            compared += here;
        }
    }
    assert!(compared > 10_000, "{compared} derivatives were compared");
    assert!(seed < 3_000, "{seed} formulas were needed");
}

#[test]
fn what_is_printed_reads_as_the_same_program() {
    for seed in 0..3_000 {
        let f = random_expression(seed);
        let text = f.to_string();
        if text.chars().count() <= MOST_CHARACTERS {
            assert_eq!(parse(&text), f, "{text}");
        }
    }
    assert_eq!(parse("2x(y+1)^2 − sin² 3πx").to_string(), "2*x*(y + 1)^2 - sin(9.42477796076938*x)^2");
}

#[test]
fn mathematics_is_read_as_it_is_printed() {
    let p = [1.3, -0.7f64];
    let [x, y] = p;
    let pi = std::f64::consts::PI;
    let cases = [
        ("x^4 + 2x^3 + y^2 - 1", x.powi(4) + 2.0 * x.powi(3) + y * y - 1.0),
        ("x⁴ + 2x³ + y² − 1", x.powi(4) + 2.0 * x.powi(3) + y * y - 1.0),
        ("2(x+1)", 2.0 * (x + 1.0)),
        ("(x+1)(y-1)", (x + 1.0) * (y - 1.0)),
        ("x y", x * y),
        ("xy", x * y),
        ("2xy²", 2.0 * x * y * y),
        ("xsin(y)", x * y.sin()),
        ("-x^2", -x * x),
        ("2^-1", 0.5),
        ("2^3^2", 512.0),
        ("2**3**2", 512.0),
        ("-2^2", -4.0),
        ("--x", x),
        ("x - -y", x + y),
        ("1/2x", 0.5 * x),
        ("x/y/2", x / y / 2.0),
        ("½(x + y)", 0.5 * (x + y)),
        ("cos 2πx", (2.0 * pi * x).cos()),
        ("10 cos 2πx + y", 10.0 * (2.0 * pi * x).cos() + y),
        ("sin² 3πx", (3.0 * pi * x).sin().powi(2)),
        ("sin^2(x)", x.sin().powi(2)),
        ("sin(x)²", x.sin().powi(2)),
        ("sin x cos y", x.sin() * y.cos()),
        ("sin -x", -x.sin()),
        ("√(x² + y²)", x.hypot(y)),
        ("√2 x", 2f64.sqrt() * x),
        ("2e", 2.0 * std::f64::consts::E),
        ("2e3", 2000.0),
        ("2e-3x", 0.002 * x),
        ("2exp(x)", 2.0 * x.exp()),
        ("1.5e+2", 150.0),
        (".5x", 0.5 * x),
        ("log(x)", x.ln()),
        ("log10(100)", 2.0),
        ("log2(8)", 3.0),
        ("min(x, y, -3)", -3.0),
        ("max(x, y)", x),
        ("pow(x, 3)", x.powi(3)),
        ("atan2(y, x)", y.atan2(x)),
        ("hypot(x, y)", x.hypot(y)),
        ("tau", 2.0 * pi),
        ("[x + 1]·{y}", (x + 1.0) * y),
        ("X + Y", x + y),
        ("PI", pi),
        ("x²²", x.powi(22)),
        ("x⁻¹", 1.0 / x),
    ];
    for (text, expected) in cases {
        let found = at(text, p);
        assert!((found - expected).abs() <= 1e-14 * (1.0 + expected.abs()), "{text}: {found} against {expected}");
    }
}

#[test]
fn a_problem_points_at_its_column() {
    let cases = [
        ("x^2 + z", 7, "unknown name `z`; only x and y are variables"),
        ("x + sine(y)", 5, "unknown name `sine`; did you mean `sin`?"),
        ("x + sqr(y)", 5, "did you mean `sqrt`?"),
        ("", 1, "a formula in x and y is expected"),
        ("   ", 1, "a formula in x and y is expected"),
        ("x +", 4, "the formula ends here"),
        ("(x + 1", 7, "`)` is missing: the `(` at column 1 is not closed"),
        ("(x + 1]", 7, "`)` is missing"),
        ("x + 1)", 6, "`)` closes no bracket"),
        ("x * * y", 5, "is expected here"),
        ("x2", 2, "a number cannot stand behind `x`; write `x^2` or `2x`"),
        ("x 2", 3, "a number cannot follow without a sign"),
        ("1.2.3", 4, "one decimal point"),
        ("0,5x", 2, "decimals are written with a point"),
        ("sin(x, y)", 6, "sin has one argument"),
        ("max(x)", 1, "max has two arguments"),
        ("pow(x, y, 2)", 9, "pow has two arguments"),
        ("max x", 5, "`(` is expected behind max"),
        ("z = x", 1, "unknown name `z`"),
        ("x = 3", 3, "`=` is no part of a formula"),
        ("x + $", 5, "`$` means nothing in a formula"),
        ("|x|", 1, "write abs(…)"),
        ("1e999", 1, "too large a number"),
        ("sin", 4, "sin has no argument"),
        ("sin 2(x + 1)", 6, "what sin applies to is unclear"),
        ("sin⁻¹(x)", 4, "asin(…) for the inverse"),
        ("x^", 3, "the formula ends here"),
        ("x + \u{7}", 5, "`\\u{7}` means nothing"),
        ("x_1", 2, "a number cannot stand behind `x`"),
    ];
    for (text, column, part) in cases {
        let problem = Expression::parse(text).expect_err(text);
        assert!(problem.column == column && problem.text.contains(part), "{text}: {problem}");
    }
}

#[test]
fn hostile_text_is_answered_at_once() {
    let million = 1_000_000;
    let cases = [
        "x".repeat(million),
        "(".repeat(million),
        "-".repeat(million),
        "x^".repeat(million),
        "√".repeat(million),
        "9".repeat(million),
        "e".repeat(million),
        "²".repeat(million),
        "(".repeat(2_000),
        "((((((((((x".repeat(180),
        "sin".repeat(600),
        "sin ".repeat(500),
        "x^".repeat(1_000),
        "-".repeat(1_999),
        "√".repeat(1_999),
        "1/0".to_owned(),
        "a".repeat(1_999),
        "é".repeat(1_999),
        "\u{202e}x".to_owned(),
        "x\0y".to_owned(),
    ];
    for text in &cases {
        let start = Instant::now();
        let problem = Expression::parse(text).err();
        let took = start.elapsed();
        let shown: String = text.chars().take(20).collect();
        // Measured 2 ms; the bound leaves room for a busy machine.
        assert!(took.as_millis() < 200, "{shown}… took {took:?}");
        assert!(problem.is_some() || text == "1/0", "{shown}… was read");
        assert!(problem.is_none_or(|problem| problem.to_string().len() < 300));
    }
    let deep = |levels: usize| format!("{}x{}", "(".repeat(levels), ")".repeat(levels));
    assert!(Expression::parse(&deep(MOST_LEVELS)).is_ok());
    assert!(Expression::parse(&deep(MOST_LEVELS + 1)).unwrap_err().text.contains("64 levels"));
    // The deepest stacks that can be written.
    let nested = format!("{}x{}", "1+2*3^min(y,".repeat(31), ")".repeat(31));
    let expression = parse(&nested);
    assert!(expression.stack > 100);
    assert!(expression.hessian([0.3, 0.2])[0][0].is_finite() || expression.value([0.3, 0.2]).is_infinite());
    let wide = vec!["x*y"; 500].join("+");
    assert!((at(&wide, [1.0, 1.0]) - 500.0).abs() < 1e-9);
}

#[test]
fn what_has_no_value_is_nan_and_no_panic() {
    for text in
        ["1/0", "x/0", "sqrt(-1)", "ln(x)", "x^0.5", "asin(3x)", "0/0", "1/x", "atan2(0, 0)", "exp(exp(exp(x)))"]
    {
        let f = parse(text);
        for p in [[0.0, 0.0], [-1.0, 2.0], [1e300, -1e300], [f64::NAN, 1.0], [f64::INFINITY, 1.0]] {
            let value = f.value(p);
            let derivatives = f.gradient(p).into_iter().chain(f.hessian(p).into_iter().flatten());
            for derivative in derivatives {
                assert!(derivative.is_finite() || derivative.is_nan(), "{text} at {p:?}");
                assert!(value.is_finite() || derivative.is_nan(), "{text} at {p:?}: f {value}, slope {derivative}");
            }
        }
    }
}

#[test]
fn at_kinks_the_documented_slope_holds() {
    let o = [0.0, 0.0];
    assert_eq!(parse("abs(x) + abs(y)").gradient(o), [0.0, 0.0]);
    assert_eq!(parse("√(x² + y²)").gradient(o), [0.0, 0.0]);
    assert_eq!(parse("hypot(x, y)").gradient(o), [0.0, 0.0]);
    assert_eq!(parse("min(2x, 3x)").gradient(o), [2.0, 0.0]);
    assert_eq!(parse("max(2x, 3x)").gradient(o), [2.0, 0.0]);
    assert_eq!(parse("floor(x) + sign(y)").gradient(o), [0.0, 0.0]);
    assert!(parse("sqrt(x)").gradient(o)[0].is_nan());
    assert!(parse("sqrt(x)").gradient(o)[1] == 0.0);
    assert!(parse("cbrt(y)").gradient(o)[1].is_nan());
}

#[test]
fn many_points_at_once_are_the_same_as_one_by_one() {
    for seed in 0..300 {
        let f = random_expression(seed);
        let xs = [-1.7, -0.4, 0.0, 0.3, 0.9, 1.4, 2.2, -3.1];
        let ys = [0.2, -1.1, 0.0, 1.9, -0.3, 0.7, -2.0, 1.3];
        let many = f.slopes(xs, ys);
        for lane in 0..8 {
            let one = f.slopes([xs[lane]], [ys[lane]]);
            for (a, b) in
                [(many.value[lane], one.value[0]), (many.by_x[lane], one.by_x[0]), (many.by_y[lane], one.by_y[0])]
            {
                assert!(a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan()), "{f}: {a} against {b}");
            }
        }
    }
}

#[test]
fn every_formula_becomes_a_valid_shader() {
    let valid = |f: &Expression| {
        let source = format!("{}{}", wgsl::HELPERS, f.wgsl("surface"));
        let module = naga::front::wgsl::parse_str(&source)
            .unwrap_or_else(|error| panic!("{f}: {}\n{source}", error.emit_to_string(&source)));
        naga::valid::Validator::new(naga::valid::ValidationFlags::all(), naga::valid::Capabilities::empty())
            .validate(&module)
            .unwrap_or_else(|error| panic!("{f}: {}\n{source}", error.emit_to_string(&source)));
    };
    for seed in 0..500 {
        valid(&random_expression(seed));
    }
    for text in ["1/0", "sqrt(-1)", "1e300x", "1e-300x", "5", "x", "-y", "0^0", "exp(1000)", "ln(0)x", "x^-2", "x^0"] {
        valid(&parse(text));
    }
}
