use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::*;
use crate::labs::optimizers::surfaces::{self, expression::Expression};

fn hyper() -> Hyper {
    // The defaults of the form.
    Hyper::article(0.01)
}

fn known(id: &str) -> Chosen {
    Chosen::Catalogue(surfaces::by_id(id).unwrap())
}

fn task(surface: Chosen, rule: Rule, learning_rate: f64, steps: u32) -> Task {
    Task { surface, rule, hyper: Hyper { learning_rate, ..hyper() }, steps, tolerance: 0.01 }
}

fn basin(task: Task, side: usize) -> Request {
    Request::Basin(BasinRequest { window: task.surface.domain, task, size: [side; 2] })
}

fn sweep(task: Task, start: [f64; 2], side: usize) -> Request {
    let rate = SweepAxis { key: "learning_rate", from: 1e-4, to: 1.0, log: true };
    let momentum = SweepAxis { key: "momentum", from: 0.0, to: 0.99, log: false };
    Request::Sweep(SweepRequest { task, start, axes: [rate, momentum], size: [side; 2] })
}

fn on_cpu(request: &Request) -> Map {
    compute(request, None, Watch::nobody()).unwrap()
}

fn share(of: &Map, end: End) -> f64 {
    of.cells.iter().filter(|cell| cell.end == end).count() as f64 / of.cells.len() as f64
}

/// The share of cells that end alike, and of those that take about as many steps.
fn agreement(a: &Map, b: &Map) -> [f64; 2] {
    let pairs = || a.cells.iter().zip(&b.cells);
    let alike = pairs().filter(|(a, b)| a.end == b.end).count();
    let as_long = pairs().filter(|(a, b)| a.end == b.end && a.steps.abs_diff(b.steps) <= 2).count();
    [alike, as_long].map(|count| count as f64 / a.cells.len() as f64)
}

#[test]
fn each_start_of_a_bowl_reaches_its_minimum() {
    let map = on_cpu(&basin(task(known("booth"), Rule::Momentum, 0.01, 500), 20));
    assert_eq!(share(&map, End::Minimum(0)), 1.0);
    // Starts beside the minimum are there at once.
    assert!(map.cells.iter().any(|cell| cell.steps == 0) || map.cells.iter().all(|cell| cell.steps < 300));
}

#[test]
fn basins_of_himmelblau_are_where_its_minima_are() {
    let request = basin(task(known("himmelblau"), Rule::Sgd, 0.005, 2_000), 64);
    let map = on_cpu(&request);
    let Request::Basin(basin) = &request else { unreachable!() };
    for (cell, at) in map.cells.iter().zip(0..) {
        let start = basin.start(at % 64, at / 64);
        let near = |minimum: &[f64; 2]| (minimum[0] - start[0]).hypot(minimum[1] - start[1]) < 0.6;
        if let Some(own) = map.minima.iter().position(near) {
            assert_eq!(cell.end, End::Minimum(own as u16), "from {start:?}");
        }
    }
    for minimum in 0..4 {
        assert!(share(&map, End::Minimum(minimum)) > 0.1);
    }
}

#[test]
fn minima_that_the_catalogue_leaves_out_are_ends_too() {
    let map = on_cpu(&basin(task(known("rastrigin"), Rule::Sgd, 0.001, 500), 32));
    assert_eq!(map.minima[0], [0.0, 0.0]);
    assert!(map.minima.len() > 40);
    let reached = map.cells.iter().filter(|cell| matches!(cell.end, End::Minimum(_))).count();
    assert!(reached > 400, "{reached} of 1024");
}

#[test]
fn a_run_that_grows_has_diverged_and_one_that_leaves_is_outside() {
    let map = on_cpu(&basin(task(known("ill_conditioned_quadratic"), Rule::Sgd, 0.03, 500), 16));
    assert_eq!(share(&map, End::Diverged), 1.0);
    let map = on_cpu(&basin(task(known("saddle"), Rule::Adam, 0.01, 2_000), 16));
    assert_eq!(share(&map, End::Outside), 1.0, "{:?}", map.cells[0]);
    let map = on_cpu(&basin(task(known("rosenbrock"), Rule::AdaDelta, 0.01, 10), 16));
    assert!(share(&map, End::Inside) > 0.9);
}

#[test]
fn a_run_of_which_one_coordinate_is_no_number_has_diverged_at_once() {
    // ∂f/∂x is NaN left of 0, ∂f/∂y never is.
    let surface = Chosen::own("x^1.5 + y^2", [[-1.0, 1.0]; 2]).unwrap();
    let map = on_cpu(&basin(task(surface, Rule::Sgd, 0.1, 300), 16));
    for (at, cell) in map.cells.iter().enumerate() {
        if at % 16 < 8 {
            assert_eq!(*cell, Cell { end: End::Diverged, steps: 1 }, "{at}");
        }
    }
}

#[test]
fn runs_side_by_side_end_as_each_rule_ends_alone() {
    for rule in Rule::ARTICLE {
        for id in ["himmelblau", "beale", "saddle", "long_valley"] {
            let request = basin(task(known(id), rule, 0.01, 300), 21);
            let map = on_cpu(&request);
            let alone = Map { cells: walk::cells_of_any_rule(&request, &map.minima), ..map.clone() };
            let [alike, as_long] = agreement(&map, &alone);
            // Adam's corrections are powers there and products here: the last bit may differ.
            assert!(alike >= 0.995 && as_long >= 0.995, "{rule:?} on {id}: {alike} {as_long}");
        }
    }
}

#[test]
fn a_typed_function_has_the_map_of_the_same_one_of_the_catalogue() {
    let himmelblau = known("himmelblau");
    let typed = Chosen::own(himmelblau.formula(), himmelblau.domain).unwrap();
    let [a, b] = [himmelblau, typed].map(|surface| on_cpu(&basin(task(surface, Rule::Adam, 0.05, 500), 48)));
    // The minima are listed in another order.
    let place = |map: &Map, cell: &Cell| match cell.end {
        End::Minimum(at) => map.minima[usize::from(at)].map(|x| (x * 1e3).round()),
        _ => [f64::INFINITY; 2],
    };
    let alike = a.cells.iter().zip(&b.cells).filter(|(x, y)| place(&a, x) == place(&b, y)).count();
    assert!(alike >= 48 * 48 - 5, "{alike}");
}

#[test]
fn a_sweep_finds_the_known_border_of_divergence() {
    // SGD with momentum on a quadratic diverges as soon as η exceeds 2(1 + μ)/b.
    let start = [-1.8, 0.4];
    let request = sweep(task(known("ill_conditioned_quadratic"), Rule::Momentum, 0.01, 3_000), start, 64);
    let Request::Sweep(asked) = &request else { unreachable!() };
    let map = on_cpu(&request);
    for (at, cell) in map.cells.iter().enumerate() {
        let hyper = asked.hyper(at % 64, at / 64).unwrap();
        let border = 2.0 * (1.0 + hyper.momentum) / 100.0;
        if hyper.learning_rate > 1.05 * border {
            assert_eq!(cell.end, End::Diverged, "{hyper:?}");
        } else if hyper.learning_rate < 0.95 * border {
            assert_ne!(cell.end, End::Diverged, "{hyper:?}");
        }
    }
    assert!(share(&map, End::Minimum(0)) > 0.3);
}

#[test]
fn every_surface_and_rule_has_a_valid_shader() {
    for surface in surfaces::ALL {
        for rule in Rule::ARTICLE {
            let expression = Expression::parse(surface.formula()).unwrap();
            let source = gpu::shader(&expression, walk::Kernel::of(rule, &hyper()).unwrap());
            let module = naga::front::wgsl::parse_str(&source)
                .unwrap_or_else(|error| panic!("{}: {}", surface.id, error.emit_to_string(&source)));
            naga::valid::Validator::new(naga::valid::ValidationFlags::all(), naga::valid::Capabilities::empty())
                .validate(&module)
                .unwrap_or_else(|error| panic!("{}: {}", surface.id, error.emit_to_string(&source)));
        }
    }
}

#[test]
fn it_is_told_how_far_a_map_is_and_it_can_be_stopped() {
    let (told, cancel) = (AtomicUsize::new(0), AtomicBool::new(false));
    let progress = |done: usize, all: usize| {
        assert_eq!(all, 64 * 64);
        told.fetch_max(done, Ordering::Relaxed);
    };
    let request = basin(task(known("himmelblau"), Rule::Adam, 0.01, 300), 64);
    compute(&request, None, Watch { progress: &progress, cancel: &cancel }).unwrap();
    assert_eq!(told.load(Ordering::Relaxed), 64 * 64);
    let stop = |_: usize, _: usize| cancel.store(true, Ordering::Relaxed);
    let stopped = compute(&request, None, Watch { progress: &stop, cancel: &cancel });
    assert_eq!(stopped, Err("the map was stopped".to_owned()));
}

#[test]
fn what_cannot_be_computed_is_refused_in_words() {
    let good = task(known("booth"), Rule::Sgd, 0.01, 10);
    let refused = |request: Request| compute(&request, None, Watch::nobody()).expect_err("refused");
    assert!(refused(basin(good.clone(), 0)).contains("1 to 1048576 cells"));
    assert!(refused(basin(good.clone(), 5_000)).contains("5000 × 5000"));
    assert!(refused(basin(Task { steps: 0, ..good.clone() }, 8)).contains("updates"));
    assert!(refused(basin(Task { tolerance: f64::NAN, ..good.clone() }, 8)).contains("tolerance"));
    let axis = SweepAxis { key: "temperature", from: 0.0, to: 1.0, log: false };
    let request = |axis| SweepRequest { task: good.clone(), start: [0.0; 2], axes: [axis; 2], size: [8; 2] };
    assert!(refused(Request::Sweep(request(axis))).contains("`temperature`"));
    let axis = SweepAxis { key: "learning_rate", from: 0.0, to: 1.0, log: true };
    assert!(refused(Request::Sweep(request(axis))).contains("cannot run from 0 to 1"));
    let flat = BasinRequest { task: good.clone(), window: [[1.0, 1.0], [0.0, 1.0]], size: [8; 2] };
    assert!(refused(Request::Basin(flat)).contains("no extent"));
}

#[test]
fn an_optimizers_own_rate_is_that_of_its_maps() {
    for rule in [Rule::Adam, Rule::Lion] {
        let map = |rate: f64, factor: f64| {
            let mut task = task(known("himmelblau"), rule, rate, 80);
            task.hyper.set(rule.own_rate().unwrap().key(), &Value::Float(factor)).unwrap();
            compute(&basin(task, 12), None, Watch::nobody()).unwrap().cells
        };
        assert!(map(0.2, 0.25) == map(0.05, 1.0), "{rule:?}");
        assert!(map(0.2, 0.25) != map(0.2, 1.0), "{rule:?}");
    }
}
