//! A function of one's own as a surface.

use std::cell::RefCell;
use std::ops::Deref;
use std::sync::Arc;

use super::expression::{Expression, Problem};
use super::{Critical, Surface, critical};

/// Name on the command line and in files.
pub const ID: &str = "own";
/// Name in the form.
pub const LABEL: &str = "my own f(x, y)";
/// Surfaces that a thread keeps ready: views ask for theirs in every frame.
const KEPT: usize = 4;

/// Where the surface of a run comes from.
#[derive(Debug, Clone, Copy)]
pub enum Source {
    Catalogue(&'static Surface),
    /// It is typed.
    Own,
}

/// What was typed, and what was found out about it.
#[derive(Debug)]
pub(super) struct Own {
    pub text: String,
    pub expression: Expression,
    pub critical: Vec<Critical>,
}

/// A surface of the catalogue or a typed one; cheap to clone.
#[derive(Debug, Clone)]
pub enum Chosen {
    Catalogue(&'static Surface),
    Own(Arc<Surface>),
}

impl PartialEq for Chosen {
    fn eq(&self, other: &Self) -> bool {
        self.identity() == other.identity()
    }
}

impl Deref for Chosen {
    type Target = Surface;

    fn deref(&self) -> &Surface {
        match self {
            Chosen::Catalogue(surface) => surface,
            Chosen::Own(surface) => surface,
        }
    }
}

impl Chosen {
    /// The surface of a typed function in a window `[[x0, x1], [y0, y1]]`. A function that this thread asked for lately
    /// costs nothing; a new one takes milliseconds, for its minima are looked for.
    pub fn own(text: &str, domain: [[f64; 2]; 2]) -> Result<Self, Problem> {
        thread_local! {
            static LATELY: RefCell<Vec<Arc<Surface>>> = const { RefCell::new(Vec::new()) };
        }
        LATELY.with_borrow_mut(|lately| {
            let known = lately.iter().position(|surface| surface.formula() == text && surface.domain == domain);
            let surface = match known {
                Some(at) => lately.remove(at),
                None => Arc::new(surface(text, domain)?),
            };
            lately.insert(0, surface.clone());
            lately.truncate(KEPT);
            Ok(Chosen::Own(surface))
        })
    }
}

fn surface(text: &str, domain: [[f64; 2]; 2]) -> Result<Surface, Problem> {
    let expression = Expression::parse(text)?;
    let critical = critical::search(&expression, domain);
    Ok(Surface {
        id: ID,
        title: "A function of your own",
        label: LABEL,
        formula: "",
        about: "Typed by you. Its minima were looked for in the window; those that lie close together may be missed.",
        domain,
        critical: &[],
        log_color_by_default: spans_decades(&expression, domain),
        own: Some(Own { text: text.to_owned(), expression, critical }),
        f: |_| f64::NAN,
        gradient: |_| [f64::NAN; 2],
        hessian: |_| [[f64::NAN; 2]; 2],
    })
}

/// Whether most of the window lies within a hundredth of the range of f: then its logarithm shows more.
fn spans_decades(f: &Expression, [x, y]: [[f64; 2]; 2]) -> bool {
    const SIDE: usize = 16;
    let along = |[low, high]: [f64; 2], at: usize| low + (high - low) * (at as f64 + 0.5) / SIDE as f64;
    let values = (0..SIDE * SIDE).map(|i| f.value([along(x, i % SIDE), along(y, i / SIDE)]));
    let mut values: Vec<f64> = values.filter(|value| value.is_finite()).collect();
    values.sort_by(f64::total_cmp);
    let (Some(low), Some(high)) = (values.first(), values.last()) else { return false };
    let median = values[values.len() / 2];
    median - low < 0.05 * (high - low)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::labs::optimizers::surfaces::{ALL, CriticalKind};

    /// A formula of the catalogue, typed as it is printed.
    fn typed(surface: &Surface) -> Chosen {
        Chosen::own(surface.formula(), surface.domain).unwrap_or_else(|problem| panic!("{}: {problem}", surface.id))
    }

    #[test]
    fn the_catalogue_typed_as_it_is_printed_is_the_same_functions() {
        for surface in ALL {
            let typed = typed(surface);
            let [[x0, x1], [y0, y1]] = surface.domain;
            for i in 0..121 {
                let along = |low: f64, high: f64, at: usize| low + (high - low) * (at as f64 + 0.37) / 11.0;
                let p = [along(x0, x1, i % 11), along(y0, y1, i / 11)];
                let numbers = |surface: &Surface| {
                    let ([gx, gy], [[xx, xy], [_, yy]]) = (surface.gradient(p), surface.hessian(p));
                    [surface.f(p), gx, gy, xx, xy, yy]
                };
                let (found, exact) = (numbers(&typed), numbers(surface));
                // What cancels is lost beside the terms that cancel.
                let scale = exact.iter().fold(1.0f64, |scale, v| scale.max(v.abs()));
                for (found, exact) in found.into_iter().zip(exact) {
                    let error = (found - exact).abs();
                    assert!(
                        error <= 1e-9 * (1.0 + exact.abs()) || error <= 1e-13 * scale,
                        "{} at {p:?}: {found} against {exact}",
                        surface.id
                    );
                }
            }
        }
    }

    #[test]
    fn the_search_finds_the_critical_points_of_the_catalogue() {
        for surface in ALL {
            let start = std::time::Instant::now();
            let typed = typed(surface);
            let took = start.elapsed();
            // Measured below 4 ms; the bound leaves room for a busy machine.
            assert!(took.as_millis() < 200, "{}: {took:?}", surface.id);
            for known in surface.critical() {
                let near = |found: &&Critical| (0..2).all(|i| (found.position[i] - known.position[i]).abs() < 1e-4);
                let found = typed.critical().iter().find(near);
                let found = found.unwrap_or_else(|| panic!("{} has no {known:?}: {:?}", surface.id, typed.critical()));
                assert_eq!(found.kind, known.kind, "{} at {:?}", surface.id, known.position);
                assert!((found.value - known.value).abs() < 1e-7 * (1.0 + known.value.abs()));
            }
        }
    }

    #[test]
    fn minima_at_kinks_are_found_and_lines_are_no_points() {
        let square = [[-2.0, 2.0]; 2];
        let critical = |text: &str| Chosen::own(text, square).unwrap().critical().to_vec();
        let minima = |text: &str| -> Vec<[f64; 2]> {
            let lowest = critical(text).into_iter().filter(|c| c.kind == CriticalKind::GlobalMinimum);
            lowest.map(|c| c.position.map(|x| (x * 1e6).round() / 1e6 + 0.0)).collect()
        };
        assert_eq!(minima("abs(x - 0.3) + abs(y + 0.7)"), [[0.3, -0.7]]);
        assert_eq!(minima("hypot(x - 1, y)"), [[1.0, 0.0]]);
        assert_eq!(minima("max(x, -x) + y^2"), [[0.0, 0.0]]);
        assert_eq!(minima("x^4 + y^4"), Vec::<[f64; 2]>::new(), "the curvature there is 0");
        assert_eq!(critical("x^2"), [], "a valley is a line");
        assert_eq!(critical("5"), []);
        assert_eq!(critical("x + y"), []);
        assert_eq!(critical("1/0"), []);
        assert_eq!(critical("ln(x)"), []);
        assert!(critical("floor(x) + floor(y)").is_empty());
        let ridge = critical("x^3 - 3x + y^2");
        assert_eq!(ridge.len(), 2);
        assert_eq!(ridge[0].kind, CriticalKind::GlobalMinimum, "in the window f is nowhere lower than -2");
    }

    #[test]
    fn a_function_is_read_once_and_known_by_text_and_window() {
        let square = [[-2.0, 2.0]; 2];
        let surface = |text: &str, domain| match Chosen::own(text, domain) {
            Ok(Chosen::Own(surface)) => surface,
            other => panic!("{other:?}"),
        };
        let first = surface("x^2 + y^2", square);
        assert!(Arc::ptr_eq(&first, &surface("x^2 + y^2", square)));
        assert_eq!(first.identity(), surface("x^2 + y^2", square).identity());
        assert_ne!(first.identity(), surface("x^2 + y^2", [[-1.0, 1.0]; 2]).identity());
        assert_ne!(first.identity(), surface("x^2 + 2y^2", square).identity());
        for i in 0..10 {
            surface(&format!("x^2 + {i}"), square);
        }
        assert_eq!(surface("x^2 + y^2", square).identity(), first.identity(), "read again where it was forgotten");
    }
}
