//! Other runs beside the shown one: its twin, and recorded ones that the user chooses. They are read by a thread.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use eframe::egui::{Context, ScrollArea, Ui};

use crate::engine::catalogue::{Recorded, Standing};
use crate::engine::event::{Payload, RunId};
use crate::engine::params::Params;
use crate::engine::twin::twin_key;
use crate::kit::fields::Fields;
use crate::kit::series::twin_name;
use crate::kit::view::ViewCtx;
use crate::kit::wall::Map;
use crate::labs::segmentation::SPEC;
use crate::labs::segmentation::compare::Results;
use crate::labs::segmentation::compare::report::{MOST_OTHERS, OTHERS};
use crate::labs::segmentation::params::PARAMS;
use crate::pixels::mask::Mask;
use crate::plot::background::{Task, repaint};
use crate::plot::names;

use super::gallery::mask_of;

/// Runs that the menu offers, the newest.
const OFFERED: usize = 200;

/// An image of a run's wall.
#[derive(Debug)]
pub struct Walled {
    /// `None` where it was not recorded.
    pub truth: Option<Mask>,
    /// The newest probabilities.
    pub map: Arc<Map>,
}

/// Another run, as it was recorded last.
#[derive(Debug)]
pub struct Other {
    pub results: Results,
    /// By name.
    pub wall: HashMap<String, Walled>,
    /// Another one for each that was read.
    pub number: u64,
}

/// What is known of a chosen run.
#[derive(Debug)]
enum Known {
    Reading(Task<Result<Other, String>>),
    There(Arc<Other>),
    Failed(String),
}

/// Results, and of which steps the tables and pictures are that they were made of.
type Made = (Vec<Option<u64>>, Arc<Other>);

/// The chosen runs.
#[derive(Debug, Default)]
pub struct Others {
    /// Their folders.
    chosen: Vec<PathBuf>,
    known: Vec<(PathBuf, Known)>,
    /// The twin and the shown run itself.
    twin: Option<Made>,
    own: Option<Made>,
    run: Option<RunId>,
    /// How often results were read or made: each has a number of its own, which others keep theirs by.
    read: u64,
}

impl Others {
    /// What of it belongs to a scene.
    pub fn fields(&mut self, fields: &mut Fields) {
        let write = |chosen: &Vec<PathBuf>| {
            chosen.iter().map(|folder| folder.display().to_string()).collect::<Vec<_>>().join("\n")
        };
        let read = |text: &str| Some(text.lines().take(MOST_OTHERS).map(PathBuf::from).collect());
        fields.text(OTHERS, &mut self.chosen, Vec::new(), write, read);
    }

    /// Forgets what was made of another run.
    fn renew(&mut self, ctx: &ViewCtx<'_>) {
        if self.run != ctx.run.id {
            (self.run, self.twin, self.own) = (ctx.run.id, None, None);
        }
    }

    /// Takes in what was read, and begins to read what is missing.
    pub fn follow(&mut self, egui: &Context, ctx: &ViewCtx<'_>) {
        self.renew(ctx);
        let Self { chosen, known, read, .. } = self;
        known.retain(|(folder, _)| chosen.contains(folder));
        for folder in chosen.iter() {
            if known.iter().any(|(of, _)| of == folder) {
                continue;
            }
            *read += 1;
            let (path, number) = (folder.clone(), *read);
            let task = Task::begin("another run", repaint(egui), move |_| read_run(&path, number));
            known.push((folder.clone(), Known::Reading(task)));
        }
        for (_, known) in known.iter_mut() {
            let Known::Reading(task) = known else { continue };
            *known = match task.poll() {
                None => continue,
                Some(Ok(Ok(other))) => Known::There(Arc::new(other)),
                Some(Ok(Err(problem)) | Err(problem)) => Known::Failed(problem),
            };
        }
    }

    /// The shown run's own results at the cursor.
    pub fn own(&mut self, ctx: &ViewCtx<'_>) -> Arc<Other> {
        self.renew(ctx);
        let name = "this run".to_owned();
        // Its pictures are in the gallery.
        let payload = |key: &str| if key.starts_with("wall/") { None } else { ctx.payload(key) };
        made(&mut self.own, &mut self.read, (name, &ctx.run.params), payload)
    }

    /// The twin, if there is one, and the chosen runs that are read.
    pub fn list(&mut self, ctx: &ViewCtx<'_>) -> Vec<Arc<Other>> {
        self.renew(ctx);
        let mut list = Vec::new();
        if let (Some(name), Some(params)) = (twin_name(ctx.run, PARAMS), &ctx.run.twin) {
            // The twin has the run's own data, which it does not record again.
            let payload = |key: &str| {
                let own = ctx.payload(&twin_key(key));
                own.or_else(|| ctx.payload(key).filter(|_| !is_measured(key)))
            };
            list.push(made(&mut self.twin, &mut self.read, (format!("twin: {name}"), params), payload));
        }
        for folder in &self.chosen {
            let known = self.known.iter().find(|(of, _)| of == folder);
            if let Some((_, Known::There(other))) = known {
                list.push(Arc::clone(other));
            }
        }
        list
    }

    /// Whether a run is being read.
    pub fn is_busy(&self) -> bool {
        self.known.iter().any(|(_, known)| matches!(known, Known::Reading(_)))
    }

    /// Why chosen runs are not shown, one statement each.
    pub fn problems(&self) -> Vec<&str> {
        let failed = self.known.iter().filter_map(|(_, known)| match known {
            Known::Failed(problem) => Some(problem.as_str()),
            _ => None,
        });
        failed.collect()
    }

    /// The recorded runs to choose from.
    pub fn menu(&mut self, ui: &mut Ui, ctx: &ViewCtx<'_>) {
        let shown = ctx.run.header.as_ref().map(|header| header.folder.clone()).unwrap_or_default();
        let listing = ctx.past.runs();
        let is_of_lab = |run: &&Arc<Recorded>| {
            let header = run.header.as_ref().filter(|header| header.lab == SPEC.id);
            header.is_some() && run.standing != Standing::Damaged && run.folder != Path::new(&shown)
        };
        let offered: Vec<&Arc<Recorded>> = listing.runs.iter().filter(is_of_lab).take(OFFERED).collect();
        if offered.is_empty() {
            ui.label("No other recorded run of this lab; those of the studies are listed too.");
        }
        ScrollArea::vertical().max_height(320.0).show(ui, |ui| {
            for run in offered {
                let mut on = self.chosen.contains(&run.folder);
                let full = !on && self.chosen.len() >= MOST_OTHERS;
                let help = if full { "Six runs are as many as are shown" } else { "Compares it with the shown run" };
                ui.add_enabled_ui(!full, |ui| {
                    let words = in_words(run);
                    if ui.checkbox(&mut on, &words).on_hover_text(help).on_disabled_hover_text(help).changed() {
                        self.toggle(&run.folder);
                    }
                });
            }
        });
        if !self.chosen.is_empty() {
            ui.separator();
            if ui.button("none").on_hover_text("Shows this run alone").clicked() {
                self.chosen.clear();
            }
        }
    }

    /// Chooses a run, or leaves it out again.
    pub fn toggle(&mut self, folder: &Path) {
        match self.chosen.iter().position(|of| of == folder) {
            Some(at) => drop(self.chosen.remove(at)),
            None => self.chosen.push(folder.to_owned()),
        }
    }
}

/// What a twin measures itself.
fn is_measured(key: &str) -> bool {
    key.ends_with("/images") || key.starts_with("wall/probability/")
}

/// Results of what is in memory, made anew when a table or a picture of another step is there. `payload` gives a bulky value
/// with its step.
fn made(
    kept: &mut Option<Made>,
    read: &mut u64,
    (name, params): (String, &Params),
    payload: impl Fn(&str) -> Option<(u64, Arc<Payload>)>,
) -> Arc<Other> {
    let step = |key: &str| payload(key).map(|(step, _)| step);
    let steps: Vec<Option<u64>> =
        ["test/images", "validation/images", "data/split", "wall/probability/0"].map(step).to_vec();
    if let Some((of, other)) = kept
        && *of == steps
        && other.results.name == name
    {
        return Arc::clone(other);
    }
    *read += 1;
    let results = Results::of(name, params, |key| payload(key).map(|(_, payload)| payload));
    let other = Arc::new(Other { results, wall: wall(&payload), number: *read });
    *kept = Some((steps, Arc::clone(&other)));
    other
}

/// The wall of a run by name.
fn wall(payload: &impl Fn(&str) -> Option<(u64, Arc<Payload>)>) -> HashMap<String, Walled> {
    let names = payload("wall/names").map(|(_, names)| names);
    let Some(Payload::Text(names)) = names.as_deref() else { return HashMap::new() };
    let image = |(i, name): (usize, &str)| {
        let (step, map) = payload(&format!("wall/probability/{i}"))?;
        let map = Arc::new(Map::read(step, &map, 256.0, 0.5)?);
        let truth = payload(&format!("wall/truth/{i}")).and_then(|(_, truth)| mask_of(&truth));
        Some((name.to_owned(), Walled { truth, map }))
    };
    names.lines().enumerate().filter_map(image).collect()
}

fn read_run(folder: &Path, number: u64) -> Result<Other, String> {
    let (results, state) = Results::of_folder(folder)?;
    let wall = wall(&|key: &str| state.payloads.get(key)?.newest.clone());
    Ok(Other { results, wall, number })
}

/// A recorded run in the menu.
fn in_words(run: &Recorded) -> String {
    let folder = run.folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let Some(header) = &run.header else { return folder };
    let name = if header.name.is_empty() { folder } else { header.name.clone() };
    let name = names::shortened(&name, |text| text.chars().count() <= 44);
    let dice = run
        .last("test/dice")
        .map_or_else(|| run.standing.word().to_owned(), |(_, dice)| format!("test Dice {dice:.3}"));
    let day = header.started.get(..16).unwrap_or(&header.started).replace('T', " ");
    format!("{name}, seed {}, {dice}, {day}", header.seed)
}
