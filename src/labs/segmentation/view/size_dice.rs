//! The tile that sets the size of the paper's networks against their Dice, and this run and those before beside them.

use eframe::egui::accesskit::Role;
use eframe::egui::{
    Align2, Color32, FontId, Label, Painter, Pos2, Rect, RichText, Sense, Stroke, Ui, UiBuilder, Vec2, WidgetInfo,
    pos2, vec2,
};

use crate::kit::fields::Fields;
use crate::kit::series as common;
use crate::kit::view::ViewCtx;
use crate::labs::segmentation::paper::{PAPER, PaperParameters, PaperRow, paper_note};
use crate::labs::segmentation::params::{ARCHITECTURE, FROM_FOLDER, HAUSDORFF, IMAGE_SIZE, PARAMS, net_spec};
use crate::nn::segmentation::count::{Count, count};
use crate::nn::segmentation::spec::{Architecture, NetSpec};
use crate::plot::axes::{Axes, Bounds, Titles, zoom};
use crate::plot::curve::label;
use crate::plot::scale::Scale;
use crate::plot::scatter::{Marker, point};
use crate::plot::{labels, number, tile};

use super::SegmentationView;
use super::earlier::{EarlierRuns, Group};
use super::series;
use crate::kit::tiles::{Tile, TileCommand, TileSpec};
use crate::pixels::mask::border::Hausdorff;
use crate::pixels::spacing::Unit;

/// The tile.
pub static TILE: Tile<SegmentationView> = Tile {
    spec: TileSpec {
        id: "size-dice",
        title: "Size",
        help: "The paper's networks by size against their Dice, and this run's.",
        area: "large",
        follows_cursor: true,
    },
    show: |view, ui, ctx| view.size_dice.show(ui, ctx),
    commands: &[
        TileCommand {
            id: "size-cost",
            title: "Size: parameters, multiply-adds, memory or time",
            run: |view, _, _| view.size_dice.next_cost(),
        },
        TileCommand {
            id: "size-distance",
            title: "Size: HD95 or Dice",
            run: |view, _, _| {
                (view.size_dice.distance, view.size_dice.view) = (!view.size_dice.distance, None);
            },
        },
        TileCommand {
            id: "size-own",
            title: "Size: own runs on or off",
            run: |view, _, _| {
                (view.size_dice.without_run, view.size_dice.view) = (!view.size_dice.without_run, None);
            },
        },
        TileCommand { id: "size-fit", title: "Size: show all networks", run: |view, _, _| view.size_dice.view = None },
    ],
};

/// What a network costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Cost {
    #[default]
    Parameters,
    MultiplyAdds,
    Memory,
    /// Of a step; known of this run alone.
    Time,
}

/// Their names in a scene.
const COSTS: [(&str, Cost); 4] = [
    ("parameters", Cost::Parameters),
    ("multiply-adds", Cost::MultiplyAdds),
    ("memory", Cost::Memory),
    ("time", Cost::Time),
];

impl Cost {
    const ALL: [Self; 4] = [Self::Parameters, Self::MultiplyAdds, Self::Memory, Self::Time];

    /// `time`: milliseconds a step, where they were measured.
    fn of(self, count: &Count, time: Option<f64>) -> Option<f64> {
        match self {
            Self::Parameters => Some(count.parameters as f64),
            Self::MultiplyAdds => Some(count.gmac()),
            Self::Memory => Some(count.activation_mib()),
            Self::Time => time,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Parameters => "parameters",
            Self::MultiplyAdds => "GMAC",
            Self::Memory => "MiB",
            Self::Time => "ms",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Parameters => "parameters (log)",
            Self::MultiplyAdds => "10⁹ multiply-adds of one image (log)",
            Self::Memory => "outputs of the convolutions of one image, MiB (log)",
            Self::Time => "time a step [ms] (log), measured here, validation included",
        }
    }

    fn help(self) -> &'static str {
        match self {
            Self::Parameters => "Everything that is trained: what a file of weights holds",
            Self::MultiplyAdds => {
                "Multiply-adds of the convolutions: 256×256 for the paper's networks, S×S for this run"
            }
            Self::Memory => "Memory of the convolutions' outputs in 32-bit floats: most of what training keeps",
            Self::Time => {
                "Wall clock of the whole run so far over its steps: measured here, validation and pauses included. The paper \
                 gives no times, so its networks are left out"
            }
        }
    }
}

/// View state of the tile.
#[derive(Debug, Default)]
pub struct SizeDice {
    cost: Cost,
    /// HD95 instead of Dice.
    distance: bool,
    /// Only the paper's networks.
    without_run: bool,
    view: Option<Bounds>,
    /// Sizes of [`PAPER`], counted once.
    sizes: Vec<Count>,
    ours: Option<(NetSpec, usize, Count)>,
    /// Runs that were tested before, recorded or seen here.
    pub earlier: EarlierRuns,
}

/// A network in the plot.
#[derive(Debug, Clone)]
struct Dot {
    name: String,
    x: f64,
    y: f64,
    /// Standard deviation; 0: none is known.
    spread: f64,
    marker: Marker,
    color: Color32,
    /// This run, not the paper's.
    ours: bool,
    says: String,
}

/// This run at the cursor.
struct Ours {
    spec: NetSpec,
    side: usize,
    dice: Option<f64>,
    hd95: Option<f64>,
    /// HD95 is MONAI's, not medpy's as in the paper.
    monai: bool,
    /// Milliseconds a step, validation included.
    time: Option<f64>,
    /// On what it was measured.
    on: String,
}

impl SizeDice {
    /// What of it belongs to a scene.
    pub fn fields(&mut self, fields: &mut Fields) {
        fields.choice("cost", &mut self.cost, &COSTS);
        fields.value("distance", &mut self.distance, false);
        fields.value("without_run", &mut self.without_run, false);
        fields.zoom("zoom", &mut self.view);
    }

    /// Draws the tile.
    pub fn show(&mut self, ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
        let size = tile::font_size(ctx.presenting);
        let (bar, rest) = tile::split(ui, size);
        let run = this_run(ctx);
        self.earlier.read(&ctx.past.runs());
        let groups = self.earlier.groups(ctx.run.header.as_ref());
        self.bar(bar, run.as_ref(), !groups.is_empty(), ui, ctx);
        let mut dots = self.paper(ctx);
        if let Some(run) = run.as_ref().filter(|_| !self.without_run) {
            dots.extend(self.dot_of(run, ctx));
        }
        if !self.without_run {
            dots.extend(groups.iter().filter_map(|group| self.dot_of_group(group, ctx)));
        }
        let foot_height = if rest.height() > 16.0 * size { 4.7 * size } else { 0.0 };
        let plot = rest.with_max_y(rest.bottom() - foot_height);
        self.plot(plot, &dots, ui, ctx);
        if foot_height > 0.0 {
            let foot = Rect::from_min_max(pos2(rest.left(), plot.bottom()), rest.max);
            self.foot(foot, run.as_ref(), &dots, ui, ctx);
        }
    }

    fn next_cost(&mut self) {
        let at = Cost::ALL.iter().position(|cost| *cost == self.cost).unwrap_or_default();
        (self.cost, self.view) = (Cost::ALL[(at + 1) % Cost::ALL.len()], None);
    }

    fn bar(&mut self, rect: Rect, run: Option<&Ours>, earlier: bool, ui: &mut Ui, ctx: &ViewCtx<'_>) {
        let size = tile::font_size(ctx.presenting);
        tile::bar(ui, rect, tile::weak("", size, ctx.style), |ui| {
            let fit = "Show all networks again (double-click does the same)";
            if self.view.is_some() && tile::button(ui, true, "fit", fit, size) {
                self.view = None;
            }
            let forget = "Forget the runs that were finished before this one";
            if earlier && tile::button(ui, true, "forget", forget, size) {
                self.earlier.clear();
            }
            let help = "This run, and the recorded ones that were tested before (the mean of several seeds with its spread), \
                        beside the paper's networks. Other data, other size: not a replication";
            if tile::toggle(ui, !self.without_run, "own", help, size) {
                (self.without_run, self.view) = (!self.without_run, None);
            }
            ui.add_space(6.0);
            let convention = match run.is_some_and(|run| run.monai) {
                true => "the paper's medpy's; this run's MONAI's, another convention",
                false => "medpy's",
            };
            let hd95 = format!(
                "95th percentile of the border distances ({convention}), pixels of the original image; lower is better. Runs in mm are not shown: the paper's are in pixels"
            );
            for (distance, name, help) in
                [(true, "HD95", hd95.as_str()), (false, "Dice", "Mean Dice of the test images")]
            {
                if tile::toggle(ui, self.distance == distance, name, help, size) {
                    (self.distance, self.view) = (distance, None);
                }
            }
            ui.add_space(6.0);
            for cost in Cost::ALL.into_iter().rev() {
                if tile::toggle(ui, self.cost == cost, cost.name(), cost.help(), size) {
                    (self.cost, self.view) = (cost, None);
                }
            }
        });
    }

    /// The paper's networks.
    fn paper(&mut self, ctx: &ViewCtx<'_>) -> Vec<Dot> {
        if self.sizes.is_empty() {
            let counted = |row: &PaperRow| {
                let spec = NetSpec { architecture: row.architecture, channels: 3, base: 64, outputs: 1 };
                count(&spec, 256, 256).map(|count| count.total).unwrap_or_default()
            };
            self.sizes = PAPER.iter().map(counted).collect();
        }
        PAPER
            .iter()
            .zip(&self.sizes)
            .filter_map(|(row, size)| {
                let x = self.cost.of(size, None)?;
                let (value, spread) = if self.distance { row.hd95 } else { row.dice };
                let (marker, color) = family(row.architecture);
                let printed = match row.parameters {
                    PaperParameters::Millions(printed) => format!(" (the paper prints {printed} M)"),
                    PaperParameters::Missing => " (counted here; the paper prints none)".to_owned(),
                    PaperParameters::Exact(_) => String::new(),
                };
                Some(Dot {
                    name: short_name(row.architecture),
                    x,
                    y: value,
                    spread,
                    marker,
                    color: ctx.style.category(color).color,
                    ours: false,
                    says: format!(
                        "{}, paper: {} ± {}\n{} parameters{printed}\n{} GMAC, {} MiB at 256×256",
                        row.architecture.name(),
                        self.value_text(value),
                        self.spread_text(spread),
                        number::grouped(size.parameters),
                        number::short(size.gmac()),
                        number::short(size.activation_mib()),
                    ),
                })
            })
            .collect()
    }

    fn value_text(&self, value: f64) -> String {
        if self.distance { format!("HD95 {value:.2} px") } else { format!("Dice {value:.3}") }
    }

    fn spread_text(&self, value: f64) -> String {
        if self.distance { format!("{value:.2}") } else { format!("{value:.3}") }
    }

    /// This run as a point; `None` where it has no value at the cursor.
    fn dot_of(&mut self, run: &Ours, ctx: &ViewCtx<'_>) -> Option<Dot> {
        let value = if self.distance { run.hd95 } else { run.dice }?;
        let size = match self.ours {
            Some((spec, side, size)) if (spec, side) == (run.spec, run.side) => size,
            _ => {
                let size = count(&run.spec, run.side, run.side).ok()?.total;
                self.ours = Some((run.spec, run.side, size));
                size
            }
        };
        let other = self.distance && run.monai;
        let convention = if other { " (MONAI's, the paper's is medpy's)" } else { "" };
        let time = run.time.map_or(String::new(), |time| {
            format!("\n{} ms a step, measured here, validation included", number::short(time))
        });
        Some(Dot {
            name: if other { "this run (MONAI’s HD95)" } else { "this run" }.to_owned(),
            x: self.cost.of(&size, run.time)?,
            y: value,
            spread: 0.0,
            marker: Marker::Diamond,
            // Hollow: another convention than the points around it.
            color: if other { ctx.style.plot_background } else { ctx.style.accent },
            ours: true,
            says: format!(
                "this run: {}{convention} on {}\n{} parameters\n{} GMAC, {} MiB at {side}×{side}{time}",
                self.value_text(value),
                run.on,
                number::grouped(size.parameters),
                number::short(size.gmac()),
                number::short(size.activation_mib()),
                side = run.side,
            ),
        })
    }

    /// Earlier runs of one kind as a point.
    fn dot_of_group(&self, group: &Group, ctx: &ViewCtx<'_>) -> Option<Dot> {
        let measured = if self.distance { group.hd95 } else { group.dice };
        let (value, spread) = (measured.mean?, measured.std_sample.unwrap_or(0.0));
        let other = self.distance && group.monai;
        let give_or_take =
            if measured.count > 1 { format!(" ± {} (ddof 1)", self.spread_text(spread)) } else { String::new() };
        let seeds = if measured.count > 1 { format!(" of {} seeds", measured.count) } else { String::new() };
        let width = if group.spec.architecture.stages().is_some() {
            format!("width {}, ", group.spec.base)
        } else {
            String::new()
        };
        let time = group.time.mean.map_or(String::new(), |time| {
            format!("\n{} ms a step, measured here, validation included", number::short(time))
        });
        Some(Dot {
            name: format!("{} here", short_name(group.spec.architecture)),
            x: self.cost.of(&group.size, group.time.mean)?,
            y: value,
            spread,
            marker: Marker::Diamond,
            color: if other { ctx.style.plot_background } else { ctx.style.accent.gamma_multiply(0.7) },
            ours: true,
            says: format!(
                "{}, earlier here{seeds}: {}{give_or_take}{}\n{width}{side}×{side}, test images, {}\n{} parameters\n{} GMAC, {} MiB at \
                 {side}×{side}{time}",
                group.spec.architecture.name(),
                self.value_text(value),
                if other { " (MONAI's, the paper's is medpy's)" } else { "" },
                if group.synthetic { "synthetic" } else { "own data" },
                number::grouped(group.size.parameters),
                number::short(group.size.gmac()),
                number::short(group.size.activation_mib()),
                side = group.side,
            ),
        })
    }

    fn plot(&mut self, outer: Rect, dots: &[Dot], ui: &Ui, ctx: &ViewCtx<'_>) {
        let size = tile::font_size(ctx.presenting);
        if outer.width() < 8.0 || outer.height() < 8.0 {
            return;
        }
        let scales = [Scale::Log { base: 0.0 }, Scale::Linear];
        let bounds = self.view.unwrap_or_else(|| whole(dots, scales[0]));
        let axes = Axes::new(outer, bounds, scales, size, 0.6 * size);
        let name = match (self.cost == Cost::Time, self.distance) {
            (false, false) => "size against Dice",
            (false, true) => "size against HD95",
            (true, false) => "time against Dice",
            (true, true) => "time against HD95",
        };
        let response = ui.interact(axes.rect, ui.scope_id().with("size and Dice"), Sense::click_and_drag());
        let spoken = dots
            .iter()
            .filter(|dot| dot.ours)
            .fold(name.to_owned(), |text, dot| format!("{text}; {}", dot.says.lines().next().unwrap_or_default()));
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, spoken.as_str()));
        zoom(ui, &response, &axes, &mut self.view);
        let painter = ui.painter_at(outer);
        let inside = ui.painter_at(axes.rect);
        let style = ctx.style;
        inside.rect_filled(axes.rect, 2.0, style.plot_background);
        axes.draw_grid(&inside, style, style.rule);
        let at = |dot: &Dot, value: f64| axes.at(scales[0].position(dot.x), value);
        // The family of one rule, from @1 to @128 and the U-net.
        let family: Vec<Pos2> =
            dots.iter().filter(|dot| dot.marker == Marker::Disc && !dot.ours).map(|dot| at(dot, dot.y)).collect();
        // Names keep off this line as well.
        let mut thin: Vec<Rect> = family
            .windows(2)
            .flat_map(|ends| {
                (1..12).map(|i| Rect::from_center_size(ends[0].lerp(ends[1], i as f32 / 12.0), Vec2::splat(2.0)))
            })
            .collect();
        inside.line(family, Stroke::new(1.0, style.category(7).color.gamma_multiply(0.4)));
        for dot in dots.iter().filter(|dot| dot.spread > 0.0) {
            let (low, high) = (at(dot, dot.y - dot.spread), at(dot, dot.y + dot.spread));
            let stroke = Stroke::new(1.0, dot.color.gamma_multiply(0.7));
            inside.line_segment([low, high], stroke);
            for end in [low, high] {
                inside.hline(end.x - 2.5..=end.x + 2.5, end.y, stroke);
            }
            thin.push(Rect::from_two_pos(low, high).expand2(vec2(2.5, 0.5)));
        }
        let radius = 0.36 * size;
        for dot in dots {
            let radius = if dot.ours { 1.5 * radius } else { radius };
            let rim = Stroke::new(
                if dot.ours { 1.6 } else { 1.0 },
                match dot.ours {
                    true if dot.color == style.plot_background => style.accent,
                    true => style.text,
                    false => style.plot_background,
                },
            );
            point(&inside, at(dot, dot.y), radius, dot.marker, dot.color, rim);
        }
        name_dots(&inside, axes.rect, dots, &at, &thin, radius, size, ctx);
        let y = if self.distance { "HD95, pixels of the original (lower is better)" } else { "Dice" };
        axes.draw_labels(&painter, style, &Titles { x: self.cost.title(), y });
        if let Some(pointer) = response.hover_pos().filter(|_| !response.dragged()) {
            let nearest = dots
                .iter()
                .map(|dot| (dot, at(dot, dot.y)))
                .min_by(|(_, a), (_, b)| a.distance_sq(pointer).total_cmp(&b.distance_sq(pointer)));
            if let Some((dot, place)) = nearest.filter(|(_, place)| place.distance(pointer) < 2.0 * size) {
                inside.circle_stroke(place, 1.8 * radius, Stroke::new(1.5, style.text));
                label(&inside, axes.rect, place, &dot.says, size, style);
            }
        }
    }

    /// What the markers mean, and what this run is.
    fn foot(&self, rect: Rect, run: Option<&Ours>, dots: &[Dot], ui: &mut Ui, ctx: &ViewCtx<'_>) {
        let size = tile::font_size(ctx.presenting);
        let painter = ui.painter_at(rect);
        let (line, font) = (1.55 * size, FontId::proportional(size));
        let y = rect.top() + 0.5 * line;
        let mut x = rect.left() + 0.5 * size;
        let timed = self.cost == Cost::Time;
        let families = [
            (Architecture::UNet, "paper’s U-nets"),
            (Architecture::Fcn8s, "paper’s FCNs"),
            (Architecture::DeepLabResNet101, "paper’s DeepLab v3+"),
        ];
        for (architecture, name) in families.into_iter().filter(|_| !timed) {
            let (marker, color) = family(architecture);
            let rim = Stroke::new(1.0, ctx.style.plot_background);
            point(&painter, pos2(x, y), 0.36 * size, marker, ctx.style.category(color).color, rim);
            let at = pos2(x + 0.8 * size, y);
            x = painter.text(at, Align2::LEFT_CENTER, name, font.clone(), ctx.style.text_weak).right() + 1.4 * size;
        }
        let text = match run {
            _ if self.without_run => String::new(),
            Some(run) if dots.iter().any(|dot| dot.ours) => {
                let mark = if self.distance && run.monai { "◇ this run, MONAI’s HD95" } else { "◆ this run" };
                format!("{mark}: {}", run.on)
            }
            Some(_) => "This run has no value at this step.".to_owned(),
            None => "Start a run to see it beside the paper’s networks.".to_owned(),
        };
        let about = match timed {
            true => "The paper gives no times: its networks are left out here.",
            false => "paper: 416 training images, 256×256, test mean ± std of 3 seeds",
        };
        let line_of_about = Rect::from_min_size(pos2(rect.left(), rect.top() + line), vec2(rect.width(), line));
        ui.scope_builder(UiBuilder::new().max_rect(line_of_about), |ui| {
            ui.add(Label::new(tile::weak(about, size, ctx.style)).truncate().selectable(false));
        });
        let below = Rect::from_min_max(pos2(rect.left(), rect.top() + 2.0 * line), rect.max);
        ui.scope_builder(UiBuilder::new().max_rect(below), |ui| {
            ui.shrink_clip_rect(below);
            let note = paper_note(Architecture::DeepLabResNet101).unwrap_or_default();
            let shown = RichText::new(&text).size(size).color(ctx.style.text);
            ui.add(Label::new(shown).truncate().selectable(false)).on_hover_ui(|ui| {
                ui.set_max_width(30.0 * size);
                ui.label(format!("{text}. Other images, another size and one seed: not a replication of the paper."));
                ui.label(note);
            });
        });
    }
}

/// Marker and colour of an architecture's family.
fn family(architecture: Architecture) -> (Marker, usize) {
    match architecture {
        Architecture::Fcn32s | Architecture::Fcn16s | Architecture::Fcn8s => (Marker::Square, 1),
        _ if architecture.stages().is_some() => (Marker::Disc, 7),
        _ => (Marker::Triangle, 5),
    }
}

/// A name that is short enough to stand in a crowd.
fn short_name(architecture: Architecture) -> String {
    match architecture {
        Architecture::LightUNet => "Light".to_owned(),
        Architecture::TransposedUNet => "transposed".to_owned(),
        Architecture::LighterUNet { group } => format!("@{group}"),
        Architecture::DeepLabResNet101 => "ResNet-101".to_owned(),
        Architecture::DeepLabXception => "Xception".to_owned(),
        Architecture::DeepLabMobileNetV2 => "MobileNetV2".to_owned(),
        other => other.name(),
    }
}

/// The run at the cursor: its test with the best weights if it has been made, otherwise its validation.
fn this_run(ctx: &ViewCtx<'_>) -> Option<Ours> {
    ctx.run.header.as_ref()?;
    let params = common::params_at(ctx, PARAMS);
    ARCHITECTURE.get(&params)?;
    let (spec, side) = (net_spec(&params), IMAGE_SIZE.of(&params) as usize);
    let value = |key: &str| common::value(ctx, key);
    // The paper's are in pixels.
    let comparable = series::unit(ctx) == Unit::Pixels;
    let distance = |key: &str| series::distance_at(ctx, key).filter(|_| comparable);
    let (set, dice, hd95, images) = match value("test/dice") {
        Some(dice) => ("test", Some(dice), distance("test/hd95"), series::images(ctx, "test/images")),
        None => ("validation", value("dice/final"), distance("hd95/final"), series::images(ctx, "validation/images")),
    };
    let data = if FROM_FOLDER.of(&params) { "own data" } else { "synthetic" };
    let width = if spec.architecture.stages().is_some() { format!("width {}, ", spec.base) } else { String::new() };
    let images = number::counted(images, &format!("{set} image"), &format!("{set} images"));
    let on = format!("{}, {side}×{side}, {width}{images}, {data}", spec.architecture.name());
    let time = (ctx.run.step > 0 && ctx.run.seconds > 0.0).then(|| 1000.0 * ctx.run.seconds / ctx.run.step as f64);
    Some(Ours { spec, side, dice, hd95, monai: HAUSDORFF.of(&params) == Hausdorff::Directed95, time, on })
}

/// All points with their spreads; a point alone has room around it.
fn whole(dots: &[Dot], scale: Scale) -> Bounds {
    let grow = |range: [f64; 2], value: f64| [range[0].min(value), range[1].max(value)];
    let empty = [f64::INFINITY, f64::NEG_INFINITY];
    let (x, y) = dots.iter().fold((empty, empty), |(x, y), dot| {
        let y = grow(grow(y, dot.y - dot.spread), dot.y + dot.spread);
        (grow(x, scale.position(dot.x)), y)
    });
    let apart = |range: [f64; 2], room: f64| match range[1] - range[0] {
        0.0 => [range[0] - room, range[1] + room],
        _ => range,
    };
    let bounds = Bounds::new(apart(x, 0.5), apart(y, 0.1)).padded(0.08);
    if bounds.is_valid() { bounds } else { Bounds::new([0.0, 1.0], [0.0, 1.0]) }
}

/// Writes the names where they cover nothing.
#[expect(clippy::too_many_arguments, reason = "where the points lie and what they must not hide")]
fn name_dots(
    painter: &Painter,
    within: Rect,
    dots: &[Dot],
    at: &impl Fn(&Dot, f64) -> Pos2,
    thin: &[Rect],
    radius: f32,
    size: f32,
    ctx: &ViewCtx<'_>,
) {
    let font = FontId::proportional(size);
    let shown: Vec<(&Dot, Pos2)> =
        dots.iter().map(|dot| (dot, at(dot, dot.y))).filter(|(_, place)| within.contains(*place)).collect();
    let texts: Vec<_> = shown
        .iter()
        .map(|(dot, _)| {
            let color = if dot.ours { ctx.style.text } else { ctx.style.text_weak };
            painter.layout_no_wrap(dot.name.clone(), font.clone(), color)
        })
        .collect();
    let points: Vec<Pos2> = shown.iter().map(|(_, place)| *place).collect();
    let sizes: Vec<Vec2> = texts.iter().map(|text| text.size()).collect();
    let side = |dot: &Dot| 2.0 * radius * if dot.ours { 2.0 } else { 1.0 };
    let solid: Vec<Rect> =
        shown.iter().map(|(dot, place)| Rect::from_center_size(*place, Vec2::splat(side(dot)))).collect();
    let places = labels::place(&points, &sizes, &solid, thin, within.shrink(2.0), radius + 2.0);
    for ((place, text), point) in places.into_iter().zip(texts).zip(points) {
        let Some(place) = place else { continue };
        // A name that had to go far is led back to its point.
        let nearest = place.clamp(point);
        if nearest.distance(point) > 2.2 * (radius + 2.0) {
            painter.line_segment([point, nearest], Stroke::new(0.8, ctx.style.text_weak.gamma_multiply(0.6)));
        }
        painter.galley(place.min, text, ctx.style.text_weak);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_plot_holds_every_spread_and_survives_nothing() {
        let dot = |x: f64, y: f64, spread: f64| Dot {
            name: String::new(),
            x,
            y,
            spread,
            marker: Marker::Disc,
            color: Color32::WHITE,
            ours: false,
            says: String::new(),
        };
        let bounds = whole(&[dot(1e6, 0.9, 0.05), dot(1e7, 0.8, 0.0)], Scale::Log { base: 0.0 });
        assert!(bounds.x[0] < 6.0 && bounds.x[1] > 7.0 && bounds.y[0] < 0.8 && bounds.y[1] > 0.95);
        assert!(whole(&[], Scale::Linear).is_valid());
        let alone = whole(&[dot(40.0, 0.7, 0.0)], Scale::Log { base: 0.0 });
        assert!(alone.is_valid() && alone.x[0] < 1.6 && alone.x[1] > 1.61 && alone.y[0] < 0.7 && alone.y[1] > 0.7);
    }

    #[test]
    fn every_network_of_the_paper_has_a_size_and_a_name_of_its_own() {
        let names: std::collections::HashSet<String> = PAPER.iter().map(|row| short_name(row.architecture)).collect();
        assert_eq!(names.len(), PAPER.len());
    }
}
