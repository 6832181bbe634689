//! The router against a small configuration.

use std::sync::Arc;

use bytes::Bytes;

use super::Router;
use crate::base::time::UnixTime;
use crate::config::drive::{LoadOptions, load};
use crate::envelope::{Envelope, QueueId, Recipient, State};
use crate::log::Logger;
use crate::macros::names;
use crate::maps::{MapSet, Services};
use crate::monitor::Port;
use crate::rewrite::Program;
use crate::rewrite::drive::Rewriter;
use crate::route::{Depth, Kind};

const CF: &str = "V10/Berkeley
Djmta.example.test
O OperatorChars=.:@[]
O DontBlameSendmail=MapInUnsafeDirPath
O AliasFile=ALIASES
S3
R$*<$*>$*		$2
R$+<@$+>		$@$1<@$2>
R@$+:$+@$+		$@$2<@$3>
R$+@$+			$@$1<@$2>
S0
R$+<@later.test>	$:$1<@$[later.test$:later.test$]>
R$+<@never.test>	$:$1<@$[error.test$:error.test$]>
R$+<@error.test>	$#error $@ 5.7.1 $: \"550 no such user\"
R$+<@$j>		$#local $: $1
R$+<@$+>		$#smtp $@$2 $: $1<@$2>
R$+			$#local $: $1
S4
R$+<@$+>		$1@$2
S10
R$-			$@$1<@$j>
Mlocal,	P=/bin/mail, F=lsDFMAw5:/|@qn, S=0, R=0, A=mail -d $u
Mprog,	P=/bin/sh, F=lsDFMoqeu9, A=sh -c $u
Msmtp,	P=[IPC], F=mDFMuX, S=10, R=10, E=\\r\\n, A=TCP $h
";

fn router(aliases: &str) -> (Router, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let alias_file = folder.path().join("aliases");
    let map = aliases.lines().filter_map(|l| l.split_once(": ")).map(|(k, v)| format!("{k}\t{v}\n"));
    crate::sys::file::replace(&alias_file, map.collect::<String>().as_bytes(), 0o644).unwrap();
    let cf = CF.replace("ALIASES", &format!("text:-k0 -v1 -z\\t {}", alias_file.display()));
    let path = folder.path().join("test.cf");
    crate::sys::file::replace(&path, cf.as_bytes(), 0o644).unwrap();
    let options = LoadOptions { chosen_by_user: true, ..LoadOptions::default() };
    let (config, found) = load(&path, &options);
    for d in &found {
        println!("{d}");
    }
    let config = Arc::new(config);
    let (maps, _) = MapSet::open(&config, Services::default());
    let rewriter = Rewriter::new(Arc::new(Program::compile(&config)), maps);
    let log = Logger::nothing();
    let port = Port::in_process(Arc::clone(&config), log.clone());
    (Router::new(config, rewriter, port, log), folder)
}

fn envelope(router: &Router) -> Envelope {
    Envelope::new(QueueId::parse(b"6AM8Wwpk005225").unwrap(), UnixTime(0), router.config.scope())
}

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

#[test]
fn addresses_become_triples() {
    let (router, _folder) = router("");
    for (address, mailer, host, user) in [
        ("<Joe@Remote.Test>", "smtp", "remote.test", "Joe@Remote.Test"),
        ("Root@mta.example.test", "local", "", "root"),
        ("\"|cat x\"", "prog", "", "|cat x"),
    ] {
        let mut scope = router.config.scope();
        let resolved = run(router.resolve(address.as_bytes(), Depth::Rulesets, &mut scope)).unwrap();
        let name = router.config.mailers[resolved.triple.mailer.0].name.clone();
        assert_eq!((name.as_ref(), resolved.triple.host.as_ref()), (mailer.as_bytes(), host.as_bytes()), "{address}");
        assert_eq!(resolved.triple.user, user, "{address}");
        assert_eq!(scope.text(names::RCPT_USER), user);
    }
}

#[test]
fn an_address_waits_when_only_a_lookup_failed_for_now() {
    let (router, _folder) = router("");
    let mut scope = router.config.scope();
    let failed = run(router.resolve(b"joe@later.test", Depth::Mailbox, &mut scope)).unwrap_err();
    assert_eq!(failed.line(), "451 4.3.0 Temporary system failure. Please try again later.");
    let waits = failed.waits.expect("it leads somewhere");
    assert_eq!(waits.why, "host map: lookup (later.test): deferred");
    let triple = waits.triple;
    assert_eq!((triple.host.as_ref(), triple.user.as_ref()), (&b"later.test"[..], &b"joe@later.test"[..]));
    let refused = run(router.resolve(b"joe@never.test", Depth::Mailbox, &mut scope)).unwrap_err();
    assert!(refused.exit.is_temporary() && refused.waits.is_none(), "{refused}");
}

#[test]
fn whose_lookup_comes_late_changes_nobodys_parent() {
    let (router, _folder) = router("team: one@a.test, joe@later.test, two@b.test\n");
    let mut e = envelope(&router);
    e.recipients.extend(["first@c.test", "team"].map(Recipient::new));
    for _ in 0..3 {
        let expansion = run(router.expand(&mut e));
        assert_eq!(expansion.failures.len(), 1);
        for (index, error) in expansion.failures {
            assert!(error.waits.is_some(), "{error}");
            (e.recipients[index].state, e.recipients[index].route) = (State::Queued, None);
        }
        e.group_by_next_hop();
        let mut parents: Vec<(String, Option<String>)> = Vec::new();
        for recipient in &e.recipients {
            let text = |address: &Bytes| String::from_utf8_lossy(address).into_owned();
            parents.push((text(&recipient.address), recipient.parent.map(|at| text(&e.recipients[at].address))));
        }
        parents.sort();
        let team = || Some("team".to_owned());
        let expected = [
            ("first@c.test", None),
            ("joe@later.test", team()),
            ("one@a.test", team()),
            ("team", None),
            ("two@b.test", team()),
        ];
        assert_eq!(parents, expected.map(|(address, parent)| (address.to_owned(), parent)));
    }
}

#[test]
fn errors_keep_the_words_of_the_rules() {
    let (router, _folder) = router("");
    let mut scope = router.config.scope();
    let refused = run(router.resolve(b"x@error.test", Depth::Rulesets, &mut scope)).unwrap_err();
    assert_eq!(refused.line(), "550 5.7.1 no such user");
    let unknown = run(router.resolve(b"no-such-user-here", Depth::Mailbox, &mut scope)).unwrap_err();
    assert_eq!(
        (unknown.line().as_str(), unknown.shown().as_str()),
        ("550 5.1.1 User unknown", "no-such-user-here... User unknown")
    );
    let mut e = envelope(&router);
    for (address, text) in [("|cat", "programs"), ("/etc/x", "files"), (":include:/x", ":include:s")] {
        let refused = run(router.add(&mut e, Recipient::new(address), Depth::Mailbox)).unwrap_err();
        assert_eq!(refused.text, format!("Cannot mail directly to {text}"));
        assert!(e.recipients.is_empty());
    }
}

#[test]
fn lists_are_asked_about_from_their_end() {
    let (router, _folder) = router("list: x@remote.test, root\nesc: \\root\nbad: no-such-1, no-such-2\nang: <a, b>\n");
    let users = |found: Result<Vec<crate::route::Resolved>, crate::route::RouteError>| match found {
        Ok(found) => found.iter().map(|r| String::from_utf8_lossy(&r.triple.user).into_owned()).collect(),
        Err(error) => vec![error.shown()],
    };
    let too_long = format!("<{}.{}>", "a".repeat(100), "b".repeat(160));
    let kept = &too_long[..255];
    let about = format!("{}...{}", &kept[..100], &kept[155..]);
    let about_too_long = format!("{about}... Address \"{kept}\" too long (255 bytes max)");
    for (text, verified, expanded) in [
        ("root, list", vec!["list", "root"], vec!["root", "x@remote.test"]),
        ("root list", vec!["list", "root"], vec!["root", "x@remote.test"]),
        ("root, Root@mta.example.test", vec!["root"], vec!["root"]),
        (",", vec![], vec![]),
        ("esc", vec!["esc"], vec!["\\root"]),
        ("bad", vec!["bad"], vec!["no-such-2... User unknown"]),
        ("no-such-3, bad", vec!["no-such-3... User unknown"], vec!["no-such-2... User unknown"]),
        ("no-such-3, x@error.test", vec!["x@error.test... no such user"], vec!["x@error.test... no such user"]),
        ("<a, b>", vec!["<a, b>... Unbalanced '<'"], vec!["<a, b>... Unbalanced '<'"]),
        ("ang", vec!["ang"], vec!["<a, b>... Unbalanced '<'"]),
        (
            "<|/bin/cat>",
            vec!["<|/bin/cat>... Cannot mail directly to programs"],
            vec!["<|/bin/cat>... Cannot mail directly to programs"],
        ),
        (&too_long, vec![&about_too_long], vec![&about_too_long]),
    ] {
        let mut scope = router.config.scope();
        let is_old = !text.contains([',', '<']);
        assert_eq!(users(run(router.verify(text.as_bytes(), is_old, &mut scope))), verified, "VRFY {text}");
        assert_eq!(
            users(run(router.expand_list(text.as_bytes(), is_old, &mut envelope(&router)))),
            expanded,
            "EXPN {text}"
        );
    }
}

#[test]
fn a_long_token_is_told_with_the_middle_left_out() {
    let (router, _folder) = router("");
    let address = "x".repeat(300);
    let error = run(router.resolve(address.as_bytes(), Depth::Rulesets, &mut router.config.scope())).unwrap_err();
    assert_eq!(error.line(), "553 5.1.0 prescan: token too long");
    assert_eq!(error.shown().len(), 203 + "... prescan: token too long".len());
}

#[test]
fn senders_are_kept_as_the_rules_leave_them() {
    let (router, _folder) = router("");
    for (given, want) in
        [("<x@remote.test>", "x@remote.test"), ("<Joe>", "Joe"), ("<@a.test:x@remote.test>", "x@remote.test")]
    {
        let resolved = run(router.receive_sender(given.as_bytes(), &mut router.config.scope())).unwrap();
        assert_eq!(resolved.address, want, "{given}");
    }
}

#[test]
fn header_addresses_keep_their_phrase() {
    let (router, _folder) = router("");
    let smtp = router.config.mailer(b"smtp").unwrap();
    let mut scope = router.config.scope();
    for (given, want) in [
        ("\"Al, Ice\" <alice> (post)", "\"Al, Ice\" <alice@mta.example.test> (post)"),
        ("x@remote.test", "x@remote.test"),
    ] {
        let rewritten = run(router.rewrite_for_mailer(given.as_bytes(), Kind::HEADER_SENDER, smtp, &mut scope));
        assert_eq!(rewritten.unwrap(), want);
    }
}
#[test]
fn a_loop_of_aliases_ends_at_a_user_on_its_way() {
    let (router, _folder) = router("one: root\nroot: one\n");
    for address in ["one", "root"] {
        let mut e = envelope(&router);
        e.recipients.push(Recipient::new(address));
        let expansion = run(router.expand(&mut e));
        assert!(expansion.failures.is_empty(), "{address}: {:?}", expansion.failures);
        let queued: Vec<_> = e.recipients.iter().filter(|r| r.state == State::Queued).collect();
        let [one] = queued.as_slice() else { panic!("{address}: {queued:?}") };
        assert_eq!(one.address, "root", "{address}");
    }
}

#[test]
fn a_loop_beside_others_is_left_out_and_steps_are_told() {
    let (router, _folder) = router("k: loop1, x@remote.test\nloop1: loop2\nloop2: loop1\n");
    let mut e = envelope(&router);
    e.recipients.push(Recipient::new("k"));
    let expansion = run(router.expand(&mut e));
    assert!(expansion.failures.is_empty(), "{:?}", expansion.failures);
    let left: Vec<&[u8]> =
        e.recipients.iter().filter(|r| r.state == State::Queued).map(|r| r.address.as_ref()).collect();
    assert_eq!(left, [b"x@remote.test"]);
    let notes: Vec<&str> = expansion.notes.iter().map(|(_, line)| line.as_str()).collect();
    assert!(notes.contains(&"k... aliased to loop1, x@remote.test"), "{notes:?}");
}

#[test]
fn an_alias_of_itself_that_is_nobody_fails_twice() {
    let (router, _folder) = router("nobody-at-all: nobody-at-all\n");
    let mut e = envelope(&router);
    e.recipients.push(Recipient::new("nobody-at-all"));
    let expansion = run(router.expand(&mut e));
    assert_eq!(expansion.failures.len(), 2);
    assert!(e.recipients.iter().all(|r| r.state == State::Failed));
}

#[test]
fn aliases_expand_to_the_end_and_loops_stop() {
    let (router, _folder) = router(
        "list: root, x@remote.test, one\none: two\ntwo: x@remote.test\nowner-list: carol\nloop1: loop2\nloop2: loop1\nbad: root, nobody-at-all\nroot: team\nteam: root, y@remote.test\n",
    );
    let mut e = envelope(&router);
    run(router.add(&mut e, Recipient::new("list"), Depth::Mailbox)).unwrap();
    let queued: Vec<(Bytes, Option<Bytes>)> = e
        .recipients
        .iter()
        .filter(|r| r.state == State::Queued)
        .map(|r| (r.address.clone(), r.owner.clone()))
        .collect();
    let carol = Some(Bytes::from_static(b"carol"));
    let queued_names: Vec<&[u8]> = queued.iter().map(|(address, _)| address.as_ref()).collect();
    // The alias of a user that comes back to the user ends in the mailbox.
    assert_eq!(queued_names, [&b"x@remote.test"[..], b"y@remote.test", b"root"]);
    assert!(queued.iter().any(|(address, owner)| address == "x@remote.test" && *owner == carol));
    let error = run(router.add(&mut e, Recipient::new("loop1"), Depth::Mailbox)).unwrap_err();
    assert_eq!(error.shown(), "aliasing/forwarding loop broken");
    let before = e.recipients.len();
    let error = run(router.add(&mut e, Recipient::new("bad"), Depth::Mailbox)).unwrap_err();
    assert_eq!(error.shown(), "nobody-at-all... User unknown");
    assert_eq!(e.recipients.len(), before);
}
