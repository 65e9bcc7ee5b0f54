//! The one walk of folders: which files lie below a folder, for whoever reads them. By names alone, nothing is opened.
//!
//! Left out are hidden files and folders (`._1.png` of a Mac, `.DS_Store`), what a Mac adds to an archive (`__MACOSX`), and
//! folders that are too deep. Every folder is listed once, whatever links lead to it.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet, VecDeque};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::picture_file::{ForeignFiles, is_picture_name};
use super::{DataError, Problem};
use crate::watch::Watch;

/// Folders below one folder.
const MOST_FOLDERS: usize = 100_000;

/// What is wanted of a folder.
pub struct Rules<'a> {
    /// Folders within folders that are followed; 0: the files of the root alone.
    pub deepest: usize,
    /// Pictures, and files that are kept beside them, of one root.
    pub most_files: usize,
    /// A folder that is left out.
    pub skip: &'a Path,
    /// Asked for the name of every folder directly in the root.
    pub enter: &'a dyn Fn(&str) -> bool,
    /// Whether a file that is no picture is wanted too, by its name and the number of folders between it and the root.
    pub keep: &'a dyn Fn(&str, usize) -> bool,
}

impl Default for Rules<'_> {
    fn default() -> Self {
        Self { deepest: 8, most_files: 200_000, skip: Path::new(""), enter: &|_| true, keep: &|_, _| false }
    }
}

/// A folder that was met.
#[derive(Debug, Default)]
pub struct Folder {
    pub path: PathBuf,
    /// The folders from the root to it, without the root's: empty for the root itself.
    pub names: Vec<String>,
    /// Files with the name of a picture, in the order of their bytes.
    pub pictures: Vec<PathBuf>,
    /// Other files that are wanted, in the same order.
    pub kept: Vec<PathBuf>,
    /// Files that are no pictures, the kept ones too.
    pub others: usize,
    /// Those of them that are pictures of kinds that are not read.
    pub foreign: ForeignFiles,
    /// Hidden files with the name of a picture, such as `._a.png`, which a Mac leaves on other disks; in no other count.
    pub hidden: usize,
    /// Why its files are not here: it cannot be opened, or is listed under another name.
    pub unlisted: Option<String>,
}

impl Folder {
    /// A file of this folder as it is called below the root, with `/`.
    pub fn relative(&self, file: &Path) -> String {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        self.names.iter().map(String::as_str).chain([&*name]).collect::<Vec<_>>().join("/")
    }
}

/// What was found.
#[derive(Debug, Default)]
pub struct Tree {
    /// The root, then what is in it, in the order of their bytes; what only a link leads to comes last.
    pub folders: Vec<Folder>,
    /// Folders that cannot be opened.
    pub problems: Vec<Problem>,
}

/// A folder that is still to be listed.
struct Open {
    path: PathBuf,
    names: Vec<String>,
}

/// Lists the files below `root`. A folder is listed by its own way if it has one below `root`, else by the first link.
///
/// # Errors
/// A root that cannot be opened, more than is followed, or stopped.
pub fn walk(root: &Path, rules: &Rules<'_>, watch: Watch<'_>) -> Result<Tree, DataError> {
    let mut tree = Tree::default();
    let mut open = vec![Open { path: root.to_owned(), names: Vec::new() }];
    let mut links: VecDeque<Open> = VecDeque::new();
    let mut listed: HashSet<PathBuf> = rules.skip.canonicalize().into_iter().collect();
    let home = root.canonicalize();
    let (mut pictures, mut kept) = (0, 0);
    // A link is followed when every folder that lies there itself is listed.
    while let Some(Open { path, names }) = open.pop().or_else(|| links.pop_front()) {
        if tree.folders.len() == MOST_FOLDERS {
            let problem = format!("holds more than {MOST_FOLDERS} folders; choose a folder further down");
            return Err(DataError::file(root, problem));
        }
        if watch.cancelled() {
            return Err(DataError::Cancelled);
        }
        let mut folder = Folder { path, names, ..Folder::default() };
        let again = folder.path.canonicalize().is_ok_and(|place| {
            // A link to a folder that holds the chosen one leads out of it. Where it cannot be told, the depth ends it.
            let above = !folder.names.is_empty() && home.as_ref().is_ok_and(|home| home.starts_with(&place));
            above || !listed.insert(place)
        });
        if again {
            folder.unlisted = Some("is a link to a folder that is listed under another name".to_owned());
            tree.folders.push(folder);
            continue;
        }
        let (mut below, mut linked) = (Vec::new(), Vec::new());
        match list(&mut folder, rules, &mut below, &mut linked) {
            Ok(()) => {}
            Err(error) if folder.names.is_empty() => return Err(DataError::file(root, not_opened(&error))),
            Err(error) => {
                let why = not_opened(&error);
                let problem = format!("{why}; what is in it is left out");
                tree.problems.push(Problem { path: folder.path.clone(), problem });
                folder.unlisted = Some(why);
            }
        }
        pictures += folder.pictures.len();
        kept += folder.kept.len();
        for (count, of) in [(pictures, "pictures"), (kept, "files beside pictures")] {
            if count > rules.most_files {
                let problem = format!("holds more than {} {of}; choose a folder further down", rules.most_files);
                return Err(DataError::file(root, problem));
            }
        }
        below.sort_by(|a, b| b.path.cmp(&a.path));
        linked.sort_by(|a, b| a.path.cmp(&b.path));
        open.extend(below);
        links.extend(linked);
        tree.folders.push(folder);
    }
    Ok(tree)
}

/// Lists one folder; what is to be listed next goes to `below`, what a link leads to, to `linked`.
fn list(folder: &mut Folder, rules: &Rules<'_>, below: &mut Vec<Open>, linked: &mut Vec<Open>) -> std::io::Result<()> {
    let depth = folder.names.len();
    for entry in std::fs::read_dir(&folder.path)?.flatten() {
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        if name.starts_with('.') || name == "__MACOSX" || path == rules.skip {
            folder.hidden += usize::from(is_picture_name(&path) && !path.is_dir());
            continue;
        }
        // Follows links.
        if path.is_dir() {
            if depth < rules.deepest && (depth > 0 || (rules.enter)(&name)) {
                let is_link = entry.file_type().is_ok_and(|kind| kind.is_symlink());
                let names = folder.names.iter().cloned().chain([name]).collect();
                if is_link { &mut *linked } else { &mut *below }.push(Open { path, names });
            }
        } else if is_picture_name(&path) {
            folder.pictures.push(path);
        } else {
            folder.others += 1;
            folder.foreign.add(&name);
            if (rules.keep)(&name, depth) {
                folder.kept.push(path);
            }
        }
        // Too many are refused by the caller; here it only has to end.
        if folder.pictures.len().max(folder.kept.len()) > rules.most_files {
            break;
        }
    }
    folder.pictures.sort_unstable();
    folder.kept.sort_unstable();
    Ok(())
}

/// Why a folder cannot be listed, in words that stand behind its path.
fn not_opened(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "does not exist".to_owned(),
        ErrorKind::NotADirectory => "is a file, not a folder".to_owned(),
        _ => format!("cannot be opened: {error}"),
    }
}

/// A name for each of these files, after which results are named: its path below `root` without extension, with `/`. No two are
/// alike, not even where only capitals differ: `a.png` beside `A.jpg` are `a_png` and `A_jpg`.
pub fn unique_names<'a>(files: impl Iterator<Item = &'a Path> + Clone, root: &Path) -> Vec<String> {
    let plain = |path: &Path| {
        let below = path.strip_prefix(root).ok().filter(|below| !below.is_absolute());
        let below = below.unwrap_or_else(|| Path::new(path.file_name().unwrap_or_default()));
        let name = below.with_extension("");
        let parts: Vec<String> =
            name.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
        parts.join("/")
    };
    let mut count: HashMap<String, usize> = HashMap::new();
    for file in files.clone() {
        *count.entry(plain(file).to_lowercase()).or_default() += 1;
    }
    let mut taken = HashSet::new();
    let unique = |file: &Path| {
        let mut name = plain(file);
        if count.get(&name.to_lowercase()).is_some_and(|&count| count > 1) {
            let extension = file.extension().unwrap_or_default().to_string_lossy();
            name = format!("{name}_{extension}");
        }
        let mut unique = name.clone();
        for number in 2.. {
            if taken.insert(unique.to_lowercase()) {
                break;
            }
            unique = format!("{name}_{number}");
        }
        unique
    };
    files.map(unique).collect()
}

/// Number, bytes and newest change of the files in a folder, so many levels deep: what changes when they do.
pub fn stamp(path: &Path, levels: usize) -> (u64, u64, Option<SystemTime>) {
    let Ok(listing) = std::fs::read_dir(path) else { return (0, 0, None) };
    listing.filter_map(Result::ok).fold((0, 0, None), |(files, bytes, newest), entry| {
        // Of what a link leads to, not of the link.
        let Ok(about) = std::fs::metadata(entry.path()) else { return (files, bytes, newest) };
        if about.is_dir() && levels > 1 {
            let (more, size, time) = stamp(&entry.path(), levels - 1);
            return (files + more, bytes + size, newest.max(time));
        }
        (files + 1, bytes + about.len(), newest.max(about.modified().ok()))
    })
}

/// Order in which people count: `2` before `10`, capitals beside small letters.
pub fn natural_order(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a.chars().peekable(), b.chars().peekable());
    loop {
        match (left.peek().copied(), right.peek().copied()) {
            (None, None) => return a.cmp(b),
            (None, _) => return Ordering::Less,
            (_, None) => return Ordering::Greater,
            (Some(x), Some(y)) if x.is_ascii_digit() && y.is_ascii_digit() => {
                let digits = |chars: &mut std::iter::Peekable<std::str::Chars<'_>>| {
                    let mut run = String::new();
                    while let Some(digit) = chars.next_if(char::is_ascii_digit) {
                        run.push(digit);
                    }
                    run.trim_start_matches('0').to_owned()
                };
                let (x, y) = (digits(&mut left), digits(&mut right));
                let order = x.len().cmp(&y.len()).then_with(|| x.cmp(&y));
                if order != Ordering::Equal {
                    return order;
                }
            }
            (Some(x), Some(y)) => {
                let order = x.to_lowercase().cmp(y.to_lowercase());
                if order != Ordering::Equal {
                    return order;
                }
                left.next();
                right.next();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn put(root: &Path, name: &str) {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, b"").unwrap();
    }

    fn files(tree: &Tree) -> Vec<String> {
        tree.folders.iter().flat_map(|folder| folder.pictures.iter().map(|file| folder.relative(file))).collect()
    }

    #[test]
    fn pictures_and_what_is_wanted_beside_them_are_listed_by_folder_in_one_order() {
        let root = tempfile::tempdir().unwrap();
        for name in ["b/10.png", "b/2.PNG", "b/2.xml", "a/x/1.tif", "a/notes.txt", "a/scan.nrrd", "top.jpeg", "top.xml"]
        {
            put(root.path(), name);
        }
        for hidden in [".git/1.png", "b/._2.png", "__MACOSX/b/2.png", "learnscope-masks/2.png"] {
            put(root.path(), hidden);
        }
        let skip = root.path().join("learnscope-masks");
        let rules = Rules { skip: &skip, keep: &|name, depth| name.ends_with(".xml") && depth > 0, ..Rules::default() };
        let tree = walk(root.path(), &rules, Watch::nobody()).unwrap();
        assert_eq!(files(&tree), ["top.jpeg", "a/x/1.tif", "b/10.png", "b/2.PNG"]);
        let named = |names: &[&str]| tree.folders.iter().find(|folder| folder.names == names).unwrap();
        assert_eq!((named(&["b"]).hidden, named(&["a"]).hidden), (1, 0));
        assert_eq!(named(&["b"]).kept, [root.path().join("b/2.xml")]);
        assert_eq!((named(&["a"]).others, named(&[]).kept.len()), (2, 0));
        assert!(named(&["a"]).foreign.told().contains("1 volume file"));
        let shallow = Rules { deepest: 1, enter: &|name| name != "b", ..rules };
        assert_eq!(files(&walk(root.path(), &shallow, Watch::nobody()).unwrap()), ["top.jpeg"]);
    }

    #[test]
    fn too_much_and_what_is_no_folder_are_refused_by_name() {
        let root = tempfile::tempdir().unwrap();
        for name in ["a/1.png", "a/2.png", "b/1.png", "c/1.xml"] {
            put(root.path(), name);
        }
        let told = |path: &Path, rules: &Rules<'_>| walk(path, rules, Watch::nobody()).unwrap_err().to_string();
        let few = Rules { most_files: 2, ..Rules::default() };
        assert!(told(root.path(), &few).ends_with("holds more than 2 pictures; choose a folder further down"));
        let none = Rules { most_files: 0, enter: &|name| name == "c", keep: &|_, _| true, ..few };
        assert!(told(root.path(), &none).contains("holds more than 0 files beside pictures"));
        assert!(told(&root.path().join("d"), &Rules::default()).ends_with("d: does not exist"));
        assert!(told(&root.path().join("c/1.xml"), &Rules::default()).ends_with("is a file, not a folder"));
        let stop = std::sync::atomic::AtomicBool::new(true);
        let watch = Watch { cancel: &stop, ..Watch::nobody() };
        assert_eq!(walk(root.path(), &Rules::default(), watch).unwrap_err(), DataError::Cancelled);
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_that_links_lead_to_again_is_named_and_listed_once() {
        let root = tempfile::tempdir().unwrap();
        put(root.path(), "b/1.png");
        for (name, to) in [("a", root.path().join("b")), ("c", root.path().to_owned())] {
            std::os::unix::fs::symlink(to, root.path().join(name)).unwrap();
        }
        let tree = walk(root.path(), &Rules::default(), Watch::nobody()).unwrap();
        assert_eq!(files(&tree), ["b/1.png"]);
        let unlisted: Vec<&str> =
            tree.folders.iter().filter(|folder| folder.unlisted.is_some()).map(|folder| &*folder.names[0]).collect();
        assert_eq!(unlisted, ["a", "c"]);
    }

    #[test]
    fn names_are_sorted_as_people_count() {
        let mut names = ["b (10)", "b (2)", "B (1)", "a", "b (02)x", "b", "é2", "é10"];
        names.sort_by(|a, b| natural_order(a, b));
        assert_eq!(names, ["a", "b", "B (1)", "b (2)", "b (02)x", "b (10)", "é2", "é10"]);
        let huge = "9".repeat(60);
        assert_eq!(natural_order(&format!("a{huge}"), &format!("a1{huge}")), Ordering::Less);
    }
}
