//! Layer-wise adaptive rates; see [`Rule::Lars`](super::Rule::Lars).

use burn::tensor::Tensor;

use super::{Rates, State};

/// Guards the division by a gradient that has vanished.
const LENGTH_FLOOR: f64 = 1e-12;

/// New weights and velocity of one parameter; without `trust` λ is 1.
pub fn step(
    weight: Tensor<1>,
    mut gradient: Tensor<1>,
    old: Option<State>,
    Rates { learning_rate, decay }: Rates,
    momentum: f64,
    trust: Option<f64>,
) -> (Tensor<1>, State) {
    let lambda = trust.map(|trust| {
        let length = |of: &Tensor<1>| (of.clone() * of.clone()).sum().sqrt();
        let (w, g) = (length(&weight), length(&gradient));
        let ratio = w.clone() * trust / (g + w.clone() * decay).clamp_min(LENGTH_FLOOR);
        // Weights that are all zero have no length to go by.
        ratio.mask_fill(w.equal_elem(0.0), 1.0)
    });
    if decay != 0.0 {
        gradient = gradient + weight.clone() * decay;
    }
    if let Some(lambda) = lambda {
        gradient = gradient * lambda;
    }
    let velocity = match old.and_then(|state| state.into_iter().next()) {
        Some(old) => old * momentum + gradient,
        None => gradient,
    };
    (weight - velocity.clone() * learning_rate, vec![velocity])
}

#[cfg(test)]
mod tests {
    use burn::module::{Module, Param};
    use burn::tensor::TensorData;

    use super::*;
    use crate::compute::device;
    use crate::compute::readback::Reader;
    use crate::nn::optim::{DecayScope, Optimizer, Rule};
    use crate::nn::parameters::tracked;

    #[derive(Module, Debug)]
    struct Small {
        weight: Param<Tensor<2>>,
        bias: Param<Tensor<1>>,
    }

    fn tensor<const D: usize>(values: &[f32], shape: [usize; D]) -> Tensor<D> {
        Tensor::from_data(TensorData::new(values.to_vec(), shape), &device::cpu())
    }

    fn read(net: &Small) -> [Vec<f32>; 2] {
        let mut reader = Reader::default();
        reader.add(net.weight.val());
        reader.add(net.bias.val());
        reader.read().unwrap().try_into().unwrap()
    }

    /// One step along the loss Σ w·gw + Σ b·gb, whose gradients are gw and gb.
    fn descend(net: &Small, optimizer: &mut Optimizer, gw: &[f32], gb: &[f32], rates: Rates) -> Small {
        let training = tracked(net);
        let loss = (training.weight.val() * tensor(gw, [2, 2]).autodiff()).sum()
            + (training.bias.val() * tensor(gb, [2]).autodiff()).sum();
        optimizer.step(training, &mut loss.backward(), DecayScope::Weights, |_| rates)
    }

    /// λ = .1 ‖w‖/(‖g‖ + .02 ‖w‖); v ← .9 v + λ (g + .02 w); w ← w − .5 v, and λ = 1 without decay for the bias, in f64 by a
    /// script of ten lines; the gradients of step t are t times (.3, −.1, .2, .4) and (.05, .15).
    #[test]
    fn three_steps_are_those_computed_by_hand() {
        let mut net = Small {
            weight: Param::from_tensor(tensor(&[0.5, -0.25, 0.75, 1.0], [2, 2])),
            bias: Param::from_tensor(tensor(&[0.1, -0.2], [2])),
        };
        let mut optimizer = Optimizer::new(Rule::Lars { momentum: 0.9, trust: 0.1 });
        let expected: [([f64; 4], [f64; 2]); 3] = [
            ([0.463_095_238, -0.237_5, 0.724_404_762, 0.95], [0.075, -0.275]),
            ([0.394_484_744, -0.214_354_666, 0.677_288_587, 0.857_418_665], [0.002_5, -0.492_5]),
            ([0.300_563_240, -0.182_741_122, 0.613_142_369, 0.730_964_487], [-0.137_75, -0.913_25]),
        ];
        for (step, (weight, bias)) in expected.iter().enumerate() {
            let t = (step + 1) as f32;
            let (gw, gb) = ([0.3, -0.1, 0.2, 0.4].map(|g: f32| t * g), [0.05, 0.15].map(|g: f32| t * g));
            net = descend(&net, &mut optimizer, &gw, &gb, Rates { learning_rate: 0.5, decay: 0.02 });
            let [w, b] = read(&net);
            let near =
                |ours: &[f32], golden: &[f64]| ours.iter().zip(golden).all(|(a, b)| (f64::from(*a) - b).abs() < 1e-6);
            assert!(near(&w, weight) && near(&b, bias), "step {t}: {w:?} {b:?}");
        }
    }

    #[test]
    fn what_is_zero_divides_nothing() {
        let of = |weight: [f32; 4], gradient: [f32; 4]| {
            let net = Small {
                weight: Param::from_tensor(tensor(&weight, [2, 2])),
                bias: Param::from_tensor(tensor(&[0.0; 2], [2])),
            };
            let mut optimizer = Optimizer::new(Rule::Lars { momentum: 0.9, trust: 0.1 });
            let rates = Rates { learning_rate: 0.5, decay: 0.0 };
            read(&descend(&net, &mut optimizer, &gradient, &[0.0; 2], rates))[0].clone()
        };
        assert_eq!(of([0.0; 4], [2.0, 0.0, 0.0, 0.0]), [-1.0, 0.0, 0.0, 0.0], "plain descent from zero");
        assert_eq!(of([1.0, 2.0, 3.0, 4.0], [0.0; 4]), [1.0, 2.0, 3.0, 4.0], "no gradient, no move");
    }
}
