//! The tile "Predict": the network on one's own images and reports. It lives on a thread of its own; the tile draws what that thread
//! hands over.

use std::path::PathBuf;
use std::time::Instant;

use eframe::egui::accesskit::Role;
use eframe::egui::{
    Align2, FontId, Label, ProgressBar, Rect, RichText, ScrollArea, Sense, Stroke, StrokeKind, Ui, UiBuilder,
    WidgetInfo, pos2, vec2,
};

use crate::kit::empty;
use crate::kit::predict_fields::{Field, PredictFields, Words};
use crate::kit::tiles::{Tile, TileCommand, TileSpec};
use crate::kit::view::ViewCtx;
use crate::kit::wall::Pictures;
use crate::labs::image_report::predict::NOTE;
use crate::labs::image_report::predict::background::{Job, Told, Wanted, start_prediction, start_saving};
use crate::labs::image_report::predict::parts::Part;
use crate::labs::image_report::predict::report::Found;
use crate::plot::style::Style;
use crate::plot::{number, tile};

use super::ImageReportView;
use super::play::judged;

/// The tile.
pub static TILE: Tile<ImageReportView> = Tile {
    spec: TileSpec {
        id: "predict",
        title: "Predict",
        help: "The weights of this run, or of a file, on your own images with reports (or one report that you type for all of them): \
               is the report above its perturbations, is it so with another image too, and what do its words look at? Computed on the \
               CPU, apart from the training. Learnscope is no medical device.",
        area: "large",
        follows_cursor: false,
    },
    show: |view, ui, ctx| view.predict.show(ui, ctx),
    commands: &[
        TileCommand {
            id: "predict-weights",
            title: "Predict: choose weights",
            run: |view, _, egui| view.predict.ask(Field::Weights, egui),
        },
        TileCommand {
            id: "predict-run",
            title: "Predict: use the weights of this run",
            run: |view, _, _| view.predict.fields.follows_run |= view.predict.job.is_none(),
        },
        TileCommand {
            id: "predict-files",
            title: "Predict: choose images",
            run: |view, _, egui| view.predict.ask(Field::Files, egui),
        },
        TileCommand {
            id: "predict-folder",
            title: "Predict: choose a folder of images and reports",
            run: |view, _, egui| view.predict.ask(Field::Folder, egui),
        },
        TileCommand {
            id: "predict-start",
            title: "Predict: judge every pair",
            run: |view, _, egui| {
                if view.predict.is_ready() {
                    view.predict.start(egui);
                }
            },
        },
        TileCommand { id: "predict-stop", title: "Predict: stop", run: |view, _, _| view.predict.stop() },
        TileCommand { id: "predict-next", title: "Predict: next pair", run: |view, _, _| view.predict.step(1) },
        TileCommand {
            id: "predict-previous",
            title: "Predict: previous pair",
            run: |view, _, _| view.predict.step(-1),
        },
        TileCommand {
            id: "predict-save",
            title: "Predict: save tables and maps",
            run: |view, _, egui| view.predict.save(egui),
        },
    ],
};

static WORDS: Words = Words {
    weights: "run folder, or .safetensors of an export",
    endings: &[("weights", &["safetensors"]), ("all files", &["*"])],
    of_run: "The weights of the shown run, from its newest checkpoint",
    pictures: ["image", "images"],
    folder: " with reports (Open-I, pairs.csv, pairs.jsonl)",
};

/// View state.
#[derive(Debug)]
pub struct Predict {
    fields: PredictFields,
    /// A report for all images.
    text: String,
    job: Option<(Job, Instant)>,
    saving: Option<(Job, usize)>,
    /// What the results are of.
    made_of: Wanted,
    found: Vec<Found>,
    total: Option<usize>,
    /// What the results were made with.
    lines: Vec<String>,
    /// What was said last, and whether it is a trouble.
    said: Option<(String, bool)>,
    selected: usize,
    words: judged::Words,
    pictures: Pictures,
    /// Counts predictions, so that pictures of one are not taken for another's.
    count: u64,
}

impl Default for Predict {
    fn default() -> Self {
        Self {
            fields: PredictFields::new(&WORDS),
            text: String::new(),
            job: None,
            saving: None,
            made_of: Wanted::default(),
            found: Vec::new(),
            total: None,
            lines: Vec::new(),
            said: None,
            selected: 0,
            words: judged::Words::default(),
            pictures: Pictures::default(),
            count: 0,
        }
    }
}

impl Predict {
    /// Draws the tile.
    fn show(&mut self, ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
        self.take_in(ui.ctx());
        let run = ctx.run.header.as_ref().map(|header| header.folder.as_str()).unwrap_or_default();
        self.fields.take_in(run, self.job.is_none(), ui.ctx(), ctx.style);
        let size = tile::font_size(ctx.presenting);
        let all = ui.available_rect_before_wrap().shrink2(vec2((0.7 * size).round(), (0.3 * size).round()));
        if all.width() < 12.0 * size || all.height() < 4.0 * size {
            return;
        }
        ui.scope_builder(UiBuilder::new().max_rect(all), |ui| {
            ui.shrink_clip_rect(all);
            ui.spacing_mut().item_spacing = vec2(4.0, 3.0);
            ui.spacing_mut().button_padding = vec2(6.0, 1.0);
            self.inputs(run, ui, size, ctx);
            note(ui, size, ctx.style);
            self.state(ui, size, ctx.style);
            if self.found.is_empty() {
                let (title, hint) = match (&self.job, self.fields.weights.is_empty()) {
                    (Some(_), _) => ("Reading", "the first answer comes with the first pair"),
                    (_, true) => ("No weights yet", "train a run that is recorded, or choose a file of weights"),
                    _ => (
                        "Your own images and reports",
                        "choose a folder with reports, or images and type a report; then Predict",
                    ),
                };
                return empty::message(ui, ctx, title, hint);
            }
            self.results(ui, size, ctx.style);
        });
    }

    /// Takes what threads have said; never waits.
    fn take_in(&mut self, egui: &eframe::egui::Context) {
        let (mut over, mut saved) = (false, None);
        if let Some((job, since)) = &mut self.job {
            for told in job.poll() {
                match told {
                    Told::Begun { lines, total } => {
                        (self.lines, self.total, *since) = (lines, Some(total), Instant::now());
                    }
                    Told::One(found) => self.found.push(*found),
                    Told::Saved(_) => {}
                    Told::Done(ended) => {
                        over = true;
                        self.said = ended.err().map(|error| (error, true));
                    }
                }
            }
        }
        if let Some((job, count)) = &mut self.saving {
            for told in job.poll() {
                match told {
                    Told::Saved(done) => *count = done,
                    Told::Done(ended) => saved = Some(ended),
                    Told::Begun { .. } | Told::One(_) => {}
                }
            }
        }
        if over {
            self.job = None;
        }
        if let Some(ended) = saved {
            self.saving = None;
            self.said = Some(match ended {
                Ok(text) => (text, false),
                Err(error) => (error, true),
            });
            egui.request_repaint();
        }
    }

    /// Whether there is all that a prediction needs, and none runs.
    fn is_ready(&self) -> bool {
        self.job.is_none() && self.fields.is_complete()
    }

    /// Starts to predict what the fields name.
    fn start(&mut self, egui: &eframe::egui::Context) {
        let weights = PathBuf::from(self.fields.weights.trim());
        self.made_of = Wanted { weights, data: self.fields.data(), text: self.text.clone() };
        (self.found, self.total, self.lines, self.said) = (Vec::new(), None, Vec::new(), None);
        (self.selected, self.count) = (0, self.count + 1);
        self.words.clear();
        let wake = egui.clone();
        let job = start_prediction(self.made_of.clone(), move || wake.request_repaint());
        self.job = Some((job, Instant::now()));
    }

    fn stop(&mut self) {
        let jobs = self.job.iter().map(|(job, _)| job).chain(self.saving.iter().map(|(job, _)| job));
        jobs.for_each(Job::stop);
    }

    /// Chooses another pair.
    fn step(&mut self, by: isize) {
        let last = self.found.len().saturating_sub(1);
        self.choose(self.selected.saturating_add_signed(by).min(last));
    }

    fn choose(&mut self, pair: usize) {
        self.selected = pair;
        self.words.clear();
    }

    fn can_save(&self) -> bool {
        self.job.is_none() && self.saving.is_none() && !self.found.is_empty() && !self.fields.to.trim().is_empty()
    }

    fn save(&mut self, egui: &eframe::egui::Context) {
        if self.can_save() {
            let wake = egui.clone();
            let to = PathBuf::from(self.fields.to.trim());
            let job = start_saving(self.made_of.clone(), to, move || wake.request_repaint());
            (self.said, self.saving) = (None, Some((job, 0)));
        }
    }

    fn ask(&mut self, field: Field, egui: &eframe::egui::Context) {
        self.fields.ask(field, self.job.is_none(), egui);
    }

    /// The fields and their buttons.
    fn inputs(&mut self, run: &str, ui: &mut Ui, size: f32, ctx: &ViewCtx<'_>) {
        let idle = self.job.is_none();
        self.fields.show(run, idle, ui, size, ctx.style);
        let hint = "typed here it is that of every image; empty: the reports of the data";
        tile::field_row(ui, "Report", hint, &mut self.text, idle, size, ctx.style, |_| {});
        let (ready, mut save) = (self.can_save(), false);
        if !self.found.is_empty() {
            self.fields.show_to(ui, size, ctx.style, |ui| {
                let help = "Judges every pair once more and saves predictions.csv, rankings.csv, words.csv and maps of nouns as PNG in a \
                            new folder there";
                save = tile::button(ui, ready, "Save all", help, size);
            });
        }
        if save {
            self.save(ui.ctx());
        }
        ui.horizontal(|ui| {
            ui.set_min_height(2.0 * size);
            let stopping = self.job.iter().map(|(job, _)| job).chain(self.saving.iter().map(|(job, _)| job));
            let stopping: Vec<bool> = stopping.map(Job::is_stopping).collect();
            if stopping.is_empty() {
                let help = "Judge every pair with these weights, on the CPU";
                if tile::button(ui, self.is_ready(), "Predict", help, size) {
                    self.start(ui.ctx());
                }
            } else if tile::button(ui, stopping.contains(&false), "Stop", "What is done stays", size) {
                self.stop();
            }
            if let Some((_, since)) = &self.job {
                progress(ui, self.found.len(), self.total, *since, size);
            } else if let Some((_, done)) = &self.saving {
                let share = *done as f32 / self.found.len().max(1) as f32;
                let text = RichText::new(format!("saving {done} of {}", self.found.len())).size(size);
                ui.add(ProgressBar::new(share).desired_height(1.6 * size).text(text));
            } else if !self.found.is_empty() {
                let text = RichText::new(together(&self.found)).size(size).color(ctx.style.text);
                ui.add(Label::new(text).truncate()).on_hover_text(
                    "What is right with another image or with the mean of all images too is told by language, not by the image",
                );
            }
        });
    }

    /// What was said last, and what the results were made with.
    fn state(&self, ui: &mut Ui, size: f32, style: &Style) {
        if let Some((text, trouble)) = &self.said {
            let color = if *trouble { style.error } else { style.good };
            ui.add(Label::new(RichText::new(text).size(size).color(color)).wrap());
        }
        if !self.lines.is_empty() {
            let warned = self.lines.iter().any(|line| line.starts_with("warning"));
            let color = if warned { style.warning } else { style.text_weak };
            let text = RichText::new(self.lines.join(" · ")).size(size).color(color);
            ui.add(Label::new(text).truncate()).on_hover_text(self.lines.join("\n"));
        }
    }

    /// The list on the left, the chosen pair on the right.
    fn results(&mut self, ui: &mut Ui, size: f32, style: &Style) {
        let rect = ui.available_rect_before_wrap();
        if rect.height() < 5.0 * size {
            return;
        }
        let wide = (0.3 * rect.width()).clamp(12.0 * size, 26.0 * size).min(0.6 * rect.width());
        let list = Rect::from_min_size(rect.min, vec2(wide, rect.height()));
        let detail = Rect::from_min_max(pos2(list.right() + size, rect.top()), rect.max);
        self.selected = self.selected.min(self.found.len() - 1);
        let line = (1.9 * size).round();
        let mut chosen = None;
        ui.scope_builder(UiBuilder::new().max_rect(list), |ui| {
            ui.shrink_clip_rect(list);
            ScrollArea::vertical().id_salt("predicted").auto_shrink(false).show_rows(
                ui,
                line,
                self.found.len(),
                |ui, rows| {
                    for i in rows {
                        if row(ui, &self.found[i], i == self.selected, line, size, style) {
                            chosen = Some(i);
                        }
                    }
                },
            );
        });
        if let Some(chosen) = chosen {
            self.choose(chosen);
        }
        if detail.width() >= 6.0 * size {
            ui.scope_builder(UiBuilder::new().max_rect(detail), |ui| {
                ui.shrink_clip_rect(detail);
                self.detail(ui, detail, size, style);
            });
        }
    }

    /// The image, and beside it words and table.
    fn detail(&mut self, ui: &mut Ui, rect: Rect, size: f32, style: &Style) {
        let Self { found, selected, words, pictures, count, .. } = self;
        let shown = &found[*selected];
        let side = (0.45 * rect.width()).min(rect.height()).min(28.0 * size);
        let view = Rect::from_min_size(rect.min, vec2(side, side));
        let beside = match &shown.square {
            Some(square) if side > 6.0 * size => {
                let of_word = shown.judged.as_ref().zip(words.chosen());
                judged::picture(
                    ui,
                    view,
                    pictures,
                    (("own pair", *selected), *count),
                    (&square.image, shown.size),
                    of_word,
                );
                let response = ui.interact(view, ui.scope_id().with("own image"), Sense::hover());
                response.widget_info(|| WidgetInfo::labeled(Role::Image, true, format!("image of {}", shown.name)));
                Rect::from_min_max(pos2(view.right() + size, rect.top()), rect.max)
            }
            _ => rect,
        };
        if beside.width() < 5.0 * size {
            return;
        }
        ui.scope_builder(UiBuilder::new().max_rect(beside), |ui| {
            ui.shrink_clip_rect(beside);
            ScrollArea::vertical().id_salt("judged").auto_shrink(false).show(ui, |ui| {
                ui.add(Label::new(RichText::new(about(shown)).size(size + 0.5).color(style.text)).wrap());
                let Some(judged) = &shown.judged else { return };
                words.show(judged, ui, size, style);
                judged::table(judged, ui, size, style);
            });
        });
    }
}

/// What this is not.
pub fn note(ui: &mut Ui, size: f32, style: &Style) {
    // Where there is little room its first words alone.
    let words = if ui.available_width() < 62.0 * size { NOTE.split(':').next().unwrap_or(NOTE) } else { NOTE };
    let note = RichText::new(words).size(size).color(style.warning);
    ui.add(Label::new(note).truncate()).on_hover_text(NOTE);
}

/// All pairs together in a line.
fn together(found: &[Found]) -> String {
    let right = |column: usize| {
        let places: Vec<_> = found.iter().filter_map(|found| found.judged.as_ref()?.place(column)).collect();
        (places.iter().filter(|place| place.rank == 1).count(), places.len())
    };
    let [own, other, mean] = [0, 1, 2].map(right);
    let controls = match other.1 {
        0 => String::new(),
        all => format!("; with another image {} of {all}, with the mean image {} of {}", other.0, mean.0, mean.1),
    };
    format!("report above all perturbations: {} of {}{controls}", own.0, own.1)
}

/// One line of the list: name, rank, and the ranks of the controls; `true` when it was clicked.
fn row(ui: &mut Ui, found: &Found, selected: bool, line: f32, size: f32, style: &Style) -> bool {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), line), Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::Button, true, selected, about(found)));
    let painter = ui.painter_at(rect);
    if selected {
        painter.rect_filled(rect, 2.0, style.accent.gamma_multiply(0.22));
    }
    if response.hovered() || response.has_focus() {
        painter.rect_stroke(rect, 2.0, Stroke::new(1.0, style.accent), StrokeKind::Inside);
    }
    let width = 8.5 * size;
    let name = Rect::from_min_max(rect.min + vec2(0.3 * size, 0.35 * size), pos2(rect.right() - width, rect.bottom()));
    let (font, right) = (FontId::proportional(size), rect.right_center() - vec2(0.3 * size, 0.0));
    let color = if found.judged.is_some() { style.text } else { style.error };
    tile::one_line(&painter, &found.name, name, font.clone(), color);
    let Some(judged) = &found.judged else {
        painter.text(right, Align2::RIGHT_CENTER, "cannot be used", font, style.error);
        return response.on_hover_text(about(found)).clicked();
    };
    for (k, place) in [0, 1, 2].map(|column| judged.place(column)).into_iter().enumerate() {
        let (text, color) = match place {
            Some(place) if place.rank == 1 => ("1".to_owned(), style.good),
            Some(place) => (place.rank.to_string(), style.warning),
            None => ("–".to_owned(), style.text_weak),
        };
        let at = right - vec2((2 - k) as f32 * 1.7 * size, 0.0);
        painter.text(at, Align2::RIGHT_CENTER, text, FontId::monospace(size), color);
    }
    let similarity = judged.similarity(0).map_or(String::new(), |value| format!("{value:.2}"));
    let at = right - vec2(3.0 * 1.7 * size, 0.0);
    painter.text(at, Align2::RIGHT_CENTER, similarity, FontId::monospace(size), style.text_weak);
    response.on_hover_text(about(found)).clicked()
}

/// One pair in words.
fn about(found: &Found) -> String {
    let mut text = match &found.judged {
        Some(judged) => format!("{}: {}", found.name, judged::summary(judged)),
        None => return format!("{}: {}", found.name, found.problem),
    };
    if let Some((kind, cosine)) = found.judged.as_ref().and_then(|judged| judged.nearest()) {
        text += &format!("; nearest perturbation: {}, {cosine:.3}", kind.title());
    }
    text += match found.part {
        Some(Part::Train) => "; the run was trained on this image",
        Some(Part::Test) => "; a test image of the run",
        Some(Part::None) => "; not among the run's images",
        None => "",
    };
    if !found.problem.is_empty() {
        text += &format!("; {}", found.problem);
    }
    text
}

fn progress(ui: &mut Ui, done: usize, total: Option<usize>, since: Instant, size: f32) {
    let Some(total) = total else {
        ui.add(Label::new(RichText::new("reading the weights and the data …").size(size)));
        return;
    };
    let left = total.saturating_sub(done) as f64 * since.elapsed().as_secs_f64() / done.max(1) as f64;
    let text = match done {
        0 => format!("0 of {total}"),
        _ => format!("{done} of {total}, about {} left", number::duration(left)),
    };
    let share = done as f32 / total.max(1) as f32;
    ui.add(ProgressBar::new(share).desired_height(1.6 * size).text(RichText::new(text).size(size)));
}
