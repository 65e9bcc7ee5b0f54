//! Golden cases of the self-supervised lab: DirectPred, the correlation F, alignment, asymmetry, losses with gradients,
//! moving averages, collapse. What trains in f32 is asked itself, at what f32 can promise. The linear theory's are in
//! `self_supervised_theory.rs`, the encoder's in `self_supervised_encoder.rs`.

use learnscope::compute::device;
use learnscope::compute::linalg::{Matrix, eigenvalues, symmetric_eigenvalues};
use learnscope::compute::rng::HostRng;
use learnscope::data::augment::pixels::{self, Axis};
use learnscope::engine::params::Params;
use learnscope::labs::self_supervised::direct_pred::{DirectPred, DirectPredError, Mode, centred};
use learnscope::labs::self_supervised::params::{Hyper, PARAMS};
use learnscope::labs::self_supervised::trainer::{Correlation, f_matrix, negative_cosine};
use learnscope::metrics::alignment::{Weight, asymmetry, eigenspaces};
use learnscope::metrics::collapse::feature_statistics;
use learnscope::nn::encoders::heads::{HeadNorm, Predictor, PredictorShape};
use learnscope::nn::parameters::{Init, Initialiser, average, map, slots};
use serde_json::Value;

use super::self_supervised_encoder_cases::check_encoder;
use super::self_supervised_theory_cases::{check_decoupled, check_linear_ode};
use super::tensors::{F32, Weights, interleaved, read, tensor, view};
use super::values::{field, list, matrix, number, numbers, only, optional, text, whole};
use super::{Report, Tolerance};

/// Of everything that has no tolerance of its own.
pub const DEFAULT: Tolerance = Tolerance { relative: 1e-9, absolute: 1e-11 };
/// Of DirectPred: the square root of an eigenvalue of 10⁻¹⁶ is 10⁻⁸.
const SET_PREDICTOR: Tolerance = Tolerance { relative: 1e-9, absolute: 5e-8 };

/// Of operations on pictures, which are done in f32.
const PIXELS: Tolerance = Tolerance { relative: 1e-6, absolute: 1e-6 };
const PIXELS_KIND: &str = "operations on pictures";

/// Checks every case of one file.
pub fn check(file: &Value, report: &mut Report) {
    let Some(sections) = file.as_object() else {
        return report.fail("the file is not an object".to_owned());
    };
    for (section, content) in sections {
        let check = match section.as_str() {
            "_meta" => continue,
            "a_directpred" => check_direct_pred,
            "a2_running_F" => check_running_f,
            "b_alignment" => check_alignment,
            "c_asymmetry" => check_asymmetry,
            "d_loss" => check_loss,
            "e_ema" => check_ema,
            "f_linear_ode" => check_linear_ode,
            "g_decoupled" => check_decoupled,
            "h_collapse_metrics" => check_collapse,
            "j_resnet18_imagenet" => check_encoder,
            "i_augment_ops" => {
                if let Err(message) = check_augmentations(content, report) {
                    report.fail(format!("{section}: {message}"));
                }
                continue;
            }
            _ => {
                report.fail(format!("section `{section}` is of no known kind"));
                continue;
            }
        };
        let Some(cases) = content.as_array() else {
            report.fail(format!("section `{section}` is no list"));
            continue;
        };
        for (i, case) in cases.iter().enumerate() {
            let name = case.get("name").and_then(Value::as_str).map_or(format!("case {i}"), str::to_owned);
            let place = format!("{section}, {name}");
            if let Err(message) = check(&place, case, report) {
                report.fail(format!("{place}: {message}"));
            }
        }
    }
}

/// Compares lists of numbers entry by entry.
pub fn compare(kind: &str, place: &str, ours: &[f64], golden: &[f64], tolerance: Tolerance, report: &mut Report) {
    if ours.len() != golden.len() {
        return report.fail(format!("{place}: {} numbers against {}", ours.len(), golden.len()));
    }
    for (i, (ours, golden)) in ours.iter().zip(golden).enumerate() {
        if !report.within(kind, || format!("{place}, entry {i}"), *ours, *golden, tolerance) {
            return;
        }
    }
}

fn check_direct_pred(place: &str, case: &Value, report: &mut Report) -> Result<(), String> {
    const KIND: &str = "predictors by DirectPred";
    only(case, &["mode", "eps", "eps_inside", "F", "mu", "expect"])?;
    let expect = field(case, "expect")?;
    only(expect, &["Wp", "p_desc", "lambdaF_desc", "policy"])?;
    report.case(KIND);
    let rule = DirectPred {
        mode: match text(case, "mode")? {
            "normalised" => Mode::Normalised,
            "eq5" => Mode::Eq5,
            "replication" => Mode::Replication,
            other => return Err(format!("unknown mode `{other}`")),
        },
        epsilon: number(case, "eps")?,
        epsilon_inside: case.get("eps_inside").is_some_and(|value| value == true),
    };
    let f = matrix(case, "F")?;
    let f = if case.get("mu").is_some() { centred(&f, &numbers(case, "mu")?) } else { f };
    if expect.get("policy").is_some() {
        // The predictor is to be left alone, and the collapse to be told.
        return match rule.predictor(&f) {
            Err(DirectPredError::Collapsed { .. }) => Ok(()),
            other => Err(format!("{other:?} where F has vanished")),
        };
    }
    let set = rule.predictor(&f).map_err(|e| e.to_string())?;
    compare(KIND, place, set.wp.as_slice(), matrix(expect, "Wp")?.as_slice(), SET_PREDICTOR, report);
    compare(KIND, place, &set.f_values, &numbers(expect, "lambdaF_desc")?, SET_PREDICTOR, report);
    let mut p = set.p;
    p.sort_by(|a, b| b.total_cmp(a));
    compare(KIND, place, &p, &numbers(expect, "p_desc")?, SET_PREDICTOR, report);
    Ok(())
}

/// The F that the trainer keeps.
fn check_running_f(place: &str, case: &Value, report: &mut Report) -> Result<(), String> {
    const KIND: &str = "running estimates of F";
    only(case, &["rho", "z1", "z2", "expect"])?;
    let expect = field(case, "expect")?;
    only(expect, &["F_each_step", "Wp_final_eps0p1", "trace_final"])?;
    report.case(KIND);
    let hyper = Hyper { f_memory: number(case, "rho")?, ..Hyper::of(&Params::defaults(PARAMS)) };
    let (z1, z2, golden) = (list(case, "z1")?, list(case, "z2")?, list(expect, "F_each_step")?);
    if z1.len() != z2.len() || z1.len() != golden.len() || z1.is_empty() {
        return Err("unequal numbers of steps".to_owned());
    }
    let (mut correlation, mut f) = (None, Matrix::zeros(0, 0));
    for (step, ((z1, z2), golden)) in z1.iter().zip(z2).zip(golden).enumerate() {
        let place = format!("{place}, step {step}");
        let [z1, z2, golden] = [z1, z2, golden].map(super::values::as_matrix);
        let after = Correlation::after(correlation.take(), &interleaved(&z1?, &z2?)?, &hyper);
        let floats = |tensor: Vec<f64>| tensor.into_iter().map(|value| value as f32).collect::<Vec<_>>();
        let (moment, mean) = (floats(read(after.second_moment.clone())), floats(read(after.mean.clone())));
        f = f_matrix(&moment, &mean, &hyper);
        compare(KIND, &place, f.as_slice(), golden?.as_slice(), F32, report);
        correlation = Some(after);
    }
    compare(KIND, place, &[f.trace()], &[number(expect, "trace_final")?], F32, report);
    let set = DirectPred::default().predictor(&f).map_err(|e| e.to_string())?;
    let golden = matrix(expect, "Wp_final_eps0p1")?;
    compare(KIND, place, set.wp.as_slice(), golden.as_slice(), F32, report);
    Ok(())
}

fn check_alignment(place: &str, case: &Value, report: &mut Report) -> Result<(), String> {
    const KIND: &str = "alignments of eigenspaces";
    only(case, &["F", "Wp", "expect"])?;
    let expect = field(case, "expect")?;
    report.case(KIND);
    let spaces = eigenspaces(&matrix(case, "F")?, &matrix(case, "Wp")?).map_err(|e| e.to_string())?;
    let known = |value: Option<f64>| value.ok_or_else(|| "undefined".to_owned());
    for key in expect.as_object().ok_or("`expect` is no object")?.keys() {
        let ours = match key.as_str() {
            // `note` explains `cos_desc_topk` in words, `k` belongs to `mean_topk`.
            "note" | "k" => continue,
            "lambdaF_desc" => spaces.f_values.clone(),
            "rayleigh" => spaces.rayleigh.clone(),
            "commutator_rel" => vec![spaces.commutator],
            "wp_eig_real_desc" => spaces.wp_values.iter().map(|value| value.re).collect(),
            "cos_desc" => spaces.cosines.iter().map(|cosine| known(*cosine)).collect::<Result<_, _>>()?,
            "cos_desc_topk" => {
                // The directions after these are mapped to zero.
                let count = list(expect, key)?.len();
                if spaces.cosines[count..].iter().any(Option::is_some) {
                    return Err("a cosine of a direction that is mapped to zero".to_owned());
                }
                spaces.cosines[..count].iter().map(|cosine| known(*cosine)).collect::<Result<_, _>>()?
            }
            "mean_topk" => vec![known(spaces.mean_alignment(whole(expect, "k")?))?],
            "mean_all" => vec![known(spaces.mean_alignment(spaces.cosines.len()))?],
            "weighted" => vec![known(spaces.weighted_alignment(Weight::Eigenvalue))?],
            _ => return Err(format!("unknown key `{key}`")),
        };
        let golden = if field(expect, key)?.is_array() { numbers(expect, key)? } else { vec![number(expect, key)?] };
        compare(KIND, &format!("{place}, {key}"), &ours, &golden, DEFAULT, report);
    }
    Ok(())
}

fn check_asymmetry(place: &str, case: &Value, report: &mut Report) -> Result<(), String> {
    const KIND: &str = "asymmetries";
    const REGULARISED: &str = "regularised predictors";
    let expect = field(case, "expect")?;
    report.case(KIND);
    let norms = |wp: &Matrix, report: &mut Report| -> Result<(), String> {
        let ours = asymmetry(wp);
        let golden = [number(expect, "frobenius")?, number(expect, "entrywise_l1")?];
        compare(KIND, place, &[ours.frobenius, ours.entrywise_l1], &golden, DEFAULT, report);
        Ok(())
    };
    // The predictor that trains, with the golden weights in its layers `[in, out]`.
    let mut init = Initialiser { rng: HostRng::new(1, 0), init: Init::Torch, device: &device::cpu() };
    let weights = |predictor: &Predictor| -> Vec<(String, Vec<usize>, Vec<f64>)> {
        let slots = slots(predictor).into_iter().filter(|slot| slot.path.ends_with("weight"));
        slots.map(|slot| (slot.path, slot.shape, read(slot.value))).collect()
    };
    let square = |predictor: &Predictor, d| super::tensors::as_matrix(predictor.matrix(), d, d);
    report.case(REGULARISED);
    if case.get("Wp").is_some() {
        only(case, &["Wp", "expect"])?;
        only(expect, &["frobenius", "entrywise_l1", "symmetrised"])?;
        let (wp, golden) = (matrix(case, "Wp")?, matrix(expect, "symmetrised")?);
        let d = wp.rows();
        let mut predictor = Predictor::new(PredictorShape::One, d, &mut init);
        predictor.set_weight(tensor(wp.transposed().as_slice(), [d, d]));
        compare(REGULARISED, place, square(&predictor, d).as_slice(), wp.as_slice(), F32, report);
        predictor.symmetrise();
        compare(REGULARISED, place, square(&predictor, d).as_slice(), golden.as_slice(), F32, report);
        return norms(&wp, report);
    }
    only(case, &["W1_hidden_by_in", "W2_out_by_hidden", "expect"])?;
    only(expect, &["Wp", "frobenius", "entrywise_l1", "tied_W1", "tied_W2", "tied_Wp", "tied_eig_desc"])?;
    let (w1, w2) = (matrix(case, "W1_hidden_by_in")?, matrix(case, "W2_out_by_hidden")?);
    let (hidden, d) = (w1.rows(), w1.columns());
    let predictor = Predictor::new(PredictorShape::Two { hidden, norm: HeadNorm::Plain }, d, &mut init);
    let mut predictor = map(predictor, |path, _, old| match path {
        _ if path.ends_with("first.weight") => tensor(w1.transposed().as_slice(), [hidden * d]),
        _ if path.ends_with("second.weight") => tensor(w2.transposed().as_slice(), [hidden * d]),
        _ => old,
    });
    let wp = square(&predictor, d);
    compare(REGULARISED, &format!("{place}, Wp"), wp.as_slice(), matrix(expect, "Wp")?.as_slice(), F32, report);
    predictor.symmetrise();
    let tied = square(&predictor, d);
    compare(
        REGULARISED,
        &format!("{place}, tied"),
        tied.as_slice(),
        matrix(expect, "tied_Wp")?.as_slice(),
        F32,
        report,
    );
    for (path, _, values) in weights(&predictor) {
        let key = if path.ends_with("first.weight") { "tied_W1" } else { "tied_W2" };
        let golden = matrix(expect, key)?.transposed();
        compare(REGULARISED, &format!("{place}, {key}"), &values, golden.as_slice(), F32, report);
    }
    let golden = numbers(expect, "tied_eig_desc")?;
    let symmetric = symmetric_eigenvalues(&tied).map_err(|e| e.to_string())?;
    let general: Vec<f64> = eigenvalues(&tied).map_err(|e| e.to_string())?.iter().map(|value| value.re).collect();
    compare(REGULARISED, place, &symmetric, &golden, F32, report);
    compare(REGULARISED, place, &general, &golden, F32, report);
    norms(&matrix(expect, "Wp")?, report)
}

/// The loss that trains, and the gradients that Burn takes of it.
fn check_loss(place: &str, case: &Value, report: &mut Report) -> Result<(), String> {
    const KIND: &str = "losses";
    const GRADIENTS: &str = "gradients of losses";
    only(case, &["B", "d", "p1", "p2", "t1", "t2", "expect"])?;
    let expect = field(case, "expect")?;
    report.case(KIND);
    let [p1, p2, t1, t2] = ["p1", "p2", "t1", "t2"].map(|key| matrix(case, key));
    let p = interleaved(&p1?, &p2?)?.autodiff().require_grad();
    let d = p.dims()[1];
    let loss = negative_cosine(p.clone(), interleaved(&t1?, &t2?)?);
    let gradients = loss.clone().backward();
    let gradient = read(p.grad(&gradients).ok_or("the loss has no gradient")?);
    let scaled = |scale: f64| read(loss.clone() * scale);
    for key in expect.as_object().ok_or("`expect` is no object")?.keys() {
        let (kind, ours, golden) = match key.as_str() {
            "paper" => (KIND, scaled(1.0), vec![number(expect, key)?]),
            "luckmatters" => (KIND, scaled(2.0), vec![number(expect, key)?]),
            "simsiam_half" => (KIND, scaled(0.5), vec![number(expect, key)?]),
            // Σ over both orders of (2 − 2 cos), in [0, 8].
            "byol_original" => (KIND, read(loss.clone() * 2.0 + 4.0), vec![number(expect, key)?]),
            "grad_p1_of_paper" | "grad_p2_of_paper" => {
                report.case(GRADIENTS);
                let ours = view(&gradient, d, usize::from(key == "grad_p2_of_paper"));
                (GRADIENTS, ours, matrix(expect, key)?.as_slice().to_vec())
            }
            _ => return Err(format!("unknown key `{key}`")),
        };
        compare(kind, &format!("{place}, {key}"), &ours, &golden, F32, report);
    }
    Ok(())
}

fn check_ema(place: &str, case: &Value, report: &mut Report) -> Result<(), String> {
    let expect = field(case, "expect")?;
    if case.get("tau0").is_some() {
        const KIND: &str = "schedules of tau";
        only(case, &["tau0", "K", "expect"])?;
        only(expect, &["tau_k"])?;
        report.case(KIND);
        let steps = whole(case, "K")? as u64;
        let params = Hyper::of(&Params::defaults(PARAMS));
        let hyper = Hyper { ema: true, tau: number(case, "tau0")?, tau_cosine: true, ..params };
        let ours: Vec<f64> = (0..=steps).map(|step| hyper.tau_at(step, steps)).collect();
        compare(KIND, place, &ours, &numbers(expect, "tau_k")?, DEFAULT, report);
        return Ok(());
    }
    const KIND: &str = "moving averages";
    only(case, &["tau", "target0", "online_sequence", "expect"])?;
    only(expect, &["target_each_step"])?;
    report.case(KIND);
    let (mut target, tau) = (Weights::new(&numbers(case, "target0")?), number(case, "tau")?);
    let (online, golden) = (matrix(case, "online_sequence")?, matrix(expect, "target_each_step")?);
    if online.rows() != golden.rows() {
        return Err("unequal numbers of steps".to_owned());
    }
    for step in 0..online.rows() {
        target = average(target, &Weights::new(online.row(step)), tau);
        compare(KIND, &format!("{place}, step {step}"), &target.values(), golden.row(step), F32, report);
    }
    Ok(())
}

fn check_collapse(place: &str, case: &Value, report: &mut Report) -> Result<(), String> {
    const KIND: &str = "measures of collapse";
    const KEYS: [&str; 5] = [
        "std_l2norm_times_sqrt_d_ddof1",
        "effective_rank_uncentred",
        "effective_rank_centred",
        "mean_energy_fraction",
        "uncentred_eig_desc",
    ];
    only(case, &["kind", "Z", "expect"])?;
    let expect = field(case, "expect")?;
    only(expect, &KEYS)?;
    report.case(KIND);
    let place = format!("{place}, {}", text(case, "kind")?);
    let ours = feature_statistics(&matrix(case, "Z")?).map_err(|e| e.to_string())?;
    compare(KIND, &place, &ours.eigenvalues, &numbers(expect, KEYS[4])?, DEFAULT, report);
    for (key, ours) in [
        (KEYS[0], Some(ours.normalised_std)),
        (KEYS[1], ours.effective_rank),
        (KEYS[2], ours.effective_rank_centred),
        (KEYS[3], Some(ours.mean_energy)),
    ] {
        match (ours, optional(expect, key)?) {
            (Some(ours), Some(golden)) => {
                compare(KIND, &format!("{place}, {key}"), &[ours], &[golden], DEFAULT, report)
            }
            (None, None) => {}
            (ours, golden) => return Err(format!("{place}, {key}: {ours:?} against {golden:?}")),
        }
    }
    Ok(())
}

/// Operations on a picture `[3, H, W]`, against torchvision's.
fn check_augmentations(section: &Value, report: &mut Report) -> Result<(), String> {
    only(section, &["image_chw", "ops"])?;
    let image = picture(section, "image_chw")?;
    let (side, plane) = (list(section, "image_chw")?.len(), image.len());
    let width = ((plane / side) as f64).sqrt() as usize;
    for (i, case) in list(section, "ops")?.iter().enumerate() {
        let op = text(case, "op")?;
        let mut ours = image.clone();
        let factor = || number(case, "factor").map(|factor| factor as f32);
        match op {
            "brightness" => pixels::brightness(&mut ours, factor()?, true),
            "contrast" => pixels::contrast(&mut ours, side, factor()?, true),
            "saturation" => pixels::saturation(&mut ours, factor()?),
            "hue" => pixels::hue(&mut ours, factor()?),
            "grayscale3" => pixels::grey(&mut ours),
            "hflip" => pixels::flip(&mut ours, width),
            "normalise" => {
                let moments: Vec<(f64, f64)> = numbers(case, "mean")?.into_iter().zip(numbers(case, "std")?).collect();
                for (channel, (mean, std)) in ours.chunks_exact_mut(plane / side).zip(moments) {
                    pixels::normalise(channel, mean as f32, std as f32);
                }
            }
            "resized_crop_bilinear_antialias" => {
                let [top, left, h, w, size] = ["top", "left", "h", "w", "size"].map(|key| whole(case, key));
                let size = size?;
                let (rows, columns) = (Axis::triangle(top?, h?, size), Axis::triangle(left?, w?, size));
                ours = vec![0.0; side * size * size];
                pixels::resample(&image, side, width, &rows, &columns, &mut ours);
            }
            _ => return Err(format!("unknown operation `{op}`")),
        }
        only(case, &["op", "factor", "mean", "std", "top", "left", "h", "w", "size", "out"])?;
        report.case(PIXELS_KIND);
        let ours: Vec<f64> = ours.into_iter().map(f64::from).collect();
        let golden: Vec<f64> = picture(case, "out")?.into_iter().map(f64::from).collect();
        compare(PIXELS_KIND, &format!("{op}, operation {i}"), &ours, &golden, PIXELS, report);
    }
    Ok(())
}

/// `[channels, height, width]`, flat.
fn picture(value: &Value, key: &str) -> Result<Vec<f32>, String> {
    let mut all = Vec::new();
    for channel in list(value, key)? {
        let channel = super::values::as_matrix(channel).map_err(|e| format!("`{key}`: {e}"))?;
        all.extend(channel.to_f32());
    }
    Ok(all)
}
