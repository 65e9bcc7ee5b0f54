//! Colour maps: perceptually ordered ones for fields, diverging ones centred at zero for signed values. Colours are
//! sRGB-encoded.

use std::sync::LazyLock;

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

type Table = [[u8; 3]; STEPS];

/// Entries of a [`ColorTable`].
pub const COLORS: usize = 32;

/// Colours from 0 to 1 at equal distances, for a shader.
pub type ColorTable = [[f32; 3]; COLORS];

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
        std::array::from_fn(|c| {
            let (from, to) = (f32::from(anchors[left][c]), f32::from(anchors[left + 1][c]));
            (from + share * (to - from)).round() as u8
        })
    })
}

impl ColorMap {
    /// The colour at `t`; below 0 and above 1 the ends' colours. `None` for a value that is not a number.
    pub fn rgb(self, t: f32) -> Option<[u8; 3]> {
        (!t.is_nan()).then(|| TABLES[self as usize][(t.clamp(0.0, 1.0) * (STEPS - 1) as f32).round() as usize])
    }

    /// The map as few colours.
    pub fn table(self) -> ColorTable {
        std::array::from_fn(|i| {
            let rgb = self.rgb(i as f32 / (COLORS - 1) as f32).unwrap_or_default();
            rgb.map(|v| f32::from(v) / 255.0)
        })
    }
}

/// The colour at `t` in 0 to 1 by linear interpolation in a table, as a shader takes it.
pub fn color_at(table: &ColorTable, t: f32) -> [f32; 3] {
    let place = t.clamp(0.0, 1.0) * (COLORS - 1) as f32;
    let index = (place as usize).min(COLORS - 2);
    let share = place - index as f32;
    std::array::from_fn(|c| table[index][c] + share * (table[index + 1][c] - table[index][c]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_the_anchors_and_values_beyond_are_clamped() {
        assert_eq!(ColorMap::Viridis.rgb(0.0), Some([0x44, 0x01, 0x54]));
        assert_eq!(ColorMap::Viridis.rgb(1.0), Some([0xfd, 0xe7, 0x25]));
        assert_eq!(ColorMap::Viridis.rgb(-3.0), ColorMap::Viridis.rgb(0.0));
        assert_eq!(ColorMap::Viridis.rgb(f32::INFINITY), ColorMap::Viridis.rgb(1.0));
        assert_eq!(ColorMap::Viridis.rgb(f32::NAN), None);
    }

    #[test]
    fn field_maps_grow_lighter_from_low_to_high() {
        for map in [ColorMap::Viridis, ColorMap::FieldDark, ColorMap::FieldLight] {
            let luma = |i: usize| {
                let [r, g, b] = map.rgb(i as f32 / 32.0).unwrap();
                0.2126 * f32::from(r) + 0.7152 * f32::from(g) + 0.0722 * f32::from(b)
            };
            assert!((1..=32).all(|i| luma(i) > luma(i - 1)), "{map:?}");
        }
    }

    #[test]
    fn a_table_holds_the_map_and_what_lies_between() {
        let table = ColorMap::FieldDark.table();
        for i in 0..=100 {
            let t = i as f32 / 100.0;
            let exact = ColorMap::FieldDark.rgb(t).unwrap().map(|v| f32::from(v) / 255.0);
            assert!(color_at(&table, t).iter().zip(exact).all(|(a, b)| (a - b).abs() < 0.012), "{t}");
        }
        assert_eq!((color_at(&table, 0.0), color_at(&table, 2.0)), (table[0], table[COLORS - 1]));
    }
}
