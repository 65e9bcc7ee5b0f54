//! Draws the image-report lab.

mod curves;
mod evaluations;
mod flow;
mod guide;
mod landscape;
mod opened;
mod pairs;
mod play;
mod predict;
mod ranking;
mod similarity;
mod structure;
mod words;

use eframe::egui;

use crate::engine::params::Params;
use crate::kit::curves::CurvesTile;
use crate::kit::fields::Fields;
use crate::kit::landscape::{Landscape, Wanted};
use crate::kit::landscape_tile::LandscapeTile;
use crate::kit::tiles::{self, Arrangement, Node, TileSpec, Tiles};
use crate::kit::view::{LabView, ViewCtx};

/// View state of the lab. All that is trained is in the run's state.
#[derive(Debug, Default)]
pub struct ImageReportView {
    /// The chosen pair on screen.
    selected: usize,
    ranking: ranking::Ranking,
    words: words::Words,
    play: play::Play,
    predict: predict::Predict,
    similarity: similarity::Similarity,
    evaluations: evaluations::Evaluations,
    losses: CurvesTile,
    scores: CurvesTile,
    retrieval: CurvesTile,
    landscape: LandscapeTile,
}

static TILES: Tiles<ImageReportView> = &[
    &ranking::TILE,
    &words::TILE,
    &play::TILE,
    &predict::TILE,
    &structure::TILE,
    &similarity::TILE,
    &evaluations::TILE,
    &curves::SCORES_TILE,
    &curves::LOSSES_TILE,
    &curves::RETRIEVAL_TILE,
    &guide::DATA_TILE,
    &landscape::TILE,
];

const ARRANGEMENT: Arrangement = Arrangement {
    id: "image-report",
    root: Node::Column(&[
        (0.62, Node::Row(&[(0.6, Node::Area("large")), (0.4, Node::Area("matrix"))])),
        (0.38, Node::Row(&[(0.6, Node::Area("against the step")), (0.4, Node::Area("data"))])),
    ]),
};

/// Fresh view state of the lab.
pub fn new() -> Box<dyn LabView> {
    Box::<ImageReportView>::default()
}

impl LabView for ImageReportView {
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
        fields.value("selected", &mut self.selected, 0);
        fields.of("ranking", |fields| self.ranking.fields(fields));
        fields.of("words", |fields| self.words.fields(fields));
        fields.of("similarity", |fields| self.similarity.fields(fields));
        fields.of("evaluations", |fields| self.evaluations.fields(fields));
        fields.of("losses", |fields| self.losses.fields(fields));
        fields.of("scores", |fields| self.scores.fields(fields));
        fields.of("retrieval", |fields| self.retrieval.fields(fields));
        fields.of("landscape", |fields| self.landscape.fields(fields));
    }

    fn commands(&self) -> Vec<(&'static str, &'static str)> {
        tiles::commands(TILES)
    }

    fn command(&mut self, id: &str, ctx: &mut ViewCtx<'_>, egui: &egui::Context) {
        tiles::run(TILES, self, id, ctx, egui);
    }
}
