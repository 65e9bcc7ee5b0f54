//! Words in which labs write their parameters and keys, so that these read as tables.
//!
//! A parameter is a static in which its key and its values stand once: the table of the lab takes its row, code reads it.
//!
//! ```ignore
//! pub static SCHEDULE: Choice<Schedule, 2> = fixed("Training", "schedule", "schedule of the rate")
//!     .help("How the learning rate falls.")
//!     .choice("step", [("step", "in steps", Schedule::Step), ("cosine", "cosine", Schedule::Cosine)]);
//! pub static STEP_SIZE: Int = live("Training", "step_size", "halve every")
//!     .unit("epochs")
//!     .when(SCHEDULE.is(&["step"]))
//!     .int(10, [1, 1000]);
//! pub static PARAMS: &[ParamSpec] = &[SCHEDULE.row(), STEP_SIZE.row()];
//!
//! let epochs: i64 = STEP_SIZE.of(params);
//! ```

use super::event::{KeyKind, KeySpec};
use super::params::{ChoiceItem, DefaultValue, ParamKind, ParamSpec, Params, Value};

/// A parameter whose kind has not been said yet.
#[derive(Debug, Clone, Copy)]
pub struct Row(ParamSpec);

/// A parameter that a running experiment takes a change of.
pub const fn live(group: &'static str, key: &'static str, label: &'static str) -> Row {
    let (kind, default) = (ParamKind::Text, DefaultValue::Text(""));
    let (unit, help) = ("", "");
    Row(ParamSpec {
        key,
        label,
        unit,
        group,
        kind,
        default,
        help,
        live: true,
        only_if: None,
        folded: false,
        used_by: &[],
    })
}

/// A parameter that cannot change while a run goes on.
pub const fn fixed(group: &'static str, key: &'static str, label: &'static str) -> Row {
    Row(ParamSpec { live: false, ..live(group, key, label).0 })
}

/// When a parameter is shown: while the one with this key has one of these values.
#[derive(Debug, Clone, Copy)]
pub struct Condition(&'static str, &'static [&'static str]);

impl Row {
    /// See [`ParamSpec::help`].
    pub const fn help(self, help: &'static str) -> Self {
        Self(ParamSpec { help, ..self.0 })
    }

    /// Its unit in words.
    pub const fn unit(self, unit: &'static str) -> Self {
        Self(ParamSpec { unit, ..self.0 })
    }

    /// It has an effect, and is shown, only under this condition.
    pub const fn when(self, Condition(key, values): Condition) -> Self {
        Self(ParamSpec { only_if: Some((key, values)), ..self.0 })
    }

    /// See [`ParamSpec::folded`].
    pub const fn folded(self) -> Self {
        Self(ParamSpec { folded: true, ..self.0 })
    }

    /// The form shows it only while one of these switches is on; see [`ParamSpec::used_by`].
    pub const fn while_on(self, switches: &'static [&'static str]) -> Self {
        Self(ParamSpec { used_by: switches, ..self.0 })
    }

    /// The program counts it itself: no form shows it.
    pub const fn internal(self) -> Self {
        self.while_on(&[""])
    }

    const fn of(self, kind: ParamKind, default: DefaultValue) -> ParamSpec {
        ParamSpec { kind, default, ..self.0 }
    }

    /// A real number.
    pub const fn float(self, default: f64, [min, max]: [f64; 2]) -> Float {
        let kind = ParamKind::Float { min, max, log: false };
        Param { row: self.of(kind, DefaultValue::Float(default)), read: Params::float }
    }

    /// A real number with a logarithmic slider.
    pub const fn log(self, default: f64, [min, max]: [f64; 2]) -> Float {
        let kind = ParamKind::Float { min, max, log: true };
        Param { row: self.of(kind, DefaultValue::Float(default)), read: Params::float }
    }

    /// A whole number.
    pub const fn int(self, default: i64, [min, max]: [i64; 2]) -> Int {
        Param { row: self.of(ParamKind::Int { min, max }, DefaultValue::Int(default)), read: Params::int }
    }

    /// On or off.
    pub const fn switch(self, default: bool) -> Switch {
        Param { row: self.of(ParamKind::Switch, DefaultValue::Switch(default)), read: Params::switch }
    }

    /// A path to a file, empty at first.
    pub const fn path(self) -> Words {
        Words { row: self.of(ParamKind::Path, DefaultValue::Path("")) }
    }

    /// A path to a folder, empty at first.
    pub const fn folder(self) -> Words {
        Words { row: self.of(ParamKind::Folder, DefaultValue::Path("")) }
    }

    /// A line of text.
    pub const fn text(self, default: &'static str) -> Words {
        Words { row: self.of(ParamKind::Text, DefaultValue::Text(default)) }
    }

    /// One of several values, each with its name in files and its name in the form; `default` is one of the former.
    pub const fn choice<T: Copy, const N: usize>(
        self,
        default: &'static str,
        entries: [(&'static str, &'static str, T); N],
    ) -> Choice<T, N> {
        let (mut items, mut values) = ([ChoiceItem { id: "", label: "" }; N], [entries[0].2; N]);
        let mut i = 0;
        while i < N {
            (items[i], values[i]) = (ChoiceItem { id: entries[i].0, label: entries[i].1 }, entries[i].2);
            i += 1;
        }
        assert!(has(&items, default), "the default is one of the choices");
        Choice { row: self.of(ParamKind::Text, DefaultValue::Choice(default)), items, values }
    }
}

/// A number or a switch: its row in the lab's table, and how it is read.
#[derive(Debug)]
pub struct Param<V: 'static> {
    row: ParamSpec,
    read: fn(&Params, &str) -> V,
}

/// A real number.
pub type Float = Param<f64>;
/// A whole number.
pub type Int = Param<i64>;
/// On or off.
pub type Switch = Param<bool>;

impl<V> Param<V> {
    /// Its line in the lab's list.
    pub const fn row(&self) -> ParamSpec {
        self.row
    }

    pub const fn key(&self) -> &'static str {
        self.row.key
    }

    /// Name in the form.
    pub const fn label(&self) -> &'static str {
        self.row.label
    }

    /// Its value; panics where these are another lab's parameters, as all getters of [`Params`] do.
    pub fn of(&self, params: &Params) -> V {
        (self.read)(params, self.row.key)
    }

    /// The same; `None` where these are another lab's parameters.
    pub fn get(&self, params: &Params) -> Option<V> {
        params.get(self.row.key).map(|_| self.of(params))
    }
}

impl Switch {
    /// While it is on.
    pub const fn is_on(&self) -> Condition {
        Condition(self.row.key, &["on"])
    }
}

/// A text or a path.
#[derive(Debug)]
pub struct Words {
    row: ParamSpec,
}

impl Words {
    /// Its line in the lab's list.
    pub const fn row(&self) -> ParamSpec {
        self.row
    }

    pub const fn key(&self) -> &'static str {
        self.row.key
    }

    /// Its value; panics where these are another lab's parameters, as all getters of [`Params`] do.
    pub fn of<'a>(&self, params: &'a Params) -> &'a str {
        params.text(self.row.key)
    }
}

/// One of `N` values of a type of the lab's own.
#[derive(Debug)]
pub struct Choice<T: 'static, const N: usize> {
    row: ParamSpec,
    items: [ChoiceItem; N],
    values: [T; N],
}

impl<T: Copy, const N: usize> Choice<T, N> {
    /// Its line in the lab's list.
    pub const fn row(&'static self) -> ParamSpec {
        ParamSpec { kind: ParamKind::Choice(&self.items), ..self.row }
    }

    pub const fn key(&self) -> &'static str {
        self.row.key
    }

    /// While it is one of these, given by their names in files: a name that it does not have does not compile.
    pub const fn is(&self, ids: &'static [&'static str]) -> Condition {
        let mut i = 0;
        while i < ids.len() {
            assert!(has(&self.items, ids[i]), "not one of the choices");
            i += 1;
        }
        Condition(self.row.key, ids)
    }

    /// Its value; panics where these are another lab's parameters, as all getters of [`Params`] do.
    pub fn of(&self, params: &Params) -> T {
        self.get(params).unwrap_or_else(|| panic!("parameter `{}` is {:?}", self.row.key, params.get(self.row.key)))
    }

    /// The same; `None` where these are another lab's parameters.
    pub fn get(&self, params: &Params) -> Option<T> {
        self.index(params).map(|index| self.values[index])
    }

    /// The names of its value in files and in the form; `None` where these are another lab's parameters.
    pub fn item(&self, params: &Params) -> Option<ChoiceItem> {
        self.index(params).map(|index| self.items[index])
    }

    /// What is set to choose the first value for which this holds.
    pub fn value(&self, wanted: impl Fn(&T) -> bool) -> Option<Value> {
        let index = self.values.iter().position(wanted)?;
        Some(Value::Text(self.items[index].id.to_owned()))
    }

    fn index(&self, params: &Params) -> Option<usize> {
        let Some(Value::Text(id)) = params.get(self.row.key) else { return None };
        self.items.iter().position(|item| item.id == id)
    }
}

/// Whether one of the items has this name, for the compiler.
const fn has(items: &[ChoiceItem], id: &str) -> bool {
    let mut i = 0;
    while i < items.len() {
        if same(items[i].id.as_bytes(), id.as_bytes()) {
            return true;
        }
        i += 1;
    }
    false
}

const fn same(a: &[u8], b: &[u8]) -> bool {
    let mut i = 0;
    while i < a.len() && i < b.len() && a[i] == b[i] {
        i += 1;
    }
    i == a.len() && i == b.len()
}

/// A number that is recorded whenever it is emitted.
pub const fn scalar(key: &'static str, title: &'static str) -> KeySpec {
    KeySpec { key, title, unit: "", kind: KeyKind::Scalar, every: 1 }
}

/// The same with a unit in words.
pub const fn scalar_in(key: &'static str, title: &'static str, unit: &'static str) -> KeySpec {
    KeySpec { unit, ..scalar(key, title) }
}

/// A bulky value that is recorded whenever it is emitted.
pub const fn payload(key: &'static str, title: &'static str) -> KeySpec {
    KeySpec { key, title, unit: "", kind: KeyKind::Payload, every: 1 }
}

/// A bulky value for the screen: recorded at the start and at the end alone.
pub const fn shown(key: &'static str, title: &'static str) -> KeySpec {
    KeySpec { every: u64::MAX, ..payload(key, title) }
}

#[cfg(test)]
mod tests {
    use super::*;

    static COSINE: Choice<bool, 2> = fixed("Training", "course", "course")
        .choice("steps", [("steps", "in steps", false), ("cosine", "cosine", true)]);
    static EVERY: Int =
        live("Training", "every", "halve every").unit("epochs").when(COSINE.is(&["steps"])).int(10, [1, 99]);

    #[test]
    fn a_parameter_is_its_row_and_its_reader() {
        let specs = [COSINE.row(), EVERY.row()];
        let mut params = Params::defaults(&specs);
        assert_eq!((COSINE.of(&params), EVERY.of(&params), params.shows(&specs[1])), (false, 10, true));
        params.set(&specs, COSINE.key(), COSINE.value(|cosine| *cosine).unwrap()).unwrap();
        assert_eq!((COSINE.of(&params), params.shows(&specs[1])), (true, false));
        assert_eq!(COSINE.item(&params).map(|item| item.label), Some("cosine"));
        assert!(specs[1].live && !specs[0].live && specs[1].unit == "epochs");
    }

    #[test]
    fn another_labs_parameters_have_no_value() {
        let other = Params::default();
        assert_eq!((COSINE.get(&other), EVERY.get(&other)), (None, None));
    }
}
