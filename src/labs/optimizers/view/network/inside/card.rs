//! One unit enlarged: its picture with the training points, its bias, its weights.

use eframe::egui::accesskit::Role;
use eframe::egui::{
    Color32, Label, Painter, Rect, RichText, Sense, Shape, Stroke, StrokeKind, TextureId, Ui, WidgetInfo, pos2, vec2,
};

use crate::data::points::Extent;
use crate::plot::contour::contours;
use crate::plot::number;
use crate::plot::style::Style;
use crate::plot::tile;

use super::super::{Points, parts};
use super::names::Names;
use super::net::{Net, SIDE, Unit};

/// Most training points that are drawn; they are shuffled, so that the first ones are a fair sample.
const DRAWN: usize = 300;

/// What a card is drawn from.
pub struct Card<'a> {
    pub net: &'a Net,
    pub unit: Unit,
    pub names: &'a Names,
    pub texture: Option<TextureId>,
    /// Where the unit's picture lies in the texture.
    pub uv: Rect,
    pub extent: Extent,
    pub train: Points<'a>,
    /// Most weights that are listed on either side.
    pub weights: usize,
    pub size: f32,
    pub style: &'a Style,
}

impl Card<'_> {
    /// Draws it from the top of `ui`, in its width.
    pub fn show(&self, ui: &mut Ui) {
        let &Card { net, unit, names, size, style, .. } = self;
        ui.spacing_mut().item_spacing.y = 0.3 * size;
        let name = names.unit(net, unit);
        let mut title = name.chars();
        let title = title.next().map_or_else(String::new, |first| first.to_uppercase().chain(title).collect());
        ui.add(Label::new(RichText::new(title).size(size + 1.5).color(style.text).strong()).truncate());
        let [width, height] = [0, 1].map(|a| self.extent.max[a] - self.extent.min[a]);
        let aspect = (width / height).clamp(0.5, 2.0);
        let wide = ui.available_width().min(22.0 * size).min(18.0 * size * aspect).max(1.0);
        let (rect, response) = ui.allocate_exact_size(vec2(wide, wide / aspect), Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, format!("what {name} answers over the plane")));
        self.picture(&ui.painter_at(rect.expand(1.0)), rect);
        if let Some(at) = response.hover_pos() {
            let cell = |share: f32| ((share * SIDE as f32).max(0.0) as usize).min(SIDE - 1);
            let share = (at - rect.min) / rect.size();
            if let Some(answer) = net.picture(unit).nth(cell(share.y) * SIDE + cell(share.x)) {
                let text = number::signed(answer.into());
                crate::plot::curve::label(&ui.painter_at(rect), rect, at, text.trim(), size, style);
            }
        }
        let reach = number::compact(net.extreme(unit.column).into());
        let kind = if unit.column + 1 == net.columns() { "its logit" } else { "its answer" };
        self.line(ui, &format!("{kind}: blue −{reach}, orange +{reach}, line 0"), style.text_weak);
        if let Some(bias) = net.bias(unit) {
            self.line(ui, &format!("bias {}", number::signed(bias.into()).trim()), style.text);
        }
        for (heading, weights) in [("weights of", net.incoming(unit)), ("weights for", net.outgoing(unit))] {
            if weights.is_empty() {
                continue;
            }
            let rest = weights.len().saturating_sub(self.weights);
            let more =
                if rest > 0 { format!(" (largest {} of {})", self.weights, weights.len()) } else { String::new() };
            self.line(ui, &format!("{heading}{more}"), style.text_weak);
            for (other, weight) in weights.into_iter().take(self.weights) {
                let text = format!("{}  {}", number::signed(weight.into()), names.short(net, other));
                ui.add(Label::new(tile::mono(text, size, style)).truncate());
            }
        }
    }

    fn line(&self, ui: &mut Ui, text: &str, color: Color32) {
        ui.add(Label::new(RichText::new(text).size(self.size).color(color)).wrap());
    }

    fn picture(&self, painter: &Painter, rect: Rect) {
        let style = self.style;
        painter.rect_filled(rect, 0.0, style.plot_background);
        if let Some(texture) = self.texture {
            painter.image(texture, rect, self.uv, Color32::WHITE);
        }
        let values: Vec<f32> = self.net.picture(self.unit).collect();
        for line in contours(&values, SIDE, &[0.0]) {
            let at = |[column, row]: &[f32; 2]| {
                rect.min + vec2((column + 0.5) / SIDE as f32 * rect.width(), (row + 0.5) / SIDE as f32 * rect.height())
            };
            let stroke = Stroke::new(0.12 * self.size, style.text);
            painter.add(Shape::line(line.points.iter().map(at).collect(), stroke));
        }
        let Extent { min, max } = self.extent;
        let (xy, classes) = self.train;
        for (p, class) in xy.iter().zip(classes).take(DRAWN) {
            let share = [0, 1].map(|a| (p[a] - min[a]) / (max[a] - min[a]));
            let at = pos2(rect.left() + share[0] * rect.width(), rect.bottom() - share[1] * rect.height());
            let rim = Stroke::new(1.0, style.plot_background);
            painter.circle(at, 0.22 * self.size, parts::class_color(style, *class as usize), rim);
        }
        painter.rect_stroke(rect, 0.0, Stroke::new(1.0, style.rule), StrokeKind::Outside);
    }
}
