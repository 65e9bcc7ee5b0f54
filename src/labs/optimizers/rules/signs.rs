//! Rules that use only the signs of gradients: Rprop, Lion.

use super::trace::{AXES, Context, Part, number, pair};
use super::{Hyper, State, Update, each, sign};

/// Resilient propagation: each axis has a step size of its own, which grows while the slope keeps its sign.
pub(super) fn rprop(state: &State, g: [f64; 2], hyper: &Hyper) -> Update {
    let (size, counted) = (rprop_sizes(state, g, hyper), rprop_gradient(state, g));
    Update::moving(state, each(|i| -(sign(counted[i]) * size[i]))).keeping(size, counted)
}

/// The step sizes of this update.
fn rprop_sizes(state: &State, g: [f64; 2], hyper: &Hyper) -> [f64; 2] {
    let old = if state.k == 0 { [hyper.learning_rate; 2] } else { state.a };
    each(|i| {
        let agreement = g[i] * state.b[i];
        let factor = if agreement > 0.0 {
            hyper.rprop_faster
        } else if agreement < 0.0 {
            hyper.rprop_slower
        } else {
            1.0
        };
        let size = factor * old[i];
        // Not `clamp`, which panics where the limits are the wrong way round.
        size.max(hyper.rprop_smallest).min(hyper.rprop_largest)
    })
}

/// The gradient that counts: 0 along an axis where the slope has turned round.
fn rprop_gradient(state: &State, g: [f64; 2]) -> [f64; 2] {
    each(|i| if g[i] * state.b[i] < 0.0 { 0.0 } else { g[i] })
}

/// The sign of a momentum; another, slower average is kept.
pub(super) fn lion(state: &State, g: [f64; 2], hyper: &Hyper) -> Update {
    let direction = lion_direction(state, g, hyper);
    let m = each(|i| hyper.lion_beta2 * state.a[i] + (1.0 - hyper.lion_beta2) * g[i]);
    Update::moving(state, direction.map(|v| -(hyper.learning_rate * sign(v)))).keeping(m, [0.0; 2])
}

fn lion_direction(state: &State, g: [f64; 2], hyper: &Hyper) -> [f64; 2] {
    each(|i| hyper.lion_beta1 * state.a[i] + (1.0 - hyper.lion_beta1) * g[i])
}

impl Context<'_> {
    pub(super) fn rprop(&self) -> Vec<Part> {
        let (state, hyper) = (self.state, self.hyper);
        let (size, counted) = (self.update.next.a, self.update.next.b);
        let agreement = each(|i| sign(self.g[i] * state.b[i]));
        let old = if state.k == 0 { [hyper.learning_rate; 2] } else { state.a };
        let turned: Vec<&str> = (0..2).filter(|&i| agreement[i] < 0.0).map(|i| AXES[i]).collect();
        vec![
            self.gradient(),
            Part::new("agreement", "has the slope kept its sign?", "σ", "σ = sign(g · g₋)")
                .value(agreement, format!("sign({}·{})", pair(self.g), pair(state.b)))
                .note(match (turned.is_empty(), state.k) {
                    (_, 0) => "There is no earlier slope to compare with.".to_owned(),
                    (true, _) => "No slope has turned round: where σ is 1 the step grows.".to_owned(),
                    _ => format!(
                        "Along {} the slope has turned round: the last step went too far.",
                        turned.join(" and ")
                    ),
                }),
            Part::new("step_sizes", "step sizes Δ", "Δ", "Δ ← Δ η⁺ where σ > 0, Δ η⁻ where σ < 0, within limits")
                .value(
                    size,
                    format!(
                        "{} × ({}; {}) within {} … {}",
                        pair(old),
                        number(hyper.rprop_faster),
                        number(hyper.rprop_slower),
                        number(hyper.rprop_smallest),
                        number(hyper.rprop_largest)
                    ),
                )
                .note("The size of the slope is never used, only its sign: the step sizes find their own way."),
            Part::new("counted_gradient", "gradient that counts", "g₋", "g₋ ← g, but 0 where σ < 0")
                .value(counted, pair(counted))
                .note(if turned.is_empty() {
                    "Both slopes count, and are remembered for the next comparison."
                } else {
                    "An axis whose slope has turned rests for one update."
                }),
            Part::new("step", "step Δθ", "Δθ", "Δθ = −sign(g₋) Δ")
                .value(self.update.delta, format!("−sign{}·{}", pair(counted), pair(size)))
                .arrow(state.theta, self.update.delta)
                .note("Along each axis a step of its own size, whatever the slope."),
        ]
    }

    pub(super) fn lion(&self) -> Vec<Part> {
        let (state, hyper) = (self.state, self.hyper);
        let (direction, m) = (lion_direction(state, self.g, hyper), self.update.next.a);
        let mixed = |beta: f64| format!("{}·{} + {}·{}", number(beta), pair(state.a), number(1.0 - beta), pair(self.g));
        vec![
            self.gradient(),
            Part::new("first_moment", "direction c", "c", "c = β₁ m + (1−β₁) g")
                .value(direction, mixed(hyper.lion_beta1))
                .arrow(state.theta, direction.map(|v| -v))
                .note("For the sign the new gradient weighs more than in the average that is kept."),
            Part::new("step", "step Δθ", "Δθ", "Δθ = −η sign(c)")
                .value(self.update.delta, format!("−{}·sign{}", number(hyper.learning_rate), pair(direction)))
                .arrow(state.theta, self.update.delta)
                .note("Each axis moves by exactly η, or not at all: Lion walks on a lattice of eight directions."),
            Part::new("average", "average m that is kept", "m", "m ← β₂ m + (1−β₂) g")
                .value(m, mixed(hyper.lion_beta2))
                .note("It is averaged over more gradients than the direction was."),
        ]
    }
}
