//! Parameters are data: a lab lists each one once, and that list feeds the form, `--set key=value`, the run folder,
//! the tests' sweeps and the help page.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// One parameter of a lab: what it is called, what it may be, and whether a running experiment accepts a change.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ParamSpec {
    /// Name on the command line and in files, `snake_case`, unique within the lab.
    pub key: &'static str,
    /// Name in the form, in the field's own terms, e.g. `learning rate η`.
    pub label: &'static str,
    /// Unit in words, empty for a pure number, e.g. `steps`.
    pub unit: &'static str,
    /// Heading in the form under which this parameter stands.
    pub group: &'static str,
    /// What values it takes.
    pub kind: ParamKind,
    /// The value of a fresh form.
    pub default: DefaultValue,
    /// One or two sentences for the tooltip and the help page.
    pub help: &'static str,
    /// A running experiment accepts a change; otherwise a change needs a restart.
    pub live: bool,
    /// It has an effect, and the form shows it, only while the named choice parameter has one of these values.
    pub only_if: Option<(&'static str, &'static [&'static str])>,
    /// The form shows its group folded until somebody opens it: many parameters that few need.
    pub folded: bool,
    /// The form shows it only while one of these switches is shown and on; empty: always. It may be set all the same.
    pub used_by: &'static [&'static str],
}

/// The kind and the range of a parameter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ParamKind {
    /// A real number in `[min, max]`; `log` asks the form for a logarithmic slider.
    Float { min: f64, max: f64, log: bool },
    /// A whole number in `[min, max]`.
    Int { min: i64, max: i64 },
    /// One of a fixed list.
    Choice(&'static [ChoiceItem]),
    /// On or off.
    Switch,
    /// A path to a file (or a folder), empty for none.
    Path,
    /// A path to a folder, empty for none.
    Folder,
    /// A line of text.
    Text,
}

impl ParamKind {
    /// Whether its value is a path, of a file or of a folder.
    pub fn is_path(self) -> bool {
        matches!(self, ParamKind::Path | ParamKind::Folder)
    }
}

/// One entry of a [`ParamKind::Choice`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChoiceItem {
    /// Name on the command line and in files.
    pub id: &'static str,
    /// Name in the form.
    pub label: &'static str,
}

/// [`Value`] in a form that can stand in a `static`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum DefaultValue {
    Float(f64),
    Int(i64),
    Choice(&'static str),
    Switch(bool),
    Path(&'static str),
    Text(&'static str),
}

impl From<DefaultValue> for Value {
    fn from(value: DefaultValue) -> Self {
        match value {
            DefaultValue::Float(v) => Value::Float(v),
            DefaultValue::Int(v) => Value::Int(v),
            DefaultValue::Switch(v) => Value::Switch(v),
            DefaultValue::Choice(v) | DefaultValue::Path(v) | DefaultValue::Text(v) => Value::Text(v.to_owned()),
        }
    }
}

/// The value of one parameter. Choices and paths are text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Value {
    Float(f64),
    Int(i64),
    Switch(bool),
    Text(String),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // `{:?}` keeps every bit of a float and still writes 0.01 as 0.01.
            Value::Float(v) => write!(f, "{v:?}"),
            Value::Int(v) => write!(f, "{v}"),
            Value::Switch(v) => f.write_str(if *v { "on" } else { "off" }),
            Value::Text(v) => f.write_str(v),
        }
    }
}

/// Why a parameter was refused. Every message names the parameter and what was expected.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum ParamError {
    #[error("unknown parameter `{key}`{hint}")]
    Unknown { key: String, hint: String },
    #[error("parameter `{key}`: `{value}` is not {expected}")]
    Malformed { key: String, value: String, expected: String },
    #[error("parameter `{key}` is {value}; expected {expected}")]
    OutOfRange { key: String, value: String, expected: String },
    #[error("parameter `{key}` cannot change while a run goes on; restart the run with the new value")]
    NotLive { key: String },
    #[error("`{0}` is not of the form key=value")]
    NotKeyValue(String),
    #[error("parameter `{key}`: {problem}")]
    Invalid { key: String, problem: String },
}

impl ParamError {
    /// What is wrong with a value that is in range.
    pub fn invalid(key: &str, problem: impl fmt::Display) -> Self {
        ParamError::Invalid { key: key.to_owned(), problem: problem.to_string() }
    }
}

impl ParamSpec {
    /// What a value has to be, in words, for messages and tooltips.
    pub fn expected(&self) -> String {
        let unit = if self.unit.is_empty() { String::new() } else { format!(" {}", self.unit) };
        match self.kind {
            ParamKind::Float { min, max, .. } => format!("a number from {min} to {max}{unit}"),
            ParamKind::Int { min, max } => format!("a whole number from {min} to {max}{unit}"),
            ParamKind::Choice(items) => {
                format!("one of {}", items.iter().map(|item| item.id).collect::<Vec<_>>().join(", "))
            }
            ParamKind::Switch => "on or off".to_owned(),
            ParamKind::Path => "a path".to_owned(),
            ParamKind::Folder => "the path of a folder".to_owned(),
            ParamKind::Text => "a text".to_owned(),
        }
    }

    /// A value as people read it: of a choice its label.
    pub fn shown(&self, value: &Value) -> String {
        let text = value.to_string();
        match self.kind {
            ParamKind::Choice(items) => {
                items.iter().find(|item| item.id == text).map_or(text, |item| item.label.to_owned())
            }
            _ => text,
        }
    }

    /// The value of a number that is nearest to this one and within its range; `None`: it is no number.
    pub fn nearest(&self, value: f64) -> Option<Value> {
        match self.kind {
            ParamKind::Float { min, max, .. } => Some(Value::Float(value.clamp(min, max))),
            ParamKind::Int { min, max } => Some(Value::Int((value.round() as i64).clamp(min, max))),
            _ => None,
        }
    }

    /// Reads what a person typed. Does not yet check the range: see [`ParamSpec::check`].
    pub fn parse(&self, text: &str) -> Result<Value, ParamError> {
        let text = text.trim();
        let malformed =
            || ParamError::Malformed { key: self.key.to_owned(), value: text.to_owned(), expected: self.expected() };
        let value = match self.kind {
            ParamKind::Float { .. } => Value::Float(text.parse().map_err(|_| malformed())?),
            ParamKind::Int { .. } => Value::Int(text.parse().map_err(|_| malformed())?),
            ParamKind::Switch => match text {
                "on" | "true" | "yes" | "1" => Value::Switch(true),
                "off" | "false" | "no" | "0" => Value::Switch(false),
                _ => return Err(malformed()),
            },
            ParamKind::Choice(_) | ParamKind::Path | ParamKind::Folder | ParamKind::Text => {
                Value::Text(text.to_owned())
            }
        };
        self.check(&value)?;
        Ok(value)
    }

    /// Checks kind and range; NaN and infinities are never in range.
    pub fn check(&self, value: &Value) -> Result<(), ParamError> {
        let in_range = match (self.kind, value) {
            (ParamKind::Float { min, max, .. }, Value::Float(v)) => v.is_finite() && (min..=max).contains(v),
            (ParamKind::Int { min, max }, Value::Int(v)) => (min..=max).contains(v),
            (ParamKind::Choice(items), Value::Text(v)) => items.iter().any(|item| item.id == v),
            (ParamKind::Switch, Value::Switch(_))
            | (ParamKind::Path | ParamKind::Folder | ParamKind::Text, Value::Text(_)) => true,
            _ => {
                return Err(ParamError::Malformed {
                    key: self.key.to_owned(),
                    value: value.to_string(),
                    expected: self.expected(),
                });
            }
        };
        if in_range {
            return Ok(());
        }
        let near = match (self.kind, value) {
            (ParamKind::Choice(items), Value::Text(typed)) => nearest(typed, items.iter().map(|item| item.id)),
            _ => None,
        };
        let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        let expected = self.expected() + &hint;
        Err(ParamError::OutOfRange { key: self.key.to_owned(), value: value.to_string(), expected })
    }
}

/// A full set of values for one lab's parameter list.
///
/// Getters panic on a key that the lab does not declare or asks for in another kind: that is a mistake in the lab's
/// code, found by the first run of its contract test, never something that a user can cause.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Params(BTreeMap<String, Value>);

impl Params {
    /// Every parameter at its default.
    pub fn defaults(specs: &[ParamSpec]) -> Self {
        Self(specs.iter().map(|spec| (spec.key.to_owned(), spec.default.into())).collect())
    }

    /// Sets one value after checking it against its specification.
    pub fn set(&mut self, specs: &[ParamSpec], key: &str, value: Value) -> Result<(), ParamError> {
        find(specs, key)?.check(&value)?;
        self.0.insert(key.to_owned(), value);
        Ok(())
    }

    /// Sets one value from `key=value` as typed.
    pub fn set_text(&mut self, specs: &[ParamSpec], assignment: &str) -> Result<(), ParamError> {
        let (key, text) = assignment.split_once('=').ok_or_else(|| ParamError::NotKeyValue(assignment.to_owned()))?;
        let value = find(specs, key.trim())?.parse(text)?;
        self.0.insert(key.trim().to_owned(), value);
        Ok(())
    }

    /// Values read from a file: unknown keys and bad values are refused, missing keys take their defaults.
    pub fn checked(specs: &[ParamSpec], values: impl IntoIterator<Item = (String, Value)>) -> Result<Self, ParamError> {
        let mut params = Self::defaults(specs);
        for (key, value) in values {
            params.set(specs, &key, value)?;
        }
        Ok(params)
    }

    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key)
    }

    /// Puts a value that was checked before (a recorded change).
    pub(crate) fn put(&mut self, key: &str, value: Value) {
        self.0.insert(key.to_owned(), value);
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    pub fn float(&self, key: &str) -> f64 {
        match self.0.get(key) {
            Some(Value::Float(v)) => *v,
            other => panic!("parameter `{key}` read as float is {other:?}"),
        }
    }

    pub fn int(&self, key: &str) -> i64 {
        match self.0.get(key) {
            Some(Value::Int(v)) => *v,
            other => panic!("parameter `{key}` read as integer is {other:?}"),
        }
    }

    pub fn switch(&self, key: &str) -> bool {
        match self.0.get(key) {
            Some(Value::Switch(v)) => *v,
            other => panic!("parameter `{key}` read as switch is {other:?}"),
        }
    }

    pub fn text(&self, key: &str) -> &str {
        match self.0.get(key) {
            Some(Value::Text(v)) => v,
            other => panic!("parameter `{key}` read as text is {other:?}"),
        }
    }

    /// Whether this parameter is there and has this value, as typed.
    pub fn is(&self, key: &str, value: &str) -> bool {
        self.0.get(key).is_some_and(|known| known.to_string() == value)
    }

    /// Refuses what was set (`key=value` each, as typed) and has no effect with the other values.
    pub fn check_effect(&self, specs: &[ParamSpec], assignments: &[String]) -> Result<(), ParamError> {
        for assignment in assignments {
            let key = assignment.split_once('=').map_or(&**assignment, |(key, _)| key).trim();
            let mut asked = find(specs, key)?;
            while let Some((parent, wanted)) = asked.only_if {
                if !self.shows(asked) {
                    let problem = format!(
                        "`{assignment}` would change nothing: it needs `{parent}` to be {}",
                        wanted.join(" or ")
                    );
                    return Err(ParamError::invalid(key, problem));
                }
                asked = find(specs, parent)?;
            }
        }
        Ok(())
    }

    /// Whether the form shows this parameter: [`Params::shows`] holds for it and for those on which it depends, and somebody
    /// uses it.
    pub fn shows_in_form(&self, specs: &[ParamSpec], spec: &ParamSpec) -> bool {
        let uses =
            |key: &&str| self.is(key, "on") && find(specs, key).is_ok_and(|user| self.shows_with_parents(specs, user));
        self.shows_with_parents(specs, spec) && (spec.used_by.is_empty() || spec.used_by.iter().any(uses))
    }

    /// [`Params::shows`], and so for the parameter on which it depends, and further up.
    fn shows_with_parents(&self, specs: &[ParamSpec], spec: &ParamSpec) -> bool {
        let mut asked = spec;
        while let Some((parent, _)) = asked.only_if {
            if !self.shows(asked) {
                return false;
            }
            let Ok(above) = find(specs, parent) else { return true };
            asked = above;
        }
        true
    }

    /// Whether the form shows this parameter with the current values (see [`ParamSpec::only_if`]).
    pub fn shows(&self, spec: &ParamSpec) -> bool {
        spec.only_if.is_none_or(|(key, wanted)| match self.0.get(key) {
            Some(Value::Text(v)) => wanted.contains(&v.as_str()),
            Some(Value::Switch(v)) => wanted.contains(&if *v { "on" } else { "off" }),
            _ => false,
        })
    }
}

/// The specification of `key`, or an error that offers the nearest known name.
pub fn find<'a>(specs: &'a [ParamSpec], key: &str) -> Result<&'a ParamSpec, ParamError> {
    specs.iter().find(|spec| spec.key == key).ok_or_else(|| {
        let hint = match nearest(key, specs.iter().map(|spec| spec.key)) {
            Some(near) => format!("; did you mean `{near}`?"),
            None => format!("; known are {}", specs.iter().map(|spec| spec.key).collect::<Vec<_>>().join(", ")),
        };
        ParamError::Unknown { key: key.to_owned(), hint }
    })
}

/// The candidate within two edits of `word`, for "did you mean".
pub fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .map(|candidate| (edit_distance(word, candidate), candidate))
        .min()
        .filter(|(distance, candidate)| *distance <= 2 && *distance < candidate.chars().count())
        .map(|(_, candidate)| candidate)
}

/// Levenshtein distance over characters.
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let cost = if ca == *cb { diagonal } else { 1 + diagonal.min(row[j]).min(row[j + 1]) };
            diagonal = row[j + 1];
            row[j + 1] = cost;
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPECS: &[ParamSpec] = &[
        ParamSpec {
            key: "learning_rate",
            label: "learning rate η",
            unit: "",
            group: "Rates",
            kind: ParamKind::Float { min: 1e-6, max: 10.0, log: true },
            default: DefaultValue::Float(0.01),
            help: "",
            live: true,
            only_if: None,
            folded: false,
            used_by: &[],
        },
        ParamSpec {
            key: "surface",
            label: "surface",
            unit: "",
            group: "Surface",
            kind: ParamKind::Choice(&[ChoiceItem { id: "saddle", label: "x² − y²" }]),
            default: DefaultValue::Choice("saddle"),
            help: "",
            live: false,
            only_if: None,
            folded: false,
            used_by: &[],
        },
    ];

    #[test]
    fn typed_text_is_checked_and_the_message_names_the_parameter() {
        let mut params = Params::defaults(SPECS);
        params.set_text(SPECS, "learning_rate=0.5").unwrap();
        assert_eq!(params.float("learning_rate"), 0.5);
        for bad in ["learning_rate=99", "learning_rate=NaN", "learning_rate=abc", "learning_rate=inf"] {
            let message = params.set_text(SPECS, bad).unwrap_err().to_string();
            assert!(message.contains("learning_rate"), "{message}");
            assert!(message.contains("0.000001 to 10"), "{message}");
        }
        assert_eq!(params.float("learning_rate"), 0.5, "a refused value changes nothing");
        let message = params.set_text(SPECS, "surface=volcano").unwrap_err().to_string();
        assert!(message.contains("one of saddle") && !message.contains("did you mean"), "{message}");
        let message = params.set_text(SPECS, "surface=sadle").unwrap_err().to_string();
        assert!(message.contains("did you mean `saddle`?"), "{message}");
    }

    #[test]
    fn what_is_set_and_has_no_effect_is_refused_with_what_it_needs() {
        let spec = |key: &'static str, only_if| ParamSpec { key, only_if, ..SPECS[1] };
        let choice = |key, only_if| ParamSpec {
            kind: ParamKind::Choice(&[ChoiceItem { id: "a", label: "" }, ChoiceItem { id: "b", label: "" }]),
            default: DefaultValue::Choice("a"),
            ..spec(key, only_if)
        };
        let specs =
            [choice("one", None), choice("two", Some(("one", &["b"][..]))), choice("three", Some(("two", &["b"])))];
        let check = |typed: &[&str]| {
            let typed: Vec<String> = typed.iter().map(|text| (*text).to_owned()).collect();
            let mut params = Params::defaults(&specs);
            typed.iter().for_each(|text| params.set_text(&specs, text).unwrap());
            params.check_effect(&specs, &typed).map_err(|error| error.to_string())
        };
        assert_eq!(check(&["one=b", "two=b", "three=a"]), Ok(()));
        let message = check(&["three=a", "one=b"]).unwrap_err();
        assert_eq!(message, "parameter `three`: `three=a` would change nothing: it needs `two` to be b");
        assert!(check(&["three=a", "two=b"]).unwrap_err().contains("needs `one` to be b"), "also further up");
        let mut params = Params::defaults(&specs);
        params.set_text(&specs, "two=b").unwrap();
        assert!(params.shows(&specs[2]) && !params.shows_with_parents(&specs, &specs[2]));
        params.set_text(&specs, "one=b").unwrap();
        assert!(params.shows_with_parents(&specs, &specs[2]));
    }

    #[test]
    fn the_form_shows_what_somebody_uses_who_is_shown_and_on() {
        let switch = |key: &'static str, only_if| {
            let default = DefaultValue::Switch(false);
            ParamSpec { key, only_if, kind: ParamKind::Switch, default, live: false, ..SPECS[0] }
        };
        let specs = [
            switch("all", None),
            switch("one", None),
            switch("two", Some(("all", &["on"][..]))),
            ParamSpec { used_by: &["one", "two"], ..SPECS[0] },
        ];
        let mut params = Params::defaults(&specs);
        let mut shows = |set: &str| {
            params.set_text(&specs, set).unwrap();
            params.shows_in_form(&specs, &specs[3])
        };
        assert_eq!(["two=on", "all=on", "two=off", "one=on"].map(&mut shows), [false, true, false, true]);
        assert!(params.check_effect(&specs, &["learning_rate=1".to_owned()]).is_ok(), "it may be set all the same");
    }

    #[test]
    fn an_unknown_name_gets_a_suggestion() {
        let mut params = Params::defaults(SPECS);
        let message = params.set_text(SPECS, "surfaec=saddle").unwrap_err().to_string();
        assert_eq!(message, "unknown parameter `surfaec`; did you mean `surface`?");
        let message = params.set_text(SPECS, "zzz=1").unwrap_err().to_string();
        assert!(message.contains("known are learning_rate, surface"), "{message}");
        assert_eq!(params.set_text(SPECS, "surface").unwrap_err(), ParamError::NotKeyValue("surface".into()));
    }
}
