//! Tiles in a window that is too small for their layout: what has no room side by side lies behind tabs.

use eframe::egui::{Vec2, vec2};
use egui_tiles::{Container, Linear, LinearDir, Tile, TileId, Tiles, Tree};

/// Least width and height of a tile beside others, in points.
pub const LEAST: Vec2 = vec2(280.0, 150.0);
/// Height of a row of tabs.
const TABS: f32 = 28.0;

/// The layout of a tree as its tiles have room in `size`, in the words of [`Layouts::text`](super::layouts::Layouts::text)
/// without what is in front; `None`: all of it has room.
pub fn text(tree: &Tree<String>, size: Vec2) -> Option<String> {
    if size.min_elem() < 1.0 {
        return None;
    }
    let mut written = Written { tiles: &tree.tiles, text: String::new(), folded: false };
    written.part(tree.root?, size);
    written.folded.then_some(written.text)
}

/// Panes in front of their tabs, in reading order.
pub fn in_front(tree: &Tree<String>) -> Vec<String> {
    fn collect(tiles: &Tiles<String>, id: TileId, out: &mut Vec<String>) {
        match tiles.get(id) {
            Some(Tile::Pane(name)) => out.push(name.clone()),
            Some(Tile::Container(Container::Tabs(tabs))) => {
                let front = tabs.active.or(tabs.children.first().copied());
                front.into_iter().for_each(|front| collect(tiles, front, out));
            }
            Some(Tile::Container(container)) => container.children().for_each(|child| collect(tiles, *child, out)),
            None => {}
        }
    }
    let mut out = Vec::new();
    tree.root.into_iter().for_each(|root| collect(&tree.tiles, root, &mut out));
    out
}

struct Written<'a> {
    tiles: &'a Tiles<String>,
    text: String,
    /// Something had no room.
    folded: bool,
}

impl Written<'_> {
    fn part(&mut self, id: TileId, size: Vec2) {
        if !self.tiles.is_visible(id) {
            self.text.push('-');
        }
        match self.tiles.get(id) {
            Some(Tile::Pane(name)) => self.text.push_str(name),
            Some(Tile::Container(Container::Tabs(tabs))) => {
                let room = size - vec2(0.0, TABS);
                self.several("t(", tabs.children.iter().map(|child| (1.0, *child, room)).collect());
            }
            Some(Tile::Container(Container::Linear(linear))) => self.linear(id, linear, size),
            Some(Tile::Container(Container::Grid(grid))) => {
                self.several("g(", grid.children().map(|child| (1.0, *child, size)).collect());
            }
            None => {}
        }
    }

    fn linear(&mut self, id: TileId, linear: &Linear, size: Vec2) {
        let axis = usize::from(linear.dir == LinearDir::Vertical);
        let share = |child: &TileId| {
            let share = (&linear.shares).into_iter().find(|(id, _)| *id == child).map_or(1.0, |(_, share)| *share);
            if share.is_finite() { share.max(0.0) } else { 1.0 }
        };
        let seen: Vec<TileId> = linear.children.iter().copied().filter(|child| self.tiles.is_visible(*child)).collect();
        let sum: f32 = seen.iter().map(share).sum();
        let room = |child: &TileId| {
            let mut room = size;
            room[axis] *= if seen.len() == 1 { 1.0 } else { share(child) / sum.max(f32::MIN_POSITIVE) };
            room
        };
        if seen.len() > 1 && seen.iter().any(|child| room(child)[axis] < LEAST[axis]) {
            self.folded = true;
            let mut panes = Vec::new();
            self.panes(id, true, &mut panes);
            return self.several("t(", panes.into_iter().map(|pane| (1.0, pane, size)).collect());
        }
        let word = if axis == 1 { "v(" } else { "h(" };
        self.several(word, linear.children.iter().map(|child| (share(child), *child, room(child))).collect());
    }

    /// The tiles within a part that can be seen, in reading order.
    fn panes(&self, id: TileId, root: bool, out: &mut Vec<TileId>) {
        if !root && !self.tiles.is_visible(id) {
            return;
        }
        match self.tiles.get(id) {
            Some(Tile::Pane(_)) => out.push(id),
            Some(Tile::Container(container)) => container.children().for_each(|child| self.panes(*child, false, out)),
            None => {}
        }
    }

    fn several(&mut self, word: &str, parts: Vec<(f32, TileId, Vec2)>) {
        self.text.push_str(word);
        for (index, (share, id, room)) in parts.into_iter().enumerate() {
            if index > 0 {
                self.text.push(',');
            }
            if share != 1.0 {
                self.text.push_str(&format!("{share}:"));
            }
            self.part(id, room);
        }
        self.text.push(')');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two above, a field twice as wide as a table; below them two tabs.
    fn tree() -> Tree<String> {
        let mut tiles = Tiles::default();
        let mut pane = |name: &str| tiles.insert_pane(name.to_owned());
        let [field, table, loss, accuracy] = ["field", "table", "loss", "accuracy"].map(&mut pane);
        let row = tiles.insert_horizontal_tile(vec![field, table]);
        if let Some(Tile::Container(Container::Linear(row))) = tiles.get_mut(row) {
            row.shares.set_share(field, 2.0);
        }
        let tabs = tiles.insert_tab_tile(vec![loss, accuracy]);
        let root = tiles.insert_vertical_tile(vec![row, tabs]);
        Tree::new(eframe::egui::Id::unique("test"), root, tiles)
    }

    #[test]
    fn tiles_without_room_become_tabs_the_innermost_first() {
        let tree = tree();
        let at = |width, height| text(&tree, vec2(width, height));
        assert_eq!(at(900.0, 400.0), None);
        assert_eq!(at(800.0, 400.0).as_deref(), Some("v(t(field,table),t(loss,accuracy))"), "the table is too narrow");
        assert_eq!(at(800.0, 200.0).as_deref(), Some("t(field,table,loss,accuracy)"), "nothing is high enough");
        assert_eq!(at(0.0, 0.0), None, "a window without room draws nothing anyway");
        assert_eq!(in_front(&tree), ["field", "table", "loss"]);
    }

    #[test]
    fn what_is_hidden_takes_no_room_and_stays_hidden() {
        let mut tree = tree();
        let table = tree.tiles.find_pane(&"table".to_owned()).unwrap();
        tree.set_visible(table, false);
        assert_eq!(text(&tree, vec2(500.0, 400.0)), None);
        assert_eq!(text(&tree, vec2(500.0, 200.0)).as_deref(), Some("t(field,loss,accuracy)"));
    }
}
