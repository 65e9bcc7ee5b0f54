//! The dialog “Sweep…”: which parameters of the form are swept, over which values, with how many seeds. What is asked for is then
//! timed and asked about like any study; the form stays as it is.

use eframe::egui::{self, ComboBox, DragValue, Grid, RichText, TextEdit, Ui, pos2, vec2};

use super::act::Act;
use super::session::Session;
use super::study::{MOST_SEED, MOST_SEEDS};
use super::theme;
use super::widgets::labelled_button;
use crate::engine::params::{self, ParamSpec, Params};
use crate::engine::sweep::Axis;
use crate::kit;
use crate::kit::lab::DEFAULT_SEED;
use crate::plot::number;
use crate::plot::style::Style;

/// Axes as typed, seeds, and the values around which they are.
type Asked = (Vec<String>, u64, Params);

/// State of the dialog.
#[derive(Debug)]
pub struct SweepForm {
    pub open: bool,
    /// Id of the lab that the axes are of.
    lab: &'static str,
    /// Key and values as typed; an empty key: not swept.
    axes: [(&'static str, String); 2],
    /// How many, and the first.
    seeds: (u64, u64),
    /// What was asked for last, around which values, and what it comes to: combinations, or why it cannot be.
    judged: Option<(Asked, Result<usize, String>)>,
}

impl Default for SweepForm {
    fn default() -> Self {
        let axes = [("", String::new()), ("", String::new())];
        Self { open: false, lab: "", axes, seeds: (3, DEFAULT_SEED), judged: None }
    }
}

/// Names of the two axes in the dialog.
const AXES: [&str; 2] = ["First parameter", "Second parameter"];

impl SweepForm {
    /// Begins with the first logarithmic parameter of another lab's form.
    fn turn_to(&mut self, session: &Session) {
        let lab = session.lab.spec;
        if self.lab == lab.id {
            return;
        }
        *self = Self { open: self.open, lab: lab.id, seeds: self.seeds, ..Self::default() };
        let theory = lab.sweep.theory.and_then(|theory| theory.keys.last());
        let wanted = theory.and_then(|key| params::find(lab.params, key).ok());
        let first = wanted.or_else(|| sweepable(session).find(|spec| is_log(spec)));
        if let Some(spec) = first.or_else(|| sweepable(session).next()) {
            self.axes[0] = (spec.key, proposed(session, spec));
        }
    }

    /// What is asked for, as on the command line.
    fn over(&self) -> Vec<String> {
        let chosen = self.axes.iter().filter(|(key, _)| !key.is_empty());
        chosen.map(|(key, values)| format!("{key}={values}")).collect()
    }

    /// Combinations, or why it cannot be.
    fn judge(&mut self, session: &Session) -> Result<usize, String> {
        let (over, seeds, base) = (self.over(), self.seeds.0, &session.params);
        if let Some(((known, of, around), found)) = &self.judged
            && (known, *of, around) == (&over, seeds, base)
        {
            return found.clone();
        }
        let lab = session.lab.spec;
        let axes = over.iter().map(|text| Axis::parse(lab.params, text)).collect::<Result<Vec<_>, _>>();
        let run = axes.and_then(|axes| kit::study::sweep(lab, base, axes, seeds, self.seeds.1));
        let found = run.map(|run| run.rows().len()).map_err(|error| error.to_string());
        self.judged = Some(((over, seeds, base.clone()), found.clone()));
        found
    }
}

/// Parameters of the form that can be swept.
fn sweepable(session: &Session) -> impl Iterator<Item = &'static ParamSpec> + '_ {
    let specs = session.lab.spec.params;
    let can = |spec: &&ParamSpec| Axis::around(spec, &spec.default.into()).is_some();
    specs.iter().filter(can).filter(|spec| session.params.shows_in_form(specs, spec))
}

fn is_log(spec: &ParamSpec) -> bool {
    matches!(spec.kind, params::ParamKind::Float { log: true, .. })
}

/// Values around that of the form.
fn proposed(session: &Session, spec: &ParamSpec) -> String {
    session.params.get(spec.key).and_then(|value| Axis::around(spec, value)).unwrap_or_default()
}

/// Draws the dialog, if it is open.
pub fn show(form: &mut SweepForm, session: &Session, style: &Style, ctx: &egui::Context, acts: &mut Vec<Act>) {
    if !form.open {
        return;
    }
    form.turn_to(session);
    let mut open = true;
    let room = ctx.content_rect().size();
    egui::Window::new("Sweep")
        .id(egui::Id::unique("Sweep"))
        .open(&mut open)
        .collapsible(false)
        .resizable(false)
        .title_frame(theme::window_title(style))
        .default_pos(pos2(0.24 * room.x, 0.16 * room.y))
        .default_width(640.0_f32.min(room.x - 48.0))
        .show(ctx, |ui| content(form, session, ui, style, acts));
    form.open &= open;
}

fn content(form: &mut SweepForm, session: &Session, ui: &mut Ui, style: &Style, acts: &mut Vec<Act>) {
    ui.label("Trains with every combination of these values, around those of the form, each with several seeds. The form stays.");
    ui.add_space(8.0);
    Grid::new("axes of a sweep").num_columns(3).spacing(vec2(12.0, 8.0)).show(ui, |ui| {
        for at in 0..AXES.len() {
            axis(form, at, session, ui);
            ui.end_row();
        }
        ui.label("Seeds of each combination");
        ui.horizontal(|ui| {
            let (count, first) = &mut form.seeds;
            ui.add(DragValue::new(count).range(1..=MOST_SEEDS)).accessible_name("Seeds of each combination");
            ui.label("from");
            ui.add(DragValue::new(first).range(0..=MOST_SEED)).accessible_name("First seed");
        });
        ui.end_row();
    });
    ui.label(
        RichText::new("Values: A..B:N for N from A to B (by factors where the slider is logarithmic), A,B,C for a list, * for all.")
            .weak(),
    );
    ui.add_space(8.0);
    let judged = form.judge(session);
    match &judged {
        Ok(cells) => {
            let runs = *cells as u64 * form.seeds.0;
            let cells = number::counted(*cells as u64, "combination", "combinations");
            ui.label(theme::strong(format!("{cells}, {}", number::counted(runs, "run", "runs"))));
            ui.label(
                RichText::new("A few steps are timed next; where it takes long, it asks before it starts.").weak(),
            );
        }
        Err(problem) => {
            ui.label(RichText::new(problem).color(style.error));
        }
    }
    ui.add_space(4.0);
    ui.horizontal(|ui| {
        let go =
            ui.add_enabled_ui(judged.is_ok(), |ui| labelled_button(ui, None, "Estimate and ask", true, style)).inner;
        if go.clicked() {
            let (seeds, first) = form.seeds;
            acts.push(Act::SweepOver { over: form.over(), seeds, first });
            form.open = false;
        }
        if labelled_button(ui, None, "Cancel", false, style).clicked() {
            form.open = false;
        }
    });
}

/// One parameter and its values.
fn axis(form: &mut SweepForm, at: usize, session: &Session, ui: &mut Ui) {
    let name = AXES[at];
    let (key, values) = &mut form.axes[at];
    let title = |key: &str| params::find(session.lab.spec.params, key).map_or("none", |spec| spec.label);
    ui.label(name);
    let before = *key;
    let combo = ComboBox::from_id_salt(name).width(220.0).selected_text(title(key)).show_ui(ui, |ui| {
        if at > 0 {
            ui.selectable_value(key, "", "none");
        }
        let mut group = "";
        for spec in sweepable(session) {
            if spec.group != group {
                group = spec.group;
                ui.weak(group);
            }
            ui.selectable_value(key, spec.key, spec.label).on_hover_text(spec.help);
        }
    });
    combo.response.accessible_name(name);
    if *key != before {
        let spec = params::find(session.lab.spec.params, key);
        *values = spec.map_or_else(|_| String::new(), |spec| proposed(session, spec));
    }
    let expected = params::find(session.lab.spec.params, key).map(ParamSpec::expected).unwrap_or_default();
    let field = ui.add_enabled(!key.is_empty(), TextEdit::singleline(values).desired_width(220.0));
    field.accessible_name(format!("Values of the {}", name.to_lowercase())).on_hover_text(expected);
}
