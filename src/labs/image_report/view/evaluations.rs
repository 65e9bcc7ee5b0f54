//! What is measured beside structure: grounding, the probe of the image encoder, sentence pairs.

use eframe::egui::{Grid, Label, ScrollArea, Ui, UiBuilder, vec2};

use crate::engine::event::Payload;
use crate::engine::twin::TWIN;
use crate::kit::fields::Fields;
use crate::kit::tiles::{Tile, TileCommand, TileSpec};
use crate::kit::view::ViewCtx;
use crate::kit::{empty, series};
use crate::plot::{number, tile};

use super::ImageReportView;

/// The tile.
pub static TILE: Tile<ImageReportView> = Tile {
    spec: TileSpec {
        id: "evaluations",
        title: "Evaluations",
        help: "Whether a finding's word points at its place; what can be told of findings from image vectors alone; and whether the text \
               encoder learns which sentence follows from which. Every number stands beside what chance, or the commonest answer, gives.",
        area: "matrix",
        follows_cursor: true,
    },
    show: |view, ui, ctx| view.evaluations.show(ui, ctx),
    commands: &[TileCommand {
        id: "evaluations-twin",
        title: "Evaluations: this run or its twin",
        run: |view, _, _| view.evaluations.twin ^= true,
    }],
};

/// One table: its key, title, what it means, when it is measured, and its scalars in short.
struct Evaluation {
    key: &'static str,
    title: &'static str,
    about: &'static str,
    when: &'static str,
    scalars: &'static [(&'static str, &'static str)],
}

const EVALUATIONS: [Evaluation; 3] = [
    Evaluation {
        key: "grounding/table",
        title: "Grounding",
        about: "Finding words whose strongest region is in their box (pointing); by chance: the box's share of the image.",
        when: "Not measured yet: every so many steps (parameter `evaluate_every`), where boxes are known.",
        scalars: &[("grounding/pointing", "pointing"), ("grounding/chance", "by chance")],
    },
    Evaluation {
        key: "probe/table",
        title: "Probe of the image encoder",
        about: "For each finding a logistic regression on image vectors. Accuracy on a rare finding is high for who always says no: read \
                AUC (chance 0.5) and balanced accuracy beside prevalence.",
        when: "Not measured yet: at the last step (parameter `probe`).",
        scalars: &[("probe/auc", "mean AUC"), ("probe/balanced_accuracy", "mean balanced accuracy")],
    },
    Evaluation {
        key: "nli/table",
        title: "Sentence pairs",
        about: "Whether a sentence follows from another, contradicts it, or neither, as a fine-tuned copy of the text encoder says: what \
                was (rows), what was answered (columns).",
        when: "Not measured yet: at the last step, where the parameter `nli_epochs` is not 0.",
        scalars: &[("nli/accuracy", "accuracy"), ("nli/majority", "commonest answer")],
    },
];

/// View state.
#[derive(Debug, Default)]
pub struct Evaluations {
    twin: bool,
}

impl Evaluations {
    /// What of it belongs to a scene.
    pub fn fields(&mut self, fields: &mut Fields) {
        fields.value("twin", &mut self.twin, false);
    }

    fn show(&mut self, ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
        let there = |prefix: &str| EVALUATIONS.iter().any(|one| ctx.payload(&format!("{prefix}{}", one.key)).is_some());
        let twin = there(TWIN);
        self.twin &= twin;
        if !there("") && !twin {
            let when = "before training and every so many steps (parameter `evaluate_every`), the probe and sentence pairs at the last step \
                        (parameters `probe`, `nli_epochs`)";
            return empty::measured(ui, ctx, when);
        }
        let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
        let (bar, rest) = tile::split(ui, size);
        let about = if self.twin { "twin, test pairs" } else { "test pairs" };
        tile::bar(ui, bar, tile::weak(about, size, style), |ui| {
            if twin && tile::toggle(ui, self.twin, "twin", "Show the twin's tables", size) {
                self.twin = !self.twin;
            }
        });
        let prefix = if self.twin { TWIN } else { "" };
        ui.scope_builder(UiBuilder::new().max_rect(rest), |ui| {
            ui.shrink_clip_rect(rest);
            ScrollArea::vertical().id_salt("evaluations").auto_shrink(false).show(ui, |ui| {
                EVALUATIONS.iter().for_each(|one| one.draw(prefix, ui, ctx));
            });
        });
    }
}

impl Evaluation {
    fn draw(&self, prefix: &str, ui: &mut Ui, ctx: &ViewCtx<'_>) {
        let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
        ui.add_space(0.4 * size);
        let found = ctx.payload(&format!("{prefix}{}", self.key));
        let table = found.as_ref().and_then(|(step, payload)| match &**payload {
            Payload::Table { columns, rows } if !columns.is_empty() => Some((*step, columns, rows)),
            _ => None,
        });
        let Some((step, columns, rows)) = table else {
            ui.label(tile::weak(self.title.to_uppercase(), size, style));
            ui.add(Label::new(tile::weak(self.when, size, style)).wrap());
            return ui.add_space(0.8 * size);
        };
        let one = |(key, name): &(&str, &str)| {
            let value = series::value(ctx, &format!("{prefix}{key}")).filter(|value| value.is_finite())?;
            Some(format!("{name} {}", number::short(value)))
        };
        let scalars: Vec<String> = self.scalars.iter().filter_map(one).collect();
        ui.label(tile::weak(format!("{}, step {}", self.title.to_uppercase(), number::grouped(step)), size, style));
        if !scalars.is_empty() {
            ui.add(Label::new(tile::weak(scalars.join("; "), size, style).color(style.text)).wrap());
        }
        ui.add(Label::new(tile::weak(self.about, size, style)).wrap());
        ScrollArea::horizontal().id_salt(self.key).auto_shrink([false, true]).show(ui, |ui| {
            let grid = Grid::new(self.key).spacing(vec2(1.2 * size, 0.2 * size)).min_row_height(1.4 * size);
            grid.show(ui, |ui| {
                for (k, line) in aligned(columns, rows).iter().enumerate() {
                    for cell in line {
                        let text = tile::mono(cell, size, style);
                        let text = if k == 0 { text.color(style.text_weak) } else { text };
                        ui.add(Label::new(text).extend());
                    }
                    ui.end_row();
                }
            });
        });
        ui.add_space(0.8 * size);
    }
}

/// Head and rows with every cell as wide as its column in characters: the first column begins on the left, others end on the
/// right.
fn aligned(columns: &[String], rows: &[Vec<String>]) -> Vec<Vec<String>> {
    let cell = |line: &[String], k: usize| line.get(k).cloned().unwrap_or_default();
    let wide = |k: usize| {
        let lines = std::iter::once(columns).chain(rows.iter().map(Vec::as_slice));
        lines.map(|line| cell(line, k).chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns.len()).map(wide).collect();
    let padded = |line: &[String]| {
        let one = |(k, width): (usize, &usize)| match k {
            0 => format!("{:<width$}", cell(line, k)),
            _ => format!("{:>width$}", cell(line, k)),
        };
        widths.iter().enumerate().map(one).collect()
    };
    std::iter::once(columns).chain(rows.iter().map(Vec::as_slice)).map(padded).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_short_rows_filled() {
        let words = |cells: &[&str]| cells.iter().map(|cell| (*cell).to_owned()).collect::<Vec<String>>();
        let lines = aligned(&words(&["finding", "AUC"]), &[words(&["é", "0.512"]), words(&["effusion"])]);
        assert_eq!(lines[0], ["finding ", "  AUC"]);
        assert_eq!(lines[1], ["é       ", "0.512"]);
        assert_eq!(lines[2], ["effusion", "     "]);
    }
}
