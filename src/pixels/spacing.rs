//! How large a pixel is in millimetres, and what distances and areas are measured in.

/// Millimetres from one row of pixels to the next and from one column to the next: finite, and from [`Spacing::RANGE`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spacing {
    pub row: f64,
    pub column: f64,
}

/// What distances are measured in; areas in its square.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unit {
    #[default]
    Pixels,
    Millimetres,
}

impl Spacing {
    /// One pixel each: distances are in pixels.
    pub const PIXELS: Self = Self { row: 1.0, column: 1.0 };
    /// Millimetres that a pixel may have, from electron microscopes to maps.
    pub const RANGE: [f64; 2] = [1e-7, 1e4];

    /// `None` for what no pixel has: zero, negative, no number.
    pub fn new(row: f64, column: f64) -> Option<Self> {
        let fits = |side: f64| (Self::RANGE[0]..=Self::RANGE[1]).contains(&side);
        (fits(row) && fits(column)).then_some(Self { row, column })
    }

    /// `0.2`, or `0.2,0.3` for row and column, in millimetres.
    pub fn parse(text: &str) -> Result<Self, String> {
        let sides: Option<Vec<f64>> = text.split(',').map(|side| side.trim().parse().ok()).collect();
        let spacing = match sides.as_deref() {
            Some(&[side]) => Self::new(side, side),
            Some(&[row, column]) => Self::new(row, column),
            _ => None,
        };
        let [least, most] = Self::RANGE;
        spacing.ok_or_else(|| {
            format!(
                "`{text}` is no size of a pixel: expected millimetres from {least} to {most} as `0.2`, or row and column as \
                 `0.2,0.3`"
            )
        })
    }

    /// Square millimetres of a pixel.
    pub fn area(self) -> f64 {
        self.row * self.column
    }

    /// Of blocks of `factor`×`factor` pixels.
    #[must_use]
    pub fn times(self, factor: usize) -> Self {
        Self { row: self.row * factor as f64, column: self.column * factor as f64 }
    }

    /// The squared length of a step of so many rows and columns, mm².
    pub(super) fn squared(self, rows: u32, columns: u32) -> f64 {
        let square = |count: u32, side: f64| {
            let length = f64::from(count) * side;
            length * length
        };
        square(rows, self.row) + square(columns, self.column)
    }

    /// `0.2 mm`, or `0.2 × 0.3 mm` (row and column).
    pub fn text(self) -> String {
        if self.row == self.column { format!("{} mm", self.row) } else { format!("{} × {} mm", self.row, self.column) }
    }
}

impl Unit {
    /// Of distances that were measured with this spacing.
    pub fn of(spacing: Option<Spacing>) -> Self {
        if spacing.is_some() { Self::Millimetres } else { Self::Pixels }
    }

    /// Behind a distance.
    pub fn short(self) -> &'static str {
        match self {
            Self::Pixels => "px",
            Self::Millimetres => "mm",
        }
    }

    /// Behind an area.
    pub fn area(self) -> &'static str {
        match self {
            Self::Pixels => "px",
            Self::Millimetres => "mm²",
        }
    }

    /// In a sentence.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pixels => "pixels",
            Self::Millimetres => "mm",
        }
    }

    /// The same with what pixels are meant.
    pub fn of_original(self) -> &'static str {
        match self {
            Self::Pixels => "pixels of the original",
            Self::Millimetres => "mm",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_of_a_pixel_is_typed_as_one_number_or_two() {
        assert_eq!(Spacing::parse("0.2"), Ok(Spacing { row: 0.2, column: 0.2 }));
        assert_eq!(Spacing::parse(" 0.2 , 0.3"), Ok(Spacing { row: 0.2, column: 0.3 }));
        for odd in ["", "0", "-1", "0.2,0.3,0.4", "nan", "inf", "0,2 mm", "1e9"] {
            assert!(Spacing::parse(odd).unwrap_err().contains("expected millimetres"), "{odd}");
        }
        assert_eq!(Spacing { row: 0.2, column: 0.2 }.text(), "0.2 mm");
        assert_eq!(Spacing { row: 0.2, column: 0.25 }.text(), "0.2 × 0.25 mm");
    }
}
