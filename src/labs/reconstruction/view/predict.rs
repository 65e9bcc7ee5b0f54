//! The tile "Predict": the network on one's own photographs. It lives on a thread of its own; the tile draws what that thread hands
//! over.

use std::path::PathBuf;
use std::time::Instant;

use eframe::egui::accesskit::Role;
use eframe::egui::{
    Align2, FontId, Label, ProgressBar, Rect, RichText, ScrollArea, Sense, Slider, Stroke, StrokeKind, Ui, UiBuilder,
    WidgetInfo, pos2, vec2,
};

use crate::kit::empty;
use crate::kit::predict_fields::{Field, PredictFields, Words};
use crate::kit::tiles::{Tile, TileCommand, TileSpec};
use crate::kit::view::ViewCtx;
use crate::kit::wall::{Content, Key, Layer, Panel, Picture, Pictures, beside};
use crate::labs::reconstruction::judge::MOST_ERROR;
use crate::labs::reconstruction::predict::background::{Job, Told, Wanted, start_prediction, start_saving};
use crate::labs::reconstruction::predict::report::{Row, signed};
use crate::labs::reconstruction::predict::{Found, Maps, NOTE, THRESHOLD};
use crate::plot::colormap::ColorMap;
use crate::plot::image_view::Lens;
use crate::plot::style::Style;
use crate::plot::{number, tile};

use super::ReconstructionView;

/// The tile.
pub static TILE: Tile<ReconstructionView> = Tile {
    spec: TileSpec {
        id: "predict",
        title: "Predict",
        help: "The weights of this run, or of a file, on your own photographs of the retina: the probability of retinopathy, what \
               the decoder makes of them, what is lost, and which places matter. Computed on the CPU, apart from the training. \
               Learnscope is no medical device.",
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
            title: "Predict: choose photographs",
            run: |view, _, egui| view.predict.ask(Field::Files, egui),
        },
        TileCommand {
            id: "predict-folder",
            title: "Predict: choose a folder of photographs",
            run: |view, _, egui| view.predict.ask(Field::Folder, egui),
        },
        TileCommand {
            id: "predict-start",
            title: "Predict: look at every photograph",
            run: |view, _, egui| {
                if view.predict.is_ready() {
                    view.predict.start(egui);
                }
            },
        },
        TileCommand { id: "predict-stop", title: "Predict: stop", run: |view, _, _| view.predict.stop() },
        TileCommand {
            id: "predict-occlusion",
            title: "Predict: occlusion map over the photograph, on or off",
            run: |view, _, _| view.predict.hide_occlusion ^= true,
        },
        TileCommand {
            id: "predict-save",
            title: "Predict: save the table and all maps",
            run: |view, _, egui| view.predict.save(egui),
        },
    ],
};

static WORDS: Words = Words {
    weights: "run folder, or .safetensors of an export",
    endings: &[("weights", &["safetensors"]), ("all files", &["*"])],
    of_run: "The weights of the shown run, from its newest checkpoint",
    pictures: ["photograph", "photographs"],
    folder: "",
};

/// View state.
#[derive(Debug)]
pub struct Predict {
    fields: PredictFields,
    threshold: f64,
    /// No occlusion maps are made or shown.
    hide_occlusion: bool,
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
    lens: Lens,
    pictures: Pictures,
    /// Counts predictions, so that pictures of one are not taken for another's.
    count: u64,
}

impl Default for Predict {
    fn default() -> Self {
        Self {
            fields: PredictFields::new(&WORDS),
            threshold: 0.5,
            hide_occlusion: false,
            job: None,
            saving: None,
            made_of: Wanted::default(),
            found: Vec::new(),
            total: None,
            lines: Vec::new(),
            said: None,
            selected: 0,
            lens: Lens::default(),
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
            // Where there is little room its first words alone.
            let words = if all.width() < 52.0 * size { NOTE.split(':').next().unwrap_or(NOTE) } else { NOTE };
            let note = RichText::new(words).size(size).color(ctx.style.warning);
            ui.add(Label::new(note).truncate()).on_hover_text(NOTE);
            self.state(ui, size, ctx.style);
            if self.found.is_empty() {
                let (title, hint) = match (&self.job, self.fields.weights.is_empty()) {
                    (Some(_), _) => ("Reading", "the first answer comes with the first photograph"),
                    (_, true) => ("No weights yet", "train a run that is recorded, or choose a file of weights"),
                    _ => ("Your own photographs", "choose a folder or files, then Predict"),
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
        self.made_of = Wanted { weights, data: self.fields.data(), occlusion: !self.hide_occlusion };
        (self.found, self.total, self.lines, self.said) = (Vec::new(), None, Vec::new(), None);
        (self.selected, self.count) = (0, self.count + 1);
        let wake = egui.clone();
        let job = start_prediction(self.made_of.clone(), move || wake.request_repaint());
        self.job = Some((job, Instant::now()));
    }

    fn stop(&mut self) {
        let jobs = self.job.iter().map(|(job, _)| job).chain(self.saving.iter().map(|(job, _)| job));
        jobs.for_each(Job::stop);
    }

    fn can_save(&self) -> bool {
        self.job.is_none() && self.saving.is_none() && !self.found.is_empty() && !self.fields.to.trim().is_empty()
    }

    fn save(&mut self, egui: &eframe::egui::Context) {
        if self.can_save() {
            let wake = egui.clone();
            let to = PathBuf::from(self.fields.to.trim());
            let job = start_saving(self.made_of.clone(), self.threshold, to, move || wake.request_repaint());
            (self.said, self.saving) = (None, Some((job, 0)));
        }
    }

    fn ask(&mut self, field: Field, egui: &eframe::egui::Context) {
        self.fields.ask(field, self.job.is_none(), egui);
    }

    /// The fields and their buttons.
    fn inputs(&mut self, run: &str, ui: &mut Ui, size: f32, ctx: &ViewCtx<'_>) {
        self.fields.show(run, self.job.is_none(), ui, size, ctx.style);
        let (ready, mut save) = (self.can_save(), false);
        if !self.found.is_empty() {
            self.fields.show_to(ui, size, ctx.style, |ui| {
                let help = "Looks at every photograph once more and saves predictions.csv, reconstructions, error and occlusion \
                            maps as PNG in a new folder there";
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
                let help = "Look at every photograph with these weights, on the CPU";
                if tile::button(ui, self.is_ready(), "Predict", help, size) {
                    self.start(ui.ctx());
                }
            } else if tile::button(ui, stopping.contains(&false), "Stop", "What is done stays", size) {
                self.stop();
            }
            let help = "How much the logit falls where a grey patch covers a place: orange speaks for retinopathy, blue against it. \
                        256 passes of the network for each photograph; made where this is on when Predict is pressed.";
            if tile::toggle(ui, !self.hide_occlusion, "occlusion", help, size) {
                self.hide_occlusion = !self.hide_occlusion;
            }
            let label = ui.add(Label::new(RichText::new("threshold").size(size)).selectable(false)).id;
            if !tile::said(ui, RichText::new(format!("{:.2}", self.threshold)).size(size)) {
                let slider = Slider::new(&mut self.threshold, 0.01..=0.99).fixed_decimals(2);
                ui.add(slider).labelled_by(label).on_hover_text(THRESHOLD.row().help);
            }
            if let Some((_, since)) = &self.job {
                progress(ui, self.found.len(), self.total, *since, size);
            } else if let Some((_, done)) = &self.saving {
                let share = *done as f32 / self.found.len().max(1) as f32;
                let text = RichText::new(format!("saving {done} of {}", self.found.len())).size(size);
                ui.add(ProgressBar::new(share).desired_height(1.6 * size).text(text));
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

    /// The list on the left, the chosen photograph on the right.
    fn results(&mut self, ui: &mut Ui, size: f32, style: &Style) {
        let rect = ui.available_rect_before_wrap();
        if rect.height() < 5.0 * size {
            return;
        }
        let wide = (0.34 * rect.width()).clamp(12.0 * size, 26.0 * size).min(0.6 * rect.width());
        let list = Rect::from_min_size(rect.min, vec2(wide, rect.height()));
        let detail = Rect::from_min_max(pos2(list.right() + size, rect.top()), rect.max);
        self.selected = self.selected.min(self.found.len() - 1);
        let line = (1.9 * size).round();
        ui.scope_builder(UiBuilder::new().max_rect(list), |ui| {
            ui.shrink_clip_rect(list);
            ScrollArea::vertical().id_salt("predicted").auto_shrink(false).show_rows(
                ui,
                line,
                self.found.len(),
                |ui, rows| {
                    for i in rows {
                        if row(ui, &self.found[i].row, self.threshold, i == self.selected, line, size, style) {
                            self.selected = i;
                        }
                    }
                },
            );
        });
        if detail.width() < 6.0 * size {
            return;
        }
        let Self { found, selected, lens, pictures, count, threshold, hide_occlusion, .. } = self;
        let shown = &found[*selected];
        let painter = ui.painter_at(detail);
        let font = FontId::proportional(size + 0.5);
        let words = painter.layout(about(&shown.row, *threshold), font, style.text, detail.width());
        let top = words.size().y + 0.3 * size;
        painter.galley(detail.left_top(), words, style.text);
        let below = Rect::from_min_max(detail.min + vec2(0.0, top), detail.max);
        if !below.is_positive() {
            return;
        }
        let Some(maps) = &shown.maps else {
            let text = match &shown.row.measures {
                None => shown.row.problem.as_str(),
                Some(_) => "Too many photographs to keep all of their pictures: choose fewer, or save all.",
            };
            ui.scope_builder(UiBuilder::new().max_rect(below), |ui| {
                ui.add(Label::new(RichText::new(text).size(size + 1.0).color(style.text)).wrap());
            });
            return;
        };
        let names = ["original", "reconstruction", "|error|, 0 to 0.3"];
        let panels = panels(maps, (*count, *selected), !*hide_occlusion);
        let number = panels.len();
        for ((k, view), panel) in beside(below, number, 0.6 * size).enumerate().zip(panels) {
            let most = maps.most_occlusion().filter(|_| k == 0 && !*hide_occlusion && view.width() > 16.0 * size);
            let short = if view.width() < 9.0 * size { ["original", "rebuilt", "|error|"][k] } else { names[k] };
            let heading = most.map_or(short.to_owned(), |most| format!("{short}, occlusion ±{most:.2}"));
            let view = tile::panel_heading(&painter, view, &heading, size, style);
            let response = ui.interact(view, ui.scope_id().with(("predicted panel", k)), Sense::click_and_drag());
            response
                .widget_info(|| WidgetInfo::labeled(Role::Image, true, format!("{} of {}", names[k], shown.row.name)));
            lens.interact(ui, &response, view, [maps.size; 2]);
            pictures.panel(ui, view, lens, &panel);
        }
    }
}

/// Original with the occlusion map over it, reconstruction, error; the first alone where nothing is rebuilt.
fn panels(maps: &Maps, of: (u64, usize), occluded: bool) -> Vec<Panel<'_>> {
    let size = [maps.size; 2];
    let picture =
        |what: &str, content| Some(Picture { key: Key::new(("own photograph", of, what), ()), size, content });
    let mut original = Panel { picture: picture("original", Content::Rgb(&maps.original)), ..Panel::default() };
    if let (Some(drops), Some(most), true) = (&maps.occlusion, maps.most_occlusion(), occluded) {
        let color = move |x: usize, y: usize| {
            let drop = drops.get(y * maps.size + x).copied().unwrap_or(0.0);
            let strength = (drop.abs() / most.max(f32::MIN_POSITIVE)).min(1.0);
            ColorMap::DivergingLight.color(signed(drop, most)).gamma_multiply(strength)
        };
        let layer = picture("occlusion", Content::Colors(Box::new(color)));
        original.layers.extend(layer.map(|picture| Layer { picture, opacity: 0.75 }));
    }
    let mut panels = vec![original];
    if let (Some(rebuilt), Some(error)) = (&maps.rebuilt, &maps.error) {
        panels.push(Panel { picture: picture("rebuilt", Content::Rgb(rebuilt)), ..Panel::default() });
        let heat = Content::Heat { values: error, most: MOST_ERROR };
        panels.push(Panel { picture: picture("error", heat), ..Panel::default() });
    }
    panels
}

/// One line of the list: name, bar of the probability with the threshold's mark, number; `true` when it was clicked.
fn row(ui: &mut Ui, row: &Row, threshold: f64, selected: bool, line: f32, size: f32, style: &Style) -> bool {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), line), Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::Button, true, selected, about(row, threshold)));
    let painter = ui.painter_at(rect);
    if selected {
        painter.rect_filled(rect, 2.0, style.accent.gamma_multiply(0.22));
    }
    if response.hovered() || response.has_focus() {
        painter.rect_stroke(rect, 2.0, Stroke::new(1.0, style.accent), StrokeKind::Inside);
    }
    let number = rect.right() - 2.9 * size;
    let bar = Rect::from_min_max(
        pos2(number - 3.6 * size, rect.top() + 0.5 * size),
        pos2(number, rect.bottom() - 0.5 * size),
    );
    let name = painter.with_clip_rect(Rect::from_min_max(rect.min, pos2(bar.left() - 0.4 * size, rect.bottom())));
    let font = FontId::proportional(size);
    let at = rect.left_center() + vec2(0.3 * size, 0.0);
    let Some(measures) = &row.measures else {
        name.text(at, Align2::LEFT_CENTER, &row.name, font.clone(), style.error);
        painter.text(
            rect.right_center() - vec2(0.3 * size, 0.0),
            Align2::RIGHT_CENTER,
            "cannot be used",
            font,
            style.error,
        );
        return response.on_hover_text(format!("{}: {}", row.name, row.problem)).clicked();
    };
    let known = name.text(at, Align2::LEFT_CENTER, &row.name, font.clone(), style.text);
    if let Some(part) = row.part {
        // Of a name that leaves no room for it the hover text tells.
        let at = known.right_center() + vec2(0.6 * size, 0.0);
        name.text(at, Align2::LEFT_CENTER, part.name(), font, style.text_weak);
    }
    painter.rect_filled(bar, 0.0, style.plot_background);
    let share = |p: f64| bar.left() + p as f32 * bar.width();
    let is_ill = measures.probability >= threshold;
    let color = if is_ill { style.warning } else { style.good };
    painter.rect_filled(Rect::from_min_max(bar.min, pos2(share(measures.probability), bar.bottom())), 0.0, color);
    painter.vline(share(threshold), bar.top() - 2.0..=bar.bottom() + 2.0, Stroke::new(1.0, style.text));
    let text = format!("{:.2}", measures.probability);
    let at = rect.right_center() - vec2(0.3 * size, 0.0);
    painter.text(at, Align2::RIGHT_CENTER, text, FontId::monospace(size), style.text);
    response.on_hover_text(about(row, threshold)).clicked()
}

/// One photograph in words.
fn about(row: &Row, threshold: f64) -> String {
    let Some(measures) = &row.measures else { return format!("{}: {}", row.name, row.problem) };
    let mut text = format!("{}: probability {:.3}, {}", row.name, measures.probability, row.answer(threshold));
    if let Some(grade) = measures.grade {
        text += &format!(", grade {grade}");
    }
    if let Some([mse, psnr, ssim]) = measures.quality {
        text += &format!(", MSE {mse:.4}, {psnr:.1} dB, SSIM {ssim:.2}");
    }
    if let Some(part) = row.part {
        text += &format!("; {} ({})", part.told(), part.name());
    }
    if !row.problem.is_empty() {
        text += &format!("; {}", row.problem);
    }
    text
}

fn progress(ui: &mut Ui, done: usize, total: Option<usize>, since: Instant, size: f32) {
    let Some(total) = total else {
        ui.add(Label::new(RichText::new("reading the weights and the folder …").size(size)));
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
