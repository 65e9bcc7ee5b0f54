//! What a network sees of a point: functions of its standardised coordinates.

use super::super::params::{
    FEATURE_SIN_X1, FEATURE_SIN_X2, FEATURE_X1, FEATURE_X1_SQUARED, FEATURE_X1_X2, FEATURE_X2, FEATURE_X2_SQUARED,
};
use crate::data::points::Standardisation;
use crate::engine::params::Params;
use crate::engine::table::Switch;

/// One number that a network may see. x₁ and x₂ are the coordinates after [`Standardisation`]; the others are computed
/// from these and not standardised again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Feature {
    X1,
    X2,
    X1Squared,
    X2Squared,
    X1X2,
    SinX1,
    SinX2,
}

impl Feature {
    /// In the order in which the network takes them.
    pub const ALL: [Self; 7] =
        [Self::X1, Self::X2, Self::X1Squared, Self::X2Squared, Self::X1X2, Self::SinX1, Self::SinX2];
    /// Those of a fresh form.
    pub const DEFAULT: [Self; 2] = [Self::X1, Self::X2];

    /// The parameter that switches it on.
    pub fn switch(self) -> &'static Switch {
        match self {
            Feature::X1 => &FEATURE_X1,
            Feature::X2 => &FEATURE_X2,
            Feature::X1Squared => &FEATURE_X1_SQUARED,
            Feature::X2Squared => &FEATURE_X2_SQUARED,
            Feature::X1X2 => &FEATURE_X1_X2,
            Feature::SinX1 => &FEATURE_SIN_X1,
            Feature::SinX2 => &FEATURE_SIN_X2,
        }
    }

    /// Its formula.
    pub fn title(self) -> &'static str {
        self.switch().label()
    }

    fn of(self, [x1, x2]: [f32; 2]) -> f32 {
        match self {
            Feature::X1 => x1,
            Feature::X2 => x2,
            Feature::X1Squared => x1 * x1,
            Feature::X2Squared => x2 * x2,
            Feature::X1X2 => x1 * x2,
            Feature::SinX1 => (2.0 * x1).sin(),
            Feature::SinX2 => (2.0 * x2).sin(),
        }
    }
}

/// The features that these parameters switch on.
pub fn enabled(params: &Params) -> Vec<Feature> {
    Feature::ALL.into_iter().filter(|feature| feature.switch().of(params)).collect()
}

/// How points become what a network sees.
#[derive(Debug, Clone, PartialEq)]
pub struct Inputs {
    pub features: Vec<Feature>,
    pub standard: Standardisation,
}

impl Inputs {
    /// With the features that the parameters switch on, standardised by these training points.
    pub fn new(params: &Params, train: &[[f32; 2]]) -> Self {
        Self { features: enabled(params), standard: Standardisation::of(train) }
    }

    /// `[N, F]`, row-major, of N points in the data's own units.
    pub fn of(&self, xy: &[[f32; 2]]) -> Vec<f32> {
        let seen = xy.iter().map(|p| self.standard.apply(*p));
        seen.flat_map(|x| self.features.iter().map(move |feature| feature.of(x))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::labs::optimizers::params::PARAMS;

    #[test]
    fn features_are_computed_from_standardised_coordinates() {
        let mut params = Params::defaults(PARAMS);
        assert_eq!(enabled(&params), Feature::DEFAULT);
        let train = [[10.0, -3.0], [14.0, -1.0], [12.0, 1.0]];
        let standard = Standardisation::of(&train);
        let [x1, x2] = standard.apply([14.0, -3.0]);
        assert_eq!(Inputs::new(&params, &train).of(&[[14.0, -3.0]]), [x1, x2]);
        for feature in Feature::ALL {
            params.set_text(PARAMS, &format!("{}=on", feature.switch().key())).unwrap();
        }
        let all = Inputs::new(&params, &train).of(&[[12.0, 1.0], [14.0, -3.0]]);
        let expected = [x1, x2, x1 * x1, x2 * x2, x1 * x2, (2.0 * x1).sin(), (2.0 * x2).sin()];
        assert_eq!((all.len(), &all[7..]), (14, &expected[..]));
        assert!(x1 > 1.2 && x2 < -1.2, "{x1} {x2}: in standard deviations");
    }
}
