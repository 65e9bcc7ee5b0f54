//! Drawing on a mask: brush, eraser, polygon, and taking it back.

use std::collections::VecDeque;

use crate::pixels::mask::Mask;

/// Bytes of changes that can be taken back; beyond them the oldest is forgotten.
const MOST_HISTORY: usize = 64 << 20;

/// A place in pixels: `(0, 0)` is the upper left corner of the first pixel, whose centre is `(0.5, 0.5)`.
pub type Point = (f64, f64);

/// Rows and columns of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Area {
    left: usize,
    top: usize,
    right: usize,
    bottom: usize,
}

impl Area {
    /// The pixels whose centres may lie in a box, within the mask.
    fn around(mask: &Mask, low: Point, high: Point) -> Option<Area> {
        let (width, height) = (mask.width() as f64, mask.height() as f64);
        let finite = [low.0, low.1, high.0, high.1].iter().all(|v| v.is_finite());
        let area = Area {
            left: low.0.floor().clamp(0.0, width) as usize,
            top: low.1.floor().clamp(0.0, height) as usize,
            right: high.0.ceil().clamp(0.0, width) as usize,
            bottom: high.1.ceil().clamp(0.0, height) as usize,
        };
        (finite && area.left < area.right && area.top < area.bottom).then_some(area)
    }

    fn join(self, other: Area) -> Area {
        Area {
            left: self.left.min(other.left),
            top: self.top.min(other.top),
            right: self.right.max(other.right),
            bottom: self.bottom.max(other.bottom),
        }
    }
}

/// Sets every pixel whose centre lies within `radius` of the line from `from` to `to`: one move of a round brush.
pub fn stroke(mask: &mut Mask, from: Point, to: Point, radius: f64, lesion: bool) {
    let Some(area) = stroke_area(mask, from, to, radius) else { return };
    let along = (to.0 - from.0, to.1 - from.1);
    let length = along.0 * along.0 + along.1 * along.1;
    fill(mask, area, lesion, |x, y| {
        let d = (x - from.0, y - from.1);
        let t = if length > 0.0 { ((d.0 * along.0 + d.1 * along.1) / length).clamp(0.0, 1.0) } else { 0.0 };
        (d.0 - t * along.0).hypot(d.1 - t * along.1) <= radius
    });
}

fn stroke_area(mask: &Mask, from: Point, to: Point, radius: f64) -> Option<Area> {
    let low = (from.0.min(to.0) - radius, from.1.min(to.1) - radius);
    let high = (from.0.max(to.0) + radius, from.1.max(to.1) + radius);
    Area::around(mask, low, high).filter(|_| radius > 0.0)
}

/// Sets every pixel whose centre lies inside a closed polygon by the even-odd rule. Fewer than three corners set nothing.
pub fn fill_polygon(mask: &mut Mask, corners: &[Point], lesion: bool) {
    let Some(area) = polygon_area(mask, corners) else { return };
    let mut crossings = Vec::new();
    for row in area.top..area.bottom {
        let y = row as f64 + 0.5;
        crossings.clear();
        for (i, a) in corners.iter().enumerate() {
            let b = corners[(i + 1) % corners.len()];
            // Half-open, so that a corner on the line counts once.
            if (a.1 <= y) != (b.1 <= y) {
                crossings.push(a.0 + (y - a.1) / (b.1 - a.1) * (b.0 - a.0));
            }
        }
        crossings.sort_unstable_by(f64::total_cmp);
        for span in crossings.chunks_exact(2) {
            let pixel = |x: f64| (x - 0.5).ceil().clamp(area.left as f64, area.right as f64) as usize;
            let start = row * mask.width();
            mask.pixels_mut()[start + pixel(span[0])..start + pixel(span[1])].fill(lesion);
        }
    }
}

fn polygon_area(mask: &Mask, corners: &[Point]) -> Option<Area> {
    let infinite = f64::INFINITY;
    let low = corners.iter().fold((infinite, infinite), |low, p| (low.0.min(p.0), low.1.min(p.1)));
    let high = corners.iter().fold((-infinite, -infinite), |high, p| (high.0.max(p.0), high.1.max(p.1)));
    // `min` and `max` pass over NaN, so it is looked for.
    let numbers = corners.iter().all(|p| p.0.is_finite() && p.1.is_finite());
    Area::around(mask, low, high).filter(|_| numbers && corners.len() >= 3)
}

fn fill(mask: &mut Mask, area: Area, lesion: bool, inside: impl Fn(f64, f64) -> bool) {
    let width = mask.width();
    for y in area.top..area.bottom {
        for x in area.left..area.right {
            if inside(x as f64 + 0.5, y as f64 + 0.5) {
                mask.pixels_mut()[y * width + x] = lesion;
            }
        }
    }
}

/// The pixels of an area as they were.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Patch {
    area: Area,
    pixels: Vec<bool>,
}

impl Patch {
    fn of(mask: &Mask, area: Area) -> Patch {
        let rows = area.top..area.bottom;
        let pixels = rows.flat_map(|y| &mask.row(y)[area.left..area.right]).copied().collect();
        Patch { area, pixels }
    }

    /// Puts it into the mask and keeps what was there.
    fn swap(&mut self, mask: &mut Mask) {
        let Area { left, top, right, bottom } = self.area;
        let width = mask.width();
        for (y, saved) in (top..bottom).zip(self.pixels.chunks_exact_mut(right - left)) {
            mask.pixels_mut()[y * width..][left..right].swap_with_slice(saved);
        }
    }
}

/// A mask that is being drawn, with what can be taken back and done again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Editor {
    mask: Mask,
    /// What the mask was before each change, oldest first.
    undo: VecDeque<Patch>,
    redo: Vec<Patch>,
    /// The stroke that is going on: the mask before it and where it has been.
    open: Option<(Mask, Option<Area>)>,
    /// Changes made less changes taken back; tells whether the mask is the saved one.
    version: i64,
    saved: Option<i64>,
    /// The version that is being saved.
    saving: Option<i64>,
    /// The version that was proposed, and not drawn.
    proposed: Option<i64>,
    /// Grows with all that is done to the mask.
    revision: u64,
}

impl Editor {
    /// Starts with a mask as it is saved.
    pub fn new(mask: Mask) -> Self {
        Self {
            mask,
            undo: VecDeque::new(),
            redo: Vec::new(),
            open: None,
            version: 0,
            saved: Some(0),
            saving: None,
            proposed: None,
            revision: 0,
        }
    }

    pub fn mask(&self) -> &Mask {
        &self.mask
    }

    /// Begins a stroke: all moves until [`Editor::end_stroke`] are taken back at once.
    pub fn begin_stroke(&mut self) {
        self.end_stroke();
        self.open = Some((self.mask.clone(), None));
    }

    /// One move of the brush (`lesion`) or the eraser; begins a stroke where none was begun.
    pub fn stroke(&mut self, from: Point, to: Point, radius: f64, lesion: bool) {
        if self.open.is_none() {
            self.begin_stroke();
        }
        self.revision += 1;
        let area = stroke_area(&self.mask, from, to, radius);
        stroke(&mut self.mask, from, to, radius, lesion);
        if let (Some((_, all)), Some(area)) = (&mut self.open, area) {
            *all = Some(all.map_or(area, |all| all.join(area)));
        }
    }

    /// Ends the stroke; one that changed nothing leaves nothing to take back.
    pub fn end_stroke(&mut self) {
        if let Some((before, Some(area))) = self.open.take() {
            self.changed(&before, area);
        }
    }

    /// Fills or clears a polygon.
    pub fn polygon(&mut self, corners: &[Point], lesion: bool) {
        self.end_stroke();
        if let Some(area) = polygon_area(&self.mask, corners) {
            let before = self.mask.clone();
            fill_polygon(&mut self.mask, corners, lesion);
            self.changed(&before, area);
        }
    }

    /// Takes another mask of the same size, for example a prediction or an empty one.
    ///
    /// # Panics
    /// Where the sizes differ.
    pub fn replace(&mut self, mask: Mask) {
        assert_eq!((mask.width(), mask.height()), (self.mask.width(), self.mask.height()), "the mask keeps its size");
        self.end_stroke();
        let before = std::mem::replace(&mut self.mask, mask);
        let all = Area { left: 0, top: 0, right: before.width(), bottom: before.height() };
        self.changed(&before, all);
    }

    fn changed(&mut self, before: &Mask, area: Area) {
        let patch = Patch::of(before, area);
        if patch == Patch::of(&self.mask, area) {
            return;
        }
        // A known state may have lain on the branch that is gone now.
        for known in [&mut self.saved, &mut self.saving, &mut self.proposed] {
            *known = known.filter(|known| *known <= self.version);
        }
        self.version += 1;
        self.revision += 1;
        self.redo.clear();
        self.undo.push_back(patch);
        let mut bytes: usize = self.undo.iter().map(|patch| patch.pixels.len()).sum();
        while bytes > MOST_HISTORY && self.undo.len() > 1 {
            bytes -= self.undo.pop_front().map_or(0, |patch| patch.pixels.len());
        }
    }

    pub fn can_undo(&self) -> bool {
        !self.undo.is_empty() || self.open.is_some()
    }

    pub fn can_redo(&self) -> bool {
        !self.redo.is_empty() && self.open.is_none()
    }

    /// Takes the last change back; `false`: there is none.
    pub fn undo(&mut self) -> bool {
        self.end_stroke();
        let Some(mut patch) = self.undo.pop_back() else { return false };
        patch.swap(&mut self.mask);
        self.redo.push(patch);
        self.version -= 1;
        self.revision += 1;
        true
    }

    /// Does the last change that was taken back again; `false`: there is none.
    pub fn redo(&mut self) -> bool {
        self.end_stroke();
        let Some(mut patch) = self.redo.pop() else { return false };
        patch.swap(&mut self.mask);
        self.undo.push_back(patch);
        self.version += 1;
        self.revision += 1;
        true
    }

    /// Whether the mask differs from the one last saved.
    pub fn is_changed(&self) -> bool {
        self.open.is_some() || self.saved != Some(self.version)
    }

    /// The mask as it is now begins to be saved; it may be drawn on meanwhile.
    pub fn begin_save(&mut self) {
        self.end_stroke();
        self.saving = Some(self.version);
    }

    /// What [`Editor::begin_save`] took is on disk now.
    pub fn end_save(&mut self) {
        self.saved = self.saving.take();
    }

    /// Whether the mask is still the one that [`Editor::begin_save`] took.
    pub fn is_as_saving(&self) -> bool {
        self.open.is_none() && self.saving == Some(self.version)
    }

    /// The mask as it is now is the one on disk.
    pub fn mark_saved(&mut self) {
        self.begin_save();
        self.end_save();
    }

    /// The mask as it is now was proposed, and not drawn.
    pub fn mark_proposed(&mut self) {
        self.end_stroke();
        self.proposed = Some(self.version);
    }

    /// Whether the mask is the one that was last proposed, with nothing drawn on it since or all of that taken back.
    pub fn is_proposed(&self) -> bool {
        self.open.is_none() && self.proposed == Some(self.version)
    }

    /// A number that is another one after every change of the mask.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Whether a stroke is going on.
    pub fn in_stroke(&self) -> bool {
        self.open.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::rectangle;
    use super::*;
    use crate::pixels::mask::tests::drawn;

    #[test]
    fn a_polygon_covers_the_pixels_whose_centres_it_holds() {
        let mut mask = Mask::empty(8, 10);
        fill_polygon(&mut mask, &[(2.0, 1.0), (6.0, 1.0), (6.0, 4.0), (2.0, 4.0)], true);
        assert_eq!(mask, rectangle((10, 8), [2, 1, 6, 4]));
        // Any direction and start; beyond the mask it is cut off.
        let mut other = Mask::empty(8, 10);
        fill_polygon(&mut other, &[(6.2, 4.4), (6.2, 1.4), (2.2, 1.4), (2.2, 4.4)], true);
        assert_eq!(other, mask);
        fill_polygon(&mut other, &[(-50.0, -50.0), (90.0, -50.0), (90.0, 90.0), (-50.0, 90.0)], true);
        assert_eq!(other.area(), 80);
        fill_polygon(&mut other, &[(2.0, 1.0), (6.0, 1.0), (6.0, 4.0), (2.0, 4.0)], false);
        assert_eq!(other.area(), 80 - 12);
        let mut triangle = Mask::empty(4, 4);
        fill_polygon(&mut triangle, &[(0.0, 0.0), (4.0, 0.0), (0.0, 4.0)], true);
        assert_eq!(triangle, drawn(&["###.", "##..", "#...", "...."]));
        // A ring: what is crossed twice is outside.
        let mut ring = Mask::empty(6, 6);
        let outer = [(0.0, 0.0), (6.0, 0.0), (6.0, 6.0), (0.0, 6.0), (0.0, 0.0)];
        let inner = [(2.0, 2.0), (4.0, 2.0), (4.0, 4.0), (2.0, 4.0), (2.0, 2.0)];
        fill_polygon(&mut ring, &[&outer[..], &inner].concat(), true);
        assert_eq!(ring.area(), 32);
    }

    #[test]
    fn odd_polygons_set_nothing_and_never_panic() {
        let mut mask = Mask::empty(5, 5);
        let nan = f64::NAN;
        for corners in [&[][..], &[(1.0, 1.0)], &[(1.0, 1.0), (4.0, 4.0)], &[(nan, 1.0), (3.0, 4.0), (1.0, 4.0)]] {
            fill_polygon(&mut mask, corners, true);
        }
        fill_polygon(&mut mask, &[(9.0, 9.0), (12.0, 9.0), (12.0, 14.0)], true);
        stroke(&mut mask, (nan, 1.0), (2.0, 2.0), 2.0, true);
        stroke(&mut mask, (1.0, 1.0), (2.0, 2.0), -1.0, true);
        assert_eq!(mask.area(), 0);
        fill_polygon(&mut Mask::default(), &[(0.0, 0.0), (4.0, 0.0), (0.0, 4.0)], true);
        stroke(&mut Mask::default(), (0.0, 0.0), (4.0, 0.0), 3.0, true);
    }

    #[test]
    fn a_stroke_is_as_wide_as_the_brush() {
        let mut mask = Mask::empty(40, 40);
        stroke(&mut mask, (20.0, 20.0), (20.0, 20.0), 8.0, true);
        let disc = std::f64::consts::PI * 64.0;
        assert!((mask.area() as f64 - disc).abs() < 0.05 * disc, "{}", mask.area());
        stroke(&mut mask, (0.0, 20.0), (40.0, 20.0), 2.0, false);
        assert!((0..40).all(|x| !mask.at(20, x) && !mask.at(18, x)));
        let mut thin = Mask::empty(3, 6);
        stroke(&mut thin, (0.5, 1.5), (5.5, 1.5), 0.5, true);
        assert_eq!(thin, rectangle((6, 3), [0, 1, 6, 2]));
    }

    #[test]
    fn changes_are_taken_back_and_done_again_to_the_same_bits() {
        let mut editor = Editor::new(rectangle((50, 30), [5, 5, 20, 20]));
        let mut states = vec![editor.mask().clone()];
        editor.begin_stroke();
        for i in 0..10 {
            editor.stroke((f64::from(i), 10.0), (f64::from(i) + 1.0, 12.0), 3.0, i % 2 == 0);
        }
        editor.end_stroke();
        states.push(editor.mask().clone());
        editor.polygon(&[(10.0, 2.0), (45.0, 9.0), (30.0, 28.0)], true);
        states.push(editor.mask().clone());
        editor.stroke((25.0, 15.0), (28.0, 15.0), 4.0, false);
        editor.end_stroke();
        states.push(editor.mask().clone());
        editor.replace(Mask::empty(30, 50));
        states.push(editor.mask().clone());
        for pair in states.windows(2) {
            assert_ne!(pair[0], pair[1]);
        }
        for state in states.iter().rev().skip(1) {
            assert!(editor.undo());
            assert_eq!(editor.mask(), state);
        }
        assert!(!editor.undo() && !editor.can_undo() && !editor.is_changed());
        for state in &states[1..] {
            assert!(editor.redo());
            assert_eq!(editor.mask(), state);
        }
        assert!(!editor.redo());
        editor.undo();
        editor.polygon(&[(0.0, 0.0), (9.0, 0.0), (9.0, 9.0)], true);
        assert!(!editor.can_redo(), "a new change ends what could be done again");
    }

    #[test]
    fn the_editor_knows_whether_the_mask_was_proposed() {
        let mut editor = Editor::new(Mask::empty(20, 20));
        assert!(!editor.is_proposed());
        let dot = |editor: &mut Editor, x: f64| {
            editor.stroke((x, 5.0), (x, 5.0), 2.0, true);
            editor.end_stroke();
        };
        dot(&mut editor, 5.0);
        editor.replace(rectangle((20, 20), [2, 2, 9, 9]));
        editor.mark_proposed();
        assert!(editor.is_proposed() && editor.is_changed());
        editor.begin_stroke();
        assert!(!editor.is_proposed(), "a stroke begins");
        editor.end_stroke();
        assert!(editor.is_proposed(), "it has drawn nothing");
        dot(&mut editor, 15.0);
        assert!(!editor.is_proposed());
        editor.undo();
        assert!(editor.is_proposed());
        editor.undo();
        assert!(!editor.is_proposed());
        editor.redo();
        assert!(editor.is_proposed());
        // Back before it, and on another way as far.
        editor.undo();
        dot(&mut editor, 18.0);
        assert!(!editor.is_proposed());
        // What is proposed is what is there.
        editor.replace(editor.mask().clone());
        editor.mark_proposed();
        assert!(editor.is_proposed());
    }

    #[test]
    fn the_editor_knows_whether_the_mask_is_saved() {
        let mut editor = Editor::new(Mask::empty(20, 20));
        // Nothing changes: nothing to take back.
        editor.stroke((5.0, 5.0), (6.0, 6.0), 2.0, false);
        editor.end_stroke();
        assert!(!editor.can_undo() && !editor.is_changed());
        editor.stroke((5.0, 5.0), (6.0, 6.0), 2.0, true);
        assert!(editor.is_changed() && editor.can_undo());
        editor.mark_saved();
        assert!(!editor.is_changed());
        editor.undo();
        assert!(editor.is_changed());
        editor.redo();
        assert!(!editor.is_changed());
        editor.undo();
        editor.polygon(&[(0.0, 0.0), (9.0, 0.0), (9.0, 9.0)], true);
        assert!(editor.is_changed(), "another change than the saved one");
    }

    #[test]
    fn what_is_drawn_while_the_mask_is_saved_stays_unsaved() {
        let mut editor = Editor::new(Mask::empty(20, 20));
        let dot = |editor: &mut Editor, x: f64| {
            editor.stroke((x, 5.0), (x, 5.0), 2.0, true);
            editor.end_stroke();
        };
        dot(&mut editor, 4.0);
        editor.begin_save();
        assert!(editor.is_as_saving() && editor.is_changed());
        dot(&mut editor, 14.0);
        assert!(!editor.is_as_saving());
        editor.end_save();
        assert!(editor.is_changed());
        editor.undo();
        assert!(!editor.is_changed(), "this one is on disk");
        editor.undo();
        assert!(editor.is_changed(), "what was on disk before is not any more");
        // Taken back and drawn otherwise while it is saved: as many changes, yet another mask.
        editor.begin_save();
        editor.redo();
        editor.begin_save();
        editor.undo();
        dot(&mut editor, 9.0);
        editor.end_save();
        assert!(editor.is_changed());
        editor.undo();
        assert!(editor.is_changed());
    }

    #[test]
    fn history_is_bounded() {
        let side = 4096;
        let mut editor = Editor::new(Mask::empty(side, side));
        for i in 0..7 {
            let mut mask = editor.mask().clone();
            mask.pixels_mut()[i] = true;
            editor.replace(mask);
        }
        assert_eq!(editor.undo.len(), MOST_HISTORY / (side * side));
        while editor.undo() {}
        assert_eq!(editor.mask().area(), 3, "the oldest changes stay");
    }
}
