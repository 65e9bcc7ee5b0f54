//! The window, where there is a display.

use super::flags::ExportFlags;
use super::output::Failure;
use crate::engine::recording::RunReader;

/// Opens the window and returns when it is closed.
pub fn open() -> Result<(), Failure> {
    if !has_display() {
        return Err(Failure::work(
            "there is no display to open a window on (neither DISPLAY nor WAYLAND_DISPLAY is set). Without one: \
             `learnscope run LAB` trains, `learnscope study LAB/STUDY` measures, `learnscope export RUN` saves figures and \
             numbers, `learnscope --help` lists the rest",
        ));
    }
    Err(Failure::work("this build has no window"))
}

/// Saves a view of a recorded run as PNG.
pub fn picture(flags: &ExportFlags, _reader: &mut RunReader) -> Result<(), Failure> {
    Err(Failure::work(format!("`{}`: this build draws no pictures", flags.to.display())))
}

fn has_display() -> bool {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    cfg!(any(windows, target_os = "macos")) || set("DISPLAY") || set("WAYLAND_DISPLAY") || set("WAYLAND_SOCKET")
}
