//! Two-dimensional points with classes: generators, split, standardisation, extent.

use std::f64::consts::{PI, TAU};

use crate::compute::rng::HostRng;
use crate::compute::{stats, streams};

/// Points in the plane with a class each.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PointSet {
    /// Coordinates in the data's own units, less `origin`.
    pub xy: Vec<[f32; 2]>,
    /// What was taken off every coordinate, since f32 would not tell values apart that lie so far from 0; else 0.
    pub origin: [f64; 2],
    /// Index into `class_names` for each point.
    pub classes: Vec<u32>,
    /// At least two.
    pub class_names: Vec<String>,
}

impl PointSet {
    pub fn len(&self) -> usize {
        self.xy.len()
    }

    pub fn is_empty(&self) -> bool {
        self.xy.is_empty()
    }

    /// The points with these indices, in this order.
    pub fn subset(&self, indices: &[usize]) -> PointSet {
        PointSet {
            xy: indices.iter().map(|&i| self.xy[i]).collect(),
            origin: self.origin,
            classes: indices.iter().map(|&i| self.classes[i]).collect(),
            class_names: self.class_names.clone(),
        }
    }
}

/// How many standard deviations from 0 values may lie before [`origin_of`] takes something off: beyond it, f32 would round
/// them by more than a hundred-thousandth of the deviation.
const FAR: f64 = 100.0;

/// What to take off values that lie far from 0 for how little they differ (time stamps, for example): a round number near
/// their mean; else 0, and they stay as they are.
pub fn origin_of(values: &[f64]) -> f64 {
    let mean = stats::mean(values).unwrap_or(0.0);
    let deviation = stats::standard_deviation(values, 0).unwrap_or(0.0);
    if !(deviation > 0.0 && mean.abs() > FAR * deviation) {
        return 0.0;
    }
    let unit = 10.0_f64.powf(deviation.log10().floor());
    let origin = (mean / unit).round() * unit;
    if origin.is_finite() { origin } else { 0.0 }
}

/// A generated point set. Every coordinate gets independent Gaussian noise of standard deviation `noise` at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Generator {
    /// Two half circles of radius 1 that interlock. With t even in [0, π]: class 0 at (cos t, sin t), class 1 at
    /// (1 − cos t, ½ − sin t).
    Moons,
    /// Two concentric circles: class 0 of radius 1, class 1 of radius ½.
    Circles,
    /// Two spiral arms of one and a half turns: with s even in [0, 1], radius 0.1 + 1.9 s and angle 3π s, class 1 half
    /// a turn further.
    Spirals,
    /// Uniform in the four quadrants of [−1, 1]², at least 0.1 from either axis; class 1 where x y < 0.
    Xor,
    /// Three Gaussians of standard deviation 0.35 around the corners of a triangle, at distance 1 from the origin, at
    /// 90°, 210° and 330°.
    Gaussians,
}

impl Generator {
    /// The generator with this name in the lab's parameter `points`; `csv` and unknown names have none.
    pub fn from_id(id: &str) -> Option<Self> {
        Some(match id {
            "moons" => Generator::Moons,
            "circles" => Generator::Circles,
            "spirals" => Generator::Spirals,
            "xor" => Generator::Xor,
            "gaussians" => Generator::Gaussians,
            _ => return None,
        })
    }

    /// Number of classes.
    pub fn classes(self) -> usize {
        if self == Generator::Gaussians { 3 } else { 2 }
    }

    /// `count` points; point i has class i modulo the number of classes, so the classes differ in size by at most one.
    /// Computed in f64 and rounded to f32 at the end.
    pub fn generate(self, count: usize, noise: f64, seed: u64) -> PointSet {
        let classes = self.classes();
        let mut rng = streams::POINTS.open(seed, 0);
        let mut set =
            PointSet { class_names: (0..classes).map(|class| class.to_string()).collect(), ..PointSet::default() };
        for i in 0..count {
            let class = i % classes;
            // Position of this point along its class, even in [0, 1].
            let members = (count - class).div_ceil(classes);
            let s = (i / classes) as f64 / (members - 1).max(1) as f64;
            let [x, y] = self.clean(class, s, members, &mut rng);
            set.xy.push([(x + noise * rng.normal()) as f32, (y + noise * rng.normal()) as f32]);
            set.classes.push(class as u32);
        }
        set
    }

    /// The point without noise.
    fn clean(self, class: usize, s: f64, members: usize, rng: &mut HostRng) -> [f64; 2] {
        match (self, class) {
            (Generator::Moons, 0) => [(PI * s).cos(), (PI * s).sin()],
            (Generator::Moons, _) => [1.0 - (PI * s).cos(), 0.5 - (PI * s).sin()],
            (Generator::Circles, _) => {
                let radius = if class == 0 { 1.0 } else { 0.5 };
                // A closed curve: the last point must not fall on the first.
                let angle = TAU * s * (members - 1) as f64 / members as f64;
                [radius * angle.cos(), radius * angle.sin()]
            }
            (Generator::Spirals, _) => {
                let (radius, angle) = (0.1 + 1.9 * s, 3.0 * PI * s + PI * class as f64);
                [radius * angle.cos(), radius * angle.sin()]
            }
            (Generator::Xor, _) => {
                let sign = if rng.uniform() < 0.5 { -1.0 } else { 1.0 };
                let (x, y) = (rng.between(0.1, 1.0), rng.between(0.1, 1.0));
                if class == 0 { [sign * x, sign * y] } else { [sign * x, -sign * y] }
            }
            (Generator::Gaussians, _) => {
                let angle = PI / 2.0 + TAU * class as f64 / 3.0;
                [angle.cos() + 0.35 * rng.normal(), angle.sin() + 0.35 * rng.normal()]
            }
        }
    }
}

/// Number of training points that [`split`] leaves of `count` points; the rest, at least one, is the test set.
pub fn train_count(count: usize, test_fraction: f64) -> usize {
    let test = (count as f64 * test_fraction).round() as usize;
    count - test.clamp(1.min(count), count.saturating_sub(1).max(1).min(count))
}

/// Splits into a training and a test set: the points are shuffled by the seed, and the first
/// [`train_count`] of them train. Not stratified.
pub fn split(set: &PointSet, test_fraction: f64, seed: u64) -> (PointSet, PointSet) {
    let mut order: Vec<usize> = (0..set.len()).collect();
    streams::POINTS_SPLIT.open(seed, 0).shuffle(&mut order);
    let (train, test) = order.split_at(train_count(set.len(), test_fraction));
    (set.subset(train), set.subset(test))
}

/// What brings coordinates to mean 0 and standard deviation 1: a network sees only such numbers, whatever the units of
/// the data. Pictures stay in the data's own units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Standardisation {
    pub mean: [f64; 2],
    /// Standard deviation over n (not n − 1); 1 for a coordinate that does not vary.
    pub std: [f64; 2],
}

impl Standardisation {
    /// Measured on these points; only ever the training set, so that nothing of the test set leaks into training.
    pub fn of(xy: &[[f32; 2]]) -> Self {
        let n = xy.len().max(1) as f64;
        let axis = |a: usize| {
            let mean = xy.iter().map(|p| f64::from(p[a])).sum::<f64>() / n;
            let variance = xy.iter().map(|p| (f64::from(p[a]) - mean).powi(2)).sum::<f64>() / n;
            (mean, if variance > 0.0 { variance.sqrt() } else { 1.0 })
        };
        let ((mean_x, std_x), (mean_y, std_y)) = (axis(0), axis(1));
        Self { mean: [mean_x, mean_y], std: [std_x, std_y] }
    }

    /// (p − mean) / std, in f64, rounded to f32.
    pub fn apply(&self, p: [f32; 2]) -> [f32; 2] {
        [0, 1].map(|a| ((f64::from(p[a]) - self.mean[a]) / self.std[a]) as f32)
    }
}

/// A rectangle of the plane in the data's own units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Extent {
    pub min: [f32; 2],
    pub max: [f32; 2],
}

impl Extent {
    /// The bounds of these points with a margin of 8 % of the longer side all around. A point set without extension
    /// gets a margin of ½.
    pub fn of<'a>(points: impl IntoIterator<Item = &'a [f32; 2]>) -> Self {
        let (mut min, mut max) = ([f32::INFINITY; 2], [f32::NEG_INFINITY; 2]);
        for p in points {
            for a in 0..2 {
                min[a] = min[a].min(p[a]);
                max[a] = max[a].max(p[a]);
            }
        }
        if min[0] > max[0] {
            (min, max) = ([0.0; 2], [0.0; 2]);
        }
        let side = (max[0] - min[0]).max(max[1] - min[1]);
        let margin = if side > 0.0 { 0.08 * side } else { 0.5 };
        Self { min: min.map(|v| v - margin), max: max.map(|v| v + margin) }
    }

    /// Centres of `rows` x `cols` equal cells, row-major, the top row (largest y) first: the order of a picture.
    pub fn grid(&self, rows: usize, cols: usize) -> Vec<[f32; 2]> {
        let at = |min: f32, max: f32, i: usize, n: usize| min + (max - min) * (i as f32 + 0.5) / n as f32;
        (0..rows)
            .flat_map(|r| {
                let y = at(self.max[1], self.min[1], r, rows);
                (0..cols).map(move |c| [at(self.min[0], self.max[0], c, cols), y])
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Generator; 5] =
        [Generator::Moons, Generator::Circles, Generator::Spirals, Generator::Xor, Generator::Gaussians];

    #[test]
    fn generators_are_defined_by_the_seed_and_balanced() {
        for generator in ALL {
            let set = generator.generate(101, 0.1, 5);
            assert_eq!(set, generator.generate(101, 0.1, 5));
            assert_ne!(set.xy, generator.generate(101, 0.1, 6).xy, "{generator:?}");
            assert_eq!((set.xy.len(), set.classes.len()), (101, 101));
            assert!(set.xy.iter().flatten().all(|v| v.is_finite()));
            for class in 0..generator.classes() {
                let members = set.classes.iter().filter(|&&c| c == class as u32).count();
                assert!(members.abs_diff(101 / generator.classes()) <= 1, "{generator:?} class {class}: {members}");
            }
        }
    }

    #[test]
    fn without_noise_the_points_lie_on_their_curves() {
        let radius = |p: &[f32; 2]| p[0].hypot(p[1]);
        let circles = Generator::Circles.generate(60, 0.0, 0);
        for (p, class) in circles.xy.iter().zip(&circles.classes) {
            assert!((radius(p) - if *class == 0 { 1.0 } else { 0.5 }).abs() < 1e-6);
        }
        let moons = Generator::Moons.generate(60, 0.0, 0);
        for (p, class) in moons.xy.iter().zip(&moons.classes) {
            let centred = if *class == 0 { *p } else { [p[0] - 1.0, p[1] - 0.5] };
            assert!((radius(&centred) - 1.0).abs() < 1e-6);
        }
        let xor = Generator::Xor.generate(60, 0.0, 0);
        for (p, class) in xor.xy.iter().zip(&xor.classes) {
            assert_eq!(p[0] * p[1] < 0.0, *class == 1);
        }
    }

    #[test]
    fn the_split_shares_nothing_and_loses_nothing() {
        let set = Generator::Xor.generate(50, 0.0, 1);
        let (train, test) = split(&set, 0.3, 1);
        assert_eq!((train.len(), test.len()), (35, 15));
        let key = |p: &[f32; 2]| [p[0].to_bits(), p[1].to_bits()];
        let mut both: Vec<_> = train.xy.iter().chain(&test.xy).map(key).collect();
        let mut all: Vec<_> = set.xy.iter().map(key).collect();
        both.sort_unstable();
        all.sort_unstable();
        assert_eq!(both, all);
        for count in 2..40 {
            for fraction in [0.05, 0.5, 0.9] {
                let train = train_count(count, fraction);
                assert!(train >= 1 && train < count, "{count} points, {fraction}: {train}");
            }
        }
    }

    #[test]
    fn standardised_points_have_mean_0_and_deviation_1() {
        let set = Generator::Gaussians.generate(300, 0.2, 2);
        let scaled: Vec<[f32; 2]> = set.xy.iter().map(|p| [p[0] * 1_000.0 + 5e4, p[1] * 1e-3]).collect();
        let standard = Standardisation::of(&scaled);
        let seen: Vec<[f32; 2]> = scaled.iter().map(|p| standard.apply(*p)).collect();
        let again = Standardisation::of(&seen);
        for a in 0..2 {
            assert!(again.mean[a].abs() < 1e-4 && (again.std[a] - 1.0).abs() < 1e-4, "{again:?}");
        }
        assert_eq!(Standardisation::of(&[[3.0, 1.0], [3.0, 2.0]]).std[0], 1.0, "a constant coordinate");
    }

    #[test]
    fn an_origin_is_taken_off_only_where_it_is_needed() {
        let values = |offset: f64, scale: f64| -> Vec<f64> { (0..50).map(|i| offset + scale * f64::from(i)).collect() };
        assert_eq!((origin_of(&[]), origin_of(&[3.0; 9]), origin_of(&values(-20.0, 1.0))), (0.0, 0.0, 0.0));
        assert_eq!(origin_of(&values(1.7e9, 3600.0)), 1_700_090_000.0);
        assert_eq!(origin_of(&values(-5e6, 0.1)), -4_999_998.0);
    }

    #[test]
    fn the_grid_covers_the_extent_from_the_top() {
        let extent = Extent::of(&[[0.0, 0.0], [10.0, 5.0]]);
        for (found, expected) in extent.min.iter().chain(&extent.max).zip([-0.8, -0.8, 10.8, 5.8]) {
            assert!((found - expected).abs() < 1e-5, "{extent:?}");
        }
        let grid = extent.grid(2, 4);
        assert_eq!(grid.len(), 8);
        assert!(grid[0][1] > grid[4][1] && grid[0][0] < grid[3][0]);
        assert!((grid[0][0] - (-0.8 + 11.6 / 8.0)).abs() < 1e-5);
        assert!(Extent::of(&[[1.0, 1.0]]).max[0] > 1.0);
    }
}
