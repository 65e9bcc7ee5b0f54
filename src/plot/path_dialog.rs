//! Asks for a path: with the system's dialog, on a thread of its own; where the system can show none, with a field in the
//! window in which the path is typed. What is looked up on disk is looked up on a thread, too.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use eframe::egui::{Context, Id, Key, Label, Modal, Modifiers, RichText, TextEdit, vec2};

use super::background::{Latest, Task, repaint};
use super::style::Style;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    File,
    /// One or more.
    Files,
    Folder,
    /// A place for a new file of this name.
    Save(String),
}

/// A question for a path.
#[derive(Debug, Clone)]
pub struct Question {
    pub title: String,
    pub wanted: Wanted,
    /// Names of kinds of files with their suffixes; empty: all files.
    pub filters: &'static [(&'static str, &'static [&'static str])],
}

impl Question {
    pub fn new(title: impl Into<String>, wanted: Wanted) -> Self {
        Self { title: title.into(), wanted, filters: &[] }
    }
}

/// A dialog that may be open; one at a time.
#[derive(Debug, Default)]
pub struct PathDialog {
    state: Option<State>,
}

#[derive(Debug)]
enum State {
    System(Question, Task<Answer>),
    Typed(Box<Prompt>),
}

/// What the system's dialog gave.
#[derive(Debug)]
enum Answer {
    /// None: it was closed without a choice.
    Chosen(Vec<PathBuf>),
    /// There was no dialog.
    NotShown,
}

/// A dialog that answers nothing within this time was not shown: nobody reads and closes one so quickly.
const AT_ONCE: Duration = Duration::from_millis(700);
/// Names that are offered at a time.
const OFFERED: usize = 8;
/// Names of a folder that are looked at.
const MOST_NAMES: usize = 5000;
/// What brings the system's dialog.
const MISSING: &str = "This system shows no file dialog, so type the path. The packages xdg-desktop-portal with a backend \
                       (for example xdg-desktop-portal-gtk), or zenity, bring the dialog.";

impl PathDialog {
    /// Asks; an earlier question is dropped.
    pub fn ask(&mut self, question: Question, ctx: &Context) {
        let asked = question.clone();
        let answer = Task::begin("file dialog", repaint(ctx), move |_| system_dialog(&asked));
        self.state = Some(State::System(question, answer));
    }

    /// Asks in the window, whatever the system can show.
    pub fn ask_typed(&mut self, question: Question) {
        self.state = Some(State::Typed(Box::new(Prompt::new(question))));
    }

    /// Whether a path is being typed, in the window.
    pub fn is_typed(&self) -> bool {
        matches!(self.state, Some(State::Typed(_)))
    }

    /// Whether there is a question without an answer.
    pub fn is_open(&self) -> bool {
        self.state.is_some()
    }

    /// Draws what is to be drawn. Gives the answer once; an empty one: nothing was chosen.
    pub fn show(&mut self, ctx: &Context, style: &Style) -> Option<Vec<PathBuf>> {
        match self.state.as_mut()? {
            State::System(question, answer) => match answer.poll() {
                Some(Ok(Answer::Chosen(paths))) => {
                    self.state = None;
                    Some(paths)
                }
                Some(Ok(Answer::NotShown) | Err(_)) => {
                    let question = question.clone();
                    self.ask_typed(question);
                    ctx.request_repaint();
                    None
                }
                None => None,
            },
            State::Typed(prompt) => {
                let answer = prompt.show(ctx, style);
                if answer.is_some() {
                    self.state = None;
                }
                answer
            }
        }
    }
}

fn system_dialog(question: &Question) -> Answer {
    if !is_possible() {
        return Answer::NotShown;
    }
    let began = Instant::now();
    let mut dialog = rfd::FileDialog::new().set_title(&question.title);
    for (name, suffixes) in question.filters {
        dialog = dialog.add_filter(*name, suffixes);
    }
    let paths: Vec<PathBuf> = match &question.wanted {
        Wanted::File => dialog.pick_file().into_iter().collect(),
        Wanted::Files => dialog.pick_files().unwrap_or_default(),
        Wanted::Folder => dialog.pick_folder().into_iter().collect(),
        Wanted::Save(name) => dialog.set_file_name(name).save_file().into_iter().collect(),
    };
    let silent = cfg!(all(unix, not(target_os = "macos"))) && paths.is_empty() && began.elapsed() < AT_ONCE;
    if silent { Answer::NotShown } else { Answer::Chosen(paths) }
}

/// Whether anything could show a dialog: a desktop portal is asked over the session bus, zenity is a program.
fn is_possible() -> bool {
    if cfg!(not(all(unix, not(target_os = "macos")))) {
        return true;
    }
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let zenity = || {
        let path = set("PATH").unwrap_or_default();
        std::env::split_paths(&path).any(|folder| folder.join("zenity").is_file())
    };
    let bus = || {
        set("DBUS_SESSION_BUS_ADDRESS").is_some()
            || set("XDG_RUNTIME_DIR").is_some_and(|folder| Path::new(&folder).join("bus").exists())
    };
    zenity() || bus()
}

/// A path that is being typed.
#[derive(Debug)]
struct Prompt {
    question: Question,
    text: String,
    /// What is known of `text` or of what it was before.
    known: Latest<String, Known>,
    /// The user wants what is typed, as soon as it is known what that is.
    accepting: bool,
    /// A file of this text may be replaced.
    replace: Option<String>,
    problem: String,
    fresh: bool,
}

/// What is on disk for a typed text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Known {
    text: String,
    path: PathBuf,
    is_file: bool,
    is_folder: bool,
    /// The folder that it lies in is there.
    has_folder: bool,
    /// Texts that it may become, folders with a `/` at the end.
    offers: Vec<String>,
}

impl Prompt {
    fn new(question: Question) -> Self {
        let text = match &question.wanted {
            Wanted::Save(name) => name.clone(),
            _ => String::new(),
        };
        Self {
            question,
            text,
            known: Latest::default(),
            accepting: false,
            replace: None,
            problem: String::new(),
            fresh: true,
        }
    }

    /// Looks up what is typed, on a thread; never waits.
    fn look_up(&mut self, ctx: &Context) {
        let folders = self.question.wanted == Wanted::Folder;
        self.known.update("path lookup", ctx, &self.text, move |text| known(text, folders));
        if let Some(problem) = self.known.problem(&self.text) {
            self.problem = format!("the path cannot be looked up: {problem}");
        }
    }

    fn show(&mut self, ctx: &Context, style: &Style) -> Option<Vec<PathBuf>> {
        self.look_up(ctx);
        let known = self.known.newest().filter(|known| known.text == self.text).cloned();
        let escape = ctx.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Escape));
        let tab = ctx.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Tab));
        let offers = self.known.newest().map(|known| known.offers.clone()).unwrap_or_default();
        let mut cancelled = escape;
        let mut completed = None;
        if tab && let Some(start) = common_start(&offers).filter(|start| start.len() > self.text.len()) {
            completed = Some(start);
        }
        let width = 560.0_f32.min(ctx.content_rect().width() - 48.0).max(160.0);
        Modal::new(Id::unique("typed path")).backdrop_color(eframe::egui::Color32::from_black_alpha(70)).show(
            ctx,
            |ui| {
                ui.set_width(width);
                ui.spacing_mut().item_spacing = vec2(8.0, 6.0);
                ui.label(RichText::new(&self.question.title).strong().size(15.0));
                ui.add(Label::new(RichText::new(MISSING).color(style.text_weak)).wrap());
                let hint = if self.question.wanted == Wanted::Folder { "path of a folder" } else { "path of a file" };
                let field =
                    TextEdit::singleline(&mut self.text).desired_width(f32::INFINITY).hint_text(hint).lock_focus(true);
                let field = ui.add(field).accessible_name("Path");
                if std::mem::take(&mut self.fresh) {
                    field.request_focus();
                }
                if field.changed() {
                    (self.accepting, self.replace) = (false, None);
                    self.problem.clear();
                }
                let entered = field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
                // A place for what is offered, so that nothing jumps while one types.
                let line = ui.text_style_height(&eframe::egui::TextStyle::Body) + 6.0;
                ui.allocate_ui(vec2(width, line * OFFERED as f32), |ui| {
                    ui.set_min_height(line * OFFERED as f32);
                    ui.spacing_mut().item_spacing.y = 2.0;
                    for offer in offers.iter().take(OFFERED) {
                        let name = offer.trim_end_matches('/').rsplit('/').next().unwrap_or(offer);
                        let mark = if offer.ends_with('/') { "/" } else { "" };
                        if ui.add(eframe::egui::Button::new(format!("{name}{mark}")).frame(false)).clicked() {
                            completed = Some(offer.clone());
                        }
                    }
                });
                let path = known.as_ref().map(|known| known.path.display().to_string()).unwrap_or_default();
                let (said, color) = match self.problem.is_empty() {
                    true => (path, style.text_weak),
                    false => (self.problem.clone(), style.error),
                };
                ui.add(Label::new(RichText::new(if said.is_empty() { " " } else { &said }).color(color)).wrap());
                ui.horizontal(|ui| {
                    let replaces = self.replace.as_ref() == Some(&self.text);
                    let name = match (&self.question.wanted, replaces) {
                        (Wanted::Save(_), true) => "Replace",
                        (Wanted::Save(_), false) => "Save",
                        _ => "Open",
                    };
                    if ui.button(name).clicked() || entered {
                        self.accepting = true;
                        field.request_focus();
                    }
                    cancelled |= ui.button("Cancel").clicked();
                    ui.label(RichText::new("Tab completes").color(style.text_weak));
                });
                if let Some(text) = completed {
                    (self.accepting, self.replace) = (false, None);
                    self.problem.clear();
                    self.text = text;
                    let mut state = TextEdit::load_state(ui.ctx(), field.id).unwrap_or_default();
                    let end = eframe::egui::text::CCursor::new(self.text.chars().count());
                    state.cursor.set_char_range(Some(eframe::egui::text::CCursorRange::one(end)));
                    state.store(ui.ctx(), field.id);
                    field.request_focus();
                }
            },
        );
        if cancelled {
            return Some(Vec::new());
        }
        let pending = !self.known.is_current(&self.text) && self.known.problem(&self.text).is_none();
        if pending && !self.known.is_busy() {
            // What was typed in this frame is looked up in the next.
            ctx.request_repaint();
        }
        if self.accepting
            && let Some(known) = known
        {
            self.accepting = false;
            return self.accept(&known).map(|path| vec![path]);
        }
        None
    }

    /// The path, where it is one of what is asked for; else it says why not.
    fn accept(&mut self, known: &Known) -> Option<PathBuf> {
        self.problem = match &self.question.wanted {
            _ if known.text.trim().is_empty() => "type a path".to_owned(),
            Wanted::Folder if known.is_folder => return Some(known.path.clone()),
            Wanted::Folder if known.is_file => "that is a file; a folder is wanted".to_owned(),
            Wanted::Folder => "there is no such folder".to_owned(),
            Wanted::File | Wanted::Files if known.is_file => return Some(known.path.clone()),
            Wanted::File | Wanted::Files if known.is_folder => "that is a folder; a file is wanted".to_owned(),
            Wanted::File | Wanted::Files => "there is no such file".to_owned(),
            Wanted::Save(_) if known.is_folder => "that is a folder; add a file name".to_owned(),
            Wanted::Save(_) if !known.has_folder => "there is no such folder to save in".to_owned(),
            Wanted::Save(_) if known.is_file && self.replace.as_ref() != Some(&known.text) => {
                self.replace = Some(known.text.clone());
                "a file of that name is there already".to_owned()
            }
            Wanted::Save(_) => return Some(known.path.clone()),
        };
        None
    }
}

/// Looks a typed text up; `folders`: only folders are offered.
fn known(text: &str, folders: bool) -> Known {
    let path = typed_path(text);
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).map(Path::to_owned);
    let ends = text.ends_with('/') || text.trim().is_empty();
    let (folder, start) = match ends {
        true => (path.clone(), String::new()),
        false => (
            parent.clone().unwrap_or_else(|| PathBuf::from("/")),
            path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        ),
    };
    let typed_folder = &text[..text.rfind('/').map_or(0, |at| at + 1)];
    let mut offers: Vec<String> = std::fs::read_dir(&folder)
        .into_iter()
        .flatten()
        .take(MOST_NAMES)
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().to_str()?.to_owned();
            // Hidden ones only where they are asked for.
            let wanted = name.starts_with(&start) && (name.starts_with('.') == start.starts_with('.'));
            let is_folder = wanted && entry.path().is_dir();
            (wanted && (is_folder || !folders))
                .then(|| format!("{typed_folder}{name}{}", if is_folder { "/" } else { "" }))
        })
        .collect();
    offers.sort_by_key(|offer| (!offer.ends_with('/'), offer.trim_end_matches('/').to_lowercase()));
    Known {
        text: text.to_owned(),
        is_file: path.is_file(),
        is_folder: path.is_dir(),
        has_folder: parent.is_some_and(|parent| parent.is_dir()),
        path,
        offers,
    }
}

/// The path that a typed text means: `~` is the home folder, and what begins nowhere lies in the working folder. Quotes
/// around it, as from a terminal, are taken off.
fn typed_path(text: &str) -> PathBuf {
    let text = text.trim();
    let quoted = |quote: char| text.len() > 1 && text.starts_with(quote) && text.ends_with(quote);
    let text = if quoted('"') || quoted('\'') { &text[1..text.len() - 1] } else { text };
    let home = directories::UserDirs::new().map(|dirs| dirs.home_dir().to_owned());
    let path = match (text.strip_prefix('~'), home) {
        (Some(""), Some(home)) => home,
        (Some(rest), Some(home)) if rest.starts_with('/') => home.join(rest.trim_start_matches('/')),
        _ => PathBuf::from(text),
    };
    std::path::absolute(&path).unwrap_or_else(|_| std::env::current_dir().unwrap_or(path))
}

/// What all of them begin with.
fn common_start(offers: &[String]) -> Option<String> {
    let first = offers.first()?;
    let mut end = first.len();
    for other in &offers[1..] {
        let same = first.char_indices().zip(other.chars()).take_while(|((_, a), b)| a == b);
        end = end.min(same.map(|((at, c), _)| at + c.len_utf8()).last().unwrap_or(0));
    }
    Some(first[..end].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted(wanted: Wanted, text: &str) -> Result<PathBuf, String> {
        let mut prompt = Prompt::new(Question::new("x", wanted.clone()));
        let known = known(text, wanted == Wanted::Folder);
        prompt.accept(&known).ok_or(prompt.problem)
    }

    #[test]
    fn a_typed_path_is_taken_where_it_is_what_was_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        std::fs::create_dir_all(folder.path().join("data/BUSI")).unwrap();
        std::fs::write(folder.path().join("data/points.csv"), "1").unwrap();
        assert_eq!(accepted(Wanted::Folder, &at("data")), Ok(folder.path().join("data")));
        assert_eq!(
            accepted(Wanted::File, &format!(" '{}' ", at("data/points.csv"))),
            Ok(folder.path().join("data/points.csv"))
        );
        assert!(accepted(Wanted::Folder, &at("data/points.csv")).unwrap_err().contains("a folder is wanted"));
        assert!(accepted(Wanted::File, &at("data")).unwrap_err().contains("a file is wanted"));
        assert!(accepted(Wanted::Files, &at("none.png")).unwrap_err().contains("no such file"));
        assert!(accepted(Wanted::Folder, "  ").unwrap_err().contains("type a path"));

        let save = || Wanted::Save("a.csv".to_owned());
        assert_eq!(accepted(save(), &at("new.csv")), Ok(folder.path().join("new.csv")));
        assert!(accepted(save(), &at("data")).unwrap_err().contains("add a file name"));
        assert!(accepted(save(), &at("none/new.csv")).unwrap_err().contains("no such folder"));
        // What is there is replaced only when it is asked for a second time.
        let mut prompt = Prompt::new(Question::new("x", save()));
        let there = known(&at("data/points.csv"), false);
        assert_eq!(prompt.accept(&there), None);
        assert!(prompt.problem.contains("there already"), "{}", prompt.problem);
        assert_eq!(prompt.accept(&there), Some(folder.path().join("data/points.csv")));
    }

    #[test]
    fn names_are_offered_and_completed() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["images", "images 2", ".hidden"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        std::fs::write(folder.path().join("index.csv"), "").unwrap();
        let at = |name: &str| format!("{}/{name}", folder.path().display());
        assert_eq!(known(&at("im"), true).offers, [at("images/"), at("images 2/")]);
        assert_eq!(common_start(&known(&at("im"), true).offers), Some(at("images")));
        assert_eq!(known(&at("i"), false).offers.len(), 3);
        assert_eq!(known(&at("i"), true).offers.len(), 2);
        assert_eq!(known(&at(""), false).offers.len(), 3);
        assert_eq!(known(&at(".h"), true).offers, [at(".hidden/")]);
        assert!(known(&at("nothing/here"), false).offers.is_empty());
        assert_eq!(typed_path("x"), std::env::current_dir().unwrap().join("x"));
    }
}
