//! What of a file of weights becomes of a network: parameters and their names in PyTorch, what fits by name and shape, and what does
//! not.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::path::PathBuf;

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};

use super::{FileError, Mismatch, Opened, Stored, Written, first_names, shown};
use crate::compute::readback::{ReadError, Reader};
use crate::nn::parameters::{Slot, map};

/// A parameter, and what PyTorch calls it.
#[derive(Debug, Clone)]
pub struct Place {
    /// `layer1.0.conv1.weight`
    pub name: String,
    /// As PyTorch has it.
    pub shape: Vec<usize>,
    /// A matrix `[in, out]` here is `[out, in]` there.
    pub turned: bool,
    pub value: Tensor<1>,
}

impl Place {
    /// Of a parameter under this name; `turned`: see there.
    pub fn of(slot: Slot, name: String, turned: bool) -> Self {
        let mut shape = slot.shape;
        if turned {
            shape.reverse();
        }
        Self { name, shape, turned, value: slot.value }
    }
}

/// These parameters as tensors of a file, as PyTorch lays them out.
pub fn written(places: Vec<Place>) -> Result<Vec<Written>, ReadError> {
    let mut reader = Reader::default();
    places.iter().for_each(|place| {
        reader.add(place.value.clone());
    });
    let write = |(place, numbers): (Place, Vec<f32>)| {
        let rows = place.shape.first().copied().unwrap_or(1);
        let numbers = if place.turned { transposed(&numbers, rows) } else { numbers };
        Written { name: place.name, shape: place.shape, numbers }
    };
    Ok(places.into_iter().zip(reader.read()?).map(write).collect())
}

/// `[rows, columns]` as `[columns, rows]`.
fn transposed(numbers: &[f32], columns: usize) -> Vec<f32> {
    (0..columns).flat_map(|column| numbers.iter().skip(column).step_by(columns.max(1)).copied()).collect()
}

/// What of a file has become of a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fit {
    pub path: PathBuf,
    /// Tensors of the network that are the file's now, of so many.
    pub taken: usize,
    pub of: usize,
    /// `missing`: tensors that keep their random numbers; `unexpected`: tensors of the file without a place.
    pub mismatch: Mismatch,
}

impl Fit {
    /// In one line, with the first names of what does not fit.
    pub fn line(&self) -> String {
        let Fit { path, taken, of, .. } = self;
        let first = format!("{taken} of {of} tensors start from {}", path.display());
        let names = |what: &str, names: &[String]| match names.len() {
            0 => String::new(),
            count => format!("; {count} {what}: {}", first_names(names)),
        };
        first
            + &names("start from random numbers", &self.mismatch.missing)
            + &names("have another shape in the file and start from random numbers too", &self.shapes())
            + &names("of the file have no place", &self.mismatch.unexpected)
    }

    /// Every name, a line for each kind.
    pub fn card(&self) -> Vec<String> {
        let mut lines = vec![format!("{} of {} tensors started from {}", self.taken, self.of, self.path.display())];
        let mut list = |what: &str, names: &[String]| {
            if !names.is_empty() {
                let some = names.iter().take(MOST_LISTED).map(|name| shown(name));
                let more = match names.len().saturating_sub(MOST_LISTED) {
                    0 => String::new(),
                    more => format!(" and {more} more"),
                };
                lines.push(format!("{what} ({}): {}{more}", names.len(), some.collect::<Vec<_>>().join(", ")));
            }
        };
        list("from random numbers, since the file has none", &self.mismatch.missing);
        list("from random numbers, since the file's shape is another one", &self.shapes());
        list("of the file, without a place in the network", &self.mismatch.unexpected);
        lines
    }

    fn shapes(&self) -> Vec<String> {
        let line = |(name, ours, file): &(String, Vec<usize>, Vec<usize>)| format!("{name} {file:?} for {ours:?}");
        self.mismatch.shapes.iter().map(line).collect()
    }
}

/// Names that are listed of each kind.
const MOST_LISTED: usize = 400;

/// Of every parameter the names that it may have in a file, the first that is there counts; `None`: the parameter is not asked for.
pub type Keys = Vec<Option<Vec<String>>>;

/// Of every parameter its new numbers; `None`: it stays as it is.
pub type Numbers = Vec<Option<Vec<f32>>>;

/// The numbers of a file for these parameters, as the network lays them out, and what fits. `None` for a parameter that stays as
/// it is: it is not asked for, or not in the file, or of another shape there.
///
/// # Errors
/// A value of what fits is not a finite number.
pub fn taken(file: &Opened, places: &[Place], keys: &Keys) -> Result<(Numbers, Fit), FileError> {
    let mut mismatch = Mismatch::default();
    let (mut used, mut found): (Vec<&str>, Vec<(usize, &Stored)>) = (Vec::new(), Vec::new());
    for (i, (place, candidates)) in places.iter().zip(keys).enumerate() {
        let Some(candidates) = candidates else { continue };
        match candidates.iter().find_map(|key| file.tensors.get_key_value(key)) {
            Some((key, stored)) => {
                used.push(key);
                if stored.shape == place.shape {
                    found.push((i, stored));
                } else {
                    mismatch.shapes.push((place.name.clone(), place.shape.clone(), stored.shape.clone()));
                }
            }
            None => mismatch.missing.push(place.name.clone()),
        }
    }
    used.sort_unstable();
    let counts = |key: &&String| !key.ends_with("num_batches_tracked") && !key.ends_with("position_ids");
    let other = |key: &&String| used.binary_search(&key.as_str()).is_err() && counts(key);
    mismatch.unexpected = file.tensors.keys().filter(other).cloned().collect();
    let numbers = file.numbers(&found.iter().map(|(_, stored)| *stored).collect::<Vec<_>>())?;
    let of = keys.iter().flatten().count();
    let fit = Fit { path: file.path.clone(), taken: found.len(), of, mismatch };
    let mut new: Numbers = vec![None; places.len()];
    for ((i, _), numbers) in found.into_iter().zip(numbers) {
        let (Some(place), Some(new)) = (places.get(i), new.get_mut(i)) else { continue };
        let columns = place.shape.last().copied().unwrap_or(1);
        *new = Some(if place.turned { transposed(&numbers, columns) } else { numbers });
    }
    Ok((new, fit))
}

/// A module with the next of these numbers in place of its own, in the order of [`slots`](crate::nn::parameters::slots); `None`
/// leaves a parameter as it is.
pub fn filled<M: Module>(module: M, numbers: &mut impl Iterator<Item = Option<Vec<f32>>>, device: &Device) -> M {
    map(module, |_, _, old| match numbers.next().flatten() {
        Some(numbers) => {
            let count = numbers.len();
            Tensor::from_data(TensorData::new(numbers, [count]), device)
        }
        None => old,
    })
}

/// What stands before tensors of these names and shapes in a file, and how many fit behind it: that by which most fit; of several
/// the one that is no slowly moving copy of the network (a target), then the shortest.
pub fn prefix<'n>(file: &Opened, names: impl Iterator<Item = (&'n str, &'n [usize])>) -> (String, usize) {
    let known: HashMap<&str, &[usize]> = names.collect();
    let longest = known.keys().map(|name| name.len()).max().unwrap_or(0);
    let mut fits: HashMap<&str, usize> = HashMap::new();
    for (key, stored) in &file.tensors {
        let starts = std::iter::once(0).chain(key.match_indices('.').map(|(dot, _)| dot + 1));
        for start in starts.filter(|start| key.len() - start <= longest) {
            if known.get(&key[start..]) == Some(&&*stored.shape) {
                *fits.entry(&key[..start]).or_default() += 1;
            }
        }
    }
    let best = fits
        .into_iter()
        .max_by_key(|(prefix, count)| (*count, !is_average(prefix), Reverse(prefix.len()), Reverse(*prefix)));
    best.map_or((String::new(), 0), |(prefix, count)| (prefix.to_owned(), count))
}

/// Whether what stands before a tensor's name says that it is of a moving average of the network.
fn is_average(prefix: &str) -> bool {
    ["target", "momentum", "teacher", "encoder_k", "ema"].iter().any(|word| prefix.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_become_columns() {
        assert_eq!(transposed(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 3), [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
    }

    #[test]
    fn moving_averages_are_known_by_what_stands_before_their_names() {
        for average in ["target_encoder.", "module.encoder_k.", "backbone_momentum.", "teacher.", "model_ema."] {
            assert!(is_average(average), "{average}");
        }
        for own in ["", "module.", "online_encoder.net.", "encoder_q.", "backbone."] {
            assert!(!is_average(own), "{own}");
        }
    }
}
