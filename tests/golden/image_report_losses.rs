//! Losses and measures of the image-report lab: kinds `global_infonce`, `local`, `perturbation_loss`, `total`, `structure_eval` and
//! `subword`.

use burn::tensor::Tensor;
use learnscope::metrics::matching::structure;
use learnscope::nn::image_text::batch::{Pieces, TextBatch, word_means};
use learnscope::nn::image_text::layers::scaled_to_unit;
use learnscope::nn::image_text::local::{Aggregate, Both, Local};
use learnscope::nn::image_text::losses::{self, Scale, VARIANTS, Weights};
use serde_json::Value;

use super::tensors::{read, tensor};
use super::values::{as_numbers, field, list, number, numbers, only, text};
use super::{Report, Tolerance};

/// What f32 gives of cosines multiplied by up to 100.
const LOGITS: Tolerance = Tolerance { relative: 3e-6, absolute: 1e-5 };
/// Of numbers that the golden file gives to eight places.
const PRINTED: Tolerance = Tolerance { relative: 0.0, absolute: 1e-6 };

type Outcome = Result<(), String>;
/// Checks one case.
type Check = fn(&Value, &mut Report) -> Outcome;

/// Every case of these kinds that a file holds.
pub fn check(file: &Value, report: &mut Report) {
    let kinds: [(&'static str, Check); 6] = [
        ("global_infonce", check_global),
        ("local", check_local),
        ("perturbation_loss", check_perturbation),
        ("total", check_total),
        ("structure_eval", check_structure),
        ("subword", check_subword),
    ];
    for (kind, check) in kinds {
        let Some(cases) = file.get(kind) else { continue };
        for case in cases.as_array().into_iter().flatten() {
            report.case(kind);
            if let Err(message) = check(case, report) {
                report.fail(format!("{kind}, {}: {message}", id(case)));
            }
        }
    }
}

fn id(case: &Value) -> &str {
    case.get("id").and_then(Value::as_str).unwrap_or("a case without id")
}

/// All numbers of nested lists, and their lengths from the outside in.
fn flat(value: &Value) -> Result<(Vec<f64>, Vec<usize>), String> {
    let Some(items) = value.as_array() else {
        return Ok((vec![value.as_f64().ok_or_else(|| format!("{value} is no number"))?], Vec::new()));
    };
    let (mut all, mut shape) = (Vec::new(), Vec::new());
    for item in items {
        let (numbers, inner) = flat(item)?;
        if !all.is_empty() && inner != shape {
            return Err("lists of unequal lengths".to_owned());
        }
        all.extend(numbers);
        shape = inner;
    }
    shape.insert(0, items.len());
    Ok((all, shape))
}

fn array<const D: usize>(case: &Value, key: &str) -> Result<Tensor<D>, String> {
    let (numbers, shape) = flat(field(case, key)?)?;
    let shape = <[usize; D]>::try_from(shape).map_err(|shape| format!("`{key}` has the shape {shape:?}"))?;
    Ok(tensor(&numbers, shape))
}

fn one<const D: usize>(x: Tensor<D>) -> f64 {
    read(x).first().copied().unwrap_or(f64::NAN)
}

/// A list of lists of true and false, flat.
fn flags(case: &Value, key: &str) -> Result<Vec<bool>, String> {
    let rows = list(case, key)?.iter().map(|row| row.as_array().ok_or_else(|| format!("`{key}` is no table")));
    let rows: Vec<_> = rows.collect::<Result<_, _>>()?;
    rows.into_iter().flatten().map(|flag| flag.as_bool().ok_or_else(|| format!("`{key}`: {flag}"))).collect()
}

fn check_global(case: &Value, report: &mut Report) -> Outcome {
    only(case, &["id", "image", "text", "tau", "cosine", "loss_i2t", "loss_t2i", "loss_symmetric"])?;
    let [images, texts] = ["image", "text"].map(|key| array::<2>(case, key).map(scaled_to_unit));
    let (images, texts) = (images?, texts?);
    let cosines = read(images.clone().matmul(texts.clone().transpose()));
    let (golden, _) = flat(field(case, "cosine")?)?;
    for (i, (ours, golden)) in cosines.into_iter().zip(golden).enumerate() {
        report.within("global_infonce", || format!("{}, cosine {i}", id(case)), ours, golden, PRINTED);
    }
    let found = losses::global(images, texts, &Scale::of_temperature(number(case, "tau")?));
    let numbers =
        [(found.image_to_text, "loss_i2t"), (found.text_to_image, "loss_t2i"), (found.loss, "loss_symmetric")];
    for (ours, key) in numbers {
        report.within("global_infonce", || format!("{}, {key}", id(case)), one(ours), number(case, key)?, LOGITS);
    }
    Ok(())
}

fn check_local(case: &Value, report: &mut Report) -> Outcome {
    only(
        case,
        &[
            "id",
            "mode",
            "aggregate",
            "temp1",
            "temp2",
            "temp3",
            "regions",
            "words_padded",
            "word_lengths",
            "padding_note",
            "attention_image_text_word_region",
            "context",
            "word_cosine",
            "matching_score",
            "loss_i2t",
            "loss_t2i",
            "loss_symmetric_mean",
            "loss_gloria_sum",
        ],
    )?;
    let temperature = |key| number(case, key);
    let by_name = match text(case, "mode")? {
        "gloria" => Local::gloria(),
        "seed" => Local::seed(1.0 / temperature("temp3")?),
        other => return Err(format!("unknown mode `{other}`")),
    };
    let aggregate = match text(case, "aggregate")? {
        "sum" => Aggregate::Sum,
        "mean" => Aggregate::Mean,
        other => return Err(format!("unknown aggregate `{other}`")),
    };
    let local = Local {
        temp1: temperature("temp1")?,
        temp2: temperature("temp2")?,
        temp3: temperature("temp3")?,
        aggregate,
        ..by_name
    };
    let (regions, words) = (array::<3>(case, "regions")?, array::<3>(case, "words_padded")?);
    let lengths: Vec<usize> = numbers(case, "word_lengths")?.into_iter().map(|length| length as usize).collect();

    let (scores, _) = flat(field(case, "matching_score")?)?;
    for (i, (ours, golden)) in
        read(local.scores(regions.clone(), words.clone(), &lengths)).into_iter().zip(scores).enumerate()
    {
        report.within(
            "local",
            || format!("{}, score {i}", id(case)),
            ours,
            golden,
            Tolerance { relative: 0.0, absolute: 3e-6 },
        );
    }
    let both = local.directions(regions.clone(), words.clone(), &lengths);
    let loss = |both| one(Local { both, ..local }.loss(regions.clone(), words.clone(), &lengths));
    let (i2t, t2i) = (one(both.image_to_text), one(both.text_to_image));
    let found = [
        (i2t, "loss_i2t"),
        (t2i, "loss_t2i"),
        (loss(Both::Half), "loss_symmetric_mean"),
        (loss(Both::Sum), "loss_gloria_sum"),
    ];
    for (ours, key) in found {
        report.within("local", || format!("{}, {key}", id(case)), ours, number(case, key)?, LOGITS);
    }
    let slip = i2t + t2i / 2.0;
    report.within("local", || format!("{}, the authors' weighting", id(case)), loss(Both::AuthorsSlip), slip, LOGITS);
    check_attention(case, &local, (regions, words, &lengths), report)
}

/// What is shown of every picture with every report.
fn check_attention(
    case: &Value,
    local: &Local,
    (regions, words, lengths): (Tensor<3>, Tensor<3>, &[usize]),
    report: &mut Report,
) -> Outcome {
    let [pictures, count, d] = regions.dims();
    let part = |value: &Value, i: usize, t: usize| -> Result<Vec<f64>, String> {
        let part = value.get(i).and_then(|row| row.get(t)).ok_or("no such pair")?;
        Ok(flat(part)?.0)
    };
    for i in 0..pictures {
        let picture = regions.clone().slice_dim(0, i..=i).reshape([count, d]);
        for (t, &length) in lengths.iter().enumerate() {
            let words = words.clone().slice_dim(0, t..=t).slice_dim(1, 0..length).reshape([length, d]);
            let shown = local.attention(picture.clone(), words);
            let context = shown.weights.clone().matmul(picture.clone());
            let found = [
                (read(shown.weights), "attention_image_text_word_region"),
                (read(context), "context"),
                (read(shown.cosines), "word_cosine"),
            ];
            for (ours, key) in found {
                let golden = part(field(case, key)?, i, t)?;
                if ours.len() != golden.len() {
                    return Err(format!("`{key}` has {} numbers, ours {}", golden.len(), ours.len()));
                }
                for (ours, golden) in ours.into_iter().zip(golden) {
                    let place = || format!("{}, {key} of picture {i}, report {t}", id(case));
                    report.within("local", place, ours, golden, PRINTED);
                }
            }
        }
    }
    Ok(())
}

fn check_perturbation(case: &Value, report: &mut Report) -> Outcome {
    only(case, &["id", "tau", "image", "original", "perturbed", "degenerate_mask", "loss_per_image", "loss_mean"])?;
    let images = scaled_to_unit(array::<2>(case, "image")?);
    let originals = scaled_to_unit(array::<2>(case, "original")?);
    let perturbed = scaled_to_unit(array::<3>(case, "perturbed")?);
    let [pictures, kinds, _] = perturbed.dims();
    let valid: Vec<f64> = flags(case, "degenerate_mask")?.into_iter().map(|not| if not { 0.0 } else { 1.0 }).collect();
    let valid = tensor(&valid, [pictures, kinds]);
    let scale = Scale::of_temperature(number(case, "tau")?);
    let all = (images, originals, perturbed, valid);
    let (a, b, c, d) = all.clone();
    let golden = numbers(case, "loss_per_image")?;
    for (i, (ours, golden)) in
        read(losses::perturbation_of_each(a, b, c, d, &scale)).into_iter().zip(golden).enumerate()
    {
        report.within("perturbation_loss", || format!("{}, picture {i}", id(case)), ours, golden, LOGITS);
    }
    let (a, b, c, d) = all;
    let mean = one(losses::perturbation(a, b, c, d, &scale));
    report.within("perturbation_loss", || format!("{}, mean", id(case)), mean, number(case, "loss_mean")?, LOGITS);
    Ok(())
}

fn check_total(case: &Value, report: &mut Report) -> Outcome {
    only(case, &["id", "l_global", "l_local", "l_pert", "alpha", "beta", "total", "variant"])?;
    let variant = match text(case, "variant")? {
        "ours" => "ours",
        "ours without local" => "no-local",
        "convirt baseline" => "convirt",
        "gloria baseline" => "gloria",
        other => return Err(format!("unknown variant `{other}`")),
    };
    let variant = VARIANTS.iter().find(|known| known.id == variant).ok_or("a variant that we have not")?;
    let weights = Weights { global: 1.0, local: number(case, "alpha")?, perturbation: number(case, "beta")? };
    if weights != variant.weights {
        return Err(format!("{} has the weights {:?}, not {weights:?}", variant.name, variant.weights));
    }
    let term = |key, weight: f64| Ok::<_, String>((weight != 0.0).then_some(tensor(&[number(case, key)?], [1])));
    let terms = (term("l_global", 1.0)?, term("l_local", weights.local)?, term("l_pert", weights.perturbation)?);
    let total = losses::total(weights, terms.0, terms.1, terms.2).map_or(f64::NAN, one);
    report.within("total", || id(case).to_owned(), total, number(case, "total")?, super::tensors::F32);
    Ok(())
}

fn check_structure(case: &Value, report: &mut Report) -> Outcome {
    only(
        case,
        &[
            "id",
            "similarity_original_first",
            "degenerate_mask",
            "correct_strict",
            "accuracy_strict",
            "correct_ties_count_as_right_no_mask",
            "accuracy_paper_code",
            "rank_pessimistic",
            "mean_reciprocal_rank",
            "expected_chance",
        ],
    )?;
    let (similarities, shape) = flat(field(case, "similarity_original_first")?)?;
    let kinds = shape.get(1).copied().unwrap_or(0).saturating_sub(1);
    let found = structure(&similarities, kinds, &flags(case, "degenerate_mask")?).map_err(|e| e.to_string())?;
    let correct: Vec<bool> = list(case, "correct_strict")?.iter().filter_map(Value::as_bool).collect();
    if correct != found.correct {
        return Err(format!("correct: {:?}", found.correct));
    }
    let ranks: Vec<usize> = numbers(case, "rank_pessimistic")?.into_iter().map(|rank| rank as usize).collect();
    if ranks != found.ranks {
        return Err(format!("ranks: {:?}", found.ranks));
    }
    // Where no text is left out, the first kind's wins can be counted here too.
    let first = similarities.chunks_exact(1 + kinds).filter(|row| row[0] > row[1]).count() as f64;
    let wins = found.wins.first().copied().flatten().unwrap_or(f64::NAN);
    report.close("structure_eval", || format!("{}, wins", id(case)), wins, first / found.ranks.len() as f64, 1e-12);
    let numbers = [
        (found.accuracy, "accuracy_strict"),
        (found.paper_accuracy, "accuracy_paper_code"),
        (found.reciprocal_rank, "mean_reciprocal_rank"),
        (found.chance, "expected_chance"),
    ];
    for (ours, key) in numbers {
        report.close("structure_eval", || format!("{}, {key}", id(case)), ours, number(case, key)?, 1e-12);
    }
    Ok(())
}

fn check_subword(case: &Value, report: &mut Report) -> Outcome {
    only(case, &["id", "tokens", "embeddings", "words", "groups", "word_mean", "word_sum_gloria"])?;
    let embeddings = array::<2>(case, "embeddings")?;
    let [pieces, width] = embeddings.dims();
    let real = list(case, "tokens")?.iter().filter(|token| token.as_str() != Some("[PAD]")).count();
    let mut word_of = vec![None; real];
    for (word, group) in list(case, "groups")?.iter().enumerate() {
        for piece in as_numbers(group)? {
            *word_of.get_mut(piece as usize).ok_or("a word of padding")? = Some(word);
        }
    }
    let batch = TextBatch::pack(&[Pieces { ids: &vec![1; real], word_of: &word_of, segments: &[] }], 1);
    let batch = batch.map_err(|e| e.to_string())?;
    if batch.words != [list(case, "words")?.len()] || batch.length < pieces && real == pieces {
        return Err(format!("{:?} words of {} pieces", batch.words, batch.length));
    }
    // The batch is padded to its own length.
    let mut padded = read(embeddings);
    padded.resize(batch.length * width, 9.0);
    let average = batch.tensors(&learnscope::compute::device::cpu()).average.ok_or("no words")?;
    let means = read(word_means(tensor(&padded, [1, batch.length, width]), average));
    let (golden, _) = flat(field(case, "word_mean")?)?;
    let (sums, _) = flat(field(case, "word_sum_gloria")?)?;
    let counts: Vec<f64> =
        list(case, "groups")?.iter().map(|group| as_numbers(group).map_or(0.0, |g| g.len() as f64)).collect();
    for (i, ((ours, golden), sum)) in means.into_iter().zip(golden).zip(sums).enumerate() {
        report.within("subword", || format!("{}, number {i}", id(case)), ours, golden, PRINTED);
        let count = counts.get(i / width).copied().unwrap_or(f64::NAN);
        report.within("subword", || format!("{}, sum {i}", id(case)), ours * count, sum, PRINTED);
    }
    Ok(())
}
