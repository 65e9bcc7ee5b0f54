//! Things to try: a sentence and the parameters that it sets.

use eframe::egui::{Button, RichText, Ui, vec2};

use crate::engine::params::{self, Value};
use crate::kit::view::ViewCtx;
use crate::labs::self_supervised::params::PARAMS;
use crate::plot::tile;

/// A text and parameters as typed.
pub struct Try {
    pub text: &'static str,
    pub set: &'static [(&'static str, &'static str)],
}

pub const TRIES: &[Try] = &[
    Try {
        text: "Kill it: SimSiam with a symmetric predictor. Watch rank and spread, not alignment.",
        set: &[
            ("predictor_rule", "gradient"),
            ("target", "online"),
            ("symmetry", "on"),
            ("rate_encoder", "0.15"),
            ("rate_projector", "0.15"),
            ("rate_predictor", "0.15"),
            ("decay_encoder", "0.005"),
            ("decay_projector", "0.005"),
            ("decay_predictor", "0.005"),
        ],
    },
    Try {
        text: "The same symmetric predictor, but with a moving average: does it live?",
        set: &[("target", "ema"), ("symmetry", "on")],
    },
    Try { text: "No symmetry at all: does Wp turn symmetric by itself?", set: &[("symmetry", "off")] },
    Try {
        text: "Almost no decay on the predictor: the asymmetry has nothing that removes it.",
        set: &[("decay_predictor", "0.0004")],
    },
    Try {
        text: "Table 3's recipe: a tenfold predictor rate and decay on the predictor only. With two layers it rescues; does \
               it with one?",
        set: &[
            ("rate_encoder", "0.05"),
            ("rate_projector", "0.05"),
            ("rate_predictor", "0.5"),
            ("decay_encoder", "0"),
            ("decay_projector", "0"),
            ("decay_predictor", "0.005"),
        ],
    },
    Try {
        text: "A larger rate of the predictor shrinks the basin of collapse. Does the symmetric one live now? Try seeds.",
        set: &[
            ("target", "online"),
            ("symmetry", "on"),
            ("rate_encoder", "0.12"),
            ("rate_projector", "0.12"),
            ("rate_predictor", "0.3"),
            ("decay_encoder", "0.005"),
            ("decay_projector", "0.005"),
            ("decay_predictor", "0.005"),
        ],
    },
    Try {
        text: "DirectPred: set Wp from the eigenvalues of F, at every step.",
        set: &[("predictor_layers", "one"), ("predictor_rule", "directpred")],
    },
    Try { text: "F without its mean: what does the top eigenvector mean then?", set: &[("f_centred", "on")] },
    Try {
        text: "Back to BYOL in a minute.",
        set: &[
            ("predictor_rule", "gradient"),
            ("target", "ema"),
            ("tau", "0.95"),
            ("symmetry", "off"),
            ("f_centred", "off"),
            ("rate_encoder", "0.15"),
            ("rate_projector", "0.15"),
            ("rate_predictor", "0.15"),
            ("decay_encoder", "0.005"),
            ("decay_projector", "0.005"),
            ("decay_predictor", "0.005"),
        ],
    },
];

/// The value of a parameter as typed; `None` for a key or a text that the lab does not know.
fn value(key: &str, text: &str) -> Option<Value> {
    let mut all = params::Params::defaults(PARAMS);
    all.set_text(PARAMS, &format!("{key}={text}")).ok()?;
    all.get(key).cloned()
}

/// Draws one button each.
pub fn ui(ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
    let size = tile::font_size(ctx.presenting);
    for item in TRIES {
        let text = RichText::new(item.text).size(size + 1.0).color(ctx.style.text);
        let button = Button::new(text).wrap().min_size(vec2(ui.available_width(), 0.0));
        let sets: Vec<String> = item.set.iter().map(|(key, value)| format!("{key} = {value}")).collect();
        if ui.add(button).on_hover_text(format!("Sets {}", sets.join(", "))).clicked() {
            for (key, text) in item.set {
                if let Some(value) = value(key, text) {
                    ctx.set(key, value, true);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_to_try_is_a_valid_setting() {
        for item in TRIES {
            for (key, text) in item.set {
                assert!(value(key, text).is_some(), "{key}={text}");
            }
        }
    }
}
