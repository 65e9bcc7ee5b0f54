//! Before a lab's first run on a GPU, its tiny network takes a few training steps from the same weights on the CPU and
//! on the GPU. A device that computes something else is reported loudly. The result is remembered by lab, adapter,
//! driver and program version.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::experiment::{DeviceCheckFn, RunError};
use crate::compute::device::{self, Opened};
use crate::disk;

/// Largest relative difference that rounding in another order explains for a few steps of a tiny network in f32.
pub const TOLERANCE: f64 = 1e-3;

/// What the comparison found.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct DeviceCheck {
    /// Largest `|gpu − cpu| / (1 + |cpu|)` over all compared numbers; infinite when one is not a number.
    pub largest_difference: f64,
}

impl DeviceCheck {
    pub fn agrees(&self) -> bool {
        self.largest_difference <= TOLERANCE
    }

    /// For the run bar.
    pub fn text(&self, name: &str) -> String {
        let difference = self.largest_difference;
        if self.agrees() {
            format!("checked against CPU, largest relative difference {difference:.0e}")
        } else {
            format!(
                "{name} computes something else than the CPU: largest relative difference {difference:.1e}, expected \
                 below {TOLERANCE:.0e}. Do not trust its numbers; train on the CPU or update the graphics driver"
            )
        }
    }
}

/// Compares, or remembers an earlier comparison of the same lab, adapter, driver and version.
pub fn check(lab: &str, opened: &Opened, run: DeviceCheckFn) -> Result<DeviceCheck, RunError> {
    let key = format!("{lab} | {} | {} | {}", opened.name, opened.driver, env!("CARGO_PKG_VERSION"));
    let mut known = remembered();
    if let Some(check) = known.get(&key) {
        return Ok(*check);
    }
    let check = compare(&run(&device::cpu())?, &run(&opened.device)?);
    if check.agrees() {
        // A disagreement is not remembered: it is measured again, and reported again, every time.
        known.insert(key, check);
        remember(&known);
    }
    Ok(check)
}

/// The largest relative difference between what two devices computed.
pub fn compare(cpu: &[f32], gpu: &[f32]) -> DeviceCheck {
    let mut largest_difference = if cpu.len() == gpu.len() { 0.0 } else { f64::INFINITY };
    for (a, b) in cpu.iter().zip(gpu) {
        let (a, b) = (f64::from(*a), f64::from(*b));
        let difference = (a - b).abs() / (1.0 + a.abs());
        largest_difference = if difference.is_nan() { f64::INFINITY } else { difference.max(largest_difference) };
    }
    DeviceCheck { largest_difference }
}

fn file() -> Option<PathBuf> {
    Some(crate::compute::cache_folder()?.join("device_checks.toml"))
}

fn remembered() -> BTreeMap<String, DeviceCheck> {
    file()
        .and_then(|path| disk::read_text(&path, 1 << 20).ok())
        .and_then(|text| toml::from_str(&text).ok())
        .unwrap_or_default()
}

/// A cache that cannot be written costs a second check, nothing else.
fn remember(known: &BTreeMap<String, DeviceCheck>) {
    let Some(path) = file() else { return };
    let Ok(text) = toml::to_string(known) else { return };
    let written =
        path.parent().map(std::fs::create_dir_all).transpose().and_then(|_| disk::write_whole(&path, text.as_bytes()));
    if let Err(error) = written {
        tracing::warn!("{}: {error}; the device check is not remembered", path.display());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_that_computes_something_else_is_reported() {
        assert!(compare(&[1.0, 2.0], &[1.0, 2.00001]).agrees());
        let wrong = compare(&[1.0, 2.0], &[1.0, 2.5]);
        assert!(!wrong.agrees());
        assert!(wrong.text("GPU X").contains("GPU X computes something else"));
        assert!(!compare(&[1.0], &[f32::NAN]).agrees());
        assert!(!compare(&[1.0, f32::NAN], &[1.0, 1.0]).agrees());
        assert!(!compare(&[1.0], &[]).agrees());
    }
}
