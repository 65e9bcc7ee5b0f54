//! What should be said of the groups that somebody has chosen: a rule that fits nothing, or makes one group of everything,
//! keeps no patient together.

use std::collections::BTreeSet;

use super::counted;
use super::doctor::{self, Check, Finding, Severity};
use super::groups::GroupRule;
use super::listing::Listing;

/// Names the rule that does not do what it is chosen for.
pub fn doubts(listing: &Listing, rule: &GroupRule) -> Vec<Finding> {
    let (what, way) = match rule {
        GroupRule::None => return Vec::new(),
        GroupRule::Folder => ("`group_by=folder`".to_owned(), "group_by=folder needs a folder for every patient"),
        GroupRule::Pattern(pattern) => {
            let way = "the pattern is for the whole name without folder and extension, as {group}_* for `p07_2`";
            (format!("`group_pattern={pattern}`"), way)
        }
    };
    let pairs = &listing.pairs;
    let of: Vec<Option<String>> = pairs.iter().map(|pair| rule.group(&pair.name)).collect();
    let groups: BTreeSet<&String> = of.iter().flatten().collect();
    let fitting = of.iter().flatten().count();
    let first = of.iter().position(Option::is_none).map_or("", |at| &pairs[at].name);
    let images = counted(pairs.len(), "image", "images");
    let (severity, problem) = match (fitting, groups.len()) {
        _ if pairs.len() < 2 => return Vec::new(),
        (0, _) => (Severity::Error, format!("{what} fits none of {images}, such as `{first}`: none are kept together")),
        (all, 1) if all == pairs.len() => {
            let group = groups.first().map_or("", |group| group.as_str());
            let group = if group.is_empty() { "the folder itself".to_owned() } else { format!("`{group}`") };
            (Severity::Error, format!("{what} makes one group of all {images}, {group}: one group cannot be split"))
        }
        (_, several) if several == fitting => {
            (Severity::Warning, format!("{what} gives no two images the same group: none are kept together"))
        }
        (fitting, _) if fitting < pairs.len() => (
            Severity::Warning,
            format!("{what} fits {fitting} of {images}; the others are each a group of their own, such as `{first}`"),
        ),
        _ => return Vec::new(),
    };
    vec![doctor::finding(severity, Check::Groups, &listing.root, problem, way)]
}
