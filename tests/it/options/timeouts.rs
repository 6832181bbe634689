//! How long others are waited for. Each case ends when its time is over; without that it would last minutes.

use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::thread::JoinHandle;

use socket2::{Domain, Socket, Type};

use super::*;
use crate::support::client::Client;
use crate::support::fake_host::FakeHost;

const MESSAGE: &[u8] = b"Subject: x\n\nx\n";

/// A host that answers up to a point and then says nothing; its connection stays open.
fn silent_after(replies: &'static str) -> u16 {
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    // It ends with the test program.
    std::thread::spawn(move || {
        let mut held = Vec::new();
        for mut stream in listener.incoming().flatten() {
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            for (n, reply) in replies.lines().enumerate() {
                let mut line = String::new();
                // The greeting answers nothing, the reply to the dot a whole message.
                while n > 0 && reader.read_line(&mut line).unwrap_or(0) > 0 {
                    if !reply.starts_with("250 taken") || line.ends_with("\n.\r\n") || line == ".\r\n" {
                        break;
                    }
                }
                if write!(stream, "{}\r\n", reply.replace('\\', "\r\n")).is_err() {
                    break;
                }
            }
            held.push((stream, reader));
        }
    });
    port
}

/// A port whose queue of connections is full: another connection is neither taken nor refused.
pub(super) fn full_port() -> (u16, Socket, Vec<TcpStream>) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
    socket.listen(0).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    let connect = || TcpStream::connect_timeout(&address, std::time::Duration::from_millis(200)).ok();
    let held = std::iter::from_fn(connect).take(8).collect();
    (address.port(), socket, held)
}

/// What the program says of a message to that port under one more line.
fn tried(lines: &str, port: u16, letters: &str) -> JoinHandle<(i32, String, String)> {
    let (lines, letters) = (lines.to_owned(), letters.to_owned());
    std::thread::spawn(move || {
        let sandbox = Sandbox::new();
        let site = sandbox.mta("a", port, &lines);
        let text =
            std::fs::read_to_string(site.path("cf")).unwrap().replace("F=mDFMuXa8", &format!("F=mDFMuXa8{letters}"));
        site.write("cf", text.as_bytes(), 0o644);
        let (exit, printed) = run(&site, &["-odi", "-v", "you@next.test"], MESSAGE);
        (exit, printed, site.log())
    })
}

#[test]
fn a_server_is_waited_for_as_long_as_the_options_say() {
    let ehlo = "220 next.test ESMTP\n250 next.test";
    let mail = "220 next.test ESMTP\n250 next.test\n250 ok";
    let rcpt = "220 next.test ESMTP\n250 next.test\n250 ok\n250 ok";
    let data = "220 next.test ESMTP\n250 next.test\n250 ok\n250 ok\n354 go";
    let cases = [
        ("Timeout.initial", "", "", "greeting"),
        ("Timeout.helo", "220 next.test ESMTP", "", "EHLO"),
        ("Timeout.mail", ehlo, "", "MAIL"),
        ("Timeout.rcpt", mail, "", "RCPT"),
        ("Timeout.datainit", rcpt, "", "DATA 354"),
        ("Timeout.datafinal", data, "", "DATA status"),
        ("Timeout.lhlo", "220 next.test LMTP", "z", "LHLO"),
    ];
    let running: Vec<_> = cases
        .iter()
        .map(|(name, replies, letters, _)| {
            let replies: &'static str = replies;
            tried(&format!("O {name}=1s\n"), silent_after(replies), letters)
        })
        .collect();
    for ((name, _, _, words), running) in cases.iter().zip(running) {
        let (exit, printed, log) = running.join().unwrap();
        assert!(exit == 0 && printed.contains("Deferred"), "{name}: {printed}");
        assert!(log.contains("timeout waiting for input from"), "{name}: {log}");
        let line = log.lines().find(|line| line.contains("timeout waiting for input from")).unwrap();
        assert!(line.contains(words), "{name}: {line}");
    }
    // The message is taken; the reply to QUIT does not come.
    let whole = "220 next.test ESMTP\n250 next.test\n250 ok\n250 ok\n354 go\n250 taken";
    let (exit, printed, _) = tried("O Timeout.quit=1s\n", silent_after(whole), "").join().unwrap();
    assert!(exit == 0 && printed.contains("Sent"), "{printed}");
}

#[test]
fn later_words_of_a_server_are_waited_for_as_long_as_the_options_say() {
    // Another transaction on the same connection.
    let whole = "220 next.test ESMTP\n250 next.test\n250 ok\n250 ok\n354 go\n250 taken";
    let sandbox = Sandbox::new();
    let site = sandbox.mta("a", silent_after(whole), "O Timeout.rset=1s\nO Timeout.quit=1s\n");
    for user in ["one@next.test", "two@next.test"] {
        run(&site, &["-odq", user], MESSAGE);
    }
    site.run_queue();
    assert!(site.log().contains("during client RSET"), "{}", site.log());
    // A login.
    let offer = "220 next.test ESMTP\n250-next.test\\250 AUTH PLAIN";
    let (_sandbox, server) = alone("O AuthMechanisms=PLAIN\n");
    let _daemon = server.start();
    if !Client::connect(server.port).say("EHLO client.test").contains("AUTH PLAIN") {
        println!("LEFT OUT: the mechanism PLAIN of SASL is missing (Debian: apt-get install libsasl2-modules)");
        return;
    }
    let login = "O AuthMechanisms=PLAIN\nSauthinfo\nR$*\t$# \"U:user\" \"P:secret\" \"R:b.test\" \"M:PLAIN\"\n";
    let (_, printed, log) = tried(&format!("O Timeout.auth=1s\n{login}"), silent_after(offer), "").join().unwrap();
    assert!(log.contains("during client AUTH"), "{printed}\n{log}");
}

#[test]
fn a_connection_is_waited_for_as_long_as_the_options_say() {
    let (port, _socket, held) = full_port();
    if held.len() == 8 {
        println!("the system takes connections without end: the time of a connection was not looked at");
        return;
    }
    for name in ["Timeout.connect", "Timeout.iconnect", "Timeout.aconnect"] {
        let (exit, printed, _) = tried(&format!("O {name}=1s\n"), port, "").join().unwrap();
        assert_eq!(exit, 0, "{name}: {printed}");
        assert!(printed.contains("Deferred: Connection timed out"), "{name}: {printed}");
    }
    // Who had no time of its own is not remembered as one that is down.
    for (name, is_remembered) in [("Timeout.connect", true), ("Timeout.aconnect", false)] {
        let sandbox = Sandbox::new();
        let status = sandbox.path("a").join("status");
        let lines = format!("O {name}=1s\nO Timeout.hoststatus=30m\nO HostStatusDirectory={}\n", status.display());
        let site = sandbox.mta("a", port, &lines);
        std::fs::create_dir(&status).unwrap();
        run(&site, &["-odi", "you@next.test"], MESSAGE);
        assert_eq!(status.join("1./0./0./127").exists(), is_remembered, "{name}");
    }
}

#[test]
fn a_client_is_waited_for_as_long_as_the_options_say() {
    let (_sandbox, site) = alone("O Timeout.command=1s\n");
    let _daemon = site.start();
    let mut client = Client::connect(site.port);
    client.reply();
    crate::support::until(crate::support::LIMIT, "it is told", || site.log().contains("during server cmd read"));
    let (_sandbox, site) = alone("O Timeout.datablock=1s\n");
    let _daemon = site.start();
    let mut client = Client::connect(site.port);
    client.open_data("me@client.test", &["you@a.test"]);
    client.send(b"Subject: x\r\n\r\nhalf");
    client.reply();
    crate::support::until(crate::support::LIMIT, "it is told", || site.log().contains("info=read timeout"));
}

#[test]
fn who_asks_nothing_of_the_control_socket_is_let_go() {
    let (_sandbox, site) = alone("O ControlSocketName=DIR/control\nO Timeout.control=1s\n");
    let text = std::fs::read_to_string(site.path("cf")).unwrap().replace("DIR/", &format!("{}/", site.dir.display()));
    site.write("cf", text.as_bytes(), 0o644);
    let _daemon = site.start();
    let mut stream = std::os::unix::net::UnixStream::connect(site.path("control")).unwrap();
    stream.set_read_timeout(Some(crate::support::LIMIT)).unwrap();
    // Nothing is asked: it closes.
    let mut answer = String::new();
    std::io::Read::read_to_string(&mut stream, &mut answer).unwrap();
}

#[test]
fn ident_servers_are_asked_unless_they_have_no_time() {
    let Ok(listener) = std::net::TcpListener::bind("127.0.0.11:113") else {
        println!("no ident server can be had here: it was not looked at");
        return;
    };
    listener.set_nonblocking(true).unwrap();
    for (lines, is_asked) in [("O Timeout.ident=0\n", false), ("O Timeout.ident=1s\n", true)] {
        let (_sandbox, site) = alone(lines);
        let _daemon = site.start();
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.bind(&"127.0.0.11:0".parse::<SocketAddr>().unwrap().into()).unwrap();
        socket.connect(&SocketAddr::from((Ipv4Addr::LOCALHOST, site.port)).into()).unwrap();
        // It greets in the end, though nobody answered.
        drop(Client::over(socket.into()));
        assert_eq!(listener.accept().is_ok(), is_asked, "{lines:?}");
    }
}

/// What becomes of a message of an hour's age that the next hop puts off.
fn aged(lines: &str, args: &[&str], header: &str) -> (Site, Sandbox) {
    aged_with(lines, &[&["-odq"], args, &["you@next.test"]].concat(), header)
}

fn aged_with(lines: &str, args: &[&str], header: &str) -> (Site, Sandbox) {
    let next =
        FakeHost::new(&["S: 220 next.test ESMTP\nC: EHLO *\nS: 250 next.test\nC: MAIL *\nS: 451 later\nhang up"]);
    let sandbox = Sandbox::new();
    let site = sandbox.mta("a", next.port, &format!("Purgent=10\nPslow=-10\n{lines}"));
    run(&site, args, format!("Subject: old\n{header}\nx\n").as_bytes());
    let name = site.path("queue").join(&site.queue_files("qf")[0]);
    let text = std::fs::read(&name).unwrap();
    let old = text.split(|b| *b == b'\n').map(|line| match line.strip_prefix(b"T") {
        Some(time) => format!("T{}", String::from_utf8_lossy(time).parse::<u64>().unwrap() - 3600).into_bytes(),
        None => line.to_vec(),
    });
    std::fs::write(&name, old.collect::<Vec<_>>().join(&b'\n')).unwrap();
    site.run_queue();
    (site, sandbox)
}

#[test]
fn old_messages_come_back_and_are_told_of_by_their_precedence() {
    let sender = &["-fme@a.test"][..];
    for (class, args, header) in [
        ("normal", sender, ""),
        ("urgent", sender, "Precedence: urgent\n"),
        ("non-urgent", sender, "Priority: non-urgent\n"),
    ] {
        for (lines, is_returned, is_warned) in [
            (String::new(), false, false),
            (format!("O Timeout.queuereturn.{class}=30m\n"), true, false),
            (format!("O Timeout.queuereturn.{class}=2h\n"), false, false),
            (format!("O Timeout.queuewarn.{class}=30m\n"), false, true),
        ] {
            let (site, _sandbox) = aged(&lines, args, header);
            let report = site.mailbox("me");
            assert_eq!(report.contains("Action: failed"), is_returned, "{class} {lines:?}: {report}");
            assert_eq!(report.contains("Action: delayed"), is_warned, "{class} {lines:?}: {report}");
        }
        // The time of another class says nothing.
        let other = if class == "normal" { "urgent" } else { "normal" };
        let (site, _sandbox) = aged(&format!("O Timeout.queuereturn.{other}=30m\n"), args, header);
        assert_eq!(site.mailbox("me"), "", "{class}");
    }
    for (lines, is_returned, is_warned) in [
        ("O Timeout.queuereturn=30m\n", true, false),
        ("O Timeout.queuereturn.*=30m\n", true, false),
        ("O QueueTimeout=30m\n", true, false),
        ("O Timeout.queuewarn=30m\n", false, true),
        ("O Timeout.queuewarn.*=30m\n", false, true),
        ("O QueueTimeout=5d/30m\n", false, true),
    ] {
        let (site, _sandbox) = aged(lines, sender, "");
        let report = site.mailbox("me");
        let found = (report.contains("Action: failed"), report.contains("Action: delayed"));
        assert_eq!(found, (is_returned, is_warned), "{lines:?}: {report}");
    }
    // The same by the field of that name; what is bulk is not told of. Source: observed.
    let (site, _sandbox) = aged("O Timeout.queuereturn.urgent=30m\n", sender, "Priority: Urgent\n");
    assert!(site.mailbox("me").contains("Action: failed"));
    let (site, _sandbox) = aged("O Timeout.queuewarn=30m\n", sender, "Precedence: slow\n");
    assert_eq!(site.mailbox("me"), "");
    let (site, _sandbox) = aged("O Timeout.queuewarn=30m\n", &["-f<>"], "");
    assert_eq!(site.mailbox("postmaster"), "");
    // Reports have a time of their own.
    for (lines, is_returned) in [
        ("", false),
        ("O Timeout.queuereturn.dsn=30m\n", true),
        ("O Timeout.queuereturn.normal=30m\n", false),
        ("O Timeout.queuewarn.dsn=30m\n", false),
    ] {
        let (site, _sandbox) = aged_with(lines, &["-odi", "-oem", "-fme@next.test", "nosuch@a.test"], "");
        assert_eq!(site.mailbox("postmaster").contains("Action: failed"), is_returned, "{lines:?}");
    }
}
