//! Networks that rebuild pictures and tell the ill from the healthy by one code: an encoder that both share, a decoder, a
//! classifier.
//!
//! Letters: N pictures, C channels, H height, W width, S the side of a picture.

pub mod classifier;
pub mod decoder;
pub mod encoder;
pub mod inception;
pub mod loss;
pub mod spec;
pub mod weights;

use burn::module::Module;
use burn::tensor::{Device, Tensor, activation};
use thiserror::Error;

use self::classifier::{Answer, Classifier};
use self::decoder::Decoder;
use self::encoder::Encoder;
use self::spec::{NetSpec, SpecError};
use crate::compute::readback::ReadError;
use crate::compute::streams::AUTOENCODER_WEIGHTS;
use crate::nn::layers::conv::Pass;
use crate::nn::materialise;
use crate::nn::parameters::{Init, Initialiser, tracked};

/// Encoder E, decoder D and classifier C. They are modules of their own, so that each can be trained, frozen and saved apart.
#[derive(Debug, Clone)]
pub struct Autoencoder {
    pub encoder: Encoder,
    /// `None` for a baseline that only classifies.
    pub decoder: Option<Decoder>,
    pub classifier: Classifier,
    sigmoid: bool,
}

/// See [`Autoencoder::parts`].
pub type Parts = (Encoder, Option<Decoder>, Classifier);

/// A network that was not built.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum BuildError {
    #[error(transparent)]
    Spec(#[from] SpecError),
    #[error(transparent)]
    Read(#[from] ReadError),
}

impl Autoencoder {
    /// Builds a network with weights drawn on the host, each part from a stream of its own, and reads every parameter once.
    /// Layers start as PyTorch's do, ResNet-18 and InceptionV3 with weights of variance 2/fan_in. No weights of ImageNet are at hand.
    pub fn new(spec: &NetSpec, seed: u64, device: &Device) -> Result<Self, BuildError> {
        spec.check()?;
        let init = |part, init| Initialiser { rng: AUTOENCODER_WEIGHTS.open(seed, part), init, device };
        let deep = if spec.stages().is_empty() { Init::He } else { Init::Torch };
        let net = Self {
            encoder: Encoder::new(spec, &mut init(0, deep)),
            decoder: spec.family.reconstructs().then(|| Decoder::new(spec, &mut init(1, Init::Torch))),
            classifier: Classifier::new(spec, &mut init(2, Init::Torch)),
            sigmoid: spec.sigmoid,
        };
        materialise(&net.encoder)?;
        net.decoder.as_ref().map_or(Ok(()), materialise)?;
        materialise(&net.classifier)?;
        Ok(net)
    }

    /// A copy for one forward and backward pass; see [`tracked`].
    pub fn tracked(&self) -> Self {
        Self {
            encoder: tracked(&self.encoder),
            decoder: self.decoder.as_ref().map(tracked),
            classifier: tracked(&self.classifier),
            sigmoid: self.sigmoid,
        }
    }

    /// Encoder, decoder and classifier as one module.
    pub fn parts(&self) -> Parts {
        (self.encoder.clone(), self.decoder.clone(), self.classifier.clone())
    }

    /// The same network with other parts.
    pub fn with_parts(&self, (encoder, decoder, classifier): Parts) -> Self {
        Self { encoder, decoder, classifier, sigmoid: self.sigmoid }
    }

    /// `[N, 3, S, S]` with numbers in [0, 1] to the code `[N, C, h, w]`.
    pub fn encode(&mut self, x: Tensor<4>, pass: &Pass<'_>) -> Tensor<4> {
        self.encoder.forward(x, pass)
    }

    /// The code to pictures `[N, 3, S, S]`; `None` where there is no decoder.
    pub fn decode(&mut self, code: Tensor<4>, pass: &Pass<'_>) -> Option<Tensor<4>> {
        let pictures = self.decoder.as_mut()?.forward(code, &self.encoder, pass);
        Some(if self.sigmoid { activation::sigmoid(pictures) } else { pictures })
    }

    /// What the classifier says of the code.
    pub fn classify(&self, code: Tensor<4>, pass: &mut Pass<'_>) -> Answer {
        self.classifier.forward(pooled(code), pass)
    }
}

/// Mean over all places, `[N, C, h, w]` to `[N, C]`: adaptive average pooling to 1×1.
pub fn pooled(code: Tensor<4>) -> Tensor<2> {
    let [pictures, channels, height, width] = code.dims();
    code.reshape([pictures, channels, height * width]).mean_dim(2).reshape([pictures, channels])
}

/// Parameters that are trained, tied ones once.
pub fn parameters(net: &Autoencoder) -> usize {
    use crate::nn::parameters::{Role, slots};
    fn of(module: &impl Module) -> usize {
        let trained = slots(module).into_iter().filter(|slot| slot.role != Role::Statistic);
        trained.map(|slot| slot.shape.iter().product::<usize>()).sum()
    }
    of(&net.encoder) + net.decoder.as_ref().map_or(0, of) + of(&net.classifier)
}

#[cfg(test)]
mod tests {
    use super::spec::{Family, Head, Layout, cost};
    use super::*;
    use crate::compute::device;
    use crate::compute::readback::Reader;
    use burn::tensor::TensorData;

    const INFER: Pass<'static> = Pass { train: false, dropout: None };

    fn aecl1(layout: Layout, tied: bool) -> Family {
        Family::Aecl1 { layout, tied }
    }

    fn spec(family: Family, size: usize) -> NetSpec {
        NetSpec { family, size, width: 0.5, sigmoid: false, head: Head::Binary, leaky: false }
    }

    fn pictures(count: usize, size: usize) -> Tensor<4> {
        let values: Vec<f32> = (0..count * 3 * size * size).map(|i| 0.5 + 0.5 * (i as f32 * 0.37).sin()).collect();
        Tensor::from_data(TensorData::new(values, [count, 3, size, size]), &device::cpu())
    }

    #[test]
    fn a_network_costs_what_was_counted_before_it_was_built() {
        let count = |spec: NetSpec| {
            let net = Autoencoder::new(&spec, 1, &device::cpu()).unwrap();
            assert_eq!(parameters(&net), cost(&spec).parameters(), "{}", spec.describe());
        };
        for family in [aecl1(Layout::Mini, false), aecl1(Layout::Mini, true), aecl1(Layout::Paper, false)] {
            for head in [Head::Binary, Head::Ordinal] {
                count(NetSpec { head, ..spec(family, 32) });
            }
        }
        [Family::AeRes18, Family::ResNet18].into_iter().for_each(|family| count(spec(family, 32)));
        count(spec(Family::InceptionV3, 128));
    }

    #[test]
    fn pictures_come_back_in_their_size_by_way_of_the_stated_code() {
        for family in [aecl1(Layout::Mini, false), aecl1(Layout::Paper, true), Family::AeRes18] {
            let spec = spec(family, 32);
            let mut net = Autoencoder::new(&spec, 1, &device::cpu()).unwrap();
            let code = net.encode(pictures(2, 32), &INFER);
            assert_eq!(code.dims(), [2, spec.features(), spec.code_side(), spec.code_side()]);
            assert_eq!(code.dims().iter().product::<usize>(), 2 * cost(&spec).code());
            assert_eq!(net.decode(code.clone(), &INFER).unwrap().dims(), [2, 3, 32, 32]);
            let answer = net.classify(code, &mut Pass { train: false, dropout: None });
            assert_eq!((answer.logit.dims(), answer.units.unwrap().dims()), ([2], [2, 4]));
        }
    }

    #[test]
    fn inception_ends_in_its_features_and_learns_in_every_unit() {
        let spec = spec(Family::InceptionV3, 128);
        let mut net = Autoencoder::new(&spec, 1, &device::cpu()).unwrap().tracked();
        let pass = Pass { train: true, dropout: None };
        let x = pictures(2, 128).autodiff();
        let mut maps = vec![net.encoder.layer(0, x, &pass)];
        for i in 1..net.encoder.layers() {
            maps.push(net.encoder.layer(i, maps[i - 1].clone(), &pass));
        }
        let shapes: Vec<[usize; 3]> = maps.iter().map(|map| map.dims()[1..].try_into().unwrap()).collect();
        let counted = cost(&spec).encoder_shapes;
        assert_eq!((&shapes[..], counted.last()), (&counted[..counted.len() - 1], Some(&[2048, 1, 1])));
        let answer = net.classify(maps.into_iter().next_back().unwrap(), &mut Pass { train: true, dropout: None });
        let gradients = answer.logit.powi_scalar(2).sum().backward();
        let all = crate::nn::parameters::gradients(&net.encoder, &gradients);
        let mut reader = Reader::default();
        reader.add(all);
        let read = reader.read().unwrap().concat();
        let still = read.iter().filter(|slope| **slope == 0.0).count();
        assert!(read.iter().all(|slope| slope.is_finite()) && still * 10 < read.len(), "{still} of {}", read.len());
    }

    #[test]
    fn tied_weights_learn_from_both_of_their_uses() {
        let mut net = Autoencoder::new(&spec(aecl1(Layout::Mini, true), 32), 3, &device::cpu()).unwrap().tracked();
        let pass = Pass { train: true, dropout: None };
        let x = pictures(2, 32).autodiff();
        let code = net.encode(x.clone(), &pass);
        // What reaches the first kernel through the decoder alone: the code is cut off.
        let rebuilt = net.decode(code.detach(), &pass).unwrap();
        let gradients = (rebuilt - x).powi_scalar(2).mean().backward();
        let mut reader = Reader::default();
        for weight in net.encoder.kernels() {
            reader.add(weight.grad(&gradients).expect("a tied kernel takes part in the decoder"));
        }
        for gradient in reader.read().unwrap() {
            assert!(gradient.iter().any(|slope| *slope != 0.0));
        }
    }
}
