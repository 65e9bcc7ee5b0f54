//! Codes of test pictures along their two widest directions, and how well hospitals can be told from them.

use eframe::egui::accesskit::Role;
use eframe::egui::{Rect, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};

use crate::engine::event::Payload;
use crate::engine::twin::TWIN;
use crate::kit::tiles::{Tile, TileCommand, TileSpec};
use crate::kit::view::ViewCtx;
use crate::kit::{empty, series};
use crate::plot::axes::{Axes, Bounds, Titles, zoom};
use crate::plot::curve::label;
use crate::plot::scale::Scale;
use crate::plot::{number, scatter, tile};

use super::ReconstructionView;
use super::pictures::{Named, named};

/// The tile.
pub static TILE: Tile<ReconstructionView> = Tile {
    spec: TileSpec {
        id: "latent",
        title: "Codes",
        help: "Pooled codes of test pictures along their two widest directions, by grade or by hospital. Where hospitals lie apart, the \
               encoder tells cameras; the probe says how well (a linear layer, fitted on every second picture, judged on the others).",
        area: "codes",
        follows_cursor: true,
    },
    show: |view, ui, ctx| view.latent.show(ui, ctx),
    commands: &[
        TileCommand { id: "latent-fit", title: "Codes: show all points", run: |view, _, _| view.latent.view = None },
        TileCommand {
            id: "latent-hospitals",
            title: "Codes: colours by hospital or by grade",
            run: |view, _, _| view.latent.hospitals ^= true,
        },
    ],
};

/// View state.
#[derive(Debug, Default)]
pub struct Latent {
    view: Option<Bounds>,
    hospitals: bool,
    twin: bool,
}

impl Latent {
    fn show(&mut self, ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
        let twin = ctx.payload(&format!("{TWIN}latent/points")).is_some();
        self.twin &= twin;
        let key = if self.twin { format!("{TWIN}latent/points") } else { "latent/points".to_owned() };
        let found = ctx.payload(&key);
        let Some((step, Payload::Points { xy, .. })) = found.as_ref().map(|(step, payload)| (*step, &**payload)) else {
            return empty::measured(
                ui,
                ctx,
                "before training and then every so many steps (parameter `validate_every`)",
            );
        };
        let mut names = named(ctx, "names/test");
        names.extend(named(ctx, "names/unseen"));
        let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
        let (bar, rest) = tile::split(ui, size);
        let whose = if self.twin { "twin, " } else { "" };
        let probe = series::value(ctx, &format!("{}hospital_probe", if self.twin { TWIN } else { "" }));
        let probe = probe.map_or_else(String::new, |accuracy| format!(", hospital told in {:.0} %", 100.0 * accuracy));
        let about = format!("{whose}step {}{probe}", number::grouped(step));
        tile::bar(ui, bar, tile::weak(about, size, style), |ui| {
            if tile::button(ui, self.view.is_some(), "fit", "Show all points (double-click does the same)", size) {
                self.view = None;
            }
            if twin && tile::toggle(ui, self.twin, "twin", "Show the twin's codes", size) {
                self.twin = !self.twin;
            }
            if tile::toggle(ui, self.hospitals, "hospital", "Colours by hospital in place of grade", size) {
                self.hospitals = !self.hospitals;
            }
        });
        let classes = self.classes(&names);
        let outer = Rect::from_min_max(rest.min, rest.max - vec2(0.0, 1.7 * size));
        if outer.width() < 8.0 || outer.height() < 8.0 {
            return;
        }
        self.draw(xy, &classes, &names, outer, ui, ctx);
        let mut x = rest.left();
        for (class, name) in classes.1.iter().enumerate() {
            let (color, marker) = scatter::appearance(style, class);
            let middle = rest.bottom() - 0.8 * size;
            scatter::point(ui.painter(), pos2(x + 0.45 * size, middle), 0.36 * size, marker, color, Stroke::NONE);
            let font = eframe::egui::FontId::proportional(size);
            let at = pos2(x + 1.2 * size, middle);
            x = ui.painter().text(at, eframe::egui::Align2::LEFT_CENTER, name, font, style.text_weak).right() + size;
        }
    }

    /// The class of each picture, and what classes are called.
    fn classes(&self, names: &[Named]) -> (Vec<usize>, Vec<String>) {
        if !self.hospitals {
            let grade = |named: &Named| named.grade.map_or(4, usize::from);
            let titles = ["healthy", "grade 1", "grade 2", "grade 3"].map(str::to_owned).into();
            return (names.iter().map(grade).collect(), titles);
        }
        let mut titles: Vec<String> = names.iter().map(|named| named.hospital.clone()).collect();
        titles.sort_unstable();
        titles.dedup();
        let class = |named: &Named| titles.iter().position(|title| *title == named.hospital).unwrap_or(0);
        (names.iter().map(class).collect(), titles)
    }

    fn draw(
        &mut self,
        xy: &[[f32; 2]],
        (classes, titles): &(Vec<usize>, Vec<String>),
        names: &[Named],
        outer: Rect,
        ui: &Ui,
        ctx: &ViewCtx<'_>,
    ) {
        let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
        let whole = || {
            let [x, y] = scatter::extent(xy.iter()).unwrap_or([[0.0, 1.0], [0.0, 1.0]]);
            let wide = |[low, high]: [f64; 2]| {
                let least = 1e-6 * (1.0 + low.abs().max(high.abs()));
                if high - low > least { [low, high] } else { [low - least, high + least] }
            };
            Bounds::new(wide(x), wide(y)).padded(0.06)
        };
        let axes = Axes::new(outer, self.view.unwrap_or_else(whole), [Scale::Linear; 2], size, 0.6 * size);
        let response = ui.interact(axes.rect, ui.scope_id().with("latent"), Sense::click_and_drag());
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, format!("codes of {} test pictures", xy.len())));
        zoom(ui, &response, &axes, &mut self.view);
        let (painter, inside) = (ui.painter_at(outer), ui.painter_at(axes.rect));
        inside.rect_filled(axes.rect, 2.0, style.plot_background);
        axes.draw_grid(&inside, style, style.rule.gamma_multiply(0.6));
        let radius = (0.22 * size).max((axes.rect.area() / xy.len().max(1) as f32).sqrt() * 0.11).min(0.42 * size);
        let place = |p: &[f32; 2]| axes.at(f64::from(p[0]), f64::from(p[1]));
        for (i, p) in xy.iter().enumerate() {
            let (color, marker) = scatter::appearance(style, classes.get(i).copied().unwrap_or(0));
            scatter::point(&inside, place(p), radius, marker, color.gamma_multiply(0.9), Stroke::NONE);
        }
        axes.draw_labels(&painter, style, &Titles { x: "widest direction of the codes", y: "second" });
        let Some(pointer) = response.hover_pos() else { return };
        let near = |(i, p)| Some((i, place(p))).filter(|(_, at)| at.distance(pointer) < 1.2 * size);
        let nearest = xy
            .iter()
            .enumerate()
            .filter_map(near)
            .min_by(|a, b| a.1.distance_sq(pointer).total_cmp(&b.1.distance_sq(pointer)));
        if let Some((i, at)) = nearest {
            inside.circle_stroke(at, 1.7 * radius, Stroke::new(1.5, style.text));
            let class = classes.get(i).and_then(|class| titles.get(*class)).map_or("", String::as_str);
            let name = names.get(i).map_or("", |named| named.name.as_str());
            label(&inside, axes.rect, at, &format!("{name}: {class}"), size, style);
        }
    }
}
