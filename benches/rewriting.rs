//! What an address costs on its way through rulesets 3 and 0, without and with a trace of it.
//!
//! `cargo bench --bench rewriting` tells addresses per processor second, `… -- --instructions` instructions per address (a
//! number that comes out the same on a busy machine; needs valgrind). A file named behind that is used in place of
//! `benches/hub/hub.cf`.

#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a bench that cannot measure has nothing to say")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;
use sendmail::address::scan::Mode;
use sendmail::config::drive::{LoadOptions, load};
use sendmail::config::{Config, RulesetId};
use sendmail::maps::{MapSet, Services};
use sendmail::rewrite::drive::Rewriter;
use sendmail::rewrite::print::{Levels, Printer};
use sendmail::rewrite::trace::Nobody;
use sendmail::rewrite::{Program, Workspace};

const ROUNDS: usize = 20_000;
/// Rounds under valgrind, where two runs are told from each other.
const FEW: usize = 20;
const MORE: usize = 220;
const ADDRESSES: &[&str] = &[
    "joe",
    "joe@foo.com",
    "u4711.joe@example.com",
    "Some Body <joe+detail@host1.example.com>",
    "<@relay.example:joe@foo.com>",
    "\"quoted name\"@deep.sub.domain.example.org",
    "user%foo.com@example.com",
    "info@virt.example",
    "sales+x@virt.example",
    "ann@bar.com",
    "old!style",
    "list@oldname.example",
    "x@partner.example",
    "x@in.customer.example",
    "x@[192.0.2.66]",
    "first.last@nowhere.invalid",
];

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let named = words.iter().find(|word| !word.starts_with("--")).map(PathBuf::from);
    let path = named.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/hub/hub.cf"));
    let has = |wanted: &str| words.iter().any(|word| word == wanted);
    if let Some(rounds) = words.iter().find_map(|word| word.strip_prefix("--rounds=")) {
        return Bench::new(&path).run(rounds.parse().unwrap(), has("--traced"));
    }
    for (traced, what) in [(false, "without a trace"), (true, "with a trace")] {
        if has("--instructions") {
            let spent = instructions(&path, MORE, traced) - instructions(&path, FEW, traced);
            println!("{} instructions per address, {what}", spent / (MORE - FEW) / ADDRESSES.len());
        } else {
            let mut bench = Bench::new(&path);
            let before = processor_microseconds();
            bench.run(ROUNDS, traced);
            let spent = usize::try_from(processor_microseconds() - before).unwrap().max(1);
            println!("{} addresses per processor second, {what}", ROUNDS * ADDRESSES.len() * 1_000_000 / spent);
        }
    }
}

struct Bench {
    config: Config,
    rewriter: Rewriter,
    workspace: Workspace,
    runtime: tokio::runtime::Runtime,
}

impl Bench {
    fn new(path: &Path) -> Self {
        let (config, _) = load(path, &LoadOptions { chosen_by_user: true, mode: Some(b't'), ..LoadOptions::default() });
        let (maps, _) = MapSet::open(&config, Services::default());
        let rewriter = Rewriter::new(Arc::new(Program::compile(&config)), maps);
        let workspace = rewriter.workspace();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self { config, rewriter, workspace, runtime }
    }

    fn run(&mut self, rounds: usize, traced: bool) {
        let Self { config, rewriter, workspace, runtime } = self;
        let mut scope = config.scope();
        let mut out = Vec::new();
        runtime.block_on(async {
            for address in (0..rounds).flat_map(|_| ADDRESSES) {
                workspace.load(address.as_bytes(), Mode::Address, None).unwrap();
                for ruleset in [RulesetId(3), RulesetId(0)] {
                    if traced {
                        let (names, levels) = (&config.names, Levels::default());
                        let mut printer = Printer { out: &mut out, names, levels, is_test: true };
                        rewriter.apply(ruleset, workspace, &mut scope, &mut printer).await;
                    } else {
                        rewriter.apply(ruleset, workspace, &mut scope, &mut Nobody).await;
                    }
                }
                out.clear();
            }
        });
    }
}

/// Counted by running this program under valgrind.
#[allow(clippy::disallowed_methods, reason = "a bench is nobody's daemon")]
fn instructions(path: &Path, rounds: usize, traced: bool) -> usize {
    let mut valgrind = std::process::Command::new("valgrind");
    valgrind.args(["--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]);
    valgrind.arg(std::env::current_exe().unwrap()).arg(path).arg(format!("--rounds={rounds}"));
    if traced {
        valgrind.arg("--traced");
    }
    let told = valgrind.output().expect("valgrind is not installed").stderr;
    let told = String::from_utf8_lossy(&told);
    let count = told.lines().find_map(|line| line.split_once("refs:")).expect("valgrind counts").1;
    count.chars().filter(char::is_ascii_digit).collect::<String>().parse().unwrap()
}

fn processor_microseconds() -> i64 {
    let usage = getrusage(UsageWho::RUSAGE_SELF).unwrap();
    usage.user_time().num_microseconds() + usage.system_time().num_microseconds()
}
