//! InceptionV3 (Szegedy et al., 2016) as torchvision has it, up to its last maps and without the auxiliary head: a baseline of the
//! article's figure 5. What there is of it is said once, in [`blocks`]; network, cost and names of weights follow.

use burn::module::Module;
use burn::tensor::Tensor;
use burn::tensor::module::avg_pool2d;
use burn::tensor::ops::AvgPoolOptions;

use crate::nn::layers::conv::{ConvNorm, ConvShape, Pass, max_pool_3x3};
use crate::nn::parameters::Initialiser;

/// Length of its features.
pub const INCEPTION_FEATURES: usize = 2048;
/// Smallest side of a picture of which its last maps have a pixel, of those that the lab has.
pub const INCEPTION_LEAST: usize = 128;
/// What its normalisations add to the variance.
const EPSILON: f64 = 1e-3;

/// A convolution without bias, batch normalisation, ReLU.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unit {
    /// As torchvision names it within its block.
    pub name: &'static str,
    pub outputs: usize,
    kernel: [usize; 2],
    stride: usize,
    /// Whether the border is padded, so that at stride 1 the size stays.
    padded: bool,
}

/// 3×3 pooling in front of a branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pool {
    /// The mean; the size stays.
    Average,
    /// The largest at every second place.
    Largest,
}

/// One after the other: pooling, units, then units side by side, whose maps are joined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branch {
    pool: Option<Pool>,
    units: Vec<Unit>,
    beside: Vec<Unit>,
}

/// Branches side by side, whose maps are joined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// As torchvision names it; empty where its units stand alone.
    pub name: &'static str,
    pub branches: Vec<Branch>,
}

fn unit(name: &'static str, outputs: usize, kernel: [usize; 2]) -> Unit {
    Unit { name, outputs, kernel, stride: 1, padded: true }
}

impl Unit {
    fn unpadded(self) -> Self {
        Self { padded: false, ..self }
    }

    fn halving(self) -> Self {
        Self { stride: 2, padded: false, ..self }
    }

    fn shape(&self, inputs: usize) -> ConvShape {
        let shape = ConvShape::oblong(inputs, self.outputs, self.kernel).stride(self.stride);
        if self.padded { shape } else { shape.unpadded() }
    }

    /// Of kernel, γ and β.
    fn parameters(&self, inputs: usize) -> usize {
        self.outputs * (inputs * self.kernel[0] * self.kernel[1] + 2)
    }

    /// Side of its maps; kernels that are not padded are square.
    fn side(&self, side: usize) -> usize {
        if self.padded { side } else { (side - self.kernel[0]) / self.stride + 1 }
    }
}

impl Branch {
    fn of(units: Vec<Unit>) -> Self {
        Self { pool: None, units, beside: Vec::new() }
    }

    fn pooled(pool: Pool, units: Vec<Unit>) -> Self {
        Self { pool: Some(pool), units, beside: Vec::new() }
    }

    fn beside(self, beside: Vec<Unit>) -> Self {
        Self { beside, ..self }
    }

    /// Each unit with the channels that it gets, in the order of the network's parameters.
    pub fn units(&self, inputs: usize) -> Vec<(Unit, usize)> {
        let mut all = Vec::new();
        let mut channels = inputs;
        for unit in &self.units {
            all.push((*unit, channels));
            channels = unit.outputs;
        }
        all.extend(self.beside.iter().map(|unit| (*unit, channels)));
        all
    }

    fn outputs(&self, inputs: usize) -> usize {
        if !self.beside.is_empty() {
            return self.beside.iter().map(|unit| unit.outputs).sum();
        }
        self.units.last().map_or(inputs, |unit| unit.outputs)
    }

    fn side(&self, side: usize) -> usize {
        let side = if self.pool == Some(Pool::Largest) { (side - 3) / 2 + 1 } else { side };
        self.units.iter().fold(side, |side, unit| unit.side(side))
    }
}

impl Block {
    /// Channels of its maps.
    pub fn outputs(&self, inputs: usize) -> usize {
        self.branches.iter().map(|branch| branch.outputs(inputs)).sum()
    }
}

/// The network, the first block first.
pub fn blocks() -> Vec<Block> {
    let alone = |branch: Branch| Block { name: "", branches: vec![branch] };
    let stem = [
        unit("Conv2d_1a_3x3", 32, [3, 3]).halving(),
        unit("Conv2d_2a_3x3", 32, [3, 3]).unpadded(),
        unit("Conv2d_2b_3x3", 64, [3, 3]),
    ];
    let mut blocks = vec![
        alone(Branch::of(stem.into())),
        alone(Branch::pooled(
            Pool::Largest,
            vec![unit("Conv2d_3b_1x1", 80, [1, 1]), unit("Conv2d_4a_3x3", 192, [3, 3]).unpadded()],
        )),
        alone(Branch::pooled(Pool::Largest, Vec::new())),
    ];
    blocks.extend([("Mixed_5b", 32), ("Mixed_5c", 64), ("Mixed_5d", 64)].map(|(name, pooled)| wide(name, pooled)));
    blocks.push(Block {
        name: "Mixed_6a",
        branches: vec![
            Branch::of(vec![unit("branch3x3", 384, [3, 3]).halving()]),
            Branch::of(vec![
                unit("branch3x3dbl_1", 64, [1, 1]),
                unit("branch3x3dbl_2", 96, [3, 3]),
                unit("branch3x3dbl_3", 96, [3, 3]).halving(),
            ]),
            Branch::pooled(Pool::Largest, Vec::new()),
        ],
    });
    let of_sevens = [("Mixed_6b", 128), ("Mixed_6c", 160), ("Mixed_6d", 160), ("Mixed_6e", 192)];
    blocks.extend(of_sevens.map(|(name, channels)| sevens(name, channels)));
    blocks.push(Block {
        name: "Mixed_7a",
        branches: vec![
            Branch::of(vec![unit("branch3x3_1", 192, [1, 1]), unit("branch3x3_2", 320, [3, 3]).halving()]),
            Branch::of(vec![
                unit("branch7x7x3_1", 192, [1, 1]),
                unit("branch7x7x3_2", 192, [1, 7]),
                unit("branch7x7x3_3", 192, [7, 1]),
                unit("branch7x7x3_4", 192, [3, 3]).halving(),
            ]),
            Branch::pooled(Pool::Largest, Vec::new()),
        ],
    });
    blocks.extend(["Mixed_7b", "Mixed_7c"].map(spread));
    blocks
}

/// "InceptionA" of torchvision.
fn wide(name: &'static str, pooled: usize) -> Block {
    let branches = vec![
        Branch::of(vec![unit("branch1x1", 64, [1, 1])]),
        Branch::of(vec![unit("branch5x5_1", 48, [1, 1]), unit("branch5x5_2", 64, [5, 5])]),
        Branch::of(vec![
            unit("branch3x3dbl_1", 64, [1, 1]),
            unit("branch3x3dbl_2", 96, [3, 3]),
            unit("branch3x3dbl_3", 96, [3, 3]),
        ]),
        Branch::pooled(Pool::Average, vec![unit("branch_pool", pooled, [1, 1])]),
    ];
    Block { name, branches }
}

/// "InceptionC": 7×7 as 1×7 and 7×1.
fn sevens(name: &'static str, channels: usize) -> Block {
    let branches = vec![
        Branch::of(vec![unit("branch1x1", 192, [1, 1])]),
        Branch::of(vec![
            unit("branch7x7_1", channels, [1, 1]),
            unit("branch7x7_2", channels, [1, 7]),
            unit("branch7x7_3", 192, [7, 1]),
        ]),
        Branch::of(vec![
            unit("branch7x7dbl_1", channels, [1, 1]),
            unit("branch7x7dbl_2", channels, [7, 1]),
            unit("branch7x7dbl_3", channels, [1, 7]),
            unit("branch7x7dbl_4", channels, [7, 1]),
            unit("branch7x7dbl_5", 192, [1, 7]),
        ]),
        Branch::pooled(Pool::Average, vec![unit("branch_pool", 192, [1, 1])]),
    ];
    Block { name, branches }
}

/// "InceptionE": 1×3 beside 3×1.
fn spread(name: &'static str) -> Block {
    let branches = vec![
        Branch::of(vec![unit("branch1x1", 320, [1, 1])]),
        Branch::of(vec![unit("branch3x3_1", 384, [1, 1])])
            .beside(vec![unit("branch3x3_2a", 384, [1, 3]), unit("branch3x3_2b", 384, [3, 1])]),
        Branch::of(vec![unit("branch3x3dbl_1", 448, [1, 1]), unit("branch3x3dbl_2", 384, [3, 3])])
            .beside(vec![unit("branch3x3dbl_3a", 384, [1, 3]), unit("branch3x3dbl_3b", 384, [3, 1])]),
        Branch::pooled(Pool::Average, vec![unit("branch_pool", 192, [1, 1])]),
    ];
    Block { name, branches }
}

/// Parameters that are trained, and `[channels, side, side]` behind each block, of pictures with this side.
pub fn cost(mut side: usize) -> (usize, Vec<[usize; 3]>) {
    let (mut inputs, mut parameters, mut shapes) = (3, 0, Vec::new());
    for block in blocks() {
        let units = block.branches.iter().flat_map(|branch| branch.units(inputs));
        parameters += units.map(|(unit, inputs)| unit.parameters(inputs)).sum::<usize>();
        inputs = block.outputs(inputs);
        side = block.branches.first().map_or(side, |branch| branch.side(side));
        shapes.push([inputs, side, side]);
    }
    (parameters, shapes)
}

/// What torchvision calls a unit: by the places of its block, of its branch in that, and of itself among the branch's units that
/// follow each other, or among those side by side. `None`: there is none.
pub fn unit_name(block: usize, branch: usize, beside: bool, place: usize) -> Option<String> {
    let all = blocks();
    let block = all.get(block)?;
    let branch = block.branches.get(branch)?;
    let unit = if beside { &branch.beside } else { &branch.units }.get(place)?;
    Some(if block.name.is_empty() { unit.name.to_owned() } else { format!("{}.{}", block.name, unit.name) })
}

/// `[N, 3, S, S]` to maps `[N, 2048, s, s]`; S is at least [`INCEPTION_LEAST`].
#[derive(Module, Debug)]
pub struct InceptionEncoder {
    blocks: Vec<InceptionBlock>,
}

#[derive(Module, Debug)]
struct InceptionBlock {
    branches: Vec<InceptionBranch>,
}

#[derive(Module, Debug)]
struct InceptionBranch {
    units: Vec<ConvNorm>,
    beside: Vec<ConvNorm>,
    #[module(skip)]
    pool: Option<Pool>,
}

impl InceptionEncoder {
    pub fn new(init: &mut Initialiser<'_>) -> Self {
        let mut inputs = 3;
        let mut built = Vec::new();
        for block in blocks() {
            let mut branch = |branch: &Branch| {
                let built = branch.units(inputs).into_iter().map(|(unit, inputs)| {
                    // In the order of the network, so that weights drawn are the same whichever way they are listed.
                    ConvNorm::new(unit.shape(inputs), init).epsilon(EPSILON)
                });
                let mut units: Vec<ConvNorm> = built.collect();
                let beside = units.split_off(branch.units.len());
                InceptionBranch { units, beside, pool: branch.pool }
            };
            let branches = block.branches.iter().map(&mut branch).collect();
            inputs = block.outputs(inputs);
            built.push(InceptionBlock { branches });
        }
        Self { blocks: built }
    }

    pub fn layers(&self) -> usize {
        self.blocks.len()
    }

    /// Block `i`: from the maps before it to those behind it.
    pub fn layer(&mut self, i: usize, x: Tensor<4>, pass: &Pass<'_>) -> Tensor<4> {
        let branches = self.blocks[i].branches.iter_mut();
        let mut parts: Vec<_> = branches.map(|branch| branch.forward(x.clone(), pass)).collect();
        if parts.len() == 1 { parts.remove(0) } else { Tensor::cat(parts, 1) }
    }
}

impl InceptionBranch {
    fn forward(&mut self, x: Tensor<4>, pass: &Pass<'_>) -> Tensor<4> {
        let x = match self.pool {
            Some(Pool::Average) => avg_pool2d(x, AvgPoolOptions::new([3, 3]).with_stride([1, 1]).with_padding([1, 1])),
            Some(Pool::Largest) => max_pool_3x3(x, false),
            None => x,
        };
        let x = self.units.iter_mut().fold(x, |x, unit| unit.relu(x, pass));
        if self.beside.is_empty() {
            return x;
        }
        Tensor::cat(self.beside.iter_mut().map(|unit| unit.relu(x.clone(), pass)).collect(), 1)
    }
}
