//! Every parameter of the lab, in the order of the form.

use crate::engine::params::{DefaultValue, ParamKind, ParamSpec};
use crate::engine::table::{choice, fixed, spec, unit, when};

const fn rate(key: &'static str, label: &'static str, help: &'static str) -> ParamSpec {
    let kind = ParamKind::Float { min: 0.0, max: 10.0, log: true };
    spec("Learning rates and decay", key, label, kind, DefaultValue::Float(0.15), help)
}

const fn decay(key: &'static str, label: &'static str, help: &'static str) -> ParamSpec {
    let kind = ParamKind::Float { min: 0.0, max: 1.0, log: true };
    spec("Learning rates and decay", key, label, kind, DefaultValue::Float(0.005), help)
}

const DIRECT: &[&str] = &["directpred", "directcopy"];

/// Every parameter, in the order of the form.
pub static PARAMS: &[ParamSpec] = &[
    spec(
        "Method",
        "predictor_rule",
        "predictor by",
        ParamKind::Choice(&[
            choice("gradient", "gradient descent"),
            choice("directpred", "DirectPred"),
            choice("directcopy", "DirectCopy"),
        ]),
        DefaultValue::Choice("gradient"),
        "Gradient descent: BYOL, SimSiam, the SGD baseline. DirectPred sets Wp from the eigenvalues of F, DirectCopy \
         from F itself.",
    ),
    fixed(spec(
        "Method",
        "predictor_layers",
        "predictor layers",
        ParamKind::Choice(&[choice("one", "one matrix"), choice("two", "two layers")]),
        DefaultValue::Choice("one"),
        "One matrix Wp; or linear, batch normalisation, ReLU, linear, shown through its linear product W2 W1.",
    )),
    when(
        spec(
            "Method",
            "predictor_map",
            "Wp of two layers",
            ParamKind::Choice(&[choice("product", "W2 W1 (the paper's)"), choice("fitted", "fitted to its outputs")]),
            DefaultValue::Choice("product"),
            "What is shown as Wp. The product leaves out bias, normalisation and ReLU; the fit is the linear map that \
             comes closest to the predictor's outputs on this batch.",
        ),
        "predictor_layers",
        &["two"],
    ),
    spec(
        "Method",
        "symmetry",
        "symmetry regularisation",
        ParamKind::Switch,
        DefaultValue::Switch(false),
        "After each update: one layer W ← (W + Wᵀ)/2; two layers are tied, W1 ← (W1 + W2ᵀ)/2 and W2 ← W1ᵀ, which \
         forces W2 W1 to be symmetric without negative eigenvalues.",
    ),
    spec(
        "Method",
        "target",
        "target network",
        ParamKind::Choice(&[choice("ema", "moving average (BYOL)"), choice("online", "the online network (SimSiam)")]),
        DefaultValue::Choice("ema"),
        "Where the target's weights come from. Its gradient is always stopped.",
    ),
    when(
        spec(
            "Method",
            "tau",
            "average τ",
            ParamKind::Float { min: 0.0, max: 1.0, log: false },
            DefaultValue::Float(0.95),
            "θ_target ← θ_target + (1 − τ)(θ − θ_target) after each update. The paper uses 0.996.",
        ),
        "target",
        &["ema"],
    ),
    when(
        spec(
            "Method",
            "tau_schedule",
            "schedule of τ",
            ParamKind::Choice(&[choice("fixed", "fixed"), choice("cosine", "cosine to 1")]),
            DefaultValue::Choice("fixed"),
            "Cosine: τ_k = 1 − (1 − τ)(cos(πk/K) + 1)/2, as in the BYOL paper.",
        ),
        "target",
        &["ema"],
    ),
    fixed(spec(
        "Method",
        "target_init",
        "target starts as",
        ParamKind::Choice(&[choice("copy", "a copy"), choice("independent", "another random network")]),
        DefaultValue::Choice("copy"),
        "The replication copies the online weights; the original authors' code leaves the target's own random ones.",
    )),
    spec(
        "Method",
        "loss_scale",
        "loss scale",
        ParamKind::Choice(&[
            choice("0.5", "½ (SimSiam)"),
            choice("1", "1 (the paper)"),
            choice("2", "2 (original authors' code)"),
        ]),
        DefaultValue::Choice("1"),
        "Factor of −cos(p1, t2) − cos(p2, t1). It acts like a factor of the learning rate.",
    ),
    when(
        spec(
            "DirectPred",
            "direct_mode",
            "eigenvalues",
            ParamKind::Choice(&[
                choice("normalised", "√(λ/λmax) + ε (both codes)"),
                choice("eq5", "√λ + ε λmax (equation 5)"),
                choice("replication", "the replication's, with its clip"),
            ]),
            DefaultValue::Choice("normalised"),
            "The paper's equation 5 and the two codes differ; a global factor is lost in the cosine loss, the ratio of \
             ε is not.",
        ),
        "predictor_rule",
        &["directpred"],
    ),
    when(
        unit(
            spec(
                "DirectPred",
                "direct_every",
                "set Wp every",
                ParamKind::Int { min: 1, max: 1000 },
                DefaultValue::Int(1),
                "In between, gradient descent moves Wp. DirectPred₅ is 5.",
            ),
            "steps",
        ),
        "predictor_rule",
        DIRECT,
    ),
    when(
        spec(
            "DirectPred",
            "direct_epsilon",
            "ε",
            ParamKind::Float { min: 0.0, max: 2.0, log: true },
            DefaultValue::Float(0.1),
            "Lifts all eigenvalues of Wp. DirectPred 0.1, DirectCopy 0.3.",
        ),
        "predictor_rule",
        DIRECT,
    ),
    spec(
        "Correlation F",
        "f_memory",
        "memory ρ",
        ParamKind::Float { min: 0.0, max: 0.999, log: false },
        DefaultValue::Float(0.3),
        "F ← ρ F + (1 − ρ) C with the correlation C of this batch's projector outputs; it starts as the first batch's.",
    ),
    spec(
        "Correlation F",
        "f_centred",
        "without the mean",
        ParamKind::Switch,
        DefaultValue::Switch(false),
        "F − m mᵀ with the running mean m. Without it the top eigenvector is mostly the mean.",
    ),
    spec(
        "Correlation F",
        "f_product",
        "product",
        ParamKind::Choice(&[
            choice("within", "within a view (the code)"),
            choice("cross", "across views (equation 7)"),
        ]),
        DefaultValue::Choice("within"),
        "Equation 7 prints Z1 Z2ᵀ; the code averages Z1 Z1ᵀ and Z2 Z2ᵀ. Across views is made symmetric.",
    ),
    rate("rate_encoder", "α, encoder", "Learning rate of the encoder. The paper uses 0.03."),
    rate("rate_projector", "α, projector", "Learning rate of the projector. The paper: the encoder's."),
    rate(
        "rate_predictor",
        "α_pred, predictor",
        "Learning rate of the predictor; in the theory a larger one shrinks the basin of collapse.",
    ),
    decay(
        "decay_encoder",
        "η, encoder",
        "Weight decay of the encoder, as coupled L2: g ← g + η w. The paper uses 0.0004.",
    ),
    decay(
        "decay_projector",
        "η, projector",
        "Weight decay of the projector. The replication's configuration behind Table 3 zeroes the encoder's decay and keeps this one.",
    ),
    decay(
        "decay_predictor",
        "η_pred, predictor",
        "Weight decay of the predictor. It removes what is antisymmetric in Wp.",
    ),
    spec(
        "Learning rates and decay",
        "momentum",
        "momentum μ",
        ParamKind::Float { min: 0.0, max: 0.999, log: false },
        DefaultValue::Float(0.9),
        "v ← μ v + g; w ← w − α v.",
    ),
    spec(
        "Learning rates and decay",
        "decay_scope",
        "what decays",
        ParamKind::Choice(&[
            choice("weights", "weights"),
            choice("weights_norms", "weights and normalisation (replication)"),
            choice("all", "everything (original authors' code)"),
        ]),
        DefaultValue::Choice("weights"),
        "Which parameters the decay pulls to zero. It decides much: with decay on biases and normalisation too, plain \
         SimSiam at the default rates collapses for most seeds.",
    ),
    fixed(spec(
        "Network",
        "network",
        "encoder",
        ParamKind::Choice(&[choice("small", "three convolutions"), choice("resnet18", "ResNet-18 for 32×32")]),
        DefaultValue::Choice("small"),
        "Small: 64 features, projector 64-128-64. ResNet-18: 512 features, projector 512-512-128.",
    )),
    fixed(spec(
        "Network",
        "init",
        "initial weights",
        ParamKind::Choice(&[choice("torch", "PyTorch's layers' default"), choice("glorot", "Glorot (Keras' default)")]),
        DefaultValue::Choice("torch"),
        "How weights are drawn before the first step.",
    )),
    fixed(spec(
        "Data",
        "source",
        "pictures",
        ParamKind::Choice(&[
            choice("shapes", "generated shapes"),
            choice("cifar10", "CIFAR-10"),
            choice("folder", "folder of class folders"),
        ]),
        DefaultValue::Choice("shapes"),
        "What the network sees. Classes are used to judge the features only, never to train.",
    )),
    fixed(when(
        spec("Data", "data", "folder", ParamKind::Folder, DefaultValue::Path(""), "Where the pictures are."),
        "source",
        &["cifar10", "folder"],
    )),
    fixed(when(
        unit(
            spec(
                "Data",
                "image_size",
                "image size",
                ParamKind::Int { min: 8, max: 128 },
                DefaultValue::Int(32),
                "Pictures of a folder are cropped to their central square and resized to this.",
            ),
            "pixels",
        ),
        "source",
        &["folder"],
    )),
    fixed(when(
        spec(
            "Data",
            "train_images",
            "training pictures",
            ParamKind::Int { min: 16, max: 100_000 },
            DefaultValue::Int(4000),
            "How many shapes are generated to train on; 1000 more are tested on.",
        ),
        "source",
        &["shapes"],
    )),
    fixed(spec(
        "Data",
        "data_seed",
        "data seed",
        ParamKind::Int { min: 0, max: 1_000_000 },
        DefaultValue::Int(1),
        "Defines the generated shapes, the split of a folder and which pictures are measured. The run's own seed \
         defines weights, batches and views.",
    )),
    fixed(spec(
        "Data",
        "batch_size",
        "batch size",
        ParamKind::Int { min: 2, max: 4096 },
        DefaultValue::Int(128),
        "Pictures per step, two views each. The last, incomplete batch of an epoch is dropped.",
    )),
    fixed(spec(
        "Data",
        "views",
        "views",
        ParamKind::Choice(&[
            choice("auto", "as the pictures need"),
            choice("shapes", "for shapes: crop, flip, inversion, contrast, noise"),
            choice("torchvision", "for colour, original authors' code"),
            choice("replication", "for colour, replication's code"),
        ]),
        DefaultValue::Choice("auto"),
        "How two views are made of one picture.",
    )),
    fixed(spec(
        "Data",
        "crop_min",
        "smallest crop",
        ParamKind::Float { min: 0.0, max: 1.0, log: false },
        DefaultValue::Float(0.0),
        "Smallest share of the area that a crop keeps; 0: the recipe's own (shapes 0.4, colour 0.08).",
    )),
    fixed(unit(
        spec(
            "Run",
            "steps",
            "steps",
            ParamKind::Int { min: 1, max: 10_000_000 },
            DefaultValue::Int(700),
            "Number of updates. The paper's 100 epochs of CIFAR-10 are 39,000.",
        ),
        "steps",
    )),
    unit(
        spec(
            "Run",
            "loss_every",
            "loss every",
            ParamKind::Int { min: 1, max: 10_000 },
            DefaultValue::Int(5),
            "How often the loss is read from the device.",
        ),
        "steps",
    ),
    unit(
        spec(
            "Run",
            "analysis_every",
            "eigenspaces every",
            ParamKind::Int { min: 1, max: 100_000 },
            DefaultValue::Int(10),
            "How often Wp and F are analysed, in f64 on the CPU.",
        ),
        "steps",
    ),
    unit(
        spec(
            "Run",
            "probe_every",
            "kNN and probe every",
            ParamKind::Int { min: 1, max: 1_000_000 },
            DefaultValue::Int(50),
            "How often the features of test pictures are judged with their classes.",
        ),
        "steps",
    ),
    fixed(spec(
        "Run",
        "evaluation",
        "evaluation at the end",
        ParamKind::Choice(&[
            choice("none", "none"),
            choice("replication", "the paper's linear evaluation"),
            choice("luckmatters", "the original authors'"),
        ]),
        DefaultValue::Choice("none"),
        "A linear layer trained on the features of all training pictures, judged on all test pictures. The protocols \
         differ; each is printed with its number.",
    )),
    fixed(spec(
        "Run",
        "probe_train",
        "pictures to fit on",
        ParamKind::Int { min: 10, max: 100_000 },
        DefaultValue::Int(2000),
        "Training pictures, without augmentation, that kNN and linear probe use.",
    )),
    fixed(spec(
        "Run",
        "probe_test",
        "pictures to judge by",
        ParamKind::Int { min: 10, max: 100_000 },
        DefaultValue::Int(1000),
        "Test pictures whose classes are guessed.",
    )),
];
