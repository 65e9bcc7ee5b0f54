use std::path::Path;

use image::{GrayImage, Luma, Rgb, RgbImage, Rgba, RgbaImage};

use super::super::Watch;
use super::super::doctor::{Check, Severity};
use super::super::lesion::{Lesion, LesionKind, MaskRule};
use super::super::listing::{CORRECTIONS, Pair, scan};
use super::super::read::Reader;
use super::super::testing::{TiffPage, inside, place, png, rectangle, save_image, save_mask, tiff, with_orientation};
use crate::data::picture_file::White;
use crate::pixels::mask::Mask;

const SIZE: (u32, u32) = (40, 32);
const LESION: [u32; 4] = [8, 8, 24, 16];
const CORE: [u32; 4] = [11, 10, 17, 14];

fn on(x: u32, y: u32) -> bool {
    inside(LESION, x, y)
}

/// Reads a folder of pairs `0.png` with `0_mask.*`, .., whose masks `save` writes under the name it is given.
fn read(lesion: &Lesion, masks: &[&dyn Fn(&Path)]) -> (Vec<Mask>, MaskRule) {
    let folder = tempfile::tempdir().unwrap();
    for (i, save) in masks.iter().enumerate() {
        save_image(folder.path(), &format!("{i}.png"), SIZE, i as u32);
        save(&folder.path().join(format!("{i}_mask.png")));
    }
    let listing = scan(folder.path(), None, Watch::nobody()).unwrap();
    assert_eq!(listing.pairs.len(), masks.len(), "{listing:?}");
    let reader = Reader::default();
    let rules = reader.survey(&listing.pairs, &[], lesion, Watch::nobody());
    let reader = reader.with_rules(rules.clone());
    (listing.pairs.iter().map(|pair| reader.pair(pair).unwrap().mask).collect(), rules.masks)
}

/// The same with each mask alone as well: all of them show the lesion.
#[track_caller]
fn all_show_the_lesion(masks: &[&dyn Fn(&Path)]) -> MaskRule {
    let (read, rule) = read(&Lesion::Any, masks);
    for (i, mask) in read.iter().enumerate() {
        assert_eq!(*mask, rectangle(SIZE, LESION), "mask {i}: {:?}", rule.lines);
    }
    rule
}

fn grey(value: impl Fn(u32, u32) -> u8) -> impl Fn(&Path) {
    move |path| GrayImage::from_fn(SIZE.0, SIZE.1, |x, y| Luma([value(x, y)])).save(path).unwrap()
}

fn rgba(value: impl Fn(u32, u32) -> [u8; 4]) -> impl Fn(&Path) {
    move |path| RgbaImage::from_fn(SIZE.0, SIZE.1, |x, y| Rgba(value(x, y))).save(path).unwrap()
}

/// With one byte a pixel into a palette.
fn palette(colours: &'static [[u8; 3]], number: impl Fn(u32, u32) -> u8) -> impl Fn(&Path) {
    move |path| {
        let rows = (0..SIZE.1).flat_map(|y| {
            std::iter::once(0).chain((0..SIZE.0).map(move |x| (x, y)).map(|(x, y)| number(x, y)).collect::<Vec<_>>())
        });
        let header = [&SIZE.0.to_be_bytes()[..], &SIZE.1.to_be_bytes(), &[8, 3, 0, 0, 0]].concat();
        let mut file = png(&header, &rows.collect::<Vec<u8>>());
        let chunk = [&b"PLTE"[..], colours.as_flattened()].concat();
        let length = (chunk.len() as u32 - 4).to_be_bytes();
        file.splice(33..33, [&length[..], &chunk, &crc32fast::hash(&chunk).to_be_bytes()].concat());
        std::fs::write(path, file).unwrap();
    }
}

fn jpeg(quality: u8, value: impl Fn(u32, u32) -> u8) -> impl Fn(&Path) {
    move |path| {
        let image = GrayImage::from_fn(SIZE.0, SIZE.1, |x, y| Luma([value(x, y)]));
        let mut bytes = Vec::new();
        image.write_with_encoder(image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, quality)).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
}

#[test]
fn class_numbers_of_every_kind_are_lesion_in_all_files_of_a_folder() {
    let ones = grey(|x, y| on(x, y).into());
    let core = grey(|x, y| u8::from(on(x, y)) + u8::from(inside(CORE, x, y)));
    let fives = grey(|x, y| 5 * u8::from(on(x, y)));
    let white = grey(|x, y| 255 * u8::from(on(x, y)));
    let dark = grey(|x, y| 38 * u8::from(on(x, y)));
    let deep = |path: &Path| {
        let value = |x, y| Luma([300 * u16::from(on(x, y)) + u16::from(inside(CORE, x, y))]);
        image::ImageBuffer::from_fn(SIZE.0, SIZE.1, value).save(path).unwrap();
    };
    let rule = all_show_the_lesion(&[&ones, &core]);
    assert!(rule.doubtful && rule.lines[0].contains("values there: 1, 2"), "{:?}", rule.lines);
    for alone in [&ones as &dyn Fn(&Path), &core, &fives, &white, &dark, &deep] {
        all_show_the_lesion(&[alone]);
    }
    all_show_the_lesion(&[&ones, &core, &fives, &white, &dark, &deep]);
    let findings = all_show_the_lesion(&[&core]).findings(Path::new("set"));
    assert_eq!((findings[0].severity, findings[0].check), (Severity::Warning, Check::MaskValues));
    assert!(all_show_the_lesion(&[&white, &white]).findings(Path::new("set")).is_empty(), "the plain case");
}

#[test]
fn of_a_palette_the_numbers_count() {
    let red = palette(&[[0; 3], [128, 0, 0], [0, 128, 0]], |x, y| on(x, y).into());
    let nearly_black = palette(&[[0; 3], [1, 1, 1]], |x, y| on(x, y).into());
    let all_black = palette(&[[0; 3], [0; 3], [0; 3]], |x, y| 2 * u8::from(on(x, y)));
    let grey_ground = palette(&[[120; 3], [250, 0, 0]], |x, y| on(x, y).into());
    // Made by counting colours: the background is black, and its number is not 0.
    let adaptive = palette(&[[255, 255, 255], [0; 3]], |x, y| (!on(x, y)).into());
    let rule = all_show_the_lesion(&[&red, &nearly_black, &all_black, &grey_ground, &adaptive]);
    assert!(rule.lines[0].contains("palette"), "{:?}", rule.lines);
}

#[test]
fn soft_edges_and_the_noise_of_jpeg_are_cut_in_the_middle() {
    let white = |x, y| 255 * u8::from(on(x, y));
    let (good, bad, dark) = (jpeg(90, white), jpeg(20, white), jpeg(40, |x, y| 60 * u8::from(on(x, y))));
    let rule = all_show_the_lesion(&[&good, &bad]);
    assert!(
        rule.lines[0].contains("2 masks are JPEGs") && rule.lines[0].contains("above 127 of 255"),
        "{:?}",
        rule.lines
    );
    all_show_the_lesion(&[&dark]);
    // The same as a PNG, and an edge of greys that a resize made.
    let resaved = |path: &Path| {
        bad(path);
        let image = image::load_from_memory(&std::fs::read(path).unwrap()).unwrap();
        image.save(path).unwrap();
    };
    all_show_the_lesion(&[&resaved]);
    let ring = |x: u32, y: u32| inside([7, 7, 25, 17], x, y) && !on(x, y);
    let soft = grey(move |x, y| if ring(x, y) { 90 } else { white(x, y) });
    let soft_outside = grey(move |x, y| if ring(x, y) { 40 } else { white(x, y) });
    all_show_the_lesion(&[&soft, &soft_outside]);
    // Files of zeros and ones beside them keep their lesion.
    all_show_the_lesion(&[&soft, &good, &grey(|x, y| on(x, y).into())]);
}

#[test]
fn alpha_counts_where_the_colour_says_nothing() {
    let opaque = |x, y| 255 * u8::from(on(x, y));
    let white = rgba(|x, y| [255, 255, 255, opaque(x, y)]);
    let faint = rgba(|x, y| [255, 0, 0, opaque(x, y) / 3]);
    let black = rgba(|x, y| [0, 0, 0, opaque(x, y)]);
    let none = rgba(|_, _| [255, 255, 255, 0]);
    let red_on_hidden_white = rgba(|x, y| if on(x, y) { [255, 0, 0, 255] } else { [255, 255, 255, 0] });
    let rule = all_show_the_lesion(&[&white]);
    assert!(rule.doubtful && rule.lines[0].contains("not transparent"), "{:?}", rule.lines);
    all_show_the_lesion(&[&faint]);
    all_show_the_lesion(&[&black, &white, &red_on_hidden_white]);
    let (masks, _) = read(&Lesion::Any, &[&white, &none]);
    assert_eq!(masks[1].area(), 0);
    // Colours that say something: a black margin is transparent, or all is opaque.
    let colours = rgba(|x, y| if x < 2 { [9, 9, 9, 0] } else { [opaque(x, y), 0, 0, 255] });
    let empty = rgba(|x, _| if x < 2 { [0, 0, 0, 0] } else { [0, 0, 0, 255] });
    let (masks, rule) = read(&Lesion::Any, &[&colours, &empty]);
    assert_eq!((&masks[0], masks[1].area()), (&rectangle(SIZE, LESION), 0), "{:?}", rule.lines);
    all_show_the_lesion(&[&rgba(|x, y| [opaque(x, y), opaque(x, y), opaque(x, y), 255])]);
}

#[test]
fn the_border_of_255_around_class_numbers_is_background() {
    let border = |x, y| inside([7, 7, 25, 17], x, y) && !on(x, y);
    let voc = grey(move |x, y| if border(x, y) { 255 } else { 15 * u8::from(on(x, y)) });
    let rule = all_show_the_lesion(&[&voc, &voc]);
    assert!(rule.doubtful && rule.lines.iter().any(|line| line.contains("not judged")), "{:?}", rule.lines);
    // Not where another file has 255 alone, nor where it is most of it.
    let white = grey(|x, y| 255 * u8::from(on(x, y)));
    let (masks, _) = read(&Lesion::Any, &[&voc, &white]);
    assert_eq!(masks[0], rectangle(SIZE, [7, 7, 25, 17]));
    all_show_the_lesion(&[&grey(|x, y| if inside(CORE, x, y) { 1 } else { 255 * u8::from(on(x, y)) })]);
}

#[test]
fn what_is_chosen_is_taken() {
    let core = grey(|x, y| u8::from(on(x, y)) + u8::from(inside(CORE, x, y)));
    let of = |kind: LesionKind, value: &str| Lesion::parse(kind, value).unwrap();
    let only = |lesion: &Lesion, save: &dyn Fn(&Path)| read(lesion, &[save]).0.remove(0);
    assert_eq!(only(&of(LesionKind::Values, "2"), &core), rectangle(SIZE, CORE));
    assert_eq!(only(&of(LesionKind::Values, "2, 1"), &core), rectangle(SIZE, LESION));
    let black_on_white = grey(|x, y| 255 * u8::from(!on(x, y)));
    assert_eq!(only(&of(LesionKind::Inverted, ""), &black_on_white), rectangle(SIZE, LESION));
    assert_eq!(
        only(&of(LesionKind::Inverted, ""), &jpeg(60, |x, y| 255 * u8::from(!on(x, y)))),
        rectangle(SIZE, LESION)
    );
    let overlay = |path: &Path| {
        let colour = |x, y| if on(x, y) { Rgb([255, 0, 0]) } else { Rgb([x as u8, 90, y as u8]) };
        RgbImage::from_fn(SIZE.0, SIZE.1, colour).save(path).unwrap();
    };
    assert_eq!(only(&of(LesionKind::Colour, "#ff0000"), &overlay), rectangle(SIZE, LESION));
    let red = palette(&[[9; 3], [255, 0, 0]], |x, y| on(x, y).into());
    assert_eq!(only(&of(LesionKind::Colour, "ff0000"), &red), rectangle(SIZE, LESION));
    assert_eq!(only(&of(LesionKind::Values, "1"), &red), rectangle(SIZE, LESION));
    let alpha = rgba(|x, y| [x as u8, y as u8, 9, 255 * u8::from(on(x, y))]);
    assert_eq!(only(&of(LesionKind::Alpha, ""), &alpha), rectangle(SIZE, LESION));
    for (kind, value) in [
        (LesionKind::Values, ""),
        (LesionKind::Values, "red"),
        (LesionKind::Values, "70000"),
        (LesionKind::Colour, "12"),
        (LesionKind::Colour, "#gg0000"),
    ] {
        assert!(Lesion::parse(kind, value).is_err(), "{kind:?} {value}");
    }
}

#[test]
fn a_value_that_no_mask_holds_is_an_error() {
    let core = grey(|x, y| u8::from(on(x, y)) + u8::from(inside(CORE, x, y)));
    let rule = |value: &str| read(&Lesion::parse(LesionKind::Values, value).unwrap(), &[&core]).1;
    assert_eq!(rule("2").nowhere, None);
    assert_eq!(rule("7, 1").nowhere, None);
    let problem = rule("7").nowhere.unwrap().problem;
    assert!(problem.contains("value 7") && problem.contains("1, 2"), "{problem}");
    let found = rule("7").findings(Path::new("data"));
    assert_eq!((found[0].severity, found[0].check), (Severity::Error, Check::MaskValues));
}

#[test]
fn a_corrected_mask_is_white_where_lesion_is_whatever_was_chosen() {
    let folder = tempfile::tempdir().unwrap();
    save_image(folder.path(), "a.png", SIZE, 1);
    save_mask(folder.path(), "a_mask.png", SIZE, CORE);
    save_mask(folder.path(), &format!("{CORRECTIONS}/a_mask.png"), SIZE, LESION);
    let listing = scan(folder.path(), None, Watch::nobody()).unwrap();
    for lesion in [Lesion::Inverted, Lesion::Values(vec![3]), Lesion::Alpha, Lesion::Any] {
        let reader = Reader::default();
        let rules = reader.survey(&listing.pairs, &[], &lesion, Watch::nobody());
        let sample = reader.with_rules(rules).pair(&listing.pairs[0]).unwrap();
        assert_eq!(sample.mask, rectangle(SIZE, LESION), "{lesion:?}");
    }
}

#[test]
fn pages_of_a_mask_are_joined() {
    let folder = tempfile::tempdir().unwrap();
    save_image(folder.path(), "a.png", SIZE, 1);
    let page = |lesion: [u32; 4]| TiffPage {
        size: SIZE,
        grey: rectangle(SIZE, lesion).pixels().iter().map(|&lesion| 255 * u8::from(lesion)).collect(),
        tags: Vec::new(),
        subfile: 0,
    };
    std::fs::write(place(folder.path(), "a_mask.tif"), tiff(&[page(LESION), page([30, 20, 36, 30])])).unwrap();
    let listing = scan(folder.path(), None, Watch::nobody()).unwrap();
    let sample = Reader::default().pair(&listing.pairs[0]).unwrap();
    let mut expected = rectangle(SIZE, LESION);
    expected.add(&rectangle(SIZE, [30, 20, 36, 30]));
    assert_eq!((sample.mask, sample.facts.pages), (expected, Some(2)));
}

#[test]
fn a_mask_that_fits_the_picture_as_it_is_stored_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut bytes = Vec::new();
    let image = GrayImage::from_fn(SIZE.0, SIZE.1, |x, y| Luma([(x * 5 + y) as u8]));
    image.write_with_encoder(image::codecs::jpeg::JpegEncoder::new(&mut bytes)).unwrap();
    std::fs::write(folder.path().join("a.jpg"), with_orientation(&bytes, 6)).unwrap();
    let turned = |size: (u32, u32)| {
        save_mask(folder.path(), "a_mask.png", size, LESION);
        let listing = scan(folder.path(), None, Watch::nobody()).unwrap();
        assert_eq!(listing.pairs[0].size, (SIZE.1, SIZE.0));
        let sample = Reader::default().pair(&listing.pairs[0]).unwrap();
        let exams = [Some(super::super::doctor::examine(&sample))];
        let findings = super::super::doctor::diagnose(&listing, &exams, &[], &[], None);
        findings.into_iter().find(|finding| finding.check == Check::Turned).unwrap()
    };
    let upright = turned((SIZE.1, SIZE.0));
    assert_eq!(upright.severity, Severity::Note);
    let stored = turned(SIZE);
    assert!(stored.severity == Severity::Error && stored.problem.contains("as it is stored"), "{stored:?}");
}

#[test]
fn images_of_one_folder_have_one_scale() {
    let folder = tempfile::tempdir().unwrap();
    for (name, most) in [("a", 4000_u16), ("b", 900)] {
        let value = |x: u32| (u32::from(most) * x / 39) as u16;
        let image = image::ImageBuffer::from_fn(SIZE.0, SIZE.1, |x, _| Luma([value(x)]));
        image.save(folder.path().join(format!("{name}.png"))).unwrap();
        save_mask(folder.path(), &format!("{name}_mask.png"), SIZE, LESION);
    }
    let listing = scan(folder.path(), None, Watch::nobody()).unwrap();
    let reader = Reader::default();
    let rules = reader.survey(&listing.pairs, &[], &Lesion::Any, Watch::nobody());
    assert!(rules.lines().iter().any(|line| line.contains("white at 4095")), "{:?}", rules.lines());
    let reader = reader.with_rules(rules);
    let most = |i: usize| reader.picture(&listing.pairs[i].image).unwrap().rgb.into_iter().max();
    assert_eq!((most(0), most(1)), (Some(249), Some(56)));
}

#[test]
fn a_hot_pixel_and_another_depth_leave_the_images_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let save = |name: &str, most: u32, hot: u16| {
        let value = |x: u32, y: u32| if (x, y) == (0, 0) { hot } else { (most * x / 39) as u16 };
        let image = image::ImageBuffer::from_fn(SIZE.0, SIZE.1, |x, y| Luma([value(x, y)]));
        image.save(folder.path().join(format!("{name}.png"))).unwrap();
        save_mask(folder.path(), &format!("{name}_mask.png"), SIZE, LESION);
    };
    let survey = |known: &White| {
        let listing = scan(folder.path(), None, Watch::nobody()).unwrap();
        let rules = Reader::default().survey_as(known, &listing.pairs, &[], &Lesion::Any, Watch::nobody());
        let reader = Reader::default().with_rules(rules.clone());
        let middle = |pair: &Pair| {
            let picture = reader.picture(&pair.image).unwrap();
            picture.rgb[3 * (20 * picture.width + 39)]
        };
        (listing.pairs.iter().map(middle).collect::<Vec<u8>>(), rules)
    };
    for (name, most) in [("a", 4000), ("b", 3000), ("c", 4095)] {
        save(name, most, if name == "b" { 65_535 } else { 0 });
    }
    let (shown, rules) = survey(&White::default());
    assert_eq!((shown, rules.are_doubtful()), (vec![249, 187, 255], false));
    // Images of another device have their own white, and the others stay as they were.
    for (name, most) in [("d", 65_535), ("e", 60_000), ("f", 50_000)] {
        save(name, most, 0);
    }
    let (shown, both) = survey(&White::default());
    assert_eq!(shown, [249, 187, 255, 255, 233, 195]);
    assert!(both.lines().iter().any(|line| line.contains("4095 or 65535")), "{:?}", both.lines());
    // With what was decided before, images come out as they did then, and what that does to others is told.
    let (shown, known) = survey(&rules.white);
    assert_eq!((shown, &known.white), (vec![249, 187, 255, 255, 255, 255], &rules.white));
    for name in ["b", "c", "d", "e", "f"] {
        std::fs::remove_file(folder.path().join(format!("{name}.png"))).unwrap();
    }
    save("a", 150, 0);
    save("w", 65_535, 0);
    let image = image::ImageBuffer::from_pixel(SIZE.0, SIZE.1, Luma([60_000_u16]));
    image.save(folder.path().join("w.png")).unwrap();
    let (_, rules) = survey(&rules.white);
    assert_eq!((rules.nearly_black.len(), rules.nearly_white.len()), (1, 1));
    let lines = rules.lines().join("\n");
    assert!(lines.contains("1 image is nearly black at that white (a.png)"), "{lines}");
    assert!(lines.contains("1 image is nearly white at that white (w.png)"), "{lines}");
    let checks: Vec<Check> = rules.findings(folder.path()).iter().map(|finding| finding.check).collect();
    assert_eq!(checks.iter().filter(|check| **check == Check::Exposure).count(), 2, "{checks:?}");
}
