//! Scenes in the window: taken from the lab in front, shown in the lab that they name, and the field into which a code is
//! pasted.

use std::path::PathBuf;

use eframe::egui::{self, Id, Modal, RichText, TextEdit, vec2};

use super::act::Act;
use super::closing::Next;
use super::pins;
use super::playback::SPEEDS;
use super::scene::{Changed, PinnedRuns, Scene};
use super::session::{Session, Start};
use super::state::State;
use crate::engine::event::{Change, Level};
use crate::kit::fields;
use crate::kit::view::{Cursor, PastPayloads};
use crate::plot::style::Style;

impl Session {
    /// What is on the screen of this lab, but for the panels beside it.
    pub fn scene(&mut self) -> Scene {
        let arrangement = self.view.arrangement(&self.params);
        let specs = self.lab.spec.params;
        let differing = specs.iter().filter_map(|spec| {
            let value = self.params.get(spec.key).filter(|value| **value != spec.default.into())?;
            Some((spec.key.to_owned(), value.to_string()))
        });
        let changed =
            |change: &Change| Changed { step: change.step, key: change.key.clone(), value: change.value.to_string() };
        Scene {
            lab: self.lab.spec.id.to_owned(),
            seed: self.seed,
            step: self.play.cursor.step,
            sub: self.play.cursor.sub,
            follow: self.play.follow,
            speed: self.play.speed,
            layout: self.layouts.text(&arrangement),
            maximised: self.layouts.maximised.unwrap_or_default().to_owned(),
            params: differing.collect(),
            view: fields::taken(self.view.as_mut()),
            changes: self.changes.iter().map(changed).collect(),
            ..Scene::default()
        }
    }

    /// Puts a scene of this lab on the screen, as one undo step; what of it this version does not take is told, and left
    /// out. The run is still the old one.
    fn show_scene(&mut self, scene: &Scene) -> Vec<String> {
        let (params, changes, mut refused) = scene.values(self.lab.spec.params);
        let arrangement = self.view.arrangement(&params);
        self.edit_all(|session| {
            (session.params, session.changes, session.seed) = (params, changes, scene.seed);
            if !session.layouts.set_text(&arrangement, &scene.layout) {
                refused.push("the layout of its tiles is not one of this lab's".to_owned());
            }
            session.layouts.maximised = session.layouts.find(&scene.maximised).map(|tile| tile.id);
            fields::put(session.view.as_mut(), &scene.view);
        });
        self.errors.clear();
        self.from_cursor = false;
        self.play.follow_live();
        let cursor = Cursor { step: scene.step, sub: scene.sub };
        (self.play.cursor, self.play.follow, self.play.touched) = (cursor, scene.follow, true);
        // A scene that was written by hand need not say it.
        self.play.speed = if scene.speed > 0.0 { scene.speed.clamp(SPEEDS.0, SPEEDS.1) } else { 1.0 };
        // A view may turn from what the old run does not have.
        self.scene_view = Some(scene.view.clone());
        refused
    }
}

impl State {
    /// The scene of the lab in front.
    pub fn scene(&mut self) -> Option<Scene> {
        let (form, guide) = (self.settings.form_open, self.settings.guide_open);
        let runs: Vec<String> = self.pinned_here().map(|run| run.display().to_string()).collect();
        let by = if runs.is_empty() { String::new() } else { self.settings.pinned_by.clone() };
        Some(Scene { form, guide, pinned: PinnedRuns { runs, by }, ..self.front_mut()?.scene() })
    }

    /// Pinned runs of the lab in front, and those that are not read yet.
    fn pinned_here(&self) -> impl Iterator<Item = &PathBuf> {
        let others = self.sessions.iter().enumerate().filter(|(at, _)| *at != self.active);
        let others: Vec<_> = others.map(|(_, session)| session.past.view(&session.run).pinned()).collect();
        let is_other =
            move |folder: &PathBuf| others.iter().flat_map(|of| &of.runs).any(|run| run.numbers.folder == *folder);
        self.settings.pinned.iter().filter(move |folder| !is_other(folder))
    }

    /// Brings a scene to the front. A run that is computed at once is computed; training waits for the user's word.
    pub fn show_scene(&mut self, scene: &Scene) {
        let Some(lab) = self.lab(&scene.lab) else {
            let text = format!("the scene is of lab `{}`, which this version does not have", scene.lab);
            return self.notice(Level::Error, text);
        };
        let refused = self.sessions[lab].show_scene(scene);
        self.active = lab;
        scene.lab.clone_into(&mut self.settings.lab);
        (self.settings.form_open, self.settings.guide_open) = (scene.form, scene.guide);
        pins::show_scene(scene, self);
        let session = &self.sessions[lab];
        let (title, whole) = (session.lab.spec.title, session.playback_rate().is_some());
        if !refused.is_empty() {
            let text = format!("the scene was opened without what this version does not take: {}", refused.join("; "));
            self.notice(Level::Warning, text);
        }
        if whole {
            self.notice(Level::Info, format!("a scene of {title} was opened; Undo brings back what was there"));
            self.wish(Next::Start(lab, Start::Settled));
        } else {
            let text = "a scene holds no weights: its values are in the form; start the run to train with them";
            self.notice(Level::Info, text);
        }
    }
}

/// The field into which a code is pasted.
#[derive(Debug, Default)]
pub struct Paste {
    pub open: bool,
    text: String,
    /// Why the text was refused.
    problem: Option<String>,
}

impl Paste {
    pub fn show(&mut self, ctx: &egui::Context, style: &Style, acts: &mut Vec<Act>) {
        if !self.open {
            return;
        }
        let mut close = false;
        let response = Modal::new(Id::unique("scene code")).show(ctx, |ui| {
            ui.set_width(420.0_f32.min(ctx.content_rect().width() - 48.0).max(120.0));
            ui.label("Paste the code of a scene:");
            let field = TextEdit::multiline(&mut self.text).desired_rows(4).desired_width(f32::INFINITY);
            let field = ui.add(field.char_limit(1 << 17)).accessible_name("Code of a scene");
            if field.changed() {
                self.problem = None;
            } else if self.text.is_empty() && !field.has_focus() {
                field.request_focus();
            }
            if let Some(problem) = &self.problem {
                ui.label(RichText::new(problem).color(style.error));
            }
            ui.add_space(8.0);
            ui.horizontal(|ui| {
                ui.spacing_mut().item_spacing = vec2(8.0, 0.0);
                if ui.button("Open the scene").clicked() {
                    match Scene::from_code(&self.text) {
                        Ok(_) => {
                            acts.push(Act::ShowScene(self.text.split_whitespace().collect()));
                            close = true;
                        }
                        Err(problem) => self.problem = Some(problem),
                    }
                }
                close |= ui.button("Cancel").clicked();
            });
        });
        if close || response.should_close() {
            *self = Self::default();
        }
    }
}
