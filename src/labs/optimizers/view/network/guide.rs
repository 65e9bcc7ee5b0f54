//! The guide's live part: the network, its loss, and what the current numbers say.

use eframe::egui::{RichText, Ui};

use crate::kit::view::ViewCtx;
use crate::labs::optimizers::network::roster::{BurnRule, Kind, ROSTER};
use crate::labs::optimizers::rules::Rule;
use crate::plot::number;
use crate::plot::tile;

use super::{NetworkState, parts, payload, present, stopped_at, value};
use crate::engine::event::Payload;
use crate::labs::optimizers::params::{ACTIVATION, BATCH_SIZE, HIDDEN, LAYERS};

/// Draws the live part of the guide.
pub fn guide(state: &mut NetworkState, ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
    let (style, run, step) = (ctx.style, ctx.run, ctx.cursor.step);
    let size = tile::font_size(ctx.presenting) + 1.0;
    let params = if run.header.is_some() { &run.params } else { ctx.params };
    let text = |ui: &mut Ui, text: String| {
        ui.label(RichText::new(text).size(size).color(style.text));
    };
    let heading = |ui: &mut Ui, text: &str| {
        ui.add_space(0.5 * size);
        ui.label(RichText::new(text).size(size + 1.5).color(style.text).strong());
    };
    let formula = |ui: &mut Ui, text: String| {
        ui.label(RichText::new(text).monospace().size(size).color(style.text));
    };

    heading(ui, "The network");
    let classes = match payload(ctx, "points/classes").as_deref() {
        Some(Payload::Text(names)) => names.lines().count(),
        _ => 2,
    };
    let (hidden, layers) = (HIDDEN.of(params) as usize, LAYERS.of(params) as usize);
    let count = (2 + 1) * hidden + (layers - 1) * (hidden + 1) * hidden + (hidden + 1) * classes;
    let inner = vec![hidden.to_string(); layers].join("–");
    text(
        ui,
        format!(
            "2–{inner}–{classes} units, {} after each hidden layer: {} weights, the same initial ones for every \
             optimizer, and the same batches of {}.",
            ACTIVATION.item(params).map_or("", |activation| activation.id),
            number::grouped(count as u64),
            number::counted(BATCH_SIZE.of(params), "point", "points"),
        ),
    );
    formula(ui, "L = −1/N Σ ln p(true class)".to_owned());
    text(
        ui,
        format!(
            "Guessing gives L = ln {classes} = {}. A point that is known for sure adds 0; one that is surely wrong adds \
             without bound.",
            number::short((classes as f64).ln())
        ),
    );

    let present = present(run);
    let chosen = state.selected.or_else(|| present.last().copied());
    if let Some(i) = chosen.filter(|i| present.contains(i)) {
        let entry = &ROSTER[i];
        heading(ui, &format!("{} at step {}", entry.title, number::grouped(step)));
        if let Some(last) = stopped_at(run, entry.id, step) {
            text(ui, format!("Diverged and stopped at step {last}: lower η and start again."));
        } else if let Some(loss) = value(run, "loss/train", entry.id, step) {
            formula(ui, format!("L = {}   e^(−L) = {}", number::short(loss), number::short((-loss).exp())));
            text(
                ui,
                "e^(−L) is the probability that the network gives to the true class, in the geometric mean.".into(),
            );
            if let (Some(train), Some(test)) =
                (value(run, "accuracy/train", entry.id, step), value(run, "accuracy/test", entry.id, step))
            {
                text(
                    ui,
                    format!(
                        "{} of the training points and {} of the test points are right.",
                        parts::percent(Some(train)),
                        parts::percent(Some(test))
                    ),
                );
            }
        }
        if let Some(note) = note(entry.kind) {
            text(ui, note.to_owned());
        }
    }
    ui.add_space(0.5 * size);
    let hint = "Click a legend entry, a row or a picture to follow another optimizer. η, μ, β, ρ and ε can be changed \
                while the networks train.";
    ui.label(tile::weak(hint, size - 1.0, style));
}

/// What one should know about an optimizer before comparing it.
fn note(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Article(Rule::AdaDelta) => {
            Some("AdaDelta has no η. With ε = 1e-8 its first steps are about 3e-4 long, so that it starts slowly.")
        }
        Kind::Article(Rule::Nag) => Some("NAG’s gradient is taken at the look-ahead point θ + μ v."),
        Kind::Article(_) => None,
        Kind::Burn(BurnRule::Sgd) => Some("Burn’s Sgd without momentum: the same update as SGD."),
        Kind::Burn(BurnRule::Momentum) => {
            Some("Burn’s Sgd with momentum μ. Its dampening, 0.1 by default, is set to 0.")
        }
        Kind::Burn(BurnRule::AdaGrad) => Some("Burn’s AdaGrad has ε = 1e-5, the article 1e-8."),
        Kind::Burn(BurnRule::RmsProp) => Some(
            "Burn’s RmsProp with its own defaults: α = 0.99, ε = 1e-5 and a momentum of 0.9, which RMSProp has not.",
        ),
        Kind::Burn(BurnRule::Adam) => Some("Burn’s Adam differs from Adam here by ε = 1e-5 alone."),
        Kind::Burn(BurnRule::AdamW) => Some("Burn’s AdamW also shrinks every weight by η · 1e-4 in each step."),
        Kind::Burn(BurnRule::Lion) => Some("Lion moves every weight by ±η: lower η to a third or a tenth of Adam’s."),
    }
}
