//! Learnscope: the window or, with a command, the same without one.

use std::env;
use std::path::Path;
use std::process::ExitCode;

use learnscope::cli;

/// Training allocates many small buffers on several threads; mimalloc is faster at that than the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    quieten_vulkan();
    cli::prepare();
    let flags = match cli::parse() {
        Ok(flags) => flags,
        Err(code) => return code,
    };
    cli::report(cli::run(&flags), &flags)
}

/// Mesa's Vulkan layer that orders the cards as a Wayland compositor would makes libwayland write `error: XDG_RUNTIME_DIR is
/// invalid or not set` wherever there can be no compositor: in a container, under cron, in a plain X server. The layer is
/// then left out, unless the user chooses a card through it.
#[allow(unsafe_code, reason = "an environment variable is the only switch of that layer")]
fn quieten_vulkan() {
    let is_path = |name| env::var_os(name).is_some_and(|value| Path::new(&value).is_absolute());
    let compositor = is_path("XDG_RUNTIME_DIR") || is_path("WAYLAND_DISPLAY");
    let chosen = ["MESA_VK_DEVICE_SELECT", "DRI_PRIME"].iter().any(|name| env::var_os(name).is_some());
    if cfg!(target_os = "linux") && !compositor && !chosen {
        // SAFETY: the first thing in `main`: no other thread can be reading the environment.
        unsafe { env::set_var("NODEVICE_SELECT", "1") };
    }
}
