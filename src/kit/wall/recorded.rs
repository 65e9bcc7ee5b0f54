//! Pictures that a run has recorded, at the step of the timeline.

use std::sync::Arc;

use super::pictures::{Content, Key, Picture};
use crate::engine::event::Payload;
use crate::kit::view::ViewCtx;

/// A recorded picture at the cursor. While another one is being read, the last one stays.
#[derive(Debug, Default)]
pub struct Recorded {
    shown: Option<Shown>,
}

#[derive(Debug)]
struct Shown {
    key: Key,
    size: [usize; 2],
    payload: Arc<Payload>,
}

impl Recorded {
    /// Takes over the picture that is recorded under `name`. Anything else, and one that is not whole, is left out.
    pub fn follow(&mut self, ctx: &ViewCtx<'_>, name: &str) {
        let Some((step, payload)) = ctx.payload(name) else { return };
        let key = Key::new((ctx.run.id, name), step);
        if self.shown.as_ref().is_some_and(|shown| shown.key == key) {
            return;
        }
        let Payload::Image { width, height, rgba } = &*payload else { return };
        let size = [*width as usize, *height as usize];
        if !rgba.is_empty() && size[0].checked_mul(size[1]).and_then(|n| n.checked_mul(4)) == Some(rgba.len()) {
            self.shown = Some(Shown { key, size, payload });
        }
    }

    /// Width and height in pixels.
    pub fn size(&self) -> Option<[usize; 2]> {
        self.shown.as_ref().map(|shown| shown.size)
    }

    /// The picture to draw.
    pub fn picture(&self) -> Option<Picture<'_>> {
        let shown = self.shown.as_ref()?;
        let Payload::Image { rgba, .. } = &*shown.payload else { return None };
        Some(Picture { key: shown.key, size: shown.size, content: Content::Rgba(rgba) })
    }

    /// Red, green and blue of the pixel at a column and a row.
    pub fn rgb(&self, [x, y]: [usize; 2]) -> Option<[u8; 3]> {
        let shown = self.shown.as_ref()?;
        let Payload::Image { rgba, .. } = &*shown.payload else { return None };
        let start = 4 * (y * shown.size[0] + x);
        rgba.get(start..start + 3).map(|p| [p[0], p[1], p[2]])
    }
}
