//! Words in which labs write their lists of parameters and keys, so that these read as tables.

use super::event::{KeyKind, KeySpec};
use super::params::{ChoiceItem, DefaultValue, ParamKind, ParamSpec};

/// An entry of a choice.
pub const fn choice(id: &'static str, label: &'static str) -> ChoiceItem {
    ChoiceItem { id, label }
}

/// A live parameter without unit that is always shown.
pub const fn spec(
    group: &'static str,
    key: &'static str,
    label: &'static str,
    kind: ParamKind,
    default: DefaultValue,
    help: &'static str,
) -> ParamSpec {
    ParamSpec { key, label, unit: "", group, kind, default, help, live: true, only_if: None }
}

/// It cannot change while a run goes on.
pub const fn fixed(spec: ParamSpec) -> ParamSpec {
    ParamSpec { live: false, ..spec }
}

/// Its unit in words.
pub const fn unit(spec: ParamSpec, unit: &'static str) -> ParamSpec {
    ParamSpec { unit, ..spec }
}

/// It is shown only while parameter `key` has one of these values.
pub const fn when(spec: ParamSpec, key: &'static str, values: &'static [&'static str]) -> ParamSpec {
    ParamSpec { only_if: Some((key, values)), ..spec }
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
