//! Pictures of the window and of the lab in fixed states, compared with the committed ones in `tests/snapshots/`.
//! `UPDATE_SNAPSHOTS=true cargo test --release --test snapshots` makes them anew. They were made with Mesa's lavapipe.

mod support;

use std::sync::Arc;
use std::time::{Duration, Instant};

use eframe::egui::{Key, Modifiers, Rect, pos2, vec2};
use egui_kittest::{Harness, SnapshotOptions, SnapshotResults};

use learnscope::app::App;
use learnscope::app::backend::Backend;
use learnscope::compute::device::{self, DeviceChoice};
use learnscope::engine::command::{Command, Record};
use learnscope::engine::event::{Body, Event};
use learnscope::engine::mailbox::Letter;
use learnscope::engine::worker::Engine;
use learnscope::labs::LABS;

use support::window::parts;

/// The real worker, on the CPU, unrecorded; its events are handed over when the run is over.
struct Settled(Engine);

impl Backend for Settled {
    fn send(&mut self, command: Command) {
        let command = match command {
            Command::Start(mut request) => {
                request.record = Record::No;
                request.device = request.device.map(|_| DeviceChoice::Cpu);
                request.steps = request.steps.min(420);
                Command::Start(request)
            }
            other => other,
        };
        self.0.send(command);
    }

    fn drain(&mut self) -> (Vec<Event>, Vec<Letter>) {
        let mut events = self.0.try_recv().unwrap_or_default();
        let start = Instant::now();
        let over = |events: &[Event]| {
            events.iter().any(|event| matches!(&event.body, Body::Status(status) if status.is_over()))
        };
        while !events.is_empty() && !over(&events) && start.elapsed() < Duration::from_secs(60) {
            events.extend(self.0.recv(Duration::from_millis(10)));
        }
        (events, self.0.letters())
    }
}

/// `None`, with the reason printed, where there is no graphics adapter and none is required.
fn window(theme: &str, size: [f32; 2], preset: Option<&str>) -> Option<Harness<'static, App>> {
    if device::adapters().is_empty() {
        let reason = "no graphics adapter found, so no pictures are compared";
        assert!(std::env::var_os("LEARNSCOPE_REQUIRE_ADAPTER").is_none(), "{reason}");
        println!("skipped: {reason}");
        return None;
    }
    let config = tempfile::tempdir().unwrap();
    std::fs::write(config.path().join("settings.toml"), format!("theme = \"{theme}\"\n")).unwrap();
    let settled = Settled(Engine::start(true, Arc::new(|| ())).unwrap());
    let parts = parts(LABS.iter().collect(), Box::new(settled), Some(&config.keep()));
    let mut harness = Harness::builder()
        .with_size(vec2(size[0], size[1]))
        .with_step_dt(1.0 / 60.0)
        .wgpu()
        .build_eframe(|cc| App::new(&cc.egui_ctx, parts));
    settle(&mut harness);
    if let Some(preset) = preset {
        harness.key_press_modifiers(Modifiers::COMMAND, Key::P);
        harness.run_steps(2);
        use egui_kittest::kittest::Queryable as _;
        harness.get_by_label("Command").type_text(preset);
        harness.run_steps(2);
        harness.key_press(Key::Enter);
        settle(&mut harness);
    }
    Some(harness)
}

/// Lets the run arrive, goes to its end, and gives fields that are computed on their own thread the time they need.
fn settle(harness: &mut Harness<'static, App>) {
    for _ in 0..20 {
        harness.run_steps(1);
        std::thread::sleep(Duration::from_millis(20));
    }
    harness.key_press(Key::End);
    for _ in 0..20 {
        harness.run_steps(1);
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn compare(theme: &str, name: &str, preset: Option<&str>, results: &mut SnapshotResults) {
    let size = [1280.0, 800.0];
    let Some(mut harness) = window(theme, size, preset) else { return };
    // The status line tells times and folders.
    harness.mask(Rect::from_min_max(pos2(0.0, size[1] - 30.0), pos2(size[0], size[1])));
    let options = SnapshotOptions::new().threshold(1.0).max_failed_pixels(400);
    results.add(harness.try_snapshot_options(format!("{name}-{theme}"), &options));
}

#[test]
fn the_window_looks_as_it_did() {
    let mut results = SnapshotResults::new();
    for theme in ["dark", "light", "high-contrast"] {
        compare(theme, "saddle", None, &mut results);
    }
    compare("dark", "momentum-nag", Some("preset momentum against"), &mut results);
    compare("light", "ravine", Some("preset ravine"), &mut results);
}
