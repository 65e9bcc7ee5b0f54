//! Golden cases of the reconstruction lab: quality of pictures, losses and their gradients, the balance of losses, scores and
//! intervals, split, sampler, shapes of networks, scores of active learning, augmentation.

use burn::tensor::Tensor;
use learnscope::compute::device;
use learnscope::compute::rng::SplitMix64;
use learnscope::data::augment::turned_crop;
use learnscope::labs::reconstruction::balance::{self, Pull, Rule};
use learnscope::labs::reconstruction::query::{self, scores};
use learnscope::labs::reconstruction::sampler::{self, Kind};
use learnscope::labs::reconstruction::{ranks, split};
use learnscope::metrics::detection::{self, Counts, GradeTable};
use learnscope::metrics::quality;
use learnscope::nn::reconstruction::decoder::transposed;
use learnscope::nn::reconstruction::loss::{Reconstruction, cross_entropy};
use learnscope::nn::reconstruction::pooled;
use learnscope::nn::reconstruction::spec::{Family, Head, Layout, NetSpec, cost};
use learnscope::pixels::resize::Size;
use learnscope::pixels::warp::Affine;
use serde_json::Value;

use super::segmentation_cases::{compare, same};
use super::tensors::{F32, read, tensor};
use super::values::{as_numbers, field, list, number, numbers, only, optional, switch, text, whole};
use super::{Report, Tolerance};

/// Checks every case of one file.
pub fn check(file: &Value, report: &mut Report) {
    let cases = match only(file, &["meta", "cases"]).and_then(|()| list(file, "cases")) {
        Ok(cases) => cases,
        Err(message) => return report.fail(message),
    };
    for case in cases {
        let name = case.get("id").and_then(Value::as_str).unwrap_or("a case without a name").to_owned();
        if let Err(message) = one(&name, case, report) {
            report.fail(format!("{name}: {message}"));
        }
    }
}

fn one(name: &str, case: &Value, report: &mut Report) -> Result<(), String> {
    only(case, &["kind", "id", "inputs", "expected", "tol"])?;
    let kind = text(case, "kind")?;
    report.case(kind);
    let mut case = Case { name, kind, given: field(case, "inputs")?, wanted: field(case, "expected")?, report };
    match kind {
        "mse" => case.errors(),
        "psnr" => case.psnr(),
        "ssim" => case.ssim(),
        "ssim_rgb" => case.ssim_of_colours(),
        "ms_ssim" => case.ms_ssim(),
        "bce_alpha" => case.cross_entropy_of_probabilities(),
        "bce_logits_alpha" => case.cross_entropy(),
        "combined" => case.combined(),
        "adaptive_lambda" => case.adaptive_lambda(),
        "grad_norm_toy" => case.gradients_of_a_toy(),
        "gradnorm_target" => case.grad_norm(),
        "auc" => case.auc(),
        "accuracy" => case.accuracy(),
        "severity" => case.severity(),
        "wilson" => case.wilson(),
        "mcnemar_exact" => case.mcnemar(),
        "stratified_split" => case.split(),
        "percentile_table" => case.percentiles(),
        "batch_sampler" => case.sampler(),
        "splitmix64" => case.splitmix(),
        "aecl1_shapes" => case.shapes(),
        "tconv_size" => case.transposed_size(),
        "adaptive_avg_pool" => case.pooling(),
        "tied_adjoint" => case.adjoint(),
        "mi_kl_hist" => case.histograms(),
        "active_scores" => case.active_scores(),
        "ece10" => case.calibration(),
        "augment_point" => case.augmented_point(),
        other => Err(format!("kind `{other}` is unknown")),
    }
}

struct Case<'a> {
    name: &'a str,
    kind: &'a str,
    given: &'a Value,
    wanted: &'a Value,
    report: &'a mut Report,
}

const EXACT: Tolerance = Tolerance { relative: 1e-9, absolute: 1e-11 };
/// Of means of windows and pixels in f32.
const SINGLE: Tolerance = Tolerance { relative: 1e-4, absolute: 2e-5 };

/// Rows of numbers, flat, with their size.
fn plane(value: &Value, key: &str) -> Result<(Vec<f64>, Size), String> {
    rows(field(value, key)?)
}

fn rows(value: &Value) -> Result<(Vec<f64>, Size), String> {
    let rows: Vec<Vec<f64>> =
        value.as_array().ok_or("no rows")?.iter().map(as_numbers).collect::<Result<_, String>>()?;
    let size = Size { height: rows.len(), width: rows.first().map_or(0, Vec::len) };
    Ok((rows.concat(), size))
}

/// As a tensor of the lab's range 0 to 1, `[1, 1, H, W]`.
fn picture(values: &[f64], size: Size, range: f64) -> Tensor<4> {
    let values: Vec<f64> = values.iter().map(|value| value / range).collect();
    tensor(&values, [1, 1, size.height, size.width])
}

fn truth(value: &Value, key: &str) -> Result<Vec<bool>, String> {
    Ok(numbers(value, key)?.iter().map(|y| *y == 1.0).collect())
}

impl Case<'_> {
    /// Compares with what is expected under `key`.
    fn near(&mut self, key: &str, ours: f64, tolerance: Tolerance) -> Result<(), String> {
        self.all_near(key, &[ours], &[number(self.wanted, key)?], tolerance);
        Ok(())
    }

    fn all_near(&mut self, key: &str, ours: &[f64], golden: &[f64], tolerance: Tolerance) {
        compare(self.kind, &format!("{}, {key}", self.name), ours, golden, tolerance, self.report);
    }

    fn list_near(&mut self, key: &str, ours: &[f64], tolerance: Tolerance) -> Result<(), String> {
        let golden = numbers(self.wanted, key)?;
        self.all_near(key, ours, &golden, tolerance);
        Ok(())
    }

    /// What is expected may be undefined.
    fn maybe(&mut self, key: &str, ours: Option<f64>) -> Result<(), String> {
        match (ours, optional(self.wanted, key)?) {
            (Some(ours), Some(golden)) => {
                self.all_near(key, &[ours], &[golden], EXACT);
                Ok(())
            }
            (ours, golden) => same(key, ours, golden),
        }
    }

    fn errors(&mut self) -> Result<(), String> {
        only(self.wanted, &["mse", "l1"])?;
        let (x, y) = (numbers(self.given, "x")?, numbers(self.given, "xhat")?);
        self.near("mse", quality::mean_squared_error(&x, &y), EXACT)?;
        self.near("l1", quality::mean_absolute_error(&x, &y), EXACT)?;
        let size = Size { height: 1, width: x.len() };
        let of = |loss: Reconstruction| read(loss.of(picture(&y, size, 1.0), picture(&x, size, 1.0)))[0];
        self.near("mse", of(Reconstruction::Mse), F32)?;
        self.near("l1", of(Reconstruction::L1), F32)
    }

    fn psnr(&mut self) -> Result<(), String> {
        only(self.wanted, &["psnr_db"])?;
        let ((x, _), (y, _)) = (plane(self.given, "x")?, plane(self.given, "xhat")?);
        let range = number(self.given, "data_range")?;
        let ours = quality::psnr(quality::mean_squared_error(&x, &y), range);
        match self.wanted["psnr_db"].as_f64() {
            Some(golden) => {
                self.all_near("psnr_db", &[ours], &[golden], EXACT);
                Ok(())
            }
            None => same("psnr_db", ours, f64::INFINITY),
        }
    }

    fn ssim(&mut self) -> Result<(), String> {
        only(self.wanted, &["mean_ssim", "map_rows", "map_cols", "map_first", "map_last"])?;
        let ((x, size), (y, _)) = (plane(self.given, "x")?, plane(self.given, "y")?);
        for (key, ours) in [("window", quality::WINDOW as f64), ("sigma", 1.5), ("k1", 0.01), ("k2", 0.03)] {
            same(key, ours, number(self.given, key)?)?;
        }
        let range = number(self.given, "data_range")?;
        let map = quality::ssim_map(&x, &y, size, range).ok_or("the picture is too small")?;
        same("map_rows", map.size.height, whole(self.wanted, "map_rows")?)?;
        same("map_cols", map.size.width, whole(self.wanted, "map_cols")?)?;
        self.near("mean_ssim", map.mean(), EXACT)?;
        self.near("map_first", map.values[0], EXACT)?;
        self.near("map_last", *map.values.last().ok_or("no window")?, EXACT)?;
        let loss = Reconstruction::Ssim.of(picture(&y, size, range), picture(&x, size, range));
        self.near("mean_ssim", 1.0 - read(loss)[0], SINGLE)
    }

    fn ssim_of_colours(&mut self) -> Result<(), String> {
        only(self.wanted, &["mean_ssim", "per_channel"])?;
        let range = number(self.given, "data_range")?;
        let planes = |key: &str| list(self.given, key)?.iter().map(rows).collect::<Result<Vec<_>, String>>();
        let (x, y) = (planes("x_chw")?, planes("y_chw")?);
        let each: Option<Vec<f64>> = x
            .iter()
            .zip(&y)
            .map(|((x, size), (y, _))| quality::ssim_map(x, y, *size, range).map(|map| map.mean()))
            .collect();
        let each = each.ok_or("a channel is too small")?;
        self.list_near("per_channel", &each, EXACT)?;
        self.near("mean_ssim", each.iter().sum::<f64>() / each.len() as f64, EXACT)?;
        let size = x[0].1;
        let all = |planes: &[(Vec<f64>, Size)]| {
            let values: Vec<f64> = planes.iter().flat_map(|(values, _)| values.iter().map(|v| v / range)).collect();
            tensor(&values, [1, planes.len(), size.height, size.width])
        };
        let loss = Reconstruction::Ssim.of(all(&y), all(&x));
        self.near("mean_ssim", 1.0 - read(loss)[0], SINGLE)
    }

    fn ms_ssim(&mut self) -> Result<(), String> {
        only(self.wanted, &["ms_ssim", "ssim_scale0"])?;
        same("renormalise", switch(self.given, "renormalise")?, true)?;
        let size = Size { height: whole(self.given, "h")?, width: whole(self.given, "w")? };
        let values = |key: &str| -> Result<Vec<f64>, String> {
            let formula = text(self.given, key)?;
            let at = |i: f64, j: f64| waves(formula, i, j);
            (0..size.pixels()).map(|p| at((p / size.width) as f64, (p % size.width) as f64)).collect()
        };
        let (x, y) = (values("x_formula")?, values("y_formula")?);
        let (weights, range) = (numbers(self.given, "weights")?, number(self.given, "data_range")?);
        let ours = quality::ms_ssim(&x, &y, size, range, &weights).ok_or("the picture is too small")?;
        self.near("ms_ssim", ours, EXACT)?;
        let first = quality::ssim_map(&x, &y, size, range).ok_or("the picture is too small")?;
        self.near("ssim_scale0", first.mean(), EXACT)?;
        if weights == quality::SCALES {
            let loss = Reconstruction::MsSsim.of(picture(&y, size, range), picture(&x, size, range));
            self.near("ms_ssim", 1.0 - read(loss)[0], SINGLE)?;
        }
        Ok(())
    }

    /// The trained loss takes logits; certain answers, which no logit gives, cost 100 each in the golden file.
    fn cross_entropy_of_probabilities(&mut self) -> Result<(), String> {
        only(self.wanted, &["loss", "eq2_as_printed"])?;
        let (y, p) = (numbers(self.given, "y")?, numbers(self.given, "yhat")?);
        let logits: Vec<f64> = p.iter().map(|p| (p / (1.0 - p)).ln().clamp(-100.0, 100.0)).collect();
        let loss = cross_entropy(tensor(&logits, [y.len()]), tensor(&y, [y.len()]), number(self.given, "alpha")?);
        let loss = read(loss)[0];
        self.near("loss", loss, F32)?;
        self.near("eq2_as_printed", -loss, F32)
    }

    fn cross_entropy(&mut self) -> Result<(), String> {
        only(self.wanted, &["loss", "grad"])?;
        let (y, logits) = (numbers(self.given, "y")?, numbers(self.given, "logits")?);
        let count = y.len();
        let logits = tensor::<1>(&logits, [count]).autodiff().require_grad();
        let loss = cross_entropy(logits.clone(), tensor(&y, [count]).autodiff(), number(self.given, "alpha")?);
        let gradients = loss.backward();
        self.near("loss", read(loss)[0], F32)?;
        let gradient = read(logits.grad(&gradients).ok_or("no gradient")?);
        self.list_near("grad", &gradient, F32)
    }

    fn combined(&mut self) -> Result<(), String> {
        only(self.wanted, &["total"])?;
        let classification = optional(self.given, "l_cl")?.filter(|_| self.given["labelled"] == true);
        let ours = balance::combined(number(self.given, "l_ae")?, classification, number(self.given, "lambda_")?);
        self.near("total", ours, EXACT)
    }

    fn adaptive_lambda(&mut self) -> Result<(), String> {
        let keys = [
            "norm_ae",
            "norm_cl",
            "ratio",
            "literal_next",
            "literal_next_next",
            "literal_fixed_point",
            "elementwise_literal",
            "balanced",
            "ema_next",
        ];
        only(self.wanted, &keys)?;
        let (ae, cl) = (numbers(self.given, "grad_ae")?, numbers(self.given, "grad_cl")?);
        let lambda = number(self.given, "lambda_t")?;
        same("ema_beta", balance::BETA, number(self.given, "ema_beta")?)?;
        let [low, high] = numbers(self.given, "clamp")?[..] else { return Err("`clamp` is no pair".to_owned()) };
        same("clamp", balance::LIMITS, [low, high])?;
        let norm = |values: &[f64]| values.iter().map(|v| v * v).sum::<f64>().sqrt();
        let pull = Pull { reconstruction: norm(&ae), classification: norm(&cl), cosine: 0.0 };
        self.near("norm_ae", pull.reconstruction, EXACT)?;
        self.near("norm_cl", pull.classification, EXACT)?;
        let ratio = pull.ratio().ok_or("the classification does not pull")?;
        self.near("ratio", ratio, EXACT)?;
        let literal = balance::literal(lambda, ratio);
        self.near("literal_next", literal, EXACT)?;
        self.near("literal_next_next", balance::literal(literal, ratio), EXACT)?;
        let fixed = number(self.wanted, "literal_fixed_point")?;
        self.all_near("literal_fixed_point", &[balance::literal(fixed, ratio)], &[fixed], EXACT);
        self.near("elementwise_literal", balance::element_wise(&ae, &cl, lambda), EXACT)?;
        let cut = |key: &str| number(self.wanted, key).map(|value| value.clamp(low, high));
        let (balanced, average) = (cut("balanced")?, cut("ema_next")?);
        let of = |rule| balance::next(rule, lambda, &pull, 1.0);
        self.all_near("balanced", &[of(Rule::Balanced), of(Rule::Average)], &[balanced, average], EXACT);
        Ok(())
    }

    /// `h = tanh(w·x)`, a reconstruction `d h` and a logit `c h`: gradients with respect to w by the losses that train.
    fn gradients_of_a_toy(&mut self) -> Result<(), String> {
        let keys = ["l_ae", "l_cl", "grad_ae_w", "grad_cl_w", "norm_ae", "norm_cl", "balanced_lambda"];
        only(self.wanted, &keys)?;
        let [w, d, x] = ["w", "d", "x"].map(|key| numbers(self.given, key));
        let (w, d, x, n) = (w?, d?, x?, numbers(self.given, "x")?.len());
        let code = |w: &Tensor<1>| (w.clone() * tensor::<1>(&x, [n]).autodiff()).sum().tanh();
        let leaf = || tensor::<1>(&w, [n]).autodiff().require_grad();
        let first = leaf();
        let rebuilt = tensor::<1>(&d, [n]).autodiff() * code(&first);
        let original = picture(&x, Size { height: 1, width: n }, 1.0).autodiff();
        let ae = Reconstruction::Mse.of(rebuilt.reshape([1, 1, 1, n]), original);
        let second = leaf();
        let logit = code(&second) * number(self.given, "c")?;
        let cl = cross_entropy(logit, tensor(&[number(self.given, "y")?], [1]).autodiff(), 1.0);
        let slope = |leaf: &Tensor<1>, loss: &Tensor<1>| leaf.grad(&loss.backward()).map(read).ok_or("no gradient");
        let (of_ae, of_cl) = (slope(&first, &ae)?, slope(&second, &cl)?);
        self.near("l_ae", read(ae)[0], F32)?;
        self.near("l_cl", read(cl)[0], F32)?;
        self.list_near("grad_ae_w", &of_ae, F32)?;
        self.list_near("grad_cl_w", &of_cl, F32)?;
        let norm = |values: &[f64]| values.iter().map(|v| v * v).sum::<f64>().sqrt();
        let pull = Pull { reconstruction: norm(&of_ae), classification: norm(&of_cl), cosine: 0.0 };
        self.near("norm_ae", pull.reconstruction, F32)?;
        self.near("norm_cl", pull.classification, F32)?;
        self.near("balanced_lambda", balance::next(Rule::Balanced, 1.0, &pull, 1.0), F32)
    }

    fn grad_norm(&mut self) -> Result<(), String> {
        only(self.wanted, &["inverse_rates", "targets", "l_grad"])?;
        let of = |key: &str| numbers(self.given, key);
        let (norms, losses, first) = (of("weighted_grad_norms")?, of("losses")?, of("initial_losses")?);
        let ours = balance::grad_norm(&norms, &losses, &first, number(self.given, "alpha")?);
        self.list_near("inverse_rates", &ours.inverse_rates, EXACT)?;
        self.list_near("targets", &ours.targets, EXACT)?;
        self.near("l_grad", ours.loss, EXACT)
    }

    fn auc(&mut self) -> Result<(), String> {
        only(self.wanted, &["auc", "roc_fpr", "roc_tpr"])?;
        let (y, score) = (truth(self.given, "y")?, numbers(self.given, "score")?);
        self.maybe("auc", detection::auc(&score, &y))?;
        match detection::roc(&score, &y) {
            None => same("a curve", self.wanted.get("roc_fpr"), None),
            Some(points) => {
                let points: (Vec<f64>, Vec<f64>) =
                    points.iter().map(|point| (point.false_positive_rate, point.true_positive_rate)).unzip();
                self.list_near("roc_fpr", &points.0, EXACT)?;
                self.list_near("roc_tpr", &points.1, EXACT)
            }
        }
    }

    fn accuracy(&mut self) -> Result<(), String> {
        only(self.wanted, &["accuracy", "tn", "fp", "fn", "tp", "sensitivity", "specificity"])?;
        let (y, score) = (truth(self.given, "y")?, numbers(self.given, "score")?);
        let counts = Counts::of(&score, &y, number(self.given, "threshold")?);
        for (key, ours) in [
            ("tn", counts.true_negatives),
            ("fp", counts.false_positives),
            ("fn", counts.false_negatives),
            ("tp", counts.true_positives),
        ] {
            same(key, ours, whole(self.wanted, key)?)?;
        }
        self.maybe("accuracy", counts.accuracy())?;
        self.maybe("sensitivity", counts.sensitivity())?;
        self.maybe("specificity", counts.specificity())
    }

    fn severity(&mut self) -> Result<(), String> {
        only(self.wanted, &["confusion", "accuracy", "quadratic_kappa", "binary_accuracy"])?;
        let grades =
            |key: &str| numbers(self.given, key).map(|all| all.iter().map(|g| *g as usize).collect::<Vec<_>>());
        let table = GradeTable::of(&grades("y")?, &grades("pred")?, whole(self.given, "classes")?);
        let (confusion, _) = plane(self.wanted, "confusion")?;
        same("confusion", table.counts.iter().map(|n| *n as f64).collect(), confusion)?;
        self.maybe("accuracy", table.accuracy())?;
        self.maybe("quadratic_kappa", table.quadratic_kappa())?;
        self.maybe("binary_accuracy", table.binary_accuracy())
    }

    fn wilson(&mut self) -> Result<(), String> {
        only(self.wanted, &["accuracy_pct", "low", "high"])?;
        let (successes, n) = (whole(self.given, "successes")?, whole(self.given, "n")?);
        same("conf", number(self.given, "conf")?, 0.95)?;
        let [low, high] = detection::wilson_95(successes, n).ok_or("no interval")?;
        self.near("low", low, EXACT)?;
        self.near("high", high, EXACT)?;
        let percent = 100.0 * successes as f64 / n as f64;
        self.near("accuracy_pct", percent, Tolerance { relative: 0.0, absolute: 0.005_001 })
    }

    fn mcnemar(&mut self) -> Result<(), String> {
        only(self.wanted, &["p_two_sided"])?;
        let (a, b) = (whole(self.given, "only_a_right")?, whole(self.given, "only_b_right")?);
        self.near("p_two_sided", detection::mcnemar_exact(a, b), EXACT)
    }

    fn split(&mut self) -> Result<(), String> {
        only(self.wanted, &["test", "val", "train", "totals"])?;
        same("fractions", numbers(self.given, "fractions")?, vec![0.6, 0.2, 0.2])?;
        let strata: Vec<usize> = numbers(self.given, "stratum_sizes")?.iter().map(|n| *n as usize).collect();
        let sizes = split::sizes(&strata);
        let floats = |counts: &[usize]| -> Vec<f64> { counts.iter().map(|n| *n as f64).collect() };
        same("test", floats(&sizes.test), numbers(self.wanted, "test")?)?;
        same("val", floats(&sizes.validation), numbers(self.wanted, "val")?)?;
        same("train", floats(&sizes.train), numbers(self.wanted, "train")?)?;
        let totals = [&sizes.train, &sizes.validation, &sizes.test].map(|part| part.iter().sum::<usize>());
        same("totals", floats(&totals), numbers(self.wanted, "totals")?)
    }

    fn percentiles(&mut self) -> Result<(), String> {
        only(self.wanted, &["rows", "percentile_rank"])?;
        const KEYS: [&str; 4] = ["lr", "momentum", "nesterov", "weight_decay"];
        same("bin_width", number(self.given, "bin_width")?, ranks::WIDTH)?;
        let (settings, accuracies) = match self.given.get("grid") {
            Some(grid) => {
                let formula = text(self.given, "accuracy_formula")?;
                let settings = product(&KEYS.map(|key| numbers(grid, key).unwrap_or_default()));
                let accuracies: Option<Vec<f64>> = (0..settings.len()).map(|i| grid_accuracy(formula, i)).collect();
                (settings, accuracies.ok_or_else(|| format!("the formula `{formula}` is unknown"))?)
            }
            None => {
                let setting = |config: &Value| KEYS.iter().map(|key| number(config, key)).collect();
                let settings =
                    list(self.given, "configs")?.iter().map(setting).collect::<Result<Vec<Vec<f64>>, _>>()?;
                (settings, numbers(self.given, "accuracy")?)
            }
        };
        if self.wanted.get("percentile_rank").is_some() {
            self.list_near("percentile_rank", &ranks::percentile_ranks(&accuracies), EXACT)?;
        }
        let rows = ranks::table(&settings, &accuracies);
        let golden = list(self.wanted, "rows")?;
        same("rows", rows.len(), golden.len())?;
        for (row, golden) in rows.iter().zip(golden) {
            same("count", row.runs.len(), whole(golden, "count")?)?;
            self.all_near("percentile", &[row.from], &[number(golden, "percentile")?], EXACT);
            for (modes, key) in row.modes.iter().zip(KEYS) {
                self.all_near(key, modes, &numbers(golden, key)?, EXACT);
            }
        }
        Ok(())
    }

    fn sampler(&mut self) -> Result<(), String> {
        let keys = [
            "labelled_batches",
            "unlabelled_batches",
            "labelled_fraction",
            "first_40",
            "count_L",
            "last_labelled_batch_size",
        ];
        only(self.wanted, &keys)?;
        let of = |key: &str| whole(self.given, key);
        let (items, batch) = (of("n_labelled")?, of("batch_labelled")?);
        let labelled = sampler::batches(items, batch);
        let unlabelled = sampler::batches(of("n_unlabelled")?, of("batch_unlabelled")?);
        same("labelled_batches", labelled, whole(self.wanted, "labelled_batches")?)?;
        same("unlabelled_batches", unlabelled, whole(self.wanted, "unlabelled_batches")?)?;
        let share = labelled as f64 / (labelled + unlabelled) as f64;
        self.near("labelled_fraction", share, EXACT)?;
        let kinds = sampler::order(labelled, unlabelled, of("seed")? as u64);
        let letters: String =
            kinds.iter().take(40).map(|kind| if *kind == Kind::Labelled { 'L' } else { 'U' }).collect();
        same("first_40", letters.as_str(), text(self.wanted, "first_40")?)?;
        let count = kinds.iter().filter(|kind| **kind == Kind::Labelled).count();
        same("count_L", count, whole(self.wanted, "count_L")?)?;
        // But for the one that a batch of one would get of its neighbour.
        let last = if labelled == 0 { 0 } else { items - (labelled - 1) * batch };
        same("last_labelled_batch_size", last, whole(self.wanted, "last_labelled_batch_size")?)
    }

    fn splitmix(&mut self) -> Result<(), String> {
        only(self.wanted, &["u64"])?;
        let mut rng = SplitMix64::new(whole(self.given, "seed")? as u64);
        for golden in list(self.wanted, "u64")? {
            same("u64", rng.bits().to_string().as_str(), golden.as_str().ok_or("no text")?)?;
        }
        Ok(())
    }

    fn shapes(&mut self) -> Result<(), String> {
        let keys = [
            "encoder_shapes",
            "decoder_shapes",
            "encoder_params",
            "decoder_params",
            "classifier_params",
            "total",
            "tied_total",
            "bottleneck_values",
            "compression",
        ];
        only(self.wanted, &keys)?;
        let size = whole(self.given, "input")?;
        let channels: Vec<usize> = numbers(self.given, "channels")?.iter().map(|c| *c as usize).collect();
        let spec = |layout, width| NetSpec {
            family: Family::Aecl1 { layout, tied: true },
            size,
            width,
            sigmoid: false,
            head: Head::Binary,
            leaky: false,
        };
        let layouts = [Layout::Paper, Layout::SixtyFourFirst, Layout::Mini];
        let specs = layouts.iter().flat_map(|layout| [1.0, 0.5, 0.25, 0.125].map(|width| spec(*layout, width)));
        let fits = |spec: &NetSpec| spec.stages().iter().map(|stage| stage.channels).eq(channels[1..].iter().copied());
        let Some(spec) = specs.into_iter().find(fits) else {
            return Err(format!("no layout has the channels {channels:?} at {size} pixels"));
        };
        let cost = cost(&spec);
        let shapes =
            |key: &str| -> Result<Vec<Vec<f64>>, String> { list(self.wanted, key)?.iter().map(as_numbers).collect() };
        let ours = |shapes: &[[usize; 3]]| -> Vec<Vec<f64>> {
            shapes.iter().map(|shape| shape.iter().map(|n| *n as f64).collect()).collect()
        };
        same("encoder_shapes", ours(&cost.encoder_shapes), shapes("encoder_shapes")?)?;
        same("decoder_shapes", ours(&cost.decoder_shapes), shapes("decoder_shapes")?)?;
        let apart = cost.encoder + cost.decoder + cost.classifier;
        for (key, ours) in [
            ("encoder_params", cost.encoder),
            ("decoder_params", cost.decoder),
            ("classifier_params", cost.classifier),
            ("total", apart),
            ("tied_total", cost.parameters()),
            ("bottleneck_values", cost.code()),
        ] {
            same(key, ours, whole(self.wanted, key)?)?;
        }
        self.near("compression", (3 * size * size) as f64 / cost.code() as f64, EXACT)
    }

    /// Of the kernels that the decoders have; others are sizes that nothing here builds.
    fn transposed_size(&mut self) -> Result<(), String> {
        only(self.wanted, &["out"])?;
        let of = |key: &str| whole(self.given, key);
        let (n, k, s, p, op) = (of("n")?, of("k")?, of("s")?, of("p")?, of("op")?);
        let ours = (n - 1) * s + k + op - 2 * p;
        same("out", ours, whole(self.wanted, "out")?)?;
        if let (3, 2, 1, 1) | (4, 2, 1, 0) | (3, 1, 1, 0) = (k, s, p, op) {
            let made = transposed(
                Tensor::zeros([1, 1, n, n], &device::cpu()),
                Tensor::zeros([1, 1, k, k], &device::cpu()),
                None,
                s == 2,
            );
            same("out of the decoder's layer", made.dims()[2], ours)?;
        }
        Ok(())
    }

    /// The networks pool to 1×1; other sizes are that of each window.
    fn pooling(&mut self) -> Result<(), String> {
        only(self.wanted, &["y"])?;
        let (x, size) = plane(self.given, "x")?;
        let out: Vec<usize> = numbers(self.given, "out")?.iter().map(|n| *n as usize).collect();
        let (wanted, _) = plane(self.wanted, "y")?;
        let mut ours = Vec::new();
        for i in 0..out[0] {
            for j in 0..out[1] {
                let rows = i * size.height / out[0]..((i + 1) * size.height).div_ceil(out[0]);
                let columns = j * size.width / out[1]..((j + 1) * size.width).div_ceil(out[1]);
                let window: Vec<f64> = rows
                    .clone()
                    .flat_map(|r| columns.clone().map(move |c| (r, c)))
                    .map(|(r, c)| x[r * size.width + c])
                    .collect();
                ours.extend(read(pooled(tensor(&window, [1, 1, rows.len(), columns.len()]))));
            }
        }
        self.all_near("y", &ours, &wanted, F32);
        Ok(())
    }

    fn adjoint(&mut self) -> Result<(), String> {
        only(self.wanted, &["y"])?;
        let ((kernel, k), (z, size)) = (plane(self.given, "kernel")?, plane(self.given, "z")?);
        let layer = [whole(self.given, "stride")?, whole(self.given, "padding")?, whole(self.given, "output_padding")?];
        if ![[2, 1, 1], [1, 1, 0]].contains(&layer) || k.height != 3 {
            return Err(format!("no decoder has a layer of {layer:?}"));
        }
        let made = transposed(
            tensor(&z, [1, 1, size.height, size.width]),
            tensor(&kernel, [1, 1, k.height, k.width]),
            None,
            layer[0] == 2,
        );
        let (wanted, _) = plane(self.wanted, "y")?;
        self.all_near("y", &read(made), &wanted, F32);
        Ok(())
    }

    fn histograms(&mut self) -> Result<(), String> {
        only(self.wanted, &["mi_nats", "kl_x_given_y_nats"])?;
        same("range", numbers(self.given, "range")?, vec![0.0, 1.0])?;
        let ((x, _), (y, _)) = (plane(self.given, "x")?, plane(self.given, "y")?);
        let ours = quality::histograms(&x, &y, whole(self.given, "bins")?);
        self.near("mi_nats", ours.mutual_information, EXACT)?;
        self.near("kl_x_given_y_nats", ours.divergence, EXACT)
    }

    fn active_scores(&mut self) -> Result<(), String> {
        only(self.wanted, &["mean", "entropy_nats", "bald_nats", "margin", "rank_by_bald"])?;
        let rows: Vec<Vec<f64>> = list(self.given, "mc_probs")?.iter().map(as_numbers).collect::<Result<_, _>>()?;
        let ours: Vec<query::Scores> = rows.iter().map(|row| scores(row)).collect();
        let each = |of: fn(&query::Scores) -> f64| ours.iter().map(of).collect::<Vec<f64>>();
        let bald = each(|s| s.bald);
        self.list_near("mean", &each(|s| s.mean), EXACT)?;
        self.list_near("entropy_nats", &each(|s| s.entropy), EXACT)?;
        self.list_near("bald_nats", &bald, EXACT)?;
        self.list_near("margin", &each(|s| s.margin), EXACT)?;
        let rank: Vec<f64> = query::largest(&bald, bald.len()).into_iter().map(|i| i as f64).collect();
        same("rank_by_bald", rank, numbers(self.wanted, "rank_by_bald")?)
    }

    fn calibration(&mut self) -> Result<(), String> {
        only(self.wanted, &["ece", "brier"])?;
        let (y, p) = (truth(self.given, "y")?, numbers(self.given, "p")?);
        let ours = detection::calibration(&p, &y).ok_or("no picture")?;
        self.near("ece", ours.expected_error, EXACT)?;
        self.near("brier", ours.brier, EXACT)
    }

    fn augmented_point(&mut self) -> Result<(), String> {
        only(self.wanted, &["source_xy"])?;
        let side = whole(self.given, "size")?;
        let size = Size { height: side, width: side };
        let turned = turned_crop(number(self.given, "deg")?, number(self.given, "crop_scale")?, [0.0; 2], size);
        let mirrored = Affine { flip: [switch(self.given, "hflip")?, false], ..Affine::IDENTITY };
        let [x, y] = numbers(self.given, "output_pixel_xy")?[..] else { return Err("no point".to_owned()) };
        let back = mirrored.map(size).after(turned.map(size)).inverse().ok_or("the view flattens the picture")?;
        let (x, y) = back.apply(x, y);
        self.list_near("source_xy", &[x, y], EXACT)
    }
}

/// A sum of terms `a*sin(b i+c j+d)cos(e j)` and of constants, as the golden file writes them.
fn waves(formula: &str, i: f64, j: f64) -> Result<f64, String> {
    let unknown = || format!("the formula `{formula}` is unknown");
    let phase = |text: &str| -> Result<f64, String> {
        let mut sum = 0.0;
        for part in text.split_inclusive(['+', '-']).flat_map(|part| part.split(['+'])) {
            let part = part.trim();
            let (number, of) = match part.strip_suffix('i') {
                Some(number) => (number, i),
                None => part.strip_suffix('j').map_or((part, 1.0), |number| (number, j)),
            };
            if !part.is_empty() {
                sum += number.trim().parse::<f64>().map_err(|_| unknown())? * of;
            }
        }
        Ok(sum)
    };
    let mut sum = 0.0;
    // Terms are separated by a plus outside brackets.
    let mut depth = 0;
    let outside = |c: char| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        c == '+' && depth == 0
    };
    for term in formula.split(outside) {
        let (factor, waves) = term.split_once('*').unwrap_or((term, ""));
        let mut product: f64 = factor.trim().parse().map_err(|_| unknown())?;
        for wave in waves.split(')').filter(|wave| !wave.is_empty()) {
            product *= match (wave.strip_prefix("sin("), wave.strip_prefix("cos(")) {
                (Some(inside), _) => phase(inside)?.sin(),
                (_, Some(inside)) => phase(inside)?.cos(),
                _ => return Err(unknown()),
            };
        }
        sum += product;
    }
    Ok(sum)
}

/// `round(0.6+0.25*((i*A+B) mod 96)/96, 4)`.
fn grid_accuracy(formula: &str, i: usize) -> Option<f64> {
    let inside = formula.strip_prefix("round(0.6+0.25*((i*")?.strip_suffix(") mod 96)/96, 4)")?;
    let (a, b) = inside.split_once('+')?;
    let place = (i * a.parse::<usize>().ok()? + b.parse::<usize>().ok()?) % 96;
    Some(((0.6 + 0.25 * place as f64 / 96.0) * 1e4).round() / 1e4)
}

/// Every combination, the first list outermost.
fn product(lists: &[Vec<f64>]) -> Vec<Vec<f64>> {
    lists.iter().fold(vec![Vec::new()], |rows, list| {
        rows.iter().flat_map(|row| list.iter().map(move |value| [&row[..], &[*value]].concat())).collect()
    })
}
