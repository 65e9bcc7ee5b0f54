//! Codes of test pictures along their two widest directions, and how well hospitals can be told from them.

use eframe::egui::Ui;

use crate::engine::event::Payload;
use crate::engine::twin::TWIN;
use crate::kit::points::{PointMap, Points, class_name};
use crate::kit::tiles::{Tile, TileCommand, TileSpec};
use crate::kit::view::ViewCtx;
use crate::kit::{empty, series};
use crate::plot::axes::Titles;
use crate::plot::{number, tile};

use super::ReconstructionView;
use super::pictures::{Named, named};

/// The tile.
pub static TILE: Tile<ReconstructionView> = Tile {
    spec: TileSpec {
        id: "latent",
        title: "Codes",
        help: "Pooled codes of test pictures along their two widest directions, by grade or by hospital. Where hospitals lie apart, the \
               encoder tells cameras; the probe says how well (a linear layer, fitted on every second picture, judged on the others). Click a class to highlight it.",
        area: "codes",
        follows_cursor: true,
    },
    show: |view, ui, ctx| view.latent.show(ui, ctx),
    commands: &[
        TileCommand { id: "latent-fit", title: "Codes: show all points", run: |view, _, _| view.latent.map.fit() },
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
    map: PointMap,
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
        let probe = probe.map_or_else(String::new, |accuracy| format!("hospital told in {:.0} %, ", 100.0 * accuracy));
        let about = format!("{whose}{probe}step {}", number::grouped(step));
        tile::bar(ui, bar, tile::weak(about, size, style), |ui| {
            if tile::button(ui, self.map.is_zoomed(), "fit", "Show all points (double-click does the same)", size) {
                self.map.fit();
            }
            if twin && tile::toggle(ui, self.twin, "twin", "Show the twin's codes", size) {
                self.twin = !self.twin;
            }
            if tile::toggle(ui, self.hospitals, "hospital", "Colours by hospital in place of grade", size) {
                self.hospitals = !self.hospitals;
            }
        });
        let (classes, titles) = self.classes(&names);
        let called = |i: usize| {
            let class = class_name(&titles, classes.get(i).copied().unwrap_or(0));
            names.get(i).map_or_else(|| class.clone(), |named| format!("{}: {class}", named.name))
        };
        let points = Points {
            xy,
            classes: &classes,
            class_names: &titles,
            name: &called,
            titles: Titles { x: "widest direction of the codes", y: "second" },
            said: format!("codes of {} test pictures", xy.len()),
        };
        self.map.show(&points, rest, ui, ctx);
    }

    /// The class of each picture, and what classes are called.
    fn classes(&self, names: &[Named]) -> (Vec<usize>, Vec<String>) {
        if !self.hospitals {
            let grade = |named: &Named| named.grade.map_or(4, usize::from);
            let classes: Vec<usize> = names.iter().map(grade).collect();
            let titles = ["healthy", "grade 1", "grade 2", "grade 3", "no grade"];
            let ungraded = classes.contains(&4);
            return (classes, titles[..if ungraded { 5 } else { 4 }].iter().map(|&title| title.to_owned()).collect());
        }
        let mut titles: Vec<String> = names.iter().map(|named| named.hospital.clone()).collect();
        titles.sort_unstable();
        titles.dedup();
        let class = |named: &Named| titles.iter().position(|title| *title == named.hospital).unwrap_or(0);
        (names.iter().map(class).collect(), titles)
    }
}
