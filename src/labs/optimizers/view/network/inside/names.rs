//! What the units are called.

use super::net::{Net, Unit};

/// Names of features and classes.
pub struct Names {
    pub features: Vec<&'static str>,
    pub classes: Vec<String>,
}

impl Names {
    /// Heading of a column.
    pub fn column(net: &Net, column: usize) -> String {
        match column {
            0 => "features".to_owned(),
            _ if column + 1 == net.columns() => "classes".to_owned(),
            _ => format!("hidden {column}"),
        }
    }

    /// Name of a unit: `x₁`, `unit 3 of hidden layer 1`, `class 0`.
    pub fn unit(&self, net: &Net, unit: Unit) -> String {
        let Unit { column, index } = unit;
        match column {
            0 => self.features.get(index).map_or_else(|| format!("feature {}", index + 1), |name| (*name).to_owned()),
            _ if column + 1 == net.columns() => format!("class {}", self.class(index)),
            _ => format!("unit {} of hidden layer {column}", index + 1),
        }
    }

    /// Name of a unit beside others of its column: `x₁`, `unit 3`, `class 0`.
    pub fn short(&self, net: &Net, unit: Unit) -> String {
        match unit.column {
            0 => self.unit(net, unit),
            column if column + 1 == net.columns() => self.unit(net, unit),
            _ => format!("unit {}", unit.index + 1),
        }
    }

    /// Name of a class as the data have it.
    pub fn class(&self, index: usize) -> String {
        self.classes.get(index).cloned().unwrap_or_else(|| index.to_string())
    }
}
