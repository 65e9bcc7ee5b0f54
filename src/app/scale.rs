//! How large everything is drawn: by the window's width, or as the user chose. Everything grows alike, so that nothing is cut
//! that fits at another size.

/// The smallest and the largest that can be chosen.
pub const LIMITS: (f32, f32) = (0.7, 2.0);
/// Width in points from which on things grow, and where they have grown by [`MOST`].
const WIDTHS: (f32, f32) = (1600.0, 1920.0);
const MOST: f32 = 0.15;

/// The scale of a window that is `width` points wide at a scale of 1, in steps of 0.05: another scale draws all type anew.
pub fn by_width(width: f32) -> f32 {
    let share = ((width - WIDTHS.0) / (WIDTHS.1 - WIDTHS.0)).clamp(0.0, 1.0);
    // A little more, so that the last step is not lost by rounding.
    1.0 + (MOST * share / 0.05 + 1e-3).floor() * 0.05
}

/// The next larger or smaller one of the series 0.7, 0.8, ….
pub fn next(now: f32, larger: bool) -> f32 {
    let tenths = 10.0 * now;
    let next = if larger { (tenths + 0.01).floor() + 1.0 } else { (tenths - 0.01).ceil() - 1.0 };
    (next / 10.0).clamp(LIMITS.0, LIMITS.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_are_larger_in_a_wide_window_only() {
        for width in [0.0, 683.0, 1280.0, 1440.0, 1600.0] {
            assert_eq!(by_width(width), 1.0, "{width}");
        }
        assert!((by_width(1920.0) - 1.15).abs() < 1e-5 && (by_width(3840.0) - 1.15).abs() < 1e-5);
        assert!((by_width(1850.0) - 1.1).abs() < 1e-5, "beside a dock");
    }

    #[test]
    fn sizes_are_a_series_with_two_ends() {
        let series: Vec<f32> = std::iter::successors(Some(0.7), |now| Some(next(*now, true))).take(16).collect();
        assert_eq!((series[1], series[3], series[13], series[15]), (0.8, 1.0, 2.0, 2.0));
        assert_eq!((next(1.15, true), next(1.15, false)), (1.2, 1.1));
        assert_eq!((next(0.7, false), next(1.0, false)), (0.7, 0.9));
    }
}
