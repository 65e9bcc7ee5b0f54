//! Named starting points. The time-compressed ones keep the paper's number of decay e-folds,
//! rate · decay · steps / (1 − momentum), in some hundred steps; without that a short run cannot show the effect.

use crate::kit::lab::Preset;

/// The paper's setting with a two-layer predictor and what differs from it: ResNet-18, SGD 0.03 with momentum 0.9 and decay
/// 4e-4, τ 0.996, 100 epochs of 390 steps, the replication's views and linear evaluation.
macro_rules! paper_setting {
    ($($key:literal = $value:literal),*) => {
        &[
            ("source", "cifar10"),
            ("network", "resnet18"),
            ("init", "glorot"),
            ("predictor_layers", "two"),
            ("target", "ema"),
            ("tau", "0.996"),
            ("rate_encoder", "0.03"),
            ("rate_projector", "0.03"),
            ("rate_predictor", "0.03"),
            ("decay_encoder", "0.0004"),
            ("decay_projector", "0.0004"),
            ("decay_predictor", "0.0004"),
            ("decay_scope", "weights_norms"),
            ("steps", "39000"),
            ("loss_every", "10"),
            ("analysis_every", "195"),
            ("probe_every", "1950"),
            ("probe_train", "20000"),
            ("probe_test", "2000"),
            ("views", "replication"),
            ("evaluation", "replication"),
            $(($key, $value)),*
        ]
    };
}
pub(super) use paper_setting;

pub static PRESETS: &[Preset] = &[
    Preset {
        id: "byol",
        title: "BYOL in a minute",
        help: "One-layer predictor by gradient descent (Table 2's SGD baseline), τ 0.95, on generated shapes.",
        set: &[],
    },
    Preset {
        id: "byol-symmetric",
        title: "BYOL, symmetric predictor",
        help: "Wp is made symmetric after every step; a moving average as target.",
        set: &[("symmetry", "on")],
    },
    Preset {
        id: "simsiam",
        title: "SimSiam in a minute",
        help: "No moving average: the target is the online network itself. Of seeds 1 to 8 it lives at 2, 3, 4, 5, 6 and 8, \
               and dies at 7; watch asymmetry and rank.",
        set: &[("target", "online")],
    },
    Preset {
        id: "simsiam-symmetric",
        title: "SimSiam, symmetric",
        help: "The same rates with Wp made symmetric: the paper's collapse, at all of seeds 1 to 8. Watch rank and spread, not \
               alignment, which ends near 1.",
        set: &[("target", "online"), ("symmetry", "on")],
    },
    Preset {
        id: "simsiam-decay-all",
        title: "SimSiam, decay on everything",
        help: "Biases and normalisation decay too, as in the original authors' code: most seeds collapse without symmetry.",
        set: &[("target", "online"), ("decay_scope", "all")],
    },
    Preset {
        id: "simsiam-symmetric-fast",
        title: "SimSiam, symmetric, faster predictor",
        help: "A larger rate of the predictor shrinks the basin of collapse, but leaves one: it lived at seeds 1 to 3; in \
               a version that rounds otherwise it lived at 1, 2 and 7 and died at 3, 4 and 5.",
        set: &[
            ("target", "online"),
            ("symmetry", "on"),
            ("rate_encoder", "0.12"),
            ("rate_projector", "0.12"),
            ("rate_predictor", "0.3"),
        ],
    },
    Preset {
        id: "directpred",
        title: "DirectPred",
        help: "Wp is set from the eigenvalues of F at every step: symmetric and aligned by construction.",
        set: &[("predictor_rule", "directpred")],
    },
    Preset {
        id: "directpred-5",
        title: "DirectPred every 5th step",
        help: "Gradient descent moves Wp in between.",
        set: &[("predictor_rule", "directpred"), ("direct_every", "5")],
    },
    Preset {
        id: "directcopy",
        title: "DirectCopy",
        help: "Wp = F/‖F‖ + ε I, no eigen-decomposition.",
        set: &[("predictor_rule", "directcopy"), ("direct_epsilon", "0.3"), ("f_memory", "0.5")],
    },
    Preset {
        id: "two-layer-simsiam",
        title: "SimSiam, two layers",
        help: "The predictor of the paper's figures, seen through W2 W1.",
        set: &[
            ("target", "online"),
            ("predictor_layers", "two"),
            ("rate_encoder", "0.05"),
            ("rate_projector", "0.05"),
            ("rate_predictor", "0.05"),
            ("steps", "600"),
        ],
    },
    Preset {
        id: "two-layer-simsiam-symmetric",
        title: "SimSiam, two layers, tied",
        help: "Tying makes W2 W1 symmetric without negative eigenvalues.",
        set: &[
            ("target", "online"),
            ("predictor_layers", "two"),
            ("symmetry", "on"),
            ("rate_encoder", "0.05"),
            ("rate_projector", "0.05"),
            ("rate_predictor", "0.05"),
            ("steps", "600"),
        ],
    },
    Preset {
        id: "two-layer-simsiam-rescued",
        title: "SimSiam, two layers, tied, rescued",
        help: "Table 3's recipe for the tied predictor: no decay on the network, a tenfold rate of the predictor.",
        set: &[
            ("target", "online"),
            ("predictor_layers", "two"),
            ("symmetry", "on"),
            ("rate_encoder", "0.05"),
            ("rate_projector", "0.05"),
            ("rate_predictor", "0.5"),
            ("decay_encoder", "0"),
            ("decay_projector", "0"),
            ("steps", "700"),
        ],
    },
    Preset {
        id: "cifar10-minutes",
        title: "BYOL on CIFAR-10 in minutes",
        help: "Three convolutions, 3000 steps: choose the CIFAR-10 folder. Two to four minutes on two cores. Measured with seeds 1, 2, \
               3 (a JPEG copy of the pictures): kNN 0.41, 0.44, 0.43, untrained 0.32; linear probe 0.46, 0.47, 0.47, untrained 0.37 \
               to 0.38.",
        set: &[
            ("source", "cifar10"),
            ("predictor_layers", "two"),
            ("tau", "0.99"),
            ("rate_encoder", "0.1"),
            ("rate_projector", "0.1"),
            ("rate_predictor", "0.1"),
            ("rate_schedule", "cosine"),
            ("warm_up", "50"),
            ("decay_encoder", "0.0004"),
            ("decay_projector", "0.0004"),
            ("decay_predictor", "0.0004"),
            ("views", "torchvision"),
            ("steps", "3000"),
            ("loss_every", "25"),
            ("analysis_every", "50"),
            ("probe_every", "500"),
            ("probe_train", "5000"),
            ("probe_test", "2000"),
        ],
    },
    Preset {
        id: "paper-byol",
        title: "The paper's BYOL on CIFAR-10",
        help: "ResNet-18, 100 epochs of batch 128: choose the CIFAR-10 folder. Hours, even on a GPU.",
        set: paper_setting![],
    },
    Preset {
        id: "paper-simsiam",
        title: "The paper's SimSiam on CIFAR-10",
        help: "As the paper's BYOL, with the online network as target.",
        set: paper_setting!["target" = "online"],
    },
    Preset {
        id: "simsiam-no-stop-gradient",
        title: "SimSiam without stop-gradient",
        help: "The gradient flows into both sides of the loss: it reaches −2 at once, and all embeddings are one (Chen and He \
               2021, Figure 2).",
        set: &[("target", "online"), ("stop_gradient", "off")],
    },
    Preset {
        id: "simsiam-no-predictor",
        title: "SimSiam without predictor",
        help: "p = z: the gradient is half of that without stop-gradient, so it collapses all the same (Chen and He 2021, Table 1).",
        set: &[("target", "online"), ("predictor_layers", "none")],
    },
    Preset {
        id: "simsiam-fixed-predictor",
        title: "SimSiam, fixed random predictor",
        help: "Wp stays as it was drawn. One matrix: it collapses at seeds 1 to 3. In SimSiam's paper, with two layers, the loss stays \
               high; here too with two layers at rate 0.05, along one direction.",
        set: &[("target", "online"), ("predictor_rule", "fixed")],
    },
    Preset {
        id: "byol-no-projector-norm",
        title: "BYOL, projector without batch norm",
        help: "It collapses at seeds 1 to 3, though the encoder keeps its batch norm.",
        set: &[("projector_norm", "off")],
    },
    Preset {
        id: "analyse-weights",
        title: "Analyse weights of mine",
        help: "A ResNet-18 from a file, on CIFAR-10, as it is: choose the weights and the folder. No step is trained; spectrum, RankMe, \
               slope, kNN, probe and the eigenspaces of a first batch are measured. The network is the one for 32×32; of torchvision's own \
               (7×7 stem) choose network=resnet18_imagenet and moments=imagenet. The notices say so where the file's stem is another one.",
        set: &[
            ("network", "resnet18"),
            ("init", "file"),
            ("source", "cifar10"),
            ("steps", "0"),
            ("probe_train", "20000"),
            ("probe_test", "2000"),
        ],
    },
];
