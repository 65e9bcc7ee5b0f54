//! One update, split into its named parts with the numbers in them: what the step microscope shows.

use super::{Hyper, Rule, State, Update, bias_correction, each};
use crate::labs::optimizers::surfaces::Surface;
use crate::labs::optimizers::theory::noise::Noise;

/// One update in parts. Its `next` is bit for bit what [`Rule::step`] gives.
#[derive(Debug, Clone, PartialEq)]
pub struct Trace {
    /// In the order of execution; the last one is the move.
    pub parts: Vec<Part>,
    pub next: State,
}

/// One named part of an update.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// Stable name, e.g. `gradient`, `first_moment`, `move`.
    pub id: &'static str,
    /// Name in words.
    pub title: &'static str,
    /// The quantity's symbol, e.g. `m`.
    pub symbol: &'static str,
    /// What is computed, in symbols.
    pub equation: &'static str,
    /// The equation with the current numbers in it.
    pub numbers: String,
    /// The result, per coordinate.
    pub value: [f64; 2],
    /// The result as an arrow in the plane, from and to, where it is one. Gradients and their averages point downhill.
    pub arrow: Option<([f64; 2], [f64; 2])>,
    /// One sentence: why, with these numbers.
    pub note: String,
}

impl Part {
    fn new(id: &'static str, title: &'static str, symbol: &'static str, equation: &'static str) -> Self {
        Self { id, title, symbol, equation, numbers: String::new(), value: [0.0; 2], arrow: None, note: String::new() }
    }

    fn value(mut self, value: [f64; 2], right_side: String) -> Self {
        self.value = value;
        self.numbers = format!("{} = {right_side} = {}", self.symbol, pair(value));
        self
    }

    fn arrow(mut self, from: [f64; 2], by: [f64; 2]) -> Self {
        self.arrow = Some((from, each(|i| from[i] + by[i])));
        self
    }

    fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }
}

impl Rule {
    /// The update that [`Rule::step`] would do from `state`, in parts.
    pub fn trace(self, state: &State, surface: &Surface, hyper: &Hyper) -> Trace {
        self.noisy_trace(state, surface, hyper, &Noise::OFF)
    }

    /// [`Rule::trace`] of a run whose gradients have noise.
    pub fn noisy_trace(self, state: &State, surface: &Surface, hyper: &Hyper, noise: &Noise) -> Trace {
        let at = self.gradient_point(state, hyper);
        let exact = surface.gradient(at);
        let g = noise.on(exact, at, state.k, |p| surface.gradient(p));
        let update = self.update(state, g, hyper);
        let context = Context { state, hyper, at, g, noise: each(|i| g[i] - exact[i]), update };
        let mut parts = match self {
            Rule::Sgd => vec![context.gradient(), context.sgd_step()],
            Rule::Momentum => vec![context.gradient(), context.inertia(), context.velocity()],
            Rule::Nag => vec![context.look_ahead(), context.gradient_ahead(), context.velocity()],
            Rule::AdaGrad => context.adagrad(),
            Rule::RmsProp => context.rmsprop(),
            Rule::AdaDelta => context.adadelta(),
            Rule::Adam => context.adam(),
        };
        parts.push(context.movement(surface));
        Trace { parts, next: update.next }
    }
}

/// One update with all that its parts refer to.
struct Context<'a> {
    state: &'a State,
    hyper: &'a Hyper,
    /// Where the gradient was taken.
    at: [f64; 2],
    g: [f64; 2],
    /// What of it is noise.
    noise: [f64; 2],
    update: Update,
}

impl Context<'_> {
    /// The gradient in numbers, with its noise.
    fn slope(&self) -> String {
        let exact = format!("∇f{}", pair(self.at));
        if self.noise == [0.0; 2] { exact } else { format!("{exact} + {}", pair(self.noise)) }
    }

    fn slope_note(&self) -> String {
        if self.noise == [0.0; 2] {
            return slope_note(self.g);
        }
        let exact = each(|i| self.g[i] - self.noise[i]);
        let angle = self.g[1].atan2(self.g[0]) - exact[1].atan2(exact[0]);
        let turned = (angle.sin().atan2(angle.cos()).to_degrees()).abs().round();
        format!(
            "The noise is {} long, the true slope {}: it turns the arrow by {turned}°.",
            number(length(self.noise)),
            number(length(exact))
        )
    }

    /// An equation of the gradient, or the same with noise.
    fn law(&self, exact: &'static str, noisy: &'static str) -> &'static str {
        if self.noise == [0.0; 2] { exact } else { noisy }
    }

    fn gradient(&self) -> Part {
        Part::new("gradient", "gradient g", "g", self.law("g = ∇f(θ)", "g = ∇f(θ) + noise"))
            .value(self.g, self.slope())
            .arrow(self.at, self.g.map(|g| -g))
            .note(self.slope_note())
    }

    fn look_ahead(&self) -> Part {
        let kept = self.state.a.map(|v| self.hyper.momentum * v);
        let note = if self.state.k == 0 {
            "There is no velocity yet, so the look-ahead point is θ itself.".to_owned()
        } else {
            "Where the kept velocity alone would carry θ: NAG looks at the slope there, before it goes.".to_owned()
        };
        Part::new("look_ahead", "look-ahead point", "θ̃", "θ̃ = θ + μ v")
            .value(
                self.at,
                format!("{} + {}·{}", pair(self.state.theta), number(self.hyper.momentum), pair(self.state.a)),
            )
            .arrow(self.state.theta, kept)
            .note(note)
    }

    fn gradient_ahead(&self) -> Part {
        Part::new(
            "gradient",
            "gradient at the look-ahead point",
            "g",
            self.law("g = ∇f(θ + μ v)", "g = ∇f(θ + μ v) + noise"),
        )
        .value(self.g, self.slope())
        .arrow(self.at, self.g.map(|g| -g))
        .note(self.slope_note())
    }

    fn sgd_step(&self) -> Part {
        let eta = self.hyper.learning_rate;
        Part::new("velocity", "step v", "v", "v = −η g")
            .value(self.update.delta, format!("−{}·{}", number(eta), pair(self.g)))
            .arrow(self.state.theta, self.update.delta)
            .note(format!(
                "The step is the slope times η: {} long, and it shrinks with the slope.",
                number(length(self.update.delta))
            ))
    }

    fn inertia(&self) -> Part {
        let mu = self.hyper.momentum;
        let kept = self.state.a.map(|v| mu * v);
        let note = if self.state.k == 0 {
            "There is no velocity yet: the first update is SGD's.".to_owned()
        } else {
            format!("{} % of the last velocity is kept.", number(100.0 * mu))
        };
        Part::new("inertia", "kept velocity", "μ v", "μ v")
            .value(kept, format!("{}·{}", number(mu), pair(self.state.a)))
            .arrow(self.state.theta, kept)
            .note(note)
    }

    fn velocity(&self) -> Part {
        let (v, g, eta) = (self.update.next.a, self.g, self.hyper.learning_rate);
        let note = if v[0] * g[0] + v[1] * g[1] > 0.0 {
            "The velocity still goes uphill here: what is kept of it outweighs the slope.".to_owned()
        } else if self.state.k == 0 || length(g) == 0.0 {
            format!("The velocity becomes the step: {} long.", number(length(v)))
        } else {
            format!(
                "The velocity is {} times the step η‖g‖ that SGD would take from this slope.",
                number(length(v) / (eta * length(g)))
            )
        };
        Part::new("velocity", "velocity v", "v", "v ← μ v − η g")
            .value(v, format!("{}·{} − {}·{}", number(self.hyper.momentum), pair(self.state.a), number(eta), pair(g)))
            .arrow(self.state.theta, v)
            .note(note)
    }

    fn adagrad(&self) -> Vec<Part> {
        let sum = self.update.next.a;
        vec![
            self.gradient(),
            Part::new("accumulator", "sum of squared gradients G", "G", "G ← G + g²")
                .value(sum, format!("{} + {}²", pair(self.state.a), pair(self.g)))
                .note("G only ever grows, so the rate along each axis only ever falls."),
            self.rate("η / (√G + ε)", sum),
            self.scaled_step("Δθ = −η g / (√G + ε)", "√G", self.g, sum),
        ]
    }

    fn rmsprop(&self) -> Vec<Part> {
        let s = self.update.next.a;
        let beta = self.hyper.rmsprop_beta;
        vec![
            self.gradient(),
            Part::new("mean_square", "running mean of squared gradients s", "s", "s ← β s + (1−β) g²")
                .value(s, average_of_squares(beta, self.state.a, self.g))
                .note(format!("s remembers about the last {} gradients and forgets older ones.", memory(beta))),
            self.rate("η / (√s + ε)", s),
            self.scaled_step("Δθ = −η g / (√s + ε)", "√s", self.g, s),
        ]
    }

    fn adadelta(&self) -> Vec<Part> {
        let (rho, epsilon) = (self.hyper.adadelta_rho, self.hyper.epsilon);
        let (a, b, old_b) = (self.update.next.a, self.update.next.b, self.state.b);
        let ratio = each(|i| (old_b[i] + epsilon).sqrt() / (a[i] + epsilon).sqrt());
        let e = number(epsilon);
        vec![
            self.gradient(),
            Part::new("mean_square", "running mean of squared gradients", "E[g²]", "E[g²] ← ρ E[g²] + (1−ρ) g²")
                .value(a, average_of_squares(rho, self.state.a, self.g))
                .note(format!("It remembers about the last {} gradients.", memory(rho))),
            Part::new("rate", "rate of each axis", "r", "r = √(E[Δθ²] + ε) / √(E[g²] + ε)")
                .value(ratio, format!("√({} + {e}) / √({} + {e})", pair(old_b), pair(a)))
                .note(format!(
                    "The ratio of the two averages stands in for a learning rate: {} along x, {} along y; η is not used.",
                    number(ratio[0]),
                    number(ratio[1])
                )),
            Part::new("step", "step Δθ", "Δθ", "Δθ = −r g")
                .value(self.update.delta, format!("−{}·{}", pair(ratio), pair(self.g)))
                .arrow(self.state.theta, self.update.delta)
                .note(equalised(self.g, self.update.delta, "√E[g²]")),
            Part::new("mean_square_step", "running mean of squared steps", "E[Δθ²]", "E[Δθ²] ← ρ E[Δθ²] + (1−ρ) Δθ²")
                .value(b, average_of_squares(rho, old_b, self.update.delta))
                .note(if b[0] + b[1] > old_b[0] + old_b[1] {
                    "The steps are getting longer, so the next ones may be longer still."
                } else {
                    "The steps are getting shorter, and so will the next ones be."
                }),
        ]
    }

    fn adam(&self) -> Vec<Part> {
        let (beta1, beta2, k) = (self.hyper.adam_beta1, self.hyper.adam_beta2, self.update.next.k);
        let (c1, c2) = (bias_correction(beta1, k), bias_correction(beta2, k));
        let (m, v, [m_hat, v_hat]) = (self.update.next.a, self.update.next.b, self.update.corrected);
        let theta = self.state.theta;
        let turned = (0..2).find(|&i| m[i] * self.g[i] < 0.0);
        vec![
            self.gradient(),
            Part::new("first_moment", "first moment m", "m", "m ← β₁ m + (1−β₁) g")
                .value(
                    m,
                    format!("{}·{} + {}·{}", number(beta1), pair(self.state.a), number(1.0 - beta1), pair(self.g)),
                )
                .arrow(theta, m.map(|m| -m))
                .note(match turned {
                    Some(i) => format!("Along {} the slope has turned round, but m still points the old way.", AXES[i]),
                    None => format!("m averages about the last {} gradients, like a velocity.", memory(beta1)),
                }),
            Part::new("second_moment", "second moment v", "v", "v ← β₂ v + (1−β₂) g²")
                .value(v, average_of_squares(beta2, self.state.b, self.g))
                .note(format!("v averages about the last {} squared gradients: the size of the slope.", memory(beta2))),
            Part::new("first_moment_corrected", "bias-corrected m̂", "m̂", "m̂ = m / (1−β₁ᵏ)")
                .value(m_hat, format!("{} / (1 − {}^{k})", pair(m), number(beta1)))
                .arrow(theta, m_hat.map(|m| -m))
                .note(correction_note("m", k, c1)),
            Part::new("second_moment_corrected", "bias-corrected v̂", "v̂", "v̂ = v / (1−β₂ᵏ)")
                .value(v_hat, format!("{} / (1 − {}^{k})", pair(v), number(beta2)))
                .note(correction_note("v", k, c2)),
            self.scaled_step("Δθ = −η m̂ / (√v̂ + ε)", "√v̂", m_hat, v_hat),
        ]
    }

    /// η over the root of `square` plus ε, per axis.
    fn rate(&self, formula: &'static str, square: [f64; 2]) -> Part {
        let (eta, epsilon) = (self.hyper.learning_rate, self.hyper.epsilon);
        let rate = square.map(|s| eta / (s.sqrt() + epsilon));
        let note = match larger(rate) {
            Some((big, small, factor)) if factor >= 1.05 => {
                format!(
                    "Each axis has a learning rate of its own: along {big} it is {} times that along {small}.",
                    number(factor)
                )
            }
            _ => "Both axes happen to have the same learning rate now.".to_owned(),
        };
        Part::new("rate", "rate of each axis", "r", formula)
            .value(rate, format!("{} / (√{} + {})", number(eta), pair(square), number(epsilon)))
            .note(note)
    }

    fn scaled_step(&self, formula: &'static str, divisor: &str, direction: [f64; 2], square: [f64; 2]) -> Part {
        let (eta, epsilon) = (self.hyper.learning_rate, self.hyper.epsilon);
        Part::new("step", "step Δθ", "Δθ", formula)
            .value(
                self.update.delta,
                format!("−{}·{} / (√{} + {})", number(eta), pair(direction), pair(square), number(epsilon)),
            )
            .arrow(self.state.theta, self.update.delta)
            .note(equalised(self.g, self.update.delta, divisor))
    }

    fn movement(&self, surface: &Surface) -> Part {
        let (from, to) = (self.state.theta, self.update.next.theta);
        let (before, after) = (surface.f(from), surface.f(to));
        let note = if !after.is_finite() {
            format!("f was {} and is no longer a finite number: the optimizer has diverged.", number(before))
        } else if after != before && number(after) == number(before) {
            let way = if after < before { "falls" } else { "rises" };
            format!("f {way} by only {}, at {}.", number((after - before).abs()), number(after))
        } else if after < before {
            format!("f falls by {}, from {} to {}.", number(before - after), number(before), number(after))
        } else if after > before {
            let why = if self.noise == [0.0; 2] {
                "the step overshoots"
            } else {
                "the step overshoots, or the noise misled it"
            };
            format!("f RISES by {}, from {} to {}: {why}.", number(after - before), number(before), number(after))
        } else {
            format!("f stays at {}.", number(after))
        };
        let mut part = Part::new("move", "the move", "θ", "θ ← θ + Δθ")
            .value(to, format!("{} + {}", pair(from), pair(self.update.delta)))
            .note(note);
        part.arrow = Some((from, to));
        part
    }
}

const AXES: [&str; 2] = ["x", "y"];

/// `beta·old + (1−beta)·new²` with numbers.
fn average_of_squares(beta: f64, old: [f64; 2], new: [f64; 2]) -> String {
    format!("{}·{} + {}·{}²", number(beta), pair(old), number(1.0 - beta), pair(new))
}

/// How many values an exponential average remembers.
fn memory(beta: f64) -> String {
    number((1.0 / (1.0 - beta)).round())
}

fn length(v: [f64; 2]) -> f64 {
    v[0].hypot(v[1])
}

/// The axis with the larger magnitude, the other one, and their ratio; `None` where one is zero or not finite.
fn larger(v: [f64; 2]) -> Option<(&'static str, &'static str, f64)> {
    let [x, y] = v.map(f64::abs);
    if !(x > 0.0 && y > 0.0 && x.is_finite() && y.is_finite()) {
        return None;
    }
    Some(if x >= y { ("x", "y", x / y) } else { ("y", "x", y / x) })
}

fn slope_note(g: [f64; 2]) -> String {
    match (g, larger(g)) {
        ([0.0, 0.0], _) => "The surface is exactly flat here: no direction leads down.".to_owned(),
        ([0.0, _], _) => "The slope along x is exactly 0: nothing tells the optimizer to move that way.".to_owned(),
        ([_, 0.0], _) => "The slope along y is exactly 0: nothing tells the optimizer to move that way.".to_owned(),
        (_, Some((big, small, factor))) if factor >= 1.5 => {
            format!(
                "The arrow −g points downhill; the surface is {} times steeper along {big} than along {small}.",
                number(factor)
            )
        }
        _ => format!("The arrow −g points downhill; the slope is {}.", number(length(g))),
    }
}

/// What dividing by the root of the squared gradients did to the proportions of the step.
fn equalised(g: [f64; 2], delta: [f64; 2], divisor: &str) -> String {
    if let Some(i) = (0..2).find(|&i| delta[i] == 0.0) {
        return format!("Along {} the step stays 0: 0 / (0 + ε) is 0.", AXES[i]);
    }
    let (Some((big, small, factor)), Some(_)) = (larger(g), larger(delta)) else {
        return format!("Dividing by {divisor} sets the length of the step: {}.", number(length(delta)));
    };
    let share = if big == "x" { (delta[1] / delta[0]).abs() } else { (delta[0] / delta[1]).abs() };
    if factor < 1.5 {
        return format!(
            "Both slopes are of like size; dividing by {divisor} sets the length of the step: {}.",
            number(length(delta))
        );
    }
    let compared = if (0.95..1.05).contains(&share) { "as".to_owned() } else { format!("{} times as", number(share)) };
    format!(
        "Dividing by {divisor} makes the step along {small} {compared} long as along {big}, though its slope is {} times smaller.",
        number(factor)
    )
}

fn correction_note(symbol: &str, k: u64, correction: f64) -> String {
    if correction > 0.999 {
        return format!("After {k} updates the correction has worn off: the divisor is {}.", number(correction));
    }
    let updates = if k == 1 { "1 update".to_owned() } else { format!("{k} updates") };
    format!(
        "After {updates} from zero, {symbol} has only {} % of its full weight; the division makes up for it.",
        number(100.0 * correction)
    )
}

/// `(x, y)` with [`number`].
pub fn pair(v: [f64; 2]) -> String {
    format!("({}, {})", number(v[0]), number(v[1]))
}

/// A number for reading: 4 significant digits, without trailing zeros, with a true minus sign.
pub fn number(v: f64) -> String {
    if v.is_nan() {
        return "not a number".to_owned();
    }
    if v.is_infinite() {
        return if v > 0.0 { "∞".to_owned() } else { "−∞".to_owned() };
    }
    if v == 0.0 {
        return "0".to_owned();
    }
    // Rounded to 4 digits first, so that 999.96 becomes 1000 and not 1000.0.
    let scientific = format!("{v:.3e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let text = if (-3..5).contains(&exponent) {
        let decimals = usize::try_from(3 - exponent).unwrap_or(0);
        trimmed(&format!("{v:.decimals$}")).to_owned()
    } else {
        format!("{}e{exponent}", trimmed(mantissa))
    };
    text.replace('-', "−")
}

/// Without the zeros after a decimal point that say nothing.
fn trimmed(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::labs::optimizers::surfaces;

    fn article() -> Hyper {
        Hyper::from_values([0.01, 0.9, 0.9, 0.9, 0.9, 0.999, 1e-8])
    }

    #[test]
    fn a_trace_ends_where_the_step_ends_bit_for_bit() {
        for surface in surfaces::ALL {
            for rule in Rule::ALL {
                let mut state = State::new([0.7, -0.4]);
                for _ in 0..60 {
                    let trace = rule.trace(&state, surface, &article());
                    rule.step(&mut state, surface, &article());
                    // Compared as bits: a diverged NaN must be the same NaN.
                    let bits = |s: &State| [s.theta, s.a, s.b].map(|v| v.map(f64::to_bits));
                    assert_eq!(bits(&trace.next), bits(&state), "{rule:?} on {}", surface.id);
                    assert_eq!(trace.next.k, state.k);
                    let last = trace.parts.last().unwrap();
                    assert_eq!((last.id, last.value.map(f64::to_bits)), ("move", state.theta.map(f64::to_bits)));
                }
            }
        }
    }

    #[test]
    fn the_parts_carry_the_state_they_compute() {
        let surface = surfaces::by_id("rosenbrock").unwrap();
        for rule in Rule::ALL {
            let mut state = State::new([-1.2, 1.0]);
            for _ in 0..5 {
                let trace = rule.trace(&state, surface, &article());
                let kept = [trace.next.a, trace.next.b];
                for (name, value) in rule.state_names().iter().zip(kept) {
                    let part = trace.parts.iter().find(|part| part.symbol == *name);
                    assert_eq!(part.map(|part| part.value), Some(value), "{rule:?} {name}");
                }
                for part in &trace.parts {
                    assert!(part.numbers.ends_with(&pair(part.value)), "{rule:?}: {}", part.numbers);
                    assert!(!part.note.is_empty() && !part.equation.is_empty());
                }
                rule.step(&mut state, surface, &article());
            }
        }
    }

    #[test]
    fn the_first_update_of_adam_reads_as_it_should() {
        let surface = surfaces::by_id("saddle").unwrap();
        let trace = Rule::Adam.trace(&State::new([0.5, 1e-4]), surface, &article());
        let text: Vec<&str> = trace.parts.iter().map(|part| part.numbers.as_str()).collect();
        assert_eq!(
            text,
            [
                "g = ∇f(0.5, 1e−4) = (1, −2e−4)",
                "m = 0.9·(0, 0) + 0.1·(1, −2e−4) = (0.1, −2e−5)",
                "v = 0.999·(0, 0) + 0.001·(1, −2e−4)² = (0.001, 4e−11)",
                "m̂ = (0.1, −2e−5) / (1 − 0.9^1) = (1, −2e−4)",
                "v̂ = (0.001, 4e−11) / (1 − 0.999^1) = (1, 4e−8)",
                "Δθ = −0.01·(1, −2e−4) / (√(1, 4e−8) + 1e−8) = (−0.01, 0.01)",
                "θ = (0.5, 1e−4) + (−0.01, 0.01) = (0.49, 0.0101)",
            ]
        );
        assert_eq!(
            trace.parts[5].note,
            "Dividing by √v̂ makes the step along y as long as along x, though its slope is 5000 times smaller."
        );
    }

    #[test]
    fn a_noisy_gradient_is_told_with_its_noise() {
        let surface = surfaces::by_id("saddle").unwrap();
        let (noise, mut state) = (Noise::gaussian(0.5, 3), State::new([0.5, 0.25]));
        for rule in [Rule::Sgd, Rule::Nag] {
            let trace = rule.noisy_trace(&state, surface, &article(), &noise);
            let part = trace.parts.iter().find(|part| part.id == "gradient").unwrap();
            assert!(part.equation.ends_with("+ noise"), "{}", part.equation);
            let added = each(|i| part.value[i] - surface.gradient([0.5, 0.25])[i]);
            let told = format!("= ∇f(0.5, 0.25) + {} = {}", pair(added), pair(part.value));
            assert!(part.numbers.ends_with(&told), "{}", part.numbers);
        }
        let trace = Rule::Sgd.noisy_trace(&state, surface, &article(), &noise);
        Rule::Sgd.step_with(&mut state, noise.on(surface.gradient([0.5, 0.25]), [0.5, 0.25], 0, |p| p), &article());
        assert_eq!(trace.next, state);
    }

    #[test]
    fn numbers_are_short_and_honest() {
        for (value, text) in [
            (0.0, "0"),
            (-0.5, "−0.5"),
            (999.96, "1000"),
            (12345.6, "12346"),
            (123456.0, "1.235e5"),
            (0.0012345, "0.001234"),
            (1e-10, "1e−10"),
            (f64::NAN, "not a number"),
            (f64::NEG_INFINITY, "−∞"),
        ] {
            assert_eq!(number(value), text);
        }
    }
}
