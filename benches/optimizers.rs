//! How fast the seven rules walk on the saddle, and how that compares with the article's NumPy loops.
//!
//! The comparison runs the same updates on both sides in one go and prints the ratio; it needs `python3` with NumPy and
//! says so where they are missing.

use std::hint::black_box;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use criterion::{BenchmarkId, Criterion, Throughput};
use learnscope::engine::params::Params;
use learnscope::labs::optimizers::maps::{self, BasinRequest, Request, Task};
use learnscope::labs::optimizers::params::PARAMS;
use learnscope::labs::optimizers::rules::{Hyper, Rule, State};
use learnscope::labs::optimizers::surface_run;
use learnscope::labs::optimizers::surfaces::{self, Chosen, Surface};
use learnscope::watch::Watch;

/// Rows of one run, as in the article's figure.
const ROWS: usize = 500;
/// Runs that make up 10⁵ updates. One long run would leave the range of f64: the saddle has no bottom.
const RUNS: usize = 200;
/// Runs of the NumPy side, enough for a stable figure.
const NUMPY_RUNS: usize = 20;

fn article() -> Hyper {
    Hyper::article(0.01)
}

/// What the article's functions do: a table with a row x, y, f per update.
fn table(rule: Rule, surface: &Surface, hyper: &Hyper, rows: &mut Vec<[f64; 3]>) {
    let mut state = State::new([0.5, 1e-4]);
    rows.clear();
    rows.push([0.5, 1e-4, surface.f(state.theta)]);
    for _ in 1..ROWS {
        rule.step(&mut state, surface, hyper);
        let [x, y] = state.theta;
        rows.push([x, y, surface.f(state.theta)]);
    }
}

fn runs(rule: Rule, surface: &Surface, hyper: &Hyper, runs: usize, rows: &mut Vec<[f64; 3]>) {
    for _ in 0..runs {
        table(rule, black_box(surface), black_box(hyper), rows);
        black_box(&rows);
    }
}

fn kernels(criterion: &mut Criterion) {
    let surface = surfaces::by_id("saddle").expect("the saddle is in the catalogue");
    let mut rows = Vec::with_capacity(ROWS);
    let mut group = criterion.benchmark_group("10^5 updates on the saddle");
    group.throughput(Throughput::Elements((RUNS * (ROWS - 1)) as u64));
    for rule in Rule::ALL {
        group.bench_function(BenchmarkId::from_parameter(rule.id()), |bencher| {
            bencher.iter(|| runs(rule, surface, &article(), RUNS, &mut rows));
        });
    }
    group.finish();

    let surface = Chosen::Catalogue(surfaces::by_id("himmelblau").expect("it is in the catalogue"));
    let own = Chosen::own(surface.formula(), surface.domain).expect("it is typed as it is printed");
    let mut group = criterion.benchmark_group("basin map, 256 x 256 starts, 500 updates of Adam");
    group.sample_size(10);
    for (name, surface) in [("himmelblau", surface), ("the same typed", own)] {
        let task = Task { rule: Rule::Adam, hyper: article(), steps: 500, tolerance: 0.01, surface };
        let request = Request::Basin(BasinRequest { window: task.surface.domain, size: [256; 2], task });
        group.bench_function(BenchmarkId::from_parameter(name), |bencher| {
            bencher.iter(|| maps::compute(black_box(&request), None, Watch::nobody()));
        });
    }
    group.finish();

    // All that a run records: gradient norm, move and internal state too.
    let params = Params::defaults(PARAMS);
    let mut group = criterion.benchmark_group("paths of seven rules");
    for steps in [5_000_u64, 100_000] {
        group.throughput(Throughput::Elements(7 * steps));
        group.sample_size(20);
        group.bench_function(BenchmarkId::from_parameter(steps), |bencher| {
            bencher.iter(|| surface_run::paths(black_box(&params), &[], steps).expect("the defaults are valid"));
        });
    }
    group.finish();
}

/// Prints our time per update beside that of the article's loops.
fn compare() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/article_loop.py");
    let output = Command::new("python3").arg(script).args([ROWS.to_string(), NUMPY_RUNS.to_string()]).output();
    let output = match output {
        Ok(output) if output.status.success() => output,
        Ok(output) => {
            let message = String::from_utf8_lossy(&output.stderr);
            println!("no comparison with NumPy: {}", message.lines().last().unwrap_or("python3 failed"));
            return;
        }
        Err(error) => {
            println!("no comparison with NumPy: python3 did not start ({error})");
            return;
        }
    };
    let surface = surfaces::by_id("saddle").expect("the saddle is in the catalogue");
    let mut rows = Vec::with_capacity(ROWS);
    println!("{:10} {:>14} {:>14} {:>8}", "rule", "ours, ns", "NumPy, ns", "ratio");
    let mut worst = f64::INFINITY;
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let mut fields = line.split_whitespace();
        let (Some(name), Some(Ok(numpy)), Some(Ok(last_y))) =
            (fields.next(), fields.next().map(str::parse::<f64>), fields.next().map(str::parse::<f64>))
        else {
            panic!("article_loop.py printed `{line}`");
        };
        let rule = Rule::ALL.into_iter().find(|rule| rule.id() == name).expect("a rule of ours");
        let seconds = (0..10)
            .map(|_| {
                let begin = Instant::now();
                runs(rule, surface, &article(), RUNS, &mut rows);
                begin.elapsed().as_secs_f64()
            })
            .fold(f64::INFINITY, f64::min);
        let ours = seconds * 1e9 / (RUNS * (ROWS - 1)) as f64;
        let y = rows[ROWS - 1][1];
        assert!((y - last_y).abs() <= 1e-9 * last_y.abs(), "{name} ends at y = {y}, the article's loop at {last_y}");
        worst = worst.min(numpy / ours);
        println!("{name:10} {ours:>14.2} {numpy:>14.0} {:>7.0}x", numpy / ours);
    }
    println!("smallest ratio: {worst:.0}x (wanted: at least 50x)");
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    kernels(&mut criterion);
    criterion.final_summary();
    // `cargo test --benches` only asks whether everything runs.
    if !std::env::args().any(|argument| argument == "--test") {
        compare();
    }
}
