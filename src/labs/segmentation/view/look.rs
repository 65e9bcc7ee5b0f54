//! How images are shown, the same on the wall and in the inspector: what lies over them, whose outline is drawn beside,
//! and the part that is seen.

use crate::kit::fields::Fields;
use crate::kit::wall::Mark;
use crate::plot::image_view::Lens;
use crate::plot::style::{Dash, Style};

/// What lies over an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Mode {
    /// Nothing but the outlines.
    #[default]
    Outlines,
    /// The predicted mask.
    Mask,
    /// The probability of lesion, at the network's size.
    Probability,
    /// Where prediction and truth differ.
    Errors,
    /// Standard deviation of the probability over dropout samples.
    Uncertainty,
}

impl Mode {
    pub const ALL: [Mode; 5] = [Mode::Outlines, Mode::Mask, Mode::Probability, Mode::Errors, Mode::Uncertainty];

    pub fn name(self) -> &'static str {
        match self {
            Mode::Outlines => "outlines",
            Mode::Mask => "mask",
            Mode::Probability => "probability",
            Mode::Errors => "errors",
            Mode::Uncertainty => "uncertainty",
        }
    }

    pub fn help(self) -> &'static str {
        match self {
            Mode::Outlines => "The image with both outlines and nothing else",
            Mode::Mask => "The predicted mask laid over the image",
            Mode::Probability => "Probability of lesion as the network gives it, before threshold and post-processing",
            Mode::Errors => "Pixels that are lesion and found, found but not lesion, lesion but missed",
            Mode::Uncertainty => "Standard deviation of the probability over passes with dropout on",
        }
    }
}

/// An earlier prediction whose outline is drawn faintly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Ghost {
    #[default]
    None,
    /// The validation before the one that is shown.
    Previous,
    /// The first validation: the untrained network.
    First,
}

impl Ghost {
    pub const ALL: [Ghost; 3] = [Ghost::None, Ghost::Previous, Ghost::First];

    pub fn name(self) -> &'static str {
        match self {
            Ghost::None => "none",
            Ghost::Previous => "the validation before",
            Ghost::First => "the first validation",
        }
    }
}

/// How images are shown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Look {
    pub mode: Mode,
    /// Of what lies over the image, 0 to 1.
    pub opacity: f32,
    pub ghost: Ghost,
    /// What part of every image is seen.
    pub lens: Lens,
}

impl Look {
    /// What of it belongs to a scene.
    pub fn fields(&mut self, fields: &mut Fields) {
        fields.choice("mode", &mut self.mode, &Mode::ALL.map(|mode| (mode.name(), mode)));
        fields.share("opacity", &mut self.opacity, 0.5);
        fields.choice("ghost", &mut self.ghost, &Ghost::ALL.map(|ghost| (ghost.name(), ghost)));
        fields.lens("lens", &mut self.lens);
    }
}

impl Default for Look {
    fn default() -> Self {
        Self { mode: Mode::default(), opacity: 0.5, ghost: Ghost::default(), lens: Lens::default() }
    }
}

/// Marks over images. Ultrasound is dark in every theme, so they are the bright ones of the dark look.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Marks {
    pub truth: Mark,
    pub prediction: Mark,
    pub ghost: Mark,
    pub found: Mark,
    pub too_much: Mark,
    pub missed: Mark,
}

impl Marks {
    pub fn of(style: &Style) -> Self {
        let style = if style.high_contrast { Style::high_contrast() } else { Style::dark() };
        let mark = |name, short, color, dash| Mark { name, short, color, dash };
        let category = |i: usize| style.category(i).color;
        Self {
            truth: mark("truth", "truth", style.error, Dash::Dashed),
            prediction: mark("prediction", "prediction", style.good, Dash::Solid),
            ghost: mark("earlier", "earlier", style.text_weak, Dash::Dotted),
            found: mark("found (TP)", "TP", category(3), Dash::Solid),
            too_much: mark("too much (FP)", "FP", category(1), Dash::Solid),
            missed: mark("missed (FN)", "FN", category(7), Dash::Solid),
        }
    }
}
