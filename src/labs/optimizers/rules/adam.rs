//! Adam and its kin: an average of gradients over the root of an average of their squares.

use super::descent::kept_in_f32;
use super::trace::{AXES, Context, Part, average_of_squares, correction_note, equalised, length, memory, number, pair};
use super::{Hyper, State, Update, average, each};

/// Both averages after this gradient.
fn moments(old_m: [f64; 2], old_v: [f64; 2], g: [f64; 2], hyper: &Hyper) -> [[f64; 2]; 2] {
    [average(hyper.adam_beta1, old_m, g), average(hyper.adam_beta2, old_v, each(|i| g[i] * g[i]))]
}

/// Both averages with their bias corrected, in the update after `k` completed ones.
fn corrected(m: [f64; 2], v: [f64; 2], k: u64, hyper: &Hyper) -> [[f64; 2]; 2] {
    let (c1, c2) = (hyper.bias(hyper.adam_beta1, k + 1), hyper.bias(hyper.adam_beta2, k + 1));
    [m.map(|m| m / c1), v.map(|v| v / c2)]
}

fn adam_step([m, v]: [[f64; 2]; 2], hyper: &Hyper) -> [f64; 2] {
    each(|i| -(hyper.learning_rate * m[i] / hyper.root(v[i])))
}

pub(super) fn adam(state: &State, g: [f64; 2], hyper: &Hyper) -> Update {
    let [m, v] = moments(state.a, state.b, g, hyper);
    let corrected = corrected(m, v, state.k, hyper);
    Update { corrected, ..Update::moving(state, adam_step(corrected, hyper)).keeping(m, v) }
}

/// Adam with a pull towards the origin that is not divided by the root.
pub(super) fn adamw(state: &State, g: [f64; 2], hyper: &Hyper) -> Update {
    let [m, v] = moments(state.a, state.b, g, hyper);
    let corrected = corrected(m, v, state.k, hyper);
    let (step, decay) = (adam_step(corrected, hyper), adamw_decay(state, hyper));
    Update { corrected, ..Update::moving(state, each(|i| decay[i] + step[i])).keeping(m, v) }
}

fn adamw_decay(state: &State, hyper: &Hyper) -> [f64; 2] {
    state.theta.map(|v| -(hyper.learning_rate * hyper.weight_decay * v))
}

/// Adam that never forgets the largest second moment. PyTorch's: the largest one before bias correction.
pub(super) fn amsgrad(state: &State, g: [f64; 2], hyper: &Hyper) -> Update {
    let [m, v] = moments(state.a, state.c, g, hyper);
    let largest = each(|i| if v[i] > state.b[i] || v[i].is_nan() { v[i] } else { state.b[i] });
    let corrected = corrected(m, largest, state.k, hyper);
    let mut update = Update::moving(state, adam_step(corrected, hyper)).keeping(m, largest);
    update.next.c = v;
    Update { corrected, ..update }
}

/// What NAdam's step takes of g and of m.
struct NadamWeights {
    /// μₖ and μₖ₊₁.
    mu: [f64; 2],
    /// μ₁ μ₂ … μₖ.
    product: f64,
    gradient: f64,
    moment: f64,
}

fn nadam_weights(state: &State, hyper: &Hyper) -> NadamWeights {
    let mu = |k: u64| hyper.adam_beta1 * (1.0 - 0.5 * 0.96_f64.powf(k as f64 * hyper.nadam_decay));
    let (now, next) = (mu(state.k + 1), mu(state.k + 2));
    let product = kept_in_f32(kept_in_f32(now) * if state.k == 0 { 1.0 } else { state.c[0] });
    let [c, c_next] = if hyper.choices.bias_correction { [1.0 - product, 1.0 - product * next] } else { [1.0; 2] };
    NadamWeights { mu: [now, next], product, gradient: (1.0 - now) / c, moment: next / c_next }
}

/// Adam with Nesterov's look-ahead.
pub(super) fn nadam(state: &State, g: [f64; 2], hyper: &Hyper) -> Update {
    let [m, v] = moments(state.a, state.b, g, hyper);
    let [_, v_hat] = corrected(m, v, state.k, hyper);
    let weights = nadam_weights(state, hyper);
    let ahead = each(|i| weights.gradient * g[i] + weights.moment * m[i]);
    let mut update = Update::moving(state, adam_step([ahead, v_hat], hyper)).keeping(m, v);
    update.next.c = [weights.product; 2];
    Update { corrected: [ahead, v_hat], ..update }
}

/// RAdam's length ρ of the average that v is, and the rectifier where that is long enough.
fn rectifier(k: u64, hyper: &Hyper) -> (f64, Option<f64>) {
    let beta2 = hyper.adam_beta2;
    let power = beta2.powf((k + 1) as f64);
    let longest = 2.0 / (1.0 - beta2) - 1.0;
    let rho = longest - 2.0 * (k + 1) as f64 * power / (1.0 - power);
    let rectified = ((rho - 4.0) * (rho - 2.0) * longest / ((longest - 4.0) * (longest - 2.0) * rho)).sqrt();
    (rho, (rho > 5.0).then_some(rectified))
}

/// Adam that does not divide by v before v is an average of enough gradients. As in PyTorch, ε joins v before its
/// correction.
pub(super) fn radam(state: &State, g: [f64; 2], hyper: &Hyper) -> Update {
    let [m, v] = moments(state.a, state.b, g, hyper);
    let [m_hat, v_hat] = corrected(m, v, state.k, hyper);
    let root = hyper.bias(hyper.adam_beta2, state.k + 1).sqrt();
    let delta = match rectifier(state.k, hyper) {
        (_, Some(r)) => each(|i| -(hyper.learning_rate * m_hat[i] * (root / hyper.root(v[i])) * r)),
        (_, None) => each(|i| -(hyper.learning_rate * m_hat[i])),
    };
    Update { corrected: [m_hat, v_hat], ..Update::moving(state, delta).keeping(m, v) }
}

/// Adam with the largest of the decayed slopes in place of a root.
pub(super) fn adamax(state: &State, g: [f64; 2], hyper: &Hyper) -> Update {
    let m = average(hyper.adam_beta1, state.a, g);
    let largest = each(|i| {
        let (decayed, new) = (hyper.adam_beta2 * state.b[i], g[i].abs() + hyper.epsilon);
        if new > decayed || new.is_nan() { new } else { decayed }
    });
    let c1 = hyper.bias(hyper.adam_beta1, state.k + 1);
    let m_hat = m.map(|m| m / c1);
    let update = Update::moving(state, each(|i| -(hyper.learning_rate * m_hat[i] / largest[i]))).keeping(m, largest);
    Update { corrected: [m_hat, [0.0; 2]], ..update }
}

/// Adan: averages of the gradient, of its change, and of the square of both together.
pub(super) fn adan(state: &State, g: [f64; 2], hyper: &Hyper) -> Update {
    let &Hyper { adan_beta1: beta1, adan_beta2: beta2, adan_beta3: beta3, .. } = hyper;
    let change = adan_change(state, g);
    let m = average(beta1, state.a, g);
    let n = average(beta3, state.b, each(|i| (g[i] + beta2 * change[i]).powi(2)));
    let difference = average(beta2, state.c, change);
    let [c1, c2, c3] = [beta1, beta2, beta3].map(|beta| hyper.bias(beta, state.k + 1));
    let ahead = each(|i| m[i] / c1 + beta2 * difference[i] / c2);
    let n_hat = n.map(|n| n / c3);
    let mut update = Update::moving(state, adam_step([ahead, n_hat], hyper)).keeping(m, n);
    (update.next.c, update.next.d) = (difference, g);
    Update { corrected: [ahead, n_hat], ..update }
}

/// How the gradient changed since the last update.
fn adan_change(state: &State, g: [f64; 2]) -> [f64; 2] {
    if state.k == 0 { [0.0; 2] } else { each(|i| g[i] - state.d[i]) }
}

impl Context<'_> {
    fn first_moment(&self) -> Part {
        let (m, beta1) = (self.update.next.a, self.hyper.adam_beta1);
        let turned = (0..2).find(|&i| m[i] * self.g[i] < 0.0);
        Part::new("first_moment", "first moment m", "m", "m ← β₁ m + (1−β₁) g")
            .value(m, format!("{}·{} + {}·{}", number(beta1), pair(self.state.a), number(1.0 - beta1), pair(self.g)))
            .arrow(self.state.theta, m.map(|m| -m))
            .note(match turned {
                Some(i) => format!("Along {} the slope has turned round, but m still points the old way.", AXES[i]),
                None => format!("m averages about the last {} gradients, like a velocity.", memory(beta1)),
            })
    }

    fn second_moment(&self, old: [f64; 2], v: [f64; 2]) -> Part {
        let beta2 = self.hyper.adam_beta2;
        Part::new("second_moment", "second moment v", "v", "v ← β₂ v + (1−β₂) g²")
            .value(v, average_of_squares(beta2, old, self.g))
            .note(format!("v averages about the last {} squared gradients: the size of the slope.", memory(beta2)))
    }

    fn first_corrected(&self) -> Part {
        let (beta1, k) = (self.hyper.adam_beta1, self.update.next.k);
        let m_hat = self.update.corrected[0];
        Part::new("first_moment_corrected", "bias-corrected m̂", "m̂", "m̂ = m / (1−β₁ᵏ)")
            .value(m_hat, format!("{} / (1 − {}^{k})", pair(self.update.next.a), number(beta1)))
            .arrow(self.state.theta, m_hat.map(|m| -m))
            .note(correction_note("m", k, self.hyper.bias(beta1, k)))
    }

    /// `name`: what is corrected.
    fn second_corrected(&self, name: &str, square: [f64; 2]) -> Part {
        let (beta2, k) = (self.hyper.adam_beta2, self.update.next.k);
        Part::new("second_moment_corrected", "bias-corrected v̂", "v̂", format!("v̂ = {name} / (1−β₂ᵏ)"))
            .value(self.update.corrected[1], format!("{} / (1 − {}^{k})", pair(square), number(beta2)))
            .note(correction_note("v", k, self.hyper.bias(beta2, k)))
    }

    /// The parts of both averages, and what m and v are called after their correction, if any.
    fn both_moments(&self) -> (Vec<Part>, [&'static str; 2]) {
        let mut parts =
            vec![self.gradient(), self.first_moment(), self.second_moment(self.state.b, self.update.next.b)];
        if !self.hyper.choices.bias_correction {
            return (parts, ["m", "v"]);
        }
        parts.push(self.first_corrected());
        parts.push(self.second_corrected("v", self.update.next.b));
        (parts, ["m̂", "v̂"])
    }

    pub(super) fn adam(&self) -> Vec<Part> {
        let (mut parts, [m, v]) = self.both_moments();
        let [m_hat, v_hat] = self.update.corrected;
        parts.push(self.scaled_step(m, v, self.hyper.learning_rate, m_hat, v_hat));
        parts
    }

    pub(super) fn adamw(&self) -> Vec<Part> {
        let (mut parts, [m, v]) = self.both_moments();
        let ([m_hat, v_hat], decay) = (self.update.corrected, adamw_decay(self.state, self.hyper));
        let (eta, lambda, theta) = (self.hyper.learning_rate, self.hyper.weight_decay, self.state.theta);
        parts.push(
            Part::new("decay", "weight decay", "w", "w = −η λ θ")
                .value(decay, format!("−{}·{}·{}", number(eta), number(lambda), pair(theta)))
                .arrow(theta, decay)
                .note("A pull towards the origin beside Adam's step, and not divided by the root as L2 in Adam is."),
        );
        let step = format!("Δθ = w − η {m} / {}", self.root(v));
        parts.push(
            Part::new("step", "step Δθ", "Δθ", step)
                .value(
                    self.update.delta,
                    format!("{} − {}·{} / {}", pair(decay), number(eta), pair(m_hat), self.root_numbers(v_hat)),
                )
                .arrow(theta, self.update.delta)
                .note(equalised(self.g, self.update.delta, &format!("√{v}"))),
        );
        parts
    }

    pub(super) fn amsgrad(&self) -> Vec<Part> {
        let (v, largest) = (self.update.next.c, self.update.next.b);
        let [m_hat, v_hat] = self.update.corrected;
        let grew = (0..2).filter(|&i| v[i] > self.state.b[i]).count();
        let mut parts = vec![
            self.gradient(),
            self.first_moment(),
            self.second_moment(self.state.c, v),
            Part::new("largest_second_moment", "largest second moment so far", "v max", "v max ← max(v max, v)")
                .value(largest, format!("max({}, {})", pair(self.state.b), pair(v)))
                .note(if grew == 0 {
                    "v has been larger before: Adam would take longer steps by now, AMSGrad does not."
                } else {
                    "v is larger than ever, so AMSGrad divides by it as Adam does."
                }),
        ];
        let (m, v) = if self.hyper.choices.bias_correction {
            parts.push(self.first_corrected());
            parts.push(self.second_corrected("v max", largest));
            ("m̂", "v̂")
        } else {
            ("m", "v max")
        };
        parts.push(self.scaled_step(m, v, self.hyper.learning_rate, m_hat, v_hat));
        parts
    }

    pub(super) fn nadam(&self) -> Vec<Part> {
        let weights = nadam_weights(self.state, self.hyper);
        let ([now, next], product) = (weights.mu, weights.product);
        let [ahead, v_hat] = self.update.corrected;
        let (m, before) = (self.update.next.a, if self.state.k == 0 { 1.0 } else { self.state.c[0] });
        let corrects = self.hyper.choices.bias_correction;
        let mut parts =
            vec![self.gradient(), self.first_moment(), self.second_moment(self.state.b, self.update.next.b)];
        parts.push(
            Part::new("momentum_weight", "weight of the momentum", "μₖ", "μₖ = β₁ (1 − ½·0.96^(kψ))")
                .scalar(
                    now,
                    format!(
                        "{}·(1 − 0.5·0.96^({}·{}))",
                        number(self.hyper.adam_beta1),
                        self.update.next.k,
                        number(self.hyper.nadam_decay)
                    ),
                )
                .note(format!("It begins at half of β₁ and grows towards it: {} after one more update.", number(next))),
        );
        parts.push(
            Part::new("momentum_product", "product of these weights", "Π", "Π ← Π μₖ")
                .scalar(product, format!("{}·{}", number(before), number(now)))
                .note("What is left of the beginning: the bias correction of the look-ahead needs it."),
        );
        let v = if corrects {
            parts.push(self.second_corrected("v", self.update.next.b));
            "v̂"
        } else {
            "v"
        };
        let equation = if corrects {
            "m̃ = (1−μₖ)/(1−Π) g + μₖ₊₁/(1−Π μₖ₊₁) m"
        } else {
            "m̃ = (1−μₖ) g + μₖ₊₁ m"
        };
        parts.push(
            Part::new("first_moment_corrected", "momentum one update ahead", "m̃", equation)
                .value(
                    ahead,
                    format!("{}·{} + {}·{}", number(weights.gradient), pair(self.g), number(weights.moment), pair(m)),
                )
                .arrow(self.state.theta, ahead.map(|v| -v))
                .note("Nesterov's idea: the new gradient counts at once, beside the momentum of the next update."),
        );
        parts.push(self.scaled_step("m̃", v, self.hyper.learning_rate, ahead, v_hat));
        parts
    }

    pub(super) fn radam(&self) -> Vec<Part> {
        let (k, eta, beta2) = (self.update.next.k, self.hyper.learning_rate, self.hyper.adam_beta2);
        let (v, m_hat) = (self.update.next.b, self.update.corrected[0]);
        let mut parts = vec![self.gradient(), self.first_moment(), self.second_moment(self.state.b, v)];
        let m = if self.hyper.choices.bias_correction {
            parts.push(self.first_corrected());
            "m̂"
        } else {
            "m"
        };
        let (rho, rectified) = rectifier(self.state.k, self.hyper);
        let longest = 2.0 / (1.0 - beta2) - 1.0;
        parts.push(
            Part::new("average_length", "length of the average", "ρₖ", "ρₖ = ρ∞ − 2k β₂ᵏ/(1−β₂ᵏ)")
                .scalar(rho, format!("{} − 2·{k}·{}^{k}/(1 − {}^{k})", number(longest), number(beta2), number(beta2)))
                .note(if rectified.is_some() {
                    "Above 5 the variance of v can be told, and v is used."
                } else {
                    "Not above 5: v is an average of too few gradients, so this update is momentum without a root."
                }),
        );
        let Some(r) = rectified else {
            parts.push(
                Part::new("step", "step Δθ", "Δθ", format!("Δθ = −η {m}"))
                    .value(self.update.delta, format!("−{}·{}", number(eta), pair(m_hat)))
                    .arrow(self.state.theta, self.update.delta)
                    .note(format!("The step is {} long and grows with the slope.", number(length(self.update.delta)))),
            );
            return parts;
        };
        parts.push(
            Part::new("rectifier", "rectifier", "r", "r = √((ρₖ−4)(ρₖ−2)ρ∞ / ((ρ∞−4)(ρ∞−2)ρₖ))")
                .scalar(r, format!("√(({0}−4)({0}−2){1} / (({1}−4)({1}−2){0}))", number(rho), number(longest)))
                .note(format!("The adaptive step counts {} %; that share grows to 100.", number(100.0 * r))),
        );
        let root = self.hyper.bias(beta2, k).sqrt();
        let (factor, factor_numbers) = if self.hyper.choices.bias_correction {
            ("√(1−β₂ᵏ)", number(root))
        } else {
            ("1", "1".to_owned())
        };
        parts.push(
            Part::new("step", "step Δθ", "Δθ", format!("Δθ = −η r {m} {factor} / {}", self.root("v")))
                .value(
                    self.update.delta,
                    format!(
                        "−{}·{}·{}·{factor_numbers} / {}",
                        number(eta),
                        number(r),
                        pair(m_hat),
                        self.root_numbers(v)
                    ),
                )
                .arrow(self.state.theta, self.update.delta)
                .note(equalised(self.g, self.update.delta, "√v")),
        );
        parts
    }

    pub(super) fn adamax(&self) -> Vec<Part> {
        let (largest, m_hat) = (self.update.next.b, self.update.corrected[0]);
        let (beta2, epsilon) = (self.hyper.adam_beta2, self.hyper.epsilon);
        let newest = (0..2).filter(|&i| beta2 * self.state.b[i] < self.g[i].abs() + epsilon).count();
        let mut parts = vec![
            self.gradient(),
            self.first_moment(),
            Part::new("largest_slope", "largest decayed slope u", "u", "u ← max(β₂ u, |g| + ε)")
                .value(
                    largest,
                    format!("max({}·{}, |{}| + {})", number(beta2), pair(self.state.b), pair(self.g), number(epsilon)),
                )
                .note(match newest {
                    2 => "Along both axes this slope is the largest: u follows it at once.",
                    1 => "Along one axis this slope is the largest; along the other u slowly forgets an older one.",
                    _ => "Steeper slopes are remembered: u slowly forgets them.",
                }),
        ];
        let m = if self.hyper.choices.bias_correction {
            parts.push(self.first_corrected());
            "m̂"
        } else {
            "m"
        };
        parts.push(
            Part::new("step", "step Δθ", "Δθ", format!("Δθ = −η {m} / u"))
                .value(
                    self.update.delta,
                    format!("−{}·{} / {}", number(self.hyper.learning_rate), pair(m_hat), pair(largest)),
                )
                .arrow(self.state.theta, self.update.delta)
                .note(equalised(self.g, self.update.delta, "u")),
        );
        parts
    }

    pub(super) fn adan(&self) -> Vec<Part> {
        let &Hyper { adan_beta1: beta1, adan_beta2: beta2, adan_beta3: beta3, learning_rate, .. } = self.hyper;
        let (state, next, change) = (self.state, &self.update.next, adan_change(self.state, self.g));
        let [ahead, n_hat] = self.update.corrected;
        let k = next.k;
        let mixed = |beta: f64, old: [f64; 2], new: [f64; 2]| {
            format!("{}·{} + {}·{}", number(beta), pair(old), number(1.0 - beta), pair(new))
        };
        let combined = each(|i| self.g[i] + beta2 * change[i]);
        let mut parts = vec![
            self.gradient(),
            Part::new("change", "change of the gradient", "y", "y = g − g₋")
                .value(change, if k == 1 { pair(change) } else { format!("{} − {}", pair(self.g), pair(state.d)) })
                .note(if k == 1 {
                    "There is no earlier gradient yet, so it counts as unchanged."
                } else {
                    "It tells the curvature along the last step, without another gradient."
                }),
            Part::new("first_moment", "mean of gradients m", "m", "m ← β₁ m + (1−β₁) g")
                .value(next.a, mixed(beta1, state.a, self.g))
                .arrow(state.theta, next.a.map(|m| -m))
                .note(format!("m averages about the last {} gradients.", memory(beta1))),
            Part::new("mean_change", "mean of changes δ", "δ", "δ ← β₂ δ + (1−β₂) y")
                .value(next.c, mixed(beta2, state.c, change))
                .note(format!("δ averages about the last {} changes.", memory(beta2))),
            Part::new("second_moment", "mean square n", "n", "n ← β₃ n + (1−β₃) (g + β₂ y)²")
                .value(next.b, average_of_squares(beta3, state.b, combined))
                .note("The size of the gradient as Nesterov would see it, one step ahead."),
        ];
        let (equation, square) = if self.hyper.choices.bias_correction {
            let c3 = self.hyper.bias(beta3, k);
            parts.push(
                Part::new("second_moment_corrected", "bias-corrected n̂", "n̂", "n̂ = n / (1−β₃ᵏ)")
                    .value(n_hat, format!("{} / (1 − {}^{k})", pair(next.b), number(beta3)))
                    .note(correction_note("n", k, c3)),
            );
            ("m̃ = m/(1−β₁ᵏ) + β₂ δ/(1−β₂ᵏ)", "n̂")
        } else {
            ("m̃ = m + β₂ δ", "n")
        };
        let [c1, c2] = [beta1, beta2].map(|beta| self.hyper.bias(beta, k));
        parts.push(
            Part::new("first_moment_corrected", "direction one step ahead", "m̃", equation)
                .value(
                    ahead,
                    format!("{}/{} + {}·{}/{}", pair(next.a), number(c1), number(beta2), pair(next.c), number(c2)),
                )
                .arrow(state.theta, ahead.map(|v| -v))
                .note("The mean gradient, and how it is changing."),
        );
        parts.push(self.scaled_step("m̃", square, learning_rate, ahead, n_hat));
        parts
    }
}
