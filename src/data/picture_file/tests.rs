use std::path::Path;

use image::{DynamicImage, GrayImage, Luma, RgbImage};

use super::*;
use crate::data::segmentation::Watch;
use crate::data::segmentation::lesion::Lesion;
use crate::data::segmentation::read::Reader;
use crate::data::segmentation::testing::{TiffPage, exif, tiff, with_orientation};

/// Wide, with a bright upper left corner.
fn corner() -> GrayImage {
    GrayImage::from_fn(24, 16, |x, y| Luma([if x < 8 && y < 8 { 240 } else { 20 }]))
}

fn jpeg(image: &DynamicImage, quality: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    image.write_with_encoder(image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, quality)).unwrap();
    bytes
}

pub(super) fn read(path: &Path) -> Result<DynamicImage, String> {
    Memory::new(1 << 26).decode(path, |decoded| decoded.image)
}

/// Writes a file and looks at it.
pub(super) fn with_bytes<T>(name: &str, bytes: &[u8], look: impl FnOnce(&Path) -> T) -> T {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    look(&path)
}

#[test]
fn pictures_are_set_upright_in_every_format() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    let png = {
        let mut bytes = Vec::new();
        corner().write_with_encoder(image::codecs::png::PngEncoder::new(&mut bytes)).unwrap();
        bytes
    };
    let in_png = |orientation: u8| {
        let chunk = [b"eXIf".as_slice(), &exif(orientation)].concat();
        let length = (chunk.len() as u32 - 4).to_be_bytes();
        [&png[..33], &length, &chunk, &crc32fast::hash(&chunk).to_be_bytes(), &png[33..]].concat()
    };
    let in_tiff = |orientation: u8| {
        let page =
            TiffPage { size: (24, 16), grey: corner().into_raw(), tags: vec![(274, orientation.into())], subfile: 0 };
        tiff(&[page])
    };
    let plain = jpeg(&corner().into(), 95);
    let in_jpeg = |orientation: u8| with_orientation(&plain, orientation);
    for (format, write) in [("png", &in_png as &dyn Fn(u8) -> Vec<u8>), ("tiff", &in_tiff), ("jpeg", &in_jpeg)] {
        // Where the corner goes, of the wide or the high picture.
        for (orientation, size, place) in [
            (1, (24, 16), (0, 0)),
            (2, (24, 16), (23, 0)),
            (3, (24, 16), (23, 15)),
            (4, (24, 16), (0, 15)),
            (5, (16, 24), (0, 0)),
            (6, (16, 24), (15, 0)),
            (7, (16, 24), (15, 23)),
            (8, (16, 24), (0, 23)),
            (99, (24, 16), (0, 0)),
        ] {
            std::fs::write(&path, write(orientation)).unwrap();
            assert_eq!(size_of(&path).unwrap(), size, "{format} {orientation}");
            let image = read(&path).unwrap().to_luma8();
            assert_eq!(image.dimensions(), size, "{format} {orientation}");
            let bright: Vec<_> =
                image.enumerate_pixels().filter(|(_, _, p)| p.0[0] > 128).map(|(x, y, _)| (x, y)).collect();
            assert!(bright.len() == 64 && bright.contains(&place), "{format} {orientation}: {bright:?}");
        }
    }
}

#[test]
fn a_jpeg_that_is_cut_short_is_refused_however_it_ends() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.jpg");
    let noise = RgbImage::from_fn(70, 50, |x, y| {
        let mixed = (x * 7919 + y * 104_729).wrapping_mul(2_654_435_761);
        image::Rgb([(mixed >> 24) as u8, (x * 3) as u8, (y * 5) as u8])
    });
    let flat: DynamicImage = GrayImage::from_pixel(64, 48, Luma([128])).into();
    let dark = DynamicImage::from(GrayImage::from_fn(64, 48, |_, y| Luma([if y < 20 { 200 } else { 0 }])));
    let files = [jpeg(&noise.into(), 90), jpeg(&flat, 90), jpeg(&dark, 30), include_bytes!("progressive.jpg").to_vec()];
    for (number, whole) in files.iter().enumerate() {
        let reading = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            read(&path).map(DynamicImage::into_bytes)
        };
        let expected = reading(whole).unwrap();
        // Bytes behind the end, and an end that is missing, do no harm.
        assert_eq!(reading(&[whole, b"more\xff\xd9".as_slice()].concat()).unwrap(), expected);
        assert_eq!(reading(&whole[..whole.len() - 2]).unwrap(), expected, "{number}");
        assert_eq!(reading(&whole[..whole.len() - 1]).unwrap(), expected, "{number}");
        let cuts = [whole.len() / 2, whole.len() * 3 / 4, whole.len() - 12];
        for cut in cuts.into_iter().filter(|&cut| number != 1 || cut < whole.len() - 12) {
            for ending in [&[][..], &[0xff, 0xd9], &[0; 3000]] {
                let result = reading(&[&whole[..cut], ending].concat());
                let problem = result.expect_err(&format!("{number} cut at {cut} of {}", whole.len()));
                assert!(problem.contains("damaged"), "{problem}");
            }
        }
    }
}

#[test]
fn pages_of_a_tiff_are_all_read_or_refused_and_smaller_copies_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.tif");
    let page = |value: u8| TiffPage { size: (4, 3), grey: vec![value; 12], tags: Vec::new(), subfile: 0 };
    let copy = TiffPage { size: (2, 1), grey: vec![7; 2], tags: Vec::new(), subfile: 1 };
    let memory = Memory::new(1 << 20);
    let pages = || {
        let mut values = Vec::new();
        let count = memory.decode_mask(&path, |decoded| values.push(decoded.image.as_bytes()[0]))?;
        assert_eq!(count, values.len());
        Ok::<_, String>(values)
    };
    std::fs::write(&path, tiff(&[page(1), page(2), copy.clone(), page(3)])).unwrap();
    assert_eq!(pages().unwrap(), [1, 2, 3]);
    let problem = read(&path).unwrap_err();
    assert!(problem.contains("has 3 pages"), "{problem}");
    // A thumbnail before the picture.
    std::fs::write(&path, tiff(&[copy, page(5)])).unwrap();
    assert_eq!((pages().unwrap(), size_of(&path).unwrap()), (vec![5], (4, 3)));
    assert_eq!(read(&path).unwrap().as_bytes(), [5; 12]);
    // The second page is missing, the list of pages has no end.
    let two = tiff(&[page(1), page(2)]);
    std::fs::write(&path, &two[..two.len() / 2 + 8]).unwrap();
    assert!(pages().unwrap_err().contains("page 2"));
    let mut ring = two.clone();
    let next = two.len() - 12 - 4;
    ring[next] = 8;
    std::fs::write(&path, ring).unwrap();
    assert!(pages().unwrap_err().contains("no end"));
}

/// A TIFF of one strip of these bytes: tags (number, short value) beside those of the size.
fn plain_tiff((width, height): (u16, u16), tags: &[(u16, u16)], pixels: &[u8]) -> Vec<u8> {
    let mut entries = vec![(256, width), (257, height), (278, height), (273, 0), (279, pixels.len() as u16)];
    entries.extend(tags);
    entries.sort_unstable();
    let place = 8 + 2 + 12 * entries.len() + 4;
    let mut file = b"II*\0\x08\0\0\0".to_vec();
    file.extend((entries.len() as u16).to_le_bytes());
    for (tag, value) in entries {
        let value = if tag == 273 { place as u16 } else { value };
        file.extend([tag, 3, 1, 0, value, 0].map(u16::to_le_bytes).as_flattened());
    }
    file.extend([0; 4]);
    file.extend(pixels);
    file
}

#[test]
fn every_kind_of_tiff_that_is_not_read_is_refused_in_plain_words() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.tif");
    // Bits, compression, photometric interpretation, channels, format of numbers.
    for (tags, expected) in [
        ([32, 1, 1, 1, 3], "is a TIFF of 32-bit floating-point values, which is not read; save it as 8- or 16-bit"),
        ([64, 1, 1, 1, 3], "of 64-bit floating-point values"),
        ([16, 1, 1, 1, 3], "of 16-bit floating-point values"),
        ([32, 1, 1, 1, 1], "of 32-bit whole numbers"),
        ([32, 1, 1, 1, 2], "of 32-bit whole numbers with a sign"),
        ([16, 1, 1, 1, 2], "of 16-bit whole numbers with a sign"),
        ([12, 1, 1, 1, 1], "of 12-bit whole numbers"),
        ([4, 1, 1, 1, 1], "of 4-bit whole numbers"),
        ([64, 1, 1, 1, 6], "of complex numbers"),
        ([16, 1, 1, 2, 1], "of grey values with transparency or a second channel"),
        ([8, 1, 1, 2, 1], "of grey values with transparency or a second channel"),
        ([8, 1, 1, 5, 1], "of 5 channels of grey values"),
        ([8, 1, 3, 1, 1], "of a palette"),
        ([8, 1, 6, 3, 1], "of YCbCr colours"),
        ([8, 1, 8, 3, 1], "of Lab colours"),
        ([8, 50_000, 1, 1, 1], "packed with Zstandard, which is not read; save it without compression"),
        ([8, 34_925, 1, 1, 1], "packed with LZMA"),
        ([8, 34_712, 1, 1, 1], "packed with JPEG 2000"),
        ([8, 9999, 1, 1, 1], "packed with a rare compression"),
    ] {
        let numbers = [258, 259, 262, 277, 339].into_iter().zip(tags).collect::<Vec<_>>();
        std::fs::write(&path, plain_tiff((4, 2), &numbers, &[1; 64])).unwrap();
        for problem in [read(&path).unwrap_err(), size_of(&path).unwrap_err()] {
            assert!(problem.contains(expected), "{problem} should contain {expected}");
        }
    }
}

#[test]
fn what_cannot_be_read_is_told_without_the_words_of_a_library() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.png");
    let picture = DynamicImage::from(RgbImage::from_fn(40, 30, |x, y| image::Rgb([x as u8, y as u8, (x * y) as u8])));
    for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Bmp, ImageFormat::Tiff] {
        let mut whole = std::io::Cursor::new(Vec::new());
        picture.write_to(&mut whole, format).unwrap();
        let whole = whole.into_inner();
        for cut in [1, 4, 20, 60, whole.len() / 2, whole.len() - 20] {
            std::fs::write(&path, &whole[..cut]).unwrap();
            let Err(problem) = read(&path) else { panic!("{format:?} of {cut} bytes was read") };
            assert!(problem.contains("cut short"), "{format:?} cut at {cut}: {problem}");
        }
        // A wrong number somewhere within.
        for at in [whole.len() / 3, whole.len() / 2] {
            let mut wrong = whole.clone();
            wrong[at..at + 9].fill(0xff);
            std::fs::write(&path, &wrong).unwrap();
            if let Err(problem) = read(&path) {
                assert!(problem.contains("damaged") || problem.contains("cut short"), "{format:?}: {problem}");
            }
        }
    }
}

#[test]
fn zero_is_white_where_a_tiff_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.tif");
    let reader = crate::data::segmentation::read::Reader::default();
    let shown = |bits: u16, photometric: u16, pixels: &[u8]| {
        let file = plain_tiff((2, 1), &[(258, bits), (262, photometric)], pixels);
        std::fs::write(&path, file).unwrap();
        let rgb = reader.picture(&path).unwrap().rgb;
        [rgb[0], rgb[3]]
    };
    for (bits, pixels) in [(8, &[0, 255][..]), (1, &[0x40]), (16, &[0, 0, 255, 255])] {
        assert_eq!((shown(bits, 1, pixels), shown(bits, 0, pixels)), ([0, 255], [255, 0]), "{bits} bits");
    }
    // Radiographs: white is the other end of the bits that are in use, not of those of the file.
    let twelve: Vec<u8> = [1000_u16, 4095].map(u16::to_le_bytes).concat();
    assert_eq!((shown(16, 1, &twelve), shown(16, 0, &twelve)), ([62, 255], [193, 0]));
}

#[test]
fn truth_values_that_tifffile_wrote_are_true_in_a_mask() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("truth.tif");
    let bytes = include_bytes!("truth_of_tifffile.tif");
    let lesion = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        let mut pixels = Vec::new();
        let memory = Memory::new(1 << 20);
        memory.decode_mask(&path, |decoded| pixels = decoded.image.to_luma8().into_raw()).unwrap();
        pixels.iter().enumerate().filter(|(_, value)| **value > 0).map(|(i, _)| (i % 9, i / 9)).collect::<Vec<_>>()
    };
    let expected: Vec<(usize, usize)> = (1..4).flat_map(|y| (2..6).map(move |x| (x, y))).collect();
    assert_eq!(lesion(bytes), expected);
    // Of another program, what it calls white is white.
    let name = bytes.windows(8).position(|window| window == b"tifffile").unwrap();
    let other = [&bytes[..name], b"ImageMag", &bytes[name + 8..]].concat();
    assert_eq!(lesion(&other).len(), 9 * 6 - expected.len());
    // As a picture it looks as every viewer shows it.
    std::fs::write(&path, bytes).unwrap();
    assert_eq!(read(&path).unwrap().to_luma8().as_raw()[0], 255);
}

/// A DICOM file of grey values in 16 bits, 12 of them used, which no window makes shades of.
fn dicom(frames: &[&[u16]], width: u16, slope: &str) -> Vec<u8> {
    let mut file = [&[0; 128][..], b"DICM"].concat();
    let mut put = |group: u16, element: u16, kind: &[u8; 2], value: &[u8]| {
        file.extend([group.to_le_bytes(), element.to_le_bytes()].as_flattened());
        file.extend(kind);
        if kind == b"OW" {
            file.extend([0, 0]);
            file.extend((value.len() as u32).to_le_bytes());
        } else {
            file.extend((value.len() as u16).to_le_bytes());
        }
        file.extend(value);
    };
    let height = (frames[0].len() as u16 / width).to_le_bytes();
    put(2, 0x10, b"UI", b"1.2.840.10008.1.2.1\0");
    put(0x28, 2, b"US", &[1, 0]);
    put(0x28, 4, b"CS", b"MONOCHROME2 ");
    put(0x28, 8, b"IS", format!("{:2}", frames.len()).as_bytes());
    put(0x28, 0x10, b"US", &height);
    put(0x28, 0x11, b"US", &width.to_le_bytes());
    put(0x28, 0x100, b"US", &[16, 0]);
    put(0x28, 0x101, b"US", &[12, 0]);
    put(0x28, 0x103, b"US", &[0, 0]);
    put(0x28, 0x1053, b"DS", slope.as_bytes());
    let pixels: Vec<u8> = frames.iter().copied().flatten().flat_map(|value| value.to_le_bytes()).collect();
    put(0x7fe0, 0x10, b"OW", &pixels);
    file
}

#[test]
fn a_small_slope_of_a_dicom_file_leaves_its_shades() {
    let ramp: Vec<u16> = (0..256).map(|i| i * 16 + 15).collect();
    let folder = tempfile::tempdir().unwrap();
    let paths = [("a.dcm", "0.001 "), ("b.dcm", "0.0005")].map(|(name, slope)| {
        let path = folder.path().join(name);
        std::fs::write(&path, dicom(&[&ramp], 16, slope)).unwrap();
        path
    });
    let reader = Reader::default();
    let rules = reader.survey(&[], &paths, &Lesion::Any, Watch::nobody());
    let reader = reader.with_rules(rules);
    let [a, b] = paths.map(|path| reader.picture(&path).unwrap().rgb);
    let shades: std::collections::BTreeSet<u8> = a.iter().copied().collect();
    // Of 4.095, where 15 is white.
    assert!(shades.len() >= 64, "{shades:?}");
    assert_eq!(shades.last(), Some(&70));
    let apart = a.iter().zip(&b).map(|(a, b)| i32::from(*a) - 2 * i32::from(*b));
    assert!(apart.clone().all(|apart| apart.abs() <= 1), "{:?}", apart.collect::<Vec<_>>());
}

#[test]
fn a_film_is_read_once_for_all_of_its_frames() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("film.dcm");
    let write = |values: [&[u16]; 2]| {
        std::fs::write(&path, dicom(&values, 2, "1 ")).unwrap();
        let file = std::fs::File::options().write(true).open(&path).unwrap();
        file.set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000)).unwrap();
    };
    let frame = |index: usize| read(&folder.path().join(format!("film z={index}.dcm"))).unwrap().to_luma16().into_raw();
    write([&[1, 2, 3, 4], &[5, 6, 7, 8]]);
    assert_eq!(frame(0), [1, 2, 3, 4]);
    // It looks the same from outside, so that nobody can have read it again.
    write([&[0; 4], &[0; 4]]);
    assert_eq!(frame(1), [5, 6, 7, 8]);
}
