//! Golden cases of the encoder with ImageNet's stem: torchvision's ResNet-18 in f64 PyTorch, from weights by a formula (see
//! `self_supervised/resnet18_imagenet.py`): features in both modes, running statistics, gradients.

use burn::tensor::{Gradients, Tensor, TensorData};
use learnscope::compute::device;
use learnscope::nn::encoders::resnet::{RESNET_WIDTH, ResNet18, Stem};
use learnscope::nn::parameters::{self, Init, Initialiser, Role, slots, tracked};
use serde_json::Value;

use super::self_supervised_cases::compare;
use super::tensors::{read, tensor};
use super::values::{field, formula, number, numbers, only, whole};
use super::{Report, Tolerance};

/// Of features, up to 50 in size: PyTorch in f32 is 2e-5 from itself in f64.
const FEATURES: Tolerance = Tolerance { relative: 2e-5, absolute: 2e-4 };
const STATISTICS: Tolerance = Tolerance { relative: 1e-5, absolute: 1e-5 };
/// Of gradients, up to 25 in size, where PyTorch in f32 is 1e-4 from itself.
const GRADIENTS: Tolerance = Tolerance { relative: 1e-3, absolute: 5e-3 };

/// The encoder with the weights and running statistics of the formula.
fn filled() -> ResNet18 {
    let cpu = device::cpu();
    let mut init = Initialiser { rng: learnscope::compute::rng::HostRng::new(0, 0), init: Init::Torch, device: &cpu };
    let net = ResNet18::new(3, RESNET_WIDTH, Stem::ImageNet, &mut init);
    let shapes: Vec<Vec<usize>> = slots(&net).into_iter().map(|slot| slot.shape).collect();
    let (mut slot, mut trained, mut statistics) = (0, 0, 500);
    parameters::map(net, |path, role, _| {
        let shape = &shapes[slot];
        slot += 1;
        let next = if role == Role::Statistic { &mut statistics } else { &mut trained };
        let k = *next;
        *next += 1;
        let scale = |u: f64| match role {
            Role::Weight => u * (6.0 / shape[1..].iter().product::<usize>() as f64).sqrt(),
            _ if path.ends_with("gamma") || path.ends_with("running_var") => 1.0 + 0.2 * u,
            _ => 0.1 * u,
        };
        let count: usize = shape.iter().product();
        let values: Vec<f32> = (0..count as u64).map(|j| scale(formula(k, j)) as f32).collect();
        Tensor::from_data(TensorData::new(values, [count]), &cpu)
    })
}

/// The gradient of every trained parameter, flat, by its path.
fn gradients(net: &ResNet18, of: &Gradients) -> Vec<(String, Tensor<1>)> {
    let (all, mut at) = (parameters::gradients(net, of), 0);
    let trained = slots(net).into_iter().filter(|slot| slot.role != Role::Statistic);
    trained
        .map(|slot| {
            let from = at;
            at += slot.shape.iter().product::<usize>();
            (slot.path, all.clone().slice_dim(0, from..at))
        })
        .collect()
}

/// Features in both modes, the stem's running statistics and gradients of a case.
pub fn check_encoder(place: &str, case: &Value, report: &mut Report) -> Result<(), String> {
    const KIND: &str = "ResNet-18 with ImageNet's stem";
    only(case, &["n", "side", "pixels", "expect"])?;
    let expect = field(case, "expect")?;
    only(expect, &["eval", "train", "bn1_running_mean", "bn1_running_var", "gradients"])?;
    report.case(KIND);
    let (n, side, pixels) = (whole(case, "n")?, whole(case, "side")?, whole(case, "pixels")? as u64);
    let picture = |i: u64| (0..(3 * side * side) as u64).map(move |j| 1.5 * formula(pixels + i, j));
    let x: Tensor<4> = tensor(&(0..n as u64).flat_map(picture).collect::<Vec<f64>>(), [n, 3, side, side]);
    let net = filled();
    compare(KIND, place, &read(net.infer(x.clone())), &numbers(expect, "eval")?, FEATURES, report);

    let mut training = tracked(&net);
    let features = training.forward(x.autodiff(), 1);
    compare(KIND, place, &read(features.clone().inner()), &numbers(expect, "train")?, FEATURES, report);
    let width = features.dims()[1];
    let weighed: Tensor<2> =
        tensor(&(0..(n * width) as u64).map(|j| formula(2000, j)).collect::<Vec<f64>>(), [n, width]);
    let found = (features * weighed.autodiff()).sum().backward();
    for statistic in ["running_mean", "running_var"] {
        let ours = slots(&training).into_iter().find(|slot| slot.path == format!("stem.norm.{statistic}"));
        let ours = read(ours.ok_or("no normalisation of the stem")?.value);
        compare(KIND, place, &ours, &numbers(expect, &format!("bn1_{statistic}"))?, STATISTICS, report);
    }
    let found = gradients(&training, &found);
    let expected = field(expect, "gradients")?.as_object().ok_or("`gradients` is no object")?;
    for (name, expected) in expected {
        let path = match name.as_str() {
            "conv1.weight" => "stem.weight",
            "bn1.weight" => "stem.norm.gamma",
            "bn1.bias" => "stem.norm.beta",
            "layer1.0.conv1.weight" => "blocks.0.first.weight",
            "layer2.0.downsample.0.weight" => "blocks.2.shortcut.weight",
            "layer4.1.bn2.bias" => "blocks.7.second.norm.beta",
            other => return Err(format!("unknown parameter `{other}`")),
        };
        let (_, ours) =
            found.iter().find(|(known, _)| known == path).ok_or_else(|| format!("no gradient of {path}"))?;
        let (ours, place) = (read(ours.clone()), format!("{place}, {name}"));
        let norm = ours.iter().map(|g| g * g).sum::<f64>().sqrt();
        report.within(KIND, || format!("{place}, norm"), norm, number(expected, "norm")?, GRADIENTS);
        let first = numbers(expected, "first")?;
        compare(KIND, &place, &ours[..first.len().min(ours.len())], &first, GRADIENTS, report);
    }
    Ok(())
}
