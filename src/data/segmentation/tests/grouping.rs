//! Groups that somebody has chosen and that keep nothing together.

use super::super::Watch;
use super::super::doctor::Check;
use super::super::groups::GroupRule;
use super::super::listing::scan;
use super::super::plan::SplitChoice;
use super::parts::{pair, planned};

/// The doctor's words on the groups, and what is offered, of pairs `(folder, name)`; and how it was split.
fn told(pairs: &[(&str, &str)], rule: GroupRule) -> (Vec<String>, bool, String) {
    let folder = tempfile::tempdir().unwrap();
    pairs.iter().enumerate().for_each(|(i, (below, name))| pair(folder.path(), below, name, i as u32));
    let listing = scan(folder.path(), None, Watch::nobody()).unwrap();
    let plan = planned(&listing, &SplitChoice { rule, ..SplitChoice::default() });
    let of = |check| plan.findings.iter().filter(move |finding| finding.check == check);
    let words = of(Check::Groups).map(|finding| format!("{}: {}", finding.severity.word(), finding.problem)).collect();
    (words, of(Check::MaybePatients).count() > 0, plan.lines.join("\n"))
}

fn pattern(text: &str) -> GroupRule {
    GroupRule::Pattern(text.to_owned())
}

const SLICES: [(&str, &str); 6] = [("", "p0_0"), ("", "p0_1"), ("", "p1_0"), ("", "p1_1"), ("", "p2_0"), ("", "p2_1")];

#[test]
fn a_rule_that_keeps_nothing_together_is_told_and_patients_are_still_offered() {
    for (rule, words) in [
        (pattern("{group}-*"), "error: `group_pattern={group}-*` fits none of 6 images, such as `images/p0_0`"),
        (pattern("p{group}_0*"), "warning: `group_pattern=p{group}_0*` gives no two images the same group"),
        (
            GroupRule::Folder,
            "error: `group_by=folder` makes one group of all 6 images, `images`: one group cannot be split",
        ),
    ] {
        let (found, offered, lines) = told(&SLICES, rule.clone());
        assert!(found.len() == 1 && found[0].starts_with(words), "{words}: {found:?}");
        assert_eq!(offered, words.starts_with("error"), "{words}");
        if rule == GroupRule::Folder {
            assert!(lines.contains("1 group cannot fill every part") && !lines.contains("alike in"), "{lines}");
        }
    }
    let (found, offered, _) = told(&SLICES, pattern("{group}_*"));
    assert_eq!((found, offered), (Vec::new(), false));
    let (found, ..) = told(&[&SLICES[..], &[("", "odd")]].concat(), pattern("{group}_*"));
    assert_eq!(
        found,
        [
            "warning: `group_pattern={group}_*` fits 6 of 7 images; the others are each a group of their own, such as `images/odd`"
        ]
    );
}

#[test]
fn folders_of_parts_alone_are_no_groups() {
    let pairs = [("train", "a"), ("train", "b"), ("train", "c"), ("val", "d"), ("test", "e")];
    let (found, ..) = told(&pairs, GroupRule::Folder);
    assert!(found[0].starts_with("error: `group_by=folder` fits none of 5 images"), "{found:?}");
    let patients = [("p1", "a"), ("p1", "b"), ("p2", "a"), ("p2", "b"), ("p3", "a"), ("p3", "b")];
    assert_eq!(told(&patients, GroupRule::Folder).0, [""; 0]);
}
