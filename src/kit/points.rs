//! A map of points in classes: a plane to zoom and move in, the name of the point under the pointer, and below it the classes, of
//! which one can stand out. A lab may draw over the points, and may ask for lines that the user draws from one to another.

use eframe::egui::accesskit::Role;
use eframe::egui::{
    Align2, FontId, Painter, PointerButton, Pos2, Rect, Response, Sense, Stroke, Ui, WidgetInfo, pos2, vec2,
};

use crate::kit::fields::Fields;
use crate::kit::view::ViewCtx;
use crate::plot::axes::{Axes, Bounds, Titles, is_panning, zoom};
use crate::plot::curve::label;
use crate::plot::scale::Scale;
use crate::plot::{scatter, tile};

/// Where one looks, and which class stands out.
#[derive(Debug, Default)]
pub struct PointMap {
    view: Option<Bounds>,
    class: Option<usize>,
    /// The point from which a line is being drawn, and the one where it would end.
    line: Option<(usize, Option<usize>)>,
}

/// What is drawn.
pub struct Points<'a> {
    pub xy: &'a [[f32; 2]],
    /// The class of each point; 0 where it has none.
    pub classes: &'a [usize],
    /// What classes are called. A class beyond the last is called by its number.
    pub class_names: &'a [String],
    /// What the point under the pointer is called.
    pub name: &'a dyn Fn(usize) -> String,
    pub titles: Titles<'a>,
    /// What a screen reader says.
    pub said: String,
    /// Whether a line can be drawn from one point to another.
    pub links: bool,
    /// Drawn over the points, below the name.
    pub over: &'a dyn Fn(&Over<'_>),
}

/// The points as they lie on the screen.
pub struct Over<'a> {
    /// Draws nothing outside of the plane.
    pub painter: &'a Painter,
    pub rect: Rect,
    /// The place of a point, perhaps outside of the plane.
    pub place: &'a dyn Fn(usize) -> Pos2,
    /// The point under the pointer.
    pub hovered: Option<usize>,
}

/// What the user did with the points in this frame.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Touched {
    /// The point under the pointer.
    pub hovered: Option<usize>,
    /// Clicked; `Some(None)`: beside all points.
    pub clicked: Option<Option<usize>>,
    /// A line was drawn from the first to the second.
    pub linked: Option<[usize; 2]>,
}

impl Points<'_> {
    fn class(&self, i: usize) -> usize {
        self.classes.get(i).copied().unwrap_or(0)
    }

    /// All points, with room around. Points that lie in one place still have a width.
    fn bounds(&self) -> Bounds {
        let [x, y] = scatter::extent(self.xy.iter()).unwrap_or([[0.0, 1.0], [0.0, 1.0]]);
        let wide = |[low, high]: [f64; 2]| {
            let least = 1e-6 * (1.0 + low.abs().max(high.abs()));
            if high - low > least { [low, high] } else { [low - least, high + least] }
        };
        Bounds::new(wide(x), wide(y)).padded(0.06)
    }
}

/// The name of a class, or its number.
pub fn class_name(names: &[String], class: usize) -> String {
    names.get(class).map_or_else(|| format!("class {class}"), Clone::clone)
}

impl PointMap {
    pub fn is_zoomed(&self) -> bool {
        self.view.is_some()
    }

    /// What of it belongs to a scene.
    pub fn fields(&mut self, fields: &mut Fields) {
        fields.zoom("zoom", &mut self.view);
        fields.optional("class", &mut self.class);
    }

    /// All points are shown again.
    pub fn fit(&mut self) {
        self.view = None;
    }

    /// Draws the points into `rest`, with the classes below where there is room for them.
    pub fn show(&mut self, points: &Points<'_>, rest: Rect, ui: &Ui, ctx: &ViewCtx<'_>) -> Touched {
        let size = tile::font_size(ctx.presenting);
        let (places, height) = place_names(ui, points.class_names, rest.width(), size);
        let height = if height > 0.35 * rest.height() { 0.0 } else { height };
        let outer = Rect::from_min_max(rest.min, rest.max - vec2(0.0, height));
        if outer.width() < 8.0 || outer.height() < 8.0 {
            return Touched::default();
        }
        let touched = self.draw(points, outer, ui, ctx);
        if height > 0.0 {
            self.draw_names(points.class_names, &places, outer.left_bottom(), ui, ctx);
        }
        touched
    }

    fn draw(&mut self, points: &Points<'_>, outer: Rect, ui: &Ui, ctx: &ViewCtx<'_>) -> Touched {
        let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
        let bounds = self.view.unwrap_or_else(|| points.bounds());
        let axes = Axes::new(outer, bounds, [Scale::Linear; 2], size, 0.6 * size);
        let response = ui.interact(axes.rect, ui.scope_id().with("points"), Sense::click_and_drag());
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &points.said));
        zoom(ui, &response, &axes, &mut self.view);
        let (painter, inside) = (ui.painter_at(outer), ui.painter_at(axes.rect));
        inside.rect_filled(axes.rect, 2.0, style.plot_background);
        axes.draw_grid(&inside, style, style.rule.gamma_multiply(0.6));
        let count = points.xy.len();
        let radius = (0.22 * size).max((axes.rect.area() / count.max(1) as f32).sqrt() * 0.11).min(0.42 * size);
        let place = |i: usize| axes.at(f64::from(points.xy[i][0]), f64::from(points.xy[i][1]));
        self.line = self.line.filter(|(from, to)| *from < count && to.is_none_or(|to| to < count));
        let highlighted = |i: usize| self.class == Some(points.class(i));
        let mut order: Vec<usize> = (0..count).collect();
        order.sort_by_key(|i| highlighted(*i));
        for i in order {
            let at = place(i);
            if !axes.rect.contains(at) {
                continue;
            }
            let (color, marker) = scatter::appearance(style, points.class(i));
            let faint = self.class.is_some() && !highlighted(i);
            let color = color.gamma_multiply(if faint { 0.18 } else { 0.9 });
            scatter::point(&inside, at, radius, marker, color, Stroke::NONE);
        }
        let nearest = |to: Pos2| {
            (0..count)
                .map(|i| (i, place(i).distance(to)))
                .filter(|(_, far)| *far < 1.2 * size)
                .min_by(|a, b| a.1.total_cmp(&b.1))
                .map(|(i, _)| i)
        };
        let hovered = response.hover_pos().or(response.interact_pointer_pos()).and_then(nearest);
        let linked = if points.links { self.link(ui, &response, &inside, &place, &nearest, ctx) } else { None };
        (points.over)(&Over { painter: &inside, rect: axes.rect, place: &place, hovered });
        axes.draw_labels(&painter, style, &points.titles);
        if let Some(i) = hovered {
            inside.circle_stroke(place(i), 1.7 * radius, Stroke::new(1.5, style.text));
            label(&inside, axes.rect, place(i), &(points.name)(i), size, style);
        }
        Touched { hovered, clicked: response.clicked().then_some(hovered), linked }
    }

    /// The line from the point where a drag began to the pointer, and the points that it joins when it ends.
    fn link(
        &mut self,
        ui: &Ui,
        response: &Response,
        inside: &Painter,
        place: &dyn Fn(usize) -> Pos2,
        nearest: &dyn Fn(Pos2) -> Option<usize>,
        ctx: &ViewCtx<'_>,
    ) -> Option<[usize; 2]> {
        if response.drag_started_by(PointerButton::Primary) && !is_panning(ui, response) {
            self.line = ui.input(|input| input.pointer.press_origin()).and_then(nearest).map(|from| (from, None));
        }
        let (from, to) = self.line.as_mut()?;
        if !response.dragged() {
            let joined = to.filter(|to| to != from && response.drag_stopped()).map(|to| [*from, to]);
            self.line = None;
            return joined;
        }
        // A finger that is lifted leaves no place, so that the last one counts.
        if let Some(pointer) = response.interact_pointer_pos() {
            *to = nearest(pointer);
            inside.line_segment([place(*from), pointer], Stroke::new(2.0, ctx.style.accent));
        }
        None
    }

    fn draw_names(&mut self, names: &[String], places: &[Rect], from: Pos2, ui: &Ui, ctx: &ViewCtx<'_>) {
        let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
        for (index, (name, place)) in names.iter().zip(places).enumerate() {
            let place = place.translate(from.to_vec2());
            let response = ui.interact(place, ui.scope_id().with(("class", index)), Sense::click());
            let selected = self.class == Some(index);
            response.widget_info(|| WidgetInfo::selected(Role::CheckBox, true, selected, format!("highlight {name}")));
            if response.clicked() {
                self.class = if selected { None } else { Some(index) };
            }
            let (color, marker) = scatter::appearance(style, index);
            let at = pos2(place.left() + 0.45 * size, place.center().y);
            scatter::point(ui.painter(), at, 0.36 * size, marker, color, Stroke::NONE);
            let text =
                if selected || response.hovered() || response.has_focus() { style.text } else { style.text_weak };
            let at = pos2(place.left() + 1.2 * size, place.center().y);
            ui.painter().text(at, Align2::LEFT_CENTER, name, FontId::proportional(size), text);
        }
    }
}

/// Rectangles of the class names from the top left, and their height.
fn place_names(ui: &Ui, names: &[String], width: f32, size: f32) -> (Vec<Rect>, f32) {
    let font = FontId::proportional(size);
    let line = 1.6 * size;
    let (mut x, mut y) = (0.0, 0.0);
    let mut places = Vec::new();
    for name in names {
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
