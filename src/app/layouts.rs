//! How a lab's tiles lie: the default, the user's own, and the way back.

use std::collections::{BTreeMap, HashSet};

use eframe::egui::{self, Vec2};
use egui_tiles::{Container, Linear, LinearDir, Tile, TileId, Tiles, Tree};

use super::fitted;
use super::layout_text::{self, DEEPEST, LONGEST};
use crate::kit::tiles::{Arrangement, Node, TileSpec};

/// The layouts of one lab, one for each of its arrangements.
#[derive(Debug)]
pub struct Layouts {
    pub(super) tiles: Vec<&'static TileSpec>,
    trees: BTreeMap<String, Tree<String>>,
    /// Layouts that the user has changed; only those are remembered.
    own: BTreeMap<String, String>,
    /// This tile alone fills the middle.
    pub maximised: Option<&'static str>,
    /// The layout of an arrangement as it is drawn in a window that is too small for it, and of which text it is made.
    fitted: Option<(String, Tree<String>)>,
}

impl Layouts {
    /// `remembered`: layouts of earlier sessions as JSON; what cannot be read falls back to the default.
    pub fn new(tiles: Vec<&'static TileSpec>, remembered: &BTreeMap<String, String>) -> Self {
        Self { tiles, trees: BTreeMap::new(), own: remembered.clone(), maximised: None, fitted: None }
    }

    /// The user's own layouts as JSON.
    pub fn remembered(&self) -> BTreeMap<String, String> {
        self.own.clone()
    }

    /// The layout of an arrangement, read or made on its first use.
    pub fn tree(&mut self, arrangement: &Arrangement) -> &mut Tree<String> {
        let (tiles, own) = (&self.tiles, &mut self.own);
        self.trees.entry(arrangement.id.to_owned()).or_insert_with(|| {
            let read = own.get(arrangement.id).and_then(|json| read_tree(json, arrangement.id, tiles));
            if read.is_none() {
                own.remove(arrangement.id);
            }
            read.unwrap_or_else(|| default_tree(arrangement, tiles))
        })
    }

    /// The layout as it is drawn in so much room: the user's own, or, where it is too small for that, one with tabs.
    pub(super) fn fitted(&mut self, arrangement: &Arrangement, room: Vec2) -> Tree<String> {
        let tree = self.tree(arrangement);
        let text = fitted::text(tree, room);
        let (own, in_front) = (tree.clone(), fitted::in_front(tree));
        let before = self.fitted.take();
        let Some(text) = text else { return own };
        let made = before.filter(|(of, _)| *of == text).map(|(_, tree)| tree);
        let made = made.or_else(|| {
            let mut parsed = layout_text::whole(&text, tree_id(arrangement.id), &self.tiles)?;
            // The first one last, so that it is in front where several are.
            for pane in in_front.iter().rev() {
                layout_text::show_in_front(&mut parsed, pane);
            }
            Some(parsed)
        });
        let drawn = made.unwrap_or(own);
        self.fitted = Some((text, drawn.clone()));
        drawn
    }

    /// Takes back what [`Layouts::fitted`] gave, after it was drawn. `edited`: the user changed it; `moved`: put a tile in
    /// another place, so that it is the layout in any window.
    pub(super) fn drawn(&mut self, arrangement: &Arrangement, drawn: Tree<String>, edited: bool, moved: bool) {
        if let (Some((_, fitted)), false) = (&mut self.fitted, moved) {
            *fitted = drawn;
            return;
        }
        self.fitted = None;
        self.trees.insert(arrangement.id.to_owned(), drawn);
        if edited {
            self.keep(arrangement);
        }
    }

    /// The tile with this id.
    pub fn find(&self, id: &str) -> Option<&'static TileSpec> {
        self.tiles.iter().copied().find(|tile| tile.id == id)
    }

    /// Forgets the user's changes to one arrangement.
    pub fn reset(&mut self, arrangement: &Arrangement) {
        self.trees.remove(arrangement.id);
        self.own.remove(arrangement.id);
        self.maximised = None;
    }

    /// Forgets all of the user's changes.
    pub fn reset_all(&mut self) {
        self.trees.clear();
        self.own.clear();
        self.maximised = None;
    }

    /// How the tiles of an arrangement lie, on one line: `h(2:field,t(*table,-curve))` is a row (`v`: a column, `t`: tabs,
    /// `g`: a grid) with the shares of its parts, the tab in front starred, what is hidden after a minus. Where nothing was moved
    /// only what differs from the default is said, see [`layout_text::differing`]. The same layout always gives the same
    /// text; empty: the default.
    pub fn text(&mut self, arrangement: &Arrangement) -> String {
        let default = default_tree(arrangement, &self.tiles);
        layout_text::differing(self.tree(arrangement), default)
    }

    /// Lays the tiles of an arrangement as [`Layouts::text`] says; `false`: the text is no layout of this lab's tiles, and
    /// nothing was changed.
    pub fn set_text(&mut self, arrangement: &Arrangement, text: &str) -> bool {
        if text.is_empty() {
            self.reset(arrangement);
            return true;
        }
        let default = default_tree(arrangement, &self.tiles);
        let Some(tree) = layout_text::read(text, default, &self.tiles) else { return false };
        self.trees.insert(arrangement.id.to_owned(), tree);
        self.keep(arrangement);
        true
    }

    /// Notes the present layout as the user's own.
    pub fn keep(&mut self, arrangement: &Arrangement) {
        if let Some(json) = self.trees.get(arrangement.id).and_then(|tree| serde_json::to_string(tree).ok()) {
            self.own.insert(arrangement.id.to_owned(), json);
        }
    }

    /// Tiles of this arrangement with whether they are shown, in reading order.
    pub fn shown(&self, arrangement: &Arrangement) -> Vec<(&'static TileSpec, bool)> {
        let made;
        let tree = match self.trees.get(arrangement.id) {
            Some(tree) => tree,
            None => {
                // Nothing of it was drawn yet.
                let read = self.own.get(arrangement.id);
                let read = read.and_then(|json| read_tree(json, arrangement.id, &self.tiles));
                made = read.unwrap_or_else(|| default_tree(arrangement, &self.tiles));
                &made
            }
        };
        self.tiles
            .iter()
            .copied()
            .filter_map(|tile| {
                let place = tree.tiles.find_pane(&tile.id.to_owned());
                // A tile of another arrangement is not offered here.
                (place.is_some() || arrangement.has(tile))
                    .then(|| (tile, place.is_some_and(|id| tree.tiles.is_visible(id))))
            })
            .collect()
    }

    /// Shows or hides a tile.
    pub fn set_shown(&mut self, arrangement: &Arrangement, tile: &str, shown: bool) {
        let tree = self.tree(arrangement);
        match tree.tiles.find_pane(&tile.to_owned()) {
            Some(id) => tree.set_visible(id, shown),
            None if shown => append(tree, tile),
            None => {}
        }
        if !shown && self.maximised == Some(tile) {
            self.maximised = None;
        }
        self.keep(arrangement);
    }
}

impl Layouts {
    /// Shows this tile alone.
    pub fn maximise(&mut self, arrangement: &Arrangement, tile: &'static str) {
        if !self.shown(arrangement).iter().any(|(other, shown)| other.id == tile && *shown) {
            self.set_shown(arrangement, tile, true);
        }
        self.maximised = Some(tile);
    }

    /// Maximises the next shown tile in reading order; after the last one, shows all again.
    pub fn maximise_next(&mut self, arrangement: &Arrangement) {
        let shown = self.shown(arrangement).into_iter().filter(|(_, shown)| *shown);
        let tiles: Vec<&'static str> = shown.map(|(tile, _)| tile.id).collect();
        let at = self.maximised.and_then(|now| tiles.iter().position(|tile| *tile == now));
        self.maximised = tiles.get(at.map_or(0, |at| at + 1)).copied();
    }

    /// Brings a tile's tab to the front; a maximised tile gives way to it.
    pub fn bring(&mut self, arrangement: &Arrangement, tile: &'static str) {
        if self.maximised.is_some() {
            self.maximised = Some(tile);
        }
        layout_text::show_in_front(self.tree(arrangement), tile);
        if let Some((_, fitted)) = &mut self.fitted {
            layout_text::show_in_front(fitted, tile);
        }
    }
}

/// The default layout of an arrangement.
fn default_tree(arrangement: &Arrangement, known: &[&TileSpec]) -> Tree<String> {
    let mut tiles = Tiles::default();
    let root = insert(&mut tiles, &arrangement.root, known);
    let id = tree_id(arrangement.id);
    root.map_or_else(|| Tree::empty(id), |root| Tree::new(id, root, tiles))
}

fn insert(tiles: &mut Tiles<String>, node: &Node, known: &[&TileSpec]) -> Option<TileId> {
    match node {
        Node::Area(name) => {
            let here = known.iter().filter(|tile| tile.area == *name);
            let ids: Vec<TileId> = here.map(|tile| tiles.insert_pane(tile.id.to_owned())).collect();
            match *ids {
                [] => None,
                [only] => Some(only),
                _ => Some(tiles.insert_tab_tile(ids)),
            }
        }
        Node::Row(children) => linear(tiles, LinearDir::Horizontal, children, known),
        Node::Column(children) => linear(tiles, LinearDir::Vertical, children, known),
    }
}

fn linear(tiles: &mut Tiles<String>, dir: LinearDir, children: &[(f32, Node)], known: &[&TileSpec]) -> Option<TileId> {
    let ids: Vec<(f32, TileId)> =
        children.iter().filter_map(|(share, child)| Some((*share, insert(tiles, child, known)?))).collect();
    let mut linear = Linear::new(dir, ids.iter().map(|(_, id)| *id).collect());
    for (share, id) in &ids {
        linear.shares.set_share(*id, share.max(0.01));
    }
    (!ids.is_empty()).then(|| tiles.insert_container(Container::Linear(linear)))
}

/// A remembered layout, if it can be read and is a tree that names only tiles that exist, each at most once. It is built
/// anew: nothing else of what stood in a file comes near a drawing that recurses.
fn read_tree(json: &str, arrangement: &str, known: &[&'static TileSpec]) -> Option<Tree<String>> {
    if json.len() > LONGEST {
        return None;
    }
    let read: Tree<String> = serde_json::from_str(json).ok()?;
    let mut copy =
        Copy { from: &read.tiles, to: Tiles::default(), known, taken: HashSet::new(), named: HashSet::new() };
    let root = copy.tile(read.root()?, 0)?;
    Some(Tree::new(tree_id(arrangement), root, copy.to))
}

/// Copies a layout of unknown origin.
struct Copy<'a> {
    from: &'a Tiles<String>,
    to: Tiles<String>,
    known: &'a [&'static TileSpec],
    /// Parts that have their place: a second one would make a ring, or one part in two places.
    taken: HashSet<TileId>,
    named: HashSet<&'a str>,
}

impl Copy<'_> {
    /// A part with all that it holds; `None`: this is no layout.
    fn tile(&mut self, id: TileId, depth: usize) -> Option<TileId> {
        if depth > DEEPEST || !self.taken.insert(id) {
            return None;
        }
        let copied = match self.from.get(id)? {
            Tile::Pane(name) => {
                let fits = self.known.iter().any(|tile| tile.id == name) && self.named.insert(name);
                fits.then(|| self.to.insert_pane(name.clone()))?
            }
            Tile::Container(container) => {
                let before: Vec<TileId> = container.children().copied().collect();
                let children = before.iter().map(|child| self.tile(*child, depth + 1)).collect::<Option<Vec<_>>>()?;
                let now = |id: TileId| before.iter().position(|child| *child == id).map(|at| children[at]);
                let mut copied = Container::new(container.kind(), children.clone());
                match (container, &mut copied) {
                    (Container::Tabs(from), Container::Tabs(to)) => {
                        to.active = from.active.and_then(now).or(to.active);
                    }
                    (Container::Linear(from), Container::Linear(to)) => {
                        for (child, share) in &from.shares {
                            if let Some(child) = now(*child).filter(|_| share.is_finite()) {
                                to.shares.set_share(child, share.clamp(0.001, 1_000.0));
                            }
                        }
                    }
                    // A grid finds its own shares.
                    _ => {}
                }
                self.to.insert_container(copied)
            }
        };
        self.to.set_visible(copied, self.from.is_visible(id));
        Some(copied)
    }
}

/// Puts a tile that is in no place yet at the right.
fn append(tree: &mut Tree<String>, tile: &str) {
    let pane = tree.tiles.insert_pane(tile.to_owned());
    let root = match tree.root {
        Some(root) => tree.tiles.insert_horizontal_tile(vec![root, pane]),
        None => pane,
    };
    tree.root = Some(root);
}

fn tree_id(arrangement: &str) -> egui::Id {
    egui::Id::unique(("tiles", arrangement))
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn tile(id: &'static str, title: &'static str, area: &'static str) -> TileSpec {
        TileSpec { id, title, help: "", area, follows_cursor: true }
    }

    static FIELD: TileSpec = tile("field", "Field", "left");
    static TABLE: TileSpec = tile("table", "Table", "right");
    static CURVE: TileSpec = tile("curve", "Curve", "of another arrangement");
    static SECOND: TileSpec = tile("second", "Second", "left");

    fn known() -> Vec<&'static TileSpec> {
        vec![&FIELD, &TABLE, &CURVE]
    }

    const TWO: Arrangement = Arrangement {
        id: "two",
        root: Node::Row(&[
            (2.0, Node::Area("left")),
            (1.0, Node::Column(&[(1.0, Node::Area("right")), (1.0, Node::Area("empty"))])),
        ]),
    };

    /// What is shown once it was drawn.
    fn shown(layouts: &mut Layouts) -> Vec<(&'static str, bool)> {
        layouts.tree(&TWO);
        layouts.shown(&TWO).into_iter().map(|(tile, shown)| (tile.id, shown)).collect()
    }

    #[test]
    fn a_layout_comes_back_from_its_text_and_gives_the_same_text_again() {
        let mut layouts = Layouts::new(known(), &BTreeMap::new());
        assert_eq!(layouts.text(&TWO), "", "the default needs no words");
        for text in [
            "~-table",
            "~:2 3 1",
            "h(2:field,t(table,*curve))",
            "v(-table,0.37:h(field,3:-curve))",
            "g(field,table)",
            "field",
        ] {
            assert!(layouts.set_text(&TWO, text), "{text}");
            assert_eq!(layouts.text(&TWO), text);
            let mut again = Layouts::new(known(), &layouts.remembered());
            assert_eq!(again.text(&TWO), text, "as remembered");
        }
        assert!(layouts.set_text(&TWO, ""));
        assert_eq!(layouts.text(&TWO), "");
    }

    #[test]
    fn a_text_that_is_no_layout_changes_nothing() {
        let mut layouts = Layouts::new(known(), &BTreeMap::new());
        layouts.set_text(&TWO, "h(table,field)");
        let deep = "h(".repeat(100_000);
        let broken = ["h", "h(", "h()", "h(field", "h(field))", "h(field,)", "h(field,field)", "q(field)", "nan:field"];
        for text in broken.into_iter().chain([
            "h(NaN:field)",
            "h(inf:field)",
            "h(ß:field)",
            "Δ",
            "h(unknown)",
            &deep,
            "~",
            "~field",
            "~-unknown",
        ]) {
            assert!(!layouts.set_text(&TWO, text), "{text:.20}");
            assert_eq!(layouts.text(&TWO), "h(table,field)");
        }
    }

    #[test]
    fn a_hidden_tile_comes_back_where_it_was_and_is_remembered() {
        let mut layouts = Layouts::new(known(), &BTreeMap::new());
        assert_eq!(shown(&mut layouts), [("field", true), ("table", true)], "an area without tiles takes no room");
        layouts.set_shown(&TWO, "table", false);
        assert_eq!(shown(&mut layouts), [("field", true), ("table", false)]);
        let mut again = Layouts::new(known(), &layouts.remembered());
        assert_eq!(shown(&mut again), [("field", true), ("table", false)]);
        again.set_shown(&TWO, "table", true);
        again.set_shown(&TWO, "curve", true);
        assert_eq!(shown(&mut again), [("field", true), ("table", true), ("curve", true)]);
        again.reset(&TWO);
        assert_eq!(shown(&mut again), [("field", true), ("table", true)]);
        assert!(again.remembered().is_empty());
    }

    #[test]
    fn a_tile_is_brought_to_the_front_of_its_tabs() {
        let tabs = Arrangement { id: "tabs", root: Node::Area("left") };
        let mut layouts = Layouts::new(vec![&FIELD, &CURVE, &SECOND], &BTreeMap::new());
        let front = |layouts: &mut Layouts| {
            let tree = layouts.tree(&tabs);
            match tree.tiles.get(tree.root()?)? {
                Tile::Container(Container::Tabs(tabs)) => tree.tiles.get_pane(&tabs.active?).cloned(),
                _ => None,
            }
        };
        assert_eq!(front(&mut layouts).as_deref(), Some("field"));
        layouts.bring(&tabs, "second");
        assert_eq!(front(&mut layouts).as_deref(), Some("second"));
        layouts.maximised = Some("second");
        layouts.bring(&tabs, "field");
        assert_eq!(layouts.maximised, Some("field"), "a maximised tile gives way");
    }

    #[test]
    fn a_foreign_layout_falls_back_to_the_default() {
        let whole = {
            let mut layouts = Layouts::new(known(), &BTreeMap::new());
            layouts.set_shown(&TWO, "table", false);
            layouts.remembered()["two"].clone()
        };
        for json in ["", "{}", "[1,2]", &whole.replace("field", "nonsense"), &whole.replace("table", "field")] {
            let mut layouts = Layouts::new(known(), &BTreeMap::from([("two".to_owned(), json.to_owned())]));
            assert_eq!(shown(&mut layouts), [("field", true), ("table", true)], "{json}");
        }
    }

    /// A layout as a file may have it: the children of each part (a part without children is a tile), part 1 is the root.
    fn layout(parts: &[&[u64]]) -> String {
        let panes = ["field", "table", "curve"];
        let part = |(index, children): (usize, &&[u64])| {
            let id = index + 1;
            let tile = match children.is_empty() {
                true => serde_json::json!({ "Pane": panes[index % panes.len()] }),
                false => serde_json::json!({ "Container": { "Tabs": { "children": children, "active": null } } }),
            };
            (id.to_string(), tile)
        };
        let tiles: serde_json::Map<_, _> = parts.iter().enumerate().map(part).collect();
        serde_json::json!({
            "id": 1, "root": 1, "height": null, "width": null,
            "tiles": { "next_tile_id": u64::MAX, "tiles": tiles, "invisible": [] },
        })
        .to_string()
    }

    fn read(json: &str) -> Option<Tree<String>> {
        read_tree(json, "two", &known())
    }

    #[test]
    fn a_layout_that_is_no_tree_falls_back_to_the_default() {
        assert!(read(&layout(&[&[2, 3], &[], &[]])).is_some(), "the shape of the file");
        let deep: Vec<Vec<u64>> = (0..500).map(|part| if part < 499 { vec![part + 2] } else { Vec::new() }).collect();
        let deep: Vec<&[u64]> = deep.iter().map(Vec::as_slice).collect();
        let shapes: [(&str, String); 7] = [
            ("a root that holds itself", layout(&[&[2, 1], &[]])),
            ("a ring", layout(&[&[2], &[3], &[1]])),
            ("a ring below the root", layout(&[&[2], &[3], &[2]])),
            ("one part in two places", layout(&[&[2, 2], &[]])),
            ("a part that is not there", layout(&[&[2, 9], &[]])),
            ("five hundred within each other", layout(&deep)),
            ("ten megabytes", " ".repeat(10 << 20)),
        ];
        for (what, json) in shapes {
            assert!(read(&json).is_none(), "{what}");
            let mut layouts = Layouts::new(known(), &BTreeMap::from([("two".to_owned(), json)]));
            assert_eq!(shown(&mut layouts), [("field", true), ("table", true)], "{what}");
            assert!(layouts.remembered().is_empty(), "{what}");
        }
    }

    #[test]
    fn whatever_a_file_holds_a_layout_that_is_read_is_a_tree() {
        let mut seed = 1_u64;
        let mut random = |below: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) % below
        };
        let mut trees = 0;
        for _ in 0..20_000 {
            let count = 1 + random(6);
            let parts: Vec<Vec<u64>> =
                (0..count).map(|_| (0..random(3)).map(|_| 1 + random(count + 1)).collect()).collect();
            let parts: Vec<&[u64]> = parts.iter().map(Vec::as_slice).collect();
            let Some(tree) = read(&layout(&parts)) else { continue };
            trees += 1;
            // Every part but the root is in exactly one place, and all are reached from it.
            let (mut open, mut reached) = (vec![tree.root.unwrap()], HashSet::new());
            while let Some(id) = open.pop() {
                assert!(reached.insert(id), "{parts:?}");
                if let Some(container) = tree.tiles.get_container(id) {
                    open.extend(container.children());
                }
            }
            assert_eq!(reached.len(), tree.tiles.len(), "{parts:?}");
        }
        assert!(trees > 500, "{trees}");
    }
}
