//! The surfaces: what can be minimized, with gradient, Hessian and every known critical point. A catalogue, and functions
//! that somebody types.

pub mod critical;
pub mod expression;
mod formulas;
mod own;

use own::Own;
pub use own::{Chosen, Source};

use std::hash::{DefaultHasher, Hash, Hasher};

use expression::Expression;

use CriticalKind::{Degenerate, GlobalMinimum, LocalMinimum, Maximum, Saddle};

/// An analytic function of two variables.
#[derive(Debug)]
pub struct Surface {
    /// Name on the command line and in files.
    pub id: &'static str,
    /// What somebody typed; then `formula`, `critical` and the three functions below stand for nothing.
    own: Option<Own>,
    pub title: &'static str,
    /// Name in the form.
    pub label: &'static str,
    formula: &'static str,
    /// One sentence: what makes it instructive.
    pub about: &'static str,
    /// The window that is drawn: x from `domain[0][0]` to `domain[0][1]`, y from `domain[1][0]` to `domain[1][1]`.
    pub domain: [[f64; 2]; 2],
    critical: &'static [Critical],
    /// f spans so many decades in the window that colours should follow its logarithm.
    pub log_color_by_default: bool,
    f: fn([f64; 2]) -> f64,
    gradient: fn([f64; 2]) -> [f64; 2],
    hessian: fn([f64; 2]) -> [[f64; 2]; 2],
}

/// A point where the gradient is zero.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Critical {
    pub position: [f64; 2],
    /// f there.
    pub value: f64,
    pub kind: CriticalKind,
}

/// What the second derivatives say about a point of zero gradient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CriticalKind {
    GlobalMinimum,
    LocalMinimum,
    Saddle,
    Maximum,
    /// The Hessian has a zero eigenvalue: a shelf or a higher-order saddle.
    Degenerate,
}

impl CriticalKind {
    /// Name in labels.
    pub fn title(self) -> &'static str {
        match self {
            GlobalMinimum => "global minimum",
            LocalMinimum => "local minimum",
            Saddle => "saddle point",
            Maximum => "maximum",
            Degenerate => "degenerate point",
        }
    }
}

impl Surface {
    /// f(x, y) as readable text.
    pub fn formula(&self) -> &str {
        self.own.as_ref().map_or(self.formula, |own| &own.text)
    }

    /// Known points of zero gradient (Ackley: of its kink). Not complete where minima are countless (Rastrigin, Ackley,
    /// Lévy 13), nor on a typed function.
    pub fn critical(&self) -> &[Critical] {
        self.own.as_ref().map_or(self.critical, |own| &own.critical)
    }

    /// What a typed function was read as; `None` in the catalogue.
    pub fn expression(&self) -> Option<&Expression> {
        self.own.as_ref().map(|own| &own.expression)
    }

    /// The same number for the same function in the same window: what caches go by.
    pub fn identity(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        (self.id, self.own.as_ref().map(|own| &own.text)).hash(&mut hasher);
        self.domain.as_flattened().iter().for_each(|side| side.to_bits().hash(&mut hasher));
        hasher.finish()
    }

    /// f at p = (x, y).
    pub fn f(&self, p: [f64; 2]) -> f64 {
        self.own.as_ref().map_or_else(|| (self.f)(p), |own| own.expression.value(p))
    }

    /// The gradient (∂f/∂x, ∂f/∂y) at p.
    pub fn gradient(&self, p: [f64; 2]) -> [f64; 2] {
        self.own.as_ref().map_or_else(|| (self.gradient)(p), |own| own.expression.gradient(p))
    }

    /// The symmetric matrix of second derivatives at p.
    pub fn hessian(&self, p: [f64; 2]) -> [[f64; 2]; 2] {
        self.own.as_ref().map_or_else(|| (self.hessian)(p), |own| own.expression.hessian(p))
    }

    /// Known minima, the global ones first.
    pub fn minima(&self) -> impl Iterator<Item = &Critical> {
        let of = |wanted: CriticalKind| self.critical().iter().filter(move |critical| critical.kind == wanted);
        of(GlobalMinimum).chain(of(LocalMinimum))
    }
}

/// The surface with this id.
pub fn by_id(id: &str) -> Option<&'static Surface> {
    ALL.iter().find(|surface| surface.id == id)
}

/// The surfaces with their names in files and in the form, and last a function of one's own.
pub const fn entries() -> [(&'static str, &'static str, Source); ALL.len() + 1] {
    let mut entries = [(own::ID, own::LABEL, Source::Own); ALL.len() + 1];
    let mut i = 0;
    while i < ALL.len() {
        entries[i] = (ALL[i].id, ALL[i].label, Source::Catalogue(&ALL[i]));
        i += 1;
    }
    entries
}

const fn critical(x: f64, y: f64, value: f64, kind: CriticalKind) -> Critical {
    Critical { position: [x, y], value, kind }
}

/// Every surface, in the order of the form.
pub static ALL: &[Surface] = &[
    Surface {
        id: "saddle",
        own: None,
        title: "Saddle",
        label: "saddle x² − y²",
        formula: "x² − y²",
        about: "Downhill along y, uphill along x. Exactly on the line y = 0 the way down is invisible.",
        domain: [[-1.0, 1.0], [-1.0, 1.0]],
        critical: &[critical(0.0, 0.0, 0.0, Saddle)],
        log_color_by_default: false,
        f: formulas::saddle::f,
        gradient: formulas::saddle::gradient,
        hessian: formulas::saddle::hessian,
    },
    Surface {
        id: "article_quartic",
        own: None,
        title: "Article quartic",
        label: "article quartic",
        formula: "x⁴ + 2x³ + y² − 1",
        about: "One global minimum and a flat shelf at (0, 0) where the gradient vanishes.",
        domain: [[-2.5, 1.5], [-2.0, 2.0]],
        critical: &[critical(-1.5, 0.0, -2.6875, GlobalMinimum), critical(0.0, 0.0, -1.0, Degenerate)],
        log_color_by_default: false,
        f: formulas::article_quartic::f,
        gradient: formulas::article_quartic::gradient,
        hessian: formulas::article_quartic::hessian,
    },
    Surface {
        id: "beale",
        own: None,
        title: "Beale",
        label: "Beale",
        formula: "(1.5 − x + xy)² + (2.25 − x + xy²)² + (2.625 − x + xy³)²",
        about: "A flat basin between walls that are a million times steeper.",
        domain: [[-4.5, 4.5], [-4.5, 4.5]],
        critical: &[
            critical(3.0, 0.5, 0.0, GlobalMinimum),
            critical(0.10053793732416, -2.64451358502313, 9.86451228475556, Saddle),
            critical(0.0, 1.0, 14.203125, Saddle),
        ],
        log_color_by_default: true,
        f: formulas::beale::f,
        gradient: formulas::beale::gradient,
        hessian: formulas::beale::hessian,
    },
    Surface {
        id: "rosenbrock",
        own: None,
        title: "Rosenbrock",
        label: "Rosenbrock",
        formula: "(1 − x)² + 100(y − x²)²",
        about: "A curved valley: finding it is easy, following it is not.",
        domain: [[-2.0, 2.0], [-1.0, 3.0]],
        critical: &[critical(1.0, 1.0, 0.0, GlobalMinimum)],
        log_color_by_default: true,
        f: formulas::rosenbrock::f,
        gradient: formulas::rosenbrock::gradient,
        hessian: formulas::rosenbrock::hessian,
    },
    Surface {
        id: "himmelblau",
        own: None,
        title: "Himmelblau",
        label: "Himmelblau",
        formula: "(x² + y − 11)² + (x + y² − 7)²",
        about: "Four equally deep minima: which one is reached is decided early.",
        domain: [[-5.0, 5.0], [-5.0, 5.0]],
        critical: &[
            critical(3.0, 2.0, 0.0, GlobalMinimum),
            critical(-2.80511808695274, 3.13131251825057, 0.0, GlobalMinimum),
            critical(-3.77931025337775, -3.28318599128617, 0.0, GlobalMinimum),
            critical(3.58442834033049, -1.8481265269644, 0.0, GlobalMinimum),
            critical(3.38515418360702, 0.07385187983775, 13.31192627040559, Saddle),
            critical(0.0866775045554, 2.88425470117478, 67.71915008752613, Saddle),
            critical(-3.07302575076439, -0.08135304428797, 104.01516291755811, Saddle),
            critical(-0.12796134673068, -1.95371498024458, 178.33723920192745, Saddle),
            critical(-0.27084459066735, -0.92303855647998, 181.6165215225827, Maximum),
        ],
        log_color_by_default: true,
        f: formulas::himmelblau::f,
        gradient: formulas::himmelblau::gradient,
        hessian: formulas::himmelblau::hessian,
    },
    Surface {
        id: "booth",
        own: None,
        title: "Booth",
        label: "Booth",
        formula: "(x + 2y − 7)² + (2x + y − 5)²",
        about: "A tilted bowl with curvatures 2 and 18: the axes of the surface are not those of the parameters.",
        domain: [[-10.0, 10.0], [-10.0, 10.0]],
        critical: &[critical(1.0, 3.0, 0.0, GlobalMinimum)],
        log_color_by_default: false,
        f: formulas::booth::f,
        gradient: formulas::booth::gradient,
        hessian: formulas::booth::hessian,
    },
    Surface {
        id: "matyas",
        own: None,
        title: "Matyas",
        label: "Matyas",
        formula: "0.26(x² + y²) − 0.48xy",
        about: "A tilted, shallow bowl with curvatures 0.04 and 1.",
        domain: [[-10.0, 10.0], [-10.0, 10.0]],
        critical: &[critical(0.0, 0.0, 0.0, GlobalMinimum)],
        log_color_by_default: false,
        f: formulas::matyas::f,
        gradient: formulas::matyas::gradient,
        hessian: formulas::matyas::hessian,
    },
    Surface {
        id: "rastrigin",
        own: None,
        title: "Rastrigin",
        label: "Rastrigin",
        formula: "20 + x² − 10 cos 2πx + y² − 10 cos 2πy",
        about: "A bowl covered with local minima.",
        domain: [[-5.12, 5.12], [-5.12, 5.12]],
        critical: &[critical(0.0, 0.0, 0.0, GlobalMinimum)],
        log_color_by_default: false,
        f: formulas::rastrigin::f,
        gradient: formulas::rastrigin::gradient,
        hessian: formulas::rastrigin::hessian,
    },
    Surface {
        id: "ackley",
        own: None,
        title: "Ackley",
        label: "Ackley",
        formula: "−20 exp(−0.2 √((x² + y²)/2)) − exp((cos 2πx + cos 2πy)/2) + e + 20",
        about: "A sharp funnel among ripples; at its tip the gradient does not exist.",
        domain: [[-5.0, 5.0], [-5.0, 5.0]],
        critical: &[critical(0.0, 0.0, 0.0, GlobalMinimum)],
        log_color_by_default: false,
        f: formulas::ackley::f,
        gradient: formulas::ackley::gradient,
        hessian: formulas::ackley::hessian,
    },
    Surface {
        id: "three_hump_camel",
        own: None,
        title: "Three-hump camel",
        label: "three-hump camel",
        formula: "2x² − 1.05x⁴ + x⁶/6 + xy + y²",
        about: "One global minimum between two local ones.",
        domain: [[-2.2, 2.2], [-2.2, 2.2]],
        critical: &[
            critical(0.0, 0.0, 0.0, GlobalMinimum),
            critical(1.74755234583029, -0.87377617291514, 0.29863844223686, LocalMinimum),
            critical(-1.74755234583029, 0.87377617291514, 0.29863844223686, LocalMinimum),
            critical(1.07054229182366, -0.53527114591183, 0.87736155776314, Saddle),
            critical(-1.07054229182366, 0.53527114591183, 0.87736155776314, Saddle),
        ],
        log_color_by_default: false,
        f: formulas::three_hump_camel::f,
        gradient: formulas::three_hump_camel::gradient,
        hessian: formulas::three_hump_camel::hessian,
    },
    Surface {
        id: "six_hump_camel",
        own: None,
        title: "Six-hump camel",
        label: "six-hump camel",
        formula: "(4 − 2.1x² + x⁴/3)x² + xy + (4y² − 4)y²",
        about: "Two global minima, four local ones.",
        domain: [[-2.0, 2.0], [-1.1, 1.1]],
        critical: &[
            critical(0.08984201310032, -0.71265640302074, -1.03162845348988, GlobalMinimum),
            critical(-0.08984201310032, 0.71265640302074, -1.03162845348988, GlobalMinimum),
            critical(1.70360671496998, -0.79608356867263, -0.21546382438372, LocalMinimum),
            critical(-1.70360671496998, 0.79608356867263, -0.21546382438372, LocalMinimum),
            critical(0.0, 0.0, 0.0, Saddle),
            critical(1.10920533680479, -0.76826809250954, 0.54371860097819, Saddle),
            critical(-1.10920533680479, 0.76826809250954, 0.54371860097819, Saddle),
            critical(1.6071047529202, 0.56865145488413, 2.10425031031126, LocalMinimum),
            critical(-1.6071047529202, -0.56865145488413, 2.10425031031126, LocalMinimum),
            critical(-1.63806798418978, -0.22867406904439, 2.22935719753071, Saddle),
            critical(1.63806798418978, 0.22867406904439, 2.22935719753071, Saddle),
            critical(1.29607026716711, 0.60508438803866, 2.22947081802986, Saddle),
            critical(-1.29607026716711, -0.60508438803866, 2.22947081802986, Saddle),
            critical(-1.23022987651665, -0.162334584459, 2.49629535102358, Maximum),
            critical(1.23022987651665, 0.16233458445899, 2.49629535102358, Maximum),
        ],
        log_color_by_default: false,
        f: formulas::six_hump_camel::f,
        gradient: formulas::six_hump_camel::gradient,
        hessian: formulas::six_hump_camel::hessian,
    },
    Surface {
        id: "styblinski_tang",
        own: None,
        title: "Styblinski–Tang",
        label: "Styblinski–Tang",
        formula: "½(x⁴ − 16x² + 5x + y⁴ − 16y² + 5y)",
        about: "Four minima, one in each quadrant, of which one is the deepest.",
        domain: [[-5.0, 5.0], [-5.0, 5.0]],
        critical: &[
            critical(-2.90353402777118, -2.90353402777118, -78.33233140754284, GlobalMinimum),
            critical(-2.90353402777118, 2.74680277099084, -64.19561235905536, LocalMinimum),
            critical(2.74680277099084, -2.90353402777118, -64.19561235905536, LocalMinimum),
            critical(2.74680277099084, 2.74680277099084, -50.05889331056788, LocalMinimum),
            critical(0.15673125678034, -2.90353402777118, -38.97055334471605, Saddle),
            critical(-2.90353402777118, 0.15673125678034, -38.97055334471605, Saddle),
            critical(2.74680277099084, 0.15673125678034, -24.83383429622858, Saddle),
            critical(0.15673125678034, 2.74680277099084, -24.83383429622858, Saddle),
            critical(0.15673125678034, 0.15673125678034, 0.39122471811072, Maximum),
        ],
        log_color_by_default: false,
        f: formulas::styblinski_tang::f,
        gradient: formulas::styblinski_tang::gradient,
        hessian: formulas::styblinski_tang::hessian,
    },
    Surface {
        id: "goldstein_price",
        own: None,
        title: "Goldstein–Price",
        label: "Goldstein–Price",
        formula: "[1 + (x+y+1)²(19 − 14x + 3x² − 14y + 6xy + 3y²)] · [30 + (2x−3y)²(18 − 32x + 12x² + 48y − 36xy + 27y²)]",
        about: "Values from 3 to a million within the window.",
        domain: [[-2.0, 2.0], [-3.0, 1.0]],
        critical: &[
            critical(0.0, -1.0, 3.0, GlobalMinimum),
            critical(-0.6, -0.4, 30.0, LocalMinimum),
            critical(-0.4, -0.6, 35.0, Saddle),
            critical(1.8, 0.2, 84.0, LocalMinimum),
            critical(1.2, -0.2, 99.0, Saddle),
            critical(1.2, 0.8, 840.0, LocalMinimum),
            critical(1.4, 0.6, 980.0, Saddle),
            critical(0.6, 0.4, 990.0, Saddle),
            critical(0.8, 0.2, 1155.0, Maximum),
        ],
        log_color_by_default: true,
        f: formulas::goldstein_price::f,
        gradient: formulas::goldstein_price::gradient,
        hessian: formulas::goldstein_price::hessian,
    },
    Surface {
        id: "levy13",
        own: None,
        title: "Lévy 13",
        label: "Lévy 13",
        formula: "sin² 3πx + (x − 1)²(1 + sin² 3πy) + (y − 1)²(1 + sin² 2πy)",
        about: "A bowl with many regular local minima.",
        domain: [[-3.0, 5.0], [-3.0, 5.0]],
        critical: &[critical(1.0, 1.0, 0.0, GlobalMinimum)],
        log_color_by_default: false,
        f: formulas::levy13::f,
        gradient: formulas::levy13::gradient,
        hessian: formulas::levy13::hessian,
    },
    Surface {
        id: "monkey_saddle",
        own: None,
        title: "Monkey saddle",
        label: "monkey saddle",
        formula: "x³ − 3xy²",
        about: "Three ways down, and at (0, 0) even the curvature is zero.",
        domain: [[-1.2, 1.2], [-1.2, 1.2]],
        critical: &[critical(0.0, 0.0, 0.0, Degenerate)],
        log_color_by_default: false,
        f: formulas::monkey_saddle::f,
        gradient: formulas::monkey_saddle::gradient,
        hessian: formulas::monkey_saddle::hessian,
    },
    Surface {
        id: "ill_conditioned_quadratic",
        own: None,
        title: "Ill-conditioned quadratic",
        label: "ill-conditioned quadratic",
        formula: "(x² + 100y²)/2",
        about: "Curvatures 1 and 100: SGD diverges as soon as η exceeds 0.02.",
        domain: [[-2.0, 2.0], [-0.5, 0.5]],
        critical: &[critical(0.0, 0.0, 0.0, GlobalMinimum)],
        log_color_by_default: false,
        f: formulas::ill_conditioned_quadratic::f,
        gradient: formulas::ill_conditioned_quadratic::gradient,
        hessian: formulas::ill_conditioned_quadratic::hessian,
    },
    Surface {
        id: "long_valley",
        own: None,
        title: "Long valley",
        label: "long valley",
        formula: "0.005x⁴ − 0.1x² + 2y²",
        about: "Steep across, almost flat along.",
        domain: [[-5.0, 5.0], [-2.0, 2.0]],
        critical: &[
            critical(3.16227766016838, 0.0, -0.5, GlobalMinimum),
            critical(-3.16227766016838, 0.0, -0.5, GlobalMinimum),
            critical(0.0, 0.0, 0.0, Saddle),
        ],
        log_color_by_default: false,
        f: formulas::long_valley::f,
        gradient: formulas::long_valley::gradient,
        hessian: formulas::long_valley::hessian,
    },
    Surface {
        id: "peaks",
        own: None,
        title: "Peaks",
        label: "peaks",
        formula: "3(1−x)² exp(−x² − (y+1)²) − 10(x/5 − x³ − y⁵) exp(−x² − y²) − ⅓ exp(−(x+1)² − y²)",
        about: "Three minima and three maxima; outside, the gradient vanishes.",
        domain: [[-3.0, 3.0], [-3.0, 3.0]],
        critical: &[
            critical(0.22827892055637, -1.6255349575, -6.55113333283583, GlobalMinimum),
            critical(-1.34739624436821, 0.20451886609701, -3.04984940280026, LocalMinimum),
            critical(0.29644555384683, 0.32019624766683, -0.06493586825553, LocalMinimum),
            critical(0.41632332167851, -0.39414509840242, 0.40854792459414, Saddle),
            critical(-0.26593755683725, 0.46673999372627, 0.78829346267896, Saddle),
            critical(1.09827283433509, 0.85446097952475, 2.24919166152693, Saddle),
            critical(1.2856846972413, -0.00484755907559, 3.59248991800275, Maximum),
            critical(-0.46002451803439, -0.6291965087168, 3.77658099853221, Maximum),
            critical(-0.00931758195995, 1.581367962939, 8.10621358944234, Maximum),
        ],
        log_color_by_default: false,
        f: formulas::peaks::f,
        gradient: formulas::peaks::gradient,
        hessian: formulas::peaks::hessian,
    },
    Surface {
        id: "plateau_wells",
        own: None,
        title: "Plateau with wells",
        label: "plateau and wells",
        formula: "1 − exp(−(x−2)² − y²) − 0.6 exp(−2(x+2)² − 2(y−1)²) + 0.001(x² + y²)",
        about: "Two wells in a plateau that is almost flat.",
        domain: [[-4.0, 4.0], [-3.0, 4.0]],
        critical: &[
            critical(1.99800199003383, 0.0, 0.00399600398803, GlobalMinimum),
            critical(-1.99833456962076, 0.99916731980182, 0.40499579476384, LocalMinimum),
            critical(-0.38067742084632, 0.53007325, 0.99578067521598, Saddle),
        ],
        log_color_by_default: false,
        f: formulas::plateau_wells::f,
        gradient: formulas::plateau_wells::gradient,
        hessian: formulas::plateau_wells::hessian,
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Points of the window off its symmetry axes, and the critical points.
    fn points(surface: &Surface) -> Vec<[f64; 2]> {
        let [[x0, x1], [y0, y1]] = surface.domain;
        let grid = |i: usize, low: f64, high: f64| low + (high - low) * (i as f64 + 0.37) / 7.0;
        let mut points: Vec<[f64; 2]> =
            (0..7).flat_map(|i| (0..7).map(move |j| [grid(i, x0, x1), grid(j, y0, y1)])).collect();
        if surface.id != "ackley" {
            points.extend(surface.critical().iter().map(|critical| critical.position));
        }
        points
    }

    #[test]
    fn derivatives_agree_with_differences() {
        for surface in ALL {
            for p in points(surface) {
                let h = 1e-4;
                let shifted = |axis: usize, by: f64| {
                    let mut q = p;
                    q[axis] += by;
                    q
                };
                // Fourth-order central difference of any smooth function along one axis.
                let difference = |axis: usize, of: &dyn Fn([f64; 2]) -> f64| {
                    let at = |steps: f64| of(shifted(axis, steps * h));
                    (8.0 * (at(1.0) - at(-1.0)) - (at(2.0) - at(-2.0))) / (12.0 * h)
                };
                let scale = 1.0
                    + surface.f(p).abs()
                    + surface.hessian(p).as_flattened().iter().fold(0.0, |m, v| v.abs().max(m));
                for i in 0..2 {
                    let found = difference(i, &|q| surface.f(q));
                    let exact = surface.gradient(p)[i];
                    assert!(
                        (found - exact).abs() < 1e-8 * scale,
                        "{} ∂{i} at {p:?}: {exact} against {found}",
                        surface.id
                    );
                    for j in 0..2 {
                        let found = difference(j, &|q| surface.gradient(q)[i]);
                        let exact = surface.hessian(p)[i][j];
                        assert!(
                            (found - exact).abs() < 1e-7 * scale,
                            "{} ∂{i}{j} at {p:?}: {exact} against {found}",
                            surface.id
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn critical_points_are_what_the_table_says() {
        for surface in ALL {
            for critical in surface.critical() {
                let p = critical.position;
                assert!((surface.f(p) - critical.value).abs() < 1e-9, "{} at {p:?}: {}", surface.id, surface.f(p));
                let [[xx, xy], [_, yy]] = surface.hessian(p);
                let scale = 1.0 + xx.abs().max(yy.abs());
                let slope = surface.gradient(p);
                assert!(slope[0].hypot(slope[1]) < 1e-9 * scale, "{} at {p:?}: gradient {slope:?}", surface.id);
                if surface.id == "ackley" {
                    // The kink: the second derivatives do not exist there.
                    continue;
                }
                let determinant = xx * yy - xy * xy;
                let kind_fits = match critical.kind {
                    GlobalMinimum | LocalMinimum => determinant > 0.0 && xx > 0.0,
                    Maximum => determinant > 0.0 && xx < 0.0,
                    Saddle => determinant < 0.0,
                    Degenerate => determinant.abs() < 1e-12,
                };
                assert!(kind_fits, "{} at {p:?} is not a {}", surface.id, critical.kind.title());
            }
            let lowest = surface.minima().next().map(|minimum| minimum.value);
            for p in points(surface).into_iter().filter(|_| lowest.is_some()) {
                assert!(Some(surface.f(p)) >= lowest.map(|value| value - 1e-9), "{} is lower at {p:?}", surface.id);
            }
        }
    }
}
