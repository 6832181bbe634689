//! What `PrivacyOptions` keeps from users and from senders.

use std::os::unix::fs::{PermissionsExt as _, chown};

use super::*;
use crate::support::sandbox::is_root;

/// The command as somebody who is not trusted; only root can be another.
pub(super) fn as_nobody(site: &Site, args: &[&str]) -> Option<Command> {
    if !is_root() {
        println!("not root: what others may do was not looked at");
        return None;
    }
    let own = site.command();
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(own.get_program()).args(own.get_args());
    command.args(args).current_dir(&site.dir);
    Some(command)
}

#[test]
fn the_queue_is_for_those_it_belongs_to() {
    for (lines, args, words, is_refused) in [
        ("", "-bp", "is empty", false),
        ("O PrivacyOptions=restrictmailq\n", "-bp", "You are not permitted to see the queue", true),
        ("", "-q", "You do not have permission to process the queue", false),
        ("O PrivacyOptions=restrictqrun\n", "-q", "You do not have permission to process the queue", true),
    ] {
        let (_sandbox, site) = alone(lines);
        std::fs::set_permissions(site.path("queue"), std::fs::Permissions::from_mode(0o755)).unwrap();
        let Some(command) = as_nobody(&site, &[args]) else { return };
        let (exit, printed) = finished(command, b"");
        assert_eq!(printed.contains(words), is_refused || args == "-bp", "{lines:?} {args}: {printed}");
        // Who asks for a list and gets none is no failure. Source: observed.
        assert_eq!(exit == 77, is_refused && args == "-q", "{lines:?}: {exit}");
    }
}

#[test]
fn users_are_warned_of_and_do_not_watch() {
    for (lines, is_shown, is_warned) in [
        ("", true, false),
        ("O PrivacyOptions=restrictexpand\n", false, false),
        ("O PrivacyOptions=authwarnings\n", true, true),
    ] {
        let (_sandbox, site) = alone(lines);
        chown(site.path("queue"), Some(65534), Some(65534)).unwrap_or_default();
        let Some(command) = as_nobody(&site, &["-odi", "-v", "-fother@a.test", "you@a.test"]) else { return };
        let (_, printed) = finished(command, b"Subject: x\n\nx\n");
        assert!(site.mailbox("you").contains("Subject: x"), "{printed}");
        assert_eq!(printed.contains("you@a.test... Sent"), is_shown, "{lines:?}: {printed}");
        let warning = "X-Authentication-Warning: a.test: nobody set sender to other@a.test using -f";
        assert_eq!(site.mailbox("you").contains(warning), is_warned, "{lines:?}: {}", site.mailbox("you"));
    }
}

#[test]
fn reports_tell_less() {
    let (body, actual) = ("secret text", "X-Actual-Recipient:");
    for (lines, has_body, has_actual) in [
        ("", true, true),
        ("O PrivacyOptions=nobodyreturn\n", false, true),
        ("O PrivacyOptions=noactualrecipient\n", true, false),
    ] {
        let (_sandbox, site) = alone(lines);
        run(&site, &["-odi", "-oem", "-fme@a.test", "nosuch@a.test"], b"Subject: x\n\nsecret text\n");
        let report = site.mailbox("me");
        assert!(report.contains("Final-Recipient"), "{report}");
        assert_eq!((report.contains(body), report.contains(actual)), (has_body, has_actual), "{lines:?}: {report}");
    }
    for (lines, is_told) in [("", true), ("O PrivacyOptions=noreceipts\n", false)] {
        let (_sandbox, site) = alone(lines);
        run(&site, &["-odi", "-Nsuccess", "-fme@a.test", "you@a.test"], b"Subject: x\n\nx\n");
        assert!(site.mailbox("you").contains("Subject: x"));
        assert_eq!(site.mailbox("me").contains("Action: delivered"), is_told, "{lines:?}: {}", site.mailbox("me"));
    }
}
