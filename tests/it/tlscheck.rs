//! What keeps STARTTLS from working is named, once, with what mends it.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;
use std::process::{Command, Output};

use openssl::nid::Nid;
use openssl::symm::Cipher;

use crate::support::client::Client;
use crate::support::daemon::Daemon;
use crate::support::sandbox::{Sandbox, free_port};
use crate::support::tls::{Authority, Wish, new_hash, old_hash};

/// A configuration that is right, and its files.
struct Bench {
    sandbox: Sandbox,
    authority: Authority,
    cf: PathBuf,
    port: u16,
}

impl Bench {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        let authority = Authority::new(&sandbox.path("tls"));
        authority.sign("a.test");
        authority.sign("b.test");
        symlink("ca.crt", sandbox.path("tls").join(new_hash(authority.certificate()))).unwrap();
        let cf = sandbox.path("cf");
        let bench = Self { sandbox, authority, cf, port: free_port() };
        bench.configure(&bench.authority.options("a.test"));
        bench
    }

    fn tls(&self, name: &str) -> PathBuf {
        self.sandbox.path("tls").join(name)
    }

    fn configure(&self, lines: &str) {
        self.write(&format!("O DaemonPortOptions=Name=MTA, Addr=127.0.0.1, Port={}\n{lines}", self.port));
    }

    fn write(&self, lines: &str) {
        let text = lines.replace("TLS/", &format!("{}/", self.sandbox.path("tls").display()));
        fs::write(&self.cf, format!("{HEAD}{text}\n{TAIL}")).unwrap();
    }

    fn add(&self, lines: &str) {
        self.configure(&format!("{}{lines}", self.authority.options("a.test")));
    }

    fn check(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_tlscheck")).arg(&self.cf).args(arguments).output().unwrap()
    }

    /// What is printed of causes, and of sides.
    fn lines(&self) -> (Vec<String>, Vec<String>) {
        let output = self.check(&[]);
        assert!(output.stderr.is_empty(), "{output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().map(str::to_owned).partition(|line| line.split_once('[').is_some_and(|(w, _)| WORDS.contains(&w)))
    }
}

const HEAD: &str =
    "V10/Berkeley\nDja.test\nCwa.test\nO OperatorChars=.:%@!^/[]+\nO LogLevel=14\nO DontBlameSendmail=TrustStickyBit\n";
const TAIL: &str = "Mlocal, P=/bin/sh, F=lsDFMAw5:/|@q, A=sh $u\nMprog, P=/bin/sh, F=lsDFM, A=sh -c $u\n\
    Scanonify=3\nR$*\t$@ $1\nSparse=0\nR$*\t$#local $: $1\n";
const WORDS: &[&str] = &["error", "warning", "note"];

fn mode(path: &std::path::Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_set_up_without_fault_has_no_cause() {
    let bench = Bench::new();
    let (causes, sides) = bench.lines();
    assert_eq!(causes, Vec::<String>::new());
    let port = bench.port;
    assert_eq!(
        sides,
        [
            &format!("MTA, port {port}: STARTTLS is offered; clients are asked for a certificate"),
            "client: STARTTLS is used; our certificate is shown, servers are verified"
        ]
    );
    assert_eq!(bench.check(&["--strict"]).status.code(), Some(0));
}

/// A name, what is broken, the beginning of the one line, and something that its mend says.
type Case = (&'static str, fn(&Bench), &'static str, &'static str);

const CASES: &[Case] = &[
    ("old link", old_link, "warning[ca-link-old-hash] server and client: ", "tlscheck --rehash "),
    (
        "no link",
        |b| fs::remove_file(b.tls(&new_hash(b.authority.certificate()))).unwrap(),
        "warning[ca-link-missing] ",
        "--rehash",
    ),
    (
        "weak key",
        |b| drop(b.authority.sign_as("a.test", Wish { rsa_bits: Some(1024), ..Wish::default() })),
        "error[certificate-weak] server and client: ",
        "certs newreq",
    ),
    ("key for the group", |b| mode(&b.tls("a.test.key"), 0o640), "error[key-unsafe] server and client: ", "chmod 600 "),
    ("key for all", |b| mode(&b.tls("a.test.key"), 0o644), "error[key-unsafe] server and client: ", "chmod 600 "),
    (
        "writable certificate",
        |b| mode(&b.tls("a.test.crt"), 0o666),
        "error[file-unsafe] server and client: ",
        "chmod go-w ",
    ),
    (
        "no key",
        |b| fs::remove_file(b.tls("a.test.key")).unwrap(),
        "error[file-missing] server and client: ",
        "certs install",
    ),
    ("another's key", another_key, "error[key-mismatch] server and client: ", "certs install"),
    (
        "expired",
        |b| drop(b.authority.sign_as("a.test", Wish { days: (-9, -2), ..Wish::default() })),
        "error[certificate-expired] server and client: ",
        "certs sign",
    ),
    (
        "ends soon",
        |b| drop(b.authority.sign_as("a.test", Wish { days: (-9, 9), ..Wish::default() })),
        "warning[certificate-expiring] server and client: ",
        "certs sign",
    ),
    (
        "not yet",
        |b| drop(b.authority.sign_as("a.test", Wish { days: (9, 90), ..Wish::default() })),
        "error[certificate-not-yet] ",
        "date",
    ),
    ("key of the authority", ca_key, "warning[ca-key-beside] server and client: ", "mv "),
    ("many names", many_names, "warning[ca-names-too-many] server: ", "CACertPath"),
    ("no directory", |b| b.add("O CACertPath=TLS/nosuch\n"), "error[directory-missing] server and client: ", "mkdir "),
    ("pass phrase", encrypted, "error[key-encrypted] server and client: ", "openssl pkey -in "),
    (
        "bad list",
        |b| b.add("O CipherList=NOSUCH\n"),
        "error[cipher-list-bad] server and client: CipherList: ",
        "openssl ciphers",
    ),
    (
        "no parameters",
        |b| b.add("O DHParameters=TLS/nosuch.pem\n"),
        "warning[dh-missing] server: ",
        "openssl dhparam -out ",
    ),
    (
        "unsafe above",
        |b| mode(&b.sandbox.path("tls"), 0o777),
        "error[directory-unsafe] server and client: ",
        "chmod go-w ",
    ),
    ("list ended", |b| list(b, -3), "error[crl-expired] server and client: ", "openssl ca -gencrl"),
    ("list missing", |b| b.add("O CRLFile=TLS/nosuch.crl\n"), "error[file-missing] server and client: ", "O CRLFile="),
    ("list of another", list_of_another, "error[crl-missing] server and client: ", "add its list to "),
    (
        "for clients only",
        |b| drop(b.authority.sign_as("a.test", Wish { usages: &["clientAuth"], ..Wish::default() })),
        "warning[certificate-purpose] server: ",
        "serverAuth",
    ),
    (
        "for servers only",
        |b| drop(b.authority.sign_as("a.test", Wish { usages: &["serverAuth"], ..Wish::default() })),
        "warning[certificate-purpose] client: ",
        "clientAuth",
    ),
    (
        "no authority",
        |b| b.configure(&b.authority.options("a.test").replace("O CACertFile", "#")),
        "error[option-missing] server: CACertFile: ",
        "O CACertFile=",
    ),
    (
        "not PEM",
        |b| fs::write(b.tls("a.test.crt"), b.authority.certificate().to_der().unwrap()).unwrap(),
        "error[file-not-pem] server and client: ",
        "-inform DER",
    ),
    (
        "unknown digest",
        |b| b.add("O CertFingerprintAlgorithm=sha257\n"),
        "error[fingerprint-unknown] server and client: ",
        "sha256",
    ),
    (
        "unknown option",
        |b| b.add("O ServerSSLOptions=SSL_OP_NO_TLSv11\n"),
        "error[option-unknown] server: ",
        "SSL_OP_NO_TLSv1",
    ),
    ("weak signature", weak_signature, "error[refused] server and client: ", "mtail -e"),
    (
        "no client key",
        |b| instead(b, "O ClientKeyFile=", "#"),
        "error[option-missing] client: ClientKeyFile: ",
        "O ClientKeyFile=",
    ),
    (
        "no client certificate",
        |b| instead(b, "O ClientCertFile=", "#"),
        "error[option-missing] client: ClientCertFile: ",
        "O ClientCertFile=",
    ),
    (
        "client key gone",
        |b| instead(b, "O ClientKeyFile=", "O ClientKeyFile=TLS/nosuch\n#"),
        "error[file-missing] client: ",
        "O ClientKeyFile=",
    ),
    (
        "one key for two",
        |b| instead(b, "O ServerCertFile=", "O ServerCertFile=TLS/a.test.crt,TLS/b.test.crt\n#"),
        "error[option-missing] server: ServerKeyFile: names 1 of 2 files",
        "O ServerKeyFile=/FILE,/FILE",
    ),
    ("short parameters", short_parameters, "warning[dh-weak] server: ", "openssl dhparam -out "),
    (
        "no parameters at all",
        |b| b.add("O DHParameters=dh.pem\n"),
        "warning[dh-missing] server: DHParameters: ",
        "2048",
    ),
    (
        "no directory of lists",
        |b| b.add("O CRLPath=TLS/nosuch\n"),
        "error[directory-missing] server and client: ",
        "mkdir -m 755 ",
    ),
    (
        "no link to the list",
        |b| list_directory(b, Some("list.crl")),
        "warning[ca-link-missing] server and client: ",
        "tlscheck --rehash ",
    ),
    ("no list there", |b| list_directory(b, None), "error[crl-missing] server and client: ", "tlscheck --rehash "),
    ("revoked", revoked, "error[certificate-revoked] server and client: ", "certs newreq"),
    (
        "relative name",
        |b| instead(b, "O ServerKeyFile=", "O ServerKeyFile=tls/a.test.key\n#"),
        "error[file-missing] server: tls/a.test.key: does not begin with /",
        "O ServerKeyFile=/DIRECTORY/tls/a.test.key",
    ),
    (
        "relative directory",
        |b| instead(b, "O CACertPath=", "O CACertPath=tls\n#"),
        "error[directory-missing] server and client: tls: does not begin with /",
        "O CACertPath=/DIRECTORY/tls",
    ),
    (
        "no name",
        |b| drop(b.authority.sign_as("a.test", Wish { is_nameless: true, ..Wish::default() })),
        "warning[certificate-nameless] server: ",
        "certs sign",
    ),
    ("authority between", authority_between, "warning[chain-incomplete] server and client: ", "cat ISSUER >>"),
    ("link out of the way", link_to_writable, "error[directory-unsafe] server and client: ", "/open"),
    ("no file", no_file, "error[file-not-pem] server and client: ", "certs install"),
    ("exchanged", exchanged, "error[file-not-pem] server and client: ", "exchange the names: O ServerCertFile="),
    (
        "link that leads nowhere",
        |b| link_to(b, "nosuch"),
        "warning[ca-link-missing] server and client: ",
        "tlscheck --rehash ",
    ),
    (
        "link to another",
        |b| link_to(b, "b.test.crt"),
        "warning[ca-link-missing] server and client: ",
        "tlscheck --rehash ",
    ),
    ("authority first", authority_first, "error[key-mismatch] server and client: ", "first in "),
    (
        "no directory but a file",
        |b| instead(b, "O CACertPath=", "O CACertPath=TLS/ca.crt\n#"),
        "error[directory-missing] server and client: ",
        "O CACertPath=/",
    ),
    ("open directory", open_directory, "warning[ca-directory-open] server and client: ", "chmod go-w "),
];

fn instead(b: &Bench, line: &str, other: &str) {
    let lines = b.authority.options("a.test");
    assert!(lines.contains(line));
    b.configure(&lines.replace(line, other));
}

fn short_parameters(b: &Bench) {
    let parameters = openssl::dh::Dh::generate_params(512, 2).unwrap();
    fs::write(b.tls("dh.pem"), parameters.params_to_pem().unwrap()).unwrap();
    b.add("O DHParameters=TLS/dh.pem\n");
}

fn list_directory(b: &Bench, name: Option<&str>) {
    let directory = b.sandbox.path("lists");
    fs::create_dir(&directory).unwrap();
    if let Some(name) = name {
        fs::write(directory.join(name), b.authority.list(&[], 30)).unwrap();
    }
    b.add(&format!("O CRLPath={}\n", directory.display()));
}

fn revoked(b: &Bench) {
    let certificate = b.authority.sign_as("a.test", Wish::default());
    fs::write(b.sandbox.path("list.crl"), b.authority.list(&[&certificate], 30)).unwrap();
    b.add(&format!("O CRLFile={}\n", b.sandbox.path("list.crl").display()));
}

fn authority_between(b: &Bench) {
    let other = Authority::named(&b.sandbox.path("others"), "ca", "Between");
    other.sign("a.test");
    for kind in ["crt", "key"] {
        fs::copy(other.path("a.test", kind), b.authority.path("a.test", kind)).unwrap();
    }
}

fn link_to_writable(b: &Bench) {
    let open = b.sandbox.path("open");
    fs::create_dir(&open).unwrap();
    fs::rename(b.tls("a.test.key"), open.join("key")).unwrap();
    symlink(open.join("key"), b.tls("a.test.key")).unwrap();
    mode(&open, 0o777);
}

fn no_file(b: &Bench) {
    fs::remove_file(b.tls("a.test.key")).unwrap();
    fs::create_dir(b.tls("a.test.key")).unwrap();
}

fn exchanged(b: &Bench) {
    fs::rename(b.tls("a.test.key"), b.tls("key")).unwrap();
    fs::rename(b.tls("a.test.crt"), b.tls("a.test.key")).unwrap();
    fs::rename(b.tls("key"), b.tls("a.test.crt")).unwrap();
}

fn link_to(b: &Bench, name: &str) {
    let link = b.tls(&new_hash(b.authority.certificate()));
    fs::remove_file(&link).unwrap();
    symlink(name, link).unwrap();
}

fn authority_first(b: &Bench) {
    let all = [fs::read(b.tls("ca.crt")).unwrap(), fs::read(b.tls("a.test.crt")).unwrap()].concat();
    fs::write(b.tls("a.test.crt"), all).unwrap();
}

fn open_directory(b: &Bench) {
    let open = b.sandbox.path("open");
    fs::create_dir(&open).unwrap();
    mode(&open, 0o777);
    instead(b, "O CACertPath=", &format!("O CACertPath={}\n#", open.display()));
}

fn another_key(b: &Bench) {
    fs::copy(b.tls("b.test.key"), b.tls("a.test.key")).unwrap();
}

fn old_link(b: &Bench) {
    let ca = b.authority.certificate();
    fs::rename(b.tls(&new_hash(ca)), b.tls(&old_hash(ca))).unwrap();
}

fn ca_key(b: &Bench) {
    fs::write(b.tls("authority.pem"), b.authority.key().private_key_to_pem_pkcs8().unwrap()).unwrap();
    mode(&b.tls("authority.pem"), 0o600);
}

fn many_names(b: &Bench) {
    let other = Authority::named(&b.sandbox.path("others"), "ca", "Other");
    let mut all = fs::read(b.tls("ca.crt")).unwrap();
    for _ in 0..60 {
        all.extend(other.certificate().to_pem().unwrap());
    }
    fs::write(b.sandbox.path("others").join("all.crt"), all).unwrap();
    b.add(&format!("O CACertFile={}\n", b.sandbox.path("others").join("all.crt").display()));
}

fn encrypted(b: &Bench) {
    let key = openssl::pkey::PKey::private_key_from_pem(&fs::read(b.tls("a.test.key")).unwrap()).unwrap();
    fs::write(b.tls("a.test.key"), key.private_key_to_pem_pkcs8_passphrase(Cipher::aes_128_cbc(), b"x").unwrap())
        .unwrap();
}

fn list(b: &Bench, days: i64) {
    fs::write(b.sandbox.path("list.crl"), b.authority.list(&[], days)).unwrap();
    b.add(&format!("O CRLFile={}\n", b.sandbox.path("list.crl").display()));
}

fn list_of_another(b: &Bench) {
    let other = Authority::named(&b.sandbox.path("others"), "ca", "Other");
    fs::write(b.sandbox.path("list.crl"), other.list(&[], 30)).unwrap();
    b.add(&format!("O CRLFile={}\n", b.sandbox.path("list.crl").display()));
}

fn weak_signature(b: &Bench) {
    b.authority.sign_as("a.test", Wish { is_sha1: true, ..Wish::default() });
}

#[test]
fn each_broken_set_up_is_named_in_one_line() {
    for (name, break_it, start, mend) in CASES {
        let bench = Bench::new();
        break_it(&bench);
        let (causes, sides) = bench.lines();
        assert_eq!(causes.len(), 1, "{name}: {causes:#?}");
        let (line, mends) = causes[0].split_once("; mend: ").unwrap();
        assert!(line.starts_with(start) && mends.contains(mend), "{name}: {}", causes[0]);
        if line.starts_with("error[option-unknown]") {
            continue;
        }
        // What the sides do is what the program does.
        let is_offered = sides[0].contains("STARTTLS is offered");
        let listens = starts_tls(&bench);
        assert_eq!(is_offered, listens, "{name}: {sides:?}");
    }
}

/// Whether a daemon of the configuration offers STARTTLS.
fn starts_tls(bench: &Bench) -> bool {
    let queue = bench.sandbox.path("queue");
    fs::create_dir(&queue).unwrap();
    mode(&queue, 0o700);
    let mut command = Command::new(env!("CARGO_BIN_EXE_sendmail"));
    command.args(["-bD", "-C"]).arg(&bench.cf).arg(format!("-oQ{}", queue.display()));
    command.env("SENDMAIL_LOG_FILE", bench.sandbox.path("log"));
    let _daemon = Daemon::start(command, bench.port);
    Client::connect(bench.port).say("EHLO client.test").contains("STARTTLS")
}

#[test]
fn every_cause_has_a_case_or_a_reason() {
    let output = Command::new(env!("CARGO_BIN_EXE_tlscheck")).arg("--explain").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    for id in text.lines().filter_map(|line| line.split_whitespace().next()) {
        let is_here = include_str!("tlscheck.rs").contains(&format!("[{id}]"));
        assert!(is_here, "{id} has no case");
        let one = Command::new(env!("CARGO_BIN_EXE_tlscheck")).args(["--explain", id]).output().unwrap();
        assert!(String::from_utf8(one.stdout).unwrap().starts_with(&format!("{id} (")));
    }
}

#[test]
fn notes_are_shown_when_asked_for() {
    let bench = Bench::new();
    bench.add("O UseTLS=False\nO DaemonPortOptions=Name=Q, Port=2526, M=S\nStry_tls\nR$*\t$@ ok\n");
    let (causes, sides) = bench.lines();
    assert_eq!(causes, Vec::<String>::new());
    assert_eq!(sides[0], format!("MTA, port {}: STARTTLS is not offered: UseTLS is False", bench.port));
    assert_eq!(sides[2], "client: STARTTLS is not used: UseTLS is False");
    let text = String::from_utf8(bench.check(&["--notes"]).stdout).unwrap();
    for id in [
        "note[tls-off] server and client: UseTLS: is False; mend: O UseTLS=True",
        "note[ruleset-decides] client",
        "note[port-without-tls] server",
    ] {
        assert!(text.contains(id), "{id}: {text}");
    }
}

#[test]
fn a_side_says_what_turns_it_off() {
    let bench = Bench::new();
    bench.add("O DaemonPortOptions=Name=Q, Port=2526, M=S\nSsrv_features\nR$*\t$# S\n");
    let (causes, sides) = bench.lines();
    assert_eq!(causes, Vec::<String>::new());
    assert!(sides[0].ends_with("; srv_features may turn it off"), "{sides:?}");
    assert_eq!(sides[1], "Q, port 2526: STARTTLS is not offered: the port has modifier S");
}

#[test]
fn the_submission_program_reads_keys_as_its_group() {
    let bench = Bench::new();
    let lines = format!("O UseMSP=True\nO RunAsUser=nobody:nogroup\n{}", bench.authority.client_options("a.test"));
    bench.write(&lines);
    let (causes, _) = bench.lines();
    let [line] = &causes[..] else { panic!("{causes:?}") };
    assert!(
        line.starts_with("error[file-unreadable] client: ") && line.contains("group nogroup cannot read it"),
        "{line}"
    );
    assert!(line.contains("; mend: chgrp nogroup ") && line.contains("GroupReadableKeyFile"), "{line}");
}

#[test]
fn of_a_submission_program_without_server_certificate_the_client_side_counts() {
    let bench = Bench::new();
    let client = bench.authority.client_options("a.test");
    let lines = "O UseMSP=True\nO DaemonPortOptions=Name=NoMTA, Addr=127.0.0.1, M=E\n";
    bench.write(&format!("{lines}{client}"));
    let (causes, sides) = bench.lines();
    assert_eq!(causes, Vec::<String>::new());
    assert_eq!(
        sides[0],
        "NoMTA, port 587: STARTTLS is not offered; only the client side counts unless it is started with -bd"
    );
    assert!(sides[1].starts_with("client: STARTTLS is used; our certificate is shown"), "{sides:?}");
    let output = bench.check(&["--strict", "--notes"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!((output.status.code(), text.matches("note[client-alone] server: ").count()), (Some(0), 1), "{text}");
    // One of the two is a fault: somebody wanted a server side.
    bench.write(&format!("{lines}{client}O ServerCertFile=TLS/a.test.crt\n"));
    assert_eq!(bench.check(&[]).status.code(), Some(2));
}

#[test]
fn nobody_is_told_to_change_a_directory_that_all_share() {
    let bench = Bench::new();
    let shared = bench.tls("shared");
    fs::create_dir(&shared).unwrap();
    for file in ["a.test.crt", "a.test.key"] {
        fs::copy(bench.tls(file), shared.join(file)).unwrap();
    }
    let lines = bench.authority.options("a.test").replace("/a.test.", "/shared/a.test.");
    mode(&shared, 0o1777);
    bench.configure(&format!("O DontBlameSendmail=Safe\n{lines}"));
    let unsafe_ones = |bench: &Bench| -> Vec<String> {
        bench.lines().0.into_iter().filter(|line| line.starts_with("error[directory-unsafe] ")).collect()
    };
    let sticky = unsafe_ones(&bench);
    assert!(!sticky.is_empty(), "{:?}", bench.lines());
    for line in sticky {
        assert!(line.ends_with("; mend: put the files elsewhere, e.g. /etc/mail/certs"), "{line}");
    }
    mode(&shared, 0o777);
    bench.configure(&lines);
    let open = unsafe_ones(&bench);
    assert!(open.iter().any(|line| line.contains(&format!("; mend: chmod go-w {}", shared.display()))), "{open:?}");
}

#[test]
fn a_directory_is_hashed_anew() {
    let bench = Bench::new();
    old_link(&bench);
    let rehash = |more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tlscheck"));
        command.args(more).arg("--rehash").arg(bench.sandbox.path("tls")).output().unwrap()
    };
    let ca = bench.authority.certificate();
    let dry = rehash(&["--dry-run"]);
    assert!(dry.status.success() && !bench.tls(&new_hash(ca)).exists(), "{dry:?}");
    let output = rehash(&[]);
    assert!(output.status.success(), "{output:?}");
    assert!(String::from_utf8(output.stdout).unwrap().contains(&format!("{} -> ca.crt", new_hash(ca))));
    assert_eq!(bench.lines().0, Vec::<String>::new());
    let missing = Command::new(env!("CARGO_BIN_EXE_tlscheck")).args(["--rehash", "/nosuch"]).output().unwrap();
    assert_eq!(missing.status.code(), Some(66));
    assert_eq!(String::from_utf8(missing.stderr).unwrap(), "tlscheck: /nosuch: No such file or directory\n");
}

#[test]
fn the_same_is_said_to_programs() {
    let bench = Bench::new();
    bench
        .authority
        .sign_as("a.test", Wish { fields: &[(Nid::ORGANIZATIONNAME, "T")], days: (-9, 9), ..Wish::default() });
    let output = bench.check(&["--json"]);
    let whole: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(whole["sides"][0]["tls"], true);
    assert_eq!(whole["sides"][1]["name"], "client");
    let cause = &whole["causes"][0];
    assert_eq!((cause["id"].as_str(), cause["severity"].as_str()), (Some("certificate-expiring"), Some("warning")));
    assert_eq!((cause["server"].as_bool(), cause["client"].as_bool()), (Some(true), Some(true)));
    assert_eq!((whole["errors"].as_i64(), whole["warnings"].as_i64()), (Some(0), Some(1)));
    for (arguments, code) in
        [(&[][..], 0), (&["--strict"], 1), (&["--strict", "--expiring", "3"], 0), (&["--nosuch"], 64)]
    {
        assert_eq!(bench.check(arguments).status.code(), Some(code), "{arguments:?}");
    }
    let output = Command::new(env!("CARGO_BIN_EXE_tlscheck")).arg("/nosuch/cf").output().unwrap();
    assert_eq!(output.status.code(), Some(66));
}
