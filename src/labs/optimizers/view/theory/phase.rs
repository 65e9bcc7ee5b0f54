//! The plane of η and μ, coloured by how fast a quadratic is brought to rest; the point of the run can be dragged.

use std::hash::{DefaultHasher, Hash, Hasher};

use eframe::egui::accesskit::Role;
use eframe::egui::{
    Align2, Color32, CursorIcon, EventFilter, FontId, Key, Label, Modifiers, Painter, PointerButton, Pos2, Rect,
    Response, RichText, ScrollArea, Sense, Stroke, Ui, UiBuilder, WidgetInfo, pos2, vec2,
};

use crate::engine::params::Value;
use crate::kit::empty;
use crate::kit::fields::Fields;
use crate::kit::tiles::{Tile, TileCommand, TileSpec};
use crate::kit::view::ViewCtx;
use crate::labs::optimizers::params::{LEARNING_RATE, MOMENTUM};
use crate::labs::optimizers::rules::Rule;
use crate::labs::optimizers::theory::curvature::Shape;
use crate::labs::optimizers::theory::momentum::{
    Method, Rates, Regime, monotone_limit, optimum, optimum_without_momentum, stability_limit, steps_per_digit,
};
use crate::labs::optimizers::view::paths::Path;
use crate::labs::optimizers::view::{OptimizersView, controls};
use crate::plot::axes::{Axes, Bounds, Titles};
use crate::plot::colormap::ColorMap;
use crate::plot::curve::label;
use crate::plot::heatmap::{Coloring, HeatMap, HeatMapState};
use crate::plot::number;
use crate::plot::scale::Scale;
use crate::plot::stroke::{LineMesh, Pen, Stop};
use crate::plot::style::{Dash, Style};

use super::{KNOWN, Subject, factor};

/// The tile.
pub static TILE: Tile<OptimizersView> = Tile {
    spec: TileSpec {
        id: "phase",
        title: "η and μ",
        help: "How fast Momentum or NAG brings a quadratic to rest for every η and μ: the brighter, the more steps for \
               each decimal digit. Drag the point, or move it with the arrow keys (with Shift: finer): the run \
               follows. The star is the fastest there is. Where the surface is no quadratic, its local model is shown.",
        area: "space",
        follows_cursor: true,
    },
    show: |view, ui, ctx| self::ui(view, ui, ctx),
    commands: &[
        TileCommand {
            id: "phase-method",
            title: "η and μ: Momentum or NAG",
            run: |view, _, _| view.theory.phase.method = Some(other(method(view))),
        },
        TileCommand {
            id: "phase-optimum",
            title: "η and μ: set the fastest pair",
            run: |view, ctx, _| {
                let best = Subject::of(view, ctx).and_then(|subject| optimum(method(view), &subject.eigen));
                if let Some(best) = best {
                    ask(ctx, known(view, ctx).0, [best.eta, best.mu], EXACT, true);
                }
            },
        },
    ],
};

/// View state of the tile.
#[derive(Debug, Default)]
pub struct PhaseTile {
    map: HeatMapState,
    rates: Option<(u64, Vec<f32>)>,
    /// Chosen by the user; else that of the selected optimizer.
    method: Option<Method>,
    /// While the point is dragged: the plane, which stays as it is, and where the point is.
    held: Option<(Bounds, [f64; 2])>,
}

impl PhaseTile {
    /// What of it belongs to a scene.
    pub fn fields(&mut self, fields: &mut Fields) {
        let methods = [("", None), ("heavy-ball", Some(Method::HeavyBall)), ("nesterov", Some(Method::Nesterov))];
        fields.choice("method", &mut self.method, &methods);
    }
}

fn other(method: Method) -> Method {
    match method {
        Method::HeavyBall => Method::Nesterov,
        Method::Nesterov => Method::HeavyBall,
    }
}

/// The momentum that the tiles speak of.
pub fn method(view: &OptimizersView) -> Method {
    view.theory.phase.method.unwrap_or(if view.selected == Rule::Nag { Method::Nesterov } else { Method::HeavyBall })
}

/// The rule that the tiles speak of: the selected one where theory knows it, or else one of the chosen momentum that takes
/// part.
pub fn known(view: &OptimizersView, ctx: &ViewCtx<'_>) -> (Rule, Method, f64) {
    let method = method(view);
    let selected = KNOWN.iter().find(|(rule, known, _)| *rule == view.selected && *known == method);
    let alike = || KNOWN.iter().rev().find(|(rule, known, _)| *known == method && Path::of(ctx.run, *rule).is_some());
    let default = if method == Method::Nesterov { KNOWN[2] } else { KNOWN[1] };
    selected.or_else(alike).copied().unwrap_or(default)
}

/// η of that rule and μ as they are, or as they are being dragged.
pub fn eta_mu(view: &OptimizersView, ctx: &ViewCtx<'_>) -> [f64; 2] {
    let held = view.theory.phase.held.map(|(_, point)| point).or(view.theory.modes.held);
    held.unwrap_or_else(|| super::eta_mu(known(view, ctx).0, ctx))
}

/// Digits of the fastest pair after the first: near it, where roots meet, the rate falls like a square root.
const EXACT: i32 = 6;
/// Cells of the picture.
const COLUMNS: usize = 180;
const ROWS: usize = 120;
/// Steps for a digit at the dark and at the bright end, as powers of ten.
const DIGITS: [f64; 2] = [0.0, 3.0];

/// Draws the tile.
fn ui(view: &mut OptimizersView, ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
    let size = controls::font_size(ctx);
    let (bar, rest) = controls::split(ui, size);
    let Some(subject) = Subject::of(view, ctx) else {
        let hint = "Where the pointer or the optimizer is the surface has no curvature, so nothing can be said.";
        ui.scope_builder(UiBuilder::new().max_rect(rest), |ui| empty::message(ui, ctx, "No rate here", hint));
        return;
    };
    let ((rule, method, _), point) = (known(view, ctx), eta_mu(view, ctx));
    let rates = Rates::new(method, &subject.eigen, point[0], point[1]);
    let text = format!("{}; {}", verdict(&subject, &rates), subject.title());
    let best = optimum(method, &subject.eigen);
    let mut asked = None;
    controls::bar(ui, bar, controls::weak(text, size, ctx.style), |ui| {
        let help = "Set the fastest η and μ for this quadratic";
        if controls::button(ui, best.is_some(), "fastest", help, size) {
            asked = best.map(|best| [best.eta, best.mu]);
        }
        for (one, name, help) in [
            (Method::Nesterov, "NAG", "The gradient is taken at the look-ahead point"),
            (Method::HeavyBall, "Momentum", "The gradient is taken where θ is; μ = 0 is plain gradient descent"),
        ] {
            if controls::toggle(ui, method == one, name, help, size) {
                view.theory.phase.method = Some(one);
            }
        }
    });
    if let Some(asked) = asked {
        ask(ctx, rule, asked, EXACT, true);
    }
    let lines = practice(&subject, rule, point, ctx);
    let rows = if rest.width() < 36.0 * size { 2 } else { 1 };
    let room = (1.5 * size * (rows * lines.len()) as f32).min(0.3 * rest.height());
    let below = if rest.height() > 16.0 * size { room } else { 0.0 };
    let plot = rest.with_max_y(rest.bottom() - below);
    draw(view, &subject, (rule, method), point, plot, ui, ctx);
    if below > 0.0 {
        let place = rest.with_min_y(plot.bottom());
        ui.scope_builder(UiBuilder::new().max_rect(place), |ui| {
            ui.shrink_clip_rect(place);
            ScrollArea::vertical().id_salt("rates").auto_shrink(false).show(ui, |ui| {
                ui.spacing_mut().item_spacing.y = 2.0;
                for (rule, text) in lines {
                    let color = ctx.style.category(rule.index()).color;
                    ui.horizontal(|ui| {
                        let (dot, _) = ui.allocate_exact_size(vec2(0.8 * size, size), Sense::hover());
                        ui.painter().circle_filled(dot.center(), 0.34 * size, color);
                        let text = RichText::new(text).size(size).color(ctx.style.text);
                        ui.add(Label::new(text).wrap()).on_hover_text(MEASURED);
                    });
                }
            });
        });
    }
}

const MEASURED: &str = "Measured: the slope of the logarithm of the distance from the centre over the last steps before the \
                        cursor; on a surface that is no quadratic, of the slope where the optimizer is. Early steps \
                        still have in them what dies out faster";

/// What the point does.
fn verdict(subject: &Subject, rates: &Rates) -> String {
    let rate = rates.rate();
    match (rates.regime(), subject.eigen.shape()) {
        (_, Shape::Dome | Shape::Ridge) => format!("it curves downwards: any η leaves, ×{} a step", factor(rate)),
        (Regime::Diverging, Shape::Saddle) => format!("a saddle: it leaves, ×{} a step", factor(rate)),
        (_, Shape::Trough) => "one direction is flat: nothing moves along it".to_owned(),
        (Regime::Diverging, _) => format!("diverging, ×{} a step", factor(rate)),
        (regime, _) => {
            let digit = number::compact(steps_per_digit(rate));
            format!("{}, ×{} a step ({digit} steps a digit)", regime.title(), factor(rate))
        }
    }
}

/// Theory's rate and the measured one of every path whose rule theory knows. η is that of `shown`.
fn practice(subject: &Subject, shown: Rule, [eta, mu]: [f64; 2], ctx: &ViewCtx<'_>) -> Vec<(Rule, String)> {
    let own = super::hyper(ctx).own_rates;
    let shared = eta / own.factor(shown.index());
    KNOWN
        .iter()
        .filter_map(|&(rule, method, share)| {
            let path = Path::of(ctx.run, rule)?;
            let eta = shared * own.factor(rule.index());
            let rate = Rates::new(method, &subject.met_by(&path, ctx)?, eta, share * mu).rate();
            let measured = match subject.measured(&path, ctx) {
                Some(found) => format!("measured {} ({} steps)", factor(found.rate), found.steps),
                None => "too few steps to measure".to_owned(),
            };
            Some((rule, format!("{}: theory {} per step, {measured}", rule.title(), factor(rate))))
        })
        .collect()
}

/// Asks for η of this rule and μ, with no more digits than the mouse resolves.
pub fn set(ctx: &mut ViewCtx<'_>, rule: Rule, point: [f64; 2], settled: bool) {
    ask(ctx, rule, point, 3, settled);
}

/// Asks for the shared η with which this rule has this one, and for 1 − μ with so many digits after the first, because of μ the distance from 1 is what counts.
fn ask(ctx: &mut ViewCtx<'_>, rule: Rule, [eta, mu]: [f64; 2], digits: i32, settled: bool) {
    let eta = eta / super::hyper(ctx).own_rates.factor(rule.index());
    let rounded = |v: f64| number::rounded(v, digits + 1);
    let (eta, mu) = (eta.clamp(1e-6, 10.0), mu.clamp(0.0, 0.9999));
    // The difference from 1 brings digits of its own back.
    let mu = (1e8 * (1.0 - rounded(1.0 - mu))).round() / 1e8;
    ctx.set(LEARNING_RATE.key(), Value::Float(rounded(eta)), settled);
    ctx.set(MOMENTUM.key(), Value::Float(mu), settled);
}

/// The plane that is shown: log₁₀ η across, μ upwards. It holds the limits of gradient descent and of Momentum, and the
/// point.
fn plane(subject: &Subject, method: Method, [eta, _]: [f64; 2]) -> Bounds {
    let most = subject.eigen.values.map(f64::abs).into_iter().fold(0.0, f64::max);
    let unit = 2.0 / most;
    let fast = optimum(method, &subject.eigen).map_or(unit, |best| best.eta);
    let low = (0.01 * unit).min(0.5 * fast).min(eta / 1.5);
    let high = (2.5 * unit).max(1.5 * eta);
    Bounds::new([low.log10(), high.log10()], [0.0, 1.0])
}

fn draw(
    view: &mut OptimizersView,
    subject: &Subject,
    (rule, method): (Rule, Method),
    point: [f64; 2],
    outer: Rect,
    ui: &mut Ui,
    ctx: &mut ViewCtx<'_>,
) {
    let (size, style) = (controls::font_size(ctx), ctx.style);
    let state = &mut view.theory.phase;
    let bounds = state.held.map_or_else(|| plane(subject, method, point), |(bounds, _)| bounds);
    if outer.width() < 4.0 * size || outer.height() < 4.0 * size || !bounds.is_valid() {
        return;
    }
    let right = if outer.width() > 26.0 * size { 5.0 * size } else { 0.6 * size };
    let axes = Axes::new(outer, bounds, [Scale::Log { base: 0.0 }, Scale::Linear], size, right);
    let painter = ui.painter_at(outer.expand(2.0));
    let inside = ui.painter_at(axes.rect);
    inside.rect_filled(axes.rect, 0.0, style.plot_background);
    inside.rect_filled(axes.rect, 0.0, style.error.gamma_multiply(if style.dark { 0.3 } else { 0.22 }));

    let coloring = Coloring { map: ColorMap::field(style), low: DIGITS[0], high: DIGITS[1] };
    let identity = identity(subject, method, &bounds);
    if state.rates.as_ref().is_none_or(|(known, _)| *known != identity) {
        state.rates = Some((identity, cells(subject, method, &bounds)));
    }
    let values = state.rates.as_ref().map_or(&[][..], |(_, values)| values);
    let name = "phase diagram of η and μ";
    let map = HeatMap { name, values, rows: ROWS, columns: COLUMNS, identity, coloring, upwards: true, smooth: true };
    let (response, _) = state.map.show(ui, axes.rect, &map);
    let spoken = format!("{name}, η {}, μ {}", number::exact(point[0]), number::exact(point[1]));
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &spoken));

    borders(&inside, &axes, subject, method, size, style);
    regions(&inside, &axes, subject, method, size, style);
    if let Some(best) = optimum(method, &subject.eigen) {
        star(&inside, axes.at(best.eta.log10(), best.mu), 0.7 * size, style);
    }
    if let Some(plain) = optimum_without_momentum(&subject.eigen) {
        inside.circle_stroke(axes.at(plain.eta.log10(), 0.0), 0.4 * size, Stroke::new(1.5, style.text));
    }
    let at = axes.at(point[0].log10(), point[1]);
    let shown = at.clamp(axes.rect.min, axes.rect.max);
    painter.circle(shown, 0.6 * size, style.accent, Stroke::new(2.0, Color32::WHITE));
    if response.has_focus() {
        painter.rect_stroke(axes.rect, 0.0, Stroke::new(1.5, style.accent), eframe::egui::StrokeKind::Outside);
    }
    axes.draw_labels(&painter, style, &Titles { x: "learning rate η (log)", y: "momentum μ" });
    if right > size {
        let bar = Rect::from_min_size(axes.rect.right_top() + vec2(size, 0.0), vec2(0.9 * size, axes.rect.height()));
        digits_bar(&painter, bar, &coloring, size, style);
    }
    if let Some(pos) = response.hover_pos().filter(|pos| axes.rect.contains(*pos)) {
        let [log, mu] = axes.from_screen(pos);
        let rates = Rates::new(method, &subject.eigen, 10f64.powf(log), mu);
        let text = format!(
            "η {} μ {}: {}, ×{}",
            number::compact(10f64.powf(log)),
            number::compact(mu),
            rates.regime().title(),
            factor(rates.rate())
        );
        label(&inside, axes.rect, pos, &text, size, style);
    }
    drag(state, rule, &axes, &response, point, ctx);
    keys(&response, rule, point, ui, ctx);
    response.on_hover_cursor(CursorIcon::Crosshair);
}

/// The colour bar, in steps for each digit.
fn digits_bar(painter: &Painter, bar: Rect, coloring: &Coloring, size: f32, style: &Style) {
    const SLICES: usize = 24;
    let height = bar.height() / SLICES as f32;
    for slice in 0..SLICES {
        let share = (slice as f64 + 0.5) / SLICES as f64;
        let top = bar.bottom() - (slice as f32 + 1.0) * height;
        let place = Rect::from_min_size(pos2(bar.left(), top), vec2(bar.width(), height + 0.5));
        painter.rect_filled(place, 0.0, coloring.color(DIGITS[0] + share * (DIGITS[1] - DIGITS[0])));
    }
    let font = FontId::monospace(size);
    for (share, text) in [(0.0, "1"), (1.0 / 3.0, "10"), (2.0 / 3.0, "100"), (1.0, "1000")] {
        let at = pos2(bar.right() + 0.4 * size, bar.bottom() - share * bar.height());
        painter.text(at, Align2::LEFT_CENTER, text, font.clone(), style.text_weak);
    }
    let above = bar.left_top() - vec2(0.0, 0.35 * size);
    painter.text(above, Align2::LEFT_BOTTOM, "steps", FontId::proportional(size), style.text_weak);
}

/// A click or a drag puts the point there.
fn drag(state: &mut PhaseTile, rule: Rule, axes: &Axes, response: &Response, point: [f64; 2], ctx: &mut ViewCtx<'_>) {
    if response.clicked() || response.drag_started() {
        response.request_focus();
    }
    let dragging = response.dragged_by(PointerButton::Primary);
    let done = response.drag_stopped_by(PointerButton::Primary) && state.held.is_some();
    if let Some(pos) = response.interact_pointer_pos().filter(|_| dragging || done || response.clicked()) {
        let pos = pos.clamp(axes.rect.min, axes.rect.max);
        let [log, mu] = axes.from_screen(pos);
        let wanted = [10f64.powf(log).clamp(1e-6, 10.0), mu.clamp(0.0, 0.9999)];
        if !dragging || wanted != point {
            set(ctx, rule, wanted, !dragging);
        }
        state.held = dragging.then_some((axes.bounds, wanted));
    } else if !dragging {
        state.held = None;
    }
}

/// The arrow keys move the point while the diagram has the focus: η by 5 % or with Shift by 1 %, μ by .02 or .002.
fn keys(response: &Response, rule: Rule, [eta, mu]: [f64; 2], ui: &Ui, ctx: &mut ViewCtx<'_>) {
    if !response.has_focus() {
        return;
    }
    let filter = EventFilter { horizontal_arrows: true, vertical_arrows: true, ..EventFilter::default() };
    ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, filter));
    let (mut across, mut up) = (0.0, 0.0);
    ui.input_mut(|input| {
        // Shift first: a key without modifiers also matches with Shift.
        for (modifiers, size) in [(Modifiers::SHIFT, 0.1), (Modifiers::NONE, 1.0)] {
            for (key, right, above) in [
                (Key::ArrowLeft, -1.0, 0.0),
                (Key::ArrowRight, 1.0, 0.0),
                (Key::ArrowDown, 0.0, -1.0),
                (Key::ArrowUp, 0.0, 1.0),
            ] {
                if input.consume_key(modifiers, key) {
                    across += size * right;
                    up += size * above;
                }
            }
        }
    });
    if across != 0.0 || up != 0.0 {
        set(ctx, rule, [eta * 1.05_f64.powf(across), (mu + 0.02 * up).clamp(0.0, 0.9999)], true);
    }
}

fn identity(subject: &Subject, method: Method, bounds: &Bounds) -> u64 {
    let mut hasher = DefaultHasher::new();
    (method == Method::HeavyBall).hash(&mut hasher);
    for v in subject.eigen.values.iter().chain(&bounds.x) {
        v.to_bits().hash(&mut hasher);
    }
    hasher.finish()
}

/// log₁₀ of the steps for a digit in every cell, row by row from μ = 0; no number where nothing shrinks.
fn cells(subject: &Subject, method: Method, bounds: &Bounds) -> Vec<f32> {
    let share = |i: usize, count: usize| (i as f64 + 0.5) / count as f64;
    let cell = |row: usize, column: usize| {
        let log = bounds.x[0] + (bounds.x[1] - bounds.x[0]) * share(column, COLUMNS);
        let rate = Rates::new(method, &subject.eigen, 10f64.powf(log), share(row, ROWS)).rate();
        if rate < 1.0 { steps_per_digit(rate).log10() as f32 } else { f32::NAN }
    };
    (0..ROWS).flat_map(|row| (0..COLUMNS).map(move |column| (row, column))).map(|(r, c)| cell(r, c)).collect()
}

/// Where divergence begins (bold), and where each direction is critically damped (dashed): left of it monotone.
fn borders(painter: &Painter, axes: &Axes, subject: &Subject, method: Method, size: f32, style: &Style) {
    let line = |limit: &dyn Fn(f64) -> Option<f64>, color: Color32, width: f32, dash: Dash| {
        let place = |mu: f64| limit(mu).filter(|eta| *eta > 0.0).map(|eta| axes.at(eta.log10(), mu));
        let run: Vec<Stop> = (0..=200).filter_map(|i| place(f64::from(i) / 200.0)).map(|at| (at, 0)).collect();
        let pen = Pen { width: width * size / 11.0, color, dash, feather: 1.0 / painter.pixels_per_point() };
        LineMesh::new([run.as_slice()], pen).draw(painter);
    };
    let [most, least] = subject.eigen.values;
    line(&|mu| stability_limit(method, most, mu), style.error, 2.2, Dash::Solid);
    line(&|mu| monotone_limit(method, most, mu), style.accent, 1.4, Dash::Dashed);
    line(&|mu| monotone_limit(method, least, mu), style.live, 1.4, Dash::Dashed);
}

/// Names of the regions, where each has room.
fn regions(painter: &Painter, axes: &Axes, subject: &Subject, method: Method, size: f32, style: &Style) {
    let most = subject.eigen.values[0];
    if subject.eigen.shape() != Shape::Bowl || axes.rect.width() < 18.0 * size || axes.rect.height() < 8.0 * size {
        return;
    }
    let write = |eta: Option<f64>, mu: f64, align: Align2, text: &str| {
        let Some(eta) = eta else { return };
        let galley = painter.layout_no_wrap(text.to_owned(), FontId::proportional(size), style.text);
        let rect = align.anchor_size(axes.at(eta.log10(), mu), galley.size());
        if axes.rect.contains_rect(rect) {
            painter.rect_filled(rect.expand(2.0), 2.0, style.plot_background.gamma_multiply(0.6));
            painter.galley(rect.min, galley, style.text);
        }
    };
    let stable = |mu: f64| stability_limit(method, most, mu);
    write(monotone_limit(method, most, 0.06).map(|eta| 0.7 * eta), 0.06, Align2::RIGHT_CENTER, "monotone");
    write(stable(0.75).map(|eta| 0.8 * eta), 0.85, Align2::RIGHT_CENTER, "oscillating");
    write(stable(0.3).map(|eta| 1.06 * eta), 0.3, Align2::LEFT_CENTER, "diverging");
}

/// A star of five points: the fastest pair.
fn star(painter: &Painter, at: Pos2, radius: f32, style: &Style) {
    let point = |i: u8| {
        let angle = std::f32::consts::PI * (f32::from(i) / 5.0 - 0.5);
        at + radius * (if i.is_multiple_of(2) { 1.0 } else { 0.45 }) * vec2(angle.cos(), angle.sin())
    };
    // A star is not convex: five triangles around a pentagon.
    let ink = style.good;
    for i in (0..10).step_by(2) {
        let corners = vec![at, point((i + 9) % 10), point(i), point((i + 1) % 10)];
        painter.add(eframe::egui::Shape::convex_polygon(corners, ink, Stroke::NONE));
    }
    let outline: Vec<Pos2> = (0..10).map(point).collect();
    painter.add(eframe::egui::Shape::closed_line(outline, Stroke::new(1.0, style.plot_background)));
}
