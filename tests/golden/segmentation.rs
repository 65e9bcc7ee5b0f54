//! Golden cases of the segmentation lab: measures of masks, parts, losses with gradients, the plateau schedule, optimizers,
//! means over seeds. Resizing and affine maps are in `segmentation_images.rs`.

use burn::module::Param;
use burn::tensor::{DType, Tensor, TensorData};
use learnscope::compute::device;
use learnscope::compute::stats::Summary;
use learnscope::nn::optim::schedule::{EarlyStopping, ReduceOnPlateau};
use learnscope::nn::optim::{DecayScope, Optimizer, Rates, Rule};
use learnscope::nn::parameters::tracked;
use learnscope::nn::segmentation::loss::{SegmentationLoss, dice};
use learnscope::pixels::mask::border::{BorderDistances, Hausdorff, border_distances};
use learnscope::pixels::mask::components::{Connectivity, Keep, PostProcess, components, contour_lengths};
use learnscope::pixels::mask::{Confusion, Mask, Pixel};
use learnscope::pixels::spacing::Spacing;
use serde_json::Value;

use super::segmentation_images_cases::{check_affine, check_resize_mask, check_resize_values};
use super::tensors::{F32, Weights, read, tensor};
use super::values::{as_numbers, field, list, number, numbers, only, optional, switch, text, whole};
use super::{Report, Tolerance};

/// Of everything that was computed in f64.
pub const EXACT: Tolerance = Tolerance { relative: 1e-9, absolute: 1e-11 };
/// Of a number that MONAI computed in f32.
pub const SINGLE: Tolerance = Tolerance { relative: 1e-6, absolute: 1e-6 };

/// Checks every case of one file.
pub fn check(file: &Value, report: &mut Report) {
    let cases = match only(file, &["info", "cases"]).and_then(|()| list(file, "cases")) {
        Ok(cases) => cases,
        Err(message) => return report.fail(message),
    };
    for (i, case) in cases.iter().enumerate() {
        let name = case.get("name").and_then(Value::as_str).map_or(format!("case {i}"), str::to_owned);
        let outcome = text(case, "kind").and_then(|kind| match kind {
            "mask_metrics" => check_mask_metrics(&name, case, report),
            "largest_component" => check_parts(&name, case, report),
            "soft_loss" => check_soft_loss(&name, case, report),
            "resize_mask" => check_resize_mask(&name, case, report),
            "resize_values" => check_resize_values(&name, case, report),
            "plateau" => check_plateau(&name, case, report),
            "affine" => check_affine(&name, case, report),
            "optimizer" => check_optimizer(&name, case, report),
            "mean_std" => check_mean_std(&name, case, report),
            // These are checked by `tests/segmentation_nets.rs`.
            "param_count" | "forward" => Ok(()),
            other => Err(format!("kind `{other}` is unknown")),
        });
        if let Err(message) = outcome {
            report.fail(format!("{name}: {message}"));
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

/// Whole numbers, and whatever else has to be the same.
pub fn same<T: PartialEq + std::fmt::Debug>(what: &str, ours: T, golden: T) -> Result<(), String> {
    if ours == golden { Ok(()) } else { Err(format!("{what}: {ours:?} against {golden:?}")) }
}

/// Rows of the digits 0 and 1.
fn mask(case: &Value, key: &str) -> Result<Mask, String> {
    let (height, width) = (whole(case, "h")?, whole(case, "w")?);
    let rows: Option<Vec<&str>> = list(case, key)?.iter().map(Value::as_str).collect();
    let pixels: Vec<bool> =
        rows.ok_or_else(|| format!("`{key}` has a row that is no text"))?.concat().bytes().map(|b| b == b'1').collect();
    Mask::new(height, width, pixels).map_err(|e| format!("`{key}`: {e}"))
}

fn check_mask_metrics(place: &str, case: &Value, report: &mut Report) -> Result<(), String> {
    const KIND: &str = "measures of masks";
    only(case, &["kind", "h", "w", "pred", "truth", "counts", "dice", "dice_medpy_0_4_0", "iou", "hd"])?;
    report.case(KIND);
    let (prediction, truth) = (mask(case, "pred")?, mask(case, "truth")?);
    let ours = Confusion::of(&prediction, &truth).map_err(|e| e.to_string())?;
    let counts = field(case, "counts")?;
    only(counts, &["tp", "fp", "fn", "tn"])?;
    for (key, ours) in [
        ("tp", ours.true_positives),
        ("fp", ours.false_positives),
        ("fn", ours.false_negatives),
        ("tn", ours.true_negatives),
    ] {
        same(key, ours, whole(counts, key)?)?;
    }
    compare(KIND, place, &[ours.dice()], &[number(case, "dice")?], EXACT, report);
    // Older versions of medpy differ in one convention alone.
    let old = if ours.both_empty() { 0.0 } else { ours.dice() };
    compare(KIND, place, &[old], &[number(case, "dice_medpy_0_4_0")?], EXACT, report);
    match (ours.iou(), optional(case, "iou")?) {
        (Some(ours), Some(golden)) => compare(KIND, place, &[ours], &[golden], EXACT, report),
        (ours, golden) => same("iou", ours, golden)?,
    }
    let distances = border_distances(&prediction, &truth, Spacing::PIXELS).map_err(|e| e.to_string())?;
    let golden = field(case, "hd")?;
    match distances {
        None if golden.is_null() => Ok(()),
        Some(distances) if golden.is_object() => {
            check_distances(KIND, place, &distances, [&prediction, &truth], golden, report)
        }
        _ => Err("a distance is defined for only one of both".to_owned()),
    }
}

fn check_distances(
    kind: &str,
    place: &str,
    ours: &BorderDistances,
    masks: [&Mask; 2],
    golden: &Value,
    report: &mut Report,
) -> Result<(), String> {
    same("border of the prediction", ours.prediction.len(), whole(golden, "n_border_pred")?)?;
    same("border of the truth", ours.truth.len(), whole(golden, "n_border_truth")?)?;
    let between = |[a, b]: [Vec<Pixel>; 2]| BorderDistances::between(a, b, Spacing::PIXELS).ok_or("a border is empty");
    // Conventions that the program does not offer, from the same distances.
    let full = between(masks.map(|mask| lesion_where(mask, |row, column| on_full_border(mask, row, column))))?;
    let everything = between(masks.map(|mask| lesion_where(mask, |_, _| true)))?;
    for key in golden.as_object().ok_or("`hd` is no object")?.keys() {
        let (ours, tolerance) = match key.as_str() {
            "n_border_pred" | "n_border_truth" => continue,
            "monai_equals_maxdir_cross" => {
                same(key, true, switch(golden, key)?)?;
                continue;
            }
            "hd95_pooled_cross_linear" => (ours.hausdorff(Hausdorff::Pooled95), EXACT),
            "hd95_maxdir_cross_linear" => (ours.hausdorff(Hausdorff::Directed95), EXACT),
            "monai_1_6_1_hd95" => (ours.hausdorff(Hausdorff::Directed95), SINGLE),
            "hd95_pooled_full3x3_linear" => (full.hausdorff(Hausdorff::Pooled95), EXACT),
            "hd95_maxdir_allpixels_linear" => (everything.hausdorff(Hausdorff::Directed95), EXACT),
            "hd95_pooled_cross_nearestrank" => (nearest_rank_95(ours), EXACT),
            "hd100" => (ours.hausdorff(Hausdorff::Largest), EXACT),
            "assd_pooled" => (ours.average_pooled(), EXACT),
            _ => return Err(format!("unknown key `{key}`")),
        };
        compare(kind, &format!("{place}, {key}"), &[ours], &[number(golden, key)?], tolerance, report);
    }
    Ok(())
}

fn lesion_where(mask: &Mask, keep: impl Fn(usize, usize) -> bool) -> Vec<Pixel> {
    let places = (0..mask.height()).flat_map(|row| (0..mask.width()).map(move |column| (row, column)));
    let kept = places.filter(|(row, column)| mask.at(*row, *column) && keep(*row, *column));
    kept.map(|(row, column)| Pixel { row: row as u32, column: column as u32 }).collect()
}

/// Whether one of the eight neighbours is background.
fn on_full_border(mask: &Mask, row: usize, column: usize) -> bool {
    (0..3).any(|i| (0..3).any(|j| !mask.at((row + i).wrapping_sub(1), (column + j).wrapping_sub(1))))
}

/// The smallest distance that at least 95 % are not above.
fn nearest_rank_95(distances: &BorderDistances) -> f64 {
    let mut all = [&distances.from_prediction[..], &distances.from_truth].concat();
    all.sort_unstable_by(f64::total_cmp);
    all[(all.len() * 95).div_ceil(100) - 1].sqrt()
}

fn check_parts(_place: &str, case: &Value, report: &mut Report) -> Result<(), String> {
    const KIND: &str = "parts of masks";
    only(
        case,
        &[
            "kind",
            "h",
            "w",
            "mask",
            "n4",
            "sizes4",
            "largest4",
            "n8",
            "sizes8",
            "largest8",
            "filled8",
            "repo_longest_contour_filled",
            "repo_contour_lengths_sorted",
        ],
    )?;
    report.case(KIND);
    let input = mask(case, "mask")?;
    for (connectivity, digit) in [(Connectivity::Four, 4), (Connectivity::Eight, 8)] {
        let parts = components(&input, connectivity);
        same("parts", parts.len(), whole(case, &format!("n{digit}"))?)?;
        let sizes: Vec<f64> = parts.areas().iter().map(|area| *area as f64).collect();
        same("sizes", sizes, numbers(case, &format!("sizes{digit}"))?)?;
        let rule = PostProcess { keep: Keep::LargestArea(connectivity), fill_holes: false };
        same("largest", rule.apply(&input), mask(case, &format!("largest{digit}"))?)?;
    }
    same("filled", PostProcess::default().apply(&input), mask(case, "filled8")?)?;
    let mut lengths: Vec<f64> = contour_lengths(&input).into_iter().map(|length| length as f64).collect();
    lengths.sort_by(f64::total_cmp);
    same("contour lengths", lengths, numbers(case, "repo_contour_lengths_sorted")?)?;
    let longest = PostProcess { keep: Keep::LongestContour, fill_holes: true }.apply(&input);
    if field(case, "repo_longest_contour_filled")?.is_null() {
        // The authors' code fails on an empty prediction.
        return same("longest contour", longest, Mask::empty(input.height(), input.width()));
    }
    same("longest contour", longest, mask(case, "repo_longest_contour_filled")?)
}

/// The losses that train, of the logits of the golden probabilities. A gradient is then the golden one times p (1 − p).
fn check_soft_loss(place: &str, case: &Value, report: &mut Report) -> Result<(), String> {
    const KIND: &str = "losses";
    const GRADIENTS: &str = "gradients of losses";
    report.case(KIND);
    report.case(GRADIENTS);
    let (p, t, shape) = (numbers(case, "p")?, numbers(case, "t")?, numbers(case, "shape")?);
    let [images, height, width] = shape[..] else { return Err("`shape` is not three numbers".to_owned()) };
    let shape = [images as usize, 1, height as usize, width as usize];
    let logits: Vec<f64> = p.iter().map(|p| (p / (1.0 - p)).ln()).collect();
    let of = |loss: SegmentationLoss| {
        let z = tensor(&logits, shape).autodiff().require_grad();
        let value = loss.of(z.clone(), tensor(&t, shape));
        let gradient = z.grad(&value.clone().backward());
        (read(value), gradient.map_or_else(Vec::new, read))
    };
    // The whole batch as one image.
    let pooled = |smooth| {
        let [p, t] = [&p, &t].map(|values| tensor(values, [1, 1, 1, values.len()]));
        read(dice(p, t, smooth))
    };
    for key in case.as_object().ok_or("a case that is no object")?.keys() {
        let (kind, ours) = match key.as_str() {
            // The form with squares in the denominator is a network's loss nowhere in the program.
            "kind" | "name" | "note" | "shape" | "p" | "t" | "dice_loss_squared_denominator" => continue,
            "dice_loss_repo_smooth0_per_image_mean" => (KIND, of(SegmentationLoss::Dice).0),
            "dice_loss_smooth1" => (KIND, of(SegmentationLoss::SmoothDice).0),
            "dice_loss_batch_pooled" => (KIND, pooled(0.0)),
            "dice_loss_milesial_eps1e6_batch" => (KIND, pooled(1e-6)),
            "bce_mean" => (KIND, of(SegmentationLoss::Bce).0),
            "grad_dice_repo" => (GRADIENTS, of(SegmentationLoss::Dice).1),
            "grad_bce" => (GRADIENTS, of(SegmentationLoss::Bce).1),
            _ => return Err(format!("unknown key `{key}`")),
        };
        let mut golden = if field(case, key)?.is_array() { numbers(case, key)? } else { vec![number(case, key)?] };
        if kind == GRADIENTS {
            golden.iter_mut().zip(&p).for_each(|(slope, p)| *slope *= p * (1.0 - p));
        }
        compare(kind, &format!("{place}, {key}"), &ours, &golden, F32, report);
    }
    Ok(())
}

fn check_plateau(place: &str, case: &Value, report: &mut Report) -> Result<(), String> {
    const KIND: &str = "schedules and stops";
    const STOP: &str = "early_stop_epoch_patience15_no_min_epoch";
    only(case, &["kind", "val_losses", "lr0", "lrs", STOP, "rule"])?;
    report.case(KIND);
    let losses = numbers(case, "val_losses")?;
    let mut schedule = ReduceOnPlateau::new(number(case, "lr0")?);
    let rates: Vec<f64> = losses.iter().map(|loss| schedule.observe(*loss)).collect();
    let tolerance = Tolerance { relative: 1e-12, absolute: 0.0 };
    compare(KIND, place, &rates, &numbers(case, "lrs")?, tolerance, report);
    let mut stopping = EarlyStopping::new(15, 0);
    let stop = losses.iter().position(|loss| stopping.observe(*loss).stop).map(|epoch| (epoch + 1) as f64);
    same("last epoch", stop, optional(case, STOP)?)
}

fn check_optimizer(place: &str, case: &Value, report: &mut Report) -> Result<(), String> {
    const KIND: &str = "steps of optimizers";
    only(case, &["kind", "p0", "grad_rule", "beta", "params_after_each_step"])?;
    same("rule", text(case, "grad_rule")?, "step k=0..5, element i: sin(0.9k+i)*10^-i")?;
    same("beta", numbers(case, "beta")?, vec![0.9, 0.999])?;
    report.case(KIND);
    // `adam_1e-4_wd0`: rule, rate and decay.
    let name: Vec<&str> = text(case, "name")?.split('_').collect();
    let (rule, rate, decay) = match name[..] {
        [rule, rate, decay] => (rule, rate.parse::<f64>(), decay.strip_prefix("wd").unwrap_or(decay).parse::<f64>()),
        _ => return Err("the name does not say what is done".to_owned()),
    };
    let (rate, decay) = (rate.map_err(|e| e.to_string())?, decay.map_err(|e| e.to_string())?);
    let p0 = numbers(case, "p0")?;
    let golden = list(case, "params_after_each_step")?.iter().map(as_numbers).collect::<Result<Vec<_>, _>>()?;
    // The optimizers that train: as the CPU trains with them, and in f64, where Adam goes the way of other devices.
    for (dtype, tolerance) in [
        (DType::F32, Tolerance { relative: 1e-5, absolute: 1e-8 }),
        (DType::F64, Tolerance { relative: 1e-12, absolute: 1e-14 }),
    ] {
        let vector = |values: &[f64]| {
            let data = TensorData::new(values.to_vec(), [values.len()]).convert_dtype(dtype);
            Tensor::<1>::from_data(data, (&device::cpu(), dtype))
        };
        let mut module = Weights { weight: Param::from_tensor(vector(&p0)) };
        let mut optimizer = Optimizer::new(match rule {
            "adam" => Rule::ADAM,
            "sgd" => Rule::SGD,
            other => return Err(format!("unknown rule `{other}`")),
        });
        for (k, golden) in golden.iter().enumerate() {
            let slopes: Vec<f64> =
                (0..p0.len()).map(|i| (0.9 * k as f64 + i as f64).sin() * 10.0_f64.powi(-(i as i32))).collect();
            let training = tracked(&module);
            // The gradient of Σ g w is g.
            let mut gradients = (training.weight.val() * vector(&slopes)).sum().backward();
            let rates = |_: &str| Rates { learning_rate: rate, decay };
            module = optimizer.step(training, &mut gradients, DecayScope::All, rates);
            let ours = module.weight.val().into_data().convert::<f64>().try_to_vec().map_err(|e| format!("{e:?}"))?;
            compare(KIND, &format!("{place}, {dtype:?}, step {k}"), &ours, golden, tolerance, report);
        }
        let (state, steps) = optimizer.state();
        if (state.len(), steps as usize) != (1, golden.len()) {
            return Err("the optimizer does not count its steps".to_owned());
        }
    }
    Ok(())
}

fn check_mean_std(place: &str, case: &Value, report: &mut Report) -> Result<(), String> {
    const KIND: &str = "means and deviations";
    only(case, &["kind", "values", "mean", "std_population", "std_sample"])?;
    report.case(KIND);
    let ours = Summary::of(numbers(case, "values")?.into_iter().map(Some));
    for (key, ours) in [("mean", ours.mean), ("std_population", ours.std_population), ("std_sample", ours.std_sample)] {
        match (ours, optional(case, key)?) {
            (Some(ours), Some(golden)) => compare(KIND, &format!("{place}, {key}"), &[ours], &[golden], EXACT, report),
            (ours, golden) => same(key, ours, golden)?,
        }
    }
    Ok(())
}
