//! The experiment on an analytic surface.

use crate::engine::experiment::{BuildRequest, Experiment, RunError};
use crate::engine::params::{ParamError, Params};

pub fn build(_request: &BuildRequest<'_>) -> Result<Box<dyn Experiment>, RunError> {
    todo!()
}

pub fn check(_params: &Params) -> Result<(), ParamError> {
    Ok(())
}
