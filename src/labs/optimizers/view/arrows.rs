//! The parts of one update as arrows in the plane.

use eframe::egui::{Align2, Color32, FontId, Painter, Pos2, Rect, Shape, Stroke, Vec2};

use crate::kit::view::ViewCtx;
use crate::labs::optimizers::rules::{Part, Rule, Trace};
use crate::labs::optimizers::surfaces::Surface;
use crate::plot::axes::Axes;
use crate::plot::number;
use crate::plot::style::Style;

use super::marks::ink;
use super::paths::{self, Path};

/// The update from `step` to `step + 1` of a path, in parts; `None` past its end or where it is not a number.
pub fn trace(path: &Path<'_>, surface: &Surface, ctx: &ViewCtx<'_>) -> Option<Trace> {
    let k = usize::try_from(ctx.cursor.step).ok().filter(|k| *k < path.row_count() && path.is_finite(*k))?;
    let hyper = paths::hyper_at(ctx, ctx.cursor.step);
    Some(path.rule.noisy_trace(&path.whole_state(k, surface, ctx), surface, &hyper, &paths::noise(ctx)))
}

/// Whether the part's arrow is a slope (it has another unit than θ, and is drawn at a scale of its own).
pub fn is_slope(part: &Part) -> bool {
    matches!(part.id, "gradient" | "first_moment" | "first_moment_corrected" | "direction")
}

/// Whether the part is what is remembered of squared slopes: drawn as squares of that area, one an axis.
pub fn is_square(part: &Part) -> bool {
    matches!(
        part.id,
        "accumulator" | "mean_square" | "second_moment" | "second_moment_corrected" | "largest_second_moment"
    )
}

/// Colour of a part: the gradient, what is remembered, and the move are told apart; the move has the optimizer's.
pub fn color(part: &Part, rule: Rule, style: &Style) -> Color32 {
    match part.id {
        "gradient" => style.accent,
        "look_ahead" | "inertia" => style.text_weak,
        "pull" => style.accent,
        "first_moment" | "first_moment_corrected" | "direction" | "velocity" => style.good,
        "move" | "step" => style.category(rule.index()).color,
        _ => style.text_weak,
    }
}

/// An arrow with a rim, from `from` along `by` on the screen.
pub fn draw(painter: &Painter, from: Pos2, by: Vec2, color: Color32, size: f32, style: &Style) {
    let length = by.length();
    if !length.is_finite() || length < 0.5 {
        return;
    }
    let way = by / length;
    let head = (0.95 * size).min(0.6 * length);
    let (tip, neck) = (from + by, from + by - way * head);
    let rim = if style.dark { Color32::from_black_alpha(150) } else { Color32::from_white_alpha(210) };
    let side = way.rot90() * 0.42 * head;
    painter.line_segment([from, neck], Stroke::new(0.34 * size, rim));
    painter.line_segment([from, neck], Stroke::new(0.2 * size, color));
    painter.add(Shape::convex_polygon(vec![tip, neck + side, neck - side], color, Stroke::new(0.08 * size, rim)));
}

/// Names beside the tips of arrows, side by side where they would cover each other.
#[derive(Debug, Default)]
pub struct Names {
    taken: Vec<Rect>,
}

impl Names {
    /// Writes the name of an arrow that ends at `tip`; a name that is already there is not repeated.
    pub fn place(&mut self, painter: &Painter, tip: Pos2, by: Vec2, text: &str, color: Color32, size: f32) {
        let way = by.normalized();
        let galley = painter.layout_no_wrap(text.to_owned(), FontId::monospace(size), color);
        let inside = painter.clip_rect().shrink(0.8 * size);
        let at = (tip + (0.4 * way + 0.9 * way.rot90()) * size).clamp(inside.min, inside.max);
        let mut rect = Align2::CENTER_CENTER.anchor_size(at, galley.size());
        // To the side away from the arrow; a handful of parts never needs more places than this.
        let aside = if way.rot90().x < 0.0 { -1.0 } else { 1.0 };
        for _ in 0..8 {
            match self.taken.iter().find(|taken| taken.intersects(rect)) {
                Some(taken) => {
                    let shift = (0.5 * (taken.width() + rect.width()) + 0.4 * size) * aside;
                    rect = Rect::from_center_size(taken.center() + Vec2::new(shift, 0.0), rect.size());
                }
                None => break,
            }
        }
        self.taken.push(rect);
        painter.galley(rect.min, galley, color);
    }
}

/// Screen vector of a data vector, times `scale`.
pub fn on_screen(axes: &Axes, by: [f64; 2], scale: f64) -> Vec2 {
    let unit = axes.unit();
    Vec2::new((by[0] * scale / unit[0]) as f32, (-by[1] * scale / unit[1]) as f32)
}

/// A factor of 1, 2 or 5 times a power of ten that makes `longest` points about `wanted` points long.
pub fn round_scale(longest: f64, wanted: f64) -> f64 {
    if !(longest > 0.0 && longest.is_finite()) {
        return 1.0;
    }
    let raw = wanted / longest;
    let power = 10f64.powf(raw.log10().floor());
    [5.0, 2.0, 1.0].into_iter().find(|f| f * power <= raw * 1.000_001).unwrap_or(1.0) * power
}

/// The arrows of the parts that the cursor has come to, on the large field.
pub fn on_field(painter: &Painter, axes: &Axes, path: &Path<'_>, surface: &Surface, ctx: &ViewCtx<'_>, size: f32) {
    if ctx.cursor.sub == 0 {
        return;
    }
    let Some(trace) = trace(path, surface, ctx) else { return };
    let [x, y] = path.position(path.row_at(ctx.cursor.step));
    if !axes.rect.contains(axes.at(x, y)) {
        return;
    }
    let shown = &trace.parts[..ctx.cursor.sub.min(trace.parts.len())];
    let longest = |slopes: bool| {
        trace
            .parts
            .iter()
            .filter(|part| is_slope(part) == slopes)
            .filter_map(|part| part.arrow)
            .map(|(from, to)| f64::from(on_screen(axes, [to[0] - from[0], to[1] - from[1]], 1.0).length()))
            .fold(0.0, f64::max)
    };
    let wanted = f64::from(6.0 * size);
    let (slope_scale, move_scale) = (round_scale(longest(true), wanted), round_scale(longest(false), wanted));
    let mut names = Names::default();
    for part in shown {
        let Some((from, to)) = part.arrow else { continue };
        let scale = if is_slope(part) { slope_scale } else { move_scale };
        let by = on_screen(axes, [to[0] - from[0], to[1] - from[1]], scale);
        let start = axes.at(from[0], from[1]);
        let color = color(part, path.rule, ctx.style);
        draw(painter, start, by, color, size, ctx.style);
        names.place(painter, start + by, by, label(part), ink(ctx.style), size);
    }
    let caption = format!(
        "{} {} → {}: slopes × {}, moves × {}",
        path.rule.title(),
        ctx.cursor.step,
        ctx.cursor.step + 1,
        number::exact(slope_scale),
        number::exact(move_scale)
    );
    let at = axes.rect.left_bottom() + Vec2::new(0.6, -0.5) * size;
    painter.text(at, Align2::LEFT_BOTTOM, caption, FontId::proportional(size), ink(ctx.style));
}

/// What stands at an arrow's tip: slopes are drawn downhill.
pub fn label(part: &Part) -> &'static str {
    match part.id {
        "gradient" => "−g",
        "first_moment" | "first_moment_corrected" => match part.symbol {
            "B" => "−B",
            "c" => "−c",
            "m̂" => "−m̂",
            "m̃" => "−m̃",
            _ => "−m",
        },
        "look_ahead" | "inertia" => "μv",
        "pull" => "−ηg",
        "velocity" => "v",
        "move" | "step" => "Δθ",
        _ => part.symbol,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrow_scales_are_round_and_never_too_long() {
        assert_eq!(round_scale(3.0, 66.0), 20.0);
        assert_eq!(round_scale(66.0, 66.0), 1.0);
        assert_eq!(round_scale(0.0, 66.0), 1.0);
        let scale = round_scale(1e-5, 66.0);
        assert!(scale * 1e-5 <= 66.1 && scale * 1e-5 > 26.0);
    }
}
