//! Everything that can be done in the window, as plain data. Buttons, shortcuts, menus, the palette and the views send
//! such acts while they draw; [`super::update`] carries them out. [`super::script`] writes and reads them as text.

use std::path::PathBuf;

use super::theme::ThemeChoice;
use crate::compute::device::DeviceChoice;
use crate::engine::event::Level;
use crate::engine::params::Value;
use crate::kit::export::Part;
use crate::kit::lab::LabSpec;
use crate::kit::view::{Cursor, ViewAction};

/// One thing that can be done. Labs, presets, studies, tiles and parameters are named by their ids; where nothing else is
/// said, it is the lab in front that is meant.
#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    /// Brings this lab to the front.
    Lab(String),
    /// Runs one of the lab's own commands.
    LabCommand(String),

    /// The one play/pause: the training's while it trains, the timeline's otherwise.
    Play,
    /// Starts or restarts the run, recorded in a folder of its own.
    Start,
    /// One step: of the training while it trains, of the timeline otherwise.
    Step,
    Stop,
    Checkpoint,
    /// Gives the twin of a run that trains this value; the first one forks the run.
    Twin(String, Value),
    /// The device of the next training run.
    Device(DeviceChoice),
    /// Loads a preset and starts it.
    Preset(String),
    /// Closes the banner of a run that failed.
    CloseFailure,

    /// Moves the cursor by so many steps.
    Move(i64),
    /// Moves the cursor by one part of an update.
    Part {
        forward: bool,
    },
    /// Moves the cursor to a step; past the end: to the newest one, and follows it.
    Seek(u64),
    /// Moves the cursor to a place, which may be within an update.
    Place(Cursor),
    /// Moves the cursor to the next mark or the one before.
    Mark {
        forward: bool,
    },
    /// Follows the newest step, or no longer.
    Follow,
    /// The next speed of the series.
    ChangeSpeed {
        faster: bool,
    },
    /// Factor on the lab's own rate of playback.
    Speed(f64),

    /// Gives a parameter this value. Not `settled` while it is being dragged: the run is computed but not recorded.
    Set {
        key: String,
        value: Value,
        settled: bool,
    },
    /// Says beside a field why what was typed there is refused.
    Refuse(String, String),
    /// The seed of the next run.
    Seed {
        seed: u64,
        settled: bool,
    },
    Undo,
    Redo,
    /// Every parameter to its default.
    Defaults,
    /// Edits take effect from the cursor on, or no longer.
    FromCursor,
    /// Takes back the change with this index along the run.
    RemoveChange(usize),
    /// Lets the user choose data for the first path parameter that the form shows.
    OpenData,
    /// Lets the user choose a path for this parameter.
    Browse(String),
    /// Puts a path into the form of a lab and brings that to the front.
    UsePath {
        lab: String,
        key: String,
        path: PathBuf,
    },

    ShowTile(String),
    HideTile(String),
    /// Shows a tile and brings its tab to the front.
    BringTile(String),
    /// This tile alone fills the middle.
    Maximise(String),
    MaximiseNext,
    /// Shows all tiles side by side again.
    RestoreTiles,
    ResetLayout,
    /// Forgets every change to layouts and panels, of all labs.
    ResetAllLayouts,

    /// Shows or hides the form.
    Form,
    /// Shows or hides the guide.
    Guide,
    /// Begins a talk with this tile, else with the maximised or the first one; ends the talk that goes on.
    Present(Option<String>),
    /// So many tiles further in the talk.
    PresentNext(isize),
    /// The screen of the talk is black, or no longer.
    PresentBlack,
    /// Gives the keyboard to a part of the window.
    Focus(Region),
    FocusNext,

    /// Begins to measure a study, or shows it.
    Study(String),
    StudyStop,
    StudyGoOn,
    /// Not now, after the question.
    StudyLeave,
    /// Measures every row anew.
    StudyAgain,
    /// Measures so many seeds of each row, from this one on.
    StudySeeds(u64, u64),
    /// Puts the values of this row into the form, and runs them.
    StudyLoad(usize),
    StudySave(StudyFile),
    StudyCopy,
    /// Asks which parameters are to be swept.
    Sweep,
    /// Begins to measure a sweep around the values of the form: `key=values` of one or two parameters, seeds of each combination,
    /// and the first of them.
    SweepOver {
        over: Vec<String>,
        seeds: u64,
        first: u64,
    },
    /// Shows the recorded run of this combination; puts its values into the form where there is none.
    SweepCell(usize),

    /// Draws the curves of a recorded run behind the current one's, or no longer.
    Pin {
        folder: PathBuf,
        on: bool,
    },
    /// Colours the pinned runs by this parameter.
    PinnedBy(String),
    /// Pins the recorded runs of the open study.
    PinStudy,
    /// Shows or hides the numbers of the current and the pinned runs side by side.
    SideBySide,

    /// Shows a recorded run.
    OpenRun(PathBuf),
    /// Goes on with a recorded run from its newest checkpoint.
    GoOn(PathBuf),
    ShowFolder(PathBuf),
    CopyPath(PathBuf),
    /// Deletes a recorded run; the list of runs asks before.
    DeleteRun(PathBuf),

    /// Copies the scene of the lab in front as a code.
    CopyScene,
    /// Lets the user choose where to save it.
    SaveScene,
    /// Lets the user choose a scene's file.
    ChooseScene,
    /// Opens the field for a code.
    PasteScene,
    /// Shows the scene of this code.
    ShowScene(String),

    Screenshot,
    /// Exports a tile as a picture; `None`: the maximised, else the first one.
    Figure(Option<String>),
    /// Saves a tile, drawn anew, as SVG or as an animation; `None`: as before.
    SaveFigure(FigureFile, Option<String>),
    /// Saves the weights of the run that is shown, or what its network makes of its pictures.
    SaveNetwork(NetworkFile),
    /// Stops what is being saved so.
    StopFigures,
    MetricsCsv,
    MetricsJson,
    /// Lets the user choose where to save a text; `name` is suggested.
    SaveText {
        name: String,
        text: String,
    },

    Palette,
    Fork,
    Metrics,
    Runs,
    Help,
    Notices,
    /// Closes all toasts.
    Dismiss,
    /// Tells the user something.
    Say(Level, String),
    Theme(ThemeChoice),
    NextTheme,
    /// Draws everything larger, or smaller.
    Resize {
        larger: bool,
    },
    /// Draws everything as large as the window's width asks for.
    SizeByWidth,
    Fullscreen,
    Quit,
    /// Answers what is asked before the window closes or a training ends.
    Answer(Choice),
}

/// A part of the window that can have the keyboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Region {
    Form,
    Timeline,
    Guide,
}

/// What can be said before the window closes or a training ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    Stay,
    Save,
    /// Leave what is not saved as the draft that it is.
    Draft,
    /// End the training for what comes next.
    Stop,
    TryAgain,
    GiveUp,
}

/// A file that a study can be saved as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StudyFile {
    Text,
    Csv,
    Picture,
    /// Of a sweep: its map as SVG.
    Vectors,
    /// The numbers of its figure.
    FigureCsv,
}

impl Act {
    /// Whether it moves tiles or changes what a view shows: each such act is an undo step of its own.
    pub fn changes_the_screen(&self) -> bool {
        use Act::{
            BringTile, HideTile, LabCommand, Maximise, MaximiseNext, ResetAllLayouts, ResetLayout, RestoreTiles,
            ShowTile,
        };
        let tiles =
            matches!(self, ShowTile(_) | HideTile(_) | BringTile(_) | Maximise(_) | MaximiseNext | RestoreTiles);
        tiles || matches!(self, LabCommand(_) | ResetLayout | ResetAllLayouts)
    }
}

/// A file of a run's network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NetworkFile {
    /// As safetensors.
    Weights,
    /// Features of the pictures of a part, as CSV or as NPY with the labels beside.
    Features { part: Part, csv: bool },
}

impl NetworkFile {
    /// All of them.
    pub const ALL: [NetworkFile; 5] = [
        NetworkFile::Weights,
        NetworkFile::Features { part: Part::Test, csv: false },
        NetworkFile::Features { part: Part::Test, csv: true },
        NetworkFile::Features { part: Part::Train, csv: false },
        NetworkFile::Features { part: Part::Train, csv: true },
    ];

    pub fn suffix(self) -> &'static str {
        match self {
            NetworkFile::Weights => "safetensors",
            NetworkFile::Features { csv: true, .. } => "csv",
            NetworkFile::Features { csv: false, .. } => "npy",
        }
    }

    /// `Weights as safetensors`.
    pub fn title(self) -> &'static str {
        match self {
            NetworkFile::Weights => "Weights as safetensors",
            NetworkFile::Features { part: Part::Test, csv: false } => "Features of test pictures as NPY",
            NetworkFile::Features { part: Part::Test, csv: true } => "Features of test pictures as CSV",
            NetworkFile::Features { part: Part::Train, csv: false } => "Features of training pictures as NPY",
            NetworkFile::Features { part: Part::Train, csv: true } => "Features of training pictures as CSV",
        }
    }

    /// Whether runs of this lab have it.
    pub fn is_of(self, lab: &LabSpec) -> bool {
        match self {
            NetworkFile::Weights => lab.weights.is_some(),
            NetworkFile::Features { .. } => lab.features.is_some(),
        }
    }
}

/// A file that a tile can be saved as when it is drawn anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FigureFile {
    Svg,
    /// An animation.
    Gif,
}

impl FigureFile {
    pub fn suffix(self) -> &'static str {
        match self {
            FigureFile::Svg => "svg",
            FigureFile::Gif => "gif",
        }
    }
}

impl From<ViewAction> for Act {
    fn from(action: ViewAction) -> Self {
        match action {
            ViewAction::SetParam { key, value, settled } => Act::Set { key, value, settled },
            ViewAction::Seek(cursor) => Act::Place(cursor),
            ViewAction::Notice(level, text) => Act::Say(level, text),
            ViewAction::SaveText { name, text } => Act::SaveText { name, text },
            ViewAction::ChooseFile { key } => Act::Browse(key),
            ViewAction::ShowTile(tile) => Act::BringTile(tile.to_owned()),
        }
    }
}

/// Which part of the window has the keyboard, and which is to get it.
#[derive(Debug, Default)]
pub struct Focus {
    wanted: Option<Region>,
    /// The part that got it last.
    last: Option<Region>,
}

impl Focus {
    /// Gives the keyboard to a part with the next drawing.
    pub fn give(&mut self, region: Region) {
        self.wanted = Some(region);
    }

    /// Gives the keyboard to the part after the one that got it last.
    pub fn next(&mut self) {
        self.wanted = Some(match self.last {
            None | Some(Region::Guide) => Region::Form,
            Some(Region::Form) => Region::Timeline,
            Some(Region::Timeline) => Region::Guide,
        });
    }

    /// Whether this part gets the keyboard now, once.
    pub fn take(&mut self, region: Region) -> bool {
        let taken = self.wanted.take_if(|wanted| *wanted == region);
        self.last = taken.or(self.last);
        taken.is_some()
    }
}
