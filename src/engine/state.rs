//! The pure reducer: events in, what a view draws out. The same for a live run, a replayed file and a test.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::event::{Body, Change, Event, Key, Level, Payload, RunHeader, RunId, Status};
use super::mailbox::Letter;
use super::params::{Params, Value};
use super::twin::of_twin;

/// Points that a scalar history keeps at full resolution before it falls back to min/max pairs.
pub const HISTORY_CAP: usize = 65_536;
/// Notices kept; older ones are dropped.
pub const NOTICE_CAP: usize = 1_024;

/// All that is known of one run.
#[derive(Debug, Clone, Default)]
pub struct RunState {
    pub id: Option<RunId>,
    pub header: Option<RunHeader>,
    /// It was announced and has not begun: there is nothing to lose of it.
    pub announced: bool,
    pub status: Option<Status>,
    /// Completed steps as of the newest event.
    pub step: u64,
    /// Seconds since the start as of the newest event.
    pub seconds: f64,
    /// The parameters as they are now, live changes included.
    pub params: Params,
    /// The twin's parameters, once the run was forked; see [`super::twin`].
    pub twin: Option<Params>,
    pub scalars: BTreeMap<Key, History>,
    pub tables: BTreeMap<Key, Rows>,
    pub payloads: BTreeMap<Key, Track>,
    pub marks: Vec<Mark>,
    /// Parameter changes made while the run went on, in order of steps: what held at a past step can be told.
    pub changes: Vec<Change>,
    pub notices: Vec<(u64, Level, String)>,
}

/// A moment worth a mark on the timeline.
#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    pub step: u64,
    pub kind: MarkKind,
    pub text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarkKind {
    Changed,
    Checkpoint,
    Warning,
}

/// One scalar against the step. Full resolution up to [`HISTORY_CAP`]; then neighbouring pairs are merged to
/// minimum and maximum (plain striding would hide spikes).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    points: Vec<(u64, f64)>,
    /// Samples that one kept pair of points stands for; 0 while at full resolution.
    bucket: usize,
    pending: Vec<(u64, f64)>,
}

/// A growing table of rows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rows {
    pub columns: usize,
    /// Row-major.
    pub data: Vec<f64>,
}

/// The newest value of a bulky key and where the recorded ones are.
#[derive(Debug, Clone, Default)]
pub struct Track {
    pub newest: Option<(u64, Arc<Payload>)>,
    /// `(step, offset in the events file, bytes)`, in order of steps.
    pub recorded: Vec<(u64, u64, u32)>,
}

impl RunState {
    /// Folds one event in. What announces or starts a run resets everything; any other event of another run is late and is
    /// dropped.
    pub fn apply(&mut self, event: &Event) {
        if let Body::Started(header) | Body::Announced(header) = &event.body {
            *self = RunState {
                id: Some(event.run),
                announced: matches!(event.body, Body::Announced(_)),
                params: header.params.clone(),
                header: Some((**header).clone()),
                ..RunState::default()
            };
        }
        if self.id != Some(event.run) {
            return;
        }
        self.step = self.step.max(event.step);
        self.seconds = self.seconds.max(event.seconds);
        match &event.body {
            Body::Started(_) | Body::Announced(_) => {}
            Body::Scalars(values) => {
                for (key, value) in values {
                    self.scalars.entry(key.clone()).or_default().push(event.step, *value);
                }
            }
            Body::Rows { key, columns, data } => {
                let table = self.tables.entry(key.clone()).or_default();
                table.columns = *columns as usize;
                table.data.extend_from_slice(data);
            }
            Body::Payload { key, payload } => self.show(event.step, key, payload),
            Body::Recorded { key, offset, bytes } => {
                let track = self.payloads.entry(key.clone()).or_default();
                track.recorded.push((event.step, *offset, *bytes));
            }
            Body::Changed { key, from, to } => {
                let text = self.change(key, from, to);
                self.changes.push(Change { step: event.step, key: key.clone(), value: to.clone() });
                self.mark(event.step, MarkKind::Changed, text);
            }
            Body::Checkpoint { file } => {
                self.mark(event.step, MarkKind::Checkpoint, format!("checkpoint {file}"));
            }
            Body::Notice { level, text } => {
                if *level >= Level::Warning {
                    self.mark(event.step, MarkKind::Warning, text.clone());
                }
                if self.notices.len() == NOTICE_CAP {
                    self.notices.remove(0);
                }
                self.notices.push((event.step, *level, text.clone()));
            }
            Body::Status(status) => self.status = Some(status.clone()),
            Body::DeviceChecked { text } => {
                if let Some(header) = &mut self.header {
                    header.device_check = text.clone();
                }
            }
        }
    }

    /// Takes a letter from the mailbox; letters of another run are late and are dropped.
    pub fn deliver(&mut self, letter: &Letter) {
        if self.id == Some(letter.run) {
            self.show(letter.step, &letter.key, &letter.payload);
        }
    }

    /// The newest value of a scalar.
    pub fn last(&self, key: &str) -> Option<f64> {
        self.scalars.get(key)?.last().map(|(_, value)| value)
    }

    /// Whether events may still come.
    pub fn is_live(&self) -> bool {
        self.status.as_ref().is_some_and(|status| !status.is_over())
    }

    fn show(&mut self, step: u64, key: &Key, payload: &Arc<Payload>) {
        let track = self.payloads.entry(key.clone()).or_default();
        if track.newest.as_ref().is_none_or(|(newest, _)| *newest <= step) {
            track.newest = Some((step, payload.clone()));
        }
    }

    /// Notes a change of the run's or the twin's parameters; says in words what it was.
    fn change(&mut self, key: &str, from: &Value, to: &Value) -> String {
        let Some(plain) = of_twin(key) else {
            self.params.put(key, to.clone());
            return format!("{key} changed from {from} to {to}");
        };
        let text = match &self.twin {
            None => format!("forked: the twin goes on with {plain} {to} instead of {from}"),
            Some(_) => format!("twin: {plain} changed from {from} to {to}"),
        };
        self.twin.get_or_insert_with(|| self.params.clone()).put(plain, to.clone());
        text
    }

    fn mark(&mut self, step: u64, kind: MarkKind, text: String) {
        if self.marks.len() < NOTICE_CAP {
            self.marks.push(Mark { step, kind, text });
        }
    }
}

impl History {
    pub fn push(&mut self, step: u64, value: f64) {
        if self.bucket == 0 {
            self.points.push((step, value));
            if self.points.len() >= HISTORY_CAP {
                self.thin();
            }
            return;
        }
        self.pending.push((step, value));
        if self.pending.len() == self.bucket {
            let pair = extremes(&self.pending);
            self.points.extend(pair);
            self.pending.clear();
            if self.points.len() >= HISTORY_CAP {
                self.thin();
            }
        }
    }

    /// The kept points in order of steps; exact while at full resolution.
    pub fn points(&self) -> impl ExactSizeIterator<Item = (u64, f64)> + '_ {
        (0..self.points.len() + self.pending.len()).map(|index| self.point(index))
    }

    /// One of [`History::points`]; `index` is below their number.
    pub fn point(&self, index: usize) -> (u64, f64) {
        // Pending samples are fewer than one bucket; they are shown as they are.
        *self.points.get(index).unwrap_or_else(|| &self.pending[index - self.points.len()])
    }

    pub fn last(&self) -> Option<(u64, f64)> {
        self.pending.last().or(self.points.last()).copied()
    }

    /// The value at the newest kept step that is not after `step`.
    pub fn at(&self, step: u64) -> Option<(u64, f64)> {
        let find = |points: &[(u64, f64)]| {
            let end = points.partition_point(|(s, _)| *s <= step);
            end.checked_sub(1).map(|i| points[i])
        };
        find(&self.pending).or_else(|| find(&self.points))
    }

    /// Whether every sample pushed is still there.
    pub fn is_exact(&self) -> bool {
        self.bucket == 0
    }

    fn thin(&mut self) {
        self.points = self.points.chunks(4).flat_map(extremes).collect();
        self.bucket = if self.bucket == 0 { 4 } else { self.bucket * 2 };
    }
}

/// Minimum and maximum of a few samples in order of steps; a value that is not a number counts as both.
fn extremes(samples: &[(u64, f64)]) -> [(u64, f64); 2] {
    let (mut low, mut high) = (samples[0], samples[0]);
    for &sample in samples {
        if sample.1 < low.1 || sample.1.is_nan() {
            low = sample;
        }
        if sample.1 > high.1 || sample.1.is_nan() {
            high = sample;
        }
    }
    if low.0 <= high.0 { [low, high] } else { [high, low] }
}

impl Rows {
    pub fn len(&self) -> usize {
        self.data.len().checked_div(self.columns).unwrap_or(0)
    }

    pub fn is_empty(&self) -> bool {
        self.data.is_empty()
    }

    /// Row `index`, or `None` past the end.
    pub fn row(&self, index: usize) -> Option<&[f64]> {
        self.data.get(index * self.columns..(index + 1) * self.columns).filter(|row| !row.is_empty())
    }
}

impl Track {
    /// Where the value that was shown at `step` was recorded.
    pub fn recorded_at(&self, step: u64) -> Option<(u64, u64, u32)> {
        let end = self.recorded.partition_point(|(s, ..)| *s <= step);
        end.checked_sub(1).map(|i| self.recorded[i])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(step: u64, body: Body) -> Event {
        Event { run: RunId(1), step, seconds: 0.0, body }
    }

    fn started() -> RunState {
        let header = RunHeader { lab: "toy".to_owned(), seed: 1, steps: 10, ..RunHeader::default() };
        let mut state = RunState::default();
        state.apply(&event(0, Body::Started(Box::new(header))));
        state
    }

    #[test]
    fn a_long_history_keeps_its_spikes_and_its_size() {
        let mut history = History::default();
        for step in 0..1_000_000u64 {
            history.push(step, if step == 423_457 { 1e6 } else { (step % 100) as f64 });
        }
        let kept: Vec<(u64, f64)> = history.points().collect();
        assert!(kept.len() <= HISTORY_CAP, "{}", kept.len());
        assert!(!history.is_exact());
        assert!(kept.contains(&(423_457, 1e6)), "the spike is still there");
        assert!(kept.is_sorted_by_key(|(step, _)| *step));
        assert_eq!(history.last(), Some((999_999, 99.0)));
        let (step, _) = history.at(500_000).unwrap();
        assert!((499_000..=500_000).contains(&step), "{step}");
    }

    #[test]
    fn a_short_history_is_exact() {
        let mut history = History::default();
        (0..100).for_each(|step| history.push(2 * step, step as f64));
        assert!(history.is_exact());
        assert_eq!(history.at(7), Some((6, 3.0)));
        assert_eq!(history.at(1_000), Some((198, 99.0)));
        assert_eq!(History::default().at(3), None);
    }

    #[test]
    fn events_before_the_header_and_of_other_runs_change_nothing() {
        let mut state = RunState::default();
        state.apply(&event(3, Body::Status(Status::Running)));
        assert_eq!((state.step, state.status), (0, None));
        let mut state = started();
        state.apply(&Event { run: RunId(2), ..event(3, Body::Status(Status::Running)) });
        assert_eq!((state.step, state.status), (0, None));
    }

    #[test]
    fn rows_extend_their_table() {
        let mut state = started();
        for block in [vec![1.0, 2.0], vec![3.0, 4.0, 5.0, 6.0]] {
            state.apply(&event(1, Body::Rows { key: "path".into(), columns: 2, data: block.into() }));
        }
        let table = &state.tables["path"];
        assert_eq!(table.len(), 3);
        assert_eq!(table.row(1), Some(&[3.0, 4.0][..]));
        assert_eq!(table.row(3), None);
    }

    #[test]
    fn an_older_picture_never_replaces_a_newer_one() {
        let mut state = started();
        let picture = |value| Arc::new(Payload::Series(vec![value]));
        state.apply(&event(9, Body::Payload { key: "p".into(), payload: picture(9.0) }));
        state.apply(&event(4, Body::Payload { key: "p".into(), payload: picture(4.0) }));
        assert_eq!(state.payloads["p"].newest.as_ref().unwrap().0, 9);
        for step in [3, 6, 9] {
            state.apply(&event(step, Body::Recorded { key: "p".into(), offset: 10 * step, bytes: 1 }));
        }
        assert_eq!(state.payloads["p"].recorded_at(8), Some((6, 60, 1)));
        assert_eq!(state.payloads["p"].recorded_at(2), None);
    }
}
