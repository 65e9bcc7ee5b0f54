//! What the text encoder knows of entailment: a copy of it is fine-tuned with a linear layer on pairs of sentences (Table III).

use std::path::Path;

use burn::module::Module;
use burn::tensor::Device;

use crate::compute::readback::Reader;
use crate::compute::streams;
use crate::data::reports::nli::{self, Inference, Label};
use crate::data::synth::chest;
use crate::engine::emit::Emit;
use crate::engine::event::{Level, Payload};
use crate::engine::experiment::RunError;
use crate::engine::params::ParamError;
use crate::kit::batches::{Last, Order};
use crate::kit::training::Training;
use crate::nn::image_text::batch::TextBatch;
use crate::nn::image_text::model::{NliHead, cross_entropy};
use crate::nn::image_text::text::TextEncoder;
use crate::nn::optim::{DecayScope, Optimizer, Rates, Rule};
use crate::nn::parameters::tracked;

use super::embed::Embedder;
use super::params::{DATA_SEED, NLI_TEST, NLI_TRAIN, net_spec};
use super::texts::Texts;

/// Generated pairs to train and to test on.
const GENERATED: [u64; 2] = [960, 480];
const BATCH: usize = 16;
/// Of Adam; the article's 2e-5 is for encoders trained before.
const RATE: f64 = 1e-3;
/// Texts of a forward pass without a graph.
const JUDGED: usize = 256;

/// The encoder and the layer behind it.
#[derive(Module, Debug)]
struct Entailment {
    text: TextEncoder,
    head: NliHead,
}

/// A pair of sentences with the relation between them.
#[derive(Debug, Clone)]
struct Pair {
    premise: String,
    hypothesis: String,
    label: Label,
}

/// Fine-tunes for so many epochs and says what was found.
pub fn report(embedder: &Embedder<'_>, training: &Training, epochs: u64, out: &mut Emit<'_>) -> Result<(), RunError> {
    let (train, test, notes) = pairs(training)?;
    notes.into_iter().for_each(|note| out.notice(Level::Info, format!("sentence pairs: {note}")));
    let device = embedder.device;
    let width = net_spec(&training.params, embedder.texts.pieces.vocab().len()).text.width();
    let rng = streams::IMAGE_TEXT_WEIGHTS.open(training.seed, 1);
    let head = NliHead::new(width, rng, device)?;
    let mut net = Entailment { text: embedder.net.text.clone(), head };
    let mut optimizer = Optimizer::new(Rule::ADAM);
    let mut order =
        Order::new((0..train.len()).collect(), BATCH.min(train.len()), Last::Drop, training.seed, streams::PROBE_ORDER);
    for step in 0..epochs * order.per_epoch() {
        let batch: Vec<&Pair> = order.of(step).iter().map(|&i| &train[i]).collect();
        let texts = pack(embedder.texts, &batch)?;
        let classes: Vec<usize> = batch.iter().map(|pair| class(pair.label)).collect();
        let tracking = tracked(&net);
        let pooled = tracking.text.forward(&texts.tensors(device)).pooled;
        let loss = cross_entropy(tracking.head.forward(pooled), &classes);
        let mut gradients = loss.backward();
        let rates = Rates { learning_rate: RATE, decay: 0.0 };
        net = optimizer.step(tracking, &mut gradients, DecayScope::All, |_| rates);
    }
    let answers = answers(&net, embedder.texts, &test, device)?;
    say(&answers, &test, out);
    Ok(())
}

/// Pairs to train on, to test on, and what was said of their files.
type Pairs = (Vec<Pair>, Vec<Pair>, Vec<String>);

/// Pairs of files, or generated ones.
fn pairs(training: &Training) -> Result<Pairs, RunError> {
    let params = &training.params;
    if NLI_TRAIN.of(params).is_empty() {
        let seed = DATA_SEED.of(params) as u64;
        let pair = |number: u64| {
            let (premise, hypothesis, label) = chest::nli_pair(seed, number);
            Pair { premise, hypothesis, label }
        };
        let [train, test] = GENERATED;
        return Ok(((0..train).map(pair).collect(), (train..train + test).map(pair).collect(), Vec::new()));
    }
    let mut notes = Vec::new();
    let mut read = |words: &crate::engine::table::Words| -> Result<Vec<Pair>, RunError> {
        let file = nli::read(Path::new(words.of(params))).map_err(|error| ParamError::invalid(words.key(), error))?;
        notes.extend(file.notes);
        let pair = |item: Inference| Pair { premise: item.premise, hypothesis: item.hypothesis, label: item.label };
        Ok(file.items.into_iter().map(pair).collect())
    };
    let (train, test) = (read(&NLI_TRAIN)?, read(&NLI_TEST)?);
    Ok((train, test, notes))
}

fn class(label: Label) -> usize {
    Label::ALL.iter().position(|of| *of == label).unwrap_or(0)
}

fn pack(texts: &Texts, pairs: &[&Pair]) -> Result<TextBatch, RunError> {
    texts.sentence_pairs(pairs.iter().map(|pair| (pair.premise.as_str(), pair.hypothesis.as_str())))
}

/// What is answered to each pair.
fn answers(net: &Entailment, texts: &Texts, pairs: &[Pair], device: &Device) -> Result<Vec<usize>, RunError> {
    let mut found = Vec::with_capacity(pairs.len());
    for chunk in pairs.chunks(JUDGED) {
        let batch = pack(texts, &chunk.iter().collect::<Vec<_>>())?;
        let mut reader = Reader::default();
        reader.add(net.head.forward(net.text.forward(&batch.tensors(device)).pooled));
        let logits = reader.read()?.concat();
        let largest = |row: &[f32]| (0..row.len()).max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap_or(0);
        found.extend(logits.chunks_exact(Label::ALL.len()).map(largest));
    }
    Ok(found)
}

fn say(answers: &[usize], pairs: &[Pair], out: &mut Emit<'_>) {
    let mut counts = [[0_usize; Label::ALL.len()]; Label::ALL.len()];
    for (answer, pair) in answers.iter().zip(pairs) {
        counts[class(pair.label)][*answer] += 1;
    }
    let all = pairs.len().max(1) as f64;
    let right: usize = (0..Label::ALL.len()).map(|i| counts[i][i]).sum();
    let most = counts.iter().map(|row| row.iter().sum::<usize>()).max().unwrap_or(0);
    out.scalar("nli/accuracy", right as f64 / all);
    out.scalar("nli/majority", most as f64 / all);
    let row = |(label, counts): (&Label, &[usize; 3])| {
        let mut cells = vec![label.name().to_owned()];
        cells.extend(counts.iter().map(usize::to_string));
        cells
    };
    let mut columns = vec!["is, answered →".to_owned()];
    columns.extend(Label::ALL.map(|label| label.name().to_owned()));
    out.payload("nli/table", Payload::Table { columns, rows: Label::ALL.iter().zip(&counts).map(row).collect() });
}
