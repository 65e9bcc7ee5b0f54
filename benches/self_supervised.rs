//! What a step of the self-supervised lab costs on the CPU, and its parts.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use burn::tensor::{Tensor, TensorData};
use criterion::{Criterion, criterion_group, criterion_main};
use eframe::egui::{Rect, Ui, UiBuilder, pos2, vec2};
use egui_kittest::Harness;
use learnscope::app::theme;
use learnscope::compute::device::{self, DeviceChoice};
use learnscope::compute::readback::Reader;
use learnscope::compute::rng::HostRng;
use learnscope::data::augment::recipes::{Recipe, RecipeKind};
use learnscope::data::images::{ImageData, ImageSet};
use learnscope::data::synth::shapes;
use learnscope::engine::command::Command;
use learnscope::engine::emit::Emit;
use learnscope::engine::experiment::BuildRequest;
use learnscope::engine::params::Params;
use learnscope::engine::state::RunState;
use learnscope::engine::worker::Engine;
use learnscope::kit::lab::{self, RunOptions};
use learnscope::kit::view::{Cursor, LabView, NoPast, ViewCtx};

use learnscope::labs::self_supervised::batches::Batches;
use learnscope::labs::self_supervised::network::{EncoderKind, Heads, Layers, Shape};
use learnscope::labs::self_supervised::params::{Hyper, PARAMS};
use learnscope::labs::self_supervised::trainer::Trainer;
use learnscope::labs::self_supervised::{self, KEYS, SPEC};
use learnscope::nn::parameters::Init;
use learnscope::plot::style::Style;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn params(set: &[&str]) -> Params {
    let mut params = Params::defaults(PARAMS);
    for text in set {
        params.set_text(PARAMS, text).expect("a parameter of the lab");
    }
    params
}

fn shape(channels: usize, encoder: EncoderKind, predictor: Layers) -> Shape {
    Shape { channels, encoder, init: Init::Torch, independent_target: false, heads: Heads::published(predictor) }
}

/// Normal numbers in the shape of a batch: `[2B, C, S, S]`.
fn noise(pictures: usize, channels: usize, side: usize) -> Tensor<4> {
    let mut rng = HostRng::new(1, 0);
    let values: Vec<f32> = (0..2 * pictures * channels * side * side).map(|_| rng.normal() as f32).collect();
    Tensor::from_data(TensorData::new(values, [2 * pictures, channels, side, side]), &device::cpu())
}

/// One update without measurements.
fn training_step(c: &mut Criterion) {
    let mut group = c.benchmark_group("step");
    let cases: [(&str, &[&str]); 3] =
        [("byol", &[]), ("simsiam", &["target=online"]), ("directpred", &["predictor_rule=directpred"])];
    for (name, set) in cases {
        let params = params(set);
        let hyper = Hyper::of(&params);
        let mut trainer =
            Trainer::new(&shape(1, EncoderKind::Small, Layers::One), 1, &device::cpu()).expect("a trainer");
        let x = noise(128, 1, 16);
        let mut step = 0;
        group.bench_function(format!("small encoder, batch 128, {name}"), |b| {
            b.iter(|| {
                let outcome = trainer.step(x.clone(), &hyper, hyper.tau_at(step, 700), step).expect("a step");
                step += 1;
                // Reading the loss waits for the step.
                let mut reader = Reader::default();
                reader.add(outcome.cosine);
                black_box(reader.read())
            });
        });
    }
    group.sample_size(10);
    let hyper = Hyper::of(&params(&["predictor_layers=two"]));
    let mut trainer =
        Trainer::new(&shape(3, EncoderKind::ResNet18, Layers::Two), 1, &device::cpu()).expect("a trainer");
    let x = noise(8, 3, 32);
    group.bench_function("ResNet-18, batch 8 at 32x32, byol", |b| {
        b.iter(|| black_box(trainer.step(x.clone(), &hyper, 0.996, 1).expect("a step")));
    });
    group.finish();
}

/// Two views of every picture of a batch of 128.
fn views(c: &mut Criterion) {
    let mut group = c.benchmark_group("views");
    let shapes = Arc::new(shapes::generate(1000, 10, 1));
    let mut rng = HostRng::new(2, 0);
    let colour = ImageSet {
        channels: 3,
        height: 32,
        width: 32,
        pixels: (0..1000 * 3072).map(|_| rng.below(256) as u8).collect(),
        classes: vec![0; 1000],
        class_names: vec!["noise".to_owned()],
    };
    let colour =
        Arc::new(ImageData { train: colour.clone(), test: colour, description: String::new(), warnings: Vec::new() });
    for (name, data, kind, crop_min) in [
        ("shapes 16x16", &shapes, RecipeKind::Shapes, 0.4),
        ("colour 32x32, torchvision", &colour, RecipeKind::Torchvision, 0.08),
        ("colour 32x32, replication", &colour, RecipeKind::Replication, 0.08),
    ] {
        let mut batches = Batches::new(data.clone(), Recipe::new(kind, crop_min), 1, 128);
        let mut step = 0;
        group.bench_function(name, |b| {
            b.iter(|| {
                step += 1;
                black_box(batches.of(step))
            });
        });
    }
    group.finish();
}

/// Whole steps of the default run, with and without its eigen-analysis (every 10th step) and probes (every 50th).
fn measured_steps(c: &mut Criterion) {
    let mut group = c.benchmark_group("run of 50 steps");
    group.sample_size(10);
    for (name, set) in [
        ("nothing measured", &["analysis_every=100000", "probe_every=100000", "loss_every=10000"][..]),
        ("eigenspaces every 10", &["probe_every=100000"][..]),
        ("eigenspaces every 10, probes every 50", &[][..]),
    ] {
        let params = params(set);
        let cpu = device::cpu();
        let mut run = self_supervised::build(&BuildRequest { params: &params, seed: 1, steps: u64::MAX, device: &cpu })
            .expect("a run");
        let mut step = 1;
        group.bench_function(name, |b| {
            b.iter(|| {
                for _ in 0..50 {
                    step += 1;
                    let mut out = Emit::new(KEYS, step, u64::MAX, false);
                    run.step(&mut out).expect("a step");
                    black_box(out.finish());
                }
            });
        });
    }
    group.finish();
}

/// All tiles at once, drawn from what the worker says.
struct Scene {
    run: RunState,
    view: Box<dyn LabView>,
    params: Params,
    style: Style,
    ready: bool,
}

impl Scene {
    fn draw(&mut self, ui: &mut Ui) {
        if !self.ready {
            // Fonts act from the next frame on.
            theme::install_fonts(ui.ctx());
            self.ready = true;
            return;
        }
        theme::apply(ui.ctx(), &self.style, 1.0);
        let mut actions = Vec::new();
        for (i, tile) in self.view.tiles().iter().enumerate() {
            let size = vec2(480.0, 360.0);
            let at = pos2(size.x * (i % 4) as f32, size.y * (i / 4) as f32);
            let mut ctx = ViewCtx {
                run: &self.run,
                params: &self.params,
                cursor: Cursor { step: self.run.step, sub: 0 },
                style: &self.style,
                wgpu: None,
                past: &NoPast,
                presenting: false,
                actions: &mut actions,
            };
            let place = UiBuilder::new().id_salt(tile.id).max_rect(Rect::from_min_size(at, size));
            ui.scope_builder(place, |ui| self.view.tile(tile.id, ui, &mut ctx));
        }
    }
}

/// 50 steps of the first preset with its measurements, as the engine runs them.
fn engine_run(draw: bool) {
    let params = params(&[]);
    let options = RunOptions { steps: Some(50), device: DeviceChoice::Cpu, ..RunOptions::default() };
    let request = lab::request(&SPEC, &params, options).expect("a request");
    let engine = Engine::start(draw, Arc::new(|| ())).expect("a worker");
    engine.send(Command::Start(request));
    let scene = Scene {
        run: RunState::default(),
        view: self_supervised::view::new(),
        params,
        style: Style::dark(),
        ready: false,
    };
    let mut harness = Harness::builder()
        .with_size(vec2(1920.0, 1080.0))
        .build_ui_state(|ui, scene: &mut Scene| scene.draw(ui), scene);
    let mut drawn = Instant::now();
    while harness.state().run.status.as_ref().is_none_or(|status| !status.is_over()) {
        for event in engine.recv(Duration::from_millis(5)) {
            harness.state_mut().run.apply(&event);
        }
        for letter in engine.letters() {
            harness.state_mut().run.deliver(&letter);
        }
        if draw && drawn.elapsed() > Duration::from_millis(50) {
            harness.step();
            drawn = Instant::now();
        }
    }
    engine.shutdown(Duration::from_secs(10));
}

/// What drawing all twelve tiles at 1920×1080, 20 times a second, costs the training. (Layout and triangles; the graphics
/// card's part is not in it.)
fn watched(c: &mut Criterion) {
    let mut group = c.benchmark_group("watched run of 50 steps");
    group.sample_size(10);
    for (name, draw) in [("nobody looks", false), ("every tile is drawn", true)] {
        group.bench_function(name, |b| b.iter(|| engine_run(draw)));
    }
    group.finish();
}

criterion_group!(benches, training_step, views, measured_steps, watched);
criterion_main!(benches);
