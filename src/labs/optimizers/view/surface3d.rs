//! The surface in three dimensions with all paths on it: wgpu where the window has it, the painter's algorithm where not.
//! Shares the cursor with every other view; pointing at it chooses the start or a step.

mod home;
mod input;
mod scene;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use eframe::egui::{self, Align2, FontId, Rect, Sense, Stroke, TextStyle, Ui};
use eframe::egui_wgpu::RenderState;

use super::OptimizersView;
use super::paths::Path;
use crate::engine::event::{RunId, Status};
use crate::gpu::axes::{AxesColors, AxisLabel, axes};
use crate::gpu::callback::SurfaceCallback;
use crate::gpu::camera::{Camera, PITCH_LIMITS, View, ZOOM_LIMITS};
use crate::gpu::fallback;
use crate::gpu::height_field::HeightField;
use crate::gpu::scale::ScaleMode;
use crate::gpu::scene::SurfaceScene;
use crate::gpu::trail::{Segment, TrailBuilder};
use crate::kit::fields::{self, Fields};
use crate::kit::tiles::{Tile, TileCommand, TileSpec};
use crate::kit::view::ViewCtx;
use crate::labs::optimizers::params::{self, ON_NETWORK, SURFACE};
use crate::labs::optimizers::rules::Rule;
use crate::labs::optimizers::surfaces::{Chosen, Surface};
use crate::plot::{legend, medium, number};

/// The tile.
pub static TILE: Tile<OptimizersView> = Tile {
    spec: TileSpec { id: "surface3d", title: "Surface", help: HELP, area: "space", follows_cursor: true },
    show: |view, ui, ctx| {
        view.surface3d.pointed_at = view.field.pointed_at;
        view.surface3d.arrows = view.moves(ctx);
        self::ui(&mut view.surface3d, &mut view.selected, ui, ctx);
    },
    commands: &[
        TileCommand {
            id: "surface3d/reset",
            title: "3-D surface: first view",
            run: |view, _, _| view.surface3d.reset(),
        },
        TileCommand {
            id: "surface3d/top",
            title: "3-D surface: look from above",
            run: |view, _, _| view.surface3d.look_down(),
        },
        TileCommand {
            id: "surface3d/zoom_in",
            title: "3-D surface: nearer",
            run: |view, _, _| view.surface3d.camera.zoom_by(1.25),
        },
        TileCommand {
            id: "surface3d/zoom_out",
            title: "3-D surface: farther",
            run: |view, _, _| view.surface3d.camera.zoom_by(0.8),
        },
        TileCommand {
            id: "surface3d/scale",
            title: "3-D surface: heights automatic, linear or logarithmic",
            run: |view, _, _| view.surface3d.next_scale(),
        },
    ],
};

/// How to use the view, for the tooltip of its title.
pub const HELP: &str = "The surface f(x, y) with every path on it. Drag to turn, scroll or pinch to zoom, drag with Shift \
or with the right button to move. Double-click or Home: back to the first view. Click a path to go to that step; drag the \
start ring, or Ctrl-click anywhere, to choose the start. With the keyboard, once focused: arrows turn, Shift and arrows \
move, + and - zoom.";

/// Said where the window cannot draw with wgpu.
const NO_WGPU: &str = "This window has no wgpu renderer; drawn coarsely, and nothing is hidden behind the surface.";

/// Samples of the surface along each side: 25 in each hump of the most rugged surface.
const SIDE: usize = 257;

/// The same where the processor does the drawing.
const SOFTWARE_SIDE: usize = 129;

/// Path points laid on the surface per frame; a longer path appears over several frames, so that none is slow.
const POINTS_PER_FRAME: usize = 60_000;

/// View state: where one stands, and what is laid on the surface already.
#[derive(Debug, Default)]
pub struct State {
    camera: Camera,
    /// The first view of this surface.
    home: Camera,
    scale: ScaleMode,
    /// A place that another view points at, drawn as a cross. Set it every frame; (x, y) of the domain.
    pub pointed_at: Option<[f64; 2]>,
    /// Arrows laid on the surface (the parts of one update), drawn over the paths.
    pub arrows: Vec<Arrow>,
    hovered: Option<[f64; 2]>,
    drag: input::Drag,
    field: Option<CachedField>,
    trails: Vec<CachedTrail>,
    run: Option<RunId>,
}

/// An arrow on the surface.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Arrow {
    /// (x, y) of both ends.
    pub from: [f64; 2],
    pub to: [f64; 2],
    pub color: egui::Color32,
}

#[derive(Debug)]
struct CachedField {
    surface: u64,
    scale: ScaleMode,
    field: Arc<HeightField>,
}

/// A path on the surface as far as it is laid down.
#[derive(Debug)]
struct CachedTrail {
    rule: Rule,
    builder: TrailBuilder,
    segments: Arc<[Segment]>,
}

impl State {
    /// The first view.
    fn reset(&mut self) {
        self.camera = self.home;
    }

    /// From above with north up, as in the field: x to the right, y away from the viewer.
    fn look_down(&mut self) {
        self.camera = Camera { yaw: -std::f32::consts::FRAC_PI_2, pitch: 1.55, ..Camera::default() };
    }

    /// The camera where it was moved, and the scale of the heights.
    pub fn fields(&mut self, fields: &mut Fields) {
        let write = |camera: &Camera| {
            let Camera { yaw, pitch, zoom, target: [x, y, z] } = *camera;
            [yaw, pitch, zoom, x, y, z].map(|number| fields::of(number.into(), 4)).join(" ")
        };
        let read = |text: &str| {
            let [yaw, pitch, zoom, x, y, z] = fields::numbers(text)?.map(|number: f64| number as f32);
            Some(Camera {
                yaw: yaw.clamp(-1e3, 1e3),
                pitch: pitch.clamp(PITCH_LIMITS[0], PITCH_LIMITS[1]),
                zoom: zoom.clamp(ZOOM_LIMITS[0], ZOOM_LIMITS[1]),
                target: [x, y, z].map(|v| v.clamp(-1.0, 1.0)),
            })
        };
        fields.text("camera", &mut self.camera, self.home, write, read);
        let scales =
            [("auto", ScaleMode::Automatic), ("linear", ScaleMode::Linear), ("logarithmic", ScaleMode::Logarithmic)];
        fields.choice("heights", &mut self.scale, &scales);
    }

    fn next_scale(&mut self) {
        self.scale = match self.scale {
            ScaleMode::Automatic => ScaleMode::Linear,
            ScaleMode::Linear => ScaleMode::Logarithmic,
            ScaleMode::Logarithmic => ScaleMode::Automatic,
        };
    }

    fn field(&mut self, surface: &Surface, start: [f64; 2], wgpu: Option<&RenderState>) -> Arc<HeightField> {
        let identity = surface.identity();
        if let Some(cached) = &self.field
            && (cached.surface, cached.scale) == (identity, self.scale)
        {
            return cached.field.clone();
        }
        let [x, y] = surface.domain;
        let software = |wgpu: &RenderState| wgpu.adapter.get_info().device_type == wgpu::DeviceType::Cpu;
        let side = if wgpu.is_none_or(software) { SOFTWARE_SIDE } else { SIDE };
        let field = Arc::new(HeightField::sample(x, y, side, self.scale, |x, y| surface.f([x, y])));
        if self.field.as_ref().is_none_or(|cached| cached.surface != identity) {
            let home = home::home(&field, surface, start);
            if self.camera == self.home {
                self.camera = home;
            }
            self.home = home;
        }
        self.field = Some(CachedField { surface: identity, scale: self.scale, field: field.clone() });
        self.trails.clear();
        field
    }

    /// Lays what is new of the run's paths on the surface; `false` while there is more to do.
    fn lay_trails(&mut self, field: &HeightField, ctx: &ViewCtx<'_>) -> bool {
        if self.run != ctx.run.id {
            // While the start is dragged, one run follows another: the old paths stay until the new ones begin.
            let over = ctx.run.status.as_ref().is_some_and(Status::is_over);
            if !over && Rule::ALL.into_iter().all(|rule| scene::path(ctx.run, rule).is_none()) {
                return true;
            }
            self.run = ctx.run.id;
            self.trails.clear();
        }
        let mut left = POINTS_PER_FRAME;
        let mut complete = true;
        for rule in Rule::ALL {
            let at = self.trails.iter().position(|trail| trail.rule == rule);
            let Some(rows) = scene::path(ctx.run, rule) else {
                at.map(|at| self.trails.remove(at));
                continue;
            };
            let at = at.unwrap_or_else(|| {
                self.trails.push(CachedTrail { rule, builder: TrailBuilder::default(), segments: Arc::new([]) });
                self.trails.len() - 1
            });
            let trail = &mut self.trails[at];
            let before = trail.builder.segments().len();
            left -= trail.builder.extend(field, rows.len(), left, |k| scene::position(rows, k));
            if trail.builder.segments().len() != before {
                trail.segments = trail.builder.segments().into();
            }
            complete &= trail.builder.consumed() >= rows.len();
        }
        complete
    }
}

/// Draws the view into the whole of `ui`.
pub fn ui(state: &mut State, selected: &mut Rule, ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
    let mut size = ui.available_size().max(egui::Vec2::ZERO);
    let all = Path::all(ctx.run);
    let entries = super::controls::legend_entries(&all, *selected, ctx.style);
    let font_size = super::controls::font_size(ctx);
    let whole = Rect::from_min_size(ui.cursor().min, size).shrink2(egui::vec2(0.7 * font_size, 0.0));
    let legend = legend::height(ui, &entries, whole.width(), font_size);
    // Where there is room for both.
    if legend > 0.0 && legend < 0.2 * size.y {
        size.y -= legend;
        let rect = whole.with_min_y(whole.bottom() - legend);
        if let Some(index) = legend::show(ui, rect, &entries, ctx.style, font_size) {
            *selected = all[index].rule;
        }
    }
    let response = ui.allocate_response(size, Sense::click_and_drag());
    let rect = response.rect.intersect(ui.max_rect());
    if rect.width() < 4.0 || rect.height() < 4.0 {
        return;
    }
    let painter = ui.painter_at(rect);
    let font = FontId::proportional(TextStyle::Small.resolve(ui.style()).size);
    let Some(surface) = shown_surface(ctx) else {
        painter.text(
            rect.center(),
            Align2::CENTER_CENTER,
            "The surface appears here when the experiment is “a surface”.",
            font,
            ctx.style.text_weak,
        );
        return;
    };
    response.widget_info(|| {
        egui::WidgetInfo::labeled(egui::accesskit::Role::Canvas, true, format!("{} in three dimensions", surface.title))
    });
    let field = state.field(&surface, super::field::start(ctx), ctx.wgpu);
    if !state.lay_trails(&field, ctx) {
        ui.ctx().request_repaint();
    }

    let view_of = |camera: &Camera| camera.view([rect.width(), rect.height()], margin(font.size, rect.height()));
    let view = view_of(&state.camera);
    input::handle(state, ui, &response, rect, &view, &field, ctx);
    let view = view_of(&state.camera);

    let axes = axes(&field, &view, axis_titles(&field), font.size, axes_colors(ctx));
    let scene = Arc::new(scene::build(state, &field, view, axes.lines, ctx));
    draw(&painter, rect, &response, scene, ctx);
    for label in &axes.labels {
        draw_label(&painter, rect, label, &font, ctx);
    }
    if response.has_focus() {
        painter.rect_stroke(rect, 2.0, Stroke::new(1.0, ctx.style.accent), egui::StrokeKind::Inside);
    }
    readout(state, &painter, rect, &view, &field, &surface, &font, ctx);
    if !ctx.presenting && !medium::is_figure(ui.ctx()) {
        controls(state, ui, rect);
    }
}

/// Room around the box for its numbers and names, less of it in a low tile.
fn margin(font_size: f32, height: f32) -> f32 {
    (3.2 * font_size).min(0.16 * height)
}

fn draw(painter: &egui::Painter, rect: Rect, response: &egui::Response, scene: Arc<SurfaceScene>, ctx: &ViewCtx<'_>) {
    match ctx.wgpu {
        Some(wgpu) => {
            // The response's id differs between two places that show the same state, e.g. tile and presenter.
            let view = response.id.value();
            painter.add(SurfaceCallback { view, scene, rect, target: wgpu.target_format }.shape());
        }
        None => {
            fallback::paint(painter, rect, &scene);
            let font = FontId::proportional(TextStyle::Small.resolve(&painter.ctx().global_style()).size);
            // Beside the buttons of the other corner.
            let text = painter.layout(NO_WGPU.to_owned(), font, ctx.style.text_weak, 0.55 * rect.width());
            let at = rect.left_top() + egui::vec2(8.0, 6.0);
            painter.galley(at, text, ctx.style.text_weak);
        }
    }
}

fn draw_label(painter: &egui::Painter, rect: Rect, label: &AxisLabel, font: &FontId, ctx: &ViewCtx<'_>) {
    let color = if label.title { ctx.style.text } else { ctx.style.text_weak };
    let at = rect.min + egui::Vec2::from(label.at);
    painter.text(at, Align2::CENTER_CENTER, &label.text, font.clone(), color);
}

/// Coordinates under the pointer, in the lower left corner, where nothing moves.
#[expect(clippy::too_many_arguments, reason = "one line of text from what the caller has at hand")]
fn readout(
    state: &State,
    painter: &egui::Painter,
    rect: Rect,
    view: &View,
    field: &HeightField,
    surface: &Surface,
    font: &FontId,
    ctx: &ViewCtx<'_>,
) {
    let Some(at) = state.hovered.or(state.pointed_at) else { return };
    let near = painter
        .ctx()
        .pointer_hover_pos()
        .filter(|pointer| rect.contains(*pointer) && state.hovered.is_some())
        .and_then(|pointer| input::nearest_step(state, view, field, (pointer - rect.min).into()));
    let place = format!("x {}   y {}   f {}", number::short(at[0]), number::short(at[1]), number::short(surface.f(at)));
    let text = match near {
        Some((rule, step)) => format!("{place}   {} at step {step}: click to go there", rule.title()),
        None => place,
    };
    let corner = rect.left_bottom() + egui::vec2(8.0, -6.0);
    painter.text(corner, Align2::LEFT_BOTTOM, text, font.clone(), ctx.style.text_weak);
}

/// Two quiet buttons in the upper right corner.
fn controls(state: &mut State, ui: &mut Ui, rect: Rect) {
    let place =
        Rect::from_min_max(egui::pos2(rect.left(), rect.top() + 2.0), rect.right_top() + egui::vec2(-4.0, 26.0));
    let layout = egui::Layout::right_to_left(egui::Align::Center);
    ui.scope_builder(egui::UiBuilder::new().max_rect(place).layout(layout), |ui| {
        let moved = state.camera != state.home;
        let reset = egui::Button::new(egui::RichText::new("first view").small()).frame(false);
        if ui.add_enabled(moved, reset).on_hover_text("Back to the first view (double-click, Home)").clicked() {
            state.reset();
        }
        // In a narrow tile it would begin outside; the palette has it too.
        if ui.available_width() < 80.0 {
            return;
        }
        let label = match state.scale {
            ScaleMode::Automatic => "heights: auto",
            ScaleMode::Linear => "heights: linear",
            ScaleMode::Logarithmic => "heights: log",
        };
        let scale = egui::Button::new(egui::RichText::new(label).small()).frame(false);
        let help = "Automatic, linear or logarithmic heights. Automatic takes the logarithm where a few values dwarf the rest.";
        if ui.add(scale).on_hover_text(help).clicked() {
            state.next_scale();
        }
    });
}

/// The surface of the run that is shown; before the first run, the form's.
fn shown_surface(ctx: &ViewCtx<'_>) -> Option<Chosen> {
    let params = if ctx.run.id.is_some() { &ctx.run.params } else { ctx.params };
    let on_surface = ON_NETWORK.get(params) == Some(false) && SURFACE.get(params).is_some();
    if on_surface { params::surface(params).ok() } else { None }
}

fn axis_titles(field: &HeightField) -> [&'static str; 3] {
    ["x", "y", if field.scale().knee.is_some() { "f (log)" } else { "f" }]
}

fn axes_colors(ctx: &ViewCtx<'_>) -> AxesColors {
    let strength = if ctx.style.high_contrast { 1.0 } else { 0.6 };
    AxesColors {
        grid: scene::with_opacity(ctx.style.rule, if ctx.style.high_contrast { 0.6 } else { 0.9 }),
        edge: scene::with_opacity(ctx.style.text_weak, strength),
    }
}
