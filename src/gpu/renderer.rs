//! Draws a [`SurfaceScene`] with wgpu into a picture of its own (colour, depth and stencil, four samples a pixel), because
//! the window's render pass has no depth. One renderer serves any number of pictures.

use std::slice::from_ref;

use super::picture::Picture;
use super::pipelines::Pipelines;
use super::scene::SurfaceScene;

/// Made once per device.
#[derive(Debug)]
pub struct Renderer {
    pipelines: Pipelines,
}

impl Renderer {
    pub fn new(device: &wgpu::Device) -> Self {
        Self { pipelines: Pipelines::new(device) }
    }

    /// An empty picture of this size in pixels (at least 1, at most what the device allows).
    pub fn picture(&self, device: &wgpu::Device, size: [u32; 2]) -> Picture {
        Picture::new(device, &self.pipelines.layout, size)
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
            pass.set_pipeline(&self.pipelines.surface);
            pass.set_vertex_buffer(0, vertices.slice(..));
            pass.set_index_buffer(indices.slice(..), wgpu::IndexFormat::Uint32);
            pass.draw_indexed(0..*count, 0, 0..1);
        }
        let Picture { ranges, trails, lines, markers, .. } = &*picture;
        let lines_under = 0..picture.lines_under;
        let lines_over = picture.lines_under..scene.lines.len() as u32;
        let every_marker = 0..scene.markers.len() as u32;
        let instanced = [
            (&self.pipelines.lines, lines, from_ref(&lines_under), false),
            (&self.pipelines.trail_hidden, trails, ranges, true),
            (&self.pipelines.trail_ahead, trails, ranges, true),
            (&self.pipelines.trail_casing, trails, ranges, true),
            (&self.pipelines.trail_past, trails, ranges, true),
            (&self.pipelines.lines, lines, from_ref(&lines_over), false),
            (&self.pipelines.marker_hidden, markers, from_ref(&every_marker), false),
            (&self.pipelines.marker, markers, from_ref(&every_marker), false),
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
