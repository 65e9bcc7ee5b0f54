//! A file of weights of anybody's: which network it is of, what of it is used, and the network that it makes.

use std::collections::BTreeMap;
use std::path::Path;

use burn::tensor::{Device, Tensor, TensorData};

use super::super::spec::{Architecture, NetSpec};
use super::super::{BuildError, SegmentationNet};
use super::{ARCHITECTURE, BASE, CHANNELS, IMAGE_SIZE, Named, OUTPUTS, STRUCTURES, WHITE, WeightsError, names};
use crate::compute::streams;
use crate::nn::parameters;
use crate::nn::weights::{FileError, Mismatch, Opened, Stored, first_names, shown};

/// Width of the widest U-net that is looked for.
const WIDEST: usize = 4096;
/// Tensors of one name, with different prefixes, that are looked at for a width or a group.
const MOST_PARTS: usize = 8;

/// A file's tensors, not yet matched with a network and not yet read.
#[derive(Debug)]
pub struct WeightsFile {
    opened: Opened,
    about: About,
    /// The part of the file that is used; `None`: the best that fits.
    part: Option<String>,
    /// Tensors that the network has no place for are left out.
    lenient: bool,
}

/// What [`save`](super::save) wrote beside the tensors.
#[derive(Debug, Default)]
struct About {
    spec: Option<NetSpec>,
    image_size: Option<usize>,
    white: Option<String>,
    structures: Vec<String>,
}

impl About {
    fn of(texts: &BTreeMap<String, String>) -> Self {
        let spec = || {
            let architecture = Architecture::parse(texts.get(ARCHITECTURE)?)?;
            let (channels, base) = (texts.get(CHANNELS)?.parse().ok()?, texts.get(BASE)?.parse().ok()?);
            // Older files do not say it, and have one.
            let outputs =
                texts.get(OUTPUTS).map_or(Some(1), |outputs| outputs.parse().ok()).filter(|&outputs| outputs > 0)?;
            Some(NetSpec { architecture, channels, base, outputs })
        };
        let image_size = texts.get(IMAGE_SIZE).and_then(|size| size.parse().ok());
        let structures =
            texts.get(STRUCTURES).map(|names| names.lines().map(str::to_owned).collect()).unwrap_or_default();
        Self { spec: spec(), image_size, white: texts.get(WHITE).cloned(), structures }
    }
}

/// Where a network's tensor comes from.
#[derive(Debug, Clone, Copy)]
enum Source<'a> {
    Stored(&'a Stored),
    /// There is none: zeros.
    Zeros,
    /// Of two classes, whose softmax is the sigmoid of the second less the first.
    Difference(&'a Stored),
}

/// A file's tensors in the order of a network's, and what was made of the file.
#[derive(Debug)]
struct Fit<'a> {
    sources: Vec<Source<'a>>,
    /// What stands before the names: `model.`
    prefix: String,
    /// Tensors that are left out.
    extra: Vec<String>,
}

impl WeightsFile {
    /// Reads names and shapes of safetensors, or of a state dict, checkpoint or whole model of PyTorch: the content
    /// decides, not the name.
    pub fn open(path: &Path) -> Result<Self, WeightsError> {
        let opened = Opened::open(path)?;
        let about = About::of(&opened.texts);
        Ok(Self { opened, about, part: None, lenient: false })
    }

    /// Uses this part of the file (`ema`, `model`), where it holds the weights several times.
    #[must_use]
    pub fn of_part(self, part: Option<&str>) -> Self {
        Self { part: part.map(str::to_owned), ..self }
    }

    /// Leaves out what the network has no place for; [`WeightsFile::notes`] lists it.
    #[must_use]
    pub fn lenient(self) -> Self {
        Self { lenient: true, ..self }
    }

    /// The side in pixels of the pictures that the network was trained on, where the file says it.
    pub fn image_size(&self) -> Option<usize> {
        self.about.image_size
    }

    /// The names of its outputs, where the file has them.
    pub fn structures(&self) -> &[String] {
        &self.about.structures
    }

    /// What [`packed`](super::packed) was given as `white`.
    pub fn white(&self) -> Option<&str> {
        self.about.white.as_deref()
    }

    /// The network that these weights are of: the one that was saved, or the first that fits by names and shapes.
    /// FCN-32s, -16s and -8s have the same tensors; FCN-8s is taken.
    pub fn recognise(&self) -> Result<NetSpec, WeightsError> {
        self.recognise_as(None)
    }

    /// The same of an architecture that is known, of Lighter U-net with any C.
    pub fn recognise_as(&self, wanted: Option<Architecture>) -> Result<NetSpec, WeightsError> {
        let is_wanted = |spec: &NetSpec| match (wanted, spec.architecture) {
            (None, _) | (Some(Architecture::LighterUNet { .. }), Architecture::LighterUNet { .. }) => true,
            (Some(wanted), one) => wanted == one,
        };
        if let Some(spec) = self.about.spec.filter(is_wanted) {
            self.checked(&spec)?;
            return Ok(spec);
        }
        let mut candidates = self.candidates(wanted);
        candidates.retain(|spec| is_wanted(spec) && spec.check().is_ok());
        let quick = |spec: &&NetSpec| self.may_fit(&names(spec));
        let mut extra = None;
        for spec in candidates.iter().filter(quick) {
            match self.fit(&names(spec)) {
                Ok(fit) if fit.extra.is_empty() || self.lenient => return Ok(*spec),
                Ok(fit) => extra = extra.or(Some((*spec, fit.extra))),
                Err(_) => {}
            }
        }
        if let Some((spec, names)) = extra {
            return Err(self.extra(&spec, &names));
        }
        // What was asked for by name is told by name.
        if let (true, Some(spec)) = (wanted.is_some() || self.part.is_some(), candidates.first()) {
            self.checked(spec)?;
        }
        let first: Vec<String> = self.opened.tensors.keys().take(4).cloned().collect();
        Err(WeightsError::Unknown { path: self.opened.path.clone(), first: first_names(&first) })
    }

    fn extra(&self, spec: &NetSpec, names: &[String]) -> WeightsError {
        WeightsError::Extra {
            path: self.opened.path.clone(),
            network: spec.architecture.name(),
            key: spec.architecture.key(),
            extra: tensors_more(names),
        }
    }

    /// Networks that the file may be of, a few whatever it holds.
    fn candidates(&self, wanted: Option<Architecture>) -> Vec<NetSpec> {
        let inputs = |ending: &str| -> Vec<usize> {
            let named = self.opened.tensors.iter().filter(|(name, _)| name.ends_with(ending));
            let inputs = named.filter_map(|(_, tensor)| tensor.shape.get(1).copied());
            inputs.filter(|&inputs| inputs <= 16 * WIDEST).take(MOST_PARTS).collect()
        };
        let base = inputs("head.weight").into_iter().chain(inputs("outc.conv.weight")).next();
        // The widest convolution in groups: its groups are as large as C, or it has only one.
        let mut groups = inputs("d3.0.weight");
        groups.extend(inputs("up1.conv.double_conv.0.conv.0.weight"));
        groups.sort_unstable();
        groups.dedup();
        let lighter = groups.into_iter().map(|group| Architecture::LighterUNet { group });
        let others = [
            Architecture::Fcn8s,
            Architecture::DeepLabResNet101,
            Architecture::DeepLabXception,
            Architecture::DeepLabMobileNetV2,
        ];
        [Architecture::UNet, Architecture::TransposedUNet, Architecture::LightUNet]
            .into_iter()
            .chain(lighter)
            .filter(|_| base.is_some_and(|base| base <= WIDEST))
            .chain(others)
            .chain(wanted)
            .flat_map(|architecture| {
                [3, 1].map(|channels| NetSpec {
                    architecture,
                    channels,
                    base: base.unwrap_or(64).min(WIDEST),
                    outputs: 1,
                })
            })
            .collect()
    }

    /// The file's tensors in the order of the network's.
    fn checked(&self, spec: &NetSpec) -> Result<Fit<'_>, WeightsError> {
        if spec.base > WIDEST {
            let problem = format!("a width of {} channels; at most {WIDEST} are read", spec.base);
            return Err(FileError::Format { path: self.opened.path.clone(), problem }.into());
        }
        spec.check().map_err(BuildError::from)?;
        let names = names(spec);
        self.prefixes(&names)?;
        let mismatched = |mismatch| WeightsError::Mismatch {
            path: self.opened.path.clone(),
            network: spec.architecture.name(),
            mismatch,
        };
        let fit = self.fit(&names).map_err(mismatched)?;
        if fit.extra.is_empty() || self.lenient { Ok(fit) } else { Err(self.extra(spec, &fit.extra)) }
    }

    /// What was made of the file for this network, one statement each; empty where it is as this program writes it. What may
    /// make its outputs wrong begins with `warning: `.
    pub fn notes(&self, spec: &NetSpec) -> Result<Vec<String>, WeightsError> {
        let fit = self.checked(spec)?;
        let names = names(spec);
        let mut notes = Vec::new();
        let parts: Vec<String> = self.prefixes(&names)?.iter().map(|prefix| in_words(prefix)).collect();
        let used = in_words(&fit.prefix);
        if parts.len() > 1 {
            let why = match () {
                () if self.part.is_some() => "as chosen",
                () if is_average(&fit.prefix) => "the average over training, which is what is evaluated",
                () => "the first that fits",
            };
            notes.push(format!(
                "the file holds weights of this kind {} times ({}): {used} is used, {why}; choose with --set part=NAME",
                parts.len(),
                parts.join(", ")
            ));
        } else if !fit.prefix.is_empty() {
            notes.push(format!("of the file its part {used} is used"));
        }
        let zeros = fit.sources.iter().filter(|source| matches!(source, Source::Zeros)).count();
        if zeros > 0 {
            notes.push(format!(
                "{zeros} convolutions before a batch normalisation have no bias in the file: theirs is 0, which is the same"
            ));
        }
        if fit.sources.iter().any(|source| matches!(source, Source::Difference(_))) {
            notes.push(
                "the file is of two classes: the second, less the first, is the logit of lesion (as softmax has it)"
                    .to_owned(),
            );
        }
        if !fit.extra.is_empty() {
            notes.push(format!(
                "warning: {}: not used; if the network needs them, this is another one and its outlines are wrong",
                tensors_more(&fit.extra)
            ));
        }
        Ok(notes)
    }

    /// Builds the network of `spec` with these weights.
    ///
    /// # Errors
    /// Also where a value is not a finite number: see [`unusable`](super::unusable).
    pub fn load(&self, spec: &NetSpec, device: &Device) -> Result<SegmentationNet, WeightsError> {
        let fit = self.checked(spec)?;
        let stored: Vec<&Stored> = fit
            .sources
            .iter()
            .filter_map(|source| match source {
                Source::Stored(stored) | Source::Difference(stored) => Some(*stored),
                Source::Zeros => None,
            })
            .collect();
        let mut numbers = self.opened.numbers(&stored)?.into_iter();
        let net = SegmentationNet::new(spec, streams::ALONE.open(0, 0), device)?;
        let mut sources = fit.sources.iter();
        Ok(parameters::map(net, |_, _, old| {
            let count = old.shape().num_elements();
            let numbers = match sources.next() {
                None => return old,
                Some(Source::Zeros) => Some(vec![0.0; count]),
                Some(Source::Stored(_)) => numbers.next(),
                Some(Source::Difference(_)) => numbers.next().map(|both| {
                    let (first, second) = both.split_at(both.len() / 2);
                    second.iter().zip(first).map(|(second, first)| second - first).collect()
                }),
            };
            numbers.map_or(old, |numbers: Vec<f32>| {
                let count = numbers.len();
                Tensor::from_data(TensorData::new(numbers, [count]), device)
            })
        }))
    }

    /// The file's tensor for a network's, by one of its names.
    fn find(&self, named: &Named, prefix: &str) -> Option<&Stored> {
        let names = [Some(&named.name), named.alias.as_ref()].into_iter().flatten();
        names.filter_map(|name| self.opened.tensors.get(&format!("{prefix}{name}"))).next()
    }

    /// Whether all of a network's tensors are there: the first question, as most networks fail it at once.
    fn may_fit(&self, names: &[Named]) -> bool {
        let fits = |named: &Named, prefix: &str| {
            named.spare || self.find(named, prefix).is_some_and(|tensor| named.head || tensor.shape == named.shape)
        };
        let prefixes = self.prefixes(names).unwrap_or_default();
        prefixes.iter().any(|prefix| names.iter().all(|named| fits(named, prefix)))
    }

    /// The file's tensors in the order of `names`: of the part that was chosen, or the best that fits.
    fn fit(&self, names: &[Named]) -> Result<Fit<'_>, Mismatch> {
        let mut prefixes = self.prefixes(names).unwrap_or_default();
        if prefixes.is_empty() {
            prefixes.push(String::new());
        }
        let mut fits: Vec<Result<Fit<'_>, Mismatch>> =
            prefixes.iter().map(|prefix| self.matched(names, prefix)).collect();
        let best = fits.iter().position(Result::is_ok).unwrap_or(0);
        fits.swap_remove(best)
    }

    /// The file's tensors in the order of `names`, with this before them.
    fn matched(&self, names: &[Named], prefix: &str) -> Result<Fit<'_>, Mismatch> {
        let mut mismatch = Mismatch::default();
        let (mut used, mut sources) = (Vec::new(), Vec::new());
        let is_there = |named: &Named| self.find(named, prefix).is_some();
        // A file that has some of the biases lacks the others.
        let spares = !names.iter().any(|named| named.spare && is_there(named));
        // Of two structures a file says so; otherwise they are background and lesion.
        let classes = self.about.spec.is_none_or(|spec| spec.outputs == 1);
        let of_two = |named: &Named, tensor: &Stored| {
            let (wanted, found) = (named.shape.first(), tensor.shape.first());
            classes && named.head && [wanted, found] == [Some(&1), Some(&2)] && tensor.shape[1..] == named.shape[1..]
        };
        let two = names
            .iter()
            .filter(|named| named.head)
            .all(|named| self.find(named, prefix).is_some_and(|tensor| of_two(named, tensor)));
        for named in names {
            let keys = [Some(&named.name), named.alias.as_ref()].into_iter().flatten();
            used.extend(keys.map(|name| format!("{prefix}{name}")));
            match self.find(named, prefix) {
                None if named.spare && spares => sources.push(Source::Zeros),
                None => mismatch.missing.push(named.name.clone()),
                Some(tensor) if two && named.head => sources.push(Source::Difference(tensor)),
                Some(tensor) if tensor.shape != named.shape => {
                    mismatch.shapes.push((named.name.clone(), named.shape.clone(), tensor.shape.clone()));
                }
                Some(tensor) => sources.push(Source::Stored(tensor)),
            }
        }
        used.sort_unstable();
        // Beside a named part of the file, as an optimizer's state, other parts are none of the network's.
        let extra: Vec<String> = self
            .opened
            .tensors
            .keys()
            .filter(|key| key.starts_with(prefix) && !key.ends_with("num_batches_tracked"))
            .filter(|key| used.binary_search(key).is_err())
            .cloned()
            .collect();
        if mismatch.is_empty() {
            return Ok(Fit { sources, prefix: prefix.to_owned(), extra });
        }
        mismatch.unexpected = extra;
        Err(mismatch)
    }

    /// What stands before the first tensor's name, wherever it is in the file: averages over training first. With a chosen
    /// part that part alone.
    fn prefixes(&self, names: &[Named]) -> Result<Vec<String>, WeightsError> {
        let Some(first) = names.first() else { return Ok(Vec::new()) };
        let wanted = [Some(&first.name), first.alias.as_ref()].into_iter().flatten();
        let mut prefixes: Vec<String> = wanted
            .flat_map(|wanted| self.opened.tensors.keys().filter_map(|key| key.strip_suffix(wanted.as_str())))
            .filter(|prefix| prefix.is_empty() || prefix.ends_with('.'))
            .take(MOST_PARTS)
            .map(str::to_owned)
            .collect();
        prefixes.sort_by_cached_key(|prefix| (!is_average(prefix), prefix.clone()));
        prefixes.dedup();
        let Some(part) = &self.part else { return Ok(prefixes) };
        let chosen = |prefix: &String| prefix.trim_end_matches('.') == part || prefix.starts_with(&format!("{part}."));
        if !prefixes.iter().any(chosen) {
            let parts: Vec<String> = prefixes.iter().map(|prefix| in_words(prefix)).collect();
            let parts = if parts.is_empty() { "none of this network".to_owned() } else { parts.join(", ") };
            return Err(WeightsError::Part { path: self.opened.path.clone(), part: part.clone(), parts });
        }
        prefixes.retain(chosen);
        Ok(prefixes)
    }
}

/// Whether a part of a file is an average of weights over training.
fn is_average(prefix: &str) -> bool {
    let words = prefix.to_lowercase();
    words.split(['.', '_']).any(|word| ["ema", "swa", "average", "averaged", "shadow"].contains(&word))
}

/// A part of a file in words.
fn in_words(prefix: &str) -> String {
    match prefix.trim_end_matches('.') {
        "" => "the file itself".to_owned(),
        part => format!("`{}`", shown(part)),
    }
}

fn tensors_more(names: &[String]) -> String {
    let tensors = if names.len() == 1 { "tensor" } else { "tensors" };
    format!("{} {tensors} more ({})", names.len(), first_names(names))
}
