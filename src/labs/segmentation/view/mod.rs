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

use crate::engine::params::Params;
use crate::kit::fields::Fields;
use crate::kit::landscape::{Landscape, Wanted};
use crate::kit::landscape_tile::LandscapeTile;
use crate::kit::tiles::{self, Arrangement, Node, TileSpec, Tiles};
use crate::kit::view::{LabView, ViewCtx};

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
}

impl SegmentationView {
    /// Keeps drafts of masks that are not saved in this folder; the default keeps none.
    pub fn with_drafts(folder: Option<PathBuf>) -> Self {
        Self { brush: brush::BrushTile::with_drafts(folder), ..Self::default() }
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
        tiles::show(TILES, self, tile, ui, ctx);
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
