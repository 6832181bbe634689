//! A dot between bare line feeds does not end a message, so no second one can be smuggled in behind it.

use crate::support::client::Client;
use crate::support::fake_host::FakeHost;
use crate::support::sandbox::Sandbox;

#[test]
fn a_dot_between_bare_line_feeds_is_answered_421_and_nothing_goes_out() {
    for end in [&b"\n.\n"[..], b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r"] {
        let sandbox = Sandbox::new();
        let next = FakeHost::accepting();
        let mta = sandbox.mta("a", next.port, "");
        let _daemon = mta.start();
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
        let reply = client.reply();
        let shown = String::from_utf8_lossy(end).into_owned();
        if reply.starts_with("421") {
            assert!(client.try_reply().is_none(), "{shown:?}: the session went on");
            assert!(mta.queue_is_empty(), "{shown:?}: something was queued");
            assert!(next.taken().is_empty(), "{shown:?}: something went out");
        } else {
            // Taken for text: one message, and the rest is its body.
            assert!(reply.starts_with("250 "), "{shown:?}: {reply}");
            let taken = next.wait_for(1);
            assert_eq!(taken.len(), 1, "{shown:?}");
            assert!(taken[0].text().contains("Subject: inner"), "{shown:?}");
        }
    }
}
