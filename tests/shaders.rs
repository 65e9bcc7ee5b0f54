//! Every shader parses, validates and has the entry points that the pipelines name; a surface drawn off-screen hides what
//! is behind it. The second part needs a graphics adapter (any, software included) and is skipped with a printed reason
//! where there is none, unless `LEARNSCOPE_REQUIRE_ADAPTER` is set.

mod support;

use std::path::Path;
use std::sync::{Arc, OnceLock};

use image::RgbaImage;
use learnscope::engine::params::Params;
use learnscope::gpu::callback::{COPY_ENTRY_POINTS, COPY_SHADER};
use learnscope::gpu::camera::{Camera, Vec3, View};
use learnscope::gpu::height_field::HeightField;
use learnscope::gpu::pipelines::{SURFACE_ENTRY_POINTS, SURFACE_SHADER};
use learnscope::gpu::scale::ScaleMode;
use learnscope::gpu::scene::{LineStyle, Look, Marker, SurfaceScene, Trail};
use learnscope::gpu::trail::TrailBuilder;
use learnscope::labs::optimizers::maps::{self, BasinRequest, Gpu, Request, SweepAxis, SweepRequest, Task};
use learnscope::labs::optimizers::params::PARAMS;
use learnscope::labs::optimizers::rules::{Hyper, Rule};
use learnscope::labs::optimizers::surfaces::{self, Chosen};
use learnscope::scale::colormap::ColorMap;
use learnscope::watch::Watch;

use support::offscreen::{OffscreenError, any_device, offscreen};

const SIZE: [u32; 2] = [240, 180];

/// Parses and validates a shader, `(entry point, stage)` of each.
fn entry_points(name: &str, source: &str) -> Vec<(String, naga::ShaderStage)> {
    let module = naga::front::wgsl::parse_str(source)
        .unwrap_or_else(|error| panic!("{name} does not parse: {}", error.emit_to_string(source)));
    naga::valid::Validator::new(naga::valid::ValidationFlags::all(), naga::valid::Capabilities::empty())
        .validate(&module)
        .unwrap_or_else(|error| panic!("{name} is not valid: {}", error.emit_to_string(source)));
    module.entry_points.iter().map(|entry| (entry.name.clone(), entry.stage)).collect()
}

#[test]
fn every_shader_is_valid() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("shaders");
    let mut seen = 0;
    for entry in std::fs::read_dir(&folder).expect("shaders/ is there") {
        let path = entry.expect("readable").path();
        if path.extension().is_some_and(|extension| extension == "wgsl") {
            let source = std::fs::read_to_string(&path).expect("UTF-8");
            assert!(!entry_points(&path.display().to_string(), &source).is_empty());
            seen += 1;
        }
    }
    assert!(seen >= 2, "{seen} shaders in {}", folder.display());
}

#[test]
fn the_entry_points_that_rust_names_exist() {
    use naga::ShaderStage::{Fragment, Vertex};
    let surface = entry_points("surface.wgsl", SURFACE_SHADER);
    for (vertex, fragment) in SURFACE_ENTRY_POINTS {
        assert!(surface.contains(&(vertex.to_string(), Vertex)), "{vertex} in {surface:?}");
        assert!(surface.contains(&(fragment.to_string(), Fragment)), "{fragment} in {surface:?}");
    }
    let copy = entry_points("copy.wgsl", COPY_SHADER);
    for (name, stage) in COPY_ENTRY_POINTS.into_iter().zip([Vertex, Fragment, Fragment]) {
        assert!(copy.contains(&(name.to_owned(), stage)), "{name} in {copy:?}");
    }
}

/// One device for all tests; `None` after a printed reason.
fn device() -> Option<&'static (wgpu::Device, wgpu::Queue)> {
    static DEVICE: OnceLock<Option<(wgpu::Device, wgpu::Queue)>> = OnceLock::new();
    let device = DEVICE.get_or_init(any_device).as_ref();
    if device.is_none() {
        let required = std::env::var_os("LEARNSCOPE_REQUIRE_ADAPTER").is_some();
        assert!(!required, "LEARNSCOPE_REQUIRE_ADAPTER is set and no graphics adapter was found");
        eprintln!("skipped: no graphics adapter (install Mesa's lavapipe for a software one)");
    }
    device
}

fn saddle(view: View) -> SurfaceScene {
    SurfaceScene {
        field: Arc::new(HeightField::sample([-1.0, 1.0], [-1.0, 1.0], 129, ScaleMode::Linear, |x, y| x * x - y * y)),
        trails: Vec::new(),
        cursor: 0.0,
        lines: Vec::new(),
        markers: Vec::new(),
        view,
        look: Look {
            background: [0.0, 0.0, 0.0],
            colors: ColorMap::Viridis.table(),
            contour: [0.0; 3],
            contour_opacity: 0.4,
            contours: 20.0,
            casing: [0.0; 3],
            ambient: 0.4,
            ahead_opacity: 0.4,
            hidden_opacity: 0.0,
        },
    }
}

/// From low on the side of +y: the ridge along y = 0 hides the slope behind it.
fn low_view() -> View {
    Camera { yaw: std::f32::consts::FRAC_PI_2, pitch: 0.12, ..Camera::default() }
        .view(SIZE.map(|side| side as f32), 8.0)
}

fn marker(at: Vec3) -> Marker {
    Marker { at, fill: [1.0, 0.0, 1.0, 1.0], ring: [1.0, 0.0, 1.0, 1.0], radius: 4.0, ring_width: 1.0 }
}

fn draw((device, queue): &(wgpu::Device, wgpu::Queue), scene: &SurfaceScene) -> RgbaImage {
    offscreen(device, queue, scene, SIZE, 1.0).expect("a picture")
}

/// The colour where a point of the box is on the screen.
fn at(image: &RgbaImage, view: &View, point: Vec3) -> [u8; 3] {
    let [x, y, _] = view.project(point).expect("before the eye");
    let [r, g, b, _] = image.get_pixel(x as u32, y as u32).0;
    [r, g, b]
}

fn is_magenta([r, g, b]: [u8; 3]) -> bool {
    r > 200 && g < 60 && b > 200
}

#[test]
fn the_saddle_is_drawn_and_hides_what_is_behind_its_ridge() {
    let Some(device) = device() else { return };
    let mut scene = saddle(low_view());
    let empty = draw(device, &scene);
    let covered = empty.pixels().filter(|pixel| pixel.0[..3] != [0, 0, 0]).count();
    let share = covered as f64 / (SIZE[0] * SIZE[1]) as f64;
    assert!((0.1..0.9).contains(&share), "the surface covers {share:.2} of the picture");

    let (front, behind) = (scene.field.on_mesh([0.0, 0.9]), scene.field.on_mesh([0.0, -0.6]));
    scene.markers = vec![marker(front), marker(behind)];
    let image = draw(device, &scene);
    assert!(is_magenta(at(&image, &scene.view, front)), "{:?}", at(&image, &scene.view, front));
    assert_eq!(at(&image, &scene.view, behind), at(&empty, &scene.view, behind), "a hidden point shows");
    // With some opacity for what is hidden, it shines through.
    scene.look.hidden_opacity = 0.5;
    let image = draw(device, &scene);
    assert_ne!(at(&image, &scene.view, behind), at(&empty, &scene.view, behind));
}

#[test]
fn a_trail_is_bold_up_to_the_cursor_and_hidden_behind_the_ridge() {
    let Some(device) = device() else { return };
    let view = Camera { pitch: 1.2, ..Camera::default() }.view(SIZE.map(|side| side as f32), 8.0);
    let mut scene = saddle(view);
    let empty = draw(device, &scene);
    let mut trail = TrailBuilder::default();
    trail.extend(&scene.field, 101, usize::MAX, |k| [0.0, 0.01 * k as f64 - 0.95]);
    let style = LineStyle { color: [1.0, 0.0, 1.0], dash: [0.0; 4], width: 5.0 };
    scene.trails = vec![Trail { segments: trail.segments().into(), style }];
    scene.cursor = 50.0;
    let image = draw(device, &scene);
    let (past, ahead) = (scene.field.on_mesh([0.0, -0.7]), scene.field.on_mesh([0.0, -0.2]));
    assert!(is_magenta(at(&image, &view, past)), "{:?}", at(&image, &view, past));
    let faint = at(&image, &view, ahead);
    assert!(!is_magenta(faint) && faint != at(&empty, &view, ahead), "{faint:?}");

    // The same trail, seen from where the ridge is before it.
    scene.view = low_view();
    scene.cursor = 100.0;
    let with_trail = draw(device, &scene);
    scene.trails.clear();
    let without = draw(device, &scene);
    for y in [-0.9, -0.7, -0.5] {
        let hidden = scene.field.on_mesh([0.0, y]);
        assert_eq!(at(&with_trail, &scene.view, hidden), at(&without, &scene.view, hidden), "y = {y}");
    }
}

#[test]
fn a_picture_without_extent_or_beyond_the_device_is_refused() {
    let Some((device, queue)) = device() else { return };
    let scene = saddle(low_view());
    for size in [[0, 10], [10, 0], [1 << 20, 10]] {
        let refused = offscreen(device, queue, &scene, size, 1.0);
        assert!(matches!(refused, Err(OffscreenError::Size(..))), "{size:?}");
    }
}

/// A basin map of a surface of the catalogue, 64 by 64 starts.
fn basin(surface: &str, rule: Rule, learning_rate: f64, steps: u32) -> Request {
    let surface = Chosen::Catalogue(surfaces::by_id(surface).expect("a surface of the catalogue"));
    let hyper = Hyper { learning_rate, ..Hyper::of(&Params::defaults(PARAMS)) };
    let window = surface.domain;
    Request::Basin(BasinRequest { task: Task { surface, rule, hyper, steps, tolerance: 0.01 }, window, size: [64, 64] })
}

/// The share of cells that end alike on the device and on the processor, and of those within two steps of each other.
fn agreement((device, queue): &(wgpu::Device, wgpu::Queue), request: &Request) -> [f64; 2] {
    let gpu = Gpu { device: device.clone(), queue: queue.clone() };
    let on_gpu = maps::compute(request, Some(&gpu), Watch::nobody()).expect("nobody cancels");
    let on_cpu = maps::compute(request, None, Watch::nobody()).expect("nobody cancels");
    assert!(on_gpu.on_gpu && !on_cpu.on_gpu && on_gpu.minima == on_cpu.minima);
    let pairs = || on_gpu.cells.iter().zip(&on_cpu.cells).filter(|(a, b)| a.end == b.end);
    let as_long = pairs().filter(|(a, b)| a.steps.abs_diff(b.steps) <= 2).count();
    [pairs().count(), as_long].map(|count| count as f64 / on_cpu.cells.len() as f64)
}

#[test]
fn maps_on_a_graphics_device_end_as_on_the_processor() {
    let Some(device) = device() else { return };
    let [alike, as_long] = agreement(device, &basin("himmelblau", Rule::Adam, 0.05, 500));
    assert!(alike >= 0.99 && as_long >= 0.95, "{alike} {as_long}");
    for rule in Rule::ARTICLE {
        for (surface, rate) in [("himmelblau", 0.005), ("beale", 0.02), ("rastrigin", 0.002), ("peaks", 0.02)] {
            // Where runs are chaotic, single and double precision part: that costs a cell in a thousand here.
            let [alike, _] = agreement(device, &basin(surface, rule, rate, 400));
            assert!(alike >= 0.98, "{surface}, {rule:?}: {alike}");
        }
    }
    for surface in surfaces::ALL {
        let [alike, _] = agreement(device, &basin(surface.id, Rule::Adam, 0.02, 200));
        assert!(alike >= 0.98, "{}: {alike}", surface.id);
    }
}

#[test]
fn a_sweep_on_a_graphics_device_ends_as_on_the_processor() {
    let Some(device) = device() else { return };
    let Request::Basin(BasinRequest { task, .. }) = basin("ill_conditioned_quadratic", Rule::Momentum, 0.01, 1_000)
    else {
        unreachable!("it was made so");
    };
    let rate = SweepAxis { key: "learning_rate", from: 1e-4, to: 1.0, log: true };
    let momentum = SweepAxis { key: "momentum", from: 0.0, to: 0.99, log: false };
    let request = SweepRequest { task, start: [-1.8, 0.4], axes: [rate, momentum], size: [64, 64] };
    let [alike, _] = agreement(device, &Request::Sweep(request));
    assert!(alike >= 0.99, "{alike}");
}
