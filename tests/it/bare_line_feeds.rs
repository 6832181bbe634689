//! A dot between bare line feeds or carriage returns does not end a message, so no second one can be smuggled in behind it.

use crate::support::client::Client;
use crate::support::fake_host::FakeHost;
use crate::support::sandbox::Sandbox;

/// What stands between the messages, and the answer. Source: observed.
const ENDS: [(&[u8], &str); 8] = [
    (b"\n.\n", LF),
    (b"\n.\r\n", LF),
    (b"\r\n.\n", LF),
    (b"\n.\r", LF),
    (b"\r.\r", CR),
    (b"\r\n.\r", CR),
    (b"\r.\r\n", CR),
    (b"\r\r\n.\r\n", CR),
];
const LF: &str = "421 4.5.0 Bare linefeed (LF) not allowed";
const CR: &str = "421 4.5.0 Bare carriage return (CR) not allowed";

#[test]
fn what_looks_like_an_end_is_answered_421_and_nothing_goes_out() {
    let sandbox = Sandbox::new();
    let next = FakeHost::accepting();
    let mta = sandbox.mta("a", next.port, "");
    let _daemon = mta.start();
    for (end, wanted) in ENDS {
        let mut client = Client::connect(mta.port);
        client.open_data("me@client.test", &["you@next.test"]);
        let smuggled = [
            &b"Subject: outer\r\n\r\nx"[..],
            end,
            b"MAIL FROM:<evil@client.test>\r\nRCPT TO:<you@next.test>\r\n\
            DATA\r\nSubject: inner\r\n\r\ny\r\n.\r\n",
        ]
        .concat();
        // The daemon may have hung up before all of it is sent.
        let _ = client.try_send(&smuggled);
        let shown = end.escape_ascii();
        assert_eq!(client.reply(), wanted, "{shown}");
        assert!(client.try_reply().is_none(), "{shown}: the session went on");
        assert!(mta.queue_is_empty(), "{shown}: something was queued");
    }
    // What had been taken would go out before this one.
    let reply =
        Client::connect(mta.port).message("me@client.test", &["you@next.test"], b"Subject: honest\r\n\r\nx\r\n");
    assert!(reply.starts_with("250 "), "{reply}");
    let taken = next.wait_for(1);
    assert_eq!(taken.len(), 1);
    assert!(taken[0].text().contains("Subject: honest"), "{}", taken[0].text());
}
