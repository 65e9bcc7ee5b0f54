//! Active learning by hand: the pictures that the newest round asked for, one of them large, and keys 0 to 3 that grade it.

use eframe::egui::accesskit::Role;
use eframe::egui::{Align2, FontId, Key, Modifiers, Rect, Sense, Ui, WidgetInfo, pos2};

use crate::engine::event::{Level, RunId};
use crate::engine::params::Value;
use crate::kit::fields::Fields;
use crate::kit::tiles::{Tile, TileCommand, TileSpec};
use crate::kit::view::{ViewAction, ViewCtx};
use crate::kit::wall::{Cell, Fact, Panel, Pictures, Recorded, Seen, Wall};
use crate::kit::{empty, series};
use crate::labs::reconstruction::active::entries;
use crate::labs::reconstruction::params::{GIVEN, PARAMS, QUERY};
use crate::plot::image_view::Lens;
use crate::plot::{number, tile};

use super::ReconstructionView;

/// The tile.
pub static TILE: Tile<ReconstructionView> = Tile {
    spec: TileSpec {
        id: "label",
        title: "Label next",
        help: "The pictures whose labels the newest round asked for, those with most to tell first. Keys 0 to 3 grade \
               the selected one while the pointer is over the tile or one of its pictures has the focus, and go to the \
               next; Backspace takes the last grade back. Nothing counts before it is given to training, which goes on \
               meanwhile: pause the run (Space) to take your time. 0: no retinopathy, 1: few microaneurysms, 2: more, \
               or some haemorrhages, 3: many, or new vessels.",
        area: "large",
        follows_cursor: true,
    },
    show: |view, ui, ctx| view.label.show(ui, ctx),
    commands: &[
        TileCommand {
            id: "label-undo",
            title: "Label next: take the last grade back",
            run: |view, _, _| view.label.take_back(),
        },
        TileCommand {
            id: "label-give",
            title: "Label next: give the grades to training",
            run: |view, ctx, _| view.label.give(ctx),
        },
        TileCommand {
            id: "label-fit",
            title: "Label next: show pictures whole",
            run: |view, _, _| view.label.lens.fit(),
        },
    ],
};

/// The keys that grade.
const KEYS: [Key; 4] = [Key::Num0, Key::Num1, Key::Num2, Key::Num3];
const GRADES: [(&str, &str); 4] = [
    ("0", "Grade 0: no retinopathy (key 0)"),
    ("1", "Grade 1: a few microaneurysms (key 1)"),
    ("2", "Grade 2: more microaneurysms, or some haemorrhages (key 2)"),
    ("3", "Grade 3: many of them, or new vessels (key 3)"),
];

/// View state.
#[derive(Debug, Default)]
pub struct LabelNext {
    wall: Wall,
    pictures: Pictures,
    lens: Lens,
    rows: Vec<Recorded>,
    selected: usize,
    /// Names and grades that are not given to training yet, the newest last.
    graded: Vec<(String, u8)>,
    /// The run, and the step of the round that is shown.
    shown: (Option<RunId>, u64),
    /// Keys go to this tile.
    hot: bool,
}

/// What a round asked for.
struct Round {
    number: String,
    /// The score's name in the form, and its own name and unit.
    by: String,
    score: [String; 2],
    pool: String,
    pictures: Vec<Asked>,
}

struct Asked {
    name: String,
    hospital: String,
    score: String,
    label: Label,
}

/// How far a picture is.
#[derive(Clone, Copy, PartialEq)]
enum Label {
    Waits,
    /// Not given to training yet.
    Graded(u8),
    Given(u8),
    Oracle(u8),
}

impl Label {
    fn said(self) -> String {
        match self {
            Self::Waits => "waits for its grade".to_owned(),
            Self::Graded(grade) => format!("grade {grade}, not given yet"),
            Self::Given(grade) => format!("grade {grade}, given"),
            Self::Oracle(grade) => format!("grade {grade} by the oracle"),
        }
    }
}

impl LabelNext {
    /// What of it belongs to a scene.
    pub fn fields(&mut self, fields: &mut Fields) {
        self.wall.fields(fields);
        fields.lens("lens", &mut self.lens);
        fields.value("selected", &mut self.selected, 0);
    }

    /// Whether the tile wants this key; see [`crate::kit::view::LabView::takes_key`].
    pub fn takes_key(&self, modifiers: Modifiers, key: Key) -> bool {
        self.hot && modifiers.is_none() && (KEYS.contains(&key) || key == Key::Backspace)
    }

    fn show(&mut self, ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
        self.hot = false;
        let Some((step, round)) = self.round(ctx) else {
            if QUERY.get(&series::params_at(ctx, PARAMS)).flatten().is_some() {
                return empty::measured(ui, ctx, "every so many steps (parameter `query_every`)");
            }
            let hint = "Choose in the form, under Active learning, what labels are asked for by. The pictures with \
                        most to tell stand here then, for an oracle or for you.";
            return empty::message(ui, ctx, "No labels are asked for", hint);
        };
        if self.shown.0 != ctx.run.id {
            self.graded.clear();
        }
        if self.shown != (ctx.run.id, step) {
            self.shown = (ctx.run.id, step);
            self.selected = 0;
            self.wall.pin_all();
        }
        self.selected = self.selected.min(round.pictures.len().saturating_sub(1));
        self.rows.resize_with(round.pictures.len(), Recorded::default);
        self.rows.iter_mut().enumerate().for_each(|(k, row)| row.follow(ctx, &format!("query/picture/{k}")));
        let size = tile::font_size(ctx.presenting);
        let all = ui.available_rect_before_wrap();
        let (bar, rest) = tile::split(ui, size);
        self.hot = is_hot(ui, all);
        self.hear(&round, ui);
        self.bar(bar, &round, ui, ctx);
        if rest.width() < 9.0 * size || rest.height() < 7.0 * size {
            return;
        }
        let gap = 0.9 * size;
        let (large, others) = if rest.width() > 1.2 * rest.height() {
            let width = (rest.height() - 3.4 * size).min(0.5 * rest.width()).max(4.0 * size);
            let split = rest.left() + width;
            (
                Rect::from_min_max(rest.min, pos2(split, rest.bottom())),
                Rect::from_min_max(pos2(split + gap, rest.top()), rest.max),
            )
        } else {
            let split = rest.top() + 0.6 * rest.height();
            (
                Rect::from_min_max(rest.min, pos2(rest.right(), split)),
                Rect::from_min_max(pos2(rest.left(), split + gap), rest.max),
            )
        };
        self.large(large, &round, ui, ctx);
        let on = self.wall.seen(round.pictures.len());
        let Self { wall, pictures, lens, rows, selected, .. } = self;
        let cell = |i: usize, _: f32| {
            let Asked { name, score, label, .. } = &round.pictures[i];
            let fact = |value: String| Fact { name: "", value, unit: "" };
            let mut facts = vec![fact(score.clone())];
            if let Label::Graded(grade) | Label::Given(grade) | Label::Oracle(grade) = label {
                facts.push(fact(format!("→ {grade}")));
            }
            let said = format!("{name}, {}", label.said());
            Cell {
                panels: vec![Panel { picture: rows[i].picture(), ..Panel::default() }],
                name,
                facts: Some(facts),
                said,
            }
        };
        wall.show(ui, ctx, others, &on, 1.0, &mut Seen { pictures, lens, selected }, cell);
    }

    /// The round at the cursor, and its step.
    fn round(&self, ctx: &ViewCtx<'_>) -> Option<(u64, Round)> {
        let (step, _) = ctx.payload("query/asked")?;
        let text = series::text(ctx, "query/asked")?;
        let mut lines = text.lines().map(|line| line.split('\t').map(str::to_owned).collect::<Vec<_>>());
        let [number, by, pool, name, unit]: [String; 5] = lines.next()?.try_into().ok()?;
        let form = given_text(ctx);
        let given = entries(&form).unwrap_or_default();
        let asked = |cells: Vec<String>| {
            let [name, grade, hospital, score]: [String; 4] = cells.try_into().ok()?;
            let graded = self.graded.iter().find(|(known, _)| *known == name);
            let given = given.iter().rev().find(|(known, _)| *known == name);
            let label = match (graded, given, grade.parse()) {
                (Some((_, grade)), ..) => Label::Graded(*grade),
                (_, Some((_, grade)), _) => Label::Given(*grade),
                (.., Ok(grade)) => Label::Oracle(grade),
                _ => Label::Waits,
            };
            let score = score.parse().map_or_else(|_| String::new(), number::short);
            Some(Asked { name, hospital, score, label })
        };
        let pictures: Vec<Asked> = lines.filter_map(asked).collect();
        (!pictures.is_empty()).then_some((step, Round { number, by, score: [name, unit], pool, pictures }))
    }

    /// Grades by keys.
    fn hear(&mut self, round: &Round, ui: &Ui) {
        if !self.hot {
            return;
        }
        let pressed = |key: Key| ui.input_mut(|input| input.consume_key(Modifiers::NONE, key));
        let grade = KEYS.iter().position(|key| pressed(*key));
        if let Some(grade) = grade {
            self.grade(round, grade as u8);
        } else if pressed(Key::Backspace) {
            self.take_back_within(round);
        }
    }

    /// Grades the selected picture and goes to the next one that waits.
    fn grade(&mut self, round: &Round, grade: u8) {
        let Some(asked) = round.pictures.get(self.selected) else { return };
        if matches!(asked.label, Label::Oracle(_)) {
            return;
        }
        self.graded.retain(|(name, _)| *name != asked.name);
        self.graded.push((asked.name.clone(), grade));
        let count = round.pictures.len();
        let waits = |i: &usize| round.pictures[*i].label == Label::Waits && *i != self.selected;
        if let Some(next) = (1..count).map(|k| (self.selected + k) % count).find(waits) {
            self.selected = next;
        }
    }

    fn take_back(&mut self) {
        self.graded.pop();
    }

    /// Takes the last grade back and goes to its picture.
    fn take_back_within(&mut self, round: &Round) {
        let Some((name, _)) = self.graded.pop() else { return };
        self.selected = round.pictures.iter().position(|asked| asked.name == name).unwrap_or(self.selected);
    }

    /// Adds the grades to those that the run has.
    fn give(&mut self, ctx: &mut ViewCtx<'_>) {
        if self.graded.is_empty() {
            return;
        }
        let form = given_text(ctx);
        let known = match entries(&form) {
            Ok(known) => known,
            Err(problem) => {
                let text = format!("the grades wait: parameter `{}`: {problem}", GIVEN.key());
                return ctx.actions.push(ViewAction::Notice(Level::Warning, text));
            }
        };
        let new = std::mem::take(&mut self.graded);
        let kept = known.iter().filter(|(name, _)| !new.iter().any(|(other, _)| other == name));
        let kept = kept.map(|(name, grade)| format!("{name}={grade}"));
        let all: Vec<String> = kept.chain(new.iter().map(|(name, grade)| format!("{name}={grade}"))).collect();
        ctx.set(GIVEN.key(), Value::Text(all.join(";")), true);
    }

    fn bar(&mut self, rect: Rect, round: &Round, ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
        let size = tile::font_size(ctx.presenting);
        let waiting = round.pictures.iter().filter(|asked| asked.label == Label::Waits).count();
        let Round { number, by, score: [_, unit], pool, pictures } = round;
        let unit = if unit.is_empty() { String::new() } else { format!(" ({unit})") };
        let waits = if waiting > 0 { format!("{waiting} wait for a grade · ") } else { String::new() };
        let about = format!("{waits}round {number}: {} of {pool} by {by}{unit}", pictures.len());
        let selected = pictures.get(self.selected).map(|asked| asked.label);
        let gradable = !matches!(selected, None | Some(Label::Oracle(_)));
        tile::bar(ui, rect, tile::weak(about, size, ctx.style), |ui| {
            let ready = self.graded.len();
            let over = ctx.run.status.as_ref().is_none_or(|status| status.is_over());
            let help = if over {
                "The run is over: the grades go to the form, for the next run"
            } else {
                "The graded pictures train with these labels from the next step on"
            };
            if tile::button(ui, ready > 0, &format!("give {ready} to training"), help, size) {
                self.give(ctx);
            }
            if tile::button(ui, ready > 0, "undo", "Take the last grade back (Backspace)", size) {
                self.take_back_within(round);
            }
            for (grade, (name, help)) in GRADES.iter().enumerate().rev() {
                if tile::button(ui, gradable, name, help, size) {
                    self.grade(round, grade as u8);
                }
            }
        });
    }

    /// The selected picture, as large as there is room, and what is known of it.
    fn large(&mut self, rect: Rect, round: &Round, ui: &Ui, ctx: &ViewCtx<'_>) {
        let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
        let (Some(asked), Some(row)) = (round.pictures.get(self.selected), self.rows.get(self.selected)) else {
            return;
        };
        let view = Rect::from_min_max(rect.min, pos2(rect.right(), (rect.bottom() - 3.4 * size).max(rect.top())));
        let response = ui.interact(view, ui.scope_id().with("large"), Sense::click_and_drag());
        let Asked { name, hospital, score, label } = asked;
        let [of, unit] = &round.score;
        let score = if of.is_empty() { String::new() } else { format!(" · {of} {score} {unit}") };
        let said = format!("selected: {name}, {}", label.said());
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &said));
        let painter = ui.painter_at(rect);
        painter.rect_filled(view, 0.0, style.plot_background);
        let panel = Panel { picture: row.picture(), ..Panel::default() };
        if self.pictures.panel(ui, view, &self.lens, &panel).is_none() {
            let font = FontId::proportional(size);
            painter.text(view.center(), Align2::CENTER_CENTER, "being read …", font, style.text_weak);
        }
        if let Some(pixels) = row.size() {
            self.lens.interact(ui, &response, view, pixels);
        }
        let color = if *label == Label::Waits { style.accent } else { style.text };
        let weak = format!("{name} · {hospital}{}", score.trim_end());
        let lines = [(label.said(), color), (weak, style.text_weak)];
        for (k, (text, color)) in lines.into_iter().enumerate() {
            let at = pos2(rect.left(), view.bottom() + (0.3 + 1.55 * k as f32) * size);
            painter.text(at, Align2::LEFT_TOP, text, FontId::proportional(size), color);
        }
    }
}

/// What the form holds of labels by hand; it is ahead of the run's.
fn given_text(ctx: &ViewCtx<'_>) -> String {
    ctx.params.get(GIVEN.key()).map(ToString::to_string).unwrap_or_default()
}

/// Whether keys are for the tile: something in it has the focus, or nothing has it and the pointer is over the tile.
fn is_hot(ui: &Ui, tile: Rect) -> bool {
    match ui.memory(|memory| memory.focused()) {
        Some(id) => ui.ctx().read_response(id).is_some_and(|focused| tile.contains(focused.rect.center())),
        None => ui.rect_contains_pointer(tile),
    }
}
