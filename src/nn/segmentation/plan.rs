//! Every segmentation network as a list of its layers that have numbers: what counting and weight files go by.
//!
//! The lists are in the order in which the modules hold their parameters, so that a module's parameters and the names
//! of a PyTorch state dict are matched by walking both. A layer has the name that the article's sketch, torchvision or
//! the network's public PyTorch code gives it; where two of them differ, the second is its alias.

use super::spec::{Architecture, NetSpec, Stage, group_size};

/// A layer with parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// The row of the table it is counted in: `e0`, `backbone`.
    pub block: String,
    /// Name in a PyTorch state dict, without `.weight`.
    pub name: String,
    /// Another name that is accepted; empty where there is none.
    pub alias: String,
    pub kind: LayerKind,
    /// Height and width of its output.
    pub size: [usize; 2],
}

/// What kind of layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LayerKind {
    /// A convolution with square kernels, `transposed` or not.
    Conv { inputs: usize, outputs: usize, kernel: usize, groups: usize, bias: bool, transposed: bool },
    /// Batch normalisation with γ, β and running statistics.
    Norm { channels: usize },
}

impl Layer {
    /// Trained parameters.
    pub fn parameters(&self) -> u64 {
        match self.kind {
            LayerKind::Conv { inputs, outputs, kernel, groups, bias, .. } => {
                (outputs * (inputs / groups) * kernel * kernel + if bias { outputs } else { 0 }) as u64
            }
            LayerKind::Norm { channels } => 2 * channels as u64,
        }
    }

    /// Running statistics.
    pub fn statistics(&self) -> u64 {
        match self.kind {
            LayerKind::Conv { .. } => 0,
            LayerKind::Norm { channels } => 2 * channels as u64,
        }
    }

    /// Multiply-adds of a convolution for one picture; normalisation counts none.
    pub fn multiply_adds(&self) -> u64 {
        match self.kind {
            LayerKind::Conv { inputs, outputs, kernel, groups, transposed, .. } => {
                let weights = (outputs * (inputs / groups) * kernel * kernel) as u64;
                let pixels = (self.size[0] * self.size[1]) as u64;
                // A transposed convolution of stride 2 uses each weight once per input pixel.
                weights * if transposed { pixels / 4 } else { pixels }
            }
            LayerKind::Norm { .. } => 0,
        }
    }

    /// Numbers that a convolution puts out for one picture.
    pub fn activations(&self) -> u64 {
        match self.kind {
            LayerKind::Conv { outputs, .. } => (outputs * self.size[0] * self.size[1]) as u64,
            LayerKind::Norm { .. } => 0,
        }
    }

    /// Suffixes and shapes of its tensors in a state dict, in the order in which a module holds them.
    pub fn tensors(&self) -> Vec<(&'static str, Vec<usize>)> {
        match self.kind {
            LayerKind::Conv { inputs, outputs, kernel, groups, bias, transposed } => {
                let shape = match transposed {
                    false => vec![outputs, inputs / groups, kernel, kernel],
                    true => vec![inputs, outputs / groups, kernel, kernel],
                };
                let mut tensors = vec![("weight", shape)];
                if bias {
                    tensors.push(("bias", vec![outputs]));
                }
                tensors
            }
            LayerKind::Norm { channels } => {
                ["weight", "bias", "running_mean", "running_var"].map(|name| (name, vec![channels])).into()
            }
        }
    }
}

/// The layers of a network that was [checked](NetSpec::check), for pictures of `height`×`width`.
pub fn layers(spec: &NetSpec, height: usize, width: usize) -> Vec<Layer> {
    let mut list = List { layers: Vec::new(), block: "", size: [height, width] };
    match spec.architecture {
        Architecture::Fcn32s | Architecture::Fcn16s | Architecture::Fcn8s => fcn(&mut list, spec),
        Architecture::DeepLabResNet101 => {
            let low = resnet101(&mut list, spec.channels);
            aspp_and_decoder(&mut list, [2048, 256], low, spec.outputs);
        }
        Architecture::DeepLabXception => {
            let low = xception(&mut list, spec.channels);
            aspp_and_decoder(&mut list, [2048, 128], low, spec.outputs);
        }
        Architecture::DeepLabMobileNetV2 => {
            let low = mobilenet_v2(&mut list, spec.channels);
            aspp_and_decoder(&mut list, [320, 24], low, spec.outputs);
        }
        Architecture::UNet
        | Architecture::TransposedUNet
        | Architecture::LightUNet
        | Architecture::LighterUNet { .. } => unet(&mut list, spec),
    }
    list.layers
}

/// A list under construction.
struct List {
    layers: Vec<Layer>,
    block: &'static str,
    /// Size of the maps at this place.
    size: [usize; 2],
}

/// A convolution of a list.
struct Conv {
    inputs: usize,
    outputs: usize,
    kernel: usize,
    groups: usize,
    bias: bool,
}

impl Conv {
    fn new(inputs: usize, outputs: usize, kernel: usize) -> Self {
        Self { inputs, outputs, kernel, groups: 1, bias: false }
    }

    fn groups(self, groups: usize) -> Self {
        Self { groups, ..self }
    }

    fn bias(self) -> Self {
        Self { bias: true, ..self }
    }
}

impl List {
    fn push(&mut self, name: &str, alias: &str, kind: LayerKind) {
        self.layers.push(Layer {
            block: self.block.to_owned(),
            name: name.to_owned(),
            alias: alias.to_owned(),
            kind,
            size: self.size,
        });
    }

    fn conv(&mut self, name: &str, alias: &str, conv: Conv) {
        let Conv { inputs, outputs, kernel, groups, bias } = conv;
        self.push(name, alias, LayerKind::Conv { inputs, outputs, kernel, groups, bias, transposed: false });
    }

    fn norm(&mut self, name: &str, alias: &str, channels: usize) {
        self.push(name, alias, LayerKind::Norm { channels });
    }

    /// A convolution without bias and the normalisation after it.
    fn conv_norm(&mut self, conv: &str, norm: &str, what: Conv) {
        let outputs = what.outputs;
        self.conv(conv, "", what);
        self.norm(norm, "", outputs);
    }

    /// Halves the maps as a 3×3 kernel of stride 2 does, rounding up.
    fn halve(&mut self) {
        self.size = self.size.map(|side| side.div_ceil(2));
    }
}

fn unet(list: &mut List, spec: &NetSpec) {
    let stages = spec.architecture.stages().unwrap_or([Stage::Full; 2]);
    let full = list.size;
    for block in spec.unet_blocks() {
        list.block = block.name;
        list.size = full.map(|side| side >> block.level);
        // `inc`, `down1` .. `down4`, `up1` .. `up4`: the names of the article's code.
        let level = block.level;
        let authors = match (block.name.starts_with('e'), level) {
            (true, 0) => "inc.double_conv".to_owned(),
            (true, _) => format!("down{level}.maxpool_conv.1.double_conv"),
            (false, _) => format!("up{}.conv.double_conv", 4 - level),
        };
        let mut place = 0;
        for (i, (stage, [inputs, outputs])) in
            stages.into_iter().zip([[block.inputs, block.middle], [block.middle, block.outputs]]).enumerate()
        {
            let name = |place: usize| format!("{}.{place}", block.name);
            let alias = |offset: usize| format!("{authors}.{}", 3 * i + offset);
            match stage {
                Stage::Full => {
                    list.conv(&name(place), &alias(0), Conv::new(inputs, outputs, 3).bias());
                    place += 1;
                }
                Stage::Group(group) => {
                    let groups = inputs / group_size(inputs, group);
                    let spatial = Conv::new(inputs, inputs, 3).groups(groups).bias();
                    list.conv(&name(place), &format!("{}.conv.0", alias(0)), spatial);
                    list.conv(&name(place + 1), &format!("{}.conv.1", alias(0)), Conv::new(inputs, outputs, 1).bias());
                    place += 2;
                }
            }
            list.norm(&name(place), &alias(1), outputs);
            place += 2; // A ReLU follows.
        }
    }
    list.block = "up";
    for (i, [inputs, outputs]) in spec.upsampling().into_iter().enumerate() {
        list.size = full.map(|side| side >> (3 - i));
        let kind = LayerKind::Conv { inputs, outputs, kernel: 2, groups: 1, bias: true, transposed: true };
        list.push(&format!("u{}", 3 - i), &format!("up{}.up", i + 1), kind);
    }
    list.block = "head";
    list.size = full;
    list.conv("head", "outc.conv", Conv::new(spec.base, spec.outputs, 1).bias());
}

/// Channels of VGG-16's convolutions, stage by stage.
pub const VGG16: [&[usize]; 5] = [&[64, 64], &[128, 128], &[256, 256, 256], &[512, 512, 512], &[512, 512, 512]];
/// Channels of FCN's transposed convolutions.
pub const FCN_DECODER: [usize; 6] = [512, 512, 256, 128, 64, 32];

fn fcn(list: &mut List, spec: &NetSpec) {
    list.block = "backbone";
    let (mut inputs, mut place) = (spec.channels, 0);
    for stage in VGG16 {
        for &outputs in stage {
            let name = format!("features.{place}");
            list.conv(&format!("pretrained_net.{name}"), &name, Conv::new(inputs, outputs, 3).bias());
            inputs = outputs;
            place += 2; // A ReLU follows.
        }
        place += 1; // The pooling.
        list.size = list.size.map(|side| side / 2);
    }
    list.block = "decoder";
    for (i, pair) in FCN_DECODER.windows(2).enumerate() {
        let [inputs, outputs] = [pair[0], pair[1]];
        list.size = list.size.map(|side| side * 2);
        let kind = LayerKind::Conv { inputs, outputs, kernel: 3, groups: 1, bias: true, transposed: true };
        list.push(&format!("deconv{}", i + 1), "", kind);
        list.norm(&format!("bn{}", i + 1), "", outputs);
    }
    list.conv("classifier", "", Conv::new(32, spec.outputs, 1).bias());
}

/// Blocks of ResNet-101's stages.
pub const RESNET101_BLOCKS: [usize; 4] = [3, 4, 23, 3];

/// Returns the size of the low-level features.
fn resnet101(list: &mut List, channels: usize) -> [usize; 2] {
    list.block = "backbone";
    list.halve();
    list.conv_norm("backbone.conv1", "backbone.bn1", Conv::new(channels, 64, 7));
    list.halve();
    let mut low = list.size;
    let mut inputs = 64;
    for (stage, blocks) in RESNET101_BLOCKS.into_iter().enumerate() {
        let planes = 64 << stage;
        for block in 0..blocks {
            let at = format!("backbone.layer{}.{block}", stage + 1);
            let conv_norm = |list: &mut List, i: usize, conv: Conv| {
                list.conv_norm(&format!("{at}.conv{i}"), &format!("{at}.bn{i}"), conv);
            };
            conv_norm(list, 1, Conv::new(inputs, planes, 1));
            if block == 0 && (stage == 1 || stage == 2) {
                list.halve();
            }
            conv_norm(list, 2, Conv::new(planes, planes, 3));
            conv_norm(list, 3, Conv::new(planes, 4 * planes, 1));
            if block == 0 {
                let conv = Conv::new(inputs, 4 * planes, 1);
                list.conv_norm(&format!("{at}.downsample.0"), &format!("{at}.downsample.1"), conv);
            }
            inputs = 4 * planes;
        }
        if stage == 0 {
            low = list.size;
        }
    }
    low
}

/// One block of the aligned Xception.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct XceptionBlock {
    pub inputs: usize,
    pub outputs: usize,
    /// Channels and stride of each separable convolution.
    pub convs: [(usize, usize, usize); 3],
    /// Whether a ReLU precedes the first of them.
    pub relu_first: bool,
}

/// The twenty blocks of the aligned Xception at output stride 16.
pub fn xception_blocks() -> Vec<XceptionBlock> {
    let entry = |inputs, outputs, relu_first| XceptionBlock {
        inputs,
        outputs,
        convs: [(inputs, outputs, 1), (outputs, outputs, 1), (outputs, outputs, 2)],
        relu_first,
    };
    let mut blocks = vec![entry(64, 128, false), entry(128, 256, false), entry(256, 728, true)];
    let middle = XceptionBlock { inputs: 728, outputs: 728, convs: [(728, 728, 1); 3], relu_first: true };
    blocks.extend([middle; 16]);
    blocks.push(XceptionBlock {
        inputs: 728,
        outputs: 1024,
        convs: [(728, 728, 1), (728, 1024, 1), (1024, 1024, 1)],
        relu_first: true,
    });
    blocks
}

/// The separable convolutions after the blocks, of dilation 2.
pub const XCEPTION_EXIT: [(usize, usize); 3] = [(1024, 1536), (1536, 1536), (1536, 2048)];

fn separable(list: &mut List, at: &str, inputs: usize, outputs: usize) {
    list.conv_norm(&format!("{at}.conv1"), &format!("{at}.bn"), Conv::new(inputs, inputs, 3).groups(inputs));
    list.conv(&format!("{at}.pointwise"), "", Conv::new(inputs, outputs, 1));
}

fn xception(list: &mut List, channels: usize) -> [usize; 2] {
    list.block = "backbone";
    list.halve();
    list.conv_norm("backbone.conv1", "backbone.bn1", Conv::new(channels, 32, 3));
    list.conv_norm("backbone.conv2", "backbone.bn2", Conv::new(32, 64, 3));
    let mut low = list.size;
    for (i, block) in xception_blocks().into_iter().enumerate() {
        let at = format!("backbone.block{}", i + 1);
        let mut place = 0;
        let before = list.size;
        for (k, (inputs, outputs, stride)) in block.convs.into_iter().enumerate() {
            if k > 0 || block.relu_first {
                place += 1; // The ReLU.
            }
            if stride == 2 {
                list.halve();
            }
            separable(list, &format!("{at}.rep.{place}"), inputs, outputs);
            list.norm(&format!("{at}.rep.{}", place + 1), "", outputs);
            place += 2;
        }
        if block.inputs != block.outputs || before != list.size {
            list.conv_norm(&format!("{at}.skip"), &format!("{at}.skipbn"), Conv::new(block.inputs, block.outputs, 1));
        }
        if i == 0 {
            low = list.size;
        }
    }
    for (i, (inputs, outputs)) in XCEPTION_EXIT.into_iter().enumerate() {
        separable(list, &format!("backbone.conv{}", i + 3), inputs, outputs);
        list.norm(&format!("backbone.bn{}", i + 3), "", outputs);
    }
    low
}

/// One inverted residual of MobileNetV2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvertedBlock {
    pub inputs: usize,
    pub outputs: usize,
    /// t, by how much the depthwise convolution is wider.
    pub expansion: usize,
    pub stride: usize,
    pub dilation: usize,
}

/// The seventeen inverted residuals of MobileNetV2 at output stride 16: once it is reached, strides become dilations of
/// the groups after.
pub fn mobilenet_blocks() -> Vec<InvertedBlock> {
    // t, channels, repeats, stride
    const TABLE: [(usize, usize, usize, usize); 7] =
        [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)];
    let (mut inputs, mut reached, mut rate) = (32, 2, 1);
    let mut blocks = Vec::new();
    for (expansion, outputs, repeats, stride) in TABLE {
        let (first, dilation) = if reached == 16 {
            let dilation = rate;
            rate *= stride;
            (1, dilation)
        } else {
            reached *= stride;
            (stride, 1)
        };
        for i in 0..repeats {
            let stride = if i == 0 { first } else { 1 };
            blocks.push(InvertedBlock { inputs, outputs, expansion, stride, dilation });
            inputs = outputs;
        }
    }
    blocks
}

fn mobilenet_v2(list: &mut List, channels: usize) -> [usize; 2] {
    list.block = "backbone";
    list.halve();
    let names = |at: usize, rest: &str| {
        // The public code registers every feature twice and keeps its number in both.
        let part = if at < 4 { "low_level_features" } else { "high_level_features" };
        (format!("backbone.features.{at}.{rest}"), format!("backbone.{part}.{at}.{rest}"))
    };
    let put = |list: &mut List, at: usize, conv: &str, norm: &str, what: Conv| {
        let outputs = what.outputs;
        let (name, alias) = names(at, conv);
        list.conv(&name, &alias, what);
        let (name, alias) = names(at, norm);
        list.norm(&name, &alias, outputs);
    };
    put(list, 0, "0", "1", Conv::new(channels, 32, 3));
    let mut low = list.size;
    for (i, block) in mobilenet_blocks().into_iter().enumerate() {
        let at = i + 1;
        let hidden = block.inputs * block.expansion;
        let mut place = 0;
        if block.expansion != 1 {
            // The public code pads for the depthwise convolution before it widens.
            let size = list.size;
            list.size = size.map(|side| side + 2 * block.dilation);
            put(list, at, "conv.0", "conv.1", Conv::new(block.inputs, hidden, 1));
            list.size = size;
            place = 3;
        }
        if block.stride == 2 {
            list.halve();
        }
        let depthwise = Conv::new(hidden, hidden, 3).groups(hidden);
        put(list, at, &format!("conv.{place}"), &format!("conv.{}", place + 1), depthwise);
        let point = Conv::new(hidden, block.outputs, 1);
        put(list, at, &format!("conv.{}", place + 3), &format!("conv.{}", place + 4), point);
        if at == 3 {
            low = list.size;
        }
    }
    low
}

/// Dilations of the 3×3 convolutions of atrous spatial pyramid pooling at output stride 16.
pub const ASPP_DILATIONS: [usize; 3] = [6, 12, 18];

fn aspp_and_decoder(list: &mut List, [features, low_channels]: [usize; 2], low: [usize; 2], outputs: usize) {
    list.block = "ASPP";
    for i in 1..=4 {
        let at = format!("aspp.aspp{i}");
        let conv = Conv::new(features, 256, if i == 1 { 1 } else { 3 });
        list.conv_norm(&format!("{at}.atrous_conv"), &format!("{at}.bn"), conv);
    }
    let size = std::mem::replace(&mut list.size, [1, 1]);
    list.conv_norm("aspp.global_avg_pool.1", "aspp.global_avg_pool.2", Conv::new(features, 256, 1));
    list.size = size;
    list.conv_norm("aspp.conv1", "aspp.bn1", Conv::new(1280, 256, 1));
    list.block = "decoder";
    list.size = low;
    list.conv_norm("decoder.conv1", "decoder.bn1", Conv::new(low_channels, 48, 1));
    list.conv_norm("decoder.last_conv.0", "decoder.last_conv.1", Conv::new(304, 256, 3));
    list.conv_norm("decoder.last_conv.4", "decoder.last_conv.5", Conv::new(256, 256, 3));
    list.conv("decoder.last_conv.8", "", Conv::new(256, outputs, 1).bias());
}
