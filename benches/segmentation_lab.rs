//! How long the lab takes to useful outlines on the CPU, and what watching costs.
//!
//! `cargo bench --bench segmentation_lab`: the default tiny U-net (width 8, 64×64, batch 8) on the shipped sample set, with
//! validation after every epoch, until the validation Dice has passed .75; seeds 1, 2, 3. Reading the folder and building
//! the network count.

use std::time::Instant;

use burn::tensor::Device;
use learnscope::engine::emit::Emit;
use learnscope::engine::event::Body;
use learnscope::engine::experiment::BuildRequest;
use learnscope::engine::params::Params;
use learnscope::labs::segmentation::params::PARAMS;
use learnscope::labs::segmentation::{self, KEYS};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const WANTED: f64 = 0.75;
const MOST_STEPS: u64 = 2000;

fn main() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/sample_data/ultrasound");
    for architecture in ["unet", "light", "lighter"] {
        for seed in 1..=3 {
            let mut params = Params::defaults(PARAMS);
            let data = format!("data={folder}");
            let network = format!("architecture={architecture}");
            for set in ["source=folder", &data, &network] {
                params.set_text(PARAMS, set).expect("a known parameter");
            }
            let start = Instant::now();
            let device = Device::flex();
            let request = BuildRequest { params: &params, seed, steps: MOST_STEPS, device: &device };
            let mut run = segmentation::build(&request).expect("the sample set can be read");
            let mut first = None;
            let mut step = 0;
            let mut passed = |bodies: Vec<Body>| {
                let mut best = [0.0_f64; 2];
                for body in bodies {
                    let Body::Scalars(values) = body else { continue };
                    for (key, value) in values {
                        match &*key {
                            "dice/validation" => best[0] = value,
                            "dice/final" => best[1] = value,
                            _ => {}
                        }
                    }
                }
                if best[1] >= WANTED && first.is_none() {
                    first = Some(start.elapsed().as_secs_f64());
                }
                best[0] >= WANTED
            };
            loop {
                step += 1;
                let mut out = Emit::new(KEYS, step, MOST_STEPS, false);
                run.step(&mut out).expect("a step");
                if passed(out.finish().bodies) || step == MOST_STEPS {
                    break;
                }
            }
            let seconds = start.elapsed().as_secs_f64();
            let post = first.map_or_else(|| "not yet".to_owned(), |first| format!("after {first:.1} s"));
            println!(
                "{architecture}, seed {seed}: validation Dice {WANTED} at 64×64 after {seconds:.1} s, {step} steps \
                 ({:.1} ms a step with validation); post-processed at the original size {post}",
                1000.0 * seconds / step as f64
            );
        }
    }
}
