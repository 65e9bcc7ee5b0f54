//! One texture whose content changes. A same-sized picture is written into the existing texture; replacing it whole
//! would make the renderer create a new one every time.

use std::fmt;

use eframe::egui::{ColorImage, Context, TextureHandle, TextureId, TextureOptions};

/// A texture that lives in view state. Upload from `ui` code only, at most once a frame.
#[derive(Default, Clone)]
pub struct LiveTexture {
    handle: Option<TextureHandle>,
}

impl LiveTexture {
    /// Shows `image` from now on.
    pub fn set(&mut self, ctx: &Context, name: &str, image: ColorImage, options: TextureOptions) {
        match &mut self.handle {
            // The sizes are compared here because a write past the end is only caught in debug builds of egui.
            Some(handle) if handle.size() == image.size => handle.set_partial([0, 0], image, options),
            Some(handle) => handle.set(image, options),
            None => self.handle = Some(ctx.load_texture(name, image, options)),
        }
    }

    /// The texture to draw, once there is one.
    pub fn id(&self) -> Option<TextureId> {
        self.handle.as_ref().map(TextureHandle::id)
    }

    /// Pixels `[width, height]`, once there is a texture.
    pub fn size(&self) -> Option<[usize; 2]> {
        self.handle.as_ref().map(TextureHandle::size)
    }
}

impl fmt::Debug for LiveTexture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiveTexture").field("size", &self.size()).finish()
    }
}
