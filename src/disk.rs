//! Files that appear whole or not at all: written under a name that nothing else has, then renamed. Every room writes
//! its files with these, so that no reader sees half of one and no two writers, here or in another process, meet in one
//! temporary file.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile, TempPath};

/// How the name of every temporary file of ours begins, and how it ends: what a killed process left is known by it.
pub const TEMPORARY: (&str, &str) = (".learnscope-", ".tmp");

/// Environment variable that moves [`state_folder`] (tests, portable use).
pub const STATE_FOLDER_VARIABLE: &str = "LEARNSCOPE_CONFIG_DIR";

/// Where the program keeps what it remembers of its user: the settings, drafts. The platform's configuration folder for this
/// program, or what [`STATE_FOLDER_VARIABLE`] says; `None`: there is none.
pub fn state_folder() -> Option<PathBuf> {
    if let Some(folder) = std::env::var_os(STATE_FOLDER_VARIABLE).filter(|v| !v.is_empty()) {
        return Some(PathBuf::from(folder));
    }
    directories::ProjectDirs::from("", "", "learnscope").map(|dirs| dirs.config_dir().to_owned())
}

/// Writes a file whole; what was there before is replaced.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let (mut file, place) = temporary(path)?;
    file.write_all(bytes)?;
    place_at(place, path)
}

/// Like [`write_whole`], and waits until the disk has it.
pub fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let (mut file, place) = temporary(path)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    place_at(place, path)
}

/// Like [`write_whole`], but refuses with [`io::ErrorKind::AlreadyExists`] where something has that name already.
pub fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let (mut file, place) = temporary(path)?;
    file.write_all(bytes)?;
    place_new(place, path)
}

/// An empty file beside `path` to be filled and then put in its place with [`place_at`]. Dropping the second part removes
/// it.
pub fn temporary(path: &Path) -> io::Result<(File, TempPath)> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = Builder::new();
    builder.prefix(TEMPORARY.0).suffix(TEMPORARY.1).rand_bytes(12);
    // As any other file: who may read it is for the user's mask to say.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder).map(NamedTempFile::into_parts)
}

/// Puts a filled temporary file in its place.
pub fn place_at(temporary: TempPath, path: &Path) -> io::Result<()> {
    temporary.persist(path).map_err(|refused| refused.error)
}

/// Like [`place_at`], but refuses with [`io::ErrorKind::AlreadyExists`] where something has that name already.
pub fn place_new(temporary: TempPath, path: &Path) -> io::Result<()> {
    temporary.persist_noclobber(path).map_err(|refused| refused.error)
}

/// Opens a file to be read. Anything else of that name (a folder, a pipe on which reading would wait for ever, a device) is
/// refused with [`io::ErrorKind::InvalidInput`].
pub fn open(path: &Path) -> io::Result<File> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a file"));
    }
    File::open(path)
}

/// Refuses a named pipe, on which opening and writing would wait for ever.
pub fn refuse_pipe(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    if fs::metadata(path).is_ok_and(|meta| std::os::unix::fs::FileTypeExt::is_fifo(&meta.file_type())) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is a pipe, not a file"));
    }
    let _ = path;
    Ok(())
}

/// The whole of a file of at most `most` bytes; a larger one is refused with [`io::ErrorKind::FileTooLarge`].
pub fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it is larger than {most} bytes")));
    }
    Ok(bytes)
}

/// Like [`read`], for text in UTF-8.
pub fn read_text(path: &Path, most: u64) -> io::Result<String> {
    let bytes = read(path, most)?;
    String::from_utf8(bytes).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not text in UTF-8"))
}

/// Whether a file with this name is a temporary one of ours.
pub fn is_temporary(name: &str) -> bool {
    name.starts_with(TEMPORARY.0) && name.ends_with(TEMPORARY.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_or_a_file_in_the_old_temporary_name_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("x.csv.tmp"), "mine").unwrap();
        write_whole(&at("x.csv"), b"new").unwrap();
        assert_eq!(fs::read_to_string(at("x.csv.tmp")).unwrap(), "mine");
        assert_eq!(fs::read_to_string(at("x.csv")).unwrap(), "new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "nothing is left over");
    }

    #[test]
    fn a_new_file_replaces_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        write_new(&path, b"1").unwrap();
        assert_eq!(write_new(&path, b"2").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&path).unwrap(), "1");
    }

    #[test]
    fn many_writers_of_one_file_never_fail() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::thread::scope(|scope| {
            for byte in 0..8u8 {
                let path = &path;
                scope.spawn(move || (0..50).for_each(|_| write_whole(path, &[byte; 4096]).unwrap()));
            }
        });
        let bytes = fs::read(&path).unwrap();
        assert!(bytes.len() == 4096 && bytes.iter().all(|b| *b == bytes[0]), "never a mixture");
    }
}
