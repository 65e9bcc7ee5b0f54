//! The article's figures as studies. Its numbers are not printed anywhere: they were read from the figures' pixels, and
//! stand in a row only where a figure shows them.

use super::PATH_COLUMNS;
use crate::engine::state::{Rows, RunState};
use crate::engine::study::{Measure, NO_NUMBERS, StudyRow, StudySpec, row};
use crate::engine::study_cost::EVEN;
use crate::engine::study_figure::{Figure, Mark, Panel};
use crate::engine::sweep::{SweepSpec, sweep_of};

/// Every study of the lab.
pub static STUDIES: &[StudySpec] = &[SADDLE_RACE, MOMENTUM_NAG, VANISHING_GRADIENT, LEARNING_RATES];

/// What a sweep measures: on a surface the lowest f that any optimizer ends at, of a network its best optimizer.
pub static SWEEP: SweepSpec = SweepSpec {
    study: sweep_of(
        &[
            Measure { title: "lowest f at the end", unit: "", of: |run, _| lowest_end(run) },
            Measure { title: "best test accuracy at the end", unit: "%", of: |run, _| best_accuracy(run) },
            Measure {
                title: "lowest test loss at the end",
                unit: "nats",
                of: |run, _| family(run, "loss/test/", f64::min),
            },
        ],
        &EVEN,
    ),
    died: None,
    theory: None,
};

/// f where the best of the optimizers ends.
fn lowest_end(run: &RunState) -> Option<f64> {
    let index = PATH_COLUMNS.iter().position(|column| *column == "f")?;
    let paths = run.tables.iter().filter(|(key, _)| key.starts_with("path/"));
    let ends = paths.filter_map(|(_, rows)| Some(rows.row(rows.len().checked_sub(1)?)?[index]));
    ends.filter(|f| f.is_finite()).reduce(f64::min)
}

fn best_accuracy(run: &RunState) -> Option<f64> {
    family(run, "accuracy/test/", f64::max).map(|share| 100.0 * share)
}

/// The smallest or largest last value of a family of scalars.
fn family(run: &RunState, prefix: &str, of: fn(f64, f64) -> f64) -> Option<f64> {
    let lasts = run.scalars.iter().filter(|(key, _)| key.starts_with(prefix)).filter_map(|(_, history)| history.last());
    lasts.map(|(_, value)| value).filter(|value| value.is_finite()).reduce(of)
}

/// Every optimizer off: each row of a study turns on the one it is about.
macro_rules! common {
    ($($key:literal = $value:literal),* $(,)?) => {
        &[
            ("use_sgd", "off"),
            ("use_momentum", "off"),
            ("use_nag", "off"),
            ("use_adagrad", "off"),
            ("use_rmsprop", "off"),
            ("use_adadelta", "off"),
            ("use_adam", "off"),
            $(($key, $value)),*
        ]
    };
}

const SADDLE_RACE: StudySpec = StudySpec {
    id: "saddle-race",
    title: "Who leaves the symmetry line first?",
    source: "Medina, “DL Notes: Advanced Gradient Descent”, saddle animation (f = x² − y², η = 0.01). The animation prints \
             no numbers.",
    about: "All start at (0.5, 10⁻¹⁰), almost on the line from which x² − y² looks like a bowl. RMSProp, AdaDelta and Adam \
            divide by the size of the slope and are gone after some 75 updates; Momentum and NAG need about 200, SGD over \
            a thousand. AdaGrad moves off the line at once, but its rate decays as it goes: in the end even SGD overtakes \
            it. Which μ the animation uses could not be read from it: the article's captions say 0.95, its curves of y \
            against iteration fit 0.9.",
    common: common![
        "surface" = "saddle",
        "start_x" = "0.5",
        "start_y" = "1e-10",
        "learning_rate" = "0.01",
        "steps" = "1500"
    ],
    rows: &[
        row("SGD", &[("use_sgd", "on")], &[]),
        row("Momentum, μ = 0.9", &[("use_momentum", "on"), ("momentum", "0.9")], &[]),
        row("Momentum, μ = 0.95", &[("use_momentum", "on"), ("momentum", "0.95")], &[]),
        row("NAG, μ = 0.9", &[("use_nag", "on"), ("momentum", "0.9")], &[]),
        row("NAG, μ = 0.95", &[("use_nag", "on"), ("momentum", "0.95")], &[]),
        row("AdaGrad", &[("use_adagrad", "on")], &[]),
        row("RMSProp", &[("use_rmsprop", "on")], &[]),
        row("AdaDelta", &[("use_adadelta", "on")], &[]),
        row("Adam", &[("use_adam", "on")], &[]),
    ],
    measures: &[
        Measure { title: "first |y| > 0.01", unit: "updates", of: |run, _| first_beyond(run, 0.01) },
        Measure { title: "first |y| > 0.5", unit: "updates", of: |run, _| first_beyond(run, 0.5) },
        Measure { title: "first |y| > 1", unit: "updates", of: |run, _| first_beyond(run, 1.0) },
    ],
    seeded: false,
    reading: NO_NUMBERS,
    cost: &EVEN,
    figure: Some(&SADDLE_RACE_FIGURE),
    beside: None,
    own_data: &[],
};

const MOMENTUM_NAG: StudySpec = StudySpec {
    id: "momentum-nag",
    title: "Momentum against NAG on the quartic",
    source: "Medina, “DL Notes: Advanced Gradient Descent”, contour figure (f = x⁴ + 2x³ + y² − 1, start (1, −0.5), \
             μ = 0.95); positions read from its pixels, ±0.01.",
    about: "Both overshoot the minimum at x = −1.5. NAG's gradient, taken one look ahead, turns it back sooner. η = 0.01 is \
            what fits the figure, which does not print it; nor does it tell the number of updates (200 here).",
    common: common![
        "surface" = "article_quartic",
        "start_x" = "1",
        "start_y" = "-0.5",
        "learning_rate" = "0.01",
        "momentum" = "0.95",
        "steps" = "200"
    ],
    rows: &[
        row("Momentum", &[("use_momentum", "on")], &[Some(-2.02), Some(0.29)]),
        row("NAG", &[("use_nag", "on")], &[Some(-1.82)]),
    ],
    measures: &[
        Measure { title: "leftmost x", unit: "", of: |run, _| extreme(run, "x", f64::min) },
        Measure { title: "highest y", unit: "", of: |run, _| extreme(run, "y", f64::max) },
        Measure { title: "f at the end", unit: "", of: |run, _| last(run, "f") },
    ],
    seeded: false,
    reading: "read off the contour figure’s pixels, ±0.01; it prints no numbers.",
    cost: &EVEN,
    figure: Some(&MOMENTUM_NAG_FIGURE),
    beside: None,
    own_data: &[],
};

const VANISHING_GRADIENT: StudySpec = StudySpec {
    id: "vanishing-gradient",
    title: "Past the shelf where the gradient vanishes",
    source: "Medina, “DL Notes: Advanced Gradient Descent”, animation of 190 frames on x⁴ + 2x³ + y² − 1; last positions \
             read from its pixels.",
    about: "From (1, −0.8) with η = 0.01, after 199 updates. Momentum and NAG roll over the flat shelf at (0, 0) into the \
            minimum at (−1.5, 0). The others stop on it or have not arrived: the shelf is no local minimum, as the article \
            has it, but its gradient is almost zero.",
    common: common![
        "surface" = "article_quartic",
        "start_x" = "1",
        "start_y" = "-0.8",
        "learning_rate" = "0.01",
        "momentum" = "0.95",
        "steps" = "199"
    ],
    rows: &[
        row("SGD", &[("use_sgd", "on")], &[Some(0.067), Some(-0.016)]),
        row("Momentum", &[("use_momentum", "on")], &[]),
        row("NAG", &[("use_nag", "on")], &[Some(-1.496), Some(-0.004)]),
        row("AdaGrad", &[("use_adagrad", "on")], &[Some(0.761), Some(-0.553)]),
        row("RMSProp", &[("use_rmsprop", "on")], &[Some(0.003), Some(0.005)]),
        row("AdaDelta", &[("use_adadelta", "on")], &[Some(0.912), Some(-0.713)]),
        row("Adam", &[("use_adam", "on")], &[Some(0.201), Some(-0.002)]),
    ],
    measures: &[
        Measure { title: "x at the end", unit: "", of: |run, _| last(run, "x") },
        Measure { title: "y at the end", unit: "", of: |run, _| last(run, "y") },
        Measure { title: "f at the end", unit: "", of: |run, _| last(run, "f") },
    ],
    seeded: false,
    reading: "read off the animation’s last frame, ±0.01; it prints no numbers.",
    cost: &EVEN,
    figure: Some(&VANISHING_GRADIENT_FIGURE),
    beside: None,
    own_data: &[],
};

const LEARNING_RATES: StudySpec = StudySpec {
    id: "learning-rates",
    title: "x, y and z against iteration at three learning rates",
    source: "Medina, “DL Notes: Advanced Gradient Descent”, figure of x, y, z against iteration (f = x² − y², start \
             (0.5, 10⁻¹⁰), 500 rows); the iteration where a curve reaches y = 4 read from its pixels, which reads 0.3 to \
             1.3 too low on every curve.",
    about: "How long until the saddle is left for good? The caption says μ = 0.95, but the drawn curves are those of \
            μ = 0.9: both stand here beside the same reading. AdaDelta does not use η; its three rows are identical.",
    common: common!["surface" = "saddle", "start_x" = "0.5", "start_y" = "1e-10", "steps" = "499"],
    rows: &[
        row("η = 0.001: SGD", &[("use_sgd", "on"), ("learning_rate", "0.001")], &[]),
        row(
            "η = 0.001: Momentum, μ = 0.9 (fitted)",
            &[("use_momentum", "on"), ("learning_rate", "0.001"), ("momentum", "0.9")],
            &[],
        ),
        row(
            "η = 0.001: Momentum, μ = 0.95 (caption)",
            &[("use_momentum", "on"), ("learning_rate", "0.001"), ("momentum", "0.95")],
            &[],
        ),
        row(
            "η = 0.001: NAG, μ = 0.9 (fitted)",
            &[("use_nag", "on"), ("learning_rate", "0.001"), ("momentum", "0.9")],
            &[],
        ),
        row(
            "η = 0.001: NAG, μ = 0.95 (caption)",
            &[("use_nag", "on"), ("learning_rate", "0.001"), ("momentum", "0.95")],
            &[],
        ),
        row("η = 0.001: AdaGrad", &[("use_adagrad", "on"), ("learning_rate", "0.001")], &[]),
        row("η = 0.001: RMSProp", &[("use_rmsprop", "on"), ("learning_rate", "0.001")], &[]),
        row("η = 0.001: AdaDelta", &[("use_adadelta", "on"), ("learning_rate", "0.001")], &[Some(101.6)]),
        row("η = 0.001: Adam", &[("use_adam", "on"), ("learning_rate", "0.001")], &[]),
        row("η = 0.01: SGD", &[("use_sgd", "on"), ("learning_rate", "0.01")], &[]),
        row(
            "η = 0.01: Momentum, μ = 0.9 (fitted)",
            &[("use_momentum", "on"), ("learning_rate", "0.01"), ("momentum", "0.9")],
            &[Some(243.4)],
        ),
        row(
            "η = 0.01: Momentum, μ = 0.95 (caption)",
            &[("use_momentum", "on"), ("learning_rate", "0.01"), ("momentum", "0.95")],
            &[Some(243.4)],
        ),
        row(
            "η = 0.01: NAG, μ = 0.9 (fitted)",
            &[("use_nag", "on"), ("learning_rate", "0.01"), ("momentum", "0.9")],
            &[Some(229.3)],
        ),
        row(
            "η = 0.01: NAG, μ = 0.95 (caption)",
            &[("use_nag", "on"), ("learning_rate", "0.01"), ("momentum", "0.95")],
            &[Some(229.3)],
        ),
        row("η = 0.01: AdaGrad", &[("use_adagrad", "on"), ("learning_rate", "0.01")], &[]),
        row("η = 0.01: RMSProp", &[("use_rmsprop", "on"), ("learning_rate", "0.01")], &[Some(358.9)]),
        row("η = 0.01: AdaDelta", &[("use_adadelta", "on"), ("learning_rate", "0.01")], &[Some(101.6)]),
        row("η = 0.01: Adam", &[("use_adam", "on"), ("learning_rate", "0.01")], &[Some(257.4)]),
        row("η = 0.1: SGD", &[("use_sgd", "on"), ("learning_rate", "0.1")], &[Some(133.4)]),
        row(
            "η = 0.1: Momentum, μ = 0.9 (fitted)",
            &[("use_momentum", "on"), ("learning_rate", "0.1"), ("momentum", "0.9")],
            &[Some(60.6)],
        ),
        row(
            "η = 0.1: Momentum, μ = 0.95 (caption)",
            &[("use_momentum", "on"), ("learning_rate", "0.1"), ("momentum", "0.95")],
            &[Some(60.6)],
        ),
        row(
            "η = 0.1: NAG, μ = 0.9 (fitted)",
            &[("use_nag", "on"), ("learning_rate", "0.1"), ("momentum", "0.9")],
            &[Some(52.1)],
        ),
        row(
            "η = 0.1: NAG, μ = 0.95 (caption)",
            &[("use_nag", "on"), ("learning_rate", "0.1"), ("momentum", "0.95")],
            &[Some(52.1)],
        ),
        row("η = 0.1: AdaGrad", &[("use_adagrad", "on"), ("learning_rate", "0.1")], &[]),
        row("η = 0.1: RMSProp", &[("use_rmsprop", "on"), ("learning_rate", "0.1")], &[]),
        row("η = 0.1: AdaDelta", &[("use_adadelta", "on"), ("learning_rate", "0.1")], &[Some(101.6)]),
        row("η = 0.1: Adam", &[("use_adam", "on"), ("learning_rate", "0.1")], &[]),
    ],
    measures: &[
        Measure { title: "y reaches 4 at", unit: "iterations", of: |run, _| reaches(run, "y", 4.0) },
        Measure { title: "x at the end", unit: "", of: |run, _| last(run, "x") },
        Measure { title: "y at the end", unit: "", of: |run, _| last(run, "y") },
        Measure { title: "z at the end", unit: "", of: |run, _| last(run, "f") },
    ],
    seeded: false,
    reading: "read off the figure’s pixels, some 0.3 to 1.3 too low; it prints no numbers.",
    cost: &EVEN,
    figure: Some(&LEARNING_RATES_FIGURE),
    beside: None,
    own_data: &[],
};

/// Where the optimizers went, in the plane.
const fn plane(title: &'static str, window: [[f64; 2]; 2], marks: fn(&StudyRow) -> Vec<Mark>) -> Panel {
    let curve = |run: &RunState| points(run, |_, x, y| [x, y]);
    Panel { title, x: "x", y: "y", log: false, window: Some(window), band: false, shows: |_| true, curve, marks }
}

/// |y| against the update, on a logarithmic axis: which curve leaves the line y = 0, and when.
static SADDLE_RACE_FIGURE: Figure = Figure {
    gallery: None,
    parallel: None,
    panels: &[Panel {
        title: "Distance from the symmetry line",
        x: "update",
        y: "|y|",
        log: true,
        window: Some([[0.0, 1500.0], [1e-11, 10.0]]),
        band: false,
        shows: |_| true,
        curve: |run| points(run, |k, _, y| [k, y.abs()]),
        marks: |_| Vec::new(),
    }],
};

static MOMENTUM_NAG_FIGURE: Figure = Figure {
    gallery: None,
    parallel: None,
    panels: &[plane("Paths on the quartic", [[-2.5, 1.5], [-2.0, 2.0]], |row| {
        let [leftmost, highest] = [0, 1].map(|k| row.paper.get(k).copied().flatten());
        leftmost.map(Mark::X).into_iter().chain(highest.map(Mark::Y)).collect()
    })],
};

static VANISHING_GRADIENT_FIGURE: Figure = Figure {
    gallery: None,
    parallel: None,
    panels: &[plane("Paths over the shelf at (0, 0)", [[-2.0, 1.2], [-1.0, 1.0]], |row| match row.paper {
        [Some(x), Some(y), ..] => vec![Mark::Point(*x, *y)],
        _ => Vec::new(),
    })],
};

/// The article's figure: x, y and z against the iteration, at each of the three rates.
static LEARNING_RATES_FIGURE: Figure = Figure {
    gallery: None,
    parallel: None,
    panels: &[
        rate("y at η = 0.001", at_thousandth, Y),
        rate("y at η = 0.01", at_hundredth, Y),
        rate("y at η = 0.1", at_tenth, Y),
        rate("x at η = 0.001", at_thousandth, X),
        rate("x at η = 0.01", at_hundredth, X),
        rate("x at η = 0.1", at_tenth, X),
        rate("z at η = 0.001", at_thousandth, Z),
        rate("z at η = 0.01", at_hundredth, Z),
        rate("z at η = 0.1", at_tenth, Z),
    ],
};

/// What a panel shows of a path: name, range, curve, the article's readings.
type Coordinate = (&'static str, [f64; 2], fn(&RunState) -> Vec<[f64; 2]>, fn(&StudyRow) -> Vec<Mark>);

const X: Coordinate = ("x", [-0.1, 0.6], |run| points(run, |k, x, _| [k, x]), |_| Vec::new());
const Y: Coordinate = (
    "y",
    [-0.2, 4.5],
    |run| points(run, |k, _, y| [k, y]),
    |row| row.paper.first().copied().flatten().map(|k| Mark::Point(k, 4.0)).into_iter().collect(),
);
const Z: Coordinate = ("z", [-4.5, 0.5], |run| points(run, |k, x, y| [k, x * x - y * y]), |_| Vec::new());

fn at_thousandth(row: &StudyRow) -> bool {
    row.label.starts_with("η = 0.001:")
}

fn at_hundredth(row: &StudyRow) -> bool {
    row.label.starts_with("η = 0.01:")
}

fn at_tenth(row: &StudyRow) -> bool {
    row.label.starts_with("η = 0.1:")
}

const fn rate(title: &'static str, shows: fn(&StudyRow) -> bool, (y, range, curve, marks): Coordinate) -> Panel {
    Panel {
        title,
        x: "iteration",
        y,
        log: false,
        window: Some([[0.0, 500.0], range]),
        band: false,
        shows,
        curve,
        marks,
    }
}

/// The path of a run as points made of row number, x and y.
fn points(run: &RunState, of: fn(f64, f64, f64) -> [f64; 2]) -> Vec<[f64; 2]> {
    let (Some(x), Some(y)) = (column(run, "x"), column(run, "y")) else { return Vec::new() };
    x.zip(y).enumerate().map(|(k, (x, y))| of(k as f64, x, y)).collect()
}

/// The path of a run with one optimizer.
fn path(run: &RunState) -> Option<&Rows> {
    run.tables.iter().find(|(key, _)| key.starts_with("path/")).map(|(_, rows)| rows)
}

/// One column of the path, row 0 first.
fn column(run: &RunState, name: &str) -> Option<impl Iterator<Item = f64>> {
    let index = PATH_COLUMNS.iter().position(|column| *column == name)?;
    let rows = path(run)?;
    Some((0..rows.len()).filter_map(move |k| rows.row(k)).map(move |row| row[index]))
}

/// The first row with |y| above the bound.
fn first_beyond(run: &RunState, bound: f64) -> Option<f64> {
    column(run, "y")?.position(|y| y.abs() > bound).map(|k| k as f64)
}

/// Where a column first reaches a level from below, linearly between two rows.
fn reaches(run: &RunState, name: &str, level: f64) -> Option<f64> {
    let mut last = None;
    for (k, value) in column(run, name)?.enumerate() {
        if value >= level {
            return Some(last.map_or(0.0, |last| k as f64 - (value - level) / (value - last)));
        }
        last = Some(value);
    }
    None
}

/// The smallest or largest value of a column.
fn extreme(run: &RunState, name: &str, of: fn(f64, f64) -> f64) -> Option<f64> {
    column(run, name)?.reduce(of)
}

/// The last value of a column; `None` where the optimizer has diverged.
fn last(run: &RunState, name: &str) -> Option<f64> {
    column(run, name)?.last().filter(|value| value.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::params::Params;
    use crate::labs::optimizers::params::{PARAMS, STEPS};
    use crate::labs::optimizers::surface_run;

    /// A row's measures, by running it.
    fn measure(study: &StudySpec, row: &StudyRow) -> Vec<Option<f64>> {
        let mut params = Params::defaults(PARAMS);
        for (key, value) in study.common.iter().chain(row.set) {
            params.set_text(PARAMS, &format!("{key}={value}")).unwrap();
        }
        let paths = surface_run::paths(&params, &[], STEPS.of(&params) as u64).unwrap();
        assert_eq!(paths.len(), 1, "{}: one optimizer", row.label);
        let mut run = RunState::default();
        for (rule, data) in paths {
            run.tables.insert(format!("path/{}", rule.id()).into(), Rows { columns: PATH_COLUMNS.len(), data });
        }
        study.measures.iter().map(|measure| (measure.of)(&run, row)).collect()
    }

    fn found(study: &StudySpec, label: &str) -> Vec<Option<f64>> {
        let row = study.rows.iter().find(|row| row.label == label);
        measure(study, row.unwrap_or_else(|| panic!("{label}")))
    }

    #[track_caller]
    fn assert_near(found: Option<f64>, expected: f64, tolerance: f64) {
        assert!(found.is_some_and(|found| (found - expected).abs() <= tolerance), "{found:?}, expected {expected}");
    }

    #[test]
    fn every_row_runs_and_stays_near_what_was_read_from_the_figure() {
        for study in STUDIES {
            for row in study.rows {
                assert!(row.paper.len() <= study.measures.len(), "{}: {}", study.id, row.label);
                // The caption's coefficient is the one that does NOT fit.
                if study.id == "learning-rates" && row.label.contains("caption") {
                    continue;
                }
                let tolerance = if study.id == "learning-rates" { 1.4 } else { 0.011 };
                for (ours, paper) in measure(study, row).into_iter().zip(row.paper) {
                    if let Some(paper) = paper {
                        assert_near(ours, *paper, tolerance);
                    }
                }
            }
        }
    }

    #[test]
    fn the_fitted_coefficient_fits_and_the_captions_does_not() {
        for (label, expected) in [
            ("η = 0.01: Momentum, μ = 0.9 (fitted)", 243.7),
            ("η = 0.01: Momentum, μ = 0.95 (caption)", 207.8),
            ("η = 0.01: NAG, μ = 0.9 (fitted)", 230.2),
            ("η = 0.01: NAG, μ = 0.95 (caption)", 195.5),
            ("η = 0.1: Momentum, μ = 0.9 (fitted)", 61.2),
            ("η = 0.1: Momentum, μ = 0.95 (caption)", 58.5),
            ("η = 0.1: NAG, μ = 0.9 (fitted)", 52.5),
            ("η = 0.1: NAG, μ = 0.95 (caption)", 50.1),
            ("η = 0.1: SGD", 133.9),
            ("η = 0.01: Adam", 258.2),
            ("η = 0.01: RMSProp", 359.9),
            ("η = 0.1: AdaDelta", 102.3),
        ] {
            assert_near(found(&LEARNING_RATES, label)[0], expected, 0.051);
        }
        for eta in ["0.001", "0.01", "0.1"] {
            assert_near(found(&LEARNING_RATES, &format!("η = {eta}: AdaDelta"))[1], 0.2544, 5e-5);
        }
        assert_eq!(found(&LEARNING_RATES, "η = 0.001: SGD")[0], None, "not within 500 rows");
    }

    #[test]
    fn the_shelf_holds_the_rules_that_the_figure_shows_on_it() {
        for (label, x, y) in [
            ("AdaGrad", 0.763, -0.550),
            ("AdaDelta", 0.915, -0.712),
            ("Adam", 0.203, -0.001),
            ("SGD", 0.069, -0.014),
            ("NAG", -1.500, 0.001),
            ("RMSProp", 0.004, 0.010),
        ] {
            let measured = found(&VANISHING_GRADIENT, label);
            assert_near(measured[0], x, 6e-4);
            assert_near(measured[1], y, 6e-4);
        }
    }

    #[test]
    fn nag_overshoots_less_than_momentum() {
        let (momentum, nag) = (found(&MOMENTUM_NAG, "Momentum"), found(&MOMENTUM_NAG, "NAG"));
        assert_near(momentum[0], -2.012, 6e-4);
        assert_near(momentum[1], 0.283, 6e-4);
        assert_near(nag[0], -1.814, 6e-4);
    }

    #[test]
    fn the_race_off_the_saddle_ends_as_its_text_says() {
        for (label, expected) in
            [("Adam", 78.0), ("RMSProp", 73.0), ("AdaGrad", 1264.0), ("AdaDelta", 75.0), ("SGD", 1163.0)]
        {
            assert_eq!(found(&SADDLE_RACE, label)[2], Some(expected), "{label}");
        }
        let off_the_line = |label: &str| found(&SADDLE_RACE, label)[0];
        for label in ["SGD", "Momentum, μ = 0.95", "NAG, μ = 0.95", "RMSProp", "AdaDelta", "Adam"] {
            assert!(off_the_line("AdaGrad") <= off_the_line(label), "{label}");
        }
    }
}
