//! Generated studies of the chest: a schematic picture, a report in words, and where in the picture each finding of the report is.
//! They show no patient.
//!
//! As in radiology the patient's right side is at the left of the picture. All places are in widths and heights of the picture, from
//! its left upper corner, so that a study looks the same at every size.

mod draw;
mod inference;
mod words;

pub use draw::draw;
pub use inference::nli_pair;
pub use words::{Mention, normalised, report_of};

use crate::compute::rng::HostRng;
use crate::compute::streams;

/// Shares of studies with mild and with severe cardiomegaly.
const CARDIOMEGALY: [f64; 2] = [0.2, 0.15];
/// Share of studies without any finding beside the heart, and of those with at most one; the others have two.
const AT_MOST: [f64; 2] = [0.25, 0.75];
/// Half the width of a lung, and half its height.
const LUNG: [f64; 2] = [0.155, 0.30];
/// Height of the middle of the lungs.
const LUNG_MIDDLE: f64 = 0.47;
/// Place of the middle of the heart, and half its height.
const HEART: [f64; 2] = [0.54, 0.63];
const HEART_HEIGHT: f64 = 0.14;
/// The lower and the upper end of the lungs where effusions and pneumothoraces lie.
const BASE: f64 = 0.77;
const APEX: f64 = 0.17;
/// Half the side of the smallest box of an opacity or a nodule.
const LEAST_BOX: f64 = 0.05;

/// What may be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Cardiomegaly,
    Effusion,
    Pneumothorax,
    Opacity,
    Nodule,
}

impl Kind {
    /// In the order of [`Study::labels`].
    pub const ALL: [Kind; 5] = [Kind::Cardiomegaly, Kind::Effusion, Kind::Pneumothorax, Kind::Opacity, Kind::Nodule];

    /// The word of a report that stands for it, normalised.
    pub fn id(self) -> &'static str {
        match self {
            Kind::Cardiomegaly => "cardiomegaly",
            Kind::Effusion => "effusion",
            Kind::Pneumothorax => "pneumothorax",
            Kind::Opacity => "opacity",
            Kind::Nodule => "nodule",
        }
    }

    /// As it is titled on screen.
    pub fn title(self) -> &'static str {
        match self {
            Kind::Cardiomegaly => "Cardiomegaly",
            Kind::Effusion => "Pleural effusion",
            Kind::Pneumothorax => "Pneumothorax",
            Kind::Opacity => "Opacity",
            Kind::Nodule => "Nodule",
        }
    }

    /// What it may be called besides, from little to much; of a nodule both are of one size.
    pub fn severities(self) -> &'static [Severity] {
        match self {
            Kind::Cardiomegaly => &[Severity::Mild, Severity::Severe],
            Kind::Effusion => &[Severity::Small, Severity::Moderate, Severity::Large],
            Kind::Pneumothorax | Kind::Opacity => &[Severity::Small, Severity::Large],
            Kind::Nodule => &[Severity::Small, Severity::Round],
        }
    }

    /// Whether it lies on one side: all but the heart.
    pub fn has_side(self) -> bool {
        self != Kind::Cardiomegaly
    }

    /// Whether its height in the lung is told: of opacities and nodules.
    pub fn has_zone(self) -> bool {
        matches!(self, Kind::Opacity | Kind::Nodule)
    }
}

/// How much there is of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Severity {
    Mild,
    Small,
    Round,
    Moderate,
    Large,
    Severe,
}

impl Severity {
    /// Its word in a report.
    pub fn word(self) -> &'static str {
        match self {
            Severity::Mild => "mild",
            Severity::Small => "small",
            Severity::Round => "round",
            Severity::Moderate => "moderate",
            Severity::Large => "large",
            Severity::Severe => "severe",
        }
    }
}

/// A side of the patient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// At the left of the picture.
    Right,
    /// At the right of the picture.
    Left,
}

impl Side {
    pub const ALL: [Side; 2] = [Side::Right, Side::Left];

    /// Its word in a report.
    pub fn word(self) -> &'static str {
        match self {
            Side::Right => "right",
            Side::Left => "left",
        }
    }

    pub fn other(self) -> Side {
        match self {
            Side::Right => Side::Left,
            Side::Left => Side::Right,
        }
    }

    /// Middle of the lung of this side, from the left of the picture.
    fn centre(self) -> f64 {
        match self {
            Side::Right => 0.31,
            Side::Left => 0.69,
        }
    }
}

/// A third of a lung.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Zone {
    Upper,
    Middle,
    Lower,
}

impl Zone {
    pub const ALL: [Zone; 3] = [Zone::Upper, Zone::Middle, Zone::Lower];

    /// Its word in a report.
    pub fn word(self) -> &'static str {
        match self {
            Zone::Upper => "upper",
            Zone::Middle => "middle",
            Zone::Lower => "lower",
        }
    }

    /// The height around which its findings lie.
    fn centre(self) -> f64 {
        match self {
            Zone::Upper => 0.30,
            Zone::Middle => 0.48,
            Zone::Lower => 0.64,
        }
    }

    /// The zone whose centre is next.
    fn at(y: f64) -> Zone {
        let between = |a: Zone, b: Zone| (a.centre() + b.centre()) / 2.0;
        match y {
            y if y < between(Zone::Upper, Zone::Middle) => Zone::Upper,
            y if y < between(Zone::Middle, Zone::Lower) => Zone::Middle,
            _ => Zone::Lower,
        }
    }
}

/// A finding that is put into a picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Placed {
    pub kind: Kind,
    /// One of [`Kind::severities`].
    pub severity: Severity,
    /// Where it is dropped, x and y from 0 to 1. An opacity or a nodule lies there; of an effusion or a pneumothorax only the side
    /// counts, since it lies at the base or the apex; of the heart nothing.
    pub centre: [f64; 2],
}

impl Placed {
    /// The patient's side on which it lies, if it lies on one.
    pub fn side(&self) -> Option<Side> {
        self.kind.has_side().then_some(if self.centre[0] < 0.5 { Side::Right } else { Side::Left })
    }
}

/// Everything that a picture and its report are made of. Change a finding and draw again: all else stays as it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// How far the figure is shifted, x and y, each within ±0.02. Findings are shifted with it.
    pub shift: [f64; 2],
    /// Size of body and lungs, 0.95 to 1.05.
    pub scale: f64,
    /// Contrast, 0.9 to 1.1, and brightness, ±0.03.
    pub gain: f64,
    pub offset: f64,
    /// Seed of the noise of each pixel.
    pub noise: u64,
    /// Seed of the choice and the order of sentences.
    pub wording: u64,
    /// At most one of a kind; no two but the heart's on one side.
    pub findings: Vec<Placed>,
}

/// A finding as a report tells it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Finding {
    pub kind: Kind,
    pub severity: Severity,
    pub side: Option<Side>,
    pub zone: Option<Zone>,
    /// `[x0, y0, x1, y1]` from 0 to 1.
    pub bounds: [f32; 4],
}

impl Figure {
    /// Draws a figure by chance. The heart is enlarged in 35 of 100 studies; 0, 1 or 2 further findings of different kinds lie on
    /// different sides with probability 1/4, 1/2, 1/4.
    pub fn by_chance(rng: &mut HostRng) -> Self {
        let (shift, scale) = ([rng.between(-0.02, 0.02), rng.between(-0.02, 0.02)], rng.between(0.95, 1.05));
        let (gain, offset) = (rng.between(0.9, 1.1), rng.between(-0.03, 0.03));
        let (noise, wording) = (rng.bits(), rng.bits());
        let mut findings = Vec::new();
        let heart = rng.uniform();
        if heart < CARDIOMEGALY[0] + CARDIOMEGALY[1] {
            let severity = if heart < CARDIOMEGALY[0] { Severity::Mild } else { Severity::Severe };
            findings.push(Placed { kind: Kind::Cardiomegaly, severity, centre: HEART });
        }
        let count = rng.uniform();
        let count = AT_MOST.iter().filter(|&&most| count >= most).count();
        let mut kinds = [Kind::Effusion, Kind::Pneumothorax, Kind::Opacity, Kind::Nodule];
        rng.shuffle(&mut kinds);
        let mut side = Side::ALL[rng.below(2)];
        for kind in kinds.into_iter().take(count) {
            findings.push(placed(rng, kind, side));
            side = side.other();
        }
        Self { shift, scale, gain, offset, noise, wording, findings }
    }

    /// What a report tells of each finding, in their order.
    pub fn told(&self) -> Vec<Finding> {
        self.findings.iter().map(|placed| self.tell(placed)).collect()
    }

    /// Whether each kind of [`Kind::ALL`] is there.
    pub fn labels(&self) -> [bool; 5] {
        Kind::ALL.map(|kind| self.findings.iter().any(|finding| finding.kind == kind))
    }

    /// Whether a finding may be added or put there: no other of its kind, and none on its side.
    pub fn has_room_for(&self, placed: &Placed) -> bool {
        let in_the_way =
            |other: &Placed| other.kind == placed.kind || placed.side().is_some() && other.side() == placed.side();
        !self.findings.iter().any(in_the_way)
    }

    fn tell(&self, placed: &Placed) -> Finding {
        let Placed { kind, severity, centre } = *placed;
        let [dx, dy] = self.shift;
        let (side, size) = (placed.side(), size(kind, severity));
        let lung = side.map_or(0.5, Side::centre) + dx;
        let of_lung = |top: f64, bottom: f64| [lung - LUNG[0], top + dy, lung + LUNG[0], bottom + dy];
        let bounds = match kind {
            Kind::Cardiomegaly => {
                let [x, y] = [HEART[0] + dx, HEART[1] + dy];
                [x - size, y - HEART_HEIGHT, x + size, y + HEART_HEIGHT]
            }
            Kind::Effusion => of_lung(BASE - size, BASE + 0.01),
            Kind::Pneumothorax => of_lung(APEX - 0.02, APEX + 0.02 + size),
            Kind::Opacity | Kind::Nodule => {
                let ([x, y], half) = ([centre[0] + dx, centre[1] + dy], size.max(LEAST_BOX));
                [x - half, y - half, x + half, y + half]
            }
        };
        let zone = kind.has_zone().then(|| Zone::at(centre[1]));
        Finding { kind, severity, side, zone, bounds: bounds.map(|edge| edge.clamp(0.0, 1.0) as f32) }
    }
}

/// Half the width of a heart, the height of an effusion or a pneumothorax, the radius of an opacity or a nodule.
fn size(kind: Kind, severity: Severity) -> f64 {
    match (kind, severity) {
        (Kind::Cardiomegaly, Severity::Severe) => 0.215,
        (Kind::Cardiomegaly, _) => 0.17,
        (Kind::Effusion, Severity::Large) => 0.28,
        (Kind::Effusion, Severity::Moderate) => 0.17,
        (Kind::Effusion, _) => 0.09,
        (Kind::Pneumothorax, Severity::Large) => 0.20,
        (Kind::Pneumothorax, _) => 0.10,
        (Kind::Opacity, Severity::Large) => 0.095,
        (Kind::Opacity, _) => 0.06,
        (Kind::Nodule, _) => 0.032,
    }
}

/// A finding of this kind on this side, by chance.
fn placed(rng: &mut HostRng, kind: Kind, side: Side) -> Placed {
    let severities = kind.severities();
    let severity = severities[rng.below(severities.len())];
    let y = match kind {
        Kind::Opacity | Kind::Nodule => Zone::ALL[rng.below(3)].centre() + rng.between(-0.02, 0.02),
        _ => LUNG_MIDDLE,
    };
    let x = side.centre() + if kind.has_zone() { rng.between(-0.04, 0.04) } else { 0.0 };
    Placed { kind, severity, centre: [x, y] }
}

/// A generated study.
#[derive(Debug, Clone, PartialEq)]
pub struct Study {
    pub figure: Figure,
    /// Grey, `[size, size]`.
    pub image: Vec<u8>,
    /// Sentences, each with a capital and a full stop.
    pub report: String,
    /// The words of the report that name a finding.
    pub mentions: Vec<Mention>,
    pub findings: Vec<Finding>,
    /// Whether each kind of [`Kind::ALL`] is there.
    pub labels: [bool; 5],
}

impl Study {
    /// Draws and describes a figure.
    pub fn of(figure: Figure, size: usize) -> Self {
        let (report, mentions) = report_of(&figure);
        let image = draw(&figure, size).into_iter().map(|level| (255.0 * level).round() as u8).collect();
        Self { image, report, mentions, findings: figure.told(), labels: figure.labels(), figure }
    }
}

/// Study `number` of a seed at this side in pixels; `number` is below 2³⁹. It does not depend on any other, and at another size it
/// is the same study with other noise.
pub fn study(seed: u64, number: u64, size: usize) -> Study {
    Study::of(Figure::by_chance(&mut streams::CHEST.open(seed, number)), size)
}

#[cfg(test)]
mod tests;
