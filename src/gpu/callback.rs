//! The way of a [`SurfaceScene`] into an egui window: drawn off-screen before the window's pass (which has no depth
//! buffer), then copied in its place. Any number of views in one frame, each with its own picture.

use std::collections::HashMap;
use std::sync::Arc;

use eframe::egui;
use eframe::egui_wgpu::{Callback, CallbackResources, CallbackTrait, ScreenDescriptor};
use eframe::epaint::ViewportInPixels;

use super::picture::Picture;
use super::renderer::Renderer;
use super::scene::SurfaceScene;

/// The shader that copies a picture into the window.
pub const COPY_SHADER: &str = include_str!("../../shaders/copy.wgsl");

/// Entry points that [`COPY_SHADER`] must have: the vertex stage, the fragment for a window that takes encoded values, the
/// fragment for one that encodes by itself.
pub const COPY_ENTRY_POINTS: [&str; 3] = ["copy_vertex", "copy_fragment", "copy_linear_fragment"];

/// A picture that no frame has asked for during so many preparations of others is dropped.
const KEPT_UNUSED: u64 = 600;

/// The paint callback of one view for one frame.
#[derive(Debug)]
pub struct SurfaceCallback {
    /// Identity of the view: two views with the same id in one frame would share a picture.
    pub view: u64,
    pub scene: Arc<SurfaceScene>,
    /// Where it is shown, points.
    pub rect: egui::Rect,
    /// The window's format.
    pub target: wgpu::TextureFormat,
}

impl SurfaceCallback {
    pub fn shape(self) -> egui::Shape {
        Callback::new_paint_callback(self.rect, self).into()
    }
}

/// What lives in the window's renderer from frame to frame.
struct Resources {
    renderer: Renderer,
    copy: CopyPipeline,
    views: HashMap<u64, Shown>,
    preparations: u64,
}

struct Shown {
    picture: Picture,
    bind_group: wgpu::BindGroup,
    used: u64,
}

impl CallbackTrait for SurfaceCallback {
    fn prepare(
        &self,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        screen: &ScreenDescriptor,
        encoder: &mut wgpu::CommandEncoder,
        resources: &mut CallbackResources,
    ) -> Vec<wgpu::CommandBuffer> {
        let place = ViewportInPixels::from_points(&self.rect, screen.pixels_per_point, screen.size_in_pixels);
        let size = [place.width_px, place.height_px];
        if size.iter().any(|side| *side <= 0) {
            return Vec::new();
        }
        let size = size.map(|side| side as u32);
        let resources = resources.entry::<Resources>().or_insert_with(|| Resources {
            renderer: Renderer::new(device),
            copy: CopyPipeline::new(device, self.target),
            views: HashMap::new(),
            preparations: 0,
        });
        if resources.copy.target != self.target {
            resources.copy = CopyPipeline::new(device, self.target);
            resources.views.clear();
        }
        resources.preparations += 1;
        let now = resources.preparations;
        resources.views.retain(|_, shown| shown.used + KEPT_UNUSED > now);

        let Resources { renderer, copy, views, .. } = resources;
        let shown = views.entry(self.view).or_insert_with(|| {
            let picture = renderer.picture(device, size);
            Shown { bind_group: copy.bind(device, &picture), picture, used: now }
        });
        shown.used = now;
        if shown.picture.must_resize(device, size) {
            shown.picture.resize(renderer.picture(device, size));
            shown.bind_group = copy.bind(device, &shown.picture);
        }
        renderer.render(device, queue, encoder, &mut shown.picture, &self.scene, screen.pixels_per_point);
        Vec::new()
    }

    fn paint(
        &self,
        _info: egui::PaintCallbackInfo,
        pass: &mut wgpu::RenderPass<'static>,
        resources: &CallbackResources,
    ) {
        let Some(resources) = resources.get::<Resources>() else { return };
        let Some(shown) = resources.views.get(&self.view) else { return };
        pass.set_pipeline(&resources.copy.pipeline);
        pass.set_bind_group(0, &shown.bind_group, &[]);
        pass.draw(0..3, 0..1);
    }
}

struct CopyPipeline {
    target: wgpu::TextureFormat,
    layout: wgpu::BindGroupLayout,
    sampler: wgpu::Sampler,
    pipeline: wgpu::RenderPipeline,
}

impl CopyPipeline {
    fn new(device: &wgpu::Device, target: wgpu::TextureFormat) -> Self {
        let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some("copy"),
            source: wgpu::ShaderSource::Wgsl(COPY_SHADER.into()),
        });
        let entry = |binding, ty| wgpu::BindGroupLayoutEntry {
            binding,
            visibility: wgpu::ShaderStages::FRAGMENT,
            ty,
            count: None,
        };
        let layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
            label: Some("copy"),
            entries: &[
                entry(
                    0,
                    wgpu::BindingType::Texture {
                        sample_type: wgpu::TextureSampleType::Float { filterable: true },
                        view_dimension: wgpu::TextureViewDimension::D2,
                        multisampled: false,
                    },
                ),
                entry(1, wgpu::BindingType::Sampler(wgpu::SamplerBindingType::Filtering)),
            ],
        });
        let pipeline_layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some("copy"),
            bind_group_layouts: &[Some(&layout)],
            immediate_size: 0,
        });
        let [vertex, encoded, linear] = COPY_ENTRY_POINTS;
        let pipeline = device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
            label: Some("copy"),
            layout: Some(&pipeline_layout),
            vertex: wgpu::VertexState {
                module: &module,
                entry_point: Some(vertex),
                compilation_options: Default::default(),
                buffers: &[],
            },
            primitive: wgpu::PrimitiveState::default(),
            depth_stencil: None,
            multisample: wgpu::MultisampleState::default(),
            fragment: Some(wgpu::FragmentState {
                module: &module,
                entry_point: Some(if target.is_srgb() { linear } else { encoded }),
                compilation_options: Default::default(),
                targets: &[Some(target.into())],
            }),
            multiview_mask: None,
            cache: None,
        });
        // Nearest: the picture has exactly the pixels of its place.
        let sampler = device.create_sampler(&wgpu::SamplerDescriptor::default());
        Self { target, layout, sampler, pipeline }
    }

    fn bind(&self, device: &wgpu::Device, picture: &Picture) -> wgpu::BindGroup {
        device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("copy"),
            layout: &self.layout,
            entries: &[
                wgpu::BindGroupEntry { binding: 0, resource: wgpu::BindingResource::TextureView(picture.view()) },
                wgpu::BindGroupEntry { binding: 1, resource: wgpu::BindingResource::Sampler(&self.sampler) },
            ],
        })
    }
}
