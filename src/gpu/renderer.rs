//! Draws a [`SurfaceScene`] with wgpu into a picture of its own (colour, depth and stencil, four samples a pixel), because
//! the window's render pass has no depth. One renderer serves any number of pictures.

use wgpu::util::DeviceExt as _;

use super::camera::HALF_HEIGHT;
use super::colormap::COLORS;
use super::height_field::HeightField;
use super::scene::{Line, Marker, SurfaceScene, TRAIL_LIMIT};
use super::trail::Segment;

/// The shader and its entry points as the pipelines name them.
pub const SURFACE_SHADER: &str = include_str!("../../shaders/surface.wgsl");

/// Entry points that [`SURFACE_SHADER`] must have: vertex and fragment of each pipeline.
pub const SURFACE_ENTRY_POINTS: &[(&str, &str)] = &[
    SURFACE,
    ("line_vertex", "line_fragment"),
    ("casing_vertex", "casing_fragment"),
    ("trail_vertex", "past_fragment"),
    ("trail_vertex", "ahead_fragment"),
    ("trail_vertex", "hidden_fragment"),
    ("marker_vertex", "marker_fragment"),
    ("marker_vertex", "marker_hidden_fragment"),
];
const SURFACE: (&str, &str) = ("surface_vertex", "surface_fragment");

/// Format of the finished picture: sRGB-encoded values in a format that does not convert, as the window's own.
pub const PICTURE_FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::Rgba8Unorm;
const DEPTH_FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::Depth24PlusStencil8;
const SAMPLES: u32 = 4;

/// Floats of an instance of a trail or a line, and of a marker.
const SEGMENT_FLOATS: usize = 12;
const MARKER_FLOATS: usize = 13;

/// Pipelines; made once per device.
#[derive(Debug)]
pub struct Renderer {
    layout: wgpu::BindGroupLayout,
    surface: wgpu::RenderPipeline,
    lines: wgpu::RenderPipeline,
    trail_hidden: wgpu::RenderPipeline,
    trail_ahead: wgpu::RenderPipeline,
    trail_casing: wgpu::RenderPipeline,
    trail_past: wgpu::RenderPipeline,
    marker_hidden: wgpu::RenderPipeline,
    marker: wgpu::RenderPipeline,
}

/// One picture: its textures, and the buffers with what it shows.
#[derive(Debug)]
pub struct Picture {
    size: [u32; 2],
    color: wgpu::Texture,
    color_view: wgpu::TextureView,
    samples_view: wgpu::TextureView,
    depth_view: wgpu::TextureView,
    uniforms: wgpu::Buffer,
    styles: wgpu::Buffer,
    bind_group: wgpu::BindGroup,
    mesh: Option<(wgpu::Buffer, wgpu::Buffer, u32)>,
    trails: GrowingBuffer,
    /// Instances of each trail.
    ranges: Vec<std::ops::Range<u32>>,
    lines: GrowingBuffer,
    markers: GrowingBuffer,
    /// What the picture shows now, and at how many pixels per point.
    shown: Option<(SurfaceScene, f32)>,
}

impl Renderer {
    pub fn new(device: &wgpu::Device) -> Self {
        let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some("surface"),
            source: wgpu::ShaderSource::Wgsl(SURFACE_SHADER.into()),
        });
        let uniform = |binding| wgpu::BindGroupLayoutEntry {
            binding,
            visibility: wgpu::ShaderStages::VERTEX_FRAGMENT,
            ty: wgpu::BindingType::Buffer {
                ty: wgpu::BufferBindingType::Uniform,
                has_dynamic_offset: false,
                min_binding_size: None,
            },
            count: None,
        };
        let layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
            label: Some("surface"),
            entries: &[uniform(0), uniform(1)],
        });
        let make = PipelineMaker {
            device,
            layout: device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
                label: Some("surface"),
                bind_group_layouts: &[Some(&layout)],
                immediate_size: 0,
            }),
            module,
        };
        use wgpu::CompareFunction::{Greater, LessEqual};
        let [_, line, casing, past, ahead, hidden, marker, marker_hidden] = SURFACE_ENTRY_POINTS else {
            unreachable!("the table above has eight rows");
        };
        Self {
            surface: make.surface(),
            lines: make.instanced(*line, Instances::Segments, LessEqual, false),
            trail_hidden: make.instanced(*hidden, Instances::Segments, Greater, true),
            trail_ahead: make.instanced(*ahead, Instances::Segments, LessEqual, true),
            trail_casing: make.instanced(*casing, Instances::Segments, LessEqual, true),
            trail_past: make.instanced(*past, Instances::Segments, LessEqual, true),
            marker_hidden: make.instanced(*marker_hidden, Instances::Markers, Greater, false),
            marker: make.instanced(*marker, Instances::Markers, LessEqual, false),
            layout,
        }
    }

    /// An empty picture of this size in pixels (at least 1, at most what the device allows).
    pub fn picture(&self, device: &wgpu::Device, size: [u32; 2]) -> Picture {
        let size = allowed_size(device, size);
        let uniforms = uniform_buffer(device, (UNIFORM_FLOATS * 4) as u64);
        let styles = uniform_buffer(device, (TRAIL_LIMIT * 8 * 4) as u64);
        let bind_group = device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("surface"),
            layout: &self.layout,
            entries: &[
                wgpu::BindGroupEntry { binding: 0, resource: uniforms.as_entire_binding() },
                wgpu::BindGroupEntry { binding: 1, resource: styles.as_entire_binding() },
            ],
        });
        let color = texture(device, size, PICTURE_FORMAT, 1);
        Picture {
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
            markers: GrowingBuffer::default(),
            shown: None,
        }
    }

    /// Brings a picture up to date: uploads what has changed and records its render pass. Records nothing and returns
    /// `false` when the picture shows this scene already.
    pub fn render(
        &self,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        encoder: &mut wgpu::CommandEncoder,
        picture: &mut Picture,
        scene: &SurfaceScene,
        pixels_per_point: f32,
    ) -> bool {
        if picture.shown.as_ref().is_some_and(|(shown, scale)| shown == scene && *scale == pixels_per_point) {
            return false;
        }
        picture.upload(device, queue, scene, pixels_per_point);
        picture.shown = Some((scene.clone(), pixels_per_point));
        let [r, g, b] = scene.look.background.map(f64::from);
        let mut pass = encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
            label: Some("surface"),
            color_attachments: &[Some(wgpu::RenderPassColorAttachment {
                view: &picture.samples_view,
                depth_slice: None,
                resolve_target: Some(&picture.color_view),
                ops: wgpu::Operations {
                    load: wgpu::LoadOp::Clear(wgpu::Color { r, g, b, a: 1.0 }),
                    store: wgpu::StoreOp::Discard,
                },
            })],
            depth_stencil_attachment: Some(wgpu::RenderPassDepthStencilAttachment {
                view: &picture.depth_view,
                depth_ops: Some(wgpu::Operations { load: wgpu::LoadOp::Clear(1.0), store: wgpu::StoreOp::Discard }),
                stencil_ops: Some(wgpu::Operations { load: wgpu::LoadOp::Clear(0), store: wgpu::StoreOp::Discard }),
            }),
            ..Default::default()
        });
        pass.set_bind_group(0, &picture.bind_group, &[]);
        if let Some((vertices, indices, count)) = &picture.mesh {
            pass.set_pipeline(&self.surface);
            pass.set_vertex_buffer(0, vertices.slice(..));
            pass.set_index_buffer(indices.slice(..), wgpu::IndexFormat::Uint32);
            pass.draw_indexed(0..*count, 0, 0..1);
        }
        let instanced = [
            (&self.lines, &picture.lines, &all(scene.lines.len())[..], false),
            (&self.trail_hidden, &picture.trails, &picture.ranges[..], true),
            (&self.trail_ahead, &picture.trails, &picture.ranges[..], true),
            (&self.trail_casing, &picture.trails, &picture.ranges[..], true),
            (&self.trail_past, &picture.trails, &picture.ranges[..], true),
            (&self.marker_hidden, &picture.markers, &all(scene.markers.len())[..], false),
            (&self.marker, &picture.markers, &all(scene.markers.len())[..], false),
        ];
        let mut stencil = 0;
        for (pipeline, buffer, ranges, own_stencil) in instanced {
            let Some(buffer) = &buffer.buffer else { continue };
            pass.set_pipeline(pipeline);
            pass.set_vertex_buffer(0, buffer.slice(..));
            for range in ranges.iter().filter(|range| !range.is_empty()) {
                if own_stencil {
                    // A pixel is blended once per trail and pass, however often the trail crosses itself there.
                    stencil += 1;
                    pass.set_stencil_reference(stencil);
                }
                pass.draw(0..6, range.clone());
            }
        }
        true
    }
}

impl Picture {
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

    fn upload(&mut self, device: &wgpu::Device, queue: &wgpu::Queue, scene: &SurfaceScene, pixels_per_point: f32) {
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
            self.lines.write(device, queue, &scene.lines.iter().flat_map(line_floats).collect::<Vec<_>>());
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
struct GrowingBuffer {
    buffer: Option<wgpu::Buffer>,
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

enum Instances {
    Segments,
    Markers,
}

struct PipelineMaker<'a> {
    device: &'a wgpu::Device,
    layout: wgpu::PipelineLayout,
    module: wgpu::ShaderModule,
}

impl PipelineMaker<'_> {
    fn surface(&self) -> wgpu::RenderPipeline {
        let buffer = wgpu::VertexBufferLayout {
            array_stride: 24,
            step_mode: wgpu::VertexStepMode::Vertex,
            attributes: &wgpu::vertex_attr_array![0 => Float32x3, 1 => Float32x3],
        };
        self.pipeline(SURFACE, buffer, depth(wgpu::CompareFunction::Less, true, false))
    }

    /// Rectangles, one per instance; `once` blends each pixel once per stencil reference.
    fn instanced(
        &self,
        entries: (&str, &str),
        kind: Instances,
        compare: wgpu::CompareFunction,
        once: bool,
    ) -> wgpu::RenderPipeline {
        let (floats, attributes): (usize, &[wgpu::VertexAttribute]) = match kind {
            Instances::Segments => {
                (SEGMENT_FLOATS, &wgpu::vertex_attr_array![0 => Float32x4, 1 => Float32x4, 2 => Float32x4])
            }
            Instances::Markers => (
                MARKER_FLOATS,
                &wgpu::vertex_attr_array![0 => Float32x4, 1 => Float32x4, 2 => Float32x4, 3 => Float32],
            ),
        };
        let buffer = wgpu::VertexBufferLayout {
            array_stride: 4 * floats as u64,
            step_mode: wgpu::VertexStepMode::Instance,
            attributes,
        };
        self.pipeline(entries, buffer, depth(compare, false, once))
    }

    fn pipeline(
        &self,
        (vertex, fragment): (&str, &str),
        buffer: wgpu::VertexBufferLayout<'_>,
        depth_stencil: wgpu::DepthStencilState,
    ) -> wgpu::RenderPipeline {
        self.device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
            label: Some(fragment),
            layout: Some(&self.layout),
            vertex: wgpu::VertexState {
                module: &self.module,
                entry_point: Some(vertex),
                compilation_options: Default::default(),
                buffers: &[Some(buffer)],
            },
            primitive: wgpu::PrimitiveState::default(),
            depth_stencil: Some(depth_stencil),
            multisample: wgpu::MultisampleState { count: SAMPLES, ..Default::default() },
            fragment: Some(wgpu::FragmentState {
                module: &self.module,
                entry_point: Some(fragment),
                compilation_options: Default::default(),
                targets: &[Some(wgpu::ColorTargetState {
                    format: PICTURE_FORMAT,
                    blend: Some(wgpu::BlendState::PREMULTIPLIED_ALPHA_BLENDING),
                    write_mask: wgpu::ColorWrites::ALL,
                })],
            }),
            multiview_mask: None,
            cache: None,
        })
    }
}

fn depth(compare: wgpu::CompareFunction, write: bool, once: bool) -> wgpu::DepthStencilState {
    let face = if once {
        wgpu::StencilFaceState {
            compare: wgpu::CompareFunction::NotEqual,
            fail_op: wgpu::StencilOperation::Keep,
            depth_fail_op: wgpu::StencilOperation::Keep,
            pass_op: wgpu::StencilOperation::Replace,
        }
    } else {
        wgpu::StencilFaceState::IGNORE
    };
    wgpu::DepthStencilState {
        format: DEPTH_FORMAT,
        depth_write_enabled: Some(write),
        depth_compare: Some(compare),
        stencil: wgpu::StencilState { front: face, back: face, read_mask: 0xff, write_mask: 0xff },
        bias: wgpu::DepthBiasState::default(),
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
    [
        at[0], at[1], at[2], radius, fill[0], fill[1], fill[2], fill[3], ring[0], ring[1], ring[2], ring[3],
        ring_width,
    ]
}

fn all(count: usize) -> [std::ops::Range<u32>; 1] {
    [0..count as u32]
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
