//! Signs that the bundled fonts lack (Han, kana, Hangul, Arabic, emoji in the names of files): when one is met, a font of the
//! system that has it is looked for on a thread, and joins the bundled ones as the last.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;

use eframe::egui::epaint::text::{FallbackRequest, FontInsert, FontPriority, FontProvider, InsertFontFamily};
use eframe::egui::{self, FontData, FontFamily};
use skrifa::{FontRef, MetadataProvider as _};

use super::theme;
use crate::disk;

/// Files of fonts with Han, kana or Hangul, as distributions and systems name them; the first one that has the sign is
/// taken.
const EAST_ASIAN: &[&str] = &[
    "NotoSansCJK-Regular.ttc",
    "NotoSansCJK-VF.otf.ttc",
    "NotoSansCJKsc-Regular.otf",
    "NotoSansCJKjp-Regular.otf",
    "NotoSansCJKkr-Regular.otf",
    "NotoSansSC-Regular.otf",
    "NotoSansSC[wght].ttf",
    "NotoSansJP-Regular.otf",
    "NotoSansJP[wght].ttf",
    "NotoSansKR-Regular.otf",
    "NotoSansKR[wght].ttf",
    "SourceHanSans.ttc",
    "SourceHanSansSC-Regular.otf",
    "SourceHanSansCN-Regular.otf",
    "wqy-microhei.ttc",
    "wqy-zenhei.ttc",
    "DroidSansFallbackFull.ttf",
    "DroidSansFallback.ttf",
    "ipagp.ttf",
    "ipag.ttf",
    "TakaoPGothic.ttf",
    "VL-PGothic-Regular.ttf",
    "NanumGothic.ttf",
    "UnDotum.ttf",
    // macOS
    "Hiragino Sans GB.ttc",
    "PingFang.ttc",
    "ヒラギノ角ゴシック W3.ttc",
    "AppleSDGothicNeo.ttc",
    "Arial Unicode.ttf",
    // Windows
    "YuGothR.ttc",
    "msyh.ttc",
    "meiryo.ttc",
    "msgothic.ttc",
    "simsun.ttc",
    "malgun.ttf",
    "unifont.otf",
    "unifont.ttf",
];

/// The same for emoji, drawn in one colour, and for other signs.
const OTHERS: &[&str] = &[
    "NotoEmoji-Regular.ttf",
    "NotoEmoji[wght].ttf",
    "NotoEmoji-VariableFont_wght.ttf",
    "NotoSansSymbols2-Regular.ttf",
    "Symbola.ttf",
    "Symbola_hint.ttf",
    "DejaVuSans.ttf",
    "NotoSans-Regular.ttf",
    "NotoSansArabic-Regular.ttf",
    "NotoSansHebrew-Regular.ttf",
    "NotoSansDevanagari-Regular.ttf",
    "NotoSansThai-Regular.ttf",
    "FreeSans.ttf",
    "Arial Unicode.ttf",
    "Apple Symbols.ttf",
    "seguiemj.ttf",
    "seguisym.ttf",
    "segoeui.ttf",
    "unifont.otf",
    "unifont.ttf",
];

/// Bytes of the largest font that is read.
const LARGEST: u64 = 64 << 20;
/// Most files and folders of fonts that are looked at, and folders within folders.
const MOST: usize = 50_000;
const DEEPEST: usize = 8;

/// Has signs that the bundled fonts lack drawn with fonts of the system.
pub fn install(ctx: &egui::Context) {
    ctx.add_font_provider(Arc::new(SystemFonts { ctx: ctx.clone(), asked: Mutex::default() }));
}

struct SystemFonts {
    ctx: egui::Context,
    asked: Mutex<Asked>,
}

#[derive(Default)]
struct Asked {
    /// Each is looked for once.
    signs: HashSet<char>,
    /// To the thread that looks, once there is one.
    thread: Option<mpsc::Sender<char>>,
}

impl FontProvider for SystemFonts {
    /// A frame never waits for a disk: the sign is drawn once its font has been added.
    fn font_for(&self, request: &FallbackRequest<'_>) -> Option<FontInsert> {
        let sign = request.cluster.chars().next()?;
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if asked.signs.insert(sign) {
            let thread = asked.thread.get_or_insert_with(|| {
                let (sender, receiver) = mpsc::channel();
                let ctx = self.ctx.clone();
                let _ = thread::Builder::new().name("fonts".to_owned()).spawn(move || look(&receiver, &ctx));
                sender
            });
            let _ = thread.send(sign);
        }
        None
    }
}

/// Adds a font for every sign that comes.
fn look(signs: &mpsc::Receiver<char>, ctx: &egui::Context) {
    let mut fonts = Fonts::below(&folders());
    let mut added = HashSet::new();
    for sign in signs {
        let Some(path) = fonts.with(sign).filter(|path| added.insert(path.clone())) else { continue };
        let Ok(bytes) = disk::read(&path, LARGEST) else { continue };
        let families = [FontFamily::Proportional, FontFamily::Monospace, theme::strong_family()];
        let last = |family| InsertFontFamily { family, priority: FontPriority::Lowest };
        let families = families.map(last).to_vec();
        ctx.add_font(FontInsert::new(&path.to_string_lossy(), FontData::from_owned(bytes), families));
        ctx.request_repaint();
    }
}

/// Where systems keep their fonts.
fn folders() -> Vec<PathBuf> {
    let home = directories::BaseDirs::new();
    let own = home.iter().flat_map(|dirs| {
        [dirs.data_local_dir().join("fonts"), dirs.home_dir().join(".fonts"), dirs.home_dir().join("Library/Fonts")]
    });
    let shared = [
        "/usr/share/fonts",
        "/usr/local/share/fonts",
        "/run/current-system/sw/share/X11/fonts",
        "/System/Library/Fonts",
        "/Library/Fonts",
        "C:\\Windows\\Fonts",
    ];
    shared.into_iter().map(PathBuf::from).chain(own).collect()
}

/// Fonts by the names of their files in small letters, and what those that were read can draw.
#[derive(Default)]
struct Fonts {
    files: HashMap<String, PathBuf>,
    signs: HashMap<PathBuf, HashSet<u32>>,
}

impl Fonts {
    fn below(folders: &[PathBuf]) -> Self {
        let (mut fonts, mut left) = (Self::default(), MOST);
        folders.iter().for_each(|folder| fonts.collect(folder, DEEPEST, &mut left));
        fonts
    }

    fn collect(&mut self, folder: &Path, deep: usize, left: &mut usize) {
        let Ok(entries) = fs::read_dir(folder) else { return };
        for entry in entries.flatten() {
            if *left == 0 {
                return;
            }
            *left -= 1;
            match entry.file_type() {
                Ok(kind) if kind.is_dir() && deep > 0 => self.collect(&entry.path(), deep - 1, left),
                Ok(kind) if !kind.is_dir() => {
                    let name = entry.file_name().to_string_lossy().to_lowercase();
                    self.files.entry(name).or_insert_with(|| entry.path());
                }
                _ => {}
            }
        }
    }

    /// The font that has a sign.
    fn with(&mut self, sign: char) -> Option<PathBuf> {
        let wanted: [&[&str]; 2] = if is_east_asian(sign) { [EAST_ASIAN, OTHERS] } else { [OTHERS, EAST_ASIAN] };
        let known = wanted.into_iter().flatten().filter_map(|name| self.files.get(&name.to_lowercase()));
        let signs = &mut self.signs;
        let mut having = known.filter(|path| {
            let signs = signs.entry((*path).clone()).or_insert_with(|| signs_of(path));
            signs.contains(&u32::from(sign))
        });
        having.next().cloned()
    }
}

/// What the first face of a file can draw; nothing where it is no font.
fn signs_of(path: &Path) -> HashSet<u32> {
    let Ok(bytes) = disk::read(path, LARGEST) else { return HashSet::new() };
    let Ok(font) = FontRef::from_index(&bytes, 0) else { return HashSet::new() };
    font.charmap().mappings().filter(|(_, glyph)| glyph.to_u32() != 0).map(|(sign, _)| sign).collect()
}

/// Han, kana, bopomofo, Hangul, and the signs that come with them.
fn is_east_asian(sign: char) -> bool {
    matches!(u32::from(sign), 0x1100..=0x11ff | 0x2e80..=0x9fff | 0xa960..=0xa97f | 0xac00..=0xd7ff | 0xf900..=0xfaff
        | 0xfe30..=0xfe4f | 0xff00..=0xffef | 0x1_b000..=0x1_b16f | 0x2_0000..=0x3_ffff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_is_drawn_with_the_first_font_that_has_it() {
        let folder = tempfile::tempdir().unwrap();
        let within = folder.path().join("truetype/wqy");
        fs::create_dir_all(&within).unwrap();
        // A font with Han is no part of this program; one with mathematical signs stands for it under its name.
        let maths = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/fonts/DejaVuSans-maths.ttf");
        fs::copy(&maths, within.join("WQY-MicroHei.ttc")).unwrap();
        fs::write(within.join("NotoSansCJK-Regular.ttc"), "no font").unwrap();
        let mut fonts = Fonts::below(&[folder.path().join("missing"), folder.path().to_owned()]);
        let path = fonts.with('∇').unwrap();
        assert!(path.ends_with("truetype/wqy/WQY-MicroHei.ttc"), "a broken one is passed over: {}", path.display());
        assert_eq!(fonts.with('漢'), None, "none of them has it");
        assert!(is_east_asian('漢') && is_east_asian('か') && is_east_asian('한') && !is_east_asian('😀'));
    }
}
