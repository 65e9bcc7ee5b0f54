//! What the article's Table 2 says of the networks, and how our counts of parameters compare with it.

use crate::nn::segmentation::count::count;
use crate::nn::segmentation::spec::{Architecture, NetSpec};
use crate::plot::number::grouped;

/// What the article's Table 2 says of a network.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PaperRow {
    pub architecture: Architecture,
    /// Trained parameters, as printed.
    pub parameters: PaperParameters,
    /// Test Dice, mean and standard deviation of three seeds.
    pub dice: (f64, f64),
    /// 95th percentile of the Hausdorff distance in pixels, mean and standard deviation of three seeds.
    pub hd95: (f64, f64),
}

/// A printed number of parameters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PaperParameters {
    /// To the last digit.
    Exact(u64),
    /// In millions, rounded to one decimal.
    Millions(f64),
    /// Not given.
    Missing,
}

/// The article's rows. Its 54.7 M beside ResNet-101 is the number of the Xception variant; see [`paper_note`].
pub const PAPER: [PaperRow; 15] = {
    const fn lighter(group: usize, parameters: u64, dice: (f64, f64), hd95: (f64, f64)) -> PaperRow {
        row(Architecture::LighterUNet { group }, PaperParameters::Exact(parameters), dice, hd95)
    }
    const fn row(
        architecture: Architecture,
        parameters: PaperParameters,
        dice: (f64, f64),
        hd95: (f64, f64),
    ) -> PaperRow {
        PaperRow { architecture, parameters, dice, hd95 }
    }
    use Architecture as A;
    use PaperParameters::{Exact, Millions, Missing};
    [
        row(A::UNet, Exact(17_267_393), (0.929, 0.002), (13.92, 0.34)),
        row(A::LightUNet, Exact(11_000_257), (0.927, 0.001), (14.16, 0.47)),
        lighter(128, 7_944_661, (0.928, 0.001), (13.93, 0.50)),
        lighter(64, 4_995_541, (0.926, 0.001), (14.21, 0.24)),
        lighter(32, 3_465_685, (0.926, 0.001), (14.51, 0.09)),
        lighter(16, 2_700_757, (0.922, 0.003), (15.18, 0.43)),
        lighter(8, 2_318_293, (0.921, 0.002), (15.14, 0.43)),
        lighter(4, 2_127_061, (0.920, 0.003), (15.22, 0.58)),
        lighter(2, 2_031_445, (0.920, 0.001), (15.52, 0.19)),
        lighter(1, 1_983_583, (0.917, 0.001), (15.98, 0.23)),
        row(A::DeepLabMobileNetV2, Missing, (0.904, 0.003), (16.88, 0.47)),
        row(A::DeepLabResNet101, Millions(54.7), (0.922, 0.003), (14.32, 0.63)),
        row(A::Fcn32s, Missing, (0.909, 0.005), (15.89, 0.81)),
        row(A::Fcn16s, Missing, (0.920, 0.003), (14.88, 0.42)),
        row(A::Fcn8s, Millions(18.6), (0.924, 0.001), (14.37, 0.16)),
    ]
};

/// The article's row for an architecture.
pub fn paper_row(architecture: Architecture) -> Option<&'static PaperRow> {
    PAPER.iter().find(|row| row.architecture == architecture)
}

/// How a count compares with the article's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Match {
    /// The same number.
    Exact,
    /// The same to the printed digits.
    Rounded,
    /// Another number.
    Differs,
    /// The article gives none, or this is another width or another number of channels than the article's.
    NoReference,
}

/// Compares a network with the article's Table 2, which is of width 64 and 3 channels.
pub fn paper_match(spec: &NetSpec) -> Match {
    let comparable = spec.channels == 3 && (spec.architecture.stages().is_none() || spec.base == 64);
    let (true, Some(row), Ok(ours)) = (comparable, paper_row(spec.architecture), count(spec, 256, 256)) else {
        return Match::NoReference;
    };
    match row.parameters {
        PaperParameters::Exact(printed) if printed == ours.total.parameters => Match::Exact,
        PaperParameters::Millions(printed) if (ours.total.parameters as f64 / 1e6 - printed).abs() <= 0.05 => {
            Match::Rounded
        }
        PaperParameters::Missing => Match::NoReference,
        _ => Match::Differs,
    }
}

/// A row of Table 2 with our count of its network.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Counted {
    pub row: &'static PaperRow,
    /// Trained parameters at width 64 and 3 channels.
    pub ours: u64,
    pub matched: Match,
}

/// The ten rows of Table 2, counted.
pub fn table_2() -> Vec<Counted> {
    let counted = |row: &'static PaperRow| {
        let spec = NetSpec { architecture: row.architecture, channels: 3, base: 64, outputs: 1 };
        let ours = count(&spec, 256, 256).map_or(0, |count| count.total.parameters);
        Counted { row, ours, matched: paper_match(&spec) }
    };
    PAPER[..10].iter().map(counted).collect()
}

impl Counted {
    /// ✔ or ≠; empty where nothing is printed.
    pub fn badge(&self) -> &'static str {
        match self.matched {
            Match::Exact | Match::Rounded => "✔",
            Match::Differs => "≠",
            Match::NoReference => "",
        }
    }

    /// The printed number of parameters.
    pub fn printed(&self) -> String {
        match self.row.parameters {
            PaperParameters::Exact(printed) => grouped(printed),
            PaperParameters::Millions(printed) => format!("{printed} M"),
            PaperParameters::Missing => "none".to_owned(),
        }
    }

    /// Network, printed parameters, ours, badge, Dice and HD95 of the paper.
    pub fn cells(&self) -> Vec<String> {
        let PaperRow { architecture, dice, hd95, .. } = self.row;
        vec![
            architecture.name(),
            self.printed(),
            grouped(self.ours),
            self.badge().to_owned(),
            format!("{:.3} ± {:.3}", dice.0, dice.1),
            format!("{:.2} ± {:.2}", hd95.0, hd95.1),
        ]
    }
}

/// What has to be said beside the article's number of parameters.
pub fn paper_note(architecture: Architecture) -> Option<&'static str> {
    match architecture {
        Architecture::DeepLabResNet101 | Architecture::DeepLabXception => Some(
            "The article prints 54.7 M beside ResNet-101. Counted layer by layer, the Xception variant has 54,700,177 \
             parameters and ResNet-101 has 59,339,169, so the article's number is most likely the Xception variant's.",
        ),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(architecture: Architecture, base: usize) -> NetSpec {
        NetSpec { architecture, channels: 3, base, outputs: 1 }
    }

    #[test]
    fn all_ten_counts_of_table_2_match_to_the_last_digit() {
        for architecture in &Architecture::ALL[..10] {
            assert_eq!(paper_match(&spec(*architecture, 64)), Match::Exact, "{}", architecture.name());
        }
        let table = table_2();
        assert_eq!(table.len(), 10);
        assert!(table.iter().all(|row| row.badge() == "✔" && row.cells()[1] == row.cells()[2]), "{table:?}");
        assert_eq!(table[9].cells()[4..], ["0.917 ± 0.001", "15.98 ± 0.23"]);
        let other = Counted { matched: Match::Differs, ..table[0] };
        assert_eq!(other.badge(), "≠");
        assert_eq!(paper_match(&spec(Architecture::Fcn8s, 64)), Match::Rounded);
        assert_eq!(paper_match(&spec(Architecture::DeepLabResNet101, 64)), Match::Differs);
        assert_eq!(paper_match(&spec(Architecture::UNet, 32)), Match::NoReference);
    }
}
