//! The colour bar of a field: which colour is which value.

use eframe::egui::{Align2, FontId, Mesh, Painter, Rect, Shape, Vec2, pos2, vec2};

use super::axes::Axes;
use super::field::{ColorScale, Picture};
use super::scale::{Scale, multiples, nice_step, tick_label};
use super::style::Style;

/// Width that a colour bar with its labels takes, for [`Axes::new`].
pub fn width(font_size: f32) -> f32 {
    (6.2 * font_size).round()
}

/// A colour bar to the right of the axes.
pub fn draw(painter: &Painter, axes: &Axes, picture: &Picture, style: &Style, font_size: f32, title: &str) {
    const SLICES: usize = 48;
    let bar = Rect::from_min_size(
        axes.rect.right_top() + vec2(font_size, 0.0),
        Vec2::new((0.9 * font_size).round(), axes.rect.height()),
    );
    let mut mesh = Mesh::default();
    for slice in 0..=SLICES {
        let share = slice as f32 / SLICES as f32;
        let y = bar.bottom() - share * bar.height();
        let color = picture.request.map.color(share);
        mesh.colored_vertex(pos2(bar.left(), y), color);
        mesh.colored_vertex(pos2(bar.right(), y), color);
        if slice > 0 {
            let first = 2 * slice as u32 - 2;
            mesh.add_triangle(first, first + 1, first + 2);
            mesh.add_triangle(first + 1, first + 2, first + 3);
        }
    }
    painter.add(Shape::mesh(mesh));
    let font = FontId::monospace(font_size);
    for (value, label) in bar_ticks(&picture.colors, (bar.height() / (3.2 * font_size)) as usize) {
        let y = bar.bottom() - picture.colors.share(value) as f32 * bar.height();
        painter.hline(bar.right()..=bar.right() + 3.0, y, (1.0, style.text_weak));
        painter.text(pos2(bar.right() + 6.0, y), Align2::LEFT_CENTER, label, font.clone(), style.text_weak);
    }
    let at = bar.left_top() - vec2(0.0, 0.35 * font_size);
    painter.text(at, Align2::LEFT_BOTTOM, title, FontId::proportional(font_size + 0.5), style.text_weak);
}

/// Values of f with their labels, evenly chosen along the bar.
fn bar_ticks(colors: &ColorScale, wanted: usize) -> Vec<(f64, String)> {
    match colors.scale {
        Scale::Linear | Scale::SymLog { .. } => {
            let step = nice_step(colors.high - colors.low, wanted.clamp(2, 7));
            multiples(colors.low, colors.high, step).map(|value| (value, tick_label(value, step))).collect()
        }
        Scale::Log { base } => colors
            .scale
            .ticks(colors.low, colors.high, wanted.clamp(2, 7))
            .into_iter()
            .filter(|tick| tick.major)
            .map(|tick| {
                let above = 10f64.powf(tick.position);
                // With a base of zero the label is the value; otherwise it says how far above the lowest value.
                (base + above, if base == 0.0 { tick.label } else { format!("+{}", tick.label) })
            })
            .collect(),
    }
}
