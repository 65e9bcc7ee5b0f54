//! Opens the window: eframe on wgpu, with a real GPU where there is one and a software rasteriser where there is none.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use eframe::egui::{self, IconData, ViewportBuilder};
use eframe::egui_wgpu::{WgpuSetup, wgpu};

use super::backend::{Backend, DeviceLister, Fetch, Wake};
use super::pace::Pace;
use super::parts::{App, Open, Parts};
use super::{fonts, runs, settings};
use crate::engine::event::Level;
use crate::kit::view::Lab;

/// Makes the worker; the argument asks the window for a frame from any thread.
pub type MakeBackend = Box<dyn FnOnce(Wake) -> Box<dyn Backend>>;

/// What the window is opened with.
pub struct WindowOptions {
    pub labs: Vec<&'static Lab>,
    pub backend: MakeBackend,
    pub fetch: Fetch,
    pub devices: Option<DeviceLister>,
    pub runs_dir: PathBuf,
    /// `None`: what [`settings::CONFIG_DIR_VARIABLE`] says, else the platform's.
    pub config_dir: Option<PathBuf>,
    pub open: Open,
    /// After so many seconds, takes a picture of the window into this file and closes it (for tests).
    pub screenshot: Option<(f32, PathBuf)>,
    /// Size in points instead of the remembered one.
    pub size: Option<[f32; 2]>,
}

impl std::fmt::Debug for WindowOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WindowOptions").field("runs_dir", &self.runs_dir).finish_non_exhaustive()
    }
}

/// Id by which the desktop groups the program's windows.
const APP_ID: &str = "learnscope";
const SIZE: [f32; 2] = [1440.0, 900.0];
/// Half of a laptop's screen, where everything is drawn at 200 %.
const LEAST: [f32; 2] = [672.0, 360.0];
/// Height in points that a window's title and the desktop's bars may take.
const BARS: f32 = 72.0;

/// Opens the window and stays until it is closed. The error is a sentence for the terminal: no display, no graphics.
pub fn run_window(options: WindowOptions) -> Result<(), String> {
    let WindowOptions { labs, backend, fetch, devices, runs_dir, config_dir, open, screenshot, size } = options;
    let config_dir = config_dir.or_else(settings::default_folder);
    let remembered = settings::peek(config_dir.as_deref()).window;
    let size = size.or(remembered).unwrap_or(SIZE);
    let mut viewport = ViewportBuilder::default()
        .with_title("Learnscope")
        .with_app_id(APP_ID)
        .with_inner_size(size)
        .with_min_inner_size(LEAST)
        .with_drag_and_drop(true);
    if let Some(icon) = icon() {
        viewport = viewport.with_icon(icon);
    }
    let mut native = eframe::NativeOptions {
        viewport,
        renderer: eframe::Renderer::Wgpu,
        persist_window: false,
        // The bundled fonts hold every sign of the program's own; what else the names of files have, see `fonts`.
        system_font_fallback: false,
        ..eframe::NativeOptions::default()
    };
    if let WgpuSetup::CreateNew(setup) = &mut native.wgpu_options.wgpu_setup {
        setup.power_preference = wgpu::PowerPreference::HighPerformance;
    }
    let create: eframe::AppCreator<'_> = Box::new(move |cc| {
        let wake: Wake = {
            let (ctx, pace) = (cc.egui_ctx.clone(), Pace::of(&cc.egui_ctx));
            Arc::new(move || pace.wake(&ctx))
        };
        let backend = backend(wake);
        fonts::install(&cc.egui_ctx);
        let ids: Vec<&str> = labs.iter().map(|lab| lab.spec.id).collect();
        let parts = Parts { labs, backend, fetch, devices, config_dir, runs_dir: runs_dir.clone(), open };
        let app = App::new(&cc.egui_ctx, parts);
        let presence = runs::Presence::of(&runs_dir, &app.state.stamp);
        // Without it another window could not know either.
        if presence.is_some() {
            let clearing = std::thread::Builder::new().name("clearing".to_owned());
            let _ = clearing.spawn(move || runs::clear_away(&runs_dir, &ids));
        }
        let trouble = cc.wgpu_render_state.as_ref().map(|state| watch(&state.device, &cc.egui_ctx));
        Ok(Box::new(Shown {
            app,
            trouble: trouble.unwrap_or_default(),
            screenshot,
            done: Arc::default(),
            placed: false,
            scale: 0.0,
            _presence: presence,
        }))
    });
    eframe::run_native("Learnscope", native, create).map_err(|error| explain(&error))
}

/// The application with what only a real window has.
struct Shown {
    app: App,
    trouble: Trouble,
    screenshot: Option<(f32, PathBuf)>,
    done: Arc<AtomicBool>,
    /// The window's size was compared with the screen's.
    placed: bool,
    /// That of the last frame.
    scale: f32,
    _presence: Option<runs::Presence>,
}

/// Messages of the window's graphics device, from its own threads.
type Trouble = Arc<Mutex<Vec<(Level, String)>>>;

/// Logs what goes wrong with the window's device instead of ending the program.
fn watch(device: &wgpu::Device, ctx: &egui::Context) -> Trouble {
    let trouble = Trouble::default();
    let tell = |level: Level| {
        let (trouble, ctx) = (trouble.clone(), ctx.clone());
        move |text: String| {
            tracing::error!("{text}");
            trouble.lock().unwrap_or_else(PoisonError::into_inner).push((level, text));
            ctx.request_repaint();
        }
    };
    let lost = tell(Level::Error);
    device.set_device_lost_callback(move |reason, message| {
        // The device is always "lost" when the window closes.
        if reason != wgpu::DeviceLostReason::Destroyed {
            lost(format!(
                "the window's graphics device was lost ({message}). Training goes on and is recorded; restart the \
                 program to see it again."
            ));
        }
    });
    let wrong = tell(Level::Warning);
    device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
        let text = error.to_string();
        wrong(format!("graphics: {}", text.lines().next().unwrap_or_default()));
    }));
    trouble
}

/// The size of a window that is too large for its screen with the desktop's bars; both sizes in points.
fn fitting(window: egui::Vec2, screen: egui::Vec2) -> Option<egui::Vec2> {
    let most = egui::vec2(screen.x, screen.y - BARS);
    (most.x > 1.0 && most.y > 1.0 && (window.x > most.x || window.y > most.y)).then(|| window.min(most))
}

impl Shown {
    /// Makes the window as small as its screen, once: its last line is to be seen.
    fn place(&mut self, ctx: &egui::Context) {
        // Sizes are in points: while the scale is just changing, what was read and what is asked for would be of two scales.
        let scale = ctx.zoom_factor();
        if std::mem::replace(&mut self.scale, scale) != scale {
            return ctx.request_repaint();
        }
        let sizes = ctx.input(|input| {
            let viewport = input.viewport();
            let whole = viewport.maximized == Some(true) || viewport.fullscreen == Some(true);
            Some((viewport.inner_rect?.size(), viewport.monitor_size?, whole))
        });
        if self.placed {
            return;
        }
        let Some((window, screen, whole)) = sizes else { return };
        self.placed = true;
        if let Some(size) = fitting(window, screen).filter(|_| !whole) {
            ctx.send_viewport_cmd(egui::ViewportCommand::InnerSize(size));
        }
    }
}

impl eframe::App for Shown {
    fn logic(&mut self, ctx: &egui::Context, frame: &mut eframe::Frame) {
        let troubles = std::mem::take(&mut *self.trouble.lock().unwrap_or_else(PoisonError::into_inner));
        for (level, text) in troubles {
            self.app.state.notice(level, text);
        }
        self.place(ctx);
        self.app.logic(ctx, frame);
        if self.screenshot.is_some() {
            ctx.request_repaint_after(std::time::Duration::from_millis(50));
        }
        let time = ctx.input(|input| input.time);
        if let Some((_, file)) = self.screenshot.take_if(|(after, _)| time >= f64::from(*after)) {
            self.app.capture.screenshot_to(file.clone());
            let (done, ctx) = (self.done.clone(), ctx.clone());
            // Closes once the file is there, or after ten seconds.
            let _ = std::thread::Builder::new().name("screenshot".to_owned()).spawn(move || {
                for _ in 0..200 {
                    if file.exists() {
                        break;
                    }
                    ctx.request_repaint();
                    std::thread::sleep(std::time::Duration::from_millis(50));
                }
                done.store(true, Ordering::Release);
                ctx.request_repaint();
            });
        }
    }

    fn ui(&mut self, ui: &mut egui::Ui, frame: &mut eframe::Frame) {
        self.app.ui(ui, frame);
        if self.done.load(Ordering::Acquire) {
            let (closing, mut lent) = self.app.state.way_out();
            closing.leave_unasked(&mut lent);
            ui.ctx().request_repaint();
        }
    }

    fn on_exit(&mut self) {
        self.app.on_exit();
    }

    fn clear_color(&self, visuals: &egui::Visuals) -> [f32; 4] {
        self.app.clear_color(visuals)
    }

    fn persist_egui_memory(&self) -> bool {
        false
    }
}

fn icon() -> Option<IconData> {
    let picture = image::load_from_memory(include_bytes!("../../assets/icon.png")).ok()?.into_rgba8();
    let (width, height) = picture.dimensions();
    Some(IconData { rgba: picture.into_raw(), width, height })
}

/// eframe's error as a sentence with what to do.
fn explain(error: &eframe::Error) -> String {
    let detail = match error {
        // winit puts a place in its own source before what happened.
        eframe::Error::WinitEventLoop(error) => {
            let text = error.to_string();
            text.rsplit_once(": ").map_or(text.clone(), |(_, what)| what.trim_end_matches('.').to_owned())
        }
        other => other.to_string(),
    };
    let no_display = cfg!(target_os = "linux")
        && std::env::var_os("DISPLAY").is_none_or(|v| v.is_empty())
        && std::env::var_os("WAYLAND_DISPLAY").is_none_or(|v| v.is_empty());
    if no_display {
        return String::from(
            "no display: neither DISPLAY nor WAYLAND_DISPLAY is set. Without a display, use `learnscope run`, \
             `learnscope study` or `learnscope labs`; see `learnscope --help`.",
        );
    }
    match error {
        eframe::Error::Wgpu(_) => format!(
            "no graphics: {detail}. A driver for Vulkan, Metal or OpenGL is needed (on a Linux server: the package \
             mesa-vulkan-drivers); without one, use `learnscope run` and the other commands of `learnscope --help`."
        ),
        _ => {
            format!("the window cannot be opened: {detail}. Without it, use `learnscope run`; see `learnscope --help`.")
        }
    }
}

#[cfg(test)]
mod tests {
    use eframe::egui::vec2;

    use super::*;

    #[test]
    fn a_window_larger_than_its_screen_is_made_smaller_and_no_other() {
        let laptop = vec2(1366.0, 768.0);
        assert_eq!(fitting(vec2(1440.0, 900.0), laptop), Some(vec2(1366.0, 696.0)));
        assert_eq!(fitting(vec2(1366.0, 768.0), laptop), Some(vec2(1366.0, 696.0)), "beneath the desktop's bars");
        assert_eq!(fitting(vec2(1280.0, 600.0), laptop), None);
        assert_eq!(fitting(vec2(1440.0, 900.0), vec2(0.0, 0.0)), None, "nothing is known of the screen");
    }
}
