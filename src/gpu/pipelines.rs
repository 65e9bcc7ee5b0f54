//! The pipelines of a surface picture.

use super::picture::{MARKER_FLOATS, SEGMENT_FLOATS};

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
pub(super) const DEPTH_FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::Depth24PlusStencil8;
pub(super) const SAMPLES: u32 = 4;

/// All pipelines and the layout of their uniforms.
#[derive(Debug)]
pub(super) struct Pipelines {
    pub layout: wgpu::BindGroupLayout,
    pub surface: wgpu::RenderPipeline,
    pub lines: wgpu::RenderPipeline,
    pub trail_hidden: wgpu::RenderPipeline,
    pub trail_ahead: wgpu::RenderPipeline,
    pub trail_casing: wgpu::RenderPipeline,
    pub trail_past: wgpu::RenderPipeline,
    pub marker_hidden: wgpu::RenderPipeline,
    pub marker: wgpu::RenderPipeline,
}

impl Pipelines {
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
            Instances::Markers => {
                (MARKER_FLOATS, &wgpu::vertex_attr_array![0 => Float32x4, 1 => Float32x4, 2 => Float32x4, 3 => Float32])
            }
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
