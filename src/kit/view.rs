//! What a lab is to the window: its views, what they draw from, and where they put what the user did.

use std::sync::Arc;

use eframe::egui;
use eframe::egui_wgpu::RenderState;

use super::fields::Fields;
use super::lab::LabSpec;
use super::landscape::{Landscape, Wanted};
use super::pinned::Pinned;
use super::tiles::{Arrangement, TileSpec};
use crate::engine::catalogue::Listing;
use crate::engine::event::{Level, Payload};
use crate::engine::params::{Params, Value};
use crate::engine::state::RunState;
use crate::plot::style::{Category, Style};

/// A lab of the window: its facts, and a maker of its views.
#[derive(Debug, Clone, Copy)]
pub struct Lab {
    pub spec: &'static LabSpec,
    /// Fresh view state (what is selected, zoomed, folded). Training state is in [`RunState`].
    pub view: fn() -> Box<dyn LabView>,
}

/// Draws one lab from a [`RunState`]. Holds no channel, so a test can draw it from a hand-written state.
pub trait LabView {
    /// Every tile of the lab, in reading order.
    fn tiles(&self) -> Vec<&'static TileSpec>;
    /// How the tiles lie by default with these parameters; those without a place in it are not shown.
    fn arrangement(&self, params: &Params) -> Arrangement;
    /// The tiles that have a place in it.
    fn shown(&self, params: &Params) -> Vec<&'static TileSpec> {
        let arrangement = self.arrangement(params);
        self.tiles().into_iter().filter(|tile| arrangement.has(tile)).collect()
    }
    /// Draws the content of one tile into the whole of `ui`.
    fn tile(&mut self, tile: &str, ui: &mut egui::Ui, ctx: &mut ViewCtx<'_>);
    /// Draws the guide's live part: the equations with the current numbers in them, the paper's values.
    fn guide(&mut self, ui: &mut egui::Ui, ctx: &mut ViewCtx<'_>);
    /// The colour and dash of what a parameter switches on, drawn beside it in the form.
    fn swatch(&self, _key: &str, _style: &Style) -> Option<Category> {
        None
    }
    /// Shows a loss landscape that was computed elsewhere in its tile, for a picture; `false`: the lab has none.
    fn show_landscape(&mut self, _wanted: Wanted, _found: Landscape) -> bool {
        false
    }
    /// The colour and dash that a recorded number has in every plot of the lab; `None`: it has none of its own.
    fn category(&self, _key: &str, _style: &Style) -> Option<Category> {
        None
    }
    /// Number of named parts into which the update at the cursor can be split; 0: none.
    fn sub_steps(&self, _ctx: &ViewCtx<'_>) -> usize {
        0
    }
    /// Actions of this lab for the command palette: a stable id and a title.
    fn commands(&self) -> Vec<(&'static str, &'static str)>;
    /// Runs one of [`LabView::commands`].
    fn command(&mut self, id: &str, ctx: &mut ViewCtx<'_>, egui: &egui::Context);
    /// Keys of some of these commands, as far as they mean something now. The shell leaves them to a field that is edited.
    fn keys(&self) -> Vec<(&'static str, &'static [egui::KeyboardShortcut])> {
        Vec::new()
    }
    /// Names what of the view's own state belongs to a scene and can be taken back (a selection, a switch, a camera).
    fn fields(&mut self, _fields: &mut Fields) {}
    /// What the user made here that is not saved yet, in words, e.g. `the corrected mask of a.png`: the window asks before
    /// it closes.
    fn unsaved(&self) -> Option<String> {
        None
    }
    /// Begins to save that; [`LabView::unsaved`] is `None` again once it is on disk. What goes wrong is told by the view.
    fn save_unsaved(&mut self) {}
    /// Whether the view wants this key for itself now, for example while the mouse is over a canvas; the shell's own
    /// shortcut then rests.
    fn takes_key(&self, _modifiers: egui::Modifiers, _key: egui::Key) -> bool {
        false
    }
}

/// The shared place in time: every view shows the run at this step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cursor {
    pub step: u64,
    /// How many of the parts of the update from `step` to `step + 1` are shown (0: none).
    pub sub: usize,
}

/// What a view draws from, and where it puts what the user did.
pub struct ViewCtx<'a> {
    pub run: &'a RunState,
    /// The form's values; ahead of the run's while a restart is pending.
    pub params: &'a Params,
    pub cursor: Cursor,
    pub style: &'a Style,
    /// The window's wgpu, where it has one.
    pub wgpu: Option<&'a RenderState>,
    /// Recorded bulky values by key, for a cursor in the past.
    pub past: &'a dyn PastPayloads,
    /// The tile fills the screen of a talk: larger type, fewer controls.
    pub presenting: bool,
    /// What the user did; the shell carries it out.
    pub actions: &'a mut Vec<ViewAction>,
}

/// Fetches what was recorded. Never waits: `None` while it is being read.
pub trait PastPayloads {
    fn payload(&self, key: &str, step: u64) -> Option<(u64, Arc<Payload>)>;

    /// The recorded runs of every lab, newest first, as far as they are known by now. Another list is another `Arc`.
    fn runs(&self) -> Arc<Listing> {
        Arc::default()
    }

    /// The pinned runs of this lab, as far as they are read: what is drawn behind the current one.
    fn pinned(&self) -> Arc<Pinned> {
        Arc::default()
    }
}

/// Past payloads of a run that has none.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoPast;

impl PastPayloads for NoPast {
    fn payload(&self, _key: &str, _step: u64) -> Option<(u64, Arc<Payload>)> {
        None
    }
}

impl ViewCtx<'_> {
    /// The bulky value that was shown at the cursor: the newest one at the live edge, a recorded one in the past.
    pub fn payload(&self, key: &str) -> Option<(u64, Arc<Payload>)> {
        let newest = self.run.payloads.get(key)?.newest.clone();
        match newest {
            Some((step, payload)) if step <= self.cursor.step => Some((step, payload)),
            newest => self.past.payload(key, self.cursor.step).or(newest.filter(|_| self.run.step <= self.cursor.step)),
        }
    }

    /// Asks for a new value of a parameter.
    pub fn set(&mut self, key: &str, value: Value, settled: bool) {
        self.actions.push(ViewAction::SetParam { key: key.to_owned(), value, settled });
    }
}

/// Something that the user did in a view.
#[derive(Debug, Clone, PartialEq)]
pub enum ViewAction {
    /// Change a parameter. `settled: false` while the mouse still drags: the run is computed but not recorded.
    SetParam {
        key: String,
        value: Value,
        settled: bool,
    },
    /// Move the shared cursor.
    Seek(Cursor),
    Notice(Level, String),
    /// Save this text as a file; the shell asks where. `name` is the suggested file name.
    SaveText {
        name: String,
        text: String,
    },
    /// Let the user choose a file, or a folder, for this path parameter.
    ChooseFile {
        key: String,
    },
    /// Bring this tile to the front.
    ShowTile(&'static str),
}
