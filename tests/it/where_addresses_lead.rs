//! Flags of a mailer that decide where a user of it leads to.

use std::fs;

use crate::support::sandbox::{Sandbox, Site};

/// A transfer agent with these mailers besides its own; USER@NAME.via belongs to the mailer of that name.
fn site(sandbox: &Sandbox, name: &str, mailers: &[(&str, &str)], lines: &str) -> Site {
    let mut text = lines.to_owned();
    for (mailer, flags) in mailers {
        text.extend([format!("M{mailer}, P=/bin/true, {flags}, A=true $u\n")]);
    }
    let site = sandbox.mta(name, 1, &text);
    let cf = fs::read_to_string(site.path("cf")).unwrap();
    let routes = "Sparse=0\nR$+ < @ $- . via >\t$#$2 $@ $2.via $: $1\nR$+ < @ $- . sign >\t$#$2 $@ $2.via $: @ $1\n";
    site.write("cf", cf.replace("Sparse=0\n", routes).as_bytes(), 0o644);
    site
}

/// What `-bv` says of an address, without the address.
fn verdict(site: &Site, address: &str) -> String {
    let (_, printed) = site.submit(&["-bv", address], b"");
    let told = printed.lines().filter_map(|line| line.split_once("... ")).map(|(_, told)| told);
    told.collect::<Vec<_>>().join("; ")
}

#[test]
fn letters_say_which_users_are_looked_up() {
    let sandbox = Sandbox::new();
    let mailers = [("none", "F="), ("al", "F=A"), ("acc", "F=w"), ("five", "F=5"), ("both", "F=5@"), ("fifth", "F=")];
    let site = site(&sandbox, "a", &mailers, "S5\nR$*\t$#fifth $@ 5 $: $1\n");
    site.write("aliases", b"known: other@none.via\n", 0o644);
    let on = |mailer: &str, host: &str, user: &str| format!("deliverable: mailer {mailer}, host {host}, user {user}");
    for (flag, address, told) in [
        ("F=A", "known@none.via", on("none", "none.via", "known")),
        ("F=A", "known@al.via", on("none", "none.via", "other")),
        ("F=w", "nosuch@none.via", on("none", "none.via", "nosuch")),
        ("F=w", "nosuch@acc.via", "User unknown".to_owned()),
        ("F=w", "root@acc.via", on("acc", "acc.via", "root")),
        ("F=5", "u@none.via", on("none", "none.via", "u")),
        ("F=5", "u@five.via", on("fifth", "5", "u")),
        // A sign in front of the user says that ruleset 5 is not to be asked, where the mailer has F=@ too.
        ("F=@", "u@five.sign", on("fifth", "5", "@u")),
        ("F=@", "u@both.via", on("fifth", "5", "u")),
        ("F=@", "u@both.sign", on("both", "both.via", "u")),
    ] {
        assert_eq!(verdict(&site, address), told, "{flag}: {address}");
    }
}

#[test]
fn letters_say_whether_users_may_be_programs_files_and_lists() {
    let sandbox = Sandbox::new();
    let aliases = b"p: \"|/bin/true\"\nf: /no/such\nl: :include:/dev/null\n";
    let told = |flags: &str, user: &str| {
        let name = format!("a{}{user}", flags.len());
        let site = site(&sandbox, &name, &[], "");
        let cf = fs::read_to_string(site.path("cf")).unwrap();
        site.write("cf", cf.replace("F=lsDFMAPXn9:|/", &format!("F=lsDFMAwPXn9{flags}")).as_bytes(), 0o644);
        site.write("aliases", aliases, 0o644);
        verdict(&site, user)
    };
    assert!(told(":|/", "p").starts_with("deliverable: mailer prog"), "F=|");
    assert!(!told(":/", "p").contains("deliverable"), "F=|");
    assert!(told(":|/", "f").starts_with("deliverable: mailer *file*"), "F=/");
    assert!(!told(":|", "f").contains("deliverable"), "F=/");
    assert!(!told(":|/", "l").contains("User unknown"), "F=:");
    assert!(told("|/", "l").contains("User unknown"), "F=:");
}

/// `F=q`: whoever asks for a user is told 250.
#[test]
fn a_letter_chooses_what_those_are_told_who_ask() {
    let sandbox = Sandbox::new();
    let site = site(&sandbox, "a", &[("none", "F="), ("sure", "F=q")], "");
    let _daemon = site.start();
    let mut client = crate::support::client::Client::connect(site.port);
    client.expect("VRFY u@none.via", "252 2.1.5 ");
    client.expect("VRFY u@sure.via", "250 2.1.5 ");
}

/// `error` and `discard` are mailers of rulesets, with words of their own.
#[test]
fn rules_refuse_and_drop() {
    let sandbox = Sandbox::new();
    let rules = "Scheck_rcpt\nR<drop@ $*>\t$#discard $: x\nR<user@ $*>\t$#error $@ NOUSER $: nobody here\n\
        R<busy@ $*>\t$#error $@ 4.7.1 $: \"450 later\"\nR<held@ $*>\t$#error $@ quarantine $: held for look\n";
    let site = site(
        &sandbox,
        "a",
        &[],
        &format!("Kseen syslog\n{rules}Scheck_eom\nR$*\t$: $(seen eom..$&{{quarantine}} $)\n"),
    );
    let _daemon = site.start();
    let send = |to: &str| {
        let mut client = crate::support::client::Client::connect(site.port);
        client.expect("MAIL FROM:<me@client.test>", "250 ");
        let reply = client.say(&format!("RCPT TO:<{to}@a.test>"));
        if reply.starts_with("250 ") {
            client.expect("DATA", "354 ");
            client.send(b"Subject: x\r\n\r\nx\r\n");
            client.expect(".", "250 ");
        }
        reply
    };
    assert_eq!(send("user"), "553 5.3.0 <user@a.test>... nobody here");
    assert_eq!(send("busy"), "450 4.7.1 <busy@a.test>... later");
    assert!(send("drop").starts_with("250 ") && send("held").starts_with("250 ") && send("you").starts_with("250 "));
    crate::support::until(crate::support::LIMIT, "it is delivered", || !site.mailbox("you").is_empty());
    assert_eq!((site.mailbox("drop"), site.mailbox("held")), (String::new(), String::new()));
    assert_eq!(site.queue_files("hf").len(), 1);
    assert!(site.log().contains("eom..held.for.look") || site.log().contains("eom..held for look"), "{}", site.log());
}

#[test]
fn what_an_alias_names_is_done_in_its_own_name() {
    let sandbox = Sandbox::new();
    let site = site(&sandbox, "a", &[], "");
    site.write("aliases", b"first: second\nsecond: \"|exit 75\"\n", 0o644);
    site.submit(&["-odq", "first"], b"Subject: t\n\nb\n");
    let files = site.queue_files("qf");
    let text = fs::read(site.path("queue").join(&files[0])).unwrap();
    let text = String::from_utf8_lossy(&text);
    assert!(text.lines().any(|line| line.starts_with("Csecond:")), "{text}");
}
