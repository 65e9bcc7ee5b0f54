//! Tests of the experiment on a surface, driven as the engine drives it.

use super::*;
use crate::engine::event::Body;
use crate::labs::optimizers::KEYS;
use crate::labs::optimizers::params::PARAMS;

fn params(set: &[&str]) -> Params {
    let mut params = Params::defaults(PARAMS);
    set.iter().for_each(|assignment| params.set_text(PARAMS, assignment).unwrap());
    params
}

/// What a run emitted: rows by key, and notices.
#[derive(Debug, Default, PartialEq)]
struct Seen {
    rows: BTreeMap<String, Vec<u64>>,
    scalars: BTreeMap<String, Vec<(u64, u64)>>,
    notices: Vec<(u64, String)>,
}

impl Seen {
    /// Keeps numbers as bits: NaN rows must be equal too.
    fn take(&mut self, step: u64, out: Emit<'_>) {
        for body in out.finish().bodies {
            match body {
                Body::Rows { key, data, .. } => {
                    self.rows.entry(key.to_string()).or_default().extend(data.iter().map(|v| v.to_bits()));
                }
                Body::Scalars(values) => values.iter().for_each(|(key, value)| {
                    self.scalars.entry(key.to_string()).or_default().push((step, value.to_bits()));
                }),
                Body::Notice { text, .. } => self.notices.push((step, text)),
                other => panic!("unexpected {other:?}"),
            }
        }
    }

    fn run(&mut self, run: &mut SurfaceRun, steps: std::ops::RangeInclusive<u64>, last: u64, changes: &[Change]) {
        if *steps.start() == 0 {
            let mut out = Emit::new(KEYS, 0, last, false);
            run.begin(&mut out).unwrap();
            self.take(0, out);
        }
        for step in steps.filter(|step| *step > 0) {
            for change in changes.iter().filter(|change| change.step == step - 1) {
                run.set(&change.key, &change.value).unwrap();
            }
            let mut out = Emit::new(KEYS, step, last, false);
            run.step(&mut out).unwrap();
            self.take(step, out);
        }
    }
}

fn change(step: u64, key: &str, value: f64) -> Change {
    Change { step, key: key.to_owned(), value: Value::Float(value) }
}

fn bits(paths: Vec<(Rule, Vec<f64>)>) -> BTreeMap<String, Vec<u64>> {
    let path =
        |(rule, data): (Rule, Vec<f64>)| (format!("path/{}", rule.id()), data.iter().map(|v| v.to_bits()).collect());
    paths.into_iter().map(path).collect()
}

#[test]
fn a_run_emits_the_paths_and_live_changes_count_from_the_next_update() {
    let params = params(&["surface=rosenbrock", "start_x=-1.2", "start_y=1", "learning_rate=0.001"]);
    let changes = [change(0, "adam_beta1", 0.8), change(300, "learning_rate", 0.0005), change(301, "momentum", 0.5)];
    let mut seen = Seen::default();
    seen.run(&mut SurfaceRun::new(&params, 700).unwrap(), 0..=700, 700, &changes);
    let expected = paths(&params, &changes, 700).unwrap();
    assert!(expected.iter().all(|(_, data)| data.len() == 701 * COLUMNS));
    assert_eq!(seen.rows, bits(expected.clone()));
    let unchanged = paths(&params, &[], 700).unwrap();
    for ((rule, with), (_, without)) in expected.iter().zip(&unchanged) {
        let first = (0..=700).find(|k| with[k * COLUMNS..][..2] != without[k * COLUMNS..][..2]);
        let expected = match rule {
            Rule::Adam => Some(301),
            Rule::AdaDelta => None,
            _ => Some(301),
        };
        // β₁ changes nothing in the first update (bias correction) but does in the second.
        let expected = if *rule == Rule::Adam { Some(2) } else { expected };
        assert_eq!(first, expected, "{rule:?}");
    }
}

#[test]
fn row_k_does_not_depend_on_the_number_of_steps() {
    let params = params(&["surface=beale", "start_x=0.5", "start_y=-1"]);
    let long = paths(&params, &[], 1_500).unwrap();
    for steps in [0, 1, 255, 256, 257, 999] {
        for ((_, short), (_, long)) in paths(&params, &[], steps).unwrap().iter().zip(&long) {
            let bits = |data: &[f64]| data.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(short), bits(&long[..short.len()]));
        }
    }
}

#[test]
fn a_resumed_run_goes_on_to_the_same_numbers() {
    // SGD diverges at step 26, in the first block; with and without pending rows; before and after a change.
    let params = params(&["surface=beale", "start_x=0.5", "start_y=-1", "learning_rate=0.1"]);
    let changes = [change(20, "learning_rate", 0.09), change(30, "rate_nag", 0.5), change(280, "epsilon", 1e-6)];
    let last = 600;
    let mut whole = Seen::default();
    whole.run(&mut SurfaceRun::new(&params, last).unwrap(), 0..=last, last, &changes);
    for at in [1, 7, 255, 256, 300, 599, 600] {
        let mut seen = Seen::default();
        let mut first = SurfaceRun::new(&params, last).unwrap();
        seen.run(&mut first, 0..=at, last, &changes);
        let checkpoint = first.checkpoint().unwrap();
        assert_eq!(checkpoint.step, at);
        let mut second = SurfaceRun::new(&params, last).unwrap();
        second.restore(&checkpoint).unwrap();
        seen.run(&mut second, at + 1..=last, last, &changes);
        assert_eq!(seen, whole, "resumed at {at}");
    }
}

#[test]
fn divergence_is_reported_once_and_the_rest_of_the_path_is_empty() {
    let params = params(&["surface=beale", "start_x=0.5", "start_y=-1", "learning_rate=0.1", "steps=100"]);
    let mut seen = Seen::default();
    seen.run(&mut SurfaceRun::new(&params, 100).unwrap(), 0..=100, 100, &[]);
    let sgd: Vec<_> = seen.notices.iter().filter(|(_, text)| text.starts_with("SGD ")).collect();
    assert_eq!(sgd.len(), 1, "{:?}", seen.notices);
    assert_eq!(sgd[0].0, 26);
    assert!(sgd[0].1.contains("at step 26") && sgd[0].1.ends_with("lower the learning rate η"), "{}", sgd[0].1);
    let (_, path) = &paths(&params, &[], 100).unwrap()[0];
    let row = |k: usize| &path[k * COLUMNS..(k + 1) * COLUMNS];
    assert!(row(25)[..3].iter().all(|v| v.is_finite()));
    assert!(row(26)[..3].iter().any(|v| !v.is_finite()));
    assert!((27..=100).all(|k| row(k).iter().all(|v| v.is_nan())));
}

#[test]
fn scalars_are_sampled_about_a_thousand_times_and_at_the_end() {
    let params = params(&["use_nag=off"]);
    let mut seen = Seen::default();
    seen.run(&mut SurfaceRun::new(&params, 2_501).unwrap(), 0..=2_501, 2_501, &[]);
    assert_eq!(seen.scalars.len(), 5 * 6);
    let steps: Vec<u64> = seen.scalars["f/adam"].iter().map(|(step, _)| *step).collect();
    assert_eq!((steps[0], steps[1], steps.len(), *steps.last().unwrap()), (0, 3, 835, 2_501));
    assert_eq!(seen.scalars["step_length/adam"][0].1, 0.0_f64.to_bits());
}

#[test]
fn what_cannot_run_is_refused_by_name() {
    let all_off: Vec<String> = Rule::ALL.iter().map(|rule| format!("use_{}=off", rule.id())).collect();
    let params_off = params(&all_off.iter().map(String::as_str).collect::<Vec<_>>());
    let message = check(&params_off).unwrap_err().to_string();
    for rule in Rule::ALL {
        assert!(message.contains(&format!("use_{}", rule.id())), "{message}");
    }
    assert!(SurfaceRun::new(&params_off, 10).is_err() && paths(&params_off, &[], 10).is_err());

    let mut run = SurfaceRun::new(&params(&[]), 10).unwrap();
    let refused = run.set("start_x", &Value::Float(1.0)).unwrap_err();
    assert_eq!(refused, ParamError::NotLive { key: "start_x".into() });

    let before = run.walkers.clone();
    let elsewhere = SurfaceRun::new(&params(&["surface=booth"]), 10).unwrap().checkpoint().unwrap();
    let message = run.restore(&elsewhere).unwrap_err().to_string();
    assert!(message.contains("`booth`") && message.contains("`saddle`"), "{message}");
    let mut damaged = SurfaceRun::new(&params(&[]), 10).unwrap().checkpoint().unwrap();
    damaged.tensors.remove("memory/adam");
    assert!(run.restore(&damaged).unwrap_err().to_string().contains("memory/adam"));
    assert_eq!(run.walkers, before, "a refused checkpoint changes nothing");
}

#[test]
fn a_typed_function_is_minimized_as_the_same_one_of_the_catalogue() {
    let typed = ["surface=own", "function=x⁴ + 2x³ + y² − 1", "start_x=1", "start_y=-0.5"];
    let known = ["surface=article_quartic", "start_x=1", "start_y=-0.5"];
    let [typed, known] = [&typed[..], &known[..]].map(|set| paths(&params(set), &[], 200).unwrap());
    for ((rule, typed), (_, known)) in typed.iter().zip(&known) {
        for (k, (a, b)) in typed.iter().zip(known).enumerate() {
            assert!((a - b).abs() <= 1e-6 * (1.0 + b.abs()), "{rule:?}, row {}: {a} against {b}", k / COLUMNS);
        }
    }
}

#[test]
fn a_function_that_cannot_be_read_is_refused_at_its_column() {
    let refused = check(&params(&["surface=own", "function=x^2 + z"])).unwrap_err();
    assert_eq!(refused.to_string(), "parameter `function`: column 7: unknown name `z`; only x and y are variables");
    assert_eq!(check(&params(&["function=x^2 + z"])), Ok(()), "on a surface of the catalogue nobody asks for it");
}

#[test]
fn a_start_without_a_value_is_named() {
    let params = params(&["surface=own", "function=ln(x)", "start_x=-1"]);
    let mut seen = Seen::default();
    seen.run(&mut SurfaceRun::new(&params, 3).unwrap(), 0..=3, 3, &[]);
    assert_eq!(seen.notices.len(), Rule::ARTICLE.len());
    let words = "f has no finite value there: start elsewhere";
    assert!(seen.notices.iter().all(|(step, text)| *step == 1 && text.contains(words)), "{:?}", seen.notices);
}

#[test]
fn a_checkpoint_of_another_function_is_refused() {
    let run = |function: &str| SurfaceRun::new(&params(&["surface=own", function]), 10).unwrap();
    let checkpoint = run("function=x^2 + y^2").checkpoint().unwrap();
    run("function=x^2 + y^2").restore(&checkpoint).unwrap();
    let message = run("function=x^2 + 2y^2").restore(&checkpoint).unwrap_err().to_string();
    assert!(message.contains("f = x^2 + y^2") && message.contains("f = x^2 + 2y^2"), "{message}");
    let mut old = SurfaceRun::new(&params(&["surface=booth"]), 10).unwrap();
    let mut checkpoint = old.checkpoint().unwrap();
    checkpoint.text.remove("formula");
    old.restore(&checkpoint).unwrap();
}

#[test]
fn noise_is_the_same_for_every_rule_and_in_a_resumed_run() {
    for kind in ["gaussian", "minibatch"] {
        resumes_with_its_noise(&format!("noise_kind={kind}"));
    }
}

fn resumes_with_its_noise(kind: &str) {
    let params = params(&["surface=booth", "start_x=-5", "start_y=4", "gradient_noise=2", kind]);
    let (noise, last) = (noise(&params, 11), 600);
    let noisy = || SurfaceRun { noise: noise.clone(), ..SurfaceRun::new(&params, last).unwrap() };
    let mut whole = Seen::default();
    whole.run(&mut noisy(), 0..=last, last, &[]);
    assert_eq!(whole.rows, bits(noisy_paths(&params, &[], last, &noise).unwrap()));
    for cut in [1, 256, 300] {
        let (mut first, mut seen) = (noisy(), Seen::default());
        seen.run(&mut first, 0..=cut, last, &[]);
        let mut second = noisy();
        second.restore(&first.checkpoint().unwrap()).unwrap();
        seen.run(&mut second, cut + 1..=last, last, &[]);
        assert_eq!(seen.rows, whole.rows, "cut at {cut}");
    }
    // The first update of SGD and of Momentum is η times the same noisy gradient.
    let paths = noisy_paths(&params, &[], 1, &noise).unwrap();
    let moved =
        |rule: Rule| paths.iter().find(|(of, _)| *of == rule).map(|(_, rows)| rows[COLUMNS + 4..][..2].to_vec());
    assert_eq!(moved(Rule::Sgd), moved(Rule::Momentum));
    let exact = super::paths(&params, &[], 1).unwrap();
    assert_ne!(exact[0].1, paths[0].1);
}

#[test]
fn without_noise_the_numbers_are_those_of_exact_gradients() {
    let params = params(&["surface=rosenbrock", "start_x=-1.2", "start_y=1"]);
    let exact = bits(paths(&params, &[], 300).unwrap());
    assert_eq!(bits(noisy_paths(&params, &[], 300, &Noise::gaussian(0.0, 5)).unwrap()), exact);
    let kept = [0, 1, 150, 300];
    let values = values(Rule::Adam, &params, &[], &kept, &Noise::OFF, || true).unwrap();
    let recorded: Vec<u64> = kept.iter().map(|k| exact["path/adam"][*k as usize * COLUMNS + 2]).collect();
    assert_eq!(values.iter().map(|v| v.to_bits()).collect::<Vec<_>>(), recorded);
}

/// Parameters with every rule on.
fn all_on(set: &[&str]) -> Params {
    let on = Rule::ALL.map(|rule| format!("{}=on", rule.switch().key()));
    params(&on.iter().map(String::as_str).chain(set.iter().copied()).collect::<Vec<_>>())
}

#[test]
fn every_rule_goes_on_after_a_resumption_to_the_same_numbers() {
    let params = all_on(&[
        "surface=himmelblau",
        "start_x=-4",
        "start_y=4",
        "learning_rate=0.005",
        "schedule=warmup",
        "momentum_schedule=linear",
        "steps=300",
        "asgd_from=20",
    ]);
    let changes = [change(70, "adam_beta1", 0.8), change(100, "lbfgs_rate", 0.5), change(130, "learning_rate", 0.01)];
    let last = 300;
    let mut whole = Seen::default();
    whole.run(&mut SurfaceRun::new(&params, last).unwrap(), 0..=last, last, &changes);
    for at in [1, 2, 63, 64, 65, 129, 256, 300] {
        let mut seen = Seen::default();
        let mut first = SurfaceRun::new(&params, last).unwrap();
        seen.run(&mut first, 0..=at, last, &changes);
        let checkpoint = first.checkpoint().unwrap();
        let mut second = SurfaceRun::new(&params, last).unwrap();
        second.restore(&checkpoint).unwrap();
        seen.run(&mut second, at + 1..=last, last, &changes);
        assert_eq!(seen, whole, "resumed at {at}");
    }
}

#[test]
fn the_whole_state_at_any_step_is_told_by_the_recording() {
    let params = all_on(&["surface=rosenbrock", "start_x=-1.2", "start_y=1", "learning_rate=0.0005", "steps=200"]);
    let changes = [change(40, "adam_beta1", 0.8), change(150, "learning_rate", 0.001)];
    let mut seen = Seen::default();
    seen.run(&mut SurfaceRun::new(&params, 200).unwrap(), 0..=200, 200, &changes);
    let surface = &*super::params::surface(&params).unwrap();
    let hyper_at = |step: u64| {
        let mut hyper = Hyper::of(&params);
        changes.iter().filter(|change| change.step <= step).for_each(|c| hyper.set(&c.key, &c.value).unwrap());
        hyper
    };
    let floats = |key: &str| -> Vec<f64> {
        seen.rows.get(key).into_iter().flatten().map(|bits| f64::from_bits(*bits)).collect()
    };
    for rule in Rule::ALL {
        let (path, memory) = (floats(rule.path_key()), floats(rule.memory_key()));
        assert_eq!(memory.len(), if rule.remembers_more() { 4 * State::PACKED } else { 0 }, "{rule:?}");
        let mut state = State::new([-1.2, 1.0]);
        for k in 0..=200 {
            for memory in [&memory[..], &memory[..memory.len().min(State::PACKED)], &[]] {
                let told = state_at(rule, k, &path, memory, |state| rule.step(state, surface, &hyper_at(state.k)));
                let bits = |state: &State| {
                    // A path does not tell how many gradients there were; of one for each update that is known.
                    state.pack().map(f64::to_bits)
                };
                assert_eq!(bits(&told), bits(&state), "{rule:?} at {k}");
            }
            rule.step(&mut state, surface, &hyper_at(k));
        }
    }
}

#[test]
fn a_checkpoint_of_the_articles_rules_from_before_there_were_others_goes_on() {
    let params = params(&["surface=beale", "start_x=0.5", "start_y=-1", "learning_rate=0.1"]);
    let (at, last) = (300, 400);
    let mut seen = Seen::default();
    let mut first = SurfaceRun::new(&params, last).unwrap();
    seen.run(&mut first, 0..=at, last, &[]);
    let mut old = first.checkpoint().unwrap();
    for walker in &first.walkers {
        let (id, State { theta, a, b, k, .. }) = (walker.rule.id(), walker.state);
        old.tensors.remove(&format!("memory/{id}"));
        old.tensors.remove(&format!("walker/{id}"));
        let diverged = walker.diverged_at.map_or(-1.0, |step| step as f64);
        let vectors = [theta, a, b, walker.gradient, walker.moved, [walker.f, k as f64]];
        old.put_f64(format!("state/{id}"), vectors.into_iter().flatten().chain([diverged]).collect());
    }
    old.put_f64("hyper", first.hyper.values()[..7].to_vec());
    let mut second = SurfaceRun::new(&params, last).unwrap();
    second.restore(&old).unwrap();
    seen.run(&mut second, at + 1..=last, last, &[]);
    let mut whole = Seen::default();
    whole.run(&mut SurfaceRun::new(&params, last).unwrap(), 0..=last, last, &[]);
    assert_eq!(seen, whole);
}

#[test]
fn seven_rules_take_part_unless_told_otherwise() {
    assert_eq!(enabled(&params(&[])).collect::<Vec<_>>(), Rule::ARTICLE);
    assert_eq!(enabled(&all_on(&[])).count(), Rule::ALL.len());
}
