//! Whether a device computes what the CPU computes.

use burn::tensor::Device;

use crate::engine::experiment::RunError;
use crate::nn::segmentation_check;

/// Two steps of a tiny Light U-net from fixed weights; see [`segmentation_check::device_check`].
pub fn device_check(device: &Device) -> Result<Vec<f32>, RunError> {
    segmentation_check::device_check(device).map_err(|error| RunError::Device(error.to_string()))
}
