//! The loop of labelling: the network's mask as the first one, accepted, corrected or put aside; the next image opens by itself,
//! and what is labelled joins the running training.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use eframe::egui::{Context, Key, KeyboardShortcut, Label, Modifiers, RichText, Ui};

use crate::data::segmentation::listing::{Listing, scan};
use crate::data::segmentation::{DataError, skipped};
use crate::engine::event::{Level, Status};
use crate::engine::params::Value;
use crate::kit::view::{ViewAction, ViewCtx};
use crate::labs::segmentation::joined;
use crate::labs::segmentation::params::{FOLDER, FROM_FOLDER, JOINED};
use crate::labs::segmentation::predict::proposals::{Proposal, Source, Told};
use crate::pixels::mask::Mask;
use crate::plot::background::{Task, repaint};
use crate::plot::style::Style;
use crate::plot::{number, tile};

use super::list::Entry;
use super::queue::Order;
use super::session::{How, Session};
use super::{BrushTile, Folder};

const fn key(key: Key) -> [KeyboardShortcut; 1] {
    [KeyboardShortcut::new(Modifiers::NONE, key)]
}

/// The keys of the loop and the commands that they stand for.
pub static KEYS: [(&str, [KeyboardShortcut; 1]); 6] = [
    ("brush-accept", key(Key::Enter)),
    ("brush-empty", key(Key::E)),
    ("brush-skip", key(Key::K)),
    ("brush-propose", key(Key::P)),
    ("brush-next", key(Key::PageDown)),
    ("brush-back", key(Key::PageUp)),
];

/// What was clicked beside the canvas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    Accept,
    NoLesion,
    Skip,
    Predict,
    /// The folder of the form again.
    Home,
    Order(Order),
    Score,
    StopScoring,
}

/// A file that was predicted elsewhere.
#[derive(Debug, Clone, PartialEq)]
pub struct Predicted {
    pub image: PathBuf,
    pub proposal: Option<Proposal>,
    /// Is searched for its mask and for further images.
    pub folder: PathBuf,
    pub weights: PathBuf,
}

/// A folder that the form does not name, with an image of it to open.
pub struct Guest {
    image: PathBuf,
    proposal: Option<Proposal>,
    listing: Task<Result<Listing, DataError>>,
}

/// What the loop knows beside the open image.
#[derive(Default)]
pub struct Loop {
    /// The shown run, whose weights propose; empty: it is not recorded.
    pub weights: PathBuf,
    /// The prediction that an image is opened with.
    given: Option<(PathBuf, Proposal)>,
    /// An image of the form's folder that is asked for by its name.
    named: Option<(String, Option<Proposal>)>,
    /// An image whose prediction is to be asked for once it is open.
    asked: Option<PathBuf>,
    /// The image whose prediction is awaited, and whether somebody asked for it.
    awaited: Option<(PathBuf, bool)>,
    /// Once the mask is saved: what to go on with, if there is anything.
    advance: Option<Option<PathBuf>>,
    /// The weights of the prediction whose folder is visited.
    guest_weights: PathBuf,
    /// A folder other than the form's, and the one that is being looked at.
    pub guest: Option<Arc<Listing>>,
    pub visit: Option<Guest>,
    /// Why there is no prediction, or no next image.
    said: Option<String>,
    /// What the window was not told of yet.
    pub problems: Vec<String>,
    /// The folder whose labelled images the form names.
    filled: Option<PathBuf>,
}

impl BrushTile {
    /// Opens an image of the form's folder by its name. `proposal`: the prediction that is seen elsewhere; `None`: that of the
    /// newest checkpoint.
    pub fn open_named(&mut self, name: String, proposal: Option<Proposal>) {
        self.labelling.guest = None;
        self.labelling.named = Some((name, proposal));
        self.scroll = true;
    }

    /// Opens a file with its prediction, in whatever folder it lies.
    pub fn open_file(&mut self, file: Predicted, own: &Folder, ctx: &Context) {
        let Predicted { image, proposal, folder, weights } = file;
        let known = |listing: &Listing| listing.pair_of(&image).is_some() || listing.unpaired_images.contains(&image);
        self.scroll = true;
        if own.listing().is_some_and(|listing| known(listing)) {
            self.labelling.guest = None;
            return self.open_with(image, proposal);
        }
        self.labelling.guest_weights = weights;
        if self.labelling.guest.as_ref().is_some_and(|listing| known(listing)) {
            return self.open_with(image, proposal);
        }
        let listing = Task::begin("folder of images", repaint(ctx), move |watch| scan(&folder, None, watch));
        self.labelling.visit = Some(Guest { image, proposal, listing });
    }

    /// What proposes here; empty: nothing.
    fn weights(&self) -> &Path {
        if self.labelling.guest.is_some() { &self.labelling.guest_weights } else { &self.labelling.weights }
    }

    fn open_with(&mut self, image: PathBuf, proposal: Option<Proposal>) {
        self.labelling.given = proposal.map(|proposal| (image.clone(), proposal));
        // The open image is only to get its prediction.
        if self.image() == Some(&image) && self.loading.is_none() {
            self.labelling.said = None;
            match self.labelling.given.take() {
                Some((_, proposal)) => self.put(proposal),
                None => self.labelling.asked = Some(image),
            }
            return;
        }
        if self.labelling.given.is_none() {
            self.labelling.asked = Some(image.clone());
        }
        self.open(image);
    }

    fn put(&mut self, proposal: Proposal) {
        if let Some(session) = &mut self.session {
            session.propose(proposal);
            self.canvas.mask_changed();
        }
    }

    /// Takes in the folder of a guest and what is asked for by name.
    pub(super) fn follow_requests(&mut self, form: Option<&Arc<Listing>>, ctx: &mut ViewCtx<'_>) {
        if let Some(visit) = &self.labelling.visit
            && let Some(found) = visit.listing.poll()
            && let Some(Guest { image, proposal, .. }) = self.labelling.visit.take()
        {
            match found.and_then(|found| found.map_err(|error| error.to_string())) {
                Ok(listing) => {
                    self.labelling.guest = Some(Arc::new(listing));
                    self.open_with(image, proposal);
                }
                Err(error) => self.error = Some(error),
            }
        }
        let Some(listing) = form else { return };
        if let Some((name, proposal)) = self.labelling.named.take() {
            let lone = |image: &&PathBuf| super::list::name_of(listing, image) == name;
            let pair = listing.every_pair().find(|pair| pair.name == name).map(|pair| &pair.image);
            match pair.or_else(|| listing.unpaired_images.iter().find(lone)).cloned() {
                Some(image) => self.open_with(image, proposal),
                None => {
                    let text = format!("`{name}` is no image of {}, the folder of the form", listing.root.display());
                    ctx.actions.push(ViewAction::Notice(Level::Warning, text));
                }
            }
        }
        self.fill(listing, ctx);
    }

    /// What was labelled in an earlier window joins the next run; what trains is changed by labelling alone.
    fn fill(&mut self, listing: &Listing, ctx: &mut ViewCtx<'_>) {
        if self.labelling.filled.as_ref() == Some(&listing.root) || is_live(ctx) {
            return;
        }
        self.labelling.filled = Some(listing.root.clone());
        let before = JOINED.of(ctx.params);
        if before.trim() == joined::ALL {
            return;
        }
        let drawn = |name: &&str| listing.every_pair().any(|pair| pair.masks.is_empty() && pair.name == **name);
        let mut names: Vec<&str> = joined::names(before).filter(drawn).collect();
        let more = listing.drawn.iter().map(|drawn| &*drawn.pair.name).filter(|name| !names.contains(name));
        names.extend(more.collect::<Vec<_>>());
        let text = joined::text(names);
        if text != before {
            ctx.set(JOINED.key(), Value::Text(text), true);
        }
    }

    /// Another image is open: its prediction is put in place, or asked for where it has no mask.
    pub(super) fn begin_labelling(&mut self, image: &Path, egui: &Context) {
        self.labelling.said = None;
        let given = self.labelling.given.take().filter(|(of, _)| of == image);
        if let Some((_, proposal)) = given {
            return self.put(proposal);
        }
        let asked = self.labelling.asked.take().is_some_and(|of| of == image);
        let unlabelled = self.session.as_ref().is_some_and(|s| s.pair.is_none() && s.brought.is_none());
        if asked || (unlabelled && !self.weights().as_os_str().is_empty()) {
            self.ask(asked, egui);
        }
    }

    /// Asks for the open image's prediction. `wanted`: somebody asked for it.
    fn ask(&mut self, wanted: bool, egui: &Context) {
        let Some(session) = &self.session else { return };
        if self.weights().as_os_str().is_empty() {
            self.labelling.said =
                Some("no prediction: there are no weights yet; train a run that is recorded".to_owned());
            return;
        }
        let (image, wake) = (session.image.clone(), egui.clone());
        let source = self.source(session.listing.clone());
        self.proposer.propose(source, image.clone(), move || wake.request_repaint());
        self.labelling.awaited = Some((image, wanted));
    }

    fn source(&self, listing: Arc<Listing>) -> Source {
        let How { lesion, rules } = self.how.clone();
        // Rules are the form's folder's.
        let rules = rules.filter(|_| self.labelling.guest.is_none());
        Source { weights: self.weights().to_owned(), listing, lesion, rules }
    }

    /// Takes in what the network said.
    pub(super) fn receive_proposals(&mut self, egui: &Context) {
        if self.loading.is_none() && self.labelling.asked.is_some() && self.labelling.asked.as_deref() == self.image() {
            self.labelling.asked = None;
            self.ask(true, egui);
        }
        for told in self.proposer.poll() {
            match told {
                Told::Proposed(image, found) => {
                    let wanted =
                        self.labelling.awaited.take_if(|(of, _)| *of == image).is_some_and(|(_, wanted)| wanted);
                    let Some(session) = self.session.as_mut().filter(|session| session.image == image) else {
                        continue;
                    };
                    match found {
                        // Whoever has begun to draw goes on with that.
                        Ok(proposal) if wanted || session.editor.revision() == 0 => {
                            let nothing = proposal.mask.is_empty();
                            self.put(proposal);
                            self.labelling.said = nothing.then(|| "the network predicts no lesion here".to_owned());
                        }
                        Ok(_) => {}
                        Err(error) => self.labelling.said = Some(format!("no prediction: {error}")),
                    }
                }
                Told::Scored(image, found) => {
                    if let Some((done, _)) = &mut self.queue.progress {
                        *done += 1;
                    }
                    match found {
                        Ok(score) => self.queue.put_score(image, score),
                        Err(error) => self.labelling.said = Some(error),
                    }
                }
                Told::Over(network) => {
                    self.queue.progress = None;
                    self.queue.from_top = true;
                    match network {
                        Ok(said) => self.queue.said = Some(said),
                        Err(error) => self.labelling.said = Some(format!("not scored: {error}")),
                    }
                }
            }
        }
    }

    /// The prediction of the newest checkpoint in place of the mask.
    pub fn start_from_prediction(&mut self, egui: &Context) {
        if self.session.is_some() && self.loading.is_none() {
            self.labelling.said = None;
            self.ask(true, egui);
        }
    }

    /// Scores every image, those without a mask first.
    pub fn score(&mut self, egui: &Context) {
        let Some((listing, entries)) = &self.entries else { return };
        if self.weights().as_os_str().is_empty() {
            self.labelling.said = Some("not scored: there are no weights yet; train a run that is recorded".to_owned());
            return;
        }
        let images = |masked: bool| entries.iter().filter(move |e| e.masked == masked).map(|entry| entry.image.clone());
        let images: Vec<PathBuf> = images(false).chain(images(true)).collect();
        let (source, wake) = (self.source(listing.clone()), egui.clone());
        self.queue.progress = Some((0, images.len()));
        self.labelling.said = None;
        self.proposer.score(source, images, move || wake.request_repaint());
    }

    /// Stops that; what is scored stays.
    pub fn stop_scoring(&mut self) {
        self.proposer.stop();
    }

    /// Takes another order; what it needs to know is asked for.
    pub fn choose_order(&mut self, order: Order, egui: &Context) {
        self.queue.order = order;
        self.queue.from_top = true;
        if order.needs_scores() && !self.queue.has_scores() && self.queue.progress.is_none() {
            self.score(egui);
        }
    }

    /// Saves the mask as it is and goes on with the next image; one that is as on disk needs no saving.
    pub fn accept(&mut self) {
        if self.loading.is_some() || self.saving.is_some() || self.in_stroke() {
            return;
        }
        let next = self.next_image();
        let Some(session) = &self.session else { return };
        if session.is_changed() || session.is_proposal() {
            self.labelling.advance = Some(next);
            self.save();
        } else if session.pair.is_none() && self.saved.is_none() {
            self.labelling.said =
                Some("nothing is drawn: draw the lesion, or say that there is none (No lesion, E)".to_owned());
        } else {
            self.go_on(next);
        }
    }

    fn in_stroke(&self) -> bool {
        self.session.as_ref().is_some_and(|session| session.editor.in_stroke())
    }

    /// Saves a mask without lesion and goes on: an image without lesion is a label too.
    pub fn no_lesion(&mut self) {
        if self.loading.is_some() || self.saving.is_some() || self.in_stroke() {
            return;
        }
        let next = self.next_image();
        if let Some(session) = &mut self.session {
            let mask = session.editor.mask();
            session.editor.replace(Mask::empty(mask.height(), mask.width()));
            self.canvas.mask_changed();
            self.labelling.advance = Some(next);
            self.save();
        }
    }

    /// Goes on without a mask; the orders of labelling pass over the image from now on, in every window, until it has
    /// one.
    pub fn skip(&mut self) {
        if self.in_stroke() {
            return;
        }
        let next = self.next_image();
        let Some(session) = &self.session else { return };
        if session.pair.is_none() && self.saved.is_none() {
            self.queue.skipped.insert(session.image.clone());
            self.labelling.problems.extend(told(skipped::keep(&session.listing, &session.image, true)));
        }
        self.go_on(next);
    }

    /// Takes the queue of another folder, with the images of it that were skipped before.
    pub(super) fn begin_queue(&mut self, listing: &Listing) {
        let known = skipped::read(listing);
        let skipped = known.as_ref().map(|images| images.iter().cloned().collect()).unwrap_or_default();
        self.labelling.problems.extend(told(known));
        self.queue = self.queue.of_another(skipped);
        self.proposer.stop();
    }

    /// The image before in the list, or the next.
    pub fn step(&mut self, forward: bool) {
        let shown = self.arranged();
        let Some((_, entries)) = &self.entries else { return };
        let at = self.image().and_then(|image| shown.iter().position(|&i| entries[i].image == image));
        let to = match (at, forward) {
            (Some(at), true) => shown.get(at + 1),
            (Some(at), false) => shown[..at].last(),
            (None, _) => shown.first(),
        };
        if let Some(image) = to.map(|&i| entries[i].image.clone()) {
            self.open(image);
        }
    }

    fn next_image(&mut self) -> Option<PathBuf> {
        let shown = self.arranged();
        let (_, entries) = self.entries.as_ref()?;
        self.queue.next(entries, &shown, self.image())
    }

    fn go_on(&mut self, next: Option<PathBuf>) {
        match next {
            Some(image) => self.open(image),
            None => {
                let skipped = |entry: &&Entry| !entry.masked && self.queue.skipped.contains(&entry.image);
                let rest = self.entries.iter().flat_map(|(_, entries)| entries).filter(skipped).count();
                let skipped = if rest > 0 {
                    format!("; {} skipped", number::counted(rest, "was", "were"))
                } else {
                    String::new()
                };
                self.labelling.said = Some(match self.queue.order {
                    Order::Folder | Order::Dice => "this was the last image of the list".to_owned(),
                    Order::Unlabelled | Order::Unsure => format!("no image without a mask is left{skipped}"),
                });
            }
        }
    }

    /// Saving has ended: on to the next image, or not.
    pub(super) fn advance(&mut self, saved: bool) {
        let Some(next) = self.labelling.advance.take() else { return };
        if saved && !self.is_changed() {
            self.go_on(next);
        }
    }

    /// What was saved joins the training, or is read again by it.
    pub(super) fn tell_training(&mut self, folder: &Folder, ctx: &mut ViewCtx<'_>) {
        let Some(session) = &self.session else { return };
        if self.queue.forget(&session.image) {
            self.labelling.problems.extend(told(skipped::keep(&session.listing, &session.image, false)));
        }
        if let Some((_, entries)) = &mut self.entries {
            let saved = entries.iter_mut().filter(|entry| entry.image == session.image);
            saved.for_each(|entry| (entry.masked, entry.corrected) = (true, true));
        }
        let listing = folder.listing().filter(|listing| listing.root == session.listing.root);
        let joins = listing.and_then(|listing| joining(session, listing, ctx));
        let of_own_masks = listing.is_some_and(|listing| listing.pairs.iter().any(|pair| !pair.masks.is_empty()));
        if let Some(text) = &joins {
            ctx.set(JOINED.key(), Value::Text(text.clone()), true);
        }
        // A running training reads corrected masks again when this changes.
        if self.labelling.guest.is_none()
            && (joins.is_none() || !of_own_masks)
            && let Some(Value::Int(count)) = ctx.params.get("corrections")
        {
            ctx.set("corrections", Value::Int(count + 1), true);
        }
    }

    /// The keys of the loop while the canvas has them.
    pub(super) fn loop_keys(&mut self, ui: &mut Ui) {
        for (id, keys) in &KEYS {
            let pressed = |keys: &KeyboardShortcut| ui.input_mut(|input| input.consume_shortcut(keys));
            if !keys.iter().any(pressed) {
                continue;
            }
            match *id {
                "brush-accept" => self.accept(),
                "brush-empty" => self.no_lesion(),
                "brush-skip" => self.skip(),
                "brush-propose" => self.start_from_prediction(&ui.ctx().clone()),
                id => self.step(id == "brush-next"),
            }
        }
    }

    /// The row of the loop: what to do with the proposal, and how far the labelling is.
    pub(super) fn loop_row(&self, ui: &mut Ui, entries: &[Entry], style: &Style, size: f32) -> Option<Asked> {
        let session = self.session.as_ref()?;
        let idle = self.loading.is_none() && self.saving.is_none();
        let waits = self.labelling.awaited.as_ref().is_some_and(|(image, _)| Some(image.as_path()) == self.image());
        let fresh = session.pair.is_none() && self.saved.is_none();
        let proposal = session.is_proposal();
        let can_accept = idle && (session.is_changed() || proposal || !fresh);
        let accept = match (proposal, session.is_changed()) {
            (false, false) if !fresh => {
                ("Checked", "The mask is right as it is: open the next image of the list (Enter)")
            }
            _ => ("Accept", "Save the mask as it is now and open the next image of the list (Enter)"),
        };
        let mut clicked = None;
        ui.horizontal_wrapped(|ui| {
            for (what, can, name, help) in [
                (Asked::Accept, can_accept, accept.0, accept.1),
                (Asked::NoLesion, idle, "No lesion", "Save a mask without lesion and go on: that is a label too (E)"),
                (
                    Asked::Skip,
                    idle,
                    "Skip",
                    "Go on without saving; the image stays without a mask, and is passed over from now on (K)",
                ),
                (
                    Asked::Predict,
                    idle && !waits,
                    "Predict",
                    "Start from the prediction of the newest checkpoint, thresholded and post-processed as the run is; Undo \
                     brings the mask before back (P)",
                ),
            ] {
                if tile::button(ui, can, name, help, size) {
                    clicked = Some(what);
                }
            }
            if self.labelling.guest.is_some() {
                let help = "Leave the folder of the prediction for the one that the form names";
                if tile::button(ui, idle, "Back to the form’s folder", help, size) {
                    clicked = Some(Asked::Home);
                }
            }
            progress(ui, entries, style, size);
            if let Some((done, all)) = self.queue.progress {
                ui.label(tile::weak(format!("· {done} of {all} scored"), size, style));
            }
            let proposed = session.proposal.as_ref().filter(|_| proposal);
            let (text, color) = match (waits, &self.labelling.said, proposed) {
                (true, ..) => ("predicting…".to_owned(), style.text_weak),
                (_, Some(said), _) => (said.clone(), style.warning),
                (_, None, Some(said)) => (format!("proposed by {said}: accept it, or paint on it"), style.good),
                _ => return,
            };
            ui.add(Label::new(RichText::new(&text).size(size + 0.5).color(color)).truncate()).on_hover_text(text);
        });
        clicked
    }

    /// Carries out what was clicked.
    pub(super) fn carry_out(&mut self, asked: Asked, egui: &Context) {
        match asked {
            Asked::Accept => self.accept(),
            Asked::NoLesion => self.no_lesion(),
            Asked::Skip => self.skip(),
            Asked::Predict => self.start_from_prediction(egui),
            Asked::Home => self.labelling.guest = None,
            Asked::Order(order) => self.choose_order(order, egui),
            Asked::Score => self.score(egui),
            Asked::StopScoring => self.stop_scoring(),
        }
    }
}

fn told<T>(kept: Result<T, DataError>) -> Option<String> {
    kept.err().map(|error| error.to_string())
}

/// `7 of 12 labelled`.
fn progress(ui: &mut Ui, entries: &[Entry], style: &Style, size: f32) {
    let (labelled, all) = (entries.iter().filter(|entry| entry.masked).count(), entries.len());
    if all == 0 {
        return;
    }
    let text = format!("{labelled} of {} labelled", number::grouped(all as u64));
    let help = "Images with a mask, of the data set or drawn here, of all images of the folder. It is seen by the masks on disk, \
                and so is the same in every window and after a restart";
    ui.label(RichText::new(text).size(size + 0.5).color(style.text)).on_hover_text(help);
}

/// The value of the parameter `joined` with what was labelled here; `None`: it does not change.
fn joining(session: &Session, listing: &Listing, ctx: &ViewCtx<'_>) -> Option<String> {
    let before = JOINED.of(ctx.params);
    let own = listing.pairs.iter().any(|pair| !pair.masks.is_empty());
    let joins = match &session.pair {
        None => own || is_live(ctx),
        Some(pair) => own && pair.masks.is_empty(),
    };
    if !joins || !may_set(ctx) {
        return None;
    }
    let mut names = joined::wanted(listing, before);
    let drawn = listing.drawn.iter().map(|drawn| drawn.pair.name.clone()).chain([session.name.clone()]);
    for name in drawn {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let text = joined::text(names.iter().map(String::as_str));
    (text != before).then_some(text)
}

fn is_live(ctx: &ViewCtx<'_>) -> bool {
    ctx.run.status.as_ref().is_some_and(|status: &Status| !status.is_over())
}

/// Whether a name of the form's folder can be given to what is running.
fn may_set(ctx: &ViewCtx<'_>) -> bool {
    let of_run =
        FROM_FOLDER.get(&ctx.run.params).unwrap_or(false) && FOLDER.of(&ctx.run.params) == FOLDER.of(ctx.params);
    !is_live(ctx) || of_run
}
