//! What image vectors know of findings: a logistic regression for each (Table II, with what accuracy on rare labels hides).

use crate::engine::emit::Emit;
use crate::engine::event::{Level, Payload};
use crate::engine::experiment::RunError;
use crate::metrics::label_probe::{LabelScore, Marked, label_probe};

use super::embed::{Embedder, Vectors};
use super::source::PairData;

/// Training pairs that a probe is fitted on at most.
const MOST: usize = 4096;

/// Fits on training pairs, judges on test pairs, and says what was found; nothing where images have no labels.
pub fn report(embedder: &Embedder<'_>, data: &PairData, out: &mut Emit<'_>) -> Result<(), RunError> {
    if data.labels.is_empty() {
        out.notice(Level::Info, "these images have no labels of findings: nothing is probed");
        return Ok(());
    }
    let vectors = |indices: &[usize]| {
        let images: Vec<Vec<f32>> = indices.iter().map(|&i| data.pairs[i].values().collect()).collect();
        embedder.images(&images, data.size)
    };
    let truth = |indices: &[usize]| -> Vec<Option<bool>> {
        indices.iter().flat_map(|&i| data.pairs[i].labels.iter().copied()).collect()
    };
    let train = &data.train[..data.train.len().min(MOST)];
    let (fitted, judged): (Vectors, Vectors) = (vectors(train)?, vectors(&data.test)?);
    let (fit_truth, truth) = (truth(train), truth(&data.test));
    let ((fit_rows, d), (rows, _)) = (fitted.rows(), judged.rows());
    let labels = data.labels.len();
    let fit = Marked { features: fit_rows, truth: &fit_truth, d, labels };
    let test = Marked { features: rows, truth: &truth, d, labels };
    let scores = match label_probe(&fit, &test) {
        Ok(scores) => scores,
        Err(error) => {
            out.notice(Level::Warning, format!("findings cannot be told from image vectors: {error}"));
            return Ok(());
        }
    };
    let mean = |of: &dyn Fn(&LabelScore) -> Option<f64>| {
        let known: Vec<f64> = scores.iter().filter_map(of).collect();
        (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
    };
    if let Some(auc) = mean(&|score| score.auc) {
        out.scalar("probe/auc", auc);
    }
    if let Some(balanced) = mean(&|score| score.balanced_accuracy) {
        out.scalar("probe/balanced_accuracy", balanced);
    }
    let constant = |score: &LabelScore| {
        let ill = score.probabilities.iter().filter(|p| **p >= 0.5).count();
        score.known > 0 && (ill == 0 || ill == score.probabilities.len())
    };
    let percent = |share: Option<f64>| share.map_or("—".to_owned(), |share| format!("{:.1} %", 100.0 * share));
    let number = |value: Option<f64>| value.map_or("—".to_owned(), |value| format!("{value:.3}"));
    let row = |(name, score): (&String, &LabelScore)| {
        vec![
            name.clone(),
            percent(score.prevalence),
            number(score.auc),
            percent(score.balanced_accuracy),
            percent(score.accuracy),
            percent(score.majority),
            number(score.f1),
            if constant(score) { "one answer for all" } else { "" }.to_owned(),
        ]
    };
    let columns = ["finding", "prevalence", "AUC", "balanced accuracy", "accuracy", "commoner answer", "F1", "alarm"];
    out.payload(
        "probe/table",
        Payload::Table {
            columns: columns.map(str::to_owned).into(),
            rows: data.labels.iter().zip(&scores).map(row).collect(),
        },
    );
    Ok(())
}
