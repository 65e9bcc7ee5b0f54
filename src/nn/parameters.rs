//! What training does to the parameters of a module as a whole: track them, average them, list and replace them.
//! Parameters are told apart by their path, `stem.norm.gamma`.
//!
//! A module is stored without autodiff. For one training step [`tracked`] makes a copy whose parameters ask for
//! gradients; [`Optimizer::step`](crate::nn::optim::Optimizer::step) takes that copy and gives the updated module back, again
//! without autodiff.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::{Gradients, Tensor};

use crate::compute::rng::HostRng;

/// Field names of batch normalisation's running statistics: parameters that are saved and copied, never trained.
pub const STATISTICS: [&str; 2] = ["running_mean", "running_var"];

/// What a parameter is, told from the last part of its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A kernel or matrix.
    Weight,
    /// An additive term of a convolution or linear layer.
    Bias,
    /// Scale and shift (γ, β) of a normalisation.
    Norm,
    /// Running statistics of a normalisation.
    Statistic,
}

impl Role {
    /// The role of the parameter at `path`.
    pub fn of(path: &[String]) -> Self {
        match path.last().map(String::as_str) {
            Some("bias") => Role::Bias,
            Some("gamma" | "beta") => Role::Norm,
            Some(name) if STATISTICS.contains(&name) => Role::Statistic,
            _ => Role::Weight,
        }
    }
}

/// One parameter of a module, flattened; a copy of the handle, not of the numbers.
#[derive(Debug, Clone)]
pub struct Slot {
    /// `stem.norm.gamma`
    pub path: String,
    pub role: Role,
    pub shape: Vec<usize>,
    /// Row-major, without autodiff.
    pub value: Tensor<1>,
}

/// Every parameter of a module in a fixed order, statistics included.
pub fn slots(module: &impl Module) -> Vec<Slot> {
    #[derive(Default)]
    struct Collect {
        path: Vec<String>,
        slots: Vec<Slot>,
    }
    impl ModuleVisitor for Collect {
        fn enter_module(&mut self, name: &str, _container: &str) {
            self.path.push(name.to_owned());
        }
        fn exit_module(&mut self, _name: &str, _container: &str) {
            self.path.pop();
        }
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let value = param.val().inner();
            self.slots.push(Slot {
                path: self.path.join("."),
                role: Role::of(&self.path),
                shape: value.dims().to_vec(),
                value: value.flatten(0, D - 1),
            });
        }
    }
    let mut collect = Collect::default();
    module.visit(&mut collect);
    collect.slots
}

/// Replaces every parameter: `replace` gets its path, its role and its flattened value without autodiff, in the order of
/// [`slots`], and returns as many numbers.
pub fn map<M: Module>(module: M, replace: impl FnMut(&str, Role, Tensor<1>) -> Tensor<1>) -> M {
    struct Map<F> {
        path: Vec<String>,
        replace: F,
    }
    impl<F: FnMut(&str, Role, Tensor<1>) -> Tensor<1>> ModuleMapper for Map<F> {
        fn enter_module(&mut self, name: &str, _container: &str) {
            self.path.push(name.to_owned());
        }
        fn exit_module(&mut self, _name: &str, _container: &str) {
            self.path.pop();
        }
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            let value = param.val().inner();
            let shape = value.shape();
            let new = (self.replace)(&self.path.join("."), Role::of(&self.path), value.flatten(0, D - 1));
            Param::initialized(param.id, new.reshape(shape))
        }
    }
    module.map(&mut Map { path: Vec::new(), replace })
}

/// A copy for one forward and backward pass: trained parameters are leaves of a new graph, statistics are constants.
pub fn tracked<M: Module + Clone>(module: &M) -> M {
    #[derive(Default)]
    struct Track(Vec<String>);
    impl ModuleMapper for Track {
        fn enter_module(&mut self, name: &str, _container: &str) {
            self.0.push(name.to_owned());
        }
        fn exit_module(&mut self, _name: &str, _container: &str) {
            self.0.pop();
        }
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            if Role::of(&self.0) == Role::Statistic {
                return param;
            }
            Param::initialized(param.id, param.val().autodiff().require_grad())
        }
    }
    module.clone().map(&mut Track::default())
}

/// The gradients of all trained parameters of a module made by [`tracked`], one after the other in the order of [`slots`]; zeros of
/// those that took no part in the loss.
pub fn gradients(module: &impl Module, of: &Gradients) -> Tensor<1> {
    struct Collect<'a> {
        path: Vec<String>,
        of: &'a Gradients,
        found: Vec<Tensor<1>>,
    }
    impl ModuleVisitor for Collect<'_> {
        fn enter_module(&mut self, name: &str, _container: &str) {
            self.path.push(name.to_owned());
        }
        fn exit_module(&mut self, _name: &str, _container: &str) {
            self.path.pop();
        }
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if Role::of(&self.path) == Role::Statistic {
                return;
            }
            let value = param.val();
            let gradient = value.grad(self.of).unwrap_or_else(|| value.inner().zeros_like());
            self.found.push(gradient.inner().flatten(0, D - 1));
        }
    }
    let mut collect = Collect { path: Vec::new(), of, found: Vec::new() };
    module.visit(&mut collect);
    Tensor::cat(collect.found, 0)
}

/// `target ← target + (1 − τ)(online − target)` for trained parameters; statistics are copied. `τ = 0` gives the online
/// numbers bit for bit.
pub fn average<M: Module + Clone>(target: M, online: &M, tau: f64) -> M {
    if tau == 0.0 {
        return online.clone();
    }
    let mut online = slots(online).into_iter();
    map(target, |_, role, old| {
        let new = online.next().expect("two modules of one shape").value;
        match role {
            Role::Statistic => new,
            _ => old.clone() + (new - old) * (1.0 - tau),
        }
    })
}

/// How initial weights are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Init {
    /// PyTorch's default of linear and convolution layers: weights and biases uniform in ±1/√fan_in.
    Torch,
    /// Keras' default: weights uniform in ±√(6/(fan_in + fan_out)), biases 0 (Glorot and Bengio, 2010).
    Glorot,
    /// For deep networks of ReLUs: weights normal with variance 2/fan_in, biases 0 (He et al., 2015).
    He,
}

/// Draws initial parameters on the host, so that they are the same on every device.
#[derive(Debug)]
pub struct Initialiser<'a> {
    pub rng: HostRng,
    pub init: Init,
    pub device: &'a burn::tensor::Device,
}

impl Initialiser<'_> {
    /// A kernel or matrix of this shape with so many inputs and outputs per unit.
    pub fn weight<const D: usize>(&mut self, shape: [usize; D], inputs: usize, outputs: usize) -> Param<Tensor<D>> {
        let bound = match self.init {
            Init::Torch => (inputs as f64).sqrt().recip(),
            Init::Glorot => (6.0 / (inputs + outputs) as f64).sqrt(),
            Init::He => {
                let deviation = (2.0 / inputs as f64).sqrt();
                let values = (0..shape.iter().product()).map(|_| (deviation * self.rng.normal()) as f32).collect();
                return self.param(values, shape);
            }
        };
        self.uniform(shape, bound)
    }

    /// A bias of `outputs` numbers after `inputs` ones.
    pub fn bias(&mut self, inputs: usize, outputs: usize) -> Param<Tensor<1>> {
        match self.init {
            Init::Torch => self.uniform([outputs], (inputs as f64).sqrt().recip()),
            Init::Glorot | Init::He => self.constant(outputs, 0.0),
        }
    }

    /// The same number `count` times.
    pub fn constant(&self, count: usize, value: f32) -> Param<Tensor<1>> {
        self.param(vec![value; count], [count])
    }

    fn uniform<const D: usize>(&mut self, shape: [usize; D], bound: f64) -> Param<Tensor<D>> {
        let values = (0..shape.iter().product()).map(|_| self.rng.between(-bound, bound) as f32).collect();
        self.param(values, shape)
    }

    fn param<const D: usize>(&self, values: Vec<f32>, shape: [usize; D]) -> Param<Tensor<D>> {
        let data = burn::tensor::TensorData::new(values, shape);
        Param::initialized(ParamId::new(), Tensor::from_data(data, self.device))
    }
}
