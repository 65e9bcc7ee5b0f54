//! What a surface picture shows, as plain data. Heavy parts are shared by `Arc` and uploaded once: the renderer compares
//! their addresses.

use std::sync::Arc;

use super::camera::{Vec3, View};
use super::height_field::HeightField;
use super::trail::Segment;
use crate::scale::colormap::ColorTable;

/// Most trails in a scene; further ones are not drawn.
pub const TRAIL_LIMIT: usize = 24;

/// One picture of a surface.
#[derive(Debug, Clone)]
pub struct SurfaceScene {
    pub field: Arc<HeightField>,
    pub trails: Vec<Trail>,
    /// Trails are bold up to this step and faint beyond it.
    pub cursor: f32,
    /// Lines that change with the camera or the pointer: axes, arrows.
    pub lines: Vec<Line>,
    pub markers: Vec<Marker>,
    pub view: View,
    pub look: Look,
}

/// A path on the surface.
#[derive(Debug, Clone)]
pub struct Trail {
    pub segments: Arc<[Segment]>,
    pub style: LineStyle,
}

/// How a trail is drawn. Lengths in points.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LineStyle {
    /// sRGB-encoded, 0..=1.
    pub color: [f32; 3],
    /// Lengths of dash, gap, dash, gap; all 0: solid.
    pub dash: [f32; 4],
    /// Width of the part before the cursor.
    pub width: f32,
}

/// A straight line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Line {
    pub from: Vec3,
    pub to: Vec3,
    /// sRGB-encoded with opacity, 0..=1, not premultiplied.
    pub color: [f32; 4],
    /// Points.
    pub width: f32,
    /// Whether it lies on the surface (and is then drawn a little before it).
    pub on_surface: bool,
}

/// A round point that faces the viewer; faint where the surface hides it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Marker {
    pub at: Vec3,
    /// sRGB-encoded with opacity, 0..=1, not premultiplied.
    pub fill: [f32; 4],
    pub ring: [f32; 4],
    /// Points, the ring included.
    pub radius: f32,
    /// Points.
    pub ring_width: f32,
}

/// Colours and light of a scene, sRGB-encoded, 0..=1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Look {
    pub background: [f32; 3],
    pub colors: ColorTable,
    pub contour: [f32; 3],
    /// Opacity of the contour lines, 0..=1.
    pub contour_opacity: f32,
    /// Contour lines between height 0 and height 1; every fifth is heavier.
    pub contours: f32,
    /// Edge around the bold part of a trail, so that it shows on every height's colour.
    pub casing: [f32; 3],
    /// Share of the light that has no direction, 0..=1.
    pub ambient: f32,
    /// Opacity of the trails beyond the cursor and of those that the surface hides.
    pub ahead_opacity: f32,
    pub hidden_opacity: f32,
}

impl PartialEq for SurfaceScene {
    /// Whether both give the same picture, told from addresses for the heavy parts.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.field, &other.field)
            && self.same_trails(other)
            && self.trails.iter().zip(&other.trails).all(|(a, b)| a.style == b.style)
            && self.cursor == other.cursor
            && self.lines == other.lines
            && self.markers == other.markers
            && self.view == other.view
            && self.look == other.look
    }
}

impl SurfaceScene {
    /// Whether the trails' segments are the same ones.
    pub fn same_trails(&self, other: &Self) -> bool {
        self.trails.len() == other.trails.len()
            && self.trails.iter().zip(&other.trails).all(|(a, b)| Arc::ptr_eq(&a.segments, &b.segments))
    }
}

impl Look {
    /// Direction to the light for a view: over the viewer's left shoulder, so that slopes read alike from every side.
    pub fn light(&self, view: &View) -> Vec3 {
        let mix = |i: usize| -0.45 * view.right[i] + 0.55 * view.up[i] - 0.6 * view.forward[i];
        let v = [mix(0), mix(1), mix(2) + 0.5];
        super::camera::normalized(v)
    }
}
