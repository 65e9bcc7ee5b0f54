//! Golden cases of the optimizers lab: surfaces, runs of the article's algorithms, figure replicas, runs of torch.optim.

use learnscope::engine::params::{Params, Value as Parameter};
use learnscope::labs::optimizers::PATH_COLUMNS;
use learnscope::labs::optimizers::params::PARAMS;
use learnscope::labs::optimizers::rules::{Hyper, PAIRS, Rule, State};
use learnscope::labs::optimizers::surface_run;
use learnscope::labs::optimizers::surfaces::{self, Chosen, CriticalKind, Surface};
use learnscope::nn::optim::{self, Optimizer, Rates};
use serde_json::{Map, Value};

use super::trained::{Trained, allowed, comparable};
use super::{Report, Tolerance};

/// Of a surface's values, gradients and Hessians.
const SURFACE_TOLERANCE: f64 = 1e-9;
/// Of a run's rows before rounding noise makes them chaotic.
const RUN_TOLERANCE: f64 = 1e-8;
/// Minima from the literature are printed to 8 digits.
const LITERATURE_TOLERANCE: f64 = 1e-7;

/// Top-level entries that describe a file and hold no case.
const DESCRIPTION: &[&str] = &[
    "format",
    "precision",
    "numpy",
    "torch",
    "python",
    "note",
    "n_iters",
    "hyper",
    "learning_rates",
    "defaults_by_optimizer",
];

/// All of torch.optim that the product has not: a whole class (no options named), or what an option of a class makes of it
/// where it acts. Every other run must be computed.
const NOT_BUILT: &[(&str, &[&str])] = &[
    ("NAdam", &["weight_decay", "decoupled_weight_decay", "maximize"]),
    ("RAdam", &["weight_decay", "decoupled_weight_decay", "maximize"]),
    ("Adamax", &["weight_decay", "maximize"]),
    ("Rprop", &["maximize"]),
    ("ASGD", &["weight_decay", "maximize"]),
    ("LBFGS", &["history_size", "tolerance_grad", "tolerance_change", "maximize"]),
    ("SGD", &["maximize"]),
    ("Adagrad", &["weight_decay", "maximize"]),
    ("RMSprop", &["weight_decay", "maximize"]),
    ("Adadelta", &["weight_decay", "maximize"]),
    ("Adam", &["maximize"]),
    ("AdamW", &["maximize"]),
];

/// Checks every case of one file.
pub fn check(file: &Value, report: &mut Report) {
    let Some(sections) = file.as_object() else {
        return report.fail("the file is not an object".to_owned());
    };
    for (section, content) in sections {
        if DESCRIPTION.contains(&section.as_str()) {
            continue;
        }
        let Some(cases) = content.as_array() else {
            report.fail(format!("section `{section}` is of no known kind"));
            continue;
        };
        for case in cases {
            let outcome = match section.as_str() {
                "surfaces" => check_surface(case, report),
                "runs" if case.get("algorithm").is_some() => check_run("article runs", case, sections, report),
                "runs" if case.get("optimizer").is_some() => check_torch(case, sections, report),
                "figure_replicas" => check_run("figure replicas", case, sections, report),
                _ => Err(format!("section `{section}` has a case of no known kind")),
            };
            if let Err(message) = outcome {
                report.fail(message);
            }
        }
    }
}

fn check_surface(case: &Value, report: &mut Report) -> Result<(), String> {
    const KIND: &str = "surfaces";
    const POINTS: &str = "points of surfaces (f, gradient, Hessian)";
    const TYPED: &str = "the same of formulas typed as they are printed";
    let id = text(case, "name")?;
    let surface = find_surface(id)?;
    report.case(KIND);
    let domain = numbers(field(case, "domain")?)?;
    if domain != surface.domain.as_flattened() {
        return Err(format!("{id}: domain {domain:?} against ours {:?}", surface.domain));
    }
    for point in list(case, "points")? {
        report.case(POINTS);
        let p = [number(point, "x")?, number(point, "y")?];
        let gradient = numbers(field(point, "grad")?)?;
        let hessian: Vec<Vec<f64>> = list(point, "hessian")?.iter().map(numbers).collect::<Result<_, _>>()?;
        let golden: Vec<f64> =
            std::iter::once(number(point, "f")?).chain(gradient).chain(hessian.into_iter().flatten()).collect();
        let ours: Vec<f64> = std::iter::once(surface.f(p))
            .chain(surface.gradient(p))
            .chain(surface.hessian(p).as_flattened().iter().copied())
            .collect();
        if golden.len() != ours.len() {
            return Err(format!("{id} at {p:?}: {} numbers, expected {}", golden.len(), ours.len()));
        }
        for (i, (ours, golden)) in ours.into_iter().zip(&golden).enumerate() {
            report.close(POINTS, || format!("{id} at {p:?}, number {i}"), ours, *golden, SURFACE_TOLERANCE);
        }
        report.case(TYPED);
        let typed = Chosen::own(surface.formula(), surface.domain).map_err(|problem| format!("{id}: {problem}"))?;
        let typed =
            std::iter::once(typed.f(p)).chain(typed.gradient(p)).chain(typed.hessian(p).as_flattened().to_vec());
        for (i, (ours, golden)) in typed.zip(&golden).enumerate() {
            report.close(TYPED, || format!("{id} typed, at {p:?}, number {i}"), ours, *golden, SURFACE_TOLERANCE);
        }
    }
    for minimum in list(case, "minima")? {
        report.case("minima from the literature");
        let p = [number(minimum, "x")?, number(minimum, "y")?];
        let value = number(minimum, "f")?;
        let place = || format!("{id} at {p:?}");
        report.close("minima from the literature", place, surface.f(p), value, LITERATURE_TOLERANCE);
    }
    list(case, "critical_points")?.iter().try_for_each(|point| check_critical(surface, point, report))
}

fn check_critical(surface: &Surface, case: &Value, report: &mut Report) -> Result<(), String> {
    const KIND: &str = "critical points (f, eigenvalues)";
    report.case(KIND);
    let p: [f64; 2] = vector(field(case, "p")?)?;
    let place = || format!("{} at {p:?}", surface.id);
    report.close(KIND, place, surface.f(p), number(case, "f")?, SURFACE_TOLERANCE);
    let [[xx, xy], [_, yy]] = surface.hessian(p);
    let (mean, spread) = ((xx + yy) / 2.0, ((xx - yy) / 2.0).hypot(xy));
    let eigenvalues: [f64; 2] = vector(field(case, "eig")?)?;
    for (ours, golden) in [mean - spread, mean + spread].into_iter().zip(eigenvalues) {
        report.close(KIND, place, ours, golden, SURFACE_TOLERANCE);
    }
    let listed = surface
        .critical()
        .iter()
        .find(|critical| (critical.position[0] - p[0]).abs() < 1e-9 && (critical.position[1] - p[1]).abs() < 1e-9);
    let kind = match text(case, "kind")? {
        "min" => {
            listed.map(|critical| matches!(critical.kind, CriticalKind::GlobalMinimum | CriticalKind::LocalMinimum))
        }
        "max" => listed.map(|critical| critical.kind == CriticalKind::Maximum),
        "saddle" => listed.map(|critical| critical.kind == CriticalKind::Saddle),
        "degenerate" => listed.map(|critical| critical.kind == CriticalKind::Degenerate),
        other => return Err(format!("{}: unknown kind `{other}` of critical point", place())),
    };
    match kind {
        Some(true) => Ok(()),
        Some(false) => Err(format!("{}: our table calls it a {}", place(), listed.map_or("", |c| c.kind.title()))),
        None => Err(format!("{}: missing in our table", place())),
    }
}

/// A run of one of the article's algorithms.
fn check_run(kind: &str, case: &Value, file: &Map<String, Value>, report: &mut Report) -> Result<(), String> {
    let algorithm = text(case, "algorithm")?;
    let rule =
        Rule::ALL.into_iter().find(|rule| rule.id() == algorithm).ok_or(format!("unknown algorithm `{algorithm}`"))?;
    let hyper = case.get("hyper").or_else(|| file.get("hyper")).ok_or("a run without `hyper`")?;
    let hyper = article_hyper(hyper, number(case, "lr")?)?;
    let golden = GoldenRun::read(case)?;
    let name = format!("{} {} from {:?}, η = {}", rule.title(), golden.surface.id, golden.start, hyper.learning_rate);
    report.case(kind);
    compare(kind, &name, &golden, &walk(rule, &golden, &hyper, theta), report);

    let steps = golden.rows.len() - 1;
    if let Some(params) = as_parameters(rule, &golden, &hyper) {
        let paths = surface_run::paths(&params, &[], steps as u64).map_err(|e| e.to_string())?;
        let ours = walk(rule, &golden, &hyper, theta);
        let same =
            paths.len() == 1
                && paths[0].1.chunks(PATH_COLUMNS.len()).zip(&ours).all(|(row, [x, y, f])| {
                    [row[0], row[1], row[2]].map(f64::to_bits) == [x, y, f].map(|v| v.to_bits())
                });
        if !same {
            return Err(format!("{name}: the run's path differs from its rule's steps"));
        }
    }
    match case.get("state_first_steps") {
        Some(states) => check_states(&name, rule, &golden, &hyper, states, report),
        None => Ok(()),
    }
}

/// The gradient and every internal buffer after each of the first updates, by way of the step microscope.
fn check_states(
    name: &str,
    rule: Rule,
    golden: &GoldenRun,
    hyper: &Hyper,
    states: &Value,
    report: &mut Report,
) -> Result<(), String> {
    const KIND: &str = "updates with all internal state";
    let mut state = State::new(golden.start);
    for (i, golden_state) in states.as_array().ok_or("`state_first_steps` is no list")?.iter().enumerate() {
        if i + 1 >= golden.stable_rows {
            break;
        }
        report.case(KIND);
        let trace = rule.trace(&state, golden.surface, hyper);
        for (key, value) in golden_state.as_object().ok_or("a state that is no object")? {
            let symbol = match key.as_str() {
                "msq" => "s",
                "Eg2" => "E[g²]",
                "Ex2" => "E[Δθ²]",
                "g" | "v" | "G" | "m" => key,
                _ => return Err(format!("{name}: unknown state `{key}`")),
            };
            let part = trace.parts.iter().find(|part| part.symbol == symbol);
            let part = part.ok_or(format!("{name}: the update has no part `{symbol}`"))?;
            for (ours, golden) in part.value.into_iter().zip(vector::<2>(value)?) {
                report.close(KIND, || format!("{name}, update {}, {key}", i + 1), ours, golden, RUN_TOLERANCE);
            }
        }
        state = trace.next;
    }
    Ok(())
}

/// A run of torch.optim: by the lab's rule in f64, and by what networks are trained with in f32, where the product has
/// the one or the other.
fn check_torch(case: &Value, file: &Map<String, Value>, report: &mut Report) -> Result<(), String> {
    const RULES: &str = "torch.optim runs";
    let optimizer = text(case, "optimizer")?;
    if NOT_BUILT.iter().any(|(class, options)| *class == optimizer && options.is_empty()) {
        report.not_built(optimizer);
        return Ok(());
    }
    let mut options = file
        .get("defaults_by_optimizer")
        .and_then(|defaults| defaults.get(optimizer))
        .and_then(Value::as_object)
        .cloned()
        .ok_or(format!("no defaults of the optimizer `{optimizer}`"))?;
    options.extend(field(case, "kwargs")?.as_object().ok_or("`kwargs` is no object")?.clone());
    if let (Some(iterations), None) =
        (case["kwargs"].get("max_iter").and_then(Value::as_u64), case["kwargs"].get("max_eval"))
    {
        options.insert("max_eval".into(), (iterations * 5 / 4).into());
    }
    let options = TorchOptions::read(optimizer, &options)?;
    if !options.not_built.is_empty() {
        report.not_built(&format!("{optimizer} with {}", options.not_built.join(", ")));
        return Ok(());
    }
    let golden = GoldenRun::read(case)?;
    let name = format!("torch {optimizer} {} on {} from {:?}", case["kwargs"], golden.surface.id, golden.start);
    let (rule, trained) = (options.rule(optimizer), options.trained(optimizer));
    if rule.is_none() && trained.is_none() {
        return Err(format!("{name}: neither computed nor named as not built"));
    }
    if let Some(rule) = rule {
        report.case(RULES);
        // torch's Nesterov parameter is the look-ahead point φ = θ + μ v of ours.
        let shown = |state: &State| rule.gradient_point(state, &options.hyper);
        compare(RULES, &name, &golden, &walk(rule, &golden, &options.hyper, shown), report);
    }
    if let Some(trained) = trained {
        let kind = format!("torch.optim runs by what trains networks: {}", options.title(optimizer));
        report.case(&kind);
        let places: Vec<[f64; 2]> = golden.rows.iter().map(|row| [row[0], row[1]]).collect();
        let count = comparable(&places, golden.stable_rows);
        let ours = trained.walk(golden.surface, golden.start, count.saturating_sub(1));
        for (k, (ours, place)) in ours.into_iter().zip(places).take(count).enumerate() {
            let tolerance = Tolerance { relative: 0.0, absolute: allowed(place) };
            for (column, (ours, golden)) in ["x", "y"].iter().zip(ours.into_iter().zip(place)) {
                if !report.within(&kind, || format!("{name}, row {k}, {column}"), ours, golden, tolerance) {
                    return Ok(());
                }
            }
        }
    }
    Ok(())
}

/// The options of a torch.optim class.
struct TorchOptions {
    hyper: Hyper,
    nesterov: bool,
    amsgrad: bool,
    centered: bool,
    line_search: bool,
    decay: f64,
    decoupled: bool,
    /// Those that act and are named in [`NOT_BUILT`].
    not_built: Vec<String>,
}

impl TorchOptions {
    fn read(optimizer: &str, options: &Map<String, Value>) -> Result<Self, String> {
        let missing = NOT_BUILT.iter().find(|(class, _)| *class == optimizer).map_or(&[][..], |(_, options)| options);
        let mut read = Self {
            hyper: Hyper::from_values([0.0; Hyper::COUNT]),
            nesterov: false,
            amsgrad: false,
            centered: false,
            line_search: false,
            decay: 0.0,
            decoupled: optimizer == "AdamW",
            not_built: Vec::new(),
        };
        let hyper = &mut read.hyper;
        hyper.adadelta_rate = 1.0;
        for (key, value) in options {
            let on = value.as_bool() == Some(true);
            let amount = value.as_f64();
            let float = || amount.ok_or(format!("{optimizer}: `{key}` is {value}"));
            let whole = || amount.map(|v| v as usize).ok_or(format!("{optimizer}: `{key}` is {value}"));
            let mut acts = on || amount.is_some_and(|amount| amount != 0.0);
            match (optimizer, key.as_str()) {
                ("Adadelta", "lr") => hyper.adadelta_rate = float()?,
                ("LBFGS", "lr") => (hyper.lbfgs_rate, hyper.lbfgs_fixed_rate) = (float()?, float()?),
                ("LBFGS", "max_iter") if amount == Some(1.0) => {}
                ("LBFGS", "history_size") => acts = amount != Some(PAIRS as f64),
                // One evaluation is the first of a call; the line search looks once, and then so often.
                ("LBFGS", "max_eval") => hyper.choices.tries = whole()?.saturating_sub(1),
                ("LBFGS", "line_search_fn") => {
                    read.line_search = value.as_str() == Some("strong_wolfe");
                    acts = !read.line_search && !value.is_null();
                }
                ("LBFGS", "tolerance_grad") => acts = amount != Some(1e-7),
                ("LBFGS", "tolerance_change") => acts = amount != Some(1e-9),
                (_, "lr") => hyper.learning_rate = float()?,
                (_, "eps") => hyper.epsilon = float()?,
                ("SGD" | "RMSprop", "momentum") => hyper.momentum = float()?,
                ("SGD", "nesterov") => read.nesterov = on,
                // Without momentum there is nothing to dampen.
                ("SGD", "dampening") => hyper.dampening = float()?,
                ("RMSprop", "alpha") => hyper.rmsprop_beta = float()?,
                ("RMSprop", "centered") => read.centered = on,
                ("Adagrad", "lr_decay") => hyper.adagrad_decay = float()?,
                ("Adagrad", "initial_accumulator_value") => hyper.adagrad_start = float()?,
                ("Adadelta", "rho") => hyper.adadelta_rho = float()?,
                ("Adam" | "AdamW" | "NAdam" | "RAdam" | "Adamax", "betas") => {
                    [hyper.adam_beta1, hyper.adam_beta2] = vector(value)?;
                }
                ("Adam" | "AdamW", "amsgrad") => read.amsgrad = on,
                ("NAdam", "momentum_decay") => hyper.nadam_decay = float()?,
                ("Rprop", "etas") => [hyper.rprop_slower, hyper.rprop_faster] = vector(value)?,
                ("Rprop", "step_sizes") => [hyper.rprop_smallest, hyper.rprop_largest] = vector(value)?,
                ("ASGD", "lambd") => hyper.asgd_lambda = float()?,
                ("ASGD", "alpha") => hyper.asgd_alpha = float()?,
                ("ASGD", "t0") => hyper.asgd_from = float()?,
                ("AdamW", "weight_decay") => (hyper.weight_decay, read.decay) = (float()?, float()?),
                ("SGD" | "Adam", "weight_decay") => read.decay = float()?,
                ("Adam" | "AdamW", "decoupled_weight_decay") => read.decoupled = on,
                // How it is computed, not what.
                (_, "foreach" | "fused" | "capturable" | "differentiable") => {}
                _ if missing.contains(&key.as_str()) => {}
                _ => return Err(format!("{optimizer}: unknown option `{key}`")),
            }
            if acts && missing.contains(&key.as_str()) {
                read.not_built.push(key.clone());
            }
        }
        Ok(read)
    }

    /// The class and what momentum it has.
    fn title(&self, optimizer: &str) -> String {
        match (self.hyper.momentum != 0.0, self.nesterov) {
            (true, true) => format!("{optimizer} with Nesterov's momentum"),
            (true, false) => format!("{optimizer} with momentum"),
            _ => optimizer.to_owned(),
        }
    }

    /// The rule of the lab. Weights are decayed by AdamW alone, and its AMSGrad has no decay.
    fn rule(&self, optimizer: &str) -> Option<Rule> {
        let decays = self.decay != 0.0;
        match optimizer {
            "AdamW" if self.amsgrad => (!decays).then_some(Rule::AmsGrad),
            "AdamW" => Some(Rule::AdamW),
            _ if decays => None,
            "SGD" if self.hyper.momentum == 0.0 => Some(Rule::Sgd),
            "SGD" if self.nesterov => Some(Rule::Nag),
            "SGD" if self.hyper.dampening == 0.0 => Some(Rule::Momentum),
            "SGD" => Some(Rule::HeavyBall),
            "Adagrad" => Some(Rule::AdaGrad),
            "RMSprop" => match (self.centered, self.hyper.momentum != 0.0) {
                (false, false) => Some(Rule::RmsProp),
                (false, true) => Some(Rule::RmsPropMomentum),
                (true, false) => Some(Rule::RmsPropCentered),
                (true, true) => None,
            },
            "Adadelta" => Some(Rule::AdaDelta),
            "Adam" if self.amsgrad => Some(Rule::AmsGrad),
            "Adam" => Some(Rule::Adam),
            "NAdam" => Some(Rule::NAdam),
            "RAdam" => Some(Rule::RAdam),
            "Adamax" => Some(Rule::AdaMax),
            "Rprop" => Some(Rule::Rprop),
            "ASGD" => Some(Rule::Asgd),
            "LBFGS" if self.line_search => Some(Rule::Lbfgs),
            "LBFGS" => Some(Rule::LbfgsFixed),
            _ => None,
        }
    }

    /// What networks are trained with.
    fn trained(&self, optimizer: &str) -> Option<Trained> {
        let Hyper { learning_rate, momentum, adam_beta1, adam_beta2, epsilon, .. } = self.hyper;
        let rule = match optimizer {
            _ if self.amsgrad => return None,
            "SGD" if self.hyper.dampening != 0.0 && momentum != 0.0 => return None,
            "SGD" => optim::Rule::Sgd { momentum, nesterov: self.nesterov },
            "Adam" | "AdamW" => {
                optim::Rule::Adam { betas: (adam_beta1, adam_beta2), epsilon, decoupled: self.decoupled }
            }
            _ => return None,
        };
        Some(Trained { optimizer: Optimizer::new(rule), rates: Rates { learning_rate, decay: self.decay } })
    }
}

/// A stored run: rows of x, y, f up to the first that is not finite.
struct GoldenRun {
    surface: &'static Surface,
    start: [f64; 2],
    rows: Vec<[f64; 3]>,
    diverged_at: Option<usize>,
    /// Later rows amplify rounding noise and are not compared.
    stable_rows: usize,
}

impl GoldenRun {
    fn read(case: &Value) -> Result<Self, String> {
        let [x, y, z] = [numbers(field(case, "x")?)?, numbers(field(case, "y")?)?, numbers(field(case, "z")?)?];
        if x.is_empty() || x.len() != y.len() || x.len() != z.len() {
            return Err(format!("a run with {}, {} and {} values of x, y and z", x.len(), y.len(), z.len()));
        }
        let whole = |key: &str| match case.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => value.as_u64().map(|v| Some(v as usize)).ok_or(format!("`{key}` is {value}")),
        };
        Ok(Self {
            surface: find_surface(text(case, "surface")?)?,
            start: vector(field(case, "start")?)?,
            diverged_at: whole("diverged_at")?,
            stable_rows: whole("stable_rows")?.unwrap_or(x.len()),
            rows: x.into_iter().zip(y).zip(z).map(|((x, y), z)| [x, y, z]).collect(),
        })
    }
}

/// What a run shows of its state: the position.
fn theta(state: &State) -> [f64; 2] {
    state.theta
}

/// Our rows x, y, f of the same run and one more, so that the row of a divergence can be seen.
fn walk(rule: Rule, golden: &GoldenRun, hyper: &Hyper, shown: impl Fn(&State) -> [f64; 2]) -> Vec<[f64; 3]> {
    let mut state = State::new(golden.start);
    let row = |state: &State| {
        let [x, y] = shown(state);
        [x, y, golden.surface.f([x, y])]
    };
    let mut rows = vec![row(&state)];
    for _ in 0..golden.rows.len() {
        rule.step(&mut state, golden.surface, hyper);
        rows.push(row(&state));
    }
    rows
}

fn compare(kind: &str, name: &str, golden: &GoldenRun, ours: &[[f64; 3]], report: &mut Report) {
    let stored = golden.rows.len();
    for (k, (ours, golden)) in ours.iter().zip(&golden.rows).take(golden.stable_rows).enumerate() {
        for (column, (ours, golden)) in ["x", "y", "f"].iter().zip(ours.iter().zip(golden)) {
            if !report.close(kind, || format!("{name}, row {k}, {column}"), *ours, *golden, RUN_TOLERANCE) {
                return;
            }
        }
    }
    if golden.stable_rows == stored {
        let whole = ours[..stored].iter().flatten().all(|v| v.is_finite());
        let goes_on = ours[stored].iter().all(|v| v.is_finite());
        match golden.diverged_at {
            Some(at) if at != stored => report.fail(format!("{name}: diverged at row {at}, but {stored} are stored")),
            Some(at) if !whole || goes_on => report.fail(format!("{name}: does not diverge at row {at}")),
            None if !whole => report.fail(format!("{name}: diverges within {stored} rows")),
            _ => {}
        }
    }
}

/// The same run as parameters of the lab, where they are within the form's ranges.
fn as_parameters(rule: Rule, golden: &GoldenRun, hyper: &Hyper) -> Option<Params> {
    let mut params = Params::defaults(PARAMS);
    for other in Rule::ALL {
        params.set(PARAMS, &format!("use_{}", other.id()), Parameter::Switch(other == rule)).ok()?;
    }
    params.set(PARAMS, "surface", Parameter::Text(golden.surface.id.to_owned())).ok()?;
    params.set(PARAMS, "start_x", Parameter::Float(golden.start[0])).ok()?;
    params.set(PARAMS, "start_y", Parameter::Float(golden.start[1])).ok()?;
    for (key, value) in Hyper::KEYS.into_iter().zip(hyper.values()) {
        params.set(PARAMS, key, Parameter::Float(value)).ok()?;
    }
    Some(params)
}

fn article_hyper(values: &Value, learning_rate: f64) -> Result<Hyper, String> {
    for key in values.as_object().ok_or("`hyper` is no object")?.keys() {
        if !["mu", "rms_decay", "adadelta_decay", "beta1", "beta2", "eps"].contains(&key.as_str()) {
            return Err(format!("unknown hyper-parameter `{key}`"));
        }
    }
    Ok(Hyper {
        learning_rate,
        momentum: number(values, "mu")?,
        rmsprop_beta: number(values, "rms_decay")?,
        adadelta_rho: number(values, "adadelta_decay")?,
        adam_beta1: number(values, "beta1")?,
        adam_beta2: number(values, "beta2")?,
        epsilon: number(values, "eps")?,
        ..Hyper::DEFAULT
    })
}

fn find_surface(id: &str) -> Result<&'static Surface, String> {
    surfaces::by_id(id).ok_or(format!("unknown surface `{id}`"))
}

fn field<'a>(value: &'a Value, key: &str) -> Result<&'a Value, String> {
    value.get(key).ok_or_else(|| format!("`{key}` is missing"))
}

fn text<'a>(value: &'a Value, key: &str) -> Result<&'a str, String> {
    field(value, key)?.as_str().ok_or_else(|| format!("`{key}` is no text"))
}

fn number(value: &Value, key: &str) -> Result<f64, String> {
    field(value, key)?.as_f64().ok_or_else(|| format!("`{key}` is no number"))
}

fn list<'a>(value: &'a Value, key: &str) -> Result<&'a Vec<Value>, String> {
    field(value, key)?.as_array().ok_or_else(|| format!("`{key}` is no list"))
}

fn numbers(value: &Value) -> Result<Vec<f64>, String> {
    let items = value.as_array().ok_or_else(|| format!("{value} is no list"))?;
    items.iter().map(|item| item.as_f64().ok_or_else(|| format!("{item} is no number"))).collect()
}

fn vector<const N: usize>(value: &Value) -> Result<[f64; N], String> {
    numbers(value)?.try_into().map_err(|found: Vec<f64>| format!("{} numbers where {N} were expected", found.len()))
}
