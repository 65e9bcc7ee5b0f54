//! Draws the self-supervised lab.

pub mod collapse;
pub mod curves;
pub mod eigenspaces;
pub mod embedding;
pub mod guide;
pub mod inspector;
mod landscape;
pub mod matrices;
pub mod paper;
mod representation;
pub mod series;
pub mod snapshots;
mod spectrum;
pub mod sqrt_law;
pub mod theory;

use eframe::egui;

use crate::engine::params::Params;
use crate::kit::curves::CurvesTile;
use crate::kit::fields::Fields;
use crate::kit::landscape::{Landscape, Wanted};
use crate::kit::landscape_tile::LandscapeTile;
use crate::kit::series::params_at;
use crate::kit::tiles::{self, Arrangement, Node, TileSpec, Tiles};
use crate::kit::view::{LabView, ViewCtx};
use crate::labs::self_supervised::params::PARAMS;

/// View state of the lab: zoom, switches, the theory's sliders. All that is trained is in the run's state.
#[derive(Debug, Default)]
pub struct SelfSupervisedView {
    eigenspaces: eigenspaces::Eigenspaces,
    matrices: matrices::Matrices,
    sqrt_law: sqrt_law::SqrtLaw,
    measures: CurvesTile,
    /// The paper's measures are laid behind ours.
    with_paper: bool,
    representation: CurvesTile,
    spectrum: spectrum::Spectrum,
    loss: CurvesTile,
    probe: CurvesTile,
    embedding: embedding::Embedding,
    inspector: inspector::Inspector,
    theory: theory::Theory,
    landscape: LandscapeTile,
}

static TILES: Tiles<SelfSupervisedView> = &[
    &eigenspaces::TILE,
    &collapse::TILE,
    &curves::MEASURES_TILE,
    &representation::TILE,
    &spectrum::TILE,
    &curves::PROBE_TILE,
    &curves::LOSS_TILE,
    &embedding::TILE,
    &inspector::TILE,
    &matrices::TILE,
    &sqrt_law::TILE,
    &theory::portrait::TILE,
    &theory::simulator::TILE,
    &theory::basin::TILE,
    &landscape::TILE,
];

const ARRANGEMENT: Arrangement = Arrangement {
    id: "self-supervised",
    root: Node::Column(&[
        (
            0.6,
            Node::Row(&[
                (0.63, Node::Area("large")),
                (0.37, Node::Column(&[(0.54, Node::Area("alarm")), (0.46, Node::Area("features"))])),
            ]),
        ),
        (0.4, Node::Row(&[(0.6, Node::Area("against the step")), (0.4, Node::Area("scores"))])),
    ]),
};

/// The parameters as they held at the cursor.
pub fn params_of(ctx: &ViewCtx<'_>) -> Params {
    params_at(ctx, PARAMS)
}

/// Fresh view state of the lab.
pub fn new() -> Box<dyn LabView> {
    Box::<SelfSupervisedView>::default()
}

impl LabView for SelfSupervisedView {
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

    fn show_landscape(&mut self, wanted: Wanted, found: Landscape) -> bool {
        self.landscape = LandscapeTile::of(wanted, found);
        true
    }

    fn fields(&mut self, fields: &mut Fields) {
        fields.of("eigenspaces", |fields| self.eigenspaces.fields(fields));
        fields.of("matrices", |fields| self.matrices.fields(fields));
        fields.of("sqrt", |fields| self.sqrt_law.fields(fields));
        fields.of("measures", |fields| self.measures.fields(fields));
        fields.of("representation", |fields| self.representation.fields(fields));
        fields.of("spectrum", |fields| self.spectrum.fields(fields));
        fields.value("paper", &mut self.with_paper, false);
        fields.of("loss", |fields| self.loss.fields(fields));
        fields.of("probe", |fields| self.probe.fields(fields));
        fields.of("embedding", |fields| self.embedding.fields(fields));
        fields.of("theory", |fields| self.theory.fields(fields));
        fields.of("landscape", |fields| self.landscape.fields(fields));
    }

    fn commands(&self) -> Vec<(&'static str, &'static str)> {
        tiles::commands(TILES)
    }

    fn command(&mut self, id: &str, ctx: &mut ViewCtx<'_>, egui: &egui::Context) {
        tiles::run(TILES, self, id, ctx, egui);
    }
}
