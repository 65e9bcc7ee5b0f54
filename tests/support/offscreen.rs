//! A surface as an image, without a window.

use std::future::Future;
use std::task::{Context, Poll, Waker};

use image::RgbaImage;

use learnscope::gpu::renderer::Renderer;
use learnscope::gpu::scene::SurfaceScene;

/// Why no image came back.
#[derive(Debug, thiserror::Error)]
pub enum OffscreenError {
    #[error("the graphics device did not finish the picture: {0}; try again, or restart the program if it persists")]
    Device(String),
    #[error("the picture is {0} x {1} pixels; each side must be between 1 and {2}")]
    Size(u32, u32, u32),
}

/// Draws a scene at `size` pixels, `pixels_per_point` scaling line widths and points. Waits for the GPU. The axes' numbers are text and not in the image.
pub fn offscreen(
    device: &wgpu::Device,
    queue: &wgpu::Queue,
    scene: &SurfaceScene,
    size: [u32; 2],
    pixels_per_point: f32,
) -> Result<RgbaImage, OffscreenError> {
    let [width, height] = size;
    let limit = device.limits().max_texture_dimension_2d;
    if size.iter().any(|side| !(1..=limit).contains(side)) {
        return Err(OffscreenError::Size(width, height, limit));
    }
    let renderer = Renderer::new(device);
    let mut picture = renderer.picture(device, size);
    let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("surface image") });
    renderer.render(device, queue, &mut encoder, &mut picture, scene, pixels_per_point);

    // Rows of a copy must begin at multiples of 256 bytes.
    let row = (4 * width).next_multiple_of(wgpu::COPY_BYTES_PER_ROW_ALIGNMENT);
    let buffer = device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("surface image"),
        size: u64::from(row) * u64::from(height),
        usage: wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ,
        mapped_at_creation: false,
    });
    encoder.copy_texture_to_buffer(
        picture.texture().as_image_copy(),
        wgpu::TexelCopyBufferInfo {
            buffer: &buffer,
            layout: wgpu::TexelCopyBufferLayout { offset: 0, bytes_per_row: Some(row), rows_per_image: None },
        },
        picture.texture().size(),
    );
    queue.submit([encoder.finish()]);

    let failed = |error: &dyn std::fmt::Display| OffscreenError::Device(error.to_string());
    let (sender, receiver) = std::sync::mpsc::channel();
    buffer.map_async(wgpu::MapMode::Read, .., move |result| {
        // The receiver is gone only if this function has returned with an error already.
        sender.send(result).ok();
    });
    device.poll(wgpu::PollType::wait_indefinitely()).map_err(|error| failed(&error))?;
    receiver.recv().map_err(|error| failed(&error))?.map_err(|error| failed(&error))?;
    let mapped = buffer.get_mapped_range(..).map_err(|error| failed(&error))?;
    let pixels: Vec<u8> =
        mapped.chunks_exact(row as usize).flat_map(|line| &line[..4 * width as usize]).copied().collect();
    RgbaImage::from_raw(width, height, pixels).ok_or_else(|| failed(&"too few pixels"))
}

/// A device of any adapter, software ones included, for pictures without a window. `None` where there is no adapter.
pub fn any_device() -> Option<(wgpu::Device, wgpu::Queue)> {
    let instance = wgpu::Instance::default();
    let adapter = block_on(instance.request_adapter(&wgpu::RequestAdapterOptions::default())).ok()?;
    block_on(adapter.request_device(&wgpu::DeviceDescriptor::default())).ok()
}

/// Waits for a future. wgpu's are ready at once on native systems, so there is no executor.
fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
        std::thread::yield_now();
    }
}
