//! Codes of test pictures along their two widest directions: which pictures lie beside each other, what lies between two of them,
//! and how well hospitals can be told.

use std::sync::Arc;

use eframe::egui::accesskit::Role;
use eframe::egui::{
    Align2, Color32, ColorImage, FontId, Painter, Rect, Sense, Stroke, StrokeKind, TextureOptions, Ui, WidgetInfo,
    pos2, vec2,
};

use crate::engine::event::Payload;
use crate::engine::params::Value;
use crate::engine::twin::TWIN;
use crate::kit::fields::Fields;
use crate::kit::points::{Over, PointMap, Points, Touched, class_name};
use crate::kit::tiles::{Tile, TileCommand, TileSpec};
use crate::kit::view::ViewCtx;
use crate::kit::wall::{Panel, Pictures, Recorded};
use crate::kit::{empty, series};
use crate::labs::reconstruction::between::{COLUMNS, SMALL, STEPS};
use crate::labs::reconstruction::params::{BETWEEN_FIRST, BETWEEN_SECOND};
use crate::plot::axes::Titles;
use crate::plot::image_view::Lens;
use crate::plot::live_texture::LiveTexture;
use crate::plot::{number, scatter, tile};

use super::ReconstructionView;
use super::pictures::{Named, named};

/// Pictures nearest to one.
const NEIGHBOURS: usize = 5;

/// The tile.
pub static TILE: Tile<ReconstructionView> = Tile {
    spec: TileSpec {
        id: "latent",
        title: "Codes",
        help: "Pooled codes of test pictures along their two widest directions, by grade or by hospital. Where hospitals lie apart, the \
               encoder tells cameras; the probe says how well (a linear layer, fitted on every second picture, judged on the others). \
               Point at a picture, or click it, to see the pictures with the nearest codes (all directions count, not the two \
               that are drawn). Drag from one point to another to see what is decoded between their codes. Click a class to highlight it; \
               move the map with Shift held.",
        area: "codes",
        follows_cursor: true,
    },
    show: |view, ui, ctx| view.latent.show(ui, ctx),
    commands: &[
        TileCommand { id: "latent-fit", title: "Codes: show all points", run: |view, _, _| view.latent.map.fit() },
        TileCommand {
            id: "latent-hospitals",
            title: "Codes: colours by hospital or by grade",
            run: |view, _, _| view.latent.hospitals ^= true,
        },
        TileCommand {
            id: "latent-pictures",
            title: "Codes: pictures at the points on or off",
            run: |view, _, _| view.latent.pictured ^= true,
        },
        TileCommand {
            id: "latent-next",
            title: "Codes: select the next picture",
            run: |view, _, _| view.latent.selected = Some(view.latent.selected.map_or(0, |selected| selected + 1)),
        },
        TileCommand {
            id: "latent-between",
            title: "Codes: decode from the selected picture to its nearest one",
            run: |view, ctx, _| view.latent.ask_for_nearest(ctx),
        },
    ],
};

/// View state.
#[derive(Debug, Default)]
pub struct Latent {
    map: PointMap,
    hospitals: bool,
    twin: bool,
    /// Pictures stand at the points.
    pictured: bool,
    selected: Option<usize>,
    small: Small,
    strip: Recorded,
    pictures: Pictures,
}

/// Small copies of the pictures on one texture.
#[derive(Debug, Default)]
struct Small {
    texture: LiveTexture,
    /// What is on it.
    of: Option<u64>,
    count: usize,
}

impl Small {
    fn follow(&mut self, ui: &Ui, ctx: &ViewCtx<'_>) {
        let Some((_, payload)) = ctx.payload("latent/thumbnails") else { return };
        let of = series::identity(&payload);
        let Payload::Image { width, height, rgba } = &*payload else { return };
        let size = [*width as usize, *height as usize];
        let whole = size[0] == COLUMNS * SMALL && size[1] > 0 && size[1].checked_mul(4 * size[0]) == Some(rgba.len());
        if self.of == Some(of) || !whole {
            return;
        }
        let image = ColorImage::from_rgba_unmultiplied(size, rgba);
        self.texture.set(ui.ctx(), "small copies", image, TextureOptions::LINEAR);
        (self.of, self.count) = (Some(of), COLUMNS * size[1] / SMALL);
    }

    /// Draws one; nothing where there is none.
    fn draw(&self, painter: &Painter, i: usize, rect: Rect) {
        let (Some(texture), Some([width, height])) = (self.texture.id(), self.texture.size()) else { return };
        if i < self.count {
            // Half a pixel of the border belongs to the neighbour too.
            let at = pos2((i % COLUMNS * SMALL) as f32 + 0.5, (i / COLUMNS * SMALL) as f32 + 0.5);
            let share = |x: f32, y: f32| pos2(x / width as f32, y / height as f32);
            let far = SMALL as f32 - 1.0;
            let uv = Rect::from_min_max(share(at.x, at.y), share(at.x + far, at.y + far));
            painter.image(texture, rect, uv, Color32::WHITE);
        }
    }
}

/// The pictures whose codes are nearest to that of picture `i`, nearest first, with their distances. `codes`: `[N, d]`.
fn nearest(codes: &[f32], d: usize, i: usize, count: usize) -> Vec<(usize, f64)> {
    let Some(own) = codes.get(i * d..(i + 1) * d).filter(|own| !own.is_empty()) else { return Vec::new() };
    let far = |row: &[f32]| row.iter().zip(own).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>().sqrt();
    let mut all: Vec<(usize, f64)> = codes.chunks_exact(d).map(far).enumerate().filter(|(k, _)| *k != i).collect();
    let count = count.min(all.len());
    if count > 0 {
        all.select_nth_unstable_by(count - 1, |a, b| a.1.total_cmp(&b.1));
        all.truncate(count);
    }
    all.sort_by(|a, b| a.1.total_cmp(&b.1));
    all
}

/// Codes at the cursor, `[rows, d]`, at least one.
struct Codes {
    payload: Arc<Payload>,
    rows: usize,
    d: usize,
}

impl Codes {
    fn at(ctx: &ViewCtx<'_>, prefix: &str) -> Option<Self> {
        let (_, payload) = ctx.payload(&format!("{prefix}latent/codes"))?;
        let Payload::Matrix { rows, cols, values } = &*payload else { return None };
        let (rows, d) = (*rows as usize, *cols as usize);
        (rows > 0 && d > 0 && rows.checked_mul(d) == Some(values.len())).then_some(Self { payload, rows, d })
    }

    /// See [`nearest`].
    fn nearest(&self, i: usize, count: usize) -> Vec<(usize, f64)> {
        match &*self.payload {
            Payload::Matrix { values, .. } => nearest(values, self.d, i, count),
            _ => Vec::new(),
        }
    }
}

/// Grade and hospital, in short.
fn short(named: Option<&Named>) -> String {
    named.map_or_else(String::new, |named| {
        let grade = named.grade.map_or("?".to_owned(), |grade| grade.to_string());
        format!("{grade} · {}", named.hospital)
    })
}

impl Latent {
    /// What of it belongs to a scene.
    pub fn fields(&mut self, fields: &mut Fields) {
        self.map.fields(fields);
        fields.value("hospitals", &mut self.hospitals, false);
        fields.value("twin", &mut self.twin, false);
        fields.value("pictured", &mut self.pictured, false);
        fields.optional("selected", &mut self.selected);
    }

    fn show(&mut self, ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
        let twin = ctx.payload(&format!("{TWIN}latent/points")).is_some();
        self.twin &= twin;
        let prefix = if self.twin { TWIN } else { "" };
        let found = ctx.payload(&format!("{prefix}latent/points"));
        let Some((step, Payload::Points { xy, .. })) = found.as_ref().map(|(step, payload)| (*step, &**payload)) else {
            return empty::measured(
                ui,
                ctx,
                "before training and then every so many steps (parameter `validate_every`)",
            );
        };
        self.small.follow(ui, ctx);
        self.strip.follow(ctx, &format!("{prefix}interpolation/strip"));
        let mut names = named(ctx, "names/test");
        names.extend(named(ctx, "names/unseen"));
        let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
        let (bar, rest) = tile::split(ui, size);
        let whose = if self.twin { "twin, " } else { "" };
        let probe = series::value(ctx, &format!("{prefix}hospital_probe"));
        let probe = probe.map_or_else(String::new, |accuracy| format!("hospital told in {:.0} %, ", 100.0 * accuracy));
        let about = format!("{whose}{probe}step {}", number::grouped(step));
        tile::bar(ui, bar, tile::weak(about, size, style), |ui| {
            if tile::button(ui, self.map.is_zoomed(), "fit", "Show all points (double-click does the same)", size) {
                self.map.fit();
            }
            if twin && tile::toggle(ui, self.twin, "twin", "Show the twin's codes", size) {
                self.twin = !self.twin;
            }
            if tile::toggle(ui, self.hospitals, "hospital", "Colours by hospital in place of grade", size) {
                self.hospitals = !self.hospitals;
            }
            let help = "The pictures at their points, as many as do not cover each other";
            if tile::toggle(ui, self.pictured, "pictures", help, size) {
                self.pictured = !self.pictured;
            }
        });
        let count = xy.len();
        // The palette selects round.
        self.selected = self.selected.map(|selected| selected % count.max(1)).filter(|_| count > 0);
        let codes = Codes::at(ctx, prefix).filter(|codes| codes.rows == count);
        let neighbours = |i: usize| codes.as_ref().map_or_else(Vec::new, |codes| codes.nearest(i, NEIGHBOURS));
        let row = 5.4 * size;
        let row = if rest.height() < 2.6 * row { 0.0 } else { row };
        let above = Rect::from_min_max(rest.min, pos2(rest.right(), rest.bottom() - row));
        let (classes, titles) = self.classes(&names);
        let called = |i: usize| {
            let class = class_name(&titles, classes.get(i).copied().unwrap_or(0));
            names.get(i).map_or_else(|| class.clone(), |named| format!("{}: {class}", named.name))
        };
        let (small, pictured, selected) = (&self.small, self.pictured, self.selected);
        let over = |over: &Over<'_>| {
            if pictured {
                draw_small(small, over, count, &classes, 2.2 * size, ctx);
            }
            let focus = over.hovered.or(selected);
            for i in focus.into_iter().flat_map(neighbours).map(|(i, _)| i) {
                if let Some(focus) = focus {
                    let line = [(over.place)(focus), (over.place)(i)];
                    over.painter.line_segment(line, Stroke::new(1.2, style.text.gamma_multiply(0.7)));
                }
            }
            if let Some(selected) = selected {
                over.painter.circle_stroke((over.place)(selected), 0.6 * size, Stroke::new(2.0, style.accent));
            }
        };
        let points = Points {
            xy,
            classes: &classes,
            class_names: &titles,
            name: &called,
            titles: Titles { x: "widest direction of the codes", y: "second" },
            said: format!("codes of {count} test pictures"),
            links: true,
            over: &over,
        };
        let Touched { hovered, clicked, linked } = self.map.show(&points, above, ui, ctx);
        if let Some(clicked) = clicked {
            self.selected = if clicked == self.selected { None } else { clicked };
        }
        if row > 0.0 {
            let place = Rect::from_min_max(pos2(rest.left(), above.bottom() + 0.3 * size), rest.max);
            let focus = hovered.or(self.selected);
            let both = place.width() > 46.0 * size;
            let (left, right) =
                place.split_left_right_at_x(if both { place.left() + 20.0 * size } else { place.left() });
            if let Some(focus) = focus.filter(|_| both || linked.is_none()) {
                let place = if both { left } else { place };
                self.draw_neighbours(focus, &neighbours(focus), &names, place, ui, ctx);
            } else if both {
                let painter = ui.painter_at(left);
                let text = "point at a picture: its nearest";
                painter.text(left.left_top(), Align2::LEFT_TOP, text, FontId::proportional(size), style.text_weak);
            }
            if both || focus.is_none() {
                self.draw_between(prefix, &names, if both { right } else { place }, ui, ctx);
            }
        }
        if let Some(pair) = linked {
            self.selected = None;
            between(pair, ctx);
        }
    }

    /// Asks for what lies between the selected picture, or the first one, and the nearest to it.
    fn ask_for_nearest(&mut self, ctx: &mut ViewCtx<'_>) {
        let Some(codes) = Codes::at(ctx, if self.twin { TWIN } else { "" }) else { return };
        let from = self.selected.unwrap_or(0) % codes.rows;
        if let Some((to, _)) = codes.nearest(from, 1).first() {
            between([from, *to], ctx);
        }
    }

    fn draw_neighbours(
        &self,
        focus: usize,
        neighbours: &[(usize, f64)],
        names: &[Named],
        rect: Rect,
        ui: &Ui,
        ctx: &ViewCtx<'_>,
    ) {
        let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
        let painter = ui.painter_at(rect);
        let name = names.get(focus).map_or("", |named| named.name.as_str());
        let title = format!("{name}, grade · hospital, and the nearest");
        tile::one_line(&painter, &title, rect, FontId::proportional(size), style.text_weak);
        let gap = 0.5 * size;
        let side = (rect.height() - 2.8 * size).min((rect.width() - gap * NEIGHBOURS as f32) / (NEIGHBOURS + 1) as f32);
        if side < 4.0 {
            return;
        }
        let all = std::iter::once((focus, 0.0)).chain(neighbours.iter().copied());
        for (k, (i, far)) in all.enumerate() {
            // The picture itself stands a little apart.
            let x = rect.left() + (side + gap) * k as f32;
            let place = Rect::from_min_size(pos2(x, rect.top() + 1.4 * size), vec2(side, side));
            self.small.draw(&painter, i, place);
            let color = if k == 0 { style.accent } else { style.rule };
            painter.rect_stroke(place, 0.0, Stroke::new(1.5, color), StrokeKind::Inside);
            let at = pos2(place.center().x, rect.bottom());
            painter.text(at, Align2::CENTER_BOTTOM, short(names.get(i)), FontId::monospace(size - 1.0), style.text);
            let named = names.get(i).map_or("", |named| named.name.as_str());
            let said = if k == 0 {
                format!("{named}, {}", short(names.get(i)))
            } else {
                format!("neighbour {k}: {named}, {}, distance {}", short(names.get(i)), number::short(far))
            };
            let response = ui.interact(place, ui.scope_id().with(("neighbour", k)), Sense::hover());
            response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &said));
            response.on_hover_text(&said);
        }
    }

    /// What is decoded between two codes, and between which.
    fn draw_between(&mut self, prefix: &str, names: &[Named], rect: Rect, ui: &Ui, ctx: &ViewCtx<'_>) {
        let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
        let painter = ui.painter_at(rect);
        let write = |text: &str| tile::one_line(&painter, text, rect, FontId::proportional(size), style.text_weak);
        let shown = ctx.payload(&format!("{prefix}interpolation/pair")).and_then(|(_, payload)| match &*payload {
            Payload::Matrix { cols: 2, values, .. } if values.len() == 2 => {
                Some([values[0] as usize, values[1] as usize])
            }
            _ => None,
        });
        let Some(shown) = shown else { return write("nothing is decoded: the decoder learns nothing") };
        let last = names.len().saturating_sub(1);
        let wanted = [&BETWEEN_FIRST, &BETWEEN_SECOND].map(|number| (number.of(ctx.params) as usize).min(last));
        let called = |i: usize| {
            names.get(i).map_or_else(|| i.to_string(), |named| format!("{} (grade {})", named.name, short(Some(named))))
        };
        let over = ctx.run.status.as_ref().is_some_and(|status| status.is_over());
        let live = ctx.cursor.step == ctx.run.step;
        let text = if wanted == shown || !live {
            format!("decoded between {} and {}", called(shown[0]), called(shown[1]))
        } else if over {
            format!("{} to {}: this run is over and decodes no more", called(wanted[0]), called(wanted[1]))
        } else {
            format!("{} to {}: shown with the next step", called(wanted[0]), called(wanted[1]))
        };
        write(&text);
        let side = (rect.height() - 1.6 * size).min(rect.width() / STEPS as f32);
        if side < 4.0 {
            return;
        }
        let place = Rect::from_min_size(pos2(rect.left(), rect.top() + 1.5 * size), vec2(side * STEPS as f32, side));
        let response = ui.interact(place, ui.scope_id().with("between"), Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &text));
        response.on_hover_text(
            "Seven steps of the straight line between both codes, decoded; the ends are reconstructions",
        );
        let panel = Panel { picture: self.strip.picture(), ..Panel::default() };
        self.pictures.panel(ui, place, &Lens::default(), &panel);
    }

    /// The class of each picture, and what classes are called.
    fn classes(&self, names: &[Named]) -> (Vec<usize>, Vec<String>) {
        if !self.hospitals {
            let grade = |named: &Named| named.grade.map_or(4, usize::from);
            let classes: Vec<usize> = names.iter().map(grade).collect();
            let titles = ["healthy", "grade 1", "grade 2", "grade 3", "no grade"];
            let ungraded = classes.contains(&4);
            return (classes, titles[..if ungraded { 5 } else { 4 }].iter().map(|&title| title.to_owned()).collect());
        }
        let mut titles: Vec<String> = names.iter().map(|named| named.hospital.clone()).collect();
        titles.sort_unstable();
        titles.dedup();
        let class = |named: &Named| titles.iter().position(|title| *title == named.hospital).unwrap_or(0);
        (names.iter().map(class).collect(), titles)
    }
}

/// Asks for what lies between two pictures.
fn between([first, second]: [usize; 2], ctx: &mut ViewCtx<'_>) {
    ctx.set(BETWEEN_FIRST.key(), Value::Int(first as i64), true);
    ctx.set(BETWEEN_SECOND.key(), Value::Int(second as i64), true);
}

/// Small copies at their points, each framed in the colour of its class; one that would cover another is left out.
fn draw_small(small: &Small, over: &Over<'_>, count: usize, classes: &[usize], side: f32, ctx: &ViewCtx<'_>) {
    // What was placed, by cells of the size of a copy: only the eight around can touch it.
    let mut placed = std::collections::HashMap::<(i32, i32), Rect>::new();
    for i in 0..count.min(small.count) {
        let at = (over.place)(i);
        if !over.rect.contains(at) {
            continue;
        }
        let rect = Rect::from_center_size(at, vec2(side, side));
        let cell = ((at.x / side) as i32, (at.y / side) as i32);
        let around = (-1..=1).flat_map(|dy| (-1..=1).map(move |dx| (cell.0 + dx, cell.1 + dy)));
        if around.filter_map(|cell| placed.get(&cell)).any(|other| other.intersects(rect)) {
            continue;
        }
        placed.insert(cell, rect);
        small.draw(over.painter, i, rect);
        let (color, _) = scatter::appearance(ctx.style, classes.get(i).copied().unwrap_or(0));
        over.painter.rect_stroke(rect, 0.0, Stroke::new(1.5, color), StrokeKind::Outside);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_codes_are_found_in_all_directions() {
        let codes = [0.0, 0.0, 3.0, 4.0, 1.0, 0.0, 0.0, -2.0];
        assert_eq!(nearest(&codes, 2, 0, 2), [(2, 1.0), (3, 2.0)]);
        assert_eq!(nearest(&codes, 2, 0, 9).len(), 3, "not itself");
        assert!(nearest(&codes, 2, 7, 3).is_empty());
        assert!(nearest(&[], 0, 0, 3).is_empty());
    }
}
