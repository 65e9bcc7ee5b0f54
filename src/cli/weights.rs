//! `learnscope weights`: what the tensors of a network are called in a file of weights, made from what builds the network.

use serde_json::json;

use crate::engine::params::Params;
use crate::kit::predict::TensorName;

use super::flags::WeightsFlags;
use super::output::{Failure, Output, table};
use super::predict::spec_of;
use super::request::find_lab;

pub fn weights(flags: &WeightsFlags, output: &Output) -> Result<(), Failure> {
    let lab = find_lab(&flags.lab)?;
    let spec = spec_of(lab)?;
    let mut params = Params::defaults(lab.params);
    let set: Vec<String> =
        flags.architecture.iter().map(|name| format!("architecture={name}")).chain(flags.set.iter().cloned()).collect();
    set.iter().try_for_each(|assignment| params.set_text(lab.params, assignment))?;
    params.check_effect(lab.params, &set)?;
    let tensors = (spec.tensors)(&params)?;
    let numbers: usize = tensors.iter().map(|tensor| tensor.shape.iter().product::<usize>()).sum();
    for TensorName { name, also, shape, spare } in &tensors {
        output.object(&json!({ "name": name, "also": also, "shape": shape, "spare": spare }));
    }
    output.line(table(&rows(&tensors)));
    output.line(format!(
        "{} tensors, {} numbers; one prefix before all names (`module.`, `model.`) is taken too",
        tensors.len(),
        crate::plot::number::grouped(numbers as u64)
    ));
    if tensors.iter().any(|tensor| tensor.spare) {
        output.line("*: a file may lack all of these, which stand before a batch normalisation: they are 0 then");
    }
    Ok(())
}

fn rows(tensors: &[TensorName]) -> Vec<Vec<String>> {
    let has_other = tensors.iter().any(|tensor| !tensor.also.is_empty());
    let head = ["tensor", "shape", "or"].map(str::to_owned).to_vec();
    let row = |tensor: &TensorName| {
        let shape: Vec<String> = tensor.shape.iter().map(ToString::to_string).collect();
        let mark = if tensor.spare { "*" } else { "" };
        vec![format!("{}{mark}", tensor.name), shape.join("\u{d7}"), tensor.also.clone()]
    };
    let rows = std::iter::once(head).chain(tensors.iter().map(row));
    rows.map(|row| if has_other { row } else { row[..2].to_vec() }).collect()
}
