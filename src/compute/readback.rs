//! From the device to the host: the one place that reads tensors, so that a step which reports nothing never waits
//! for the device, and one which reports waits once.

use burn::tensor::{Tensor, Transaction};
use thiserror::Error;

/// A read that failed: the device was lost, ran out of memory, or a kernel was refused.
#[derive(Debug, Clone, PartialEq, Error)]
#[error("reading from the device failed: {0}; restart the run, or choose the CPU")]
pub struct ReadError(String);

/// Collects tensors and reads them all in one synchronisation.
///
/// ```text
/// let mut reader = Reader::default();
/// let loss = reader.add(loss);
/// let weights = reader.add(weights);
/// let read = reader.read()?;
/// println!("{} {}", read[loss][0], read[weights].len());
/// ```
#[derive(Default)]
pub struct Reader {
    transaction: Transaction,
    count: usize,
}

impl Reader {
    /// Adds a tensor of floats of any shape; returns its index in what [`Reader::read`] returns.
    pub fn add<const D: usize>(&mut self, tensor: Tensor<D>) -> usize {
        self.transaction = std::mem::take(&mut self.transaction).register(tensor.inner());
        self.count += 1;
        self.count - 1
    }

    /// Whether nothing was added.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Waits for the device once and returns the values of every tensor, row-major, in the order of [`Reader::add`].
    pub fn read(self) -> Result<Vec<Vec<f32>>, ReadError> {
        if self.count == 0 {
            return Ok(Vec::new());
        }
        self.transaction
            .try_execute()
            .map_err(|error| ReadError(error.to_string()))?
            .into_iter()
            .map(|data| {
                let data = data.convert::<f32>(); // A device may compute in another float type.
                data.try_into_vec::<f32>().map_err(|error| ReadError(format!("{error:?}")))
            })
            .collect()
    }
}
