//! What lies between two codes, and small copies of the pictures that are on the map of codes.

use burn::tensor::{Device, Tensor, TensorData};

use crate::compute::readback::Reader;
use crate::engine::event::Payload;
use crate::engine::experiment::RunError;
use crate::nn::layers::conv::Pass;
use crate::nn::reconstruction::Autoencoder;

use super::source::FundusData;

/// Pictures from one code to the other, both ends included.
pub const STEPS: usize = 7;
/// Side of a small copy, in pixels.
pub const SMALL: usize = 16;
/// Small copies in a row.
pub const COLUMNS: usize = 32;
/// Most small copies; the pictures behind them have none.
pub const MOST: usize = 1024;

/// Decoded steps of the straight line between the codes (not pooled) of two pictures, side by side: `7 S × S` pixels. `None`
/// where there is no decoder.
pub fn interpolation(
    net: &Autoencoder,
    data: &FundusData,
    pair: [usize; 2],
    device: &Device,
) -> Result<Option<Payload>, RunError> {
    let (mut net, pass, size) = (net.clone(), Pass { train: false, dropout: None }, data.size);
    let values: Vec<f32> = pair.iter().flat_map(|&i| data.pictures[i].values()).collect();
    let x = Tensor::<4>::from_data(TensorData::new(values, [2, 3, size, size]), device);
    let code = net.encode(x, &pass);
    let [first, second] = [0, 1].map(|i| code.clone().slice_dim(0, i..i + 1));
    let at = |k: usize| {
        let share = k as f64 / (STEPS - 1) as f64;
        first.clone() * (1.0 - share) + second.clone() * share
    };
    let Some(decoded) = net.decode(Tensor::cat((0..STEPS).map(at).collect(), 0), &pass) else { return Ok(None) };
    let mut reader = Reader::default();
    reader.add(decoded.clamp(0.0, 1.0));
    let values = reader.read()?.concat();
    let level = |k: usize, channel: usize, row: usize, column: usize| {
        (values[((k * 3 + channel) * size + row) * size + column] * 255.0).round() as u8
    };
    let pixel = |row: usize, x: usize| [0, 1, 2].map(|channel| level(x / size, channel, row, x % size));
    let places = (0..size).flat_map(|row| (0..STEPS * size).map(move |x| (row, x)));
    let rgba = places.flat_map(|(row, x)| pixel(row, x).into_iter().chain([255])).collect();
    Ok(Some(Payload::Image { width: (STEPS * size) as u32, height: size as u32, rgba }))
}

/// Small copies of these pictures, 32 in a row, averaged from their pixels.
pub fn thumbnails(data: &FundusData, indices: &[usize]) -> Payload {
    let indices = &indices[..indices.len().min(MOST)];
    let rows = indices.len().div_ceil(COLUMNS).max(1);
    let (width, height) = (COLUMNS * SMALL, rows * SMALL);
    let mut rgba = [0, 0, 0, 255].repeat(width * height);
    let (size, square) = (data.size, (data.size / SMALL).max(1));
    for (k, &i) in indices.iter().enumerate() {
        let planes = &data.pictures[i].planes;
        for at in 0..SMALL * SMALL {
            let (row, column) = (at / SMALL, at % SMALL);
            let to = 4 * ((k / COLUMNS * SMALL + row) * width + k % COLUMNS * SMALL + column);
            for channel in 0..3 {
                let sum: usize = (row * square..(row + 1) * square)
                    .flat_map(|y| {
                        (column * square..(column + 1) * square).map(move |x| (y.min(size - 1), x.min(size - 1)))
                    })
                    .map(|(y, x)| usize::from(planes[(channel * size + y) * size + x]))
                    .sum();
                rgba[to + channel] = (sum / (square * square)) as u8;
            }
        }
    }
    Payload::Image { width: width as u32, height: height as u32, rgba }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compute::device;
    use crate::engine::params::Params;
    use crate::labs::reconstruction::judge::rebuild;
    use crate::labs::reconstruction::params::{PARAMS, net_spec};
    use crate::labs::reconstruction::source::load;
    use crate::watch::Watch;

    fn small() -> (Params, std::sync::Arc<FundusData>) {
        let mut params = Params::defaults(PARAMS);
        let set = ["image_size=32", "unlabelled_images=4", "validation_images=4", "test_images=30", "unseen_images=6"];
        set.iter().for_each(|value| params.set_text(PARAMS, value).unwrap());
        let data = load(&params, Watch::nobody()).unwrap();
        (params, data)
    }

    #[test]
    fn the_ends_of_the_line_are_the_reconstructions_of_both_pictures() {
        let (params, data) = small();
        let device = device::cpu();
        let net = Autoencoder::new(&net_spec(&params), 1, &device).unwrap();
        let pair = [data.test[0], data.unseen[2]];
        let Some(Payload::Image { width, height, rgba }) = interpolation(&net, &data, pair, &device).unwrap() else {
            panic!()
        };
        assert_eq!((width, height), (7 * 32, 32));
        let rebuilt = rebuild(&net, &data, &pair, &device).unwrap().unwrap();
        for (end, values) in [0, STEPS - 1].into_iter().zip(&rebuilt) {
            for (at, value) in values.iter().enumerate() {
                let (channel, row, column) = (at / 1024, at / 32 % 32, at % 32);
                let level = rgba[4 * (row * 7 * 32 + end * 32 + column) + channel];
                assert!((f32::from(level) / 255.0 - value).abs() < 0.01, "end {end} at {at}");
            }
        }
        let tile = |k: usize| -> Vec<u8> {
            (0..32)
                .flat_map(|row| rgba[4 * (row * 7 * 32 + k * 32)..4 * (row * 7 * 32 + k * 32 + 32)].to_vec())
                .collect()
        };
        assert_ne!(tile(0), tile(3), "in between it is something else");
        assert_ne!(tile(3), tile(6), "in between it is something else");
    }

    #[test]
    fn a_small_copy_is_the_mean_of_its_pixels() {
        let (_, data) = small();
        let indices: Vec<usize> = data.test.iter().chain(&data.unseen).copied().collect();
        let Payload::Image { width, height, rgba } = thumbnails(&data, &indices) else { panic!() };
        assert_eq!((width, height), (512, 32), "36 pictures in two rows");
        // The 34th picture is the second of the second row; its pixel in row 3 and column 5, green.
        let planes = &data.pictures[indices[33]].planes;
        let of = |y: usize, x: usize| usize::from(planes[1024 + y * 32 + x]);
        let mean = (of(6, 10) + of(6, 11) + of(7, 10) + of(7, 11)) / 4;
        assert_eq!(usize::from(rgba[4 * ((16 + 3) * 512 + 16 + 5) + 1]), mean);
    }
}
