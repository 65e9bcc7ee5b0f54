//! Layouts of tiles as text, whole or as what differs from the default, and back.

use std::collections::HashSet;

use eframe::egui;
use egui_tiles::{Container, Linear, LinearDir, Tile, TileId, Tiles, Tree};

use crate::kit::fields;
use crate::kit::tiles::TileSpec;

/// Longest text of a layout that is read; one of ten tiles as JSON has about 2 KB.
pub const LONGEST: usize = 64 << 10;
/// Most parts within parts of a layout that is read.
pub const DEEPEST: usize = 32;

/// Begins a text that says what differs from the default.
const DIFFERING: char = '~';

/// A layout in words, see [`Layouts::text`](super::layouts::Layouts::text). Where nothing was moved: a tilde, then the tabs in front that
/// are not so by default (`*`), what is hidden (`-`), and the shares, if any differs, of all parts of rows and columns in their
/// order (`:`), with commas between them.
pub fn differing(tree: &Tree<String>, default: Tree<String>) -> String {
    let (whole, usual) = (of(tree), of(&default));
    if whole == usual {
        return String::new();
    }
    let panes = |is: &dyn Fn(&Tree<String>, TileId) -> bool, of: &Tree<String>| -> Vec<String> {
        let mut panes = Vec::new();
        of.root.into_iter().for_each(|root| collect(&of.tiles, root, &mut panes));
        panes.into_iter().filter(|(id, _)| is(of, *id)).map(|(_, name)| name).collect()
    };
    let (shown, hidden) =
        (|tree: &Tree<String>, id| in_front(tree, id), |tree: &Tree<String>, id| !tree.tiles.is_visible(id));
    let usually = panes(&shown, &default);
    let mut words: Vec<String> =
        panes(&shown, tree).iter().filter(|name| !usually.contains(name)).map(|name| format!("*{name}")).collect();
    words.extend(panes(&hidden, tree).iter().map(|name| format!("-{name}")));
    let shares = shares(tree);
    if shares != self::shares(&default) {
        words.push(format!(":{}", shares.join(" ")));
    }
    let text = format!("{DIFFERING}{}", words.join(","));
    match difference(&text, default) {
        Some(same) if of(&same) == whole => text,
        _ => whole,
    }
}

/// The layout that a text says; `None`: it is none of these tiles.
pub fn read(text: &str, default: Tree<String>, known: &[&'static TileSpec]) -> Option<Tree<String>> {
    if text.starts_with(DIFFERING) { difference(text, default) } else { whole(text, default.id(), known) }
}

/// The same of a text that says all of it.
pub fn whole(text: &str, id: egui::Id, known: &[&'static TileSpec]) -> Option<Tree<String>> {
    if text.len() > LONGEST {
        return None;
    }
    let mut parser = Parser { rest: text, to: Tiles::default(), known, named: HashSet::new() };
    let root = parser.part(0).filter(|_| parser.rest.is_empty())?;
    Some(Tree::new(id, root, parser.to))
}

fn difference(text: &str, mut tree: Tree<String>) -> Option<Tree<String>> {
    for word in text.strip_prefix(DIFFERING)?.split(',') {
        let mut signs = word.chars();
        let (sign, name) = (signs.next()?, signs.as_str());
        if sign == ':' {
            let numbers: Option<Vec<f32>> =
                name.split(' ').map(|word| word.parse().ok().filter(|share: &f32| share.is_finite())).collect();
            set_shares(&mut tree, &numbers?)?;
            continue;
        }
        let pane = tree.tiles.find_pane(&name.to_owned())?;
        match sign {
            '*' => show_in_front(&mut tree, name),
            '-' => tree.set_visible(pane, false),
            _ => return None,
        }
    }
    Some(tree)
}

/// Brings a tile's tab to the front.
pub fn show_in_front(tree: &mut Tree<String>, tile: &str) {
    if let Some(id) = tree.tiles.find_pane(&tile.to_owned()) {
        tree.make_active(|other, _| other == id);
    }
}

/// Tiles of a part in reading order.
fn collect(tiles: &Tiles<String>, id: TileId, out: &mut Vec<(TileId, String)>) {
    match tiles.get(id) {
        Some(Tile::Pane(name)) => out.push((id, name.clone())),
        Some(Tile::Container(container)) => container.children().for_each(|child| collect(tiles, *child, out)),
        None => {}
    }
}

/// Whether a tile is the one in front of its tabs.
fn in_front(tree: &Tree<String>, id: TileId) -> bool {
    let parent = tree.tiles.parent_of(id).and_then(|parent| tree.tiles.get_container(parent));
    matches!(parent, Some(Container::Tabs(tabs)) if tabs.active == Some(id))
}

/// Rows and columns from the outermost to the innermost, in reading order.
fn linears(tiles: &Tiles<String>, id: TileId, out: &mut Vec<TileId>) {
    let Some(container) = tiles.get_container(id) else { return };
    if matches!(container, Container::Linear(_)) {
        out.push(id);
    }
    container.children().for_each(|child| linears(tiles, *child, out));
}

/// The shares of all their parts.
fn shares(tree: &Tree<String>) -> Vec<String> {
    let mut ids = Vec::new();
    tree.root.into_iter().for_each(|root| linears(&tree.tiles, root, &mut ids));
    let mut shares = Vec::new();
    for id in ids {
        if let Some(Container::Linear(linear)) = tree.tiles.get_container(id) {
            shares.extend(linear.children.iter().map(|child| share_text(linear, *child)));
        }
    }
    shares
}

/// Sets them; `None`: there are not so many.
fn set_shares(tree: &mut Tree<String>, shares: &[f32]) -> Option<()> {
    let mut ids = Vec::new();
    linears(&tree.tiles, tree.root?, &mut ids);
    let mut left = shares.iter();
    for id in ids {
        if let Some(Tile::Container(Container::Linear(linear))) = tree.tiles.get_mut(id) {
            for child in linear.children.clone() {
                linear.shares.set_share(child, left.next()?.clamp(0.001, 1_000.0));
            }
        }
    }
    left.next().is_none().then_some(())
}

/// The share of a part, to less than a pixel.
fn share_text(linear: &Linear, child: TileId) -> String {
    let share = (&linear.shares).into_iter().find(|(id, _)| **id == child).map_or(1.0, |(_, share)| *share);
    fields::of(share.into(), 3)
}

/// A layout in words.
pub fn of(tree: &Tree<String>) -> String {
    let mut text = String::new();
    if let Some(root) = tree.root {
        write_part(&tree.tiles, root, &mut text);
    }
    text
}

fn write_part(tiles: &Tiles<String>, id: TileId, text: &mut String) {
    if !tiles.is_visible(id) {
        text.push('-');
    }
    let container = match tiles.get(id) {
        Some(Tile::Container(container)) => container,
        Some(Tile::Pane(name)) => return text.push_str(name),
        None => return,
    };
    text.push_str(match container {
        Container::Tabs(_) => "t(",
        Container::Linear(Linear { dir: LinearDir::Horizontal, .. }) => "h(",
        Container::Linear(_) => "v(",
        Container::Grid(_) => "g(",
    });
    for (at, child) in container.children().enumerate() {
        if at > 0 {
            text.push(',');
        }
        match container {
            Container::Tabs(tabs) if tabs.active == Some(*child) => text.push('*'),
            Container::Linear(linear) => {
                let share = share_text(linear, *child);
                if share != "1" {
                    text.push_str(&format!("{share}:"));
                }
            }
            _ => {}
        }
        write_part(tiles, *child, text);
    }
    text.push(')');
}

/// Reads the text of a layout of unknown origin.
struct Parser<'a> {
    rest: &'a str,
    to: Tiles<String>,
    known: &'a [&'static TileSpec],
    named: HashSet<&'a str>,
}

impl<'a> Parser<'a> {
    fn take(&mut self, sign: char) -> bool {
        let rest = self.rest.strip_prefix(sign);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// What stands before the next of these signs.
    fn until(&self, signs: &[char]) -> &'a str {
        &self.rest[..self.rest.find(signs).unwrap_or(self.rest.len())]
    }

    /// A part with all that it holds; `None`: this is no layout.
    fn part(&mut self, depth: usize) -> Option<TileId> {
        if depth > DEEPEST {
            return None;
        }
        let hidden = self.take('-');
        let word = self.until(&['(', ',', ')']);
        self.rest = &self.rest[word.len()..];
        let part = if self.take('(') {
            self.container(word, depth)?
        } else {
            let fits = self.known.iter().any(|tile| tile.id == word) && self.named.insert(word);
            fits.then(|| self.to.insert_pane(word.to_owned()))?
        };
        self.to.set_visible(part, !hidden);
        Some(part)
    }

    fn container(&mut self, kind: &str, depth: usize) -> Option<TileId> {
        let (mut children, mut shares, mut active) = (Vec::new(), Vec::new(), None);
        loop {
            let in_front = self.take('*');
            let share = self.until(&[':', '(', ',', ')']);
            let mut size = 1.0;
            if self.rest[share.len()..].starts_with(':') {
                size = share.parse().ok().filter(|size: &f32| size.is_finite())?;
                self.rest = &self.rest[share.len() + 1..];
            }
            let child = self.part(depth + 1)?;
            children.push(child);
            shares.push(size.clamp(0.001, 1_000.0));
            active = if in_front { Some(child) } else { active };
            if self.take(')') {
                break;
            }
            if !self.take(',') {
                return None;
            }
        }
        let mut container = match kind {
            "t" => Container::new_tabs(children.clone()),
            "h" => Container::new_horizontal(children.clone()),
            "v" => Container::new_vertical(children.clone()),
            "g" => Container::new_grid(children.clone()),
            _ => return None,
        };
        match &mut container {
            Container::Tabs(tabs) => tabs.active = active.or(tabs.active),
            Container::Linear(linear) => {
                children.iter().zip(shares).for_each(|(child, share)| linear.shares.set_share(*child, share));
            }
            Container::Grid(_) => {}
        }
        Some(self.to.insert_container(container))
    }
}
