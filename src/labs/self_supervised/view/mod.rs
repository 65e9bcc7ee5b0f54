//! Draws the self-supervised lab.

pub mod collapse;
pub mod curves;
pub mod eigenspaces;
pub mod embedding;
pub mod guide;
pub mod inspector;
pub mod matrices;
pub mod paper;
pub mod series;
pub mod snapshots;
pub mod sqrt_law;
pub mod theory;
mod tries;

use eframe::egui;

use crate::engine::params::Params;
use crate::engine::twin::of_twin;
use crate::kit::view::{Arrangement, LabView, Node, TileSpec, ViewCtx};

/// View state of the lab: zoom, switches, the theory's sliders. All that is trained is in the run's state.
#[derive(Debug, Default)]
pub struct SelfSupervisedView {
    eigenspaces: eigenspaces::Eigenspaces,
    matrices: matrices::Matrices,
    sqrt_law: sqrt_law::SqrtLaw,
    measures: curves::Curves,
    loss: curves::Curves,
    probe: curves::Curves,
    embedding: embedding::Embedding,
    inspector: inspector::Inspector,
    theory: theory::Theory,
}

static TILES: [TileSpec; 12] = [
    TileSpec {
        id: "eigenspaces",
        title: "Eigenspaces",
        help: "The paper's four panels: eigenvalues of F and of the predictor Wp, alignment of each eigenvector of F, \
               asymmetry of Wp. Coloured lines are snapshots over training, the bold one is the timeline's step.",
    },
    TileSpec {
        id: "collapse",
        title: "Has it collapsed?",
        help: "The collapse alarm in words, the numbers it rests on, and the verdict at every measurement. It asks \
               effective rank and normalised std, not the alignment.",
    },
    TileSpec {
        id: "measures",
        title: "Alignment, spread, rank",
        help: "Weighted alignment, commutator, normalised std, share of the mean, and effective rank against the step. \
               Click or drag to move the timeline, scroll to zoom.",
    },
    TileSpec {
        id: "probe",
        title: "kNN and probe",
        help: "How well frozen features of test pictures tell the classes, beside the untrained network's. How they are \
               judged is printed below.",
    },
    TileSpec {
        id: "loss",
        title: "Loss",
        help: "The cosine loss without L2, and the L2 part. A loss near −2 is no proof of learning: a collapsed network \
               reaches it too.",
    },
    TileSpec {
        id: "embedding",
        title: "Embedding",
        help: "Features of test pictures along their two widest directions, coloured by class (the classes never train \
               the network). Click a class to highlight it.",
    },
    TileSpec {
        id: "views",
        title: "Views",
        help: "The augmentation inspector: pictures with the crop boxes of both views, the views, and what was drawn for \
               them.",
    },
    TileSpec {
        id: "matrices",
        title: "Matrices",
        help: "Wp, Wp − Wpᵀ and F as signed heat maps at the timeline's step. Point at a cell for its value, click a \
               matrix to enlarge it.",
    },
    TileSpec {
        id: "sqrt-law",
        title: "Root law",
        help: "Each eigenvector of F as a point: its eigenvalue s and p = v·Wp v of the predictor, with the square root \
               that the theory expects.",
    },
    TileSpec {
        id: "theory",
        title: "Theory",
        help: "The linear theory of one mode: flow, nullclines, fixed points, separatrix and the basin of collapse, with \
               the network's modes laid over it. Every slider moves it. Click to follow a start.",
    },
    TileSpec {
        id: "simulator",
        title: "Simulator",
        help: "Whole random matrices under the theory's flow: asymmetry, commutator, the certificate that eigenspaces \
               align, and the balance law.",
    },
    TileSpec {
        id: "basin",
        title: "Basin",
        help: "How much of the plane collapses for every decay η and predictor rate α_p.",
    },
];

const ARRANGEMENT: Arrangement = Arrangement {
    id: "self-supervised",
    root: Node::Column(&[
        (
            0.6,
            Node::Row(&[
                (
                    0.63,
                    Node::Tabs(&[
                        Node::Tile("eigenspaces"),
                        Node::Tile("matrices"),
                        Node::Tile("theory"),
                        Node::Tile("simulator"),
                        Node::Tile("basin"),
                    ]),
                ),
                (
                    0.37,
                    Node::Column(&[
                        (0.54, Node::Tile("collapse")),
                        (0.46, Node::Tabs(&[Node::Tile("embedding"), Node::Tile("views"), Node::Tile("sqrt-law")])),
                    ]),
                ),
            ]),
        ),
        (
            0.4,
            Node::Row(&[(0.6, Node::Tile("measures")), (0.4, Node::Tabs(&[Node::Tile("probe"), Node::Tile("loss")]))]),
        ),
    ]),
};

/// The parameters as they held at the cursor: the run's, with the changes made by then; the form's where there is no run.
pub fn params_of(ctx: &ViewCtx<'_>) -> Params {
    let Some(header) = &ctx.run.header else { return ctx.params.clone() };
    let mut params = header.params.clone();
    let known = params.get("predictor_rule").is_some() && params.get("rate_encoder").is_some();
    if !known {
        return ctx.params.clone();
    }
    let past = ctx.run.changes.iter().filter(|change| change.step <= ctx.cursor.step);
    for change in past.filter(|change| of_twin(&change.key).is_none()) {
        params.put(&change.key, change.value.clone());
    }
    params
}

/// Fresh view state of the lab.
pub fn new() -> Box<dyn LabView> {
    Box::<SelfSupervisedView>::default()
}

impl LabView for SelfSupervisedView {
    fn tiles(&self) -> &'static [TileSpec] {
        &TILES
    }

    fn arrangement(&self, _params: &Params) -> Arrangement {
        ARRANGEMENT
    }

    fn tile(&mut self, tile: &str, ui: &mut egui::Ui, ctx: &mut ViewCtx<'_>) {
        if !ui.max_rect().is_positive() || !ui.available_rect_before_wrap().is_positive() {
            return;
        }
        match tile {
            "eigenspaces" => eigenspaces::ui(&mut self.eigenspaces, ui, ctx),
            "matrices" => matrices::ui(&mut self.matrices, ui, ctx),
            "sqrt-law" => sqrt_law::ui(&mut self.sqrt_law, ui, ctx),
            "collapse" => collapse::ui(ui, ctx),
            "measures" => curves::measures(&mut self.measures, ui, ctx),
            "loss" => curves::loss(&mut self.loss, ui, ctx),
            "probe" => curves::probe(&mut self.probe, ui, ctx),
            "embedding" => embedding::ui(&mut self.embedding, ui, ctx),
            "views" => inspector::ui(&mut self.inspector, ui, ctx),
            "theory" | "simulator" | "basin" => theory::ui(&mut self.theory, tile, ui, ctx),
            _ => {}
        }
    }

    fn guide(&mut self, ui: &mut egui::Ui, ctx: &mut ViewCtx<'_>) {
        guide::ui(ui, ctx);
    }

    fn commands(&self) -> Vec<(String, String)> {
        [
            ("fit", "Self-supervised: show the whole run in every plot"),
            ("paper", "Eigenspaces: the paper's asymmetry behind, on or off"),
            ("entrywise", "Eigenspaces: asymmetry in entrywise L1 or Frobenius"),
            ("log-s", "Root law: logarithmic eigenvalues of F on or off"),
            ("twin", "Matrices and embedding: this run or its twin"),
            ("theory-from-run", "Theory: take decays and rates from the run"),
        ]
        .map(|(id, title)| (id.to_owned(), title.to_owned()))
        .to_vec()
    }

    fn command(&mut self, id: &str, ctx: &mut ViewCtx<'_>) {
        match id {
            "fit" => {
                self.eigenspaces.fit();
                [&mut self.measures, &mut self.loss, &mut self.probe].into_iter().for_each(curves::Curves::fit);
                self.theory.fit();
            }
            "paper" => self.eigenspaces.toggle_paper(),
            "entrywise" => self.eigenspaces.entrywise = !self.eigenspaces.entrywise,
            "log-s" => self.sqrt_law.log_s = !self.sqrt_law.log_s,
            "twin" => {
                self.matrices.twin = !self.matrices.twin;
                self.embedding.twin = self.matrices.twin;
            }
            "theory-from-run" => self.theory.take_from_run(ctx),
            _ => {}
        }
    }
}
