//! cfcheck finds each kind of fault, at its line, and nothing in a file without any.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use openssl::asn1::Asn1Time;
use openssl::hash::{MessageDigest, hash};
use openssl::pkey::PKey;
use openssl::rsa::Rsa;
use openssl::symm::Cipher;
use openssl::x509::X509;
use serde_json::Value;

use crate::support::sandbox::Sandbox;
use crate::support::tls::{Authority, Wish};

/// A folder with a configuration that has no fault, and what cases put into it.
struct Bench {
    sandbox: Sandbox,
    authority: Authority,
}

impl Bench {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        let authority = Authority::new(&sandbox.path("tls"));
        authority.sign_as("a.test", Wish { days: (0, 20), ..Wish::default() });
        authority.sign("b.test");
        let bench = Self { sandbox, authority };
        fs::create_dir(bench.path("queue")).unwrap();
        mode(&bench.path("queue"), 0o700);
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.sandbox.path(name)
    }

    fn write(&self, name: &str, text: &str, bits: u32) {
        fs::write(self.path(name), text).unwrap();
        mode(&self.path(name), bits);
    }

    /// The configuration with these lines behind the options; `DIR` is the folder.
    fn cf(&self, lines: &str) -> String {
        let text = format!(
            "V10/Berkeley\nCwlocalhost\nO OperatorChars=.:%@!^/[]+\nO QueueDirectory=DIR/queue\n\
             O DontBlameSendmail=TrustStickyBit\nMlocal, P=/bin/sh, F=lsDFMAw5:/|@q, A=sh $u\n{lines}\n\
             Scanonify=3\nR$*\t$@ $1\nSparse=0\nR$*\t$#local $: $1\n"
        );
        text.replace("DIR", self.path("").to_str().unwrap().trim_end_matches('/'))
    }

    fn check(&self, lines: &str, arguments: &[&str]) -> Output {
        self.write("test.cf", &self.cf(lines), 0o644);
        let mut command = Command::new(env!("CARGO_BIN_EXE_cfcheck"));
        command.args(arguments).arg("test.cf").current_dir(self.path("")).output().unwrap()
    }

    /// Names and lines of the findings, notes as well.
    fn findings(&self, lines: &str) -> BTreeSet<(String, Option<String>)> {
        let output = self.check(lines, &["--json", "--notes"]);
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let findings = report["findings"].as_array().unwrap().iter();
        let text = |value: &Value| value.as_str().map(str::to_owned);
        findings.map(|f| (text(&f["id"]).unwrap(), text(&f["source"]))).collect()
    }
}

fn mode(path: &Path, bits: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(bits)).unwrap();
}

/// Check, lines, and the line that is named (the first of them when it is empty).
const OF_THE_TEXT: &[(&str, &str, &str)] = &[
    ("configuration-error", "Kfoo nosuch x", ""),
    ("configuration-error", "Zfoo", ""),
    ("configuration-error", "O Timeout.nosuch=3", ""),
    ("configuration-warning", "O AuthOptions=z", "-"),
    ("unknown-option", "O MaxHopCnt=3", ""),
    ("abbreviated-option", "O MaxHop=3", ""),
    ("bad-number", "O LogLevel=high", ""),
    ("bad-number", "O MaxHopCount=3x", ""),
    ("bad-cipher-list", "O CipherList=NOSUCH", ""),
    ("bad-cipher-list", "O CipherSuites=AES128-SHA", ""),
    ("option-without-effect", "O AliasWait=10", ""),
    ("option-without-o", "CACertPath=/etc/mail/certs", ""),
    ("option-without-o", "Timeout.ident=0", ""),
    ("option-without-o", "UseTLS=True", ""),
    ("undefined-macro", "Sx\nR$*\t$: $1 ${Nosuch}\nSy\nR$*\t$>x $1", "R$*\t$: $1 ${Nosuch}"),
    ("undefined-class", "Scheck_mail\nR$={Nosuch}\t$#discard", "R$={Nosuch}\t$#discard"),
    ("missing-ruleset", "Scheck_mail\nR$*\t$: $>nosuch $1", "R$*\t$: $>nosuch $1"),
    ("unreachable-ruleset", "Slonely\nR$*\t$: $1", "Slonely"),
    ("shadowed-rule", "Scheck_rcpt\nR$+\t$@ ok\nR$+ . $+\t$@ never", "R$+ . $+\t$@ never"),
    ("impossible-token", "Scheck_rcpt\nRa=b\t$@ ok\nO OperatorChars=.:%@!^/[]+=", "Ra=b\t$@ ok"),
    ("undeclared-map", "Scheck_mail\nR$*\t$: $(nosuch $1 $)", "R$*\t$: $(nosuch $1 $)"),
    ("undeclared-mailer", "Sfurther\nR$*\t$#nosuch $@ h $: $1\nS0\nR$*\t$: $>further $1", "R$*\t$#nosuch $@ h $: $1"),
    // Known in check rulesets only.
    ("undeclared-mailer", "S0\nR$*\t$#discard $: $1", "R$*\t$#discard $: $1"),
    ("unused-map", "Kfoo null", ""),
    (
        "duplicate-listener",
        "O DaemonPortOptions=Name=a\nO DaemonPortOptions=Name=b, Port=25",
        "O DaemonPortOptions=Name=b, Port=25",
    ),
    ("privileged-listener", "O RunAsUser=daemon\nO DaemonPortOptions=Name=a", "O DaemonPortOptions=Name=a"),
    ("submission-as-root", "O UseMSP=True\nO RunAsUser=root", "O RunAsUser=root"),
    (
        "privileged-listener",
        "O UseMSP=True\nO RunAsUser=daemon\nO DaemonPortOptions=Port=25",
        "O DaemonPortOptions=Port=25",
    ),
    ("undefined-filter", "O InputMailFilters=nosuch", ""),
    ("unused-filter", "Xfoo, S=inet:9999@localhost", "Xfoo, S=inet:9999@localhost"),
];

#[test]
fn faults_of_the_text_are_found_at_their_lines() {
    let bench = Bench::new();
    assert_eq!(bench.findings(""), BTreeSet::new());
    for (id, lines, named) in OF_THE_TEXT {
        let named = match *named {
            "" => Some((*lines).to_owned()),
            "-" => None,
            line => Some(line.to_owned()),
        };
        let found = bench.findings(lines);
        let named = named.map(|line| line.lines().next().unwrap_or_default().to_owned());
        assert!(found.contains(&((*id).to_owned(), named)), "{id}: {lines}\n{found:?}");
    }
}

#[test]
fn what_is_gone_has_a_fix_and_a_line() {
    let bench = Bench::new();
    let text = |lines: &str| String::from_utf8(bench.check(lines, &[]).stdout).unwrap();
    for (line, fix) in [
        ("Kold dbm /etc/mail/old", "makemap hash"),
        ("O AutoRebuildAliases=True", "newaliases"),
        ("O NothingLikeIt=1", "take the line out"),
        ("O AliasFile=dbm:/etc/mail/aliases", "write hash:"),
        ("Mx, P=[TCP], F=mD, E=\\r\\n, A=TCP $h", "write P=[IPC]"),
        ("Mx, P=[IPC], F=mD, E=\\r\\n, A=IPC $h", "write A=TCP $h"),
    ] {
        let text = text(line);
        let (place, help) = (format!("| {line}"), text.lines().find(|l| l.contains("= help: ") && l.contains(fix)));
        assert!(text.contains(&place) && help.is_some(), "{line}: {text}");
    }
}

#[test]
fn configurations_of_this_repository_have_no_fault() {
    let sandbox = Sandbox::new();
    for site in [sandbox.mta("a", 1, ""), sandbox.msp("b", 1, "")] {
        let output = Command::new(env!("CARGO_BIN_EXE_cfcheck")).arg("--strict").arg(site.path("cf")).output().unwrap();
        assert_eq!((String::from_utf8_lossy(&output.stdout).as_ref(), output.status.code()), ("", Some(0)));
    }
}

#[test]
fn what_a_library_leaves_undeclared_is_no_error() {
    // MAILER(local) alone names esmtp; the library of 8.17 looks into a map stsxnodaneflag that it does not declare.
    let bench = Bench::new();
    for (id, lines) in [
        ("undeclared-mailer", "S0\nR$*\t$#esmtp $@ $1 $: $1"),
        ("undeclared-map", "Scheck_mail\nR$*\t$: $(nosuch $1 $)"),
    ] {
        let output = bench.check(lines, &[]);
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(text.contains(&format!("warning[{id}]")) && output.status.success(), "{text}");
    }
}

#[test]
fn what_may_be_meant_is_no_finding() {
    let bench = Bench::new();
    for lines in [
        "Scheck_rcpt\nR$* a\t$: $1\nR$* a\t$@ $1",
        "Scheck_rcpt\nR$*\t$: $1 b\nR$*\t$@ $1",
        "Scheck_rcpt\nR$- . $*\t$@ $1\nR$+ . $*\t$@ $1",
        "Scheck_mail\nR$*\t$: $?{Maybe}${Maybe}$.",
        "Kmac macro\nScheck_mail\nR$*\t$: $(mac {Set} $@ $1 $) $&{Set}",
        "CX\nScheck_mail\nR$=X\t$@ x",
        "S5\nRa\t$#error $: x\nRb\t$#ERROR $: x\nRc\t$#Error $: x\nRd\t$#LOCAL $: x",
        "Scheck_mail\nRa\t$#DISCARD $: x\nRb\t$#nosuch $: x",
        "O DaemonPortOptions=Name=a\nO DaemonPortOptions=Name=b, Port=587\nO DaemonPortOptions=Name=c, Family=inet6",
        "O UseMSP=True\nO RunAsUser=daemon\nO DaemonPortOptions=Name=NoMTA, Addr=127.0.0.1, M=E",
        "O RunAsUser=root",
        "O LogLevel=14\nO MinFreeBlocks=-1\nO CipherList=HIGH:!aNULL\nO CipherSuites=TLS_AES_256_GCM_SHA384",
        "Dx=y\nEPATH=/bin\nPfirst-class=0\nTdaemon",
        "Kdb hash -o DIR/nosuch\nScheck_mail\nR$*\t$: $(db $1 $)",
    ] {
        let mut found = bench.findings(lines);
        // The queue of the folder belongs to who runs the test.
        found.retain(|(id, _)| id != "unreachable-ruleset" && id != "queue-directory-unwritable");
        assert_eq!(found, BTreeSet::new(), "{lines}");
    }
}

#[test]
fn faults_of_files_and_directories_are_found() {
    let bench = Bench::new();
    bench.write("words", "a b\n", 0o644);
    bench.write("bad.db", "this is no database", 0o644);
    bench.write("program", "#!/bin/sh\n", 0o757);
    for name in ["open", "group", "mine"] {
        fs::create_dir(bench.path(name)).unwrap();
    }
    mode(&bench.path("open"), 0o777);
    mode(&bench.path("group"), 0o770);
    fs::write(bench.path("open/words"), "a b\n").unwrap();
    fs::write(bench.path("open/help"), "help\n").unwrap();
    bench.write("mine/all", "a: b\n", 0o666);
    let input = Command::new("sh")
        .arg("-c")
        .arg(format!("echo a b | {} -C /dev/null -s hash mine/map", env!("CARGO_BIN_EXE_makemap")))
        .current_dir(bench.path(""))
        .output()
        .unwrap();
    assert!(input.status.success(), "{input:?}");
    let times = fs::FileTimes::new().set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000));
    fs::File::options().append(true).open(bench.path("mine/map.db")).unwrap().set_times(times).unwrap();
    fs::write(bench.path("mine/map"), "a c\n").unwrap();
    let used = |declaration: &str| format!("{declaration}\nScheck_mail\nR$*\t$: $(db $1 $)");
    for (id, lines) in [
        ("map-file-missing", used("Kdb hash DIR/nosuch")),
        ("map-file-missing", used("Kdb text DIR/nosuch")),
        ("map-file-missing", "O AliasFile=DIR/nosuch".to_owned()),
        ("map-file-format", used("Kdb hash DIR/bad")),
        ("map-file-format", used("Kdb btree DIR/mine/map")),
        ("map-file-stale", used("Kdb hash DIR/mine/map")),
        ("map-file-unsafe", used("Kdb text DIR/open/words")),
        ("map-file-writable", used("Kdb text DIR/mine/all")),
        ("map-file-writable", "O AliasFile=DIR/mine/all".to_owned()),
        ("unsafe-file", "O HelpFile=DIR/open/help".to_owned()),
        ("mailer-program-missing", "Mx, P=DIR/nosuch, A=x".to_owned()),
        ("mailer-program-missing", "Mx, P=DIR/words, A=x".to_owned()),
        ("mailer-program-missing", "Mx, P=relative, A=x".to_owned()),
        ("mailer-program-unsafe", "Mx, P=DIR/program, A=x".to_owned()),
        ("queue-directory-missing", "OQDIR/nosuch".to_owned()),
        ("queue-directory-missing", "Qx, P=DIR/nosuch".to_owned()),
        ("queue-directory-missing", "Qx, P=DIR/nosuch*".to_owned()),
        ("queue-directory-missing", "O QueueDirectory=".to_owned()),
        ("queue-directory-unwritable", "Qx, P=DIR/mine\nO RunAsUser=54321:54321".to_owned()),
        ("queue-directory-unsafe", "Qx, P=DIR/open".to_owned()),
        ("queue-directory-unsafe", "Qx, P=DIR/gr*".to_owned()),
        ("milter-socket-missing", "Xf, S=local:DIR/nosuch\nO InputMailFilters=f".to_owned()),
    ] {
        let found = bench.findings(&lines);
        assert!(found.iter().any(|(found, _)| found == id), "{id}: {lines}\n{found:?}");
        let output = bench.check(&lines, &["--text-only", "--json"]);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(!text.contains(id), "--text-only: {lines}\n{text}");
    }
}

#[test]
fn faults_of_keys_and_certificates_are_found() {
    let bench = Bench::new();
    let pair =
        |certificate: &str, key: &str| format!("O ServerCertFile=DIR/tls/{certificate}\nO ServerKeyFile=DIR/tls/{key}");
    let good = pair("a.test.crt", "a.test.key");
    let soon = "certificate-expiring".to_owned();
    let found = bench.findings(&format!("{good}\nO CACertFile=DIR/tls/ca.crt\nO CACertPath=DIR/tls"));
    assert!(found.iter().all(|(id, _)| *id == soon), "{found:?}");
    let key = PKey::from_rsa(Rsa::generate(1024).unwrap()).unwrap();
    let write = |name: &str, text: &[u8], bits| {
        fs::write(bench.path("tls").join(name), text).unwrap();
        mode(&bench.path("tls").join(name), bits);
    };
    write("weak.key", &key.private_key_to_pem_pkcs8().unwrap(), 0o600);
    write("secret.key", &key.private_key_to_pem_pkcs8_passphrase(Cipher::aes_128_cbc(), b"x").unwrap(), 0o600);
    write("group.key", &fs::read(bench.authority.path("a.test", "key")).unwrap(), 0o640);
    write("empty.key", b"", 0o600);
    write("ended.crt", &ended(), 0o644);
    for (id, lines) in [
        ("certificate-unreadable", pair("nosuch", "a.test.key")),
        ("certificate-unreadable", pair("a.test.key", "a.test.key")),
        ("certificate-unreadable", "O CACertPath=DIR/nosuch".to_owned()),
        ("certificate-unreadable", "O CRLFile=DIR/tls/ca.crt".to_owned()),
        ("certificate-mismatch", pair("a.test.crt", "b.test.key")),
        ("certificate-expired", pair("ended.crt", "a.test.key")),
        ("certificate-expiring", good.clone()),
        ("key-unreadable", pair("a.test.crt", "nosuch")),
        ("key-unreadable", pair("a.test.crt", "empty.key")),
        ("key-encrypted", pair("a.test.crt", "secret.key")),
        ("key-weak", pair("a.test.crt", "weak.key")),
        ("key-unsafe", pair("a.test.crt", "group.key")),
    ] {
        let found = bench.findings(&lines);
        assert!(found.iter().any(|(found, _)| found == id), "{id}: {lines}\n{found:?}");
    }
    let allowed = format!("{}\nO DontBlameSendmail=GroupReadableKeyFile", pair("a.test.crt", "group.key"));
    assert!(!bench.findings(&allowed).iter().any(|(id, _)| id == "key-unsafe"));
    let legacy = format!("{}\nO CipherList=DEFAULT:@SECLEVEL=0", pair("a.test.crt", "weak.key"));
    assert!(!bench.findings(&legacy).iter().any(|(id, _)| id == "key-weak"));
    let output = bench.check(&good, &["--strict", "--expiring", "3"]);
    assert_eq!((output.status.code(), output.stdout), (Some(0), Vec::new()));
}

#[test]
fn what_lies_beside_the_certificates_is_looked_at() {
    let bench = Bench::new();
    let lines = "O CACertFile=DIR/tls/ca.crt\nO CACertPath=DIR/tls";
    let is_found = |id: &str| bench.findings(lines).iter().any(|(found, _)| found == id);
    let certificate = X509::from_pem(&fs::read(bench.path("tls/ca.crt")).unwrap()).unwrap();
    let digest = hash(MessageDigest::md5(), &certificate.subject_name().to_der().unwrap()).unwrap();
    let old = u32::from_le_bytes(digest[..4].try_into().unwrap());
    symlink("ca.crt", bench.path("tls").join(format!("{old:08x}.0"))).unwrap();
    assert!(is_found("ca-link-old-hash"));
    symlink("ca.crt", bench.path("tls").join(format!("{:08x}.0", certificate.subject_name_hash()))).unwrap();
    assert!(!is_found("ca-link-old-hash"));
    assert!(!is_found("ca-key-beside-certificates"));
    fs::copy(bench.authority.path("a.test", "key"), bench.path("tls/cakey.pem")).unwrap();
    assert!(is_found("ca-key-beside-certificates"));
}

#[test]
fn a_block_pasted_without_its_letters_is_told_line_by_line() {
    let bench = Bench::new();
    let output = bench.check(PASTED, &["--text-only", "--color=never"]);
    let expected = include_str!("../golden/cfcheck/pasted.txt");
    assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
    assert_eq!(output.status.code(), Some(2));
    let mended = format!("O {}\n", PASTED.trim_end().replace('\n', "\nO "));
    let output = bench.check(&mended, &["--text-only"]);
    assert_eq!((String::from_utf8_lossy(&output.stdout).as_ref(), output.status.code()), ("", Some(0)));
}

#[test]
fn the_exit_code_tells_errors_from_warnings() {
    let bench = Bench::new();
    for (lines, arguments, code) in [
        ("", &[][..], 0),
        ("O MaxHop=3", &[], 0),
        ("O MaxHop=3", &["--strict"], 1),
        ("O MaxHop=3", &["--strict", "--allow", "abbreviated-option"], 0),
        ("O Nosuch=3", &["--quiet"], 2),
        ("O Nosuch=3", &["--nosuch"], 64),
    ] {
        let output = bench.check(lines, arguments);
        assert_eq!(output.status.code(), Some(code), "{lines} {arguments:?}");
        assert!(!arguments.contains(&"--quiet") || output.stdout.is_empty());
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_cfcheck"));
    assert_eq!(command.arg("/nosuch/cf").output().unwrap().status.code(), Some(66));
}

#[test]
fn every_check_has_a_case_and_an_explanation() {
    let explain = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_cfcheck")).arg("--explain").args(arguments).output().unwrap();
        (String::from_utf8(output.stdout).unwrap(), output.status.code())
    };
    let (list, _) = explain(&[]);
    let cases = include_str!("cfcheck.rs");
    for id in list.lines().filter_map(|line| line.split_whitespace().next()) {
        assert!(cases.matches(&format!("\"{id}\"")).count() >= 1, "{id} has no case");
        let (text, code) = explain(&[id]);
        assert!(text.starts_with(&format!("{id} (")) && code == Some(0), "{text}");
    }
    let (text, code) = explain(&["shadow-rule"]);
    assert_eq!((text.as_str(), code), ("cfcheck: there is no check shadow-rule; is it shadowed-rule?\n", Some(64)));
}

/// Options as a manual prints them.
const PASTED: &str = "CACertPath=/etc/mail/certs\nCACertFile=/etc/mail/certs/cacert.pem\n\
    ServerCertFile=/etc/mail/certs/s-cert.pem\nServerKeyFile=/etc/mail/certs/s-key.pem\n\
    ClientCertFile=/etc/mail/certs/c-cert.pem\nClientKeyFile=/etc/mail/certs/c-key.pem\nUseTLS=True\n\
    RandFile=egd:/dev/random\nDontBlameSendmail=GroupReadableKeyFile\n";

/// A certificate that ended in 2020.
fn ended() -> Vec<u8> {
    let key = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
    let mut builder = X509::builder().unwrap();
    builder.set_pubkey(&key).unwrap();
    builder.set_not_before(&Asn1Time::from_unix(1_546_300_800).unwrap()).unwrap();
    builder.set_not_after(&Asn1Time::from_unix(1_577_836_800).unwrap()).unwrap();
    builder.sign(&key, MessageDigest::sha256()).unwrap();
    builder.build().to_pem().unwrap()
}
