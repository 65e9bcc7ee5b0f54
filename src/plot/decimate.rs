//! Reduces long lines to what pixels can show, keeping extremes and the order of steps.

use std::collections::HashSet;

use eframe::egui::{Pos2, Rect};

use super::stroke::Stop;

/// A curve against the step, at most four stops a pixel column: first, lowest, highest, last; only the lowest and the
/// highest of a crowded column.
///
/// `samples` are `(step, x, y)` in pixels with `x` not decreasing; a `y` that is not finite breaks the curve. Columns
/// are `column` pixels wide. Every run is in order of steps.
pub fn columns(samples: impl Iterator<Item = (u64, f64, f64)>, column: f64, clip: Rect) -> Vec<Vec<Stop>> {
    let mut runs = Vec::new();
    let mut run: Vec<Stop> = Vec::new();
    let mut bucket: Option<Bucket> = None;
    // Coordinates far outside would lose their direction in f32; beyond the clip they are only directions anyway.
    let reach = 4.0 * f64::from(clip.height().max(1.0));
    let (top, bottom) = (f64::from(clip.top()) - reach, f64::from(clip.bottom()) + reach);
    let near = f64::from(clip.top()) - 0.25 * reach..=f64::from(clip.bottom()) + 0.25 * reach;
    // The last sample, where it was far outside.
    let mut outside: Option<(i64, Stop)> = None;
    for (step, x, y) in samples {
        if !y.is_finite() || !x.is_finite() {
            flush(&mut bucket, &mut run);
            close(&mut run, &mut runs);
            outside = None;
            continue;
        }
        let key = (x / column).floor() as i64;
        let stop = (Pos2::new(x as f32, y.clamp(top, bottom) as f32), step);
        let far = !near.contains(&y);
        if far && outside.is_some() {
            // From far outside to far outside: an oscillation that has left the picture would only fill it.
            flush(&mut bucket, &mut run);
            close(&mut run, &mut runs);
            outside = Some((key, stop));
            continue;
        }
        if let Some((key, stop)) = outside.take().filter(|_| run.is_empty() && bucket.is_none()) {
            bucket = Some(Bucket::new(key, stop));
        }
        outside = far.then_some((key, stop));
        match &mut bucket {
            Some(open) if open.key == key => open.add(stop),
            _ => {
                flush(&mut bucket, &mut run);
                bucket = Some(Bucket::new(key, stop));
            }
        }
    }
    flush(&mut bucket, &mut run);
    close(&mut run, &mut runs);
    runs
}

struct Bucket {
    key: i64,
    first: Stop,
    low: Stop,
    high: Stop,
    last: Stop,
    count: usize,
}

/// Samples from which on a column is crowded: the way from one extreme to the other crosses all others.
const CROWDED: usize = 8;

impl Bucket {
    fn new(key: i64, stop: Stop) -> Self {
        Self { key, first: stop, low: stop, high: stop, last: stop, count: 1 }
    }

    fn add(&mut self, stop: Stop) {
        if stop.0.y < self.low.0.y {
            self.low = stop;
        }
        if stop.0.y > self.high.0.y {
            self.high = stop;
        }
        self.last = stop;
        self.count += 1;
    }
}

fn flush(bucket: &mut Option<Bucket>, run: &mut Vec<Stop>) {
    let Some(Bucket { first, low, high, last, count, .. }) = bucket.take() else { return };
    let (a, b) = if low.1 <= high.1 { (low, high) } else { (high, low) };
    let begins = run.is_empty();
    for (index, stop) in [first, a, b, last].into_iter().enumerate() {
        if count >= CROWDED && (index == 0 && !begins || index == 3) {
            continue;
        }
        if run.last().is_none_or(|(_, step)| *step < stop.1) {
            run.push(stop);
        }
    }
}

fn close(run: &mut Vec<Stop>, runs: &mut Vec<Vec<Stop>>) {
    if !run.is_empty() {
        runs.push(std::mem::take(run));
    }
}

/// Drops stops that lie on the way between their neighbours, to within `tolerance`. No stroke becomes longer than
/// `longest`, so that a line can still be cut near every step.
pub fn simplified(run: &[Stop], tolerance: f32, longest: f32) -> Vec<Stop> {
    let mut kept: Vec<Stop> = run.first().copied().into_iter().collect();
    let mut anchor = 0;
    for end in 2..run.len() {
        let (from, to) = (run[anchor].0, run[end].0);
        let on_the_way = |stop: &Stop| distance_to_segment(stop.0, from, to) <= tolerance;
        if from.distance(to) > longest || !run[anchor + 1..end].iter().all(on_the_way) {
            anchor = end - 1;
            kept.push(run[anchor]);
        }
    }
    if run.len() > 1 {
        kept.push(run[run.len() - 1]);
    }
    kept
}

/// How far a point is from a stroke.
pub fn distance_to_segment(p: Pos2, from: Pos2, to: Pos2) -> f32 {
    let along = to - from;
    let square = along.length_sq();
    let share = if square > 0.0 { ((p - from).dot(along) / square).clamp(0.0, 1.0) } else { 0.0 };
    p.distance(from + share * along)
}

/// The last stop that is reached at `step`, if the line goes on from there.
pub fn open_end(runs: &[Vec<Stop>], step: u64) -> Option<Pos2> {
    let index = runs.partition_point(|run| run.first().is_some_and(|first| first.1 <= step)).checked_sub(1)?;
    let run = &runs[index];
    let reached = run.partition_point(|stop| stop.1 <= step);
    (reached > 0 && reached < run.len()).then(|| run[reached - 1].0)
}

/// A path in the plane: stops closer than `tolerance` pixels to the last kept one are dropped, and so is a stroke that
/// an earlier one has already drawn (a limit cycle is drawn once). Strokes outside `clip` are cut off; a point that is not
/// finite breaks the path.
///
/// The result never has more than about `cap` stops: a path that fills the picture is drawn more coarsely.
pub fn path(
    points: impl Iterator<Item = (u64, f64, f64)> + Clone,
    tolerance: f64,
    clip: Rect,
    cap: usize,
) -> Vec<Vec<Stop>> {
    let mut tolerance = tolerance;
    loop {
        let runs = path_once(points.clone(), tolerance, clip, cap);
        match runs {
            Some(runs) => return runs,
            None => tolerance *= 2.0,
        }
    }
}

fn path_once(
    points: impl Iterator<Item = (u64, f64, f64)>,
    tolerance: f64,
    clip: Rect,
    cap: usize,
) -> Option<Vec<Vec<Stop>>> {
    let mut runs: Vec<Vec<Stop>> = Vec::new();
    let mut run: Vec<Stop> = Vec::new();
    let mut count = 0;
    let mut drawn = HashSet::new();
    let cell = |x: f64, y: f64| ((x / tolerance).floor() as i32, (y / tolerance).floor() as i32);
    let near = clip.expand2(0.5 * clip.size());
    let place = |x: f64, y: f64| Pos2::new(x as f32, y as f32);
    let mut last: Option<(f64, f64)> = None;
    for (step, x, y) in points {
        if !(x.is_finite() && y.is_finite()) {
            close(&mut run, &mut runs);
            last = None;
            continue;
        }
        let Some((from_x, from_y)) = last else {
            last = Some((x, y));
            continue;
        };
        if (x - from_x).abs() < tolerance && (y - from_y).abs() < tolerance {
            continue;
        }
        last = Some((x, y));
        // A stroke that jumps across the picture from far outside to far outside is an oscillation that has left it: drawing
        // every one would only fill the picture.
        let jumps = !near.contains(place(from_x, from_y)) && !near.contains(place(x, y));
        let segment = clip_segment([from_x, from_y], [x, y], clip).filter(|_| !jumps).filter(|([ax, ay], [bx, by])| {
            let (a, b) = (cell(*ax, *ay), cell(*bx, *by));
            drawn.insert(if a <= b { (a, b) } else { (b, a) })
        });
        let Some((a, b)) = segment else {
            close(&mut run, &mut runs);
            continue;
        };
        let (a, b) = (Pos2::new(a[0] as f32, a[1] as f32), Pos2::new(b[0] as f32, b[1] as f32));
        if run.last().is_none_or(|(end, _)| end.distance_sq(a) > 1e-4) {
            close(&mut run, &mut runs);
            run.push((a, step.saturating_sub(1)));
        }
        run.push((b, step));
        count += 1;
        if count > cap {
            return None;
        }
    }
    close(&mut run, &mut runs);
    Some(runs)
}

/// The part of a segment inside `clip` (Liang-Barsky), or `None`.
pub fn clip_segment(from: [f64; 2], to: [f64; 2], clip: Rect) -> Option<([f64; 2], [f64; 2])> {
    let delta = [to[0] - from[0], to[1] - from[1]];
    let (low, high) = ([clip.left(), clip.top()], [clip.right(), clip.bottom()]);
    let (mut enter, mut leave) = (0.0f64, 1.0f64);
    for axis in 0..2 {
        let (low, high) = (f64::from(low[axis]), f64::from(high[axis]));
        if delta[axis] == 0.0 {
            if from[axis] < low || from[axis] > high {
                return None;
            }
            continue;
        }
        let (a, b) = ((low - from[axis]) / delta[axis], (high - from[axis]) / delta[axis]);
        enter = enter.max(a.min(b));
        leave = leave.min(a.max(b));
    }
    // Also when one of them is not a number.
    if enter.partial_cmp(&leave).is_none_or(|order| order.is_gt()) {
        return None;
    }
    let at = |share: f64, exact: [f64; 2]| {
        // The ends stay bit-exact, so that neighbouring strokes join.
        if share == 0.0 || share == 1.0 { exact } else { [from[0] + share * delta[0], from[1] + share * delta[1]] }
    };
    Some((at(enter, from), at(leave, to)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clip() -> Rect {
        Rect::from_min_max(Pos2::new(0.0, 0.0), Pos2::new(600.0, 400.0))
    }

    #[test]
    fn every_columns_extremes_survive() {
        let value = |i: u64| {
            if i == 43_217 {
                399.0
            } else if i == 77_001 {
                1.0
            } else {
                200.0 + (i as f64 * 0.7).sin()
            }
        };
        let samples = (0..100_000u64).map(|i| (i, i as f64 * 600.0 / 100_000.0, value(i)));
        let runs = columns(samples.clone(), 1.0, clip());
        assert_eq!(runs.len(), 1);
        assert!(runs[0].len() <= 2 * 601, "{}", runs[0].len());
        for column in 0..600 {
            let of = |x: f64| x >= f64::from(column) && x < f64::from(column + 1);
            let truth = samples.clone().filter(|(_, x, _)| of(*x)).map(|(.., y)| y as f32);
            let kept = runs[0].iter().filter(|(p, _)| of(f64::from(p.x))).map(|(p, _)| p.y);
            let range =
                |ys: &mut dyn Iterator<Item = f32>| ys.fold((f32::MAX, f32::MIN), |(a, b), y| (a.min(y), b.max(y)));
            assert_eq!(range(&mut kept.into_iter()), range(&mut truth.into_iter()), "column {column}");
        }
        assert!(runs[0].windows(2).all(|pair| pair[0].1 < pair[1].1), "in order of steps");
    }

    #[test]
    fn short_curves_are_kept_whole_and_break_where_a_value_is_missing() {
        let samples = [(0, 0.0, 1.0), (1, 10.0, 2.0), (2, 20.0, f64::NAN), (3, 30.0, 3.0), (4, 40.0, f64::INFINITY)];
        let runs = columns(samples.into_iter(), 1.0, clip());
        let steps: Vec<Vec<u64>> = runs.iter().map(|run| run.iter().map(|stop| stop.1).collect()).collect();
        assert_eq!(steps, [vec![0, 1], vec![3]]);
    }

    #[test]
    fn an_oscillation_that_has_left_the_picture_does_not_fill_it() {
        let samples = (0..1_000u64).map(|i| (i, 0.5 * i as f64, 200.0 + (-1.1f64).powi(i as i32)));
        let runs = columns(samples, 1.0, clip());
        // 1.1ⁱ passes the picture's height after some 70 steps.
        assert!(runs.iter().flatten().all(|(_, step)| *step < 80), "{:?}", runs.last());
        let back = [(0, 0.0, 200.0), (1, 1.0, 1e9), (2, 2.0, -1e9), (3, 3.0, 1e9), (4, 4.0, 200.0), (5, 5.0, 210.0)];
        let runs = columns(back.into_iter(), 1.0, clip());
        let steps: Vec<Vec<u64>> = runs.iter().map(|run| run.iter().map(|stop| stop.1).collect()).collect();
        assert_eq!(steps, [vec![0, 1], vec![3, 4, 5]], "it leaves and it comes back");
    }

    #[test]
    fn a_smooth_curve_needs_few_stops_and_keeps_its_shape() {
        let run: Vec<Stop> =
            (0..1_000u64).map(|i| (Pos2::new(0.5 * i as f32, 100.0 + 50.0 * (0.01 * i as f32).sin()), i)).collect();
        let kept = simplified(&run, 0.25, 14.0);
        assert!(kept.len() < 80, "{}", kept.len());
        assert_eq!((kept[0], kept[kept.len() - 1]), (run[0], run[999]));
        for stop in &run {
            let nearest = kept.windows(2).map(|pair| distance_to_segment(stop.0, pair[0].0, pair[1].0));
            assert!(nearest.fold(f32::MAX, f32::min) <= 0.25);
        }
        assert!(kept.windows(2).all(|pair| pair[0].0.distance(pair[1].0) <= 14.6));
        let zigzag: Vec<Stop> = (0..50u64).map(|i| (Pos2::new(i as f32, (i % 2) as f32 * 30.0), i)).collect();
        assert_eq!(simplified(&zigzag, 0.25, 14.0).len(), 50, "extremes stay");
        assert_eq!(simplified(&run[..1], 0.25, 14.0).len(), 1);
        assert!(simplified(&[], 0.25, 14.0).is_empty());
    }

    #[test]
    fn a_line_goes_on_from_its_last_stop_before_the_cursor() {
        let stop = |x: f32, step: u64| (Pos2::new(x, 0.0), step);
        let runs = [vec![stop(0.0, 0), stop(1.0, 10)], vec![stop(5.0, 20), stop(6.0, 30)]];
        assert_eq!(open_end(&runs, 9), Some(Pos2::new(0.0, 0.0)));
        assert_eq!(open_end(&runs, 10), None);
        assert_eq!(open_end(&runs, 15), None);
        assert_eq!(open_end(&runs, 25), Some(Pos2::new(5.0, 0.0)));
    }

    #[test]
    fn a_limit_cycle_is_drawn_once() {
        let cycle = (0..100_000u64).map(|i| (i, 300.0 + if i % 2 == 0 { 5.0 } else { -5.0 }, 200.0));
        let runs = path(cycle, 0.5, clip(), 8_000);
        let stops: usize = runs.iter().map(Vec::len).sum();
        assert_eq!(stops, 2);
        assert_eq!(runs[0].last().map(|stop| stop.1), Some(1));
    }

    #[test]
    fn a_path_keeps_its_shape_and_ends_where_it_leaves_the_picture() {
        let circle = (0..5_000u64).map(|i| {
            let angle = i as f64 * 1e-3;
            (i, 300.0 + 100.0 * angle.cos(), 200.0 + 100.0 * angle.sin())
        });
        let runs = path(circle, 0.5, clip(), 8_000);
        assert_eq!(runs.len(), 1);
        assert!(runs[0].len() < 1_100, "{}", runs[0].len());
        assert!(runs[0].iter().all(|(p, _)| ((p.x - 300.0).hypot(p.y - 200.0) - 100.0).abs() < 0.01));
        let away = (0..2_000u64).map(|i| (i, 300.0, 200.0 * 1.5f64.powi(i as i32)));
        let runs = path(away, 0.5, clip(), 8_000);
        let end = runs.last().and_then(|run| run.last()).unwrap();
        assert_eq!((end.0, end.1), (Pos2::new(300.0, 400.0), 2));
    }

    #[test]
    fn a_path_goes_on_after_what_is_not_a_number() {
        let gap = [(0, 10.0, 10.0), (1, 20.0, 10.0), (2, 30.0, f64::NAN), (3, 40.0, 10.0), (4, 50.0, 10.0)];
        let runs = path(gap.into_iter(), 0.5, clip(), 8_000);
        let ends: Vec<f32> = runs.iter().filter_map(|run| run.last()).map(|(at, _)| at.x).collect();
        assert_eq!(ends, [20.0, 50.0]);
    }

    #[test]
    fn a_path_that_fills_the_picture_stays_within_its_cap() {
        let mut state = 1u64;
        let noise: Vec<(u64, f64, f64)> = (0..50_000)
            .map(|i| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (i, (state >> 40) as f64 % 600.0, (state >> 20) as f64 % 400.0)
            })
            .collect();
        let runs = path(noise.iter().copied(), 0.5, clip(), 8_000);
        assert!(runs.iter().map(Vec::len).sum::<usize>() <= 16_002);
    }
}
