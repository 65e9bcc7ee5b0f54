//! Which lesions are still there after reconstruction, by kind and size.

use eframe::egui::accesskit::Role;
use eframe::egui::{Align2, FontId, Rect, Sense, Ui, WidgetInfo, pos2, vec2};

use crate::engine::event::Payload;
use crate::engine::twin::TWIN;
use crate::kit::curves::{About, Axis, CurvesTile, Panel, axis};
use crate::kit::empty;
use crate::kit::fields::Fields;
use crate::kit::series::{self, Quantity, quantity};
use crate::kit::tiles::{Tile, TileCommand, TileSpec};
use crate::kit::view::ViewCtx;
use crate::labs::reconstruction::params::PARAMS;
use crate::labs::reconstruction::survival::{BOUNDS, KEYS};
use crate::plot::style::Dash;
use crate::plot::{number, tile};

use super::ReconstructionView;

/// The tile.
pub static TILE: Tile<ReconstructionView> = Tile {
    spec: TileSpec {
        id: "survival",
        title: "Lesion survival",
        help: "How much of the contrast between each lesion of the test pictures and the ring around it is left in the reconstruction, along \
               the colour in which it differs: 1 is all, 0 none. A loss that averages over pixels can be small while every microaneurysm \
               is gone. Sizes are radii in pixels of the network's pictures; in brackets the number of lesions. The ticks are the twin's.",
        area: "answers",
        follows_cursor: true,
    },
    show: |view, ui, ctx| view.survival.show(ui, ctx),
    commands: &[
        TileCommand {
            id: "survival-steps",
            title: "Lesion survival: against the step, or by kind and size",
            run: |view, _, _| view.survival.against_step ^= true,
        },
        TileCommand {
            id: "survival-fit",
            title: "Lesion survival: show the whole run",
            run: |view, _, _| view.survival.curves.fit(),
        },
    ],
};

/// Indices of [`Style::category`](crate::plot::style::Style::category)'s colours, near those of the outlines.
const COLORS: [usize; 4] = [4, 7, 3, 5];
const QUANTITIES: [Quantity; 4] = [
    quantity(KEYS[0], "microaneurysms", COLORS[0], Dash::Solid, "Mean share of their contrast that is left"),
    quantity(KEYS[1], "haemorrhages", COLORS[1], Dash::Dashed, "Mean share of their contrast that is left"),
    quantity(KEYS[2], "hard exudates", COLORS[2], Dash::Dotted, "Mean share of their contrast that is left"),
    quantity(KEYS[3], "cotton-wool spots", COLORS[3], Dash::DashDot, "Mean share of their contrast that is left"),
];
const LEFT: Axis = Axis {
    include: &[0.0, 1.0],
    ..axis("contrast of lesions that is left against the step", "Left", "share of contrast")
};
const WHEN: &str = "on test pictures that are rebuilt, every so many steps (parameter `validate_every`)";

/// View state.
#[derive(Debug, Default)]
pub struct Survival {
    curves: CurvesTile,
    against_step: bool,
}

/// Kind, size class, number of lesions, mean share left.
type Group = (usize, usize, f64, f64);

/// The groups at the cursor, and the step when they were measured.
fn groups(ctx: &ViewCtx<'_>, key: &str) -> Option<(u64, Vec<Group>)> {
    let (step, payload) = ctx.payload(key)?;
    let Payload::Matrix { cols: 4, values, .. } = &*payload else { return None };
    let group = |row: &[f32]| (row[0] as usize, row[1] as usize, f64::from(row[2]), f64::from(row[3]));
    let groups = values.chunks_exact(4).map(group).filter(|group| group.0 < QUANTITIES.len());
    Some((step, groups.collect()))
}

/// A bar: its words, how many lesions it stands for, what is left of them, what the twin leaves, whether of a whole kind.
struct Line {
    kind: usize,
    words: String,
    count: f64,
    left: f64,
    twin: Option<f64>,
    whole: bool,
}

/// Each kind with its sizes.
fn lines(groups: &[Group], twin: &[Group]) -> Vec<Line> {
    let mean = |of: &[Group], kind: usize| {
        let (count, sum) = of.iter().filter(|g| g.0 == kind).fold((0.0, 0.0), |(n, s), g| (n + g.2, s + g.2 * g.3));
        (count > 0.0).then(|| (count, sum / count))
    };
    let mut lines = Vec::new();
    for (kind, quantity) in QUANTITIES.iter().enumerate() {
        let Some((count, left)) = mean(groups, kind) else { continue };
        let words = quantity.name.to_owned();
        let of_twin = mean(twin, kind).map(|(_, left)| left);
        lines.push(Line { kind, words, count, left, twin: of_twin, whole: true });
        for &(_, class, count, left) in groups.iter().filter(|group| group.0 == kind) {
            let of_twin = twin.iter().find(|other| (other.0, other.1) == (kind, class)).map(|other| other.3);
            lines.push(Line { kind, words: sizes(class), count, left, twin: of_twin, whole: false });
        }
    }
    lines
}

/// A class of radii.
fn sizes(class: usize) -> String {
    match class {
        0 => format!("below {} px", BOUNDS[0]),
        class if class < BOUNDS.len() => format!("{}–{} px", BOUNDS[class - 1], BOUNDS[class]),
        _ => format!("from {} px", BOUNDS[BOUNDS.len() - 1]),
    }
}

impl Survival {
    /// What of it belongs to a scene.
    pub fn fields(&mut self, fields: &mut Fields) {
        self.curves.fields(fields);
        fields.value("against_step", &mut self.against_step, false);
    }

    fn show(&mut self, ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
        let size = tile::font_size(ctx.presenting);
        let Some((step, found)) = groups(ctx, "lesions/survival").filter(|(_, found)| !found.is_empty()) else {
            return empty::measured(ui, ctx, WHEN);
        };
        let mut against_step = self.against_step;
        let mut control = |ui: &mut Ui| {
            let help = "Means of each kind against the step, in place of kinds and sizes at the cursor";
            if tile::toggle(ui, against_step, "steps", help, size) {
                against_step = !against_step;
            }
        };
        if self.against_step {
            let about = About {
                text: "contrast that is left".to_owned(),
                twin: series::twin_name(ctx.run, PARAMS),
                ..About::default()
            };
            let panels = vec![Panel::new(LEFT, &QUANTITIES, ctx)];
            self.curves.show(&about, panels, ui, ctx, |ui, _| control(ui));
        } else {
            let twin = groups(ctx, &format!("{TWIN}lesions/survival")).map_or_else(Vec::new, |(_, groups)| groups);
            let lines = lines(&found, &twin);
            let (bar, rest) = tile::split(ui, size);
            let count: f64 = found.iter().map(|group| group.2).sum();
            let about =
                format!("{} lesions of test pictures, step {}", number::grouped(count as u64), number::grouped(step));
            tile::bar(ui, bar, tile::weak(about, size, ctx.style), control);
            draw(&lines, rest, ui, ctx);
        }
        self.against_step = against_step;
    }
}

fn draw(lines: &[Line], rect: Rect, ui: &Ui, ctx: &ViewCtx<'_>) {
    let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
    if rect.width() < 12.0 * size || rect.height() < 2.0 * size {
        return;
    }
    // Below the bars a scale.
    let line = (1.55 * size).min((rect.height() - 1.6 * size) / lines.len().max(1) as f32);
    let painter = ui.painter_at(rect);
    let (words, mono) = (FontId::proportional(size), FontId::monospace(size));
    let left = rect.left() + (11.0 * size).min(0.42 * rect.width());
    let right = rect.right() - (7.0 * size).min(0.3 * rect.width());
    let at = |share: f64| left + (right - left) * share as f32;
    let bottom = rect.top() + line * lines.len() as f32;
    for share in [0.0, 0.5, 1.0] {
        painter.vline(at(share), rect.top()..=bottom, (1.0, style.rule));
        painter.text(
            pos2(at(share), bottom + 0.2 * size),
            Align2::CENTER_TOP,
            share.to_string(),
            words.clone(),
            style.text_weak,
        );
    }
    for (k, Line { kind, words: name, count, left: share, twin, whole }) in lines.iter().enumerate() {
        let place = Rect::from_min_size(pos2(rect.left(), rect.top() + line * k as f32), vec2(rect.width(), line));
        let response = ui.interact(place, ui.scope_id().with(("survival", k)), Sense::hover());
        let of = if *whole { String::new() } else { format!("{}, ", QUANTITIES[*kind].name) };
        let said = format!("{of}{name}: {share:.2} left of {count} lesions");
        response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &said));
        let y = place.center().y;
        let indent = if *whole { 0.0 } else { 1.2 * size };
        let color = if *whole { style.text } else { style.text_weak };
        painter.text(pos2(rect.left() + indent, y), Align2::LEFT_CENTER, name, words.clone(), color);
        let half = if *whole { 0.32 } else { 0.2 } * line;
        let bar = Rect::from_min_max(pos2(left, y - half), pos2(at(*share), y + half));
        let fill = style.category(COLORS[*kind]).color;
        painter.rect_filled(bar, 1.0, if *whole { fill } else { fill.gamma_multiply(0.6) });
        if let Some(twin) = twin {
            painter.vline(at(*twin), y - 1.4 * half..=y + 1.4 * half, (2.0, style.text));
        }
        painter.text(pos2(rect.right(), y), Align2::RIGHT_CENTER, format!("{share:.2} ({count})"), mono.clone(), color);
    }
}
