//! The simulator's four panels: what is watched of the matrices, and what the run has measured of the same, behind.

use eframe::egui::{Rect, Ui, vec2};

use super::super::Theory;
use super::super::run_time::RunTime;
use super::{compute, simulated};
use crate::kit::view::ViewCtx;
use crate::labs::self_supervised::theory::matrix::Snapshot;
use crate::labs::self_supervised::view::series;
use crate::plot::axes::Titles;
use crate::plot::curve::{Curve, CurveState, Mark, Plot};
use crate::plot::legend::{self, Entry};
use crate::plot::number;
use crate::plot::scale::Scale;
use crate::plot::style::{Category, Dash};
use crate::plot::tile::{self, panel_heading};

/// A line of a panel.
struct Line {
    name: &'static str,
    color: usize,
    dash: Dash,
    value: fn(&Snapshot) -> f64,
}

const SYMMETRY: [Line; 2] = [
    Line { name: "asymmetry", color: 6, dash: Dash::Solid, value: |s| s.asymmetry },
    Line { name: "commutator", color: 4, dash: Dash::DashDot, value: |s| s.commutator },
];
const CERTIFICATE: [Line; 1] =
    [Line { name: "λ_min(K)", color: 3, dash: Dash::Solid, value: |s| s.certificate.unwrap_or(f64::NAN) }];
const BALANCE: [Line; 1] =
    [Line { name: "residual", color: 1, dash: Dash::Solid, value: |s| s.balance_residual.unwrap_or(f64::NAN) }];
const LOSS: [Line; 1] = [Line { name: "loss", color: 7, dash: Dash::Solid, value: |s| s.loss.unwrap_or(f64::NAN) }];
const RANK: [Line; 1] =
    [Line { name: "effective rank", color: 7, dash: Dash::Solid, value: |s| s.rank.unwrap_or(f64::NAN) }];
const MODES: [Line; 1] = [Line { name: "s of each mode", color: 7, dash: Dash::Solid, value: |s| s.modes[0][1] }];

/// The run's scalar that a line of the simulation compares with.
fn measured_as(line: &str) -> Option<series::Quantity> {
    let all = [series::ASYMMETRY, series::COMMUTATOR, series::COSINE_LOSS, series::RANK];
    let key = if line == LOSS[0].name { series::COSINE_LOSS.key } else { "" };
    all.into_iter().find(|quantity| quantity.name == line || quantity.key == key)
}

/// Draws the tile.
pub fn ui(state: &mut Theory, bar: Rect, rest: Rect, ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
    let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
    let request = (state.constants.mode, state.simulator.settings);
    let duration = simulated(&request.0, &request.1);
    let current = state.simulator.done.is_current(&request);
    state.simulator.done.update("matrix dynamics", ui.ctx(), &request, compute);
    let problem = state.simulator.done.problem(&request).map(str::to_owned);
    let run = state.simulator.run_time(ctx);
    let found = state.simulator.done.newest();
    let about = match found.and_then(|found| found.last()) {
        _ if problem.is_some() => format!("not simulated: {}", problem.unwrap_or_default()),
        Some(end) if current && end.time < 0.99 * duration => {
            format!("left the finite numbers at t = {}", number::short(end.time))
        }
        _ if duration < request.1.duration => {
            format!("until t = {}: steps are too small for more", number::short(duration))
        }
        _ if request.1.cosine => "random W and Wp by gradient descent on the cosine loss".to_owned(),
        _ => "random W and Wp under the theory's flow (L2 loss, isotropic data)".to_owned(),
    };
    let about = match run.as_ref().and_then(|run| run.now(ctx)) {
        Some((step, time)) => {
            format!("{about}; the run's step {} is t = {}", number::grouped(step), number::short(time))
        }
        None => about,
    };
    tile::bar(ui, bar, tile::weak(about, size, style), |_| {});
    let Some(found) = found.filter(|found| !found.is_empty()) else { return };
    let places = tile::panels(rest, 4, 1.4, 1.2 * size);
    let painter = ui.painter_at(rest.expand(2.0));
    let end = duration.max(1e-9);
    let balanced = found.iter().any(|snapshot| snapshot.balance_residual.is_some());
    let symmetry: Shown = ("Asymmetry, commutator", &SYMMETRY, Scale::Linear, &[0.0]);
    let modes: Shown = ("Modes: s_j, eigenvalues of F", &MODES, Scale::Linear, &[0.0]);
    let cosine = found[0].loss.is_some();
    let panels: [Shown; 4] = if cosine {
        [
            symmetry,
            ("Loss: −2 where every pair is at one", &LOSS, Scale::Linear, &[-2.0, 0.0]),
            modes,
            ("Effective rank of F", &RANK, Scale::Linear, &[1.0]),
        ]
    } else {
        [
            symmetry,
            ("Certificate of alignment: λ_min(K) > 0", &CERTIFICATE, Scale::Linear, &[0.0]),
            modes,
            (
                if balanced { "Balance law: residual (log)" } else { "Balance law: holds for η_p = η only" },
                &BALANCE,
                Scale::Log { base: 0.0 },
                &[1e-12, 1e-6],
            ),
        ]
    };
    for ((drawn, place), plot) in panels.into_iter().zip(places).zip(&mut state.simulator.plots) {
        let below = panel_heading(&painter, place, drawn.0, size, style);
        panel(plot, found, drawn, end, run.as_ref(), below, ui, ctx);
    }
}

/// A panel: its name, lines, scale, and the values that its axis always reaches.
type Shown = (&'static str, &'static [Line], Scale, &'static [f64]);

/// Draws one panel; time goes to `end`. The run's own measurements of the same name lie behind, in its time.
#[expect(clippy::too_many_arguments, reason = "what is drawn, where and how")]
fn panel(
    state: &mut CurveState,
    found: &[Snapshot],
    (name, lines, scale, include): Shown,
    end: f64,
    run: Option<&RunTime>,
    place: Rect,
    ui: &Ui,
    ctx: &ViewCtx<'_>,
) {
    let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
    let category = |line: &Line| Category { color: style.category(line.color).color, dash: line.dash };
    let measured: Vec<Curve<'_>> = run
        .into_iter()
        .flat_map(|run| lines.iter().filter_map(|line| run.curve(measured_as(line.name)?, ctx)))
        .collect();
    let mut entries: Vec<Entry<'_>> = lines
        .iter()
        .map(|line| Entry { name: line.name, category: category(line), selected: false, help: String::new() })
        .collect();
    if !measured.is_empty() {
        let category = Category { color: style.text_weak, dash: Dash::Dashed };
        let help = "what the run has measured, at its own time t = α k/(1 − μ)".to_owned();
        entries.push(Entry { name: "the run's", category, selected: false, help });
    }
    let height = if entries.len() > 1 && place.height() > 11.0 * size {
        legend::height(ui, &entries, place.width(), size)
    } else {
        0.0
    };
    let outer = Rect::from_min_max(place.min, place.max - vec2(0.0, height));
    // All modes share one colour; the other panels have a line for each entry.
    let all_modes = lines[0].name == MODES[0].name;
    let count = if all_modes { found[0].modes.len() } else { lines.len() };
    let curve = |index: usize| {
        let line = &lines[if all_modes { 0 } else { index }];
        let strength = if all_modes { 1.0 - 0.6 * index as f32 / count as f32 } else { 1.0 };
        let Category { color, dash } = category(line);
        let point = move |i: usize| {
            let snapshot: &Snapshot = &found[i];
            let mode = || snapshot.modes.get(index).map_or(f64::NAN, |mode| mode[1]);
            [snapshot.time, if all_modes { mode() } else { (line.value)(snapshot) }]
        };
        Curve {
            name: if all_modes { format!("mode {index}").into() } else { line.name.into() },
            category: Category { color: color.gamma_multiply(strength), dash },
            width: 1.0,
            identity: found.as_ptr() as u64 ^ index as u64,
            len: found.len(),
            point: Box::new(point),
            held: None,
        }
    };
    let curves: Vec<Curve<'_>> = measured.into_iter().chain((0..count).map(curve)).collect();
    let mut marks = Vec::new();
    if scale == Scale::Linear {
        marks.push(Mark::level(0.0, style.text_weak, ""));
    }
    if let Some((_, time)) = run.and_then(|run| run.now(ctx)).filter(|(_, time)| *time <= end) {
        marks.push(Mark { x: Some(time), y: None, color: style.accent, text: "run".to_owned() });
    }
    let plot = Plot {
        name,
        titles: Titles { x: "time t", y: "" },
        scale,
        window: [Some([0.0, end]), None],
        cursor: None,
        include,
        limits: None,
        marks: &marks,
        fills: &[],
        font_size: size,
    };
    state.show(ui, outer, &plot, &curves, style);
    if height > 0.0 {
        legend::show(ui, Rect::from_min_max(outer.left_bottom(), place.max), &entries, style, size);
    }
}
