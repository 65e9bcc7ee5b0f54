//! A sweep: one or two parameters over a range each, every combination of their values with several seeds. It is a study
//! whose rows are made of data, so that whatever drives studies drives it.

use super::params::{self, ParamError, ParamKind, ParamSpec, Params, Value};
use super::study::{Measure, NO_NUMBERS, StudySpec};
use super::study_cost::Cost;

/// What a lab's sweeps measure.
#[derive(Debug)]
pub struct SweepSpec {
    /// A study without rows: its measures, its cost.
    pub study: StudySpec,
    /// The measure that is 1 where a run died and 0 where it lived, by its place in the list.
    pub died: Option<usize>,
    /// What a theory says of the same values.
    pub theory: Option<&'static Theory>,
}

/// The study of a sweep: every cell is measured so.
pub const fn sweep_of(measures: &'static [Measure], cost: &'static Cost) -> StudySpec {
    StudySpec {
        id: "sweep",
        title: "Sweep",
        source: "",
        about: "",
        common: &[],
        own_data: &[],
        rows: &[],
        measures,
        seeded: true,
        reading: NO_NUMBERS,
        cost,
        figure: None,
        beside: None,
    }
}

/// A theory's number for every set of parameters, to stand beside what was measured.
#[derive(Debug)]
pub struct Theory {
    pub title: &'static str,
    /// What it is of, and how far it can be compared.
    pub about: &'static str,
    /// Its unit or kind in a word, above the colours.
    pub unit: &'static str,
    /// It is shown where every parameter that is swept is one of these.
    pub keys: &'static [&'static str],
    /// A share, 0 to 1; NaN where it says nothing.
    pub of: fn(&Params) -> f64,
}

/// A sweep as it was asked for.
#[derive(Debug, Clone)]
pub struct Sweep {
    pub spec: &'static SweepSpec,
    /// The values of all other parameters.
    pub base: Params,
    /// One or two.
    pub axes: Vec<Axis>,
}

/// A parameter that is swept.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    pub spec: &'static ParamSpec,
    /// Two or more, ascending where they come from a range, else as they were listed.
    pub values: Vec<Value>,
}

/// Most values of one axis.
pub const MOST_VALUES: usize = 64;
/// Most runs of a sweep.
pub const MOST_RUNS: u64 = 2_000;

impl Sweep {
    /// Whether the theory can stand beside it.
    pub fn theory(&self) -> Option<&'static Theory> {
        self.spec.theory.filter(|theory| self.axes.iter().all(|axis| theory.keys.contains(&axis.spec.key)))
    }

    /// Values of the axes by cell, the last axis fastest.
    pub fn cells(&self) -> Vec<Vec<&Value>> {
        let Some((first, rest)) = self.axes.split_first() else { return Vec::new() };
        let mut cells: Vec<Vec<&Value>> = first.values.iter().map(|value| vec![value]).collect();
        for axis in rest {
            let mut longer = Vec::new();
            for cell in &cells {
                longer.extend(axis.values.iter().map(|value| cell.iter().copied().chain([value]).collect::<Vec<_>>()));
            }
            cells = longer;
        }
        cells
    }

    /// The name of a cell: the same for the same values, whichever axis was named first.
    pub fn label(&self, cell: &[&Value]) -> String {
        let mut parts: Vec<String> =
            self.axes.iter().zip(cell).map(|(axis, value)| format!("{}={value}", axis.spec.key)).collect();
        parts.sort();
        parts.join(" ")
    }

    /// `rate_predictor × rate_encoder`.
    pub fn names(&self) -> String {
        self.axes.iter().map(|axis| axis.spec.key).collect::<Vec<_>>().join(" × ")
    }
}

impl Axis {
    /// Reads `key=a..b:n`, `key=a,b,c` or, of choices and switches, `key=*`.
    ///
    /// # Errors
    /// A sentence that names the parameter, its range and what was expected.
    pub fn parse(specs: &'static [ParamSpec], text: &str) -> Result<Self, ParamError> {
        let (key, text) = text.split_once('=').ok_or_else(|| {
            ParamError::invalid(text, "what to sweep is written key=a..b:n, key=a,b,c or, of choices, key=*")
        })?;
        let spec = params::find(specs, key.trim())?;
        let text = text.trim();
        let values = match (spec.kind, text.split_once("..")) {
            (ParamKind::Path | ParamKind::Folder | ParamKind::Text, _) => {
                let problem = "only numbers, choices and switches are swept, and this is a text or a path";
                return Err(ParamError::invalid(spec.key, problem));
            }
            (ParamKind::Float { .. } | ParamKind::Int { .. }, Some((from, rest))) => range(spec, text, from, rest)?,
            (ParamKind::Choice(items), _) if text == "*" => {
                items.iter().map(|item| Value::Text(item.id.to_owned())).collect()
            }
            (ParamKind::Switch, _) if text == "*" => vec![Value::Switch(true), Value::Switch(false)],
            _ => text.split(',').map(|value| spec.parse(value)).collect::<Result<Vec<_>, _>>()?,
        };
        let axis = Self { spec, values };
        axis.check()?;
        Ok(axis)
    }

    fn check(&self) -> Result<(), ParamError> {
        let key = self.spec.key;
        if let Some(at) = (1..self.values.len()).find(|at| self.values[..*at].contains(&self.values[*at])) {
            return Err(ParamError::invalid(key, format!("{} is there twice", self.values[at])));
        }
        match self.values.len() {
            0 | 1 => {
                let all: Vec<String> = self.values.iter().map(Value::to_string).collect();
                let problem = format!(
                    "a sweep needs two values or more, and this is {}; expected several values that are {}, such as {}",
                    if all.is_empty() { "none".to_owned() } else { all.join(", ") },
                    self.spec.expected(),
                    Self::around(self.spec, &self.spec.default.into()).unwrap_or_default()
                );
                Err(ParamError::invalid(key, problem))
            }
            n if n > MOST_VALUES => {
                Err(ParamError::invalid(key, format!("{n} values are too many; at most {MOST_VALUES} are swept")))
            }
            _ => Ok(()),
        }
    }

    /// What to sweep around a value, as it is typed: a quarter to four times it where the parameter is logarithmic, half to
    /// half as much again where it is not, everything where it is a choice or a switch. `None`: it is not swept.
    pub fn around(spec: &ParamSpec, value: &Value) -> Option<String> {
        let text = |low: f64, high: f64, n: usize| {
            let value = |x: f64| spec.nearest(rounded(x, FIGURES)).map(|value| value.to_string());
            Some(format!("{}..{}:{n}", value(low)?, value(high)?))
        };
        match (spec.kind, value) {
            (ParamKind::Float { min, max, log: true }, Value::Float(value)) => {
                let least = if min > 0.0 { min } else { (1e-4 * max).min(1e-3) };
                let value = value.clamp(least, max);
                text((value / 4.0).max(least), (value * 4.0).min(max), 5)
            }
            (ParamKind::Float { min, max, log: false }, Value::Float(value)) => {
                let width = if *value == 0.0 { 0.25 * (max - min) } else { 0.5 * value.abs() };
                text((value - width).max(min), (value + width).min(max), 5)
            }
            (ParamKind::Int { min, max }, Value::Int(value)) => {
                let width = (value.abs() / 2).max(2);
                text(value.saturating_sub(width).max(min) as f64, value.saturating_add(width).min(max) as f64, 5)
            }
            (ParamKind::Choice(_) | ParamKind::Switch, _) => Some("*".to_owned()),
            _ => None,
        }
    }

    /// Whether it is of real numbers.
    pub fn is_real(&self) -> bool {
        matches!(self.spec.kind, ParamKind::Float { .. })
    }

    /// Its name in the form with its unit.
    pub fn title(&self) -> String {
        match self.spec.unit {
            "" => self.spec.label.to_owned(),
            unit => format!("{} [{unit}]", self.spec.label),
        }
    }
}

/// `from..to:n`, spaced as the parameter is: by factors where it is logarithmic.
fn range(spec: &ParamSpec, text: &str, from: &str, rest: &str) -> Result<Vec<Value>, ParamError> {
    let example = || Axis::around(spec, &spec.default.into()).unwrap_or_default();
    let Some((to, count)) = rest.split_once(':') else {
        let problem = format!("`{text}` does not say how many values; expected FROM..TO:COUNT such as {}", example());
        return Err(ParamError::invalid(spec.key, problem));
    };
    let count: usize = count.trim().parse().ok().filter(|n| (2..=MOST_VALUES).contains(n)).ok_or_else(|| {
        let problem =
            format!("`{}` values cannot be swept; expected a whole number from 2 to {MOST_VALUES}", count.trim());
        ParamError::invalid(spec.key, problem)
    })?;
    let end = |text: &str| match spec.parse(text)? {
        Value::Float(value) => Ok(value),
        Value::Int(value) => Ok(value as f64),
        other => Err(ParamError::invalid(spec.key, format!("{other} is no number"))),
    };
    let (low, high) = (end(from)?, end(to)?);
    if low >= high {
        let problem = format!(
            "`{text}` goes down from {low} to {high}; expected the smaller number first, each {}",
            spec.expected()
        );
        return Err(ParamError::invalid(spec.key, problem));
    }
    let log = matches!(spec.kind, ParamKind::Float { log: true, .. });
    if log && low <= 0.0 {
        let problem = format!(
            "`{text}` is spaced by factors and cannot begin at {low}; expected a number above 0 to begin with, or a list such as \
             0,{high}"
        );
        return Err(ParamError::invalid(spec.key, problem));
    }
    let place = |i: usize| {
        let share = i as f64 / (count - 1) as f64;
        match i {
            0 => low,
            _ if i + 1 == count => high,
            _ if log => (low * (high / low).powf(share)).clamp(low, high),
            _ => (low + (high - low) * share).clamp(low, high),
        }
    };
    let mut values = Vec::new();
    for value in short((0..count).map(place).collect()) {
        let value = spec.nearest(value).ok_or_else(|| ParamError::invalid(spec.key, "is no number"))?;
        // Whole numbers may fall together.
        if values.last() != Some(&value) {
            values.push(value);
        }
    }
    Ok(values)
}

/// Figures of a value, so that it is what is written of it.
const FIGURES: usize = 4;

/// To so many figures.
fn rounded(value: f64, figures: usize) -> f64 {
    format!("{value:.*e}", figures.saturating_sub(1)).parse().unwrap_or(value)
}

/// The ascending values of a range between its ends in [`FIGURES`] figures, or in as many more as leave each where it is, but for a
/// hundredth of the way to its neighbours. The ends stay as they are.
fn short(values: Vec<f64>) -> Vec<f64> {
    /// A number of 64 bits is known by as many figures.
    const ALL: usize = 17;
    let last = values.len().saturating_sub(1);
    let stays = |at: usize, value: f64| {
        let gap = (values[at] - values[at - 1]).min(values[at + 1] - values[at]);
        (value - values[at]).abs() <= 0.01 * gap
    };
    for figures in FIGURES..ALL {
        let shorter = |(at, value): (usize, &f64)| match at {
            at if at == 0 || at == last => Some(*value),
            at => Some(rounded(*value, figures)).filter(|shorter| stays(at, *shorter)),
        };
        if let Some(found) = values.iter().enumerate().map(shorter).collect() {
            return found;
        }
    }
    values
}

/// Refuses what is no sweep, or too large a one.
///
/// # Errors
/// A sentence that says how many runs it would be.
pub fn check_size(axes: &[Axis], seeds: u64) -> Result<(), ParamError> {
    let key = axes.first().map_or("", |axis| axis.spec.key);
    match axes {
        [] => return Err(ParamError::invalid("over", "name one or two parameters to sweep")),
        [_, _, third, ..] => {
            return Err(ParamError::invalid(
                third.spec.key,
                "a sweep has one or two parameters, and this is the third",
            ));
        }
        [a, b] if a.spec.key == b.spec.key => {
            return Err(ParamError::invalid(key, "it is swept twice; name another parameter beside it"));
        }
        _ => {}
    }
    let counts: Vec<String> = axes.iter().map(|axis| axis.values.len().to_string()).collect();
    let cells = axes.iter().map(|axis| axis.values.len() as u64).product::<u64>();
    let runs = cells.saturating_mul(seeds);
    if runs > MOST_RUNS {
        let problem = format!(
            "{} values with {seeds} seeds each are {runs} runs; a sweep has at most {MOST_RUNS}",
            counts.join(" × ")
        );
        return Err(ParamError::invalid(key, problem));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::params::{ChoiceItem, DefaultValue};
    use crate::engine::table::{fixed, live};

    static SPECS: &[ParamSpec] = &[
        live("", "rate", "rate").log(0.1, [0.0, 10.0]).row(),
        live("", "momentum", "momentum").float(0.5, [0.0, 1.0]).row(),
        fixed("", "width", "width").unit("units").int(8, [1, 64]).row(),
        fixed("", "average", "average").switch(false).row(),
        fixed("", "folder", "folder").folder().row(),
        ParamSpec {
            key: "rule",
            kind: ParamKind::Choice(&[ChoiceItem { id: "a", label: "A" }, ChoiceItem { id: "b", label: "B" }]),
            default: DefaultValue::Choice("a"),
            ..fixed("", "rule", "rule").text("").row()
        },
    ];

    fn parse(text: &str) -> Result<String, String> {
        let axis = Axis::parse(SPECS, text).map_err(|error| error.to_string())?;
        Ok(axis.values.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn ranges_are_spaced_as_the_parameter_is() {
        assert_eq!(parse("rate=0.01..1:3").unwrap(), "0.01 0.1 1.0");
        assert_eq!(parse("rate=0.05..2:7").unwrap(), "0.05 0.09247 0.171 0.3162 0.5848 1.081 2.0");
        assert_eq!(parse("momentum=0..0.9:4").unwrap(), "0.0 0.3 0.6 0.9");
        assert_eq!(parse("width = 1..4:7").unwrap(), "1 2 3 4", "whole numbers, each once");
        assert_eq!(parse("rate=1,0,0.5").unwrap(), "1.0 0.0 0.5", "a list stays in its order");
        assert_eq!(
            parse("momentum=0.1001..0.1002:3").unwrap(),
            "0.1001 0.10015 0.1002",
            "a narrow one has more figures"
        );
        assert_eq!(parse("momentum=0.5..0.50001:6").unwrap(), "0.5 0.500002 0.500004 0.500006 0.500008 0.50001");
        assert_eq!(parse("width=60..64:3").unwrap(), "60 62 64");
        assert_eq!((parse("rule=*").unwrap(), parse("rule=b,a").unwrap()), ("a b".to_owned(), "b a".to_owned()));
        assert_eq!((parse("average=on,off").unwrap(), parse("average=*").unwrap()), ("on off".into(), "on off".into()));
    }

    #[test]
    fn the_values_of_a_range_are_distinct_evenly_spaced_and_include_the_ends() {
        for (low, high, n) in [("0.1001", "0.1002", 64), ("9.999", "10", 40), ("0.123456789", "0.12345679", 9)] {
            for key in ["rate", "momentum"].into_iter().filter(|key| *key == "rate" || high != "10") {
                let axis = Axis::parse(SPECS, &format!("{key}={low}..{high}:{n}")).unwrap();
                let number = |value: &Value| value.to_string().parse::<f64>().unwrap();
                let values: Vec<f64> = axis.values.iter().map(number).collect();
                assert_eq!((values.len(), values[0]), (n, low.parse().unwrap()), "{key}");
                assert_eq!(values[n - 1], high.parse::<f64>().unwrap());
                let even = (values[n - 1] - values[0]) / (n - 1) as f64;
                let gaps = values.windows(2).map(|pair| pair[1] - pair[0]);
                assert!(gaps.into_iter().all(|gap| (gap / even - 1.0).abs() < 0.05), "{key} {values:?}");
            }
        }
        // Between neighbours among the numbers of 64 bits there is nothing.
        let (low, high) = (0.5_f64, 0.5_f64.next_up());
        let axis = Axis::parse(SPECS, &format!("momentum={low:?}..{high:?}:5")).unwrap();
        assert_eq!(axis.values, [Value::Float(low), Value::Float(high)]);
    }

    #[test]
    fn what_is_wrong_is_said_with_the_parameter_and_what_was_expected() {
        for (text, said) in [
            ("rate", "key=a..b:n"),
            ("raet=1..2:3", "did you mean `rate`?"),
            ("rate=0.1..2", "does not say how many values; expected FROM..TO:COUNT such as 0.025..0.4:5"),
            ("rate=0..1:3", "cannot begin at 0"),
            ("rate=2..1:3", "the smaller number first"),
            ("rate=0.1..99:3", "parameter `rate` is 99.0; expected a number from 0 to 10"),
            ("rate=0.1..1:1", "a whole number from 2 to 64"),
            ("rate=0.1..1:x", "`x` values"),
            ("rate=0.1", "two values or more"),
            ("rate=a..b:3", "`a` is not a number from 0 to 10"),
            ("width=3..3:2", "the smaller number first"),
            ("rule=a,c", "parameter `rule` is c; expected one of a, b"),
            ("rule=a,a", "a is there twice"),
            ("folder=a,b", "a text or a path"),
            ("average=on..off:2", "is not on or off"),
        ] {
            let message = parse(text).unwrap_err();
            assert!(message.contains(said), "{text}: {message}");
        }
        let axis = |text: &str| Axis::parse(SPECS, text).unwrap();
        let two = [axis("rate=0.01..1:60"), axis("momentum=0..1:60")];
        let message = check_size(&two, 3).unwrap_err().to_string();
        assert!(
            message.contains("60 × 60 values with 3 seeds each are 10800 runs; a sweep has at most 2000"),
            "{message}"
        );
        assert!(check_size(&[two[0].clone(), two[0].clone()], 1).unwrap_err().to_string().contains("swept twice"));
        assert!(check_size(&[], 1).unwrap_err().to_string().contains("one or two"));
        assert!(check_size(&two[..1], 3).is_ok());
    }

    #[test]
    fn what_is_proposed_can_be_swept() {
        for spec in SPECS.iter().filter(|spec| !spec.kind.is_path()) {
            let text = Axis::around(spec, &spec.default.into()).unwrap();
            assert!(parse(&format!("{}={text}", spec.key)).is_ok(), "{} {text}", spec.key);
        }
        assert_eq!(
            Axis::around(&SPECS[0], &Value::Float(0.0)).unwrap(),
            "0.001..0.004:5",
            "by factors from 0 there is no way"
        );
    }
}
