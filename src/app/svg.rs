//! A frame of the window as SVG: lines, areas and text that can be enlarged and edited. Pictures are embedded as PNG. The
//! same shapes always give the same bytes.

use std::fmt::Write;

use eframe::egui::emath::{Rot2, TSTransform};
use eframe::egui::epaint::{
    BandShape, Brush, ClippedShape, ColorMode, CornerRadius, Mesh, PathStroke, RectShape, StrokeKind, TextShape,
    TextureId,
};
use eframe::egui::{Color32, Pos2, Rect, Shape, Stroke, Vec2, pos2, vec2};
use image::RgbaImage;

use super::png::png;
use super::svg_format::{base64, escaped, fill, number, outline, place, point, stroke, turned};
use super::svg_pixels::{self, Textures};
use super::svg_text;

/// What is drawn on.
#[derive(Debug, Clone, Copy)]
pub struct Page<'a> {
    pub title: &'a str,
    /// Width and height in points, the unit of the shapes.
    pub points: Vec2,
    /// Width and height at which it is first shown.
    pub pixels: (u32, u32),
    pub textures: &'a Textures,
}

/// What only the graphics adapter can draw: a shape as a picture, and where that lies.
pub type Raster<'a> = &'a mut dyn FnMut(&ClippedShape) -> Result<(Rect, RgbaImage), String>;

/// The shapes, in the order in which they are painted, as the text of an SVG file.
pub fn svg(page: &Page<'_>, shapes: &[ClippedShape], raster: Raster<'_>) -> Result<String, String> {
    let whole = Rect::from_min_size(Pos2::ZERO, page.points);
    let mut writer =
        Writer { whole, textures: page.textures, raster, body: String::new(), clips: Vec::new(), open: None };
    for ClippedShape { clip_rect, shape, transform_after_tessellation: moved } in shapes {
        let clip = clip_rect.intersect(whole);
        if *moved == TSTransform::IDENTITY {
            writer.shape(shape, clip)?;
        } else {
            let mut shape = shape.clone();
            shape.transform(*moved);
            writer.shape(&shape, clip)?;
        }
    }
    writer.close();
    let (width, height) = page.pixels;
    let view = format!("{} {}", number(page.points.x), number(page.points.y));
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {view}\" \
         xml:space=\"preserve\">\n<title>{}</title>\n",
        escaped(page.title)
    );
    if !writer.clips.is_empty() {
        out.push_str("<defs>\n");
        for (at, clip) in writer.clips.iter().enumerate() {
            let _ = writeln!(out, "<clipPath id=\"clip{at}\"><rect{}/></clipPath>", place(*clip));
        }
        out.push_str("</defs>\n");
    }
    out.push_str(&writer.body);
    out.push_str("</svg>\n");
    Ok(out)
}

struct Writer<'a> {
    /// The page, beyond which nothing shows anyway.
    whole: Rect,
    textures: &'a Textures,
    raster: Raster<'a>,
    body: String,
    /// What something was cut to, in the order of its first use.
    clips: Vec<Rect>,
    /// A path that the next shape may go on with: lines of one pen, triangles of one colour.
    open: Option<(String, String)>,
}

impl Writer<'_> {
    fn shape(&mut self, shape: &Shape, clip: Rect) -> Result<(), String> {
        match shape {
            Shape::Noop => {}
            Shape::Vec(shapes) => shapes.iter().try_for_each(|shape| self.shape(shape, clip))?,
            Shape::Circle(circle) => {
                let at = format!(" cx=\"{}\" cy=\"{}\"", number(circle.center.x), number(circle.center.y));
                let look = format!("{}{}", fill(circle.fill), stroke(circle.stroke));
                let finite = circle.center.is_finite() && circle.radius.is_finite();
                self.element(shape, clip, finite, &format!("<circle{at} r=\"{}\"{look}", number(circle.radius)));
            }
            Shape::Ellipse(ellipse) => {
                let Vec2 { x, y } = ellipse.radius;
                let turned = turned(ellipse.angle, ellipse.center);
                let at = format!(" cx=\"{}\" cy=\"{}\"", number(ellipse.center.x), number(ellipse.center.y));
                let look = format!("{}{}{turned}", fill(ellipse.fill), stroke(ellipse.stroke));
                let finite = ellipse.center.is_finite() && ellipse.radius.is_finite();
                let tag = format!("<ellipse{at} rx=\"{}\" ry=\"{}\"{look}", number(x), number(y));
                self.element(shape, clip, finite, &tag);
            }
            Shape::LineSegment { points, stroke } => {
                self.path(points, false, Color32::TRANSPARENT, &PathStroke::from(*stroke), clip);
            }
            Shape::Path(path) => self.path(&path.points, path.closed, path.fill, &path.stroke, clip),
            Shape::Band(band) => self.band(band, clip),
            Shape::Rect(rect) => self.rect(rect, clip)?,
            Shape::Text(text) => self.text(text, clip),
            Shape::Mesh(mesh) => self.mesh(mesh, clip)?,
            Shape::QuadraticBezier(curve) => {
                let [a, b, c] = curve.points.map(point);
                let end = if curve.closed { "Z" } else { "" };
                let look = format!("{}{}", fill(curve.fill), stroke(solid(&curve.stroke, &curve.points)));
                let finite = curve.points.iter().all(|point| point.is_finite());
                self.element(shape, clip, finite, &format!("<path d=\"M{a}Q{b} {c}{end}\"{look}"));
            }
            Shape::CubicBezier(curve) => {
                let [a, b, c, d] = curve.points.map(point);
                let end = if curve.closed { "Z" } else { "" };
                let look = format!("{}{}", fill(curve.fill), stroke(solid(&curve.stroke, &curve.points)));
                let finite = curve.points.iter().all(|point| point.is_finite());
                self.element(shape, clip, finite, &format!("<path d=\"M{a}C{b} {c} {d}{end}\"{look}"));
            }
            Shape::Callback(callback) => {
                let shape = ClippedShape::new(clip, Shape::Callback(callback.clone()));
                let (place, picture) = (self.raster)(&shape)?;
                self.picture(place, &picture, false, clip)?;
            }
        }
        Ok(())
    }

    /// An element but for the end of its tag; nothing where it lies outside of `clip` or nowhere.
    fn element(&mut self, shape: &Shape, clip: Rect, finite: bool, tag: &str) {
        if finite && let Some(cut) = self.cut(shape.visual_bounding_rect(), clip) {
            self.close();
            // A clip of an element that is turned would turn with it.
            let _ = match cut.is_empty() || !tag.contains(" transform=") {
                true => writeln!(self.body, "{tag}{cut}/>"),
                false => writeln!(self.body, "<g{cut}>{tag}/></g>"),
            };
        }
    }

    /// The attribute of what lies within `bounds` and is cut to `clip`: empty where nothing is cut; `None`: nothing is left.
    fn cut(&mut self, bounds: Rect, clip: Rect) -> Option<String> {
        if !clip.is_positive() || bounds.any_nan() || !bounds.intersects(clip) {
            return None;
        }
        if clip == self.whole || clip.expand(0.01).contains_rect(bounds) {
            return Some(String::new());
        }
        let at = self.clips.iter().position(|known| *known == clip).unwrap_or_else(|| {
            self.clips.push(clip);
            self.clips.len() - 1
        });
        Some(format!(" clip-path=\"url(#clip{at})\""))
    }

    /// A piece of a path that is drawn as `look` says, together with the pieces before it.
    fn piece(&mut self, d: &str, look: String) {
        match &mut self.open {
            Some((open, known)) if *known == look => open.push_str(d),
            _ => {
                self.close();
                self.open = Some((d.to_owned(), look));
            }
        }
    }

    fn close(&mut self) {
        if let Some((d, look)) = self.open.take() {
            let _ = writeln!(self.body, "<path d=\"{d}\"{look}/>");
        }
    }

    fn path(&mut self, points: &[Pos2], closed: bool, area: Color32, pen: &PathStroke, clip: Rect) {
        let bounds = Rect::from_points(points);
        if let ColorMode::UV(color) = &pen.color {
            // A piece for each colour.
            for pair in points.windows(2) {
                let color = color(bounds, pair[0] + (pair[1] - pair[0]) / 2.0);
                self.path(pair, false, Color32::TRANSPARENT, &PathStroke::new(pen.width, color), clip);
            }
            return;
        }
        let pen = solid(pen, points);
        // What is not a number ends a line, and the next one begins behind it.
        for run in points.split(|point| !point.is_finite()).filter(|run| run.len() > 1) {
            let Some(cut) = self.cut(Rect::from_points(run).expand(pen.width / 2.0), clip) else { continue };
            let whole = closed && run.len() == points.len();
            let d = outline(run, whole);
            let look = format!("{}{}", fill(if whole { area } else { Color32::TRANSPARENT }), stroke(pen));
            if whole {
                self.close();
                let _ = writeln!(self.body, "<path d=\"{d}\"{look}{cut}/>");
            } else if !pen.is_empty() {
                self.piece(&d, format!("{look} stroke-linejoin=\"round\"{cut}"));
            }
        }
    }

    /// A band is an area between two lines.
    fn band(&mut self, band: &BandShape, clip: Rect) {
        let turn = Rot2::from_angle(band.angle);
        let there = band.points.iter().map(|point| pos2(point.x, point.y.min));
        let back = band.points.iter().rev().map(|point| pos2(point.x, point.y.max));
        let points: Vec<Pos2> = there.chain(back).map(|point| (turn * point.to_vec2()).to_pos2()).collect();
        self.path(&points, true, band.fill, &PathStroke::from(band.stroke), clip);
    }

    fn rect(&mut self, shape: &RectShape, clip: Rect) -> Result<(), String> {
        let bounds = Shape::Rect(shape.clone()).visual_bounding_rect();
        if !shape.rect.is_finite() {
            return Ok(());
        }
        if let Some(brush) = &shape.brush
            && brush.uv != Rect::ZERO
        {
            let Brush { fill_texture_id, uv } = **brush;
            return self.texture(fill_texture_id, shape.rect, uv, shape.fill, clip);
        }
        let Some(cut) = self.cut(bounds, clip) else { return Ok(()) };
        // SVG's pen runs along the edge.
        let half = shape.stroke.width / 2.0;
        let aside = match shape.stroke_kind {
            _ if shape.stroke.is_empty() => 0.0,
            StrokeKind::Inside => -half,
            StrokeKind::Middle => 0.0,
            StrokeKind::Outside => half,
        };
        let rect = shape.rect.expand(aside);
        let blur = if shape.blur_width > 0.0 {
            format!(" style=\"filter:blur({}px)\"", number(shape.blur_width / 2.0))
        } else {
            String::new()
        };
        let look = format!("{}{}{}{blur}", fill(shape.fill), stroke(shape.stroke), turned(shape.angle, rect.center()));
        if shape.fill == Color32::TRANSPARENT && shape.stroke.is_empty() {
            return Ok(());
        }
        self.close();
        let tag = match corners(rect, shape.corner_radius, aside) {
            Corners::Same(0.0) => format!("<rect{}{look}", place(rect)),
            Corners::Same(radius) => format!("<rect{} rx=\"{}\"{look}", place(rect), number(radius)),
            Corners::Path(d) => format!("<path d=\"{d}\"{look}"),
        };
        let _ = match cut.is_empty() || shape.angle == 0.0 {
            true => writeln!(self.body, "{tag}{cut}/>"),
            false => writeln!(self.body, "<g{cut}>{tag}/></g>"),
        };
        Ok(())
    }

    /// Text stays text; turned around its origin, and cut, together.
    fn text(&mut self, shape: &TextShape, clip: Rect) {
        if !shape.pos.is_finite() || shape.opacity_factor <= 0.0 {
            return;
        }
        let Some(cut) = self.cut(Shape::Text(shape.clone()).visual_bounding_rect(), clip) else { return };
        let lines = svg_text::lines(shape);
        if lines.is_empty() {
            return;
        }
        self.close();
        let turn = turned(shape.angle, shape.pos);
        let _ = match (turn.is_empty(), cut.is_empty()) {
            (true, true) => write!(self.body, "{lines}"),
            (false, true) => writeln!(self.body, "<g{turn}>\n{lines}</g>"),
            (true, false) => writeln!(self.body, "<g{cut}>\n{lines}</g>"),
            (false, false) => writeln!(self.body, "<g{cut}><g{turn}>\n{lines}</g></g>"),
        };
    }

    /// A part of a texture.
    fn texture(&mut self, id: TextureId, at: Rect, uv: Rect, tint: Color32, clip: Rect) -> Result<(), String> {
        match self.textures.part(id, at, uv, tint)? {
            Some((whole, picture, pixelated)) => self.picture(whole, &picture, pixelated, clip.intersect(at)),
            None => Ok(()),
        }
    }

    /// A picture; its pixels are seen as such where it is `pixelated`.
    fn picture(&mut self, at: Rect, picture: &RgbaImage, pixelated: bool, clip: Rect) -> Result<(), String> {
        if !at.is_finite() || !at.is_positive() {
            return Ok(());
        }
        let Some(cut) = self.cut(at, clip) else { return Ok(()) };
        self.close();
        let look = if pixelated { " style=\"image-rendering:optimizeSpeed;image-rendering:pixelated\"" } else { "" };
        let data = base64(&png(picture)?);
        let _ = writeln!(
            self.body,
            "<image{} preserveAspectRatio=\"none\"{look}{cut} href=\"data:image/png;base64,{data}\"/>",
            place(at)
        );
        Ok(())
    }

    fn mesh(&mut self, mesh: &Mesh, clip: Rect) -> Result<(), String> {
        if !mesh.is_valid() {
            return Ok(());
        }
        if mesh.texture_id != TextureId::default()
            && let Some((rect, uv, tint)) = svg_pixels::upright(mesh)
        {
            return self.texture(mesh.texture_id, rect, uv, tint, clip);
        }
        for corners in mesh.triangles() {
            let corners = corners.map(|corner| {
                let vertex = mesh.vertices[corner as usize];
                (vertex.pos, self.textures.shade(mesh.texture_id, vertex))
            });
            self.triangle(corners, 3, clip);
        }
        Ok(())
    }

    /// A triangle in one colour; where those of its corners differ, as the four within it, `deep` times at most.
    fn triangle(&mut self, corners: [(Pos2, Color32); 3], deep: usize, clip: Rect) {
        /// Levels of 256 that are seen as one.
        const ALIKE: u8 = 12;
        let [(a, x), (b, y), (c, z)] = corners;
        let points = [a, b, c];
        let area = (b - a).x * (c - a).y - (b - a).y * (c - a).x;
        if [x, y, z].iter().all(|color| *color == Color32::TRANSPARENT) || !area.is_finite() || area.abs() < 1e-4 {
            return;
        }
        let Some(cut) = self.cut(Rect::from_points(&points), clip) else { return };
        let apart = |a: Color32, b: Color32| (0..4).map(|i| a[i].abs_diff(b[i])).max().unwrap_or(0);
        if deep > 0 && apart(x, y).max(apart(y, z)).max(apart(z, x)) > ALIKE {
            let middle =
                |(a, x): (Pos2, Color32), (b, y): (Pos2, Color32)| (a + (b - a) / 2.0, x.lerp_to_gamma(y, 0.5));
            let [p, q, r] = corners;
            let (pq, qr, rp) = (middle(p, q), middle(q, r), middle(r, p));
            for part in [[p, pq, rp], [pq, q, qr], [rp, qr, r], [pq, qr, rp]] {
                self.triangle(part, deep - 1, clip);
            }
            return;
        }
        // All turn the same way, so that neighbours in one path leave no seam.
        let points = if area < 0.0 { [a, c, b] } else { points };
        let mean = x.lerp_to_gamma(y, 0.5).lerp_to_gamma(z, 1.0 / 3.0);
        self.piece(&outline(&points, true), format!("{} shape-rendering=\"crispEdges\"{cut}", fill(mean)));
    }
}

/// The pen of a curve, in one colour.
fn solid(pen: &PathStroke, points: &[Pos2]) -> Stroke {
    let color = match &pen.color {
        ColorMode::Solid(color) => *color,
        ColorMode::UV(color) => {
            let bounds = Rect::from_points(points);
            color(bounds, bounds.center())
        }
    };
    Stroke::new(pen.width, color)
}

enum Corners {
    Same(f32),
    /// Each is rounded in its own way: the outline.
    Path(String),
}

fn corners(rect: Rect, radius: CornerRadius, aside: f32) -> Corners {
    let most = rect.width().min(rect.height()) / 2.0;
    let of = |radius: u8| if radius == 0 { 0.0 } else { (f32::from(radius) + aside).clamp(0.0, most.max(0.0)) };
    if radius.is_same() {
        return Corners::Same(of(radius.nw));
    }
    let (nw, ne, se, sw) = (of(radius.nw), of(radius.ne), of(radius.se), of(radius.sw));
    let arc = |radius: f32, to: Pos2| format!("A{0},{0} 0 0 1 {1}", number(radius), point(to));
    let d = format!(
        "M{}L{}{}L{}{}L{}{}L{}{}Z",
        point(rect.left_top() + vec2(nw, 0.0)),
        point(rect.right_top() - vec2(ne, 0.0)),
        arc(ne, rect.right_top() + vec2(0.0, ne)),
        point(rect.right_bottom() - vec2(0.0, se)),
        arc(se, rect.right_bottom() - vec2(se, 0.0)),
        point(rect.left_bottom() + vec2(sw, 0.0)),
        arc(sw, rect.left_bottom() - vec2(0.0, sw)),
        point(rect.left_top() + vec2(0.0, nw)),
        arc(nw, rect.left_top() + vec2(nw, 0.0)),
    );
    Corners::Path(d)
}

#[cfg(test)]
mod tests;
