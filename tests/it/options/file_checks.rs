//! `DontBlameSendmail`: what each word of it lets pass, in a folder that is the test's own.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use super::*;
use crate::support::sandbox::user_name;

/// A file below `DIR/in/`, with the modes of folder and file; a link has its target beside it.
#[derive(Clone, Copy)]
struct File {
    folder: u32,
    mode: u32,
    is_link: bool,
    text: &'static str,
}

const SAFE: File = File { folder: 0o755, mode: 0o644, is_link: false, text: "" };

fn mode(path: &Path, bits: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(bits)).unwrap();
}

/// A transfer agent under these flags, with the file as `DIR/in/f`.
fn with_file(flags: &str, file: File, lines: &str, aliases: &str) -> (Sandbox, Site) {
    let (sandbox, site) = alone(&format!("O DontBlameSendmail={flags}\n{lines}"));
    let dir = format!("{}/", site.dir.display());
    let text = fs::read_to_string(site.path("cf")).unwrap().replace("DIR/", &dir);
    site.write("cf", text.replace("F=lsDFMAPXn9", "F=lsDFMAPXn9w").as_bytes(), 0o644);
    site.write("aliases", aliases.replace("DIR/", &dir).as_bytes(), 0o644);
    fs::create_dir(site.path("in")).unwrap();
    let name = if file.is_link { "in/target" } else { "in/f" };
    site.write(name, file.text.replace("DIR/", &dir).as_bytes(), file.mode);
    if file.is_link {
        symlink("target", site.path("in/f")).unwrap();
    }
    mode(&site.path("in"), file.folder);
    (sandbox, site)
}

/// What test mode answers.
fn asked(site: &Site, line: &str) -> String {
    run(site, &["-bt"], format!("{line}\n").as_bytes()).1
}

/// Each flag must make the difference between `passes` with what is forgiven anyway and `passes` with the flag, too.
#[track_caller]
fn decide(cases: &[(&str, &str, File)], passes: impl Fn(&str, File) -> bool) {
    for (flag, anyway, file) in cases {
        // The folder for temporary files is such a folder itself.
        let sticky = if *flag == "TrustStickyBit" { "LinkedMapInWritableDir" } else { "TrustStickyBit" };
        assert!(!passes(&format!("{sticky} {anyway}"), *file), "{flag}: it passes without");
        assert!(passes(&format!("{sticky} {anyway} {flag}"), *file), "{flag}: it is refused");
    }
}

#[test]
fn sources_of_aliases() {
    let text = "team: you\n";
    let (group, world) = (File { mode: 0o664, text, ..SAFE }, File { mode: 0o646, text, ..SAFE });
    let open = File { folder: 0o777, text, ..SAFE };
    let link = File { is_link: true, ..open };
    decide(
        &[
            ("GroupWritableAliasFile", "", group),
            ("WorldWritableAliasFile", "", world),
            ("MapInUnsafeDirPath", "", open),
            ("LinkedAliasFileInWritableDir", "MapInUnsafeDirPath", link),
        ],
        |flags, file| {
            let (_sandbox, site) = with_file(flags, file, "", "");
            let text = fs::read_to_string(site.path("cf")).unwrap();
            let text =
                text.replace(&format!("{}/aliases", site.dir.display()), &format!("{}/in/f", site.dir.display()));
            site.write("cf", text.as_bytes(), 0o644);
            run(&site, &["-bi"], b"").1.contains("1 aliases")
        },
    );
}

#[test]
fn maps_and_what_they_are_built_into() {
    let open = File { folder: 0o777, text: "key value\n", ..SAFE };
    let link = File { is_link: true, ..open };
    decide(
        &[("MapInUnsafeDirPath", "", open), ("LinkedMapInWritableDir", "MapInUnsafeDirPath", link)],
        |flags, file| {
            let (_sandbox, site) = with_file(flags, file, "Km text -o DIR/in/f\n", "");
            asked(&site, "/map m key").contains("returns")
        },
    );
    for flag in ["WriteMapToSymLink", "WriteMapToHardLink"] {
        decide(&[(flag, "", SAFE)], |flags, file| {
            let (_sandbox, site) = with_file(flags, file, "", "team: you\n");
            assert!(run(&site, &["-bi"], b"").1.contains("1 aliases"));
            fs::rename(site.path("aliases.db"), site.path("other.db")).unwrap();
            if flag.contains("Sym") {
                symlink("other.db", site.path("aliases.db")).unwrap();
            } else {
                fs::hard_link(site.path("other.db"), site.path("aliases.db")).unwrap();
            }
            run(&site, &["-bi"], b"").1.contains("1 aliases")
        });
    }
}

#[test]
fn files_of_classes() {
    let open = File { folder: 0o777, text: "word\n", ..SAFE };
    let link = File { is_link: true, ..open };
    decide(
        &[
            ("ClassFileInUnsafeDirPath", "", open),
            ("LinkedClassFileInWritableDir", "ClassFileInUnsafeDirPath", link),
            ("GroupWritableDirPathSafe", "", File { folder: 0o775, ..open }),
            ("TrustStickyBit", "", File { folder: 0o1777, ..open }),
        ],
        |flags, file| {
            let (_sandbox, site) = with_file(flags, file, "FX -o DIR/in/f\n", "");
            if file.folder & 0o1000 != 0 {
                let text = fs::read_to_string(site.path("cf")).unwrap();
                site.write("cf", text.replace("O DontBlameSendmail=TrustStickyBit\n", "").as_bytes(), 0o644);
            }
            asked(&site, "$=X").contains("word")
        },
    );
    // `Safe` takes back what was forgiven before. Source: observed.
    let flags = "TrustStickyBit ClassFileInUnsafeDirPath Safe TrustStickyBit";
    let (_sandbox, site) = with_file(flags, open, "FX -o DIR/in/f\n", "");
    assert!(!asked(&site, "$=X").contains("word"));
}

#[test]
fn lists() {
    let fine = "other@next.test\n";
    let of = |folder, mode, is_link, text| File { folder, mode, is_link, text };
    let program = "\"|/bin/true\"\n";
    decide(
        &[
            ("IncludeFileInUnsafeDirPath", "", of(0o777, 0o644, false, fine)),
            ("IncludeFileInGroupWritableDirPath", "", of(0o775, 0o644, false, fine)),
            ("LinkedIncludeFileInWritableDir", "IncludeFileInUnsafeDirPath", of(0o777, 0o644, true, fine)),
            ("GroupWritableIncludeFile", "", of(0o755, 0o664, false, fine)),
            ("WorldWritableIncludeFile", "", of(0o755, 0o646, false, fine)),
            ("GroupWritableIncludeFileSafe", "GroupWritableIncludeFile", of(0o755, 0o664, false, program)),
            ("IncludeFileInUnsafeDirPathSafe", "IncludeFileInUnsafeDirPath", of(0o777, 0o644, false, program)),
        ],
        |flags, file| {
            let (_sandbox, site) = with_file(flags, file, "", "list: :include:DIR/in/f\n");
            let printed = run(&site, &["-bv", "list@a.test"], b"").1;
            printed.contains("deliverable: mailer esmtp") || printed.contains("deliverable: mailer prog")
        },
    );
}

#[test]
fn forwards() {
    let fine = "other@next.test\n";
    let of = |folder, mode, is_link, text| File { folder, mode, is_link, text };
    let program = "\"|/bin/true\"\n";
    let user = user_name();
    decide(
        &[
            ("ForwardFileInUnsafeDirPath", "", of(0o777, 0o644, false, fine)),
            ("ForwardFileInGroupWritableDirPath", "", of(0o775, 0o644, false, fine)),
            ("LinkedForwardFileInWritableDir", "ForwardFileInUnsafeDirPath", of(0o777, 0o644, true, fine)),
            ("GroupWritableForwardFile", "", of(0o755, 0o664, false, fine)),
            ("WorldWritableForwardFile", "", of(0o755, 0o646, false, fine)),
            ("GroupWritableForwardFileSafe", "GroupWritableForwardFile", of(0o755, 0o664, false, program)),
            ("ForwardFileInUnsafeDirPathSafe", "ForwardFileInUnsafeDirPath", of(0o777, 0o644, false, program)),
        ],
        |flags, file| {
            let (_sandbox, site) = with_file(flags, file, "O ForwardPath=DIR/in/f\n", "");
            let printed = run(&site, &["-bv", &user], b"").1;
            printed.contains("deliverable: mailer esmtp") || printed.contains("deliverable: mailer prog")
        },
    );
}

#[test]
fn texts_and_counters() {
    let open = File { folder: 0o777, text: "smtp\tour help\n", ..SAFE };
    decide(&[("HelpFileInUnsafeDirPath", "", open)], |flags, file| {
        let (_sandbox, site) = with_file(flags, file, "O HelpFile=DIR/in/f\n", "");
        Dialogue::start(&site, &[]).say(b"HELP").contains("our help")
    });
    decide(&[("ErrorHeaderInUnsafeDirPath", "", open)], |flags, file| {
        let (_sandbox, site) = with_file(flags, file, "O ErrorHeader=DIR/in/f\n", "");
        let text = fs::read_to_string(site.path("cf")).unwrap().replace("9w:", "9:");
        site.write("cf", text.as_bytes(), 0o644);
        run(&site, &["-odi", "-oem", "-fme@a.test", "nosuch@a.test"], b"Subject: x\n\nx\n");
        assert!(site.mailbox("me").contains("Final-Recipient"));
        site.mailbox("me").contains("our help")
    });
    for flag in ["WriteStatsToSymLink", "WriteStatsToHardLink"] {
        decide(&[(flag, "", SAFE)], |flags, file| {
            let (_sandbox, site) = with_file(flags, file, "O StatusFile=DIR/st\n", "");
            if flag.contains("Sym") {
                symlink("in/f", site.path("st")).unwrap();
            } else {
                fs::hard_link(site.path("in/f"), site.path("st")).unwrap();
            }
            let text = fs::read_to_string(site.path("cf")).unwrap().replace("9w:", "9:");
            site.write("cf", text.as_bytes(), 0o644);
            send(&site, &["you@a.test"], b"Subject: x\n\nx\n");
            fs::metadata(site.path("in/f")).unwrap().len() > 0
        });
    }
}

#[test]
fn programs_are_warned_of() {
    for (flag, folder, bits) in [("RunProgramInUnsafeDirPath", 0o777, 0o755), ("RunWritableProgram", 0o755, 0o777)] {
        decide(
            &[(flag, "", File { folder, mode: bits, text: "#!/bin/sh\ncat >/dev/null\n", ..SAFE })],
            |flags, file| {
                let (_sandbox, site) = with_file(flags, file, "O LogLevel=15\n", "");
                let mailbox = format!("P={}/mailbox,", site.dir.display());
                let text = fs::read_to_string(site.path("cf")).unwrap();
                let text = text.replace(&mailbox, &format!("P={}/in/f,", site.dir.display())).replace("9w:", "9:");
                site.write("cf", text.as_bytes(), 0o644);
                send(&site, &["you@a.test"], b"Subject: x\n\nx\n");
                assert!(site.log().contains("stat=Sent"), "{}", site.log());
                !site.log().contains("in/f unsafe")
            },
        );
    }
}

#[test]
fn passwords_for_servers_and_service_switches() {
    use sendmail::config::dontblame::FLAGS;
    use sendmail::sys::safefile::{Judge, Purpose, open};
    let bit = |name: &str| FLAGS.iter().find(|row| row.name == name).unwrap().bit.unwrap();
    let base = 1 << bit("TrustStickyBit");
    let own = fs::metadata("/proc/self").map(|own| std::os::unix::fs::MetadataExt::uid(&own)).unwrap();
    for (name, purpose, file) in [
        ("GroupReadableDefaultAuthInfoFile", Purpose::AuthInfo, File { mode: 0o640, ..SAFE }),
        ("LinkedServiceSwitchFileInWritableDir", Purpose::ServiceSwitch, File { folder: 0o777, is_link: true, ..SAFE }),
    ] {
        let (_sandbox, site) = with_file("Safe", file, "", "");
        let opens = |flags: u64| {
            open(&site.path("in/f"), purpose, &Judge { uid: own, dont_blame: base | flags, trusted_uid: None }).is_ok()
        };
        assert!(!opens(0) && opens(1 << bit(name)), "{name}");
    }
}
