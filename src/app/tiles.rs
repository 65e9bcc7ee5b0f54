//! The middle of the window: a lab's tiles, which can be moved, resized, hidden, maximised and reset.

use eframe::egui::{self, Align, Layout, RichText, Sense, TextStyle, Ui, vec2};
use egui_tiles::{Behavior, Container, SimplificationOptions, Tile, TileId, Tiles, Tree, UiResponse};

use super::act::{Act, FigureFile};
use super::layouts::Layouts;
use super::theme;
use super::widgets::{Icon, icon_button};
use crate::kit::tiles::{Arrangement, TileSpec};
use crate::kit::view::{LabView, ViewCtx};

/// Where the content of a visible tile lies, for figures.
pub type Place = (&'static str, egui::Rect);

impl Layouts {
    /// Draws the tiles into the whole of `ui`.
    pub fn ui(
        &mut self,
        ui: &mut Ui,
        arrangement: &Arrangement,
        view: &mut dyn LabView,
        ctx: &mut ViewCtx<'_>,
        acts: &mut Vec<Act>,
    ) -> Vec<Place> {
        let tiles = self.tiles.clone();
        let mut places = Vec::new();
        let maximised = self.maximised.and_then(|id| self.find(id));
        let only = self.shown(arrangement).iter().filter(|(_, shown)| *shown).count() <= 1;
        let mut pane = Pane { view, ctx, acts, places: &mut places, maximised: maximised.is_some(), only };
        if let Some(spec) = maximised {
            pane.show(ui, spec, true);
            return places;
        }
        let mut tree = self.fitted(arrangement, ui.available_size());
        let tabbed = tabbed(&tree);
        let mut behavior = TileBehavior { pane, tiles, tabbed, edited: false, moved: false };
        if tree.is_empty() || tree.root.is_some_and(|root| !tree.tiles.is_visible_in_layout(root)) {
            empty(ui, "No tile is shown. Bring one back with the Tiles menu, or press Ctrl+P and type “tile”.");
        } else {
            tree.ui(&mut behavior, ui);
        }
        let (edited, moved) = (behavior.edited, behavior.moved);
        self.drawn(arrangement, tree, edited, moved);
        places
    }
}

/// Weak text in the middle of an area that has nothing to show.
pub fn empty(ui: &mut Ui, text: &str) {
    ui.centered_and_justified(|ui| {
        ui.label(RichText::new(text).weak());
    });
}

/// Draws one tile: a quiet title line, then the view's content.
struct Pane<'a, 'c> {
    view: &'a mut dyn LabView,
    ctx: &'a mut ViewCtx<'c>,
    acts: &'a mut Vec<Act>,
    places: &'a mut Vec<Place>,
    maximised: bool,
    only: bool,
}

impl Pane<'_, '_> {
    /// Returns whether the title line started to be dragged. A tile in a tab has its title there.
    fn show(&mut self, ui: &mut Ui, spec: &'static TileSpec, titled: bool) -> bool {
        let style = self.ctx.style;
        ui.painter().rect_filled(ui.max_rect(), 0.0, style.plot_background);
        let mut dragged = false;
        let whole = ui.max_rect();
        egui::Frame::new().inner_margin(egui::Margin { left: 12, right: 12, top: 4, bottom: 8 }).show(ui, |ui| {
            if titled {
                dragged = self.title(ui, spec, whole);
            }
            let rect = ui.available_rect_before_wrap();
            self.places.push((spec.id, whole));
            if rect.width() > 8.0 && rect.height() > 8.0 {
                let mut content = ui.new_child(egui::UiBuilder::new().max_rect(rect).id_salt(spec.id));
                content.shrink_clip_rect(rect);
                self.view.tile(spec.id, &mut content, self.ctx);
                ui.advance_cursor_after_rect(rect);
            }
        });
        dragged
    }

    /// The title line; returns whether it started to be dragged.
    fn title(&mut self, ui: &mut Ui, spec: &'static TileSpec, whole: egui::Rect) -> bool {
        ui.horizontal(|ui| {
            ui.set_height(24.0);
            let sense = if self.maximised { Sense::hover() } else { Sense::click_and_drag() };
            let title = ui
                .add(egui::Label::new(theme::strong(spec.title)).sense(sense).truncate())
                .on_hover_text(format!("{}\n\nDrag to move the tile; double-click to maximise it.", spec.help));
            if title.double_clicked() {
                self.maximise(spec);
            }
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let hot = ui.rect_contains_pointer(whole);
                self.maximise_button(ui, spec, hot);
            });
            title.context_menu(|ui| self.menu(ui, spec));
            title.drag_started()
        })
        .inner
    }

    /// Maximises the tile, or shows all again.
    fn maximise(&mut self, spec: &TileSpec) {
        self.acts.push(if self.maximised { Act::RestoreTiles } else { Act::Maximise(spec.id.to_owned()) });
    }

    fn maximise_button(&mut self, ui: &mut Ui, spec: &'static TileSpec, hot: bool) {
        let (icon, label) = if self.maximised {
            (Icon::Restore, format!("Restore {}", spec.title))
        } else {
            (Icon::Maximise, format!("Maximise {}", spec.title))
        };
        let style = self.ctx.style;
        let color = if hot || self.maximised { style.text } else { style.rule };
        if icon_button(ui, icon, &label, color).clicked() {
            self.maximise(spec);
        }
    }

    fn menu(&mut self, ui: &mut Ui, spec: &'static TileSpec) {
        if ui.button(if self.maximised { "Restore" } else { "Maximise" }).clicked() {
            self.maximise(spec);
        }
        if ui.button("Present").clicked() {
            self.acts.push(Act::Present(Some(spec.id.to_owned())));
        }
        if ui.button("Export figure as PNG").clicked() {
            self.acts.push(Act::Figure(Some(spec.id.to_owned())));
        }
        let save = |format| Act::SaveFigure(format, Some(spec.id.to_owned()));
        if ui.button("Save this tile as SVG").clicked() {
            self.acts.push(save(FigureFile::Svg));
        }
        if spec.follows_cursor && ui.button("Save this tile as an animation (GIF)").clicked() {
            self.acts.push(save(FigureFile::Gif));
        }
        if !self.maximised && ui.add_enabled(!self.only, egui::Button::new("Hide")).clicked() {
            self.acts.push(Act::HideTile(spec.id.to_owned()));
        }
    }
}

struct TileBehavior<'a, 'c> {
    pane: Pane<'a, 'c>,
    tiles: Vec<&'static TileSpec>,
    tabbed: Vec<TileId>,
    edited: bool,
    /// A tile was dropped in another place.
    moved: bool,
}

impl TileBehavior<'_, '_> {
    fn spec(&self, id: &str) -> Option<&'static TileSpec> {
        self.tiles.iter().copied().find(|tile| tile.id == id)
    }
}

impl Behavior<String> for TileBehavior<'_, '_> {
    fn pane_ui(&mut self, ui: &mut Ui, tile_id: TileId, pane: &mut String) -> UiResponse {
        let titled = !self.tabbed.contains(&tile_id);
        match self.spec(pane) {
            Some(spec) if self.pane.show(ui, spec, titled) => UiResponse::DragStarted,
            _ => UiResponse::None,
        }
    }

    fn tab_title_for_pane(&mut self, pane: &String) -> egui::WidgetText {
        self.spec(pane).map_or(pane.as_str(), |spec| spec.title).into()
    }

    fn retain_pane(&mut self, pane: &String) -> bool {
        self.spec(pane).is_some()
    }

    fn simplification_options(&self) -> SimplificationOptions {
        SimplificationOptions { all_panes_must_have_tabs: false, ..SimplificationOptions::default() }
    }

    fn gap_width(&self, _style: &egui::Style) -> f32 {
        1.0
    }

    fn min_size(&self) -> f32 {
        96.0
    }

    fn tab_bar_height(&self, style: &egui::Style) -> f32 {
        TextStyle::Button.resolve(style).size + 15.0
    }

    fn tab_title_spacing(&self, _visuals: &egui::Visuals) -> f32 {
        10.0
    }

    fn tab_bar_color(&self, _visuals: &egui::Visuals) -> egui::Color32 {
        theme::panel_fill(self.pane.ctx.style)
    }

    fn tab_bg_color(
        &self,
        _v: &egui::Visuals,
        _t: &Tiles<String>,
        _id: TileId,
        state: &egui_tiles::TabState,
    ) -> egui::Color32 {
        let style = self.pane.ctx.style;
        if state.active { style.plot_background } else { theme::panel_fill(style) }
    }

    fn tab_outline_stroke(
        &self,
        _v: &egui::Visuals,
        _t: &Tiles<String>,
        _id: TileId,
        _s: &egui_tiles::TabState,
    ) -> egui::Stroke {
        egui::Stroke::NONE
    }

    fn tab_bar_hline_stroke(&self, _visuals: &egui::Visuals) -> egui::Stroke {
        egui::Stroke::new(1.0, self.pane.ctx.style.rule)
    }

    fn resize_stroke(&self, style: &egui::Style, state: egui_tiles::ResizeState) -> egui::Stroke {
        let colors = self.pane.ctx.style;
        match state {
            egui_tiles::ResizeState::Idle => egui::Stroke::new(self.gap_width(style), colors.rule),
            egui_tiles::ResizeState::Hovering => egui::Stroke::new(2.0, colors.text_weak),
            egui_tiles::ResizeState::Dragging => egui::Stroke::new(2.0, colors.accent),
        }
    }

    fn on_tab_button(
        &mut self,
        tiles: &mut Tiles<String>,
        tile_id: TileId,
        response: egui::Response,
    ) -> egui::Response {
        let Some(spec) = tiles.get_pane(&tile_id).and_then(|pane| self.spec(pane)) else { return response };
        if response.double_clicked() {
            self.pane.maximise(spec);
        }
        response.context_menu(|ui| self.pane.menu(ui, spec));
        response.on_hover_text(spec.help)
    }

    fn top_bar_right_ui(
        &mut self,
        tiles: &Tiles<String>,
        ui: &mut Ui,
        _tile_id: TileId,
        tabs: &egui_tiles::Tabs,
        _scroll_offset: &mut f32,
    ) {
        let active = tabs.active.and_then(|id| tiles.get_pane(&id)).and_then(|pane| self.spec(pane));
        if let Some(spec) = active {
            ui.add_space(4.0);
            self.pane.maximise_button(ui, spec, ui.ui_contains_pointer());
        }
    }

    fn on_edit(&mut self, action: egui_tiles::EditAction) {
        self.edited = true;
        self.moved |= matches!(action, egui_tiles::EditAction::TileDropped);
    }
}

/// Tiles that are shown as tabs.
fn tabbed(tree: &Tree<String>) -> Vec<TileId> {
    let containers = tree.tiles.tiles().filter_map(|tile| match tile {
        Tile::Container(Container::Tabs(tabs)) => Some(tabs),
        _ => None,
    });
    containers.flat_map(|tabs| tabs.children.iter().copied()).collect()
}

/// The size of type that a tile's caption has in a talk.
pub const CAPTION_HEIGHT: f32 = 40.0;

/// One tile over the whole of `ui` with a slim caption: for talks.
pub fn presented(ui: &mut Ui, spec: &'static TileSpec, caption: &str, view: &mut dyn LabView, ctx: &mut ViewCtx<'_>) {
    let style = ctx.style;
    let whole = ui.max_rect();
    ui.painter().rect_filled(whole, 0.0, style.plot_background);
    let top = egui::Rect::from_min_size(whole.min, vec2(whole.width(), CAPTION_HEIGHT)).shrink2(vec2(24.0, 4.0));
    ui.scope_builder(egui::UiBuilder::new().max_rect(top).layout(Layout::left_to_right(Align::Center)), |ui| {
        ui.label(theme::strong(spec.title));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.label(RichText::new(caption).monospace().color(style.text_weak));
        });
    });
    let content = egui::Rect::from_min_max(egui::pos2(whole.left(), top.bottom()), whole.max).shrink(16.0);
    if content.is_positive() && content.width() > 16.0 && content.height() > 16.0 {
        ui.scope_builder(egui::UiBuilder::new().max_rect(content).id_salt(("presented", spec.id)), |ui| {
            view.tile(spec.id, ui, ctx);
        });
    }
}
