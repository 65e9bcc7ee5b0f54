//! What a run says of its pictures: names, grades, hospitals, scores.

use crate::engine::event::Payload;
use crate::kit::series;
use crate::kit::view::ViewCtx;

/// A picture by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    pub name: String,
    /// 0 to 3; `None` where nobody graded it.
    pub grade: Option<u8>,
    pub hospital: String,
}

/// The pictures of a list that does not change while the run goes on: `names/test`.
pub fn named(ctx: &ViewCtx<'_>, key: &str) -> Vec<Named> {
    let Some(text) = series::text(ctx, key) else { return Vec::new() };
    let one = |line: &str| {
        let mut cells = line.split('\t');
        let name = cells.next().unwrap_or_default().to_owned();
        let grade = cells.next().and_then(|grade| grade.parse().ok());
        Named { name, grade, hospital: cells.next().unwrap_or_default().to_owned() }
    };
    text.lines().map(one).collect()
}

/// What the network said of one picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Answer {
    /// Of retinopathy.
    pub probability: f64,
    /// Where it tells grades.
    pub grade: Option<usize>,
    /// Mean squared error of its reconstruction, where there is one.
    pub error: Option<f64>,
}

/// The answers at the cursor, and the step when they were given.
pub fn answers(ctx: &ViewCtx<'_>, key: &str) -> Option<(u64, Vec<Answer>)> {
    let (step, payload) = ctx.payload(key)?;
    let Payload::Matrix { cols: 3, values, .. } = &*payload else { return None };
    let of = |row: &[f32]| Answer {
        probability: f64::from(row[0]),
        grade: (row[1] >= 0.0).then_some(row[1] as usize),
        error: (row[2] >= 0.0).then_some(f64::from(row[2])),
    };
    Some((step, values.chunks_exact(3).map(of).collect()))
}
