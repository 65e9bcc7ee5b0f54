//! Golden cases of the segmentation lab: images and masks that are resized and seen through affine maps.

use learnscope::pixels::mask::{Confusion, Mask};
use learnscope::pixels::resize::{Resampling, Size, resize, resize_mask};
use learnscope::pixels::warp::{Affine, Border, warp, warp_mask};
use serde_json::Value;

use super::Report;
use super::segmentation_cases::{EXACT, SINGLE, compare, same};
use super::values::{field, number, numbers, only, text, whole};

const RESAMPLINGS: [(&str, Resampling); 4] = [
    ("nearest_floor", Resampling::NearestFloor),
    ("nearest_center", Resampling::NearestCentre),
    ("bilinear_half_pixel", Resampling::Bilinear),
    ("bilinear_align_corners", Resampling::BilinearCorners),
];

pub fn check_resize_values(place: &str, case: &Value, report: &mut Report) -> Result<(), String> {
    const KIND: &str = "resized values";
    only(case, &[&["kind", "h", "w", "src", "out_h", "out_w"][..], &RESAMPLINGS.map(|(key, _)| key)].concat())?;
    report.case(KIND);
    let from = Size { height: whole(case, "h")?, width: whole(case, "w")? };
    let to = Size { height: whole(case, "out_h")?, width: whole(case, "out_w")? };
    let source = numbers(case, "src")?;
    same("numbers of the source", source.len(), from.pixels())?;
    for (key, how) in RESAMPLINGS {
        let ours = resize(&source, from, to, how);
        compare(KIND, &format!("{place}, {key}"), &ours, &numbers(case, key)?, EXACT, report);
        let single: Vec<f32> = source.iter().map(|x| *x as f32).collect();
        let single: Vec<f64> = resize(&single, from, to, how).into_iter().map(f64::from).collect();
        compare(KIND, &format!("{place}, {key}, f32"), &single, &ours, SINGLE, report);
    }
    Ok(())
}

pub fn check_resize_mask(place: &str, case: &Value, report: &mut Report) -> Result<(), String> {
    const KIND: &str = "resized masks";
    const SKIMAGE: &str = "skimage_resize_default_gt_half_foreground";
    const ROUND_TRIP: &str = "round_trip_half_pixel_dice";
    let how = RESAMPLINGS
        .map(|(key, how)| if key.starts_with("bi") { (format!("{key}_gt_half"), how) } else { (key.to_owned(), how) });
    let mut known = vec!["kind", "mask_rule", "params", "out_h", "out_w", "source", SKIMAGE, ROUND_TRIP];
    known.extend(how.iter().map(|(key, _)| key.as_str()));
    only(case, &known)?;
    same("rule", text(case, "mask_rule")?, "(2x-cx2)^2*ry2^2+(2y-cy2)^2*rx2^2<=ry2^2*rx2^2")?;
    report.case(KIND);
    let params = field(case, "params")?;
    only(params, &["h", "w", "cy2", "cx2", "ry2", "rx2"])?;
    let [cy, cx, ry, rx] = ["cy2", "cx2", "ry2", "rx2"].map(|key| whole(params, key).map(|v| v as i64));
    let (cy, cx, ry, rx) = (cy?, cx?, ry?, rx?);
    let from = Size { height: whole(params, "h")?, width: whole(params, "w")? };
    let to = Size { height: whole(case, "out_h")?, width: whole(case, "out_w")? };
    let source = Mask::from_fn(from.height, from.width, |y, x| {
        let (y, x) = (2 * y as i64 - cy, 2 * x as i64 - cx);
        (x * ry).pow(2) + (y * rx).pow(2) <= (ry * rx).pow(2)
    });
    check_pixels("source", &source, field(case, "source")?)?;
    for (key, how) in how {
        let ours = resize_mask(source.pixels(), from, to, how);
        let ours = Mask::new(to.height, to.width, ours).map_err(|e| e.to_string())?;
        check_pixels(&key, &ours, field(case, &key)?)?;
    }
    let mirrored = resize_mask(source.pixels(), from, to, Resampling::BilinearMirror);
    let foreground = mirrored.iter().filter(|lesion| **lesion).count();
    // scikit-image filters before it shrinks, and we do not.
    if to.height >= from.height && to.width >= from.width {
        same(SKIMAGE, foreground, whole(case, SKIMAGE)?)?;
    }
    let there = resize_mask(source.pixels(), from, to, Resampling::Bilinear);
    let back = resize_mask(&there, to, from, Resampling::Bilinear);
    let back = Mask::new(from.height, from.width, back).map_err(|e| e.to_string())?;
    let dice = Confusion::of(&back, &source).map_err(|e| e.to_string())?.dice();
    compare(KIND, &format!("{place}, {ROUND_TRIP}"), &[dice], &[number(case, ROUND_TRIP)?], EXACT, report);
    Ok(())
}

/// Counts, sums of coordinates and a hash of the bytes. Pixels that are one half but for rounding may differ.
fn check_pixels(what: &str, ours: &Mask, golden: &Value) -> Result<(), String> {
    const DOUBTFUL: &str = "pixels_within_1e-6_of_half";
    const HASH: &str = "fnv1a64_rowmajor_0_1_bytes";
    only(golden, &["foreground", "sum_row", "sum_col", HASH, DOUBTFUL])?;
    let doubtful = if golden.get(DOUBTFUL).is_some() { whole(golden, DOUBTFUL)? } else { 0 };
    let foreground = whole(golden, "foreground")?;
    if doubtful > 0 {
        let off = ours.area().abs_diff(foreground);
        return if off <= doubtful { Ok(()) } else { Err(format!("{what}: {off} pixels too many or too few")) };
    }
    let lesion = || (0..ours.pixels().len()).filter(|i| ours.pixels()[*i]);
    same(what, ours.area(), foreground)?;
    same(what, lesion().map(|i| i / ours.width()).sum(), whole(golden, "sum_row")?)?;
    same(what, lesion().map(|i| i % ours.width()).sum(), whole(golden, "sum_col")?)?;
    let hash = ours
        .pixels()
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, lesion| (hash ^ u64::from(*lesion)).wrapping_mul(0x100_0000_01b3));
    same(what, format!("{hash:016x}").as_str(), text(golden, HASH)?)
}

pub fn check_affine(place: &str, case: &Value, report: &mut Report) -> Result<(), String> {
    const KIND: &str = "affine maps";
    const MASK_RULE: &str =
        "rotated ellipse: u=(x-35.1)cos.3+(y-20.3)sin.3, v=-(x-35.1)sin.3+(y-20.3)cos.3, (u/17.9)^2+(v/11.7)^2<=1";
    const ROW: &str = "image_bilinear_row24_first8_from_col20";
    let rest =
        ["mask_source_foreground", "mask_nearest_const0_foreground", "nearest_ties", "image_bilinear_const0_sum"];
    let read = ["kind", "h", "w", "params", "forward_3x3", "inverse_3x3", "mask_rule", "image_rule", ROW];
    only(case, &[&read[..], &rest].concat())?;
    same("rule", text(case, "mask_rule")?, MASK_RULE)?;
    same("rule", text(case, "image_rule")?, "0.5+0.5*sin(0.11x+0.07y)")?;
    report.case(KIND);
    let size = Size { height: whole(case, "h")?, width: whole(case, "w")? };
    let params = field(case, "params")?;
    let keys = ["scale_x", "scale_y", "translate_x_frac", "translate_y_frac", "rotate_deg", "shear_x_deg"];
    only(params, &[&keys[..], &["flip_x", "flip_y"]].concat())?;
    let [scale_x, scale_y, right, down, rotate, shear] = keys.map(|key| number(params, key));
    let flip = [whole(params, "flip_x")? == 1, whole(params, "flip_y")? == 1];
    let affine =
        Affine { scale: [scale_x?, scale_y?], translate: [right?, down?], rotate: rotate?, shear: shear?, flip };
    let forward = affine.map(size);
    let back = forward.inverse().ok_or("the map has no inverse")?;
    let whole_matrix = |map: [f64; 6]| [&map[..], &[0.0, 0.0, 1.0]].concat();
    compare(KIND, place, &whole_matrix(forward.0), &numbers(case, "forward_3x3")?, EXACT, report);
    compare(KIND, place, &whole_matrix(back.0), &numbers(case, "inverse_3x3")?, EXACT, report);

    let (sin, cos) = 0.3_f64.sin_cos();
    let ellipse = Mask::from_fn(size.height, size.width, |y, x| {
        let (x, y) = (x as f64 - 35.1, y as f64 - 20.3);
        ((x * cos + y * sin) / 17.9).powi(2) + ((y * cos - x * sin) / 11.7).powi(2) <= 1.0
    });
    same("mask", ellipse.area(), whole(case, "mask_source_foreground")?)?;
    let moved = warp_mask(ellipse.pixels(), size, back, Border::Constant(0.0));
    let off = moved.iter().filter(|lesion| **lesion).count().abs_diff(whole(case, "mask_nearest_const0_foreground")?);
    // A place in the middle between two pixels may go to either.
    if off > whole(case, "nearest_ties")? {
        return Err(format!("{off} pixels too many or too few in the mask"));
    }
    let image: Vec<f64> = (0..size.pixels())
        .map(|i| 0.5 + 0.5 * (0.11 * (i % size.width) as f64 + 0.07 * (i / size.width) as f64).sin())
        .collect();
    let seen = warp(&image, size, back, Border::Constant(0.0));
    let sum = [seen.iter().sum::<f64>()];
    compare(KIND, &format!("{place}, sum"), &sum, &[number(case, "image_bilinear_const0_sum")?], EXACT, report);
    let row = seen.get(24 * size.width + 20..24 * size.width + 28).ok_or("the image is too small")?;
    compare(KIND, &format!("{place}, row"), row, &numbers(case, ROW)?, EXACT, report);
    Ok(())
}
