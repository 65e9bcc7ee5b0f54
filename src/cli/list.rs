//! The verbs that list something: labs, parameters, devices, recorded runs.

use std::path::Path;

use serde_json::json;

use crate::compute::device::{self, CPU_NAME};
use crate::engine::params::{ParamKind, Value};
use crate::engine::run_folder;
use crate::kit::lab::LabSpec;
use crate::labs;
use crate::plot::number;

use super::output::{Failure, Output, one_line, table};

/// Most characters that are shown of a run's name (this program makes none that is longer), of what its files say in a
/// word, and of why they cannot be read.
const LONGEST_NAME: usize = 110;
const LONGEST_WORD: usize = 80;
const LONGEST_REASON: usize = 300;

/// `learnscope labs`
pub fn labs(output: &Output) -> Result<(), Failure> {
    for lab in labs::specs() {
        let spec = lab;
        let presets: Vec<_> =
            spec.presets.iter().map(|p| json!({ "id": p.id, "title": p.title, "help": p.help })).collect();
        let studies: Vec<_> = spec.studies.iter().map(|s| json!({ "id": s.id, "title": s.title })).collect();
        output.object(&json!({
            "lab": spec.id, "title": spec.title, "claim": spec.claim, "presets": presets, "studies": studies,
        }));
        output.line(format!("{}\n  {}", spec.id, spec.claim));
        let presets = spec.presets.iter().map(|p| vec![format!("    --preset {}", p.id), p.help.to_owned()]);
        output.line(format!("  presets\n{}", table(&presets.collect::<Vec<_>>())));
        let studies = spec.studies.iter().map(|s| vec![format!("    {}/{}", spec.id, s.id), s.title.to_owned()]);
        output.line(format!("  studies\n{}", table(&studies.collect::<Vec<_>>())));
        output.line(format!("  learnscope params {} lists its parameters", spec.id));
    }
    Ok(())
}

/// `learnscope params LAB`
pub fn params(lab: &LabSpec, output: &Output) -> Result<(), Failure> {
    let mut group = "";
    for spec in lab.params {
        if spec.group != group {
            group = spec.group;
            output.line(format!("\n{group}"));
        }
        let default = Value::from(spec.default);
        let kind = match spec.kind {
            ParamKind::Float { min, max, log } => json!({ "type": "float", "min": min, "max": max, "log": log }),
            ParamKind::Int { min, max } => json!({ "type": "int", "min": min, "max": max }),
            ParamKind::Choice(items) => {
                json!({ "type": "choice", "items": items.iter().map(|item| item.id).collect::<Vec<_>>() })
            }
            ParamKind::Switch => json!({ "type": "switch" }),
            ParamKind::Path => json!({ "type": "path" }),
            ParamKind::Folder => json!({ "type": "folder" }),
            ParamKind::Text => json!({ "type": "text" }),
        };
        output.object(&json!({
            "key": spec.key, "label": spec.label, "unit": spec.unit, "group": spec.group, "kind": kind,
            "default": default.to_string(), "live": spec.live, "help": spec.help,
            "only_if": spec.only_if.map(|(key, values)| json!({ "key": key, "values": values })),
        }));
        let shown = if default.to_string().is_empty() { "none".to_owned() } else { default.to_string() };
        let live = if spec.live { "; can change while a run goes on" } else { "" };
        output.line(format!(
            "  {}={shown}\n      {}: {}{live}\n      {}",
            spec.key,
            spec.label,
            spec.expected(),
            spec.help
        ));
        if let Some((key, values)) = spec.only_if {
            output.line(format!("      only with {key}={}", values.join(" or ")));
        }
    }
    Ok(())
}

/// `learnscope devices`
pub fn devices(output: &Output) -> Result<(), Failure> {
    let mut rows = vec![["device", "", "driver"].map(str::to_owned).to_vec()];
    let automatic = device::adapters().iter().find(|adapter| !adapter.software);
    let mark = |chosen: bool| if chosen { "automatic choice" } else { "" };
    for adapter in device::adapters() {
        let chosen = automatic == Some(adapter);
        output.object(&json!({
            "device": format!("gpu:{}", adapter.name), "name": adapter.name, "interface": adapter.backend,
            "driver": adapter.driver, "software": adapter.software, "automatic": chosen,
        }));
        let note = if adapter.software { "software rasteriser: correct but slow" } else { mark(chosen) };
        rows.push(vec![
            format!("gpu:{}", adapter.name),
            note.to_owned(),
            format!("{} {}", adapter.backend, adapter.driver),
        ]);
    }
    let chosen = automatic.is_none();
    output.object(&json!({ "device": "cpu", "name": CPU_NAME, "software": false, "automatic": chosen }));
    rows.push(vec!["cpu".to_owned(), mark(chosen).to_owned(), CPU_NAME.to_owned()]);
    output.line(table(&rows));
    if device::adapters().is_empty() {
        output.line("no graphics adapter found: install a Vulkan, Metal or DirectX 12 driver to train on a GPU");
    }
    Ok(())
}

/// `learnscope runs [DIR]`
pub fn runs(folder: &Path, output: &Output) -> Result<(), Failure> {
    // Before the first run the default folder is not there, which is no mistake.
    let none_yet = folder == Path::new("runs") && !folder.exists();
    let runs = if none_yet { Vec::new() } else { run_folder::list_runs(folder)? };
    let mut rows = vec![["run", "state", "steps", "device", "size"].map(str::to_owned).to_vec()];
    for run in &runs {
        let name = run.folder.file_name().unwrap_or_default().to_string_lossy();
        let done = run.end.as_ref().map(|end| end.step).or(run.checkpoints.last().copied());
        let header = run.header.as_ref();
        output.object(&json!({
            "folder": run.folder, "state": run.state(), "step": done, "bytes": run.bytes, "checkpoints": run.checkpoints,
            "lab": header.map(|h| &h.lab).ok(), "name": header.map(|h| &h.name).ok(),
            "steps": header.map(|h| h.steps).ok(), "seed": header.map(|h| h.seed).ok(),
            "device": header.map(|h| &h.device).ok(), "started": header.map(|h| &h.started).ok(),
            "problem": header.err().map(ToString::to_string),
        }));
        let done = done.map_or("?".to_owned(), number::grouped);
        let (steps, device, problem) = match header {
            Ok(header) => (format!("{done} of {}", number::grouped(header.steps)), header.device.as_str(), None),
            Err(problem) => (done, "", Some(one_line(&problem.to_string(), LONGEST_REASON))),
        };
        let state = one_line(run.state(), LONGEST_WORD);
        let mut row =
            vec![one_line(&name, LONGEST_NAME), state, steps, one_line(device, LONGEST_WORD), size(run.bytes)];
        // Behind the columns, which it would make as wide as itself.
        row.extend(problem);
        rows.push(row);
    }
    if runs.is_empty() {
        output.line(format!("no runs in `{}`; `learnscope run LAB` records one", folder.display()));
    } else {
        output.line(table(&rows));
    }
    Ok(())
}

fn size(bytes: u64) -> String {
    let mib = bytes as f64 / f64::from(1 << 20);
    if mib < 1.0 { format!("{} KiB", bytes.div_ceil(1 << 10)) } else { format!("{mib:.1} MiB") }
}
