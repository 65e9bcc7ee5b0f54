//! Numbers as text: few digits, no jumping width, a real minus sign. Draw the result in the monospace font.

use std::ops::Range;

/// Three significant figures: `0.0123`, `1.23e-5`, `−1.05`, `420`, `12 300` as `12300`; `—` for NaN.
///
/// Trailing zeros stay (`0.500`), so that a number which changes keeps its width.
pub fn short(v: f64) -> String {
    significant(v, 3)
}

/// `digits` significant figures; plain decimals for magnitudes from 10⁻³ to 10⁵, powers of ten beyond.
pub fn significant(v: f64, digits: usize) -> String {
    significant_within(v, digits, -3..5)
}

/// The same with plain decimals for these powers of ten.
fn significant_within(v: f64, digits: usize, plain: Range<i32>) -> String {
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
    let text = if plain.contains(&exponent) {
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

/// The number at a tick in a picture, where room is scarce: [`compact`], with powers of ten from 10⁴ on.
pub fn tick(v: f64) -> String {
    trimmed(&significant_within(v, 3, -3..4)).replace('-', "−")
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

/// A count with its noun: `1 image`, `12 300 images`.
pub fn counted(count: impl TryInto<u64>, one: &str, several: &str) -> String {
    // No count is that large.
    let count = count.try_into().unwrap_or(u64::MAX);
    format!("{} {}", grouped(count), if count == 1 { one } else { several })
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

/// Reads what a person typed: a typographic minus, powers of ten and groups of three digits (`10 000`, `10_000`, `1'000`,
/// `1,000,000`, `1.234,5`) are understood. A point alone is a decimal point, as the program writes it. A comma alone is a
/// decimal comma, but `1,000` could be one or a thousand and is refused. The error says what is the matter with the text:
/// `could be 1 or 1000; type ..`.
pub fn parse(text: &str) -> Result<f64, String> {
    let (sign, digits, exponent) = parts(text)?;
    let of = |c: char| digits.matches(c).count();
    let plain = match (of(','), of('.')) {
        (0, 0 | 1) => digits.clone(),
        (1, 0) => {
            let (whole, fraction) = digits.split_once(',').unwrap_or((&digits, ""));
            if fraction.len() == 3 && is_group(whole) {
                return Err(format!(
                    "could be {whole}.{fraction} or {whole}{fraction}; type one of these, without a comma"
                ));
            }
            digits.replace(',', ".")
        }
        (_, 0) => ungrouped(&digits, ',')?,
        (0, _) => ungrouped(&digits, '.')?,
        // The last one is the decimal sign, the other one parts groups.
        (commas, points) => {
            let (group, decimal) = if digits.rfind(',') > digits.rfind('.') { ('.', ',') } else { (',', '.') };
            if (if decimal == ',' { commas } else { points }) > 1 {
                return Err(NO_NUMBER.to_owned());
            }
            let (whole, fraction) = digits.split_once(decimal).unwrap_or((&digits, ""));
            format!("{}.{fraction}", ungrouped(whole, group)?)
        }
    };
    number(sign, &plain, &exponent)
}

/// Reads a whole number that a person typed, as [`parse`] does; but here a comma before three digits parts thousands
/// (`10,000` is ten thousand), and a point there is refused, since `1.000` could be one or a thousand.
pub fn parse_whole(text: &str) -> Result<f64, String> {
    let (sign, digits, exponent) = parts(text)?;
    if let Some((whole, fraction)) = digits.split_once('.')
        && fraction.len() == 3
        && is_group(whole)
        && exponent.is_empty()
    {
        return Err(format!("could be {whole}.{fraction} or {whole}{fraction}; type a whole number without a point"));
    }
    let value = match ungrouped(&digits, ',') {
        Ok(plain) if exponent.is_empty() => number(sign, &plain, "")?,
        _ => parse(text)?,
    };
    if value.fract() == 0.0 { Ok(value) } else { Err("is no whole number".to_owned()) }
}

const NO_NUMBER: &str = "is no number";

/// Sign, digits with points and commas, and exponent (`e-4`) of a number; gaps between groups of three are taken out.
fn parts(text: &str) -> Result<(&'static str, String, String), String> {
    let text = text.trim().replace('−', "-").to_lowercase();
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text.strip_prefix('+').unwrap_or(&text)),
    };
    let (mantissa, exponent) = match rest.trim_start().split_once('e') {
        Some((mantissa, exponent)) => (mantissa, format!("e{exponent}")),
        None => (rest.trim_start(), String::new()),
    };
    let gap = |c: char| c.is_whitespace() || ['_', '\'', '’'].contains(&c);
    let mut digits = mantissa.to_owned();
    if let Some(first) = mantissa.chars().find(|c| gap(*c)) {
        let end = mantissa.find(['.', ',']).unwrap_or(mantissa.len());
        let (whole, fraction) = mantissa.split_at(end);
        digits = ungrouped(whole, first)? + fraction;
    }
    if digits.chars().all(|c| c.is_ascii_digit() || c == '.' || c == ',') {
        Ok((sign, digits, exponent))
    } else {
        Err(NO_NUMBER.to_owned())
    }
}

/// Takes out what parts groups of three digits; refuses other groups.
fn ungrouped(digits: &str, separator: char) -> Result<String, String> {
    let groups: Vec<&str> = digits.split(separator).collect();
    let whole = |group: &&str| group.chars().all(|c| c.is_ascii_digit());
    if groups.len() == 1 && whole(&digits) {
        return Ok(digits.to_owned());
    }
    let good = groups.iter().all(whole) && is_group(groups[0]) && groups[1..].iter().all(|group| group.len() == 3);
    if good { Ok(groups.concat()) } else { Err(format!("is no number; type {} without separators", groups.concat())) }
}

/// Whether these can be the first digits of a number in groups: one to three, and no zero before others.
fn is_group(digits: &str) -> bool {
    (1..=3).contains(&digits.len()) && !digits.starts_with('0') && digits.chars().all(|c| c.is_ascii_digit())
}

fn number(sign: &str, digits: &str, exponent: &str) -> Result<f64, String> {
    let value: Option<f64> = format!("{sign}{digits}{exponent}").parse().ok();
    value.filter(|value| value.is_finite()).ok_or_else(|| NO_NUMBER.to_owned())
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

/// With so many significant digits; what has none (0, NaN, infinity) as it is.
pub fn rounded(value: f64, digits: i32) -> f64 {
    if !value.is_normal() {
        return value;
    }
    let scale = 10f64.powi(digits - 1 - value.abs().log10().floor() as i32);
    if scale.is_finite() { (value * scale).round() / scale } else { value }
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
                assert_eq!(parse(&exact(v)), Ok(v), "typing it again gives the same number");
            }
        }
    }

    #[test]
    fn columns_line_up() {
        for v in [0.0, -1.05, 1.23e-5, -9.99e-99, f64::NAN, 420.0] {
            assert!(short(v).chars().count() <= 9, "{v}");
        }
        assert_eq!(compact(0.5), "0.5");
        for (v, text) in [
            (0.0, "0"),
            (-0.5, "−0.5"),
            (1.0, "1"),
            (2500.0, "2500"),
            (1e6, "1e6"),
            (12_500.0, "1.25e4"),
            (2e-4, "2e−4"),
            (0.25, "0.25"),
        ] {
            assert_eq!(tick(v), text);
        }
        assert_eq!(signed(0.0148), "+0.0148");
        assert_eq!(grouped(12_300), "12 300");
        assert_eq!(grouped(1_000), "1000");
        assert_eq!([0, 1, 2].map(|n: usize| counted(n, "image", "images")), ["0 images", "1 image", "2 images"]);
        assert_eq!(duration(185.0), "3 min 05 s");
    }

    #[test]
    fn a_typed_number_is_what_was_meant_or_refused() {
        for (text, value) in [
            ("0,05", 0.05),
            ("−1,5", -1.5),
            ("0,050", 0.05),
            (" + 3.25 ", 3.25),
            ("1.000", 1.0),
            ("1.234", 1.234),
            ("1,23456", 1.23456),
            ("1e-4", 1e-4),
            ("1,5E3", 1500.0),
            ("1 000", 1000.0),
            ("1\u{202f}000,5", 1000.5),
            ("1_000", 1000.0),
            ("1'000.25", 1000.25),
            ("1,000,000", 1e6),
            ("1.000.000", 1e6),
            ("1.234,5", 1234.5),
            ("1,234.5", 1234.5),
            (".5", 0.5),
            ("5.", 5.0),
        ] {
            assert_eq!(parse(text), Ok(value), "{text}");
        }
        for text in [
            "1,000",
            "12,500",
            "1 5",
            "1,00,000",
            "1.2.3",
            "1,2,3",
            "1,000.5.5",
            "",
            "-",
            ",",
            "nan",
            "inf",
            "1e999",
            "0x10",
            "1e",
            "--1",
        ] {
            assert!(parse(text).is_err(), "{text}: {:?}", parse(text));
        }
        assert_eq!(parse("1,000").unwrap_err(), "could be 1.000 or 1000; type one of these, without a comma");
        for (text, value) in [
            ("10,000", 10_000.0),
            ("10 000", 10_000.0),
            ("−10_000", -10_000.0),
            ("1,234,567", 1_234_567.0),
            ("1.234.567", 1_234_567.0),
            ("1e4", 10_000.0),
            ("1.5e3", 1500.0),
            ("10.0", 10.0),
            ("7,00", 7.0),
        ] {
            assert_eq!(parse_whole(text), Ok(value), "{text}");
        }
        for text in ["1.000", "10.5", "10,5", "1,00,0", "1,5e0", "1e-1", "ten", "0,001"] {
            assert!(parse_whole(text).is_err(), "{text}: {:?}", parse_whole(text));
        }
        assert!(parse_whole("1.000").unwrap_err().contains("1.000 or 1000"));
    }

    #[test]
    fn one_is_one_and_the_others_are_several() {
        let said = |count: usize| counted(count, "step", "steps");
        assert_eq!([said(0), said(1), said(2), said(21)], ["0 steps", "1 step", "2 steps", "21 steps"]);
    }

    #[test]
    fn rounded_keeps_significant_digits() {
        assert_eq!([123_456.0, -0.012_349, 0.999_99].map(|v| rounded(v, 3)), [123_000.0, -0.0123, 1.0]);
        assert_eq!([0.0, f64::INFINITY].map(|v| rounded(v, 3)), [0.0, f64::INFINITY]);
        assert!(rounded(f64::NAN, 3).is_nan() && rounded(1e-310, 3) == 1e-310);
    }
}
