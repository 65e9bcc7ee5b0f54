//! Golden cases of the segmentation networks: their numbers of parameters, and whole U-nets in f64 PyTorch from weights
//! by a formula: outputs, gradients, five steps of SGD and of Adam, running statistics.

use burn::tensor::{Tensor, TensorData, activation};
use learnscope::compute::device;
use learnscope::compute::readback::Reader;
use learnscope::compute::rng::HostRng;
use learnscope::labs::segmentation::paper::{Match, paper_match};
use learnscope::nn::optim::{DecayScope, Optimizer, Rates, Rule};
use learnscope::nn::parameters::{self, Role, tracked};
use learnscope::nn::segmentation::SegmentationNet;
use learnscope::nn::segmentation::count::count;
use learnscope::nn::segmentation::loss::SegmentationLoss;
use learnscope::nn::segmentation::spec::{Architecture, NetSpec};
use serde_json::Value;

use super::values::{field, formula, list, number, numbers, only, text, whole};
use super::{Report, Tolerance};

/// The architecture that a case names.
fn architecture(case: &Value) -> Result<Architecture, String> {
    let net = text(case, "net")?;
    let holds = |word: &str| net.contains(word);
    Ok(match net {
        "unet" => Architecture::UNet,
        "light" => Architecture::LightUNet,
        "lighter" => Architecture::LighterUNet { group: whole(case, "C")? },
        _ if holds("fcn32") => Architecture::Fcn32s,
        _ if holds("fcn16") => Architecture::Fcn16s,
        _ if holds("fcn8") => Architecture::Fcn8s,
        _ if holds("deeplab") && holds("resnet") => Architecture::DeepLabResNet101,
        _ if holds("deeplab") && holds("xception") => Architecture::DeepLabXception,
        _ if holds("deeplab") && holds("mobilenet") => Architecture::DeepLabMobileNetV2,
        _ => return Err(format!("unknown network `{net}`")),
    })
}

/// Numbers of parameters: by arithmetic, and of a network that is built.
pub fn check_param_count(place: &str, case: &Value, report: &mut Report) -> Result<(), String> {
    const KIND: &str = "numbers of parameters";
    only(case, &["kind", "net", "C", "base", "in_channels", "params", "paper", "bn_buffers"])?;
    report.case(KIND);
    let or = |key: &str, default: usize| if case.get(key).is_some() { whole(case, key) } else { Ok(default) };
    let spec = NetSpec {
        architecture: architecture(case)?,
        channels: or("in_channels", 3)?,
        base: or("base", 64)?,
        outputs: 1,
    };
    let ours = count(&spec, 256, 256).map_err(|e| e.to_string())?.total;
    let params = number(case, "params")?;
    let exact = Tolerance { relative: 0.0, absolute: 0.0 };
    report.within(KIND, || place.to_owned(), ours.parameters as f64, params, exact);
    if case.get("bn_buffers").is_some_and(|value| !value.is_null()) {
        let buffers = number(case, "bn_buffers")?;
        report.within(KIND, || format!("{place}, buffers"), ours.statistics as f64, buffers, exact);
    }
    if case.get("paper").is_some_and(Value::is_u64) {
        let matches = (paper_match(&spec) == Match::Exact) == (number(case, "paper")? == params);
        if !matches {
            report.fail(format!("{place}: the badge says {:?}", paper_match(&spec)));
        }
    }
    if spec.architecture.stages().is_some() {
        let net = SegmentationNet::new(&spec, HostRng::new(0, 0), &device::cpu()).map_err(|e| e.to_string())?;
        let slots = parameters::slots(&net);
        let trained = slots.iter().filter(|slot| slot.role != Role::Statistic);
        let built: usize = trained.map(|slot| slot.shape.iter().product::<usize>()).sum();
        report.within(KIND, || format!("{place}, built"), built as f64, params, exact);
    }
    Ok(())
}

/// A network with the weights of the formula.
fn filled(spec: &NetSpec) -> Result<SegmentationNet, String> {
    let cpu = device::cpu();
    let net = SegmentationNet::new(spec, HostRng::new(0, 0), &cpu).map_err(|e| e.to_string())?;
    let shapes: Vec<Vec<usize>> = parameters::slots(&net).into_iter().map(|slot| slot.shape).collect();
    let (mut tensor, mut slot) = (0, 0);
    Ok(parameters::map(net, |path, role, old| {
        let shape = &shapes[slot];
        slot += 1;
        if role == Role::Statistic {
            return old;
        }
        let k = tensor;
        tensor += 1;
        let scale = |u: f64| match role {
            Role::Weight => u * (6.0 / shape[1..].iter().product::<usize>() as f64).sqrt(),
            Role::Bias => 0.1 * u,
            _ if path.ends_with("gamma") => 1.0 + 0.2 * u,
            _ => 0.1 * u,
        };
        let count: usize = shape.iter().product();
        let values: Vec<f32> = (0..count as u64).map(|j| scale(formula(k, j)) as f32).collect();
        Tensor::from_data(TensorData::new(values, [count]), &cpu)
    }))
}

/// Pictures and truth of a case.
fn batch(n: usize, channels: usize, h: usize, w: usize) -> (Tensor<4>, Tensor<4>) {
    let mut x = Vec::new();
    let mut t = Vec::new();
    let side = h.min(w) as f64 / 3.0;
    for i in 0..n as u64 {
        x.extend((0..(channels * h * w) as u64).map(|j| (0.5 + 0.5 * formula(1000 + i, j)) as f32));
        for row in 0..h {
            for column in 0..w {
                let [dy, dx] = [(row, h), (column, w)].map(|(at, size)| at as f64 - size as f64 / 2.0);
                t.push(f32::from(u8::from(dy * dy + dx * dx < side * side)));
            }
        }
    }
    let cpu = device::cpu();
    (
        Tensor::from_data(TensorData::new(x, [n, channels, h, w]), &cpu),
        Tensor::from_data(TensorData::new(t, [n, 1, h, w]), &cpu),
    )
}

/// The numbers of some tensors.
pub fn read<const D: usize>(tensors: impl IntoIterator<Item = Tensor<D>>) -> Result<Vec<Vec<f32>>, String> {
    let mut reader = Reader::default();
    for tensor in tensors {
        reader.add(tensor);
    }
    reader.read().map_err(|e| e.to_string())
}

fn sum(values: &[f32]) -> f64 {
    values.iter().map(|value| f64::from(*value)).sum()
}

fn probabilities(net: &SegmentationNet, x: &Tensor<4>) -> Result<Vec<f32>, String> {
    Ok(read([activation::sigmoid(net.infer(x.clone()))])?.remove(0))
}

/// One step of training with the Dice loss, and the loss before it.
fn step(
    net: SegmentationNet,
    optimizer: &mut Optimizer,
    x: &Tensor<4>,
    t: &Tensor<4>,
) -> Result<(SegmentationNet, f64), String> {
    let mut net = tracked(&net);
    let loss = SegmentationLoss::Dice.of(net.forward(x.clone(), None), t.clone());
    let mut gradients = loss.backward();
    let learning_rate = if optimizer.rule == Rule::SGD { 0.05 } else { 1e-3 };
    let net = optimizer.step(net, &mut gradients, DecayScope::All, |_| Rates { learning_rate, decay: 1e-4 });
    Ok((net, f64::from(read([loss])?[0][0])))
}

/// A U-net's outputs, gradients and training.
pub fn check_forward(place: &str, case: &Value, report: &mut Report) -> Result<(), String> {
    const KIND: &str = "whole U-nets";
    const KNOWN: [&str; 25] = [
        "kind",
        "f32_torch_abs_dev",
        "net",
        "C",
        "base",
        "in_channels",
        "n",
        "h",
        "w",
        "n_tensors",
        "params",
        "fill_rule",
        "truth_rule",
        "eval_out_sum",
        "eval_out_first8",
        "eval_out_mid8",
        "train_out_sum",
        "train_out_first8",
        "dice_loss_train",
        "grad_norm_first_mid_head_conv",
        "adam_lr1e3_wd1e4_losses_5_steps",
        "sgd_lr0_05_wd1e4_losses_5_steps",
        "after_sgd_eval_sum",
        "after_sgd_first_bn_running_mean",
        "after_sgd_first_bn_running_var",
    ];
    only(case, &KNOWN)?;
    report.case(KIND);
    let channels = if case.get("in_channels").is_some() { whole(case, "in_channels")? } else { 3 };
    let spec = NetSpec { architecture: architecture(case)?, channels, base: whole(case, "base")?, outputs: 1 };
    let [n, h, w] = [whole(case, "n")?, whole(case, "h")?, whole(case, "w")?];
    let (x, t) = batch(n, channels, h, w);
    let net = filled(&spec)?;
    // PyTorch in f32 is this far from itself in f64; an order more is allowed.
    let deviation = field(case, "f32_torch_abs_dev")?;
    let outputs = |key: &str| number(deviation, key).map(|dev| (10.0 * dev).max(5e-6));
    let exact = |absolute: f64| Tolerance { relative: 0.0, absolute };
    let mut compare = |what: &str, ours: &[f64], golden: &[f64], tolerance: Tolerance| {
        if ours.len() != golden.len() {
            return report.fail(format!("{place}, {what}: {} numbers against {}", ours.len(), golden.len()));
        }
        for (i, (ours, golden)) in ours.iter().zip(golden).enumerate() {
            report.within(KIND, || format!("{place}, {what} {i}"), *ours, *golden, tolerance);
        }
    };
    let wide = |values: &[f32]| values.iter().map(|value| f64::from(*value)).collect::<Vec<f64>>();

    let p = probabilities(&net, &x)?;
    let tolerance = outputs("eval")?;
    let pixels = p.len() as f64;
    compare("inferred first", &wide(&p[..8]), &numbers(case, "eval_out_first8")?, exact(tolerance));
    let middle = p.len() - p.len() / n / 2; // Of the last picture.
    compare("inferred middle", &wide(&p[middle..middle + 8]), &numbers(case, "eval_out_mid8")?, exact(tolerance));
    compare("inferred sum", &[sum(&p)], &[number(case, "eval_out_sum")?], exact(tolerance * pixels));

    let mut training = tracked(&net);
    let trained = activation::sigmoid(training.forward(x.clone(), None));
    let loss = learnscope::nn::segmentation::loss::dice(trained.clone(), t.clone(), 0.0);
    let p = read([trained])?.remove(0);
    let gradients = loss.backward();
    let tolerance = outputs("train")?;
    compare("trained first", &wide(&p[..8]), &numbers(case, "train_out_first8")?, exact(tolerance));
    compare("trained sum", &[sum(&p)], &[number(case, "train_out_sum")?], exact(tolerance * pixels));
    let loss = f64::from(read([loss])?[0][0]);
    compare("Dice loss", &[loss], &[number(case, "dice_loss_train")?], exact(1e-6));
    let norms = gradient_norms(&training, &gradients)?;
    compare(
        "gradients",
        &norms,
        &numbers(case, "grad_norm_first_mid_head_conv")?,
        Tolerance { relative: 1e-4, absolute: 1e-6 },
    );

    // Where the two largest of four pooled pixels agree in their last digits, rounding decides which one gets the gradient, and
    // the trainings part: in PyTorch in f64, weights that differ by 6e-8 moved losses by 1e-5 after five steps in one of six networks.
    const LATER: f64 = 5e-4;
    for (key, deviations, rule, least) in [
        ("sgd_lr0_05_wd1e4_losses_5_steps", "sgd_losses", Rule::SGD, 2e-6),
        ("adam_lr1e3_wd1e4_losses_5_steps", "adam_losses", Rule::ADAM, 2e-5),
    ] {
        let (mut net, mut optimizer) = (net.clone(), Optimizer::new(rule));
        let deviations = list(deviation, deviations)?;
        for (i, golden) in numbers(case, key)?.into_iter().enumerate() {
            let (next, loss) = step(net, &mut optimizer, &x, &t)?;
            net = next;
            let tolerance = (10.0 * deviations[i].as_f64().unwrap_or(0.0)).max(if i < 2 || rule == Rule::ADAM {
                least
            } else {
                LATER
            });
            compare(key, &[loss], &[golden], exact(tolerance));
        }
        if rule == Rule::ADAM {
            continue;
        }
        let p = probabilities(&net, &x)?;
        let tolerance = (10.0 * outputs("eval")?).max(LATER);
        compare("sum after SGD", &[sum(&p)], &[number(case, "after_sgd_eval_sum")?], exact(tolerance * pixels));
        for (ending, key) in
            [("running_mean", "after_sgd_first_bn_running_mean"), ("running_var", "after_sgd_first_bn_running_var")]
        {
            let slot = parameters::slots(&net).into_iter().find(|slot| slot.path.ends_with(ending));
            let values = read([slot.ok_or("no normalisation")?.value])?.remove(0);
            let golden = numbers(case, key)?;
            compare(
                key,
                &wide(&values[..golden.len().min(values.len())]),
                &golden,
                Tolerance { relative: 1e-4, absolute: 1e-5 },
            );
        }
    }
    Ok(())
}

/// Norms of the gradients of the first convolution's weight, of the middle one's and of the head's.
fn gradient_norms(net: &SegmentationNet, gradients: &burn::tensor::Gradients) -> Result<Vec<f64>, String> {
    use burn::module::{Module, ModuleVisitor, Param};
    struct Norms<'a>(&'a burn::tensor::Gradients, Reader);
    impl ModuleVisitor for Norms<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if D == 4
                && let Some(gradient) = param.val().grad(self.0)
            {
                self.1.add(gradient);
            }
        }
    }
    let mut norms = Norms(gradients, Reader::default());
    net.visit(&mut norms);
    let all = norms.1.read().map_err(|e| e.to_string())?;
    let norm = |values: &Vec<f32>| values.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>().sqrt();
    let [first, middle, head] = [0, all.len() / 2, all.len() - 1].map(|i| all.get(i).map(norm));
    Ok([first, middle, head].into_iter().flatten().collect())
}
