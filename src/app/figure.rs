//! A tile as a figure, without a window: the very code that draws the window, on an off-screen [`Canvas`].

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use eframe::egui::Ui;
use eframe::egui_wgpu::RenderState;
use image::RgbaImage;

use super::canvas::Canvas;
use crate::engine::catalogue::Listing;
use crate::engine::event::Payload;
use crate::engine::params::Params;
use crate::engine::state::RunState;
use crate::kit::fields;
use crate::kit::pinned::Pinned;
use crate::kit::view::{Cursor, Lab, LabView, PastPayloads, ViewCtx};
use crate::plot::medium::Medium;
use crate::plot::style::Style;

/// What to draw.
pub struct Figure<'a> {
    pub lab: &'a Lab,
    pub run: &'a RunState,
    /// Recorded bulky values of the run.
    pub past: &'a dyn PastPayloads,
    /// What the view keeps for itself, as in a scene.
    pub view: &'a BTreeMap<String, String>,
    /// Tile id.
    pub tile: &'a str,
    /// Width and height in pixels.
    pub size: (u32, u32),
    pub style: &'a Style,
}

/// Pixels of a figure unless asked otherwise.
pub const SIZE: (u32, u32) = (1600, 1000);
/// A tile that is drawn at one moment after another.
pub struct Opened<'a> {
    figure: Figure<'a>,
    view: Box<dyn LabView>,
    title: &'static str,
    canvas: Canvas,
}

impl<'a> Opened<'a> {
    /// Gets ready to draw a figure. The error says what is missing and what to do.
    pub fn new(figure: Figure<'a>, medium: Medium) -> Result<Self, String> {
        let mut view = (figure.lab.view)();
        fields::put(view.as_mut(), figure.view);
        Self::of_view(figure, view, medium)
    }

    /// The same of a view that shows something of its own.
    pub fn of_view(figure: Figure<'a>, view: Box<dyn LabView>, medium: Medium) -> Result<Self, String> {
        let tiles = view.tiles();
        let tile = tiles.iter().find(|tile| tile.id == figure.tile);
        let title =
            tile.map(|tile| tile.title).ok_or_else(|| format!("the lab has no view called `{}`", figure.tile))?;
        let canvas = Canvas::new(figure.size, figure.style, medium)?;
        Ok(Self { figure, view, title, canvas })
    }

    /// The tile as pixels; `caption` stands beside its title.
    pub fn pixels(&mut self, cursor: Cursor, caption: &str) -> Result<RgbaImage, String> {
        let Self { figure, view, title, canvas } = self;
        canvas.pixels(title, caption, |ui, state| draw(figure, view.as_mut(), cursor, ui, state))
    }

    /// The tile as the text of an SVG file.
    pub fn svg(&mut self, cursor: Cursor) -> Result<String, String> {
        let Self { figure, view, title, canvas } = self;
        canvas.svg(title, |ui, state| draw(figure, view.as_mut(), cursor, ui, state))
    }
}

fn draw(figure: &Figure<'_>, view: &mut dyn LabView, cursor: Cursor, ui: &mut Ui, state: Option<&RenderState>) {
    let params = params_at(figure.run, figure.lab, cursor.step);
    let mut actions = Vec::new();
    let mut view_ctx = ViewCtx {
        run: figure.run,
        params: &params,
        cursor,
        style: figure.style,
        wgpu: state,
        past: figure.past,
        presenting: false,
        actions: &mut actions,
    };
    // A scene may say more than the update has.
    view_ctx.cursor.sub = if cursor.sub == 0 { 0 } else { cursor.sub.min(view.sub_steps(&view_ctx)) };
    view.tile(figure.tile, ui, &mut view_ctx);
}

/// The values at a step: those of the form, which is where a run that is computed at once has its changes from.
fn params_at(run: &RunState, lab: &Lab, step: u64) -> Params {
    let Some(header) = run.header.as_ref().filter(|header| !header.changes.is_empty()) else {
        return run.params.clone();
    };
    let mut params = header.params.clone();
    for change in header.changes.iter().filter(|change| change.step <= step) {
        // A twin's values are not the run's.
        let _ = params.set(lab.spec.params, &change.key, change.value.clone());
    }
    params
}

/// Reads a recorded value: offset in its events file, length in bytes.
pub type Read<'a> = Box<dyn Fn(u64, u32) -> Option<Arc<Payload>> + 'a>;

/// The recorded bulky values of a run, read where they are asked for: nobody waits for a frame here.
pub struct Recorded<'a> {
    pub read: Read<'a>,
    pub run: &'a RunState,
    /// The recorded runs of every lab, as far as they are known.
    pub runs: Arc<Listing>,
    /// Those that are drawn behind it.
    pub pinned: Arc<Pinned>,
    /// What was given last for a key, and of which step that is.
    shown: RefCell<BTreeMap<String, (u64, Arc<Payload>)>>,
}

impl<'a> Recorded<'a> {
    pub fn new(run: &'a RunState, runs: Arc<Listing>, read: Read<'a>) -> Self {
        Self { read, run, runs, pinned: Arc::default(), shown: RefCell::default() }
    }

    /// Which moment was shown, in words; what is recorded once is of no moment.
    pub fn moment(&self, step: u64) -> String {
        let shown = self.shown.borrow();
        let once = |key: &str| self.run.payloads.get(key).is_some_and(|track| track.recorded.len() == 1);
        let older: BTreeSet<u64> =
            shown.iter().filter(|(key, (at, _))| *at < step && !once(key)).map(|(_, (at, _))| *at).collect();
        let list: Vec<String> = older.iter().map(u64::to_string).collect();
        match list.as_slice() {
            [] => format!("step {step}"),
            [at] => format!("step {step}; what is recorded less often is of step {at}"),
            several => format!("step {step}; what is recorded less often is of steps {}", several.join(", ")),
        }
    }
}

impl PastPayloads for Recorded<'_> {
    fn payload(&self, key: &str, step: u64) -> Option<(u64, Arc<Payload>)> {
        let (at, offset, bytes) = self.run.payloads.get(key)?.recorded_at(step)?;
        if let Some(last) = self.shown.borrow().get(key).filter(|(shown, _)| *shown == at) {
            return Some(last.clone());
        }
        let payload = (self.read)(offset, bytes)?;
        self.shown.borrow_mut().insert(key.to_owned(), (at, payload.clone()));
        Some((at, payload))
    }

    fn runs(&self) -> Arc<Listing> {
        self.runs.clone()
    }

    fn pinned(&self) -> Arc<Pinned> {
        self.pinned.clone()
    }
}
