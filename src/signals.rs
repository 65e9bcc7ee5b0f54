//! The signals that ask the process to end.

#[cfg(unix)]
use signal_hook::consts::{SIGHUP, SIGQUIT};
use signal_hook::consts::{SIGINT, SIGTERM};

/// Ctrl-C, `kill`, a log-out, a closed terminal. A closed terminal that the process was started to ignore stays ignored:
/// `nohup` asks for a run that outlives its terminal.
pub fn that_end() -> Vec<i32> {
    #[cfg(unix)]
    let all = [SIGINT, SIGTERM, SIGHUP, SIGQUIT];
    #[cfg(not(unix))]
    let all = [SIGINT, SIGTERM];
    let ignored = std::fs::read_to_string("/proc/self/status").map_or(0, |status| ignored(&status));
    let asks_always = |signal: &i32| [SIGINT, SIGTERM].contains(signal);
    all.into_iter().filter(|signal| asks_always(signal) || ignored >> (signal - 1) & 1 == 0).collect()
}

/// The mask of ignored signals in the text of Linux's `/proc/self/status`; 0 where there is none.
fn ignored(status: &str) -> u64 {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignored_signals_are_read_from_the_mask() {
        assert_eq!(ignored("Name:\tx\nSigIgn:\t0000000000001001\nSigCgt:\t0\n"), 0x1001);
        assert_eq!(ignored("nothing"), 0);
    }
}
