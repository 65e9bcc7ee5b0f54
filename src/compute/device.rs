//! Devices: the one place that names Burn's device constructors.

use std::fmt;
use std::str::FromStr;
use std::sync::{Mutex, OnceLock, PoisonError};

use burn::tensor::wgpu::WgpuBackend;
use burn::tensor::{Device, DeviceKind};
use cubecl_runtime::config::{CubeClRuntimeConfig, RuntimeConfig};
use thiserror::Error;

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

/// A wgpu adapter that training can use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adapter {
    /// As the driver reports it, made unique with ` #2` where a machine has several alike.
    pub name: String,
    /// Graphics interface, e.g. `Vulkan`.
    pub backend: &'static str,
    pub driver: String,
    /// A software rasteriser: correct, slow, never chosen automatically.
    pub software: bool,
    kind: DeviceKind,
    api: WgpuBackend,
}

impl fmt::Display for Adapter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}{})", self.name, self.backend, if self.software { ", software" } else { "" })
    }
}

/// Why a device could not be had. Says what to do.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DeviceError {
    #[error(
        "no graphics adapter found: train on the CPU (`--device cpu`), or install a Vulkan, Metal or DirectX 12 driver"
    )]
    NoAdapter,
    #[error("no graphics adapter is called `{asked}`; found: {found}")]
    Unknown { asked: String, found: String },
    #[error("`{asked}` fits several adapters: {found}; write more of the name")]
    Ambiguous { asked: String, found: String },
    #[error("{name} could not be opened: {reason}; choose another device or train on the CPU")]
    Open { name: String, reason: String },
}

/// A device that a run can train on.
#[derive(Debug, Clone)]
pub struct Opened {
    /// Without autodiff.
    pub device: Device,
    /// In words, for the run bar and the run's header.
    pub name: String,
    /// The driver, for remembering checks; empty for the CPU.
    pub driver: String,
    pub is_gpu: bool,
}

/// The CPU device.
pub fn cpu() -> Device {
    Device::flex()
}

/// The CPU in words.
pub const CPU_NAME: &str = "CPU (Flex)";
/// The device of an experiment that is host arithmetic, in words.
pub const HOST_NAME: &str = "CPU (f64 arithmetic)";

/// All adapters, best first. The first call asks the drivers and may take a second: never call it on a thread that
/// draws. Later calls are free.
pub fn adapters() -> &'static [Adapter] {
    static ADAPTERS: OnceLock<Vec<Adapter>> = OnceLock::new();
    ADAPTERS.get_or_init(|| {
        // The same graphics interfaces in the same order as Burn's own automatic choice; the first with an adapter
        // counts, so that no card is listed twice.
        const INTERFACES: [(wgpu::Backends, WgpuBackend, &str); 3] = [
            (wgpu::Backends::VULKAN, WgpuBackend::Vulkan, "Vulkan"),
            (wgpu::Backends::METAL, WgpuBackend::Metal, "Metal"),
            (wgpu::Backends::DX12, WgpuBackend::Dx12, "DirectX 12"),
        ];
        let mut found: Vec<Adapter> = INTERFACES
            .iter()
            .map(|&interface| adapters_of(interface))
            .find(|list| !list.is_empty())
            .unwrap_or_default();
        found.sort_by_key(|adapter| match adapter.kind {
            DeviceKind::DiscreteGpu(_) => 0,
            DeviceKind::IntegratedGpu(_) => 1,
            DeviceKind::VirtualGpu(_) => 2,
            _ => 3,
        });
        for i in 1..found.len() {
            let alike = found[..i].iter().filter(|other| other.name.starts_with(&found[i].name)).count();
            if alike > 0 {
                found[i].name = format!("{} #{}", found[i].name, alike + 1);
            }
        }
        found
    })
}

fn adapters_of((backends, api, backend): (wgpu::Backends, WgpuBackend, &'static str)) -> Vec<Adapter> {
    // Kept for the life of the process: Vulkan loaders have crashed when instances come and go on several threads.
    static INSTANCES: Mutex<Vec<wgpu::Instance>> = Mutex::new(Vec::new());
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor {
        backends,
        ..wgpu::InstanceDescriptor::new_without_display_handle()
    });
    let infos: Vec<wgpu::AdapterInfo> =
        pollster::block_on(instance.enumerate_adapters(backends)).iter().map(wgpu::Adapter::get_info).collect();
    INSTANCES.lock().unwrap_or_else(PoisonError::into_inner).push(instance);

    let mut next = [0usize; 3];
    let mut count = |slot: usize| {
        next[slot] += 1;
        next[slot] - 1
    };
    infos
        .into_iter()
        .filter_map(|info| {
            let kind = match info.device_type {
                wgpu::DeviceType::DiscreteGpu => DeviceKind::DiscreteGpu(count(0)),
                wgpu::DeviceType::IntegratedGpu => DeviceKind::IntegratedGpu(count(1)),
                wgpu::DeviceType::VirtualGpu => DeviceKind::VirtualGpu(count(2)),
                wgpu::DeviceType::Cpu => DeviceKind::Cpu,
                wgpu::DeviceType::Other => return None,
            };
            Some(Adapter {
                name: info.name,
                backend,
                driver: format!("{} {}", info.driver, info.driver_info).trim().to_owned(),
                software: kind == DeviceKind::Cpu,
                kind,
                api,
            })
        })
        .collect()
}

/// Opens the chosen device, or says why it cannot be had. May take a second: worker thread only.
pub fn open(choice: &DeviceChoice) -> Result<Opened, DeviceError> {
    match choice {
        DeviceChoice::Cpu => Ok(open_cpu()),
        DeviceChoice::Automatic => match adapters().iter().find(|adapter| !adapter.software) {
            // A GPU that cannot be opened must not keep an automatic choice from training.
            Some(adapter) => Ok(open_adapter(adapter).unwrap_or_else(|error| {
                tracing::warn!("{error}; training on the CPU");
                open_cpu()
            })),
            None => Ok(open_cpu()),
        },
        DeviceChoice::Gpu(name) => open_adapter(find_adapter(adapters(), name)?),
    }
}

fn open_cpu() -> Opened {
    Opened { device: cpu(), name: CPU_NAME.to_owned(), driver: String::new(), is_gpu: false }
}

/// The adapter that [`DeviceChoice::Gpu`] with this name means. Like [`adapters`], it may take a second.
pub fn find(name: &str) -> Result<&'static Adapter, DeviceError> {
    find_adapter(adapters(), name)
}

/// The adapter called `name`, or the only one whose name contains it; an empty name means the best one.
fn find_adapter<'a>(adapters: &'a [Adapter], name: &str) -> Result<&'a Adapter, DeviceError> {
    let first = adapters.first().ok_or(DeviceError::NoAdapter)?;
    if name.is_empty() {
        return Ok(first);
    }
    if let Some(exact) = adapters.iter().find(|adapter| adapter.name == name || adapter.to_string() == name) {
        return Ok(exact);
    }
    let names = |list: &[&Adapter]| list.iter().map(|adapter| adapter.to_string()).collect::<Vec<_>>().join(", ");
    let asked = name.to_owned();
    let fitting: Vec<&Adapter> =
        adapters.iter().filter(|adapter| adapter.name.to_lowercase().contains(&name.to_lowercase())).collect();
    match fitting.as_slice() {
        [one] => Ok(one),
        [] => Err(DeviceError::Unknown { asked, found: names(&adapters.iter().collect::<Vec<_>>()) }),
        several => Err(DeviceError::Ambiguous { asked, found: names(several) }),
    }
}

fn open_adapter(adapter: &Adapter) -> Result<Opened, DeviceError> {
    // Burn refuses to open the same adapter twice; a device, once open, stays so for the life of the process.
    static OPEN: Mutex<Vec<(Adapter, Device)>> = Mutex::new(Vec::new());
    let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    let device = match open.iter().find(|(known, _)| known == adapter) {
        Some((_, device)) => device.clone(),
        None => {
            use_kernel_cache();
            let device = Device::wgpu_options()
                .device_kind(adapter.kind.clone())
                .graphics_api(adapter.api)
                .init()
                .map_err(|error| DeviceError::Open { name: adapter.to_string(), reason: error.to_string() })?;
            open.push((adapter.clone(), device.clone()));
            device
        }
    };
    Ok(Opened { device, name: adapter.to_string(), driver: adapter.driver.clone(), is_gpu: true })
}

/// Compiled and tuned kernels go to the user's cache folder, so that the next start's first step is fast. CubeCL's own environment
/// variables (`CUBECL_AUTOTUNE_LEVEL`, `CUBECL_DEBUG_LOG`) are heard.
fn use_kernel_cache() {
    let Some(folder) = super::cache_folder() else { return };
    let configuration = toml::toml! {
        [compilation]
        cache = true
    };
    let Ok(mut configuration) = configuration.try_into::<CubeClRuntimeConfig>() else { return };
    if let Ok(path) = toml::Value::try_from(std::collections::BTreeMap::from([("directory", folder.join("kernels"))]))
        && let Ok(path) = path.try_into()
    {
        configuration.environment.path = path;
    }
    // `false`: something read the configuration before; the default cache place is then in use.
    CubeClRuntimeConfig::try_set(configuration.override_from_env());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn adapter(name: &str, software: bool) -> Adapter {
        Adapter {
            name: name.to_owned(),
            backend: "Vulkan",
            driver: String::new(),
            software,
            kind: if software { DeviceKind::Cpu } else { DeviceKind::DiscreteGpu(0) },
            api: WgpuBackend::Vulkan,
        }
    }

    #[test]
    fn an_adapter_is_found_by_a_unique_part_of_its_name() {
        let list = [adapter("NVIDIA H200", false), adapter("NVIDIA A2", false), adapter("llvmpipe (LLVM 15)", true)];
        assert_eq!(find_adapter(&list, "h200").unwrap().name, "NVIDIA H200");
        assert_eq!(find_adapter(&list, "llvmpipe").unwrap().name, "llvmpipe (LLVM 15)");
        assert_eq!(find_adapter(&list, "").unwrap().name, "NVIDIA H200");
        let message = find_adapter(&list, "nvidia").unwrap_err().to_string();
        assert!(message.contains("several") && message.contains("NVIDIA A2"), "{message}");
        let message = find_adapter(&list, "Radeon").unwrap_err().to_string();
        assert!(message.contains("`Radeon`") && message.contains("llvmpipe"), "{message}");
        assert_eq!(find_adapter(&[], "").unwrap_err(), DeviceError::NoAdapter);
    }

    #[test]
    fn a_choice_reads_back_as_it_was_written() {
        for choice in [DeviceChoice::Automatic, DeviceChoice::Cpu, DeviceChoice::Gpu("NVIDIA H200".into())] {
            assert_eq!(choice.to_string().parse(), Ok(choice));
        }
        assert!("tpu".parse::<DeviceChoice>().unwrap_err().contains("`tpu`"));
        assert!("gpu:".parse::<DeviceChoice>().is_err());
    }

    #[test]
    fn automatic_choice_never_takes_a_software_adapter() {
        let opened = open(&DeviceChoice::Automatic).unwrap();
        let real = adapters().iter().any(|adapter| !adapter.software);
        assert_eq!(opened.is_gpu, real, "{}", opened.name);
    }
}
