//! The look: bundled fonts, sizes on a 4-pixel grid, and egui's colours derived from [`Style`].

use std::sync::Arc;

use eframe::egui::epaint::Shadow;
use eframe::egui::{
    self, Color32, CornerRadius, FontData, FontDefinitions, FontFamily, FontId, Margin, Stroke, TextStyle, vec2,
};
use serde::{Deserialize, Serialize};

use crate::plot::style::Style;

/// Which look the user wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ThemeChoice {
    #[default]
    Dark,
    Light,
    HighContrast,
    /// Dark or light, as the desktop says.
    System,
}

impl ThemeChoice {
    pub const ALL: [ThemeChoice; 4] =
        [ThemeChoice::Dark, ThemeChoice::Light, ThemeChoice::HighContrast, ThemeChoice::System];

    /// Name in menus.
    pub fn title(self) -> &'static str {
        match self {
            ThemeChoice::Dark => "Dark",
            ThemeChoice::Light => "Light",
            ThemeChoice::HighContrast => "High contrast",
            ThemeChoice::System => "As the system",
        }
    }

    /// The colours of this choice; `system`: what the desktop says, where it says anything.
    pub fn style(self, system: Option<egui::Theme>) -> Style {
        match (self, system) {
            (ThemeChoice::Light, _) | (ThemeChoice::System, Some(egui::Theme::Light)) => Style::light(),
            (ThemeChoice::HighContrast, _) => Style::high_contrast(),
            (ThemeChoice::Dark | ThemeChoice::System, _) => Style::dark(),
        }
    }
}

/// Font family of headings and of emphasised text.
pub fn strong_family() -> FontFamily {
    FontFamily::Name("strong".into())
}

/// Emphasised body text.
pub fn strong(text: impl Into<String>) -> egui::RichText {
    egui::RichText::new(text).family(strong_family())
}

/// A quiet heading of a group: small, spaced, weak.
pub fn group_heading(text: &str, style: &Style) -> egui::RichText {
    egui::RichText::new(text.to_uppercase())
        .family(strong_family())
        .text_style(TextStyle::Small)
        .color(style.text_weak)
        .extra_letter_spacing(0.6)
}

/// Background of bars and side panels: one step away from the plots' background.
pub fn panel_fill(style: &Style) -> Color32 {
    shade(style, if style.dark { 0.035 } else { 0.03 })
}

/// Background of buttons and value fields.
pub fn raised_fill(style: &Style) -> Color32 {
    shade(style, if style.dark { 0.085 } else { 0.075 })
}

/// The plots' background moved towards the text colour.
pub fn shade(style: &Style, amount: f32) -> Color32 {
    style.plot_background.lerp_to_gamma(style.text, amount)
}

/// The title bar of a window within the window: as calm as its content.
pub fn window_title(style: &Style) -> egui::Frame {
    egui::Frame::new().inner_margin(Margin::symmetric(12, 8)).fill(window_fill(style)).corner_radius(8)
}

/// Background of windows within the window.
fn window_fill(style: &Style) -> Color32 {
    shade(style, if style.dark { 0.06 } else { 0.0 })
}

/// Text on the accent colour.
pub fn on_accent(style: &Style) -> Color32 {
    if style.high_contrast { Color32::BLACK } else { Color32::WHITE }
}

/// Installs the bundled fonts. Families: proportional, monospace, and `strong` (semi-bold).
pub fn install_fonts(ctx: &egui::Context) {
    ctx.set_fonts(fonts());
}

/// The bundled fonts: Inter, JetBrains Mono, DejaVu for mathematical signs, own transport signs.
pub fn fonts() -> FontDefinitions {
    const FILES: [(&str, &[u8]); 6] = [
        ("inter", include_bytes!("../../assets/fonts/Inter-Regular.otf")),
        ("inter-semibold", include_bytes!("../../assets/fonts/Inter-SemiBold.otf")),
        ("mono", include_bytes!("../../assets/fonts/JetBrainsMono-Regular.ttf")),
        ("maths", include_bytes!("../../assets/fonts/DejaVuSans-maths.ttf")),
        ("mono-maths", include_bytes!("../../assets/fonts/DejaVuSansMono-maths.ttf")),
        ("symbols", include_bytes!("../../assets/fonts/learnscope-symbols.ttf")),
    ];
    let mut fonts = FontDefinitions::empty();
    for (name, bytes) in FILES {
        fonts.font_data.insert(name.to_owned(), Arc::new(FontData::from_static(bytes)));
    }
    for (family, chain) in [
        (FontFamily::Proportional, ["inter", "maths", "symbols", "mono-maths"]),
        (strong_family(), ["inter-semibold", "maths", "symbols", "mono-maths"]),
        (FontFamily::Monospace, ["mono", "mono-maths", "symbols", "maths"]),
    ] {
        fonts.families.insert(family, chain.map(str::to_owned).to_vec());
    }
    fonts
}

/// Makes egui draw with `style`; `scale` enlarges all type (1 in the window, more in a talk).
pub fn apply(ctx: &egui::Context, style: &Style, scale: f32) {
    let theme = if style.dark { egui::Theme::Dark } else { egui::Theme::Light };
    ctx.set_theme(theme);
    ctx.set_style_of(theme, egui_style(style, scale));
}

/// egui's style for ours.
pub fn egui_style(style: &Style, scale: f32) -> egui::Style {
    let mut out = egui::Style { animation_time: 0.08, ..egui::Style::default() };
    out.text_styles = [
        (TextStyle::Small, FontId::new(11.0 * scale, FontFamily::Proportional)),
        (TextStyle::Body, FontId::new(13.0 * scale, FontFamily::Proportional)),
        (TextStyle::Button, FontId::new(13.0 * scale, FontFamily::Proportional)),
        (TextStyle::Heading, FontId::new(16.0 * scale, strong_family())),
        (TextStyle::Monospace, FontId::new(12.5 * scale, FontFamily::Monospace)),
    ]
    .into();
    out.drag_value_text_style = TextStyle::Monospace;
    out.spacing.item_spacing = vec2(8.0, 4.0);
    out.spacing.button_padding = vec2(12.0, 4.0);
    out.spacing.interact_size = vec2(32.0, 24.0);
    out.spacing.menu_margin = Margin::same(8);
    out.spacing.window_margin = Margin::same(12);
    out.spacing.icon_width = 16.0;
    out.spacing.icon_width_inner = 8.0;
    out.spacing.icon_spacing = 8.0;
    out.spacing.slider_rail_height = 4.0;
    out.spacing.combo_height = 420.0;
    out.spacing.tooltip_width = 360.0;
    out.spacing.scroll = egui::style::ScrollStyle::thin();
    out.interaction.selectable_labels = false;
    out.interaction.tooltip_delay = 0.35;
    out.visuals = visuals(style);
    out
}

fn visuals(style: &Style) -> egui::Visuals {
    let mut out = if style.dark { egui::Visuals::dark() } else { egui::Visuals::light() };
    let panel = panel_fill(style);
    let raised = raised_fill(style);
    let line = Stroke::new(1.0, style.rule);
    let quiet = if style.high_contrast { line } else { Stroke::NONE };
    let radius = CornerRadius::same(6);
    let widget = |fill: Color32, border: Stroke, text: Color32| egui::style::WidgetVisuals {
        bg_fill: fill,
        weak_bg_fill: fill,
        bg_stroke: border,
        corner_radius: radius,
        fg_stroke: Stroke::new(1.5, text),
        expansion: 0.0,
    };
    let strong_step = if style.dark { 0.16 } else { 0.13 };
    out.widgets.noninteractive = widget(panel, line, style.text);
    out.widgets.inactive = widget(raised, quiet, style.text);
    out.widgets.hovered = widget(shade(style, strong_step), Stroke::new(1.0, style.text_weak), style.text);
    out.widgets.active = widget(shade(style, strong_step + 0.05), Stroke::new(1.0, style.accent), style.text);
    // Also the title bar of a window within the window, which is as calm as its content.
    out.widgets.open = widget(window_fill(style), line, style.text);
    out.widgets.noninteractive.fg_stroke.width = 1.0;
    out.selection.bg_fill = style.accent.gamma_multiply(if style.high_contrast { 0.6 } else { 0.4 });
    out.selection.stroke = Stroke::new(1.0, style.text);
    out.weak_text_color = Some(style.text_weak);
    out.hyperlink_color = style.accent;
    out.faint_bg_color = shade(style, 0.05);
    out.extreme_bg_color = style.plot_background;
    out.text_edit_bg_color = Some(style.plot_background);
    out.code_bg_color = shade(style, 0.08);
    out.warn_fg_color = style.warning;
    out.error_fg_color = style.error;
    out.window_fill = window_fill(style);
    out.window_stroke = line;
    out.window_corner_radius = CornerRadius::same(8);
    out.menu_corner_radius = CornerRadius::same(8);
    let shadow = Shadow {
        offset: [0, 4],
        blur: 16,
        spread: 0,
        color: Color32::from_black_alpha(if style.dark { 110 } else { 40 }),
    };
    out.window_shadow = shadow;
    out.popup_shadow = shadow;
    out.panel_fill = panel;
    out.slider_trailing_fill = true;
    out.handle_shape = egui::style::HandleShape::Circle;
    out.striped = false;
    out.window_highlight_topmost = false;
    out.indent_has_left_vline = false;
    out
}
