//! The tile "Predict": outlines on one's own pictures. The network lives on a thread of its own; the tile draws what that
//! thread hands over.

mod results;
mod table;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use eframe::egui::{Align, ComboBox, Context, Label, Layout, ProgressBar, RichText, TextEdit, Ui, UiBuilder, vec2};

use crate::compute::device::DeviceChoice;
use crate::engine::params::ParamKind;
use crate::kit::empty;
use crate::kit::predict_fields::{Field, PredictFields, Words};
use crate::kit::view::ViewCtx;
use crate::labs::segmentation::pipeline::Pipeline;
use crate::labs::segmentation::predict::background::{Found, Job, Save, Told, Wanted, start_prediction, start_saving};
use crate::labs::segmentation::predict::inputs::Inputs;
use crate::labs::segmentation::predict::proposals::Proposal;
use crate::pixels::spacing::Unit;
use crate::plot::{medium, number, tile};

use super::SegmentationView;
use super::brush::labelling::Predicted;
use super::shared::Shared;
use crate::kit::tiles::{Tile, TileCommand, TileSpec};
use crate::labs::segmentation::params::{LESION, LESION_VALUE};
use crate::labs::segmentation::predict::weights_source::STRUCTURE;
use crate::labs::segmentation::structures;
use results::Results;

/// The tile.
pub static TILE: Tile<SegmentationView> = Tile {
    spec: TileSpec {
        id: "predict",
        title: "Predict",
        help: "The weights of this run, or of a file, on your own pictures: outlines, areas and a table, to be \
               saved as PNG and CSV. Computed apart from the training, on the best GPU or on the CPU.",
        area: "large",
        follows_cursor: false,
    },
    show: |view, ui, ctx| view.predict.show(&mut view.shared, ui, ctx),
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
            title: "Predict: choose pictures",
            run: |view, _, egui| view.predict.ask(Field::Files, egui),
        },
        TileCommand {
            id: "predict-folder",
            title: "Predict: choose a folder of pictures",
            run: |view, _, egui| view.predict.ask(Field::Folder, egui),
        },
        TileCommand {
            id: "predict-start",
            title: "Predict: outline every picture",
            run: |view, _, egui| {
                if view.predict.is_ready() {
                    view.predict.start(&view.shared.pipeline, egui);
                }
            },
        },
        TileCommand { id: "predict-stop", title: "Predict: stop", run: |view, _, _| view.predict.stop() },
        TileCommand {
            id: "predict-to",
            title: "Predict: choose a folder to save in",
            run: |view, _, egui| view.predict.ask(Field::To, egui),
        },
        TileCommand {
            id: "predict-table",
            title: "Predict: save the table",
            run: |view, _, egui| view.predict.save(Save::Table, egui),
        },
        TileCommand {
            id: "predict-overlays",
            title: "Predict: save pictures with outlines",
            run: |view, _, egui| view.predict.save(Save::Overlays, egui),
        },
        TileCommand {
            id: "predict-masks",
            title: "Predict: save masks",
            run: |view, _, egui| view.predict.save(Save::Masks, egui),
        },
    ],
};

static WORDS: Words = Words {
    weights: "run folder, .safetensors, .pt or .pth",
    endings: &[("weights", &["safetensors", "pt", "pth", "bin"]), ("all files", &["*"])],
    of_run: "The best weights of the shown run, from its newest checkpoint",
    pictures: ["picture", "pictures"],
    folder: ", with or without masks",
};

/// View state.
#[derive(Debug)]
pub struct Predict {
    pub fields: PredictFields,
    /// What of a true mask is lesion: a choice of the parameter `lesion`; empty: as the weights' run had it.
    pub lesion: &'static str,
    /// On the CPU even where there is a GPU.
    pub on_cpu: bool,
    /// Which of several structures is outlined; empty: the first.
    pub structure: String,
    /// The value or colour, where one is chosen.
    pub lesion_value: String,
    job: Option<(Job, Instant)>,
    saving: Option<Job>,
    found: Vec<Arc<Found>>,
    inputs: Option<Arc<Inputs>>,
    /// What the results were made with.
    lines: Vec<String>,
    /// Means and oddities over all of them, once it is done.
    summary: Vec<String>,
    /// What was said last, and whether it is a trouble.
    said: Option<(String, bool)>,
    results: Results,
}

impl Default for Predict {
    fn default() -> Self {
        Self {
            fields: PredictFields::new(&WORDS),
            lesion: "",
            lesion_value: "1".to_owned(),
            on_cpu: false,
            structure: String::new(),
            job: None,
            saving: None,
            found: Vec::new(),
            inputs: None,
            lines: Vec::new(),
            summary: Vec::new(),
            said: None,
            results: Results::default(),
        }
    }
}

impl Predict {
    /// Draws the tile. The pipeline of the views makes the masks of what is predicted from now on.
    pub fn show(&mut self, shared: &mut Shared, ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
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
            self.inputs(run, &shared.pipeline, ui, size, ctx);
            self.state(ui, size, ctx);
            if self.found.is_empty() {
                let (title, hint) = match (&self.job, self.fields.weights.is_empty()) {
                    (Some(_), _) => ("Reading", "the first outline comes with the first picture"),
                    (_, true) => ("No weights yet", "train a run that is recorded, or choose a file of weights"),
                    _ => ("Outlines on your own pictures", "choose a folder or files, then Predict"),
                };
                return empty::message(ui, ctx, title, hint);
            }
            let asked = self.results.show(&mut shared.pictures, &self.found, self.job.is_none(), ui, size, ctx.style);
            shared.to_brush |= asked;
        });
    }

    /// The picture under the pointer, or the one that is open, with its prediction.
    pub fn pointed(&self) -> Option<Predicted> {
        let found = self.found.get(self.results.pointed()?)?;
        let folder = self.inputs.as_ref().and_then(|inputs| inputs.folders.first().cloned());
        let folder = folder.or_else(|| found.path.parent().map(Path::to_owned))?;
        let origin = self.lines.iter().find_map(|line| line.strip_prefix("weights: ")).unwrap_or("the tile Predict");
        let proposal = found.shown.as_ref().map(|shown| Proposal { mask: shown.mask(), said: origin.to_owned() });
        let weights = PathBuf::from(self.fields.weights.trim());
        Some(Predicted { image: found.path.clone(), proposal, folder, weights })
    }

    /// Whether something is under way.
    pub fn is_busy(&self) -> bool {
        self.job.is_some() || self.saving.is_some()
    }

    /// Takes what threads have said; never waits.
    fn take_in(&mut self, ctx: &Context) {
        let mut over = false;
        if let Some((job, since)) = &mut self.job {
            for told in job.poll() {
                match told {
                    Told::Begun { lines, inputs } => {
                        (self.lines, self.inputs) = (lines, Some(inputs));
                        *since = Instant::now();
                    }
                    Told::One(found) => self.found.push(Arc::new(*found)),
                    Told::Summary(lines) => self.summary = lines,
                    Told::Done(ended) => {
                        over = true;
                        self.said = ended.err().map(|error| (error, true));
                    }
                }
            }
        }
        if over {
            self.job = None;
        }
        let saved = self
            .saving
            .as_ref()
            .and_then(|job| job.poll().find_map(|told| if let Told::Done(ended) = told { Some(ended) } else { None }));
        if let Some(ended) = saved {
            self.saving = None;
            self.said = Some(match ended {
                Ok(text) => (text, false),
                Err(error) => (error, true),
            });
            ctx.request_repaint();
        }
    }

    /// Starts to predict what the fields name.
    pub fn start(&mut self, pipeline: &Pipeline, ctx: &Context) {
        let data = self.fields.data();
        let mut lesion = Vec::new();
        if !self.lesion.is_empty() {
            lesion.push(format!("{}={}", LESION.key(), self.lesion));
            lesion.push(format!("{}={}", LESION_VALUE.key(), self.lesion_value.trim()));
        }
        let device = if self.on_cpu { DeviceChoice::Cpu } else { DeviceChoice::Automatic };
        let weights = PathBuf::from(self.fields.weights.trim());
        let structure = self.structure.trim().to_owned();
        let wanted = Wanted { weights, data, pipeline: *pipeline, lesion, structure, device };
        (self.found, self.inputs, self.lines, self.said) = (Vec::new(), None, Vec::new(), None);
        self.summary.clear();
        self.results.clear();
        let wake = ctx.clone();
        self.job = Some((start_prediction(wanted, move || wake.request_repaint()), Instant::now()));
    }

    /// Whether there is all that a prediction needs, and none runs.
    fn is_ready(&self) -> bool {
        self.job.is_none() && self.fields.is_complete()
    }

    fn stop(&mut self) {
        if let Some((job, _)) = &self.job {
            job.stop();
        }
    }

    fn save(&mut self, what: Save, ctx: &Context) {
        let (Some(inputs), false) = (&self.inputs, self.fields.to.trim().is_empty()) else { return };
        let wake = ctx.clone();
        let (found, folder) = (self.found.clone(), PathBuf::from(self.fields.to.trim()));
        self.said = None;
        self.saving = Some(start_saving(what, found, inputs.clone(), folder, move || wake.request_repaint()));
    }

    fn ask(&mut self, field: Field, ctx: &Context) {
        self.fields.ask(field, self.job.is_none(), ctx);
    }

    /// The fields and their buttons.
    fn inputs(&mut self, run: &str, pipeline: &Pipeline, ui: &mut Ui, size: f32, ctx: &ViewCtx<'_>) {
        let idle = self.job.is_none();
        self.fields.show(run, idle, ui, size, ctx.style);
        self.lesion_row(idle, ui, size, ctx);
        let mut save = None;
        if !self.found.is_empty() {
            let ready = self.saving.is_none() && idle && !self.fields.to.trim().is_empty();
            self.fields.show_to(ui, size, ctx.style, |ui| {
                for (what, name, help) in [
                    (Save::Table, "Table", "The table as CSV"),
                    (Save::Overlays, "Overlays", "Every picture with its outlines as PNG"),
                    (Save::Masks, "Masks", "Every mask as PNG of 0 and 255, at the picture's own size"),
                ] {
                    if tile::button(ui, ready, name, help, size) {
                        save = Some(what);
                    }
                }
            });
        }
        if let Some(what) = save {
            self.save(what, ui.ctx());
        }
        ui.horizontal(|ui| {
            ui.set_min_height(2.0 * size);
            match &self.job {
                Some((job, since)) => {
                    if tile::button(ui, !job.is_stopping(), "Stop", "What is done stays", size) {
                        job.stop();
                    }
                    progress(ui, self.found.len(), self.inputs.as_deref(), *since, size);
                }
                None => {
                    if tile::button(ui, self.is_ready(), "Predict", "Outline every picture with these weights", size) {
                        self.start(pipeline, ui.ctx());
                    }
                    let help = "On the CPU even where there is a GPU, which a training may be using";
                    if tile::toggle(ui, self.on_cpu, "CPU only", help, size) {
                        self.on_cpu = !self.on_cpu;
                    }
                    let unit = self.inputs.as_ref().map_or(Unit::Pixels, |inputs| inputs.unit());
                    let text = RichText::new(pipeline.describe(unit)).size(size).color(ctx.style.text_weak);
                    ui.add(Label::new(text).truncate());
                }
            }
        });
    }

    /// What of a true mask is lesion.
    fn lesion_row(&mut self, enabled: bool, ui: &mut Ui, size: f32, ctx: &ViewCtx<'_>) {
        if medium::is_figure(ui.ctx()) {
            return;
        }
        let (lesion, value) = (LESION.row(), LESION_VALUE.row());
        let ParamKind::Choice(choices) = lesion.kind else { return };
        let label_of = |id: &str| choices.iter().find(|choice| choice.id == id).map_or("", |choice| choice.label);
        // Of the shown run it is known what it had.
        let of_run = match (LESION.item(&ctx.run.params), self.fields.follows_run) {
            (Some(chosen), true) => format!("as the run: {}", chosen.label),
            _ => "as the weights' run".to_owned(),
        };
        let height = (2.0 * size).round();
        ui.allocate_ui_with_layout(vec2(ui.available_width(), height), Layout::left_to_right(Align::Center), |ui| {
            let label = Label::new(RichText::new("Lesion").size(size).color(ctx.style.text_weak)).selectable(false);
            let label = ui.add_sized(vec2(4.8 * size, height), label).id;
            let shown = if self.lesion.is_empty() { of_run.as_str() } else { label_of(self.lesion) };
            let width = (0.45 * ui.available_width()).min(22.0 * size);
            let combo = ComboBox::from_id_salt("lesion").width(width).truncate();
            ui.add_enabled_ui(enabled, |ui| {
                let combo = combo.selected_text(RichText::new(shown).size(size)).show_ui(ui, |ui| {
                    ui.selectable_value(&mut self.lesion, "", of_run.as_str());
                    for choice in choices {
                        ui.selectable_value(&mut self.lesion, choice.id, choice.label);
                    }
                });
                let help = "What of a true mask is lesion; the outlines do not depend on it, the scores do. ";
                combo.response.labelled_by(label).on_hover_text(format!("{help}{}", lesion.help));
                let several = structures::of(&ctx.run.params).is_ok_and(|all| !all.is_empty())
                    || self.lines.iter().any(|line| line.starts_with("structures: "))
                    || !self.structure.is_empty();
                if several {
                    let field = TextEdit::singleline(&mut self.structure)
                        .font(eframe::egui::FontId::proportional(size))
                        .align(eframe::egui::Align2::LEFT_CENTER)
                        .hint_text("structure: the first")
                        .desired_width(9.0 * size);
                    ui.add(field).accessible_name(STRUCTURE.row().label).on_hover_text(STRUCTURE.row().help);
                }
                if ["value", "colour"].contains(&self.lesion) {
                    let field = TextEdit::singleline(&mut self.lesion_value)
                        .font(eframe::egui::FontId::proportional(size))
                        .align(eframe::egui::Align2::LEFT_CENTER)
                        .desired_width((ui.available_width() - 8.0).min(14.0 * size));
                    ui.add(field).accessible_name(value.label).on_hover_text(value.help);
                }
            });
        });
    }

    /// What was said last, and what the results were made with.
    fn state(&self, ui: &mut Ui, size: f32, ctx: &ViewCtx<'_>) {
        if let Some((text, trouble)) = &self.said {
            let color = if *trouble { ctx.style.error } else { ctx.style.good };
            ui.add(Label::new(RichText::new(text).size(size).color(color)));
        } else if self.saving.is_some() {
            ui.add(Label::new(tile::weak("saving …", size - 0.5, ctx.style)));
        }
        for lines in [&self.lines, &self.summary].into_iter().filter(|lines| !lines.is_empty()) {
            let warned = lines.iter().any(|line| line.starts_with("warning"));
            let color = if warned { ctx.style.warning } else { ctx.style.text_weak };
            let text = RichText::new(lines.join(" · ")).size(size).color(color);
            ui.add(Label::new(text).truncate()).on_hover_text(lines.join("\n"));
        }
    }
}

fn progress(ui: &mut Ui, done: usize, inputs: Option<&Inputs>, since: Instant, size: f32) {
    let Some(inputs) = inputs else {
        ui.add(Label::new(RichText::new("reading the weights and the folder …").size(size)));
        return;
    };
    let total = inputs.items.len();
    let left = (total.saturating_sub(done)) as f64 * since.elapsed().as_secs_f64() / done.max(1) as f64;
    let text = match done {
        0 => format!("0 of {total}"),
        _ => format!("{done} of {total}, about {} left", number::duration(left)),
    };
    let share = done as f32 / total.max(1) as f32;
    ui.add(ProgressBar::new(share).desired_height(1.6 * size).text(RichText::new(text).size(size)));
}
