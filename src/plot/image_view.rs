//! Looking at images: one magnification and one place for many pictures at once, in shares of each picture, so that
//! pictures of any size are seen at the same spot; and lines in pixels of the picture, drawn sharp above it.

use eframe::egui::{Painter, PointerButton, Pos2, Rect, Response, Ui, Vec2, pos2, vec2};

use super::stroke::{LineMesh, Pen, Stop};

/// Largest magnification, relative to the whole picture in its place.
const MOST: f32 = 64.0;

/// What part of every picture is seen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lens {
    /// What is in the middle, in shares of width and height.
    center: [f32; 2],
    /// 1: the whole picture.
    zoom: f32,
}

impl Default for Lens {
    fn default() -> Self {
        Self { center: [0.5; 2], zoom: 1.0 }
    }
}

impl Lens {
    /// Shows the whole pictures again.
    pub fn fit(&mut self) {
        *self = Self::default();
    }

    pub fn is_zoomed(&self) -> bool {
        *self != Self::default()
    }

    /// What is in the middle, and the magnification.
    pub fn numbers(&self) -> [f32; 3] {
        [self.center[0], self.center[1], self.zoom]
    }

    /// The lens of such numbers, where they are one's.
    pub fn of_numbers([x, y, zoom]: [f32; 3]) -> Option<Self> {
        let fits = (0.0..=1.0).contains(&x) && (0.0..=1.0).contains(&y) && (1.0..=MOST).contains(&zoom);
        fits.then_some(Self { center: [x, y], zoom })
    }

    /// Magnification relative to the whole picture in its place.
    pub fn zoom(&self) -> f32 {
        self.zoom
    }

    /// Where the whole picture of `size` pixels lies when it is seen through `view`; it may reach beyond it, but leaves
    /// no part of it empty that it could fill.
    pub fn place(&self, view: Rect, size: [usize; 2]) -> Rect {
        let extent = self.extent(view, size);
        let share = |axis: usize| {
            let half = 0.5 * view.size()[axis] / extent[axis];
            if half < 0.5 { self.center[axis].clamp(half, 1.0 - half) } else { 0.5 }
        };
        let min = view.center() - vec2(share(0) * extent.x, share(1) * extent.y);
        Rect::from_min_size(min, extent)
    }

    /// Size of the whole picture on the screen.
    fn extent(&self, view: Rect, size: [usize; 2]) -> Vec2 {
        let size = vec2(size[0].max(1) as f32, size[1].max(1) as f32);
        let fit = (view.width() / size.x).min(view.height() / size.y).max(1e-6);
        fit * self.zoom * size
    }

    /// Magnifies by `factor` and leaves what is at `pointer` where it is.
    pub fn zoom_at(&mut self, view: Rect, size: [usize; 2], pointer: Pos2, factor: f32) {
        let before = self.place(view, size);
        let at = (pointer - before.min) / before.size();
        self.zoom = (self.zoom * factor).clamp(1.0, MOST);
        self.put(view, size, at, pointer);
    }

    /// Moves what is seen by `delta` points of the screen.
    pub fn pan(&mut self, view: Rect, size: [usize; 2], delta: Vec2) {
        let before = self.place(view, size);
        let at = (view.center() - before.min) / before.size();
        self.put(view, size, at, view.center() + delta);
    }

    /// Brings the place `at` (in shares) to `to` as far as the picture reaches.
    fn put(&mut self, view: Rect, size: [usize; 2], at: Vec2, to: Pos2) {
        let extent = self.extent(view, size);
        let off = (view.center() - to) / extent;
        self.center = [at.x + off.x, at.y + off.y];
        let placed = self.place(view, size);
        let center = (view.center() - placed.min) / placed.size();
        // A direction in which the whole picture is seen keeps its place for pictures of another shape.
        self.center = [center.x.clamp(0.0, 1.0), center.y.clamp(0.0, 1.0)];
        if self.zoom <= 1.0 {
            self.fit();
        }
    }

    /// Wheel and pinch magnify around the pointer, a drag moves, a double click shows everything. `true`: it changed.
    pub fn interact(&mut self, ui: &Ui, response: &Response, view: Rect, size: [usize; 2]) -> bool {
        let before = *self;
        if let Some(pointer) = response.hover_pos().filter(|_| response.contains_pointer()) {
            let (wheel, pinch) = ui.input(|input| (input.smooth_scroll_delta().y, input.zoom_delta()));
            let factor = (wheel / 240.0).exp() * pinch;
            if (factor - 1.0).abs() > 1e-4 {
                self.zoom_at(view, size, pointer, factor);
            }
        }
        let buttons = [PointerButton::Primary, PointerButton::Middle];
        if self.zoom > 1.0 && buttons.iter().any(|button| response.dragged_by(*button)) {
            self.pan(view, size, response.drag_delta());
        }
        if response.double_clicked() {
            self.fit();
        }
        *self != before
    }
}

/// The place in pixels of a picture of `size` that is drawn over `placed`; `None` beside it.
pub fn pixel_at(placed: Rect, size: [usize; 2], pointer: Pos2) -> Option<[usize; 2]> {
    let share = (pointer - placed.min) / placed.size();
    let at = [share.x * size[0] as f32, share.y * size[1] as f32];
    let inside = (0..2).all(|axis| at[axis] >= 0.0 && at[axis] < size[axis] as f32);
    inside.then(|| at.map(|v| v as usize))
}

/// The place on the screen of a position in pixels of a picture of `size` that is drawn over `placed`.
pub fn on_screen(placed: Rect, size: [usize; 2], at: [f32; 2]) -> Pos2 {
    let scale = placed.size() / vec2(size[0].max(1) as f32, size[1].max(1) as f32);
    pos2(placed.left() + at[0] * scale.x, placed.top() + at[1] * scale.y)
}

/// Draws closed lines that are given in pixels of the picture. What lies outside of the clip rectangle is left out, and
/// so are corners too close to be told apart.
pub fn draw_loops<'a>(
    painter: &Painter,
    placed: Rect,
    size: [usize; 2],
    loops: impl IntoIterator<Item = &'a [[f32; 2]]>,
    pen: Pen,
) {
    let clip = painter.clip_rect().expand(pen.width + 1.0);
    let mut runs = Vec::new();
    for points in loops {
        visible_runs(points.iter().map(|at| on_screen(placed, size, *at)), clip, &mut runs);
    }
    LineMesh::new(runs.iter().map(Vec::as_slice), pen).draw(painter);
}

/// Least distance of the points of a drawn line, in points of the screen.
const NEAR: f32 = 0.7;

/// Splits a closed line into the runs that may be seen.
fn visible_runs(points: impl Iterator<Item = Pos2>, clip: Rect, runs: &mut Vec<Vec<Stop>>) {
    let mut run: Vec<Stop> = Vec::new();
    let mut points = points;
    let Some(first) = points.next() else { return };
    let mut last = first;
    let mut step = 0;
    let mut end_run = |run: &mut Vec<Stop>| {
        if run.len() > 1 {
            runs.push(std::mem::take(run));
        }
        run.clear();
    };
    for point in points.map(|point| (point, false)).chain([(first, true)]) {
        let (point, closing) = point;
        if !closing && point.distance_sq(last) < NEAR * NEAR {
            continue;
        }
        if Rect::from_two_pos(last, point).intersects(clip) {
            if run.is_empty() {
                run.push((last, step));
            }
            step += 1;
            run.push((point, step));
        } else {
            end_run(&mut run);
        }
        last = point;
    }
    end_run(&mut run);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view() -> Rect {
        Rect::from_min_size(pos2(10.0, 20.0), vec2(200.0, 100.0))
    }

    #[test]
    fn the_whole_picture_is_centred_and_keeps_its_shape() {
        let placed = Lens::default().place(view(), [50, 50]);
        assert_eq!(placed, Rect::from_min_size(pos2(60.0, 20.0), vec2(100.0, 100.0)));
        assert_eq!(pixel_at(placed, [50, 50], pos2(60.5, 119.9)), Some([0, 49]));
        assert_eq!(pixel_at(placed, [50, 50], pos2(59.0, 60.0)), None);
        assert_eq!(on_screen(placed, [50, 50], [25.0, 25.0]), view().center());
    }

    #[test]
    fn what_is_under_the_pointer_stays_there() {
        let size = [400, 200];
        let mut lens = Lens::default();
        let pointer = pos2(60.0, 95.0);
        let share = |lens: &Lens| (pointer - lens.place(view(), size).min) / lens.place(view(), size).size();
        let before = share(&lens);
        for factor in [1.5, 2.0, 3.0, 0.5] {
            lens.zoom_at(view(), size, pointer, factor);
            assert!((share(&lens) - before).length() < 1e-4, "{lens:?}");
        }
        lens.zoom_at(view(), size, pointer, 1e9);
        assert_eq!(lens.zoom(), MOST);
        lens.zoom_at(view(), size, pointer, 1e-9);
        assert!(!lens.is_zoomed());
    }

    #[test]
    fn pictures_of_any_size_are_seen_at_the_same_spot() {
        let mut lens = Lens::default();
        lens.zoom_at(view(), [400, 200], pos2(60.0, 95.0), 4.0);
        let middle = |view: Rect, size: [usize; 2]| {
            let placed = lens.place(view, size);
            (view.center() - placed.min) / placed.size()
        };
        let other = Rect::from_min_size(pos2(300.0, 0.0), vec2(80.0, 40.0));
        assert!((middle(view(), [400, 200]) - middle(other, [800, 400])).length() < 1e-4);
    }

    #[test]
    fn no_drag_leads_out_of_the_picture() {
        let size = [100, 100];
        let mut lens = Lens::default();
        lens.zoom_at(view(), size, view().center(), 4.0);
        for delta in [vec2(1e6, 1e6), vec2(-1e6, 0.0), vec2(0.0, -1e6)] {
            lens.pan(view(), size, delta);
            let placed = lens.place(view(), size);
            assert!(placed.expand(0.1).contains_rect(view()), "{placed}");
        }
        // A drag back acts at once.
        let before = lens.place(view(), size);
        lens.pan(view(), size, vec2(10.0, 10.0));
        assert!((lens.place(view(), size).min - before.min - vec2(10.0, 10.0)).length() < 1e-2);
    }

    #[test]
    fn only_what_is_seen_of_a_line_is_drawn() {
        let clip = Rect::from_min_size(Pos2::ZERO, vec2(10.0, 10.0));
        let square =
            |side: f32| [pos2(5.0, 5.0), pos2(5.0 + side, 5.0), pos2(5.0 + side, 5.0 + side), pos2(5.0, 5.0 + side)];
        let runs = |points: &[Pos2]| {
            let mut runs = Vec::new();
            visible_runs(points.iter().copied(), clip, &mut runs);
            runs
        };
        let small = runs(&square(3.0));
        assert_eq!((small.len(), small[0].len()), (1, 5), "closed");
        let large = runs(&square(100.0));
        assert_eq!(large.len(), 2, "the far corner is out of sight");
        assert!(runs(&[pos2(20.0, 20.0), pos2(30.0, 20.0), pos2(30.0, 30.0)]).is_empty());
        assert!(runs(&[]).is_empty());
        let dense: Vec<Pos2> = (0..1000).map(|i| pos2(i as f32 * 0.005, 5.0)).collect();
        assert!(runs(&dense)[0].len() < 12, "points that nobody can tell apart are left out");
    }
}
