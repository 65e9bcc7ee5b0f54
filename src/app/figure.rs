//! One tile of a recorded run as a picture, without a window: the very code that draws the window, on an off-screen
//! texture.

use std::time::{Duration, Instant};

use eframe::egui::{self, ViewportId};
use eframe::egui_wgpu::{
    RenderState, RendererOptions, ScreenDescriptor, WgpuConfiguration, WgpuSetup, WgpuSetupCreateNew,
};
use image::RgbaImage;

use super::theme;
use crate::engine::state::RunState;
use crate::kit::view::{Cursor, Lab, LabView, PastPayloads, ViewCtx};
use crate::plot::style::Style;

/// What to draw.
pub struct Figure<'a> {
    pub lab: &'a Lab,
    pub run: &'a RunState,
    /// Recorded bulky values of the run.
    pub past: &'a dyn PastPayloads,
    /// Tile id.
    pub tile: &'a str,
    /// The moment to show.
    pub step: u64,
    /// Width and height in pixels.
    pub size: (u32, u32),
    pub style: &'a Style,
}

/// A figure of this size in points has comfortable type; larger pictures are scaled up from it.
const COMFORTABLE: egui::Vec2 = egui::vec2(800.0, 500.0);
/// Longest time that a view may take to settle (fields are computed on a thread of their own).
const SETTLE: Duration = Duration::from_secs(10);

/// Draws the figure. The error says what is missing and what to do.
pub fn render(figure: &Figure<'_>) -> Result<RgbaImage, String> {
    render_view(figure, (figure.lab.view)().as_mut())
}

/// [`render`] of a view that shows something of its own.
pub fn render_view(figure: &Figure<'_>, view: &mut dyn LabView) -> Result<RgbaImage, String> {
    let title = view
        .tiles()
        .iter()
        .find(|tile| tile.id == figure.tile)
        .map(|tile| tile.title)
        .ok_or_else(|| format!("the lab has no view called `{}`", figure.tile))?;
    render_with(title, figure.size, figure.style, |ui, state| {
        let mut actions = Vec::new();
        let mut view_ctx = ViewCtx {
            run: figure.run,
            params: &figure.run.params,
            cursor: Cursor { step: figure.step, sub: 0 },
            style: figure.style,
            wgpu: Some(state),
            past: figure.past,
            presenting: false,
            actions: &mut actions,
        };
        view.tile(figure.tile, ui, &mut view_ctx);
    })
}

/// Draws a picture of `size` pixels with a title; `draw` fills what is below it.
pub fn render_with(
    title: &str,
    (width, height): (u32, u32),
    style: &Style,
    mut draw: impl FnMut(&mut egui::Ui, &RenderState),
) -> Result<RgbaImage, String> {
    let state = render_state()?;
    let scale = (width as f32 / COMFORTABLE.x).min(height as f32 / COMFORTABLE.y).clamp(0.5, 4.0);
    let ctx = egui::Context::default();
    theme::install_fonts(&ctx);
    theme::apply(&ctx, style, 1.0);

    let screen = egui::Rect::from_min_size(egui::Pos2::ZERO, egui::vec2(width as f32, height as f32) / scale);
    let start = Instant::now();
    let mut renderer = state.renderer.write();
    loop {
        let mut input = egui::RawInput {
            screen_rect: Some(screen),
            time: Some(start.elapsed().as_secs_f64()),
            ..Default::default()
        };
        input.viewports.entry(ViewportId::ROOT).or_default().native_pixels_per_point = Some(scale);
        let mut output = ctx.run_ui(input, |ui| {
            egui::CentralPanel::default()
                .frame(egui::Frame::new().fill(theme::panel_fill(style)).inner_margin(12.0))
                .show(ui, |ui| {
                    ui.label(theme::strong(title));
                    draw(ui, &state);
                });
        });
        let mut textures = std::mem::take(&mut output.textures_delta);
        for (id, deltas) in textures.set.drain() {
            for delta in deltas {
                renderer.update_texture(&state.device, &state.queue, id, &delta);
            }
        }
        let waits = output
            .viewport_output
            .get(&ViewportId::ROOT)
            .is_some_and(|viewport| viewport.repaint_delay < Duration::from_secs(1));
        // The first frames lay out; a view whose field is still being computed asks for another.
        if ctx.cumulative_frame_nr() < 4 || (waits && start.elapsed() < SETTLE) {
            std::thread::sleep(Duration::from_millis(10));
            continue;
        }
        return paint(&state, &mut renderer, &ctx, output, (width, height), scale);
    }
}

fn render_state() -> Result<RenderState, String> {
    let mut create = WgpuSetupCreateNew::without_display_handle();
    create.power_preference = wgpu::PowerPreference::HighPerformance;
    let setup = WgpuSetup::CreateNew(create);
    let instance = pollster::block_on(setup.new_instance());
    let configuration = WgpuConfiguration { wgpu_setup: setup, ..WgpuConfiguration::default() };
    pollster::block_on(RenderState::create(&configuration, &instance, None, RendererOptions::default())).map_err(|error| {
        format!(
            "pictures are drawn by a graphics adapter and none was found ({error}); install a Vulkan driver (Debian's \
             mesa-vulkan-drivers holds a software one), or export .csv or .json"
        )
    })
}

fn paint(
    state: &RenderState,
    renderer: &mut eframe::egui_wgpu::Renderer,
    ctx: &egui::Context,
    output: egui::FullOutput,
    (width, height): (u32, u32),
    scale: f32,
) -> Result<RgbaImage, String> {
    let (device, queue) = (&state.device, &state.queue);
    let limit = device.limits().max_texture_dimension_2d;
    if width > limit || height > limit {
        return Err(format!("{width}x{height} pixels are more than this adapter draws ({limit} a side)"));
    }
    let screen = ScreenDescriptor { size_in_pixels: [width, height], pixels_per_point: scale };
    let jobs = ctx.tessellate(output.shapes, scale);
    let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("figure") });
    let user_buffers = renderer.update_buffers(device, queue, &mut encoder, &jobs, &screen);
    let size = wgpu::Extent3d { width, height, depth_or_array_layers: 1 };
    let target = device.create_texture(&wgpu::TextureDescriptor {
        label: Some("figure"),
        size,
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format: state.target_format,
        usage: wgpu::TextureUsages::RENDER_ATTACHMENT | wgpu::TextureUsages::COPY_SRC,
        view_formats: &[],
    });
    let view = target.create_view(&wgpu::TextureViewDescriptor::default());
    {
        let mut pass = encoder
            .begin_render_pass(&wgpu::RenderPassDescriptor {
                label: Some("figure"),
                color_attachments: &[Some(wgpu::RenderPassColorAttachment {
                    view: &view,
                    resolve_target: None,
                    ops: wgpu::Operations {
                        load: wgpu::LoadOp::Clear(wgpu::Color::BLACK),
                        store: wgpu::StoreOp::Store,
                    },
                    depth_slice: None,
                })],
                ..Default::default()
            })
            .forget_lifetime();
        renderer.render(&mut pass, &jobs, &screen);
    }
    // Rows of a buffer copy are padded to 256 bytes.
    let row = (4 * width).next_multiple_of(wgpu::COPY_BYTES_PER_ROW_ALIGNMENT);
    let buffer = device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("figure"),
        size: u64::from(row) * u64::from(height),
        usage: wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ,
        mapped_at_creation: false,
    });
    encoder.copy_texture_to_buffer(
        target.as_image_copy(),
        wgpu::TexelCopyBufferInfo {
            buffer: &buffer,
            layout: wgpu::TexelCopyBufferLayout { offset: 0, bytes_per_row: Some(row), rows_per_image: None },
        },
        size,
    );
    queue.submit(user_buffers.into_iter().chain([encoder.finish()]));
    let (sender, receiver) = std::sync::mpsc::channel();
    buffer.slice(..).map_async(wgpu::MapMode::Read, move |result| {
        // The receiver waits below.
        sender.send(result).ok();
    });
    device
        .poll(wgpu::PollType::wait_indefinitely())
        .map_err(|error| format!("the graphics adapter did not finish: {error}"))?;
    receiver
        .recv()
        .map_err(|error| error.to_string())
        .and_then(|result| result.map_err(|error| error.to_string()))
        .map_err(|error| format!("the picture could not be read back: {error}"))?;
    let bytes =
        buffer.slice(..).get_mapped_range().map_err(|error| format!("the picture could not be read back: {error}"))?;
    let swap = matches!(state.target_format, wgpu::TextureFormat::Bgra8Unorm | wgpu::TextureFormat::Bgra8UnormSrgb);
    Ok(RgbaImage::from_fn(width, height, |x, y| {
        let at = (y * row + 4 * x) as usize;
        let [a, b, c, _] = [bytes[at], bytes[at + 1], bytes[at + 2], 255];
        image::Rgba(if swap { [c, b, a, 255] } else { [a, b, c, 255] })
    }))
}
