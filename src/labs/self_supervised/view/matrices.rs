//! Wp, its antisymmetric part and F as signed heat maps.

use std::sync::Arc;

use eframe::egui::{Rect, Ui, pos2, vec2};

use crate::engine::event::Payload;
use crate::kit::empty;
use crate::kit::fields::Fields;
use crate::kit::view::ViewCtx;
use crate::plot::heatmap::{self, Coloring, HeatMap, HeatMapState};
use crate::plot::{number, tile};

use super::SelfSupervisedView;
use super::series::{self, TWIN};
use crate::kit::tiles::{Tile, TileCommand, TileSpec};

/// The tile.
pub static TILE: Tile<SelfSupervisedView> = Tile {
    spec: TileSpec {
        id: "matrices",
        title: "Matrices",
        help: "Wp, Wp − Wpᵀ and F as signed heat maps at the timeline's step. Point at a cell for its value, click \
               a matrix to enlarge it.",
        area: "large",
        follows_cursor: true,
    },
    show: |view, ui, ctx| self::ui(&mut view.matrices, ui, ctx),
    commands: &[
        TileCommand {
            id: "twin",
            title: "Matrices and embedding: this run or its twin",
            run: |view, _, _| {
                view.matrices.twin = !view.matrices.twin;
                view.embedding.twin = view.matrices.twin;
            },
        },
        TileCommand {
            id: "matrices-all",
            title: "Matrices: show all three",
            run: |view, _, _| view.matrices.enlarged = None,
        },
    ],
};

/// View state of the tile.
#[derive(Debug, Default)]
pub struct Matrices {
    maps: [HeatMapState; 3],
    /// Wp − Wpᵀ of the payload at this address.
    antisymmetric: Option<(Arc<Payload>, Vec<f32>)>,
    /// One matrix fills the tile.
    enlarged: Option<usize>,
    /// The twin's matrices are shown.
    pub twin: bool,
}

impl Matrices {
    /// What of it belongs to a scene.
    pub fn fields(&mut self, fields: &mut Fields) {
        fields.optional("enlarged", &mut self.enlarged);
        fields.value("twin", &mut self.twin, false);
    }
}

/// A square matrix of the run.
struct Square<'a> {
    title: &'static str,
    note: String,
    name: &'static str,
    values: &'a [f32],
    d: usize,
    identity: u64,
    /// Largest magnitude of its colours.
    extreme: f64,
}

fn extreme(values: &[f32]) -> f64 {
    values.iter().filter(|v| v.is_finite()).fold(0.0f32, |m, v| m.max(v.abs())).into()
}

/// Row-major values of a square matrix.
fn square(payload: &Payload) -> Option<(usize, &[f32])> {
    match payload {
        Payload::Matrix { rows, cols, values } if rows == cols && values.len() == (*rows * *cols) as usize => {
            Some((*rows as usize, values))
        }
        _ => None,
    }
}

/// Wp − Wpᵀ.
fn antisymmetric(d: usize, values: &[f32]) -> Vec<f32> {
    (0..d * d).map(|k| values[k] - values[k % d * d + k / d]).collect()
}

/// Draws the tile.
pub fn ui(state: &mut Matrices, ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
    let twin = series::twin_name(ctx.run);
    state.twin &= twin.is_some();
    let prefix = if state.twin { TWIN } else { "" };
    let wp = ctx.payload(&format!("{prefix}matrix/Wp"));
    let f = ctx.payload(&format!("{prefix}matrix/F"));
    let Some((step, wp)) = wp.filter(|(_, payload)| square(payload).is_some()) else {
        return empty::measured(ui, ctx, "when the eigenspaces are analysed for the first time");
    };
    let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
    let (bar, rest) = tile::split(ui, size);
    let whose = match (&twin, state.twin) {
        (Some(what), true) => format!("twin ({what}), "),
        _ => String::new(),
    };
    let about = format!("{whose}step {}; click to enlarge", number::grouped(step));
    tile::bar(ui, bar, tile::weak(about, size, style), |ui| {
        if tile::button(ui, state.enlarged.is_some(), "show all", "Show the three matrices side by side", size) {
            state.enlarged = None;
        }
        if twin.is_some() && tile::toggle(ui, state.twin, "twin", "Show the twin's matrices", size) {
            state.twin = !state.twin;
        }
    });

    let Some((d, wp_values)) = square(&wp) else { return };
    if state.antisymmetric.as_ref().is_none_or(|(of, _)| !Arc::ptr_eq(of, &wp)) {
        state.antisymmetric = Some((wp.clone(), antisymmetric(d, wp_values)));
    }
    let difference = state.antisymmetric.as_ref().map_or(&[][..], |(_, values)| values);
    let of_wp = extreme(wp_values);
    let mut all = vec![
        Square {
            title: "Wp",
            note: format!("largest {}", number::compact(of_wp)),
            name: "predictor Wp",
            values: wp_values,
            d,
            identity: series::identity(&wp),
            extreme: of_wp,
        },
        Square {
            title: "Wp − Wpᵀ",
            note: format!("largest {}", number::compact(extreme(difference))),
            name: "antisymmetric part, Wp minus its transpose",
            values: difference,
            d,
            identity: series::identity(&wp) ^ 1,
            extreme: of_wp,
        },
    ];
    if let Some((payload, (d, values))) = f.as_ref().and_then(|(_, payload)| Some((payload, square(payload)?))) {
        all.push(Square {
            title: "F",
            note: format!("largest {}", number::compact(extreme(values))),
            name: "correlation F",
            values,
            d,
            identity: series::identity(payload),
            extreme: extreme(values),
        });
    }
    let shown: Vec<usize> = match state.enlarged.filter(|index| *index < all.len()) {
        Some(index) => vec![index],
        None => (0..all.len()).collect(),
    };
    for (index, place) in shown.iter().zip(tile::panels(rest, shown.len(), 1.15, 1.2 * size)) {
        if draw(&mut state.maps[*index], &all[*index], place, size, ui, ctx) {
            state.enlarged = if shown.len() == 1 { None } else { Some(*index) };
        }
    }
}

/// One matrix with its colour bar; `true` when it was clicked.
fn draw(state: &mut HeatMapState, of: &Square<'_>, place: Rect, size: f32, ui: &Ui, ctx: &ViewCtx<'_>) -> bool {
    let coloring = Coloring::signed(ctx.style, of.extreme);
    let map = HeatMap {
        name: of.name,
        values: of.values,
        rows: of.d,
        columns: of.d,
        identity: of.identity,
        coloring,
        upwards: false,
        smooth: false,
    };
    let bar_width = if place.width() > 14.0 * size { 5.4 * size } else { 0.0 };
    // The picture is square: what it leaves free on the right is the bar's.
    let side = (place.width() - bar_width - 1.6 * size).min(place.height() - 3.3 * size).max(0.0);
    let outer = Rect::from_min_size(place.min, vec2(side + 1.6 * size, side + 3.3 * size));
    let free = vec2(place.width() - outer.width() - bar_width, place.height() - outer.height()).max(vec2(0.0, 0.0));
    let outer = outer.translate(free / 2.0);
    if bar_width > 0.0 {
        let left_top = pos2(outer.right() + 0.7 * size, outer.top() + 1.7 * size);
        let bar = Rect::from_min_size(left_top, vec2(0.8 * size, side));
        heatmap::color_bar(&ui.painter_at(place), bar, &coloring, size, ctx.style);
    }
    heatmap::matrix(state, ui, outer, &map, [of.title, &of.note], size, ctx.style)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_antisymmetric_part_is_minus_its_transpose() {
        let values = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0];
        let difference = antisymmetric(3, &values);
        assert_eq!(difference[1], 2.0 - 4.0);
        for i in 0..3 {
            for j in 0..3 {
                assert_eq!(difference[3 * i + j], -difference[3 * j + i]);
            }
        }
        assert_eq!(extreme(&[-3.0, f32::NAN, 2.0]), 3.0);
    }
}
