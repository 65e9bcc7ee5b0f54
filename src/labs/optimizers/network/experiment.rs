//! The training itself.

use burn::tensor::{Device, Tensor, TensorData};

use crate::compute::readback::Reader;
use crate::compute::streams;
use crate::data::points::{PointSet, split};
use crate::engine::emit::Emit;
use crate::engine::event::{Level, Payload};
use crate::engine::experiment::{BuildRequest, Checkpoint, Experiment, RunError};
use crate::engine::params::{ParamError, Params, Value};
use crate::kit::batches::{Last, Order};
use crate::kit::training::{Training, diverged};
use crate::landscape::{Block, Network};
use crate::nn::materialise;
use crate::nn::mlp::{Layer, Mlp, MlpShape, cross_entropy, one_hot};
use crate::nn::parameters::Role;

use super::super::rules::Hyper;
use super::article::Article;
use super::burn_rules::{Driven, driven};
use super::features::{self, Feature, Inputs};
use super::measure::{BOUNDARY, EVALUATED, MOST_WEIGHTS, Measured, extent, upload_inputs};
use super::penalty::Penalty;
use super::roster::{Entry, Kind, ROSTER, enabled};
use super::source;
use crate::labs::optimizers::params::{ACTIVATION, HIDDEN, LAYERS, REGULARISATION, REGULARISATION_RATE, TEST_FRACTION};

/// A run of several optimizers on copies of one network.
struct NetworkRun {
    training: Training,
    shape: MlpShape,
    hyper: Hyper,
    trainees: Vec<Trainee>,
    batches: Order,
    /// What is added to the trained loss for the size of the weights.
    penalty: Option<Penalty>,
    /// What the network sees of each training point, `[N, F]`.
    inputs: Vec<f32>,
    /// In the data's own units, for the pictures.
    train: PointSet,
    test: PointSet,
    measured_train: Measured,
    measured_test: Measured,
    grid: Measured,
    /// What the user should know of the points.
    notes: Vec<String>,
}

/// One optimizer and its copy of the network.
struct Trainee {
    entry: Entry,
    /// `[1, P]`
    theta: Tensor<2>,
    method: Method,
    /// The step at which its loss was no longer a number.
    stopped: Option<u64>,
}

enum Method {
    Article(Article),
    Burn(Box<dyn Driven>),
}

/// Builds the run; see [`crate::engine::experiment::BuildFn`].
pub fn build(request: &BuildRequest<'_>) -> Result<Box<dyn Experiment>, RunError> {
    Ok(Box::new(NetworkRun::new(request)?))
}

/// Loss of each copy `[K]` and its gradients `[K, P]` at `theta` `[K, P]`, on points `[1, N, 2]` with labels
/// `[1, N, C]`: the mean cross-entropy of each copy, one backward pass for all.
pub fn gradients(shape: &MlpShape, theta: &Tensor<2>, x: Tensor<3>, y: Tensor<3>) -> (Tensor<1>, Tensor<2>) {
    let points = x.dims()[1];
    let model = Mlp::from_flat(shape, theta, true);
    let loss = cross_entropy(model.forward(x), y) / points as f64;
    // The copies share nothing, so the gradient of the sum is each copy's own gradient.
    let mut found = loss.clone().sum().backward();
    (loss.inner(), model.flat_gradients(&mut found))
}

impl NetworkRun {
    fn new(request: &BuildRequest<'_>) -> Result<Self, RunError> {
        let params = request.params;
        source::check(params)?;
        let set = source::points(params, request.seed)?;
        let (train, test) = split(&set, TEST_FRACTION.of(params), request.seed);
        let inputs = Inputs::new(params, &train.xy);
        let shape = shape(params, set.class_names.len());
        let entries: Vec<Entry> = enabled(params).into_iter().map(|i| ROSTER[i]).collect();

        let training = Training::new(request, "network", fingerprint(params, &entries, &shape, &set));
        let device = &training.device;
        let initial = TensorData::new(shape.initial(request.seed), [1, shape.parameters()]);
        let theta = Tensor::<2>::from_data(initial, device);
        materialise(&Mlp::from_flat(&shape, &theta, false))?;
        let trainees = entries.iter().map(|entry| Trainee::new(*entry, theta.clone(), &shape, device)).collect();

        let measured = |set: &PointSet| {
            let count = set.len().min(EVALUATED);
            Measured::upload(&set.xy[..count], &set.classes[..count], &inputs, &shape, entries.len(), device)
        };
        let size = source::batch_size(params, train.len());
        let cells = extent(&train.xy, &test.xy).grid(BOUNDARY, BOUNDARY);
        Ok(Self {
            hyper: Hyper::of(params),
            trainees,
            batches: Order::new((0..train.len()).collect(), size, Last::Drop, request.seed, streams::POINTS_ORDER),
            notes: source::notes(params, &train)?,
            penalty: Penalty::of(params, &shape, device),
            inputs: inputs.of(&train.xy),
            measured_train: measured(&train),
            measured_test: measured(&test),
            grid: Measured::upload(&cells, &[], &inputs, &shape, entries.len(), device),
            train,
            test,
            shape,
            training,
        })
    }

    fn active(&self) -> impl Iterator<Item = &Trainee> {
        self.trainees.iter().filter(|trainee| trainee.stopped.is_none())
    }

    /// Indices of the trainees that go on.
    fn going(&self) -> Vec<usize> {
        (0..self.trainees.len()).filter(|&i| self.trainees[i].stopped.is_none()).collect()
    }

    /// One update of every optimizer on the same mini-batch.
    fn train(&mut self) {
        let batch = self.batches.of(self.training.step);
        let features = self.shape.sizes[0];
        let seen = batch.iter().flat_map(|&i| self.inputs[i * features..(i + 1) * features].iter().copied());
        let x = upload_inputs(seen.collect(), features, &self.training.device);
        let classes: Vec<u32> = batch.iter().map(|&i| self.train.classes[i]).collect();
        let y = Tensor::from_data(one_hot(&classes, self.shape.classes()), &self.training.device);
        let going = self.going();
        let points = Tensor::cat(going.iter().map(|&i| self.trainees[i].gradient_at(&self.hyper)).collect(), 0);
        let (_, mut g) = gradients(&self.shape, &points, x, y);
        if let Some(penalty) = &self.penalty {
            g = g + penalty.gradient(points);
        }
        self.training.step += 1;
        for (row, &i) in going.iter().enumerate() {
            let g = g.clone().slice([row..row + 1, 0..self.shape.parameters()]);
            self.trainees[i].update(&self.hyper, self.training.step, g);
        }
    }

    /// Measures what is wanted now, with one read for everything; an optimizer whose loss is no longer a number stops.
    fn measure(&mut self, out: &mut Emit<'_>) -> Result<(), RunError> {
        let going = self.going();
        let Some(&first) = going.first() else { return Ok(()) };
        let id = self.trainees[first].entry.id;
        let wants = |family: &str| out.wants(&format!("{family}/{id}"));
        let (loss_train, accuracy_train) = (wants("loss/train"), wants("accuracy/train"));
        let (loss_test, accuracy_test) = (wants("loss/test"), wants("accuracy/test"));
        let boundary = wants("boundary");
        let weights = wants("weights") && self.shape.parameters() <= MOST_WEIGHTS;
        if !(loss_train || accuracy_train || loss_test || accuracy_test || boundary || weights) {
            return Ok(());
        }
        let theta = Tensor::cat(self.active().map(|trainee| trainee.theta.clone()).collect(), 0);
        let model = Mlp::from_flat(&self.shape, &theta, false);
        let mut reader = Reader::default();
        let mut score = |set: &Measured, wanted: bool, with_accuracy: bool| {
            if !wanted {
                return (None, None);
            }
            let (loss, accuracy) = set.score(&model, with_accuracy);
            (Some(reader.add(loss)), accuracy.map(|accuracy| reader.add(accuracy)))
        };
        // The training loss also tells who has diverged.
        let train = score(&self.measured_train, true, accuracy_train);
        let test = score(&self.measured_test, loss_test || accuracy_test, accuracy_test);
        let picture = boundary.then(|| reader.add(self.grid.decision(&model)));
        let weights = weights.then(|| reader.add(theta));
        let read = reader.read()?;

        for (row, &i) in going.iter().enumerate() {
            let trainee = &mut self.trainees[i];
            let id = trainee.entry.id;
            if !train.0.is_some_and(|at| read[at][row].is_finite()) {
                trainee.stopped = Some(self.training.step);
                out.notice(
                    Level::Warning,
                    stopped(&trainee.entry, self.training.step, trainee.entry.hyper(&self.hyper).learning_rate),
                );
                continue;
            }
            let families = [
                ("loss/train", train.0),
                ("accuracy/train", train.1),
                ("loss/test", test.0),
                ("accuracy/test", test.1),
            ];
            for (family, at) in families {
                if let Some(at) = at {
                    out.scalar(&format!("{family}/{id}"), f64::from(read[at][row]));
                }
            }
            if let Some(at) = picture {
                let cells = BOUNDARY * BOUNDARY;
                let values = read[at][row * cells..(row + 1) * cells].to_vec();
                let (rows, cols) = (BOUNDARY as u32, BOUNDARY as u32);
                out.payload(&format!("boundary/{id}"), Payload::Matrix { rows, cols, values });
            }
            if let Some(at) = weights {
                let count = self.shape.parameters();
                let values = read[at][row * count..(row + 1) * count].to_vec();
                out.payload(&format!("weights/{id}"), Payload::Matrix { rows: 1, cols: count as u32, values });
            }
        }
        if self.active().next().is_none() {
            let step = self.training.step;
            let happened = format!("every optimizer has diverged by step {step}: no loss is a number any more");
            return Err(diverged(&happened, &format!("the learning rate η (now {:?})", self.hyper.learning_rate)));
        }
        Ok(())
    }
}

impl Experiment for NetworkRun {
    fn begin(&mut self, out: &mut Emit<'_>) -> Result<(), RunError> {
        for (key, set) in [("points/train", &self.train), ("points/test", &self.test)] {
            out.payload(key, Payload::Points { xy: set.xy.clone(), classes: set.classes.clone() });
            if set.len() > EVALUATED {
                let name = key.trim_start_matches("points/");
                out.notice(
                    Level::Info,
                    format!("the {name} set has {} points; its loss is measured on {EVALUATED} of them", set.len()),
                );
            }
        }
        out.payload("points/classes", Payload::Text(self.train.class_names.join("\n")));
        if self.train.origin != [0.0; 2] {
            out.payload("points/origin", Payload::Series(self.train.origin.to_vec()));
        }
        for note in &self.notes {
            out.notice(Level::Warning, note.clone());
        }
        self.measure(out)
    }

    fn step(&mut self, out: &mut Emit<'_>) -> Result<(), RunError> {
        self.train();
        self.measure(out)
    }

    fn set(&mut self, key: &str, value: &Value) -> Result<(), ParamError> {
        match value {
            Value::Float(rate) if key == REGULARISATION_RATE.key() => {
                // Without regularisation it has no effect.
                self.penalty.iter_mut().for_each(|penalty| penalty.rate = *rate);
                Ok(())
            }
            value => self.hyper.set(key, value),
        }
    }

    fn checkpoint(&mut self) -> Result<Checkpoint, RunError> {
        let mut to = self.training.save();
        self.hyper.save(&mut to.host);
        if let Some(penalty) = &self.penalty {
            to.host.put_f64(REGULARISATION_RATE.key(), vec![penalty.rate]);
        }
        for trainee in &self.trainees {
            let id = trainee.entry.id;
            to.put_tensor(format!("{id}/weights"), &trainee.theta);
            match &trainee.method {
                Method::Article(article) => {
                    for (i, state) in article.state.iter().enumerate() {
                        to.put_tensor(format!("{id}/state/{i}"), state);
                    }
                }
                Method::Burn(rule) => rule.save(&format!("{id}/state"), &mut to.host)?,
            }
            if let Some(step) = trainee.stopped {
                to.put_text(format!("{id}/stopped"), step);
            }
        }
        to.finish()
    }

    fn restore(&mut self, from: &Checkpoint) -> Result<(), RunError> {
        let load = self.training.load(from)?;
        let shape = [1, self.shape.parameters()];
        for trainee in &mut self.trainees {
            let id = trainee.entry.id;
            trainee.theta = load.tensor(&format!("{id}/weights"), shape)?;
            match &mut trainee.method {
                Method::Article(article) => {
                    for (i, state) in article.state.iter_mut().enumerate() {
                        *state = load.tensor(&format!("{id}/state/{i}"), shape)?;
                    }
                }
                Method::Burn(rule) => rule.load(&format!("{id}/state"), from, &load.device)?,
            }
            let stopped = format!("{id}/stopped");
            trainee.stopped = from.text.contains_key(&stopped).then(|| load.text(&stopped)).transpose()?;
        }
        self.hyper = Hyper::restored(from, self.hyper.choices)?;
        if let Some(penalty) = &mut self.penalty {
            penalty.rate = from.get_f64(REGULARISATION_RATE.key(), 1)?[0];
        }
        Ok(())
    }

    fn networks(&mut self) -> Result<Vec<Network>, RunError> {
        let count = self.train.len().min(LANDSCAPE_POINTS);
        let features = self.shape.sizes[0];
        let x = upload_inputs(self.inputs[..count * features].to_vec(), features, &self.training.device);
        let y = one_hot(&self.train.classes[..count], self.shape.classes());
        let y = Tensor::<3>::from_data(y, &self.training.device);
        let mut reader = Reader::default();
        for trainee in &self.trainees {
            reader.add(trainee.theta.clone());
        }
        let read = reader.read()?;
        let network = |(trainee, weights): (&Trainee, Vec<f32>)| {
            let (shape, x, y, device) = (self.shape.clone(), x.clone(), y.clone(), self.training.device.clone());
            let evaluate = move |weights: &[f32], with_gradient: bool| {
                let theta = Tensor::from_data(TensorData::new(weights.to_vec(), [1, weights.len()]), &device);
                let mut reader = Reader::default();
                if with_gradient {
                    let (loss, g) = gradients(&shape, &theta, x.clone(), y.clone());
                    reader.add(loss);
                    reader.add(g);
                } else {
                    let model = Mlp::from_flat(&shape, &theta, false);
                    reader.add(cross_entropy(model.forward(x.clone()), y.clone()) / count as f64);
                }
                let mut read = reader.read()?.into_iter();
                let loss = read.next().and_then(|loss| loss.first().copied()).unwrap_or(f32::NAN);
                Ok((f64::from(loss), read.next().unwrap_or_default()))
            };
            Network {
                id: trainee.entry.id.to_owned(),
                title: trainee.entry.title.to_owned(),
                blocks: blocks(&self.shape),
                weights,
                about: "the mean cross-entropy of the training points, without regularisation",
                rate: Some(trainee.entry.hyper(&self.hyper).learning_rate),
                evaluate: Box::new(evaluate),
            }
        };
        Ok(self.trainees.iter().zip(read).map(network).collect())
    }
}

/// The parameters of one copy in the order of [`Mlp::from_flat`].
fn blocks(shape: &MlpShape) -> Vec<Block> {
    let layer = |(i, layer): (usize, Layer)| {
        let block = |name: &str, role, shape| Block { name: format!("layer{}.{name}", i + 1), role, shape };
        let Layer { inputs, outputs, .. } = layer;
        [block("weight", Role::Weight, vec![inputs, outputs]), block("bias", Role::Bias, vec![outputs])]
    };
    shape.layers().enumerate().flat_map(layer).collect()
}

/// A landscape is that of the first so many training points, which are shuffled.
const LANDSCAPE_POINTS: usize = 2_000;

impl Trainee {
    fn new(entry: Entry, theta: Tensor<2>, shape: &MlpShape, device: &Device) -> Self {
        let method = match entry.kind {
            Kind::Article(rule) => Method::Article(Article::new(rule, shape.parameters(), device)),
            Kind::Burn(rule) => Method::Burn(driven(rule)),
        };
        Self { entry, theta, method, stopped: None }
    }

    /// Where its next gradient is taken, `[1, P]`.
    fn gradient_at(&self, hyper: &Hyper) -> Tensor<2> {
        match &self.method {
            Method::Article(article) => article.gradient_at(hyper, &self.theta),
            Method::Burn(_) => self.theta.clone(),
        }
    }

    /// Its `k`-th update with gradient `[1, P]`.
    fn update(&mut self, hyper: &Hyper, k: u64, g: Tensor<2>) {
        let (theta, hyper) = (self.theta.clone(), self.entry.hyper(hyper));
        self.theta = match &mut self.method {
            Method::Article(article) => article.update(&hyper, k, theta, g),
            Method::Burn(rule) => rule.update(&hyper, theta, g),
        };
    }
}

/// The network of these parameters, for so many classes.
pub fn shape(params: &Params, classes: usize) -> MlpShape {
    let inputs = features::enabled(params).len();
    MlpShape::new(inputs, HIDDEN.of(params) as usize, LAYERS.of(params) as usize, classes, ACTIVATION.of(params))
}

/// Names what the weights belong to: who trains, which network, which points; and which features and what penalty, where
/// they are not those of a fresh form.
fn fingerprint(params: &Params, entries: &[Entry], shape: &MlpShape, set: &PointSet) -> String {
    let mut hash = crc32fast::Hasher::new();
    for (xy, class) in set.xy.iter().zip(&set.classes) {
        hash.update(&xy[0].to_le_bytes());
        hash.update(&xy[1].to_le_bytes());
        hash.update(&class.to_le_bytes());
    }
    let ids: Vec<&str> = entries.iter().map(|entry| entry.id).collect();
    let sizes: Vec<String> = shape.sizes.iter().map(ToString::to_string).collect();
    let mut text = format!(
        "{} {:?} on {} points {:08x}, trained by {}",
        sizes.join("-"),
        shape.activation,
        set.len(),
        hash.finalize(),
        ids.join(", ")
    );
    let features = features::enabled(params);
    if features != Feature::DEFAULT {
        let titles: Vec<&str> = features.into_iter().map(Feature::title).collect();
        text.push_str(&format!(", seen as {}", titles.join(", ")));
    }
    if let Some(norm) = REGULARISATION.of(params) {
        text.push_str(&format!(", {norm:?} regularised"));
    }
    text
}

fn stopped(entry: &Entry, step: u64, eta: f64) -> String {
    format!(
        "{} has diverged at step {step}: its loss is no longer a number. It stops here, the others go on; lower the \
         learning rate η (now {eta}) and start again",
        entry.title
    )
}
