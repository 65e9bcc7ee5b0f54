//! The grid: cells of one size with captions, which of them are pinned, and the keys that lead from one to the next.

use std::collections::BTreeSet;

use eframe::egui::accesskit::Role;
use eframe::egui::scroll_area::{ScrollBarVisibility, ScrollSource};
use eframe::egui::{
    Align2, Button, EventFilter, FontId, Key, Modifiers, Rect, Response, RichText, ScrollArea, Sense, Slider, Stroke,
    StrokeKind, Ui, UiBuilder, Vec2, WidgetInfo, pos2, vec2,
};

use super::panel::{Panel, beside};
use super::pictures::Pictures;
use crate::kit::fields::Fields;
use crate::kit::view::ViewCtx;
use crate::plot::image_view::Lens;
use crate::plot::{names, tile};

/// Smallest width of a cell; more of them are scrolled to.
const SMALLEST: f32 = 104.0;

/// One cell.
pub struct Cell<'a> {
    /// Usually one; several are drawn beside each other, through the same lens.
    pub panels: Vec<Panel<'a>>,
    /// The first line of the caption.
    pub name: &'a str,
    /// The second line; `None` while it is being measured.
    pub facts: Option<Vec<Fact>>,
    /// The cell in words, for screen readers.
    pub said: String,
}

/// A number of a caption.
pub struct Fact {
    /// Left out where the cell is narrow.
    pub name: &'static str,
    pub value: String,
    /// Behind the value; may be empty.
    pub unit: &'static str,
}

/// What a wall is drawn with, and what the user changes in it.
pub struct Seen<'a> {
    pub pictures: &'a mut Pictures,
    pub lens: &'a mut Lens,
    pub selected: &'a mut usize,
}

/// View state.
#[derive(Debug, Default)]
pub struct Wall {
    /// Cells that the user took off the wall.
    hidden: BTreeSet<usize>,
    /// Shows these too.
    show_all: bool,
    /// Width of a cell in points; `None`: all fit.
    width: Option<f32>,
    /// The pointer was over a picture: the wheel magnifies and does not scroll.
    over_picture: bool,
    /// The keyboard moved the selection: it is scrolled into sight.
    reveal: bool,
}

impl Wall {
    /// What of it belongs to a scene.
    pub fn fields(&mut self, fields: &mut Fields) {
        fields.set("hidden", &mut self.hidden);
        fields.value("all", &mut self.show_all, false);
        fields.optional("width", &mut self.width);
    }

    /// The cells on the wall, of so many.
    pub fn seen(&self, count: usize) -> Vec<usize> {
        (0..count).filter(|i| self.show_all || !self.hidden.contains(i)).collect()
    }

    /// Puts all cells on the wall again.
    pub fn pin_all(&mut self) {
        self.hidden.clear();
    }

    /// Shows cells that are not pinned, or hides them again.
    pub fn toggle_all(&mut self) {
        self.show_all = !self.show_all;
    }

    /// All cells fit, or are as wide as the user likes.
    pub fn toggle_fit(&mut self) {
        self.width = if self.width.is_none() { Some(200.0) } else { None };
    }

    /// Size and pins, for a menu.
    pub fn menu(&mut self, ui: &mut Ui) {
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
            self.pin_all();
        }
    }

    /// Draws the cells `on` the wall into `rect`, of this aspect (width over height, without the caption). `cell` makes one of
    /// index and width in points; it is asked only for those that are seen.
    #[expect(clippy::too_many_arguments, reason = "what is drawn, where and with what")]
    pub fn show<'a>(
        &mut self,
        ui: &mut Ui,
        ctx: &ViewCtx<'_>,
        rect: Rect,
        on: &[usize],
        aspect: f32,
        seen: &mut Seen<'_>,
        cell: impl Fn(usize, f32) -> Cell<'a>,
    ) {
        let size = tile::font_size(ctx.presenting);
        let room = rect.size() - vec2(0.0, 6.0);
        let grid = Grid::new(room, on.len(), aspect, caption_height(size), 0.7 * size, self.width);
        let scrolls = grid.height(on.len()) > room.y + 1.0;
        let source =
            ScrollSource { mouse_wheel: scrolls && !self.over_picture, scroll_bar: scrolls, ..ScrollSource::default() };
        let bar = if scrolls { ScrollBarVisibility::default() } else { ScrollBarVisibility::AlwaysHidden };
        self.over_picture = false;
        ui.scope_builder(UiBuilder::new().max_rect(rect), |ui| {
            ui.shrink_clip_rect(rect.expand(2.0));
            ScrollArea::vertical()
                .id_salt("wall")
                .scroll_source(source)
                .scroll_bar_visibility(bar)
                .auto_shrink(false)
                .show(ui, |ui| {
                    let height = grid.height(on.len()).max(1.0) + 6.0;
                    let height = if scrolls { height } else { height.min(rect.height() - 1.0) };
                    let whole = vec2(rect.width() - 1.0, height.max(1.0));
                    let (area, _) = ui.allocate_exact_size(whole, Sense::hover());
                    for (place, &i) in on.iter().enumerate() {
                        let rect = grid.cell(place).translate(area.min.to_vec2() + vec2(0.0, 3.0));
                        if ui.is_rect_visible(rect) || (self.reveal && i == *seen.selected) {
                            let response = self.cell(ui, ctx, rect, i, seen, &cell(i, rect.width()));
                            self.act(ui, &response, i, seen.selected, on, grid.columns);
                            self.pin(ui, &response, i, size);
                        }
                    }
                });
        });
    }

    /// One cell; the response is that of its pictures.
    fn cell(
        &mut self,
        ui: &Ui,
        ctx: &ViewCtx<'_>,
        rect: Rect,
        i: usize,
        seen: &mut Seen<'_>,
        cell: &Cell<'_>,
    ) -> Response {
        let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
        let view = Rect::from_min_max(rect.min, pos2(rect.right(), rect.bottom() - caption_height(size)));
        let response = ui.interact(view, ui.scope_id().with(("wall cell", i)), Sense::click_and_drag());
        let selected = *seen.selected == i;
        response.widget_info(|| WidgetInfo::selected(Role::Button, true, selected, &cell.said));
        let painter = ui.painter_at(rect.expand(2.0));
        let at = response.interact_pointer_pos().or(response.hover_pos());
        // The panel under the pointer moves the lens.
        let mut under = None;
        for (view, panel) in beside(view, cell.panels.len(), 0.3 * size).zip(&cell.panels) {
            painter.rect_filled(view, 0.0, style.plot_background);
            if seen.pictures.panel(ui, view, seen.lens, panel).is_none() {
                let font = FontId::proportional(size);
                painter.text(view.center(), Align2::CENTER_CENTER, "being read …", font, style.text_weak);
            }
            let found = panel.picture.as_ref().filter(|_| at.is_some_and(|at| view.contains(at)));
            under = found.map(|picture| (view, picture.size)).or(under);
        }
        if let Some((view, size)) = under {
            seen.lens.interact(ui, &response, view, size);
        }
        self.over_picture |= response.contains_pointer();
        if selected || response.has_focus() {
            painter.rect_stroke(view, 0.0, Stroke::new(2.0, style.accent), StrokeKind::Outside);
        }
        caption(ui, Rect::from_min_max(pos2(rect.left(), view.bottom()), rect.max), cell, ctx);
        response
    }

    fn act(&mut self, ui: &Ui, response: &Response, i: usize, selected: &mut usize, on: &[usize], columns: usize) {
        if response.clicked() {
            *selected = i;
            response.request_focus();
        }
        if self.reveal && *selected == i {
            self.reveal = false;
            response.scroll_to_me(None);
            response.request_focus();
        }
        if response.has_focus() {
            let filter = EventFilter { horizontal_arrows: true, vertical_arrows: true, ..EventFilter::default() };
            ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, filter));
            if let Some(to) = moved(ui, i, on, columns) {
                *selected = to;
                self.reveal = true;
                ui.ctx().request_repaint();
            }
        }
    }

    /// The small button that takes a cell off the wall or puts it back, while the pointer is over it, and the same in a menu.
    fn pin(&mut self, ui: &mut Ui, response: &Response, i: usize, size: f32) {
        let view = response.rect;
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
fn moved(ui: &Ui, from: usize, on: &[usize], columns: usize) -> Option<usize> {
    let at = on.iter().position(|i| *i == from)?;
    let pressed = |key: Key| ui.input_mut(|input| input.consume_key(Modifiers::NONE, key));
    let to = match () {
        () if pressed(Key::ArrowRight) => at + 1,
        () if pressed(Key::ArrowLeft) => at.checked_sub(1)?,
        () if pressed(Key::ArrowDown) => at + columns,
        () if pressed(Key::ArrowUp) => at.checked_sub(columns)?,
        () => return None,
    };
    on.get(to).copied()
}

/// Whether a cell of this width has no room for the names of its facts.
pub fn is_narrow(width: f32, size: f32) -> bool {
    width <= 14.5 * size
}

/// Name and numbers under a cell. What the numbers are is left out where it is narrow.
fn caption(ui: &Ui, rect: Rect, cell: &Cell<'_>, ctx: &ViewCtx<'_>) {
    let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
    let painter = ui.painter_at(rect);
    let mono = FontId::monospace(size);
    let weak = FontId::proportional(size - 0.5);
    let second = pos2(rect.left(), rect.bottom() - 0.3 * size);
    let mut x = second.x;
    let mut put = |text: &str, font: &FontId, color| {
        x = painter.text(pos2(x, second.y), Align2::LEFT_BOTTOM, text, font.clone(), color).right() + 0.35 * size;
    };
    match &cell.facts {
        Some(facts) => {
            for (k, fact) in facts.iter().enumerate() {
                if !is_narrow(rect.width(), size) {
                    let apart = if k > 0 { " " } else { "" };
                    put(&format!("{apart}{}", fact.name), &weak, style.text_weak);
                }
                put(&fact.value, &mono, style.text);
                if !fact.unit.is_empty() {
                    put(fact.unit, &weak, style.text_weak);
                }
            }
        }
        None => put("…", &weak, style.text_weak),
    }
    let top = rect.left_top() + vec2(0.0, 0.2 * size);
    if names::draw(&painter, top, Align2::LEFT_TOP, cell.name, weak, style.text_weak, rect.width()) {
        let id = ui.scope_id().with(("name of a cell", cell.name));
        ui.interact(rect, id, Sense::hover()).on_hover_text(cell.name);
    }
}

fn caption_height(size: f32) -> f32 {
    (3.1 * size).round()
}

/// Width over height of most pictures of these sizes, within what makes a good cell.
pub fn aspect(sizes: impl Iterator<Item = [usize; 2]>) -> f32 {
    let mut all: Vec<f32> = sizes.map(|size| (size[0] as f32 / size[1].max(1) as f32).clamp(0.6, 1.9)).collect();
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
    use super::super::{Content, Key as Of, Picture};
    use super::*;
    use crate::engine::params::Params;
    use crate::engine::state::RunState;
    use crate::kit::view::{Cursor, NoPast};
    use crate::plot::style::Style;
    use eframe::egui::{Event, MouseWheelSource, MouseWheelUnit, TouchPhase};
    use egui_kittest::Harness;
    use egui_kittest::kittest::Queryable;

    #[derive(Default)]
    struct Scene {
        wall: Wall,
        pictures: Pictures,
        lens: Lens,
        selected: usize,
    }

    /// Four cells with an original, its error, and a reconstruction that is still being read.
    fn draw(ui: &mut Ui, scene: &mut Scene) {
        let (run, params, style, mut actions) = (RunState::default(), Params::default(), Style::dark(), Vec::new());
        let cursor = Cursor::default();
        let ctx = ViewCtx {
            run: &run,
            params: &params,
            cursor,
            style: &style,
            wgpu: None,
            past: &NoPast,
            presenting: false,
            actions: &mut actions,
        };
        let cell = |i: usize, _: f32| {
            let panel = |of: &str, content: Content<'static>| {
                let picture = Picture { key: Of::new((of, i), 0), size: [2, 2], content };
                Panel { picture: Some(picture), ..Panel::default() }
            };
            let original = panel("original", Content::Rgba(&[90; 16]));
            let error = panel("error", Content::Heat { values: &[0.1, 0.9, 0.4, 0.2], most: 1.0 });
            let facts = Some(vec![Fact { name: "error", value: "0.40".to_owned(), unit: "" }]);
            Cell { panels: vec![original, error, Panel::default()], name: "digit", facts, said: format!("digit {i}") }
        };
        let on = scene.wall.seen(4);
        let mut seen = Seen { pictures: &mut scene.pictures, lens: &mut scene.lens, selected: &mut scene.selected };
        scene.wall.show(ui, &ctx, ui.max_rect(), &on, 3.0, &mut seen, cell);
    }

    fn harness() -> Harness<'static, Scene> {
        let builder = Harness::builder().with_size(vec2(900.0, 500.0));
        let mut ready = false;
        let draw = move |ui: &mut Ui, scene: &mut Scene| {
            // Fonts act from the next frame on.
            if std::mem::replace(&mut ready, true) {
                draw(ui, scene);
            } else {
                crate::app::theme::install_fonts(ui.ctx());
            }
        };
        let mut harness = builder.build_ui_state(draw, Scene::default());
        harness.run_steps(4);
        harness
    }

    #[test]
    fn panels_of_all_cells_are_seen_through_one_lens() {
        for panel in 0..3 {
            let mut harness = harness();
            let rect = harness.get_by_label("digit 1").rect();
            let at = beside(rect, 3, 0.3 * tile::font_size(false)).nth(panel).unwrap().center();
            harness.hover_at(at);
            harness.run_steps(2);
            harness.event(Event::MouseWheel {
                unit: MouseWheelUnit::Point,
                delta: vec2(0.0, 200.0),
                phase: TouchPhase::Move,
                source: MouseWheelSource::Wheel,
                modifiers: Modifiers::NONE,
            });
            harness.run_steps(10);
            assert_eq!(harness.state().lens.is_zoomed(), panel < 2, "{panel}: there is nothing to magnify in the last");
        }
    }

    #[test]
    fn cells_are_selected_by_click_and_keys_and_taken_off_and_brought_back() {
        let mut harness = harness();
        harness.get_by_label("digit 1").click();
        harness.run_steps(3);
        harness.key_press(Key::ArrowRight);
        harness.run_steps(4);
        assert_eq!(harness.state().selected, 2);
        harness.get_by_label("digit 2").hover();
        harness.run_steps(3);
        harness.get_by_label("unpin").click();
        harness.run_steps(3);
        assert!(harness.query_by_label("digit 2").is_none() && harness.query_by_label("digit 3").is_some());
        harness.state_mut().wall.pin_all();
        harness.run_steps(3);
        harness.get_by_label("digit 2");
    }

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
