use std::sync::Arc;

use eframe::egui::epaint::{
    BandPoint, CubicBezierShape, EllipseShape, ImageData, ImageDelta, PathShape, QuadraticBezierShape, TextShape,
    Vertex,
};
use eframe::egui::text::{LayoutJob, TextFormat};
use eframe::egui::{ColorImage, FontId, TextureOptions};

use super::*;

const RED: Color32 = Color32::from_rgb(200, 30, 10);
const PICTURE: TextureId = TextureId::Managed(7);

fn page(textures: &Textures) -> Page<'_> {
    Page { title: "f < 1 & \"g\"", points: vec2(200.0, 100.0), pixels: (400, 200), textures }
}

/// The file of some shapes, held against what every one must be.
fn written(shapes: Vec<(Rect, Shape)>) -> String {
    let shapes: Vec<ClippedShape> = shapes.into_iter().map(|(clip, shape)| ClippedShape::new(clip, shape)).collect();
    let mut textures = Textures::default();
    let pixels = vec![Color32::WHITE, RED, Color32::BLACK, Color32::TRANSPARENT];
    let image = ImageData::Color(Arc::new(ColorImage::new([2, 2], pixels)));
    textures.set(PICTURE, &ImageDelta::full(image, TextureOptions::NEAREST));
    let mut raster = |shape: &ClippedShape| {
        let place = shape.shape.visual_bounding_rect().intersect(shape.clip_rect);
        Ok((place, RgbaImage::from_pixel(2, 2, image::Rgba([1, 2, 3, 255]))))
    };
    let text = svg(&page(&textures), &shapes, &mut raster).unwrap();
    assert_eq!(text, svg(&page(&textures), &shapes, &mut raster).unwrap(), "the same bytes");
    roxmltree::Document::parse(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    for word in ["NaN", "inf", "\"-0\"", "-0,"] {
        assert!(!text.contains(word), "{word}: {text}");
    }
    text
}

fn all() -> Rect {
    Rect::EVERYTHING
}

fn rect(left: f32, top: f32, width: f32, height: f32) -> Rect {
    Rect::from_min_size(pos2(left, top), vec2(width, height))
}

fn one(shape: impl Into<Shape>) -> String {
    written(vec![(all(), shape.into())])
}

#[test]
fn every_kind_of_shape_is_written() {
    let pen = Stroke::new(2.0, RED);
    let text = written(vec![
        (all(), Shape::Noop),
        (all(), Shape::Vec(vec![Shape::circle_filled(pos2(10.0, 10.0), 3.0, RED)])),
        (all(), EllipseShape::stroke(pos2(30.0, 10.0), vec2(6.0, 3.0), pen).with_angle(0.5).into()),
        (all(), Shape::line_segment([pos2(0.0, 0.0), pos2(5.0, 5.0)], pen)),
        (all(), Shape::convex_polygon(vec![pos2(1.0, 1.0), pos2(9.0, 1.0), pos2(5.0, 9.0)], RED, Stroke::NONE)),
        (
            all(),
            Shape::Band(BandShape::new(vec![BandPoint::new(1.0, 2.0..=4.0), BandPoint::new(9.0, 1.0..=5.0)], RED, pen)),
        ),
        (all(), Shape::rect_filled(rect(50.0, 50.0, 20.0, 10.0), 3.0, RED)),
        (all(), Shape::image(PICTURE, rect(80.0, 50.0, 20.0, 10.0), rect(0.0, 0.0, 1.0, 1.0), Color32::WHITE)),
        (
            all(),
            QuadraticBezierShape::from_points_stroke(
                [pos2(1.0, 1.0), pos2(2.0, 9.0), pos2(3.0, 1.0)],
                false,
                Color32::TRANSPARENT,
                pen,
            )
            .into(),
        ),
        (
            all(),
            CubicBezierShape::from_points_stroke(
                [pos2(1.0, 1.0), pos2(2.0, 9.0), pos2(3.0, 1.0), pos2(4.0, 4.0)],
                true,
                RED,
                pen,
            )
            .into(),
        ),
        (
            all(),
            Shape::Callback(eframe::egui::epaint::PaintCallback {
                rect: rect(120.0, 10.0, 30.0, 20.0),
                callback: Arc::new(()),
            }),
        ),
    ]);
    for part in [
        "<circle cx=\"10\" cy=\"10\" r=\"3\" fill=\"#c81e0a\"",
        "<ellipse cx=\"30\" cy=\"10\" rx=\"6\" ry=\"3\" fill=\"none\" stroke=\"#c81e0a\" stroke-width=\"2\" transform=\"rotate(28.65 30 10)\"",
        "<path d=\"M0,0L5,5\" fill=\"none\" stroke=\"#c81e0a\"",
        "<path d=\"M1,1L9,1L5,9Z\" fill=\"#c81e0a\"",
        "<path d=\"M1,2L9,1L9,5L1,4Z\"",
        "<rect x=\"50\" y=\"50\" width=\"20\" height=\"10\" rx=\"3\" fill=\"#c81e0a\"",
        "<image x=\"80\" y=\"50\" width=\"20\" height=\"10\"",
        "image-rendering:pixelated",
        "<path d=\"M1,1Q2,9 3,1\"",
        "<path d=\"M1,1C2,9 3,1 4,4Z\" fill=\"#c81e0a\"",
        "<image x=\"120\" y=\"10\" width=\"30\" height=\"20\"",
        "<title>f &lt; 1 &amp; &quot;g&quot;</title>",
        "viewBox=\"0 0 200 100\"",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    assert!(!text.contains("clip"), "nothing is cut: {text}");
}

#[test]
fn what_is_cut_has_a_clip_and_what_is_outside_is_left_out() {
    let small = rect(0.0, 0.0, 20.0, 20.0);
    let text = written(vec![
        (small, Shape::circle_filled(pos2(20.0, 10.0), 5.0, RED)),
        (small, Shape::circle_filled(pos2(10.0, 10.0), 5.0, RED)),
        (small, Shape::circle_filled(pos2(50.0, 10.0), 5.0, RED)),
        (small, EllipseShape::filled(pos2(20.0, 10.0), vec2(9.0, 2.0), RED).with_angle(1.0).into()),
    ]);
    assert_eq!(text.matches("<circle").count(), 2, "{text}");
    assert_eq!(text.matches("<clipPath").count(), 1, "{text}");
    assert!(text.contains("<g clip-path=\"url(#clip0)\"><ellipse"), "a clip does not turn: {text}");
}

#[test]
fn what_is_not_a_number_breaks_a_line_and_draws_nothing_else() {
    let line = [0.0, 1.0, f32::NAN, 3.0, 4.0, f32::INFINITY, 6.0].map(|x| pos2(x, 1.0));
    let text = one(Shape::line(line.to_vec(), Stroke::new(1.0, RED)));
    assert!(text.contains("d=\"M0,1L1,1M3,1L4,1\""), "{text}");
    for shape in [
        Shape::circle_filled(pos2(f32::NAN, 0.0), 3.0, RED),
        Shape::circle_filled(pos2(1.0, 0.0), f32::INFINITY, RED),
        Shape::rect_filled(Rect::from_min_max(pos2(0.0, f32::NAN), pos2(1.0, 1.0)), 0.0, RED),
        Shape::rect_filled(Rect::EVERYTHING, 0.0, RED),
        Shape::convex_polygon([f32::NAN, 1.0, 2.0].map(|x| pos2(x, x * x)).to_vec(), RED, Stroke::NONE),
        EllipseShape::filled(pos2(0.0, 0.0), vec2(f32::NAN, 1.0), RED).into(),
        QuadraticBezierShape::from_points_stroke([pos2(f32::NAN, 0.0); 3], false, RED, (1.0, RED)).into(),
        Shape::image(PICTURE, rect(f32::NAN, 0.0, 1.0, 1.0), rect(0.0, 0.0, 1.0, 1.0), Color32::WHITE),
    ] {
        let text = one(shape.clone());
        let drawn = ["<circle", "<rect", "<path", "<ellipse", "<image"].iter().any(|tag| text.contains(tag));
        assert!(!drawn, "{shape:?}: {text}");
    }
}

#[test]
fn lines_of_one_pen_are_one_path_and_corners_may_differ() {
    let pen = Stroke::new(1.0, Color32::from_rgba_unmultiplied(10, 20, 30, 128));
    let grid = |x: f32| (all(), Shape::line_segment([pos2(x, 0.0), pos2(x, 9.0)], pen));
    let text = written(vec![grid(1.0), grid(2.0), grid(3.5)]);
    assert!(text.contains("d=\"M1,0L1,9M2,0L2,9M3.5,0L3.5,9\""), "{text}");
    assert!(text.contains("stroke-opacity=\"0.5\""), "{text}");
    let corners = CornerRadius { nw: 4, ne: 0, sw: 0, se: 2 };
    assert!(one(Shape::rect_filled(rect(0.0, 0.0, 20.0, 10.0), corners, RED)).contains("A4,4 0 0 1"));
    let inside = Shape::rect_stroke(rect(0.0, 0.0, 20.0, 10.0), 0.0, (2.0, RED), StrokeKind::Inside);
    assert!(one(inside).contains("<rect x=\"1\" y=\"1\" width=\"18\" height=\"8\""));
    let colored = PathStroke::new_uv(1.0, |_, at| if at.x < 5.0 { RED } else { Color32::BLACK });
    let path = PathShape::line(vec![pos2(0.0, 0.0), pos2(4.0, 0.0), pos2(8.0, 0.0)], colored);
    let text = one(path);
    assert!(text.contains("#c81e0a") && text.contains("#000000"), "{text}");
}

#[test]
fn triangles_have_the_colours_of_their_corners_and_invisible_ones_are_left_out() {
    let vertex = |x: f32, y: f32, color| Vertex::untextured(pos2(x, y), color);
    let mesh = |colors: [Color32; 3]| {
        let mut mesh = Mesh::default();
        let corners = [(0.0, 0.0), (8.0, 0.0), (0.0, 8.0)];
        mesh.vertices = corners.iter().zip(colors).map(|((x, y), color)| vertex(*x, *y, color)).collect();
        mesh.indices = vec![0, 1, 2];
        Shape::mesh(mesh)
    };
    assert!(one(mesh([RED; 3])).contains("<path d=\"M0,0L8,0L0,8Z\" fill=\"#c81e0a\" shape-rendering"));
    assert!(!one(mesh([Color32::TRANSPARENT; 3])).contains("<path"));
    let shaded = one(mesh([RED, Color32::BLACK, Color32::WHITE]));
    assert!(shaded.matches('Z').count() > 16, "{shaded}");
    // Two triangles of one colour are one path.
    let mut quad = Mesh::default();
    quad.add_colored_rect(rect(0.0, 0.0, 4.0, 4.0), RED);
    let quad = one(Shape::mesh(quad));
    assert_eq!((quad.matches("<path").count(), quad.matches('Z').count()), (1, 2), "{quad}");
}

#[test]
fn of_a_texture_the_part_that_is_seen_is_embedded() {
    let whole = rect(0.0, 0.0, 1.0, 1.0);
    let place = rect(10.0, 10.0, 20.0, 20.0);
    let embedded = |text: &str| {
        let document = roxmltree::Document::parse(text).unwrap();
        let image = document.descendants().find(|node| node.has_tag_name("image")).expect("an image");
        let at = ["x", "y", "width", "height"].map(|name| image.attribute(name).unwrap().parse::<f32>().unwrap());
        let data = image.attribute("href").unwrap().strip_prefix("data:image/png;base64,").unwrap().to_owned();
        (at, data)
    };
    let ([x, y, width, height], first) = embedded(&one(Shape::image(PICTURE, place, whole, Color32::WHITE)));
    assert_eq!([x, y, width, height], [10.0, 10.0, 20.0, 20.0]);
    // The right half, seen in part: whole pixels, cut off.
    let part = Rect::from_min_max(pos2(0.75, 0.0), pos2(1.0, 1.0));
    let text = one(Shape::image(PICTURE, place, part, Color32::WHITE));
    let (at, _) = embedded(&text);
    assert_eq!(at, [-10.0, 10.0, 40.0, 20.0]);
    assert!(text.contains("clip-path"), "{text}");
    let tinted = embedded(&one(Shape::image(PICTURE, place, whole, RED))).1;
    let mirrored = Rect::from_min_max(pos2(1.0, 0.0), pos2(0.0, 1.0));
    let mirrored = embedded(&one(Shape::image(PICTURE, place, mirrored, Color32::WHITE))).1;
    assert!(first != tinted && first != mirrored && tinted != mirrored);
    let brushed = RectShape::filled(place, 0.0, Color32::WHITE).with_texture(PICTURE, whole);
    assert_eq!(embedded(&one(brushed)).1, first);
    // A picture that is turned is drawn as triangles.
    let mut turned = Mesh::with_texture(PICTURE);
    turned.add_rect_with_uv(place, whole, Color32::WHITE);
    turned.rotate(eframe::egui::emath::Rot2::from_angle(0.3), place.center());
    let text = one(Shape::mesh(turned));
    assert!(text.contains("<path") && !text.contains("<image"), "{text}");
    let unknown = Shape::image(TextureId::User(3), place, whole, Color32::WHITE);
    let shapes = [ClippedShape::new(all(), unknown)];
    let refused = svg(&page(&Textures::default()), &shapes, &mut |_| Err(String::new())).unwrap_err();
    assert!(refused.contains("not among"), "{refused}");
}

/// A text laid out with the bundled fonts.
fn laid_out(job: LayoutJob) -> Arc<eframe::egui::Galley> {
    let ctx = eframe::egui::Context::default();
    crate::app::theme::install_fonts(&ctx);
    let mut galley = None;
    for _ in 0..2 {
        let output = ctx.run_ui(eframe::egui::RawInput::default(), |ui| {
            galley = Some(ui.fonts_mut(|fonts| fonts.layout_job(job.clone())));
        });
        output.drop_without_applying_deltas();
    }
    galley.unwrap()
}

#[test]
fn text_is_text_row_by_row_in_its_font_and_colour() {
    let mut job = LayoutJob::default();
    let format = |font: FontId, color| TextFormat { font_id: font, color, ..TextFormat::default() };
    job.append("a < b  & ", 0.0, format(FontId::proportional(14.0), RED));
    job.append("0.5", 0.0, format(FontId::monospace(12.0), Color32::PLACEHOLDER));
    job.append("\nsecond", 0.0, format(FontId::new(16.0, crate::app::theme::strong_family()), Color32::BLACK));
    let galley = laid_out(job);
    let text = one(TextShape::new(pos2(10.0, 20.0), galley.clone(), Color32::WHITE));
    let document = roxmltree::Document::parse(&text).unwrap();
    let texts: Vec<_> = document.descendants().filter(|node| node.has_tag_name("text")).collect();
    let said: Vec<&str> = texts.iter().map(|node| node.text().unwrap()).collect();
    assert_eq!(said, ["a < b  &", "0.5", "second"]);
    let of = |at: usize, name: &str| texts[at].attribute(name).unwrap();
    assert_eq!((of(0, "fill"), of(1, "fill"), of(2, "fill")), ("#c81e0a", "#ffffff", "#000000"));
    assert_eq!((of(0, "font-size"), of(1, "font-size"), of(2, "font-weight")), ("14", "12", "600"));
    assert!(of(0, "font-family").starts_with("Inter") && of(1, "font-family").contains("monospace"));
    let number = |at: usize, name: &str| of(at, name).parse::<f32>().unwrap();
    assert_eq!(number(0, "x"), 10.0);
    assert!(number(1, "x") > 50.0, "{text}");
    assert!((number(1, "y") - number(0, "y")).abs() < 2.0 && number(2, "y") > number(0, "y") + 12.0, "{text}");
    assert!((24.0..40.0).contains(&number(0, "y")), "a baseline below the top: {text}");

    let mut turned = TextShape::new(pos2(50.0, 60.0), galley.clone(), RED).with_angle(-std::f32::consts::FRAC_PI_2);
    assert!(one(turned.clone()).contains("<g transform=\"rotate(-90 50 60)\">"));
    turned.override_text_color = Some(Color32::from_rgb(1, 2, 3));
    turned.opacity_factor = 0.5;
    let text = one(turned);
    assert_eq!(text.matches("fill-opacity=\"0.5\"").count(), 3, "{text}");
    let mut gone = TextShape::new(pos2(f32::NAN, 0.0), galley, RED);
    assert!(!one(gone.clone()).contains("<text"));
    (gone.pos, gone.opacity_factor) = (pos2(1.0, 1.0), 0.0);
    assert!(!one(gone).contains("<text"));
}
