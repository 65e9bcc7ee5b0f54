//! The names and folders that the window gives to runs and pictures.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::engine::params::Params;
use crate::labs::Lab;

/// The preset whose values these are, or `custom`.
pub fn name_of(lab: &dyn Lab, params: &Params) -> String {
    let spec = lab.spec();
    let same = |id: &str| spec.preset(id).is_some_and(|preset| preset.is_ok_and(|values| values == *params));
    spec.presets.iter().find(|preset| same(preset.id)).map_or("custom", |preset| preset.id).to_owned()
}

/// The folder that follows the form while its sliders move: one per session and lab.
pub fn live_folder(runs: &Path, session: &str, lab: &str) -> PathBuf {
    runs.join(format!("{session}-{lab}-live"))
}

/// The current time, UTC, as `2026-11-21T04-30-16Z`: sorts by time and is a file name everywhere.
pub fn stamp() -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    stamp_of(seconds)
}

fn stamp_of(seconds: u64) -> String {
    // Civil date from days since 1970 (Howard Hinnant's algorithm).
    let days = (seconds / 86_400) as i64 + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (h, m, s) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{h:02}-{m:02}-{s:02}Z")
}

/// A file name of letters, digits, dots and underscores, words joined by single dashes.
pub fn file_name(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._".contains(c);
    let words: Vec<&str> = text.split(|c| !plain(c)).filter(|word| !word.is_empty()).collect();
    let name = words.join("-").trim_matches('.').to_owned();
    if name.is_empty() { "unnamed".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_are_utc_dates() {
        assert_eq!(stamp_of(0), "1970-01-01T00-00-00Z");
        assert_eq!(stamp_of(951_827_696), "2000-02-29T12-34-56Z");
        assert_eq!(stamp_of(1_795_235_416), "2026-11-21T04-30-16Z");
    }

    #[test]
    fn file_names_are_plain() {
        assert_eq!(file_name("Adam β₁ / run 3.csv"), "Adam-run-3.csv");
        assert_eq!(file_name("///"), "unnamed");
    }
}
