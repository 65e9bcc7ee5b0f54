//! One picture of a surface: its textures, and the buffers with what it shows.

use wgpu::util::DeviceExt as _;

use super::camera::HALF_HEIGHT;
use super::height_field::HeightField;
use super::pipelines::{DEPTH_FORMAT, PICTURE_FORMAT, SAMPLES};
use super::scene::{Line, Marker, SurfaceScene, TRAIL_LIMIT};
use super::trail::Segment;
use crate::scale::colormap::COLORS;

/// Floats of an instance of a trail or a line, and of a marker.
pub(super) const SEGMENT_FLOATS: usize = 12;
pub(super) const MARKER_FLOATS: usize = 13;

/// One picture: its textures, and the buffers with what it shows.
#[derive(Debug)]
pub struct Picture {
    size: [u32; 2],
    color: wgpu::Texture,
    pub(super) color_view: wgpu::TextureView,
    pub(super) samples_view: wgpu::TextureView,
    pub(super) depth_view: wgpu::TextureView,
    uniforms: wgpu::Buffer,
    styles: wgpu::Buffer,
    pub(super) bind_group: wgpu::BindGroup,
    pub(super) mesh: Option<(wgpu::Buffer, wgpu::Buffer, u32)>,
    pub(super) trails: GrowingBuffer,
    /// Instances of each trail.
    pub(super) ranges: Vec<std::ops::Range<u32>>,
    pub(super) lines: GrowingBuffer,
    /// Lines that do not lie on the surface; they come first in the buffer.
    pub(super) lines_under: u32,
    pub(super) markers: GrowingBuffer,
    /// What the picture shows now, and at how many pixels per point.
    pub(super) shown: Option<(SurfaceScene, f32)>,
}

impl Picture {
    /// An empty picture of this size in pixels (at least 1, at most what the device allows).
    pub(super) fn new(device: &wgpu::Device, layout: &wgpu::BindGroupLayout, size: [u32; 2]) -> Self {
        let size = allowed_size(device, size);
        let uniforms = uniform_buffer(device, (UNIFORM_FLOATS * 4) as u64);
        let styles = uniform_buffer(device, (TRAIL_LIMIT * 8 * 4) as u64);
        let bind_group = device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("surface"),
            layout,
            entries: &[
                wgpu::BindGroupEntry { binding: 0, resource: uniforms.as_entire_binding() },
                wgpu::BindGroupEntry { binding: 1, resource: styles.as_entire_binding() },
            ],
        });
        let color = texture(device, size, PICTURE_FORMAT, 1);
        Self {
            size,
            color_view: color.create_view(&wgpu::TextureViewDescriptor::default()),
            color,
            samples_view: texture(device, size, PICTURE_FORMAT, SAMPLES).create_view(&Default::default()),
            depth_view: texture(device, size, DEPTH_FORMAT, SAMPLES).create_view(&Default::default()),
            uniforms,
            styles,
            bind_group,
            mesh: None,
            trails: GrowingBuffer::default(),
            ranges: Vec::new(),
            lines: GrowingBuffer::default(),
            lines_under: 0,
            markers: GrowingBuffer::default(),
            shown: None,
        }
    }

    /// Width and height in pixels.
    pub fn size(&self) -> [u32; 2] {
        self.size
    }

    /// The finished picture, format [`PICTURE_FORMAT`].
    pub fn texture(&self) -> &wgpu::Texture {
        &self.color
    }

    pub fn view(&self) -> &wgpu::TextureView {
        &self.color_view
    }

    /// Whether the picture has another size than asked for.
    pub fn must_resize(&self, device: &wgpu::Device, size: [u32; 2]) -> bool {
        self.size != allowed_size(device, size)
    }

    /// Takes over the textures of another picture, keeps what is uploaded.
    pub fn resize(&mut self, fresh: Picture) {
        let Picture { size, color, color_view, samples_view, depth_view, .. } = fresh;
        (self.size, self.color, self.color_view) = (size, color, color_view);
        (self.samples_view, self.depth_view) = (samples_view, depth_view);
        if let Some((_, scale)) = &mut self.shown {
            // No scene is drawn at this scale: the next one is drawn anew, with what is uploaded already.
            *scale = f32::NAN;
        }
    }

    pub(super) fn upload(
        &mut self,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        scene: &SurfaceScene,
        pixels_per_point: f32,
    ) {
        let shown = self.shown.as_ref().map(|(shown, _)| shown);
        if shown.is_none_or(|shown| !std::sync::Arc::ptr_eq(&shown.field, &scene.field)) {
            self.mesh = Some(mesh_buffers(device, &scene.field));
        }
        if shown.is_none_or(|shown| !shown.same_trails(scene)) {
            let mut floats = Vec::new();
            self.ranges.clear();
            for (style, trail) in scene.trails.iter().take(TRAIL_LIMIT).enumerate() {
                let first = (floats.len() / SEGMENT_FLOATS) as u32;
                floats.extend(trail.segments.iter().flat_map(|segment| segment_floats(segment, style)));
                self.ranges.push(first..(floats.len() / SEGMENT_FLOATS) as u32);
            }
            self.trails.write(device, queue, &floats);
        }
        if shown.is_none_or(|shown| shown.lines != scene.lines) {
            // Lines on the surface come last, and are drawn over the trails.
            let (over, under): (Vec<_>, Vec<_>) = scene.lines.iter().partition(|line| line.on_surface);
            self.lines_under = under.len() as u32;
            let floats: Vec<f32> = under.into_iter().chain(over).flat_map(line_floats).collect();
            self.lines.write(device, queue, &floats);
        }
        if shown.is_none_or(|shown| shown.markers != scene.markers) {
            self.markers.write(device, queue, &scene.markers.iter().flat_map(marker_floats).collect::<Vec<_>>());
        }
        queue.write_buffer(&self.uniforms, 0, &bytes(&uniform_floats(scene, self.size, pixels_per_point)));
        let mut styles = vec![0.0; TRAIL_LIMIT * 8];
        for (trail, out) in scene.trails.iter().zip(styles.chunks_exact_mut(8)) {
            out[..3].copy_from_slice(&trail.style.color);
            out[3] = trail.style.width * pixels_per_point;
            out[4..].copy_from_slice(&trail.style.dash.map(|length| length * pixels_per_point));
        }
        queue.write_buffer(&self.styles, 0, &bytes(&styles));
    }
}

/// A vertex buffer that is rewritten whole and grows when it must.
#[derive(Debug, Default)]
pub(super) struct GrowingBuffer {
    pub(super) buffer: Option<wgpu::Buffer>,
}

impl GrowingBuffer {
    fn write(&mut self, device: &wgpu::Device, queue: &wgpu::Queue, floats: &[f32]) {
        let size = 4 * floats.len() as u64;
        if size == 0 {
            return;
        }
        if self.buffer.as_ref().is_none_or(|buffer| buffer.size() < size) {
            self.buffer = Some(device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("surface instances"),
                size: size.next_power_of_two(),
                usage: wgpu::BufferUsages::VERTEX | wgpu::BufferUsages::COPY_DST,
                mapped_at_creation: false,
            }));
        }
        if let Some(buffer) = &self.buffer {
            queue.write_buffer(buffer, 0, &bytes(floats));
        }
    }
}

/// Floats of the shader's `View`.
const UNIFORM_FLOATS: usize = 16 + 6 * 4 + 4 * COLORS;

fn uniform_floats(scene: &SurfaceScene, size: [u32; 2], pixels_per_point: f32) -> Vec<f32> {
    let view = scene.view.with_size(size.map(|side| side as f32));
    let look = &scene.look;
    let light = look.light(&view);
    let mut floats = Vec::with_capacity(UNIFORM_FLOATS);
    floats.extend(view.clip_from_box().as_flattened());
    floats.extend(view.eye);
    floats.push(pixels_per_point);
    floats.extend([view.size[0], view.size[1], scene.cursor, view.pixels_per_unit()]);
    floats.extend(light);
    floats.push(look.ambient);
    floats.extend(look.contour);
    floats.push(look.contour_opacity);
    floats.extend(look.casing);
    floats.push(look.contours);
    floats.extend([look.ahead_opacity, look.hidden_opacity, HALF_HEIGHT, 0.0]);
    floats.extend(look.colors.iter().flat_map(|[r, g, b]| [*r, *g, *b, 1.0]));
    floats
}

fn mesh_buffers(device: &wgpu::Device, field: &HeightField) -> (wgpu::Buffer, wgpu::Buffer, u32) {
    let side = field.side();
    let mut floats = Vec::with_capacity(6 * side * side);
    for (i, j) in (0..side).flat_map(|j| (0..side).map(move |i| (i, j))) {
        let (at, normal) = field.vertex(i, j);
        floats.extend(at);
        floats.extend(normal);
    }
    let triangles = field.triangles();
    let init = |label, contents: &[u8], usage| {
        device.create_buffer_init(&wgpu::util::BufferInitDescriptor { label: Some(label), contents, usage })
    };
    let indices: Vec<u8> = triangles.iter().flat_map(|index| index.to_ne_bytes()).collect();
    (
        init("surface vertices", &bytes(&floats), wgpu::BufferUsages::VERTEX),
        init("surface triangles", &indices, wgpu::BufferUsages::INDEX),
        triangles.len() as u32,
    )
}

fn segment_floats(segment: &Segment, style: usize) -> [f32; SEGMENT_FLOATS] {
    let Segment { from, to, steps, arc } = *segment;
    [from[0], from[1], from[2], steps[0], to[0], to[1], to[2], steps[1], arc[0], arc[1], style as f32, 0.0]
}

fn line_floats(line: &Line) -> [f32; SEGMENT_FLOATS] {
    let Line { from, to, color, width, on_surface } = *line;
    let lift = f32::from(u8::from(on_surface));
    [from[0], from[1], from[2], width, to[0], to[1], to[2], lift, color[0], color[1], color[2], color[3]]
}

fn marker_floats(marker: &Marker) -> [f32; MARKER_FLOATS] {
    let Marker { at, fill, ring, radius, ring_width } = *marker;
    [at[0], at[1], at[2], radius, fill[0], fill[1], fill[2], fill[3], ring[0], ring[1], ring[2], ring[3], ring_width]
}

fn bytes(floats: &[f32]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(4 * floats.len());
    for value in floats {
        bytes.extend_from_slice(&value.to_ne_bytes());
    }
    bytes
}

fn allowed_size(device: &wgpu::Device, size: [u32; 2]) -> [u32; 2] {
    size.map(|side| side.clamp(1, device.limits().max_texture_dimension_2d))
}

fn uniform_buffer(device: &wgpu::Device, size: u64) -> wgpu::Buffer {
    device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("surface uniforms"),
        size,
        usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    })
}

fn texture(device: &wgpu::Device, size: [u32; 2], format: wgpu::TextureFormat, samples: u32) -> wgpu::Texture {
    let mut usage = wgpu::TextureUsages::RENDER_ATTACHMENT;
    if samples == 1 {
        usage |= wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_SRC;
    }
    device.create_texture(&wgpu::TextureDescriptor {
        label: Some("surface picture"),
        size: wgpu::Extent3d { width: size[0], height: size[1], depth_or_array_layers: 1 },
        mip_level_count: 1,
        sample_count: samples,
        dimension: wgpu::TextureDimension::D2,
        format,
        usage,
        view_formats: &[],
    })
}
