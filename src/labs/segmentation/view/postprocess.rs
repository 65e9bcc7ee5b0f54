//! Post-processing as live controls, with the means over the wall's images as they are set here, with nothing
//! post-processed, and with the run's own settings.

use eframe::egui::{
    Checkbox, ComboBox, FontId, Grid, Rect, RichText, ScrollArea, Sense, Shape, Slider, Stroke, Ui, UiBuilder,
    WidgetInfo, accesskit::Role, vec2,
};

use crate::compute::stats::Summary;
use crate::kit::view::ViewCtx;
use crate::pixels::mask::border::Hausdorff;
use crate::pixels::mask::components::{Connectivity, Keep, PostProcess};
use crate::pixels::spacing::Unit;
use crate::plot::axes::{Axes, Bounds, Titles};
use crate::plot::scale::Scale;
use crate::plot::tile;

use super::super::pipeline::Pipeline;
use super::SegmentationView;
use super::controls;
use super::gallery::Slot;
use super::shared::Shared;
use super::sweep::Curve;
use super::wall::distance_in;
use crate::kit::tiles::{Tile, TileCommand, TileSpec};
use crate::labs::segmentation::params::KEEP;

/// The tile.
pub static TILE: Tile<SegmentationView> = Tile {
    spec: TileSpec {
        id: "postprocess",
        title: "Post-processing",
        help: "Threshold, which part is kept, hole filling and the conventions of the metrics; the numbers change \
               as you move them. Only what is shown changes, not the training.",
        area: "scores",
        follows_cursor: true,
    },
    show: |view, ui, ctx| self::show(&mut view.shared, ui, ctx),
    commands: &[
        TileCommand {
            id: "post-run",
            title: "Post-processing: the run's settings",
            run: |view, ctx, _| view.shared.pipeline = of_run(ctx).unwrap_or(view.shared.pipeline),
        },
        TileCommand {
            id: "post-off",
            title: "Post-processing: none",
            run: |view, _, _| view.shared.pipeline.post = PostProcess::OFF,
        },
        TileCommand {
            id: "post-holes",
            title: "Post-processing: fill holes on or off",
            run: |view, _, _| {
                let post = &mut view.shared.pipeline.post;
                post.fill_holes = !post.fill_holes;
            },
        },
        TileCommand {
            id: "post-higher",
            title: "Post-processing: threshold higher by 0.05",
            run: |view, _, _| view.shared.pipeline.shift_threshold(0.05),
        },
        TileCommand {
            id: "post-lower",
            title: "Post-processing: threshold lower by 0.05",
            run: |view, _, _| view.shared.pipeline.shift_threshold(-0.05),
        },
    ],
};

/// Draws the tile.
pub fn show(shared: &mut Shared, ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
    shared.gallery.follow(ui, ctx, shared.look.ghost);
    if shared.gallery.cards.is_empty() {
        return controls::nothing_yet(ui, ctx);
    }
    let of_run = of_run(ctx);
    let plain = Pipeline { post: PostProcess::OFF, ..shared.pipeline };
    for i in 0..shared.gallery.cards.len() {
        shared.gallery.want(i, Slot::Now, shared.pipeline);
        shared.gallery.want(i, Slot::Plain, plain);
        if let Some(of_run) = of_run {
            shared.gallery.want(i, Slot::Run, of_run);
        }
    }
    let size = tile::font_size(ctx.presenting);
    let (bar, rest) = tile::split(ui, size);
    // In a small tile the table is scrolled to; the means that move are always in sight.
    let [now, unprocessed, run] =
        [(Slot::Now, shared.pipeline), (Slot::Plain, plain), (Slot::Run, of_run.unwrap_or(shared.pipeline))]
            .map(|(slot, pipeline)| means(shared, slot, pipeline));
    let text = match (now.dice(), unprocessed.dice()) {
        (Some(now), Some(plain)) => format!("Dice {now}, unprocessed {plain} · only what is shown changes"),
        _ => "only what is shown changes".to_owned(),
    };
    let rows: Vec<Row> = [now, unprocessed, run].into_iter().take(if of_run.is_some() { 3 } else { 2 }).collect();
    let changed = of_run.is_some_and(|of_run| of_run != shared.pipeline);
    tile::bar(ui, bar, tile::weak(text, size, ctx.style), |ui| {
        let help = "Back to the settings of the run, which its recorded metrics were made with";
        if tile::button(ui, changed, "run’s settings", help, size)
            && let Some(of_run) = of_run
        {
            shared.pipeline = of_run;
        }
    });
    if rest.width() < 20.0 || rest.height() < 20.0 {
        return;
    }
    let wide = rest.width() > 44.0 * size;
    ui.scope_builder(UiBuilder::new().max_rect(rest), |ui| {
        ui.shrink_clip_rect(rest.expand(2.0));
        ScrollArea::vertical().id_salt("post-processing").auto_shrink(false).show(ui, |ui| {
            if wide {
                let left = (16.5 * size).min(0.5 * rest.width());
                ui.horizontal_top(|ui| {
                    ui.allocate_ui(vec2(left, rest.height()), |ui| ui.vertical(|ui| settings(ui, shared, size, 1)));
                    ui.add_space(0.6 * size);
                    ui.vertical(|ui| results(ui, shared, ctx, &rows, rest.height()));
                });
            } else {
                let top = ui.cursor().top();
                // Two settings a row where they fit.
                settings(ui, shared, size, if rest.width() > 32.0 * size { 2 } else { 1 });
                ui.add_space(0.4 * size);
                let left = rest.height() - (ui.cursor().top() - top);
                results(ui, shared, ctx, &rows, left.max(18.0 * size));
            }
        });
    });
    shared.gallery.keep_going(ui);
}

fn of_run(ctx: &ViewCtx<'_>) -> Option<Pipeline> {
    KEEP.get(&ctx.run.params).map(|_| Pipeline::of(&ctx.run.params))
}

/// The controls, so many a row.
fn settings(ui: &mut Ui, shared: &mut Shared, size: f32, columns: usize) {
    let pipeline = &mut shared.pipeline;
    let small = |text: &str| RichText::new(text).size(size + 0.5);
    ui.spacing_mut().item_spacing = vec2(0.6 * size, 0.35 * size);
    ui.spacing_mut().interact_size.y = 1.9 * size;
    ui.spacing_mut().slider_width = 6.0 * size;
    ui.spacing_mut().button_padding = vec2(6.0, 1.0);
    let width = 9.0 * size;
    let mut placed = 0;
    let mut next = |ui: &mut Ui| {
        placed += 1;
        if placed % columns == 0 {
            ui.end_row();
        }
    };
    Grid::new("post-processing").num_columns(2 * columns).show(ui, |ui| {
        let help = "A pixel is lesion where its probability is greater, after resizing to the image's own size";
        let label = ui.label(small("threshold")).on_hover_text(help);
        if !tile::said(ui, small(&format!("{:.2}", pipeline.threshold))) {
            let slider = Slider::new(&mut pipeline.threshold, 0.01..=0.99).step_by(0.01).fixed_decimals(2);
            // Its tooltip would lie over the means while it is dragged; the label has it.
            ui.add(slider).labelled_by(label.id);
        }
        next(ui);

        let help = "Which parts of the thresholded map stay. The authors' rule keeps the outer contour with the most points \
                    and fills it";
        let label = ui.label(small("keep")).on_hover_text(help);
        let connectivity = match pipeline.post.keep {
            Keep::LargestArea(connectivity) => connectivity,
            _ => Connectivity::Eight,
        };
        let keeps = [
            (Keep::LargestArea(connectivity), "largest area"),
            (Keep::LongestContour, "authors’ contour"),
            (Keep::All, "all parts"),
        ];
        choice(ui, "keep", width, &mut pipeline.post.keep, &keeps, label.id, help, size);
        next(ui);

        let help = "Which pixels belong to one part: those that touch across sides and corners (8-connected) or across sides \
                    alone (4-connected)";
        let label = ui.label(small("parts")).on_hover_text(help);
        let by_area = matches!(pipeline.post.keep, Keep::LargestArea(_));
        let mut touch = connectivity;
        ui.add_enabled_ui(by_area, |ui| {
            let ways = [(Connectivity::Eight, "8-connected"), (Connectivity::Four, "4-connected")];
            choice(ui, "connectivity", width, &mut touch, &ways, label.id, help, size);
        });
        if by_area {
            pipeline.post.keep = Keep::LargestArea(touch);
        }
        next(ui);

        let always = pipeline.post.keep == Keep::LongestContour;
        ui.label(small("holes"));
        let mut fill = pipeline.post.fill_holes || always;
        let help = if always { "The authors' rule always fills" } else { "After the choice of parts" };
        if !tile::said(ui, small(if fill { "filled" } else { "left" }))
            && ui.add_enabled(!always, Checkbox::new(&mut fill, small("fill holes"))).on_hover_text(help).changed()
        {
            pipeline.post.fill_holes = fill;
        }
        next(ui);

        let help = "95th percentile of the distances between the borders, pixels of the image's own size (or mm): of both \
                    directions pooled (medpy, the paper's), or the larger of the two directions' (MONAI). They differ";
        let label = ui.label(small("HD95")).on_hover_text(help);
        let ways = [(Hausdorff::Pooled95, "medpy"), (Hausdorff::Directed95, "MONAI")];
        choice(ui, "hd95", width, &mut pipeline.hd95, &ways, label.id, help, size);
        next(ui);

        let help = "Where one mask is empty there is no distance: it is left out of the mean and counted, or it counts as \
                    the image's diagonal";
        let label = ui.label(small("undefined")).on_hover_text(help);
        let ways = [(false, "left out"), (true, "diagonal")];
        choice(ui, "undefined", width, &mut pipeline.penalty, &ways, label.id, help, size);
        next(ui);
    });
}

#[expect(clippy::too_many_arguments, reason = "one row of a table of settings")]
fn choice<T: Copy + PartialEq>(
    ui: &mut Ui,
    id: &str,
    width: f32,
    value: &mut T,
    ways: &[(T, &str)],
    label: eframe::egui::Id,
    help: &str,
    size: f32,
) {
    let name = ways.iter().find(|(way, _)| way == value).map_or("", |(_, name)| name);
    let name = RichText::new(name).size(size + 0.5);
    if tile::said(ui, name.clone()) {
        return;
    }
    let combo = ComboBox::from_id_salt(("post-processing", id)).width(width).truncate();
    let shown = combo.selected_text(name).show_ui(ui, |ui| {
        for (way, name) in ways {
            ui.selectable_value(value, *way, *name);
        }
    });
    shown.response.labelled_by(label).on_hover_text(help);
}

/// Means over the wall's images, all of one validation.
#[derive(Debug, Clone, Copy)]
pub struct Means {
    step: u64,
    dice: Option<f64>,
    hd95: Option<f64>,
    undefined: usize,
    both_empty: usize,
    unit: Unit,
}

/// What a row of the table says.
struct Row {
    slot: Slot,
    /// `None`: there is no mean of this step yet.
    means: Option<Means>,
    /// The means are of settings just left; so many of so many images are made with the new ones.
    waits: Option<(usize, usize)>,
}

impl Row {
    fn dice(&self) -> Option<String> {
        self.means.filter(|_| self.waits.is_none()).and_then(|means| means.dice).map(|dice| format!("{dice:.4}"))
    }
}

/// A mean is over images of one step alone. While some are missing, the last one of this step stays, greyed.
fn means(shared: &mut Shared, slot: Slot, pipeline: Pipeline) -> Row {
    let moment = shared.gallery.moment(0..shared.gallery.cards.len(), slot, pipeline);
    let last = &mut shared.means[slot as usize];
    let Some(step) = moment.step.filter(|_| moment.is_whole()) else {
        let means = last.filter(|means| Some(means.step) == moment.step);
        return Row { slot, means, waits: Some((moment.in_time.len(), moment.of)) };
    };
    let scores: Vec<_> = moment.in_time.iter().map(|shown| shown.score).collect();
    *last = Some(Means {
        step,
        dice: Summary::of(scores.iter().map(|score| Some(score.dice))).mean,
        hd95: Summary::of(scores.iter().map(|score| score.hd95)).mean,
        undefined: scores.iter().filter(|score| score.area == 0 || score.predicted == 0).count(),
        both_empty: scores.iter().filter(|score| score.both_empty).count(),
        unit: scores.first().map_or(Unit::Pixels, |score| score.unit()),
    });
    Row { slot, means: *last, waits: None }
}

fn results(ui: &mut Ui, shared: &mut Shared, ctx: &ViewCtx<'_>, rows: &[Row], height: f32) {
    let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
    let top = ui.cursor().top();
    ui.spacing_mut().item_spacing = vec2(0.9 * size, 0.3 * size);
    ui.spacing_mut().interact_size.y = 1.4 * size;
    Grid::new("means").num_columns(4).show(ui, |ui| {
        // Counted alike either way, so that both settings can be compared.
        let undefined = "Images of which a mask is empty; in brackets those where both are. Their distances are undefined: \
                         left out of the mean, or counted as the diagonal unless both masks are empty";
        let unit = rows.iter().find_map(|row| row.means).map_or(Unit::Pixels, |means| means.unit);
        let (hd95, convention) = (format!("HD95 {}", unit.short()), shared.pipeline.hd95.describe(unit));
        for (name, help) in [
            ("", ""),
            ("Dice", "Mean Dice of the wall's images at their own size; 1 where both masks are empty"),
            (&hd95, &convention),
            (if shared.pipeline.penalty { "as diagonal" } else { "undefined" }, undefined),
        ] {
            ui.label(tile::weak(name, size, style)).on_hover_text(help);
        }
        ui.end_row();
        for row in rows {
            let (name, help) = match row.slot {
                Slot::Now => ("as set here", "With the controls of this tile"),
                Slot::Plain => ("unprocessed", "The same threshold, all parts and holes as they are"),
                _ => ("run’s settings", "As the run measured itself"),
            };
            let name = RichText::new(name).size(size + 0.5);
            let name = if row.slot == Slot::Now { name.color(style.text) } else { name.color(style.text_weak) };
            ui.label(name).on_hover_text(help);
            let cells = match (row.means, row.waits) {
                (None, Some((present, of))) => [format!("{present} of {of}"), "…".to_owned(), String::new()],
                (None, None) => ["—".to_owned(), String::new(), String::new()],
                (Some(means), _) => [
                    means.dice.map_or_else(|| "—".to_owned(), |dice| format!("{dice:.4}")),
                    format!("{:>6}", distance_in(means.hd95, means.unit)),
                    format!("{} ({})", means.undefined, means.both_empty),
                ],
            };
            let color = if row.waits.is_some() { style.text_weak } else { style.text };
            for cell in cells {
                let label = ui.label(tile::mono(cell, size, style).color(color));
                if let Some((present, of)) = row.waits {
                    label.on_hover_text(format!("{present} of {of} images are measured so far"));
                }
            }
            ui.end_row();
        }
    });
    let left = height - (ui.cursor().top() - top) - 0.5 * size;
    let place = ui.available_rect_before_wrap();
    let room = Rect::from_min_size(place.min, vec2(place.width(), left.max(0.0)));
    if room.height() < 8.0 * size || room.width() < 12.0 * size {
        return;
    }
    ui.allocate_rect(room, Sense::hover());
    let threshold = shared.pipeline.threshold;
    let Shared { sweep, gallery, pipeline, .. } = shared;
    let (curve, current) = sweep.update(ui.ctx(), gallery, *pipeline);
    if let Some(curve) = curve {
        draw_curve(ui, room, curve, current, threshold, ctx);
    } else {
        ui.painter().text(
            room.center(),
            eframe::egui::Align2::CENTER_CENTER,
            "Dice against threshold: being computed …",
            FontId::proportional(size),
            style.text_weak,
        );
    }
}

fn draw_curve(ui: &mut Ui, room: Rect, curve: &Curve, current: bool, threshold: f64, ctx: &ViewCtx<'_>) {
    let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
    let low = curve.iter().map(|point| point[1]).fold(1.0, f64::min);
    let bounds = Bounds::new([0.0, 1.0], [(low - 0.05).max(0.0), 1.0]);
    let axes = Axes::new(room, bounds, [Scale::Linear; 2], size, 0.0);
    let painter = ui.painter_at(room);
    axes.draw_grid(&painter, style, style.rule);
    axes.draw_labels(&painter, style, &Titles { x: "threshold", y: "mean Dice, wall’s images" });
    let points: Vec<_> = curve.iter().map(|point| axes.at(point[0], point[1])).collect();
    let color = if current { style.accent } else { style.accent.gamma_multiply(0.45) };
    painter.add(Shape::line(points.clone(), Stroke::new(1.8, color)));
    for point in &points {
        painter.circle_filled(*point, 2.2, color);
    }
    let at = axes.at(threshold, 1.0).x;
    painter.vline(at, axes.rect.y_range(), Stroke::new(1.2, style.text_weak));
    let best = curve.iter().copied().reduce(|best, point| if point[1] > best[1] { point } else { best });
    let response = ui.interact(axes.rect, ui.scope_id().with("threshold curve"), Sense::hover());
    if let Some([threshold, dice]) = best {
        let said = format!("mean Dice against the threshold: highest {dice:.3} at {threshold:.2} of those tried");
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &said));
        response.on_hover_text(said);
        let mark = axes.at(threshold, dice);
        painter.circle_stroke(mark, 4.5, Stroke::new(1.4, style.text));
    }
}
