//! Values of the predefined macros, where rules, header lines and arguments of mailers see them.

use std::fs;
use std::io::Write as _;
use std::process::Stdio;

use crate::support::client::Client;
use crate::support::fake_host::FakeHost;
use crate::support::private_etc::with_etc;
use crate::support::sandbox::{Sandbox, Site, is_root};
use crate::support::tls::Authority;
use crate::support::{LIMIT, until};

/// A moment, a macro, and its value there: as it is, what it begins with before a `*`, or a word for what only the test knows.
/// Source: observed.
const SEEN: &[(&str, &str, &str)] = &[
    ("RELAY", "$_", "localhost[127.0.0.1]"),
    ("RELAY", "$j", "a.test"),
    ("RELAY", "$v", "8*"),
    ("RELAY", "$Z", "8.18"),
    ("RELAY", "$n", "MAILER-DAEMON"),
    ("RELAY", "${client_addr}", "127.0.0.1"),
    ("RELAY", "${client_connections}", "NUMBER"),
    ("RELAY", "${client_name}", "localhost"),
    ("RELAY", "${client_port}", "PORT"),
    ("RELAY", "${client_ptr}", "localhost"),
    ("RELAY", "${client_rate}", "NUMBER"),
    ("RELAY", "${client_resolve}", "OK"),
    ("RELAY", "${total_rate}", "NUMBER"),
    ("RELAY", "${daemon_addr}", "127.0.0.1"),
    ("RELAY", "${daemon_family}", "inet"),
    ("RELAY", "${daemon_flags}", "CC f"),
    ("RELAY", "${daemon_info}", "SMTP+queueing@01:00:00"),
    ("RELAY", "${daemon_name}", "MTA"),
    ("RELAY", "${daemon_port}", "DAEMON"),
    ("RELAY", "${queue_interval}", "01:00:00"),
    ("RELAY", "${opMode}", "D"),
    ("RELAY", "${deliveryMode}", "b"),
    ("RELAY", "${verify}", ""),
    // Nobody listens but on the loopback interface.
    ("RELAY", "${if_addr}", ""),
    ("MAIL", "${verify}", "OK"),
    ("MAIL", "$r", "ESMTPS"),
    ("MAIL", "$s", "client.test"),
    ("MAIL", "${mail_addr}", "me@client.test"),
    ("MAIL", "${mail_from}", "<me@client.test>"),
    ("MAIL", "${mail_host}", "[127.0.0.1]"),
    ("MAIL", "${mail_mailer}", "esmtp"),
    ("MAIL", "${msg_size}", "1000"),
    ("MAIL", "${dsn_ret}", "HDRS"),
    ("MAIL", "${dsn_envid}", "abc+2B"),
    ("MAIL", "${bodytype}", ""),
    ("MAIL", "${auth_author}", "me@other.test"),
    ("MAIL", "${nrcpts}", "0"),
    ("RCPT", "${addr_type}", "e r"),
    ("RCPT", "${rcpt_addr}", "you"),
    ("RCPT", "${rcpt_host}", "args.via"),
    ("RCPT", "${rcpt_mailer}", "args"),
    ("RCPT", "${dsn_notify}", "SUCCESS,FAILURE"),
    ("RCPT", "${nbadrcpts}", "1"),
    ("RCPT", "$i", "ID"),
    ("RCPT", "$f", "me@client.test"),
    ("DATA", "${nrcpts}", "1"),
    ("DATA", "${rcpt_addr}", ""),
    ("DATA", "${dsn_notify}", ""),
    ("DATA", "$c", "0"),
    ("DATA", "${ntries}", "0"),
    ("DATA", "$p", "PID"),
    ("DATA", "${time}", "17*"),
    ("HDR", "${hdr_name}", "Subject"),
    ("HDR", "${hdrlen}", "9"),
    ("HDR", "${currHeader}", " test one"),
    ("EOH", "${msg_id}", ""),
    ("EOM", "${msg_id}", "<id@host>"),
    ("EOM", "${msg_size}", "SIZE"),
    ("EOM", "$c", "1"),
    ("EOM", "${tls_version}", "TLSv1.3"),
    ("EOM", "${cipher}", "TLS_AES_256_GCM_SHA384"),
    ("EOM", "${cipher_bits}", "256"),
    ("EOM", "${alg_bits}", "256"),
    ("EOM", "${cert_subject}", "/CN=client.test"),
    ("EOM", "${cert_issuer}", "/CN=Authority"),
    ("EOM", "${cn_subject}", "client.test"),
    ("EOM", "${cn_issuer}", "Authority"),
    ("EOM", "${cert_fp}", "FINGERPRINT"),
    ("EOM", "${cert_md5}", ""),
    ("EOM", "${cert_altnames}", "client.test"),
    ("COMPAT", "${bodytype}", "8BITMIME"),
    ("COMPAT", "${envid}", "abc+2B"),
    ("COMPAT", "${dsn_notify}", "SUCCESS,FAILURE"),
    ("COMPAT", "${nrcpts}", "1"),
    ("COMPAT", "${server_name}", ""),
];

/// A ruleset that writes those macros to the log which are looked at in its moment.
fn ruleset(name: &str, moment: &str) -> String {
    let mut text = format!("S{name}\n");
    for (_, name, _) in SEEN.iter().filter(|(at, ..)| *at == moment) {
        let bare = name.trim_matches(['$', '{', '}']);
        text.extend([format!("R$*\t$: $1 $| $(seen {moment}..{bare}..$&{} $)\nR$* $| $*\t$: $1\n", &name[1..])]);
    }
    text
}

/// What the log has of a macro at a moment, last; of one message, or before it began, where its id is given.
fn logged(log: &str, id: &str, moment: &str, name: &str) -> Option<String> {
    let start = format!(": {moment}..{}..", name.trim_matches(['$', '{', '}']));
    let lines = log.lines().filter(|line| line.contains(id) || line.contains(" NOQUEUE: "));
    lines.filter_map(|line| line.split_once(&start)).map(|(_, value)| value.to_owned()).next_back()
}

/// A mailer that keeps its arguments, one a line.
const ARGUMENTS: &str = "#!/bin/sh\nfile=$1; shift\nfor word; do echo \"$word\"; done >>\"$file\"\ncat >/dev/null\n";

fn with_arguments(site: &Site) {
    site.write("arguments", ARGUMENTS.as_bytes(), 0o755);
    let cf = fs::read_to_string(site.path("cf")).unwrap();
    let route = "Sparse=0\nR$+ < @ args . via >\t$#args $@ args.via $: $1\n";
    site.write("cf", cf.replace("Sparse=0\n", route).as_bytes(), 0o644);
}

#[test]
fn each_moment_of_a_session_shows_what_is_known() {
    let sandbox = Sandbox::new();
    let authority = Authority::new(&sandbox.path("tls"));
    authority.sign("a.test");
    let certificate = authority.sign_as("client.test", crate::support::tls::Wish::default());
    let rules = [
        ("check_relay", "RELAY"),
        ("check_mail", "MAIL"),
        ("check_rcpt", "RCPT"),
        ("check_data", "DATA"),
        ("Subject", "HDR"),
        ("check_eoh", "EOH"),
        ("check_eom", "EOM"),
        ("check_compat", "COMPAT"),
    ];
    let rules: String = rules.iter().map(|(name, moment)| ruleset(name, moment)).collect();
    let words = "a=$a b=$b d=$d t=$t time=${time} c=$c p=$p f=$f g=$g h=$h u=$u r=$r s=$s i=$i x=$x";
    let lines = format!(
        "Kseen syslog\nHSubject: $>+Subject\nO CertFingerprintAlgorithm=sha256\nO SetCertAltnames=True\n\
         O LogLevel=9\nMargs, P=@DIR@/arguments, F=l, A=arguments @DIR@/mail/args {words}$|u=$u\n{rules}{}",
        authority.options("a.test")
    )
    .replace("$|u=$u", "");
    let site = sandbox.mta("a", 1, &lines);
    with_arguments(&site);
    let cf = fs::read_to_string(site.path("cf")).unwrap();
    let port = format!("Port={}, Family=inet", site.port);
    site.write("cf", cf.replace(&port, &format!("{port}, M=Cf")).as_bytes(), 0o644);
    let daemon = site.start();

    let client = Client::connect(site.port);
    let client_port = client.port();
    let mut client = client.start_tls_with(&authority.connector(Some("client.test")));
    client.expect("EHLO client.test", "250-");
    client
        .expect("MAIL FROM:<me@client.test> SIZE=1000 BODY=8BITMIME RET=HDRS ENVID=abc+2B AUTH=me@other.test", "250 ");
    client.expect("RCPT TO:<u@nowhere.test>", "550 ");
    client.expect("RCPT TO:<you@args.via> NOTIFY=SUCCESS,FAILURE", "250 ");
    client.expect("DATA", "354 ");
    let text =
        "Date: Thu, 1 Jan 2015 01:02:03 +0000\r\nMessage-Id: <id@host>\r\nSubject: test one\r\n\r\ncaf\u{e9}\r\n";
    client.send(text.as_bytes());
    let reply = client.say(".");
    let id = reply.split_whitespace().nth(2).unwrap().to_owned();
    until(LIMIT, "it is delivered", || site.log().contains("to=<you@args.via>"));
    let log = site.log();

    let fingerprint = certificate.digest(openssl::hash::MessageDigest::sha256()).unwrap();
    let fingerprint: Vec<String> = fingerprint.iter().map(|byte| format!("{byte:02X}")).collect();
    let known = |word: &str| match word {
        "PORT" => client_port.to_string(),
        "DAEMON" => site.port.to_string(),
        "PID" => daemon.pid().to_string(),
        "ID" => id.clone(),
        "SIZE" => (text.len() - text.matches('\r').count()).to_string(),
        "FINGERPRINT" => fingerprint.join(":"),
        other => other.to_owned(),
    };
    let wrong = wrong_values(SEEN, &log, &id, known);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));

    // What a program is told: its words in turn.
    let words = fs::read_to_string(site.path("mail/args")).unwrap();
    let pid = daemon.pid().to_string();
    for (name, value) in [
        ("a", "Thu, 1 Jan 2015 01:02:03 +0000"),
        ("c", "1"),
        ("p", &pid),
        ("f", "me@client.test"),
        ("g", "me@client.test"),
        ("h", "args.via"),
        ("u", "you"),
        ("r", "ESMTPS"),
        ("s", "client.test"),
        ("i", &id),
    ] {
        assert_eq!(word(&words, name), value, "${name}: {words}");
    }
    tells_the_time(&words);
}

/// What the log has otherwise than that; `known` puts in what only the test knows.
fn wrong_values(values: &[(&str, &str, &str)], log: &str, id: &str, known: impl Fn(&str) -> String) -> Vec<String> {
    let mut wrong = Vec::new();
    for (moment, name, wanted) in values {
        let wanted = known(wanted);
        let seen = logged(log, id, moment, name);
        let is_right = seen.as_ref().is_some_and(|seen| match wanted.strip_suffix('*') {
            Some(start) => seen.starts_with(start),
            None if wanted == "NUMBER" => seen.parse::<u32>().is_ok_and(|number| number > 0),
            None => *seen == wanted,
        });
        if !is_right {
            wrong.push(format!("{moment} {name}: {seen:?}, not {wanted:?}"));
        }
    }
    wrong
}

/// A word of a mailer's arguments.
fn word<'w>(words: &'w str, name: &str) -> &'w str {
    words.lines().find_map(|line| line.strip_prefix(&format!("{name}="))).unwrap_or("none")
}

/// `$t`, `$d` and `$b` are the moment of `${time}`.
fn tells_the_time(words: &str) {
    let seconds: i64 = word(words, "time").parse().unwrap();
    let now = jiff::Timestamp::from_second(seconds).unwrap().to_zoned(jiff::tz::TimeZone::UTC);
    assert!((jiff::Timestamp::now().as_second() - seconds).abs() < 600, "{words}");
    assert_eq!(word(words, "t"), now.strftime("%Y%m%d%H%M").to_string(), "{words}");
    // In the time of the place, whatever that is.
    let place = jiff::Timestamp::from_second(seconds).unwrap().to_zoned(jiff::tz::TimeZone::system());
    assert_eq!(word(words, "d"), place.strftime("%a %b %e %H:%M:%S %Y").to_string(), "{words}");
    assert!(word(words, "b").starts_with(&place.strftime("%a, %-d %b %Y %H:%M:%S ").to_string()), "{words}");
}

/// What the server shows, whom mail goes to, and nothing of the client that brought it.
#[test]
fn rules_see_the_server_that_is_spoken_to() {
    let sandbox = Sandbox::new();
    let authority = Authority::new(&sandbox.path("tls"));
    authority.sign("a.test");
    authority.sign("next.test");
    let next = FakeHost::with_tls(&[""], authority.acceptor("next.test"));
    let names = "server_name server_addr client_flags verify cn_subject cert_md5 auth_type if_addr_out rcpt_addr";
    let mut rules = String::new();
    for (ruleset, moment) in [("try_tls", "TRY"), ("tls_server", "SERVER"), ("tls_rcpt", "RCPT")] {
        rules.extend([format!("S{ruleset}\n")]);
        for name in names.split(' ') {
            rules.extend([format!("R$*\t$: $1 $| $(seen {moment}..{name}..$&{{{name}}} $)\nR$* $| $*\t$: $1\n")]);
        }
    }
    let lines = format!(
        "Kseen syslog\nO ClientPortOptions=Family=inet, Address=0.0.0.0, M=hA\n{rules}{}",
        authority.options("a.test")
    );
    let site = sandbox.mta("a", next.port, &lines);
    let _daemon = site.start();
    let mut client = Client::connect(site.port).start_tls_with(&authority.connector(Some("a.test")));
    client.expect("EHLO client.test", "250-");
    assert!(client.message("me@a.test", &["you@next.test"], b"Subject: x\r\n\r\nx\r\n").starts_with("250 "));
    until(LIMIT, "it is delivered", || site.log().contains("stat=Sent"));
    let log = site.log();
    let seen = |moment: &str, name: &str| logged(&log, "", moment, name).unwrap();
    assert_eq!(seen("TRY", "server_name"), "[127.0.0.1]");
    assert_eq!(seen("TRY", "server_addr"), "127.0.0.1");
    assert_eq!(seen("TRY", "client_flags"), "h AA");
    for name in ["verify", "cn_subject", "cert_md5", "auth_type", "if_addr_out"] {
        assert_eq!(seen("TRY", name), "", "{name}");
    }
    assert_eq!(seen("SERVER", "verify"), "OK");
    assert_eq!(seen("SERVER", "cn_subject"), "next.test");
    assert_eq!(seen("SERVER", "cert_md5").len(), 16 * 3 - 1);
    assert_eq!(seen("RCPT", "rcpt_addr"), "you@next.test");
}

/// A machine with another interface: one in a name space of its own.
#[test]
fn interfaces_of_the_machine_are_named() {
    if !is_root() {
        return println!("not root: there is no interface to look at");
    }
    let sandbox = Sandbox::new();
    let mut rules = String::new();
    for (ruleset, names) in
        [("check_mail", "if_addr if_family if_name"), ("tls_server", "if_addr_out if_family_out if_name_out")]
    {
        rules.extend([format!("S{ruleset}\n")]);
        for name in names.split(' ') {
            rules.extend([format!("R$*\t$: $1 $| $(seen IF..{name}..$&{{{name}}} $)\nR$* $| $*\t$: $1\n")]);
        }
    }
    // The client says the name of its interface, as M=h has it.
    rules = rules.replace("Stls_server\n", "R$*\t$: $1 $| $(seen IF..helo..$&s $)\nR$* $| $*\t$: $1\nStls_server\n");
    // One message is enough: it is refused there.
    rules += "Scheck_rcpt\nR$*\t$#error $@ 5.7.1 $: \"550 no\"\n";
    let site =
        sandbox.mta("a", 1, &format!("Kseen syslog\nO LogLevel=9\nO ClientPortOptions=Family=inet, M=h\n{rules}"));
    let cf = fs::read_to_string(site.path("cf")).unwrap();
    let cf = cf.replace("Addr=127.0.0.1", "Addr=192.0.2.1").replace("$#esmtp $@ [127.0.0.1]", "$#esmtp $@ [192.0.2.1]");
    // The daemon has our own name.
    let cf = cf.replace("F=mDFMuXa8", "F=mDFMuXa8k").replace("A=TCP $h 1\n", &format!("A=TCP $h {}\n", site.port));
    site.write("cf", cf.as_bytes(), 0o644);
    // The daemon, and a message from the command line that goes to it.
    let sendmail = format!("{} -C {}", site.program, site.path("cf").display());
    let script = format!(
        "ip link set lo up; ip addr add 192.0.2.1/32 dev lo; {sendmail} -bD & child=$!\n\
         until (: </dev/tcp/192.0.2.1/{}) 2>/dev/null; do kill -0 $child || exit 1; done\n\
         printf 'Subject: x\\n\\nx\\n' | {sendmail} -odi -fme@a.test you@next.test; kill $child",
        site.port
    );
    let mut command = std::process::Command::new("unshare");
    command.args(["-n", "bash", "-c", &script]).env("SENDMAIL_LOG_FILE", site.log_file()).current_dir(&site.dir);
    let hosts = "127.0.0.1 localhost\n192.0.2.1 iface.test\n";
    let mut command = with_etc(&command, &site.dir, &[("hosts", hosts)]).unwrap();
    let output = command.output().unwrap();
    let log = site.log();
    for (name, value) in [("addr", "192.0.2.1"), ("family", "2"), ("name", "iface.test")] {
        assert_eq!(logged(&log, "", "IF", &format!("if_{name}")).as_deref(), Some(value), "{output:?}");
        assert_eq!(logged(&log, "", "IF", &format!("if_{name}_out")).as_deref(), Some(value), "{output:?}");
    }
    assert_eq!(logged(&log, "", "IF", "helo").as_deref(), Some("iface.test"), "{output:?}");
}

/// The command line: who calls, and what options say.
#[test]
fn a_message_from_the_command_line_shows_its_caller() {
    let sandbox = Sandbox::new();
    let user = crate::support::sandbox::user_name();
    let words = "_=$_ a=$a c=$c p=$p q=$q r=$r s=$s x=$x y=$y z=$z envid=${envid} ret=${dsn_ret} id=${dsn_envid} \
        notify=${dsn_notify} body=${bodytype} mode=${opMode} delivery=${deliveryMode} load=${load_avg} flags=${daemon_flags} \
        quarantine=${quarantine} size=${msg_size} tries=${ntries} m={m}";
    let line = format!("Dq<$f>\nMargs, P=@DIR@/arguments, F=lw, A=arguments @DIR@/mail/args {words} $u\n");
    let site = sandbox.mta("a", 1, &line);
    with_arguments(&site);
    let args = ["-odi", "-fme", "-FFull Name", "-h3", "-pXMTP:far.test", "-Venv1", "-Rhdrs", "-Nsuccess", "-B8BITMIME"];
    let to = format!("{user}@args.via");
    assert_eq!(site.submit(&[&args[..], &[&to]].concat(), "Subject: x\n\ncaf\u{e9}\n".as_bytes()), (0, String::new()));
    let words = fs::read_to_string(site.path("mail/args")).unwrap();
    let word = |name: &str| word(&words, name);
    for (name, value) in [
        ("_", format!("{user}@localhost")),
        ("c", "3".to_owned()),
        ("q", "<me>".to_owned()),
        ("r", "XMTP".to_owned()),
        ("s", "far.test".to_owned()),
        ("x", "Full Name".to_owned()),
        ("y", String::new()),
        ("z", crate::support::sandbox::home(&user)),
        ("envid", "env1".to_owned()),
        ("id", "env1".to_owned()),
        ("ret", "HDRS".to_owned()),
        ("notify", "SUCCESS".to_owned()),
        ("body", "8BITMIME".to_owned()),
        ("mode", "m".to_owned()),
        ("delivery", "i".to_owned()),
        ("flags", "c u".to_owned()),
        ("quarantine", String::new()),
        ("tries", "0".to_owned()),
    ] {
        assert_eq!(word(name), value, "{name}: {words}");
    }
    assert!(word("load").parse::<u32>().is_ok() && word("p").parse::<u32>().is_ok_and(|pid| pid != std::process::id()));
    assert!(word("a").ends_with(" GMT") || word("a").contains(" +") || word("a").contains(" -"), "{words}");
}

/// `$w`, `$k` and `$m` come from the name of the machine.
#[test]
fn names_of_the_host_come_from_the_machine() {
    if !is_root() {
        return println!("not root: the machine has the name it has");
    }
    let sandbox = Sandbox::new();
    let site = sandbox.mta("a", 1, "");
    let cf = fs::read_to_string(site.path("cf")).unwrap();
    let text = cf.replace("Dja.test\n", "").replace("O DontProbeInterfaces=true\n", "");
    // Names that the file knows of stand there as they are.
    let text = text.replace("Cwa.test m.test localhost\n", "Cwother\n");
    site.write("cf", text.as_bytes(), 0o644);
    let mut command = site.command();
    command.arg("-bt");
    let hosts = "127.0.0.1 localhost other nick\n127.0.0.7 mail.example.test\n";
    let inner = with_etc(&command, &site.dir, &[("hosts", hosts)]).unwrap();
    let mut command = std::process::Command::new("unshare");
    command.args(["-u", "sh", "-c", "hostname mail.example.test; exec \"$@\"", "sh"]);
    command.arg(inner.get_program()).args(inner.get_args()).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"$j\n$w\n$k\n$m\n$=k\n$=m\n$=w\n").unwrap();
    let printed = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    let answers: Vec<&str> = printed.lines().filter_map(|line| line.strip_prefix("> ")).collect();
    assert_eq!(
        answers[..6],
        ["mail.example.test", "mail", "mail.example.test", "example.test", "mail.example.test", "example.test"]
    );
    // The host and its addresses.
    let has = |word: &str| printed.lines().any(|line| line.trim_start_matches("> ") == word);
    for word in ["localhost", "[localhost]", "nick", "[nick]", "mail.example.test", "[127.0.0.1]", "other"] {
        assert!(has(word), "no {word} in {printed}");
    }
    assert!(!has("[other]"), "{printed}");
}
