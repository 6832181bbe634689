//! Options of the queue and its runs.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::*;
use crate::support::fake_host::FakeHost;
use crate::support::sandbox::is_root;

const MESSAGE: &[u8] = b"Subject: x\n\nx\n";
/// A next hop that puts off the first message and takes all others.
const ONCE: &str = "S: 220 next.test ESMTP\nC: EHLO *\nS: 250 next.test\nC: MAIL *\nS: 451 later\nhang up";

/// Puts `DIR` into the configuration.
fn located(site: &Site) {
    let text = fs::read_to_string(site.path("cf")).unwrap().replace("DIR/", &format!("{}/", site.dir.display()));
    site.write("cf", text.as_bytes(), 0o644);
}

#[test]
fn what_was_tried_not_long_ago_waits() {
    // Hours between its coming and the last attempt, hours since.
    for (lines, before, since, is_due) in [
        ("", 0, 0, true),
        ("O MinQueueAge=1h\n", 0, 0, false),
        ("O MinQueueAge=1h\n", 0, 2, true),
        // It waits as long again as it was there at its last attempt, up to the bound.
        ("O MinQueueAge=1h\nO MaxQueueAge=8h\n", 4, 2, false),
        ("O MinQueueAge=1h\nO MaxQueueAge=8h\n", 1, 2, true),
        ("O MinQueueAge=1h\nO MaxQueueAge=90m\n", 4, 2, true),
    ] {
        let (sandbox, next) = (Sandbox::new(), FakeHost::new(&[ONCE, ""]));
        let site = sandbox.mta("a", next.port, lines);
        run(&site, &["-odi", "you@next.test"], MESSAGE);
        let name = site.path("queue").join(&site.queue_files("qf")[0]);
        let text = fs::read(&name).unwrap();
        let earlier = |letter: char, time: &[u8], hours: u64| {
            let time: u64 = std::str::from_utf8(time).unwrap().parse().unwrap();
            format!("{letter}{}", time - hours * 3600).into_bytes()
        };
        let aged = text.split(|b| *b == b'\n').map(|line| match line {
            [b'K', time @ ..] => earlier('K', time, since),
            [b'T', time @ ..] => earlier('T', time, before + since),
            _ => line.to_vec(),
        });
        fs::write(&name, aged.collect::<Vec<_>>().join(&b'\n')).unwrap();
        site.run_queue();
        assert_eq!(site.queue_is_empty(), is_due, "{lines:?}");
        assert_eq!(site.mailq().contains("is empty"), is_due);
    }
}

#[test]
fn a_run_takes_as_many_messages_as_it_may_in_its_order() {
    for (lines, left) in [("", 0), ("O MaxQueueRunSize=1\n", 1)] {
        let (_sandbox, site) = alone(lines);
        for user in ["one@a.test", "two@a.test"] {
            run(&site, &["-odq", user], MESSAGE);
        }
        site.run_queue();
        assert_eq!(site.queue_files("qf").len(), left, "{lines:?}");
    }
    for (value, first) in [("priority", "small"), ("filename", "large")] {
        let (_sandbox, site) = alone(&format!("O QueueSortOrder={value}\n"));
        let large = [MESSAGE, &b"more\n".repeat(100)].concat();
        run(&site, &["-odq", "large@a.test"], &large);
        // It comes first by its name, whatever the next one is called.
        for name in [site.queue_files("qf"), site.queue_files("df")].concat() {
            let other = format!("{}0{}", &name[..2], &name[3..]);
            fs::rename(site.path("queue").join(name), site.path("queue").join(other)).unwrap();
        }
        run(&site, &["-odq", "small@a.test"], MESSAGE);
        let (_, printed) = run(&site, &["-q", "-v"], b"");
        let at = |user: &str| printed.find(&format!("{user}@a.test... ")).unwrap_or_else(|| panic!("{printed}"));
        let (large, small) = (at("large"), at("small"));
        assert_eq!(small < large, first == "small", "{value}: {printed}");
    }
}

#[test]
fn the_queue_file_is_rewritten_after_so_many_deliveries() {
    for (lines, has_first) in [("O CheckpointInterval=1\n", false), ("O CheckpointInterval=10\n", true)] {
        let (_sandbox, site) = alone(&format!("{lines}O QueueFileMode=0644\n"));
        fs::set_permissions(site.path("queue"), fs::Permissions::from_mode(0o755)).unwrap();
        // Whoever comes later keeps what the queue says of the message.
        let script =
            "#!/bin/sh\ncat >/dev/null\n[ -e \"$1/seen\" ] && cat \"$1\"/../queue/qf* >\"$1/later\"\n: >\"$1/seen\"\n";
        site.write("mailbox", script.as_bytes(), 0o755);
        let recipients = ["one@a.test", "two@a.test", "three@a.test"];
        run(&site, &[&["-odi"], &recipients[..]].concat(), MESSAGE);
        let text = site.mailbox("later");
        let open = recipients.iter().filter(|user| text.contains(&format!("\nRPFD:{user}"))).count();
        assert_eq!(open == 3, has_first, "{lines:?}: {text}");
    }
}

#[test]
fn the_queue_lies_where_the_options_say() {
    let (_sandbox, site) = alone("O QueueDirectory=DIR/many/q*\n");
    for name in ["many", "many/q1", "many/q2", "many/other"] {
        fs::create_dir(site.path(name)).unwrap();
        fs::set_permissions(site.path(name), fs::Permissions::from_mode(0o700)).unwrap();
    }
    located(&site);
    run(&site, &["-odq", "you@a.test"], MESSAGE);
    let count = |name: &str| fs::read_dir(site.path(name)).unwrap().count();
    assert_eq!((count("queue"), count("many/other")), (0, 0));
    assert_eq!(count("many/q1") + count("many/q2"), 2);
}

#[test]
fn groups_have_their_folder_and_their_limits() {
    let group = |fields: &str| {
        let lines =
            format!("Qmqueue, P=DIR/queue\nQfar, P=DIR/queue/far{fields}\nSqueuegroup\nR$* @ next.test\t$# far\n");
        let (sandbox, site) = alone(&lines);
        fs::create_dir(site.path("queue/far")).unwrap();
        fs::set_permissions(site.path("queue/far"), fs::Permissions::from_mode(0o700)).unwrap();
        located(&site);
        (sandbox, site)
    };
    let control = |site: &Site| {
        let names =
            fs::read_dir(site.path("queue/far")).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.starts_with("qf")).count()
    };
    let to = ["one@next.test", "two@next.test", "three@next.test"];
    for (fields, files) in [("", 1), (", r=2", 2)] {
        let (_sandbox, site) = group(fields);
        run(&site, &[&["-odq"], &to[..]].concat(), MESSAGE);
        assert_eq!(control(&site), files, "{fields:?}");
    }
    // Jobs of a run.
    for (fields, left) in [("", 0), (", J=1", 1), (", R=0", 2)] {
        let (sandbox, next) = (Sandbox::new(), FakeHost::accepting());
        let lines =
            format!("Qmqueue, P=DIR/queue\nQfar, P=DIR/queue/far{fields}\nSqueuegroup\nR$* @ next.test\t$# far\n");
        let site = sandbox.mta("a", next.port, &lines);
        fs::create_dir(site.path("queue/far")).unwrap();
        fs::set_permissions(site.path("queue/far"), fs::Permissions::from_mode(0o700)).unwrap();
        located(&site);
        for user in &to[..2] {
            run(&site, &["-odq", user], MESSAGE);
        }
        assert_eq!(control(&site), 2);
        site.run_queue();
        assert_eq!(control(&site), left, "{fields:?}");
    }
}

#[test]
fn a_mailer_names_the_group_of_its_mail() {
    let (_sandbox, site) = alone("Qmqueue, P=DIR/queue\nQfar, P=DIR/queue/far\n");
    fs::create_dir(site.path("queue/far")).unwrap();
    fs::set_permissions(site.path("queue/far"), fs::Permissions::from_mode(0o700)).unwrap();
    located(&site);
    let text = fs::read_to_string(site.path("cf")).unwrap().replace("F=mDFMuXa8,", "F=mDFMuXa8, Q=far,");
    site.write("cf", text.as_bytes(), 0o644);
    run(&site, &["-odq", "one@next.test"], MESSAGE);
    run(&site, &["-odq", "one@a.test"], MESSAGE);
    assert_eq!(fs::read_dir(site.path("queue/far")).unwrap().count(), 2);
    assert_eq!(site.queue_files("qf").len(), 1);
}

#[test]
fn files_of_a_kind_have_a_folder_of_their_own_where_there_is_one() {
    let (_sandbox, site) = alone("");
    for name in ["queue/qf", "queue/df", "queue/xf"] {
        fs::create_dir(site.path(name)).unwrap();
        fs::set_permissions(site.path(name), fs::Permissions::from_mode(0o700)).unwrap();
    }
    run(&site, &["-odq", "you@a.test"], MESSAGE);
    let names = |name: &str| fs::read_dir(site.path(name)).unwrap().count();
    assert_eq!((names("queue/qf"), names("queue/df")), (1, 1));
    site.run_queue();
    assert!(site.mailbox("you").contains("Subject: x"));
    assert_eq!((names("queue/qf"), names("queue/df")), (0, 0));
}

#[test]
fn a_submission_program_does_not_run_as_root() {
    if !is_root() {
        println!("not root: UseMSP was not looked at");
        return;
    }
    for (lines, is_told) in [("", false), ("O UseMSP=true\n", true)] {
        let (_sandbox, site) = alone(lines);
        let (exit, printed) = run(&site, &["-odi", "you@a.test"], MESSAGE);
        let words = "Mail submission program must have RunAsUser set to non root user";
        assert_eq!((printed.contains(words), exit == 78), (is_told, is_told), "{printed}");
    }
}

#[test]
fn a_group_may_be_run_more_often_than_the_others() {
    let (sandbox, next) = (Sandbox::new(), FakeHost::accepting());
    let lines = "Qmqueue, P=DIR/queue\nQfar, P=DIR/queue/far, I=1s\nSqueuegroup\nR$* @ next.test\t$# far\n";
    let site = sandbox.mta("a", next.port, lines);
    fs::create_dir(site.path("queue/far")).unwrap();
    fs::set_permissions(site.path("queue/far"), fs::Permissions::from_mode(0o700)).unwrap();
    located(&site);
    // The daemon looks after the others once an hour.
    let _daemon = site.start();
    run(&site, &["-odq", "one@next.test"], MESSAGE);
    run(&site, &["-odq", "one@a.test"], MESSAGE);
    next.wait_for(1);
    assert_eq!((site.queue_files("qf").len(), site.mailbox("one")), (1, String::new()));
}
