//! Why a network says what it says of a picture: what becomes of its logit where a part of the picture is covered.

use burn::tensor::{Device, Tensor, TensorData};

use crate::compute::readback::Reader;
use crate::engine::experiment::RunError;
use crate::nn::layers::conv::Pass;
use crate::nn::reconstruction::Autoencoder;

use super::judge::field_of_view;

/// The patch is moved to so many places in either direction: by half of its side.
const PLACES: usize = 16;
/// Numbers of pictures `[N, 3, S, S]` in one pass: all 256 places of a picture of 64×64 pixels.
const AT_ONCE: usize = 256 * 3 * 64 * 64;

/// How much the logit of retinopathy falls where a grey patch covers a place (Zeiler and Fergus, 2014): above 0 what is there
/// speaks for retinopathy, below 0 against it. `[S, S]`, in logits; for each pixel the mean over the patches that cover it.
///
/// The patch has a side of S/8 pixels and is moved by S/16, 256 places in all, of which the outermost reach S/32 beyond the
/// picture. Its grey is the mean of the picture within the field of view; 0.5 for a picture without any light.
///
/// `planes`: `[3, S, S]` in [0, 1]; `size`: S.
pub fn occlusion(net: &Autoencoder, planes: &[f32], size: usize, device: &Device) -> Result<Vec<f32>, RunError> {
    let (plane, stride) = (size * size, size / PLACES);
    let grey = grey(planes, size);
    // A copy of handles, not of numbers.
    let mut net = net.clone();
    let mut logits = |pictures: Vec<f32>| -> Result<Vec<f32>, RunError> {
        let mut pass = Pass { train: false, dropout: None };
        let shape = [pictures.len() / (3 * plane), 3, size, size];
        let code = net.encode(Tensor::from_data(TensorData::new(pictures, shape), device), &pass);
        let mut reader = Reader::default();
        reader.add(net.classify(code, &mut pass).logit);
        Ok(reader.read()?.concat())
    };
    let whole = logits(planes.to_vec())?.first().copied().unwrap_or(f32::NAN);
    let span = |place: usize| {
        let start = place * stride;
        start.saturating_sub(stride / 2)..(start + 2 * stride - stride / 2).min(size)
    };
    let places: Vec<(usize, usize)> = (0..PLACES * PLACES).map(|i| (i / PLACES, i % PLACES)).collect();
    let covered = |&(row, column): &(usize, usize)| {
        let mut picture = planes.to_vec();
        for (channel, line) in (0..3).flat_map(|channel| span(row).map(move |line| (channel, line))) {
            let columns = span(column);
            let start = channel * plane + line * size;
            picture[start + columns.start..start + columns.end].fill(grey);
        }
        picture
    };
    let (mut drops, mut counts) = (vec![0.0_f32; plane], vec![0.0_f32; plane]);
    for part in places.chunks((AT_ONCE / (3 * plane)).max(1)) {
        let found = logits(part.iter().flat_map(covered).collect())?;
        for (&(row, column), logit) in part.iter().zip(found) {
            for at in span(row).flat_map(|line| span(column).map(move |column| line * size + column)) {
                drops[at] += whole - logit;
                counts[at] += 1.0;
            }
        }
    }
    Ok(drops.iter().zip(counts).map(|(drop, count)| drop / count.max(1.0)).collect())
}

/// The mean of all numbers within the field of view.
fn grey(planes: &[f32], size: usize) -> f32 {
    let plane = size * size;
    let levels: Vec<u8> = planes.iter().map(|value| (255.0 * value).round().clamp(0.0, 255.0) as u8).collect();
    let field = field_of_view(&levels, size);
    let inside = field.pixels().iter().enumerate().filter(|(_, inside)| **inside);
    let sum: f64 = inside.flat_map(|(i, _)| (0..3).map(move |c| f64::from(planes[c * plane + i]))).sum();
    let mean = (sum / (3 * field.area()).max(1) as f64) as f32;
    if levels.iter().all(|level| *level == 0) { 0.5 } else { mean }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compute::device;
    use crate::nn::reconstruction::spec::{Family, Head, Layout, NetSpec};

    const SIZE: usize = 32;

    fn net() -> Autoencoder {
        let family = Family::Aecl1 { layout: Layout::Mini, tied: false };
        let spec = NetSpec { family, size: SIZE, width: 0.5, sigmoid: false, head: Head::Binary, leaky: true };
        Autoencoder::new(&spec, 4, &device::cpu()).unwrap()
    }

    fn logit(planes: &[f32]) -> f32 {
        let mut net = net();
        let mut pass = Pass { train: false, dropout: None };
        let x = Tensor::from_data(TensorData::new(planes.to_vec(), [1, 3, SIZE, SIZE]), &device::cpu());
        let code = net.encode(x, &pass);
        let mut reader = Reader::default();
        reader.add(net.classify(code, &mut pass).logit);
        reader.read().unwrap()[0][0]
    }

    fn picture() -> Vec<f32> {
        (0..3 * SIZE * SIZE).map(|i| 0.5 + 0.4 * (i as f32 * 0.37).sin()).collect()
    }

    #[test]
    fn a_pixel_has_the_mean_drop_of_the_patches_that_cover_it() {
        let planes = picture();
        let map = occlusion(&net(), &planes, SIZE, &device::cpu()).unwrap();
        assert_eq!(map.len(), SIZE * SIZE);
        // Patches of 4×4 at -1, 1, 3 ..: the corner lies in one of them, the pixel beside its edge in four.
        let grey = planes.iter().sum::<f32>() / planes.len() as f32;
        let drop = |rows: std::ops::Range<usize>, columns: std::ops::Range<usize>| {
            let mut covered = planes.clone();
            for (c, row) in (0..3).flat_map(|c| rows.clone().map(move |row| (c, row))) {
                columns.clone().for_each(|column| covered[(c * SIZE + row) * SIZE + column] = grey);
            }
            logit(&planes) - logit(&covered)
        };
        let near = |found: f32, expected: f32| {
            assert!((found - expected).abs() <= 1e-5 + 1e-3 * expected.abs(), "{found}, expected {expected}");
        };
        near(map[0], drop(0..3, 0..3));
        near(map[SIZE * SIZE - 1], drop(29..32, 29..32));
        let four = [(0..3, 0..3), (0..3, 1..5), (1..5, 0..3), (1..5, 1..5)].map(|(rows, columns)| drop(rows, columns));
        near(map[SIZE + 1], four.iter().sum::<f32>() / 4.0);
        assert!(map.iter().any(|drop| drop.abs() > 1e-6));
    }

    #[test]
    fn what_is_as_grey_as_the_patch_already_says_nothing() {
        let map = occlusion(&net(), &vec![0.25; 3 * SIZE * SIZE], SIZE, &device::cpu()).unwrap();
        assert!(map.iter().all(|drop| drop.abs() < 1e-5));
        assert_eq!(grey(&vec![0.0; 3 * SIZE * SIZE], SIZE), 0.5);
        let mut half = vec![0.0; 3 * SIZE * SIZE];
        (0..3 * SIZE).flat_map(|line| (0..SIZE / 2).map(move |x| line * SIZE + x)).for_each(|i| half[i] = 0.75);
        assert_eq!(grey(&half, SIZE), 0.75, "of the field of view alone");
    }
}
