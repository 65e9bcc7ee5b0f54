//! [Colour maps](crate::scale::colormap) as egui takes them, and which one a look uses.

use eframe::egui::Color32;

use super::style::Style;

pub use crate::scale::colormap::ColorMap;

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
        self.rgb(t).map_or(Color32::TRANSPARENT, |[r, g, b]| Color32::from_rgb(r, g, b))
    }

    /// The colour of a signed value on a diverging map: 0 is its centre, `±extreme` are its ends.
    pub fn signed(self, value: f64, extreme: f64) -> Color32 {
        let share = if extreme > 0.0 { value / extreme } else { 0.0 };
        self.color((0.5 + 0.5 * share) as f32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_is_the_centre_of_a_diverging_map() {
        let centre = ColorMap::DivergingLight.signed(0.0, 2.0);
        assert!(centre.r() > 0xf0 && centre.g() > 0xf0 && centre.b() > 0xf0, "{centre:?}");
        assert_eq!(ColorMap::DivergingLight.signed(1.0, 0.0), centre, "an all-zero matrix is drawn as zero");
        assert_eq!(ColorMap::DivergingLight.signed(-2.0, 2.0), ColorMap::DivergingLight.color(0.0));
        assert_eq!(ColorMap::DivergingLight.color(f32::NAN), Color32::TRANSPARENT);
    }
}
