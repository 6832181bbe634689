//! Options of aliases, accounts, and files and programs that addresses lead to.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};

use super::privacy::as_nobody;
use super::*;
use crate::support::private_etc::with_etc;
use crate::support::sandbox::{is_root, recipient, user_name};

const MESSAGE: &[u8] = b"Subject: x\n\nx\n";

/// A transfer agent whose local mailer has more flags, with `DIR` in the lines and the aliases put in.
fn with_flags(flags: &str, lines: &str, aliases: &str) -> (Sandbox, Site) {
    let (sandbox, site) = alone(lines);
    let dir = site.dir.display().to_string();
    let text = fs::read_to_string(site.path("cf")).unwrap();
    let text = text.replace("DIR/", &format!("{dir}/")).replace("F=lsDFMAPXn9", &format!("F=lsDFMAPXn9{flags}"));
    site.write("cf", text.as_bytes(), 0o644);
    site.write("aliases", aliases.replace("DIR/", &format!("{dir}/")).as_bytes(), 0o644);
    (sandbox, site)
}

#[test]
fn the_sender_stays_in_lists_or_not() {
    for (lines, stays) in [("", true), ("O MeToo=true\n", true), ("O MeToo=false\n", false)] {
        let (_sandbox, site) = with_flags("", lines, "list: me, you\n");
        send(&site, &["-fme@a.test", "list@a.test"], MESSAGE);
        assert!(site.mailbox("you").contains("Subject: x"));
        assert_eq!(site.mailbox("me").contains("Subject: x"), stays, "{lines:?}");
    }
}

#[test]
fn aliases_lead_as_deep_as_the_option_says() {
    let chain = "a1: a2\na2: a3\na3: a4\na4: you\n";
    for (lines, is_fine) in [("", true), ("O MaxAliasRecursion=4\n", true), ("O MaxAliasRecursion=2\n", false)] {
        let (_sandbox, site) = with_flags("", lines, chain);
        let (_, printed) = run(&site, &["-bv", "a1@a.test"], b"");
        assert_eq!(printed.contains("deliverable: mailer local"), is_fine, "{lines:?}: {printed}");
        assert_eq!(printed.contains("aliasing/forwarding loop broken (3 aliases deep; 2 max)"), !is_fine, "{printed}");
    }
}

#[test]
fn right_sides_are_looked_at_when_the_option_says_so() {
    for (lines, is_told) in [("", false), ("O CheckAliases=true\n", true)] {
        let (_sandbox, site) = with_flags("", lines, "good: you\nbad: them@no.test\n");
        let (_, printed) = run(&site, &["-bi"], b"");
        assert!(printed.contains("2 aliases"), "{printed}");
        assert_eq!(printed.contains("them@no.test"), is_told, "{lines:?}: {printed}");
    }
}

#[test]
fn users_say_in_the_named_file_where_their_mail_goes() {
    let user = user_name();
    for (lines, is_forwarded) in [("O ForwardPath=DIR/fwd.$u\n", true), ("O ForwardPath=DIR/none.$u\n", false)] {
        let (_sandbox, site) = with_flags("w", lines, "");
        site.write(&format!("fwd.{user}"), b"other@next.test\n", 0o644);
        let (_, printed) = run(&site, &["-bv", &user], b"");
        assert_eq!(printed.contains("other@next.test... deliverable: mailer esmtp"), is_forwarded, "{printed}");
    }
}

/// What `-bv` says of one user when several forward to each other.
fn forwards(forwards: &[(&str, &str)], args: &[&str]) -> Option<Vec<String>> {
    forwards_and_aliases(forwards, "", args)
}

fn forwards_and_aliases(forwards: &[(&str, &str)], aliases: &str, args: &[&str]) -> Option<Vec<String>> {
    let (_sandbox, site) = with_flags("w", "O ForwardPath=DIR/fwd.$u\n", aliases);
    let mut passwd = String::from("root:x:0:0:root:/root:/bin/sh\n");
    for (uid, name) in (1234..).zip(["ann", "ben", "cat"]) {
        passwd.extend([format!("{name}:x:{uid}:{uid}::/nonexistent:/bin/sh\n")]);
        if let Some((_, text)) = forwards.iter().find(|(user, _)| *user == name) {
            let file = format!("fwd.{name}");
            site.write(&file, text.as_bytes(), 0o644);
            chown(site.path(&file), Some(uid), None).ok();
        }
    }
    let mut command = site.command();
    command.arg("-bv").args(args);
    let (_, printed) = finished(with_etc(&command, &site.dir, &[("passwd", &passwd)])?, b"");
    let user = |line: &str| line.split_once("... deliverable").map_or(line.to_owned(), |(user, _)| user.to_owned());
    // The alias file is no database: nothing to look at here.
    Some(printed.lines().filter(|line| !line.contains("alias")).map(user).collect())
}

#[test]
fn users_who_forward_to_each_other_all_get_what_nobody_else_gets() {
    for (files, user, told) in [
        (&[("ann", "ben\n"), ("ben", "ann\n")][..], "ann", &["ann", "ben"][..]),
        (&[("ann", "ben\n"), ("ben", "cat\n"), ("cat", "ann\n")], "ann", &["ann", "cat"]),
        (&[("ann", "ann, ben\n"), ("ben", "ann\n")], "ben", &["ben", "ann"]),
        (&[("ann", "ben, cat\n"), ("ben", "ann\n"), ("cat", "ann\n")], "ann", &["ann", "cat", "ben"]),
        (&[("ann", "ben, x@next.test\n"), ("ben", "ann\n")], "ben", &["ben", "x@next.test"]),
        (&[("ann", "ann\n")], "ann", &["ann"]),
    ] {
        let Some(found) = forwards(files, &[user]) else { return };
        assert_eq!(found, told, "{user}: {files:?}");
    }
}

#[test]
fn a_user_who_forwards_to_an_alias_that_is_known_gets_nothing() {
    let files = [("ann", "list\n")];
    for (args, told) in [
        (&["list", "ann"][..], &["cat"][..]),
        (&["ann", "list"], &["cat"]),
        (&["cat", "ann"], &["cat"]),
        (&["ann"], &["cat"]),
    ] {
        let Some(found) = forwards_and_aliases(&files, "list: cat\n", args) else { return };
        assert_eq!(found, told, "{args:?}");
    }
}

#[test]
fn addresses_are_told_in_their_order_several_in_a_word_from_its_end() {
    for (args, told) in [
        (&["ann", "ben"][..], &["ann", "ben"][..]),
        (&["ann,ben", "cat"], &["ben", "ann", "cat"]),
        (&["-OOldStyleHeaders=true", "ann ben"], &["ben", "ann"]),
        (&["-v", "cat", "ann", "ann"], &["ann... duplicate suppressed", "cat", "ann"]),
    ] {
        let Some(found) = forwards(&[], args) else { return };
        assert_eq!(found, told, "{args:?}");
    }
}

#[test]
fn full_names_and_databases_name_users() {
    for (lines, words) in [("", "User unknown"), ("O MatchGECOS=true\n", "deliverable: mailer local, user ann")] {
        let (_sandbox, site) = with_flags("w", lines, "");
        let mut command = site.command();
        command.args(["-bv", "Ann_Example"]);
        let passwd = "root:x:0:0:root:/root:/bin/sh\nann:x:1234:1234:Ann Example:/nonexistent:/bin/sh\n";
        let Some(command) = with_etc(&command, &site.dir, &[("passwd", passwd)]) else { return };
        let (_, printed) = finished(command, b"");
        assert!(printed.contains(words), "{lines:?}: {printed}");
    }
}

#[test]
fn the_user_database_says_where_mail_is_dropped() {
    for (lines, words) in [
        ("", "deliverable: mailer local, user you"),
        ("O UserDatabaseSpec=DIR/users.db\n", "other@next.test... deliverable: mailer esmtp"),
    ] {
        let (_sandbox, site) = with_flags("@", lines, "");
        let mut command = Command::new(env!("CARGO_BIN_EXE_makemap"));
        command.args(["-C", "/dev/null", "btree", "users"]).current_dir(&site.dir);
        assert_eq!(finished(command, b"you:maildrop other@next.test\n").0, 0);
        let (_, printed) = run(&site, &["-bv", "you"], b"");
        assert!(printed.contains(words), "{lines:?}: {printed}");
    }
}

#[test]
fn files_are_made_with_the_mode_and_below_the_directory_of_the_options() {
    for (lines, mode) in [("", 0o600), ("O TempFileMode=0640\n", 0o640)] {
        let (_sandbox, site) = with_flags("", lines, "file: DIR/mail/new\n");
        send(&site, &["file@a.test"], MESSAGE);
        let found = fs::metadata(site.path("mail/new")).unwrap().permissions().mode() & 0o777;
        assert_eq!(found, mode, "{lines:?}");
    }
    for (lines, arrives) in
        [("", true), ("O SafeFileEnvironment=DIR/mail/safe\n", false), ("O SafeFileEnvironment=DIR/mail\n", true)]
    {
        let (_sandbox, site) = with_flags("", lines, "file: DIR/mail/box\n");
        fs::create_dir(site.path("mail/safe")).unwrap();
        run(&site, &["-odi", "file@a.test"], MESSAGE);
        assert_eq!(site.path("mail/box").exists(), arrives, "{lines:?}");
    }
}

#[test]
fn links_and_files_of_many_names_are_delivered_to_when_forgiven() {
    for (name, flag) in [("symbolic", "FileDeliveryToSymLink"), ("hard", "FileDeliveryToHardLink")] {
        for is_forgiven in [false, true] {
            let lines = if is_forgiven { format!("O DontBlameSendmail={flag}\n") } else { String::new() };
            let (_sandbox, site) = with_flags("", &lines, "file: DIR/mail/link\n");
            let (uid, gid) = recipient();
            site.write("mail/box", b"", 0o600);
            chown(site.path("mail/box"), Some(uid), Some(gid)).unwrap();
            match name {
                "hard" => fs::hard_link(site.path("mail/box"), site.path("mail/link")).unwrap(),
                _ => symlink("box", site.path("mail/link")).unwrap(),
            }
            run(&site, &["-odi", "file@a.test"], MESSAGE);
            assert_eq!(site.mailbox("box").contains("Subject: x"), is_forgiven, "{flag}");
        }
    }
}

#[test]
fn programs_run_as_the_default_user_and_in_his_groups() {
    if !is_root() {
        println!("not root: users of programs were not looked at");
        return;
    }
    for (lines, shown) in [
        ("O DefaultUser=4321:4322\n", "4321 4322"),
        // The old form, whose group had a letter of its own.
        ("Ou4321\nOg4323\n", "4321 4323"),
        ("O DefaultUser=ann\n", "1234 1234 4242"),
        ("O DefaultUser=ann\nO DontInitGroups=true\n", "1234 1234"),
    ] {
        let (_sandbox, site) = with_flags("", lines, "who: \"|echo `id -u` `id -G` >DIR/mail/who\"\n");
        fs::set_permissions(site.path("mail"), fs::Permissions::from_mode(0o777)).unwrap();
        let mut command = site.command();
        command.args(["-odi", "who@a.test"]);
        let passwd = "root:x:0:0:root:/root:/bin/sh\nann:x:1234:1234:Ann Example:/nonexistent:/bin/sh\n";
        let files = [("passwd", passwd), ("group", "root:x:0:\nann:x:1234:\nextra:x:4242:ann\n")];
        let Some(command) = with_etc(&command, &site.dir, &files) else { return };
        let (_, printed) = finished(command, MESSAGE);
        assert_eq!(site.mailbox("who").trim(), shown, "{lines:?}: {printed}");
    }
}

#[test]
fn the_trusted_user_does_what_root_does() {
    for (lines, is_allowed) in [("O TrustedUser=root\n", false), ("O TrustedUser=nobody\n", true)] {
        let (_sandbox, site) = with_flags("", lines, "good: you\n");
        chown(&site.dir, Some(65534), Some(65534)).unwrap_or_default();
        let Some(command) = as_nobody(&site, &["-bi"]) else { return };
        let (exit, printed) = finished(command, b"");
        assert_eq!(printed.contains("Permission denied (real uid not trusted)"), !is_allowed, "{printed}");
        assert_eq!(exit == 0, is_allowed, "{lines:?}: {printed}");
    }
}
