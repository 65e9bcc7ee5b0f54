//! Draws the small Markdown of the guides: headings, paragraphs, lists, rules, code blocks, `**bold**`, `*italic*` and
//! `` `code` ``.

use eframe::egui::text::{LayoutJob, TextFormat};
use eframe::egui::{self, FontId, RichText, TextStyle, Ui};

use super::theme;
use crate::plot::style::Style;

/// A block of the text.
#[derive(Debug, Clone, PartialEq)]
enum Block {
    Heading(usize, String),
    Paragraph(String),
    /// Marker and text.
    Item(String, String),
    Code(String),
    Rule,
}

/// A run of characters in one appearance.
#[derive(Debug, Clone, PartialEq)]
struct Span {
    text: String,
    kind: SpanKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SpanKind {
    Plain,
    Bold,
    Italic,
    Code,
}

/// Draws `text`, wrapped at the width of `ui`.
pub fn show(ui: &mut Ui, text: &str, style: &Style) {
    for block in blocks(text) {
        match block {
            Block::Heading(1, text) => {
                ui.add_space(8.0);
                ui.label(RichText::new(text).heading());
                ui.add_space(4.0);
            }
            Block::Heading(_, text) => {
                ui.add_space(12.0);
                ui.label(theme::group_heading(&text, style));
                ui.add_space(4.0);
            }
            Block::Paragraph(text) => {
                paragraph(ui, &text, style);
                ui.add_space(4.0);
            }
            Block::Item(marker, text) => {
                ui.horizontal_top(|ui| {
                    ui.spacing_mut().item_spacing.x = 8.0;
                    ui.label(RichText::new(marker).color(style.text_weak));
                    ui.vertical(|ui| paragraph(ui, &text, style));
                });
            }
            Block::Code(text) => {
                egui::Frame::new().fill(theme::shade(style, 0.06)).corner_radius(6).inner_margin(10).show(ui, |ui| {
                    ui.take_available_width();
                    ui.add(egui::Label::new(RichText::new(text).monospace()).wrap().selectable(true));
                });
                ui.add_space(4.0);
            }
            Block::Rule => drop(ui.separator()),
        }
    }
}

/// One paragraph with its inline marks.
fn paragraph(ui: &mut Ui, text: &str, style: &Style) {
    let body = TextStyle::Body.resolve(ui.style());
    let mono = FontId::new(body.size - 0.5, egui::FontFamily::Monospace);
    let mut job = LayoutJob::default();
    for Span { text, kind } in spans(text) {
        let (font, color) = match kind {
            SpanKind::Plain | SpanKind::Italic => (body.clone(), style.text.lerp_to_gamma(style.text_weak, 0.25)),
            SpanKind::Bold => (FontId::new(body.size, theme::strong_family()), style.text),
            SpanKind::Code => (mono.clone(), style.text),
        };
        let background = if kind == SpanKind::Code { theme::shade(style, 0.08) } else { egui::Color32::TRANSPARENT };
        let format = TextFormat {
            font_id: font,
            color,
            background,
            italics: kind == SpanKind::Italic,
            line_height: Some(body.size * 1.45),
            ..TextFormat::default()
        };
        job.append(&text, 0.0, format);
    }
    ui.add(egui::Label::new(job).wrap().selectable(true));
}

fn blocks(text: &str) -> Vec<Block> {
    let mut out: Vec<Block> = Vec::new();
    let mut open = false;
    let mut code: Option<String> = None;
    for line in text.lines() {
        let trimmed = line.trim();
        if trimmed.starts_with("```") {
            match code.take() {
                Some(text) => out.push(Block::Code(text.trim_end().to_owned())),
                None => code = Some(String::new()),
            }
            open = false;
            continue;
        }
        if let Some(code) = &mut code {
            code.push_str(line);
            code.push('\n');
            continue;
        }
        if trimmed.is_empty() {
            open = false;
            continue;
        }
        let level = trimmed.chars().take_while(|c| *c == '#').count();
        if (1..=6).contains(&level) && trimmed[level..].starts_with(' ') {
            out.push(Block::Heading(level, trimmed[level..].trim().to_owned()));
            open = false;
        } else if trimmed.len() >= 3 && trimmed.chars().all(|c| c == '-') {
            out.push(Block::Rule);
            open = false;
        } else if let Some((marker, rest)) = item(trimmed) {
            out.push(Block::Item(marker, rest.to_owned()));
            open = true;
        } else {
            match out.last_mut() {
                Some(Block::Paragraph(text) | Block::Item(_, text)) if open => {
                    text.push(' ');
                    text.push_str(trimmed);
                }
                _ => out.push(Block::Paragraph(trimmed.to_owned())),
            }
            open = true;
        }
    }
    // A code block that is never closed still shows.
    out.extend(code.map(|text| Block::Code(text.trim_end().to_owned())));
    out
}

fn item(line: &str) -> Option<(String, &str)> {
    if let Some(rest) = line.strip_prefix("- ").or_else(|| line.strip_prefix("* ")) {
        return Some(("•".to_owned(), rest.trim()));
    }
    let digits = line.chars().take_while(char::is_ascii_digit).count();
    let rest = line[digits..].strip_prefix(". ")?;
    (1..=3).contains(&digits).then(|| (format!("{}.", &line[..digits]), rest.trim()))
}

fn spans(text: &str) -> Vec<Span> {
    const MARKS: [(&str, SpanKind); 3] = [("**", SpanKind::Bold), ("`", SpanKind::Code), ("*", SpanKind::Italic)];
    let mut out = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    'text: while let Some(first) = rest.chars().next() {
        for (mark, kind) in MARKS {
            let Some(inside) = rest.strip_prefix(mark) else { continue };
            // A mark opens only before a character and closes only after one: `2 * 3 * 4` is no emphasis.
            let opens = inside.chars().next().is_some_and(|c| !c.is_whitespace());
            if let Some(end) = inside.find(mark).filter(|end| opens && *end > 0 && !inside[..*end].ends_with(' ')) {
                if !plain.is_empty() {
                    out.push(Span { text: std::mem::take(&mut plain), kind: SpanKind::Plain });
                }
                out.push(Span { text: inside[..end].to_owned(), kind });
                rest = &inside[end + mark.len()..];
                continue 'text;
            }
        }
        plain.push(first);
        rest = &rest[first.len_utf8()..];
    }
    if !plain.is_empty() {
        out.push(Span { text: plain, kind: SpanKind::Plain });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_told_apart() {
        let text =
            "# Title\n\nOne line\nand its end.\n\n- first\n  goes on\n- second\n2. third\n---\n```\na  b\n```\n## Sub";
        assert_eq!(
            blocks(text),
            [
                Block::Heading(1, "Title".into()),
                Block::Paragraph("One line and its end.".into()),
                Block::Item("•".into(), "first goes on".into()),
                Block::Item("•".into(), "second".into()),
                Block::Item("2.".into(), "third".into()),
                Block::Rule,
                Block::Code("a  b".into()),
                Block::Heading(2, "Sub".into()),
            ]
        );
    }

    #[test]
    fn inline_marks_need_a_partner() {
        let kinds = |text| spans(text).into_iter().map(|s| (s.text, s.kind)).collect::<Vec<_>>();
        assert_eq!(
            kinds("a **b** `c*d` *e*"),
            [
                ("a ".to_owned(), SpanKind::Plain),
                ("b".to_owned(), SpanKind::Bold),
                (" ".to_owned(), SpanKind::Plain),
                ("c*d".to_owned(), SpanKind::Code),
                (" ".to_owned(), SpanKind::Plain),
                ("e".to_owned(), SpanKind::Italic),
            ]
        );
        assert_eq!(kinds("2 * 3 * 4 ** 5 `"), [("2 * 3 * 4 ** 5 `".to_owned(), SpanKind::Plain)]);
    }
}
