//! What watching costs the training, lab by lab: steps per second with nobody looking, against the same with a consumer that takes
//! every event and picture as the window does, and against one that also lays out and tessellates, as often as the window does, the
//! tiles that a window of 1280×800 shows first. Runs alternate; the median ratio counts. What a graphics card has to do is not in it.
//!
//! `cargo bench --bench watching`; `-- LAB ...` takes some labs.

use std::sync::Arc;
use std::time::{Duration, Instant};

use eframe::egui::{Context, Pos2, RawInput, Rect, UiBuilder, pos2, vec2};
use learnscope::app::{pace, theme};
use learnscope::compute::device::DeviceChoice;
use learnscope::engine::command::{Command, Record};
use learnscope::engine::params::Params;
use learnscope::engine::state::RunState;
use learnscope::engine::worker::Engine;
use learnscope::kit::lab::{self, RunOptions};
use learnscope::kit::view::{Cursor, Lab, LabView, NoPast, ViewCtx};
use learnscope::labs;
use learnscope::plot::style::Style;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const PAIRS: usize = 9;
/// Size of the window in points, without its bars and its form.
const WINDOW: Rect = Rect { min: Pos2::ZERO, max: pos2(960.0, 640.0) };

/// A lab, its preset (empty: the defaults) and so many steps of it, some seconds each.
const RUNS: [(&str, &str, u64); 5] = [
    ("optimizers", "moons", 3_000),
    ("self-supervised", "", 250),
    ("segmentation", "", 150),
    ("reconstruction", "", 150),
    ("image-report", "", 60),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Alone,
    Watched,
    Painted,
}

/// The first tiles of the lab's layout, side by side.
struct Window {
    ctx: Context,
    view: Box<dyn LabView>,
    style: Style,
    frames: u64,
}

impl Window {
    fn new(lab: &Lab) -> Self {
        let ctx = Context::default();
        theme::install_fonts(&ctx);
        let style = Style::dark();
        theme::apply(&ctx, &style, 1.0);
        Self { ctx, view: (lab.view)(), style, frames: 0 }
    }

    fn frame(&mut self, run: &RunState, params: &Params) {
        self.frames += 1;
        let arrangement = self.view.arrangement(params);
        let mut tiles = self.view.shown(params);
        tiles.retain(|tile| arrangement.has(tile));
        // Of several tiles in one place the first is in sight.
        let mut areas = Vec::new();
        tiles.retain(|tile| {
            !areas.contains(&tile.area) && {
                areas.push(tile.area);
                true
            }
        });
        let columns = (tiles.len() as f32).sqrt().ceil().max(1.0);
        let rows = (tiles.len() as f32 / columns).ceil().max(1.0);
        let size = vec2(WINDOW.width() / columns, WINDOW.height() / rows);
        let time = Some(self.frames as f64 / 60.0);
        let input = RawInput { screen_rect: Some(WINDOW), time, ..RawInput::default() };
        let Self { ctx, view, style, .. } = self;
        let output = ctx.run_ui(input, |ui| {
            let mut actions = Vec::new();
            let cursor = Cursor { step: run.step, ..Cursor::default() };
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
            for (index, tile) in tiles.iter().enumerate() {
                let (column, row) = (index % columns as usize, index / columns as usize);
                let rect = Rect::from_min_size(pos2(column as f32 * size.x, row as f32 * size.y), size);
                ui.scope_builder(UiBuilder::new().max_rect(rect).id_salt(tile.id), |ui| {
                    ui.set_clip_rect(rect);
                    view.tile(tile.id, ui, &mut view_ctx);
                });
            }
        });
        std::hint::black_box(ctx.tessellate(output.shapes, output.pixels_per_point));
    }
}

/// Seconds of the steps of one run, and how many frames were drawn.
fn run(lab: &Lab, preset: &str, steps: u64, mode: Mode) -> (f64, u64) {
    let params = match preset {
        "" => Params::defaults(lab.spec.params),
        preset => lab.spec.preset(preset).expect("a preset").expect("that fits"),
    };
    let options =
        RunOptions { steps: Some(steps), device: DeviceChoice::Cpu, record: Record::No, ..RunOptions::default() };
    let engine = Engine::start(mode != Mode::Alone, Arc::new(|| ())).expect("an engine");
    engine.send(Command::Start(lab::request(lab.spec, &params, options).expect("a request")));
    let mut window = (mode == Mode::Painted).then(|| Window::new(lab));
    let mut state = RunState::default();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let (mut began, mut drawn, mut pause) = (None, Instant::now(), pace::pause(0.0, cores));
    while state.status.is_none() || state.is_live() {
        let wait = if window.is_some() { pause.saturating_sub(drawn.elapsed()) } else { pause };
        for event in engine.recv(wait) {
            state.apply(&event);
        }
        engine.letters().iter().for_each(|letter| state.deliver(letter));
        // What comes before the first step, reading data and the first judgement, is not the training.
        if began.is_none() && state.step > 0 {
            began = Some(Instant::now());
        }
        if let Some(window) = window.as_mut().filter(|_| drawn.elapsed() >= pause) {
            drawn = Instant::now();
            window.frame(&state, &params);
            pause = pace::pause(drawn.elapsed().as_secs_f64(), cores);
        }
    }
    let seconds = began.map_or(f64::NAN, |began| began.elapsed().as_secs_f64());
    engine.shutdown(Duration::from_secs(5));
    (seconds, window.map_or(0, |window| window.frames))
}

fn main() {
    let asked: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    for (id, preset, steps) in RUNS.into_iter().filter(|(id, ..)| asked.is_empty() || asked.iter().any(|one| one == id))
    {
        let lab = labs::LABS.iter().find(|lab| lab.spec.id == id).expect("a lab");
        run(lab, preset, steps, Mode::Alone);
        let (mut watched, mut painted, mut rate) = (Vec::new(), Vec::new(), Vec::new());
        for pair in 0..PAIRS {
            // In turn, each of them first as often as the others.
            let mut found = [(0.0, 0); 3];
            for place in (pair..pair + 3).map(|place| place % 3) {
                found[place] = run(lab, preset, steps, [Mode::Alone, Mode::Watched, Mode::Painted][place]);
            }
            let [(alone, _), (taken, _), (drawn, frames)] = found;
            watched.push(alone / taken);
            painted.push(alone / drawn);
            rate.push(frames as f64 / drawn);
        }
        let median = |values: &mut Vec<f64>| {
            values.sort_by(f64::total_cmp);
            values[values.len() / 2]
        };
        println!(
            "{id}: speed while watched {:.3} of that alone, while painted {:.3} at {:.0} frames a second (medians of {PAIRS})",
            median(&mut watched),
            median(&mut painted),
            median(&mut rate)
        );
    }
}
