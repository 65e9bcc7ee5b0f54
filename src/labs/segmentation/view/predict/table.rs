//! The table of predictions: one row a picture; a click on a heading sorts.

use std::cmp::Ordering;
use std::sync::Arc;

use eframe::egui::{Align, Button, FontId, Label, Layout, RichText, ScrollArea, Sense, TextWrapMode, Ui};
use egui_extras::{Column, TableBuilder};

use crate::data::segmentation::split::Part;
use crate::labs::segmentation::predict::background::Found;
use crate::labs::segmentation::predict::report::Row;
use crate::pixels::spacing::Unit;
use crate::plot::style::Style;
use crate::plot::{names, number, tile};

/// A column, and by which the table is sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum By {
    #[default]
    Name,
    Part,
    Area,
    Share,
    Parts,
    Probability,
    Dice,
    Distance,
    Problem,
}

impl By {
    const ALL: [By; 9] =
        [By::Name, By::Part, By::Area, By::Share, By::Parts, By::Probability, By::Dice, By::Distance, By::Problem];

    fn title(self) -> &'static str {
        match self {
            By::Name => "image",
            By::Part => "part",
            By::Area => "area",
            By::Share => "share",
            By::Parts => "parts",
            By::Probability => "mean p",
            By::Dice => "Dice",
            By::Distance => "HD95",
            By::Problem => "problem",
        }
    }

    /// Title with the unit, where it is not pixels.
    fn heading(self, unit: Unit) -> String {
        match (self, unit) {
            (By::Area, Unit::Millimetres) => "area mm²".to_owned(),
            (By::Distance, Unit::Millimetres) => "HD95 mm".to_owned(),
            _ => self.title().to_owned(),
        }
    }

    fn help(self) -> &'static str {
        match self {
            By::Name => "The picture below its folder",
            By::Part => {
                "Its part of the data set that the weights were trained on, known by its content; empty: new to them"
            }
            By::Area => "Lesion at the picture's own size, pixels; mm² where a pixel has a size",
            By::Share => "Share of the picture that is lesion, percent",
            By::Parts => "Separate parts, 8-connected",
            By::Probability => "Mean probability over the lesion",
            By::Dice => "Dice against the true mask, where one is known",
            By::Distance => "HD95 against the true mask, pixels of the file; mm where a pixel has a size",
            By::Problem => "Why it could not be used, or what is odd about it",
        }
    }

    /// What is sorted; `None` comes last either way.
    fn value(self, row: &Row) -> Option<f64> {
        let measures = row.measures.as_ref()?;
        match self {
            By::Name | By::Part | By::Problem => None,
            By::Area => Some(measures.square_millimetres().unwrap_or(measures.area as f64)),
            By::Share => Some(measures.share),
            By::Parts => Some(measures.parts as f64),
            By::Probability => measures.confidence,
            By::Dice => measures.score.map(|score| score.dice),
            By::Distance => measures.score.and_then(|score| score.hd95),
        }
    }

    /// The cell; empty where nothing is known, a dash where it is undefined.
    pub fn text(self, row: &Row) -> String {
        match self {
            By::Name => return row.name.clone(),
            By::Part => return row.part.map_or("", Part::name).to_owned(),
            By::Problem => return row.problem.clone(),
            _ => {}
        }
        let Some(measures) = &row.measures else { return String::new() };
        match self {
            By::Area if measures.spacing.is_none() => number::grouped(measures.area as u64),
            By::Parts => measures.parts.to_string(),
            By::Share => format!("{:.2} %", 100.0 * measures.share),
            By::Dice if measures.score.is_none() => String::new(),
            By::Distance if measures.score.is_none() => String::new(),
            _ => self.value(row).map_or("—".to_owned(), number::short),
        }
    }
}

/// How the table is sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sorting {
    pub by: By,
    pub descending: bool,
}

/// The results in the order of the table. What has no number comes last either way.
pub fn sorted(found: &[Arc<Found>], sorting: Sorting) -> Vec<usize> {
    let turned = |order: Ordering| if sorting.descending { order.reverse() } else { order };
    let mut order: Vec<usize> = (0..found.len()).collect();
    order.sort_by(|&a, &b| {
        let (left, right) = (&found[a].row, &found[b].row);
        match sorting.by {
            // They come in natural order.
            By::Name => turned(a.cmp(&b)),
            By::Part => {
                turned(left.part.map_or(3, |part| part as usize).cmp(&right.part.map_or(3, |part| part as usize)))
            }
            By::Problem => turned(left.problem.cmp(&right.problem).reverse()),
            by => match (by.value(left), by.value(right)) {
                (Some(x), Some(y)) => turned(x.total_cmp(&y)),
                (x, y) => y.is_some().cmp(&x.is_some()),
            },
        }
    });
    order
}

/// Draws the table; gives the row that was clicked.
pub fn show(
    found: &[Arc<Found>],
    order: &[usize],
    sorting: &mut Sorting,
    open: Option<usize>,
    ui: &mut Ui,
    size: f32,
    style: &Style,
) -> Option<usize> {
    let scored = found.iter().any(|found| found.row.measures.as_ref().is_some_and(|m| m.score.is_some()));
    let unit = Unit::of(found.iter().find_map(|found| found.row.measures.as_ref()?.spacing));
    let odd = found.iter().any(|found| !found.row.problem.is_empty());
    let columns: Vec<By> = By::ALL
        .into_iter()
        .filter(|by| match by {
            By::Dice | By::Distance => scored,
            By::Problem => odd,
            By::Part => found.iter().any(|found| found.row.part.is_some()),
            _ => true,
        })
        .collect();
    let line = (1.7 * size).round();
    let wide = |by: By| if by == By::Problem { 26.0 * size } else { 5.4 * size };
    let name = (ui.available_width() - columns.iter().skip(1).map(|by| wide(*by) + 4.0).sum::<f32>() - 2.0 * size)
        .clamp(9.0 * size, 22.0 * size);
    let mut clicked = None;
    ui.style_mut().wrap_mode = Some(TextWrapMode::Truncate);
    ui.visuals_mut().selection.bg_fill = style.accent.gamma_multiply(0.22);
    ScrollArea::horizontal().id_salt("predicted table").auto_shrink(false).show(ui, |ui| {
        let mut table = TableBuilder::new(ui)
            .id_salt(("predictions", columns.len()))
            .sense(Sense::click())
            .auto_shrink(false)
            .cell_layout(Layout::right_to_left(Align::Center))
            .column(Column::exact(name).clip(true));
        for by in columns.iter().skip(1) {
            table = table.column(Column::exact(wide(*by)).clip(true));
        }
        table
            .header(line, |mut header| {
                for &column in &columns {
                    header.col(|ui| {
                        let mark = match (column == sorting.by, sorting.descending) {
                            (true, true) => " ▼",
                            (true, false) => " ▲",
                            _ => "",
                        };
                        let text = RichText::new(format!("{}{mark}", column.heading(unit))).size(size);
                        let layout = layout(column);
                        ui.with_layout(layout, |ui| {
                            let heading = Button::new(text.color(style.text_weak)).frame(false);
                            if ui.add(heading).on_hover_text(column.help()).clicked() {
                                let descending = column == sorting.by && !sorting.descending;
                                *sorting = Sorting { by: column, descending };
                            }
                        });
                    });
                }
            })
            .body(|body| {
                body.rows(line, order.len(), |mut row| {
                    let i = order[row.index()];
                    row.set_selected(open == Some(i));
                    for &column in &columns {
                        row.col(|ui| {
                            let about = &found[i].row;
                            let mut text = column.text(about);
                            if column == By::Name {
                                let font = FontId::proportional(size);
                                text = names::fitted(ui.painter(), &text, &font, ui.available_width());
                            }
                            let color = if about.measures.is_none() { style.error } else { style.text };
                            let text = match column {
                                By::Name | By::Part | By::Problem => RichText::new(text).size(size).color(color),
                                _ => tile::mono(text, size, style),
                            };
                            ui.with_layout(layout(column), |ui| ui.add(Label::new(text).selectable(false)));
                        });
                    }
                    let response = row.response();
                    if response.clicked() {
                        clicked = Some(i);
                    }
                    let about = &found[i].row;
                    let problem = if about.problem.is_empty() { "" } else { ": " };
                    response.on_hover_text(format!("{}{problem}{}", about.name, about.problem));
                });
            });
    });
    clicked
}

fn layout(column: By) -> Layout {
    match column {
        By::Name | By::Part | By::Problem => Layout::left_to_right(Align::Center),
        _ => Layout::right_to_left(Align::Center),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::labs::segmentation::predict::Measures;

    fn found(name: &str, area: Option<usize>) -> Arc<Found> {
        let measures = area.map(|area| Measures {
            width: 100,
            height: 10,
            area,
            share: area as f64 / 1000.0,
            parts: 1,
            confidence: (area > 0).then_some(0.75),
            score: None,
            spacing: None,
        });
        let problem = if area.is_none() { "is damaged".to_owned() } else { String::new() };
        let row = Row { measures, problem, ..Row::new(name, name) };
        Arc::new(Found { path: PathBuf::from(name), row, shown: None })
    }

    #[test]
    fn what_has_no_number_comes_last_either_way() {
        let all = [found("a", Some(30)), found("b", None), found("c", Some(0)), found("d", Some(700))];
        let order = |by: By, descending: bool| sorted(&all, Sorting { by, descending });
        assert_eq!(order(By::Name, false), [0, 1, 2, 3]);
        assert_eq!(order(By::Name, true), [3, 2, 1, 0]);
        assert_eq!(order(By::Area, false), [2, 0, 3, 1]);
        assert_eq!(order(By::Area, true), [3, 0, 2, 1]);
        assert_eq!(order(By::Probability, false), [0, 3, 1, 2]);
        assert_eq!(order(By::Problem, false)[0], 1);
        assert_eq!((By::Share.text(&all[3].row), By::Probability.text(&all[2].row)), ("70.00 %".into(), "—".into()));
        assert_eq!((By::Dice.text(&all[0].row), By::Area.text(&all[1].row)), (String::new(), String::new()));
    }
}
