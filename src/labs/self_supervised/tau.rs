//! τ of the target's moving average along a run.

/// τ at step k of K: constant, or rising from τ₀ to 1 as 1 − (1 − τ₀)(cos(πk/K) + 1)/2 (the BYOL paper's schedule).
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TauSchedule {
    Constant(f64),
    Cosine { start: f64, steps: u64 },
}

impl TauSchedule {
    /// τ of the update after step `step`, counted from 0.
    pub fn at(self, step: u64) -> f64 {
        match self {
            TauSchedule::Constant(tau) => tau,
            TauSchedule::Cosine { start, steps } => {
                let progress = if steps == 0 { 1.0 } else { (step as f64 / steps as f64).min(1.0) };
                1.0 - (1.0 - start) * ((std::f64::consts::PI * progress).cos() + 1.0) / 2.0
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cosine_schedule_ends_frozen() {
        let schedule = TauSchedule::Cosine { start: 0.996, steps: 100 };
        assert!((schedule.at(0) - 0.996).abs() < 1e-15 && schedule.at(100) == 1.0 && schedule.at(500) == 1.0);
        assert_eq!(TauSchedule::Constant(0.9).at(3), 0.9);
    }
}
