//! `X` lines and `Milter.…`.

use super::*;
use crate::support::client::Client;
use crate::support::fake_host::FakeHost;
use crate::support::fake_milter::{Does, FakeMilter, says};
use crate::support::{LIMIT, until};

const MESSAGE: &[u8] = b"Subject: x\r\n\r\nbody\r\n";

#[test]
fn each_stage_gets_its_macros() {
    let filter = FakeMilter::new(&[]);
    let stages = [
        ("Milter.macros.connect", "D C{m1}", "C"),
        ("Milter.macros.helo", "D H{m2}", "H"),
        ("Milter.macros.envfrom", "D M{m3}", "M"),
        ("Milter.macros.envrcpt", "D R{m4}", "R"),
        ("Milter.macros.data", "D T{m5}", "T"),
        ("Milter.macros.eoh", "D N{m6}", "N"),
        ("Milter.macros.eom", "D E{m7}", "E"),
    ];
    let lists: Vec<String> = stages
        .iter()
        .enumerate()
        .map(|(n, (stage, ..))| format!("D{{m{0}}}value{0}\nO {stage}={{m{0}}}\n", n + 1))
        .collect();
    let (_sandbox, site) = alone(&format!("{}\n{}", filter.lines(""), lists.concat()));
    let _daemon = site.start();
    Client::connect(site.port).message("me@client.test", &["you@a.test"], MESSAGE);
    let told = filter.told();
    for (n, (stage, _, letter)) in stages.iter().enumerate() {
        let line = format!("D{letter}{{m{0}}} value{0}", n + 1);
        assert!(told.contains(&line), "{stage}: {line:?} in {told:?}");
    }
}

#[test]
fn filters_are_asked_in_the_order_of_the_option() {
    let refuses = |words: &str| FakeMilter::new(&[(b'M', says(&[(b'y', format!("550 5.7.1 {words}\0").as_bytes())]))]);
    let (one, two) = (refuses("first"), refuses("second"));
    for (option, words) in [("m1,m2", Some("first")), ("m2,m1", Some("second")), ("", None)] {
        let lines = format!(
            "Xm1, S=inet:{}@127.0.0.1\nXm2, S=inet:{}@127.0.0.1\nO InputMailFilters={option}\n",
            one.port, two.port
        );
        let (_sandbox, site) = alone(&lines);
        let _daemon = site.start();
        let reply = Client::connect(site.port).say("MAIL FROM:<me@client.test>");
        match words {
            Some(words) => assert!(reply.contains(words), "{option}: {reply}"),
            None => assert!(reply.starts_with("250"), "{reply}"),
        }
    }
}

#[test]
fn filters_are_waited_for_as_long_as_their_line_says() {
    let silent = Does::Says(Vec::new());
    let listens = |does: &[(u8, Does)], times: &str| {
        let filter = FakeMilter::new(does);
        let line = format!("Xm1, S=inet:{}@127.0.0.1, F=T, T={times}\nO InputMailFilters=m1\n", filter.port);
        let (sandbox, site) = alone(&line);
        let daemon = site.start();
        (sandbox, site, daemon, filter)
    };
    // A reply.
    let (_sandbox, site, _daemon, _filter) = listens(&[(b'M', silent.clone())], "R:1s");
    Client::connect(site.port).expect("MAIL FROM:<me@client.test>", "451 4.3.2 ");
    // The end of a message, for which there is a time of its own.
    let (_sandbox, site, _daemon, _filter) = listens(&[(b'E', silent)], "R:1h;E:1s");
    let reply = Client::connect(site.port).message("me@client.test", &["you@a.test"], MESSAGE);
    assert!(reply.starts_with("451 4.3.2 "), "{reply}");
    // That it takes what it is sent.
    let (_sandbox, site, _daemon, _filter) = listens(&[(b'B', Does::StopsReading)], "S:1s;R:1h;E:1h");
    let mut client = Client::connect(site.port);
    client.open_data("me@client.test", &["you@a.test"]);
    client.send(&b"0123456789012345678901234567890123456789012345678901234567890123456789\r\n".repeat(600_000));
    let reply = client.say(".");
    assert!(reply.starts_with("451 4.3.2 "), "{reply}");
}

#[test]
fn a_filter_that_cannot_be_reached_in_time_counts_as_its_flag_says() {
    let (port, _socket, held) = timeouts::full_port();
    if held.len() == 8 {
        println!("the system takes connections without end: the time of a connection was not looked at");
        return;
    }
    for (flag, reply) in [("F=T, ", "451 "), ("F=R, ", "55"), ("F=4, ", "421 "), ("", "250 ")] {
        let line = format!("Xm1, S=inet:{port}@127.0.0.1, {flag}T=C:1s\nO InputMailFilters=m1\n");
        let (_sandbox, site) = alone(&line);
        let mut dialogue = Dialogue::start(&site, &[]);
        let said = dialogue.say(b"MAIL FROM:<me@client.test>");
        let shown =
            if said.starts_with("421") || dialogue.greeting.starts_with("421") { "421 ".to_owned() } else { said };
        assert!(shown.starts_with(reply), "{flag}: {shown}");
    }
}

#[test]
fn lines_of_filters_have_a_level_of_their_own() {
    for (lines, is_told) in [("", false), ("O Milter.LogLevel=14\n", true)] {
        let (sandbox, next) = (Sandbox::new(), FakeHost::accepting());
        let filter = FakeMilter::new(&[(b'E', says(&[(b'h', b"X-New\0v\0"), (b'c', b"")]))]);
        let site = sandbox.mta("a", next.port, &format!("{}\n{lines}", filter.lines("")));
        let _daemon = site.start();
        Client::connect(site.port).message("me@client.test", &["you@next.test"], MESSAGE);
        next.wait_for(1);
        let told = || {
            site.log().contains("Milter (m1): init success to negotiate") || site.log().contains("Milter add: header")
        };
        if is_told {
            until(LIMIT, "it is logged", || site.log().contains("Milter (m1)"));
        } else {
            assert_eq!(told(), is_told, "{}", site.log());
        }
    }
}
