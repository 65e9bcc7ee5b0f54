//! Where two paths part: the first step at which two conventions or variants of a rule are no longer the same.

use super::PATH_COLUMNS;

/// The first row at which x or y of two paths (rows of [`PATH_COLUMNS`]) differ by more than `tolerance · (1 + |x|)`, or of
/// which only one is a number; `None` where they do not, as far as both go.
pub fn first_difference(a: &[f64], b: &[f64], tolerance: f64) -> Option<u64> {
    let rows = |path: &'_ [f64]| path.chunks_exact(PATH_COLUMNS.len()).map(|row| [row[0], row[1]]).collect::<Vec<_>>();
    let differ = |a: f64, b: f64| match (a.is_finite(), b.is_finite()) {
        (true, true) => (a - b).abs() > tolerance * (1.0 + a.abs()),
        (a, b) => a != b,
    };
    let parted = |([ax, ay], [bx, by]): ([f64; 2], [f64; 2])| differ(ax, bx) || differ(ay, by);
    rows(a).into_iter().zip(rows(b)).position(parted).map(|row| row as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::params::Params;
    use crate::labs::optimizers::params::PARAMS;
    use crate::labs::optimizers::rules::Rule;
    use crate::labs::optimizers::surface_run::paths;

    fn path(rows: &[[f64; 2]]) -> Vec<f64> {
        rows.iter().flat_map(|[x, y]| [[*x, *y].as_slice(), &[0.0; PATH_COLUMNS.len() - 2]].concat()).collect()
    }

    #[test]
    fn paths_part_where_the_first_coordinate_does() {
        let a = path(&[[1.0, 2.0], [1.5, 2.0], [2.0, 2.0]]);
        assert_eq!(first_difference(&a, &a, 0.0), None);
        assert_eq!(first_difference(&a, &path(&[[1.0, 2.0], [1.5, 2.1], [2.0, 2.0]]), 1e-9), Some(1));
        assert_eq!(first_difference(&a, &path(&[[1.0, 2.0], [1.5 + 1e-12, 2.0]]), 1e-9), None);
        assert_eq!(first_difference(&a, &path(&[[1.0, f64::NAN]]), 1e-9), Some(0));
        let gone = path(&[[f64::NAN, f64::INFINITY]]);
        assert_eq!(first_difference(&gone, &path(&[[f64::INFINITY, f64::NAN]]), 1e-9), None);
        assert_eq!(first_difference(&[], &a, 0.0), None);
    }

    /// For each rule, where its path first differs from the plain form's.
    fn parted(set: &[&str]) -> Vec<(Rule, Option<u64>)> {
        let mut params = Params::defaults(PARAMS);
        let on = Rule::ALL.map(|rule| format!("{}=on", rule.switch().key()));
        let base = ["surface=rosenbrock", "start_x=-1.2", "start_y=1", "learning_rate=0.0005"];
        on.iter().map(String::as_str).chain(base).for_each(|text| params.set_text(PARAMS, text).unwrap());
        let plain = paths(&params, &[], 300).unwrap();
        set.iter().for_each(|text| params.set_text(PARAMS, text).unwrap());
        let other = paths(&params, &[], 300).unwrap();
        let part = |((rule, a), (_, b)): ((Rule, Vec<f64>), (Rule, Vec<f64>))| (rule, first_difference(&a, &b, 0.0));
        plain.into_iter().zip(other).map(part).collect()
    }

    #[test]
    fn where_epsilon_stands_changes_the_rules_that_have_a_root() {
        for (rule, step) in parted(&["epsilon_place=inside"]) {
            assert_eq!(step.is_some(), rule.has_epsilon_place(), "{rule:?}");
            // RAdam has no root before its sixth update.
            assert!(step.is_none_or(|step| step <= if rule == Rule::RAdam { 6 } else { 3 }), "{rule:?} {step:?}");
        }
    }

    #[test]
    fn bias_correction_changes_the_first_step_of_adam_and_its_kin() {
        for (rule, step) in parted(&["bias_correction=off"]) {
            assert_eq!(step, rule.has_bias_correction().then_some(1), "{rule:?}");
        }
    }

    #[test]
    fn a_convention_changes_the_rules_whose_defaults_differ() {
        use Rule::{
            AdaDelta, AdaGrad, Adam, AdamW, AmsGrad, Asgd, HeavyBall, RmsProp, RmsPropCentered, RmsPropMomentum,
        };
        let of = |set: &[&str]| -> Vec<Rule> {
            parted(set).into_iter().filter(|(_, step)| step.is_some()).map(|(rule, _)| rule).collect()
        };
        // ASGD's t₀ changes its average and not its path.
        let pytorch = [AdaGrad, RmsProp, AdaDelta, HeavyBall, RmsPropMomentum, RmsPropCentered];
        assert_eq!(of(&["convention=pytorch"]), pytorch);
        let burn = [AdaGrad, RmsProp, Adam, AdamW, AmsGrad, RmsPropMomentum, RmsPropCentered];
        assert_eq!(of(&["convention=burn"]), burn);
        assert!(!of(&["asgd_from=1000"]).contains(&Asgd));
    }

    #[test]
    fn a_schedule_changes_every_rule_that_has_what_it_moves() {
        for (rule, step) in parted(&["schedule=cosine", "steps=300"]) {
            // Rprop's step sizes begin at η and then find their own way.
            assert_eq!(step.is_some(), rule.has_learning_rate() && rule != Rule::Rprop, "{rule:?}");
        }
        for (rule, step) in parted(&["momentum_schedule=linear", "momentum_start=0.2", "steps=300"]) {
            let has = [Rule::Momentum, Rule::Nag, Rule::HeavyBall, Rule::RmsPropMomentum].contains(&rule);
            assert_eq!(step, has.then_some(2), "{rule:?}");
        }
    }
}
