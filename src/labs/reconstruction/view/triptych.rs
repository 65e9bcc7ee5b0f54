//! Original, reconstruction and error side by side, at the step of the timeline, all through one lens.

use std::sync::Arc;

use eframe::egui::{Rect, Ui, pos2};

use crate::data::synth::fundus::LesionKind;
use crate::engine::event::Payload;
use crate::engine::twin::TWIN;
use crate::kit::empty;
use crate::kit::fields::Fields;
use crate::kit::series;
use crate::kit::tiles::{Tile, TileCommand, TileSpec};
use crate::kit::view::ViewCtx;
use crate::kit::wall::{
    self, Cell, Content, Contours, Fact, Key, Legend, Mark, Outline, Panel, Picture, Pictures, Recorded, Seen, Wall,
};
use crate::labs::reconstruction::judge::MOST_ERROR;
use crate::metrics::quality::{WINDOW, ssim_map};
use crate::pixels::mask::Mask;
use crate::pixels::resize::Size;
use crate::plot::background::Latest;
use crate::plot::image_view::Lens;
use crate::plot::style::Dash;
use crate::plot::{number, tile};

use super::ReconstructionView;
use super::pictures::{self, Named};

/// The tile.
pub static TILE: Tile<ReconstructionView> = Tile {
    spec: TileSpec {
        id: "triptych",
        title: "Original, reconstruction, error",
        help: "Test pictures of each grade, what the network makes of them at the timeline's step, and what is lost. Scroll to zoom \
               and drag to move all of them together. Lesions whose places are known are outlined: microaneurysms (MA), haemorrhages (HE), \
               hard exudates (EX), cotton-wool spots (CWS). Errors are means of red, green and blue; MSE, PSNR and SSIM are within the \
               field of view.",
        area: "large",
        follows_cursor: true,
    },
    show: |view, ui, ctx| view.triptych.show(ui, ctx),
    commands: &[
        TileCommand {
            id: "triptych-fit",
            title: "Pictures: show them whole",
            run: |view, _, _| view.triptych.lens.fit(),
        },
        TileCommand {
            id: "triptych-lesions",
            title: "Pictures: outlines of lesions on or off",
            run: |view, _, _| view.triptych.hide_lesions ^= true,
        },
        TileCommand {
            id: "triptych-similarity",
            title: "Pictures: structural similarity in place of the error, on or off",
            run: |view, _, _| view.triptych.similarity ^= true,
        },
        TileCommand {
            id: "triptych-pin",
            title: "Pictures: pin all again",
            run: |view, _, _| view.triptych.wall.pin_all(),
        },
        TileCommand {
            id: "triptych-all-fit",
            title: "Pictures: all fit, on or off",
            run: |view, _, _| view.triptych.wall.toggle_fit(),
        },
    ],
};

/// View state.
#[derive(Debug, Default)]
pub struct Triptych {
    wall: Wall,
    pictures: Pictures,
    pub lens: Lens,
    pub selected: usize,
    rows: Vec<Row>,
    hide_lesions: bool,
    similarity: bool,
}

/// One picture, as it is at the cursor.
#[derive(Debug, Default)]
struct Row {
    original: Recorded,
    rebuilt: Recorded,
    twin: Recorded,
    lesions: Lesions,
    lost: Lost,
    lost_twin: Lost,
}

/// The outlines of the lesions of a picture on the wall.
#[derive(Debug, Default)]
pub(super) struct Lesions {
    outlines: Vec<(LesionKind, Contours)>,
    /// What they were made of.
    of: Option<u64>,
}

/// What a reconstruction lost.
type Lost = Latest<Asked, Map>;

/// Values row by row, and what they are of.
#[derive(Debug)]
struct Map {
    version: ([u64; 2], bool),
    values: Vec<f32>,
}

/// The pictures that are compared, and how.
#[derive(Debug, Clone)]
struct Asked {
    /// What they are of.
    step: u64,
    of: [u64; 2],
    similarity: bool,
    original: Arc<Payload>,
    rebuilt: Arc<Payload>,
}

impl PartialEq for Asked {
    fn eq(&self, other: &Self) -> bool {
        (self.step, self.of, self.similarity) == (other.step, other.of, other.similarity)
    }
}

impl Triptych {
    /// What of it belongs to a scene.
    pub fn fields(&mut self, fields: &mut Fields) {
        self.wall.fields(fields);
        fields.lens("lens", &mut self.lens);
        fields.value("selected", &mut self.selected, 0);
        fields.value("hide_lesions", &mut self.hide_lesions, false);
        fields.value("similarity", &mut self.similarity, false);
    }

    fn show(&mut self, ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
        let names = pictures::named(ctx, "wall/names");
        if names.is_empty() {
            return empty::measured(
                ui,
                ctx,
                "before training and then every so many steps (parameter `rebuild_every`)",
            );
        }
        self.follow(&names, ui, ctx);
        let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
        let (bar, rest) = tile::split(ui, size);
        let learns = ctx.payload("wall/rebuilt/0").map(|(step, _)| step);
        let twin = ctx.payload(&format!("{TWIN}wall/rebuilt/0")).is_some();
        let about = match learns {
            Some(step) if twin => {
                format!("generated pictures, step {}, the twin's on the right", number::grouped(step))
            }
            Some(step) => format!("generated pictures, step {}", number::grouped(step)),
            None => "generated pictures; supervised: the decoder learns nothing".to_owned(),
        };
        tile::bar(ui, bar, tile::weak(about, size, style), |ui| {
            if tile::button(
                ui,
                self.lens.is_zoomed(),
                "fit",
                "Show the whole pictures (double-click does the same)",
                size,
            ) {
                self.lens.fit();
            }
            tile::menu(ui, "pictures", "", size, |ui| self.wall.menu(ui));
            let help = "1 − structural similarity in 11×11 windows, mean of the colours, in place of |error|";
            if tile::toggle(ui, self.similarity, "SSIM", help, size) {
                self.similarity = !self.similarity;
            }
            if tile::toggle(ui, !self.hide_lesions, "lesions", "Outline the lesions whose places are known", size) {
                self.hide_lesions = !self.hide_lesions;
            }
        });
        let foot = Rect::from_min_max(pos2(rest.left(), rest.bottom() - 1.6 * size), rest.max);
        let above = Rect::from_min_max(rest.min, pos2(rest.right(), foot.top() - 0.2 * size));
        let quality = quality(ctx, "wall/quality");
        let count = if learns.is_none() {
            1
        } else if twin {
            5
        } else {
            3
        };
        let on = self.wall.seen(names.len());
        let Self { wall, pictures, lens, selected, rows, hide_lesions, .. } = self;
        let cell = |i: usize, width: f32| {
            let row = &rows[i];
            let mut panels = vec![original(row, *hide_lesions)];
            if count > 1 {
                panels.push(Panel { picture: row.rebuilt.picture(), ..Panel::default() });
                panels.push(lost(i, row, false));
            }
            if count > 3 {
                panels.push(Panel { picture: row.twin.picture(), ..Panel::default() });
                panels.push(lost(i, row, true));
            }
            let Named { name, grade, .. } = &names[i];
            let grade = grade.map_or("no grade".to_owned(), |grade| format!("grade {grade}"));
            let facts = quality.as_ref().and_then(|rows| rows.get(i)).map(|[mse, psnr, ssim]| {
                let fact = |name, value, unit| Fact { name, value, unit };
                // PSNR tells what MSE tells; beside it SSIM has room for its name.
                if wall::is_narrow(width, size) {
                    vec![fact("", format!("{psnr:.1}"), "dB"), fact("", format!("{ssim:.2}"), "SSIM")]
                } else {
                    vec![
                        fact("MSE", format!("{mse:.4}"), ""),
                        fact("", format!("{psnr:.1}"), "dB"),
                        fact("SSIM", format!("{ssim:.2}"), ""),
                    ]
                }
            });
            let facts = if count > 1 { facts } else { Some(vec![Fact { name: "", value: grade.clone(), unit: "" }]) };
            Cell { panels, name, facts, said: format!("{name}, {grade}") }
        };
        let mut seen = Seen { pictures, lens, selected };
        wall.show(ui, ctx, above, &on, count as f32, &mut seen, cell);
        self.legend(count).show(ui, foot, style, size);
    }

    /// Takes over what is recorded at the cursor.
    fn follow(&mut self, names: &[Named], ui: &Ui, ctx: &ViewCtx<'_>) {
        self.rows.resize_with(names.len(), Row::default);
        for (i, row) in self.rows.iter_mut().enumerate() {
            row.original.follow(ctx, &format!("wall/original/{i}"));
            row.rebuilt.follow(ctx, &format!("wall/rebuilt/{i}"));
            row.twin.follow(ctx, &format!("{TWIN}wall/rebuilt/{i}"));
            row.lesions.follow(i, ctx);
            let Some((_, original)) = ctx.payload(&format!("wall/original/{i}")) else { continue };
            for (prefix, latest) in [("", &mut row.lost), (TWIN, &mut row.lost_twin)] {
                let Some((step, rebuilt)) = ctx.payload(&format!("{prefix}wall/rebuilt/{i}")) else { continue };
                let of = [series::identity(&original), series::identity(&rebuilt)];
                let asked = Asked { step, of, similarity: self.similarity, original: original.clone(), rebuilt };
                latest.update("lost", ui.ctx(), &asked, what_is_lost);
            }
        }
    }

    fn legend(&self, count: usize) -> Legend<'static> {
        let mut legend = Legend::default();
        if !self.hide_lesions {
            legend.lines = Lesions::marks();
        }
        if count > 1 {
            legend.heat = Some(if self.similarity {
                ("1 − SSIM 0", "1".to_owned())
            } else {
                ("|error| 0", format!("{MOST_ERROR}"))
            });
        }
        legend
    }
}

impl Lesions {
    /// Takes over those of picture `i` of the wall.
    pub(super) fn follow(&mut self, i: usize, ctx: &ViewCtx<'_>) {
        let Some((_, payload)) = ctx.payload(&format!("wall/lesions/{i}")) else { return };
        let of = series::identity(&payload);
        let Payload::Mask { width, height, labels } = &*payload else { return };
        if self.of == Some(of) || labels.len() != (*width * *height) as usize {
            return;
        }
        self.of = Some(of);
        let contours = |kind: LesionKind| {
            let (height, width) = (*height as usize, *width as usize);
            let mask = Mask::from_fn(height, width, |row, column| labels[row * width + column] == kind as u8 + 1);
            (!mask.is_empty()).then(|| (kind, Contours::of(&mask)))
        };
        self.outlines = LesionKind::ALL.into_iter().filter_map(contours).collect();
    }

    pub(super) fn outlines(&self) -> Vec<Outline<'_>> {
        self.outlines.iter().map(|(kind, contours)| contours.outline(color(*kind), Dash::Solid, 1.2, 1.0)).collect()
    }

    /// What their colours mean.
    pub(super) fn marks() -> Vec<Mark> {
        let mark = |kind| Mark { name: short(kind), short: short(kind), color: color(kind), dash: Dash::Solid };
        LesionKind::ALL.map(mark).into()
    }
}

/// As the field abbreviates it.
pub(super) fn short(kind: LesionKind) -> &'static str {
    match kind {
        LesionKind::Microaneurysm => "MA",
        LesionKind::Haemorrhage => "HE",
        LesionKind::HardExudate => "EX",
        LesionKind::CottonWoolSpot => "CWS",
    }
}

/// Red ones, bright ones.
pub(super) fn color(kind: LesionKind) -> eframe::egui::Color32 {
    use eframe::egui::Color32;
    match kind {
        LesionKind::Microaneurysm => Color32::from_rgb(120, 200, 255),
        LesionKind::Haemorrhage => Color32::from_rgb(60, 120, 255),
        LesionKind::HardExudate => Color32::from_rgb(120, 230, 120),
        LesionKind::CottonWoolSpot => Color32::from_rgb(240, 150, 255),
    }
}

fn original(row: &Row, hide_lesions: bool) -> Panel<'_> {
    let outlines = if hide_lesions { Vec::new() } else { row.lesions.outlines() };
    Panel { picture: row.original.picture(), outlines, ..Panel::default() }
}

fn lost(i: usize, row: &Row, twin: bool) -> Panel<'_> {
    let (latest, recorded) = if twin { (&row.lost_twin, &row.twin) } else { (&row.lost, &row.rebuilt) };
    let picture = latest.newest().zip(recorded.size()).map(|(map, size)| Picture {
        key: Key::new(("lost", i, twin), map.version),
        size,
        content: Content::Heat { values: &map.values, most: if map.version.1 { 1.0 } else { MOST_ERROR } },
    });
    Panel { picture, ..Panel::default() }
}

/// See [`lost_at`].
fn what_is_lost(asked: &Asked) -> Map {
    Map { version: (asked.of, asked.similarity), values: lost_at(asked) }
}

/// Mean over red, green and blue of |original − reconstruction| at every pixel, in 0 to 1; or 1 − structural similarity, where
/// windows that reach beyond the edge take the nearest one that does not.
fn lost_at(asked: &Asked) -> Vec<f32> {
    let (Payload::Image { width, height, rgba: a }, Payload::Image { rgba: b, .. }) =
        (&*asked.original, &*asked.rebuilt)
    else {
        return Vec::new();
    };
    let (height, width) = (*height as usize, *width as usize);
    if a.len() != b.len() || a.len() != 4 * width * height {
        return Vec::new();
    }
    if !asked.similarity {
        let apart =
            |(a, b): (&[u8], &[u8])| (0..3).map(|c| f32::from(a[c].abs_diff(b[c]))).sum::<f32>() / (3.0 * 255.0);
        return a.chunks_exact(4).zip(b.chunks_exact(4)).map(apart).collect();
    }
    let plane = |rgba: &[u8], channel: usize| -> Vec<f64> {
        rgba.iter().skip(channel).step_by(4).map(|level| f64::from(*level) / 255.0).collect()
    };
    let maps: Vec<_> =
        (0..3).filter_map(|c| ssim_map(&plane(a, c), &plane(b, c), Size { height, width }, 1.0)).collect();
    let reach = WINDOW / 2;
    let at = |i: usize| {
        let value = |map: &crate::metrics::quality::SsimMap| {
            let row = (i / width).saturating_sub(reach).min(map.size.height - 1);
            let column = (i % width).saturating_sub(reach).min(map.size.width - 1);
            map.values[row * map.size.width + column]
        };
        (1.0 - maps.iter().map(value).sum::<f64>() / maps.len().max(1) as f64) as f32
    };
    (0..width * height).map(at).collect()
}

/// MSE, PSNR and SSIM within the field of view, picture by picture.
fn quality(ctx: &ViewCtx<'_>, key: &str) -> Option<Vec<[f64; 3]>> {
    let (_, payload) = ctx.payload(key)?;
    let Payload::Matrix { cols: 4, values, .. } = &*payload else { return None };
    Some(values.chunks_exact(4).map(|row| [row[1], row[2], row[3]].map(f64::from)).collect())
}
