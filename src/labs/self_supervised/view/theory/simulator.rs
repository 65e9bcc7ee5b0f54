//! The matrix simulator: whole matrices under the theory's flow, or under the loss that the network trains on, with what is
//! watched; the run's own measurements lie behind, in the same time.

mod panels;

use std::ops::RangeInclusive;

use eframe::egui::accesskit::Role;
use eframe::egui::{Slider, Ui, WidgetInfo};

use super::run_time::RunTime;
use crate::engine::event::RunId;
use crate::kit::fields::Fields;
use crate::kit::view::ViewCtx;
use crate::labs::self_supervised::theory::cosine::{CosineDynamics, CosineLoss, Pairs, descend};
use crate::labs::self_supervised::theory::matrix::{Data, MatrixDynamics, Snapshot, Start, Target, simulate};
use crate::labs::self_supervised::theory::modes::ModeDynamics;
use crate::plot::background::Latest;
use crate::plot::curve::CurveState;
use crate::plot::{medium, tile};

use crate::kit::tiles::{Tile, TileCommand, TileSpec};
use crate::labs::self_supervised::params::Hyper;
use crate::labs::self_supervised::view::{SelfSupervisedView, series};

pub use panels::ui;

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

/// Of which run a time is, after how many changes, of how many steps.
type Timed = (Option<RunId>, usize, u64);

/// View state of the tile.
#[derive(Debug)]
pub struct Simulator {
    settings: Settings,
    done: Latest<(ModeDynamics, Settings), Vec<Snapshot>>,
    plots: [CurveState; 4],
    /// The run's time.
    run_time: Option<(Timed, Option<RunTime>)>,
}

impl Simulator {
    /// The time of the run that is shown.
    fn run_time(&mut self, ctx: &ViewCtx<'_>) -> Option<RunTime> {
        let of = (ctx.run.id, ctx.run.changes.len(), series::steps(ctx));
        if self.run_time.as_ref().is_none_or(|(known, _)| *known != of) {
            self.run_time = Some((of, RunTime::of(ctx)));
        }
        self.run_time.as_ref().and_then(|(_, time)| time.clone())
    }

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

    /// Takes what the run does: how long it is in the theory's time, how it descends, and what its target does. Of a run that is no
    /// gradient descent, or does not learn, nothing is taken.
    pub fn take_from_run(&mut self, hyper: &Hyper, duration: f64) {
        let Some(speed) = hyper.time_of_a_step().filter(|speed| *speed > 0.0 && speed.is_finite()) else { return };
        let now = &mut self.settings;
        now.duration = duration.clamp(*DURATIONS.start(), *DURATIONS.end());
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
        Self { settings, done: Latest::default(), plots: Default::default(), run_time: None }
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
