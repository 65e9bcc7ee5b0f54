//! Screenshots and figures: the window's pixels, whole or one tile, as PNG, encoded and written on a thread.

use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::thread;

use eframe::egui::{self, ColorImage, Rect};

use super::backend::Wake;
use super::runs;
use super::session::Session;
use super::tiles::Place;
use crate::engine::event::Level;

/// What is said about a picture when it is written, or cannot be.
type Said = (Level, String);

/// Pictures on their way to disk.
pub struct Capture {
    /// Where each visible tile lay in the last frame.
    pub tiles: Vec<Place>,
    /// A figure to be taken when the overlays are gone.
    wanted: Option<Wanted>,
    results: (mpsc::Sender<Said>, mpsc::Receiver<Said>),
    wake: Wake,
}

#[derive(Debug)]
struct Wanted {
    file: PathBuf,
    /// Part of the window in points; `None`: all of it.
    part: Option<Rect>,
}

impl Capture {
    pub fn new(wake: Wake) -> Self {
        Self { tiles: Vec::new(), wanted: None, results: mpsc::channel(), wake }
    }

    /// What has been written, or why not.
    pub fn finished(&self) -> Vec<Said> {
        self.results.1.try_iter().collect()
    }

    /// Asks for the pixels of the next frame.
    fn take(&self, ctx: &egui::Context, wanted: Wanted) {
        let scale = ctx.pixels_per_point();
        let (sender, wake) = (self.results.0.clone(), self.wake.clone());
        ctx.request_screenshot(move |image| write_on_thread(image, wanted, scale, sender, wake));
        ctx.request_repaint();
    }
}

fn write_on_thread(image: Arc<ColorImage>, wanted: Wanted, scale: f32, sender: mpsc::Sender<Said>, wake: Wake) {
    let _ = thread::Builder::new().name("png".to_owned()).spawn(move || {
        let said = match write_png(&image, wanted.part, scale, &wanted.file) {
            Ok(()) => (Level::Info, format!("saved {}", wanted.file.display())),
            Err(error) => (Level::Error, format!("{} cannot be written: {error}", wanted.file.display())),
        };
        let _ = sender.send(said);
        wake();
    });
}

/// Writes `part` (in points, `scale` pixels each) of a picture as a new PNG file.
pub fn write_png(image: &ColorImage, part: Option<Rect>, scale: f32, file: &Path) -> Result<(), String> {
    let [width, height] = image.size;
    let whole = Rect::from_min_max(egui::Pos2::ZERO, egui::pos2(width as f32, height as f32));
    let area = part.map_or(whole, |part| (part * scale).intersect(whole));
    let (x0, y0) = (area.left().round().max(0.0) as usize, area.top().round().max(0.0) as usize);
    let (x1, y1) = ((area.right().round() as usize).min(width), (area.bottom().round() as usize).min(height));
    if x1 <= x0 || y1 <= y0 {
        return Err("the figure is not visible".to_owned());
    }
    let mut rgba = Vec::with_capacity((x1 - x0) * (y1 - y0) * 4);
    for y in y0..y1 {
        for pixel in &image.pixels[y * width + x0..y * width + x1] {
            let [r, g, b, _] = pixel.to_array();
            // A window is opaque, whatever the compositor made of its alpha.
            rgba.extend([r, g, b, 255]);
        }
    }
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).map_err(|error| error.to_string())?;
    }
    let mut bytes = std::io::Cursor::new(Vec::new());
    let (width, height) = ((x1 - x0) as u32, (y1 - y0) as u32);
    image::write_buffer_with_format(
        &mut bytes,
        &rgba,
        width,
        height,
        image::ExtendedColorType::Rgba8,
        image::ImageFormat::Png,
    )
    .map_err(|error| error.to_string())?;
    crate::disk::write_new(file, bytes.get_ref()).map_err(|error| error.to_string())
}

impl Capture {
    /// A picture of the whole window.
    pub fn screenshot(&mut self, lab: &str, runs: &Path) {
        self.screenshot_to(pictures(runs).join(format!("learnscope-{lab}-{}.png", runs::stamp())));
    }

    /// Takes a picture of the window into this file.
    pub fn screenshot_to(&mut self, file: PathBuf) {
        self.wanted = Some(Wanted { file, part: None });
    }

    /// A picture of one tile as it is on the screen; in a talk it fills that. The error says why there is none.
    pub fn figure(&mut self, tile: &str, session: &Session, talk: bool, runs: &Path) -> Result<(), &'static str> {
        let place = self.tiles.iter().find(|(id, _)| *id == tile).map(|(_, rect)| *rect);
        let part = if talk { None } else { place };
        if part.is_none() && !talk {
            return Err("this tile is not visible now; show it first (Tiles menu)");
        }
        self.wanted = Some(Wanted { file: figure_file(tile, session, runs, "png"), part });
        Ok(())
    }

    /// Takes the picture that was asked for; called at the end of a frame, when menus and palette have closed.
    pub fn take_wanted(&mut self, ctx: &egui::Context) {
        if !egui::Popup::is_any_open(ctx)
            && let Some(wanted) = self.wanted.take()
        {
            self.take(ctx, wanted);
        }
    }
}

/// Where what is saved of a run lies: with it where that lasts, else with the user's pictures.
#[derive(Debug, Clone)]
pub struct Beside {
    folder: PathBuf,
    /// How the names of the files begin.
    run: String,
}

impl Beside {
    /// The place of the run that is shown.
    pub fn of(session: &Session, runs: &Path) -> Self {
        let folder = session.run.header.as_ref().map(|header| PathBuf::from(&header.folder));
        // The folder that follows the form is emptied by the next edit.
        let lasting =
            folder.filter(|folder| !folder.as_os_str().is_empty() && !folder.to_string_lossy().ends_with("-live"));
        let folder = lasting.map_or_else(|| pictures(runs), |folder| folder.join("figures"));
        Self { folder, run: session.name.clone() }
    }

    /// The file of a tile, or of anything else, after so many steps.
    pub fn file(&self, what: &str, step: u64, suffix: &str) -> PathBuf {
        let name = format!("{}-{what}-step{step}", self.run);
        self.folder.join(format!("{}-{}.{suffix}", runs::file_name(&name), runs::stamp()))
    }
}

/// Where a figure of a tile is saved, as the cursor stands.
pub fn figure_file(tile: &str, session: &Session, runs: &Path, suffix: &str) -> PathBuf {
    Beside::of(session, runs).file(tile, session.play.cursor.step, suffix)
}

/// The user's folder for pictures, or one beside the runs.
fn pictures(runs: &Path) -> PathBuf {
    let own = directories::UserDirs::new().and_then(|dirs| dirs.picture_dir().map(|folder| folder.join("Learnscope")));
    own.unwrap_or_else(|| runs.join("figures"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tile_is_cut_out_at_the_screens_resolution() {
        let folder = tempfile::tempdir().unwrap();
        let mut image = ColorImage::filled([8, 6], egui::Color32::BLACK);
        image.pixels[2 * 8 + 4] = egui::Color32::WHITE;
        let file = folder.path().join("figures").join("tile.png");
        let part = Rect::from_min_max(egui::pos2(2.0, 1.0), egui::pos2(9.0, 9.0));
        write_png(&image, Some(part), 2.0, &file).unwrap();
        let read = image::open(&file).unwrap().to_rgba8();
        assert_eq!(read.dimensions(), (4, 4));
        assert_eq!(read.get_pixel(0, 0).0, [255, 255, 255, 255]);
        assert_eq!(read.get_pixel(1, 0).0, [0, 0, 0, 255]);
        let outside = Rect::from_min_max(egui::pos2(90.0, 90.0), egui::pos2(99.0, 99.0));
        assert!(write_png(&image, Some(outside), 2.0, &file).unwrap_err().contains("not visible"));
    }
}
