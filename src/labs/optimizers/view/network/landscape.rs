//! The loss landscape of the networks: one slice, every optimizer's path on it.

use crate::kit::landscape_tile::Shown;
use crate::kit::tiles::{Tile, TileCommand, TileSpec};
use crate::kit::view::ViewCtx;
use crate::labs::optimizers::SPEC;
use crate::labs::optimizers::network::roster::ROSTER;
use crate::labs::optimizers::view::{OptimizersView, network};

/// The tile.
pub static TILE: Tile<OptimizersView> = Tile {
    spec: TileSpec {
        id: "landscape",
        title: "Loss landscape",
        help: "The training loss on a plane through the space of weights, and every optimizer's path projected on that same \
               plane. No plane holds the paths: beside it stands how far each one is from it, and how curved the loss is \
               along the way, against 2/η.",
        area: "boundary",
        follows_cursor: true,
    },
    show: |view, ui, ctx| {
        network::show(&mut view.network, ui, ctx, |state, _, ui, ctx| {
            let selected = state.selected.map_or("", |index| ROSTER[index].id);
            with(ctx, selected, |shown, ctx| state.landscape.show(shown, ui, ctx));
        })
    },
    commands: &[
        TileCommand {
            id: "landscape-compute",
            title: "Loss landscape: compute up to the timeline's step",
            run: |view, ctx, _| {
                let selected = view.network.selected.map_or("", |index| ROSTER[index].id);
                with(ctx, selected, |shown, ctx| view.network.landscape.compute(shown, ctx));
            },
        },
        TileCommand {
            id: "landscape-cancel",
            title: "Loss landscape: cancel the computation",
            run: |view, _, _| view.network.landscape.cancel(),
        },
        TileCommand {
            id: "landscape-plane",
            title: "Loss landscape: another kind of plane",
            run: |view, _, _| view.network.landscape.next_plane(),
        },
        TileCommand {
            id: "landscape-directions",
            title: "Loss landscape: other random directions",
            run: |view, _, _| view.network.landscape.other_directions(),
        },
        TileCommand {
            id: "landscape-log",
            title: "Loss landscape: logarithmic colours on or off",
            run: |view, _, _| view.network.landscape.toggle_log(),
        },
        TileCommand {
            id: "landscape-fit",
            title: "Loss landscape: show all of it",
            run: |view, _, _| view.network.landscape.fit(),
        },
    ],
};

/// How this lab shows it.
fn with(ctx: &mut ViewCtx<'_>, selected: &str, done: impl FnOnce(&Shown<'_>, &mut ViewCtx<'_>)) {
    let style = ctx.style;
    let category = |id: &str| network::category(id, style);
    done(&Shown { lab: &SPEC, category: &category, selected, is_short: true }, ctx);
}
