use std::sync::Arc;

use bytes::Bytes;

use super::*;
use crate::address::scan::Alphabet;
use crate::config::Config;
use crate::config::rules::{Reading, Scratch, parse_rule};
use crate::macros::{MacroId, MacroTable, Template, Value};
use crate::rewrite::Messages;

/// A configuration of `S`, `R`, `D` and `C` lines.
fn config(text: &str) -> Config {
    let mut config = Config::default();
    config.options.operator_chars = Bytes::from_static(b".:@[]!%^/+");
    config.options.blank_sub = b'_';
    let alphabet = Alphabet::new(&config.options.operator_chars);
    let mut macros = MacroTable::new();
    let mut current = RulesetId(0);
    for (n, line) in (1..).zip(text.lines()) {
        let (kind, rest) = line.split_at(1);
        match kind {
            "S" => current = config.rulesets.enter(rest.as_bytes()).id.unwrap(),
            "D" => {
                let value = Template::parse(&rest.as_bytes()[1..], &mut config.names);
                macros.insert(MacroId(u16::from(rest.as_bytes()[0])), Value::Template(Arc::new(value)));
            }
            "C" => {
                for word in rest[1..].split(' ') {
                    config.classes.add(MacroId(u16::from(rest.as_bytes()[0])), word.as_bytes());
                }
            }
            _ => {
                let scope = Scope::new(Arc::new(macros.clone()));
                let mut reading = Reading {
                    names: &mut config.names,
                    scope: &scope,
                    alphabet: &alphabet,
                    level: 10,
                    scratch: &mut Scratch::default(),
                };
                if let Some(rule) = parse_rule(rest.as_bytes(), n, &mut reading).rule {
                    config.rulesets.add(current, rule);
                }
            }
        }
    }
    config.macros = Arc::new(macros);
    config
}

/// What a ruleset makes of an address, messages first. Map `m` has the one key `k`, with value `v.w`.
fn evaluated(rules: &str, ruleset: &str, address: &str) -> String {
    let config = config(rules);
    let program = Arc::new(Program::compile(&config));
    let mut workspace = Workspace::new(Arc::clone(&program));
    let scope = config.scope();
    let mut said = Messages::default();
    workspace.load(address.as_bytes(), Mode::KeepComments, None).unwrap();
    workspace.start(config.ruleset(ruleset.as_bytes()).unwrap(), &mut said);
    while workspace.run(&scope, &mut said) == Step::Lookup {
        let question = workspace.question();
        let reply = match (question.map.as_slice(), question.key.as_slice(), question.args.as_slice()) {
            (b"m", b"k", []) => Reply::Found(b"v.w"),
            (b"m", b"k", [arg]) => Reply::Found(&arg.clone()),
            (b"m", b"later", _) => Reply::Temporary,
            (b"m" | b"host", ..) => Reply::NotFound,
            _ => Reply::NoMap,
        };
        workspace.answer(reply, &mut said);
    }
    let tokens = workspace.view().iter().map(|t| String::from_utf8_lossy(t).into_owned());
    said.0.clone().into_iter().chain(tokens).collect::<Vec<_>>().join(" ")
}

#[test]
fn wildcards_take_as_little_as_they_can() {
    for (rule, address, result) in [
        ("R$+ $+ $+\t$@ <$1><$2><$3>", "a b c d", "< a > < b > < c d >"),
        ("R$* $* $*\t$@ <$1><$2><$3>", "a.b.c", "< > < > < a . b . c >"),
        ("R$* . $* . $*\t$@ <$1><$2><$3>", "a.b.c.d", "< a > < b > < c . d >"),
        ("R$* a $+ b $- c\t$@ <$1><$2><$3>", "a b a b a c b d c", "< > < b a b a c > < d >"),
        ("R$+ . $-\t$@ <$1><$2>", "a.b.c", "< a . b > < c >"),
        ("R$@ $*\t$@ <$1>", "a", "< a >"),
        ("RABC $*\t$@ $1", "abc y", "y"),
        ("R\"$*\"\t$@ no", "a", "a"),
        ("R$- $*\t$@ $2 $1", "a", "a"),
    ] {
        assert_eq!(evaluated(&format!("Sx\n{rule}"), "x", address), result, "{rule}");
    }
}

#[test]
fn classes_hold_words_and_phrases() {
    let rules = "CAa.b c.d.e .lead trail. one\nSx\nR$* $=A $*\t$@ <$1><$2><$3>\nR$~A $*\t$@ not <$1><$2>";
    for (address, result) in [
        ("x.a.b.c", "< x . > < a . b > < . c >"),
        ("x C.d.E", "< x > < C . d . E > < >"),
        ("x ONE", "< x > < ONE > < >"),
        ("a", "not < a > < >"),
    ] {
        assert_eq!(evaluated(rules, "x", address), result, "{address}");
    }
}

#[test]
fn what_rules_out_rules_hides_no_match() {
    let classes = "CAa.b c.d.e one\nCB@home two";
    for (pattern, address, matches) in [
        ("$* @ @ $*", "a@@b", true),
        ("$* @ @ $*", "a@b@c", false),
        ("$* @ $* @ $*", "a@b@c", true),
        ("$* @ $* @ $*", "a@b.c", false),
        ("$* . . $*", "a..b", true),
        ("$* . . $*", "a.b.c", false),
        ("a.A $*", "A.a b", true),
        ("$* $=A @ $=A $*", "x.a.b@ONE", true),
        ("$* $=A @ $=A $*", "x.a.b@a.x", false),
        ("$* $=B", "x@home", true),
        ("$* $=B", "x@hom", false),
        ("$~A . $=A", "q.one", true),
        ("$~A . $=A", "one.one", false),
        ("$* q.q $- q $*", "q.q.q q.q", true),
    ] {
        let rules = format!("{classes}\nSx\nR{pattern}\t$@ yes");
        assert_eq!(evaluated(&rules, "x", address) == "yes", matches, "{pattern} {address}");
    }
}

#[test]
fn hard_patterns_end_soon() {
    let pattern = "R$* a $* a $* a $* a $* a $* a $* a $* a $* zz\t$@ never";
    let address = "a ".repeat(400);
    assert_eq!(evaluated(&format!("Sx\n{pattern}"), "x", &address), address.trim());
}

#[test]
fn rules_repeat_until_told_otherwise() {
    for (rules, result) in [
        ("R$* . $*\t$: $1 , $2\nR$* , $*\t$: $1 ; $2", "a ; b . c"),
        ("R$* . $*\t$1 $2", "a b c"),
        ("R$* . $*\t$@ $1\nR$*\tno", "a"),
        ("R$* . $*\t$# $1\nR$*\tno", "$# a"),
    ] {
        assert_eq!(evaluated(&format!("Sx\n{rules}"), "x", "a.b.c"), result, "{rules}");
    }
    let looped = evaluated("Sx\nR$+\t$1 x\nR$*\t$@ no", "x", "a");
    assert_eq!(looped, format!("Infinite loop in ruleset x, rule 1 a{}", " x".repeat(100)));
}

#[test]
fn calls_take_everything_to_their_right() {
    let rules = "Sx\nR$- $- $*\t$: < $>$1 $3 > $>$2 $3 y\nSa\nR$*\t$@ a <$1>\nSb\nR$*\t$@ b <$1>\nSt\nR$*\t$# m $@ h\n\
                 Se\nSn\nR$*\t$: $>nosuch $1\nSr\nR$*\t$: x $>r $1\nSc\nR$*\t$: $>t $1\nR$*\tno\nSd\nR$*\t$: q $>t $1\n\
                 R$- $# $*\t$: $2\nSu1\nR$*\t$: $>a $>nosuch $1\nSu2\nR$*\t$: $>nosuch $>a $1\nSu3\nR$*\t$: $>e $>a $1\n\
                 Su4\nR$*\t$: $>e q $>a $1";
    for (ruleset, address, result) in [
        ("x", "a b c", "< a < c > b < c y > >"),
        ("x", "a e c", "< a < c > c y >"),
        ("n", "q", "Unknown ruleset nosuch $> nosuch q"),
        ("c", "q", "$# m $@ h"),
        ("d", "q", "m $@ h"),
        ("u1", "x", "Unknown ruleset nosuch $> a $> nosuch x"),
        ("u2", "x", "Unknown ruleset nosuch $> nosuch $> a x"),
        ("u3", "x", "$> a x"),
        ("u4", "x", "q a < x >"),
    ] {
        assert_eq!(evaluated(rules, ruleset, address), result, "{ruleset}");
    }
    let deep = evaluated(rules, "r", "a");
    assert!(deep.starts_with("rewrite: excessive recursion (max 50), ruleset r"), "{deep}");
}

#[test]
fn maps_answer_or_leave_the_key() {
    let rules = "Sx\nR$*\t$: $(m $1 $) $| $(m $1 $: d $1 $) $| $(m $1 $@ z $1 $) $| $[ $1 $]";
    for (address, result) in [("k", "v . w $| v . w $| z_k $| k"), ("p q", "p q $| d_p_q $| p q $| p q")] {
        assert_eq!(evaluated(rules, "x", address), result, "{address}");
    }
    assert_eq!(evaluated("Sx\nR$*\t$: $(n $1 $: d $) x", "x", "k"), "rewrite: map n not found d x");
    assert_eq!(evaluated("Sx\nR$*\t$: $(m $1 $: d", "x", "q"), "d");
    assert_eq!(evaluated("Sx\nR$*\t$: $(m q $: no $: $)", "x", "q"), "");
}

#[test]
fn deferred_macros_have_their_value_of_now() {
    let rules = "Drrun.time\nSx\nR$&r\t$@ equal\nR$*\t$@ <$&r>";
    assert_eq!(evaluated(rules, "x", "RUN.time"), "equal");
    assert_eq!(evaluated(rules, "x", "runtime"), "< run . time >");
    // An empty value is found where a token is left, and nowhere else.
    let rules = "Sx\nR$* $&q $- $-\t$@ inside\nR$* $&q\t$@ end";
    assert_eq!(evaluated(rules, "x", "a b"), "inside");
    assert_eq!(evaluated(rules, "x", "a"), "a");
}

#[test]
fn operators_survive_in_keys_and_values() {
    // Within a word it is a byte, alone it is the operator; a default keeps its tokens.
    for (call, result) in [("k $@ a $| b", "no <a\u{fffd}b>"), ("k $@ $|", "bar"), ("n $: a $| b", "a or b")] {
        let rules = format!("Sx\nR$*\t$: <$(m {call} $)>\nR<$|>\t$@ bar\nR<$- $| $->\t$@ $1 or $2\nR$*\t$@ no $1");
        assert_eq!(evaluated(&rules, "x", "q").replace("< ", "<").replace(" >", ">"), result, "{call}");
    }
}

#[test]
fn results_are_bounded() {
    assert_eq!(
        evaluated(&format!("Sx\n{}", "R$*\t$: $1 . $1\n".repeat(12)), "x", "a b").split(' ').take(3).last(),
        Some("too")
    );
}
