//! The curvature lens: eigenvalues and eigenvectors of the Hessian at a place, what they allow η to be, and the local
//! quadratic model beside the surface.

use std::sync::Arc;

use eframe::egui::accesskit::Role;
use eframe::egui::{Color32, Label, Painter, Rect, RichText, ScrollArea, Sense, Stroke, Ui, UiBuilder, WidgetInfo};

use crate::kit::empty;
use crate::kit::fields::Fields;
use crate::kit::tiles::{Tile, TileCommand, TileSpec};
use crate::kit::view::ViewCtx;
use crate::labs::optimizers::rules::{Hyper, Rule, State};
use crate::labs::optimizers::theory::curvature::{Eigen, Quadratic, Shape};
use crate::labs::optimizers::theory::momentum::{Method, Recurrence, stability_limit};
use crate::labs::optimizers::theory::preconditioner::{preconditioned, threshold};
use crate::labs::optimizers::view::field::f_of;
use crate::labs::optimizers::view::paths::{self, Path};
use crate::labs::optimizers::view::{OptimizersView, controls, marks};
use crate::plot::axes::{Axes, Bounds, Titles, navigate};
use crate::plot::colormap::ColorMap;
use crate::plot::field::{FieldState, Request, ScaleChoice};
use crate::plot::scale::Scale;
use crate::plot::stroke::{LineMesh, Pen, Stop};
use crate::plot::style::{Dash, Style};
use crate::plot::{number, tile};

use super::{Whose, factor};

/// The tile.
pub static TILE: Tile<OptimizersView> = Tile {
    spec: TileSpec {
        id: "curvature",
        title: "Curvature",
        help: "Second derivatives where the pointer is in the field, or else where the selected optimizer is: the \
               eigenvalues of the Hessian, their directions as a cross, and the largest η that they allow. Beside \
               the surface stands its local quadratic model. Scroll in a picture to see more or less of it.",
        area: "space",
        follows_cursor: true,
    },
    show: |view, ui, ctx| self::ui(view, ui, ctx),
    commands: &[
        TileCommand {
            id: "curvature-closer",
            title: "Curvature: closer",
            run: |view, _, _| view.theory.curvature.zoom(0.5),
        },
        TileCommand {
            id: "curvature-wider",
            title: "Curvature: wider",
            run: |view, _, _| view.theory.curvature.zoom(2.0),
        },
    ],
};

/// View state of the tile.
#[derive(Debug)]
pub struct CurvatureTile {
    surface: FieldState,
    model: FieldState,
    /// Half the height of the pictures, as a share of the shorter side of the surface's window.
    share: f64,
}

impl Default for CurvatureTile {
    fn default() -> Self {
        Self { surface: FieldState::default(), model: FieldState::default(), share: 0.25 }
    }
}

impl CurvatureTile {
    /// What of it belongs to a scene.
    pub fn fields(&mut self, fields: &mut Fields) {
        fields.number("zoom", &mut self.share, 0.25, 1e-6..=2.0);
    }

    fn zoom(&mut self, factor: f64) {
        self.share = (self.share * factor).clamp(1e-6, 2.0);
    }
}

/// Draws the tile.
fn ui(view: &mut OptimizersView, ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
    let (at, whose) = super::place(view, ctx);
    let (size, selected) = (controls::font_size(ctx), view.selected);
    let (bar, rest) = controls::split(ui, size);
    let state = &mut view.theory.curvature;
    let text = format!("{}: ({}, {})", whose.title(), number::short(at[0]), number::short(at[1]));
    controls::bar(ui, bar, controls::weak(text, size, ctx.style), |ui| {
        if controls::button(ui, state.share < 2.0, "wider", "Show more of the surface around the place", size) {
            state.zoom(2.0);
        }
        if controls::button(ui, state.share > 1e-6, "closer", "Show less of the surface around the place", size) {
            state.zoom(0.5);
        }
    });
    let model = super::model(ctx, at);
    let Some(eigen) = Eigen::of(model.hessian) else {
        let hint = "A second derivative is not a number there. Point at another place of the field.";
        ui.scope_builder(UiBuilder::new().max_rect(rest), |ui| empty::message(ui, ctx, "No curvature here", hint));
        return;
    };
    // Side by side where there is room, else one above the other; a very small tile has the words alone.
    let (pictures, words) = if rest.width() > 52.0 * size {
        let cut = rest.left() + 0.55 * rest.width();
        (Some(rest.with_max_x(cut)), rest.with_min_x(cut + size))
    } else if rest.height() > 20.0 * size {
        let cut = rest.top() + (0.5 * rest.height()).min(0.62 * rest.width());
        (Some(rest.with_max_y(cut)), rest.with_min_y(cut + 0.5 * size))
    } else {
        (None, rest)
    };
    if let Some(place) = pictures {
        draw_pictures(state, place, &model, &eigen, ui, ctx);
    }
    let lines = lines(&eigen, &super::hyper(ctx), adaptive(selected, whose, &model, ctx));
    ui.scope_builder(UiBuilder::new().max_rect(words), |ui| {
        ui.shrink_clip_rect(words);
        ScrollArea::vertical().id_salt("curvature").auto_shrink(false).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 0.35 * size;
            for line in &lines {
                let color = match line.tone {
                    Tone::Plain => ctx.style.text,
                    Tone::Weak => ctx.style.text_weak,
                    Tone::Warning => ctx.style.warning,
                };
                let text = RichText::new(&line.text).size(size + if line.tone == Tone::Weak { 0.5 } else { 1.0 });
                ui.add(Label::new(text.color(color)).wrap()).on_hover_text(line.help);
            }
        });
    });
}

/// How a line is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tone {
    Plain,
    Weak,
    Warning,
}

/// A line of words.
#[derive(Debug, Clone, PartialEq)]
struct Line {
    text: String,
    tone: Tone,
    help: &'static str,
}

/// What an adaptive method sees of the place.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Adaptive {
    rule: Rule,
    /// Of P^−½ H P^−½.
    eigen: Eigen,
    /// η times the largest eigenvalue at which it becomes unstable.
    threshold: f64,
    eta: f64,
}

/// The selected optimizer's own view of the curvature, where it is adaptive and the place is its own.
fn adaptive(selected: Rule, whose: Whose, model: &Quadratic, ctx: &ViewCtx<'_>) -> Option<Adaptive> {
    let Whose::Optimizer(rule, k) = whose else { return None };
    let path = Path::of(ctx.run, selected).filter(|path| path.rule == rule)?;
    let hyper = super::hyper(ctx);
    // The state after the next update holds the squares that this update divides by; at the end the last one.
    let state = path.state((k + 1).min(path.row_count() - 1));
    let (diagonal, threshold, eta) = divisor(rule, &state, &hyper.own(rule))?;
    let fine = diagonal.iter().all(|v| v.is_finite() && *v > 0.0);
    let eigen = Eigen::of(preconditioned(model.hessian, diagonal)).filter(|_| fine)?;
    Some(Adaptive { rule, eigen, threshold, eta })
}

/// P of an adaptive rule as its update divides by it, η times the stable sharpness, and η.
fn divisor(rule: Rule, state: &State, hyper: &Hyper) -> Option<([f64; 2], f64, f64)> {
    let (eta, epsilon) = (hyper.learning_rate, hyper.epsilon);
    if state.k == 0 {
        return None;
    }
    match rule {
        Rule::AdaGrad | Rule::RmsProp => Some((state.a.map(|s| s.sqrt() + epsilon), 2.0, eta)),
        // Its own ratio of averages stands in for η.
        Rule::AdaDelta => {
            let divisor = [0, 1].map(|i| (state.a[i] + epsilon).sqrt() / (state.b[i] + epsilon).sqrt());
            Some((divisor, 2.0, 1.0))
        }
        Rule::Adam => {
            let k = state.k as f64;
            let (first, second) = (1.0 - hyper.adam_beta1.powf(k), 1.0 - hyper.adam_beta2.powf(k));
            let diagonal = state.b.map(|v| first * ((v / second).sqrt() + epsilon));
            Some((diagonal, threshold(hyper.adam_beta1), eta))
        }
        _ => None,
    }
}

/// The words of the tile.
fn lines(eigen: &Eigen, hyper: &Hyper, adaptive: Option<Adaptive>) -> Vec<Line> {
    let line = |tone: Tone, help: &'static str, text: String| Line { text, tone, help };
    let (shape, angles, [most, least]) = (eigen.shape(), eigen.angles(), eigen.values);
    let (eta, mu) = (hyper.own(Rule::Sgd).learning_rate, hyper.momentum);
    let direction = |name: &str, i: usize| {
        format!("{name} = {} along {}°", number::short(eigen.values[i]), number::compact(angles[i].round()))
    };
    let mut out = vec![line(
        Tone::Plain,
        "Eigenvalues of the Hessian: the curvature along its two eigenvectors, whose angle is taken from the x axis",
        format!("{}:  {}  ·  {}", capitalised(shape.title()), direction("λ₁", 0), direction("λ₂", 1)),
    )];
    let condition = match (shape, eigen.condition()) {
        (Shape::Flat, _) | (_, None) => "No curvature at all: the local model is a plane.".to_owned(),
        (Shape::Trough | Shape::Ridge, _) => "One direction is flat: κ = ∞, and nothing brings θ along it.".to_owned(),
        (Shape::Saddle, Some(ratio)) => {
            format!(
                "The signs differ, so there is no condition number; |λ| differ by a factor of {}.",
                number::short(ratio)
            )
        }
        (_, Some(kappa)) => format!("Condition number κ = |λ|ₘₐₓ/|λ|ₘᵢₙ = {}.", number::short(kappa)),
    };
    out.push(line(Tone::Weak, "How much more one direction is curved than the other", condition));
    if most > 0.0 {
        for (name, rule, method, mu) in [
            ("Gradient descent", Rule::Sgd, Method::HeavyBall, 0.0),
            ("Momentum", Rule::Momentum, Method::HeavyBall, mu),
            ("NAG", Rule::Nag, Method::Nesterov, mu),
        ] {
            let (text, tone) = verdict(name, method, most, hyper.own(rule).learning_rate, mu);
            out.push(line(tone, LIMIT_HELP, text));
        }
    }
    if least < 0.0 && shape != Shape::Flat {
        let grown = factor(1.0 + eta * least.abs());
        out.push(line(
            Tone::Weak,
            "Along a direction that curves downwards every gradient method moves away, at any learning rate",
            format!(
                "Along {} the surface curves downwards: gradient descent leaves by {grown} a step.",
                degrees(angles[1])
            ),
        ));
    }
    if let Some(adaptive) = adaptive {
        let sharpness = adaptive.eigen.values[0];
        let limit = adaptive.threshold / adaptive.eta;
        let side = match () {
            () if sharpness <= 0.0 => "no direction curves upwards",
            () if sharpness < limit => "below: stable",
            () => "above: at the edge of stability or beyond",
        };
        let scale = if adaptive.rule == Rule::AdaDelta {
            number::compact(adaptive.threshold)
        } else {
            format!("{}/η = {}", number::compact(adaptive.threshold), number::compact(limit))
        };
        out.push(line(
            Tone::Plain,
            "P is the diagonal that its update divides by. Theory of a frozen P (Cohen et al., 2022); a real one follows \
             the gradients",
            format!(
                "{} sees P^−½HP^−½ with λ₁ = {}, λ₂ = {}; limit {scale}: {side} (theory, P held still).",
                adaptive.rule.title(),
                number::short(sharpness),
                number::short(adaptive.eigen.values[1]),
            ),
        ));
    }
    out
}

const LIMIT_HELP: &str =
    "Limits of η: 2/λ₁ for gradient descent, (2 + 2μ)/λ₁ for Momentum, (2 + 2μ)/((1 + 2μ)λ₁) for NAG";

/// What a method does along the steepest direction, λ > 0.
fn verdict(name: &str, method: Method, lambda: f64, eta: f64, mu: f64) -> (String, Tone) {
    let Some(limit) = stability_limit(method, lambda, mu) else {
        return (format!("{name}: any η is stable on so little curvature."), Tone::Plain);
    };
    let radius = Recurrence::new(method, lambda, eta, mu).radius();
    let law = match (method, mu == 0.0) {
        (_, true) => "2/λ₁",
        (Method::HeavyBall, _) => "(2 + 2μ)/λ₁",
        (Method::Nesterov, _) => "(2 + 2μ)/((1 + 2μ)λ₁)",
    };
    let symbol = if mu == 0.0 { "|1 − ηλ₁| = " } else { "" };
    let so = format!("η is {}, limit {law} = {}", number::exact(eta), number::compact(limit));
    if radius < 1.0 {
        (format!("{name}: {so}: stable, {symbol}{} of it stays a step.", factor(radius)), Tone::Plain)
    } else if eta <= limit * (1.0 + 1e-12) {
        (format!("{name}: {so}: on the edge, it neither shrinks nor grows."), Tone::Warning)
    } else {
        (format!("{name}: {so}: above, grows by {symbol}{} a step.", factor(radius)), Tone::Warning)
    }
}

fn degrees(angle: f64) -> String {
    format!("{}°", number::compact(angle.round()))
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// The surface and its model, side by side, over the same window.
fn draw_pictures(
    state: &mut CurvatureTile,
    place: Rect,
    model: &Quadratic,
    eigen: &Eigen,
    ui: &mut Ui,
    ctx: &ViewCtx<'_>,
) {
    let (size, style) = (controls::font_size(ctx), ctx.style);
    let surface = paths::surface(ctx);
    let [x, y] = surface.domain.map(|[low, high]| high - low);
    let smallest = 1e-9 * (1.0 + model.at[0].abs().max(model.at[1].abs()));
    let radius = (state.share * x.min(y)).max(smallest);
    let around = |v: f64| [v - radius, v + radius];
    let bounds = Bounds::new(around(model.at[0]), around(model.at[1]));
    if !bounds.is_valid() {
        return;
    }
    let (quadratic, id) = (*model, surface.identity());
    let mut zoomed = None;
    for (index, outer) in tile::panels(place, 2, 1.0, size).into_iter().enumerate() {
        let (name, title) = if index == 0 {
            ("surface around the place", "the surface")
        } else {
            ("local quadratic model", "its model")
        };
        let outer = tile::panel_heading(&ui.painter_at(outer), outer, title, size, style);
        let inner = Axes::new(outer, bounds, [Scale::Linear; 2], size, 0.0).rect;
        if inner.width() < 3.0 * size || inner.height() < 3.0 * size {
            continue;
        }
        let axes = Axes::new(outer, bounds.with_equal_units(inner.size()), [Scale::Linear; 2], size, 0.0);
        let response = ui.interact(axes.rect, ui.scope_id().with(name), Sense::hover());
        let spoken = format!("{name}, {}, with the directions of λ₁ and λ₂", eigen.shape().title());
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &spoken));
        if let Some(wanted) = navigate(ui, &response, &axes, [true, true]) {
            zoomed = Some((wanted.x[1] - wanted.x[0]) / (axes.bounds.x[1] - axes.bounds.x[0]));
        }
        // Half the pixels each way: the picture follows the pointer and the timeline.
        let pixels = 0.5 * axes.rect.size() * ui.pixels_per_point();
        let (field, f): (_, crate::plot::field::FieldFn) = if index == 0 {
            (&mut state.surface, f_of(&surface))
        } else {
            (&mut state.model, Arc::new(move |x, y| quadratic.f([x, y])))
        };
        let request = Request {
            id,
            f,
            lowest: None,
            bounds: axes.bounds,
            size: [pixels.x.max(1.0) as usize, pixels.y.max(1.0) as usize],
            scale: ScaleChoice::Linear,
            map: ColorMap::field(style),
        };
        field.update(ui, request);
        let inside = ui.painter_at(axes.rect);
        inside.rect_filled(axes.rect, 0.0, style.plot_background);
        field.draw(&inside, &axes, style, true);
        if index == 0 {
            marks::critical_points(&inside, &axes, &surface, style, size);
        } else if let Some([x, y]) = quadratic.stationary() {
            let at = axes.at(x, y);
            inside.circle_stroke(at, 0.4 * size, Stroke::new(1.5, marks::ink(style)));
        }
        draw_cross(&inside, &axes, model.at, eigen, 0.78 * radius, size, style);
        axes.draw_labels(&ui.painter_at(outer.expand(2.0)), style, &Titles { x: "x", y: "y" });
    }
    if let Some(factor) = zoomed {
        state.zoom(factor);
    }
}

/// The eigenvectors as a cross whose arms are the half axes of the ellipse of equal |curvature|, ½ dᵀ|H|d = c: long where
/// it is flat. The longer arm is `reach` long. A direction that curves downwards is dotted, and so is the ellipse then.
fn draw_cross(painter: &Painter, axes: &Axes, at: [f64; 2], eigen: &Eigen, reach: f64, size: f32, style: &Style) {
    let least = eigen.values.map(f64::abs).into_iter().fold(f64::INFINITY, f64::min);
    let most = eigen.values.map(f64::abs).into_iter().fold(0.0, f64::max);
    // A flat direction has no half axis; it is drawn as if a thousand times less curved.
    let floor = if most > 0.0 { least.max(1e-3 * most) } else { 1.0 };
    let half = eigen.values.map(|value| reach * (floor / value.abs().max(floor)).sqrt());
    let point = |along: [f64; 2]| {
        let [v, w] = eigen.vectors;
        axes.at(at[0] + along[0] * v[0] + along[1] * w[0], at[1] + along[0] * v[1] + along[1] * w[1])
    };
    let stroke = |points: &[Stop], color: Color32, width: f32, dash: Dash| {
        let pen = Pen { width: width * size / 11.0, color, dash, feather: 1.0 / painter.pixels_per_point() };
        LineMesh::new([points], pen).draw(painter);
    };
    let ink = marks::ink(style);
    let ring: Vec<Stop> = (0..=72)
        .map(|i| std::f64::consts::TAU * f64::from(i) / 72.0)
        .map(|turn| (point([half[0] * turn.cos(), half[1] * turn.sin()]), 0))
        .collect();
    let definite = matches!(eigen.shape(), Shape::Bowl | Shape::Dome);
    stroke(&ring, ink.gamma_multiply(0.8), 1.4, if definite { Dash::Solid } else { Dash::Dotted });
    for (i, color) in [style.accent, style.live].into_iter().enumerate() {
        let end = |sign: f64| if i == 0 { point([sign * half[0], 0.0]) } else { point([0.0, sign * half[1]]) };
        let dash = if eigen.values[i] < 0.0 { Dash::Dotted } else { Dash::Solid };
        stroke(&[(end(-1.0), 0), (end(1.0), 0)], color, 2.4, dash);
        let tip = end(1.0);
        let way = (tip - end(-1.0)).normalized();
        let name = if i == 0 { "λ₁" } else { "λ₂" };
        let font = eframe::egui::FontId::proportional(size + 1.0);
        let room = axes.rect.shrink(0.8 * size);
        // Room may be less than nothing.
        let beside = (tip + 0.8 * size * way).min(room.max).max(room.min);
        painter.text(beside, eframe::egui::Align2::CENTER_CENTER, name, font, color);
    }
    painter.circle(axes.at(at[0], at[1]), 0.3 * size, style.text, Stroke::new(1.0, style.plot_background));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hyper(learning_rate: f64, momentum: f64) -> Hyper {
        Hyper { learning_rate, momentum, ..Hyper::article(0.01) }
    }

    fn said(diagonal: [f64; 2], hyper: &Hyper) -> Vec<String> {
        let eigen = Eigen::of([[diagonal[0], 0.0], [0.0, diagonal[1]]]).unwrap();
        lines(&eigen, hyper, None).into_iter().map(|line| line.text).collect()
    }

    #[test]
    fn the_limit_of_the_learning_rate_is_told_on_both_sides() {
        let below = said([1.0, 100.0], &hyper(0.019, 0.9));
        assert_eq!(below[0], "Bowl:  λ₁ = 100 along 90°  ·  λ₂ = 1.00 along 0°");
        assert_eq!(below[1], "Condition number κ = |λ|ₘₐₓ/|λ|ₘᵢₙ = 100.");
        assert_eq!(
            below[2],
            "Gradient descent: η is 0.019, limit 2/λ₁ = 0.02: stable, |1 − ηλ₁| = 0.9 of it stays a step."
        );
        assert!(below[3].starts_with("Momentum: η is 0.019, limit (2 + 2μ)/λ₁ = 0.038: stable"), "{}", below[3]);
        assert!(below[4].contains("(2 + 2μ)/((1 + 2μ)λ₁) = 0.0136: above, grows by"), "{}", below[4]);
        let above = said([1.0, 100.0], &hyper(0.0202, 0.9));
        assert!(above[2].ends_with("limit 2/λ₁ = 0.02: above, grows by |1 − ηλ₁| = 1.02 a step."), "{}", above[2]);
        assert!(said([1.0, 100.0], &hyper(0.02, 0.9))[2].contains("on the edge"));
    }

    #[test]
    fn saddles_and_flat_places_are_told_as_what_they_are() {
        let saddle = said([2.0, -2.0], &hyper(0.01, 0.9));
        assert!(saddle[0].starts_with("Saddle") && saddle[1].contains("signs differ"));
        assert!(
            saddle.last().unwrap().contains("Along 90° the surface curves downwards: gradient descent leaves by 1.02")
        );
        assert!(said([0.0, 0.0], &hyper(0.01, 0.9))[1].contains("plane"));
        assert!(said([0.0, 2.0], &hyper(0.01, 0.9))[1].contains("flat"));
        assert_eq!(said([-1.0, -2.0], &hyper(0.01, 0.9)).len(), 3, "no limit where nothing curves upwards");
    }

    #[test]
    fn adam_divides_by_the_root_that_its_update_divides_by() {
        let hyper = hyper(0.01, 0.9);
        let state = State::recorded([0.0; 2], [0.1, 0.2], [4e-3, 9e-3], 1);
        let (diagonal, threshold, eta) = divisor(Rule::Adam, &state, &hyper).unwrap();
        assert!((diagonal[0] - 0.2).abs() < 1e-7 && (diagonal[1] - 0.3).abs() < 1e-7, "{diagonal:?}");
        assert!((threshold - 38.0).abs() < 1e-9 && eta == 0.01);
        assert_eq!(divisor(Rule::Sgd, &state, &hyper), None);
        assert_eq!(
            divisor(Rule::Adam, &State::new([0.0; 2]), &hyper),
            None,
            "nothing is divided by before the first step"
        );
    }
}
