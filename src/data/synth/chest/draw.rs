//! Draws a figure: layers of soft shapes, brightest where most is in the beam's way.

use std::f64::consts::PI;

use super::{APEX, BASE, Figure, HEART, HEART_HEIGHT, Kind, LUNG, LUNG_MIDDLE, Placed, Side, size};
use crate::compute::streams;

/// Standard deviation of the noise of a pixel.
const NOISE: f64 = 0.03;
/// Half the width of a heart that is not enlarged.
const HEART_WIDTH: f64 = 0.13;
/// Softness of edges, in widths of the picture.
const SOFT: f64 = 0.012;

/// Grey levels of a figure from 0 to 1, `[size, size]`.
pub fn draw(figure: &Figure, size: usize) -> Vec<f32> {
    // A seed of its own, drawn with the figure.
    let mut rng = streams::ALONE.open(figure.noise, 0);
    let place = |i: usize| (i as f64 + 0.5) / size as f64;
    let heart = figure.findings.iter().find(|finding| finding.kind == Kind::Cardiomegaly);
    let heart = heart.map_or(HEART_WIDTH, |found| super::size(Kind::Cardiomegaly, found.severity));
    let mut levels = Vec::with_capacity(size * size);
    for row in 0..size {
        for column in 0..size {
            let (x, y) = (place(column) - figure.shift[0], place(row) - figure.shift[1]);
            let mut level = chest(x, y, figure.scale, heart);
            for finding in &figure.findings {
                level += shade(finding, x, y, figure.scale);
            }
            let level = level * figure.gain + figure.offset + NOISE * rng.normal();
            levels.push(level.clamp(0.0, 1.0) as f32);
        }
    }
    levels
}

/// From 0 (below) to 1 (above), with an edge of this softness.
fn step(value: f64, soft: f64) -> f64 {
    1.0 / (1.0 + (-value / soft).exp())
}

/// Covered by an ellipse with these half-axes, softly.
fn ellipse(x: f64, y: f64, rx: f64, ry: f64, soft: f64) -> f64 {
    step((1.0 - (x / rx).hypot(y / ry)) * rx.min(ry), soft)
}

/// Shoulders and flanks: squarer above its middle than an ellipse.
fn trunk(u: f64, v: f64) -> f64 {
    let power: f64 = if v < 0.0 { 3.0 } else { 2.0 };
    let radius = (u.abs().powf(power) + v.abs().powf(power)).powf(1.0 / power);
    step((1.0 - radius) * 0.46, 0.02)
}

/// A soft line along the zeros of `value`.
fn bump(value: f64, width: f64) -> f64 {
    (-(value / width).powi(2)).exp()
}

/// The lung of a side: an ellipse above its middle, squarer below, cut off by the dome of the diaphragm.
fn lung(side: Side, x: f64, y: f64, scale: f64) -> f64 {
    let (u, v) = ((x - side.centre()) / (LUNG[0] * scale), (y - LUNG_MIDDLE) / (LUNG[1] * scale));
    let power: f64 = if v > 0.0 { 3.4 } else { 2.1 };
    let radius = (u.abs().powf(power) + v.abs().powf(power)).powf(1.0 / power);
    let inside = step((1.0 - radius) * LUNG[0] * scale, SOFT);
    let outward = outward(side, x);
    let dome = BASE - 0.035 + 0.03 * (outward + 0.2).powi(2);
    inside * step(dome - y, SOFT)
}

/// From -1 at the inner to 1 at the outer edge of a lung.
fn outward(side: Side, x: f64) -> f64 {
    let sign = if side == Side::Right { -1.0 } else { 1.0 };
    sign * (x - side.centre()) / LUNG[0]
}

/// A chest without findings; `heart`: half the width of its shadow.
fn chest(x: f64, y: f64, scale: f64, heart: f64) -> f64 {
    let middle = x - 0.5;
    let trunk = trunk(middle / (0.46 * scale), (y - 0.62) / (0.50 * scale));
    let neck = step(0.12 + 0.9 * (y - 0.04).max(0.0) - middle.abs(), 0.02) * step(0.25 - y, 0.03);
    let body = trunk.max(neck);
    let lungs: f64 = Side::ALL.iter().map(|side| lung(*side, x, y, scale)).sum();
    let mut level = 0.04 + 0.44 * body - 0.36 * lungs;
    level += body * (0.9 * lungs + 0.25).min(1.0) * ribs(middle, y);
    level += 0.10 * body * collar_bones(middle, y);
    // Spine and great vessels, with the air of the windpipe in them.
    level += body * bump(middle, 0.06) * (0.07 + 0.03 * (2.0 * PI * y / 0.07).sin());
    level -= 0.16 * bump(middle + 0.005, 0.022) * step(0.36 - y, 0.02) * step(y - 0.02, 0.02);
    level += 0.14 * ellipse(middle - 0.055, y - 0.36, 0.06, 0.06, 0.012);
    // Before the spine it adds less than before a lung.
    level += 0.36 * (0.4 + 0.6 * lungs) * ellipse(x - HEART[0], y - HEART[1], heart, HEART_HEIGHT, SOFT);
    // Vessels fan out from the middle of the lungs.
    for side in Side::ALL {
        let root = side.centre() + if side == Side::Right { 0.085 } else { -0.085 };
        level += 0.07 * lungs * bump((x - root).hypot(0.6 * (y - 0.50)), 0.075);
    }
    level
}

/// Six pairs of ribs that fall outwards, faint.
fn ribs(middle: f64, y: f64) -> f64 {
    let sag = 0.55 * middle * middle + 0.10 * middle.abs();
    (0..6).map(|k| 0.045 * bump(y - (0.20 + 0.09 * f64::from(k) + sag), 0.013)).sum()
}

fn collar_bones(middle: f64, y: f64) -> f64 {
    let line = 0.215 - 0.22 * (middle.abs() - 0.05);
    bump(y - line, 0.014) * step(middle.abs() - 0.06, 0.01) * step(0.33 - middle.abs(), 0.02)
}

/// What a finding adds to the brightness at a place.
fn shade(finding: &Placed, x: f64, y: f64, scale: f64) -> f64 {
    let size = size(finding.kind, finding.severity);
    let Some(side) = finding.side() else { return 0.0 };
    let distance = (x - finding.centre[0]).hypot(y - finding.centre[1]);
    match finding.kind {
        Kind::Cardiomegaly => 0.0,
        Kind::Effusion => {
            // It stands higher at the chest wall: a meniscus.
            let level = BASE - size + 0.035 * (1.0 - outward(side, x).clamp(-1.0, 1.0)).powi(2) / 2.0;
            let around = ellipse(x - side.centre(), y - LUNG_MIDDLE, (LUNG[0] + 0.01) * scale, 0.32 * scale, SOFT);
            0.36 * step(y - level, SOFT) * step(BASE + 0.01 - y, SOFT) * lung(side, x, y, scale).max(0.5 * around)
        }
        Kind::Pneumothorax => {
            // No vessels or ribs' haze above the edge of the collapsed lung, which is a thin bright line.
            let edge = APEX + size - 0.6 * (x - side.centre()).powi(2) * outward(side, x).signum();
            let lung = lung(side, x, y, scale);
            lung * (0.25 * bump(y - edge, 0.012) - 0.16 * step(edge - y, SOFT))
        }
        Kind::Opacity => 0.30 * (-(distance / size).powi(3)).exp(),
        Kind::Nodule => 0.42 * step(size - distance, 0.004),
    }
}
