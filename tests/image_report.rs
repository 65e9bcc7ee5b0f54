//! The image-report lab's training, on the CPU: it learns, it repeats, it resumes, and its controls tell reading from counting.

mod support;

use std::fs;

use learnscope::engine::event::Payload;
use learnscope::engine::params::{Params, Value};
use learnscope::labs::image_report::params::PARAMS;
use learnscope::labs::image_report::{self, KEYS};
use support::drive::{Drive, Maker};

/// Small and quick: 40 pairs to train on and 12 to test on, of 32 pixels.
fn params(set: &[&str]) -> Params {
    let mut params = Params::defaults(PARAMS);
    let tiny = [
        "image_size=32",
        "train_pairs=40",
        "test_pairs=12",
        "batch_size=8",
        "width=32",
        "evaluate_every=4",
        "show_every=2",
        "max_words=24",
    ];
    for text in tiny.iter().chain(set) {
        params.set_text(PARAMS, text).unwrap();
    }
    params
}

const LAB: Maker = Maker { build: image_report::build, keys: KEYS };

#[test]
fn reports_are_told_from_their_perturbations_and_everything_declared_is_emitted() {
    let set = [
        "image_size=64",
        "train_pairs=160",
        "test_pairs=32",
        "batch_size=32",
        "width=48",
        "evaluate_every=60",
        "show_every=60",
        "nli_epochs=1",
        "beta=1",
    ];
    let mut run = LAB.build(&params(&set), 1, 60).begin();
    run.run_to(60);
    let (early, late) = (run.at("structure/accuracy", 0), run.at("structure/accuracy", 60));
    assert!(early < 0.4 && late > 0.8, "structure accuracy {early} -> {late}");
    assert!(run.at("rank/mean", 60) < 1.5, "{}", run.at("rank/mean", 60));
    assert!((0.09..0.12).contains(&run.at("structure/chance", 60)));
    let loss = &run.scalars["loss/global"];
    assert!(loss.last().unwrap().1 < 0.8 * loss[0].1, "L_global {:?} -> {:?}", loss[0], loss.last());
    for spec in KEYS {
        let family = spec.key.trim_end_matches('*');
        let emitted = run.scalars.keys().any(|key| key.starts_with(family))
            || run.payloads.keys().any(|(key, _)| key.starts_with(family));
        assert!(emitted, "{} is declared and never emitted", spec.key);
    }
    // Attention of every shown word adds up to 1.
    let Payload::Matrix { rows, cols, values } = &run.payloads[&("attention/weights/0".to_owned(), 60)] else {
        panic!()
    };
    assert_eq!(*cols, 64);
    for row in values.chunks_exact(*cols as usize) {
        assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-4);
    }
    let Payload::Text(words) = &run.payloads[&("pair/words/0".to_owned(), 0)] else { panic!() };
    assert_eq!(words.lines().count(), 1 + *rows as usize, "a line for the pair and one for each word");
}

/// Configurations that differ in what they carry from step to step.
const KINDS: [&[&str]; 7] = [
    &[],
    &["variant=convirt", "optimizer=sgd"],
    &["variant=gloria", "attention=sharp", "directions=sum", "cls_word=on", "temp2=3"],
    &["variant=without-local", "temperature=learned", "perturbed=once", "keep_degenerate=on"],
    &["attention=printed", "aggregate=mean", "optimizer=adamw", "weight_decay=0.01"],
    &["convolution=off", "layers=2", "directions=slip"],
    &["nli_epochs=1", "schedule=constant"],
];

#[test]
fn a_resumed_run_goes_on_to_the_same_bits() {
    for kind in KINDS {
        let params = params(kind);
        // In the middle of an epoch, and at its end.
        for at in [3, 5] {
            let mut whole = LAB.build(&params, 3, 8).begin();
            whole.run_to(at);
            let checkpoint = whole.experiment.checkpoint().unwrap();
            whole.run_to(8);
            let mut rest = LAB.restored(&params, 3, 8, &checkpoint);
            rest.run_to(8);
            assert_eq!(whole.after(at), rest.after(at), "{kind:?} from {at}");
            let [whole, rest] = [&mut whole, &mut rest].map(|run| run.experiment.checkpoint().unwrap());
            assert_eq!(whole, rest, "{kind:?} from {at}");
        }
    }
}

#[test]
fn a_change_by_hand_is_carried_over_a_checkpoint() {
    for (key, value) in [
        ("variant", Value::Text("convirt".to_owned())),
        ("tau", Value::Float(0.2)),
        ("tags", Value::Text("lungs=other;clear=adjective".to_owned())),
        ("antonyms", Value::Text("clear=foggy".to_owned())),
        ("attention", Value::Text("sharp".to_owned())),
        ("temp1", Value::Float(9.0)),
        ("temp2", Value::Float(1.5)),
        ("temp3", Value::Float(3.0)),
        ("cls_word", Value::Switch(true)),
    ] {
        for base in [params(&[]), params(&["temperature=learned"])] {
            let mut changed = base.clone();
            changed.set_text(PARAMS, &format!("{key}={value}")).unwrap();
            let mut whole = LAB.build(&base, 3, 8).begin();
            whole.run_to(2);
            whole.experiment.set(key, &value).unwrap();
            whole.run_to(5);
            let checkpoint = whole.experiment.checkpoint().unwrap();
            whole.run_to(8);
            let mut rest = LAB.restored(&changed, 3, 8, &checkpoint);
            rest.run_to(8);
            assert_eq!(whole.after(5), rest.after(5), "{key}");
            if ["temp1", "temp2", "temp3", "cls_word"].contains(&key) {
                let mut unchanged = LAB.build(&base, 3, 8).begin();
                unchanged.run_to(3);
                let loss = |run: &Drive| run.at("loss/local", 3);
                assert!((loss(&whole) - loss(&unchanged)).abs() > 1e-4, "{key} acts on the step after it is set");
            }
        }
    }
}

#[test]
fn what_cannot_be_is_refused_by_name() {
    for (set, words) in [
        (&["tags=lungs"][..], "`lungs` is not WORD=CLASS"),
        (&["tags=lungs=plural"], "`plural` of `lungs` is no word class"),
        (&["antonyms=clear=foggy;clear=dim"], "`clear` is there twice"),
        (&["batch_size=64"], "there are 40 pairs to train on"),
        (&["source=folder"], "`data`"),
        (&["nli_train=a.jsonl"], "`nli_test`"),
    ] {
        let message = LAB.try_build(&params(set), 1, 2).err().unwrap().to_string();
        assert!(message.contains(words), "{message}");
    }
}

#[test]
fn a_folder_of_pairs_is_divided_by_study_and_read_again_alike() {
    let folder = tempfile::tempdir().unwrap();
    let mut table = "image,text,study\n".to_owned();
    for i in 0..24 {
        let pixels: Vec<u8> = (0..40 * 40).map(|k| ((k * (i + 3)) % 251) as u8).collect();
        image::save_buffer(folder.path().join(format!("{i}.png")), &pixels, 40, 40, image::ExtendedColorType::L8)
            .unwrap();
        table += &format!("{i}.png,\"The lungs are clear, case {} of a small left effusion.\",s{}\n", i % 7, i / 2);
    }
    // A report of one word, one of 500 (of pieces that no vocabulary has), and one of none.
    table += &format!("0.png,,s90\n1.png,clear,s91\n2.png,{},s92\n", "øræ1 x-7/ß ".repeat(250));
    fs::write(folder.path().join("pairs.csv"), table).unwrap();
    let source = format!("data={}", folder.path().display());
    let params = params(&["source=folder", &source, "batch_size=4"]);
    let mut run = LAB.build(&params, 3, 4).begin();
    run.run_to(4);
    let Payload::Text(split) = &run.payloads[&("data/split".to_owned(), 0)] else { panic!() };
    let part = |i: usize| {
        split
            .lines()
            .find(|line| line.starts_with(&format!("{i}\t")))
            .map(|line| line.split('\t').nth(1).unwrap().to_owned())
    };
    for i in (4..24).step_by(2) {
        assert_eq!(part(i), part(i + 1), "pictures {i} and {} are of one study:\n{split}", i + 1);
    }
    assert!(split.contains("\ttest\t") && split.contains("\ttrain\t"));
    let mut again = LAB.build(&params, 3, 4).begin();
    again.run_to(4);
    assert_eq!(run.after(0), again.after(0));
}

#[test]
fn the_probe_is_fitted_on_a_folder_of_labels_and_judged_by_its_validation_part() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for (table, count, first) in [("train", 40, 0), ("valid", 20, 1000)] {
        let mut lines = "Path,Sex,Age,Frontal/Lateral,AP/PA,Bright,Dark corner\n".to_owned();
        for i in 0..count {
            let name = format!("{table}/patient{:05}/study1/view1_frontal.png", first + i);
            let path = root.join(&name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            let bright = i % 2 == 0;
            let pixels: Vec<u8> =
                (0..40 * 40).map(|k| (k * (i + 3) % 60) as u8 + if bright { 190 } else { 0 }).collect();
            image::save_buffer(&path, &pixels, 40, 40, image::ExtendedColorType::L8).unwrap();
            // The second label is there in four pictures, uncertain in some, and nowhere mentioned in the rest.
            let second = ["1.0", "0.0", "-1.0", ""][i % 4];
            lines += &format!("CheXpert-v1.0-small/{name},Male,50,Frontal,AP,{}.0,{second}\n", u8::from(bright));
        }
        fs::write(root.join(format!("{table}.csv")), lines).unwrap();
    }
    let run = |set: &[&str]| {
        let mut run = LAB.build(&params(set), 3, 2).begin();
        run.run_to(2);
        run
    };
    let set = format!("probe_data={}", root.display());
    let probed = run(&[&set]);
    let Payload::Table { columns, rows } = &probed.payloads[&("probe/table".to_owned(), 2)] else { panic!() };
    assert_eq!((rows.len(), &rows[0][0][..], &rows[1][0][..]), (2, "Bright", "Dark corner"));
    let column = |name: &str| columns.iter().position(|of| of == name).unwrap();
    assert_eq!(rows[0][column("AUC")], "1.000", "bright pictures are told from dark ones: {rows:?}");
    assert_eq!(rows[0][column("prevalence")], "50.0 %");
    let said = |words: &str| probed.notices.iter().any(|(_, text)| text.contains(words));
    assert!(said("fitted on 40 images, judged by 20"), "{:?}", probed.notices);
    assert_eq!(run(&[]).payloads[&("probe/table".to_owned(), 2)], run(&[]).payloads[&("probe/table".to_owned(), 2)]);

    fs::remove_file(root.join("train.csv")).unwrap();
    fs::remove_file(root.join("valid.csv")).unwrap();
    fs::write(root.join("pairs.csv"), "image,text\ntrain/patient00001/study1/view1_frontal.png,clear lungs\n").unwrap();
    let message = LAB.try_build(&params(&[&set]), 1, 2).err().unwrap().to_string();
    assert!(message.contains("`probe_data`") && message.contains("without labels"), "{message}");
}
