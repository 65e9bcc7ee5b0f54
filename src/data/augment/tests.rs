use super::recipes::{Recipe, RecipeKind, Strengths, pairs};
use super::*;
use crate::data::images::Moments;

const RECIPES: [RecipeKind; 3] = [RecipeKind::Shapes, RecipeKind::Torchvision, RecipeKind::Replication];
const SIZE: Size = Size { height: 24, width: 32 };

fn picture(channels: usize) -> Vec<u8> {
    (0..channels * 64).map(|i| (i * 37 % 251) as u8).collect()
}

/// A disc of lesion.
fn disc(size: Size, [x, y]: [usize; 2], radius: usize) -> Vec<bool> {
    let place = |i: usize| (i % size.width, i / size.width);
    (0..size.pixels())
        .map(place)
        .map(|at| at.0.abs_diff(x).pow(2) + at.1.abs_diff(y).pow(2) < radius * radius)
        .collect()
}

/// As an image of one channel.
fn seen_as(mask: &[bool]) -> Vec<f32> {
    mask.iter().map(|lesion| f32::from(u8::from(*lesion))).collect()
}

/// Everything that moves pixels, strongly, and some colour between.
fn everything(crop: Crop) -> Vec<Group> {
    let borders = &[Border::Constant(0.0)];
    let affine = Step::Affine { scale: [0.7, 1.3], translate: 0.15, rotate: 180.0, shear: 20.0, borders };
    let steps = [Step::FlipHorizontal, Step::FlipVertical, affine, Step::Crop { least: 0.3, how: crop }, Step::Invert];
    vec![Group { chance: 1.0, steps: steps.map(|step| (0.5, step)).to_vec(), shuffled: true }]
}

#[test]
fn a_view_is_a_pure_function_of_its_generator() {
    for kind in RECIPES {
        let channels = if kind == RecipeKind::Shapes { 1 } else { 3 };
        let recipe = Recipe::new(kind, 0.2);
        let make = |stream| {
            let (mut out, mut rng) = (vec![0.0; channels * 64], HostRng::new(1, stream));
            let view = recipe.view(&recipe.groups(), &picture(channels), [channels, 8, 8], &mut rng, &mut out);
            (view, out)
        };
        assert_eq!(make(1), make(1));
        assert_ne!(make(1), make(2));
        assert!(make(3).1.iter().all(|x| x.is_finite()));
    }
    let draw = |stream| View::draw(&pairs(), SIZE, &mut HostRng::new(1, stream));
    assert_eq!(draw(1), draw(1));
    assert_ne!(draw(1), draw(2));
}

/// The numbers of recorded runs: checksums of views as they were made before both labs shared this augmenter.
#[test]
fn views_are_those_of_recorded_runs() {
    let sum =
        |values: &[f32]| crc32fast::hash(&values.iter().flat_map(|x| x.to_bits().to_le_bytes()).collect::<Vec<u8>>());
    for (kind, expected) in RECIPES.into_iter().zip([480_361_168, 4_107_806_505, 4_039_920_411]) {
        let channels = if kind == RecipeKind::Shapes { 1 } else { 3 };
        let recipe = Recipe::new(kind, 0.2);
        let mut made = Vec::new();
        for stream in 0..50 {
            let mut out = vec![0.0; channels * 64];
            let mut rng = HostRng::new(5, stream);
            recipe.view(&recipe.groups(), &picture(channels), [channels, 8, 8], &mut rng, &mut out);
            made.extend(out);
        }
        assert_eq!(sum(&made), expected, "{kind:?}");
    }
    let mask = disc(SIZE, [8, 12], 8);
    let image: Vec<f32> = (0..3 * SIZE.pixels()).map(|i| (i * 37 % 251) as f32 / 250.0).collect();
    let (mut images, mut masks) = (Vec::new(), Vec::new());
    for stream in 0..100 {
        let view = View::draw(&pairs(), SIZE, &mut HostRng::new(5, stream));
        images.extend(view.image(&image, SIZE));
        for border in [MaskBorder::AsImage, MaskBorder::Background] {
            masks.extend(seen_as(&view.mask(&mask, SIZE, border)));
        }
    }
    assert_eq!((sum(&images), sum(&masks)), (4_156_270_620, 821_044_352));
}

#[test]
fn crops_lie_inside_and_keep_the_area_that_was_asked_for() {
    for kind in RECIPES {
        let groups = Recipe::new(kind, 0.08).groups();
        let mut rng = HostRng::new(3, 0);
        let (mut jittered, mut grey, mut flipped, mut least) = (0, 0, 0, f32::INFINITY);
        for _ in 0..2000 {
            let view = View::draw(&groups, Size { height: 32, width: 32 }, &mut rng);
            let Operation::Crop([x, y, w, h], _) = view.operations[0] else { panic!("{view}") };
            assert!(x >= 0.0 && y >= 0.0 && x + w <= 32.001 && y + h <= 32.001 && w >= 1.0 && h >= 1.0);
            assert!(w / h > 0.55 && w / h < 1.8, "{w}×{h}");
            least = least.min(w * h / 1024.0);
            flipped += usize::from(view.operations.get(1) == Some(&Operation::FlipHorizontal));
            for operation in &view.operations {
                match operation {
                    Operation::Hue(shift) => assert!((-0.1..0.1).contains(shift)),
                    Operation::Saturation(factor) => {
                        jittered += 1;
                        assert!((0.6..1.4).contains(factor));
                    }
                    Operation::Brightness { factor, .. } | Operation::Contrast { factor, .. } => {
                        assert!((0.6..1.4).contains(factor));
                    }
                    Operation::Grey => grey += 1,
                    _ => {}
                }
            }
        }
        assert!(least > 0.06 && least < 0.12, "{least}");
        assert!((900..1100).contains(&flipped));
        if kind != RecipeKind::Shapes {
            assert!((1530..1670).contains(&jittered), "{jittered}");
            assert!((330..470).contains(&grey), "{grey}");
        }
    }
}

#[test]
fn steps_are_drawn_as_often_as_they_should_and_within_their_ranges() {
    let mut rng = HostRng::new(2, 0);
    let (mut horizontal, mut vertical, mut affines, mut affine_first, mut all) = (0, 0, 0, 0_usize, 0_usize);
    let mut borders = [0; 5];
    for _ in 0..4000 {
        let operations = View::draw(&pairs(), SIZE, &mut rng).operations;
        horizontal += usize::from(operations.contains(&Operation::FlipHorizontal));
        vertical += usize::from(operations.contains(&Operation::FlipVertical));
        let place = operations.iter().position(|operation| matches!(operation, Operation::Affine(..)));
        affines += usize::from(place.is_some());
        if operations.len() == 3 {
            all += 1;
            affine_first += usize::from(place == Some(0));
        }
        let Some(Operation::Affine(affine, border)) = place.map(|place| &operations[place]) else { continue };
        assert!(affine.scale.iter().all(|s| (0.8..1.2).contains(s)));
        assert!(affine.translate.iter().all(|t| (-0.2..0.2).contains(t)));
        assert!((-45.0..45.0).contains(&affine.rotate) && (-16.0..16.0).contains(&affine.shear));
        let names = ["constant", "edge", "symmetric", "reflect", "wrap"];
        borders[names.iter().position(|name| *name == border.name()).unwrap()] += 1;
    }
    // Five standard errors.
    for count in [horizontal, vertical, affines] {
        assert!((1842..2158).contains(&count), "{count}");
    }
    assert!(borders.iter().all(|count| (310..490).contains(count)), "{borders:?}");
    assert!((0.22..0.45).contains(&(affine_first as f64 / all as f64)));
}

#[test]
fn image_and_mask_move_together() {
    // An image that is its own mask: where it is interpolated to more than a half, the mask is lesion.
    let mask = disc(SIZE, [8, 12], 8);
    let image = seen_as(&mask);
    let mut rng = HostRng::new(3, 0);
    let mut hidden = 0;
    for _ in 0..60 {
        let view = View::draw(&pairs(), SIZE, &mut rng);
        let (seen, labelled) = (view.image(&image, SIZE), view.mask(&mask, SIZE, MaskBorder::AsImage));
        let far = seen.iter().zip(&labelled).filter(|(seen, label)| (**seen > 0.5) != **label).count();
        assert!(far < 20, "{far} pixels, {view}");
        let background = view.mask(&mask, SIZE, MaskBorder::Background);
        assert!(background.iter().zip(&labelled).all(|(background, label)| *label || !background));
        hidden += usize::from(background != labelled);
    }
    assert!(hidden > 0, "no view showed lesion beyond the edge");
}

#[test]
fn masks_points_and_boxes_go_where_the_pixels_go() {
    let size = Size { height: 60, width: 80 };
    let centre = [30, 25];
    let mask = disc(size, centre, 7);
    let image = seen_as(&mask);
    let around = [22.5, 17.5, 37.5, 32.5];
    let (mut whole, mut cut, mut gone) = (0, 0, 0);
    for crop in [Crop::Anywhere, Crop::Tries, Crop::Clipped] {
        let mut rng = HostRng::new(4, 0);
        for _ in 0..200 {
            let groups: Vec<Group> =
                everything(crop).into_iter().map(|group| Group { steps: group.steps[..4].to_vec(), ..group }).collect();
            let view = View::draw(&groups, size, &mut rng);
            let labelled = view.mask(&mask, size, MaskBorder::AsImage);
            let seen = view.image(&image, size);
            let lesion: Vec<[f64; 2]> = (0..size.pixels())
                .filter(|&i| labelled[i])
                .map(|i| [(i % size.width) as f64, (i / size.width) as f64])
                .collect();
            let differ = (0..size.pixels()).filter(|&i| (seen[i] > 0.5) != labelled[i]).count();
            assert!(differ <= 20 + lesion.len() / 4, "{differ} of {}: {view}", lesion.len());
            let [point] = view.points(&[centre.map(|v| v as f64)], size)[..] else { panic!() };
            let [seen] = view.boxes(&[around], size, 0.0)[..] else { panic!() };
            let Some([left, top, right, bottom]) = seen else {
                assert!(lesion.is_empty(), "{view}");
                gone += 1;
                continue;
            };
            // Nearest pixels may lie half a pixel of the view beyond the box.
            let inside =
                |[x, y]: &[f64; 2]| *x >= left - 0.5 && *x <= right + 0.5 && *y >= top - 0.5 && *y <= bottom + 0.5;
            assert!(lesion.iter().all(inside), "{seen:?} does not enclose the blob: {view}");
            assert!(left >= -0.5 && top >= -0.5 && right <= 79.5 && bottom <= 59.5, "{seen:?}");
            if view.boxes(&[around], size, 1.0 - 1e-9) == [None] {
                cut += 1;
            } else {
                whole += 1;
                let count = lesion.len() as f64;
                let mean: [f64; 2] = [0, 1].map(|k| lesion.iter().map(|place| place[k]).sum::<f64>() / count);
                let point = point.unwrap();
                assert!((0..2).all(|k| (point[k] - mean[k]).abs() < 0.7), "{point:?} {mean:?} {view}");
                // Upright around a disc in any turn: no more than the diagonal of its square.
                assert!((right - left) * (bottom - top) < 4.5 * count, "{seen:?} {count} {view}");
            }
        }
    }
    assert!(whole > 200 && cut > 50 && gone > 0, "{whole} {cut} {gone}");
}

#[test]
fn boxes_are_clipped_and_dropped_by_the_share_that_is_left() {
    let size = Size { height: 10, width: 10 };
    let crop = View { operations: vec![Operation::Crop([5.0, 0.0, 5.0, 10.0], Crop::Tries)] };
    let boxes = [[2.5, -0.5, 6.5, 9.5], [-0.5, -0.5, 0.5, 0.5], [4.5, 4.5, 9.5, 9.5]];
    assert_eq!(
        crop.boxes(&boxes, size, 0.0),
        [Some([-0.5, -0.5, 3.5, 9.5]), None, Some([-0.5, 4.5, 9.5, 9.5])],
        "twice as wide, and cut at the left edge"
    );
    assert_eq!(crop.boxes(&boxes, size, 0.6)[0], None, "half of it is left");
    assert_eq!(crop.points(&[[5.0, 3.0], [4.0, 3.0]], size), [Some([0.5, 3.0]), None]);
    // What was cut away does not come back.
    let shift = Affine { translate: [0.5, 0.0], ..Affine::IDENTITY };
    let back = View { operations: vec![crop.operations[0].clone(), Operation::Affine(shift, Border::Edge)] };
    assert_eq!(back.boxes(&boxes[..1], size, 0.0), [Some([4.5, -0.5, 8.5, 9.5])]);
    assert_eq!(back.points(&[[4.0, 3.0]], size), [None]);
    let flip = View { operations: vec![Operation::FlipHorizontal] };
    assert_eq!(flip.boxes(&boxes[1..2], size, 1.0), [Some([8.5, -0.5, 9.5, 0.5])]);
    assert_eq!(View::default().boxes(&boxes, size, 1.0), boxes.map(Some));
}

#[test]
fn a_step_changes_what_it_says_and_a_view_says_what_was_done() {
    let size = Size { height: 8, width: 8 };
    let image: Vec<f32> = picture(3).iter().map(|&byte| f32::from(byte) / 255.0).collect();
    let made = |step: Step| {
        let view = View::draw(&[Group::one(1.0, step)], size, &mut HostRng::new(1, 0));
        (view.image(&image, size), view.to_string())
    };
    let (inverted, text) = made(Step::Invert);
    assert!(inverted.iter().zip(&image).all(|(a, b)| (a + b - 1.0).abs() < 1e-6) && text == "inverted");
    assert_eq!(made(Step::Brightness { factor: [0.5, 0.5], clamp: true }).1, "brightness × 0.50");
    let (grey, text) = made(Step::Grey);
    assert!((0..64).all(|i| grey[i] == grey[64 + i] && grey[i] == grey[128 + i]) && text == "grey");
    let (noisy, text) = made(Step::Noise { std: 0.05 });
    let spread = noisy.iter().zip(&image).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>() / 192.0;
    assert!((0.04..0.06).contains(&spread.sqrt()) && text == "noise 0.05", "{spread}");
    assert!(Step::Hue { shift: [0.0; 2] }.needs_colour() && !Step::Invert.needs_colour());
    // Colours leave companions where they are.
    let mask = disc(size, [3, 3], 2);
    let view = View { operations: vec![Operation::Invert, Operation::Grey] };
    assert_eq!(view.mask(&mask, size, MaskBorder::AsImage), mask);
    assert_eq!(view.boxes(&[[0.0, 0.0, 4.0, 4.0]], size, 1.0), [Some([0.0, 0.0, 4.0, 4.0])]);
}

#[test]
fn order_matters_only_to_the_affine_map() {
    let affine = || Operation::Affine(Affine { translate: [0.1, 0.0], ..Affine::IDENTITY }, Border::Edge);
    let (flip, other) = (|| Operation::FlipHorizontal, || Operation::FlipVertical);
    let image: Vec<f32> = (0..SIZE.pixels()).map(|i| i as f32).collect();
    let made = |operations: Vec<Operation>| View { operations }.image(&image, SIZE);
    assert_eq!(made(vec![flip(), other()]), made(vec![other(), flip()]));
    assert_ne!(made(vec![flip(), affine()]), made(vec![affine(), flip()]));
    assert_eq!(made(Vec::new()), image);
    assert!(made(vec![flip(), other()]).iter().eq(image.iter().rev()));
    assert_eq!(made(vec![flip(), Operation::Invert, flip()]), made(vec![Operation::Invert]));
    let upside_down: Vec<f32> = image.rchunks_exact(SIZE.width).flatten().copied().collect();
    assert_eq!(made(vec![other()]), upside_down);
}

#[test]
fn turned_crops_keep_their_shape_and_show_the_middle_of_the_cut_in_the_middle() {
    let step = Step::TurnedCrop { rotate: 15.0, least: 0.9, by_area: true };
    let groups = [Group::one(1.0, step), Group::one(0.5, Step::FlipHorizontal)];
    let mut rng = HostRng::new(1, 0);
    let middle = [(SIZE.width as f64 - 1.0) / 2.0, (SIZE.height as f64 - 1.0) / 2.0];
    let mut flipped = 0;
    for _ in 0..400 {
        let view = View::draw(&groups, SIZE, &mut rng);
        let Operation::Affine(affine, _) = view.operations[0] else { panic!("{view}") };
        flipped += view.operations.len() - 1;
        assert!(affine.rotate.abs() <= 15.0 && affine.scale[0] == affine.scale[1]);
        assert!((1.0..=0.9_f64.sqrt().recip()).contains(&affine.scale[0]));
        // Without the turn the cut lies within the picture.
        let reach = 1.0 / affine.scale[0];
        let back = affine.map(SIZE).inverse().unwrap();
        let (x, y) = back.apply(middle[0], middle[1]);
        for (at, middle, side) in [(x, middle[0], SIZE.width), (y, middle[1], SIZE.height)] {
            assert!((at - middle).abs() <= (1.0 - reach) * side as f64 / 2.0 + 1e-9, "{view}");
        }
    }
    assert!((160..240).contains(&flipped), "{flipped}");
    let shift = [1.5, -0.5];
    let (x, y) = turned_crop(10.0, 0.95, shift, SIZE).map(SIZE).apply(middle[0] + shift[0], middle[1] + shift[1]);
    assert!((x - middle[0]).abs() < 1e-9 && (y - middle[1]).abs() < 1e-9);
}

/// Views of the same 400 generators.
fn views_by(kind: RecipeKind, strengths: Strengths) -> Vec<View> {
    let groups = Recipe { strengths, ..Recipe::new(kind, 0.5) }.groups();
    (0..400).map(|stream| View::draw(&groups, SIZE, &mut HostRng::new(7, stream))).collect()
}

#[test]
fn strengths_change_what_they_name_and_nothing_else() {
    let by = Strengths::PUBLISHED;
    for kind in RECIPES {
        let plain = views_by(kind, by);
        let share = |views: &[View], is: fn(&Operation) -> bool| {
            views.iter().filter(|view| view.operations.iter().any(is)).count() as f64 / views.len() as f64
        };
        let near = |share: f64, chance: f64| (share - chance).abs() < 0.1;
        let flips: fn(&Operation) -> bool = |one| *one == Operation::FlipHorizontal;
        assert_eq!(share(&views_by(kind, Strengths { flip_chance: 0.0, ..by }), flips), 0.0);
        assert!(near(share(&views_by(kind, Strengths { flip_chance: 0.8, ..by }), flips), 0.8));
        let blurred = views_by(kind, Strengths { blur_chance: 0.3, solarise_chance: 0.6, ..by });
        assert!(near(share(&blurred, |one| matches!(one, Operation::Blur(sigma) if (0.1..2.0).contains(sigma))), 0.3));
        assert!(near(share(&blurred, |one| *one == Operation::Solarise), 0.6));
        assert_eq!(share(&plain, |one| matches!(one, Operation::Blur(_) | Operation::Solarise)), 0.0);
        // The same dice: with half the jitter every factor is half as far from 1, and crops and flips stay.
        for (half, whole) in views_by(kind, Strengths { jitter: 0.5, ..by }).iter().zip(&plain) {
            assert_eq!(half.operations.len(), whole.operations.len());
            for pair in half.operations.iter().zip(&whole.operations) {
                match pair {
                    (Operation::Brightness { factor: a, .. }, Operation::Brightness { factor: b, .. })
                    | (Operation::Contrast { factor: a, .. }, Operation::Contrast { factor: b, .. })
                    | (Operation::Saturation(a), Operation::Saturation(b)) => {
                        assert!((2.0 * (a - 1.0) - (b - 1.0)).abs() < 1e-6, "{a} {b}");
                    }
                    (Operation::Hue(a), Operation::Hue(b)) => assert!((2.0 * a - b).abs() < 1e-6, "{a} {b}"),
                    (Operation::Noise(..), Operation::Noise(..)) => {}
                    (a, b) => assert_eq!(a, b),
                }
            }
        }
        if kind == RecipeKind::Shapes {
            assert!(near(
                share(&views_by(kind, Strengths { invert_chance: 0.1, ..by }), |one| *one == Operation::Invert),
                0.1
            ));
            let noisy = views_by(kind, Strengths { noise: 0.2, ..by });
            assert_eq!(share(&noisy, |one| matches!(one, Operation::Noise(std, _) if *std == 0.2)), 1.0);
        } else {
            assert!(near(
                share(&views_by(kind, Strengths { grey_chance: 0.9, ..by }), |one| *one == Operation::Grey),
                0.9
            ));
            let hue: fn(&Operation) -> bool = |one| matches!(one, Operation::Hue(_));
            assert!(near(share(&views_by(kind, Strengths { jitter_chance: 0.2, ..by }), hue), 0.2));
        }
    }
}

#[test]
fn blur_is_a_gaussian_and_solarising_inverts_the_bright() {
    let size = Size { height: 9, width: 11 };
    let view = |operation| View { operations: vec![operation] };
    let mut dot = vec![0.0; size.pixels()];
    dot[4 * 11 + 5] = 1.0;
    let blurred = view(Operation::Blur(1.0)).image(&dot, size);
    // Cut off at 3 of them, the weights sum to 1 again.
    let sum: f32 = (-3..=3).map(|k: i32| (-0.5 * (k * k) as f32).exp()).sum();
    for (i, x) in blurred.iter().enumerate() {
        let (dx, dy) = ((i % 11) as i32 - 5, (i / 11) as i32 - 4);
        let inside = dx.abs() <= 3 && dy.abs() <= 3;
        let expected = if inside { (-0.5 * (dx * dx + dy * dy) as f32).exp() / (sum * sum) } else { 0.0 };
        assert!((x - expected).abs() < 1e-6, "{dx} {dy}: {x} {expected}");
    }
    // Beyond the edges the last pixel goes on, so a plain picture stays plain however strong the blur is.
    let plain = view(Operation::Blur(2.0)).image(&[0.3; 9 * 11 * 3], size);
    assert!(plain.iter().all(|x| (x - 0.3).abs() < 1e-6));
    let small = Size { height: 2, width: 2 };
    assert_eq!(view(Operation::Solarise).image(&[0.0, 0.25, 0.5, 0.75], small), [0.0, 0.25, 0.5, 0.25]);
    assert!(view(Operation::Blur(2.0)).image(&[0.0, 1.0, 1.0, 0.0], small).iter().all(|x| (0.0..1.0).contains(x)));
}

#[test]
fn checkpoints_of_older_versions_fit_their_recipe() {
    let recipe = Recipe::new(RecipeKind::Shapes, 0.4);
    assert_eq!(recipe.fingerprint(), "Recipe { kind: Shapes, crop_min: 0.4 }");
    let other = Recipe { strengths: Strengths { jitter: 0.5, ..Strengths::PUBLISHED }, ..recipe };
    assert!(other.fingerprint().contains("jitter: 0.5"), "{}", other.fingerprint());
    let other = Recipe { normalised_by: Some(Moments::IMAGENET), ..recipe };
    assert!(other.fingerprint().starts_with(&recipe.fingerprint()) && other.fingerprint().contains("0.485"));
}
