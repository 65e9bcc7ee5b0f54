//! A tile as an animation: which steps it shows for how long, and the frames as a GIF, written one by one.

use std::collections::{BTreeMap, HashMap};
use std::io::Write;

use gif::{Encoder, Frame, Repeat};
use image::RgbaImage;

use super::figure::Opened;
use crate::kit::view::Cursor;
use crate::plot::number::grouped;

/// Pixels of an animation unless asked otherwise, and most pixels of a side.
pub const SIZE: (u32, u32) = (800, 500);
const LONGEST_SIDE: u32 = 2048;
/// Frames of an animation unless asked otherwise, and most that can be asked for.
const FRAMES: u64 = 120;
const MOST_FRAMES: u64 = 1000;
/// Frames a second unless asked otherwise, and the most that viewers of GIFs show.
const RATE: f64 = 12.0;
const FASTEST: f64 = 50.0;
/// The last frame stays for so long, in hundredths of a second.
const HELD: u16 = 200;

/// What was asked for; `None`: as it comes.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Wish {
    /// First and last step.
    pub from: Option<u64>,
    pub until: Option<u64>,
    pub frames: Option<u64>,
    /// How long it takes, without the time for which the last frame stays.
    pub seconds: Option<f64>,
}

/// The steps of an animation, each with how long it is shown, in hundredths of a second.
pub type Plan = Vec<(u64, u16)>;

/// Plans an animation of a run of so many steps. The error says what was expected, in the words of the command line.
pub fn plan(wish: Wish, end: u64) -> Result<Plan, String> {
    if end == 0 {
        return Err("the run has no second step to be animated; export .png or .svg".to_owned());
    }
    let (from, until) = (wish.from.unwrap_or(0), wish.until.unwrap_or(end));
    if from >= end {
        return Err(format!("`--from {from}`: expected a step before {end}, the last one of the run"));
    }
    if until > end {
        return Err(format!("`--until {until}`: the last step of the run is {end}"));
    }
    if until <= from {
        return Err(format!("`--until {until}`: expected a step after {from}, with which the animation begins"));
    }
    let steps = until - from + 1;
    let most = steps.min(MOST_FRAMES);
    let frames = wish.frames.unwrap_or(FRAMES.min(most));
    if !(2..=most).contains(&frames) {
        let why = if steps <= MOST_FRAMES { format!(": there are {steps} steps") } else { String::new() };
        return Err(format!("`--frames {frames}`: expected from 2 to {most}{why}"));
    }
    let seconds = wish.seconds.unwrap_or(frames as f64 / RATE);
    let (shortest, longest) = (frames as f64 / FASTEST, frames as f64 * 60.0);
    if !(shortest..=longest).contains(&seconds) {
        return Err(format!(
            "`--seconds {seconds}`: expected from {shortest} to {longest} for {frames} frames, which is at most {FASTEST} frames a second"
        ));
    }
    let time = |frame: u64| (100.0 * seconds * frame as f64 / frames as f64).round() as u32;
    let moment = |frame: u64| {
        let step = from + (u128::from(frame) * u128::from(until - from) / u128::from(frames - 1)) as u64;
        (step, (time(frame + 1) - time(frame)) as u16)
    };
    let mut plan: Plan = (0..frames).map(moment).collect();
    if let Some((_, last)) = plan.last_mut() {
        *last = last.saturating_add(HELD);
    }
    Ok(plan)
}

/// Refuses a size that no GIF should have.
pub fn check_size((width, height): (u32, u32)) -> Result<(), String> {
    if width.max(height) > LONGEST_SIDE {
        return Err(format!("`--size {width}x{height}`: an animation has at most {LONGEST_SIDE} pixels a side"));
    }
    Ok(())
}

/// Draws the frames and writes each as soon as it is drawn. `go_on` is told how many are done; `false` ends it, with what was
/// written so far.
pub fn write(
    tile: &mut Opened<'_>,
    plan: &Plan,
    to: impl Write,
    go_on: &mut dyn FnMut(usize) -> bool,
) -> Result<(), String> {
    let problem = |error: gif::EncodingError| format!("the animation cannot be written: {error}");
    let mut draw = |step: u64| tile.pixels(Cursor { step, sub: 0 }, &format!("step {}", grouped(step)));
    // One palette for all frames, so that no colour flickers: that of the first, the middle and the last one.
    let samples = [0, plan.len() / 2, plan.len().saturating_sub(1)];
    let samples = samples.iter().map(|at| draw(plan[*at].0)).collect::<Result<Vec<_>, _>>()?;
    let mut palette = Palette::of(&samples);
    drop(samples);
    let mut encoder: Option<Encoder<_>> = None;
    let mut to = Some(to);
    let mut before: Vec<u8> = Vec::new();
    for (done, (step, delay)) in plan.iter().enumerate() {
        if !go_on(done) {
            return Ok(());
        }
        let picture = draw(*step)?;
        let (width, height) = picture.dimensions();
        let indices = palette.indices(&picture);
        if let Some(to) = to.take() {
            let mut new = Encoder::new(to, width as u16, height as u16, &palette.colors.concat()).map_err(problem)?;
            new.set_repeat(Repeat::Infinite).map_err(problem)?;
            encoder = Some(new);
        }
        let mut frame = changed(&before, &indices, width as usize);
        frame.delay = *delay;
        if let Some(encoder) = &mut encoder {
            encoder.write_frame(&frame).map_err(problem)?;
        }
        before = indices;
    }
    if let Some(encoder) = encoder {
        let mut to = encoder.into_inner().map_err(problem)?;
        to.flush().map_err(|error| problem(error.into()))?;
    }
    go_on(plan.len());
    Ok(())
}

/// The smallest part of a picture that holds all that is another than `before`; of one that is the same, a pixel.
fn changed(before: &[u8], now: &[u8], width: usize) -> Frame<'static> {
    let differs = |at: &usize| before.get(*at) != now.get(*at);
    let rows = || now.chunks(width).enumerate().filter(|(y, row)| before.get(y * width..(y + 1) * width) != Some(row));
    let (top, bottom) = match (rows().next(), rows().next_back()) {
        (Some((top, _)), Some((bottom, _))) => (top, bottom),
        _ => (0, 0),
    };
    let columns = || (0..width).filter(|x| (top..=bottom).any(|y| differs(&(y * width + x))));
    let (left, right) = (columns().next().unwrap_or(0), columns().next_back().unwrap_or(0));
    let part: Vec<u8> = (top..=bottom).flat_map(|y| &now[y * width + left..=y * width + right]).copied().collect();
    Frame {
        left: left as u16,
        top: top as u16,
        width: (right - left + 1) as u16,
        height: (bottom - top + 1) as u16,
        buffer: part.into(),
        ..Frame::default()
    }
}

/// At most 256 colours, and for every colour seen so far the nearest of them.
struct Palette {
    colors: Vec<[u8; 3]>,
    nearest: HashMap<[u8; 3], u8>,
}

impl Palette {
    /// The colours of these pictures. Where they are too many, those that are far from the ones that there are already and are
    /// seen often: of a map of thousands of colours many are alike, but a thin line keeps the colour that says whose it is.
    fn of(pictures: &[RgbaImage]) -> Self {
        const MOST: usize = 256;
        let mut counts: BTreeMap<[u8; 3], u32> = BTreeMap::new();
        for pixel in pictures.iter().flat_map(RgbaImage::pixels) {
            let [r, g, b, _] = pixel.0;
            *counts.entry([r, g, b]).or_default() += 1;
        }
        // Each with how much it counts, and how far the nearest chosen one is.
        let mut left: Vec<([u8; 3], f64, u32)> =
            counts.into_iter().map(|(color, count)| (color, f64::from(count).sqrt(), u32::MAX)).collect();
        let mut colors = Vec::new();
        while colors.len() < MOST {
            let worth = |(_, weight, near): &([u8; 3], f64, u32)| weight * f64::from(*near);
            let next = left.iter().max_by(|a, b| worth(a).total_cmp(&worth(b)));
            let Some(&(chosen, ..)) = next.filter(|(_, _, near)| *near > 0) else { break };
            colors.push(chosen);
            left.iter_mut().for_each(|(color, _, near)| *near = (*near).min(apart(*color, chosen)));
        }
        Self { colors, nearest: HashMap::new() }
    }

    fn indices(&mut self, picture: &RgbaImage) -> Vec<u8> {
        let Self { colors, nearest } = self;
        let find = |color: [u8; 3]| {
            let near = colors.iter().enumerate().min_by_key(|(_, known)| apart(color, **known));
            near.map_or(0, |(at, _)| at as u8)
        };
        let pixels = picture.pixels().map(|pixel| {
            let [r, g, b, _] = pixel.0;
            *nearest.entry([r, g, b]).or_insert_with_key(|color| find(*color))
        });
        pixels.collect()
    }
}

/// The square of the distance of two colours.
fn apart(a: [u8; 3], b: [u8; 3]) -> u32 {
    a.iter().zip(b).map(|(a, b)| u32::from(a.abs_diff(b)).pow(2)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_goes_from_the_first_to_the_last_step_and_holds_that() {
        let all = plan(Wish::default(), 420).unwrap();
        assert_eq!((all.len(), all[0].0, all[119].0), (120, 0, 420));
        assert!(all.is_sorted_by(|a, b| a.0 < b.0));
        assert_eq!(all.iter().map(|(_, delay)| u32::from(*delay)).sum::<u32>(), 1000 + u32::from(HELD));
        assert!(all[..119].iter().all(|(_, delay)| (8..=9).contains(delay)));
        let few = plan(Wish { from: Some(3), until: Some(7), ..Wish::default() }, 9).unwrap();
        assert_eq!(few.iter().map(|(step, _)| *step).collect::<Vec<_>>(), [3, 4, 5, 6, 7]);
        let asked = plan(Wish { frames: Some(3), seconds: Some(1.5), ..Wish::default() }, 100).unwrap();
        assert_eq!(asked, [(0, 50), (50, 50), (100, 250)]);
    }

    #[test]
    fn what_no_animation_can_be_is_refused_with_what_was_expected() {
        let refused = |wish: Wish| plan(wish, 100).unwrap_err();
        let wish = Wish::default();
        assert!(plan(wish, 0).unwrap_err().contains("no second step"));
        assert!(refused(Wish { from: Some(100), ..wish }).contains("before 100"));
        assert!(refused(Wish { until: Some(101), ..wish }).contains("last step of the run is 100"));
        assert!(refused(Wish { from: Some(9), until: Some(9), ..wish }).contains("after 9"));
        assert!(refused(Wish { frames: Some(102), ..wish }).contains("from 2 to 101: there are 101 steps"));
        assert!(refused(Wish { frames: Some(1), ..wish }).contains("from 2"));
        for seconds in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e300] {
            assert!(refused(Wish { seconds: Some(seconds), ..wish }).contains("frames a second"), "{seconds}");
        }
        assert!(check_size((2049, 10)).unwrap_err().contains("2048"));
    }

    #[test]
    fn only_what_changed_is_written() {
        let before = [0_u8; 12];
        let mut now = before;
        (now[5], now[10]) = (1, 2);
        let frame = changed(&before, &now, 4);
        assert_eq!((frame.left, frame.top, frame.width, frame.height), (1, 1, 2, 2));
        assert_eq!(frame.buffer[..], [1, 0, 0, 2]);
        let same = changed(&now, &now, 4);
        assert_eq!((same.width, same.height), (1, 1));
        assert_eq!(changed(&[], &now, 4).buffer.len(), 12, "the first frame is whole");
    }

    #[test]
    fn a_rare_colour_survives_beside_a_map_of_thousands() {
        let rare = [204, 121, 167];
        let picture = RgbaImage::from_fn(300, 300, |x, y| {
            let [r, g, b] = if x == 7 && y < 20 { rare } else { [(x / 2) as u8, (y / 2) as u8, 150] };
            image::Rgba([r, g, b, 255])
        });
        let mut palette = Palette::of(std::slice::from_ref(&picture));
        assert_eq!(palette.colors.len(), 256);
        assert!(palette.colors.contains(&rare));
        let indices = palette.indices(&picture);
        let worst = indices.iter().zip(picture.pixels()).map(|(at, pixel)| {
            let [r, g, b, _] = pixel.0;
            apart(palette.colors[usize::from(*at)], [r, g, b])
        });
        assert!(worst.max() < Some(18 * 18));
        let few = RgbaImage::from_fn(4, 1, |x, _| image::Rgba([x as u8, 0, 0, 255]));
        assert_eq!(Palette::of(&[few]).colors.len(), 4, "as they are");
    }
}
