//! The switches of the ablations: each changes what it names, runs, and resumes to the same bits.

use burn::tensor::{Device, Tensor};
use learnscope::engine::event::Payload;
use learnscope::engine::params::{Params, Value};
use learnscope::labs::self_supervised::network::{Heads, Layers, Online, Shape, build as build_networks};
use learnscope::labs::self_supervised::params::{Hyper, PARAMS};
use learnscope::labs::self_supervised::trainer::{Trainer, negative_cosine};
use learnscope::nn::parameters::{Role, Slot, map, slots};

use super::{LAB, SHAPE, params, pictures, read};

fn with(predictor: Layers) -> Shape {
    Shape { heads: Heads::published(predictor), ..SHAPE }
}

/// Rates of 1 and nothing else, so that an update is the gradient.
const BARE: [&str; 7] = [
    "rate_encoder=1",
    "rate_projector=1",
    "rate_predictor=1",
    "momentum=0",
    "decay_encoder=0",
    "decay_projector=0",
    "decay_predictor=0",
];

/// Path, numbers before and numbers after one step of every trained parameter.
fn one_step(shape: &Shape, set: &[&str]) -> Vec<(String, Vec<f32>, Vec<f32>)> {
    let hyper = Hyper::of(&params(set));
    let mut trainer = Trainer::new(shape, 1, &Device::flex()).unwrap().with(hyper.optimizer);
    let before = slots(&trainer.online);
    trainer.step(pictures(16, 5), &hyper.at(0, 10), 0.0, 0).unwrap();
    let trained = before.into_iter().zip(slots(&trainer.online)).filter(|(slot, _)| slot.role != Role::Statistic);
    trained.map(|(old, new)| (old.path.clone(), read(old.value), read(new.value))).collect()
}

fn gradient(shape: &Shape, set: &[&str]) -> Vec<f32> {
    let moved = one_step(shape, &[&BARE[..], set].concat());
    moved.iter().flat_map(|(_, old, new)| old.iter().zip(new).map(|(old, new)| old - new)).collect()
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}

#[test]
fn without_stop_gradient_the_gradient_is_that_of_both_sides_of_the_loss() {
    let device = Device::flex();
    let shape = with(Layers::One);
    let [off, on] = ["off", "on"].map(|set| gradient(&shape, &["target=online", &format!("stop_gradient={set}")]));
    let (online, _) = build_networks(&shape, 1, &device).unwrap();
    let both_sides = |online: &Online| {
        let mut online = online.clone();
        let z = online.branch.forward(pictures(16, 5), 2);
        f64::from(read(negative_cosine(online.predictor.forward(z.clone(), 2), z))[0])
    };
    let size = dot(&off, &off).sqrt();
    let at = |shift: f64| {
        let mut done = 0;
        let shifted = map(online.clone(), |_, role, value| {
            if role == Role::Statistic {
                return value;
            }
            let count = value.dims()[0];
            let part: Vec<f32> =
                off[done..done + count].iter().map(|g| (f64::from(*g) * shift / size) as f32).collect();
            done += count;
            value + Tensor::from_data(burn::tensor::TensorData::new(part, [count]), &device)
        });
        both_sides(&shifted)
    };
    let slope = (at(2e-3) - at(-2e-3)) / 4e-3;
    assert!((slope - size).abs() < 0.03 * size, "the loss rises by {slope} along its gradient of length {size}");
    let stopped = dot(&off, &on) / size;
    assert!((slope - stopped).abs() > 0.2 * size, "with stop-gradient it is another one: {stopped}");
}

/// SimSiam's paper, section 4.2: without a predictor stop-gradient is the same as none, with half the loss.
#[test]
fn without_a_predictor_stop_gradient_only_halves_the_gradient() {
    let shape = with(Layers::None);
    let [off, on] = ["off", "on"]
        .map(|set| gradient(&shape, &["target=online", "predictor_layers=none", &format!("stop_gradient={set}")]));
    let twice: Vec<f32> = on.iter().map(|g| 2.0 * g).collect();
    assert!(dot(&on, &on) > 1e-4);
    let apart: Vec<f32> = off.iter().zip(&twice).map(|(a, b)| a - b).collect();
    assert!(dot(&apart, &apart).sqrt() < 1e-3 * dot(&off, &off).sqrt());
}

#[test]
fn without_stop_gradient_the_loss_falls_to_its_minimum_and_all_embeddings_are_one() {
    let run = |stop: &str| {
        let params = params(&["target=online", &format!("stop_gradient={stop}"), "train_images=512", "batch_size=64"]);
        let mut run = LAB.build(&params, 1, 60).begin();
        run.run_to(60);
        run
    };
    let (off, on) = (run("off"), run("on"));
    assert!(off.at("loss/cosine", 60) < -1.995, "{}", off.at("loss/cosine", 60));
    assert!(off.at("normalised_std", 60) < 0.06, "{}", off.at("normalised_std", 60));
    assert!(on.at("normalised_std", 60) > 2.0 * off.at("normalised_std", 60));
}

#[test]
fn without_a_predictor_wp_is_the_identity_and_nothing_of_it_is_pulled() {
    let mut run = LAB.build(&params(&["predictor_layers=none"]), 2, 4).begin();
    run.run_to(4);
    for step in [0, 4] {
        assert_eq!(run.at("asymmetry", step), 0.0);
        let Payload::Series(values) = &run.payloads[&("eigenvalues/Wp".to_owned(), step)] else { panic!() };
        assert_eq!(values, &[1.0; 64]);
    }
    assert!(run.at("alignment/weighted", 4) > 1.0 - 1e-9 && run.at("commutator", 4) < 1e-9);
    assert!(run.scalars.contains_key("gradient/encoder") && !run.scalars.contains_key("gradient/predictor"));
}

#[test]
fn a_fixed_predictor_stays_while_the_rest_moves() {
    for optimizer in ["sgd", "adam", "adamw", "lars"] {
        for (layers, name) in [(Layers::One, "one"), (Layers::Two, "two")] {
            let (optimizer, layers_set) = (format!("optimizer={optimizer}"), format!("predictor_layers={name}"));
            for (path, old, new) in one_step(&with(layers), &[&optimizer, &layers_set, "predictor_rule=fixed"]) {
                // A bias before a normalisation has no gradient.
                let moves = !path.starts_with("predictor") && !path.ends_with("bias");
                assert_eq!(old == new || path.ends_with("first.bias"), !moves, "{optimizer}, {path}");
            }
        }
    }
    let matrix = |run: &super::Drive, step| run.payloads[&("matrix/Wp".to_owned(), step)].clone();
    let mut run = LAB.build(&params(&["predictor_rule=fixed"]), 2, 8).begin();
    run.run_to(4);
    assert_eq!(matrix(&run, 0), matrix(&run, 4));
    run.experiment.set("predictor_rule", &Value::Text("gradient".into())).unwrap();
    run.run_to(8);
    assert_ne!(matrix(&run, 0), matrix(&run, 8), "it is live");
}

#[test]
fn heads_have_the_widths_depths_and_norms_asked_for() {
    let paths = |set: &[&str]| -> Vec<(String, Vec<usize>)> {
        let (online, _) = build_networks(&Shape::of(&params(set), 1), 1, &Device::flex()).unwrap();
        let heads = slots(&online).into_iter().filter(|slot| !slot.path.starts_with("branch.encoder"));
        heads.map(|Slot { path, shape, .. }| (path, shape)).collect()
    };
    let has = |paths: &[(String, Vec<usize>)], path: &str, shape: &[usize]| {
        assert!(paths.iter().any(|(known, dims)| known == path && dims == shape), "{path} {shape:?} in {paths:?}");
    };
    let two = ["predictor_layers=two", "embedding_width=24", "hidden_width=40", "predictor_hidden=6"];
    let wide = paths(&two);
    has(&wide, "branch.projector.first.weight", &[64, 40]);
    has(&wide, "branch.projector.second.weight", &[40, 24]);
    has(&wide, "predictor.Two.first.weight", &[24, 6]);
    has(&wide, "predictor.Two.second.weight", &[6, 24]);
    assert!(!wide.iter().any(|(path, _)| path.ends_with("gamma") || path.ends_with("beta")));
    let norms = ["projector_norm=affine", "projector_output_norm=affine", "predictor_norm=affine"];
    let affine = paths(&[&two[..], &norms].concat());
    for (path, width) in
        [("branch.projector.norm", 40), ("branch.projector.output_norm", 24), ("predictor.Two.norm", 6)]
    {
        has(&affine, &format!("{path}.gamma"), &[width]);
        has(&affine, &format!("{path}.beta"), &[width]);
    }
    let off = paths(&["predictor_layers=two", "projector_norm=off", "predictor_norm=off"]);
    assert!(off.iter().all(|(path, _)| !path.contains("norm")), "{off:?}");
    has(&paths(&["projector_layers=1"]), "branch.projector.second.weight", &[64, 64]);
    has(&paths(&["projector_layers=3", "hidden_width=40"]), "branch.projector.middle.weight", &[40, 40]);
    // What is drawn knows the width.
    let mut run = LAB.build(&params(&["embedding_width=24"]), 2, 4).begin();
    run.run_to(4);
    for key in ["matrix/Wp", "matrix/F"] {
        let Payload::Matrix { rows, cols, .. } = &run.payloads[&(key.to_owned(), 4)] else { panic!() };
        assert_eq!((*rows, *cols), (24, 24));
    }
}

#[test]
fn the_schedule_is_a_factor_of_all_rates_or_of_all_but_the_predictors() {
    let factors = |set: &[&str]| -> Vec<f64> {
        let mut run = LAB.build(&params(set), 2, 8).begin();
        run.run_to(8);
        (1..=8).map(|step| run.at("rate_factor", step)).collect()
    };
    let steps = ["steps=8"];
    assert_eq!(factors(&steps), [1.0; 8]);
    let tenth = factors(&[&steps[..], &["rate_schedule=steps", "rate_drop_every=3", "warm_up=2"]].concat());
    for (factor, expected) in tenth.iter().zip([0.5, 1.0, 1.0, 1.0, 1.0, 0.1, 0.1, 0.1]) {
        assert!((factor - expected).abs() < 1e-12, "{tenth:?}");
    }
    let cosine = factors(&[&steps[..], &["rate_schedule=cosine", "warm_up=4"]].concat());
    let half = |k: f64| 0.5 * (1.0 + (std::f64::consts::PI * k / 4.0).cos());
    for (factor, expected) in cosine.iter().zip([0.25, 0.5, 0.75, 1.0, 1.0, half(1.0), half(2.0), half(3.0)]) {
        assert!((factor - expected).abs() < 1e-12, "{cosine:?}");
    }
    // The first step of a warm-up over 4 is a step with a quarter of the rates, whatever the optimizer.
    for optimizer in ["optimizer=sgd", "optimizer=adam", "optimizer=adamw", "optimizer=lars"] {
        let step = |set: &[&str]| {
            let rates = ["predictor_layers=one", optimizer, "decay_scope=all"];
            one_step(&with(Layers::One), &[&rates[..], set].concat())
        };
        let set = |rate: f64, predictor: f64| {
            let of = |name: &str, rate: f64| format!("rate_{name}={rate}");
            [of("encoder", rate), of("projector", rate), of("predictor", predictor)]
        };
        let [whole, quarter, constant] = [set(0.5, 0.5), set(0.125, 0.125), set(0.125, 0.5)];
        let text = |set: &[String; 3], more: &[&str]| {
            step(&set.iter().map(String::as_str).chain(more.iter().copied()).collect::<Vec<_>>())
        };
        assert_eq!(text(&whole, &["warm_up=4"]), text(&quarter, &[]), "{optimizer}");
        let held = text(&whole, &["warm_up=4", "predictor_rate_constant=on"]);
        assert_eq!(held, text(&constant, &[]), "{optimizer}");
        assert_ne!(held, text(&quarter, &[]), "{optimizer}");
    }
}

#[test]
fn every_switch_runs_and_resumes_to_the_same_bits() {
    for set in [
        &["target=online", "stop_gradient=off"][..],
        &["predictor_layers=none"],
        &["predictor_rule=fixed"],
        &["predictor_layers=two", "predictor_rule=fixed", "predictor_map=fitted"],
        &["projector_layers=1", "projector_output_norm=plain"],
        &["projector_layers=3", "projector_norm=affine", "projector_output_norm=affine"],
        &["projector_norm=off", "predictor_layers=two", "predictor_norm=off", "target_init=independent"],
        &["predictor_layers=two", "predictor_norm=affine", "predictor_hidden=8", "symmetry=on"],
        &["hidden_width=16", "embedding_width=2", "predictor_rule=directpred"],
        &["optimizer=adam", "rate_schedule=cosine", "warm_up=3"],
        &["optimizer=adamw", "decay_scope=all", "rate_schedule=steps", "rate_drop_every=2"],
        &["optimizer=lars", "lars_trust=0.01", "predictor_rate_constant=on", "rate_schedule=cosine"],
        &[
            "jitter_strength=0.5",
            "flip_chance=0",
            "invert_chance=0.2",
            "view_noise=0",
            "blur_chance=0.5",
            "solarise_chance=1",
        ],
    ] {
        let params = params(&[set, &["probe_every=3"]].concat());
        let mut whole = LAB.build(&params, 3, 6).begin();
        whole.run_to(3);
        let checkpoint = whole.experiment.checkpoint().unwrap();
        whole.run_to(6);
        let mut rest = LAB.restored(&params, 3, 6, &checkpoint);
        rest.run_to(6);
        assert!(whole.at("loss/cosine", 6).is_finite() && whole.at("knn", 6) > 0.0, "{set:?}");
        assert_eq!(whole.after(3), rest.after(3), "{set:?}");
        assert_eq!(whole.experiment.checkpoint().unwrap(), rest.experiment.checkpoint().unwrap(), "{set:?}");
    }
}

/// Whether a run of the defaults with these values takes the checkpoint of the defaults.
#[test]
fn a_checkpoint_of_other_heads_views_or_descent_is_refused() {
    let mut run = LAB.build(&params(&[]), 3, 6).begin();
    run.run_to(1);
    let checkpoint = run.experiment.checkpoint().unwrap();
    // As older versions wrote it.
    let words = &checkpoint.text["run"];
    let (before, after) = words.split_once(" on 96 pictures ").unwrap();
    assert_eq!(
        before,
        "Shape { channels: 1, encoder: Small, two_layers: false, init: Torch, independent_target: false }"
    );
    assert_eq!(&after[8..], ", Recipe { kind: Shapes, crop_min: 0.4 }, batches of 16, seed 3");
    for set in
        ["predictor_layers=none", "hidden_width=16", "projector_norm=off", "optimizer=adam", "jitter_strength=0.5"]
    {
        let mut other = LAB.build(&params(&[set]), 3, 6);
        let message = other.experiment.restore(&checkpoint).unwrap_err().to_string();
        assert!(message.contains("another run"), "{set}: {message}");
    }
}

#[test]
fn combinations_that_mean_nothing_are_refused_with_what_to_do() {
    for (set, key, hint) in [
        (&["stop_gradient=off"][..], "stop_gradient", "target=online"),
        (&["predictor_layers=none", "predictor_rule=directpred"], "predictor_rule", "predictor_layers=one"),
        (&["predictor_layers=none", "predictor_rule=fixed"], "predictor_rule", "predictor_layers=one"),
        (&["predictor_layers=none", "symmetry=on"], "symmetry", "symmetry=off"),
        (&["predictor_rule=fixed", "symmetry=on"], "symmetry", "predictor_rule=gradient"),
        (&["embedding_width=1"], "embedding_width", "2 to 512"),
        (&["steps=50", "warm_up=50"], "warm_up", "choose fewer"),
    ] {
        let message = LAB.try_build(&params(set), 1, 10).err().expect("must be refused").to_string();
        assert!(message.contains(&format!("`{key}`")) && message.contains(hint), "{set:?}: {message}");
    }
    // Live, too.
    let mut run = LAB.build(&params(&["target=online", "stop_gradient=off"]), 1, 10).begin();
    run.run_to(1);
    let message = run.experiment.set("target", &Value::Text("ema".into())).unwrap_err().to_string();
    assert!(message.contains("moving average") && message.contains("stop_gradient=on"), "{message}");
    run.experiment.set("stop_gradient", &Value::Switch(true)).unwrap();
}

#[test]
fn an_optimizer_brings_rates_of_its_size_unless_somebody_set_them() {
    let spec = &learnscope::labs::self_supervised::SPEC;
    let mut params = Params::defaults(PARAMS);
    params.set_text(PARAMS, "rate_predictor=0.7").unwrap();
    let choose = |params: &mut Params, id: &str| {
        learnscope::kit::lab::choose(spec, params, "optimizer", Value::Text(id.into())).unwrap()
    };
    assert!(choose(&mut params, "adam"));
    assert_eq!((params.float("rate_encoder"), params.float("rate_predictor")), (0.002, 0.7));
    assert!(choose(&mut params, "lars"));
    assert_eq!((params.float("rate_encoder"), params.float("rate_predictor")), (1.0, 0.7));
}
