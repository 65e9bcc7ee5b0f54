//! The guide of the lab with the current numbers, and the tile with the data and the network.

use eframe::egui::{Label, RichText, ScrollArea, Ui, UiBuilder};

use crate::kit::tiles::{Tile, TileCommand, TileSpec};
use crate::kit::view::{ViewAction, ViewCtx};
use crate::kit::{empty, prose, series};
use crate::labs::reconstruction::SPEC;
use crate::labs::reconstruction::params::{FOLDER, PARAMS, ROUTINES, Routine, SOURCE, Source, UNLABELLED_FOLDER};
use crate::plot::{number, tile};

use super::ReconstructionView;

/// The tile.
pub static DATA_TILE: Tile<ReconstructionView> = Tile {
    spec: TileSpec {
        id: "data",
        title: "Data and network",
        help: "Which pictures the run learns from and is judged by, and what its network costs.",
        area: "codes",
        follows_cursor: false,
    },
    show: |_, ui, ctx| data(ui, ctx),
    commands: &[
        TileCommand {
            id: "data-choose",
            title: "Data: choose the folder of graded photographs",
            run: |_, ctx, _| choose(ctx, FOLDER.key()),
        },
        TileCommand {
            id: "data-choose-unlabelled",
            title: "Data: choose the folder of photographs without grades",
            run: |_, ctx, _| choose(ctx, UNLABELLED_FOLDER.key()),
        },
    ],
};

/// Asks for a folder; the form is set to folders, whatever it was set to.
fn choose(ctx: &mut ViewCtx<'_>, key: &str) {
    if let Some(source) = SOURCE.value(|source| *source == Source::Folder) {
        ctx.set(SOURCE.key(), source, true);
    }
    ctx.actions.push(ViewAction::ChooseFile { key: key.to_owned() });
}

fn data(ui: &mut Ui, ctx: &ViewCtx<'_>) {
    let (Some(data), Some(network)) = (series::text(ctx, "data/summary"), series::text(ctx, "network")) else {
        return empty::measured(ui, ctx, "when the run begins");
    };
    let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
    let rect = ui.available_rect_before_wrap();
    ui.scope_builder(UiBuilder::new().max_rect(rect), |ui| {
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            for (title, text) in [("Data", data), ("Network", network)] {
                ui.add_space(0.4 * size);
                ui.label(tile::weak(title.to_uppercase(), size, style));
                for line in text.lines() {
                    ui.add(Label::new(RichText::new(line).size(size + 1.0).color(style.text)).wrap());
                }
            }
        });
    });
}

/// Draws the guide.
pub fn ui(ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
    let params = series::params_at(ctx, PARAMS);
    let value = |key: &str| series::value(ctx, key).map_or_else(|| "—".to_owned(), number::short);
    prose::heading(ui, ctx, "What you see");
    prose::line(
        ui,
        ctx,
        "An encoder squeezes a picture of the retina into a short code. A decoder rebuilds the picture from it, a classifier of four \
         units tells from the same code whether the eye is ill. Pictures without a diagnosis can train the first two: does that help \
         the third?",
    );
    prose::line(
        ui,
        ctx,
        match ROUTINES.of(&params) {
            Routine::Supervised => "Now: labelled pictures alone. The decoder learns nothing.",
            Routine::AeThenCl => {
                "Now: first unlabelled pictures are rebuilt, then labelled ones are learned from; the second phase spoils what the first has learned to rebuild."
            }
            Routine::Combined => "Now: batches of both kinds in turn, in proportion to their numbers.",
            Routine::LabelledAlso => {
                "Now: labelled pictures are rebuilt too, but no others: whether the second task alone helps."
            }
        },
    );
    prose::heading(ui, ctx, "Loss (eq. 1 to 3)");
    prose::equation(ui, ctx, "L_ae = mean (x − x̂)²", value("loss/reconstruction"));
    prose::equation(ui, ctx, "L_cl = −mean [α y ln ŷ + (1 − y) ln(1 − ŷ)]", value("loss/classification"));
    prose::equation(ui, ctx, "L = L_ae + λ L_cl", format!("λ = {}", value("lambda")));
    prose::line(
        ui,
        ctx,
        "The article prints eq. (2) without its minus sign, and gives λ = 400 and 3 for a scale of L_ae that it does not name. On \
         numbers from 0 to 1 both losses pull the encoder equally at",
    );
    prose::equation(ui, ctx, "λ* = ‖g_ae‖ / ‖g_cl‖", value("gradient/ratio"));
    prose::heading(ui, ctx, "Reading the numbers");
    prose::line(
        ui,
        ctx,
        "Accuracy is counted at probability 0.5, and early in training says mostly on which side of it the answers happen to lie. The \
         AUC asks whether the ill score higher than the healthy, whatever the threshold.",
    );
    prose::equation(ui, ctx, "AUC of test pictures", value("auc/test"));
    prose::line(
        ui,
        ctx,
        "The article's gains are 4 and 5 pictures of 238 (76.47 − 74.79 and 89.08 − 86.97 per cent), of the best epoch on the test \
         set. Intervals of that size overlap; look at several seeds before you believe a gain, here too.",
    );
    prose::tries(ui, ctx, &SPEC);
}
