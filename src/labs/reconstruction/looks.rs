//! Where a network looks: maps of what its answer depends on, and how well they agree with lesions whose places are known.

use burn::tensor::{Device, Tensor, TensorData, activation};

use crate::compute::readback::Reader;
use crate::engine::emit::Emit;
use crate::engine::event::Payload;
use crate::engine::experiment::RunError;
use crate::metrics::detection::auc;
use crate::nn::layers::conv::Pass;
use crate::nn::reconstruction::Autoencoder;
use crate::pixels::mask::Mask;
use crate::pixels::resize::{Resampling, Size, resize};

use super::explain::occlusion;
use super::source::{FundusData, Picture};

/// Grad-CAM (Selvaraju et al., 2017) of some pictures.
#[derive(Debug, Clone, PartialEq)]
pub struct Cams {
    /// h = w of the maps.
    pub side: usize,
    /// `[h, w]` of each picture, at least 0.
    pub maps: Vec<Vec<f32>>,
}

/// What speaks for retinopathy, at the encoder's last maps of at least an eighth of the picture's side (the code of 2×2 is too
/// coarse to point at anything). `planes`: `[N, 3, S, S]`.
pub fn grad_cam(net: &Autoencoder, planes: Vec<f32>, size: usize, device: &Device) -> Result<Cams, RunError> {
    let count = planes.len() / (3 * size * size);
    let x = Tensor::<4>::from_data(TensorData::new(planes, [count, 3, size, size]), device);
    let (maps, next) = middle(&mut net.clone(), x);
    let weights = slopes(net, maps.clone(), next).mean_dim(2).mean_dim(3);
    let side = maps.dims()[3];
    let mut reader = Reader::default();
    reader.add(activation::relu((weights * maps).sum_dim(1)));
    let values = reader.read()?.concat();
    Ok(Cams { side, maps: values.chunks_exact(side * side).map(<[f32]>::to_vec).collect() })
}

/// The maps `[N, C, h, w]` that Grad-CAM weighs, and the number of the layer behind them.
fn middle(net: &mut Autoencoder, x: Tensor<4>) -> (Tensor<4>, usize) {
    let pass = Pass { train: false, dropout: None };
    let size = x.dims()[3];
    let mut maps = net.encoder.layer(0, x, &pass);
    for next in 1..net.encoder.layers() {
        let behind = net.encoder.layer(next, maps.clone(), &pass);
        if 8 * behind.dims()[3] < size {
            return (maps, next);
        }
        maps = behind;
    }
    (maps, net.encoder.layers())
}

/// Slopes of each picture's logit along its maps, of the shape of the maps. They are the leaf of a graph that begins here.
fn slopes(net: &Autoencoder, maps: Tensor<4>, next: usize) -> Tensor<4> {
    let (mut net, mut pass) = (net.tracked(), Pass { train: false, dropout: None });
    let maps = maps.autodiff().require_grad();
    let code = net.encoder.forward_from(next, maps.clone(), &pass);
    let gradients = net.classify(code, &mut pass).logit.sum().backward();
    maps.grad(&gradients).unwrap_or_else(|| maps.clone().inner().zeros_like()).inner()
}

/// How well a map agrees with the lesions of its picture, within the field of view.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Agreement {
    /// The pointing game (Zhang et al., 2018): whether its largest value is in a lesion or near one. `None` where nothing is
    /// above 0.
    pub pointing: Option<bool>,
    /// Share of what is above 0 that is in lesions, over the lesions' share of the field: 1 by chance.
    pub ratio: Option<f64>,
    /// Area under the ROC curve of pixels in lesions against the others: 0.5 by chance.
    pub auc: Option<f64>,
    /// Chance of the pointing game: share of the field that is in a lesion or near one.
    pub chance: f64,
}

/// `None` where the field has no lesion. All are `[S, S]`; near: within S/32 pixels.
pub fn agreement(map: &[f32], lesions: &Mask, field: &Mask) -> Option<Agreement> {
    let within: Vec<usize> = (0..map.len()).filter(|&at| field.pixels()[at]).collect();
    let inside: Vec<bool> = within.iter().map(|&at| lesions.pixels()[at]).collect();
    let area = inside.iter().filter(|inside| **inside).count();
    if area == 0 {
        return None;
    }
    let near = dilated(lesions, (lesions.width() / 32).max(1));
    let chance = within.iter().filter(|&&at| near.pixels()[at]).count() as f64 / within.len() as f64;
    let values: Vec<f64> = within.iter().map(|&at| f64::from(map[at])).collect();
    let auc = auc(&values, &inside);
    let all: f64 = values.iter().map(|value| value.max(0.0)).sum();
    if all <= 0.0 {
        return Some(Agreement { auc, chance, ..Agreement::default() });
    }
    let mass: f64 = values.iter().zip(&inside).filter(|(_, inside)| **inside).map(|(value, _)| value.max(0.0)).sum();
    // Where several places have the largest value it is the first one.
    let highest = (1..values.len()).fold(0, |best, k| if values[k] > values[best] { k } else { best });
    Some(Agreement {
        pointing: Some(near.pixels()[within[highest]]),
        ratio: Some(mass / all / (area as f64 / within.len() as f64)),
        auc,
        chance,
    })
}

/// All places within `radius` pixels of a mask.
fn dilated(mask: &Mask, radius: usize) -> Mask {
    let (height, width, radius) = (mask.height(), mask.width(), radius as isize);
    let mut out = mask.clone();
    for at in (0..height * width).filter(|&at| mask.pixels()[at]) {
        let (row, column) = ((at / width) as isize, (at % width) as isize);
        for dy in -radius..=radius {
            for dx in -radius..=radius {
                let (y, x) = (row + dy, column + dx);
                let there = (0..height as isize).contains(&y) && (0..width as isize).contains(&x);
                if there && dy * dy + dx * dx <= radius * radius {
                    out.pixels_mut()[y as usize * width + x as usize] = true;
                }
            }
        }
    }
    out
}

/// All lesions of a picture of S × S pixels.
pub fn lesions(picture: &Picture, size: usize) -> Mask {
    let mut all = Mask::empty(size, size);
    picture.lesions.iter().for_each(|lesion| all.add(&lesion.mask(size, size)));
    all
}

/// A picture on the wall, by its index, with its field of view.
type OnWall = (usize, Mask);

/// Reports Grad-CAM of the pictures on the wall.
pub fn report_cams(
    net: &Autoencoder,
    data: &FundusData,
    wall: &[OnWall],
    device: &Device,
    out: &mut Emit<'_>,
) -> Result<(), RunError> {
    if wall.is_empty() {
        return Ok(());
    }
    let planes = wall.iter().flat_map(|(i, _)| data.pictures[*i].values()).collect();
    let Cams { side, maps } = grad_cam(net, planes, data.size, device)?;
    report("cam", data, wall, side, &maps, out);
    Ok(())
}

/// Reports what covering parts of the pictures on the wall does.
pub fn report_occlusion(
    net: &Autoencoder,
    data: &FundusData,
    wall: &[OnWall],
    device: &Device,
    out: &mut Emit<'_>,
) -> Result<(), RunError> {
    if wall.is_empty() {
        return Ok(());
    }
    let map = |(i, _): &OnWall| occlusion(net, &data.pictures[*i].values(), data.size, device);
    let maps: Vec<Vec<f32>> = wall.iter().map(map).collect::<Result<_, _>>()?;
    report("occlusion", data, wall, data.size, &maps, out);
    Ok(())
}

/// The maps, `[side, side]` each, how well each agrees with its lesions, and the means over pictures with lesions.
fn report(name: &str, data: &FundusData, wall: &[(usize, Mask)], side: usize, maps: &[Vec<f32>], out: &mut Emit<'_>) {
    let square = |side: usize| Size { height: side, width: side };
    let mut rows = Vec::with_capacity(4 * wall.len());
    let mut all = Vec::new();
    for (k, ((i, field), map)) in wall.iter().zip(maps).enumerate() {
        let large = resize(map, square(side), square(data.size), Resampling::Bilinear);
        let found = agreement(&large, &lesions(&data.pictures[*i], data.size), field);
        all.extend(found);
        let number = |value: Option<f64>| value.map_or(f32::NAN, |value| value as f32);
        let pointing = |found: Agreement| found.pointing.map(|hit| f64::from(u8::from(hit)));
        rows.extend([
            number(found.and_then(pointing)),
            number(found.and_then(|found| found.ratio)),
            number(found.and_then(|found| found.auc)),
            number(found.map(|found| found.chance)),
        ]);
        let payload = Payload::Matrix { rows: side as u32, cols: side as u32, values: map.clone() };
        out.payload(&format!("explain/{name}/map/{k}"), payload);
    }
    out.payload(
        &format!("explain/{name}/agreement"),
        Payload::Matrix { rows: wall.len() as u32, cols: 4, values: rows },
    );
    let mut mean = |key: String, of: &dyn Fn(&Agreement) -> Option<f64>| {
        let values: Vec<f64> = all.iter().filter_map(of).collect();
        if !values.is_empty() {
            out.scalar(&key, values.iter().sum::<f64>() / values.len() as f64);
        }
    };
    mean(format!("explain/{name}/pointing"), &|found| found.pointing.map(|hit| f64::from(u8::from(hit))));
    mean(format!("explain/{name}/ratio"), &|found| found.ratio);
    mean(format!("explain/{name}/auc"), &|found| found.auc);
    mean(format!("explain/{name}/chance"), &|found| Some(found.chance));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compute::device;
    use crate::nn::reconstruction::spec::{Family, Head, Layout, NetSpec};

    fn net(family: Family, size: usize) -> Autoencoder {
        let spec = NetSpec { family, size, width: 0.25, sigmoid: false, head: Head::Binary, leaky: true };
        Autoencoder::new(&spec, 3, &device::cpu()).unwrap()
    }

    fn pictures(count: usize, size: usize) -> Vec<f32> {
        (0..count * 3 * size * size).map(|i| 0.5 + 0.5 * (i as f32 * 0.37).sin()).collect()
    }

    #[test]
    fn the_weights_of_maps_are_what_the_logit_gains_when_a_map_rises() {
        let device = device::cpu();
        for (family, size) in [
            (Family::Aecl1 { layout: Layout::Mini, tied: false }, 32),
            (Family::Aecl1 { layout: Layout::Mini, tied: true }, 32),
            (Family::ResNet18, 32),
        ] {
            let net = net(family, size);
            let x = Tensor::<4>::from_data(TensorData::new(pictures(2, size), [2, 3, size, size]), &device);
            let (maps, next) = middle(&mut net.clone(), x);
            let [count, channels, side, _] = maps.dims();
            assert_eq!(side, size / 8, "an eighth of the picture");
            let read = |tensor: Tensor<4>| {
                let mut reader = Reader::default();
                reader.add(tensor);
                reader.read().unwrap().concat()
            };
            let slopes = read(slopes(&net, maps.clone(), next));
            let values = read(maps);
            let logits = |values: Vec<f32>| {
                let maps = Tensor::<4>::from_data(TensorData::new(values, [count, channels, side, side]), &device);
                let (mut net, mut pass) = (net.clone(), Pass { train: false, dropout: None });
                let code = net.encoder.forward_from(next, maps, &pass);
                let mut reader = Reader::default();
                reader.add(net.classify(code, &mut pass).logit);
                reader.read().unwrap().concat()
            };
            const STEP: f32 = 1e-3;
            let (mut largest, mut apart) = (0.0_f32, 0.0_f32);
            for channel in [0, channels / 2, channels - 1] {
                let plane = side * side;
                let moved = |by: f32| {
                    let mut values = values.clone();
                    for picture in values.chunks_exact_mut(channels * plane) {
                        picture[channel * plane..(channel + 1) * plane].iter_mut().for_each(|value| *value += by);
                    }
                    logits(values)
                };
                for (k, (up, down)) in moved(STEP).iter().zip(moved(-STEP)).enumerate() {
                    let at = (k * channels + channel) * plane;
                    let slope: f32 = slopes[at..at + plane].iter().sum();
                    let measured = (up - down) / (2.0 * STEP);
                    (largest, apart) = (largest.max(slope.abs()), apart.max((slope - measured).abs()));
                }
            }
            assert!(largest > 1e-3, "{family:?}: nothing depends on these maps");
            assert!(apart < 0.05 * largest, "{family:?}: {apart} of {largest}");
        }
    }

    #[test]
    fn a_map_of_grad_cam_is_never_below_zero_and_one_a_picture() {
        let net = net(Family::Aecl1 { layout: Layout::Mini, tied: false }, 64);
        let cams = grad_cam(&net, pictures(3, 64), 64, &device::cpu()).unwrap();
        assert_eq!((cams.side, cams.maps.len()), (8, 3));
        assert!(cams.maps.concat().iter().all(|value| *value >= 0.0));
        let alone = grad_cam(&net, pictures(1, 64), 64, &device::cpu()).unwrap();
        let apart = alone.maps[0].iter().zip(&cams.maps[0]).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(apart < 1e-4, "pictures do not depend on each other: {apart}");
    }

    #[test]
    fn maps_are_scored_between_perfect_chance_and_wrong() {
        let size = 64;
        let field = Mask::from_fn(size, size, |row, _| row < 32);
        let lesions = Mask::from_fn(size, size, |row, column| row < 4 && column < 8);
        let of = |value: &dyn Fn(usize, usize) -> f32| {
            let map: Vec<f32> = (0..size * size).map(|at| value(at / size, at % size)).collect();
            agreement(&map, &lesions, &field).unwrap()
        };
        let perfect = of(&|row, column| f32::from(u8::from(row < 4 && column < 8)));
        assert_eq!((perfect.pointing, perfect.auc), (Some(true), Some(1.0)));
        assert!((perfect.ratio.unwrap() - 64.0).abs() < 1e-9, "32 of 2048 pixels hold everything");
        assert!((perfect.chance - (6 * 8 + 4 * 2 + 3) as f64 / 2048.0).abs() < 1e-3, "{}", perfect.chance);
        let flat = of(&|_, _| 1.0);
        assert_eq!((flat.auc, flat.ratio), (Some(0.5), Some(1.0)));
        // Outside of the field nothing counts.
        let wrong = of(&|row, column| if row >= 32 { 9.0 } else { f32::from(u8::from(row > 20 && column > 20)) });
        assert_eq!((wrong.pointing, wrong.ratio), (Some(false), Some(0.0)));
        assert!(wrong.auc.unwrap() < 0.5);
        let nowhere = of(&|_, _| -1.0);
        assert_eq!((nowhere.pointing, nowhere.ratio, nowhere.auc), (None, None, Some(0.5)));
        assert_eq!(agreement(&vec![1.0; size * size], &Mask::empty(size, size), &field), None);
    }
}
