//! What the daemon tells of itself: counters, title, control socket, state, refusals.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Command;

use crate::support::client::Client;
use crate::support::daemon::Daemon;
use crate::support::fake_host::FakeHost;
use crate::support::sandbox::{Sandbox, Site};
use crate::support::{LIMIT, until};

/// What `mailstats -P` prints behind its first line.
fn counters(site: &Site) -> Vec<String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mailstats"));
    let output = command.arg("-P").arg("-C").arg(site.path("cf")).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

/// Says a command to the control socket.
fn control(path: &Path, command: &str) -> String {
    let mut stream = UnixStream::connect(path).unwrap();
    stream.write_all(command.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn title(pid: u32) -> String {
    let bytes = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(bytes.split(|b| *b == 0).next().unwrap_or_default()).into_owned()
}

#[test]
fn messages_are_counted_by_mailer() {
    let sandbox = Sandbox::new();
    let next = FakeHost::accepting();
    let mta = sandbox.mta("a", next.port, &format!("O StatusFile={}\n", sandbox.path("a/st").display()));
    mta.write("st", b"", 0o640);
    let daemon = mta.start();
    let mut client = Client::connect(mta.port);
    client.message("you@client.test", &["one@a.test", "two@next.test"], b"Subject: count\r\n\r\nx\r\n");
    client.say("QUIT");
    next.wait_for(1);
    // Two mailers took it; the readiness check was a connection, too.
    until(LIMIT, "both deliveries are counted", || {
        let total = counters(&mta).into_iter().find(|line| line.starts_with("T "));
        total.is_some_and(|line| line.starts_with("T 1 1 2 2 "))
    });
    let (_, connections) =
        counters(&mta).last().unwrap().split_once("C ").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    assert!(connections.ends_with(" 1 0"), "{connections}");
    drop(daemon);
    let before = counters(&mta);
    let mut command = mta.command();
    let mut child = command.args(["-odi", "one@a.test"]).stdin(std::process::Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"Subject: cli\n\nx\n").unwrap();
    assert!(child.wait().unwrap().success());
    assert_ne!(counters(&mta), before, "a message of the command line counts");
}

#[test]
fn the_control_socket_answers_and_ends_the_daemon() {
    let sandbox = Sandbox::new();
    let path = sandbox.path("a/control");
    let lines = format!(
        "O ControlSocketName={}\nO ProcessTitlePrefix=here $j\nO SharedMemoryKey=1\nO MaxDaemonChildren=7\nO LogLevel=10\n",
        path.display()
    );
    let mta = sandbox.mta("a", FakeHost::accepting().port, &lines);
    mta.write("helpfile", b"#vers\t2\ncontrol\tfor $j\n", 0o644);
    let daemon = mta.start();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    until(LIMIT, "the title is set", || title(daemon.pid()) == "sendmail: here a.test: accepting connections");
    assert_eq!(control(&path, "help\n"), "for a.test\nEnd of HELP info\n");
    assert_eq!(control(&path, "HELP me\r\n"), "for a.test\nEnd of HELP info\n");
    assert_eq!(control(&path, "foo\n"), "Bad command (foo)\r\n");
    let client = Client::connect(mta.port);
    until(LIMIT, "the session is seen alone", || control(&path, "status\n").starts_with("1/7/"));
    let status = control(&path, "status\n");
    let pid = daemon.pid();
    assert!(status.contains(&format!("\r\n{pid} accepting connections\r\n")), "{status}");
    assert!(status.contains(&format!("\r\n{pid} SMTP server child for 127.0.0.1\r\n")), "{status}");
    let status = control(&path, "mstat\n");
    assert!(status.starts_with("C:1\r\nM:7\r\nL:"), "{status}");
    assert!(status.contains(&format!("\r\nQ:{}:0\r\n", mta.path("queue").display())), "{status}");
    assert!(control(&path, "memdump\n").starts_with("Vm"));
    drop(client);
    assert_eq!(control(&path, "shutdown\n"), "OK\r\n");
    until(LIMIT, "it ends and says why", || mta.log().contains("stopping daemon, reason=control socket"));
    until(LIMIT, "the socket is gone", || !path.exists());
}

#[test]
fn a_control_socket_where_others_write_is_not_opened() {
    let sandbox = Sandbox::new();
    let folder = sandbox.path("open");
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
    let lines = format!("O ControlSocketName={}/control\n", folder.display());
    let mta = sandbox.mta("a", FakeHost::accepting().port, &lines);
    let _daemon = mta.start();
    let text = format!("daemon could not open control socket {}/control: World writable directory", folder.display());
    assert!(mta.log().contains(&text));
    assert!(!folder.join("control").exists());
}

#[test]
fn what_is_no_socket_is_left_where_the_control_socket_would_be() {
    let sandbox = Sandbox::new();
    let path = sandbox.path("a/control");
    let mta = sandbox.mta("a", FakeHost::accepting().port, &format!("O ControlSocketName={}\n", path.display()));
    mta.write("control", b"aliases, say", 0o600);
    let daemon = mta.start();
    let text = format!("daemon could not open control socket {}: Socket operation on non-socket", path.display());
    assert!(mta.log().contains(&text));
    drop(daemon);
    assert_eq!(fs::read(&path).unwrap(), b"aliases, say");
    // One that an unclean end left is replaced.
    fs::remove_file(&path).unwrap();
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let _daemon = mta.start();
    assert!(control(&path, "help\n").contains("HELP"));
}

/// A daemon with runs that follow each other.
fn persistent(mta: &Site) -> Daemon {
    let mut command = mta.command();
    command.args(["-bD", "-qp1s"]);
    Daemon::start(command, mta.port)
}

#[test]
fn a_slow_host_does_not_keep_persistent_runs_from_others() {
    let sandbox = Sandbox::new();
    // It accepts connections and says nothing.
    let tarpit = std::net::TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).unwrap();
    let mta = sandbox.mta("a", tarpit.local_addr().unwrap().port(), "");
    let queue = |recipient: &str| {
        let mut child = mta.command().args(["-odq", recipient]).stdin(std::process::Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(b"Subject: later\n\nx\n").unwrap();
        assert!(child.wait().unwrap().success());
    };
    queue("two@next.test");
    let _runner = persistent(&mta);
    let (_held, _) = tarpit.accept().unwrap();
    queue("one@a.test");
    until(LIMIT, "the other message arrives", || mta.path("mail/one").exists());
}

#[test]
fn a_signal_asks_for_the_state() {
    let sandbox = Sandbox::new();
    let mta = sandbox.mta("a", FakeHost::accepting().port, "");
    let daemon = mta.start();
    let _client = Client::connect(mta.port);
    assert!(Command::new("kill").args(["-USR1", &daemon.pid().to_string()]).status().unwrap().success());
    until(LIMIT, "the state is logged", || mta.log().contains("NOQUEUE: --- end of state dump ---"));
    for line in
        ["--- dumping state on user signal: $j = a.test ---", "SMTP session of 127.0.0.1", "accepting connections"]
    {
        assert!(mta.log().contains(&format!("NOQUEUE: {line}")), "{line}");
    }
    // It goes on.
    Client::connect(mta.port).say("NOOP");
}

#[test]
fn too_little_room_is_told_once() {
    let sandbox = Sandbox::new();
    let mta = sandbox.mta("a", FakeHost::accepting().port, "O MinFreeBlocks=999999999999\n");
    let daemon = mta.start();
    let mut client = Client::connect(mta.port);
    client.say("EHLO client.test");
    assert!(client.say("MAIL FROM:<you@client.test>").starts_with("452 4.4.5 "));
    let log = mta.log();
    assert_eq!(log.matches("rejecting new messages: min free: 999999999999").count(), 1, "{log}");
    assert!(log.contains("low on space (SMTP-DAEMON needs 0 bytes + 999999999999 blocks in "), "{log}");
    assert_eq!(title(daemon.pid()), "sendmail: rejecting new messages: min free: 999999999999");
}

#[test]
fn refused_connections_are_told_with_their_reason() {
    let sandbox = Sandbox::new();
    let mta = sandbox.mta("a", FakeHost::accepting().port, "O MaxDaemonChildren=1\n");
    let daemon = mta.start();
    let mut client = None;
    // Whoever looked whether the daemon is up may have been the one that it takes.
    until(LIMIT, "it takes one", || {
        client = Client::try_connect(mta.port);
        client.as_mut().is_some_and(|client| client.try_reply().is_some())
    });
    let refusal = "rejecting connections on daemon MTA: 1 children, max 1";
    until(LIMIT, "the refusal is logged", || mta.log().contains(refusal));
    until(LIMIT, "the title tells of it", || title(daemon.pid()) == format!("sendmail: {refusal}"));
    drop(client);
    until(LIMIT, "it accepts again", || title(daemon.pid()) == "sendmail: accepting connections");
}

#[test]
fn persistent_runs_follow_each_other() {
    let sandbox = Sandbox::new();
    let next = FakeHost::accepting();
    let mta = sandbox.mta("a", next.port, "");
    let mut command = mta.command();
    let mut child = command.args(["-odq", "two@next.test"]).stdin(std::process::Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"Subject: later\n\nx\n").unwrap();
    assert!(child.wait().unwrap().success());
    let runner = persistent(&mta);
    next.wait_for(1);
    until(LIMIT, "the start is logged", || mta.log().contains("SMTP+persistent-queueing@00:00:01"));
    drop(runner);
    assert!(mta.queue_is_empty());
}

#[test]
fn programs_of_a_niced_run_give_way() {
    let sandbox = Sandbox::new();
    let mta = sandbox.mta("a", FakeHost::accepting().port, "O NiceQueueRun=3\n");
    let shown = mta.path("mail/nice");
    mta.write("mailbox", format!("#!/bin/sh\ncat >/dev/null\nnice >>{}\n", shown.display()).as_bytes(), 0o755);
    let send = |mode: &str| {
        let mut child = mta.command().args([mode, "one@a.test"]).stdin(std::process::Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(b"Subject: nice\n\nx\n").unwrap();
        assert!(child.wait().unwrap().success());
    };
    send("-odi");
    send("-odq");
    mta.run_queue();
    let values: Vec<i32> = fs::read_to_string(&shown).unwrap().lines().map(|line| line.parse().unwrap()).collect();
    let [at_once, in_run] = values[..] else { panic!("{values:?}") };
    assert_eq!(in_run, (at_once + 3).min(19));
}

#[test]
fn each_queue_group_has_its_own_nice_value_whatever_ran_before() {
    let sandbox = Sandbox::new();
    let folder = |name: &str| sandbox.path(&format!("a/queue/{name}"));
    // One message at a time, in the order of the groups: each is begun at the end of the one before.
    let groups = [("first", 10), ("second", 5), ("third", 0)];
    let lines = groups.map(|(name, nice)| format!("Q{name}, P={}, N={nice}\n", folder(name).display())).concat();
    let rules = groups.map(|(name, _)| format!("R$* {name} $*\t$# {name}\n")).concat();
    let lines = format!("O MaxQueueChildren=1\nQmqueue, P={}\n{lines}Squeuegroup\n{rules}", folder("").display());
    let mta = sandbox.mta("a", FakeHost::accepting().port, &lines);
    for (name, _) in groups {
        fs::create_dir(folder(name)).unwrap();
        fs::set_permissions(folder(name), fs::Permissions::from_mode(0o700)).unwrap();
    }
    let shown = mta.path("mail/nice");
    // A message has a group when it was routed: the first attempt fails.
    let script = format!("#!/bin/sh\ncat >/dev/null\n[ -f {0} ] || exit 75\nnice >>{0}\n", shown.display());
    mta.write("mailbox", script.as_bytes(), 0o755);
    let nice = Command::new("nice").output().unwrap().stdout;
    let own: i32 = String::from_utf8(nice).unwrap().trim().parse().unwrap();
    for (name, _) in groups {
        let mut command = mta.command();
        let recipient = format!("{name}@a.test");
        let mut child = command.args(["-odi", &recipient]).stdin(std::process::Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(b"Subject: nice\n\nx\n").unwrap();
        child.wait().unwrap();
        assert!(fs::read_dir(folder(name)).unwrap().count() > 0, "{name}");
    }
    mta.write("mail/nice", b"", 0o666);
    mta.run_queue();
    let values = fs::read_to_string(&shown).unwrap();
    let values: Vec<i32> = values.lines().map(|line| line.parse().unwrap()).collect();
    assert_eq!(values, [own + 10, own + 5, own].map(|value| value.min(19)));
}
