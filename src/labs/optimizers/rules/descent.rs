//! Rules that go along the gradient or an average of it: SGD, Momentum, NAG, the heavy ball, ASGD.

use super::trace::{Context, Part, length, number, pair};
use super::{Hyper, State, Update, each};

pub(super) fn sgd(state: &State, g: [f64; 2], hyper: &Hyper) -> Update {
    Update::moving(state, each(|i| -(hyper.learning_rate * g[i])))
}

/// Momentum and NAG, which differ in where g was taken.
pub(super) fn momentum(state: &State, g: [f64; 2], hyper: &Hyper) -> Update {
    let v = each(|i| hyper.momentum * state.a[i] - hyper.learning_rate * g[i]);
    Update::moving(state, v).keeping(v, [0.0; 2])
}

/// PyTorch's SGD with momentum: η stands outside of the buffer, and the first gradient is not dampened.
pub(super) fn heavy_ball(state: &State, g: [f64; 2], hyper: &Hyper) -> Update {
    let buffer = match state.k {
        0 => g,
        _ => each(|i| hyper.momentum * state.a[i] + (1.0 - hyper.dampening) * g[i]),
    };
    Update::moving(state, each(|i| -(hyper.learning_rate * buffer[i]))).keeping(buffer, [0.0; 2])
}

/// Averaged SGD: the average follows θ exactly up to update t₀, and is a mean of all later θ.
pub(super) fn asgd(state: &State, g: [f64; 2], hyper: &Hyper) -> Update {
    let (eta, weight) = (asgd_rate(state, hyper), asgd_weight(state, hyper));
    let delta = each(|i| -(hyper.asgd_lambda * eta * state.theta[i]) - eta * g[i]);
    let update = Update::moving(state, delta);
    let theta = update.next.theta;
    let mean = if weight == 1.0 { theta } else { each(|i| state.a[i] + (theta[i] - state.a[i]) * weight) };
    update.keeping(mean, [0.0; 2])
}

/// The rate of this update.
fn asgd_rate(state: &State, hyper: &Hyper) -> f64 {
    let eta = hyper.learning_rate;
    kept_in_f32(eta / (1.0 + hyper.asgd_lambda * eta * state.k as f64).powf(hyper.asgd_alpha))
}

/// The share of the new θ in the average.
fn asgd_weight(state: &State, hyper: &Hyper) -> f64 {
    kept_in_f32(1.0 / (state.k as f64 - hyper.asgd_from).max(1.0))
}

/// PyTorch keeps some numbers of an optimizer in f32 although θ is in f64; its runs are repeated only with their rounding.
pub(super) fn kept_in_f32(v: f64) -> f64 {
    f64::from(v as f32)
}

impl Context<'_> {
    pub(super) fn sgd(&self) -> Vec<Part> {
        let eta = self.hyper.learning_rate;
        let step = Part::new("velocity", "step v", "v", "v = −η g")
            .value(self.update.delta, format!("−{}·{}", number(eta), pair(self.g)))
            .arrow(self.state.theta, self.update.delta)
            .note(format!(
                "The step is the slope times η: {} long, and it shrinks with the slope.",
                number(length(self.update.delta))
            ));
        vec![self.gradient(), step]
    }

    pub(super) fn momentum(&self) -> Vec<Part> {
        vec![self.gradient(), self.inertia(), self.pull(), self.velocity()]
    }

    pub(super) fn nag(&self) -> Vec<Part> {
        vec![self.look_ahead(), self.gradient_ahead(), self.pull(), self.velocity()]
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

    /// What the slope adds to the kept velocity, at the tip of that: the other side of the article's triangle.
    fn pull(&self) -> Part {
        let (eta, g) = (self.hyper.learning_rate, self.g);
        let tip = each(|i| self.state.theta[i] + self.hyper.momentum * self.state.a[i]);
        let by = g.map(|g| -(eta * g));
        Part::new("pull", "pull of the slope", "−η g", "−η g")
            .value(by, format!("−{}·{}", number(eta), pair(g)))
            .arrow(tip, by)
            .note(format!("From the tip of μ v: {} long. Both together are the new velocity.", number(length(by))))
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

    pub(super) fn heavy_ball(&self) -> Vec<Part> {
        let Hyper { momentum: mu, dampening, .. } = *self.hyper;
        let buffer = self.update.next.a;
        let (equation, right_side, note) = if self.state.k == 0 {
            let note = "The first gradient enters whole: PyTorch and Burn dampen only the later ones.".to_owned();
            ("B ← g", pair(self.g), note)
        } else {
            let right_side =
                format!("{}·{} + {}·{}", number(mu), pair(self.state.a), number(1.0 - dampening), pair(self.g));
            let note = match larger_than_limit(self.hyper) {
                Some(limit) => format!("On an even slope B grows to (1−τ)/(1−μ) = {} times it.", number(limit)),
                None => "Nothing of B is ever forgotten.".to_owned(),
            };
            ("B ← μ B + (1−τ) g", right_side, note)
        };
        vec![
            self.gradient(),
            Part::new("first_moment", "momentum buffer B", "B", equation)
                .value(buffer, right_side)
                .arrow(self.state.theta, buffer.map(|b| -b))
                .note(note),
            self.plain_step("Δθ = −η B", "B", buffer),
        ]
    }

    pub(super) fn asgd(&self) -> Vec<Part> {
        let (state, hyper) = (self.state, self.hyper);
        let (eta, weight) = (asgd_rate(state, hyper), asgd_weight(state, hyper));
        let (lambda, alpha, theta) = (hyper.asgd_lambda, hyper.asgd_alpha, self.update.next.theta);
        let mean = Part::new("average", "average of the path", "θ̄", "θ̄ ← θ̄ + w (θ − θ̄), w = 1/max(1, k − t₀)");
        vec![
            self.gradient(),
            Part::new("rate", "rate of this update", "ηₖ", "ηₖ = η / (1 + λ η k)^α")
                .scalar(
                    eta,
                    format!(
                        "{} / (1 + {}·{}·{})^{}",
                        number(hyper.learning_rate),
                        number(lambda),
                        number(hyper.learning_rate),
                        state.k,
                        number(alpha)
                    ),
                )
                .note("The rate falls slowly with the number of updates, so that the steps die out."),
            Part::new("step", "step Δθ", "Δθ", "Δθ = −λ ηₖ θ − ηₖ g")
                .value(
                    self.update.delta,
                    format!(
                        "−{}·{}·{} − {}·{}",
                        number(lambda),
                        number(eta),
                        pair(state.theta),
                        number(eta),
                        pair(self.g)
                    ),
                )
                .arrow(state.theta, self.update.delta)
                .note("SGD's step with a small pull towards the origin."),
            mean.value(
                self.update.next.a,
                format!("{} + {}·({} − {})", pair(state.a), number(weight), pair(theta), pair(state.a)),
            )
            .note(if weight == 1.0 {
                format!("Up to update {} the average is θ itself.", number(hyper.asgd_from + 1.0))
            } else {
                "The average settles where θ still hops to and fro; it is the result of ASGD.".to_owned()
            }),
        ]
    }

    /// −η times a vector.
    pub(super) fn plain_step(&self, equation: &'static str, name: &str, direction: [f64; 2]) -> Part {
        Part::new("step", "step Δθ", "Δθ", equation)
            .value(self.update.delta, format!("−{}·{}", number(self.hyper.learning_rate), pair(direction)))
            .arrow(self.state.theta, self.update.delta)
            .note(format!("The step is {name} times η: {} long.", number(length(self.update.delta))))
    }
}

/// How many times an even slope the heavy ball's buffer becomes.
fn larger_than_limit(hyper: &Hyper) -> Option<f64> {
    (hyper.momentum < 1.0).then(|| (1.0 - hyper.dampening) / (1.0 - hyper.momentum))
}
