//! The tile of how variance is spread over directions: eigenvalues of the covariance of the test pictures' features and embeddings,
//! with the power law that the features' follow.

use eframe::egui::{Rect, Ui, pos2, vec2};

use crate::kit::empty;
use crate::kit::fields::Fields;
use crate::kit::tiles::{Tile, TileSpec};
use crate::kit::view::ViewCtx;
use crate::metrics::representation::{FIRST_RANK, PowerLaw, power_law};
use crate::metrics::spectrum::LOG_FLOOR;
use crate::plot::axes::Titles;
use crate::plot::number;
use crate::plot::scale::Scale;
use crate::plot::spectrum::{Line, Spec, SpectrumState};
use crate::plot::style::Dash;
use crate::plot::tile::{self, panel_heading};

use super::SelfSupervisedView;
use super::eigenspaces::{Panel, draw_spectrum, values};
use super::series;
use super::snapshots::{self, Snapshots};

/// The tile.
pub static TILE: Tile<SelfSupervisedView> = Tile {
    spec: TileSpec {
        id: "spectrum",
        title: "Spectrum",
        help: "Eigenvalues of the covariance of test pictures' features h (the encoder's outputs) and embeddings z (the projector's), \
               without augmentation. Coloured lines are snapshots over training, the bold one is the timeline's step; dashed: the \
               power law that the features follow.",
        area: "large",
        follows_cursor: true,
    },
    show: |view, ui, ctx| self::ui(&mut view.spectrum, ui, ctx),
    commands: &[],
};

/// View state of the tile.
#[derive(Debug, Default)]
pub struct Spectrum {
    snapshots: Snapshots,
    plots: [SpectrumState; 2],
}

impl Spectrum {
    /// What of it belongs to a scene.
    pub fn fields(&mut self, fields: &mut Fields) {
        for (index, plot) in self.plots.iter_mut().enumerate() {
            fields.zoom(&format!("zoom{index}"), plot.zoom());
        }
    }

    /// Shows everything again.
    pub fn fit(&mut self) {
        self.plots.iter_mut().for_each(SpectrumState::fit);
    }
}

fn panels(size: f32) -> [Panel; 2] {
    let panel = |key, heading, name| Panel {
        key,
        heading,
        spec: Spec {
            name,
            titles: Titles { x: "index, largest first", y: "variance (log)" },
            scale: Scale::Log { base: 0.0 },
            floor: Some(LOG_FLOOR),
            include: &[],
            font_size: size,
        },
    };
    [
        panel(
            FEATURES,
            "Features h of test pictures",
            "eigenvalues of the covariance of the features against their index",
        ),
        panel(
            "spectrum/embeddings",
            "Embeddings z of test pictures",
            "eigenvalues of the covariance of the embeddings against their index",
        ),
    ]
}

const FEATURES: &str = "spectrum/features";

fn ui(state: &mut Spectrum, ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
    if !ctx.run.payloads.contains_key(FEATURES) {
        return empty::measured(ui, ctx, "before training, and then with kNN and probe");
    }
    let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
    let (bar, rest) = tile::split(ui, size);
    let current = series::series(ctx, FEATURES);
    let law = current.as_ref().and_then(|(_, payload)| power_law(values(payload)));
    let about = match law {
        Some(PowerLaw { alpha, last, .. }) => {
            format!("features: λ ∝ j^(−α), α = {} over ranks {FIRST_RANK} to {last}", number::short(alpha))
        }
        None => "too few directions vary for a power law".to_owned(),
    };
    tile::bar(ui, bar, tile::weak(about, size, style), |ui| {
        let zoomed = state.plots.iter().any(SpectrumState::is_zoomed);
        if tile::button(ui, zoomed, "fit", "Show everything (double-click does the same)", size) {
            state.fit();
        }
    });
    let key_height = if rest.height() > 14.0 * size { 1.8 * size } else { 0.0 };
    let figure = Rect::from_min_max(rest.min, rest.max - vec2(0.0, key_height));
    let places = tile::panels(figure, 2, 1.35, 1.2 * size);
    let painter = ui.painter_at(rest.expand(2.0));
    // Before the first rank and after the last there is no law.
    let fitted: Vec<f64> = law.map_or_else(Vec::new, |law| {
        (1..=law.last).map(|rank| if rank < FIRST_RANK { f64::NAN } else { law.at(rank) }).collect()
    });
    for ((panel, place), plot) in panels(size).into_iter().zip(&places).zip(&mut state.plots) {
        let below = panel_heading(&painter, *place, panel.heading, size, style);
        let line = law.filter(|_| panel.key == FEATURES).map(|law| Line {
            values: &fitted,
            name: format!("α = {}", number::short(law.alpha)),
            color: style.category(1).color,
            dash: Dash::Dashed,
            width: 1.8,
            identity: law.alpha.to_bits() ^ law.scale.to_bits(),
            readable: false,
        });
        draw_spectrum(&mut state.snapshots, plot, &panel, line, below, ui, ctx);
    }
    if key_height > 0.0 {
        let place = Rect::from_min_max(pos2(rest.left(), figure.bottom() + 0.2 * size), rest.max);
        snapshots::color_key(ui, place, ctx, size);
    }
}
