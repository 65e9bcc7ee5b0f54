//! The ways of making views that the labs train with. Their order of draws is that of recorded runs.

use super::{Crop, Group, Step, View};
use crate::compute::rng::HostRng;
use crate::data::images::Moments;
use crate::pixels::resize::Size;
use crate::pixels::warp::Border;

/// A way of making views for self-supervised learning.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Recipe {
    pub kind: RecipeKind,
    /// Smallest share of the picture's area that a crop keeps; the largest is 1.
    pub crop_min: f64,
    pub strengths: Strengths,
    /// What normalisation takes out; `None`: the recipe's own.
    pub normalised_by: Option<Moments>,
}

/// How strong a recipe's steps are and how often they happen; a chance is a probability.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Strengths {
    /// Factor of what brightness, contrast, saturation and hue may change: 0 nothing, 1 the recipe.
    pub jitter: f64,
    /// Of changing the colours of a colour picture; shapes are always changed.
    pub jitter_chance: f64,
    pub flip_chance: f64,
    /// Colour pictures alone.
    pub grey_chance: f64,
    /// Shapes alone.
    pub invert_chance: f64,
    /// Standard deviation; shapes alone.
    pub noise: f64,
    /// Of a blur by U(0.1, 2) pixels, and of solarising: in BYOL's and SimSiam's recipes for large pictures, in none of these.
    pub blur_chance: f64,
    pub solarise_chance: f64,
}

impl Strengths {
    /// The recipes as they are.
    pub const PUBLISHED: Self = Self {
        jitter: 1.0,
        jitter_chance: 0.8,
        flip_chance: 0.5,
        grey_chance: 0.2,
        invert_chance: 0.5,
        noise: 0.05,
        blur_chance: 0.0,
        solarise_chance: 0.0,
    };
}

/// The three recipes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecipeKind {
    /// For the generated shapes: crop, flip, inversion, brightness, contrast, noise; normalised by (x − 0.5)/0.25.
    Shapes,
    /// For colour pictures as torchvision does it: bilinear crop in whole pixels with ten tries, flip, colour jitter with
    /// probability 0.8 in random order and clamped to [0, 1], grey with probability 0.2; normalised with CIFAR's
    /// moments.
    Torchvision,
    /// As [`RecipeKind::Torchvision`] in the replication's code: bicubic crop without rejection, jitter in fixed order,
    /// brightness not clamped.
    Replication,
}

impl Recipe {
    /// As it is.
    pub fn new(kind: RecipeKind, crop_min: f64) -> Self {
        Self { kind, crop_min, strengths: Strengths::PUBLISHED, normalised_by: None }
    }

    /// In words for a checkpoint. What older versions could make is said as they said it, so that their checkpoints fit.
    pub fn fingerprint(&self) -> String {
        let Self { kind, crop_min, strengths, normalised_by } = self;
        let mut text = format!("Recipe {{ kind: {kind:?}, crop_min: {crop_min:?} }}");
        if *strengths != Strengths::PUBLISHED {
            text += &format!(" with {strengths:?}");
        }
        if let Some(moments) = normalised_by {
            text += &format!(" normalised by {moments:?}");
        }
        text
    }

    /// Mean and standard deviation of a channel that normalisation takes out.
    pub fn moments(&self, channel: usize) -> (f32, f32) {
        match (self.normalised_by, self.kind) {
            (Some(moments), _) => moments.of(channel),
            (None, RecipeKind::Shapes) => (0.5, 0.25),
            (None, _) => Moments::CIFAR.of(channel),
        }
    }

    /// Normalises a picture without augmentation, `[C, H, W]` bytes to numbers.
    pub fn normalise(&self, image: &[u8], channels: usize, out: &mut [f32]) {
        let plane = image.len() / channels;
        for (i, (out, &byte)) in out.iter_mut().zip(image).enumerate() {
            let (mean, std) = self.moments(i / plane);
            *out = (f32::from(byte) / 255.0 - mean) / std;
        }
    }

    /// Whether it makes sense of colour pictures alone.
    pub fn needs_colour(&self) -> bool {
        self.groups().iter().flat_map(|group| &group.steps).any(|(_, step)| step.needs_colour())
    }

    /// What may be done.
    pub fn groups(&self) -> Vec<Group> {
        let (least, by) = (self.crop_min, self.strengths);
        let factor = [(1.0 - 0.4 * by.jitter).max(0.0), 1.0 + 0.4 * by.jitter];
        let clamp = self.kind == RecipeKind::Torchvision;
        let how = match self.kind {
            RecipeKind::Shapes => Crop::Anywhere,
            RecipeKind::Torchvision => Crop::Tries,
            RecipeKind::Replication => Crop::Clipped,
        };
        let mut groups =
            vec![Group::one(1.0, Step::Crop { least, how }), Group::one(by.flip_chance, Step::FlipHorizontal)];
        if self.kind == RecipeKind::Shapes {
            groups.extend([
                Group::one(by.invert_chance, Step::Invert),
                Group::one(1.0, Step::Brightness { factor, clamp }),
                Group::one(1.0, Step::Contrast { factor, clamp }),
            ]);
        } else {
            let steps = [
                Step::Brightness { factor, clamp },
                Step::Contrast { factor, clamp: true },
                Step::Saturation { factor },
                Step::Hue { shift: [-0.1 * by.jitter, 0.1 * by.jitter] },
            ];
            let steps = steps.map(|step| (1.0, step)).to_vec();
            groups.push(Group { chance: by.jitter_chance, steps, shuffled: clamp });
            groups.push(Group::one(by.grey_chance, Step::Grey));
        }
        // What cannot happen throws no dice, so that views are those of recorded runs.
        for (chance, step) in [(by.blur_chance, Step::Blur { sigma: [0.1, 2.0] }), (by.solarise_chance, Step::Solarise)]
        {
            if chance > 0.0 {
                groups.push(Group::one(chance, step));
            }
        }
        if self.kind == RecipeKind::Shapes {
            groups.push(Group::one(1.0, Step::Noise { std: by.noise }));
        }
        groups
    }

    /// Makes one view of a picture `[C, H, W]` by these groups, normalised, of the same size; returns what it was made with.
    pub fn view(&self, groups: &[Group], image: &[u8], shape: [usize; 3], rng: &mut HostRng, out: &mut [f32]) -> View {
        let [channels, height, width] = shape;
        let size = Size { height, width };
        let view = View::draw(groups, size, rng);
        let source: Vec<f32> = image.iter().map(|&byte| f32::from(byte) / 255.0).collect();
        out.copy_from_slice(&view.image(&source, size));
        for (channel, plane) in out.chunks_exact_mut(size.pixels()).enumerate().take(channels) {
            let (mean, std) = self.moments(channel);
            super::pixels::normalise(plane, mean, std);
        }
        view
    }
}

/// Views of an image together with its mask, as the light U-Nets are trained: each flip with probability 1/2; with
/// probability 1/2 scales of U(0.8, 1.2) along x and y, shifts of U(−0.2, 0.2) of the size, a turn of U(−45°, 45°) and a
/// shear of U(−16°, 16°), with one of five borders; all in random order.
pub fn pairs() -> Vec<Group> {
    const BORDERS: &[Border] = &[Border::Constant(0.0), Border::Edge, Border::Symmetric, Border::Reflect, Border::Wrap];
    let affine = Step::Affine { scale: [0.8, 1.2], translate: 0.2, rotate: 45.0, shear: 16.0, borders: BORDERS };
    let steps = [Step::FlipHorizontal, Step::FlipVertical, affine].map(|step| (0.5, step));
    vec![Group { chance: 1.0, steps: steps.to_vec(), shuffled: true }]
}
