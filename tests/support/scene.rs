//! A tile of a lab, drawn without the window's shell and driven by what its widgets are called.

use std::sync::Arc;
use std::time::{Duration, Instant};

use eframe::egui::{LayerId, Pos2, Rect, ScrollArea, Ui, UiBuilder, Vec2, vec2};
use egui_kittest::kittest::{NodeT, Queryable};
use egui_kittest::{Harness, HarnessBuilder};
use learnscope::app::theme;
use learnscope::engine::event::Payload;
use learnscope::engine::params::{ParamSpec, Params};
use learnscope::engine::state::RunState;
use learnscope::kit::pinned::Pinned;
use learnscope::kit::view::{Cursor, LabView, NoPast, PastPayloads, ViewAction, ViewCtx};
use learnscope::labs;
use learnscope::plot::style::Style;

/// The least room that the window gives a tile: 96 points without its margins and its title.
const LEAST_ROOM: Vec2 = vec2(72.0, 60.0);
/// Room around a tile in which it may show nothing.
pub const MARGIN: f32 = 200.0;

/// What a tile is drawn from, and what was done in it.
pub struct Scene {
    pub view: Box<dyn LabView>,
    /// One below the other, of equal heights; `guide` is the lab's guide.
    pub tiles: Vec<&'static str>,
    pub run: RunState,
    /// The form.
    pub params: Params,
    /// The step that is looked at, and how many parts of its update are shown.
    pub cursor: u64,
    pub sub: usize,
    pub style: Style,
    pub presenting: bool,
    pub past: Past,
    pub actions: Vec<ViewAction>,
    pub specs: &'static [ParamSpec],
    /// Empty room around the tiles.
    pub margin: f32,
}

/// What was recorded, made anew for every step that is asked for, as a reader of a run folder would give it.
pub struct Past {
    /// Nothing has arrived yet.
    pub slow: bool,
    /// Runs that are pinned.
    pub pinned: Arc<Pinned>,
    made: MakePast,
}

/// Gives the step at which a key was recorded last, and what.
pub type MakePast = Box<dyn Fn(&str, u64) -> Option<(u64, Payload)>>;

impl PastPayloads for Past {
    fn payload(&self, key: &str, step: u64) -> Option<(u64, Arc<Payload>)> {
        let (at, payload) = (self.made)(key, step).filter(|_| !self.slow)?;
        Some((at, Arc::new(payload)))
    }

    fn pinned(&self) -> Arc<Pinned> {
        self.pinned.clone()
    }
}

impl Scene {
    /// A tile of a lab at the end of a run, with the run's parameters in the form (the lab's defaults where there is no run).
    pub fn of(lab: &str, run: RunState, tile: &'static str) -> Self {
        let lab = labs::find_with_views(lab).unwrap();
        let params = if run.id.is_some() { run.params.clone() } else { Params::defaults(lab.spec.params) };
        Self {
            view: (lab.view)(),
            tiles: vec![tile],
            cursor: run.step,
            sub: 0,
            run,
            params,
            style: Style::dark(),
            presenting: false,
            past: Past { slow: false, pinned: Arc::default(), made: Box::new(|_, _| None) },
            actions: Vec::new(),
            specs: lab.spec.params,
            margin: 0.0,
        }
    }

    /// Other values in the form, each `key=value`.
    pub fn with(mut self, changes: &[&str]) -> Self {
        changes.iter().for_each(|change| self.params.set_text(self.specs, change).unwrap());
        self
    }

    /// What was recorded of the run.
    pub fn recorded(mut self, made: impl Fn(&str, u64) -> Option<(u64, Payload)> + 'static) -> Self {
        self.past.made = Box::new(made);
        self
    }

    /// A window that the tiles fill, after its first frames.
    pub fn harness<'a>(self, size: Vec2) -> Harness<'a, Scene> {
        let mut harness = self.built(Harness::builder().with_size(size));
        harness.run_steps(3);
        harness
    }

    /// The same, drawn with wgpu so that it can be compared with a picture.
    pub fn picture<'a>(self, size: Vec2) -> Harness<'a, Scene> {
        self.built(Harness::builder().with_size(size).wgpu())
    }

    /// Draws a tile of this size in a larger window and fails where a widget shows beyond the tile's border. What scrolls
    /// may be longer than the tile. A size that the window gives no tile is only drawn.
    #[track_caller]
    pub fn stays_within(mut self, size: Vec2) {
        let name = self.tiles.join(", ");
        self.margin = MARGIN;
        let mut harness = self.built(Harness::builder().with_size(size + Vec2::splat(2.0 * MARGIN)));
        harness.run_steps(3);
        nothing_beyond(&harness, size, &name);
    }

    pub fn with_view(&mut self, run: impl FnOnce(&mut dyn LabView, &mut ViewCtx<'_>)) {
        let mut ctx = ViewCtx {
            cursor: Cursor { step: self.cursor, sub: self.sub },
            past: &self.past,
            presenting: self.presenting,
            ..calm(&self.run, &self.params, &self.style, &mut self.actions)
        };
        run(&mut *self.view, &mut ctx);
    }

    /// Carries out a command of the palette.
    pub fn command(&mut self, id: &str) {
        self.with_view(|view, ctx| view.command(id, ctx, &eframe::egui::Context::default()));
    }

    fn built<'a>(self, builder: HarnessBuilder<Scene>) -> Harness<'a, Scene> {
        build(builder, |scene| &scene.style, |ui, scene: &mut Scene| scene.draw(ui), self)
    }

    fn draw(&mut self, ui: &mut Ui) {
        let all = ui.max_rect().shrink(self.margin);
        let tiles = self.tiles.clone();
        let size = vec2(all.width(), all.height() / tiles.len() as f32);
        self.with_view(|view, ctx| {
            for (i, tile) in tiles.into_iter().enumerate() {
                let place = Rect::from_min_size(all.min + vec2(0.0, i as f32 * size.y), size);
                ui.scope_builder(UiBuilder::new().max_rect(place).id_salt(tile), |ui| match tile {
                    "guide" => drop(ScrollArea::vertical().show(ui, |ui| view.guide(ui, ctx))),
                    tile => view.tile(tile, ui, ctx),
                });
            }
        });
    }
}

/// What a view draws from at the start of a run of which nothing was recorded.
pub fn calm<'a>(
    run: &'a RunState,
    params: &'a Params,
    style: &'a Style,
    actions: &'a mut Vec<ViewAction>,
) -> ViewCtx<'a> {
    let cursor = Cursor::default();
    ViewCtx { run, params, cursor, style, wgpu: None, past: &NoPast, presenting: false, actions }
}

/// A harness that draws `state` in its style on the window's background. The first frame only brings in the fonts, which
/// act from the next one on.
pub fn build<'a, S: 'a>(
    builder: HarnessBuilder<S>,
    style: fn(&S) -> &Style,
    mut draw: impl FnMut(&mut Ui, &mut S) + 'a,
    state: S,
) -> Harness<'a, S> {
    let mut ready = false;
    builder.build_ui_state(
        move |ui, state: &mut S| {
            if !std::mem::replace(&mut ready, true) {
                theme::install_fonts(ui.ctx());
                return;
            }
            theme::apply(ui.ctx(), style(state), 1.0);
            let all = ui.ctx().layer_painter(LayerId::background());
            all.rect_filled(ui.ctx().content_rect(), 0.0, ui.visuals().panel_fill);
            draw(ui, state);
        },
        state,
    )
}

/// The whole name or text of the one widget in which it contains `words`.
#[track_caller]
pub fn label<S>(harness: &Harness<'_, S>, words: &str) -> String {
    let node = harness.get_by_label_contains(words).accesskit_node();
    // A label's text is its value, a button's its label.
    node.label().or_else(|| node.value()).unwrap()
}

/// Draws until something with these words is there.
#[track_caller]
pub fn wait_for<S>(harness: &mut Harness<'_, S>, words: &str) {
    wait_until(harness, words, |harness| harness.query_all_by_label_contains(words).next().is_some());
}

/// Draws until something holds; `what` says what.
#[track_caller]
pub fn wait_until<S>(harness: &mut Harness<'_, S>, what: &str, holds: impl Fn(&Harness<'_, S>) -> bool) {
    let start = Instant::now();
    while !holds(harness) {
        assert!(start.elapsed() < Duration::from_secs(60), "`{what}` never came");
        harness.run_steps(1);
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Fails where a widget shows beyond a tile of this size with [`MARGIN`] around it. Popups and tooltips may; a size that
/// the window gives no tile is not looked at.
#[track_caller]
pub fn nothing_beyond<S>(harness: &Harness<'_, S>, size: Vec2, name: &str) {
    if size.x < LEAST_ROOM.x || size.y < LEAST_ROOM.y {
        return;
    }
    let tile = Rect::from_min_size(Pos2::new(MARGIN, MARGIN), size);
    let drawn = harness.ctx.viewport(|viewport| viewport.prev_pass.widgets.clone());
    let nodes = harness.root().children_recursive().map(|node| node.accesskit_node());
    let named = nodes.filter_map(|node| Some((node.locate().0, node.label().or_else(|| node.value())?)));
    let found: Vec<String> = named
        .filter_map(|(id, name)| {
            let widget = drawn.get_layer(LayerId::background()).find(|widget| widget.id.accesskit_id() == id)?;
            // What of it is not cut off.
            let visible = widget.interact_rect;
            let is_beyond = visible.is_positive() && !tile.expand(1.0).contains_rect(visible);
            is_beyond.then(|| format!("`{name}` at {visible}"))
        })
        .collect();
    assert!(found.is_empty(), "{name} of {size}: beyond {tile} lie {found:#?}");
}
