//! Whether a word looks where its finding is: maps of weights over the regions of a picture against boxes.
//!
//! Places are shares of width and height, from 0 to 1, with the origin in the upper left corner.

/// A box of a finding.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Region {
    pub left: f64,
    pub top: f64,
    pub right: f64,
    pub bottom: f64,
}

impl Region {
    /// Whether a place is in the box, made wider by these shares on every side.
    fn holds(&self, [x, y]: [f64; 2], [wide, high]: [f64; 2]) -> bool {
        (self.left - wide..=self.right + wide).contains(&x) && (self.top - high..=self.bottom + high).contains(&y)
    }
}

/// What one map says of the boxes of one finding.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pointing {
    /// The region of the greatest weight, the first of equals.
    pub region: usize,
    /// Its centre lies in a box made wider by half a region.
    pub hit: bool,
    /// How often a region drawn at random would: the share of regions whose centres lie there.
    pub chance: f64,
    /// Share of the weights in regions whose centres lie there; `None` where the weights add up to nothing or some are below 0.
    pub mass: Option<f64>,
    /// (mean inside − mean outside) / √((variance inside + variance outside) / 2); `None` where one of both has no region or nothing
    /// varies.
    pub contrast_to_noise: Option<f64>,
}

/// Judges weights `[height, width]` of a grid of regions. `None` without regions, with a number of weights that is not the grid's, with a
/// weight that is no number, or without a box.
pub fn pointing(weights: &[f32], [height, width]: [usize; 2], boxes: &[Region]) -> Option<Pointing> {
    if weights.len() != height * width || weights.iter().any(|weight| !weight.is_finite()) || boxes.is_empty() {
        return None;
    }
    let half = [0.5 / width as f64, 0.5 / height as f64];
    let centre = |i: usize| [((i % width) as f64 + 0.5) / width as f64, ((i / width) as f64 + 0.5) / height as f64];
    let inside: Vec<bool> = (0..weights.len()).map(|i| boxes.iter().any(|one| one.holds(centre(i), half))).collect();
    let best = weights.iter().enumerate().reduce(|best, one| if one.1 > best.1 { one } else { best });
    let (region, _) = best?;
    let part = |which: bool| -> Vec<f64> {
        let of = weights.iter().zip(&inside).filter(|(_, inside)| **inside == which);
        of.map(|(weight, _)| f64::from(*weight)).collect()
    };
    let (within, without) = (part(true), part(false));
    let all: f64 = within.iter().chain(&without).sum();
    let proper = all > 0.0 && weights.iter().all(|weight| *weight >= 0.0);
    Some(Pointing {
        region,
        hit: inside.get(region).copied().unwrap_or(false),
        chance: within.len() as f64 / weights.len() as f64,
        mass: proper.then(|| within.iter().sum::<f64>() / all),
        contrast_to_noise: contrast_to_noise(&within, &without),
    })
}

fn contrast_to_noise(inside: &[f64], outside: &[f64]) -> Option<f64> {
    let moments = |of: &[f64]| {
        let mean = of.iter().sum::<f64>() / of.len() as f64;
        (mean, of.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / of.len() as f64)
    };
    if inside.is_empty() || outside.is_empty() {
        return None;
    }
    let ((mean_in, variance_in), (mean_out, variance_out)) = (moments(inside), moments(outside));
    let pooled = ((variance_in + variance_out) / 2.0).sqrt();
    (pooled > 0.0).then(|| (mean_in - mean_out) / pooled)
}

/// The pointing game over some findings.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Game {
    pub findings: usize,
    pub hits: usize,
    /// Mean over the findings that have the number, as the others of this type; `None` without any.
    pub chance: Option<f64>,
    pub mass: Option<f64>,
    pub contrast_to_noise: Option<f64>,
}

impl Game {
    /// Of one judgement for each finding.
    pub fn of(findings: &[Pointing]) -> Self {
        let mean = |numbers: Vec<f64>| {
            let count = numbers.len();
            (count > 0).then(|| numbers.into_iter().sum::<f64>() / count as f64)
        };
        Self {
            findings: findings.len(),
            hits: findings.iter().filter(|finding| finding.hit).count(),
            chance: mean(findings.iter().map(|finding| finding.chance).collect()),
            mass: mean(findings.iter().filter_map(|finding| finding.mass).collect()),
            contrast_to_noise: mean(findings.iter().filter_map(|finding| finding.contrast_to_noise).collect()),
        }
    }

    /// Share of hits; `None` without any finding.
    pub fn accuracy(&self) -> Option<f64> {
        (self.findings > 0).then(|| self.hits as f64 / self.findings as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_centre_counts_and_boxes_are_half_a_region_wider() {
        // Centres of a 4×4 grid lie at 1/8, 3/8, 5/8, 7/8; the box reaches 3/8 only when wider by 1/8.
        let corner = Region { left: 0.0, top: 0.0, right: 0.25, bottom: 0.2 };
        let judge = |at: usize| {
            let mut weights = [0.0_f32; 16];
            weights[at] = 1.0;
            pointing(&weights, [4, 4], &[corner]).unwrap()
        };
        let found = judge(1);
        assert_eq!((found.hit, found.region, found.chance, found.mass), (true, 1, 2.0 / 16.0, Some(1.0)));
        assert!(!judge(2).hit && !judge(4).hit && judge(0).hit);
        let even = pointing(&[1.0; 16], [4, 4], &[corner]).unwrap();
        assert_eq!((even.mass, even.contrast_to_noise, even.region), (Some(0.125), None, 0));
        assert_eq!(pointing(&[1.0; 15], [4, 4], &[corner]), None);
        assert_eq!(pointing(&[1.0; 16], [4, 4], &[]), None);
    }

    #[test]
    fn contrast_is_told_in_units_of_the_noise() {
        let left = Region { left: 0.0, top: 0.0, right: 0.3, bottom: 1.0 };
        let found = pointing(&[3.0, 0.0, 5.0, 2.0], [2, 2], &[left]).unwrap();
        assert_eq!(found.contrast_to_noise, Some(3.0));
        let game = Game::of(&[found, pointing(&[0.0, 3.0, 0.0, 3.0], [2, 2], &[left]).unwrap()]);
        assert_eq!((game.hits, game.findings, game.chance, game.mass), (1, 2, Some(0.5), Some(0.4)));
    }
}
