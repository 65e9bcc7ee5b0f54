//! What is played with: a figure or an image of one's own, and a report. Every change can be taken back.

use std::path::PathBuf;

use crate::compute::streams;
use crate::data::synth::chest::{Figure, Finding, Kind, Placed, Severity, Side, report_of};
use crate::labs::image_report::predict::player::Picture;

/// The seed of the studies that are offered; none of a run's by default, so that no run was trained on them.
const SEED: u64 = 1_000_004;
/// Changes that can be taken back.
const MOST: usize = 200;
/// Middles of the lungs, how far from them a finding may be dropped, and the heights between which.
const LUNGS: [f64; 2] = [0.31, 0.69];
const REACH: f64 = 0.09;
const HEIGHTS: [f64; 2] = [0.24, 0.68];
/// The heights of the zones, from above.
const ZONES: [f64; 3] = [0.30, 0.48, 0.64];

/// One state.
#[derive(Debug, Clone, PartialEq)]
struct State {
    study: u64,
    figure: Figure,
    /// An image of one's own in place of the figure.
    file: Option<PathBuf>,
    report: String,
}

impl State {
    fn of(study: u64) -> Self {
        let figure = Figure::by_chance(&mut streams::CHEST.open(SEED, study));
        let report = report_of(&figure).0;
        Self { study, figure, file: None, report }
    }
}

/// What is played with.
#[derive(Debug)]
pub struct Setting {
    now: State,
    before: Vec<State>,
    /// The last change was one of the report by typing, or of the figure by dragging: more of the same is one change.
    continues: Option<Going>,
    /// Counts changes of the figure.
    version: u64,
}

/// A change that goes on over many frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Going {
    Typing,
    Dragging,
}

impl Default for Setting {
    fn default() -> Self {
        Self { now: State::of(0), before: Vec::new(), continues: None, version: 0 }
    }
}

impl Setting {
    pub fn study(&self) -> u64 {
        self.now.study
    }

    pub fn figure(&self) -> &Figure {
        &self.now.figure
    }

    pub fn report(&self) -> &str {
        &self.now.report
    }

    /// Whether an image of one's own is looked at.
    pub fn is_own(&self) -> bool {
        self.now.file.is_some()
    }

    /// Another number: another figure.
    pub fn version(&self) -> u64 {
        self.version
    }

    pub fn picture(&self) -> Picture {
        match &self.now.file {
            Some(path) => Picture::File(path.clone()),
            None => Picture::Drawn(self.now.figure.clone()),
        }
    }

    /// Changes the state as one change; nothing is remembered where it stays as it is.
    fn change(&mut self, going: Option<Going>, change: impl FnOnce(&mut State)) {
        let mut next = self.now.clone();
        change(&mut next);
        if next == self.now {
            return;
        }
        self.version += u64::from(next.figure != self.now.figure);
        let before = std::mem::replace(&mut self.now, next);
        if going.is_none() || going != self.continues {
            self.before.push(before);
            if self.before.len() > MOST {
                self.before.remove(0);
            }
        }
        self.continues = going;
    }

    /// What was typed.
    pub fn write(&mut self, report: String) {
        self.change(Some(Going::Typing), |state| state.report = report);
    }

    /// The report becomes what the figure says.
    pub fn tell(&mut self) {
        self.change(None, |state| state.report = report_of(&state.figure).0);
    }

    /// The study as it was at first.
    pub fn reset(&mut self) {
        self.show(self.now.study);
    }

    /// Another study, with its report.
    pub fn show(&mut self, study: u64) {
        self.change(None, |state| *state = State::of(study));
    }

    /// An image of one's own; `None`: the figure.
    pub fn look_at(&mut self, file: Option<PathBuf>) {
        self.change(None, |state| state.file = file);
    }

    pub fn can_undo(&self) -> bool {
        !self.before.is_empty()
    }

    /// Takes the last change back.
    pub fn undo(&mut self) {
        if let Some(before) = self.before.pop() {
            self.version += 1;
            (self.now, self.continues) = (before, None);
        }
    }

    /// A drag or a time of typing is over: the next one is another change.
    pub fn pause(&mut self) {
        self.continues = None;
    }

    fn place_of(&self, kind: Kind) -> Option<usize> {
        self.now.figure.findings.iter().position(|finding| finding.kind == kind)
    }

    /// The finding of a kind.
    pub fn finding(&self, kind: Kind) -> Option<&Placed> {
        self.now.figure.findings.iter().find(|finding| finding.kind == kind)
    }

    /// The smallest finding at a place, 0 to 1 of width and height.
    pub fn at(&self, [x, y]: [f64; 2]) -> Option<Kind> {
        let area = |finding: &Finding| {
            let [x0, y0, x1, y1] = finding.bounds.map(f64::from);
            ((x0..=x1).contains(&x) && (y0..=y1).contains(&y)).then_some((x1 - x0) * (y1 - y0))
        };
        let told = self.now.figure.told();
        let there = told.iter().filter_map(|finding| Some((finding.kind, area(finding)?)));
        there.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(kind, _)| kind)
    }

    /// A new finding of a kind on the first side with room for it; `None`: there is none.
    fn with_room(&self, kind: Kind) -> Option<Placed> {
        let severity = *kind.severities().first()?;
        LUNGS
            .into_iter()
            .map(|x| Placed { kind, severity, centre: [x, ZONES[1]] })
            .find(|placed| self.now.figure.has_room_for(placed))
    }

    /// Whether a finding of a kind is there, or has room.
    pub fn can_toggle(&self, kind: Kind) -> bool {
        self.place_of(kind).is_some() || self.with_room(kind).is_some()
    }

    /// Adds a finding, or takes it away.
    pub fn toggle(&mut self, kind: Kind) {
        let (there, new) = (self.place_of(kind), self.with_room(kind));
        self.change(None, |state| match (there, new) {
            (Some(at), _) => drop(state.figure.findings.remove(at)),
            (None, Some(placed)) => state.figure.findings.push(placed),
            (None, None) => {}
        });
    }

    /// The next severity of a finding, the first after the last; `by`: 1 or -1.
    pub fn step_severity(&mut self, kind: Kind, by: isize) {
        let Some(at) = self.place_of(kind) else { return };
        let severities = kind.severities();
        self.change(None, |state| {
            let Some(finding) = state.figure.findings.get_mut(at) else { return };
            let now = severities.iter().position(|severity| *severity == finding.severity).unwrap_or(0);
            let next = (now as isize + by).rem_euclid(severities.len().max(1) as isize) as usize;
            finding.severity = severities.get(next).copied().unwrap_or(finding.severity);
        });
    }

    /// Puts a finding elsewhere if there is room; `false`: there is none.
    fn put(&mut self, kind: Kind, centre: [f64; 2], going: Option<Going>) -> bool {
        let Some(at) = self.place_of(kind).filter(|_| kind.has_side()) else { return false };
        let mut figure = self.now.figure.clone();
        let placed = Placed { centre, ..figure.findings.remove(at) };
        if !figure.has_room_for(&placed) {
            return false;
        }
        figure.findings.insert(at, placed);
        self.change(going, |state| state.figure = figure);
        true
    }

    /// Drags a finding to a place of the picture, as far as there is lung; `false`: another one lies on that side, or it is the heart.
    pub fn drag(&mut self, kind: Kind, [x, y]: [f64; 2]) -> bool {
        let [dx, dy] = self.now.figure.shift;
        let x = x - dx;
        let lung = if x < 0.5 { LUNGS[0] } else { LUNGS[1] };
        let centre = [x.clamp(lung - REACH, lung + REACH), (y - dy).clamp(HEIGHTS[0], HEIGHTS[1])];
        self.put(kind, centre, Some(Going::Dragging))
    }

    /// Puts a finding on the other side; `false`: there is no room.
    pub fn other_side(&mut self, kind: Kind) -> bool {
        let Some(placed) = self.finding(kind) else { return false };
        let [x, y] = placed.centre;
        self.put(kind, [1.0 - x, y], None)
    }

    /// Puts a finding into the next zone, the first after the last.
    pub fn next_zone(&mut self, kind: Kind) {
        let Some(placed) = self.finding(kind).filter(|_| kind.has_zone()) else { return };
        let [x, y] = placed.centre;
        let near = |zone: &usize| (ZONES[*zone] - y).abs();
        let zone = (0..ZONES.len()).min_by(|a, b| near(a).total_cmp(&near(b))).unwrap_or(0);
        self.put(kind, [x, ZONES[(zone + 1) % ZONES.len()]], None);
    }

    /// The figure in words.
    pub fn described(&self) -> String {
        let told = self.now.figure.told();
        let findings: Vec<String> = told.iter().map(in_words).collect();
        if findings.is_empty() { "no finding".to_owned() } else { findings.join(", ") }
    }
}

/// A finding in words: `small left effusion`.
pub fn in_words(finding: &Finding) -> String {
    let side = finding.side.map(Side::word);
    let zone = finding.zone.map(|zone| zone.word());
    let words = [Some(Severity::word(finding.severity)), side, zone, Some(finding.kind.id())];
    words.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A setting with these findings alone.
    fn with(findings: &[(Kind, f64)]) -> Setting {
        let mut setting = Setting::default();
        setting.now.figure.shift = [0.0, 0.0];
        let placed = |&(kind, x): &(Kind, f64)| Placed { kind, severity: kind.severities()[0], centre: [x, 0.48] };
        setting.now.figure.findings = findings.iter().map(placed).collect();
        setting
    }

    #[test]
    fn findings_stay_within_the_lungs_and_leave_each_other_room() {
        let mut setting = with(&[(Kind::Nodule, 0.31), (Kind::Effusion, 0.69)]);
        assert!(setting.drag(Kind::Nodule, [0.0, 0.0]));
        assert_eq!(setting.finding(Kind::Nodule).unwrap().centre, [0.22, 0.24]);
        assert!(!setting.drag(Kind::Nodule, [0.9, 0.5]), "the effusion lies there");
        assert!(!setting.drag(Kind::Cardiomegaly, [0.5, 0.5]), "there is none");
        assert!(!setting.can_toggle(Kind::Opacity) && setting.can_toggle(Kind::Cardiomegaly));
        setting.toggle(Kind::Effusion);
        assert!(setting.other_side(Kind::Nodule) && setting.described().contains("left upper nodule"));
        setting.next_zone(Kind::Nodule);
        assert!(setting.described().contains("middle"), "{}", setting.described());
        setting.step_severity(Kind::Nodule, -1);
        assert!(setting.described().contains("round"), "{}", setting.described());
        assert_eq!(setting.at([0.78, 0.48]), Some(Kind::Nodule));
    }

    #[test]
    fn a_drag_and_a_time_of_typing_are_one_change_each() {
        let mut setting = with(&[(Kind::Opacity, 0.31)]);
        let first = setting.picture();
        let report = setting.report().to_owned();
        for i in 1..20 {
            setting.drag(Kind::Opacity, [0.3, 0.3 + 0.01 * f64::from(i)]);
        }
        setting.pause();
        setting.write("o".to_owned());
        setting.write("œdème".to_owned());
        setting.write("œdème".to_owned());
        setting.undo();
        assert_eq!(setting.report(), report);
        setting.undo();
        assert_eq!(setting.picture(), first);
        assert!(!setting.can_undo());
        setting.write(String::new());
        setting.tell();
        assert!(setting.report().contains("opacity"));
        (0..300).for_each(|study| setting.show(study));
        assert_eq!(setting.before.len(), MOST);
    }
}
