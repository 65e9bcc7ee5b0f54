//! The tile of the data: what was found in the folder before it is used, how it is split, and what the doctor says.

pub mod findings;
pub mod folder;
mod overview;
mod pairing;
pub mod sample;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use eframe::egui::{Label, ProgressBar, Rect, RichText, ScrollArea, Ui, UiBuilder, pos2, vec2};

use crate::data::segmentation::listing::Listing;
use crate::data::segmentation::read::Rules;
use crate::engine::event::{Level, Payload};
use crate::engine::state::RunState;
use crate::kit::fields::Fields;
use crate::kit::view::{ViewAction, ViewCtx};
use crate::plot::tile;

use super::{SegmentationView, brush};
use crate::kit::tiles::{Tile, TileCommand, TileSpec};
use crate::labs::segmentation::params::{FOLDER, FROM_FOLDER, IMAGE_SIZE, SPLIT_SEED, SYNTHETIC_IMAGES};
use findings::{Findings, Line};
use folder::{Choice, Folder, Progress, Verdict};
use pairing::Pairing;
use sample::SampleSet;

/// The tile.
pub static TILE: Tile<SegmentationView> = Tile {
    spec: TileSpec {
        id: "data",
        title: "Data",
        help: "What was found in the folder before it is used, how it is split by groups, and the data doctor's \
               list. Click a line to open its image in the brush.",
        area: "large",
        follows_cursor: false,
    },
    show: |view, ui, ctx| {
        if let Some(image) = view.data.show(ui, ctx) {
            view.brush.open(image);
            ctx.actions.push(ViewAction::ShowTile(brush::TILE.spec.id));
        }
    },
    commands: &[
        TileCommand {
            id: "data-choose",
            title: "Data: choose the folder of images and masks",
            run: |_, ctx, _| ctx.actions.push(ViewAction::ChooseFile { key: FOLDER.key().to_owned() }),
        },
        TileCommand {
            id: "data-read",
            title: "Data: read the folder (again) and look for what is odd",
            run: |view, _, egui| {
                if !view.data.folder.path().as_os_str().is_empty() {
                    view.data.folder.scan(egui);
                }
            },
        },
        TileCommand {
            id: "data-pairing",
            title: "Data: say where images and masks are",
            run: |view, ctx, egui| view.data.pairing.open(ctx.params, egui),
        },
        TileCommand { id: "data-stop", title: "Data: stop reading", run: |view, _, _| view.data.folder.stop() },
    ],
};

/// View state of the tile, and the folder that the brush shares.
#[derive(Debug, Default)]
pub struct DataTile {
    pub folder: Folder,
    pub sample: SampleSet,
    findings: Findings,
    pairing: Pairing,
    /// Shows what the run recorded rather than the form's folder; `None`: whichever belongs together.
    recorded: Option<bool>,
    /// What a listing says of itself, made once.
    about: Option<(Arc<Listing>, Option<Rules>, Vec<String>)>,
    /// The lines of a verdict, made once.
    lines: Option<(Arc<Verdict>, Vec<Line>)>,
}

impl DataTile {
    /// What of it belongs to a scene.
    pub fn fields(&mut self, fields: &mut Fields) {
        fields.optional("recorded", &mut self.recorded);
    }

    /// Draws the tile. Gives the image that somebody wants to open in the brush.
    pub fn show(&mut self, ui: &mut Ui, ctx: &mut ViewCtx<'_>) -> Option<PathBuf> {
        let choice = Choice::of(ctx.params);
        self.folder.update(ui.ctx(), &choice);
        self.pairing.show(ui.ctx(), ctx);
        let size = tile::font_size(ctx.presenting);
        let (bar, rest) = tile::split(ui, size);
        let summary = recorded_summary(ctx);
        let same = [FROM_FOLDER.key(), FOLDER.key()].iter().all(|key| ctx.run.params.get(key) == ctx.params.get(key));
        let of_run = summary.is_some() && self.recorded.unwrap_or(same && ctx.run.is_live());
        self.bar(ui, bar, ctx, &choice, summary.is_some(), of_run);
        if !rest.is_positive() || rest.width() < 8.0 * size || rest.height() < 2.0 * size {
            return None;
        }
        match summary {
            Some(summary) if of_run => self.run(ui, rest, ctx, &summary),
            _ if !choice.of_folder => {
                self.synthetic(ui, rest, ctx);
                None
            }
            _ => self.chosen(ui, rest, ctx, &choice),
        }
    }

    fn bar(&mut self, ui: &mut Ui, rect: Rect, ctx: &mut ViewCtx<'_>, choice: &Choice, has_run: bool, of_run: bool) {
        let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
        let text = match (of_run, choice.of_folder, self.folder.listing()) {
            (true, ..) => "as the run found it".to_owned(),
            (_, false, _) => "generated pictures".to_owned(),
            (_, true, Some(listing)) => listing.root.display().to_string(),
            (_, true, None) => choice.folder.display().to_string(),
        };
        let (mut scan, mut pairing) = (false, false);
        tile::bar(ui, rect, tile::weak(text, size, style), |ui| {
            if has_run {
                if tile::toggle(ui, of_run, "run", "What the run recorded when it began", size) {
                    self.recorded = Some(true);
                }
                if tile::toggle(ui, !of_run, "form", "What the form asks for now", size) {
                    self.recorded = Some(false);
                }
            }
            if !of_run && choice.of_folder && !choice.folder.as_os_str().is_empty() {
                let help = "Look at the folder again, for files that were added or changed";
                scan = tile::button(ui, self.folder.progress().is_none(), "Look again", help, size);
                pairing = pairing_button(ui, size);
                choose(ui, ctx, size);
            }
        });
        if pairing {
            self.pairing.open(ctx.params, ui.ctx());
        }
        if scan {
            self.folder.scan(ui.ctx());
        }
    }

    /// What the run's own recording says.
    fn run(&mut self, ui: &mut Ui, rest: Rect, ctx: &mut ViewCtx<'_>, summary: &str) -> Option<PathBuf> {
        let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
        let (about, list) = halves(rest, size);
        section(ui, about, "recorded", |ui| {
            for line in summary.lines() {
                ui.add(Label::new(RichText::new(line).size(size + 1.0).color(style.text)).wrap());
            }
            if let Some((_, parts)) = ctx.payload("data/parts")
                && let Payload::Table { columns, rows } = &*parts
            {
                ui.add_space(4.0);
                overview::table(ui, columns, rows, style, size);
            }
        });
        let doctor = ctx.payload("data/doctor")?;
        let Payload::Table { columns, rows } = &*doctor.1 else { return None };
        let lines = Line::recorded(columns, rows, Path::new(&folder_of(ctx.run)));
        let clicked = self.findings.show(ui, list, &lines, style, size)?;
        self.image_of(&clicked, ctx)
    }

    fn synthetic(&mut self, ui: &mut Ui, rest: Rect, ctx: &mut ViewCtx<'_>) {
        let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
        let count = SYNTHETIC_IMAGES.get(ctx.params).map_or_else(String::new, |count| format!("{count} "));
        let seed = SPLIT_SEED.get(ctx.params).map_or_else(String::new, |seed| format!(" from seed {seed}"));
        let network = IMAGE_SIZE
            .get(ctx.params)
            .map_or_else(String::new, |side| format!(", shown to the network at {side}×{side}"));
        section(ui, rest, "synthetic", |ui| {
            ui.label(RichText::new("Synthetic ultrasound").size(size + 4.0).color(style.text));
            ui.add_space(4.0);
            for line in [
                format!(
                    "{count}pictures are generated{seed}: speckle, dark lesions with known outlines, shadows, and dark \
                         blobs that are no lesion. 96 to 128 pixels a side{network}."
                ),
                "Outlines are smooth or irregular; every 18th picture has two lesions, and one in twelve has none."
                    .to_owned(),
                "No patient was imaged. A network trained on them is of no use for medicine.".to_owned(),
            ] {
                ui.add(Label::new(RichText::new(line).size(size + 1.0).color(style.text_weak)).wrap());
                ui.add_space(2.0);
            }
            ui.add_space(size);
            ui.label(RichText::new("Your own images").size(size + 2.0).color(style.text));
            let text = "Any folder of images and masks: BUSI's layout, masks by suffix, or folders side by side.";
            ui.add(Label::new(tile::weak(text, size + 0.5, style)).wrap());
            ui.add_space(4.0);
            choose(ui, ctx, size);
            ui.add_space(size);
            ui.label(RichText::new("The generated set as files").size(size + 2.0).color(style.text));
            self.sample.show(ui, ctx);
        });
    }

    /// The form's folder, in whatever state it is.
    fn chosen(&mut self, ui: &mut Ui, rest: Rect, ctx: &mut ViewCtx<'_>, choice: &Choice) -> Option<PathBuf> {
        let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
        if choice.folder.as_os_str().is_empty() {
            section(ui, rest, "none", |ui| {
                ui.label(RichText::new("No folder chosen yet").size(size + 4.0).color(style.text));
                let text = "Choose the folder that holds images and masks, drop it on the window, or type its path in the \
                            form. What is found is shown here before it is used.";
                ui.add(Label::new(tile::weak(text, size, style)).wrap());
                ui.add_space(6.0);
                choose(ui, ctx, size);
                ui.add_space(size);
                ui.label(tile::weak("or try it with generated images:", size, style));
                self.sample.show(ui, ctx);
            });
            return None;
        }
        let progress = self.folder.progress();
        let Some(listing) = self.folder.listing().cloned() else {
            let mut pairing = false;
            section(ui, rest, "looking", |ui| {
                match self.folder.error() {
                    Some(error) => {
                        let title = if self.folder.is_stopped() { "Stopped" } else { "This folder cannot be used" };
                        ui.label(RichText::new(title).size(size + 4.0).color(style.text));
                        ui.add(Label::new(RichText::new(error).size(size + 1.0).color(style.error)).wrap());
                        ui.add_space(6.0);
                        ui.horizontal(|ui| {
                            pairing = pairing_button(ui, size);
                            choose(ui, ctx, size);
                        });
                    }
                    None => {
                        ui.label(RichText::new("Looking at the folder").size(size + 4.0).color(style.text));
                    }
                }
                if let Some(progress) = progress {
                    self.progress(ui, progress, ctx, size);
                }
            });
            if pairing {
                self.pairing.open(ctx.params, ui.ctx());
            }
            return None;
        };
        let rules = self.folder.rules();
        if self.about.as_ref().is_none_or(|(of, read, _)| !Arc::ptr_eq(of, &listing) || read.as_ref() != rules) {
            let mut lines = listing.describe();
            lines.extend(rules.into_iter().flat_map(Rules::lines));
            self.about = Some((listing.clone(), rules.cloned(), lines));
        }
        let verdict = self.folder.verdict(ui.ctx());
        let mut open_pairing = false;
        let (about, list) = halves(rest, size);
        section(ui, about, "about", |ui| {
            let lines = self.about.as_ref().map(|(.., lines)| lines.as_slice()).unwrap_or_default();
            overview::found(ui, lines, style, size);
            if let Err(error) = listing.require_pairs() {
                ui.add(Label::new(RichText::new(error.to_string()).size(size + 1.0).color(style.error)).wrap());
                open_pairing = pairing_button(ui, size);
            }
            if let Some(error) = self.folder.error() {
                ui.add(Label::new(RichText::new(error).size(size + 1.0).color(style.error)).wrap());
            }
            if let Some(progress) = progress {
                ui.add_space(6.0);
                self.progress(ui, progress, ctx, size);
            } else if self.folder.is_stopped() {
                ui.add_space(6.0);
                ui.label(RichText::new("stopped before all images were read").size(size + 0.5).color(style.warning));
                if tile::button(ui, true, "Read all", "Read every image and look for what is odd", size) {
                    self.folder.scan(ui.ctx());
                }
            }
            if let Some((verdict, current)) = &verdict {
                ui.add_space(size);
                overview::split(ui, verdict, *current, style, size);
            }
        });
        if open_pairing {
            self.pairing.open(ctx.params, ui.ctx());
        }
        let Some((verdict, _)) = verdict else {
            if list.is_positive() {
                ui.scope_builder(UiBuilder::new().max_rect(list), |ui| {
                    ui.label(tile::weak("the data doctor reads every image first", size, style));
                });
            }
            return None;
        };
        if self.lines.as_ref().is_none_or(|(of, _)| !Arc::ptr_eq(of, &verdict)) {
            let lines = verdict.plan.findings.iter().map(|finding| Line::of(finding, &listing.root)).collect();
            self.lines = Some((verdict, lines));
        }
        let lines = self.lines.as_ref().map(|(_, lines)| lines.as_slice()).unwrap_or_default();
        let clicked = self.findings.show(ui, list, lines, style, size)?;
        self.image_of(&clicked, ctx)
    }

    fn progress(&mut self, ui: &mut Ui, progress: Progress, ctx: &ViewCtx<'_>, size: f32) {
        let Progress { reading, done, total } = progress;
        let text = match (reading, total) {
            (_, 0) => "looking for files…".to_owned(),
            (true, _) => format!("reading images: {done} of {total}"),
            (false, _) => format!("reading sizes: {done} of {total} files"),
        };
        let share = if total == 0 { 0.0 } else { done as f32 / total as f32 };
        ui.label(tile::weak(text, size, ctx.style));
        ui.horizontal(|ui| {
            let width = (ui.available_width() - 6.0 * size).clamp(4.0 * size, 30.0 * size);
            let bar = ProgressBar::new(share).desired_width(width).desired_height(6.0).fill(ctx.style.accent);
            ui.add(bar);
            if tile::button(ui, true, "Stop", "Stop reading; what was found so far stays", size) {
                self.folder.stop();
            }
        });
    }

    /// The image that a path is or belongs to; a recorded path may be the end of one.
    fn image_of(&self, path: &Path, ctx: &mut ViewCtx<'_>) -> Option<PathBuf> {
        let found = self.folder.listing().and_then(|listing| image_of(listing, path));
        if found.is_none() {
            let text = format!("{} belongs to no image that can be opened in the brush", path.display());
            ctx.actions.push(ViewAction::Notice(Level::Info, text));
        }
        found
    }
}

/// The image of this listing that a path is, or whose mask it is; also where only the end of the path is given.
pub fn image_of(listing: &Listing, path: &Path) -> Option<PathBuf> {
    let is = |file: &PathBuf| file.ends_with(path);
    let pair = listing
        .every_pair()
        .find(|pair| is(&pair.image) || pair.masks.iter().any(is) || pair.corrected.as_ref().is_some_and(is));
    pair.map(|pair| &pair.image).or_else(|| listing.unpaired_images.iter().find(|image| is(image))).cloned()
}

/// The button that opens the dialog of images and masks.
fn pairing_button(ui: &mut Ui, size: f32) -> bool {
    let help = "Say where the folder's images and masks are, and see six pairs before they are used";
    tile::button(ui, true, "Images and masks…", help, size)
}

/// The button that asks the shell for a folder.
fn choose(ui: &mut Ui, ctx: &mut ViewCtx<'_>, size: f32) {
    let help = "Choose the folder that holds images and masks";
    if tile::button(ui, true, "Choose folder…", help, size) {
        ctx.actions.push(ViewAction::ChooseFile { key: FOLDER.key().to_owned() });
    }
}

/// The folder that the run was started with; empty for none.
fn folder_of(run: &RunState) -> String {
    run.params.get(FOLDER.key()).map(ToString::to_string).unwrap_or_default()
}

fn recorded_summary(ctx: &ViewCtx<'_>) -> Option<String> {
    match &*ctx.payload("data/summary")?.1 {
        Payload::Text(text) => Some(text.clone()),
        _ => None,
    }
}

/// Side by side where the tile is wide, else one above the other.
fn halves(rest: Rect, size: f32) -> (Rect, Rect) {
    let rest = Rect::from_min_max(rest.min + vec2(0.0, 0.4 * size), rest.max);
    let gap = 1.2 * size;
    if rest.width() > 58.0 * size {
        let wide = (0.4 * rest.width()).min(40.0 * size);
        let left = Rect::from_min_size(rest.min, vec2(wide, rest.height()));
        return (left, Rect::from_min_max(pos2(left.right() + gap, rest.top()), rest.max));
    }
    let high = 0.48 * rest.height();
    let above = Rect::from_min_size(rest.min, vec2(rest.width(), high));
    (above, Rect::from_min_max(pos2(rest.left(), above.bottom() + 0.5 * gap), rest.max))
}

/// A part of the tile that scrolls where it does not fit.
fn section(ui: &mut Ui, rect: Rect, name: &str, add: impl FnOnce(&mut Ui)) {
    if !rect.is_positive() {
        return;
    }
    ui.scope_builder(UiBuilder::new().max_rect(rect), |ui| {
        ui.shrink_clip_rect(rect.expand(2.0));
        ScrollArea::vertical().id_salt(name).auto_shrink([false, false]).show(ui, add);
    });
}
