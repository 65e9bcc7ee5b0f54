//! The fan chart: the same run many times with other noise, as quantiles of f against the step.

use std::sync::Arc;

use eframe::egui::{Rect, Ui, UiBuilder};
use rayon::prelude::*;

use crate::engine::event::Change;
use crate::engine::params::{Params, Value};
use crate::kit::fields::Fields;
use crate::kit::tiles::{Tile, TileCommand, TileSpec};
use crate::kit::view::ViewCtx;
use crate::kit::{empty, series};
use crate::labs::optimizers::params::{GRADIENT_NOISE, MINI_BATCHES};
use crate::labs::optimizers::rules::Rule;
use crate::labs::optimizers::surface_run;
use crate::labs::optimizers::surfaces::Surface;
use crate::labs::optimizers::theory::curvature::{Eigen, Shape};
use crate::labs::optimizers::theory::fan::{Fan, SHARES, kept_steps};
use crate::labs::optimizers::theory::momentum::Rates;
use crate::labs::optimizers::view::curves::{linear_limits, lowest};
use crate::labs::optimizers::view::paths::{self, Path};
use crate::labs::optimizers::view::{OptimizersView, controls, field};
use crate::plot::axes::Titles;
use crate::plot::background::Long;
use crate::plot::curve::{Curve, CurveState, Mark, Plot};
use crate::plot::scale::Scale;
use crate::plot::style::{Category, Dash, Style};
use crate::plot::{legend, number};
use crate::watch::Watch;

use super::KNOWN;

/// The tile.
pub static TILE: Tile<OptimizersView> = Tile {
    spec: TileSpec {
        id: "fan",
        title: "Fan chart",
        help: "The same run many times with other noise on the gradients: the median of f against the step (line), and \
               where half and nine tenths of the runs are (bands). Set the noise in the form.",
        area: "against the step",
        follows_cursor: true,
    },
    show: |view, ui, ctx| self::ui(view, ui, ctx),
    commands: &[
        TileCommand {
            id: "fan-runs",
            title: "Fan chart: another number of runs",
            run: |view, _, _| view.theory.fan.next_count(),
        },
        TileCommand {
            id: "fan-bands",
            title: "Fan chart: bands of every optimizer or of the selected one",
            run: |view, _, _| view.theory.fan.all_bands = !view.theory.fan.all_bands,
        },
        TileCommand {
            id: "fan-log",
            title: "Fan chart: logarithmic f on or off",
            run: |view, _, _| view.theory.fan.linear = !view.theory.fan.linear,
        },
        TileCommand {
            id: "fan-cancel",
            title: "Fan chart: cancel the computation",
            run: |view, _, _| view.theory.fan.fans.cancel(),
        },
        TileCommand {
            id: "fan-again",
            title: "Fan chart: compute again after cancelling",
            run: |view, _, _| view.theory.fan.fans.again(),
        },
        TileCommand {
            id: "fan-noise",
            title: "Fan chart: add noise to the gradients",
            run: |_, ctx, _| add_noise(ctx),
        },
        TileCommand {
            id: "fan-fit",
            title: "Fan chart: show the whole run",
            run: |view, _, _| view.theory.fan.plot.fit(),
        },
    ],
};

/// Numbers of runs to choose from.
const COUNTS: [u32; 4] = [30, 100, 300, 1000];
/// Most steps at which quantiles are taken.
const KEPT: u64 = 500;

/// What a fan depends on.
#[derive(Debug, Clone, PartialEq)]
struct Request {
    params: Params,
    changes: Vec<Change>,
    steps: u64,
    seed: u64,
    runs: u32,
}

/// The fans of every optimizer that takes part, at the same steps.
#[derive(Debug)]
struct Fans {
    kept: Vec<u64>,
    of: Vec<(Rule, Fan)>,
}

/// View state of the tile.
#[derive(Debug, Default)]
pub struct FanTile {
    plot: CurveState,
    /// Index into [`COUNTS`], counted from the second.
    count: usize,
    all_bands: bool,
    linear: bool,
    fans: Long<Request, Arc<Fans>>,
    /// Counts results, so that the plot knows one from another.
    made: u64,
}

impl FanTile {
    /// What of it belongs to a scene.
    pub fn fields(&mut self, fields: &mut Fields) {
        fields.value("count", &mut self.count, 0);
        self.count %= COUNTS.len();
        fields.value("bands", &mut self.all_bands, false);
        fields.value("linear", &mut self.linear, false);
        fields.zoom("zoom", self.plot.zoom());
    }

    fn runs(&self) -> u32 {
        COUNTS[(self.count + 1) % COUNTS.len()]
    }

    fn next_count(&mut self) {
        self.count = (self.count + 1) % COUNTS.len();
    }
}

/// Runs everything: each optimizer as often as asked for, all with the same noise in the same repetition. `None` where it
/// was stopped.
fn fans(request: &Request, watch: Watch<'_>) -> Option<Fans> {
    let Request { params, changes, steps, seed, runs } = request;
    let (kept, noise) = (kept_steps(*steps, KEPT), surface_run::noise(params, *seed));
    let rules: Vec<Rule> = surface_run::enabled(params).collect();
    let count = watch.counter(1, *runs as usize);
    let one = |member: u32| -> Option<Vec<Vec<f64>>> {
        let noise = noise.member(member);
        let values = |rule: &Rule| surface_run::values(*rule, params, changes, &kept, &noise, || !watch.cancelled());
        let found = rules.iter().map(values).collect();
        count(1);
        found
    };
    let all: Vec<Vec<Vec<f64>>> = (0..*runs).into_par_iter().map(one).collect::<Option<_>>()?;
    let fan = |index: usize| {
        let runs: Vec<Vec<f64>> = all.iter().map(|run| run[index].clone()).collect();
        (rules[index], Fan::of(&runs))
    };
    let of = (0..rules.len()).map(fan).collect();
    Some(Fans { kept, of })
}

/// How far above the lowest value theory sees a rule in the long run, on average: on quadratic bowls, for the rules that it
/// knows, with η and μ as they are at the end of the run.
fn noise_floor(rule: Rule, deviation: f64, ctx: &ViewCtx<'_>) -> Option<f64> {
    if MINI_BATCHES.get(paths::params(ctx)).unwrap_or_default() {
        // Batches of an epoch make up for each other: their noise is not independent.
        return None;
    }
    let &(_, method, share) = KNOWN.iter().find(|(known, ..)| *known == rule)?;
    let quadratic = super::whole(ctx)?;
    let eigen = Eigen::of(quadratic.hessian).filter(|eigen| eigen.shape() == Shape::Bowl)?;
    let hyper = paths::hyper_at(ctx, u64::MAX).own(rule);
    let (eta, mu) = (hyper.learning_rate, share * hyper.momentum);
    let floor = Rates::new(method, &eigen, eta, mu).noise_floor(&eigen, eta, deviation);
    floor.is_finite().then_some(floor)
}

/// Sets σ to a tenth of the slope at the start, or with mini-batches of the window's shorter side, in one figure.
fn add_noise(ctx: &mut ViewCtx<'_>) {
    let surface = paths::surface(ctx);
    let [x, y] = surface.gradient(field::start(ctx));
    let [width, height] = surface.domain.map(|[low, high]| high - low);
    let batches = MINI_BATCHES.get(ctx.params).unwrap_or_default();
    let tenth = 0.1 * if batches { width.min(height) } else { x.hypot(y) };
    let unit = 10f64.powf(tenth.log10().floor());
    let rounded = if unit.is_normal() { number::parse(&number::exact((tenth / unit).round() * unit)) } else { Ok(0.1) };
    ctx.set(GRADIENT_NOISE.key(), Value::Float(rounded.unwrap_or(0.1).clamp(1e-6, 1000.0)), true);
}

/// Draws the tile.
fn ui(view: &mut OptimizersView, ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
    let all = Path::all(ctx.run);
    let Some(header) = ctx.run.header.as_ref().filter(|_| !all.is_empty()) else {
        return controls::nothing_yet(ui, ctx);
    };
    let size = controls::font_size(ctx);
    let state = &mut view.theory.fan;
    let request = Request {
        params: header.params.clone(),
        changes: ctx.run.changes.clone(),
        steps: header.steps,
        seed: header.seed,
        runs: state.runs(),
    };
    let compute = |request: &Request, watch: Watch<'_>| {
        fans(request, watch).map(Arc::new).ok_or_else(|| "The computation was stopped.".to_owned())
    };
    if state.fans.follow("fan", ui.ctx(), &request, compute) {
        state.made += 1;
    }
    let deviation = GRADIENT_NOISE.get(&header.params).unwrap_or_default();
    let (bar, rest) = controls::split(ui, size);
    let slow = state.fans.progress();
    let runs = number::counted(u64::from(request.runs), "run", "runs");
    let shown = state.fans.newest().and_then(|(_, fans)| fans.of.iter().find(|(rule, _)| *rule == view.selected));
    let floor = if deviation > 0.0 { noise_floor(view.selected, deviation, ctx) } else { None };
    let text = match (slow, shown) {
        (Some((done, whole)), _) => format!("computing: {done} of {whole} runs"),
        _ if deviation == 0.0 => format!("{runs} without noise: all the same"),
        (None, Some((rule, fan))) if fan.lost > 0 => {
            format!("{runs}, σ {}: {} of {}’s diverge", number::exact(deviation), fan.lost, rule.title())
        }
        (None, Some((_, fan))) => {
            let base = lowest(&paths::surface(ctx)).unwrap_or(0.0);
            let beside = floor.map_or_else(String::new, |floor| {
                let measured = number::short(fan.settled() - base);
                format!(
                    "; mean f − f*: theory {} in the long run, measured {measured} in the second half",
                    number::short(floor)
                )
            });
            format!("{runs}, σ {}: median, 25–75 %, 5–95 %{beside}", number::exact(deviation))
        }
        _ => format!("{runs}, σ {}: median, 25–75 %, 5–95 %", number::exact(deviation)),
    };
    let mut noise = false;
    controls::bar(ui, bar, controls::weak(text, size, ctx.style), |ui| {
        if slow.is_some() && controls::button(ui, true, "cancel", "Stop computing the fan", size) {
            state.fans.cancel();
        }
        if controls::toggle(ui, !state.linear, "log", "Logarithmic axis", size) {
            state.linear = !state.linear;
        }
        if controls::toggle(
            ui,
            state.all_bands,
            "all bands",
            "Bands of every optimizer, not of the selected one alone",
            size,
        ) {
            state.all_bands = !state.all_bands;
        }
        if controls::button(ui, true, &runs, "How many runs: click for another number", size) {
            state.next_count();
        }
        if deviation == 0.0
            && controls::button(
                ui,
                true,
                "add noise",
                "Set σ to a tenth of the slope at the start, or of the window",
                size,
            )
        {
            noise = true;
        }
    });
    if noise {
        add_noise(ctx);
    }
    if let Some(why) = state.fans.stopped(&request).map(str::to_owned) {
        let mut again = false;
        ui.scope_builder(UiBuilder::new().max_rect(rest), |ui| {
            if controls::button(ui, true, "compute again", "Compute the fan after all", size) {
                again = true;
            }
            empty::message(ui, ctx, "No fan", &why);
        });
        if again {
            state.fans.again();
        }
        return;
    }
    let Some((_, fans)) = state.fans.newest().cloned() else {
        ui.scope_builder(UiBuilder::new().max_rect(rest), |ui| {
            empty::message(ui, ctx, "Computing", &format!("{runs} of every optimizer."));
        });
        return;
    };
    let entries = controls::legend_entries(&all, view.selected, ctx.style);
    let mut foot = legend::height(ui, &entries, rest.width(), size);
    if foot > 0.34 * rest.height() {
        foot = 0.0;
    }
    let asked = draw(state, &fans, (view.selected, floor), rest.with_max_y(rest.bottom() - foot), ui, ctx);
    series::seek(ctx, asked);
    if foot > 0.0 {
        let place = Rect::from_min_max(rest.left_bottom() - eframe::egui::vec2(0.0, foot), rest.max);
        if let Some(index) = legend::show(ui, place, &entries, ctx.style, size) {
            view.selected = all[index].rule;
        }
    }
}

/// Scale and limits of f.
fn scale(surface: &Surface, linear: bool) -> (Scale, [f64; 2], &'static str) {
    let limits = linear_limits(surface);
    let (low, high) = (*limits.start(), *limits.end());
    match lowest(surface) {
        _ if linear => (Scale::Linear, [low - 0.1 * (high - low), high + 0.5 * (high - low)], "f"),
        Some(base) => {
            let unit = if base == 0.0 { "f (log)" } else { "f − f* (log)" };
            (Scale::Log { base }, [base + 1e-16 * (1.0 + base.abs()), base + 100.0 * (high - base).abs()], unit)
        }
        None => (Scale::SymLog { unit: 0.01 }, [-1e9, 1e9], "f (symmetric log)"),
    }
}

/// The lines of one fan with these indices in [`SHARES`]; `identity` is that of the first, further ones count on.
pub fn lines<'a>(
    (rule, fan): (Rule, &'a Fan),
    kept: &'a [u64],
    shown: &'a [usize],
    (identity, heavy): (u64, bool),
    [low, high]: [f64; 2],
    style: &Style,
) -> impl Iterator<Item = Curve<'a>> {
    let category = style.category(rule.index());
    shown.iter().map(move |&line| {
        let (values, middle) = (&fan.lines[line], line == 2);
        let share = number::compact(100.0 * SHARES[line]);
        Curve {
            name: if middle { format!("{}, median", rule.title()) } else { format!("{}, {share} %", rule.title()) }
                .into(),
            category: if middle {
                category
            } else {
                Category { color: category.color.gamma_multiply(0.45), dash: Dash::Solid }
            },
            width: match (middle, heavy) {
                (false, _) => 0.5,
                (true, true) => 1.55,
                (true, false) => 1.0,
            },
            identity: identity + line as u64,
            len: kept.len().min(values.len()),
            // What is beyond the picture is drawn at its border: a band needs both of its edges.
            point: Box::new(move |i| [kept[i] as f64, values[i].clamp(low, high)]),
            held: None,
        }
    })
}

fn draw(
    state: &mut FanTile,
    fans: &Fans,
    (selected, floor): (Rule, Option<f64>),
    place: Rect,
    ui: &Ui,
    ctx: &ViewCtx<'_>,
) -> Option<u64> {
    let style = ctx.style;
    let (scale, [low, high], unit) = scale(&paths::surface(ctx), state.linear);
    let (mut curves, mut fills) = (Vec::new(), Vec::new());
    // The selected one last, on top.
    let mut order: Vec<&(Rule, Fan)> = fans.of.iter().collect();
    order.sort_by_key(|(rule, _)| *rule == selected);
    for (rule, fan) in order {
        let banded = state.all_bands || *rule == selected;
        let (first, shown) = (curves.len(), if banded { &[0, 1, 2, 3, 4][..] } else { &[2] });
        let identity = state.made * 1_000 + (rule.index() * SHARES.len()) as u64;
        curves.extend(lines((*rule, fan), &fans.kept, shown, (identity, *rule == selected), [low, high], style));
        if banded {
            fills.extend([[first, first + 4], [first + 1, first + 3]]);
        }
    }
    let mut marks = series::marks(ctx);
    if let (Some(floor), Some(base)) = (floor, lowest(&paths::surface(ctx))) {
        marks.push(Mark::level(base + floor, style.text_weak, "theory: mean in the long run"));
    }
    let plot = Plot {
        name: "fan chart of f",
        titles: Titles { x: "step", y: unit },
        scale,
        window: [Some([0.0, series::steps(ctx) as f64]), None],
        cursor: Some(ctx.cursor.step),
        include: &[],
        limits: Some(low..=high),
        marks: &marks,
        fills: &fills,
        font_size: controls::font_size(ctx),
    };
    state.plot.show(ui, place, &plot, &curves, style)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::labs::optimizers::params::PARAMS;

    fn request(set: &[&str]) -> Request {
        let mut params = Params::defaults(PARAMS);
        set.iter().for_each(|assignment| params.set_text(PARAMS, assignment).unwrap());
        let steps = params.int("steps") as u64;
        Request { params, changes: Vec::new(), steps, seed: 7, runs: 30 }
    }

    #[test]
    fn the_median_without_noise_is_the_exact_path() {
        let request = request(&["surface=booth", "start_x=-4", "start_y=4", "steps=90"]);
        let fans = fans(&request, Watch::nobody()).unwrap();
        let exact = surface_run::paths(&request.params, &[], 90).unwrap();
        assert_eq!(fans.of.len(), exact.len());
        for ((rule, fan), (_, rows)) in fans.of.iter().zip(&exact) {
            for line in &fan.lines {
                let wanted: Vec<f64> = fans.kept.iter().map(|k| rows[*k as usize * 10 + 2]).collect();
                assert_eq!(*line, wanted, "{rule:?}");
            }
        }
    }

    #[test]
    fn a_fan_is_the_same_every_time_and_wider_with_more_noise() {
        let width = |sigma: &str| {
            let request = request(&["surface=booth", "start_x=-4", "start_y=4", "steps=200", sigma]);
            let [once, again] = [(); 2].map(|()| fans(&request, Watch::nobody()).unwrap());
            assert_eq!(once.of, again.of, "deterministic, whatever the threads do");
            let (_, fan) = &once.of[0];
            assert!(fan.lines.windows(2).all(|pair| pair[0].iter().zip(&pair[1]).all(|(a, b)| a <= b)));
            fan.lines[4].last().unwrap() - fan.lines[0].last().unwrap()
        };
        let [little, much] = [width("gradient_noise=0.1"), width("gradient_noise=3")];
        assert!(little > 0.0 && much > 10.0 * little, "{little} {much}");
    }

    #[test]
    fn the_noise_floor_of_theory_is_that_of_many_runs() {
        let set = ["surface=booth", "start_x=1", "start_y=3", "steps=4000", "gradient_noise=2", "learning_rate=0.02"];
        for mu in [0.5, 0.8] {
            let mut request = request(&set);
            request.params.set_text(PARAMS, &format!("momentum={mu}")).unwrap();
            let fans = fans(&request, Watch::nobody()).unwrap();
            let eigen = Eigen::of([[10.0, 8.0], [8.0, 10.0]]).unwrap();
            for (rule, method, share) in KNOWN {
                let theory = Rates::new(method, &eigen, 0.02, share * mu).noise_floor(&eigen, 0.02, 2.0);
                let (_, fan) = fans.of.iter().find(|(of, _)| *of == rule).unwrap();
                let error = (fan.settled() / theory - 1.0).abs();
                assert!(error < 0.06, "{rule:?} μ {mu}: theory {theory}, measured {}", fan.settled());
            }
        }
    }

    #[test]
    fn a_fan_that_is_no_longer_wanted_stops() {
        let cancel = std::sync::atomic::AtomicBool::new(true);
        let watch = Watch { cancel: &cancel, ..Watch::nobody() };
        assert!(fans(&request(&["steps=100000", "gradient_noise=1"]), watch).is_none());
    }
}
