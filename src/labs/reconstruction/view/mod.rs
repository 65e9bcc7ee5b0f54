//! Draws the reconstruction lab.

mod by_labels;
mod curves;
mod diagnosis;
mod guide;
mod label;
mod landscape;
mod latent;
mod looks;
mod pictures;
mod predict;
mod strip;
mod survival;
mod triptych;

use eframe::egui;

use crate::engine::params::Params;
use crate::kit::fields::Fields;
use crate::kit::landscape::{Landscape, Wanted};
use crate::kit::landscape_tile::LandscapeTile;
use crate::kit::tiles::{self, Arrangement, Node, TileSpec, Tiles};
use crate::kit::view::{LabView, ViewCtx};

/// View state of the lab. All that is trained is in the run's state.
#[derive(Debug, Default)]
pub struct ReconstructionView {
    triptych: triptych::Triptych,
    losses: crate::kit::curves::CurvesTile,
    duel: crate::kit::curves::CurvesTile,
    scores: crate::kit::curves::CurvesTile,
    strip: strip::Strip,
    diagnosis: diagnosis::Diagnosis,
    latent: latent::Latent,
    looks: looks::Looks,
    survival: survival::Survival,
    predict: predict::Predict,
    label: label::LabelNext,
    by_labels: by_labels::ByLabels,
    landscape: LandscapeTile,
}

static TILES: Tiles<ReconstructionView> = &[
    &triptych::TILE,
    &looks::TILE,
    &predict::TILE,
    &label::TILE,
    &curves::SCORES_TILE,
    &diagnosis::TILE,
    &survival::TILE,
    &by_labels::TILE,
    &curves::LOSSES_TILE,
    &curves::DUEL_TILE,
    &strip::TILE,
    &latent::TILE,
    &guide::DATA_TILE,
    &landscape::TILE,
];

const ARRANGEMENT: Arrangement = Arrangement {
    id: "reconstruction",
    root: Node::Column(&[
        (0.6, Node::Row(&[(0.62, Node::Area("large")), (0.38, Node::Area("answers"))])),
        (0.4, Node::Row(&[(0.62, Node::Area("against the step")), (0.38, Node::Area("codes"))])),
    ]),
};

/// Fresh view state of the lab.
pub fn new() -> Box<dyn LabView> {
    Box::<ReconstructionView>::default()
}

impl LabView for ReconstructionView {
    fn tiles(&self) -> Vec<&'static TileSpec> {
        tiles::specs(TILES)
    }

    fn arrangement(&self, _params: &Params) -> Arrangement {
        ARRANGEMENT
    }

    fn tile(&mut self, tile: &str, ui: &mut egui::Ui, ctx: &mut ViewCtx<'_>) {
        tiles::show(TILES, self, tile, ui, ctx);
    }

    fn guide(&mut self, ui: &mut egui::Ui, ctx: &mut ViewCtx<'_>) {
        guide::ui(ui, ctx);
    }

    fn takes_key(&self, modifiers: egui::Modifiers, key: egui::Key) -> bool {
        self.label.takes_key(modifiers, key)
    }

    fn show_landscape(&mut self, wanted: Wanted, found: Landscape) -> bool {
        self.landscape = LandscapeTile::of(wanted, found);
        true
    }

    fn fields(&mut self, fields: &mut Fields) {
        fields.of("triptych", |fields| self.triptych.fields(fields));
        fields.of("losses", |fields| self.losses.fields(fields));
        fields.of("duel", |fields| self.duel.fields(fields));
        fields.of("scores", |fields| self.scores.fields(fields));
        fields.of("strip", |fields| self.strip.fields(fields));
        fields.of("diagnosis", |fields| self.diagnosis.fields(fields));
        fields.of("latent", |fields| self.latent.fields(fields));
        fields.of("looks", |fields| self.looks.fields(fields));
        fields.of("survival", |fields| self.survival.fields(fields));
        fields.of("label", |fields| self.label.fields(fields));
        fields.of("by_labels", |fields| self.by_labels.fields(fields));
        fields.of("landscape", |fields| self.landscape.fields(fields));
    }

    fn commands(&self) -> Vec<(&'static str, &'static str)> {
        tiles::commands(TILES)
    }

    fn command(&mut self, id: &str, ctx: &mut ViewCtx<'_>, egui: &egui::Context) {
        tiles::run(TILES, self, id, ctx, egui);
    }
}
