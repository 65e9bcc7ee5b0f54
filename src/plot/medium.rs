//! Where a frame goes: to the window, or into a figure, in which there is nothing to click and which waits until every
//! thread has brought what belongs into it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use eframe::egui::{Context, Id};

/// What a frame is drawn for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Medium {
    #[default]
    Window,
    /// A figure of pixels.
    Pixels,
    /// A figure of lines and text, which can be enlarged and edited.
    Vectors,
}

/// Kept by the context of a figure; that of a window has none.
#[derive(Debug, Clone, Default)]
struct Figure {
    medium: Medium,
    /// Threads that work for it.
    threads: Arc<AtomicUsize>,
}

fn figure(ctx: &Context) -> Option<Figure> {
    ctx.data(|data| data.get_temp(Id::unique("medium")))
}

/// Says what the frames of this context are drawn for.
pub fn set(ctx: &Context, medium: Medium) {
    ctx.data_mut(|data| data.insert_temp(Id::unique("medium"), Figure { medium, ..Figure::default() }));
}

/// What the frames of this context are drawn for.
pub fn of(ctx: &Context) -> Medium {
    figure(ctx).map_or(Medium::Window, |figure| figure.medium)
}

/// Whether it is a figure: no buttons, fields or boxes to tick are drawn.
pub fn is_figure(ctx: &Context) -> bool {
    of(ctx) != Medium::Window
}

/// Work on a thread for a figure, until this is dropped.
#[derive(Debug)]
pub struct UnderWay(Option<Arc<AtomicUsize>>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        if let Some(threads) = &self.0 {
            threads.fetch_sub(1, Ordering::Release);
        }
    }
}

/// Notes that work begins for this context.
pub fn under_way(ctx: &Context) -> UnderWay {
    let threads = figure(ctx).map(|figure| figure.threads);
    if let Some(threads) = &threads {
        threads.fetch_add(1, Ordering::Relaxed);
    }
    UnderWay(threads)
}

/// Whether a thread still works for this figure.
pub fn is_busy(ctx: &Context) -> bool {
    figure(ctx).is_some_and(|figure| figure.threads.load(Ordering::Acquire) > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_busy_while_work_is_under_way_and_a_window_never() {
        let window = Context::default();
        let _work = under_way(&window);
        assert!(!is_busy(&window) && !is_figure(&window));
        let ctx = Context::default();
        set(&ctx, Medium::Vectors);
        assert_eq!(of(&ctx), Medium::Vectors);
        let (first, second) = (under_way(&ctx), under_way(&ctx));
        drop(first);
        assert!(is_busy(&ctx) && is_figure(&ctx));
        std::thread::spawn(move || drop(second)).join().unwrap();
        assert!(!is_busy(&ctx));
    }
}
