//! The matrix simulator: whole matrices under the theory's flow, with what it watches.

use eframe::egui::accesskit::Role;
use eframe::egui::{Rect, Sense, Slider, Stroke, Ui, WidgetInfo, pos2, vec2};

use crate::kit::view::ViewCtx;
use crate::labs::self_supervised::theory::matrix::{Data, MatrixDynamics, Snapshot, Start, Target, simulate};
use crate::labs::self_supervised::theory::modes::ModeDynamics;
use crate::plot::axes::{Axes, Bounds, Titles};
use crate::plot::background::Latest;
use crate::plot::curve::label;
use crate::plot::legend::{self, Entry};
use crate::plot::scale::Scale;
use crate::plot::stroke::{LineMesh, Pen, Stop};
use crate::plot::style::{Category, Dash};
use crate::plot::trace::panel_heading;
use crate::plot::{number, tile};

use super::Theory;
use crate::kit::tiles::{Tile, TileCommand, TileSpec};
use crate::labs::self_supervised::view::SelfSupervisedView;

/// The tile.
pub static TILE: Tile<SelfSupervisedView> = Tile {
    spec: TileSpec {
        id: "simulator",
        title: "Simulator",
        help: "Whole random matrices under the theory's flow: asymmetry, commutator, the certificate that \
               eigenspaces align, and the balance law.",
        area: "large",
        follows_cursor: true,
    },
    show: |view, ui, ctx| super::ui(&mut view.theory, "simulator", ui, ctx),
    commands: &[TileCommand {
        id: "simulator-new",
        title: "Simulator: other random matrices",
        run: |view, _, _| view.theory.simulator.settings.draw_anew(),
    }],
};

/// Measurements along a simulation.
const SNAPSHOTS: usize = 161;
/// Most Runge-Kutta steps; a faster predictor makes them longer, never more.
const MOST_STEPS: f64 = 6000.0;

/// Settings of the simulation apart from the shared sliders.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Settings {
    features: usize,
    duration: f64,
    /// β of a target that follows; `None`: the network itself.
    beta: Option<f64>,
    symmetrise: bool,
    seed: u64,
}

impl Settings {
    fn draw_anew(&mut self) {
        self.seed = self.seed.wrapping_add(1);
    }
}

/// View state of the tile.
#[derive(Debug)]
pub struct Simulator {
    settings: Settings,
    done: Latest<(ModeDynamics, Settings), Vec<Snapshot>>,
}

impl Default for Simulator {
    fn default() -> Self {
        let settings = Settings { features: 8, duration: 80.0, beta: None, symmetrise: false, seed: 7 };
        Self { settings, done: Latest::default() }
    }
}

/// Length of an integration step. The stiffest direction decays at a rate of about α_p S λmax(F), and λmax of a random
/// start is about 4.
fn step(mode: &ModeDynamics) -> f64 {
    (1.0 / (1.0 + 5.0 * mode.alpha_p * (1.0 + mode.sigma2))).min(0.05)
}

/// The time that is simulated: what is asked for, or what fits in the steps that one can wait for.
fn simulated(mode: &ModeDynamics, settings: &Settings) -> f64 {
    settings.duration.min(step(mode) * MOST_STEPS)
}

fn compute((mode, settings): &(ModeDynamics, Settings)) -> Vec<Snapshot> {
    let dynamics = MatrixDynamics {
        eta: mode.eta,
        eta_p: mode.eta_p,
        alpha_p: mode.alpha_p,
        target: settings.beta.map_or(Target::Copy, |beta| Target::Following { beta }),
        symmetrise: settings.symmetrise,
        data: Data::Isotropic { sigma2: mode.sigma2 },
    };
    let start = Start {
        features: settings.features,
        inputs: settings.features,
        symmetric: settings.symmetrise,
        seed: settings.seed,
        ..Start::default()
    };
    let dt = step(mode);
    simulate(&dynamics, &start.state(), dt, simulated(mode, settings), SNAPSHOTS).unwrap_or_default()
}

/// The simulator's own sliders, below the shared ones.
pub fn sliders(state: &mut Simulator, size: f32, ui: &mut Ui, ctx: &ViewCtx<'_>) {
    let style = ctx.style;
    let settings = &mut state.settings;
    ui.horizontal(|ui| {
        ui.label(tile::mono("d", size + 1.0, style));
        ui.spacing_mut().slider_width = 6.0 * size;
        let response = ui.add(Slider::new(&mut settings.features, 3..=16).show_value(false));
        response.widget_info(|| WidgetInfo::labeled(Role::Slider, true, "d, number of features"));
        response.on_hover_text("Number of features: W and Wp are d × d");
        ui.label(tile::mono(format!("{}", settings.features), size, style));
    });
    super::controls::slider(
        ui,
        "t",
        "simulated time",
        "In steps times the learning rate",
        &mut settings.duration,
        10.0..=400.0,
        true,
        size,
        ctx,
    );
    let mut follows = settings.beta.is_some();
    let text = tile::weak("target is an average", size, style);
    ui.checkbox(&mut follows, text).on_hover_text("dWa/dt = β (W − Wa); otherwise Wa = W, as in SimSiam");
    settings.beta = match (follows, settings.beta) {
        (false, _) => None,
        (true, before) => {
            let mut beta = before.unwrap_or(0.3);
            let help = "β = (1 − τ)/α: how fast the target follows";
            super::controls::slider(ui, "β", "speed of the target", help, &mut beta, 0.01..=10.0, true, size, ctx);
            Some(beta)
        }
    };
    let text = tile::weak("keep Wp symmetric", size, style);
    ui.checkbox(&mut settings.symmetrise, text).on_hover_text("Wp ← (Wp + Wpᵀ)/2 after every step");
    if tile::button(ui, true, "new start", "Draw other random matrices", size) {
        settings.draw_anew();
    }
}

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
const MODES: [Line; 1] = [Line { name: "s of each mode", color: 7, dash: Dash::Solid, value: |s| s.modes[0][1] }];

/// Draws the tile.
pub fn ui(state: &mut Theory, bar: Rect, rest: Rect, ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
    let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
    let request = (state.constants.mode, state.simulator.settings);
    let duration = simulated(&request.0, &request.1);
    let current = state.simulator.done.is_current(&request);
    state.simulator.done.update("matrix dynamics", ui.ctx(), &request, compute);
    let problem = state.simulator.done.problem(&request).map(str::to_owned);
    let found = state.simulator.done.newest();
    let about = match found.and_then(|found| found.last()) {
        _ if problem.is_some() => format!("not simulated: {}", problem.unwrap_or_default()),
        Some(end) if current && end.time < 0.99 * duration => {
            format!("left the finite numbers at t = {}", number::short(end.time))
        }
        _ if duration < request.1.duration => {
            format!("until t = {}: so large an α_p needs steps too small for more", number::short(duration))
        }
        _ => "random W and Wp under the theory's flow (L2 loss, isotropic data)".to_owned(),
    };
    tile::bar(ui, bar, tile::weak(about, size, style), |_| {});
    let Some(found) = found.filter(|found| !found.is_empty()) else { return };
    let places = tile::panels(rest, 4, 1.4, 1.2 * size);
    let painter = ui.painter_at(rest.expand(2.0));
    let end = duration.max(1e-9);
    let balanced = found.iter().any(|snapshot| snapshot.balance_residual.is_some());
    let panels: [(&str, &[Line], Scale, &[f64]); 4] = [
        ("Asymmetry, commutator", &SYMMETRY, Scale::Linear, &[0.0]),
        ("Certificate of alignment: λ_min(K) > 0", &CERTIFICATE, Scale::Linear, &[0.0]),
        ("Modes: s_j, eigenvalues of F", &MODES, Scale::Linear, &[0.0]),
        (
            if balanced { "Balance law: residual (log)" } else { "Balance law: holds for η_p = η only" },
            &BALANCE,
            Scale::Log { base: 0.0 },
            &[1e-12, 1e-6],
        ),
    ];
    for ((heading, lines, scale, include), place) in panels.into_iter().zip(places) {
        let below = panel_heading(&painter, place, heading, size, style);
        panel(found, heading, lines, scale, include, end, below, ui, ctx);
    }
}

#[expect(clippy::too_many_arguments, reason = "what is drawn, where and how")]
fn panel(
    found: &[Snapshot],
    name: &str,
    lines: &[Line],
    scale: Scale,
    include: &[f64],
    end: f64,
    place: Rect,
    ui: &Ui,
    ctx: &ViewCtx<'_>,
) {
    let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
    let entries: Vec<Entry<'_>> = lines
        .iter()
        .map(|line| Entry {
            name: line.name,
            category: Category { color: style.category(line.color).color, dash: line.dash },
            selected: false,
            help: String::new(),
        })
        .collect();
    let height = if lines.len() > 1 && place.height() > 11.0 * size {
        legend::height(ui, &entries, place.width(), size)
    } else {
        0.0
    };
    let outer = Rect::from_min_max(place.min, place.max - vec2(0.0, height));
    if outer.width() < 8.0 || outer.height() < 8.0 {
        return;
    }
    // All modes share one colour; the other panels have a line for each entry.
    let all_modes = lines[0].name == MODES[0].name;
    let count = if all_modes { found[0].modes.len() } else { lines.len() };
    let value = |index: usize, snapshot: &Snapshot| {
        if all_modes {
            snapshot.modes.get(index).map_or(f64::NAN, |mode| mode[1])
        } else {
            (lines[index].value)(snapshot)
        }
    };
    let positions = (0..count)
        .flat_map(|index| found.iter().map(move |snapshot| (index, snapshot)))
        .map(|(index, snapshot)| value(index, snapshot))
        .chain(include.iter().copied())
        .map(|v| scale.position(v))
        .filter(|v| v.is_finite());
    let (mut low, mut high) = positions.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
    if low > high {
        (low, high) = (0.0, 1.0);
    }
    if high - low < 1e-12 {
        high = low + 1.0;
    }
    let margin = 0.06 * (high - low);
    let axes = Axes::new(
        outer,
        Bounds::new([0.0, end], [low - margin, high + margin]),
        [Scale::Linear, scale],
        size,
        0.6 * size,
    );
    let response = ui.interact(axes.rect, ui.scope_id().with(name), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, name));
    let painter = ui.painter_at(outer);
    let inside = ui.painter_at(axes.rect);
    inside.rect_filled(axes.rect, 2.0, style.plot_background);
    axes.draw_grid(&inside, style, style.rule);
    if scale == Scale::Linear {
        inside.hline(axes.rect.x_range(), axes.at(0.0, 0.0).y, Stroke::new(1.0, style.text_weak));
    }
    for index in 0..count {
        let line = &lines[if all_modes { 0 } else { index }];
        let mut runs: Vec<Vec<Stop>> = vec![Vec::new()];
        for snapshot in found {
            let [x, y] = axes.to_screen(snapshot.time, scale.position(value(index, snapshot)));
            let open = runs.len() - 1;
            if y.is_finite() {
                runs[open].push((pos2(x as f32, y as f32), 0));
            } else if !runs[open].is_empty() {
                runs.push(Vec::new());
            }
        }
        let strength = if all_modes { 1.0 - 0.6 * index as f32 / count as f32 } else { 1.0 };
        let pen = Pen {
            width: 1.8 * size / 11.0,
            color: style.category(line.color).color.gamma_multiply(strength),
            dash: line.dash,
            feather: 1.0 / inside.pixels_per_point(),
        };
        LineMesh::new(runs.iter().map(Vec::as_slice), pen).draw(&inside);
    }
    axes.draw_labels(&painter, style, &Titles { x: "time t", y: "" });
    if height > 0.0 {
        legend::show(ui, Rect::from_min_max(outer.left_bottom(), place.max), &entries, style, size);
    }
    let Some(pointer) = response.hover_pos() else { return };
    let time = axes.from_screen(pointer)[0];
    let nearest = found.iter().min_by(|a, b| (a.time - time).abs().total_cmp(&(b.time - time).abs()));
    let Some(snapshot) = nearest else { return };
    let found = (0..count)
        .map(|index| (index, value(index, snapshot)))
        .map(|(index, v)| (index, v, axes.at(snapshot.time, scale.position(v))))
        .filter(|(.., at)| at.y.is_finite())
        .min_by(|a, b| a.2.distance_sq(pointer).total_cmp(&b.2.distance_sq(pointer)));
    if let Some((index, v, at)) = found {
        inside.circle_stroke(at, 0.45 * size, Stroke::new(1.5, style.text));
        let name = if all_modes { format!("mode {index}") } else { lines[index].name.to_owned() };
        let text = format!("{name}  t {}  {}", number::short(snapshot.time), number::short(v));
        label(&inside, axes.rect, at, &text, size, style);
    }
}
