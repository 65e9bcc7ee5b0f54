use std::sync::atomic::{AtomicBool, Ordering as Order};

use super::*;
use crate::engine::params::Params;
use crate::labs::optimizers::params::PARAMS;
use crate::labs::optimizers::rules::State;

fn request(set: &[&str]) -> Request {
    let mut params = Params::defaults(PARAMS);
    set.iter().for_each(|assignment| params.set_text(PARAMS, assignment).unwrap());
    Request::of(&params, 7, 8, false).unwrap()
}

/// A function of one's own, and these rules alone.
fn own(function: &str, rules: &[Rule], steps: u64) -> Request {
    let request = request(&["surface=own", &format!("function={function}"), &format!("steps={steps}")]);
    Request { rules: rules.to_vec(), ..request }
}

fn race(request: &Request) -> Race {
    run(request, Watch::nobody()).unwrap()
}

fn of(race: &Race, rule: Rule) -> &Standing {
    race.standings.iter().find(|one| one.rule == rule).unwrap()
}

#[test]
fn nobody_looks_at_more_gradients_than_the_budget_and_only_line_searches_leave_some() {
    let request = Request { rules: Rule::ALL.to_vec(), budget: 60, ..request(&["surface=rosenbrock"]) };
    let hyper = with_rate(&request.hyper, 1e-4);
    for rule in Rule::ALL {
        let mut seen = Vec::new();
        walk::walk(rule, &request, &hyper, &Noise::OFF, [-1.2, 1.0], |state, _| seen.push(state.evaluations));
        let last = *seen.last().unwrap();
        if rule == Rule::Lbfgs {
            assert!(last <= 60 && last > 60 - 26, "{last}");
            assert!((seen.len() as u64) < last, "its line search cost more than one gradient in some update");
        } else {
            assert_eq!(seen, (0..=60).collect::<Vec<u64>>(), "{rule:?}");
        }
    }
}

#[test]
fn gradients_are_counted_as_they_are_looked_at() {
    let surface = crate::labs::optimizers::surfaces::by_id("rosenbrock").unwrap();
    let hyper = with_rate(&Hyper::DEFAULT, 1e-4);
    for rule in Rule::ALL {
        let mut state = State::new([-1.2, 1.0]);
        for _ in 0..20 {
            let (before, looks) = (state.evaluations, std::cell::Cell::new(0_u64));
            let theta = state.theta;
            let gradient = surface.gradient(rule.gradient_point(&state, &hyper));
            let see = |p: [f64; 2]| {
                // At θ itself the gradient is known: only f is asked for.
                looks.set(looks.get() + u64::from(p != theta));
                (surface.f(p), surface.gradient(p))
            };
            rule.step_with(&mut state, gradient, &see, &hyper);
            assert_eq!(state.evaluations - before, 1 + looks.get(), "{rule:?} at update {}", state.k);
        }
    }
}

#[test]
fn sgd_on_a_quadratic_gets_the_rate_of_theory() {
    for (function, [a, b]) in [("x^2/2 + 50y^2", [1.0, 100.0]), ("x^2 + 3y^2", [2.0, 6.0])] {
        let race = race(&own(function, &[Rule::Sgd], 120));
        let tuned = of(&race, Rule::Sgd).tuned.clone().unwrap();
        let ratio = tuned.rate / (2.0 / (a + b));
        assert!((1.0 / 1.2..1.2).contains(&ratio), "{function}: {} is {ratio} times 2/(a + b)", tuned.rate);
        assert!(!tuned.at_border && !tuned.lost);
        // Above 2/b it diverges, and the curve of what was tried says so.
        let value = |rate: f64| tuned.tried.iter().find(|[tried, _]| *tried >= rate).unwrap()[1];
        assert!(value(2.2 / b) > value(1.0 / b), "{:?}", tuned.tried);
        assert!(tuned.tried.windows(2).all(|pair| pair[0][0] < pair[1][0]), "each rate once, in order");
        assert_eq!(tuned.tried.len(), tune::RUNS);
    }
}

#[test]
fn a_race_is_the_same_for_a_seed_whatever_the_threads_do() {
    let request = request(&["surface=booth", "steps=60", "gradient_noise=1"]);
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| race(&request))
    };
    let one = with(1);
    // By its text: not a number is not itself.
    assert_eq!(format!("{one:?}"), format!("{:?}", with(4)));
    let other = race(&Request { seed: 8, ..request.clone() });
    assert!(other.starts != one.starts && other.standings.len() == one.standings.len());
    let tuning = request.places(0, TUNING).unwrap();
    assert!(one.starts.iter().all(|start| !tuning.contains(start)), "judged where it was not tuned");
}

#[test]
fn what_is_judged_is_a_run_at_the_tuned_rate() {
    let request = request(&["surface=booth", "steps=60"]);
    let race = race(&request);
    assert!(matches!(race.lowest, Lowest::Known(lowest) if lowest == 0.0));
    let (eta, factors) = race.rates(0.01);
    assert_eq!((eta, factors.len()), (0.01, 6), "all but AdaDelta have a rate");
    for one in &race.standings {
        let mut params = Params::defaults(PARAMS);
        let start = race.starts[3];
        for set in [
            "surface=booth".to_owned(),
            format!("start_x={:?}", start[0]),
            format!("start_y={:?}", start[1]),
            format!("learning_rate={eta:?}"),
        ] {
            params.set_text(PARAMS, &set).unwrap();
        }
        for (rule, factor) in &factors {
            params.set_text(PARAMS, &format!("{}={factor:?}", rule.own_rate().unwrap().key())).unwrap();
        }
        let paths = surface_run::paths(&params, &[], 60).unwrap();
        let (_, rows) = paths.iter().find(|(rule, _)| *rule == one.rule).unwrap();
        let (found, wanted) = (one.outcomes[3].f, rows[60 * 10 + 2]);
        // η times a factor is the rate to rounding alone.
        assert!((found - wanted).abs() <= 1e-9 * wanted.abs() + 1e-25, "{:?}: {found} {wanted}", one.rule);
    }
}

#[test]
fn ranks_and_wins_are_shared_by_those_that_tie() {
    let scores = [Score(1.0, 5.0), Score(0.0, 9.0), Score(0.0, 9.0), Score::LOST];
    assert_eq!(shared_ranks(&scores), [3.0, 1.5, 1.5, 4.0]);
    // Without momentum these three are one method.
    let mut request = own("x^2 + 3y^2", &[Rule::Sgd, Rule::Momentum, Rule::Nag], 30);
    request.hyper.momentum = 0.0;
    let race = race(&request);
    for one in &race.standings {
        assert_eq!((one.rank, one.mean_rank), (2.0, 2.0), "{:?}", one.rule);
        assert!((one.wins - 8.0 / 3.0).abs() < 1e-12, "{:?}: {}", one.rule, one.wins);
    }
    assert!((race.standings.iter().map(|one| one.wins).sum::<f64>() - 8.0).abs() < 1e-12);
}

#[test]
fn where_f_falls_without_end_who_leaves_first_is_best() {
    let race = race(&Request { starts: 9, ..request(&["surface=saddle", "steps=200"]) });
    assert_eq!(race.lowest, Lowest::Endless);
    for one in &race.standings {
        assert!(one.gap.iter().all(|gap| gap.is_nan()));
        // AdaDelta, which nobody can tune, gathers speed for longer than that.
        assert!(one.arrived == 9 || one.rule == Rule::AdaDelta, "{:?} leaves from {}", one.rule, one.arrived);
    }
    let took: Vec<f64> = race.standings.iter().filter_map(|one| one.gradients).collect();
    assert!(took.first() <= took.last(), "{took:?}");
    let found = super::lowest_at_the_border(&own("x + y", &[Rule::Sgd], 20).surface);
    assert!(found && !super::lowest_at_the_border(&own("x^4 + y^4", &[Rule::Sgd], 20).surface));
}

#[test]
fn a_flat_minimum_that_nobody_knows_is_found_by_who_comes_lowest() {
    let race = race(&own("x^4 + y^4", &[Rule::Sgd, Rule::Adam], 60));
    let Lowest::Found(lowest) = race.lowest else { panic!("{:?}", race.lowest) };
    assert!((0.0..1e-3).contains(&lowest), "{lowest}");
    assert!(race.standings.iter().all(|one| one.gap[0] >= 0.0 && one.gap[0] <= one.gap[2]));
}

#[test]
fn places_without_a_value_are_no_starts_and_cost_a_run_that_steps_there() {
    let race = race(&own("ln(x) * ln(x) + y^2", &[Rule::Sgd, Rule::Adam], 60));
    assert!(race.starts.iter().all(|start| start[0] > 0.0));
    let nowhere = run(&own("1/0 + x", &[Rule::Sgd], 20), Watch::nobody()).unwrap_err();
    assert!(nowhere.contains("finite value and slope at only 0 of 1600 places"), "{nowhere}");
    // Beyond x = 0 the root has no value: whoever steps there is lost.
    let lost = self::race(&own("sqrt(x) + y^2", &[Rule::Lion], 300));
    assert!(
        lost.standings[0].outcomes.iter().any(|outcome| !outcome.f.is_finite()),
        "{:?}",
        lost.standings[0].outcomes
    );
}

#[test]
fn who_diverges_at_every_rate_is_told_and_comes_last() {
    // So steep that every rate of the search is far above 2/λ.
    let race = race(&own("5e7*(x^2 + y^2)", &[Rule::Sgd, Rule::Lbfgs], 300));
    let sgd = of(&race, Rule::Sgd);
    assert!(sgd.tuned.as_ref().unwrap().lost, "{:?}", sgd.tuned);
    assert!(sgd.tuned.as_ref().unwrap().at_border, "the lowest rate is the nearest to a better one");
    assert_eq!((sgd.gap[1], sgd.wins, sgd.arrived), (f64::INFINITY, 0.0, 0));
    assert_eq!((race.standings[0].rule, race.standings[0].tuned.as_ref()), (Rule::Lbfgs, None));
    assert_eq!(race.standings[0].wins, 8.0);
}

#[test]
fn starts_lie_in_the_window_or_around_the_forms_start() {
    let params = Params::defaults(PARAMS);
    for near in [false, true] {
        let request = Request::of(&params, 3, 32, near).unwrap();
        let places = request.places(1, 32).unwrap();
        let window = request.surface.domain;
        for place in places {
            for i in 0..2 {
                let [low, high] = window[i];
                let wanted = if near {
                    let (middle, reach) = (request.around.unwrap()[i], AROUND * (high - low));
                    middle - reach..=middle + reach
                } else {
                    low..=high
                };
                assert!(wanted.contains(&place[i]), "{near}: {place:?}");
            }
        }
    }
}

#[test]
fn a_race_does_not_depend_on_the_rates_in_the_form() {
    let [plain, other] = [&["surface=booth"][..], &["surface=booth", "learning_rate=0.3", "rate_adam=9"]].map(request);
    assert_eq!(plain, other, "using the rates of a race leaves it up to date");
    assert_ne!(plain, request(&["surface=booth", "momentum=0.5"]));
    assert_ne!(plain, request(&["surface=booth", "use_sgd=off"]));
}

#[test]
fn a_race_that_is_no_longer_wanted_stops_and_odd_requests_are_refused() {
    let cancel = AtomicBool::new(false);
    let progress = |done: usize, all: usize| {
        assert!(done <= all);
        cancel.store(done > 100, Order::Relaxed);
    };
    let watch = Watch { progress: &progress, cancel: &cancel };
    let long = request(&["surface=booth", "steps=2000"]);
    assert_eq!(run(&long, watch).unwrap_err(), "the race was stopped");
    for odd in [Request { budget: 0, ..long.clone() }, Request { starts: 0, ..long.clone() }] {
        assert!(run(&odd, Watch::nobody()).unwrap_err().contains("a race has 1 to 100000 gradients"));
    }
    assert!(run(&Request { rules: Vec::new(), ..long }, Watch::nobody()).unwrap_err().contains("no optimizer is on"));
}

#[test]
fn the_table_as_text_has_a_line_for_each() {
    let race = race(&request(&["surface=booth", "steps=40", "use_lbfgs=on"]));
    let csv = race.csv();
    let lines: Vec<Vec<&str>> = csv.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(lines.len(), 9);
    assert!(lines.iter().all(|line| line.len() == lines[0].len()), "{csv}");
    assert_eq!(lines[1][1], race.standings[0].rule.id());
    let adadelta = lines.iter().find(|line| line[1] == "adadelta").unwrap();
    assert_eq!(adadelta[11..], ["", ""], "it has no rate");
}
