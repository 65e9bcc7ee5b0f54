//! Maps of values over a picture: probabilities, uncertainties, attention.

use crate::engine::event::Payload;

/// A square map of one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Map {
    pub step: u64,
    pub side: usize,
    /// Row by row.
    pub values: Vec<f32>,
}

impl Map {
    /// Reads a map of bytes: `value = (byte + offset) / scale`. `None` where it is not square or not whole.
    pub fn read(step: u64, payload: &Payload, scale: f32, offset: f32) -> Option<Self> {
        let Payload::Mask { width, height, labels } = payload else { return None };
        let side = *width as usize;
        let whole = width == height && side > 0 && side.checked_mul(side) == Some(labels.len());
        whole.then(|| {
            // A table of the 256 values that there are.
            let table: Vec<f32> = (0..=255u8).map(|label| (f32::from(label) + offset) / scale).collect();
            Self { step, side, values: labels.iter().map(|label| table[usize::from(*label)]).collect() }
        })
    }

    /// The value where a place of the picture lies (bilinear between the centres of pixels); `at` in shares of width and
    /// height.
    pub fn sample(&self, at: [f32; 2]) -> f32 {
        let last = self.side as f32 - 1.0;
        let place = at.map(|share| (share * self.side as f32 - 0.5).clamp(0.0, last));
        let low = place.map(|v| v as usize);
        let t = [place[0].fract(), place[1].fract()];
        let value = |x: usize, y: usize| self.values[y.min(self.side - 1) * self.side + x.min(self.side - 1)];
        let along = |y: usize| (1.0 - t[0]) * value(low[0], y) + t[0] * value(low[0] + 1, y);
        (1.0 - t[1]) * along(low[1]) + t[1] * along(low[1] + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_is_read_as_it_was_recorded() {
        let bytes = |labels: Vec<u8>| Payload::Mask { width: 2, height: 2, labels };
        let map = Map::read(7, &bytes(vec![0, 127, 128, 255]), 256.0, 0.5).unwrap();
        assert_eq!((map.step, map.side), (7, 2));
        assert!(map.values[1] < 0.5 && map.values[2] > 0.5);
        assert!(Map::read(7, &bytes(vec![0; 3]), 256.0, 0.5).is_none());
        assert!(Map::read(7, &Payload::Mask { width: 1, height: 2, labels: vec![0; 2] }, 256.0, 0.5).is_none());
        assert!(Map::read(7, &Payload::Series(vec![1.0]), 256.0, 0.5).is_none());
        let middle = map.sample([0.5, 0.5]);
        assert!((middle - map.values.iter().sum::<f32>() / 4.0).abs() < 1e-6);
        assert_eq!(map.sample([0.0, 0.0]), map.values[0]);
        assert_eq!(map.sample([1.0, 1.0]), map.values[3]);
    }
}
