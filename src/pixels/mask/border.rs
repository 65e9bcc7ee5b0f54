//! Distances between the borders of two masks: Hausdorff, its 95th percentile by two conventions, the mean surface
//! distance, and the pair of border pixels that a distance comes from.
//!
//! A border pixel is a lesion pixel with a background pixel above, below, left or right of it; outside of the image is
//! background. Distances are in pixels or, where a pixel has a size, in millimetres; squares of pixels are whole numbers, and
//! exact.

use super::nearest::nearest;
use super::{Mask, MaskError, Pixel};
use crate::pixels::spacing::{Spacing, Unit};

/// The border pixels of a mask, row by row.
pub fn border(mask: &Mask) -> Vec<Pixel> {
    let (height, width) = (mask.height(), mask.width());
    let outside = vec![false; width];
    let mut on_border = vec![false; width];
    let mut border = Vec::new();
    for row in 0..height {
        let this = mask.row(row);
        let above = if row > 0 { mask.row(row - 1) } else { &outside };
        let below = if row + 1 < height { mask.row(row + 1) } else { &outside };
        // Without a branch, many pixels at a time; the first and the last one of a row have the outside beside them.
        on_border.copy_from_slice(this);
        for (((here, up), down), sides) in
            on_border.iter_mut().skip(1).zip(above.iter().skip(1)).zip(below.iter().skip(1)).zip(this.windows(3))
        {
            *here &= !(up & down & sides[0] & sides[2]);
        }
        push_positions(&on_border, row as u32, &mut border);
    }
    border
}

/// Appends the pixels of a row that are set. Most are not: eight at a time are passed over.
fn push_positions(set: &[bool], row: u32, positions: &mut Vec<Pixel>) {
    for (block, pixels) in set.chunks(8).enumerate() {
        if pixels.contains(&true) {
            let set = pixels.iter().enumerate().filter(|(_, set)| **set);
            positions.extend(set.map(|(i, _)| Pixel { row, column: (8 * block + i) as u32 }));
        }
    }
}

/// The convention of the average symmetric surface distance in words, to be printed beside the number.
pub fn assd_in_words(unit: Unit) -> String {
    let unit = unit.word();
    format!("ASSD: mean distance over the border pixels of both masks pooled (medpy 0.5, MONAI's symmetric), {unit}")
}

/// A distance between two borders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Hausdorff {
    /// The largest distance from a border pixel of one mask to the nearest of the other.
    Largest,
    /// The 95th percentile of the distances in both directions together: the paper's, as medpy computes it.
    Pooled95,
    /// The larger of the 95th percentiles of the two directions: as MONAI computes it.
    Directed95,
}

impl Hausdorff {
    /// The convention in words, to be printed beside the number.
    pub fn describe(self, unit: Unit) -> String {
        let convention = match self {
            Hausdorff::Largest => "HD: largest distance from a border pixel to the other border",
            Hausdorff::Pooled95 => "HD95: 95th percentile of both directions pooled (medpy, the paper's)",
            Hausdorff::Directed95 => "HD95: larger of the two directions' 95th percentiles (MONAI)",
        };
        format!("{convention}, {}", unit.word())
    }
}

/// How far every border pixel of each mask is from the nearest one of the other.
#[derive(Debug, Clone, PartialEq)]
pub struct BorderDistances {
    /// Border of the prediction; not empty.
    pub prediction: Vec<Pixel>,
    /// Border of the truth; not empty.
    pub truth: Vec<Pixel>,
    /// Squared distance of each of `prediction` to the nearest of `truth`, in the square of the unit.
    pub from_prediction: Vec<f64>,
    /// Squared distance of each of `truth` to the nearest of `prediction`.
    pub from_truth: Vec<f64>,
    /// What they were measured with; [`Spacing::PIXELS`]: they are in pixels.
    pub spacing: Spacing,
}

/// The two border pixels that a distance comes from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BorderPair {
    pub prediction: Pixel,
    pub truth: Pixel,
    /// Whether it is the truth's pixel that is the nearest one to the prediction's, or the other way round.
    pub from_prediction: bool,
    /// Between the two, in the unit of the distances.
    pub distance: f64,
}

/// Distances between the borders of two masks of pixels so large; `None` where either is empty, since then they are
/// undefined.
///
/// # Errors
/// Masks of different sizes.
pub fn border_distances(
    prediction: &Mask,
    truth: &Mask,
    spacing: Spacing,
) -> Result<Option<BorderDistances>, MaskError> {
    prediction.check(truth)?;
    Ok(BorderDistances::between(border(prediction), border(truth), spacing))
}

impl BorderDistances {
    /// Between any two sets of pixels; `None` where either is empty.
    pub fn between(prediction: Vec<Pixel>, truth: Vec<Pixel>, spacing: Spacing) -> Option<Self> {
        // Nothing outside of the box around both sets matters.
        let all = || prediction.iter().chain(&truth);
        let first = Pixel { row: all().map(|p| p.row).min()?, column: all().map(|p| p.column).min()? };
        let last = Pixel { row: all().map(|p| p.row).max()?, column: all().map(|p| p.column).max()? };
        if prediction.is_empty() || truth.is_empty() {
            return None;
        }
        let from_prediction = nearest(&prediction, &truth, first, last, spacing);
        let from_truth = nearest(&truth, &prediction, first, last, spacing);
        Some(Self { prediction, truth, from_prediction, from_truth, spacing })
    }

    /// The distance.
    pub fn hausdorff(&self, which: Hausdorff) -> f64 {
        match which {
            Hausdorff::Largest => self.order_statistics(which).2,
            Hausdorff::Pooled95 => percentile_95(&mut self.pooled()).0,
            Hausdorff::Directed95 => {
                let [a, b] = [&self.from_prediction, &self.from_truth].map(|d| percentile_95(&mut d.clone()).0);
                a.max(b)
            }
        }
    }

    /// The average symmetric surface distance as [`assd_in_words`] says. The longer border weighs more.
    pub fn average_pooled(&self) -> f64 {
        let count = self.from_prediction.len() + self.from_truth.len();
        (sum_of_roots(&self.from_prediction) + sum_of_roots(&self.from_truth)) / count as f64
    }

    /// A pair of border pixels that attains the distance. A percentile lies between two of the distances in general; the
    /// pair is that of the upper one.
    pub fn pair(&self, which: Hausdorff) -> BorderPair {
        let (of_prediction, squared, distance) = self.order_statistics(which);
        let [(from, distances, to), other] =
            [(&self.prediction, &self.from_prediction, &self.truth), (&self.truth, &self.from_truth, &self.prediction)];
        let found = |distances: &[f64]| distances.iter().position(|d| *d == squared);
        let (from_prediction, (from, at, to)) = match of_prediction.then(|| found(distances)).flatten() {
            Some(at) => (true, (from, at, to)),
            None => (false, (other.0, found(other.1).unwrap_or(0), other.2)),
        };
        let start = from[at];
        // Never empty.
        let apart = |p: &Pixel| squared_distance(start, *p, self.spacing);
        let end = to.iter().copied().min_by(|p, q| apart(p).total_cmp(&apart(q))).unwrap_or(start);
        let (prediction, truth) = if from_prediction { (start, end) } else { (end, start) };
        BorderPair { prediction, truth, from_prediction, distance }
    }

    /// Whether the distance may be looked for among the prediction's border pixels, its square and itself: of the upper
    /// of the two neighbours of a percentile.
    fn order_statistics(&self, which: Hausdorff) -> (bool, f64, f64) {
        let largest = |distances: &[f64]| distances.iter().copied().fold(0.0, f64::max);
        let (of_prediction, squared) = match which {
            Hausdorff::Largest => {
                let (a, b) = (largest(&self.from_prediction), largest(&self.from_truth));
                (a >= b, a.max(b))
            }
            Hausdorff::Pooled95 => (true, percentile_95(&mut self.pooled()).1),
            Hausdorff::Directed95 => {
                let (a, a_squared) = percentile_95(&mut self.from_prediction.clone());
                let (b, b_squared) = percentile_95(&mut self.from_truth.clone());
                if a >= b { (true, a_squared) } else { (false, b_squared) }
            }
        };
        (of_prediction, squared, squared.sqrt())
    }

    fn pooled(&self) -> Vec<f64> {
        [&self.from_prediction[..], &self.from_truth].concat()
    }
}

fn sum_of_roots(squared: &[f64]) -> f64 {
    squared.iter().map(|d| d.sqrt()).sum()
}

fn squared_distance(a: Pixel, b: Pixel, spacing: Spacing) -> f64 {
    spacing.squared(a.row.abs_diff(b.row), a.column.abs_diff(b.column))
}

/// The 95th percentile of distances by linear interpolation at position 0.95 (n − 1), and the square of the distance at
/// or above it. Changes the order of `squared`, which must not be empty.
fn percentile_95(squared: &mut [f64]) -> (f64, f64) {
    let position = 0.95 * (squared.len() - 1) as f64;
    let (below, t) = (position.floor() as usize, position.fract());
    let (_, low, above) = squared.select_nth_unstable_by(below, f64::total_cmp);
    let low = *low;
    if t <= 0.0 {
        return (low.sqrt(), low);
    }
    let high = above.iter().copied().reduce(f64::min).unwrap_or(low);
    let (from, to) = (low.sqrt(), high.sqrt());
    (from + (to - from) * t, high)
}

#[cfg(test)]
mod tests {
    use super::super::tests::drawn;
    use super::*;
    use crate::compute::rng::HostRng;

    const ALL: [Hausdorff; 3] = [Hausdorff::Largest, Hausdorff::Pooled95, Hausdorff::Directed95];

    fn noise(height: usize, width: usize, share: f64, rng: &mut HostRng) -> Mask {
        Mask::from_fn(height, width, |_, _| rng.uniform() < share)
    }

    #[test]
    fn borders_follow_holes_and_the_image_edge() {
        let ring = drawn(&["####", "#..#", "####"]);
        assert_eq!(border(&ring).len(), 10);
        let full = Mask::from_fn(4, 5, |_, _| true);
        assert_eq!(border(&full).len(), 14);
        assert_eq!(border(&drawn(&["#.##"])).len(), 3);
        for mask in [Mask::empty(3, 3), Mask::empty(3, 0), Mask::empty(0, 3), Mask::default()] {
            assert!(border(&mask).is_empty());
        }
        let row = border(&drawn(&["#", "#", "."]));
        assert_eq!(row, [Pixel { row: 0, column: 0 }, Pixel { row: 1, column: 0 }]);
    }

    #[test]
    fn distances_are_those_of_comparing_everything_with_everything() {
        let mut rng = HostRng::new(5, 0);
        let shapes = [(1, 1), (1, 40), (40, 1), (13, 29), (40, 40)];
        for (height, width) in shapes {
            for (share, other) in [(0.5, 0.5), (0.9, 0.02), (0.02, 0.02), (0.99, 0.5), (0.5, 0.001)] {
                let (a, b) = (noise(height, width, share, &mut rng), noise(height, width, other, &mut rng));
                for spacing in [Spacing::PIXELS, Spacing { row: 0.2, column: 0.3 }, Spacing { row: 2.5, column: 0.1 }] {
                    let Some(distances) = border_distances(&a, &b, spacing).unwrap() else {
                        assert!(a.is_empty() || b.is_empty());
                        continue;
                    };
                    for (from, to, ours) in [
                        (&distances.prediction, &distances.truth, &distances.from_prediction),
                        (&distances.truth, &distances.prediction, &distances.from_truth),
                    ] {
                        for (p, ours) in from.iter().zip(ours) {
                            let all = to.iter().map(|q| squared_distance(*p, *q, spacing)).reduce(f64::min).unwrap();
                            let same = if spacing == Spacing::PIXELS {
                                *ours == all
                            } else {
                                (ours - all).abs() <= 1e-12 * all
                            };
                            assert!(same, "{height}×{width}, {share}, {other}, {spacing:?}: {ours} is not {all}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn one_pixel_each_is_the_distance_between_them() {
        let a = drawn(&["#......", ".......", ".......", "......."]);
        let b = drawn(&[".......", ".......", ".......", "....#.."]);
        let distances = border_distances(&a, &b, Spacing::PIXELS).unwrap().unwrap();
        for which in ALL {
            assert_eq!(distances.hausdorff(which), 5.0);
            let pair = distances.pair(which);
            assert_eq!(pair.prediction, Pixel { row: 0, column: 0 });
            assert_eq!(pair.truth, Pixel { row: 3, column: 4 });
            assert_eq!(pair.distance, 5.0);
        }
        assert_eq!(distances.average_pooled(), 5.0);
    }

    /// Made with medpy 0.5.2 (`hd95`, `hd`, `assd` with `voxelspacing`) and scipy 1.17.1
    /// (`distance_transform_edt(~border, sampling=(row, column))[other_border]`, `numpy.percentile(.., 95)`), which agree.
    #[test]
    fn distances_in_millimetres_are_those_of_medpy_and_scipy() {
        let prediction = Mask::from_fn(24, 31, |y, x| {
            let (dy, dx) = (y as i64 - 9, x as i64 - 12);
            4 * dy * dy + 2 * dx * dx <= 90 || ((18..21).contains(&y) && (24..29).contains(&x))
        });
        let truth = Mask::from_fn(24, 31, |y, x| {
            let (dy, dx) = (y as i64 - 11, x as i64 - 15);
            2 * dy * dy + 3 * dx * dx <= 110
        });
        assert_eq!((border(&prediction).len(), border(&truth).len()), (44, 36));
        for (row, column, [pooled, largest, assd, directed]) in [
            (1.0, 1.0, [7.846937379377196, 9.433981132056603, 3.1467210779837567, 8.593577038783863]),
            (0.2, 0.2, [1.5693874758754394, 1.886796226411321, 0.6293442155967515, 1.7187154077567726]),
            (0.2, 0.3, [2.171461260510603, 2.6, 0.7969431041991821, 2.4047668263045208]),
            (1.5, 0.1, [3.106197789923063, 3.269556544854363, 0.8459631110620307, 3.128003400659991]),
        ] {
            let spacing = Spacing::new(row, column).unwrap();
            let found = border_distances(&prediction, &truth, spacing).unwrap().unwrap();
            let ours = [
                found.hausdorff(Hausdorff::Pooled95),
                found.hausdorff(Hausdorff::Largest),
                found.average_pooled(),
                found.hausdorff(Hausdorff::Directed95),
            ];
            for (ours, golden) in ours.into_iter().zip([pooled, largest, assd, directed]) {
                assert!((ours - golden).abs() < 1e-13, "{}: {ours} is not {golden}", spacing.text());
            }
            let pair = found.pair(Hausdorff::Largest);
            assert_eq!(pair.distance, squared_distance(pair.prediction, pair.truth, spacing).sqrt());
        }
    }

    #[test]
    fn an_empty_mask_leaves_distances_undefined() {
        let (empty, full) = (Mask::empty(3, 4), Mask::from_fn(3, 4, |_, _| true));
        assert_eq!(border_distances(&empty, &full, Spacing::PIXELS).unwrap(), None);
        assert_eq!(border_distances(&full, &empty, Spacing::PIXELS).unwrap(), None);
        assert_eq!(border_distances(&empty, &empty, Spacing::PIXELS).unwrap(), None);
        let same = border_distances(&full, &full, Spacing::PIXELS).unwrap().unwrap();
        assert_eq!(ALL.map(|which| same.hausdorff(which)), [0.0; 3]);
        assert!(border_distances(&empty, &Mask::empty(4, 3), Spacing::PIXELS).is_err());
    }

    #[test]
    fn a_pair_is_at_its_distance_and_next_to_the_percentile() {
        let mut rng = HostRng::new(7, 0);
        for _ in 0..20 {
            let (a, b) = (noise(20, 30, 0.1, &mut rng), noise(20, 30, 0.02, &mut rng));
            let Some(distances) = border_distances(&a, &b, Spacing::PIXELS).unwrap() else { continue };
            for which in ALL {
                let pair = distances.pair(which);
                let squared = squared_distance(pair.prediction, pair.truth, Spacing::PIXELS);
                assert_eq!(squared.sqrt(), pair.distance);
                assert!(pair.distance >= distances.hausdorff(which));
                let (from, of) = if pair.from_prediction {
                    (&distances.from_prediction, distances.prediction.iter().position(|p| *p == pair.prediction))
                } else {
                    (&distances.from_truth, distances.truth.iter().position(|p| *p == pair.truth))
                };
                assert_eq!(from[of.unwrap()], squared);
                let all = if which == Hausdorff::Pooled95 { distances.pooled() } else { from.clone() };
                let between = |d: &&f64| d.sqrt() > distances.hausdorff(which) && **d < squared;
                assert_eq!(all.iter().filter(between).count(), 0, "{which:?}");
            }
        }
    }
}
