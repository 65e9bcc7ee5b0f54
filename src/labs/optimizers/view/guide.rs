//! The guide's live part: this surface, this optimizer, these numbers.

use eframe::egui::{FontId, Label, RichText, Ui, vec2};

use crate::kit::prose::{self, heading, line};
use crate::kit::view::ViewCtx;
use crate::labs::optimizers::SPEC;
use crate::labs::optimizers::difference::first_difference;
use crate::labs::optimizers::params::PARAMS;
use crate::labs::optimizers::rules::{Hyper, Rule};
use crate::labs::optimizers::surface_run;
use crate::labs::optimizers::surfaces::Surface;
use crate::plot::number;

use super::paths::{self, Path, Verdicts};
use super::{arrows, controls};

/// What the guide keeps between frames.
#[derive(Debug, Default)]
pub struct GuideState {
    parted: Parted,
}

/// Where the paths of a run part from those of the article's form.
#[derive(Debug, Default)]
struct Parted {
    /// The paths that were compared, and how many rows of them.
    of: Vec<(u64, usize)>,
    /// The article's paths.
    plain: Vec<(Rule, Vec<f64>)>,
    first: Vec<(Rule, Option<u64>)>,
}

/// Updates that are compared: the article's paths are computed in the frame that first shows them.
const COMPARED: u64 = 1_000;
/// What is called a difference: what one sees in the numbers of the table.
const DIFFERENCE: f64 = 1e-6;

/// Draws the guide.
pub fn ui(state: &mut GuideState, verdicts: &mut Verdicts, selected: Rule, ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
    let surface = paths::surface(ctx);
    let all = Path::all(ctx.run);
    ui.spacing_mut().item_spacing = vec2(6.0, 5.0);
    about_surface(&surface, ui, ctx);
    if let Some(path) = all.iter().find(|path| path.rule == selected) {
        equations(path, &surface, ui, ctx);
    }
    if !all.is_empty() {
        measured(verdicts, &all, &surface, ui, ctx);
        parted(&mut state.parted, &all, ui, ctx);
    }
    article(&surface, ui, ctx);
    prose::tries(ui, ctx, &SPEC);
}

fn about_surface(surface: &Surface, ui: &mut Ui, ctx: &ViewCtx<'_>) {
    heading(ui, ctx, "This surface");
    let size = controls::font_size(ctx);
    let formula = RichText::new(format!("f = {}", surface.formula())).font(FontId::monospace(size + 1.0));
    ui.add(Label::new(formula.color(ctx.style.text)).wrap());
    line(ui, ctx, surface.about);
    if let Some(expression) = surface.expression() {
        line(ui, ctx, format!("It was read as {expression}."));
    }
    let [[x0, x1], [y0, y1]] = surface.domain.map(|side| side.map(number::exact));
    let mut facts = format!("Drawn for x from {x0} to {x1}, y from {y0} to {y1}.");
    let minima: Vec<_> = surface.minima().collect();
    for minimum in minima.iter().take(4) {
        let [x, y] = minimum.position.map(number::compact);
        facts.push_str(&format!(
            " {} at ({x}, {y}): f = {}.",
            capitalised(minimum.kind.title()),
            number::compact(minimum.value)
        ));
    }
    if minima.is_empty() {
        facts.push_str(match surface.expression() {
            Some(_) => " No minimum was found in this window.",
            None => " It has no minimum: f falls without end.",
        });
    } else if minima.len() > 4 {
        facts.push_str(&format!(" And {} more known minima.", minima.len() - 4));
    }
    ui.add(Label::new(controls::weak(facts, size, ctx.style)).wrap());
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

fn equations(path: &Path<'_>, surface: &Surface, ui: &mut Ui, ctx: &ViewCtx<'_>) {
    let step = ctx.cursor.step;
    heading(
        ui,
        ctx,
        &format!("{}, update {} → {}", path.rule.title(), number::grouped(step), number::grouped(step + 1)),
    );
    let size = controls::font_size(ctx);
    let hyper = paths::hyper_at(ctx, step);
    let factor = hyper.own_rates.factor(path.rule.index());
    if factor != 1.0 {
        let rate = number::exact(hyper.own(path.rule).learning_rate);
        line(ui, ctx, format!("It has a rate of its own: η = {rate}, {} times what all share.", number::exact(factor)));
    }
    let Some(trace) = arrows::trace(path, surface, ctx) else {
        let row = path.row_at(step);
        let text =
            if path.is_finite(row) { "The path ends here." } else { "It has diverged: its numbers are not finite." };
        return line(ui, ctx, text);
    };
    let sub = ctx.cursor.sub.min(trace.parts.len());
    for (index, part) in trace.parts.iter().enumerate() {
        let color = if sub == index + 1 { ctx.style.accent } else { ctx.style.text };
        let equation = RichText::new(part.equation.as_ref()).font(FontId::monospace(size)).color(ctx.style.text_weak);
        ui.add(Label::new(equation).wrap());
        let [x, y] = part.value.map(number::short);
        let value = RichText::new(format!("   = ({x}, {y})")).font(FontId::monospace(size + 0.5)).color(color);
        ui.add(Label::new(value).wrap());
    }
    let note = sub.checked_sub(1).map_or_else(|| trace.parts.last(), |index| trace.parts.get(index));
    if let Some(part) = note {
        line(ui, ctx, part.note.clone());
    }
}

/// What became of each optimizer in this run.
fn measured(verdicts: &mut Verdicts, all: &[Path<'_>], surface: &Surface, ui: &mut Ui, ctx: &ViewCtx<'_>) {
    heading(ui, ctx, "Measured in this run");
    let size = controls::font_size(ctx);
    let which = surface.minima().count() > 1;
    if surface.minima().next().is_some() {
        line(ui, ctx, "Arrived is who stays within 1 % of the window of a minimum.");
    }
    for path in all {
        let verdict = verdicts.of(path, surface);
        let text = verdict.map_or_else(String::new, |verdict| verdict.in_words(which));
        ui.horizontal_wrapped(|ui| {
            let color = ctx.style.category(path.rule.index()).color;
            let (rect, _) = ui.allocate_exact_size(vec2(0.8 * size, size), eframe::egui::Sense::hover());
            ui.painter().circle_filled(rect.center(), 0.34 * size, color);
            let name = format!("{:<10}", path.rule.title());
            ui.label(RichText::new(name).font(FontId::monospace(size + 0.5)).color(ctx.style.text));
            ui.label(RichText::new(text).size(size + 0.5).color(ctx.style.text_weak));
        });
    }
}

/// In a run of another convention, variant or schedule: the step at which each path is no longer the article's.
fn parted(state: &mut Parted, all: &[Path<'_>], ui: &mut Ui, ctx: &ViewCtx<'_>) {
    let Some(header) = ctx.run.header.as_ref().filter(|header| !Hyper::of(&header.params).choices.plain()) else {
        return;
    };
    let of: Vec<(u64, usize)> =
        all.iter().map(|path| (path.identity, path.row_count().min(1 + COMPARED as usize))).collect();
    if state.of.iter().map(|(id, _)| id).ne(of.iter().map(|(id, _)| id)) {
        let mut plain = header.params.clone();
        for set in PLAIN {
            // Each of them is a value that the parameter has.
            let _ = plain.set_text(PARAMS, set);
        }
        let noise = paths::noise(ctx);
        let computed = surface_run::noisy_paths(&plain, &ctx.run.changes, header.steps.min(COMPARED), &noise);
        *state = Parted { plain: computed.unwrap_or_default(), ..Parted::default() };
    }
    if state.of != of {
        let first = |path: &Path<'_>| {
            let (_, plain) = state.plain.iter().find(|(rule, _)| *rule == path.rule)?;
            first_difference(path.rows(), plain, DIFFERENCE)
        };
        state.first = all.iter().map(|path| (path.rule, first(path))).collect();
        state.of = of;
    }
    heading(ui, ctx, "First step that differs from the article’s form");
    let size = controls::font_size(ctx);
    for (rule, step) in &state.first {
        let text = step.map_or_else(
            || format!("none in the first {}", number::counted(COMPARED.min(header.steps), "step", "steps")),
            |step| format!("step {}", number::grouped(step)),
        );
        ui.label(
            RichText::new(format!("{:<10} {text}", rule.title()))
                .font(FontId::monospace(size + 0.5))
                .color(ctx.style.text_weak),
        );
    }
}

/// The article's form.
const PLAIN: [&str; 5] = [
    "convention=article",
    "epsilon_place=outside",
    "bias_correction=on",
    "schedule=constant",
    "momentum_schedule=constant",
];

fn article(surface: &Surface, ui: &mut Ui, ctx: &ViewCtx<'_>) {
    heading(ui, ctx, "In the article");
    for note in notes(surface) {
        line(ui, ctx, *note);
    }
}

fn notes(surface: &Surface) -> &'static [&'static str] {
    match surface.id {
        "saddle" => &[
            "“Adaptive methods break out from the symmetry much quicker than SGD and momentum algorithms”, all with η = 0.01. The list above is what happens here.",
            "The caption of its x, y, z figure says μ = 0.95; the curves drawn there fit μ = 0.9.",
            "AdaDelta takes a learning rate and never uses it: its three curves are identical.",
        ],
        "article_quartic" => &[
            "The figure calls this surface convex; its curvature along x, 12x(x + 1), is negative for −1 < x < 0.",
            "It speaks of a local and a global minimum. There is one minimum, and a flat shelf at (0, 0) that is none.",
            "“Larger momentum dampens the oscillations” near the minimum: here larger μ oscillates longer. Try it.",
        ],
        _ => &["The article does not use this surface. Its update rules are the ones running here."],
    }
}
