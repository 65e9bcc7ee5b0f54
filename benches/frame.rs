//! What one frame of the optimizers lab costs the processor: layout and tessellation of all tiles at once, without a GPU.
//!
//! Three scenes: 12 optimizers × 5,000 steps while the timeline plays; 10⁵ steps of 7 while the timeline is scrubbed back and
//! forth; and the start dragged, so that every frame draws new paths. Prints the median and the 99th percentile of this
//! thread's processor time (of wall time where the system does not tell).
//! `cargo bench --bench frame`

#[path = "../tests/support/mod.rs"]
mod support;

use std::time::{Duration, Instant};

use eframe::egui::{Context, Pos2, RawInput, Rect, UiBuilder, pos2, vec2};
use learnscope::app::theme;
use learnscope::engine::params::Params;
use learnscope::engine::state::RunState;
use learnscope::kit::view::{Cursor, LabView, NoPast, ViewCtx};
use learnscope::labs::optimizers;
use learnscope::plot::style::Style;

use support::optimizer_run;

/// Size of the window in points.
const WINDOW: Rect = Rect { min: Pos2::ZERO, max: pos2(1920.0, 1080.0) };
/// Every tile of the surface experiment and the guide, in three rows; the 3-D surface is drawn by the GPU.
const TILES: [&str; 12] = [
    "field",
    "table",
    "microscope",
    "curvature",
    "curves-f",
    "curves-gradient",
    "curves-step",
    "curves-x",
    "curves-y",
    "modes",
    "schedules",
    "guide",
];
const FRAMES: usize = 600;

/// Processor time of this thread: what the frame costs, whatever else the machine does.
#[cfg(target_os = "linux")]
#[allow(unsafe_code, reason = "the standard library does not tell a thread's processor time")]
fn processor_time(_origin: Instant) -> Duration {
    const THREAD_CPU_TIME: i32 = 3;
    // The C library that the standard library is linked with.
    unsafe extern "C" {
        fn clock_gettime(clock: i32, time: *mut [i64; 2]) -> i32;
    }
    let mut time = [0; 2];
    // SAFETY: `time` is as large as the `timespec` of 64-bit Linux and outlives the call.
    unsafe { clock_gettime(THREAD_CPU_TIME, &raw mut time) };
    Duration::new(time[0] as u64, time[1] as u32)
}

/// Wall time since `origin`.
#[cfg(not(target_os = "linux"))]
fn processor_time(origin: Instant) -> Duration {
    origin.elapsed()
}

struct Bench {
    ctx: Context,
    view: Box<dyn LabView>,
    style: Style,
    frame: u64,
}

/// Milliseconds of one frame.
#[derive(Debug, Clone, Copy)]
struct Cost {
    layout: f64,
    tessellation: f64,
}

impl Bench {
    fn new() -> Self {
        let ctx = Context::default();
        theme::install_fonts(&ctx);
        let style = Style::dark();
        theme::apply(&ctx, &style, 1.0);
        Self { ctx, view: optimizers::view::new(), style, frame: 0 }
    }

    fn frame(&mut self, run: &RunState, params: &Params, cursor: Cursor) -> Cost {
        self.frame += 1;
        let input = RawInput { screen_rect: Some(WINDOW), time: Some(self.frame as f64 / 60.0), ..RawInput::default() };
        let origin = Instant::now();
        let start = processor_time(origin);
        let Self { ctx, view, style, .. } = self;
        let output = ctx.run_ui(input, |ui| {
            let mut actions = Vec::new();
            let mut view_ctx = ViewCtx {
                run,
                params,
                cursor,
                style,
                wgpu: None,
                past: &NoPast,
                presenting: false,
                actions: &mut actions,
            };
            let size = vec2(WINDOW.width() / 4.0, WINDOW.height() / 3.0);
            for (index, tile) in TILES.into_iter().enumerate() {
                let at = pos2((index % 4) as f32 * size.x, (index / 4) as f32 * size.y);
                let rect = Rect::from_min_size(at, size);
                ui.scope_builder(UiBuilder::new().max_rect(rect).id_salt(tile), |ui| {
                    ui.set_clip_rect(rect);
                    match tile {
                        "guide" => view.guide(ui, &mut view_ctx),
                        tile => view.tile(tile, ui, &mut view_ctx),
                    }
                });
            }
        });
        let laid_out = processor_time(origin);
        let primitives = ctx.tessellate(output.shapes, output.pixels_per_point);
        let end = processor_time(origin);
        std::hint::black_box(primitives);
        let milliseconds = |time: Duration| 1e3 * time.as_secs_f64();
        Cost { layout: milliseconds(laid_out - start), tessellation: milliseconds(end - laid_out) }
    }

    /// Draws until the background pictures are there.
    fn settle(&mut self, run: &RunState, params: &Params) {
        for _ in 0..20 {
            self.frame(run, params, Cursor::default());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

fn report(name: &str, costs: &[Cost]) {
    let quantiles = |value: fn(&Cost) -> f64| {
        let mut all: Vec<f64> = costs.iter().map(value).collect();
        all.sort_by(f64::total_cmp);
        [0.5, 0.99, 1.0].map(|share| all[((all.len() - 1) as f64 * share).round() as usize])
    };
    let print = |what: &str, [median, high, worst]: [f64; 3]| {
        println!("{name:<34} {what:<14} p50 {median:6.2} ms   p99 {high:6.2} ms   max {worst:6.2} ms");
    };
    print("whole frame", quantiles(|cost| cost.layout + cost.tessellation));
    print("layout", quantiles(|cost| cost.layout));
    print("tessellation", quantiles(|cost| cost.tessellation));
}

fn main() {
    // Twelve optimizers × 5,000 steps on Himmelblau: paths that move, arrive and oscillate.
    let more = ["use_adamw=on", "use_nadam=on", "use_heavy_ball=on", "use_rprop=on", "use_lion=on"];
    let set = [&["surface=himmelblau", "steps=5000", "start_x=0", "start_y=0"][..], &more].concat();
    let params = optimizer_run::params(&set);
    let run = optimizer_run::run(&params);
    let mut bench = Bench::new();
    bench.settle(&run, &params);
    let costs: Vec<Cost> =
        (0..FRAMES).map(|i| bench.frame(&run, &params, Cursor { step: (8 * i) as u64, sub: i % 5 })).collect();
    report("12 × 5,000 steps, playing", &costs);

    let params = optimizer_run::params(&[
        "surface=rosenbrock",
        "steps=100000",
        "start_x=-1.5",
        "start_y=2",
        "learning_rate=0.001",
    ]);
    let run = optimizer_run::run(&params);
    let mut bench = Bench::new();
    bench.settle(&run, &params);
    let scrub = |i: usize| (50_000.0 + 50_000.0 * (i as f64 * 0.37).sin()) as u64;
    let costs: Vec<Cost> = (0..FRAMES).map(|i| bench.frame(&run, &params, Cursor { step: scrub(i), sub: 0 })).collect();
    report("7 × 100,000 steps, scrubbing", &costs);

    // A dragged start: new paths in every frame. Computing them is the worker's work and not timed.
    let mut bench = Bench::new();
    let runs: Vec<(RunState, Params)> = (0..60)
        .map(|i| {
            let start = format!("start_x={}", 0.01 * f64::from(i));
            let params = optimizer_run::params(&["surface=himmelblau", "steps=5000", &start, "start_y=0.5"]);
            (optimizer_run::run(&params), params)
        })
        .collect();
    bench.settle(&runs[0].0, &runs[0].1);
    let costs: Vec<Cost> = runs
        .iter()
        .cycle()
        .take(FRAMES / 2)
        .map(|(run, params)| bench.frame(run, params, Cursor { step: 5_000, sub: 0 }))
        .collect();
    report("7 × 5,000 steps, start dragged", &costs);
}
