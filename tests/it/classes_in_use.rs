//! What the predefined classes change.

use std::fs;

use crate::support::fake_host::FakeHost;
use crate::support::sandbox::Sandbox;

/// The body that a next hop without 8BITMIME gets under these lines.
fn sent(lines: &str, message: &[u8]) -> String {
    let sandbox = Sandbox::new();
    let next = FakeHost::new(&["S: 220 next.test ESMTP\nC: EHLO *\nS: 250 next.test"]);
    let site = sandbox.mta("a", next.port, lines);
    let cf = fs::read_to_string(site.path("cf")).unwrap().replace("F=mDFMuXa8", "F=mDFMuXa");
    site.write("cf", cf.as_bytes(), 0o644);
    assert_eq!(site.submit(&["-odi", "-B8BITMIME", "-fme@a.test", "you@next.test"], message).0, 0);
    next.wait_for(1).remove(0).text()
}

fn typed(kind: &str, encoding: &str, body: &str) -> Vec<u8> {
    let header = format!("MIME-Version: 1.0\nContent-Type: {kind}\nContent-Transfer-Encoding: {encoding}\n\n");
    format!("{header}{body}\n").into_bytes()
}

#[test]
fn classes_decide_what_is_encoded() {
    // $=n: kinds that are never encoded.
    let signed = typed("multipart/signed; boundary=bb", "8bit", "--bb\n\ncaf\u{e9}\n--bb--");
    assert!(sent("", &signed).contains("caf\u{e9}"));
    let odd = typed("text/odd", "8bit", "mostly plain text, and a caf\u{e9}");
    assert!(sent("", &odd).contains("caf=C3=A9"));
    assert!(sent("Cntext/odd\n", &odd).contains("caf\u{e9}"));
    // $=q: kinds that become quoted-printable, never base64.
    let dense = typed("text/odd", "8bit", "\u{e9}\u{e9}\u{e9}");
    assert!(sent("", &dense).contains("Content-Transfer-Encoding: base64"));
    assert!(sent("Cqtext/odd\n", &dense).contains("=C3=A9=C3=A9=C3=A9"));
    // $=s: messages within which parts are encoded.
    let inner = "Subject: in\n\nmostly plain text, and a caf\u{e9}";
    assert!(sent("", &typed("message/rfc822", "8bit", inner)).contains("caf=C3=A9"));
    let odd = typed("message/odd", "8bit", inner);
    assert!(sent("", &odd).contains("caf\u{e9}"));
    assert!(sent("Csodd\n", &odd).contains("caf=C3=A9"));
    // $=e: encodings that another may take the place of.
    let own = typed("text/plain", "x-own", "mostly plain text, and a caf\u{e9}");
    assert!(sent("", &own).contains("caf\u{e9}"));
    assert!(sent("Cex-own\n", &own).contains("caf=C3=A9"));
}

#[test]
fn classes_say_which_fields_have_limits() {
    let words = "word ".repeat(60);
    let message = |name: &str, value: &str| {
        sent("O MaxMimeHeaderLength=100/40\n", format!("{name}: {value}\nSubject: x\n\nx\n").as_bytes())
    };
    let with = |class: &str, name: &str, value: &str| {
        let lines = format!("O MaxMimeHeaderLength=100/40\nC{{{class}}} {name}\n");
        sent(&lines, format!("{name}: {value}\nSubject: x\n\nx\n").as_bytes())
    };
    let line = |text: &str, name: &str| {
        let start = format!("\r\n{name}: ");
        let rest = text.split(&start).nth(1).unwrap_or_else(|| panic!("no {name} in {text}"));
        rest.split("\r\nSubject:").next().unwrap().to_owned()
    };
    for (class, member, parameter) in [
        ("checkMIMETextHeaders", "content-description", false),
        ("checkMIMEHeaders", "content-id", false),
        ("checkMIMEFieldHeaders", "content-disposition", true),
    ] {
        let value = if parameter { format!("x; name=\"{}\"", "n".repeat(80)) } else { words.clone() };
        let length = |text: &str, name: &str| line(text, name).len();
        assert!(length(&message("x-own", &value), "x-own") >= value.trim_end().len(), "{class}");
        assert!(length(&message(member, &value), member) < value.len() - 5, "{class}: {member}");
        assert!(length(&with(class, "x-own", &value), "x-own") < value.len() - 5, "{class}: x-own");
    }
}

#[test]
fn macros_of_a_class_are_kept_with_queued_mail() {
    let sandbox = Sandbox::new();
    for (name, lines, is_kept) in [("a", "", false), ("b", "C{persistentMacros} {client_name}\n", true)] {
        let site = sandbox.mta(name, 1, &format!("O DeliveryMode=queue\n{lines}"));
        let cf = fs::read_to_string(site.path("cf")).unwrap().replace("O DeliveryMode=background\n", "");
        site.write("cf", cf.as_bytes(), 0o644);
        let _daemon = site.start();
        let mut client = crate::support::client::Client::connect(site.port);
        assert!(client.message("me@client.test", &["you@next.test"], b"Subject: x\r\n\r\nx\r\n").starts_with("250 "));
        let qf = fs::read(site.path("queue").join(&site.queue_files("qf")[0])).unwrap();
        let qf = String::from_utf8_lossy(&qf);
        for line in ["$rESMTP", "$sclient.test", "$_localhost [127.0.0.1]", "${daemon_flags}"] {
            assert!(qf.lines().any(|own| own == line), "no {line} in {qf}");
        }
        assert_eq!(qf.contains("${client_name}localhost\n"), is_kept, "{qf}");
    }
}
