//! Colours of a height, as a table that the shader and the painter's fallback both read.

/// Entries of a colour table.
pub const COLORS: usize = 32;

/// Colours of heights 0..=1 at equal distances, sRGB-encoded.
pub type ColorTable = [[f32; 3]; COLORS];

/// Colour of a height by linear interpolation in the table.
pub fn color_at(table: &ColorTable, height: f32) -> [f32; 3] {
    let place = height.clamp(0.0, 1.0) * (COLORS - 1) as f32;
    let index = (place as usize).min(COLORS - 2);
    let share = place - index as f32;
    std::array::from_fn(|c| table[index][c] + share * (table[index + 1][c] - table[index][c]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colour_lies_between_its_neighbours_and_beyond_the_ends_at_them() {
        let table: ColorTable = std::array::from_fn(|i| [i as f32, 0.0, 1.0]);
        assert_eq!(color_at(&table, 0.5), [0.5 * (COLORS - 1) as f32, 0.0, 1.0]);
        assert_eq!(color_at(&table, 0.0), table[0]);
        assert_eq!(color_at(&table, 2.0), table[COLORS - 1]);
    }
}
