//! `learnscope sample-data`: the generated data sets as files in the layouts that the labs read, with a manifest.

use std::fmt::Write as _;
use std::fs;

use serde_json::json;

use crate::data::points::{Generator, PointSet};
use crate::engine::run_folder::{DiskError, write_whole};

use super::flags::SampleDataFlags;
use super::output::{Failure, Output};

/// The point sets by their names in `--set points=..`.
const POINT_SETS: [&str; 5] = ["moons", "circles", "spirals", "xor", "gaussians"];

pub fn write(flags: &SampleDataFlags, output: &Output) -> Result<(), Failure> {
    let folder = flags.folder.join("points");
    fs::create_dir_all(&folder).map_err(|e| DiskError::io("create the folder", &folder, e))?;
    let made = format!("{} points, noise {}, seed {}", flags.points, flags.noise, flags.seed);
    let mut manifest = "file,bytes,crc32,how it was made\n".to_owned();
    for (id, generator) in POINT_SETS.iter().filter_map(|id| Some((id, Generator::from_id(id)?))) {
        let text = csv(&generator.generate(flags.points as usize, flags.noise, flags.seed));
        let path = folder.join(format!("{id}.csv"));
        write_whole(&path, text.as_bytes())?;
        let crc = crc32fast::hash(text.as_bytes());
        // Writing to a string cannot fail.
        let _ = writeln!(manifest, "points/{id}.csv,{},{crc:08x},\"learnscope sample-data: {id}, {made}\"", text.len());
        output.object(&json!({ "event": "saved", "file": path, "bytes": text.len(), "crc32": format!("{crc:08x}") }));
        output.line(format!("saved {}", path.display()));
    }
    let path = flags.folder.join("manifest.csv");
    write_whole(&path, manifest.as_bytes())?;
    output.line(format!("saved {}: sizes, hashes and how each was made", path.display()));
    Ok(())
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
