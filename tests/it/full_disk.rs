//! No room in the queue: nobody is told otherwise.

use std::process::{Command, Stdio};

use crate::support::client::Client;
use crate::support::daemon::Daemon;
use crate::support::fake_host::{FakeHost, Taken};
use crate::support::sandbox::{Sandbox, Site, is_root};
use crate::support::{LIMIT, until};

/// A daemon started by a shell, after `before`.
fn start_behind(site: &Site, mut shell: Command, before: &str) -> Daemon {
    let script = format!("{before}; exec \"$0\" \"$@\"");
    shell.args(["sh", "-c", &script, site.program, "-C"]).arg(site.path("cf")).args(["-bD", "-q1s"]);
    shell.env("SENDMAIL_LOG_FILE", site.log_file());
    Daemon::start(shell, site.port)
}

/// A message of `size` bytes. The reply that ends the transaction, whichever verb it answers.
fn submit(port: u16, name: &str, size: usize) -> String {
    let mut client = Client::connect(port);
    let line = [b"d".repeat(98), b"\r\n".to_vec()].concat();
    let text = [format!("Message-Id: <{name}@client.test>\r\n\r\n").into_bytes(), line.repeat(size / 100)].concat();
    for verb in ["MAIL FROM:<me@client.test>", "RCPT TO:<you@next.test>", "DATA"] {
        let reply = client.say(verb);
        if !reply.starts_with(['2', '3']) {
            return reply;
        }
    }
    // It may refuse before it has heard all.
    let _ = client.try_send(&text);
    let _ = client.try_send(b".\r\n");
    client.reply()
}

#[test]
fn a_message_that_cannot_be_written_is_put_off_and_the_next_one_taken() {
    let sandbox = Sandbox::new();
    let next = FakeHost::accepting();
    let mta = sandbox.mta("a", next.port, "");
    let _daemon = start_behind(&mta, Command::new("env"), "trap '' XFSZ; ulimit -f 512");
    let mut client = Client::connect(mta.port);
    client.open_data("me@client.test", &["you@next.test"]);
    client.send(&[b"Subject: large\r\n\r\n".to_vec(), b"QUIT\r\n".repeat(700_000)].concat());
    client.expect(".", "451 4.3.0 ");
    // Nothing of the text was taken for commands.
    client.expect("NOOP", "250 ");
    drop(client);
    let reply = submit(mta.port, "small", 1000);
    assert!(reply.starts_with("250 "), "{reply}");
    let taken = next.wait_for(1);
    assert!(taken[0].text().contains("Message-Id: <small@client.test>"));
    until(LIMIT, "nothing is left in the queue folder", || {
        ["qf", "df", "tf"].iter().all(|prefix| mta.queue_files(prefix).is_empty())
    });
}

#[test]
fn a_full_file_system_is_answered_452_and_loses_nothing() {
    let mut probe = namespace();
    let can = probe.args(["sh", "-c", "mount -t tmpfs none /mnt"]).stderr(Stdio::null()).status();
    if !can.is_ok_and(|status| status.success()) {
        println!("skipped: this system gives no mount name space");
        return;
    }
    // Seen before a message is taken, and only while one is written.
    fills_up("O MinFreeBlocks=100\n", 50_000, "452 4.4.5 Insufficient disk space; try again later");
    fills_up("O MinFreeBlocks=0\n", 150_000, "421 4.3.1 Out of disk space for temp file");
}

/// Fills a small queue folder until nothing is taken any more, then lets the messages go.
fn fills_up(lines: &str, size: usize, wanted: &str) {
    let sandbox = Sandbox::new();
    let next = FakeHost::closed();
    let mta = sandbox.mta("a", next.port, lines);
    let mount = format!("mount -t tmpfs -o size=11m,mode=700 none {}", mta.path("queue").display());
    let _daemon = start_behind(&mta, namespace(), &mount);
    let mut acknowledged = Vec::new();
    let refusal = (0..400).find_map(|number| {
        let reply = submit(mta.port, &format!("m{number}"), size);
        if reply.starts_with("250 ") {
            acknowledged.push(format!("Message-Id: <m{number}@client.test>"));
            None
        } else {
            Some(reply)
        }
    });
    let refusal = refusal.expect("the disk is full at last");
    assert!(refusal.starts_with(wanted), "{refusal}");
    assert!(acknowledged.len() > 3, "{acknowledged:?}");

    next.open();
    until(LIMIT, "all acknowledged messages arrive", || {
        let arrived: Vec<_> = next.acknowledged().iter().map(Taken::text).collect();
        acknowledged.iter().all(|id| arrived.iter().any(|text| text.contains(id)))
    });
    assert!(next.acknowledged().iter().all(|t| t.wire.len() > size), "none is cut");
    let reply = submit(mta.port, "afterwards", 1000);
    assert!(reply.starts_with("250 "), "{reply}");
}

/// A command that runs another in a mount name space of its own.
fn namespace() -> Command {
    let mut command = Command::new("unshare");
    command.args(if is_root() { &["-m"][..] } else { &["-r", "-m"] });
    command
}
