//! Numbers as text: few digits, no jumping width, a real minus sign. Draw the result in the monospace font.

/// Three significant figures: `0.0123`, `1.23e-5`, `−1.05`, `420`, `12 300` as `12300`; `—` for NaN.
///
/// Trailing zeros stay (`0.500`), so that a number which changes keeps its width.
pub fn short(v: f64) -> String {
    significant(v, 3)
}

/// `digits` significant figures; plain decimals for magnitudes from 10⁻³ to 10⁵, powers of ten beyond.
pub fn significant(v: f64, digits: usize) -> String {
    let digits = digits.max(1);
    if v.is_nan() {
        return "—".to_owned();
    }
    if v.is_infinite() {
        return if v > 0.0 { "∞" } else { "−∞" }.to_owned();
    }
    if v == 0.0 {
        return "0".to_owned();
    }
    // Rounding can carry into the next decade (9.996 -> 10.0), so the exponent is that of the rounded number.
    let scientific = format!("{:.*e}", digits - 1, v.abs());
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let text = if (-3..5).contains(&exponent) {
        let decimals = (digits as i32 - 1 - exponent).max(0) as usize;
        format!("{:.*}", decimals, v.abs())
    } else {
        format!("{mantissa}e{exponent}")
    };
    if v < 0.0 { format!("−{text}") } else { text }
}

/// [`short`] without trailing zeros, for ticks and labels that do not change: `0.5`, `1e-4`.
pub fn compact(v: f64) -> String {
    trimmed(&short(v))
}

/// [`short`], right-aligned in at least `width` characters, so that columns of a monospace table line up. A sign takes
/// its own place: nine characters hold all but extreme exponents.
pub fn column(v: f64, width: usize) -> String {
    format!("{:>width$}", short(v))
}

/// [`short`] with an explicit sign: `+0.0148`, `−0.00390`, and `+0` as ` 0`.
pub fn signed(v: f64) -> String {
    if v > 0.0 {
        format!("+{}", short(v))
    } else if v == 0.0 {
        " 0".to_owned()
    } else {
        short(v)
    }
}

/// The value of a parameter: every figure that a person would type, up to seven, and no more: `0.01`, `1e-4`, `0.9999`.
pub fn exact(v: f64) -> String {
    let text = trimmed(&significant(v, 7));
    // A person writes 0.0005 but 1e-4: powers of ten where they are shorter.
    let scientific = trimmed_scientific(v);
    if v != 0.0 && v.is_finite() && v.abs() < 1e-3 && scientific.chars().count() < text.chars().count() {
        return scientific;
    }
    text
}

/// A whole number with thin gaps between groups of three digits: `12 300`, `420`.
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, c) in digits.chars().enumerate() {
        // Four digits read well without a gap.
        if i > 0 && digits.len() > 4 && (digits.len() - i).is_multiple_of(3) {
            out.push(' ');
        }
        out.push(c);
    }
    out
}

/// A duration in the largest two units that matter: `0.8 s`, `42 s`, `3 min 05 s`, `2 h 10 min`.
pub fn duration(seconds: f64) -> String {
    if !seconds.is_finite() || seconds < 0.0 {
        return "—".to_owned();
    }
    let whole = seconds.round() as u64;
    match whole {
        _ if seconds < 9.95 => format!("{seconds:.1} s"),
        0..60 => format!("{whole} s"),
        60..3600 => format!("{} min {:02} s", whole / 60, whole % 60),
        _ => format!("{} h {:02} min", whole / 3600, whole % 3600 / 60),
    }
}

/// Reads what a person typed, with a typographic minus, a decimal comma and spaces allowed.
pub fn parse(text: &str) -> Option<f64> {
    let clean: String = text.trim().replace('−', "-").replace(',', ".").split_whitespace().collect();
    clean.parse().ok().filter(|v: &f64| v.is_finite())
}

fn trimmed_scientific(v: f64) -> String {
    let text = trimmed(&format!("{:.6e}", v.abs()));
    if v < 0.0 { format!("−{text}") } else { text }
}

/// Removes the zeros that end a fraction.
fn trimmed(text: &str) -> String {
    let (mantissa, exponent) = match text.split_once('e') {
        Some((mantissa, exponent)) => (mantissa, format!("e{exponent}")),
        None => (text, String::new()),
    };
    if !mantissa.contains('.') {
        return text.to_owned();
    }
    format!("{}{exponent}", mantissa.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_figures_and_a_real_minus_sign() {
        for (v, text) in [
            (0.0123, "0.0123"),
            (1.23e-5, "1.23e-5"),
            (-1.05, "−1.05"),
            (f64::NAN, "—"),
            (0.0, "0"),
            (-0.0, "0"),
            (0.5, "0.500"),
            (420.0, "420"),
            (12_345.0, "12345"),
            (123_456.0, "1.23e5"),
            (9.996, "10.0"),
            (0.0009996, "0.00100"),
            (f64::NEG_INFINITY, "−∞"),
        ] {
            assert_eq!(short(v), text, "{v}");
        }
    }

    #[test]
    fn parameters_show_what_a_person_would_type() {
        for (v, text) in [
            (1e-4, "1e-4"),
            (0.01, "0.01"),
            (0.9999, "0.9999"),
            (0.99999, "0.99999"),
            (-1.8, "−1.8"),
            (1e-8, "1e-8"),
            (0.0, "0"),
            (100.0, "100"),
            (0.000_25, "2.5e-4"),
            (1.0 / 3.0, "0.3333333"),
        ] {
            assert_eq!(exact(v), text, "{v}");
            if v != 1.0 / 3.0 {
                assert_eq!(parse(&exact(v)), Some(v), "typing it again gives the same number");
            }
        }
    }

    #[test]
    fn columns_line_up() {
        for v in [0.0, -1.05, 1.23e-5, -9.99e-99, f64::NAN, 420.0] {
            assert!(column(v, 9).chars().count() == 9, "{v}");
        }
        assert_eq!(compact(0.5), "0.5");
        assert_eq!(signed(0.0148), "+0.0148");
        assert_eq!(grouped(12_300), "12 300");
        assert_eq!(grouped(1_000), "1000");
        assert_eq!(duration(185.0), "3 min 05 s");
        assert_eq!(parse("−1,5"), Some(-1.5));
        assert_eq!(parse("nan"), None);
    }
}
