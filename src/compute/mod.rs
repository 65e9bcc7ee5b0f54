//! Devices, read-back and host linear algebra. Knows nothing of windows.

pub mod device;
pub mod readback;
pub mod rng;
