//! Rules that divide each coordinate by the size of its gradients: AdaGrad, RMSProp in three forms, AdaDelta.

use super::trace::{Context, Part, average_of_squares, equalised, larger, memory, number, pair};
use super::{Hyper, State, Update, average, each};

pub(super) fn adagrad(state: &State, g: [f64; 2], hyper: &Hyper) -> Update {
    let before = adagrad_before(state, hyper);
    let sum = each(|i| before[i] + g[i] * g[i]);
    let eta = adagrad_rate(state, hyper);
    Update::moving(state, each(|i| -(eta * g[i] / hyper.root(sum[i])))).keeping(sum, [0.0; 2])
}

/// G before this update.
fn adagrad_before(state: &State, hyper: &Hyper) -> [f64; 2] {
    if state.k == 0 { [hyper.adagrad_start; 2] } else { state.a }
}

fn adagrad_rate(state: &State, hyper: &Hyper) -> f64 {
    hyper.learning_rate / (1.0 + state.k as f64 * hyper.adagrad_decay)
}

fn mean_square(state: &State, g: [f64; 2], hyper: &Hyper) -> [f64; 2] {
    average(hyper.rmsprop_beta, state.a, each(|i| g[i] * g[i]))
}

pub(super) fn rmsprop(state: &State, g: [f64; 2], hyper: &Hyper) -> Update {
    let s = mean_square(state, g, hyper);
    Update::moving(state, each(|i| -(hyper.learning_rate * g[i] / hyper.root(s[i])))).keeping(s, [0.0; 2])
}

pub(super) fn rmsprop_momentum(state: &State, g: [f64; 2], hyper: &Hyper) -> Update {
    let s = mean_square(state, g, hyper);
    let buffer = each(|i| hyper.momentum * state.b[i] + g[i] / hyper.root(s[i]));
    Update::moving(state, each(|i| -(hyper.learning_rate * buffer[i]))).keeping(s, buffer)
}

pub(super) fn rmsprop_centered(state: &State, g: [f64; 2], hyper: &Hyper) -> Update {
    let s = mean_square(state, g, hyper);
    let mean = each(|i| state.b[i] + (1.0 - hyper.rmsprop_beta) * (g[i] - state.b[i]));
    let variance = variance(s, mean);
    Update::moving(state, each(|i| -(hyper.learning_rate * g[i] / hyper.root(variance[i])))).keeping(s, mean)
}

/// s − ḡ²; rounding must not make it negative (PyTorch then goes on with numbers that are none).
fn variance(s: [f64; 2], mean: [f64; 2]) -> [f64; 2] {
    each(|i| {
        let variance = s[i] - mean[i] * mean[i];
        if variance < 0.0 { 0.0 } else { variance }
    })
}

pub(super) fn adadelta(state: &State, g: [f64; 2], hyper: &Hyper) -> Update {
    let &Hyper { adadelta_rho: rho, epsilon, .. } = hyper;
    let a = average(rho, state.a, each(|i| g[i] * g[i]));
    // The average of squared moves in the numerator is the one BEFORE this move.
    let move_ = each(|i| -(state.b[i] + epsilon).sqrt() / (a[i] + epsilon).sqrt() * g[i]);
    let b = average(rho, state.b, each(|i| move_[i] * move_[i]));
    Update::moving(state, move_.map(|v| hyper.adadelta_rate * v)).keeping(a, b)
}

impl Context<'_> {
    pub(super) fn adagrad(&self) -> Vec<Part> {
        let sum = self.update.next.a;
        let (before, eta) = (adagrad_before(self.state, self.hyper), adagrad_rate(self.state, self.hyper));
        let mut parts = vec![
            self.gradient(),
            Part::new("accumulator", "sum of squared gradients G", "G", "G ← G + g²")
                .value(sum, format!("{} + {}²", pair(before), pair(self.g)))
                .note("G only ever grows, so the rate along each axis only ever falls."),
        ];
        if self.hyper.adagrad_decay != 0.0 {
            let (base, decay) = (number(self.hyper.learning_rate), number(self.hyper.adagrad_decay));
            parts.push(
                Part::new("decayed_rate", "decayed rate", "ηₖ", "ηₖ = η / (1 + k·decay)")
                    .scalar(eta, format!("{base} / (1 + {}·{decay})", self.state.k))
                    .note("PyTorch’s lr_decay: η falls with the number of updates."),
            );
        }
        parts.push(self.rate("G", eta, sum));
        parts.push(self.scaled_step("g", "G", eta, self.g, sum));
        parts
    }

    fn mean_square(&self) -> Part {
        let beta = self.hyper.rmsprop_beta;
        Part::new("mean_square", "running mean of squared gradients s", "s", "s ← β s + (1−β) g²")
            .value(self.update.next.a, average_of_squares(beta, self.state.a, self.g))
            .note(format!("s remembers about the last {} gradients and forgets older ones.", memory(beta)))
    }

    pub(super) fn rmsprop(&self) -> Vec<Part> {
        let (s, eta) = (self.update.next.a, self.hyper.learning_rate);
        vec![self.gradient(), self.mean_square(), self.rate("s", eta, s), self.scaled_step("g", "s", eta, self.g, s)]
    }

    pub(super) fn rmsprop_momentum(&self) -> Vec<Part> {
        let (s, buffer, old) = (self.update.next.a, self.update.next.b, self.state.b);
        let (mu, text) = (self.hyper.momentum, self.root_numbers(s));
        vec![
            self.gradient(),
            self.mean_square(),
            Part::new("buffer", "momentum buffer B", "B", format!("B ← μ B + g / {}", self.root("s")))
                .value(buffer, format!("{}·{} + {} / {text}", number(mu), pair(old), pair(self.g)))
                .note(if self.state.k == 0 {
                    "There is no momentum yet: the first update is RMSProp's.".to_owned()
                } else {
                    format!("{} % of the last direction is kept, of slopes already made equal.", number(100.0 * mu))
                }),
            self.plain_step("Δθ = −η B", "B", buffer),
        ]
    }

    pub(super) fn rmsprop_centered(&self) -> Vec<Part> {
        let (s, mean, beta) = (self.update.next.a, self.update.next.b, self.hyper.rmsprop_beta);
        let (variance, eta) = (variance(s, mean), self.hyper.learning_rate);
        vec![
            self.gradient(),
            self.mean_square(),
            Part::new("mean", "running mean of gradients ḡ", "ḡ", "ḡ ← β ḡ + (1−β) g")
                .value(
                    mean,
                    format!("{}·{} + {}·{}", number(beta), pair(self.state.b), number(1.0 - beta), pair(self.g)),
                )
                .note("What the last gradients have in common."),
            Part::new("variance", "running variance of gradients", "s − ḡ²", "s − ḡ²")
                .value(variance, format!("{} − {}²", pair(s), pair(mean)))
                .note("Where gradients agree their variance is small, and the step becomes long."),
            self.scaled_step("g", "(s−ḡ²)", eta, self.g, variance),
        ]
    }

    pub(super) fn adadelta(&self) -> Vec<Part> {
        let (rho, epsilon, rate) = (self.hyper.adadelta_rho, self.hyper.epsilon, self.hyper.adadelta_rate);
        let (a, b, old_b) = (self.update.next.a, self.update.next.b, self.state.b);
        let ratio = each(|i| (old_b[i] + epsilon).sqrt() / (a[i] + epsilon).sqrt());
        // The move that the second average takes in, without PyTorch's rate.
        let raw = each(|i| -(old_b[i] + epsilon).sqrt() / (a[i] + epsilon).sqrt() * self.g[i]);
        let e = number(epsilon);
        let (equation, right_side) = if rate == 1.0 {
            ("Δθ = −r g", format!("−{}·{}", pair(ratio), pair(self.g)))
        } else {
            ("Δθ = −lr r g", format!("−{}·{}·{}", number(rate), pair(ratio), pair(self.g)))
        };
        let squares = if rate == 1.0 {
            "E[Δθ²] ← ρ E[Δθ²] + (1−ρ) Δθ²"
        } else {
            "E[Δθ²] ← ρ E[Δθ²] + (1−ρ) (r g)²"
        };
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
            Part::new("step", "step Δθ", "Δθ", equation)
                .value(self.update.delta, right_side)
                .arrow(self.state.theta, self.update.delta)
                .note(equalised(self.g, self.update.delta, "√E[g²]")),
            Part::new("mean_square_step", "running mean of squared steps", "E[Δθ²]", squares)
                .value(b, average_of_squares(rho, old_b, raw))
                .note(if b[0] + b[1] > old_b[0] + old_b[1] {
                    "The steps are getting longer, so the next ones may be longer still."
                } else {
                    "The steps are getting shorter, and so will the next ones be."
                }),
        ]
    }

    /// η over the root of a mean square, per axis.
    fn rate(&self, name: &str, eta: f64, square: [f64; 2]) -> Part {
        let rate = square.map(|s| eta / self.hyper.root(s));
        let note = match larger(rate) {
            Some((big, small, factor)) if factor >= 1.05 => {
                format!(
                    "Each axis has a learning rate of its own: along {big} it is {} times that along {small}.",
                    number(factor)
                )
            }
            _ => "Both axes happen to have the same learning rate now.".to_owned(),
        };
        Part::new("rate", "rate of each axis", "r", format!("η / {}", self.root(name)))
            .value(rate, format!("{} / {}", number(eta), self.root_numbers(square)))
            .note(note)
    }

    /// −η times a direction over the root of a mean square.
    pub(super) fn scaled_step(
        &self,
        direction: &str,
        square: &str,
        eta: f64,
        value: [f64; 2],
        squares: [f64; 2],
    ) -> Part {
        Part::new("step", "step Δθ", "Δθ", format!("Δθ = −η {direction} / {}", self.root(square)))
            .value(self.update.delta, format!("−{}·{} / {}", number(eta), pair(value), self.root_numbers(squares)))
            .arrow(self.state.theta, self.update.delta)
            .note(equalised(self.g, self.update.delta, &format!("√{square}")))
    }

    /// The root with ε, in symbols, where it stands in this run.
    pub(super) fn root(&self, name: &str) -> String {
        if self.hyper.choices.epsilon_inside { format!("√({name} + ε)") } else { format!("(√{name} + ε)") }
    }

    /// The same in numbers.
    pub(super) fn root_numbers(&self, square: [f64; 2]) -> String {
        let (square, epsilon) = (pair(square), number(self.hyper.epsilon));
        if self.hyper.choices.epsilon_inside {
            format!("√({square} + {epsilon})")
        } else {
            format!("(√{square} + {epsilon})")
        }
    }
}
