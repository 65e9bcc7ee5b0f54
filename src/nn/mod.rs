//! Neural networks that the labs share, as Burn modules.

pub mod cpu;
pub mod encoders;
pub mod image_text;
pub mod layers;
pub mod mlp;
pub mod optim;
pub mod parameters;
pub mod reconstruction;
pub mod segmentation;
pub mod weights;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::Tensor;

use crate::compute::readback::{ReadError, Reader};

/// Reads every float parameter of a freshly built module once.
///
/// Burn initialises parameters lazily. On one backend a first forward pass that triggered this has computed wrong
/// numbers, different ones in every run; reading all parameters first cured it. Whatever builds a module therefore ends
/// with this.
pub fn materialise(module: &impl Module) -> Result<(), ReadError> {
    let mut visitor = ReadAll::default();
    module.visit(&mut visitor);
    visitor.0.read().map(|_| ())
}

#[derive(Default)]
struct ReadAll(Reader);

impl ModuleVisitor for ReadAll {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0.add(param.val());
    }
}
