//! What image vectors know of findings: a logistic regression for each (Table II, with what accuracy on rare labels hides).

use crate::engine::emit::Emit;
use crate::engine::event::{Level, Payload};
use crate::engine::experiment::RunError;
use crate::metrics::label_probe::{LabelScore, Marked, label_probe};

use super::embed::{Embedder, Vectors};
use super::labelled::Labelled;
use super::params::PROBE_FOLDER;
use super::source::PairData;

/// Images of a part at most.
pub const MOST: usize = 4096;

/// An image whose findings are known.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// Grey, `[size, size]`.
    pub pixels: &'a [u8],
    /// For each finding yes, no, or not known.
    pub labels: &'a [Option<bool>],
}

/// Fits on images of the folder of labels, or on training pairs, judges on others, and says what was found; nothing where images have no
/// labels.
pub fn report(
    embedder: &Embedder<'_>,
    data: &PairData,
    folder: Option<&Labelled>,
    out: &mut Emit<'_>,
) -> Result<(), RunError> {
    if let Some(labelled) = folder {
        return judge(embedder, &labelled.names, labelled.size, &labelled.subjects(), out);
    }
    if data.labels.is_empty() {
        let key = PROBE_FOLDER.key();
        let text = format!("these images have no labels of findings: nothing is probed; a folder that has is `{key}`");
        out.notice(Level::Info, text);
        return Ok(());
    }
    let subject = |i: &usize| Subject { pixels: &data.pairs[*i].image, labels: &data.pairs[*i].labels };
    let train = data.train.iter().take(MOST).map(subject).collect();
    judge(embedder, &data.labels, data.size, &[train, data.test.iter().map(subject).collect()], out)
}

fn judge(
    embedder: &Embedder<'_>,
    names: &[String],
    size: usize,
    [train, test]: &[Vec<Subject<'_>>; 2],
    out: &mut Emit<'_>,
) -> Result<(), RunError> {
    let vectors = |of: &[Subject<'_>]| {
        let scaled = |subject: &Subject<'_>| subject.pixels.iter().map(|level| f32::from(*level) / 255.0).collect();
        let images: Vec<Vec<f32>> = of.iter().map(scaled).collect();
        embedder.images(&images, size)
    };
    let truth = |of: &[Subject<'_>]| -> Vec<Option<bool>> {
        of.iter().flat_map(|subject| subject.labels.iter().copied()).collect()
    };
    let (fitted, judged): (Vectors, Vectors) = (vectors(train)?, vectors(test)?);
    let (fit_truth, truth) = (truth(train), truth(test));
    let ((fit_rows, d), (rows, _)) = (fitted.rows(), judged.rows());
    let labels = names.len();
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
    for (name, score) in names.iter().zip(&scores) {
        let told = [("accuracy", score.accuracy), ("balanced", score.balanced_accuracy), ("commoner", score.majority)];
        for (what, share) in told {
            if let Some(share) = share {
                out.scalar(&format!("probe/{what}/{}", slug(name)), share);
            }
        }
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
            rows: names.iter().zip(&scores).map(row).collect(),
        },
    );
    Ok(())
}

/// A finding's name in a key: `Pleural Effusion` is `pleural-effusion`.
fn slug(name: &str) -> String {
    let plain = |c: char| if c.is_alphanumeric() { c } else { '-' };
    name.trim().to_lowercase().chars().map(plain).collect()
}
