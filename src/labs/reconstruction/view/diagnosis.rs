//! How well pictures are told apart at the step of the timeline: ROC curve, confusion, intervals, hospital by hospital.

use std::sync::Arc;

use eframe::egui::accesskit::Role;
use eframe::egui::{Align2, FontId, Galley, Rect, Sense, Shape, Stroke, Ui, WidgetInfo, pos2, vec2};

use crate::engine::twin::TWIN;
use crate::kit::empty;
use crate::kit::fields::Fields;
use crate::kit::tiles::{Tile, TileCommand, TileSpec};
use crate::kit::view::ViewCtx;
use crate::metrics::detection::{Counts, GradeTable, RocPoint, auc, roc, wilson_95};
use crate::plot::axes::{Axes, Bounds, Titles};
use crate::plot::scale::Scale;
use crate::plot::style::Style;
use crate::plot::{number, tile};

use super::super::compare::Reported;
use super::ReconstructionView;
use super::pictures::{Answer, Named, answers, named};

/// The tile.
pub static TILE: Tile<ReconstructionView> = Tile {
    spec: TileSpec {
        id: "diagnosis",
        title: "ROC and confusion",
        help: "The ROC curve of test pictures at the timeline's step, calls at probability 0.5 with the 95 % interval of their accuracy \
               (Wilson), and the same for each hospital. Drag along the curve to move the threshold of the table.",
        area: "answers",
        follows_cursor: true,
    },
    show: |view, ui, ctx| view.diagnosis.show(ui, ctx),
    commands: &[
        TileCommand {
            id: "diagnosis-part",
            title: "ROC and confusion: validation or test pictures",
            run: |view, _, _| view.diagnosis.validation ^= true,
        },
        TileCommand {
            id: "diagnosis-half",
            title: "ROC and confusion: threshold back to 0.5",
            run: |view, _, _| view.diagnosis.threshold = None,
        },
    ],
};

/// View state.
#[derive(Debug, Default)]
pub struct Diagnosis {
    validation: bool,
    /// Chosen by the user; 0.5 otherwise.
    threshold: Option<f64>,
}

/// A row of the table: whose pictures, and how they were called.
struct Group {
    name: String,
    counts: Counts,
    auc: Option<f64>,
}

/// Pictures with grades, and what was said of them.
struct Judged {
    truth: Vec<bool>,
    scores: Vec<f64>,
    hospitals: Vec<String>,
    grades: Option<(Vec<usize>, Vec<usize>)>,
}

impl Judged {
    fn of(names: &[Named], answers: &[Answer]) -> Self {
        let known: Vec<(&Named, &Answer)> =
            names.iter().zip(answers).filter(|(named, _)| named.grade.is_some()).collect();
        let grade = |named: &Named| usize::from(named.grade.unwrap_or_default());
        let given: Option<Vec<usize>> = known.iter().map(|(_, answer)| answer.grade).collect();
        Self {
            truth: known.iter().map(|(named, _)| grade(named) > 0).collect(),
            scores: known.iter().map(|(_, answer)| answer.probability).collect(),
            hospitals: known.iter().map(|(named, _)| named.hospital.clone()).collect(),
            grades: given.map(|given| (known.iter().map(|(named, _)| grade(named)).collect(), given)),
        }
    }

    fn group(&self, name: &str, within: impl Fn(&str) -> bool, threshold: f64) -> Group {
        let of: Vec<usize> = (0..self.truth.len()).filter(|&i| within(&self.hospitals[i])).collect();
        let scores: Vec<f64> = of.iter().map(|&i| self.scores[i]).collect();
        let truth: Vec<bool> = of.iter().map(|&i| self.truth[i]).collect();
        Group { name: name.to_owned(), counts: Counts::of(&scores, &truth, threshold), auc: auc(&scores, &truth) }
    }
}

impl Diagnosis {
    /// What of it belongs to a scene.
    pub fn fields(&mut self, fields: &mut Fields) {
        fields.value("validation", &mut self.validation, false);
        let write = |at: &Option<f64>| at.as_ref().map(f64::to_string).unwrap_or_default();
        let read = |text: &str| text.parse().ok().filter(|v| (0.0..=1.0).contains(v)).map(Some);
        fields.text("threshold", &mut self.threshold, None, write, read);
    }

    fn show(&mut self, ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
        let part = if self.validation { "validation" } else { "test" };
        let Some((step, given)) = answers(ctx, &format!("scores/{part}")) else {
            return empty::measured(
                ui,
                ctx,
                "before training and then every so many steps (parameter `validate_every`)",
            );
        };
        let judged = Judged::of(&named(ctx, &format!("names/{part}")), &given);
        let twin = answers(ctx, &format!("{TWIN}scores/{part}"))
            .map(|(_, given)| Judged::of(&named(ctx, &format!("names/{part}")), &given));
        let unseen = (!self.validation)
            .then(|| answers(ctx, "scores/unseen"))
            .flatten()
            .map(|(_, given)| Judged::of(&named(ctx, "names/unseen"), &given));
        let threshold = self.threshold.unwrap_or(0.5);
        let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
        let (bar, rest) = tile::split(ui, size);
        let about = format!("{} {part} pictures, step {}", judged.truth.len(), number::grouped(step));
        tile::bar(ui, bar, tile::weak(about, size, style), |ui| {
            let help = "Calls every picture ill whose probability is at least 0.5";
            if tile::button(ui, self.threshold.is_some(), "0.5", help, size) {
                self.threshold = None;
            }
            if tile::toggle(
                ui,
                self.validation,
                "validation",
                "Pictures to choose by in place of those to judge by",
                size,
            ) {
                self.validation = !self.validation;
            }
        });
        let mut groups = vec![judged.group("all", |_| true, threshold)];
        let mut hospitals: Vec<&String> = judged.hospitals.iter().collect();
        hospitals.sort_unstable();
        hospitals.dedup();
        groups.extend(hospitals.iter().map(|name| judged.group(name, |hospital| hospital == name.as_str(), threshold)));
        if let Some(unseen) = &unseen {
            let hospital = unseen.hospitals.first().map_or("", String::as_str);
            groups.push(unseen.group(&format!("{hospital} (unseen)"), |_| true, threshold));
        }
        let chosen = if self.validation { None } else { reported(judged.truth.len(), ctx) };
        let wide = rest.width() > 1.7 * rest.height();
        let below = said(&groups[0].counts, kappa(&judged), chosen);
        let width = if wide { 0.5 * rest.width() } else { rest.width() };
        let below = ui.painter().layout(below, FontId::proportional(size), style.text_weak, width);
        let table = (1.5 * size * (groups.len() as f32 + 1.6) + below.size().y).min(0.7 * rest.height());
        let (curve, text) = if wide {
            let half = rest.left() + 0.5 * rest.width();
            (
                Rect::from_min_max(rest.min, pos2(half - size, rest.bottom())),
                Rect::from_min_max(pos2(half, rest.top()), rest.max),
            )
        } else {
            let split = rest.bottom() - table;
            (
                Rect::from_min_max(rest.min, pos2(rest.right(), split)),
                Rect::from_min_max(pos2(rest.left(), split), rest.max),
            )
        };
        self.curve(&judged, twin.as_ref(), curve, ui, ctx);
        write_table(&groups, below, threshold, text, ui, style, size);
    }

    fn curve(&mut self, judged: &Judged, twin: Option<&Judged>, outer: Rect, ui: &Ui, ctx: &ViewCtx<'_>) {
        let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
        if outer.width() < 6.0 * size || outer.height() < 6.0 * size {
            return;
        }
        let Some(points) = roc(&judged.scores, &judged.truth) else {
            let painter = ui.painter_at(outer);
            let text = "one class alone: there is no curve";
            painter.text(outer.center(), Align2::CENTER_CENTER, text, FontId::proportional(size), style.text_weak);
            return;
        };
        let axes = Axes::new(outer, Bounds::new([0.0, 1.0], [0.0, 1.0]), [Scale::Linear; 2], size, 0.8 * size);
        let response = ui.interact(axes.rect, ui.scope_id().with("roc"), Sense::click_and_drag());
        let area = auc(&judged.scores, &judged.truth).unwrap_or(0.5);
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, format!("ROC curve, area {area:.3}")));
        let (painter, inside) = (ui.painter_at(outer), ui.painter_at(axes.rect.expand(1.0)));
        inside.rect_filled(axes.rect, 2.0, style.plot_background);
        axes.draw_grid(&inside, style, style.rule.gamma_multiply(0.6));
        inside.line_segment([axes.at(0.0, 0.0), axes.at(1.0, 1.0)], Stroke::new(1.0, style.rule));
        let line = |points: &[RocPoint]| {
            points.iter().map(|p| axes.at(p.false_positive_rate, p.true_positive_rate)).collect::<Vec<_>>()
        };
        let color = style.category(0).color;
        if let Some(points) = twin.and_then(|twin| roc(&twin.scores, &twin.truth)) {
            inside.extend(Shape::dashed_line(
                &line(&points),
                Stroke::new(1.6, color.gamma_multiply(0.8)),
                0.5 * size,
                0.35 * size,
            ));
        }
        inside.add(Shape::line(line(&points), Stroke::new(2.0, color)));
        if let Some(at) = response.interact_pointer_pos().filter(|_| response.dragged() || response.clicked()) {
            let nearest = points.iter().skip(1).min_by(|a, b| {
                let far = |p: &RocPoint| axes.at(p.false_positive_rate, p.true_positive_rate).distance_sq(at);
                far(a).total_cmp(&far(b))
            });
            self.threshold = nearest.map(|point| point.threshold);
        }
        let counts = Counts::of(&judged.scores, &judged.truth, self.threshold.unwrap_or(0.5));
        if let (Some(found), Some(kept)) = (counts.sensitivity(), counts.specificity()) {
            let at = axes.at(1.0 - kept, found);
            inside.circle(at, 0.35 * size, color, Stroke::new(1.5, style.text));
        }
        axes.draw_labels(&painter, style, &Titles { x: "1 − specificity", y: "sensitivity" });
        let corner = axes.rect.right_bottom() - vec2(0.6 * size, 0.5 * size);
        inside.text(corner, Align2::RIGHT_BOTTOM, format!("AUC {area:.3}"), FontId::monospace(size + 1.0), style.text);
    }
}

/// Quadratic kappa of grades and their table.
fn kappa(judged: &Judged) -> Option<f64> {
    let (truth, given) = judged.grades.as_ref()?;
    GradeTable::of(truth, given, 4).quadratic_kappa()
}

/// What the accuracy at 0.5 is by the choice of the step, in pictures of so many: at the best one for the test set itself, at the
/// one that validation chooses, and now.
fn reported(count: usize, ctx: &ViewCtx<'_>) -> Option<String> {
    let Reported { best, chosen, last } = Reported::until(ctx.run, ctx.cursor.step)?;
    let pictures = |share: f64| (share * count as f64).round() as usize;
    let at = |(step, share): (u64, f64)| format!("{} (step {})", pictures(share), number::grouped(step));
    let chosen = chosen.map_or_else(String::new, |chosen| format!(", {} where validation is best", at(chosen)));
    Some(format!("right at 0.5, of {count}: {} at best{chosen}, {} now", at(best), pictures(last.1)))
}

/// What stands below the table.
fn said(all: &Counts, kappa: Option<f64>, chosen: Option<String>) -> String {
    let kappa = kappa.map_or_else(String::new, |kappa| format!("; kappa of grades {kappa:.3}"));
    let chosen = chosen.map_or_else(String::new, |chosen| format!("\n{chosen}"));
    format!(
        "called ill: {} ill, {} healthy; called healthy: {} ill, {} healthy{kappa}{chosen}",
        all.true_positives, all.false_positives, all.false_negatives, all.true_negatives
    )
}

fn write_table(groups: &[Group], below: Arc<Galley>, threshold: f64, rect: Rect, ui: &Ui, style: &Style, size: f32) {
    let painter = ui.painter_at(rect);
    let (mono, words) = (FontId::monospace(size), FontId::proportional(size));
    let line = ((rect.height() - below.size().y) / (groups.len() as f32 + 1.6)).clamp(size, 1.5 * size);
    // Head and width in characters; where there is no room for all, sensitivity and specificity are for the curve to show.
    const COLUMNS: [(&str, f32); 5] = [("right", 6.0), ("95 %", 11.0), ("sens.", 6.0), ("spec.", 6.0), ("AUC", 6.0)];
    let first = 7.8 * size;
    let room = (rect.width() - first) / (0.62 * size);
    let all: f32 = COLUMNS.iter().map(|(_, width)| width).sum();
    let shown: Vec<usize> = if room < all { vec![0, 1, 4] } else { (0..COLUMNS.len()).collect() };
    let used: f32 = shown.iter().map(|&column| COLUMNS[column].1).sum();
    let place = |column: usize| {
        let until: f32 = shown.iter().filter(|&&other| other <= column).map(|&other| COLUMNS[other].1).sum();
        rect.left() + first + (rect.width() - first) * until / used
    };
    let mut y = rect.top() + 0.4 * size;
    let title = format!("ill from {}", number::short(threshold));
    painter.text(pos2(rect.left(), y), Align2::LEFT_TOP, title, words.clone(), style.text_weak);
    for &column in &shown {
        painter.text(pos2(place(column), y), Align2::RIGHT_TOP, COLUMNS[column].0, words.clone(), style.text_weak);
    }
    let share = |value: Option<f64>| value.map_or_else(|| "—".to_owned(), |value| format!("{value:.3}"));
    for group in groups {
        y += line;
        let all = group.counts.all();
        painter.text(
            pos2(rect.left(), y),
            Align2::LEFT_TOP,
            format!("{} ({all})", group.name),
            words.clone(),
            style.text,
        );
        let interval = wilson_95(group.counts.right(), all);
        let interval = interval.map_or_else(|| "—".to_owned(), |[low, high]| format!("{low:.2}–{high:.2}"));
        let cells = [
            share(group.counts.accuracy()),
            interval,
            share(group.counts.sensitivity()),
            share(group.counts.specificity()),
            share(group.auc),
        ];
        for &column in &shown {
            painter.text(pos2(place(column), y), Align2::RIGHT_TOP, &cells[column], mono.clone(), style.text);
        }
    }
    painter.galley(pos2(rect.left(), y + 1.15 * line), below, style.text_weak);
}
