//! Every kind of mask that people have, read with every setting of `lesion`: what is decided is what the file says, and no
//! line says otherwise.

use std::path::Path;

use image::{GrayImage, ImageBuffer, Luma, Rgb, RgbImage, Rgba, RgbaImage};

use super::super::Watch;
use super::super::doctor::{Severity, diagnose, examine};
use super::super::lesion::Lesion;
use super::super::listing::scan;
use super::super::read::Reader;
use super::super::testing::{inside, png, save_image};

const SIZE: (u32, u32) = (48, 40);
/// Two lesions apart from each other, as two classes.
const FIRST: [u32; 4] = [4, 4, 22, 20];
const SECOND: [u32; 4] = [24, 20, 44, 38];

/// What a file holds at a pixel.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Pixel {
    number: u16,
    colour: [u8; 3],
    alpha: Option<u8>,
    /// Zero, or a palette's black.
    background: bool,
}

/// Red, green, blue, alpha.
type Rgba8 = [u8; 4];

/// How files are made of the classes 0, 1 and 2.
#[derive(Debug, Clone)]
enum Kind {
    /// Grey values.
    Grey([u8; 3]),
    Deep([u16; 3]),
    /// Floating-point numbers.
    Float([f32; 3]),
    /// Numbers in a PNG of 1, 2, 4 bits.
    Bits(u8, [u8; 3]),
    /// Numbers of a palette, and the palette.
    Palette([u8; 3], &'static [[u8; 3]]),
    Colour([[u8; 3]; 3]),
    Alpha([Rgba8; 3]),
    Jpeg([u8; 3]),
    /// Grey values with edges that a resize has made.
    Soft([u8; 3]),
}

fn class(x: u32, y: u32) -> usize {
    usize::from(inside(FIRST, x, y)) + 2 * usize::from(inside(SECOND, x, y))
}

/// Pixels of all classes, as they were drawn.
fn area(of: impl Fn(usize) -> bool) -> usize {
    (0..SIZE.1).flat_map(|y| (0..SIZE.0).map(move |x| class(x, y))).filter(|&class| of(class)).count()
}

impl Kind {
    fn pixel(&self, class: usize) -> Pixel {
        let grey = |number: u16, shade: u8| Pixel { number, colour: [shade; 3], alpha: None, background: number == 0 };
        match self {
            Kind::Grey(of) | Kind::Jpeg(of) | Kind::Soft(of) => grey(u16::from(of[class]), of[class]),
            Kind::Deep(of) => {
                let most = of.iter().copied().max().unwrap();
                let bits = [8, 10, 12, 14, 16].into_iter().find(|&bits| u32::from(most) < 1 << bits).unwrap();
                let full = ((1_u32 << bits) - 1) as f32;
                grey(of[class], (255.0 * f32::from(of[class]) / full).round() as u8)
            }
            Kind::Float(of) => grey(of[class] as u16, (255.0 * of[class]).min(255.0) as u8),
            Kind::Bits(bits, of) => {
                let step = 255 / ((1_u16 << bits) - 1) as u8;
                grey(u16::from(of[class]), of[class] * step)
            }
            Kind::Palette(of, colours) => {
                let colour = |number: u8| colours[usize::from(number)];
                let blacks: Vec<u8> = of.iter().copied().filter(|&number| colour(number) == [0; 3]).collect();
                let ground = if let [black] = blacks[..] { black } else { 0 };
                let number = of[class];
                Pixel { number: number.into(), colour: colour(number), alpha: None, background: number == ground }
            }
            Kind::Colour(of) => {
                let colour = of[class];
                let number = u16::from(*colour.iter().max().unwrap());
                Pixel { number, colour, alpha: None, background: number == 0 }
            }
            Kind::Alpha(of) => {
                let [r, g, b, alpha] = of[class];
                let number = if alpha == 0 { 0 } else { u16::from(r.max(g).max(b)) };
                // Where all that can be seen has one colour, it is what can be seen that counts.
                Pixel { number, colour: [r, g, b], alpha: Some(alpha), background: alpha == 0 }
            }
        }
    }

    fn save(&self, path: &Path) {
        let pixel = |x: u32, y: u32| self.pixel(class(x, y));
        let (width, height) = SIZE;
        let grey = || GrayImage::from_fn(width, height, |x, y| Luma([pixel(x, y).number as u8]));
        let numbers = |bits: u8, kind: u8, palette: &[[u8; 3]]| {
            let mut rows = Vec::new();
            for y in 0..height {
                rows.push(0);
                let per_byte = u32::from(8 / bits);
                rows.extend((0..width.div_ceil(per_byte)).map(|byte| {
                    (0..per_byte).fold(0_u8, |sum, i| {
                        (sum << (bits % 8))
                            | if byte * per_byte + i < width { pixel(byte * per_byte + i, y).number as u8 } else { 0 }
                    })
                }));
            }
            let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[bits, kind, 0, 0, 0]].concat();
            let mut file = png(&header, &rows);
            if kind == 3 {
                let chunk = [&b"PLTE"[..], palette.as_flattened()].concat();
                let length = (chunk.len() as u32 - 4).to_be_bytes();
                file.splice(33..33, [&length[..], &chunk, &crc32fast::hash(&chunk).to_be_bytes()].concat());
            }
            std::fs::write(path, file).unwrap();
        };
        match self {
            Kind::Grey(_) => grey().save(path).unwrap(),
            Kind::Deep(_) => {
                ImageBuffer::from_fn(width, height, |x, y| Luma([pixel(x, y).number])).save(path).unwrap();
            }
            Kind::Float(of) => {
                let value = |x, y| Rgb([of[class(x, y)]; 3]);
                let image = ImageBuffer::from_fn(width, height, value);
                image::DynamicImage::ImageRgb32F(image).save_with_format(path, image::ImageFormat::Tiff).unwrap();
            }
            Kind::Bits(bits, _) => numbers(*bits, 0, &[]),
            Kind::Palette(_, colours) => numbers(8, 3, colours),
            Kind::Colour(_) => RgbImage::from_fn(width, height, |x, y| Rgb(pixel(x, y).colour)).save(path).unwrap(),
            Kind::Alpha(of) => RgbaImage::from_fn(width, height, |x, y| Rgba(of[class(x, y)])).save(path).unwrap(),
            Kind::Jpeg(_) => {
                let mut bytes = Vec::new();
                let encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, 75);
                grey().write_with_encoder(encoder).unwrap();
                std::fs::write(path, bytes).unwrap();
            }
            Kind::Soft(_) => {
                image::imageops::blur(&grey(), 0.8).save(path).unwrap();
            }
        }
    }

    fn is_exact(&self) -> bool {
        !matches!(self, Kind::Jpeg(_) | Kind::Soft(_))
    }

    /// Pixels of lesion; `None`: nobody can choose that here, and it is refused.
    fn truth(&self, lesion: &Lesion) -> Option<usize> {
        let of = |wanted: &dyn Fn(Pixel) -> bool| area(|class| wanted(self.pixel(class)));
        let some = |area: usize| (area > 0).then_some(area);
        match lesion {
            Lesion::Any => Some(of(&|pixel| !pixel.background)),
            Lesion::Inverted => some(of(&|pixel| pixel.background)),
            Lesion::Alpha => matches!(self, Kind::Alpha(_)).then(|| of(&|pixel| pixel.alpha >= Some(128))),
            Lesion::Values(wanted) => {
                let one_bit = matches!(self, Kind::Bits(1, _));
                some(of(&|pixel| {
                    wanted.contains(&pixel.number) || (one_bit && pixel.number == 1 && wanted.contains(&255))
                }))
            }
            Lesion::Colour(wanted) => some(of(&|pixel| pixel.colour == *wanted && pixel.alpha != Some(0))),
        }
    }
}

const RED: [u8; 3] = [255, 0, 0];
const GREEN: [u8; 3] = [0, 255, 0];

/// Each with its name; the background is first.
fn kinds() -> Vec<(&'static str, Kind)> {
    vec![
        ("binary", Kind::Grey([0, 255, 255])),
        ("0/1", Kind::Grey([0, 1, 1])),
        ("0/1/2", Kind::Grey([0, 1, 2])),
        ("0/128/255", Kind::Grey([0, 128, 255])),
        ("0/100/200", Kind::Grey([0, 100, 200])),
        ("empty", Kind::Grey([0, 0, 0])),
        ("white background", Kind::Grey([255, 0, 0])),
        ("16-bit labels", Kind::Deep([0, 300, 1000])),
        ("16-bit 0/1", Kind::Deep([0, 1, 1])),
        ("16-bit white", Kind::Deep([0, 65535, 65535])),
        ("float 0/1", Kind::Float([0.0, 1.0, 1.0])),
        ("one-bit", Kind::Bits(1, [0, 1, 1])),
        ("one-bit inverted", Kind::Bits(1, [1, 0, 0])),
        ("two-bit", Kind::Bits(2, [0, 1, 2])),
        ("four-bit", Kind::Bits(4, [0, 3, 15])),
        ("palette", Kind::Palette([0, 1, 2], &[[0; 3], RED, GREEN])),
        ("palette, black second", Kind::Palette([1, 0, 0], &[RED, [0; 3]])),
        ("palette without black", Kind::Palette([0, 1, 1], &[[9, 9, 9], RED])),
        ("one colour", Kind::Colour([[0; 3], RED, RED])),
        ("two colours", Kind::Colour([[0; 3], RED, GREEN])),
        ("coloured background", Kind::Colour([[0, 0, 128], RED, RED])),
        ("white in colour", Kind::Colour([[0; 3], [255; 3], [255; 3]])),
        ("alpha", Kind::Alpha([[255, 255, 255, 0], [255; 4], [255; 4]])),
        ("black alpha", Kind::Alpha([[0; 4], [0, 0, 0, 255], [0, 0, 0, 255]])),
        ("JPEG", Kind::Jpeg([0, 255, 255])),
        ("dark JPEG", Kind::Jpeg([0, 60, 60])),
        ("JPEG of classes", Kind::Jpeg([0, 128, 255])),
        ("JPEG inverted", Kind::Jpeg([255, 0, 0])),
        ("soft", Kind::Soft([0, 255, 255])),
        ("soft inverted", Kind::Soft([255, 0, 0])),
    ]
}

fn settings() -> Vec<Lesion> {
    vec![
        Lesion::Any,
        Lesion::Inverted,
        Lesion::Alpha,
        Lesion::Values(vec![0]),
        Lesion::Values(vec![1]),
        Lesion::Values(vec![1, 2]),
        Lesion::Values(vec![128]),
        Lesion::Values(vec![255]),
        Lesion::Values(vec![300]),
        Lesion::Values(vec![256]),
        Lesion::Colour(RED),
        Lesion::Colour([255; 3]),
        Lesion::Colour([1, 2, 3]),
    ]
}

/// What is read, or that it is refused, and all that is said.
fn read(kind: &Kind, lesion: &Lesion) -> (Option<usize>, bool, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    for i in 0..2 {
        save_image(folder.path(), &format!("{i}.png"), SIZE, i);
        let end = match kind {
            Kind::Jpeg(_) => "jpg",
            Kind::Float(_) => "tif",
            _ => "png",
        };
        kind.save(&folder.path().join(format!("{i}_mask.{end}")));
    }
    let listing = scan(folder.path(), None, Watch::nobody()).unwrap();
    let reader = Reader::default();
    let rules = reader.survey(&listing.pairs, &[], lesion, Watch::nobody());
    let reader = reader.with_rules(rules.clone());
    if rules.masks.nowhere.is_some() {
        let findings = rules.masks.findings(folder.path());
        assert_eq!(findings[0].severity, Severity::Error);
        return (None, true, rules.lines());
    }
    let sample = reader.pair(&listing.pairs[0]).unwrap();
    let exams = vec![Some(examine(&sample)), None];
    let mut lines = rules.lines();
    lines
        .extend(diagnose(&listing, &exams, &[], &[], None).into_iter().map(|f| format!("{}; {}", f.problem, f.advice)));
    (Some(sample.mask.area()), rules.masks.doubtful, lines)
}

#[test]
fn every_kind_of_mask_is_read_as_it_says_with_every_setting_and_no_line_contradicts() {
    let mut wrong = Vec::new();
    for (name, kind) in kinds() {
        for lesion in settings() {
            // Colours and numbers of what was blurred are not exact.
            let inexact = !kind.is_exact() && matches!(lesion, Lesion::Values(_) | Lesion::Colour(_));
            let (found, doubtful, lines) = read(&kind, &lesion);
            let about = format!("{name}, {lesion:?}: {found:?} {lines:#?}");
            let mut check = |good: bool, what: &str| {
                if !good {
                    wrong.push(format!("{what}: {about}"));
                }
            };
            let truth = kind.truth(&lesion);
            let near = |a: usize, b: usize| 10 * a.abs_diff(b) <= b;
            if !inexact {
                let fits =
                    if kind.is_exact() { found == truth } else { found.zip(truth).is_some_and(|(a, b)| near(a, b)) };
                check(fits || (!kind.is_exact() && found == truth), &format!("expected {truth:?}"));
            }
            let says = |words: &str| lines.iter().any(|line| line.contains(words));
            let lesion_is: Vec<&String> = lines.iter().filter(|line| line.contains("lesion is what")).collect();
            // Of black that is not transparent every number is zero.
            let seen = name != "black alpha" && area(|class| !kind.pixel(class).background) > 0;
            match found {
                Some(0) => check(says("no lesion") || says("none of them has a lesion"), "an empty mask is told"),
                Some(area) => {
                    check(!says("no lesion") && !says("none of them"), "no lesion is said of a mask with one");
                    check(area < (SIZE.0 * SIZE.1) as usize || says("covers the whole image"), "all of it is told");
                }
                None => {}
            }
            check(!(seen && says("none but")), "values are there");
            // One way to tell lesion from background.
            check(lesion_is.len() <= 1, "two lines say what lesion is");
            let inverted = lesion == Lesion::Inverted;
            check(!(inverted && says("is above")), "what is bright is said to be lesion");
            check(!(inverted && says("what is not transparent")), "what is opaque is said to be lesion");
            check(!(inverted && says("1 is read as lesion")), "1 is said to be lesion");
            check(lesion == Lesion::Any || says("as chosen"), "the choice is told");
            let of: Vec<Pixel> = (0..3).map(|class| kind.pixel(class)).filter(|pixel| !pixel.background).collect();
            let classes = of.iter().any(|pixel| *pixel != of[0]);
            if lesion == Lesion::Any && found != Some(0) {
                check(says("may be") && says("joined") == classes || !classes && !says("joined"), "classes are told");
                check(doubtful || !classes, "classes are doubtful");
            }
        }
    }
    assert!(wrong.is_empty(), "{} of them are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn what_stays_plain_says_nothing() {
    for (name, kind) in kinds() {
        let plain = ["binary", "one-bit", "white in colour"].contains(&name)
            || ["white background", "one-bit inverted"].contains(&name);
        let folder = tempfile::tempdir().unwrap();
        save_image(folder.path(), "a.png", SIZE, 1);
        let end = if matches!(kind, Kind::Float(_)) { "tif" } else { "png" };
        if matches!(kind, Kind::Jpeg(_)) {
            continue;
        }
        kind.save(&folder.path().join(format!("a_mask.{end}")));
        let listing = scan(folder.path(), None, Watch::nobody()).unwrap();
        let rules = Reader::default().survey(&listing.pairs, &[], &Lesion::Any, Watch::nobody());
        assert_eq!(rules.masks.findings(folder.path()).is_empty(), plain, "{name}: {:?}", rules.lines());
    }
}

#[test]
fn white_of_one_bit_and_of_eight_are_one() {
    let folder = tempfile::tempdir().unwrap();
    for (i, kind) in [Kind::Bits(1, [0, 1, 1]), Kind::Grey([0, 255, 255])].iter().enumerate() {
        save_image(folder.path(), &format!("{i}.png"), SIZE, i as u32);
        kind.save(&folder.path().join(format!("{i}_mask.png")));
    }
    let listing = scan(folder.path(), None, Watch::nobody()).unwrap();
    let reader = Reader::default();
    let rules = |lesion: Lesion| reader.survey(&listing.pairs, &[], &lesion, Watch::nobody());
    assert!(rules(Lesion::Any).masks.findings(folder.path()).is_empty(), "{:?}", rules(Lesion::Any).lines());
    let reader = Reader::default().with_rules(rules(Lesion::Values(vec![255])));
    for pair in &listing.pairs {
        assert_eq!(reader.pair(pair).unwrap().mask.area(), area(|class| class > 0));
    }
}
