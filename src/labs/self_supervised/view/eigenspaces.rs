//! The four panels of the paper's figures: eigenvalues of F and of Wp, alignment of the eigenvectors, asymmetry.

use std::sync::Arc;

use eframe::egui::{Rect, Ui, pos2, vec2};

use crate::engine::event::Payload;
use crate::kit::curves::{self, Axis, CurvesTile, Layer, axis};
use crate::kit::empty;
use crate::kit::fields::Fields;
use crate::kit::view::ViewCtx;
use crate::metrics::spectrum::LOG_FLOOR;
use crate::plot::axes::Titles;
use crate::plot::curve::{Curve, CurveState};
use crate::plot::number;
use crate::plot::scale::Scale;
use crate::plot::spectrum::{Line, Spec, SpectrumState};
use crate::plot::style::Dash;
use crate::plot::tile::{self, panel_heading};

use super::SelfSupervisedView;
use super::series::{self, ASYMMETRY, ASYMMETRY_L1, TWIN};
use super::snapshots::{self, Snapshots};
use super::{paper, params_of};
use crate::kit::tiles::{Tile, TileCommand, TileSpec};

/// The tile.
pub static TILE: Tile<SelfSupervisedView> = Tile {
    spec: TileSpec {
        id: "eigenspaces",
        title: "Eigenspaces",
        help: "The paper's four panels: eigenvalues of F and of the predictor Wp, alignment of each eigenvector of \
               F, asymmetry of Wp. Coloured lines are snapshots over training, the bold one is the timeline's step.",
        area: "large",
        follows_cursor: true,
    },
    show: |view, ui, ctx| self::ui(&mut view.eigenspaces, ui, ctx),
    commands: &[
        TileCommand {
            id: "fit",
            title: "Self-supervised: show the whole run in every plot",
            run: |view, _, _| {
                view.eigenspaces.fit();
                [&mut view.measures, &mut view.loss, &mut view.probe].into_iter().for_each(CurvesTile::fit);
                view.spectrum.fit();
                view.theory.fit();
            },
        },
        TileCommand {
            id: "paper",
            title: "Eigenspaces: the paper's asymmetry behind, on or off",
            run: |view, _, _| view.eigenspaces.toggle_paper(),
        },
        TileCommand {
            id: "entrywise",
            title: "Eigenspaces: asymmetry in entrywise L1 or Frobenius",
            run: |view, _, _| view.eigenspaces.entrywise = !view.eigenspaces.entrywise,
        },
    ],
};

/// View state of the tile.
#[derive(Debug, Default)]
pub struct Eigenspaces {
    snapshots: Snapshots,
    spectra: [SpectrumState; 3],
    asymmetry: CurveState,
    /// The paper's measurements are laid behind.
    pub with_paper: bool,
    /// Asymmetry in the entrywise L1 norm, as in the paper's figures.
    pub entrywise: bool,
}

/// A panel of a list against its index.
pub(super) struct Panel {
    pub key: &'static str,
    pub heading: &'static str,
    pub spec: Spec<'static>,
}

fn spectra(size: f32) -> [Panel; 3] {
    let panel = |key, heading, name, y, scale, floor, include| Panel {
        key,
        heading,
        spec: Spec { name, titles: Titles { x: "index, largest first", y }, scale, floor, include, font_size: size },
    };
    let log = Scale::Log { base: 0.0 };
    [
        panel(
            "eigenvalues/F",
            "Eigenvalues of F",
            "eigenvalues of F against their index",
            "λ (log)",
            log,
            Some(LOG_FLOOR),
            &[],
        ),
        panel(
            "eigenvalues/Wp",
            "Eigenvalues of Wp",
            "eigenvalues of Wp against their index",
            "real part",
            Scale::Linear,
            None,
            &[0.0],
        ),
        Panel {
            key: "alignment/per-eigenvector",
            heading: "Alignment of each eigenvector of F",
            spec: Spec {
                name: "alignment of each eigenvector of F",
                titles: Titles { x: "index, largest λ of F first", y: "cos(v, Wp v)" },
                scale: Scale::Linear,
                floor: None,
                include: &[-1.0, 1.0],
                font_size: size,
            },
        },
    ]
}

impl Eigenspaces {
    /// What of it belongs to a scene.
    pub fn fields(&mut self, fields: &mut Fields) {
        for (index, spectrum) in self.spectra.iter_mut().enumerate() {
            fields.zoom(&format!("zoom{index}"), spectrum.zoom());
        }
        fields.zoom("zoom", self.asymmetry.zoom());
        fields.value("paper", &mut self.with_paper, false);
        fields.value("entrywise", &mut self.entrywise, false);
    }

    /// Lays the paper's asymmetry behind, or takes it away. It is in the entrywise L1 norm, so that is shown then.
    pub fn toggle_paper(&mut self) {
        self.with_paper = !self.with_paper;
        self.entrywise |= self.with_paper;
    }

    /// Shows everything again.
    pub fn fit(&mut self) {
        self.spectra.iter_mut().for_each(SpectrumState::fit);
        self.asymmetry.fit();
    }

    fn is_zoomed(&self) -> bool {
        self.spectra.iter().any(SpectrumState::is_zoomed) || self.asymmetry.is_zoomed()
    }
}

/// Draws the tile.
pub fn ui(state: &mut Eigenspaces, ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
    if !ctx.run.scalars.contains_key(ASYMMETRY.key) {
        return empty::measured(ui, ctx, "when the eigenspaces are analysed for the first time");
    }
    let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
    let (bar, rest) = tile::split(ui, size);
    let about = match series::twin_name(ctx.run) {
        Some(what) => format!("dashed: twin, {what}"),
        None => "snapshots over training, and now".to_owned(),
    };
    tile::bar(ui, bar, tile::weak(about, size, style), |ui| {
        if tile::button(ui, state.is_zoomed(), "fit", "Show everything (double-click does the same)", size) {
            state.fit();
        }
        let help = "Asymmetry in the entrywise L1 norm, as the paper's figures have it, instead of Frobenius";
        if tile::toggle(ui, state.entrywise, "L1", help, size) {
            state.entrywise = !state.entrywise;
        }
        let help = "Lay the asymmetry of the paper's run behind (CIFAR-10, ResNet-18, two-layer predictor, 100 epochs, \
                    stretched over this run's steps; entrywise L1)";
        if tile::toggle(ui, state.with_paper, "paper", help, size) {
            state.toggle_paper();
        }
    });

    let key_height = if rest.height() > 14.0 * size { 1.8 * size } else { 0.0 };
    let figure = Rect::from_min_max(rest.min, rest.max - vec2(0.0, key_height));
    let places = tile::panels(figure, 4, 1.35, 1.2 * size);
    let painter = ui.painter_at(rest.expand(2.0));
    for ((panel, place), spectrum) in spectra(size).into_iter().zip(&places).zip(&mut state.spectra) {
        let below = panel_heading(&painter, *place, panel.heading, size, style);
        draw_spectrum(&mut state.snapshots, spectrum, &panel, None, below, ui, ctx);
    }
    let norm = if state.entrywise { "entrywise L1" } else { "Frobenius" };
    let below = panel_heading(&painter, places[3], "Asymmetry of Wp", size, style);
    draw_asymmetry(state, norm, below, ui, ctx);
    if key_height > 0.0 {
        let place = Rect::from_min_max(pos2(rest.left(), figure.bottom() + 0.2 * size), rest.max);
        snapshots::color_key(ui, place, ctx, size);
    }
}

/// The numbers of a list; none of anything else.
pub(super) fn values(payload: &Arc<Payload>) -> &[f64] {
    match &**payload {
        Payload::Series(values) => values,
        _ => &[],
    }
}

/// Draws snapshots of a list, the twin's and the one at the cursor, and `on_top` of them.
pub(super) fn draw_spectrum(
    snapshots: &mut Snapshots,
    state: &mut SpectrumState,
    panel: &Panel,
    on_top: Option<Line<'_>>,
    place: Rect,
    ui: &mut Ui,
    ctx: &ViewCtx<'_>,
) {
    let style = ctx.style;
    let steps = series::steps(ctx);
    let past = snapshots.of(ctx, panel.key);
    let current = series::series(ctx, panel.key);
    let twin = series::series(ctx, &format!("{TWIN}{}", panel.key));
    let mut lines: Vec<Line<'_>> = past
        .iter()
        .map(|(step, payload)| Line {
            values: values(payload),
            name: String::new(),
            color: snapshots::color(style, *step, steps, ctx.cursor.step),
            dash: Dash::Solid,
            width: 1.1,
            identity: series::identity(payload),
            readable: false,
        })
        .collect();
    for (found, dash, name) in [(&twin, Dash::Dashed, "twin, "), (&current, Dash::Solid, "")] {
        let Some((step, payload)) = found else { continue };
        lines.push(Line {
            values: values(payload),
            name: format!("{name}step {step}"),
            color: style.accent,
            dash,
            width: 2.4,
            identity: series::identity(payload),
            readable: true,
        });
    }
    lines.extend(on_top);
    state.show(ui, place, &panel.spec, &lines, style);
}

const ASYMMETRIES: Axis = Axis {
    include: &[0.0, 1.55],
    // What a random matrix has in the Frobenius norm.
    levels: &[(std::f64::consts::SQRT_2, "random √2")],
    ..axis("asymmetry of Wp against the step", "Asymmetry of Wp", "")
};

fn draw_asymmetry(state: &mut Eigenspaces, norm: &str, place: Rect, ui: &Ui, ctx: &mut ViewCtx<'_>) {
    let quantity = if state.entrywise { ASYMMETRY_L1 } else { ASYMMETRY };
    let quantity = series::Quantity { color: ASYMMETRY.color, dash: Dash::Solid, ..quantity };
    let mut panel = curves::Panel::new(ASYMMETRIES, &[quantity], ctx);
    panel.unit = norm.to_owned();
    if let Some(run) = paper::alike(&params_of(ctx)).filter(|_| state.with_paper) {
        panel.push(Layer::Behind, "", paper_curve(run, run.asymmetry, ctx));
    }
    panel.draw(&mut state.asymmetry, false, place, ui, ctx);
}

/// The paper's curve, its epochs stretched over this run's steps.
pub fn paper_curve<'a>(run: &paper::PaperRun, points: &'static [(f64, f64)], ctx: &ViewCtx<'_>) -> Curve<'a> {
    let steps = series::steps(ctx);
    let point = move |i: usize| {
        let (epoch, value) = points[i];
        [(epoch / paper::EPOCHS * steps as f64).round(), value]
    };
    Curve {
        name: format!("paper's {}, two-layer predictor, 100 epochs as {} steps", run.title, number::grouped(steps))
            .into(),
        category: crate::plot::style::Category { color: ctx.style.text_weak, dash: Dash::Dotted },
        width: 1.0,
        identity: points.as_ptr() as u64 ^ steps,
        len: points.len(),
        point: Box::new(point),
        held: None,
    }
}
