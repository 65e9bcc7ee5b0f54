//! The tile that says how sure the means are, class by class, and compares the run with its twin or a recorded run on the
//! images that both have judged.

use std::sync::Arc;

use eframe::egui::accesskit::Role;
use eframe::egui::{
    EventFilter, Grid, Key, Label, Rect, RichText, ScrollArea, Sense, Stroke, Ui, UiBuilder, WidgetInfo, vec2,
};

use super::SegmentationView;
use super::others::Other;
use super::scores::Measure;
use super::shared::Shared;
use crate::compute::stats::{Estimate, INTERVALS};
use crate::data::segmentation::split::Part;
use crate::kit::empty;
use crate::kit::fields::Fields;
use crate::kit::tiles::{Tile, TileCommand, TileSpec};
use crate::kit::view::ViewCtx;
use crate::labs::segmentation::compare::report::{CAUTION, HEADS, TESTS, cells, warnings};
use crate::labs::segmentation::compare::{Comparison, Pair, check_units, compare};
use crate::plot::axes::{Axes, Bounds, Titles, zoom};
use crate::plot::background::Latest;
use crate::plot::scale::Scale;
use crate::plot::scatter::{appearance, point};
use crate::plot::{number, tile};

/// The tile.
pub static TILE: Tile<SegmentationView> = Tile {
    spec: TileSpec {
        id: "compare",
        title: "Compare",
        help: "Means of single images with 95 % intervals, class by class. With another run: both image by image, the mean \
               difference with its interval, and paired tests. Click a point to open its image.",
        area: "scores",
        follows_cursor: true,
    },
    show: |view, ui, ctx| view.compare.show(&mut view.shared, ui, ctx),
    commands: &[
        TileCommand {
            id: "compare-part",
            title: "Compare: test or validation images",
            run: |view, _, _| view.compare.validation = !view.compare.validation,
        },
        TileCommand {
            id: "compare-measure",
            title: "Compare: next measure",
            run: |view, _, _| view.compare.next_measure(),
        },
    ],
};

/// What was compared: the two runs by their numbers, the part, the measure.
type Asked = (u64, u64, Part, Measure);

/// View state.
#[derive(Debug)]
pub struct Compare {
    /// The validation images instead of the test images.
    validation: bool,
    measure: Measure,
    /// Which of the other runs, where there are several.
    which: usize,
    selected: Option<String>,
    view: Option<Bounds>,
    found: Latest<Asked, Arc<Comparison>>,
    means: Latest<(u64, Part), Vec<MeanRow>>,
}

/// Images of a class and the mean of each measure.
type MeanRow = (Option<String>, usize, Vec<Estimate>);

/// Measures of the table of one run.
const SHOWN: [Measure; 4] = [Measure::Dice, Measure::Iou, Measure::Hd95, Measure::Assd];

impl Default for Compare {
    fn default() -> Self {
        Self {
            validation: false,
            measure: Measure::Dice,
            which: 0,
            selected: None,
            view: None,
            found: Latest::default(),
            means: Latest::default(),
        }
    }
}

impl Compare {
    /// What of it belongs to a scene.
    pub fn fields(&mut self, fields: &mut Fields) {
        fields.value("validation", &mut self.validation, false);
        fields.choice("measure", &mut self.measure, &Measure::ALL.map(|measure| (measure.key(), measure)));
        fields.value("which", &mut self.which, 0);
        fields.optional("selected", &mut self.selected);
        fields.zoom("zoom", &mut self.view);
    }

    fn next_measure(&mut self) {
        let at = Measure::ALL.iter().position(|measure| *measure == self.measure).unwrap_or_default();
        (self.measure, self.view) = (Measure::ALL[(at + 1) % Measure::ALL.len()], None);
    }

    /// Which of these runs is compared with; a scene may name one that is not read yet.
    fn place(&self, others: &[Arc<Other>]) -> usize {
        self.which.min(others.len().saturating_sub(1))
    }

    fn part(&self) -> Part {
        if self.validation { Part::Validation } else { Part::Test }
    }

    /// Draws the tile.
    pub fn show(&mut self, shared: &mut Shared, ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
        let size = tile::font_size(ctx.presenting);
        if !ctx.run.payloads.contains_key("validation/images") {
            return empty::measured(ui, ctx, "at every validation");
        }
        shared.others.follow(ui.ctx(), ctx);
        let own = shared.others.own(ctx);
        let others = shared.others.list(ctx);
        let other = others.get(self.place(&others)).cloned();
        let (bar, rest) = tile::split(ui, size);
        self.bar(bar, shared, &others, ui, ctx);
        let part = self.part();
        if own.results.rows(part).is_empty() {
            let hint = match part {
                Part::Test => {
                    "The test set is measured once, at the end of the run, with the best weights; “validation” shows what there is before."
                }
                _ => "Nothing was recorded at this step.",
            };
            ui.scope_builder(UiBuilder::new().max_rect(rest), |ui| empty::message(ui, ctx, "No images here", hint));
            return;
        }
        match other {
            Some(other) => self.two(rest, &own, &other, shared, ui, ctx),
            None => self.one(rest, &own, shared, ui, ctx),
        }
    }

    fn bar(&mut self, rect: Rect, shared: &mut Shared, others: &[Arc<Other>], ui: &mut Ui, ctx: &ViewCtx<'_>) {
        let size = tile::font_size(ctx.presenting);
        let name =
            others.get(self.place(others)).map_or("this run alone", |other| other.results.name.as_str()).to_owned();
        let behind = match (shared.others.is_busy(), others.is_empty()) {
            (true, _) => " (reading …)",
            (false, true) => "",
            (false, false) => " is B, this run is A",
        };
        tile::named_bar(ui, rect, &name, behind, (size, ctx.style.text_weak), |ui| {
            let help = "Validation images with the weights of the timeline's step instead of test images with the best weights";
            if tile::toggle(ui, self.validation, "validation", help, size) {
                (self.validation, self.view) = (!self.validation, None);
            }
            let help = "The twin is there by itself. Choose recorded runs to compare this one with";
            tile::menu(ui, "with", help, size, |ui| shared.others.menu(ui, ctx));
            if !others.is_empty() {
                let help = format!("What is compared; the next click shows another measure. {}", self.measure.help());
                if tile::toggle(ui, false, self.measure.short(), &help, size) {
                    self.next_measure();
                }
            }
            if others.len() > 1 && tile::button(ui, true, "next run", "Compare with the next of the chosen runs", size)
            {
                (self.which, self.view) = ((self.place(others) + 1) % others.len(), None);
            }
        });
    }

    /// The means of this run alone.
    fn one(&mut self, rect: Rect, own: &Arc<Other>, shared: &Shared, ui: &mut Ui, ctx: &ViewCtx<'_>) {
        let size = tile::font_size(ctx.presenting);
        let (part, of) = (self.part(), Arc::clone(own));
        let asked = (own.number, part);
        self.means.update("means with intervals", ui.ctx(), &asked, move |_| means(&of, part));
        let rows = self.means.newest().filter(|_| self.means.is_current(&asked)).cloned().unwrap_or_default();
        let mut heads = vec!["class".to_owned(), "images".to_owned()];
        let unit = own.results.unit;
        heads.extend(SHOWN.map(|measure| measure.heading(unit)));
        heads.push("no distance".to_owned());
        let line = |(class, count, estimates): &MeanRow| {
            let mut line = vec![class_name(class.as_deref()), count.to_string()];
            line.extend(
                SHOWN.iter().zip(estimates).map(|(measure, mean)| mean.text(|value| measure.text(Some(value), unit))),
            );
            let hd95 = SHOWN.iter().position(|measure| *measure == Measure::Hd95);
            line.push(hd95.map_or(0, |at| estimates[at].undefined).to_string());
            line
        };
        let lines: Vec<Vec<String>> = rows.iter().map(line).collect();
        let of = match ctx.payload("validation/images").filter(|_| part == Part::Validation) {
            Some((step, _)) => format!("Means over the validation images at step {}", number::grouped(step)),
            None => "Means over the test images with the best weights".to_owned(),
        };
        let mut notes = vec![format!("{of}; distances in {}. {INTERVALS}.", own.results.unit.word())];
        notes.extend(shared.others.problems().into_iter().map(str::to_owned));
        table(ui, rect, "means", (&heads, &lines), &notes, ctx, size);
    }

    fn two(
        &mut self,
        rect: Rect,
        own: &Arc<Other>,
        other: &Arc<Other>,
        shared: &mut Shared,
        ui: &mut Ui,
        ctx: &ViewCtx<'_>,
    ) {
        let size = tile::font_size(ctx.presenting);
        let (part, measure) = (self.part(), self.measure);
        if let Err(problem) = check_units(&own.results, &other.results, measure) {
            ui.scope_builder(UiBuilder::new().max_rect(rect), |ui| {
                empty::message(ui, ctx, "Other units", &problem);
            });
            return;
        }
        let asked = (own.number, other.number, part, measure);
        let (a, b) = (Arc::clone(own), Arc::clone(other));
        self.found
            .update("comparison", ui.ctx(), &asked, move |_| Arc::new(compare(&a.results, &b.results, part, measure)));
        let current = self.found.is_current(&asked);
        let found = self.found.newest().filter(|_| current).cloned();
        let Some(found) = found else { return };
        if found.pairs.is_empty() {
            let hint = format!("Of the {} images none was judged in both runs: {}.", part.label(), found.left_out());
            ui.scope_builder(UiBuilder::new().max_rect(rect), |ui| {
                empty::message(ui, ctx, "No image in common", &hint);
            });
            return;
        }
        let wide = rect.width() >= 60.0 * size;
        let (scatter, words) = if wide {
            let (left, right) = rect.split_left_right_at_fraction(0.45);
            (left.with_max_x(left.right() - size), right)
        } else {
            let (top, below) = rect.split_top_bottom_at_fraction(0.52);
            (top, below.with_min_y(below.top() + 0.4 * size))
        };
        self.scatter(scatter, &found, shared, ui, ctx);
        let heads = HEADS.map(str::to_owned);
        let lines: Vec<Vec<String>> = found.lines.iter().map(cells).collect();
        let unit = if measure.rises() { String::new() } else { format!(" in {}", own.results.unit.word()) };
        let mut notes = vec![format!("{}{unit} of {} images that both have judged", measure.column(), part.label())];
        notes.extend(warnings(&own.results, &other.results, &found));
        notes.extend([INTERVALS, TESTS, CAUTION].map(str::to_owned));
        notes.extend(shared.others.problems().into_iter().map(str::to_owned));
        table(ui, words, "comparison", (&heads, &lines), &notes, ctx, size);
    }

    /// Every image as a point: this run to the right, the other one upwards.
    fn scatter(&mut self, rect: Rect, found: &Comparison, shared: &mut Shared, ui: &Ui, ctx: &ViewCtx<'_>) {
        let size = tile::font_size(ctx.presenting);
        let points: Vec<(&Pair, [f64; 2])> =
            found.pairs.iter().filter_map(|pair| Some((pair, [pair.values[0]?, pair.values[1]?]))).collect();
        if points.is_empty() || rect.width() < 40.0 || rect.height() < 40.0 {
            return;
        }
        let all = || points.iter().flat_map(|(_, at)| at.iter().copied());
        let most = if self.measure.rises() { 1.0 } else { all().fold(1.0, f64::max) };
        let bounds = self.view.unwrap_or_else(|| Bounds::new([0.0, most], [0.0, most]).padded(0.03));
        let axes = Axes::new(rect, bounds, [Scale::Linear; 2], size, 0.0);
        let id = ui.scope_id().with("both runs");
        let response = ui.interact(axes.rect, id, Sense::click_and_drag());
        let better = points.iter().filter(|(_, [a, b])| if self.measure.rises() { b > a } else { b < a }).count();
        let spoken = format!(
            "{} of {}, this run against the other: the other is better on {better}{}",
            self.measure.column(),
            number::counted(points.len(), "image", "images"),
            self.selected.as_ref().map_or_else(String::new, |image| format!("; {image} is chosen"))
        );
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, spoken.as_str()));
        zoom(ui, &response, &axes, &mut self.view);
        let style = ctx.style;
        let (painter, inside) = (ui.painter_at(rect), ui.painter_at(axes.rect));
        inside.rect_filled(axes.rect, 2.0, style.plot_background);
        axes.draw_grid(&inside, style, style.rule);
        let far = 2.0 * most.max(bounds.x[1]).max(bounds.y[1]);
        inside.line_segment([axes.at(-far, -far), axes.at(far, far)], Stroke::new(1.0, style.text_weak));
        let mut classes: Vec<&str> = points.iter().map(|(pair, _)| pair.class.as_str()).collect();
        classes.sort_unstable();
        classes.dedup();
        let radius = 0.34 * size;
        for (pair, [a, b]) in &points {
            let class = classes.binary_search(&pair.class.as_str()).unwrap_or(0);
            let (color, marker) = appearance(style, class);
            point(&inside, axes.at(*a, *b), radius, marker, color, Stroke::new(1.0, style.plot_background));
            if self.selected.as_deref() == Some(&*pair.image) {
                inside.circle_stroke(axes.at(*a, *b), 2.0 * radius, Stroke::new(1.8, style.accent));
            }
        }
        let name = self.measure.column();
        axes.draw_labels(&painter, style, &Titles { x: &format!("{name}, A: this run"), y: &format!("{name}, B") });
        let nearest = response.hover_pos().filter(|_| !response.dragged()).and_then(|pointer| {
            let distance = |at: &[f64; 2]| axes.at(at[0], at[1]).distance(pointer);
            let near = points.iter().min_by(|a, b| distance(&a.1).total_cmp(&distance(&b.1)));
            near.filter(|(_, at)| distance(at) < 2.0 * size)
        });
        let mut chosen = nearest.filter(|_| response.clicked()).map(|(pair, _)| pair.image.clone());
        if response.clicked() {
            response.request_focus();
        }
        if response.has_focus() {
            let filter = EventFilter { horizontal_arrows: true, vertical_arrows: true, ..EventFilter::default() };
            ui.memory_mut(|memory| memory.set_focus_lock_filter(id, filter));
            chosen = chosen.or_else(|| self.stepped(&points, ui));
        }
        if let Some(image) = chosen {
            if let Some(at) = shared.gallery.cards.iter().position(|card| card.name == image) {
                shared.selected = at;
            }
            self.selected = Some(image);
        }
        if let Some((pair, [a, b])) = nearest {
            let says = format!(
                "{}{}\nA {}, B {}, B − A {}",
                pair.image,
                if pair.class.is_empty() { String::new() } else { format!(", {}", pair.class) },
                number::short(*a),
                number::short(*b),
                number::signed(b - a)
            );
            response.on_hover_text_at_pointer(says);
        }
    }

    /// The image that an arrow key leads to, in the order of the differences.
    fn stepped(&self, points: &[(&Pair, [f64; 2])], ui: &Ui) -> Option<String> {
        let by = ui.input(|input| {
            let pressed = |keys: [Key; 2]| keys.iter().any(|key| input.key_pressed(*key));
            i64::from(pressed([Key::ArrowRight, Key::ArrowDown])) - i64::from(pressed([Key::ArrowLeft, Key::ArrowUp]))
        });
        if by == 0 {
            return None;
        }
        let mut order: Vec<usize> = (0..points.len()).collect();
        let difference = |i: &usize| points[*i].1[1] - points[*i].1[0];
        order.sort_by(|a, b| difference(a).total_cmp(&difference(b)));
        let at = order.iter().position(|i| Some(&points[*i].0.image) == self.selected.as_ref());
        let to = at.map_or(0, |at| (at as i64 + by).clamp(0, order.len() as i64 - 1) as usize);
        Some(points[order[to]].0.image.clone())
    }
}

/// Means of all images, and class by class where there are several.
fn means(own: &Other, part: Part) -> Vec<MeanRow> {
    let rows = own.results.rows(part);
    let classes = super::scores::classes(rows);
    let several = if classes.len() > 1 { classes } else { Vec::new() };
    let of = |class: Option<String>| {
        let of_class = || rows.iter().filter(|row| class.as_ref().is_none_or(|class| row.class == *class));
        let mean = |measure: &Measure| {
            Estimate::of(of_class().map(|row| (row.value(*measure), own.results.group(&row.image))))
        };
        (class.clone(), of_class().count(), SHOWN.iter().map(mean).collect())
    };
    std::iter::once(None).chain(several.into_iter().map(Some)).map(of).collect()
}

fn class_name(class: Option<&str>) -> String {
    match class {
        None => "all",
        Some("") => "no class",
        Some(class) => class,
    }
    .to_owned()
}

/// A table with notes below it, to be scrolled where it is larger.
fn table(
    ui: &mut Ui,
    rect: Rect,
    name: &str,
    (heads, lines): (&[String], &[Vec<String>]),
    notes: &[String],
    ctx: &ViewCtx<'_>,
    size: f32,
) {
    if !rect.is_positive() {
        return;
    }
    ui.scope_builder(UiBuilder::new().max_rect(rect), |ui| {
        ui.shrink_clip_rect(rect);
        ScrollArea::vertical().id_salt(("compare", name)).auto_shrink(false).show(ui, |ui| {
            ScrollArea::horizontal().id_salt(("compare table", name)).show(ui, |ui| {
                Grid::new(("compare grid", name))
                    .spacing(vec2(1.1 * size, 0.35 * size))
                    .min_row_height(1.4 * size)
                    .min_col_width(0.0)
                    .show(ui, |ui| {
                        for head in heads {
                            ui.label(tile::weak(head, size, ctx.style));
                        }
                        ui.end_row();
                        for line in lines {
                            for (k, cell) in line.iter().enumerate() {
                                let text = match k {
                                    0 => RichText::new(cell).size(size + 0.5).color(ctx.style.text),
                                    _ => tile::mono(cell, size, ctx.style),
                                };
                                ui.label(text);
                            }
                            ui.end_row();
                        }
                    });
            });
            ui.add_space(0.5 * size);
            for note in notes {
                ui.add(Label::new(tile::weak(note, size, ctx.style)).wrap());
            }
        });
    });
}
