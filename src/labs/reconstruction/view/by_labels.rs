//! What a label is worth: AUC and accuracy against the number of labels.

use std::hash::{DefaultHasher, Hash, Hasher};

use eframe::egui::{Rect, Ui, pos2};

use crate::engine::twin::TWIN;
use crate::kit::fields::Fields;
use crate::kit::series::Quantity;
use crate::kit::tiles::{Tile, TileCommand, TileSpec};
use crate::kit::view::ViewCtx;
use crate::kit::{empty, series};
use crate::labs::reconstruction::active::by_labels;
use crate::labs::reconstruction::params::{PARAMS, QUERY};
use crate::plot::axes::Titles;
use crate::plot::curve::{Curve, CurveState, Mark, Plot};
use crate::plot::legend::{self, Entry};
use crate::plot::scale::Scale;
use crate::plot::tile;

use super::ReconstructionView;
use super::curves::{ACCURACY_TEST, AUC_TEST};

/// The tile.
pub static TILE: Tile<ReconstructionView> = Tile {
    spec: TileSpec {
        id: "by-labels",
        title: "AUC by labels",
        help: "AUC and accuracy of test pictures against the number of labels: for each number the last measurement \
               before the next labels came. To compare with chance fork the run before its first round (Ctrl+K) and \
               let the twin ask at random; one run is an anecdote, the study Active learning has seeds.",
        area: "answers",
        follows_cursor: true,
    },
    show: |view, ui, ctx| view.by_labels.show(ui, ctx),
    commands: &[TileCommand {
        id: "by-labels-fit",
        title: "AUC by labels: show all numbers",
        run: |view, _, _| view.by_labels.plot.fit(),
    }],
};

/// View state.
#[derive(Debug, Default)]
pub struct ByLabels {
    plot: CurveState,
}

const SHOWN: [Quantity; 2] = [ACCURACY_TEST, AUC_TEST];

impl ByLabels {
    /// What of it belongs to a scene.
    pub fn fields(&mut self, fields: &mut Fields) {
        fields.zoom("zoom", self.plot.zoom());
    }

    fn show(&mut self, ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
        let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
        let mut curves = Vec::new();
        let mut marks = Vec::new();
        for (prefix, quantity) in [TWIN, ""].into_iter().flat_map(|prefix| SHOWN.map(|quantity| (prefix, quantity))) {
            let points = by_labels(ctx.run, prefix, quantity.key, ctx.cursor.step);
            if points.is_empty() {
                continue;
            }
            let twin = prefix == TWIN;
            let category = quantity.category(style, twin);
            let mark =
                |[x, y]: &[f64; 2]| Mark { x: Some(*x), y: Some(*y), color: category.color, text: String::new() };
            marks.extend(points.iter().map(mark));
            let mut hash = DefaultHasher::new();
            (ctx.run.id, prefix, quantity.key, ctx.cursor.step).hash(&mut hash);
            let name = if twin { format!("{} (twin)", quantity.name) } else { quantity.name.to_owned() };
            curves.push(Curve {
                name: name.into(),
                category,
                width: 1.0,
                identity: hash.finish(),
                len: points.len(),
                point: Box::new(move |i| points[i]),
                held: None,
            });
        }
        if curves.is_empty() {
            if QUERY.get(&series::params_at(ctx, PARAMS)).flatten().is_some() {
                return empty::measured(
                    ui,
                    ctx,
                    "before training and then every so many steps (parameter `validate_every`)",
                );
            }
            let hint = "Choose in the form, under Active learning, what labels are asked for by: here stands what each is worth.";
            return empty::message(ui, ctx, "No labels are asked for", hint);
        }
        let (bar, rest) = tile::split(ui, size);
        let twin =
            series::twin_name(ctx.run, PARAMS).map_or_else(String::new, |twin| format!("; twin (dashed): {twin}"));
        let labels = series::value(ctx, "labels").unwrap_or_default();
        let about = format!("{labels} labels{twin}");
        tile::bar(ui, bar, tile::weak(about, size, style), |ui| {
            if tile::button(ui, self.plot.is_zoomed(), "fit", "Show all numbers (double-click does the same)", size) {
                self.plot.fit();
            }
        });
        let entry = |quantity: Quantity| {
            let (category, help) = (quantity.category(style, false), quantity.help.to_owned());
            Entry { name: quantity.name, category, selected: false, help }
        };
        let entries = SHOWN.map(entry);
        let height = legend::height(ui, &entries, rest.width(), size);
        let foot = if height > 0.34 * rest.height() { 0.0 } else { height };
        let place = Rect::from_min_max(rest.min, pos2(rest.right(), rest.bottom() - foot));
        let plot = Plot {
            name: "AUC and accuracy against the number of labels",
            titles: Titles { x: "labels", y: "share" },
            scale: Scale::Linear,
            window: [None, None],
            cursor: None,
            include: &[0.5, 1.0],
            limits: None,
            marks: &marks,
            fills: &[],
            font_size: size,
        };
        self.plot.show(ui, place, &plot, &curves, style);
        if foot > 0.0 {
            legend::show(ui, Rect::from_min_max(pos2(rest.left(), place.bottom()), rest.max), &entries, style, size);
        }
    }
}
