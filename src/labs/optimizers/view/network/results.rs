//! The numbers at the cursor: loss and accuracy of every optimizer.

use eframe::egui::accesskit::Role;
use eframe::egui::{Align2, FontId, Rect, ScrollArea, Sense, Ui, WidgetInfo, pos2, vec2};

use crate::kit::view::ViewCtx;
use crate::labs::optimizers::network::roster::ROSTER;
use crate::plot::number;
use crate::plot::stroke::{LineMesh, Pen};
use crate::plot::tile;

use super::{parts, stopped_at, value};
use crate::kit::tiles::{Tile, TileSpec};
use crate::labs::optimizers::view::{OptimizersView, network};

/// The tile.
pub static TILE: Tile<OptimizersView> = Tile {
    spec: TileSpec {
        id: "network-table",
        title: "Results",
        help: "Loss and accuracy of every optimizer at the timeline's step. Click a row to highlight it everywhere.",
        area: "results",
        follows_cursor: true,
    },
    show: |view, ui, ctx| {
        network::show(&mut view.network, ui, ctx, |state, present, ui, ctx| {
            self::ui(present, &mut state.selected, ui, ctx);
        })
    },
    commands: &[],
};

/// Heading, family, and whether it is a share.
const COLUMNS: [(&str, &str, bool); 4] = [
    ("loss train", "loss/train", false),
    ("loss test", "loss/test", false),
    ("acc. train", "accuracy/train", true),
    ("acc. test", "accuracy/test", true),
];

/// The widest number, a digit being 0.6 wide, with a space before it; in sizes of the font.
const WIDEST: f32 = 5.6;

/// The columns that fit beside each other in so much room (in sizes of the font).
fn columns(room: f32) -> &'static [usize] {
    match room / WIDEST {
        fit if fit >= 4.0 => &[0, 1, 2, 3],
        fit if fit >= 2.0 => &[1, 3],
        _ => &[3],
    }
}

/// Draws the tile. A click on a row highlights the optimizer in every tile.
pub fn ui(present: &[usize], selected: &mut Option<usize>, ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
    let (size, style, run, step) = (tile::font_size(ctx.presenting), ctx.style, ctx.run, ctx.cursor.step);
    let (bar, rest) = tile::split(ui, size);
    let about = format!("at step {}; green: best on the test set", number::grouped(step));
    tile::bar(ui, bar, tile::weak(about, size, style), |_| {});
    if rest.width() < 40.0 || rest.height() < 20.0 {
        return;
    }
    let best = |family: &str, better: fn(f64, f64) -> bool| {
        let going = present.iter().filter(|&&i| stopped_at(run, ROSTER[i].id, step).is_none());
        going.filter_map(|&i| value(run, family, ROSTER[i].id, step)).reduce(|a, b| if better(b, a) { b } else { a })
    };
    let best_loss = best("loss/test", |a, b| a < b);
    let best_accuracy = best("accuracy/test", |a, b| a > b);

    let whole = rest.width() - 1.4 * size;
    let least_name = (11.5 * size).min(0.42 * rest.width());
    // A narrow tile shows the test set only, or its accuracy alone: numbers that touch say nothing.
    let columns = columns((whole - least_name) / size);
    // The names take what the numbers leave.
    let name_width = (whole - columns.len() as f32 * WIDEST * size).clamp(least_name, (11.5 * size).max(least_name));
    let room = (whole - name_width).max(0.0);
    let right = |slot: usize| rest.left() + name_width + room * (slot + 1) as f32 / columns.len() as f32;
    let row_height = (2.0 * size).round();
    let painter = ui.painter_at(rest);
    for (slot, &c) in columns.iter().enumerate() {
        let at = pos2(right(slot), rest.top() + row_height / 2.0);
        painter.text(at, Align2::RIGHT_CENTER, COLUMNS[c].0, FontId::proportional(size), style.text_weak);
    }
    painter.hline(rest.x_range(), rest.top() + row_height, (1.0, style.rule));
    let body = Rect::from_min_max(rest.min + vec2(0.0, row_height + 1.0), rest.max);
    if !body.is_positive() {
        return;
    }
    ui.scope_builder(eframe::egui::UiBuilder::new().max_rect(body), |ui| {
        ScrollArea::vertical().id_salt("results").auto_shrink([false; 2]).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            for &i in present {
                let entry = &ROSTER[i];
                let (row, response) = ui.allocate_exact_size(vec2(body.width(), row_height), Sense::click());
                let stopped = stopped_at(run, entry.id, step);
                let texts = COLUMNS.map(|(_, family, share)| match value(run, family, entry.id, step) {
                    found if share => parts::percent(found),
                    found => number::short(found.unwrap_or(f64::NAN)),
                });
                let spoken = COLUMNS.iter().zip(&texts).map(|((heading, ..), text)| format!("{heading} {text}"));
                let spoken = format!("{}: {}", entry.title, spoken.collect::<Vec<_>>().join(", "));
                response.widget_info(|| WidgetInfo::selected(Role::Button, true, *selected == Some(i), spoken.clone()));
                let response = response.on_hover_text(spoken);
                if response.clicked() {
                    parts::toggle_selected(selected, i);
                }
                let painter = ui.painter();
                if *selected == Some(i) || response.hovered() || response.has_focus() {
                    painter.rect_filled(row, 2.0, style.accent.gamma_multiply(0.18));
                }
                let category = style.category(i);
                let y = row.center().y;
                let pen = Pen {
                    width: 0.2 * size,
                    color: category.color,
                    dash: category.dash,
                    feather: 1.0 / painter.pixels_per_point(),
                };
                let run_of_line = [(pos2(row.left() + 0.3 * size, y), 0), (pos2(row.left() + 2.3 * size, y), 1)];
                LineMesh::new([run_of_line.as_slice()], pen).draw(painter);
                let font = FontId::proportional(size + 0.5);
                let name = Rect::from_min_max(
                    pos2(row.left() + 2.8 * size, y - 0.75 * size),
                    pos2(rest.left() + name_width, row.max.y),
                );
                tile::one_line(painter, entry.title, name, font, style.text);
                if let Some(last) = stopped {
                    let text = format!("diverged, stopped at step {last}");
                    let font = FontId::proportional(size);
                    painter.text(pos2(right(columns.len() - 1), y), Align2::RIGHT_CENTER, text, font, style.warning);
                    continue;
                }
                for (slot, &c) in columns.iter().enumerate() {
                    let found = value(run, COLUMNS[c].1, entry.id, step);
                    let is_best = found.is_some() && (c == 1 && found == best_loss || c == 3 && found == best_accuracy);
                    let color = if is_best { style.good } else { style.text };
                    let font = FontId::monospace(size);
                    painter.text(pos2(right(slot), y), Align2::RIGHT_CENTER, &texts[c], font, color);
                }
            }
        });
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_neighbouring_columns_never_touch() {
        for room in 0..120 {
            let room = room as f32 / 2.0;
            let count = columns(room).len() as f32;
            // `0.000598` and `100.0 %`, and a gap of half a digit at least.
            assert!(count == 1.0 || room / count >= 8.0 * 0.6 + 0.3, "{room}: {count}");
        }
        assert_eq!((columns(11.0), columns(12.0), columns(30.0).len()), (&[3][..], &[1, 3][..], 4));
    }
}
