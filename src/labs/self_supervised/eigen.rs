//! The eigen-analysis of a step: what is read once from the device becomes the numbers and pictures of the views, in f64
//! on the host.

use crate::compute::linalg::{LinalgError, Matrix};
use crate::engine::emit::Emit;
use crate::engine::event::Payload;
use crate::metrics::alignment::{Weight, asymmetry, effective_linear_map, eigenspaces};
use crate::metrics::collapse::{Verdict, feature_statistics, unused_directions, verdict};
use crate::metrics::spectrum::fit_sqrt;

use super::alarm::Check;
use super::params::Hyper;
use super::representation::{defined, emit_views, rows};
use super::trainer::f_matrix;

/// What is analysed, as it came from the device.
#[derive(Debug, Clone)]
pub struct Read {
    /// `[d, d]`, not centred.
    pub second_moment: Vec<f32>,
    /// `[d]`
    pub mean: Vec<f32>,
    /// `[2B, d]`
    pub z: Vec<f32>,
    /// `[d, d]`, out × in.
    pub wp: Vec<f32>,
    /// Predictor outputs `[2B, d]`, where Wp is to be fitted to them instead.
    pub p: Option<Vec<f32>>,
    /// F has vanished, as DirectPred found: whatever rounding is left, that is complete collapse.
    pub vanished: bool,
}

/// Emits the eigenspaces of Wp and F, and what tells collapse, which is returned.
pub fn emit(read: &Read, hyper: &Hyper, out: &mut Emit<'_>) -> Result<Check, LinalgError> {
    let d = read.mean.len();
    let f = f_matrix(&read.second_moment, &read.mean, hyper);
    let z = rows(d, &read.z);
    let wp = match &read.p {
        Some(p) => effective_linear_map(&z, &rows(d, p))?,
        None => square(d, &read.wp),
    };
    let spaces = eigenspaces(&f, &wp)?;

    emit_asymmetry(&wp, out);
    defined("alignment/weighted", spaces.weighted_alignment(Weight::RootEigenvalue), out);
    defined("alignment/weighted_by_eigenvalue", spaces.weighted_alignment(Weight::Eigenvalue), out);
    defined("alignment/mean", spaces.mean_alignment(d), out);
    defined("alignment/mean_top8", spaces.mean_alignment(d.min(8)), out);
    out.scalar("alignment/aligned_modes", spaces.aligned_modes() as f64);
    out.scalar("commutator", spaces.commutator);
    if let Some(fit) = fit_sqrt(&spaces.rayleigh, &spaces.f_values) {
        out.scalar("sqrt_fit/scale", fit.scale);
        out.scalar("sqrt_fit/residual", fit.residual);
    }

    // Collapse is judged by this batch, not by F: a long memory or another product would hide it.
    let statistics = feature_statistics(&z)?;
    defined("effective_rank", statistics.effective_rank, out);
    defined("effective_rank/centred", statistics.effective_rank_centred, out);
    out.scalar("normalised_std", statistics.normalised_std);
    out.scalar("mean_energy", statistics.mean_energy);
    emit_views(&z, out);
    let verdict = match read.vanished {
        true => Verdict::Complete,
        false => verdict(statistics.effective_rank, statistics.normalised_std, d),
    };
    out.scalar("collapse", f64::from(verdict as u8));

    out.payload("eigenvalues/F", Payload::Series(spaces.f_values.clone()));
    out.payload("eigenvalues/Wp", Payload::Series(spaces.wp_values.iter().map(|value| value.re).collect()));
    // Where Wp v vanishes there is no angle: not a number.
    let cosines = spaces.cosines.iter().map(|cosine| cosine.unwrap_or(f64::NAN)).collect();
    out.payload("alignment/per-eigenvector", Payload::Series(cosines));
    let pairs = spaces.f_values.iter().zip(&spaces.rayleigh);
    let xy = pairs.clone().map(|(s, p)| [*s as f32, *p as f32]).collect();
    out.payload("p_against_s", Payload::Points { xy, classes: Vec::new() });
    let values = pairs.flat_map(|(s, p)| [*s as f32, *p as f32]).collect();
    out.payload("theory/modes", Payload::Matrix { rows: d as u32, cols: 2, values });
    out.payload("matrix/F", matrix(&f));
    out.payload("matrix/Wp", matrix(&wp));
    Ok(Check {
        verdict,
        rank: statistics.effective_rank,
        std: statistics.normalised_std,
        d,
        unused: unused_directions(&statistics.eigenvalues),
    })
}

/// What is known before the first batch: the predictor alone.
pub fn emit_untrained(wp: &[f32], d: usize, out: &mut Emit<'_>) -> Result<(), LinalgError> {
    let wp = square(d, wp);
    emit_asymmetry(&wp, out);
    let values = crate::compute::linalg::eigenvalues(&wp)?;
    out.payload("eigenvalues/Wp", Payload::Series(values.iter().map(|value| value.re).collect()));
    out.payload("matrix/Wp", matrix(&wp));
    Ok(())
}

fn emit_asymmetry(wp: &Matrix, out: &mut Emit<'_>) {
    let asymmetry = asymmetry(wp);
    out.scalar("asymmetry", asymmetry.frobenius);
    out.scalar("asymmetry/entrywise_l1", asymmetry.entrywise_l1);
}

fn square(d: usize, values: &[f32]) -> Matrix {
    Matrix::from_fn(d, d, |i, j| f64::from(values[i * d + j]))
}

fn matrix(of: &Matrix) -> Payload {
    Payload::Matrix { rows: of.rows() as u32, cols: of.columns() as u32, values: of.to_f32() }
}
