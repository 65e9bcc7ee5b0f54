//! Augmentation: images of the newest batch as they are and as the network saw them, and a trial on an image of the wall,
//! with the mask's edge continued as the image's and as the paper's code has it.

use eframe::egui::accesskit::Role;
use eframe::egui::text::LayoutJob;
use eframe::egui::{Align2, Color32, FontId, Painter, Rect, Sense, Ui, WidgetInfo, pos2, vec2};

use crate::compute::streams;
use crate::data::augment::{MaskBorder, View, recipes};
use crate::data::segmentation::read;
use crate::engine::event::{Payload, RunId};
use crate::engine::params::Value;
use crate::kit::fields::Fields;
use crate::kit::view::ViewCtx;
use crate::kit::wall::{Content, Contours, Key, Mark, Picture, Pictures, Recorded, beside, draw_outlines};
use crate::pixels::fit::Fit;
use crate::pixels::mask::Mask;
use crate::pixels::pieces;
use crate::pixels::resize::Size;
use crate::plot::image_view::Lens;
use crate::plot::style::Dash;
use crate::plot::{number, tile};

use super::super::source::{prepare, prepare_mask};
use super::SegmentationView;
use super::controls;
use super::gallery::mask_of;
use super::look::Marks;
use super::shared::Shared;
use crate::kit::tiles::{Tile, TileCommand, TileSpec};
use crate::labs::segmentation::params::{IMAGE_SIZE, fit};

/// The tile.
pub static TILE: Tile<SegmentationView> = Tile {
    spec: TileSpec {
        id: "augmentation",
        title: "Augmentation",
        help: "Images of the newest batch as they are and as the network saw them, with their masks and what was \
               drawn.",
        area: "one image",
        follows_cursor: true,
    },
    show: |view, ui, ctx| view.augmentation.show(&mut view.shared, ui, ctx),
    commands: &[
        TileCommand {
            id: "augmentation-try",
            title: "Augmentation: try on one image, or the batch",
            run: |view, _, _| view.augmentation.trying = !view.augmentation.trying,
        },
        TileCommand {
            id: "augmentation-draw",
            title: "Augmentation: draw another view",
            run: |view, _, _| {
                view.augmentation.trying = true;
                view.augmentation.trial.draw += 1;
            },
        },
    ],
};

/// Images of a batch that are recorded.
const SHOWN: usize = 8;
/// Draws that "find" looks through for one that the two mask borders label differently.
const TRIES: u64 = 40;

/// View state.
#[derive(Debug, Default)]
pub struct Augmentation {
    run: Option<RunId>,
    pairs: [Pair; SHOWN],
    trying: bool,
    trial: Trial,
}

/// An image of the batch and its view.
#[derive(Debug, Default)]
struct Pair {
    original: Recorded,
    view: Recorded,
    mask: Option<(u64, Mask, Contours)>,
}

impl Augmentation {
    /// What of it belongs to a scene.
    pub fn fields(&mut self, fields: &mut Fields) {
        fields.value("trying", &mut self.trying, false);
    }

    pub fn show(&mut self, shared: &mut Shared, ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
        if self.run != ctx.run.id {
            *self = Self { run: ctx.run.id, trying: self.trying, ..Self::default() };
        }
        shared.gallery.follow(ui, ctx, shared.look.ghost);
        let lines = match ctx.payload("batch/views") {
            Some((step, payload)) => match &*payload {
                Payload::Text(text) => Some((step, text.lines().map(str::to_owned).collect::<Vec<_>>())),
                _ => None,
            },
            None => None,
        };
        let Some((step, lines)) = lines.filter(|(_, lines)| !lines.is_empty()) else {
            return controls::nothing_yet(ui, ctx);
        };
        let size = tile::font_size(ctx.presenting);
        let (bar, rest) = tile::split(ui, size);
        let on = ctx.run.params.get("augment") == Some(&Value::Switch(true));
        let text = match (self.trying, on) {
            (true, _) => "one image, drawn again and again".to_owned(),
            (false, true) => format!("batch of step {}", number::grouped(step)),
            (false, false) => format!("augmentation is off: batch of step {} as it is", number::grouped(step)),
        };
        tile::bar(ui, bar, tile::weak(text, size, ctx.style), |ui| {
            if tile::toggle(ui, self.trying, "try", "Draws views of the selected image of the wall", size) {
                self.trying = !self.trying;
            }
            if self.trying {
                let help =
                    "Draws on until a view shows lesion beyond the edge, which the two mask borders label differently";
                if tile::button(ui, true, "find", help, size) {
                    self.trial.find = true;
                }
                if tile::button(ui, true, "draw again", "Draws another view of this image", size) {
                    self.trial.draw += 1;
                }
            } else if !on {
                let help = "Sets `augment`: flips, and one affine map with a border, from the next step on";
                if tile::button(ui, true, "switch on", help, size) {
                    ctx.set("augment", Value::Switch(true), true);
                }
            }
        });
        if rest.width() < 20.0 || rest.height() < 20.0 {
            return;
        }
        if self.trying {
            self.trial.show(shared, ui, ctx, rest);
        } else {
            self.batch(&mut shared.pictures, ui, ctx, rest, &lines);
        }
    }

    fn batch(&mut self, pictures: &mut Pictures, ui: &Ui, ctx: &ViewCtx<'_>, rect: Rect, lines: &[String]) {
        let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
        let plain = lines.iter().all(|line| line.ends_with("as it is"));
        let caption = if rect.height() > 20.0 * size && !plain { 5.4 * size } else { 1.6 * size };
        // Fewer where they would become too small.
        let room = (rect.width() / (11.0 * size)) * (rect.height() / (5.0 * size + caption));
        let count = lines.len().min(SHOWN).min((room as usize).max(1));
        let painter = ui.painter_at(rect);
        let truth = Marks::of(style).truth;
        for (k, place) in tile::panels(rect, count, 1.6, 0.9 * size).into_iter().enumerate() {
            let pair = &mut self.pairs[k];
            pair.original.follow(ctx, &format!("batch/original/{k}"));
            pair.view.follow(ctx, &format!("batch/image/{k}"));
            if let Some((step, payload)) = ctx.payload(&format!("batch/truth/{k}"))
                && pair.mask.as_ref().is_none_or(|(known, ..)| *known != step)
            {
                pair.mask = mask_of(&payload).map(|mask| (step, mask.clone(), Contours::of(&mask)));
            }
            let images = Rect::from_min_max(place.min, pos2(place.right(), place.bottom() - caption).max(place.min));
            let halves = [&pair.original, &pair.view].into_iter().zip(beside(images, 2, 0.4 * size));
            let placed = halves.map(|(half, place)| Some(whole(pictures, &painter, &half.picture()?, place))).last();
            if let (Some(Some(placed)), Some((_, mask, lines))) = (placed, &pair.mask) {
                outline(&painter, placed, mask, lines, truth);
            }
            let below = Rect::from_min_max(images.left_bottom() + vec2(0.0, 0.2 * size), place.max);
            let text = &lines[k];
            let font = FontId::proportional(size - 0.5);
            let mut job = LayoutJob::simple(text.clone(), font, style.text_weak, below.width());
            job.wrap.max_rows = ((below.height() / (1.22 * size)) as usize).max(1);
            let galley = painter.layout_job(job);
            painter.with_clip_rect(below).galley(below.min, galley, style.text_weak);
            let response = ui.interact(place, ui.scope_id().with(("view", k)), Sense::hover());
            response.widget_info(|| WidgetInfo::labeled(Role::Image, true, text));
            response.on_hover_text(format!("{text}\nLeft the image, right its view with the mask’s outline"));
        }
    }
}

/// Draws a picture as large as it fits; returns where it lies.
fn whole(pictures: &mut Pictures, painter: &Painter, picture: &Picture<'_>, place: Rect) -> Rect {
    let placed = Lens::default().place(place, picture.size);
    pictures.draw(painter, picture, placed, 1.0);
    placed
}

fn outline(painter: &Painter, placed: Rect, mask: &Mask, lines: &Contours, mark: Mark) {
    let clip = painter.with_clip_rect(placed.expand(1.0).intersect(painter.clip_rect()));
    draw_outlines(&clip, placed, [mask.width(), mask.height()], &[lines.outline(mark.color, mark.dash, 1.5, 1.1)]);
}

/// Views of one image of the wall, drawn on demand.
#[derive(Debug, Default)]
struct Trial {
    /// Counts draws.
    draw: u64,
    /// The next draw is to be one that the mask borders label differently.
    find: bool,
    /// Image, step of its mask, draw and size that is shown.
    made: Option<(usize, u64, u64, usize)>,
    /// Image and mask as the network sees them.
    source: Option<(Vec<f32>, Vec<bool>)>,
    /// The image's view.
    view: Vec<f32>,
    /// Of the original, of the view with the mask continued as the image, and with background beyond the edge.
    masks: Vec<(Mask, Contours)>,
    text: String,
    /// Pixels of the view's lesion, and those of them that are labelled background.
    lesion: usize,
    wrong: usize,
}

impl Trial {
    fn show(&mut self, shared: &mut Shared, ui: &Ui, ctx: &ViewCtx<'_>, rect: Rect) {
        let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
        let painter = ui.painter_at(rect);
        let i = shared.selected.min(shared.gallery.cards.len().saturating_sub(1));
        if !self.prepare(shared, ctx, i) {
            let font = FontId::proportional(size);
            painter.text(rect.center(), Align2::CENTER_CENTER, "The image is being read …", font, style.text_weak);
            return;
        }
        let caption = 3.6 * size;
        let heading = 1.7 * size;
        let below = if rect.width() < 34.0 * size { 4.6 * size } else { 3.2 * size };
        let figures = Rect::from_min_max(rect.min, pos2(rect.right(), rect.bottom() - below).max(rect.min));
        let percent = 100.0 * self.wrong as f64 / self.lesion.max(1) as f64;
        let captions = [
            "as it is".to_owned(),
            format!("{} px of lesion, all labelled", number::grouped(self.lesion as u64)),
            if self.wrong > 0 {
                format!("{} px ({percent:.0} %) labelled background", number::grouped(self.wrong as u64))
            } else {
                "the same labels in this view".to_owned()
            },
        ];
        let narrow = rect.width() < 34.0 * size;
        let headings = if narrow {
            ["image", "as image", "paper’s code"]
        } else {
            ["image", "mask as the image", "mask: paper’s code"]
        };
        let marks = Marks::of(style);
        for (k, place) in three(figures, heading + caption, 0.9 * size).into_iter().enumerate() {
            let clip = painter.with_clip_rect(place);
            let font = FontId::proportional(size);
            clip.text(place.min, Align2::LEFT_TOP, headings[k], font.clone(), style.text);
            let image = Rect::from_min_max(
                place.min + vec2(0.0, heading),
                pos2(place.right(), place.bottom() - caption).max(place.min + vec2(0.0, heading)),
            );
            if let (Some(picture), Some((mask, lines))) = (self.picture(k, ctx.run.id), self.masks.get(k)) {
                let placed = whole(&mut shared.pictures, &clip, &picture, image);
                if k == 2 && self.wrong > 0 {
                    let full = &self.masks[1];
                    outline(&clip, placed, &full.0, &full.1, Mark { dash: Dash::Dotted, ..marks.missed });
                }
                outline(&clip, placed, mask, lines, marks.truth);
            }
            let color = if k == 2 && self.wrong > 0 { style.warning } else { style.text_weak };
            let galley = clip.layout(captions[k].clone(), font, color, place.width());
            clip.galley(pos2(place.left(), image.bottom() + 0.2 * size), galley, color);
            let response = ui.interact(place, ui.scope_id().with(("trial", k)), Sense::hover());
            let said = format!("{}: {}", headings[k], captions[k]);
            response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &said));
        }
        let name = &shared.gallery.cards[i].name;
        let text = format!("{name}, draw {}: {}", self.draw + 1, self.text);
        let galley = painter.layout(text, FontId::proportional(size), style.text_weak, rect.width());
        painter.galley(pos2(rect.left(), rect.bottom() - below + 0.3 * size), galley, style.text_weak);
    }

    /// The image (`k` = 0) or its view.
    fn picture(&self, k: usize, run: Option<RunId>) -> Option<Picture<'_>> {
        let ((image, _), (.., side)) = self.source.as_ref().zip(self.made)?;
        let values = if k == 0 { image } else { &self.view };
        let color = move |x, y| plane_color(values, side, x, y);
        let key = Key::new(("trial", k.min(1)), (run, self.made));
        Some(Picture { key, size: [side; 2], content: Content::Colors(Box::new(color)) })
    }

    /// Draws the view again where image or draw changed. `false`: there is no image yet.
    fn prepare(&mut self, shared: &Shared, ctx: &ViewCtx<'_>, i: usize) -> bool {
        let Some(card) = shared.gallery.cards.get(i) else { return false };
        let (Some(extent), Some(truth)) = (card.picture.size(), &card.truth) else { return false };
        let side = IMAGE_SIZE.get(&ctx.run.params).unwrap_or(64).clamp(1, 512) as usize;
        let size = Size { height: side, width: side };
        let of = |made: &(usize, u64, u64, usize)| (made.0, made.1, made.3);
        if self.made.as_ref().map(of) != Some((i, truth.step, side)) {
            let fit = fit(&ctx.run.params);
            // Patches are of the image's own pixels.
            let most = if matches!(fit, Fit::Patches { .. }) { usize::MAX } else { 1024 };
            let (picture, mask) = thinned(&card.picture, extent, &truth.mask, most);
            self.source = Some(seen(&picture, &mask, side, fit));
            self.made = None;
        }
        let Some((image, mask)) = &self.source else { return false };
        let groups = recipes::pairs();
        let view = |draw: u64| View::draw(&groups, size, &mut streams::TRIAL_VIEWS.open(i as u64, draw));
        if std::mem::take(&mut self.find) {
            let differs = |draw: &u64| {
                let view = view(*draw);
                let label = |border| view.mask(mask, size, border);
                label(MaskBorder::AsImage) != label(MaskBorder::Background)
            };
            let next = self.draw + 1;
            self.draw = (next..next + TRIES).find(differs).unwrap_or(next + TRIES);
        }
        let wanted = (i, truth.step, self.draw, side);
        if self.made == Some(wanted) {
            return true;
        }
        let view = view(self.draw);
        let seen = view.image(image, size);
        let (full, cut) = (view.mask(mask, size, MaskBorder::AsImage), view.mask(mask, size, MaskBorder::Background));
        self.wrong = full.iter().zip(&cut).filter(|(full, cut)| **full && !**cut).count();
        self.lesion = full.iter().filter(|lesion| **lesion).count();
        self.text = view.to_string();
        let masks = [mask.clone(), full, cut].map(|pixels| Mask::new(side, side, pixels).unwrap_or_default());
        self.masks = masks.into_iter().map(|mask| (mask.clone(), Contours::of(&mask))).collect();
        self.view = seen;
        self.made = Some(wanted);
        true
    }
}

/// What the network sees of an image, `[3, S, S]`, and of its mask: of patches the one around the lesion's middle.
fn seen(picture: &read::Picture, mask: &Mask, side: usize, fit: Fit) -> (Vec<f32>, Vec<bool>) {
    let frame = fit.on_plane(Size { height: picture.height, width: picture.width }, side);
    let (plane, label) = (prepare(picture, 3, side, fit), prepare_mask(mask, side, fit));
    let lesion: Vec<usize> = (0..label.len()).filter(|&i| label[i]).collect();
    let middle = lesion.get(lesion.len() / 2).map_or([frame.side / 2; 2], |i| [i / frame.side, i % frame.side]);
    let room = pieces::room(frame, side);
    let corner: [usize; 2] = std::array::from_fn(|axis| {
        let [first, last] = room[axis];
        middle[axis].saturating_sub(side / 2).clamp(first, last)
    });
    let image = pieces::cut_channels(&plane, frame.side, side, corner).into_owned();
    (image, pieces::cut(&label, frame.side, side, corner).into_owned())
}

/// Places of three square pictures, each with `text` points of height for its texts: beside each other or below, whichever
/// makes them larger.
fn three(rect: Rect, text: f32, gap: f32) -> Vec<Rect> {
    let side = |columns: f32, rows: f32| {
        let width = (rect.width() - gap * (columns - 1.0)) / columns;
        width.min((rect.height() - gap * (rows - 1.0)) / rows - text)
    };
    let (beside, below) = (side(3.0, 1.0), side(1.0, 3.0));
    let cell = if beside >= below {
        vec2((rect.width() - 2.0 * gap) / 3.0, (beside + text).min(rect.height()))
    } else {
        vec2(rect.width(), (rect.height() - 2.0 * gap) / 3.0)
    };
    let step = if beside >= below { vec2(cell.x + gap, 0.0) } else { vec2(0.0, cell.y + gap) };
    (0..3).map(|k| Rect::from_min_size(rect.min + k as f32 * step, cell.max(vec2(0.0, 0.0)))).collect()
}

/// Image and mask, of one with more than `most` pixels a side every n-th pixel only: this is a trial, and the frame does not wait.
fn thinned(picture: &Recorded, size: [usize; 2], truth: &Mask, most: usize) -> (read::Picture, Mask) {
    let stride = size[0].max(size[1]).div_ceil(most).max(1);
    let [width, height] = size.map(|side| side.div_ceil(stride));
    let at = |i: usize| [i % width * stride, i / width * stride];
    let rgb = (0..width * height).flat_map(|i| picture.rgb(at(i)).unwrap_or_default()).collect();
    let mask = Mask::from_fn(height, width, |y, x| truth.at(y * stride, x * stride));
    let original = (width as u32, height as u32);
    (read::Picture { width, height, rgb, original, factor: 1 }, mask)
}

/// The colour of a pixel of `[3, S, S]` in [0, 1].
fn plane_color(values: &[f32], side: usize, x: usize, y: usize) -> Color32 {
    let byte = |channel: usize| (255.0 * values[(channel * side + y) * side + x]).round() as u8;
    Color32::from_rgb(byte(0), byte(1), byte(2))
}
