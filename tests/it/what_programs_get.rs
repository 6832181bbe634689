//! What fields and flags of a mailer change for the program that it runs.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use crate::support::sandbox::{Sandbox, Site, is_root};

/// Notes arguments, identity and directory, and what it reads; each mailer has its file.
const RECORD: &str = "#!/bin/sh\nlead=\n\
    while [ \"$1\" != at ]; do lead=\"$lead $1\"; shift; done\n\
    file=$2/$3; name=$3; shift 3\n\
    { echo \"LEAD$lead\"; echo \"ARGS $*\"; echo \"ID $(id -u):$(id -g)\"; echo \"PWD $(pwd)\"; echo \"NICE $(nice)\"\n\
    cat; echo END; } >>\"$file\"\n";

/// Mail for USER@NAME.via goes to the mailer of that name.
fn site(sandbox: &Sandbox, name: &str, mailers: &[(String, &str)], lines: &str) -> Site {
    let mut text = format!("Cwc.test\n{lines}");
    for (mailer, fields) in mailers {
        text.extend([format!("M{mailer}, P=@DIR@/record, A=record at @DIR@/mail {mailer} $h $u, {fields}\n")]);
    }
    let site = sandbox.mta(name, 1, &text);
    let cf = fs::read_to_string(site.path("cf")).unwrap();
    let route = "Sparse=0\nR$+ < @ $- . via >\t$#$2 $@ Host.Via $: $1\n";
    site.write("cf", cf.replace("Sparse=0\n", route).as_bytes(), 0o644);
    site.write("record", RECORD.as_bytes(), 0o755);
    fs::set_permissions(site.path("mail"), fs::Permissions::from_mode(0o1777)).unwrap();
    site
}

/// What a mailer's program got, a character a byte.
fn got(site: &Site, mailer: &str) -> String {
    let bytes = fs::read(site.path("mail").join(mailer)).unwrap_or_default();
    bytes.iter().map(|b| char::from(*b)).collect()
}

fn send(site: &Site, args: &[&str], message: &[u8]) {
    let (exit, printed) = site.submit(&[&["-odi"], args].concat(), message);
    assert_eq!((exit, printed.as_str()), (0, ""), "{args:?}");
}

/// A flag, what programs get without it, and what its own gets. Source: observed.
const FLAGS: &[(&str, &str, &str)] = &[
    ("F=1", "nul[\0]", "nul[]"),
    ("F=6", "Subject: caf\u{e9}", "Subject: cafi"),
    ("F=7", "caf\u{e9} =E9", "cafi =E9"),
    ("F=9", "caf\u{e9} =E9", "caf\u{e9} \u{e9}"),
    ("F=D", "", "\nDate: "),
    ("F=E", "\nFrom the start", "\n>From the start"),
    ("F=L", "", "w!\n w"),
    ("F=M", "", "\nMessage-Id: <"),
    ("F=P", "", "\nReturn-Path: <snd@C.test>"),
    ("F=X", "\n.dot\n", "\n..dot\n"),
    ("F=b", "\nlast\nEND", "\nlast\n\nEND"),
    ("F=c", "From: (hi) Real Name <snd@C.test>", "From: snd@C.test"),
    ("F=f", "LEAD\n", "LEAD -f snd@C.test\n"),
    ("F=h", "ARGS host.via ", "ARGS Host.Via "),
    ("F=n", "\nFrom snd@C.test ", ""),
    ("F=r", "LEAD\n", "LEAD -r snd@C.test\n"),
    ("F=s", "u\"s q\"e\n", "us qe\n"),
    ("F=u", "u\"s q\"e\n", "U\"s q\"e\n"),
    ("F=x", "", "\nFull-Name: Fu Ll\n"),
];

#[test]
fn each_flag_changes_its_part_of_the_message() {
    let sandbox = Sandbox::new();
    let mut message = b"To: Al <al@x.test>, (cmt) pq\nFrom: (hi) Real Name <snd@C.test>\nFull-Name: Fu Ll\n\
        Subject: caf\xe9\nMIME-Version: 1.0\nContent-Type: text/plain; charset=iso-8859-1\n\
        Content-Transfer-Encoding: quoted-printable\n\nFrom the start\n.dot\nnul[\0] caf\xe9 =E9\n"
        .to_vec();
    message.extend([b'w'; 1000]);
    message.extend(b"\nlast\n");
    let mailer = |field: &str| format!("f{:x}", field.as_bytes()[2]);
    for (at, some) in FLAGS.chunks(10).enumerate() {
        let mut mailers: Vec<_> = some.iter().map(|(field, ..)| (mailer(field), *field)).collect();
        mailers.push(("none".to_owned(), "F="));
        let site = site(&sandbox, &format!("a{at}"), &mailers, "H?x?Full-Name: $x\n");
        let recipients: Vec<String> = mailers.iter().map(|(name, _)| format!("U\"s q\"e@{name}.via")).collect();
        let mut args = vec!["-fsnd@C.test"];
        args.extend(recipients.iter().map(String::as_str));
        send(&site, &args, &message);
        let others = got(&site, "none");
        for (field, old, new) in some {
            let own = got(&site, &mailer(field));
            assert!(own.ends_with("END\n"), "{field}: {own}");
            assert!(old.is_empty() || others.contains(old) && !own.contains(old), "{field}: {old:?} stays\n{own}");
            assert!(new.is_empty() || own.contains(new) && !others.contains(new), "{field}: no {new:?}\n{own}");
        }
    }
}

#[test]
fn flags_of_senders_and_of_letters_of_one_s_own() {
    let sandbox = Sandbox::new();
    let mailers = [("none", "F="), ("dom", "F=C"), ("back", "F=B"), ("uucp", "F=U"), ("from", "F=F"), ("own", "F=Y")];
    let mailers = mailers.map(|(name, fields)| (name.to_owned(), fields));
    let site = site(&sandbox, "a", &mailers, "H?Y?X-Own: $j\n");
    let two = |name: &str, user: &str| [format!("{user}@none.via"), format!("{user}@{name}.via")];
    let sent = |from: &str, to: [String; 2], message: &str| {
        send(&site, &["-f", from, &to[0], &to[1]], message.as_bytes());
        let name = to[1].split(['@', '.']).nth(1).unwrap().to_owned();
        let texts = ["none", &name].map(|name| got(&site, name));
        for name in ["none", &name] {
            fs::remove_file(site.path("mail").join(name)).unwrap();
        }
        texts
    };
    // The mailer that leads to the sender has F=C.
    let message = "To: bob, joe@x.test\nCc: Al <al>\nFrom: carl\n\nx\n";
    let [_, own] = sent("snd@dom.via", two("dom", "bob"), message);
    for line in ["To: bob@dom.via, joe@x.test\n", "Cc: Al <al@dom.via>\n", "From: carl@dom.via\n"] {
        assert!(own.contains(line), "F=C: {own}");
    }
    let [_, own] = sent("snd@none.via", two("dom", "bob"), message);
    assert!(own.contains("To: bob, joe@x.test\n"), "F=C: {own}");

    let [others, own] = sent("snd", two("back", "\\\\u"), "Subject: b\n\nx\n");
    assert!(others.contains("ARGS host.via \\u\n") && own.contains("ARGS host.via u\n"), "F=B: {others}\n{own}");
    let [others, own] = sent("a!b!snd", two("uucp", "bob"), "Subject: u\n\nx\n");
    assert!(!others.contains("remote from"), "{others}");
    let first = own.lines().find(|line| line.starts_with("From ")).unwrap();
    assert!(first.starts_with("From b!snd  ") && first.ends_with(" remote from a"), "F=U: {own}");
    let [others, own] = sent("snd", two("from", "bob"), "Subject: f\n\nx\n");
    assert!(!others.contains("\nFrom: ") && own.contains("\nFrom: "), "F=F: {own}");
    let [others, own] = sent("snd", two("own", "bob"), "Subject: y\n\nx\n");
    assert!(!others.contains("X-Own") && own.contains("\nX-Own: a.test\n"), "F=Y: {own}");
}

/// The files that `/bin/sh` is made of.
fn shell() -> Vec<String> {
    let output = Command::new("ldd").arg("/bin/sh").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let paths = text.split_whitespace().filter(|word| word.starts_with('/')).map(str::to_owned);
    paths.chain(["/bin/sh".to_owned()]).collect()
}

/// Who runs the tests cannot become anybody else, unless it is root.
#[test]
fn a_program_has_the_user_directory_root_and_priority_of_its_mailer() {
    let sandbox = Sandbox::new();
    let mailers = [
        ("none", "F="),
        ("same", "F=S"),
        ("given", "F=, U=daemon:mail"),
        ("owner", "F=ow"),
        ("place", "F=, D=/no/such:/usr/bin:/tmp"),
        ("home", "F=w, D=$z/bin:$z"),
        ("nice", "F=, N=5"),
    ];
    let mailers = mailers.map(|(name, fields)| (name.to_owned(), fields));
    let jail = "Mjail, P=/show, F=S, /=@DIR@/jail, D=/no/such:/sub, A=show $u\n";
    let site = site(&sandbox, "a", &mailers, jail);
    // A shell and its libraries.
    for path in shell() {
        let to = site.path("jail").join(path.trim_start_matches('/'));
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(&path, to).unwrap();
    }
    fs::create_dir(site.path("jail/sub")).unwrap();
    site.write(
        "jail/show",
        b"#!/bin/sh\n{ pwd; cd ..; pwd; } >/got\nwhile read line; do echo \"$line\"; done >>/got\n",
        0o755,
    );
    let to: Vec<String> = mailers.iter().map(|(name, _)| format!("daemon@{name}.via")).collect();
    let mut args = vec!["-fsnd"];
    args.extend(to.iter().map(String::as_str).take(if is_root() { to.len() } else { 1 }));
    if is_root() {
        args.push("u@jail.via");
    }
    send(&site, &args, b"Subject: who\n\nx\n");
    let (uid, gid) = crate::support::sandbox::recipient();
    let has = |name: &str, line: &str| {
        let text = got(&site, name);
        assert!(text.contains(&format!("\n{line}\n")), "{name}: no {line:?}\n{text}");
    };
    has("none", &format!("ID {uid}:{gid}"));
    has("none", &format!("PWD {}", site.path("queue").display()));
    if !is_root() {
        return;
    }
    let daemon = |what: &str| crate::support::sandbox::id(what, "daemon");
    has("same", "ID 0:0");
    has("given", &format!("ID {}:{}", daemon("-u"), crate::support::sandbox::group("mail")));
    has("owner", &format!("ID {}:{}", daemon("-u"), daemon("-g")));
    has("place", "PWD /usr/bin");
    has("home", &format!("PWD {}", fs::canonicalize(crate::support::sandbox::home("daemon")).unwrap().display()));
    let jailed = fs::read_to_string(site.path("jail/got")).unwrap();
    assert!(jailed.starts_with("/sub\n/\n") && jailed.contains("Subject: who\n"), "{jailed}");
    let nice = |name: &str| {
        let text = got(&site, name);
        let value = text.lines().find_map(|line| line.strip_prefix("NICE ")).unwrap().to_owned();
        value.parse::<i32>().unwrap()
    };
    assert_eq!(nice("nice"), (nice("none") + 5).min(19));
}

#[test]
fn arguments_line_ends_and_the_time_to_end_are_those_of_the_mailer() {
    let sandbox = Sandbox::new();
    let mailers = [("lines", "F=, E=\\r\\n"), ("stays", "F=m, W=1s")];
    let mailers = mailers.map(|(name, fields)| (name.to_owned(), fields));
    let lines = "Mslow, P=@DIR@/slow, F=, W=1s, A=slow $u\nMargs, P=@DIR@/record, F=m, A=record at @DIR@/mail args -x $h $u -y$f\n";
    let site = site(&sandbox, "a", &mailers, lines);
    site.write("slow", b"#!/bin/sh\ncat >/dev/null\nexec sleep 60\n", 0o755);
    send(
        &site,
        &["-fsnd", "u@lines.via", "u@stays.via", "v@stays.via", "u@args.via", "v@args.via"],
        b"Subject: x\n\nx\n",
    );
    assert!(got(&site, "lines").contains("Subject: x\r\n\r\nx\r\n"), "E=: {}", got(&site, "lines"));
    // A word with the recipient is there for each of them.
    assert!(got(&site, "args").contains("\nARGS -x host.via v u -ysnd\n"), "A=: {}", got(&site, "args"));
    assert_eq!(got(&site, "stays").matches("END").count(), 1);
    // Who does not end in time is tried again later.
    send(&site, &["-fsnd", "u@slow.via"], b"Subject: x\n\nx\n");
    assert!(
        site.log().contains("mailer=slow") && site.log().contains("stat=Deferred: mailer took too long"),
        "W=: {}",
        site.log()
    );
    assert_eq!(site.queue_files("qf").len(), 1);
}

#[test]
fn a_flag_of_old_mailers_is_told_of() {
    let sandbox = Sandbox::new();
    let site = site(&sandbox, "a", &[("old".to_owned(), "F=I"), ("new".to_owned(), "F=")], "");
    send(&site, &["-fsnd", "u@new.via"], b"Subject: x\n\nx\n");
    assert!(site.log().contains("WARNING: mailer=old, flag=I deprecated") && !site.log().contains("mailer=new, flag"));
}

/// An alias that is called like a user is none: its program runs as the default user.
#[test]
fn names_of_aliases_are_no_users() {
    let sandbox = Sandbox::new();
    let site = site(&sandbox, "a", &[], "");
    let text = format!("daemon: \"|id -u >{}/mail/who\"\n", site.dir.display());
    site.write("aliases", text.as_bytes(), 0o644);
    send(&site, &["-fsnd", "daemon"], b"Subject: x\n\nx\n");
    assert_eq!(got(&site, "who").trim(), crate::support::sandbox::recipient().0.to_string());
}
