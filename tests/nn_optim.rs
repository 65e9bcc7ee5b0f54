//! The optimizers that networks are trained with walk the same paths as PyTorch's: its recorded runs on the surfaces, made
//! by the very code that trains, on the CPU backend and where one is there on a graphics device.

use std::io::Read;

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use flate2::read::GzDecoder;
use learnscope::labs::optimizers::surfaces;
use learnscope::nn::optim::{DecayScope, Optimizer, Rates, Rule};
use learnscope::nn::parameters::tracked;
use serde_json::Value;

/// Of an f32 walk against PyTorch's f64 one, relative to the size of the numbers.
const TOLERANCE: f64 = 2e-4;
/// Coordinates beyond this are not compared.
const FAR: f64 = 1e3;
/// Steps that are compared: later ones add up f32's rounding.
const STEPS: usize = 100;

#[derive(Module, Debug)]
struct Point {
    place: Param<Tensor<1>>,
}

/// The rule and rates of a recorded run; `None` for rules that networks are not trained with here.
fn rule(run: &Value, defaults: &Value) -> Option<(Rule, Rates)> {
    let given = run["kwargs"].as_object()?;
    let of = |key: &str| given.get(key).or_else(|| defaults.get(key));
    let number = |key: &str| of(key).and_then(Value::as_f64).unwrap_or(0.0);
    let on = |key: &str| of(key).and_then(Value::as_bool).unwrap_or(false);
    let rule = match run["optimizer"].as_str()? {
        "SGD" if number("dampening") == 0.0 => Rule::Sgd { momentum: number("momentum"), nesterov: on("nesterov") },
        name @ ("Adam" | "AdamW") if !on("amsgrad") => {
            let betas = of("betas")?.as_array()?;
            let betas = (betas[0].as_f64()?, betas[1].as_f64()?);
            Rule::Adam { betas, epsilon: number("eps"), decoupled: name == "AdamW" }
        }
        _ => return None,
    };
    Some((rule, Rates { learning_rate: number("lr"), decay: number("weight_decay") }))
}

fn walk(run: &Value, (rule, rates): (Rule, Rates), device: &Device, steps: usize) -> Vec<[f64; 2]> {
    let surface = surfaces::by_id(run["surface"].as_str().unwrap()).unwrap();
    let start: Vec<f64> = run["start"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect();
    let place = Tensor::from_floats([start[0] as f32, start[1] as f32], device);
    let mut point = Point { place: Param::from_tensor(place) };
    let mut optimizer = Optimizer::new(rule);
    let mut path = Vec::new();
    for _ in 0..steps {
        let at: Vec<f32> = point.place.val().into_data().try_to_vec().unwrap();
        let at = [f64::from(at[0]), f64::from(at[1])];
        path.push(at);
        let slope = surface.gradient(at).map(|v| v as f32);
        // A plane of the surface's slope at this place.
        let live = tracked(&point);
        let loss = (live.place.val() * Tensor::from_floats(slope, device)).sum();
        let mut gradients = loss.backward();
        point = optimizer.step(live, &mut gradients, DecayScope::All, |_| rates);
    }
    path
}

#[test]
fn what_trains_walks_as_torch_optim_does() {
    let packed = include_bytes!("golden/optimizers/torch_public.json.gz");
    let mut text = String::new();
    GzDecoder::new(packed.as_slice()).read_to_string(&mut text).unwrap();
    let file: Value = serde_json::from_str(&text).unwrap();
    let device = Device::flex();
    let mut counted = std::collections::BTreeMap::<String, usize>::new();
    for run in file["runs"].as_array().unwrap() {
        let name = run["optimizer"].as_str().unwrap();
        let Some(rule) = rule(run, &file["defaults_by_optimizer"][name]) else { continue };
        let [x, y] = ["x", "y"].map(|key| run[key].as_array().unwrap());
        // Where f64 itself is chaotic, f32 is so much earlier.
        let stable = run["stable_rows"].as_u64().map_or(x.len(), |rows| rows as usize);
        if stable < x.len() {
            continue;
        }
        *counted
            .entry(format!("{name} {}", if run["kwargs"].get("nesterov").is_some() { "nesterov" } else { "" }))
            .or_default() += 1;
        for (step, ours) in walk(run, rule, &device, STEPS.min(x.len())).into_iter().enumerate() {
            let golden = [&x[step], &y[step]].map(|v| v.as_f64().unwrap());
            // A run that diverges leaves f32 long before f64.
            if !golden.iter().all(|v| v.abs() < FAR) {
                break;
            }
            let size = golden[0].abs().max(golden[1].abs()).max(1e-2);
            for (ours, golden) in ours.into_iter().zip(golden) {
                let off = (ours - golden).abs() / size;
                assert!(
                    off < TOLERANCE,
                    "{name} {} on {}, step {step}: {ours} for {golden}",
                    run["kwargs"],
                    run["surface"]
                );
            }
        }
    }
    println!("{counted:?}");
    assert_eq!(counted.len(), 4, "{counted:?}");
}
