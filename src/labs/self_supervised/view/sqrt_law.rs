//! p against s: is the trained predictor the square root of F, as DirectPred assumes?

use std::sync::Arc;

use eframe::egui::accesskit::Role;
use eframe::egui::{Rect, Sense, Stroke, Ui, WidgetInfo, vec2};

use crate::engine::event::Payload;
use crate::kit::empty;
use crate::kit::fields::Fields;
use crate::kit::view::ViewCtx;
use crate::metrics::spectrum::{SqrtFit, fit_sqrt};
use crate::plot::axes::{Axes, Bounds, Titles, zoom};
use crate::plot::curve::label;
use crate::plot::legend::{self, Entry};
use crate::plot::scale::Scale;
use crate::plot::scatter::{self, Marker};
use crate::plot::stroke::{LineMesh, Pen, Stop};
use crate::plot::style::{Category, Dash};
use crate::plot::{number, tile};

use super::SelfSupervisedView;
use super::series::TWIN;
use crate::kit::tiles::{Tile, TileCommand, TileSpec};

/// The tile.
pub static TILE: Tile<SelfSupervisedView> = Tile {
    spec: TileSpec {
        id: "sqrt-law",
        title: "Root law",
        help: "Each eigenvector of F as a point: its eigenvalue s and p = v·Wp v of the predictor, with the square \
               root that the theory expects.",
        area: "features",
        follows_cursor: true,
    },
    show: |view, ui, ctx| self::ui(&mut view.sqrt_law, ui, ctx),
    commands: &[
        TileCommand {
            id: "log-s",
            title: "Root law: logarithmic eigenvalues of F on or off",
            run: |view, _, _| view.sqrt_law.log_s = !view.sqrt_law.log_s,
        },
        TileCommand {
            id: "sqrt-law-fit",
            title: "Root law: show all points",
            run: |view, _, _| view.sqrt_law.view = None,
        },
    ],
};

/// View state of the tile.
#[derive(Debug)]
pub struct SqrtLaw {
    view: Option<Bounds>,
    pub log_s: bool,
    fit: Option<(Arc<Payload>, Option<SqrtFit>)>,
}

impl SqrtLaw {
    /// What of it belongs to a scene.
    pub fn fields(&mut self, fields: &mut Fields) {
        fields.zoom("zoom", &mut self.view);
        fields.value("log", &mut self.log_s, true);
    }
}

impl Default for SqrtLaw {
    fn default() -> Self {
        Self { view: None, log_s: true, fit: None }
    }
}

/// Colours of [`crate::plot::style::Style::category`].
const ROOT: usize = 3;
const DIRECT_PRED: usize = 1;

/// Pairs (s, p); none for anything else.
fn pairs(payload: &Payload) -> &[[f32; 2]] {
    match payload {
        Payload::Points { xy, .. } => xy,
        _ => &[],
    }
}

/// Draws the tile.
pub fn ui(state: &mut SqrtLaw, ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
    let Some((step, payload)) = ctx.payload("p_against_s").filter(|(_, payload)| !pairs(payload).is_empty()) else {
        return empty::measured(ui, ctx, "when the eigenspaces are analysed for the first time");
    };
    if state.fit.as_ref().is_none_or(|(of, _)| !Arc::ptr_eq(of, &payload)) {
        let (s, p): (Vec<f64>, Vec<f64>) = pairs(&payload).iter().map(|[s, p]| (f64::from(*s), f64::from(*p))).unzip();
        state.fit = Some((payload.clone(), fit_sqrt(&p, &s)));
    }
    let fit = state.fit.as_ref().and_then(|(_, fit)| *fit);
    let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
    let (bar, rest) = tile::split(ui, size);
    let about = format!("one point an eigenvector of F, step {}", number::grouped(step));
    tile::bar(ui, bar, tile::weak(about, size, style), |ui| {
        if tile::button(ui, state.view.is_some(), "fit", "Show all points (double-click does the same)", size) {
            state.view = None;
        }
        if tile::toggle(ui, state.log_s, "log s", "Logarithmic eigenvalues of F", size) {
            state.log_s = !state.log_s;
            state.view = None;
        }
    });

    let root =
        fit.map(|fit| format!("c √s, c = {}, residual {}", number::short(fit.scale), number::short(fit.residual)));
    let direct = fit.and_then(|fit| fit.with_offset).map(|fit| {
        format!("a (√(s/max s) + ε), ε = {}, residual {}", number::short(fit.offset), number::short(fit.residual))
    });
    let mut entries = Vec::new();
    let line = |name, color: usize, dash, help: &str| Entry {
        name,
        category: Category { color: style.category(color).color, dash },
        selected: false,
        help: help.to_owned(),
    };
    if let Some(text) = &root {
        let help = "Least squares. Residual: ‖p − fit‖/‖p‖, 0 where the predictor is a square root";
        entries.push(line(text.as_str(), ROOT, Dash::Solid, help));
    }
    if let Some(text) = &direct {
        entries.push(line(text.as_str(), DIRECT_PRED, Dash::Dashed, "The shape that DirectPred sets, fitted"));
    }
    let twin = ctx.payload(&format!("{TWIN}p_against_s"));
    if twin.is_some() {
        let category = Category { color: style.text_weak, dash: Dash::Dotted };
        let help = "The twin's modes; the lines are fitted to the run's".to_owned();
        entries.push(Entry { name: "diamonds: the twin", category, selected: false, help });
    }
    let legend_height = legend::height(ui, &entries, rest.width(), size).min(0.4 * rest.height());
    let outer = Rect::from_min_max(rest.min, rest.max - vec2(0.0, legend_height));
    if outer.width() < 8.0 || outer.height() < 8.0 {
        return;
    }
    draw(state, ui, outer, pairs(&payload), twin.as_ref().map_or(&[], |(_, p)| pairs(p)), fit, ctx);
    let place = Rect::from_min_max(outer.left_bottom(), rest.max);
    legend::show(ui, place, &entries, style, size);
}

fn draw(
    state: &mut SqrtLaw,
    ui: &Ui,
    outer: Rect,
    points: &[[f32; 2]],
    twin: &[[f32; 2]],
    fit: Option<SqrtFit>,
    ctx: &ViewCtx<'_>,
) {
    let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
    let scale = if state.log_s { Scale::Log { base: 0.0 } } else { Scale::Linear };
    // Rounding makes the last eigenvalues of a rank-deficient F zero or negative: no place on a logarithmic axis.
    let placed: Vec<[f32; 2]> = points
        .iter()
        .chain(twin)
        .map(|[s, p]| [scale.position(f64::from(*s)) as f32, *p])
        .filter(|p| p[0].is_finite())
        .collect();
    let whole = || {
        let [x, y] = scatter::extent(placed.iter()).unwrap_or([[0.0, 1.0], [0.0, 1.0]]);
        let wide = |[low, high]: [f64; 2]| if high > low { [low, high] } else { [low - 0.5, high + 0.5] };
        Bounds::new(wide(x), wide([y[0].min(0.0), y[1].max(0.0)])).padded(0.06)
    };
    let bounds = state.view.unwrap_or_else(whole);
    let axes = Axes::new(outer, bounds, [scale, Scale::Linear], size, 0.6 * size);
    let response = ui.interact(axes.rect, ui.scope_id().with("p against s"), Sense::click_and_drag());
    let spoken = match fit {
        Some(fit) => format!("p against s, residual of the square root {}", number::short(fit.residual)),
        None => "p against s".to_owned(),
    };
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &spoken));
    zoom(ui, &response, &axes, &mut state.view);
    let painter = ui.painter_at(outer);
    let inside = ui.painter_at(axes.rect);
    inside.rect_filled(axes.rect, 2.0, style.plot_background);
    axes.draw_grid(&inside, style, style.rule);
    inside.hline(axes.rect.x_range(), axes.at(0.0, 0.0).y, Stroke::new(1.0, style.text_weak));
    if let Some(fit) = fit {
        let largest = points.iter().map(|[s, _]| f64::from(*s)).fold(0.0, f64::max);
        let curve = |f: &dyn Fn(f64) -> f64, color: usize, dash: Dash| {
            let run: Vec<Stop> = (0..=160)
                .map(|i| axes.bounds.x[0] + (axes.bounds.x[1] - axes.bounds.x[0]) * f64::from(i) / 160.0)
                .filter(|x| scale.value(*x) >= 0.0)
                .map(|x| (axes.at(x, f(scale.value(x))), 0))
                .collect();
            let color = style.category(color).color;
            let pen = Pen { width: 1.8 * size / 11.0, color, dash, feather: 1.0 / inside.pixels_per_point() };
            LineMesh::new([run.as_slice()], pen).draw(&inside);
        };
        if let Some(offset) = fit.with_offset {
            curve(&|s| offset.scale * ((s / largest).sqrt() + offset.offset), DIRECT_PRED, Dash::Dashed);
        }
        curve(&|s| fit.scale * s.sqrt(), ROOT, Dash::Solid);
    }
    let place = |[s, p]: [f32; 2]| axes.at(scale.position(f64::from(s)), f64::from(p));
    for point in twin {
        let rim = Stroke::new(1.4, style.text_weak);
        scatter::point(&inside, place(*point), 0.3 * size, Marker::Diamond, style.plot_background, rim);
    }
    for point in points {
        let at = place(*point);
        if at.x.is_finite() {
            scatter::point(
                &inside,
                at,
                0.32 * size,
                Marker::Disc,
                style.accent,
                Stroke::new(1.0, style.plot_background),
            );
        }
    }
    let x = if state.log_s { "s, eigenvalue of F (log)" } else { "s, eigenvalue of F" };
    axes.draw_labels(&painter, style, &Titles { x, y: "p = v·Wp v" });
    let Some(pointer) = response.hover_pos() else { return };
    let nearest = points
        .iter()
        .enumerate()
        .map(|(j, point)| (j, point, place(*point)))
        .filter(|(.., at)| at.distance(pointer) < 20.0)
        .min_by(|a, b| a.2.distance_sq(pointer).total_cmp(&b.2.distance_sq(pointer)));
    if let Some((j, [s, p], at)) = nearest {
        inside.circle_stroke(at, 0.5 * size, Stroke::new(1.5, style.text));
        let text = format!("mode {j}: s {}  p {}", number::short(f64::from(*s)), number::short(f64::from(*p)));
        label(&inside, axes.rect, at, &text, size, style);
    }
}
