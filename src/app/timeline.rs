//! The timeline: transport buttons, the scrub bar with its marks, sub-steps and speed.

use eframe::egui::{self, Align, DragValue, Layout, Rect, RichText, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};

use super::act::{Act, Focus, Region};
use super::playback::SPEEDS;
use super::session::Session;
use super::widgets::{Icon, icon_button, timeline_id};
use super::{actions, theme};
use crate::engine::state::MarkKind;
use crate::plot::number;
use crate::plot::style::Style;

pub fn show(session: &Session, focus: &mut Focus, ui: &mut Ui, style: &Style, acts: &mut Vec<Act>) {
    let parts = session.sub_steps(style);
    let play = &session.play;
    let planned = session.planned_steps();
    let has_run = session.run.header.is_some();
    let following_training = session.training() && play.follow;
    ui.horizontal_centered(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        let mut button = |ui: &mut Ui, icon, act: Act, on: bool| {
            let color = if on { style.accent } else { style.text };
            let label = actions::hint(ui.ctx(), &act);
            if ui.add_enabled_ui(has_run, |ui| icon_button(ui, icon, &label, color)).inner.clicked() {
                acts.push(act);
            }
        };
        button(ui, Icon::ToStart, Act::Seek(0), false);
        button(ui, Icon::StepBack, Act::Move(-1), false);
        let moving = play.playing && play.cursor.step < planned || following_training;
        button(ui, if moving { Icon::Pause } else { Icon::Play }, Act::Play, false);
        button(ui, Icon::StepForward, Act::Move(1), false);
        button(ui, Icon::ToEnd, Act::Seek(u64::MAX), false);
        button(ui, Icon::Follow, Act::Follow, play.follow);
        ui.add_space(8.0);
        // As wide as the longest number of this run, so that the bar does not jump.
        let width = number::grouped(planned).chars().count();
        number_label(ui, &format!("{:>width$}", number::grouped(play.cursor.step)), style.text);
        ui.add_space(8.0);

        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.spacing_mut().item_spacing.x = 4.0;
            speed(play.speed, ui, style, acts);
            // Past the last update there is none to take apart; the track stays as long as it is.
            if parts > 0 || session.has_parts(style) {
                ui.add_space(8.0);
                let mut sub = |ui: &mut Ui, icon, act: Act| {
                    let label = actions::hint(ui.ctx(), &act);
                    if icon_button(ui, icon, &label, style.text).clicked() {
                        acts.push(act);
                    }
                };
                sub(ui, Icon::SubForward, Act::Part { forward: true });
                number_label(ui, &format!("part {} / {parts}", play.cursor.sub), style.text_weak);
                sub(ui, Icon::SubBack, Act::Part { forward: false });
            }
            ui.add_space(8.0);
            number_label(ui, &number::grouped(planned), style.text_weak);
            ui.add_space(8.0);
            let size = vec2(ui.available_width().max(40.0), 40.0);
            bar(session, focus, ui, size, style, acts);
        });
    });
}

fn number_label(ui: &mut Ui, text: &str, color: egui::Color32) {
    ui.label(RichText::new(text).monospace().color(color));
}

fn speed(now: f64, ui: &mut Ui, style: &Style, acts: &mut Vec<Act>) {
    let mut speed = now;
    ui.label(RichText::new("speed").color(style.text_weak));
    let step = speed * 0.02;
    let drag = DragValue::new(&mut speed)
        .range(SPEEDS.0..=SPEEDS.1)
        .speed(step)
        .suffix("×")
        .update_while_editing(false)
        .custom_parser(|text| number::parse(text.trim_end_matches('×')).ok())
        .custom_formatter(|v, _| if v < 10.0 { format!("{v:.1}") } else { format!("{v:.0}") });
    let response = ui.add_sized(vec2(56.0, 24.0), drag).accessible_name("Playback speed");
    response.on_hover_text(actions::hint(ui.ctx(), &Act::ChangeSpeed { faster: true }));
    if speed != now {
        acts.push(Act::Speed(speed));
    }
}

/// The scrub bar itself.
fn bar(session: &Session, focus: &mut Focus, ui: &mut Ui, size: egui::Vec2, style: &Style, acts: &mut Vec<Act>) {
    let (planned, computed, mut at) = (session.planned_steps(), session.run.step, session.play.cursor.step);
    let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
    let response = ui.interact(rect, timeline_id(), Sense::click_and_drag());
    response.widget_info(|| WidgetInfo::slider(planned > 0, at as f64, "Timeline"));
    if focus.take(Region::Timeline) {
        response.request_focus();
    }
    if response.has_focus() {
        // The arrow keys move the cursor of time, not the focus.
        let filter = egui::EventFilter { horizontal_arrows: true, ..egui::EventFilter::default() };
        ui.memory_mut(|memory| memory.set_focus_lock_filter(timeline_id(), filter));
    }
    let track = Rect::from_center_size(rect.center(), vec2(rect.width() - 16.0, 4.0));
    let x_of = |step: u64| track.left() + track.width() * (step as f32 / planned.max(1) as f32);
    if let Some(pointer) = response.interact_pointer_pos()
        && planned > 0
        && (response.dragged() || response.clicked())
    {
        let part = ((pointer.x - track.left()) / track.width()).clamp(0.0, 1.0);
        let step = (f64::from(part) * planned as f64).round() as u64;
        // A click close to a mark means the mark.
        let moments = session.moments().iter().filter_map(|moment| moment.step);
        let marks = session.run.marks.iter().map(|mark| mark.step).chain(moments);
        let near = marks.min_by_key(|mark| mark.abs_diff(step));
        let near = near.filter(|mark| response.clicked() && (x_of(*mark) - pointer.x).abs() < 6.0);
        let to = near.unwrap_or(step);
        acts.push(Act::Seek(to));
        at = to.min(computed);
    }
    if !ui.is_rect_visible(rect) {
        return;
    }
    let painter = ui.painter();
    painter.rect_filled(track, 2.0, theme::shade(style, 0.12));
    painter.rect_filled(track.with_max_x(x_of(computed)), 2.0, theme::shade(style, 0.28));
    painter.rect_filled(track.with_max_x(x_of(at)), 2.0, style.accent);
    for mark in &session.run.marks {
        let x = x_of(mark.step);
        draw_mark(painter, pos2(x, track.center().y), mark.kind, style);
    }
    for change in &session.changes {
        draw_mark(painter, pos2(x_of(change.step), track.center().y), MarkKind::Changed, style);
    }
    for (moment, at) in session.moments().iter().filter_map(|moment| Some((moment, moment.step?))) {
        let color = style.category(moment.category).color;
        painter.circle(pos2(x_of(at), track.center().y - 10.0), 3.5, color, Stroke::new(1.0, theme::panel_fill(style)));
    }
    let handle = pos2(x_of(at), track.center().y);
    let radius = if response.hovered() || response.dragged() { 8.0 } else { 7.0 };
    painter.circle(
        handle,
        radius,
        if style.dark { style.text } else { style.plot_background },
        Stroke::new(2.0, style.accent),
    );
    if response.has_focus() {
        painter.rect_stroke(rect, 6.0, Stroke::new(1.0, style.accent), egui::StrokeKind::Inside);
    }
    if let Some(pointer) = response.hover_pos() {
        tooltip(&response, pointer.x, session, x_of, track);
    }
}

fn draw_mark(painter: &egui::Painter, at: egui::Pos2, kind: MarkKind, style: &Style) {
    match kind {
        MarkKind::Changed => {
            painter.line_segment([at - vec2(0.0, 9.0), at + vec2(0.0, 9.0)], Stroke::new(2.0, style.live));
        }
        MarkKind::Checkpoint => {
            let d = |x: f32, y: f32| at + vec2(x, y) + vec2(0.0, 10.0);
            let points = vec![d(0.0, -4.0), d(4.0, 0.0), d(0.0, 4.0), d(-4.0, 0.0)];
            painter.add(egui::Shape::convex_polygon(points, style.good, Stroke::NONE));
        }
        MarkKind::Warning => {
            let d = |x: f32, y: f32| at + vec2(x, y) - vec2(0.0, 12.0);
            let points = vec![d(-4.5, 4.0), d(0.0, -4.0), d(4.5, 4.0)];
            painter.add(egui::Shape::convex_polygon(points, style.warning, Stroke::NONE));
        }
    }
}

/// The step under the pointer, and what is marked there.
fn tooltip(response: &egui::Response, x: f32, session: &Session, x_of: impl Fn(u64) -> f32, track: Rect) {
    let part = ((x - track.left()) / track.width()).clamp(0.0, 1.0);
    let step = (f64::from(part) * session.planned_steps() as f64).round() as u64;
    let near = |at: &u64| (x_of(*at) - x).abs() < 6.0;
    let marks = session.run.marks.iter().filter(|mark| near(&mark.step)).map(|mark| (mark.step, mark.text.as_str()));
    let moments = session.moments().iter().filter_map(|moment| Some((moment.step?, moment.text.as_str())));
    let lines: Vec<String> = marks
        .chain(moments.filter(|(at, _)| near(at)))
        .take(8)
        .map(|(at, text)| format!("step {}: {text}", number::grouped(at)))
        .collect();
    response.show_tooltip_ui(|ui| {
        if lines.is_empty() {
            ui.label(RichText::new(format!("step {}", number::grouped(step))).monospace());
        }
        for line in lines {
            ui.label(line);
        }
    });
}
