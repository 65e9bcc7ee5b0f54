//! The tile with loss, Dice and border distances against the step.

use eframe::egui::{Align2, Color32, FontId, Rect, Sense, Stroke, Ui, WidgetInfo, accesskit::Role, pos2, vec2};

use crate::kit::series::{self as common, Quantity};
use crate::kit::view::ViewCtx;
use crate::labs::segmentation::paper::paper_row;
use crate::labs::segmentation::params::{ARCHITECTURE, LOSS, PARAMS, net_spec};
use crate::plot::axes::Titles;
use crate::plot::scale::Scale;
use crate::plot::scatter::{Marker, point};
use crate::plot::stroke::{LineMesh, Pen};
use crate::plot::trace::{Level, Spec, Trace, TraceState};
use crate::plot::{number, tile};

use super::SegmentationView;
use super::series::{
    self, ASSD, DICE, HD, HD95, Moment, MomentKind, PLAIN_DICE, Smoothed, TRAIN, VALIDATION, distance_convention,
};
use crate::kit::tiles::{Tile, TileCommand, TileSpec};

/// The tile.
pub static TILE: Tile<SegmentationView> = Tile {
    spec: TileSpec {
        id: "curves",
        title: "Loss, Dice, HD95",
        help: "Training and validation loss, Dice and HD95 against the step. Click or drag to move the timeline, \
               scroll to zoom.",
        area: "against the step",
        follows_cursor: true,
    },
    show: |view, ui, ctx| view.curves.show(ui, ctx),
    commands: &[
        TileCommand { id: "curves-fit", title: "Curves: show the whole run", run: |view, _, _| view.curves.fit() },
        TileCommand {
            id: "curves-paper",
            title: "Curves: the paper's Dice on or off",
            run: |view, _, _| view.curves.with_paper = !view.curves.with_paper,
        },
        TileCommand {
            id: "curves-hd",
            title: "Curves: Hausdorff distance on or off",
            run: |view, _, _| view.curves.with_hd = !view.curves.with_hd,
        },
        TileCommand {
            id: "curves-assd",
            title: "Curves: ASSD on or off",
            run: |view, _, _| view.curves.with_assd = !view.curves.with_assd,
        },
    ],
};

/// View state of the tile.
#[derive(Debug, Default)]
pub struct Curves {
    panels: [TraceState; 3],
    /// The panel that is shown where there is no room for all.
    shown: usize,
    with_hd: bool,
    with_assd: bool,
    with_paper: bool,
    smoothed: [Smoothed; 2],
}

/// One value of a panel's heading.
struct Reading {
    name: String,
    value: String,
    color: Color32,
    help: String,
    /// A number of images: it belongs to no curve.
    counts: bool,
}

/// What differs between panels.
struct Panel<'a> {
    name: &'a str,
    title: &'a str,
    y: String,
    /// Names of moments stand at the foot instead of at the top.
    low: bool,
    include: &'a [f64],
    levels: Vec<Level>,
    traces: Vec<Trace<'a>>,
    readings: Vec<Reading>,
}

const NAMES: [&str; 3] = ["Loss", "Dice", "HD95"];

impl Curves {
    /// Shows the whole run again.
    pub fn fit(&mut self) {
        self.panels.iter_mut().for_each(TraceState::fit);
    }

    /// Draws the tile.
    pub fn show(&mut self, ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
        if !ctx.run.scalars.contains_key(TRAIN.key) && !ctx.run.scalars.contains_key(VALIDATION.key) {
            return common::empty(ui, ctx, "after the first batches");
        }
        let size = tile::font_size(ctx.presenting);
        let (bar, rest) = tile::split(ui, size);
        let places = tile::panels(rest, 3, 1.4, 1.4 * size);
        let roomy = places[0].width() >= 15.0 * size && places[0].height() >= 11.0 * size;
        self.bar(bar, !roomy, ui, ctx);
        let moments = series::moments(ctx.run, ctx.cursor.step);
        if roomy {
            for (index, place) in places.into_iter().enumerate() {
                self.panel(index, place, &moments, ui, ctx);
            }
        } else {
            self.panel(self.shown.min(2), rest, &moments, ui, ctx);
        }
    }

    fn bar(&mut self, rect: Rect, choose: bool, ui: &mut Ui, ctx: &ViewCtx<'_>) {
        let size = tile::font_size(ctx.presenting);
        let text = tile::weak(standing(ctx), size, ctx.style);
        tile::bar(ui, rect, text, |ui| {
            let zoomed = self.panels.iter().any(TraceState::is_zoomed);
            // Where room is short it is only there when there is something to fit.
            if (zoomed || !choose)
                && tile::button(ui, zoomed, "fit", "Show the whole run (double-click does the same)", size)
            {
                self.fit();
            }
            if !choose || self.shown == 1 {
                let help = "Lay the paper's test Dice of this network behind (416 training images, 256×256, mean of 3 \
                            seeds; its data are not public)";
                if tile::toggle(ui, self.with_paper, "paper", help, size) {
                    self.with_paper = !self.with_paper;
                }
            }
            if !choose || self.shown == 2 {
                for (on, quantity) in [(&mut self.with_assd, ASSD), (&mut self.with_hd, HD)] {
                    if tile::toggle(ui, *on, quantity.name, quantity.help, size) {
                        *on = !*on;
                    }
                }
            }
            if choose {
                ui.add_space(6.0);
                for (index, name) in NAMES.into_iter().enumerate().rev() {
                    let help = "The tile is too small for all three: choose one, or enlarge the tile";
                    if tile::toggle(ui, self.shown == index, name, help, size) {
                        self.shown = index;
                    }
                }
            }
        });
    }

    fn panel(&mut self, index: usize, place: Rect, moments: &[Moment], ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
        let panel = match index {
            0 => self.loss(ctx),
            1 => self.dice(ctx),
            _ => self.distances(ctx),
        };
        draw(&mut self.panels[index], panel, index == 0, place, moments, ui, ctx);
    }

    fn loss<'a>(&mut self, ctx: &ViewCtx<'a>) -> Panel<'a> {
        let window = series::steps_per_epoch(ctx.run);
        let mut traces = Vec::new();
        for (twin, smoothed) in [true, false].into_iter().zip(&mut self.smoothed) {
            if let Some(mut raw) = common::trace(ctx.run, &TRAIN, ctx.style, twin, 0.6) {
                if window > 1 && raw.len > 2 {
                    let strong = smoothed.trace(&raw, window);
                    raw.category.color = raw.category.color.gamma_multiply(0.35);
                    traces.insert(0, raw);
                    traces.push(strong);
                } else {
                    raw.width = 1.0;
                    traces.push(raw);
                }
            }
            traces.extend(common::trace(ctx.run, &VALIDATION, ctx.style, twin, 1.0));
        }
        let smooth = self.smoothed[1].at(ctx.cursor.step).or_else(|| common::value(ctx, TRAIN.key));
        let readings =
            vec![reading(ctx, &TRAIN, smooth), reading(ctx, &VALIDATION, common::value(ctx, VALIDATION.key))];
        Panel {
            name: "loss against the step",
            title: NAMES[0],
            y: loss_name(ctx).map_or_else(|| "loss".to_owned(), |name| format!("loss: {name}")),
            low: false,
            include: &[0.0],
            levels: Vec::new(),
            traces,
            readings,
        }
    }

    fn dice<'a>(&self, ctx: &ViewCtx<'a>) -> Panel<'a> {
        let both = [PLAIN_DICE, DICE];
        let mut levels = Vec::new();
        if let Some((row, dice)) = paper_dice(ctx).filter(|_| self.with_paper) {
            let color = ctx.style.text_weak;
            levels.push(Level { value: dice, text: format!("paper’s {row} {dice:.3}"), color });
        }
        let readings = both.iter().map(|quantity| reading(ctx, quantity, common::value(ctx, quantity.key))).collect();
        Panel {
            name: "Dice against the step",
            title: NAMES[1],
            y: "Dice, mean over images".to_owned(),
            low: true,
            include: &[0.0, 1.0],
            levels,
            traces: common::traces(ctx, &both, None),
            readings,
        }
    }

    fn distances<'a>(&self, ctx: &ViewCtx<'a>) -> Panel<'a> {
        let mut shown = vec![HD95];
        shown.extend(self.with_hd.then_some(HD));
        shown.extend(self.with_assd.then_some(ASSD));
        let convention = distance_convention(ctx);
        let mut readings: Vec<Reading> = shown
            .iter()
            .map(|quantity| {
                let mut reading = reading(ctx, quantity, series::distance_at(ctx, quantity.key));
                reading.help =
                    format!("{}{}{convention}", quantity.help, if quantity.help.is_empty() { "" } else { ". " });
                reading
            })
            .collect();
        if let Some(count) = common::value(ctx, "undefined/final") {
            let of = series::images(ctx, "validation/images");
            let of = if of > 0 { format!("/{of}") } else { String::new() };
            let (diagonal, undefined) = if series::counts_the_diagonal(ctx) {
                // Where both masks are empty there is no distance either way.
                let both = common::value(ctx, "both_empty/final").unwrap_or(0.0);
                (Some(count - both), Some(both).filter(|both| *both > 0.0))
            } else {
                (None, Some(count))
            };
            for (name, count) in [("counted as the diagonal", diagonal), ("undefined", undefined)] {
                let Some(count) = count else { continue };
                let color = if count > 0.0 { ctx.style.warning } else { ctx.style.text_weak };
                let (name, value, help) = (name.to_owned(), format!("{count:.0}{of}"), convention.clone());
                readings.push(Reading { name, value, color, help, counts: true });
            }
        }
        let mut traces = common::traces(ctx, &shown, None);
        let keys = ["twin/", ""].into_iter().flat_map(|twin| shown.iter().map(move |of| (twin, of)));
        let keys: Vec<String> = keys.map(|(twin, of)| format!("{twin}{}", of.key)).collect();
        let run = ctx.run;
        let drawn =
            keys.into_iter().filter(|key| run.scalars.get(key.as_str()).is_some_and(|all| all.last().is_some()));
        for (trace, key) in traces.iter_mut().zip(drawn) {
            trace.at = Box::new(move |step| series::distance_of(run, &key, step));
        }
        Panel {
            name: "border distances against the step",
            title: if shown.len() > 1 { "Distances" } else { NAMES[2] },
            y: "pixels of the original".to_owned(),
            low: false,
            include: &[0.0],
            levels: Vec::new(),
            traces,
            readings,
        }
    }
}

/// Which loss is drawn, in the words of the form.
fn loss_name(ctx: &ViewCtx<'_>) -> Option<&'static str> {
    LOSS.item(&common::params_at(ctx, PARAMS)).map(|loss| loss.label)
}

/// The paper's name and test Dice of the network of this run.
fn paper_dice(ctx: &ViewCtx<'_>) -> Option<(String, f64)> {
    let params = common::params_at(ctx, PARAMS);
    ARCHITECTURE.get(&params)?;
    let architecture = net_spec(&params).architecture;
    paper_row(architecture).map(|row| (architecture.name(), row.dice.0))
}

/// A curve's name and its value at the cursor.
fn reading(ctx: &ViewCtx<'_>, quantity: &Quantity, value: Option<f64>) -> Reading {
    Reading {
        name: quantity.name.to_owned(),
        value: value.map_or_else(|| "—".to_owned(), number::short),
        color: common::category(quantity, ctx.style, false).color,
        help: quantity.help.to_owned(),
        counts: false,
    }
}

/// Where the training stands at the cursor: epoch, rate, best weights.
fn standing(ctx: &ViewCtx<'_>) -> String {
    let value = |key: &str| common::value(ctx, key);
    let mut parts = Vec::new();
    if let Some(epoch) = value("epoch") {
        parts.push(format!("epoch {epoch:.1}"));
    }
    if let Some(rate) = value("learning_rate") {
        parts.push(format!("rate {}", number::exact(rate)));
    }
    if let Some(step) = value("best/step") {
        let since = value("patience").unwrap_or(0.0);
        let since = if since > 0.0 {
            format!(", {} ago", number::counted(since.round() as u64, "epoch", "epochs"))
        } else {
            String::new()
        };
        parts.push(format!("best {}{since}", number::grouped(step as u64)));
    }
    parts.join(" · ")
}

fn draw<'a>(
    state: &mut TraceState,
    panel: Panel<'a>,
    with_best: bool,
    place: Rect,
    moments: &[Moment],
    ui: &mut Ui,
    ctx: &mut ViewCtx<'a>,
) {
    let size = tile::font_size(ctx.presenting);
    let below = heading(&panel, place, size, ui, ctx);
    let colors = |moment: &Moment| match moment.kind {
        MomentKind::Best => ctx.style.good,
        MomentKind::Plateau { .. } => ctx.style.text_weak,
        MomentKind::Stopped => ctx.style.error,
    };
    let mut marks = common::marks(ctx);
    marks.extend(moments.iter().map(|moment| (moment.step, colors(moment))));
    let spec = Spec {
        name: panel.name,
        titles: Titles { x: "step", y: &panel.y },
        scale: Scale::Linear,
        steps: common::steps(ctx),
        cursor: ctx.cursor.step,
        include: panel.include,
        levels: &panel.levels,
        marks: &marks,
        font_size: size,
    };
    let asked = state.show(ui, below, &spec, &panel.traces, ctx.style);
    if let Some(axes) = state.axes() {
        let painter = ui.painter_at(axes.rect);
        let mut free_from = f32::NEG_INFINITY;
        for moment in moments {
            let x = axes.at(moment.step as f64, 0.0).x;
            let color = colors(moment);
            let text = painter.layout_no_wrap(moment.short(), FontId::proportional(size - 1.0), color);
            let wide = text.size().x;
            // Beside its line, on the side where there is room.
            let left = if x + wide + 4.0 > axes.rect.right() { x - wide - 3.0 } else { x + 3.0 };
            if left > free_from && axes.rect.x_range().contains(x) {
                // Dice leaves room below its curve, losses and distances above.
                let top = if panel.low { axes.rect.bottom() - text.size().y - 1.0 } else { axes.rect.top() + 1.0 };
                let at = pos2(left, top);
                painter.galley(at, text, color);
                free_from = left + wide + 3.0;
            }
            if with_best && moment.kind == MomentKind::Best {
                let loss = ctx.run.scalars.get(VALIDATION.key).and_then(|history| history.at(moment.step));
                if let Some((step, loss)) = loss {
                    let at = axes.at(step as f64, axes.scales[1].position(loss));
                    let rim = Stroke::new(1.0, ctx.style.plot_background);
                    point(&painter, at, 0.42 * size, Marker::Diamond, color, rim);
                }
            }
        }
    }
    common::seek(ctx, asked);
}

/// The panel's first line: its title and what each curve is worth at the cursor, in the curve's colour. Names are left out
/// where there is no room for them. Returns what is below.
fn heading(panel: &Panel<'_>, place: Rect, size: f32, ui: &mut Ui, ctx: &ViewCtx<'_>) -> Rect {
    let height = 1.6 * size;
    if place.height() < 7.0 * size {
        return place;
    }
    let line = Rect::from_min_size(place.min, vec2(place.width(), height));
    let painter = ui.painter_at(line);
    let middle = line.center().y;
    let title = FontId::proportional(size + 0.5);
    let end = painter.text(pos2(line.left(), middle), Align2::LEFT_CENTER, panel.title, title, ctx.style.text).right();
    let (words, digits) = (FontId::proportional(size), FontId::monospace(size));
    let (sample, gap) = (1.5 * size, 0.5 * size);
    let laid: Vec<_> = panel
        .readings
        .iter()
        .map(|reading| {
            let name = painter.layout_no_wrap(reading.name.clone(), words.clone(), ctx.style.text_weak);
            // Four figures wide, so that the line does not jump.
            let value = format!("{:>5}", reading.value);
            (reading, name, painter.layout_no_wrap(value, digits.clone(), ctx.style.text))
        })
        .collect();
    let width = |named: bool| -> f32 {
        laid.iter()
            .map(|(_, name, value)| sample + value.size().x + 2.0 * gap + if named { name.size().x + gap } else { 0.0 })
            .sum()
    };
    let named = end + gap + width(true) <= line.right();
    let mut x = end + 1.5 * gap;
    for (reading, name, value) in laid {
        let from = x;
        if !reading.counts {
            let dash = panel
                .traces
                .iter()
                .find(|trace| trace.name == reading.name)
                .map_or_else(|| crate::plot::style::Dash::Solid, |trace| trace.category.dash);
            let pen = Pen { width: 2.0, color: reading.color, dash, feather: 1.0 / painter.pixels_per_point() };
            let run = [(pos2(x, middle), 0), (pos2(x + sample, middle), 1)];
            LineMesh::new([run.as_slice()], pen).draw(&painter);
            x += sample + 0.7 * gap;
        }
        if named || reading.counts && x + name.size().x + value.size().x < line.right() {
            let wide = name.size().x;
            painter.galley(pos2(x, middle - 0.5 * name.size().y), name, ctx.style.text_weak);
            x += wide + 0.7 * gap;
        }
        let color = if reading.counts { reading.color } else { ctx.style.text };
        let wide = value.size().x;
        painter.galley_with_override_text_color(pos2(x, middle - 0.5 * value.size().y), value, color);
        x += wide + 1.2 * gap;
        let area = Rect::from_min_max(pos2(from, line.top()), pos2(x, line.bottom())).intersect(line);
        if area.is_positive() {
            let id = ui.scope_id().with((panel.name, reading.name.as_str()));
            let response = ui.interact(area, id, Sense::hover());
            let spoken = format!("{} {}", reading.name, reading.value);
            response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &spoken));
            response.on_hover_ui(|ui| {
                ui.set_max_width(30.0 * size);
                ui.label(format!("{} {}", reading.name, reading.value));
                ui.label(&reading.help);
            });
        }
    }
    Rect::from_min_max(place.min + vec2(0.0, height), place.max)
}
