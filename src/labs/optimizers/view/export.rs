//! Trajectories as text for other programs.

use serde_json::{Map, Value as Json, json};

use crate::engine::event::Level;
use crate::engine::state::RunState;
use crate::kit::view::{ViewAction, ViewCtx};

use super::paths::{self, Path};

/// Hands the trajectories to the shell as CSV, one line for every optimizer and step.
pub fn csv(ctx: &mut ViewCtx<'_>) {
    hand_over(ctx, "csv", csv_text(ctx.run));
}

/// Hands the trajectories to the shell as JSON with the run's parameters.
pub fn json(ctx: &mut ViewCtx<'_>) {
    hand_over(ctx, "json", json_text(ctx));
}

fn hand_over(ctx: &mut ViewCtx<'_>, extension: &str, text: Option<String>) {
    ctx.actions.push(match text {
        Some(text) => {
            let surface = paths::surface(ctx).id;
            ViewAction::SaveText { name: format!("trajectories-{surface}.{extension}"), text }
        }
        None => ViewAction::Notice(Level::Info, "There are no trajectories to export yet: start a run first.".into()),
    });
}

/// Every number with all its bits, in the shortest form that reads back to the same f64.
fn csv_text(run: &RunState) -> Option<String> {
    let all = Path::all(run);
    if all.is_empty() {
        return None;
    }
    let mut text = String::from("step,optimizer,x,y,f,gradient_norm,dx,dy,a_name,a_x,a_y,b_name,b_x,b_y\n");
    for path in &all {
        for k in 0..path.row_count() {
            let ([x, y], [dx, dy]) = (path.position(k), path.step(k));
            let numbers = [x, y, path.f(k), path.gradient_norm(k), dx, dy];
            text.push_str(&format!("{k},{}", path.rule.id()));
            numbers.iter().for_each(|v| text.push_str(&format!(",{v:?}")));
            let vectors = path.vectors(k);
            for (slot, [x, y]) in vectors.iter().enumerate() {
                match path.rule.state_names().get(slot) {
                    Some(name) => text.push_str(&format!(",{name},{x:?},{y:?}")),
                    None => text.push_str(",,,"),
                }
            }
            text.push('\n');
        }
    }
    Some(text)
}

fn json_text(ctx: &ViewCtx<'_>) -> Option<String> {
    let all = Path::all(ctx.run);
    if all.is_empty() {
        return None;
    }
    let mut optimizers = Map::new();
    for path in &all {
        let column = |value: &dyn Fn(usize) -> f64| Json::from((0..path.row_count()).map(value).collect::<Vec<f64>>());
        let mut columns = Map::new();
        columns.insert("x".into(), column(&|k| path.position(k)[0]));
        columns.insert("y".into(), column(&|k| path.position(k)[1]));
        columns.insert("f".into(), column(&|k| path.f(k)));
        columns.insert("gradient_norm".into(), column(&|k| path.gradient_norm(k)));
        columns.insert("dx".into(), column(&|k| path.step(k)[0]));
        columns.insert("dy".into(), column(&|k| path.step(k)[1]));
        let mut states = Map::new();
        for (slot, name) in path.rule.state_names().iter().enumerate() {
            let vectors: Vec<[f64; 2]> = (0..path.row_count()).map(|k| path.vectors(k)[slot]).collect();
            states.insert((*name).into(), json!(vectors));
        }
        columns.insert("states".into(), Json::Object(states));
        optimizers.insert(path.rule.id().into(), Json::Object(columns));
    }
    let params: Map<String, Json> =
        paths::params(ctx).iter().map(|(key, value)| (key.to_owned(), Json::from(value.to_string()))).collect();
    let seed = ctx.run.header.as_ref().map(|header| header.seed);
    // Row k of every array is the state after k updates; what is not finite is null.
    let whole = json!({ "surface": paths::surface(ctx).id, "seed": seed, "params": params, "optimizers": optimizers });
    serde_json::to_string_pretty(&whole).ok()
}
