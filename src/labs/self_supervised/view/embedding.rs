//! Test features along their two widest directions, coloured by class.

use eframe::egui::Ui;

use crate::engine::event::Payload;
use crate::kit::empty;
use crate::kit::fields::Fields;
use crate::kit::points::{PointMap, Points, class_name};
use crate::kit::view::ViewCtx;
use crate::plot::axes::Titles;
use crate::plot::{number, tile};

use super::SelfSupervisedView;
use super::series::{self, TWIN};
use crate::kit::tiles::{Tile, TileCommand, TileSpec};

/// The tile.
pub static TILE: Tile<SelfSupervisedView> = Tile {
    spec: TileSpec {
        id: "embedding",
        title: "Embedding",
        help: "Features of test pictures along their two widest directions, coloured by class (the classes never \
               train the network). Click a class to highlight it.",
        area: "features",
        follows_cursor: true,
    },
    show: |view, ui, ctx| self::ui(&mut view.embedding, ui, ctx),
    commands: &[TileCommand {
        id: "embedding-fit",
        title: "Embedding: show all points",
        run: |view, _, _| view.embedding.map.fit(),
    }],
};

/// View state of the tile.
#[derive(Debug, Default)]
pub struct Embedding {
    map: PointMap,
    pub twin: bool,
}

impl Embedding {
    /// What of it belongs to a scene.
    pub fn fields(&mut self, fields: &mut Fields) {
        self.map.fields(fields);
        fields.value("twin", &mut self.twin, false);
    }
}

/// Draws the tile.
pub fn ui(state: &mut Embedding, ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
    let twin = series::twin_name(ctx.run).is_some();
    state.twin &= twin;
    let key = if state.twin { format!("{TWIN}embedding") } else { "embedding".to_owned() };
    let found = ctx.payload(&key);
    let Some((step, Payload::Points { xy, classes })) = found.as_ref().map(|(step, payload)| (*step, &**payload))
    else {
        return empty::measured(ui, ctx, "before training and then every so many steps (parameter `probe_every`)");
    };
    let mut names: Vec<String> =
        series::text(ctx, "classes").map(|text| text.lines().map(str::to_owned).collect()).unwrap_or_default();
    let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
    let (bar, rest) = tile::split(ui, size);
    let whose = if state.twin { "twin, " } else { "" };
    let about = format!("{whose}{} test pictures, step {}", xy.len(), number::grouped(step));
    tile::bar(ui, bar, tile::weak(about, size, style), |ui| {
        if tile::button(ui, state.map.is_zoomed(), "fit", "Show all points (double-click does the same)", size) {
            state.map.fit();
        }
        if twin && tile::toggle(ui, state.twin, "twin", "Show the twin's features", size) {
            state.twin = !state.twin;
        }
    });
    let classes: Vec<usize> = classes.iter().map(|class| *class as usize).collect();
    names.truncate(classes.iter().map(|class| class + 1).max().unwrap_or(0));
    let points = Points {
        xy,
        classes: &classes,
        class_names: &names,
        name: &|i| class_name(&names, classes.get(i).copied().unwrap_or(0)),
        titles: Titles { x: "widest direction of the features", y: "second" },
        said: format!("projection of {} test features in {} classes", xy.len(), names.len()),
        links: false,
        over: &|_| {},
    };
    state.map.show(&points, rest, ui, ctx);
}
