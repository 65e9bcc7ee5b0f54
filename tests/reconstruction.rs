//! The reconstruction lab's training, on the CPU: it learns, it repeats, it resumes, its routines draw what they should.

mod support;

use burn::tensor::{Tensor, TensorData};
use learnscope::compute::device;
use learnscope::compute::readback::Reader;
use learnscope::engine::event::Payload;
use learnscope::engine::params::{Params, Value};
use learnscope::labs::reconstruction::params::PARAMS;
use learnscope::labs::reconstruction::{self, KEYS};
use learnscope::nn::reconstruction::decoder::transposed;
use support::drive::Maker;

/// Small and quick: 32 pixels, 20 labelled and 24 unlabelled pictures in batches of 5.
fn params(set: &[&str]) -> Params {
    let mut params = Params::defaults(PARAMS);
    let tiny = [
        "image_size=32",
        "train_images=20",
        "unlabelled_images=24",
        "validation_images=6",
        "test_images=24",
        "unseen_images=4",
        "batch_size=5",
        "width=1/2",
        "validate_every=4",
        "rebuild_every=4",
        "gradients_every=1",
        "explain_every=0",
        "phase_steps=6",
    ];
    for text in tiny.iter().chain(set) {
        params.set_text(PARAMS, text).unwrap();
    }
    params
}

const LAB: Maker = Maker { build: reconstruction::build, keys: KEYS };

#[test]
fn the_combined_routine_learns_both_tasks_and_reports_what_it_declares() {
    let params = params(&[
        "train_images=60",
        "unlabelled_images=60",
        "width=1",
        "head=ordinal",
        "batch_size=12",
        "learning_rate=0.003",
        "validate_every=40",
        "unseen_images=16",
        "explain_every=240",
        "query=entropy",
        "query_every=100",
        "query_count=2",
    ]);
    let mut run = LAB.build(&params, 1, 240).begin();
    run.run_to(240);
    let (early, late) = (run.at("mse/test", 0), run.at("mse/test", 240));
    assert!(late < 0.2 * early, "MSE {early} -> {late}");
    let labelled: Vec<f64> = run.scalars["loss/classification"].iter().map(|(_, loss)| *loss).collect();
    let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
    let (early, late) = (mean(&labelled[..10]), mean(&labelled[labelled.len() - 10..]));
    assert!(late < 0.8 * early, "L_cl {early} -> {late}");
    for spec in KEYS {
        let family = spec.key.trim_end_matches('*');
        let emitted = run.scalars.keys().any(|key| key.starts_with(family))
            || run.payloads.keys().any(|(key, _)| key.starts_with(family))
            || spec.key == "strip";
        assert!(emitted, "{} is declared and never emitted", spec.key);
    }
    let Payload::Matrix { rows, cols, .. } = &run.payloads[&("scores/test".to_owned(), 240)] else { panic!() };
    assert_eq!((*rows, *cols), (24, 3));
}

/// Configurations that differ in what they carry from step to step.
const KINDS: [&[&str]; 10] = [
    &[],
    &["routine=ae-then-cl", "freeze_steps=2"],
    &["routine=supervised", "optimizer=nesterov", "learning_rate=0.01"],
    &["routine=labelled-also", "lambda_rule=smoothed", "head=softmax", "width=1/8", "explain_every=7"],
    &["tied=on", "lambda_rule=gradnorm", "leaky=on"],
    &["loop_shorter=on", "lambda_rule=literal", "optimizer=adamw", "labelled_share=0.5"],
    &["network=aeres18", "batch_size=8", "reconstruction=ssim"],
    &["query=bald", "query_every=2", "query_count=3", "labelled_share=0.4"],
    &["query=k-centre", "query_every=1", "query_count=2", "restart=cold", "routine=ae-then-cl"],
    &["query=random", "query_every=3", "query_count=2", "oracle=off"],
];

#[test]
fn a_resumed_run_goes_on_to_the_same_bits() {
    for kind in KINDS {
        let params = params(kind);
        // Before and after the second phase begins, and in the middle of an epoch.
        for at in [3, 6, 7] {
            if kind.contains(&"network=aeres18") && at != 3 {
                continue;
            }
            let mut whole = LAB.build(&params, 3, 9).begin();
            whole.run_to(at);
            let checkpoint = whole.experiment.checkpoint().unwrap();
            whole.run_to(9);
            let mut rest = LAB.restored(&params, 3, 9, &checkpoint);
            rest.run_to(9);
            assert_eq!(whole.after(at), rest.after(at), "{kind:?} from {at}");
            assert_eq!(
                whole.experiment.checkpoint().unwrap(),
                rest.experiment.checkpoint().unwrap(),
                "{kind:?} from {at}"
            );
        }
    }
}

#[test]
fn a_change_by_hand_is_carried_over_a_checkpoint() {
    let given = "unlabelled A1=3";
    let name = asked_for(&params(&["query=random", "query_every=1", "oracle=off"]), 2)[0].0.clone();
    let given = given.replace("unlabelled A1", &name);
    for (key, value) in [("labelled_share", Value::Float(0.4)), ("given_labels", Value::Text(given))] {
        let base = params(&[]);
        let changed = params(&[&format!("{key}={value}")]);
        let mut whole = LAB.build(&base, 3, 12).begin();
        whole.run_to(4);
        whole.experiment.set(key, &value).unwrap();
        whole.run_to(7);
        let checkpoint = whole.experiment.checkpoint().unwrap();
        whole.run_to(12);
        let mut rest = LAB.restored(&changed, 3, 12, &checkpoint);
        rest.run_to(12);
        assert_eq!(whole.after(7), rest.after(7), "{key}");
    }
}

/// Names and grades of what a text under `query/asked` asks for.
fn read_asked(payload: &Payload) -> Vec<(String, String)> {
    let Payload::Text(text) = payload else { panic!("{payload:?}") };
    let cells = |line: &str| line.split('\t').map(str::to_owned).collect::<Vec<_>>();
    text.lines().skip(1).map(cells).map(|cells| (cells[0].clone(), cells[1].clone())).collect()
}

/// The same of the first round, of a run of so many steps.
fn asked_for(params: &Params, steps: u64) -> Vec<(String, String)> {
    let mut run = LAB.build(params, 3, steps).begin();
    run.run_to(steps);
    read_asked(run.newest("query/asked"))
}

#[test]
fn an_oracle_labels_every_picture_once_and_an_empty_pool_is_told_once() {
    for query in ["random", "entropy", "margin", "bald", "k-centre", "reconstruction"] {
        // 8 labels to begin with, and a pool of 12 hidden and 24 unlabelled pictures: 5 rounds of 7, and one of what is left.
        let query = format!("query={query}");
        let set = params(&["labelled_share=0.4", &query, "query_every=2", "query_count=7", "validate_every=1000"]);
        let mut run = LAB.build(&set, 2, 20).begin();
        run.run_to(20);
        let asked = run.payloads.iter().filter(|((key, _), _)| key == "query/asked");
        let asked: Vec<Vec<(String, String)>> = asked.map(|(_, payload)| read_asked(payload)).collect();
        assert_eq!(asked.iter().map(Vec::len).collect::<Vec<_>>(), [7, 7, 7, 7, 7, 1], "{query}");
        let mut names: Vec<&String> = asked.iter().flatten().map(|(name, _)| name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), 36, "{query}: none twice");
        assert!(asked.iter().flatten().all(|(_, grade)| grade.parse::<u8>().is_ok_and(|grade| grade < 4)));
        let labels: Vec<f64> = [1, 3, 5, 13, 20].map(|step| run.at("labels", step)).into();
        assert_eq!(labels, [8.0, 15.0, 22.0, 44.0, 44.0], "{query}");
        let told = run.notices.iter().filter(|(_, text)| text.contains("nothing is left to ask for")).count();
        assert_eq!(told, 1, "{query}: {:?}", run.notices);
        // Nothing is unlabelled any more.
        assert!(run.tables["strip"].chunks(4).skip(12).all(|row| row[2] == 1.0), "{query}");
    }
}

#[test]
fn pictures_that_wait_for_a_person_stay_until_one_is_graded_and_training_goes_on() {
    let set = params(&["routine=supervised", "query=entropy", "query_every=2", "query_count=3", "oracle=off"]);
    let mut run = LAB.build(&set, 2, 20).begin();
    run.run_to(7);
    let rounds = |run: &support::drive::Drive| -> Vec<u64> {
        run.payloads.keys().filter(|(key, _)| key == "query/asked").map(|(_, step)| *step).collect()
    };
    assert_eq!((rounds(&run), run.at("labels", 7)), (vec![2], 20.0));
    assert!(run.notices.iter().any(|(_, text)| text.contains("3 wait for your grade")), "{:?}", run.notices);
    let asked = read_asked(run.newest("query/asked"));
    assert!(asked.iter().all(|(_, grade)| grade == "?"), "the answer is not told: {asked:?}");
    let given = Value::Text(format!("{}=2", asked[1].0));
    run.experiment.set("given_labels", &given).unwrap();
    run.run_to(12);
    assert_eq!((rounds(&run), run.at("labels", 8)), (vec![2, 8], 21.0));
    assert!(read_asked(run.newest("query/asked")).iter().all(|(name, _)| *name != asked[1].0));
    // Taken back: it may be asked for again.
    run.experiment.set("given_labels", &Value::Text(String::new())).unwrap();
    run.run_to(13);
    assert_eq!(run.at("labels", 13), 20.0);
}

#[test]
fn what_cannot_be_a_label_is_refused_and_changes_nothing() {
    let set = params(&[]);
    let run = |changes: &[&str]| {
        let mut run = LAB.build(&set, 3, 8).begin();
        run.run_to(3);
        for change in changes {
            let refused = run.experiment.set("given_labels", &Value::Text((*change).to_owned())).unwrap_err();
            assert!(refused.to_string().contains("`given_labels`"), "{refused}");
        }
        run.run_to(8);
        run.after(0)
    };
    assert_eq!(run(&["nobody=1", "labelled A1", "x=4"]), run(&[]));
    let message = LAB.try_build(&params(&["given_labels=nobody=1"]), 1, 3).map(|_| ()).unwrap_err().to_string();
    assert!(message.contains("no picture `nobody`"), "{message}");
}

#[test]
fn labels_restart_training_warm_or_cold() {
    let weights = |restart: &str, steps: u64| {
        let set = params(&["query=margin", "query_every=4", "learning_rate=0.01", &format!("restart={restart}")]);
        let mut run = LAB.build(&set, 2, 6).begin();
        run.run_to(steps);
        let checkpoint = run.experiment.checkpoint().unwrap();
        let of = |part: &str| {
            let names = checkpoint.tensors.keys().filter(|name| name.starts_with(part));
            names.map(|name| checkpoint.tensors[name].clone()).collect::<Vec<_>>()
        };
        (of("classifier/"), of("decoder/"), of("encoder/optimizer/").len())
    };
    let (first, cold, warm) = (weights("cold", 0), weights("cold", 4), weights("warm", 4));
    assert_eq!(first, cold);
    assert_ne!(first.1, warm.1);
    assert_eq!(warm.2, 0, "optimizers forget");
    assert_ne!(weights("warm", 3).2, 0);
}

#[test]
fn routines_learn_from_what_they_should() {
    let of = |set: &[&str], steps: u64| {
        let mut run = LAB.build(&params(set), 2, steps).begin();
        run.run_to(steps);
        run
    };
    let count = |run: &support::drive::Drive, key: &str| run.scalars.get(key).map_or(0, |points| points.len());
    let supervised = of(&["routine=supervised"], 8);
    assert_eq!((count(&supervised, "loss/reconstruction"), count(&supervised, "loss/classification")), (0, 8));
    assert!(!supervised.payloads.keys().any(|(key, _)| key.starts_with("wall/rebuilt")), "its decoder learns nothing");
    let two = of(&["routine=ae-then-cl"], 10);
    assert_eq!((count(&two, "loss/reconstruction"), count(&two, "loss/classification")), (6, 4));
    // 4 labelled and 5 unlabelled batches an epoch.
    let combined = of(&[], 9);
    assert_eq!((count(&combined, "loss/reconstruction"), count(&combined, "loss/classification")), (9, 4));
    let also = of(&["routine=labelled-also"], 8);
    assert_eq!((count(&also, "loss/reconstruction"), count(&also, "loss/classification")), (8, 8));
}

#[test]
fn an_unlabelled_batch_does_not_move_the_classifier() {
    let params = params(&["routine=ae-then-cl", "weight_decay=0.1", "optimizer=sgd"]);
    let mut run = LAB.build(&params, 2, 8).begin();
    let classifier = |run: &mut support::drive::Drive| {
        let checkpoint = run.experiment.checkpoint().unwrap();
        let of = |name: &&String| name.starts_with("classifier/") && !name.contains("optimizer");
        checkpoint.tensors.keys().filter(of).map(|name| checkpoint.tensors[name].clone()).collect::<Vec<_>>()
    };
    let before = classifier(&mut run);
    run.run_to(6);
    assert_eq!(classifier(&mut run), before);
    run.run_to(8);
    assert_ne!(classifier(&mut run), before);
}

#[test]
fn the_second_phase_can_begin_at_once_and_freezes_the_encoder_if_asked() {
    let params = params(&["routine=ae-then-cl", "freeze_steps=2"]);
    let mut run = LAB.build(&params, 2, 8).begin();
    run.run_to(2);
    run.experiment.set("second_phase", &Value::Switch(true)).unwrap();
    let encoder = |run: &mut support::drive::Drive| {
        let checkpoint = run.experiment.checkpoint().unwrap();
        let of = |name: &&String| name.starts_with("encoder/") && !name.contains("optimizer");
        checkpoint.tensors.keys().filter(of).map(|name| checkpoint.tensors[name].clone()).collect::<Vec<_>>()
    };
    let before = encoder(&mut run);
    run.run_to(4);
    assert_eq!(run.scalars["loss/classification"].len(), 2);
    assert_eq!(encoder(&mut run), before, "frozen");
    run.run_to(5);
    assert_ne!(encoder(&mut run), before);
}

#[test]
fn a_fork_with_another_lambda_or_routine_goes_its_own_way() {
    let base = params(&[]);
    let mut run = LAB.build(&base, 5, 20).begin();
    run.run_to(5);
    let checkpoint = run.experiment.checkpoint().unwrap();
    run.run_to(9);
    for (key, value) in [
        ("lambda", Value::Float(5.0)),
        ("routine", Value::Text("supervised".into())),
        ("labelled_share", Value::Float(0.3)),
        ("reconstruction", Value::Text("l1".into())),
    ] {
        let mut twin = LAB.restored(&base, 5, 20, &checkpoint);
        twin.experiment.set(key, &value).unwrap();
        twin.run_to(9);
        assert_ne!(twin.after(5), run.after(5), "{key}");
    }
}

#[test]
fn the_printed_equation_for_lambda_jumps_and_the_balanced_one_does_not() {
    let walk = |rule: &str| -> Vec<f64> {
        let mut run = LAB.build(&params(&[&format!("lambda_rule={rule}"), "lambda=0.1"]), 4, 60).begin();
        run.run_to(60);
        run.scalars["lambda"].iter().map(|(_, lambda)| *lambda).collect()
    };
    let jumps = |lambdas: &[f64]| {
        let turns = lambdas.windows(3).filter(|w| (w[1] - w[0]) * (w[2] - w[1]) < 0.0).count();
        turns as f64 / (lambdas.len() - 2) as f64
    };
    let (literal, smoothed) = (walk("literal"), walk("smoothed"));
    assert!(jumps(&literal) > 0.8, "{literal:?}");
    assert!(jumps(&smoothed) < 0.6, "{smoothed:?}");
}

#[test]
fn a_transposed_convolution_is_the_adjoint_of_the_convolution_with_the_same_kernel() {
    use burn::tensor::module::conv2d;
    use burn::tensor::ops::ConvOptions;
    let device = device::cpu();
    let tensor = |shape: [usize; 4], phase: f32| {
        let values: Vec<f32> = (0..shape.iter().product()).map(|i| (i as f32 * 0.37 + phase).sin()).collect();
        Tensor::<4>::from_data(TensorData::new(values, shape), &device)
    };
    for doubles in [true, false] {
        let (side, stride) = (8, if doubles { 2 } else { 1 });
        let (kernel, u) = (tensor([5, 3, 3, 3], 0.1), tensor([2, 3, side, side], 0.7));
        let z = tensor([2, 5, side / stride, side / stride], 1.3);
        let forward = conv2d(u.clone(), kernel.clone(), None, ConvOptions::new([stride; 2], [1, 1], [1, 1], 1));
        let mut reader = Reader::default();
        reader.add((forward * z.clone()).sum());
        reader.add((u * transposed(z, kernel, None, doubles)).sum());
        let read = reader.read().unwrap();
        assert!((read[0][0] - read[1][0]).abs() < 1e-3, "{} {}", read[0][0], read[1][0]);
    }
}

#[test]
fn where_the_network_looks_is_scored_against_the_lesions() {
    let mut run = LAB.build(&params(&["explain_every=7"]), 3, 9).begin();
    run.run_to(9);
    let steps = |key: &str| run.scalars[key].iter().map(|(step, _)| *step).collect::<Vec<_>>();
    assert_eq!(steps("explain/occlusion/auc"), [7, 9], "every so many steps and at the end");
    assert_eq!(steps("explain/cam/auc"), [0, 4, 8, 9], "Grad-CAM is cheap and comes with every validation");
    let Payload::Text(names) = run.newest("wall/names") else { panic!() };
    let grades: Vec<&str> = names.lines().map(|line| line.split('\t').nth(1).unwrap()).collect();
    for (name, side) in [("occlusion", 32), ("cam", 4)] {
        let Payload::Matrix { rows, cols: 4, values } = run.newest(&format!("explain/{name}/agreement")) else {
            panic!()
        };
        assert_eq!(*rows as usize, grades.len());
        for (k, (grade, row)) in grades.iter().zip(values.chunks_exact(4)).enumerate() {
            assert_eq!(row[2].is_nan(), *grade == "0", "a healthy picture has nothing to point at");
            let Payload::Matrix { rows, cols, values } = run.newest(&format!("explain/{name}/map/{k}")) else {
                panic!()
            };
            assert_eq!((*rows, *cols), (side, side));
            assert!(values.iter().all(|value| value.is_finite()));
        }
        // The mean that is told is that of the pictures with lesions.
        let aucs: Vec<f64> = values.chunks_exact(4).map(|row| f64::from(row[2])).filter(|auc| !auc.is_nan()).collect();
        let mean = aucs.iter().sum::<f64>() / aucs.len() as f64;
        assert!((run.at(&format!("explain/{name}/auc"), 9) - mean).abs() < 1e-6);
        let chance = run.at(&format!("explain/{name}/chance"), 9);
        assert!((0.005..0.6).contains(&chance), "{chance}");
    }
    let mut never = LAB.build(&params(&[]), 3, 4).begin();
    never.run_to(4);
    assert!(!never.scalars.contains_key("explain/occlusion/auc"), "0 is never");
}

#[test]
fn lesions_survive_where_the_decoder_learned_to_draw_them() {
    // A network that rebuilds hardly anything yet, and what is told of it.
    let mut run = LAB.build(&params(&[]), 3, 4).begin();
    run.run_to(4);
    let Payload::Matrix { rows, cols: 4, values } = run.newest("lesions/survival") else { panic!() };
    assert!(*rows >= 3);
    let of = |kind: f32| {
        let rows = values.chunks_exact(4).filter(move |row| row[0] == kind);
        rows.fold((0.0, 0.0), |(count, sum), row| (count + row[2], sum + row[2] * row[3]))
    };
    let (count, sum) = of(0.0);
    assert!(count >= 20.0 && sum / count < 0.5, "{sum} of {count} microaneurysms");
    assert!((run.at("lesions/microaneurysms", 4) - f64::from(sum / count)).abs() < 1e-5);
    let supervised = LAB.build(&params(&["routine=supervised"]), 3, 4).begin();
    assert!(
        !supervised.payloads.keys().any(|(key, _)| key.starts_with("lesions/") || key.starts_with("interpolation/"))
    );
}

#[test]
fn another_pair_is_decoded_with_the_next_step_also_after_a_resumption() {
    let base = params(&["between_first=3", "between_second=99"]);
    let mut whole = LAB.build(&base, 3, 12).begin();
    whole.run_to(5);
    let pair = |run: &support::drive::Drive, step: u64| match run.payloads.get(&("interpolation/pair".to_owned(), step))
    {
        Some(Payload::Matrix { values, .. }) => Some([values[0], values[1]]),
        _ => None,
    };
    assert_eq!(pair(&whole, 4), Some([3.0, 27.0]), "a number beyond the last of 28 pictures is the last one");
    assert_eq!(pair(&whole, 5), None);
    whole.experiment.set("between_first", &Value::Int(7)).unwrap();
    let checkpoint = whole.experiment.checkpoint().unwrap();
    whole.run_to(9);
    assert_eq!([6, 7, 8].map(|step| pair(&whole, step)), [Some([7.0, 27.0]), None, Some([7.0, 27.0])]);
    let changed = params(&["between_first=7", "between_second=99"]);
    let mut rest = LAB.restored(&changed, 3, 12, &checkpoint);
    rest.run_to(9);
    assert_eq!(whole.after(5), rest.after(5));
    let Payload::Image { width, height, .. } = rest.newest("interpolation/strip") else { panic!() };
    assert_eq!((*width, *height), (7 * 32, 32));
}

#[test]
fn a_graphics_device_computes_the_same_first_steps() {
    support::adapter::agrees_with_the_cpu(&reconstruction::SPEC);
}
