//! How large the basin of collapse is for every pair of η and α_p.

use eframe::egui::{Rect, Stroke, Ui, pos2, vec2};

use crate::kit::view::ViewCtx;
use crate::labs::self_supervised::theory::basin::{Bounds as Window, PredictorDecay, basin_map};
use crate::labs::self_supervised::theory::modes::ModeDynamics;
use crate::plot::axes::{Axes, Bounds, Titles};
use crate::plot::background::Latest;
use crate::plot::colormap::ColorMap;
use crate::plot::curve::label;
use crate::plot::heatmap::{self, Coloring, HeatMap, HeatMapState};
use crate::plot::scale::Scale;
use crate::plot::stroke::{LineMesh, Pen};
use crate::plot::style::Dash;
use crate::plot::{number, tile};

use super::{Constants, Theory};
use crate::kit::tiles::{Tile, TileSpec};
use crate::labs::self_supervised::view::SelfSupervisedView;

/// The tile.
pub static TILE: Tile<SelfSupervisedView> = Tile {
    spec: TileSpec {
        id: "basin",
        title: "Basin",
        help: "How much of the plane collapses for every decay η and predictor rate α_p.",
        area: "large",
        follows_cursor: true,
    },
    show: |view, ui, ctx| super::ui(&mut view.theory, "basin", ui, ctx),
    commands: &[],
};

const COLUMNS: usize = 56;
const ROWS: usize = 40;
/// log₁₀ α_p.
const RATES: [f64; 2] = [-1.0, 2.0];

/// What the map depends on: not on the sliders that are its axes.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Request {
    mode: ModeDynamics,
    decay: PredictorDecay,
}

/// View state of the tile.
#[derive(Debug, Default)]
pub struct BasinMap {
    map: Latest<Request, Vec<f32>>,
    shown: u64,
    last: Option<Request>,
    picture: HeatMapState,
}

impl Request {
    fn of(constants: &Constants) -> Self {
        let decay =
            if constants.equal_decay { PredictorDecay::Equal } else { PredictorDecay::Fixed(constants.mode.eta_p) };
        Self { mode: ModeDynamics { eta: 0.0, eta_p: 0.0, alpha_p: 1.0, ..constants.mode }, decay }
    }

    /// The largest η of the axis: a little beyond the critical one.
    fn highest_eta(&self) -> f64 {
        1.25 * self.mode.critical_eta()
    }

    fn window(&self) -> Window {
        Window::of_map(&self.mode)
    }
}

fn compute(request: &Request) -> Vec<f32> {
    let etas: Vec<f64> = (0..COLUMNS).map(|i| request.highest_eta() * (i as f64 + 0.5) / COLUMNS as f64).collect();
    let rates: Vec<f64> =
        (0..ROWS).map(|i| 10f64.powf(RATES[0] + (RATES[1] - RATES[0]) * (i as f64 + 0.5) / ROWS as f64)).collect();
    let map = basin_map(&request.mode, &etas, &rates, request.decay, &request.window());
    map.into_iter().map(|share| share as f32).collect()
}

/// Draws the tile.
pub fn ui(state: &mut Theory, bar: Rect, rest: Rect, ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
    let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
    let request = Request::of(&state.constants);
    let basin = &mut state.basin;
    let window = request.window();
    let [low, high] = window.p.map(number::compact);
    let about = format!("share of p from {low} to {high}, s to {} that collapses; click to go there", window.s);
    let about = basin.map.problem(&request).map_or(about, |problem| format!("no map: {problem}"));
    tile::bar(ui, bar, tile::weak(about, size, style), |_| {});
    if basin.last != Some(request) && basin.map.is_current(&request) {
        (basin.last, basin.shown) = (Some(request), basin.shown + 1);
    }
    let outer = rest;
    if outer.width() < 12.0 * size || outer.height() < 8.0 * size {
        basin.map.update("basins of attraction", ui.ctx(), &request, compute);
        return;
    }
    let highest = request.highest_eta();
    let axes = Axes::new(
        outer,
        Bounds::new([0.0, highest], RATES),
        [Scale::Linear, Scale::Log { base: 0.0 }],
        size,
        5.6 * size,
    );
    let painter = ui.painter_at(outer);
    let coloring = Coloring { map: ColorMap::Viridis, low: 0.0, high: 1.0 };
    if let Some(values) = basin.map.update("basins of attraction", ui.ctx(), &request, compute) {
        let values = values.clone();
        if basin.map.is_current(&request) && basin.last != Some(request) {
            (basin.last, basin.shown) = (Some(request), basin.shown + 1);
        }
        let map = HeatMap {
            name: "share that collapses over η and α_p",
            values: &values,
            rows: ROWS,
            columns: COLUMNS,
            identity: basin.shown,
            coloring,
            upwards: true,
            smooth: true,
        };
        let (response, hover) = basin.picture.show(ui, axes.rect, &map);
        if let Some(pos) = response.interact_pointer_pos().filter(|_| response.clicked() || response.dragged()) {
            let [eta, rate] = axes.from_screen(pos);
            let mode = &mut state.constants.mode;
            mode.eta = eta.clamp(0.0, highest);
            mode.alpha_p = 10f64.powf(rate.clamp(RATES[0], RATES[1]));
            if state.constants.equal_decay {
                mode.eta_p = mode.eta;
            }
        }
        overlay(state, &axes, &request, ui, ctx);
        if let (Some([row, column]), Some(pos)) = (hover, response.hover_pos()) {
            let [eta, rate] = axes.from_screen(pos);
            let share = 100.0 * values[row * COLUMNS + column];
            let text = format!("η {}  α_p {}  {share:.0} %", number::short(eta), number::short(10f64.powf(rate)));
            label(&painter, axes.rect, pos, &text, size, style);
        }
    } else {
        painter.rect_filled(axes.rect, 2.0, style.plot_background);
    }
    axes.draw_labels(&painter, style, &Titles { x: "η, decay of the network", y: "α_p, rate of the predictor (log)" });
    let bar = Rect::from_min_size(
        pos2(axes.rect.right() + size, axes.rect.top()),
        vec2((0.9 * size).round(), axes.rect.height()),
    );
    heatmap::color_bar(&painter, bar, &coloring, size, style);
    let above = bar.left_top() - vec2(0.0, 0.35 * size);
    let font = eframe::egui::FontId::proportional(size + 0.5);
    painter.text(above, eframe::egui::Align2::LEFT_BOTTOM, "share", font, style.text_weak);
}

/// The critical decay and where the sliders are.
fn overlay(state: &Theory, axes: &Axes, request: &Request, ui: &Ui, ctx: &ViewCtx<'_>) {
    let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
    let inside = ui.painter_at(axes.rect);
    let ink = eframe::egui::Color32::WHITE;
    let critical = request.mode.critical_eta();
    let x = axes.at(critical, 0.0).x;
    let pen = Pen { width: 1.6, color: ink, dash: Dash::Dashed, feather: 1.0 / inside.pixels_per_point() };
    let run = [(pos2(x, axes.rect.top()), 0), (pos2(x, axes.rect.bottom()), 1)];
    // Over the bright part of the map a white line needs a dark one under it.
    let dark = Pen { width: 3.6, color: eframe::egui::Color32::from_black_alpha(140), dash: Dash::Solid, ..pen };
    LineMesh::new([run.as_slice()], dark).draw(&inside);
    LineMesh::new([run.as_slice()], pen).draw(&inside);
    label(&inside, axes.rect, pos2(x - 5.0 * size, axes.rect.top() + 2.6 * size), "η_c", size, style);
    let mode = &state.constants.mode;
    let at = axes.at(mode.eta, mode.alpha_p.log10());
    inside.circle(at, 0.5 * size, style.accent, Stroke::new(2.0, ink));
    inside.circle_stroke(at, 0.5 * size + 1.5, Stroke::new(1.0, eframe::egui::Color32::from_black_alpha(160)));
}
