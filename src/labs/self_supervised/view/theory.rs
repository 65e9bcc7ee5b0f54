//! The theory panel: the linear dynamics of one mode as a phase portrait, the matrix simulator, and the size of the basin
//! of collapse. Its sliders are view state; the run is not touched.

pub mod basin;
mod controls;
pub mod portrait;
mod run_time;
pub mod simulator;

use eframe::egui::{Rect, Ui, UiBuilder, pos2, vec2};

use crate::kit::fields::Fields;
use crate::kit::view::ViewCtx;
use crate::labs::self_supervised::theory::modes::ModeDynamics;
use crate::plot::tile;

/// View state of the three tiles; the constants are shared.
#[derive(Debug)]
pub struct Theory {
    pub constants: Constants,
    portrait: portrait::Portrait,
    simulator: simulator::Simulator,
    basin: basin::BasinMap,
}

/// The sliders.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Constants {
    pub mode: ModeDynamics,
    /// η_p follows η.
    pub equal_decay: bool,
}

impl Default for Theory {
    fn default() -> Self {
        Self {
            constants: Constants { mode: ModeDynamics::default(), equal_decay: true },
            portrait: Default::default(),
            simulator: Default::default(),
            basin: Default::default(),
        }
    }
}

impl Theory {
    /// What of it belongs to a scene.
    pub fn fields(&mut self, fields: &mut Fields) {
        let Constants { mode, equal_decay } = &mut self.constants;
        let fresh = ModeDynamics::default();
        fields.value("equal", equal_decay, true);
        for (name, field, fresh, range) in [
            ("eta", &mut mode.eta, fresh.eta, 0.0..=0.4),
            ("eta_p", &mut mode.eta_p, fresh.eta_p, 0.0..=0.4),
            ("alpha_p", &mut mode.alpha_p, fresh.alpha_p, 0.1..=100.0),
            ("sigma2", &mut mode.sigma2, fresh.sigma2, 0.0..=2.0),
            ("ratio", &mut mode.ratio, fresh.ratio, 0.3..=1.2),
        ] {
            fields.number(name, field, fresh, range);
        }
        fields.of("portrait", |fields| self.portrait.fields(fields));
        fields.of("simulator", |fields| self.simulator.fields(fields));
    }

    /// Shows everything again.
    pub fn fit(&mut self) {
        self.portrait.fit();
        self.simulator.fit();
    }

    /// Takes decay, rates, momentum and duration of the run into the sliders.
    pub fn take_from_run(&mut self, ctx: &ViewCtx<'_>) {
        controls::take_from_run(self, ctx);
    }
}

/// Draws one of the tiles `theory`, `simulator` and `basin`.
pub fn ui(state: &mut Theory, tile: &str, ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
    let size = tile::font_size(ctx.presenting);
    let (bar, rest) = tile::split(ui, size);
    if rest.width() < 4.0 * size || rest.height() < 4.0 * size {
        return;
    }
    let (sliders, picture) = layout(rest, size);
    match tile {
        "theory" => portrait::ui(state, bar, picture, ui, ctx),
        "simulator" => simulator::ui(state, bar, picture, ui, ctx),
        _ => basin::ui(state, bar, picture, ui, ctx),
    }
    if sliders.is_positive() {
        ui.scope_builder(UiBuilder::new().max_rect(sliders), |ui| {
            ui.shrink_clip_rect(sliders.expand(2.0));
            controls::ui(state, tile, size, ui, ctx);
        });
    }
}

/// The sliders' column on the left, where there is room for it, and the picture's place.
fn layout(rest: Rect, size: f32) -> (Rect, Rect) {
    let width = 15.5 * size;
    if rest.width() < 2.1 * width || rest.height() < 11.0 * size {
        return (Rect::NOTHING, rest);
    }
    let sliders = Rect::from_min_size(rest.min, vec2(width, rest.height()));
    (sliders, Rect::from_min_max(pos2(sliders.right() + 1.2 * size, rest.top()), rest.max))
}
