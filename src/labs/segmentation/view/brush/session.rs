//! The image that is open in the brush: read and saved by threads of their own.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::SystemTime;

use eframe::egui::Context;

use crate::data::segmentation::Watch;
use crate::data::segmentation::drafts::{self, Draft, Fit, Subject};
use crate::data::segmentation::edit::Editor;
use crate::data::segmentation::lesion::Lesion;
use crate::data::segmentation::listing::{Listing, Pair};
use crate::data::segmentation::read::{Picture, Reader, Rules};
use crate::data::segmentation::save::{corrected_path, drawn_path, save_corrected, save_drawn};
use crate::labs::segmentation::predict::proposals::Proposal;
use crate::pixels::mask::Mask;
use crate::pixels::mask::outline::{Outline, OutlineStyle, outlines};
use crate::pixels::resize::{Resampling, Size, resize_mask};
use crate::plot::background::{Task, repaint};

/// How the data set's files are read.
#[derive(Debug, Clone, Default)]
pub struct How {
    pub lesion: Lesion,
    /// `None`: not known yet, and found out before an image is opened.
    pub rules: Option<Rules>,
}

/// An image with the mask that is drawn on it.
pub struct Session {
    /// Is asked for a frame when something is done.
    ctx: Context,
    pub listing: Arc<Listing>,
    pub image: PathBuf,
    /// Below the folder, without extension.
    pub name: String,
    /// `None`: the image has no mask yet, and one is drawn.
    pub pair: Option<Pair>,
    pub picture: Picture,
    /// The data set's own mask; empty where there is none.
    pub original: Mask,
    pub original_outlines: Vec<Outline>,
    /// The mask as it is saved.
    pub on_disk: Mask,
    /// Its file as it was when it was read or written here.
    known: Arc<Mutex<Stamp>>,
    pub editor: Editor,
    /// Who proposed the mask that the drawing began with, in words.
    pub proposal: Option<String>,
    /// What a draft of it belongs to.
    pub subject: Subject,
    /// The draft that the editor began with.
    pub brought: Option<Draft>,
    /// Drafts that do not fit any more, newest first.
    pub offers: VecDeque<Draft>,
    /// Files of those that were used; they go once the mask is saved.
    pub used: Vec<PathBuf>,
    /// Other windows, earlier ones mostly, whose drafts were taken over here.
    pub writers: Vec<u64>,
    /// Drafts that could not be read.
    pub draft_problems: Vec<String>,
    /// A mask that could not be read; the editor began with an empty one.
    pub warning: Option<String>,
}

impl Session {
    /// Reads the image, its masks and its draft.
    pub(super) fn read(
        ctx: Context,
        listing: Arc<Listing>,
        image: &Path,
        drafts: Option<&Path>,
        how: How,
    ) -> Result<Self, String> {
        let said =
            |problem: crate::data::segmentation::Problem| format!("{}: {}", problem.path.display(), problem.problem);
        let reader = Reader::default();
        let rules = how.rules.unwrap_or_else(|| reader.survey(&listing.pairs, &[], &how.lesion, Watch::nobody()));
        let reader = reader.with_rules(rules);
        let pair = listing.pair_of(image).cloned();
        // Before it is read: what is written meanwhile is a change.
        let known = Arc::new(Mutex::new(stamp(&place(&listing, pair.as_ref(), image))));
        let mut warning = None;
        let (picture, mask, original) = match &pair {
            None => {
                let picture = reader.picture(image).map_err(said)?;
                let mask = Mask::empty(picture.height, picture.width);
                (picture, mask.clone(), mask)
            }
            Some(pair) => {
                let own = Pair { corrected: None, ..pair.clone() };
                let mut of = |pair: &Pair| {
                    reader.pair(pair).or_else(|problem| {
                        let picture = reader.picture(image).map_err(said)?;
                        warning = Some(format!("{}; the drawing begins without it", said(problem)));
                        let mask = Mask::empty(picture.height, picture.width);
                        Ok::<_, String>(crate::data::segmentation::read::Sample {
                            picture,
                            mask,
                            facts: Default::default(),
                        })
                    })
                };
                let sample = of(pair)?;
                let original = if pair.corrected.is_some() { of(&own)?.mask } else { sample.mask.clone() };
                (sample.picture, sample.mask, original)
            }
        };
        let below = image.strip_prefix(&listing.root).unwrap_or(image).with_extension("");
        let subject = Subject::new(drafts::absolute(&listing.root, image), picture.original, &mask);
        let mut session = Session {
            ctx,
            name: pair.as_ref().map_or_else(|| below.display().to_string(), |pair| pair.name.clone()),
            listing,
            image: image.to_owned(),
            pair,
            picture,
            original_outlines: outlines(&original, OutlineStyle::Midpoints),
            original,
            editor: Editor::new(mask.clone()),
            proposal: None,
            on_disk: mask,
            known,
            subject,
            brought: None,
            offers: VecDeque::new(),
            used: Vec::new(),
            writers: Vec::new(),
            draft_problems: Vec::new(),
            warning,
        };
        if let Some(folder) = drafts {
            session.bring_back(folder);
        }
        Ok(session)
    }

    /// Puts a network's mask in place of what is there, as a change that can be undone.
    pub fn propose(&mut self, proposal: Proposal) {
        let own = Size { height: self.on_disk.height(), width: self.on_disk.width() };
        let given = Size { height: proposal.mask.height(), width: proposal.mask.width() };
        let mask = if own == given || given.pixels() == 0 {
            proposal.mask
        } else {
            // A huge image that was read at another scale.
            let pixels = resize_mask(proposal.mask.pixels(), given, own, Resampling::NearestCentre);
            Mask::new(own.height, own.width, pixels).unwrap_or_default()
        };
        if (mask.height(), mask.width()) == (own.height, own.width) {
            self.editor.replace(mask);
            self.editor.mark_proposed();
            self.proposal = Some(proposal.said);
        }
    }

    /// Whether the mask is the network's, and nobody has drawn on it.
    pub fn is_proposal(&self) -> bool {
        self.proposal.is_some() && self.editor.is_proposed()
    }

    /// Whether something was drawn that is not saved. A network's mask that nobody has drawn on can be had again.
    pub fn is_changed(&self) -> bool {
        self.editor.is_changed() && !self.is_proposal()
    }

    /// Goes on from the draft of an earlier window, as a change that can be undone; one that does not fit is offered.
    fn bring_back(&mut self, folder: &Path) {
        let found = drafts::of_image(folder, &self.subject);
        self.draft_problems = found.problems;
        for draft in found.drafts {
            let fit = draft.fit(&self.subject);
            if fit != Fit::OtherSize && draft.mask() == self.on_disk {
                // It was saved, and the window closed before it could remove it.
                let _ = drafts::remove(&draft.file, &[draft.writer]);
            } else if fit == Fit::Fits {
                self.editor.replace(draft.mask());
                self.writers.push(draft.writer);
                self.brought = Some(draft);
            } else {
                self.offers.push_back(draft);
            }
        }
    }

    /// Puts a draft that does not fit in place of the mask, as a change that can be undone.
    pub fn use_offer(&mut self) {
        if let Some(draft) = self.offers.pop_front() {
            self.editor.replace(draft.mask());
            self.writers.push(draft.writer);
            self.used.push(draft.file);
        }
    }

    /// The saved mask in place of what was drawn, as a change that can be undone.
    pub fn discard(&mut self) {
        self.editor.replace(self.on_disk.clone());
        self.editor.mark_saved();
        self.brought = None;
    }
}

/// Bytes of a file and when it was written; `None`: there is none.
type Stamp = Option<(u64, Option<SystemTime>)>;

fn stamp(path: &Path) -> Stamp {
    std::fs::metadata(path).ok().map(|about| (about.len(), about.modified().ok()))
}

/// Where the mask of an image is saved.
fn place(listing: &Listing, pair: Option<&Pair>, image: &Path) -> PathBuf {
    pair.map_or_else(|| drawn_path(listing, image), |pair| corrected_path(listing, pair))
}

/// An image that is being read.
pub type Opening = Task<Result<Box<Session>, String>>;

/// Begins to read an image of this listing, and its draft in the folder `drafts`.
pub fn load(ctx: &Context, listing: Arc<Listing>, image: PathBuf, drafts: Option<PathBuf>, how: How) -> Opening {
    let of_session = ctx.clone();
    Task::begin("open image", repaint(ctx), move |_| {
        Session::read(of_session, listing, &image, drafts.as_deref(), how).map(Box::new)
    })
}

/// A mask that is being saved.
pub struct Saving {
    result: Arc<OnceLock<Result<Saved, String>>>,
    thread: Option<JoinHandle<()>>,
    /// The mask as it is saved; the editor may go on meanwhile.
    pub mask: Mask,
}

/// A mask on disk.
#[derive(Debug, Clone)]
pub struct Saved {
    pub path: PathBuf,
    /// What drafts belong to from now on.
    pub subject: Subject,
}

impl Saving {
    /// How it ended; `None`: it goes on. To be asked by anybody, as often as wanted.
    pub fn result(&self) -> Option<Result<Saved, String>> {
        // A thread that has ended has left its result, unless it ended in a panic.
        let over = self.thread.as_ref().is_none_or(JoinHandle::is_finished);
        let early = || over.then(|| Err("the mask is not saved: the work ended early; save again".to_owned()));
        self.result.get().cloned().or_else(early)
    }
}

/// Begins to save the mask as it is now, in the folder for corrected masks; the data set's own files are not touched. A file
/// that somebody else has written meanwhile, another window maybe, is replaced only when asked a second time.
pub fn save(session: &mut Session) -> Saving {
    session.editor.begin_save();
    let mask = session.editor.mask().clone();
    let (listing, pair, image) = (session.listing.clone(), session.pair.clone(), session.image.clone());
    let (size, subject) = (session.picture.original, session.subject.clone());
    let (of_thread, ctx, result) = (mask.clone(), session.ctx.clone(), Arc::new(OnceLock::new()));
    let (to_thread, known) = (result.clone(), session.known.clone());
    let spawned = std::thread::Builder::new().name("save mask".to_owned()).spawn(move || {
        let path = place(&listing, pair.as_ref(), &image);
        let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
        let found = stamp(&path);
        let saved = if std::mem::replace(&mut *known, found) == found {
            let saved = match &pair {
                Some(pair) => save_corrected(&listing, pair, &of_thread),
                None => save_drawn(&listing, &image, &of_thread, size),
            };
            *known = stamp(&path);
            saved.map_err(|error| error.to_string())
        } else {
            Err(format!(
                "the mask is not saved: `{}` has changed since it was read here, in another window maybe; save again to \
                 replace it, or open the image anew to see it",
                path.display()
            ))
        };
        let _ = to_thread.set(saved.map(|path| Saved { path, subject: subject.saved(&of_thread) }));
        ctx.request_repaint();
    });
    let thread = spawned
        .inspect_err(|error| {
            let _ = result.set(Err(format!("the mask is not saved: no thread can be started: {error}")));
        })
        .ok();
    Saving { result, thread, mask }
}
