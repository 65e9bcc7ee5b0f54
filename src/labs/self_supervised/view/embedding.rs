//! Test features along their two widest directions, coloured by class.

use eframe::egui::accesskit::Role;
use eframe::egui::{Rect, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};

use crate::engine::event::Payload;
use crate::kit::empty;
use crate::kit::view::ViewCtx;
use crate::plot::axes::{Axes, Bounds, Titles, zoom};
use crate::plot::curve::label;
use crate::plot::scale::Scale;
use crate::plot::{number, scatter, tile};

use super::SelfSupervisedView;
use super::series::{self, TWIN};
use crate::kit::tiles::{Tile, TileCommand, TileSpec};

/// The tile.
pub static TILE: Tile<SelfSupervisedView> = Tile {
    spec: TileSpec {
        id: "embedding",
        title: "Embedding",
        help: "Features of test pictures along their two widest directions, coloured by class (the classes never \
               train the network). Click a class to highlight it.",
        area: "features",
        follows_cursor: true,
    },
    show: |view, ui, ctx| self::ui(&mut view.embedding, ui, ctx),
    commands: &[TileCommand {
        id: "embedding-fit",
        title: "Embedding: show all points",
        run: |view, _, _| view.embedding.view = None,
    }],
};

/// View state of the tile.
#[derive(Debug, Default)]
pub struct Embedding {
    view: Option<Bounds>,
    /// A class that stands out.
    class: Option<usize>,
    pub twin: bool,
}

/// Draws the tile.
pub fn ui(state: &mut Embedding, ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
    let twin = series::twin_name(ctx.run).is_some();
    state.twin &= twin;
    let key = if state.twin { format!("{TWIN}embedding") } else { "embedding".to_owned() };
    let found = ctx.payload(&key);
    let Some((step, Payload::Points { xy, classes })) = found.as_ref().map(|(step, payload)| (*step, &**payload))
    else {
        return empty::measured(ui, ctx, "before training and then every so many steps (parameter `probe_every`)");
    };
    let names: Vec<String> =
        series::text(ctx, "classes").map(|text| text.lines().map(str::to_owned).collect()).unwrap_or_default();
    let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
    let (bar, rest) = tile::split(ui, size);
    let whose = if state.twin { "twin, " } else { "" };
    let about = format!("{whose}{} test pictures, step {}", xy.len(), number::grouped(step));
    tile::bar(ui, bar, tile::weak(about, size, style), |ui| {
        if tile::button(ui, state.view.is_some(), "fit", "Show all points (double-click does the same)", size) {
            state.view = None;
        }
        if twin && tile::toggle(ui, state.twin, "twin", "Show the twin's features", size) {
            state.twin = !state.twin;
        }
    });
    let count = classes.iter().map(|class| *class as usize + 1).max().unwrap_or(0);
    let (places, height) = place_names(ui, &names, count, rest.width(), size);
    let height = if height > 0.35 * rest.height() { 0.0 } else { height };
    let outer = Rect::from_min_max(rest.min, rest.max - vec2(0.0, height));
    if outer.width() < 8.0 || outer.height() < 8.0 {
        return;
    }
    draw(state, xy, classes, &names, outer, ui, ctx);
    if height > 0.0 {
        draw_names(&mut state.class, &names, &places, pos2(rest.left(), outer.bottom()), size, ui, ctx);
    }
}

fn draw(
    state: &mut Embedding,
    xy: &[[f32; 2]],
    classes: &[u32],
    names: &[String],
    outer: Rect,
    ui: &Ui,
    ctx: &ViewCtx<'_>,
) {
    let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
    let whole = || {
        let [x, y] = scatter::extent(xy.iter()).unwrap_or([[0.0, 1.0], [0.0, 1.0]]);
        let wide = |[low, high]: [f64; 2]| {
            // Collapsed features lie in one point; the axis keeps a width.
            let least = 1e-6 * (1.0 + low.abs().max(high.abs()));
            if high - low > least { [low, high] } else { [low - least, high + least] }
        };
        Bounds::new(wide(x), wide(y)).padded(0.06)
    };
    let bounds = state.view.unwrap_or_else(whole);
    let axes = Axes::new(outer, bounds, [Scale::Linear; 2], size, 0.6 * size);
    let response = ui.interact(axes.rect, ui.scope_id().with("embedding"), Sense::click_and_drag());
    let spoken = format!("projection of {} test features in {} classes", xy.len(), names.len());
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &spoken));
    zoom(ui, &response, &axes, &mut state.view);
    let painter = ui.painter_at(outer);
    let inside = ui.painter_at(axes.rect);
    inside.rect_filled(axes.rect, 2.0, style.plot_background);
    axes.draw_grid(&inside, style, style.rule.gamma_multiply(0.6));
    let radius = (0.22 * size).max((axes.rect.area() / xy.len().max(1) as f32).sqrt() * 0.11).min(0.42 * size);
    let class_of = |i: usize| classes.get(i).map_or(0, |class| *class as usize);
    let highlighted = |i: usize| state.class.is_some_and(|class| class == class_of(i));
    let mut order: Vec<usize> = (0..xy.len()).collect();
    order.sort_by_key(|i| highlighted(*i));
    for i in order {
        let at = axes.at(f64::from(xy[i][0]), f64::from(xy[i][1]));
        if !axes.rect.contains(at) {
            continue;
        }
        let (color, marker) = scatter::appearance(style, class_of(i));
        let faint = state.class.is_some() && !highlighted(i);
        let color = if faint { color.gamma_multiply(0.18) } else { color.gamma_multiply(0.9) };
        scatter::point(&inside, at, radius, marker, color, Stroke::NONE);
    }
    axes.draw_labels(&painter, style, &Titles { x: "widest direction of the features", y: "second" });
    let Some(pointer) = response.hover_pos() else { return };
    let place = |p: &[f32; 2]| axes.at(f64::from(p[0]), f64::from(p[1]));
    let nearest = xy
        .iter()
        .enumerate()
        .map(|(i, p)| (i, place(p)))
        .filter(|(_, at)| at.distance(pointer) < 1.2 * size)
        .min_by(|a, b| a.1.distance_sq(pointer).total_cmp(&b.1.distance_sq(pointer)));
    if let Some((i, at)) = nearest {
        inside.circle_stroke(at, 1.7 * radius, Stroke::new(1.5, style.text));
        let name = names.get(class_of(i)).map_or_else(|| format!("class {}", class_of(i)), Clone::clone);
        label(&inside, axes.rect, at, &name, size, style);
    }
}

/// Rectangles of the class names from the top left, and their height.
fn place_names(ui: &Ui, names: &[String], count: usize, width: f32, size: f32) -> (Vec<Rect>, f32) {
    let font = eframe::egui::FontId::proportional(size);
    let line = 1.6 * size;
    let (mut x, mut y) = (0.0, 0.0);
    let mut places = Vec::new();
    for name in names.iter().take(count) {
        let text = ui.painter().layout_no_wrap(name.clone(), font.clone(), ui.visuals().text_color());
        let wide = (1.3 * size + text.size().x).ceil();
        if x > 0.0 && x + wide > width {
            (x, y) = (0.0, y + line);
        }
        places.push(Rect::from_min_size(pos2(x, y), vec2(wide, line)));
        x += wide + 0.8 * size;
    }
    let height = if places.is_empty() { 0.0 } else { y + line };
    (places, height)
}

fn draw_names(
    class: &mut Option<usize>,
    names: &[String],
    places: &[Rect],
    from: eframe::egui::Pos2,
    size: f32,
    ui: &Ui,
    ctx: &ViewCtx<'_>,
) {
    let style = ctx.style;
    for (index, (name, place)) in names.iter().zip(places).enumerate() {
        let place = place.translate(from.to_vec2());
        let response = ui.interact(place, ui.scope_id().with(("class", index)), Sense::click());
        let selected = *class == Some(index);
        response.widget_info(|| WidgetInfo::selected(Role::CheckBox, true, selected, format!("highlight {name}")));
        if response.clicked() {
            *class = if selected { None } else { Some(index) };
        }
        let (color, marker) = scatter::appearance(style, index);
        let at = pos2(place.left() + 0.45 * size, place.center().y);
        scatter::point(ui.painter(), at, 0.36 * size, marker, color, Stroke::NONE);
        let text = if selected || response.hovered() || response.has_focus() { style.text } else { style.text_weak };
        let at = pos2(place.left() + 1.2 * size, place.center().y);
        let font = eframe::egui::FontId::proportional(size);
        ui.painter().text(at, eframe::egui::Align2::LEFT_CENTER, name, font, text);
    }
}
