//! What the paper and its authors' published measurements say, to lay beside one's own. All of it was measured on
//! CIFAR-10 with ResNet-18 and a two-layer predictor, one run each.

use crate::engine::params::Params;
use crate::labs::self_supervised::network::Layers;
use crate::labs::self_supervised::params::{
    DIRECT_EVERY, EMA, PREDICTOR_LAYERS, PREDICTOR_RULE, PredictorRule, STOP_GRADIENT, SYMMETRY,
};

/// Measurements of one of the paper's runs, read from the result files of its code. A measurement "after epoch e" there is
/// one after e + 1 epochs of training.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PaperRun {
    pub title: &'static str,
    /// Linear probe, per cent (Table 1).
    pub probe: f64,
    /// `(epoch, ‖Wp − Wpᵀ‖/‖Wp‖ in the entrywise L1 norm)`
    pub asymmetry: &'static [(f64, f64)],
    /// `(epoch, effective rank of F)`.
    pub effective_rank: &'static [(f64, f64)],
    /// `(epoch, mean alignment of the 8 largest eigenvectors of F)`; empty: not known.
    pub alignment_top8: &'static [(f64, f64)],
}

/// Where Wp is kept symmetric.
const SYMMETRIC: &[(f64, f64)] = &[(0.0, 0.0), (EPOCHS, 0.0)];

/// Epochs of the paper's runs.
pub const EPOCHS: f64 = 100.0;

const BYOL: PaperRun = PaperRun {
    title: "BYOL",
    probe: 84.2,
    asymmetry: &[(0.0, 1.417), (1.0, 1.392), (11.0, 0.954), (21.0, 0.630), (51.0, 0.193), (100.0, 0.163)],
    effective_rank: &[(1.0, 1.9), (11.0, 6.1), (21.0, 11.2), (51.0, 24.6), (100.0, 36.2)],
    alignment_top8: &[(1.0, 0.38), (11.0, 0.81), (21.0, 0.80), (51.0, 0.78), (100.0, 0.78)],
};
const BYOL_SYMMETRIC: PaperRun = PaperRun {
    title: "BYOL, symmetric",
    probe: 85.7,
    asymmetry: SYMMETRIC,
    effective_rank: &[(1.0, 1.7), (21.0, 22.9), (100.0, 59.2)],
    alignment_top8: &[(1.0, 0.86), (21.0, 0.99), (100.0, 0.995)],
};
const SIMSIAM: PaperRun = PaperRun {
    title: "SimSiam",
    probe: 79.4,
    asymmetry: &[(1.0, 1.29), (21.0, 0.59), (51.0, 0.30), (100.0, 0.21)],
    effective_rank: &[(1.0, 2.4), (21.0, 10.1), (51.0, 15.2), (100.0, 14.2)],
    alignment_top8: &[(1.0, 0.42), (21.0, 0.76), (51.0, 0.81), (100.0, 0.78)],
};
const SIMSIAM_SYMMETRIC: PaperRun = PaperRun {
    title: "SimSiam, symmetric",
    probe: 20.3,
    asymmetry: SYMMETRIC,
    effective_rank: &[(1.0, 1.5), (21.0, 1.9), (51.0, 1.07), (100.0, 1.06)],
    alignment_top8: &[],
};

/// The paper's run that is most like a run with these parameters, whose predictor has two layers; `None` for those that set Wp
/// directly, or have no trained predictor or no stop-gradient.
pub fn alike(params: &Params) -> Option<&'static PaperRun> {
    let trained = PREDICTOR_RULE.of(params) == PredictorRule::Gradient && PREDICTOR_LAYERS.of(params) != Layers::None;
    if !trained || !STOP_GRADIENT.of(params) {
        return None;
    }
    Some(match (EMA.of(params), SYMMETRY.of(params)) {
        (true, false) => &BYOL,
        (true, true) => &BYOL_SYMMETRIC,
        (false, false) => &SIMSIAM,
        (false, true) => &SIMSIAM_SYMMETRIC,
    })
}

/// The four cells of Table 1, in reading order.
fn table_1() -> [&'static PaperRun; 4] {
    [&BYOL_SYMMETRIC, &BYOL, &SIMSIAM_SYMMETRIC, &SIMSIAM]
}

/// A number of the paper's tables.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub title: &'static str,
    /// Linear probe, per cent.
    pub probe: f64,
    /// The paper's configuration is the one of these parameters, as far as method and predictor go.
    pub here: bool,
}

/// The table that a run with these parameters belongs to, its number and its rows: Table 1 with two layers of the predictor, Table 2 with one.
pub fn table(params: &Params) -> (u32, Vec<Entry>) {
    let (rule, ema, symmetric) = (PREDICTOR_RULE.of(params), EMA.of(params), SYMMETRY.of(params));
    let layers = PREDICTOR_LAYERS.of(params);
    if layers == Layers::Two {
        let like = alike(params);
        let row = |run: &'static PaperRun| Entry { title: run.title, probe: run.probe, here: like == Some(run) };
        return (1, table_1().map(row).to_vec());
    }
    let every = DIRECT_EVERY.of(params);
    let trained = layers == Layers::One && STOP_GRADIENT.of(params);
    let sgd = trained && rule == PredictorRule::Gradient && !symmetric;
    let direct = |steps: i64| trained && rule == PredictorRule::DirectPred && every == steps;
    let row = |title, probe, here| Entry { title, probe, here };
    let rows = [
        row("EMA, SGD", 83.3, ema && sgd),
        row("EMA, DirectPred", 84.7, ema && direct(1)),
        row("EMA, DirectPred every 5th step", 84.1, ema && direct(5)),
        row("no EMA, SGD", 77.8, !ema && sgd),
        row("no EMA, DirectPred", 78.6, !ema && direct(1)),
    ];
    (2, rows.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::labs::self_supervised::params::PARAMS;

    #[test]
    fn a_run_is_marked_in_the_table_of_its_predictor() {
        let here = |set: &[&str]| {
            let mut params = Params::defaults(PARAMS);
            set.iter().for_each(|text| params.set_text(PARAMS, text).unwrap());
            let (table, rows) = table(&params);
            (table, rows.into_iter().filter(|row| row.here).map(|row| row.probe).collect::<Vec<_>>())
        };
        assert_eq!(here(&[]), (2, vec![83.3]));
        assert_eq!(here(&["target=online"]), (2, vec![77.8]));
        assert_eq!(here(&["symmetry=on"]), (2, vec![]));
        assert_eq!(here(&["predictor_rule=directpred", "direct_every=5"]), (2, vec![84.1]));
        assert_eq!(here(&["predictor_rule=directpred", "target=online"]), (2, vec![78.6]));
        assert_eq!(here(&["predictor_rule=directcopy"]), (2, vec![]));
        assert_eq!(here(&["predictor_layers=two"]), (1, vec![84.2]));
        assert_eq!(here(&["predictor_layers=two", "target=online", "symmetry=on"]), (1, vec![20.3]));
    }
}
