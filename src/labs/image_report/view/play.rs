//! The tile "Play": a figure whose findings are dragged, or an image of one's own, and a report that is edited; the network answers at
//! once. It lives on a thread of its own.

pub mod judged;
mod setting;

use std::path::PathBuf;
use std::sync::Arc;

use eframe::egui::accesskit::Role;
use eframe::egui::{
    Align2, Context, CursorIcon, DragValue, FontId, Label, PointerButton, Rect, Response, RichText, ScrollArea, Sense,
    Stroke, StrokeKind, TextEdit, Ui, UiBuilder, WidgetInfo, pos2, vec2,
};

use crate::data::synth::chest::{self, Kind};
use crate::engine::event::Payload;
use crate::kit::empty;
use crate::kit::tiles::{Tile, TileCommand, TileSpec};
use crate::kit::view::ViewCtx;
use crate::kit::wall::Pictures;
use crate::labs::image_report::predict::player::{Answer, Asked, Player, Report};
use crate::plot::path_dialog::{PathDialog, Question, Wanted};
use crate::plot::style::Style;
use crate::plot::tile;

use super::ImageReportView;
use super::predict::note;
use setting::{Setting, in_words};

/// The tile.
pub static TILE: Tile<ImageReportView> = Tile {
    spec: TileSpec {
        id: "play",
        title: "Play",
        help: "Edit the report, or drag a finding on the figure: the newest weights of the shown run answer at once. A click on a finding \
               or the wheel changes how much there is of it, the other mouse button takes it away. Point at a word to see where it looks. \
               Figures are schemes, not radiographs; Learnscope is no medical device.",
        area: "large",
        follows_cursor: false,
    },
    show: |view, ui, ctx| view.play.show(ui, ctx),
    commands: &[
        TileCommand {
            id: "play-tell",
            title: "Play: the report as the figure says",
            run: |view, _, _| view.play.setting.tell(),
        },
        TileCommand { id: "play-undo", title: "Play: undo", run: |view, _, _| view.play.setting.undo() },
        TileCommand {
            id: "play-reset",
            title: "Play: the study as it was",
            run: |view, _, _| view.play.setting.reset(),
        },
        TileCommand { id: "play-next", title: "Play: next study", run: |view, _, _| view.play.other(1) },
        TileCommand { id: "play-previous", title: "Play: previous study", run: |view, _, _| view.play.other(-1) },
        TileCommand { id: "play-image", title: "Play: choose an image", run: |view, _, egui| view.play.ask(egui) },
        TileCommand {
            id: "play-figure",
            title: "Play: back to the figure",
            run: |view, _, _| view.play.setting.look_at(None),
        },
        TileCommand {
            id: "play-cardiomegaly",
            title: "Play: cardiomegaly, add or take away",
            run: |view, _, _| view.play.toggle(Kind::Cardiomegaly),
        },
        TileCommand {
            id: "play-effusion",
            title: "Play: pleural effusion, add or take away",
            run: |view, _, _| view.play.toggle(Kind::Effusion),
        },
        TileCommand {
            id: "play-pneumothorax",
            title: "Play: pneumothorax, add or take away",
            run: |view, _, _| view.play.toggle(Kind::Pneumothorax),
        },
        TileCommand {
            id: "play-opacity",
            title: "Play: opacity, add or take away",
            run: |view, _, _| view.play.toggle(Kind::Opacity),
        },
        TileCommand {
            id: "play-nodule",
            title: "Play: nodule, add or take away",
            run: |view, _, _| view.play.toggle(Kind::Nodule),
        },
        TileCommand {
            id: "play-severity",
            title: "Play: next severity of the chosen finding",
            run: |view, _, _| view.play.with_chosen(|setting, kind| setting.step_severity(kind, 1)),
        },
        TileCommand {
            id: "play-side",
            title: "Play: the chosen finding to the other side",
            run: |view, _, _| {
                view.play.with_chosen(|setting, kind| {
                    let _ = setting.other_side(kind);
                })
            },
        },
        TileCommand {
            id: "play-zone",
            title: "Play: the chosen finding to the next zone",
            run: |view, _, _| view.play.with_chosen(Setting::next_zone),
        },
    ],
};

/// Wheel that is one step, in points.
const WHEEL: f32 = 30.0;
/// Pixels of a side of the figure on screen before the network has said its own.
const SIDE: usize = 64;

/// View state.
#[derive(Debug, Default)]
pub struct Play {
    setting: Setting,
    /// The finding that was touched last.
    chosen: Option<Kind>,
    dragged: Option<Kind>,
    /// Wheel over a finding that was no step yet.
    wheel: f32,
    player: Option<Player>,
    answer: Option<Box<Answer>>,
    /// Why there is no answer to a question.
    problem: Option<(Asked, String)>,
    /// Counts answers.
    count: u64,
    /// The figure as it is drawn: which version, pixels of a side, levels.
    drawn: Option<(u64, usize, Vec<u8>)>,
    words: judged::Words,
    /// Reports of the run's test pairs as they are recorded, and as they are asked about.
    others: (String, Arc<Vec<Report>>),
    dialog: PathDialog,
    pictures: Pictures,
}

impl Play {
    /// Draws the tile.
    fn show(&mut self, ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
        if let Some(path) = self.dialog.show(ui.ctx(), ctx.style).and_then(|paths| paths.into_iter().next()) {
            self.setting.look_at(Some(path));
        }
        let run = ctx.run.header.as_ref().map(|header| header.folder.as_str()).unwrap_or_default();
        let asked = Asked {
            run: PathBuf::from(run),
            picture: self.setting.picture(),
            report: self.setting.report().to_owned(),
            others: self.reports(ctx),
        };
        if !run.is_empty() {
            let player = self.player.get_or_insert_with(|| {
                let wake = ui.ctx().clone();
                Player::start(move || wake.request_repaint())
            });
            player.ask(asked.clone());
        }
        self.take_in();
        let size = tile::font_size(ctx.presenting);
        let all = ui.available_rect_before_wrap().shrink2(vec2((0.7 * size).round(), (0.3 * size).round()));
        if all.width() < 12.0 * size || all.height() < 4.0 * size {
            return;
        }
        ui.scope_builder(UiBuilder::new().max_rect(all), |ui| {
            ui.shrink_clip_rect(all);
            ui.spacing_mut().item_spacing = vec2(4.0, 3.0);
            ui.spacing_mut().button_padding = vec2(6.0, 1.0);
            self.bar(ui, size);
            self.findings(ui, size);
            note(ui, size, ctx.style);
            let rest = ui.available_rect_before_wrap();
            if rest.height() < 6.0 * size {
                return;
            }
            let side = (0.45 * rest.width()).min(rest.height()).min(44.0 * size);
            let view = Rect::from_min_size(rest.min, vec2(side, side));
            if side > 5.0 * size {
                self.image(ui, view, &asked, size, ctx.style);
            }
            let beside = Rect::from_min_max(pos2(view.right() + size, rest.top()), rest.max);
            if beside.width() > 6.0 * size {
                ui.scope_builder(UiBuilder::new().max_rect(beside), |ui| {
                    ui.shrink_clip_rect(beside);
                    self.text(ui, &asked, size, ctx);
                });
            }
        });
    }

    /// The reports of the run's test pairs on screen.
    fn reports(&mut self, ctx: &ViewCtx<'_>) -> Arc<Vec<Report>> {
        let told = ctx.payload("similarity/names");
        let text = match told.as_ref().map(|(_, payload)| &**payload) {
            Some(Payload::Text(text)) => text.as_str(),
            _ => "",
        };
        if self.others.0 != text {
            let report = |line: &str| {
                line.split_once('\t').map(|(name, text)| Report { name: name.to_owned(), text: text.to_owned() })
            };
            self.others = (text.to_owned(), Arc::new(text.lines().filter_map(report).collect()));
        }
        self.others.1.clone()
    }

    /// Takes the newest answer; never waits.
    fn take_in(&mut self) {
        match self.player.as_ref().and_then(Player::poll) {
            Some(Ok(answer)) => {
                (self.answer, self.problem) = (Some(answer), None);
                self.count += 1;
            }
            Some(Err(problem)) => self.problem = Some(problem),
            None => {}
        }
    }

    fn other(&mut self, by: i64) {
        let study = self.setting.study().saturating_add_signed(by);
        self.setting.show(study);
        self.chosen = None;
    }

    fn toggle(&mut self, kind: Kind) {
        self.setting.toggle(kind);
        self.chosen = self.setting.finding(kind).map(|placed| placed.kind);
    }

    /// The finding that was touched last, or the first one.
    fn chosen(&self) -> Option<Kind> {
        let there = self.chosen.filter(|kind| self.setting.finding(*kind).is_some());
        there.or_else(|| self.setting.figure().findings.first().map(|placed| placed.kind))
    }

    fn with_chosen(&mut self, change: impl FnOnce(&mut Setting, Kind)) {
        if let Some(kind) = self.chosen() {
            change(&mut self.setting, kind);
        }
    }

    fn ask(&mut self, egui: &Context) {
        if !self.dialog.is_open() {
            self.dialog.ask(Question::new("Choose an image", Wanted::File), egui);
        }
    }

    /// What concerns all of it.
    fn bar(&mut self, ui: &mut Ui, size: f32) {
        ui.horizontal_wrapped(|ui| {
            let figure = !self.setting.is_own();
            if tile::button(
                ui,
                figure,
                "As the figure says",
                "The report becomes what the figure's own report says",
                size,
            ) {
                self.setting.tell();
            }
            if tile::button(ui, self.setting.can_undo(), "Undo", "Takes the last change back", size) {
                self.setting.undo();
            }
            if tile::button(ui, true, "Reset", "This study with its report as it was", size) {
                self.setting.reset();
            }
            if tile::button(ui, self.setting.study() > 0, "◀", "Previous study", size) {
                self.other(-1);
            }
            let label = ui.add(Label::new(RichText::new("study").size(size)).selectable(false)).id;
            let mut study = self.setting.study();
            let value = DragValue::new(&mut study).range(0..=1_000_000).speed(0.1);
            if !tile::said(ui, RichText::new(self.setting.study().to_string()).size(size))
                && ui.add(value).labelled_by(label).on_hover_text("Studies that no run was trained on").changed()
            {
                self.setting.show(study);
            }
            if tile::button(ui, true, "▶", "Next study", size) {
                self.other(1);
            }
            let free = !self.dialog.is_open();
            if tile::button(ui, free, "Image…", "Look at an image of your own in place of the figure", size) {
                self.ask(ui.ctx());
            }
            if !figure && tile::button(ui, true, "Figure", "Back to the figure", size) {
                self.setting.look_at(None);
            }
        });
    }

    /// What is found in the figure.
    fn findings(&mut self, ui: &mut Ui, size: f32) {
        if self.setting.is_own() {
            return;
        }
        ui.horizontal_wrapped(|ui| {
            for kind in Kind::ALL {
                let there = self.setting.finding(kind).is_some();
                let free = self.setting.can_toggle(kind);
                let help = match (there, free) {
                    (true, _) => "Take it away",
                    (false, true) => "Add it",
                    (false, false) => "There is no room: take another finding away first",
                };
                let clicked = ui.add_enabled_ui(free, |ui| tile::toggle(ui, there, kind.title(), help, size)).inner;
                if clicked {
                    self.toggle(kind);
                }
            }
            let Some(kind) = self.chosen() else { return };
            let Some(placed) = self.setting.finding(kind) else { return };
            let (severity, sided, zoned) = (placed.severity.word(), kind.has_side(), kind.has_zone());
            ui.separator();
            ui.add(Label::new(RichText::new(kind.id()).size(size)).selectable(false));
            if tile::button(
                ui,
                true,
                severity,
                "Change how much there is (or click it, or turn the wheel over it)",
                size,
            ) {
                self.setting.step_severity(kind, 1);
            }
            if sided && tile::button(ui, true, "other side", "Put it on the other side (or drag it)", size) {
                self.setting.other_side(kind);
            }
            if zoned && tile::button(ui, true, "next zone", "Put it into the next zone (or drag it)", size) {
                self.setting.next_zone(kind);
            }
        });
    }

    /// The picture with what a word looks at.
    fn image(&mut self, ui: &mut Ui, view: Rect, asked: &Asked, size: f32, style: &Style) {
        let of_word =
            self.answer.as_ref().and_then(|answer| Some((answer.judged.as_ref().ok()?, self.words.chosen()?)));
        let response = ui.interact(view, ui.scope_id().with("figure"), Sense::click_and_drag());
        if self.setting.is_own() {
            response.widget_info(|| WidgetInfo::labeled(Role::Image, true, "image of your own"));
            let Some(answer) = self.answer.as_ref().filter(|answer| answer.asked.picture == asked.picture) else {
                return;
            };
            if !answer.image.is_empty() {
                let state = (("play image", 0), self.count);
                judged::picture(ui, view, &mut self.pictures, state, (&answer.image, answer.size), of_word);
            }
            return;
        }
        let side = self.answer.as_ref().map_or(SIDE, |answer| answer.size);
        let version = self.setting.version();
        if self.drawn.as_ref().is_none_or(|(of, pixels, _)| (*of, *pixels) != (version, side)) {
            let levels = chest::draw(self.setting.figure(), side);
            let levels = levels.into_iter().map(|level| (255.0 * level).round() as u8).collect();
            self.drawn = Some((version, side, levels));
        }
        let said = format!("figure with {}", self.setting.described());
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &said));
        let Some((_, side, levels)) = &self.drawn else { return };
        let state = (("play figure", *side), version << 20 | self.count);
        let placed = judged::picture(ui, view, &mut self.pictures, state, (levels, *side), of_word);
        if let Some(placed) = placed {
            self.touch(ui, &response, placed);
            self.outline(ui, &response, placed, size, style);
        }
    }

    /// Drags, clicks and wheel over findings.
    fn touch(&mut self, ui: &Ui, response: &Response, placed: Rect) {
        let share = |at: eframe::egui::Pos2| {
            let share = (at - placed.min) / placed.size();
            [f64::from(share.x), f64::from(share.y)]
        };
        let pointer = response.interact_pointer_pos().map(share);
        if response.drag_started_by(PointerButton::Primary) {
            let origin = ui.input(|input| input.pointer.press_origin()).map(share);
            self.dragged = origin.and_then(|at| self.setting.at(at));
            self.chosen = self.dragged.or(self.chosen);
        }
        if let (Some(kind), Some(at), true) = (self.dragged, pointer, response.dragged()) {
            self.setting.drag(kind, at);
        }
        if response.drag_stopped() {
            self.dragged = None;
            self.setting.pause();
        }
        let under = response.hover_pos().map(share).and_then(|at| self.setting.at(at));
        if let Some(kind) = pointer.and_then(|at| self.setting.at(at)) {
            if response.clicked() {
                self.chosen = Some(kind);
                self.setting.step_severity(kind, 1);
            } else if response.secondary_clicked() {
                self.setting.toggle(kind);
            }
        }
        let Some(kind) = under else {
            self.wheel = 0.0;
            return;
        };
        if kind.has_side() {
            ui.ctx().set_cursor_icon(if self.dragged.is_some() { CursorIcon::Grabbing } else { CursorIcon::Grab });
        }
        self.wheel += ui.input(|input| input.smooth_scroll_delta().y);
        if self.wheel.abs() >= WHEEL {
            let by = if self.wheel > 0.0 { 1 } else { -1 };
            (self.wheel, self.chosen) = (0.0, Some(kind));
            self.setting.step_severity(kind, by);
        }
    }

    /// Boxes around findings while somebody points at the figure.
    fn outline(&self, ui: &Ui, response: &Response, placed: Rect, size: f32, style: &Style) {
        if !(response.hovered() || response.dragged()) {
            return;
        }
        let painter = ui.painter_at(placed);
        let at = |x: f32, y: f32| placed.min + vec2(x, y) * placed.size();
        for finding in self.setting.figure().told() {
            let [x0, y0, x1, y1] = finding.bounds;
            let rect = Rect::from_min_max(at(x0, y0), at(x1, y1));
            let chosen = self.chosen() == Some(finding.kind);
            let color = if chosen { style.accent } else { style.text_weak };
            painter.rect_stroke(rect, 2.0, Stroke::new(if chosen { 1.5 } else { 1.0 }, color), StrokeKind::Inside);
            let text = in_words(&finding);
            painter.text(rect.left_top(), Align2::LEFT_BOTTOM, text, FontId::proportional(size), color);
        }
    }

    /// The report and what the network says of it.
    fn text(&mut self, ui: &mut Ui, asked: &Asked, size: f32, ctx: &ViewCtx<'_>) {
        let lines = 4.5 * (size + 2.0);
        ScrollArea::vertical().id_salt("report").max_height(lines).show(ui, |ui| {
            let mut report = self.setting.report().to_owned();
            if tile::said(ui, RichText::new(&report).size(size + 2.0)) {
                return;
            }
            let field = TextEdit::multiline(&mut report)
                .font(FontId::proportional(size + 2.0))
                .hint_text("the report, in words")
                .desired_rows(2)
                .desired_width(f32::INFINITY);
            let response = ui.add(field).accessible_name("Report");
            if response.changed() {
                self.setting.write(report);
            }
            if response.lost_focus() {
                self.setting.pause();
            }
        });
        if asked.run.as_os_str().is_empty() {
            let (title, hint) = match &ctx.run.header {
                None => {
                    ("No weights yet", "Press Start with recording on: the newest checkpoint of the run answers here.")
                }
                Some(_) => (
                    "No weights on disk",
                    "The shown run is not recorded: start one with recording on, or open a recorded run.",
                ),
            };
            return empty::message(ui, ctx, title, hint);
        }
        if let Some((_, problem)) = self.problem.as_ref().filter(|(of, _)| of.run == asked.run) {
            return empty::message(ui, ctx, "No answer", problem);
        }
        let Some(answer) = self.answer.as_ref().filter(|answer| answer.asked.run == asked.run) else {
            return empty::message(ui, ctx, "Reading the weights", "the newest checkpoint of the shown run");
        };
        let busy = if answer.asked == *asked { "" } else { " · …" };
        let weights =
            RichText::new(format!("weights of step {}{busy}", answer.step)).size(size).color(ctx.style.text_weak);
        ui.add(Label::new(weights).truncate());
        for warning in &answer.warnings {
            ui.add(Label::new(RichText::new(warning).size(size).color(ctx.style.warning)).truncate())
                .on_hover_text(warning);
        }
        let words = &mut self.words;
        ScrollArea::vertical().id_salt("play answer").auto_shrink(false).show(ui, |ui| match &answer.judged {
            Ok(judged) => {
                let summary = RichText::new(judged::summary(judged)).size(size + 1.0).color(ctx.style.text);
                ui.add(Label::new(summary).wrap());
                words.show(judged, ui, size, ctx.style);
                truth(answer, ui, size, ctx.style);
                among(answer, ui, size, ctx.style);
                judged::table(judged, ui, size, ctx.style);
            }
            Err(problem) => {
                words.clear();
                ui.add(Label::new(RichText::new(problem).size(size + 1.0).color(ctx.style.warning)).wrap());
                truth(answer, ui, size, ctx.style);
            }
        });
    }
}

/// Where the typed report stands among those of the run's test pairs, and which of them are nearest.
fn among(answer: &Answer, ui: &mut Ui, size: f32, style: &Style) {
    let typed = answer.judged.as_ref().ok().and_then(|judged| judged.similarity(0));
    let (Some(typed), Some(nearest)) = (typed, answer.others.first()) else { return };
    // A tie counts against it.
    let before = answer.others.iter().filter(|other| other.cosine >= typed).count();
    let count = answer.others.len();
    let text = format!(
        "among {count} reports of test pairs: rank {} of {} · nearest: {} {:.3}, {}",
        before + 1,
        count + 1,
        nearest.title,
        nearest.cosine,
        nearest.text
    );
    let all: Vec<String> =
        answer.others.iter().take(8).map(|of| format!("{:.3} {}: {}", of.cosine, of.title, of.text)).collect();
    let said =
        format!("Cosines of this image with reports of the run's test pairs, the nearest first\n{}", all.join("\n"));
    ui.add(Label::new(RichText::new(text).size(size + 0.5).color(style.text)).truncate()).on_hover_text(said);
}

/// The figure's own report beside the typed one, and edits of it.
fn truth(answer: &Answer, ui: &mut Ui, size: f32, style: &Style) {
    let Some(own) = answer.truth.first() else { return };
    let typed = answer.judged.as_ref().ok().and_then(|judged| judged.similarity(0));
    let typed = typed.map_or(String::new(), |typed| format!(" (yours: {typed:.3})"));
    let mut text = format!("{}: {:.3}{typed}", own.title, own.cosine);
    for other in answer.truth.iter().skip(1) {
        let mark = if other.cosine < own.cosine { "" } else { " (not below it)" };
        text += &format!(" · {} {:.3}{mark}", other.title, other.cosine);
    }
    let all: Vec<String> = answer.truth.iter().map(|of| format!("{}: {}", of.title, of.text)).collect();
    ui.add(Label::new(RichText::new(text).size(size + 0.5).color(style.text)).wrap()).on_hover_text(all.join("\n"));
}
