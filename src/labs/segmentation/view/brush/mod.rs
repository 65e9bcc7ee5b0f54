//! The tile of the brush: corrects or draws the mask of any image of the folder, from the network's prediction where there is
//! none. What is saved goes beside the data set, never over its files, and the running training takes it up. What is not saved is
//! kept as a draft.

pub mod canvas;
mod draft_lines;
pub mod drafting;
pub mod labelling;
pub mod list;
pub mod queue;
pub mod session;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use eframe::egui::{
    Align, Context, DragValue, Key, Label, Layout, Modifiers, Rect, RichText, ScrollArea, Ui, UiBuilder, vec2,
};

use crate::data::segmentation::listing::Listing;
use crate::engine::event::Level;
use crate::kit::empty;
use crate::kit::view::{ViewAction, ViewCtx};
use crate::pixels::mask::Mask;
use crate::plot::style::Style;
use crate::plot::{number, tile};

use super::SegmentationView;
use super::data::folder::{Choice, Folder};
use super::data::sample::SampleSet;
use crate::kit::tiles::{Tile, TileCommand, TileSpec};
use crate::labs::segmentation::predict::doubt::Unsure;
use crate::labs::segmentation::predict::proposals::Proposer;
use crate::labs::segmentation::structures;
use canvas::{Canvas, Tool};
use draft_lines::Answer;
use drafting::{Drafted, Drafts};
use labelling::{Asked, Loop};
use list::Entry;
use queue::{Arranged, Order, Queue};
use session::{How, Opening, Saved, Saving, Session};

/// The tile.
pub static TILE: Tile<SegmentationView> = Tile {
    spec: TileSpec {
        id: "brush",
        title: "Brush",
        help: "Correct or draw the mask of any image of the folder, or label those without one: the network proposes \
               a mask to accept (Enter), to paint on, or to put aside (No lesion E, Skip K). It is saved beside the data set, whose own \
               files stay as they are, and the running training uses it from then on.",
        area: "large",
        follows_cursor: false,
    },
    show: |view, ui, ctx| view.brush.show(&mut view.data.folder, &mut view.data.sample, ui, ctx),
    commands: &[
        TileCommand { id: "brush-draw", title: "Brush: draw lesion", run: |view, _, _| view.brush.choose(Tool::Brush) },
        TileCommand {
            id: "brush-erase",
            title: "Brush: take lesion away",
            run: |view, _, _| view.brush.choose(Tool::Eraser),
        },
        TileCommand {
            id: "brush-polygon",
            title: "Brush: fill a polygon",
            run: |view, _, _| view.brush.choose(Tool::Polygon),
        },
        TileCommand {
            id: "brush-cut",
            title: "Brush: clear a polygon",
            run: |view, _, _| view.brush.choose(Tool::CutOut),
        },
        TileCommand {
            id: "brush-undo",
            title: "Brush: undo",
            run: |view, _, _| view.brush.edit(|session| session.editor.undo()),
        },
        TileCommand {
            id: "brush-redo",
            title: "Brush: redo",
            run: |view, _, _| view.brush.edit(|session| session.editor.redo()),
        },
        TileCommand {
            id: "brush-original",
            title: "Brush: back to the data set's own mask",
            run: |view, _, _| view.brush.edit(back_to_original),
        },
        TileCommand {
            id: "brush-clear",
            title: "Brush: a mask without lesion",
            run: |view, _, _| view.brush.edit(cleared),
        },
        TileCommand {
            id: "brush-fit",
            title: "Brush: show the whole picture",
            run: |view, _, _| view.brush.canvas.fit(),
        },
        TileCommand { id: "brush-save", title: "Brush: save the mask", run: |view, _, _| view.brush.save_unsaved() },
        TileCommand {
            id: "to-brush",
            title: "Brush: open the selected image with its prediction",
            run: |view, ctx, egui| view.open_in_brush(ctx, egui),
        },
        TileCommand {
            id: "brush-accept",
            title: "Brush: accept the mask and go on",
            run: |view, _, _| view.brush.accept(),
        },
        TileCommand {
            id: "brush-empty",
            title: "Brush: no lesion, and go on",
            run: |view, _, _| view.brush.no_lesion(),
        },
        TileCommand { id: "brush-skip", title: "Brush: skip this image", run: |view, _, _| view.brush.skip() },
        TileCommand {
            id: "brush-propose",
            title: "Brush: start from the prediction",
            run: |view, _, egui| view.brush.start_from_prediction(egui),
        },
        TileCommand { id: "brush-next", title: "Brush: next image", run: |view, _, _| view.brush.step(true) },
        TileCommand { id: "brush-back", title: "Brush: image before", run: |view, _, _| view.brush.step(false) },
        TileCommand {
            id: "brush-order-folder",
            title: "Brush: images as in the folder",
            run: |view, _, egui| view.brush.choose_order(Order::Folder, egui),
        },
        TileCommand {
            id: "brush-order-unlabelled",
            title: "Brush: images without a mask first",
            run: |view, _, egui| view.brush.choose_order(Order::Unlabelled, egui),
        },
        TileCommand {
            id: "brush-order-unsure",
            title: "Brush: images that the network is most unsure of first",
            run: |view, _, egui| view.brush.choose_order(Order::Unsure, egui),
        },
        TileCommand {
            id: "brush-order-dice",
            title: "Brush: masks that the network contradicts most first",
            run: |view, _, egui| view.brush.choose_order(Order::Dice, egui),
        },
        TileCommand {
            id: "brush-score",
            title: "Brush: let the network score every image",
            run: |view, _, egui| view.brush.score(egui),
        },
    ],
};

/// Radius of the brush in pixels of the image.
const RADIUS: std::ops::RangeInclusive<f64> = 0.5..=200.0;

/// View state of the tile.
#[derive(Default)]
pub struct BrushTile {
    tool: Tool,
    radius: Option<f64>,
    search: String,
    /// Images of the listing that they were made from.
    entries: Option<(Arc<Listing>, Vec<Entry>)>,
    session: Option<Box<Session>>,
    canvas: Canvas,
    /// Where it was drawn last.
    place: Option<Rect>,
    loading: Option<(PathBuf, Opening)>,
    saving: Option<Saving>,
    /// How saving ended; the window was not told yet.
    outcome: Option<Result<Saved, String>>,
    /// Save once more when this is done: it was asked for, and the mask has changed meanwhile.
    save_again: bool,
    drafts: Drafts,
    /// The image to open next; it waits while the open one has changes that are not saved.
    wanted: Option<PathBuf>,
    /// What went wrong; stays until the next try.
    error: Option<String>,
    /// Where the last mask was saved.
    saved: Option<PathBuf>,
    /// Bring the open image into the list's view.
    scroll: bool,
    /// The pointer is over the canvas, or it has the keyboard.
    hot: bool,
    /// The folder whose images were declined in favour of the unsaved one.
    declined: Option<PathBuf>,
    queue: Queue,
    arranged: Arranged,
    labelling: Loop,
    proposer: Proposer,
    /// How the files of the form's folder are read.
    how: How,
    /// The frame in which it was drawn last, and the newest one.
    frames: [u64; 2],
}

impl std::fmt::Debug for BrushTile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BrushTile").field("tool", &self.tool).field("open", &self.image()).finish_non_exhaustive()
    }
}

impl Drop for BrushTile {
    fn drop(&mut self) {
        self.drafts.close(self.session.as_deref());
    }
}

impl BrushTile {
    /// Keeps drafts of what is not saved in this folder; the default keeps none.
    pub fn with_drafts(folder: Option<PathBuf>) -> Self {
        let mut tile = Self::default();
        tile.drafts = Drafts::new(folder);
        tile
    }

    /// Opens an image at the next frame; asks first where the open one is not saved.
    pub fn open(&mut self, image: PathBuf) {
        self.wanted = Some(image);
        self.scroll = true;
    }

    /// The image that is open.
    pub fn image(&self) -> Option<&Path> {
        self.session.as_ref().map(|session| session.image.as_path())
    }

    /// The mask as it is drawn now.
    pub fn mask(&self) -> Option<&Mask> {
        self.session.as_ref().map(|session| session.editor.mask())
    }

    /// Whether there is something that is not saved.
    pub fn is_changed(&self) -> bool {
        self.session.as_ref().is_some_and(|session| session.is_changed())
    }

    /// Whether the mask is the network's, and nobody has drawn on it.
    pub fn is_proposal(&self) -> bool {
        self.session.as_ref().is_some_and(|session| session.is_proposal())
    }

    /// Whether it is drawn and has an image, so that its keys mean something.
    pub fn in_sight(&self) -> bool {
        self.session.is_some() && self.frames[0] + 1 >= self.frames[1]
    }

    /// What is not on disk yet, see [`crate::kit::view::LabView::unsaved`].
    pub fn unsaved(&self) -> Option<String> {
        let session = self.session.as_ref().filter(|session| session.is_changed())?;
        let result = self.saving.as_ref().and_then(Saving::result);
        // It may be on disk before the tile is drawn again.
        if matches!(result, Some(Ok(_))) && session.editor.is_as_saving() {
            return None;
        }
        let kind = if session.pair.is_some() { "corrected" } else { "drawn" };
        let file = session.image.file_name().unwrap_or_default().to_string_lossy();
        let why = match result {
            Some(Err(error)) => format!(" ({error})"),
            _ => String::new(),
        };
        Some(format!("the {kind} mask of {file}{why}"))
    }

    /// Begins to save that.
    pub fn save_unsaved(&mut self) {
        self.settle();
        if self.is_changed() {
            self.save_again = self.saving.is_some();
            self.save();
        }
    }

    /// Keys that the brush takes while the pointer is over it; see [`crate::kit::view::LabView::takes_key`].
    pub fn takes_key(&self, modifiers: Modifiers, key: Key) -> bool {
        let plain = modifiers.is_none();
        let command = modifiers.command && !modifiers.alt;
        self.hot
            && match key {
                Key::OpenBracket | Key::CloseBracket => plain,
                Key::Z => command,
                Key::Y | Key::S => command && !modifiers.shift,
                Key::Escape | Key::Enter | Key::Backspace => plain && !self.canvas.corners.is_empty(),
                _ => false,
            }
    }

    /// Draws the tile. `folder` and `sample` are the data tile's.
    pub fn show(&mut self, folder: &mut Folder, sample: &mut SampleSet, ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
        let choice = Choice::of(ctx.params);
        folder.update(ui.ctx(), &choice);
        self.how = How { lesion: choice.lesion.clone(), rules: folder.rules().cloned() };
        self.receive(ui.ctx(), folder, ctx);
        self.frames[0] = ui.ctx().cumulative_frame_nr();
        self.follow_requests(folder.listing(), ctx);
        self.hot &= self.session.is_some();
        let size = tile::font_size(ctx.presenting);
        let margin = (0.7 * size).round();
        let all = ui.available_rect_before_wrap().shrink2(vec2(margin, 0.3 * margin));
        if all.width() < 10.0 * size || all.height() < 5.0 * size {
            self.hot = false;
            return;
        }
        let guest = self.labelling.guest.is_some() || self.labelling.visit.is_some();
        if !choice.of_folder && self.session.is_none() && !guest {
            return synthetic(ui, all, sample, ctx);
        }
        if !guest && self.session.is_none() && structures::of(ctx.params).is_ok_and(|several| !several.is_empty()) {
            let (title, hint) = ("Several structures", "each has a mask of its own; they are not drawn here");
            return empty::message(ui, ctx, title, hint);
        }
        let listing = self.labelling.guest.clone().or_else(|| folder.listing().cloned());
        if let Some(listing) = &listing {
            self.follow(ui, listing);
        }
        if self.session.is_none() && listing.is_none() {
            let (title, hint) = match (folder.error(), folder.progress(), choice.folder.as_os_str().is_empty()) {
                (Some(error), ..) => ("This folder cannot be used", error),
                (_, Some(_), _) => ("Looking at the folder", "its images can be opened in a moment"),
                (_, _, true) => ("No folder chosen yet", "choose one in the tile Data or in the form"),
                _ => ("Looking at the folder", "its images can be opened in a moment"),
            };
            return empty::message(ui, ctx, title, hint);
        }
        ui.scope_builder(UiBuilder::new().max_rect(all), |ui| {
            ui.shrink_clip_rect(all.expand(2.0));
            self.body(ui, ctx, listing.as_deref());
        });
        self.keys(ui);
        self.follow_drafts(ui.ctx());
    }

    /// Takes in what the threads have brought. Call it whenever a tile of the lab is drawn, so that work goes on behind
    /// another one.
    pub fn receive(&mut self, egui: &Context, folder: &mut Folder, ctx: &mut ViewCtx<'_>) {
        self.frames[1] = egui.cumulative_frame_nr();
        if let Some(header) = ctx.run.header.as_ref().filter(|header| !header.folder.is_empty()) {
            self.labelling.weights = PathBuf::from(&header.folder);
        }
        self.settle();
        match self.outcome.take() {
            Some(Ok(saved)) => {
                self.tell_saved(egui, folder, ctx, saved.path);
                self.advance(true);
                if std::mem::take(&mut self.save_again) && self.is_changed() {
                    self.save();
                }
            }
            // The image stays open with all of its changes.
            Some(Err(error)) => {
                (self.error, self.save_again) = (Some(error.clone()), false);
                self.advance(false);
                ctx.actions.push(ViewAction::Notice(Level::Error, error));
            }
            None => {}
        }
        self.receive_image(egui, ctx);
        self.receive_proposals(egui);
        warn(ctx, std::mem::take(&mut self.labelling.problems));
        if let Some(Drafted { root, images, problems }) = self.drafts.receive(egui) {
            warn(ctx, problems);
            if let Some((_, entries)) = self.entries.as_mut().filter(|(listing, _)| listing.root == root) {
                entries.iter_mut().for_each(|entry| entry.draft = images.contains(&entry.image));
            }
            // The answer may be older than the newest stroke.
            if let Some((image, changed)) = self.session.as_ref().map(|s| (s.image.clone(), s.is_changed())) {
                self.mark_draft(&image, changed);
            }
        }
        self.follow_drafts(egui);
    }

    fn receive_image(&mut self, egui: &Context, ctx: &mut ViewCtx<'_>) {
        let Some(found) = self.loading.as_ref().and_then(|(_, loading)| loading.poll()) else { return };
        let Some((image, _)) = self.loading.take() else { return };
        match found.flatten() {
            // The open one was drawn on meanwhile: it is asked for first.
            Ok(_) if self.is_changed() || self.saving.is_some() => {
                self.wanted.get_or_insert(image);
            }
            Ok(mut session) => {
                self.error = session.warning.clone();
                warn(ctx, std::mem::take(&mut session.draft_problems));
                self.mark_draft(&image, session.brought.is_some());
                if let Some(before) = &self.session {
                    self.drafts.give_up(before);
                }
                self.drafts.begin(&session);
                (self.session, self.saved) = (Some(session), None);
                self.canvas.reset();
                self.begin_labelling(&image, egui);
            }
            Err(error) => self.error = Some(error),
        }
    }

    /// Takes in how saving has ended.
    fn settle(&mut self) {
        let Some(result) = self.saving.as_ref().and_then(Saving::result) else { return };
        let Some(saving) = self.saving.take() else { return };
        if let (Some(session), Ok(saved)) = (&mut self.session, &result) {
            session.editor.end_save();
            (session.on_disk, session.subject, session.brought) = (saving.mask, saved.subject.clone(), None);
            session.proposal = None;
            if let Some(pair) = &mut session.pair {
                pair.corrected = Some(saved.path.clone());
            }
            for file in std::mem::take(&mut session.used) {
                self.drafts.remove(session, file);
            }
        }
        self.outcome = Some(result);
    }

    fn tell_saved(&mut self, egui: &Context, folder: &mut Folder, ctx: &mut ViewCtx<'_>, path: PathBuf) {
        self.error = None;
        if let Some(session) = &self.session {
            if folder.listing().is_some_and(|listing| listing.root == session.listing.root) {
                folder.refresh(egui, &session.image);
            }
            ctx.actions.push(ViewAction::Notice(Level::Info, format!("mask saved: {}", path.display())));
        }
        self.saved = Some(path);
        self.tell_training(folder, ctx);
    }

    /// Keeps the draft of the open image as the mask is now.
    fn follow_drafts(&mut self, egui: &Context) {
        // A draft that was taken back is not spoken of any more.
        if let Some(session) = self.session.as_mut().filter(|session| !session.is_changed()) {
            session.brought = None;
        }
        if let Some(draft) = self.drafts.follow(egui, self.session.as_deref())
            && let Some(image) = self.image().map(Path::to_owned)
        {
            self.mark_draft(&image, draft);
        }
    }

    fn mark_draft(&mut self, image: &Path, draft: bool) {
        let entries = self.entries.iter_mut().flat_map(|(_, entries)| entries);
        entries.filter(|entry| entry.image == image).for_each(|entry| entry.draft = draft);
    }

    /// Carries out what was clicked under the tools.
    fn answer(&mut self, answer: Answer) {
        let Some(session) = &mut self.session else {
            if let Answer::Open(image) = answer {
                self.open(image);
            }
            return;
        };
        match answer {
            Answer::Open(image) => return self.open(image),
            Answer::GiveUp => {
                self.drafts.give_up(session);
                let image = std::mem::take(&mut session.image);
                self.session = None;
                return self.mark_draft(&image, false);
            }
            Answer::Discard => session.discard(),
            Answer::UseOffer => session.use_offer(),
            Answer::RemoveOffer => {
                if let Some(offer) = session.offers.pop_front() {
                    session.writers.push(offer.writer);
                    self.drafts.remove(session, offer.file);
                }
            }
        }
        self.canvas.mask_changed();
    }

    /// Opens what is wanted, once nothing unsaved stands in its way; the first image where none is.
    fn follow(&mut self, ui: &Ui, listing: &Arc<Listing>) {
        if self.entries.as_ref().is_none_or(|(of, _)| !Arc::ptr_eq(of, listing)) {
            let mut entries = list::entries(listing);
            if self.entries.as_ref().is_none_or(|(of, _)| of.root != listing.root) {
                self.begin_queue(listing);
            }
            // What is known of drafts stays until the answer comes.
            let before = self.entries.take().map(|(_, entries)| entries).unwrap_or_default();
            let drafted: Vec<PathBuf> = before.into_iter().filter(|e| e.draft).map(|entry| entry.image).collect();
            entries.iter_mut().for_each(|entry| entry.draft = drafted.contains(&entry.image));
            self.drafts.list(listing.root.clone(), entries.iter().map(|entry| entry.image.clone()).collect());
            self.entries = Some((listing.clone(), entries));
        }
        let entries = self.entries.as_ref().map(|(_, entries)| entries.as_slice()).unwrap_or_default();
        let elsewhere = self.session.as_ref().is_some_and(|session| session.listing.root != listing.root);
        let declined = self.declined.as_ref() == Some(&listing.root) && self.is_changed();
        if self.wanted.is_none()
            && self.loading.is_none()
            && self.error.is_none()
            && (self.session.is_none() || (elsewhere && !declined))
        {
            self.wanted = entries.first().map(|entry| entry.image.clone());
        }
        if self.saving.is_some() || self.is_changed() {
            return;
        }
        if let Some(image) = self.wanted.take() {
            self.error = None;
            let drafts = self.drafts.folder().map(Path::to_owned);
            // Rules are those of the form's folder.
            let rules = self.how.rules.clone().filter(|_| self.labelling.guest.is_none());
            let how = How { rules, lesion: self.how.lesion.clone() };
            self.loading = Some((image.clone(), session::load(ui.ctx(), listing.clone(), image, drafts, how)));
        }
    }

    fn body(&mut self, ui: &mut Ui, ctx: &mut ViewCtx<'_>, listing: Option<&Listing>) {
        let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
        ui.spacing_mut().item_spacing = vec2(4.0, 4.0);
        ui.spacing_mut().button_padding = vec2(6.0, 1.0);
        let shown = self.arranged();
        let entries = self.entries.take();
        let all = entries.as_ref().map(|(_, entries)| entries.as_slice()).unwrap_or_default();
        self.heading(ui, all, &shown, style, size);
        self.tools(ui, size);
        let mut asked = self.loop_row(ui, all, style, size);
        let answer = self.strip(ui, listing, all, style, size);
        let rest = ui.available_rect_before_wrap();
        let mut picture = rest;
        if rest.width() > 46.0 * size && rest.height() > 6.0 * size {
            let wide = (0.26 * rest.width()).clamp(13.0 * size, 22.0 * size);
            let left = Rect::from_min_size(rest.min, vec2(wide, rest.height()));
            picture.min.x = left.right() + 0.8 * size;
            let (open, scroll) = (self.session.as_ref().map(|session| session.image.clone()), self.scroll);
            let head = Rect::from_min_size(left.min, vec2(wide, (2.2 * size).round()));
            let left = left.with_min_y(head.bottom());
            asked = asked.or(self.queue_bar(ui, head, size));
            let (search, queue) = (&mut self.search, &self.queue);
            let clicked = list::show(ui, left, all, &shown, open.as_deref(), search, queue, scroll, style, size);
            self.queue.from_top = false;
            // A click leaves the list where it is.
            self.scroll = scroll && self.loading.is_some();
            self.wanted = clicked.or(self.wanted.take());
        }
        self.entries = entries;
        if let Some(asked) = asked {
            self.carry_out(asked, ui.ctx());
        }
        if let Some(answer) = answer {
            self.answer(answer);
        }
        // A line that comes or goes above does not move the picture under a stroke.
        let picture = self.place.filter(|_| self.canvas.in_stroke()).unwrap_or(picture);
        self.place = Some(picture);
        self.hot = false;
        if picture.width() < 4.0 * size || picture.height() < 3.0 * size {
            return;
        }
        match &mut self.session {
            Some(session) => {
                let radius = self.radius.unwrap_or_else(|| usual_radius(session));
                let response = self.canvas.show(ui, picture, session, self.tool, radius, style);
                let typing = ui.memory(|memory| memory.focused().is_some_and(|id| id != response.id));
                self.hot = (response.contains_pointer() || response.has_focus()) && !typing;
            }
            None if self.loading.is_some() => {
                ui.scope_builder(UiBuilder::new().max_rect(picture), |ui| {
                    ui.label(tile::weak("opening the image…", size, style));
                });
            }
            None => {}
        }
    }

    /// Which image is open, and the way to the one before and the next.
    fn heading(&mut self, ui: &mut Ui, entries: &[Entry], shown: &[usize], style: &Style, size: f32) {
        ui.horizontal(|ui| {
            let at = self.image().and_then(|image| shown.iter().position(|&i| entries[i].image == image));
            let before = at.map_or_else(|| shown.last(), |at| shown[..at].last());
            let next = at.map_or_else(|| shown.first(), |at| shown.get(at + 1));
            for (name, help, to) in
                [("Previous", "The image before in the list", before), ("Next", "The next image in the list", next)]
            {
                if tile::button(ui, to.is_some(), name, help, size)
                    && let Some(&to) = to
                {
                    self.open(entries[to].image.clone());
                }
            }
            let Some(session) = &self.session else { return };
            let state = match (&self.loading, session.is_changed(), &session.pair) {
                (Some(_), ..) => "opening another…".to_owned(),
                (_, true, _) => "not saved".to_owned(),
                _ if session.is_proposal() => "prediction".to_owned(),
                (_, false, Some(pair)) if pair.corrected.is_some() => "corrected".to_owned(),
                (_, false, None) if self.saved.is_some() => "drawn".to_owned(),
                (_, false, None) => "without a mask: draw one".to_owned(),
                _ => "as in the data set".to_owned(),
            };
            let (width, height) = session.picture.original;
            let factor = session.picture.factor;
            let smaller = if factor > 1 { format!(", shown at 1/{factor}") } else { String::new() };
            let area = session.editor.mask().area() * factor * factor;
            let text = format!("{}   {width}×{height}{smaller}, lesion {area} px", session.name);
            ui.label(RichText::new(&state).size(size + 0.5).color(if state == "not saved" {
                style.warning
            } else {
                style.text_weak
            }));
            ui.add(Label::new(RichText::new(text).size(size + 0.5).color(style.text)).truncate().selectable(false));
        });
    }

    fn tools(&mut self, ui: &mut Ui, size: f32) {
        let Some(session) = &mut self.session else { return };
        let (mut save, mut chosen) = (false, None);
        ui.horizontal_wrapped(|ui| {
            for (tool, name, help) in [
                (Tool::Brush, "Brush", "Draw lesion. Right or middle button, or Shift: move the picture; wheel: zoom"),
                (Tool::Eraser, "Eraser", "Take lesion away"),
                (Tool::Polygon, "Polygon", "Click corners; Enter, a double click or the first corner fills it; Esc drops it"),
                (Tool::CutOut, "Cut out", "As the polygon, and clears it"),
            ] {
                if tile::toggle(ui, self.tool == tool, name, help, size) {
                    chosen = Some(tool);
                }
            }
            let mut radius = self.radius.unwrap_or_else(|| usual_radius(session));
            let field = DragValue::new(&mut radius)
                .range(RADIUS)
                .speed(0.1)
                .max_decimals(1)
                .prefix("radius ")
                .suffix(" px")
                .update_while_editing(false)
                .custom_parser(|text| number::parse(text).ok());
            let field = ui.add_enabled(self.tool.strokes(), field).on_hover_text("Radius of brush and eraser ([ and ])");
            field.widget_info(|| {
                eframe::egui::WidgetInfo::labeled(eframe::egui::accesskit::Role::SpinButton, true, "Radius of the brush")
            });
            if field.changed() {
                self.radius = Some(radius);
            }
            let mut changed = false;
            if tile::button(ui, session.editor.can_undo(), "Undo", "Take the last change back (Ctrl+Z)", size) {
                changed |= session.editor.undo();
            }
            if tile::button(ui, session.editor.can_redo(), "Redo", "Do it again (Ctrl+Shift+Z)", size) {
                changed |= session.editor.redo();
            }
            let differs = session.editor.mask() != &session.original;
            if tile::button(ui, differs, "Original", "Back to the data set's own mask (red line)", size) {
                changed |= back_to_original(session);
            }
            if tile::button(ui, !session.editor.mask().is_empty(), "Clear", "A mask without lesion", size) {
                changed |= cleared(session);
            }
            if changed {
                self.canvas.mask_changed();
            }
            if tile::button(ui, !self.canvas.is_fit(), "Fit", "Show the whole picture", size) {
                self.canvas.fit();
            }
            let drawn = session.pair.is_none() && self.saved.is_none();
            let can = self.saving.is_none() && (session.is_changed() || session.is_proposal() || drawn);
            let help = "Save beside the data set, in the folder learnscope-masks; its own files stay as they are (Ctrl+S). A running training uses it from then on";
            let label = if self.saving.is_some() { "Saving…" } else { "Save" };
            save = tile::button(ui, can, label, help, size);
        });
        if let Some(tool) = chosen {
            self.choose(tool);
        }
        if save {
            self.save();
        }
    }

    /// Numbers of the images that are searched for, in the order of the queue.
    fn arranged(&mut self) -> Rc<[usize]> {
        let Some((listing, entries)) = &self.entries else { return Rc::default() };
        self.arranged.of(listing, entries, &self.search, &self.queue)
    }

    /// The order of the list, and what it needs to know.
    fn queue_bar(&mut self, ui: &mut Ui, rect: Rect, size: f32) -> Option<Asked> {
        let (mut order, mut by, mut asked) = (self.queue.order, self.queue.by, None);
        ui.scope_builder(UiBuilder::new().max_rect(rect).layout(Layout::left_to_right(Align::Center)), |ui| {
            ui.shrink_clip_rect(rect);
            let help = "Which image comes first, in the list and after Accept and Skip";
            tile::menu(ui, order.name(), help, size, |ui| {
                for one in Order::ALL {
                    ui.radio_value(&mut order, one, one.name()).on_hover_text(one.help());
                }
                ui.separator();
                ui.label(RichText::new("How unsure the network is").small());
                for one in Unsure::ALL {
                    ui.radio_value(&mut by, one, one.name()).on_hover_text(one.help());
                }
            });
            if !self.queue.order.needs_scores() {
                return;
            }
            match self.queue.progress {
                Some(_) => {
                    if tile::button(ui, true, "stop", "Stop scoring; what is scored stays", size) {
                        asked = Some(Asked::StopScoring);
                    }
                }
                None => {
                    let by_what = self.queue.said.as_ref().map_or_else(String::new, |said| format!(" Now: {said}."));
                    let help = format!(
                        "Let the network of the newest checkpoint look at every image, those without a mask first, on the \
                         CPU; twice each, the second time at its mirror image.{by_what}"
                    );
                    if tile::button(ui, true, "score", &help, size) {
                        asked = Some(Asked::Score);
                    }
                }
            }
        });
        self.queue.by = by;
        if order != self.queue.order { Some(Asked::Order(order)) } else { asked }
    }

    fn choose(&mut self, tool: Tool) {
        self.tool = tool;
        self.canvas.corners.clear();
    }

    /// Changes the mask that is open; `change` says whether it did.
    fn edit(&mut self, change: impl FnOnce(&mut Session) -> bool) {
        if self.session.as_mut().is_some_and(|session| change(session)) {
            self.canvas.mask_changed();
        }
    }

    fn save(&mut self) {
        if self.saving.is_none()
            && let Some(session) = &mut self.session
        {
            self.error = None;
            self.saving = Some(session::save(session));
        }
    }

    /// What needs an answer or is good to know: unsaved changes in the way, an error, where a mask was saved.
    fn strip(
        &mut self,
        ui: &mut Ui,
        listing: Option<&Listing>,
        entries: &[Entry],
        style: &Style,
        size: f32,
    ) -> Option<Answer> {
        let mut answer = None;
        let waits = self.wanted.is_some() && self.is_changed();
        if let Some(error) = self.error.clone() {
            ScrollArea::vertical().id_salt("error").max_height(4.5 * size).show(ui, |ui| {
                ui.add(Label::new(RichText::new(error).size(size + 0.5).color(style.error)).wrap());
            });
        }
        if waits {
            ui.horizontal_wrapped(|ui| {
                let name = self.session.as_ref().map_or("", |session| session.name.as_str());
                let text = format!("“{name}” has changes that are not saved:");
                ui.label(RichText::new(text).size(size + 0.5).color(style.warning));
                let idle = self.saving.is_none();
                if tile::button(ui, idle, "Save and go on", "Save the mask, then open the other image", size) {
                    self.save();
                }
                if tile::button(ui, idle, "Discard changes", "Open the other image; the changes are lost", size) {
                    answer = Some(Answer::GiveUp);
                }
                if tile::button(ui, idle, "Stay", "Keep this image open", size) {
                    self.declined = listing.map(|listing| listing.root.clone());
                    self.wanted = None;
                }
            });
        } else if let (Some(path), false) = (&self.saved, self.is_changed()) {
            let text = format!("saved: {}", path.display());
            ui.add(Label::new(tile::weak(text, size, style)).truncate());
        }
        if let (Some(trouble), true) = (&self.drafts.trouble, self.is_changed()) {
            ui.add(Label::new(RichText::new(trouble).size(size + 0.5).color(style.warning)).wrap());
        }
        if !waits {
            answer = draft_lines::show(ui, self.session.as_deref(), entries, style, size);
        }
        answer
    }

    fn keys(&mut self, ui: &mut Ui) {
        if self.hot && self.canvas.corners.is_empty() {
            self.loop_keys(ui);
        }
        let Some(session) = self.session.as_mut().filter(|_| self.hot) else { return };
        let pressed = |ui: &mut Ui, modifiers, key| ui.input_mut(|input| input.consume_key(modifiers, key));
        let mut changed = false;
        // The longer combination first: it would match the shorter one too.
        if pressed(ui, Modifiers::COMMAND | Modifiers::SHIFT, Key::Z) || pressed(ui, Modifiers::COMMAND, Key::Y) {
            changed |= session.editor.redo();
        }
        if pressed(ui, Modifiers::COMMAND, Key::Z) {
            changed |= session.editor.undo();
        }
        if changed {
            self.canvas.mask_changed();
        }
        let radius = self.radius.unwrap_or_else(|| usual_radius(session));
        for (key, factor) in [(Key::OpenBracket, 1.0 / 1.25), (Key::CloseBracket, 1.25)] {
            if pressed(ui, Modifiers::NONE, key) {
                self.radius = Some((radius * factor).clamp(*RADIUS.start(), *RADIUS.end()));
            }
        }
        if pressed(ui, Modifiers::COMMAND, Key::S) && self.is_changed() {
            self.save();
        }
    }
}

fn warn(ctx: &mut ViewCtx<'_>, problems: Vec<String>) {
    ctx.actions.extend(problems.into_iter().map(|problem| ViewAction::Notice(Level::Warning, problem)));
}

/// A brush that suits the picture: a fortieth of its shorter side.
fn cleared(session: &mut Session) -> bool {
    let mask = session.editor.mask();
    session.editor.replace(Mask::empty(mask.height(), mask.width()));
    true
}

fn back_to_original(session: &mut Session) -> bool {
    session.editor.replace(session.original.clone());
    true
}

fn usual_radius(session: &Session) -> f64 {
    let mask = session.editor.mask();
    (mask.width().min(mask.height()) as f64 / 40.0).round().max(1.5)
}

fn synthetic(ui: &mut Ui, rect: Rect, sample: &mut SampleSet, ctx: &mut ViewCtx<'_>) {
    let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
    ui.scope_builder(UiBuilder::new().max_rect(rect), |ui| {
        ScrollArea::vertical().id_salt("synthetic").auto_shrink([false, false]).show(ui, |ui| {
            ui.label(RichText::new("Generated pictures have no files to correct").size(size + 4.0).color(style.text));
            let text = "The brush edits the masks of a folder: choose your own in the tile Data, or save the generated set \
                        as files and correct those. The files stay as they are; corrected masks lie beside them.";
            ui.add(Label::new(RichText::new(text).size(size + 1.0).color(style.text_weak)).wrap());
            ui.add_space(8.0);
            sample.show(ui, ctx);
        });
    });
}
