//! The panels beside the tiles in a narrow window: the guide folds away first, then the form, so that the tiles have room.
//! Whoever opens one all the same has it.

/// Least width of the tiles, in points, beside the form and the guide, and beside the form alone.
const ROOM: [f32; 2] = [760.0, 440.0];

/// Which panels are folded away for want of room, and which were opened all the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Folds {
    pub form: Fold,
    pub guide: Fold,
}

/// One of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Fold {
    /// There is no room for it.
    narrow: bool,
    /// It was opened since then.
    opened: bool,
}

impl Fold {
    fn fit(&mut self, fits: bool) {
        *self = Self { narrow: !fits, opened: self.opened && !fits };
    }

    /// Whether a panel that is open is drawn.
    pub fn shows(self) -> bool {
        !self.narrow || self.opened
    }

    /// Shows or hides the panel, of which `open` says whether it is to be there at all.
    pub fn toggle(&mut self, open: &mut bool) {
        let shown = *open && self.shows();
        if self.narrow {
            // That it is closed in a narrow window says nothing of a wide one.
            self.opened = !shown;
            *open |= !shown;
        } else {
            *open = !shown;
        }
    }
}

impl Folds {
    /// Takes in the width of the window and of the panels that are to be open (0 for one that is not).
    pub fn fit(&mut self, window: f32, form: f32, guide: f32) {
        self.guide.fit(window - form - guide >= ROOM[0]);
        self.form.fit(window - form >= ROOM[1]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(width: f32) -> [bool; 2] {
        let mut folds = Folds::default();
        folds.fit(width, 272.0, 304.0);
        [folds.form.shows(), folds.guide.shows()]
    }

    #[test]
    fn the_guide_folds_first_then_the_form() {
        assert_eq!([1920.0, 1440.0, 1366.0].map(at), [[true, true]; 3]);
        assert_eq!([1280.0, 1024.0, 800.0].map(at), [[true, false]; 3]);
        assert_eq!(at(683.0), [false, false], "1366 pixels at 200 %");
    }

    #[test]
    fn what_is_opened_in_a_narrow_window_is_there_until_it_is_closed_and_a_wide_one_has_it_back() {
        let (mut folds, mut open) = (Folds::default(), true);
        folds.fit(1024.0, 272.0, 304.0);
        folds.guide.toggle(&mut open);
        folds.fit(1024.0, 272.0, 304.0);
        assert!(open && folds.guide.shows());
        folds.guide.toggle(&mut open);
        assert!(open && !folds.guide.shows());
        folds.fit(1440.0, 272.0, 304.0);
        assert!(folds.guide.shows());
        folds.guide.toggle(&mut open);
        assert!(!open);
        folds.fit(1024.0, 272.0, 0.0);
        folds.guide.toggle(&mut open);
        assert!(open && folds.guide.shows());
    }
}
