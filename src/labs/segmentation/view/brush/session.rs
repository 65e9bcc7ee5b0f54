//! The image that is open in the brush: read and saved by threads of their own.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError, channel};

use eframe::egui::Context;

use crate::data::segmentation::edit::Editor;
use crate::data::segmentation::listing::{Listing, Pair};
use crate::data::segmentation::read::{Picture, Reader};
use crate::data::segmentation::save::{drawn_path, save_corrected, save_mask};
use crate::metrics::mask::Mask;
use crate::metrics::mask::outline::{Outline, OutlineStyle, outlines};

/// An image with the mask that is drawn on it.
pub struct Session {
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
    pub editor: Editor,
    /// A mask that could not be read; the editor began with an empty one.
    pub warning: Option<String>,
}

impl Session {
    /// Reads the image and its masks.
    fn read(listing: Arc<Listing>, image: &Path) -> Result<Self, String> {
        let said =
            |problem: crate::data::segmentation::Problem| format!("{}: {}", problem.path.display(), problem.problem);
        let reader = Reader::default();
        let pair = listing.pairs.iter().find(|pair| pair.image == image).cloned();
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
        Ok(Session {
            name: pair.as_ref().map_or_else(|| below.display().to_string(), |pair| pair.name.clone()),
            listing,
            image: image.to_owned(),
            pair,
            picture,
            original_outlines: outlines(&original, OutlineStyle::Midpoints),
            original,
            editor: Editor::new(mask),
            warning,
        })
    }
}

/// What a thread is to bring.
pub struct Waiting<T> {
    receiver: Receiver<Result<T, String>>,
}

impl<T: Send + 'static> Waiting<T> {
    fn begin(ctx: &Context, name: &str, work: impl FnOnce() -> Result<T, String> + Send + 'static) -> Self {
        let (sender, receiver) = channel();
        let (ctx, to_thread) = (ctx.clone(), sender.clone());
        let spawned = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            // The window may be gone by then.
            let _ = to_thread.send(work());
            ctx.request_repaint();
        });
        if let Err(error) = spawned {
            let _ = sender.send(Err(format!("no thread can be started: {error}")));
        }
        Self { receiver }
    }

    /// What it has brought; `None`: nothing yet.
    pub fn poll(&self) -> Option<Result<T, String>> {
        match self.receiver.try_recv() {
            Ok(found) => Some(found),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => Some(Err("the work ended early; try again".to_owned())),
        }
    }
}

/// Begins to read an image of this listing.
pub fn load(ctx: &Context, listing: Arc<Listing>, image: PathBuf) -> Waiting<Box<Session>> {
    Waiting::begin(ctx, "open image", move || Session::read(listing, &image).map(Box::new))
}

/// A mask that is being saved.
pub struct Saving {
    pub waiting: Waiting<PathBuf>,
    /// The mask as it is saved; the editor may go on meanwhile.
    pub mask: Mask,
}

/// Begins to save the mask as it is now, in the folder for corrected masks; the data set's own files are not touched.
pub fn save(ctx: &Context, session: &Session) -> Saving {
    let mask = session.editor.mask().clone();
    let (listing, pair, image) = (session.listing.clone(), session.pair.clone(), session.image.clone());
    let (size, of_thread) = (session.picture.original, mask.clone());
    let waiting = Waiting::begin(ctx, "save mask", move || {
        let saved = match &pair {
            Some(pair) => save_corrected(&listing, pair, &of_thread),
            None => save_mask(&drawn_path(&listing, &image), &of_thread, size),
        };
        saved.map_err(|error| error.to_string())
    });
    Saving { waiting, mask }
}
