//! Text that stays text: one element for each row and format.

use std::fmt::Write;

use eframe::egui::epaint::TextShape;
use eframe::egui::text::{LayoutJob, LayoutSection};
use eframe::egui::{Color32, FontFamily, Pos2, Rect, vec2};

use super::svg_format::{escaped, fill, number, place};
use super::theme;

/// Glyphs of one row in one format.
struct Run<'a> {
    section: &'a LayoutSection,
    text: String,
    /// Where its baseline begins, and how long it is, in the row.
    at: Pos2,
    length: f32,
    height: f32,
}

/// The elements of a text that is not turned, a line each.
pub fn lines(shape: &TextShape) -> String {
    let mut lines = String::new();
    let mut chars = Chars::new(&shape.galley.job);
    for row in &shape.galley.rows {
        let origin = shape.pos + row.pos.to_vec2();
        for run in chars.runs(&row.glyphs) {
            run.write(shape, origin, &mut lines);
        }
        if row.ends_with_newline {
            chars.next();
        }
    }
    lines
}

impl Run<'_> {
    fn write(&self, shape: &TextShape, origin: Pos2, out: &mut String) {
        let format = &self.section.format;
        let seen = |color: Color32| {
            let color = if color == Color32::PLACEHOLDER { shape.fallback_color } else { color };
            if shape.opacity_factor < 1.0 { color.gamma_multiply(shape.opacity_factor) } else { color }
        };
        let at = origin + self.at.to_vec2();
        if format.background != Color32::TRANSPARENT {
            let behind = Rect::from_min_size(at - vec2(0.0, 0.8 * self.height), vec2(self.length, self.height));
            let _ = writeln!(out, "<rect{}{}/>", place(behind.expand(format.expand_bg)), fill(seen(format.background)));
        }
        let color = seen(shape.override_text_color.unwrap_or(format.color));
        if self.text.trim().is_empty() || color == Color32::TRANSPARENT {
            return;
        }
        let (family, weight) = match &format.font_id.family {
            FontFamily::Proportional => ("Inter, 'DejaVu Sans', sans-serif".to_owned(), ""),
            FontFamily::Monospace => ("'JetBrains Mono', 'DejaVu Sans Mono', monospace".to_owned(), ""),
            name if *name == theme::strong_family() => {
                ("'Inter SemiBold', Inter, 'DejaVu Sans', sans-serif".to_owned(), " font-weight=\"600\"")
            }
            FontFamily::Name(name) => (escaped(name), ""),
        };
        let (x, y) = (number(at.x), number(at.y));
        let size = number(format.font_id.size);
        let _ = write!(out, "<text x=\"{x}\" y=\"{y}\" font-family=\"{family}\"{weight} font-size=\"{size}\"");
        if format.extra_letter_spacing != 0.0 {
            let _ = write!(out, " letter-spacing=\"{}\"", number(format.extra_letter_spacing));
        }
        if format.italics {
            out.push_str(" font-style=\"italic\"");
        }
        let lines = [
            (&format.underline, "underline"),
            (&shape.underline, "underline"),
            (&format.strikethrough, "line-through"),
        ];
        if let Some((_, line)) = lines.into_iter().find(|(line, _)| !line.is_empty()) {
            let _ = write!(out, " text-decoration=\"{line}\"");
        }
        let _ = writeln!(out, "{}>{}</text>", fill(color), escaped(&self.text));
    }
}

/// The characters of a text with their formats, as its glyphs come.
struct Chars<'a> {
    job: &'a LayoutJob,
    rest: std::str::CharIndices<'a>,
}

impl<'a> Chars<'a> {
    fn new(job: &'a LayoutJob) -> Self {
        Self { job, rest: job.text.char_indices() }
    }

    /// The format of the next character; after the last one still that.
    fn next(&mut self) -> Option<&'a LayoutSection> {
        let at = self.rest.next().map_or(self.job.text.len(), |(at, _)| at);
        let sections = &self.job.sections;
        let holds = |section: &&LayoutSection| section.byte_range.start.0 <= at && at < section.byte_range.end.0;
        sections.iter().find(holds).or(sections.last())
    }

    /// The runs of one row. Spaces at both ends of a run are left out.
    fn runs(&mut self, glyphs: &[eframe::egui::epaint::text::Glyph]) -> Vec<Run<'a>> {
        let mut runs: Vec<Run<'a>> = Vec::new();
        for glyph in glyphs {
            let Some(section) = self.next() else { continue };
            let sign = if glyph.chr == '\t' { ' ' } else { glyph.chr };
            match runs.last_mut() {
                Some(run) if std::ptr::eq(run.section, section) && run.at.y == glyph.pos.y => {
                    if run.text.is_empty() {
                        run.at.x = glyph.pos.x;
                    }
                    if !(sign == ' ' && run.text.is_empty()) {
                        run.text.push(sign);
                    }
                    run.length = glyph.max_x() - run.at.x;
                }
                _ => runs.push(Run {
                    section,
                    text: if sign == ' ' { String::new() } else { sign.to_string() },
                    at: glyph.pos,
                    length: glyph.advance_width,
                    height: glyph.line_height,
                }),
            }
        }
        runs.iter_mut().for_each(|run| run.text.truncate(run.text.trim_end().len()));
        runs
    }
}
