//! The operations that are done by hand on the CPU backend against Burn's own, forward and backward.

use burn::tensor::module::{conv_transpose2d, conv2d, interpolate, max_pool2d};
use burn::tensor::ops::{ConvOptions, ConvTransposeOptions, InterpolateMode, InterpolateOptions, MaxPoolOptions};
use burn::tensor::{DType, Tensor, TensorData, activation};
use learnscope::compute::device;
use learnscope::compute::rng::HostRng;
use learnscope::nn::cpu::ops;
use learnscope::nn::layers::conv::resize_by_products;
use learnscope::nn::layers::norm::Norm;
use learnscope::nn::parameters::{Init, Initialiser};

use super::segmentation_nets_cases::read;

fn noise<const D: usize>(shape: [usize; D], stream: u64) -> Tensor<D> {
    let mut rng = HostRng::new(5, stream);
    let values: Vec<f32> = (0..shape.iter().product()).map(|_| rng.normal() as f32).collect();
    Tensor::from_data(TensorData::new(values, shape), &device::cpu())
}

/// A leaf of a graph.
fn leaf<const D: usize>(tensor: &Tensor<D>) -> Tensor<D> {
    tensor.clone().autodiff().require_grad()
}

fn close<const D: usize>(ours: Tensor<D>, burn: Tensor<D>, what: &str) {
    assert_eq!(ours.dims(), burn.dims(), "{what}");
    let [ours, burn] = [ours, burn].map(|t| read([t]).unwrap().remove(0));
    let scale = burn.iter().fold(1.0_f32, |most, v| most.max(v.abs()));
    for (i, (ours, burn)) in ours.iter().zip(&burn).enumerate() {
        assert!((ours - burn).abs() <= 2e-5 * scale, "{what}, {i}: {ours} against {burn}");
    }
}

/// A loss whose gradient differs from place to place.
fn loss<const D: usize>(y: Tensor<D>) -> Tensor<1> {
    let weights = noise(y.dims(), 99);
    (y * weights).sum()
}

#[test]
fn convolutions_by_hand_are_burns_own() {
    for (pictures, inputs, outputs, height, width, kernel, groups, biased) in [
        (2, 3, 5, 9, 7, 3, 1, true),
        (2, 24, 20, 8, 8, 3, 1, false),
        (1, 6, 6, 11, 5, 3, 6, true),
        (2, 8, 12, 6, 10, 3, 4, true),
        (2, 36, 36, 33, 40, 3, 2, true),
        (3, 64, 64, 4, 4, 3, 2, false),
        (2, 4, 4, 1, 1, 3, 2, true),
        (1, 1, 2, 1, 3, 3, 1, true),
        (2, 7, 9, 5, 6, 1, 1, true),
        (1, 130, 70, 3, 2, 1, 1, false),
    ] {
        let what = format!("{kernel}×{kernel}, {inputs} to {outputs} of {groups} groups, {height}×{width}");
        let x = noise([pictures, inputs, height, width], 1);
        let w = noise([outputs, inputs / groups, kernel, kernel], 2);
        let b = noise([outputs], 3);
        let options = ConvOptions::new([1, 1], [kernel / 2; 2], [1, 1], groups);
        let run = |ours: bool| {
            let (x, w, b) = (leaf(&x), leaf(&w), leaf(&b));
            let bias = biased.then(|| b.clone());
            let y = if ours {
                ops::conv2d(&x, &w, bias.as_ref(), &options).expect("the CPU does this convolution")
            } else {
                conv2d(x.clone(), w.clone(), bias, options.clone())
            };
            let gradients = loss(y.clone()).backward();
            (y.inner(), x.grad(&gradients).unwrap(), w.grad(&gradients).unwrap(), b.grad(&gradients))
        };
        let (ours, burn) = (run(true), run(false));
        close(ours.0.clone(), burn.0, &format!("{what}, output"));
        close(ours.1, burn.1, &format!("{what}, gradient of the input"));
        close(ours.2, burn.2, &format!("{what}, gradient of the weights"));
        if biased {
            close(ours.3.unwrap(), burn.3.unwrap(), &format!("{what}, gradient of the bias"));
        }
        // Without gradients: the same numbers.
        let plain = ops::conv2d(&x, &w, biased.then_some(&b), &options).unwrap();
        close(plain, ours.0, &what);
    }
}

#[test]
fn a_convolution_of_a_constant_has_gradients_of_its_weights_alone() {
    let (x, w) = (noise([2, 3, 6, 6], 1), leaf(&noise([4, 3, 3, 3], 2)));
    let options = ConvOptions::new([1, 1], [1, 1], [1, 1], 1);
    let y = ops::conv2d(&x, &w, None, &options).unwrap();
    let gradients = y.sum().backward();
    assert!(w.grad(&gradients).is_some());
}

#[test]
fn convolutions_of_any_stride_padding_and_dilation_are_burns_own() {
    for (inputs, outputs, [height, width], kernel, stride, padding, dilation) in [
        (5, 8, [16, 16], [3, 3], 2, [1, 1], 1),
        (16, 32, [8, 8], [3, 3], 2, [1, 1], 1),
        (20, 6, [9, 12], [1, 1], 2, [0, 0], 1),
        (3, 9, [30, 21], [7, 7], 2, [3, 3], 1),
        (6, 4, [7, 9], [1, 7], 1, [0, 3], 1),
        (18, 4, [10, 9], [3, 3], 1, [2, 2], 2),
        (4, 4, [10, 9], [3, 3], 1, [0, 0], 1),
    ] {
        let what = format!("{kernel:?} of stride {stride}, {inputs} to {outputs}, {height}×{width}");
        let (x, w) = (noise([3, inputs, height, width], 1), noise([outputs, inputs, kernel[0], kernel[1]], 2));
        let options = ConvOptions::new([stride; 2], padding, [dilation; 2], 1);
        let run = |ours: bool| {
            let (x, w) = (leaf(&x), leaf(&w));
            let y = match ours {
                true => ops::conv2d(&x, &w, None, &options).expect("the CPU does this convolution"),
                false => conv2d(x.clone(), w.clone(), None, options.clone()),
            };
            let gradients = loss(y.clone()).backward();
            (y.inner(), x.grad(&gradients).unwrap(), w.grad(&gradients).unwrap())
        };
        let (ours, burn) = (run(true), run(false));
        close(ours.0, burn.0, &format!("{what}, output"));
        close(ours.1, burn.1, &format!("{what}, gradient of the input"));
        close(ours.2, burn.2, &format!("{what}, gradient of the weights"));
    }
}

#[test]
fn transposed_convolutions_by_hand_are_burns_own() {
    for (side, stride, out, biased) in [(3, 2, 1, true), (4, 2, 0, true), (3, 1, 0, false), (3, 2, 0, false)] {
        let what = format!("{side}×{side} of stride {stride}");
        let (x, w, b) = (noise([2, 6, 5, 7], 1), noise([6, 4, side, side], 2), noise([4], 3));
        let options = ConvTransposeOptions::new([stride; 2], [1, 1], [out; 2], [1, 1], 1);
        let run = |ours: bool| {
            let (x, w, b) = (leaf(&x), leaf(&w), leaf(&b));
            let bias = biased.then(|| b.clone());
            let y = match ours {
                true => ops::conv_transpose2d(&x, &w, bias.as_ref(), &options).expect("the CPU does this"),
                false => conv_transpose2d(x.clone(), w.clone(), bias, options.clone()),
            };
            let gradients = loss(y.clone()).backward();
            (y.inner(), x.grad(&gradients).unwrap(), w.grad(&gradients).unwrap(), b.grad(&gradients))
        };
        let (ours, burn) = (run(true), run(false));
        close(ours.0, burn.0, &format!("{what}, output"));
        close(ours.1, burn.1, &format!("{what}, gradient of the input"));
        close(ours.2, burn.2, &format!("{what}, gradient of the weights"));
        if biased {
            close(ours.3.unwrap(), burn.3.unwrap(), &format!("{what}, gradient of the bias"));
        }
    }
}

#[test]
fn a_sum_behind_a_relu_is_burns_own() {
    let run = |ours: bool| {
        let (a, b) = (leaf(&noise([2, 3, 5, 4], 1)), leaf(&noise([2, 3, 5, 4], 2)));
        let y = if ours { ops::add_relu(&a, &b).unwrap() } else { activation::relu(a.clone() + b.clone()) };
        let gradients = loss(y.clone()).backward();
        [y.inner(), a.grad(&gradients).unwrap(), b.grad(&gradients).unwrap()]
    };
    for (ours, burn) in run(true).into_iter().zip(run(false)) {
        close(ours, burn, "max(a + b, 0)");
    }
    // A number without gradients beside one with.
    let (a, b) = (leaf(&noise([2, 3, 5, 4], 1)), noise([2, 3, 5, 4], 2));
    assert!(a.grad(&ops::add_relu(&a, &b).unwrap().sum().backward()).is_some());
}

#[test]
fn what_is_not_done_by_hand_is_left_to_burn() {
    let (x, w) = (noise([1, 4, 8, 8], 1), noise([4, 2, 3, 3], 2));
    let refused = |x: &Tensor<4>, stride, padding, dilation| {
        let options = ConvOptions::new([stride; 2], [padding; 2], [dilation; 2], 2);
        ops::conv2d(x, &w, None, &options).is_none()
    };
    assert!(refused(&x, 2, 1, 1) && refused(&x, 1, 0, 1) && refused(&x, 1, 2, 2));
    assert!(refused(&x.clone().cast(DType::F64), 1, 1, 1));
    assert!(!refused(&x, 1, 1, 1));
}

#[test]
fn normalisation_by_the_statistics_of_each_view_is_that_of_each_view_alone() {
    let x = noise([6, 3, 4, 5], 1) * 2.0 + 0.7;
    let device = device::cpu();
    let init = Initialiser { rng: HostRng::new(1, 0), init: Init::Torch, device: &device };
    let mut together = Norm::new(3, true, &init);
    let mut apart = together.clone();
    let burns = together.clone().forward(x.clone(), 2);
    let ours = together.forward_on_cpu(&x, 2, false).unwrap();
    close(ours.clone(), burns, "both views");
    for view in 0..2 {
        let rows =
            |t: &Tensor<4>| t.clone().reshape([3, 2, 3, 4, 5]).slice([0..3, view..view + 1]).reshape([3, 3, 4, 5]);
        close(rows(&ours), apart.forward_on_cpu(&rows(&x), 1, false).unwrap(), "a view");
    }
    // The running statistics too.
    close(together.infer(x.clone()), apart.infer(x), "as known");
}

#[test]
fn normalisation_with_relu_by_hand_is_burns_own() {
    for (shape, relu) in [([2, 3, 5, 7], true), ([3, 5, 8, 8], false), ([2, 2, 1, 1], true), ([1, 4, 40, 61], true)] {
        let what = format!("{shape:?}, {relu}");
        let x = noise(shape, 1) * 2.0 + 0.7;
        let (gamma, beta) = (noise([shape[1]], 2), noise([shape[1]], 3));
        let run = |ours: bool| {
            let (x, gamma, beta) = (leaf(&x), leaf(&gamma), leaf(&beta));
            let (y, mean, variance) = if ours {
                let normalised = ops::normalise(&x, &gamma, &beta, 1e-5, relu).unwrap();
                (normalised.output, normalised.mean, normalised.variance)
            } else {
                let normalised = burn::tensor::module::batch_norm_train(x.clone(), gamma.clone(), beta.clone(), 1e-5);
                let y = if relu { activation::relu(normalised.output) } else { normalised.output };
                (y, normalised.mean.inner(), normalised.variance.inner())
            };
            let gradients = loss(y.clone()).backward();
            let grads = [gamma.grad(&gradients).unwrap(), beta.grad(&gradients).unwrap()];
            (y.inner(), x.grad(&gradients).unwrap(), [mean, variance], grads)
        };
        let (ours, burn) = (run(true), run(false));
        close(ours.0, burn.0, &what);
        // Of two numbers per channel the gradient is a difference of nearly equal ones.
        if shape[2] > 1 {
            close(ours.1, burn.1, &format!("{what}, gradient of the input"));
        }
        for (ours, burn) in ours.2.into_iter().chain(ours.3).zip(burn.2.into_iter().chain(burn.3)) {
            close(ours, burn, &what);
        }
        let by = [&gamma, &beta, &noise([shape[1]], 4), &noise([shape[1]], 5).abs()];
        let inferred = ops::normalise_by(&x, by, 1e-5, relu).unwrap();
        let [gamma, beta, mean, variance] = by.map(Clone::clone);
        let golden = burn::tensor::module::batch_norm(x, gamma, beta, mean, variance, 1e-5);
        close(inferred, if relu { activation::relu(golden) } else { golden }, &what);
    }
}

#[test]
fn pooling_and_resizing_by_hand_are_burns_own() {
    for shape in [[2, 3, 8, 6], [1, 2, 7, 9], [1, 1, 2, 2], [2, 1, 1, 5], [1, 2, 16, 17]] {
        let x = noise(shape, 1);
        let size = [2 * shape[2], 2 * shape[3]];
        let run = |ours: bool, pool: bool| {
            let x = leaf(&x);
            let y = match (ours, pool) {
                (true, true) => ops::max_pool(&x).unwrap(),
                (false, true) => max_pool2d(x.clone(), MaxPoolOptions::new([2, 2]).with_stride([2, 2])),
                (true, false) => ops::resize(&x, size).unwrap(),
                (false, false) => {
                    let options = InterpolateOptions::new(InterpolateMode::Bilinear);
                    interpolate(x.clone(), options.with_align_corners(true).with_output_size(size))
                }
            };
            let gradients = loss(y.clone()).backward();
            (y.inner(), x.grad(&gradients).unwrap())
        };
        for pool in [true, false] {
            if pool && shape[2] < 2 {
                assert!(ops::max_pool(&x).is_none());
                continue;
            }
            let (ours, burn) = (run(true, pool), run(false, pool));
            close(ours.0, burn.0.clone(), &format!("{shape:?}, {pool}"));
            close(ours.1, burn.1.clone(), &format!("{shape:?}, {pool}, gradient"));
            if !pool {
                // What other devices do.
                let x = leaf(&x);
                let y = resize_by_products(x.clone(), size);
                let gradients = loss(y.clone()).backward();
                close(y.inner(), burn.0, &format!("{shape:?}, products"));
                close(x.grad(&gradients).unwrap(), burn.1, &format!("{shape:?}, gradient of products"));
            }
        }
    }
}

#[test]
fn equal_pixels_send_the_gradient_to_the_first() {
    let x = leaf(&Tensor::<4>::zeros([1, 1, 2, 2], &device::cpu()));
    let gradients = ops::max_pool(&x).unwrap().sum().backward();
    assert_eq!(read([x.grad(&gradients).unwrap()]).unwrap()[0], [1.0, 0.0, 0.0, 0.0]);
}
