//! Figure 3: which batch of which epoch was labelled, and what it cost.

use eframe::egui::accesskit::Role;
use eframe::egui::{Align2, FontId, Mesh, Rect, Sense, Shape, Ui, WidgetInfo, pos2, vec2};

use crate::engine::twin::TWIN;
use crate::kit::fields::Fields;
use crate::kit::tiles::{Tile, TileCommand, TileSpec};
use crate::kit::view::ViewCtx;
use crate::kit::{empty, series};
use crate::plot::axes::{Axes, Bounds, Titles, zoom};
use crate::plot::colormap::ColorMap;
use crate::plot::curve::label;
use crate::plot::heatmap::{Coloring, color_bar};
use crate::plot::scale::Scale;
use crate::plot::{number, tile};

use super::ReconstructionView;

/// The tile.
pub static TILE: Tile<ReconstructionView> = Tile {
    spec: TileSpec {
        id: "strip",
        title: "Batches (figure 3)",
        help: "A column an epoch, a cell a batch, the first one at the bottom: labelled ones in the colour of their L_cl (dark is \
               low), unlabelled ones empty. Point at a cell to read it.",
        area: "against the step",
        follows_cursor: true,
    },
    show: |view, ui, ctx| view.strip.show(ui, ctx),
    commands: &[TileCommand {
        id: "strip-fit",
        title: "Batches: show all epochs",
        run: |view, _, _| view.strip.view = None,
    }],
};

/// View state.
#[derive(Debug, Default)]
pub struct Strip {
    view: Option<Bounds>,
    twin: bool,
}

/// A batch.
#[derive(Debug, Clone, Copy)]
struct Batch {
    step: u64,
    epoch: f64,
    place: f64,
    loss: Option<f64>,
}

impl Strip {
    /// What of it belongs to a scene.
    pub fn fields(&mut self, fields: &mut Fields) {
        fields.zoom("zoom", &mut self.view);
        fields.value("twin", &mut self.twin, false);
    }

    fn show(&mut self, ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
        let twin = ctx.run.tables.contains_key(format!("{TWIN}strip").as_str());
        self.twin &= twin;
        let key = if self.twin { format!("{TWIN}strip") } else { "strip".to_owned() };
        let Some(table) = ctx.run.tables.get(key.as_str()).filter(|table| table.columns == 4 && !table.data.is_empty())
        else {
            return empty::measured(ui, ctx, "in every step");
        };
        // A twin's table begins where it was forked.
        let first = ctx.run.step.saturating_sub(table.data.len() as u64 / 4);
        let batches: Vec<Batch> = table
            .data
            .chunks_exact(4)
            .zip(first + 1..)
            .map(|(row, step)| Batch { step, epoch: row[0], place: row[1], loss: (row[2] == 1.0).then_some(row[3]) })
            .take_while(|batch| batch.step <= ctx.cursor.step.max(1))
            .collect();
        let labelled = batches.iter().filter(|batch| batch.loss.is_some()).count();
        let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
        let (bar, rest) = tile::split(ui, size);
        let share = 100.0 * labelled as f64 / batches.len().max(1) as f64;
        let whose = if self.twin { "twin: " } else { "" };
        let about = format!(
            "{whose}{} of {} batches labelled ({share:.0} %)",
            number::grouped(labelled as u64),
            number::grouped(batches.len() as u64)
        );
        tile::bar(ui, bar, tile::weak(about, size, style), |ui| {
            if tile::button(ui, self.view.is_some(), "fit", "Show all epochs (double-click does the same)", size) {
                self.view = None;
            }
            if twin && tile::toggle(ui, self.twin, "twin", "Show the twin's batches", size) {
                self.twin = !self.twin;
            }
        });
        if rest.width() < 8.0 || rest.height() < 8.0 {
            return;
        }
        self.draw(&batches, rest, ui, ctx);
    }

    fn draw(&mut self, batches: &[Batch], outer: Rect, ui: &Ui, ctx: &mut ViewCtx<'_>) {
        let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
        let most = |of: fn(&Batch) -> f64| batches.iter().map(of).fold(1.0, f64::max);
        let (epochs, places) = (most(|batch| batch.epoch), most(|batch| batch.place));
        let whole = Bounds::new([-0.5, epochs + 0.5], [-0.5, places + 0.5]);
        let axes = Axes::new(outer, self.view.unwrap_or(whole), [Scale::Linear; 2], size, 6.5 * size);
        let response = ui.interact(axes.rect, ui.scope_id().with("strip"), Sense::click_and_drag());
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, format!("{} batches by epoch", batches.len())));
        zoom(ui, &response, &axes, &mut self.view);
        let inside = ui.painter_at(axes.rect);
        inside.rect_filled(axes.rect, 2.0, style.plot_background);
        let losses: Vec<f64> = batches.iter().filter_map(|batch| batch.loss).collect();
        let high = losses.iter().copied().fold(1e-9, f64::max).min(1.5);
        let coloring = Coloring { map: ColorMap::Viridis, low: 0.0, high };
        let cell = |batch: &Batch| {
            let low = axes.at(batch.epoch - 0.5, batch.place - 0.5);
            let top = axes.at(batch.epoch + 0.5, batch.place + 0.5);
            Rect::from_min_max(pos2(low.x, top.y), pos2(top.x, low.y))
        };
        // One mesh: a long run has many thousand cells.
        let mut cells = Mesh::default();
        for (batch, loss) in batches.iter().filter_map(|batch| Some((batch, batch.loss?))) {
            let rect = cell(batch);
            let gap = if rect.width() > 4.0 && rect.height() > 4.0 { 0.5 } else { 0.0 };
            cells.add_colored_rect(rect.shrink(gap), coloring.color(loss));
        }
        inside.add(Shape::mesh(cells));
        let painter = ui.painter_at(outer);
        axes.draw_labels(&painter, style, &Titles { x: "epoch", y: "batch of the epoch" });
        let place = Rect::from_min_size(
            pos2(axes.rect.right() + 1.2 * size, axes.rect.top()),
            vec2(0.9 * size, axes.rect.height()),
        );
        color_bar(&painter, place, &coloring, size, style);
        let middle = pos2(place.right() + 0.4 * size, place.center().y - 1.3 * size);
        painter.text(middle, Align2::LEFT_CENTER, "L_cl", FontId::proportional(size), style.text_weak);
        let hovered = response
            .hover_pos()
            .and_then(|at| batches.iter().find(|batch| cell(batch).contains(at)).map(|batch| (at, batch)));
        if let Some((at, batch)) = hovered {
            let kind = match batch.loss {
                Some(loss) => format!("labelled, L_cl {}", number::short(loss)),
                None => "unlabelled".to_owned(),
            };
            label(&inside, axes.rect, at, &format!("step {}: {kind}", number::grouped(batch.step)), size, style);
        }
        if let Some((_, batch)) = hovered.filter(|_| response.clicked()) {
            let step = batch.step;
            series::seek(ctx, Some(step));
        }
    }
}
