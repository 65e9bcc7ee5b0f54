//! One update, split into its named parts with the numbers in them: what the step microscope shows.

use std::borrow::Cow;

use super::{Hyper, Rule, State, Update, each};
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
    /// What is computed, in symbols, in the variant of this run.
    pub equation: Cow<'static, str>,
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
    pub(super) fn new(
        id: &'static str,
        title: &'static str,
        symbol: &'static str,
        equation: impl Into<Cow<'static, str>>,
    ) -> Self {
        let equation = equation.into();
        Self { id, title, symbol, equation, numbers: String::new(), value: [0.0; 2], arrow: None, note: String::new() }
    }

    pub(super) fn value(mut self, value: [f64; 2], right_side: String) -> Self {
        self.value = value;
        self.numbers = format!("{} = {right_side} = {}", self.symbol, pair(value));
        self
    }

    /// One number for both coordinates.
    pub(super) fn scalar(mut self, value: f64, right_side: String) -> Self {
        self.value = [value; 2];
        self.numbers = format!("{} = {right_side} = {}", self.symbol, number(value));
        self
    }

    pub(super) fn arrow(mut self, from: [f64; 2], by: [f64; 2]) -> Self {
        self.arrow = Some((from, each(|i| from[i] + by[i])));
        self
    }

    pub(super) fn note(mut self, note: impl Into<String>) -> Self {
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
        let see = |p: [f64; 2]| (surface.f(p), noise.on(surface.gradient(p), p, state.k, |p| surface.gradient(p)));
        let hyper = &hyper.at(self, state.k);
        let update = self.update(state, g, &see, hyper);
        let context = Context { state, hyper, at, g, noise: each(|i| g[i] - exact[i]), update };
        let mut parts = match self {
            Rule::Sgd => context.sgd(),
            Rule::Momentum => context.momentum(),
            Rule::Nag => context.nag(),
            Rule::HeavyBall => context.heavy_ball(),
            Rule::Asgd => context.asgd(),
            Rule::AdaGrad => context.adagrad(),
            Rule::RmsProp => context.rmsprop(),
            Rule::RmsPropMomentum => context.rmsprop_momentum(),
            Rule::RmsPropCentered => context.rmsprop_centered(),
            Rule::AdaDelta => context.adadelta(),
            Rule::Adam => context.adam(),
            Rule::AdamW => context.adamw(),
            Rule::AmsGrad => context.amsgrad(),
            Rule::NAdam => context.nadam(),
            Rule::RAdam => context.radam(),
            Rule::AdaMax => context.adamax(),
            Rule::Adan => context.adan(),
            Rule::Rprop => context.rprop(),
            Rule::Lion => context.lion(),
            Rule::Lbfgs => context.lbfgs(Some(&see)),
            Rule::LbfgsFixed => context.lbfgs(None),
        };
        parts.push(context.movement(surface));
        Trace { parts, next: update.next }
    }
}

/// One update with all that its parts refer to.
pub(super) struct Context<'a> {
    pub state: &'a State,
    /// What holds for this update, see [`Hyper::at`].
    pub hyper: &'a Hyper,
    /// Where the gradient was taken.
    pub at: [f64; 2],
    pub g: [f64; 2],
    /// What of it is noise.
    pub noise: [f64; 2],
    pub update: Update,
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

    pub(super) fn gradient(&self) -> Part {
        Part::new("gradient", "gradient g", "g", self.law("g = ∇f(θ)", "g = ∇f(θ) + noise"))
            .value(self.g, self.slope())
            .arrow(self.at, self.g.map(|g| -g))
            .note(self.slope_note())
    }

    pub(super) fn gradient_ahead(&self) -> Part {
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

pub(super) const AXES: [&str; 2] = ["x", "y"];

/// `beta·old + (1−beta)·new²` with numbers.
pub(super) fn average_of_squares(beta: f64, old: [f64; 2], new: [f64; 2]) -> String {
    format!("{}·{} + {}·{}²", number(beta), pair(old), number(1.0 - beta), pair(new))
}

/// How many values an exponential average remembers.
pub(super) fn memory(beta: f64) -> String {
    number((1.0 / (1.0 - beta)).round())
}

pub(super) fn length(v: [f64; 2]) -> f64 {
    v[0].hypot(v[1])
}

/// The axis with the larger magnitude, the other one, and their ratio; `None` where one is zero or not finite.
pub(super) fn larger(v: [f64; 2]) -> Option<(&'static str, &'static str, f64)> {
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
pub(super) fn equalised(g: [f64; 2], delta: [f64; 2], divisor: &str) -> String {
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

pub(super) fn correction_note(symbol: &str, k: u64, correction: f64) -> String {
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
        Hyper::article(0.01)
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
                    let bits = |s: &State| s.pack().map(f64::to_bits);
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
                let kept = [trace.next.a, trace.next.b].into_iter().zip(rule.state_names());
                let hidden = [trace.next.c, trace.next.d].into_iter().zip(rule.hidden_names());
                // L-BFGS's hidden numbers are two and a count.
                let lbfgs = matches!(rule, Rule::Lbfgs | Rule::LbfgsFixed);
                for (value, name) in kept.chain(hidden.filter(|_| !lbfgs)) {
                    let part = trace.parts.iter().find(|part| part.symbol == *name);
                    assert_eq!(part.map(|part| part.value), Some(value), "{rule:?} {name}");
                }
                for part in &trace.parts {
                    let scalar = part.value[0] == part.value[1] && part.numbers.ends_with(&number(part.value[0]));
                    assert!(scalar || part.numbers.ends_with(&pair(part.value)), "{rule:?}: {}", part.numbers);
                    assert!(!part.note.is_empty() && !part.equation.is_empty());
                }
                rule.step(&mut state, surface, &article());
            }
        }
    }

    #[test]
    fn every_variant_is_traced_as_it_is_done() {
        use crate::labs::optimizers::rules::{Choices, Convention, Course, Schedule};
        let surface = surfaces::by_id("himmelblau").unwrap();
        let schedule = Schedule { course: Course::Cosine, end: 0.1, steps: 40, ..Schedule::CONSTANT };
        for convention in [Convention::Article, Convention::PyTorch, Convention::Burn] {
            for (epsilon_inside, bias_correction) in [(true, false), (true, true), (false, false)] {
                let choices = Choices { convention, epsilon_inside, bias_correction, schedule, ..Choices::DEFAULT };
                let hyper = Hyper { choices, adagrad_decay: 0.1, adadelta_rate: 0.5, ..article() };
                for rule in Rule::ALL {
                    let mut state = State::new([0.7, -0.4]);
                    for _ in 0..40 {
                        let trace = rule.trace(&state, surface, &hyper);
                        rule.step(&mut state, surface, &hyper);
                        assert_eq!(trace.next.pack().map(f64::to_bits), state.pack().map(f64::to_bits), "{rule:?}");
                        let shown = |text: &str| trace.parts.iter().any(|part| part.equation.contains(text));
                        let rooted = rule.has_epsilon_place() && (rule != Rule::RAdam || state.k > 5);
                        if rooted {
                            assert_eq!(shown("(√"), !epsilon_inside, "{rule:?}");
                            assert_eq!(shown(" + ε)") && !shown("(√"), epsilon_inside, "{rule:?}");
                        }
                        let corrected = rule.has_bias_correction() && bias_correction && state.k > 5;
                        assert!(!corrected || shown("ᵏ)") || shown("(1−Π)"), "{rule:?}");
                        assert!(bias_correction || !shown("/ (1−β"), "{rule:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn the_learning_rate_in_force_is_shown() {
        use crate::labs::optimizers::rules::{Choices, Course, Schedule};
        let schedule = Schedule { course: Course::Step, every: 2, factor: 0.5, ..Schedule::CONSTANT };
        let hyper = Hyper { choices: Choices { schedule, ..Choices::DEFAULT }, ..article() };
        let surface = surfaces::by_id("booth").unwrap();
        let mut state = State::new([0.5, 1.0]);
        for eta in ["0.01", "0.01", "0.005", "0.005", "0.0025"] {
            let trace = Rule::Sgd.trace(&state, surface, &hyper);
            assert!(trace.parts[1].numbers.starts_with(&format!("v = −{eta}·(")), "{}", trace.parts[1].numbers);
            state = trace.next;
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
        Rule::Sgd.noisy_step(&mut state, surface, &article(), &noise);
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
