//! Reads images and masks: any depth and colour, huge ones within a limit of memory, damaged ones as problems.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::doctor::{Check, Finding, Severity, finding};
use super::lesion::{Lesion, MaskRule, Values};
use super::listing::{Pair, Size};
use super::seen::Seen;
use super::{Problem, Watch, counted};
use crate::data::picture_file::{Decoded, Exposure, Levels, Memory, White, about};
use crate::pixels::mask::Mask;
use crate::pixels::spacing::Spacing;

/// How much memory reading may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadLimits {
    /// Pixels of an image that is kept. A larger one is made smaller by a whole factor as soon as it is decoded.
    pub most_pixels: usize,
    /// Bytes of decoded files at any one time, all threads together. A file that takes more alone is refused.
    pub decoded_bytes: u64,
}

impl Default for ReadLimits {
    /// 4 million pixels are kept, 1 GiB decoded: 8000×8000 pixels take 192 MB in 8-bit colour and 512 MB at most.
    fn default() -> Self {
        Self { most_pixels: 1 << 22, decoded_bytes: 1 << 30 }
    }
}

/// An image in 8-bit colour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    pub width: usize,
    pub height: usize,
    /// `[H, W, 3]` red, green, blue.
    pub rgb: Vec<u8>,
    /// Width and height in the file.
    pub original: Size,
    /// Pixels of the file along each side of one pixel here; 1 unless the file is huge.
    pub factor: usize,
}

/// What is odd about the files of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct MaskFacts {
    /// Largest share, over the files whose values are compared with the middle of the range, of pixels that are neither
    /// black nor white (from 16 to 239 of 255).
    pub grey_share: f64,
    /// A file has no grey value above 1, and 1 was read as lesion for not being zero.
    pub zero_one: bool,
    /// The size of a mask that was resized to its image's.
    pub other_size: Option<Size>,
    /// Pages of a mask's file, which are joined, where it has several.
    pub pages: Option<usize>,
    /// The image is stored turned or mirrored, and was set upright as its tag says.
    pub turned: bool,
    /// The size of a pixel of the image's file, as it says.
    pub spacing: Option<Spacing>,
}

/// How the pictures and masks of one data set are read.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rules {
    pub masks: MaskRule,
    /// Of all images together.
    pub white: White,
    /// Images of more than 8 bits, which it is for.
    pub deep_images: usize,
    /// Images of more than 8 bits that are nearly black, and nearly white, where that is white.
    pub nearly_black: Vec<PathBuf>,
    pub nearly_white: Vec<PathBuf>,
}

impl Rules {
    /// What was decided, one statement a line.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = self.masks.lines.clone();
        if self.deep_images > 0 {
            lines.extend(self.white.lines());
        }
        lines.extend(self.exposed().map(|(files, how)| {
            let images = counted(files.len(), "image is", "images are");
            let name = files[0].file_name().unwrap_or_default().to_string_lossy();
            let first = if files.len() == 1 { name.into_owned() } else { format!("the first is {name}") };
            format!("{images} nearly {how} at that white ({first}): look at how they were saved")
        }));
        lines
    }

    /// Whether they may not be what was meant.
    pub fn are_doubtful(&self) -> bool {
        self.masks.doubtful || self.exposed().next().is_some()
    }

    /// What the data doctor says of them.
    pub fn findings(&self, root: &Path) -> Vec<Finding> {
        let mut findings = self.masks.findings(root);
        let advice = "it shows the network next to nothing: save it with the range of the others, or leave it out";
        for (files, how) in self.exposed() {
            let problem = format!("is nearly {how} where white is as for all images of the folder");
            let told = |file: &PathBuf| finding(Severity::Warning, Check::Exposure, file, problem.clone(), advice);
            findings.extend(files.iter().map(told));
        }
        findings
    }

    fn exposed(&self) -> impl Iterator<Item = (&Vec<PathBuf>, &'static str)> {
        [(&self.nearly_black, "black"), (&self.nearly_white, "white")]
            .into_iter()
            .filter(|(files, _)| !files.is_empty())
    }
}

/// An image with its lesions, at one size.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    pub picture: Picture,
    pub mask: Mask,
    pub facts: MaskFacts,
}

/// What reading many pairs gave.
#[derive(Debug)]
pub struct ReadAll<T> {
    /// By number of the pair, ascending.
    pub items: Vec<(usize, T)>,
    pub problems: Vec<Problem>,
    /// It was stopped, and items are missing.
    pub cancelled: bool,
}

/// Reads files within [`ReadLimits`]; shared by threads.
#[derive(Debug)]
pub struct Reader {
    most_pixels: usize,
    memory: Memory,
    /// `None`: every pair is looked at alone.
    rules: Option<Rules>,
}

impl Default for Reader {
    fn default() -> Self {
        Self::new(ReadLimits::default())
    }
}

impl Reader {
    /// A reader that knows of no data set, and decides for every pair alone.
    pub fn new(limits: ReadLimits) -> Self {
        Self { most_pixels: limits.most_pixels, memory: Memory::new(limits.decoded_bytes), rules: None }
    }

    /// The same for a data set whose rules are known.
    pub fn with_rules(self, rules: Rules) -> Self {
        Self { rules: Some(rules), ..self }
    }

    /// How it reads where that was decided for a data set.
    pub fn rules(&self) -> Option<&Rules> {
        self.rules.as_ref()
    }

    /// Looks through a data set and decides how its images and masks are read. Files that cannot be read are passed over;
    /// stopped, it decides from what it saw. `more`: images without masks.
    pub fn survey(&self, pairs: &[Pair], more: &[PathBuf], lesion: &Lesion, watch: Watch<'_>) -> Rules {
        self.survey_as(&White::default(), pairs, more, lesion, watch)
    }

    /// The same where `known` decides what is white, as far as it does: that of the data set that a network was trained on.
    pub fn survey_as(
        &self,
        known: &White,
        pairs: &[Pair],
        more: &[PathBuf],
        lesion: &Lesion,
        watch: Watch<'_>,
    ) -> Rules {
        let count = watch.counter(1, pairs.len());
        let looked: Vec<(Vec<Seen>, Option<Levels>)> = pairs
            .par_iter()
            .map(|pair| {
                let mut seen = Vec::new();
                if watch.cancelled() {
                    return (seen, None);
                }
                // Those that were drawn here say nothing of the data set's own, which decide however many were corrected.
                for path in &pair.masks {
                    let _ = self.memory.decode_mask_of(path, &pair.labels, |decoded| {
                        let raw = Raw::of_mask(&decoded);
                        seen.push(Seen::of(&Values::new(&raw, &decoded), lesion));
                    });
                }
                let levels = self.memory.levels(&pair.image).unwrap_or_default();
                count(1);
                (seen, levels)
            })
            .collect();
        let more_levels: Vec<Option<Levels>> = more
            .par_iter()
            .map(|image| if watch.cancelled() { None } else { self.memory.levels(image).unwrap_or_default() })
            .collect();
        let (seen, of_pairs): (Vec<Vec<Seen>>, Vec<Option<Levels>>) = looked.into_iter().unzip();
        let images = pairs.iter().map(|pair| &pair.image).chain(more);
        let levels: Vec<(&PathBuf, Levels)> =
            images.zip(of_pairs.into_iter().chain(more_levels)).filter_map(|(image, of)| Some((image, of?))).collect();
        let white = known.clone().or(White::of(&levels.iter().map(|(_, levels)| *levels).collect::<Vec<_>>()));
        let of = |exposure: Exposure| -> Vec<PathBuf> {
            let exposed = levels.iter().filter(|(_, levels)| levels.exposure(white.at(levels)) == exposure);
            exposed.map(|(image, _)| (*image).clone()).collect()
        };
        Rules {
            masks: MaskRule::of(lesion.clone(), &seen.concat()),
            deep_images: levels.len(),
            nearly_black: of(Exposure::NearlyBlack),
            nearly_white: of(Exposure::NearlyWhite),
            white,
        }
    }

    /// An image alone.
    pub fn picture(&self, path: &Path) -> Result<Picture, Problem> {
        self.upright(path).map(|(picture, _)| picture)
    }

    /// An image, and whether it was set upright.
    fn upright(&self, path: &Path) -> Result<(Picture, bool), Problem> {
        let result = self.memory.decode(path, |decoded| {
            let raw = Raw::of_image(&decoded, self.rules.as_ref().map(|rules| &rules.white));
            let (width, height, factor) = raw.reduced(self.most_pixels);
            (Picture { width, height, rgb: raw.rgb(factor), original: raw.size, factor }, decoded.turned)
        });
        result.map_err(|problem| Problem { path: path.to_owned(), problem })
    }

    /// An image with its lesions, the pages of all of its masks together. A mask of another size is stretched to the
    /// image's. Masks that were corrected here are white where lesion is, whatever the rule for the data set's own.
    pub fn pair(&self, pair: &Pair) -> Result<Sample, Problem> {
        let (picture, turned) = self.upright(&pair.image)?;
        let rule = match (&pair.corrected, &self.rules) {
            (Some(_), _) => MaskRule::default(),
            (None, Some(rules)) => rules.masks.clone(),
            (None, None) => self.survey(std::slice::from_ref(pair), &[], &Lesion::Any, Watch::nobody()).masks,
        };
        let mut mask = Mask::empty(picture.height, picture.width);
        let mut facts = MaskFacts { turned, spacing: about(&pair.image).spacing, ..MaskFacts::default() };
        for path in pair.masks_in_use() {
            let refused = |problem| Problem { path: path.clone(), problem };
            let mut wrong = None;
            let pages = self.memory.decode_mask_of(path, &pair.labels, |decoded| {
                let raw = Raw::of_mask(&decoded);
                match raw.mask(&decoded, &rule, &picture) {
                    Ok((one, of_one)) => {
                        mask.add(&one);
                        facts.grey_share = facts.grey_share.max(of_one.grey_share);
                        facts.zero_one |= of_one.zero_one;
                        facts.other_size = facts.other_size.or((raw.size != picture.original).then_some(raw.size));
                    }
                    Err(problem) => wrong = Some(problem),
                }
            });
            let pages = pages.map_err(refused)?;
            facts.pages = facts.pages.max((pages > 1).then_some(pages));
            if let Some(problem) = wrong {
                return Err(refused(problem));
            }
        }
        Ok(Sample { picture, mask, facts })
    }

    /// Reads `pairs` on all cores; `keep` takes of each sample what is needed. Where it is stopped, what was read so far
    /// is handed back.
    pub fn all<T: Send>(
        &self,
        pairs: &[Pair],
        watch: Watch<'_>,
        keep: impl Fn(usize, Sample) -> T + Sync,
    ) -> ReadAll<T> {
        let done = AtomicUsize::new(0);
        let results: Vec<Option<Result<T, Problem>>> = pairs
            .par_iter()
            .enumerate()
            .map(|(i, pair)| {
                if watch.cancelled() {
                    return None;
                }
                let result = self.pair(pair).map(|sample| keep(i, sample));
                (watch.progress)(done.fetch_add(1, Ordering::Relaxed) + 1, pairs.len());
                Some(result)
            })
            .collect();
        let mut all = ReadAll { items: Vec::with_capacity(pairs.len()), problems: Vec::new(), cancelled: false };
        for (i, result) in results.into_iter().enumerate() {
            match result {
                Some(Ok(item)) => all.items.push((i, item)),
                Some(Err(problem)) => all.problems.push(problem),
                None => all.cancelled = true,
            }
        }
        all
    }
}

/// A decoded file and what its numbers mean.
pub struct Raw<'a> {
    pub size: Size,
    data: &'a [u8],
    channels: usize,
    pub bytes_per_channel: usize,
    /// The value that is white.
    pub white: f32,
    /// A channel's value times this is 0 to 255.
    pub scale: f32,
    /// In the file 0 is white.
    white_is_zero: bool,
}

impl<'a> Raw<'a> {
    /// `white`: of the data set; `None`: this image decides alone.
    pub fn of_image(decoded: &'a Decoded, white: Option<&White>) -> Self {
        let levels = Levels::of(decoded);
        Self::new(decoded, levels.map(|levels| white.unwrap_or(&White::default()).at(&levels)))
    }

    /// Of a mask the largest value decides: a lesion may be of very few pixels.
    pub fn of_mask(decoded: &'a Decoded) -> Self {
        Self::new(decoded, Levels::of(decoded).map(|levels| levels.full()))
    }

    fn new(decoded: &'a Decoded, white: Option<f32>) -> Self {
        let color = decoded.image.color();
        let channels = usize::from(color.channel_count());
        let white = white.unwrap_or(255.0);
        Raw {
            size: decoded.size(),
            data: decoded.image.as_bytes(),
            channels,
            bytes_per_channel: usize::from(color.bytes_per_pixel()) / channels,
            white,
            scale: 255.0 / white,
            white_is_zero: decoded.white_is_zero,
        }
    }

    pub fn pixels(&self) -> usize {
        self.size.0 as usize * self.size.1 as usize
    }

    fn channel(&self, i: usize, channel: usize) -> f32 {
        let at = i * self.channels + channel;
        match self.bytes_per_channel {
            1 => f32::from(self.data[at]),
            2 => {
                let value = f32::from(u16::from_ne_bytes([self.data[2 * at], self.data[2 * at + 1]]));
                if self.white_is_zero { (self.white - value).max(0.0) } else { value }
            }
            _ => {
                let bytes = self.data[4 * at..].first_chunk().copied().unwrap_or_default();
                let value = f32::from_ne_bytes(bytes);
                if value.is_finite() { value.max(0.0) } else { 0.0 }
            }
        }
    }

    /// Red, green and blue of pixel `i` as stored; alpha is left out.
    pub fn stored(&self, i: usize) -> [f32; 3] {
        if self.channels < 3 {
            [self.channel(i, 0); 3]
        } else {
            [self.channel(i, 0), self.channel(i, 1), self.channel(i, 2)]
        }
    }

    /// Alpha of pixel `i`, 0 to 255, where the file has one.
    pub fn alpha(&self, i: usize) -> Option<u8> {
        let value = (self.channels.is_multiple_of(2)).then(|| self.channel(i, self.channels - 1))?;
        Some(match self.bytes_per_channel {
            1 => value as u8,
            2 => (value / 257.0).ceil() as u8,
            _ => (255.0 * value).ceil() as u8,
        })
    }

    /// Red, green and blue of pixel `i` in 8 bits.
    pub fn pixel(&self, i: usize) -> [u8; 3] {
        if self.bytes_per_channel == 1 {
            return colours(&self.data[i * self.channels..][..self.channels]);
        }
        self.stored(i).map(|value| (value * self.scale).round().min(255.0) as u8)
    }

    /// Width, height and whole factor at which at most `most` pixels are left.
    fn reduced(&self, most: usize) -> (usize, usize, usize) {
        reduced(self.size, most)
    }

    /// Goes through the blocks of `factor`×`factor` pixels that become one: `add` is called for every pixel of the file
    /// with the sum of its block, `end` with the sums of a row of blocks. Only one row of sums is kept.
    fn blocks<S: Copy + Default>(&self, factor: usize, mut add: impl FnMut(&mut S, usize), mut end: impl FnMut(&[S])) {
        let (width, height) = (self.size.0 as usize, self.size.1 as usize);
        let mut sums = vec![S::default(); width.div_ceil(factor)];
        for y in 0..height {
            for (block, sum) in sums.iter_mut().enumerate() {
                for x in block * factor..((block + 1) * factor).min(width) {
                    add(sum, y * width + x);
                }
            }
            if (y + 1) % factor == 0 || y + 1 == height {
                end(&sums);
                sums.fill(S::default());
            }
        }
    }

    /// `[H, W, 3]`, each pixel the mean of its block.
    fn rgb(&self, factor: usize) -> Vec<u8> {
        let (width, height) = (self.size.0 as usize, self.size.1 as usize);
        let mut rgb = Vec::with_capacity(3 * width.div_ceil(factor) * height.div_ceil(factor));
        if factor == 1 {
            (0..width * height).for_each(|i| rgb.extend(self.pixel(i)));
            return rgb;
        }
        self.blocks(
            factor,
            |sum: &mut [u32; 4], i| {
                let [r, g, b] = self.pixel(i).map(u32::from);
                *sum = [sum[0] + r, sum[1] + g, sum[2] + b, sum[3] + 1];
            },
            |sums| {
                let mean = |&[r, g, b, n]: &[u32; 4]| [r, g, b].map(|sum| ((sum + n / 2) / n.max(1)) as u8);
                rgb.extend(sums.iter().flat_map(mean));
            },
        );
        rgb
    }

    /// The mask at the size of `picture`: a pixel is lesion where at least half of its block is; in a file of another
    /// size than the image's, where the pixel at its centre is.
    fn mask(&self, decoded: &Decoded, rule: &MaskRule, picture: &Picture) -> Result<(Mask, MaskFacts), String> {
        let values = Values::new(self, decoded);
        let judge = values.judge(rule)?;
        let (width, height) = (self.size.0 as usize, self.size.1 as usize);
        let (mut grey, mut most) = (0_usize, 0.0_f32);
        let same = self.size == picture.original;
        let mut pixels = Vec::with_capacity(if same { picture.width * picture.height } else { 0 });
        self.blocks(
            picture.factor,
            |count: &mut (u32, u32), i| {
                let [r, g, b] = self.pixel(i);
                grey += usize::from((16..240).contains(&r.max(g).max(b)));
                most = self.stored(i).into_iter().fold(most, f32::max);
                *count = (count.0 + u32::from(judge.is_lesion(i)), count.1 + 1);
            },
            |counts| {
                if same {
                    pixels.extend(counts.iter().map(|&(lesion, all)| lesion > 0 && 2 * lesion >= all));
                }
            },
        );
        let mask = Mask::new(picture.height, picture.width, pixels).unwrap_or_else(|_| {
            let place = |i: usize, count: usize, size: usize| (2 * i + 1) * size / (2 * count);
            Mask::from_fn(picture.height, picture.width, |row, column| {
                let at = place(row, picture.height, height) * width + place(column, picture.width, width);
                judge.is_lesion(at)
            })
        });
        let facts = MaskFacts {
            grey_share: if judge.has_threshold() { grey as f64 / (width * height) as f64 } else { 0.0 },
            zero_one: most == 1.0
                && self.bytes_per_channel < 4
                && decoded.palette.is_none()
                && judge.takes_what_is_not_zero(),
            ..MaskFacts::default()
        };
        Ok((mask, facts))
    }
}

/// Width, height and whole factor at which at most `most` pixels of a picture are left.
pub fn reduced(size: Size, most: usize) -> (usize, usize, usize) {
    let (width, height) = (size.0 as usize, size.1 as usize);
    let at = |factor: usize| (width.div_ceil(factor), height.div_ceil(factor));
    let factor = (1..).find(|&factor| at(factor).0 * at(factor).1 <= most.max(1)).unwrap_or(1);
    (at(factor).0, at(factor).1, factor)
}

/// Red, green and blue of a pixel of 1 to 4 channels in 8 bits.
fn colours(pixel: &[u8]) -> [u8; 3] {
    match *pixel {
        [r, g, b, ..] => [r, g, b],
        [grey, ..] => [grey; 3],
        [] => [0; 3],
    }
}
