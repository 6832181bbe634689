//! Options that hold when the machine is busy: the load average is a file of the test's. Only for root.

use std::fs;
use std::time::{Duration, Instant};

use super::*;
use crate::support::client::Client;
use crate::support::daemon::Daemon;
use crate::support::sandbox::is_root;
use crate::support::{LIMIT, until};

const MESSAGE: &[u8] = b"Subject: x\r\n\r\nx\r\n";

/// A daemon whose machine has this load, which may change; `None` for who is not root.
fn busy(site: &Site, load: &str) -> Option<Daemon> {
    if !is_root() {
        println!("not root: what a busy machine does was not looked at");
        return None;
    }
    set(site, load);
    let mut own = site.command();
    own.args(["-bD", "-q1h"]);
    let mut command = Command::new("unshare");
    let script = "mount --bind \"$0\" /proc/loadavg && exec \"$@\"";
    command.args(["-m", "sh", "-c", script]).arg(site.path("load")).arg(own.get_program()).args(own.get_args());
    for (name, value) in own.get_envs() {
        command.env(name, value.unwrap_or_default());
    }
    command.current_dir(&site.dir);
    Some(Daemon::start(command, site.port))
}

fn set(site: &Site, load: &str) {
    fs::write(site.path("load"), format!("{load} {load} {load} 1/100 1000\n")).unwrap();
}

#[test]
fn a_busy_machine_refuses_connections() {
    for (lines, port) in [("O RefuseLA=5\n", ""), ("", ", refuseLA=5")] {
        let (_sandbox, site) = alone(lines);
        let text = fs::read_to_string(site.path("cf")).unwrap().replace("Name=MTA,", &format!("Name=MTA{port},"));
        site.write("cf", text.as_bytes(), 0o644);
        let Some(_daemon) = busy(&site, "0.50") else { return };
        set(&site, "9.00");
        until(LIMIT, "it is told", || {
            // Whoever comes makes it look.
            drop(Client::try_connect(site.port));
            site.log().contains("rejecting connections on daemon MTA: load average: 9")
        });
        set(&site, "0.50");
        until(LIMIT, "it listens again", || Client::try_connect(site.port).is_some());
    }
}

#[test]
fn a_busy_machine_only_queues_what_matters_little() {
    for (lines, port, is_queued) in [
        ("O QueueLA=5\nO QueueFactor=1\n", "", true),
        ("O QueueLA=5\nO QueueFactor=600000000\n", "", false),
        ("O QueueLA=15\nO QueueFactor=1\n", "", false),
        ("O QueueFactor=1\n", ", queueLA=5", true),
    ] {
        let (_sandbox, site) = alone(lines);
        let text = fs::read_to_string(site.path("cf")).unwrap().replace("Name=MTA,", &format!("Name=MTA{port},"));
        site.write("cf", text.as_bytes(), 0o644);
        let Some(_daemon) = busy(&site, "9.00") else { return };
        let reply = Client::connect(site.port).message("me@client.test", &["you@a.test"], MESSAGE);
        assert!(reply.starts_with("250"), "{reply}");
        if is_queued {
            assert_eq!(site.queue_files("qf").len(), 1, "{lines:?}");
            assert_eq!(site.mailbox("you"), "");
        } else {
            until(LIMIT, "it is delivered", || site.mailbox("you").contains("Subject: x"));
        }
    }
}

#[test]
fn a_busy_machine_takes_its_time() {
    // When it does not is a table in daemon/listen.
    for (lines, port) in [("O DelayLA=5\n", ""), ("", ", delayLA=5")] {
        let (_sandbox, site) = alone(lines);
        let text = fs::read_to_string(site.path("cf")).unwrap().replace("Name=MTA,", &format!("Name=MTA{port},"));
        site.write("cf", text.as_bytes(), 0o644);
        let Some(_daemon) = busy(&site, "9.00") else { return };
        let start = Instant::now();
        drop(Client::connect(site.port));
        assert!(start.elapsed() >= Duration::from_secs(1), "{lines:?} {port}");
    }
}

#[test]
fn connections_of_one_second_are_counted() {
    let (_sandbox, site) = alone("O ConnectionRateThrottle=1\nO LogLevel=10\n");
    let _daemon = site.start();
    until(LIMIT, "it is told", || {
        drop(Client::connect(site.port));
        site.log().contains("deferring connections on daemon MTA: 1 per second")
    });
}
