//! The segmentation lab on pictures that are larger than what its network sees, and on pictures with several structures: training,
//! judging, and prediction from the command line, which must say the same.

mod support;

use std::fs;
use std::path::Path;

use image::{GrayImage, Luma, Rgb, RgbImage};
use learnscope::engine::event::Payload;
use learnscope::engine::params::Params;
use learnscope::labs::segmentation::params::PARAMS;
use learnscope::labs::segmentation::source::load;
use learnscope::labs::segmentation::{self, KEYS};
use learnscope::watch::Watch;
use support::drive::{Drive, Maker};
use support::program;

const LAB: Maker = Maker { build: segmentation::build, keys: KEYS };
/// Of a picture, width and height.
const SIZE: (u32, u32) = (150, 110);

/// A bright disc with a brighter cup in it, on a picture with some noise; number `i` decides where.
fn discs(i: u32) -> (RgbImage, GrayImage) {
    let (x, y, r) = (40 + i * 37 % 70, 35 + i * 23 % 40, 18 + i * 5 % 9);
    let within = |px: u32, py: u32, r: u32| px.abs_diff(x).pow(2) + py.abs_diff(y).pow(2) < r * r;
    let class = |px, py| if within(px, py, r / 2) { 2 } else { u8::from(within(px, py, r)) };
    let noise = |px: u32, py: u32| ((px * 7919 + py * 104_729 + i * 1_299_709) % 31) as u8;
    let grey = |px, py| 40 + 70 * class(px, py) + noise(px, py);
    (
        RgbImage::from_fn(SIZE.0, SIZE.1, |px, py| Rgb([grey(px, py); 3])),
        GrayImage::from_fn(SIZE.0, SIZE.1, |px, py| Luma([class(px, py)])),
    )
}

/// `images/`, `masks/` with 1 for the disc and 2 for the cup, and both as masks of their own: `disc/` and, but for the last
/// picture, `cup/`.
fn folder(count: u32) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["images", "masks", "disc", "cup"] {
        fs::create_dir_all(folder.path().join(name)).unwrap();
    }
    for i in 0..count {
        let (image, mask) = discs(i);
        let save = |of: &str, what: &GrayImage| what.save(folder.path().join(of).join(format!("{i:02}.png"))).unwrap();
        image.save(folder.path().join("images").join(format!("{i:02}.png"))).unwrap();
        save("masks", &mask);
        let above = |least: u8| {
            GrayImage::from_fn(SIZE.0, SIZE.1, |x, y| Luma([255 * u8::from(mask.get_pixel(x, y)[0] >= least)]))
        };
        save("disc", &above(1));
        if i + 1 < count {
            save("cup", &above(2));
        }
    }
    folder
}

/// A small network on such a folder.
const TINY: [&str; 7] =
    ["source=folder", "images_in=images", "masks_in=masks", "split=random", "image_size=32", "base=4", "channels=1"];

fn params(folder: &Path, set: &[&str]) -> Params {
    let mut params = Params::defaults(PARAMS);
    let data = format!("data={}", folder.display());
    let more = [&*data, "wall_images=4", "batch_size=6", "learning_rate=0.01"];
    for text in TINY.iter().chain(&more).chain(set) {
        params.set_text(PARAMS, text).unwrap();
    }
    params
}

fn table<'a>(run: &'a Drive, key: &str) -> &'a [Vec<String>] {
    let Payload::Table { rows, .. } = run.newest(key) else { panic!("{key} is a table") };
    rows
}

#[test]
fn a_network_that_sees_patches_outlines_whole_pictures() {
    let folder = folder(16);
    let params = params(folder.path(), &["fit=patches", "augment=on"]);
    let data = load(&params, Watch::nobody()).unwrap();
    let item = &data.items[0];
    assert_eq!((item.frame.side, item.frame.size.height, item.mask.len()), (150, 110, 150 * 150));
    // 4 by 5 patches of 32 cover 110 by 150 pixels: an epoch shows each of the 10 training images 20 times.
    assert_eq!((data.train.len(), data.epoch().len()), (10, 200));
    let mut run = LAB.build(&params, 1, 60).begin();
    run.run_to(60);
    let (first, last) = (run.at("dice/final", 0), run.at("test/dice", 60));
    assert!(last > 0.8 && last > first + 0.3, "Dice {first} -> {last}");
    let Payload::Mask { width, height, .. } = run.newest("wall/probability/0") else { panic!("a map") };
    assert_eq!([*width, *height], [150; 2], "a map of the whole picture on its plane");
    let Payload::Image { width, height, .. } = run.newest("batch/original/0") else { panic!("a picture") };
    assert_eq!([*width, *height], [32; 2], "what the network saw");
    // A checkpoint goes on with the same patches.
    let saved = run.experiment.checkpoint().unwrap();
    let mut again = LAB.restored(&params, 1, 64, &saved);
    again.run_to(64);
    let mut longer = LAB.build(&params, 1, 64).begin();
    longer.run_to(64);
    assert_eq!(again.at("loss/train", 64), longer.at("loss/train", 64));
}

#[test]
fn half_the_scale_is_half_the_plane_and_a_small_picture_is_enlarged_to_a_patch() {
    let folder = folder(8);
    let side = |set: &[&str]| load(&params(folder.path(), set), Watch::nobody()).unwrap().items[0].frame.side;
    assert_eq!(side(&["fit=patches", "patch_scale=50"]), 75);
    assert_eq!(side(&["fit=patches", "patch_scale=5"]), 32);
    assert_eq!(side(&["fit=letterbox"]), 32);
}

#[test]
fn several_structures_have_an_output_and_metrics_each() {
    let folder = folder(16);
    for set in [&["structures=disc=1,2; cup=2"][..], &["structures=disc=disc/*; cup=cup", "masks_in="]] {
        let params = params(folder.path(), set);
        let data = load(&params, Watch::nobody()).unwrap();
        assert_eq!(
            (data.structures.clone(), data.items.len()),
            (vec!["disc".to_owned(), "cup".to_owned()], 32),
            "{set:?}"
        );
        assert_eq!((&*data.items[0].name, &*data.items[1].name), ("images/00 · disc", "images/00 · cup"));
        let area = |i: usize| data.items[i].truth.area();
        assert!((0..15).all(|i| area(2 * i) > 2 * area(2 * i + 1) && area(2 * i + 1) > 0));
        assert_eq!(area(31) == 0, set.len() == 2, "the last picture has no mask of a cup");
        let told = data.summary.iter().any(|line| line.contains("1 image has no mask of cup"));
        assert_eq!(told, set.len() == 2, "{:#?}", data.summary);
        assert_eq!(data.wall_pictures.len(), data.wall.len(), "every item of the wall has its picture");
        for part in [&data.train, &data.validation, &data.test] {
            assert!(part.chunks(2).all(|pair| pair[1] == pair[0] + 1 && pair[0] % 2 == 0), "both are in one part");
        }
        let mut run = LAB.build(&params, 1, 120).begin();
        run.run_to(120);
        let means = table(&run, "test/means");
        for structure in ["disc", "cup"] {
            let dice = means.iter().find(|row| row[0] == structure && row[1] == "Dice").expect("a row each");
            assert!(dice[5].parse::<f64>().unwrap() > 0.7, "{structure}: {dice:?}");
        }
        assert_eq!(table(&run, "data/split").len(), 16, "an image is in it once");
        assert_eq!(table(&run, "test/images").len(), 2 * data.test.len() / 2);
        let Payload::Text(names) = run.newest("wall/names") else { panic!("names") };
        let names: Vec<&str> = names.lines().collect();
        assert!(names.len() == 4 && names[0].ends_with("· disc") && names[1].ends_with("· cup"), "{names:?}");
    }
}

#[test]
fn one_structure_may_have_a_name() {
    let folder = folder(10);
    let params = params(folder.path(), &["structures=disc=1,2;"]);
    let data = load(&params, Watch::nobody()).unwrap();
    assert_eq!((data.items.len(), data.outputs(), &*data.items[0].name), (10, 1, "images/00 · disc"));
    assert!(data.wall_pictures.len() == data.wall.len() && !data.wall.is_empty());
    let mut run = LAB.build(&params, 1, 2).begin();
    run.run_to(2);
    assert_eq!(table(&run, "data/split").iter().filter(|row| row[0].contains('·')).count(), 0);
}

#[test]
fn a_rare_structure_is_in_few_images_and_one_that_cannot_be_read_is_in_none() {
    let folder = folder(16);
    for i in 0..14 {
        fs::remove_file(folder.path().join(format!("cup/{i:02}.png"))).unwrap();
    }
    let params = params(folder.path(), &["structures=disc=disc/*; cup=cup", "masks_in="]);
    let data = load(&params, Watch::nobody()).unwrap();
    assert_eq!(
        (data.items.len(), data.items.iter().filter(|item| item.class == "cup" && item.truth.area() > 0).count()),
        (32, 1)
    );
    fs::write(folder.path().join("cup/03.png"), "no picture").unwrap();
    let data = load(&params, Watch::nobody()).unwrap();
    assert!(data.items.len() == 30 && !data.items.iter().any(|item| item.name.starts_with("images/03")));
    assert!(data.summary.iter().any(|line| line.contains("1 image is left out")), "{:#?}", data.summary);
    assert!(
        data.summary.iter().any(|line| line.starts_with("cup: ") && line.contains("03.png")),
        "{:#?}",
        data.summary
    );
    let refused = |text: &str| {
        let mut params = params.clone();
        params.set_text(PARAMS, text).and_then(|()| load(&params, Watch::nobody()).map(drop)).unwrap_err().to_string()
    };
    let text = refused("structures=disc=disc;rim=rim/*");
    assert!(text.contains("`structures`") && text.contains("`rim`"), "{text}");
    for name in ["all=1", "x=99999", "=1", "x"] {
        assert!(refused(&format!("structures={name}")).contains("structures"), "{name}");
    }
}

#[test]
fn what_does_not_go_together_with_several_structures_is_refused() {
    let folder = folder(8);
    let refused = |set: &[&str]| load(&params(folder.path(), set), Watch::nobody()).unwrap_err().to_string();
    let text = refused(&["structures=disc=1,2;cup=2", "joined=all"]);
    assert!(text.contains("`joined`"), "{text}");
    let text = refused(&["structures=disc=1,2;cup=7"]);
    assert!(text.contains("`structures`") && text.contains("`cup`") && text.contains('7'), "{text}");
}

#[test]
fn prediction_says_what_training_measured_of_patches_and_of_each_structure() {
    let home = tempfile::tempdir().unwrap();
    let folder = folder(12);
    let data = folder.path().display();
    let set = |text: &str| format!("--set {text}");
    let common = TINY.map(set).join(" ");
    program::succeeds(
        &home,
        &format!(
            "run segmentation --steps 30 --device cpu --out runs {common} --set data={data} --set fit=patches \
             --set patch_scale=80 --set structures=disc=1,2;cup=2 --set learning_rate=0.01"
        ),
    );
    let run = program::only_run_in(&home, "runs");
    let scores = |structure: &str| -> Vec<(String, String)> {
        let line = format!(
            "predict segmentation --weights {} --data {data} --device cpu --part test --out {structure} --set structure={structure}",
            run.display()
        );
        program::succeeds(&home, &line);
        let text = fs::read_to_string(home.path().join(structure).join("table.csv")).unwrap();
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let heads = reader.headers().unwrap().clone();
        let at = |name: &str| heads.iter().position(|head| head == name).unwrap_or_else(|| panic!("{heads:?}"));
        let (name, dice) = (at("image"), at("dice"));
        reader.records().map(|row| row.unwrap()).map(|row| (row[name].to_owned(), row[dice].to_owned())).collect()
    };
    let [disc, cup] = ["disc", "cup"].map(scores);
    assert!(!disc.is_empty() && disc.len() == cup.len() && disc != cup, "{disc:?} {cup:?}");
    // The run's own table has them under the structures' names.
    program::succeeds(&home, &format!("export {} --figure test/images --to test.csv", run.display()));
    let text = fs::read_to_string(home.path().join("test.csv")).unwrap();
    for (rows, structure) in [(&disc, "disc"), (&cup, "cup")] {
        for (name, dice) in rows {
            let row = text.lines().find(|line| line.contains(&format!("{name} · {structure}"))).expect(name);
            let trained: f64 = row.split(',').nth(3).unwrap().parse().unwrap();
            assert!((trained - dice.parse::<f64>().unwrap()).abs() < 2e-3, "{row}: {dice}");
        }
    }
    // From a file of weights the structures have numbers.
    program::succeeds(&home, &format!("export {} --weights --to net.safetensors", run.display()));
    program::succeeds(
        &home,
        &format!(
            "predict segmentation --weights net.safetensors --data {data} --device cpu --out of-file --set structure=2 \
             --set fit=patches --set patch_scale=80 --set images_in=images --set masks_in=masks"
        ),
    );
    for (name, _) in &cup {
        let mask = |folder: &str| fs::read(home.path().join(folder).join("masks").join(format!("{name}.png"))).unwrap();
        assert!(mask("cup") == mask("of-file"), "{name}");
    }
    // Two runs are compared structure by structure.
    program::succeeds(
        &home,
        &format!(
            "run segmentation --steps 30 --device cpu --seed 2 --out runs2 {common} --set data={data} --set fit=patches \
             --set patch_scale=80 --set structures=disc=1,2;cup=2 --set learning_rate=0.01"
        ),
    );
    let other = program::only_run_in(&home, "runs2");
    let said = program::succeeds(&home, &format!("compare {} {}", run.display(), other.display()));
    assert!(said.contains("disc") && said.contains("cup"), "{said}");
    program::fails(
        &home,
        &format!("predict segmentation --weights {} --data {data} --out x --set structure=rim", run.display()),
        2,
        &["`rim`", "`disc`, `cup`"],
    );
}
