//! The tiles that draw measurements against the step: scores, losses, and how both losses pull at the encoder.

use crate::kit::curves::{About, Axis, LOG, axis};
use crate::kit::series::{self, Quantity, quantity};
use crate::kit::tiles::{Tile, TileCommand, TileSpec};
use crate::labs::reconstruction::params::PARAMS;
use crate::plot::style::Dash;

use super::ReconstructionView;

pub const AUC_TEST: Quantity =
    quantity("auc/test", "AUC test", 3, Dash::Solid, "Area under the ROC curve on test pictures");
const AUC_VALIDATION: Quantity =
    quantity("auc/validation", "AUC validation", 3, Dash::Dotted, "The same on validation pictures");
const AUC_UNSEEN: Quantity = quantity(
    "auc/unseen",
    "AUC unseen hospital",
    5,
    Dash::Solid,
    "The same on pictures of a hospital that is in no training set",
);
pub const ACCURACY_TEST: Quantity = quantity(
    "accuracy/test",
    "accuracy test",
    1,
    Dash::Solid,
    "Share of right calls at probability 0.5 on test pictures: it says as much of the threshold as of what was learned",
);
const MSE_TEST: Quantity =
    quantity("mse/test", "MSE test", 4, Dash::Solid, "Mean squared error of reconstructed test pictures");
const AE: Quantity = Quantity {
    noisy: true,
    ..quantity("loss/reconstruction", "L_ae", 4, Dash::Solid, "Reconstruction loss of each batch")
};
const CL: Quantity = Quantity {
    noisy: true,
    ..quantity("loss/classification", "L_cl", 1, Dash::Solid, "Cross-entropy of each labelled batch, without λ")
};
const LAMBDA: Quantity = quantity("lambda", "λ", 6, Dash::Solid, "Weight of L_cl beside L_ae");
const PULL_AE: Quantity =
    quantity("gradient/reconstruction", "‖g_ae‖", 4, Dash::Solid, "Norm of the gradient of L_ae at the encoder");
const PULL_CL: Quantity = quantity(
    "gradient/classification",
    "‖g_cl‖",
    1,
    Dash::Solid,
    "Norm of the gradient of L_cl at the encoder, without λ",
);
const RATIO: Quantity =
    quantity("gradient/ratio", "‖g_ae‖/‖g_cl‖", 0, Dash::Dotted, "The λ at which both pull the encoder equally");
const COSINE: Quantity = quantity(
    "gradient/cosine",
    "cosine",
    5,
    Dash::Solid,
    "Of the angle between both gradients: below 0 what helps one loss harms the other",
);

const SHARES: Axis = Axis {
    include: &[0.4, 1.0],
    levels: &[(0.5, "guessing")],
    ..axis("AUC and accuracy against the step", "AUC and accuracy", "share")
};
const ERROR: Axis = Axis {
    scale: LOG,
    switch: "log",
    ..axis("reconstruction error against the step", "Reconstruction", "MSE, numbers 0 to 1")
};
const RECONSTRUCTION: Axis =
    Axis { scale: LOG, switch: "log", ..axis("reconstruction loss against the step", "L_ae", "reconstruction loss") };
const CLASSIFICATION: Axis = Axis {
    include: &[0.0],
    levels: &[(std::f64::consts::LN_2, "guessing")],
    ..axis("classification loss against the step", "L_cl", "cross-entropy, nats")
};
const PULLS: Axis = Axis {
    scale: LOG,
    switch: "log",
    ..axis("norms of both gradients against the step", "Gradients", "norm at the encoder")
};
const BALANCE: Axis = Axis { scale: LOG, switch: "log", ..axis("λ against the step", "λ", "weight of L_cl") };
const ANGLE: Axis = Axis {
    include: &[-1.0, 1.0],
    levels: &[(0.0, "")],
    ..axis("cosine of both gradients against the step", "Conflict", "cosine")
};

/// The tile.
pub static SCORES_TILE: Tile<ReconstructionView> = Tile {
    spec: TileSpec {
        id: "scores",
        title: "AUC and accuracy",
        help: "How well test pictures are told apart and rebuilt. The AUC needs no threshold; accuracy at 0.5 is the article's \
               measure and early in training says mostly where the threshold happens to lie.",
        area: "answers",
        follows_cursor: true,
    },
    show: |view, ui, ctx| {
        let about = About {
            text: "AUC beside accuracy".to_owned(),
            twin: series::twin_name(ctx.run, PARAMS),
            ..About::default()
        };
        let lists: &[(Axis, &[Quantity])] =
            &[(SHARES, &[AUC_TEST, AUC_VALIDATION, AUC_UNSEEN, ACCURACY_TEST]), (ERROR, &[MSE_TEST])];
        view.scores.lists(
            &about,
            "before training and then every so many steps (parameter `validate_every`)",
            lists,
            ui,
            ctx,
        );
    },
    commands: &[TileCommand {
        id: "scores-fit",
        title: "AUC and accuracy: show the whole run",
        run: |view, _, _| view.scores.fit(),
    }],
};

/// The tile.
pub static LOSSES_TILE: Tile<ReconstructionView> = Tile {
    spec: TileSpec {
        id: "losses",
        title: "Losses",
        help: "L_ae of every batch that is rebuilt, L_cl of every labelled one. They are of different scales: λ brings them \
               together.",
        area: "against the step",
        follows_cursor: true,
    },
    show: |view, ui, ctx| {
        let about = About {
            text: "L = L_ae + λ L_cl".to_owned(),
            twin: series::twin_name(ctx.run, PARAMS),
            ..About::default()
        };
        let lists: &[(Axis, &[Quantity])] = &[(RECONSTRUCTION, &[AE]), (CLASSIFICATION, &[CL])];
        view.losses.lists(&about, "in every step", lists, ui, ctx);
    },
    commands: &[TileCommand {
        id: "losses-fit",
        title: "Losses: show the whole run",
        run: |view, _, _| view.losses.fit(),
    }],
};

/// The tile.
pub static DUEL_TILE: Tile<ReconstructionView> = Tile {
    spec: TileSpec {
        id: "duel",
        title: "λ and gradients",
        help: "How strongly both losses pull the encoder on labelled batches, whether they pull the same way, and the λ between \
               them. Where λ adapts it follows the dotted ratio.",
        area: "against the step",
        follows_cursor: true,
    },
    show: |view, ui, ctx| {
        let about = About {
            text: "who moves the encoder".to_owned(),
            twin: series::twin_name(ctx.run, PARAMS),
            ..About::default()
        };
        let lists: &[(Axis, &[Quantity])] =
            &[(PULLS, &[PULL_AE, PULL_CL]), (BALANCE, &[LAMBDA, RATIO]), (ANGLE, &[COSINE])];
        let when = "on labelled batches that are also rebuilt (parameter `gradients_every`)";
        view.duel.lists(&about, when, lists, ui, ctx);
    },
    commands: &[TileCommand {
        id: "duel-fit",
        title: "λ and gradients: show the whole run",
        run: |view, _, _| view.duel.fit(),
    }],
};
