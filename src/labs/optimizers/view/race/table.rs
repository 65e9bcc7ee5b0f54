//! The standings as a table, and how each rate was found.

use eframe::egui::accesskit::Role;
use eframe::egui::{
    Align2, FontId, Label, Painter, Pos2, Rect, ScrollArea, Sense, Ui, UiBuilder, WidgetInfo, pos2, vec2,
};

use crate::kit::view::ViewCtx;
use crate::labs::optimizers::race::{HIGHEST, LOWEST, Lowest, Race, Standing, Tuned};
use crate::labs::optimizers::rules::Rule;
use crate::labs::optimizers::view::controls;
use crate::plot::number;
use crate::plot::stroke::{LineMesh, Pen, Stop};
use crate::plot::style::{Dash, Style};

/// A column: its heading, what it says, its width in sizes of the font.
struct Column {
    title: &'static str,
    help: &'static str,
    width: f32,
    text: fn(&Standing) -> String,
}

/// In the order of the table.
const COLUMNS: [Column; 8] = [
    Column {
        title: "rank",
        help: "Median over the starts of its rank among all, 1 the best; the table is in this order, then by the mean",
        width: 3.2,
        text: |one| number::compact(one.rank),
    },
    Column {
        title: "wins",
        help: "Starts on which it was the best; one on which several tie counts for each in part",
        width: 3.8,
        text: |one| number::compact(one.wins),
    },
    Column {
        title: "f − f*",
        help: "How far above the lowest value it is at the end, median over the starts",
        width: 5.8,
        text: |one| value(one.gap[1]),
    },
    Column {
        title: "25–75 %",
        help: "Half of the starts end with f − f* in between",
        width: 11.2,
        text: |one| format!("{} – {}", brief(one.gap[0]), brief(one.gap[2])),
    },
    Column {
        title: "arrived",
        help: "Starts from which it arrives at a minimum and stays; where f falls without end, leaves the window downhill",
        width: 4.4,
        text: |one| format!("{:.0} %", 100.0 * one.arrived as f64 / one.outcomes.len().max(1) as f64),
    },
    Column {
        title: "gradients",
        help: "Gradients until it arrived, median of those that did",
        width: 5.4,
        text: |one| one.gradients.map_or_else(|| "—".to_owned(), |k| number::grouped(k.round() as u64)),
    },
    Column {
        title: "η",
        help: "The rate that was found best on other starts; marked where it is at the border of the search",
        width: 5.2,
        text: |one| one.tuned.as_ref().map_or_else(|| "none".to_owned(), rate),
    },
    Column {
        title: "tuning",
        help: "f − f* against η (log), as the search saw it",
        width: 6.6,
        text: |_| String::new(),
    },
];

/// The curve of tuning.
const CURVE: usize = 7;
/// The columns that say nothing where f falls without end.
const OF_GAPS: [usize; 2] = [2, 3];
/// Which columns matter most where there is no room for all.
const FIRST: [usize; 8] = [0, 6, 2, 4, 1, 5, CURVE, 3];

/// Three figures, `diverged` for ∞.
fn value(gap: f64) -> String {
    if gap == f64::INFINITY { "diverged".to_owned() } else { number::short(gap) }
}

fn brief(gap: f64) -> String {
    if gap == f64::INFINITY { "∞".to_owned() } else { number::significant(gap, 2) }
}

/// A rate; one at the border of the search may be better beyond.
fn rate(tuned: &Tuned) -> String {
    let text = number::exact(tuned.rate);
    match (tuned.at_border, tuned.rate > 1.0) {
        (false, _) => text,
        (true, true) => format!("≥ {text}"),
        (true, false) => format!("≤ {text}"),
    }
}

/// The columns that fit into so much room, in sizes of the font.
fn columns(room: f32, endless: bool) -> Vec<usize> {
    let (mut left, mut fit) = (room, Vec::new());
    for column in FIRST.into_iter().filter(|column| !(endless && OF_GAPS.contains(column))) {
        if COLUMNS[column].width > left {
            break;
        }
        left -= COLUMNS[column].width;
        fit.push(column);
    }
    fit.sort_unstable();
    fit
}

/// A standing in a sentence.
pub fn spoken(race: &Race, one: &Standing) -> String {
    let starts = one.outcomes.len();
    let mut text = format!(
        "{}: median rank {}, best on {} of {starts} starts",
        one.rule.title(),
        number::compact(one.rank),
        number::compact(one.wins)
    );
    let did = if race.lowest == Lowest::Endless { "leaves the window" } else { "arrives" };
    text.push_str(&match one.gradients {
        Some(k) => format!("; {did} from {} of them, after {} gradients (median)", one.arrived, number::compact(k)),
        None => format!("; never {did}"),
    });
    if race.lowest != Lowest::Endless {
        let [low, middle, high] = one.gap.map(value);
        text.push_str(&format!("; f − f* at the end {middle} (25 to 75 %: {low} to {high})"));
    }
    text.push_str(&match &one.tuned {
        None => "; has no η".to_owned(),
        Some(tuned) if tuned.lost => format!("; diverges at every η from {LOWEST} to {HIGHEST}"),
        Some(tuned) if tuned.at_border => {
            format!("; η = {}, at the border of the search: a better one may lie beyond", number::exact(tuned.rate))
        }
        Some(tuned) => format!("; η = {}", number::exact(tuned.rate)),
    });
    text
}

/// Draws the table; the optimizer whose row was clicked.
pub fn show(race: &Race, selected: Rule, rest: Rect, ui: &mut Ui, ctx: &ViewCtx<'_>) -> Option<Rule> {
    let (size, style) = (controls::font_size(ctx), ctx.style);
    let least = 8.8 * size;
    let shown = columns((rest.width() - least - 0.6 * size) / size, race.lowest == Lowest::Endless);
    let taken: f32 = shown.iter().map(|column| COLUMNS[*column].width * size).sum();
    let name = (rest.width() - taken - 0.6 * size).clamp(least.min(rest.width()), 13.0 * size);
    // What is left over goes between the columns.
    let spare = ((rest.width() - name - taken - 0.6 * size) / shown.len().max(1) as f32).clamp(0.0, 2.0 * size);
    let rights: Vec<f32> = shown
        .iter()
        .scan(rest.left() + name, |right, column| {
            *right += COLUMNS[*column].width * size + spare;
            Some(*right)
        })
        .collect();
    let height = (1.9 * size).round();
    let painter = ui.painter_at(rest);
    for (&column, &right) in shown.iter().zip(&rights) {
        let Column { title, help, width, .. } = COLUMNS[column];
        let at = pos2(right, rest.top() + height / 2.0);
        painter.text(at, Align2::RIGHT_CENTER, title, FontId::proportional(size), style.text_weak);
        let place = Rect::from_min_max(pos2(right - width * size, rest.top()), pos2(right, rest.top() + height));
        let response = ui.interact(place.intersect(rest), ui.scope_id().with(("race", title)), Sense::hover());
        response.on_hover_text(help);
    }
    painter.hline(rest.x_range(), rest.top() + height, (1.0, style.rule));
    let body = rest.with_min_y(rest.top() + height + 1.0);
    let mut clicked = None;
    if !body.is_positive() {
        return None;
    }
    ui.scope_builder(UiBuilder::new().max_rect(body), |ui| {
        let scroll = ScrollArea::vertical().id_salt("standings").auto_shrink([false; 2]).min_scrolled_height(0.0);
        scroll.show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            for one in &race.standings {
                let (row, response) = ui.allocate_exact_size(vec2(body.width(), height), Sense::click());
                let (text, active) = (spoken(race, one), one.rule == selected);
                response.widget_info(|| WidgetInfo::selected(Role::RadioButton, true, active, &text));
                let painter = ui.painter();
                if active || response.hovered() || response.has_focus() {
                    painter.rect_filled(row, 2.0, style.accent.gamma_multiply(0.18));
                }
                mark(painter, pos2(row.left() + 0.3 * size, row.center().y), one.rule, size, style);
                let inside = row.with_max_x(rest.left() + name).intersect(ui.clip_rect());
                let at = pos2(row.left() + 2.8 * size, row.center().y);
                let font = FontId::proportional(size + 0.5);
                painter.with_clip_rect(inside).text(at, Align2::LEFT_CENTER, one.rule.title(), font, style.text);
                for (&column, &right) in shown.iter().zip(&rights) {
                    if column == CURVE {
                        let width = COLUMNS[CURVE].width * size;
                        let place = Rect::from_min_max(pos2(right - width, row.top()), pos2(right, row.bottom()));
                        let place = place.shrink2(vec2(0.5 * size, 0.3 * size));
                        curve(painter, place, race, one, size, style);
                        continue;
                    }
                    let suspect = column == 6 && one.tuned.as_ref().is_some_and(|tuned| tuned.at_border || tuned.lost);
                    let color = if suspect { style.warning } else { style.text };
                    let (at, font) = (pos2(right, row.center().y), FontId::monospace(size));
                    painter.text(at, Align2::RIGHT_CENTER, (COLUMNS[column].text)(one), font, color);
                }
                if response.clicked() {
                    clicked = Some(one.rule);
                }
                response.on_hover_ui(|ui| {
                    ui.set_max_width(30.0 * size);
                    ui.add(Label::new(&text).wrap());
                    if one.tuned.is_some() {
                        let (place, _) = ui.allocate_exact_size(vec2(26.0, 7.0) * size, Sense::hover());
                        ui.painter().rect_filled(place, 2.0, style.plot_background);
                        curve(ui.painter(), place.shrink(0.6 * size), race, one, size, style);
                        ui.label(controls::weak(
                            format!("Tuning: η from {LOWEST} to {HIGHEST} (log) across, upwards is worse"),
                            size,
                            style,
                        ));
                    }
                });
            }
        });
    });
    clicked
}

/// The line of an optimizer before its name.
pub fn mark(painter: &Painter, at: Pos2, rule: Rule, size: f32, style: &Style) {
    let category = style.category(rule.index());
    let feather = 1.0 / painter.pixels_per_point();
    let pen = Pen { width: 0.2 * size, color: category.color, dash: category.dash, feather };
    LineMesh::new([[(at, 0), (at + vec2(2.0 * size, 0.0), 1)].as_slice()], pen).draw(painter);
}

/// How good each rate was: low is good; what diverged lies at the upper border.
fn curve(painter: &Painter, place: Rect, race: &Race, one: &Standing, size: f32, style: &Style) {
    let Some(tuned) = &one.tuned else { return };
    let height = |value: f64| match race.lowest {
        Lowest::Known(base) | Lowest::Found(base) => (value - base).max(1e-300).log10(),
        Lowest::Endless => value,
    };
    let heights = || tuned.tried.iter().map(|[_, value]| height(*value)).filter(|height| height.is_finite());
    let (low, high) = (heights().fold(f64::INFINITY, f64::min), heights().fold(f64::NEG_INFINITY, f64::max));
    let at = |[rate, value]: [f64; 2]| {
        let across = (rate / LOWEST).log10() / (HIGHEST / LOWEST).log10();
        let height = height(value);
        // Of what has no number, or none that is better, the place is above all others.
        let up = if height.is_finite() { 0.85 * (height - low) / (high - low).max(1e-9) } else { 1.0 };
        pos2(place.left() + across as f32 * place.width(), place.bottom() - up as f32 * place.height())
    };
    let run: Vec<Stop> = tuned.tried.iter().map(|tried| (at(*tried), 0)).collect();
    let color = style.category(one.rule.index()).color;
    let pen = Pen { width: 0.12 * size, color, dash: Dash::Solid, feather: 1.0 / painter.pixels_per_point() };
    LineMesh::new([run.as_slice()], pen).draw(painter);
    if let Some(best) = tuned.tried.iter().find(|[rate, _]| *rate == tuned.rate) {
        painter.circle_filled(at(*best), 0.26 * size, style.text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_matters_most_is_shown_where_there_is_little_room() {
        assert_eq!(columns(0.0, false), Vec::<usize>::new());
        assert_eq!(columns(15.0, false), [0, 2, 6]);
        assert_eq!(columns(90.0, false), [0, 1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(columns(90.0, true), [0, 1, 4, 5, 6, 7]);
        for room in 0..90 {
            let taken: f32 = columns(room as f32, false).iter().map(|column| COLUMNS[*column].width).sum();
            assert!(taken <= room as f32);
        }
    }

    #[test]
    fn a_rate_at_the_border_of_the_search_is_marked() {
        let tuned = |rate: f64, at_border: bool| Tuned { rate, at_border, lost: false, tried: Vec::new() };
        assert_eq!(rate(&tuned(0.0178, false)), "0.0178");
        assert_eq!(rate(&tuned(10.0, true)), "≥ 10");
        assert!(rate(&tuned(1e-5, true)).starts_with("≤ "));
    }
}
