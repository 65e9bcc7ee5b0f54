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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_centre_of_a_diverging_map_is_almost_white_and_no_number_is_transparent() {
        let centre = ColorMap::DivergingLight.color(0.5);
        assert!(centre.r() > 0xf0 && centre.g() > 0xf0 && centre.b() > 0xf0, "{centre:?}");
        assert_eq!(ColorMap::DivergingLight.color(f32::NAN), Color32::TRANSPARENT);
    }
}
