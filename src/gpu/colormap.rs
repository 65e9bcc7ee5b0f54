//! Colours of a height, as a table that the shader and the painter's fallback both read.

/// Entries of a colour table.
pub const COLORS: usize = 32;

/// Colours of heights 0..=1 at equal distances, sRGB-encoded.
pub type ColorTable = [[f32; 3]; COLORS];

/// The viridis map (Smith and van der Walt, CC0) by its well-known degree-6 fit, perceptually uniform and safe for
/// colour-blind viewers.
pub fn viridis() -> ColorTable {
    std::array::from_fn(|i| viridis_at(i as f32 / (COLORS - 1) as f32))
}

/// Colour of a height by linear interpolation in the table.
pub fn color_at(table: &ColorTable, height: f32) -> [f32; 3] {
    let place = height.clamp(0.0, 1.0) * (COLORS - 1) as f32;
    let index = (place as usize).min(COLORS - 2);
    let share = place - index as f32;
    std::array::from_fn(|c| table[index][c] + share * (table[index + 1][c] - table[index][c]))
}

fn viridis_at(t: f32) -> [f32; 3] {
    const C: [[f32; 3]; 7] = [
        [0.277_727_34, 0.005_407_344_5, 0.334_099_8],
        [0.105_093_04, 1.404_613_5, 1.384_590_1],
        [-0.330_861_84, 0.214_847_56, 0.095_095_165],
        [-4.634_230_5, -5.799_101, -19.332_44],
        [6.228_27, 14.179_933, 56.690_55],
        [4.776_385, -13.745_145, -65.353_035],
        [-5.435_456, 4.645_852_6, 26.312_435],
    ];
    std::array::from_fn(|c| C.iter().rev().fold(0.0, |sum, row| sum * t + row[c]).clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn viridis_runs_from_violet_to_yellow_and_grows_brighter() {
        let table = viridis();
        let near = |a: [f32; 3], b: [f32; 3]| (0..3).all(|i| (a[i] - b[i]).abs() < 0.02);
        assert!(near(table[0], [0.267, 0.005, 0.329]), "{:?}", table[0]);
        assert!(near(table[COLORS - 1], [0.993, 0.906, 0.144]), "{:?}", table[COLORS - 1]);
        let light = |c: [f32; 3]| 0.2126 * c[0].powf(2.2) + 0.7152 * c[1].powf(2.2) + 0.0722 * c[2].powf(2.2);
        assert!(table.windows(2).all(|pair| light(pair[0]) < light(pair[1])));
        assert_eq!(color_at(&table, 0.0), table[0]);
        assert_eq!(color_at(&table, 2.0), table[COLORS - 1]);
    }
}
