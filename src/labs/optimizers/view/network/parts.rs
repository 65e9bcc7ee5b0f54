//! What the network's tiles share: the tile without data, legend entries, colours of classes.

use eframe::egui::{Color32, Ui};

use crate::kit::empty::{self, Awaited};
use crate::kit::view::ViewCtx;
use crate::labs::optimizers::network::roster::ROSTER;
use crate::plot::legend::Entry;
use crate::plot::style::Style;

/// What stands in a tile without a network.
pub fn nothing_yet(ui: &mut Ui, ctx: &ViewCtx<'_>) {
    let awaited = Awaited {
        start: "the networks appear here.",
        soon: ("Starting", "The first step is on its way."),
        never: ("Nothing was recorded", "Start again to see the networks train."),
    };
    empty::run(ui, ctx, &awaited);
}

/// Legend entries of the optimizers that take part.
pub fn entries(present: &[usize], selected: Option<usize>, style: &Style) -> Vec<Entry<'static>> {
    present
        .iter()
        .map(|&i| Entry {
            name: ROSTER[i].title,
            category: style.category(i),
            selected: selected == Some(i),
            help: format!("{}: click to highlight it in every tile", ROSTER[i].title),
        })
        .collect()
}

/// Highlights this optimizer, or none if it was highlighted already.
pub fn toggle_selected(selected: &mut Option<usize>, i: usize) {
    *selected = if *selected == Some(i) { None } else { Some(i) };
}

/// The colour of a class in every picture: blue and vermilion first, which differ in every kind of colour vision.
pub fn class_color(style: &Style, class: usize) -> Color32 {
    const ORDER: [usize; 8] = [7, 6, 3, 5, 1, 4, 2, 0];
    let color = style.category(ORDER[class % ORDER.len()]).color;
    // The ninth and the tenth class: the first two again, halfway to the text colour.
    if class < ORDER.len() { color } else { mix(color, style.text, 0.5) }
}

/// `a` at 0, `b` at 1.
pub fn mix(a: Color32, b: Color32, t: f32) -> Color32 {
    a.lerp_to_gamma(b, t.clamp(0.0, 1.0))
}

/// A share in percent with one decimal: `95.2 %`.
pub fn percent(share: Option<f64>) -> String {
    share.map_or("—".to_owned(), |share| format!("{:.1} %", 100.0 * share))
}
