//! The fair race: who is best, each at its best rate and with as many gradients as any other.

mod starts;
mod table;

use std::sync::Arc;
use std::time::{Duration, Instant};

use eframe::egui::{Rect, Ui, UiBuilder, vec2};

use crate::engine::event::Level;
use crate::engine::params::Value;
use crate::engine::table::Float;
use crate::kit::empty;
use crate::kit::fields::Fields;
use crate::kit::lab::DEFAULT_SEED;
use crate::kit::tiles::{Tile, TileCommand, TileSpec};
use crate::kit::view::{ViewAction, ViewCtx};
use crate::labs::optimizers::params::{LEARNING_RATE, STEPS};
use crate::labs::optimizers::race::{self, Lowest, Race, Request, STARTS, Standing};
use crate::labs::optimizers::rules::Rule;
use crate::plot::axes::Titles;
use crate::plot::background::Long;
use crate::plot::curve::{CurveState, Plot};
use crate::plot::legend::{self, Entry};
use crate::plot::number;
use crate::plot::scale::Scale;
use crate::watch::Watch;

use super::theory::fan;
use super::{OptimizersView, controls};

/// The tile.
pub static TILE: Tile<OptimizersView> = Tile {
    spec: TileSpec {
        id: "race",
        title: "Race",
        help: "Every optimizer at the learning rate that suits it best, with as many gradients as any other, from many \
               starts. Table: the best first. Curves: f against the gradients. Starts: who was best where; a click begins \
               there. Rates are tuned on other starts than those that are judged.",
        area: "against the step",
        follows_cursor: false,
    },
    show: |view, ui, ctx| self::ui(view, ui, ctx),
    commands: &[
        TileCommand { id: "race-run", title: "Race: run it", run: |view, ctx, _| begin(&mut view.race, ctx) },
        TileCommand { id: "race-cancel", title: "Race: cancel", run: |view, _, _| view.race.race.cancel() },
        TileCommand {
            id: "race-shown",
            title: "Race: next of table, curves and starts",
            run: |view, _, _| view.race.shown = (view.race.shown + 1) % SHOWN.len(),
        },
        TileCommand {
            id: "race-rates",
            title: "Race: use these rates",
            run: |view, ctx, _| match view.race.race.newest().cloned() {
                Some((_, race)) => use_rates(&race, ctx),
                None => ctx.actions.push(nothing()),
            },
        },
        TileCommand { id: "race-share", title: "Race: let all share η again", run: |_, ctx, _| share(ctx) },
        TileCommand {
            id: "race-near",
            title: "Race: starts in the whole window or around the form's",
            run: |view, _, _| view.race.near = !view.race.near,
        },
        TileCommand {
            id: "race-count",
            title: "Race: another number of starts",
            run: |view, _, _| view.race.next_count(),
        },
        TileCommand {
            id: "race-bands",
            title: "Race: bands of every optimizer or of the selected one",
            run: |view, _, _| view.race.all_bands = !view.race.all_bands,
        },
        TileCommand { id: "race-fit", title: "Race: show the whole race", run: |view, _, _| view.race.plot.fit() },
        TileCommand {
            id: "race-csv",
            title: "Race: export the table as CSV",
            run: |view, ctx, _| csv(&view.race, ctx),
        },
    ],
};

/// What is shown: its name and what one sees.
const SHOWN: [(&str, &str); 3] = [
    ("table", "The standings, the best first"),
    ("curves", "f against the gradients: median, and the band from 25 to 75 % of the starts"),
    ("starts", "Who was best from which start"),
];
/// Numbers of starts to choose from.
const COUNTS: [usize; 3] = [STARTS, 100, 300];
/// Between two looks at how far it is.
const LOOK: Duration = Duration::from_millis(200);

/// View state of the tile.
#[derive(Debug, Default)]
pub struct RaceTile {
    /// Index into [`SHOWN`].
    shown: usize,
    /// Index into [`COUNTS`].
    count: usize,
    /// Starts lie around the form's.
    near: bool,
    all_bands: bool,
    /// What was asked for last, and when.
    asked: Option<(Request, Instant)>,
    race: Long<Request, Arc<Race>>,
    plot: CurveState,
    /// Counts results, so that the plot knows one from another.
    made: u64,
    /// The start that the keyboard is at.
    at: usize,
}

impl RaceTile {
    /// What of it belongs to a scene.
    pub fn fields(&mut self, fields: &mut Fields) {
        let within = |count: usize| move |text: &str| text.parse().ok().filter(|at| *at < count);
        fields.text("shown", &mut self.shown, 0, usize::to_string, within(SHOWN.len()));
        fields.text("count", &mut self.count, 0, usize::to_string, within(COUNTS.len()));
        fields.value("near", &mut self.near, false);
        fields.value("bands", &mut self.all_bands, false);
    }

    fn next_count(&mut self) {
        self.count = (self.count + 1) % COUNTS.len();
    }
}

/// The race of the shown run's form.
fn request(state: &RaceTile, ctx: &ViewCtx<'_>) -> Result<Request, String> {
    let header = ctx.run.header.as_ref().filter(|header| STEPS.get(&header.params).is_some());
    let (params, seed) = header.map_or((ctx.params, DEFAULT_SEED), |header| (&header.params, header.seed));
    Request::of(params, seed, COUNTS[state.count % COUNTS.len()], state.near).map_err(|error| error.to_string())
}

fn begin(state: &mut RaceTile, ctx: &mut ViewCtx<'_>) {
    match request(state, ctx) {
        Ok(request) => {
            state.race.again();
            state.asked = Some((request, Instant::now()));
        }
        Err(why) => ctx.actions.push(ViewAction::Notice(Level::Warning, format!("There is no race: {why}"))),
    }
}

fn nothing() -> ViewAction {
    ViewAction::Notice(Level::Info, "There is no race yet: run one first.".into())
}

fn csv(state: &RaceTile, ctx: &mut ViewCtx<'_>) {
    ctx.actions.push(match state.race.newest() {
        Some((request, race)) => {
            ViewAction::SaveText { name: format!("race-{}.csv", request.surface.id), text: race.csv() }
        }
        None => nothing(),
    });
}

/// Sets each optimizer's factor so that it has its rate of the race, as one edit.
fn use_rates(race: &Race, ctx: &mut ViewCtx<'_>) {
    let now = LEARNING_RATE.of(ctx.params);
    let (eta, factors) = race.rates(now);
    let factors = factors.into_iter().filter_map(|(rule, factor)| Some((rule.own_rate()?.key(), factor)));
    let mut sets: Vec<(&'static str, f64)> = factors.collect();
    if eta != now {
        sets.push((LEARNING_RATE.key(), eta));
    }
    edit(sets, ctx);
}

/// The factors in the form that are not 1.
fn own(ctx: &ViewCtx<'_>) -> impl Iterator<Item = &'static Float> {
    let params = ctx.params;
    let rates = Rule::ALL.into_iter().filter_map(Rule::own_rate);
    rates.filter(move |rate| rate.get(params).is_some_and(|factor| factor != 1.0))
}

/// Sets every optimizer's factor to 1, as one edit.
fn share(ctx: &mut ViewCtx<'_>) {
    let sets = own(ctx).map(|rate| (rate.key(), 1.0)).collect();
    edit(sets, ctx);
}

fn edit(sets: Vec<(&'static str, f64)>, ctx: &mut ViewCtx<'_>) {
    let last = sets.len().saturating_sub(1);
    for (i, (key, value)) in sets.into_iter().enumerate() {
        // The last one closes the edit.
        ctx.set(key, Value::Float(value), i == last);
    }
}

/// Draws the tile.
fn ui(view: &mut OptimizersView, ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
    let size = controls::font_size(ctx);
    let state = &mut view.race;
    let wanted = request(state, ctx);
    if let Some((asked, _)) = &state.asked {
        let compute = |request: &Request, watch: Watch<'_>| race::run(request, watch).map(Arc::new);
        if state.race.follow("race", ui.ctx(), asked, compute) {
            state.made += 1;
            state.at = 0;
        }
    }
    let known = state.race.newest().cloned();
    let current = matches!((&known, &wanted), (Some((request, _)), Ok(wanted)) if request == wanted);
    let running = state.asked.as_ref().is_some_and(|(asked, _)| {
        state.race.stopped(asked).is_none() && known.as_ref().is_none_or(|(request, _)| request != asked)
    });
    if running {
        ui.ctx().request_repaint_after(LOOK);
    }
    let text = told(state, &wanted, known.as_ref(), running, current);
    let (bar, rest) = controls::split(ui, size);
    let roomy = bar.width() > 66.0 * size;
    let mut act = None;
    let (mut shared, any_own) = (false, own(ctx).next().is_some());
    let (above, below) = if roomy { (text, String::new()) } else { (String::new(), text) };
    controls::bar(ui, bar, controls::weak(above, size, ctx.style), |ui| {
        act = actions(state, running, current, known.is_some(), ui, size);
        if roomy {
            shared = options(state, any_own, ui, size);
        }
    });
    let second = if roomy { 0.0 } else { (1.9 * size).round().min(rest.height()) };
    if !roomy {
        let bar = rest.with_max_y(rest.top() + second);
        controls::bar(ui, bar, controls::weak(below, size, ctx.style), |ui| {
            shared = options(state, any_own, ui, size);
        });
    }
    if shared {
        share(ctx);
    }
    let body = rest.with_min_y(rest.top() + second);
    match act {
        Some(Action::Begin) => begin(state, ctx),
        Some(Action::Cancel) => state.race.cancel(),
        Some(Action::Rates) => known.iter().for_each(|(_, race)| use_rates(race, ctx)),
        None => {}
    }
    let Some((_, race)) = known else {
        let hint = "Each optimizer gets the learning rate that suits it best, and as many gradients as any other; then \
                    all start from the same places. Press race.";
        ui.scope_builder(UiBuilder::new().max_rect(body), |ui| empty::message(ui, ctx, "No race yet", hint));
        return;
    };
    if body.width() < 6.0 * size || body.height() < 3.0 * size {
        return;
    }
    let chosen = match state.shown {
        0 => table::show(&race, view.selected, body, ui, ctx),
        1 => curves(state, &race, view.selected, body, ui, ctx),
        _ => starts::show(&mut state.at, &race, view.selected, body, ui, ctx),
    };
    view.selected = chosen.unwrap_or(view.selected);
}

/// What the bar asks for.
enum Action {
    Begin,
    Cancel,
    Rates,
}

fn actions(state: &mut RaceTile, running: bool, current: bool, any: bool, ui: &mut Ui, size: f32) -> Option<Action> {
    let mut act = None;
    if running {
        if controls::button(ui, true, "cancel", "Stop the race", size) {
            act = Some(Action::Cancel);
        }
    } else {
        let help = if current { "This is the race of the form as it is" } else { "Tune every optimizer and race them" };
        if controls::button(ui, !current, "race", help, size) {
            act = Some(Action::Begin);
        }
    }
    let help = "Give every optimizer in the form its own rate of this race, as one edit";
    if controls::button(ui, any, "use rates", help, size) {
        act = Some(Action::Rates);
    }
    for (index, (name, help)) in SHOWN.iter().enumerate().rev() {
        if controls::toggle(ui, state.shown == index, name, help, size) {
            state.shown = index;
        }
    }
    act
}

/// Whether all are to share η again.
fn options(state: &mut RaceTile, any_own: bool, ui: &mut Ui, size: f32) -> bool {
    let count = format!("{} starts", COUNTS[state.count % COUNTS.len()]);
    if controls::button(ui, true, &count, "How many starts are judged: click for another number", size) {
        state.next_count();
    }
    let help = "Starts within a tenth of the window around the form's start, and not in the whole window";
    if controls::toggle(ui, state.near, "near", help, size) {
        state.near = !state.near;
    }
    if state.shown == 1 {
        let help = "Bands of every optimizer, not of the selected one alone";
        if controls::toggle(ui, state.all_bands, "all bands", help, size) {
            state.all_bands = !state.all_bands;
        }
    }
    any_own && controls::button(ui, true, "share η", "Set every optimizer's factor on η to 1 again, as one edit", size)
}

/// The line of what is shown, or how far it is.
fn told(
    state: &RaceTile,
    wanted: &Result<Request, String>,
    known: Option<&(Request, Arc<Race>)>,
    running: bool,
    current: bool,
) -> String {
    if let (true, Some((_, since))) = (running, &state.asked) {
        return match state.race.progress() {
            Some((done, all)) if done > 0 && all > 0 => {
                let left = since.elapsed().as_secs_f64() * (all.saturating_sub(done)) as f64 / done as f64;
                format!("racing: {} %, about {} left", 100 * done / all, number::duration(left))
            }
            _ => "racing …".to_owned(),
        };
    }
    let stopped = state.asked.as_ref().and_then(|(asked, _)| state.race.stopped(asked));
    match (stopped, known, wanted) {
        (Some(why), ..) => why.to_owned(),
        (None, None, Err(why)) => why.clone(),
        (None, None, Ok(_)) => String::new(),
        (None, Some((request, race)), _) => {
            let old = if current { "" } else { "The form has changed since: " };
            let place = if request.around.is_some() { "around the start" } else { "in the window" };
            let base = match race.lowest {
                Lowest::Known(lowest) => format!("f* = {}", number::compact(lowest)),
                Lowest::Found(lowest) => format!("f* = {}, the lowest found", number::compact(lowest)),
                Lowest::Endless => "f falls without end: who leaves the window first".to_owned(),
            };
            let gradients = number::counted(request.budget, "gradient", "gradients");
            format!(
                "{old}{} {place}, {gradients} each; {base}",
                number::counted(race.starts.len() as u64, "start", "starts")
            )
        }
    }
}

/// f against the gradients; the optimizer that was clicked in the legend.
fn curves(state: &mut RaceTile, race: &Race, selected: Rule, place: Rect, ui: &Ui, ctx: &ViewCtx<'_>) -> Option<Rule> {
    let (size, style) = (controls::font_size(ctx), ctx.style);
    let (scale, [low, high], unit) = match race.lowest {
        Lowest::Known(base) | Lowest::Found(base) => {
            let first = race.standings.iter().filter_map(|one| one.fan.lines[3].first());
            let top = first.fold(1.0_f64, |top, f| top.max(f - base));
            (Scale::Log { base }, [base + 1e-16 * (1.0 + base.abs()), base + 1e4 * top], "f − f* (log)")
        }
        Lowest::Endless => (Scale::SymLog { unit: 0.01 }, [-1e9, 1e9], "f (symmetric log)"),
    };
    let mut order: Vec<&Standing> = race.standings.iter().collect();
    // The selected one last, on top.
    order.sort_by_key(|one| one.rule == selected);
    let (mut curves, mut fills) = (Vec::new(), Vec::new());
    for one in order {
        let banded = state.all_bands || one.rule == selected;
        let (first, shown) = (curves.len(), if banded { &[1, 2, 3][..] } else { &[2] });
        let identity = state.made * 1_000 + 8 * one.rule.index() as u64;
        let heavy = one.rule == selected;
        curves.extend(fan::lines((one.rule, &one.fan), &race.kept, shown, (identity, heavy), [low, high], style));
        if banded {
            fills.push([first, first + 2]);
        }
    }
    let entries: Vec<Entry<'_>> = race
        .standings
        .iter()
        .map(|one| Entry {
            name: one.rule.title(),
            category: style.category(one.rule.index()),
            selected: one.rule == selected,
            help: table::spoken(race, one),
        })
        .collect();
    let wanted = legend::height(ui, &entries, place.width(), size);
    let foot = if wanted > 0.34 * place.height() { 0.0 } else { wanted };
    let plot = Plot {
        name: "race: f against the gradients",
        titles: Titles { x: "gradients", y: unit },
        scale,
        window: [race.kept.last().map(|last| [0.0, *last as f64]), None],
        cursor: None,
        include: &[],
        limits: Some(low..=high),
        marks: &[],
        fills: &fills,
        font_size: size,
    };
    state.plot.show(ui, place.with_max_y(place.bottom() - foot), &plot, &curves, style);
    if foot == 0.0 {
        return None;
    }
    let below = Rect::from_min_max(place.left_bottom() - vec2(0.0, foot), place.max);
    legend::show(ui, below, &entries, style, size).map(|index| race.standings[index].rule)
}
