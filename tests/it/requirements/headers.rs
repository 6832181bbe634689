//! Section 5: headers.

use std::io::Write as _;
use std::process::Stdio;

use super::*;

#[test]
fn r5_1_received_names_version_cipher_bits_and_verification() {
    let place = Place::new();
    place.authority.sign("b.test");
    let stranger = Authority::named(&place.sandbox.path("stranger"), "ca", "Stranger");
    stranger.sign("client.test");
    let running = place.run_tls("");
    for (connector, word) in [
        (place.authority.connector(None), "NO"),
        (place.authority.connector(Some("client.test")), "OK"),
        (stranger.connector(Some("client.test")), "FAIL"),
    ] {
        let shown = running.receives(&connector);
        let line = format!("(version=TLSv1.3 cipher=TLS_AES_256_GCM_SHA384 bits=256 verify={word})");
        assert!(shown.contains("with ESMTPS id ") && shown.contains(&line), "{word}: {shown}");
    }
}

#[test]
fn r5_2_the_form_of_older_configurations_comes_out_too() {
    let place = Place::new();
    let old = "HX-Old: $?{tls_version}(using ${tls_version} with cipher ${cipher} (${cipher_bits} bits) verified ${verify})$.\n";
    let shown = place.receives(&place.run_tls(old), Some("client.test"));
    assert!(shown.contains("(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256 bits) verified OK)"), "{shown}");
}

/// The standard form of the line, in one.
const RECEIVED: &str =
    "HReceived: $?sfrom $s $.$?_($?s$|from $.$_)\n\t$.by $j ($v/$Z)$?r with $r$. id $i$?u\n\tfor $u$.;\n\t$b\n";

#[test]
fn r5_3_local_submission_has_its_form() {
    let place = Place::new();
    let site = place.sandbox.mta("a", 1, "");
    let text = std::fs::read_to_string(site.path("cf")).unwrap();
    let (before, rest) = text.split_once("HReceived:").unwrap();
    let rest = &rest[rest.find("\nH?P?").unwrap() + 1..];
    site.write("cf", format!("{before}{RECEIVED}{rest}").as_bytes(), 0o644);
    let mut command = site.command();
    let mut child = command.args(["-oi", "-odi", "you@a.test"]).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"Subject: x\n\nlocal\n").unwrap();
    assert!(child.wait().unwrap().success());
    until(LIMIT, "it is in the mailbox", || site.mailbox("you").contains("local"));
    let shown = site.mailbox("you");
    let user = crate::support::sandbox::user_name();
    assert!(shown.contains(&format!("Received: (from {user}@localhost)\n\tby a.test (")), "{shown}");
    assert!(shown.contains("\n\tfor you@a.test; ") || shown.contains("\n\tfor you@a.test;\n\t"), "{shown}");
}

#[test]
fn r5_4_a_mailbox_begins_with_the_from_line() {
    let place = Place::new();
    let site = place.sandbox.mta("a", 1, "");
    // Flag n would leave it out.
    let text = std::fs::read_to_string(site.path("cf")).unwrap().replace("F=lsDFMAPXn9", "F=lsDFMAPX9");
    site.write("cf", text.as_bytes(), 0o644);
    let running = Running { _daemon: site.start(), site };
    let reply =
        Client::connect(running.site.port).message("me@client.test", &["you@a.test"], b"Subject: x\r\n\r\nbody\r\n");
    assert!(reply.starts_with("250 "), "{reply}");
    until(LIMIT, "it is in the mailbox", || running.site.mailbox("you").contains("body"));
    let shown = running.site.mailbox("you");
    let first = shown.lines().next().unwrap();
    assert!(first.starts_with("From me@client.test ") && first.contains(" 20"), "{first}");
}

#[test]
fn r5_5_lines_of_other_agents_count_as_hops_and_nothing_else() {
    let place = Place::new();
    let running = place.run("a", 1, "O MaxHopCount=3\n");
    let foreign = "Received: (qmail 2532 invoked by uid 0); 1 Jan 2000 00:00:00 -0000\r\n\
        Received: from x with DHE-RSA-AES256-SHA encrypted SMTP; 1 Jan 2000\r\n";
    let send = |lines: &str| {
        let text = format!("{lines}Subject: x\r\n\r\nbody\r\n");
        Client::connect(running.site.port).message("me@client.test", &["you@a.test"], text.as_bytes())
    };
    assert!(send(foreign).starts_with("250 "));
    until(LIMIT, "it is in the mailbox", || running.site.mailbox("you").contains("encrypted SMTP"));
    send(&foreign.repeat(2));
    running.wait_for_log("Too many hops 5 (3 max)");
}

#[test]
fn r5_6_a_line_for_readers_can_be_added() {
    let place = Place::new();
    let line = "H?Z?X-TLS-Summary: none\nHX-TLS-Summary: $?{tls_version}${tls_version} ${cipher} ${verify}$|none$.\n";
    let running = place.run_tls(line);
    let shown = place.receives(&running, Some("client.test"));
    assert!(shown.contains("X-TLS-Summary: TLSv1.3 TLS_AES_256_GCM_SHA384 OK\n"), "{shown}");
    // Off by default.
    let other = Place::new();
    assert!(!other.receives(&other.run_tls(""), None).contains("X-TLS-Summary"));
}
