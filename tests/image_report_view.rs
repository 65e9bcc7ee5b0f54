//! Ranking and attention tiles of the image-report lab, drawn from a run that is said by hand.

mod support;

use eframe::egui::{Vec2, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use learnscope::engine::event::Payload;
use learnscope::engine::params::Value;
use learnscope::engine::state::RunState;
use learnscope::engine::twin::TWIN;
use learnscope::kit::view::ViewAction;
use learnscope::labs::image_report::params::PARAMS;
use learnscope::plot::style::Style;

use support::made_run::{MadeRun, header, params};
use support::scene::{Scene, label};

const TILES: [&str; 2] = ["ranking", "words"];
const STEP: u64 = 8;
const WINDOW: Vec2 = vec2(1280.0, 800.0);
const WORDS: [(&str, &str, &str); 8] = [
    ("there", "o", "-"),
    ("is", "v", "-"),
    ("a", "o", "-"),
    ("small", "a", "-"),
    ("left", "a", "-"),
    ("effusion", "n", "0.5,0.5,1,1"),
    ("lungs", "n", "-"),
    ("clear", "a", "-"),
];
/// Names of the nine perturbations, and where their words stood.
const PERTURBED: [(&str, [usize; 8]); 9] = [
    ("shuffle_all", [7, 3, 5, 1, 0, 2, 4, 6]),
    ("swap_adjacent", [1, 0, 3, 2, 5, 4, 7, 6]),
    ("reverse", [7, 6, 5, 4, 3, 2, 1, 0]),
    ("within_trigrams", [2, 1, 0, 5, 4, 3, 7, 6]),
    ("trigrams", [3, 4, 5, 0, 1, 2, 6, 7]),
    ("nouns_adj", [0, 1, 2, 4, 7, 6, 5, 3]),
    ("all_but_nouns_adj", [2, 0, 1, 3, 4, 5, 6, 7]),
    ("nouns_verbs_adj", [0, 1, 2, 3, 4, 5, 6, 7]),
    ("antonym", [0, 1, 2, 3, 4, 5, 6, 7]),
];

/// A report of so many times the same eight words, and its perturbations; the eighth changes nothing.
fn texts(times: usize) -> String {
    let repeated = |at: &[usize; 8]| -> Vec<usize> { (0..times).flat_map(|k| at.map(|at| at + 8 * k)).collect() };
    let line = |id: &str, degenerate: u8, from: &[usize; 8]| {
        let from = repeated(from);
        let antonym = |word: &'static str| match word {
            "left" => "right",
            "clear" => "unclear",
            other => other,
        };
        let word = |at: &usize| if id == "antonym" { antonym(WORDS[at % 8].0) } else { WORDS[at % 8].0 };
        let words: Vec<&str> = from.iter().map(word).collect();
        let from: Vec<String> = from.iter().map(ToString::to_string).collect();
        format!("{id}\t{degenerate}\t{}\t{}", words.join(" "), from.join(","))
    };
    let report = line("report", 0, &[0, 1, 2, 3, 4, 5, 6, 7]);
    let all = PERTURBED.iter().map(|(id, from)| line(id, u8::from(*id == "nouns_verbs_adj"), from));
    std::iter::once(report).chain(all).collect::<Vec<_>>().join("\n")
}

fn matrix(rows: usize, cols: usize, value: impl Fn(usize, usize) -> f32) -> Payload {
    let values = (0..rows).flat_map(|row| (0..cols).map(move |col| (row, col))).map(|(row, col)| value(row, col));
    Payload::Matrix { rows: rows as u32, cols: cols as u32, values: values.collect() }
}

/// Of a perturbation with its image: 0.30, 0.31, .. 0.38.
fn cosine(row: usize) -> f32 {
    0.29 + 0.01 * row as f32
}

fn says(run: &mut MadeRun, prefix: &str, k: usize, times: usize, own: f32) {
    let cosine = |row: usize, col: usize| match (row, col) {
        (0, 0) => own,
        (row, 0) => cosine(row),
        (_, col) => 0.2 - 0.1 * col as f32,
    };
    run.payload(STEP, &format!("{prefix}ranking/scores/{k}"), matrix(10, 3, cosine));
    if prefix.is_empty() {
        // A twin perturbs as its run does and does not say so again.
        run.payload(0, &format!("ranking/texts/{k}"), Payload::Text(texts(times)));
    }
    // Of every word a quarter of the attention lies in the region of its number, the rest is even.
    let raw = |word: usize, region: usize| if word % 16 == region { 1.0 } else { -0.25 };
    let weight = |word: usize, region: usize| if word % 16 == region { 0.25 } else { 0.05 };
    run.payload(STEP, &format!("{prefix}attention/raw/{k}"), matrix(8 * times, 16, raw));
    run.payload(STEP, &format!("{prefix}attention/weights/{k}"), matrix(8 * times, 16, weight));
}

/// Two pairs, the second with a long report; perhaps with a twin, which ranks the report first.
fn run(set: &[&str], twin: bool) -> RunState {
    let mut run = MadeRun::starts(header("image-report", &params(PARAMS, set), STEP));
    for (k, times) in [(0, 1), (1, 5)] {
        let image = Payload::Image { width: 8, height: 8, rgba: [90, 90, 90, 255].repeat(64) };
        run.payload(0, &format!("pair/image/{k}"), image);
        let words = WORDS.iter().map(|(word, class, place)| format!("{word}\t{class}\t{place}")).collect::<Vec<_>>();
        let text = format!("pair {k}\tstudy {k}\n{}", vec![words.join("\n"); times].join("\n"));
        run.payload(0, &format!("pair/words/{k}"), Payload::Text(text));
        says(&mut run, "", k, times, cosine(7));
        if twin {
            says(&mut run, TWIN, k, times, 0.9);
        }
    }
    if twin {
        let text = |id: &str| Value::Text(id.to_owned());
        run.changed(4, &format!("{TWIN}variant"), text("ours"), text("convirt"));
    }
    run.ends(STEP)
}

fn scene(run: RunState, tile: &'static str) -> Scene {
    Scene::of("image-report", run, tile)
}

fn click(harness: &mut Harness<'_, Scene>, name: &str) {
    harness.get_by_label(name).click();
    harness.run_steps(3);
}

fn tags_set(harness: &Harness<'_, Scene>) -> Option<String> {
    harness.state().actions.iter().rev().find_map(|action| match action {
        ViewAction::SetParam { key, value: Value::Text(value), settled: true } if key == "tags" => Some(value.clone()),
        _ => None,
    })
}

#[test]
fn both_tiles_are_drawn_in_every_style_size_and_state() {
    for tile in TILES {
        for run in [RunState::default(), run(&[], false), run(&["variant=convirt"], true)] {
            for style in [Style::dark(), Style::light(), Style::high_contrast()] {
                Scene { style, ..scene(run.clone(), tile) }.harness(WINDOW);
            }
            for size in [vec2(72.0, 60.0), vec2(260.0, 180.0), vec2(400.0, 700.0), vec2(620.0, 420.0), WINDOW] {
                scene(run.clone(), tile).stays_within(size);
                Scene { presenting: true, ..scene(run.clone(), tile) }.stays_within(size);
            }
        }
    }
}

#[test]
fn what_is_not_whole_is_left_out() {
    let text = |words: &str| Payload::Text(words.to_owned());
    let broken = [
        matrix(1, 1, |_, _| 0.0),
        matrix(0, 3, |_, _| 0.0),
        Payload::Matrix { rows: 9, cols: 16, values: vec![f32::NAN; 3] },
        matrix(8, 16, |_, _| f32::NAN),
        matrix(10, 3, |_, _| f32::NAN),
        text(""),
        text("report"),
        text("a\tb\nc\tn\t1,2"),
        text("report\t0\ta b\t5,7"),
        Payload::Image { width: 9, height: 9, rgba: vec![0; 3] },
    ];
    for tile in TILES {
        for bad in &broken {
            for prefix in ["pair/", "ranking/scores", "ranking/texts", "attention/", "twin/", ""] {
                let mut run = run(&[], true);
                for (key, track) in &mut run.payloads {
                    if let Some((_, payload)) = track.newest.as_mut().filter(|_| key.starts_with(prefix)) {
                        *payload = std::sync::Arc::new(bad.clone());
                    }
                }
                let mut scene = scene(run, tile);
                let commands = scene.view.commands();
                commands.iter().filter(|(id, _)| id.starts_with(tile)).for_each(|(id, _)| scene.command(id));
                scene.harness(vec2(700.0, 500.0));
            }
        }
    }
}

#[test]
fn the_rank_is_told_and_what_changes_nothing_is_named() {
    let mut harness = scene(run(&[], false), "ranking").harness(WINDOW);
    // 0.36 is a tie with the seventh; the eighth counts for nothing; the ninth is above.
    assert!(label(&harness, "rank 3 of 9").contains("(1 changes nothing) · pair 0"));
    label(&harness, "Shuffle Nouns, Verbs, and Adjectives, changes nothing: cosine 0.370");
    label(&harness, "Report: cosine 0.360, with another image 0.100, with the mean image 0.000");
    label(&harness, "image of pair 0");
    let top = |harness: &Harness<'_, Scene>, words: &str| harness.get_by_label_contains(words).rect().top();
    assert!(top(&harness, "Replace Adjectives with Antonyms: cosine") < top(&harness, "Report: cosine"));
    click(&mut harness, "Table I");
    assert!(top(&harness, "Replace Adjectives with Antonyms: cosine") > top(&harness, "Report: cosine"));
    for name in ["ticks", "zoom", "next"] {
        click(&mut harness, name);
    }
    label(&harness, "image of pair 1");
}

#[test]
fn rows_open_by_a_click_and_by_commands() {
    let mut harness = scene(run(&[], false), "ranking").harness(WINDOW);
    label(
        &harness,
        "Replace Adjectives with Antonyms: 2 of 8 words differ: there is a small right effusion lungs unclear",
    );
    harness.get_by_label_contains("Reverse Sentence: cosine").click();
    harness.run_steps(2);
    label(&harness, "Reverse Sentence: 8 of 8 words differ");
    harness.state_mut().command("ranking-down");
    harness.hover_at(eframe::egui::pos2(1.0, 1.0));
    harness.run_steps(3);
    label(&harness, "Swap Adjacent Words: 8 of 8 words differ");
    harness.state_mut().command("ranking-up");
    harness.run_steps(2);
    label(&harness, "Reverse Sentence: 8 of 8 words differ");
    // Pointing shows another one for as long as it lasts.
    harness.get_by_label_contains("Shuffle Trigrams: cosine").hover();
    harness.run_steps(2);
    label(&harness, "Shuffle Trigrams: 6 of 8 words differ");
    harness.get_by_label_contains("Reverse Sentence: cosine").click();
    harness.hover_at(eframe::egui::pos2(1.0, 1.0));
    harness.run_steps(3);
    assert!(harness.query_by_label_contains("words differ").is_none(), "a second click closes it");
}

#[test]
fn a_word_of_the_report_gets_another_class() {
    let mut harness = scene(run(&[], false), "ranking").with(&["tags=mid=adj"]).harness(WINDOW);
    click(&mut harness, "left, adjective");
    click(&mut harness, "verb");
    assert_eq!(tags_set(&harness).as_deref(), Some("mid=adj;left=verb"));
    let mut again = scene(run(&[], false), "ranking").with(&["tags=left=verb;mid=adj"]).harness(WINDOW);
    click(&mut again, "left, adjective, linked");
    click(&mut again, "as the tagger says");
    assert_eq!(tags_set(&again).as_deref(), Some("mid=adj"));
}

#[test]
fn both_twins_are_ranked_side_by_side() {
    let harness = scene(run(&[], true), "ranking").harness(WINDOW);
    assert!(label(&harness, "rank 3 of 9").contains("twin: rank 1 of 9"));
    let own = harness.get_by_label_contains("Report: cosine 0.360").rect();
    let twin = harness.get_by_label_contains("twin, Report: cosine 0.900").rect();
    assert!(own.right() < twin.left(), "{own} {twin}");
}

#[test]
fn a_word_that_is_pointed_at_draws_its_map() {
    let mut harness = scene(run(&[], false), "words").harness(WINDOW);
    label(&harness, "W = 8 words, R = 16 regions · pair 0");
    // At first the finding. Its region is the sixth: outside of the lower right quarter, where each region has 0.05.
    label(&harness, "attention of “effusion” over pair 0");
    label(&harness, "20 % of the attention of “effusion” lies in its box, which covers 25 % of the image");
    harness.get_by_label("small, adjective").hover();
    harness.run_steps(3);
    label(&harness, "attention of “small” over pair 0");
    label(&harness, "“small” is strongest in row 1, column 4");
    harness.get_by_label("is, verb").click();
    harness.hover_at(eframe::egui::pos2(1.0, 1.0));
    harness.run_steps(3);
    label(&harness, "attention of “is” over pair 0");
    click(&mut harness, "raw");
    label(&harness, "raw scores of “is” over pair 0");
    click(&mut harness, "sharp");
    harness.state_mut().command("words-next-word");
    harness.run_steps(2);
    label(&harness, "sharp attention of “a” over pair 0");
    harness.state_mut().command("words-next");
    harness.run_steps(2);
    label(&harness, "sharp attention of “effusion” over pair 1");
}

#[test]
fn a_region_that_is_pointed_at_tells_its_word() {
    let mut harness = scene(run(&[], false), "words").harness(WINDOW);
    let picture = harness.get_by_label_contains("attention of “effusion” over").rect();
    // The second of four regions of the second row.
    let side = picture.width().min(picture.height());
    harness.hover_at(picture.center() + vec2(-0.125 * side, -0.125 * side));
    harness.run_steps(3);
    label(&harness, "Region row 2, column 2: “effusion” has the largest value.");
}

#[test]
fn scores_that_nothing_trains_are_named() {
    let trained = scene(run(&["variant=gloria"], false), "words").harness(WINDOW);
    assert!(trained.query_by_label_contains("no local term").is_none());
    for variant in ["variant=convirt", "variant=without-local"] {
        label(&scene(run(&[variant], false), "words").harness(WINDOW), "The loss has no local term");
    }
    let mut twin = scene(run(&[], true), "words").harness(WINDOW);
    assert!(twin.query_by_label_contains("no local term").is_none());
    click(&mut twin, "twin");
    label(&twin, "twin, pair 0");
    label(&twin, "The loss has no local term");
}
