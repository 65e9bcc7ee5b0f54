//! Colour maps: perceptually ordered ones for fields, a diverging one centred at zero for signed values.

use std::sync::LazyLock;

use eframe::egui::Color32;

use super::style::Style;

/// A map from `0..=1` to a colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ColorMap {
    /// Viridis: dark violet, green, yellow. For pictures without lines on top.
    Viridis,
    /// Deep navy to pale green, dark enough that coloured lines stay readable on it.
    FieldDark,
    /// Slate blue to near white: the same order (low is dark) for light themes.
    FieldLight,
    /// Blue, near black, orange: signed values on a dark background.
    DivergingDark,
    /// Blue, near white, orange: signed values on a light background.
    DivergingLight,
}

const STEPS: usize = 256;

type Table = [Color32; STEPS];

/// Anchors of the maps, evenly spaced, sRGB. Lightness rises steadily along the first three.
const VIRIDIS: &[[u8; 3]] = &[
    [0x44, 0x01, 0x54],
    [0x48, 0x1a, 0x6c],
    [0x47, 0x2f, 0x7d],
    [0x41, 0x44, 0x87],
    [0x39, 0x56, 0x8c],
    [0x31, 0x68, 0x8e],
    [0x2a, 0x78, 0x8e],
    [0x23, 0x88, 0x8e],
    [0x1f, 0x98, 0x8b],
    [0x22, 0xa8, 0x84],
    [0x35, 0xb7, 0x79],
    [0x54, 0xc5, 0x68],
    [0x7a, 0xd1, 0x51],
    [0xa5, 0xdb, 0x36],
    [0xd2, 0xe2, 0x1b],
    [0xfd, 0xe7, 0x25],
];
const FIELD_DARK: &[[u8; 3]] = &[
    [0x12, 0x14, 0x2c],
    [0x18, 0x20, 0x44],
    [0x1c, 0x31, 0x59],
    [0x1e, 0x45, 0x67],
    [0x21, 0x59, 0x6f],
    [0x27, 0x6d, 0x73],
    [0x33, 0x81, 0x74],
    [0x47, 0x95, 0x73],
    [0x63, 0xa8, 0x74],
];
const FIELD_LIGHT: &[[u8; 3]] = &[
    [0x7f, 0x9e, 0xc0],
    [0x91, 0xb0, 0xcb],
    [0xa3, 0xc1, 0xd3],
    [0xb5, 0xd0, 0xd9],
    [0xc6, 0xdd, 0xde],
    [0xd6, 0xe7, 0xe3],
    [0xe4, 0xef, 0xe8],
    [0xef, 0xf5, 0xee],
    [0xf8, 0xfa, 0xf5],
];
const DIVERGING_DARK: &[[u8; 3]] = &[
    [0x8e, 0xc7, 0xff],
    [0x4a, 0x9f, 0xf0],
    [0x2b, 0x6c, 0xb0],
    [0x1d, 0x3d, 0x66],
    [0x14, 0x18, 0x20],
    [0x5a, 0x2e, 0x14],
    [0xa6, 0x4c, 0x10],
    [0xe6, 0x7f, 0x2b],
    [0xff, 0xc2, 0x85],
];
const DIVERGING_LIGHT: &[[u8; 3]] = &[
    [0x0b, 0x3c, 0x78],
    [0x20, 0x66, 0xac],
    [0x5b, 0x9b, 0xd0],
    [0xad, 0xcd, 0xe6],
    [0xf7, 0xf7, 0xf7],
    [0xf6, 0xcf, 0xa8],
    [0xe3, 0x95, 0x4c],
    [0xb8, 0x5c, 0x12],
    [0x7a, 0x36, 0x04],
];

static TABLES: LazyLock<[Table; 5]> =
    LazyLock::new(|| [VIRIDIS, FIELD_DARK, FIELD_LIGHT, DIVERGING_DARK, DIVERGING_LIGHT].map(table));

fn table(anchors: &[[u8; 3]]) -> Table {
    std::array::from_fn(|i| {
        let at = i as f32 / (STEPS - 1) as f32 * (anchors.len() - 1) as f32;
        let left = (at as usize).min(anchors.len() - 2);
        let share = at - left as f32;
        let [r, g, b] = std::array::from_fn(|c| {
            let (from, to) = (f32::from(anchors[left][c]), f32::from(anchors[left + 1][c]));
            (from + share * (to - from)).round() as u8
        });
        Color32::from_rgb(r, g, b)
    })
}

impl ColorMap {
    /// The map of scalar fields in this look.
    pub fn field(style: &Style) -> Self {
        if style.dark { ColorMap::FieldDark } else { ColorMap::FieldLight }
    }

    /// The map of signed matrices in this look.
    pub fn diverging(style: &Style) -> Self {
        if style.dark { ColorMap::DivergingDark } else { ColorMap::DivergingLight }
    }

    /// The colour at `t`; below 0 and above 1 the ends' colours. A value that is not a number is transparent.
    pub fn color(self, t: f32) -> Color32 {
        if t.is_nan() {
            return Color32::TRANSPARENT;
        }
        TABLES[self as usize][(t.clamp(0.0, 1.0) * (STEPS - 1) as f32).round() as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_the_anchors_and_values_beyond_are_clamped() {
        assert_eq!(ColorMap::Viridis.color(0.0), Color32::from_rgb(0x44, 0x01, 0x54));
        assert_eq!(ColorMap::Viridis.color(1.0), Color32::from_rgb(0xfd, 0xe7, 0x25));
        assert_eq!(ColorMap::Viridis.color(-3.0), ColorMap::Viridis.color(0.0));
        assert_eq!(ColorMap::Viridis.color(f32::INFINITY), ColorMap::Viridis.color(1.0));
        assert_eq!(ColorMap::Viridis.color(f32::NAN), Color32::TRANSPARENT);
    }

    #[test]
    fn field_maps_grow_lighter_from_low_to_high() {
        for map in [ColorMap::Viridis, ColorMap::FieldDark, ColorMap::FieldLight] {
            let luma = |i: usize| {
                let c = map.color(i as f32 / 32.0);
                0.2126 * f32::from(c.r()) + 0.7152 * f32::from(c.g()) + 0.0722 * f32::from(c.b())
            };
            assert!((1..=32).all(|i| luma(i) > luma(i - 1)), "{map:?}");
        }
    }

    #[test]
    fn the_centre_of_a_diverging_map_is_almost_white() {
        let centre = ColorMap::DivergingLight.color(0.5);
        assert!(centre.r() > 0xf0 && centre.g() > 0xf0 && centre.b() > 0xf0, "{centre:?}");
    }
}
