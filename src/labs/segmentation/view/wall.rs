//! The wall: validation images with the true outline and the predicted one, at the step of the timeline. All are seen
//! through one lens.

use eframe::egui::{Rect, Slider, Ui, UiBuilder, pos2, vec2};

use crate::compute::stats::Summary;
use crate::engine::event::RunId;
use crate::kit::empty;
use crate::kit::fields::Fields;
use crate::kit::view::ViewCtx;
use crate::kit::wall::{self, Cell, Fact, Seen};
use crate::pixels::mask::border::Hausdorff;
use crate::pixels::spacing::Unit;
use crate::plot::{medium, number, tile};

use super::super::pipeline::{Pipeline, Score};
use super::SegmentationView;
use super::controls;
use super::gallery::{Gallery, Slot};
use super::image;
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
            run: |view, _, _| view.wall.cells.toggle_fit(),
        },
        TileCommand {
            id: "wall-pin",
            title: "Wall: pin all images again",
            run: |view, _, _| view.wall.cells.pin_all(),
        },
        TileCommand {
            id: "wall-all",
            title: "Wall: images that are not pinned, on or off",
            run: |view, _, _| view.wall.cells.toggle_all(),
        },
    ],
};

/// View state.
#[derive(Debug, Default)]
pub struct Wall {
    run: Option<RunId>,
    cells: wall::Wall,
}

impl Wall {
    /// What of it belongs to a scene.
    pub fn fields(&mut self, fields: &mut Fields) {
        self.cells.fields(fields);
    }

    /// The images on the wall, of so many.
    pub fn pinned(&self, count: usize) -> Vec<usize> {
        self.cells.seen(count)
    }

    pub fn show(&mut self, shared: &mut Shared, ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
        if self.run != ctx.run.id {
            self.run = ctx.run.id;
            self.cells.pin_all();
        }
        shared.gallery.follow(ui, ctx, shared.look.ghost);
        if shared.gallery.cards.is_empty() {
            return controls::nothing_yet(ui, ctx);
        }
        let seen = self.cells.seen(shared.gallery.cards.len());
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
                empty::message(ui, ctx, "Nothing is pinned", "“show all” in the menu brings the images back");
            });
        } else if grid.width() > 20.0 && grid.height() > 20.0 {
            self.grid(shared, ui, ctx, grid, &seen);
        }
        if legend > 0.0 {
            let place = Rect::from_min_max(pos2(rest.left(), rest.bottom() - legend), rest.max);
            let medpy = shared.pipeline.hd95 == Hausdorff::Pooled95;
            let note = if medpy { "below: Dice, HD95 (medpy)" } else { "below: Dice, HD95 (MONAI)" };
            image::legend(&shared.look, &Marks::of(ctx.style), note).show(ui, place, ctx.style, size);
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
            controls::to_brush(ui, &mut shared.to_brush, bar.width() > 30.0 * size, size);
            tile::menu(ui, "view", "What is drawn over the images, their size, and which are shown", size, |ui| {
                controls::look_menu(ui, &mut shared.look);
                ui.separator();
                self.cells.menu(ui);
            });
            if bar.width() > 56.0 * size {
                controls::modes(ui, &mut shared.look, size);
            }
            let opacity = shared.look.mode != Mode::Outlines && bar.width() > 76.0 * size;
            if opacity && !medium::is_figure(ui.ctx()) {
                ui.spacing_mut().slider_width = 6.0 * size;
                ui.add(Slider::new(&mut shared.look.opacity, 0.0..=1.0).show_value(false))
                    .on_hover_text(format!("Opacity {:.0} %", 100.0 * shared.look.opacity));
            }
        });
    }

    fn grid(&mut self, shared: &mut Shared, ui: &mut Ui, ctx: &ViewCtx<'_>, rect: Rect, seen: &[usize]) {
        let (gallery, look, marks) = (&shared.gallery, shared.look, Marks::of(ctx.style));
        let cell = |i: usize, width: f32| {
            let line = if width > 260.0 { 1.8 } else { 1.4 };
            let score = gallery.shown(i, Slot::Now).map(|shown| shown.score);
            let name = gallery.cards[i].name.as_str();
            let said = match &score {
                Some(score) => {
                    let hd95 = distance_in(score.hd95, score.unit());
                    format!("{name}: Dice {}, HD95 {hd95} {}", dice(score), score.unit().short())
                }
                None => name.to_owned(),
            };
            let facts = score.map(|score| {
                let hd95 = format!("{:>5}", distance_in(score.hd95, score.unit()));
                vec![
                    Fact { name: "Dice", value: dice(&score), unit: "" },
                    Fact { name: "HD95", value: hd95, unit: score.unit().short() },
                ]
            });
            Cell { panels: vec![image::panel(gallery, i, &look, &marks, line)], name, facts, said }
        };
        let aspect = wall::aspect(seen.iter().filter_map(|i| gallery.cards[*i].picture.size()));
        let mut drawn =
            Seen { pictures: &mut shared.pictures, lens: &mut shared.look.lens, selected: &mut shared.selected };
        self.cells.show(ui, ctx, rect, seen, aspect, &mut drawn, cell);
    }
}

fn dice(score: &Score) -> String {
    format!("{:.3}", score.dice)
}

/// A distance, to a tenth of a pixel or a hundredth of a millimetre; a dash where it is undefined.
pub fn distance_in(value: Option<f64>, unit: Unit) -> String {
    let digits = if unit == Unit::Pixels { 1 } else { 2 };
    value.map_or_else(|| "—".to_owned(), |value| format!("{value:.digits$}"))
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
    let unit = shown.first().map_or(Unit::Pixels, |shown| shown.score.unit());
    let mut text = format!("mean Dice {mean}, HD95 {} {}", distance_in(hd95.mean, unit), unit.short());
    if !undefined.is_empty() {
        text += &format!(", {undefined}");
    }
    text + &format!(" · {images}, step {}", number::grouped(step))
}
