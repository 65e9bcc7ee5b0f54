//! The guide's live part: this network, the selected optimizer, what the numbers say; and the lesson of the network.

use eframe::egui::{Button, RichText, Ui, vec2};

use crate::kit::prose::{self, equation, heading, line};
use crate::kit::view::{ViewAction, ViewCtx};
use crate::labs::optimizers::SPEC;
use crate::labs::optimizers::network::features::{Feature, enabled};
use crate::labs::optimizers::network::penalty::Norm;
use crate::labs::optimizers::network::roster::{BurnRule, Entry, Kind, ROSTER};
use crate::labs::optimizers::network::shape;
use crate::labs::optimizers::params::{
    ACTIVATION, BATCH_SIZE, HIDDEN, LAYERS, REGULARISATION, REGULARISATION_RATE, TEST_FRACTION,
};
use crate::labs::optimizers::rules::Rule;
use crate::plot::number;
use crate::plot::tile;

use super::{NetworkState, inside, parts, payload, present, stopped_at, value};
use crate::engine::event::Payload;
use crate::engine::params::Params;

/// Draws the live part of the guide.
pub fn guide(state: &mut NetworkState, ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
    ui.spacing_mut().item_spacing = vec2(6.0, 5.0);
    let run = ctx.run;
    let params = if run.header.is_some() { &run.params } else { ctx.params };
    the_network(params, ui, ctx);
    let present = present(run);
    let chosen = state.selected.or_else(|| present.last().copied());
    let entry = chosen.filter(|i| present.contains(i)).map(|i| &ROSTER[i]);
    if let Some(entry) = entry {
        the_optimizer(entry, ui, ctx);
    }
    the_lesson(entry, params, ui, ctx);
    prose::tries(ui, ctx, &SPEC);
    ui.add_space(6.0);
    let hint = "Click a legend entry, a row or a picture to follow another optimizer. η, μ, β, ρ, ε and the regularisation’s λ \
                can be changed while the networks train.";
    ui.label(tile::weak(hint, tile::font_size(ctx.presenting), ctx.style));
}

fn the_network(params: &Params, ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
    heading(ui, ctx, "The network");
    let classes = match payload(ctx, "points/classes").as_deref() {
        Some(Payload::Text(names)) => names.lines().count().max(2),
        _ => 2,
    };
    let features: Vec<&str> = enabled(params).into_iter().map(Feature::title).collect();
    let inner = vec![HIDDEN.of(params).to_string(); LAYERS.of(params) as usize].join("–");
    line(
        ui,
        ctx,
        format!(
            "It sees {}. {}–{inner}–{classes} units, {} after each hidden layer: {} weights and biases, the same initial \
             ones for every optimizer, and the same batches of {}.",
            features.join(", "),
            features.len(),
            ACTIVATION.item(params).map_or("", |activation| activation.label),
            number::grouped(shape(params, classes).parameters() as u64),
            number::counted(BATCH_SIZE.of(params), "point", "points"),
        ),
    );
    equation(ui, ctx, "L = −1/N Σ ln p(true class)", "");
    line(
        ui,
        ctx,
        format!(
            "Guessing gives L = ln {classes} = {}. A point that is known for sure adds 0; one that is surely wrong adds \
             without bound.",
            number::short((classes as f64).ln())
        ),
    );
    let inside = Button::new(RichText::new("See it from inside").size(tile::font_size(ctx.presenting) + 1.0));
    if ui.add(inside).on_hover_text("Shows the tile Inside: units, weights, what each unit answers").clicked() {
        ctx.actions.push(ViewAction::ShowTile(inside::TILE.spec.id));
    }
}

fn the_optimizer(entry: &Entry, ui: &mut Ui, ctx: &ViewCtx<'_>) {
    let (run, step) = (ctx.run, ctx.cursor.step);
    heading(ui, ctx, &format!("{} at step {}", entry.title, number::grouped(step)));
    let of = |family: &str| value(run, family, entry.id, step);
    if let Some(last) = stopped_at(run, entry.id, step) {
        line(ui, ctx, format!("Diverged and stopped at step {last}: lower η and start again."));
    } else if let Some(loss) = of("loss/train") {
        equation(ui, ctx, "e^(−L)", format!("= e^(−{}) = {}", number::short(loss), number::short((-loss).exp())));
        line(ui, ctx, "The probability that the network gives to the true class, in the geometric mean.");
        if let (Some(train), Some(test)) = (of("accuracy/train"), of("accuracy/test")) {
            let [train, test] = [train, test].map(|share| parts::percent(Some(share)));
            line(ui, ctx, format!("{train} of the training points and {test} of the test points are right."));
        }
    }
    if let Some(note) = note(entry.kind) {
        line(ui, ctx, note);
    }
}

fn the_lesson(entry: Option<&Entry>, params: &Params, ui: &mut Ui, ctx: &ViewCtx<'_>) {
    heading(ui, ctx, "What the line is");
    line(
        ui,
        ctx,
        "Every point of the plane gets a probability for each class; the colour says which is likeliest and how sure the \
         network is. On the line two classes are equally likely. A unit of the first layer knows one straight cut across \
         what it sees, soft for tanh and with a kink for ReLU; the later layers put the cuts together into a curve.",
    );

    heading(ui, ctx, "Train against test");
    let share = parts::percent(Some(TEST_FRACTION.of(params)));
    line(
        ui,
        ctx,
        format!(
            "{share} of the points (rings) are never trained on. The training loss (bold) says how well the network knows \
             what it has seen, the test loss (fine) how well it guesses what it has not. Only the second tells whether it \
             has learned."
        ),
    );
    if let Some(text) = entry.and_then(|entry| overfitting(entry, ctx)) {
        line(ui, ctx, text);
    }

    heading(ui, ctx, "Islands");
    line(
        ui,
        ctx,
        "A small patch of one colour around a single training point, deep in the other colour, is overfitting that one can \
         see: the point is noise, and the network has learned it by heart. With few points, much noise and many steps \
         islands grow; test points that fall on them are wrong.",
    );

    heading(ui, ctx, "Features");
    line(
        ui,
        ctx,
        "x₁ and x₂ are x and y less the mean of the training points, over their standard deviation. Squares, the product \
         and sines are computed from these. They do by hand what hidden layers would have to find: circles are a straight \
         cut in x₁² and x₂², xor is one in x₁x₂, and sines give a spiral’s arms a start.",
    );

    heading(ui, ctx, "Regularisation");
    let (law, effect) = match REGULARISATION.of(params) {
        Some(Norm::L1) => (
            "L + λ Σ |w|",
            "L1 pulls small weights as hard as large ones, so that many end near 0: lines of Inside go out.",
        ),
        Some(Norm::L2) => (
            "L + ½ λ Σ w²",
            "L2 takes the same share of every weight, so that none becomes large and the line stays smooth.",
        ),
        None => (
            "L + ½ λ Σ w²",
            "It is off. L2 keeps all weights small and the line smooth; L1 takes many weights to about 0. Either holds \
             islands back, and too much of it leaves nothing but a guess.",
        ),
    };
    let value = match REGULARISATION.of(params) {
        Some(_) => format!("λ = {}", number::exact(REGULARISATION_RATE.of(params))),
        None => String::new(),
    };
    equation(ui, ctx, law, value);
    line(ui, ctx, effect);
    line(ui, ctx, "It pulls at what is trained; the losses that are drawn are always those of the data alone.");
}

/// Whether the test loss of an optimizer has risen again before the cursor, in words.
fn overfitting(entry: &Entry, ctx: &ViewCtx<'_>) -> Option<String> {
    let (run, step) = (ctx.run, ctx.cursor.step);
    let history = run.scalars.get(format!("loss/test/{}", entry.id).as_str())?;
    let so_far = history.points().take_while(|(at, _)| *at <= step);
    let (best, lowest) = so_far.min_by(|a, b| a.1.total_cmp(&b.1))?;
    let at = |family: &str, at: u64| value(run, family, entry.id, at);
    let (now, trained, before) = (at("loss/test", step)?, at("loss/train", step)?, at("loss/train", best)?);
    let title = entry.title;
    if now <= 1.1 * lowest {
        return Some(format!("{title}’s test loss is about as low as it ever was: it does not overfit so far."));
    }
    let fell = if trained < before { ", though its training loss fell on: it overfits" } else { "" };
    let (best, lowest, now) = (number::grouped(best), number::short(lowest), number::short(now));
    Some(format!("{title}’s test loss was lowest at step {best}, {lowest}, and is {now} now{fell}."))
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
