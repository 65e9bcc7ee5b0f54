//! The parameters of projector and predictor: depth, widths, normalisation.

use crate::engine::table::{Choice, Int, fixed};
use crate::nn::encoders::heads::HeadNorm;

use super::PREDICTOR_LAYERS;

const HEADS: &str = "Heads";

const NORMS: [(&str, &str, HeadNorm); 3] = [
    ("plain", "on, without γ and β", HeadNorm::Plain),
    ("affine", "on, with γ and β", HeadNorm::Affine),
    ("off", "off", HeadNorm::Off),
];

pub static PROJECTOR_LAYERS: Choice<usize, 3> = fixed(HEADS, "projector_layers", "projector layers")
    .help(
        "Linear layers; every one but the last has a bias, and a normalisation and a ReLU behind it. The paper and BYOL have 2, \
         SimSiam has 3. With 1 the projector is linear.",
    )
    .folded()
    .choice("2", [("1", "1: linear", 1), ("2", "2", 2), ("3", "3", 3)]);
pub static HIDDEN_WIDTH: Int = fixed(HEADS, "hidden_width", "projector width")
    .help("Units between the projector's layers. 0: as the encoder has it, small 128, ResNet-18 512.")
    .unit("units")
    .when(PROJECTOR_LAYERS.is(&["2", "3"]))
    .int(0, [0, 4096]);
pub static EMBEDDING_WIDTH: Int = fixed(HEADS, "embedding_width", "embedding d")
    .help(
        "Length d of z, so that F and Wp are d × d. 0: as the encoder has it, small 64, ResNet-18 128. Analysing the eigenspaces \
         costs d³: with 512 do so rarely.",
    )
    .unit("numbers")
    .int(0, [0, 512]);
pub static PROJECTOR_NORM: Choice<HeadNorm, 3> = fixed(HEADS, "projector_norm", "projector batch norm")
    .help(
        "Behind the projector's hidden layers. SimSiam (Chen and He 2021, Table 3): without any in the heads 34.6 %, with these \
         67.4 % on ImageNet; it did not collapse without. A BYOL without any batch norm is said to fail from its usual start \
         (Fetterman and Albrecht 2020), but not from a better one (Richemond et al. 2020).",
    )
    .when(PROJECTOR_LAYERS.is(&["2", "3"]))
    .choice("plain", NORMS);
pub static OUTPUT_NORM: Choice<HeadNorm, 3> = fixed(HEADS, "projector_output_norm", "projector output norm")
    .help(
        "Batch normalisation of z itself. SimSiam has it (without γ and β in its code), BYOL and the paper have none.",
    )
    .choice("off", NORMS);
pub static PREDICTOR_HIDDEN: Int = fixed(HEADS, "predictor_hidden", "predictor width")
    .help("Units between the predictor's two layers. 0: as the encoder has it, small 128, ResNet-18 512. SimSiam: d/4.")
    .unit("units")
    .when(PREDICTOR_LAYERS.is(&["two"]))
    .int(0, [0, 4096]);
pub static PREDICTOR_NORM: Choice<HeadNorm, 3> = fixed(HEADS, "predictor_norm", "predictor batch norm")
    .help("Behind the first of the predictor's two layers.")
    .when(PREDICTOR_LAYERS.is(&["two"]))
    .choice("plain", NORMS);
