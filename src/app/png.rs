//! A picture packed as PNG.

use image::RgbaImage;

/// The bytes of a PNG file.
pub fn png(picture: &RgbaImage) -> Result<Vec<u8>, String> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let packed = picture.write_to(&mut bytes, image::ImageFormat::Png);
    packed.map(|()| bytes.into_inner()).map_err(|error| format!("the picture cannot be packed as PNG: {error}"))
}
