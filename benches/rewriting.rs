//! Addresses per processor second through rulesets 3 and 0.
//!
//! `cargo bench --bench rewriting [-- FILE.cf]`; without a file the one of the golden traces is used.

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;
use sendmail::address::scan::Mode;
use sendmail::config::RulesetId;
use sendmail::config::drive::{LoadOptions, load};
use sendmail::maps::{MapSet, Services};
use sendmail::rewrite::Program;
use sendmail::rewrite::drive::Rewriter;
use sendmail::rewrite::trace::Nobody;

const ROUNDS: usize = 20_000;
const ADDRESSES: &[&str] = &[
    "joe",
    "joe@foo.com",
    "Some Body <joe+detail@host1.example.com>",
    "<@relay.example:joe@foo.com>",
    "\"quoted name\"@deep.sub.domain.example.org",
    "user%foo.com@example.com",
];

fn main() {
    let file = std::env::args().skip(1).find(|arg| !arg.starts_with("--"));
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/rewriting/engine.cf");
    let path = file.map_or_else(|| PathBuf::from(sample), PathBuf::from);
    let (config, _) = load(&path, &LoadOptions { chosen_by_user: true, mode: Some(b't'), ..LoadOptions::default() });
    let (maps, _) = MapSet::open(&config, Services::default());
    let rewriter = Rewriter::new(Arc::new(Program::compile(&config)), maps);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let mut workspace = rewriter.workspace();
    let mut scope = config.scope();
    let before = processor_microseconds();
    runtime.block_on(async {
        for _ in 0..ROUNDS {
            for address in ADDRESSES {
                if workspace.load(address.as_bytes(), Mode::Address, None).is_ok() {
                    for ruleset in [RulesetId(3), RulesetId(0)] {
                        rewriter.apply(ruleset, &mut workspace, &mut scope, &mut Nobody).await;
                    }
                }
            }
        }
    });
    let spent = (processor_microseconds() - before).max(1);
    let done = i64::try_from(ROUNDS * ADDRESSES.len()).expect("a small number");
    let rate = done * 1_000_000 / spent;
    writeln!(std::io::stdout(), "{rate} addresses per processor second").expect("an output");
}

fn processor_microseconds() -> i64 {
    let usage = getrusage(UsageWho::RUSAGE_SELF).expect("our own usage");
    usage.user_time().num_microseconds() + usage.system_time().num_microseconds()
}
