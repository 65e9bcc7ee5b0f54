//! The camera that looks at the box of a surface plot: pure functions between the box, the screen and rays, shared by the
//! wgpu renderer, the painter's fallback, the axis labels and picking.
//!
//! Box coordinates: x and y in -1..=1, z up in -[`HALF_HEIGHT`]..=[`HALF_HEIGHT`], right-handed.

/// A point or direction in box coordinates.
pub type Vec3 = [f32; 3];

/// Half of the box's height; half of its width and depth is 1.
pub const HALF_HEIGHT: f32 = 0.55;

/// Lowest and highest pitch in radians: never under the floor, never past the pole.
pub const PITCH_LIMITS: [f32; 2] = [0.02, 1.55];

/// Least and greatest [`Camera::zoom`].
pub const ZOOM_LIMITS: [f32; 2] = [0.4, 12.0];

/// Tangent of half the vertical field of view (32 degrees): little perspective, as in a printed figure.
const TAN_HALF_FOV: f32 = 0.2867;

/// Distance of the nearest visible thing, in box units.
const NEAR: f32 = 0.05;

/// Where one stands. The default shows the box from a corner, a little from above: x runs to the right, y away.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Camera {
    /// Direction from the target to the eye, around z, radians; 0 is +x, a quarter turn is +y.
    pub yaw: f32,
    /// Elevation of the eye above the horizon, radians, within [`PITCH_LIMITS`].
    pub pitch: f32,
    /// 1 shows the whole box; greater is nearer, within [`ZOOM_LIMITS`].
    pub zoom: f32,
    /// What the eye looks at, within the box.
    pub target: Vec3,
}

impl Default for Camera {
    fn default() -> Self {
        Self { yaw: std::f32::consts::TAU - 1.08, pitch: 0.58, zoom: 1.0, target: [0.0, 0.0, 0.0] }
    }
}

impl Camera {
    /// Turns around the target, by radians, within the limits.
    pub fn orbit(&mut self, yaw: f32, pitch: f32) {
        self.yaw = (self.yaw + yaw).rem_euclid(std::f32::consts::TAU);
        self.pitch = (self.pitch + pitch).clamp(PITCH_LIMITS[0], PITCH_LIMITS[1]);
    }

    /// Moves nearer (`factor` above 1) or farther, within the limits.
    pub fn zoom_by(&mut self, factor: f32) {
        if factor.is_finite() && factor > 0.0 {
            self.zoom = (self.zoom * factor).clamp(ZOOM_LIMITS[0], ZOOM_LIMITS[1]);
        }
    }

    /// Moves the target so that the picture follows the pointer by `delta` (in the unit of the view's size, y down). The
    /// target stays within the box.
    pub fn pan(&mut self, view: &View, delta: [f32; 2]) {
        let scale = 1.0 / view.pixels_per_unit();
        for i in 0..3 {
            let limit = if i == 2 { HALF_HEIGHT } else { 1.0 };
            let moved = self.target[i] - scale * (delta[0] * view.right[i] - delta[1] * view.up[i]);
            self.target[i] = moved.clamp(-limit, limit);
        }
    }

    /// The view for a picture of this size. At zoom 1 and the default direction the box keeps `margin` (same unit as
    /// `size`) free on every side; turning does not change the distance, so that nothing pumps.
    pub fn view(&self, size: [f32; 2], margin: f32) -> View {
        let size = [size[0].max(1.0), size[1].max(1.0)];
        let room = [0, 1].map(|i| (1.0 - 2.0 * margin / size[i]).clamp(0.4, 1.0));
        let (distance, centre) = fit(size[0] / size[1], room);
        let distance = distance / self.zoom;
        let basis = Basis::new(self.yaw, self.pitch);
        let eye = [0, 1, 2].map(|i| self.target[i] - distance * basis.forward[i]);
        let Basis { right, up, forward } = basis;
        View { eye, right, up, forward, distance, centre, size }
    }
}

/// Distance, and place of the target on the screen (-1..=1, y up), at which the box fills the shares `room` of the width
/// and the height, seen from the default direction.
fn fit(aspect: f32, room: [f32; 2]) -> (f32, [f32; 2]) {
    let standard = Basis::new(Camera::default().yaw, Camera::default().pitch);
    let focal = [1.0 / (TAN_HALF_FOV * aspect), 1.0 / TAN_HALF_FOV];
    // Low and high end on the screen of what is seen from a distance.
    let span = |distance: f32, axis: usize| {
        let along = if axis == 0 { standard.right } else { standard.up };
        box_corners().fold([f32::INFINITY, f32::NEG_INFINITY], |[low, high], corner| {
            let at = focal[axis] * dot(along, corner) / (distance + dot(standard.forward, corner));
            [low.min(at), high.max(at)]
        })
    };
    let fits = |distance: f32| {
        (0..2).all(|axis| {
            let [low, high] = span(distance, axis);
            high - low <= 2.0 * room[axis]
        })
    };
    let (mut near, mut far) = (2.0_f32, 200.0_f32);
    for _ in 0..32 {
        let middle = 0.5 * (near + far);
        if fits(middle) { far = middle } else { near = middle }
    }
    let centre = [0, 1].map(|axis| {
        let [low, high] = span(far, axis);
        -0.5 * (low + high)
    });
    (far, centre)
}

/// The eight corners of the box.
pub fn box_corners() -> impl Iterator<Item = Vec3> {
    (0..8).map(|i| {
        let sign = |bit: i32| if i & bit == 0 { -1.0 } else { 1.0 };
        [sign(1), sign(2), sign(4) * HALF_HEIGHT]
    })
}

/// A camera for one picture: everything that projecting needs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct View {
    pub eye: Vec3,
    pub right: Vec3,
    pub up: Vec3,
    /// From the eye to the target.
    pub forward: Vec3,
    /// From the eye to the target, box units.
    pub distance: f32,
    /// Where the target is on the screen, -1..=1, y up: a little off the middle, so that the box is centred.
    pub centre: [f32; 2],
    /// Width and height of the picture.
    pub size: [f32; 2],
}

/// A half-line in box coordinates; `direction` has length 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ray {
    pub origin: Vec3,
    pub direction: Vec3,
}

struct Basis {
    right: Vec3,
    up: Vec3,
    forward: Vec3,
}

impl Basis {
    fn new(yaw: f32, pitch: f32) -> Self {
        let ((sin_yaw, cos_yaw), (sin_pitch, cos_pitch)) = (yaw.sin_cos(), pitch.sin_cos());
        Self {
            right: [-sin_yaw, cos_yaw, 0.0],
            up: [-sin_pitch * cos_yaw, -sin_pitch * sin_yaw, cos_pitch],
            forward: [-cos_pitch * cos_yaw, -cos_pitch * sin_yaw, -sin_pitch],
        }
    }
}

impl View {
    /// The same view at another resolution of the same picture.
    pub fn with_size(self, size: [f32; 2]) -> Self {
        Self { size: [size[0].max(1.0), size[1].max(1.0)], ..self }
    }

    /// Lengths on the screen per box unit at the target's distance.
    pub fn pixels_per_unit(&self) -> f32 {
        0.5 * self.size[1] / (TAN_HALF_FOV * self.distance)
    }

    /// Matrix from box coordinates to clip space (depth 0..=1), as four columns.
    pub fn clip_from_box(&self) -> [[f32; 4]; 4] {
        let focal = 1.0 / TAN_HALF_FOV;
        let far = self.distance + 8.0;
        let scale = far / (far - NEAR);
        let aspect = self.size[0] / self.size[1];
        let row = |axis: Vec3, by: f32| [axis[0] * by, axis[1] * by, axis[2] * by, -dot(axis, self.eye) * by];
        let w = row(self.forward, 1.0);
        let shifted = |row: [f32; 4], by: f32| [0, 1, 2, 3].map(|i| row[i] + by * w[i]);
        let x = shifted(row(self.right, focal / aspect), self.centre[0]);
        let y = shifted(row(self.up, focal), self.centre[1]);
        let z = [w[0] * scale, w[1] * scale, w[2] * scale, w[3] * scale - NEAR * scale];
        [0, 1, 2, 3].map(|column| [x[column], y[column], z[column], w[column]])
    }

    /// Where a point of the box appears: x right, y down from the top left corner, and its distance along the view; `None`
    /// behind the eye.
    pub fn project(&self, point: Vec3) -> Option<[f32; 3]> {
        let from_eye = [0, 1, 2].map(|i| point[i] - self.eye[i]);
        let depth = dot(from_eye, self.forward);
        if depth < NEAR {
            return None;
        }
        let scale = 0.5 * self.size[1] / (TAN_HALF_FOV * depth);
        let x = 0.5 * self.size[0] * (1.0 + self.centre[0]) + scale * dot(from_eye, self.right);
        let y = 0.5 * self.size[1] * (1.0 - self.centre[1]) - scale * dot(from_eye, self.up);
        Some([x, y, depth])
    }

    /// The ray through a place on the screen: the inverse of [`View::project`].
    pub fn ray(&self, at: [f32; 2]) -> Ray {
        let scale = TAN_HALF_FOV / (0.5 * self.size[1]);
        let x = (at[0] - 0.5 * self.size[0] * (1.0 + self.centre[0])) * scale;
        let y = (0.5 * self.size[1] * (1.0 - self.centre[1]) - at[1]) * scale;
        let direction = [0, 1, 2].map(|i| self.forward[i] + x * self.right[i] + y * self.up[i]);
        Ray { origin: self.eye, direction: normalized(direction) }
    }
}

impl Ray {
    pub fn at(&self, t: f32) -> Vec3 {
        [0, 1, 2].map(|i| self.origin[i] + t * self.direction[i])
    }

    /// The part of the ray within the box as `(enter, leave)` distances, `None` if it misses the box.
    pub fn through_box(&self) -> Option<(f32, f32)> {
        let (mut enter, mut leave) = (0.0_f32, f32::INFINITY);
        for (i, half) in [1.0, 1.0, HALF_HEIGHT].into_iter().enumerate() {
            if self.direction[i] == 0.0 {
                if self.origin[i].abs() > half {
                    return None;
                }
                continue;
            }
            let (a, b) = ((-half - self.origin[i]) / self.direction[i], (half - self.origin[i]) / self.direction[i]);
            enter = enter.max(a.min(b));
            leave = leave.min(a.max(b));
        }
        (enter < leave).then_some((enter, leave))
    }
}

pub(super) fn dot(a: Vec3, b: Vec3) -> f32 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

pub(super) fn normalized(v: Vec3) -> Vec3 {
    let length = dot(v, v).sqrt().max(f32::MIN_POSITIVE);
    v.map(|x| x / length)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: [f32; 2] = [640.0, 400.0];

    #[test]
    fn orbit_and_zoom_stay_within_their_limits() {
        let mut camera = Camera::default();
        camera.orbit(100.0, 100.0);
        assert_eq!(camera.pitch, PITCH_LIMITS[1]);
        assert!((0.0..std::f32::consts::TAU).contains(&camera.yaw));
        camera.orbit(0.0, -100.0);
        assert_eq!(camera.pitch, PITCH_LIMITS[0]);
        camera.zoom_by(1e9);
        assert_eq!(camera.zoom, ZOOM_LIMITS[1]);
        camera.zoom_by(1e-9);
        assert_eq!(camera.zoom, ZOOM_LIMITS[0]);
        for bad in [f32::NAN, 0.0, -1.0, f32::INFINITY] {
            camera.zoom_by(bad);
            assert_eq!(camera.zoom, ZOOM_LIMITS[0]);
        }
    }

    #[test]
    fn the_whole_box_is_seen_with_its_margin_at_the_start() {
        for size in [[640.0, 400.0], [300.0, 900.0], [1200.0, 200.0]] {
            let view = Camera::default().view(size, 20.0);
            for corner in box_corners() {
                let [x, y, _] = view.project(corner).expect("in front of the eye");
                assert!((19.9..=size[0] - 19.9).contains(&x) && (19.9..=size[1] - 19.9).contains(&y), "{x} {y}");
            }
        }
    }

    #[test]
    fn a_ray_goes_back_through_the_projected_point() {
        let camera = Camera { yaw: 2.3, pitch: 0.9, zoom: 1.7, target: [0.2, -0.1, 0.1] };
        let view = camera.view(SIZE, 10.0);
        for point in [[0.3, -0.4, 0.2], [-1.0, 1.0, -HALF_HEIGHT], [0.9, 0.8, 0.0]] {
            let [x, y, _] = view.project(point).expect("visible");
            let ray = view.ray([x, y]);
            let hit = ray.at((point[2] - ray.origin[2]) / ray.direction[2]);
            for i in 0..3 {
                assert!((hit[i] - point[i]).abs() < 1e-4, "{hit:?} {point:?}");
            }
        }
    }

    #[test]
    fn the_matrix_agrees_with_project() {
        let view = Camera { yaw: 4.0, pitch: 0.3, zoom: 1.0, target: [0.0; 3] }.view(SIZE, 0.0);
        let matrix = view.clip_from_box();
        for point in box_corners() {
            let clip: [f32; 4] = std::array::from_fn(|row| {
                (0..3).map(|column| matrix[column][row] * point[column]).sum::<f32>() + matrix[3][row]
            });
            let [x, y, depth] = view.project(point).expect("visible");
            assert!((clip[3] - depth).abs() < 1e-4);
            assert!((0.5 * SIZE[0] * (1.0 + clip[0] / clip[3]) - x).abs() < 1e-2);
            assert!((0.5 * SIZE[1] * (1.0 - clip[1] / clip[3]) - y).abs() < 1e-2);
            assert!((0.0..1.0).contains(&(clip[2] / clip[3])));
        }
    }

    #[test]
    fn what_is_behind_the_eye_is_not_projected() {
        let view = Camera::default().view(SIZE, 0.0);
        let behind = [0, 1, 2].map(|i| view.eye[i] - view.forward[i]);
        assert_eq!(view.project(behind), None);
    }

    #[test]
    fn panning_follows_the_pointer_and_stays_in_the_box() {
        let mut camera = Camera::default();
        let view = camera.view(SIZE, 0.0);
        let before = view.project([0.0; 3]).expect("visible");
        camera.pan(&view, [30.0, -20.0]);
        let after = camera.view(SIZE, 0.0).project([0.0; 3]).expect("visible");
        assert!((after[0] - before[0] - 30.0).abs() < 3.0 && (after[1] - before[1] + 20.0).abs() < 3.0);
        camera.pan(&view, [1e6, 1e6]);
        assert!(camera.target.iter().all(|x| x.abs() <= 1.0));
    }

    #[test]
    fn a_ray_beside_the_box_misses_it() {
        let ray = Ray { origin: [5.0, 5.0, 5.0], direction: [0.0, 0.0, 1.0] };
        assert_eq!(ray.through_box(), None);
        let ray = Ray { origin: [0.0, 0.0, 5.0], direction: [0.0, 0.0, -1.0] };
        let (enter, leave) = ray.through_box().expect("hits");
        assert!((enter - (5.0 - HALF_HEIGHT)).abs() < 1e-5 && (leave - (5.0 + HALF_HEIGHT)).abs() < 1e-5);
    }
}
