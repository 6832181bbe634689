//! The fuzz targets on what once made them fail, and on a few simple inputs: so they compile, and what was mended stays so.
//!
//! `fuzz/README.md` tells how they are run in earnest.

#![allow(clippy::disallowed_methods, clippy::print_stdout, reason = "inputs are files, and their names are told")]
#![allow(clippy::pedantic, reason = "the targets are a program of their own")]
#![allow(missing_docs, unreachable_pub, dead_code, unexpected_cfgs, reason = "the targets are a program of their own")]

use std::fs;
use std::path::Path;

#[path = "../fuzz/src/lib.rs"]
mod targets;

#[test]
fn what_was_found_once_is_not_found_again() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/fuzz");
    for folder in fs::read_dir(dir).expect("inputs") {
        let folder = folder.expect("a folder").path();
        let name = folder.file_name().expect("a name").to_string_lossy().into_owned();
        let (_, target) = targets::TARGETS.iter().find(|(known, _)| *known == name).expect("a target of that name");
        for input in fs::read_dir(&folder).expect("a folder") {
            let path = input.expect("an input").path();
            println!("{}", path.display());
            target(&fs::read(path).expect("an input"));
        }
    }
}

#[test]
fn every_target_runs_on_simple_inputs() {
    for (name, target) in targets::TARGETS {
        println!("{name}");
        target(b"");
        let mut state = 1u32;
        for length in [1, 7, 60, 300] {
            let bytes: Vec<u8> = (0..length)
                .map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    u8::try_from(state >> 24).expect("a byte")
                })
                .collect();
            target(&bytes);
        }
    }
}

#[test]
fn every_target_has_its_program() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let rows = fs::read_to_string(dir.join("Cargo.toml")).expect("the fuzz package");
    for (name, _) in targets::TARGETS {
        assert!(dir.join(format!("fuzz_targets/{name}.rs")).exists(), "{name}");
        assert!(rows.contains(&format!("name = \"{name}\"")), "{name}");
    }
    assert_eq!(fs::read_dir(dir.join("fuzz_targets")).expect("programs").count(), targets::TARGETS.len());
}
