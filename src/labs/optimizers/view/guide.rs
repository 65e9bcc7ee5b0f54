//! The guide's live part: this surface, this optimizer, these numbers.

use eframe::egui::{Button, FontId, Label, RichText, Ui, vec2};

use crate::engine::params::Value;
use crate::kit::prose::{heading, line};
use crate::kit::view::ViewCtx;
use crate::labs::optimizers::rules::Rule;
use crate::labs::optimizers::surfaces::Surface;
use crate::plot::number;

use super::paths::{self, Measured, Path};
use super::{arrows, controls};

/// What the guide keeps between frames: the measurements of each path.
#[derive(Debug, Default)]
pub struct GuideState {
    measured: [Measured; Rule::ALL.len()],
}

/// Draws the guide.
pub fn ui(state: &mut GuideState, selected: Rule, ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
    let surface = paths::surface(ctx);
    let all = Path::all(ctx.run);
    for path in &all {
        state.measured[path.rule.index()].extend(path, surface);
    }
    ui.spacing_mut().item_spacing = vec2(6.0, 5.0);
    about_surface(surface, ui, ctx);
    if let Some(path) = all.iter().find(|path| path.rule == selected) {
        equations(path, surface, ui, ctx);
    }
    if !all.is_empty() {
        measured(state, &all, surface, ui, ctx);
    }
    article(surface, ui, ctx);
    tries(surface, ui, ctx);
}

fn about_surface(surface: &Surface, ui: &mut Ui, ctx: &ViewCtx<'_>) {
    heading(ui, ctx, "This surface");
    let size = controls::font_size(ctx);
    let formula = RichText::new(format!("f = {}", surface.formula)).font(FontId::monospace(size + 1.0));
    ui.add(Label::new(formula.color(ctx.style.text)).wrap());
    line(ui, ctx, surface.about);
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
        facts.push_str(" It has no minimum: f falls without end.");
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
    let Some(trace) = arrows::trace(path, surface, ctx) else {
        let row = path.row_at(step);
        let text =
            if path.is_finite(row) { "The path ends here." } else { "It has diverged: its numbers are not finite." };
        return line(ui, ctx, text);
    };
    let sub = ctx.cursor.sub.min(trace.parts.len());
    for (index, part) in trace.parts.iter().enumerate() {
        let color = if sub == index + 1 { ctx.style.accent } else { ctx.style.text };
        let equation = RichText::new(part.equation).font(FontId::monospace(size)).color(ctx.style.text_weak);
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

/// When each optimizer left the line, arrived or diverged, measured on this run.
fn measured(state: &GuideState, all: &[Path<'_>], surface: &Surface, ui: &mut Ui, ctx: &ViewCtx<'_>) {
    heading(ui, ctx, "Measured in this run");
    let size = controls::font_size(ctx);
    let escape = surface.minima().next().is_none();
    let about =
        if escape { "First step with |y| above 0.5:" } else { "First step within 1 % of the window of a minimum:" };
    line(ui, ctx, about);
    let end = all.iter().map(|path| path.row_count() - 1).max().unwrap_or(0) as u64;
    for path in all {
        let seen = &state.measured[path.rule.index()];
        let reached = if escape { seen.left_the_line } else { seen.reached.map(|(step, _)| step) };
        let mut text = match (reached, seen.diverged) {
            (Some(step), _) => format!("step {}", number::grouped(step as u64)),
            (None, Some(_)) => String::new(),
            (None, None) => format!("not within {}", number::counted(end, "step", "steps")),
        };
        if let (Some((_, at)), true) = (seen.reached, !escape && surface.minima().count() > 1) {
            text.push_str(&format!(" at ({}, {})", number::short(at[0]), number::short(at[1])));
        }
        if let Some(step) = seen.diverged {
            let comma = if text.is_empty() { "" } else { ", " };
            text.push_str(&format!("{comma}diverged at step {}", number::grouped(step as u64)));
        }
        ui.horizontal_wrapped(|ui| {
            let color = ctx.style.category(path.rule.index()).color;
            let (rect, _) = ui.allocate_exact_size(vec2(0.8 * size, size), eframe::egui::Sense::hover());
            ui.painter().circle_filled(rect.center(), 0.34 * size, color);
            let name = format!("{:<9}", path.rule.title());
            ui.label(RichText::new(name).font(FontId::monospace(size + 0.5)).color(ctx.style.text));
            ui.label(RichText::new(text).font(FontId::monospace(size + 0.5)).color(ctx.style.text_weak));
        });
    }
}

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

/// Something to try: a text and the parameters that it sets.
struct Try {
    text: &'static str,
    set: &'static [(&'static str, Setting)],
}

#[derive(Debug, Clone, Copy)]
enum Setting {
    Number(f64),
    Whole(i64),
    Choice(&'static str),
}

impl Setting {
    fn value(self) -> Value {
        match self {
            Setting::Number(v) => Value::Float(v),
            Setting::Whole(v) => Value::Int(v),
            Setting::Choice(v) => Value::Text(v.to_owned()),
        }
    }
}

use Setting::{Choice, Number, Whole};

const SADDLE: &[Try] = &[
    Try { text: "η = 0.1: who overtakes AdaDelta, which has no η?", set: &[("learning_rate", Number(0.1))] },
    Try {
        text: "Start at y = 1e-10, as the article's figure does.",
        set: &[("start_y", Number(1e-10)), ("steps", Whole(500))],
    },
    Try { text: "Start at y = 0 exactly: nobody ever leaves the line.", set: &[("start_y", Number(0.0))] },
    Try { text: "Three ways down instead of two: the monkey saddle.", set: &[("surface", Choice("monkey_saddle"))] },
];
const QUARTIC: &[Try] = &[
    Try {
        text: "μ = 0.95 from (1, −0.5): how far does Momentum overshoot, and NAG?",
        set: &[("start_x", Number(1.0)), ("start_y", Number(-0.5)), ("momentum", Number(0.95)), ("steps", Whole(200))],
    },
    Try { text: "μ = 0.5 instead: does it oscillate less or more?", set: &[("momentum", Number(0.5))] },
    Try {
        text: "The vanishing gradient: from (1, −0.8), who passes the shelf at (0, 0)?",
        set: &[("start_x", Number(1.0)), ("start_y", Number(-0.8)), ("momentum", Number(0.95)), ("steps", Whole(400))],
    },
];
const RAVINE: &[Try] = &[
    Try { text: "η = 0.0201, just above 2/b: SGD diverges.", set: &[("learning_rate", Number(0.0201))] },
    Try { text: "η = 0.0199, just below: SGD crawls to the minimum.", set: &[("learning_rate", Number(0.0199))] },
    Try { text: "μ = 0.67, the best for this ravine.", set: &[("momentum", Number(0.67))] },
];
const ANY: &[Try] = &[
    Try { text: "Ten times the learning rate: who still arrives?", set: &[("learning_rate", Number(0.1))] },
    Try {
        text: "A ravine: find the η at which SGD diverges.",
        set: &[
            ("surface", Choice("ill_conditioned_quadratic")),
            ("start_x", Number(-1.8)),
            ("start_y", Number(0.4)),
            ("learning_rate", Number(0.019)),
            ("steps", Whole(200)),
        ],
    },
    Try {
        text: "Back to the saddle.",
        set: &[
            ("surface", Choice("saddle")),
            ("start_x", Number(0.5)),
            ("start_y", Number(1e-4)),
            ("learning_rate", Number(0.01)),
            ("momentum", Number(0.9)),
            ("steps", Whole(420)),
        ],
    },
];

fn tries(surface: &Surface, ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
    heading(ui, ctx, "Try");
    let own = match surface.id {
        "saddle" => SADDLE,
        "article_quartic" => QUARTIC,
        "ill_conditioned_quadratic" => RAVINE,
        _ => &[],
    };
    let back = if surface.id == "saddle" { &ANY[1..2] } else { ANY };
    let size = controls::font_size(ctx);
    for item in own.iter().chain(back) {
        let text = RichText::new(item.text).size(size + 1.0).color(ctx.style.text);
        let button = Button::new(text).wrap().min_size(vec2(ui.available_width(), 0.0));
        let values: Vec<String> = item.set.iter().map(|(key, value)| format!("{key} = {}", value.value())).collect();
        if ui.add(button).on_hover_text(format!("Sets {}", values.join(", "))).clicked() {
            for (key, value) in item.set {
                ctx.set(key, value.value(), true);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::params;
    use crate::labs::optimizers::params::PARAMS;

    #[test]
    fn everything_to_try_is_a_valid_setting() {
        for item in SADDLE.iter().chain(QUARTIC).chain(RAVINE).chain(ANY) {
            for (key, value) in item.set {
                let spec = params::find(PARAMS, key).unwrap();
                spec.check(&value.value()).unwrap();
            }
        }
    }
}
