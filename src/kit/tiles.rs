//! The tiles of a lab as one list. A tile says in its own file what it is called, where it lies, how it is drawn and what
//! can be done in it; layout, palette, help and tests follow from the lab's list.

use eframe::egui::{Context, Ui};

use super::view::ViewCtx;

/// What the window knows of a tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TileSpec {
    /// Stable id, also the name of the figure for export.
    pub id: &'static str,
    pub title: &'static str,
    /// What it shows and how to use it, for the tooltip of its title.
    pub help: &'static str,
    /// The area of the lab's layouts in which it lies by default; see [`Node::Area`].
    pub area: &'static str,
    /// Whether it shows something else at another step of the run.
    pub follows_cursor: bool,
}

/// A tile of a lab whose view state is `S`.
#[derive(Debug)]
pub struct Tile<S: 'static> {
    pub spec: TileSpec,
    /// Draws the content into the whole of the `Ui`.
    pub show: fn(&mut S, &mut Ui, &mut ViewCtx<'_>),
    /// What can be done in it, for the palette.
    pub commands: &'static [TileCommand<S>],
}

/// Something that can be done in a tile.
#[derive(Debug)]
pub struct TileCommand<S: 'static> {
    /// Stable and unique in the lab.
    pub id: &'static str,
    /// The tile and what happens, e.g. `Field: gradient arrows on or off`.
    pub title: &'static str,
    pub run: fn(&mut S, &mut ViewCtx<'_>, &Context),
}

/// Every tile of a lab, in reading order.
pub type Tiles<S> = &'static [&'static Tile<S>];

/// What the window knows of each.
pub fn specs<S>(tiles: Tiles<S>) -> Vec<&'static TileSpec> {
    tiles.iter().map(|tile| &tile.spec).collect()
}

/// Draws the tile of this id, where there is room for anything.
pub fn show<S>(tiles: Tiles<S>, state: &mut S, id: &str, ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
    let room = ui.max_rect().is_positive() && ui.available_rect_before_wrap().is_positive();
    if let Some(tile) = tiles.iter().find(|tile| room && tile.spec.id == id) {
        (tile.show)(state, ui, ctx);
    }
}

/// Ids and titles of what can be done in them.
pub fn commands<S>(tiles: Tiles<S>) -> Vec<(&'static str, &'static str)> {
    tiles.iter().flat_map(|tile| tile.commands).map(|command| (command.id, command.title)).collect()
}

/// Does one of [`commands`].
pub fn run<S>(tiles: Tiles<S>, state: &mut S, id: &str, ctx: &mut ViewCtx<'_>, egui: &Context) {
    if let Some(command) = tiles.iter().flat_map(|tile| tile.commands).find(|command| command.id == id) {
        (command.run)(state, ctx, egui);
    }
}

/// A default layout.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Arrangement {
    /// Under this name the user's own layout is remembered.
    pub id: &'static str,
    pub root: Node,
}

/// A node of a layout. Shares are relative sizes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Node {
    /// The tiles that name this area, in the lab's order: one alone fills it, several are tabs. An area without tiles takes
    /// no room.
    Area(&'static str),
    /// Side by side.
    Row(&'static [(f32, Node)]),
    /// One above the other.
    Column(&'static [(f32, Node)]),
}

impl Node {
    fn has(&self, area: &str) -> bool {
        match self {
            Node::Area(name) => *name == area,
            Node::Row(parts) | Node::Column(parts) => parts.iter().any(|(_, part)| part.has(area)),
        }
    }
}

impl Arrangement {
    /// Whether this tile has a place in it.
    pub fn has(&self, tile: &TileSpec) -> bool {
        self.root.has(tile.area)
    }
}
