//! The dialog that says where a folder's images and masks are: two patterns, whose masks, what of them is lesion, and six
//! pairs as they would be read. Everything that touches files is a thread's work.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use eframe::egui::{
    ComboBox, Context, DragValue, FontId, Id, Key, Label, Modal, Modifiers, Rect, RichText, Sense, TextEdit, Ui,
    WidgetInfo, pos2, vec2,
};

use crate::data::segmentation::choice::FolderChoice;
use crate::data::segmentation::lesion::Lesion;
use crate::data::segmentation::listing::{Listing, scan_chosen, suggested};
use crate::data::segmentation::mapping::Mapping;
use crate::data::segmentation::read::{Picture as Image, Reader};
use crate::data::segmentation::{Watch, counted};
use crate::engine::params::{ParamKind, Params, Value};
use crate::kit::view::ViewCtx;
use crate::kit::wall::{Content, Contours, Key as PictureKey, Picture, Pictures, draw_outlines};
use crate::labs::segmentation::params::{
    ANNOTATOR, FOLDER, IMAGES_IN, LABELS, LEAVE_OUT, LESION, LESION_VALUE, MASKS_IN, PARAMS, lesion,
};
use crate::labs::segmentation::view::image::SHADE;
use crate::labs::segmentation::view::look::Marks;
use crate::pixels::mask::Mask;
use crate::plot::background::{Latest, Task, repaint};
use crate::plot::style::Style;
use crate::plot::{medium, tile};

/// Pairs that are shown.
const SHOWN: usize = 6;
/// Longest side of what is drawn of one.
const SIDE: usize = 256;
/// What is typed is looked at once it rests for so many seconds.
const REST: f64 = 0.4;

/// The dialog; closed at first.
#[derive(Debug, Default)]
pub struct Pairing {
    draft: Option<Draft>,
    preview: Latest<Question, Arc<Preview>>,
    pictures: Pictures,
    /// Counts previews, so that their pictures are told apart.
    number: u64,
    seen: Option<Arc<Preview>>,
}

/// What is typed.
#[derive(Debug)]
struct Draft {
    folder: PathBuf,
    /// The form's values as they will be.
    params: Params,
    /// A guess that is on its way.
    guess: Option<Task<Option<Mapping>>>,
    /// When something changed last; `None`: nothing yet.
    since: Option<f64>,
    question: Question,
}

/// What a [`Preview`] answers.
#[derive(Debug, Clone, PartialEq)]
struct Question {
    folder: PathBuf,
    images: String,
    masks: String,
    annotator: usize,
    leave_out: String,
    labels: String,
    lesion: Result<Lesion, String>,
}

/// What the choices come to.
#[derive(Debug)]
struct Preview {
    /// How many pair, or why none does.
    told: Result<String, String>,
    /// How the masks are told, one statement each.
    lines: Vec<String>,
    people: usize,
    /// Labels of labelme.
    labels: Vec<String>,
    shown: Vec<Shown>,
}

impl Preview {
    fn refused(problem: String) -> Self {
        Self { told: Err(problem), lines: Vec::new(), people: 0, labels: Vec::new(), shown: Vec::new() }
    }
}

#[derive(Debug)]
struct Shown {
    name: String,
    size: [usize; 2],
    rgb: Vec<u8>,
    lines: Contours,
    problem: Option<String>,
}

impl Question {
    fn of(params: &Params, folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            images: IMAGES_IN.of(params).to_owned(),
            masks: MASKS_IN.of(params).to_owned(),
            annotator: ANNOTATOR.of(params) as usize,
            leave_out: LEAVE_OUT.of(params).to_owned(),
            labels: LABELS.of(params).to_owned(),
            lesion: lesion(params).map_err(|error| error.to_string()),
        }
    }
}

impl Pairing {
    /// Opens it for the form's folder, with the form's patterns or a guess.
    pub fn open(&mut self, params: &Params, egui: &Context) {
        let folder = PathBuf::from(FOLDER.of(params));
        if folder.as_os_str().is_empty() {
            return;
        }
        let (empty, place) = (IMAGES_IN.of(params).is_empty() && MASKS_IN.of(params).is_empty(), folder.clone());
        let guess = empty.then(|| {
            let look = move |watch: Watch<'_>| suggested(&place, watch).ok().flatten();
            Task::begin("names of a folder", repaint(egui), look)
        });
        let question = Question::of(params, &folder);
        self.draft = Some(Draft { folder, params: params.clone(), guess, since: None, question });
    }

    /// Draws it where it is open; what was chosen goes into the form, all in one frame.
    pub fn show(&mut self, egui: &Context, ctx: &mut ViewCtx<'_>) {
        if medium::is_figure(egui) {
            return;
        }
        let Some(mut draft) = self.draft.take() else { return };
        draft.take_guess();
        draft.settle(egui);
        let wanted = draft.question.clone();
        let found =
            self.preview.update("pairs of a folder", egui, &wanted, |question| Arc::new(look(question))).cloned();
        let found = found.or_else(|| {
            let problem = self.preview.problem(&wanted)?;
            Some(Arc::new(Preview::refused(problem.to_owned())))
        });
        let current = self.preview.is_current(&wanted) || self.preview.problem(&wanted).is_some();
        if !current {
            egui.request_repaint_after(Duration::from_millis(100));
        }
        if let Some(found) = found
            && self.seen.as_ref().is_none_or(|seen| !Arc::ptr_eq(seen, &found))
        {
            (self.seen, self.number) = (Some(found), self.number + 1);
        }
        let mut ended = egui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Escape)).then_some(None);
        let room = egui.content_rect();
        let width = 640.0_f32.min(room.width() - 48.0).max(160.0);
        let modal = Modal::new(Id::unique("images and masks"))
            .backdrop_color(eframe::egui::Color32::from_black_alpha(70))
            .show(egui, |ui| {
                ui.set_width(width);
                ui.spacing_mut().item_spacing = vec2(8.0, 5.0);
                let size = tile::font_size(false);
                draft.fields(ui, self.seen.as_deref(), ctx.style, size);
                // Something may have been typed in this very frame, or is not looked at yet.
                let current = current && draft.is_asked();
                self.said(ui, current, ctx.style, size);
                self.six(ui, (room.height() - 330.0).clamp(60.0, 300.0), ctx.style, size);
                ui.horizontal(|ui| {
                    let pairs = current && self.seen.as_ref().is_some_and(|seen| seen.told.is_ok());
                    // Nothing is used that nobody has seen the pairs of.
                    if tile::button(
                        ui,
                        pairs,
                        "Use",
                        "Put these choices into the form; undo takes all of them back",
                        size,
                    ) {
                        ended = Some(Some(draft.params.clone()));
                    }
                    let help = "Without patterns: names and folders tell what is an image and what a mask";
                    if tile::button(ui, true, "No patterns", help, size) {
                        draft.put(IMAGES_IN.key(), Value::Text(String::new()));
                        draft.put(MASKS_IN.key(), Value::Text(String::new()));
                        draft.guess = None;
                    }
                    if tile::button(ui, true, "Cancel", "Leave the form as it is (Escape)", size) {
                        ended = Some(None);
                    }
                });
            });
        if modal.should_close() && ended.is_none() {
            ended = Some(None);
        }
        match ended {
            None => self.draft = Some(draft),
            Some(None) => {}
            Some(Some(params)) => {
                for key in KEYS {
                    if let Some(value) = params.get(key).filter(|value| ctx.params.get(key) != Some(value)) {
                        ctx.set(key, value.clone(), true);
                    }
                }
            }
        }
    }

    /// How many pair, and how the masks are told.
    fn said(&self, ui: &mut Ui, current: bool, style: &Style, size: f32) {
        let (text, color) = match &self.seen {
            Some(seen) if current => match &seen.told {
                Ok(text) => (text.clone(), style.good),
                Err(text) => (text.clone(), style.error),
            },
            _ => ("looking…".to_owned(), style.text_weak),
        };
        ui.add(Label::new(RichText::new(text).size(size + 0.5).color(color)).wrap());
        let lines = self.seen.as_ref().map(|seen| seen.lines.join(" · ")).unwrap_or_default();
        let text = if lines.is_empty() { " ".to_owned() } else { lines.clone() };
        ui.add(Label::new(tile::weak(text, size - 0.5, style)).truncate()).on_hover_text(lines);
    }

    /// The pairs, in two rows of three.
    fn six(&mut self, ui: &mut Ui, height: f32, style: &Style, size: f32) {
        const ACROSS: usize = 3;
        let (area, _) = ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::hover());
        let Some(seen) = self.seen.clone() else { return };
        let gap = 6.0;
        let cell = vec2((area.width() - gap * 2.0) / 3.0, (height - gap) / 2.0);
        let marks = Marks::of(style);
        for (i, shown) in seen.shown.iter().enumerate() {
            let at = vec2((i % ACROSS) as f32 * (cell.x + gap), (i / ACROSS) as f32 * (cell.y + gap));
            let rect = Rect::from_min_size(area.min + at, cell);
            let caption = (1.4 * size).round();
            let view = Rect::from_min_max(rect.min, pos2(rect.right(), rect.bottom() - caption));
            let response = ui.interact(rect, ui.scope_id().with(("pair", i)), Sense::hover());
            let problem = shown.problem.as_ref().map_or_else(String::new, |problem| format!(": {problem}"));
            let about = format!("pair {}{problem}", shown.name);
            response.widget_info(|| WidgetInfo::labeled(eframe::egui::accesskit::Role::Image, true, &about));
            response.on_hover_text(&about);
            let painter = ui.painter_at(rect);
            painter.rect_filled(view, 2.0, style.plot_background);
            if shown.problem.is_none() && view.is_positive() {
                let [width, height] = shown.size.map(|side| side.max(1) as f32);
                let scale = (view.width() / width).min(view.height() / height);
                let placed = Rect::from_center_size(view.center(), vec2(width, height) * scale);
                let key = PictureKey::new(("pairing", i), self.number);
                let picture = Picture { key, size: shown.size, content: Content::Rgb(&shown.rgb) };
                self.pictures.draw(&painter, &picture, placed, 1.0);
                let outline = shown.lines.outline(marks.truth.color, marks.truth.dash, 1.5, SHADE);
                draw_outlines(&painter, placed, shown.size, &[outline]);
            }
            let text = shown.problem.as_ref().unwrap_or(&shown.name);
            let color = if shown.problem.is_some() { style.error } else { style.text_weak };
            let place = Rect::from_min_max(pos2(rect.left(), view.bottom()), rect.max);
            tile::one_line(&painter, text, place, FontId::proportional(size - 0.5), color);
        }
    }
}

/// What the dialog sets.
const KEYS: [&str; 6] =
    [IMAGES_IN.key(), MASKS_IN.key(), ANNOTATOR.key(), LABELS.key(), LESION.key(), LESION_VALUE.key()];

impl Draft {
    /// Takes a guess, unless somebody has typed meanwhile.
    fn take_guess(&mut self) {
        let Some(guess) = self.guess.as_ref().and_then(Task::poll) else { return };
        self.guess = None;
        if let Ok(Some(mapping)) = guess
            && IMAGES_IN.of(&self.params).is_empty()
            && MASKS_IN.of(&self.params).is_empty()
        {
            self.put(IMAGES_IN.key(), Value::Text(mapping.images.text().to_owned()));
            self.put(MASKS_IN.key(), Value::Text(mapping.masks.text().to_owned()));
        }
    }

    /// Asks anew once what is typed rests.
    fn settle(&mut self, egui: &Context) {
        let now = egui.input(|input| input.time);
        let question = Question::of(&self.params, &self.folder);
        if question == self.question {
            self.since = None;
            return;
        }
        let since = *self.since.get_or_insert(now);
        if now - since >= REST {
            (self.question, self.since) = (question, None);
        } else {
            egui.request_repaint_after(Duration::from_secs_f64(REST));
        }
    }

    /// Whether all that is typed is in the question.
    fn is_asked(&self) -> bool {
        Question::of(&self.params, &self.folder) == self.question
    }

    fn put(&mut self, key: &str, value: Value) {
        // Every value here is of the parameter's own kind and range.
        let _ = self.params.set(PARAMS, key, value);
        self.since = None;
    }

    fn fields(&mut self, ui: &mut Ui, seen: Option<&Preview>, style: &Style, size: f32) {
        ui.label(RichText::new("Images and masks").strong().size(size + 3.0));
        ui.add(Label::new(tile::weak(self.folder.display().to_string(), size - 0.5, style)).truncate());
        for (param, name, hint) in [
            (&IMAGES_IN, "Images", "img, or img/*.jpg; empty: names and folders tell"),
            (&MASKS_IN, "Masks", "lab/*_seg: * is what an image and its mask have in common"),
        ] {
            let mut text = param.of(&self.params).to_owned();
            if tile::field_row(ui, name, hint, &mut text, true, size, style, |_| {}) {
                self.put(param.key(), Value::Text(text));
            }
        }
        ui.horizontal_wrapped(|ui| {
            let people = seen.map_or(1, |seen| seen.people.max(1));
            let mut person = ANNOTATOR.of(&self.params);
            ui.label(tile::weak("Masks of person", size, style));
            let several = people > 1 || person > 1;
            let most = people.max(person as usize);
            let field = DragValue::new(&mut person).range(1..=most);
            let field = ui.add_enabled(several, field).on_hover_text(ANNOTATOR.row().help);
            field.widget_info(|| {
                WidgetInfo::labeled(eframe::egui::accesskit::Role::SpinButton, true, "Masks of person")
            });
            if field.changed() {
                self.put(ANNOTATOR.key(), Value::Int(person));
            }
            let row = LESION.row();
            let ParamKind::Choice(choices) = row.kind else { return };
            let now = LESION.item(&self.params).map_or("", |item| item.id);
            let shown = choices.iter().find(|choice| choice.id == now).map_or("", |choice| choice.label);
            ui.label(tile::weak("Lesion", size, style));
            let mut chosen = now;
            ComboBox::from_id_salt("lesion of pairs").selected_text(RichText::new(shown).size(size)).show_ui(
                ui,
                |ui| {
                    for choice in choices {
                        ui.selectable_value(&mut chosen, choice.id, choice.label);
                    }
                },
            );
            if chosen != now {
                self.put(LESION.key(), Value::Text(chosen.to_owned()));
            }
            let is_value = ["value", "colour"].contains(&chosen);
            let has_labels = seen.is_some_and(|seen| !seen.labels.is_empty());
            let texts = [(&LESION_VALUE, "Value", is_value), (&LABELS, "Labels", has_labels)];
            for (param, name, _) in texts.into_iter().filter(|(.., is_used)| *is_used) {
                let mut text = param.of(&self.params).to_owned();
                ui.label(tile::weak(name, size, style));
                let field = TextEdit::singleline(&mut text).desired_width(9.0 * size).font(FontId::proportional(size));
                if ui.add(field).accessible_name(name).on_hover_text(param.row().help).changed() {
                    self.put(param.key(), Value::Text(text));
                }
            }
        });
    }
}

/// Lists the folder with these choices and reads six pairs. On a thread.
fn look(question: &Question) -> Preview {
    let mapping = match Mapping::parse(&question.images, &question.masks) {
        Ok(mapping) => mapping,
        Err((which, problem)) => return Preview::refused(format!("{}: {problem}", ["Images", "Masks"][which])),
    };
    let lesion = match &question.lesion {
        Ok(lesion) => lesion,
        Err(problem) => return Preview::refused(problem.clone()),
    };
    let which = FolderChoice::new(question.annotator, &question.leave_out).with(&question.labels, mapping);
    let listing = match scan_chosen(&question.folder, None, &which, Watch::nobody()) {
        Ok(listing) => listing,
        Err(error) => return Preview::refused(error.to_string()),
    };
    let told = match (listing.require_pairs(), which.check(&listing)) {
        (Err(error), _) => Err(error.to_string()),
        (_, Err((key, problem))) => Err(format!("{key}: {problem}")),
        (Ok(()), Ok(())) => Ok(told(&listing)),
    };
    let step = listing.pairs.len().div_ceil(SHOWN).max(1);
    let pairs: Vec<_> = listing.pairs.iter().step_by(step).take(SHOWN).cloned().collect();
    let rules = Reader::default().survey(&pairs, &[], lesion, Watch::nobody());
    let mut lines = vec![listing.layout.describe()];
    lines.extend(listing.notes.iter().cloned());
    lines.extend(rules.lines().into_iter().map(|line| format!("in these six: {line}")));
    let reader = Reader::default().with_rules(rules);
    let shown = |pair| match reader.pair(pair) {
        Ok(sample) => small(&pair.name, &sample.picture, &sample.mask),
        Err(problem) => Shown {
            name: pair.name.clone(),
            size: [1, 1],
            rgb: Vec::new(),
            lines: Contours::default(),
            problem: Some(problem.problem),
        },
    };
    let shown = pairs.iter().map(shown).collect();
    Preview { told, lines, people: listing.people, labels: listing.labels.into_keys().collect(), shown }
}

/// `46 of 50 images pair; 2 masks without an image`
fn told(listing: &Listing) -> String {
    let pairs = listing.pairs.len();
    let mut text = format!("{pairs} of {} pair", counted(pairs + listing.unpaired_images.len(), "image", "images"));
    for (count, one, several) in [
        (listing.unpaired_masks.len(), "mask without an image", "masks without an image"),
        (listing.left_out.len(), "pair of a class that is left out", "pairs of classes that are left out"),
        (listing.problems.len(), "file cannot be used", "files cannot be used"),
    ] {
        if count > 0 {
            text += &format!("; {}", counted(count, one, several));
        }
    }
    text
}

/// A pair at the size of a thumbnail.
fn small(name: &str, picture: &Image, mask: &Mask) -> Shown {
    let factor = picture.width.max(picture.height).div_ceil(SIDE).max(1);
    let size = [picture.width.div_ceil(factor), picture.height.div_ceil(factor)];
    let at = |x: usize, y: usize| {
        let middle = |at: usize, most: usize| (at * factor + factor / 2).min(most - 1);
        (middle(x, picture.width), middle(y, picture.height))
    };
    let rgb = (0..size[1])
        .flat_map(|y| (0..size[0]).map(move |x| (x, y)))
        .flat_map(|(x, y)| {
            let (x, y) = at(x, y);
            let start = 3 * (y * picture.width + x);
            [picture.rgb[start], picture.rgb[start + 1], picture.rgb[start + 2]]
        })
        .collect();
    let mask = Mask::from_fn(size[1], size[0], |y, x| {
        let (x, y) = at(x, y);
        mask.at(y, x)
    });
    Shown { name: name.to_owned(), size, rgb, lines: Contours::of(&mask), problem: None }
}
