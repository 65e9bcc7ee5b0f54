//! The wall: validation images with the true outline and the predicted one, at the step of the timeline. All are seen
//! through one lens.

use std::collections::BTreeSet;

use eframe::egui::accesskit::Role;
use eframe::egui::scroll_area::{ScrollBarVisibility, ScrollSource};
use eframe::egui::{
    Align2, Button, EventFilter, FontId, Key, Modifiers, Rect, Response, RichText, ScrollArea, Sense, Slider, Stroke,
    StrokeKind, Ui, UiBuilder, Vec2, WidgetInfo, pos2, vec2,
};

use crate::compute::stats::Summary;
use crate::engine::event::RunId;
use crate::kit::view::ViewCtx;
use crate::pixels::mask::border::Hausdorff;
use crate::plot::{number, tile};

use super::super::pipeline::{Pipeline, Score};
use super::SegmentationView;
use super::controls;
use super::gallery::{Gallery, Slot};
use super::image::{self, Frame};
use super::look::{Ghost, Marks, Mode};
use super::series;
use super::shared::Shared;
use crate::kit::tiles::{Tile, TileCommand, TileSpec};

/// The tile.
pub static TILE: Tile<SegmentationView> = Tile {
    spec: TileSpec {
        id: "wall",
        title: "Wall",
        help: "Validation images with the true outline in red and the predicted one in green, at the timeline's \
               step. Scroll to zoom and drag to move all of them together, click one to open it in the inspector.",
        area: "large",
        follows_cursor: true,
    },
    show: |view, ui, ctx| view.wall.show(&mut view.shared, ui, ctx),
    commands: &[
        TileCommand {
            id: "layer-outlines",
            title: "Images: show outlines",
            run: |view, _, _| view.shared.look.mode = Mode::Outlines,
        },
        TileCommand {
            id: "layer-mask",
            title: "Images: show mask",
            run: |view, _, _| view.shared.look.mode = Mode::Mask,
        },
        TileCommand {
            id: "layer-probability",
            title: "Images: show probability",
            run: |view, _, _| view.shared.look.mode = Mode::Probability,
        },
        TileCommand {
            id: "layer-errors",
            title: "Images: show errors",
            run: |view, _, _| view.shared.look.mode = Mode::Errors,
        },
        TileCommand {
            id: "layer-uncertainty",
            title: "Images: show uncertainty",
            run: |view, _, _| view.shared.look.mode = Mode::Uncertainty,
        },
        TileCommand {
            id: "ghost-none",
            title: "Images: no earlier outline",
            run: |view, _, _| view.shared.look.ghost = Ghost::None,
        },
        TileCommand {
            id: "ghost-previous",
            title: "Images: outline of the validation before",
            run: |view, _, _| view.shared.look.ghost = Ghost::Previous,
        },
        TileCommand {
            id: "ghost-first",
            title: "Images: outline of the untrained network",
            run: |view, _, _| view.shared.look.ghost = Ghost::First,
        },
        TileCommand {
            id: "images-fit",
            title: "Images: show them whole",
            run: |view, _, _| view.shared.look.lens.fit(),
        },
        TileCommand {
            id: "wall-fit",
            title: "Wall: all images fit, on or off",
            run: |view, _, _| view.wall.toggle_fit(),
        },
        TileCommand { id: "wall-pin", title: "Wall: pin all images again", run: |view, _, _| view.wall.hidden.clear() },
        TileCommand {
            id: "wall-all",
            title: "Wall: images that are not pinned, on or off",
            run: |view, _, _| view.wall.show_all = !view.wall.show_all,
        },
    ],
};

/// Smallest width of an image; more of them are scrolled to.
const SMALLEST: f32 = 104.0;

/// View state.
#[derive(Debug, Default)]
pub struct Wall {
    run: Option<RunId>,
    /// Images that the user took off the wall.
    hidden: BTreeSet<usize>,
    /// Shows these too.
    show_all: bool,
    /// Width of an image in points; `None`: all fit.
    width: Option<f32>,
    /// The pointer was over an image: the wheel magnifies and does not scroll.
    over_image: bool,
    /// The keyboard moved the selection: it is scrolled into sight.
    reveal: bool,
}

impl Wall {
    pub fn show(&mut self, shared: &mut Shared, ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
        if self.run != ctx.run.id {
            self.run = ctx.run.id;
            self.hidden.clear();
        }
        shared.gallery.follow(ui, ctx, shared.look.ghost);
        if shared.gallery.cards.is_empty() {
            return controls::nothing_yet(ui, ctx);
        }
        let seen: Vec<usize> =
            (0..shared.gallery.cards.len()).filter(|i| self.show_all || !self.hidden.contains(i)).collect();
        for &i in &seen {
            shared.gallery.want(i, Slot::Now, shared.pipeline);
            if shared.look.ghost != Ghost::None {
                shared.gallery.want(i, Slot::Ghost, shared.pipeline);
            }
        }
        let size = tile::font_size(ctx.presenting);
        let (bar, rest) = tile::split(ui, size);
        self.bar(shared, ui, ctx, bar, &seen);
        let mut rest = rest;
        if shared.look.mode == Mode::Uncertainty && shared.gallery.cards.iter().all(|card| card.uncertainty.is_none()) {
            let place = Rect::from_min_size(rest.min, vec2(rest.width(), (2.4 * size).min(rest.height())));
            let used = ui.scope_builder(UiBuilder::new().max_rect(place), |ui| {
                controls::ask_for_uncertainty(ui, ctx, size);
            });
            rest.min.y = used.response.rect.bottom() + 0.3 * size;
        }
        let legend = if rest.height() > 12.0 * size { 1.8 * size } else { 0.0 };
        let grid = Rect::from_min_max(rest.min, pos2(rest.right(), rest.bottom() - legend).max(rest.min));
        if seen.is_empty() {
            ui.scope_builder(UiBuilder::new().max_rect(grid), |ui| {
                tile::message(
                    ui,
                    size,
                    ctx.style,
                    "Nothing is pinned",
                    "“show all” in the menu brings the images back",
                );
            });
        } else if grid.width() > 20.0 && grid.height() > 20.0 {
            self.grid(shared, ui, ctx, grid, &seen);
        }
        if legend > 0.0 {
            let place = Rect::from_min_max(pos2(rest.left(), rest.bottom() - legend), rest.max);
            let medpy = shared.pipeline.hd95 == Hausdorff::Pooled95;
            let note = if medpy { "below: Dice, HD95 (medpy)" } else { "below: Dice, HD95 (MONAI)" };
            image::legend(ui, place, &shared.look, &Marks::of(ctx.style), ctx.style, size, note);
        }
        shared.gallery.keep_going(ui);
    }

    fn bar(&mut self, shared: &mut Shared, ui: &mut Ui, ctx: &ViewCtx<'_>, bar: Rect, seen: &[usize]) {
        let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
        let text = summary(&shared.gallery, seen, shared.pipeline);
        tile::bar(ui, bar, tile::weak(text, size, style), |ui| {
            let help = "Show whole images (a double click does the same)";
            if tile::button(ui, shared.look.lens.is_zoomed(), "fit", help, size) {
                shared.look.lens.fit();
            }
            let menu = ui.menu_button(RichText::new("view").size(size), |ui| {
                controls::look_menu(ui, &mut shared.look);
                ui.separator();
                self.size_menu(ui);
            });
            menu.response.on_hover_text("What is drawn over the images, their size, and which are shown");
            if bar.width() > 56.0 * size {
                controls::modes(ui, &mut shared.look, size);
            }
            if shared.look.mode != Mode::Outlines && bar.width() > 76.0 * size {
                ui.spacing_mut().slider_width = 6.0 * size;
                ui.add(Slider::new(&mut shared.look.opacity, 0.0..=1.0).show_value(false))
                    .on_hover_text(format!("Opacity {:.0} %", 100.0 * shared.look.opacity));
            }
        });
    }

    /// All images fit, or are as wide as the user likes.
    fn toggle_fit(&mut self) {
        self.width = if self.width.is_none() { Some(200.0) } else { None };
    }

    fn size_menu(&mut self, ui: &mut Ui) {
        let mut fit = self.width.is_none();
        if ui.checkbox(&mut fit, "fit all images").on_hover_text("As large as all of them fit into the tile").changed()
        {
            self.toggle_fit();
        }
        if let Some(width) = &mut self.width {
            ui.add(Slider::new(width, SMALLEST..=640.0).text("width").suffix(" pt").max_decimals(0))
                .on_hover_text("Width of an image in points of the screen");
        }
        ui.separator();
        let hidden = self.hidden.len();
        ui.add_enabled_ui(hidden > 0 || self.show_all, |ui| {
            ui.checkbox(&mut self.show_all, format!("show all ({hidden} not pinned)"))
                .on_hover_text("Images that were taken off the wall are shown too");
        });
        if ui.add_enabled(hidden > 0, Button::new("pin all again")).clicked() {
            self.hidden.clear();
        }
    }

    fn grid(&mut self, shared: &mut Shared, ui: &mut Ui, ctx: &mut ViewCtx<'_>, rect: Rect, seen: &[usize]) {
        let size = tile::font_size(ctx.presenting);
        let caption = caption_height(size);
        let aspect = aspect(&shared.gallery, seen);
        let room = rect.size() - vec2(0.0, 6.0);
        let grid = Grid::new(room, seen.len(), aspect, caption, 0.7 * size, self.width);
        let scrolls = grid.height(seen.len()) > room.y + 1.0;
        let source =
            ScrollSource { mouse_wheel: scrolls && !self.over_image, scroll_bar: scrolls, ..ScrollSource::default() };
        let bar = if scrolls { ScrollBarVisibility::default() } else { ScrollBarVisibility::AlwaysHidden };
        self.over_image = false;
        ui.scope_builder(UiBuilder::new().max_rect(rect), |ui| {
            ui.shrink_clip_rect(rect.expand(2.0));
            ScrollArea::vertical()
                .id_salt("wall")
                .scroll_source(source)
                .scroll_bar_visibility(bar)
                .auto_shrink(false)
                .show(ui, |ui| {
                    let height = grid.height(seen.len()).max(1.0) + 6.0;
                    let height = if scrolls { height } else { height.min(rect.height() - 1.0) };
                    let whole = vec2(rect.width() - 1.0, height.max(1.0));
                    let (area, _) = ui.allocate_exact_size(whole, Sense::hover());
                    for (place, &i) in seen.iter().enumerate() {
                        let cell = grid.cell(place).translate(area.min.to_vec2() + vec2(0.0, 3.0));
                        if ui.is_rect_visible(cell) || (self.reveal && i == shared.selected) {
                            self.cell(shared, ui, ctx, cell, i, seen, grid.columns);
                        }
                    }
                });
        });
    }

    /// One image with its caption.
    #[expect(clippy::too_many_arguments, reason = "the place of one cell among all")]
    fn cell(
        &mut self,
        shared: &mut Shared,
        ui: &mut Ui,
        ctx: &mut ViewCtx<'_>,
        cell: Rect,
        i: usize,
        seen: &[usize],
        columns: usize,
    ) {
        let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
        let view = Rect::from_min_max(cell.min, pos2(cell.right(), cell.bottom() - caption_height(size)));
        let response = ui.interact(view, ui.scope_id().with(("wall image", i)), Sense::click_and_drag());
        let marks = Marks::of(style);
        let look = shared.look;
        let Some((card, spent)) = shared.gallery.card(i) else { return };
        let score = card.shown(Slot::Now).map(|shown| shown.score);
        let name = card.name.clone();
        let said = match &score {
            Some(score) => format!("{name}: Dice {}, HD95 {} px", dice(score), distance(score.hd95)),
            None => name.clone(),
        };
        response.widget_info(|| WidgetInfo::selected(Role::Button, true, shared.selected == i, &said));
        let painter = ui.painter_at(cell.expand(2.0));
        painter.rect_filled(view, 0.0, style.plot_background);
        let line = if view.width() > 260.0 { 1.8 } else { 1.4 };
        let frame = Frame { view, look: &look, marks: &marks, line };
        let image_size = card.size();
        if image::draw(ui, card, spent, &frame).is_none() {
            let font = FontId::proportional(size);
            painter.text(view.center(), Align2::CENTER_CENTER, "being read …", font, style.text_weak);
        }
        if let Some(image_size) = image_size {
            shared.look.lens.interact(ui, &response, view, image_size);
        }
        self.over_image |= response.contains_pointer();
        let selected = shared.selected == i;
        if selected || response.has_focus() {
            painter.rect_stroke(view, 0.0, Stroke::new(2.0, style.accent), StrokeKind::Outside);
        }
        caption(ui, Rect::from_min_max(pos2(cell.left(), view.bottom()), cell.max), &name, score.as_ref(), ctx);
        self.act(shared, ui, &response, i, seen, columns);
        self.pin(ui, &response, view, i, size);
    }

    fn act(&mut self, shared: &mut Shared, ui: &Ui, response: &Response, i: usize, seen: &[usize], columns: usize) {
        if response.clicked() {
            shared.selected = i;
            response.request_focus();
        }
        if self.reveal && shared.selected == i {
            self.reveal = false;
            response.scroll_to_me(None);
            response.request_focus();
        }
        if response.has_focus() {
            let filter = EventFilter { horizontal_arrows: true, vertical_arrows: true, ..EventFilter::default() };
            ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, filter));
            if let Some(to) = moved(ui, i, seen, columns) {
                shared.selected = to;
                self.reveal = true;
                ui.ctx().request_repaint();
            }
        }
    }

    /// The small button that takes an image off the wall or puts it back, while the pointer is over the image, and the
    /// same in a menu.
    fn pin(&mut self, ui: &mut Ui, response: &Response, view: Rect, i: usize, size: f32) {
        let pinned = !self.hidden.contains(&i);
        let (name, help) = if pinned {
            ("unpin", "Takes the image off the wall")
        } else {
            ("pin", "Puts the image on the wall again")
        };
        let mut clicked = false;
        response.context_menu(|ui| {
            if ui.button(format!("{name} this image")).on_hover_text(help).clicked() {
                clicked = true;
                ui.close();
            }
        });
        let place = Rect::from_min_size(view.right_top() + vec2(-3.8 * size, 0.3 * size), vec2(3.5 * size, 1.7 * size));
        if response.contains_pointer() && view.width() > 8.0 * size {
            let button = Button::new(RichText::new(name).size(size - 0.5)).frame_when_inactive(true);
            ui.scope(|ui| {
                ui.spacing_mut().button_padding = vec2(3.0, 0.0);
                clicked |= ui.put(place, button).on_hover_text(help).clicked();
            });
        }
        if clicked && !self.hidden.remove(&i) {
            self.hidden.insert(i);
        }
    }
}

/// Where an arrow key leads.
fn moved(ui: &Ui, from: usize, seen: &[usize], columns: usize) -> Option<usize> {
    let at = seen.iter().position(|i| *i == from)?;
    let pressed = |key: Key| ui.input_mut(|input| input.consume_key(Modifiers::NONE, key));
    let to = match () {
        () if pressed(Key::ArrowRight) => at + 1,
        () if pressed(Key::ArrowLeft) => at.checked_sub(1)?,
        () if pressed(Key::ArrowDown) => at + columns,
        () if pressed(Key::ArrowUp) => at.checked_sub(columns)?,
        () => return None,
    };
    seen.get(to).copied()
}

/// Name, Dice and HD95 under an image: on one line where they fit, otherwise the numbers below the name.
fn caption(ui: &Ui, rect: Rect, name: &str, score: Option<&Score>, ctx: &ViewCtx<'_>) {
    let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
    let painter = ui.painter_at(rect);
    let mono = FontId::monospace(size);
    let weak = FontId::proportional(size - 0.5);
    let second = pos2(rect.left(), rect.bottom() - 0.3 * size);
    let mut x = second.x;
    let mut put = |text: &str, font: &FontId, color| {
        x = painter.text(pos2(x, second.y), Align2::LEFT_BOTTOM, text, font.clone(), color).right() + 0.35 * size;
    };
    match score {
        Some(score) => {
            // Without their names, which are in the legend, where the image is small.
            let names = rect.width() > 14.5 * size;
            if names {
                put("Dice", &weak, style.text_weak);
            }
            put(&dice(score), &mono, style.text);
            if names {
                put(" HD95", &weak, style.text_weak);
            }
            put(&format!("{:>5}", distance(score.hd95)), &mono, style.text);
            put("px", &weak, style.text_weak);
        }
        None => put("…", &weak, style.text_weak),
    }
    let galley = {
        let mut job = eframe::egui::text::LayoutJob::simple_singleline(name.to_owned(), weak, style.text_weak);
        job.wrap.max_width = rect.width();
        job.wrap.max_rows = 1;
        job.wrap.break_anywhere = true;
        painter.layout_job(job)
    };
    painter.galley(rect.min + vec2(0.0, 0.2 * size), galley, style.text_weak);
}

fn caption_height(size: f32) -> f32 {
    (3.1 * size).round()
}

fn dice(score: &Score) -> String {
    format!("{:.3}", score.dice)
}

/// A distance in pixels; a dash where it is undefined.
pub fn distance(value: Option<f64>) -> String {
    value.map_or_else(|| "—".to_owned(), |value| format!("{value:.1}"))
}

/// Means over the images that are shown, of one step alone; else how many are there.
fn summary(gallery: &Gallery, seen: &[usize], pipeline: Pipeline) -> String {
    let moment = gallery.moment(seen.iter().copied(), Slot::Now, pipeline);
    let images = number::counted(seen.len(), "image", "images");
    let Some(step) = moment.step else { return images };
    if !moment.is_whole() {
        return format!("mean Dice … · {} of {images}, step {}", moment.in_time.len(), number::grouped(step));
    }
    let shown = moment.in_time;
    let dice = Summary::of(shown.iter().map(|shown| Some(shown.score.dice)));
    let hd95 = Summary::of(shown.iter().map(|shown| shown.score.hd95));
    let without = shown.iter().filter(|shown| shown.score.area == 0 || shown.score.predicted == 0).count();
    let both = shown.iter().filter(|shown| shown.score.both_empty).count();
    let undefined = series::undefined_in_words(without, both, pipeline.penalty);
    let mean = dice.mean.map_or_else(|| "—".to_owned(), |mean| format!("{mean:.3}"));
    // What is cut in a small tile comes last.
    let mut text = format!("mean Dice {mean}, HD95 {} px", distance(hd95.mean));
    if !undefined.is_empty() {
        text += &format!(", {undefined}");
    }
    text + &format!(" · {images}, step {}", number::grouped(step))
}

/// Width over height of most images.
fn aspect(gallery: &Gallery, seen: &[usize]) -> f32 {
    let mut all: Vec<f32> = seen
        .iter()
        .filter_map(|i| gallery.cards[*i].size())
        .map(|size| (size[0] as f32 / size[1].max(1) as f32).clamp(0.6, 1.9))
        .collect();
    all.sort_by(f32::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or(1.3)
}

/// Places of cells of one size, row by row.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Grid {
    columns: usize,
    cell: Vec2,
    gap: f32,
}

impl Grid {
    /// `count` images of this aspect (width over height), a caption below each: as large as all fit into `room`, or of the
    /// width that is wanted.
    fn new(room: Vec2, count: usize, aspect: f32, caption: f32, gap: f32, wanted: Option<f32>) -> Self {
        let columns_of = |width: f32| (((room.x + gap) / (width + gap)) as usize).max(1);
        let width_of = |columns: usize| ((room.x - gap * (columns - 1) as f32) / columns as f32).max(1.0);
        let with_width = |width: f32| {
            let columns = columns_of(width.min(room.x)).min(count.max(1));
            let width = width.min(room.x).max(1.0);
            Self { columns, cell: vec2(width, width / aspect + caption), gap }
        };
        if let Some(width) = wanted {
            return with_width(width);
        }
        // The largest image of all numbers of columns.
        let best = (1..=count.max(1))
            .map(|columns| {
                let rows = count.div_ceil(columns).max(1);
                let height = (room.y - gap * (rows - 1) as f32) / rows as f32 - caption;
                (columns, width_of(columns).min(height * aspect))
            })
            .max_by(|a, b| a.1.total_cmp(&b.1));
        match best {
            Some((columns, width)) if width >= SMALLEST.min(room.x) => {
                let cell = vec2(width_of(columns), width / aspect + caption);
                Self { columns, cell, gap }
            }
            _ => {
                // All the width is used.
                let columns = columns_of(SMALLEST).min(count.max(1));
                Self { columns, cell: vec2(width_of(columns), width_of(columns) / aspect + caption), gap }
            }
        }
    }

    fn cell(&self, place: usize) -> Rect {
        let (column, row) = ((place % self.columns) as f32, (place / self.columns) as f32);
        Rect::from_min_size(pos2(column * (self.cell.x + self.gap), row * (self.cell.y + self.gap)), self.cell)
    }

    fn height(&self, count: usize) -> f32 {
        let rows = count.div_ceil(self.columns).max(1) as f32;
        rows * self.cell.y + (rows - 1.0) * self.gap
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_images_fit_where_they_can_be_seen_at_all() {
        for room in [vec2(700.0, 430.0), vec2(420.0, 560.0), vec2(1500.0, 300.0)] {
            for count in [1, 2, 5, 12] {
                let grid = Grid::new(room, count, 1.3, 34.0, 8.0, None);
                assert!(grid.height(count) <= room.y + 0.5, "{room} {count} {grid:?}");
                assert!(grid.cell(count - 1).right() <= room.x + 0.5, "{room} {count} {grid:?}");
            }
        }
    }

    #[test]
    fn what_does_not_fit_is_scrolled() {
        let room = vec2(420.0, 200.0);
        let grid = Grid::new(room, 64, 1.3, 34.0, 8.0, None);
        assert!(grid.cell.x >= SMALLEST && grid.height(64) > room.y);
        assert!(grid.cell(63).right() <= room.x + 0.5);
        let large = Grid::new(room, 12, 1.3, 34.0, 8.0, Some(300.0));
        assert_eq!((large.columns, large.cell.x), (1, 300.0));
        assert_eq!(Grid::new(room, 12, 1.3, 34.0, 8.0, Some(9000.0)).cell.x, 420.0, "never wider than the tile");
        assert!(Grid::new(vec2(1.0, 1.0), 12, 1.3, 34.0, 8.0, None).cell.x > 0.0);
    }
}
