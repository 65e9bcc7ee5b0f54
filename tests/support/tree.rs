//! What lies in a folder, to be compared with what lies there later.

use std::fs;
use std::path::{Path, PathBuf};

/// Every file and folder below `root` with its content.
pub fn tree(root: &Path) -> Vec<(PathBuf, Option<Vec<u8>>)> {
    let mut all = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path.clone());
            }
            all.push((path.clone(), fs::read(&path).ok()));
        }
    }
    all.sort();
    all
}
