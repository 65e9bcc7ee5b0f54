//! The eigen-directions one by one: their components in theory and in practice, the roots that decide their rate, and what
//! k steps leave of every curvature.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use eframe::egui::accesskit::Role;
use eframe::egui::{DragValue, Rect, RichText, Sense, Stroke, Ui, UiBuilder, WidgetInfo};

use crate::kit::curves::{Axis, LOG, Layer, Panel, axis};
use crate::kit::empty;
use crate::kit::fields::Fields;
use crate::kit::tiles::{Tile, TileCommand, TileSpec};
use crate::kit::view::ViewCtx;
use crate::labs::optimizers::rules::Rule;
use crate::labs::optimizers::theory::momentum::{Method, Recurrence, Walk};
use crate::labs::optimizers::view::paths::{self, Path};
use crate::labs::optimizers::view::{OptimizersView, controls, field};
use crate::plot::axes::{Axes, Bounds, Titles};
use crate::plot::curve::{Curve, CurveState, Mark, Plot, label};
use crate::plot::legend::{self, Entry};
use crate::plot::scale::Scale;
use crate::plot::stroke::{LineMesh, Pen, Stop};
use crate::plot::style::{Category, Dash, Style};
use crate::plot::{number, tile};

use super::{Subject, factor, phase};

/// The tile.
pub static TILE: Tile<OptimizersView> = Tile {
    spec: TileSpec {
        id: "modes",
        title: "Eigen-directions",
        help: "Momentum on a quadratic, direction by direction: the path's component along each eigenvector (thick) \
               with theory's (dashed); the roots of r² − t r + d in the complex plane, whose size is the rate; and the \
               residual polynomial, what the first k steps leave of every curvature λ. Change η and μ here or in the \
               tile η and μ and watch all three.",
        area: "state",
        follows_cursor: true,
    },
    show: |view, ui, ctx| self::ui(view, ui, ctx),
    commands: &[
        TileCommand {
            id: "modes-panel",
            title: "Eigen-directions: next of components, roots and polynomial",
            run: |view, _, _| view.theory.modes.shown = (view.theory.modes.shown + 1) % PANELS.len(),
        },
        TileCommand {
            id: "modes-fit",
            title: "Eigen-directions: show the whole run",
            run: |view, _, _| {
                view.theory.modes.components.fit();
                view.theory.modes.polynomial.fit();
            },
        },
    ],
};

/// View state of the tile.
#[derive(Debug, Default)]
pub struct ModesTile {
    components: CurveState,
    polynomial: CurveState,
    /// The panel that is shown where there is no room for all.
    shown: usize,
    /// η and μ while one of them is dragged.
    pub held: Option<[f64; 2]>,
}

impl ModesTile {
    /// What of it belongs to a scene.
    pub fn fields(&mut self, fields: &mut Fields) {
        fields.value("panel", &mut self.shown, 0);
        self.shown %= PANELS.len();
        fields.zoom("zoom1", self.components.zoom());
        fields.zoom("zoom2", self.polynomial.zoom());
    }
}

/// Short names and titles.
const PANELS: [(&str, &str); 3] = [
    ("components", "Components along the eigenvectors"),
    ("roots", "Roots of the recurrence"),
    ("polynomial", "Residual polynomial"),
];

/// What the tile speaks of.
#[derive(Clone, Copy)]
struct About<'a> {
    subject: Subject,
    rule: Rule,
    method: Method,
    /// The momentum of the rule as a share of the form's μ.
    share: f64,
    path: Option<Path<'a>>,
    /// In force or being dragged.
    eta: f64,
    mu: f64,
}

impl About<'_> {
    fn recurrence(&self, lambda: f64) -> Recurrence {
        Recurrence::new(self.method, lambda, self.eta, self.share * self.mu)
    }
}

/// Draws the tile.
fn ui(view: &mut OptimizersView, ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
    let (size, style) = (controls::font_size(ctx), ctx.style);
    let (bar, rest) = controls::split(ui, size);
    let [eta, mu] = phase::eta_mu(view, ctx);
    let places = tile::panels(rest, PANELS.len(), 1.3, size);
    let roomy = places[0].width() >= 19.0 * size && places[0].height() >= 10.0 * size;
    let about = Subject::of(view, ctx).map(|subject| about(view, subject, [eta, mu], ctx));
    let text = about.map_or_else(String::new, |about| format!("{}; {}", about.rule.title(), about.subject.title()));
    let (rule, ..) = phase::known(view, ctx);
    let state = &mut view.theory.modes;
    controls::bar(ui, bar, controls::weak(text, size, style), |ui| {
        values(state, rule, [eta, mu], ui, ctx);
        if !roomy {
            for (index, (name, title)) in PANELS.iter().enumerate().rev() {
                if controls::toggle(ui, state.shown == index, name, title, size) {
                    state.shown = index;
                }
            }
        }
    });
    let Some(about) = about else {
        let hint = "Where the pointer or the optimizer is the surface has no curvature.";
        ui.scope_builder(UiBuilder::new().max_rect(rest), |ui| empty::message(ui, ctx, "No directions here", hint));
        return;
    };
    for (index, place) in places.into_iter().enumerate().filter(|(index, _)| roomy || *index == state.shown) {
        let place = if roomy { place } else { rest };
        let inner = tile::panel_heading(&ui.painter_at(place), place, PANELS[index].1, size, style);
        match index {
            0 => components(&mut state.components, &about, inner, ui, ctx),
            1 => roots(&about, inner, ui, ctx),
            _ => polynomial(&mut state.polynomial, &about, inner, ui, ctx),
        }
    }
}

/// See [`phase::known`].
fn about<'a>(view: &OptimizersView, subject: Subject, [eta, mu]: [f64; 2], ctx: &ViewCtx<'a>) -> About<'a> {
    let (rule, method, share) = phase::known(view, ctx);
    About { subject, rule, method, share, path: Path::of(ctx.run, rule), eta, mu }
}

/// η and μ as numbers to drag or to type.
fn values(state: &mut ModesTile, rule: Rule, [eta, mu]: [f64; 2], ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
    let (mut dragged, mut asked) = (None, None);
    let both = [
        (1, "μ", 0.0..=0.9999, 0.005, "momentum μ: drag sideways or click to type"),
        (0, "η", 1e-6..=10.0, 0.01 * eta, "learning rate η: drag sideways or click to type"),
    ];
    for (index, name, range, speed, help) in both {
        let mut point = [eta, mu];
        let value = RichText::new(format!("{name} {}", number::compact(point[index]))).size(controls::font_size(ctx));
        if tile::said(ui, value) {
            continue;
        }
        let show = |value: f64, _: std::ops::RangeInclusive<usize>| number::compact(value);
        let field = DragValue::new(&mut point[index])
            .range(range)
            .speed(speed)
            .custom_formatter(show)
            .custom_parser(|text| number::parse(text).ok())
            .prefix(format!("{name} "))
            .update_while_editing(false);
        let response = ui.add(field).on_hover_text(help);
        if response.dragged() {
            dragged = Some(point);
        }
        if response.changed() || response.drag_stopped() {
            asked = Some((point, !response.dragged()));
        }
    }
    state.held = dragged;
    if let Some((point, settled)) = asked {
        phase::set(ctx, rule, point, settled);
    }
}

/// Colour of a direction, the one of its arm in the cross of the tile Curvature.
fn category(direction: usize, style: &Style) -> Category {
    Category { color: if direction == 0 { style.accent } else { style.live }, dash: Dash::Solid }
}

const NAMES: [&str; 2] = ["λ₁", "λ₂"];

const COMPONENTS: Axis = Axis { scale: LOG, ..axis("components along the eigenvectors", "Components", "|component|") };

/// |zᵢ| against the step: the path's own, and theory's over it.
fn components<'a>(state: &mut CurveState, about: &About<'a>, place: Rect, ui: &mut Ui, ctx: &mut ViewCtx<'a>) {
    let (size, style, subject) = (controls::font_size(ctx), ctx.style, about.subject);
    let Some(centre) = subject.centre.filter(|_| subject.exact) else {
        let hint = "Components have a law of their own only on a quadratic whose directions are all curved: the \
                    ill-conditioned quadratic, Matyas, Booth, the saddle. Roots and polynomial are the local model's.";
        ui.scope_builder(UiBuilder::new().max_rect(place), |ui| empty::message(ui, ctx, "No quadratic", hint));
        return;
    };
    let from_centre = |[x, y]: [f64; 2]| subject.eigen.components([x - centre[0], y - centre[1]]);
    let start = from_centre(about.path.map_or_else(|| field::start(ctx), |path| path.position(0)));
    let steps = paths::steps(ctx.run).max(1) as usize;
    let entries = [0, 1].map(|i| Entry {
        name: NAMES[i],
        category: category(i, style),
        selected: false,
        help: format!(
            "the component along the eigenvector of {} = {}",
            NAMES[i],
            number::short(subject.eigen.values[i])
        ),
    });
    let theory = Category { color: style.text, dash: Dash::Dashed };
    let help = "zₖ in closed form, from the start, η and μ alone".to_owned();
    let entries: Vec<Entry<'_>> =
        entries.into_iter().chain([Entry { name: "theory", category: theory, selected: false, help }]).collect();
    let foot = legend::height(ui, &entries, place.width(), size);
    let foot = if foot > 0.25 * place.height() { 0.0 } else { foot };

    let mut panel = Panel::new(COMPONENTS, &[], ctx);
    let largest = start.into_iter().map(f64::abs).fold(1e-300, f64::max);
    panel.limits = Some(1e-16 * largest..=1e3 * largest);
    for i in 0..2 {
        if let Some(path) = about.path {
            let component = move |k: usize| {
                let [x, y] = path.position(k);
                subject.eigen.components([x - centre[0], y - centre[1]])[i].abs()
            };
            let curve = Curve {
                name: format!("{} {}", about.rule.title(), NAMES[i]).into(),
                category: category(i, style),
                width: 1.7,
                identity: path.identity ^ (i as u64 + 1),
                len: path.row_count(),
                point: Box::new(move |k| [k as f64, component(k)]),
                held: None,
            };
            panel.push(Layer::Run, NAMES[i], curve);
        }
        let walk = Arc::new(theory_of(about, i, start[i], ctx));
        let curve = Curve {
            name: format!("theory {}", NAMES[i]).into(),
            category: theory,
            width: 0.8,
            identity: walk.identity(),
            len: steps + 1,
            point: Box::new(move |k| [k as f64, walk.at(k as u64).abs()]),
            held: None,
        };
        panel.push(Layer::Highlighted, "theory", curve);
    }
    panel.draw(state, true, place.with_max_y(place.bottom() - foot), ui, ctx);
    if foot > 0.0 {
        legend::show(ui, place.with_min_y(place.bottom() - foot), &entries, style, size);
    }
}

/// Theory's component along a direction from its start, with η and μ as they were changed on the way.
fn theory_of(about: &About<'_>, direction: usize, start: f64, ctx: &ViewCtx<'_>) -> Walk {
    let lambda = about.subject.eigen.values[direction];
    let law = |step: u64| {
        let hyper = paths::hyper_at(ctx, step).own(about.rule);
        Recurrence::new(about.method, lambda, hyper.learning_rate, about.share * hyper.momentum)
    };
    let mut walk = Walk::new(start, law(0));
    for change in &ctx.run.changes {
        walk.change(change.step, law(change.step));
    }
    walk
}

/// The roots of both directions and the unit circle.
fn roots(about: &About<'_>, place: Rect, ui: &mut Ui, ctx: &ViewCtx<'_>) {
    let (size, style) = (controls::font_size(ctx), ctx.style);
    let directions = about.subject.eigen.values.map(|lambda| about.recurrence(lambda));
    let rate = directions.iter().map(Recurrence::radius).fold(0.0, f64::max);
    let reach = (1.1 * rate).clamp(1.2, 1e6);
    let square = Bounds::new([-reach, reach], [-reach, reach]);
    let inner = Axes::new(place, square, [Scale::Linear; 2], size, 0.0).rect;
    if inner.width() < 3.0 * size || inner.height() < 3.0 * size || !square.is_valid() {
        return;
    }
    let axes = Axes::new(place, square.with_equal_units(inner.size()), [Scale::Linear; 2], size, 0.0);
    let response = ui.interact(axes.rect, ui.scope_id().with("roots"), Sense::hover());
    let told = |i: usize| {
        let (size, [[real, imaginary], [second, _]]) = (directions[i].radius(), directions[i].roots());
        // What is nothing beside the root is rounding.
        let real = if real.abs() < 1e-12 * size { 0.0 } else { real };
        let radius = factor(size);
        if imaginary == 0.0 {
            format!("{}: r = {} and {}, |r| = {radius}", NAMES[i], number::compact(real), number::compact(second))
        } else {
            format!("{}: r = {} ± {}i, |r| = {radius}", NAMES[i], number::compact(real), number::compact(imaginary))
        }
    };
    let spoken = format!("roots in the complex plane, {}, {}", told(0), told(1));
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &spoken));
    let painter = ui.painter_at(axes.rect);
    painter.rect_filled(axes.rect, 2.0, style.plot_background);
    axes.draw_grid(&painter, style, style.rule);
    let circle = |radius: f64, pen: Pen| {
        let turn = |i: i32| std::f64::consts::TAU * f64::from(i) / 96.0;
        let run: Vec<Stop> = (0..=96).map(|i| (axes.at(radius * turn(i).cos(), radius * turn(i).sin()), 0)).collect();
        LineMesh::new([run.as_slice()], pen).draw(&painter);
    };
    let feather = 1.0 / painter.pixels_per_point();
    circle(1.0, Pen { width: 1.6, color: style.text, dash: Dash::Solid, feather });
    if (0.0..=reach).contains(&rate) {
        circle(rate, Pen { width: 1.2, color: style.text_weak, dash: Dash::Dotted, feather });
    }
    let mut near = None;
    for i in [1, 0] {
        for (index, [real, imaginary]) in directions[i].roots().into_iter().enumerate() {
            let at = axes.at(real, imaginary);
            if !axes.rect.contains(at) {
                continue;
            }
            let radius = if index == 0 { 0.5 } else { 0.36 } * size;
            painter.circle(at, radius, category(i, style).color, Stroke::new(1.0, style.plot_background));
            if response.hover_pos().is_some_and(|pos| pos.distance(at) < size) {
                near = Some((at, i));
            }
        }
    }
    axes.draw_labels(&ui.painter_at(place.expand(2.0)), style, &Titles { x: "real part", y: "imaginary part" });
    if let Some((at, i)) = near {
        label(&painter, axes.rect, at, &told(i), size, style);
    }
}

/// Samples of the polynomial.
const SAMPLES: usize = 400;

/// |pₖ(λ)| over the spectrum, with the surface's two curvatures in it.
fn polynomial(state: &mut CurveState, about: &About<'_>, place: Rect, ui: &mut Ui, ctx: &ViewCtx<'_>) {
    let (size, style, k) = (controls::font_size(ctx), ctx.style, ctx.cursor.step);
    let [most, least] = about.subject.eigen.values;
    let span = most.max(0.0) - least.min(0.0);
    let [from, to] = [least.min(0.0) - 0.05 * span * f64::from(least < 0.0), most.max(0.0) + 0.1 * span];
    let about = *about;
    let mut hasher = DefaultHasher::new();
    for v in [about.eta, about.mu * about.share, from, to] {
        v.to_bits().hash(&mut hasher);
    }
    (k, about.method == Method::HeavyBall).hash(&mut hasher);
    let left = move |lambda: f64| about.recurrence(lambda).residual(k).abs();
    let curve = Curve {
        name: "|pₖ(λ)|".into(),
        category: Category { color: style.text, dash: Dash::Solid },
        width: 0.9,
        identity: hasher.finish(),
        len: SAMPLES + 1,
        point: Box::new(move |i| {
            let lambda = from + (to - from) * i as f64 / SAMPLES as f64;
            [lambda, left(lambda)]
        }),
        held: None,
    };
    let mut marks = Vec::new();
    for (i, lambda) in about.subject.eigen.values.into_iter().enumerate() {
        let color = category(i, style).color;
        marks.push(Mark { x: Some(lambda), y: None, color, text: NAMES[i].to_owned() });
        let value = left(lambda);
        if value > 0.0 && value.is_finite() {
            marks.push(Mark { x: Some(lambda), y: Some(value.clamp(LEFT[0], LEFT[1])), color, text: String::new() });
        }
    }
    let name = format!("residual polynomial of {}", number::counted(k, "step", "steps"));
    let plot = Plot {
        name: &name,
        titles: Titles { x: "curvature λ", y: &format!("left after {} (log)", number::counted(k, "step", "steps")) },
        scale: LOG,
        window: [Some([from, to]), None],
        cursor: None,
        include: &[1.0, 0.1],
        limits: Some(LEFT[0]..=LEFT[1]),
        marks: &marks,
        fills: &[],
        font_size: size,
    };
    state.show(ui, place, &plot, &[curve], style);
}

/// Smallest and largest shares that the axis follows.
const LEFT: [f64; 2] = [1e-12, 1e3];
