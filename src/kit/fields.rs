//! What of a view's own state belongs to a scene and can be taken back: selections, switches, zoom, cameras. A view names
//! each of its fields once; the same naming writes them as text and reads them again.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use super::view::LabView;
use crate::plot::axes::Bounds;
use crate::plot::image_view::Lens;

/// Fields as text by name. What is as a fresh view has it is left out, so that the texts are few.
#[derive(Debug)]
pub struct Fields {
    texts: BTreeMap<String, String>,
    /// The texts go into the view, not the view's state into the texts.
    putting: bool,
    /// Before every name.
    prefix: String,
    /// The names of all fields, in the order in which the view names them.
    names: Vec<String>,
}

/// What of a view's state belongs to a scene.
pub fn taken(view: &mut dyn LabView) -> BTreeMap<String, String> {
    let mut fields = Fields::new(BTreeMap::new(), false);
    view.fields(&mut fields);
    fields.texts
}

/// The names of all fields of a view, as they are or not.
pub fn names(view: &mut dyn LabView) -> Vec<String> {
    let mut fields = Fields::new(BTreeMap::new(), false);
    view.fields(&mut fields);
    fields.names
}

/// Puts that into a view; what is missing or not understood becomes as a fresh view has it.
pub fn put(view: &mut dyn LabView, texts: &BTreeMap<String, String>) {
    view.fields(&mut Fields::new(texts.clone(), true));
}

/// Whether a field of this name changes little by little (a camera, a zoom), so that several changes of it on end are one.
pub fn is_gradual(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or(name);
    ["camera", "zoom", "lens", "opacity", "threshold", "width"].iter().any(|word| last.starts_with(word))
}

impl Fields {
    fn new(texts: BTreeMap<String, String>, putting: bool) -> Self {
        Self { texts, putting, prefix: String::new(), names: Vec::new() }
    }

    /// The fields of a part of the view, whose names begin with its own and a point.
    pub fn of(&mut self, part: &str, name: impl FnOnce(&mut Self)) {
        let before = self.prefix.len();
        self.prefix.push_str(part);
        self.prefix.push('.');
        name(self);
        self.prefix.truncate(before);
    }

    /// Whether the texts go into the view.
    pub fn are_put(&self) -> bool {
        self.putting
    }

    /// A field that `write` makes a text and `read` reads; a text that is none of its values gives `fresh`.
    pub fn text<T: PartialEq>(
        &mut self,
        name: &str,
        field: &mut T,
        fresh: T,
        write: impl FnOnce(&T) -> String,
        read: impl FnOnce(&str) -> Option<T>,
    ) {
        let name = format!("{}{name}", self.prefix);
        if self.putting {
            *field = self.texts.get(&name).and_then(|text| read(text)).unwrap_or(fresh);
        } else if *field != fresh {
            self.texts.insert(name.clone(), write(field));
        }
        self.names.push(name);
    }

    /// A switch, an index, a word.
    pub fn value<T: PartialEq + Display + FromStr>(&mut self, name: &str, field: &mut T, fresh: T) {
        self.text(name, field, fresh, T::to_string, |text| text.parse().ok());
    }

    /// The same, where a fresh view has none.
    pub fn optional<T: PartialEq + Display + FromStr>(&mut self, name: &str, field: &mut Option<T>) {
        let write = |value: &Option<T>| value.as_ref().map(T::to_string).unwrap_or_default();
        self.text(name, field, None, write, |text| text.parse().ok().map(Some));
    }

    /// A number, which is kept within its range.
    pub fn number(&mut self, name: &str, field: &mut f64, fresh: f64, range: RangeInclusive<f64>) {
        let read = |text: &str| text.parse().ok().filter(|v: &f64| v.is_finite());
        self.text(name, field, fresh, f64::to_string, |text| read(text).map(|v| v.clamp(*range.start(), *range.end())));
    }

    /// A share from 0 to 1.
    pub fn share(&mut self, name: &str, field: &mut f32, fresh: f32) {
        let read = |text: &str| text.parse().ok().filter(|v| (0.0..=1.0).contains(v));
        self.text(name, field, fresh, f32::to_string, read);
    }

    /// One of a list with their names; the first one is a fresh view's.
    pub fn choice<T: Copy + PartialEq>(&mut self, name: &str, field: &mut T, all: &[(&str, T)]) {
        let Some((_, fresh)) = all.first() else { return };
        let word = |value: &T| all.iter().find(|(_, one)| one == value).map_or("", |(word, _)| word).to_owned();
        self.text(name, field, *fresh, word, |text| all.iter().find(|(word, _)| *word == text).map(|(_, one)| *one));
    }

    /// Whole numbers or words.
    pub fn set<T: Ord + Display + FromStr>(&mut self, name: &str, field: &mut BTreeSet<T>) {
        let write = |set: &BTreeSet<T>| set.iter().map(T::to_string).collect::<Vec<_>>().join("\n");
        self.text(name, field, BTreeSet::new(), write, |text| text.split('\n').map(|one| one.parse().ok()).collect());
    }

    /// The part of a plot that is shown; `None`: all of it.
    pub fn zoom(&mut self, name: &str, field: &mut Option<Bounds>) {
        self.text(name, field, None, |bounds| bounds.map(of_bounds).unwrap_or_default(), bounds);
    }

    /// The part of pictures that is seen.
    pub fn lens(&mut self, name: &str, field: &mut Lens) {
        let write = |lens: &Lens| {
            let [x, y, zoom] = lens.numbers();
            format!("{} {} {}", of(x.into(), 4), of(y.into(), 4), of(zoom.into(), 4))
        };
        let read = |text: &str| Lens::of_numbers(numbers(text)?.map(|number: f64| number as f32));
        self.text(name, field, Lens::default(), write, read);
    }
}

/// As many numbers as are wanted, with spaces between them; each is finite.
pub fn numbers<const N: usize>(text: &str) -> Option<[f64; N]> {
    let read: Option<Vec<f64>> =
        text.split(' ').map(|word| word.parse().ok().filter(|v: &f64| v.is_finite())).collect();
    read?.try_into().ok()
}

/// A number with so many digits after its first one, as short as can be.
pub fn of(value: f64, digits: usize) -> String {
    let rounded: f64 = format!("{value:.digits$e}").parse().unwrap_or(value);
    let text = format!("{rounded:?}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

/// What is shown of a plot, to less than a pixel.
fn of_bounds(bounds: Bounds) -> String {
    let axis = |[low, high]: [f64; 2]| {
        let far = low.abs().max(high.abs()) / (high - low);
        let digits = (far.log10().ceil().max(0.0) as usize + 4).min(16);
        format!("{} {}", of(low, digits), of(high, digits))
    };
    format!("{} {}", axis(bounds.x), axis(bounds.y))
}

fn bounds(text: &str) -> Option<Option<Bounds>> {
    let [left, right, bottom, top] = numbers(text)?;
    Some(Some(Bounds::new([left, right], [bottom, top])).filter(Bounds::is_valid))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Clone, PartialEq)]
    struct State {
        on: bool,
        selected: Option<usize>,
        hidden: BTreeSet<String>,
        zoom: Option<Bounds>,
        lens: Lens,
        strength: f64,
        opacity: f32,
        mode: char,
    }

    fn fresh() -> State {
        let (hidden, lens) = (BTreeSet::new(), Lens::default());
        State { on: true, selected: None, hidden, zoom: None, lens, strength: 1.0, opacity: 0.5, mode: 'a' }
    }

    fn name(state: &mut State, fields: &mut Fields) {
        fields.of("tile", |fields| {
            fields.value("on", &mut state.on, true);
            fields.optional("selected", &mut state.selected);
            fields.set("hidden", &mut state.hidden);
            fields.zoom("zoom", &mut state.zoom);
            fields.lens("lens", &mut state.lens);
            fields.number("strength", &mut state.strength, 1.0, 0.0..=10.0);
            fields.share("opacity", &mut state.opacity, 0.5);
            fields.choice("mode", &mut state.mode, &[("first", 'a'), ("second", 'b')]);
        });
    }

    fn texts_of(state: &mut State) -> BTreeMap<String, String> {
        let mut fields = Fields::new(BTreeMap::new(), false);
        name(state, &mut fields);
        fields.texts
    }

    #[test]
    fn fields_come_back_from_their_texts_and_what_is_fresh_needs_none() {
        assert!(texts_of(&mut fresh()).is_empty());
        let mut state = State {
            on: false,
            selected: Some(3),
            hidden: ["Adam, one", "b"].map(str::to_owned).into(),
            zoom: Some(Bounds::new([-1.25, 2.0], [1e-9, 3e20])),
            lens: Lens::of_numbers([0.25, 0.75, 8.0]).unwrap(),
            strength: 0.1,
            opacity: 0.25,
            mode: 'b',
        };
        let texts = texts_of(&mut state);
        assert_eq!((texts["tile.mode"].as_str(), texts["tile.lens"].as_str()), ("second", "0.25 0.75 8"));
        let mut again = fresh();
        name(&mut again, &mut Fields::new(texts.clone(), true));
        assert_eq!(again, state);
        assert_eq!(texts_of(&mut again), texts);
    }

    #[test]
    fn a_text_that_is_no_value_gives_a_fresh_field() {
        let odd = ["", "NaN", "1 2", "9 1 9 1", "inf 1 1 1", "ß", "0 0 0", "-1 5 1e9"];
        for text in odd {
            let names = ["on", "selected", "zoom", "lens", "strength", "opacity", "mode"];
            let texts = names.iter().map(|name| (format!("tile.{name}"), text.to_owned())).collect();
            let mut state = State { on: false, mode: 'b', ..fresh() };
            name(&mut state, &mut Fields::new(texts, true));
            assert_eq!(state, fresh(), "{text}");
        }
    }

    #[test]
    fn numbers_are_short_and_zooms_are_exact_to_less_than_a_pixel() {
        assert_eq!(of(0.1 + 0.2, 4), "0.3");
        assert_eq!(of(2e30, 4), "2e30");
        assert_eq!(of(-0.0, 4), "-0");
        let narrow = Bounds::new([1_000.000_123_4, 1_000.000_223_4], [0.1, 0.3]);
        let read = bounds(&of_bounds(narrow)).unwrap().unwrap();
        assert!((read.x[0] - narrow.x[0]).abs() < 1e-4 * (narrow.x[1] - narrow.x[0]), "{read:?}");
        assert!(is_gradual("surface3d.camera") && is_gradual("f.zoom2") && !is_gradual("selected"));
    }
}
