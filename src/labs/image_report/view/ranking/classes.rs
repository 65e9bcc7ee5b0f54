//! A word of the report that can be clicked for its class.

use eframe::egui::accesskit::Role;
use eframe::egui::{Button, CursorIcon, Popup, Rect, RichText, Sense, Stroke, StrokeKind, Ui, WidgetInfo};

use super::super::pairs::{self, Pair};
use crate::kit::view::ViewCtx;
use crate::labs::image_report::params::TAGS;
use crate::plot::tile;
use crate::text::tags::Tag;

/// What a click asks for: a word of the report, and its new class (`None`: what the tagger says).
pub type Asked = Option<(String, Option<Tag>)>;

/// The parameter `tags` as the form has it; it is ahead of the run's.
pub fn tags(ctx: &ViewCtx<'_>) -> String {
    ctx.params.get(TAGS.key()).map(ToString::to_string).unwrap_or_default()
}

/// The class of a word of the report; `None` where the pair has other words, or the parameter cannot name it.
pub fn class_at(pair: &Pair, i: usize, word: &str) -> Option<Tag> {
    pair.words.get(i).filter(|known| known.text == word && !word.contains(['=', ';'])).map(|known| known.class)
}

/// A word that can be clicked for its class.
pub fn word_menu(
    place: Rect,
    id: (&str, usize),
    said: &str,
    (word, class): (&str, Tag),
    ui: &Ui,
    ctx: &ViewCtx<'_>,
) -> Asked {
    let size = tile::font_size(ctx.presenting);
    let response = ui.interact(place, ui.scope_id().with(id), Sense::click()).on_hover_cursor(CursorIcon::PointingHand);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, said));
    if response.hovered() || response.has_focus() {
        ui.painter_at(ui.clip_rect()).rect_stroke(place, 2.0, Stroke::new(1.0, ctx.style.accent), StrokeKind::Outside);
    }
    let mut chosen = None;
    Popup::menu(&response).show(|ui| {
        ui.label(tile::weak(format!("“{word}” is a"), size, ctx.style));
        for known in Tag::ALL {
            let name = RichText::new(pairs::class_name(known)).size(size);
            if ui.add(Button::selectable(known == class, name)).clicked() {
                chosen = Some(Some(known));
            }
        }
        let by_hand = pairs::by_hand(&tags(ctx)).contains(&word.to_lowercase());
        let help = "Takes away the class that was given by hand";
        if tile::button(ui, by_hand, "as the tagger says", help, size) {
            chosen = Some(None);
        }
    });
    chosen.map(|class| (word.to_owned(), class))
}
