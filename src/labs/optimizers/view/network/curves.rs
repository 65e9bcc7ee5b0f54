//! Loss and accuracy against the step. Measured at a cadence, so that a curve is a list of steps with values.

use eframe::egui::Ui;

use crate::engine::event::KeySpec;
use crate::kit::curves::{About, Axis, CurvesTile, LOG, Layer, Panel, axis};
use crate::kit::fields::Fields;
use crate::kit::series;
use crate::kit::view::ViewCtx;
use crate::labs::optimizers::KEYS;
use crate::labs::optimizers::network::roster::ROSTER;
use crate::plot::tile;

use super::parts;
use super::{NetworkState, value};
use crate::kit::tiles::{Tile, TileCommand, TileSpec};
use crate::labs::optimizers::view::{OptimizersView, network};

/// The tile.
pub static LOSS: Tile<OptimizersView> = Tile {
    spec: TileSpec {
        id: "loss",
        title: "Loss",
        help: "Mean cross-entropy of the whole training set (bold) and test set (fine) against the step, of the data \
               alone: what regularisation adds is not in it. Click or drag to move the timeline, scroll to zoom, \
               double-click to fit.",
        area: "loss",
        follows_cursor: true,
    },
    show: |view, ui, ctx| {
        network::show(&mut view.network, ui, ctx, |state, present, ui, ctx| {
            let NetworkState { selected, loss, sets, .. } = state;
            self::ui(&LOSSES, loss, sets, present, selected, ui, ctx);
        })
    },
    commands: &[
        TileCommand {
            id: "network-log",
            title: "Loss: logarithmic axis on or off",
            run: |view, _, _| view.network.loss.toggle_log(true),
        },
        TileCommand {
            id: "network-train",
            title: "Loss and accuracy: training set on or off",
            run: |view, _, _| view.network.sets.toggle_train(),
        },
        TileCommand {
            id: "network-test",
            title: "Loss and accuracy: test set on or off",
            run: |view, _, _| view.network.sets.toggle_test(),
        },
        TileCommand {
            id: "network-fit",
            title: "Loss and accuracy: show the whole run",
            run: |view, _, _| {
                [&mut view.network.loss, &mut view.network.accuracy].into_iter().for_each(CurvesTile::fit)
            },
        },
    ],
};

/// The tile.
pub static ACCURACY: Tile<OptimizersView> = Tile {
    spec: TileSpec {
        id: "accuracy",
        title: "Accuracy",
        help: "Share of points whose likeliest class is theirs: training set (bold) and test set (fine).",
        area: "accuracy",
        follows_cursor: true,
    },
    show: |view, ui, ctx| {
        network::show(&mut view.network, ui, ctx, |state, present, ui, ctx| {
            let NetworkState { selected, accuracy, sets, .. } = state;
            self::ui(&ACCURACIES, accuracy, sets, present, selected, ui, ctx);
        })
    },
    commands: &[],
};

/// What one tile draws.
struct Family {
    axis: Axis,
    /// Prefix of the scalars' keys.
    key: &'static str,
    about: &'static str,
}

const LOSSES: Family = Family {
    axis: Axis { scale: LOG, switch: "log", ..axis("loss against the step", "Loss", "loss, nats") },
    key: "loss",
    about: "bold: training set, fine: test set",
};

const ACCURACIES: Family = Family {
    axis: Axis { include: &[0.9, 1.0], ..axis("accuracy against the step", "Accuracy", "accuracy") },
    key: "accuracy",
    about: "share of points in the right class",
};

/// Which sets are drawn, in both tiles. At least one of the two stays on.
#[derive(Debug, Clone, Copy)]
pub struct Sets {
    train: bool,
    test: bool,
}

impl Sets {
    /// What of it belongs to a scene.
    pub fn fields(&mut self, fields: &mut Fields) {
        let sets = [("both", [true, true]), ("train", [true, false]), ("test", [false, true])];
        let mut on = [self.train, self.test];
        fields.choice("sets", &mut on, &sets);
        [self.train, self.test] = on;
    }
}

impl Default for Sets {
    fn default() -> Self {
        Self { train: true, test: true }
    }
}

impl Sets {
    fn toggle_train(&mut self) {
        self.train = !self.train || !self.test;
    }

    fn toggle_test(&mut self) {
        self.test = !self.test || !self.train;
    }
}

/// Draws one tile.
fn ui(
    family: &Family,
    state: &mut CurvesTile,
    sets: &mut Sets,
    present: &[usize],
    selected: &mut Option<usize>,
    ui: &mut Ui,
    ctx: &mut ViewCtx<'_>,
) {
    let (size, style, run) = (tile::font_size(ctx.presenting), ctx.style, ctx.run);
    let mut panel = Panel::new(family.axis, &[], ctx);
    panel.entries = parts::entries(present, *selected, style);
    for (set, layer, on) in [("test", Layer::Behind, sets.test), ("train", Layer::Run, sets.train)] {
        for &optimizer in present.iter().filter(|_| on) {
            let entry = &ROSTER[optimizer];
            let key = format!("{}/{set}/{}", family.key, entry.id);
            let name = format!("{} {set}", entry.title);
            panel.behind(&key, &name, style.category(optimizer).dash, false, ctx);
            let Some(mut curve) = series::scalar(run, &key, name, style.category(optimizer)) else { continue };
            if set == "test" {
                curve.width = 0.55;
                curve.category.color = curve.category.color.gamma_multiply(0.75);
            }
            // Where one has stopped there is no value any more.
            let last = run.scalars[key.as_str()].last().map(|(step, _)| step);
            let every = KeySpec::find(KEYS, &key).map_or(1, |spec| spec.every);
            let ended = move |measured: u64, step: u64| last == Some(measured) && step > measured + 2 * every;
            curve.held = Some(Box::new(move |step| {
                series::newest(run, &key, step).filter(|(measured, _)| !ended(*measured, step))
            }));
            panel.push(layer, entry.title, curve);
        }
    }
    state.highlighted = selected.map(|index| ROSTER[index].title.to_owned());
    let mut about = About { text: family.about.to_owned(), ..About::default() };
    if state.is_log(&family.axis) {
        let zero = |i: &&usize| {
            let of = |set: &str| value(run, &format!("{}/{set}", family.key), ROSTER[**i].id, ctx.cursor.step);
            [("train", sets.train), ("test", sets.test)].into_iter().any(|(set, on)| on && of(set) == Some(0.0))
        };
        let names: Vec<&str> = present.iter().filter(zero).map(|&i| ROSTER[i].title).collect();
        if !names.is_empty() {
            // f32 cannot tell it from 0.
            about.text = format!("exactly 0 and so below the axis: {}; {}", names.join(", "), family.about);
        }
    }
    state.show(&about, vec![panel], ui, ctx, |ui, _| {
        if tile::toggle(ui, sets.test, "test", "Show the test set (fine lines)", size) {
            sets.toggle_test();
        }
        if tile::toggle(ui, sets.train, "train", "Show the training set (bold lines)", size) {
            sets.toggle_train();
        }
    });
    *selected = state.highlighted.take().and_then(|name| present.iter().copied().find(|&i| ROSTER[i].title == name));
}
