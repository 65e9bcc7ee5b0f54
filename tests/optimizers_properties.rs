//! What must hold of the seven rules whatever the numbers: closed forms, symmetries, equivalences.

use learnscope::labs::optimizers::rules::{Hyper, Rule, State};
use learnscope::labs::optimizers::surfaces::{self, Surface};

fn article(learning_rate: f64) -> Hyper {
    Hyper::from_values([learning_rate, 0.9, 0.9, 0.9, 0.9, 0.999, 1e-8])
}

fn surface(id: &str) -> &'static Surface {
    surfaces::by_id(id).expect("a surface of the catalogue")
}

/// θ after 0, 1, … `steps` updates.
fn positions(rule: Rule, surface: &Surface, start: [f64; 2], hyper: &Hyper, steps: usize) -> Vec<[f64; 2]> {
    let mut state = State::new(start);
    let mut positions = vec![start];
    for _ in 0..steps {
        rule.step(&mut state, surface, hyper);
        positions.push(state.theta);
    }
    positions
}

/// θ after so many updates from gradients that are `scale` times the surface's.
fn scaled_positions(rule: Rule, surface: &Surface, scale: f64, hyper: &Hyper, steps: usize) -> Vec<[f64; 2]> {
    let mut state = State::new([1.0, -0.5]);
    (0..steps)
        .map(|_| {
            let gradient = surface.gradient(rule.gradient_point(&state, hyper)).map(|g| scale * g);
            rule.step_with(&mut state, gradient, hyper);
            state.theta
        })
        .collect()
}

#[track_caller]
fn assert_close(ours: f64, expected: f64, relative: f64, what: &str) {
    assert!((ours - expected).abs() <= relative * expected.abs(), "{what}: {ours:e}, expected {expected:e}");
}

#[test]
fn sgd_on_the_saddle_follows_its_closed_form() {
    for eta in [0.001, 0.01, 0.1] {
        let path = positions(Rule::Sgd, surface("saddle"), [0.5, 1e-10], &article(eta), 200);
        for (k, [x, y]) in path.into_iter().enumerate() {
            let k = k as i32;
            assert_close(x, 0.5 * (1.0 - 2.0 * eta).powi(k), 1e-12, "x");
            assert_close(y, 1e-10 * (1.0 + 2.0 * eta).powi(k), 1e-12, "y");
        }
    }
}

#[test]
fn the_first_update_has_the_size_that_the_rule_fixes() {
    // |g| is far above ε on each of these, so only its sign counts.
    for (id, start) in [("rosenbrock", [-1.2, 1.0]), ("himmelblau", [-4.0, 4.0]), ("beale", [1.0, -2.0])] {
        let g = surface(id).gradient(start);
        for eta in [0.001, 0.1] {
            let expected = [
                (Rule::AdaGrad, eta),
                (Rule::Adam, eta),
                (Rule::RmsProp, eta / 0.1_f64.sqrt()),
                (Rule::AdaDelta, (1e-8_f64 / 0.1).sqrt()),
            ];
            for (rule, size) in expected {
                let to = positions(rule, surface(id), start, &article(eta), 1)[1];
                for i in 0..2 {
                    assert_close(to[i] - start[i], -size * g[i].signum(), 1e-5, rule.title());
                }
            }
        }
    }
}

#[test]
fn nag_starts_like_momentum_and_then_differs() {
    for surface in surfaces::ALL {
        let start = [0.7, -0.4];
        let nag = positions(Rule::Nag, surface, start, &article(1e-3), 3);
        let momentum = positions(Rule::Momentum, surface, start, &article(1e-3), 3);
        assert_eq!(nag[1], momentum[1], "{}", surface.id);
        assert_ne!(nag[2], momentum[2], "{}", surface.id);
    }
}

#[test]
fn momentum_without_momentum_is_sgd() {
    let hyper = Hyper { momentum: 0.0, ..article(0.01) };
    for rule in [Rule::Momentum, Rule::Nag] {
        let start = [1.0, 0.25];
        let sgd = positions(Rule::Sgd, surface("himmelblau"), start, &hyper, 100);
        assert_eq!(positions(rule, surface("himmelblau"), start, &hyper, 100), sgd);
    }
}

#[test]
fn nothing_leaves_the_symmetry_line_of_the_saddle() {
    for rule in Rule::ALL {
        let path = positions(rule, surface("saddle"), [0.5, 0.0], &article(0.01), 500);
        assert!(path.iter().all(|[_, y]| *y == 0.0), "{rule:?}");
        assert!(path[500][0].abs() < 0.5, "{rule:?} still goes down along x");
    }
}

#[test]
fn nothing_leaves_the_shelf_once_it_is_on_it() {
    for rule in Rule::ALL {
        let path = positions(rule, surface("article_quartic"), [0.0, 0.0], &article(0.1), 100);
        assert!(path.iter().all(|theta| *theta == [0.0, 0.0]), "{rule:?}");
    }
}

#[test]
fn adadelta_has_no_learning_rate_and_triples_a_tiny_offset() {
    let path = |hyper: &Hyper| positions(Rule::AdaDelta, surface("saddle"), [0.5, 1e-10], hyper, 200);
    let article_path = path(&article(0.01));
    assert_eq!(article_path, path(&article(10.0)));
    // |g| ≪ √ε: SGD with learning rate 1, so y ← y + 2 y.
    for (k, [_, y]) in article_path.iter().take(4).enumerate() {
        assert_close(*y, 1e-10 * 3.0_f64.powi(k as i32), 1e-6, "y");
    }
    let above_1 = |path: &[[f64; 2]]| path.iter().position(|[_, y]| y.abs() > 1.0);
    assert_eq!(above_1(&article_path), Some(75));
    assert_eq!(above_1(&path(&Hyper { epsilon: 1e-6, ..article(0.01) })), Some(45));
}

#[test]
fn a_gradient_below_epsilon_is_divided_by_epsilon() {
    for rule in [Rule::AdaGrad, Rule::RmsProp, Rule::Adam] {
        let path = positions(rule, surface("saddle"), [0.5, 1e-10], &article(0.01), 1);
        let share = (path[1][1] - path[0][1]) / 0.01;
        assert!((0.019..0.0201).contains(&share), "{rule:?}: {share}");
    }
}

#[test]
fn the_adaptive_rules_leave_the_symmetry_line_when_the_reference_says() {
    for (rule, step) in [(Rule::Adam, 78), (Rule::RmsProp, 73), (Rule::AdaGrad, 1264)] {
        let path = positions(rule, surface("saddle"), [0.5, 1e-10], &article(0.01), 1500);
        assert_eq!(path.iter().position(|[_, y]| y.abs() > 1.0), Some(step), "{rule:?}");
    }
}

#[test]
fn nag_is_torchs_nesterov_in_other_coordinates() {
    for (id, start, eta) in [("rosenbrock", [-1.2, 1.0], 1e-3), ("article_quartic", [1.0, -0.8], 0.01)] {
        let (surface, hyper) = (surface(id), article(eta));
        let mut state = State::new(start);
        // torch.optim.SGD(nesterov=True): buf ← μ buf + g(φ); φ ← φ − η (g + μ buf).
        let (mut phi, mut buffer) = (start, [0.0; 2]);
        for k in 0..200 {
            Rule::Nag.step(&mut state, surface, &hyper);
            let g = surface.gradient(phi);
            buffer = [0, 1].map(|i| hyper.momentum * buffer[i] + g[i]);
            phi = [0, 1].map(|i| phi[i] - eta * (g[i] + hyper.momentum * buffer[i]));
            let ours = Rule::Nag.gradient_point(&state, &hyper);
            for i in 0..2 {
                assert!((ours[i] - phi[i]).abs() < 1e-12 * (1.0 + phi[i].abs()), "{id}, update {k}: {ours:?}, {phi:?}");
            }
        }
    }
}

#[test]
fn scaling_f_changes_nothing_for_the_adaptive_rules_and_scales_eta_for_the_others() {
    // A power of two, so that scaling itself rounds nothing.
    let scale = 1024.0;
    let surface = surface("article_quartic");
    for rule in [Rule::Sgd, Rule::Momentum, Rule::Nag] {
        let scaled = scaled_positions(rule, surface, scale, &article(0.01 / scale), 100);
        assert_eq!(scaled, scaled_positions(rule, surface, 1.0, &article(0.01), 100), "{rule:?}");
    }
    let no_epsilon = Hyper { epsilon: 1e-300, ..article(0.01) };
    for rule in [Rule::AdaGrad, Rule::RmsProp, Rule::Adam] {
        let scaled = scaled_positions(rule, surface, scale, &no_epsilon, 100);
        for (scaled, plain) in scaled.iter().zip(scaled_positions(rule, surface, 1.0, &no_epsilon, 100)) {
            for i in 0..2 {
                assert!((scaled[i] - plain[i]).abs() < 1e-12, "{rule:?}: {scaled:?} {plain:?}");
            }
        }
    }
}

#[test]
fn rmsprop_ends_in_a_cycle_of_half_its_learning_rate() {
    for eta in [0.1, 0.01] {
        let path = positions(Rule::RmsProp, surface("saddle"), [0.5, 1e-10], &article(eta), 499);
        for [x, _] in &path[480..] {
            assert_close(x.abs(), eta / 2.0, 0.02, "|x|");
        }
    }
}

#[test]
fn sgd_diverges_in_the_ravine_beyond_two_over_the_curvature() {
    let end = |eta: f64| {
        positions(Rule::Sgd, surface("ill_conditioned_quadratic"), [-1.8, 0.4], &article(eta), 400)[400][1].abs()
    };
    assert!(end(0.0199) < 0.4 * 0.1);
    assert!(end(0.0201) > 0.4 * 10.0);
}
