//! Rules made of pieces, and workspaces that they are let loose on; maps answer with bytes of the input.
//!
//! A ruleset calls only later ones, and only from rules that are used once: so the work is bounded, and a run that takes long
//! is the machine's fault.

use std::sync::Arc;

use sendmail::address::scan::Mode;
use sendmail::config;
use sendmail::rewrite::machine::{Reply, Step};
use sendmail::rewrite::{Messages, Program, Workspace};

use super::input::Input;

const HEAD: &[u8] = b"V10\nO OperatorChars=.:%@!^/[]+\nCwlocal example.org a.b\nCPx y.z\nDja.b\nDxsome value\n";
const RULESETS: usize = 4;

const LEFT: &[&str] = &[
    "$*",
    "$+",
    "$-",
    "$@",
    "$=w",
    "$~w",
    "$=P",
    "$~P",
    "$&x",
    "$&{r}",
    "$x",
    "<",
    ">",
    "@",
    ".",
    "%",
    "!",
    "a",
    "local",
    "example",
    "[",
    "]",
    "$(m $1 $)",
    "\"q\"",
    "$1",
    "$|",
    "$#",
    "$:",
];
const RIGHT: &[&str] = &[
    "$1",
    "$2",
    "$3",
    "$9",
    "$0",
    "<",
    ">",
    "@",
    ".",
    "%",
    "a",
    "local",
    "$x",
    "$&x",
    "$&{r}",
    "$(m $1 $)",
    "$(m $1 $@ $2 $: $3 $)",
    "$(m $1 $@ b $: $)",
    "$[ $1 $]",
    "$[ $1 $: $2 $]",
    "$#error",
    "$@ 5.1.1",
    "$: \"553 no\"",
    "$#local",
    "$@ $1",
    "$: $2",
    "$|",
    "\"q\"",
    "$(",
    "$)",
    "$[",
    "$]",
    "$(n $1 $)",
    "$*",
    "$?x b $| c $.",
];

pub fn run(bytes: &[u8]) {
    let mut input = Input(bytes);
    let mut text = HEAD.to_vec();
    for ruleset in 0..RULESETS {
        text.extend(format!("S{}\n", ruleset + 5).as_bytes());
        for _ in 0..input.below(5) {
            rule(&mut input, ruleset, &mut text);
        }
    }
    let (config, _) = config::parse(&text);
    let program = Arc::new(Program::compile(&config));
    let mut workspace = Workspace::new(Arc::clone(&program));
    let scope = config.scope();
    let Some(first) = config.ruleset(b"5") else { return };
    for _ in 0..3 {
        let length = input.below(48);
        let word = input.bytes(length);
        let mode = input.one_of(&[Mode::Address, Mode::KeepComments]);
        if workspace.load(word, mode, None).is_err() {
            continue;
        }
        let mut said = Messages::default();
        workspace.start(first, &mut said);
        while workspace.run(&scope, &mut said) == Step::Lookup {
            let question = workspace.question();
            let echo = question.key.clone();
            if input.byte() & 1 == 1 {
                workspace.string_key(b'_');
            }
            let count = input.below(12);
            let value = input.bytes(count);
            let reply = match input.below(6) {
                0 => Reply::Found(value),
                1 => Reply::Found(&echo),
                2 => Reply::Instead(value),
                3 => Reply::Temporary,
                4 => Reply::NoMap,
                _ => Reply::NotFound,
            };
            workspace.answer(reply, &mut said);
        }
        let _ = workspace.text();
        let _ = workspace.raw_text();
        let _ = workspace.resolution();
        workspace.keep_user();
    }
}

fn rule(input: &mut Input<'_>, ruleset: usize, text: &mut Vec<u8>) {
    text.push(b'R');
    for _ in 0..input.below(6) {
        text.extend(input.one_of(LEFT).as_bytes());
        text.push(b' ');
    }
    text.push(b'\t');
    let once = input.below(4);
    text.extend([&b"$: "[..], b"$@ ", b"$: ", b""][once]);
    if once < 3 && ruleset + 1 < RULESETS && input.byte() & 1 == 1 {
        text.extend(format!("$> {} ", ruleset + 6 + input.below(RULESETS - ruleset - 1)).as_bytes());
    }
    for _ in 0..input.below(6) {
        text.extend(input.one_of(RIGHT).as_bytes());
        text.push(b' ');
    }
    text.push(b'\n');
}
