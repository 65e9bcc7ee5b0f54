//! The registry of labs. A lab is one folder here, one line in [`LABS`], and its random streams; no other code names one.

pub mod image_report;
pub mod optimizers;
pub mod reconstruction;
pub mod segmentation;
pub mod self_supervised;

use std::path::Path;

use crate::engine::recording::RunReader;
use crate::engine::run_folder::DiskError;
use crate::kit::lab::LabSpec;
use crate::kit::view::Lab;

/// Every lab, in the order of its tab and of its number key.
pub static LABS: &[Lab] = &[
    Lab { spec: &optimizers::SPEC, view: optimizers::view::new },
    Lab { spec: &self_supervised::SPEC, view: self_supervised::view::new },
    Lab { spec: &segmentation::SPEC, view: segmentation::view::new },
    Lab { spec: &reconstruction::SPEC, view: reconstruction::view::new },
    Lab { spec: &image_report::SPEC, view: image_report::view::new },
];

/// The facts of every lab, in that order.
pub fn specs() -> impl Iterator<Item = &'static LabSpec> + Clone {
    LABS.iter().map(|lab| lab.spec)
}

/// The lab with this id.
pub fn find(id: &str) -> Option<&'static LabSpec> {
    specs().find(|spec| spec.id == id)
}

/// The lab with this id, with its views.
pub fn find_with_views(id: &str) -> Option<&'static Lab> {
    LABS.iter().find(|lab| lab.spec.id == id)
}

/// Opens a recorded run to be shown; parameters that it lacks take the lab's defaults.
pub fn open_run(folder: &Path) -> Result<RunReader, DiskError> {
    let mut reader = RunReader::open(folder)?;
    if let Some(lab) = find(&reader.header().lab) {
        reader.complete(lab.params);
    }
    Ok(reader)
}
