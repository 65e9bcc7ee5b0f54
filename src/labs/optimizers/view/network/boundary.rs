//! Small multiples: one picture of the decision per optimizer, with the points.

use std::sync::Arc;

use eframe::egui::accesskit::Role;
use eframe::egui::epaint::{Mesh, Vertex};
use eframe::egui::{
    Color32, ColorImage, CursorIcon, FontId, Painter, Pos2, Rect, Sense, Shape, Stroke, StrokeKind, TextureOptions, Ui,
    WidgetInfo, pos2, vec2,
};

use crate::data::points::Extent;
use crate::engine::event::{Payload, RunId};
use crate::kit::view::ViewCtx;
use crate::labs::optimizers::network::extent;
use crate::labs::optimizers::network::roster::ROSTER;
use crate::plot::axes::{Axes, Bounds, Titles};
use crate::plot::contour::contours;
use crate::plot::live_texture::LiveTexture;
use crate::plot::number;
use crate::plot::scale::Scale;
use crate::plot::stroke::{LineMesh, Pen};
use crate::plot::style::Style;
use crate::plot::tile;

use super::parts;
use super::{Points, payload, points, stopped_at, value};
use crate::kit::tiles::{Tile, TileCommand, TileSpec};
use crate::labs::optimizers::view::{OptimizersView, network};

/// The tile.
pub static TILE: Tile<OptimizersView> = Tile {
    spec: TileSpec {
        id: "boundary",
        title: "Decision boundary",
        help: "What each network says about every point of the plane at the timeline's step; the line is where the \
               classes are equally likely. Discs are training points, rings test points. Click a picture to enlarge \
               it, and again to go back.",
        area: "boundary",
        follows_cursor: true,
    },
    show: |view, ui, ctx| {
        network::show(&mut view.network, ui, ctx, |state, present, ui, ctx| {
            self::ui(&mut state.boundary, present, &mut state.selected, ui, ctx);
        })
    },
    commands: &[TileCommand {
        id: "boundary-all",
        title: "Decision boundary: all pictures",
        run: |view, _, _| view.network.boundary.enlarged = None,
    }],
};

/// Most points that are drawn of either set; they are shuffled, so that the first ones are a fair sample.
const DRAWN: usize = 1_500;

/// View state of the tile.
#[derive(Debug, Default)]
pub struct BoundaryTile {
    /// Index in [`ROSTER`] of the picture that fills the tile.
    enlarged: Option<usize>,
    pictures: [Picture; ROSTER.len()],
    /// Of which payloads: their extent and number of classes. A set can have a million points.
    measured: Option<(Identity, Extent, usize)>,
    /// The run that the pictures are of.
    run: Option<RunId>,
    marker: LiveTexture,
    /// Pixels of one marker, and its radius in points.
    marker_size: (usize, f32),
}

/// One optimizer's picture and what it was made of.
#[derive(Debug, Default)]
struct Picture {
    texture: LiveTexture,
    shown: Option<Shown>,
    /// Where P = ½, in shares of the picture from the top left.
    lines: Vec<Vec<[f32; 2]>>,
    points: Option<(PointsKey, Arc<Mesh>)>,
}

/// Identity of what the texture shows. Holding the payload keeps its address from being used again.
#[derive(Debug)]
struct Shown {
    payload: Arc<Payload>,
    style: Style,
}

/// What the triangles of the points depend on.
#[derive(Debug, Clone, PartialEq)]
struct PointsKey {
    rect: Rect,
    points: Identity,
    style: Style,
}

/// Addresses of the payloads of training and test points.
type Identity = [Option<usize>; 2];

/// The data of the tile at the cursor.
struct Scene<'a> {
    train: Points<'a>,
    test: Points<'a>,
    identity: Identity,
    extent: Extent,
    /// Number of classes, at least 2.
    classes: usize,
    class_names: Vec<&'a str>,
    /// What was taken off every coordinate; see [`PointSet::origin`](crate::data::points::PointSet::origin).
    origin: [f64; 2],
}

impl Scene<'_> {
    /// Width over height of a picture with equal units.
    fn aspect(&self) -> f32 {
        let [width, height] = [0, 1].map(|a| self.extent.max[a] - self.extent.min[a]);
        // A very long and thin set is stretched rather than drawn as a line.
        (width / height).clamp(0.25, 4.0)
    }
}

/// Draws the tile.
pub fn ui(
    state: &mut BoundaryTile,
    present: &[usize],
    selected: &mut Option<usize>,
    ui: &mut Ui,
    ctx: &mut ViewCtx<'_>,
) {
    let (train, test) = (payload(ctx, "points/train"), payload(ctx, "points/test"));
    let names = payload(ctx, "points/classes");
    let (train_points, test_points) = (points(&train), points(&test));
    if state.run != ctx.run.id {
        // While a recorded picture is being fetched the last one stays, but never one of another run.
        state.run = ctx.run.id;
        state.pictures = Default::default();
        state.measured = None;
    }
    let identity = [&train, &test].map(|payload| payload.as_ref().map(|payload| Arc::as_ptr(payload) as usize));
    let (extent, classes) = match state.measured {
        Some((of, extent, classes)) if of == identity => (extent, classes),
        _ => {
            let largest = train_points.1.iter().chain(test_points.1).max().copied().unwrap_or(1);
            let measured = (extent(train_points.0, test_points.0), (largest as usize + 1).max(2));
            state.measured = Some((identity, measured.0, measured.1));
            measured
        }
    };
    let class_names = match names.as_deref() {
        Some(Payload::Text(names)) => names.lines().collect(),
        _ => Vec::new(),
    };
    let origin = match payload(ctx, "points/origin").as_deref() {
        Some(Payload::Series(origin)) if origin.len() == 2 => [origin[0], origin[1]],
        _ => [0.0; 2],
    };
    let scene = Scene { origin, train: train_points, test: test_points, identity, extent, classes, class_names };
    if state.enlarged.is_some_and(|enlarged| !present.contains(&enlarged)) {
        state.enlarged = None;
    }

    let size = tile::font_size(ctx.presenting);
    let (bar, rest) = tile::split(ui, size);
    let hint = match scene.train.0.len().max(scene.test.0.len()) > DRAWN {
        true => format!("disc: training point, ring: test point (first {DRAWN} of each)"),
        false => "disc: training point, ring: test point, line: classes equally likely".to_owned(),
    };
    tile::bar(ui, bar, tile::weak(hint, size, ctx.style), |ui| {
        if state.enlarged.is_some() && tile::button(ui, true, "show all", "Back to all pictures (Escape)", size) {
            state.enlarged = None;
        }
        for class in (0..scene.classes).rev() {
            let name = scene.class_names.get(class).copied().unwrap_or_default();
            let name = if name.is_empty() { class.to_string() } else { name.to_owned() };
            let text = tile::weak(name, size, ctx.style).color(ctx.style.text);
            ui.add(eframe::egui::Label::new(text).selectable(false)).on_hover_text("class");
            let (rect, _) = ui.allocate_exact_size(vec2(0.9 * size, 0.9 * size), Sense::hover());
            ui.painter().circle_filled(rect.center(), 0.4 * size, parts::class_color(ctx.style, class));
        }
    });
    if state.enlarged.is_some() && ui.input(|input| input.key_pressed(eframe::egui::Key::Escape)) {
        state.enlarged = None;
    }
    if rest.width() < 8.0 || rest.height() < 8.0 {
        return;
    }
    let shown: Vec<usize> = state.enlarged.map_or_else(|| present.to_vec(), |i| vec![i]);
    let places = grid(rest, shown.len(), scene.aspect(), (1.9 * size).round(), (0.7 * size).round());
    if let Some(place) = places.first() {
        let width = place.width().min(place.height() * scene.aspect());
        state.prepare_markers(ui, (0.012 * width).clamp(2.2, 0.45 * size));
    }
    for (&i, place) in shown.iter().zip(places) {
        panel(state, i, place, &scene, selected, ui, ctx);
    }
}

/// Places for `count` panels of one size, each a picture of this aspect below a title: as many columns as make the
/// pictures largest.
fn grid(rect: Rect, count: usize, aspect: f32, title: f32, gap: f32) -> Vec<Rect> {
    let cell = |columns: usize| {
        let rows = count.div_ceil(columns);
        vec2(
            (rect.width() - gap * (columns - 1) as f32) / columns as f32,
            (rect.height() - gap * (rows - 1) as f32) / rows as f32,
        )
    };
    let picture = |columns: usize| {
        let cell = cell(columns);
        cell.x.min((cell.y - title) * aspect)
    };
    let columns = (1..=count).max_by(|a, b| picture(*a).total_cmp(&picture(*b))).unwrap_or(1);
    let mut cell = cell(columns);
    if count > 1 {
        // No higher than the pictures are: the rows stay together, in the middle of the tile.
        cell.y = cell.y.min(title + cell.x / aspect);
    }
    let rows = count.div_ceil(columns) as f32;
    let top = rect.top() + (rect.height() - rows * cell.y - (rows - 1.0) * gap) / 2.0;
    (0..count)
        .map(|i| {
            let (row, column) = ((i / columns) as f32, (i % columns) as f32);
            Rect::from_min_size(pos2(rect.left() + column * (cell.x + gap), top + row * (cell.y + gap)), cell)
        })
        .collect()
}

fn panel(
    state: &mut BoundaryTile,
    i: usize,
    place: Rect,
    scene: &Scene<'_>,
    selected: &mut Option<usize>,
    ui: &mut Ui,
    ctx: &mut ViewCtx<'_>,
) {
    let (size, style, step) = (tile::font_size(ctx.presenting), ctx.style, ctx.cursor.step);
    let entry = &ROSTER[i];
    let alone = state.enlarged == Some(i);
    let title = Rect::from_min_size(place.min, vec2(place.width(), (1.9 * size).round()));
    let below = Rect::from_min_max(title.left_bottom(), place.max);
    if !below.is_positive() {
        return;
    }
    // Equal units in x and y, in the middle of what is there.
    let Extent { min, max } = scene.extent;
    let bounds = Bounds::new([min[0].into(), max[0].into()], [min[1].into(), max[1].into()]);
    let axes = alone.then(|| Axes::new(below, bounds, [Scale::Linear; 2], size, 0.0));
    let room = axes.as_ref().map_or(below, |axes| axes.rect);
    let width = room.width().min(room.height() * scene.aspect());
    let rect = Rect::from_center_size(room.center(), vec2(width, width / scene.aspect()));
    let title = Rect::from_min_max(rect.min - vec2(0.0, title.height()), rect.right_top());

    let accuracy = value(ctx.run, "accuracy/test", entry.id, step);
    let stopped = stopped_at(ctx.run, entry.id, step);
    let note = match stopped {
        Some(last) => format!("stopped at {last}"),
        None => parts::percent(accuracy),
    };
    let response = ui.interact(rect, ui.scope_id().with(("boundary", entry.id)), Sense::click());
    let described = format!("decision boundary of {}, test accuracy {note}", entry.title);
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &described));

    let picture = &mut state.pictures[i];
    if let Some(shown) = payload(ctx, &format!("boundary/{}", entry.id)) {
        picture.show(ui, entry.id, &shown, scene.classes, style);
    }
    let painter = ui.painter_at(rect.expand(1.0));
    painter.rect_filled(rect, 0.0, style.plot_background);
    if let (Some(texture), Some(_)) = (picture.texture.id(), &picture.shown) {
        let whole = Rect::from_min_max(Pos2::ZERO, pos2(1.0, 1.0));
        let faded = if stopped.is_some() { 0.35 } else { 1.0 };
        painter.image(texture, rect, whole, Color32::WHITE.gamma_multiply(faded));
    }
    for line in &picture.lines {
        let at = |[x, y]: &[f32; 2]| rect.min + vec2(x * rect.width(), y * rect.height());
        painter.add(Shape::line(line.iter().map(at).collect(), Stroke::new(0.12 * size, style.text)));
    }
    if let Some(marker) = state.marker.id() {
        let key = PointsKey { rect, points: scene.identity, style: style.clone() };
        let radius = state.marker_size.1;
        let mesh = match &picture.points {
            Some((cached, mesh)) if *cached == key => mesh.clone(),
            _ => Arc::new(point_mesh(scene, rect, radius, marker, style)),
        };
        picture.points = Some((key, mesh.clone()));
        painter.add(Shape::Mesh(mesh));
    }

    let frame = ui.painter();
    let is_selected = *selected == Some(i);
    let (line, color) = match (is_selected, response.hovered() || response.has_focus()) {
        (true, _) => (2.0, style.category(i).color),
        (_, true) => (1.5, style.accent),
        _ => (1.0, style.rule),
    };
    frame.rect_stroke(rect, 0.0, Stroke::new(line, color), StrokeKind::Outside);
    draw_title(frame, title, i, &note, stopped.is_some(), size, style);
    if let Some(axes) = &axes {
        // The labels belong to the picture, which may be smaller than the room for it.
        let rect_with_labels =
            Rect::from_min_max(rect.min - (axes.rect.min - below.min), rect.max + (below.max - axes.rect.max));
        Axes::new(rect_with_labels, bounds, [Scale::Linear; 2], size, 0.0).draw_labels(
            &ui.painter_at(place),
            style,
            &Titles { x: &axis_title("x", scene.origin[0]), y: &axis_title("y", scene.origin[1]) },
        );
        if let (Some(at), Some(shown)) = (response.hover_pos(), &state.pictures[i].shown) {
            read_out(&painter, rect, at, scene, &shown.payload, style, size);
        }
    }
    if response.clicked() {
        state.enlarged = if alone { None } else { Some(i) };
        *selected = Some(i);
    }
    response.on_hover_cursor(if alone { CursorIcon::ZoomOut } else { CursorIcon::ZoomIn });
}

/// `x`, or `x − 1.7e9` where that was taken off.
fn axis_title(name: &str, origin: f64) -> String {
    match origin {
        0.0 => name.to_owned(),
        _ if origin < 0.0 => format!("{name} + {}", -origin),
        _ => format!("{name} − {origin}"),
    }
}

/// A sample of the optimizer's line, its name, and a note on the right. Where room is short the sample goes first and then
/// the note, which stands in Results too; the name is what tells the pictures apart.
fn draw_title(painter: &Painter, rect: Rect, i: usize, note: &str, warn: bool, size: f32, style: &Style) {
    let category = style.category(i);
    let y = rect.center().y;
    let (sample, gap) = (2.3 * size, 0.5 * size);
    let font = FontId::proportional(size + 1.0);
    let color = if warn { style.warning } else { style.text };
    let note = painter.layout_no_wrap(note.to_owned(), FontId::monospace(size), color);
    let name = painter.layout_no_wrap(ROSTER[i].title.to_owned(), font.clone(), style.text);
    let (name, height) = (name.size().x, name.size().y);
    let with_note = name + gap + note.size().x;
    let mut left = rect.left();
    if sample + with_note <= rect.width() {
        let pen = Pen {
            width: 0.2 * size,
            color: category.color,
            dash: category.dash,
            feather: 1.0 / painter.pixels_per_point(),
        };
        let run = [(pos2(left, y), 0), (pos2(left + 1.9 * size, y), 1)];
        LineMesh::new([run.as_slice()], pen).draw(painter);
        left += sample;
    }
    let mut right = rect.right();
    if warn || with_note <= rect.width() {
        right -= note.size().x + gap;
        painter.galley(pos2(right + gap, y - note.size().y / 2.0), note, color);
    }
    let room = Rect::from_min_max(pos2(left, y - 0.5 * height), pos2(right.max(left), y + 0.5 * height));
    tile::one_line(painter, ROSTER[i].title, room, font, style.text);
}

/// Coordinates under the pointer and what the network says about them.
fn read_out(painter: &Painter, rect: Rect, at: Pos2, scene: &Scene<'_>, payload: &Payload, style: &Style, size: f32) {
    let Payload::Matrix { rows, cols, values } = payload else { return };
    let share = (at - rect.min) / rect.size();
    let cell = |share: f32, n: u32| ((share * n as f32) as usize).min(n.saturating_sub(1) as usize);
    let Some(value) = values.get(cell(share.y, *rows) * *cols as usize + cell(share.x, *cols)) else { return };
    let Extent { min, max } = scene.extent;
    let x = min[0] + share.x * (max[0] - min[0]);
    let y = max[1] - share.y * (max[1] - min[1]);
    let (class, probability) = decode(*value, scene.classes);
    let name = scene.class_names.get(class).copied().unwrap_or_default();
    let text = format!(
        "x {}  y {}  class {name} {:.0} %",
        number::short(x.into()),
        number::short(y.into()),
        100.0 * probability
    );
    crate::plot::curve::label(painter, rect, at, &text, size, style);
}

/// The likeliest class and its probability, from a value of `boundary/<optimizer>`
/// (see [`crate::labs::optimizers::network::BOUNDARY`]).
fn decode(value: f32, classes: usize) -> (usize, f32) {
    match (classes, value >= 0.5) {
        (2, true) => (1, value),
        (2, false) => (0, 1.0 - value),
        _ => (value.max(0.0) as usize, value.fract()),
    }
}

impl Picture {
    /// Makes the texture and the lines, if the payload or the style is another one.
    fn show(&mut self, ui: &Ui, id: &str, payload: &Arc<Payload>, classes: usize, style: &Style) {
        let same = |shown: &Shown| Arc::ptr_eq(&shown.payload, payload) && shown.style == *style;
        if self.shown.as_ref().is_some_and(same) {
            return;
        }
        let Payload::Matrix { rows, cols, values } = &**payload else { return };
        let size = [*cols as usize, *rows as usize];
        if size[0] * size[1] != values.len() || values.is_empty() {
            return;
        }
        let colors: Vec<Color32> = (0..classes).map(|class| parts::class_color(style, class)).collect();
        let even = 1.0 / classes as f32;
        let pixels = values.iter().map(|value| {
            let (class, probability) = decode(*value, classes);
            let certainty = (probability - even) / (1.0 - even);
            let color = colors.get(class).copied().unwrap_or(style.plot_background);
            // Faint enough that points of the same class stand out.
            parts::mix(style.plot_background, color, 0.4 * certainty)
        });
        let image = ColorImage::new(size, pixels.collect());
        self.texture.set(ui.ctx(), &format!("boundary {id}"), image, TextureOptions::LINEAR);
        self.lines.clear();
        if classes == 2 {
            let share = |[column, row]: [f32; 2]| [(column + 0.5) / size[0] as f32, (row + 0.5) / size[1] as f32];
            let found = contours(values, size[0], &[0.5]);
            self.lines.extend(found.into_iter().map(|line| line.points.into_iter().map(share).collect()));
        }
        self.shown = Some(Shown { payload: payload.clone(), style: style.clone() });
    }
}

impl BoundaryTile {
    /// Index in [`ROSTER`] of the picture that fills the tile.
    pub fn enlarged(&mut self) -> &mut Option<usize> {
        &mut self.enlarged
    }

    /// Makes the marker texture for markers of this radius in points, pixel for pixel: on the left a white disc with a
    /// dark rim, on the right a white ring with dark rims. White takes the colour of the vertices, black stays.
    fn prepare_markers(&mut self, ui: &Ui, radius: f32) {
        let side = (2.0 * radius * ui.pixels_per_point()).round().max(2.0) as usize;
        self.marker_size.1 = radius;
        if self.marker_size.0 == side {
            return;
        }
        self.marker_size.0 = side;
        let half = side as f32 / 2.0;
        let pixel = |i: usize| {
            let (x, y) = (i % (2 * side), i / (2 * side));
            let r = ((x % side) as f32 + 0.5 - half).hypot(y as f32 + 0.5 - half);
            // Coverage of the disc of this share of the radius, soft over one pixel; rims are a pixel wide.
            let inside = |radius: f32| (radius - r + 0.5).clamp(0.0, 1.0);
            let rim = (0.2 * half).max(0.6);
            let (white, alpha) = match x < side {
                true => (inside(half - 0.5 - rim), inside(half - 0.5)),
                false => {
                    let hole = 0.38 * half;
                    (inside(half - 0.5 - 0.6 * rim) - inside(hole + 0.3 * rim), inside(half - 0.5) - inside(hole))
                }
            };
            let [white, alpha] = [white.min(alpha), alpha].map(|share| (255.0 * share.max(0.0)).round() as u8);
            Color32::from_rgba_premultiplied(white, white, white, alpha)
        };
        let image = ColorImage::new([2 * side, side], (0..2 * side * side).map(pixel).collect());
        self.marker.set(ui.ctx(), "point markers", image, TextureOptions::LINEAR);
    }
}

/// All points as one mesh: test points first, so that no training point is hidden.
fn point_mesh(scene: &Scene<'_>, rect: Rect, radius: f32, texture: eframe::egui::TextureId, style: &Style) -> Mesh {
    let mut mesh = Mesh::with_texture(texture);
    let Extent { min, max } = scene.extent;
    for ((xy, classes), left) in [(scene.test, 0.5), (scene.train, 0.0)] {
        for (p, class) in xy.iter().zip(classes).take(DRAWN) {
            let share = [0, 1].map(|a| (p[a] - min[a]) / (max[a] - min[a]));
            let at = pos2(rect.left() + share[0] * rect.width(), rect.bottom() - share[1] * rect.height());
            let color = parts::class_color(style, *class as usize);
            let first = mesh.vertices.len() as u32;
            for (dx, dy) in [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)] {
                let pos = at + radius * vec2(2.0 * dx - 1.0, 2.0 * dy - 1.0);
                mesh.vertices.push(Vertex { pos, uv: pos2(left + 0.5 * dx, dy), color });
            }
            mesh.indices.extend([0, 1, 2, 1, 3, 2].map(|i| first + i));
        }
    }
    mesh
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grid_fills_the_tile_and_keeps_panels_apart() {
        let rect = Rect::from_min_size(pos2(10.0, 20.0), vec2(900.0, 400.0));
        for count in 1..=14 {
            let places = grid(rect, count, 1.4, 20.0, 8.0);
            assert_eq!(places.len(), count);
            for (i, a) in places.iter().enumerate() {
                assert!(rect.expand(0.01).contains_rect(*a), "{count}: {a}");
                assert!(places[..i].iter().all(|b| !a.shrink(0.01).intersects(b.shrink(0.01))), "{count}");
            }
        }
        let wide = grid(rect, 8, 1.4, 20.0, 8.0);
        assert_eq!(wide[0].top(), wide[3].top(), "eight pictures lie in two rows of four");
        assert!(wide[4].top() > wide[3].top());
    }

    #[test]
    fn values_of_the_picture_are_decoded_as_they_are_documented() {
        assert_eq!(decode(0.75, 2), (1, 0.75));
        assert_eq!(decode(0.25, 2), (0, 0.75));
        let (class, probability) = decode(2.75, 3);
        assert_eq!(class, 2);
        assert!((probability - 0.75).abs() < 1e-6);
    }
}
