//! Named settings of the form.

use crate::kit::lab::Preset;

/// Every preset, the first one first.
pub static PRESETS: &[Preset] = &[
    Preset {
        id: "ours",
        title: "Ours: all three terms",
        help: "L_global + 0.1 L_local + 0.1 L_pert on generated chests. The default.",
        set: &[],
    },
    Preset {
        id: "convirt",
        title: "ConVIRT-style",
        help: "The baseline: pairs against pairs alone.",
        set: &[("variant", "convirt")],
    },
    Preset {
        id: "gloria",
        title: "GLoRIA-style",
        help: "Pairs against pairs, and words against regions.",
        set: &[("variant", "gloria")],
    },
    Preset {
        id: "without-local",
        title: "Ours without local",
        help: "Pairs against pairs, and reports against their perturbations.",
        set: &[("variant", "without-local")],
    },
    Preset {
        id: "order-blind",
        title: "A text encoder that hardly sees order",
        help: "Without the convolution over words. Structure accuracy stays about chance at the article's weights, while antonyms are \
               told.",
        set: &[("convolution", "off")],
    },
    Preset {
        id: "sharp",
        title: "Sharp attention",
        help: "Words by their plain embeddings, regions by a softmax at 0.1: the local loss that can point at a finding.",
        set: &[("attention", "sharp"), ("alpha", "1")],
    },
    Preset {
        id: "authors",
        title: "As the authors' program",
        help: "Learned temperatures, 0.01 for L_pert, perturbations drawn once and kept where they change nothing, the slip in the sum \
               of directions.",
        set: &[
            ("temperature", "learned"),
            ("tau_perturbed", "0.01"),
            ("perturbed", "once"),
            ("keep_degenerate", "on"),
            ("directions", "slip"),
        ],
    },
    Preset {
        id: "article",
        title: "The article's settings",
        help: "SGD at 0.0015 and 224 pixels with ResNet-18, d = 128, batches of 64: for weights trained before. From random weights it hardly \
               moves.",
        set: &[
            ("optimizer", "sgd"),
            ("learning_rate", "0.0015"),
            ("weight_decay", "0.0005"),
            ("image_encoder", "resnet18"),
            ("image_size", "224"),
            ("width", "128"),
            ("batch_size", "64"),
        ],
    },
    Preset {
        id: "sample",
        title: "Sample in Open-I's layout",
        help: "A small generated set, read as a folder of one's own is: XML reports beside PNG files.",
        set: &[("source", "sample"), ("batch_size", "16"), ("steps", "300")],
    },
];
