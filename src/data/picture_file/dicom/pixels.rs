//! The frames of a DICOM file as 8-bit grey or colour, 16-bit grey, or grey in floating-point numbers.

use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;

use image::codecs::jpeg::JpegDecoder;
use image::{ColorType, ImageDecoder};

use super::super::CUT_SHORT;
use super::super::kept::stamp;
use super::{Colours, Dicom, FILMS, Film, Packing, Pixels, Window, WindowKind};

/// What a frame is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum For {
    /// As a viewer shows it.
    Sight,
    /// The numbers as they are stored.
    Numbers,
}

impl Dicom {
    /// The kind of pixels that [`Self::frame`] gives. Values of more than 8 bits that no window makes shades of stay numbers,
    /// and those that are scaled no whole ones: a small slope would leave few of them.
    pub fn color(&self, wanted: For) -> ColorType {
        match (self.colours, wanted) {
            (Colours::Grey { .. }, For::Sight) if self.window.is_some() => ColorType::L8,
            (Colours::Grey { .. }, For::Sight) if self.slope != 1.0 => ColorType::Rgb32F,
            (Colours::Grey { .. }, _) if self.stored <= 8 => ColorType::L8,
            (Colours::Grey { .. }, _) => ColorType::L16,
            _ => ColorType::Rgb8,
        }
    }

    /// Whether it was packed with loss.
    pub fn is_lossy(&self) -> bool {
        self.packing == Packing::Jpeg
    }

    /// Unpacks a frame of the file, whose header this is, into pixels of [`Self::color`]. A file of several is read once for all
    /// of them.
    pub fn frame(&self, path: &Path, index: usize, wanted: For, to: &mut [u8]) -> Result<(), String> {
        let film = if self.frames > 1 {
            FILMS.get(&stamp(path), |film| film.data.len() as u64, || Film::read(path))?
        } else {
            Arc::new(Film::read(path)?)
        };
        let Film { dicom, data, pixels } = &*film;
        if index >= dicom.frames {
            return Err(format!("has no frame {index}: there are {}, counted from 0", dicom.frames));
        }
        let color = dicom.color(wanted);
        let count = dicom.width * dicom.height;
        if to.len() != count * usize::from(color.bytes_per_pixel()) {
            return Err("has changed while it was read; read it again".to_owned());
        }
        let samples = dicom.samples(data, pixels, index)?;
        match dicom.colours {
            Colours::Grey { inverted } => dicom.grey(&samples, wanted, inverted, color, to),
            Colours::Rgb => dicom.interleave(&samples, to),
            Colours::Ybr { halved: false } => {
                dicom.interleave(&samples, to);
                to.as_chunks_mut::<3>().0.iter_mut().for_each(|pixel| *pixel = rgb(*pixel));
            }
            Colours::Ybr { halved: true } => {
                let pairs = samples.as_chunks::<4>().0.iter();
                for (to, [first, second, blue, red]) in to.chunks_mut(6).zip(pairs) {
                    for (to, luma) in to.as_chunks_mut::<3>().0.iter_mut().zip([first, second]) {
                        *to = rgb([*luma, *blue, *red]);
                    }
                }
            }
        }
        Ok(())
    }

    /// Values of a pixel in the file.
    fn channels(&self) -> usize {
        if matches!(self.colours, Colours::Grey { .. }) { 1 } else { 3 }
    }

    /// Bytes of a frame as it is stored without packing.
    fn frame_bytes(&self) -> usize {
        let count = self.width * self.height;
        match (self.allocated, self.colours) {
            (1, _) => count.div_ceil(8),
            (_, Colours::Ybr { halved: true }) if self.packing == Packing::None => 2 * count,
            (bits, _) => count * self.channels() * (bits / 8),
        }
    }

    /// The bytes of a frame, little end first, unpacked.
    fn samples(&self, data: &[u8], pixels: &Pixels, index: usize) -> Result<Vec<u8>, String> {
        if !pixels.packed {
            if self.packing != Packing::None {
                return Err("is a damaged DICOM file: its picture is not packed as it says".to_owned());
            }
            let &(start, length) = pixels.fragments.first().ok_or(CUT_SHORT)?;
            let all = &data[start..start + length];
            if self.allocated == 1 {
                // Frames follow each other by bits.
                let first = index * self.width * self.height;
                let bit = |i: usize| all.get((first + i) / 8).map(|byte| (byte >> ((first + i) % 8)) & 1);
                return (0..self.width * self.height).map(bit).collect::<Option<_>>().ok_or(CUT_SHORT.to_owned());
            }
            let count = self.frame_bytes();
            let frame = all.get(index * count..(index + 1) * count).ok_or(CUT_SHORT)?;
            let mut frame = frame.to_vec();
            if self.big_endian {
                frame.chunks_exact_mut(self.allocated / 8).for_each(<[u8]>::reverse);
            }
            return Ok(frame);
        }
        let packed = self.fragments(data, pixels, index)?;
        match self.packing {
            Packing::None => Err("is a damaged DICOM file: its picture is packed, but it does not say how".to_owned()),
            Packing::RunLength => self.run_length(&packed),
            Packing::Jpeg => self.jpeg(&packed),
        }
    }

    /// The packed bytes of a frame: one fragment each, all of them where there is one frame, or as the table of offsets says.
    fn fragments(&self, data: &[u8], pixels: &Pixels, index: usize) -> Result<Vec<u8>, String> {
        let (table, fragments) = pixels.fragments.split_first().ok_or(CUT_SHORT)?;
        let bytes = |&(start, length): &(usize, usize)| &data[start..start + length];
        if self.frames == 1 {
            return Ok(fragments.iter().flat_map(bytes).copied().collect());
        }
        if fragments.len() == self.frames {
            return Ok(fragments.get(index).map(bytes).ok_or(CUT_SHORT)?.to_vec());
        }
        let offsets: Vec<usize> =
            bytes(table).as_chunks::<4>().0.iter().map(|offset| u32::from_le_bytes(*offset) as usize).collect();
        let Some(first) = fragments.first().filter(|_| offsets.len() == self.frames) else {
            return Err(format!(
                "has {} frames in {} pieces and does not say which belong together; unpack it (`gdcmconv --raw`)",
                self.frames,
                fragments.len()
            ));
        };
        let (from, to) = (offsets[index], offsets.get(index + 1).copied().unwrap_or(usize::MAX));
        // Places are counted from the first fragment's own head of 8 bytes.
        let inside = |(start, _): &&(usize, usize)| (from..to).contains(&(start - first.0));
        Ok(fragments.iter().filter(inside).flat_map(bytes).copied().collect())
    }

    /// Run lengths of planes of bytes, the highest byte of every value first.
    fn run_length(&self, packed: &[u8]) -> Result<Vec<u8>, String> {
        let word =
            |i: usize| packed.get(4 * i..4 * i + 4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]) as usize);
        let (bytes, channels) = (self.allocated / 8, self.channels());
        let planes = word(0).ok_or(CUT_SHORT)?;
        if planes != bytes * channels {
            return Err("is a damaged DICOM file: its run lengths are of another picture".to_owned());
        }
        let count = self.width * self.height;
        let mut samples = vec![0; count * planes];
        for plane in 0..planes {
            let start = word(1 + plane).ok_or(CUT_SHORT)?;
            let end = if plane + 1 < planes { word(2 + plane).ok_or(CUT_SHORT)? } else { packed.len() };
            let mut from = packed.get(start..end).ok_or(CUT_SHORT)?.iter().copied();
            // Values of a pixel beside each other, the lowest byte first.
            let (channel, byte) = (plane / bytes, bytes - 1 - plane % bytes);
            let mut put = samples.iter_mut().skip(channel * bytes + byte).step_by(planes);
            let mut left = count;
            while left > 0 {
                let control = from.next().ok_or(CUT_SHORT)?.cast_signed();
                if control == -128 {
                    continue;
                }
                let length = (usize::from(control.unsigned_abs()) + 1).min(left);
                let repeated = if control < 0 { Some(from.next().ok_or(CUT_SHORT)?) } else { None };
                for _ in 0..length {
                    let value = match repeated {
                        Some(value) => value,
                        None => from.next().ok_or(CUT_SHORT)?,
                    };
                    if let Some(place) = put.next() {
                        *place = value;
                    }
                }
                left -= length;
            }
        }
        Ok(samples)
    }

    fn jpeg(&self, packed: &[u8]) -> Result<Vec<u8>, String> {
        let problem =
            |_| "holds a JPEG that is damaged or of a kind that is not read (8 bits with loss are)".to_owned();
        let decoder = JpegDecoder::new(Cursor::new(packed)).map_err(problem)?;
        let fits = decoder.dimensions() == (self.width as u32, self.height as u32)
            && usize::from(decoder.color_type().bytes_per_pixel()) == self.channels();
        if !fits {
            return Err("is a damaged DICOM file: its JPEG is of another size than it says".to_owned());
        }
        let mut pixels = vec![0; decoder.total_bytes() as usize];
        decoder.read_image(&mut pixels).map_err(problem)?;
        if self.allocated == 16 {
            pixels = pixels.into_iter().flat_map(|value| [value, 0]).collect();
        }
        Ok(pixels)
    }

    /// Three values a pixel beside each other, whether they are stored so or as planes. What was unpacked is so already.
    fn interleave(&self, samples: &[u8], to: &mut [u8]) {
        if !self.planes || self.packing != Packing::None {
            to.copy_from_slice(samples);
            return;
        }
        let count = self.width * self.height;
        for (i, pixel) in to.as_chunks_mut::<3>().0.iter_mut().enumerate() {
            *pixel = [samples[i], samples[count + i], samples[2 * count + i]];
        }
    }

    fn grey(&self, samples: &[u8], wanted: For, inverted: bool, color: ColorType, to: &mut [u8]) {
        let unused = 32 - self.stored as u32;
        // The bits above those that are stored may hold anything.
        let stored = |bytes: &[u8]| {
            let value = bytes.iter().rev().fold(0_u32, |value, byte| (value << 8) | u32::from(*byte));
            if self.signed {
                f64::from((value << unused).cast_signed() >> unused)
            } else {
                f64::from((value << unused) >> unused)
            }
        };
        let width = if self.allocated == 1 { 1 } else { self.allocated / 8 };
        let values = samples.chunks_exact(width).map(stored);
        let least = if self.signed { -(2.0_f64.powi(self.stored as i32 - 1)) } else { 0.0 };
        let most = 2.0_f64.powi(self.stored as i32) - 1.0;
        let shade = |value: f64| match (wanted, self.window) {
            (For::Numbers, _) => value,
            (For::Sight, Some(window)) => {
                let shade = 255.0 * window.share(self.slope * value + self.intercept);
                if inverted { 255.0 - shade } else { shade }
            }
            // The intercept only shifts; the lowest value that can be stored is black.
            (For::Sight, None) => {
                let (value, most) = ((value - least) * self.slope.abs(), most * self.slope.abs());
                let value = if inverted { most - value } else { value };
                // Of fewer than 8 bits the brightest is white.
                if color == ColorType::L8 { value * 255.0 / most } else { value }
            }
        };
        match color {
            ColorType::L8 => to.iter_mut().zip(values).for_each(|(to, value)| *to = shade(value).round() as u8),
            ColorType::Rgb32F => {
                for (to, value) in to.as_chunks_mut::<12>().0.iter_mut().zip(values) {
                    to.copy_from_slice([(shade(value) as f32).to_ne_bytes(); 3].as_flattened());
                }
            }
            _ => {
                for (to, value) in to.as_chunks_mut::<2>().0.iter_mut().zip(values) {
                    *to = (shade(value).round() as u16).to_ne_bytes();
                }
            }
        }
    }
}

impl Window {
    /// 0 for black to 1 for white (PS3.3, C.11.2.1.2 and C.11.2.1.3).
    fn share(self, value: f64) -> f64 {
        let share = match self.kind {
            WindowKind::Linear if self.width <= 1.0 => f64::from(u8::from(value > self.center - 0.5)),
            WindowKind::Linear => (value - (self.center - 0.5)) / (self.width - 1.0) + 0.5,
            WindowKind::LinearExact => (value - self.center) / self.width + 0.5,
            WindowKind::Sigmoid => 1.0 / (1.0 + (-4.0 * (value - self.center) / self.width).exp()),
        };
        share.clamp(0.0, 1.0)
    }
}

/// Red, green and blue of luma and colour differences in the full range (PS3.3, C.7.6.3.1.2).
fn rgb([luma, blue, red]: [u8; 3]) -> [u8; 3] {
    let (luma, blue, red) = (f32::from(luma), f32::from(blue) - 128.0, f32::from(red) - 128.0);
    let all = [luma + 1.402 * red, luma - 0.344_136 * blue - 0.714_136 * red, luma + 1.772 * blue];
    all.map(|value| value.round().clamp(0.0, 255.0) as u8)
}
