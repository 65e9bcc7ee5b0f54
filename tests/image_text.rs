//! The networks of pictures and reports: their losses have the slopes they should, padding takes no part, weights are found by name, BERT
//! computes what PyTorch computes, and a graphics device what the CPU does.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use burn::tensor::{Device, DeviceKind, Tensor, TensorData};
use learnscope::compute::device;
use learnscope::compute::readback::Reader;
use learnscope::compute::rng::HostRng;
use learnscope::nn::image_text::batch::{Pieces, TextBatch};
use learnscope::nn::image_text::local::{Aggregate, Both, Local};
use learnscope::nn::image_text::losses::{self, Scale, VARIANTS, Weights};
use learnscope::nn::image_text::model::{ImageText, NliHead, cross_entropy};
use learnscope::nn::image_text::spec::{
    Backbone, BertSpec, ImageSpec, Order, ScaleSpec, SmallTextSpec, Spec, TextSpec, WordPath,
};
use learnscope::nn::image_text::weights::{Part, load, open, packed, spec_of, start_from};
use learnscope::nn::layers::conv::Pass;
use learnscope::nn::optim::{DecayScope, Optimizer, Rates, Rule};
use learnscope::nn::parameters::{Role, gradients, slots, tracked};
use learnscope::nn::weights::Written;
use serde_json::Value;

const TRAIN: Pass<'static> = Pass { train: true, dropout: None };
const INFER: Pass<'static> = Pass { train: false, dropout: None };
const ALL: Weights = Weights { global: 1.0, local: 0.5, perturbation: 0.5 };

fn tensor<const D: usize>(values: Vec<f32>, shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::from_data(TensorData::new(values, shape), device)
}

fn drawn(count: usize, seed: u64) -> Vec<f32> {
    let mut rng = HostRng::new(seed, 0);
    (0..count).map(|_| rng.normal() as f32).collect()
}

fn read<const D: usize>(x: Tensor<D>) -> Vec<f32> {
    let mut reader = Reader::default();
    reader.add(x);
    reader.read().unwrap().remove(0)
}

/// Slopes of a loss by its graph against differences of its values, for each input.
fn check_slopes<const D: usize, const N: usize>(
    what: &str,
    inputs: [(Vec<f32>, [usize; D]); N],
    loss: impl Fn([Tensor<D>; N]) -> Tensor<1>,
) {
    let cpu = device::cpu();
    let leaves = inputs.clone().map(|(values, shape)| tensor(values, shape, &cpu).autodiff().require_grad());
    let grads = loss(leaves.clone()).backward();
    for (which, leaf) in leaves.iter().enumerate() {
        let slopes = read(leaf.grad(&grads).unwrap());
        let size = slopes.iter().fold(0.0_f32, |m, s| m.max(s.abs())).max(1e-3);
        for i in (0..slopes.len()).step_by(1 + slopes.len() / 24) {
            let at = |change: f32| {
                let mut moved = inputs.clone();
                moved[which].0[i] += change;
                f64::from(read(loss(moved.map(|(values, shape)| tensor(values, shape, &cpu))))[0])
            };
            let step = 4e-3;
            let difference = (at(step) - at(-step)) / f64::from(2.0 * step);
            let error = (difference - f64::from(slopes[i])).abs();
            assert!(
                error < 0.02 * f64::from(size) + 1e-3,
                "{what}, input {which}, {i}: {} by differences {difference}",
                slopes[i]
            );
        }
    }
}

#[test]
fn every_loss_has_the_slopes_of_its_values() {
    let (b, r, w, d) = (3, 5, 4, 6);
    let lengths = [4, 2, 1];
    let unit = learnscope::nn::image_text::layers::scaled_to_unit::<3>;
    let flat = |x: Tensor<3>| x.reshape([b, d]);
    let scale = Scale::of_temperature(0.5);
    let vectors = |seed| (drawn(b * d, seed), [b, 1, d]);
    check_slopes("global", [vectors(1), vectors(2)], |[u, v]| {
        losses::global(flat(unit(u)), flat(unit(v)), &scale).loss
    });
    let valid = || tensor(vec![1.0, 0.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0], [b, 3], &device::cpu());
    check_slopes("perturbation", [vectors(1), vectors(2), (drawn(b * 3 * d, 3), [b, 3, d])], |[u, v, q]| {
        let valid = if u.is_autodiff() { valid().autodiff() } else { valid() };
        losses::perturbation(flat(unit(u)), flat(unit(v)), unit(q), valid, &scale)
    });
    let regions = || (drawn(b * r * d, 4), [b, r, d]);
    let words = || (drawn(b * w * d, 5), [b, w, d]);
    let soft = Local { temp3: 1.0, ..Local::gloria() };
    let modes = [
        soft,
        Local { unit_words: true, unit_regions: true, both: Both::Sum, ..soft },
        Local { temp3: 1.0, temp1: 3.0, ..Local::sharp() },
        Local { aggregate: Aggregate::Mean, both: Both::AuthorsSlip, ..Local::seed(0.9) },
    ];
    for local in modes {
        check_slopes(&format!("{local:?}"), [regions(), words()], |[x, w]| local.loss(x, w, &lengths));
    }
}

#[test]
fn padded_words_take_no_part_and_one_pair_is_no_riddle() {
    let cpu = device::cpu();
    let regions = tensor(drawn(2 * 4 * 3, 1), [2, 4, 3], &cpu);
    let words = drawn(2 * 3 * 3, 2);
    for local in [Local::gloria(), Local::seed(0.07), Local::sharp()] {
        let score = |poison: f32| {
            let mut words = words.clone();
            words[15..].fill(poison);
            read(local.scores(regions.clone(), tensor(words, [2, 3, 3], &cpu), &[3, 2]))
        };
        assert_eq!(score(0.0), score(-300.0));
        // A word more, and the sum of exponentials grows; their mean need not.
        let repeated = |local: Local, count: usize| {
            let word = words[..3].repeat(4);
            let regions = regions.clone().slice_dim(0, 0..1);
            read(local.scores(regions, tensor(word, [1, 4, 3], &cpu), &[count]))[0]
        };
        let bonus = repeated(local, 4) - repeated(local, 1);
        assert!(local.words_softmax || (bonus - 4_f32.ln()).abs() < 1e-5, "{bonus}");
        let mean = Local { aggregate: Aggregate::Mean, ..local };
        assert!(local.words_softmax || (repeated(mean, 4) - repeated(mean, 1)).abs() < 1e-5);
        let one = local.loss(regions.clone().slice_dim(0, 0..1), tensor(words[..9].to_vec(), [1, 3, 3], &cpu), &[3]);
        assert_eq!(read(one), [0.0]);
        // Nothing to look at, nothing to say: still numbers, and slopes that are.
        let nothing = || tensor(vec![0.0; 24], [2, 4, 3], &cpu).autodiff().require_grad();
        let (x, w) = (nothing(), nothing());
        let loss = local.loss(x.clone(), w.clone(), &[4, 1]);
        let grads = loss.backward();
        let all = [read(loss), read(x.grad(&grads).unwrap()), read(w.grad(&grads).unwrap())].concat();
        assert!(all.iter().all(|value| value.is_finite()), "{local:?}");
    }
    let one = tensor(vec![0.6, 0.8], [1, 2], &cpu);
    assert_eq!(read(losses::global(one.clone(), one, &Scale::Fixed(100.0)).loss), [0.0]);
}

/// Texts of these pieces; every piece but the first and the last is a word.
fn batch(texts: &[Vec<i32>], worded: usize) -> TextBatch {
    let word_of: Vec<Vec<Option<usize>>> = texts
        .iter()
        .map(|ids| (0..ids.len()).map(|at| (at > 0 && at + 1 < ids.len()).then(|| at - 1)).collect())
        .collect();
    let pieces = texts.iter().zip(&word_of).map(|(ids, word_of)| Pieces { ids, word_of, segments: &[] });
    TextBatch::pack(&pieces.collect::<Vec<_>>(), worded).unwrap()
}

fn tiny(order: Order, words: WordPath) -> Spec {
    let text = SmallTextSpec { width: 16, feed_forward: 24, order, words, ..SmallTextSpec::new(20) };
    Spec { text: TextSpec::Small(text), width: 12, ..Spec::small(20) }
}

/// Three pictures with a bright corner each, their reports, and two perturbed texts of each.
fn examples() -> (Vec<f32>, Vec<Vec<i32>>) {
    let mut pixels = drawn(3 * 32 * 32, 9);
    pixels.iter_mut().for_each(|value| *value = 0.4 + 0.05 * *value);
    for (i, picture) in pixels.chunks_exact_mut(32 * 32).enumerate() {
        let (top, left) = ([0, 0, 20][i], [0, 20, 10][i]);
        for y in top..top + 10 {
            picture[y * 32 + left..][..10].fill(1.0);
        }
    }
    let mut texts = vec![vec![2, 5, 6, 7, 8, 3], vec![2, 5, 6, 9, 3], vec![2, 10, 6, 7, 11, 12, 13, 3]];
    for i in 0..3 {
        let mut reversed = texts[i].clone();
        reversed.reverse();
        let mut swapped = texts[i].clone();
        swapped.swap(1, 2);
        texts.extend([reversed, swapped]);
    }
    (pixels, texts)
}

/// The losses and all slopes of the examples.
fn first_step(spec: &Spec, local: &Local, device: &Device) -> Vec<f32> {
    let (pixels, texts) = examples();
    let net = ImageText::new(spec, HostRng::new(3, 0), device).unwrap();
    let mut net = tracked(&net);
    let texts = batch(&texts, 3).tensors(device);
    let pictures = tensor(pixels, [3, 1, 32, 32], device).autodiff();
    let valid = tensor(vec![1.0, 1.0, 1.0, 0.0, 1.0, 1.0], [3, 2], device);
    let terms = net.terms(pictures, &texts, Some(valid), (ALL, local), &TRAIN);
    let slopes = gradients(&net, &terms.total.backward());
    let mut reader = Reader::default();
    for term in [Some(terms.total), Some(terms.global.loss), terms.local, terms.perturbation] {
        reader.add(term.unwrap());
    }
    reader.add(slopes);
    reader.read().unwrap().concat()
}

#[test]
fn the_whole_network_has_slopes_in_every_part() {
    let learned = ScaleSpec { learned: true, ..ScaleSpec::default() };
    let spec = Spec { scale: learned, ..tiny(Order::Convolution, WordPath::Contextual) };
    let all = first_step(&spec, &Local::gloria(), &device::cpu());
    assert!(all.iter().all(|value| value.is_finite()));
    let sum = all[1] + 0.5 * (all[2] + all[3]);
    assert!((all[0] - sum).abs() < 1e-5, "{:?}", &all[..4]);
    let net = ImageText::new(&spec, HostRng::new(3, 0), &device::cpu()).unwrap();
    let mut rest = &all[4..];
    for slot in slots(&net).iter().filter(|slot| slot.role != Role::Statistic) {
        let (here, after) = rest.split_at(slot.shape.iter().product());
        rest = after;
        assert!(here.iter().any(|slope| *slope != 0.0), "{} learns nothing", slot.path);
    }
    assert!(rest.is_empty());
}

#[test]
fn an_adjoint_is_the_transpose_of_its_pass() {
    // For the text encoder at some input: the slope of ⟨v, f(θ)⟩ along a direction is the difference of f along it.
    let spec = tiny(Order::Convolution, WordPath::Contextual);
    let (_, texts) = examples();
    let texts = batch(&texts, 3).tensors(&device::cpu());
    let net = ImageText::new(&spec, HostRng::new(3, 0), &device::cpu()).unwrap();
    let weigh = |net: &ImageText| {
        let found = net.texts(&texts);
        let [v, w, _] = found.words.clone().unwrap().dims();
        // Padded words have no meaning: they are left out.
        let mut weights = drawn(v * w * 12, 7);
        for (text, length) in weights.chunks_exact_mut(w * 12).zip(&texts.words) {
            text[length * 12..].fill(0.0);
        }
        let weights = tensor(weights, [v, w, 12], &device::cpu());
        let globals = tensor(drawn(9 * 12, 8), [9, 12], &device::cpu());
        let like = found.global.is_autodiff();
        let (weights, globals) = if like { (weights.autodiff(), globals.autodiff()) } else { (weights, globals) };
        (found.words.unwrap() * weights).sum() + (found.global * globals).sum()
    };
    let leaf = tracked(&net);
    let slopes = read(gradients(&leaf, &weigh(&leaf).backward()));
    // Short, so that what is not linear stays small.
    let direction: Vec<f32> = drawn(slopes.len(), 11).into_iter().map(|value| 0.05 * value).collect();
    let at = |step: f32| {
        let mut at = 0;
        let moved = learnscope::nn::parameters::map(net.clone(), |_, role, value| {
            if role == Role::Statistic {
                return value;
            }
            let count = value.dims()[0];
            let along = direction[at..at + count].iter().map(|v| v * step).collect();
            at += count;
            value + tensor(along, [count], &device::cpu())
        });
        f64::from(read(weigh(&moved))[0])
    };
    let difference = (at(1e-2) - at(-1e-2)) / 2e-2;
    let along: f64 = slopes.iter().zip(&direction).map(|(a, b)| f64::from(a * b)).sum();
    assert!((difference - along).abs() < 0.01 * along.abs().max(1.0), "{along} by differences {difference}");
}

#[test]
fn a_text_is_the_same_beside_longer_ones() {
    for (order, words) in [(Order::Convolution, WordPath::Contextual), (Order::Positions, WordPath::Plain)] {
        let spec = tiny(order, words);
        let net = ImageText::new(&spec, HostRng::new(3, 0), &device::cpu()).unwrap();
        let (short, long) = (vec![2, 5, 6, 3], vec![2, 7, 8, 9, 10, 11, 5, 6, 12, 3]);
        let alone = net.texts(&batch(std::slice::from_ref(&short), 1).tensors(&device::cpu()));
        let beside = net.texts(&batch(&[short.clone(), long], 2).tensors(&device::cpu()));
        let close = |a: &[f32], b: &[f32]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-5);
        assert!(close(&read(alone.global), &read(beside.global)[..12]));
        let words = read(beside.words.unwrap());
        assert!(close(&read(alone.words.unwrap()), &words[..24]));
        // Words 5 and 6 of the long text: only a plain path makes the same of them.
        assert_eq!(close(&words[..24], &words[(8 + 5) * 12..][..24]), spec.text == tiny(order, WordPath::Plain).text);
        let swapped = net.texts(&batch(&[vec![2, 6, 5, 3]], 1).tensors(&device::cpu()));
        let original = net.texts(&batch(&[short], 1).tensors(&device::cpu()));
        assert!(!close(&read(swapped.global), &read(original.global)), "the order can be seen");
    }
}

#[test]
fn some_steps_lower_every_loss() {
    let cpu = device::cpu();
    for (local, words) in [(Local::gloria(), WordPath::Contextual), (Local::sharp(), WordPath::Plain)] {
        let learned = ScaleSpec { learned: true, ..ScaleSpec::default() };
        let spec = Spec { scale: learned, ..tiny(Order::Convolution, words) };
        let mut net = ImageText::new(&spec, HostRng::new(5, 0), &cpu).unwrap();
        let (pixels, texts) = examples();
        let texts = batch(&texts, 3).tensors(&cpu);
        let adam = Rule::Adam { betas: (0.9, 0.999), epsilon: 1e-8, decoupled: false };
        let mut optimizer = Optimizer::new(adam);
        let mut losses = Vec::new();
        for _ in 0..60 {
            let mut step = tracked(&net);
            let pictures = tensor(pixels.clone(), [3, 1, 32, 32], &cpu).autodiff();
            let valid = Tensor::ones([3, 2], &cpu);
            let terms = step.terms(pictures, &texts, Some(valid), (ALL, &local), &TRAIN);
            let mut grads = terms.total.backward();
            net = optimizer.step(step, &mut grads, DecayScope::All, |_| Rates { learning_rate: 3e-3, decay: 0.0 });
            losses.push([terms.global.loss, terms.local.unwrap(), terms.perturbation.unwrap()].map(|t| read(t)[0]));
        }
        let (first, last) = (losses[0], losses[59]);
        assert!(first.iter().zip(last).all(|(first, last)| last < 0.3 * first), "{first:?} to {last:?}");
        let Scale::Learned(scale) = net.global_scale() else { panic!("it is learned") };
        let scale = read(scale)[0];
        assert!(scale <= 100.0 && (scale - 1.0 / 0.07).abs() > 0.01, "{scale}");
    }
}

#[test]
fn numbers_of_parameters_are_those_that_were_counted() {
    let texts = [
        TextSpec::Small(SmallTextSpec { layers: 2, order: Order::Positions, ..SmallTextSpec::new(30) }),
        TextSpec::Bert(BertSpec {
            width: 24,
            layers: 2,
            heads: 3,
            feed_forward: 40,
            positions: 16,
            ..BertSpec::base(30)
        }),
        TextSpec::Bert(BertSpec {
            width: 24,
            layers: 1,
            heads: 3,
            feed_forward: 40,
            positions: 16,
            projection: false,
            ..BertSpec::base(30)
        }),
    ];
    let backbones = [Backbone::Small, Backbone::ResNet18, Backbone::ResNet50];
    for ((text, backbone), channels) in texts.into_iter().zip(backbones).zip([1, 3, 3]) {
        let image = ImageSpec { backbone, channels };
        let scale = ScaleSpec { learned: channels == 1, ..ScaleSpec::default() };
        let spec = Spec { image, text, width: 10, scale };
        let net = ImageText::new(&spec, HostRng::new(1, 0), &device::cpu()).unwrap();
        let of = |start: &str| -> u64 {
            let trained =
                slots(&net).into_iter().filter(|slot| slot.role != Role::Statistic && slot.path.starts_with(start));
            trained.map(|slot| slot.shape.iter().product::<usize>() as u64).sum()
        };
        let parts = spec.parts();
        assert_eq!(parts.iter().map(|part| part.parameters).sum::<u64>(), of(""), "{spec:?}");
        assert_eq!(
            (parts[0].parameters, parts[1].parameters),
            (of("image.maps"), of("image.local") + of("image.global"))
        );
        assert_eq!(parts[2].parameters + parts[3].parameters + parts[4].parameters, of("text"));
        let known = [None, Some(11_176_512), Some(23_508_032)];
        let place = backbones.iter().position(|one| *one == backbone).unwrap();
        assert!(known[place].is_none_or(|known| known == parts[0].parameters), "{backbone:?}: {}", parts[0].parameters);
    }
    let base: u64 = Spec::large(30_522).parts()[2..4].iter().map(|part| part.parameters).sum();
    assert_eq!(base, 108_891_648, "BERT-base without its pooler");
    let odd = |text| Spec { text: TextSpec::Small(text), ..Spec::small(20) }.check().unwrap_err().to_string();
    let message = odd(SmallTextSpec { heads: 5, ..SmallTextSpec::new(20) });
    assert_eq!(message, "the number of heads is 5; expected a divisor of the width 48");
}

#[test]
fn a_network_in_a_file_computes_the_same_and_says_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let learned = ScaleSpec { learned: true, ..ScaleSpec::default() };
    let small = Spec { scale: learned, ..tiny(Order::Convolution, WordPath::Contextual) };
    let bert = BertSpec { width: 24, layers: 2, heads: 3, feed_forward: 40, positions: 16, ..BertSpec::base(30) };
    let residual = ImageSpec { backbone: Backbone::ResNet18, channels: 3 };
    let large = Spec { image: residual, text: TextSpec::Bert(bert), width: 10, scale: ScaleSpec::default() };
    for spec in [small, large] {
        let net = ImageText::new(&spec, HostRng::new(9, 0), &device::cpu()).unwrap();
        let path = folder.path().join("net.safetensors");
        fs::write(&path, packed(&net, &spec, &[("vocabulary".to_owned(), "a\nb".to_owned())]).unwrap()).unwrap();
        let file = open(&path).unwrap();
        assert_eq!((spec_of(&file), file.texts["vocabulary"].as_str()), (Some(spec), "a\nb"));
        let (same, _) = load(&file, &device::cpu()).unwrap();
        let compute = |net: &ImageText| {
            let (pixels, texts) = examples();
            let mut net = net.clone();
            let image = net.pictures(tensor(pixels, [3, 1, 32, 32], &device::cpu()), &INFER);
            let text = net.texts(&batch(&texts, 3).tensors(&device::cpu()));
            let all = [read(image.global), read(image.regions), read(text.global), read(text.words.unwrap())].concat();
            all.into_iter().map(f32::to_bits).collect::<Vec<_>>()
        };
        assert_eq!(compute(&net), compute(&same));
        assert_eq!(compute(&net), compute(&net), "the first pass and the second");
        if spec.image.backbone == Backbone::ResNet18 {
            let torch =
                file.tensors.keys().filter(|name| name.starts_with("image.layer") || name.starts_with("image.bn1"));
            assert_eq!(torch.count(), 4 + 19 * 5, "torchvision has as many without counters");
            for name in ["image.conv1.weight", "image.layer2.0.downsample.1.running_var", "image.layer4.1.conv2.weight"]
            {
                assert!(file.tensors.contains_key(name), "{name}");
            }
            assert!(file.tensors.contains_key("text.encoder.layer.1.attention.self.query.bias"));
            // The image encoder alone, and what of the file has no place then.
            let other = ImageText::new(&spec, HostRng::new(10, 0), &device::cpu()).unwrap();
            let (_, fit) = start_from(&file, other, &spec, Part::Image, &device::cpu()).unwrap();
            assert!(fit.taken == fit.of && fit.mismatch.unexpected.iter().all(|name| name.starts_with("text.")));
        }
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/image_text")
}

#[test]
fn a_bert_of_pytorch_is_found_by_name_and_computes_the_same() {
    let case: Value = serde_json::from_str(&fs::read_to_string(folder().join("bert.json")).unwrap()).unwrap();
    let size = |key: &str| case["spec"][key].as_u64().unwrap() as usize;
    let numbers = |key: &str| -> Vec<f32> {
        let rows = case[key].as_array().unwrap().iter().flat_map(|row| row.as_array().unwrap());
        rows.map(|value| value.as_f64().unwrap() as f32).collect()
    };
    let bert = BertSpec {
        vocabulary: size("vocabulary"),
        positions: size("positions"),
        segments: size("segments"),
        width: size("width"),
        layers: size("layers"),
        heads: size("heads"),
        feed_forward: size("feed_forward"),
        projection: true,
    };
    let spec = Spec { text: TextSpec::Bert(bert), width: size("output"), ..Spec::small(1) };
    let pieces: Vec<usize> = case["pieces"].as_array().unwrap().iter().map(|n| n.as_u64().unwrap() as usize).collect();
    let whole = |key: &str| -> Vec<i32> { numbers(key).into_iter().map(|value| value as i32).collect() };
    let (ids, segments) = (whole("ids"), whole("segments"));
    let texts: Vec<Pieces<'_>> = (0..2)
        .map(|i| Pieces {
            ids: &ids[i * 8..][..pieces[i]],
            word_of: &[None, Some(0), Some(1), Some(1), None, None, None, None][..pieces[i]],
            segments: &segments[i * 8..][..pieces[i]],
        })
        .collect();
    let texts = TextBatch::pack(&texts, 2).unwrap().tensors(&device::cpu());
    for name in ["bert.safetensors", "pytorch_model.bin"] {
        let file = open(&folder().join(name)).unwrap();
        let net = ImageText::new(&spec, HostRng::new(1, 0), &device::cpu()).unwrap();
        let (net, fit) = start_from(&file, net, &spec, Part::Text, &device::cpu()).unwrap();
        assert_eq!(fit.mismatch.missing, ["text.words.weight", "text.words.bias"]);
        let beside = ["cls.predictions.transform.dense.bias", "cls.predictions.transform.dense.weight"];
        assert_eq!((&fit.mismatch.unexpected[..], fit.mismatch.shapes.len()), (&beside.map(str::to_owned)[..], 0));
        assert_eq!((fit.taken, fit.of), (5 + 2 * 16 + 6, 5 + 2 * 16 + 6 + 2));
        let found = net.texts(&texts);
        let close = |what: &str, ours: Vec<f32>, golden: Vec<f32>| {
            assert_eq!(ours.len(), golden.len(), "{what}");
            for (ours, golden) in ours.into_iter().zip(golden) {
                assert!((ours - golden).abs() < 3e-6, "{name}, {what}: {ours} against {golden}");
            }
        };
        let learnscope::nn::image_text::text::TextEncoder::Bert(encoder) = &net.text else { panic!() };
        let hidden = read(encoder.hidden(&texts));
        close("hidden of the first", hidden[..5 * 16].to_vec(), numbers("hidden_first"));
        close("hidden of the second", hidden[8 * 16..].to_vec(), numbers("hidden_second"));
        close("global", read(found.global), numbers("global_"));
        close("pooled", read(found.pooled)[..16].to_vec(), numbers("hidden_first")[..16].to_vec());
        assert!(
            start_from(&file, net, &spec, Part::Image, &device::cpu())
                .unwrap_err()
                .to_string()
                .contains("image encoder")
        );
    }
}

/// Numbers that a name makes, the same here and where the golden ones were computed: hashed places, of a size by what the tensor is.
fn formula(name: &str, shape: &[usize]) -> Vec<f32> {
    let seed =
        name.bytes().enumerate().fold(0_u32, |sum, (i, byte)| sum.wrapping_add((i as u32 + 1) * u32::from(byte)));
    let inputs: usize = shape.iter().skip(1).product();
    let value = |i: usize| {
        let mut x = (i as u32 + 1).wrapping_mul(2_654_435_761).wrapping_add(seed.wrapping_mul(40_503));
        x ^= x >> 15;
        x = x.wrapping_mul(2_246_822_519);
        x ^= x >> 13;
        let u = f64::from(x) / 2_147_483_648.0 - 1.0;
        let value = match name.rsplit('.').next() {
            Some("running_var") => 1.0 + 0.5 * u * u,
            Some("running_mean") => 0.1 * u,
            Some("weight") if shape.len() == 1 => 1.0 + 0.2 * u,
            _ if shape.len() == 1 => 0.1 * u,
            _ => u * (4.0 / inputs as f64).sqrt(),
        };
        value as f32
    };
    (0..shape.iter().product()).map(value).collect()
}

/// A network of which every tensor of a part is that of its name.
fn by_formula(spec: &Spec, part: Part) -> ImageText {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("net.safetensors");
    let net = ImageText::new(spec, HostRng::new(1, 0), &device::cpu()).unwrap();
    fs::write(&path, packed(&net, spec, &[]).unwrap()).unwrap();
    let beginning = if part == Part::Image { "image." } else { "text." };
    let file = open(&path).unwrap();
    let tensors: Vec<Written> = file
        .tensors
        .iter()
        .filter(|(name, _)| name.starts_with(beginning))
        .map(|(name, stored)| Written {
            name: name.clone(),
            shape: stored.shape.clone(),
            numbers: formula(name, &stored.shape),
        })
        .collect();
    fs::write(&path, learnscope::nn::weights::packed(&tensors, HashMap::new()).unwrap()).unwrap();
    let (net, fit) = start_from(&open(&path).unwrap(), net, spec, part, &device::cpu()).unwrap();
    assert!(fit.mismatch.is_empty() && fit.taken == fit.of, "{:?}", fit.mismatch);
    net
}

#[test]
fn every_encoder_computes_what_its_layers_in_pytorch_compute() {
    let golden: Value = serde_json::from_str(&fs::read_to_string(folder().join("encoders.json")).unwrap()).unwrap();
    let numbers = |of: &str, key: &str| -> Vec<f32> {
        golden[of][key].as_array().unwrap().iter().map(|value| value.as_f64().unwrap() as f32).collect()
    };
    let close = |what: &str, ours: &[f32], golden: &[f32]| {
        assert_eq!(ours.len(), golden.len(), "{what}");
        for (ours, golden) in ours.iter().zip(golden) {
            assert!((ours - golden).abs() < 2e-5 * (1.0 + golden.abs()), "{what}: {ours} against {golden}");
        }
    };
    for (name, backbone, channels) in
        [("small", Backbone::Small, 1), ("resnet18", Backbone::ResNet18, 3), ("resnet50", Backbone::ResNet50, 3)]
    {
        let spec = Spec { image: ImageSpec { backbone, channels }, width: 6, ..Spec::small(4) };
        let mut net = by_formula(&spec, Part::Image);
        let count = 2 * channels * 64 * 64;
        let pixels = formula("picture.bias", &[count]).into_iter().map(|value| 0.5 + 5.0 * value).collect();
        let found = net.pictures(tensor(pixels, [2, channels, 64, 64], &device::cpu()), &INFER);
        assert_eq!(found.grid, [backbone.regions(64); 2]);
        close(name, &read(found.global), &numbers(name, "global_"));
        let regions = numbers(name, "regions");
        close(name, &read(found.regions)[..regions.len()], &regions);
    }
    let text = SmallTextSpec { positions: 12, width: 16, layers: 2, feed_forward: 24, ..SmallTextSpec::new(20) };
    let spec = Spec { text: TextSpec::Small(text), width: 6, ..Spec::small(20) };
    let net = by_formula(&spec, Part::Text);
    let texts = [vec![2, 5, 6, 7, 8, 3], vec![2, 9, 10, 6, 5, 11, 12, 3]];
    let found = net.texts(&batch(&texts, 2).tensors(&device::cpu()));
    close("texts", &read(found.global), &numbers("text", "global_"));
    close("pooled texts", &read(found.pooled), &numbers("text", "pooled"));
    close("words", &read(found.words.unwrap())[6 * 6..], &numbers("text", "words_second"));
}

#[test]
fn pairs_of_sentences_are_told_apart_by_a_head() {
    let spec = tiny(Order::Convolution, WordPath::Contextual);
    let net = ImageText::new(&spec, HostRng::new(3, 0), &device::cpu()).unwrap();
    let (_, texts) = examples();
    let pooled = net.texts(&batch(&texts[..3], 0).tensors(&device::cpu())).pooled;
    let mut head = NliHead::new(16, HostRng::new(4, 0), &device::cpu()).unwrap();
    let mut optimizer = Optimizer::new(Rule::Adam { betas: (0.9, 0.999), epsilon: 1e-8, decoupled: false });
    let mut losses = Vec::new();
    for _ in 0..100 {
        let step = tracked(&head);
        let loss = cross_entropy(step.forward(pooled.clone().autodiff()), &[2, 0, 1]);
        let mut grads = loss.backward();
        head = optimizer.step(step, &mut grads, DecayScope::All, |_| Rates { learning_rate: 0.05, decay: 0.0 });
        losses.push(read(loss)[0]);
    }
    assert!(losses[0] > 0.5 && losses[99] < 0.1, "{} to {}", losses[0], losses[99]);
}

#[test]
fn a_graphics_device_computes_the_same_step() {
    let required = std::env::var_os("LEARNSCOPE_REQUIRE_ADAPTER").is_some();
    let kinds = [DeviceKind::DefaultDevice, DeviceKind::Cpu];
    let opened = kinds.into_iter().find_map(|kind| Device::wgpu_options().device_kind(kind).init().ok());
    let Some(gpu) = opened else {
        assert!(!required, "LEARNSCOPE_REQUIRE_ADAPTER is set, but no wgpu adapter was found");
        println!("skipped: no wgpu adapter on this machine");
        return;
    };
    // Both spellings of every operation of our own: by hand on the CPU, by Burn on the other device. Kept to one network: every
    // kernel is compiled first, slowly in software.
    let spec = tiny(Order::Convolution, WordPath::Contextual);
    let cpu = first_step(&spec, &Local::gloria(), &device::cpu());
    assert_eq!(cpu, first_step(&spec, &Local::gloria(), &device::cpu()), "two runs of one seed");
    let found = first_step(&spec, &Local::gloria(), &gpu);
    let largest = cpu.iter().zip(&found).map(|(a, b)| (a - b).abs() / (1.0 + a.abs())).fold(0.0, f32::max);
    assert!(largest < 1e-3, "{largest}: {:?} against {:?}", &found[..4], &cpu[..4]);
    println!("{} numbers agree within {largest:e}", cpu.len());
}

#[test]
fn variants_are_those_of_the_article() {
    let of = |id: &str| VARIANTS.iter().find(|variant| variant.id == id).unwrap().weights;
    assert_eq!(of("ours"), Weights { global: 1.0, local: 0.1, perturbation: 0.1 });
    assert_eq!(of("gloria"), Weights { global: 1.0, local: 1.0, perturbation: 0.0 });
    // A term of weight 0 is not computed.
    let cpu = device::cpu();
    let (pixels, texts) = examples();
    let mut net = ImageText::new(&tiny(Order::Positions, WordPath::Contextual), HostRng::new(3, 0), &cpu).unwrap();
    let texts = batch(&texts[..3], 0).tensors(&cpu);
    let terms =
        net.terms(tensor(pixels, [3, 1, 32, 32], &cpu), &texts, None, (of("convirt"), &Local::gloria()), &INFER);
    assert!(terms.local.is_none() && terms.perturbation.is_none());
    assert_eq!(read(terms.total), read(terms.global.loss));
}
