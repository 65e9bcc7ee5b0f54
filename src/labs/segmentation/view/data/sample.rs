//! The generated ultrasound set as a folder of one's own, to look at, to correct and to train on.

use std::fs;
use std::path::{Path, PathBuf};

use eframe::egui::{Label, RichText, TextEdit, Ui, vec2};

use crate::data::synth::ultrasound_folder::{self, MANIFEST};
use crate::engine::params::Value;
use crate::engine::run_folder::write_whole;
use crate::kit::view::ViewCtx;
use crate::labs::segmentation::params::{FOLDER, FROM_FOLDER};
use crate::plot::background::{Task, repaint};
use crate::plot::{medium, tile};

/// The field and the button, and the thread that writes.
#[derive(Debug, Default)]
pub struct SampleSet {
    /// What is typed; `None`: the usual place.
    folder: Option<String>,
    job: Option<Task<Result<PathBuf, String>>>,
    error: Option<String>,
}

/// Where the set is put unless somebody types another folder.
pub fn usual_place() -> PathBuf {
    directories::ProjectDirs::from("", "", "learnscope")
        .map_or_else(|| PathBuf::from("learnscope-ultrasound"), |dirs| dirs.data_dir().join("ultrasound"))
}

impl SampleSet {
    /// Draws the field and the button; once the set is on disk the form is set to it.
    pub fn show(&mut self, ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
        let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
        if let Some(done) = self.finished() {
            match done {
                Ok(folder) => {
                    let text = folder.to_string_lossy().into_owned();
                    if let Some(source) = FROM_FOLDER.value(|folder| *folder) {
                        ctx.set(FROM_FOLDER.key(), source, true);
                    }
                    ctx.set(FOLDER.key(), Value::Text(text), true);
                    self.error = None;
                }
                Err(error) => self.error = Some(error),
            }
        }
        if medium::is_figure(ui.ctx()) {
            return;
        }
        let mut text = self.folder.clone().unwrap_or_else(|| usual_place().to_string_lossy().into_owned());
        let hint = "a folder that does not exist yet or is empty";
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing = vec2(6.0, 4.0);
            let width = (ui.available_width() - 26.0 * size).clamp(12.0 * size, 44.0 * size);
            let field = TextEdit::singleline(&mut text).hint_text(hint).desired_width(width);
            let field = ui.add_enabled(self.job.is_none(), field).on_hover_text("Folder for the sample set");
            field.widget_info(|| {
                eframe::egui::WidgetInfo::labeled(
                    eframe::egui::accesskit::Role::TextInput,
                    true,
                    "Folder for the sample set",
                )
            });
            if field.changed() {
                self.folder = Some(text.clone());
            }
            let name = "Save the sample set as a folder and edit it";
            let help = "Writes 120 generated images with their masks (BUSI layout, 1.3 MB) and opens them here";
            if tile::button(ui, self.job.is_none() && !text.trim().is_empty(), name, help, size) {
                self.error = None;
                let folder = PathBuf::from(text.trim());
                self.job = Some(Task::begin("sample set", repaint(ui.ctx()), move |_| write_set(&folder)));
            }
        });
        if self.job.is_some() {
            ui.label(tile::weak("writing the images…", size, style));
        }
        if let Some(error) = &self.error {
            ui.add(Label::new(RichText::new(error).size(size + 0.5).color(style.error)).wrap());
        }
    }

    fn finished(&mut self) -> Option<Result<PathBuf, String>> {
        let done = self.job.as_ref()?.poll()?;
        self.job = None;
        Some(done.flatten())
    }
}

/// Writes the set and gives the folder's full path. A folder that holds the set already is left as it is; one that holds
/// anything else is refused.
pub fn write_set(folder: &Path) -> Result<PathBuf, String> {
    let folder = std::path::absolute(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let said = |error: &dyn std::fmt::Display| format!("the sample set is not saved in {}: {error}", folder.display());
    let files = ultrasound_folder::files(ultrasound_folder::SEED).map_err(|error| said(&error))?;
    if folder.join(MANIFEST).is_file() && files.iter().all(|file| folder.join(&file.name).is_file()) {
        return Ok(folder);
    }
    let taken = fs::read_dir(&folder).is_ok_and(|entries| {
        entries.flatten().any(|entry| files.iter().all(|file| entry.file_name() != file.name.as_str()))
    });
    if taken {
        return Err(said(&"it holds other files; choose an empty folder or one that does not exist yet"));
    }
    fs::create_dir_all(&folder).map_err(|error| said(&format!("{error}; choose another folder")))?;
    // The manifest comes last: where it is, all others are.
    let (manifest, images): (Vec<_>, Vec<_>) = files.iter().partition(|file| file.name == MANIFEST);
    for file in images.into_iter().chain(manifest) {
        write_whole(&folder.join(&file.name), &file.bytes).map_err(|error| said(&error))?;
    }
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_set_is_written_once_and_nothing_else_is_touched() {
        let place = tempfile::tempdir().unwrap();
        let folder = write_set(&place.path().join("new/ultrasound")).unwrap();
        let count = fs::read_dir(&folder).unwrap().count();
        assert!(count > 240, "{count} files");
        // A correction beside it stays.
        fs::create_dir(folder.join("learnscope-masks")).unwrap();
        fs::write(folder.join("learnscope-masks/x.png"), "x").unwrap();
        assert_eq!(write_set(&folder).unwrap(), folder);
        assert!(folder.join("learnscope-masks/x.png").is_file());
        fs::write(place.path().join("mine.txt"), "x").unwrap();
        let refused = write_set(place.path()).unwrap_err();
        assert!(refused.contains("holds other files"), "{refused}");
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 2);
        assert!(write_set(&place.path().join("mine.txt")).is_err());
    }
}
