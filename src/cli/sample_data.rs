//! `learnscope sample-data`: the generated data sets as files in the layouts that the labs read, with a manifest.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use image::ImageError;
use serde_json::json;

use crate::data::points::{Generator, PointSet};
use crate::data::synth::ultrasound_folder::{MANIFEST, SampleFile};
use crate::data::synth::{chest_folder, fundus_folder, shapes, ultrasound_folder};
use crate::engine::run_folder::DiskError;

use super::flags::SampleDataFlags;
use super::output::{Failure, Output};
use super::place;

/// The point sets by their names in `--set points=..`.
const POINT_SETS: [&str; 5] = ["moons", "circles", "spirals", "xor", "gaussians"];

/// A file that is to be written: its path below the folder, and its bytes.
type Made = (PathBuf, Vec<u8>);

pub fn write(flags: &SampleDataFlags, output: &Output) -> Result<(), Failure> {
    let mut about = String::new();
    let pictures = [
        shapes(flags.seed, &mut about)?,
        set("ultrasound", ultrasound_folder::files(flags.seed), flags.seed, &mut about)?,
        set("fundus", fundus_folder::files(flags.seed), flags.seed, &mut about)?,
        set("chest", chest_folder::files(flags.seed), flags.seed, &mut about)?,
    ]
    .concat();
    let points = POINT_SETS.map(|id| Path::new("points").join(format!("{id}.csv")));
    let manifest = Path::new(MANIFEST).to_owned();
    let files = points.iter().chain(pictures.iter().map(|(path, _)| path)).chain([&manifest]);
    let files: Vec<PathBuf> = files.map(|path| flags.folder.join(path)).collect();
    place::check(&files, flags.force)?;
    let folders: BTreeSet<&Path> = files.iter().filter_map(|file| file.parent()).collect();
    for folder in folders {
        fs::create_dir_all(folder).map_err(|e| DiskError::io("create the folder", folder, e))?;
    }

    let mut lines = "file,bytes,crc32,how it was made\n".to_owned();
    let how = format!("{} points, noise {}, seed {}", flags.points, flags.noise, flags.seed);
    for (id, path) in POINT_SETS.iter().zip(&points) {
        let Some(generator) = Generator::from_id(id) else { continue };
        let text = csv(&generator.generate(flags.points as usize, flags.noise, flags.seed));
        let crc = save(path, text.as_bytes(), flags, output)?;
        // Writing to a string cannot fail.
        let _ = writeln!(lines, "points/{id}.csv,{},{crc:08x},\"learnscope sample-data: {id}, {how}\"", text.len());
    }
    for (path, bytes) in &pictures {
        if path.ends_with(MANIFEST) {
            save(path, bytes, flags, output)?;
        } else {
            place::write(&flags.folder.join(path), bytes, flags.force)?;
        }
    }
    let shapes = flags.folder.join("shapes");
    output.object(&json!({ "event": "saved", "file": shapes }));
    output.line(format!("saved {}: folders of class folders", shapes.display()));

    let path = flags.folder.join(manifest);
    place::write(&path, (lines + &about).as_bytes(), flags.force)?;
    output.kept(&flags.folder);
    output.line(format!("saved {}: sizes, hashes and how each was made", path.display()));
    Ok(())
}

/// Shapes to train and to test on, in the layout of class folders that the self-supervised lab reads.
fn shapes(seed: u64, about: &mut String) -> Result<Vec<Made>, Failure> {
    const COUNTS: (usize, usize) = (200, 60);
    let data = shapes::generate(COUNTS.0, COUNTS.1, seed);
    let mut made = Vec::new();
    for (part, set) in [("train", &data.train), ("test", &data.test)] {
        for (i, class) in set.classes.iter().enumerate() {
            let mut bytes = Cursor::new(Vec::new());
            let (width, height) = (set.width as u32, set.height as u32);
            image::write_buffer_with_format(
                &mut bytes,
                set.image(i),
                width,
                height,
                image::ExtendedColorType::L8,
                image::ImageFormat::Png,
            )
            .map_err(|error| Failure::work(format!("a shape cannot be packed as PNG: {error}")))?;
            let folder = Path::new("shapes").join(part).join(&set.class_names[*class as usize]);
            made.push((folder.join(format!("{i:03}.png")), bytes.into_inner()));
        }
    }
    let sums = format!("pixels train {:08x}, test {:08x}", data.train.checksum(), data.test.checksum());
    let how = format!("learnscope sample-data: {} and {} shapes, seed {seed}; {sums}", COUNTS.0, COUNTS.1);
    // Writing to a string cannot fail.
    let _ = writeln!(about, "shapes/,,,\"{how}\"");
    Ok(made)
}

/// The folder has a manifest of its own, since it is opened as a data set of its own.
fn set(
    folder: &str,
    files: Result<Vec<SampleFile>, ImageError>,
    seed: u64,
    about: &mut String,
) -> Result<Vec<Made>, Failure> {
    let files = files.map_err(|error| Failure::work(format!("the {folder} pictures cannot be packed: {error}")))?;
    let listed = files.len() - 2;
    for file in files.iter().filter(|file| file.name == MANIFEST) {
        let how = format!("learnscope sample-data: lists {listed} files, seed {seed}");
        let crc = crc32fast::hash(&file.bytes);
        // Writing to a string cannot fail.
        let _ = writeln!(about, "{folder}/{},{},{crc:08x},\"{how}\"", file.name, file.bytes.len());
    }
    Ok(files.into_iter().map(|file| (Path::new(folder).join(file.name), file.bytes)).collect())
}

/// Writes a file, says so, and gives its CRC-32.
fn save(path: &Path, bytes: &[u8], flags: &SampleDataFlags, output: &Output) -> Result<u32, Failure> {
    let path = flags.folder.join(path);
    place::write(&path, bytes, flags.force)?;
    let crc = crc32fast::hash(bytes);
    output.object(&json!({ "event": "saved", "file": path, "bytes": bytes.len(), "crc32": format!("{crc:08x}") }));
    output.line(format!("saved {}", path.display()));
    Ok(crc)
}

/// Columns x, y and the class's name; every coordinate with as many digits as give the same bits back.
fn csv(set: &PointSet) -> String {
    let mut text = "x,y,class\n".to_owned();
    for ([x, y], class) in set.xy.iter().zip(&set.classes) {
        let name = set.class_names.get(*class as usize).map_or("", String::as_str);
        let _ = writeln!(text, "{x:?},{y:?},{name}");
    }
    text
}
