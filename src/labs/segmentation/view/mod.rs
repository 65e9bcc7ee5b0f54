//! Draws the segmentation lab.

pub mod augmentation;
pub mod brush;
pub mod controls;
pub mod curves;
pub mod data;
pub mod earlier;
pub mod gallery;
pub mod guide;
pub mod image;
pub mod inspector;
pub mod layer;
pub mod look;
pub mod network;
pub mod postprocess;
pub mod predict;
pub mod ranking;
pub mod scores;
pub mod series;
pub mod shared;
pub mod size_dice;
pub mod sweep;
pub mod wall;

use std::path::PathBuf;

use eframe::egui;

use crate::engine::params::Params;
use crate::kit::view::{Arrangement, LabView, Node, TileSpec, ViewAction, ViewCtx};

/// View state of the lab: what is selected, zoomed and switched. All that is trained is in the run's state.
#[derive(Debug, Default)]
pub struct SegmentationView {
    shared: shared::Shared,
    wall: wall::Wall,
    inspector: inspector::Inspector,
    curves: curves::Curves,
    ranking: ranking::Ranking,
    augmentation: augmentation::Augmentation,
    network: network::NetworkCard,
    size_dice: size_dice::SizeDice,
    data: data::DataTile,
    brush: brush::BrushTile,
    predict: predict::Predict,
}

impl SegmentationView {
    /// Keeps drafts of masks that are not saved in this folder; the default keeps none.
    pub fn with_drafts(folder: Option<PathBuf>) -> Self {
        Self { brush: brush::BrushTile::with_drafts(folder), ..Self::default() }
    }
}

static TILES: [TileSpec; 11] = [
    TileSpec {
        id: "wall",
        title: "Wall",
        help: "Validation images with the true outline in red and the predicted one in green, at the timeline's step. \
               Scroll to zoom and drag to move all of them together, click one to open it in the inspector.",
    },
    TileSpec {
        id: "inspector",
        title: "Inspector",
        help: "One image large: probability, overlay, errors or uncertainty, and the pair of border points that makes \
               the Hausdorff distance.",
    },
    TileSpec {
        id: "postprocess",
        title: "Post-processing",
        help: "Threshold, which part is kept, hole filling and the conventions of the metrics; the numbers change as you \
               move them. Only what is shown changes, not the training.",
    },
    TileSpec {
        id: "curves",
        title: "Loss, Dice, HD95",
        help: "Training and validation loss, Dice and HD95 against the step. Click or drag to move the timeline, scroll \
               to zoom.",
    },
    TileSpec {
        id: "ranking",
        title: "Ranking",
        help: "Every validation (or test) image by its Dice, worst first, and the histogram. Click one to open it.",
    },
    TileSpec {
        id: "augmentation",
        title: "Augmentation",
        help: "Images of the newest batch as they are and as the network saw them, with their masks and what was drawn.",
    },
    TileSpec {
        id: "network",
        title: "Network",
        help: "Parameters, multiply-adds and activation memory block by block, recomputed as width and C change, beside \
               the paper's count.",
    },
    TileSpec {
        id: "size-dice",
        title: "Size",
        help: "The paper's networks by size against their Dice, and this run's.",
    },
    TileSpec {
        id: "data",
        title: "Data",
        help: "What was found in the folder before it is used, how it is split by groups, and the data doctor's list. Click \
               a line to open its image in the brush.",
    },
    TileSpec {
        id: "brush",
        title: "Brush",
        help: "Correct or draw the mask of any image of the folder. It is saved beside the data set, whose own files stay \
               as they are, and the running training uses it from then on.",
    },
    TileSpec {
        id: "predict",
        title: "Predict",
        help: "The weights of this run, or of a file, on your own pictures: outlines, areas and a table, to be saved as \
               PNG and CSV. Computed on the CPU, apart from the training.",
    },
];

const ARRANGEMENT: Arrangement = Arrangement {
    id: "segmentation",
    root: Node::Column(&[
        (
            0.64,
            Node::Row(&[
                (
                    0.6,
                    Node::Tabs(&[
                        Node::Tile("wall"),
                        Node::Tile("data"),
                        Node::Tile("brush"),
                        Node::Tile("predict"),
                        Node::Tile("network"),
                        Node::Tile("size-dice"),
                    ]),
                ),
                (0.4, Node::Tabs(&[Node::Tile("inspector"), Node::Tile("augmentation")])),
            ]),
        ),
        (
            0.36,
            Node::Row(&[
                (0.58, Node::Tile("curves")),
                (0.42, Node::Tabs(&[Node::Tile("ranking"), Node::Tile("postprocess")])),
            ]),
        ),
    ]),
};

/// Fresh view state of the lab.
pub fn new() -> Box<dyn LabView> {
    let drafts = crate::disk::state_folder().map(|folder| folder.join("drafts"));
    Box::new(SegmentationView::with_drafts(drafts))
}

impl LabView for SegmentationView {
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
        self.shared.follow(ctx);
        self.size_dice.earlier.remember(ctx.run);
        self.brush.receive(ui.ctx(), &mut self.data.folder, ctx);
        match tile {
            "wall" => self.wall.show(&mut self.shared, ui, ctx),
            "inspector" => self.inspector.show(&mut self.shared, ui, ctx),
            "postprocess" => postprocess::show(&mut self.shared, ui, ctx),
            "curves" => self.curves.show(ui, ctx),
            "ranking" => self.ranking.show(&mut self.shared, ui, ctx),
            "augmentation" => self.augmentation.show(&mut self.shared, ui, ctx),
            "network" => self.network.show(ui, ctx),
            "size-dice" => self.size_dice.show(ui, ctx),
            "data" => {
                if let Some(image) = self.data.show(ui, ctx) {
                    self.brush.open(image);
                    ctx.actions.push(ViewAction::ShowTile("brush"));
                }
            }
            "brush" => self.brush.show(&mut self.data.folder, &mut self.data.sample, ui, ctx),
            "predict" => self.predict.show(&self.shared.pipeline, ui, ctx),
            _ => {}
        }
    }

    fn follows_cursor(&self, tile: &str) -> bool {
        !["data", "network", "brush", "predict"].contains(&tile)
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
