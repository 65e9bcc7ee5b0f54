//! Keeps the draft of the open image as its mask is drawn: a thread writes it, a frame only hands it over.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, SyncSender, TrySendError, channel, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use eframe::egui::Context;

use crate::data::segmentation::drafts::{self, Subject};
use crate::pixels::mask::Mask;

use super::session::Session;

/// Masks that wait for the disk at any one time. While it is slower than the drawing, the newest waits in the editor.
const WAITING: usize = 2;
/// A stroke that goes on is kept every so many seconds.
const STROKE: f64 = 1.0;
/// Seconds until a draft that could not be written is tried again.
const RETRY: f64 = 3.0;
/// Seconds in which a frame looks again whether the thread has room.
const LOOK: f64 = 0.05;
/// How long closing the window may wait for the last draft.
const CLOSING: Duration = Duration::from_secs(2);

/// What the thread is to do.
enum Order {
    Keep { subject: Subject, mask: Mask, instead_of: Option<PathBuf>, writers: Vec<u64> },
    Remove { file: PathBuf, writers: Vec<u64> },
    List { root: PathBuf, images: Vec<PathBuf> },
}

/// What the thread has done.
enum Report {
    Kept(Result<(), String>),
    Listed(Drafted),
}

/// The images of a folder that have drafts.
#[derive(Debug, Default)]
pub struct Drafted {
    pub root: PathBuf,
    pub images: Vec<PathBuf>,
    /// Drafts that cannot be read.
    pub problems: Vec<String>,
}

struct Worker {
    orders: SyncSender<Order>,
    reports: Receiver<Report>,
    thread: JoinHandle<()>,
}

/// The drafts of one window.
pub struct Drafts {
    /// `None`: nothing is kept.
    folder: Option<PathBuf>,
    writer: u64,
    worker: Option<Worker>,
    queue: VecDeque<Order>,
    /// The file of the open image's draft, and the revision of the mask that was handed over for it; `None`: there is none.
    handed: Option<(PathBuf, Option<u64>)>,
    /// When that was.
    at: f64,
    /// When no stroke was going on last.
    at_rest: f64,
    /// Before then nothing is tried again.
    not_before: f64,
    failed: bool,
    /// Why drafts cannot be written.
    pub trouble: Option<String>,
}

impl Default for Drafts {
    fn default() -> Self {
        Self::new(None)
    }
}

impl Drafts {
    /// Keeps drafts in this folder; `None`: keeps none.
    pub fn new(folder: Option<PathBuf>) -> Self {
        let nanoseconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_nanos());
        Self {
            folder,
            // Another number in every window, here and in other processes.
            writer: (nanoseconds as u64).rotate_left(20) ^ u64::from(std::process::id()),
            worker: None,
            queue: VecDeque::new(),
            handed: None,
            at: f64::NEG_INFINITY,
            at_rest: f64::NEG_INFINITY,
            not_before: f64::NEG_INFINITY,
            failed: false,
            trouble: None,
        }
    }

    /// Where they are.
    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    /// Another image is open.
    pub fn begin(&mut self, session: &Session) {
        let Some(folder) = &self.folder else { return };
        let held = session.brought.is_some().then(|| session.editor.revision());
        self.handed = Some((session.subject.file(folder), held));
        self.failed = false;
    }

    /// The open image is closed, and what was drawn on it and not saved is given up.
    pub fn give_up(&mut self, session: &Session) {
        if let Some((file, Some(_))) = self.handed.take() {
            self.remove(session, file);
        }
    }

    /// Removes a draft of the open image.
    pub fn remove(&mut self, session: &Session, file: PathBuf) {
        let writers = self.writers(session);
        self.queue.push_back(Order::Remove { file, writers });
    }

    /// Asks which of these images have drafts; [`Drafts::receive`] gives the answer.
    pub fn list(&mut self, root: PathBuf, images: Vec<PathBuf>) {
        if self.folder.is_some() {
            self.queue.retain(|order| !matches!(order, Order::List { .. }));
            self.queue.push_back(Order::List { root, images });
        }
    }

    /// Hands over what has changed since the last frame. `true`, `false`: from now on the open image has a draft, or none.
    pub fn follow(&mut self, ctx: &Context, session: Option<&Session>) -> Option<bool> {
        let Some(folder) = self.folder.clone() else {
            self.queue.clear();
            return None;
        };
        self.send(ctx);
        let session = session?;
        let (file, held) = (session.subject.file(&folder), wanted(session));
        let now = ctx.input(|input| input.time);
        if !session.editor.in_stroke() {
            self.at_rest = now;
        }
        if !self.failed && self.handed.as_ref() == Some(&(file.clone(), held)) {
            return None;
        }
        let mut due = self.not_before;
        if session.editor.in_stroke() {
            due = due.max(self.at.max(self.at_rest) + STROKE);
        }
        if !self.queue.is_empty() {
            due = due.max(now + LOOK);
        }
        if now < due {
            ctx.request_repaint_after(Duration::from_secs_f64(due - now));
            return None;
        }
        self.at = now;
        self.hand_over(session, file, held);
        self.send(ctx);
        Some(held.is_some())
    }

    /// Puts the state of the mask into the queue.
    fn hand_over(&mut self, session: &Session, file: PathBuf, held: Option<u64>) {
        self.failed = false;
        let before = self.handed.replace((file.clone(), held));
        let old = before.and_then(|(other, held)| held.map(|_| other)).filter(|other| *other != file || held.is_none());
        let writers = self.writers(session);
        if held.is_some() {
            let (subject, mask) = (session.subject.clone(), session.editor.mask().clone());
            self.queue.push_back(Order::Keep { subject, mask, instead_of: old, writers });
        } else if let Some(file) = old {
            self.queue.push_back(Order::Remove { file, writers });
        }
    }

    fn writers(&self, session: &Session) -> Vec<u64> {
        session.writers.iter().copied().chain([self.writer]).collect()
    }

    /// Gives the thread what it has room for.
    fn send(&mut self, ctx: &Context) {
        if self.queue.is_empty() {
            return;
        }
        if self.worker.is_none()
            && let Some(folder) = self.folder.clone()
        {
            match start(folder, self.writer, ctx.clone()) {
                Ok(worker) => self.worker = Some(worker),
                Err(error) => self.trouble = Some(format!("no thread can be started: {error}")),
            }
        }
        let Some(worker) = &self.worker else { return };
        while let Some(order) = self.queue.pop_front() {
            match worker.orders.try_send(order) {
                Ok(()) => {}
                Err(TrySendError::Full(order)) => {
                    self.queue.push_front(order);
                    ctx.request_repaint_after(Duration::from_secs_f64(LOOK));
                    return;
                }
                // The thread has ended in some panic: another one tries again.
                Err(TrySendError::Disconnected(_)) => {
                    (self.worker, self.failed) = (None, true);
                    self.not_before = ctx.input(|input| input.time) + RETRY;
                    return;
                }
            }
        }
    }

    /// Takes in what the thread has done; gives the newest answer to [`Drafts::list`].
    pub fn receive(&mut self, ctx: &Context) -> Option<Drafted> {
        let mut listed = None;
        while let Some(report) = self.worker.as_ref().and_then(|worker| worker.reports.try_recv().ok()) {
            match report {
                Report::Kept(result) => {
                    self.failed = result.is_err();
                    self.trouble = result.err();
                    if self.failed {
                        self.not_before = ctx.input(|input| input.time) + RETRY;
                        ctx.request_repaint_after(Duration::from_secs_f64(RETRY));
                    }
                }
                Report::Listed(found) => listed = Some(found),
            }
        }
        listed
    }

    /// The window closes: whatever is not yet on disk is written, for a moment at most.
    pub fn close(&mut self, session: Option<&Session>) {
        let Some(folder) = self.folder.clone() else { return };
        if let Some(session) = session {
            let (file, held) = (session.subject.file(&folder), wanted(session));
            if self.failed || self.handed.as_ref() != Some(&(file.clone(), held)) {
                self.hand_over(session, file, held);
            }
        }
        let until = Instant::now() + CLOSING;
        while !self.queue.is_empty() && Instant::now() < until {
            self.send(&Context::default());
            if !self.queue.is_empty() {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        if let Some(Worker { orders, thread, .. }) = self.worker.take() {
            drop(orders);
            while !thread.is_finished() && Instant::now() < until {
                std::thread::sleep(Duration::from_millis(2));
            }
        }
    }
}

/// The revision of the mask that a draft is to hold; `None`: none is needed.
fn wanted(session: &Session) -> Option<u64> {
    session.is_changed().then(|| session.editor.revision())
}

fn start(folder: PathBuf, writer: u64, ctx: Context) -> std::io::Result<Worker> {
    let (orders, todo) = sync_channel::<Order>(WAITING);
    let (done, reports) = channel();
    let thread = std::thread::Builder::new().name("drafts".to_owned()).spawn(move || {
        while let Ok(order) = todo.recv() {
            carry_out(&folder, writer, order, &done);
            ctx.request_repaint();
        }
    })?;
    Ok(Worker { orders, reports, thread })
}

/// The thread's work. Nobody may be there any more to hear of it.
fn carry_out(folder: &Path, writer: u64, order: Order, done: &Sender<Report>) {
    match order {
        Order::Keep { subject, mask, instead_of, writers } => {
            let kept = drafts::write(folder, &subject, &mask, writer);
            if let (Ok(()), Some(old)) = (&kept, instead_of) {
                let _ = drafts::remove(&old, &writers);
            }
            let kept = kept.map_err(|error| {
                format!(
                    "no draft can be kept in {}: {error}; what is not saved would be lost in a crash",
                    folder.display()
                )
            });
            let _ = done.send(Report::Kept(kept));
        }
        // One that stays is offered again when the image is opened.
        Order::Remove { file, writers } => {
            let _ = drafts::remove(&file, &writers);
        }
        Order::List { root, images } => {
            let (images, problems) = drafts::of_folder(folder, &root, &images);
            let _ = done.send(Report::Listed(Drafted { root, images, problems }));
        }
    }
}
