//! A tile of curves: what a run measured against the step, as lists of series in panels that share an axis. Legend, scales,
//! zoom, smoothing, the twin, the cursor and the values at it are the same in every lab.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::sync::Arc;

use eframe::egui::accesskit::Role;
use eframe::egui::{Align2, Color32, FontId, Rect, Sense, Ui, WidgetInfo, pos2, vec2};

use super::empty;
use super::fields::Fields;
use super::pinned::{Pinned, PinnedRun};
use super::series::{self, Quantity};
use super::view::ViewCtx;
use crate::plot::axes::Titles;
use crate::plot::curve::{Curve, CurveState, Mark, Plot};
use crate::plot::legend::{self, Entry};
use crate::plot::scale::Scale;
use crate::plot::style::{Category, Dash};
use crate::plot::{number, tile};

/// An axis that series share.
#[derive(Debug, Clone, Copy)]
pub struct Axis {
    /// What is drawn against what, for assistive technology.
    pub name: &'static str,
    /// The panel's heading.
    pub title: &'static str,
    /// The same in a word, where one of several panels is chosen.
    pub short: &'static str,
    /// What stands above the axis, with its unit.
    pub unit: &'static str,
    /// One that is not linear may be switched off, and on again.
    pub scale: Scale,
    /// It is linear at first.
    pub starts_linear: bool,
    /// The name of that switch; empty: there is none.
    pub switch: &'static str,
    /// Values that the axis always reaches.
    pub include: &'static [f64],
    /// Values to compare with, and what they are.
    pub levels: &'static [(f64, &'static str)],
}

/// A logarithmic scale.
pub const LOG: Scale = Scale::Log { base: 0.0 };

/// A linear axis in short.
pub const fn axis(name: &'static str, title: &'static str, unit: &'static str) -> Axis {
    let scale = Scale::Linear;
    Axis { name, title, short: title, unit, scale, starts_linear: false, switch: "", include: &[], levels: &[] }
}

/// Where a curve lies: later ones cover earlier ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// What is compared with: an article's, an earlier run's, the finer of two.
    Behind,
    Twin,
    Run,
    Highlighted,
}

/// A number in a panel's heading that belongs to no curve.
#[derive(Debug, Clone)]
pub struct Note {
    pub name: &'static str,
    pub value: String,
    pub color: Color32,
    pub help: String,
}

/// Series that share an axis, as they are drawn in this frame.
pub struct Panel<'a> {
    pub axis: Axis,
    /// What stands above the axis.
    pub unit: String,
    /// Values outside are not followed by the axis.
    pub limits: Option<RangeInclusive<f64>>,
    /// Beside the marks that every plot of this run has.
    pub marks: Vec<Mark>,
    /// What can be highlighted and hidden, by name.
    pub entries: Vec<Entry<'a>>,
    pub notes: Vec<Note>,
    lines: Vec<Line<'a>>,
}

struct Line<'a> {
    layer: Layer,
    /// The name of its legend entry; empty for none.
    entry: Cow<'a, str>,
    noisy: bool,
    curve: Curve<'a>,
}

impl<'a> Panel<'a> {
    /// A panel of these quantities, the twin's beside them.
    pub fn new(axis: Axis, quantities: &[Quantity], ctx: &ViewCtx<'a>) -> Self {
        let level = |&(value, text): &(f64, &str)| Mark::level(value, ctx.style.text_weak.gamma_multiply(0.8), text);
        let mut panel = Self {
            axis,
            unit: axis.unit.to_owned(),
            limits: None,
            marks: axis.levels.iter().map(level).collect(),
            entries: Vec::new(),
            notes: Vec::new(),
            lines: Vec::new(),
        };
        for quantity in quantities {
            let (name, help) = (quantity.name, quantity.help.to_owned());
            let category = quantity.category(ctx.style, false);
            panel.entries.push(Entry { name, category, selected: false, help });
            panel.add(name, quantity, ctx);
        }
        panel
    }

    /// Adds a quantity, the twin's too, under the name of a legend entry; an empty one for none.
    pub fn add(&mut self, entry: &'a str, quantity: &Quantity, ctx: &ViewCtx<'a>) {
        for (twin, layer) in [(true, Layer::Twin), (false, Layer::Run)] {
            if let Some(curve) = quantity.curve(ctx.run, ctx.style, twin) {
                self.lines.push(Line { layer, entry: entry.into(), noisy: quantity.noisy, curve });
            }
        }
        self.behind(quantity.key, quantity.name, quantity.dash, quantity.noisy, ctx);
    }

    /// Adds what the pinned runs measured of a scalar, behind everything else. [`Panel::add`] does it for quantities.
    pub fn behind(&mut self, key: &str, title: &str, dash: Dash, noisy: bool, ctx: &ViewCtx<'_>) {
        for run in ctx.past.pinned().behind(ctx.run) {
            if let Some(curve) = run.curve(key, title, dash) {
                self.lines.push(Line { layer: Layer::Behind, entry: run.name.clone().into(), noisy, curve });
            }
        }
    }

    /// Adds any curve, under the name of a legend entry.
    pub fn push(&mut self, layer: Layer, entry: &'a str, curve: Curve<'a>) {
        self.lines.push(Line { layer, entry: entry.into(), noisy: false, curve });
    }

    /// The value at a step of what a legend entry stands for.
    fn value(&self, entry: &str, step: u64) -> Option<f64> {
        let lines = self.lines.iter().filter(|line| line.layer >= Layer::Run && line.entry == entry);
        lines.max_by_key(|line| !line.noisy)?.curve.at(step).map(|(_, value)| value)
    }

    /// Draws the plot alone and moves the shared cursor where the user asks for it.
    pub fn draw(mut self, state: &mut CurveState, log: bool, place: Rect, ui: &Ui, ctx: &mut ViewCtx<'a>) {
        self.lines.sort_by_key(|line| line.layer);
        let curves: Vec<Curve<'_>> = self.lines.into_iter().map(|line| line.curve).collect();
        let scale = if log { self.axis.scale } else { Scale::Linear };
        match scale {
            Scale::Linear => {}
            Scale::Log { .. } => self.unit.push_str(" (log)"),
            Scale::SymLog { .. } => self.unit.push_str(" (symmetric log)"),
        }
        self.marks.extend(series::marks(ctx));
        let plot = Plot {
            name: self.axis.name,
            titles: Titles { x: "step", y: &self.unit },
            scale,
            window: [Some([0.0, series::steps(ctx) as f64]), None],
            cursor: Some(ctx.cursor.step),
            include: self.axis.include,
            limits: self.limits,
            marks: &self.marks,
            fills: &[],
            font_size: tile::font_size(ctx.presenting),
        };
        let asked = state.show(ui, place, &plot, &curves, ctx.style);
        series::seek(ctx, asked);
    }
}

/// What stands around the panels.
#[derive(Debug, Clone, Default)]
pub struct About {
    /// What one sees, in the bar above.
    pub text: String,
    /// What makes the twin differ, for the legend.
    pub twin: Option<String>,
    /// Names, with the values at the cursor, stand in the panels' headings instead of in a legend at the foot.
    pub in_headings: bool,
}

/// View state of a tile of curves.
#[derive(Debug, Default)]
pub struct CurvesTile {
    plots: Vec<CurveState>,
    /// The panel that is shown where there is no room for all.
    shown: usize,
    /// The legend entry that stands out.
    pub highlighted: Option<String>,
    /// Legend entries that are switched off.
    hidden: BTreeSet<String>,
    /// Chosen by the user.
    log: Option<bool>,
    means: Vec<Mean>,
}

/// The trailing mean of a curve, kept while the curve stays as it is.
#[derive(Debug, Clone)]
struct Mean {
    /// Identity, length and last step of its source, and the steps of its window.
    of: (u64, usize, u64, u64),
    points: Arc<[(u64, f64)]>,
}

const FIT: &str = "Show the whole run (double-click does the same)";
const TWIN_ENTRY: &str = "twin";
/// Panels whose zoom is kept from the beginning.
const MOST_PANELS: usize = 4;
/// Strength of the colour of a legend entry that is switched off.
const HIDDEN: f32 = 0.25;

impl CurvesTile {
    /// Shows the whole run again.
    pub fn fit(&mut self) {
        self.plots.iter_mut().for_each(CurveState::fit);
    }

    /// What of it belongs to a scene.
    pub fn fields(&mut self, fields: &mut Fields) {
        fields.optional("log", &mut self.log);
        fields.value("panel", &mut self.shown, 0);
        fields.optional("highlighted", &mut self.highlighted);
        fields.set("hidden", &mut self.hidden);
        // As many panels as any tile has: before a tile was drawn, nobody knows how many.
        self.plots.resize_with(self.plots.len().max(MOST_PANELS), CurveState::default);
        for (index, plot) in self.plots.iter_mut().enumerate() {
            fields.zoom(&format!("zoom{index}"), plot.zoom());
        }
    }

    /// Whether the user has zoomed or panned.
    pub fn is_zoomed(&self) -> bool {
        self.plots.iter().any(CurveState::is_zoomed)
    }

    /// Whether this axis is drawn in its own scale, not in a linear one.
    pub fn is_log(&self, axis: &Axis) -> bool {
        axis.scale != Scale::Linear && self.log.unwrap_or(!axis.starts_linear)
    }

    /// Switches the axes' scale; `first`: how they are at first.
    pub fn toggle_log(&mut self, first: bool) {
        self.log = Some(!self.log.unwrap_or(first));
        self.fit();
    }

    /// Draws a tile that is lists of series and nothing else; `when`, in whole words: when they are measured.
    pub fn lists<'a>(
        &mut self,
        about: &About,
        when: &str,
        lists: &[(Axis, &[Quantity])],
        ui: &mut Ui,
        ctx: &mut ViewCtx<'a>,
    ) {
        let measured = |quantity: &Quantity| ctx.run.scalars.contains_key(quantity.key);
        if !lists.iter().flat_map(|(_, quantities)| *quantities).any(measured) {
            return empty::measured(ui, ctx, when);
        }
        let panels = lists.iter().map(|(axis, quantities)| Panel::new(*axis, quantities, ctx)).collect();
        self.show(about, panels, ui, ctx, |_, _| ());
    }

    /// Draws the tile. `controls` adds to the bar, from right to left; it is told which panel is shown where there is no
    /// room for all.
    pub fn show<'a>(
        &mut self,
        about: &About,
        mut panels: Vec<Panel<'a>>,
        ui: &mut Ui,
        ctx: &mut ViewCtx<'a>,
        controls: impl FnOnce(&mut Ui, Option<usize>),
    ) {
        let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
        let (bar, rest) = tile::split(ui, size);
        self.plots.resize_with(panels.len().max(MOST_PANELS), CurveState::default);
        let pinned = ctx.past.pinned();
        let chosen = self.shown.min(panels.len().saturating_sub(1));
        // What has a curve, whether it is switched off or not.
        let behind =
            [self.behind(&pinned, &panels), self.behind(&pinned, &panels[chosen..panels.len().min(chosen + 1)])];
        panels.iter_mut().for_each(|panel| self.hide(panel));
        self.smooth(&mut panels, ctx);
        panels.iter_mut().for_each(|panel| self.highlight(panel));

        let counts = behind.each_ref().map(|runs| number::counted(runs.len() as u64, "pinned run", "pinned runs"));
        let foot = |which: usize, ui: &Ui| {
            let of = if which == 0 { &panels[..] } else { &panels[chosen..=chosen] };
            self.foot(about, of, (&behind[which], &counts[which]), rest, ui, ctx)
        };
        let (mut entries, mut height) = foot(0, ui);
        let outer = |foot: f32| Rect::from_min_max(rest.min, rest.max - vec2(0.0, foot));
        let places = tile::panels(outer(height), panels.len(), 1.4, 1.2 * size);
        let roomy = panels.len() < 2 || places[0].width() >= 15.0 * size && places[0].height() >= 11.0 * size;
        let alone = (!roomy).then_some(chosen);
        if alone.is_some() {
            // The legend tells what is seen, which is one panel.
            (entries, height) = foot(1, ui);
        }
        let (foot, outer) = (height, outer(height));
        self.bar(bar, about, alone, &panels, ui, ctx, controls);
        let headed = panels.len() > 1;
        for (index, panel) in panels.into_iter().enumerate().filter(|(i, _)| alone.is_none_or(|shown| shown == *i)) {
            let place = if alone.is_some() { outer } else { places[index] };
            let below = if about.in_headings {
                self.heading(&panel, place, size, ui, ctx)
            } else if headed {
                tile::panel_heading(&ui.painter_at(place.expand(2.0)), place, panel.axis.title, size, style)
            } else {
                place
            };
            let log = self.is_log(&panel.axis);
            panel.draw(&mut self.plots[index], log, below, ui, ctx);
        }
        if foot > 0.0 {
            let place = Rect::from_min_max(pos2(rest.left(), outer.bottom()), rest.max);
            if let Some(index) = legend::show(ui, place, &entries, style, size) {
                self.clicked(entries[index].name, ui);
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "what is drawn, where and how")]
    fn bar(
        &mut self,
        rect: Rect,
        about: &About,
        alone: Option<usize>,
        panels: &[Panel<'_>],
        ui: &mut Ui,
        ctx: &ViewCtx<'_>,
        controls: impl FnOnce(&mut Ui, Option<usize>),
    ) {
        let size = tile::font_size(ctx.presenting);
        tile::bar(ui, rect, tile::weak(&about.text, size, ctx.style), |ui| {
            // Where room is short it is only there when there is something to fit.
            let zoomed = self.is_zoomed();
            if (zoomed || alone.is_none()) && tile::button(ui, zoomed, "fit", FIT, size) {
                self.fit();
            }
            controls(ui, alone);
            let mut axes = panels.iter().enumerate().filter(|(i, _)| alone.is_none_or(|shown| shown == *i));
            if let Some((_, panel)) = axes.find(|(_, panel)| !panel.axis.switch.is_empty()) {
                let on = self.is_log(&panel.axis);
                let help = "Logarithmic axis: equal growth is a straight line";
                if tile::toggle(ui, on, panel.axis.switch, help, size) {
                    self.toggle_log(on);
                }
            }
            if alone.is_some() {
                ui.add_space(6.0);
                for (index, panel) in panels.iter().enumerate().rev() {
                    let help = "The tile is too small for all panels: choose one, or enlarge the tile";
                    if tile::toggle(ui, alone == Some(index), panel.axis.short, help, size) {
                        self.shown = index;
                    }
                }
            }
        });
    }

    /// Lays the mean of an epoch over what is measured batch by batch.
    fn smooth(&mut self, panels: &mut [Panel<'_>], ctx: &ViewCtx<'_>) {
        let window = series::steps_per_epoch(ctx.run);
        let known = std::mem::take(&mut self.means);
        for panel in panels {
            let mut strong = Vec::new();
            for line in panel.lines.iter_mut().filter(|line| line.noisy && window > 1 && line.curve.len > 2) {
                let raw = &mut line.curve;
                let at = |i: usize| {
                    let [x, y] = (raw.point)(i);
                    (x as u64, y)
                };
                let of = (raw.identity, raw.len, at(raw.len - 1).0, window);
                let mean = known.iter().find(|mean| mean.of == of).cloned().unwrap_or_else(|| {
                    let points: Vec<(u64, f64)> = (0..raw.len).map(at).collect();
                    Mean { of, points: trailing_mean(&points, window).into() }
                });
                let points = Arc::clone(&mean.points);
                let curve = Curve {
                    name: format!("{}, mean of an epoch", raw.name).into(),
                    category: raw.category,
                    width: raw.width,
                    identity: raw.identity ^ 0x5a5a_5a5a ^ window,
                    len: points.len(),
                    point: Box::new(move |i| [points[i].0 as f64, points[i].1]),
                    held: None,
                };
                strong.push(Line { layer: line.layer, entry: line.entry.clone(), noisy: false, curve });
                raw.category.color = raw.category.color.gamma_multiply(0.35);
                raw.width *= 0.6;
                line.layer = Layer::Behind;
                self.means.push(mean);
            }
            panel.lines.extend(strong);
        }
    }

    /// The legend of these panels with the pinned runs behind them (and how many these are, in words), and its height: 0 where there is
    /// no room for it.
    fn foot<'e>(
        &self,
        about: &About,
        panels: &[Panel<'e>],
        (behind, counted): (&[Entry<'e>], &'e str),
        rest: Rect,
        ui: &Ui,
        ctx: &ViewCtx<'_>,
    ) -> (Vec<Entry<'e>>, f32) {
        let (size, style, step) = (tile::font_size(ctx.presenting), ctx.style, ctx.cursor.step);
        let mut entries: Vec<Entry<'_>> = Vec::new();
        for (panel, entry) in panels.iter().flat_map(|panel| panel.entries.iter().map(move |entry| (panel, entry))) {
            if !entries.iter().any(|other| other.name == entry.name) {
                entries.push(Entry { help: help(entry, &reading(panel.value(entry.name, step))), ..entry.clone() });
            }
        }
        if let Some(what) = &about.twin {
            let strength = if self.hidden.contains(TWIN_ENTRY) { HIDDEN } else { 1.0 };
            let category = Category { color: style.text_weak.gamma_multiply(strength), dash: Dash::Dashed };
            entries.push(Entry { name: TWIN_ENTRY, category, selected: false, help: format!("twin: {what}") });
        }
        if about.in_headings {
            entries.clear();
        }
        let most = 0.34 * rest.height();
        let own = entries.clone();
        entries.extend(behind.iter().cloned());
        let mut wanted = legend::height(ui, &entries, rest.width(), size);
        if wanted > most && !behind.is_empty() {
            // Their number at least; which is which, a curve says under the pointer.
            entries = own;
            let category = Category { color: style.text_weak, dash: Dash::Solid };
            let help = behind.iter().map(|entry| entry.name).collect::<Vec<_>>().join("\n");
            entries.push(Entry { name: counted, category, selected: false, help });
            wanted = legend::height(ui, &entries, rest.width(), size);
        }
        // Other tiles carry the colours too; a small plot needs its room.
        let height = if wanted > most { 0.0 } else { wanted };
        (entries, height)
    }

    /// Legend entries of the pinned runs that have a curve in one of the panels.
    fn behind<'p>(&self, pinned: &'p Pinned, panels: &[Panel<'_>]) -> Vec<Entry<'p>> {
        let lines = || panels.iter().flat_map(|panel| &panel.lines);
        let is_drawn = |run: &&PinnedRun| lines().any(|line| line.layer == Layer::Behind && line.entry == run.name);
        let entry = |run: &'p PinnedRun| {
            let strength = if self.hidden.contains(&run.name) { HIDDEN } else { 1.0 };
            let category = Category { color: run.color.gamma_multiply(strength), dash: Dash::Solid };
            let selected = self.highlighted.as_deref() == Some(&*run.name);
            let help = format!("{}\nClick: highlight; Ctrl+click: hide or show", run.help());
            Entry { name: &run.name, category, selected, help }
        };
        pinned.runs.iter().filter(is_drawn).map(entry).collect()
    }

    /// Leaves out what is switched off.
    fn hide(&self, panel: &mut Panel<'_>) {
        let twin = !self.hidden.contains(TWIN_ENTRY);
        panel.lines.retain(|line| !self.hidden.contains(&*line.entry) && (twin || line.layer != Layer::Twin));
        for entry in panel.entries.iter_mut().filter(|entry| self.hidden.contains(entry.name)) {
            entry.category.color = entry.category.color.gamma_multiply(HIDDEN);
        }
    }

    /// Makes what is highlighted stand out from the rest of its panel.
    fn highlight(&self, panel: &mut Panel<'_>) {
        let Some(name) = &self.highlighted else { return };
        match panel.entries.iter_mut().find(|entry| entry.name == name) {
            Some(entry) => entry.selected = true,
            // A pinned run has its entry in the legend alone.
            None if panel.lines.iter().any(|line| line.entry == *name) => {}
            None => return,
        }
        for line in &mut panel.lines {
            if line.entry != *name {
                line.curve.category.color = line.curve.category.color.gamma_multiply(0.45);
                continue;
            }
            line.curve.width *= 1.5;
            if line.layer == Layer::Run {
                line.layer = Layer::Highlighted;
            }
        }
    }

    /// A click on a legend entry highlights it or not, one with Ctrl hides or shows it.
    fn clicked(&mut self, name: &str, ui: &Ui) {
        if ui.input(|input| input.modifiers.command) {
            if !self.hidden.remove(name) {
                self.hidden.insert(name.to_owned());
            }
        } else if name != TWIN_ENTRY {
            self.highlighted = if self.highlighted.as_deref() == Some(name) { None } else { Some(name.to_owned()) };
        }
    }

    /// The panel's first line: its title and what each curve is worth at the cursor, after a piece of the curve's line.
    /// Names are left out where there is no room for them. Returns what is below.
    fn heading(&mut self, panel: &Panel<'_>, place: Rect, size: f32, ui: &Ui, ctx: &ViewCtx<'_>) -> Rect {
        let height = 1.6 * size;
        if place.height() < 7.0 * size {
            return place;
        }
        let style = ctx.style;
        let line = Rect::from_min_size(place.min, vec2(place.width(), height));
        let painter = ui.painter_at(line);
        let middle = line.center().y;
        let font = FontId::proportional(size + 0.5);
        let title = painter.text(pos2(line.left(), middle), Align2::LEFT_CENTER, panel.axis.title, font, style.text);
        let (sample, gap) = (1.5 * size, 0.5 * size);
        let words = |text: &str| painter.layout_no_wrap(text.to_owned(), FontId::proportional(size), style.text_weak);
        // Four figures wide, so that the line does not jump.
        let digits =
            |text: &str, color: Color32| painter.layout_no_wrap(format!("{text:>5}"), FontId::monospace(size), color);
        let entries = panel.entries.iter().map(|entry| {
            let value = reading(panel.value(entry.name, ctx.cursor.step));
            let laid = (words(entry.name), digits(&value, style.text));
            (entry.name, laid, help(entry, &value), value, Some(entry))
        });
        let notes = panel.notes.iter().map(|note| {
            let laid = (words(note.name), digits(&note.value, note.color));
            (note.name, laid, note.help.clone(), note.value.clone(), None)
        });
        let items: Vec<_> = entries.chain(notes).collect();
        let width = items.iter().map(|(_, (name, value), ..)| sample + name.size().x + value.size().x + 3.0 * gap);
        let named = title.right() + gap + width.sum::<f32>() <= line.right();
        let mut x = title.right() + 1.5 * gap;
        for (name, laid, help, value, entry) in items {
            let from = x;
            if let Some(entry) = entry {
                legend::sample(&painter, pos2(x, middle), x + sample, entry, size);
                x += sample + 0.7 * gap;
            }
            let (word, digits) = laid;
            if named || entry.is_none() && x + word.size().x + digits.size().x < line.right() {
                let wide = word.size().x;
                painter.galley(pos2(x, middle - 0.5 * word.size().y), word, style.text_weak);
                x += wide + 0.7 * gap;
            }
            let wide = digits.size().x;
            painter.galley(pos2(x, middle - 0.5 * digits.size().y), digits, style.text);
            x += wide + 1.2 * gap;
            let area = Rect::from_min_max(pos2(from, line.top()), pos2(x, line.bottom())).intersect(line);
            if !area.is_positive() {
                continue;
            }
            let id = ui.scope_id().with((panel.axis.name, name));
            let response = ui.interact(area, id, if entry.is_some() { Sense::click() } else { Sense::hover() });
            let spoken = format!("{name} {value}");
            let selected = entry.map(|entry| entry.selected);
            response.widget_info(|| match selected {
                Some(selected) => WidgetInfo::selected(Role::RadioButton, true, selected, &spoken),
                None => WidgetInfo::labeled(Role::Label, true, &spoken),
            });
            if response.clicked() {
                self.clicked(name, ui);
            }
            if response.has_focus() {
                painter.rect_stroke(area, 3.0, (1.0, style.accent), eframe::egui::StrokeKind::Inside);
            }
            response.on_hover_ui(|ui| {
                ui.set_max_width(30.0 * size);
                ui.label(&spoken);
                ui.label(help);
            });
        }
        Rect::from_min_max(place.min + vec2(0.0, height), place.max)
    }
}

/// A value as it stands in headings and tooltips.
fn reading(value: Option<f64>) -> String {
    value.map_or_else(|| "—".to_owned(), number::short)
}

/// The tooltip of a legend entry.
fn help(entry: &Entry<'_>, value: &str) -> String {
    format!("{}\nAt the cursor: {value}. Click: highlight; Ctrl+click: hide or show", entry.help)
}

/// The mean over the `window` steps that end at each point; fewer at the beginning.
fn trailing_mean(points: &[(u64, f64)], window: u64) -> Vec<(u64, f64)> {
    let (mut from, mut sum) = (0, 0.0);
    let mut means = Vec::with_capacity(points.len());
    for (i, &(step, value)) in points.iter().enumerate() {
        sum += value;
        while points[from].0 + window <= step && from < i {
            sum -= points[from].1;
            from += 1;
        }
        means.push((step, sum / (i + 1 - from) as f64));
    }
    means
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trailing_mean_covers_the_last_epoch_and_starts_at_once() {
        let points: Vec<(u64, f64)> = (1..=6).map(|step| (step, step as f64)).collect();
        let means: Vec<f64> = trailing_mean(&points, 3).into_iter().map(|(_, mean)| mean).collect();
        assert_eq!(means, [1.0, 1.5, 2.0, 3.0, 4.0, 5.0]);
        assert_eq!(trailing_mean(&points, 1), points);
        // Only every tenth batch was read: a window of three steps holds one of them.
        let sparse = [(10, 1.0), (20, 5.0)];
        assert_eq!(trailing_mean(&sparse, 3), sparse);
        assert!(trailing_mean(&[], 3).is_empty());
    }
}
