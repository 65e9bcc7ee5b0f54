//! The connected parts of a mask, its holes, and what is kept of a prediction.

use super::Mask;
use super::outline::border_length;

/// Which pixels touch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Connectivity {
    /// Across sides.
    Four,
    /// Across sides and corners.
    #[default]
    Eight,
}

/// Lesion pixels beside each other in one row, as long a run as there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    row: usize,
    start: usize,
    /// The column after the last one.
    end: usize,
    component: usize,
}

/// The connected parts of a mask, in the order in which they are met row by row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Components {
    height: usize,
    width: usize,
    runs: Vec<Run>,
    areas: Vec<usize>,
}

/// Finds the connected parts of the lesion.
pub fn components(mask: &Mask, connectivity: Connectivity) -> Components {
    components_of(mask, true, connectivity)
}

/// Finds the connected parts of the pixels that are `value`: runs of rows, joined to those of the row above.
fn components_of(mask: &Mask, value: bool, connectivity: Connectivity) -> Components {
    let slack = usize::from(connectivity == Connectivity::Eight);
    let mut runs: Vec<Run> = Vec::new();
    // Trees of runs; a root is the first run of its component.
    let mut parents: Vec<usize> = Vec::new();
    let mut above = 0..0;
    for row in 0..mask.height() {
        let start = runs.len();
        let mut candidate = above.start;
        let pixels = mask.row(row);
        let mut column = 0;
        while let Some(skipped) = pixels[column..].iter().position(|p| *p == value) {
            let begin = column + skipped;
            let length = pixels[begin..].iter().position(|p| *p != value);
            let end = length.map_or(pixels.len(), |length| begin + length);
            let run = runs.len();
            runs.push(Run { row, start: begin, end, component: 0 });
            parents.push(run);
            while candidate < above.end && runs[candidate].end + slack <= begin {
                candidate += 1;
            }
            // The last one that touches may touch the next run too.
            let mut touching = candidate;
            while touching < above.end && runs[touching].start < end + slack {
                join(&mut parents, touching, run);
                touching += 1;
            }
            column = end;
        }
        above = start..runs.len();
    }
    let mut areas = Vec::new();
    let mut names = vec![0; runs.len()];
    for run in 0..runs.len() {
        let root = root(&mut parents, run);
        if root == run {
            names[run] = areas.len();
            areas.push(0);
        }
        runs[run].component = names[root];
        areas[names[root]] += runs[run].end - runs[run].start;
    }
    Components { height: mask.height(), width: mask.width(), runs, areas }
}

/// The first run of the component of `run`; halves the way to it.
fn root(parents: &mut [usize], mut run: usize) -> usize {
    while parents[run] != run {
        parents[run] = parents[parents[run]];
        run = parents[run];
    }
    run
}

fn join(parents: &mut [usize], a: usize, b: usize) {
    let (a, b) = (root(parents, a), root(parents, b));
    parents[a.max(b)] = a.min(b);
}

impl Components {
    /// Number of parts.
    pub fn len(&self) -> usize {
        self.areas.len()
    }

    pub fn is_empty(&self) -> bool {
        self.areas.is_empty()
    }

    /// Number of pixels of each part.
    pub fn areas(&self) -> &[usize] {
        &self.areas
    }

    /// The part with the most pixels; of equal ones the first.
    pub fn largest(&self) -> Option<usize> {
        // `max_by_key` would take the last of equal ones.
        (0..self.len()).reduce(|best, part| if self.areas[part] > self.areas[best] { part } else { best })
    }

    /// First row, first column, last row and last column of each part.
    pub fn boxes(&self) -> Vec<[usize; 4]> {
        let mut boxes = vec![[usize::MAX, usize::MAX, 0, 0]; self.len()];
        for run in &self.runs {
            let of = &mut boxes[run.component];
            *of = [of[0].min(run.row), of[1].min(run.start), of[2].max(run.row), of[3].max(run.end - 1)];
        }
        boxes
    }

    /// One part alone; empty where there is no such part.
    pub fn mask(&self, part: usize) -> Mask {
        self.mask_where(|component| component == part)
    }

    fn mask_where(&self, keep: impl Fn(usize) -> bool) -> Mask {
        let mut mask = Mask::empty(self.height, self.width);
        for run in self.runs.iter().filter(|run| keep(run.component)) {
            mask.pixels_mut()[run.row * self.width + run.start..run.row * self.width + run.end].fill(true);
        }
        mask
    }

    /// The first pixel of each part, row and column.
    fn firsts(&self) -> Vec<(usize, usize)> {
        let mut firsts = Vec::with_capacity(self.len());
        for run in &self.runs {
            if run.component == firsts.len() {
                firsts.push((run.row, run.start));
            }
        }
        firsts
    }
}

/// Makes lesion of every background pixel that no path across sides leads from to the edge of the image.
pub fn fill_holes(mask: &Mask) -> Mask {
    let background = components_of(mask, false, Connectivity::Four);
    let mut open = vec![false; background.len()];
    for run in &background.runs {
        let edge = run.row == 0 || run.row + 1 == mask.height() || run.start == 0 || run.end == mask.width();
        open[run.component] |= edge;
    }
    let mut filled = background.mask_where(|component| !open[component]);
    filled.pixels_mut().iter_mut().zip(mask.pixels()).for_each(|(filled, lesion)| *filled |= lesion);
    filled
}

/// Which parts of a prediction are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Keep {
    /// All of them: for images with several lesions.
    All,
    /// The one with the most pixels; of equal ones the first met row by row.
    LargestArea(Connectivity),
    /// The authors' rule: among the parts (across sides and corners) that do not lie in a hole of another, the one whose
    /// outer border has the most points; of equal ones the last met row by row. Always filled.
    LongestContour,
}

/// What is done to a thresholded prediction before it is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PostProcess {
    pub keep: Keep,
    /// Whether holes are filled, after the choice of parts.
    pub fill_holes: bool,
}

impl Default for PostProcess {
    fn default() -> Self {
        Self { keep: Keep::LargestArea(Connectivity::Eight), fill_holes: true }
    }
}

impl PostProcess {
    /// Nothing is changed.
    pub const OFF: PostProcess = PostProcess { keep: Keep::All, fill_holes: false };

    /// Applies it; an empty mask stays empty.
    pub fn apply(&self, mask: &Mask) -> Mask {
        let kept = match self.keep {
            Keep::All => mask.clone(),
            Keep::LargestArea(connectivity) => {
                let parts = components(mask, connectivity);
                parts.largest().map_or_else(|| mask.clone(), |part| parts.mask(part))
            }
            Keep::LongestContour => return longest_contour(mask),
        };
        if self.fill_holes { fill_holes(&kept) } else { kept }
    }
}

/// Number of points of the outer border of every part that does not lie in a hole of another, in the order in which the
/// parts are met.
pub fn contour_lengths(mask: &Mask) -> Vec<usize> {
    outer_contours(mask).2
}

/// The mask without holes, its parts, and the length of the outer border of each.
fn outer_contours(mask: &Mask) -> (Mask, Components, Vec<usize>) {
    // Filling leaves outer borders as they are, and what lies in a hole becomes part of what is around it.
    let filled = fill_holes(mask);
    let parts = components(&filled, Connectivity::Eight);
    let lengths = parts.firsts().into_iter().map(|(row, column)| border_length(&filled, row, column)).collect();
    (filled, parts, lengths)
}

fn longest_contour(mask: &Mask) -> Mask {
    let (filled, parts, lengths) = outer_contours(mask);
    match lengths.into_iter().enumerate().max_by_key(|(_, length)| *length) {
        Some((part, _)) => parts.mask(part),
        None => filled,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::drawn;
    use super::*;
    use crate::compute::rng::HostRng;

    /// Areas of parts by flooding pixel after pixel.
    fn flooded(mask: &Mask, connectivity: Connectivity) -> Vec<usize> {
        let mut left = mask.clone();
        let mut areas = Vec::new();
        for start in 0..mask.pixels().len() {
            let mut stack = vec![start];
            let mut area = 0;
            while let Some(at) = stack.pop() {
                if !std::mem::take(&mut left.pixels_mut()[at]) {
                    continue;
                }
                area += 1;
                let (row, column) = ((at / mask.width()) as isize, (at % mask.width()) as isize);
                for (down, right) in [(0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (1, -1), (-1, 1), (-1, -1)] {
                    let (row, column) = (row + down, column + right);
                    let side = down == 0 || right == 0 || connectivity == Connectivity::Eight;
                    if side && row >= 0 && column >= 0 && left.at(row as usize, column as usize) {
                        stack.push(row as usize * mask.width() + column as usize);
                    }
                }
            }
            if area > 0 {
                areas.push(area);
            }
        }
        areas
    }

    #[test]
    fn parts_are_those_of_flooding() {
        let mut rng = HostRng::new(1, 0);
        for (height, width) in [(1, 1), (1, 30), (30, 1), (20, 31)] {
            for share in [0.2, 0.45, 0.6, 0.9, 1.0] {
                let mask = Mask::from_fn(height, width, |_, _| rng.uniform() < share);
                for connectivity in [Connectivity::Four, Connectivity::Eight] {
                    let parts = components(&mask, connectivity);
                    assert_eq!(parts.areas(), flooded(&mask, connectivity));
                    assert_eq!(parts.areas().iter().sum::<usize>(), mask.area());
                    for part in 0..parts.len() {
                        assert_eq!(parts.mask(part).area(), parts.areas()[part]);
                    }
                }
            }
        }
    }

    #[test]
    fn corners_touch_only_with_eight_neighbours() {
        let mask = drawn(&["##..", "##..", "..##"]);
        assert_eq!(components(&mask, Connectivity::Four).areas(), [4, 2]);
        assert_eq!(components(&mask, Connectivity::Eight).areas(), [6]);
        // Joined late: a fork whose arms meet in the last row.
        let fork = drawn(&["#.#.#", "#.#.#", "#####"]);
        assert_eq!(components(&fork, Connectivity::Four).areas(), [11]);
    }

    #[test]
    fn equal_areas_go_to_the_first() {
        let parts = components(&drawn(&["...##", ".....", "##..."]), Connectivity::Eight);
        assert_eq!(parts.largest(), Some(0));
        assert_eq!(parts.mask(0), drawn(&["...##", ".....", "....."]));
        assert!(parts.mask(2).is_empty());
    }

    #[test]
    fn holes_are_filled_and_bays_are_not() {
        let mask = drawn(&[".###.", ".#.#.", ".###.", ".#.#."]);
        assert_eq!(fill_holes(&mask), drawn(&[".###.", ".###.", ".###.", ".#.#."]));
        // Background that touches the outside at a corner alone is closed in.
        let corner = drawn(&["..#.", ".#.#", "..#."]);
        assert_eq!(fill_holes(&corner), drawn(&["..#.", ".###", "..#."]));
        let full = Mask::from_fn(3, 3, |_, _| true);
        assert_eq!(fill_holes(&full), full);
        assert_eq!(fill_holes(&Mask::empty(1, 5)), Mask::empty(1, 5));
    }

    #[test]
    fn the_authors_rule_counts_points_of_the_border() {
        let mask = drawn(&["#######.", "........", ".#####..", ".#####..", ".#####.."]);
        assert_eq!(contour_lengths(&mask), [12, 12]);
        let rule = PostProcess { keep: Keep::LongestContour, fill_holes: false };
        // Of equal ones the last.
        assert_eq!(rule.apply(&mask).area(), 15);
        let longer = drawn(&["########", "........", ".#####..", ".##.##..", ".#####.."]);
        assert_eq!(contour_lengths(&longer), [14, 12]);
        assert_eq!(rule.apply(&longer).area(), 8);
        // What lies in a hole has no outer contour of its own and is filled over.
        let nested = drawn(&["#####", "#...#", "#.#.#", "#...#", "#####"]);
        assert_eq!(contour_lengths(&nested), [16]);
        assert_eq!(rule.apply(&nested).area(), 25);
    }

    #[test]
    fn nothing_stays_nothing() {
        for mask in [Mask::empty(4, 4), Mask::empty(1, 1), Mask::default(), Mask::empty(0, 5), Mask::empty(5, 0)] {
            for keep in [Keep::All, Keep::LargestArea(Connectivity::Four), Keep::LongestContour] {
                assert_eq!(PostProcess { keep, fill_holes: true }.apply(&mask), mask);
            }
            assert!(components(&mask, Connectivity::Eight).is_empty());
        }
        let mask = drawn(&["#.#"]);
        assert_eq!(PostProcess::OFF.apply(&mask), mask);
        assert_eq!(PostProcess::default().apply(&mask), drawn(&["#.."]));
    }
}
