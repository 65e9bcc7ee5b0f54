//! Devices: the one place that names Burn's device constructors.

use std::fmt;
use std::str::FromStr;

/// Which device a run trains on, as chosen in the run bar or by `--device`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum DeviceChoice {
    /// The best real GPU through wgpu; without one, the CPU. A software rasteriser is not a GPU.
    #[default]
    Automatic,
    /// The wgpu adapter with this name (or, on the command line, a unique part of it), software ones included.
    Gpu(String),
    /// Burn's Flex backend.
    Cpu,
}

impl fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DeviceChoice::Automatic => f.write_str("auto"),
            DeviceChoice::Cpu => f.write_str("cpu"),
            DeviceChoice::Gpu(name) => write!(f, "gpu:{name}"),
        }
    }
}

impl FromStr for DeviceChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.trim() {
            "auto" | "automatic" => Ok(DeviceChoice::Automatic),
            "cpu" => Ok(DeviceChoice::Cpu),
            // Any GPU, software ones included only if there is no other.
            "gpu" => Ok(DeviceChoice::Gpu(String::new())),
            other => match other.strip_prefix("gpu:") {
                Some(name) if !name.trim().is_empty() => Ok(DeviceChoice::Gpu(name.trim().to_owned())),
                _ => Err(format!(
                    "`{other}` is not a device; expected auto, cpu, gpu or gpu:NAME (see `learnscope devices`)"
                )),
            },
        }
    }
}
