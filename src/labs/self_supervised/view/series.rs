//! What this lab draws against the step; how is in [`crate::kit::curves`].

pub use crate::engine::twin::TWIN;
pub use crate::kit::series::{Quantity, identity, seek, series, steps, text, value};

use crate::engine::state::RunState;
use crate::kit::series::quantity;
use crate::labs::self_supervised::params::PARAMS;
use crate::plot::style::Dash;

pub const COSINE_LOSS: Quantity =
    quantity("loss/cosine", "cosine loss", 7, Dash::Solid, "−cos(p₁, t₂) − cos(p₂, t₁), from −2 (equal) to 2");
pub const L2: Quantity =
    quantity("loss/l2", "L2", 1, Dash::DashDot, "the L2 part, ½ η Σ w²; not part of the cosine loss");
pub const ASYMMETRY: Quantity =
    quantity("asymmetry", "asymmetry", 6, Dash::Solid, "‖Wp − Wpᵀ‖ / ‖Wp‖, Frobenius; random: √2, symmetric: 0");
pub const ASYMMETRY_L1: Quantity = quantity(
    "asymmetry/entrywise_l1",
    "asymmetry, entrywise L1",
    1,
    Dash::DashDot,
    "the same with sums of absolute entries, the norm of the paper's figures",
);
pub const ALIGNMENT: Quantity = quantity(
    "alignment/weighted",
    "alignment",
    3,
    Dash::Solid,
    "mean of cos(v, Wp v) over the eigenvectors v of F, weighted by √λ. Near 1 in a collapsed run too",
);
pub const ALIGNMENT_TOP8: Quantity = quantity(
    "alignment/mean_top8",
    "top 8",
    3,
    Dash::Dotted,
    "mean of cos(v, Wp v) over the 8 largest eigenvectors v of F, not weighted",
);
pub const COMMUTATOR: Quantity = quantity(
    "commutator",
    "commutator",
    4,
    Dash::DashDot,
    "‖F Wp − Wp F‖ / (‖F‖ ‖Wp‖): 0 where both share their eigenvectors, whatever basis one takes",
);
pub const RANK: Quantity = quantity(
    "effective_rank",
    "effective rank",
    7,
    Dash::Solid,
    "exp of the entropy of the eigenvalues of this batch's E[z zᵀ]: how many directions share the energy. Of F where ρ = 0, within a view",
);
pub const RANK_CENTRED: Quantity = quantity(
    "effective_rank/centred",
    "without the mean",
    7,
    Dash::Dotted,
    "the same without this batch's mean, E[z zᵀ] − m mᵀ: how many directions share what varies",
);
pub const SPREAD: Quantity = quantity(
    "normalised_std",
    "normalised std",
    1,
    Dash::Solid,
    "std of the embeddings on the unit sphere times √d: 1 healthy, 0 constant",
);
pub const MEAN_ENERGY: Quantity = quantity(
    "mean_energy",
    "energy in the mean",
    5,
    Dash::Dotted,
    "‖m‖² / E‖z‖² of this batch: 1 where all embeddings are their mean",
);
pub const KNN: Quantity = quantity("knn", "kNN", 4, Dash::Solid, "accuracy of k nearest neighbours on frozen features");
pub const PROBE: Quantity =
    quantity("probe", "linear probe", 1, Dash::DashDot, "accuracy of a linear classifier on frozen features");

/// What makes the twin differ from the run; `None` where there is no twin.
pub fn twin_name(run: &RunState) -> Option<String> {
    crate::kit::series::twin_name(run, PARAMS)
}
