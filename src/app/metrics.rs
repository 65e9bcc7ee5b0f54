//! Any recorded number of any lab against the step (Ctrl+M): choose keys, compare them in one plot.

use std::collections::BTreeSet;

use eframe::egui::{self, RichText, ScrollArea, TextEdit, vec2};
use egui_plot::{Legend, Line, LineStyle, Plot, PlotPoints, VLine};

use super::session::Session;
use super::theme;
use crate::engine::event::KeySpec;
use crate::engine::state::{History, RunState};
use crate::plot::number;
use crate::plot::style::{Dash, Style};

/// Most points of one line; more are merged to lowest and highest, which no screen can tell apart.
const POINTS: usize = 2_000;
/// How many times larger than the others the largest value of a curve is that would flatten them.
const FLAT: f64 = 1e4;
/// Keys that are shown at first.
const AT_FIRST: usize = 8;

/// State of the metrics window.
#[derive(Debug, Default)]
pub struct Metrics {
    pub open: bool,
    filter: String,
    shown: BTreeSet<String>,
    /// Chosen by the user; else where the values ask for it.
    log: Option<bool>,
}

pub fn show(metrics: &mut Metrics, session: &Session, style: &Style, ctx: &egui::Context) {
    if !metrics.open {
        return;
    }
    let run = &session.run;
    if !metrics.shown.iter().any(|key| run.scalars.contains_key(key.as_str())) {
        // The first family, e.g. f(x, y) of every optimizer.
        let family = |key: &str| key.rsplit_once('/').map_or(key.to_owned(), |(family, _)| family.to_owned());
        let first = run.scalars.keys().next().map(|key| family(key));
        let same = run.scalars.keys().filter(|key| Some(family(key)) == first);
        metrics.shown = same.take(AT_FIRST).map(|key| key.to_string()).collect();
    }
    let mut open = true;
    egui::Window::new("Metrics")
        .id(egui::Id::unique("Metrics"))
        .open(&mut open)
        .title_frame(theme::window_title(style))
        .default_size(vec2(840.0, 460.0))
        .min_size(vec2(420.0, 260.0))
        .show(ctx, |ui| {
            if run.scalars.is_empty() {
                ui.label(
                    RichText::new("No numbers yet: start a run, and everything that it measures is listed here.")
                        .weak(),
                );
                return;
            }
            ui.horizontal_top(|ui| {
                ui.vertical(|ui| {
                    ui.set_width(200.0);
                    list(metrics, run, ui);
                });
                ui.vertical(|ui| plot(metrics, session, style, ui));
            });
        });
    metrics.open = open;
}

/// The keys that can be chosen, with their newest values.
fn list(metrics: &mut Metrics, run: &RunState, ui: &mut egui::Ui) {
    let hint = ui.add(TextEdit::singleline(&mut metrics.filter).hint_text("filter").desired_width(190.0));
    hint.widget_info(|| egui::WidgetInfo::labeled(egui::accesskit::Role::TextInput, true, "Filter of the metrics"));
    ui.horizontal(|ui| {
        let mut log = metrics.is_log(run);
        if ui.checkbox(&mut log, "log").on_hover_text("Logarithm to base 10 of the absolute value").changed() {
            metrics.log = Some(log);
        }
        if ui.button("none").on_hover_text("Hide all").clicked() {
            // One that is never there keeps the first family from coming back.
            metrics.shown = run.scalars.keys().next().map(|key| key.to_string()).into_iter().collect();
        }
    });
    ScrollArea::vertical().auto_shrink([false; 2]).show(ui, |ui| {
        for (key, history) in run.scalars.iter().filter(|(key, _)| key.contains(metrics.filter.trim())) {
            let mut on = metrics.shown.contains(&**key);
            let last = history.last().map_or(f64::NAN, |(_, value)| value);
            if ui.checkbox(&mut on, &**key).on_hover_text(format!("newest: {}", number::short(last))).changed() {
                if on {
                    metrics.shown.insert(key.to_string());
                } else {
                    metrics.shown.remove(&**key);
                }
            }
        }
    });
}

impl Metrics {
    /// Whether logarithms are drawn: at first where one curve would flatten all others.
    fn is_log(&self, run: &RunState) -> bool {
        self.log.unwrap_or_else(|| {
            let shown = run.scalars.iter().filter(|(key, _)| self.shown.contains(&***key));
            let largest = |history: &History| {
                let sizes = history.points().map(|(_, value)| value.abs()).filter(|size| size.is_finite());
                sizes.fold(0.0, f64::max)
            };
            let sizes: Vec<f64> = shown.map(|(_, history)| largest(history)).filter(|size| *size > 0.0).collect();
            let (low, high) = sizes.iter().fold((f64::INFINITY, 0.0_f64), |(low, high), v| (low.min(*v), high.max(*v)));
            high > FLAT * low
        })
    }
}

fn plot(metrics: &Metrics, session: &Session, style: &Style, ui: &mut egui::Ui) {
    let (run, keys, log) = (&session.run, session.lab.spec.keys, metrics.is_log(&session.run));
    let units: BTreeSet<&str> = metrics
        .shown
        .iter()
        .filter_map(|key| KeySpec::find(keys, key))
        .map(|spec| Some((session.lab.spec.unit)(run, spec)).filter(|unit| !unit.is_empty()).unwrap_or(spec.title))
        .collect();
    let mut label = units.into_iter().collect::<Vec<_>>().join(", ");
    if log {
        label = format!("log₁₀ |{label}|");
    }
    Plot::new("metrics")
        .legend(Legend::default())
        .x_axis_label("step")
        .y_axis_label(label)
        .y_axis_formatter(|mark, _| number::short(mark.value))
        .show(ui, |plot| {
            for (index, (key, history)) in
                run.scalars.iter().filter(|(key, _)| metrics.shown.contains(&***key)).enumerate()
            {
                let own = session.view.category(key, style);
                let category = own.unwrap_or_else(|| style.category(index));
                let dash = match category.dash {
                    Dash::Solid => LineStyle::Solid,
                    Dash::Dashed => LineStyle::dashed_loose(),
                    Dash::Dotted => LineStyle::dotted_dense(),
                    Dash::DashDot => LineStyle::dashed_dense(),
                };
                let points = PlotPoints::from(points(history, log));
                plot.line(Line::new(&**key, points).color(category.color).style(dash).width(1.8));
            }
            plot.vline(VLine::new("cursor", session.play.cursor.step as f64).color(style.accent));
        });
}

/// At most [`POINTS`] points, lowest and highest of each stretch; what is not finite is left out.
fn points(history: &History, log: bool) -> Vec<[f64; 2]> {
    let scaled = |value: f64| if log { value.abs().log10() } else { value };
    let all: Vec<[f64; 2]> =
        history.points().map(|(step, value)| [step as f64, scaled(value)]).filter(|[_, y]| y.is_finite()).collect();
    if all.len() <= POINTS {
        return all;
    }
    all.chunks(all.len().div_ceil(POINTS / 2))
        .flat_map(|stretch| {
            let by_value = |a: &&[f64; 2], b: &&[f64; 2]| a[1].total_cmp(&b[1]);
            let low = stretch.iter().min_by(by_value).copied();
            let high = stretch.iter().max_by(by_value).copied();
            let mut pair: Vec<[f64; 2]> = low.into_iter().chain(high).collect();
            pair.sort_by(|a, b| a[0].total_cmp(&b[0]));
            pair
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_history_is_thinned_and_keeps_its_extremes() {
        let mut history = History::default();
        (0..50_000u64).for_each(|step| history.push(step, if step == 31_234 { 99.0 } else { (step % 7) as f64 }));
        let kept = points(&history, false);
        assert!(kept.len() <= POINTS);
        assert!(kept.contains(&[31_234.0, 99.0]));
        assert!(kept.is_sorted_by(|a, b| a[0] <= b[0]));
    }

    #[test]
    fn a_logarithm_leaves_out_zero() {
        let mut history = History::default();
        [0.0, 10.0, -100.0, f64::NAN].into_iter().enumerate().for_each(|(i, v)| history.push(i as u64, v));
        assert_eq!(points(&history, true), [[1.0, 1.0], [2.0, 2.0]]);
    }
}
