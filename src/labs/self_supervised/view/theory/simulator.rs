//! The matrix simulator: whole matrices under the theory's flow, or under the loss that the network trains on, with what is
//! watched; the run's own measurements lie behind, in the same time.

use std::ops::RangeInclusive;

use eframe::egui::accesskit::Role;
use eframe::egui::{Rect, Slider, Ui, WidgetInfo, vec2};

use crate::kit::fields::Fields;
use crate::kit::view::ViewCtx;
use crate::labs::self_supervised::theory::cosine::{CosineDynamics, CosineLoss, Pairs, descend};
use crate::labs::self_supervised::theory::matrix::{Data, MatrixDynamics, Snapshot, Start, Target, simulate};
use crate::labs::self_supervised::theory::modes::ModeDynamics;
use crate::plot::axes::Titles;
use crate::plot::background::Latest;
use crate::plot::curve::{Curve, CurveState, Mark, Plot};
use crate::plot::legend::{self, Entry};
use crate::plot::scale::Scale;
use crate::plot::style::{Category, Dash};
use crate::plot::tile::{self, panel_heading};
use crate::plot::{medium, number};

use super::Theory;
use super::run_time::RunTime;
use crate::kit::tiles::{Tile, TileCommand, TileSpec};
use crate::labs::self_supervised::params::Hyper;
use crate::labs::self_supervised::view::{SelfSupervisedView, series};

/// The tile.
pub static TILE: Tile<SelfSupervisedView> = Tile {
    spec: TileSpec {
        id: "simulator",
        title: "Simulator",
        help: "Whole random matrices under the theory's flow (L2 loss) or by gradient descent on the cosine loss: asymmetry, \
               commutator, the certificate that eigenspaces align, and the balance law, or loss and rank. The run's own lies behind.",
        area: "large",
        follows_cursor: true,
    },
    show: |view, ui, ctx| super::ui(&mut view.theory, "simulator", ui, ctx),
    commands: &[
        TileCommand {
            id: "simulator-new",
            title: "Simulator: other random matrices",
            run: |view, _, _| view.theory.simulator.settings.draw_anew(),
        },
        TileCommand {
            id: "simulator-cosine",
            title: "Simulator: cosine or L2 loss",
            run: |view, _, _| view.theory.simulator.settings.cosine ^= true,
        },
    ],
};

/// Measurements along a simulation.
const SNAPSHOTS: usize = 161;
/// Most steps of either kind.
const MOST_STEPS: f64 = 40_000.0;
/// Pairs of views that the cosine loss is a mean of.
const PAIRS: usize = 64;
/// Times that can be simulated.
pub const DURATIONS: RangeInclusive<f64> = 10.0..=2000.0;

/// Settings of the simulation apart from the shared sliders.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Settings {
    features: usize,
    duration: f64,
    /// Gradient descent on the cosine loss; otherwise the theory's flow, of the L2 loss.
    cosine: bool,
    /// α and μ of the descent, and the factor of its loss.
    rate: f64,
    momentum: f64,
    loss_scale: f64,
    /// β of a target that follows; `None`: the network itself.
    beta: Option<f64>,
    symmetrise: bool,
    seed: u64,
}

impl Settings {
    fn draw_anew(&mut self) {
        self.seed = self.seed.wrapping_add(1);
    }

    fn target(&self) -> Target {
        self.beta.map_or(Target::Copy, |beta| Target::Following { beta })
    }

    fn descent(&self, mode: &ModeDynamics) -> CosineDynamics {
        CosineDynamics {
            eta: mode.eta,
            eta_p: mode.eta_p,
            alpha_p: mode.alpha_p,
            target: self.target(),
            symmetrise: self.symmetrise,
            loss_scale: self.loss_scale,
            rate: self.rate,
            momentum: self.momentum,
        }
    }
}

/// View state of the tile.
#[derive(Debug)]
pub struct Simulator {
    settings: Settings,
    done: Latest<(ModeDynamics, Settings), Vec<Snapshot>>,
    plots: [CurveState; 4],
}

impl Simulator {
    /// What of it belongs to a scene.
    pub fn fields(&mut self, fields: &mut Fields) {
        let (now, fresh) = (&mut self.settings, Self::default().settings);
        fields.value("features", &mut now.features, fresh.features);
        now.features = now.features.clamp(3, 16);
        fields.number("duration", &mut now.duration, fresh.duration, DURATIONS);
        fields.value("cosine", &mut now.cosine, fresh.cosine);
        fields.number("rate", &mut now.rate, fresh.rate, 0.001..=1.0);
        fields.number("momentum", &mut now.momentum, fresh.momentum, 0.0..=0.99);
        fields.number("scale", &mut now.loss_scale, fresh.loss_scale, 0.5..=2.0);
        let write = |beta: &Option<f64>| beta.as_ref().map(f64::to_string).unwrap_or_default();
        let read = |text: &str| text.parse().ok().filter(|v: &f64| (0.01..=10.0).contains(v)).map(Some);
        fields.text("beta", &mut now.beta, None, write, read);
        fields.value("symmetrise", &mut now.symmetrise, fresh.symmetrise);
        fields.value("seed", &mut now.seed, fresh.seed);
        for (index, plot) in self.plots.iter_mut().enumerate() {
            fields.zoom(&format!("zoom{index}"), plot.zoom());
        }
    }

    /// Back to the first values.
    pub fn reset(&mut self) {
        self.settings = Self::default().settings;
    }

    /// Takes what the run does: how long it is in the theory's time, how it descends, and what its target does.
    pub fn take_from_run(&mut self, hyper: &Hyper, steps: u64) {
        let Some(speed) = speed(hyper) else { return };
        let now = &mut self.settings;
        now.duration = (steps as f64 * speed).clamp(*DURATIONS.start(), *DURATIONS.end());
        now.rate = hyper.encoder.learning_rate.clamp(0.001, 1.0);
        now.momentum = hyper.momentum.clamp(0.0, 0.99);
        now.loss_scale = hyper.loss_scale.clamp(0.5, 2.0);
        now.beta = hyper.ema.then(|| ((1.0 - hyper.tau) / speed).clamp(0.01, 10.0));
        now.symmetrise = hyper.symmetry;
    }

    /// Shows everything again.
    pub fn fit(&mut self) {
        self.plots.iter_mut().for_each(CurveState::fit);
    }
}

impl Default for Simulator {
    fn default() -> Self {
        let settings = Settings {
            features: 8,
            duration: 80.0,
            cosine: false,
            rate: 0.05,
            momentum: 0.0,
            loss_scale: 1.0,
            beta: None,
            symmetrise: false,
            seed: 7,
        };
        Self { settings, done: Latest::default(), plots: Default::default() }
    }
}

/// Length of an integration step. The stiffest direction decays at a rate of about α_p S λmax(F), and λmax of a random
/// start is about 4.
fn step(mode: &ModeDynamics) -> f64 {
    (1.0 / (1.0 + 5.0 * mode.alpha_p * (1.0 + mode.sigma2))).min(0.05)
}

/// The time that is simulated: what is asked for, or what fits in the steps that one can wait for.
fn simulated(mode: &ModeDynamics, settings: &Settings) -> f64 {
    let step = if settings.cosine { settings.descent(mode).time_of_a_step() } else { step(mode) };
    settings.duration.min(step * MOST_STEPS)
}

/// The theory's time that passes in a step of the run: α/(1 − μ), as momentum μ comes to a rate of that much. `None` where the
/// encoder does not learn.
fn speed(hyper: &Hyper) -> Option<f64> {
    let speed = hyper.encoder.learning_rate / (1.0 - hyper.momentum);
    Some(speed).filter(|speed| *speed > 0.0 && speed.is_finite())
}

fn compute((mode, settings): &(ModeDynamics, Settings)) -> Vec<Snapshot> {
    let start = Start {
        features: settings.features,
        inputs: settings.features,
        symmetric: settings.symmetrise,
        seed: settings.seed,
        ..Start::default()
    };
    if settings.cosine {
        let dynamics = settings.descent(mode);
        let loss = CosineLoss::new(&Pairs::drawn(PAIRS, settings.features, mode.sigma2, settings.seed));
        let steps = (simulated(mode, settings) / dynamics.time_of_a_step()).ceil().max(1.0) as usize;
        return descend(&dynamics, &loss, &start.state(), steps, SNAPSHOTS).unwrap_or_default();
    }
    let dynamics = MatrixDynamics {
        eta: mode.eta,
        eta_p: mode.eta_p,
        alpha_p: mode.alpha_p,
        target: settings.target(),
        symmetrise: settings.symmetrise,
        data: Data::Isotropic { sigma2: mode.sigma2 },
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
        if !medium::is_figure(ui.ctx()) {
            let response = ui.add(Slider::new(&mut settings.features, 3..=16).show_value(false));
            response.widget_info(|| WidgetInfo::labeled(Role::Slider, true, "d, number of features"));
            response.on_hover_text("Number of features: W and Wp are d × d");
        }
        ui.label(tile::mono(format!("{}", settings.features), size, style));
    });
    super::controls::slider(
        ui,
        "t",
        "simulated time",
        "In steps times the learning rate; with momentum μ a step of the run takes α/(1 − μ)",
        &mut settings.duration,
        DURATIONS,
        true,
        size,
        ctx,
    );
    let text = tile::weak("cosine loss", size, style);
    let help = "Gradient descent on −cos(Wp W x₁, Wa x₂) − cos(Wp W x₂, Wa x₁) over 64 drawn pairs of views, as the network is trained; \
                otherwise the flow of the L2 loss, which the theory solves";
    tile::tick(ui, &mut settings.cosine, text, help);
    if settings.cosine {
        let mut slider = |sign, name, help, value, range, log| {
            super::controls::slider(ui, sign, name, help, value, range, log, size, ctx);
        };
        slider(
            "α",
            "learning rate",
            "Learning rate of W; Wp's is α_p times as high",
            &mut settings.rate,
            0.001..=1.0,
            true,
        );
        slider("μ", "momentum", "v ← μ v + g; w ← w − α v", &mut settings.momentum, 0.0..=0.99, false);
        slider("c", "loss scale", "Factor of the loss", &mut settings.loss_scale, 0.5..=2.0, false);
    }
    let mut follows = settings.beta.is_some();
    let text = tile::weak("target is an average", size, style);
    tile::tick(ui, &mut follows, text, "dWa/dt = β (W − Wa); otherwise Wa = W, as in SimSiam");
    settings.beta = match (follows, settings.beta) {
        (false, _) => None,
        (true, before) => {
            let mut beta = before.unwrap_or(0.3);
            let help = "How fast the target follows: β = (1 − τ)(1 − μ)/α";
            super::controls::slider(ui, "β", "speed of the target", help, &mut beta, 0.01..=10.0, true, size, ctx);
            Some(beta)
        }
    };
    let text = tile::weak("keep Wp symmetric", size, style);
    tile::tick(ui, &mut settings.symmetrise, text, "Wp ← (Wp + Wpᵀ)/2 after every step");
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
    let run = RunTime::of(ctx);
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
