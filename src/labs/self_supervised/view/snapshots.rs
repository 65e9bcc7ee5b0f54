//! Moments of the past, evenly chosen, of a bulky key: what the figures of the paper draw in colours.

use std::collections::BTreeMap;
use std::sync::Arc;

use eframe::egui::{Color32, FontId, Mesh, Rect, Shape, Stroke, Ui, pos2};

use crate::engine::event::{Payload, RunId};
use crate::kit::view::ViewCtx;
use crate::plot::colormap::ColorMap;
use crate::plot::number;
use crate::plot::style::Style;

use super::series;

/// Most moments of one key that are shown.
const MOST: usize = 16;

/// What has been fetched so far. At most [`MOST`] payloads for each key are kept.
#[derive(Debug, Default)]
pub struct Snapshots {
    run: Option<RunId>,
    kept: BTreeMap<(&'static str, u64), Arc<Payload>>,
}

impl Snapshots {
    /// The chosen moments of `key` that have arrived, in order of steps. Asks for the others.
    pub fn of(&mut self, ctx: &ViewCtx<'_>, key: &'static str) -> Vec<(u64, Arc<Payload>)> {
        if self.run != ctx.run.id {
            (self.run, self.kept) = (ctx.run.id, BTreeMap::new());
        }
        let Some(track) = ctx.run.payloads.get(key) else { return Vec::new() };
        let wanted: Vec<u64> = chosen(track.recorded.len()).map(|index| track.recorded[index].0).collect();
        self.kept.retain(|(kept, step), _| *kept != key || wanted.binary_search(step).is_ok());
        for step in wanted {
            if self.kept.contains_key(&(key, step)) {
                continue;
            }
            // While it is being read, another moment may be handed out instead.
            if let Some((_, payload)) = ctx.past.payload(key, step).filter(|(found, _)| *found == step) {
                self.kept.insert((key, step), payload);
            }
        }
        self.kept.range((key, 0)..=(key, u64::MAX)).map(|((_, step), payload)| (*step, payload.clone())).collect()
    }
}

/// Indices of the moments: every 2ᵏ-th, so that a choice stays while the run goes on.
fn chosen(count: usize) -> impl Iterator<Item = usize> {
    let mut stride = 1;
    while count.div_ceil(stride) > MOST {
        stride *= 2;
    }
    (0..count).step_by(stride)
}

/// The colour of a moment, from the first (dark) to the last (bright); moments after the cursor are faint.
pub fn color(style: &Style, step: u64, steps: u64, cursor: u64) -> Color32 {
    let share = step as f32 / steps.max(1) as f32;
    // The end of the map that is like the background is left out.
    let color = ColorMap::Viridis.color(if style.dark { 0.2 + 0.8 * share } else { 0.84 * share });
    if step > cursor { color.gamma_multiply(0.25) } else { color }
}

/// The key to the colours: a bar from the first to the last step, and what the bold line is.
pub fn color_key(ui: &Ui, rect: Rect, ctx: &ViewCtx<'_>, size: f32) {
    let style = ctx.style;
    let steps = series::steps(ctx);
    let painter = ui.painter_at(rect);
    let font = FontId::proportional(size + 0.5);
    let y = rect.center().y;
    let lead = painter.layout_no_wrap("step".to_owned(), font.clone(), style.text_weak);
    let first = painter.layout_no_wrap("0".to_owned(), FontId::monospace(size), style.text_weak);
    let last = painter.layout_no_wrap(number::grouped(steps), FontId::monospace(size), style.text_weak);
    let at = painter.layout_no_wrap(
        format!("bold: step {}", number::grouped(ctx.cursor.step.min(ctx.run.step))),
        font,
        style.accent,
    );
    let gap = 0.6 * size;
    let room = rect.width() - lead.size().x - first.size().x - last.size().x - at.size().x - 6.0 * gap;
    if room < 3.0 * size {
        painter.galley(pos2(rect.left(), y - at.size().y / 2.0), at, style.accent);
        return;
    }
    let mut x = rect.left();
    for galley in [lead, first] {
        painter.galley(pos2(x, y - galley.size().y / 2.0), galley.clone(), style.text_weak);
        x += galley.size().x + gap;
    }
    let bar = Rect::from_min_max(pos2(x, y - 0.3 * size), pos2(x + room.min(16.0 * size), y + 0.3 * size));
    let mut mesh = Mesh::default();
    for slice in 0..=32u32 {
        let at = bar.left() + bar.width() * slice as f32 / 32.0;
        let color = color(style, u64::from(slice), 32, 32);
        mesh.colored_vertex(pos2(at, bar.top()), color);
        mesh.colored_vertex(pos2(at, bar.bottom()), color);
        if slice > 0 {
            let i = 2 * slice - 2;
            mesh.add_triangle(i, i + 1, i + 2);
            mesh.add_triangle(i + 1, i + 2, i + 3);
        }
    }
    painter.add(Shape::mesh(mesh));
    let cursor = bar.left() + bar.width() * ctx.cursor.step as f32 / steps as f32;
    painter.vline(cursor, bar.y_range().expand(2.0), Stroke::new(1.5, style.accent));
    x = bar.right() + gap;
    painter.galley(pos2(x, y - last.size().y / 2.0), last.clone(), style.text_weak);
    x += last.size().x + 2.0 * gap;
    painter.galley(pos2(x, y - at.size().y / 2.0), at, style.accent);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_stay_chosen_while_the_run_grows() {
        let mut before: Vec<usize> = Vec::new();
        for count in 1..1000 {
            let now: Vec<usize> = chosen(count).collect();
            assert!(now.len() <= MOST && now.len() * 2 >= count.min(MOST), "{count}: {}", now.len());
            assert!(now.iter().all(|i| before.contains(i) || *i >= before.last().copied().unwrap_or(0)), "{count}");
            before = now;
        }
    }
}
