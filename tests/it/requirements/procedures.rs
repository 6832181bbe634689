//! Section 3: what readers are told to do.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::PathBuf;
use std::process::{Output, Stdio};

use super::*;
use crate::support::sandbox::is_root;
use crate::support::tls::Wish;

/// A folder with an authority, a key and a certificate made by `certs`.
fn made(place: &Place) -> PathBuf {
    let folder = place.sandbox.path("work");
    fs::create_dir(&folder).unwrap();
    printed(CERTS, &["newca", "--name", "Mail CA"], &folder);
    printed(CERTS, &["newreq", "--host", "mx.example.org"], &folder);
    printed(CERTS, &["sign"], &folder);
    folder
}

#[test]
fn r3_1_keys_are_not_encrypted_unless_asked_for() {
    let place = Place::new();
    let folder = made(&place);
    for key in ["newkey.pem", "demoCA/private/cakey.pem"] {
        let text = fs::read_to_string(folder.join(key)).unwrap();
        assert!(text.contains("BEGIN PRIVATE KEY") && !text.contains("ENCRYPTED"), "{key}: {text}");
        assert_eq!(fs::metadata(folder.join(key)).unwrap().permissions().mode() & 0o777, 0o600);
    }
    // A request of OpenSSL's own script is signed as well.
    let Some(script) =
        ["/usr/lib/ssl/misc/CA.pl", "/etc/pki/tls/misc/CA.pl"].iter().find(|path| fs::exists(path).unwrap())
    else {
        println!("no CA.pl on this machine: it was not tried");
        return;
    };
    let other = place.sandbox.path("script");
    fs::create_dir(&other).unwrap();
    let output = Command::new("perl")
        .arg(script)
        .args(["-newreq-nodes", "-extra-req", "-subj /CN=mx.example.org"])
        .current_dir(&other)
        .output();
    let Ok(output) = output else {
        println!("no perl on this machine: CA.pl was not tried");
        return;
    };
    assert!(output.status.success(), "{output:?}");
    let ca = folder.join("demoCA").display().to_string();
    printed(CERTS, &["sign", "--dir", &ca], &other);
    printed("openssl", &["verify", "-CAfile", &format!("{ca}/cacert.pem"), "newcert.pem"], &other);
}

#[test]
fn r3_2_an_authority_is_made_with_and_without_questions() {
    let place = Place::new();
    let folder = made(&place);
    let text = printed("openssl", &["x509", "-in", "demoCA/cacert.pem", "-noout", "-text"], &folder);
    assert!(text.contains("CN = Mail CA") && text.contains("CA:TRUE"), "{text}");
    if Command::new("script").arg("--version").output().is_err() {
        println!("no script(1) on this machine: the terminal was not looked at");
        return;
    }
    let asked = place.sandbox.path("asked");
    fs::create_dir(&asked).unwrap();
    let mut command = Command::new("script");
    command.args(["-qec", &format!("{CERTS} newca"), "/dev/null"]).current_dir(&asked);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"Asked CA\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success() && asked.join("demoCA/cacert.pem").exists(), "{output:?}");
}

#[test]
fn r3_3_a_request_is_made_and_signed() {
    let place = Place::new();
    let folder = made(&place);
    printed("openssl", &["verify", "-CAfile", "demoCA/cacert.pem", "-purpose", "sslserver", "newcert.pem"], &folder);
    printed("openssl", &["verify", "-CAfile", "demoCA/cacert.pem", "-purpose", "sslclient", "newcert.pem"], &folder);
    let text = printed("openssl", &["x509", "-in", "newcert.pem", "-noout", "-text"], &folder);
    assert!(text.contains("DNS:mx.example.org"), "{text}");
    let output = tool(CERTS, &["newreq", "--force", "--host", "me@example.org"], &folder);
    assert_eq!(output.status.code(), Some(64), "{output:?}");
}

#[test]
fn r3_4_install_copies_sets_modes_and_links() {
    let place = Place::new();
    let folder = made(&place);
    let group = printed("id", &["-gn"], &folder);
    let text = printed(CERTS, &["install", "--to", "certs", "--group", group.trim()], &folder);
    let hash = printed("openssl", &["x509", "-in", "demoCA/cacert.pem", "-noout", "-hash"], &folder);
    assert!(text.contains(&format!("{}.0 -> cacert.pem", hash.trim())), "{text}");
    for (file, bits) in [("cacert.pem", 0o644), ("mx-cert.pem", 0o644), ("mx-key.pem", 0o640), ("", 0o755)] {
        assert_eq!(fs::metadata(folder.join("certs").join(file)).unwrap().permissions().mode() & 0o777, bits, "{file}");
    }
    // The lines that it prints work as they are.
    let lines: String = text.split_inclusive('\n').filter(|line| line.starts_with("O ")).collect();
    let lines = lines
        .replace("=certs/", &format!("={}/certs/", folder.display()))
        .replace("=certs\n", &format!("={}/certs\n", folder.display()));
    assert!(place.run("a", 1, &lines.replace("GroupReadableKeyFile", "GroupReadableKeyFile,TrustStickyBit")).offers());
}

#[test]
fn r3_5_short_keys_are_refused_in_plain_words_and_can_be_allowed() {
    let place = Place::new();
    place.authority.sign_as("a.test", Wish { rsa_bits: Some(1024), ..Wish::default() });
    let running = place.run("a", 1, &format!("O LogLevel=14\n{}", place.authority.options("a.test")));
    assert!(!running.offers());
    running.wait_for_log("SSL_CTX_use_certificate_file(");
    running.wait_for_log("ee key too small");
    for program in [TLSCHECK, CFCHECK] {
        let text = String::from_utf8(tool(program, &["cf"], &running.site.dir).stdout).unwrap();
        assert!(
            text.contains("has 1024 bits; OpenSSL wants 2048") && text.contains("certs newreq"),
            "{program}: {text}"
        );
    }
    let allowed = format!("{}O CipherList=DEFAULT@SECLEVEL=0\n", place.authority.options("a.test"));
    assert!(place.run("b", 1, &allowed).offers());
}

#[test]
fn r3_7_a_configuration_is_a_plain_file() {
    let place = Place::new();
    let site = place.sandbox.mta("a", 1, "");
    let daemon = site.start();
    assert!(!offers(site.port));
    fs::copy(site.path("cf"), site.path("cf.BACKUP")).unwrap();
    let text = fs::read_to_string(site.path("cf")).unwrap();
    let keys = place.authority.options("a.test");
    site.write("cf", text.replace("\nTroot\n", &format!("\n{keys}Troot\n")).as_bytes(), 0o644);
    drop(daemon);
    let daemon = site.start();
    assert!(offers(site.port));
    fs::rename(site.path("cf.BACKUP"), site.path("cf")).unwrap();
    drop(daemon);
    let _daemon = site.start();
    assert!(!offers(site.port));
}

/// Submits as a user without rights through a set-group-id program; the certificate that the next hop saw.
fn submits(key_mode: u32, key_group: Option<u32>, lines: &str) -> Option<String> {
    let place = Place::new();
    let next = tls_host(&place.authority);
    let key = place.authority.path("client.test", "key");
    chown(&key, None, key_group).unwrap();
    mode(&key, key_mode);
    let options =
        format!("{}{}", place.authority.server_options("a.test"), place.authority.client_options("client.test"));
    let msp =
        place.sandbox.msp("m", next.port, &format!("O UseMSP=True\nO RunAsUser=nobody:nogroup\n{lines}{options}"));
    chown(msp.path("queue"), Some(NOBODY), Some(NOBODY)).unwrap();
    mode(&msp.path("queue"), 0o770);
    let program = msp.path("sendmail");
    fs::copy(SENDMAIL, &program).unwrap();
    chown(&program, Some(0), Some(NOBODY)).unwrap();
    mode(&program, 0o2755);
    // Who names another configuration gets no rights of the group: it must be the usual one, in a name space of our own.
    for name in ["upper", "work"] {
        fs::create_dir(msp.path(name)).unwrap();
    }
    let dir = msp.dir.display();
    let script = format!(
        "mount -t overlay overlay -o lowerdir=/etc,upperdir={dir}/upper,workdir={dir}/work /etc && mkdir -p /etc/mail && \
         cp {dir}/cf /etc/mail/submit.cf && cd / && \
         exec setpriv --reuid=daemon --regid=daemon --clear-groups {dir}/sendmail -oi -Ac you@next.test"
    );
    let mut command = Command::new("unshare");
    command.args(["-m", "sh", "-c", &script]);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"Subject: x\n\nsubmitted\n").unwrap();
    assert!(child.wait().unwrap().success());
    let taken = next.wait_for(1);
    assert!(taken[0].is_encrypted);
    taken[0].client.clone()
}

const NOBODY: u32 = 65534;
const FORGIVING: &str = "O DontBlameSendmail=TrustStickyBit,GroupReadableKeyFile\n";

#[test]
fn r3_8_the_submission_program_reads_a_key_of_its_group() {
    if !is_root() {
        println!("not root: nothing was looked at");
        return;
    }
    assert_eq!(submits(0o640, Some(NOBODY), FORGIVING).as_deref(), Some("client.test"));
    assert_eq!(submits(0o640, Some(NOBODY), ""), None, "without GroupReadableKeyFile");
    assert_eq!(submits(0o640, Some(0), FORGIVING), None, "of another group");
    assert_eq!(submits(0o644, Some(NOBODY), FORGIVING), None, "readable by all");
}

#[test]
fn r3_9_without_the_key_mail_is_submitted_all_the_same() {
    if !is_root() {
        println!("not root: nothing was looked at");
        return;
    }
    assert_eq!(submits(0o600, Some(0), ""), None);
}

#[test]
fn r3_10_an_init_script_starts_and_stops() {
    // Without the option the program, the comment of the library and the script name one file.
    for text in [include_str!("../../../contrib/init/sendmail"), include_str!("../../../m4/options.m4")] {
        assert!(text.contains(sendmail::daemon::PID_FILE), "{text}");
    }
    let place = Place::new();
    let site = place.sandbox.mta("a", 1, "");
    // A configuration as the library makes it; the folder of its pid file is not there yet.
    let (queue, pid_file) = (site.path("queue"), site.path("run").join("sendmail.pid"));
    let mc = format!(
        "OSTYPE(`linux')dnl\ndefine(`confDOMAIN_NAME', `a.test')dnl\ndefine(`QUEUE_DIR', `{}')dnl\n\
         define(`confPID_FILE', `{}')dnl\nundefine(`ALIAS_FILE')dnl\nFEATURE(`no_default_msa')dnl\n\
         DAEMON_OPTIONS(`Name=MTA, Addr=127.0.0.1, Port={}')dnl\nMAILER(`local')dnl\nMAILER(`smtp')dnl\n",
        queue.display(),
        pid_file.display(),
        site.port
    );
    fs::write(site.path("a.mc"), mc).unwrap();
    let gencf = Command::new(GENCF)
        .args(["build", "--force", "-o", "cf", "a.mc"])
        .current_dir(&site.dir)
        .env("SENDMAIL_CF_LIBRARY", env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(gencf.status.success(), "{gencf:?}");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/contrib/init/sendmail");
    let run = |verb: &str| {
        let mut command = Command::new("sh");
        command.arg(script).arg(verb).env("SENDMAIL", SENDMAIL).env("MSP", "");
        command.env("SENDMAIL_ARGS", format!("-C {} -bd -q1h", site.path("cf").display()));
        command.env("SENDMAIL_LOG_FILE", site.log_file()).stdin(Stdio::null());
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    assert_eq!(run("status").0, Some(3));
    let (code, text) = run("start");
    assert!(code == Some(0) && text.starts_with("sendmail: started, process "), "{text}");
    let pid_file = fs::read_to_string(pid_file).unwrap();
    let mut lines = pid_file.lines();
    let pid = lines.next().unwrap().to_owned();
    assert!(pid.parse::<u32>().is_ok() && lines.next().unwrap().ends_with("-bd -q1h"), "{pid_file}");
    let (code, text) = run("status");
    assert!(code == Some(0) && text.contains(&format!("process {pid}: ")), "{text}");
    until(LIMIT, "it greets", || Client::try_connect(site.port).and_then(|mut client| client.try_reply()).is_some());
    assert_eq!(run("start").1, format!("sendmail: runs already, process {pid}\n"));
    assert_eq!(run("reload").0, Some(0));
    let (code, text) = run("restart");
    assert!(code == Some(0) && text.contains("sendmail: stopped"), "{text}");
    assert_eq!(run("stop"), (Some(0), "sendmail: stopped\n".to_owned()));
    assert_eq!(run("stop"), (Some(0), "sendmail: does not run\n".to_owned()));
    assert!(Client::try_connect(site.port).is_none());
}

#[test]
fn r3_6_the_menu_writes_both_configurations() {
    let place = Place::new();
    let folder = place.sandbox.path("gencf");
    fs::create_dir(&folder).unwrap();
    let mut command = Command::new(GENCF);
    command.current_dir(&folder).env("SENDMAIL_CF_LIBRARY", env!("CARGO_MANIFEST_DIR"));
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    // Security Options, STARTTLS on, and both files.
    child.stdin.take().unwrap().write_all(b"4\n2\n5\n6\n0\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    for (name, key) in [("sendmail.cf.gen", "ServerKeyFile"), ("submit.cf.gen", "ClientKeyFile")] {
        let cf = fs::read_to_string(folder.join(name)).unwrap();
        assert!(cf.contains(&format!("\nO {key}=/etc/mail/certs/servername-key.pem\n")), "{name}");
        assert_eq!(printed(CFCHECK, &["--text-only", "--strict", name], &folder), "");
    }
}

#[test]
fn r3_11_mtail_shows_what_went_wrong_with_a_key() {
    let place = Place::new();
    mode(&place.authority.path("a.test", "key"), 0o644);
    let running = place.run_tls("");
    assert!(!running.offers());
    running.wait_for_log("unsafe: ");
    let output =
        Command::new(MTAIL).args(["-e", "-n", "5"]).env("SENDMAIL_LOG_FILE", running.site.log_file()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("a.test.key unsafe: Group readable file"), "{text}");
}

#[test]
fn r3_12_both_ports_greet_and_offer_starttls() {
    let place = Place::new();
    let other = crate::support::sandbox::free_port();
    let ports = format!("O DaemonPortOptions=Name=MSA, Addr=127.0.0.1, Port={other}, M=E\n");
    let running = place.run_tls(&ports);
    for (port, has_etrn) in [(running.site.port, true), (other, false)] {
        let mut client = Client::connect_silent(port);
        assert!(client.reply().starts_with("220 a.test ESMTP"));
        let reply = client.say("EHLO client.test");
        assert!(reply.contains("\n250-STARTTLS\n"), "{reply}");
        assert_eq!(reply.contains("ETRN"), has_etrn, "{reply}");
        client.expect("QUIT", "221 2.0.0 ");
    }
}

#[test]
fn r3_13_the_header_of_a_delivered_message_tells() {
    let place = Place::new();
    place.authority.sign("b.test");
    let b = place.run("b", 1, &format!("Cwnext.test a.test\n{}", place.authority.options("b.test")));
    let a = place.run("a", b.site.port, &place.authority.options("a.test"));
    send(&a);
    until(LIMIT, "it is in the mailbox", || b.site.mailbox("you").contains("out"));
    let shown = b.site.mailbox("you");
    assert!(shown.contains("(version=TLSv1.3 cipher=TLS_AES_256_GCM_SHA384 bits=256 verify=OK)"), "{shown}");
}

#[test]
fn r3_14_mail_to_echo_comes_back_and_never_loops() {
    let place = Place::new();
    let next = FakeHost::accepting();
    let site = place.sandbox.mta("a", next.port, "");
    let echo = |sender: &str, header: &str| {
        let mut command = Command::new("sh");
        command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/contrib/echo/echo-mail"));
        command.env("SENDMAIL", format!("{SENDMAIL} -C {} -odi", site.path("cf").display()));
        command.env("STATE", site.path("echo")).env("LIMIT", "2").env("SENDMAIL_LOG_FILE", site.log_file());
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        let text = format!("From {sender} Thu Jul  5 10:00:00 2007\nSubject: ping\n{header}\nhello\n");
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success());
    };
    for (sender, header) in [
        ("MAILER-DAEMON", ""),
        ("me@next.test", "Auto-Submitted: auto-generated\n"),
        ("me@next.test", "List-Id: <x>\n"),
        ("me@next.test", "X-Loop: echo\n"),
        ("$(id)@next.test", ""),
    ] {
        echo(sender, header);
    }
    assert!(next.taken().is_empty() && site.queue_is_empty());
    for _ in 0..4 {
        echo("me@next.test", "Received: from x by y (version=TLSv1.3 verify=OK)\n");
    }
    let taken = next.wait_for(2);
    assert_eq!(taken.len(), 2, "two an hour");
    assert!(taken[0].sender.starts_with("MAIL From:<>"), "{}", taken[0].sender);
    let text = taken[0].text();
    assert!(text.contains("Auto-Submitted: auto-replied") && text.contains("version=TLSv1.3 verify=OK"), "{text}");

    // And bounce.
    site.write("aliases", b"bounce: \"|exit 67\"\n", 0o644);
    let daemon = site.start();
    let running = Running { site, _daemon: daemon };
    Client::connect(running.site.port).message("me@next.test", &["bounce@a.test"], b"Subject: x\r\n\r\nx\r\n");
    let taken = next.wait_for(3);
    assert!(taken[2].text().contains("5.1.1") && taken[2].sender.starts_with("MAIL From:<>"), "{}", taken[2].text());
}

/// Small stand-ins for the binaries: what is copied does not matter.
fn stand_ins(place: &Place) -> PathBuf {
    let built = place.sandbox.path("built");
    fs::create_dir(&built).unwrap();
    for source in fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/bin")).unwrap() {
        let path = source.unwrap().path();
        let name = path.file_stem().unwrap();
        fs::write(built.join(name), format!("new {}", name.display())).unwrap();
        fs::set_permissions(built.join(name), fs::Permissions::from_mode(0o755)).unwrap();
    }
    built
}

fn make(target: &str, root: &Path, built: &Path, cargo: &str) -> Output {
    let mut command = Command::new("make");
    command.arg(format!("CARGO={cargo}")).arg(target).current_dir(env!("CARGO_MANIFEST_DIR"));
    command.arg(format!("DESTDIR={}", root.display())).arg(format!("BUILT={}", built.display()));
    command.output().unwrap()
}

#[test]
fn r3_15_nothing_is_moved_before_every_binary_is_there() {
    let place = Place::new();
    let (root, built) = (place.sandbox.path("root"), stand_ins(&place));
    let old = [root.join("usr/sbin/sendmail"), root.join("usr/share/sendmail-cf/m4/cf.m4")];
    for path in &old {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "the old one").unwrap();
    }
    for name in ["smrsh", "vacation", "rmail"] {
        let aside = place.sandbox.path(name);
        fs::rename(built.join(name), &aside).unwrap();
        for cargo in ["no-cargo", "true"] {
            let output = make("install", &root, &built, cargo);
            assert!(!output.status.success(), "{output:?}");
            let text = String::from_utf8_lossy(&output.stdout);
            assert!(text.contains(&format!("{name} is not built")), "{text}");
            assert!(old.iter().all(|path| fs::read_to_string(path).unwrap() == "the old one"));
        }
        fs::rename(&aside, built.join(name)).unwrap();
    }
    assert!(make("install", &root, &built, "no-cargo").status.success());
}

#[test]
fn r3_15_what_a_site_changed_in_the_library_stays() {
    let place = Place::new();
    let built = stand_ins(&place);
    let root = place.sandbox.path("root");
    // A relative DESTDIR means the same: up from the checkout, and down again.
    let ups = Path::new(env!("CARGO_MANIFEST_DIR")).components().skip(1).map(|_| "..");
    let relative = ups.collect::<PathBuf>().join(root.strip_prefix("/").unwrap());
    let library = root.join("usr/share/sendmail-cf");
    let kept = root.join("usr/share/sendmail-cf.before-sendmail-rs");
    fs::create_dir_all(&library).unwrap();
    fs::write(library.join("old"), "of before").unwrap();
    let make = |target: &str| {
        let output = make(target, &relative, &built, "true");
        (output.status.success(), String::from_utf8(output.stdout).unwrap())
    };
    let changed = library.join("feature/smrsh.m4");
    for _ in 0..2 {
        assert!(make("install").0);
        assert_eq!(fs::read_to_string(kept.join("old")).unwrap(), "of before");
        fs::write(&changed, "changed here").unwrap();
        let (is_done, text) = make("uninstall");
        assert!(is_done && text.contains("the library of before is") && text.contains("which stay"), "{text}");
        assert_eq!(fs::read_to_string(&changed).unwrap(), "changed here");
        assert!(!library.join("feature/local_lmtp.m4").exists() && !library.join("m4").exists());
        assert!(!library.join("old").exists() && !kept.join("sendmail-cf").exists());
    }
    // Without the mark it is not known whose it is: neither folder is touched.
    let mark = library.join(".installed-by-sendmail-rs");
    fs::rename(&mark, library.join("mark")).unwrap();
    let (is_done, text) = make("install");
    assert!(!is_done && text.contains("move one of them away"), "{text}");
    assert_eq!(fs::read_to_string(&changed).unwrap(), "changed here");
    assert!(!kept.join("sendmail-cf").exists() && !library.join("m4").exists());
    fs::rename(library.join("mark"), &mark).unwrap();
    // When the site's files are gone, the old library comes back.
    fs::remove_file(&changed).unwrap();
    assert!(make("uninstall").0);
    assert_eq!(fs::read_to_string(library.join("old")).unwrap(), "of before");
    assert!(!kept.exists() && !make("uninstall").0);
}

#[test]
fn r3_15_what_is_replaced_is_kept_and_can_come_back() {
    let place = Place::new();
    let root = place.sandbox.path("root");
    let link = root.join("usr/lib/sendmail");
    let mark = root.join("usr/libexec/sendmail/.installed-by-sendmail-rs");
    let others = [("usr/sbin/sendmail", "the old one"), ("usr/share/man/man1/mailq.1", "the old page")];
    for (name, text) in others {
        fs::create_dir_all(root.join(name).parent().unwrap()).unwrap();
        fs::write(root.join(name), text).unwrap();
    }
    fs::create_dir_all(&link).unwrap();
    fs::write(link.join("part"), "of another package").unwrap();
    let built = stand_ins(&place);
    let make = |target: &str| {
        let output = make(target, &root, &built, "true");
        assert!(output.status.success(), "{output:?}");
    };
    let kept = |name: &str| root.join(format!("{name}.before-sendmail-rs"));
    let text = |path: &Path| fs::read_to_string(path).unwrap();
    // The second time what stands there is ours.
    for _ in 0..2 {
        make("install");
        for (name, old) in others {
            assert_eq!(text(&kept(name)), old);
        }
        assert_eq!(text(&kept("usr/lib/sendmail").join("part")), "of another package");
        assert_eq!(fs::read_link(&link).unwrap(), Path::new("/usr/sbin/sendmail"));
        let mailq = fs::read_link(root.join("usr/bin/mailq")).unwrap();
        assert_eq!(mailq, Path::new("/usr/libexec/sendmail/sendmail"));
        assert_eq!(text(&root.join("usr/sbin/tlscheck")), "new tlscheck");
        assert!(root.join("usr/share/man/man8/tlscheck.8").metadata().unwrap().size() > 0);
        assert!(!kept("usr/sbin/tlscheck").exists());
        // Where FEATURE(smrsh) and FEATURE(local_lmtp) of OSTYPE(linux) look.
        for name in ["smrsh", "mail.local"] {
            let program = Path::new("/usr/libexec/sendmail").join(name);
            assert_eq!(fs::read_link(root.join("usr/sbin").join(name)).unwrap(), program);
        }
    }
    make("uninstall");
    for (name, old) in others {
        assert_eq!(text(&root.join(name)), old);
    }
    assert_eq!(text(&link.join("part")), "of another package");
    for name in [
        "usr/sbin/tlscheck",
        "usr/share/man/man8/tlscheck.8",
        "usr/share/sendmail-cf",
        "usr/share/man/man1/newaliases.1",
    ] {
        assert!(!root.join(name).exists(), "{name}");
    }
    assert!(root.join("usr/sbin/smrsh").symlink_metadata().is_err());
    // A name that is new: an installation of before has a mark, and what stands there is not ours.
    make("install");
    fs::remove_file(&link).unwrap();
    fs::write(&link, "the old link").unwrap();
    fs::remove_dir_all(kept("usr/lib/sendmail")).unwrap_or_default();
    fs::write(&mark, "").unwrap();
    make("install");
    assert_eq!(text(&kept("usr/lib/sendmail")), "the old link");
    assert!(!kept("usr/sbin/tlscheck").exists());
    make("uninstall");
    assert_eq!(text(&link), "the old link");
}

#[test]
fn r3_17_a_command_says_why_starttls_is_missing() {
    // Its cases are those of tlscheck.rs; here that it ends with a failure and a command that mends.
    let place = Place::new();
    fs::remove_file(place.authority.path("a.test", "key")).unwrap();
    let site = place.sandbox.mta("a", 1, &place.authority.options("a.test"));
    let output = tool(TLSCHECK, &["cf"], &site.dir);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        text.contains("STARTTLS is not offered") && text.contains("error[file-missing]") && text.contains("; mend: "),
        "{text}"
    );
}
