use std::path::Path;

use image::{DynamicImage, GrayImage, Luma, RgbImage};

use super::*;
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

fn read(path: &Path) -> Result<DynamicImage, String> {
    Memory::new(1 << 26).decode(path, |decoded| decoded.image)
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
