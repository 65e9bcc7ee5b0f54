//! Draws the segmentation lab.

pub mod augmentation;
pub mod brush;
pub mod compare;
pub mod controls;
pub mod curves;
pub mod data;
pub mod earlier;
pub mod gallery;
pub mod guide;
pub mod image;
pub mod inspector;
mod landscape;
pub mod look;
pub mod methods;
pub mod network;
pub mod others;
pub mod postprocess;
pub mod predict;
pub mod ranking;
pub mod series;
pub mod shared;
pub mod size_dice;
pub mod sweep;
pub mod wall;

use std::path::PathBuf;

use eframe::egui;

use crate::engine::event::Level;
use crate::engine::params::Params;
use crate::kit::fields::Fields;
use crate::kit::landscape::{Landscape, Wanted};
use crate::kit::landscape_tile::LandscapeTile;
use crate::kit::tiles::{self, Arrangement, Node, TileSpec, Tiles};
use crate::kit::view::{LabView, ViewAction, ViewCtx};
use crate::plot::number;

use super::params::FROM_FOLDER;
use super::predict::proposals::Proposal;

use super::scores;

/// View state of the lab: what is selected, zoomed and switched. All that is trained is in the run's state.
#[derive(Debug, Default)]
pub struct SegmentationView {
    shared: shared::Shared,
    wall: wall::Wall,
    inspector: inspector::Inspector,
    curves: curves::Curves,
    ranking: ranking::Ranking,
    compare: compare::Compare,
    methods: methods::Methods,
    augmentation: augmentation::Augmentation,
    network: network::NetworkCard,
    size_dice: size_dice::SizeDice,
    data: data::DataTile,
    brush: brush::BrushTile,
    predict: predict::Predict,
    landscape: LandscapeTile,
    /// The tile that the pointer was over last, of those whose images can be opened in the brush.
    pointed: Option<&'static str>,
}

impl SegmentationView {
    /// Keeps drafts of masks that are not saved in this folder; the default keeps none.
    pub fn with_drafts(folder: Option<PathBuf>) -> Self {
        Self { brush: brush::BrushTile::with_drafts(folder), ..Self::default() }
    }
}

/// Opens what is selected in the brush.
static TO_BRUSH: [egui::KeyboardShortcut; 1] = [egui::KeyboardShortcut::new(egui::Modifiers::NONE, egui::Key::B)];

impl SegmentationView {
    /// Opens the image that is selected on the wall, in the ranking, or under the pointer among the predictions in the brush,
    /// with the prediction that is seen there.
    fn open_in_brush(&mut self, ctx: &mut ViewCtx<'_>, egui: &egui::Context) {
        ctx.actions.push(ViewAction::ShowTile(brush::TILE.spec.id));
        if self.pointed == Some(predict::TILE.spec.id)
            && let Some(file) = self.predict.pointed()
        {
            return self.brush.open_file(file, &self.data.folder, egui);
        }
        let of_ranking = self.ranking.selected().filter(|_| self.pointed == Some(ranking::TILE.spec.id));
        let cards = &self.shared.gallery.cards;
        let of_wall = cards.get(self.shared.selected.min(cards.len().saturating_sub(1))).map(|card| card.name.as_str());
        let Some(name) = of_ranking.or(of_wall).map(str::to_owned) else {
            let text = "there is no image to open in the brush yet: it comes with the first validation";
            return ctx.actions.push(ViewAction::Notice(Level::Info, text.to_owned()));
        };
        if !FROM_FOLDER.of(ctx.params) {
            let text = "generated pictures have no files to label; choose a folder, or save the set as files in the tile Brush";
            return ctx.actions.push(ViewAction::Notice(Level::Info, text.to_owned()));
        }
        let at = cards.iter().position(|card| card.name == name);
        let shown = at.and_then(|at| self.shared.gallery.shown(at, gallery::Slot::Now));
        let proposal = shown.map(|shown| Proposal {
            mask: shown.mask.clone(),
            said: format!("step {}, as on the wall", number::grouped(shown.made.probability)),
        });
        self.brush.open_named(name, proposal);
    }
}

static TILES: Tiles<SegmentationView> = &[
    &wall::TILE,
    &data::TILE,
    &brush::TILE,
    &predict::TILE,
    &network::TILE,
    &size_dice::TILE,
    &methods::TILE,
    &inspector::TILE,
    &augmentation::TILE,
    &curves::TILE,
    &ranking::TILE,
    &compare::TILE,
    &postprocess::TILE,
    &landscape::TILE,
];

const ARRANGEMENT: Arrangement = Arrangement {
    id: "segmentation",
    root: Node::Column(&[
        (0.64, Node::Row(&[(0.6, Node::Area("large")), (0.4, Node::Area("one image"))])),
        (0.36, Node::Row(&[(0.58, Node::Area("against the step")), (0.42, Node::Area("scores"))])),
    ]),
};

/// Fresh view state of the lab.
pub fn new() -> Box<dyn LabView> {
    let drafts = crate::disk::state_folder().map(|folder| folder.join("drafts"));
    Box::new(SegmentationView::with_drafts(drafts))
}

impl LabView for SegmentationView {
    fn tiles(&self) -> Vec<&'static TileSpec> {
        tiles::specs(TILES)
    }

    fn arrangement(&self, _params: &Params) -> Arrangement {
        ARRANGEMENT
    }

    fn tile(&mut self, tile: &str, ui: &mut egui::Ui, ctx: &mut ViewCtx<'_>) {
        self.shared.follow(ctx);
        self.size_dice.earlier.remember(ctx.run);
        self.brush.receive(ui.ctx(), &mut self.data.folder, ctx);
        let over = ui.rect_contains_pointer(ui.max_rect());
        let of_images = [&wall::TILE, &inspector::TILE, &ranking::TILE, &predict::TILE].map(|tile| tile.spec.id);
        if let Some(id) = of_images.into_iter().find(|id| over && *id == tile) {
            self.pointed = Some(id);
        }
        tiles::show(TILES, self, tile, ui, ctx);
        if std::mem::take(&mut self.shared.to_brush) {
            self.open_in_brush(ctx, ui.ctx());
        }
    }

    fn show_landscape(&mut self, wanted: Wanted, found: Landscape) -> bool {
        self.landscape = LandscapeTile::of(wanted, found);
        true
    }

    fn fields(&mut self, fields: &mut Fields) {
        self.shared.fields(fields);
        fields.of("wall", |fields| self.wall.fields(fields));
        fields.of("inspector", |fields| self.inspector.fields(fields));
        fields.of("curves", |fields| self.curves.fields(fields));
        fields.of("ranking", |fields| self.ranking.fields(fields));
        fields.of("compare", |fields| self.compare.fields(fields));
        fields.of("methods", |fields| self.methods.fields(fields));
        fields.of("network", |fields| self.network.fields(fields));
        fields.of("size", |fields| self.size_dice.fields(fields));
        fields.of("augmentation", |fields| self.augmentation.fields(fields));
        fields.of("data", |fields| self.data.fields(fields));
        fields.of("landscape", |fields| self.landscape.fields(fields));
    }

    fn commands(&self) -> Vec<(&'static str, &'static str)> {
        tiles::commands(TILES)
    }

    fn keys(&self) -> Vec<(&'static str, &'static [egui::KeyboardShortcut])> {
        let mut keys: Vec<(&'static str, &'static [egui::KeyboardShortcut])> = vec![("to-brush", &TO_BRUSH)];
        if self.brush.in_sight() {
            keys.extend(brush::labelling::KEYS.iter().map(|(id, keys)| (*id, keys.as_slice())));
        }
        keys
    }

    fn command(&mut self, id: &str, ctx: &mut ViewCtx<'_>, egui: &egui::Context) {
        tiles::run(TILES, self, id, ctx, egui);
    }

    fn unsaved(&self) -> Option<String> {
        self.brush.unsaved()
    }

    fn save_unsaved(&mut self) {
        self.brush.save_unsaved();
    }

    fn takes_key(&self, modifiers: egui::Modifiers, key: egui::Key) -> bool {
        self.brush.takes_key(modifiers, key)
    }

    fn guide(&mut self, ui: &mut egui::Ui, ctx: &mut ViewCtx<'_>) {
        guide::show(ui, ctx);
    }
}
