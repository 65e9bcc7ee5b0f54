//! Small widgets that the shell's parts share: icon buttons drawn as shapes, the accent button, colour swatches.

use eframe::egui::{
    self, Align2, Color32, CornerRadius, Pos2, Rect, Response, Role, Sense, Shape, Stroke, TextStyle, Ui, WidgetInfo,
    pos2, vec2,
};

use super::theme;
use crate::plot::style::{Category, Dash, Style};

/// Id of the timeline's scrub bar, which may have the keyboard while the shortcuts still work.
pub fn timeline_id() -> egui::Id {
    egui::Id::unique("timeline scrub bar")
}

/// A sign, drawn rather than typed, so that it is sharp and centred at any size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Icon {
    Play,
    Pause,
    Stop,
    Restart,
    ToStart,
    ToEnd,
    StepBack,
    StepForward,
    SubBack,
    SubForward,
    Follow,
    Maximise,
    Restore,
    Reset,
    Close,
}

impl Icon {
    /// Draws the sign in the middle of `rect`.
    pub fn paint(self, painter: &egui::Painter, rect: Rect, color: Color32) {
        let r = (rect.width().min(rect.height()) * 0.5).min(7.0);
        let at = |x: f32, y: f32| rect.center() + vec2(x, y) * r;
        let line = Stroke::new((r * 0.24).max(1.2), color);
        let triangle = |tip: f32, base: f32| {
            Shape::convex_polygon(vec![at(base, -0.8), at(tip, 0.0), at(base, 0.8)], color, Stroke::NONE)
        };
        let bar = |x: f32, half: f32| {
            Shape::rect_filled(Rect::from_min_max(at(x - half, -0.8), at(x + half, 0.8)), CornerRadius::same(1), color)
        };
        let chevron = |tip: f32, base: f32| Shape::line(vec![at(base, -0.7), at(tip, 0.0), at(base, 0.7)], line);
        let cross = |a: Pos2, b: Pos2| Shape::line_segment([a, b], line);
        match self {
            Icon::Play => drop(painter.add(triangle(0.85, -0.6))),
            Icon::Pause => painter.extend([bar(-0.4, 0.2), bar(0.4, 0.2)]),
            Icon::Stop => drop(painter.add(Shape::rect_filled(
                Rect::from_min_max(at(-0.7, -0.7), at(0.7, 0.7)),
                CornerRadius::same(1),
                color,
            ))),
            Icon::ToStart => painter.extend([bar(-0.75, 0.12), triangle(-0.5, 0.7)]),
            Icon::ToEnd => painter.extend([bar(0.75, 0.12), triangle(0.5, -0.7)]),
            Icon::StepBack => painter.extend([bar(0.6, 0.12), triangle(-0.8, 0.25)]),
            Icon::StepForward => painter.extend([bar(-0.6, 0.12), triangle(0.8, -0.25)]),
            Icon::SubBack => drop(painter.add(chevron(-0.45, 0.35))),
            Icon::SubForward => drop(painter.add(chevron(0.45, -0.35))),
            Icon::Follow => painter.extend([chevron(0.1, -0.6), chevron(0.75, 0.05)]),
            Icon::Close => {
                painter.extend([cross(at(-0.55, -0.55), at(0.55, 0.55)), cross(at(-0.55, 0.55), at(0.55, -0.55))])
            }
            Icon::Maximise | Icon::Restore => {
                // Two corners that point outwards or inwards.
                let (tip, tail) = if self == Icon::Maximise { (0.75, 0.05) } else { (0.15, 0.8) };
                for s in [1.0, -1.0] {
                    painter.add(Shape::line(
                        vec![at(s * tail, -s * tip), at(s * tip, -s * tip), at(s * tip, -s * tail)],
                        line,
                    ));
                }
            }
            Icon::Restart | Icon::Reset => {
                let arc: Vec<Pos2> = (0..=20)
                    .map(|i| {
                        let a = -2.2 + 4.9 * i as f32 / 20.0;
                        at(0.72 * a.cos(), 0.72 * a.sin())
                    })
                    .collect();
                let head = arc[0];
                painter.add(Shape::line(arc, line));
                let tip = |dx: f32, dy: f32| head + vec2(dx, dy) * r;
                painter.add(Shape::convex_polygon(
                    vec![tip(-0.35, -0.45), tip(0.45, -0.1), tip(-0.25, 0.45)],
                    color,
                    Stroke::NONE,
                ));
            }
        }
    }
}

/// A frameless square button with a sign; `label` is its name for screen readers, tests and the tooltip.
pub fn icon_button(ui: &mut Ui, icon: Icon, label: &str, color: Color32) -> Response {
    let (rect, response) = ui.allocate_exact_size(vec2(24.0, 24.0), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, ui.is_enabled(), label));
    if ui.is_rect_visible(rect) {
        let color = if ui.is_enabled() { color } else { color.gamma_multiply(0.4) };
        if response.hovered() || response.has_focus() {
            ui.painter().rect_filled(rect, 6.0, ui.visuals().widgets.hovered.weak_bg_fill);
        }
        if response.has_focus() {
            ui.painter().rect_stroke(rect, 6.0, ui.visuals().widgets.active.bg_stroke, egui::StrokeKind::Inside);
        }
        icon.paint(ui.painter(), rect, color);
    }
    response.on_hover_text(label)
}

/// Width of a [`labelled_button`].
pub fn labelled_width(ui: &Ui, icon: bool, label: &str) -> f32 {
    let font = TextStyle::Button.resolve(ui.style());
    let galley = ui.painter().layout_no_wrap(label.to_owned(), font, Color32::PLACEHOLDER);
    galley.size().x + if icon { 20.0 } else { 0.0 } + 24.0
}

/// A button with a sign and a word; `accent`: the one thing to press now.
pub fn labelled_button(ui: &mut Ui, icon: Option<Icon>, label: &str, accent: bool, style: &Style) -> Response {
    let (fill, text) =
        if accent { (style.accent, theme::on_accent(style)) } else { (theme::raised_fill(style), style.text) };
    let galley = ui.painter().layout_no_wrap(label.to_owned(), TextStyle::Button.resolve(ui.style()), text);
    let sign = if icon.is_some() { 20.0 } else { 0.0 };
    let size = vec2(galley.size().x + sign + 24.0, ui.spacing().interact_size.y + 4.0);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, ui.is_enabled(), label));
    if ui.is_rect_visible(rect) {
        let dim = if ui.is_enabled() { 1.0 } else { 0.4 };
        let hot = ui.is_enabled() && (response.hovered() || response.has_focus());
        let fill = if hot { fill.lerp_to_gamma(style.text, 0.12) } else { fill };
        ui.painter().rect_filled(rect, 6.0, fill.gamma_multiply(dim));
        if style.high_contrast || response.has_focus() {
            let color = if response.has_focus() { style.text } else { style.rule };
            ui.painter().rect_stroke(rect, 6.0, Stroke::new(1.0, color), egui::StrokeKind::Inside);
        }
        let mut x = rect.left() + 12.0;
        if let Some(icon) = icon {
            icon.paint(
                ui.painter(),
                Rect::from_center_size(pos2(x + 6.0, rect.center().y), vec2(12.0, 12.0)),
                text.gamma_multiply(dim),
            );
            x += sign;
        }
        let at = Align2::LEFT_CENTER.anchor_size(pos2(x, rect.center().y), galley.size()).min;
        ui.painter().galley(at, galley, text.gamma_multiply(dim));
    }
    response
}

/// A check box of 16 points whose name is `label` (drawn by the caller, who may put a swatch between).
pub fn check_box(ui: &mut Ui, on: bool, label: &str, style: &Style) -> Response {
    let (rect, response) = ui.allocate_exact_size(vec2(16.0, 24.0), Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::CheckBox, ui.is_enabled(), on, label));
    if ui.is_rect_visible(rect) {
        let square = Rect::from_center_size(rect.center(), vec2(16.0, 16.0));
        let border = if response.hovered() || response.has_focus() { style.text } else { style.text_weak };
        if on {
            ui.painter().rect_filled(square, 4.0, style.accent);
            let at = |x: f32, y: f32| square.center() + vec2(x, y);
            let tick = vec![at(-4.0, 0.2), at(-1.2, 3.2), at(4.2, -3.2)];
            ui.painter().add(Shape::line(tick, Stroke::new(1.8, theme::on_accent(style))));
        } else {
            ui.painter().rect_filled(square, 4.0, theme::raised_fill(style));
        }
        if !on || response.has_focus() {
            ui.painter().rect_stroke(square, 4.0, Stroke::new(1.0, border), egui::StrokeKind::Inside);
        }
    }
    response
}

/// A short piece of line in a category's colour and dash.
pub fn swatch(ui: &mut Ui, category: Category) {
    let (rect, _) = ui.allocate_exact_size(vec2(20.0, 16.0), Sense::hover());
    let stroke = Stroke::new(2.5, category.color);
    let line = [rect.left_center(), rect.right_center()];
    match category.dash {
        Dash::Solid => drop(ui.painter().line_segment(line, stroke)),
        Dash::Dashed => ui.painter().extend(Shape::dashed_line(&line, stroke, 5.0, 2.5)),
        Dash::Dotted => ui.painter().extend(Shape::dashed_line(&line, stroke, 2.0, 2.5)),
        Dash::DashDot => {
            ui.painter().extend(Shape::dashed_line_with_offset(&line, stroke, &[6.0, 2.0], &[2.0, 2.0], 0.0))
        }
    }
}
