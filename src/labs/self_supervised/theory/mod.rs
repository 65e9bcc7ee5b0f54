//! The linear theory of the paper: how predictor, network and target move under the gradient flow of an L2 loss, when they
//! collapse and when their eigenspaces align. The network trains on a cosine loss, which the theory does not know: [`cosine`]
//! simulates it.
//!
//! Time is counted in steps times the learning rate α. Letters: W (d x n) the online network, Wp (d x d) the predictor,
//! Wa (d x n) the target, X the correlation of the mean views (n x n), X' the mean covariance of the augmentations,
//! F = W X Wᵀ; η, η_p the weight decays of W and Wp; α_p the predictor's learning rate over the network's;
//! β = (1 − τ)/α the speed of the target; r the ratio Wa = r W; σ² the variance of the augmentations; S = 1 + σ².

pub mod basin;
pub mod cosine;
pub mod integrate;
pub mod matrix;
pub mod modes;
pub mod portrait;
pub mod separatrix;
