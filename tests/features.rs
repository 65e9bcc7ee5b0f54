//! The tests compile the same dependencies as the program. A feature that only a test asks for would make every test build
//! compile Burn a second time, which takes half an hour.

use std::collections::BTreeSet;
use std::process::Command;

/// Every crate with its version and features, as Cargo resolves them for these kinds of dependencies.
fn resolved(kinds: &str) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--edges", kinds, "--prefix", "none", "--format", "{p} {f}"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| line.trim_end_matches("(*)").trim().to_owned()).filter(|line| !line.is_empty()).collect()
}

#[test]
fn tests_and_program_build_the_same_dependencies() {
    let (program, tests) = (resolved("normal,build"), resolved("normal,build,dev"));
    assert!(program.iter().any(|line| line.starts_with("burn ")) && tests.len() > program.len());
    let only_program: Vec<&String> = program.difference(&tests).collect();
    assert!(
        only_program.is_empty(),
        "a dev-dependency changes features of {only_program:?}; ask for the same ones under [dependencies]"
    );
}
