//! The command line: flags as typed, then requests ready to use, then the same engine that the window drives.

mod arrays;
mod compare;
mod doctor;
mod export;
mod flags;
mod headless;
mod landscape;
mod list;
mod networks;
mod output;
mod picture;
mod place;
mod predict;
mod progress;
mod request;
mod resume;
mod sample_data;
mod study;
mod sweep;
mod weights;
mod window;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
#[cfg(unix)]
use std::sync::Arc;

use clap::error::{ContextKind, ContextValue};
use clap::{CommandFactory, Parser};

pub use flags::Flags;
pub use output::{Failure, report};

use crate::engine::params::nearest;
use crate::engine::run_folder;
use crate::labs;
use flags::Verb;
use output::Output;

/// Before anything else: the log goes to standard error (`LEARNSCOPE_LOG=debug` shows more of it), and a file that becomes
/// too large (`ulimit -f`) is an error of its own write instead of the end of the process.
pub fn prepare() {
    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::try_from_env("LEARNSCOPE_LOG").unwrap_or_else(|_| EnvFilter::new("error,learnscope=warn"));
    // Without `log_internal_errors` it panics where standard error cannot be written.
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).without_time();
    log.log_internal_errors(false).init();
    // A signal with a handler ends nothing; a system without it has no such limit.
    #[cfg(unix)]
    let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::default());
}

/// Reads the command line; on `--help`, `--version` and bad usage it prints and tells the exit code (0 or 2; 1 where it
/// could not print).
pub fn parse() -> Result<Flags, ExitCode> {
    Flags::try_parse().map_err(|said| {
        if let Some(text) = mistyped(&said).or_else(|| meant_as_setting(&said)) {
            output::complain(text);
            return ExitCode::from(2);
        }
        match said.print() {
            Err(error) if !said.use_stderr() && error.kind() != ErrorKind::BrokenPipe => ExitCode::FAILURE,
            _ => ExitCode::from(said.exit_code() as u8),
        }
    })
}

/// A first word that is no command counts as a recorded run, after which nothing more is expected: where more came, the
/// command was meant.
fn mistyped(said: &clap::Error) -> Option<String> {
    // `hlp run` is a run's name and then `run` without its lab.
    let meant = [clap::error::ErrorKind::UnknownArgument, clap::error::ErrorKind::MissingRequiredArgument]
        .contains(&said.kind());
    let word = std::env::args_os().nth(1).filter(|word| meant && !Path::new(word).exists())?;
    let word = word.to_string_lossy().into_owned();
    let mut verbs: Vec<String> = Flags::command().get_subcommands().map(|verb| verb.get_name().to_owned()).collect();
    verbs.push("help".to_owned());
    if word.starts_with('-') || verbs.contains(&word) {
        return None;
    }
    let near = nearest(&word, verbs.iter().map(String::as_str));
    let hint = near.map_or("`learnscope --help` lists them".to_owned(), |near| format!("did you mean `{near}`?"));
    Some(format!("there is no command `{word}`; {hint}"))
}

/// A parameter of the lab that was typed as a flag, `--threshold 0.4`: what to type instead.
fn meant_as_setting(said: &clap::Error) -> Option<String> {
    let Some(ContextValue::String(flag)) = said.get(ContextKind::InvalidArg) else { return None };
    let args: Vec<String> = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    let (verb, lab) = (args.first()?, args.iter().skip(1).find_map(|word| labs::find(word))?);
    let specs = match &**verb {
        "run" | "sweep" => lab.params.to_vec(),
        "predict" => (lab.predict?.settings)(),
        _ => return None,
    };
    let flag = flag.split('=').next().unwrap_or_default();
    let name = flag.strip_prefix("--")?.replace('-', "_");
    // `--no-fill` is near enough.
    let (name, off) = name.strip_prefix("no_").map_or((&*name, None), |rest| (rest, Some("off")));
    let mut near = specs.iter().filter(|spec| spec.key.starts_with(name));
    let spec = specs.iter().find(|spec| spec.key == name).or_else(|| near.next().filter(|_| near.next().is_none()))?;
    let mut words = args.iter().skip_while(|word| word.split('=').next() != Some(flag));
    let joined = words.next().and_then(|word| Some(word.split_once('=')?.1));
    let behind = words.next().map(String::as_str).filter(|word| !word.starts_with("--"));
    let value = off.or(joined).or(behind).unwrap_or("VALUE");
    Some(format!("there is no flag `{flag}`; `{}` is a parameter of the lab: --set {0}={value}", spec.key))
}

/// Does what the command line asks for.
pub fn run(flags: &Flags) -> Result<(), Failure> {
    let output = Output::new(flags.json);
    if flags.verb.is_some() && flags.window.is_given() {
        return Err(Failure::usage(
            "a recorded run, `--scene`, `--runs`, `--window-size` and `--screenshot` are for the window, which opens without a command",
        ));
    }
    match &flags.verb {
        None => window::open(&flags.window),
        Some(Verb::Labs) => list::labs(&output),
        Some(Verb::Params { lab }) => list::params(request::find_lab(lab)?, &output),
        Some(Verb::Devices) => list::devices(&output),
        Some(Verb::Runs { folder }) => list::runs(folder, &output),
        Some(Verb::Run(flags)) => headless::run(request::new_run(flags, &output)?, &output),
        Some(Verb::Resume(flags)) => resume::resume(flags, &output),
        Some(Verb::Study(flags)) => study::study(flags, &output),
        Some(Verb::Sweep(flags)) => sweep::sweep(flags, &output),
        Some(Verb::Export(flags)) => export::export(flags, &output),
        Some(Verb::Predict(flags)) => predict::predict(flags, &output),
        Some(Verb::Compare(flags)) => compare::compare(flags, &output),
        Some(Verb::Weights(flags)) => weights::weights(flags, &output),
        Some(Verb::Doctor(flags)) => doctor::doctor(flags, &output),
        Some(Verb::Landscape(flags)) => landscape::landscape(flags, &output),
        Some(Verb::SampleData(flags)) => sample_data::write(flags, &output),
    }
}

/// The run folder that was meant: a path, or a name under `runs`.
fn find_run(typed: &Path) -> Result<PathBuf, Failure> {
    let under_runs = Path::new("runs").join(typed);
    for folder in [typed, &under_runs] {
        if run_folder::is_run(folder) {
            return Ok(folder.to_owned());
        }
    }
    if typed.exists() {
        return Err(Failure::usage(format!(
            "`{}` is not a recorded run: it has no run.toml and no events.bin",
            typed.display()
        )));
    }
    let parent = typed.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("runs"));
    let name = typed.file_name().unwrap_or_default().to_string_lossy();
    let runs = run_folder::list_runs(parent).unwrap_or_default();
    let names: Vec<String> =
        runs.iter().filter_map(|run| Some(run.folder.file_name()?.to_string_lossy().into_owned())).collect();
    // The end of a long folder name is enough of a hint.
    let near = nearest(&name, names.iter().map(String::as_str));
    let near = near.or_else(|| names.iter().map(String::as_str).find(|known| known.ends_with(&*name)));
    let hint = match near {
        Some(near) => format!("; did you mean `{}`?", parent.join(near).display()),
        None => format!("; `learnscope runs {}` lists the recorded ones", parent.display()),
    };
    Err(Failure::usage(format!("there is no run `{}`{hint}", typed.display())))
}
