//! What every training run has around its networks: its steps and what is due after them, the run that a checkpoint belongs
//! to, and losses that are no longer numbers.

use burn::tensor::Device;

use crate::engine::emit::Emit;
use crate::engine::experiment::{BuildRequest, Checkpoint, RunError};
use crate::engine::params::{ParamError, Params, Value};

use super::state::{Load, Save};

/// A run as it was asked for, and how far it is.
#[derive(Debug)]
pub struct Training {
    /// The values that hold now.
    pub params: Params,
    pub seed: u64,
    /// Completed steps, and how many there will be.
    pub step: u64,
    pub steps: u64,
    /// Without autodiff.
    pub device: Device,
    /// What a checkpoint belongs to: networks, data, batches, seed.
    pub fingerprint: String,
    /// Under which name a checkpoint says so.
    kind: &'static str,
}

impl Training {
    /// `kind`: what the fingerprint tells apart, `run`.
    pub fn new(request: &BuildRequest<'_>, kind: &'static str, fingerprint: String) -> Self {
        Self {
            params: request.params.clone(),
            seed: request.seed,
            step: 0,
            steps: request.steps,
            device: request.device.clone().without_autodiff(),
            fingerprint,
            kind,
        }
    }

    /// Whether something of this cadence is due after this step: every so many steps, and after the last one.
    pub fn due(&self, every: u64, out: &Emit<'_>) -> bool {
        self.step.is_multiple_of(every.max(1)) || out.is_last()
    }

    /// The parameters with a live change; `check` refuses values that do not go together.
    pub fn with(
        &self,
        key: &str,
        value: &Value,
        check: fn(&Params) -> Result<(), ParamError>,
    ) -> Result<Params, ParamError> {
        let mut params = self.params.clone();
        params.put(key, value.clone());
        check(&params)?;
        Ok(params)
    }

    /// A checkpoint of this step and run, to be filled.
    pub fn save(&self) -> Save {
        let mut to = Save::at(self.step);
        to.put_text(self.kind, &self.fingerprint);
        to
    }

    /// Goes to a checkpoint's step, and gives the reader of what else is in it. Refuses the checkpoint of another run: one of
    /// other networks, data, batches or seed.
    pub fn load<'a>(&mut self, from: &'a Checkpoint) -> Result<Load<'a>, RunError> {
        let found = from.get_text(self.kind)?;
        if found != self.fingerprint {
            let (kind, ours) = (self.kind, &self.fingerprint);
            return Err(RunError::Checkpoint(format!("it belongs to another {kind}: {found} instead of {ours}")));
        }
        self.step = from.step;
        Ok(Load { from, device: self.device.clone() })
    }

    /// Refuses to go on where a measurement of this step is no number. `lower`: what led there.
    pub fn finite(&self, finite: bool, what: &str, lower: impl FnOnce() -> String) -> Result<(), RunError> {
        if finite {
            return Ok(());
        }
        let step = self.step;
        let happened = format!("{what} is no longer a number in step {step}: the weights have run away");
        Err(diverged(&happened, &lower()))
    }
}

/// That the numbers have left all range: what happened, and which values led there.
pub fn diverged(happened: &str, lower: &str) -> RunError {
    RunError::Diverged(format!("{happened}. Lower {lower} and start again"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compute::device;

    fn training(fingerprint: &str) -> Training {
        let (params, device) = (Params::defaults(&[]), device::cpu());
        let request = BuildRequest { params: &params, seed: 3, steps: 10, device: &device };
        Training::new(&request, "run", fingerprint.to_owned())
    }

    #[test]
    fn a_run_goes_on_from_its_own_checkpoint_and_from_no_other() {
        let mut run = training("a U-net on 7 images");
        run.step = 4;
        let checkpoint = run.save().finish().unwrap();
        let mut again = training("a U-net on 7 images");
        again.load(&checkpoint).unwrap();
        assert_eq!(again.step, 4);
        let message = training("a U-net on 8 images").load(&checkpoint).unwrap_err().to_string();
        for words in ["another run", "on 7 images instead of", "on 8 images"] {
            assert!(message.contains(words), "{message}");
        }
    }

    #[test]
    fn a_loss_that_is_no_number_ends_the_run_and_says_what_to_lower() {
        let run = training("");
        run.finite(true, "the loss", || unreachable!("nothing to lower")).unwrap();
        let message = run.finite(false, "the loss", || "the learning rate (3)".to_owned()).unwrap_err().to_string();
        assert!(message.contains("the loss is no longer a number in step 0"), "{message}");
        assert!(message.contains("Lower the learning rate (3) and start again"), "{message}");
    }
}
