//! Files for tests: pictures of every kind that data sets hold.

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::pixels::mask::Mask;

/// Creates the folders of `name` and gives its path.
pub fn place(folder: &Path, name: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    path
}

/// A grey image with some structure that `seed` changes.
pub fn save_image(folder: &Path, name: &str, (width, height): (u32, u32), seed: u32) {
    let value = |x: u32, y: u32| {
        let mixed = (x / 3).wrapping_mul(2_654_435_761) ^ (y / 3).wrapping_mul(40_503) ^ seed.wrapping_mul(97_531_711);
        (mixed.wrapping_mul(2_246_822_519) >> 24) as u8
    };
    let image = image::GrayImage::from_fn(width, height, |x, y| image::Luma([value(x, y)]));
    image.save(place(folder, name)).unwrap();
}

/// An 8-bit grey mask with a rectangle of lesion.
pub fn save_mask(folder: &Path, name: &str, size: (u32, u32), lesion: [u32; 4]) {
    let image = image::GrayImage::from_fn(size.0, size.1, |x, y| image::Luma([255 * u8::from(inside(lesion, x, y))]));
    image.save(place(folder, name)).unwrap();
}

/// Whether a pixel is in `[left, top, right, bottom)`.
pub fn inside([left, top, right, bottom]: [u32; 4], x: u32, y: u32) -> bool {
    (left..right).contains(&x) && (top..bottom).contains(&y)
}

/// The mask of a rectangle.
pub fn rectangle((width, height): (u32, u32), lesion: [u32; 4]) -> Mask {
    Mask::from_fn(height as usize, width as usize, |row, column| inside(lesion, column as u32, row as u32))
}

/// A one-bit grey PNG, as most masks of BUSI are; written here since the image library reads but does not write them.
pub fn save_one_bit(folder: &Path, name: &str, mask: &Mask) {
    let mut rows = Vec::new();
    for row in mask.pixels().chunks_exact(mask.width()) {
        rows.push(0);
        rows.extend(
            row.chunks(8)
                .map(|bits| bits.iter().enumerate().fold(0, |byte, (i, bit)| byte | u8::from(*bit) << (7 - i))),
        );
    }
    let header =
        [&(mask.width() as u32).to_be_bytes()[..], &(mask.height() as u32).to_be_bytes(), &[1, 0, 0, 0, 0]].concat();
    std::fs::write(place(folder, name), png(&header, &rows)).unwrap();
}

/// A PNG of a header chunk and filtered rows.
pub fn png(header: &[u8], rows: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(rows).unwrap();
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    for (kind, data) in [(b"IHDR", header), (b"IDAT", &packed.finish().unwrap()), (b"IEND", &[])] {
        file.extend((data.len() as u32).to_be_bytes());
        let chunk = [&kind[..], data].concat();
        file.extend(&chunk);
        file.extend(crc32fast::hash(&chunk).to_be_bytes());
    }
    file
}

/// A page of [`tiff`].
#[derive(Clone)]
pub struct TiffPage {
    pub size: (u32, u32),
    /// One byte a pixel.
    pub grey: Vec<u8>,
    /// Tags beside the necessary ones, in ascending order above 262: number and short value.
    pub tags: Vec<(u16, u16)>,
    /// 1: a smaller copy of another page.
    pub subfile: u32,
}

/// An 8-bit grey TIFF of several pages, which the image library does not write.
pub fn tiff(pages: &[TiffPage]) -> Vec<u8> {
    let mut file = b"II*\0\x08\0\0\0".to_vec();
    for (i, page) in pages.iter().enumerate() {
        let mut entries: Vec<(u16, u16, u32)> = vec![
            (254, 4, page.subfile),
            (256, 4, page.size.0),
            (257, 4, page.size.1),
            (258, 3, 8),
            (259, 3, 1),
            (262, 3, 1),
            (273, 4, 0),
            (278, 4, page.size.1),
            (279, 4, page.grey.len() as u32),
        ];
        entries.extend(page.tags.iter().map(|&(tag, value)| (tag, 3, u32::from(value))));
        entries.sort_unstable();
        let pixels = file.len() + 2 + 12 * entries.len() + 4;
        let next = if i + 1 < pages.len() { pixels + page.grey.len() } else { 0 };
        file.extend((entries.len() as u16).to_le_bytes());
        for (tag, kind, value) in entries {
            let value = if tag == 273 { pixels as u32 } else { value };
            file.extend(
                [&tag.to_le_bytes()[..], &kind.to_le_bytes(), &1_u32.to_le_bytes(), &value.to_le_bytes()].concat(),
            );
        }
        file.extend((next as u32).to_le_bytes());
        file.extend(&page.grey);
    }
    file
}

/// A JPEG with an orientation tag behind its first marker.
pub fn with_orientation(jpeg: &[u8], orientation: u8) -> Vec<u8> {
    let exif = exif(orientation);
    let length = (2 + 6 + exif.len()) as u16;
    [&jpeg[..2], &[0xff, 0xe1], &length.to_be_bytes(), b"Exif\0\0", &exif, &jpeg[2..]].concat()
}

/// The orientation tag alone, as EXIF.
pub fn exif(orientation: u8) -> Vec<u8> {
    [b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".as_slice(), &[orientation, 0, 0, 0, 0, 0, 0, 0]].concat()
}
