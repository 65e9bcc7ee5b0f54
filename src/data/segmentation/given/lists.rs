//! Lists of names, one file for each part.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::super::counted;
use super::super::doctor::Severity;
use super::super::split::Part;
use super::collected::{Collected, Entry};
use super::names::Names;
use super::rows::{rows as rows_of, text as text_of};
use super::table::listed;
use super::{Given, Refusal, joined, shown};

/// Lists of the names of one part each. Of Pascal VOC's three, `trainval` says nothing that the others do not.
pub fn of_lists<'a>(
    lists: &[(Part, &'a PathBuf)],
    names: &Names,
    notes: &mut Vec<String>,
) -> Result<Option<Given>, (&'a Path, Refusal)> {
    let joins = |file: &Path| shown(file).to_lowercase().contains("trainval");
    let alone = |part: Part| lists.iter().any(|(of, file)| *of == part && !joins(file));
    let lists: Vec<(Part, &'a PathBuf)> = lists
        .iter()
        .filter(|(_, file)| !joins(file) || !(alone(Part::Train) || alone(Part::Validation)))
        .copied()
        .collect();
    let Some(&(_, first)) = lists.first() else { return Ok(None) };
    let parts: BTreeSet<Part> = lists.iter().map(|(part, _)| *part).collect();
    let shown_names: Vec<String> = lists.iter().map(|(_, file)| shown(file)).collect();
    let source = joined(&shown_names);
    let mut read = Vec::new();
    for &(part, file) in &lists {
        let text = text_of(file).map_err(|problem| (file.as_path(), Refusal::meant(&problem)))?;
        read.push((part, rows_of(&text, names)));
    }
    let entries = read.iter().flat_map(|(part, rows)| {
        let entry = |(name, line)| Entry { name, line: Some(line), part: *part };
        listed(rows, names).into_iter().map(entry)
    });
    let mut collected = Collected::of(entries, names);
    let count = collected.parts.iter().flatten().count();
    if parts.len() == 1 && count == 0 {
        notes.push(format!("`{}` is not used: it names no image of this folder", shown(first)));
        return Ok(None);
    }
    if parts.len() == 1 && count == names.shown.len() {
        notes.push(format!(
            "{source} {} every image, and so all are split",
            if lists.len() == 1 { "names" } else { "name" }
        ));
        return Ok(None);
    }
    let mut problems = Vec::new();
    if count > 0 && !parts.contains(&Part::Train) {
        let rest = collected.put_rest(Part::Train);
        let rest = counted(rest, "image that it does not name is", "images that it does not name are");
        let text = format!("there is no list of the training beside {source}: the {rest} trained on");
        problems.push((Severity::Warning, text));
    }
    let fold = collected.fold(names, &source, problems);
    let fold = fold.map_err(|problem| (first.as_path(), Refusal { meant: true, problem }))?;
    Ok(Some(Given { source, file: Some(first.clone()), folds: vec![fold] }))
}
