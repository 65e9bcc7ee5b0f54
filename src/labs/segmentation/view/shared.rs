//! What several tiles of the lab share: the selected image and the pipeline of the views.

use crate::engine::event::RunId;
use crate::kit::fields::Fields;
use crate::kit::view::ViewCtx;
use crate::kit::wall::Pictures;

use super::super::pipeline::Pipeline;
use super::gallery::Gallery;
use super::look::Look;
use super::others::Others;
use super::postprocess::Means;
use super::sweep::Sweep;
use crate::labs::segmentation::params::{FOLDER, FROM_FOLDER, KEEP, SPLIT_SEED};
use crate::pixels::mask::border::Hausdorff;
use crate::pixels::mask::components::{Connectivity, Keep};

/// Shared view state.
#[derive(Debug, Default)]
pub struct Shared {
    /// Index on the wall of the image that the inspector shows.
    pub selected: usize,
    /// How the views make and measure masks; the training has its own in its parameters.
    pub pipeline: Pipeline,
    /// How images are shown, on the wall as in the inspector.
    pub look: Look,
    /// The images of the wall.
    pub gallery: Gallery,
    /// Their textures, and those of every other image of the lab.
    pub pictures: Pictures,
    /// Dice of the wall's images against the threshold.
    pub sweep: Sweep,
    /// The runs that it is compared with.
    pub others: Others,
    /// The last means over all the wall's images, by slot.
    pub means: [Option<Means>; 4],
    run: Option<RunId>,
    /// Which images the run shows.
    images: Option<[String; 3]>,
    /// The image that is selected here is to be opened in the brush.
    pub to_brush: bool,
}

impl Shared {
    /// What of it belongs to a scene.
    pub fn fields(&mut self, fields: &mut Fields) {
        fields.value("selected", &mut self.selected, 0);
        self.others.fields(fields);
        self.look.fields(fields);
        // The fit is the run's.
        let Pipeline { threshold, post, hd95, penalty, fit: _ } = &mut self.pipeline;
        let fresh = Pipeline::default();
        fields.number("threshold", threshold, fresh.threshold, 0.0..=1.0);
        let parts = [
            ("largest", Keep::LargestArea(Connectivity::Eight)),
            ("largest4", Keep::LargestArea(Connectivity::Four)),
            ("longest", Keep::LongestContour),
            ("all", Keep::All),
        ];
        fields.choice("keep", &mut post.keep, &parts);
        fields.value("fill", &mut post.fill_holes, fresh.post.fill_holes);
        let distances =
            [("pooled", Hausdorff::Pooled95), ("directed", Hausdorff::Directed95), ("largest", Hausdorff::Largest)];
        fields.choice("hd95", hd95, &distances);
        fields.value("penalty", penalty, fresh.penalty);
    }

    /// Selects the image so many places further on the wall, around its ends.
    pub fn select_by(&mut self, places: isize) {
        let count = self.gallery.cards.len() as isize;
        if count > 0 {
            self.selected = (self.selected as isize + places).rem_euclid(count) as usize;
        }
    }

    /// A new run brings its own pipeline.
    pub fn follow(&mut self, ctx: &ViewCtx<'_>) {
        if self.run != ctx.run.id {
            self.run = ctx.run.id;
            self.means = [None; 4];
            self.pictures = Pictures::default();
            let value = |key: &str| ctx.run.params.get(key).map(ToString::to_string).unwrap_or_default();
            let images = [FROM_FOLDER.key(), FOLDER.key(), SPLIT_SEED.key()].map(value);
            // A corner of other images is nothing that somebody has chosen.
            if self.images.replace(images.clone()).is_some_and(|before| before != images) {
                self.look.lens.fit();
                self.selected = 0;
            }
            if KEEP.get(&ctx.run.params).is_some() {
                self.pipeline = Pipeline::of(&ctx.run.params);
            }
        }
    }
}
