//! Where each surface is best begun: a start, a learning rate and a number of updates that show what it is there for.

use super::params::{LEARNING_RATE, START_X, START_Y, STEPS, SURFACE};
use crate::kit::lab::Brought;

const X: &str = START_X.key();
const Y: &str = START_Y.key();
const ETA: &str = LEARNING_RATE.key();
const UPDATES: &str = STEPS.key();

const fn scene(x: &'static str, y: &'static str, eta: &'static str, steps: &'static str) -> [Brought; 4] {
    [(X, x), (Y, y), (ETA, eta), (UPDATES, steps)]
}

/// One for each surface of the catalogue, and for one of one's own. The saddle's are the parameters' defaults.
static SCENES: &[(&str, [Brought; 4])] = &[
    ("saddle", scene("0.5", "0.0001", "0.01", "420")),
    ("article_quartic", scene("1", "-0.5", "0.01", "400")),
    ("beale", scene("0.5", "-1.5", "0.01", "600")),
    ("rosenbrock", scene("-1.2", "1", "0.001", "2000")),
    ("himmelblau", scene("-0.5", "-0.5", "0.01", "300")),
    ("booth", scene("-4", "6.5", "0.05", "300")),
    ("matyas", scene("-8", "3", "0.2", "400")),
    // On the next three nobody gets far: each bump is a trap, and who leaves one is told by Momentum and NAG.
    ("rastrigin", scene("1.4", "-1.45", "0.005", "400")),
    ("ackley", scene("2.3", "1.6", "0.05", "300")),
    ("levy13", scene("3.1", "-1.2", "0.004", "400")),
    ("three_hump_camel", scene("1.9", "0.8", "0.02", "300")),
    ("six_hump_camel", scene("-0.8", "-0.05", "0.01", "300")),
    ("styblinski_tang", scene("0.3", "0.5", "0.02", "300")),
    ("goldstein_price", scene("0.4", "-0.3", "0.0001", "2000")),
    ("monkey_saddle", scene("0.5", "0.02", "0.03", "120")),
    ("ill_conditioned_quadratic", scene("-1.8", "0.4", "0.013", "200")),
    ("long_valley", scene("0.4", "1.6", "0.1", "300")),
    ("peaks", scene("-2.4", "-1.35", "0.1", "100")),
    ("plateau_wells", scene("0.3", "1.2", "0.1", "300")),
    ("own", scene("-0.5", "1.5", "0.01", "420")),
];

/// See [`LabSpec::brings`](crate::kit::lab::LabSpec::brings).
pub fn brings(key: &str, value: &str) -> &'static [Brought] {
    let found = SCENES.iter().find(|(surface, _)| key == SURFACE.key() && *surface == value);
    found.map_or(&[], |(_, scene)| scene)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::params::{Params, Value};
    use crate::kit::lab::choose;
    use crate::labs::optimizers::params::PARAMS;
    use crate::labs::optimizers::verdict::{Verdict, verdict};
    use crate::labs::optimizers::{SPEC, surface_run, surfaces};

    fn chosen(surface: &str) -> Params {
        let mut params = Params::defaults(PARAMS);
        choose(&SPEC, &mut params, SURFACE.key(), Value::Text(surface.to_owned())).unwrap();
        params
    }

    #[test]
    fn every_surface_brings_a_scene_in_which_something_happens() {
        for surface in surfaces::ALL {
            let params = chosen(surface.id);
            let steps = STEPS.of(&params) as u64;
            let paths = surface_run::paths(&params, &[], steps).unwrap();
            let size = surface.domain.map(|[low, high]| high - low);
            let (mut seen, mut arrived) = (0, 0);
            for (rule, rows) in &paths {
                let judged = verdict(rows, surface).unwrap();
                assert!(
                    !matches!(judged, Verdict::Overflow { .. } | Verdict::Growing { .. }),
                    "{rule:?} on {}: {judged:?}",
                    surface.id
                );
                let there = matches!(judged, Verdict::Arrived { .. });
                let end = &rows[rows.len() - 10..];
                let far = ((end[0] - rows[0]) / size[0]).hypot((end[1] - rows[1]) / size[1]) > 0.15;
                // Who went down without end may have no numbers left at the end.
                let left = matches!(judged, Verdict::Left { .. });
                (seen, arrived) = (seen + u32::from(there || far || left), arrived + u32::from(there));
            }
            let (least, there) = match surface.id {
                "rastrigin" | "ackley" | "levy13" => (1, 0),
                "goldstein_price" => (4, 3),
                _ if surface.minima().next().is_none() => (5, 0),
                _ => (5, 1),
            };
            assert!(seen >= least && arrived >= there, "{}: {seen} go far or arrive, {arrived} arrive", surface.id);
            let start = [START_X.of(&params), START_Y.of(&params)];
            let slope = surface.gradient(start);
            assert!(slope.iter().all(|v| *v != 0.0), "{}: one of the slopes at the start is 0", surface.id);
        }
    }

    #[test]
    fn what_was_set_by_hand_stays_and_what_was_brought_goes() {
        let mut params = chosen("booth");
        assert!(params.is(X, "-4.0") && params.is(ETA, "0.05"));
        params.set_text(PARAMS, "learning_rate=0.03").unwrap();
        choose(&SPEC, &mut params, SURFACE.key(), Value::Text("matyas".to_owned())).unwrap();
        assert!(params.is(X, "-8.0") && params.is(ETA, "0.03"), "a rate of one's own is kept");
        choose(&SPEC, &mut params, SURFACE.key(), Value::Text("saddle".to_owned())).unwrap();
        params.set_text(PARAMS, "learning_rate=0.01").unwrap();
        assert_eq!(params, Params::defaults(PARAMS));
    }
}
