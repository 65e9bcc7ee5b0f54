//! The tile of what features and embeddings are like without labels, and of the gradients, against the step.

use crate::kit::curves::{About, Axis, CurvesTile, LOG, axis};
use crate::kit::series::{Quantity, quantity};
use crate::kit::tiles::{Tile, TileSpec};
use crate::kit::view::ViewCtx;
use crate::plot::number;
use crate::plot::style::Dash;

use super::SelfSupervisedView;
use super::series;

/// The tile.
pub static TILE: Tile<SelfSupervisedView> = Tile {
    spec: TileSpec {
        id: "representation",
        title: "Representation",
        help: "What can be told without labels: RankMe, alignment and uniformity, spectral slope, and gradient norms \
               against the step. Click or drag to move the timeline, scroll to zoom.",
        area: "against the step",
        follows_cursor: true,
    },
    show: |view, ui, ctx| show(&mut view.representation, ui, ctx),
    commands: &[],
};

const RANK_FEATURES: Quantity = quantity(
    "rank_me/features",
    "RankMe of features",
    4,
    Dash::Solid,
    "exp of the entropy of the singular values of up to 1000 test pictures' features (the encoder's outputs): from 1 to as many as there are \
     features. It weighs by σ, the effective rank by σ²",
);
const RANK_EMBEDDINGS: Quantity = quantity(
    "rank_me/embeddings",
    "RankMe of embeddings",
    7,
    Dash::Dotted,
    "the same of the projector's outputs for test pictures: from 1 to d",
);
const VIEW_ALIGNMENT: Quantity = quantity(
    "views/alignment",
    "alignment of views",
    3,
    Dash::Solid,
    "mean of ‖z₁ − z₂‖² over this batch, embeddings divided by their length: 0 where both views are one, 2 where orthogonal, at most 4. \
     0 in a collapsed run too",
);
const UNIFORMITY: Quantity = quantity(
    "views/uniformity",
    "uniformity",
    1,
    Dash::DashDot,
    "ln of the mean of exp(−2‖x − y‖²) over pairs of this batch's pictures: 0 where all are one, near −4 where evenly spread",
);
const UNIFORMITY_TEST: Quantity = quantity(
    "uniformity/test",
    "uniformity of test pictures",
    1,
    Dash::Dotted,
    "the same of up to 500 test pictures without augmentation, in evaluation mode",
);
const SLOPE: Quantity = quantity(
    "spectral_slope",
    "spectral slope α",
    4,
    Dash::DashDot,
    "the eigenvalues of the test features' covariance fall as j^(−α), fitted from rank 4 to half of them (at most 100). 0: all \
     variances alike; large: few directions carry all",
);
const GRADIENTS: &[Quantity] = &[
    quantity(
        "gradient/encoder",
        "encoder",
        6,
        Dash::Solid,
        "‖∂L/∂w‖ over the encoder's weights; L with its scale, without L2",
    ),
    quantity("gradient/projector", "projector", 5, Dash::DashDot, "‖∂L/∂w‖ over the projector's weights"),
    quantity("gradient/predictor", "predictor", 0, Dash::Dotted, "‖∂L/∂w‖ over the predictor's weights"),
];

const RANKS: Axis = Axis {
    short: "rank",
    scale: LOG,
    include: &[1.0, 10.0],
    ..axis("RankMe of features and embeddings against the step", "RankMe", "directions")
};
const SPHERE: Axis = Axis {
    short: "sphere",
    include: &[-4.0, 1.0],
    levels: &[(-4.0, "even"), (0.0, "all one")],
    ..axis("alignment and uniformity against the step", "Alignment and uniformity", "mean ‖z₁ − z₂‖²; ln of potential")
};
const SLOPES: Axis = Axis {
    short: "slope",
    include: &[0.0, 2.0],
    levels: &[(1.0, "α = 1")],
    ..axis("spectral slope of the features against the step", "Spectral slope", "α of λ ∝ j^(−α)")
};
const NORMS: Axis = Axis {
    short: "gradients",
    scale: LOG,
    ..axis("gradient norms against the step", "Gradient norms", "‖∂L/∂w‖, without L2")
};

fn show(state: &mut CurvesTile, ui: &mut eframe::egui::Ui, ctx: &mut ViewCtx<'_>) {
    let now = |quantity: &Quantity| series::value(ctx, quantity.key).map_or_else(|| "—".to_owned(), number::short);
    let about = About {
        text: format!("RankMe {} of features, {} of embeddings", now(&RANK_FEATURES), now(&RANK_EMBEDDINGS)),
        twin: series::twin_name(ctx.run),
        ..About::default()
    };
    let lists: &[(Axis, &[Quantity])] = &[
        (RANKS, &[RANK_FEATURES, RANK_EMBEDDINGS]),
        (SPHERE, &[VIEW_ALIGNMENT, UNIFORMITY, UNIFORMITY_TEST]),
        (SLOPES, &[SLOPE]),
        (NORMS, GRADIENTS),
    ];
    state.lists(&about, "before training, and then with loss, eigenspaces and probe", lists, ui, ctx);
}
