//! The experiment on a small network.

use burn::tensor::Device;

use crate::engine::experiment::{BuildRequest, Experiment, RunError};
use crate::engine::params::{ParamError, Params};

pub fn build(_request: &BuildRequest<'_>) -> Result<Box<dyn Experiment>, RunError> {
    todo!()
}

pub fn check(_params: &Params) -> Result<(), ParamError> {
    Ok(())
}

pub fn data(_params: &Params) -> Result<String, ParamError> {
    Ok(String::new())
}

pub fn device_check(_device: &Device) -> Result<Vec<f32>, RunError> {
    todo!()
}
