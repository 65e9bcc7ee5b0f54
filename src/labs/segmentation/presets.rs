//! Named starting points. A CPU trains narrow networks on small images; the paper's setting needs a GPU.

use crate::kit::lab::Preset;

/// The paper's setting on one's own data, and what differs from it.
macro_rules! paper_setting {
    ($($key:literal = $value:literal),*) => {
        &[
            ("source", "folder"),
            ("image_size", "256"),
            ("base", "64"),
            ("loss", "dice"),
            ("learning_rate", "0.0001"),
            ("batch_size", "8"),
            ("augment", "on"),
            ("mask_border", "background"),
            ("plateau", "on"),
            ("early_stopping", "on"),
            ("steps", "10400"),
            $(($key, $value)),*
        ]
    };
}
pub(super) use paper_setting;

pub static PRESETS: &[Preset] = &[
    Preset {
        id: "tiny-unet",
        title: "Tiny U-net in a minute",
        help: "U-net of width 8 on generated images of 64×64 pixels, Adam, smoothed Dice loss, no augmentation.",
        set: &[],
    },
    Preset {
        id: "tiny-light",
        title: "Tiny Light U-net",
        help: "The second stage of every block is depthwise separable.",
        set: &[("architecture", "light")],
    },
    Preset {
        id: "tiny-lighter",
        title: "Tiny Lighter U-net @4",
        help: "Groups of 4 channels at width 8: the analogue of the paper's @32 at width 64.",
        set: &[("architecture", "lighter"), ("group", "4")],
    },
    Preset {
        id: "overfit",
        title: "Overfit one image",
        help: "A sanity test: network, loss and optimizer must be able to learn one image by heart.",
        set: &[("overfit", "one"), ("steps", "120"), ("validate_every", "5")],
    },
    Preset {
        id: "rung-0",
        title: "Ladder, lowest rung",
        help: "BCE, SGD 1e-3, batch 2, no augmentation: how the paper's ladder starts, scaled down.",
        set: &[
            ("loss", "bce"),
            ("optimizer", "sgd"),
            ("learning_rate", "0.001"),
            ("batch_size", "2"),
            ("steps", "1000"),
        ],
    },
    Preset {
        id: "calipers",
        title: "Do measuring marks leak?",
        help: "Trained with sonographers' marks on every lesion, validated and tested without.",
        set: &[("calipers", "train")],
    },
    Preset {
        id: "own-folder",
        title: "Your own folder, small",
        help: "Images and masks of a folder at 128 pixels, width 16, as the paper trains but for the size. Minutes to hours.",
        set: &[
            ("source", "folder"),
            ("image_size", "128"),
            ("base", "16"),
            ("augment", "on"),
            ("plateau", "on"),
            ("early_stopping", "on"),
            ("learning_rate", "0.001"),
            ("steps", "5000"),
        ],
    },
    Preset {
        id: "paper-unet",
        title: "The paper's U-net",
        help: "Width 64 at 256×256, Dice loss, Adam 1e-4, decay 1e-4, batch 8, up to 200 epochs of 416 images. For a GPU.",
        set: paper_setting!["weight_decay" = "0.0001"],
    },
    Preset {
        id: "paper-lighter-1",
        title: "The paper's Lighter U-net @1",
        help: "As the paper's U-net, with depthwise groups and decay 1e-2 as its released weights were trained. For a GPU.",
        set: paper_setting!["architecture" = "lighter", "group" = "1", "weight_decay" = "0.01"],
    },
];
