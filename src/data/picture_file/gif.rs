//! The picture of a GIF, on the whole of its screen; an animation is refused. Its palette is turned into what it looks like: an encoder numbers
//! the colours as it likes, so that the numbers of a mask say nothing.

use std::io::{Error, ErrorKind, Read};
use std::num::NonZeroU64;

use gif::{ColorOutput, DecodeOptions, Decoder, DecodingError, MemoryLimit};
use image::error::{DecodingError as Damaged, LimitError, LimitErrorKind};
use image::{ColorType, ImageDecoder, ImageError, ImageFormat, ImageResult};

/// Whether there are several pictures, an animation; `false` too where it cannot be told.
pub fn is_animated(input: impl Read, beside_pixels: u64) -> bool {
    let mut options = DecodeOptions::new();
    options.skip_frame_decoding(true);
    if let Some(bytes) = NonZeroU64::new(beside_pixels) {
        options.set_memory_limit(MemoryLimit::Bytes(bytes));
    }
    let Ok(mut decoder) = options.read_info(input) else { return false };
    (0..2).all(|_| matches!(decoder.next_frame_info(), Ok(Some(_))))
}

/// A GIF whose header and first picture's header were read.
pub struct Gif<R: Read> {
    decoder: Decoder<R>,
    color: ColorType,
    /// Red, green, blue and alpha of every number of the palette.
    palette: Vec<[u8; 4]>,
    /// Of the screen beside the picture.
    around: [u8; 4],
}

impl<R: Read> Gif<R> {
    /// Reads the headers. `beside_pixels`: bytes that texts and profiles may take.
    pub fn open(input: R, beside_pixels: u64) -> ImageResult<Self> {
        let mut options = DecodeOptions::new();
        options.set_color_output(ColorOutput::Indexed);
        if let Some(bytes) = NonZeroU64::new(beside_pixels) {
            options.set_memory_limit(MemoryLimit::Bytes(bytes));
        }
        // A picture larger than the screen would take more memory than the screen's size says.
        options.check_frame_consistency(true);
        let mut decoder = options.read_info(input).map_err(problem)?;
        let frame = decoder.next_frame_info().map_err(problem)?;
        let frame =
            frame.ok_or_else(|| Error::new(ErrorKind::UnexpectedEof, "no picture")).map_err(ImageError::IoError)?;
        let (transparent, frame) = (frame.transparent, (frame.width, frame.height));
        let opaque = |colours: &[u8]| colours.as_chunks().0.iter().map(|&[r, g, b]| [r, g, b, 255]).collect();
        let mut palette: Vec<[u8; 4]> = opaque(decoder.palette().map_err(problem)?);
        let screen: Vec<[u8; 4]> = decoder.global_palette().map(opaque).unwrap_or_default();
        let mut around = screen.get(decoder.bg_color().unwrap_or(0)).copied().unwrap_or([0, 0, 0, 255]);
        if let Some(number) = transparent {
            around = [0; 4];
            if let Some(colour) = palette.get_mut(usize::from(number)) {
                colour[3] = 0;
            }
        }
        let is_grey = |[r, g, b, _]: &[u8; 4]| r == g && g == b;
        let covered = frame == (decoder.width(), decoder.height());
        let color = match transparent {
            Some(_) => ColorType::Rgba8,
            None if palette.iter().all(is_grey) && (covered || is_grey(&around)) => ColorType::L8,
            None => ColorType::Rgb8,
        };
        Ok(Self { decoder, color, palette, around })
    }
}

impl<R: Read> ImageDecoder for Gif<R> {
    fn dimensions(&self) -> (u32, u32) {
        (u32::from(self.decoder.width()), u32::from(self.decoder.height()))
    }

    fn color_type(&self) -> ColorType {
        self.color
    }

    fn read_image(mut self, buf: &mut [u8]) -> ImageResult<()> {
        let (width, channels) = (usize::from(self.decoder.width()), usize::from(self.color.channel_count()));
        let frame = self.decoder.current_frame_info().ok_or_else(|| problem(DecodingError::UnexpectedEof))?;
        let (left, top) = (usize::from(frame.left), usize::from(frame.top));
        let (columns, rows) = (usize::from(frame.width), usize::from(frame.height));
        let mut numbers = vec![0; columns * rows];
        self.decoder.read_into_buffer(&mut numbers).map_err(problem)?;
        if (columns * rows * channels) < buf.len() {
            buf.chunks_exact_mut(channels).for_each(|pixel| pixel.copy_from_slice(&self.around[..channels]));
        }
        // No rows of no columns.
        for (row, numbers) in numbers.chunks_exact(columns.max(1)).enumerate() {
            let start = ((top + row) * width + left) * channels;
            let pixels = buf[start..start + columns * channels].chunks_exact_mut(channels);
            for (pixel, &number) in pixels.zip(numbers) {
                let colour = self.palette.get(usize::from(number)).copied().unwrap_or([0, 0, 0, 255]);
                pixel.copy_from_slice(&colour[..channels]);
            }
        }
        Ok(())
    }

    fn read_image_boxed(self: Box<Self>, buf: &mut [u8]) -> ImageResult<()> {
        (*self).read_image(buf)
    }
}

fn problem(error: DecodingError) -> ImageError {
    match error {
        DecodingError::Io(error) => ImageError::IoError(error),
        DecodingError::UnexpectedEof => ImageError::IoError(ErrorKind::UnexpectedEof.into()),
        DecodingError::MemoryLimit | DecodingError::OutOfMemory => {
            ImageError::Limits(LimitError::from_kind(LimitErrorKind::InsufficientMemory))
        }
        other => ImageError::Decoding(Damaged::new(ImageFormat::Gif.into(), other)),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use gif::{Encoder, Frame};

    use super::super::tests::{read, with_bytes};
    use super::super::{CUT_SHORT, Memory, size_of};
    use super::*;

    /// A GIF of one picture on a screen of 6 by 5 pixels.
    fn gif(palette: &[u8], frame: &Frame<'_>) -> Vec<u8> {
        let mut bytes = Vec::new();
        Encoder::new(&mut bytes, 6, 5, palette).unwrap().write_frame(frame).unwrap();
        bytes
    }

    /// The whole screen: number 1 in the lower left corner, else 0.
    fn corner() -> Frame<'static> {
        Frame::from_indexed_pixels(6, 5, (0..30).map(|i| u8::from(i >= 18 && i % 6 < 3)).collect::<Vec<u8>>(), None)
    }

    #[test]
    fn what_a_palette_looks_like_is_read_and_not_its_numbers() {
        let bright = |image: &image::DynamicImage| image.to_luma8().pixels().filter(|pixel| pixel.0[0] > 128).count();
        let of =
            |palette: &[u8], frame: &Frame<'_>| with_bytes("a.gif", &gif(palette, frame), |path| read(path).unwrap());
        let grey = of(&[0, 0, 0, 255, 255, 255], &corner());
        assert_eq!((grey.color(), bright(&grey), grey.to_luma8().get_pixel(0, 4).0), (ColorType::L8, 6, [255]));
        let other_way = of(&[255, 255, 255, 0, 0, 0], &corner());
        assert_eq!((other_way.color(), bright(&other_way)), (ColorType::L8, 24));
        let colour = of(&[0, 0, 0, 200, 10, 30], &corner());
        assert_eq!((colour.color(), colour.to_rgb8().get_pixel(2, 3).0), (ColorType::Rgb8, [200, 10, 30]));
        let through = of(&[9, 9, 9, 200, 200, 200], &Frame { transparent: Some(0), ..corner() });
        assert_eq!((through.color(), through.to_rgba8().get_pixel(0, 0).0[3]), (ColorType::Rgba8, 0));
        // A picture of two rows below the first, and lines in the order of an old modem.
        let pixels = vec![1; 12];
        let small = Frame { top: 2, ..Frame::from_indexed_pixels(6, 2, pixels, None) };
        let placed = of(&[0, 0, 0, 255, 255, 255], &small).to_luma8();
        assert_eq!([0, 1, 2, 3, 4].map(|y| placed.get_pixel(5, y).0[0]), [0, 0, 255, 255, 0]);
        let order = [0, 4, 2, 1, 3];
        let lines = order.iter().flat_map(|&row: &u8| [row; 6]).collect::<Vec<u8>>();
        let interlaced = Frame { interlaced: true, ..Frame::from_indexed_pixels(6, 5, lines, None) };
        let greys: Vec<u8> = (0..8).flat_map(|i| [10 * i; 3]).collect();
        let image = of(&greys, &interlaced).to_luma8();
        assert_eq!([0, 1, 2, 3, 4].map(|y| image.get_pixel(0, y).0[0]), [0, 10, 20, 30, 40]);
    }

    #[test]
    fn an_animation_is_refused_as_image_and_as_mask() {
        let mut bytes = Vec::new();
        let mut encoder = Encoder::new(&mut bytes, 6, 5, &[0, 0, 0, 255, 255, 255]).unwrap();
        encoder.write_frame(&corner()).unwrap();
        encoder.write_frame(&Frame::from_indexed_pixels(6, 5, vec![1; 30], None)).unwrap();
        drop(encoder);
        with_bytes("a.gif", &bytes, |path| {
            let problem = read(path).unwrap_err();
            assert!(problem.starts_with("is an animation of several pictures"), "{problem}");
            assert_eq!(Memory::new(1 << 20).decode_mask(path, |_| ()), Err(problem));
            assert_eq!(size_of(path), Ok((6, 5)));
        });
    }

    #[test]
    fn damage_is_refused_wherever_the_file_is_cut_and_claims_are_held_to_the_limits() {
        let noise: Vec<u8> = (0..30_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 30) as u8).collect();
        let greys: Vec<u8> = (0..4).flat_map(|i| [80 * i; 3]).collect();
        let whole = gif(&greys, &Frame::from_indexed_pixels(6, 5, noise, None));
        // The last two bytes end the list of blocks and the file.
        for cut in 1..whole.len() - 4 {
            let problem = with_bytes("a.gif", &whole[..cut], |path| read(path).unwrap_err());
            assert!(
                problem == CUT_SHORT || problem.contains("damaged") || problem.contains("picture"),
                "{cut}: {problem}"
            );
        }
        let problem = |bytes: &[u8]| with_bytes("a.gif", bytes, |path| read(path).unwrap_err());
        assert_eq!(problem(b"GIF89a"), CUT_SHORT);
        for (at, bit) in (6..whole.len()).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
            let mut damaged = whole.clone();
            damaged[at] ^= 1 << bit;
            // Read or refused with words; its decoder never gives up.
            let read = with_bytes("a.gif", &damaged, read);
            assert!(!read.is_err_and(|problem| problem.contains("gave up")), "byte {at}, bit {bit}");
        }
        let mut huge = whole.clone();
        huge[6..10].copy_from_slice(&[0x60, 0xea, 0x60, 0xea]);
        with_bytes("a.gif", &huge, |path| assert_eq!(size_of(path), Ok((60_000, 60_000))));
        assert!(problem(&huge).contains("60000×60000"), "{}", problem(&huge));
        // Larger than its screen.
        let mut beyond = whole.clone();
        beyond[6..10].copy_from_slice(&[2, 0, 2, 0]);
        assert!(problem(&beyond).contains("damaged GIF"), "{}", problem(&beyond));
        let no_palette = [&b"GIF89a\x06\0\x05\0\0\0\0,\0\0\0\0\x06\0\x05\0\0"[..], b"\x02\x02\x4c\x01\0;"].concat();
        assert!(problem(&no_palette).contains("damaged GIF"), "{}", problem(&no_palette));
        assert!(Gif::open(Cursor::new(&whole), 1 << 20).is_ok_and(|gif| gif.dimensions() == (6, 5)));
    }
}
