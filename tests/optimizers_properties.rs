//! What must hold of the rules whatever the numbers: closed forms, symmetries, equivalences.

use learnscope::labs::optimizers::rules::{Hyper, Rule, State};
use learnscope::labs::optimizers::surfaces::{self, Surface};

fn article(learning_rate: f64) -> Hyper {
    Hyper::article(learning_rate)
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
    let see = |p| (scale * surface.f(p), surface.gradient(p).map(|g| scale * g));
    (0..steps)
        .map(|_| {
            let gradient = see(rule.gradient_point(&state, hyper)).1;
            rule.step_with(&mut state, gradient, &see, hyper);
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

#[test]
fn no_start_makes_a_rule_panic() {
    let odd = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300, -1e300, 1e-320, 0.0, -0.0];
    for surface in surfaces::ALL {
        for rule in Rule::ALL {
            for x in odd {
                for y in odd {
                    let path = positions(rule, surface, [x, y], &article(10.0), 4);
                    assert_eq!(path.len(), 5);
                    let state = State::new([x, y]);
                    assert!(!rule.trace(&state, surface, &article(10.0)).parts.is_empty());
                }
            }
        }
    }
}

#[test]
fn adam_and_its_kin_begin_with_a_step_of_eta() {
    let start = [-1.2, 1.0];
    let g = surface("rosenbrock").gradient(start);
    let hyper = Hyper { weight_decay: 0.0, ..article(0.01) };
    for rule in [Rule::Adam, Rule::AdamW, Rule::AmsGrad, Rule::AdaMax, Rule::Adan, Rule::Lion, Rule::Rprop] {
        let to = positions(rule, surface("rosenbrock"), start, &hyper, 1)[1];
        for i in 0..2 {
            assert_close(to[i] - start[i], -0.01 * g[i].signum(), 1e-6, rule.title());
        }
    }
}

#[test]
fn the_heavy_ball_without_dampening_is_momentum() {
    let hyper = Hyper { dampening: 0.0, ..article(0.001) };
    let [ball, momentum] =
        [Rule::HeavyBall, Rule::Momentum].map(|rule| positions(rule, surface("beale"), [1.0, 1.0], &hyper, 200));
    for (ball, momentum) in ball.iter().zip(&momentum) {
        for i in 0..2 {
            assert!((ball[i] - momentum[i]).abs() < 1e-11, "{ball:?} {momentum:?}");
        }
    }
    let dampened = positions(Rule::HeavyBall, surface("beale"), [1.0, 1.0], &article(0.001), 2);
    assert_eq!(dampened[1], ball[1], "the first gradient is not dampened");
    assert_ne!(dampened[2], ball[2]);
}

#[test]
fn rules_with_their_addition_switched_off_are_the_plain_ones() {
    let start = [0.0, 2.5];
    let none = Hyper { momentum: 0.0, weight_decay: 0.0, asgd_lambda: 0.0, adagrad_decay: 0.0, ..article(0.0007) };
    let same = |one: Rule, other: Rule, hyper: &Hyper, tolerance: f64| {
        let paths = [one, other].map(|rule| positions(rule, surface("rosenbrock"), start, hyper, 150));
        for (a, b) in paths[0].iter().zip(&paths[1]) {
            assert!((0..2).all(|i| (a[i] - b[i]).abs() <= tolerance), "{one:?} {other:?}: {a:?} {b:?}");
        }
    };
    same(Rule::RmsPropMomentum, Rule::RmsProp, &none, 1e-9);
    same(Rule::AdamW, Rule::Adam, &none, 1e-13);
    // η of ASGD is kept in f32, as PyTorch does.
    same(Rule::Asgd, Rule::Sgd, &none, 1e-6);
}

#[test]
fn rprop_uses_signs_alone_and_lion_walks_on_a_lattice() {
    let eta = 1.0 / 64.0;
    let start = [1.0, -0.5];
    for (k, [x, y]) in positions(Rule::Lion, surface("himmelblau"), start, &article(eta), 200).into_iter().enumerate() {
        for offset in [x - start[0], y - start[1]] {
            assert_eq!((offset / eta).fract(), 0.0, "update {k}");
        }
    }
    for rule in [Rule::Rprop, Rule::Lion] {
        let [plain, scaled] =
            [1.0, 1024.0].map(|scale| scaled_positions(rule, surface("article_quartic"), scale, &article(0.01), 100));
        assert_eq!(plain, scaled, "{rule:?}");
    }
}

#[test]
fn scaling_f_changes_nothing_for_the_further_adaptive_rules() {
    let hyper = Hyper { epsilon: 1e-300, weight_decay: 0.0, ..article(0.01) };
    let rules = [
        Rule::AdamW,
        Rule::AmsGrad,
        Rule::NAdam,
        Rule::AdaMax,
        Rule::Adan,
        Rule::RmsPropMomentum,
        Rule::RmsPropCentered,
    ];
    for rule in rules {
        let [plain, scaled] =
            [1.0, 1024.0].map(|scale| scaled_positions(rule, surface("article_quartic"), scale, &hyper, 60));
        for (plain, scaled) in plain.iter().zip(&scaled) {
            assert!((0..2).all(|i| (plain[i] - scaled[i]).abs() < 1e-9), "{rule:?}: {plain:?} {scaled:?}");
        }
    }
}

#[test]
fn radam_is_momentum_without_a_root_before_its_sixth_update() {
    let hyper = article(0.001);
    let mut state = State::new([0.7, -0.4]);
    for k in 1..=12 {
        let trace = Rule::RAdam.trace(&state, surface("himmelblau"), &hyper);
        assert_eq!(trace.parts.iter().any(|part| part.id == "rectifier"), k > 5, "update {k}");
        state = trace.next;
    }
}

#[test]
fn amsgrad_never_forgets_the_largest_second_moment() {
    let mut state = State::new([-4.0, 4.0]);
    let mut largest = [0.0; 2];
    for _ in 0..300 {
        Rule::AmsGrad.step(&mut state, surface("himmelblau"), &article(0.1));
        assert!((0..2).all(|i| state.b[i] >= largest[i] && state.b[i] >= state.c[i]));
        largest = state.b;
    }
    assert!(state.c[0] < 0.9 * state.b[0], "while v itself has fallen");
}

#[test]
fn the_average_of_asgd_begins_where_it_is_told_to() {
    let hyper = Hyper { asgd_from: 20.0, ..article(0.01) };
    let (mut state, mut later) = (State::new([-1.2, 1.0]), Vec::new());
    for k in 1..=60_u32 {
        Rule::Asgd.step(&mut state, surface("himmelblau"), &hyper);
        if k > 21 {
            later.push(state.theta[0]);
        }
        if k <= 22 {
            assert_eq!(state.a, state.theta, "update {k}");
        }
    }
    let mean = later.iter().sum::<f64>() / later.len() as f64;
    // PyTorch's weights 1, 1/2, 1/3 … make it a mean; it keeps them in f32.
    assert!((state.a[0] - mean).abs() < 1e-6 * mean.abs(), "{} {mean}", state.a[0]);
}

#[test]
fn lbfgs_finds_the_minimum_of_a_ravine_in_a_few_updates() {
    let ravine = surface("ill_conditioned_quadratic");
    let path = positions(Rule::Lbfgs, ravine, [-1.8, 0.4], &article(0.01), 12);
    assert!(ravine.f(path[12]) < 1e-14, "{:?}", path[12]);
    let rosenbrock = positions(Rule::Lbfgs, surface("rosenbrock"), [-1.2, 1.0], &article(0.01), 60);
    assert!((0..2).all(|i| (rosenbrock[60][i] - 1.0).abs() < 1e-5), "{:?}", rosenbrock[60]);
    // With the strong Wolfe conditions f never rises.
    for (before, after) in rosenbrock.iter().zip(&rosenbrock[1..]) {
        assert!(surface("rosenbrock").f(*after) <= surface("rosenbrock").f(*before));
    }
}

#[test]
fn gradients_are_counted() {
    for rule in Rule::ALL {
        let (mut state, mut seen) = (State::new([-1.2, 1.0]), 0);
        let rosenbrock = surface("rosenbrock");
        for _ in 0..30 {
            let looks = std::cell::Cell::new(0_u64);
            let see = |p| {
                looks.set(looks.get() + 1);
                (rosenbrock.f(p), rosenbrock.gradient(p))
            };
            let gradient = rosenbrock.gradient(rule.gradient_point(&state, &article(0.0005)));
            rule.step_with(&mut state, gradient, &see, &article(0.0005));
            // L-BFGS asks for f at θ again, whose gradient it has.
            seen += 1 + looks.get().saturating_sub(1);
        }
        assert_eq!((state.k, state.evaluations), (30, seen), "{rule:?}");
        assert_eq!(state.evaluations > 30, rule == Rule::Lbfgs, "{rule:?}");
    }
}
