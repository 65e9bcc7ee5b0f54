//! A scene: what is on the screen of one lab, small enough to hand on. It is saved as a file of a few lines, or copied as
//! a code of a few hundred signs; both say the same, and the same scene always gives the same bytes. What was trained is
//! not in it, nor the theme, which is the reader's own.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::disk;
use crate::engine::event::Change;
use crate::engine::params::{ParamError, ParamKind, ParamSpec, Params, Value, find};

/// How a scene's file ends.
pub const SUFFIX: &str = "learnscope-scene";
/// The version of both forms that this program writes and reads.
const VERSION: u32 = 1;
/// The version of a code that has pinned runs behind the scene.
const WITH_PINNED: u32 = 2;
/// How a code begins; its version and a dash follow.
const PREFIX: &str = "LS";
/// Bytes of the largest file that is read, and signs of the longest code.
const LARGEST: usize = 64 << 10;

/// What is on the screen of one lab. Values are text, as after `--set`, so that a value that this version does not know
/// keeps none of the others from being read.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Scene {
    /// Id of the lab.
    pub lab: String,
    pub seed: u64,
    /// The cursor's step, and how many parts of the update there are shown.
    pub step: u64,
    pub sub: usize,
    /// The cursor follows the newest step.
    pub follow: bool,
    /// Factor on the lab's own rate of playback.
    pub speed: f64,
    /// How the tiles lie, see [`super::layouts::Layouts::text`]; empty: by default.
    pub layout: String,
    /// Id of the tile that fills the middle; empty: none.
    pub maximised: String,
    pub form: bool,
    pub guide: bool,
    /// Parameters that differ from their defaults.
    pub params: BTreeMap<String, String>,
    /// What the lab's view keeps for itself, see [`crate::kit::view::LabView::fields`].
    pub view: BTreeMap<String, String>,
    /// Changes along the run.
    pub changes: Vec<Changed>,
    #[serde(skip)]
    pub pinned: PinnedRuns,
}

/// Recorded runs whose curves lie behind those of the scene's run. They are of the machine where the scene was taken: who has
/// not got them sees the scene without.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PinnedRuns {
    /// Their folders, absolute.
    pub runs: Vec<String>,
    /// Key of the parameter that colours them; empty: the first in which they differ.
    pub by: String,
}

impl PinnedRuns {
    fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }
}

/// A parameter that changes after so many steps.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Changed {
    pub step: u64,
    pub key: String,
    pub value: String,
}

/// A file: the version, then the scene with its pinned runs.
#[derive(Serialize, Deserialize)]
struct File {
    version: u32,
    #[serde(flatten)]
    scene: Scene,
    #[serde(default, skip_serializing_if = "PinnedRuns::is_empty")]
    pinned: PinnedRuns,
}

impl Scene {
    /// The scene as the text of a file.
    pub fn file(&self) -> String {
        let file = File { version: VERSION, scene: self.clone(), pinned: self.pinned.clone() };
        // Texts, numbers and tables of these: TOML has all of them.
        let text = toml::to_string(&file).unwrap_or_default();
        format!("# A scene of Learnscope: `learnscope --scene FILE` opens it, or drop it on the window.\n{text}")
    }

    /// Reads what [`Scene::file`] wrote. The error is a sentence.
    pub fn from_file(text: &str) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Version {
            version: u32,
        }
        if text.len() > LARGEST {
            return Err(format!("a scene has at most {} KiB; this is something else", LARGEST >> 10));
        }
        let line = |error: toml::de::Error| {
            let why = error.message().lines().next().unwrap_or_default().to_owned();
            format!("it is not a scene of Learnscope ({why})")
        };
        match toml::from_str::<Version>(text).map_err(line)?.version {
            VERSION => {
                let File { scene, pinned, .. } = toml::from_str(text).map_err(line)?;
                Self { pinned, ..scene }.checked()
            }
            other => Err(of_version(other, VERSION)),
        }
    }

    /// The scene as a code to paste: `LS1-`, then the scene and its checksum in the alphabet of URLs; with pinned runs `LS2-`, and
    /// these before the checksum.
    pub fn code(&self) -> String {
        let mut bytes = postcard::to_stdvec(self).unwrap_or_default();
        let mut version = VERSION;
        if !self.pinned.is_empty() {
            version = WITH_PINNED;
            bytes.extend(postcard::to_stdvec(&self.pinned).unwrap_or_default());
        }
        let sum = crc32fast::hash(&bytes);
        bytes.extend(sum.to_le_bytes());
        format!("{PREFIX}{version}-{}", encode(&bytes))
    }

    /// Whether a text looks like a code rather than a path.
    pub fn is_code(text: &str) -> bool {
        let rest = text.trim_start().strip_prefix(PREFIX).and_then(|rest| rest.split_once('-'));
        rest.is_some_and(|(version, _)| !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit()))
    }

    /// Reads what [`Scene::code`] wrote; spaces and line breaks that a mail put into it are left out. The error is a
    /// sentence.
    pub fn from_code(text: &str) -> Result<Self, String> {
        if text.len() > LARGEST {
            return Err(format!("the code is longer than {LARGEST} signs: it is not a scene's"));
        }
        let text: String = text.chars().filter(|sign| !sign.is_whitespace()).collect();
        if !Self::is_code(&text) {
            return Err(format!("this is not the code of a scene, which begins with {PREFIX}{VERSION}-"));
        }
        let (version, rest) = text[PREFIX.len()..].split_once('-').unwrap_or_default();
        let version = version.parse().unwrap_or(u32::MAX);
        if ![VERSION, WITH_PINNED].contains(&version) {
            return Err(of_version(version, WITH_PINNED));
        }
        let damaged = "the code is damaged or not whole: copy it once more, from its first sign to its last";
        let bytes = decode(rest).ok_or(damaged)?;
        let (bytes, sum) = bytes.split_last_chunk::<4>().ok_or(damaged)?;
        if crc32fast::hash(bytes) != u32::from_le_bytes(*sum) {
            return Err(damaged.to_owned());
        }
        match (version, postcard::take_from_bytes::<Self>(bytes)) {
            (VERSION, Ok((scene, []))) => return scene.checked(),
            (WITH_PINNED, Ok((scene, rest))) => {
                if let Ok((pinned, [])) = postcard::take_from_bytes(rest) {
                    return Self { pinned, ..scene }.checked();
                }
            }
            _ => {}
        }
        Err("the code is whole but holds no scene that this version can read".to_owned())
    }

    /// Reads a scene from a code or from the file of this path. The error is a sentence that names the file.
    pub fn from_typed(typed: &str) -> Result<Self, String> {
        if Self::is_code(typed) && !Path::new(typed).exists() {
            return Self::from_code(typed);
        }
        Self::open(Path::new(typed))
    }

    /// Reads a scene's file. The error is a sentence that names it.
    pub fn open(path: &Path) -> Result<Self, String> {
        let text = disk::read_text(path, LARGEST as u64).map_err(|error| error.to_string());
        text.and_then(|text| Self::from_file(&text)).map_err(|why| format!("`{}`: {why}", path.display()))
    }

    /// Whether this file is a scene by its name.
    pub fn is_named(path: &Path) -> bool {
        path.extension().is_some_and(|suffix| suffix.eq_ignore_ascii_case(SUFFIX))
    }

    /// The parameters and the changes along the run, and what of them this version does not take, in words.
    pub fn values(&self, specs: &[ParamSpec]) -> (Params, Vec<Change>, Vec<String>) {
        let mut refused = Vec::new();
        let mut read = |key: &str, text: &str| {
            let value = find(specs, key).and_then(|spec| {
                let value = value(spec, text)?;
                spec.check(&value).map(|()| value)
            });
            value.map_err(|error| refused.push(error.to_string())).ok()
        };
        let mut params = Params::defaults(specs);
        for (key, text) in &self.params {
            if let Some(value) = read(key, text) {
                params.put(key, value);
            }
        }
        let mut changes: Vec<Change> = Vec::new();
        for Changed { step, key, value } in &self.changes {
            if let Some(value) = read(key, value) {
                changes.push(Change { step: *step, key: key.clone(), value });
            }
        }
        changes.sort_by_key(|change| change.step);
        (params, changes, refused)
    }

    fn checked(self) -> Result<Self, String> {
        match (self.lab.is_empty(), self.speed.is_finite()) {
            (true, _) => Err("the scene does not say of which lab it is".to_owned()),
            (_, false) => Err(format!("the scene's speed of playback is {}, not a number", self.speed)),
            _ => Ok(self),
        }
    }
}

/// That a form has a version of which none is known; `newest`: the last one that is.
fn of_version(version: u32, newest: u32) -> String {
    let what = if version > newest { "a newer version of Learnscope wrote this scene" } else { "this is no scene" };
    format!("{what} (format {version}; this version reads formats up to {newest})")
}

/// A value as a scene has it, for this parameter.
fn value(spec: &ParamSpec, text: &str) -> Result<Value, ParamError> {
    match spec.kind {
        // Spaces at its ends are part of a text.
        ParamKind::Path | ParamKind::Folder | ParamKind::Text => Ok(Value::Text(text.to_owned())),
        _ => spec.parse(text),
    }
}

/// The alphabet of base64 for URLs (RFC 4648, section 5), without padding.
const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let bits = (0..3).fold(0_u32, |bits, at| bits << 8 | u32::from(chunk.get(at).copied().unwrap_or(0)));
        text.extend((0..=chunk.len()).map(|at| char::from(SIGNS[(bits >> (18 - 6 * at) & 63) as usize])));
    }
    text
}

/// `None`: a sign is not of the alphabet, the length is none, or bits that say nothing are set.
fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 2);
    for chunk in text.as_bytes().chunks(4) {
        let digits = chunk.iter().map(|sign| SIGNS.iter().position(|known| known == sign));
        let bits =
            digits.enumerate().try_fold(0_u32, |bits, (at, digit)| Some(bits | (digit? as u32) << (18 - 6 * at)))?;
        let count = chunk.len().checked_sub(1).filter(|count| *count > 0)?;
        let [_, all @ ..] = bits.to_be_bytes();
        bytes.extend(&all[..count]);
        if all[count..].iter().any(|rest| *rest != 0) {
            return None;
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A typical scene of the optimizers lab.
    fn typical() -> Scene {
        let text = |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Scene {
            lab: "optimizers".to_owned(),
            seed: 7,
            step: 61,
            sub: 2,
            speed: 0.5,
            layout: "v(0.59:h(0.64:*field,0.36:surface3d),0.41:h(0.58:t(*table,microscope),0.42:t(*y,f,-x)))"
                .to_owned(),
            form: true,
            params: text(&[("surface", "ravine"), ("learning_rate", "0.019"), ("momentum", "0.74"), ("steps", "200")]),
            view: text(&[("selected", "momentum")]),
            changes: vec![Changed { step: 60, key: "learning_rate".to_owned(), value: "0.1".to_owned() }],
            ..Scene::default()
        }
    }

    #[test]
    fn a_scene_comes_back_from_its_file_and_from_its_code_and_gives_the_same_bytes_again() {
        let pinned =
            PinnedRuns { runs: vec!["/runs/a b".to_owned(), "/runs/ß".to_owned()], by: "momentum".to_owned() };
        let with_pinned = Scene { pinned, ..typical() };
        assert!(with_pinned.code().starts_with("LS2-") && typical().code().starts_with("LS1-"));
        for scene in [typical(), with_pinned, Scene { lab: "x".to_owned(), seed: u64::MAX, ..Scene::default() }] {
            assert_eq!(Scene::from_file(&scene.file()).unwrap(), scene);
            assert_eq!(Scene::from_code(&scene.code()).unwrap(), scene);
            assert_eq!(Scene::from_file(&scene.file()).unwrap().file(), scene.file());
            assert_eq!(Scene::from_code(&scene.code()).unwrap().code(), scene.code());
        }
        let code = typical().code();
        assert!(code.len() < 400, "{}: {code}", code.len());
        let folded: String = code
            .chars()
            .enumerate()
            .map(|(at, c)| if at % 40 == 39 { format!("{c}\n ") } else { c.to_string() })
            .collect();
        assert_eq!(Scene::from_code(&folded).unwrap(), typical(), "as a mail breaks it");
    }

    #[test]
    fn a_damaged_code_is_refused_with_a_sentence() {
        let code = typical().code();
        for end in 0..code.len() {
            assert!(Scene::from_code(&code[..end]).is_err(), "cut at {end}");
        }
        for at in 0..code.len() {
            for sign in ["A", "_", "%", "ß"] {
                let other = format!("{}{sign}{}", &code[..at], &code[at + 1..]);
                assert!(other == code || Scene::from_code(&other).is_err(), "{other}");
            }
        }
        let said = |text: &str| Scene::from_code(text).unwrap_err();
        assert!(said(&code.replacen("LS1", "LS3", 1)).contains("newer version"));
        assert!(said(&code.replacen("LS1", "LS2", 1)).contains("holds no scene"), "the pinned runs are missing");
        assert!(said("LS99999999999-AAAA").contains("newer version"));
        assert!(said("https://example.org").contains("begins with LS1-"));
        assert!(said(&"LS1-".repeat(100_000)).contains("longer than"));
        // Whole, but foreign: lengths that promise more than there is, a NaN, something behind the scene.
        let whole = |bytes: &[u8]| {
            let mut bytes = bytes.to_vec();
            bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
            format!("LS1-{}", encode(&bytes))
        };
        for bytes in [&[][..], &[0xff; 40], &[1, b'x', 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x0f]] {
            assert!(!said(&whole(bytes)).is_empty());
        }
        let mut longer = postcard::to_stdvec(&typical()).unwrap();
        longer.push(0);
        assert!(said(&whole(&longer)).contains("holds no scene"));
        assert!(said(&Scene { speed: f64::NAN, ..typical() }.code()).contains("speed"));
    }

    #[test]
    fn a_foreign_file_is_refused_with_a_sentence() {
        let said = |text: &str| Scene::from_file(text).unwrap_err();
        for foreign in
            ["", "[broken", "version = \"one\"", "version = 1\nparams = 3", "version = 1\nlab = \"\"", "\u{0}"]
        {
            assert!(!said(foreign).is_empty(), "{foreign}");
        }
        assert!(said("version = 2\nlab = 7").contains("newer version"));
        assert!(said(&" ".repeat(LARGEST + 1)).contains("at most"));
        let folder = tempfile::tempdir().unwrap();
        assert!(Scene::open(folder.path()).unwrap_err().contains(&*folder.path().to_string_lossy()));
        assert!(Scene::from_typed("no such file").unwrap_err().contains("no such file"));
    }
}
