//! A folder of images and masks as the window knows it. Looking at it is a thread's work: a frame takes in what is done
//! and never waits.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use eframe::egui::Context;

use crate::data::segmentation::DataError;
use crate::data::segmentation::choice::FolderChoice;
use crate::data::segmentation::lesion::Lesion;
use crate::data::segmentation::listing::{Listing, scan_chosen};
use crate::data::segmentation::plan::{Seen, SplitChoice, SplitPlan, plan};
use crate::data::segmentation::read::Rules;
use crate::engine::params::Params;
use crate::labs::segmentation::params::{FOLDER, FROM_FOLDER};
use crate::labs::segmentation::reading::{Examined, Input, examine};
use crate::labs::segmentation::{params, source};
use crate::plot::background::{Latest, Task, repaint};

/// A path that is being typed is looked at once it rests for so many seconds.
const REST: f64 = 0.6;

/// What the form says about the data.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Choice {
    /// A folder; otherwise the pictures are generated.
    pub of_folder: bool,
    /// Empty where none is chosen.
    pub folder: PathBuf,
    pub which: FolderChoice,
    pub split: SplitChoice,
    /// What of a mask is lesion, as far as it can be understood.
    pub lesion: Lesion,
    /// What the network takes: images that are looked at are made ready for a run.
    pub input: Option<Input>,
}

impl Choice {
    /// Reads the parameters.
    pub fn of(params: &Params) -> Self {
        Self {
            of_folder: FROM_FOLDER.of(params),
            folder: PathBuf::from(FOLDER.of(params)),
            which: source::folder_choice(params),
            split: source::split_choice(params),
            lesion: params::lesion(params).unwrap_or_default(),
            input: Some(source::input(params)),
        }
    }
}

/// What follows from it with the form's choices.
#[derive(Debug, Default)]
pub struct Verdict {
    /// Why a choice cannot be used; the split is then without it.
    pub refused: Option<String>,
    pub plan: SplitPlan,
}

/// The question that a [`Verdict`] answers.
#[derive(Debug, Clone)]
struct Question {
    examined: Arc<Examined>,
    which: FolderChoice,
    choice: SplitChoice,
}

impl PartialEq for Question {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.examined, &other.examined) && self.which == other.which && self.choice == other.choice
    }
}

/// How far the thread is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Reading the files' pixels; before, their names and sizes.
    pub reading: bool,
    pub done: usize,
    /// 0: not known yet.
    pub total: usize,
}

/// What was seen before the mask of an image was saved, and that image.
type Known = (Arc<Examined>, PathBuf);

/// What a thread does: first the names and sizes, then the pixels.
enum Job {
    Listing(Task<Result<Listing, DataError>>, Option<Known>),
    Reading(Task<Arc<Examined>>),
}

/// The folder that the form names, and what is known of it.
#[derive(Default)]
pub struct Folder {
    /// The folder that is looked at.
    path: PathBuf,
    /// Which of its images and masks are wanted.
    which: FolderChoice,
    /// What is taken for lesion there.
    lesion: Lesion,
    /// The folder, what of it and the lesion that the form names, and since when.
    wanted: (PathBuf, FolderChoice, Lesion, f64),
    input: Option<Input>,
    job: Option<Job>,
    listing: Option<Arc<Listing>>,
    examined: Option<Arc<Examined>>,
    verdict: Latest<Question, Arc<Verdict>>,
    question: Option<Question>,
    error: Option<String>,
    /// Somebody stopped it.
    stopped: bool,
}

impl std::fmt::Debug for Folder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Folder").field("path", &self.path).field("busy", &self.job.is_some()).finish_non_exhaustive()
    }
}

impl Folder {
    /// Takes in what is done and begins what the form asks for. Call it once a frame.
    pub fn update(&mut self, ctx: &Context, choice: &Choice) {
        self.receive(ctx);
        self.input = choice.input;
        let now = ctx.input(|input| input.time);
        let wanted = if choice.of_folder { choice.folder.clone() } else { PathBuf::new() };
        if self.wanted.0 != wanted || self.wanted.1 != choice.which || self.wanted.2 != choice.lesion {
            // The first folder needs no rest.
            let since = if self.wanted.0.as_os_str().is_empty() { now - REST } else { now };
            self.wanted = (wanted, choice.which.clone(), choice.lesion.clone(), since);
        }
        if self.path != self.wanted.0 || self.which != self.wanted.1 || self.lesion != self.wanted.2 {
            self.forget();
            if now - self.wanted.3 >= REST {
                let (path, which, lesion, _) = self.wanted.clone();
                (self.path, self.which, self.lesion) = (path, which, lesion);
                self.scan(ctx);
            } else {
                ctx.request_repaint_after(Duration::from_secs_f64(REST));
            }
        }
        if let Some(examined) = &self.examined {
            let question =
                Question { examined: examined.clone(), which: self.which.clone(), choice: choice.split.clone() };
            self.verdict.update("split of a folder", ctx, &question, |question| Arc::new(judge(question)));
            self.question = Some(question);
        }
        if self.job.is_some() {
            ctx.request_repaint_after(Duration::from_millis(100));
        }
    }

    fn forget(&mut self) {
        (self.job, self.listing, self.examined, self.question, self.error) = (None, None, None, None, None);
        (self.path, self.verdict, self.stopped) = (PathBuf::new(), Latest::default(), false);
    }

    fn receive(&mut self, ctx: &Context) {
        match self.job.take() {
            Some(Job::Listing(task, known)) => match task.poll() {
                None => self.job = Some(Job::Listing(task, known)),
                Some(Ok(Ok(listing))) => self.read(ctx, Arc::new(listing), known),
                Some(Ok(Err(error))) => self.error = Some(error.to_string()),
                Some(Err(problem)) => self.error = Some(problem),
            },
            Some(Job::Reading(task)) => match task.poll() {
                None => self.job = Some(Job::Reading(task)),
                Some(Ok(examined)) => {
                    // One listing, so that numbers of pairs agree.
                    self.listing = Some(examined.listing.clone());
                    self.stopped = examined.stopped;
                    self.examined = Some(examined);
                }
                Some(Err(problem)) => self.error = Some(problem),
            },
            None => {}
        }
    }

    fn read(&mut self, ctx: &Context, listing: Arc<Listing>, known: Option<Known>) {
        self.listing = Some(listing.clone());
        let (lesion, input) = (self.lesion.clone(), self.input);
        self.job = Some(Job::Reading(Task::begin("data doctor", repaint(ctx), move |watch| {
            let known = known.as_ref().map(|(known, image)| (known, image.as_path()));
            examine(&listing, &lesion, input, known, watch)
        })));
    }

    /// Looks at the folder anew.
    pub fn scan(&mut self, ctx: &Context) {
        self.begin(ctx, None);
    }

    /// Looks at the folder again after the mask of `image` was saved; what else was read before is kept.
    pub fn refresh(&mut self, ctx: &Context, image: &Path) {
        if !self.path.as_os_str().is_empty() {
            self.begin(ctx, self.examined.clone().map(|known| (known, image.to_owned())));
        }
    }

    fn begin(&mut self, ctx: &Context, known: Option<Known>) {
        (self.error, self.stopped) = (None, false);
        if self.path.as_os_str().is_empty() {
            return;
        }
        let (path, which) = (self.path.clone(), self.which.clone());
        let task = Task::begin("folder of images", repaint(ctx), move |watch| scan_chosen(&path, None, &which, watch));
        self.job = Some(Job::Listing(task, known));
    }

    /// Stops reading; what was found so far stays.
    pub fn stop(&mut self) {
        match &self.job {
            Some(Job::Listing(task, _)) => task.stop(),
            Some(Job::Reading(task)) => task.stop(),
            None => return,
        }
        self.stopped = true;
    }

    /// How far the thread is; `None`: it rests.
    pub fn progress(&self) -> Option<Progress> {
        let (reading, (done, total)) = match self.job.as_ref()? {
            Job::Listing(task, _) => (false, task.progress()),
            Job::Reading(task) => (true, task.progress()),
        };
        Some(Progress { reading, done, total })
    }

    /// What is in the folder.
    pub fn listing(&self) -> Option<&Arc<Listing>> {
        self.listing.as_ref()
    }

    /// How its files are read, once that is known.
    pub fn rules(&self) -> Option<&Rules> {
        Some(&self.examined.as_ref()?.rules)
    }

    /// The split and the findings, and whether they belong to the form as it is now.
    pub fn verdict(&mut self, ctx: &Context) -> Option<(Arc<Verdict>, bool)> {
        let question = self.question.clone()?;
        let found =
            self.verdict.update("split of a folder", ctx, &question, |question| Arc::new(judge(question)))?.clone();
        Some((found, self.verdict.is_current(&question)))
    }

    /// Why the folder cannot be used.
    pub fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }

    /// Whether somebody stopped it before everything was read.
    pub fn is_stopped(&self) -> bool {
        self.stopped
    }

    /// The folder that is looked at; empty: none.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Splits what could be read, as a run does, and lists what is odd.
fn judge(question: &Question) -> Verdict {
    let Question { examined, which, choice } = question;
    let Examined { listing, rules, exams, unread, duplicates, .. } = &**examined;
    let fits = which.check(listing).and_then(|()| choice.check(listing)).and_then(|()| choice.check_files(listing));
    let refused = fits.err().map(|(_, problem)| problem);
    Verdict { refused, plan: plan(Seen { listing, rules, exams, unread, duplicates }, choice) }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Instant;

    use super::*;
    use crate::data::segmentation::Watch;
    use crate::labs::segmentation::source::load;

    /// Six pairs, and parameters that name their folder.
    fn pairs(folder: &Path) -> Params {
        for i in 0..6_u32 {
            let save = |name: String, of: &dyn Fn(u32, u32) -> u8| {
                let picture = image::GrayImage::from_fn(50, 40, |x, y| image::Luma([of(x, y)]));
                picture.save(folder.join(name)).unwrap();
            };
            save(format!("{i}.png"), &|x, y| ((x * (i + 3) + y * 7) % 251) as u8);
            save(format!("{i}_mask.png"), &|x, _| 255 * u8::from((10 + i..30).contains(&x)));
        }
        let mut params = Params::defaults(params::PARAMS);
        for text in ["source=folder", &format!("data={}", folder.display()), "image_size=16"] {
            params.set_text(params::PARAMS, text).unwrap();
        }
        params
    }

    fn look(folder: &mut Folder, params: &Params) -> Arc<Examined> {
        let (ctx, start) = (Context::default(), Instant::now());
        loop {
            folder.update(&ctx, &Choice::of(params));
            if let (Some(examined), None) = (&folder.examined, &folder.job) {
                return examined.clone();
            }
            assert!(start.elapsed() < Duration::from_secs(60) && folder.error.is_none(), "{:?}", folder.error);
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// The pairs that a run reads.
    fn read(params: &Params) -> usize {
        let most = AtomicUsize::new(0);
        let progress = |_, all| {
            most.fetch_max(all, Ordering::Relaxed);
        };
        load(params, Watch { progress: &progress, ..Watch::nobody() }).unwrap();
        most.load(Ordering::Relaxed)
    }

    #[test]
    fn a_folder_that_the_tile_has_read_is_not_read_again_by_a_run() {
        let place = tempfile::tempdir().unwrap();
        let params = pairs(place.path());
        // Other tests of this process may take the one place in memory meanwhile.
        let at_hand = |prepare: &dyn Fn()| {
            (0..50).any(|_| {
                prepare();
                read(&params) == 0
            })
        };
        assert!(at_hand(&|| drop(look(&mut Folder::default(), &params))));
        let mut other = params.clone();
        other.set_text(params::PARAMS, "split_seed=3").unwrap();
        assert!(at_hand(&|| drop(load(&other, Watch::nobody()))), "nor for another split");

        let before = load(&params, Watch::nobody()).unwrap().described();
        std::fs::write(place.path().join("0.png"), std::fs::read(place.path().join("5.png")).unwrap()).unwrap();
        look(&mut Folder::default(), &params);
        let after = load(&params, Watch::nobody()).unwrap().described();
        assert_ne!(before, after, "a changed file is read");
    }

    #[test]
    fn a_run_after_a_corrected_mask_has_what_a_fresh_reading_has() {
        let at_hand = (0..50).any(|_| {
            let place = tempfile::tempdir().unwrap();
            let params = pairs(place.path());
            let mut folder = Folder::default();
            let before = look(&mut folder, &params);
            std::fs::create_dir(place.path().join("learnscope-masks")).unwrap();
            let mask = image::GrayImage::from_fn(50, 40, |x, _| image::Luma([255 * u8::from(x < 9)]));
            mask.save(place.path().join("learnscope-masks/2.png")).unwrap();
            folder.refresh(&Context::default(), &place.path().join("2.png"));
            let after = look(&mut folder, &params);
            assert_ne!(before.exams[2], after.exams[2]);
            let again = read(&params);
            let refreshed = load(&params, Watch::nobody()).unwrap();
            // Another set takes its place.
            load(&Params::defaults(params::PARAMS), Watch::nobody()).unwrap();
            let fresh = load(&params, Watch::nobody()).unwrap();
            assert_eq!((refreshed.described(), &refreshed.items), (fresh.described(), &fresh.items));
            again == 0
        });
        assert!(at_hand);
    }
}
