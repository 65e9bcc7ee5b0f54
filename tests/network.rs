//! The experiment on a small network, on the CPU: it learns, it repeats, it resumes, and its rules are the article's.

mod support;

use std::io::Write;

use burn::optim::{AdanConfig, LionConfig, Optimizer};
use burn::tensor::{Device, Tensor, TensorData};
use learnscope::compute::readback::Reader;
use learnscope::engine::event::{Level, Payload};
use learnscope::engine::experiment::{BuildRequest, Checkpoint, RunError};
use learnscope::engine::params::{Params, Value};
use learnscope::labs::optimizers::network::article::Article;
use learnscope::labs::optimizers::network::features::{Feature, Inputs};
use learnscope::labs::optimizers::network::roster::ROSTER;
use learnscope::labs::optimizers::network::{self, BOUNDARY, MOST_WEIGHTS};
use learnscope::labs::optimizers::params::PARAMS;
use learnscope::labs::optimizers::rules::{Hyper, Rule, State};
use learnscope::labs::optimizers::surfaces::{self, Surface};
use learnscope::labs::optimizers::{KEYS, SPEC};
use learnscope::nn::mlp::{Activation, Mlp, MlpShape, cross_entropy, one_hot};
use support::drive::{Drive, Maker};

fn params(set: &[&str]) -> Params {
    let mut params = Params::defaults(PARAMS);
    params.set_text(PARAMS, "experiment=network").unwrap();
    for text in set {
        params.set_text(PARAMS, text).unwrap();
    }
    params
}

/// Everybody off but these.
fn only(switches: &[&str], set: &[&str]) -> Params {
    let mut params = params(set);
    for entry in ROSTER {
        let state = if switches.contains(&entry.switch) { "on" } else { "off" };
        params.set_text(PARAMS, &format!("{}={state}", entry.switch)).unwrap();
    }
    params
}

const LAB: Maker = Maker { build: network::build, keys: KEYS };

#[test]
fn it_learns_two_moons() {
    let params = params(&["network_steps=400"]);
    let mut run = LAB.build(&params, 1, 400).begin();
    run.run_to(400);
    for id in ["adam", "burn_adam"] {
        let (first, last) = (run.at(&format!("loss/train/{id}"), 0), run.at(&format!("loss/train/{id}"), 400));
        assert!(last < 0.25 * first, "{id}: training loss {first} -> {last}");
        let accuracy = run.at(&format!("accuracy/test/{id}"), 400);
        assert!(accuracy > 0.9, "{id}: test accuracy {accuracy}");
    }
    // All begin from the same weights, and a default run trains all seven and Burn's Adam.
    let firsts: Vec<f64> =
        run.scalars.iter().filter(|(k, _)| k.starts_with("loss/train/")).map(|(_, v)| v[0].1).collect();
    assert_eq!(firsts.len(), 8);
    assert!(firsts.iter().all(|first| first.to_bits() == firsts[0].to_bits()), "{firsts:?}");
    assert!(run.notices.is_empty(), "{:?}", run.notices);

    // The picture of the decision agrees with the points: P(class 1) is high where class 1 is.
    let Payload::Matrix { rows, cols, values } = run.newest("boundary/adam") else { panic!() };
    assert_eq!((*rows as usize, *cols as usize), (BOUNDARY, BOUNDARY));
    assert!(values.iter().all(|p| (0.0..=1.0).contains(p)));
    let (Payload::Points { xy: train, classes }, Payload::Points { xy: test, .. }) =
        (run.newest("points/train"), run.newest("points/test"))
    else {
        panic!()
    };
    let extent = network::extent(train, test);
    let hits = train.iter().zip(classes).filter(|(p, class)| {
        let cell = |a: usize| {
            let s = (p[a] - extent.min[a]) / (extent.max[a] - extent.min[a]);
            ((s * BOUNDARY as f32) as usize).min(BOUNDARY - 1)
        };
        (values[(BOUNDARY - 1 - cell(1)) * BOUNDARY + cell(0)] > 0.5) == (**class == 1)
    });
    assert!(hits.count() as f64 > 0.9 * train.len() as f64);
    assert_eq!(*run.newest("points/classes"), Payload::Text("0\n1".to_owned()));
}

#[test]
fn three_classes_are_learned_and_their_picture_says_class_and_confidence() {
    let params = only(&["use_adam"], &["points=gaussians", "activation=relu"]);
    let mut run = LAB.build(&params, 2, 300).begin();
    run.run_to(300);
    assert!(run.at("accuracy/test/adam", 300) > 0.9, "{:?}", run.scalars["accuracy/test/adam"].last());
    let Payload::Matrix { values, .. } = run.newest("boundary/adam") else { panic!() };
    let mut seen = [false; 3];
    for value in values {
        seen[*value as usize] = true;
        assert!(value.fract() >= 0.33, "the likeliest of three has at least a third: {value}");
    }
    assert_eq!(seen, [true; 3]);
}

#[test]
fn one_seed_gives_the_same_bits_and_another_seed_others() {
    let params = params(&[]);
    let run = |seed| {
        let mut run = LAB.build(&params, seed, 60).begin();
        run.run_to(60);
        run
    };
    let (a, b, c) = (run(3), run(3), run(4));
    assert_eq!(a.scalars.keys().collect::<Vec<_>>(), b.scalars.keys().collect::<Vec<_>>());
    assert_eq!(a.after(0).0, b.after(0).0);
    assert_eq!(a.payloads, b.payloads);
    assert_ne!(a.after(0).0, c.after(0).0);
}

#[test]
fn who_else_takes_part_changes_nothing() {
    let run = |params: &Params| {
        let mut run = LAB.build(params, 5, 40).begin();
        run.run_to(40);
        run.scalars["loss/train/adam"].clone()
    };
    let together = run(&only(&["use_adam", "use_nag", "burn_lion"], &[]));
    let alone = run(&only(&["use_adam"], &[]));
    for ((step, a), (_, b)) in together.iter().zip(&alone) {
        assert!((a - b).abs() <= 1e-6 * b.abs(), "step {step}: {a} {b}");
    }
}

#[test]
fn an_optimizers_own_rate_is_its_alone_whoevers_rule_it_is() {
    let switches = ["use_sgd", "use_adam", "burn_sgd", "burn_adam"];
    let losses = |set: &[&str]| {
        let mut run = LAB.build(&only(&switches, set), 4, 20).begin();
        run.run_to(20);
        ["sgd", "adam", "burn_sgd", "burn_adam"].map(|id| run.at(&format!("loss/train/{id}"), 20).to_bits())
    };
    let [shared, slow] = [&["learning_rate=0.02"][..], &["learning_rate=0.01"]].map(losses);
    let own = losses(&["learning_rate=0.02", "rate_adam=0.5", "rate_burn_sgd=0.5"]);
    assert_eq!(own, [shared[0], slow[1], slow[2], shared[3]]);
    assert!(shared.iter().zip(&slow).all(|(shared, slow)| shared != slow));
}

#[test]
fn a_resumed_run_goes_on_to_the_same_bits() {
    let all: Vec<&str> = ROSTER.iter().map(|entry| entry.switch).collect();
    let params = only(&all, &[]);
    let steps = 60;
    let mut unbroken = LAB.build(&params, 6, steps).begin();
    unbroken.run_to(20);
    unbroken.experiment.set("learning_rate", &Value::Float(0.02)).unwrap();
    unbroken.experiment.set("adam_beta1", &Value::Float(0.8)).unwrap();
    unbroken.experiment.set("rate_burn_adam", &Value::Float(0.3)).unwrap();
    // Off the cadence and in the middle of an epoch.
    unbroken.run_to(23);
    let saved: Checkpoint = unbroken.experiment.checkpoint().unwrap();
    unbroken.run_to(steps);

    assert_eq!(saved.step, 23);
    let mut resumed = LAB.build(&params, 6, steps);
    resumed.experiment.restore(&saved).unwrap();
    resumed.done = saved.step;
    assert_eq!(resumed.experiment.checkpoint().unwrap(), saved, "nothing is lost on the way");
    resumed.run_to(steps);
    assert_eq!(resumed.after(23).0, unbroken.after(23).0);
    assert!(!resumed.after(23).0.is_empty());
    for id in ["boundary/adam", "boundary/burn_momentum"] {
        assert_eq!(resumed.newest(id), unbroken.newest(id));
    }
    assert_eq!(resumed.experiment.checkpoint().unwrap(), unbroken.experiment.checkpoint().unwrap());

    // A checkpoint from before the first step has no state of Burn's rules.
    let mut fresh = LAB.build(&params, 6, steps);
    let start = fresh.experiment.checkpoint().unwrap();
    fresh.run_to(5);
    fresh.experiment.restore(&start).unwrap();
    assert_eq!(fresh.experiment.checkpoint().unwrap(), start);
}

#[test]
fn a_checkpoint_of_another_run_is_refused_with_a_reason() {
    let mut run = LAB.build(&params(&[]), 1, 10);
    let saved = run.experiment.checkpoint().unwrap();
    let others: [&[&str]; 5] = [
        &["hidden=8"],
        &["points=xor"],
        &["use_adam=off"],
        &["feature_x2=off", "feature_x1_x2=on"],
        &["regularisation=l1"],
    ];
    for other in others.map(params) {
        let message = LAB.build(&other, 1, 10).experiment.restore(&saved).unwrap_err().to_string();
        assert!(message.contains("another network"), "{message}");
    }
    let mut broken = saved.clone();
    broken.tensors.remove("adam/state/1");
    let message = run.experiment.restore(&broken).unwrap_err().to_string();
    assert!(message.contains("`adam/state/1` is missing"), "{message}");
    broken = saved;
    broken.put_f32("adam/weights", [1, 2], vec![0.0, 0.0]);
    let message = run.experiment.restore(&broken).unwrap_err().to_string();
    assert!(message.contains("`adam/weights` is f32 of shape [1, 2]"), "{message}");
}

/// The article's rules in f64, written once more from their equations.
fn reference(rule: Rule, h: &Hyper, k: i32, theta: &mut [f64], g: &[f64], a: &mut [f64], b: &mut [f64]) {
    for i in 0..theta.len() {
        let g = g[i];
        theta[i] += match rule {
            Rule::Sgd => -h.learning_rate * g,
            Rule::Momentum | Rule::Nag => {
                a[i] = h.momentum * a[i] - h.learning_rate * g;
                a[i]
            }
            Rule::AdaGrad => {
                a[i] += g * g;
                -h.learning_rate * g / (a[i].sqrt() + h.epsilon)
            }
            Rule::RmsProp => {
                a[i] = h.rmsprop_beta * a[i] + (1.0 - h.rmsprop_beta) * g * g;
                -h.learning_rate * g / (a[i].sqrt() + h.epsilon)
            }
            Rule::AdaDelta => {
                a[i] = h.adadelta_rho * a[i] + (1.0 - h.adadelta_rho) * g * g;
                let d = -(b[i] + h.epsilon).sqrt() / (a[i] + h.epsilon).sqrt() * g;
                b[i] = h.adadelta_rho * b[i] + (1.0 - h.adadelta_rho) * d * d;
                d
            }
            Rule::Adam => {
                a[i] = h.adam_beta1 * a[i] + (1.0 - h.adam_beta1) * g;
                b[i] = h.adam_beta2 * b[i] + (1.0 - h.adam_beta2) * g * g;
                -h.learning_rate * (a[i] / (1.0 - h.adam_beta1.powi(k)))
                    / ((b[i] / (1.0 - h.adam_beta2.powi(k))).sqrt() + h.epsilon)
            }
            other => panic!("{other:?} is not the article's"),
        };
    }
}

#[test]
fn every_article_rule_on_tensors_is_the_article_s_rule() {
    let device = Device::flex();
    let h = Hyper { adadelta_rho: 0.95, ..Hyper::article(0.03) };
    let start = [0.5_f64, -1.25, 2.0, 0.0625];
    // The gradient of a quadratic with another curvature in each coordinate, at the point that the rule asks for.
    let curvature = [1.0_f64, 4.0, 0.25, 10.0];
    for rule in Rule::ARTICLE {
        let mut theta = start;
        let (mut a, mut b) = ([0.0; 4], [0.0; 4]);
        let mut article = Article::new(rule, 4, &device);
        let values: Vec<f32> = start.iter().map(|v| *v as f32).collect();
        let mut tensor = Tensor::<2>::from_data(TensorData::new(values, [1, 4]), &device);
        let scale = Tensor::<2>::from_data(TensorData::new(curvature.map(|c| c as f32).to_vec(), [1, 4]), &device);
        for k in 1..=20 {
            let at = |i: usize| if rule == Rule::Nag { theta[i] + h.momentum * a[i] } else { theta[i] };
            let g: [f64; 4] = std::array::from_fn(|i| curvature[i] * at(i));
            reference(rule, &h, k, &mut theta, &g, &mut a, &mut b);
            let g = article.gradient_at(&h, &tensor) * scale.clone();
            tensor = article.update(&h, k as u64, tensor, g);
        }
        let mut reader = Reader::default();
        reader.add(tensor);
        for (i, value) in reader.read().unwrap()[0].iter().enumerate() {
            let error = (f64::from(*value) - theta[i]).abs() / start[i].abs();
            assert!(error < 1e-5, "{rule:?} coordinate {i}: {value} against {}, {error:e}", theta[i]);
        }
    }
}

#[test]
fn burn_s_rules_with_matched_numbers_agree_with_the_article_s() {
    let params =
        only(&["use_sgd", "use_momentum", "use_adam", "burn_sgd", "burn_momentum", "burn_adam"], &["epsilon=1e-5"]);
    let mut run = LAB.build(&params, 7, 50).begin();
    run.run_to(50);
    for (ours, theirs) in [("sgd", "burn_sgd"), ("momentum", "burn_momentum"), ("adam", "burn_adam")] {
        let (a, b) = (run.at(&format!("loss/train/{ours}"), 50), run.at(&format!("loss/train/{theirs}"), 50));
        assert!((a - b).abs() < 1e-4 * a.abs(), "{ours}: {a}, Burn's {b}");
    }
}

/// Places of one of Burn's rules on a surface, in f32.
fn burns<O: Optimizer>(
    rule: O,
    surface: &Surface,
    start: [f64; 2],
    learning_rate: f64,
    updates: usize,
) -> Vec<[f64; 2]> {
    let device = Device::flex();
    let upload = |v: [f64; 2]| Tensor::<1>::from_floats(v.map(|v| v as f32), &device);
    let (mut tensor, mut state, mut path) = (upload(start), None, vec![start]);
    for _ in 0..updates {
        let gradient = upload(surface.gradient(path[path.len() - 1]));
        (tensor, state) = rule.step(learning_rate, tensor, gradient, state);
        let read: Vec<f32> = tensor.clone().into_data().try_to_vec().unwrap();
        path.push([f64::from(read[0]), f64::from(read[1])]);
    }
    path
}

#[test]
fn the_rules_that_pytorch_has_not_are_burn_s() {
    let (surface, start) = (surfaces::by_id("himmelblau").unwrap(), [-4.0, 4.0]);
    let hyper = Hyper::article(0.01);
    for (rule, burn) in [
        (Rule::Lion, burns(LionConfig::new().build(), surface, start, 0.01, 60)),
        (Rule::Adan, burns(AdanConfig::new().build(), surface, start, 0.01, 60)),
    ] {
        let mut state = State::new(start);
        for (k, burn) in burn.into_iter().enumerate() {
            for i in 0..2 {
                assert!(
                    (state.theta[i] - burn[i]).abs() < 1e-4,
                    "{rule:?}, row {k}: {:?}, Burn's {burn:?}",
                    state.theta
                );
            }
            rule.step(&mut state, surface, &hyper);
        }
    }
}

#[test]
fn gradients_are_the_slopes_of_the_loss() {
    let device = Device::flex();
    let shape = MlpShape::new(2, 3, 2, 3, Activation::Tanh);
    let xy = [0.3_f32, -0.8, 1.1, 0.4, -0.6, -0.2, 0.9, 1.3];
    let x = Tensor::<3>::from_data(TensorData::new(xy.to_vec(), [1, 4, 2]), &device);
    let y = Tensor::<3>::from_data(one_hot(&[0, 2, 1, 2], 3), &device);
    let flat = shape.initial(11);
    let count = shape.parameters();
    let read = |tensor: Tensor<1>| {
        let mut reader = Reader::default();
        reader.add(tensor);
        reader.read().unwrap().remove(0)
    };
    // One copy for the gradient; two copies for each parameter, a step up and a step down.
    let h = 1e-2_f32;
    let tensor =
        |values: Vec<f32>, copies: usize| Tensor::<2>::from_data(TensorData::new(values, [copies, count]), &device);
    let model = Mlp::from_flat(&shape, &tensor(flat.clone(), 1), true);
    let mut found = cross_entropy(model.forward(x.clone()), y.clone()).sum().backward();
    let gradient = read(model.flat_gradients(&mut found).reshape([count]));
    let moved: Vec<f32> = (0..2 * count)
        .flat_map(|i| {
            let mut copy = flat.clone();
            copy[i / 2] += if i % 2 == 0 { h } else { -h };
            copy
        })
        .collect();
    let losses = read(cross_entropy(Mlp::from_flat(&shape, &tensor(moved, 2 * count), false).forward(x), y));
    for i in 0..count {
        let slope = (losses[2 * i] - losses[2 * i + 1]) / (2.0 * h);
        assert!((slope - gradient[i]).abs() < 2e-3, "parameter {i}: slope {slope}, gradient {}", gradient[i]);
    }
    assert!(gradient.iter().any(|g| g.abs() > 0.1));
}

#[test]
fn the_first_forward_equals_the_second() {
    first_forward_equals_second(&Device::flex());
}

fn first_forward_equals_second(device: &Device) {
    let shape = MlpShape::new(2, 8, 1, 2, Activation::Tanh);
    let theta = Tensor::<2>::from_data(TensorData::new(shape.initial(1), [1, shape.parameters()]), device);
    let model = Mlp::from_flat(&shape, &theta, true);
    learnscope::nn::materialise(&model).unwrap();
    let x = Tensor::<3>::from_data(TensorData::new(vec![0.1_f32, 0.2, -0.3, 0.4], [1, 2, 2]), device);
    let mut reader = Reader::default();
    let (first, second) = (reader.add(model.forward(x.clone())), reader.add(model.forward(x)));
    let read = reader.read().unwrap();
    assert_eq!(read[first], read[second]);
    assert!(read[first].iter().all(|v| v.is_finite() && *v != 0.0));
}

/// The weights that a run sent last.
fn weights(run: &Drive, id: &str) -> Vec<f32> {
    let Payload::Matrix { rows, cols, values } = run.newest(&format!("weights/{id}")) else { panic!() };
    assert_eq!((*rows, *cols as usize), (1, values.len()));
    values.clone()
}

#[test]
fn on_the_host_the_weights_that_are_sent_decide_as_the_trained_network_does() {
    let switches: Vec<String> = Feature::ALL.iter().map(|feature| format!("{}=on", feature.switch().key())).collect();
    let all: Vec<&str> = switches.iter().map(String::as_str).collect();
    for (set, others) in [(vec![], 1), (all, 2), (vec!["feature_x1=off", "activation=relu", "layers=3"], 2)] {
        let params = only(&["use_adam", "use_nag"], &[&["points=circles"], &set[..]].concat());
        let mut run = LAB.build(&params, 4, 40).begin();
        run.run_to(20 * others);
        let (Payload::Points { xy: train, .. }, Payload::Points { xy: test, .. }) =
            (run.newest("points/train"), run.newest("points/test"))
        else {
            panic!()
        };
        let inputs = Inputs::new(&params, train);
        let seen = inputs.of(&network::extent(train, test).grid(BOUNDARY, BOUNDARY));
        for id in ["adam", "nag"] {
            let answers = network::shape(&params, 2).answers(&weights(&run, id), &seen);
            let Payload::Matrix { values, .. } = run.newest(&format!("boundary/{id}")) else { panic!() };
            let logits = answers.last().unwrap().chunks_exact(2);
            for (z, sent) in logits.zip(values) {
                let decided = 1.0 / (1.0 + (z[0] - z[1]).exp());
                assert!((decided - sent).abs() < 1e-5, "{id} {set:?}: {decided} {sent}");
            }
            let ends = values.iter().fold([1.0_f32, 0.0], |[low, high], p| [low.min(*p), high.max(*p)]);
            assert!(ends[1] - ends[0] > 0.1, "{id} {set:?}: {ends:?}");
        }
    }
}

#[test]
fn a_large_network_keeps_its_weights_to_itself() {
    let params = only(&["use_adam"], &["hidden=64"]);
    assert!(network::shape(&params, 2).parameters() > MOST_WEIGHTS);
    let run = LAB.build(&params, 1, 5).begin();
    assert!(!run.payloads.keys().any(|(key, _)| key.starts_with("weights/")));
    assert!(run.payloads.contains_key(&("boundary/adam".to_owned(), 0)));
}

#[test]
fn regularisation_is_added_to_what_is_trained_and_not_to_what_is_shown() {
    let shape = network::shape(&params(&[]), 2);
    let layers: Vec<_> = shape.layers().collect();
    let run = |set: &[&str]| {
        let mut run = LAB.build(&only(&["use_sgd"], set), 3, 1).begin();
        let first = weights(&run, "sgd");
        run.run_to(1);
        (first, weights(&run, "sgd"), run.at("loss/train/sgd", 0))
    };
    let (start, plain, loss) = run(&["learning_rate=0.1"]);
    for (norm, slope) in [("l1", f32::signum as fn(f32) -> f32), ("l2", |w| w)] {
        let (first, found, shown) =
            run(&[&format!("regularisation={norm}"), "regularisation_rate=0.5", "learning_rate=0.1"]);
        assert_eq!((first == start, shown), (true, loss), "{norm}");
        for (i, (found, plain)) in found.iter().zip(&plain).enumerate() {
            let is_weight = layers.iter().any(|layer| layer.weights().contains(&i));
            let pull = if is_weight { 0.1 * 0.5 * slope(start[i]) } else { 0.0 };
            assert!((found - (plain - pull)).abs() < 1e-6, "{norm}, parameter {i}: {found} {plain} {pull}");
        }
    }
    assert_ne!(start, plain);
}

#[test]
fn regularisation_keeps_the_weights_of_every_optimizer_small() {
    let all: Vec<&str> = ROSTER.iter().map(|entry| entry.switch).collect();
    let run = |set: &[&str]| {
        let mut run = LAB.build(&only(&all, set), 2, 100).begin();
        run.run_to(100);
        run
    };
    let (plain, held) = (run(&[]), run(&["regularisation=l2", "regularisation_rate=0.3"]));
    for entry in ROSTER {
        let [plain, held] =
            [&plain, &held].map(|run| weights(run, entry.id).iter().map(|w| f64::from(*w).powi(2)).sum::<f64>());
        assert!(held < plain, "{}: {held} instead of {plain}", entry.title);
    }
}

#[test]
fn the_rate_of_regularisation_can_change_while_the_networks_train() {
    let params = only(&["use_adam", "burn_adam"], &["regularisation=l1", "regularisation_rate=0.001"]);
    let run = |change: bool| {
        let mut run = LAB.build(&params, 1, 60).begin();
        run.run_to(20);
        if change {
            run.experiment.set("regularisation_rate", &Value::Float(0.2)).unwrap();
        }
        let saved = run.experiment.checkpoint().unwrap();
        run.run_to(60);
        (run, saved)
    };
    let ((plain, _), (changed, saved)) = (run(false), run(true));
    assert_ne!(plain.after(20).0, changed.after(20).0);
    let mut resumed = LAB.restored(&params, 1, 60, &saved);
    resumed.run_to(60);
    assert_eq!(resumed.after(20), changed.after(20));
}

#[test]
fn what_the_guide_proposes_is_so() {
    // The proposal that begins with these words, after others were followed.
    let after = |words: &[&str], also: &[&str]| {
        let mut params = only(&["use_adam"], &[]);
        for words in words {
            let proposed = SPEC.tries.iter().find(|item| item.text.starts_with(words)).unwrap();
            assert!((proposed.when)(&params), "{words} is proposed");
            for (key, value) in proposed.values(PARAMS).unwrap() {
                params.set(PARAMS, key, value).unwrap();
            }
            (SPEC.check)(&params).unwrap();
        }
        also.iter().for_each(|set| params.set_text(PARAMS, set).unwrap());
        let steps = params.int("network_steps") as u64;
        let mut run = LAB.build(&params, 7, steps).begin();
        run.run_to(steps);
        run
    };
    let of = |run: &Drive, key: &str| run.scalars[&format!("{key}/adam")].clone();
    let first =
        |run: &Drive| of(run, "accuracy/test").into_iter().find(|(_, share)| *share > 0.9).map(|(step, _)| step);
    let sines = "Spirals with the sines";
    let (with, without) = (after(&[sines], &[]), after(&[sines, "The same spirals"], &[]));
    let (with, without) = (first(&with).unwrap(), first(&without).unwrap_or(u64::MAX));
    assert!(2 * with < without, "above 90 % at step {with}, without sines at {without}");

    let circles = "Circles with a single hidden unit";
    let one = after(&[circles], &[]);
    let seen =
        after(&[circles], &["feature_x1=on", "feature_x2=on", "feature_x1_squared=off", "feature_x2_squared=off"]);
    let [one, seen] = [one, seen].map(|run| run.at("accuracy/test/adam", 1000));
    assert!(one > 0.9 && seen < 0.75, "{one} {seen}");

    let noisy = "Thirty training points";
    let overfits = after(&[noisy], &[]);
    let l2 = after(&[noisy, "The same with L2"], &[]);
    let l1 = after(&[noisy, "The same with L2", "The same with L1"], &[]);
    let lowest = of(&overfits, "loss/test").into_iter().map(|(_, loss)| loss).fold(f64::MAX, f64::min);
    let last = |run: &Drive, key: &str| run.at(&format!("{key}/adam"), 2000);
    assert!(last(&overfits, "loss/test") > 2.0 * lowest, "{} after {lowest}", last(&overfits, "loss/test"));
    assert!(last(&l2, "loss/test") < 0.5 * last(&overfits, "loss/test"), "{}", last(&l2, "loss/test"));
    let small = |run: &Drive| weights(run, "adam").iter().filter(|weight| weight.abs() < 0.02).count();
    assert!(small(&l1) > 2 * small(&l2), "{} {}", small(&l1), small(&l2));
}

#[test]
fn the_form_begins_with_data_and_network_and_shows_no_hyper_parameter_that_nobody_uses() {
    let shown = |params: &Params| {
        PARAMS.iter().filter(|spec| params.shows_in_form(PARAMS, spec)).map(|spec| spec.key).collect::<Vec<_>>()
    };
    let groups = |params: &Params| {
        let shown = PARAMS.iter().filter(|spec| params.shows_in_form(PARAMS, spec));
        let mut groups: Vec<&str> = shown.map(|spec| spec.group).collect();
        groups.dedup();
        groups
    };
    assert_eq!(groups(&params(&[]))[..5], ["Experiment", "Data", "Features", "Network", "Optimizers"]);
    let rates = ["momentum", "rmsprop_beta", "adadelta_rho", "adam_beta1", "adam_beta2", "epsilon", "adagrad_decay"];
    let of = |switches: &[&str]| {
        let shown = shown(&only(switches, &[]));
        rates.into_iter().filter(|key| shown.contains(key)).collect::<Vec<_>>()
    };
    assert_eq!(of(&["use_sgd"]), [""; 0]);
    assert_eq!(of(&["burn_momentum"]), ["momentum"]);
    assert_eq!(of(&["burn_adam"]), ["adam_beta1", "adam_beta2"]);
    assert_eq!(of(&["use_rmsprop", "use_adagrad"]), ["rmsprop_beta", "epsilon", "adagrad_decay"]);
    // A surface has no Burn optimizers, whatever their switches say.
    let mut surface = only(&["burn_momentum"], &[]);
    surface.set_text(PARAMS, "experiment=surface").unwrap();
    assert!(!shown(&surface).contains(&"momentum") && shown(&surface).contains(&"learning_rate"));
    // A file brings its own number of points and its own noise.
    let csv = shown(&params(&["points=csv"]));
    assert!(csv.contains(&"csv") && !csv.contains(&"point_count") && !csv.contains(&"noise"));
    // Every user of a hyper-parameter is a switch.
    for user in PARAMS.iter().flat_map(|spec| spec.used_by) {
        assert!(PARAMS.iter().any(|spec| spec.key == *user && spec.parse("on").is_ok()), "{user}");
    }
}

#[test]
fn one_optimizer_that_diverges_stops_and_the_others_go_on() {
    // Momentum with a far too large η on a ReLU network; AdaDelta has no η and does not care.
    let params =
        only(&["use_sgd", "use_adadelta"], &["activation=relu", "layers=4", "learning_rate=10", "network_steps=400"]);
    let mut run = LAB.build(&params, 1, 400).begin();
    run.experiment.set("learning_rate", &Value::Float(1e30)).unwrap();
    run.run_to(400);
    assert_eq!(run.notices.len(), 1, "{:?}", run.notices);
    let (level, text) = &run.notices[0];
    assert_eq!(*level, Level::Warning);
    assert!(text.starts_with("SGD has diverged at step") && text.contains("lower the learning rate"), "{text}");
    assert!(run.scalars["loss/train/sgd"].last().unwrap().0 < 400);
    assert!(run.scalars.values().flatten().all(|(_, value)| value.is_finite()));
    assert_eq!(run.scalars["loss/train/adadelta"].last().unwrap().0, 400);
    // Who has stopped stays stopped after a resume.
    let saved = run.experiment.checkpoint().unwrap();
    let mut resumed = LAB.build(&params, 1, 410);
    resumed.experiment.restore(&saved).unwrap();
    resumed.done = 400;
    resumed.run_to(410);
    assert!(!resumed.scalars.contains_key("loss/train/sgd") && resumed.notices.is_empty());
}

#[test]
fn when_all_diverge_the_run_ends_and_says_what_to_do() {
    let params = only(&["use_sgd"], &["activation=relu", "layers=4"]);
    let mut run = LAB.build(&params, 1, 400).begin();
    run.experiment.set("learning_rate", &Value::Float(1e30)).unwrap();
    let error = (0..400).find_map(|_| run.step().err()).expect("it diverges");
    assert!(matches!(error, RunError::Diverged(_)));
    assert!(error.to_string().contains("Lower the learning rate"), "{error}");
}

#[test]
fn live_changes_act_from_the_next_step_and_others_are_refused() {
    let params = only(&["use_adam"], &[]);
    let mut changed = LAB.build(&params, 1, 20).begin();
    let mut plain = LAB.build(&params, 1, 20).begin();
    changed.run_to(10);
    plain.run_to(10);
    assert_eq!(changed.after(0).0, plain.after(0).0);
    changed.experiment.set("learning_rate", &Value::Float(0.5)).unwrap();
    changed.run_to(15);
    plain.run_to(15);
    assert_ne!(changed.after(10).0, plain.after(10).0);
    let message = changed.experiment.set("hidden", &Value::Int(3)).unwrap_err().to_string();
    assert!(message.contains("`hidden` cannot change while a run goes on"), "{message}");
}

#[test]
fn bad_parameters_are_refused_with_a_message_that_names_them() {
    let check = SPEC.check;
    assert_eq!(check(&params(&[])), Ok(()));
    for (set, expected) in [
        (&["batch_size=281"][..], "`batch_size`: a batch of 281 points is larger than the training set, 280 of 400"),
        (&["point_count=20"], "a batch of 64 points is larger than the training set, 14 of 20 points"),
        (&["feature_x1=off", "feature_x2=off"], "`feature_x1`: no feature is switched on"),
        (&["points=csv"], "`csv`: no file is chosen"),
        (&["points=csv", "csv=/no/such/file.csv"], "`csv`: /no/such/file.csv: there is no such file"),
        (&["points=csv", "csv=/"], "`csv`: /: is a folder"),
    ] {
        let message = check(&params(set)).unwrap_err().to_string();
        assert!(message.contains(expected), "{message:?} should contain {expected:?}");
        let device = Device::flex();
        let request = BuildRequest { params: &params(set), seed: 1, steps: 1, device: &device };
        let Err(error) = network::build(&request) else { panic!("built with {set:?}") };
        assert_eq!(error.to_string(), message);
    }
    let message = check(&only(&[], &[])).unwrap_err().to_string();
    assert!(message.contains("no optimizer is switched on"), "{message}");
}

#[test]
fn one_s_own_file_is_trained_on_and_named_in_the_header() {
    let mut file = tempfile::Builder::new().suffix(".csv").tempfile().unwrap();
    writeln!(file, "width;length;flower").unwrap();
    for i in 0..60_u32 {
        let (t, class) = (f64::from(i) * 0.1, (i % 2) as usize);
        let side = if class == 1 { 5.0 } else { 0.0 };
        writeln!(file, "{};{};{}", 1e3 + t.cos() + side, 1e-3 * t.sin(), ["lily", "rose"][class]).unwrap();
    }
    file.flush().unwrap();
    let mut params = only(&["use_adam"], &["points=csv", "batch_size=32"]);
    params.set_text(PARAMS, &format!("csv={}", file.path().display())).unwrap();
    let data = network::data(&params).unwrap();
    assert!(data.contains("60 points in 2 classes (lily, rose)") && data.contains("CRC-32"), "{data}");
    let mut run = LAB.build(&params, 1, 100).begin();
    run.run_to(100);
    assert_eq!(run.at("accuracy/test/adam", 100), 1.0, "far apart in units of thousands and thousandths");
    assert_eq!(*run.newest("points/classes"), Payload::Text("lily\nrose".to_owned()));

    // A changed file is read anew.
    writeln!(file, "NaN;1;rose").unwrap();
    file.flush().unwrap();
    let message = network::data(&params).unwrap_err().to_string();
    assert!(message.contains(", line 62: column 1 (x) is `NaN`; expected a finite number"), "{message}");
}

#[test]
fn the_device_check_repeats_on_the_cpu_and_trains() {
    let (a, b) = (network::device_check(&Device::flex()).unwrap(), network::device_check(&Device::flex()).unwrap());
    assert_eq!(a.iter().map(|v| v.to_bits()).collect::<Vec<_>>(), b.iter().map(|v| v.to_bits()).collect::<Vec<_>>());
    assert_eq!(a.len(), 3 * 2 + 2 * MlpShape::new(2, 8, 1, 2, Activation::Tanh).parameters());
    assert!(a[4] < a[0] && a[5] < a[1], "both losses fall: {:?}", &a[..6]);
}

/// Burn's wgpu backend against the CPU. Kept to one network: every kernel is compiled first, slowly in software.
#[test]
fn wgpu_computes_what_the_cpu_computes() {
    let required = std::env::var_os("LEARNSCOPE_REQUIRE_ADAPTER").is_some();
    let kinds = [burn::tensor::DeviceKind::DefaultDevice, burn::tensor::DeviceKind::Cpu];
    let opened = kinds.into_iter().find_map(|kind| Device::wgpu_options().device_kind(kind).init().ok());
    let Some(device) = opened else {
        assert!(!required, "LEARNSCOPE_REQUIRE_ADAPTER is set, but no wgpu adapter was found");
        println!("skipped: no wgpu adapter on this machine");
        return;
    };
    let expected = network::device_check(&Device::flex()).unwrap();
    let found = network::device_check(&device).unwrap();
    assert_eq!(found.len(), expected.len());
    let mut largest = 0.0_f32;
    for (i, (a, b)) in found.iter().zip(&expected).enumerate() {
        largest = largest.max((a - b).abs());
        assert!((a - b).abs() < 1e-4, "number {i}: {a} on {device:?}, {b} on the CPU");
    }
    println!("{} numbers agree, largest difference {largest:e}, on {device:?}", found.len());
    first_forward_equals_second(&device);
}
