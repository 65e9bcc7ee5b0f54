//! Frames without a window, as pixels or as SVG: one context and one graphics adapter for as many as are wanted. All figures
//! that leave the program are painted here.

use std::time::{Duration, Instant};

use eframe::egui::epaint::ClippedShape;
use eframe::egui::{self, Align, Layout, RichText, TextureId, Ui, ViewportId};
use eframe::egui_wgpu::{
    RenderState, RendererOptions, ScreenDescriptor, WgpuConfiguration, WgpuSetup, WgpuSetupCreateNew,
};
use image::RgbaImage;

use super::svg::{self, Page};
use super::svg_pixels::Textures;
use super::theme;
use crate::plot::medium::{self, Medium};
use crate::plot::style::Style;

/// A figure of this size in points has comfortable type; larger pictures are scaled up from it.
const COMFORTABLE: egui::Vec2 = egui::vec2(800.0, 500.0);
/// Longest time that a view may take to settle while it asks for frames, and while a thread works for it.
const SETTLE: [Duration; 2] = [Duration::from_secs(10), Duration::from_secs(120)];
/// What a view is given once it has taken longer: it shows how far it is.
const IMPATIENT: Duration = Duration::from_secs(1);

/// A context without a window, with its renderer.
pub struct Canvas {
    ctx: egui::Context,
    /// `None`: there is no graphics adapter, which SVG can do without.
    adapter: Option<RenderState>,
    style: Style,
    size: (u32, u32),
    /// Pixels a point.
    scale: f32,
    medium: Medium,
    passes: u64,
    patience: [Duration; 2],
    /// Kept for SVG alone.
    textures: Textures,
    /// Textures that the last frame was the last one to show.
    freed: Vec<TextureId>,
}

impl Canvas {
    /// A canvas of so many pixels.
    pub fn new(size: (u32, u32), style: &Style, medium: Medium) -> Result<Self, String> {
        let (width, height) = size;
        let adapter = match (render_state(), medium) {
            (Ok(state), _) => Some(state),
            (Err(_), Medium::Vectors) => None,
            (Err(problem), _) => return Err(problem),
        };
        let ctx = egui::Context::default();
        theme::install_fonts(&ctx);
        theme::apply(&ctx, style, 1.0);
        medium::set(&ctx, medium);
        Ok(Self {
            ctx,
            adapter,
            style: style.clone(),
            size,
            scale: (width as f32 / COMFORTABLE.x).min(height as f32 / COMFORTABLE.y).clamp(0.5, 4.0),
            medium,
            passes: 0,
            patience: SETTLE,
            textures: Textures::default(),
            freed: Vec::new(),
        })
    }

    /// A picture with a title and, beside it, a caption; `draw` fills what is below them.
    pub fn pixels(
        &mut self,
        title: &str,
        caption: &str,
        draw: impl FnMut(&mut Ui, Option<&RenderState>),
    ) -> Result<RgbaImage, String> {
        let output = self.settled(title, caption, draw);
        let Some(state) = &self.adapter else { return Err(NO_ADAPTER.to_owned()) };
        let mut picture = paint(state, &self.ctx, output.shapes, self.size, self.scale)?;
        // A figure is opaque.
        picture.pixels_mut().for_each(|pixel| pixel.0[3] = 255);
        Ok(picture)
    }

    /// The same as the text of an SVG file.
    pub fn svg(&mut self, title: &str, draw: impl FnMut(&mut Ui, Option<&RenderState>)) -> Result<String, String> {
        let output = self.settled(title, "", draw);
        let (ctx, adapter, size, scale) = (&self.ctx, &self.adapter, self.size, self.scale);
        let page = Page { title, points: self.screen().size(), pixels: size, textures: &self.textures };
        let mut raster = |shape: &ClippedShape| {
            let Some(state) = adapter else { return Err(NO_ADAPTER.to_owned()) };
            let picture = paint(state, ctx, vec![shape.clone()], size, scale)?;
            let place = shape.shape.visual_bounding_rect().intersect(shape.clip_rect);
            Ok(cut_out(&picture, place, scale))
        };
        svg::svg(&page, &output.shapes, &mut raster)
    }

    fn screen(&self) -> egui::Rect {
        let (width, height) = self.size;
        egui::Rect::from_min_size(egui::Pos2::ZERO, egui::vec2(width as f32, height as f32) / self.scale)
    }

    /// The frame that is there when nothing moves any more and no thread works for it.
    fn settled(
        &mut self,
        title: &str,
        caption: &str,
        mut draw: impl FnMut(&mut Ui, Option<&RenderState>),
    ) -> egui::FullOutput {
        let (start, first) = (Instant::now(), self.passes);
        loop {
            let was_busy = medium::is_busy(&self.ctx);
            let output = self.pass(title, caption, &mut draw);
            // The first frames lay out.
            let laid_out = self.passes >= 4 && self.passes >= first + 2;
            let repaint = output.viewport_output.get(&ViewportId::ROOT).map(|viewport| viewport.repaint_delay);
            // Who ended while this frame was drawn has brought what only the next one shows, and has asked for it by now.
            let busy = was_busy || medium::is_busy(&self.ctx);
            let asked = self.ctx.has_requested_repaint();
            let waits = busy || asked || repaint.is_some_and(|delay| delay < Duration::from_secs(1));
            let patience = self.patience[usize::from(busy)];
            if laid_out && (!waits || start.elapsed() > patience) {
                if waits {
                    self.patience = [IMPATIENT; 2];
                }
                return output;
            }
            if waits {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
    }

    fn pass(
        &mut self,
        title: &str,
        caption: &str,
        draw: &mut impl FnMut(&mut Ui, Option<&RenderState>),
    ) -> egui::FullOutput {
        self.passes += 1;
        // Not the clock: the same figure goes through the same moments.
        let mut input = egui::RawInput {
            screen_rect: Some(self.screen()),
            time: Some(self.passes as f64 / 60.0),
            ..Default::default()
        };
        input.viewports.entry(ViewportId::ROOT).or_default().native_pixels_per_point = Some(self.scale);
        let (style, adapter) = (&self.style, self.adapter.as_ref());
        let mut output = self.ctx.run_ui(input, |ui| {
            let frame = egui::Frame::new().fill(theme::panel_fill(style)).inner_margin(12.0);
            egui::CentralPanel::default().frame(frame).show(ui, |ui| {
                ui.horizontal(|ui| {
                    ui.label(theme::strong(title));
                    if !caption.is_empty() {
                        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                            ui.label(RichText::new(caption).monospace().color(style.text_weak));
                        });
                    }
                });
                draw(ui, adapter);
            });
        });
        let mut renderer = self.adapter.as_ref().map(|state| (state, state.renderer.write()));
        for id in self.freed.drain(..) {
            self.textures.free(id);
            renderer.iter_mut().for_each(|(_, renderer)| renderer.free_texture(&id));
        }
        let mut textures = std::mem::take(&mut output.textures_delta);
        for (id, deltas) in textures.set.drain() {
            for delta in deltas {
                if self.medium == Medium::Vectors {
                    self.textures.set(id, &delta);
                }
                if let Some((state, renderer)) = &mut renderer {
                    renderer.update_texture(&state.device, &state.queue, id, &delta);
                }
            }
        }
        self.freed.extend(textures.free.drain());
        output
    }
}

/// The pixels of a part of a picture, given in points, and where exactly these lie.
fn cut_out(picture: &RgbaImage, place: egui::Rect, scale: f32) -> (egui::Rect, RgbaImage) {
    let (width, height) = picture.dimensions();
    let pixel = |at: f32, most: u32| ((at * scale).round().max(0.0) as u32).min(most);
    let (left, top) = (pixel(place.left(), width), pixel(place.top(), height));
    let (right, bottom) = (pixel(place.right(), width).max(left), pixel(place.bottom(), height).max(top));
    let part = image::imageops::crop_imm(picture, left, top, right - left, bottom - top).to_image();
    let corner = |x: u32, y: u32| egui::pos2(x as f32, y as f32) / scale;
    (egui::Rect::from_min_max(corner(left, top), corner(right, bottom)), part)
}

/// Why there are no pixels.
const NO_ADAPTER: &str = "pictures are drawn by a graphics adapter and none was found; install a Vulkan driver (Debian's \
                          mesa-vulkan-drivers holds a software one), or export .svg, .csv or .json";

fn render_state() -> Result<RenderState, String> {
    let mut create = WgpuSetupCreateNew::without_display_handle();
    create.power_preference = wgpu::PowerPreference::HighPerformance;
    let setup = WgpuSetup::CreateNew(create);
    let instance = pollster::block_on(setup.new_instance());
    let configuration = WgpuConfiguration { wgpu_setup: setup, ..WgpuConfiguration::default() };
    let made = RenderState::create(&configuration, &instance, None, RendererOptions::default());
    pollster::block_on(made).map_err(|error| format!("{NO_ADAPTER} ({error})"))
}

/// Shapes on nothing: what none of them covers is transparent.
fn paint(
    state: &RenderState,
    ctx: &egui::Context,
    shapes: Vec<ClippedShape>,
    (width, height): (u32, u32),
    scale: f32,
) -> Result<RgbaImage, String> {
    let (device, queue, mut renderer) = (&state.device, &state.queue, state.renderer.write());
    let limit = device.limits().max_texture_dimension_2d;
    if width > limit || height > limit {
        return Err(format!("{width}x{height} pixels are more than this adapter draws ({limit} a side)"));
    }
    let screen = ScreenDescriptor { size_in_pixels: [width, height], pixels_per_point: scale };
    let jobs = ctx.tessellate(shapes, scale);
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
                        load: wgpu::LoadOp::Clear(wgpu::Color::TRANSPARENT),
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
        let [a, b, c, alpha] = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
        let [r, g, b] = if swap { [c, b, a] } else { [a, b, c] };
        image::Rgba(egui::Color32::from_rgba_premultiplied(r, g, b, alpha).to_srgba_unmultiplied())
    }))
}
