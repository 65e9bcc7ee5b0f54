//! Names of files where there is little room: what tells them apart, which is at their end, stays.

use eframe::egui::{Align2, Color32, FontId, Painter, Pos2};

/// The name as it fits: whole; else its first and its last folder (`benign/…/benign (12)`), its file alone (`…/benign (12)`), or that
/// cut in its middle (`ben…(12)`). `fits`: whether a text has room.
pub fn shortened(name: &str, fits: impl Fn(&str) -> bool) -> String {
    if fits(name) {
        return name.to_owned();
    }
    let (folders, file) = name.rsplit_once('/').map_or((None, name), |(folders, file)| (Some(folders), file));
    if let Some(folders) = folders {
        let first = folders.split('/').next().unwrap_or_default();
        let outer = format!("{first}/…/{file}");
        if first.len() < folders.len() && !first.is_empty() && fits(&outer) {
            return outer;
        }
        let alone = format!("…/{file}");
        if fits(&alone) {
            return alone;
        }
    }
    if folders.is_some() && fits(file) {
        return file.to_owned();
    }
    let letters: Vec<char> = file.chars().collect();
    // The end gets two thirds of what there is room for.
    let cut = |kept: usize| -> String {
        let head = kept / 3;
        letters[..head].iter().chain(&['…']).chain(&letters[letters.len() - (kept - head)..]).collect()
    };
    let (mut low, mut high) = (1, letters.len().saturating_sub(1).max(1));
    if letters.is_empty() {
        return "…".to_owned();
    }
    while low < high {
        let middle = (low + high).div_ceil(2);
        if fits(&cut(middle)) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    cut(low.min(letters.len()))
}

/// [`shortened`] to so many points in this font.
pub fn fitted(painter: &Painter, name: &str, font: &FontId, width: f32) -> String {
    shortened(name, |text| {
        painter.layout_no_wrap(text.to_owned(), font.clone(), Color32::PLACEHOLDER).size().x <= width
    })
}

/// Draws a name on one line of at most `width` points; whether it was cut, so that the whole one belongs into a tooltip.
pub fn draw(painter: &Painter, at: Pos2, align: Align2, name: &str, font: FontId, color: Color32, width: f32) -> bool {
    let text = fitted(painter, name, &font, width);
    let cut = text != name;
    painter.text(at, align, text, font, color);
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tells_names_apart_stays() {
        let within = |most: usize| move |text: &str| text.chars().count() <= most;
        let name = "benign/images/benign (12)";
        for (most, expected) in [
            (25, "benign/images/benign (12)"),
            (24, "benign/…/benign (12)"),
            (19, "…/benign (12)"),
            (12, "benign (12)"),
            (10, "ben…n (12)"),
            (6, "b…(12)"),
            (2, "…)"),
            (0, "…)"),
        ] {
            let found = shortened(name, within(most));
            assert_eq!(found.chars().last(), Some(')'), "{found}");
            assert!(most < 2 || found.chars().count() <= most, "{found} of {most}");
            assert_eq!(found, expected);
        }
        assert_eq!(shortened("a/b", within(2)), "b");
        assert_eq!(shortened("patient_0001_left", within(9)), "pa…1_left");
        assert_eq!(shortened("ü", within(0)), "…ü");
        assert_eq!(shortened("", |_| false), "…");
    }
}
