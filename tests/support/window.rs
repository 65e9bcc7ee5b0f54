//! The whole window without a GPU: a toy lab, a worker that says what the test wants, and hands for keys and commands.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use eframe::egui::{self, Key, Modifiers, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;

use learnscope::app::backend::Backend;
use learnscope::app::{App, Open, Parts};
use learnscope::engine::command::{Command, Record, RunRequest};
use learnscope::engine::event::{Body, Event, KeyKind, KeySpec, RunHeader, RunId, Status};
use learnscope::engine::experiment::{BuildRequest, Experiment, RunError};
use learnscope::engine::mailbox::Letter;
use learnscope::engine::params::{ChoiceItem, DefaultValue, ParamKind, ParamSpec, Params, Value};
use learnscope::engine::study::{Measure, PRINTED, StudyRow, StudySpec};
use learnscope::engine::study_cost::EVEN;
use learnscope::engine::sweep::{SweepSpec, sweep_of};
use learnscope::kit::export::{PackedWeights, WeightsSpec};
use learnscope::kit::lab::{LabSpec, Preset};
use learnscope::kit::tiles::{self, Arrangement, Node, Tile, TileCommand, TileSpec, Tiles};
use learnscope::kit::view::{Lab, LabView, ViewCtx};

use super::made_run::header;

/// A lab with everything that the shell knows of.
pub static TOY: Lab = Lab { spec: &SPEC, view: || Box::new(ToyView) };

static SWEEP: SweepSpec = SweepSpec {
    study: sweep_of(&[Measure { title: "last loss", unit: "", of: |run, _| run.last("loss") }], &EVEN),
    died: None,
    theory: None,
};

pub static SPEC: LabSpec = LabSpec {
    id: "toy",
    title: "Toy",
    claim: "A lab for tests.",
    params: PARAMS,
    keys: KEYS,
    headline: &["loss"],
    presets: &[
        Preset { id: "plain", title: "Plain", help: "", set: &[] },
        Preset { id: "trained", title: "Trained", help: "", set: &[("mode", "train"), ("rate", "0.5")] },
    ],
    studies: &[
        StudySpec {
            id: "rates",
            title: "Two rates",
            source: "Nobody, table 0",
            about: "What a larger rate does.",
            common: &[("mode", "play")],
            rows: &[
                StudyRow { label: "slow", set: &[("rate", "0.1")], paper: &[Some(1.5)], paper_std: &[] },
                StudyRow { label: "fast", set: &[("rate", "0.2")], paper: &[None], paper_std: &[] },
            ],
            measures: &[Measure { title: "last loss", unit: "", of: |run, _| run.last("loss") }],
            seeded: false,
            reading: PRINTED,
            cost: &EVEN,
            figure: None,
            beside: None,
            own_data: &[],
        },
        StudySpec {
            id: "long",
            title: "A long one",
            source: "Nobody, figure 0",
            about: "What a larger rate does in the long run.",
            common: &[("mode", "train"), ("steps", "5000")],
            rows: &[StudyRow { label: "long", set: &[("rate", "0.3")], paper: &[Some(1.5)], paper_std: &[] }],
            measures: &[Measure { title: "last loss", unit: "", of: |run, _| run.last("loss") }],
            seeded: true,
            reading: "read off the figure.",
            cost: &EVEN,
            figure: None,
            beside: None,
            own_data: &[],
        },
    ],
    sweep: &SWEEP,
    tries: &[],
    guide: "# Lesson\n\nA **bold** word, `code`, and λ ∇ ‖ ₂ μ η β √.\n\n- one\n- two",
    build: |_: &BuildRequest<'_>| -> Result<Box<dyn Experiment>, RunError> { Err(RunError::Data("no".into())) },
    resumed: None,
    steps: |params| params.int("steps") as u64,
    most_steps: |_| u64::MAX,
    needs_device: |params| params.text("mode") == "train",
    device_check: None,
    samples_per_step: |_| 32,
    check: |_| Ok(()),
    playback: |params| (params.text("mode") == "play").then_some(60.0),
    checkpoint_every: |_, _| 0,
    data: |_| Ok(String::new()),
    read: |_, _| Ok(()),
    predict: None,
    weights: Some(WeightsSpec {
        packed: |_| Ok(PackedWeights { file: b"weights".to_vec(), lines: Vec::new(), step: Some(5) }),
        with_target: None,
    }),
    features: None,
    doctor: None,
    compare: None,
    unit: |_, key| key.unit,
    moments: |_| Vec::new(),
    brings: |_, _| &[],
};

pub const KEYS: &[KeySpec] = &[KeySpec { key: "loss", title: "loss", unit: "", kind: KeyKind::Scalar, every: 1 }];

pub const fn param(
    key: &'static str,
    label: &'static str,
    kind: ParamKind,
    default: DefaultValue,
    live: bool,
) -> ParamSpec {
    let (unit, group, help) = ("", "Group", "Help.");
    ParamSpec { key, label, unit, group, kind, default, help, live, only_if: None, folded: false, used_by: &[] }
}

pub static PARAMS: &[ParamSpec] = &[
    param(
        "mode",
        "mode",
        ParamKind::Choice(&[
            ChoiceItem { id: "play", label: "computed" },
            ChoiceItem { id: "train", label: "trained" },
        ]),
        DefaultValue::Choice("play"),
        false,
    ),
    param("rate", "rate η", ParamKind::Float { min: 1e-6, max: 10.0, log: true }, DefaultValue::Float(1e-4), true),
    param("steps", "steps", ParamKind::Int { min: 1, max: 100_000 }, DefaultValue::Int(420), false),
    param("use_it", "use it", ParamKind::Switch, DefaultValue::Switch(true), false),
    param("file", "file", ParamKind::Path, DefaultValue::Path(""), false),
];

pub struct ToyView;

static FIRST: Tile<ToyView> = Tile {
    spec: TileSpec { id: "first", title: "First tile", help: "", area: "left", follows_cursor: true },
    show: |_, ui, ctx| content("first", ui, ctx),
    commands: &[],
};

static SECOND: Tile<ToyView> = Tile {
    spec: TileSpec { id: "second", title: "Second tile", help: "", area: "right", follows_cursor: true },
    show: |_, ui, ctx| content("second", ui, ctx),
    commands: &[TileCommand {
        id: "toy-faster",
        title: "Second tile: ten times the rate",
        run: |_, ctx, _| ctx.set("rate", Value::Float(ctx.params.float("rate") * 10.0), true),
    }],
};

static TILES: Tiles<ToyView> = &[&FIRST, &SECOND];

fn content(tile: &str, ui: &mut egui::Ui, ctx: &mut ViewCtx<'_>) {
    ui.label(format!("{tile} content at {} of {}", ctx.cursor.step, ctx.params.float("rate")));
    for key in [Key::OpenBracket, Key::CloseBracket] {
        if ui.input(|input| input.key_pressed(key)) {
            ui.label(format!("{tile} sees {key:?}"));
        }
    }
}

impl LabView for ToyView {
    fn tiles(&self) -> Vec<&'static TileSpec> {
        tiles::specs(TILES)
    }

    fn arrangement(&self, _params: &Params) -> Arrangement {
        Arrangement { id: "both", root: Node::Row(&[(1.0, Node::Area("left")), (1.0, Node::Area("right"))]) }
    }

    fn tile(&mut self, tile: &str, ui: &mut egui::Ui, ctx: &mut ViewCtx<'_>) {
        tiles::show(TILES, self, tile, ui, ctx);
    }

    fn commands(&self) -> Vec<(&'static str, &'static str)> {
        tiles::commands(TILES)
    }

    fn command(&mut self, id: &str, ctx: &mut ViewCtx<'_>, egui: &egui::Context) {
        tiles::run(TILES, self, id, ctx, egui);
    }

    fn guide(&mut self, ui: &mut egui::Ui, ctx: &mut ViewCtx<'_>) {
        ui.label(format!("loss {:?}", ctx.run.last("loss")));
    }

    fn sub_steps(&self, _ctx: &ViewCtx<'_>) -> usize {
        3
    }

    fn takes_key(&self, modifiers: Modifiers, key: Key) -> bool {
        modifiers.is_none() && key == Key::OpenBracket
    }
}

/// What was asked of the worker, and what it says next.
#[derive(Default)]
pub struct Script {
    pub sent: Vec<Command>,
    pub events: Vec<Event>,
    /// Answers every start of a run that is computed at once with the whole run.
    pub computes: bool,
    /// There is a worker that closing has to wait for.
    pub alive: bool,
    /// It was asked to end.
    pub end: bool,
    /// A signal asked the program to end.
    pub signal: bool,
    /// How long the window was ready to wait for the worker at its exit.
    pub patience: Option<Duration>,
}

/// A worker that says what the test wants.
#[derive(Clone, Default)]
pub struct Scripted(pub Rc<RefCell<Script>>);

impl Backend for Scripted {
    fn send(&mut self, command: Command) {
        let mut script = self.0.borrow_mut();
        if let (Command::Start(request), true) = (&command, script.computes) {
            let whole = whole_run(request);
            script.events.extend(whole);
        }
        script.sent.push(command);
    }

    fn drain(&mut self) -> (Vec<Event>, Vec<Letter>) {
        (std::mem::take(&mut self.0.borrow_mut().events), Vec::new())
    }

    fn ask_end(&mut self) {
        self.0.borrow_mut().end = true;
    }

    fn has_ended(&self) -> bool {
        !self.0.borrow().alive
    }

    fn end_asked(&self) -> bool {
        self.0.borrow().signal
    }

    fn shutdown(&mut self, patience: Duration) {
        self.0.borrow_mut().patience = Some(patience);
    }
}

/// The header with which the worker would begin this.
pub fn header_of(request: &RunRequest) -> RunHeader {
    let folder = match &request.record {
        Record::No => String::new(),
        Record::New(folder) | Record::Replace(folder) | Record::Resume(folder) | Record::Restart(folder) => {
            folder.display().to_string()
        }
    };
    RunHeader {
        name: request.name.clone(),
        changes: request.changes.clone(),
        seed: request.seed,
        version: "0".to_owned(),
        folder,
        ..header(request.lab, &request.params, request.steps)
    }
}

/// An event of a run that does 100 steps a second.
pub fn event(run: RunId, step: u64, body: Body) -> Event {
    Event { run, step, seconds: step as f64 * 0.01, body }
}

/// All that the worker says of a run that is computed at once.
pub fn whole_run(request: &RunRequest) -> Vec<Event> {
    let (run, steps) = (request.id, request.steps);
    let mut events = vec![event(run, 0, Body::Started(Box::new(header_of(request))))];
    events.push(event(run, 0, Body::Status(Status::Running)));
    if request.params.get("rate").is_some() {
        events.push(event(run, steps, Body::Scalars(vec![("loss".into(), request.params.float("rate") * 10.0)])));
    }
    events.push(event(run, steps, Body::Status(Status::Finished)));
    events
}

impl Scripted {
    pub fn computing() -> Self {
        let scripted = Self::default();
        scripted.0.borrow_mut().computes = true;
        scripted
    }

    pub fn say(&self, events: impl IntoIterator<Item = Event>) {
        self.0.borrow_mut().events.extend(events);
    }

    pub fn starts(&self) -> Vec<RunRequest> {
        let script = self.0.borrow();
        let starts = script.sent.iter().filter_map(|command| match command {
            Command::Start(request) => Some((**request).clone()),
            _ => None,
        });
        starts.collect()
    }

    pub fn last_start(&self) -> RunRequest {
        self.starts().pop().expect("a run was started")
    }

    /// Commands sent, in words, and forgets them.
    pub fn taken(&self) -> Vec<String> {
        let word = |command: &Command| match command {
            Command::Start(request) => format!("start {}", request.lab),
            other => format!("{other:?}"),
        };
        self.0.borrow_mut().sent.drain(..).map(|command| word(&command)).collect()
    }
}

/// A window with this worker, which reads no recordings.
pub fn parts(labs: Vec<&'static Lab>, backend: Box<dyn Backend>, config: Option<&Path>) -> Parts {
    Parts {
        labs,
        backend,
        fetch: Arc::new(|_, _, _| Err("this window reads no recordings".to_owned())),
        devices: None,
        config_dir: config.map(Path::to_owned),
        runs_dir: PathBuf::from("runs"),
        open: Open::default(),
    }
}

/// A window with a scripted worker, after its first frames.
pub fn window_of(
    labs: Vec<&'static Lab>,
    backend: &Scripted,
    config: Option<&Path>,
    size: egui::Vec2,
) -> Harness<'static, App> {
    let parts = parts(labs, Box::new(backend.clone()), config);
    let mut harness =
        Harness::builder().with_size(size).with_step_dt(1.0 / 60.0).build_eframe(|cc| App::new(&cc.egui_ctx, parts));
    harness.run_steps(3);
    harness
}

/// The same with the toy lab alone.
pub fn toy(backend: &Scripted) -> Harness<'static, App> {
    window_of(vec![&TOY], backend, None, vec2(1440.0, 1000.0))
}

/// Presses a key and draws what it did.
pub fn press(harness: &mut Harness<'static, App>, modifiers: Modifiers, key: Key) {
    harness.key_press_modifiers(modifiers, key);
    harness.run_steps(3);
}

/// Types a command into the palette and takes the first match.
pub fn command(harness: &mut Harness<'static, App>, text: &str) {
    press(harness, Modifiers::COMMAND, Key::P);
    harness.get_by_label("Command").type_text(text);
    harness.run_steps(2);
    press(harness, Modifiers::NONE, Key::Enter);
}

/// Puts the lab on training and starts a run of 100 steps that has done 10.
pub fn training(backend: &Scripted) -> (Harness<'static, App>, RunId) {
    let mut harness = toy(backend);
    command(&mut harness, "preset trained");
    let request = backend.last_start();
    let run = request.id;
    backend.say([
        event(run, 0, Body::Started(Box::new(header_of(&request)))),
        event(run, 10, Body::Status(Status::Running)),
    ]);
    harness.run_steps(3);
    backend.taken();
    (harness, run)
}

/// A file that is let go over the window.
#[derive(Debug)]
pub struct Dropped(pub PathBuf);

impl egui::DroppedFile for Dropped {
    fn path(&self) -> &Path {
        &self.0
    }
    fn bytes(&self) -> Result<Vec<u8>, String> {
        Ok(Vec::new())
    }
}

/// A toy window whose runs, and studies beside them, go to a folder of the test, and whose settings to another where one is given.
pub fn window_with_runs(backend: &Scripted, runs: &Path, config: Option<&Path>) -> Harness<'static, App> {
    let parts = Parts { runs_dir: runs.to_owned(), ..parts(vec![&TOY], Box::new(backend.clone()), config) };
    let size = vec2(1440.0, 1000.0);
    let mut harness =
        Harness::builder().with_size(size).with_step_dt(1.0 / 60.0).build_eframe(|cc| App::new(&cc.egui_ctx, parts));
    harness.run_steps(3);
    harness
}

/// Draws frames until a text is there that contains this; what comes from a disk takes its time.
pub fn until_shown(harness: &mut Harness<'static, App>, text: &str) {
    let start = Instant::now();
    while harness.query_all_by_label_contains(text).next().is_none() {
        assert!(start.elapsed().as_secs() < 20, "`{text}` never appeared");
        harness.run_steps(1);
        std::thread::sleep(Duration::from_millis(1));
    }
    harness.run_steps(2);
}
