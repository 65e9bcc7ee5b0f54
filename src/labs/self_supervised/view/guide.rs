//! The guide's live part: the equations with the numbers of the timeline's step, what the paper says, what is measured
//! here.

use eframe::egui::{Grid, Label, RichText, Ui, vec2};

use crate::engine::params::Params;
use crate::kit::prose::{self, equation, heading, line};
use crate::kit::view::ViewCtx;
use crate::labs::self_supervised::direct_pred::Mode;
use crate::labs::self_supervised::network::Layers;
use crate::labs::self_supervised::params::{
    DECAY_PREDICTOR, DIRECT_MODE, EMA, Hyper, MOMENTUM, OPTIMIZER, PREDICTOR_LAYERS, PREDICTOR_RULE, PredictorRule,
    RATE_PREDICTOR, STOP_GRADIENT, SYMMETRY,
};
use crate::labs::self_supervised::{SPEC, alarm};
use crate::nn::optim::Rule;
use crate::plot::{number, tile};

use super::series::{self, ALIGNMENT, ASYMMETRY, COSINE_LOSS, KNN, L2, PROBE, RANK, SPREAD};
use super::{collapse, paper, params_of};

/// Draws the guide.
pub fn ui(ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
    ui.spacing_mut().item_spacing = vec2(6.0, 5.0);
    let params = params_of(ctx);
    let hyper = Hyper::of(&params);
    if ctx.run.header.is_some() {
        verdict(ui, ctx);
    }
    equations(&params, &hyper, ui, ctx);
    measured(ui, ctx);
    in_the_paper(&params, ui, ctx);
    prose::tries(ui, ctx, &SPEC);
}

/// One line: which method this is and whether it lives.
fn verdict(ui: &mut Ui, ctx: &ViewCtx<'_>) {
    let Some(alarm) = alarm::replay(ctx.run, false, ctx.cursor.step) else { return };
    let size = tile::font_size(ctx.presenting);
    let text = format!("Step {}: {}", number::grouped(ctx.cursor.step), collapse::title(&alarm).to_lowercase());
    let color = collapse::color(ctx.style, &alarm);
    ui.label(RichText::new(text).size(size + 2.5).color(color));
}

fn shown(ctx: &ViewCtx<'_>, key: &str) -> String {
    series::value(ctx, key).map_or_else(|| "—".to_owned(), number::short)
}

fn equations(params: &Params, hyper: &Hyper, ui: &mut Ui, ctx: &ViewCtx<'_>) {
    heading(ui, ctx, &format!("Equations at step {}", number::grouped(ctx.cursor.step)));
    let exact = number::exact;
    equation(
        ui,
        ctx,
        "L = mean[−cos(p₁,t₂) − cos(p₂,t₁)]",
        format!("= {}   (−2: all predicted)", shown(ctx, COSINE_LOSS.key)),
    );
    let scale = hyper.loss_scale;
    if hyper.decay_is_apart() {
        let total = format!("= {} · L = {}", exact(scale), shown(ctx, "loss/total"));
        equation(ui, ctx, "trained on: scale · L; weights decay apart", total);
    } else {
        let l2 = format!("= {} · L + {} = {}", exact(scale), shown(ctx, L2.key), shown(ctx, "loss/total"));
        equation(ui, ctx, "trained on: scale · L + ½ η Σ w²", l2);
    }
    if !hyper.stop_gradient {
        line(
            ui,
            ctx,
            "Without stop-gradient: t₁, t₂ are the network's own z₁, z₂, and both sides of the loss are pulled.",
        );
    }
    let factor = hyper.plan.factor(ctx.cursor.step.saturating_sub(1), series::steps(ctx));
    if factor != 1.0 {
        equation(ui, ctx, "all rates times the schedule's factor", format!("= {}", number::significant(factor, 4)));
    }
    let tau = hyper.tau_at(ctx.cursor.step.saturating_sub(1), series::steps(ctx));
    if hyper.ema {
        let memory =
            if tau < 1.0 { format!(", about {} steps", number::compact(1.0 / (1.0 - tau))) } else { String::new() };
        equation(ui, ctx, "θa ← θa + (1−τ)(θ − θa)", format!("τ = {}{memory}", number::significant(tau, 4)));
    } else {
        equation(ui, ctx, "θa ← θ after each step (SimSiam)", "");
    }
    predictor(params, hyper, ui, ctx);
    let (c, residual) = (shown(ctx, "sqrt_fit/scale"), shown(ctx, "sqrt_fit/residual"));
    equation(ui, ctx, "root law p ≈ c √s", format!("c = {c}, residual {residual}"));
    if hyper.symmetry {
        let text = if PREDICTOR_LAYERS.of(params) == Layers::Two {
            "Tied: W₂ = W₁ᵀ. So W₂W₁ is symmetric without negative eigenvalues by construction: imposed, not learned."
        } else {
            "Wp ← (Wp + Wpᵀ)/2 after each step: symmetry is imposed, not learned."
        };
        line(ui, ctx, text);
    }
}

fn predictor(params: &Params, hyper: &Hyper, ui: &mut Ui, ctx: &ViewCtx<'_>) {
    let exact = number::exact;
    let every = hyper.direct_every;
    match hyper.rule {
        _ if PREDICTOR_LAYERS.of(params) == Layers::None => equation(ui, ctx, "no predictor: p = z", "Wp = I"),
        PredictorRule::Fixed => equation(ui, ctx, "Wp is not trained", "it stays as it is"),
        PredictorRule::Gradient if !matches!(hyper.optimizer, Rule::Sgd { .. }) => {
            let rates = hyper.predictor;
            let by = OPTIMIZER.item(params).map_or("", |item| item.label);
            let text = format!("α_pred = {}, η_pred = {}", exact(rates.learning_rate), exact(rates.decay));
            equation(ui, ctx, &format!("Wp by {by}"), text);
        }
        PredictorRule::Gradient => {
            let rates = hyper.predictor;
            equation(
                ui,
                ctx,
                "Wp ← Wp − α_pred v,  v ← μ v + ∂L/∂Wp + η_pred Wp",
                format!("α_pred = {}, η_pred = {}", exact(rates.learning_rate), exact(rates.decay)),
            );
            // A random antisymmetric part that no gradient renews shrinks by this factor.
            let constant = !ctx.run.changes.iter().any(|change| {
                [RATE_PREDICTOR.key(), DECAY_PREDICTOR.key(), MOMENTUM.key()].contains(&change.key.as_str())
            }) && hyper.plan.is_constant();
            if hyper.momentum < 1.0 && rates.decay > 0.0 && !hyper.symmetry && constant {
                let folds = rates.learning_rate * rates.decay * ctx.cursor.step as f64 / (1.0 - hyper.momentum);
                // Both factors of W2 W1 decay.
                let (folds, law) = match PREDICTOR_LAYERS.of(params) == Layers::Two {
                    true => (2.0 * folds, "decay alone: e^(−2 α_pred η_pred k/(1−μ))"),
                    false => (folds, "decay alone: e^(−α_pred η_pred k/(1−μ))"),
                };
                equation(ui, ctx, law, format!("= e^(−{}) = {}", number::short(folds), number::short((-folds).exp())));
            }
            if PREDICTOR_LAYERS.of(params) == Layers::Two {
                line(ui, ctx, "Shown as Wp := W₂W₁, the linear product: bias, normalisation and ReLU are left out.");
            }
        }
        PredictorRule::DirectPred => {
            let law = match DIRECT_MODE.of(params) {
                Mode::Eq5 => "Wp = U diag(√λ + ε λmax) Uᵀ",
                Mode::Normalised | Mode::Replication => "Wp = U diag(√(λ/λmax) + ε) Uᵀ",
            };
            equation(ui, ctx, law, format!("ε = {}, every {every} step(s)", exact(hyper.direct_epsilon)));
            equation(ui, ctx, "F ← ρ F + (1−ρ) C", format!("ρ = {}", exact(hyper.f_memory)));
        }
        PredictorRule::DirectCopy => {
            equation(
                ui,
                ctx,
                "Wp = F/‖F‖ + ε I",
                format!("ε = {}, every {every} step(s)", exact(hyper.direct_epsilon)),
            );
        }
    }
}

/// First and current value of what the paper claims.
fn measured(ui: &mut Ui, ctx: &ViewCtx<'_>) {
    let rows = [ASYMMETRY, ALIGNMENT, RANK, SPREAD, KNN, PROBE];
    let first = |key: &str| ctx.run.scalars.get(key).and_then(|history| history.points().next());
    if rows.iter().all(|row| first(row.key).is_none()) {
        return;
    }
    heading(ui, ctx, "Measured in this run");
    let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
    Grid::new("measured").num_columns(3).spacing(vec2(12.0, 3.0)).show(ui, |ui| {
        for text in ["", "at first", "here"] {
            ui.label(tile::weak(text, size, style));
        }
        ui.end_row();
        for row in rows {
            let Some((_, start)) = first(row.key) else { continue };
            ui.label(tile::weak(row.name, size + 0.5, style)).on_hover_text(row.help);
            ui.label(tile::mono(format!("{:>6}", number::short(start)), size, style).color(style.text_weak));
            ui.label(tile::mono(format!("{:>6}", shown(ctx, row.key)), size + 0.5, style));
            ui.end_row();
        }
    });
    let seed = ctx.run.header.as_ref().map(|header| header.seed);
    let seed = seed.map_or_else(String::new, |seed| format!("One run, seed {seed}. "));
    let text = format!("{seed}kNN and probe “at first” are the untrained network's: only what lies above was learned.");
    ui.add(Label::new(tile::weak(text, size, style)).wrap());
}

fn in_the_paper(params: &Params, ui: &mut Ui, ctx: &ViewCtx<'_>) {
    heading(ui, ctx, "In the paper (CIFAR-10, ResNet-18)");
    let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
    let (number, rows) = paper::table(params);
    Grid::new("paper").num_columns(2).spacing(vec2(12.0, 3.0)).show(ui, |ui| {
        for paper::Entry { title, probe, here } in rows {
            let color = if here { style.text } else { style.text_weak };
            let name = if here { format!("{title} (as here)") } else { title.to_owned() };
            ui.label(RichText::new(name).size(size + 1.0).color(color));
            ui.label(tile::mono(format!("{probe:.1} %"), size, style).color(color));
            ui.end_row();
        }
    });
    let predictor = if number == 1 { "two-layer predictor" } else { "one-layer predictor" };
    let dead = if number == 1 { " 20.3 % is a collapsed network;" } else { "" };
    let text = format!(
        "Table {number}: linear probe after 100 epochs, {predictor}, one run each. Not comparable with the probe here: other \
         pictures, another network, another protocol.{dead} Guessing is 10 %."
    );
    ui.add(Label::new(tile::weak(text, size, style)).wrap());
    for note in notes(params) {
        line(ui, ctx, *note);
    }
}

/// What the paper claims about this configuration, and where it does not hold here.
fn notes(params: &Params) -> &'static [&'static str] {
    let two = PREDICTOR_LAYERS.of(params) == Layers::Two;
    if !STOP_GRADIENT.of(params) || PREDICTOR_LAYERS.of(params) == Layers::None {
        return &[
            "See “Switch something off” in the guide: what SimSiam's paper measured, and what was measured here.",
        ];
    }
    match (PREDICTOR_RULE.of(params), EMA.of(params), SYMMETRY.of(params)) {
        (PredictorRule::Gradient, false, true) if !two => &[
            "Claim: without EMA a symmetric predictor collapses. Here too, with one layer and the rates of Table 1's preset, at \
             all of seeds 1 to 8. The plain one dies at one of them as well (7).",
            "“All eigenvalues become zero” is not what the paper's own data say: one eigenvalue grows, all others vanish. \
             Watch the effective rank go to 1.",
        ],
        (PredictorRule::Gradient, false, true) => &[
            "Claim: without EMA a symmetric predictor collapses. In a minute on the shapes two tied layers lose rank and \
             accuracy but need not die; at rate 0.15 they die even without symmetry.",
        ],
        (PredictorRule::Gradient, _, false) => &[
            "Claim: Wp turns symmetric by itself and its eigenspace aligns with F. Here: yes for the active modes; the \
             inactive ones stay unaligned, so the mean over all modes stays low.",
            "Asymmetry falls only as fast as decay removes the random antisymmetric part. Short runs need more decay.",
        ],
        (PredictorRule::Gradient, true, true) => {
            &["Claim: with EMA a symmetric predictor does no harm. Here neither, for seeds 1 to 3."]
        }
        (PredictorRule::Fixed, ..) => &[
            "Not in this paper. SimSiam's: with a fixed random predictor the loss stays high and nothing is learned, without \
             collapse. See “Switch something off” in the guide.",
        ],
        (PredictorRule::DirectPred | PredictorRule::DirectCopy, ..) => &[
            "Claim: DirectPred matches a one-layer predictor trained by SGD (84.7 against 83.3 %, Table 2). Symmetry and \
             alignment are set here, not learned: only rank, kNN and probe tell something.",
        ],
    }
}
