//! Recorded runs that are drawn behind the current one in every tile of curves, and whose numbers stand side by side with its own.

use std::path::Path;
use std::sync::Arc;

use crate::engine::numbers::{Numbers, Points};
use crate::engine::params::{ParamKind, ParamSpec, Params, Value};
use crate::engine::state::RunState;
use crate::plot::colormap::ColorMap;
use crate::plot::curve::Curve;
use crate::plot::number;
use crate::plot::style::{Category, Dash, Style};

/// Most runs that are pinned.
pub const MOST: usize = 16;
/// Width of their curves: thin, and without a dot at the cursor.
const WIDTH: f32 = 0.6;

/// The pinned runs of one lab.
#[derive(Debug, Default)]
pub struct Pinned {
    pub runs: Vec<PinnedRun>,
    /// The parameter that their colours tell apart; `None`: they differ in none.
    pub by: Option<&'static ParamSpec>,
}

/// One of them.
#[derive(Debug)]
pub struct PinnedRun {
    pub numbers: Arc<Numbers>,
    /// Its name in legends, which no other has: the values in which it differs, or its own name.
    pub name: String,
    pub color: eframe::egui::Color32,
}

impl Pinned {
    /// Names and colours for these runs of a lab; `by`: the parameter that the user chose for the colours.
    pub fn of(specs: &'static [ParamSpec], runs: Vec<Arc<Numbers>>, by: &str, style: &Style) -> Self {
        let differ = differing(specs, runs.iter().map(|run| &run.header.params));
        let by = differ.iter().copied().find(|spec| spec.key == by).or_else(|| differ.first().copied());
        let colors = colors(&runs, by, style);
        let names = names(&runs, &differ, by);
        let runs = runs.into_iter().zip(names).zip(colors);
        Self { runs: runs.map(|((numbers, name), color)| PinnedRun { numbers, name, color }).collect(), by }
    }
}

impl Pinned {
    /// Those that are drawn behind a run: all but itself.
    pub fn behind(&self, run: &RunState) -> impl Iterator<Item = &PinnedRun> {
        self.runs.iter().filter(|pinned| !pinned.is_of(run))
    }
}

impl PinnedRun {
    /// Whether it is the recording of this run.
    pub fn is_of(&self, run: &RunState) -> bool {
        run.header.as_ref().is_some_and(|header| Path::new(&header.folder) == self.numbers.folder)
    }

    /// Its curve of a scalar, in the dash that the scalar has.
    pub fn curve(&self, key: &str, title: &str, dash: Dash) -> Option<Curve<'static>> {
        let points: Points = self.numbers.curves.get(key).filter(|points| !points.is_empty())?.clone();
        Some(Curve {
            name: format!("{title}, {}", self.name).into(),
            category: Category { color: self.color, dash },
            width: WIDTH,
            identity: Arc::as_ptr(&points) as *const u8 as u64,
            len: points.len(),
            point: Box::new(move |i| points[i]),
            held: None,
        })
    }

    /// For the legend's tooltip.
    pub fn help(&self) -> String {
        let header = &self.numbers.header;
        format!("pinned run: {}, seed {}\n{}", header.name, header.seed, self.numbers.folder.display())
    }
}

/// The parameters in which these differ, in the order of the table; paths are not told.
pub fn differing<'a>(
    specs: &'static [ParamSpec],
    all: impl Iterator<Item = &'a Params> + Clone,
) -> Vec<&'static ParamSpec> {
    let differs = |spec: &&ParamSpec| {
        let mut values = all.clone().map(|params| params.get(spec.key));
        values.next().is_some_and(|first| values.any(|value| value != first))
    };
    specs.iter().filter(|spec| !spec.kind.is_path()).filter(differs).collect()
}

/// Numbers along a map, as the parameter is spaced; choices in colours of their own; runs that differ in nothing, too.
fn colors(runs: &[Arc<Numbers>], by: Option<&'static ParamSpec>, style: &Style) -> Vec<eframe::egui::Color32> {
    // Category 0 is grey, which is little seen.
    let own = |index: usize| style.category(index + 1).color;
    let Some(spec) = by else { return (0..runs.len()).map(own).collect() };
    let places: Vec<Option<f64>> = runs.iter().map(|run| place(spec, run.header.params.get(spec.key))).collect();
    let known = || places.iter().flatten().copied();
    let (low, high) = (known().fold(f64::INFINITY, f64::min), known().fold(f64::NEG_INFINITY, f64::max));
    let mut kinds: Vec<Option<Value>> = Vec::new();
    let color = |(run, place): (&Arc<Numbers>, &Option<f64>)| match place {
        // Neither end of the map, which a dark or a light background would swallow.
        Some(place) if high > low => ColorMap::Viridis.color(0.12 + 0.74 * ((place - low) / (high - low)) as f32),
        Some(_) => ColorMap::Viridis.color(0.5),
        None => {
            let value = run.header.params.get(spec.key).cloned();
            let at = kinds.iter().position(|kind| *kind == value).unwrap_or_else(|| {
                kinds.push(value);
                kinds.len() - 1
            });
            own(at)
        }
    };
    runs.iter().zip(&places).map(color).collect()
}

/// Where a number lies along its map; `None`: it is no number.
fn place(spec: &ParamSpec, value: Option<&Value>) -> Option<f64> {
    match (spec.kind, value?) {
        (ParamKind::Float { max, log: true, .. }, Value::Float(value)) => Some(value.max(1e-9 * max).log10()),
        (ParamKind::Float { .. }, Value::Float(value)) => Some(*value),
        (ParamKind::Int { .. }, Value::Int(value)) => Some(*value as f64),
        _ => None,
    }
}

/// What tells each from the others.
fn names(runs: &[Arc<Numbers>], differ: &[&'static ParamSpec], by: Option<&'static ParamSpec>) -> Vec<String> {
    /// Parameters that are named.
    const NAMED: usize = 3;
    let rest = differ.iter().copied().filter(|spec| by.is_none_or(|by| by.key != spec.key));
    let told: Vec<&ParamSpec> = by.into_iter().chain(rest).take(NAMED).collect();
    let value = |run: &Numbers, spec: &ParamSpec| {
        let text = run.header.params.get(spec.key).map_or_else(|| "—".to_owned(), value_text);
        format!("{} {text}", spec.label)
    };
    let plain = |run: &Arc<Numbers>| {
        let parts: Vec<String> = told.iter().map(|spec| value(run, spec)).collect();
        if parts.is_empty() { run.header.name.clone() } else { parts.join(", ") }
    };
    let mut names: Vec<String> = runs.iter().map(plain).collect();
    let twice = |names: &[String], name: &str| names.iter().filter(|other| *other == name).count() > 1;
    let before = names.clone();
    for (name, run) in names.iter_mut().zip(runs) {
        if twice(&before, name) {
            *name += &format!(", seed {}", run.header.seed);
        }
    }
    let before = names.clone();
    for (at, name) in names.iter_mut().enumerate() {
        if twice(&before, name) {
            *name += &format!(" ({})", before[..at].iter().filter(|other| *other == name).count() + 1);
        }
    }
    names
}

/// A value in few signs.
pub fn value_text(value: &Value) -> String {
    match value {
        Value::Float(value) => number::exact(*value),
        value => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::event::RunHeader;
    use crate::engine::numbers::Stand;
    use crate::engine::table::live;

    static SPECS: &[ParamSpec] = &[
        live("", "rate", "rate").log(0.1, [0.0, 10.0]).row(),
        live("", "average", "average").switch(false).row(),
        live("", "width", "width").int(8, [1, 64]).row(),
    ];

    fn run(set: &[&str], seed: u64) -> Arc<Numbers> {
        let mut params = Params::defaults(SPECS);
        set.iter().for_each(|text| params.set_text(SPECS, text).unwrap());
        let header = RunHeader { name: "mine".into(), seed, params, ..RunHeader::default() };
        let curves = [("loss".to_owned(), vec![[0.0, 1.0], [5.0, 0.5]].into())].into();
        Arc::new(Numbers {
            folder: "run".into(),
            header,
            curves,
            last: [("loss".to_owned(), 0.5)].into(),
            left_out: 0,
            stand: Stand::default(),
        })
    }

    #[test]
    fn runs_are_named_by_what_they_differ_in_and_coloured_along_it() {
        let style = Style::dark();
        let runs = vec![run(&["rate=0.01"], 1), run(&["rate=0.1"], 1), run(&["rate=1"], 1), run(&["rate=1"], 2)];
        let pinned = Pinned::of(SPECS, runs, "", &style);
        let names: Vec<&str> = pinned.runs.iter().map(|run| &*run.name).collect();
        assert_eq!(names, ["rate 0.01", "rate 0.1", "rate 1, seed 1", "rate 1, seed 2"]);
        assert_eq!(pinned.by.map(|spec| spec.key), Some("rate"));
        let color = |share: f32| ColorMap::Viridis.color(0.12 + 0.74 * share);
        assert_eq!(pinned.runs.iter().map(|run| run.color).collect::<Vec<_>>(), [0.0, 0.5, 1.0, 1.0].map(color));
        let curve = pinned.runs[0].curve("loss", "loss", Dash::Dotted).unwrap();
        assert_eq!((curve.len, (curve.point)(1), curve.category.dash), (2, [5.0, 0.5], Dash::Dotted));
        assert!(pinned.runs[0].curve("other", "other", Dash::Solid).is_none());
    }

    #[test]
    fn choices_have_colours_of_their_own_and_equal_runs_too() {
        let style = Style::light();
        let by = vec![run(&["average=on"], 1), run(&["average=off", "rate=2"], 1), run(&["average=on"], 1)];
        let pinned = Pinned::of(SPECS, by, "average", &style);
        let colors: Vec<_> = pinned.runs.iter().map(|run| run.color).collect();
        assert!(colors[0] == colors[2] && colors[0] != colors[1]);
        assert_eq!(pinned.runs[2].name, "average on, rate 0.1, seed 1 (2)", "no two have one name");
        let same = Pinned::of(SPECS, vec![run(&[], 1), run(&[], 2)], "", &style);
        assert!(same.by.is_none() && same.runs[0].color != same.runs[1].color);
        assert_eq!(same.runs[1].name, "mine, seed 2");
    }
}
