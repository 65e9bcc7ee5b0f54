//! What a prediction runs on: the network on a device, and which of a folder's images and masks it is asked of.

use std::path::Path;

use super::inputs::Inputs;
use super::weights_source::WeightsSource;
use super::{Predictor, read, too_large};
use crate::compute::device::{self, DeviceChoice, Opened};
use crate::data::segmentation::choice::FolderChoice;
use crate::data::segmentation::read::{Picture, Reader as Files};
use crate::engine::params::{ParamError, Params};
use crate::kit::predict::{PredictError, guarded, real};
use crate::pixels::fit::Fit;

use super::super::params::{ANNOTATOR, FOLDER, FROM_FOLDER, IMAGES_IN, LABELS, LEAVE_OUT, MASKS_IN, PARAMS, mapping};
use super::super::source::folder_choice;

/// A probability of a graphics adapter may be so far from the CPU's.
const MOST_APART: f32 = 0.01;

/// Which images and masks of the folder `data` are wanted: as `asked`, and of the run's own folder else as the run had it.
///
/// # Errors
/// A pattern that cannot be used.
pub fn wanted(of_run: &Params, asked: &Params, data: &Path) -> Result<FolderChoice, ParamError> {
    let own = FROM_FOLDER.get(of_run) == Some(true) && real(Path::new(FOLDER.of(of_run))) == real(data);
    let mut params = if own { of_run.clone() } else { Params::defaults(PARAMS) };
    for key in [ANNOTATOR.key(), LEAVE_OUT.key(), LABELS.key(), IMAGES_IN.key(), MASKS_IN.key()] {
        if let Some(value) = asked.get(key) {
            params.set(PARAMS, key, value.clone())?;
        }
    }
    mapping(&params)?;
    Ok(folder_choice(&params))
}

/// The network on the chosen device, with what there is to say of it. A graphics adapter is first held against the CPU, with the
/// first picture that can be read.
///
/// # Errors
/// The device was chosen by name and cannot be had, breaks off or computes something else.
pub fn predictor(
    source: &WeightsSource,
    choice: &DeviceChoice,
    inputs: &Inputs,
    files: &Files,
) -> Result<(Predictor, Vec<String>), PredictError> {
    let opened = device::open(choice).map_err(PredictError::input)?;
    let told = |opened: &Opened| format!("device: {}", opened.name);
    if !opened.is_gpu {
        return Ok((on(source, &opened)?, vec![told(&opened)]));
    }
    let on_cpu = on(source, &device::open(&DeviceChoice::Cpu).map_err(PredictError::input)?)?;
    let compared = guarded(|| {
        let on_gpu = on(source, &opened)?;
        let apart = apart(&on_gpu, &on_cpu, source.pipeline().fit, inputs, files)?;
        Ok::<_, PredictError>((on_gpu, apart))
    });
    let problem = match compared {
        Ok((on_gpu, None)) => return Ok((on_gpu, vec![told(&opened)])),
        Ok((on_gpu, Some(most))) if most <= MOST_APART => {
            let line =
                format!("{}; on the first picture at most {most:.1e} from the CPU's probabilities", told(&opened));
            return Ok((on_gpu, vec![line]));
        }
        Ok((_, Some(most))) => format!("its probabilities are up to {most:.2} from the CPU's on the first picture"),
        Err(problem) => problem,
    };
    let problem = format!("{} is not used: {problem}", opened.name);
    match choice {
        DeviceChoice::Automatic => {
            Ok((on_cpu, vec![format!("device: {}", device::CPU_NAME), format!("warning: {problem}")]))
        }
        _ => Err(PredictError::Work(problem)),
    }
}

fn on(source: &WeightsSource, opened: &Opened) -> Result<Predictor, PredictError> {
    let net = source.build(&opened.device)?;
    let predictor = Predictor::new(net, source.spec, source.image_size, opened.device.clone());
    Ok(predictor.map_err(PredictError::input)?.of_output(source.output))
}

/// The largest difference of two devices' probabilities of the first picture that can be read; `None`: there is none.
fn apart(
    one: &Predictor,
    other: &Predictor,
    fit: Fit,
    inputs: &Inputs,
    files: &Files,
) -> Result<Option<f32>, PredictError> {
    let usable = inputs.items.iter().filter(|item| !item.broken);
    let small = |picture: &Picture| too_large(picture, fit, one.size()).is_none();
    let first = usable.take(8).find_map(|item| read(item, files).ok().filter(|(picture, ..)| small(picture)));
    let Some((picture, ..)) = first else { return Ok(None) };
    let [one, other] = [one, other].map(|predictor| predictor.probabilities(&picture, fit).map_err(PredictError::work));
    Ok(Some(largest(&one?, &other?)))
}

/// The largest difference; infinite where one is no number.
fn largest(one: &[f32], other: &[f32]) -> f32 {
    let apart = |(a, b): (&f32, &f32)| if (a - b).is_nan() { f32::INFINITY } else { (a - b).abs() };
    one.iter().zip(other).map(apart).fold(0.0, f32::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_read_as_its_run_had_it_and_another_as_it_comes() {
        let folder = tempfile::tempdir().unwrap();
        let set = |texts: &[&str]| {
            let mut params = Params::default();
            texts.iter().for_each(|text| params.set_text(PARAMS, text).unwrap());
            params
        };
        let mut of_run = Params::defaults(PARAMS);
        let data = format!("data={}", folder.path().display());
        for text in ["source=folder", &data, "annotator=2", "leave_out=normal"] {
            of_run.set_text(PARAMS, text).unwrap();
        }
        let own = wanted(&of_run, &set(&[]), &folder.path().join(".")).unwrap();
        assert_eq!((own.annotator, &*own.leave_out), (2, &["normal".to_owned()][..]));
        let asked = set(&["annotator=3", "images_in=a", "masks_in=b"]);
        let own = wanted(&of_run, &asked, folder.path()).unwrap();
        assert_eq!((own.annotator, own.mapping.is_some(), own.leave_out.len()), (3, true, 1));
        let elsewhere = tempfile::tempdir().unwrap();
        assert_eq!(wanted(&of_run, &set(&[]), elsewhere.path()).unwrap(), FolderChoice::default());
        let problem = wanted(&of_run, &set(&["images_in=a"]), elsewhere.path()).unwrap_err().to_string();
        assert!(problem.contains("`masks_in`"), "{problem}");
    }

    #[test]
    fn what_is_no_number_is_apart() {
        assert_eq!(largest(&[0.5, 0.25], &[0.5, 0.5]), 0.25);
        assert_eq!(largest(&[0.5, f32::NAN], &[0.5, 0.5]), f32::INFINITY);
    }
}
