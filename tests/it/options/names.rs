//! Names of hosts: files, name servers, interfaces. What needs a name server of its own is only for root.

use std::fs;

use super::*;
use crate::support::fake_dns::{A, CNAME, Entry, FakeDns, MX, name};
use crate::support::fake_host::FakeHost;
use crate::support::private_etc::with_etc;
use crate::support::sandbox::is_root;

/// What the program says when it sees these records; `None` for who is not root.
fn with_dns(site: &Site, records: &[(&str, u16, Vec<u8>)], args: &[&str], input: &[u8]) -> Option<(i32, String)> {
    let mut command = site.command();
    command.args(args);
    if !is_root() {
        return with_etc(&command, &site.dir, &[]).map(|_| (0, String::new()));
    }
    let entries: Vec<Entry> =
        records.iter().map(|(name, kind, data)| ((*name).to_owned(), *kind, data.clone())).collect();
    let dns = FakeDns::start(entries, false);
    let resolv = format!("nameserver {}\nsearch dns.test\noptions timeout:2 attempts:1\n", dns.address);
    let command = with_etc(&command, &site.dir, &[("resolv.conf", &resolv), ("hosts", "127.0.0.1 localhost\n")])?;
    Some(finished(command, input))
}

fn located(site: &Site) {
    let text = fs::read_to_string(site.path("cf")).unwrap().replace("DIR/", &format!("{}/", site.dir.display()));
    site.write("cf", text.as_bytes(), 0o644);
    site.write("hosts", b"192.0.2.5 one.test short\n", 0o644);
    site.write("switch", b"hosts\tfiles\naliases\tfiles\n", 0o644);
}

#[test]
fn names_come_from_the_named_files_and_servers() {
    let records = [("short.dns.test", A, vec![192, 0, 2, 6])];
    for (lines, canonical) in [
        ("O ServiceSwitchFile=DIR/switch\nO HostsFile=DIR/hosts\n", "one.test"),
        ("O ServiceSwitchFile=DIR/switch\nO HostsFile=DIR/none\n", "short"),
        ("O ServiceSwitchFile=DIR/none\nO HostsFile=DIR/hosts\n", "short.dns.test"),
        ("O ServiceSwitchFile=DIR/none\nO HostsFile=DIR/none\nO ResolverOptions=-DNSRCH -DEFNAMES\n", "short"),
    ] {
        let (_sandbox, site) = alone(lines);
        located(&site);
        let Some((_, printed)) = with_dns(&site, &records, &["-bt"], b"/canon short\n") else { return };
        assert!(printed.contains(&format!("returns {canonical}\n")), "{lines:?}: {printed}");
    }
}

#[test]
fn aliases_of_hosts_are_followed_unless_they_stay() {
    let records = [("alias.test", CNAME, name("real.test")), ("real.test", A, vec![192, 0, 2, 6])];
    for (lines, canonical) in [("", "real.test"), ("O DontExpandCnames=true\n", "alias.test")] {
        let (_sandbox, site) = alone(lines);
        let Some((_, printed)) = with_dns(&site, &records, &["-bt"], b"/canon alias.test\n") else { return };
        assert!(printed.contains(&format!("returns {canonical}\n")), "{lines:?}: {printed}");
    }
}

#[test]
fn mail_for_hosts_that_cannot_take_it_goes_where_the_options_say() {
    let exchanger = |host: &str| [&[0, 5][..], &name(host)].concat();
    let records = [
        ("dead.test", MX, exchanger("mail.dead.test")),
        ("mail.dead.test", A, vec![127, 0, 0, 9]),
        ("own.test", MX, exchanger("a.test")),
        ("own.test", A, vec![127, 0, 0, 1]),
        ("bare.test", MX, exchanger("a.test")),
    ];
    for (lines, domain, arrives) in [
        ("", "dead.test", false),
        ("O FallbackMXhost=[127.0.0.1]\n", "dead.test", true),
        ("O FallbackSmartHost=[127.0.0.1]\n", "dead.test", true),
        ("", "own.test", false),
        ("O TryNullMXList=true\n", "own.test", true),
        // It has no address either. Source: observed.
        ("O TryNullMXList=true\n", "bare.test", false),
    ] {
        let (sandbox, next) = (Sandbox::new(), FakeHost::accepting());
        let site = sandbox.mta("a", next.port, &format!("C{{Next}}dead.test own.test bare.test\n{lines}"));
        let text = fs::read_to_string(site.path("cf")).unwrap().replace("$@ [127.0.0.1] $:", "$@ $2 $:");
        site.write("cf", text.as_bytes(), 0o644);
        let to = format!("you@{domain}");
        let Some((_, printed)) = with_dns(&site, &records, &["-odi", &to], b"Subject: x\n\nx\n") else { return };
        assert_eq!(next.acknowledged().len(), usize::from(arrives), "{lines:?} {domain}: {printed}");
        let is_loop = site.log().contains("points back to a.test");
        assert_eq!(is_loop, !arrives && domain != "dead.test", "{lines:?} {domain}: {}", site.log());
    }
}

#[test]
fn our_own_names_are_looked_for_at_the_interfaces_or_not() {
    for (value, has_loopback) in [("false", true), ("true", false), ("loopback", false)] {
        let (_sandbox, site) = alone(&format!("O DontProbeInterfaces={value}\n"));
        let Some((_, printed)) = with_dns(&site, &[], &["-bt"], b"$=w\n") else { return };
        assert_eq!(printed.contains("[127.0.0.1]"), has_loopback, "{value}: {printed}");
    }
}
