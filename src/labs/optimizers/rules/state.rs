//! What a rule carries from one update to the next.

/// Pairs of steps and changes of the gradient that L-BFGS keeps at most.
pub const PAIRS: usize = 10;

/// Everything that a rule carries from one update to the next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct State {
    /// Position θ = (x, y).
    pub theta: [f64; 2],
    /// First and second state vector, see [`super::Rule::state_names`]; zero where the rule has none.
    pub a: [f64; 2],
    pub b: [f64; 2],
    /// Third and fourth, see [`super::Rule::hidden_names`]; zero where the rule has none.
    pub c: [f64; 2],
    pub d: [f64; 2],
    /// Updates done.
    pub k: u64,
    /// Gradients computed in them.
    pub evaluations: u64,
    pub(super) pairs: Pairs,
}

/// L-BFGS's memory, the oldest pair first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pairs {
    pub count: usize,
    /// Moves s, and changes y of the gradient along them.
    pub s: [[f64; 2]; PAIRS],
    pub y: [[f64; 2]; PAIRS],
}

impl Pairs {
    const NONE: Self = Self { count: 0, s: [[0.0; 2]; PAIRS], y: [[0.0; 2]; PAIRS] };

    /// Adds a pair, in place of the oldest where all places are taken.
    pub fn push(&mut self, s: [f64; 2], y: [f64; 2]) {
        if self.count == PAIRS {
            self.s.copy_within(1.., 0);
            self.y.copy_within(1.., 0);
            self.count -= 1;
        }
        (self.s[self.count], self.y[self.count]) = (s, y);
        self.count += 1;
    }
}

impl State {
    /// Numbers of [`State::pack`].
    pub const PACKED: usize = 13 + 4 * PAIRS;

    /// What they are called.
    #[rustfmt::skip]
    pub const COLUMNS: &[&str; Self::PACKED] = &[
        "k", "evaluations", "pairs", "x", "y", "a_x", "a_y", "b_x", "b_y", "c_x", "c_y", "d_x", "d_y", "s0_x", "s0_y",
        "s1_x", "s1_y", "s2_x", "s2_y", "s3_x", "s3_y", "s4_x", "s4_y", "s5_x", "s5_y", "s6_x", "s6_y", "s7_x",
        "s7_y", "s8_x", "s8_y", "s9_x", "s9_y", "y0_x", "y0_y", "y1_x", "y1_y", "y2_x", "y2_y", "y3_x", "y3_y",
        "y4_x", "y4_y", "y5_x", "y5_y", "y6_x", "y6_y", "y7_x", "y7_y", "y8_x", "y8_y", "y9_x", "y9_y",
    ];

    /// The state before the first update.
    pub fn new(start: [f64; 2]) -> Self {
        Self::recorded(start, [0.0; 2], [0.0; 2], 0)
    }

    /// A state of which a recorded path tells everything, see [`super::Rule::remembers_more`]: one gradient an update.
    pub fn recorded(theta: [f64; 2], a: [f64; 2], b: [f64; 2], k: u64) -> Self {
        Self { theta, a, b, c: [0.0; 2], d: [0.0; 2], k, evaluations: k, pairs: Pairs::NONE }
    }

    /// All of it as numbers.
    pub fn pack(&self) -> [f64; Self::PACKED] {
        let Self { theta, a, b, c, d, k, evaluations, pairs } = self;
        // Counts stay far below 2^53, so they are exact as f64.
        let counts = [*k as f64, *evaluations as f64, pairs.count as f64];
        let vectors = [theta, a, b, c, d].into_iter().chain(&pairs.s).chain(&pairs.y).flatten();
        let mut packed = [0.0; Self::PACKED];
        packed.iter_mut().zip(counts.iter().chain(vectors)).for_each(|(to, from)| *to = *from);
        packed
    }

    /// The inverse of [`State::pack`]; whatever the numbers are, the result can be stepped.
    pub fn unpack(packed: &[f64; Self::PACKED]) -> Self {
        let vector = |i: usize| [packed[3 + 2 * i], packed[4 + 2 * i]];
        let pairs = Pairs {
            count: (packed[2] as usize).min(PAIRS),
            s: std::array::from_fn(|i| vector(5 + i)),
            y: std::array::from_fn(|i| vector(5 + PAIRS + i)),
        };
        Self {
            theta: vector(0),
            a: vector(1),
            b: vector(2),
            c: vector(3),
            d: vector(4),
            k: packed[0] as u64,
            evaluations: packed[1] as u64,
            pairs,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_comes_back_from_its_numbers() {
        let mut state = State { c: [5.0, 6.0], d: [7.0, -0.0], k: 9, evaluations: 31, ..State::new([1.0, 2.0]) };
        for i in 0..13 {
            state.pairs.push([f64::from(i), 0.5], [1.0, f64::from(-i)]);
        }
        assert_eq!((state.pairs.count, state.pairs.s[0], state.pairs.y[9]), (PAIRS, [3.0, 0.5], [1.0, -12.0]));
        assert_eq!(State::unpack(&state.pack()), state);
        assert_eq!(State::unpack(&[f64::NAN; State::PACKED]).pairs.count, 0);
        assert_eq!(State::unpack(&[1e300; State::PACKED]).pairs.count, PAIRS);
    }
}
