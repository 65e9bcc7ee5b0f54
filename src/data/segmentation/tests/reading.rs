use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::super::Watch;
use super::super::listing::scan;
use super::super::read::{ReadLimits, Reader, Sample};
use super::super::testing::{inside, place, png, rectangle, save_image, save_mask, save_one_bit};

const SIZE: (u32, u32) = (20, 12);
const LESION: [u32; 4] = [3, 2, 11, 9];

/// The only pair of a folder.
fn sample(folder: &Path) -> Sample {
    let listing = scan(folder, None, Watch::nobody()).unwrap();
    assert_eq!(listing.pairs.len(), 1, "{listing:?}");
    Reader::default().pair(&listing.pairs[0]).unwrap()
}

fn with_image() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    save_image(folder.path(), "a.png", SIZE, 1);
    folder
}

#[test]
fn every_kind_of_mask_gives_the_same_lesion() {
    let expected = rectangle(SIZE, LESION);
    let on = |x, y| u8::from(inside(LESION, x, y));
    type Save<'a> = (&'a str, &'a dyn Fn(&Path));
    let save: [Save<'_>; 12] = [
        ("one bit", &|f| save_one_bit(f, "a_mask.png", &rectangle(SIZE, LESION))),
        ("grey", &|f| save_mask(f, "a_mask.png", SIZE, LESION)),
        ("blue alone", &|f| {
            let m = image::RgbImage::from_fn(SIZE.0, SIZE.1, |x, y| image::Rgb([0, 0, 255 * on(x, y)]));
            m.save(place(f, "a_mask.png")).unwrap();
        }),
        ("opaque everywhere", &|f| {
            let m = image::RgbaImage::from_fn(SIZE.0, SIZE.1, |x, y| image::Rgba([255 * on(x, y), 0, 0, 255]));
            m.save(place(f, "a_mask.png")).unwrap();
        }),
        ("transparent everywhere", &|f| {
            let m = image::RgbaImage::from_fn(SIZE.0, SIZE.1, |x, y| image::Rgba([255 * on(x, y), 0, 0, 0]));
            m.save(place(f, "a_mask.png")).unwrap();
        }),
        ("grey with alpha", &|f| {
            let m = image::ImageBuffer::from_fn(SIZE.0, SIZE.1, |x, y| image::LumaA([255 * on(x, y), 255]));
            image::DynamicImage::ImageLumaA8(m).save(place(f, "a_mask.png")).unwrap();
        }),
        ("16 bits", &|f| {
            let m = image::ImageBuffer::from_fn(SIZE.0, SIZE.1, |x, y| image::Luma([65_535 * u16::from(on(x, y))]));
            image::DynamicImage::ImageLuma16(m).save(place(f, "a_mask.png")).unwrap();
        }),
        ("255 in 16 bits", &|f| {
            let m = image::ImageBuffer::from_fn(SIZE.0, SIZE.1, |x, y| image::Luma([255 * u16::from(on(x, y))]));
            image::DynamicImage::ImageLuma16(m).save(place(f, "a_mask.png")).unwrap();
        }),
        ("zeros and ones", &|f| {
            let m = image::GrayImage::from_fn(SIZE.0, SIZE.1, |x, y| image::Luma([on(x, y)]));
            m.save(place(f, "a_mask.png")).unwrap();
        }),
        ("bmp", &|f| save_mask(f, "a_mask.bmp", SIZE, LESION)),
        ("tiff", &|f| save_mask(f, "a_mask.TIFF", SIZE, LESION)),
        ("palette", &|f| {
            // One byte a pixel into a table of black and white.
            let rows: Vec<u8> =
                (0..SIZE.1).flat_map(|y| std::iter::once(0).chain((0..SIZE.0).map(move |x| on(x, y)))).collect();
            let header = [&SIZE.0.to_be_bytes()[..], &SIZE.1.to_be_bytes(), &[8, 3, 0, 0, 0]].concat();
            let mut file = png(&header, &rows);
            let chunk = [&b"PLTE"[..], &[0, 0, 0, 255, 255, 255]].concat();
            let table = [&6_u32.to_be_bytes()[..], &chunk, &crc32fast::hash(&chunk).to_be_bytes()].concat();
            file.splice(33..33, table);
            std::fs::write(place(f, "a_mask.png"), file).unwrap();
        }),
    ];
    for (kind, save) in save {
        let folder = with_image();
        save(folder.path());
        let sample = sample(folder.path());
        assert_eq!(sample.mask, expected, "{kind}");
        assert_eq!(sample.facts.zero_one, kind == "zeros and ones", "{kind}");
        assert!(sample.facts.grey_share < 1e-9, "{kind}: {:?}", sample.facts);
    }
}

#[test]
fn an_all_black_mask_in_colour_is_no_lesion() {
    let folder = with_image();
    image::RgbImage::new(SIZE.0, SIZE.1).save(folder.path().join("a_mask.png")).unwrap();
    let sample = sample(folder.path());
    assert_eq!(sample.mask.area(), 0);
    assert_eq!(sample.facts, Default::default());
}

#[test]
fn several_masks_are_joined() {
    let folder = with_image();
    save_mask(folder.path(), "a_mask.png", SIZE, [0, 0, 5, 5]);
    save_mask(folder.path(), "a_mask_1.png", SIZE, [3, 3, 8, 8]);
    save_mask(folder.path(), "a_mask_2.png", SIZE, [15, 8, 17, 12]);
    let mut expected = rectangle(SIZE, [0, 0, 5, 5]);
    expected.add(&rectangle(SIZE, [3, 3, 8, 8]));
    expected.add(&rectangle(SIZE, [15, 8, 17, 12]));
    assert_eq!(sample(folder.path()).mask, expected);
}

#[test]
fn images_of_any_depth_become_8_bit_colour() {
    let read = |save: &dyn Fn(&Path)| {
        let folder = tempfile::tempdir().unwrap();
        save(folder.path());
        save_mask(folder.path(), "a_mask.png", (4, 1), [0, 0, 1, 1]);
        let picture = sample(folder.path()).picture;
        assert_eq!((picture.width, picture.height, picture.factor), (4, 1, 1));
        picture.rgb
    };
    let grey = |values: [u8; 4]| values.into_iter().flat_map(|v| [v; 3]).collect::<Vec<u8>>();
    let of_16 = |values: [u16; 4]| {
        read(&|folder| {
            let buffer = image::ImageBuffer::from_vec(4, 1, values.to_vec()).unwrap();
            image::DynamicImage::ImageLuma16(buffer).save(place(folder, "a.png")).unwrap();
        })
    };
    assert_eq!(of_16([0, 257 * 10, 257 * 100, 65_535]), grey([0, 10, 100, 255]));
    // 12 bits in 16, as many devices write.
    assert_eq!(of_16([0, 4095 / 3, 2048, 4095]), grey([0, 85, 128, 255]));
    assert_eq!(of_16([0, 7, 9, 250]), grey([0, 7, 9, 250]));
    let float = read(&|folder| {
        let pixels = [0.0, 0.5, 1.0, f32::NAN].iter().flat_map(|&v| [v; 3]).collect();
        let buffer = image::ImageBuffer::from_vec(4, 1, pixels).unwrap();
        image::DynamicImage::ImageRgb32F(buffer).save(place(folder, "a.tiff")).unwrap();
    });
    assert_eq!(float, grey([0, 128, 255, 0]));
    let colour = read(&|folder| {
        let buffer = image::RgbaImage::from_fn(4, 1, |x, _| image::Rgba([x as u8, 2, 3, 0]));
        buffer.save(place(folder, "a.png")).unwrap();
    });
    assert_eq!(colour, [0, 2, 3, 1, 2, 3, 2, 2, 3, 3, 2, 3]);
}

#[test]
fn a_mask_of_another_size_is_stretched_and_told() {
    let folder = with_image();
    save_mask(folder.path(), "a_mask.png", (40, 24), [6, 4, 22, 18]);
    let sample = sample(folder.path());
    assert_eq!(sample.mask, rectangle(SIZE, LESION));
    assert_eq!(sample.facts.other_size, Some((40, 24)));
}

#[test]
fn a_wrong_extension_does_not_matter() {
    let folder = with_image();
    save_mask(folder.path(), "x.bmp", SIZE, LESION);
    std::fs::rename(folder.path().join("x.bmp"), folder.path().join("a_mask.jpg")).unwrap();
    assert_eq!(sample(folder.path()).mask, rectangle(SIZE, LESION));
}

#[test]
fn large_images_are_made_smaller_by_a_whole_factor() {
    let folder = tempfile::tempdir().unwrap();
    let large = image::RgbImage::from_fn(90, 50, |x, y| image::Rgb([(x / 3) as u8 * 8, (y / 3) as u8 * 8, 7]));
    large.save(folder.path().join("a.png")).unwrap();
    save_mask(folder.path(), "a_mask.png", (90, 50), [30, 15, 60, 36]);
    save_mask(folder.path(), "a_mask_1.png", (45, 25), [0, 0, 3, 3]);
    let listing = scan(folder.path(), None, Watch::nobody()).unwrap();
    let reader = Reader::new(ReadLimits { most_pixels: 600, ..ReadLimits::default() });
    let sample = reader.pair(&listing.pairs[0]).unwrap();
    assert_eq!((sample.picture.width, sample.picture.height, sample.picture.factor), (30, 17, 3));
    assert_eq!(sample.picture.original, (90, 50));
    assert_eq!(sample.picture.rgb[3 * (5 * 30 + 9)..][..3], [72, 40, 7]);
    let mut expected = rectangle((30, 17), [10, 5, 20, 12]);
    expected.add(&rectangle((30, 17), [0, 0, 2, 2]));
    assert_eq!(sample.mask, expected);
}

#[test]
fn an_image_of_8000_by_8000_is_read_and_one_beyond_the_limit_refused() {
    let folder = tempfile::tempdir().unwrap();
    let side = 8000_u32;
    let header = |side: u32, kind: [u8; 5]| [&side.to_be_bytes()[..], &side.to_be_bytes(), &kind].concat();
    let rows = vec![0; (side as usize + 1) * side as usize];
    std::fs::write(folder.path().join("a.png"), png(&header(side, [8, 0, 0, 0, 0]), &rows)).unwrap();
    let bits = vec![0xff; (side as usize / 8 + 1) * side as usize];
    let bits: Vec<u8> =
        bits.iter().enumerate().map(|(i, b)| if i % (side as usize / 8 + 1) == 0 { 0 } else { *b }).collect();
    std::fs::write(folder.path().join("a_mask.png"), png(&header(side, [1, 0, 0, 0, 0]), &bits)).unwrap();
    let sample = sample(folder.path());
    assert_eq!((sample.picture.width, sample.picture.factor), (2000, 4));
    assert_eq!(sample.mask.area(), 2000 * 2000);

    // Its header promises more than memory is given for.
    std::fs::write(folder.path().join("b.png"), png(&header(60_000, [8, 2, 0, 0, 0]), &[0])).unwrap();
    let problem = Reader::default().picture(&folder.path().join("b.png")).unwrap_err().problem;
    assert!(problem.contains("60000×60000") && problem.contains("1024 MiB"), "{problem}");
}

#[test]
fn many_are_read_at_once_within_the_memory_and_damaged_ones_are_problems() {
    let folder = tempfile::tempdir().unwrap();
    for i in 0..12 {
        save_image(folder.path(), &format!("{i}.png"), (60, 40), i);
        save_mask(folder.path(), &format!("{i}_mask.png"), (60, 40), [i, 0, i + 4, 4]);
    }
    let listing = scan(folder.path(), None, Watch::nobody()).unwrap();
    // Damaged behind the header, after it was listed.
    let path = folder.path().join("3.png");
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    std::fs::remove_file(folder.path().join("5_mask.png")).unwrap();
    let reader = Reader::new(ReadLimits { decoded_bytes: 2400, ..ReadLimits::default() });
    let (seen, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let progress = |done: usize, total: usize| {
        assert_eq!(total, 12);
        seen.fetch_add(1, Ordering::Relaxed);
        most.fetch_max(done, Ordering::Relaxed);
    };
    let never = AtomicBool::new(false);
    let all = reader.all(&listing.pairs, Watch { progress: &progress, cancel: &never }, |i, sample| {
        assert_eq!(sample.mask, rectangle((60, 40), [i as u32, 0, i as u32 + 4, 4]));
        sample.mask.area()
    });
    assert_eq!((all.items.len(), all.problems.len(), all.cancelled), (10, 2, false));
    assert_eq!((seen.into_inner(), most.into_inner()), (12, 12));
    assert!(
        all.problems[0].path.ends_with("3.png") && all.problems[0].problem.contains("damaged"),
        "{:?}",
        all.problems
    );
    assert!(all.problems[1].path.ends_with("5_mask.png") && all.problems[1].problem.contains("opened"));

    let stop = AtomicBool::new(false);
    let after_two = |done: usize, _: usize| stop.store(done >= 2, Ordering::Relaxed);
    let all = reader.all(&listing.pairs, Watch { progress: &after_two, cancel: &stop }, |_, _| ());
    assert!(all.cancelled && all.items.len() + all.problems.len() < 12);
}

#[test]
fn random_damage_never_ends_the_program() {
    let folder = with_image();
    for name in ["m.png", "m.bmp", "m.tiff", "m.jpg"] {
        save_mask(folder.path(), name, (32, 32), LESION);
        let bytes = std::fs::read(folder.path().join(name)).unwrap();
        for i in 0..60_usize {
            let mut damaged = bytes.clone();
            let at = (i * 7919) % damaged.len();
            damaged[at] ^= 1 << (i % 8);
            damaged.truncate(if i % 3 == 0 { at.max(1) } else { bytes.len() });
            std::fs::write(folder.path().join(name), &damaged).unwrap();
            // Read or refused with words; both are right.
            if let Err(problem) = Reader::default().picture(&folder.path().join(name)) {
                assert!(!problem.problem.is_empty());
            }
        }
    }
}
