//! The picture under the brush: zoom and pan, the mask as a tint with its outline, the original's outline, and the strokes.

use eframe::egui::accesskit::Role;
use eframe::egui::{
    Color32, ColorImage, Event, Key, Modifiers, Painter, PointerButton, Pos2, Rect, Response, Sense, Shape, Stroke,
    StrokeKind, TextureHandle, TextureOptions, Ui, Vec2, WidgetInfo, pos2, vec2,
};

use crate::data::segmentation::edit::Point;
use crate::pixels::mask::Mask;
use crate::pixels::mask::outline::{Outline, OutlineStyle, outlines};
use crate::plot::axes::is_panning;
use crate::plot::number;
use crate::plot::style::Style;

use super::session::Session;
use crate::labs::segmentation::view::look::Marks;

/// What the primary button draws with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tool {
    #[default]
    Brush,
    Eraser,
    /// Fills a polygon.
    Polygon,
    /// Clears a polygon.
    CutOut,
}

impl Tool {
    /// Whether it adds lesion.
    pub fn adds(self) -> bool {
        matches!(self, Tool::Brush | Tool::Polygon)
    }

    /// Whether it is dragged along.
    pub fn strokes(self) -> bool {
        matches!(self, Tool::Brush | Tool::Eraser)
    }
}

/// Pixels of a mask beyond which its outline is drawn anew only once a stroke has ended.
const LARGE: usize = 1 << 20;
/// Points of outlines beyond which only the tint is drawn.
const MOST_POINTS: usize = 60_000;
/// Screen points per pixel of the image.
const ZOOM: (f32, f32) = (0.02, 64.0);

/// Where the picture lies on the screen.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Camera {
    /// Screen points per pixel of the image.
    scale: f32,
    /// Place in the image that is in the middle of the canvas.
    centre: Vec2,
}

impl Camera {
    fn fit(rect: Rect, size: Vec2) -> Self {
        let scale = (rect.width() / size.x.max(1.0)).min(rect.height() / size.y.max(1.0));
        Self { scale: scale.clamp(ZOOM.0, ZOOM.1), centre: 0.5 * size }
    }

    fn to_screen(self, rect: Rect, at: Vec2) -> Pos2 {
        rect.center() + (at - self.centre) * self.scale
    }

    fn to_image(self, rect: Rect, at: Pos2) -> Vec2 {
        self.centre + (at - rect.center()) / self.scale
    }

    /// Zooms about a place on the screen, which keeps its place in the image.
    fn zoomed(self, rect: Rect, about: Pos2, factor: f32) -> Self {
        let kept = self.to_image(rect, about);
        let scale = (self.scale * factor).clamp(ZOOM.0, ZOOM.1);
        Self { scale, centre: kept - (about - rect.center()) / scale }
    }
}

/// View state of the canvas.
#[derive(Default)]
pub struct Canvas {
    image: Option<TextureHandle>,
    tint: Option<TextureHandle>,
    /// Colour of the tint on the texture.
    color: Color32,
    /// Pixels of the image per texel, along each side; more than 1 where a graphics card takes no larger texture.
    step: usize,
    /// `None`: the whole picture.
    camera: Option<Camera>,
    outline: Vec<Outline>,
    /// The mask has changed since the outline was made.
    outdated: bool,
    /// Rows and columns of the mask that the texture does not have yet: `[left, top, right, bottom)`.
    dirty: Option<[usize; 4]>,
    /// The last place of the stroke that goes on.
    last: Option<Point>,
    /// Corners of the polygon that is being set.
    pub corners: Vec<Point>,
}

impl Canvas {
    /// Begins with another image.
    pub fn reset(&mut self) {
        *self = Canvas { image: self.image.take(), tint: self.tint.take(), ..Canvas::default() };
        self.step = 0;
    }

    /// The whole picture again.
    pub fn fit(&mut self) {
        self.camera = None;
    }

    /// Whether a stroke goes on.
    pub fn in_stroke(&self) -> bool {
        self.last.is_some()
    }

    /// Whether the whole picture is shown.
    pub fn is_fit(&self) -> bool {
        self.camera.is_none()
    }

    /// The mask was changed elsewhere: undone, replaced.
    pub fn mask_changed(&mut self) {
        self.dirty = Some([0, 0, usize::MAX, usize::MAX]);
        self.outdated = true;
    }

    /// Fills or clears the polygon that is being set; fewer than three corners set nothing.
    pub fn close_polygon(&mut self, session: &mut Session, adds: bool) {
        let corners = std::mem::take(&mut self.corners);
        if corners.len() >= 3 {
            session.editor.polygon(&corners, adds);
            self.mask_changed();
        }
    }

    /// Draws the canvas and takes in what the pointer does.
    pub fn show(
        &mut self,
        ui: &mut Ui,
        rect: Rect,
        session: &mut Session,
        tool: Tool,
        radius: f64,
        style: &Style,
    ) -> Response {
        let response = ui.interact(rect, ui.scope_id().with("canvas"), Sense::click_and_drag());
        let mask = session.editor.mask();
        let label = format!("{}: mask of {}", session.name, number::counted(mask.area(), "pixel", "pixels"));
        response.widget_info(|| WidgetInfo::labeled(Role::Canvas, true, &label));
        let size = vec2(mask.width() as f32, mask.height() as f32);
        let camera = self.navigate(ui, rect, size, &response);
        if tool.strokes() {
            self.corners.clear();
            self.strokes(ui, rect, camera, session, tool, radius, &response);
        } else {
            self.end_stroke(session);
            self.polygon(ui, rect, camera, session, tool, &response);
        }
        self.upload(ui, session, style);
        if self.outdated && (self.last.is_none() || mask_pixels(session.editor.mask()) < LARGE) {
            self.outline = outlines(session.editor.mask(), OutlineStyle::Midpoints);
            self.outdated = false;
        }
        self.draw(&ui.painter_at(rect), rect, camera, session, style);
        self.draw_tool(ui, rect, camera, tool, radius, &response, style);
        if response.has_focus() {
            ui.painter().rect_stroke(rect, 2.0, Stroke::new(1.0, style.accent), StrokeKind::Inside);
        }
        response
    }

    fn navigate(&mut self, ui: &Ui, rect: Rect, size: Vec2, response: &Response) -> Camera {
        let mut camera = self.camera.unwrap_or_else(|| Camera::fit(rect.shrink(4.0), size));
        let before = camera;
        if let Some(pointer) = response.hover_pos().filter(|_| response.contains_pointer()) {
            let (wheel, pinch) = ui.input(|input| (input.smooth_scroll_delta().y, input.zoom_delta()));
            let factor = (wheel / 240.0).exp() * pinch;
            if (factor - 1.0).abs() > 1e-4 {
                camera = camera.zoomed(rect, pointer, factor);
            }
        }
        if is_panning(ui, response) && self.last.is_none() {
            camera.centre -= ui.input(|input| input.pointer.delta()) / camera.scale;
            camera.centre = camera.centre.clamp(Vec2::ZERO, size);
        }
        if camera != before {
            self.camera = Some(camera);
        }
        camera
    }

    #[expect(clippy::too_many_arguments, reason = "what is drawn, where and how")]
    fn strokes(
        &mut self,
        ui: &Ui,
        rect: Rect,
        camera: Camera,
        session: &mut Session,
        tool: Tool,
        radius: f64,
        response: &Response,
    ) {
        let place = |at: Pos2| {
            let at = camera.to_image(rect, at);
            (f64::from(at.x), f64::from(at.y))
        };
        // Every place since the last frame, so that a quick stroke stays round.
        let events = ui.input(|input| input.events.clone());
        for event in events {
            match event {
                Event::PointerButton { pos, button: PointerButton::Primary, pressed: true, modifiers } => {
                    let here = response.is_pointer_button_down_on() || response.clicked() || response.drag_stopped();
                    if here && rect.contains(pos) && !modifiers.shift {
                        // Keys are the canvas's again, not a field's.
                        ui.memory_mut(|memory| {
                            memory.focused().filter(|id| *id != response.id).inspect(|id| memory.surrender_focus(*id))
                        });
                        session.editor.begin_stroke();
                        self.stroke(session, place(pos), place(pos), radius, tool.adds());
                        self.last = Some(place(pos));
                    }
                }
                Event::PointerMoved(pos) => {
                    if let Some(last) = self.last {
                        self.stroke(session, last, place(pos), radius, tool.adds());
                        self.last = Some(place(pos));
                    }
                }
                Event::PointerButton { button: PointerButton::Primary, pressed: false, .. } | Event::PointerGone => {
                    self.end_stroke(session);
                }
                _ => {}
            }
        }
        if !ui.input(|input| input.pointer.primary_down()) {
            self.end_stroke(session);
        }
    }

    fn stroke(&mut self, session: &mut Session, from: Point, to: Point, radius: f64, adds: bool) {
        session.editor.stroke(from, to, radius, adds);
        let low = |a: f64, b: f64| (a.min(b) - radius).floor().max(0.0) as usize;
        let high = |a: f64, b: f64| (a.max(b) + radius).ceil().max(0.0) as usize;
        let area = [low(from.0, to.0), low(from.1, to.1), high(from.0, to.0), high(from.1, to.1)];
        self.dirty = Some(
            self.dirty.map_or(area, |d| [d[0].min(area[0]), d[1].min(area[1]), d[2].max(area[2]), d[3].max(area[3])]),
        );
        self.outdated = true;
    }

    fn end_stroke(&mut self, session: &mut Session) {
        if self.last.take().is_some() {
            session.editor.end_stroke();
        }
    }

    fn polygon(
        &mut self,
        ui: &mut Ui,
        rect: Rect,
        camera: Camera,
        session: &mut Session,
        tool: Tool,
        response: &Response,
    ) {
        let panning = ui.input(|input| input.modifiers.shift);
        if let Some(at) = response.interact_pointer_pos().filter(|_| response.clicked() && !panning) {
            let near =
                |corner: &Point| camera.to_screen(rect, vec2(corner.0 as f32, corner.1 as f32)).distance(at) < 8.0;
            let closes = self.corners.len() >= 3 && self.corners.first().is_some_and(near);
            if closes || response.double_clicked() {
                self.close_polygon(session, tool.adds());
            } else if !self.corners.last().is_some_and(near) {
                let at = camera.to_image(rect, at);
                self.corners.push((f64::from(at.x), f64::from(at.y)));
            }
        }
        if self.corners.is_empty() || ui.memory(|memory| memory.focused().is_some_and(|id| id != response.id)) {
            return;
        }
        let pressed = |ui: &mut Ui, key: Key| ui.input_mut(|input| input.consume_key(Modifiers::NONE, key));
        if pressed(ui, Key::Enter) {
            self.close_polygon(session, tool.adds());
        } else if pressed(ui, Key::Escape) {
            self.corners.clear();
        } else if pressed(ui, Key::Backspace) {
            self.corners.pop();
        }
    }

    /// Brings what has changed to the graphics card: at most once a frame, and no more than the part that was drawn on.
    fn upload(&mut self, ui: &Ui, session: &Session, style: &Style) {
        let mask = session.editor.mask();
        if mask_pixels(mask) == 0 {
            return;
        }
        let options = TextureOptions { minification: eframe::egui::TextureFilter::Linear, ..TextureOptions::NEAREST };
        if self.step == 0 {
            let most = ui.input(|input| input.max_texture_side).max(1);
            self.step = mask.width().max(mask.height()).div_ceil(most).max(1);
            let picture = &session.picture;
            let image = texels(mask.width(), mask.height(), self.step, [0, 0, usize::MAX, usize::MAX], |x, y| {
                let at = 3 * (y * picture.width + x);
                Color32::from_rgb(picture.rgb[at], picture.rgb[at + 1], picture.rgb[at + 2])
            });
            self.image = Some(ui.ctx().load_texture("brush image", image.1, options));
            self.tint = None;
            self.outdated = true;
        }
        let color = Pens::of(style).mask(session).gamma_multiply(0.26);
        let whole = [0, 0, usize::MAX, usize::MAX];
        let part = if self.tint.is_none() || self.color != color { Some(whole) } else { self.dirty };
        let Some(part) = part else { return };
        (self.dirty, self.color) = (None, color);
        let pixel = |x: usize, y: usize| if mask.at(y, x) { color } else { Color32::TRANSPARENT };
        let (at, image) = texels(mask.width(), mask.height(), self.step, part, pixel);
        if image.size.contains(&0) {
            return;
        }
        match &mut self.tint {
            Some(tint) => tint.set_partial(at, image, options),
            None => self.tint = Some(ui.ctx().load_texture("brush mask", image, options)),
        }
    }

    fn draw(&self, painter: &Painter, rect: Rect, camera: Camera, session: &Session, style: &Style) {
        painter.rect_filled(rect, 2.0, style.rule.gamma_multiply(0.35));
        let (mask, pens) = (session.editor.mask(), Pens::of(style));
        let size = vec2(mask.width() as f32, mask.height() as f32);
        let all = Rect::from_min_max(camera.to_screen(rect, Vec2::ZERO), camera.to_screen(rect, size));
        for texture in [&self.image, &self.tint].into_iter().flatten() {
            // The last texel may reach beyond the image.
            let covered = vec2(texture.size()[0] as f32, texture.size()[1] as f32) * self.step as f32;
            let uv = Rect::from_min_max(pos2(0.0, 0.0), pos2(size.x / covered.x, size.y / covered.y));
            painter.image(texture.id(), all, uv, Color32::WHITE);
        }
        let line = |outline: &Outline| -> Vec<Pos2> {
            outline.points.iter().map(|[x, y]| camera.to_screen(rect, vec2(*x, *y))).collect()
        };
        let few = |list: &[Outline]| list.iter().map(|outline| outline.points.len()).sum::<usize>() <= MOST_POINTS;
        if few(&session.original_outlines) {
            for outline in &session.original_outlines {
                painter.add(Shape::closed_line(line(outline), Stroke::new(1.2, pens.original.gamma_multiply(0.8))));
            }
        }
        if few(&self.outline) {
            for outline in &self.outline {
                let points = line(outline);
                painter.add(Shape::closed_line(points.clone(), Stroke::new(3.0, Color32::from_black_alpha(110))));
                let stroke = Stroke::new(1.5, pens.mask(session));
                if session.is_proposal() {
                    let closed: Vec<Pos2> = points.iter().chain(points.first()).copied().collect();
                    painter.extend(Shape::dashed_line(&closed, stroke, 7.0, 4.0));
                } else {
                    painter.add(Shape::closed_line(points, stroke));
                }
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "what is drawn, where and how")]
    fn draw_tool(
        &self,
        ui: &Ui,
        rect: Rect,
        camera: Camera,
        tool: Tool,
        radius: f64,
        response: &Response,
        style: &Style,
    ) {
        let painter = ui.painter_at(rect);
        let pointer = response.hover_pos();
        let pens = Pens::of(style);
        let color = if tool.adds() { pens.drawn } else { pens.cut };
        if let Some(at) = pointer.filter(|_| tool.strokes()) {
            let radius = (radius as f32 * camera.scale).max(1.0);
            painter.circle_stroke(at, radius, Stroke::new(2.5, Color32::from_black_alpha(120)));
            painter.circle_stroke(at, radius, Stroke::new(1.2, color));
        }
        if self.corners.is_empty() {
            return;
        }
        let mut points: Vec<Pos2> =
            self.corners.iter().map(|(x, y)| camera.to_screen(rect, vec2(*x as f32, *y as f32))).collect();
        for corner in &points {
            painter.circle_filled(*corner, 3.0, color);
        }
        points.extend(pointer);
        painter.add(Shape::line(points, Stroke::new(1.5, color)));
    }
}

/// Colours over the picture. Ultrasound is dark in every theme, so they are the bright ones; red is the truth, as on the wall.
struct Pens {
    drawn: Color32,
    /// What the network proposes, as its outlines on the wall.
    proposed: Color32,
    original: Color32,
    cut: Color32,
}

impl Pens {
    fn of(style: &Style) -> Self {
        let bright = if style.high_contrast { Style::high_contrast() } else { Style::dark() };
        let marks = Marks::of(style);
        Self {
            drawn: bright.category(4).color,
            proposed: marks.prediction.color,
            original: marks.truth.color,
            cut: bright.warning,
        }
    }

    /// Of the mask as it is now.
    fn mask(&self, session: &Session) -> Color32 {
        if session.is_proposal() { self.proposed } else { self.drawn }
    }
}

fn mask_pixels(mask: &Mask) -> usize {
    mask.width() * mask.height()
}

/// The texels that a part `[left, top, right, bottom)` of an image covers, one of each `step` by `step` pixels, and where
/// they begin on the texture.
fn texels(
    width: usize,
    height: usize,
    step: usize,
    part: [usize; 4],
    pixel: impl Fn(usize, usize) -> Color32,
) -> ([usize; 2], ColorImage) {
    let columns = part[0].min(width) / step..part[2].min(width).div_ceil(step);
    let rows = part[1].min(height) / step..part[3].min(height).div_ceil(step);
    let (at, size) = ([columns.start, rows.start], [columns.len(), rows.len()]);
    let mut pixels = Vec::with_capacity(size[0] * size[1]);
    for row in rows {
        pixels.extend(columns.clone().map(|column| pixel(column * step, row * step)));
    }
    (at, ColorImage::new(size, pixels))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zooming_keeps_the_place_under_the_pointer() {
        let rect = Rect::from_min_size(pos2(10.0, 20.0), vec2(400.0, 300.0));
        let camera = Camera::fit(rect, vec2(200.0, 100.0));
        assert_eq!(camera.scale, 2.0);
        assert_eq!(camera.to_screen(rect, vec2(100.0, 50.0)), rect.center());
        let pointer = pos2(77.0, 99.0);
        let before = camera.to_image(rect, pointer);
        let zoomed = camera.zoomed(rect, pointer, 3.0);
        assert!((zoomed.to_image(rect, pointer) - before).length() < 1e-3);
        assert!((zoomed.to_screen(rect, before) - pointer).length() < 1e-3);
        assert_eq!(camera.zoomed(rect, pointer, 1e9).scale, ZOOM.1);
    }

    #[test]
    fn a_part_of_an_image_is_the_same_part_of_its_texture() {
        let pixel = |x: usize, y: usize| Color32::from_rgb(x as u8, y as u8, 0);
        let (at, all) = texels(7, 5, 2, [0, 0, usize::MAX, usize::MAX], pixel);
        assert_eq!((at, all.size), ([0, 0], [4, 3]));
        let (at, part) = texels(7, 5, 2, [3, 1, 6, 9], pixel);
        assert_eq!((at, part.size), ([1, 0], [2, 3]));
        for y in 0..part.size[1] {
            for x in 0..part.size[0] {
                assert_eq!(part.pixels[y * part.size[0] + x], all.pixels[(y + at[1]) * 4 + x + at[0]]);
            }
        }
        let (_, none) = texels(7, 5, 1, [90, 90, 95, 95], pixel);
        assert!(none.size.contains(&0));
    }
}
