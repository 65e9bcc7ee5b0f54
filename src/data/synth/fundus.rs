//! Generated fundus pictures with a grade of retinopathy and lesions whose places are known: field of view, illumination,
//! optic disc, macula, branching vessels, four kinds of lesions, and the cameras of four hospitals.
//!
//! They look like photographs of the retina and are NOT: every view and file that shows them says "generated".

use rayon::prelude::*;

use crate::compute::rng::HostRng;
use crate::compute::streams;
use crate::pixels::mask::Mask;
use crate::pixels::resize::{Resampling, Size, resize};

use super::blur::{blur, noise, unit};

/// Fine pixels of a picture's pixel, in either direction.
const SUPERSAMPLING: usize = 2;
/// Attempts at a place for a lesion.
const ATTEMPTS: usize = 50;
/// Share of healthy pictures, and of each grade among the others, as in Messidor.
const HEALTHY: f64 = 0.46;
const GRADES: [f64; 3] = [0.23, 0.38, 0.39];

/// Whose camera took the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Hospital {
    A,
    B,
    C,
    /// In no training set: for trying a model on pictures of a camera that it has not seen.
    D,
}

impl Hospital {
    pub const ALL: [Hospital; 4] = [Hospital::A, Hospital::B, Hospital::C, Hospital::D];

    pub fn name(self) -> &'static str {
        match self {
            Hospital::A => "A",
            Hospital::B => "B",
            Hospital::C => "C",
            Hospital::D => "D",
        }
    }

    fn camera(self) -> Camera {
        match self {
            Hospital::A => Camera::new([0.78, 0.36, 0.14], [0.97, 0.97], 1.00, [0.35, 0.012], 0.35),
            Hospital::B => Camera::new([0.66, 0.27, 0.16], [0.90, 0.80], 1.15, [0.50, 0.020], 0.50),
            Hospital::C => Camera::new([0.86, 0.50, 0.27], [0.93, 0.93], 0.88, [0.25, 0.016], 0.25),
            Hospital::D => Camera::new([0.70, 0.42, 0.30], [0.86, 0.90], 1.05, [0.65, 0.026], 0.42),
        }
    }
}

/// How pictures of one hospital look.
struct Camera {
    colour: [f64; 3],
    /// Radius of the field of view in halves of the width, and where it is cut flat above and below, in radii.
    field: f64,
    cut: f64,
    gamma: f64,
    /// Standard deviations: of the blur in pixels, of the noise.
    blur: f64,
    noise: f64,
    /// What the edge of the field loses of its light.
    vignette: f64,
}

impl Camera {
    fn new(colour: [f64; 3], [field, cut]: [f64; 2], gamma: f64, [blur, noise]: [f64; 2], vignette: f64) -> Self {
        Self { colour, field, cut, gamma, blur, noise, vignette }
    }
}

/// The lesions of diabetic retinopathy, in the order of their codes, from 1 on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LesionKind {
    Microaneurysm,
    Haemorrhage,
    HardExudate,
    CottonWoolSpot,
}

impl LesionKind {
    pub const ALL: [LesionKind; 4] =
        [LesionKind::Microaneurysm, LesionKind::Haemorrhage, LesionKind::HardExudate, LesionKind::CottonWoolSpot];

    pub fn name(self) -> &'static str {
        match self {
            LesionKind::Microaneurysm => "microaneurysm",
            LesionKind::Haemorrhage => "haemorrhage",
            LesionKind::HardExudate => "hard exudate",
            LesionKind::CottonWoolSpot => "cotton-wool spot",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Standard deviation in pixels of a picture of 128 pixels, what it takes of and adds to each colour, how sharp its edge
    /// is.
    fn look(self) -> (f64, [f64; 3], [f64; 3], f64) {
        match self {
            LesionKind::Microaneurysm => (1.15, [0.30, 0.70, 0.55], [0.0; 3], 1.0),
            LesionKind::Haemorrhage => (2.6, [0.38, 0.72, 0.60], [0.0; 3], 1.5),
            LesionKind::HardExudate => (1.0, [0.0; 3], [0.28, 0.38, 0.12], 1.0),
            LesionKind::CottonWoolSpot => (3.2, [0.0; 3], [0.16, 0.20, 0.16], 1.0),
        }
    }
}

/// One lesion: an upright ellipse, within which it has at least half of its strength.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lesion {
    pub kind: LesionKind,
    /// Centre `(x, y)` in widths and heights of the picture, 0 to 1.
    pub centre: [f64; 2],
    /// Half of its width and height, in widths and heights of the picture.
    pub radii: [f64; 2],
}

impl Lesion {
    /// Its pixels in a picture of this size: those whose centres lie within, at least the one at its centre.
    pub fn mask(&self, height: usize, width: usize) -> Mask {
        let (w, h) = (width as f64, height as f64);
        let nearest = |share: f64, size: usize| ((share * size as f64) as usize).min(size.saturating_sub(1));
        let centre = (nearest(self.centre[1], height), nearest(self.centre[0], width));
        Mask::from_fn(height, width, |row, column| {
            let x = ((column as f64 + 0.5) / w - self.centre[0]) / self.radii[0];
            let y = ((row as f64 + 0.5) / h - self.centre[1]) / self.radii[1];
            x * x + y * y <= 1.0 || (row, column) == centre
        })
    }
}

/// What to draw.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FundusSpec {
    /// Height and width in pixels, at least 16.
    pub size: usize,
    /// Retinopathy as in Messidor, 0 (healthy) to 3.
    pub grade: u8,
    pub hospital: Hospital,
    /// Times the size of real lesions. Those would be far below one pixel here, so that 1 is an exaggeration already.
    pub lesion_scale: f64,
}

/// A generated picture and what is on it.
#[derive(Debug, Clone, PartialEq)]
pub struct Fundus {
    pub size: usize,
    /// `[H, W, 3]` red, green, blue; exactly 0 outside the field of view.
    pub rgb: Vec<u8>,
    pub grade: u8,
    pub hospital: Hospital,
    pub lesions: Vec<Lesion>,
}

/// Hospital and grade of picture `number` of a set whose pictures come from `hospitals` in turn: 46 % are healthy, and the
/// grades of the others are as frequent as in Messidor. Depends on `seed` and `number` alone.
pub fn drawn(seed: u64, number: u64, hospitals: &[Hospital]) -> (Hospital, u8) {
    let rng = &mut streams::FUNDUS_GRADES.open(seed, number);
    let hospital = hospitals[number as usize % hospitals.len()];
    if rng.uniform() < HEALTHY {
        return (hospital, 0);
    }
    let draw = rng.uniform();
    let grade = if draw < GRADES[0] {
        1
    } else if draw < GRADES[0] + GRADES[1] {
        2
    } else {
        3
    };
    (hospital, grade)
}

/// Pictures `first..first + count` of `seed` from `hospitals` in turn; each depends on `seed`, its number and the size alone.
pub fn generate(
    first: u64,
    count: usize,
    seed: u64,
    hospitals: &[Hospital],
    size: usize,
    lesion_scale: f64,
) -> Vec<Fundus> {
    let numbers: Vec<u64> = (first..first + count as u64).collect();
    let draw = |number: u64| {
        let (hospital, grade) = drawn(seed, number, hospitals);
        picture(seed, number, &FundusSpec { size, grade, hospital, lesion_scale })
    };
    numbers.into_par_iter().map(draw).collect()
}

/// Picture `number` of `seed`.
pub fn picture(seed: u64, number: u64, spec: &FundusSpec) -> Fundus {
    let rng = &mut streams::FUNDUS.open(seed, number);
    let mut eye = Eye::new(rng, spec);
    eye.light(rng);
    eye.macula();
    eye.disc();
    eye.vessels(rng);
    let lesions = eye.lesions(rng, spec);
    Fundus { size: eye.size, rgb: eye.photograph(rng), grade: spec.grade, hospital: spec.hospital, lesions }
}

/// A picture on its way, in fine pixels.
struct Eye {
    /// Pixels of the finished picture, and fine ones, in either direction.
    size: usize,
    fine: usize,
    camera: Camera,
    /// Centre of the field, and its radius.
    centre: f64,
    radius: f64,
    /// Colours `[3][S·S]`.
    planes: [Vec<f64>; 3],
    /// 0 or 1.
    field: Vec<f64>,
    /// On which side the disc lies, −1 or 1.
    side: f64,
    disc: [f64; 2],
    disc_radius: f64,
    /// Width of the disc in its heights.
    disc_aspect: f64,
    macula: [f64; 2],
}

impl Eye {
    fn new(rng: &mut HostRng, spec: &FundusSpec) -> Self {
        let size = spec.size.max(16);
        let fine = size * SUPERSAMPLING;
        let camera = spec.hospital.camera();
        let centre = (fine as f64 - 1.0) / 2.0;
        let radius = camera.field * fine as f64 / 2.0;
        let side = if rng.uniform() < 0.5 { -1.0 } else { 1.0 };
        let disc = [centre + side * radius * rng.between(0.45, 0.55), centre + radius * rng.between(-0.1, 0.1)];
        let macula = [centre - side * radius * rng.between(0.02, 0.14), centre + radius * rng.between(-0.02, 0.12)];
        let field = (0..fine * fine)
            .map(|i| {
                let (dx, dy) = ((i % fine) as f64 - centre, (i / fine) as f64 - centre);
                f64::from(u8::from(dx.hypot(dy) < radius && dy.abs() < camera.cut * radius))
            })
            .collect();
        Self {
            size,
            fine,
            planes: std::array::from_fn(|_| vec![0.0; fine * fine]),
            field,
            side,
            disc,
            disc_radius: radius * rng.between(0.135, 0.175),
            disc_aspect: rng.between(0.85, 1.1),
            macula,
            centre,
            radius,
            camera,
        }
    }

    /// Coordinates `(x, y)` of a fine pixel.
    fn place(&self, i: usize) -> (f64, f64) {
        ((i % self.fine) as f64, (i / self.fine) as f64)
    }

    /// The fine pixels of the square around a place.
    fn near(&self, [x, y]: [f64; 2], reach: f64) -> Vec<usize> {
        let range = |at: f64| (at - reach).max(0.0) as usize..((at + reach) as usize + 1).min(self.fine);
        range(y)
            .flat_map(|row| range(x).map(move |column| (row, column)))
            .map(|(row, column)| row * self.fine + column)
            .collect()
    }

    /// The retina under a light that falls off towards the edge, is tilted, and varies slowly.
    fn light(&mut self, rng: &mut HostRng) {
        let colour = self.camera.colour.map(|level| level * (1.0 + 0.05 * rng.normal()));
        // So slow that a quarter of the pixels in either direction is enough.
        let coarse = self.fine / 4;
        let sigma = coarse as f64 / 14.0;
        let texture = unit(blur(&noise(rng, coarse * coarse), coarse, coarse, (sigma, sigma)));
        let [small, large] = [coarse, self.fine].map(|side| Size { height: side, width: side });
        let texture = resize(&texture, small, large, Resampling::Bilinear);
        let tilt = [0.18 * rng.normal(), 0.18 * rng.normal()];
        for (i, texture) in texture.into_iter().enumerate() {
            let (x, y) = self.place(i);
            let (dx, dy) = ((x - self.centre) / self.radius, (y - self.centre) / self.radius);
            let fall = 1.0 - self.camera.vignette * (dx * dx + dy * dy);
            let light = fall * (1.0 + tilt[0] * dx + tilt[1] * dy) + 0.035 * texture;
            self.planes.iter_mut().zip(colour).for_each(|(plane, level)| plane[i] = level * light);
        }
    }

    /// A wide dark spot.
    fn macula(&mut self) {
        let reach = self.radius * 0.17;
        for i in self.near(self.macula, 4.0 * reach) {
            let (x, y) = self.place(i);
            let squared = ((x - self.macula[0]).powi(2) + (y - self.macula[1]).powi(2)) / (reach * reach);
            let left = 1.0 - 0.34 * (-squared).exp();
            self.planes.iter_mut().for_each(|plane| plane[i] *= left);
        }
    }

    /// The optic disc with its cup.
    fn disc(&mut self) {
        let step = |q: f64, at: f64| 1.0 / (1.0 + ((q - at) * 9.0).exp());
        // Beyond three radii less than a millionth is left.
        for i in self.near(self.disc, 3.0 * self.disc_radius) {
            let (x, y) = self.place(i);
            let q = ((x - self.disc[0]) / (self.disc_radius * self.disc_aspect))
                .hypot((y - self.disc[1]) / self.disc_radius);
            let (disc, cup) = (step(q, 1.0), step(q, 0.45));
            let added = [0.20 * disc + 0.06 * cup, 0.30 * disc + 0.10 * cup, 0.20 * disc + 0.10 * cup];
            self.planes.iter_mut().zip(added).for_each(|(plane, added)| plane[i] += added);
        }
    }

    /// Two arcades above and two below that leave the disc and bend round the macula, and a short vessel above and below on
    /// the other side.
    fn vessels(&mut self, rng: &mut HostRng) {
        let mut tree = Tree { fine: self.fine, covered: vec![0.0; self.fine * self.fine] };
        let (side, radius, width) = (self.side, self.radius, self.fine as f64);
        for sign in [-1.0, 1.0] {
            for _ in 0..2 {
                let heading = -std::f64::consts::FRAC_PI_2 * sign + 0.12 * rng.normal() + 0.15 * side * sign;
                let bend = -side * sign * 1.25 / radius * rng.between(0.85, 1.15) * 1.05;
                let start = [self.disc[0] + rng.normal(), self.disc[1] + rng.normal()];
                let thick = width * 0.0105 * rng.between(0.8, 1.2);
                tree.grow(rng, Vessel { start, heading, width: thick, length: radius * 1.75, bend, branches: 2 });
            }
            let heading = if side > 0.0 { 0.0 } else { std::f64::consts::PI } + sign * rng.between(0.5, 1.0);
            let (thick, bend) = (width * 0.0085, sign * side * 0.004);
            let start = self.disc;
            tree.grow(rng, Vessel { start, heading, width: thick, length: radius * 0.7, bend, branches: 1 });
        }
        let strength = rng.between(0.8, 1.1);
        for (plane, taken) in self.planes.iter_mut().zip([0.30, 0.52, 0.40]) {
            for ((value, covered), field) in plane.iter_mut().zip(&tree.covered).zip(&self.field) {
                *value *= 1.0 - covered * field * taken * strength;
            }
        }
    }

    /// As many lesions of each kind as the grade has, never on the disc and never outside the field.
    fn lesions(&mut self, rng: &mut HostRng, spec: &FundusSpec) -> Vec<Lesion> {
        let mut count = |low: usize, high: usize| low + rng.below(high - low + 1);
        let [micro, haemorrhages, clusters, spots] = match spec.grade {
            0 => [0; 4],
            1 => [count(1, 5), 0, 0, 0],
            2 => [count(5, 10), count(1, 4), count(0, 1), 0],
            _ => [count(10, 19), count(5, 9), count(1, 2), count(0, 2)],
        };
        let mut lesions = Vec::new();
        for _ in 0..micro {
            lesions.extend(self.spot(rng, LesionKind::Microaneurysm, None, spec.lesion_scale));
        }
        for _ in 0..haemorrhages {
            lesions.extend(self.spot(rng, LesionKind::Haemorrhage, None, spec.lesion_scale));
        }
        for _ in 0..clusters {
            let (angle, far) = (rng.between(0.0, std::f64::consts::TAU), self.radius * rng.between(0.15, 0.5));
            let middle = [self.macula[0] + far * angle.cos(), self.macula[1] + far * angle.sin()];
            for _ in 0..4 + rng.below(8) {
                lesions.extend(self.spot(rng, LesionKind::HardExudate, Some(middle), spec.lesion_scale));
            }
        }
        for _ in 0..spots {
            lesions.extend(self.spot(rng, LesionKind::CottonWoolSpot, None, spec.lesion_scale));
        }
        lesions
    }

    /// One lesion, anywhere or near `middle`; `None` where no place was found.
    fn spot(&mut self, rng: &mut HostRng, kind: LesionKind, middle: Option<[f64; 2]>, scale: f64) -> Option<Lesion> {
        let [x, y] = (0..ATTEMPTS).find_map(|_| {
            let [x, y] = match middle {
                Some([x, y]) => [x, y].map(|at| at + self.radius * 0.1 * rng.normal()),
                None => {
                    let (angle, far) = (rng.between(0.0, std::f64::consts::TAU), rng.uniform().sqrt());
                    [angle.cos(), angle.sin()].map(|part| self.centre + self.radius * 0.86 * far * part)
                }
            };
            let from_centre = (x - self.centre).hypot(y - self.centre);
            let free = (x - self.disc[0]).hypot(y - self.disc[1]) > 1.5 * self.disc_radius
                && (y - self.centre).abs() < (self.camera.cut - 0.05) * self.radius
                && from_centre < 0.93 * self.radius;
            free.then_some([x, y])
        })?;
        let (sigma, taken, added, sharp) = kind.look();
        let sigma = sigma * self.fine as f64 / 128.0 * rng.between(0.75, 1.3) * scale;
        let aspect = rng.between(0.7, 1.3);
        let (wide, high) = (sigma * aspect, sigma / aspect);
        // Beyond four standard deviations nothing is left.
        let reach = (4.0 * wide.max(high)).ceil();
        let range = |at: f64| (at - reach).max(0.0) as usize..((at + reach) as usize + 1).min(self.fine);
        for row in range(y) {
            for column in range(x) {
                let q = ((column as f64 - x) / wide).powi(2) + ((row as f64 - y) / high).powi(2);
                let g = (-0.5 * q.powf(sharp)).exp();
                let at = row * self.fine + column;
                for ((plane, taken), added) in self.planes.iter_mut().zip(taken).zip(added) {
                    plane[at] = plane[at] * (1.0 - g * taken) + g * added;
                }
            }
        }
        // Where g is 1/2.
        let half = (2.0 * std::f64::consts::LN_2).powf(0.5 / sharp);
        let fine = self.fine as f64;
        Some(Lesion {
            kind,
            centre: [(x + 0.5) / fine, (y + 0.5) / fine],
            radii: [wide * half / fine, high * half / fine],
        })
    }

    /// Gamma and blur of the camera, the field of view, and the noise of the finished pixels.
    fn photograph(self, rng: &mut HostRng) -> Vec<u8> {
        let (size, fine) = (self.size, self.fine);
        let sigma = self.camera.blur * SUPERSAMPLING as f64;
        let mean = |plane: &[f64]| -> Vec<f64> {
            let at = |row: usize, column: usize| {
                let cell = (0..SUPERSAMPLING).flat_map(|y| (0..SUPERSAMPLING).map(move |x| (y, x)));
                let places = cell.map(|(y, x)| (row * SUPERSAMPLING + y) * fine + column * SUPERSAMPLING + x);
                places.map(|i| plane[i]).sum::<f64>() / (SUPERSAMPLING * SUPERSAMPLING) as f64
            };
            (0..size * size).map(|i| at(i / size, i % size)).collect()
        };
        let field = mean(&self.field);
        let mut rgb = vec![0; 3 * size * size];
        for (channel, plane) in self.planes.iter().enumerate() {
            let lit: Vec<f64> = plane.iter().map(|value| value.clamp(0.0, 1.0).powf(self.camera.gamma)).collect();
            let mut soft = blur(&lit, fine, fine, (sigma, sigma));
            soft.iter_mut().zip(&self.field).for_each(|(value, field)| *value *= field);
            for (i, (value, field)) in mean(&soft).into_iter().zip(&field).enumerate() {
                let noisy = value + self.camera.noise * rng.normal() * field;
                rgb[3 * i + channel] = (255.0 * noisy.clamp(0.0, 1.0)).round() as u8;
            }
        }
        rgb
    }
}

/// A vessel to be drawn.
#[derive(Clone, Copy)]
struct Vessel {
    start: [f64; 2],
    /// Direction in radians, and its change a pixel.
    heading: f64,
    bend: f64,
    /// Standard deviation across, at its start.
    width: f64,
    /// In pixels.
    length: f64,
    /// How often its branches may branch.
    branches: usize,
}

/// All vessels of an eye.
struct Tree {
    fine: usize,
    /// 0 to 1.
    covered: Vec<f64>,
}

impl Tree {
    fn grow(&mut self, rng: &mut HostRng, vessel: Vessel) {
        let steps = (vessel.length as usize).max(4);
        let ([mut x, mut y], mut heading) = (vessel.start, vessel.heading);
        let mut branches = Vec::new();
        for i in 0..steps {
            let width = vessel.width * (1.0 - 0.55 * i as f64 / steps as f64);
            self.dab(x, y, width);
            heading += vessel.bend + 0.05 * rng.normal();
            (x, y) = (x + heading.cos(), y + heading.sin());
            if vessel.branches > 0 && i > 3 && rng.uniform() < 2.6 / steps as f64 {
                let turn = if rng.uniform() < 0.5 { -1.0 } else { 1.0 } * rng.between(0.45, 0.95);
                branches.push(([x, y], heading + turn, width * 0.7));
            }
        }
        for (start, heading, width) in branches {
            let length = vessel.length * rng.between(0.35, 0.6);
            let bend = vessel.bend * rng.between(-0.5, 1.0);
            self.grow(rng, Vessel { start, heading, bend, width, length, branches: vessel.branches - 1 });
        }
    }

    /// A soft disc; where discs overlap, the stronger counts.
    fn dab(&mut self, x: f64, y: f64, width: f64) {
        let reach = (2.0 * width + 1.0).ceil();
        let fine = self.fine as f64;
        if x + reach < 0.0 || y + reach < 0.0 || x - reach > fine || y - reach > fine {
            return;
        }
        let range = |at: f64| (at - reach).max(0.0) as usize..((at + reach + 2.0) as usize).min(self.fine);
        for row in range(y) {
            for column in range(x) {
                let squared = (column as f64 - x).powi(2) + (row as f64 - y).powi(2);
                let covered = &mut self.covered[row * self.fine + column];
                *covered = covered.max((-squared / (2.0 * width * width)).exp());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(grade: u8, hospital: Hospital) -> FundusSpec {
        FundusSpec { size: 64, grade, hospital, lesion_scale: 1.3 }
    }

    #[test]
    fn a_picture_depends_on_seed_and_number_alone() {
        let all = generate(0, 5, 7, &Hospital::ALL[..3], 32, 1.0);
        assert_eq!(generate(2, 2, 7, &Hospital::ALL[..3], 32, 1.0), all[2..4]);
        assert_ne!(all[0].rgb, generate(0, 1, 8, &Hospital::ALL[..3], 32, 1.0)[0].rgb);
        assert_eq!(all.iter().map(|fundus| fundus.hospital.name()).collect::<String>(), "ABCAB");
    }

    #[test]
    fn grades_have_their_lesions_and_are_as_frequent_as_stated() {
        for number in 0..12 {
            let of = |grade: u8| {
                let lesions = picture(3, number, &spec(grade, Hospital::A)).lesions;
                LesionKind::ALL.map(|kind| lesions.iter().filter(|lesion| lesion.kind == kind).count())
            };
            assert_eq!(of(0), [0; 4]);
            let [micro, rest @ ..] = of(1);
            assert!((1..=5).contains(&micro) && rest == [0; 3]);
            let [micro, haemorrhages, ..] = of(2);
            assert!((5..=10).contains(&micro) && (1..=4).contains(&haemorrhages));
            let [micro, haemorrhages, exudates, spots] = of(3);
            assert!((10..=19).contains(&micro) && (5..=9).contains(&haemorrhages) && exudates >= 4 && spots <= 2);
        }
        let grades: Vec<u8> = (0..4000).map(|number| drawn(1, number, &Hospital::ALL[..3]).1).collect();
        let share = |grade: u8| grades.iter().filter(|&&g| g == grade).count() as f64 / 4000.0;
        for (grade, expected) in [(0, 0.46), (1, 0.54 * 0.23), (2, 0.54 * 0.38), (3, 0.54 * 0.39)] {
            assert!((share(grade) - expected).abs() < 0.03, "{grade}: {}", share(grade));
        }
    }

    #[test]
    fn it_is_black_outside_the_field_of_view_and_lit_within() {
        for hospital in Hospital::ALL {
            let fundus = picture(5, 1, &spec(2, hospital));
            let at = |row: usize, column: usize| &fundus.rgb[3 * (row * 64 + column)..][..3];
            for corner in [(0, 0), (0, 63), (63, 0), (63, 63)] {
                assert_eq!(at(corner.0, corner.1), [0, 0, 0]);
            }
            assert!(at(20, 32)[0] > 60, "{:?}", at(20, 32));
        }
    }

    #[test]
    fn lesions_stand_where_they_are_said_to_be() {
        // The same draws but for the lesions' size: what differs is the lesions.
        for number in 0..6 {
            let with = picture(9, number, &spec(3, Hospital::C));
            let without = picture(9, number, &FundusSpec { lesion_scale: 1e-3, ..spec(3, Hospital::C) });
            let mut all = Mask::empty(64, 64);
            with.lesions.iter().for_each(|lesion| all.add(&lesion.mask(64, 64)));
            let change = |i: usize| {
                let at = |fundus: &Fundus| f64::from(fundus.rgb[3 * i + 1]);
                (at(&with) - at(&without)).abs()
            };
            let mean = |inside: bool| {
                let places: Vec<usize> = (0..64 * 64).filter(|&i| all.pixels()[i] == inside).collect();
                places.iter().map(|&i| change(i)).sum::<f64>() / places.len() as f64
            };
            assert!(mean(true) > 15.0 && mean(false) < 3.0, "{} inside, {} outside", mean(true), mean(false));
        }
    }

    #[test]
    fn a_lesion_of_less_than_a_pixel_is_one_pixel() {
        let lesion = Lesion { kind: LesionKind::Microaneurysm, centre: [0.5, 0.999], radii: [1e-3, 1e-3] };
        let mask = lesion.mask(8, 16);
        assert_eq!((mask.area(), mask.at(7, 8)), (1, true));
    }
}
