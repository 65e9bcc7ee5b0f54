//! Which lesions are still there after reconstruction, by kind and size.

use crate::data::synth::fundus::{Lesion, LesionKind};
use crate::engine::emit::Emit;
use crate::engine::event::Payload;
use crate::pixels::mask::Mask;

use super::looks::lesions;
use super::source::Picture;

/// Upper bounds of all size classes but the last: radius in pixels of the network's picture.
pub const BOUNDS: [f64; 5] = [1.0, 1.5, 2.0, 3.0, 6.0];
/// Width of the ring around a lesion that it is compared with, in pixels.
const RING: f64 = 2.0;
/// Lesions of less contrast in the original can hardly be seen there, and are left out.
const FAINT: f64 = 3.0 / 255.0;
/// Most pictures that are looked at.
pub const MOST: usize = 400;

/// A lesion of a picture, and where to look for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Probe {
    pub kind: LesionKind,
    /// Geometric mean of both half axes, in pixels.
    pub radius: f64,
    /// Numbers of the pixels of the lesion, and of the ring around it within the field of view that is no lesion.
    inside: Vec<usize>,
    ring: Vec<usize>,
    /// Its colour less that of the ring, in the original.
    contrast: [f64; 3],
}

/// The lesions of a picture whose places are known and that can be told from what is around them.
pub fn probes(picture: &Picture, size: usize, field: &Mask) -> Vec<Probe> {
    let all = lesions(picture, size);
    let values = picture.values();
    let of = |lesion: &Lesion| {
        let [rx, ry] = lesion.radii.map(|radius| radius * size as f64);
        let [x, y] = lesion.centre.map(|share| share * size as f64);
        let mask = lesion.mask(size, size);
        let range = |at: f64, reach: f64| (at - reach).max(0.0) as usize..((at + reach) as usize + 1).min(size);
        let around = range(y, ry + RING).flat_map(|row| range(x, rx + RING).map(move |column| row * size + column));
        let around: Vec<usize> = around.filter(|&at| field.pixels()[at]).collect();
        let near = |at: usize| {
            let (dx, dy) = ((at % size) as f64 + 0.5 - x, (at / size) as f64 + 0.5 - y);
            (dx / (rx + RING)).powi(2) + (dy / (ry + RING)).powi(2) <= 1.0
        };
        let inside = around.iter().copied().filter(|&at| mask.pixels()[at]).collect();
        let ring = around.iter().copied().filter(|&at| near(at) && !all.pixels()[at]).collect();
        let mut probe = Probe { kind: lesion.kind, radius: (rx * ry).sqrt(), inside, ring, contrast: [0.0; 3] };
        if probe.inside.is_empty() || probe.ring.is_empty() {
            return None;
        }
        probe.contrast = probe.contrast_in(&values);
        (probe.strength() >= FAINT).then_some(probe)
    };
    picture.lesions.iter().filter_map(of).collect()
}

impl Probe {
    /// Share of the contrast that is left in a reconstruction `[3, S, S]`, along the colour in which the lesion differs from
    /// its ring: 1 is all of it or more, 0 none, or the opposite.
    pub fn survives(&self, rebuilt: &[f32]) -> f64 {
        let left: f64 = self.contrast_in(rebuilt).iter().zip(&self.contrast).map(|(a, b)| a * b).sum();
        (left / self.strength().powi(2)).clamp(0.0, 1.0)
    }

    fn strength(&self) -> f64 {
        self.contrast.iter().map(|part| part * part).sum::<f64>().sqrt()
    }

    fn contrast_in(&self, planes: &[f32]) -> [f64; 3] {
        let pixels = planes.len() / 3;
        [0, 1, 2].map(|channel| {
            let mean = |places: &[usize]| {
                places.iter().map(|at| f64::from(planes[channel * pixels + at])).sum::<f64>() / places.len() as f64
            };
            mean(&self.inside) - mean(&self.ring)
        })
    }

    /// Its class in [`BOUNDS`].
    fn class(&self) -> usize {
        BOUNDS.iter().filter(|bound| self.radius >= **bound).count()
    }
}

/// What survived of lesions of each kind and size class.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Survivors {
    /// Lesions and the sum of what is left of them.
    groups: [[(usize, f64); BOUNDS.len() + 1]; LesionKind::ALL.len()],
}

impl Survivors {
    /// Adds the lesions of a picture and its reconstruction `[3, S, S]`.
    pub fn add(&mut self, probes: &[Probe], rebuilt: &[f32]) {
        for probe in probes {
            let (count, sum) = &mut self.groups[probe.kind as usize][probe.class()];
            *count += 1;
            *sum += probe.survives(rebuilt);
        }
    }

    /// Rows of kind, size class, number of lesions, mean share that is left; groups without lesions are left out.
    pub fn rows(&self) -> Vec<[f64; 4]> {
        let row = |kind: usize, class: usize| {
            let (count, sum) = self.groups[kind][class];
            (count > 0).then(|| [kind as f64, class as f64, count as f64, sum / count as f64])
        };
        let kinds = 0..LesionKind::ALL.len();
        kinds.flat_map(|kind| (0..=BOUNDS.len()).filter_map(move |class| row(kind, class))).collect()
    }

    /// Mean over all lesions of a kind.
    pub fn mean(&self, kind: LesionKind) -> Option<f64> {
        let (count, sum) =
            self.groups[kind as usize].iter().fold((0, 0.0), |(n, s), (count, sum)| (n + count, s + sum));
        (count > 0).then(|| sum / count as f64)
    }

    /// Nothing, where there was no lesion.
    pub fn report(&self, out: &mut Emit<'_>) {
        let rows = self.rows();
        if rows.is_empty() {
            return;
        }
        for (kind, key) in LesionKind::ALL.into_iter().zip(KEYS) {
            if let Some(mean) = self.mean(kind) {
                out.scalar(key, mean);
            }
        }
        let values = rows.iter().flatten().map(|value| *value as f32).collect();
        out.payload("lesions/survival", Payload::Matrix { rows: rows.len() as u32, cols: 4, values });
    }
}

/// Mean survival of each kind, in the order of [`LesionKind::ALL`].
pub const KEYS: [&str; 4] =
    ["lesions/microaneurysms", "lesions/haemorrhages", "lesions/hard_exudates", "lesions/cotton_wool_spots"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::synth::fundus::{FundusSpec, Hospital, picture};

    const SIZE: usize = 64;

    /// A flat picture with one dark and one bright spot, and without them.
    fn flat() -> (Picture, Vec<f32>) {
        let lesion = |kind, x, radius: f64| Lesion { kind, centre: [x, 0.5], radii: [radius / SIZE as f64; 2] };
        let lesions = vec![lesion(LesionKind::Haemorrhage, 0.3, 2.5), lesion(LesionKind::HardExudate, 0.7, 1.2)];
        let mut planes = vec![120; 3 * SIZE * SIZE];
        let without = planes.iter().map(|level| f32::from(*level) / 255.0).collect();
        for (lesion, level) in lesions.iter().zip([60, 200]) {
            let mask = lesion.mask(SIZE, SIZE);
            // Red stays as it is.
            let pixels = SIZE * SIZE;
            (pixels..3 * pixels).filter(|at| mask.pixels()[at % pixels]).for_each(|at| planes[at] = level);
        }
        let picture = Picture { name: "spots".to_owned(), hospital: 0, grade: Some(2), planes, lesions };
        (picture, without)
    }

    fn survivors(picture: &Picture, rebuilt: &[f32]) -> Survivors {
        let field = Mask::from_fn(SIZE, SIZE, |_, _| true);
        let mut all = Survivors::default();
        all.add(&probes(picture, SIZE, &field), rebuilt);
        all
    }

    #[test]
    fn what_is_rebuilt_exactly_survives_and_what_is_flat_does_not() {
        let (picture, without) = flat();
        let values = picture.values();
        let rows = survivors(&picture, &values).rows();
        assert_eq!(rows.len(), 2);
        // 2.5 and 1.2 pixels: classes 2 to 3 and 1 to 1.5.
        assert_eq!(
            rows.iter().map(|row| [row[0], row[1], row[2]]).collect::<Vec<_>>(),
            [[1.0, 3.0, 1.0], [2.0, 1.0, 1.0]]
        );
        assert!(rows.iter().all(|row| (row[3] - 1.0).abs() < 1e-6), "{rows:?}");
        assert!(survivors(&picture, &without).rows().iter().all(|row| row[3] == 0.0));
        let half: Vec<f32> = values.iter().zip(&without).map(|(a, b)| 0.5 * (a + b)).collect();
        assert!(survivors(&picture, &half).rows().iter().all(|row| (row[3] - 0.5).abs() < 1e-5));
        // Dark ones that became bright are gone, and stronger ones are not more than there.
        let turned: Vec<f32> = values.iter().zip(&without).map(|(a, b)| 2.0 * b - a).collect();
        assert!(survivors(&picture, &turned).rows().iter().all(|row| row[3] == 0.0));
        let stronger: Vec<f32> = values.iter().zip(&without).map(|(a, b)| 2.0 * a - b).collect();
        let strong = survivors(&picture, &stronger);
        assert_eq!(strong.mean(LesionKind::Haemorrhage), Some(1.0));
        assert_eq!(strong.mean(LesionKind::Microaneurysm), None);
    }

    #[test]
    fn lesions_of_generated_pictures_are_found_and_lost_by_blurring() {
        let spec = FundusSpec { size: SIZE, grade: 3, hospital: Hospital::A, lesion_scale: 1.3 };
        let fundus = picture(5, 1, &spec);
        let plane = |channel: usize| fundus.rgb.iter().skip(channel).step_by(3).copied();
        let picture = Picture {
            name: "generated".to_owned(),
            hospital: 0,
            grade: Some(3),
            planes: (0..3).flat_map(plane).collect(),
            lesions: fundus.lesions.clone(),
        };
        let exact = survivors(&picture, &picture.values());
        let counted: f64 = exact.rows().iter().map(|row| row[2]).sum();
        assert!(counted > 0.6 * picture.lesions.len() as f64, "{counted} of {}", picture.lesions.len());
        assert!(exact.rows().iter().all(|row| (row[3] - 1.0).abs() < 1e-6));
        // Means of 5×5 pixels, which hide small ones more than large ones.
        let values = picture.values();
        let blurred: Vec<f32> = (0..values.len())
            .map(|i| {
                let (channel, row, column) = (i / (SIZE * SIZE), i / SIZE % SIZE, i % SIZE);
                let near = |at: usize| at.saturating_sub(2)..(at + 3).min(SIZE);
                let all: Vec<f32> = near(row)
                    .flat_map(|y| near(column).map(move |x| (y, x)))
                    .map(|(y, x)| values[(channel * SIZE + y) * SIZE + x])
                    .collect();
                all.iter().sum::<f32>() / all.len() as f32
            })
            .collect();
        let blurred = survivors(&picture, &blurred);
        let [small, large] =
            [LesionKind::Microaneurysm, LesionKind::Haemorrhage].map(|kind| blurred.mean(kind).unwrap());
        assert!(small < 0.5 && small < large, "{small} {large}");
    }
}
