//! The selected optimizer's network from inside: a picture for what each unit answers over the plane, a line for each
//! weight, as the TensorFlow Playground draws a network.

mod card;
mod graph;
mod names;
mod net;

use std::sync::Arc;

use eframe::egui::{
    Color32, ColorImage, ComboBox, Rect, RichText, ScrollArea, TextureOptions, Ui, UiBuilder, pos2, vec2,
};

use crate::data::points::Extent;
use crate::engine::event::{Payload, RunId};
use crate::kit::fields::Fields;
use crate::kit::tiles::{Tile, TileCommand, TileSpec};
use crate::kit::view::ViewCtx;
use crate::labs::optimizers::network::features::{Feature, Inputs, enabled};
use crate::labs::optimizers::network::roster::ROSTER;
use crate::labs::optimizers::network::{MOST_WEIGHTS, extent, shape};
use crate::labs::optimizers::view::{OptimizersView, network};
use crate::nn::mlp::MlpShape;
use crate::plot::axes::Titles;
use crate::plot::colormap::ColorMap;
use crate::plot::histogram::Histogram;
use crate::plot::live_texture::LiveTexture;
use crate::plot::number;
use crate::plot::style::Style;
use crate::plot::tile;

use super::{payload, points};
use card::Card;
use graph::{Column, Look};
use names::Names;
use net::{Net, SIDE, Unit};

/// The tile.
pub static TILE: Tile<OptimizersView> = Tile {
    spec: TileSpec {
        id: "inside",
        title: "Inside",
        help: "The network of one optimizer at the timeline's step. Each picture is what a unit answers over the plane, \
               orange above 0 and blue below; each line is a weight, wide where it is large, orange where it is \
               positive. Point at a line for its value and at a unit for its bias and weights; click a unit to keep it \
               beside the graph.",
        area: "boundary",
        follows_cursor: true,
    },
    show: |view, ui, ctx| {
        network::show(&mut view.network, ui, ctx, |state, present, ui, ctx| {
            self::ui(&mut state.inside, present, &mut state.selected, ui, ctx);
        })
    },
    commands: &[
        TileCommand {
            id: "inside-weights",
            title: "Inside: histograms of the weights on or off",
            run: |view, _, _| view.network.inside.without_histograms = !view.network.inside.without_histograms,
        },
        TileCommand {
            id: "inside-close",
            title: "Inside: close the enlarged unit",
            run: |view, _, _| view.network.inside.pinned = None,
        },
    ],
};

/// Bins of a histogram: an odd number, so that small weights of either sign share one.
const BINS: usize = 21;

/// View state of the tile.
#[derive(Debug, Default)]
pub struct InsideTile {
    made: Option<Made>,
    seen: Option<Seen>,
    pictures: Pictures,
    /// The unit that is enlarged beside the graph.
    pinned: Option<Unit>,
    without_histograms: bool,
}

impl InsideTile {
    /// What of it belongs to a scene.
    pub fn fields(&mut self, fields: &mut Fields) {
        fields.value("plain", &mut self.without_histograms, false);
    }
}

/// What the network sees of the plane.
#[derive(Debug)]
struct Seen {
    /// The training and the test points.
    of: [Option<Arc<Payload>>; 2],
    inputs: Inputs,
    extent: Extent,
}

/// The network that is shown, and what it was made of.
#[derive(Debug)]
struct Made {
    run: Option<RunId>,
    optimizer: usize,
    payload: Arc<Payload>,
    net: Net,
}

/// All pictures in one texture: a column of it for each column of the graph.
#[derive(Debug, Default)]
struct Pictures {
    texture: LiveTexture,
    of: Option<(Arc<Payload>, Style, Vec<Column>)>,
    rows: usize,
}

/// Draws the tile.
fn ui(state: &mut InsideTile, present: &[usize], selected: &mut Option<usize>, ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
    let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
    let Some(chosen) = selected.or_else(|| present.last().copied()) else { return };
    let names = names(ctx);
    let params = if ctx.run.header.is_some() { &ctx.run.params } else { ctx.params };
    let shape = shape(params, names.classes.len().max(2));
    let missing = state.follow(chosen, &shape, ctx).err();

    let (bar, rest) = tile::split(ui, size);
    let made = state.made.as_ref().filter(|_| missing.is_none());
    let about = made.map_or_else(String::new, |made| {
        let largest = number::short(made.net.largest_weight().into());
        format!("pictures: answers, lines: weights up to {largest}; orange +, blue −")
    });
    let mut close = false;
    tile::bar(ui, bar, tile::weak(about, size, style), |ui| {
        close = state.pinned.is_some() && tile::button(ui, true, "close unit", "Close the enlarged unit", size);
        if tile::toggle(
            ui,
            !state.without_histograms,
            "weights",
            "Histograms of the weights, where there is room",
            size,
        ) {
            state.without_histograms = !state.without_histograms;
        }
        let name = RichText::new(ROSTER[chosen].title).size(size).color(style.text);
        if tile::said(ui, name.clone()) {
            return;
        }
        let combo = ComboBox::from_id_salt("inside optimizer").selected_text(name).width(9.0 * size).truncate();
        let response = combo.show_ui(ui, |ui| {
            for &i in present {
                if ui.selectable_label(chosen == i, ROSTER[i].title).clicked() {
                    *selected = Some(i);
                }
            }
        });
        response.response.accessible_name("optimizer seen from inside").on_hover_text("Whose network is shown");
    });
    if close {
        state.pinned = None;
    }
    if let Some((title, hint)) = missing {
        ui.scope_builder(UiBuilder::new().max_rect(rest), |ui| tile::message(ui, size, style, &title, &hint));
        return;
    }
    if let (Some(made), Some(seen)) = (&state.made, &state.seen) {
        let train = payload(ctx, "points/train");
        let scene =
            Scene { net: &made.net, names: &names, optimizer: ROSTER[chosen].title, extent: seen.extent, size, style };
        let InsideTile { pictures, pinned, .. } = state;
        scene.show(pictures, made.payload.clone(), pinned, !state.without_histograms, points(&train), ui, rest);
    }
}

/// Names of the features and the classes of the run.
fn names(ctx: &ViewCtx<'_>) -> Names {
    let params = if ctx.run.header.is_some() { &ctx.run.params } else { ctx.params };
    let classes = match payload(ctx, "points/classes").as_deref() {
        Some(Payload::Text(names)) => names.lines().map(str::to_owned).collect(),
        _ => Vec::new(),
    };
    Names { features: enabled(params).into_iter().map(Feature::title).collect(), classes }
}

impl InsideTile {
    /// Makes the network of the cursor's step, unless it is the one that is there; else says why there is none.
    fn follow(&mut self, chosen: usize, shape: &MlpShape, ctx: &ViewCtx<'_>) -> Result<(), (String, String)> {
        let count = shape.parameters();
        if count > MOST_WEIGHTS {
            let hint = format!(
                "This network has {} weights and biases; they are sent for up to {}. Choose fewer hidden units or layers.",
                number::grouped(count as u64),
                number::grouped(MOST_WEIGHTS as u64)
            );
            return Err(("Too large to be seen from inside".to_owned(), hint));
        }
        let kept = |made: &Made| made.run == ctx.run.id && made.optimizer == chosen;
        self.made = self.made.take().filter(kept);
        let key = format!("weights/{}", ROSTER[chosen].id);
        let Some(payload) = payload(ctx, &key) else {
            return match (&self.made, ctx.run.payloads.contains_key(key.as_str())) {
                // A recorded one is being fetched.
                (Some(_), _) => Ok(()),
                (None, true) => Err(("Reading the weights".to_owned(), String::new())),
                (None, false) => Err((
                    "No weights were recorded".to_owned(),
                    "They are measured with the decision boundary, by this version on. Start again to see them."
                        .to_owned(),
                )),
            };
        };
        if self.made.as_ref().is_some_and(|made| Arc::ptr_eq(&made.payload, &payload)) {
            return Ok(());
        }
        let values = match &*payload {
            Payload::Matrix { values, .. } if values.len() == count => values.clone(),
            _ => {
                return Err((
                    "These weights are another network’s".to_owned(),
                    "Start again to see this one’s.".to_owned(),
                ));
            }
        };
        self.see(ctx);
        if let Some(seen) = &self.seen {
            let net = Net::new(shape.clone(), values, &seen.inputs, seen.extent);
            self.made = Some(Made { run: ctx.run.id, optimizer: chosen, payload, net });
        }
        Ok(())
    }

    /// Measures what the network sees, where the points are other ones.
    fn see(&mut self, ctx: &ViewCtx<'_>) {
        let of = ["points/train", "points/test"].map(|key| payload(ctx, key));
        let same = |seen: &Seen| {
            seen.of.iter().zip(&of).all(|pair| match pair {
                (Some(a), Some(b)) => Arc::ptr_eq(a, b),
                (a, b) => a.is_none() && b.is_none(),
            })
        };
        let params = if ctx.run.header.is_some() { &ctx.run.params } else { ctx.params };
        if !self.seen.as_ref().is_some_and(same) {
            let (train, test) = (points(&of[0]).0, points(&of[1]).0);
            let (inputs, extent) = (Inputs::new(params, train), extent(train, test));
            self.seen = Some(Seen { of, inputs, extent });
        }
    }
}

/// What is drawn below the bar.
struct Scene<'a> {
    net: &'a Net,
    names: &'a Names,
    optimizer: &'a str,
    extent: Extent,
    size: f32,
    style: &'a Style,
}

impl Scene<'_> {
    #[expect(clippy::too_many_arguments, reason = "what is drawn, where and how")]
    fn show(
        &self,
        pictures: &mut Pictures,
        payload: Arc<Payload>,
        pinned: &mut Option<Unit>,
        histograms: bool,
        train: super::Points<'_>,
        ui: &mut Ui,
        rest: Rect,
    ) {
        let &Scene { net, names, optimizer, extent, size, style } = self;
        let foot = if histograms && rest.height() > 30.0 * size { 10.0 * size } else { 0.0 };
        let panel = match pinned {
            // Beside the graph, or instead of it.
            Some(_) if rest.width() > 46.0 * size => 19.0 * size,
            Some(_) => rest.width(),
            None => 0.0,
        };
        let beside = if panel < rest.width() { panel } else { 0.0 };
        let all = Rect::from_min_max(rest.min, pos2(rest.right() - beside, rest.bottom() - foot));
        let columns = graph::lay_out(net, all, size);
        pictures.make(net, &columns, payload, style, ui);
        let drawn = |unit: Unit| columns.get(unit.column)?.units.iter().position(|(index, _)| *index == unit.index);
        let uv = |column: usize, row: usize| pictures.uv(columns.len(), column, row);
        let look = Look { names, optimizer, texture: pictures.texture.id(), uv: &uv, pinned: *pinned, size, style };
        let card = |unit: Unit, row: usize, weights: usize| Card {
            net,
            unit,
            names,
            texture: pictures.texture.id(),
            uv: uv(unit.column, row),
            extent,
            train,
            weights,
            size,
            style,
        };
        if panel < rest.width() {
            if columns.is_empty() {
                let (title, hint) = ("No room for this network", "Make the tile larger, or maximise it.");
                ui.scope_builder(UiBuilder::new().max_rect(all), |ui| tile::message(ui, size, style, title, hint));
            }
            let shown = if columns.is_empty() { Vec::new() } else { graph::show(net, &columns, &look, ui, all) };
            for (unit, response) in shown {
                if response.clicked() {
                    *pinned = if *pinned == Some(unit) { None } else { Some(unit) };
                }
                if let Some(row) = drawn(unit) {
                    response.on_hover_ui(|ui| {
                        ui.set_max_width(17.0 * size);
                        card(unit, row, 5).show(ui);
                    });
                }
            }
            if foot > 0.0 && !columns.is_empty() {
                self.histograms(
                    ui,
                    Rect::from_min_max(pos2(all.left(), all.bottom()), pos2(all.right(), rest.bottom())),
                );
            }
        }
        if let (Some(unit), true) = (*pinned, panel > 0.0) {
            let place = Rect::from_min_max(pos2(rest.right() - panel + 0.8 * size, rest.top()), rest.max);
            ui.scope_builder(UiBuilder::new().max_rect(place), |ui| {
                ui.shrink_clip_rect(place);
                ScrollArea::vertical().id_salt("unit").auto_shrink([false; 2]).show(ui, |ui| match drawn(unit) {
                    Some(row) => card(unit, row, 64).show(ui),
                    None => drop(ui.label(tile::weak("This unit is not among those shown.", size, style))),
                });
            });
        }
    }

    /// The weights of each layer below their lines.
    fn histograms(&self, ui: &Ui, rect: Rect) {
        let &Scene { net, size, style, .. } = self;
        let places = tile::panels(rect, net.columns() - 1, 1.0, size);
        let side_by_side = places.iter().all(|place| place.top() == rect.top());
        if !side_by_side || places[0].width() < 9.0 * size {
            return;
        }
        for (column, place) in places.into_iter().enumerate() {
            let (counts, reach) = net.histogram(column, BINS);
            let name = format!("weights between {} and {}", Names::column(net, column), Names::column(net, column + 1));
            let histogram = Histogram {
                name: &name,
                titles: Titles { x: "weight", y: "count" },
                range: [-f64::from(reach), f64::from(reach)],
                counts: &counts,
                selected: None,
                color: style.accent,
                lines: &[],
                font_size: size,
            };
            histogram.show(ui, place, style);
        }
    }
}

impl Pictures {
    /// Paints the pictures of these units, unless they are there.
    fn make(&mut self, net: &Net, columns: &[Column], payload: Arc<Payload>, style: &Style, ui: &Ui) {
        let same = |(known, look, shown): &(Arc<Payload>, Style, Vec<Column>)| {
            Arc::ptr_eq(known, &payload) && look == style && shown == columns
        };
        if columns.is_empty() || self.of.as_ref().is_some_and(same) {
            return;
        }
        self.rows = columns.iter().map(|column| column.units.len()).max().unwrap_or(1);
        let width = SIDE * columns.len();
        let mut pixels = vec![Color32::TRANSPARENT; width * SIDE * self.rows];
        let map = ColorMap::diverging(style);
        for (column, units) in columns.iter().enumerate() {
            let extreme = net.extreme(column);
            for (row, (index, _)) in units.units.iter().enumerate() {
                for (cell, answer) in net.picture(Unit { column, index: *index }).enumerate() {
                    let (y, x) = (SIDE * row + cell / SIDE, SIDE * column + cell % SIDE);
                    pixels[y * width + x] = map.color(0.5 + 0.5 * answer / extreme);
                }
            }
        }
        let image = ColorImage::new([width, SIDE * self.rows], pixels);
        self.texture.set(ui.ctx(), "units", image, TextureOptions::LINEAR);
        self.of = Some((payload, style.clone(), columns.to_vec()));
    }

    /// Where a picture lies, less half a pixel all around, so that its neighbours do not run into it.
    fn uv(&self, columns: usize, column: usize, row: usize) -> Rect {
        let cell = vec2(1.0 / columns.max(1) as f32, 1.0 / self.rows.max(1) as f32);
        let rect = Rect::from_min_size(pos2(column as f32 * cell.x, row as f32 * cell.y), cell);
        rect.shrink2(0.5 / SIDE as f32 * cell)
    }
}
