//! Learnscope: the window or, with a command, the same without one.

use std::process::ExitCode;

use learnscope::cli;

/// Training allocates many small buffers on several threads; mimalloc is faster at that than the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let flags = cli::parse();
    cli::log();
    cli::report(cli::run(&flags), flags.json)
}
