//! Finds places for the names of points so that no name covers another name or a point.

use eframe::egui::{Pos2, Rect, Vec2, vec2};

/// A place for the name of each point, of the size given; `None` where none is free. Names touch no other name and none of
/// `solid`; they keep off `thin` (error bars, lines) where they can. All lie in `within`.
pub fn place(
    points: &[Pos2],
    sizes: &[Vec2],
    solid: &[Rect],
    thin: &[Rect],
    within: Rect,
    gap: f32,
) -> Vec<Option<Rect>> {
    let mut found: Vec<Option<Rect>> = vec![None; points.len()];
    // Those in a crowd have the least choice, so they choose first.
    let reach = sizes.iter().map(|size| size.x).fold(0.0, f32::max) + 2.0 * gap;
    let crowd = |at: Pos2| points.iter().filter(|other| other.distance(at) < reach).count();
    let mut order: Vec<usize> = (0..points.len().min(sizes.len())).collect();
    order.sort_by_key(|&i| (std::cmp::Reverse(crowd(points[i])), i));
    for i in order {
        let free = |place: &Rect| {
            within.contains_rect(*place)
                && !solid.iter().any(|other| other.intersects(*place))
                && !found.iter().flatten().any(|other| other.intersects(*place))
        };
        let crossed = |place: &Rect| thin.iter().filter(|other| other.intersects(*place)).count();
        // `min_by_key` keeps the first of equals: the nearest of the usual places.
        found[i] = candidates(points[i], sizes[i], gap).filter(free).min_by_key(crossed);
    }
    found
}

/// Places around a point: beside, above, below and oblique, near first.
fn candidates(at: Pos2, size: Vec2, gap: f32) -> impl Iterator<Item = Rect> {
    const SIDES: [(f32, f32); 16] = [
        (1.0, 0.0),
        (0.0, -1.0),
        (-1.0, 0.0),
        (0.0, 1.0),
        (1.0, -1.0),
        (1.0, 1.0),
        (-1.0, -1.0),
        (-1.0, 1.0),
        (0.5, -1.0),
        (-0.5, -1.0),
        (0.5, 1.0),
        (-0.5, 1.0),
        (1.0, -0.5),
        (1.0, 0.5),
        (-1.0, -0.5),
        (-1.0, 0.5),
    ];
    [1.0, 2.2, 3.6, 5.0].into_iter().flat_map(move |far| {
        SIDES.into_iter().map(move |(x, y)| {
            let centre = at + vec2(x * (0.5 * size.x + gap * far), y * (0.5 * size.y + gap * far));
            Rect::from_center_size(centre, size)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use eframe::egui::pos2;

    const WITHIN: Rect = Rect { min: Pos2::ZERO, max: Pos2 { x: 400.0, y: 300.0 } };

    fn boxes(points: &[Pos2]) -> Vec<Rect> {
        points.iter().map(|at| Rect::from_center_size(*at, Vec2::splat(8.0))).collect()
    }

    #[test]
    fn names_in_a_crowd_touch_neither_each_other_nor_the_points() {
        let points: Vec<Pos2> = (0..10).map(|i| pos2(150.0 + 9.0 * i as f32, 120.0 + 6.0 * (i % 3) as f32)).collect();
        let solid = boxes(&points);
        let places = place(&points, &[vec2(30.0, 12.0); 10], &solid, &[], WITHIN, 6.0);
        let found: Vec<Rect> = places.into_iter().flatten().collect();
        assert!(found.len() >= 8, "only {} of 10 found a place", found.len());
        for (i, a) in found.iter().enumerate() {
            assert!(WITHIN.contains_rect(*a));
            assert!(found[..i].iter().all(|b| !a.intersects(*b)), "two names overlap");
            assert!(solid.iter().all(|point| !a.intersects(*point)), "a name hides a point");
        }
    }

    #[test]
    fn a_lone_point_has_its_name_on_its_right_and_at_the_border_on_its_left() {
        let size = [vec2(40.0, 12.0)];
        let alone = [pos2(100.0, 100.0)];
        assert!(place(&alone, &size, &boxes(&alone), &[], WITHIN, 6.0)[0].unwrap().left() > 104.0);
        let border = [pos2(395.0, 100.0)];
        assert!(place(&border, &size, &boxes(&border), &[], WITHIN, 6.0)[0].unwrap().right() < 391.0);
        // A line on the right is kept clear of.
        let thin = [Rect::from_min_max(pos2(110.0, 90.0), pos2(112.0, 110.0))];
        assert!(!place(&alone, &size, &boxes(&alone), &thin, WITHIN, 6.0)[0].unwrap().intersects(thin[0]));
    }

    #[test]
    fn without_room_there_is_no_name() {
        let points = [pos2(5.0, 5.0)];
        let small = Rect::from_min_max(Pos2::ZERO, pos2(20.0, 10.0));
        assert_eq!(place(&points, &[vec2(40.0, 12.0)], &[], &[], small, 6.0), [None]);
        assert!(place(&[], &[], &[], &[], small, 6.0).is_empty());
    }
}
