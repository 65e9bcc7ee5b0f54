//! The graph: a column for each layer, a picture for each unit, a line for each weight.

use eframe::egui::accesskit::Role;
use eframe::egui::{
    Align2, Color32, FontId, Painter, Pos2, Rect, Response, Sense, Stroke, StrokeKind, TextureId, Ui, Vec2, WidgetInfo,
    pos2, vec2,
};

use crate::plot::colormap::ColorMap;
use crate::plot::decimate::distance_to_segment;
use crate::plot::number;
use crate::plot::style::Style;
use crate::plot::tile;

use super::names::Names;
use super::net::{Net, Unit};

/// Most units of a column that are drawn.
const MOST: usize = 32;

/// A column as it is drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Units of the column, and their places, from the top.
    pub units: Vec<(usize, Rect)>,
    /// Where its heading stands.
    heading: Rect,
}

/// Where everything lies in `rect`; with so little room that no picture would be seen, nowhere.
pub fn lay_out(net: &Net, rect: Rect, size: f32) -> Vec<Column> {
    let (gap, least, line) = (0.35 * size, 1.1 * size, 1.4 * size);
    let columns = net.columns();
    // Room for the names of features and of classes, and for frames at the foot.
    let [left, right, foot] = [4.4, 5.2, 0.3].map(|share| share * size);
    let top = rect.top() + 0.4 * size + line;
    let room_below = |top: f32| (((rect.bottom() - foot - top + gap) / (least + gap)).max(1.0) as usize).min(MOST);
    // A second line in the headings says that not all are shown.
    let all = (0..columns).all(|column| net.units(column) <= room_below(top + gap));
    let top = if all { top + gap } else { top + line };
    let room = room_below(top);
    let inner = Rect::from_min_max(pos2(rect.left() + left, top), pos2(rect.right() - right, rect.bottom() - foot));
    if inner.height() < 2.0 * least || inner.width() < 2.5 * least * columns as f32 {
        return Vec::new();
    }
    let widest = (0.42 * inner.width() / columns as f32).min(4.5 * size);
    let pitch = (inner.width() - widest) / (columns - 1) as f32;
    let place = |column: usize| {
        let units = net.strongest(column, room);
        let count = units.len().max(1) as f32;
        let side = ((inner.height() + gap) / count - gap).min(widest);
        let x = inner.left() + 0.5 * widest + column as f32 * pitch;
        let step = (side + gap).max(((inner.height() - side) / count).min(1.6 * side));
        let first = inner.center().y - 0.5 * step * (count - 1.0);
        let at = |row: usize| Rect::from_center_size(pos2(x, first + row as f32 * step), Vec2::splat(side));
        let half = (0.5 * pitch).min(x - rect.left()).min(rect.right() - x);
        let heading = Rect::from_min_max(pos2(x - half, rect.top() + 0.4 * size), pos2(x + half, inner.top()));
        Column { units: units.into_iter().enumerate().map(|(row, unit)| (unit, at(row))).collect(), heading }
    };
    (0..columns).map(place).collect()
}

/// What a graph is drawn with.
pub struct Look<'a> {
    pub names: &'a Names,
    /// Whose network it is.
    pub optimizer: &'a str,
    /// All pictures in one, and where a unit's lies in it.
    pub texture: Option<TextureId>,
    pub uv: &'a dyn Fn(usize, usize) -> Rect,
    pub pinned: Option<Unit>,
    pub size: f32,
    pub style: &'a Style,
}

/// Width and colour of the line of a weight, whose size is this share of the largest.
pub fn stroke(weight: f32, largest: f32, size: f32, style: &Style) -> Stroke {
    let share = (weight.abs() / largest).clamp(0.0, 1.0);
    // Not from the middle of the map on, which is the background's colour.
    let color = ColorMap::diverging(style).color(0.5 + 0.5 * weight.signum() * (0.35 + 0.65 * share));
    Stroke::new((0.04 + 0.34 * share) * size, color.gamma_multiply(0.35 + 0.65 * share))
}

/// Draws the graph; gives the response of every unit that is drawn.
pub fn show(net: &Net, columns: &[Column], look: &Look<'_>, ui: &Ui, rect: Rect) -> Vec<(Unit, Response)> {
    let Look { size, style, .. } = *look;
    let painter = ui.painter_at(rect);
    let lines = lines(net, columns);
    let largest = net.largest_weight();
    let under = ui.interact(rect, ui.scope_id().with("connections"), Sense::hover());
    under.widget_info(|| WidgetInfo::labeled(Role::Image, true, spoken(net, look)));

    let mut responses = Vec::new();
    for (column, units) in columns.iter().enumerate() {
        for &(index, place) in &units.units {
            let unit = Unit { column, index };
            let response = ui.interact(place, ui.scope_id().with(("unit", column, index)), Sense::click());
            let selected = look.pinned == Some(unit);
            let about = || about(net, unit, look.names);
            response.widget_info(|| WidgetInfo::selected(Role::Button, true, selected, about()));
            responses.push((unit, response));
        }
    }
    let touched = |response: &Response| response.hovered() || response.has_focus();
    let over = responses.iter().find(|(_, response)| touched(response)).map(|(unit, _)| *unit);
    let marked = over.or(look.pinned);
    let pointer = under.hover_pos().filter(|_| over.is_none());
    let distance = |line: &Line, at: Pos2| distance_to_segment(at, line.ends[0], line.ends[1]);
    let near = pointer.and_then(|at| {
        let found = lines.iter().min_by(|a, b| distance(a, at).total_cmp(&distance(b, at)))?;
        (distance(found, at) < 0.4 * size).then_some((found, at))
    });
    for line in &lines {
        let mut stroke = stroke(line.weight, largest, size, style);
        let is_near = near.is_some_and(|(near, _)| std::ptr::eq(near, line));
        match marked {
            _ if is_near => stroke = Stroke::new(stroke.width + 0.12 * size, style.text),
            Some(unit) if unit != line.from && unit != line.to => stroke.color = stroke.color.gamma_multiply(0.15),
            _ => {}
        }
        painter.line_segment(line.ends, stroke);
    }
    for (column, units) in columns.iter().enumerate() {
        draw_heading(&painter, net, column, units, size, style);
        for (row, &(index, place)) in units.units.iter().enumerate() {
            let unit = Unit { column, index };
            painter.rect_filled(place, 2.0, style.plot_background);
            if let Some(texture) = look.texture {
                painter.image(texture, place, (look.uv)(column, row), Color32::WHITE);
            }
            let (width, color) = match (look.pinned == Some(unit), over == Some(unit)) {
                (_, true) => (2.0, style.accent),
                (true, _) => (2.0, style.text),
                _ => (1.0, style.text_weak.gamma_multiply(0.6)),
            };
            painter.rect_stroke(place, 2.0, Stroke::new(width, color), StrokeKind::Outside);
        }
    }
    draw_names(&painter, columns, look, rect);
    if let Some((line, at)) = near {
        let (from, to) = (look.names.unit(net, line.from), look.names.unit(net, line.to));
        let text = format!("{from} → {to}: {}", number::signed(line.weight.into()).trim());
        crate::plot::curve::label(&painter, rect, at, &text, size, style);
    }
    responses
}

struct Line {
    from: Unit,
    to: Unit,
    weight: f32,
    ends: [Pos2; 2],
}

fn lines(net: &Net, columns: &[Column]) -> Vec<Line> {
    let mut lines = Vec::new();
    for (column, pair) in columns.windows(2).enumerate() {
        for &(index, left) in &pair[0].units {
            for &(to, right) in &pair[1].units {
                let from = Unit { column, index };
                let (weight, ends) = (net.weight(from, to), [left.right_center(), right.left_center()]);
                lines.push(Line { from, to: Unit { column: column + 1, index: to }, weight, ends });
            }
        }
    }
    lines
}

/// The graph in words: its size and its largest weight.
fn spoken(net: &Net, look: &Look<'_>) -> String {
    let sizes: Vec<String> = (0..net.columns()).map(|column| net.units(column).to_string()).collect();
    let largest = net.heaviest().map_or_else(String::new, |(from, to, weight)| {
        let (from, to) = (look.names.unit(net, from), look.names.unit(net, to));
        format!("; largest weight {} from {from} to {to}", number::signed(weight.into()).trim())
    });
    format!("network of {}, {} units{largest}", look.optimizer, sizes.join("–"))
}

/// A unit in words: its bias and its largest weights.
fn about(net: &Net, unit: Unit, names: &Names) -> String {
    let listed = |weights: Vec<(Unit, f32)>| {
        let texts = weights
            .into_iter()
            .take(3)
            .map(|(unit, weight)| format!("{} {}", names.short(net, unit), number::signed(weight.into()).trim()));
        texts.collect::<Vec<_>>().join(", ")
    };
    let bias = net.bias(unit).map_or_else(String::new, |bias| format!(", bias {}", number::signed(bias.into()).trim()));
    let from = net.incoming(unit);
    let from = if from.is_empty() { String::new() } else { format!(", from {}", listed(from)) };
    let to = net.outgoing(unit);
    let to = if to.is_empty() { String::new() } else { format!(", to {}", listed(to)) };
    format!("{}{bias}{from}{to}", names.unit(net, unit))
}

fn draw_heading(painter: &Painter, net: &Net, column: usize, units: &Column, size: f32, style: &Style) {
    let font = FontId::proportional(size);
    let wide = |text: &str| painter.layout_no_wrap(text.to_owned(), font.clone(), style.text).size().x;
    let mut lines = vec![(Names::column(net, column), style.text)];
    let (shown, all) = (units.units.len(), net.units(column));
    if shown < all {
        let words = format!("{shown} of {all} shown");
        let text = if wide(&words) < units.heading.width() { words } else { format!("{shown}/{all}") };
        lines.push((text, style.text_weak));
    }
    for (row, (text, color)) in lines.into_iter().enumerate() {
        let width = wide(&text).min(units.heading.width());
        let at = pos2(units.heading.center().x - 0.5 * width, units.heading.top() + 1.4 * size * row as f32);
        let room = Rect::from_min_size(at, vec2(width + 1.0, 1.4 * size));
        tile::one_line(painter, &text, room, font.clone(), color);
    }
}

/// Names of the features on the left and of the classes on the right.
fn draw_names(painter: &Painter, columns: &[Column], look: &Look<'_>, rect: Rect) {
    let Look { names, size, style, .. } = *look;
    let (Some(first), Some(last)) = (columns.first(), columns.last()) else { return };
    for (index, place) in &first.units {
        let name = names.features.get(*index).copied().unwrap_or_default();
        let at = place.left_center() - vec2(0.4 * size, 0.0);
        painter.text(at, Align2::RIGHT_CENTER, name, FontId::proportional(size), style.text);
    }
    for (index, place) in &last.units {
        let room = Rect::from_min_max(
            pos2(place.right() + 0.4 * size, place.center().y - 0.7 * size),
            pos2(rect.right(), place.center().y + 0.8 * size),
        );
        tile::one_line(painter, &names.class(*index), room, FontId::proportional(size), style.text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::points::{Extent, Standardisation};
    use crate::labs::optimizers::network::features::{Feature, Inputs};
    use crate::nn::mlp::{Activation, MlpShape};

    fn net(hidden: usize, layers: usize) -> Net {
        let shape = MlpShape::new(2, hidden, layers, 3, Activation::Tanh);
        let inputs =
            Inputs { features: Feature::DEFAULT.to_vec(), standard: Standardisation { mean: [0.0; 2], std: [1.0; 2] } };
        let theta = shape.initial(1);
        Net::new(shape, theta, &inputs, Extent { min: [-1.0; 2], max: [1.0; 2] })
    }

    #[test]
    fn units_lie_within_the_tile_and_apart() {
        for (hidden, layers) in [(1, 1), (16, 2), (40, 2), (8, 6)] {
            for wide in [vec2(420.0, 300.0), vec2(1200.0, 500.0), vec2(700.0, 160.0)] {
                let rect = Rect::from_min_size(pos2(10.0, 20.0), wide);
                let columns = lay_out(&net(hidden, layers), rect, 11.0);
                assert!(columns.len() == layers + 2 || wide.x < 500.0 && layers > 4, "{hidden} {layers} {wide}");
                let places: Vec<Rect> =
                    columns.iter().flat_map(|column| column.units.iter().map(|(_, place)| *place)).collect();
                for (i, a) in places.iter().enumerate() {
                    assert!(rect.expand(0.01).contains_rect(*a), "{hidden} {layers} {wide}: {a}");
                    assert!(a.width() > 10.0, "{a}");
                    assert!(places[..i].iter().all(|b| !a.intersects(*b)), "{hidden} {layers} {wide}");
                }
            }
        }
    }

    #[test]
    fn where_room_is_short_some_units_are_left_out() {
        let columns = lay_out(&net(40, 1), Rect::from_min_size(Pos2::ZERO, vec2(600.0, 200.0)), 11.0);
        assert_eq!((columns[0].units.len(), columns[2].units.len()), (2, 3));
        let shown = columns[1].units.len();
        assert!((4..20).contains(&shown), "{shown}");
        assert!(lay_out(&net(4, 1), Rect::from_min_size(Pos2::ZERO, vec2(60.0, 40.0)), 11.0).is_empty());
    }

    #[test]
    fn a_line_is_wider_the_larger_its_weight_and_its_colour_is_its_sign() {
        let style = Style::light();
        let of = |weight| stroke(weight, 2.0, 11.0, &style);
        assert!(of(2.0).width > of(-1.0).width && of(-1.0).width > of(0.0).width);
        let [plus, minus] = [of(2.0), of(-2.0)].map(|stroke| stroke.color);
        assert!(plus.r() > plus.b() && minus.b() > minus.r(), "orange and blue: {plus:?} {minus:?}");
    }
}
