//! Colours and sizes with a meaning, the same in every view.

use eframe::egui::Color32;

/// The active look. Made by the window's theme; views take colours from here and nowhere else.
#[derive(Debug, Clone, PartialEq)]
pub struct Style {
    pub dark: bool,
    pub high_contrast: bool,
    /// The one accent colour.
    pub accent: Color32,
    /// Background of plots and fields.
    pub plot_background: Color32,
    /// Thin lines: grid, axes, separators.
    pub rule: Color32,
    pub text: Color32,
    /// Labels, units, secondary text.
    pub text_weak: Color32,
    pub good: Color32,
    pub warning: Color32,
    pub error: Color32,
    /// Marks of live parameter changes.
    pub live: Color32,
}

/// How a line is drawn, so that lines differ by more than colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dash {
    Solid,
    Dashed,
    Dotted,
    DashDot,
}

/// A category's appearance: colour (Okabe-Ito, safe for colour-blind viewers) and dash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Category {
    pub color: Color32,
    pub dash: Dash,
}

impl Style {
    pub fn dark() -> Self {
        Self {
            dark: true,
            high_contrast: false,
            accent: Color32::from_rgb(0x3b, 0x82, 0xf6),
            plot_background: Color32::from_rgb(0x0d, 0x11, 0x17),
            rule: Color32::from_rgb(0x2a, 0x30, 0x3a),
            text: Color32::from_rgb(0xe6, 0xe9, 0xee),
            text_weak: Color32::from_rgb(0x9a, 0xa4, 0xb2),
            good: Color32::from_rgb(0x2f, 0xb8, 0x7e),
            warning: Color32::from_rgb(0xf5, 0xa5, 0x24),
            error: Color32::from_rgb(0xef, 0x5b, 0x5b),
            live: Color32::from_rgb(0xf5, 0xa5, 0x24),
        }
    }

    pub fn light() -> Self {
        Self {
            dark: false,
            high_contrast: false,
            accent: Color32::from_rgb(0x1d, 0x5f, 0xd6),
            plot_background: Color32::from_rgb(0xff, 0xff, 0xff),
            rule: Color32::from_rgb(0xd8, 0xdd, 0xe4),
            text: Color32::from_rgb(0x16, 0x1b, 0x22),
            text_weak: Color32::from_rgb(0x55, 0x60, 0x6e),
            good: Color32::from_rgb(0x0a, 0x7d, 0x4f),
            warning: Color32::from_rgb(0xa8, 0x62, 0x00),
            error: Color32::from_rgb(0xc0, 0x2b, 0x2b),
            live: Color32::from_rgb(0xb0, 0x66, 0x00),
        }
    }

    pub fn high_contrast() -> Self {
        Self {
            dark: true,
            high_contrast: true,
            accent: Color32::from_rgb(0x5a, 0xb0, 0xff),
            plot_background: Color32::BLACK,
            rule: Color32::from_rgb(0x8a, 0x8a, 0x8a),
            text: Color32::WHITE,
            text_weak: Color32::from_rgb(0xd8, 0xd8, 0xd8),
            good: Color32::from_rgb(0x4d, 0xe6, 0xa0),
            warning: Color32::from_rgb(0xff, 0xc8, 0x3d),
            error: Color32::from_rgb(0xff, 0x80, 0x80),
            live: Color32::from_rgb(0xff, 0xc8, 0x3d),
        }
    }

    /// The appearance of category `index`; a category keeps it in every plot, table and 3-D view. The Okabe-Ito colours,
    /// with the grey and the yellow darkened where the background is light.
    pub fn category(&self, index: usize) -> Category {
        const COLORS: [(u8, u8, u8); 8] = [
            (0x99, 0x99, 0x99),
            (0xe6, 0x9f, 0x00),
            (0xf0, 0xe4, 0x42),
            (0x00, 0x9e, 0x73),
            (0x56, 0xb4, 0xe9),
            (0xcc, 0x79, 0xa7),
            (0xd5, 0x5e, 0x00),
            (0x00, 0x72, 0xb2),
        ];
        const DASHES: [Dash; 4] = [Dash::Solid, Dash::Dashed, Dash::Dotted, Dash::DashDot];
        let (r, g, b) = match (index % COLORS.len(), self.dark) {
            (0, false) => (0x66, 0x66, 0x66),
            (2, false) => (0xb3, 0xa1, 0x00),
            (7, true) => (0x4a, 0x9f, 0xff),
            (i, _) => COLORS[i],
        };
        Category { color: Color32::from_rgb(r, g, b), dash: DASHES[(index + index / COLORS.len()) % DASHES.len()] }
    }
}
