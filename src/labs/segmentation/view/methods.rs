//! Images by methods, as in the paper's Figure 2: a row for each image; its truth, this run's outline and those of other runs
//! beside each other, the Dice below each.

use std::collections::BTreeSet;
use std::sync::Arc;

use eframe::egui::accesskit::Role;
use eframe::egui::{
    Align2, Checkbox, FontId, Rect, ScrollArea, Sense, Slider, Stroke, StrokeKind, Ui, UiBuilder, WidgetInfo, pos2,
    vec2,
};

use super::SegmentationView;
use super::controls;
use super::gallery::Slot;
use super::image::SHADE;
use super::look::Marks;
use super::others::Other;
use super::shared::Shared;
use crate::kit::empty;
use crate::kit::fields::Fields;
use crate::kit::tiles::{Tile, TileCommand, TileSpec};
use crate::kit::view::ViewCtx;
use crate::kit::wall::{Contours, Legend, Outline, Panel};
use crate::labs::segmentation::compare::report::PICTURES;
use crate::labs::segmentation::compare::results;
use crate::labs::segmentation::pipeline::Pipeline;
use crate::plot::background::Many;
use crate::plot::{medium, names, tile};

/// The tile.
pub static TILE: Tile<SegmentationView> = Tile {
    spec: TileSpec {
        id: PICTURES,
        title: "Side by side",
        help: "Images by methods, as the paper's Figure 2: the image, its true outline, this run's, and those of the twin and of \
               recorded runs, with the Dice below each. Export it as a figure.",
        area: "large",
        follows_cursor: true,
    },
    show: |view, ui, ctx| {
        let pinned = view.wall.pinned(view.shared.gallery.cards.len());
        view.methods.show(&mut view.shared, &pinned, ui, ctx);
    },
    commands: &[
        TileCommand {
            id: "methods-more",
            title: "Side by side: one image more",
            run: |view, _, _| view.methods.rows = (view.methods.rows + 1).min(MOST_ROWS),
        },
        TileCommand {
            id: "methods-fewer",
            title: "Side by side: one image fewer",
            run: |view, _, _| view.methods.rows = view.methods.rows.saturating_sub(1).max(1),
        },
    ],
};

/// Images below each other.
const MOST_ROWS: usize = 12;
const ROWS: usize = 4;

/// What a prediction of another run was made of: the run, how, and the step of the truth.
type Made = (u64, Pipeline, u64);

/// An outline of another run, measured.
#[derive(Debug)]
struct Outlined {
    made: Made,
    lines: Contours,
    dice: f64,
}

/// View state.
#[derive(Debug)]
pub struct Methods {
    rows: usize,
    /// Names of the images that are shown; empty: the first ones.
    chosen: BTreeSet<String>,
    made: Many<(usize, usize), Made, Outlined>,
}

impl Default for Methods {
    fn default() -> Self {
        Self { rows: ROWS, chosen: BTreeSet::new(), made: Many::default() }
    }
}

impl Methods {
    /// What of it belongs to a scene.
    pub fn fields(&mut self, fields: &mut Fields) {
        let read = |text: &str| text.parse().ok().filter(|rows| (1..=MOST_ROWS).contains(rows));
        fields.text("rows", &mut self.rows, ROWS, usize::to_string, read);
        fields.set("images", &mut self.chosen);
    }

    /// Draws the tile. `pinned`: the images on the wall.
    pub fn show(&mut self, shared: &mut Shared, pinned: &[usize], ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
        shared.gallery.follow(ui, ctx, shared.look.ghost);
        if shared.gallery.cards.is_empty() {
            return controls::nothing_yet(ui, ctx);
        }
        shared.others.follow(ui.ctx(), ctx);
        self.made.follow("outlines of other runs", ui.ctx());
        let others = shared.others.list(ctx);
        let size = tile::font_size(ctx.presenting);
        let (bar, rest) = tile::split(ui, size);
        // The gallery may have come with this frame.
        let seen: Vec<usize> =
            if pinned.is_empty() { (0..shared.gallery.cards.len()).collect() } else { pinned.to_vec() };
        let all: Vec<usize> = (0..shared.gallery.cards.len()).filter(|i| in_common(shared, *i, &others)).collect();
        let images = self.images(shared, &seen, &all);
        self.bar(bar, shared, &others, &all, ui, ctx);
        if images.is_empty() {
            let hint = "No image that is wanted is on the walls of all these runs: only runs on the same images with the same \
                        validation part can stand side by side.";
            ui.scope_builder(UiBuilder::new().max_rect(rest), |ui| empty::message(ui, ctx, "No image in common", hint));
            return;
        }
        for &i in &images {
            shared.gallery.want(i, Slot::Now, shared.pipeline);
            for (k, other) in others.iter().enumerate() {
                self.want(shared, i, k, other);
            }
        }
        self.draw(shared, &images, &others, rest, ui, ctx);
        shared.gallery.keep_going(ui);
        if shared.others.is_busy() || !self.made.is_settled() {
            ui.ctx().request_repaint_after(std::time::Duration::from_millis(16));
        }
    }

    /// Of the images that all runs show (`all`) the chosen ones; else the first on the wall, with the selected one.
    fn images(&self, shared: &Shared, seen: &[usize], all: &[usize]) -> Vec<usize> {
        let is_chosen = |i: &usize| self.chosen.contains(&shared.gallery.cards[*i].name);
        let chosen: Vec<usize> = all.iter().copied().filter(is_chosen).take(MOST_ROWS).collect();
        if !self.chosen.is_empty() {
            return chosen;
        }
        let selected = seen.iter().filter(|i| **i == shared.selected);
        let rest = seen.iter().filter(|i| **i != shared.selected);
        let mut images: Vec<usize> =
            selected.chain(rest).copied().filter(|i| all.contains(i)).take(self.rows).collect();
        images.sort_unstable();
        images
    }

    /// Asks for the outline of another run.
    fn want(&mut self, shared: &Shared, i: usize, k: usize, other: &Other) {
        let card = &shared.gallery.cards[i];
        let (Some(truth), Some(walled)) = (card.truth.clone(), other.wall.get(&card.name)) else { return };
        let (map, pipeline) = (Arc::clone(&walled.map), of_other(shared.pipeline, other));
        let made = (other.number, pipeline, truth.step);
        self.made.want((k, i), made, move || {
            let mask = pipeline.mask(&map.values, map.side, truth.mask.height(), truth.mask.width());
            let dice = Pipeline::dice(&mask, &truth.mask);
            Outlined { made, lines: Contours::of(&mask), dice }
        });
    }

    fn bar(
        &mut self,
        rect: Rect,
        shared: &mut Shared,
        others: &[Arc<Other>],
        all: &[usize],
        ui: &mut Ui,
        ctx: &ViewCtx<'_>,
    ) {
        let size = tile::font_size(ctx.presenting);
        let step = shared.gallery.cards.iter().find_map(|card| card.probability.as_ref()).map(|map| map.step);
        let at = step.map_or_else(String::new, |step| format!(", this run at step {step}"));
        let problems = shared.others.problems().join("; ");
        let text = match (shared.others.is_busy(), problems.is_empty()) {
            (true, _) => "reading another run …".to_owned(),
            (false, false) => problems,
            (false, true) => {
                format!("validation images, probability > {}{at}, the others at their end", shared.pipeline.threshold)
            }
        };
        let text = if others.is_empty() && !shared.others.is_busy() {
            format!("{text}; “with” chooses runs to stand beside")
        } else {
            text
        };
        tile::bar(ui, rect, tile::weak(text, size, ctx.style), |ui| {
            tile::menu(ui, "with", "Recorded runs whose outlines stand beside this run's", size, |ui| {
                shared.others.menu(ui, ctx);
            });
            let help =
                "Which images are shown: the first that are pinned on the wall and the selected one, or chosen ones";
            tile::menu(ui, "images", help, size, |ui| self.images_menu(shared, all, ui));
            let help = "Show whole images (a double click on the wall does the same)";
            if tile::button(ui, shared.look.lens.is_zoomed(), "fit", help, size) {
                shared.look.lens.fit();
            }
        });
    }

    fn images_menu(&mut self, shared: &Shared, all: &[usize], ui: &mut Ui) {
        ui.add_enabled(self.chosen.is_empty(), Slider::new(&mut self.rows, 1..=MOST_ROWS).text("images"))
            .on_hover_text("How many are shown where none is chosen");
        ui.separator();
        ScrollArea::vertical().max_height(280.0).show(ui, |ui| {
            for &i in all {
                let name = &shared.gallery.cards[i].name;
                let mut on = self.chosen.contains(name);
                let free = on || self.chosen.len() < MOST_ROWS;
                let short = names::shortened(name, |text| text.chars().count() <= 40);
                if ui.add_enabled(free, Checkbox::new(&mut on, short)).on_hover_text(name).changed() {
                    match on {
                        true => drop(self.chosen.insert(name.clone())),
                        false => drop(self.chosen.remove(name)),
                    }
                }
            }
        });
        if !self.chosen.is_empty() && ui.button("none chosen").on_hover_text("Shows the first ones again").clicked() {
            self.chosen.clear();
        }
    }

    fn draw(
        &self,
        shared: &mut Shared,
        images: &[usize],
        others: &[Arc<Other>],
        rect: Rect,
        ui: &mut Ui,
        ctx: &ViewCtx<'_>,
    ) {
        let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
        let columns = 3 + others.len();
        let (head, caption, gap) = (1.7 * size, 1.6 * size, 0.5 * size);
        let marks = Marks::of(style);
        let mut rect = rect;
        if rect.height() > 16.0 * size {
            let legend = Legend { lines: vec![marks.truth, marks.prediction], ..Legend::default() };
            let place = rect.with_min_y(rect.bottom() - 1.6 * size);
            legend.show(ui, place, style, size);
            rect.max.y = place.top();
        }
        let cell = vec2(
            (rect.width() - gap * (columns - 1) as f32) / columns as f32,
            (rect.height() - head) / images.len() as f32,
        );
        if cell.x < 12.0 || cell.y < caption + 12.0 {
            return;
        }
        // As wide as the widest picture, so that methods stand close to each other; titles need some room.
        let sizes = images.iter().filter_map(|&i| shared.gallery.cards[i].picture.size());
        let widest = sizes.map(|[width, height]| width as f32 / height.max(1) as f32).fold(0.0, f32::max);
        let fitting = if widest > 0.0 { widest * (cell.y - caption) } else { cell.x };
        let cell = vec2(cell.x.min(fitting.max(9.0 * size)), cell.y);
        let own = results::run_title(ctx.run);
        let painter = ui.painter_at(rect);
        let titles =
            ["image", "truth", own.as_str()].into_iter().chain(others.iter().map(|other| other.results.title.as_str()));
        let left = |column: usize| rect.left() + column as f32 * (cell.x + gap);
        for (column, title) in titles.enumerate() {
            let font = FontId::proportional(size + 0.5);
            let at = pos2(left(column) + 0.5 * cell.x, rect.top());
            let cut = names::draw(&painter, at, Align2::CENTER_TOP, title, font, style.text, cell.x);
            if cut {
                let place = Rect::from_min_size(pos2(left(column), rect.top()), vec2(cell.x, head));
                ui.interact(place, ui.scope_id().with(("method", column)), Sense::hover()).on_hover_text(title);
            }
        }
        let line = if cell.x > 260.0 { 1.8 } else { 1.4 };
        for (row, &i) in images.iter().enumerate() {
            let top = rect.top() + head + row as f32 * cell.y;
            let view = |column: usize| Rect::from_min_size(pos2(left(column), top), vec2(cell.x, cell.y - caption));
            let (gallery, card) = (&shared.gallery, &shared.gallery.cards[i]);
            let truth = card.truth.as_ref().and_then(|truth| truth.lines());
            let mut cells: Vec<(Panel<'_>, String, String)> = Vec::new();
            let plain = || Panel { picture: card.picture.picture(), layers: Vec::new(), outlines: Vec::new() };
            cells.push((plain(), card.name.clone(), card.name.clone()));
            let mut of_truth = plain();
            of_truth
                .outlines
                .extend(truth.map(|lines| lines.outline(marks.truth.color, marks.truth.dash, line, SHADE)));
            cells.push((of_truth, String::new(), format!("{}: truth", card.name)));
            // The truth lies over the prediction, as on the wall.
            let shown = gallery.shown(i, Slot::Now).filter(|shown| shown.made.pipeline == shared.pipeline);
            let mut own = plain();
            own.outlines.extend(shown.map(|shown| prediction(&shown.lines, &marks, line)));
            own.outlines.extend(truth.map(|lines| thin_truth(lines, &marks, line)));
            cells.push(measured(own, "this run", &card.name, shown.map(|shown| shown.score.dice)));
            for (k, other) in others.iter().enumerate() {
                let wanted = |outlined: &&Arc<Outlined>| {
                    (outlined.made.0, outlined.made.1) == (other.number, of_other(shared.pipeline, other))
                };
                let found = self.made.newest((k, i)).filter(wanted);
                let mut panel = plain();
                panel.outlines.extend(found.map(|found| prediction(&found.lines, &marks, line)));
                panel.outlines.extend(truth.map(|lines| thin_truth(lines, &marks, line)));
                cells.push(measured(panel, &other.results.name, &card.name, found.map(|found| found.dice)));
            }
            let mut clicked = false;
            for (column, (panel, caption, said)) in cells.iter().enumerate() {
                let view = view(column);
                let response = ui.interact(view, ui.scope_id().with(("side by side", i, column)), Sense::click());
                response.widget_info(|| WidgetInfo::labeled(Role::Image, true, said.as_str()));
                painter.rect_filled(view, 0.0, style.plot_background);
                if shared.pictures.panel(ui, view, &shared.look.lens, panel).is_none() {
                    let font = FontId::proportional(size);
                    painter.text(view.center(), Align2::CENTER_CENTER, "being read …", font, style.text_weak);
                }
                let at = pos2(view.left(), view.bottom() + 0.15 * size);
                let font = FontId::proportional(size);
                names::draw(&painter, at, Align2::LEFT_TOP, caption, font, style.text_weak, view.width());
                clicked |= response.clicked();
                response.on_hover_text(said);
            }
            if shared.selected == i && !medium::is_figure(ui.ctx()) {
                painter.rect_stroke(view(0), 0.0, Stroke::new(2.0, style.accent), StrokeKind::Inside);
            }
            if clicked {
                shared.selected = i;
            }
        }
    }
}

fn prediction<'a>(lines: &'a Contours, marks: &Marks, line: f32) -> Outline<'a> {
    lines.outline(marks.prediction.color, marks.prediction.dash, line, SHADE)
}

/// The truth over a prediction.
fn thin_truth<'a>(lines: &'a Contours, marks: &Marks, line: f32) -> Outline<'a> {
    lines.outline(marks.truth.color, marks.truth.dash, 0.85 * line, 0.0)
}

/// A panel with its caption and the same in words; the Dice is `…` while it is being measured.
fn measured<'a>(panel: Panel<'a>, method: &str, image: &str, dice: Option<f64>) -> (Panel<'a>, String, String) {
    let dice = dice.map_or_else(|| "…".to_owned(), |dice| format!("{dice:.3}"));
    (panel, format!("Dice {dice}"), format!("{image}: {method}, Dice {dice}"))
}

/// Whether all other runs show image `i`.
fn in_common(shared: &Shared, i: usize, others: &[Arc<Other>]) -> bool {
    others.iter().all(|other| has(shared, i, other))
}

/// Whether another run shows the same image: of the same name, and as far as both say it of the same truth.
fn has(shared: &Shared, i: usize, other: &Other) -> bool {
    let card = &shared.gallery.cards[i];
    let Some(walled) = other.wall.get(&card.name) else { return false };
    match (&card.truth, &walled.truth) {
        (Some(own), Some(truth)) => own.mask == *truth,
        _ => true,
    }
}

/// The chosen post-processing, with the shape in which the other run's network saw its pictures.
fn of_other(pipeline: Pipeline, other: &Other) -> Pipeline {
    Pipeline { fit: other.results.fit, ..pipeline }
}
